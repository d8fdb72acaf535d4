#!/usr/bin/env python3
# once: it does not depend on how the tree was compiled.
"""Goal    nights, weekends, holidays, half days and lunch breaks of stocks are no gaps, in reports, in
        quality, in what a data guard counts; what is missing besides is found, and filled there.
Method  recorded bars, whose days and minutes were counted by those who made the files (README there):
        twenty years of SPY, ORCL, YHOO and of Shanghai's index day by day, both ways (no day missing,
        and no day open that the file has not); minutes over a change of clocks, a half day, a lunch
        break; runs with a guard, with and without the session."""
import csv
import json
import os
import subprocess
import tempfile
import unittest

from front import SOURCE, rows, shrike

DATA = next((d for d in (os.path.join(SOURCE, "../shared/data"),
                         os.path.join(SOURCE, "../../shared/data")) if os.path.isdir(d)), None)

DAILY = (("us_equity", "equities_us/daily/SPY_1d_1999-2020.csv.zst", 5241),
         ("us_equity", "equities_us/daily/ORCL_1d_1995-2014_yahoo.csv.zst", 5036),
         ("us_equity", "equities_us/daily/YHOO_1d_1996-2015_yahoo.csv.zst", 4965),
         ("cn_a", "equities_cn/daily/SH000001_index_1d_tdx.csv.zst", 5156))
# Missing minutes: the two of 2019-02-14 that the file's README tells; 15 days of 240 that it lacks.
MINUTES = (("us_equity", "equities_us/minute/AAPL_1m_2019-02-11_15.csv", 2),
           ("us_equity", "equities_us/minute/BAC_1m_2019-02-11_15.csv", 0),
           ("us_equity", "equities_us/minute/SPY_1m_2011-03_dst.csv.zst", 0),
           ("us_equity", "equities_us/minute/SPY_1m_2025-07_halfday.csv.zst", 0),
           ("cn_a", "equities_cn/minute/688001.SH_1m_2021-04_06.csv.zst", 3600))

RUN = """
instruments: {SPY: {kind: spot, base: SPY, quote: USD, tick_size: 0.0001, lot_size: 1, maker_fee: 0,
              taker_fee: 0%s}}
accounts: {main: {quote: USD, cash: 1000000}}
sources: [{kind: klines, instrument: SPY, interval: 1m, file: spy.csv}]
actors:
  s: {kind: strategy, class: sma_cross, instruments: [SPY], interval: 1m, params: {fast: 3, slow: 9},
      sizing: {fixed: 100}, data_guard: {}}
  risk: {kind: risk, limits: {max_order_quantity: 1000, max_order_notional: 1000000,
         price_collar: 0.05, max_position: 1000, order_rate: {count: 10, per: 1s},
         duplicate_window: 1s, max_open_orders: 256}}
  execution: {kind: execution}
  portfolio: {kind: portfolio}
  sim: {kind: venue}
"""


class Session(unittest.TestCase):
    """See above."""

    def setUp(self):
        if DATA is None:
            self.skipTest("no shared data here")
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, content=None):
        """A file in the test's folder, written where content is given."""
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "w") as f:
                f.write(content)
        return path

    def text(self, name):
        """The bytes of a recorded file."""
        path = os.path.join(DATA, name)
        if path.endswith(".zst"):
            return subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE,
                                  check=True).stdout.decode()
        with open(path) as f:
            return f.read()

    def quality(self, path, session, interval):
        """The quality report of a file."""
        done = shrike("data", "check", path, "--quality", "--json", "--session", session,
                      "--interval", interval, "--stream", "klines", "--venue", "v", "--symbol", "S")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        return report[0] if isinstance(report, list) else report

    def test_daily(self):
        """No day is missing, and of the first and last day alone all others are."""
        for session, name, count in DAILY:
            report = self.quality(os.path.join(DATA, name), session, "1d")
            self.assertEqual((report["rows_in"], report["missing_in_gaps"]), (count, 0), name)
            lines = self.text(name).strip().splitlines()
            ends = self.path("ends.csv", "\n".join((lines[0], lines[1], lines[-1])) + "\n")
            report = self.quality(ends, session, "1d")
            self.assertEqual(report["missing_in_gaps"], count - 2, name)
            self.assertEqual(sum(d["missing"] for d in report["days"]), count - 2, name)

    def test_minutes(self):
        """What is missing in a session, minute by minute."""
        for session, name, missing in MINUTES:
            report = self.quality(os.path.join(DATA, name), session, "1m")
            self.assertEqual(report["missing_in_gaps"], missing, name)
            self.assertEqual(sum(d["missing"] for d in report["days"]), missing, name)

    def test_filled(self):
        """What is filled in is what was missing in the session, and nothing else."""
        store = self.path("store")
        done = shrike("data", "import", os.path.join(DATA, MINUTES[0][1]), "--store", store,
                      "--venue", "v", "--symbol", "AAPL", "--stream", "klines", "--interval", "1m",
                      "--session", "us_equity", "--policy", "gap=forward")
        self.assertEqual(done.returncode, 0, done.stderr)
        out = self.path("out.csv")
        done = shrike("data", "export", os.path.join(store, "v/AAPL/klines-1m"), "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out, newline="") as f:
            times = [int(next(iter(r.values()))) for r in csv.DictReader(f)]
        self.assertEqual(len(times), 1950)
        unit = 1000 if times[0] < 10**14 else 10**6 if times[0] < 10**17 else 10**9
        minutes = {t // unit // 60 % 1440 for t in times}
        self.assertEqual((min(minutes), max(minutes)), (870, 1259)) # 14:30 to 20:59 UTC

    def test_run(self):
        """Nights stop a guard that knows no session; reports count what is missing in it."""
        self.path("spy.csv", self.text("equities_us/minute/SPY_1m_2019-02-11_15.csv"))
        for session, guarded in (("", False), (", session: us_equity", True)):
            run = self.path("run.yaml", RUN % session)
            told = shrike("check", run)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn("0 gaps (0 bars missing)" if guarded else "4 gaps (4200 bars missing)",
                          told.stdout)
            out = self.path("out" + str(guarded))
            done = shrike("backtest", run, "--out", out, "--no-html")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(out, "summary.json")) as f:
                stopped = "data_missing" in f.read()
            self.assertEqual(stopped, not guarded)
            self.assertGreater(len(rows(out, "orders")), 10)

    def test_unknown(self):
        """Years whose holidays are not known are refused, unless they are declared."""
        bars = "open_time,open,high,low,close,volume\n"
        for i in range(5): # from 2027-12-30, a Thursday
            bars += f"{1830124800000 + i * 86400000},1,1,1,1,1\n"
        self.path("spy.csv", bars)
        for session, fine in ((", session: us_equity", False),
                              (", session: {like: us_equity, closed: [2027-12-31], "
                               "until: 2028-12-31}", True)):
            done = shrike("check", self.path("run.yaml", (RUN % session).replace("1m", "1d")))
            self.assertEqual(done.returncode, 0 if fine else 1, done.stdout)
            if not fine:
                self.assertIn("has rows outside 1990-01-01 to 2027-12-31", done.stderr)


if __name__ == "__main__":
    unittest.main()
