#!/usr/bin/env python3
# once: it does not depend on how the tree was compiled.
"""Goal    recordings come out of the store as the rows that an independent reader of them makes, cut
        at midnight or not, and the recorder's clock that is 1.27 s behind is told.
Method  two pairs of recordings are imported, one after the other, and exported; every level and trade
        is compared with what tests/support/recording.py says of the pair as one recording."""
import csv
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from front import SOURCE, shrike

DATA = next((d for d in (os.path.join(SOURCE, "../shared/data"),
                         os.path.join(SOURCE, "../../shared/data")) if os.path.isdir(d)), None)
READER = os.path.join(SOURCE, "tests/support/recording.py")


def nanoseconds(text):
    """A time of the export, ms, us or ns, told by its size."""
    v = int(text)
    return v * (10**6 if v < 10**14 else 10**3 if v < 10**17 else 1)


def fixed(text):
    """A decimal as 1e-8."""
    whole, _, part = text.partition(".")
    return int(whole) * 10**8 + int((part + "00000000")[:8])


def expected(*names):
    """Book deltas and trades as the reader says them."""
    out = subprocess.run([sys.executable, "-B", READER, DATA, *names], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, check=True, timeout=120).stdout
    deltas, trades, at = [], [], 0
    while at < len(out):
        kind, size = struct.unpack_from("<II", out, at)
        if kind == 36:
            deltas.append(struct.unpack_from("<qQqqHBBi", out, at + 8))
        elif kind == 34:
            trades.append(struct.unpack_from("<qqqqHBBi", out, at + 8))
        at += 8 + size
    return deltas, trades


@unittest.skipUnless(DATA, "no recorded data beside the tree")
class Recording(unittest.TestCase):
    """Pairs of recordings."""

    def pair(self, market, names, clock):
        """Imports a pair and compares."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            for name in names:
                path = os.path.join(DATA, "crypto/ticks", name + "_raw.txt.zst")
                done = shrike("data", "import", path, "--store", folder, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                for told in json.loads(done.stdout):
                    self.assertEqual("clock" in told["counts"], clock, told["stream"])
                    self.assertFalse({"gap", "malformed", "order"} & set(told["counts"]))
                    if clock:
                        self.assertTrue(-1300000 < told["delay_us"]["median"] < -1250000)
            deltas, trades = expected(*names)
            base = os.path.join(folder, market, "BTCUSDT")
            for stream, rows in (("depth", deltas), ("trades", trades)):
                out = os.path.join(folder, "out.csv")
                self.assertEqual(shrike("data", "export", os.path.join(base, stream), "--out",
                                        out).returncode, 0)
                with open(out, newline="") as f:
                    got = list(csv.DictReader(f))
                self.assertEqual(len(got), len(rows))
                wrong, mended = 0, 0
                for row, want in zip(got, rows):
                    delay = int(row["delay_us"] or 0)
                    if stream == "depth":
                        have = (nanoseconds(row["time"]), int(row["last_update_id"]),
                                fixed(row["price"]), fixed(row["qty"]), 1, row["side"] == "a",
                                int(row["flags"]), delay)
                        if have[6] & 4:  # a snapshot without a time takes the recorder's, mended
                            mended = have[0]
                        if have[0] == mended:  # and so do diffs that were sent before it
                            have = (want[0], *have[1:7], want[7])
                    else:
                        have = (nanoseconds(row["time"]), int(row["id"]), fixed(row["price"]),
                                fixed(row["qty"]), 1, row["is_buyer_maker"] == "true", 0, delay)
                    if have[7] == 1 and want[7] == 0:
                        have = (*have[:7], 0)  # a delay of none is told as 1 us
                    wrong += have != want
                self.assertEqual(wrong, 0)

    def test_futures(self):
        """USD-M, 2023: snapshot, diffs with pu, cut at midnight."""
        self.pair("binance-um", ("binance_um_BTCUSDT_20230404", "binance_um_BTCUSDT_20230405"), False)

    def test_spot(self):
        """Spot, 2024: the clock is behind."""
        self.pair("binance-spot", ("binance_spot_BTCUSDT_20240808", "binance_spot_BTCUSDT_20240809"),
                  True)


if __name__ == "__main__":
    unittest.main()
