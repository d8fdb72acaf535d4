#!/usr/bin/env python3
# once: it does not depend on how the tree was compiled.
"""Goal    display_zone and --zone change what people are shown and nothing else: files stay in UTC to
        the byte, each page and table says its zone; markets have their own.
Method  one run in UTC, Shanghai and New York; its report, terminal and journal against its files."""
import json
import os
import re
import unittest

from front import folder_with_data, rows, run_file, shrike

FILES = ("orders", "fills", "trades", "equity", "daily", "charts")


class Zone(unittest.TestCase):
    """See above."""

    def setUp(self):
        self.keep = folder_with_data(400)
        self.addCleanup(self.keep.cleanup)
        self.folder = self.keep.name

    def run_in(self, name, zone):
        """A backtest shown in zone (None = not declared); (directory, what it printed)."""
        path = run_file(self.folder, name + ".yaml")
        if zone:
            with open(path, "a") as f:
                f.write(f'display_zone: "{zone}"\n')
        out = os.path.join(self.folder, name)
        done = shrike("backtest", path, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out, done.stdout

    def files(self, out):
        """The bytes of a result's files."""
        found = []
        for name in FILES:
            with open(os.path.join(out, name + ".csv"), "rb") as f:
                found.append(f.read())
        return found

    def test_shown(self):
        """Times are shown in the zone, said on each page; files are the same."""
        plain, printed = self.run_in("plain", None)
        self.assertIn("2024-01-01 00:00:00 to 2024-01-17 16:00:00 UTC", printed)
        east, printed = self.run_in("east", "Asia/Shanghai")
        self.assertIn("2024-01-01 08:00:00 to 2024-01-18 00:00:00 Asia/Shanghai", printed)
        self.assertEqual(self.files(plain), self.files(east))
        with open(os.path.join(east, "manifest.json")) as f:
            self.assertEqual(json.load(f)["display_zone"], "Asia/Shanghai")
        for out, zone, begins in ((plain, "UTC", "2024-01-01 00:00"),
                                  (east, "Asia/Shanghai", "2024-01-01 08:00")):
            with open(os.path.join(out, "report.html")) as f:
                page = f.read()
            self.assertIn(f">{begins} to ", page)
            self.assertIn(f"times are shown in {zone}; days, months and the rows of all files are UTC",
                          page)
        west = os.path.join(self.folder, "west.md")
        self.assertEqual(shrike("report", east, "--zone", "America/New_York", "--markdown",
                                west).returncode, 0)
        with open(west) as f:
            self.assertIn("2023-12-31 19:00 to 2024-01-17 11:00 America/New\\_York", f.read())
        wrong = shrike("report", east, "--zone", "Middle/Earth")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--zone 'Middle/Earth'", wrong.stderr)

    def test_journal(self):
        """Records of the journal with their time there."""
        out, _ = self.run_in("run", None)
        done = shrike("journal", "dump", out, "--kind", "Fill", "--zone", "-05:00")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = re.findall(r"^(\S+ \S+) .* Fill", done.stdout, re.M)
        records = [json.loads(line) for line in
                   shrike("journal", "dump", out, "--kind", "Fill", "--json").stdout.splitlines()]
        self.assertEqual(len(told), len(records))
        self.assertGreater(len(told), 10)
        for text, record in zip(told, records):
            day, clock = divmod(record["time_ns"] // 10**9 - 5 * 3600, 86400)
            self.assertTrue(text.endswith("%02d:%02d:%02d" % (clock // 3600, clock // 60 % 60,
                                                              clock % 60)), (text, record))
            self.assertTrue(text.startswith("202"), day)
        self.assertIn("UTC", shrike("journal", "stat", out).stdout)

    def test_market(self):
        """`market`: Shanghai for what trades round the clock, else the sessions' zone."""
        for session, zone in ((None, "Asia/Shanghai"), ("us_equity", "America/New_York"),
                              ("cn_a", "Asia/Shanghai"), ("uk_equity", "Europe/London")):
            path = run_file(self.folder, "m.yaml", journal="off")
            with open(path) as f:
                text = f.read()
            if session:  # bars round the clock are no stock's: only read here, with none of them
                text = text.replace("kind: linear,", f"kind: linear, session: {session},")
                text = text.replace("kind: spot,", f"kind: spot, session: {session},")
            with open(path, "w") as f:
                f.write(text + "display_zone: market\n")
            out = os.path.join(self.folder, "m-" + (session or "none"))
            done = shrike("backtest", path, "--out", out, "--no-html")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(out, "manifest.json")) as f:
                self.assertEqual(json.load(f)["display_zone"], zone)
            self.assertIn(zone, done.stdout.splitlines()[0])
            self.assertGreater(len(rows(out, "fills")), 0)


if __name__ == "__main__":
    unittest.main()
