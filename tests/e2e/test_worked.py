"""Goal: among simulated traders a liquidation is worked in their book: in parts at prices of its own,
no account is left below zero by it, money adds up to the unit, and the run is the same wherever actors
live, with and without an insurance fund.
Method: two accounts with high leverage on an invented, nervous market, one isolated; every fill is
booked again with fractions (contracts.Books) and compared with the accounts at the end; of what was
closed by force fee and price are held against the rules. Two shards give the same bytes, a replay the
same records. What the book has and what is taken over: tests/actors/test_venue_worked.c."""
# once: what is compared does not depend on how the tree was compiled
import json
import os
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contracts import Books, cents  # noqa: E402
from runs import *  # noqa: E402,F403

NAME, RATE = "BTC-PERP", Fraction("0.002")


class Worked(unittest.TestCase):
    """Runs whose accounts are liquidated."""

    def run_of(self, seed, insurance):
        """run_of is the run file."""
        account = lambda margin, cash: {"quote": "USDT", "cash": cash, "margin": margin,
                                        "leverage": 25}
        how = {"fraction": "20"}
        venue = {"agents": {"instruments": [NAME], "start_price": 20000, "seed": seed, "noise": 60,
                            "makers": 5, "order_notional": 1000, "volatility": 6}}
        if insurance is not None:
            venue["insurance"] = {"USDT": insurance}
        run = run_of("worked", [{"instrument": NAME}], {
            "a": cross(NAME, "cross", "1m", how, fast=2, slow=5, short=True),
            "b": cross(NAME, "isolated", "1m", how, fast=3, slow=8, short=True)},
            {"cross": account("cross", 3000), "isolated": account("isolated", 3000)},
            start="2024-01-01", end="2024-01-01T04:00:00Z", venue=venue, journal="on",
            **{NAME: {"liquidation_fee": str(float(RATE)), "brackets": [
                {"cap": 30000, "leverage": 30, "maintenance": "0.03"},
                {"cap": 10000000, "leverage": 25, "maintenance": "0.035"}]}})
        del run["sources"]
        return run

    def check(self, run, out):
        """check books all fills; returns how many parts were closed by force, and how many there were
        of one close at most."""
        books, at, most = Books(run), {}, 0
        fills = sorted(rows_of(os.path.join(out, "fills.csv")), key=lambda f: int(f["trade_id"]))
        forced = [f for f in fills if f["client_order_id"].endswith("0000000000")]
        for f in fills:
            key, buy = (f["account"], NAME), f["side"] == "buy"
            if f not in forced:
                self.assertEqual(books.fill(f), "")
                continue
            held, cost = books.held[key]
            quantity, price = Fraction(f["quantity"]), Fraction(f["price"])
            self.assertTrue(quantity <= abs(held) and buy == (held < 0), f)
            value = books.value(NAME, price, quantity, buy)
            notional = cents(price * quantity, True)
            self.assertLessEqual(Fraction(f["fee"]), cents(notional * RATE, True))
            *books.held[key], realized = books.margined(
                NAME, held, cost, quantity if buy else -quantity, value, price)
            self.assertEqual(Fraction(f["realized_pnl"]), realized)
            books.cash[f["account"]] += realized - Fraction(f["fee"])
            if not books.held[key][0]:
                self.assertGreaterEqual(books.cash[f["account"]], 0, f)
            which = f["account"], f["time_ns"]
            at[which] = at.get(which, 0) + 1
            most = max(most, at[which])
        with open(os.path.join(out, "summary.json")) as f:
            summary = json.load(f)
        for said in summary["accounts"]:
            self.assertEqual(Fraction(said["cash"]), books.cash[said["account"]])
        with open(os.path.join(out, "manifest.json")) as f:
            rules = json.load(f)["rules"]
        self.assertTrue(any(r.startswith("liquidation in a book") for r in rules))
        whole = "liquidation: the whole position, without insurance" in rules
        self.assertEqual(whole, "insurance" not in run["actors"]["venue"])
        return len(forced), most

    def test_crowd(self):
        """With and without a fund."""
        parts, most = 0, 0
        for seed, insurance in ((3, None), (4, 10000)):
            with Scratch() as folder:
                run = self.run_of(seed, insurance)
                out = backtest(run, os.path.join(folder, "run"))
                cnt, many = self.check(run, out)
                parts, most = parts + cnt, max(most, many)
                run["shards"] = {"main": {}, "second": {}}
                run["actors"]["venue"]["shard"] = run["actors"]["b"]["shard"] = "second"
                two = backtest(run, os.path.join(folder, "two"))
                for name in FILES:
                    with open(os.path.join(out, name + ".csv"), "rb") as f, \
                            open(os.path.join(two, name + ".csv"), "rb") as g:
                        self.assertEqual(f.read(), g.read(), name)
                shrike("replay", two, "--verify")
        print("%d parts closed by force, at most %d at one instant" % (parts, most))
        self.assertGreater(parts, 5)
        self.assertGreater(most, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
