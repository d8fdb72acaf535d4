"""Goal: backtests that another engine published come out fill by fill.
Method: the bars and rules of ../shared/data/reference/backtests (skipped where they are not at
hand), run through the program's front door; date, side and price of every fill and the final equity
must be the published ones, to the two decimals they were published with."""
# once: what is compared does not depend on how the tree was compiled
import datetime
import json
import os
import sys
import unittest
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403

PUBLISHED = os.path.join(SOURCE, "..", "shared", "data", "reference", "backtests")


class Published(unittest.TestCase):
    """Published runs."""

    def test_orcl_sma15(self):
        """ORCL in 2000: long 10 shares while the close is above its average of 15 days."""
        if not os.path.exists(os.path.join(PUBLISHED, "orcl_sma15_expected.json")):
            self.skipTest("../shared/data is not there")
        with open(os.path.join(PUBLISHED, "orcl_sma15_expected.json")) as f:
            wanted = json.load(f)
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        eight = lambda v: Decimal(v).quantize(Decimal("1e-8"), ROUND_HALF_EVEN)
        with open(os.path.join(folder, "orcl.csv"), "w") as f:
            f.write("open_time_ms,open,high,low,close,volume\n")
            for r in rows_of(os.path.join(PUBLISHED, "orcl_2000_bars.csv")):
                day = datetime.datetime.fromisoformat(r["date"] + "T00:00:00+00:00")
                o, h, l, c = (eight(r["adj_" + k]) for k in ("open", "high", "low", "close"))
                f.write("%d,%s,%s,%s,%s,%s\n" % (day.timestamp() * 1000, o, max(h, o, c),
                                                 min(l, o, c), c, r["adj_volume"]))
        config = {
            "name": "orcl", "clock": "virtual",
            "instruments": {"ORCL": {"kind": "spot", "base": "ORCL", "quote": "USD",
                                     "tick_size": "0.00000001", "lot_size": 1, "maker_fee": 0,
                                     "taker_fee": 0}},
            "accounts": {"main": {"quote": "USD", "cash": 1000}},
            "sources": [{"kind": "klines", "instrument": "ORCL", "interval": "1d",
                         "file": "orcl.csv"}],
            "actors": {"sma": {"kind": "strategy", "class": "sma_cross", "instruments": ["ORCL"],
                               "interval": "1d", "account": "main",
                               "params": {"fast": 1, "slow": 15}, "sizing": {"fixed": 10}},
                       "risk": {"kind": "risk", "limits": WIDE},
                       "execution": {"kind": "execution"}, "portfolio": {"kind": "portfolio"},
                       "venue": {"kind": "venue"}}}
        path, out = os.path.join(folder, "orcl.yaml"), os.path.join(folder, "out")
        with open(path, "w") as f:
            f.write("\n".join("%s: %s" % (k, flow(v)) for k, v in config.items()) + "\n")
        done = subprocess.run([BIN, "backtest", path, "--out", out], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        two = lambda v: str(Decimal(v).quantize(Decimal("0.01"), ROUND_HALF_UP))
        day = lambda ns: datetime.datetime.fromtimestamp(
            int(ns) // 10**9, datetime.timezone.utc).date().isoformat()
        fills = [{"date": day(f["time_ns"]), "side": f["side"].upper(),
                  "price_2dp": two(f["price"])} for f in rows_of(os.path.join(out, "fills.csv"))]
        self.assertEqual(fills, wanted["fills"])
        self.assertEqual(len(fills), 43)
        equity = rows_of(os.path.join(out, "equity.csv"))[-1]["equity"]
        self.assertEqual(two(equity), str(wanted["final_equity_2dp"]))
        print("ORCL: %d fills and the final equity %s as published" % (len(fills), two(equity)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
