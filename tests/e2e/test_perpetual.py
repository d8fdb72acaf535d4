"""Goal: funding, margin and liquidation of a perpetual come to what the venue's rules say, to the
last unit, on real bars, marks and funding rates (where ../shared/data is at hand) and on seeded
walks that gap.
Method: a run of the moving-average cross with high leverage. Its market orders and their fills are
taken as they are; everything else is reckoned again here, with fractions and from the rules:
funding payments, which orders margin refuses, when and at what price a position is closed by force,
its fee, and the cash at the end. All of it must be in funding.csv, orders.csv, fills.csv and
summary.json. Placements (two shards, two processes) must give the same bytes."""
# once: what is compared does not depend on how the tree was compiled
import copy
import json
import os
import sys
import unittest
from bisect import bisect_right
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403

ONE = 10**8
HOUR = 3600 * 10**9
FUNDING = os.path.join(SOURCE, "..", "shared", "data", "crypto", "funding")
BRACKETS = [(50000, 125, "0.004"), (600000, 100, "0.005"), (3000000, 75, "0.0065"),
            (12000000, 50, "0.01"), (70000000, 25, "0.02"), (1000000000, 5, "0.1")]
LIQUIDATION_FEE = Fraction("0.0125")
LOW_FEE = Fraction("0.001")  # below the maintenance of a bracket: else no part suffices
TAKER = Fraction("0.0005")
TICK = Fraction("0.1")


def cents(value, up):
    """cents rounds a sum of money to 1e-8."""
    scaled = value * ONE
    return Fraction(-((-scaled.numerator) // scaled.denominator) if up
                    else scaled.numerator // scaled.denominator, ONE)


def tiers(brackets):
    """tiers gives (floor, cap, rate, cum, leverage) of each bracket."""
    out, floor, cum, below = [], Fraction(0), Fraction(0), Fraction(0)
    for cap, leverage, rate in brackets:
        rate = Fraction(rate)
        if out:
            cum += floor * (rate - below)
        out.append((floor, Fraction(cap), rate, cum, leverage))
        floor, below = Fraction(cap), rate
    return out


class Contract:
    """What the contract at hand is worth: a kind, the size of a contract, brackets, all that its
    instrument and account are told beside the usual."""

    def __init__(self, kind="linear", unit=1, brackets=(), instrument=(), quote="USDT"):
        self.inverse, self.unit = kind == "inverse", Fraction(unit)
        self.brackets, self.tiers = brackets, tiers(brackets)
        self.instrument, self.quote = dict(instrument), quote

    def worth(self, quantity, price):
        """worth is what quantity is worth at price: its profit is how it changes."""
        return -quantity * self.unit / price if self.inverse else quantity * price * self.unit

    def size(self, quantity, price):
        """size is the notional, signed like quantity."""
        return abs(self.worth(quantity, price)) * (1 if quantity >= 0 else -1)

    def liquidation(self, quantity, cost, wallet, rate, cum):
        """liquidation is where wallet + unrealized = maintenance in a bracket, None without."""
        size = abs(quantity) * self.unit
        if not self.inverse:
            return (cost - wallet - cum) / (size * (1 - rate)) if quantity > 0 else \
                (wallet - cost + cum) / (size * (1 + rate))
        coin = wallet - cost + cum if quantity > 0 else cost - wallet - cum
        return size * (1 + rate if quantity > 0 else 1 - rate) / coin if coin > 0 else None

    def nothing(self, quantity, cost, wallet):
        """nothing is the price at which nothing is left, None without."""
        if not self.inverse:
            return (cost - wallet) / (quantity * self.unit)
        coin = wallet - cost if quantity > 0 else cost - wallet
        return abs(quantity) * self.unit / coin if coin > 0 else None


PERP = Contract(brackets=BRACKETS)


def liquidation_price(c, quantity, cost, wallet):
    """liquidation_price is where wallet + unrealized = maintenance, None where there is no such
    price above zero."""
    for floor, cap, rate, cum, _ in c.tiers:
        price = c.liquidation(quantity, cost, wallet, rate, cum)
        if price is None or price <= 0:
            return None
        if floor <= abs(c.worth(quantity, price)) <= cap or cap == c.tiers[-1][1]:
            return nearest(c, quantity, cost, wallet, price) if c.inverse else price
    return None


def nearest(c, quantity, cost, wallet, exact):
    """nearest is the price of the unit nearest to the market that liquidates, with each figure rounded
    to 1e-8 of coin against the account: a coin's unit is worth more price than a tick. It is sought
    around the exact one."""
    def meets(price):
        size = cents(abs(c.worth(quantity, price)), True)
        rate, cum = next((t[2], t[3]) for t in c.tiers if size <= t[1] or t[1] == c.tiers[-1][1])
        return wallet + cents(c.worth(quantity, price), False) - cost <= cents(size * rate, True) - cum

    out, reach = 1 if quantity > 0 else -1, 1000
    inside, outside = cents(exact, True), cents(exact, True)
    while not meets(inside):
        inside = max(inside - out * Fraction(reach, ONE), Fraction(1, ONE))
        reach *= 2
    reach = 1000
    while meets(outside):
        outside, reach = outside + out * Fraction(reach, ONE), reach * 2
    while abs(outside - inside) > Fraction(1, ONE):
        middle = cents((inside + outside) / 2, False)
        inside, outside = (middle, outside) if meets(middle) else (inside, middle)
    return inside


def to_tick(price, up):
    """to_tick rounds to the tick."""
    n = price / TICK
    return (-((-n.numerator) // n.denominator) if up else n.numerator // n.denominator) * TICK


class Account:
    """An account with one position, as the rules have it; steps: liquidated step by step."""

    steps, clearance = False, LIQUIDATION_FEE

    def __init__(self, contract, cash, isolated, leverage):
        self.c = contract
        self.cash, self.isolated, self.leverage = Fraction(cash), isolated, leverage
        self.quantity = self.cost = self.apart = Fraction(0)

    def trade(self, side, quantity, price, fee):
        """trade books a fill."""
        value = cents(self.c.worth(quantity, price), side == "buy")
        signed, flow = (quantity, value) if side == "buy" else (-quantity, -value)
        realized = Fraction(0)
        if self.quantity * signed < 0:
            size = abs(self.quantity)
            closed = min(size, quantity)
            part = flow
            if closed < quantity:
                part = cents(self.c.worth(closed, price), side == "buy") * (1 if side == "buy" else -1)
            taken, freed = self.cost, self.apart
            if closed < size:
                zero = lambda v: cents(abs(v), False) * (1 if v >= 0 else -1)
                taken, freed = zero(self.cost * closed / size), zero(self.apart * closed / size)
            realized = -part - taken
            self.cost -= taken
            self.apart -= freed
            flow -= part
        self.quantity += signed
        self.cost += flow
        if self.isolated and flow:
            self.apart += cents(abs(flow) / self.leverage, True)
        self.cash += realized - fee

    def wallet(self):
        """wallet is what backs the position."""
        return self.apart if self.isolated else self.cash

    def fund(self, mark, rate):
        """fund charges funding and returns what was paid."""
        paid = cents(self.c.size(self.quantity, mark) * rate, True)
        if paid < 0:
            paid = -cents(-self.c.size(self.quantity, mark) * rate, False)
        self.cash -= paid
        if self.isolated:
            self.apart -= paid
        return paid

    def force(self, mark, gap):
        """force closes the position when mark meets its liquidation price: (side, quantity, price,
        fee), None when it does not."""
        if not self.quantity:
            return None
        is_long = self.quantity > 0
        wallet = self.wallet()
        limit = liquidation_price(self.c, self.quantity, self.cost, wallet)
        if limit is None:
            if is_long:
                return None
            if self.c.inverse:  # a short of inverse contracts that more than backs itself
                return None
            limit = Fraction(1, ONE) # nothing backs the short: any price
        if mark > limit if is_long else mark < limit:
            return None
        price = to_tick(mark if gap else limit, not is_long)
        price = max(price, TICK)
        met, nothing = price, self.c.nothing(self.quantity, self.cost, wallet)
        if nothing is not None:
            nothing = to_tick(nothing, is_long)
            price = max(price, nothing) if is_long else min(price, nothing)
        size = abs(self.quantity)
        left = wallet + cents(self.c.worth(self.quantity, price) - self.cost, False)
        fee = self.cleared(size, price, left)
        side = "sell" if is_long else "buy"
        self.pays = Fraction(0)
        if price != met:
            low, high = sorted(abs(self.c.worth(size, p)) for p in (price, met))
            self.pays = cents(high, True) - cents(low, False) if self.c.inverse else cents(
                high - low, True)
        elif self.steps:
            part = self.reduction(price, left)
            if part:
                size, fee = part
                self.close(side, size, price, fee)
                return side, size, price, fee
        self.trade(side, size, price, fee)
        self.apart = Fraction(0)
        return side, size, price, fee

    def cleared(self, size, price, left):
        """cleared is the fee of closing size by force, as far as left covers it."""
        fee = cents(cents(abs(self.c.worth(size, price)), True) * self.clearance, True)
        return min(fee, max(left, Fraction(0)))

    def close(self, side, quantity, price, fee):
        """close closes a part by force: isolated, its loss and fee are of what is set apart."""
        cash, apart = self.cash, self.apart
        self.trade(side, quantity, price, fee)
        if self.isolated:
            self.apart = apart + self.cash - cash

    def maintained(self, quantity, price):
        """maintained is what quantity must be backed by at price, rounded up as money is."""
        notional = cents(abs(self.c.worth(quantity, price)), True)
        rate, cum = next((t[2], t[3]) for t in self.c.tiers
                         if notional <= t[1] or t[1] == self.c.tiers[-1][1])
        return cents(notional * rate, True) - cum

    def reduction(self, price, left):
        """reduction is how much is closed at price so that margin backs the rest, and its fee: down to
        the cap of the highest lower bracket at which it does; None where none does."""
        size = abs(self.quantity)
        notional = cents(abs(self.c.worth(size, price)), True)
        lot = Fraction(str(self.c.instrument.get("lot_size", "0.001")))
        for cap in [t[1] for t in self.c.tiers if t[1] < notional][::-1]:
            rest = cap / abs(self.c.worth(1, price)) // lot * lot
            if rest <= 0 or left <= 0:
                return None
            fee = self.cleared(size - rest, price, left)
            trial = copy.deepcopy(self)
            trial.close("sell" if self.quantity > 0 else "buy", size - rest, price, fee)
            worth = cents(self.c.worth(trial.quantity, price) - trial.cost, False)
            if trial.wallet() + worth > self.maintained(rest, price):
                return size - rest, fee
        return None

    def forces(self, mark, gap):
        """forces does force as often as it is met: what it does, and what the fund pays for it."""
        out = []
        while True:
            hit = self.force(mark, gap)
            if not hit:
                return out
            out.append(hit + (self.pays,))

    def refuses(self, order, mark, last, before):
        """refuses tells why margin refuses a market order; before: notional of the account's open
        orders by side. A purchase counts at the last price (there is no ask) and 0.05 % more, a sale
        at the mark or the last price and 0.15 % more; of inverse contracts both at the mark."""
        price = mark
        if not self.c.inverse:
            price = cents(last * Fraction("1.0005"), True)
            if order["side"] == "sell":
                price = max(cents(last * Fraction("1.0015"), True), mark)
        loss = 0
        if order["side"] == "buy" and price > mark:
            loss = cents(abs(self.c.worth(Fraction(order["quantity"]), price - mark)), True)
        position = self.c.size(self.quantity, mark)
        whole = cents(abs(position), True) * (1 if position >= 0 else -1)
        worst = lambda b: max(abs(whole + b["buy"]), abs(whole - b["sell"]))
        after = dict(before)
        after[order["side"]] += cents(abs(self.c.worth(Fraction(order["quantity"]), price)), True)
        if worst(after) <= worst(before):
            return ""
        most = max([t[1] for t in self.c.tiers if t[4] >= self.leverage] or [0])
        if worst(after) > most:
            return "leverage_limit"
        margin = lambda v: cents(v / self.leverage, True)
        if self.isolated:
            spare = self.cash - self.apart - margin(max(worst(after) - abs(whole), Fraction(0)))
        else:
            upnl = cents(self.c.worth(self.quantity, mark) - self.cost, False)
            spare = self.cash + upnl - margin(worst(after))
        return "insufficient_margin" if spare < loss else ""


def series(rows):
    """series keys bars by the instant they open, prices as fractions."""
    return {int(r["open_time_ms"]) * 10**6: tuple(Fraction(r[k]) for k in
                                                  ("open", "high", "low", "close")) for r in rows}


def left_over(contract, side, quantity, price):
    """left_over is what rounding leaves of the worth of a trade, in the books' 1e-16."""
    exact = contract.worth(quantity, price)
    exact = Fraction((exact * ONE**2).numerator // (exact * ONE**2).denominator, ONE**2)
    return abs(cents(exact, side == "buy") - exact)


def check(test, out, bars, marks, funding, cash, isolated, leverage, contract=PERP, insurance=None):
    """check reckons the run in out again and compares; insurance: the fund, where it is declared."""
    fund, rounding, taken, parts = Fraction(0), Fraction(0), Fraction(0), 0
    orders = rows_of(os.path.join(out, "orders.csv"))
    fills = rows_of(os.path.join(out, "fills.csv"))
    by_order = {f["client_order_id"]: f for f in fills}
    forced = [f for f in fills if f["client_order_id"].endswith("0000000000")]
    paid = rows_of(os.path.join(out, "funding.csv")) if os.path.exists(
        os.path.join(out, "funding.csv")) else []
    a = Account(contract, cash, isolated, leverage)
    a.steps = insurance is not None
    a.clearance = LOW_FEE if a.steps else LIQUIDATION_FEE
    decided, opened = {}, {}
    for o in orders:
        decided.setdefault(int(o["created_ns"]), []).append(o)
    for o in orders:
        if o["status"] == "filled":
            opened.setdefault(int(by_order[o["client_order_id"]]["time_ns"]), []).append(o)
    due = {f[0]: f[1] for f in funding}
    mark, refused, n_forced, n_paid = None, 0, 0, 0
    instants = sorted(set(bars) | {t + HOUR for t in bars} | set(due) | set(marks) |
                      {t + HOUR for t in marks})
    last = None
    for t in instants:
        m = marks.get(t - HOUR)
        if m:
            mark = m[3]
        bar = bars.get(t - HOUR)
        if bar:
            path = m or bar
            extreme = path[2] if a.quantity > 0 else path[1]
            hits = a.forces(path[0], True) + a.forces(extreme, False)
            parts += len(hits) - bool(hits and not a.quantity)
            for side, size, price, fee, pays in hits:
                got = forced[n_forced]
                n_forced += 1
                fund += fee - pays
                rounding += left_over(contract, side, size, price)
                want = (t, side, size, price, fee)
                test.assertEqual((int(got["time_ns"]), got["side"], Fraction(got["quantity"]),
                                  Fraction(got["price"]), Fraction(got["fee"])), want)
            last = bar[3]
        if t in due and a.quantity:
            at = mark if mark is not None else last
            exact = contract.size(a.quantity, at) * due[t]
            amount = a.fund(at, due[t])
            rounding += amount - exact  # the books keep it to 1e-16
            got = paid[n_paid]
            n_paid += 1
            test.assertEqual((int(got["time_ns"]), Fraction(got["amount"]),
                              Fraction(got["mark_price"])), (t, amount, at))
        working = {"buy": Fraction(0), "sell": Fraction(0)}
        now = mark if mark is not None else last
        for o in decided.get(t, []):
            if o["reason"] in ("", "insufficient_margin", "leverage_limit"):
                why = "" if o["effect"] == "exit" else a.refuses(o, now, last, working)
                test.assertEqual(o["reason"], why, o)
                if o["effect"] == "exit":  # reduce-only: needs no margin and counts for none
                    continue
                if not why:
                    working[o["side"]] += cents(abs(contract.worth(Fraction(o["quantity"]), now)), True)
                else:
                    refused += 1
        for o in opened.get(t, []):
            f = by_order[o["client_order_id"]]
            size, price = Fraction(f["quantity"]), Fraction(f["price"])
            rounding += left_over(contract, f["side"], size, price)
            rate = abs(cents(contract.worth(size, price), f["side"] == "buy")) * TAKER
            rounding, taken = rounding + Fraction(f["fee"]) - rate, taken + rate
            a.trade(f["side"], Fraction(f["quantity"]), Fraction(f["price"]), Fraction(f["fee"]))
    test.assertEqual(n_forced, len(forced))
    test.assertEqual(n_paid, len(paid))
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    said = summary["accounts"][0]
    test.assertEqual(summary["without_marks"], "" if marks else "BTC-PERP")
    test.assertEqual(Fraction(said["cash"]), a.cash)
    test.assertEqual(Fraction(said["funding"]), sum(Fraction(p["amount"]) for p in paid))
    test.assertEqual(said["liquidations"], len(forced))
    if fills:
        books = {b["asset"]: b for b in summary["venue"]}[contract.quote]
        test.assertEqual(Fraction(books["insurance_fund"]), fund + (insurance or 0))
        off = Fraction(books["rounding"]) - rounding
        test.assertTrue(0 <= off < Fraction(len(paid) + 1, 10**16), float(off))
        test.assertEqual(Fraction(books["fees"]), cents(taken, False))
    return len(forced), len(paid), refused, parts


def tree(sources, cash, margin, leverage, fraction, fast, slow, contract=PERP, insurance=None):
    """tree is the run file."""
    venue = {} if insurance is None else {"insurance": {contract.quote: insurance}}
    perp = dict(INSTRUMENTS["BTC-PERP"])
    perp["min_notional"] = 5
    perp["liquidation_fee"] = "0.0125"
    perp["brackets"] = [{"cap": c, "leverage": l, "maintenance": r} for c, l, r in contract.brackets]
    perp.update(contract.instrument)
    if insurance is not None:
        perp["liquidation_fee"] = "0.001"
    return {
        "name": "perpetual", "clock": "virtual", "instruments": {"BTC-PERP": perp},
        "accounts": {"main": {"quote": contract.quote, "cash": cash, "margin": margin,
                              "leverage": leverage}},
        "sources": sources,
        "actors": {
            "cross": {"kind": "strategy", "class": "sma_cross", "instruments": ["BTC-PERP"],
                      "interval": "1h", "account": "main",
                      "params": {"fast": fast, "slow": slow, "short": True},
                      "sizing": {"fraction": fraction}},
            "risk": {"kind": "risk", "limits": WIDE},
            "execution": {"kind": "execution"}, "portfolio": {"kind": "portfolio"},
            "venue": {"kind": "venue", **venue}}}


class Runs(unittest.TestCase):
    """Runs of one contract."""

    def setUp(self):
        self.dir = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.dir)

    def run_one(self, name, config):
        """run_one backtests config and returns where its results are."""
        path, out = os.path.join(self.dir, name + ".yaml"), os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write("\n".join("%s: %s" % (k, flow(v)) for k, v in config.items()) + "\n")
        done = subprocess.run([BIN, "backtest", path, "--out", out], capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def walks(self, count, cash=50000, contract=PERP):
        """walks checks seeded walks that jump, with marks of their own."""
        seed = int(os.environ.get("SHRIKE_SEED") or random.randrange(2**32))
        print("seed %d (SHRIKE_SEED=%d makes this run again)" % (seed, seed))
        total = [0, 0, 0, 0]
        for n in range(count):
            walk = random.Random(seed * 1000 + n)
            price, bars, marks, funding = 20000.0, [], [], []
            start = 1704067200000
            grid = lambda v: "%.1f" % max(v, 1)
            for i in range(1500):
                jump = walk.gauss(0, 0.15) if walk.random() < 0.01 else walk.gauss(0, 0.012)
                first = price * (1 + (jump if walk.random() < 0.3 else 0))
                price = max(first * (1 + jump / 2), 50)
                if price > 200000:
                    price /= 4
                high = max(first, price) * (1 + walk.random() * 0.01)
                low = min(first, price) * (1 - walk.random() * 0.01)
                at = start + i * 3600000
                o, h, l, c = map(grid, (first, high, low, price))
                bars.append((at, o, h, l, c))
                off = 1 + walk.gauss(0, 0.002)
                mo, mh, ml, mc = (grid(v * off) for v in (first, high, low, price))
                marks.append((at, mo, mh, ml, mc))
                if i % 8 == 0:
                    funding.append((at + walk.choice([0, 0, 7, 12000]),
                                    "%.8f" % walk.gauss(0, 0.001)))
            paths = {}
            for name, lines, heading in (
                    ("bars", bars, "open_time_ms,open,high,low,close,volume"),
                    ("marks", marks, "open_time_ms,open,high,low,close,volume"),
                    ("funding", funding, "funding_time_ms,funding_rate")):
                paths[name] = os.path.join(self.dir, "%s%d.csv" % (name, n))
                with open(paths[name], "w") as f:
                    f.write(heading + "\n")
                    for line in lines:
                        f.write(",".join(map(str, line)) + (",1\n" if len(line) == 5 else "\n"))
            # every other walk backs little with little: it is closed by force again and again
            thin = n % 2 == 0
            margin = "isolated" if thin else walk.choice(["cross", "isolated"])
            leverage = 50 if thin else walk.choice([5, 20, 50, 100])
            with_marks = walk.random() < 0.6
            sources = [{"kind": "klines", "instrument": "BTC-PERP", "interval": "1h",
                        "file": paths["bars"]},
                       {"kind": "funding", "instrument": "BTC-PERP", "file": paths["funding"]}]
            if with_marks:
                sources.append({"kind": "klines", "instrument": "BTC-PERP", "interval": "1h",
                                "price": "mark", "file": paths["marks"]})
            fraction = 12 if thin else min(leverage, 19) * walk.choice([0.5, 0.9])
            insurance = (None, 10**9, 10**9)[n % 3]
            config = tree(sources, cash, margin, leverage, fraction, 3, 9, contract, insurance)
            out = self.run_one("walk%d" % n, config)
            keyed = lambda lines: {at * 10**6: tuple(map(Fraction, v)) for at, *v in lines}
            came = check(self, out, keyed(bars), keyed(marks) if with_marks else {},
                         [(at * 10**6 // HOUR * HOUR, Fraction(r)) for at, r in funding], cash,
                         margin == "isolated", leverage, contract, insurance)
            total = [x + y for x, y in zip(total, came)]
            if n < 2: # other placements: the same bytes
                config["shards"] = {"main": {}, "second": {}}
                config["actors"]["venue"]["shard"] = "second"
                config["actors"]["portfolio"]["shard"] = "second"
                two = self.run_one("two%d" % n, config)
                for name in FILES + ("funding",):
                    left, right = (os.path.join(d, name + ".csv") for d in (out, two))
                    self.assertEqual(os.path.exists(left), os.path.exists(right))
                    if os.path.exists(left):
                        with open(left, "rb") as f, open(right, "rb") as g:
                            self.assertEqual(f.read(), g.read(), name)
                for d in (out, two):
                    done = subprocess.run([BIN, "replay", d, "--verify"], capture_output=True,
                                          text=True, timeout=120, check=False)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print("walks: %d closed by force, %d payments, %d refused, %d parts" % tuple(total))
        self.assertGreater(total[0], 0)
        self.assertGreater(total[1], count)

class Perpetual(Runs):
    """Runs of one perpetual."""

    def test_real(self):
        """Four years of hours with their marks and funding."""
        names = {"bars": "binance_um_BTCUSDT_1h_2019-2023", "marks":
                 "binance_um_BTCUSDT_1h_mark_2019-2023"}
        rates = os.path.join(FUNDING, "binance_um_BTCUSDT_funding_2019-2023.csv")
        if not os.path.exists(rates):
            self.skipTest("../shared/data is not there")
        data = {}
        for k, name in names.items():
            path = os.path.join(KLINES, name + ".csv.zst")
            text = subprocess.run(["zstd", "-dc", path], capture_output=True, text=True, check=True)
            data[k] = list(csv.DictReader(text.stdout.splitlines()))
        funding = [(int(r["funding_time_ms"]) * 10**6 // HOUR * HOUR, Fraction(r["funding_rate"]))
                   for r in rows_of(rates)]
        files = [{"kind": "klines", "instrument": "BTC-PERP", "interval": "1h",
                  "file": os.path.join(KLINES, names["bars"] + ".csv.zst")},
                 {"kind": "klines", "instrument": "BTC-PERP", "interval": "1h", "price": "mark",
                  "file": os.path.join(KLINES, names["marks"] + ".csv.zst")},
                 {"kind": "funding", "instrument": "BTC-PERP", "file": rates}]
        total = [0, 0, 0, 0]
        for n, (margin, leverage, fraction, with_marks, insurance) in enumerate(
                [("isolated", 50, 18, True, None), ("cross", 50, 18, True, 10**9),
                 ("cross", 20, 19, True, None), ("isolated", 100, 10, False, 10**9),
                 ("cross", 75, 20, False, None), ("isolated", 50, 13, True, 10**9)]):
            sources = files if with_marks else [files[0], files[2]]
            out = self.run_one("real%d" % n, tree(sources, 100000, margin, leverage, fraction, 20,
                                                  60, PERP, insurance))
            came = check(self, out, series(data["bars"]),
                         series(data["marks"]) if with_marks else {}, funding, 100000,
                         margin == "isolated", leverage, PERP, insurance)
            print("%s %dx, sized %dx, %s: %d closed by force, %d payments, %d refused, %d parts" % (
                margin, leverage, fraction, "marks" if with_marks else "no marks", *came))
            total = [x + y for x, y in zip(total, came)]
        self.assertGreater(total[0], 20)
        self.assertGreater(total[1], 500)
        self.assertGreater(total[2], 0)
        self.assertGreater(total[3], 10)

    def test_walks(self):
        """Seeded walks that jump, with marks of their own: gaps beyond the liquidation price."""
        self.walks(60 if NIGHT else 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
