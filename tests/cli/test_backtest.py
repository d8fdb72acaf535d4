#!/usr/bin/env python3
"""Goal    `shrike backtest` writes the result files as promised, whose figures hold together to the
        last unit, alike over placements; and says in one sentence what it refuses.
Method  a seeded invented market, spot and linear, two accounts, short and long, stops and targets;
        round trips, averages and cash are reckoned again here from fills.csv in plain integers."""
import json
import os
import shutil
import unittest

from front import HEADINGS, UNIT, folder_with_data, klines, rows, run_file, shrike, units

NAMES = ["orders", "fills", "trades", "equity"]


class Backtest(unittest.TestCase):
    """One run, looked at from all sides."""

    @classmethod
    def setUpClass(cls):
        cls.keep = folder_with_data()
        cls.folder = cls.keep.name
        cls.out = os.path.join(cls.folder, "out")
        cls.done = shrike("backtest", run_file(cls.folder), "--out", cls.out)
        assert cls.done.returncode == 0, cls.done.stderr

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def test_headings(self):
        """Headings as declared, columns only added at the end, no exponent, no blank."""
        for name in NAMES:
            with open(os.path.join(self.out, name + ".csv")) as f:
                text = f.read()
            lines = text.split("\n")
            self.assertTrue(lines[0].startswith(HEADINGS[name]), lines[0])
            self.assertEqual(lines[-1], "")
            self.assertGreater(len(lines), 50)
            for line in lines[1:-1]:
                self.assertEqual(line.count(","), lines[0].count(","))
                for cell in line.split(","):
                    self.assertRegex(cell, r"^(-?[0-9]+(\.[0-9]*[1-9])?|[A-Za-z][A-Za-z0-9_-]*|)$")

    def test_too_small(self):
        """Signals whose size is below one lot leave a line in report and summary."""
        out = os.path.join(self.folder, "small")
        path = run_file(self.folder, name="small.yaml")
        with open(path) as f:
            text = f.read().replace("sizing: {fixed: 0.75}", "sizing: {notional: 20}")
        with open(path, "w") as f:
            f.write(text)
        done = shrike("backtest", path, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(out, "summary.json")) as f:
            counts = json.load(f)["signals_without_order_by_reason"]
        self.assertGreater(counts["size_below_lot"], 10)
        self.assertRegex(done.stdout, r"not made for +.*size_below_lot %d\b" % counts["size_below_lot"])
        self.assertNotIn("cross", {o["strategy"] for o in rows(out, "orders")})

    def test_orders_are_their_fills(self):
        """Filled quantity, average price and status of each order follow from its fills."""
        filled, cost = {}, {}
        for f in rows(self.out, "fills"):
            q, p = units(f["quantity"]), units(f["price"])
            product = q * p
            cash = -(-product // UNIT) if f["side"] == "buy" else product // UNIT
            key = f["client_order_id"]
            filled[key] = filled.get(key, 0) + q
            cost[key] = cost.get(key, 0) + cash
        seen, kinds = set(), set()
        for o in rows(self.out, "orders"):
            key = o["client_order_id"]
            self.assertNotIn(key, seen)
            seen.add(key)
            kinds.add(o["type"])
            self.assertEqual(units(o["filled_quantity"]), filled.get(key, 0))
            self.assertEqual(o["status"] == "filled", filled.get(key, 0) == units(o["quantity"]))
            if key in filled:
                self.assertEqual(units(o["average_price"]), cost[key] * UNIT // filled[key])
            else:
                self.assertEqual(o["average_price"], "")
                self.assertNotEqual(o["reason"], "")
            self.assertEqual(o["stop_price"] != "", o["type"] == "stop")
            self.assertEqual(o["price"] != "", o["type"] == "limit")
        self.assertLessEqual(set(filled), seen)
        self.assertIn("stop", kinds)
        self.assertIn("limit", kinds)
        made = [int(o["created_ns"]) for o in rows(self.out, "orders")]
        self.assertEqual(made, sorted(made))

    def test_round_trips(self):
        """trades.csv made again from fills.csv."""
        held, open_trip, expected = {}, {}, []
        for f in rows(self.out, "fills"):
            key = (f["strategy"], f["account"], f["instrument"])
            part_left, price = units(f["quantity"]), units(f["price"])
            sign = 1 if f["side"] == "buy" else -1
            lot = units("0.001")
            base_fee = units(f["fee"]) if f["fee_asset"] != "USDT" else 0
            while part_left:
                before = held.get(key, 0)
                closing = before * sign < 0
                part = min(part_left, abs(before)) if closing and f["instrument"] != "ETH" \
                    else part_left
                part_left -= part
                trip = open_trip.get(key)
                if trip is None:
                    trip = open_trip[key] = {"side": f["side"], "in": [0, 0], "out": [0, 0],
                                             "entry_ns": f["time_ns"], "pnl": 0}
                where = trip["out" if closing else "in"]
                where[0] += part
                where[1] += part * price
                if closing:
                    trip["pnl"] += units(f["realized_pnl"])
                held[key] = before + sign * part - base_fee
                base_fee = 0
                if closing and abs(held[key]) < lot:
                    expected.append([*key, trip["side"], trip["entry_ns"], f["time_ns"],
                                     trip["out"][0], trip["in"][1] // trip["in"][0],
                                     trip["out"][1] // trip["out"][0], trip["pnl"]])
                    del open_trip[key]
        got = [[t["strategy"], t["account"], t["instrument"], t["side"], t["entry_ns"],
                t["exit_ns"], units(t["quantity"]), units(t["entry_price"]),
                units(t["exit_price"]), units(t["realized_pnl"])] for t in rows(self.out, "trades")]
        self.assertGreater(len(got), 50)
        self.assertEqual(got, expected)
        self.assertEqual({t[3] for t in got if t[2] == "BTC-PERP"}, {"buy", "sell"})

    def test_money_adds_up(self):
        """Cash at the end of the linear account = deposit + realised P&L - fees; equity = cash +
        unrealised; the summary says the same as the files."""
        with open(os.path.join(self.out, "summary.json")) as f:
            summary = json.load(f)
        main = summary["accounts"][0]
        fills = [f for f in rows(self.out, "fills") if f["account"] == "main"]
        pnl = sum(units(f["realized_pnl"]) for f in fills)
        fees = sum(units(f["fee"]) for f in fills)
        self.assertEqual(units(main["cash"]), 100000 * UNIT + pnl - fees)
        self.assertEqual(units(main["realized_pnl"]), pnl)
        self.assertEqual(units(main["fees"]), fees)
        last = [m for m in rows(self.out, "equity") if m["account"] == "main"][-1]
        self.assertEqual((main["start"], main["funding"], main["liquidations"]), ("100000", "0", 0))
        for figure in ("cash", "free", "locked", "unrealized_pnl", "equity"):
            self.assertEqual(units(main[figure]), units(last[figure]), figure)
        marks = rows(self.out, "equity")
        peak, deepest = {"main": 100000 * UNIT, "other": 50000 * UNIT}, {"main": 0.0, "other": 0.0}
        for m in marks:
            e, who = units(m["equity"]), m["account"]
            if who == "main":
                self.assertEqual(e, units(m["cash"]) + units(m["unrealized_pnl"]))
            peak[who] = max(peak[who], e)
            deepest[who] = max(deepest[who], (peak[who] - e) / peak[who])
        for account in summary["accounts"]:
            fall = units(account["max_drawdown_money"]) / UNIT
            self.assertLessEqual(fall, account["max_drawdown"] * peak[account["account"]] / UNIT + 1)
            self.assertGreaterEqual(fall, account["max_drawdown"] * units(account["start"]) / UNIT - 1)
            self.assertAlmostEqual(account["max_drawdown"], deepest[account["account"]], places=7)
            trips = [t for t in rows(self.out, "trades") if t["account"] == account["account"]]
            self.assertEqual(account["trades"], len(trips))
            self.assertEqual(account["wins"], sum(units(t["net_pnl"]) > 0 for t in trips))
        self.assertEqual(summary["orders"], len(rows(self.out, "orders")))
        self.assertEqual(summary["fills"], len(rows(self.out, "fills")))
        self.assertEqual(sum(summary["orders_by_status"].values()), summary["orders"])

    def test_manifest(self):
        """The manifest names configuration, data, code and the rules."""
        with open(os.path.join(self.out, "manifest.json")) as f:
            manifest = json.load(f)
        for key in ("config_hash", "build"):
            self.assertRegex(manifest[key], "^[0-9a-f]{64}$")
        self.assertEqual([d["rows"] for d in manifest["data"]], [1500, 1500])
        self.assertEqual(len({d["hash"] for d in manifest["data"]}), 2)
        models = {m.split(":")[0]: m for m in manifest["models"]}
        self.assertEqual(sorted(models), ["instrument BTC-PERP", "instrument ETH", "risk risk",
                                          "venue sim"])
        self.assertIn("slippage_bps: 0.5", models["instrument BTC-PERP"])
        self.assertIn("max_order_notional: ", models["risk risk"])
        self.assertIn("accounts without margin are never liquidated", " ".join(manifest["rules"]))
        self.assertEqual({a["margin"] for a in manifest["accounts"]}, {"none"})
        self.assertEqual((manifest["clock"], manifest["seed"]), ("virtual", 3))

    def test_report(self):
        """The printed report is short, aligned and without colours in a pipe."""
        text = self.done.stdout
        self.assertLess(len(text.splitlines()), 40)
        self.assertNotIn("\033", text)
        for word in ("return", "max drawdown", "profit factor", "by status", "no funding"):
            self.assertIn(word, text)

    def test_placements(self):
        """Two shards, two processes and a journal in memory give the same bytes."""
        for name, how in {"two": {"shards": 2}, "process": {"processes": 2},
                          "memory": {"journal": "off"}, "stage": {"journal": "stage"}}.items():
            with self.subTest(name):
                out = os.path.join(self.folder, name)
                done = shrike("backtest", run_file(self.folder, name + ".yaml", **how), "--out",
                              out, "--json")
                self.assertEqual(done.returncode, 0, done.stderr)
                for file in [n + ".csv" for n in NAMES] + ["summary.json"]:
                    with open(os.path.join(out, file), "rb") as a, \
                            open(os.path.join(self.out, file), "rb") as b:
                        self.assertEqual(a.read(), b.read(), file)
                with open(os.path.join(out, "summary.json")) as f:
                    self.assertEqual(done.stdout, f.read())

    def test_again(self):
        """The same file into the same directory is finished, not run twice: the same files."""
        out = os.path.join(self.folder, "again")
        before = {}
        for turn in range(2):
            done = shrike("backtest", run_file(self.folder), "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            for name in NAMES:
                with open(os.path.join(out, name + ".csv"), "rb") as f:
                    text = f.read()
                self.assertEqual(before.setdefault(name, text), text, turn)

    def test_mended(self):
        """A start that was refused leaves its directory to the mended file."""
        folder = os.path.join(self.folder, "mended")
        os.mkdir(folder)
        out, run = os.path.join(folder, "out"), run_file(folder)
        self.assertEqual(shrike("backtest", run, "--out", out).returncode, 1)  # no data yet
        for name in ("btc.csv", "eth.csv"):
            shutil.copy(os.path.join(self.folder, name), folder)
        with open(run, "a", encoding="utf-8") as f:
            f.write("hang: 300ms\n")
        done = shrike("backtest", run, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_rerun(self):
        """A result is made again to the byte from what its directory keeps, wherever one stands and
        on two shards; other data, a changed file and moved data are told."""
        moved = os.path.join(self.folder, "made")
        os.mkdir(moved)
        for name in ("btc.csv", "eth.csv"):
            shutil.copy(os.path.join(self.folder, name), moved)
        for shards, journal in ((1, "on"), (2, "on"), (1, "off")):
            run = run_file(moved, f"{journal}{shards}.yaml", shards=shards, journal=journal)
            out = os.path.join(moved, f"{journal}{shards}")
            self.assertEqual(shrike("backtest", run, "--out", out).returncode, 0)
            os.unlink(run)  # nothing outside is needed but the data
            done = shrike("backtest", "--rerun", out, "--json", cwd="/")
            self.assertEqual(done.returncode, 0, done.stderr)
            said = json.loads(done.stdout)
            self.assertEqual((said["same"], said["same_data"], said["same_program"],
                              said["differ"]), (True, True, True, []))
            self.assertEqual(said["checksum"], said["again"])
        self.assertIn("the same, to the byte", shrike("backtest", "--rerun", out).stdout)
        with open(os.path.join(out, "fills.csv"), "a") as f:
            f.write("x\n")
        done = shrike("backtest", "--rerun", out, "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["differ"]), (1, ["fills.csv"]))
        first = os.path.join(moved, "on1")
        away = os.path.join(self.folder, "away")
        os.mkdir(away)
        for name in ("btc.csv", "eth.csv"):
            os.rename(os.path.join(moved, name), os.path.join(away, name))
        self.assertIn("cannot read", shrike("backtest", "--rerun", first).stderr)
        self.assertEqual(shrike("backtest", "--rerun", first, "--base", away).returncode, 0)
        klines(os.path.join(away, "btc.csv"), 99, 1500, 42000.0)
        done = shrike("backtest", "--rerun", first, "--base", away, "--json")
        said = json.loads(done.stdout)
        self.assertEqual((done.returncode, said["same"], said["same_data"]), (1, False, False))
        self.assertIn("trades.csv", said["differ"])
        self.assertEqual(shrike("backtest", "--rerun", away).returncode, 1)
        self.assertEqual(shrike("backtest", "--rerun", first, "--out", "x").returncode, 2)
        self.assertEqual(shrike("backtest", "x.yaml", "--out", "x", "--base", "y").returncode, 2)

    def test_refusals(self):
        """Another run's directory, changed data, wrong usage."""
        other = run_file(self.folder, "other.yaml", shards=2)
        done = shrike("backtest", other, "--out", self.out)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^shrike backtest: error: .*another configuration.*\n$")
        moved = os.path.join(self.folder, "moved")
        os.mkdir(moved)
        for name in ("btc.csv", "eth.csv"):
            shutil.copy(os.path.join(self.folder, name), moved)
        run, out = run_file(moved), os.path.join(moved, "out")
        self.assertEqual(shrike("backtest", run, "--out", out).returncode, 0)
        with open(os.path.join(moved, "eth.csv"), "a") as f:
            f.write("1709467200000,2300,2300,2300,2300,1,1709470799999,1,1,1,1,0\n")
        done = shrike("backtest", run, "--out", out)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^shrike backtest: error: .*the data of ETH 1h.*\n$")
        self.assertEqual(shrike("backtest").returncode, 2)
        self.assertEqual(shrike("backtest", run).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
