#!/usr/bin/env python3
"""Goal: orders of every type work on every driver of the venue, and end the same wherever the actors
live, with the journal on and off, and however often the process dies.
Method: the strategy `mixed` of the drills (shrike_drill: shrike with more strategies) places orders
of all types at random, alone, in groups and with brackets, amends and replaces some, lets some look
at the mark, on bars, on trades, on both with a cap on the share and a model of impact, on a recorded
book with a gap (test_depth's) and among simulated traders. Each run: several of every type filled,
some ended by a partner, some by a parent, some by their time, some amended, none unsupported;
placements on one and five shards and two processes give the same bytes; the same for a run killed
again and again; `replay --verify` holds. That lists keep to their rules is
tests/actors/test_venue_depth's."""
# once: what is compared does not depend on how the tree was compiled; CI's release build runs it
import collections
import csv
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("SHRIKE_SOURCE") or os.path.dirname(os.path.dirname(HERE))
os.environ["SHRIKE_BIN"] = os.path.join(os.path.dirname(
    os.environ.get("SHRIKE_BIN") or os.path.join(ROOT, "build", "release", "shrike")),
    "shrike_drill")
sys.path.insert(0, HERE)
from runs import *  # noqa: E402,F403
from test_bars import differ, killed, place, results  # noqa: E402
from test_depth import make  # noqa: E402
from test_placements import spread  # noqa: E402
from test_reference import klines, money, run_of, trades  # noqa: E402

TYPES = {"market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit",
         "trailing_stop"}
BEGIN = 1704067200 * 10**9


def mixed(instrument, account, interval, **params):
    """mixed is a strategy actor."""
    return {"kind": "strategy", "class": "mixed", "instruments": [instrument],
            "interval": interval, "account": account, "params": params,
            "sizing": {"fixed": "0.1"}}


def capped(run, share, slippage):
    """capped lets fills take a share of what is traded, and worsens them by a model."""
    instrument = run["instruments"]["BTC-PERP"]
    instrument.pop("slippage_bps", None)
    instrument["participation"], instrument["slippage"] = share, slippage
    return run


def graphs(rng, scratch):
    """graphs lists (name, run, speed of the paced clock)."""
    def pair(interval, **params):
        """Two strategies on two accounts; one amends, replaces and cancels its orders too."""
        far = dict(params, reach=3 * params["reach"], change=80)
        return {"a": mixed("BTC-PERP", "main", interval, **params),
                "b": mixed("BTC-PERP", "second", interval, **far)}

    cash = money(main=1000000, second=1000000)
    bars = klines("BTC-PERP", "1m", walk_file(os.path.join(scratch, "bars.csv"), rng, 1500, "1m",
                                              BEGIN, 60000, 20, 0.1, 1))
    mark = klines("BTC-PERP", "1m", walk_file(os.path.join(scratch, "mark.csv"), rng, 1500, "1m",
                                              BEGIN, 60000, 20, 0.1, 1), price="mark")
    yield "bars", run_of("bars", [bars, mark], pair("1m", every=1, reach=4), cash), 60000
    yield "bars-capped", capped(run_of("bars-capped", [bars], pair("1m", every=1, reach=4), cash),
                                "10%", {"model": "root", "factor": 1, "bars": 20}), 60000
    prints = trades("BTC-PERP", prints_file(os.path.join(scratch, "trades.csv"), rng, 6000, BEGIN,
                                            2000, 4, 0.1, 1, 300))
    yield "trades", run_of("trades", [prints, mark], pair("5s", every=1, reach=300), cash), 2000
    yield "trades-capped", capped(run_of("trades-capped", [prints], pair("5s", every=1, reach=300),
                                         cash), "2%", {"model": "volume", "factor": "0.01",
                                                        "bars": 10, "interval": "1m"}), 2000
    latency = {"feed": "2ms", "order": {"median": "3ms", "sigma": "0.5"}, "answer": "4ms"}
    make(rng, scratch, 5000, touch=30000)
    for stream in ("depth", "trades"):
        shrike("data", "import", os.path.join(scratch, stream + ".csv"), "--store",
               os.path.join(scratch, "store"), "--venue", "sim", "--symbol", "BTCUSDT",
               "--stream", stream)
    stores = [{"kind": "store", "data": os.path.join(scratch, "store"), "instrument": "BTC-PERP",
               "stream": stream} for stream in ("depth", "trades")]
    run = run_of("book", stores, pair("trades", every=4, reach=10, life="20ms"), cash,
                 venue={"latency": latency, "queue": "log", "children": "first_fill"})
    run["instruments"]["BTC-PERP"]["slippage_bps"] = 0
    yield "book", run, 20
    run = run_of("crowd", [{"instrument": "BTC-PERP"}], pair("5s", every=1, reach=15), cash,
                 start="2024-01-01", end="2024-01-01T02:00:00Z",
                 venue={"latency": latency, "children": "first_fill",
                        "agents": {"instruments": ["BTC-PERP"], "start_price": 60000, "noise": 80,
                                   "makers": 6, "order_notional": 2000,
                                   "seed": rng.randrange(1, 10**6)}})
    run["instruments"]["BTC-PERP"]["slippage_bps"] = 0
    del run["sources"]
    run["instruments"]["BTC-PERP"]["stp"] = "transfer"
    for account in run["accounts"].values():
        account["stp_group"] = 1
    yield "crowd", run, 4000


def judged(name, found):
    """judged tells what is missing or wrong in the results, "" when all is there."""
    orders = list(csv.DictReader(found["orders"].decode().splitlines()))
    filled = collections.Counter(o["type"] for o in orders if o["status"] == "filled")
    reasons = collections.Counter(o["reason"] for o in orders)
    print("%s: %d orders, filled %s; ended %s" % (name, len(orders), dict(filled), dict(reasons)))
    if reasons["unsupported"]:
        return "unsupported"
    few = [t for t in TYPES if filled[t] < 3]
    few += [r for r in ("list_partner", "list_parent", "good_till_date") if reasons[r] < 3]
    return "hardly any %s" % few if few else ""


def amends(out):
    """amends tells that hardly any amend was done or refused in the run, "" when some were."""
    said = collections.Counter(
        line.rsplit(" reason=", 1)[1].split()[0]
        for line in shrike("journal", "dump", out, timeout=100).splitlines()
        if " out execution" in line and " OrderAmended " in line)
    print("    amends %s" % dict(said))
    return "" if said["none"] >= 3 else "hardly any amend"


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0
    with Scratch() as scratch:
        for name, run, speed in graphs(rng, scratch):
            want = results(place(run, [{}], {}), os.path.join(scratch, name), "backtest")
            wrong = judged(name, want)
            ways = [("journal on", place(run, [{}], {}, journal="on")),
                    ("five shards", place(run, [{}] * 5, spread(rng, run, 5))),
                    ("two processes", place(run, [{"process": "p"}, {"process": "q"}],
                                            {"a": 1, "b": 1}, ["p", "q"], journal="stage"))]
            for i, (way, placed) in enumerate(ways):
                dir = os.path.join(scratch, "%s-%d" % (name, i))
                differs = differ(want, results(placed, dir, "backtest"))
                if placed.get("journal") == "on":
                    wrong = wrong or amends(os.path.join(dir, "out"))
                    shrike("replay", os.path.join(dir, "out"), "--verify", timeout=200)
                wrong = wrong or (differs and "%s: %s" % (way, differs))
            placed = place(run, [{}] * 2, {"venue": 1}, clock={"kind": "paced", "speed": speed},
                           journal="on", snapshot_every="100ms")
            got, kills = killed(placed, os.path.join(scratch, name + "-killed"), rng)
            differs = differ(want, got)
            wrong = wrong or (differs and "killed: %s" % differs) or (not kills and "not killed")
            print("%s %s, killed %d times %s" % ("bad " if wrong else "ok  ", name, kills, wrong),
                  flush=True)
            bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
