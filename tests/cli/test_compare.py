#!/usr/bin/env python3
"""Goal    `shrike compare` finds every difference between two runs, names its cause and its money,
        and finds none where there is none (BT-6).
Method  Result directories written here by hand, whose differences are known one by one; a real
        backtest against itself, against the same run on other shards and with another fee; broken
        directories."""
# once: the same words however it was compiled
import json
import os
import random
import re
import shutil
import tempfile
import unittest

from front import HEADINGS, folder_with_data, klines, rows, run_file, shrike, units

T0 = 1704067200 * 10**9
MINUTE = 60 * 10**9


def order(n, at, **more):
    """An order that filled at once at 100."""
    o = dict(client_order_id=f"S{n:021d}", strategy="s", account="main", instrument="X",
             symbol="X", effect="entry", side="buy", type="market", time_in_force="gtc",
             quantity="2", price="", stop_price="", status="filled", filled_quantity="2",
             average_price="100", created_ns=T0 + at * MINUTE, updated_ns=T0 + at * MINUTE,
             reason="", signal="signal_cross_up")
    o.update(more)
    return o


def write(folder, orders, equity="1000", fee="0.1"):
    """Writes a result directory whose fills follow from the orders."""
    os.makedirs(folder)
    fills = []
    for n, o in enumerate(orders):
        if o["filled_quantity"] != "0":
            fills.append(dict(time_ns=o["updated_ns"], trade_id=n + 1,
                              client_order_id=o["client_order_id"], strategy=o["strategy"],
                              account="main", instrument="X", symbol="X", side=o["side"],
                              quantity=o["filled_quantity"], price=o["average_price"],
                              liquidity="taker", fee=o.get("fee", fee), fee_asset="USDT",
                              slippage="0", realized_pnl="0"))
    marks = [dict(time_ns=T0 + 3600 * 10**9, account="main", cash=equity, unrealized_pnl="0",
                  equity=equity)]
    for name, lines in (("orders", orders), ("fills", fills), ("trades", []), ("equity", marks)):
        heading = HEADINGS[name].split(",") + (["signal"] if name == "orders" else []) + (
            ["net_pnl"] if name == "trades" else [])
        with open(os.path.join(folder, name + ".csv"), "w") as f:
            f.write(",".join(heading) + "\n")
            for line in lines:
                f.write(",".join(str(line[k]) for k in heading) + "\n")
    with open(os.path.join(folder, "manifest.json"), "w") as f:
        json.dump({"name": "by hand", "clock": "virtual", "config_hash": "ab", "build": "cd",
                   "data": [{"series": "X", "hash": "ef"}]}, f)


class Compare(unittest.TestCase):
    """Two directories side by side."""

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.n = 0

    def tearDown(self):
        shutil.rmtree(self.dir)

    def causes(self, a, b, *options, **sides):
        """What compare --json says of two lists of orders."""
        self.n += 1
        left, right = (os.path.join(self.dir, f"{k}{self.n}") for k in "ab")
        write(left, a)
        write(right, b, **sides)
        done = shrike("compare", left, right, "--json", *options)
        said = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if said["same"] else 1, done.stderr)
        plain = shrike("compare", left, right, *options)
        self.assertEqual(plain.returncode, done.returncode)
        self.assertEqual("no difference" in plain.stdout, said["same"], plain.stdout)
        return said

    def test_alike(self):
        """The same orders, whatever their ids: nothing differs."""
        a = [order(n, n) for n in range(20)]
        b = [order(n + 100, n) for n in range(20)]
        said = self.causes(a, b)
        self.assertTrue(said["same"])
        self.assertEqual((said["pairs"], said["equal"], said["causes"]), (20, 20, {}))

    def test_each_cause(self):
        """One thing is changed at a time, and it alone is named."""
        base = [order(n, n) for n in range(5)]
        table = [
            ("only_a", None, None),
            ("time", dict(created_ns=T0 + 2 * MINUTE + 5, updated_ns=T0 + 2 * MINUTE), "1s"),
            ("signal", dict(signal="signal_time_exit"), None),
            ("type", dict(time_in_force="ioc"), None),
            ("type", dict(effect="exit"), None),
            ("price", dict(price="99.5"), None),
            ("price", dict(stop_price="99.5"), None),
            ("quantity", dict(quantity="3"), None),
            ("status", dict(status="canceled"), None),
            ("status", dict(reason="by_operator"), None),
            ("fill_price", dict(average_price="101.25"), None),
            ("fee", dict(fee="0.35"), None),
            ("fill_time", dict(updated_ns=T0 + 3 * MINUTE), None),
        ]
        for cause, change, tolerance in table:
            with self.subTest(cause=cause, change=change):
                b = [dict(o) for o in base]
                if change is None:
                    del b[2]
                else:
                    b[2].update(change)
                said = self.causes(base, b, *(["--tolerance", tolerance] if tolerance else []))
                self.assertEqual(list(said["causes"]), [cause])
                self.assertEqual(said["causes"][cause]["count"], 1)
                self.assertEqual(said["causes"][cause]["first_ns"], T0 + 2 * MINUTE)
                money = {"fill_price": "-2.5", "fee": "-0.25"}.get(cause, "0")
                self.assertEqual(said["causes"][cause]["money"], money)
                self.assertEqual(len(said["differences"]), 1)
        other = self.causes(base, base + [order(9, 9)])
        self.assertEqual(list(other["causes"]), ["only_b"])
        self.assertEqual(other["positions_part_ns"], T0 + 9 * MINUTE)

    def test_sides(self):
        """A sell that fills lower came out worse; like pairs with like at one instant."""
        a = [order(1, 1, side="sell", average_price="100"), order(2, 1)]
        b = [order(1, 1), order(2, 1, side="sell", average_price="99")]
        said = self.causes(a, b)
        self.assertEqual(list(said["causes"]), ["fill_price"])
        self.assertEqual(said["causes"]["fill_price"]["money"], "-2")
        turned = self.causes([order(1, 1)], [order(1, 1, side="sell")])
        self.assertEqual(list(turned["causes"]), ["side"])

    def test_equity(self):
        """Orders alike but other money is a difference too."""
        said = self.causes([order(1, 1)], [order(1, 1)], equity="1001.5")
        self.assertFalse(said["same"])
        self.assertEqual(said["equity_most"], "1.5")

    def test_random(self):
        """Orders dropped at random from either side are all found, and nothing else."""
        seed = int(os.environ.get("SHRIKE_SEED") or random.randrange(2**32))
        print("seed", seed)
        walk = random.Random(seed)
        for _ in range(10):
            whole = [order(n, n // 2, side=walk.choice(["buy", "sell"]),
                           strategy=walk.choice("pq")) for n in range(walk.randrange(1, 80))]
            a = [o for o in whole if walk.random() < 0.9]
            b = [o for o in whole if walk.random() < 0.9]
            mine, theirs = ({o["client_order_id"] for o in x} for x in (a, b))
            key = lambda o: (o["strategy"], o["side"], o["created_ns"])
            left, right = sorted(map(key, a)), sorted(map(key, b))
            common = list(left)
            for k in right:
                if k in common:
                    common.remove(k)
            said = self.causes(a, b)
            pairs = said["pairs"]
            self.assertEqual(pairs + said["causes"].get("only_a", {"count": 0})["count"], len(a))
            self.assertEqual(pairs + said["causes"].get("only_b", {"count": 0})["count"], len(b))
            self.assertGreaterEqual(pairs, len(left) - len(common))
            self.assertGreaterEqual(said["equal"], len(left) - len(common))
            self.assertEqual(said["same"], mine == theirs)

    def test_runs(self):
        """Real runs: the same on two shards is the same; other fees are fees and nothing else."""
        data = os.path.join(self.dir, "x.csv")
        klines(data, 7, 3000)
        text = """name: cmp
clock: virtual
instruments:
  X: {kind: linear, base: X, quote: USDT, tick_size: 0.1, lot_size: 0.001, maker_fee: 0.0002, taker_fee: FEE}
accounts: {main: {quote: USDT, cash: 100000}}
SHARDS
sources: [{kind: klines, instrument: X, interval: 1h, file: x.csv}]
actors:
  s: {kind: strategy, class: sma_cross, instruments: [X], interval: 1h, account: main, params: {fast: 5, slow: 20}, sizing: {fixed: 1}}
  risk: {kind: risk, limits: {max_order_quantity: 100, max_order_notional: 1000000, price_collar: 0.5, max_position: 100, order_rate: {count: 1000, per: 1s}, duplicate_window: 1ms, max_open_orders: 100}}
  execution: {kind: execution}
  venue: {kind: venue, shard: WHERE}
  portfolio: {kind: portfolio}
"""
        def run(name, fee, shards, where):
            path = os.path.join(self.dir, name + ".yaml")
            with open(path, "w") as f:
                f.write(text.replace("FEE", fee).replace("SHARDS", shards).replace("WHERE", where))
            out = os.path.join(self.dir, name)
            done = shrike("backtest", path, "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            return out
        one = run("one", "0.0005", "shards: {main: {}}", "main")
        two = run("two", "0.0005", "shards: {main: {}, second: {}}", "second")
        dear = run("dear", "0.001", "shards: {main: {}}", "main")
        self.assertEqual(shrike("compare", one, two).returncode, 0)
        done = shrike("compare", one, dear, "--json")
        self.assertEqual(done.returncode, 1)
        said = json.loads(done.stdout)
        fills = len(rows(one, "fills"))
        self.assertGreater(fills, 20)
        self.assertEqual(list(said["causes"]), ["fee"])
        self.assertEqual(said["causes"]["fee"]["count"], fills)
        cost = sum(units(f["fee"]) for f in rows(dear, "fills")) - \
            sum(units(f["fee"]) for f in rows(one, "fills"))
        self.assertEqual(units(said["causes"]["fee"]["money"]), -cost)

    def test_broken(self):
        """What is no result directory is refused in one line."""
        write(os.path.join(self.dir, "good"), [order(1, 1)])
        good = os.path.join(self.dir, "good")
        def broken(name, change):
            folder = os.path.join(self.dir, name)
            shutil.copytree(good, folder)
            change(folder)
            done = shrike("compare", good, folder)
            self.assertEqual(done.returncode, 1, name)
            self.assertEqual(done.stdout, "")
            self.assertIn(name + "/", done.stderr)
            return done.stderr
        def edit(file, old, new):
            def change(folder):
                path = os.path.join(folder, file)
                with open(path) as f:
                    text = f.read()
                self.assertIn(old, text)
                with open(path, "w") as f:
                    f.write(text.replace(old, new))
            return change
        self.assertIn("No such file", broken("none", lambda d: os.unlink(d + "/orders.csv")))
        self.assertIn("no column created_ns", broken("col", edit("orders.csv", "created_ns", "x")))
        self.assertIn("columns; expected", broken("cut", edit("fills.csv", ",taker", "")))
        self.assertIn("fills.csv:2", broken("num", edit("fills.csv", ",buy,2,", ",buy,1e2,")))
        self.assertIn("is empty", broken("void", lambda d: open(d + "/equity.csv", "w").close()))
        self.assertEqual(shrike("compare", good).returncode, 2)
        self.assertEqual(shrike("compare", good, good, "--tolerance", "1x").returncode, 2)
        self.assertEqual(shrike("compare", good, good, "--limit", "-1").returncode, 2)

    def test_rank(self):
        """Runs best first, those that pass all thresholds before the rest; strategies of a run: with
        one alone its Sharpe, return and round trips are the run's, with two they add up to it."""
        data = os.path.join(self.dir, "x.csv")
        klines(data, 7, 3000)
        text = """name: NAME
clock: virtual
journal: "off"
instruments:
  X: {kind: linear, base: X, quote: USDT, tick_size: 0.1, lot_size: 0.001, maker_fee: 0.0002, taker_fee: FEE}
accounts: {main: {quote: USDT, cash: 100000}}
statistics: {risk_free: 0.01, select: {trades: ">= 1", total_return: "RULE"}}
sources: [{kind: klines, instrument: X, interval: 1h, file: x.csv}]
actors:
  s: {kind: strategy, class: sma_cross, instruments: [X], interval: 1h, account: main, params: {fast: 5, slow: 20}, sizing: {fixed: 1}}
  OTHER
  risk: {kind: risk, limits: {max_order_quantity: 100, max_order_notional: 1000000, price_collar: 0.5, max_position: 100, order_rate: {count: 1000, per: 1s}, duplicate_window: 1ms, max_open_orders: 100}}
  execution: {kind: execution}
  venue: {kind: venue}
  portfolio: {kind: portfolio}
"""
        other = "t: {kind: strategy, class: sma_cross, instruments: [X], interval: 1h, account: " \
                "main, params: {fast: 9, slow: 31}, sizing: {fixed: 2}}"
        def run(name, fee="0.0005", rule=">= -1", more=""):
            path = os.path.join(self.dir, name + ".yaml")
            with open(path, "w") as f:
                f.write(text.replace("NAME", name).replace("FEE", fee).replace("RULE", rule)
                        .replace("OTHER", more))
            out = os.path.join(self.dir, name)
            done = shrike("backtest", path, "--out", out, "--no-html")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(out, "summary.json")) as f:
                return out, json.load(f)["statistics"]
        def rank(*words):
            done = shrike("compare", "--rank", *words, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)
        runs = {n: run(n, **more) for n, more in (
            ("dear", {"fee": "0.001"}), ("cheap", {"fee": "0"}), ("none", {"rule": ">= 9"}),
            ("both", {"more": other}))}
        dirs = {n: r[0] for n, r in runs.items()}
        said = rank(dirs["dear"], dirs["none"], dirs["cheap"])
        self.assertTrue(said["comparable"])
        self.assertEqual([r["name"] for r in said["rows"]], ["cheap", "dear", "none"])
        self.assertEqual([r["rank"] for r in said["rows"]], [1, 2, 3])
        self.assertEqual([(r["passed"], r["thresholds"], r["failed"]) for r in said["rows"]],
                         [(2, 2, ""), (2, 2, ""), (1, 2, "total_return")])
        for row in said["rows"]:
            figures = runs[row["name"]][1]["curves"][-1]["figures"]
            for mine, theirs in (("return", "total_return"), ("drawdown", "max_drawdown"),
                                 ("sharpe", "sharpe"), ("trades", "trades"),
                                 ("win_rate", "win_rate")):
                self.assertEqual(row[mine], figures[theirs], mine)
        for by, key in (("return", lambda r: -r["return"]), ("drawdown", lambda r: r["drawdown"]),
                        ("trades", lambda r: -r["trades"])):
            got = rank(dirs["dear"], dirs["both"], dirs["cheap"], "--by", by)["rows"]
            self.assertEqual(got, sorted(got, key=lambda r: (key(r), r["rank"])), by)
        alone = rank(dirs["cheap"])["rows"]
        self.assertEqual([r["name"] for r in alone], ["s"])
        figures = runs["cheap"][1]["curves"][-1]["figures"]
        self.assertAlmostEqual(alone[0]["sharpe"], figures["sharpe"], 7)
        self.assertEqual(alone[0]["trades"], figures["trades"])
        self.assertEqual(alone[0]["win_rate"], figures["win_rate"])
        two = rank(dirs["both"], "--by", "return")["rows"]
        self.assertEqual(sorted(r["name"] for r in two), ["s", "t"])
        self.assertGreaterEqual(two[0]["return"], two[1]["return"])
        self.assertAlmostEqual(sum(r["return"] for r in two),
                               runs["both"][1]["portfolio"]["return"], 9)
        for row in two:
            self.assertEqual(row["trades"], sum(
                t["strategy"] == row["name"] for t in rows(dirs["both"], "trades")))
        self.assertEqual(len(rank(dirs["both"], dirs["cheap"], "--strategies")["rows"]), 3)
        table = shrike("compare", "--rank", *dirs.values()).stdout
        for name in dirs:
            self.assertIn(name, table)
        self.assertIn("fails total_return", table)
        self.assertEqual(shrike("compare", "--rank").returncode, 2)
        self.assertEqual(shrike("compare", "--rank", dirs["dear"], "--by", "luck").returncode, 2)
        self.assertEqual(shrike("compare", dirs["dear"], dirs["both"], "--by", "return").returncode,
                         2)
        self.assertEqual(shrike("compare", "--rank", self.dir, dirs["dear"]).returncode, 1)


class Selected(unittest.TestCase):
    """Thresholds are declared once and hold for runs and for each of their strategies."""

    def result(self, folder, name, extra, drop=None):
        """A backtest of front's two strategies with more keys; (its directory, its statistics)."""
        path = run_file(folder, name + ".yaml", journal="off")
        with open(path) as f:
            text = f.read()
        if drop:
            text = "".join(part for part in re.split(r"(?m)^(?=  \w+: \{)", text)
                           if not part.startswith(f"  {drop}: "))
        with open(path, "w") as f:
            f.write(text.replace("other: {quote: USDT, cash: 50000}", "other: {quote: USDT, cash: 0}")
                    if drop else text)
            f.write(extra)
        out = os.path.join(folder, name)
        done = shrike("backtest", path, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(out, "summary.json")) as f:
            return out, json.load(f)["statistics"], done.stdout

    def test_strategies(self):
        """Each strategy of a run is held against the thresholds by its own figures."""
        keep = folder_with_data(1500)
        self.addCleanup(keep.cleanup)
        out, got, printed = self.result(keep.name, "two", 'statistics: {select: {trades: ">= 100", '
                                        'win_rate: "<= 1", sharpe: "> -1000"}}\n')
        parts = {p["strategy"]: p for p in got["portfolio"]["strategies"]}
        self.assertEqual(sorted(parts), ["cross", "slow"])
        trades = rows(out, "trades")
        for name, part in parts.items():
            mine = [t for t in trades if t["strategy"] == name]
            figures = part["figures"]
            self.assertEqual(figures["trades"], len(mine))
            won = sum(units(t["net_pnl"]) > 0 for t in mine)
            self.assertAlmostEqual(figures["win_rate"], won / len(mine), 12)
            self.assertEqual(figures["sharpe"], part["sharpe"])
            passed = {t["figure"]: t["pass"] for t in part["selection"]["thresholds"]}
            self.assertEqual(passed, {"trades": len(mine) >= 100, "win_rate": True, "sharpe": True})
            failed = "" if len(mine) >= 100 else ": fails trades"
            self.assertIn(f"{name} alone passes {2 + (len(mine) >= 100)} of 3{failed}\n", printed)
        self.assertEqual({len([t for t in trades if t["strategy"] == n]) >= 100 for n in parts},
                         {True, False})  # else the test says nothing
        ranked = json.loads(shrike("compare", "--rank", out, "--strategies", "--json").stdout)["rows"]
        self.assertEqual([(r["thresholds"], r["passed"]) for r in ranked], [(3, 3), (3, 2)])
        self.assertEqual(ranked[1]["failed"], "trades")
        with open(os.path.join(out, "report.html")) as f:
            page = f.read()
        self.assertIn("2 of 3; fails trades", page)
        self.assertIn("all 3", page)

    def test_alone(self):
        """The only strategy by itself has the figures of the whole, but for those of all marks, which
        it has of days' ends."""
        keep = folder_with_data(1500)
        self.addCleanup(keep.cleanup)
        _, got, _ = self.result(keep.name, "one", 'statistics: {select: {trades: ">= 1"}}\n', "slow")
        whole, = (c["figures"] for c in got["curves"] if c["curve"] == "total")
        alone, = (p["figures"] for p in got["portfolio"]["strategies"])
        marks = {"max_drawdown", "max_drawdown_money", "drawdown_days", "longest_drawdown_days",
                 "underwater", "gross_leverage_max", "position_value_max"}
        for name, value in whole.items():
            if name in marks:
                continue
            if value is None:
                self.assertIsNone(alone[name], name)
            else:
                self.assertAlmostEqual(alone[name], value, delta=1e-9 * max(1, abs(value)), msg=name)
        self.assertEqual(alone["max_drawdown"], alone["max_drawdown_daily"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
