"""Goal: an account with fee tiers pays, on each fill, the rate that the 30 UTC days before put it in,
and its money adds up; the same wherever actors live and when the run is killed.
Method: moving-average crosses with brackets (so makers and takers) on seeded walks of some months, one
account with tiers for spot and linear, one with tiers for linear only that begin above zero, one
without. Every fee of fills.csv, and each account's cash and fees at the end, is reckoned again here
with fractions out of the fills alone. Placements, paced clock, journal on and off, SIGKILL."""
# threaded: shards are threads here
import json
import os
import sys
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
CASH = {"main": 100000, "late": 50000, "plain": 50000}


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
    for n, price, tick, decimals in (("BTC-PERP", 400000, 0.1, 1), ("ETH", 250000, 0.01, 2)):
        path = os.path.join(scratch, n + ".csv")
        sources.append(klines(n, "1h", walk_file(path, rng, 24 * DAYS, "1h", START, price, 2000,
                                                 tick, decimals)))
    more = {"stop_loss_pct": "2", "take_profit_pct": "1.5", "bracket": True}
    perp = {"fast": rng.randint(2, 4), "slow": rng.randint(6, 20), "short": True, **more}
    made = {
        "a": cross("BTC-PERP", "main", "1h", {"notional": "12345"}, **perp),
        "b": cross("ETH", "main", "1h", {"notional": "5000"}, fast=3, slow=rng.randint(7, 15), **more),
        "c": cross("BTC-PERP", "late", "1h", {"notional": "6000"}, **perp),
        "d": cross("BTC-PERP", "plain", "1h", {"notional": "6000"}, **perp),
        "e": cross("ETH", "late", "1h", {"notional": "5000"}, fast=3, slow=9, **more),
    }
    accounts = {}
    for name, cash in CASH.items():
        fees = {kind: {"tiers": [{"volume": v, "maker": m, "taker": t} for v, m, t in tiers]}
                for (account, kind), tiers in TIERS.items() if account == name}
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


class Books:
    """What the fills say of all accounts."""

    def __init__(self):
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
        fee = cents((quantity if base else value) * rate, True)
        held, cost = self.held.get((account, name), (Fraction(0), Fraction(0)))
        if kind == "spot":
            held += quantity - fee if base else -quantity
            self.cash[account] += -value if buy else value - fee
        else:
            held, cost = self.linear(account, held, cost, quantity if buy else -quantity, value, price)
            self.cash[account] -= fee
        self.held[account, name] = held, cost
        asset = INSTRUMENTS[name]["base" if base else "quote"]
        if Fraction(row["fee"]) != fee or row["fee_asset"] != asset:
            return "%s: fee %s at %s after %s" % (row, fee, rate, volume)
        return ""

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
        out, books = os.path.join(scratch, "one", "out"), Books()
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
        with open(os.path.join(out, "manifest.json")) as f:
            manifest = json.load(f)
        told = {a["account"]: a.get("fees") for a in manifest["accounts"]}
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
        paced = {"kind": "paced", "speed": 5000000}
        got, kills = killed(place(run, [{}], {}, clock=paced, journal="on", snapshot_every="200ms"),
                            os.path.join(scratch, "killed"), rng)
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
