"""Goal: with warm_up: strategies are warm at the start, order nothing before it, and then decide what
a run that began earlier decides; wherever actors live, whichever clock, and when it is killed.
Method: recorded BTCUSDT 1m of May 2025, moving averages of two lengths and both sides, so that each
crossing turns the position: a run from the 8th with a warm-up against one that begins as much
earlier without one. Their decision packets are the same ones (time, action, reasons but for the one
that says why not), and from each strategy's second crossing after the start on, when both hold the
same, so are their orders: time, side, quantity. Without a warm-up the same run comes too late.
Equity and statistics begin at the start. Data that begins later, or after the start, is told or
refused. Placements; kills during the warm-up and after it, and a replay."""
# threaded: shards are threads here
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_bars import killed, recorded  # noqa: E402
from test_placements import PACED, place, results, spread, differ  # noqa: E402

MONTH = os.path.join(KLINES, "binance_um_BTCUSDT_1m_202505.csv.zst")
START = 1746662400 * 10**9  # 2025-05-08
DAY = 86400 * 10**9


def graph(**more):
    """graph is a run of two crossing strategies until the 12th."""
    strategies = {"quick": cross("BTC-PERP", "one", "1m", {"fixed": "0.05"}, short=True, fast=20,
                                 slow=60),
                  "slow": cross("BTC-PERP", "two", "1h", {"fixed": "0.02"}, short=True, fast=4,
                                slow=40)}
    money = {n: {"quote": "USDT", "cash": 50000} for n in ("one", "two")}
    return run_of("warm", [klines("BTC-PERP", "1m", MONTH)], strategies, money,
                  end="2025-05-12", **more)


def decisions(run, dir):
    """decisions runs it with a journal and returns its packets: (time, strategy, action, reason), and
    those that the warm-up held back."""
    shrike("run", write_run(place(run, [{}], {}, journal="on"), dir + ".yaml"), "--dir", dir,
           "--plain")
    shrike("replay", dir, "--verify")
    told, held = [], []
    for line in shrike("journal", "dump", dir, "--kind", "DecisionPacket", "--json").splitlines():
        record = json.loads(line)
        if record["dir"] != "out":
            continue
        body = record["body"]
        one = (record["time_ns"], record["source"], body["action"], body["reasons"][0])
        if told and told[-1] == one:
            continue  # what is held is closed and the other side is opened: two packets
        told.append(one)
        if "warming_up" in body["reasons"]:
            held.append(one)
    return told, held


def orders(out):
    """orders returns what was ordered by strategy: (time, side, quantity, reduces)."""
    found = {}
    for o in rows_of(os.path.join(out, "orders.csv")):
        found.setdefault(o["strategy"], []).append(
            (int(o["created_ns"]), o["side"], o["quantity"]))
    return found


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    if not os.path.exists(MONTH):
        print("skip: no recorded bars at %s" % os.path.abspath(MONTH))
        return 0
    bad = 0

    def check(name, wrong):
        """check prints one verdict."""
        nonlocal bad
        print("bad " if wrong else "ok  ", name, wrong or "", flush=True)
        bad += bool(wrong)

    with Scratch() as scratch:
        run = graph(start="2025-05-08", warm_up="3d")
        at = {n: os.path.join(scratch, n) for n in ("warm", "early", "cold", "first")}
        warm, held = decisions(run, at["warm"])
        early, _ = decisions(graph(start="2025-05-05"), at["early"])
        first, held_first = decisions(graph(warm_up="1w"), at["first"])
        cold, _ = decisions(graph(start="2025-05-08"), at["cold"])
        print("%d decisions, %d of them before the start" % (len(warm), len(held)))
        check("the same decisions as of a run that began earlier",
              "" if warm == early and len(warm) > 50 else "other decisions")
        check("those before the start are held back, no others",
              "" if held == [d for d in warm if d[0] < START] and held else "others")
        check("without start: the first so much of the data",
              "" if [d for d in first if d[0] >= START] ==
              [d for d in warm if d[0] >= START] else "other decisions")
        begin = recorded(MONTH, 0, 2**63)[0][0]
        check("and orders after it", "" if max(d[0] for d in held_first) < begin + 7 * DAY <=
              min(o[0] for o in sum(orders(os.path.join(at["first"], "out")).values(), [])) else
              "earlier")
        check("it matters", "" if [d for d in warm if d[0] >= START] != cold else
              "cold averages decide the same")
        wrong = []
        got, want = (orders(os.path.join(at[n], "out")) for n in ("warm", "early"))
        for s in sorted(want):
            crossings = sorted({d[0] for d in warm if d[1] == s and d[0] >= START})
            after = crossings[1]
            if [o for o in got[s] if o[0] >= after] != [o for o in want[s] if o[0] >= after]:
                wrong.append(s)
            if min(o[0] for o in got[s]) != crossings[0]:
                wrong.append("%s begins late" % s)
        check("the same orders once it holds the same", wrong)
        with open(os.path.join(at["warm"], "out", "summary.json")) as f:
            summary = json.load(f)
        check("it is counted", "" if summary["signals_without_order_by_reason"].get(
            "warming_up") == len(held) else "not in summary.json")
        marks = [int(r["time_ns"]) for r in rows_of(os.path.join(at["warm"], "out", "equity.csv"))]
        check("results begin at the start", "" if summary["first_ns"] == START and
              summary["warm_up_ns"] == 3 * DAY and min(marks) >= START else "earlier")
        with open(os.path.join(at["warm"], "out", "manifest.json")) as f:
            check("the manifest tells it", "" if json.load(f).get("warm_up_ns") == 3 * DAY else "no")

        file = write_run(graph(start="2025-05-06", warm_up="30d"), os.path.join(scratch, "a.yaml"))
        check("data that begins later is told", "" if "BTC-PERP 1m: 1.4 of 30.0 days of warm_up" in
              shrike("check", file) else "nothing said")
        file = write_run(graph(start="2025-05-04", warm_up="1d"), os.path.join(scratch, "b.yaml"))
        check("data that begins at the start is refused", "" if "has no row before the start" in
              shrike("check", file, check=False) else "taken")
        file = write_run(graph(warm_up="20d"), os.path.join(scratch, "c.yaml"))
        check("a warm-up of all there is is refused", "" if "nothing is left to trade on" in
              shrike("check", file, check=False) else "taken")

        prints = trades("BTC-PERP", prints_file(os.path.join(scratch, "trades.csv"), rng, 9000,
                                                START, 60000, 30, 0.1, 1, 600))
        tick = {"s": cross("BTC-PERP", "one", "1m", {"fixed": "0.05"}, short=True, fast=2, slow=7)}
        money = {"one": {"quote": "USDT", "cash": 50000}}
        late = dict(start="2025-05-08T02:00:00Z", warm_up="90m")
        for name, more, said in (
                ("trades that begin at the start are refused",
                 dict(late, start="2025-05-08"), "has no row before the start"),
                ("trades that begin within the warm-up are told", dict(late, warm_up="6h"),
                 "BTC-PERP trades: 0.1 of 0.2 days of warm_up")):
            for k, shards in enumerate(([{}], [{}] * 2)):
                stream = place(run_of("stream", [prints], tick, money, **more), shards,
                               {"s": len(shards) - 1})
                file = write_run(stream, os.path.join(scratch, "t.yaml"))
                told = shrike("check", file, check=False)
                check("%s, %d shards" % (name, k + 1), "" if told.count(said) == 1 else told[-300:])
        stream = place(run_of("stream", [prints], tick, money, **late), [{}], {}, journal="on")
        told, held = decisions(stream, os.path.join(scratch, "stream"))
        check("trades warm too", "" if held == [d for d in told if d[0] < START + 7200 * 10**9] and
              held and len(told) > len(held) else "others are held back")
        one = results(place(stream, [{}], {}), os.path.join(scratch, "t1"), "backtest")
        two = results(place(stream, [{"process": p} for p in ("engine", "other")], {"s": 1},
                            ["engine", "other"], journal="stage"), os.path.join(scratch, "t2"),
                      "backtest")
        check("trades, two processes", differ(one, two))
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        apart = {"quick": 1, "slow": 1}
        five = dict({"feed": 0, "risk": 2, "execution": 3, "venue": 3, "portfolio": 4}, **apart)
        for name, placed, how in (
                ("two shards", place(run, [{}] * 2, apart, journal="on"), "backtest"),
                ("five shards", place(run, [{}] * 5, five), "backtest"),
                ("two processes", place(run, [{"process": p} for p in ("engine", "other")], apart,
                                        ["engine", "other"], journal="stage"), "backtest"),
                ("at random", place(run, [{}] * 3, spread(rng, run, 3)), "backtest"),
                ("paced", place(run, [{}], {}, clock=PACED, journal="on"), "run")):
            check(name, differ(want, results(placed, os.path.join(scratch, name), how)))
        paced = {"kind": "paced", "speed": 200000}  # the warm-up takes a second and more
        got, kills = killed(place(run, [{}], {}, clock=paced, journal="on", snapshot_every="200ms"),
                            os.path.join(scratch, "killed"), rng)
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
