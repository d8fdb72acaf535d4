#!/usr/bin/env python3
# once: it does not depend on how the tree was compiled.
"""Goal    a snapshot tells every day of a store and of results, is the same however the rows came into
        the store, and two of them name what of the past has changed: which set, which day, what.
Method  an invented market in a store, whole and in parts; rows changed, filled in, taken out, repaired;
        rows and times of each day counted again from the files; a damaged store; days against a
        calendar whose sessions are known."""
import csv
import datetime
import json
import os
import random
import tempfile
import unittest

from front import folder_with_data, klines, rows, run_file, shrike

START = 1704067200000  # where front.klines begins, ms


def day_of(ms):
    """The UTC date of an instant."""
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).strftime("%Y-%m-%d")


class Snapshot(unittest.TestCase):
    """See above."""

    def setUp(self):
        self.keep = tempfile.TemporaryDirectory(prefix="shrike-test-")
        self.addCleanup(self.keep.cleanup)
        self.folder = self.keep.name
        self.file = self.path("BTCUSDT-1h.csv")
        klines(self.file, 7, 24 * 20)
        with open(self.file) as f:
            self.lines = f.read().splitlines(True)

    def path(self, name):
        """A path in the test's folder."""
        return os.path.join(self.folder, name)

    def take(self, lines, store="store", *more):
        """Imports lines as a file of their own; the finished process."""
        self.number = getattr(self, "number", 0) + 1
        name = self.path(f"BTCUSDT-1h-{self.number}.csv")
        with open(name, "w") as f:
            f.writelines(lines)
        return shrike("data", "import", name, "--store", self.path(store), "--venue", "sim",
                      "--interval", "1h", *more)

    def snap(self, name, *what):
        """Makes a snapshot; its rows."""
        done = shrike("data", "snapshot", *(what or (self.path("store"),)), "--out", self.path(name))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path(name), newline="") as f:
            return list(csv.DictReader(f))

    def compare(self, a, b):
        """Compares two snapshots: (exit code, lines, JSON)."""
        text = shrike("data", "snapshot", "--compare", self.path(a), self.path(b))
        as_json = shrike("data", "snapshot", "--compare", self.path(a), self.path(b), "--json")
        self.assertEqual(text.returncode, as_json.returncode)
        return text.returncode, text.stdout.splitlines(), json.loads(as_json.stdout)

    def test_days(self):
        """Each day is told as it is; the parts in which rows came do not matter."""
        self.take(self.lines)
        got = self.snap("a.csv")
        self.assertEqual({r["set"] for r in got}, {"sim/BTCUSDT/klines-1h"})
        self.assertEqual(self.snap("slash.csv", self.path("store/")), got)
        by_day = {}
        for line in self.lines:
            by_day.setdefault(day_of(int(line.split(",")[0])), []).append(int(line.split(",")[0]))
        self.assertEqual([r["day"] for r in got], sorted(by_day) + ["all"])
        for r in got[:-1]:
            times = by_day[r["day"]]
            self.assertEqual((int(r["rows"]), int(r["first_ns"]), int(r["last_ns"])),
                             (len(times), times[0] * 10**6, times[-1] * 10**6))
            self.assertEqual((r["missing"], r["repaired"], r["left_out"]), ("0", "0", "0"))
        self.assertEqual(len({r["sha256"] for r in got}), len(got))
        parts = [self.lines[i:i + 60] for i in range(0, len(self.lines), 50)]
        random.Random(3).shuffle(parts)
        for part in parts:
            self.take(part, "parts")
        self.assertEqual(self.snap("b.csv", self.path("parts")), got)
        self.assertEqual(self.compare("a.csv", "b.csv")[0], 0)

    def test_changes(self):
        """What changed of the past is named, what came later is not held against it."""
        hole = self.lines[:100] + self.lines[103:288]   # 3 hours of 2024-01-05 missing
        self.take(hole)
        before = self.snap("a.csv")
        self.assertEqual([r["missing"] for r in before if r["day"] == "2024-01-05"], ["3"])
        self.take(self.lines[288:300])                   # half a day more
        self.snap("b.csv")
        code, lines, found = self.compare("a.csv", "b.csv")
        self.assertEqual((code, found["newer"], found["past_changed"]), (0, 1, False))
        self.take(self.lines[300:320])
        self.snap("c.csv")
        code, lines, found = self.compare("b.csv", "c.csv")
        self.assertEqual((code, found["went_on"], found["newer"]), (0, 1, 1), lines)
        self.assertIn("went on", lines[0])
        self.assertIn("2024-01-13: rows 12 -> 24", lines[0])
        # a late correction of one close, a hole that is filled in
        row = self.lines[30].split(",")
        row[4] = str(round(float(row[4]) + 0.1, 1))
        row[2] = str(max(float(row[2]), float(row[4])))
        self.take([",".join(row)], "store", "--overlap", "replace")
        self.take(self.lines[100:103])
        after = self.snap("d.csv")
        code, lines, found = self.compare("c.csv", "d.csv")
        self.assertEqual((code, found["changed"], found["gone"]), (1, 2, 0), lines)
        self.assertEqual([line.split(":")[0].split() for line in lines[:2]],
                         [["changed", "sim/BTCUSDT/klines-1h", "2024-01-02"],
                          ["changed", "sim/BTCUSDT/klines-1h", "2024-01-05"]])
        self.assertIn("other values in the same rows", lines[0])
        self.assertIn("rows 21 -> 24, missing 3 -> 0", lines[1])
        self.assertEqual([r["repaired"] for r in after if r["day"] == "2024-01-02"], ["1"])
        # rows that are not there any more, a whole set that is not
        os.rename(self.path("store"), self.path("old"))
        self.take(self.lines[:48] + self.lines[72:320])
        self.snap("e.csv")
        code, lines, found = self.compare("d.csv", "e.csv")
        self.assertEqual((code, found["gone"]), (1, 1))
        self.assertTrue(any(line.startswith("  gone      sim/BTCUSDT/klines-1h  2024-01-03 (24 rows)")
                            for line in lines), lines)
        code, lines, found = self.compare("e.csv", "d.csv")
        self.assertEqual((code, found["filled_in"]), (1, 1))
        done = shrike("data", "snapshot", self.path("store"), "--out", self.path("f.csv"), "--against",
                      self.path("d.csv"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("THE PAST CHANGED", done.stdout)

    def test_results(self):
        """Days of results: rows of each file, metrics of each curve."""
        keep = folder_with_data(600)
        self.addCleanup(keep.cleanup)
        out = os.path.join(keep.name, "out")
        self.assertEqual(shrike("backtest", run_file(keep.name), "--out", out).returncode, 0)
        got = self.snap("r.csv", out)
        self.assertEqual(self.snap("slash.csv", out + "//"), got)
        for name, time in (("orders", "created_ns"), ("fills", "time_ns"), ("trades", "exit_ns"),
                           ("equity", "time_ns")):
            counts = {}
            for r in rows(out, name):
                day = day_of(int(r[time]) // 10**6)
                counts[day] = counts.get(day, 0) + 1
            told = {r["day"]: int(r["rows"]) for r in got if r["set"] == out + "/" + name}
            self.assertEqual(told, counts, name)
            self.assertGreater(len(counts), 3, name)
        days = {(r["set"], r["day"]): (r["equity"], r["return"]) for r in got if r["equity"]}
        wanted = {(out + "/daily/" + r["curve"], r["date"]): (r["equity"], r["return"])
                  for r in rows(out, "daily")}
        self.assertEqual(days, wanted)
        with open(os.path.join(out, "fills.csv")) as f:
            text = f.read()
        with open(os.path.join(out, "fills.csv"), "w") as f:  # one digit of one fill
            at = text.rindex(",taker,")
            f.write(text[:at - 1] + str((int(text[at - 1]) + 1) % 10) + text[at:])
        self.snap("s.csv", out)
        code, lines, found = self.compare("r.csv", "s.csv")
        self.assertEqual((code, found["changed"] + found["went_on"]), (1, 1), lines)
        self.assertIn("/fills  2024-01-", lines[0])

    def test_calendar(self):
        """Days against a calendar: holidays, weekends, half days, hours."""
        lines = ["open_time,open,high,low,close,volume\n"]
        # 2024-07-02 (Tuesday) to 2024-07-08 (Monday) in New York: the 3rd closes at 13:00, the 4th is
        # a holiday, 6 and 7 are a weekend; hours from 09:30 = 13:30 UTC
        for day, hours in ((2, 6), (3, 5), (5, 6), (6, 1), (8, 7)):
            for h in range(hours):
                at = int(datetime.datetime(2024, 7, day, 13, 30,
                                           tzinfo=datetime.timezone.utc).timestamp()) * 1000
                lines.append(f"{at + h * 3600000},10,{11 + h},9,10,5\n")
        with open(self.path("x.csv"), "w") as f:
            f.writelines(lines)
        done = shrike("data", "check", self.path("x.csv"), "--quality", "--venue", "nyse", "--symbol",
                      "ACME", "--interval", "1h", "--session", "us_equity", "--days", "--html",
                      self.path("q.html"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("calendar: 4 trading days, 0 of them without a row; 2 rows outside its hours; rows "
                      "on 1 days it was shut", done.stdout)
        table = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()
                 if line.strip().startswith("2024-")}
        self.assertEqual(table["2024-07-02"],
                         ["6", "13:30:00", "18:30:00", "1", "0", "0", "0", "0", "open"])
        self.assertEqual(table["2024-07-03"],
                         ["5", "13:30:00", "17:30:00", "0", "1", "0", "0", "0", "early"])
        self.assertEqual(table["2024-07-06"][-1], "closed")
        self.assertEqual(table["2024-07-06"][4], "1")
        self.assertEqual(table["2024-07-08"][-1], "open")
        with open(self.path("q.html")) as f:
            page = f.read()
        self.assertIn("All 5 days", page)
        self.assertIn("<td>2024-07-03<td class=n>5<td>13:30:00<td>17:30:00", page)
        self.take(lines[1:])
        *days, everything = self.snap("days.csv", self.path("store"), "--session", "us_equity")
        self.assertEqual([(r["day"], r["calendar"], r["outside"]) for r in days],
                         [(day, words[-1], words[4]) for day, words in sorted(table.items())])
        self.assertEqual((everything["day"], everything["calendar"], everything["outside"]),
                         ("all", "", "2"))

    def test_in_place(self):
        """--out of what is no plain file is written in place: nothing is put in its stead."""
        self.take(self.lines)
        plain = self.snap("a.csv")
        for what, args in (("snapshot", ("snapshot", self.path("store"))),
                           ("export", ("export", self.path("store/sim/BTCUSDT/klines-1h")))):
            link = self.path("link-" + what)
            os.symlink("/dev/stdout", link)
            done = shrike("data", *args, "--out", link)
            self.assertEqual((done.returncode, os.path.islink(link)), (0, True), done.stderr)
            if what == "snapshot":
                self.assertEqual(list(csv.DictReader(done.stdout.splitlines())), plain)
            else:
                self.assertEqual(len(done.stdout.splitlines()), len(self.lines) + 1)
            full = self.path("full-" + what)
            os.symlink("/dev/full", full)
            done = shrike("data", *args, "--out", full)
            self.assertEqual((done.returncode, os.path.islink(full)), (1, True))
            self.assertIn("cannot be written whole: No space left on device", done.stderr)

    def test_wrong(self):
        """What cannot be read is told, and leaves no file behind."""
        self.take(self.lines)
        self.snap("a.csv")
        store = self.path("store/sim/BTCUSDT/klines-1h")
        name = next(n for n in os.listdir(store) if n.endswith(".col"))
        with open(os.path.join(store, name), "r+b") as f:
            f.seek(9000)
            byte = f.read(1)
            f.seek(9000)
            f.write(bytes([byte[0] ^ 1]))
        done = shrike("data", "snapshot", self.path("store"), "--out", self.path("b.csv"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("is damaged", done.stderr)
        self.assertFalse(os.path.exists(self.path("b.csv")))
        done = shrike("data", "snapshot", self.folder)
        self.assertIn("neither a store, nor a set of one, nor results", done.stderr)
        self.assertEqual(done.returncode, 1)
        done = shrike("data", "snapshot", "--compare", self.path("a.csv"), self.file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no snapshot: it has no column set", done.stderr)
        self.assertEqual(shrike("data", "snapshot", "--compare", "a").returncode, 2)
        self.assertEqual(shrike("data", "snapshot", "--against", "a").returncode, 2)


if __name__ == "__main__":
    unittest.main()
