#!/usr/bin/env python3
"""Goal: a run among simulated traders is the same wherever its actors live, however time passes and
whenever it is killed; orders of ours fill in it in every way there is.
Method: two invented markets, moving-average crosses with stops and targets on bars that feed makes of
the venue's trades, a market maker at the touch of the book that the venue says, a spot and a linear
instrument, latency in three legs. The graph runs on one shard,
on two, spread at random (printed seed), on two processes, as a backtest and on the paced clock, with
the journal on and off: orders.csv, fills.csv, trades.csv and equity.csv must be the same bytes. Then
`replay --verify`, and runs killed (SIGKILL) at random moments and started again until they end: the
same bytes. Night (SHRIKE_NIGHT=1): ten times as long."""
# threaded: shards are threads here
import csv
import hashlib
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_placements import PACED, differ, place, results, spread  # noqa: E402

HOURS = 20 if NIGHT else 1
KILLS = 10 if NIGHT else 3


def living(rng):
    """living is the run: two markets, three strategies."""
    names = {"BTC-PERP": "60000", "ETH": "2500"}
    strategies = {
        "a": cross("BTC-PERP", "main", "1m", {"fraction": "0.5"}, fast=3, slow=rng.randint(8, 14),
                   short=True, stop_loss_pct="0.2", take_profit_pct="0.3"),
        "b": cross("ETH", "main", "1m", {"notional": "9000"}, fast=2, slow=rng.randint(6, 9),
                   take_profit_pct="0.2"),
        "c": cross("BTC-PERP", "second", "15s", {"fixed": "0.4"}, fast=5, slow=20, short=True)}
    strategies["d"] = {"kind": "strategy", "class": "quote_touch", "instruments": ["BTC-PERP"],
                       "interval": "trades", "account": "third", "sizing": {"fixed": "0.02"},
                       "params": {"inventory": "0.3"}}  # quotes at the touch of the book it is told
    money = {n: {"quote": "USDT", "cash": c}
             for n, c in (("main", 50000), ("second", 30000), ("third", 90000))}
    agents = {"instruments": [{"instrument": n, "start_price": p} for n, p in names.items()],
              "seed": rng.randrange(1, 10**6), "noise": 80, "makers": 6, "order_notional": 2000,
              "book": True}
    run = run_of("living", [{"instrument": n} for n in names], strategies, money,
                 start="2024-01-01", end="2024-01-01T%02d:00:00Z" % HOURS, equity_interval="5m",
                 venue={"agents": agents, "latency": {"feed": "2ms", "answer": "3ms",
                                                      "order": {"median": "5ms", "sigma": "0.5"}}})
    del run["sources"]
    return run


def ways(rng, run):
    """ways lists (name, run, program's subcommand)."""
    strategies = [n for n, a in run["actors"].items() if a["kind"] == "strategy"]
    apart = {n: 1 for n in strategies}
    return [
        ("one shard, journal on", place(run, [{}], {}, journal="on"), "backtest"),
        ("two shards: strategies apart", place(run, [{}] * 2, apart), "backtest"),
        ("two shards: feed and strategies apart, journal on",
         place(run, [{}] * 2, dict(apart, feed=1), journal="on"), "backtest"),
        ("two shards at random", place(run, [{}] * 2, spread(rng, run, 2)), "backtest"),
        ("two processes, journal staged",
         place(run, [{"process": "engine"}, {"process": "strategies"}], apart,
               ["engine", "strategies"], journal="stage"), "backtest"),
        ("paced clock, one shard", place(run, [{}], {}, clock=PACED, journal="on"), "run"),
        ("paced clock, two shards", place(run, [{}] * 2, apart, clock=PACED, journal="on"), "run"),
    ]


def killed(rng, run, names, dir, seconds):
    """killed runs it, killing it now and then, until it ends; returns its bytes and the kills."""
    os.makedirs(dir)
    file, out = write_run(run, os.path.join(dir, "run.yaml")), os.path.join(dir, "out")
    kills = 0
    while True:
        child = subprocess.Popen([BIN, "backtest", file, "--out", out], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            text, _ = child.communicate(timeout=seconds * rng.uniform(0.05, 0.6)
                                        if kills < KILLS else 300)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.communicate()
            kills += 1
            continue
        assert child.returncode == 0, text.decode()
        break
    shrike("replay", out, "--verify", timeout=300)
    found = {}
    for name in names:
        name_of = name + (".csv" if name != "summary" else ".json")
        with open(os.path.join(out, name_of), "rb") as f:
            found[name] = f.read()
    return found, kills


def ways_of_filling(want):
    """ways_of_filling tells what is missing in the results, "" when all is there."""
    fills = list(csv.DictReader(want["fills"].decode().splitlines()))
    orders = list(csv.DictReader(want["orders"].decode().splitlines()))
    parts = {}
    for f in fills:
        parts[f["client_order_id"]] = parts.get(f["client_order_id"], 0) + 1
    seen = {("taker" if f["liquidity"] == "taker" else "maker") for f in fills}
    print("fills: %d, of them %d as maker; %d orders in parts, at most %d; %d of %d orders done" % (
        len(fills), sum(f["liquidity"] == "maker" for f in fills),
        sum(n > 1 for n in parts.values()), max(parts.values(), default=0),
        sum(o["status"] == "filled" for o in orders), len(orders)))
    if seen != {"maker", "taker"}:
        return "fills only as %s" % seen
    return "" if max(parts.values()) > 2 else "no order was filled in parts"


def endless(run, dir):
    """endless tells what is wrong with how a run without an end is met, "" when nothing is."""
    os.makedirs(dir)
    more = dict(run)
    del more["end"]
    file, out = write_run(more, os.path.join(dir, "run.yaml")), os.path.join(dir, "out")
    for how in (["check", file], ["backtest", file, "--out", out]):
        done = subprocess.run([BIN] + how, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        if done.returncode != 1 or b"needs an end:" not in done.stdout + done.stderr:
            return "%s: exit code %d" % (how[0], done.returncode)
    paced = write_run(dict(more, clock={"kind": "paced", "speed": 60}), file)
    shrike("check", paced)
    return ""


def main():
    """main runs all; the exit code tells whether anything differed."""
    rng, _ = seeded()
    bad, count = [], 0
    with Scratch() as scratch:
        run = living(rng)
        began = time.time()
        want = results(place(run, [{}], {}), os.path.join(scratch, "want"), "backtest")
        took = time.time() - began
        rows = [want[n].count(b"\n") - 1 for n in FILES]
        print("on one shard: %d orders, %d fills, %d trades, %d marks; %s (%.1f s)" % (
            *rows, hashlib.sha256(b"".join(want[n] for n in FILES)).hexdigest()[:16], took),
            flush=True)
        wrong = ways_of_filling(want) or endless(run, os.path.join(scratch, "endless"))
        if wrong or rows[1] < 50:
            bad.append(wrong or "hardly anything happened")
        for name, placed, how in ways(rng, run):
            count += 1
            began = time.time()
            dir = os.path.join(scratch, "way%d" % count)
            try:
                wrong = differ(want, results(placed, dir, how))
            except (AssertionError, OSError, subprocess.TimeoutExpired) as e:
                wrong = str(e)
            print("%s %s (%.1f s)%s" % ("FAIL" if wrong else "ok  ", name, time.time() - began,
                                        "\n  " + wrong if wrong else ""), flush=True)
            if wrong:
                bad.append(name)
            shutil.rmtree(dir, ignore_errors=True)
        apart = {n: 1 for n, a in run["actors"].items() if a["kind"] == "strategy"}
        for i, (durable, shards) in enumerate((("process", 1), ("{interval: 5ms}", 1),
                                               ("process", 2))):
            alone = place(run, [{}] * shards, apart if shards == 2 else {}, journal="on",
                          snapshot_every="20ms", durability=durable)
            seconds, kills, tries = took, 0, 0
            while kills == 0 and tries < 8:  # how fast the machine is varies
                dir = os.path.join(scratch, "killed%d-%d" % (i, tries))
                got, kills = killed(rng, alone, want, dir, seconds)
                seconds, tries = seconds / 2, tries + 1
            wrong = differ(want, got)
            print("%s killed %d times, %d shards, %s%s" % (
                "FAIL" if wrong else "ok  ", kills, shards, durable,
                "\n  " + wrong if wrong else ""), flush=True)
            if wrong or kills == 0:
                bad.append("killed, %d shards, %s" % (shards, durable))
    print("%d ways compared; wrong: %s" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
