#!/usr/bin/env python3
"""Goal    a broken configuration is refused by one line that names file, line, column and key, and
        says what was expected; a whole one passes. (README "The run file", PROMISES B5, O4.)
Method  `shrike check` on every file of broken/. Its first line, "# expected: TEXT", is what must
        stand on stderr, all of it, after the program's name; "{n}" in it is any number. What would be unwieldy as a file
        (too large, too deep, too many) is made here.
        With --write the lines are filled in from what the program says; read them before they
        are committed."""
# once: the same sentences however it was compiled
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BROKEN = os.path.join(HERE, "broken")
PROGRAM = os.path.abspath(os.environ.get("SHRIKE_BIN") or os.path.join(HERE, "../../build/release/shrike"))
MARK = b"# expected: "
PREFIX = "shrike check: error: "


def check(path, folder=BROKEN):
    """Runs `shrike check PATH` in folder; returns (exit code, stderr, seconds)."""
    began = time.monotonic()
    done = subprocess.run([PROGRAM, "check", path], cwd=folder, capture_output=True, timeout=20,
                          check=False)
    return done.returncode, done.stderr, time.monotonic() - began


def files():
    """Returns the names of the corpus."""
    return sorted(n for n in os.listdir(BROKEN) if n.endswith(".yaml"))


class Broken(unittest.TestCase):
    """The corpus."""

    def test_enough(self):
        """The corpus holds what was promised."""
        self.assertGreaterEqual(len(files()), 60)

    def test_each(self):
        """Each file is refused with its sentence, at once, without a signal."""
        for name in files():
            with self.subTest(name):
                with open(os.path.join(BROKEN, name), "rb") as f:
                    first = f.readline().rstrip(b"\n")
                self.assertTrue(first.startswith(MARK) and len(first) > len(MARK), first)
                code, told, seconds = check(name)
                expected = PREFIX + first[len(MARK):].decode() + "\n"
                told = told.decode()
                if "{n}" in expected:
                    self.assertRegex(told, "^" + re.escape(expected).replace(r"\{n\}", r"\d+") + "$")
                else:
                    self.assertEqual(told, expected)
                self.assertTrue(1 <= code <= 125, code)
                self.assertLess(seconds, 2)

    def test_good(self):
        """What they all include passes."""
        code, told, _ = check("../good.yaml")
        self.assertEqual((code, told.decode()), (0, ""))

    def made(self, text, words):
        """Asserts that a made file is refused in one line with these words, and names the file."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "made.yaml"), "wb") as f:
                f.write(text)
            code, told, seconds = check("made.yaml", folder)
        told = told.decode()
        self.assertTrue(told.startswith(PREFIX + "made.yaml:") and told.count("\n") == 1, told[:300])
        self.assertIn(words, told)
        self.assertLess(len(told), 600)
        self.assertTrue(1 <= code <= 125, code)
        self.assertLess(seconds, 5)

    def test_made(self):
        """Too large, too deep, too many, long."""
        self.made(b"a: " + b"x" * (1 << 20) + b"\n", "1 MiB")
        self.made(b"a: " + b"[" * 100000 + b"\n", "64")
        self.made(b"".join(b"k%d: 1\n" % i for i in range(70000)), "65536")
        self.made(b"k" * 5000 + b": 1\n", "key")
        self.made(b"a:\n" + b"".join(b" " * (i + 1) + b"a:\n" for i in range(200)), "64")

    def test_spin(self):
        """More spinning shards than cores are refused with the reason."""
        with open(os.path.join(HERE, "good.yaml"), "rb") as f:
            good = f.read()
        cores = os.cpu_count()
        if cores > 60:
            self.skipTest("more cores than a run has shards")
        more = b"".join(b"  s%d: {idle: spin}\n" % i for i in range(cores))
        self.made(good.replace(b"shards:\n", b"shards:\n" + more), "spinning shards would take")

    def test_no_file(self):
        """A file that is not there, a folder, nothing at all."""
        for path in ("nowhere.yaml", ".", ""):
            code, told, _ = check(path)
            self.assertTrue(1 <= code <= 125, code)
            self.assertEqual(told.count(b"\n"), 1, told)


def write():
    """Fills in the expected lines; returns how many changed."""
    changed = 0
    for name in files():
        path = os.path.join(BROKEN, name)
        with open(path, "rb") as f:
            first, rest = f.readline(), f.read()
        code, told, _ = check(name)
        line = MARK + told.split(b"\n")[0].removeprefix(PREFIX.encode()) + b"\n"
        if code == 0 or not first.startswith(MARK):
            print(f"{name}: exit {code}: not broken")
        elif b"{n}" in first:
            print(f"{name}: by hand: {first.decode().rstrip()}")
        elif line != first:
            changed += 1
            with open(path, "wb") as f:
                f.write(line + rest)
            print(f"{name}: {line.decode().rstrip()}")
    return changed


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        print(write(), "changed")
        sys.exit(0)
    unittest.main()
