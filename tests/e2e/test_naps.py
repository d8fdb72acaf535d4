"""Goal: strategies that sleep through bars on which they have nothing to say change no result.
Method: without a journal strategies sleep (runtime/core/series.c), with one they are told every bar.
Seeded runs of several symbols, mostly without gaps, with several strategies each: crosses of several
lengths with stops, targets, brackets and trailing stops, sizes that are fixed, a notional or a
fraction, a pair with timers, spans that end in the midst, latencies; both ways every file of the
results and summary.json must be the same bytes. Night (SHRIKE_NIGHT=1): many more."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403

FROM = 1704067200 * 10**9
ALL = ("orders.csv", "fills.csv", "trades.csv", "equity.csv", "daily.csv", "charts.csv",
       "summary.json")


def params(rng):
    """params draws those of a cross."""
    fast = rng.randint(1, 12)
    p = {"fast": fast, "slow": fast + rng.randint(1, 50), "short": rng.random() < 0.5}
    if rng.random() < 0.3:
        p["stop_loss_pct"] = rng.choice(["0.3", "1", "4"])
    if rng.random() < 0.2:
        p["take_profit_pct"] = rng.choice(["0.2", "1"])
    if rng.random() < 0.2:
        p["bracket"] = True
        if rng.random() < 0.5:
            p["trail_pct"] = "0.5"
    return p


def graph(rng, scratch, number):
    """graph draws a run."""
    names = rng.sample([n for n in INSTRUMENTS if n.endswith("PERP") or n in ("AVAX", "FIL")],
                       rng.randint(1, 4)) + rng.sample(["BTC", "ETH", "LTC"], rng.randint(0, 3))
    bars = rng.randint(300, 1500)
    sources, strategies = [], {}
    for n in names:
        gap = 0.002 if rng.random() < 0.2 else 0
        path = os.path.join(scratch, "%d-%s.csv" % (number, n))
        sources.append(klines(n, "1m", walk_file(path, rng, bars, "1m", FROM, 60000,
                                                 rng.choice([5, 20, 60]), 0.01, 2, gap=gap)))
    for i in range(rng.randint(2, 9)):
        size = rng.choice([{"fixed": 1}, {"fixed": 1}, {"notional": 700}, {"fraction": "0.1"}])
        strategies["s%d" % i] = cross(rng.choice(names), "main", "1m", size, **params(rng))
        if rng.random() < 0.2:
            strategies["s%d" % i]["interval"] = "5m"
    linear = [n for n in names if INSTRUMENTS[n]["kind"] == "linear"]
    if len(linear) > 1 and rng.random() < 0.4:
        strategies["p"] = {"kind": "strategy", "class": "pair", "instruments": linear[:2],
                           "interval": "1m", "account": "main", "sizing": {"fixed": 1}}
    more = {}
    if rng.random() < 0.4:
        minutes = rng.randint(60, bars)
        more["end"] = "2024-01-%02dT%02d:%02d:%02dZ" % (1 + minutes // 1440, minutes // 60 % 24,
                                                      minutes % 60, rng.choice([0, 0, 30]))
    if rng.random() < 0.3:
        more["venue"] = {"latency": rng.choice(["1ms", "20s", "90s"])}
    return run_of("naps", sources, strategies, {"main": {"quote": "USDT", "cash": 1000000}},
                  equity_interval=rng.choice(["1m", "15m", "1h"]), **more)


def bytes_of(out):
    """bytes_of are the results' files, without what tells how the run was made."""
    found = {}
    for name in ALL:
        with open(os.path.join(out, name), "rb") as f:
            found[name] = f.read()
    return found


def main():
    """main runs all; the exit code tells whether anything differed."""
    rng, _ = seeded()
    bad = orders = 0
    with Scratch() as scratch:
        for i in range(300 if NIGHT else 15):
            run = graph(rng, scratch, i)
            off = bytes_of(backtest(run, os.path.join(scratch, "off%d" % i)))
            on = bytes_of(backtest(dict(run, journal="on"), os.path.join(scratch, "on%d" % i)))
            rows = off["orders.csv"].count(b"\n") - 1
            orders += rows
            wrong = [n for n in ALL if off[n] != on[n]]
            bad += bool(wrong)
            print("%s run %d: %d strategies, %d orders %s" % (
                "FAIL" if wrong else "ok  ", i, len(run["actors"]) - 5, rows, " ".join(wrong)),
                flush=True)
        if orders < 100:
            bad += 1
            print("FAIL: hardly anything happened")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
