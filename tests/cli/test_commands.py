#!/usr/bin/env python3
"""Goal    journal, replay, state, ctl, top and data do what their --help says, on a run that lives
        and on one that has ended; exit codes 0, 1, 2; errors say the next step.
Method  a paper run of two shards on the paced clock is watched and commanded from outside, then
        looked into; a bit of its journal is turned over, and is found."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from front import MARKET, PROGRAM, folder_with_data, klines, rows, run_file, shrike


def lines(done):
    """The JSON objects that a command printed, one a line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


class Live(unittest.TestCase):
    """A run that was watched while it lived."""

    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory(prefix="shrike-test-")
        cls.folder = cls.keep.name
        path = run_file(cls.folder, clock="{kind: paced, speed: 100000}", shards=2, sources=MARKET)
        with open(path, "a") as f:
            f.write("start: 2024-01-01\n")
        run = subprocess.Popen([PROGRAM, "run", path, "--plain"], cwd=cls.folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        cls.dir = os.path.join(cls.folder, "runs", "test")
        for _ in range(600):  # on a busy machine it takes its time
            time.sleep(0.1)
            if shrike("journal", "dump", cls.dir, "--kind", "Fill", "--limit", "1").stdout:
                break
        time.sleep(0.2)
        cls.top = shrike("top", cls.dir, "--json")
        cls.table = shrike("top", cls.dir)
        cls.set = shrike("ctl", cls.dir, "set", "cross", "fast", "4")
        cls.bad = [(shrike("ctl", cls.dir, *words), why) for words, why in
                   ((("set", "cross", "fast", "9999"), "expected a whole number"),
                    (("set", "cross", "fast", "4000"),
                     "set cross fast 4000: fast is not below slow"),
                    (("set", "cross", "qqq", "1"), "no parameter"),
                    (("pause", "nobody"), "no actor is called so"),
                    (("pause", "risk"), "risk is of kind risk, which takes no commands"),
                    (("resume", "execution"), "takes no commands"),
                    (("stop", "slow", "now"), "stop [ACTOR] expected"))]
        cls.unknown = shrike("ctl", cls.dir, "dance")
        cls.pause = shrike("ctl", cls.dir, "pause", "slow")
        shrike("ctl", cls.dir, "stop", "slow")
        cls.stopped = [shrike("ctl", cls.dir, *words) for words in
                       (("resume", "slow"), ("set", "slow", "fast", "2"))]
        cls.again = shrike("run", path, "--dir", cls.dir, "--plain")
        follow = subprocess.Popen([PROGRAM, "journal", "follow", cls.dir, "--json"],
                                  stdout=subprocess.PIPE, text=True)
        cls.live_state = shrike("state", cls.dir)
        time.sleep(1)
        run.send_signal(signal.SIGINT)
        cls.out, cls.err = run.communicate(timeout=40)
        cls.code = run.returncode
        cls.followed, _ = follow.communicate(timeout=40)

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def test_run(self):
        """It ended in good order, with results."""
        self.assertEqual(self.code, 0, self.err)
        self.assertIn("results: runs/test/out/", self.out)
        self.assertGreater(len(rows(os.path.join(self.dir, "out"), "fills")), 3)

    def test_run_twice(self):
        """Two engines do not share a directory; one that has ended is not begun again."""
        self.assertEqual(self.again.returncode, 1)
        self.assertIn("another process runs it", self.again.stderr)
        done = shrike("run", os.path.join(self.folder, "run.yaml"), "--dir", self.dir)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "has ended.*another --dir")

    def test_top(self):
        """Shards, edges and actors with figures that hold together."""
        self.assertEqual(self.top.returncode, 0, self.top.stderr)
        told = json.loads(self.top.stdout)
        self.assertEqual({s["shard"] for s in told["shards"]}, {"main", "second"})
        self.assertGreater(sum(s["rows"] for s in told["shards"]), 0)
        self.assertEqual(len(told["edges"]), 2)
        for e in told["edges"]:
            self.assertGreaterEqual(e["sent"] + 1000, e["received"])
        self.assertEqual(len(told["actors"]), 7)
        # the second shard only answers the first
        self.assertGreater(max(s["longest_turn_ns"] for s in told["shards"]), 0)
        for a in told["actors"]:  # who hears messages, not rows alone, has hops
            if a["kind"] in ("risk", "execution", "portfolio"):
                self.assertGreater(a["hop_count"], 0, a)
                self.assertLessEqual(a["hop_p50_ns"], a["hop_max_ns"])
        self.assertIn("main > second", self.table.stdout)
        self.assertNotIn("\033", self.table.stdout)
        done = shrike("top", self.dir)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing runs there", done.stderr)

    def test_ctl(self):
        """Commands are answered by JSON and journaled; what makes no sense is refused."""
        self.assertEqual(json.loads(self.set.stdout)["ok"], True)
        self.assertEqual(json.loads(self.pause.stdout)["ok"], True)
        self.assertEqual((self.set.returncode, self.pause.returncode), (0, 0))
        for done, why in self.bad:
            self.assertEqual((done.returncode, json.loads(done.stdout)["ok"]), (1, False))
            self.assertIn(why, json.loads(done.stdout)["error"])
        for done in self.stopped:
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("it was stopped, for good", json.loads(done.stdout)["error"])
        self.assertEqual((self.unknown.returncode, self.unknown.stdout), (2, ""))
        self.assertIn('unknown command "dance"', self.unknown.stderr)
        told = lines(shrike("journal", "dump", self.dir, "--kind", "command", "--json"))
        ops = {(c["body"]["op"], c["body"].get("value")) for c in told}
        self.assertIn(("set", 4), ops)
        self.assertIn(("set", 4000), ops)  # what its strategy refused is journaled, with why
        said = lines(shrike("journal", "dump", self.dir, "--kind", "command_answer", "--json"))
        whys = [a["body"].get("why") for a in said]
        self.assertEqual(sorted(w for w in whys if w),
                         ["fast is not below slow"] + 2 * ["it was stopped, for good"])
        self.assertEqual(whys.count(None), 3)
        self.assertIn("pause", {o for o, _ in ops})
        self.assertTrue(all(c["body"].get("uid", 0) == os.getuid() for c in told))

    def test_follow(self):
        """The follower saw what a dump shows afterwards, and ended with the run."""
        dumped = shrike("journal", "dump", self.dir, "--json").stdout.splitlines()
        self.assertEqual(sorted(self.followed.splitlines()), sorted(dumped))
        self.assertGreater(len(dumped), 50)

    def test_journal(self):
        """ls, stat and verify agree; a kind and a shard can be chosen."""
        self.assertIn("segment 1, from position 0", shrike("journal", "ls", self.dir).stdout)
        told = lines(shrike("journal", "verify", self.dir, "--json"))
        stat = lines(shrike("journal", "stat", self.dir, "--json"))
        self.assertTrue(all(s["ok"] for s in told))
        self.assertEqual([(s["shard"], s["records"], s["bytes"]) for s in told],
                         [(s["shard"], s["records"], s["bytes"]) for s in stat])
        one = shrike("journal", "dump", self.dir, "--shard", "second", "--kind", "order_state")
        self.assertRegex(one.stdout.splitlines()[0], r"^second .*OrderState")
        self.assertEqual(len(shrike("journal", "dump", self.dir, "--limit", "7").stdout.splitlines()), 7)

    def test_replay(self):
        """A session with commands is made again bit for bit; hashes are the state's."""
        done = shrike("replay", self.dir, "--verify")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("all equal", done.stdout)
        told = lines(shrike("replay", self.dir, "--verify", "--json"))
        states = {a["actor"]: a["state"] for a in told if "actor" in a}
        have = re.findall(r"^ACTOR (\S+) ([0-9a-f]{16})$", shrike("state", self.dir).stdout, re.M)
        self.assertEqual(dict(have), states)

    def test_state(self):
        """Orders, positions and cash are those of the result files; twice the same hash."""
        done = shrike("state", self.dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.live_state.returncode, 0, self.live_state.stderr)
        have = dict(re.findall(r"^HAVE (\S+) (\S+)$", done.stdout, re.M))
        orders = {o["client_order_id"]: o["status"] for o in rows(os.path.join(self.dir, "out"), "orders")}
        self.assertEqual(have, orders)
        with open(os.path.join(self.dir, "out", "summary.json")) as f:
            summary = json.load(f)
        cash = {a["account"]: a["cash"] for a in summary["accounts"]}
        self.assertEqual(dict(re.findall(r"^CASH (\S+) USDT (\S+)$", done.stdout, re.M)), cash)
        self.assertRegex(done.stdout.splitlines()[-1], "^HASH [0-9a-f]{16}$")
        self.assertEqual(shrike("state", self.dir).stdout, done.stdout)
        self.assertEqual(lines(shrike("state", self.dir, "--json"))[-1]["hash"],
                         done.stdout.split()[-1])

    def test_state_same_symbol(self):
        """Positions of spot and perpetual of one symbol are told apart by our names of them."""
        with folder_with_data(400) as folder:
            path = run_file(folder, journal="on")
            with open(path) as f:
                text = f.read().replace("symbol: ETHUSDT", "symbol: BTCUSDT")
            with open(path, "w") as f:
                f.write(text)
            out = os.path.join(folder, "out")
            self.assertEqual(shrike("backtest", path, "--out", out).returncode, 0)
            told = re.findall(r"^POS (\S+) (\S+) \S+ \S+$", shrike("state", out).stdout, re.M)
            self.assertIn(("main", "BTC-PERP"), told)
            self.assertTrue(set(told) <= {("main", "BTC-PERP"), ("other", "ETH")}, told)

    def test_z_damage(self):
        """A bit turned over in the journal is found by verify and replay: exit code 1, the place."""
        folder = os.path.join(self.dir, "journal", "main")
        path = os.path.join(folder, "1.seg")
        with open(path, "r+b") as f:
            f.seek(8192 + 4096)
            byte = f.read(1)
            f.seek(8192 + 4096)
            f.write(bytes([byte[0] ^ 4]))
        for words in (("journal", "verify"), ("replay", "--verify")):
            done = shrike(words[0], *words[1:], self.dir)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stderr, r"segment 1 is damaged at offset \d+")


class Front(unittest.TestCase):
    """What needs no run."""

    def test_help(self):
        """Every command teaches by an example; wrong usage is 2 and goes to stderr."""
        done = shrike("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in re.findall(r"^  ([a-z]+) ", done.stdout, re.M):
            told = shrike(name, "--help")
            self.assertEqual((told.returncode, told.stderr), (0, ""))
            self.assertIn("usage: shrike " + name, told.stdout)
            if name != "bench":
                self.assertIn("example:\n  shrike ", told.stdout)
                wrong = shrike(name)
                self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertEqual(shrike("dance").returncode, 2)
        self.assertEqual(shrike().returncode, 2)

    def test_wrong_words(self):
        """What is wrong with the words is said, then the usage; exit code 2, nothing is begun."""
        with tempfile.TemporaryDirectory() as folder:
            for words, said in (
                    ("state --jsn x", "unknown option '--jsn'"), ("state", "DIR, .* expected"),
                    ("state a b", "'b' is one word too many"), ("top -1 x", "unknown option '-1'"),
                    ("run a.yaml --out b", "unknown option '--out'"),
                    ("run a.yaml --dir", "option '--dir' lacks its value"),
                    ("backtest a.yaml", "--out DIR expected"),
                    ("backtest a.yaml --out --json", "option '--out' lacks its value"),
                    ("check --fast a.yaml", "unknown option '--fast'"), ("check", "RUN.yaml expected"),
                    ("replay x", "--verify expected"), ("replay x --verify --x", "unknown option '--x'"),
                    ("journal dance x", "'dance' is not one of ls, dump, "),
                    ("journal dump x --limit q", "--limit: 'q' is no whole number"),
                    ("journal dump x --knd Fill", "unknown option '--knd'"),
                    ("ctl x", "a command for x expected"), ("ctl x --now", "unknown option '--now'"),
                    ("data", "one of generate, check, import, export, ls, repair, "), ("data make", "'make' is not one of"),
                    ("data generate", "--out DIR expected"),
                    ("data generate --out o --days many", "--days: 'many' is not a whole number"),
                    ("data generate --out o --interval 5x", "--interval: '5x' is not 15s, 1m"),
                    ("data generate --out o --start today", "--start: 'today' is not a day as"),
                    ("data generate --out o --trades --interval 1m", "trades have no interval"),
                    ("data generate --out o --bars", "unknown option '--bars'"),
                    ("data check a.csv --kind x", "--kind: 'x' is not klines or trades"),
                    ("bench --only nope", "'nope' is not one of hop, local, .*, csv"),
                    ("bench --fast", "unknown option '--fast'")):
                with self.subTest(words):
                    done = shrike(*words.split(), cwd=folder)
                    name = words.split()[0]
                    self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                    first, rest = done.stderr.split("\n", 1)
                    self.assertRegex(first, "^shrike %s: error: .*%s" % (name, said))
                    self.assertTrue(rest.startswith("usage: shrike " + name), rest)
            self.assertEqual(os.listdir(folder), [])

    def test_bench_names(self):
        """The backtests' figures have the names that are promised, and are above nothing."""
        with tempfile.TemporaryDirectory() as folder:
            done = shrike("bench", "--quick", "--only", "backtest,multi,year", "--dir", folder,
                          "--json", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            told = {r["name"]: r for r in json.loads(done.stdout)["results"]}
            for name, unit in (("backtest.bars.rate", "1/s"), ("backtest.bars_journal.rate", "1/s"),
                               ("backtest.multi.rate", "1/s"), ("backtest.year_html", "ns")):
                self.assertEqual(told[name]["unit"], unit)
                self.assertGreater(told[name]["value"], 1000)
            self.assertEqual(os.listdir(folder), [])

    def test_baseline(self):
        """bench holds its figures against an earlier JSON; what got worse is said: exit code 1."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "then.json")
            words = ("bench", "--quick", "--only", "local", "--dir", folder)
            done = shrike(*words, "--json", path)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(path) as f:
                then = json.load(f)
            for factor, code, said in ((100, 0, "better"), (0.01, 1, "WORSE")):
                for r in then["results"]:
                    r["value"] *= factor
                with open(path, "w") as f:
                    f.write(json.dumps(then, separators=(",", ":")))
                done = shrike(*words, "--baseline", path)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertRegex(done.stdout, r"local.p50 .* -> .* %%  %s\n" % said)
                self.assertRegex(done.stdout, r"\d+ of \d+ figures compared: \d+ worse, \d+ better")
                for r in then["results"]:
                    r["value"] /= factor
            with open(path, "w") as f:
                f.write("{}")
            for bad in (path, os.path.join(folder, "none")):
                done = shrike(*words, "--baseline", bad)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, "^shrike bench: error: --baseline " + bad)

    def test_nothing_there(self):
        """A directory without a run: one line, exit code 1, no file made."""
        with tempfile.TemporaryDirectory() as folder:
            for words in (("journal", "ls", folder), ("replay", folder, "--verify"),
                          ("state", folder), ("top", folder)):
                done = shrike(*words)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr.splitlines()[0], r"^shrike \w+: error: .*no run is there")
            self.assertEqual(os.listdir(folder), [])

    def test_data(self):
        """The same options give the same bytes; check reads what generate wrote, and finds faults."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a", "b"):
                done = shrike("data", "generate", "--out", name, "--days", "1", "--symbols",
                              "BTCUSDT", "--interval", "5m", "--seed", "9", cwd=folder)
                self.assertEqual(done.returncode, 0, done.stderr)
            paths = [os.path.join(folder, n, "BTCUSDT-5m.csv") for n in ("a", "b")]
            with open(paths[0]) as f, open(paths[1]) as g:
                text = f.read()
                self.assertEqual(text, g.read())
            done = shrike("data", "check", paths[0])
            self.assertIn("fine: 288 bars of 5m", done.stdout)
            self.assertEqual(json.loads(shrike("data", "check", paths[0], "--json").stdout)["rows"], 288)
            with open(paths[0], "w") as f:
                f.write(text.replace(",", ",x", 40).replace(",x", ",", 35))
            done = shrike("data", "check", paths[0])
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"BTCUSDT-5m.csv:\d+")
            done = shrike("data", "generate", "--out", "t", "--days", "1", "--symbols", "ETHUSDT",
                          "--trades", "--trades-per-hour", "60", cwd=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            done = shrike("data", "check", os.path.join(folder, "t", "ETHUSDT-trades.csv"))
            self.assertRegex(done.stdout, r"fine: \d+ trades")

    def test_check(self):
        """check draws who says what to whom and makes nothing."""
        keep = folder_with_data(100)
        before = sorted(os.listdir(keep.name))
        path = run_file(keep.name, shards=2)
        done = shrike("check", path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout,
                         r"\[cross\]\n(?: +\|-- .*\n)* +\|-- OrderIntent\b.* ==> \[risk\]")
        self.assertIn("a day of its clock", done.stdout)
        self.assertEqual(json.loads(shrike("check", path, "--json").stdout)["replay"], "complete")
        with open(path, "a") as f:
            f.write("")
        with open(path) as f:
            text = f.read().replace('journal: "on"', "journal: {archive_max: 64M}")
        with open(path, "w") as f:
            f.write(text)
        self.assertIn("replay partial", shrike("check", path).stdout)
        self.assertEqual(sorted(os.listdir(keep.name)), sorted(before + ["run.yaml"]))
        keep.cleanup()


class Kept(unittest.TestCase):
    """What a run keeps, and what it leaves."""

    def test_no_rows(self):
        """A run whose span has no rows is no run that went well; one series without any is named."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            klines(os.path.join(folder, "x.csv"), 3, 50)
            text = ("name: none\n%s"
                    "instruments: {X: {kind: linear, base: X, quote: USDT, tick_size: 0.1, "
                    "lot_size: 0.001, maker_fee: 0, taker_fee: 0}}\n"
                    "accounts: {main: {quote: USDT, cash: 1000}}\n"
                    "sources:\n  - {kind: klines, instrument: X, interval: 1h, file: x.csv}\n%s"
                    "actors:\n"
                    "  s: {kind: strategy, class: sma_cross, instruments: [X], interval: 1h, "
                    "sizing: {fixed: 1}}\n"
                    "  risk: {kind: risk, limits: {max_order_quantity: 10, max_order_notional: 1e6, "
                    "price_collar: 0.5, max_position: 10, order_rate: {count: 9, per: 1s}, "
                    "duplicate_window: 1ms, max_open_orders: 10}}\n"
                    "  execution: {kind: execution}\n  venue: {kind: venue}\n"
                    "  portfolio: {kind: portfolio}\n").replace("1e6", "1000000")
            path = os.path.join(folder, "run.yaml")
            with open(path, "w") as f:
                f.write(text % ("start: 2030-01-01\n", ""))
            done = shrike("backtest", path, "--out", os.path.join(folder, "a"))
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("no row of any source lies between start: and end:", done.stderr)
            with open(os.path.join(folder, "f.csv"), "w") as f:
                f.write("funding_time_ms,funding_rate\n1893456000000,0.0001\n")
            with open(path, "w") as f:
                f.write(text % ("end: 2024-02-01\n",
                                "  - {kind: funding, instrument: X, file: f.csv}\n"))
            done = shrike("backtest", path, "--out", os.path.join(folder, "b"))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("X funding: no row between start and end", done.stdout)

    def begin(self, folder, journal):
        """Gives a run its file, with this journal, and runs it to its end in folder/kept."""
        path = run_file(folder, sources=MARKET)
        with open(path) as f:
            text = re.sub(r"(?m)^journal:.*$", "journal: " + journal, f.read())
        with open(path, "w") as f:
            f.write(text + "start: 2024-01-01\nend: 2025-09-01\nsnapshot_every: 10ms\n")
        return shrike("run", path, "--dir", os.path.join(folder, "kept"))

    def test_dropped_segments(self):
        """Results of a run whose oldest segments were dropped are made from what is left, and say
        so."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            done = self.begin(folder, "{segment: 131072, stage_segments: 4, archive_max: 1}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("oldest records were dropped (archive_max)", done.stdout)
            self.assertTrue(os.path.exists(folder + "/kept/out/manifest.json"))

    def test_stage_is_gone(self):
        """What looks into an ended run whose journal was in memory says so; nothing is 'equal'."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            done = self.begin(folder, "stage")
            self.assertEqual(done.returncode, 0, done.stderr)
            for words in (("state",), ("replay", "--verify"), ("journal", "verify"),
                          ("journal", "stat"), ("journal", "dump")):
                told = shrike(*words, folder + "/kept")
                self.assertEqual((told.returncode, told.stdout), (1, ""), words)
                self.assertIn("in memory only (journal: stage) and is gone", told.stderr)

    def test_names_of_directories(self):
        """A run is not called '..', which would be another directory than its own."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            for name in (".", "..", ".hidden"):
                path = os.path.join(folder, "run.yaml")
                with open(path, "w") as f:
                    f.write(f"name: {name}\n")
                told = shrike("check", path)
                self.assertEqual(told.returncode, 1)
                self.assertIn(f"run.yaml:1:7: name: name '{name}' begins with '.'", told.stderr)

    def test_too_many_series(self):
        """The 257th series is refused with its place and how many there may be."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            with open(os.path.join(folder, "one.csv"), "w") as f:
                f.write("open_time,open,high,low,close,volume\n1704067200000,10,11,9,10,5\n")
            path = run_file(folder, sources="[]")
            with open(path) as f:
                text = f.read()
            many = "".join(f"  I{i}: {{kind: linear, base: B{i}, quote: USDT, tick_size: 1, "
                           "lot_size: 1, maker_fee: 0, taker_fee: 0}\n" for i in range(257))
            rest = "".join(f"  - {{kind: klines, instrument: I{i}, interval: 1h, file: one.csv}}\n"
                           for i in range(257))
            text = text.replace("instruments:\n", "instruments:\n" + many, 1)
            with open(path, "w") as f:
                f.write(text.replace("sources: []\n", "sources:\n" + rest))
            told = shrike("check", path)
            self.assertEqual(told.returncode, 1, told.stdout)
            self.assertRegex(told.stderr, r"run\.yaml:\d+:5: .*more than 256 series on a shard")

    def test_empty_word(self):
        """An empty word is no 'all of them': a script's unset variable stops nothing."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            for words in (("pause", ""), ("stop", ""), ("",), ("set", "a", "b", "c" * 600)):
                told = shrike("ctl", folder, *words)
                self.assertEqual(told.returncode, 2, words)

    def test_refused_start(self):
        """A start that was refused leaves no run, and no stage: the mended file starts there."""
        with tempfile.TemporaryDirectory(prefix="shrike-test-") as folder:
            done = self.begin(folder, "{segment: 65536}")
            self.assertEqual(done.returncode, 1, done.stdout)
            state = shrike("state", folder + "/kept")
            self.assertEqual(state.returncode, 1)
            self.assertIn("no run is there", state.stderr)
            mended = self.begin(folder, "{segment: 131072}")
            self.assertEqual(mended.returncode, 0, mended.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
