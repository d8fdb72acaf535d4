"""Goal: every figure of a run's statistics is what its published definition says.
Method: real runs over real prices (BTC with funding and ETH, hourly for years, SPY daily for twenty;
two accounts and three strategies in one); summary.json and daily.csv are compared, figure by figure,
with tests/reference/stats.py, which reckons them in decimals of 50 digits from the other result files
and the price files, to 1e-9 relative (1e-12 absolute where a figure is next to nothing)."""
# once: what is compared does not depend on how the tree was compiled; CI's release build runs it
import datetime
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
import stats  # noqa: E402
from stats import D  # noqa: E402

DAILY = os.path.join(SOURCE, "..", "shared", "data", "equities_us", "daily")


class Compare:
    """Compares values and keeps what differs."""

    def __init__(self):
        self.count, self.bad, self.worst = 0, [], (0.0, "")

    def __call__(self, name, got, want):
        """Holds one figure against the reference's; None is null."""
        self.count += 1
        if want is None or got is None:
            if (got is None) != (want is None):
                self.bad.append("%s: engine %s, reference %s" % (name, got, want))
            return
        off = abs(D(repr(got)) - want)
        part = float(off / abs(want)) if want else float(off)
        if off > D("1e-9") * abs(want) and off > D("1e-12"):
            self.bad.append("%s: engine %r, reference %.15g (off by %.2g)" % (name, got, want,
                                                                              part))
        elif off > D("1e-12") and part > self.worst[0]:
            self.worst = (part, name)

    def same(self, name, got, want):
        """Holds what must be equal to the letter."""
        self.count += 1
        if got != want:
            self.bad.append("%s: engine %s, reference %s" % (name, got, want))

    def table(self, name, got, want):
        """Holds the rows of a table."""
        self.same(name + " rows", len(got), len(want))
        for i, (g, w) in enumerate(zip(got, want)):
            for key, value in g.items():
                if isinstance(value, str):
                    self.same("%s[%d].%s" % (name, i, key), value, w[key])
                else:
                    self("%s[%d].%s" % (name, i, key), value, w[key])


def side(compare, name, got, want):
    """side compares the trades of one side."""
    for key, value in got.items():
        compare("%s.%s" % (name, key), value, want[key])


def curve(compare, name, got, want, days):
    """curve compares all of one curve."""
    compare.same(name + " figures", sorted(got["figures"]), sorted(want.f))
    for key, value in want.f.items():
        compare("%s.%s" % (name, key), got["figures"].get(key), value)
    side(compare, name + ".long", got["long"], want.longs)
    side(compare, name + ".short", got["short"], want.shorts)
    compare.same(name + " drawdowns", len(got["drawdowns"]), len(want.falls))
    for i, (g, w) in enumerate(zip(got["drawdowns"], want.falls)):
        for k, key in enumerate(("depth", "peak_ns", "trough_ns", "recovery_ns")):
            if k:
                compare.same("%s.drawdown[%d].%s" % (name, i, key), g[key], w[k])
            else:
                compare("%s.drawdown[%d].depth" % (name, i), g[key], w[k])
    compare.table(name + ".years", got["years"], want.years)
    compare.table(name + ".months", got["months"], want.months)
    compare.table(name + ".regimes", got["regimes"], want.phases)
    compare.same(name + " days in bins", sum(b["days"] for b in got["histogram"]), len(want.r))
    for b in got["histogram"]:
        inside = [x for x in want.r if D(repr(b["from"])) <= x < D(repr(b["until"]))]
        compare.same("%s.bin %g" % (name, b["from"]), b["days"], len(inside))
    compare.same(name + " days", len(days), len(want.run.grid))
    for i, row in enumerate(days):
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=want.run.grid[i])
        compare.same("%s.day[%d]" % (name, i), row["date"], date.isoformat())
        compare.same("%s.regime[%d]" % (name, i), row["regime"], want.regime[i])
        wanted = {"equity": want.close[i], "return": want.r[i],
                  "log_return": (1 + want.r[i]).ln(),
                  "benchmark": want.bench[i], "benchmark_return": want.b[i],
                  "traded": want.traded[i], "gross": want.gross[i],
                  "rolling_return": want.roll[i][0], "rolling_volatility": want.roll[i][1],
                  "rolling_sharpe": want.roll[i][2],
                  "underwater": 1 - want.close[i] / max([want.start] + want.close[:i + 1])}
        for key, value in wanted.items():
            compare("%s.day[%d].%s" % (name, i, key), float(row[key]) if row[key] else None, value)


def check(scratch, name, run, prices, options=None):
    """check runs a backtest and compares its statistics; returns what differs."""
    began = time.time()
    out = backtest(run, os.path.join(scratch, name))
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    told = summary["statistics"]
    took = time.time() - began
    reference = stats.Run(out, summary, prices, run["instruments"], options)
    compare = Compare()
    compare("days a year", told["basis"]["days_a_year"], reference.A)
    trips, want = rows_of(os.path.join(out, "trades.csv")), stats.trades_of(reference, {
        a["account"] for a in summary["accounts"]})
    compare.same("trades", len(trips), len(want))
    for t, w in zip(trips, want):
        for key in ("mae", "mfe"):
            compare("trade at %s: %s" % (t["exit_ns"], key), float(t[key]), w[key])
    daily = rows_of(os.path.join(out, "daily.csv"))
    accounts = [a["account"] for a in summary["accounts"]]
    curves = {a: stats.points_of(reference, a) for a in accounts}
    if len(accounts) > 1:
        curves["total"] = stats.together([curves[a] for a in accounts])
    compare.same("curves", [c["curve"] for c in told["curves"]], list(curves))
    for c in told["curves"]:
        who = accounts if c["curve"] == "total" else [c["curve"]]
        last = stats.Report(reference, curves[c["curve"]], who)
        curve(compare, c["curve"], c, last, [r for r in daily if r["curve"] == c["curve"]])
    whole, want = told["portfolio"], stats.portfolio(reference, last)
    for key, value in whole.items():
        if key != "strategies":
            compare("portfolio." + key, value, want[key])
    for g, w in zip(whole["strategies"], want["strategies"]):
        for key, value in g.items():
            if key == "correlation":
                for k, v in enumerate(value):
                    compare("%s.correlation[%d]" % (g["strategy"], k), v, w[key][k])
            elif key == "figures":
                one = stats.alone(reference, last, g["strategy"], w["parts"])
                for figure, v in value.items():
                    compare("%s.%s" % (g["strategy"], figure), v, one.f[figure])
            elif key == "selection":
                continue  # follows from the figures; tests/cli/test_compare.py
            elif key != "strategy":
                compare("%s.%s" % (g["strategy"], key), value, w[key])
    compare.same("strategies", [s["strategy"] for s in whole["strategies"]],
                 [s["strategy"] for s in want["strategies"]])
    print("%-8s %6d figures, %d differ, largest difference %.1e (%s); run %.1f s, reference %.1f s"
          % (name, compare.count, len(compare.bad), *compare.worst, took,
             time.time() - began - took), flush=True)
    return ["%s: %s" % (name, b) for b in compare.bad]


def spy(scratch):
    """spy writes SPY's daily bars as klines."""
    path = os.path.join(scratch, "spy.csv")
    with open(path, "w") as f:
        f.write("open_time_ms,open,high,low,close,volume\n")
        for r in stats.rows(os.path.join(DAILY, "SPY_1d_1999-2020.csv.zst")):
            day = datetime.date.fromisoformat(r["date"]) - datetime.date(1970, 1, 1)
            f.write("%d,%s,%s,%s,%s,%s\n" % (day.days * 86400000, r["open"], r["high"], r["low"],
                                             r["close"], r["volume"]))
    return path


def main():
    """Runs and compares all."""
    if not os.path.isdir(KLINES):
        print("skipped: ../shared/data is not here")
        return 0
    bad, hour, cash = [], 3600 * 10**9, {"main": {"quote": "USDT", "cash": 100000}}
    with Scratch() as scratch:
        btc = "binance_um_BTCUSDT_1h_2019-2023.csv.zst"
        run = run_of("btc", [klines("BTC-PERP", "1h", btc)],
                     {"sma": cross("BTC-PERP", "main", "1h", {"fraction": 0.5}, fast=20, slow=100,
                                   short="true")}, cash)
        run["sources"].append({"kind": "funding", "instrument": "BTC-PERP",
                               "file": os.path.abspath(os.path.join(
                                   KLINES, "..", "funding",
                                   "binance_um_BTCUSDT_funding_2019-2023.csv"))})
        bad += check(scratch, "btc", run, {"BTC-PERP": stats.bars(os.path.join(KLINES, btc), hour)})

        eth = "binance_spot_ETHUSDT_1h_2018-2023.csv.zst"
        run = run_of("eth", [klines("ETH", "1h", eth)],
                     {"sma": cross("ETH", "main", "1h", {"fraction": 0.9}, fast=50, slow=300)},
                     cash, statistics={"risk_free": 0.03, "required_return": 0.05, "trials": 40,
                                       "trials_variance": 0.0004, "rolling_days": 30})
        bad += check(scratch, "eth", run, {"ETH": stats.bars(os.path.join(KLINES, eth), hour)},
                     {"risk_free": D("0.03"), "required_return": D("0.05"), "trials": 40,
                      "variance": D("0.0004"), "rolling": 30})

        path = spy(scratch)
        run = run_of("spy", [klines("BTC", "1d", path)],
                     {"sma": cross("BTC", "main", "1d", {"fraction": 1}, fast=10, slow=50)}, cash)
        bad += check(scratch, "spy", run, {"BTC": stats.bars(path, 86400 * 10**9)})

        ltc, xrp = ("binance_spot_%sUSDT_1h_2022-2023.csv.zst" % s for s in ("LTC", "XRP"))
        run = run_of("many", [klines("LTC", "1h", ltc), klines("XRP", "1h", xrp)],
                     {"a": cross("LTC", "one", "1h", {"fraction": 0.6}, fast=12, slow=60),
                      "b": cross("XRP", "one", "1h", {"notional": 20000}, fast=10, slow=40),
                      "c": cross("XRP", "two", "1h", {"fraction": 0.9}, fast=30, slow=200)},
                     {"one": {"quote": "USDT", "cash": 100000},
                      "two": {"quote": "USDT", "cash": 50000}},
                     statistics={"select": {"win_rate": '">= 0.6"', "max_drawdown": '"< 0.9"'}})
        bad += check(scratch, "many", run, {i: stats.bars(os.path.join(KLINES, p), hour)
                                            for i, p in (("LTC", ltc), ("XRP", xrp))})
        with open(os.path.join(scratch, "many", "out", "summary.json")) as f:
            for c in json.load(f)["statistics"]["curves"]:
                chosen = [t["pass"] for t in c["selection"]["thresholds"]]
                want = [c["figures"]["win_rate"] >= 0.6, c["figures"]["max_drawdown"] < 0.9]
                if chosen != want or c["selection"]["chosen"] != all(want):
                    bad.append("selection of %s: %s" % (c["curve"], c["selection"]))
    for b in bad[:40]:
        print(b)
    if bad:
        print("%d figures differ" % len(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
