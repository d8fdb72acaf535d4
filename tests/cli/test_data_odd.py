#!/usr/bin/env python3
# once: it does not depend on how the tree was compiled.
"""Goal    whatever is put into import, check, export, snapshot: one clear sentence or a row of the quality
        report, exit code 1 where nothing was taken, nothing half written, nothing left behind.
Method  one table of bars in many dresses: those that say the same give the same rows, the others are
        refused with a word about why; a size limit of files stands for a full disk."""
import gzip
import os
import resource
import subprocess
import tempfile
import unittest
import zipfile

from front import PROGRAM, klines, shrike

HEAD = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume," \
       "taker_buy_quote_volume,ignore\n"


class Odd(unittest.TestCase):
    """See above."""

    def setUp(self):
        keep = tempfile.TemporaryDirectory(prefix="shrike-test-")
        self.addCleanup(keep.cleanup)
        self.folder = keep.name
        klines(self.path("walk.csv"), 3, 300)
        with open(self.path("walk.csv")) as f:
            self.text = HEAD + f.read()

    def path(self, name):
        """A path in the test's folder."""
        return os.path.join(self.folder, name)

    def take(self, name, content, *more):
        """Imports a file of that content into a store of its own."""
        with open(self.path(name), "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return shrike("data", "import", self.path(name), "--store", self.path("st-" + name), "--venue",
                      "v", "--symbol", "S", "--stream", "klines", "--interval", "1h", *more)

    def rows(self, name):
        """What a store has, as a snapshot tells it."""
        done = shrike("data", "snapshot", self.path("st-" + name))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def zipped(self, *members):
        """A zip of these members."""
        with zipfile.ZipFile(self.path("made.zip"), "w") as z:
            for name, content in members:
                z.writestr(name, content)
        with open(self.path("made.zip"), "rb") as f:
            return f.read()

    def test_same(self):
        """Dresses of the same rows: they are taken, all alike."""
        lines = self.text.splitlines()
        dresses = {
            "plain.csv": self.text,
            "bom.csv": b"\xef\xbb\xbf" + self.text.encode(),
            "crlf.csv": self.text.replace("\n", "\r\n"),
            "noend.csv": self.text.rstrip("\n"),
            "noheading.csv": self.text[len(HEAD):],
            "quoted.csv": "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in lines),
            "spaces.csv": self.text.replace(",", ", "),
            "twice.csv": self.text + self.text,  # a heading in the middle, every row again
            "one.zip": self.zipped(("S-1h.csv", self.text)),
            "folder.zip": self.zipped(("S/", ""), ("S/S-1h.csv", self.text)),
            "packed.csv.gz": gzip.compress(self.text.encode()),
        }
        for name, content in dresses.items():
            done = self.take(name, content)
            self.assertEqual(done.returncode, 0, name + done.stderr)
            told = [line for line in self.rows(name).splitlines()]
            if name == "plain.csv":
                want = told
            if name == "twice.csv":  # each day tells how many were left out
                told = [",".join(c for i, c in enumerate(line.split(",")) if i != 10) for line in told]
                want_here = [",".join(c for i, c in enumerate(line.split(",")) if i != 10)
                             for line in want]
                self.assertEqual(told, want_here)
            else:
                self.assertEqual(told, want, name)

    def test_refused(self):
        """What cannot be read: why, exit code 1, no set."""
        cases = {
            "empty.csv": ("", "the file is empty"),
            "heading.csv": (HEAD, "no rows"),
            "lines.csv": ("\n\n\n", "neither a heading nor a form of klines"),
            "semicolons.csv": (self.text.replace(",", ";"), "parted by ';'; expected ','"),
            "tabs.csv": (self.text.replace(",", "\t"), "parted by tabs; expected ','"),
            "utf16.csv": (self.text.encode("utf-16"), "it is text in UTF-16; expected UTF-8"),
            "picture.csv": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is no text"),
            "two.zip": (self.zipped(("a.csv", self.text), ("b.csv", self.text)),
                        "2 files in the zip; expected one"),
            "none.zip": (self.zipped(("a/", "")), "0 files in the zip; expected one"),
            "cut.zip": (self.zipped(("a.csv", self.text))[:-200], "damaged zip file"),
            "cut.csv.gz": (gzip.compress(self.text.encode())[:-20], "gzip file ends too early"),
            "nan.csv": (HEAD + "".join(",".join([line.split(",")[0], "NaN"] + line.split(",")[2:]) + "\n"
                                       for line in self.text.splitlines()[1:]),
                        "none of its 300 rows can be taken"),
        }
        for name, (content, why) in cases.items():
            done = self.take(name, content)
            self.assertEqual(done.returncode, 1, name + done.stdout)
            self.assertIn(why, done.stderr, name)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertEqual(shrike("data", "ls", "--store", self.path("st-" + name)).stdout.count("\n"),
                             1, name)
        done = shrike("data", "import", self.folder, "--store", self.path("x"), "--venue", "v", "--symbol",
                      "S")
        self.assertEqual((done.returncode, "not a plain file" in done.stderr), (1, True))

    def test_notes(self):
        """A line that is no row, however long, is a row of the report; its note is short."""
        lines = self.text.splitlines(True)
        done = self.take("long.csv", "".join(lines[:50]) + "7" * 300000 + "\n" + "".join(lines[50:]))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("line 51: longer than 1024 bytes", done.stdout)
        with open(self.path("st-long.csv/v/S/klines-1h/import-1.csv")) as f:
            notes = f.read()
        self.assertLess(len(notes), 6000)
        self.assertIn("... (300000 bytes)", notes)

    def limited(self, size, *words):
        """Runs the program with no file growing beyond size bytes."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60,
                              preexec_fn=limit, restore_signals=False, check=False)

    def test_no_room(self):
        """Where a file cannot be written whole it is not there, and what was there stays."""
        self.assertEqual(self.take("a.csv", self.text).returncode, 0)
        before, store = self.rows("a.csv"), self.path("st-a.csv")
        with open(self.path("more.csv"), "w") as f:
            last = self.text.splitlines()[-1].split(",")
            f.write(HEAD)
            for i in range(1, 400):
                f.write(",".join([str(int(last[0]) + i * 3600000)] + last[1:]) + "\n")
        import_more = ("data", "import", self.path("more.csv"), "--store", store, "--venue", "v",
                       "--symbol", "S", "--interval", "1h")
        done = self.limited(8192, *import_more)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(self.rows("a.csv"), before)
        left = [n for n in os.listdir(os.path.join(store, "v/S/klines-1h")) if n.endswith(".new")]
        self.assertEqual(left, [])
        for words, name in ((("data", "export", os.path.join(store, "v/S/klines-1h"), "--out"), "x.csv"),
                            (("data", "snapshot", store, "--out"), "snap.csv"),
                            (("data", "check", self.path("a.csv"), "--quality", "--interval", "1h",
                              "--html"), "q.html")):
            done = self.limited(500, *words, self.path(name))
            self.assertEqual(done.returncode, 1, name)
            self.assertIn("File too large", done.stderr)
            self.assertEqual([n for n in os.listdir(self.folder) if n.startswith(name)], [])
        self.assertEqual(shrike(*import_more).returncode, 0)
        self.assertIn(",699,", self.rows("a.csv").splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
