#!/usr/bin/env python3
"""Goal    every shipped run file is right and trades; one, two and five shards and two processes give
        the same orders and fills; reference.yaml names every key there is.
Method  `check` on each file of config/; the topologies run a week of the built-in market on the
        virtual clock by an including file; the paced demo runs as it is shipped, and is told to stop."""
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from front import PROGRAM, SOURCE, rows, shrike

CONFIG = os.path.join(SOURCE, "config")
WEEK = "include: {path}\nclock: virtual\nstart: 2024-01-01\nend: 2024-01-0{end}\n"
SEEN = set()  # files a test has run


def week(folder, name, end=6):
    """Backtests config/NAME.yaml over some days of the built-in market; returns the directory."""
    SEEN.add(name + ".yaml")
    path, out = os.path.join(folder, name + ".yaml"), os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(WEEK.format(path=os.path.join(CONFIG, name + ".yaml"), end=end))
    done = shrike("backtest", path, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


class Files(unittest.TestCase):
    """config/."""

    def setUp(self):
        self.keep = tempfile.TemporaryDirectory(prefix="shrike-test-")
        self.folder = self.keep.name

    def tearDown(self):
        self.keep.cleanup()

    def test_a_placements(self):
        """The same bytes wherever actors live."""
        first = None
        for name in ("one", "two", "five", "process"):
            done = shrike("check", os.path.join(CONFIG, name + ".yaml"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            out = week(self.folder, name)
            got = {}
            for table in ("orders", "fills", "trades", "equity"):
                with open(os.path.join(out, table + ".csv"), "rb") as f:
                    got[table] = f.read()
            first = first or got
            self.assertEqual(got, first, name)
        self.assertGreater(first["fills"].count(b"\n"), 50)

    def test_a_backtest(self):
        """backtest.yaml over the data that its head says to make."""
        SEEN.add("backtest.yaml")
        data = os.path.join(self.folder, "data")
        done = shrike("data", "generate", "--out", data, "--symbols", "BTCUSDT,ETHUSDT", "--days",
                      "10", "--interval", "1m")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        os.mkdir(os.path.join(self.folder, "config"))
        path = os.path.join(self.folder, "config", "backtest.yaml")
        with open(os.path.join(CONFIG, "backtest.yaml")) as f, open(path, "w") as g:
            g.write(f.read())
        done = shrike("backtest", path, "--out", os.path.join(self.folder, "out"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(len(rows(os.path.join(self.folder, "out"), "trades")), 10)

    def test_a_exchange(self):
        """exchange.yaml trades among simulated traders; replayed, all is equal."""
        SEEN.add("exchange.yaml")
        path, out = os.path.join(CONFIG, "exchange.yaml"), os.path.join(self.folder, "exchange")
        done = shrike("backtest", path, "--out", out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        fills = rows(out, "fills")
        self.assertGreater(len(fills), 50)
        self.assertGreater(len(rows(out, "equity")), 100)
        done = shrike("replay", out, "--verify")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_hedge(self):
        """hedge.yaml holds a long and a short at once; replayed, all is equal."""
        SEEN.add("hedge.yaml")
        path, out = os.path.join(CONFIG, "hedge.yaml"), os.path.join(self.folder, "hedge")
        done = shrike("backtest", path, "--out", out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        orders = rows(out, "orders")
        self.assertEqual({o["position_side"] for o in orders}, {"long", "short"})
        trips = rows(out, "trades")
        spans = {s: [(int(t["entry_ns"]), int(t["exit_ns"])) for t in trips if t["side"] == s]
                 for s in ("buy", "sell")}
        both = [a for a in spans["buy"] for b in spans["sell"] if a[0] < b[1] and b[0] < a[1]]
        self.assertGreater(len(both), 5)
        done = shrike("replay", out, "--verify")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_reference(self):
        """reference.yaml runs as it is and has every key of README's tables."""
        SEEN.add("reference.yaml")
        path = os.path.join(CONFIG, "reference.yaml")
        done = shrike("backtest", path, "--out", os.path.join(self.folder, "out"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertGreater(len(rows(os.path.join(self.folder, "out"), "fills")), 5)
        with open(path) as f:
            words = set(re.findall(r"[a-z_]+", f.read()))
        with open(os.path.join(SOURCE, "README.md")) as f:
            text = f.read()
        part = text[text.index("\n### The run\n"):text.index("\n## The rules of a bar run")]
        for row in re.findall(r"^\| (?:`[a-z]+`)? ?\|? ?(`.*?) \|", part, re.M):
            for key in re.findall(r"`\.?([a-z_]+)`", row):
                self.assertIn(key, words)

    def test_a_demo(self):
        """demo.yaml on its paced clock, as ./dev run starts it; Ctrl-C ends it with results."""
        SEEN.add("demo.yaml")
        run = subprocess.Popen([PROGRAM, "run", os.path.join(CONFIG, "demo.yaml"), "--plain"],
                               cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
        time.sleep(6)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
        self.assertEqual(run.returncode, 0, err)
        self.assertIn("try in another terminal", out)
        self.assertIn("ctl runs/demo pause cross", out)
        self.assertRegex(out, r"2024-01-01 00:\d\d:")
        self.assertIn("replay runs/demo --verify", out)
        self.assertTrue(os.path.exists(os.path.join(self.folder, "runs/demo/out/manifest.json")))
        done = shrike("replay", "runs/demo", "--verify", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        # the demo's market, long enough to trade
        self.assertGreater(len(rows(week(self.folder, "demo", 3), "trades")), 20)

    def test_z_all_seen(self):
        """No file of config/ is without a test (the tests above came first)."""
        self.assertEqual(SEEN, {n for n in os.listdir(CONFIG) if n.endswith(".yaml")})


if __name__ == "__main__":
    unittest.main(verbosity=2)
