#!/usr/bin/env python3
"""Goal: an order that its strategy amends, replaces, or cancels and places anew in one answer is
worked as the rules say (actors/venue/amend.h), and wherever the actors live.
Method: the strategy `amender` of the drills keeps changing one limit order on bars; every order and
fill is compared with a model of strategy and venue written below from the rules of bar runs: with
and without latency, one seed of prices that move by few ticks, so that a limit at the very open and
one just beyond it are common. Then each run on other placements, with the journal on and replayed,
and killed again and again: the same bytes."""
# once: what is compared does not depend on how the tree was compiled; CI's release build runs it
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
from test_placements import spread  # noqa: E402
from test_reference import klines, money, run_of  # noqa: E402

BEGIN = 1704067200 * 10**9
MINUTE = 60 * 10**9
TICK, LOT = 10**7, 10**5  # 0.1 and 0.001 in 1e-8


class Order:
    """Order is one limit order of the model."""

    def __init__(self, side, price, quantity, from_ns):
        self.side, self.price, self.quantity, self.made_ns = side, price, quantity, from_ns
        self.from_ns, self.fresh = from_ns, True
        self.status, self.reason, self.end_ns, self.fill = "accepted", "", None, None

    def past(self, price):
        """past tells how far price is beyond the limit, > 0 better than it."""
        return self.price - price if self.side == "buy" else price - self.price

    def end(self, status, reason, now_ns):
        """end ends it."""
        self.status, self.reason, self.end_ns = status, reason, now_ns

    def trade(self, price, liquidity, now_ns):
        """trade fills it whole."""
        self.fill = (now_ns, price, liquidity)
        self.end("filled", "", now_ns)


def model(bars, reach, lots, late_ns):
    """model returns the orders that come of it, in the order they were made."""
    orders, now, position, n = [], None, 0, 0

    def make(close, at_ns):
        side = "buy" if position <= 0 else "sell"
        off = -reach * TICK if side == "buy" else reach * TICK
        orders.append(Order(side, close + off, lots * LOT, at_ns))
        return orders[-1]

    def booked(order):
        return position + (order.quantity if order.side == "buy" else -order.quantity)

    for open_ns, first, high, low, close, volume in bars:
        end_ns = open_ns + MINUTE
        if now and volume and not (now.fresh and open_ns < now.from_ns + late_ns):
            if now.fresh and now.past(first) >= 0:
                now.trade(first, "taker", open_ns)
            elif not now.fresh and now.past(first) > 0:
                now.trade(first, "maker", open_ns)
            now.fresh = False
            if now.status != "filled" and now.past(low if now.side == "buy" else high) > 0:
                now.trade(now.price, "maker", end_ns)
            if now.status == "filled":
                position, now = booked(now), None
        n += 1
        if now is None:
            now = make(close, end_ns)
            continue
        off = -TICK if now.side == "buy" else TICK
        if n % 5 == 0:
            if now.price != close + off * reach:
                now.price, now.fresh, now.from_ns = close + off * reach, True, end_ns
        elif n % 5 == 1:
            if now.quantity > LOT:
                now.quantity -= LOT  # keeps its place
        elif n % 5 == 3:
            now.price, now.quantity = close + off * reach * 2, now.quantity + LOT
            now.fresh, now.from_ns = True, end_ns
        else:
            now.end("canceled", "by_strategy", end_ns)
            now = make(close, end_ns)
    if now:
        now.end("expired", "end_of_data", end_ns)
    return orders


def read_bars(path):
    """read_bars reads the bars of a file of six columns."""
    with open(path) as f:
        for row in csv.reader(f):
            if row[0].isdigit():
                ns = int(row[0]) * (10**6 if len(row[0]) == 13 else 10**9)
                yield (ns,) + tuple(fixed(x) for x in row[1:6])


def fixed(text):
    """fixed reads a decimal with up to 8 places as a whole number of 1e-8."""
    head, _, tail = text.partition(".")
    return int(head + (tail + "0" * 8)[:8])


def compared(want, found):
    """compared tells the first difference between the model's orders and the results, "" = none."""
    rows = sorted(csv.DictReader(found["orders"].decode().splitlines()),
                  key=lambda r: r["client_order_id"])
    fills = {f["client_order_id"]: f for f in
             csv.DictReader(found["fills"].decode().splitlines())}
    if len(rows) != len(want):
        return "%d orders, the model has %d" % (len(rows), len(want))
    for i, (row, o) in enumerate(zip(rows, want)):
        got = (row["side"], fixed(row["price"]), fixed(row["quantity"]), row["status"],
               row["reason"], int(row["created_ns"]), int(row["updated_ns"]))
        reason = o.reason or "none" if row["reason"] == "none" else o.reason
        expected = (o.side, o.price, o.quantity, o.status, reason, o.made_ns, o.end_ns)
        if got != expected:
            return "order %d: %s, the model has %s" % (i, got, expected)
        f = fills.get(row["client_order_id"])
        fill = f and (int(f["time_ns"]), fixed(f["price"]), f["liquidity"])
        if fill != o.fill or (f and fixed(f["quantity"]) != o.quantity):
            return "fill of order %d: %s, the model has %s" % (i, fill, o.fill)
    return ""


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0
    with Scratch() as scratch:
        for name, reach, late in (("touch", 0, "0ns"), ("near", 2, "0ns"), ("late", 1, "90s")):
            file = walk_file(os.path.join(scratch, name + ".csv"), rng, 1500, "1m", BEGIN, 60000, 5,
                             0.1, 1)
            bars = list(read_bars(file))
            strategies = {"a": {"kind": "strategy", "class": "amender",
                                "instruments": ["BTC-PERP"], "interval": "1m", "account": "main",
                                "params": {"reach": reach, "tick": "0.1", "lots": 10,
                                           "lot": "0.001"}, "sizing": {"fixed": "0.01"}}}
            run = run_of(name, [klines("BTC-PERP", "1m", file)], strategies, money(main=1000000),
                         venue={"latency": late})
            run["instruments"]["BTC-PERP"]["slippage_bps"] = 0
            found = results(place(run, [{}], {}), os.path.join(scratch, name), "backtest")
            want = model(bars, reach, 10, MINUTE if late != "0ns" else 0)
            wrong = compared(want, found)
            kinds = {o.fill[2] for o in want if o.fill}
            if not wrong and (len(want) < 200 or kinds != {"maker", "taker"}):
                wrong = "too little happened: %d orders, %s" % (len(want), kinds)
            ways = [("journal on", place(run, [{}], {}, journal="on")),
                    ("two shards", place(run, [{}] * 2, {"a": 1})),
                    ("five shards", place(run, [{}] * 5, spread(rng, run, 5))),
                    ("two processes", place(run, [{"process": "p"}, {"process": "q"}], {"a": 1},
                                            ["p", "q"], journal="stage"))]
            for i, (way, placed) in enumerate(ways):
                dir = os.path.join(scratch, "%s-%d" % (name, i))
                differs = differ(found, results(placed, dir, "backtest"))
                if placed.get("journal") == "on":
                    shrike("replay", os.path.join(dir, "out"), "--verify", timeout=200)
                wrong = wrong or (differs and "%s: %s" % (way, differs))
            placed = place(run, [{}] * 2, {"venue": 1}, clock={"kind": "paced", "speed": 60000},
                           journal="on", snapshot_every="100ms")
            got, kills = killed(placed, os.path.join(scratch, name + "-killed"), rng)
            differs = differ(found, got)
            wrong = wrong or (differs and "killed: %s" % differs) or (not kills and "not killed")
            print("%s %s: %d orders, killed %d times %s" % ("bad " if wrong else "ok  ", name,
                                                            len(want), kills, wrong), flush=True)
            bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
