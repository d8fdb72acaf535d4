#!/usr/bin/env python3
"""Goal    no run file, however odd, makes `shrike check` crash, hang or say more than one line.
Method  good.yaml with one to three lines dropped, doubled, moved or changed, from a printed seed:
        it passes, or is refused with file, line and column. SHRIKE_SEED gives another seed,
        SHRIKE_NIGHT more cases."""
import os
import random
import re
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(os.environ.get("SHRIKE_BIN") or os.path.join(HERE, "../../build/release/shrike"))
SEED = int(os.environ.get("SHRIKE_SEED", "1"))
CASES = 3000 if os.environ.get("SHRIKE_NIGHT") else 150
JUNK = ["", "0", "-1", "1e9", "9223372036854775807", "[]", "{}", "[a, b]", "{a: b}", "''", "true",
        "null", "~", ".nan", "1s", "0ns", "99999999999999999999d", "x" * 300, "main", "sma",
        "BTC-PERP", "*a", "&a 1", "!!str x", "|\n   text", '"\\u0000"', "\u00e9"]


def mutate(draw, lines):
    """Returns lines with one change."""
    lines = list(lines)
    at, how = draw.randrange(len(lines)), draw.randrange(6)
    if how == 0:
        del lines[at]
    elif how == 1:
        lines.insert(at, draw.choice(lines))
    elif how == 2 and ":" in lines[at]:
        lines[at] = lines[at].split(":")[0] + ": " + draw.choice(JUNK)
    elif how == 3:
        lines[at] = " " * draw.randrange(6) + lines[at].lstrip()
    elif how == 4 and lines[at]:
        place = draw.randrange(len(lines[at]))
        lines[at] = lines[at][:place] + draw.choice("{}[]:,#'\"-0 \t&*") + lines[at][place + 1:]
    else:
        other = draw.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    return lines


class Mutated(unittest.TestCase):
    """Random run files."""

    def test_mutated(self):
        """Each is taken or refused in one line."""
        print("seed", SEED, "cases", CASES, flush=True)
        with open(os.path.join(HERE, "good.yaml"), encoding="utf-8") as f:
            good = f.read().split("\n")
        draw = random.Random(SEED)
        with tempfile.TemporaryDirectory() as folder:
            for case in range(CASES):
                lines = good
                for _ in range(draw.choice((1, 1, 1, 2, 3))):
                    lines = mutate(draw, lines)
                text = "\n".join(lines)
                with open(os.path.join(folder, "m.yaml"), "w", encoding="utf-8") as f:
                    f.write(text)
                done = subprocess.run([PROGRAM, "check", "m.yaml"], cwd=folder, timeout=20,
                                      capture_output=True, check=False)
                told = done.stderr.decode(errors="replace")
                where = f"seed {SEED} case {case}:\n{text}\n{told}"
                self.assertIn(done.returncode, (0, 1), where)
                self.assertEqual(told.count("\n"), done.returncode, where)
                if done.returncode:
                    self.assertRegex(told, r"^shrike check: error: \S+:\d+:\d+: ", where)


if __name__ == "__main__":
    unittest.main()
