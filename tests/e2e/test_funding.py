"""Goal: funding falls at its instant on the position held then, before the bar that opens there, at the
mark's last close, else at the last price; who pays pays rounded up, who receives receives rounded
down, to the unit: linear, coin-margined and with a multiplier, in one-way and hedge mode, of several
strategies on one account, whose net position alone counts.
Method: seeded walks with bars missing, marks that begin late, funding on bars' opens and inside them;
market orders of moving-average crosses, whose fills are taken as they are: they fill at opens, so one
of the very instant comes after its funding. Payments, positions, cash and the venue's books are
reckoned again with fractions (contracts.Books). Two shards give the same bytes, a replay the same."""
# once: what is compared does not depend on how the tree was compiled
import json
import os
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contracts import Books, cents  # noqa: E402
from runs import *  # noqa: E402,F403

NAME, HOUR, START = "BTC-PERP", 3600 * 10**9, 1704067200 * 10**9
KINDS = {"linear": {"lot_size": "0.001"},
         "sized": {"multiplier": "0.01", "lot_size": 1, "min_notional": 0},
         "inverse": {"kind": "inverse", "contract_value": 100, "quote": "USD", "lot_size": 1,
                     "min_notional": 0}}


def floor16(value):
    """floor16 rounds down to the books' 1e-16."""
    scaled = value * 10**16
    return Fraction(scaled.numerator // scaled.denominator, 10**16)


class Funding(unittest.TestCase):
    """Runs with funding."""

    def sources(self, folder, rng, kind):
        """sources writes bars, marks (that begin late, some missing) and funding; returns the sources
        and what they say by instant."""
        walk = lambda what, gap: walk_file(os.path.join(folder, what), rng, 500, "1h", START, 400000,
                                           2500, 0.1, 1, gap=gap)
        bars = walk("bars.csv", 0.05)
        marks = walk("marks.csv", 0.1)
        close = lambda path: {int(r["open_time_ms"]) * 10**6 + HOUR: Fraction(r["close"])
                              for r in rows_of(path)}
        late = START + 150 * HOUR
        with open(marks) as f:
            head, *lines = f.readlines()
        with open(marks, "w") as f:
            f.writelines([head] + [x for x in lines if int(x.split(",")[0]) * 10**6 >= late])
        rates = []
        for i in range(3, 500):
            if rng.random() < 0.3:
                off = rng.choice([0, 0, 0, HOUR // 2, 1])
                rates.append((START + i * HOUR + off - off % 10**6,
                              "%.8f" % rng.choice([rng.gauss(0, 0.001), 1e-8, -1e-8, 0.00012345])))
        rates = sorted(dict(rates).items())
        path = os.path.join(folder, "funding.csv")
        with open(path, "w") as f:
            f.write("funding_time_ms,funding_rate\n")
            f.writelines("%d,%s\n" % (t // 10**6, r) for t, r in rates)
        out = [klines(NAME, "1h", bars), klines(NAME, "1h", marks, price="mark"),
               {"kind": "funding", "instrument": NAME, "file": path}]
        return out, close(bars), close(marks), [(t, Fraction(r)) for t, r in rates]

    def check(self, run, out, bars, marks, rates):
        """check reckons what out says again; returns how many were paid, in hedge mode of both sides,
        with strategies against each other, and before there was a mark."""
        books, inverse = Books(run), run["instruments"][NAME]["kind"] == "inverse"
        orders = {o["client_order_id"]: o for o in rows_of(os.path.join(out, "orders.csv"))}
        fills = sorted(rows_of(os.path.join(out, "fills.csv")), key=lambda f: int(f["trade_id"]))
        paid = iter(rows_of(os.path.join(out, "funding.csv")))
        held = {}  # (account, short): quantity, cost
        mine, n, at, total, sums = {}, [0, 0, 0, 0], 0, Fraction(0), {}
        for t, rate in rates:
            while at < len(fills) and int(fills[at]["time_ns"]) < t:
                self.book(books, held, mine, orders, fills[at])
                at += 1
            mark = [v for k, v in sorted(marks.items()) if k <= t][-1:]
            price = (mark or [v for k, v in sorted(bars.items()) if k <= t][-1:] or [None])[0]
            for account in sorted(run["accounts"]):
                legs = [s for s in (False, True) if held.get((account, s), (0,))[0]]
                for short in legs:
                    quantity = held[account, short][0]
                    unit = Fraction(str(run["instruments"][NAME].get(
                        "contract_value", run["instruments"][NAME].get("multiplier", 1))))
                    due = quantity * unit * rate * (1 / price if inverse else price)
                    amount = cents(due, True) if due > 0 else -cents(-due, False)
                    got = next(paid)
                    self.assertEqual(
                        (int(got["time_ns"]), got["account"], Fraction(got["quantity"]),
                         Fraction(got["mark_price"]), Fraction(got["funding_rate"]),
                         Fraction(got["amount"])), (t, account, quantity, price, rate, amount))
                    books.cash[account] -= amount
                    total += floor16(due)
                    sums[account] = sums.get(account, 0) + amount
                    n[0] += 1
                    n[3] += not mark
                n[1] += len(legs) == 2
                sides = {q > 0 for (a, _), q in mine.items() if a == account and q}
                n[2] += account == "both" and len(sides) == 2
        self.assertIsNone(next(paid, None))
        for f in fills[at:]:
            self.book(books, held, mine, orders, f)
        with open(os.path.join(out, "summary.json")) as f:
            summary = json.load(f)
        for said in summary["accounts"]:
            self.assertEqual(Fraction(said["funding"]), sums.get(said["account"], 0))
            self.assertEqual(Fraction(said["cash"]), books.cash[said["account"]], said["account"])
        venue = {b["asset"]: b for b in summary["venue"]}["BTC" if inverse else "USDT"]
        self.assertEqual(Fraction(venue["funding"]), cents(total, False))
        return n

    def book(self, books, held, mine, orders, f):
        """book books a fill of an account's position, and of its strategy's."""
        o, buy = orders[f["client_order_id"]], f["side"] == "buy"
        hedge = f["account"] == "hedge"
        key = (f["account"], hedge and buy == (o["effect"] == "exit"))
        self.assertEqual(f["position_side"], ("short" if key[1] else "long") if hedge else "both")
        quantity, price = Fraction(f["quantity"]), Fraction(f["price"])
        value = books.value(NAME, price, quantity, buy)
        moved = quantity if buy else -quantity
        was, cost = held.get(key, (Fraction(0), Fraction(0)))
        now, cost, realized = books.margined(NAME, was, cost, moved, value, price)
        held[key] = now, cost
        mine[f["account"], f["strategy"]] = mine.get((f["account"], f["strategy"]), 0) + moved
        books.cash[f["account"]] += realized - Fraction(f["fee"])

    def test_walks(self):
        """Three kinds of contracts, three accounts each."""
        rng, _ = seeded()
        count = [0] * 4
        for kind, more in KINDS.items():
            with Scratch() as folder:
                sources, *said = self.sources(folder, rng, kind)
                asset, cash = ("BTC", 3) if kind == "inverse" else ("USDT", 100000)
                account = lambda **m: dict(quote=asset, cash=cash, **m)
                how = lambda v: {"fraction": v}
                run = run_of("funding", sources, {
                    "bull": cross(NAME, "hedge", "1h", how("0.9"), fast=2, slow=5),
                    "bear": cross(NAME, "hedge", "1h", how("0.7"), fast=3, slow=7, short=True,
                                  long=False),
                    "one": cross(NAME, "both", "1h", how("0.8"), fast=2, slow=6, short=True),
                    "other": cross(NAME, "both", "1h", how("0.5"), fast=4, slow=9, short=True),
                    "alone": cross(NAME, "alone", "1h", how("1.5"), fast=3, slow=8, short=True)},
                    {"hedge": account(position_mode="hedge"),
                     "both": account(), "alone": account()},
                    journal="on", **{NAME: dict(more)})
                out = backtest(run, os.path.join(folder, "run"))
                for i, c in enumerate(self.check(run, out, *said)):
                    count[i] += c
                run["shards"] = {"main": {}, "second": {}}
                for name in ("venue", "bear", "other"):
                    run["actors"][name]["shard"] = "second"
                two = backtest(run, os.path.join(folder, "two"))
                for name in FILES + ("funding",):
                    with open(os.path.join(out, name + ".csv"), "rb") as f, \
                            open(os.path.join(two, name + ".csv"), "rb") as g:
                        self.assertEqual(f.read(), g.read(), name)
                shrike("replay", two, "--verify")
        print("%d payments, %d of both sides, %d against each other, %d before any mark" % tuple(count))
        self.assertTrue(all(c > 3 for c in count))


if __name__ == "__main__":
    unittest.main(verbosity=2)
