"""Goal: an account with fee tiers pays, on each fill, the rate that the 30 UTC days before put it in;
one that pays fees in another asset (BNB) does so at its discount and price as far as it has it; their
money adds up; the same wherever actors live and when the run is killed.
Method: moving-average crosses with brackets (so makers and takers) on seeded walks of some months, one
account with tiers for spot and linear, one with tiers for linear only that begin above zero, one
without. Two pay in BNB, one at a price declared, one at that of an instrument it trades too, both with
too little for all the run. Every fee of fills.csv, and each account's cash, balance, equity, fees and
realised profit at the end, is reckoned again here with fractions out of the fills alone. Placements, paced clock, journal on and off, SIGKILL."""
# threaded: shards are threads here
import json
import os
import sys
from bisect import bisect_left, bisect_right
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_bars import killed  # noqa: E402
from test_placements import PACED, differ, place, results, spread  # noqa: E402

ONE, DAY, DAYS = 10**8, 86400 * 10**9, 100
START = 1704067200 * 10**9
SPOT = [(0, "0.001", "0.001"), (60000, "0.0009", "0.00097531"), (150000, "-0.00003333", "0.0008")]
LINEAR = [(0, "0.0002", "0.0005"), (300000, "0.00016", "0.0004"), (600000, "-0.00004321", "0.00033333")]
ABOVE = [(120000, "0.0001", "0.0002"), (400000, "0", "0")]
TIERS = {("main", "spot"): SPOT, ("main", "linear"): LINEAR, ("late", "linear"): ABOVE}
CASH = {"main": 100000, "late": 50000, "plain": 50000, "burn": 60000, "live": 60000}
BURNS = {"burn": {"name": "BNB", "balance": "2.5", "price": "601.37"},
         "live": {"name": "BNB", "balance": "1.75", "instrument": "BNB",
                  "discount": {"spot": "0.2", "linear": "12.5%"}}}
BURNT = {("burn", "spot"): "0.25", ("burn", "linear"): "0.1", ("live", "spot"): "0.2",
         ("live", "linear"): "0.125"}
INSTRUMENTS["BNB"] = {"symbol": "BNBUSDT", "kind": "spot", "base": "BNB", "quote": "USDT",
                      "venue": "sim", "tick_size": "0.01", "lot_size": "0.001",
                      "maker_fee": "0.00075", "taker_fee": "0.001"}
HOUR = 3600 * 10**9


def cents(value, up):
    """cents rounds a sum to 1e-8, up or down."""
    scaled = value * ONE
    return Fraction(-(-scaled.numerator // scaled.denominator) if up
                    else scaled.numerator // scaled.denominator, ONE)


def toward_zero(value):
    """toward_zero rounds a sum to 1e-8 toward zero."""
    return cents(value, value < 0)


def graph(rng, scratch):
    """graph is the run."""
    sources = []
    for n, price, tick, decimals, every in (("BTC-PERP", 400000, 0.1, 1, "1h"),
                                            ("ETH", 250000, 0.01, 2, "1h"),
                                            ("BNB", 60000, 0.01, 2, "4h")):
        path = os.path.join(scratch, n + ".csv")
        bars = 24 * DAYS * HOUR // (seconds(every) * 10**9)
        sources.append(klines(n, every, walk_file(path, rng, bars, every, START, price,
                                                  2000 if n != "BNB" else 300, tick, decimals)))
    more = {"stop_loss_pct": "2", "take_profit_pct": "1.5", "bracket": True}
    perp = {"fast": rng.randint(2, 4), "slow": rng.randint(6, 20), "short": True, **more}
    made = {
        "a": cross("BTC-PERP", "main", "1h", {"notional": "12345"}, **perp),
        "b": cross("ETH", "main", "1h", {"notional": "5000"}, fast=3, slow=rng.randint(7, 15), **more),
        "c": cross("BTC-PERP", "late", "1h", {"notional": "6000"}, **perp),
        "d": cross("BTC-PERP", "plain", "1h", {"notional": "6000"}, **perp),
        "f": cross("BTC-PERP", "burn", "1h", {"notional": "20000"}, **perp),
        "g": cross("ETH", "burn", "1h", {"notional": "5000"}, fast=3, slow=rng.randint(7, 15), **more),
        "h": cross("BTC-PERP", "live", "1h", {"notional": "12000"}, **perp),
        "i": cross("BNB", "live", "4h", {"notional": "4000"}, fast=2, slow=rng.randint(4, 8), **more),
        "e": cross("ETH", "late", "1h", {"notional": "5000"}, fast=3, slow=9, **more),
    }
    accounts = {}
    for name, cash in CASH.items():
        fees = {kind: {"tiers": [{"volume": v, "maker": m, "taker": t} for v, m, t in tiers]}
                for (account, kind), tiers in TIERS.items() if account == name}
        if name in BURNS:
            fees["asset"] = BURNS[name]
        accounts[name] = {"quote": "USDT", "cash": cash, **({"fees": fees} if fees else {})}
    return run_of("fees", sources, made, accounts)


def rate_of(account, instrument, maker, volume):
    """rate_of is what account pays having traded volume."""
    own = INSTRUMENTS[instrument]
    rate = own["maker_fee" if maker else "taker_fee"]
    for least, m, t in TIERS.get((account, own["kind"]), ()):
        if volume >= least:
            rate = m if maker else t
    return Fraction(rate)


def up(value):
    """up rounds a sum to 1e-8, up."""
    return cents(value, True)


def closes(path):
    """closes gives (end, close) of the bars of a file, by time."""
    step = 4 * HOUR
    return [(int(r["open_time_ms"]) * 10**6 + step, Fraction(r["close"])) for r in rows_of(path)]


class Books:
    """What the fills say of all accounts; bars: ends and closes of BNB's."""

    def __init__(self, bars):
        self.bars, self.ends = bars, [end for end, _ in bars]
        self.held_in = {n: Fraction(b["balance"]) for n, b in BURNS.items()}
        self.burnt = {n: 0 for n in BURNS}  # fills paid from the balance
        self.short = {n: 0 for n in BURNS}  # fills it did not cover
        self.start = {}   # worth of the balance at the first price
        self.fees = {n: Fraction(0) for n in CASH}  # in quote units
        self.cash_fees = {n: Fraction(0) for n in CASH}  # paid in quote
        self.realized = {n: Fraction(0) for n in CASH}
        self.traded = {}  # (account, kind, day): notional
        self.cash = {n: Fraction(c) for n, c in CASH.items()}
        self.held = {}    # (account, instrument): quantity, cost
        self.rates = set()

    def fill(self, row):
        """fill books a fill; returns what is wrong with its fee, "" when nothing is."""
        account, name, buy = row["account"], row["instrument"], row["side"] == "buy"
        kind = INSTRUMENTS[name]["kind"]
        quantity, price = Fraction(row["quantity"]), Fraction(row["price"])
        value, day = cents(price * quantity, buy), int(row["time_ns"]) // DAY
        volume = sum(self.traded.get((account, kind, d), 0) for d in range(day - 30, day))
        rate = rate_of(account, name, row["liquidity"] == "maker", volume)
        self.traded[account, kind, day] = self.traded.get((account, kind, day), 0) + value
        self.rates.add((account, kind, rate))
        base = kind == "spot" and buy
        fee = up((quantity if base else value) * rate)
        asset = INSTRUMENTS[name]["base" if base else "quote"]
        due, quote = fee, up(fee * price) if base else fee
        kept = rate * (1 - Fraction(BURNT[account, kind])) if account in BURNS else rate
        if account in BURNS and asset == "BNB":
            due = fee = up(quantity * kept)
            quote = up(fee * price)
        elif account in BURNS and rate > 0:
            wanted = []
            for at in self.prices(account, int(row["time_ns"])):
                self.start.setdefault(account, cents(self.held_in[account] * at, False))
                wanted.append((up(value * kept / at), at))
            paid = [w for w in wanted if w[0] == Fraction(row["fee"]) and w[0] <= self.held_in[account]]
            if paid:  # of a bar that ends just then either price may be the newest
                (fee, at), asset, due = paid[0], "BNB", Fraction(0)
                quote = up(fee * at)
                self.held_in[account] -= fee
                self.burnt[account] += 1
            elif wanted and all(w[0] <= self.held_in[account] for w in wanted):
                return "%s: wanted %s" % (row, [str(float(w[0])) for w in wanted])
            else:
                self.short[account] += 1
        self.fees[account] += quote
        if asset == "USDT":
            self.cash_fees[account] += fee
        held, cost = self.held.get((account, name), (Fraction(0), Fraction(0)))
        if kind == "spot":
            held += quantity - due if base else -quantity
            self.cash[account] += -value if buy else value - due
        else:
            held, cost = self.linear(account, held, cost, quantity if buy else -quantity, value, price)
            self.cash[account] -= due
        self.held[account, name] = held, cost
        if Fraction(row["fee"]) != fee or row["fee_asset"] != asset:
            return "%s: fee %s at %s after %s" % (row, fee, rate, volume)
        return ""

    def prices(self, account, time_ns):
        """prices are what one BNB may be worth to a fill at time_ns: at an open the bar that ends there
        is known, inside a bar it is not yet."""
        if "price" in BURNS[account]:
            return [Fraction(BURNS[account]["price"])]
        found = [bisect_right(self.ends, time_ns), bisect_left(self.ends, time_ns)]
        return [self.bars[i - 1][1] for i in dict.fromkeys(found) if i > 0]

    def balance(self, said, out):
        """balance tells what is wrong with an account's BNB, its start and its equity."""
        name, f = said["account"], said["fee_asset"]
        at = self.prices(name, START + DAYS * DAY)[0]
        worth = cents(self.held_in[name] * at, False)
        equity = Fraction(rows_of(os.path.join(out, "equity.csv"))[-1]["equity"])
        want = (self.held_in[name], at, worth, self.start[name], CASH[name] + self.start[name])
        got = tuple(Fraction(v) for v in (f["balance"], f["price"], f["worth"], f["worth_at_start"],
                                          said["start"]))
        print("%s: %d fills paid in BNB, %d not covered" % (name, self.burnt[name], self.short[name]))
        if got != want or not self.burnt[name] or not self.short[name]:
            return "%s, reckoned %s" % (list(map(float, got)), list(map(float, want)))
        parts = [Fraction(said[k]) for k in ("realized_pnl", "unrealized_pnl")]
        rest = Fraction(said["equity"]) - worth - CASH[name] - sum(parts)
        cash_fees = self.cash_fees[name]
        if rest != -cash_fees:
            return "equity is off by %s" % float(rest + cash_fees)
        return "" if equity else "no equity"

    def trips(self, out, fills):
        """trips tells what is wrong with the sums of trades.csv of accounts that end flat: net is
        realized less fees that were not of the base."""
        rows = rows_of(os.path.join(out, "trades.csv"))
        for r in rows:
            if INSTRUMENTS[r["instrument"]]["kind"] != "linear":
                continue
            if Fraction(r["net_pnl"]) != Fraction(r["realized_pnl"]) - Fraction(r["fee"]):
                return str(r)
        return "" if rows and fills else "none"

    def linear(self, account, held, cost, moved, value, price):
        """linear moves a position by a fill; returns its quantity and cost."""
        opened = value if moved > 0 else -value
        if held * moved < 0:
            closed = min(abs(held), abs(moved))
            taken, part = cost, opened
            if closed < abs(held):
                taken = toward_zero(cost * closed / abs(held))
            if closed < abs(moved):
                part = cents(price * closed, moved > 0) * (1 if moved > 0 else -1)
            self.cash[account] += -part - taken
            self.realized[account] += -part - taken
            opened, cost = opened - part, cost - taken
        return held + moved, cost + opened


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0

    def check(name, wrong):
        """check prints one verdict."""
        nonlocal bad
        print("bad " if wrong else "ok  ", name, wrong or "", flush=True)
        bad += bool(wrong)

    with Scratch() as scratch:
        run = graph(rng, scratch)
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        out, books = os.path.join(scratch, "one", "out"), Books(closes(os.path.join(scratch, "BNB.csv")))
        fills = rows_of(os.path.join(out, "fills.csv"))
        wrong = [w for w in map(books.fill, fills) if w]
        print("%d fills, %d rates" % (len(fills), len(books.rates)))
        check("each fee", wrong[0] if wrong else "")
        for (account, kind), tiers in TIERS.items():
            seen = len({r for a, k, r in books.rates if (a, k) == (account, kind)})
            check("tiers of %s %s: %d rates" % (account, kind, seen),
                  "" if seen > 2 else "too few to mean anything")
        with open(os.path.join(out, "summary.json")) as f:
            summary = json.load(f)
        for a in summary["accounts"]:
            check("cash of " + a["account"], "" if Fraction(a["cash"]) == books.cash[a["account"]]
                  else "%s, reckoned %s" % (a["cash"], float(books.cash[a["account"]])))
            check("fees of " + a["account"], "" if Fraction(a["fees"]) == books.fees[a["account"]]
                  else "%s, reckoned %s" % (a["fees"], float(books.fees[a["account"]])))
            if a["account"] in BURNS:
                check("BNB of " + a["account"], books.balance(a, out))
        check("round trips less their fees", books.trips(out, fills))
        with open(os.path.join(out, "manifest.json")) as f:
            manifest = json.load(f)
        told = {a["account"]: a.get("fees") for a in manifest["accounts"]}
        burnt = {a["account"]: a["fee_asset"] for a in manifest["accounts"] if "fee_asset" in a}
        check("the manifest tells the fee asset", "" if set(burnt) == set(BURNS) and
              all(Fraction(burnt[n]["discount"][k]) == Fraction(v) for (n, k), v in BURNT.items()) and
              burnt["live"]["instrument"] == "BNB" and
              any(r.startswith("fee asset") for r in manifest["rules"]) else str(burnt))
        check("the manifest tells them", "" if told["plain"] is None and
              [Fraction(t["taker"]) for t in told["main"]["spot"]["tiers"]] ==
              [Fraction(t) for _, _, t in SPOT] and list(told["late"]) == ["linear"] and
              any(r.startswith("fee tiers") for r in manifest["rules"]) and
              any("account main" in m for m in manifest["models"]) else str(told))
        for name, placed, how in (
                ("two shards", place(run, [{}] * 2, {"venue": 1}, journal="on"), "backtest"),
                ("five shards at random", place(run, [{}] * 5, spread(rng, run, 5)), "backtest"),
                ("two processes", place(run, [{"process": "engine"}, {"process": "other"}],
                                        {"venue": 1}, ["engine", "other"], journal="stage"),
                 "backtest"),
                ("paced", place(run, [{}], {}, clock=PACED, journal="on"), "run")):
            check(name, differ(want, results(placed, os.path.join(scratch, name), how)))
        told = shrike("state", os.path.join(scratch, "two shards", "out")).splitlines()
        told = {l.split()[1]: l.split()[2:] for l in told if l.startswith("FEES ")}
        check("state tells the balances", "" if set(told) == set(BURNS) and all(
            t[0] == "BNB" and Fraction(t[1]) == books.held_in[n] for n, t in told.items()) else told)
        paced = {"kind": "paced", "speed": 5000000}
        got, kills = killed(place(run, [{}], {}, clock=paced, journal="on", snapshot_every="200ms"),
                            os.path.join(scratch, "killed"), rng)
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
