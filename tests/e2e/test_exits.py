#!/usr/bin/env python3
"""Goal: exits that stand at the venue act as its rules say (actors/venue/venue.h), from a strategy
through a whole run: orders that close the position, on bars, trades, recorded books and among
simulated traders, linear and inverse, in hedge mode, by the last price and by the mark; brackets on
recorded books that begin and grow with each part of their entry, or wait for all of it.
Method: the strategy `exiter` of the drills. What it asked for is taken from orders.csv; what became
of each order is reckoned again here by models of the venue that are written from its rules and share
no code with it, and every fill and end is compared. Simulated traders cannot be reckoned again: there
the venue's own tape tells which trade, or mark, met a trigger first, and what was held then. What is
open at the end of the data is told of, however little a round may say. The
books' run is placed on several shards, too, and killed again and again: the same bytes."""
# once: what is compared does not depend on how the tree was compiled; CI's release build runs it
import bisect
import csv
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("SHRIKE_SOURCE") or os.path.dirname(os.path.dirname(HERE))
os.environ["SHRIKE_BIN"] = os.path.join(os.path.dirname(
    os.environ.get("SHRIKE_BIN") or os.path.join(ROOT, "build", "release", "shrike")),
    "shrike_drill")
sys.path.insert(0, HERE)
from runs import *  # noqa: E402,F403
from test_bars import differ, killed, place, results  # noqa: E402
from test_reference import klines, money, run_of, trades  # noqa: E402

BEGIN = 1704067200 * 10**9
MS, SECOND, MINUTE = 10**6, 10**9, 60 * 10**9
TICK, LOT = 10**7, 10**5  # 0.1 and 0.001 in 1e-8
ENDS = {"filled", "canceled", "expired", "rejected"}


def fixed(text):
    """fixed reads a decimal with up to 8 places as a whole number of 1e-8."""
    head, _, tail = text.partition(".")
    return int(head + (tail + "0" * 8)[:8])


class Order:
    """Order is an order as it was asked for, and what the model has come to."""

    def __init__(self, row):
        self.id, self.made_ns, self.type = row["client_order_id"], int(row["created_ns"]), row["type"]
        self.side, self.exit = row["side"], row["effect"] == "exit"
        self.trigger = fixed(row["stop_price"]) if row["stop_price"] else 0
        self.limit = fixed(row["price"]) if row["price"] else 0
        self.parent_id, self.oco = row["parent_order_id"], row["oco_order_id"]
        self.closes = self.exit and not self.parent_id
        self.asked = self.left = 0 if self.closes else fixed(row["quantity"])
        self.row, self.fills = row, []
        self.status, self.reason, self.stage = "open", "", "new"
        self.wait, self.since_ns = 0, 0  # a child's: what its parent has not set free; since when

    def way(self):
        """way is the position it is of: long (0) or short (1)."""
        return (self.side == "sell") != self.exit

    def falls(self):
        """falls tells that a falling price meets the trigger."""
        return (self.type == "take_profit") == (self.side == "buy")

    def touched(self, price):
        """touched tells whether price is at the trigger or beyond."""
        return price <= self.trigger if self.falls() else price >= self.trigger

    def is_open(self):
        """is_open tells whether nothing has ended it."""
        return self.status == "open"


class Model:
    """Model is what all drivers share: positions, groups, parents."""

    def __init__(self, rows, grows=False, mark=False):
        self.orders = [Order(r) for r in sorted(rows, key=lambda r: r["client_order_id"])]
        self.of = {o.id: o for o in self.orders}
        self.held = [0, 0]  # long, short: how much of each
        self.grows, self.mark, self.at = grows, mark, 0
        self.seen = {"early": 0, "reduce_only": 0, "closed": 0, "grown": 0}
        for o in self.orders:
            if o.parent_id:
                o.stage, o.wait = "pending", o.asked

    def arriving(self, from_ns, to_ns):
        """arriving takes the orders made in (from_ns, to_ns], as they were made."""
        out = []
        while self.at < len(self.orders) and self.orders[self.at].made_ns <= to_ns:
            o = self.orders[self.at]
            assert o.made_ns > from_ns
            self.at += 1
            if o.row["status"] == "rejected":  # not the venue's matter here
                o.status, o.reason = "rejected", o.row["reason"]
                continue
            o.since_ns = o.made_ns
            out.append(o)
        return out

    def end(self, o, status, reason):
        """end ends o, and children that have not begun."""
        o.status, o.reason = status, reason
        for c in self.orders:
            if c.parent_id == o.id and c.is_open() and c.stage == "pending" and status != "filled":
                self.end(c, "expired", "list_parent")

    def partners(self, o):
        """partners ends those of its group, and what is open of its parent."""
        for c in self.orders:
            if c is not o and c.oco and c.oco == o.oco and c.is_open() and c.stage != "new":
                self.end(c, "expired", "list_partner")
        parent = self.of.get(o.parent_id)
        if parent and parent.is_open():
            self.end(parent, "expired", "list_partner")

    def fire(self, o):
        """fire triggers o: False when there is nothing to close."""
        self.partners(o)
        o.stage = "fired"
        if o.closes:
            o.left = self.held[o.way()]
            if o.left == 0:
                self.seen["reduce_only"] += 1
                self.end(o, "expired", "reduce_only")
                return False
            self.seen["closed"] += 1
        return True

    def fill(self, o, quantity, price, now_ns, liquidity):
        """fill fills a part of o."""
        o.fills.append((now_ns, price, quantity, liquidity))
        o.left -= quantity
        self.held[o.way()] += -quantity if o.exit else quantity
        assert self.held[o.way()] >= 0
        if o.parent_id:
            self.seen["early"] += self.of[o.parent_id].left > 0
        self.partners(o)
        if o.left == 0:
            self.end(o, "filled", "")
        elif o.left == o.wait:
            self.end(o, "expired", "list_parent")
        for c in self.orders:
            if c.parent_id != o.id or not c.is_open():
                continue
            if not self.grows and o.left > 0:
                continue
            free = min(c.wait, quantity) if self.grows else c.wait
            c.wait -= free
            if c.stage == "pending":
                c.stage, c.begins, c.since_ns = "fresh", price, now_ns
            elif c.stage == "fresh":
                c.begins = price
            elif c.stage == "rests" and free:
                self.seen["grown"] += 1

    def finish(self, fills):
        """finish ends what is open, and tells the first difference to what happened, "" = none."""
        by = {}
        for f in fills:
            by.setdefault(f["client_order_id"], []).append(
                (int(f["time_ns"]), fixed(f["price"]), fixed(f["quantity"]), f["liquidity"]))
        for o in self.orders:
            if o.is_open():
                o.status, o.reason = "expired", "end_of_data"
            got = (o.row["status"], o.row["reason"])
            if got != (o.status, o.reason):
                return "%s ended %s, the model has %s" % (o.id, got, (o.status, o.reason))
            if by.get(o.id, []) != o.fills:
                return "%s was filled %s, the model has %s" % (o.id, by.get(o.id), o.fills)
        return ""


class Bars(Model):
    """Bars works orders on bars: close-position exits and market entries."""

    def leg(self, live, held, start, to, out):
        """leg goes along one leg on copies: what it meets, nearest first."""
        at, down = start, to < start
        while True:
            there = [o for o in live if o not in out and o.falls() == down and
                     (to <= o.trigger <= at if down else at <= o.trigger <= to) and
                     not any(p.oco and p.oco == o.oco for p in out)]
            if not there:
                return
            o = min(there, key=lambda o: (abs(o.trigger - at), o.id))
            at = o.trigger
            out[o] = held[o.way()]
            held[o.way()] = 0

    def path(self, live, low, high, close, first, low_first):
        """path is one way through a bar: what it fires, and what that leaves the account worth."""
        held, out, at = list(self.held), {}, first
        for to in ((low, high) if low_first else (high, low)) + (close,):
            self.leg(live, held, at, to, out)
            at = to
        worth = (held[0] - held[1]) * close
        for o, quantity in out.items():
            worth += (quantity if o.side == "sell" else -quantity) * o.trigger
            worth -= quantity * o.trigger * 5 // 10000
        return worth, list(out)

    def run(self, bars):
        """run works all of them."""
        before = BEGIN - MINUTE
        live = []
        for open_ns, first, high, low, close, volume in bars:
            live += self.arriving(before, open_ns)
            before = open_ns
            if not volume:
                continue
            for o in live:
                if o.stage == "new" and o.closes:
                    o.stage = "armed"
            for o in [o for o in live if o.closes]:  # stops first, then by order id
                if o.is_open() and o.touched(first) and self.fire(o):
                    self.fill(o, o.left, first, open_ns, "taker")
            for o in [o for o in live if not o.closes and o.is_open()]:
                self.fill(o, o.left, first, open_ns, "taker")
            live = [o for o in live if o.is_open()]
            ways = [self.path(live, low, high, close, first, low_first) for low_first in
                    (True, False)]
            better = ways[0][0] != ways[1][0]
            low_first = ways[0][0] < ways[1][0] if better else self.held[0] >= self.held[1]
            for o in ways[0 if low_first else 1][1]:
                if o.is_open() and self.fire(o):
                    self.fill(o, o.left, o.trigger, open_ns + MINUTE, "taker")
            live = [o for o in live if o.is_open()]


class Prints(Model):
    """Prints works orders on trades; marks: bars of the mark."""

    def run(self, prints, marks):
        """run works all of them."""
        before, live = BEGIN - 1, []
        events = sorted([(p[0], "trade", p) for p in prints] + [(m[0], "mark", m) for m in marks])
        for now_ns, kind, row in events:
            if kind == "mark":
                for o in live:
                    if o.is_open() and o.stage == "armed" and self.mark and met(o, row):
                        self.fire(o)
            else:
                price = row[1]
                for o in [o for o in live if o.closes]:
                    if not o.is_open():
                        continue
                    if o.stage == "fired":
                        self.fill(o, o.left, price, now_ns, "taker")
                    elif not self.mark and o.touched(price):
                        self.fire(o)
                for o in [o for o in live if not o.closes and o.is_open()]:
                    self.fill(o, o.left, price, now_ns, "taker")
            live = [o for o in live if o.is_open()] + self.arriving(before, now_ns)
            before = now_ns
            for o in live:
                if o.stage == "new":
                    o.stage = "armed"


def met(o, mark):
    """met tells whether a bar of the mark meets the trigger of o: where it began before o was there,
    its close alone."""
    now_ns, begin_ns, _, high, low, close = mark
    if o.since_ns > begin_ns:
        return o.touched(close)
    return o.touched(low) or o.touched(high)


class Book(Model):
    """Book works orders on a recorded book and its trades."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.levels, self.taken, self.marked = ([], []), {}, 0

    def take(self, o, now_ns):
        """take takes what there is, level by level; a limit's rest rests."""
        side = 1 if o.side == "buy" else 0  # of the levels
        for price, shown in list(self.levels[side]):
            if o.type == "limit" and (price > o.limit if o.side == "buy" else price < o.limit):
                break
            part = min(shown - self.taken.get((side, price), 0), o.left - o.wait)
            if part <= 0:
                continue
            self.taken[side, price] = self.taken.get((side, price), 0) + part
            self.fill(o, part, price, now_ns, "taker")
            if not o.is_open():
                return
        if o.type == "limit":
            o.stage = "rests"
        else:
            self.end(o, "expired", "not_filled_at_once")

    def work(self, now_ns):
        """work begins children and lets go on what has fired, until there is nothing to do."""
        while True:
            due = [o for o in self.live if o.is_open() and o.stage in ("fresh", "fired")]
            if not due:
                break
            for o in due:
                if not o.is_open():
                    continue
                if o.stage == "fresh":
                    if o.type == "limit":
                        o.stage = "fired"
                    else:
                        o.stage = "armed"
                        at = o.begins if not self.mark else self.marked and o.begins and self.marked
                        if not at or not o.touched(at) or not self.fire(o):
                            continue
                self.take(o, now_ns)
        self.live = [o for o in self.live if o.is_open()]

    def arrive(self, o, now_ns):
        """arrive lets an order arrive."""
        self.live.append(o)
        if o.stage == "pending":
            return
        o.stage = "armed" if o.closes else "fired"
        o.begins = 0
        self.work(now_ns)

    def on_depth(self, now_ns, bids, asks):
        """on_depth is a whole update: all its levels are new."""
        self.levels, self.taken = (bids, asks), {}
        for side in (0, 1):  # who rests, and is come to or over
            best = self.levels[1 - side][0][0]
            for o in [o for o in self.live if o.stage == "rests" and (o.side == "sell") == side]:
                if not o.is_open() or (best > o.limit if side == 0 else best < o.limit):
                    continue
                left = o.left - o.wait
                for price, shown in self.levels[1 - side]:
                    if (price > o.limit if side == 0 else price < o.limit) or left == 0:
                        break
                    part = min(left, shown - self.taken.get((1 - side, price), 0))
                    self.taken[1 - side, price] = self.taken.get((1 - side, price), 0) + part
                    left -= part
                self.fill(o, o.left - o.wait, o.limit, now_ns, "maker")
        self.work(now_ns)

    def on_trade(self, now_ns, price, quantity, sells):
        """on_trade is a trade; nothing is ahead of us at our prices, which no level has."""
        for side in (0, 1):
            for o in [o for o in self.live if o.stage == "rests" and (o.side == "sell") == side]:
                past = o.limit - price if side == 0 else price - o.limit
                if not o.is_open() or past < 0 or (past == 0 and sells == side):
                    continue
                left = o.left - o.wait
                self.fill(o, left if past > 0 else min(left, quantity), o.limit, now_ns, "maker")
        for o in [o for o in self.live if o.stage == "armed" and not self.mark]:
            if o.is_open() and o.stage == "armed" and o.touched(price):
                self.fire(o)
        self.work(now_ns)

    def run(self, events):
        """run works all of them, in time's order."""
        self.live, before = [], BEGIN - 1
        cancels = sorted((int(o.row["updated_ns"]), o.id) for o in self.orders
                         if o.row["status"] == "canceled")
        for now_ns, kind, row in events:
            if kind == "depth":
                self.on_depth(now_ns, *row)
            elif kind == "trade":
                self.on_trade(now_ns, *row)
            else:
                self.marked = row[5]
                for o in [o for o in self.live if o.stage == "armed" and self.mark]:
                    if o.is_open() and met(o, row):
                        self.fire(o)
                self.work(now_ns)
            while cancels and cancels[0][0] <= now_ns:
                o = self.of[cancels.pop(0)[1]]
                assert o.is_open()
                self.end(o, "canceled", "by_strategy")
            for o in self.arriving(before, now_ns):
                self.arrive(o, now_ns)
            before = now_ns


# --- data ---------------------------------------------------------------------------------------


def decimal(ticks):
    """decimal writes a price of so many ticks of 0.1."""
    return "%d.%d" % (ticks // 10, ticks % 10)


def walk(rng, count, step, start=600000):
    """walk is a walk in ticks, over even ones."""
    out, price = [], start
    for _ in range(count):
        price += 2 * rng.randint(-step, step)
        out.append(price)
    return out


def mark_file(path, rng, begin_ns, seconds, prices, every_ms):
    """mark_file writes bars of the mark, a second each, around prices (one every every_ms), and
    returns them: (end, begin, open, high, low, close)."""
    out = []
    with open(path, "w") as f:
        f.write("open_time_ms,open,high,low,close,volume\n")
        for i in range(seconds):
            at = prices[min(len(prices) - 1, i * 1000 // every_ms)] + rng.randint(-8, 8)
            ohlc = [at, 0, 0, at + rng.randint(-6, 6)]
            ohlc[1] = max(ohlc[0], ohlc[3]) + rng.randint(0, 12)
            ohlc[2] = min(ohlc[0], ohlc[3]) - rng.randint(0, 12)
            ms = begin_ns // MS + i * 1000
            f.write("%d,%s,1\n" % (ms, ",".join(decimal(p) for p in ohlc)))
            out.append((ms * MS + SECOND, ms * MS) + tuple(p * TICK for p in ohlc))
    return out


def trade_file(path, rng, prices, pause_ms, first_ms):
    """trade_file writes a trade for each price; returns (time, price, quantity, sells)."""
    out = []
    with open(path, "w") as f:
        f.write("id,price,qty,quote_qty,time,is_buyer_maker\n")
        for i, p in enumerate(prices):
            lots, sells, ms = rng.randint(1, 15), rng.random() < 0.5, first_ms + i * pause_ms
            f.write("%d,%s,0.%03d,0,%d,%s\n" % (i + 1, decimal(p), lots, ms,
                                               "true" if sells else "false"))
            out.append((ms * MS, p * TICK, lots * LOT, int(sells)))
    return out


def depth_file(path, rng, prices, pause_ms, first_ms):
    """depth_file writes a book of two levels a side around each price, on odd ticks, that changes
    whole with each update; returns (time, bids, asks)."""
    out, shown = [], {}
    with open(path, "w") as f:
        f.write("time,first_update_id,last_update_id,pu,price,qty,side,flags,delay_us\n")
        for i, p in enumerate(prices):
            book = []
            for sign in (-1, 1):
                near = p + sign * (2 * rng.randint(3, 12) + 1)
                near_lots, far_lots = 2 * rng.randint(1, 30) + i % 2, 4000 + i % 2
                book.append([(near, near_lots), (near + 10 * sign, far_lots)])
            now = {(side, t): lots for side in (0, 1) for t, lots in book[side]}
            rows = [(k, 0) for k in shown if k not in now] + list(now.items())
            for n, ((side, t), lots) in enumerate(rows):
                mark = (n == 0) * 1 | (n == len(rows) - 1) * 2 | (i == 0) * 4
                f.write("%d,%d,%d,%d,%s,%d.%03d,%s,%d,0\n" % (
                    first_ms + i * pause_ms, i + 1, i + 1, i, decimal(t), lots // 1000,
                    lots % 1000, "ba"[side], mark))
            shown = now
            out.append(((first_ms + i * pause_ms) * MS,
                        [(t * TICK, lots * LOT) for t, lots in book[0]],
                        [(t * TICK, lots * LOT) for t, lots in book[1]]))
    return out


def exiter(account, interval, **params):
    """exiter is the strategy."""
    params = dict({"every": 3, "lots": 25, "far": "2", "reach": "0.8"}, **params)
    return {"kind": "strategy", "class": "exiter", "instruments": ["BTC-PERP"],
            "interval": interval, "account": account, "params": params,
            "sizing": {"fixed": "0.025"}}


def world(name, sources, strategy, venue=None, hedge=False, inverse=False, **more):
    """world is a run of one strategy on one account."""
    cash = {"main": {"quote": "BTC" if inverse else "USDT", "cash": 1000000}}
    if hedge:
        cash["main"]["position_mode"] = "hedge"
    run = run_of(name, sources, {"a": strategy}, cash, venue=venue or {}, **more)
    run["instruments"]["BTC-PERP"]["slippage_bps"] = 0
    if inverse:
        run["instruments"]["BTC-PERP"].update(kind="inverse", contract_value=100, quote="USD",
                                              base="BTC", symbol="BTCUSD_PERP")
    return run


def rows(found, name):
    """rows reads a result."""
    return list(csv.DictReader(found[name].decode().splitlines()))


# --- simulated traders --------------------------------------------------------------------------


def trades_of(out):
    """trades_of reads the venue's tape from the journals of a run whose strategy is on a shard of its
    own: (time, price), in the venue's order."""
    text = shrike("journal", "dump", out, timeout=100)
    found = []
    for line in text.splitlines():
        if " out venue " not in line or " Trade " not in line:
            continue
        said = dict(re.findall(r"(\w+)=(\S+)", line))
        found.append((instant(said["time_ns"]), fixed(said["price"])))
    return found


def instant(text):
    """instant reads a time as the program writes it."""
    day, _, rest = text.rstrip("Z").partition("T")
    clock, _, part = rest.partition(".")
    year, month, date = (int(x) for x in day.split("-"))
    hour, minute, second = (int(x) for x in clock.split(":"))
    assert (year, month) == (2024, 1)
    whole = ((date - 1) * 24 + hour) * 3600 + minute * 60 + second
    return BEGIN + whole * SECOND + int((part + "0" * 9)[:9])


def crowd(rows_of_orders, fills, tape, marks, mark):
    """crowd tells what is wrong with the closes of a run among simulated traders, "" = nothing: each
    fires in the instant of the first trade (or bar of the mark) after it came that is at its trigger,
    for what is held then, and what never was met ends with its partner or the data; closes counts."""
    orders = [Order(r) for r in rows_of_orders]
    of, held, seen = {o.id: o for o in orders}, [0, 0], 0
    got, before, first = {}, {}, {}
    for f in sorted(fills, key=lambda f: int(f["trade_id"])):
        o = of[f["client_order_id"]]
        if o.closes and o.id not in before:
            before[o.id], first[o.id] = held[o.way()], int(f["time_ns"])
        held[o.way()] += fixed(f["quantity"]) * (-1 if o.exit else 1)
        got[o.id] = got.get(o.id, 0) + fixed(f["quantity"])
        if held[o.way()] < 0:
            return "%s closes more than is held" % o.id, 0
    times = [t for t, _ in tape]
    for o in (o for o in orders if o.closes and o.row["status"] != "rejected"):
        when = None
        if mark and any(o.touched(m[5]) for m in [m for m in marks if m[0] <= o.made_ns][-1:]):
            when = o.made_ns  # it is true as it comes
        elif mark:
            when = next((m[0] for m in marks if m[0] > o.made_ns and
                         (o.touched(m[3]) or o.touched(m[4]))), None)
        else:
            at = bisect.bisect_right(times, o.made_ns)
            when = next((t for t, p in tape[at:] if o.touched(p)), None)
            if first.get(o.id) == o.made_ns:  # so is that: by the newest trade before, or one of ours
                low = bisect.bisect_left(times, o.made_ns)
                if any(o.touched(p) for _, p in tape[max(0, low - 1):at]):
                    when = o.made_ns
        done_ns, reason = int(o.row["updated_ns"]), o.row["reason"]
        if o.id in first:
            seen += 1
            if when != first[o.id]:
                return "%s fired at %d, its trigger was met at %s" % (o.id, first[o.id], when), 0
            dry = o.row["status"] == "expired" and o.row["reason"] == "no_liquidity"
            if not dry and (got[o.id] != before[o.id] or o.row["status"] != "filled"):
                return "%s closed %d of %d" % (o.id, got[o.id], before[o.id]), 0
        elif when is not None and (when < done_ns or reason not in ("list_partner", "reduce_only", "no_liquidity")):
            return "%s did nothing at %d, ended %s" % (o.id, when, reason), 0
    return "", seen


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad, early = 0, []
    with Scratch() as scratch:
        def case(name, run, model, least):
            """case runs it and compares."""
            found = results(place(run, [{}], {}), os.path.join(scratch, name), "backtest")
            m = model(rows(found, "orders"))
            wrong = m.finish(rows(found, "fills"))
            if not wrong:
                wrong = ", ".join("hardly any %s: %d" % (k, m.seen[k]) for k, n in least.items()
                                  if m.seen[k] < n)
            print("%s %s: %d orders, %s %s" % ("bad " if wrong else "ok  ", name, len(m.orders),
                                              m.seen, wrong), flush=True)
            early.append(m.seen["early"])
            return bool(wrong), found

        bars_file = walk_file(os.path.join(scratch, "bars.csv"), rng, 2000, "1m", BEGIN, 600000, 20,
                              0.1, 1, gap=0, silent=0)
        with open(bars_file) as f:
            bars = [(int(r[0]) * MS,) + tuple(fixed(x) for x in r[1:6]) for r in csv.reader(f)
                    if r[0].isdigit()]

        def on_bars(rows):
            """The model of bars."""
            m = Bars(rows)
            m.run(bars)
            return m

        source = klines("BTC-PERP", "1m", bars_file)
        for name, more in (("bars", {}), ("bars-hedge", {"hedge": True}),
                           ("bars-inverse", {"inverse": True})):
            params = {"both": True} if "hedge" in more else {}
            size = {"lot_size": "1"} if "inverse" in more else {}
            strategy = exiter("main", "1m", every=1, far="5", lot=size.get("lot_size", "0.001"),
                              **params)
            run = world(name, [source], strategy, **more)
            run["instruments"]["BTC-PERP"].update(size)
            wrong, _ = case(name, run, on_bars, {"closed": 50})
            bad += wrong

        for resting, mail in ((3900, "4M"), (1500, "256K")):  # all are told of at the end
            strategy = exiter("main", "1m", every=1, resting=resting)
            strategy["orders_max"] = 4096
            run = place(world("end", [klines("BTC-PERP", "1m", bars_file)], strategy),
                        [{"mail_bytes": mail}], {}, journal="on")
            dir = os.path.join(scratch, "end-" + mail)
            found = results(run, dir, "backtest")
            shrike("replay", os.path.join(dir, "out"), "--verify", timeout=200)
            ends = [(o["status"], o["reason"]) for o in rows(found, "orders")]
            wrong = "" if ends == [("expired", "end_of_data")] * resting else (
                "%d orders, %d of them expired" % (len(ends), ends.count(("expired", "end_of_data"))))
            print("%s end, %d open orders, mail %s %s" % ("bad " if wrong else "ok  ", resting, mail,
                                                         wrong), flush=True)
            bad += bool(wrong)

        prices = walk(rng, 5000, 2)
        prints = trade_file(os.path.join(scratch, "prints.csv"), rng, prices, 100,
                            BEGIN // MS + 60)
        marks = mark_file(os.path.join(scratch, "mark.csv"), rng, BEGIN, 499, prices, 100)
        mark_source = klines("BTC-PERP", "1s", os.path.join(scratch, "mark.csv"), price="mark")

        def on_prints(mark):
            """The model of trades."""
            def model(rows):
                m = Prints(rows, mark=mark)
                m.run(prints, marks)
                return m
            return model

        source = trades("BTC-PERP", os.path.join(scratch, "prints.csv"))
        for name, mark, more in (("trades", False, {}), ("trades-mark", True, {}),
                                 ("trades-hedge-mark", True, {"hedge": True}),
                                 ("trades-inverse-mark", True, {"inverse": True})):
            params = {"both": True} if "hedge" in more else {}
            size = {"lot_size": "1"} if "inverse" in more else {}
            strategy = exiter("main", "trades", mark=mark, lot=size.get("lot_size", "0.001"),
                              **params)
            run = world(name, [source, mark_source], strategy, **more)
            run["instruments"]["BTC-PERP"].update(size)
            wrong, _ = case(name, run, on_prints(mark), {"closed": 40})
            bad += wrong

        depth = depth_file(os.path.join(scratch, "depth.csv"), rng, prices, 100, BEGIN // MS + 10)
        for stream, file in (("depth", "depth.csv"), ("trades", "prints.csv")):
            shrike("data", "import", os.path.join(scratch, file), "--store",
                   os.path.join(scratch, "store"), "--venue", "sim", "--symbol", "BTCUSDT",
                   "--stream", stream)
        stores = [{"kind": "store", "data": os.path.join(scratch, "store"),
                   "instrument": "BTC-PERP", "stream": stream} for stream in ("depth", "trades")]
        events = sorted([(d[0], "depth", d[1:]) for d in depth] +
                        [(t[0], "trade", t[1:]) for t in prints] +
                        [(m[0], "mark", m) for m in marks], key=lambda e: e[0])

        def on_book(mark, grows):
            """The model of books."""
            def model(rows):
                m = Book(rows, grows=grows, mark=mark)
                m.run(events)
                return m
            return model

        kept = None
        for name, mark, children, bracket, more, least in (
                ("book", False, None, False, {}, {"closed": 40}),
                ("book-mark", True, None, False, {}, {"closed": 40}),
                ("book-hedge-mark", True, None, False, {"hedge": True}, {"closed": 40}),
                ("bracket-whole", False, None, True, {}, {}),
                ("bracket-filled-mark", True, "filled", True, {}, {}),
                ("bracket-grows", False, "first_fill", True, {}, {"grown": 5}),
                ("bracket-grows-mark", True, "first_fill", True, {}, {"grown": 5})):
            params = {"both": True} if more else {}
            venue = {"queue": "conservative"}
            if children:
                venue["children"] = children
            far = "1" if bracket else "2"
            strategy = exiter("main", "trades", mark=mark, bracket=bracket, far=far,
                              lots=80 if bracket else 25, **params)
            run = world(name, stores + [mark_source], strategy, venue, **more)
            wrong, found = case(name, run, on_book(mark, children == "first_fill"), least)
            bad += wrong
            if name == "bracket-grows-mark":
                kept = run, found
        if sum(early) < 1:
            print("bad  no child traded before its parent was wholly filled")
            bad += 1
        run, found = kept
        ways = [("journal on", place(run, [{}], {}, journal="on")),
                ("five shards", place(run, [{}] * 5, {"a": 0, "risk": 1, "execution": 2, "venue": 3,
                                                      "portfolio": 4, "feed": 4}))]
        for i, (way, placed) in enumerate(ways):
            dir = os.path.join(scratch, "way%d" % i)
            wrong = differ(found, results(placed, dir, "backtest"))
            if placed.get("journal") == "on":
                shrike("replay", os.path.join(dir, "out"), "--verify", timeout=200)
            print("%s %s %s" % ("bad " if wrong else "ok  ", way, wrong), flush=True)
            bad += bool(wrong)
        placed = place(run, [{}] * 2, {"venue": 1}, clock={"kind": "paced", "speed": 120},
                       journal="on", snapshot_every="100ms")
        got, kills = killed(placed, os.path.join(scratch, "killed"), rng)
        wrong = differ(found, got) or (not kills and "not killed")
        print("%s killed %d times %s" % ("bad " if wrong else "ok  ", kills, wrong), flush=True)
        bad += bool(wrong)

        marks = mark_file(os.path.join(scratch, "slow.csv"), rng, BEGIN, 3600, walk(rng, 3600, 4),
                          1000)
        mark_source = klines("BTC-PERP", "1s", os.path.join(scratch, "slow.csv"), price="mark")
        for name, mark, hedge in (("crowd", False, False), ("crowd-hedge", False, True),
                                  ("crowd-mark", True, False), ("crowd-hedge-mark", True, True)):
            strategy = exiter("main", "5s", mark=mark, far="12", every=2, both=hedge)
            run = world(name, [{"instrument": "BTC-PERP"}], strategy,
                        {"agents": {"instruments": ["BTC-PERP"], "start_price": 60000, "noise": 80,
                                    "makers": 6, "order_notional": 2000,
                                    "seed": rng.randrange(1, 10**6)}},
                        hedge=hedge, start="2024-01-01", end="2024-01-01T01:00:00Z")
            run["sources"] = [mark_source]
            dir = os.path.join(scratch, name)
            found = results(place(run, [{}] * 2, {"a": 1, "feed": 1}, journal="on"), dir, "backtest")
            tape = trades_of(os.path.join(dir, "out"))
            wrong, seen = crowd(rows(found, "orders"), rows(found, "fills"), tape, marks, mark)
            wrong = wrong or ("hardly any closes" if seen < 4 or len(tape) < 300 else "")
            print("%s %s: %d trades, %d closes %s" % ("bad " if wrong else "ok  ", name, len(tape),
                                                     seen, wrong), flush=True)
            bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
