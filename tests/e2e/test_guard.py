"""Goal: a strategy with data_guard opens nothing while its bars cannot be believed, still closes, and
trades as ever where the data is sound; the same wherever actors live and when it is killed.
Method: recorded faults. BNBUSDT 5m with 202 bars missing: the order intents of a run with the guard
against those of one without, and against the times at which a plain twin of the guard's rule (counted
here, bar by bar) is down. FILUSDT 1m of October 2024, whose empty minutes are no faults: the same
results with and without. Placements, and a run killed with SIGKILL now and then."""
# threaded: shards are threads here
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_bars import killed, recorded  # noqa: E402
from test_placements import PACED, place, results, spread, differ  # noqa: E402

FAULTY = os.path.join(KLINES, "..", "faulty", "binance_spot_BNBUSDT_5m_gap.csv.zst")
EMPTY = os.path.join(KLINES, "binance_um_FILUSDT_1m_2024-10.csv.zst")
WINDOW, MISSING, CALM = 120, 12, 30  # as by default


def graph(instrument, interval, file, guard, **more):
    """graph is a run of one crossing strategy, with the guard or without."""
    s = cross(instrument, "main", interval, {"notional": "5000"}, fast=2, slow=5)
    if guard:
        s["data_guard"] = {}
    source = klines(instrument, interval, file)
    run = run_of("guard", [source], {"s": s}, {"main": {"quote": "USDT", "cash": 100000}}, **more)
    return run


def down(rows, step):
    """down returns the ends of the bars after which a plain guard does not believe the series: for
    missing bars alone, of which this file has no other faults than."""
    places, calm, stopped, out, last = [], 0, False, set(), None
    for row in rows:
        missing = 0 if last is None else (row[0] - last) // step - 1
        places += [1] * min(missing, WINDOW) + [0]
        places = places[-WINDOW:]
        calm = 0 if missing else calm + 1
        if sum(places) > MISSING:
            stopped = True
        elif calm >= CALM:
            stopped = False
        if stopped:
            out.add(row[0] + step)
        last = row[0]
    return out


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    if not os.path.exists(FAULTY) or not os.path.exists(EMPTY):
        print("skip: no recorded faults at %s" % os.path.abspath(FAULTY))
        return 0
    bad = 0

    def check(name, wrong):
        """check prints one verdict."""
        nonlocal bad
        print("bad " if wrong else "ok  ", name, wrong or "", flush=True)
        bad += bool(wrong)

    with Scratch() as scratch:
        INSTRUMENTS["BNB"] = dict(INSTRUMENTS["LTC"], symbol="BNBUSDT", base="BNB")
        run = graph("BNB", "5m", FAULTY, True)
        rows = recorded(FAULTY, 0, 2**63)
        closed = down(rows, 300 * 10**9)
        out = backtest(run, os.path.join(scratch, "with"))
        free = backtest(graph("BNB", "5m", FAULTY, False), os.path.join(scratch, "without"))
        made, all_made = rows_of(os.path.join(out, "orders.csv")), rows_of(
            os.path.join(free, "orders.csv"))
        told = {k: [o for o in v if o["side"] == "buy"] for k, v in
                (("made", made), ("all", all_made))}
        inside = [o for o in told["all"] if int(o["created_ns"]) in closed]
        wanted = [o["created_ns"] for o in told["all"] if int(o["created_ns"]) not in closed]
        print("%d bars, %d after which it is down, %d buys without it, %d of them then" % (
            len(rows), len(closed), len(told["all"]), len(inside)))
        check("it matters", "" if len(closed) > 100 and inside else "no order to stop")
        check("no buy while it is down, all others",
              "" if [o["created_ns"] for o in told["made"]] == wanted else "other buys")
        with open(os.path.join(out, "summary.json")) as f:
            text = f.read()
        check("it is counted", "" if '"data_missing": %d' % len(inside) in text or
              '"data_missing":%d' % len(inside) in text else "not in summary.json")
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        for name, placed, how in (
                ("two shards", place(run, [{}] * 2, {"s": 1}, journal="on"), "backtest"),
                ("at random", place(run, [{}] * 3, spread(rng, run, 3)), "backtest"),
                ("paced", place(run, [{}], {}, clock=PACED, journal="on"), "run")):
            check(name, differ(want, results(placed, os.path.join(scratch, name), how)))
        paced = {"kind": "paced", "speed": 2000000}
        got, kills = killed(place(run, [{}], {}, clock=paced, journal="on", snapshot_every="200ms"),
                            os.path.join(scratch, "killed"), rng)
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
        same = [results(graph("FIL", "1m", EMPTY, guard), os.path.join(scratch, "fil%d" % guard),
                        "backtest") for guard in (False, True)]
        check("empty minutes are no faults", differ(same[0], same[1]))
        assert same[0]["fills"].count(b"\n") > 1000
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
