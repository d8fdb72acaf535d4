"""Goal: where the insurance fund is declared and cannot pay, accounts on the other side are closed by
rank at the bankruptcy price, to the unit; positions, cash, the fund and what rounding left add up.
Method: five accounts (cross, isolated, without margin) with moving-average crosses on one perpetual of
a seeded walk that jumps, a fund too small for some of the jumps. Their orders and the fills of those
are taken as they are; everything that is closed by force, in which order and at what price, is
reckoned again here with fractions (test_perpetual.Account). Two shards give the same bytes, a replay
the same records."""
# once: what is compared does not depend on how the tree was compiled
import json
import os
import random
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_perpetual import Account, BRACKETS, HOUR, LOW_FEE, PERP, cents  # noqa: E402

ONE, START = 10**8, 1704067200000
#       name: margin, leverage, cash, fraction, fast, slow
WHO = {"a": ("cross", 50, 20000, 18, 3, 9), "b": ("isolated", 50, 60000, 14, 5, 12),
       "c": ("none", 1, 900000, 1, 2, 7), "d": ("cross", 20, 80000, 9, 8, 21),
       "e": ("isolated", 75, 50000, 9, 4, 30)}


TWO = "acd"  # accounts with two strategies


class Trader(Account):
    """An account of the run."""

    def __init__(self, name):
        self.name, (self.margin, leverage, cash, *_) = name, WHO[name]
        super().__init__(PERP, cash, self.margin == "isolated", leverage)
        self.steps, self.clearance, self.last = True, LOW_FEE, 0

    def rank(self, mark):
        """rank is how soon it is deleveraged, in the venue's rounding."""
        floor = lambda v: min(max(cents(v, False), Fraction(-2**63, ONE)), Fraction(2**63 - 1, ONE))
        open_ = cents(self.quantity * mark - self.cost, False)
        backs = (self.apart if self.isolated else self.cash) + open_
        notional = cents(abs(self.quantity) * mark, True)
        leverage = floor(notional / backs) if backs > 0 else Fraction(2**63 - 1, ONE)
        leverage = max(leverage, Fraction(1, ONE))
        gain = floor(open_ / (abs(self.cost) or Fraction(1, ONE)))
        if gain >= 0:
            return gain * leverage
        exact = gain / leverage * ONE * ONE  # toward zero to 1e-16
        return Fraction(-(abs(exact).numerator // abs(exact).denominator), ONE * ONE)


class Venue:
    """The fund and what is closed by force, as the rules have it."""

    def __init__(self, insurance):
        self.fund, self.rounding = Fraction(insurance), Fraction(0)
        self.traders = {n: Trader(n) for n in sorted(WHO)}
        self.adl = self.outside = self.paid = 0

    def bar(self, path, close):
        """bar goes over the accounts in a bar: (account, side, quantity, price, fee, adl) in the order
        they are told."""
        told, lacks = [], []
        for name, t in self.traders.items():
            if t.margin == "none" or not t.quantity:
                continue
            extreme = path[2] if t.quantity > 0 else path[1]
            for side, size, price, fee, pays in t.forces(path[0], True) + t.forces(extreme, False):
                told.append((name, side, size, price, fee, False))
                self.left_over(side, size, price)
                if pays and self.fund + fee < pays:
                    lacks.append((name, side, size, price))
                    pays = 0
                self.paid += pays > 0
                self.fund += fee - pays
        for name, side, rest, price in lacks:
            other = "buy" if side == "sell" else "sell"
            while rest:
                against = [t for t in self.traders.values() if t.name != name and
                           (t.quantity > 0) == (other == "sell") and t.quantity]
                if not against:
                    self.outside += 1
                    break
                t = max(against, key=lambda t: (t.rank(close), -ord(t.name)))
                size = min(rest, abs(t.quantity))
                t.trade(other, size, price, Fraction(0))
                rest -= size
                told.append((t.name, other, size, price, Fraction(0), True))
                self.left_over(other, size, price)
                self.adl += 1
        return told

    def left_over(self, side, size, price):
        """left_over counts what rounding leaves of a trade."""
        self.rounding += abs(cents(size * price, side == "buy") - size * price)


def shares(parts, net, size, fee):
    """shares are what a close of size of an account's position net takes of its strategies, as
    (strategy, side, quantity, fee) by name: all of each where all of it is closed; of a part, of those
    on its side in proportion, in whole lots, what that leaves in order of names."""
    whole, lot = size == abs(net), Fraction("0.001")
    held = [(s, q) for s, q in sorted(parts.items()) if q and (whole or (q > 0) == (net > 0))]
    sizes = sum(abs(q) for _, q in held)
    closed = [abs(q) if whole else abs(q) * size / sizes // lot * lot for _, q in held]
    left = Fraction(0) if whole else size - sum(closed)
    out, done, rest = [], Fraction(0), fee
    for (name, q), part in zip(held, closed):
        more = min(left, abs(q) - part)
        left, part = left - more, part + more
        if not part:
            continue
        done += part
        every = sizes if whole else size
        its = rest if done == every else cents(fee * part / every, False)
        rest -= its
        out.append((name, "sell" if q > 0 else "buy", part, its))
    return out


def check(test, out, bars, marks, insurance):
    """check reckons the run in out again."""
    parts = {n: {} for n in WHO}
    shared = dict(forced=0, adl=0)
    settled = {}
    orders = {o["client_order_id"]: o for o in rows_of(os.path.join(out, "orders.csv"))}
    fills = rows_of(os.path.join(out, "fills.csv"))
    forced = [f for f in fills if f["client_order_id"] not in orders]
    v, at, filled, taken = Venue(insurance), 0, {}, Fraction(0)
    for f in fills:
        if f["client_order_id"] in orders:
            filled.setdefault(int(f["time_ns"]), []).append(f)
    for t in sorted({t for x in bars for t in (x, x + HOUR)}):
        bar, m = bars.get(t - HOUR), marks.get(t - HOUR)
        if bar:
            told = v.bar(m or bar, (m or bar)[3])
            # of one instant fills stand by account as the portfolio tells them: as they were told
            for name, side, size, price, fee, adl in told:
                mine = parts[name]
                took = shares(mine, sum(mine.values()), size, fee)
                shared["adl" if adl else "forced"] += len(took) > 1
                settled[name, adl] = settled.get((name, adl), 0) + 1
                for strategy, its, part, paid in took:
                    got = forced[at]
                    at += 1
                    test.assertEqual((int(got["time_ns"]), got["account"], got["strategy"],
                                      got["side"], Fraction(got["quantity"]),
                                      Fraction(got["price"]), Fraction(got["fee"]),
                                      got["client_order_id"][-10:]),
                                     (t, name, strategy, its, part, price, paid,
                                      "000000000%d" % adl))
                    mine[strategy] += part if its == "buy" else -part
            for name, mine in parts.items():
                test.assertEqual(sum(mine.values()), v.traders[name].quantity, (t, name))
        for f in filled.get(t, []):
            mine = parts[f["account"]]
            mine[f["strategy"]] = mine.get(f["strategy"], 0) + Fraction(f["quantity"]) * (
                1 if f["side"] == "buy" else -1)
            size, price = Fraction(f["quantity"]), Fraction(f["price"])
            v.traders[f["account"]].trade(f["side"], size, price, Fraction(f["fee"]))
            v.left_over(f["side"], size, price)
            due = cents(price * size, f["side"] == "buy") * Fraction("0.0005")
            taken += due
            v.rounding += Fraction(f["fee"]) - due
    test.assertEqual(at, len(forced))
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    closed = list(bars.values())[-1][3]
    for said in summary["accounts"]:
        t = v.traders[said["account"]]
        test.assertEqual(Fraction(said["cash"]), t.cash, t.name)
        test.assertEqual(Fraction(said["equity"]), t.cash + cents(t.quantity * closed, False) - t.cost)
        test.assertEqual(said["deleveraged"], settled.get((t.name, True), 0))
        test.assertEqual(said["liquidations"], settled.get((t.name, False), 0))
    books = {b["asset"]: b for b in summary["venue"]}["USDT"]
    test.assertEqual(Fraction(books["insurance_fund"]), v.fund)
    test.assertGreaterEqual(v.fund, 0)
    test.assertEqual(Fraction(books["insurance_fund_start"]), insurance)
    test.assertEqual(Fraction(books["rounding"]), v.rounding)
    test.assertEqual(Fraction(books["fees"]), cents(taken, False))
    return dict(forced=sum(n for (_, adl), n in settled.items() if not adl), adl=v.adl,
                outside=v.outside, paid=v.paid, shared=shared["forced"], adl_shared=shared["adl"])


def tree(sources, insurance):
    """tree is the run file."""
    perp = dict(INSTRUMENTS["BTC-PERP"], min_notional=5, liquidation_fee="0.001")
    perp["brackets"] = [{"cap": c, "leverage": l, "maintenance": r} for c, l, r in BRACKETS]
    accounts, actors = {}, {}
    for name, (margin, leverage, cash, fraction, fast, slow) in WHO.items():
        accounts[name] = {"quote": "USDT", "cash": cash, "margin": margin}
        if margin != "none":
            accounts[name]["leverage"] = leverage
        two = name in TWO
        actors["s" + name] = cross("BTC-PERP", name, "1h",
                                   {"fraction": "%.1f" % (fraction * (0.6 if two else 1))}, fast=fast,
                                   slow=slow, short=True)
        if two:
            actors["t" + name] = cross("BTC-PERP", name, "1h", {"fraction": "%.1f" % (fraction * 0.4)},
                                       fast=fast + 2, slow=slow + 6, short=True)
    return {"name": "liquidation", "clock": "virtual", "instruments": {"BTC-PERP": perp},
            "accounts": accounts, "sources": sources,
            "actors": {**actors, "risk": {"kind": "risk", "limits": WIDE},
                       "execution": {"kind": "execution"}, "portfolio": {"kind": "portfolio"},
                       "venue": {"kind": "venue", "insurance": {"USDT": insurance}}}}


def walk_of(walk, folder, name):
    """walk_of writes a seeded walk that jumps, with its marks; returns the sources and both as
    fractions."""
    price, bars, marks = 20000.0, [], []
    grid = lambda v: "%.1f" % max(v, 1)
    for i in range(900):
        jump = walk.gauss(0, 0.12) if walk.random() < 0.02 else walk.gauss(0, 0.008)
        first = price * (1 + (jump if walk.random() < 0.5 else 0))
        price = min(max(first * (1 + jump / 2), 2000), 100000)
        high, low = max(first, price) * (1 + walk.random() * 0.005), min(first, price) * (
            1 - walk.random() * 0.005)
        at, off = START + i * 3600000, 1 + walk.gauss(0, 0.001)
        bars.append((at, *map(grid, (first, high, low, price))))
        marks.append((at, *(grid(v * off) for v in (first, high, low, price))))
    with_marks, sources = walk.random() < 0.5, []
    for what, lines, more in (("bars", bars, {}), ("marks", marks, {"price": "mark"})):
        path = os.path.join(folder, what + name + ".csv")
        with open(path, "w") as f:
            f.write("open_time_ms,open,high,low,close,volume\n")
            for line in lines:
                f.write(",".join(map(str, line)) + ",1\n")
        if what == "bars" or with_marks:
            sources.append(dict(more, kind="klines", instrument="BTC-PERP", interval="1h", file=path))
    keyed = lambda lines: {at * 10**6: tuple(map(Fraction, v)) for at, *v in lines}
    return sources, keyed(bars), keyed(marks) if with_marks else {}


class Liquidation(unittest.TestCase):
    """Runs of several accounts with an insurance fund."""

    def test_walks(self):
        """Jumps that the fund can pay for and jumps that it cannot."""
        seed = int(os.environ.get("SHRIKE_SEED") or random.randrange(2**32))
        print("seed %d (SHRIKE_SEED=%d makes this run again)" % (seed, seed))
        total = {}
        with Scratch() as folder:
            for k in range(40 if NIGHT else 6):
                walk = random.Random(seed * 1000 + k if k else 2006)  # the first has many
                sources, bars, marks = walk_of(walk, folder, str(k))
                insurance = (0, 500, 0, 5000, 50, 50000)[k % 6]
                run = tree(sources, insurance)
                out = backtest(run, os.path.join(folder, "run%d" % k))
                for key, count in check(self, out, bars, marks, insurance).items():
                    total[key] = total.get(key, 0) + count
                if k > 0:
                    continue
                run["shards"] = {"main": {}, "second": {}}
                run["actors"]["venue"]["shard"] = run["actors"]["sb"]["shard"] = "second"
                two = backtest(run, os.path.join(folder, "two%d" % k))
                for name in FILES:
                    with open(os.path.join(out, name + ".csv"), "rb") as f, \
                            open(os.path.join(two, name + ".csv"), "rb") as g:
                        self.assertEqual(f.read(), g.read(), name)
                for done in (out, two):
                    shrike("replay", done, "--verify")
        print(total)
        self.assertGreater(total["forced"], 10)
        self.assertGreater(total["adl"], 0)
        self.assertGreater(total["shared"], 0)
        self.assertGreater(total["adl_shared"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
