"""Goal: an account in hedge mode holds a long and a short of one perpetual side by side: orders go to
the one their side and effect tell, an exit takes no more than its position holds, each is margined,
funded and booked by itself, and both are liquidated as Binance USD-M has it.
Method: two moving-average crosses on one account, one long only, one short only, with high leverage,
on seeded walks that gap, with marks and funding of their own. Their market orders and the fills of
those are taken as they are; everything else is reckoned again here with fractions: positions,
realised profit, funding, which orders margin refuses, when and at what price what is closed by
force, fees, cash, equity; some with an insurance fund, where a pair is reduced step by step, the
larger position first. Two shards give the same bytes, a replay the same records."""
# once: what is compared does not depend on how the tree was compiled
import copy
import json
import os
import random
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_perpetual import (BRACKETS, HOUR, LIQUIDATION_FEE, LOW_FEE, TICK, PERP, cents,
                            liquidation_price, to_tick)  # the published formulas, as fractions

START = 1704067200000


def maintenance(quantity, mark):
    """maintenance is what a position must be backed by at mark."""
    notional = abs(quantity) * mark
    for floor, cap, rate, cum, _ in PERP.tiers:
        if notional <= cap or cap == PERP.tiers[-1][1]:
            return notional * rate - cum
    raise AssertionError


class Leg:
    """One position of an account: the long (way 1) or the short (way -1)."""

    def __init__(self, way):
        self.way, self.quantity, self.cost, self.apart = way, Fraction(0), Fraction(0), Fraction(0)

    def unrealized(self, price):
        """unrealized is what closing at price would bring."""
        return self.quantity * price - self.cost


class Account:
    """An account in hedge mode, as the rules have it."""

    def __init__(self, cash, isolated, leverage, steps=False):
        self.cash, self.isolated, self.leverage = Fraction(cash), isolated, leverage
        self.long, self.short = Leg(1), Leg(-1)
        self.steps, self.clearance = steps, LOW_FEE if steps else LIQUIDATION_FEE

    def legs(self):
        """legs are both positions."""
        return self.long, self.short

    def leg(self, side, effect):
        """leg is the position an order is of."""
        return self.long if (side == "buy") == (effect == "entry") else self.short

    def trade(self, leg, quantity, price, fee, opens):
        """trade opens or closes quantity of leg."""
        side_up = (leg.way > 0) == opens  # a buy
        value = cents(price * quantity, side_up)
        if opens:
            leg.quantity += leg.way * quantity
            leg.cost += leg.way * value
            if self.isolated:
                leg.apart += cents(value / self.leverage, True)
            self.cash -= fee
            return Fraction(0)
        size = abs(leg.quantity)
        assert quantity <= size
        taken, freed = leg.cost, leg.apart
        if quantity < size:
            zero = lambda v: cents(abs(v), False) * (1 if v >= 0 else -1)
            taken, freed = zero(leg.cost * quantity / size), zero(leg.apart * quantity / size)
        realized = leg.way * value - taken
        leg.cost -= taken
        leg.apart -= freed
        leg.quantity -= leg.way * quantity
        self.cash += realized - fee
        return realized

    def fund(self, mark, rate):
        """fund charges funding, the long's first: the amounts."""
        out = []
        for leg in self.legs():
            if not leg.quantity:
                continue
            due = leg.quantity * mark * rate
            paid = cents(due, True) if due > 0 else -cents(-due, False)
            self.cash -= paid
            if self.isolated:
                leg.apart -= paid
            out.append((leg.quantity, paid))
        return out

    def close(self, leg, price, left, size=None):
        """close closes leg, or size of it, by force: (side, quantity, price, fee)."""
        whole = size is None or size == abs(leg.quantity)
        size = abs(leg.quantity) if whole else size
        fee = min(cents(cents(size * price, True) * self.clearance, True), max(left, Fraction(0)))
        cash, apart = self.cash, leg.apart
        self.trade(leg, size, price, fee, False)
        if self.isolated:
            leg.apart = Fraction(0) if whole else apart + self.cash - cash
        return ("sell" if leg.way > 0 else "buy", size, price, fee)

    def must(self, leg, price):
        """must is what leg must be backed by at price, in the rounding of money."""
        notional = cents(abs(leg.quantity) * price, True)
        rate, cum = next((t[2], t[3]) for t in PERP.tiers
                         if notional <= t[1] or t[1] == PERP.tiers[-1][1])
        return cents(notional * rate, True) - cum

    def part(self, leg, price, left, beside):
        """part is how much of leg is closed at price so that margin backs the rest; None: no part."""
        size, lot = abs(leg.quantity), Fraction("0.001")
        notional = cents(size * price, True)
        for cap in [t[1] for t in PERP.tiers if t[1] < notional][::-1]:
            rest = cap / price // lot * lot
            if rest <= 0 or left <= 0:
                return None
            trial = copy.deepcopy(self)
            t = trial.long if leg.way > 0 else trial.short
            trial.close(t, price, left, size - rest)
            all_ = t.apart if self.isolated else trial.cash + beside[0]
            if all_ + cents(t.unrealized(price), False) > trial.must(t, price) + beside[1]:
                return size - rest
        return None

    def step(self, leg, mark, gap, beside=None):
        """step closes leg or a part of it where the mark meets its liquidation price; beside: unrealized
        and maintenance of what one wallet backs besides, where it is known to be met."""
        if not leg.quantity:
            return None
        up, (more, less) = leg.way < 0, beside or (0, 0)
        all_ = leg.apart if self.isolated else self.cash + more
        if beside is None:
            limit = liquidation_price(PERP, leg.quantity, leg.cost, all_)
            if limit is None:
                if leg.way > 0:
                    return None
                limit = Fraction(1, 10**8)
            if mark > limit if leg.way > 0 else mark < limit:
                return None
        met = max(to_tick(mark if gap else limit, up), TICK)
        nothing = to_tick((leg.cost - all_) / leg.quantity, not up)
        price = max(met, nothing) if leg.way > 0 else min(met, nothing)
        left = all_ + cents(leg.unrealized(price), False)
        size = self.part(leg, price, left, (more, less)) if self.steps and price == met else None
        return self.close(leg, price, left, size)

    def force_one(self, leg, mark, gap):
        """force_one tests one position, as often as it is met."""
        return list(iter(lambda: self.step(leg, mark, gap), None))

    def met(self, price):
        """met tells whether a pair is liquidated at price, in the rounding of money."""
        return self.cash + sum(cents(leg.unrealized(price), False) for leg in self.legs()) <= sum(
            self.must(leg, price) for leg in self.legs())

    def first(self, start, end):
        """first is the first price, to 1e-8, on the way from start to end at which a pair is met; it is
        where the published formula says, but for what rounding makes of it."""
        low, high = int(start * 10**8), int(end * 10**8)
        if self.met(start):
            return start
        while abs(high - low) > 1:
            mid = low + int((high - low) / 2)
            low, high = (low, mid) if self.met(Fraction(mid, 10**8)) else (mid, high)
        said = self.pair_price(start, end)
        assert said is None or abs(said - Fraction(high, 10**8)) < Fraction(1, 1000), said
        return Fraction(high, 10**8)

    def force_pair(self, start, end):
        """force_pair reduces a pair of one wallet: the larger position first, the other beside it."""
        out = []
        while self.long.quantity and self.short.quantity:
            if not self.met(end):
                return out
            at = end if start is None else self.first(start, end)
            larger, other = self.legs() if self.long.quantity >= -self.short.quantity else \
                self.legs()[::-1]
            out.append(self.step(larger, at, True,
                                 (cents(other.unrealized(at), False), self.must(other, at))))
            start = None if start is None else at
            if not larger.quantity:
                out += self.force_one(other, at, True)
        return out

    def pair_price(self, start, end):
        """pair_price is where, on the way from start to end, the wallet and both unrealized meet
        both maintenances: by the published formula of all sides of one symbol, bracket by
        bracket."""
        best = None
        for _, _, rl, cl, _ in PERP.tiers:
            for _, _, rs, cs, _ in PERP.tiers:
                ql, qs = self.long.quantity, -self.short.quantity
                down = ql * rl + qs * rs - ql + qs
                if down == 0:
                    continue
                top = self.cash + cl + cs - self.long.cost - self.short.cost
                p = top / down
                if p <= 0 or not min(start, end) <= p <= max(start, end):
                    continue
                must = sum(maintenance(leg.quantity, p) for leg in self.legs())
                if abs(self.backed(p) - must) > Fraction(1, 10**12):
                    continue  # not the brackets they fall in there
                if best is None or abs(p - start) < abs(best - start):
                    best = p
        return best

    def backed(self, price):
        """backed is what backs both at price."""
        return self.cash + sum(leg.unrealized(price) for leg in self.legs())

    def meets(self, price):
        """meets tells whether both are liquidated at price."""
        return self.backed(price) <= sum(maintenance(leg.quantity, price) for leg in self.legs())

    def force_both(self, start, end):
        """force_both tests both positions of a cross account; start None: the mark opened at end."""
        if not self.meets(end):
            return []
        limit = end
        if start is not None:
            limit = start if self.meets(start) else self.pair_price(start, end)
        low, high = max(to_tick(limit, False), TICK), to_tick(limit, True)
        left = self.cash + cents(self.long.unrealized(low), False) + cents(
            self.short.unrealized(high), False)
        if left < 0:
            if self.long.quantity >= -self.short.quantity:
                low = to_tick(low + cents(-left / self.long.quantity, True), True)
            else:
                high = max(to_tick(high - cents(-left / -self.short.quantity, True), False), TICK)
            left = self.cash + cents(self.long.unrealized(low), False) + cents(
                self.short.unrealized(high), False)
        first = self.close(self.long, low, left)
        return [first, self.close(self.short, high, left - first[3])]

    def force(self, start, end):
        """force tests all on the way from start (None: it opened there) to end."""
        pair = not self.isolated and self.long.quantity and self.short.quantity
        if pair and not self.steps:
            return self.force_both(start, end)
        out = self.force_pair(start, end) if pair else []
        if pair and (self.long.quantity and self.short.quantity or not out):
            return out
        for leg in self.legs():
            out += self.force_one(leg, end, start is None)
        return out

    def refuses(self, order, mark, last, waiting):
        """refuses tells why margin refuses an entry; waiting: notional of open entries by side. A
        purchase counts at the last price and 0.05 % more, a sale at the mark or 0.15 % more."""
        price = cents(last * Fraction("1.0005"), True)
        loss = cents(Fraction(order["quantity"]) * max(price - mark, 0), True)
        if order["side"] == "sell":
            price, loss = max(cents(last * Fraction("1.0015"), True), mark), 0
        whole = {"buy": cents(self.long.quantity * mark, True),
                 "sell": cents(-self.short.quantity * mark, True)}
        more = dict(waiting)
        more[order["side"]] += cents(Fraction(order["quantity"]) * price, True)
        most = max([t[1] for t in PERP.tiers if t[4] >= self.leverage] or [0])
        if whole[order["side"]] + more[order["side"]] > most:
            return "leverage_limit"
        margin = lambda v: cents(v / self.leverage, True)
        if self.isolated:
            spare = self.cash - self.long.apart - self.short.apart - sum(map(margin, more.values()))
        else:
            spare = self.cash + sum(cents(leg.unrealized(mark), False) for leg in self.legs())
            spare -= sum(margin(whole[s] + more[s]) for s in whole)
        return "insufficient_margin" if spare < loss else ""


def path_of(account, path, bar):
    """path_of goes the way of a bar that leaves less: what was closed by force on it. Nothing of
    ours but market orders is there, which fill at opens."""
    ways = []
    for first, second in ((path[2], path[1]), (path[1], path[2])):
        way = copy.deepcopy(account)
        hits = way.force(None, path[0])
        hits += way.force(path[0], first)
        hits += way.force(first, second)
        worth = way.cash + sum(leg.unrealized(bar[3]) for leg in way.legs())
        ways.append((worth, way, hits))
    low, high = ways
    net = account.long.quantity + account.short.quantity
    low_first = low[0] < high[0] if low[0] != high[0] else net >= 0
    return (low if low_first else high)[1:]


def check(test, out, bars, marks, funding, cash, isolated, leverage, steps):
    """check reckons the run in out again and compares: counts of what happened."""
    orders, fills = (rows_of(os.path.join(out, n + ".csv")) for n in ("orders", "fills"))
    forced = [f for f in fills if f["client_order_id"].endswith("0000000000")]
    by_order = {o["client_order_id"]: o for o in orders}
    path = os.path.join(out, "funding.csv")
    paid = rows_of(path) if os.path.exists(path) else []
    a = Account(cash, isolated, leverage, steps)
    leg_of = lambda o: "long" if (o["side"] == "buy") == (o["effect"] == "entry") else "short"
    for o in orders:
        test.assertEqual(o["position_side"], leg_of(o), o)
    decided, filled = {}, {}
    for o in orders:
        decided.setdefault(int(o["created_ns"]), []).append(o)
    for f in fills:
        if f not in forced:
            filled.setdefault(int(f["time_ns"]), []).append(f)
    due, mark, last, held = dict(funding), None, None, {}
    n = dict(forced=0, pairs=0, parts=0, paid=0, refused=0, both=0)
    for t in sorted({t for x in bars for t in (x, x + HOUR)} | set(due)):
        bar, m = bars.get(t - HOUR), marks.get(t - HOUR)
        if m:
            mark = m[3]
        if bar:
            held_both = a.long.quantity and a.short.quantity
            a, hits = path_of(a, m or bar, bar)
            n["pairs"] += len(hits) == 2 and not steps
            if held_both and steps and not isolated and (a.long.quantity or a.short.quantity):
                n["parts"] += len(hits)
            for side, size, price, fee in sorted(hits, key=lambda h: h[0], reverse=True):
                got = forced[n["forced"]]  # the long's (a sale) first
                n["forced"] += 1
                test.assertEqual((int(got["time_ns"]), got["side"], Fraction(got["quantity"]),
                                  Fraction(got["price"]), Fraction(got["fee"]),
                                  got["position_side"]),
                                 (t, side, size, price, fee, "long" if side == "sell" else "short"))
            last = bar[3]
        if t in due:
            for quantity, amount in a.fund(mark if mark is not None else last, due[t]):
                got = paid[n["paid"]]
                n["paid"] += 1
                test.assertEqual((int(got["time_ns"]), Fraction(got["quantity"]),
                                  Fraction(got["amount"])), (t, quantity, amount))
        now = mark if mark is not None else last
        waiting = {"buy": Fraction(0), "sell": Fraction(0)}
        for o in decided.get(t, []):
            if o["effect"] == "exit" or o["reason"] in ("min_notional", "end_of_data"):
                continue
            why = a.refuses(o, now, last, waiting)
            test.assertEqual(o["reason"], why, o)
            if why:
                n["refused"] += 1
            else:
                waiting[o["side"]] += cents(Fraction(o["quantity"]) * now, True)
        for f in filled.get(t, []):
            o = by_order[f["client_order_id"]]
            leg = getattr(a, leg_of(o))
            test.assertEqual(f["position_side"], leg_of(o))
            realized = a.trade(leg, Fraction(f["quantity"]), Fraction(f["price"]),
                               Fraction(f["fee"]), o["effect"] == "entry")
            test.assertEqual(Fraction(f["realized_pnl"]), realized, f)
            n["both"] += bool(a.long.quantity and a.short.quantity)
        held[t] = (a.long.quantity - a.short.quantity, abs(a.long.quantity + a.short.quantity),
                   last or Fraction(0))
    test.assertEqual(n["forced"], len(forced))
    test.assertEqual(n["paid"], len(paid))
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    said = summary["accounts"][0]
    test.assertEqual(Fraction(said["cash"]), a.cash)
    # both positions count in leverage; net, what they come to together
    equity = [r for r in rows_of(os.path.join(out, "equity.csv")) if Fraction(r["equity"]) > 0]
    told = summary["statistics"]["curves"][0]["figures"]
    for which, name in enumerate(("gross_leverage_max", "net_leverage_max")):
        at = lambda r: (held[int(r["time_ns"])][which], held[int(r["time_ns"])][2])
        most = max((float(size * price / Fraction(r["equity"])) for r in equity
                    for size, price in (at(r),)), default=0)
        if which and told[name] is None:  # never both when an instant was over
            test.assertFalse(any(held[int(r["time_ns"])][0] != held[int(r["time_ns"])][1]
                                 for r in equity))
        elif not a.steps:  # parts closed one after the other are marks of one instant
            test.assertLessEqual(abs(told[name] - most), 1e-9 * most, name)
    worth = sum(leg.unrealized(last) for leg in a.legs())
    test.assertEqual(Fraction(said["equity"]), a.cash + worth)
    return n


def tree(sources, margin, leverage, fraction, steps):
    """tree is the run file: one strategy goes long only, the other short only, on one account."""
    perp = dict(INSTRUMENTS["BTC-PERP"], min_notional=5)
    perp["liquidation_fee"] = str(float(LOW_FEE if steps else LIQUIDATION_FEE))
    perp["brackets"] = [{"cap": c, "leverage": l, "maintenance": r} for c, l, r in BRACKETS]
    strategy = lambda fast, slow, fraction, **more: {
        "kind": "strategy", "class": "sma_cross", "instruments": ["BTC-PERP"], "interval": "1h",
        "account": "main", "params": dict(fast=fast, slow=slow, **more),
        "sizing": {"fraction": fraction}}
    return {
        "name": "hedge", "clock": "virtual", "instruments": {"BTC-PERP": perp},
        "accounts": {"main": {"quote": "USDT", "cash": 50000, "margin": margin,
                              "leverage": leverage, "position_mode": "hedge"}},
        "sources": sources,
        "actors": {"bull": strategy(3, 9, fraction[0]),
                   "bear": strategy(5, 14, fraction[1], short=True, long=False),
                   "risk": {"kind": "risk", "limits": WIDE},
                   "execution": {"kind": "execution"}, "portfolio": {"kind": "portfolio"},
                   "venue": {"kind": "venue", **({"insurance": {"USDT": 10**9}} if steps else {})}}}


def walk_of(walk, folder, name):
    """walk_of writes a seeded walk that jumps, with its marks and funding; returns the sources and
    the same as fractions."""
    price, bars, marks, funding = 20000.0, [], [], []
    grid = lambda v: "%.1f" % max(v, 1)
    for i in range(1200):
        jump = walk.gauss(0, 0.15) if walk.random() < 0.01 else walk.gauss(0, 0.012)
        first = price * (1 + (jump if walk.random() < 0.3 else 0))
        price = max(first * (1 + jump / 2), 50)
        if price > 200000:
            price /= 4
        high = max(first, price) * (1 + walk.random() * 0.01)
        low = min(first, price) * (1 - walk.random() * 0.01)
        at, off = START + i * 3600000, 1 + walk.gauss(0, 0.002)
        bars.append((at, *map(grid, (first, high, low, price))))
        marks.append((at, *(grid(v * off) for v in (first, high, low, price))))
        if i % 8 == 0:
            funding.append((at, "%.8f" % walk.gauss(0, 0.001)))
    with_marks = walk.random() < 0.7
    sources = []
    heading = "open_time_ms,open,high,low,close,volume"
    for what, lines, head, more in (
            ("bars", bars, heading, {"kind": "klines", "interval": "1h"}),
            ("marks", marks, heading, {"kind": "klines", "interval": "1h", "price": "mark"}),
            ("funding", funding, "funding_time_ms,funding_rate", {"kind": "funding"})):
        path = os.path.join(folder, what + name + ".csv")
        with open(path, "w") as f:
            f.write(head + "\n")
            for line in lines:
                f.write(",".join(map(str, line)) + (",1\n" if len(line) == 5 else "\n"))
        if what != "marks" or with_marks:
            sources.append(dict(more, instrument="BTC-PERP", file=path))
    keyed = lambda lines: {at * 10**6: tuple(map(Fraction, v)) for at, *v in lines}
    return sources, keyed(bars), keyed(marks) if with_marks else {}, [
        (at * 10**6, Fraction(r)) for at, r in funding]


class Hedge(unittest.TestCase):
    """Runs of an account in hedge mode."""

    def test_walks(self):
        """Both positions at once, thin and thick margins, gaps."""
        seed = int(os.environ.get("SHRIKE_SEED") or random.randrange(2**32))
        print("seed %d (SHRIKE_SEED=%d makes this run again)" % (seed, seed))
        total = {}
        with Scratch() as folder:
            for k in range(60 if NIGHT else 10):
                # number 3 is always the same: a pair of it is closed in parts
                walk = random.Random(seed * 1000 + k if k != 3 else 4114)
                sources, bars, marks, funding = walk_of(walk, folder, str(k))
                margin = ("cross", "cross", "isolated")[k % 3]
                leverage = walk.choice([50, 75] if k % 3 < 2 else [25, 50])
                fraction = walk.choice([(20, 18), (14, 20), (20, 20)] if k % 2 else
                                       [(3, 2), (8, 3), (4, 12), (9, 9), (15, 4), (3, 11)])
                if k == 3:
                    fraction = (12, 18)
                steps = k % 4 >= 2
                run = tree(sources, margin, leverage, fraction, steps)
                out = backtest(run, os.path.join(folder, "run%d" % k))
                came = check(self, out, bars, marks, funding, 50000, margin == "isolated", leverage,
                             steps)
                for key, count in came.items():
                    total[key] = total.get(key, 0) + count
                if k > 1:
                    continue
                run["shards"] = {"main": {}, "second": {}}
                run["actors"]["venue"]["shard"] = run["actors"]["bear"]["shard"] = "second"
                two = backtest(run, os.path.join(folder, "two%d" % k))
                for name in FILES + (("funding",) if came["paid"] else ()):
                    with open(os.path.join(out, name + ".csv"), "rb") as f, \
                            open(os.path.join(two, name + ".csv"), "rb") as g:
                        self.assertEqual(f.read(), g.read(), name)
                for done in (out, two):
                    shrike("replay", done, "--verify")
        print(total)
        self.assertGreater(total["both"], 100)
        self.assertGreater(total["forced"], 10)
        self.assertGreater(total["parts"], 0)
        self.assertGreater(total["paid"], 300)


if __name__ == "__main__":
    unittest.main(verbosity=2)
