#!/usr/bin/env python3
"""Reads raw WebSocket recordings of ../shared/data/crypto/ticks as rows, and says what must come out.

Usage   recording.py DATA NAME...      NAME of recordings that are one (without _raw.txt.zst); writes
                                       records to stdout: kind (u32), bytes of the body (u32), body
Rules   of the venue's documents for a local book: diffs are held back until the snapshot is there,
        spot applies those with u > lastUpdateId and U <= id + 1, futures those with
        u >= lastUpdateId, the first with U <= lastUpdateId <= u, each next with pu == u before.
        Without a snapshot in the recording the first diff stands for one.
Records 34 trade, 36 book delta: rows as in the schema. 100 (after a diff): the last bookTicker with
        id <= u: its u, bid, quantity, ask, quantity. 101: a checkpoint of reference/l2_checkpoints:
        u, five bids and five asks (price, quantity), levels of bids and asks. 102 an order of ours
        joins: number, side, price, quantity, model. 103: an order of ours is to stand so: number,
        quantity ahead, filled. 104: diffs applied, checks said, checkpoints said, orders filled.
Queue   the orders of ours are random (a printed seed); the model of METHODS 18 is written here in
        floats, plainly, and knows nothing of the code it checks.
"""
import bisect
import csv
import ctypes
import json
import math
import os
import random
import struct
import sys

ONE = 100000000
MODELS = ("conservative", "power", "log")
SEED = 20240808


def fixed(text):
    """Turns a decimal into units of 1e-8, exactly."""
    whole, _, part = text.partition(".")
    assert len(part.rstrip("0")) <= 8
    return int(whole) * ONE + int((part + "00000000")[:8])


def unpacked(path):
    """Returns the bytes of a .zst file; the library stands for the program, which need not be there."""
    zstd = ctypes.CDLL("libzstd.so.1")
    size = ctypes.c_size_t

    class Buffer(ctypes.Structure):
        """ZSTD_inBuffer and ZSTD_outBuffer."""

        _fields_ = [("at", ctypes.c_void_p), ("size", size), ("pos", size)]

    zstd.ZSTD_createDStream.restype = ctypes.c_void_p
    zstd.ZSTD_decompressStream.argtypes = [ctypes.c_void_p] * 3
    zstd.ZSTD_decompressStream.restype = size
    with open(path, "rb") as file:
        packed = file.read()
    room = ctypes.create_string_buffer(1 << 20)
    source = ctypes.create_string_buffer(packed, len(packed))
    taken = Buffer(ctypes.addressof(source), len(packed), 0)
    stream, parts = zstd.ZSTD_createDStream(), []
    while True:
        given = Buffer(ctypes.addressof(room), len(room), 0)
        rc = zstd.ZSTD_decompressStream(stream, ctypes.byref(given), ctypes.byref(taken))
        assert not zstd.ZSTD_isError(size(rc)), path
        parts.append(room.raw[:given.pos])
        if taken.pos == taken.size and given.pos < len(room):
            return b"".join(parts)


class Queue:
    """One resting order of ours and what is ahead of it: METHODS 18."""

    def __init__(self, number, side, price, quantity, model, lot, displayed):
        """Joins behind displayed."""
        self.number, self.side, self.price, self.left = number, side, price, quantity
        self.model, self.lot = model, lot
        self.ahead, self.printed, self.filled = displayed, 0, 0

    def back_part(self, back):
        """Returns the part of a cancellation that is taken to be behind us."""
        behind, ahead = back / self.lot, self.ahead / self.lot
        if self.model == 0:
            return 1.0
        if self.model == 1:
            behind, ahead = behind ** 3, ahead ** 3
        else:
            behind, ahead = math.log(1 + behind), math.log(1 + ahead)
        return 1.0 if behind + ahead == 0 else behind / (behind + ahead)

    def level(self, prev, new):
        """The level changes from prev to new."""
        cancel = max(0, prev - new - self.printed)
        self.printed = 0
        back = max(0, prev - self.ahead)
        part = self.back_part(back)
        ahead = self.ahead - (1 - part) * cancel + min(back - part * cancel, 0)
        self.ahead = max(0, min(math.ceil(round(ahead, 6)), new))

    def trade(self, price, quantity):
        """A trade against our side; returns True when something of ours filled."""
        beyond = price < self.price if self.side == 0 else price > self.price
        before = self.left
        if beyond:
            self.left = 0
        elif price == self.price:
            mine = max(0, quantity - self.ahead)
            self.ahead = max(0, self.ahead - quantity)
            self.printed += quantity
            self.left -= min(self.left, mine // self.lot * self.lot)
        self.filled += before - self.left
        return self.left < before


class Replay:
    """A book from a recording, and the records of it."""

    def __init__(self, out, futures, lot, checkpoints):
        """Writes to out; checkpoints: rows of the reference by update id."""
        self.out, self.futures, self.lot, self.checkpoints = out, futures, lot, checkpoints
        self.sides = ({}, {})
        self.id, self.held, self.tickers, self.orders = None, [], [], []
        self.counts = [0, 0, 0, 0]
        self.random = random.Random(SEED)
        self.number = 0

    def put(self, kind, body):
        """Writes a record."""
        self.out.write(struct.pack("<II", kind, len(body)) + body)

    def rows(self, time_ns, update_id, levels, flags, delay_us):
        """Writes the rows of an update and moves the queues of our orders."""
        for i, (side, price, quantity) in enumerate(levels):
            mark = flags & 4 | (i == 0) * (1 | flags & 8) | (i == len(levels) - 1) * 2
            self.put(36, struct.pack("<qQqqHBBi", time_ns, update_id, price, quantity, 1, side, mark,
                                     delay_us))
            before = self.sides[side].get(price, 0)
            if quantity:
                self.sides[side][price] = quantity
            else:
                self.sides[side].pop(price, None)
            for order in self.orders:
                if order.side == side and order.price == price:
                    order.level(before, quantity)
                    self.put(103, struct.pack("<qqq", order.number, order.ahead, order.filled))

    def diff(self, d, time_ns, delay_us):
        """Applies a diff when its turn is there."""
        first, last = d["U"], d["u"]
        levels = [(side, fixed(p), fixed(q)) for side, key in ((0, "b"), (1, "a")) for p, q in d[key]]
        levels = levels or [(0, 0, 0)]
        gap = 0
        if self.synced:
            if self.futures:
                if last < self.id:
                    return
                gap = d["pu"] != self.id if self.counts[0] else not first <= self.id <= last
            else:
                if last <= self.id:
                    return
                gap = first > self.id + 1
        elif not self.held_back:
            self.synced, gap = True, 4 if not self.counts[0] else 0
        self.rows(time_ns, last, levels, 8 if gap == 1 else gap, delay_us)
        self.id = last
        self.counts[0] += 1
        self.after(last)

    synced = False     # the book stands
    held_back = True   # diffs wait for a snapshot

    def after(self, last):
        """Says what the book must be after the diff that ends with update last."""
        at = bisect.bisect_right(self.tickers, (last + 1,)) - 1
        if at >= 0:
            self.put(100, struct.pack("<5q", *self.tickers[at]))
            self.counts[1] += 1
        row = self.checkpoints.get(last)
        if row:
            self.put(101, struct.pack("<23q", *row))
            self.counts[2] += 1
        if self.counts[0] % 20 == 10 and len(self.orders) < 12:
            self.join()
        if self.counts[0] % 400 == 0:
            self.orders = self.orders[3:]  # some leave by themselves
        bid, ask = max(self.sides[0], default=0), min(self.sides[1], default=1 << 63)
        # one that the market has walked over is whole: not the queue's business any more
        self.orders = [order for order in self.orders
                       if (order.price < ask if order.side == 0 else order.price > bid)]

    def join(self):
        """An order of ours joins the queue at a random level near the touch."""
        side = self.random.randrange(2)
        prices = sorted(self.sides[side], reverse=side == 0)[:20]
        price = prices[min(self.random.randrange(20), self.random.randrange(20), len(prices) - 1)]
        quantity = self.lot * self.random.choice((1, 3, 100, 5000))
        self.number += 1
        model = self.number % 3
        order = Queue(self.number, side, price, quantity, model, self.lot, self.sides[side][price])
        self.orders.append(order)
        self.put(102, struct.pack("<5q", order.number, side, price, quantity, model))

    def snapshot(self, d, time_ns, delay_us):
        """Begins the book from a REST snapshot."""
        levels = [(side, fixed(p), fixed(q)) for side, key in ((0, "bids"), (1, "asks"))
                  for p, q in d[key]]
        self.sides = ({}, {})
        self.rows(time_ns, d["lastUpdateId"], levels, 4, delay_us)
        self.id, self.synced = d["lastUpdateId"], True
        for held in self.held:
            self.diff(*held)
        self.held = []

    def trade(self, d, delay_us):
        """A trade, against our orders too."""
        price, quantity = fixed(d["p"]), fixed(d["q"])
        if price == 0 or quantity == 0:
            return
        self.put(34, struct.pack("<qqqqHBBi", d["T"] * 1000000, d["t"], price, quantity, 1, d["m"], 0,
                                 delay_us))
        for order in self.orders:
            if order.side != int(d["m"]):  # a selling taker meets bids
                if order.trade(price, quantity) or order.price == price:
                    self.counts[3] += order.left == 0
                    self.put(103, struct.pack("<qqq", order.number, order.ahead, order.filled))
        self.orders = [order for order in self.orders if order.left]

    def line(self, line, snapshot):
        """Takes a line of a recording."""
        stamp, _, text = line.partition(b" ")
        local = int(stamp) * (1000 if len(stamp) == 16 else 1)
        d = json.loads(text)
        self.held_back = snapshot
        if "stream" not in d:
            time_ns = d["E"] * 1000000 if "E" in d else local
            self.snapshot(d, time_ns, (local - time_ns) // 1000)
            return
        stream, d = d["stream"], d["data"]
        if "@depth" in stream:
            time_ns = d["E"] * 1000000
            event = (d, time_ns, (local - time_ns) // 1000)
            if self.held_back and not self.synced:
                self.held.append(event)
            else:
                self.diff(*event)
        elif "@trade" in stream:
            self.trade(d, (local - d["T"] * 1000000) // 1000)


def checkpoints_of(data, name):
    """Returns the reference's rows by update id."""
    path = os.path.join(data, "reference", "l2_checkpoints", name + "_book5.csv")
    rows = {}
    if not os.path.exists(path):
        return rows
    with open(path, newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            values = [int(row["last_update_id"])]
            for side in ("bid", "ask"):
                for i in range(1, 6):
                    values += [fixed(row[f"{side}{i}_px"]), fixed(row[f"{side}{i}_qty"])]
            values += [int(row["n_bid_levels"]), int(row["n_ask_levels"])]
            rows[values[0]] = values
    return rows


def tickers_of(lines):
    """Returns all bookTickers by update id: one may arrive after a diff that has it already."""
    out = []
    for line in lines:
        if b"@bookTicker" in line[:80]:
            d = json.loads(line.partition(b" ")[2])["data"]
            out.append((d["u"], fixed(d["b"]), fixed(d["B"]), fixed(d["a"]), fixed(d["A"])))
    return sorted(out)


def main(data, *names):
    """Replays one recording."""
    lines = []
    for name in names:
        path = os.path.join(data, "crypto", "ticks", name + "_raw.txt.zst")
        lines += unpacked(path).splitlines()
    snapshot = any(b'"lastUpdateId"' in line for line in lines)
    futures = "_um_" in names[0]
    lot = 100000 if futures else 1000
    replay = Replay(sys.stdout.buffer, futures, lot, checkpoints_of(data, names[0]))
    replay.tickers = tickers_of(lines)
    for line in lines:
        replay.line(line, snapshot)
    replay.put(104, struct.pack("<4q", *replay.counts))
    print(f"{names[0]}: seed {SEED}, diffs {replay.counts[0]}, bookTicker {replay.counts[1]}, "
          f"checkpoints {replay.counts[2]}, orders {replay.number}, filled {replay.counts[3]}",
          file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
