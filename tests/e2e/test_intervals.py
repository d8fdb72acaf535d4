"""Goal: a strategy with several intervals decides what a plain reading of its rule decides, on longer
bars that are made as on ones that are given, never on one that has not ended; the same wherever actors
live, whichever clock, with a warm-up, and when it is killed.
Method: trend_cross (averages on 1m, trend on 1h) on an invented walk with missing minutes: its decision
packets against a twin of the rule that gets all bars in the order (when known, length). The same run
with the hours as a source of their own: the same bytes. Placements on the walk (an interval that feed
makes among them), on trades, in a generated market and among simulated traders; a warm-up against a run
that began earlier; kills; `shrike audit`."""
# threaded: shards are threads here
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_bars import killed  # noqa: E402
from test_placements import PACED, differ, place, results, spread  # noqa: E402

START = 1704067200 * 10**9  # 2024-01-01
MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
FAST, SLOW, TREND = 3, 9, 4


def trend(instrument, account, interval, longer, sizing, **params):
    """trend is a strategy actor."""
    return {"kind": "strategy", "class": "trend_cross", "instruments": [instrument],
            "interval": interval, "intervals": [longer], "account": account,
            "params": dict({"fast": FAST, "slow": SLOW, "trend": TREND, "short": True}, **params),
            "sizing": sizing}


def graph(sources, **more):
    """graph is a run of two such strategies, one on bars that feed makes."""
    strategies = {"a": trend(sources[0]["instrument"], "one", "1m", "1h", {"fixed": "0.05"}),
                  "z": trend(sources[-1]["instrument"], "two", "5m", "30m", {"fixed": "0.04"},
                             fast=2, slow=4, stop_loss_pct="0.4", take_profit_pct="0.6")}
    money = {n: {"quote": "USDT", "cash": 90000} for n in ("one", "two")}
    return run_of("intervals", sources, strategies, money, **more)


def read(file):
    """read reads klines as (open_ns, open, high, low, close, volume), prices in ticks of 0.1."""
    out = []
    with open(file) as f:
        for r in csv.DictReader(f):
            out.append([int(r["open_time_ms"]) * 10**6] +
                       [round(float(r[n]) * 10) for n in ("open", "high", "low", "close")] +
                       [float(r["volume"])])
    return out


def hours_of(rows):
    """hours_of makes hours of minutes."""
    out = []
    for t, o, h, low, c, v in rows:
        begin = t // HOUR * HOUR
        if out and out[-1][0] == begin:
            b = out[-1]
            out[-1] = [begin, b[1], max(b[2], h), min(b[3], low), c, b[5] + v]
        else:
            out.append([begin, o, h, low, c, v])
    return out


def decided(rows):
    """decided is the twin: (time, action, reason) of each decision on minutes and their hours."""
    events = sorted([(t + MINUTE, MINUTE, c) for t, _, _, _, c, _ in rows] +
                    [(t + HOUR, HOUR, c) for t, _, _, _, c, _ in hours_of(rows)])
    minutes, hours, relation, way, side, out = [], [], 0, 0, 0, []
    for now, length, close in events:
        if length == HOUR:
            hours.append(close)
            if len(hours) < TREND:
                continue
            off = close * TREND - sum(hours[-TREND:])
            way = (off > 0) - (off < 0) or way
            if side * way < 0:
                side = 0
                out.append((now, "wait", "signal_trend_over"))
            continue
        minutes.append(close)
        if len(minutes) < SLOW:
            continue
        lead = sum(minutes[-FAST:]) * SLOW - sum(minutes[-SLOW:]) * FAST
        if lead == 0:
            continue
        was, relation = relation, 1 if lead > 0 else -1
        if was in (0, relation):
            continue
        reason = "signal_cross_up" if relation > 0 else "signal_cross_down"
        if relation == way:
            side = relation
            out.append((now, "long" if side > 0 else "short", reason))
        elif side == -relation:
            side = 0
            out.append((now, "wait", reason))
    return out


def packets(dir, actor):
    """packets returns what was decided by the actor of that name, as the journal tells it."""
    told = []
    for line in shrike("journal", "dump", dir, "--kind", "DecisionPacket", "--json").splitlines():
        record = json.loads(line)
        if record["dir"] != "out" or record["source"] != actor:
            continue
        one = (record["time_ns"], record["body"]["action"], record["body"]["reasons"][0])
        if not told or told[-1] != one:  # what is held is closed and the other side opened: two
            told.append(one)
    return told


def ways(rng, run):
    """ways lists (name, run, program's subcommand)."""
    apart = {"a": 1, "z": 1}
    five = dict({"feed": 0, "risk": 2, "execution": 3, "venue": 3, "portfolio": 4}, **apart)
    two = ["engine", "strategies"]
    return [
        ("two shards", place(run, [{}] * 2, apart, journal="on"), "backtest"),
        ("five shards", place(run, [{}] * 5, five), "backtest"),
        ("at random", place(run, [{}] * 3, spread(rng, run, 3)), "backtest"),
        ("two processes", place(run, [{"process": p} for p in two], apart, two, journal="stage"),
         "backtest"),
        ("paced", place(run, [{}], {}, clock=PACED, journal="on"), "run"),
    ]


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0

    def check(name, wrong):
        """check prints one verdict."""
        nonlocal bad
        print("bad " if wrong else "ok  ", name, wrong or "", flush=True)
        bad += bool(wrong)

    with Scratch() as scratch:
        at = lambda name: os.path.join(scratch, name)  # noqa: E731
        walk = walk_file(at("walk.csv"), rng, 4020, "1m", START, 60000, 40, 0.1, 1, gap=0.08)
        with open(walk, "a") as f:  # the last minute is there: the last hour ends with it
            last = read(walk)[-1]
            if last[0] < START + 4019 * MINUTE:
                f.write("%d,%s,1\n" % ((START + 4019 * MINUTE) // 10**6,
                                       ",".join(["%.1f" % (last[4] / 10)] * 4)))
        rows, made = read(walk), [klines("BTC-PERP", "1m", walk)]
        with open(at("hours.csv"), "w") as f:
            f.write("open_time_ms,open,high,low,close,volume\n")
            for t, *prices, v in hours_of(rows):
                f.write("%d,%s,%.6f\n" % (t // 10**6, ",".join("%.1f" % (p / 10) for p in prices),
                                          v))
        missing = {t + HOUR for t, *_ in hours_of(rows)} - {t + MINUTE for t, *_ in rows}
        run = graph(made)
        shrike("run", write_run(place(run, [{}], {}, journal="on"), at("run.yaml")), "--dir",
               at("run"), "--plain")
        shrike("replay", at("run"), "--verify")
        told, want = packets(at("run"), "a"), decided(rows)
        print("%d decisions, %d by the trend alone, %d hours without their last minute" % (
            len(want), sum(r == "signal_trend_over" for _, _, r in want), len(missing)))
        check("decided as the rule says", "" if told == want and len(want) > 40 else
              "first other one: %s" % next(((a, b) for a, b in zip(told, want) if a != b), "length"))
        given = graph(made + [klines("BTC-PERP", "1h", at("hours.csv"))])
        one = results(place(run, [{}], {}), at("one"), "backtest")
        two = results(place(given, [{}], {}), at("given"), "backtest")
        check("hours that are given", [n for n in FILES if one[n] != two[n]])
        check("it knows nothing of the future", "" if "ok" in shrike(
            "audit", write_run(run, at("audit.yaml")), "--folds", "3").lower() else "it does")

        early = decided(rows)
        warm = graph(made, start="2024-01-02T12:00:00Z", warm_up="1d")
        shrike("run", write_run(place(warm, [{}], {}, journal="on"), at("warm.yaml")), "--dir",
               at("warm"), "--plain")
        start = START + 36 * HOUR
        told = packets(at("warm"), "a")
        cut = [r for r in rows if r[0] >= start - 24 * HOUR]
        check("warm at the start", "" if told == decided(cut) else "other decisions")
        check("as one that began earlier", "" if [d for d in told if d[0] >= start + 2 * HOUR][1:] ==
              [d for d in early if d[0] >= start + 2 * HOUR][1:] and
              any(d[0] >= start + 2 * HOUR for d in told) else "other decisions")

        prints = prints_file(at("trades.csv"), rng, 6000, START, 60000, 30, 0.1, 1, 4000)
        market = graph(made, start="2024-01-01", end="2024-01-03")
        market["sources"] = [{"kind": "market", "instruments": ["BTC-PERP"], "interval": "1m"}]
        living = graph([{"instrument": "BTC-PERP"}], start="2024-01-01", end="2024-01-01T06:00:00Z",
                       venue={"agents": {"instruments": ["BTC-PERP"], "start_price": 60000},
                              "latency": "3ms"})
        del living["sources"]
        for s, longer in (("a", "5m"), ("z", "15m")):  # six hours only
            living["actors"][s].update(intervals=[longer])
        for name, run in (("walk", run), ("trades", graph([trades("BTC-PERP", prints)])),
                          ("market", market), ("traders", living)):
            want = results(place(run, [{}], {}), at(name), "backtest")
            fills = want["fills"].count(b"\n") - 1
            check("%s: %d fills" % (name, fills), "hardly anything" if fills < 6 else "")
            for how, placed, command in ways(rng, run):
                check("%s, %s" % (name, how),
                      differ(want, results(placed, at(name + " " + how), command)))
        paced = {"kind": "paced", "speed": 200000}
        run = place(graph(made), [{}], {}, clock=paced, journal="on", snapshot_every="200ms")
        got, kills = killed(run, at("killed"), rng)
        want = results(place(graph(made), [{}], {}), at("whole"), "backtest")
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
