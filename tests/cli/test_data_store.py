#!/usr/bin/env python3
"""Goal    a backtest on imported data is the backtest on the file, byte for byte, in parts or whole,
        packed or not; an import that is killed leaves the old set or the new one; what the store
        tells is true.
Method  files of a seeded walk: as they are, cut into days and imported in another order, zipped,
        killed at random moments; export read back; results compared."""
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import zipfile

from front import PROGRAM, folder_with_data, klines, run_file, shrike

STORE = "[{kind: store, instrument: BTC-PERP, interval: 1h, data: store}, " \
        "{kind: store, instrument: ETH, interval: 1h, data: store}]"
RESULTS = ("orders.csv", "fills.csv", "trades.csv", "equity.csv", "summary.json")


def backtest(folder, name, **options):
    """Runs a backtest into folder/name; returns its result files' bytes."""
    done = shrike("backtest", run_file(folder, name + ".yaml", **options), "--out",
                  os.path.join(folder, name))
    assert done.returncode == 0, done.stderr
    found = {}
    for result in RESULTS:
        with open(os.path.join(folder, name, "out", result) if
                  os.path.exists(os.path.join(folder, name, "out", result)) else
                  os.path.join(folder, name, result), "rb") as f:
            found[result] = f.read()
    return found


def take(folder, symbol, *files, store="store"):
    """Imports files; returns the finished process."""
    return shrike("data", "import", *files, "--store", os.path.join(folder, store), "--venue",
                  "sim", "--symbol", symbol)


class Store(unittest.TestCase):
    """Import, backtest, export."""

    def setUp(self):
        self.keep = folder_with_data(1500)
        self.folder = self.keep.name
        self.btc = os.path.join(self.folder, "btc.csv")
        self.eth = os.path.join(self.folder, "eth.csv")

    def tearDown(self):
        self.keep.cleanup()

    def test_same_results(self):
        """File and store, whole and in shuffled parts of three packings, give the same bytes."""
        plain = backtest(self.folder, "plain")
        self.assertGreater(len(plain["fills.csv"].splitlines()), 50)
        for file, symbol in ((self.btc, "BTCUSDT"), (self.eth, "ETHUSDT")):
            self.assertEqual(take(self.folder, symbol, file).returncode, 0)
        self.assertEqual(backtest(self.folder, "whole", sources=STORE), plain)
        self.assertEqual(backtest(self.folder, "two", sources=STORE, shards=2), plain)
        done = shrike("replay", os.path.join(self.folder, "whole"), "--verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        shutil.rmtree(os.path.join(self.folder, "store"))
        for file, symbol in ((self.btc, "BTCUSDT"), (self.eth, "ETHUSDT")):
            with open(file) as f:
                lines = f.read().splitlines(True)
            parts = [lines[i:i + 170] for i in range(0, len(lines), 100)]  # they overlap
            random.Random(5).shuffle(parts)
            for i, part in enumerate(parts):
                name = os.path.join(self.folder, f"{symbol}-1h-part{i}.csv")
                if i % 3 == 0:
                    with open(name, "w") as f:
                        f.writelines(part)
                elif i % 3 == 1:
                    name += ".gz"
                    with gzip.open(name, "wt") as f:
                        f.writelines(part)
                else:
                    name = name[:-3] + "zip"
                    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as z:
                        z.writestr("part.csv", "".join(part))
                done = take(self.folder, symbol, name)
                self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(backtest(self.folder, "parts", sources=STORE), plain)

    def test_venue_by_name(self):
        """A venue that only the file's name tells is said when the store has the same of others; a
        name that tells none is refused with the venues there are."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("BTCUSDT-1m-2024-01.csv", "binance_um_BTCUSDT_1m.csv"):
                klines(os.path.join(folder, name), 3, 50, minutes=1)
            store = os.path.join(folder, "store")
            def take(name, *more):
                return shrike("data", "import", os.path.join(folder, name), "--store", store, *more)
            first = take("binance_um_BTCUSDT_1m.csv")
            self.assertEqual((first.returncode, first.stderr), (0, ""))
            for venue in ("okx", "bybit"):
                done = take("BTCUSDT-1m-2024-01.csv", "--venue", venue)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = take("BTCUSDT-1m-2024-01.csv")
            self.assertEqual(done.returncode, 1)
            for venue in ("okx", "bybit", "binance-um", "--venue"):
                self.assertIn(venue, done.stderr)
            done = take("binance_um_BTCUSDT_1m.csv", "--again")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("taken for binance-um/BTCUSDT/klines-1m by its name", done.stderr)
            self.assertIn("okx", done.stderr)

    def test_ls_and_export(self):
        """ls tells rows, gaps and imports; what export writes is imported to the same set."""
        with open(self.btc) as f:
            lines = f.read().splitlines(True)
        with open(self.btc, "w") as f:
            f.writelines(lines[:700] + lines[705:])
        self.assertEqual(take(self.folder, "BTCUSDT", self.btc).returncode, 0)
        again = take(self.folder, "BTCUSDT", self.btc)
        self.assertIn("imported before", again.stdout)
        told = json.loads(shrike("data", "ls", "--json", "--store",
                                 os.path.join(self.folder, "store")).stdout)
        self.assertEqual(len(told), 1)
        self.assertEqual(told[0]["set"], "sim/BTCUSDT/klines-1h")
        self.assertEqual(told[0]["rows"], 1495)
        self.assertEqual([g[2] for g in told[0]["gaps"]], [5])
        self.assertEqual(told[0]["imports"][0]["source"], "btc.csv")
        self.assertEqual(told[0]["imports"][0]["rows"], 1495)
        a = os.path.join(self.folder, "store/sim/BTCUSDT/klines-1h")
        out = os.path.join(self.folder, "out.csv")
        self.assertEqual(shrike("data", "export", a, "--out", out).returncode, 0)
        self.assertEqual(take(self.folder, "BTCUSDT", out, store="second").returncode, 0)
        b = os.path.join(self.folder, "second/sim/BTCUSDT/klines-1h")
        with open(os.path.join(a, "000001.col"), "rb") as x, \
                open(os.path.join(b, "000001.col"), "rb") as y:
            self.assertEqual(x.read(), y.read())
        done = shrike("data", "check", a, "--quality", "--json", "--html",
                      os.path.join(self.folder, "page.html"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)[0]["counts"]["gap"], 1)
        with open(os.path.join(self.folder, "page.html")) as f:
            page = f.read()
        self.assertIn("sim/BTCUSDT klines-1h", page)
        self.assertNotIn("http", page)  # nothing from a network

    def test_export_of_trades(self):
        """Trades put together by the venue come back as they went out, each field."""
        name, out = (os.path.join(self.folder, n) for n in ("agg.csv", "out.csv"))
        with open(name, "w") as f:
            f.write("agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,"
                    "is_buyer_maker\n")
            f.writelines(f"{i + 1},{100 + i % 9}.25,{1 + i % 3},{2 * i},{2 * i + 1},"
                         f"{1704067200000 + i * 777},{('true', 'false')[i % 2]}\n"
                         for i in range(150))
        told = []
        for file, store in ((name, "a"), (out, "b")):
            store = os.path.join(self.folder, store)
            done = shrike("data", "import", file, "--store", store, "--venue", "sim", "--symbol",
                          "BTCUSDT", "--stream", "aggTrades")
            self.assertEqual(done.returncode, 0, done.stderr)
            told.append(shrike("data", "snapshot", store).stdout)
            done = shrike("data", "export", store + "/sim/BTCUSDT/aggTrades", "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(",150,", told[0])
        self.assertEqual(told[0], told[1])

    def test_repair(self):
        """A set is repaired by a policy; what was is kept."""
        with open(self.btc) as f:
            lines = f.read().splitlines(True)
        cells = lines[400].split(",")
        cells[2] = str(round(float(cells[2]) * 1.5, 1))
        lines[400] = ",".join(cells)
        with open(self.btc, "w") as f:
            f.writelines(lines)
        self.assertEqual(take(self.folder, "BTCUSDT", self.btc).returncode, 0)
        a = os.path.join(self.folder, "store/sim/BTCUSDT/klines-1h")
        done = shrike("data", "repair", a, "--policy", "spike=clip")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(a, "import-2.csv")) as f:
            notes = f.read()
        self.assertIn(",high," + cells[2].removesuffix(".0") + ",", notes)
        after = shrike("data", "check", a, "--quality", "--json")
        self.assertNotIn("spike", json.loads(after.stdout)[0]["counts"])

    def test_no_numbers_are_shown(self):
        """A value that is no number is shown as it stands; a file that is none of it says only that."""
        path = os.path.join(self.folder, "odd.csv")
        row = b"%d,10,%s,9,10,5\n"
        for high in (b"99999999999999999999", b"NaN", b"1e9x"):
            with open(path, "wb") as f:
                f.write(b"open_time_ms,open,high,low,close,volume\n")
                for i in range(5):
                    f.write(row % (1704067200000 + 3600000 * i, high if i == 2 else b"11"))
            done = shrike("data", "check", path, "--quality")
            self.assertIn('line 4, 2024-01-01T02:00:00Z: high is "%s"' % high.decode(), done.stdout)
        with open(path, "wb") as f:
            f.write(random.Random(5).randbytes(3000))
        done = shrike("data", "import", path, "--store", os.path.join(self.folder, "none"), "--venue",
                      "sim", "--symbol", "X", "--stream", "klines")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("neither a heading nor a form of klines", done.stderr)

    def test_damage_is_named(self):
        """A flipped byte of a column is named, by check and by a run, and a run does not start."""
        take(self.folder, "BTCUSDT", self.btc)
        take(self.folder, "ETHUSDT", self.eth)
        path = os.path.join(self.folder, "store/sim/BTCUSDT/klines-1h/000001.col")
        with open(path, "r+b") as f:
            f.seek(8192 + 1500 * 8 + 333)  # in the column open
            byte = f.read(1)[0]
            f.seek(-1, 1)
            f.write(bytes([byte ^ 4]))
        done = shrike("data", "check", os.path.dirname(path), "--quality")
        self.assertEqual(done.returncode, 1)
        self.assertIn("000001.col: block 0: column open is damaged", done.stderr)
        done = shrike("backtest", run_file(self.folder, sources=STORE), "--out",
                      os.path.join(self.folder, "broken"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("damaged", done.stderr)


class Killed(unittest.TestCase):
    """Imports that do not come to their end."""

    def test_killed(self):
        """Killed at random moments, the set is the old one or the new one, and goes on."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            first, second = (os.path.join(folder, n) for n in ("a.csv", "b.csv"))
            klines(first, 3, 30000, minutes=1)
            klines(second, 4, 60000, minutes=1)
            with open(second) as f:
                lines = f.read().splitlines(True)
            head = [] if lines[0][0].isdigit() else lines[:1]
            with open(second, "w") as f:
                f.writelines(head + lines[30000 + len(head):])
            draw = random.Random(int(time.time()))
            seed = draw.randrange(10**9)
            print("seed", seed, flush=True)
            draw = random.Random(seed)
            store, seen = os.path.join(folder, "store"), set()
            take(folder, "BTCUSDT", first)
            begun = time.monotonic()
            take(folder, "BTCUSDT", second)
            whole = time.monotonic() - begun
            for _ in range(14):
                shutil.rmtree(store, ignore_errors=True)
                self.assertEqual(take(folder, "BTCUSDT", first).returncode, 0)
                p = subprocess.Popen([PROGRAM, "data", "import", second, "--store", store,
                                      "--venue", "sim", "--symbol", "BTCUSDT"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(whole * draw.uniform(0.2, 1.1))
                p.send_signal(signal.SIGKILL)
                p.wait()
                told = json.loads(shrike("data", "ls", "--json", "--store", store).stdout)
                self.assertIn(told[0]["rows"], (30000, 60000))
                seen.add(told[0]["rows"])
                done = take(folder, "BTCUSDT", second)
                self.assertEqual(done.returncode, 0, done.stderr)
                told = json.loads(shrike("data", "ls", "--json", "--store", store).stdout)
                self.assertEqual(told[0]["rows"], 60000)
                files = os.listdir(os.path.join(store, "sim/BTCUSDT/klines-1m"))
                self.assertFalse([f for f in files if f.endswith(".new")])
            print("seen", seen, flush=True)


if __name__ == "__main__":
    unittest.main()
