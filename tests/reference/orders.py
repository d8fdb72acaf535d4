"""orders.py - what orders of ours trade in a market that is recorded order by order, reckoned apart
from the engine: one list of all orders, looked through for who is first. Whole numbers of ticks and
lots. The rules are those of "Order by order" in actors/venue/venue.h."""


class Order:
    """An order that rests, of others or ours."""

    def __init__(self, key, ours, side, tick, lots, place):
        self.key, self.ours, self.side, self.tick, self.lots, self.place = (
            key, ours, side, tick, lots, place)
        self.taken = 0  # of others': what ours took of it

    @property
    def left(self):
        """What may still be taken."""
        return self.lots - self.taken


class Market:
    """The market: rows of others go in, requests of ours, fills come out."""

    def __init__(self):
        self.orders, self.place, self.fills, self.refused = [], 0, [], []
        self.stale, self.halted, self.waiting = True, False, []

    def _place(self):
        self.place += 1
        return self.place

    def _first(self, ours, side, limit=None):
        """_first is the order on side that stands first and may trade at limit."""
        able = [o for o in self.orders if o.ours == ours and o.side == side and o.left > 0 and
                (limit is None or (o.tick >= limit if side == "b" else o.tick <= limit))]
        if not able:
            return None
        return min(able, key=lambda o: (-o.tick if side == "b" else o.tick, o.place))

    def of(self, key):
        """of finds an order of others."""
        for o in self.orders:
            if not o.ours and o.key == key:
                return o
        return None

    def _fill(self, now, key, tick, lots, liquidity):
        last = self.fills[-1] if self.fills else None
        if last and liquidity == "taker" and last[:3] == [now, key, tick] and last[4] == liquidity:
            last[3] += lots  # a level is one fill
        else:
            self.fills.append([now, key, tick, lots, liquidity])

    def stands(self):
        """stands tells whether orders of ours may trade."""
        return not self.stale and not self.halted

    # --- ours

    def arrive(self, now, key, side, tick, lots, post_only=False):
        """arrive lets an order of ours come; tick None = a market order."""
        self.waiting.append((key, side, tick, lots, post_only))
        self._work(now)

    def _work(self, now):
        """_work works what waits, by arrival."""
        while self.waiting and self.stands():
            key, side, tick, lots, post_only = self.waiting.pop(0)
            other = "a" if side == "b" else "b"
            if post_only and self._first(False, other, tick):
                self.refused.append(key)
                continue
            while lots > 0:
                o = self._first(False, other, tick)
                if o is None:
                    break
                part = min(o.left, lots)
                o.taken += part
                lots -= part
                self._fill(now, key, o.tick, part, "taker")
            if lots > 0 and tick is not None:
                self.orders.append(Order(key, True, side, tick, lots, self._place()))

    def cancel(self, key):
        """cancel takes an order of ours out."""
        self.orders = [o for o in self.orders if not (o.ours and o.key == key)]
        self.waiting = [w for w in self.waiting if w[0] != key]

    def _passive(self, now, o, lots):
        self._fill(now, o.key, o.tick, lots, "maker")
        o.lots -= lots
        if o.lots == 0:
            self.orders.remove(o)

    # --- others

    def _meet(self, now):
        """_meet lets orders of others meet what of ours they cross."""
        while self.stands():
            for side, other in (("b", "a"), ("a", "b")):
                mine = self._first(True, side)
                theirs = mine and self._first(False, other, mine.tick)
                if theirs:
                    part = min(mine.lots, theirs.left)
                    theirs.taken += part
                    self._passive(now, mine, part)
                    break
            else:
                return

    def _less(self, o, lots):
        o.lots = lots
        o.taken = min(o.taken, lots)
        if lots == 0:
            self.orders.remove(o)

    def add(self, now, key, side, tick, lots):
        """add lets an order of others join."""
        self.orders.append(Order(key, False, side, tick, lots, self._place()))
        self._meet(now)

    def reduce(self, now, key, lots):
        """reduce takes lots off it."""
        o = self.of(key)
        self._less(o, o.lots - lots)
        self._meet(now)

    def modify(self, now, key, tick, lots):
        """modify moves it."""
        o = self.of(key)
        self.orders.remove(o)
        moved = Order(key, False, o.side, tick, lots, self._place())
        moved.taken = min(o.taken, lots)
        self.orders.append(moved)
        self._meet(now)

    def execute(self, now, key, lots):
        """execute trades lots with it: ours that stand before it come first."""
        o = self.of(key)
        side, tick, place = o.side, o.tick, o.place
        self._less(o, o.lots - lots)
        self._ours(now, side, tick, lots, lambda m: m.tick != tick or m.place < place)

    def hidden(self, now, side, tick, lots):
        """hidden trades lots with an order nobody saw: it stands behind all that is shown."""
        lots = self._ours(now, side, tick, lots, lambda m: m.tick != tick or not [
            o for o in self.orders if not o.ours and o.side == side and o.tick == tick and
            o.left > 0 and o.place < m.place])
        other, beyond = ("a", tick - 1) if side == "b" else ("b", tick + 1)
        self._ours(now, other, beyond, lots, lambda m: True)

    def _ours(self, now, side, tick, lots, before):
        while lots > 0 and self.stands():
            mine = self._first(True, side, tick)
            if mine is None or not before(mine):
                break
            part = min(mine.lots, lots)
            lots -= part
            self._passive(now, mine, part)
        return lots

    def snapshot(self, now, rows):
        """snapshot makes the book whole: rows of (key, side, tick, lots)."""
        named = {row[0] for row in rows}
        self.orders = [o for o in self.orders if o.ours or o.key in named]
        for key, side, tick, lots in rows:
            o = self.of(key)
            if o and (o.side, o.tick) == (side, tick) and lots <= o.lots:
                self._less(o, lots)
                continue
            moved = Order(key, False, side, tick, lots, self._place())
            if o:
                self.orders.remove(o)
                moved.taken = min(o.taken, lots)
            self.orders.append(moved)
        self.stale = False
        self._meet(now)
        self._work(now)

    def halt(self, now, on):
        """halt begins or ends a halt."""
        self.halted = on
        self._meet(now)
        self._work(now)
