"""Goal: contracts with a size (linear with a multiplier; inverse, margined and settled in coin) come
to what the venues' published formulas say, to the last unit: fees, realised profit, funding, margin,
liquidation, cash; their average prices are the means they should be; the same wherever actors live.
Method: the model of test_perpetual with the worth of these contracts (Binance COIN-M: P&L = contracts
x contract value x (1 / entry - 1 / exit), margin and funding of contracts x value / mark), on seeded
walks that gap, isolated and cross; and every fill by contracts.py, all in fractions, apart from what
the program reckons. Two shards and `replay --verify` on each."""
# once: what is compared does not depend on how the tree was compiled
import json
import os
import sys
import unittest
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contracts import Books  # noqa: E402
from runs import *  # noqa: E402,F403
from test_perpetual import BRACKETS, Contract, Runs  # noqa: E402

COIN = [("%.8f" % (cap / 20000), leverage, rate) for cap, leverage, rate in BRACKETS]
INVERSE = Contract("inverse", 100, COIN, {
    "kind": "inverse", "contract_value": 100, "quote": "USD", "symbol": "BTCUSD_PERP", "lot_size": 1,
    "maker_fee": "0.0001", "taker_fee": "0.0005", "min_notional": 0}, "BTC")
SIZED = Contract("linear", "0.01", BRACKETS, {"multiplier": "0.01", "lot_size": 1})
TIMES = Contract("linear", 50, BRACKETS, {"multiplier": 50, "lot_size": "0.0001", "min_notional": 0})


class Contracts(Runs):
    """Runs of contracts with a size."""

    def run_one(self, name, config):
        """run_one also reckons every fill again."""
        out = super().run_one(name, config)
        instrument = config["instruments"]["BTC-PERP"]
        books, fills = Books(config), rows_of(os.path.join(out, "fills.csv"))
        for f in sorted(fills, key=lambda f: int(f["trade_id"])):
            if f["client_order_id"].endswith("0000000000"):
                self.forced(books, f, "insurance" in config["actors"]["venue"])
            else:
                self.assertEqual(books.fill(f), "")
        self.averages(out, fills, instrument)
        with open(os.path.join(out, "manifest.json")) as f:
            manifest = json.load(f)
        word = "contract_value" if instrument["kind"] == "inverse" else "multiplier"
        self.assertEqual(Fraction(manifest["instruments"][0][word]), Fraction(str(instrument[word])))
        said = "inverse:" if instrument["kind"] == "inverse" else "multiplier:"
        self.assertTrue(any(r.startswith(said) for r in manifest["rules"]))
        return out

    def forced(self, books, f, steps):
        """forced books a liquidation, whose fee is of its own kind; with steps of a part maybe."""
        key, buy = (f["account"], f["instrument"]), f["side"] == "buy"
        held, cost = books.held[key]
        price, quantity = Fraction(f["price"]), Fraction(f["quantity"])
        value = books.value(f["instrument"], price, quantity, buy)
        *books.held[key], realized = books.margined(f["instrument"], held, cost,
                                                    quantity if buy else -quantity, value, price)
        self.assertEqual(Fraction(f["realized_pnl"]), realized)
        if not steps:
            self.assertEqual(books.held[key], [0, 0])

    def averages(self, out, fills, instrument):
        """averages reckons average prices: harmonic means of inverse contracts."""
        inverse, sums = instrument["kind"] == "inverse", {}
        for f in fills:
            quantity, price = Fraction(f["quantity"]), Fraction(f["price"])
            old = sums.setdefault(f["client_order_id"], [Fraction(0), Fraction(0)])
            old[0] += quantity
            old[1] += quantity / price if inverse else quantity * price
        for o in rows_of(os.path.join(out, "orders.csv")):
            if o["average_price"]:
                quantity, total = sums[o["client_order_id"]]
                want = quantity / total if inverse else total / quantity
                self.assertLess(abs(Fraction(o["average_price"]) - want), Fraction(1, 10**6), o)

    def test_inverse(self):
        """Coin-margined perpetuals."""
        self.walks(30 if NIGHT else 6, "2.5", INVERSE)

    def test_sized(self):
        """A contract is a hundredth of a coin."""
        self.walks(10 if NIGHT else 2, 50000, SIZED)

    def test_times(self):
        """A contract is fifty times the index."""
        self.walks(10 if NIGHT else 2, 50000, TIMES)

    def test_many(self):
        """Contracts of one dollar each, so many that price x quantity is beyond 64 bits."""
        rng, _ = seeded()
        with Scratch() as folder:
            path = walk_file(os.path.join(folder, "bars.csv"), rng, 400, "1h", 1704067200 * 10**9,
                             400000, 2000, 0.1, 1)
            how = {"fraction": "0.9"}
            run = run_of("many", [klines("BTC-PERP", "1h", path)],
                         {"s": cross("BTC-PERP", "main", "1h", how, fast=2, slow=5, short=True,
                                     stop_loss_pct="2", take_profit_pct="2")},
                         {"main": {"quote": "BTC", "cash": 1000}}, journal="on",
                         **{"BTC-PERP": {"kind": "inverse", "contract_value": 1, "quote": "USD",
                                         "lot_size": 1}})
            out = backtest(run, os.path.join(folder, "run"))
            books, fills = Books(run), rows_of(os.path.join(out, "fills.csv"))
            for f in sorted(fills, key=lambda f: int(f["trade_id"])):
                self.assertEqual(books.fill(f), "")
            self.averages(out, fills, run["instruments"]["BTC-PERP"])
            self.assertTrue(any(Fraction(f["quantity"]) * Fraction(f["price"]) > 2**63 / 10**8
                                for f in fills))
            filled = sum(Fraction(o["filled_quantity"])
                         for o in rows_of(os.path.join(out, "orders.csv")))
            self.assertEqual(filled, sum(Fraction(f["quantity"]) for f in fills))
            with open(os.path.join(out, "summary.json")) as f:
                self.assertEqual(Fraction(json.load(f)["accounts"][0]["cash"]), books.cash["main"])
            shrike("replay", out, "--verify")


if __name__ == "__main__":
    unittest.main(verbosity=2)
