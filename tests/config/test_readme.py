#!/usr/bin/env python3
"""Goal    README.md says what the program does: its run file passes and trades, its tables name
        every key, command and column, and nothing that is not there.
Method  the YAML block is run on made bars; the keys are those that `shrike check` offers where an
        unknown one stands; commands are those of `shrike --help`."""
# once: what the README says does not depend on how it was compiled
import os
import re
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.abspath(os.environ.get("SHRIKE_BIN") or os.path.join(ROOT, "build/release/shrike"))


def run(*words, cwd=ROOT):
    """Runs the program; returns (exit code, stdout, stderr)."""
    done = subprocess.run([PROGRAM, *words], cwd=cwd, capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout, done.stderr


class Readme(unittest.TestCase):
    """README.md against the program."""

    @classmethod
    def setUpClass(cls):
        """Reads the README."""
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
            cls.text = f.read()
        cls.words = set(re.findall(r"`\.?([a-z_]+)`", cls.text))
        for row in re.findall(r"^\| (.*)$", cls.text, re.M):  # several in one cell, or inside a map
            for code in re.findall(r"`([^`]*)`", row):
                cls.words |= set(re.findall(r"[a-z_]+", code))

    def test_run_file(self):
        """The whole run file passes, trades, and its results have the columns of the tables."""
        block = re.search(r"```yaml\n(.*?)```", self.text, re.S).group(1)
        name = re.search(r"file: (\S+?)}", block).group(1)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "my.yaml"), "w", encoding="utf-8") as f:
                f.write(block)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write("open_time,open,high,low,close,volume\n")
                for i in range(2000):
                    price = 42000 + (i * i) % 977 + 300 * ((i // 60) % 2)
                    f.write(f"{1704067200000 + i * 60000},{price},{price + 40},{price - 40},{price},3\n")
            code, out, err = run("check", "my.yaml", cwd=folder)
            self.assertEqual((code, err), (0, ""), out)
            code, out, err = run("backtest", "my.yaml", "--out", "out", cwd=folder)
            self.assertEqual((code, err), (0, ""), out)
            for table in ("orders", "fills", "trades", "equity"):
                with open(os.path.join(folder, "out", table + ".csv"), encoding="utf-8") as f:
                    heading, rows = f.readline().strip(), f.readlines()
                self.assertIn(f"`{heading}`", self.text, table)
                self.assertGreater(len(rows), 3, table)

    def known(self, text):
        """Returns the keys that check offers for the unknown one in text."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "x.yaml"), "w", encoding="utf-8") as f:
                f.write(f"include: {HERE}/good.yaml\n{text}\n")
            code, _, err = run("check", "x.yaml", cwd=folder)
        self.assertEqual(code, 1, text)
        self.assertRegex(err, "is not a known key.* expected one of ", text)
        return re.sub(r".*expected one of ", "", err).strip().split(", ")

    def test_keys(self):
        """Every key the program knows is in the README."""
        for text in (
            "qqq: 1", "clock: {kind: real, qqq: 1}", "journal: {qqq: 1}",
            "shards: {main: {qqq: 1}}", "edges: [{from: main, to: second, qqq: 1}]",
            "actors: {sma: {qqq: 1}}", "actors: {feed: {qqq: 1}}", "actors: {risk: {qqq: 1}}",
            "actors: {execution: {qqq: 1}}", "actors: {portfolio: {qqq: 1}}",
            "actors: {sim: {qqq: 1}}", "actors: {sma: {params: {qqq: 1}}}",
            "actors: {sma: {class: pair, instruments: [BTC-PERP, ETH], params: {fast: 1}}}",
            "sources: [{kind: market, instruments: [BTC-PERP, ETH], qqq: 1}]",
            "sources: [{kind: market, instruments: [BTC-PERP, {instrument: ETH, qqq: 1}]}]",
            "sources: [{kind: klines, instrument: ETH, interval: 1m, file: x.yaml, qqq: 1}]",
            "sources: [{kind: trades, instrument: ETH, file: x.yaml, qqq: 1}]",
            "instruments: {ETH: {qqq: 1}}", "accounts: {main: {qqq: 1}}",
        ):
            with self.subTest(text):
                for key in self.known(text):
                    self.assertTrue(key in self.words, f"no row for `{key}` of {text}")

    def test_commands(self):
        """The table has every command of --help, and only those."""
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        told = set(re.findall(r"^  ([a-z]+) ", out, re.M))
        table = self.text[self.text.index("\n## Commands\n"):]
        table = table[: table.index("\n## ", 5)]
        rows = set(re.findall(r"^\| `shrike ([a-z]+)", table, re.M))
        self.assertEqual(rows, told, "rows of README.md, Commands, against shrike --help")
        for name in told:
            code, out, _ = run(name, "--help")
            self.assertEqual(code, 0, name)
            self.assertIn("usage: shrike " + name, out)

    def test_dev(self):
        """./dev help tells the commands that the README uses."""
        done = subprocess.run([os.path.join(ROOT, "dev"), "help"], capture_output=True, text=True,
                              check=True)
        for name in set(re.findall(r"\./dev ([a-z]+)", self.text)):
            self.assertIn("./dev " + name, done.stdout)


if __name__ == "__main__":
    unittest.main()
