#!/usr/bin/env python3
"""Goal: a run on a recorded book gives the same results wherever its actors are placed, with the
journal on and off, on the virtual and the paced clock, and when it is killed and goes on.
Method: a book and its trades from a seed, written as CSV and imported into a store; two passive
market makers, one of them on a shard of its own; every placement against the first, byte for byte;
one run killed with SIGKILL again and again. Now and then the book is silent while trades go on: with
stale_after nothing is filled then, without it there are fills.
"""
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time

from runs import BIN, Scratch, shrike, text_of, write_run
from test_placements import differ, place, results, spread

TICK, LOT = 10, 1000  # in 1e-2 quote and 1e-6 base, as text below
START_MS = 1700006400000
SILENCE_MS, STALE_MS = 3000, 500


def decimal(value, places):
    """decimal writes value / 10^places."""
    return "%d.%0*d" % (value // 10 ** places, places, value % 10 ** places)


def make(rng, dir, updates, touch=300000):
    """make writes depth.csv and trades.csv: a touch that wanders, a gap that a snapshot mends, and
    silences of the book, which are returned: when the last update came, and the next."""
    now, update, trade, silences = START_MS, 1, 1, []
    with open(os.path.join(dir, "depth.csv"), "w") as depth, \
            open(os.path.join(dir, "trades.csv"), "w") as trades:
        depth.write("time,first_update_id,last_update_id,pu,price,qty,side,flags,delay_us\n")
        trades.write("id,price,qty,quote_qty,time,is_buyer_maker\n")

        def say(levels, flags):
            """One update."""
            for i, (side, tick, lots) in enumerate(levels):
                mark = flags & 4 | (i == 0) * (1 | flags & 8) | (i == len(levels) - 1) * 2
                depth.write("%d,%d,%d,%d,%s,%s,%s,%d,%d\n" % (
                    now, update, update, update - 1, decimal(tick * TICK, 2),
                    decimal(lots * LOT, 6), "ba"[side], mark, rng.randint(-200, 3000)))

        def snapshot(flags):
            """The whole book."""
            say([(0, touch - 1 - i, rng.randint(1, 50)) for i in range(40)] +
                [(1, touch + i, rng.randint(1, 50)) for i in range(40)], flags)

        snapshot(4)
        for n in range(updates):
            if n % 900 == 850:
                silences.append((now, now + SILENCE_MS))
                for at in range(now + STALE_MS + 100, now + SILENCE_MS, 100):
                    trades.write("%d,%s,%s,0,%d,%s\n" % (
                        trade, decimal((touch - 3 if trade % 2 else touch + 2) * TICK, 2),
                        decimal(20 * LOT, 6), at, "true" if trade % 2 else "false"))
                    trade += 1
                now += SILENCE_MS
            now += rng.randint(1, 20)
            update += 1
            if n % 700 == 600:
                say([(0, touch - 1, 9)], 8)  # updates are missing; nobody may fill until the next
                continue
            if n % 700 == 610:
                snapshot(4)
                continue
            levels = []
            if rng.random() < 0.2:
                up = rng.random() < 0.5
                levels.append((up, touch if up else touch - 1, 0))
                levels.append((not up, touch if up else touch - 1, rng.randint(1, 30)))
                touch += 1 if up else -1
                levels += [(0, touch - 1, rng.randint(1, 30)), (1, touch, rng.randint(1, 30))]
            seen = {level[:2] for level in levels}
            for _ in range(rng.randint(1, 5)):
                off, side = min(rng.randint(0, 30), rng.randint(0, 30)), rng.randint(0, 1)
                level = (side, touch + off if side else touch - 1 - off)
                if level not in seen:
                    seen.add(level)
                    lots = rng.randint(1, 40)
                    levels.append(level + (0 if off and rng.random() < 0.2 else lots,))
            say(levels or [(0, touch - 1, 7)], 0)
            if rng.random() < 0.6:
                sells = rng.random() < 0.5
                trades.write("%d,%s,%s,0,%d,%s\n" % (
                    trade, decimal((touch - 1 if sells else touch) * TICK, 2),
                    decimal(rng.randint(1, 25) * LOT, 6), now, "true" if sells else "false"))
                trade += 1
    return silences


def run_of(dir):
    """run_of is the run: two makers on two accounts, latency of every kind."""
    sources = [{"kind": "store", "data": os.path.join(dir, "store"), "instrument": "X",
                "stream": stream} for stream in ("depth", "trades")]
    instrument = {"symbol": "XUSDT", "kind": "linear", "base": "X", "quote": "USDT",
                  "venue": "binance-um", "tick_size": "0.1", "lot_size": "0.001",
                  "min_notional": "5", "maker_fee": "0.0002", "taker_fee": "0.0005",
                  "slippage_bps": "0", "stale_after": "%dms" % STALE_MS}

    def maker(account, size, **params):
        """A market maker."""
        return {"kind": "strategy", "class": "quote_touch", "instruments": ["X"],
                "interval": "trades", "account": account, "sizing": {"fixed": size},
                "params": params}

    limits = {"max_order_quantity": "10", "max_order_notional": "1000000", "price_collar": "0.5",
              "max_position": "20", "order_rate": {"count": "100000", "per": "1s"},
              "duplicate_window": "1us", "max_open_orders": "100"}
    return {"name": "depth", "clock": "virtual", "journal": "off", "start": "2023-11-14",
            "instruments": {"X": instrument},
            "accounts": {"one": {"quote": "USDT", "cash": "100000"},
                         "two": {"quote": "USDT", "cash": "100000"}},
            "sources": sources,
            "actors": {"a": maker("one", "0.02", inventory="0.2"),
                       "b": maker("two", "0.005", inventory="0.05", lean="0.8"),
                       "risk": {"kind": "risk", "limits": limits},
                       "execution": {"kind": "execution"}, "portfolio": {"kind": "portfolio"},
                       "venue": {"kind": "venue", "queue": "log",
                                 "latency": {"feed": {"recorded": "2ms"},
                                             "order": {"median": "3ms", "sigma": "0.5"},
                                             "answer": {"min": "1ms", "p50": "4ms",
                                                        "max": "60ms"}}}}}


def killed(run, dir, rng):
    """killed runs it on the paced clock, kills it now and then, and returns the result files."""
    os.makedirs(dir)
    file, out = write_run(run, os.path.join(dir, "run.yaml")), os.path.join(dir, "out")
    command = [BIN, "run", file, "--dir", out, "--plain"]
    kills = 0
    for _ in range(60):
        log = open(os.path.join(dir, "log"), "ab")
        p = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                             start_new_session=True)
        try:
            code = p.wait(timeout=rng.uniform(0.3, 1.0) if kills < 5 else 100)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            kills += 1
            time.sleep(0.05)
            continue
        log.close()
        if code != 0:
            with open(os.path.join(dir, "log")) as f:
                raise AssertionError("exit %d after %d kills\n%s" % (code, kills, f.read()[-2000:]))
        return out, kills
    raise AssertionError("it never ended")


def main():
    """Runs all; returns the exit code."""
    seed = int(os.environ.get("SHRIKE_SEED", "5"))
    rng = random.Random(seed)
    print("seed", seed)
    bad = 0
    with Scratch() as scratch:
        silences = make(rng, scratch, 6000)
        for stream in ("depth", "trades"):
            shrike("data", "import", os.path.join(scratch, stream + ".csv"), "--store",
                   os.path.join(scratch, "store"), "--venue", "binance-um", "--symbol", "XUSDT",
                   "--stream", stream)
        run = run_of(scratch)
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        fills = want["fills"].decode().splitlines()
        print("%d fills, %d orders" % (len(fills) - 1, want["orders"].count(b"\n") - 1))
        summary = json.loads(want["summary"])
        kept = os.path.join(scratch, "kept.csv")  # as the store has it: without repeated levels
        shrike("data", "export", os.path.join(scratch, "store", "binance-um", "XUSDT", "depth"),
               "--out", kept)
        with open(kept) as f:
            early = sum(line.rpartition(",")[2].startswith("-") for line in f)
        print("%d rows were recorded before they happened" % early)
        assert early > 10 and summary["clock_faults"] == early, summary["clock_faults"]
        loose = run_of(scratch)
        del loose["instruments"]["X"]["stale_after"]
        loose = results(place(loose, [{}], {}), os.path.join(scratch, "loose"), "backtest")

        def inside(found):
            """Fills while the book was stale by silence; an answer takes 60 ms at most."""
            times = [int(r["time_ns"]) // 10**6
                     for r in csv.DictReader(found["fills"].decode().splitlines())]
            return sum(a + STALE_MS + 60 < t < b for t in times for a, b in silences)

        print("%d silences, %d fills in them, %d without stale_after" % (
            len(silences), inside(want), inside(loose)))
        assert summary["silent_books"] == len(silences) > 3
        assert inside(want) == 0 and inside(loose) > 0
        assert "silent_books" not in json.loads(loose["summary"])
        assert len(fills) > 200 and sum(",maker," in f for f in fills) > 100
        paced = {"kind": "paced", "speed": "20"}
        apart = {"a": 1, "b": 1}
        cases = [
            ("journal on", place(run, [{}], {}, journal="on"), "backtest"),
            ("two shards", place(run, [{}] * 2, apart), "backtest"),
            ("venue apart, journal on", place(run, [{}] * 2, {"venue": 1}, journal="on"),
             "backtest"),
            ("five shards", place(run, [{}] * 5, {"a": 0, "b": 1, "risk": 2, "execution": 3,
                                                  "venue": 3, "portfolio": 4}), "backtest"),
            ("at random over three", place(run, [{}] * 3, spread(rng, run, 3), journal="stage"),
             "backtest"),
            ("two processes", place(run, [{"process": "p"}, {"process": "q"}], apart, ["p", "q"],
                                    journal="stage"), "backtest"),
            ("paced clock", place(run, [{}] * 2, apart, clock=paced, journal="on"), "run"),
        ]
        for i, (name, placed, how) in enumerate(cases):
            got = results(placed, os.path.join(scratch, "case%d" % i), how)
            wrong = differ(want, got)
            print("bad " if wrong else "ok  ", name, wrong, flush=True)
            bad += bool(wrong)
        for name, placed in (("killed", place(run, [{}], {}, clock=paced, journal="on",
                                              snapshot_every="200ms")),
                             ("killed, two shards", place(run, [{}] * 2, apart, clock=paced,
                                                          journal="on", snapshot_every="200ms"))):
            out, kills = killed(placed, os.path.join(scratch, name), rng)
            out = os.path.join(out, "out") if os.path.isdir(os.path.join(out, "out")) else out
            wrong = ""
            for file in ("orders", "fills", "trades"):
                with open(os.path.join(out, file + ".csv"), "rb") as f:
                    wrong = wrong or (file if f.read() != want[file] else "")
            print("bad " if wrong or not kills else "ok  ", name, kills, "kills", wrong, flush=True)
            bad += bool(wrong) or not kills
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
