#!/usr/bin/env python3
"""Goal: in a market that is recorded order by order the queue of every order of ours is exact, and
results are the same wherever actors are placed, with the journal on and off, and when a run is
killed and goes on.
Method: flows of orders from a seed, with moves, hidden trades, a gap that a snapshot mends and a
halt, written as CSV; two passive market makers and a trader that takes. Their orders, as orders.csv
has them, are worked by an independent market in Python (tests/reference/orders.py): every fill is
the same. Then every placement against the first, byte for byte; one run killed with SIGKILL again
and again.
"""
import csv
import gzip
import json
import os
import random
import sys

from runs import Scratch, backtest, shrike, write_run
from test_depth import killed
from test_placements import differ, place, results, spread

from orders import Market  # tests/reference, which runs.py puts on the path

TICK, LOT = 10, 1000  # in 1e-2 quote and 1e-6 base, as text below
START_NS = 1700006400 * 10**9
ORDER_NS = 9777123  # latency: never a whole microsecond, as rows are


def decimal(value, places):
    """decimal writes value / 10^places."""
    return "%d.%0*d" % (value // 10 ** places, places, value % 10 ** places)


class Flow:
    """A market of others: what it does is written as rows and kept for the model."""

    def __init__(self, rng, touch=300000):
        self.rng, self.touch = rng, touch
        self.book, self.rows, self.text = {}, [], []  # book: id -> [side, tick, lots], in order
        self.now, self.id, self.sequence = START_NS, 100, 1

    def say(self, action, key="", side="", tick=None, lots=None):
        """say writes a row."""
        self.text.append("%d,%s,%s,%s,%s,%s,%d,%d" % (
            self.now, key, action, side, "" if tick is None else decimal(tick * TICK, 2),
            "" if lots is None else decimal(lots * LOT, 6), self.sequence,
            self.now + self.rng.randint(1000, 3000000)))
        self.sequence += 1

    def best(self, side):
        """best is the best tick of a side, None where it is empty."""
        ticks = [o[1] for o in self.book.values() if o[0] == side]
        return (max(ticks) if side == "b" else min(ticks)) if ticks else None

    def front(self, side):
        """front is the id that stands first on a side."""
        best = self.best(side)
        return next(k for k, o in self.book.items() if o[:2] == [side, best])

    def free(self, side):
        """free is a tick where an order on side crosses nothing."""
        against = self.best("a" if side == "b" else "b")
        off = min(self.rng.randint(1, 12), self.rng.randint(1, 12))
        if against is None:
            against = self.touch
        return against - off if side == "b" else against + off

    def add(self, side, tick=None):
        """add lets an order join."""
        self.id += 1
        order = [side, tick or self.free(side), self.rng.randint(1, 40)]
        self.book[self.id] = order
        self.say("add", self.id, *order)
        self.rows.append((self.now, "add", self.id, *order))

    def less(self, key, lots, action):
        """less takes lots off an order."""
        order = self.book[key]
        if action == "amend":
            self.say(action, key, "", None, order[2] - lots)
        else:
            self.say(action, key, "", None, lots)
        order[2] -= lots
        if order[2] == 0:
            del self.book[key]
        self.rows.append((self.now, "execute" if action == "execute" else "reduce", key, lots))

    def snapshot(self):
        """snapshot tells the book, after numbers were lost in which some orders left and came."""
        self.sequence += 5
        self.say("add", self.id + 1, "b", self.best("b") - 30, 1)  # is heard, but nobody may trade
        self.rows.append((self.now, "stale"))
        self.id += 1
        for key in self.rng.sample(list(self.book), 5):
            del self.book[key]
        for key in self.rng.sample(list(self.book), 5):
            self.book[key][2] = max(1, self.book[key][2] - 3)
        for side in "ba":
            self.id += 1
            self.book[self.id] = [side, self.free(side), 7]
        self.now += 5000000
        self.say("clear")
        for key, order in self.book.items():
            self.say("snap", key, *order)
        self.rows.append((self.now, "snapshot", [(k, *o) for k, o in self.book.items()]))

    def step(self):
        """step does one thing."""
        rng = self.rng
        side = rng.choice("ba")
        what = rng.random()
        key = rng.choice(list(self.book)) if self.book else None
        crowd = sum(o[0] == side for o in self.book.values())
        if what < 0.4 or crowd < 20:
            self.add(side)
        elif what < 0.55:
            lots = rng.randint(1, self.book[key][2])
            if lots == self.book[key][2]:
                self.say("delete", key)
                del self.book[key]
                self.rows.append((self.now, "reduce", key, lots))
            else:
                self.less(key, lots, rng.choice(("reduce", "amend")))
        elif what < 0.63:
            order = self.book.pop(key)
            tick, lots = self.free(order[0]), rng.randint(1, 40)
            self.book[key] = [order[0], tick, lots]  # last in the map: last in its queue
            self.say("modify", key, "", tick, lots)
            self.rows.append((self.now, "modify", key, tick, lots))
        elif what < 0.95:  # a taker sweeps; all of it at one instant
            lots = rng.randint(1, 60)
            while lots > 0 and sum(o[0] == side for o in self.book.values()) > 5:
                key = self.front(side)
                part = min(lots, self.book[key][2])
                self.less(key, part, "execute")
                lots -= part
        else:
            tick, lots = self.best(side), rng.randint(1, 20)
            if rng.random() < 0.5 and self.best("a") - self.best("b") > 1:
                tick += 1 if side == "b" else -1
            self.say("hidden", "", side, tick, lots)
            self.rows.append((self.now, "hidden", side, tick, lots))

    def run(self, steps):
        """run does steps things."""
        self.say("clear")
        self.rows.append((self.now, "snapshot", []))
        for i in range(60):
            self.add("ba"[i % 2], self.touch + (-1 - i // 4 if i % 2 == 0 else i // 4))
        for n in range(steps):
            self.now += self.rng.randint(1, 60000) * 1000
            if n % 700 == 600:
                self.snapshot()
            elif n % 900 in (400, 420):
                self.say("halt" if n % 900 == 400 else "resume")
                self.rows.append((self.now, "halt", n % 900 == 400))
            else:
                self.step()

    def write(self, path):
        """write writes it as CSV."""
        with gzip.open(path, "wt") as f:
            f.write("time,order_id,action,side,price,qty,sequence,local_time\n")
            f.write("\n".join(self.text) + "\n")


def run_of(path):
    """run_of is the run: two makers and a trader."""
    instrument = {"symbol": "XUSDT", "kind": "linear", "base": "X", "quote": "USDT",
                  "venue": "sim", "tick_size": "0.1", "lot_size": "0.001",
                  "min_notional": "0", "maker_fee": "0.0002", "taker_fee": "0.0005",
                  "slippage_bps": "0"}

    def maker(account, size, **params):
        """A market maker."""
        return {"kind": "strategy", "class": "quote_touch", "instruments": ["X"],
                "interval": "trades", "account": account, "sizing": {"fixed": size},
                "params": params}

    limits = {"max_order_quantity": "10", "max_order_notional": "10000000", "price_collar": "0.5",
              "max_position": "200", "order_rate": {"count": "100000", "per": "1s"},
              "duplicate_window": "1ns", "max_open_orders": "100"}
    return {"name": "orders", "clock": "virtual", "journal": "off", "start": "2023-11-14",
            "instruments": {"X": instrument},
            "accounts": {a: {"quote": "USDT", "cash": "100000000"} for a in
                         ("one", "two", "three")},
            "sources": [{"kind": "orders", "instrument": "X", "file": path}],
            "actors": {"a": maker("one", "0.02", inventory="0.5"),
                       "b": maker("two", "0.005", inventory="0.2", lean="0.7"),
                       "c": {"kind": "strategy", "class": "sma_cross", "instruments": ["X"],
                             "interval": "1s", "account": "three", "sizing": {"fixed": "0.05"},
                             "params": {"fast": "2", "slow": "5", "short": "true"}},
                       "feed": {"kind": "feed",
                                "bars": [{"instrument": "X", "from": "trades", "to": "1s"}]},
                       "risk": {"kind": "risk", "limits": limits},
                       "execution": {"kind": "execution"}, "portfolio": {"kind": "portfolio"},
                       "venue": {"kind": "venue", "book_orders": "4096",
                                 "latency": {"feed": "0ns", "order": "%dns" % ORDER_NS,
                                             "answer": "0ns"}}}}


def table(data):
    """table is the rows of a result file."""
    return list(csv.DictReader(data.decode().splitlines()))


def model(flow, found):
    """model works the orders of a run in the independent market; returns its fills and refusals."""
    requests = []
    for n, o in enumerate(table(found["orders"])):
        if o["status"] == "rejected" and o["reason"] != "would_match":
            continue  # never reached the venue
        tick = None if o["type"] == "market" else round(float(o["price"]) * 10)
        lots = round(float(o["quantity"]) * 1000)
        requests.append((int(o["created_ns"]) + ORDER_NS, 0, n, "arrive", o["client_order_id"],
                         "b" if o["side"] == "buy" else "a", tick, lots,
                         o["strategy"] in "ab"))  # the makers' are post-only
        if o["status"] == "canceled":
            requests.append((int(o["updated_ns"]), 1, n, "cancel", o["client_order_id"]))
    requests.sort()
    market = Market()
    rows = iter(flow.rows)
    row = next(rows)
    for r in requests + [(1 << 62, 0, 0, "end")]:
        while row and row[0] < r[0]:
            if row[1] == "stale":
                market.stale = True
            else:
                getattr(market, row[1])(row[0], *row[2:])
            row = next(rows, None)
        if r[3] == "arrive":
            market.arrive(r[0], *r[4:])
        elif r[3] == "cancel":
            market.cancel(r[4])
    return market


def check(flow, found):
    """check compares a run with the model; returns how many fills, and of them passive."""
    market = model(flow, found)
    got = [[int(f["time_ns"]), f["client_order_id"], round(float(f["price"]) * 10),
            round(float(f["quantity"]) * 1000), f["liquidity"]] for f in table(found["fills"])]
    for n, (a, b) in enumerate(zip(market.fills, got)):
        assert a == b, "fill %d\n model %s\n run   %s" % (n, a, b)
    assert len(got) == len(market.fills), (len(got), len(market.fills))
    refused = {o["client_order_id"] for o in table(found["orders"])
               if o["reason"] == "would_match"}
    assert refused == set(market.refused), (len(refused), len(market.refused))
    return len(got), sum(f[4] == "maker" for f in got), len(refused)


def main():
    """Runs all; returns the exit code."""
    seed = int(os.environ.get("SHRIKE_SEED", "7"))
    rng = random.Random(seed)
    print("seed", seed)
    bad = 0
    with Scratch() as scratch:
        for n in range(3):
            flow = Flow(random.Random(seed * 100 + n))
            flow.run(5000)
            path = os.path.join(scratch, "orders%d.csv.gz" % n)
            flow.write(path)
            run = run_of(path)
            want = results(place(run, [{}], {}), os.path.join(scratch, "run%d" % n), "backtest")
            fills, makers, refused = check(flow, want)
            print("flow %d: %d rows, %d fills, %d passive, %d refused: as the model has them" % (
                n, len(flow.text), fills, makers, refused), flush=True)
            with open(os.path.join(scratch, "run%d" % n, "out", "manifest.json")) as f:
                told = [r for r in json.load(f)["rules"] if r.startswith("X orders: ")]
            assert len(told) == 1 and told[0].startswith("X orders: %d rows, " % len(flow.text))
            assert told[0].endswith(", 7 gaps"), told
            assert makers > 200 and fills - makers > 20 and refused > 5
        apart = {"a": 1, "b": 1, "c": 1}
        cases = [
            ("journal on", place(run, [{}], {}, journal="on"), "backtest"),
            ("two shards", place(run, [{}] * 2, apart), "backtest"),
            ("venue apart, journal on", place(run, [{}] * 2, {"venue": 1}, journal="on"),
             "backtest"),
            ("five at random", place(run, [{}] * 5, spread(rng, run, 5)), "backtest"),
            ("two processes", place(run, [{"process": "p"}, {"process": "q"}], apart, ["p", "q"],
                                    journal="stage"), "backtest"),
            ("paced clock", place(run, [{}] * 2, apart, clock={"kind": "paced", "speed": "40"},
                                  journal="on"), "run"),
        ]
        for i, (name, placed, how) in enumerate(cases):
            wrong = differ(want, results(placed, os.path.join(scratch, "case%d" % i), how))
            print("bad " if wrong else "ok  ", name, wrong, flush=True)
            bad += bool(wrong)
        placed = place(run, [{}] * 2, apart, clock={"kind": "paced", "speed": "25"}, journal="on",
                       snapshot_every="200ms")
        out, kills = killed(placed, os.path.join(scratch, "killed"), rng)
        out = os.path.join(out, "out") if os.path.isdir(os.path.join(out, "out")) else out
        wrong = ""
        for file in ("orders", "fills", "trades"):
            with open(os.path.join(out, file + ".csv"), "rb") as f:
                wrong = wrong or (file if f.read() != want[file] else "")
        print("bad " if wrong or not kills else "ok  ", "killed", kills, "kills", wrong, flush=True)
        bad += bool(wrong) or not kills
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
