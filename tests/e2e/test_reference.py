"""Goal: a backtest of the moving-average cross comes to what the rules say, to the last unit.
Method: the same run file goes through `shrike backtest` and through tests/reference/sim.py, which
was written from the rules and not from the engine; every column of orders.csv, fills.csv,
trades.csv and equity.csv and the final cash must be equal. Bars: real ones (where ../shared/data
is at hand), those of `shrike data generate`, and walks on a coarse grid with gaps, silent bars and
levels touched exactly; trades: walks with several prints of one instant. Caps on participation and
models of slippage are drawn too. Parameters come from a printed seed."""
# once: what is compared does not depend on how the tree was compiled; CI's release build runs it
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
import sim  # noqa: E402

UNITLESS = {"time_ns", "created_ns", "updated_ns", "entry_ns", "exit_ns", "trade_id"}


def text(column, value):
    """text is a value as the result files have it: exact decimals without trailing zeros."""
    if value is None:
        return ""
    if isinstance(value, str) or column in UNITLESS:
        return str(value)
    whole, part = divmod(abs(value), sim.ONE)
    tail = ("." + "%08d" % part).rstrip("0").rstrip(".")
    return "%s%d%s" % ("-" if value < 0 else "", whole, tail)


def compare(world, out):
    """compare tells how the results in out differ from world's, "" when they do not."""
    wanted = {"orders": world.order_rows(), "fills": world.fills, "trades": world.trades,
              "equity": world.equity}
    for name in FILES:
        got = rows_of(os.path.join(out, name + ".csv"))
        for i, want in enumerate(wanted[name]):
            if i >= len(got):
                break
            for column, value in want.items():
                if got[i].get(column) != text(column, value):
                    return "%s.csv row %d, %s: engine %s, reference %s\n  engine    %s\n  " \
                        "reference %s" % (name, i + 1, column, got[i].get(column),
                                          text(column, value), ",".join(map(str, got[i].values())),
                                          ",".join(text(c, v) for c, v in want.items()))
        if len(got) != len(wanted[name]):
            longer = got if len(got) > len(wanted[name]) else wanted[name]
            return "%s.csv: engine %d rows, reference %d; the first more: %s" % (
                name, len(got), len(wanted[name]), longer[min(len(got), len(wanted[name]))])
    with open(os.path.join(out, "summary.json")) as f:
        summary = json.load(f)
    for a in summary["accounts"]:
        own = world.accounts[a["account"]]
        for name, value in (("cash", own.cash), ("realized_pnl", own.earned)):
            if a[name] != text(name, value):
                return "%s of %s: engine %s, reference %s" % (name, a["account"], a[name],
                                                              text(name, value))
    return ""


class Check:
    """Runs both and keeps what differs."""

    def __init__(self, scratch):
        self.scratch, self.count, self.bad = scratch, 0, []
        self.collared = 0  # runs that the collar of risk made another test's
        self.seen = {}  # how often an order ended so, or had that signal

    def __call__(self, name, run):
        """Compares one run; a difference keeps its run file on the screen."""
        self.count += 1
        began = time.time()
        dir = os.path.join(self.scratch, "run%d" % self.count)
        try:
            out = backtest(run, dir)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            self.bad.append(name)
            print("FAIL %s: %s\n%s" % (name, e, text_of(run)), flush=True)
            return
        ran = time.time()
        if any(o["reason"] == "price_collar" for o in rows_of(os.path.join(out, "orders.csv"))):
            self.collared += 1  # a walk ran away from a stop: risk's matter, not the reference's
            print("skip %s: risk's collar refused an order" % name, flush=True)
            shutil.rmtree(dir, ignore_errors=True)
            return
        world = sim.World(run).run()
        wrong = compare(world, out)
        for o in world.orders:
            for word in (o.status, o.reason, o.signal):
                self.seen[word] = self.seen.get(word, 0) + 1
        print("%s %s: %d orders, %d fills, %d trades, %d marks (engine %.1f s, reference %.1f s)" %
              ("FAIL" if wrong else "ok  ", name, len(world.orders), len(world.fills),
               len(world.trades), len(world.equity), ran - began, time.time() - ran), flush=True)
        if wrong:
            self.bad.append(name)
            print("  " + wrong + "\n" + text_of(run), flush=True)
        shutil.rmtree(dir, ignore_errors=True)


def money(**cash):
    """money is the accounts of a run."""
    return {n: {"quote": "USDT", "cash": c} for n, c in cash.items()}


def lengths(rng, longest):
    """lengths draws the two windows."""
    slow = rng.randint(2, longest)
    return {"fast": rng.randint(1, slow - 1), "slow": slow}


def bracketed(rng, params):
    """bracketed draws whether the exits are placed with the entry, and whether the stop trails."""
    if rng.random() < 0.4:
        params["bracket"] = True
        if rng.random() < 0.5:
            params["trail_pct"] = rng.choice(["0.05", "0.3", "1", "4"])


def filled(rng, d, volume):
    """filled draws a cap and a model of slippage for an instrument."""
    if volume and rng.random() < 0.35:
        d["participation"] = rng.choice(["10%", "0.3", "100%", "0.05", "1.5%"])
    if volume and rng.random() < 0.35:
        d.pop("slippage_bps", None)
        d["slippage"] = {"model": rng.choice(["volume", "root", "root"]), "bars": rng.choice(
            [2, 3, 20, 100])}
        if rng.random() < 0.7:
            d["slippage"]["factor"] = rng.choice(["0.001", "0.013", "0.1"] + (
                ["0.5", "1"] if d["slippage"]["model"] == "root" else []))


def roomy(strategies):
    """roomy gives strategies room for all orders that parts and latency leave open."""
    for s in strategies.values():
        s["orders_max"] = 4096


def invented(rng, dir):
    """invented draws a whole run over walks: instruments, fees, sizes, stops, latency, marks."""
    base = rng.choice(["1m", "5m", "1h", "1d"])
    used = rng.sample(sorted(INSTRUMENTS), rng.randint(1, 4))
    sources, more = [], {}
    step = rng.choice([1, 0.1, 0.00013571])  # prices of the last kind make products that round
    places = 8 if step < 0.1 else 1
    for n in used:
        path = walk_file(os.path.join(dir, n + ".csv"), rng, rng.choice([200, 600, 1500]), base,
                         1704067200 * 10**9 + rng.choice([0, 0, 7]) * seconds(base) * 10**9,
                         rng.choice([200, 1000, 5000]), rng.choice([2, 5, 10]),
                         step, places)
        silent = rng.random() < 0.15
        sources.append(klines(n, base, path, **({"volume": "none"} if silent else {})))
        coarse = ["0.1", "0.01", "1", "0.5", "0.3"]
        fine = ["0.00000001", "0.0001", "0.00013571"]
        more[n] = {"slippage_bps": rng.choice(["0", "0.5", "10", "100"]),
                   "tick_size": rng.choice(fine if places == 8 else coarse),
                   "lot_size": rng.choice(["0.001", "0.00001", "1", "0.1", "0.07", "0.00000001",
                                           "0.00000007"]),
                   "min_notional": rng.choice(["0", "0", "10", "500"]),
                   "maker_fee": rng.choice(["0", "0.001", "-0.0001", "0.0002"]),
                   "taker_fee": rng.choice(["0", "0.001", "0.0004", "0.01", "0.00033333"])}
        filled(rng, more[n], not silent)
    others = {"1m": ["1m", "1m", "5m", "7m", "1h", "1d"], "5m": ["5m", "15m", "1h"],
              "1h": ["1h", "2h", "1d", "7d"], "1d": ["1d", "2d", "7d"]}[base]
    strategies = {}
    for k in range(rng.randint(1, 5)):
        params = lengths(rng, 14)
        if rng.random() < 0.5:
            params["short"] = True
        if rng.random() < 0.6:
            params["stop_loss_pct"] = rng.choice(["0.01", "0.3", "1", "3.7"])
        if rng.random() < 0.6:
            params["take_profit_pct"] = rng.choice(["0.01", "0.3", "1", "5.5"])
        bracketed(rng, params)
        size = rng.choice([("fixed", rng.choice(["1", "3", "0.5"])),
                           ("notional", rng.choice(["50", "5000"])),
                           ("fraction", rng.choice(["0.1", "0.5", "1", "1.5", "3"]))])
        strategies[rng.choice("acxz") + str(k)] = cross(
            rng.choice(used), rng.choice(["main", "second"]), rng.choice(others), dict([size]),
            **params)
    roomy(strategies)
    if rng.random() < 0.3:
        more["venue"] = {"latency": rng.choice(["1s", "30s", "1m", "90m", "3h", "1d"])}
    if rng.random() < 0.5:
        more["equity_interval"] = rng.choice(["bar", "4h", "1d", "15m"])
    if rng.random() < 0.3:
        more["deployment"] = rng.randrange(2**20)
    if rng.random() < 0.3 and base != "1d":
        more["end"] = "2024-01-02"
    elif rng.random() < 0.4:
        more["warm_up"] = "%ds" % (rng.randint(20, 120) * seconds(base))
    return run_of("walks", sources, strategies, money(main=rng.choice([100, 100000]),
                                                      second=50000), **more)


def printed(rng, dir):
    """printed draws a whole run over trades, with bars made of them: latency, stops, fees, least
    notionals, marks."""
    used = rng.sample(sorted(INSTRUMENTS), rng.randint(1, 3))
    sources, more = [], {}
    pause_ms = rng.choice([20, 300, 3000])
    for n in used:
        sources.append(trades(n, prints_file(
            os.path.join(dir, n + ".csv"), rng, rng.choice([500, 3000]),
            1704067200 * 10**9 + rng.choice([0, 1234]) * 10**6, rng.choice([500, 2000]),
            rng.choice([1, 4, 10]), 0.1, 1, pause_ms)))
        more[n] = {"slippage_bps": rng.choice(["0", "0.5", "10"]),
                   "tick_size": rng.choice(["0.1", "0.01", "0.5"]),
                   "lot_size": rng.choice(["0.001", "0.1", "0.00001"]),
                   "min_notional": rng.choice(["0", "0", "5", "60"]),
                   "maker_fee": rng.choice(["0", "0.001", "-0.0001"]),
                   "taker_fee": rng.choice(["0", "0.001", "0.00033333"])}
        filled(rng, more[n], True)
        if "slippage" in more[n] and rng.random() < 0.5:
            more[n]["slippage"]["interval"] = rng.choice(["1s", "7s", "1h"])
    strategies = {}
    for k in range(rng.randint(1, 4)):
        params = lengths(rng, 12)
        if rng.random() < 0.5:
            params["short"] = True
        if rng.random() < 0.6:
            params["stop_loss_pct"] = rng.choice(["0.1", "0.3", "1"])
        if rng.random() < 0.6:
            params["take_profit_pct"] = rng.choice(["0.1", "0.3", "1"])
        bracketed(rng, params)
        size = rng.choice([("fixed", rng.choice(["1", "0.5"])), ("notional", "61"),
                           ("fraction", rng.choice(["0.1", "0.5", "1"]))])
        strategies[rng.choice("acxz") + str(k)] = cross(
            rng.choice(used), rng.choice(["main", "second"]), rng.choice(
                ["1s", "5s", "7s", "1m"]), dict([size]), **params)
    roomy(strategies)
    if rng.random() < 0.6:
        more["venue"] = {"latency": rng.choice(["1ns", "1ms", "50ms", "1s", "1500ms", "20s"])}
    if rng.random() < 0.5:
        more["equity_interval"] = rng.choice(["bar", "10s", "1m"])
    return run_of("prints", sources, strategies, money(main=rng.choice([100, 100000]),
                                                       second=50000), **more)


def generated(check, rng, dir):
    """generated compares on bars of `shrike data generate`."""
    shrike("data", "generate", "--out", dir, "--symbols", "BTCUSDT,ETHUSDT", "--interval", "1m",
           "--days", "12", "--seed", str(rng.randrange(1, 10**6)), "--start", "2024-03-01")
    btc, eth = (os.path.join(dir, s + "-1m.csv") for s in ("BTCUSDT", "ETHUSDT"))
    check("generated 1m, four strategies", run_of(
        "generated", [klines("BTC-PERP", "1m", btc), klines("ETH", "1m", eth)], {
            "a": cross("BTC-PERP", "main", "1m", {"fraction": "0.8"}, short=True,
                       stop_loss_pct="0.4", take_profit_pct="0.7", **lengths(rng, 60)),
            "b": cross("ETH", "spot", "1m", {"fraction": "1"}, **lengths(rng, 60)),
            "c": cross("BTC-PERP", "hours", "1h", {"notional": "20000"}, short=True,
                       **lengths(rng, 20)),
            "d": cross("ETH", "spot", "15m", {"fixed": "0.3"}, take_profit_pct="0.9",
                       **lengths(rng, 30))},
        money(main=100000, spot=20000, hours=50000)))


def real(check, rng):
    """real compares on recorded bars."""
    if not os.path.isdir(KLINES):
        print("skip: no recorded klines at %s" % os.path.abspath(KLINES))
        return
    if not shutil.which("zstd"):
        print("skip: the recorded klines are packed and there is no zstd program to read them")
        return
    month = [klines("BTC-PERP", "1m", "binance_um_BTCUSDT_1m_202505.csv.zst"),
             klines("ETH-PERP", "1m", "binance_um_ETHUSDT_1m_202505.csv.zst")]
    check("30 days of 1m, BTC and ETH perpetual, one account", run_of("month", month, {
        "btc": cross("BTC-PERP", "main", "1m", {"fraction": "0.5"}, short=True,
                     **lengths(rng, 90)),
        "eth": cross("ETH-PERP", "main", "1m", {"fraction": "0.5"}, short=True,
                     **lengths(rng, 90)),
        "eth_hours": cross("ETH-PERP", "main", "1h", {"fraction": "0.3"}, **lengths(rng, 40))},
        money(main=100000)))
    check("30 days of 1m, stops and targets, 1m and 15m and 1h", run_of("month_stops", month, {
        "a": cross("BTC-PERP", "one", "1m", {"notional": "15000"}, short=True,
                   stop_loss_pct="0.25", take_profit_pct="0.4", **lengths(rng, 60)),
        "b": cross("ETH-PERP", "two", "15m", {"fixed": "2.5"}, stop_loss_pct="1",
                   **lengths(rng, 50)),
        "c": cross("ETH-PERP", "three", "1h", {"fraction": "1.2"}, short=True,
                   take_profit_pct="1.5", **lengths(rng, 30))},
        money(one=50000, two=50000, three=30000), equity_interval="15m"))
    check("three weeks of 1m after one of warm-up", run_of("month_warm", month, {
        "a": cross("BTC-PERP", "one", "1m", {"notional": "15000"}, short=True,
                   stop_loss_pct="0.25", **lengths(rng, 60)),
        "b": cross("ETH-PERP", "two", "1h", {"fraction": "1.2"}, **lengths(rng, 100))},
        money(one=50000, two=50000), start="2025-05-08", warm_up="1w"))
    impact = {"slippage": {"model": "root", "factor": "0.8", "bars": 60}, "participation": "2%"}
    check("30 days of 1m, 2 % of the volume, square-root impact", run_of("month_impact", month, {
        "a": cross("BTC-PERP", "one", "1m", {"notional": "9000000"}, short=True, bracket=True,
                   stop_loss_pct="0.5", take_profit_pct="0.8", **lengths(rng, 60)),
        "b": cross("ETH-PERP", "two", "15m", {"notional": "4000000"}, stop_loss_pct="1",
                   **lengths(rng, 50)),
        "c": cross("ETH-PERP", "two", "1h", {"fraction": "0.7"}, short=True, bracket=True,
                   trail_pct="1.5", **lengths(rng, 30))},
        money(one=10000000, two=5000000), **{"BTC-PERP": impact, "ETH-PERP": dict(
            impact, slippage={"model": "volume", "factor": "0.02"})}))
    check("six years of 1h, spot with gaps", run_of("spot", [
        klines("BTC", "1h", "binance_spot_BTCUSDT_1h_2018-2023.csv.zst"),
        klines("ETH", "1h", "binance_spot_ETHUSDT_1h_2018-2023.csv.zst")], {
        "btc": cross("BTC", "main", "1h", {"fraction": "1"}, **lengths(rng, 100)),
        "eth": cross("ETH", "second", "1h", {"fraction": "0.6"}, stop_loss_pct="2",
                     take_profit_pct="5", **lengths(rng, 60)),
        "eth_days": cross("ETH", "second", "1d", {"fraction": "0.6"}, **lengths(rng, 20))},
        money(main=10000, second=5000)))
    check("1h perpetual, silent bars, marks at every bar, latency", run_of("perpetual", [
        klines("BTC-PERP", "1h", "binance_um_BTCUSDT_1h_2019-2023.csv.zst"),
        klines("ETH-PERP", "1h", "binance_um_ETHUSDT_1h_2019-2023.csv.zst")], {
        "btc": cross("BTC-PERP", "main", "1h", {"fraction": "0.4"}, short=True,
                     stop_loss_pct="1", take_profit_pct="1.5", **lengths(rng, 50)),
        "eth": cross("ETH-PERP", "main", "4h", {"notional": "30000"}, short=True,
                     **lengths(rng, 40)),
        "late": cross("BTC-PERP", "late", "1h", {"fixed": "0.2"}, short=True,
                      **lengths(rng, 40))},
        money(main=100000, late=20000), equity_interval="bar",
        venue={"latency": rng.choice(["0s", "59m", "1h", "150m"])}))
    check("six years of 1d, four symbols of one account", run_of("days", [
        klines(n, "1d", "binance_spot_%s_1d_2018-2023.csv.zst" % s)
        for n, s in (("BTC", "BTCUSDT"), ("ETH", "ETHUSDT"), ("LTC", "LTCUSDT"),
                     ("XRP", "XRPUSDT"))], {
        n.lower(): cross(n, "main", "1d", {"fraction": "0.4"}, **lengths(rng, 30))
        for n in ("BTC", "ETH", "LTC", "XRP")}, money(main=100000)))
    check("spot and perpetual in one account, 1h and 1d side by side", run_of("both", [
        klines("BTC", "1h", "binance_spot_BTCUSDT_1h_2018-2023.csv.zst"),
        klines("BTC", "1d", "binance_spot_BTCUSDT_1d_2018-2023.csv.zst"),
        klines("BTC-PERP", "1h", "binance_um_BTCUSDT_1h_2019-2023.csv.zst")], {
        "days": cross("BTC", "main", "1d", {"fraction": "0.5"}, **lengths(rng, 20)),
        "hours": cross("BTC", "main", "1h", {"fraction": "0.7"}, stop_loss_pct="3",
                       **lengths(rng, 40)),
        "hedge": cross("BTC-PERP", "main", "1h", {"fraction": "0.5"}, short=True,
                       **lengths(rng, 40))}, money(main=40000)))
    if NIGHT:
        for symbol, month in (("AVAX", "2024-02"), ("FIL", "2024-10"), ("FIL", "2024-11")):
            check("%s %s 1m" % (symbol, month), run_of(symbol.lower(), [
                klines(symbol, "1m", "binance_um_%sUSDT_1m_%s.csv.zst" % (symbol, month))], {
                "a": cross(symbol, "main", "1m", {"fraction": "1"}, short=True,
                           stop_loss_pct="0.5", take_profit_pct="0.5", **lengths(rng, 60)),
                "b": cross(symbol, "second", "5m", {"fraction": "1"}, short=True,
                           **lengths(rng, 60))}, money(main=10000, second=10000)))


def main():
    """main runs all; the exit code tells whether anything differed."""
    rng, _ = seeded()
    with Scratch() as scratch:
        check = Check(scratch)
        for i in range(int(os.environ.get("SHRIKE_WALKS") or (400 if NIGHT else 40))):
            dir = os.path.join(scratch, "walk%d" % i)
            os.makedirs(dir)
            check("walk %d" % i, invented(rng, dir))
            shutil.rmtree(dir, ignore_errors=True)
        for i in range(int(os.environ.get("SHRIKE_PRINTS") or (400 if NIGHT else 40))):
            dir = os.path.join(scratch, "prints%d" % i)
            os.makedirs(dir)
            check("prints %d" % i, printed(rng, dir))
            shutil.rmtree(dir, ignore_errors=True)
        generated(check, rng, scratch)
        real(check, rng)
        if check.collared * 10 > check.count:
            check.bad.append("%d runs were skipped" % check.collared)
        print("orders: " + ", ".join("%s %d" % w for w in sorted(check.seen.items()) if w[0]))
        print("%d runs compared, %d differ%s" % (check.count, len(check.bad), "".join(
            "\n  " + n for n in check.bad)))
    return 1 if check.bad else 0


if __name__ == "__main__":
    sys.exit(main())
