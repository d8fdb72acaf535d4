#!/usr/bin/env python3
"""Goal    no strategy knows the future: `shrike audit` finds the shipped ones decide the same when
        there is none, and catches one that looks ahead (BT-5).
Method  Seeded walks of an hour. The honest classes, and one of the drill program that reads on in
        the rows behind its own bar, by one bar and by several, in runs of one shard and of two; the
        same class without looking ahead must pass. What audit says is checked, and that it leaves
        nothing behind."""
# once: the same decisions however it was compiled
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from front import PROGRAM, klines, shrike

FAULTY = os.path.join(os.path.dirname(PROGRAM), "shrike_drill")
RUN = """name: audit
clock: virtual
instruments:
  X: {kind: linear, base: X, quote: USDT, tick_size: 0.1, lot_size: 0.001, maker_fee: 0.0002, taker_fee: 0.0005}
accounts: {main: {quote: USDT, cash: 100000}}
SHARDS
sources: [{kind: klines, instrument: X, interval: 1h, file: x.csv}]
actors:
  s: {kind: strategy, class: CLASS, instruments: [X], interval: 1h, account: main, params: PARAMS, sizing: {fixed: 1}}
  risk: {kind: risk, limits: {max_order_quantity: 100, max_order_notional: 1000000, price_collar: 0.5, max_position: 100, order_rate: {count: 1000, per: 1s}, duplicate_window: 1ms, max_open_orders: 100}}
  execution: {kind: execution}
  venue: {kind: venue, shard: WHERE}
  portfolio: {kind: portfolio}
"""


class Audit(unittest.TestCase):
    """Runs with and without a future."""

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        klines(os.path.join(self.dir, "x.csv"), 11, 1200)

    def tearDown(self):
        shutil.rmtree(self.dir)

    def audit(self, name, params, *options, program=PROGRAM, two=False):
        """Audits class name; returns the finished process."""
        path = os.path.join(self.dir, "run.yaml")
        with open(path, "w") as f:
            f.write(RUN.replace("CLASS", name).replace("PARAMS", params)
                    .replace("SHARDS", "shards: {main: {}, second: {}}" if two else "")
                    .replace("shard: WHERE", "shard: second" if two else "orders_max: 64"))
        scratch = os.path.join(self.dir, "scratch")
        os.makedirs(scratch, exist_ok=True)
        done = subprocess.run([program, "audit", path, *options], capture_output=True, text=True,
                              timeout=120, check=False, env=dict(os.environ, TMPDIR=scratch))
        self.assertEqual(os.listdir(scratch), [])
        return done

    def test_honest(self):
        """The shipped class decides the same; so does the looker that does not look."""
        for name, params, program in (
                ("sma_cross", "{fast: 5, slow: 20, short: true, stop_loss_pct: 2}", PROGRAM),
                ("peek", "{ahead: 0}", FAULTY)):
            done = self.audit(name, params, "--folds", "3", program=program,
                              two=program == FAULTY)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("no look-ahead found", done.stdout)
            self.assertEqual(done.stdout.count("the same without the future"), 3)
        done = self.audit("sma_cross", "{fast: 5, slow: 20}", "--json", "--folds", "2")
        said = json.loads(done.stdout)
        self.assertTrue(said["same"])
        self.assertEqual(len(said["folds"]), 2)
        self.assertTrue(all(f["same"] for f in said["folds"]))
        self.assertGreater(said["folds"][-1]["orders"], 20)
        self.assertGreater(said["folds"][-1]["fills"], said["folds"][0]["fills"])

    def test_leaking(self):
        """Who looks ahead, by however little, is caught, and where is said."""
        for ahead, two in ((1, False), (7, True)):
            done = self.audit("peek", "{ahead: %d, until: 1150}" % ahead, "--folds", "8",
                              program=FAULTY, two=two)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("look-ahead: ", done.stdout)
            self.assertIn("orders.csv, row ", done.stdout)
        done = self.audit("peek", "{ahead: 3, until: 1150}", "--json", "--folds", "3",
                          program=FAULTY)
        said = json.loads(done.stdout)
        self.assertFalse(said["same"])
        self.assertTrue(any(f["difference"] for f in said["folds"]))

    def test_cuts(self):
        """Folds lie between the first and the last order, and cut no bar in two: who fills at the
        open of a bar in which a cut would fall is not taken for one who looks ahead."""
        done = self.audit("sma_cross", "{fast: 5, slow: 20, short: true}", "--json", "--folds", "7")
        said = json.loads(done.stdout)
        self.assertTrue(said["same"], done.stdout)
        self.assertEqual(len(said["folds"]), 7)
        for fold in said["folds"]:
            self.assertEqual(fold["cut_ns"] % (3600 * 10**9), 0)
            self.assertGreater(fold["orders"], 0)
        done = self.audit("sma_cross", "{fast: 500, slow: 1190}")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("nothing to compare", done.stderr)

    def test_words(self):
        """Wrong words are named."""
        self.assertEqual(shrike("audit").returncode, 2)
        self.assertEqual(shrike("audit", "x.yaml", "--folds", "0").returncode, 2)
        self.assertEqual(shrike("audit", os.path.join(self.dir, "none.yaml")).returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
