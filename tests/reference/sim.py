"""sim.py - what a backtest of moving-average crosses must come to, written a second time: on bars,
        or on trades that bars are made of.

For     tests/e2e: orders, fills, round trips and equity of the engine are compared with this, to
        the last unit.
From    the rules as they are written down (bar runs: when, price, path, told, money; trade runs; DESIGN
        "Numbers"; sizing, positions, marks, stops as the headers of actors/ declare them). Nothing
        here is taken over from the C code: it is one loop over instants, in plain integers.
Units   prices, quantities and cash are Python ints in 1e-8; times ns UTC.
Limits  risk is taken to pass nearly everything: give it wide limits. No latency of parts of a bar matters.
"""
import collections
import csv
import datetime
import heapq
import io
import math
import subprocess
from decimal import Decimal
from fractions import Fraction

ONE = 10**8
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
DAY = 86400 * 10**9
UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
         "d": DAY, "w": 7 * DAY}


# --- numbers ------------------------------------------------------------------------------------

def fixed(text):
    """fixed reads a decimal exactly as units of 1e-8."""
    value = Decimal(str(text)) * ONE
    assert value == int(value), text
    return int(value)


def duration(text):
    """duration reads 90s, 5m, 1h, 1d as ns."""
    text = str(text)
    head = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(head) * UNITS[text[len(head):]]


def instant(text):
    """instant reads a date as ns UTC; None stays."""
    if text is None:
        return None
    day = datetime.date.fromisoformat(str(text)) - datetime.date(1970, 1, 1)
    return day.days * DAY


def ceil_div(n, d):
    """ceil_div divides toward plus infinity (d > 0)."""
    return -(-n // d)


def zero_div(n, d):
    """zero_div divides toward zero (d > 0)."""
    return n // d if n >= 0 else -(-n // d)


def down_to(v, step):
    """down_to is the multiple of step at or below v."""
    return v // step * step


def up_to(v, step):
    """up_to is the multiple of step at or above v."""
    return ceil_div(v, step) * step


def client_id(deployment, strategy, epoch, sequence, child=0):
    """client_id is S, deployment 4, strategy 3, epoch 4, sequence 8, child 2, base 32."""
    text = "S"
    for value, width in ((deployment, 4), (strategy, 3), (epoch, 4), (sequence, 8), (child, 2)):
        text += "".join(DIGITS[value >> 5 * i & 31] for i in reversed(range(width)))
    return text


# --- bars ---------------------------------------------------------------------------------------

class Bar:
    """One bar: open time, length, prices, volume, and whether anything was traded in it."""
    __slots__ = ("time", "end", "open", "high", "low", "close", "works", "volume")

    def __init__(self, time, interval, o, h, l, c, works, volume=0):
        self.time, self.end = time, time + interval
        self.open, self.high, self.low, self.close, self.works = o, h, l, c, works
        self.volume = volume


def read_text(path):
    """read_text is the text of a file, also of .zst and .gz."""
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], check=True, timeout=60,
                              stdout=subprocess.PIPE).stdout.decode()
    if path.endswith(".gz"):
        import gzip
        return gzip.open(path, "rt").read()
    with open(path) as f:
        return f.read()


def read_bars(path, interval, start=None, end=None, volume=True):
    """read_bars reads kline CSV of 6 or 12 columns, with or without a heading. Bars that begin in
    [start, end) only."""
    bars = []
    scale = None
    for row in csv.reader(io.StringIO(read_text(path))):
        if not row or not row[0][:1].isdigit():
            continue
        t = int(row[0])
        if scale is None:
            scale = 10**9 if t < 10**11 else 10**6 if t < 10**14 else 10**3 if t < 10**17 else 1
        t *= scale
        if (start is not None and t < start) or (end is not None and t + interval > end):
            continue
        o, h, l, c = (fixed_fast(x) for x in row[1:5])
        bars.append(Bar(t, interval, o, h, l, c, not volume or float(row[5]) > 0,
                        int(Decimal(row[5]) * ONE + Decimal("0.5"))))
    return bars


def read_trades(path):
    """read_trades reads trades of 6 columns (id, price, quantity, quote, time in ms, maker) as
    (time, price, quantity)."""
    return [(int(row[4]) * 10**6, fixed_fast(row[1]), fixed_fast(row[2]))
            for row in csv.reader(io.StringIO(read_text(path))) if row and row[0].isdigit()]


def fixed_fast(text):
    """fixed_fast is fixed for plain decimals of at most 8 places."""
    whole, _, part = text.partition(".")
    assert len(part.rstrip("0")) <= 8, text
    return int(whole) * ONE + int((part + "00000000")[:8])


def resample(bars, interval):
    """resample makes bars of interval out of finer ones: (bar, told with a last part) pairs."""
    out, at, parts = [], None, []

    def close():
        if parts:
            bar = Bar(at, interval, parts[0].open, max(p.high for p in parts),
                      min(p.low for p in parts), parts[-1].close, True)
            out.append((bar, parts[-1].end == bar.end))
    origin = 4 * DAY if interval % (7 * DAY) == 0 else 0  # 1970-01-05 was a Monday
    for bar in bars:
        begin = down_to(bar.time - origin, interval) + origin
        if begin != at:
            close()
            at, parts = begin, []
        parts.append(bar)
    close()
    return out


# --- the world ----------------------------------------------------------------------------------

class Instrument:
    """An instrument as declared, and the bars of it."""

    def __init__(self, name, id, d):
        self.name, self.id, self.symbol = name, id, d["symbol"]
        self.spot = d["kind"] == "spot"
        self.base, self.quote = d["base"], d["quote"]
        self.tick, self.lot = fixed(d["tick_size"]), fixed(d["lot_size"])
        self.maker, self.taker = fixed(d["maker_fee"]), fixed(d["taker_fee"])
        self.slip = fixed(d.get("slippage_bps", 0))  # 1e-12 of the price
        self.min_notional = fixed(d.get("min_notional", 0))
        share = str(d.get("participation", 0))
        self.share = fixed(share) if share[-1] != "%" else fixed(share[:-1]) // 100
        self.room = 0  # what of a bar or trade is left for ours
        self.impact = Impact(d["slippage"]) if "slippage" in d else None
        self.series = {}   # interval: bars
        self.prints = []   # trades: (time, price, quantity); then there are no bars of a source
        self.finest = 0    # interval of the finest series
        self.close = 0     # newest close told of the finest series
        self.close_at = 0  # when
        self.price = 0     # what a position is worth by: that close, before it the last fill
        self.waiting = []  # open orders


def ceil(x):
    """ceil is the smallest whole number not below x."""
    return -(-x.numerator // x.denominator) if isinstance(x, Fraction) else x


def root_up(n):
    """root_up is the root of a whole number, rounded up."""
    r = math.isqrt(n)
    return r + (r * r < n)


class Impact:
    """A slippage model and what it reckons with: returns and volumes of the last bars."""

    def __init__(self, d):
        self.model = d["model"]
        self.factor = fixed(d.get("factor", "0.1" if self.model == "volume" else 1))
        self.last = collections.deque(maxlen=d.get("bars", 100))
        self.interval = duration(d.get("interval", "1m"))
        self.close = 0
        self.made = None  # trades: (end, close, volume) of the bar in the making

    def bar(self, close, volume):
        """bar takes a bar that has ended."""
        move = zero_div((close - self.close) * ONE, self.close) if self.close else 0
        self.last.append((move, volume))
        self.close = close

    def clock(self, now):
        """clock ends the bar made of trades."""
        if self.made and now >= self.made[0]:
            self.bar(*self.made[1:])
            self.made = None

    def trade(self, now, price, quantity):
        """trade takes a trade that has been worked."""
        end, _, volume = self.made or (down_to(now, self.interval) + self.interval, 0, 0)
        self.made = (end, price, volume + quantity)

    def worse(self, price, q):
        """worse is what a taker of q pays beyond the price: each step rounded up, part to 1e-16,
        the others to 1e-8."""
        volume = sum(v for _, v in self.last)
        if self.model == "volume":
            volume = volume // len(self.last) if self.last else 0
        part = ceil(Fraction(q, volume) * 10**16) if volume > q else 10**16
        if self.model == "volume":
            rate = ceil(Fraction(self.factor * part, 10**16))
        else:
            sigma = root_up(sum(m * m for m, _ in self.last))
            rate = ceil(Fraction(ceil(Fraction(self.factor * sigma, ONE)) * root_up(part), ONE))
        return ceil(Fraction(price * rate, ONE))


class Holding:
    """A position: signed quantity, and what it cost (signed alike)."""

    def __init__(self):
        self.quantity = 0
        self.cost = 0

    def take(self, moved, flow):
        """take books a fill that moves the quantity by moved and cash by flow (a buy's is below
        zero); returns the realised P&L."""
        old, cost = self.quantity, self.cost
        new = old + moved
        if moved == 0:
            return flow  # the fee took all that was bought
        if old == 0 or (old > 0) == (moved > 0):
            self.quantity, self.cost = new, cost - flow
            return 0
        if new == 0 or (new > 0) == (old > 0):
            gone = cost if new == 0 else zero_div(cost * abs(moved), abs(old))
            self.quantity, self.cost = new, cost - gone
            return flow - gone
        raise AssertionError("a fill that turns a position around: see parts")

    def parts(self, moved, flow, price):
        """parts splits a fill that crosses zero in two, each (moved, flow): what closes is rounded
        like a fill of its own, the new position has the rest."""
        old = self.quantity
        if old == 0 or (old > 0) == (moved > 0) or abs(moved) <= abs(old):
            return [(moved, flow)]
        first = price * old // ONE if old > 0 else -ceil_div(price * -old, ONE)
        return [(-old, first), (moved + old, flow - first)]


class Account:
    """An account: what the portfolio reckons, and what the venue does."""

    def __init__(self, name, id, d):
        self.name, self.id = name, id
        self.cash = self.venue_cash = fixed(d["cash"])
        self.positions = {}  # (instrument id, strategy id): Position: who earned what
        self.nets = {}       # instrument: Holding, all strategies together: cash and equity
        self.venue = {}      # instrument id: Holding, likewise, as the venue keeps it
        self.row = None      # last row of equity
        self.earned = 0      # realised P&L of the nets
        self.known = None    # cash and holdings as told, while fills of one instant are heard


class Position(Holding):
    """A strategy's position with the round trip it is in."""

    def __init__(self, instrument, strategy):
        super().__init__()
        self.instrument, self.strategy = instrument, strategy
        self.entry = 0  # when the round trip began
        self.begin()

    @property
    def open(self):
        """open is whether it holds a lot at least; what is below is dust and counts as flat."""
        return abs(self.quantity) >= self.instrument.lot

    def begin(self):
        """begin forgets the last round trip."""
        self.into = self.out = 0               # quantities that opened and closed
        self.into_cash = self.out_cash = 0     # price x quantity of them, 1e-16
        self.realized = self.fee = 0           # quote units
        self.quote_fee = 0                     # the part of the fee that was paid in quote


class Order:
    """One order."""

    def __init__(self, s, sequence, side, kind, quantity, price, exit, reduce, signal, now):
        self.strategy, self.sequence = s, sequence
        self.side, self.kind, self.quantity, self.price = side, kind, quantity, price
        self.exit, self.reduce, self.signal = exit, reduce, signal
        self.key = (s.id, sequence)
        self.status, self.reason = "accepted", ""
        self.filled = self.cost = 0
        self.created = self.updated = now
        self.from_ns = now   # worked from the first bar that opens then or later
        self.rest = False    # made at an open: works on the rest of that bar
        self.fresh = True    # no bar has worked it yet
        self.touched = False    # trades: a stop that has triggered
        self.canceling = False  # a cancel is on its way
        self.parent = None   # pending until that order is wholly filled
        self.pending = False
        self.oco = None      # the group of which one ends the others: a list
        self.waits = 0       # what of it the parent's fills have not set free
        self.fired = False   # with a cap: to be traded at the next open, whatever that is
        self.bips = 0        # trailing stop: distance from the extreme
        self.extreme = 0     # highest (sell) or lowest price since it follows

    @property
    def open(self):
        """open is whether it still waits."""
        return self.status == "accepted"


class Strategy:
    """A moving-average cross and what its host knows."""

    def __init__(self, name, id, d, world):
        self.name, self.id = name, id
        self.instrument = world.instruments[d["instruments"][0]]
        self.account = world.accounts[d["account"]]
        self.interval = duration(d["interval"])
        p = d.get("params", {})
        self.fast, self.slow = p.get("fast", 10), p.get("slow", 30)
        self.both = bool(p.get("short", False))
        self.stop_pct = fixed(p.get("stop_loss_pct", 0))
        self.target_pct = fixed(p.get("take_profit_pct", 0))
        self.bracket = bool(p.get("bracket", False))
        self.trail = fixed(p.get("trail_pct", 0)) * 100 // ONE  # 1e-4
        (self.sizing, size), = d["sizing"].items()
        self.size = fixed(size)
        self.closes = []
        self.sum_fast = self.sum_slow = 0
        self.relation = 0
        self.last = self.last_at = 0
        self.position = 0
        self.orders = []      # its open orders
        self.recent = set()   # what it asked for, and when
        self.sequence = 0
        self.stop = self.target = None          # resting orders
        self.stop_at = self.target_at = 0       # their levels


class World:
    """A run: its declaration is the same tree of maps that the run file is written from."""

    def __init__(self, run, base="."):
        self.instruments = {n: Instrument(n, i + 1, run["instruments"][n])
                            for i, n in enumerate(sorted(run["instruments"]))}
        self.accounts = {n: Account(n, i + 1, run["accounts"][n])
                         for i, n in enumerate(sorted(run["accounts"]))}
        self.deployment, self.epoch = run.get("deployment", 0), 0
        self.equity_interval = run.get("equity_interval", "1h")
        self.latency = 0
        self.strategies = []
        for i, name in enumerate(sorted(run["actors"])):
            d = run["actors"][name]
            if d["kind"] == "strategy":
                self.strategies.append(Strategy(name, i + 1, d, self))
            if d["kind"] == "venue":
                self.latency = duration(d.get("latency", "0s"))
        for s in self.strategies:
            s.shared = any(o is not s and o.account is s.account and o.instrument is s.instrument
                           for o in self.strategies)
        start, warm_up = instant(run.get("start")), duration(run.get("warm_up", "0s"))
        since = None if start is None else start - warm_up
        for s in run["sources"]:
            if s["kind"] == "trades":
                self.instruments[s["instrument"]].prints = read_trades(s["file"])
                continue
            inst, interval = self.instruments[s["instrument"]], duration(s["interval"])
            path = s["file"] if s["file"].startswith("/") else base + "/" + s["file"]
            inst.series[interval] = read_bars(path, interval, since, instant(run.get("end")),
                                              s.get("volume") != "none")
        for inst in self.instruments.values():
            if inst.series:
                inst.finest = min(inst.series)
        if warm_up and start is None:
            start = warm_up + min(b[0].time for inst in self.instruments.values()
                                  for b in inst.series.values())
        self.begin = start if warm_up else None  # before it nothing is ordered
        self.made = [(self.instruments[b["instrument"]], duration(b["to"]))
                     for b in run["actors"]["feed"].get("bars", ())]
        self.now = 0
        self.trade_id = 0
        self.asked = []    # orders on their way to risk
        self.flight = []   # trades: requests on their way: (arrival, instrument id, number, ...)
        self.requests = 0  # how many there were
        self.timer = None  # trades: when equity is marked next
        self.instants = []  # trades: heap of what is to come
        self.opened = {}  # instrument id: the last open told
        self.orders, self.fills, self.trades, self.equity = [], [], [], []

    # --- the loop ---------------------------------------------------------------------------

    def run(self):
        """run goes through all instants; then everything is in orders, fills, trades, equity."""
        if any(inst.prints for inst in self.instruments.values()):
            self.run_trades()
            return self.end()
        told = {}   # end: [(-interval, instrument id, rank, bar, hearers)]
        opens = {}  # time: [(-interval, instrument id, instrument, bar)]
        late = {}   # end: [(strategy id, strategy, bar)]: made bars whose last part is missing
        for inst in self.instruments.values():
            direct, made = {}, {}
            for s in self.strategies:
                if s.instrument is inst:
                    (direct if s.interval in inst.series else made).setdefault(
                        s.interval, []).append(s)
            follow = {}  # end of a finest bar: [(bar, strategies)] told right after it
            for interval, hearers in made.items():
                for bar, whole in resample(inst.series[inst.finest], interval):
                    if whole:
                        follow.setdefault(bar.end, []).append((bar, hearers))
                    else:
                        late.setdefault(bar.end, []).append((bar, hearers))
            for interval, bars in inst.series.items():
                hearers = direct.get(interval, [])
                finest = interval == inst.finest
                for bar in bars:
                    more = follow.get(bar.end, ()) if finest else ()
                    told.setdefault(bar.end, []).append(
                        (-interval, inst.id, inst, bar, finest, hearers, more))
                    if finest:
                        opens.setdefault(bar.time, []).append((-interval, inst.id, inst, bar))
        last = max(told)
        for t in sorted(set(told) | set(opens) | {e for e in late if e <= last}):
            self.now = t
            rows = sorted(told.get(t, ()), key=lambda r: r[:2])
            # the venue works the bars that end now, and tells its fills before the bars are told
            for _, _, inst, bar, finest, _, _ in rows:
                if finest and inst.waiting and bar.works:
                    self.work_bar(inst, bar)
                if finest and inst.impact:
                    inst.impact.bar(bar.close, bar.volume)
            for _, _, inst, bar, finest, hearers, more in rows:
                if finest:
                    inst.close, inst.close_at, inst.price = bar.close, t, bar.close
                for s in hearers:
                    self.on_bar(s, bar.close)
                for made, others in more:
                    for s in others:
                        self.on_bar(s, made.close)
            for made, others in late.get(t, ()):
                for s in others:
                    self.on_bar(s, made.close)
            self.mark_closes(rows)
            if t == last:
                break
            for _, _, inst, bar in sorted(opens.get(t, ()), key=lambda r: r[:2]):
                if inst.waiting and bar.works:
                    self.work_open(inst, bar)
        return self.end()

    def end(self):
        """end expires what is open and marks what is held."""
        for o in self.orders:
            if o.open:
                self.finish(o, "expired", "end_of_data")
        for a in self.accounts.values():
            if any(p.open for p in a.positions.values()):
                self.mark(a)
        return self

    # --- runs on trades ---------------------------------------------------------------------

    def run_trades(self):
        """run_trades goes through all instants of a run on trades: what arrives at the venue, the
        trades it works, the trades as they are told, then timers: made bars, marks."""
        told = {}  # time: {instrument id: prices and quantities}
        for inst in self.instruments.values():
            for t, price, quantity in inst.prints:
                told.setdefault(t, {}).setdefault(inst.id, []).append((price, quantity))
        by_id = {inst.id: inst for inst in self.instruments.values()}
        last = max(told)
        self.instants = sorted(told)
        bars = {key: None for key in self.made}  # (instrument, interval): (end, close) in progress
        done = None
        while self.instants and self.instants[0] <= last:
            t = self.now = heapq.heappop(self.instants)
            if t == done:
                continue
            done = t
            here = sorted(told.get(t, {}).items())
            for key in sorted(f for f in self.flight if f[0] == t):
                self.flight.remove(key)
                self.land(*key[3:])
            for id, prices in here:
                for price, quantity in prices:
                    inst = by_id[id]
                    if inst.impact:
                        inst.impact.clock(t)
                    inst.room = down_to(quantity * inst.share // ONE, inst.lot)
                    self.work_trade(inst, price)
                    if inst.impact:
                        inst.impact.trade(t, price, quantity)
            for id, prices in here:
                for price, _ in prices:
                    inst = by_id[id]
                    inst.close = inst.price = price
                    inst.close_at = t
                    for key in self.made:
                        if key[0] is inst:
                            self.bar_trade(bars, key, price)
            for key in self.made:
                if bars[key] and bars[key][0] == t:
                    self.bar_ends(bars, key)
            if self.timer == t:
                self.timer = None
                for a in self.accounts.values():
                    if any(p.open for p in a.positions.values()):
                        self.arm()
                        self.mark(a)

    def bar_trade(self, bars, key, price):
        """bar_trade takes a trade into the bar of key (instrument, interval); a trade at the end of
        a bar belongs to the next."""
        interval = key[1]
        if bars[key] and self.now >= bars[key][0]:
            self.bar_ends(bars, key)
        origin = 4 * DAY if interval % (7 * DAY) == 0 else 0
        end = down_to(self.now - origin, interval) + origin + interval
        if not bars[key]:
            heapq.heappush(self.instants, end)
        bars[key] = (end, price)

    def bar_ends(self, bars, key):
        """bar_ends tells the bar of key."""
        close = bars[key][1]
        bars[key] = None
        for s in self.strategies:
            if (s.instrument, s.interval) == key:
                self.on_bar(s, close)

    def arm(self):
        """arm lets equity be marked at the next multiple of the interval, unless earlier."""
        step = duration("1h" if self.equity_interval == "bar" else self.equity_interval)
        t = down_to(self.now, step) + step
        if self.timer is None or t < self.timer:
            self.timer = t
            heapq.heappush(self.instants, t)

    def send(self, what, o):
        """send lets a request arrive at the venue, after the latency."""
        if self.latency == 0:
            self.land(what, o)
            return
        self.requests += 1
        t = self.now + self.latency
        self.flight.append((t, o.strategy.instrument.id, self.requests, what, o))
        heapq.heappush(self.instants, t)

    def land(self, what, o):
        """land is the arrival of a request."""
        inst = o.strategy.instrument
        if what == "place":
            why = self.orphaned(o) or ("min_notional" if self.too_small(inst, o) else "")
            if why:
                self.reject(o, why)
            else:
                inst.waiting.append(o)
        elif o in inst.waiting:
            self.take_out(inst, o)

    def work_trade(self, inst, price):
        """work_trade trades what a trade at price meets."""
        met = []
        for o in inst.waiting:
            buy = o.side == "buy"
            if o.pending:
                continue
            if o.kind == "trailing_stop" and not o.touched:
                o.extreme = (min if buy else max)(o.extreme or price, price)
            if o.kind == "market" or o.touched:
                met.append((o.strategy.account.id, o.kind in ("limit", "market"), o.key, o, price,
                            "taker"))
            elif o.oco and o.kind != "limit":
                t = self.trigger(inst, o)
                if price >= t if buy else price <= t:
                    met.append((o.strategy.account.id, False, o.key, o, None, "trigger"))
            elif o.kind == "stop":
                o.touched = price >= o.price if buy else price <= o.price
            elif price < o.price if buy else price > o.price:
                met.append((o.strategy.account.id, True, o.key, o, o.price, "maker"))
        met.sort(key=lambda m: m[:3])
        for a in self.accounts.values():
            self.work(inst, a, self.resolve(inst, a, [m[3:] for m in met if m[0] == a.id]))

    def resolve(self, inst, a, met):
        """resolve goes through what one trade meets, where one order may end or begin others."""
        if not inst.share and not self.lists(inst, a):
            return met
        way = Way(self, inst, a)
        out = way.events
        for o, price, liquidity in met:
            if o not in way.left:
                continue
            if liquidity == "trigger":
                o.touched = True
                way.part(o)
            else:
                way.fill(o, price, liquidity)
        way.keep()
        return out

    @staticmethod
    def trigger(inst, o):
        """trigger is the price at which a stop triggers; a trailing one's is rounded away."""
        if o.kind != "trailing_stop":
            return o.price
        if o.side == "sell":
            return max(inst.tick, down_to(o.extreme * (10**4 - o.bips) // 10**4, inst.tick))
        return up_to(ceil_div(o.extreme * (10**4 + o.bips), 10**4), inst.tick)

    # --- the venue --------------------------------------------------------------------------

    def work_open(self, inst, bar):
        """work_open trades what the open of a bar meets, at the open."""
        self.opened[inst.id] = bar.time
        if inst.share:
            return  # what the bar trades tells its end
        for a in self.accounts.values():
            met = []
            if self.lists(inst, a):
                way = Way(self, inst, a)
                way.begin([o for o in way.left
                           if o.from_ns <= bar.time and o.fresh and not o.parent])
                way.at = bar.open
                way.leg(bar.open, 0)
                way.keep()
                self.work(inst, a, way.events)
                continue
            for o in inst.waiting:
                if o.strategy.account is not a or o.from_ns > bar.time:
                    continue
                buy = o.side == "buy"
                liquidity = "taker"
                if o.kind == "market":
                    meets = True
                elif o.kind == "stop":
                    meets = bar.open >= o.price if buy else bar.open <= o.price
                elif o.fresh:
                    meets = bar.open <= o.price if buy else bar.open >= o.price
                else:
                    meets = bar.open < o.price if buy else bar.open > o.price
                    liquidity = "maker"
                if meets:
                    met.append((o.kind != "stop", o.key, o, bar.open, liquidity))
            met.sort(key=lambda m: m[:2])
            self.work(inst, a, [m[2:] for m in met])
        for o in inst.waiting:
            if o.from_ns <= bar.time:
                o.fresh = False
        # what was decided on these fills meets the rest of the bar, which begins at the open
        while True:
            new = [o for o in inst.waiting if o.rest and o.fresh and o.created == bar.time]
            for o in sorted(new, key=lambda o: o.key):
                o.fresh = False
                high = (o.side == "buy") == (o.kind == "stop")  # met at its price and above
                if o.open and (bar.open >= o.price if high else bar.open <= o.price):
                    self.work(inst, o.strategy.account, [(o, bar.open, "taker")])
            if not new:
                break

    def work_bar(self, inst, bar):
        """work_bar trades what the path of a bar meets after its open; with a cap, at it too."""
        inst.room = down_to(bar.volume * inst.share // ONE, inst.lot)
        due = [o for o in inst.waiting if inst.share and o.fresh and not o.parent and
               (o.from_ns <= bar.time or (o.rest and o.created == bar.time))]
        for o in due:
            o.fresh = False
        for a in self.accounts.values():
            fall, rise = [], []
            if inst.share or self.lists(inst, a):
                ways = []
                for first, second in ((bar.low, bar.high), (bar.high, bar.low)):
                    way = Way(self, inst, a)
                    way.at = bar.open
                    if inst.share:
                        way.begin([o for o in way.left if o in due])
                        way.leg(bar.open, 0)
                    down = -1 if first == bar.low and not ways else 1
                    way.leg(first, down)
                    way.leg(second, -down)
                    way.leg(bar.close, down)
                    ways.append(way)
                low, high = (w.worth(bar.close) for w in ways)
                held = a.venue.get(inst.id, Holding()).quantity
                way = ways[1] if high < low or (high == low and held < 0) else ways[0]
                way.keep()
                self.work(inst, a, way.events)
                continue
            for o in inst.waiting:
                if o.strategy.account is not a or o.kind == "market":
                    continue
                if not (o.from_ns <= bar.time or (o.rest and o.created == bar.time)):
                    continue
                buy = o.side == "buy"
                if o.kind == "stop":
                    if buy and bar.high >= o.price:
                        rise.append((max(o.price, bar.open), 0, o.key, o, "taker"))
                    if not buy and bar.low <= o.price:
                        fall.append((-min(o.price, bar.open), 0, o.key, o, "taker"))
                else:
                    if buy and bar.low < o.price:
                        fall.append((-o.price, 1, o.key, o, "maker"))
                    if not buy and bar.high > o.price:
                        rise.append((o.price, 1, o.key, o, "maker"))
            if not fall and not rise:
                continue
            fall = [(o, -p, l) for p, _, _, o, l in sorted(fall, key=lambda m: m[:3])]
            rise = [(o, p, l) for p, _, _, o, l in sorted(rise, key=lambda m: m[:3])]
            way = fall + rise
            if fall and rise:
                low = self.worth_after(inst, a, fall + rise, bar.close)
                high = self.worth_after(inst, a, rise + fall, bar.close)
                held = a.venue.get(inst.id, Holding()).quantity
                if high < low or (high == low and held < 0):
                    way = rise + fall
            self.work(inst, a, way)

    @staticmethod
    def lists(inst, a):
        """lists is whether an account has an order there that hangs on another."""
        return any(o.parent for o in inst.waiting if o.strategy.account is a)

    def worth_after(self, inst, a, met, close):
        """worth_after is what the account would be worth at close (1e-16) after trading met."""
        copy = Holding()
        held = a.venue.get(inst.id)
        if held:
            copy.quantity, copy.cost = held.quantity, held.cost
        cash = a.venue_cash
        for o, price, liquidity in met:
            q, at, flow, fee, in_base, _ = self.deal(inst, o, price, liquidity, copy.quantity, cash,
                                                     o.quantity - o.filled)
            if q == 0:
                continue
            cash += self.book(inst, copy, o, q, at, flow, fee, in_base)
        return cash * ONE + copy.quantity * close - (0 if inst.spot else copy.cost * ONE)

    @staticmethod
    def book(inst, held, o, q, price, flow, fee, in_base):
        """book moves a holding; returns how cash moves."""
        moved = q if o.side == "buy" else -q
        if inst.spot:
            held.quantity += moved - (fee if in_base else 0)
            return flow - (0 if in_base else fee)
        return sum(held.take(m, f) for m, f in held.parts(moved, flow, price)) - fee

    def deal(self, inst, o, price, liquidity, held, cash, q):
        """deal says what an order of which q is met at price comes to: quantity, price, cash it
        moves, fee, whether that is in base, slippage."""
        buy = o.side == "buy"
        at = price
        if liquidity == "taker" and inst.impact:
            worse = inst.impact.worse(price, q)
            at = up_to(price + worse, inst.tick) if buy else down_to(price - worse, inst.tick)
            if not buy and at < inst.tick:
                at = min(inst.tick, price)
            if o.kind == "limit":
                at = min(at, o.price) if buy else max(at, o.price)
        elif liquidity == "taker" and inst.slip:
            worse = price * (10**12 + inst.slip if buy else 10**12 - inst.slip)
            ticks = inst.tick * 10**12
            at = (ceil_div(worse, ticks) if buy else worse // ticks) * inst.tick
            if o.kind == "limit":
                at = min(at, o.price) if buy else max(at, o.price)
        if o.reduce:
            q = min(q, max(0, -held if buy else held))
        if inst.spot and buy:
            q = min(q, max(0, cash) * ONE // at)
        if inst.spot and not buy:
            q = min(q, held)
        q = down_to(q, inst.lot)
        flow = -ceil_div(at * q, ONE) if buy else at * q // ONE
        rate = inst.maker if liquidity == "maker" else inst.taker
        in_base = inst.spot and buy
        fee = ceil_div(rate * (q if in_base else abs(flow)), ONE)
        return q, at, flow, fee, in_base, abs(at - price)

    def work(self, inst, a, met):
        """work trades orders in their order, then tells what came of each. A part that is met may
        leave the rest open (ends is "stays") or end it for a reason."""
        tell = []
        for o, price, liquidity, *more in met:
            want, ends = more or (o.quantity - o.filled, "")
            held = a.venue.setdefault(inst.id, Holding())
            if price is None:  # it ends unfilled, for that reason
                inst.waiting.remove(o)
                tell.append((liquidity, (o, 0, 0, 0, 0, False, 0, liquidity)))
                continue
            q, at, flow, fee, in_base, slip = self.deal(inst, o, price, liquidity, held.quantity,
                                                        a.venue_cash, want)
            if q:
                a.venue_cash += self.book(inst, held, o, q, at, flow, fee, in_base)
            if q < want:
                ends = "insufficient_balance"
            if ends != "stays":
                inst.waiting.remove(o)
            tell.append((ends, (o, q, at, flow, fee, in_base, slip, liquidity)))
        # what strategies know of the account while they hear of these fills
        a.known = (a.cash, [(i, n.quantity, n.cost) for i, n in a.nets.items()])
        for ends, one in tell:
            o, q, flow = one[0], one[1], one[3]
            if q:
                o.filled += q
                o.cost += abs(flow)
                self.on_fill(inst, a, *one)
            if ends == "stays":
                continue
            done = o.filled == o.quantity
            self.finish(o, "filled" if done else "expired", "" if done else ends)
            self.forget(o)
        a.known = None
        self.settle()
        assert a.cash == a.venue_cash, (a.name, a.cash, a.venue_cash)

    def place(self, s, side, kind, quantity, price, exit, reduce, signal):
        """place sends an order to the venue."""
        s.sequence += 1
        o = Order(s, s.sequence, side, kind, quantity, price, exit, reduce, signal, self.now)
        wait = down_to(self.latency, s.instrument.finest) if s.instrument.finest else 0
        o.from_ns = self.now + wait
        if s.instrument.finest and self.at_open(s.instrument):
            # decided on a fill at an open that has been told
            o.rest = kind != "market" and wait == 0
            if wait == 0:
                o.from_ns += 1
        self.orders.append(o)
        s.orders.append(o)
        self.asked.append(o)
        return o

    def settle(self):
        """settle lets what was asked for go through risk to the venue: after the calls in hand."""
        while self.asked:
            asked, self.asked = self.asked, []
            for o in asked:
                why = self.gate(o.strategy.instrument, o)
                if why:
                    self.reject(o, why)
                elif o.strategy.instrument.prints:
                    self.send("place", o)
                elif self.too_small(o.strategy.instrument, o):
                    self.reject(o, "min_notional")
                elif self.orphaned(o):
                    self.reject(o, self.orphaned(o))
                else:
                    o.strategy.instrument.waiting.append(o)
            for o in asked:
                if o.canceling and o.open:
                    self.go_cancel(o)

    @staticmethod
    def orphaned(o):
        """orphaned is why the venue does not take an order of a list, "": it does."""
        waiting = o.strategy.instrument.waiting
        if o.parent and o.parent not in waiting:
            return "list_parent"
        if o.oco and o.oco[0] is not o and o.oco[0] not in waiting:
            return "list_partner"
        return ""

    def reject(self, o, reason):
        """reject ends an order that risk or the venue does not take."""
        self.finish(o, "rejected", reason)
        self.forget(o)

    def gate(self, inst, o):
        """gate is why risk refuses an order, "": not. What closes all that is held may be small: that
        is the venue's to judge."""
        if o.parent:
            if o.parent.status == "rejected":
                return "list_parent"
            return "min_notional" if self.too_small(inst, o) else ""
        held = o.strategy.position * (1 if o.side == "sell" else -1)
        if o.exit and o.quantity > held:
            return "short_not_allowed" if inst.spot and o.side == "sell" else "max_position"
        beside = sum(b.quantity - b.filled for b in o.strategy.orders
                     if b.side == o.side and b not in self.asked and b.key < o.key and
                     not b.parent and
                     not (o.kind == "market" and b.exit and b.kind != "market"))
        closes = o.exit and o.quantity + beside == held
        if not closes and self.too_small(inst, o):
            return "min_notional"
        if o.exit and o.quantity + beside <= held:
            return ""  # it can only reduce
        same = (self.now, o.side, o.kind, o.price, o.quantity)
        if same in o.strategy.recent:
            return "duplicate_order"
        o.strategy.recent.add(same)
        return ""

    @staticmethod
    def too_small(inst, o):
        """too_small is whether the order is below the least notional; linear reduce-only orders may
        be."""
        price = inst.close if o.kind in ("market", "trailing_stop") else o.price
        exempt = o.reduce and not inst.spot
        return not exempt and 0 < price * o.quantity // ONE < inst.min_notional

    def at_open(self, inst):
        """at_open is whether the bar that opens now has been told of."""
        return self.opened.get(inst.id) == self.now

    def cancel(self, o, reason):
        """cancel takes an open order back, at once."""
        if o.open and not o.canceling and o.filled < o.quantity:
            o.canceling = reason
            if o not in self.asked:  # else it follows the order
                self.go_cancel(o)

    def go_cancel(self, o):
        """go_cancel asks the venue to cancel."""
        if o.strategy.instrument.prints:
            self.send("cancel", o)
        elif o in o.strategy.instrument.waiting:
            self.take_out(o.strategy.instrument, o)

    def take_out(self, inst, o):
        """take_out cancels a waiting order; its partners and children end with it."""
        inst.waiting.remove(o)
        self.finish(o, "canceled", o.canceling)
        self.forget(o)
        for c in [c for c in inst.waiting if (c.oco and o in c.oco) or
                  (c.parent is o and c.pending)]:
            partner = bool(c.oco) and o in c.oco
            inst.waiting.remove(c)
            self.finish(c, "expired", "list_partner" if partner else "list_parent")

    def finish(self, o, status, reason):
        """finish ends an order."""
        o.status, o.reason, o.updated = status, reason, self.now
        o.strategy.orders.remove(o)

    @staticmethod
    def forget(o):
        """forget drops a resting order that is done."""
        s = o.strategy
        if s.stop is o:
            s.stop = None
        if s.target is o:
            s.target = None

    # --- the portfolio ----------------------------------------------------------------------

    def on_fill(self, inst, a, o, q, price, flow, fee, in_base, slip, liquidity):
        """on_fill books a fill, writes its row and lets the strategy answer."""
        s = o.strategy
        self.trade_id += 1
        p = a.positions.setdefault((inst.id, s.id), Position(inst, s))
        if inst.close == 0:
            inst.price = price
        quote_fee = ceil_div(fee * price, ONE) if in_base else fee
        moved = (q if o.side == "buy" else -q) - (fee if in_base else 0)
        was = p.open
        realized, left, fee_left = 0, q, quote_fee
        parts = p.parts(moved, flow, price)
        for i, (part, cash) in enumerate(parts):
            size = left if i == len(parts) - 1 else abs(part)
            cost = fee_left if size == left else zero_div(quote_fee * size, abs(moved))
            left, fee_left = left - size, fee_left - cost
            realized += self.trip(p, o, part, cash, size, price, cost, in_base)
        net = a.nets.setdefault(inst, Holding())
        earned = sum(net.take(m, f) for m, f in net.parts(moved, flow, price))
        a.earned += earned
        a.cash += (flow if inst.spot else earned) - (0 if in_base else fee)
        self.fills.append({
            "time_ns": self.now, "trade_id": self.trade_id, "client_order_id": self.id_of(o),
            "strategy": s.name, "account": a.name, "instrument": inst.name, "symbol": inst.symbol,
            "side": o.side, "quantity": q, "price": price, "liquidity": liquidity, "fee": fee,
            "fee_asset": inst.base if in_base else inst.quote, "slippage": slip,
            "realized_pnl": realized})
        if inst.prints and p.open and not was:
            self.arm()
        if was != p.open or len(parts) == 2:
            self.mark(a)
        s.position += moved
        self.strategy_fill(s, o)
        if o.exit:
            wrong = self.held(s) * (1 if o.side == "buy" else -1)
            wrong = down_to(min(wrong, q), inst.lot)
            if wrong > 0:
                self.place(s, "sell" if o.side == "buy" else "buy", "market", wrong, 0, True, False,
                           "late_fill")

    def trip(self, p, o, moved, cash, size, price, fee, in_base):
        """trip books a fill, or one part of it, into its position and round trip; the row of the
        round trip is written when it ends. Dust below a lot, as fees in base leave it, counts as
        flat. Returns the realised P&L."""
        s, inst, was = p.strategy, p.instrument, p.quantity
        if abs(was) < inst.lot:
            p.entry, p.fee = self.now, 0
        realized = p.take(moved, cash)
        p.realized += realized
        p.fee += fee
        p.quote_fee += 0 if in_base else fee
        if was and (was > 0) != (o.side == "buy"):
            p.out, p.out_cash = p.out + size, p.out_cash + price * size
        else:
            p.into, p.into_cash = p.into + size, p.into_cash + price * size
        if abs(p.quantity) < inst.lot <= abs(was):
            self.trades.append({
                "strategy": s.name, "account": s.account.name, "instrument": inst.name,
                "symbol": inst.symbol, "side": "buy" if was > 0 else "sell", "entry_ns": p.entry,
                "exit_ns": self.now, "quantity": p.out,
                "entry_price": p.into_cash // p.into if p.into else 0,
                "exit_price": p.out_cash // p.out, "realized_pnl": p.realized, "fee": p.fee,
                "net_pnl": p.realized - p.quote_fee})
            p.begin()
        return realized

    def mark_closes(self, rows):
        """mark_closes writes equity rows at closes that the interval falls on."""
        if self.equity_interval != "bar" and self.now % duration(self.equity_interval):
            return
        ended = {inst.id for _, _, inst, _, finest, _, _ in rows if finest}
        for a in self.accounts.values():
            if any(p.open and p.instrument.id in ended for p in a.positions.values()):
                self.mark(a)

    def mark(self, a):
        """mark writes a row of equity unless it only repeats the last."""
        unrealized, equity = 0, a.cash
        for inst, net in a.nets.items():
            worth = inst.price * net.quantity // ONE
            unrealized += worth - net.cost
            equity += worth - (0 if inst.spot else net.cost)
        row = {"time_ns": self.now, "account": a.name, "cash": a.cash,
               "unrealized_pnl": unrealized, "equity": equity}
        if row != a.row:
            self.equity.append(row)
            a.row = row

    # --- the strategy -----------------------------------------------------------------------

    def on_bar(self, s, close):
        """on_bar takes a close and trades when the averages cross."""
        s.last, s.last_at = close, self.now
        s.closes.append(close)
        n = len(s.closes)
        s.sum_fast += close - (s.closes[n - 1 - s.fast] if n > s.fast else 0)
        s.sum_slow += close - (s.closes[n - 1 - s.slow] if n > s.slow else 0)
        if n < s.slow:
            return
        lead = s.sum_fast * s.slow - s.sum_slow * s.fast
        if lead == 0:
            return
        was, s.relation = s.relation, 1 if lead > 0 else -1
        warm = self.begin is None or self.now >= self.begin
        if was not in (0, s.relation) and warm:
            self.follow(s)
            self.settle()

    def follow(self, s):
        """follow goes where the averages stand."""
        if s.relation > 0:
            self.turn(s, 1)
        elif s.both:
            self.turn(s, -1)
        else:
            for o in [o for o in s.orders if not o.exit]:
                self.cancel(o, "by_strategy")
            self.close_out(s, 0)

    @staticmethod
    def held(s):
        """held is the position with what market orders to close will still take off it."""
        off = sum(o.quantity - o.filled for o in s.orders
                  if o.exit and o.kind == "market" and (o.side == "sell") == (s.position > 0))
        return max(0, s.position - off) if s.position > 0 else min(0, s.position + off)

    def close_out(self, s, sign):
        """close_out closes what is held of that sign (0: any) at market, and cancels what rests."""
        held = self.held(s)
        q = down_to(abs(held), s.instrument.lot)
        if q == 0 or (sign and (held > 0) != (sign > 0)):
            return
        rests = [o for o in s.orders if o.exit and o.kind != "market"]
        inst = s.instrument
        only = not inst.spot and (not s.shared or s.last * q < inst.min_notional * ONE)
        self.place(s, "sell" if held > 0 else "buy", "market", q, 0, True, only, self.crossed(s))
        for o in rests:
            self.cancel(o, "by_strategy")

    @staticmethod
    def crossed(s):
        """crossed is why it trades: the crossing just seen."""
        return "signal_cross_up" if s.relation > 0 else "signal_cross_down"

    def turn(self, s, way):
        """turn goes long (1) or short (-1; on spot only flat)."""
        side = "buy" if way > 0 else "sell"
        for o in [o for o in s.orders if not o.exit and o.side != side]:
            self.cancel(o, "by_strategy")
        self.close_out(s, -way)
        if way < 0 and s.instrument.spot:
            return
        if self.held(s) * way >= s.instrument.lot:
            return
        if any(not o.exit and o.side == side for o in s.orders):
            return
        q = self.size_of(s)
        if q > 0:
            entry = self.place(s, side, "market", q, 0, False, False, self.crossed(s))
            if s.bracket:
                self.follow_up(s, entry, way)

    def follow_up(self, s, entry, way):
        """follow_up places the exits of a bracket behind its entry."""
        side, tick = ("sell", up_to) if way > 0 else ("buy", down_to)
        group = []
        for pct, sign, kind, why in ((s.stop_pct, -1, "stop", "signal_stop_loss"),
                                     (s.target_pct, 1, "limit", "signal_take_profit")):
            level = s.last * (100 * ONE + sign * way * pct) // (100 * ONE) if pct else 0
            price = tick(level, s.instrument.tick) if level > 0 else 0
            if kind == "stop" and s.trail:
                kind, price = "trailing_stop", 0
            elif price <= 0:
                continue
            o = self.place(s, side, kind, entry.quantity, price, True, True, why)
            o.parent, o.pending, o.oco, o.bips = entry, True, group, s.trail
            o.waits = o.quantity
            group.append(o)

    def size_of(self, s):
        """size_of is how much an order that opens is for."""
        if s.sizing == "fixed":
            q = s.size
        elif s.sizing == "notional":
            q = s.size * ONE // s.last
        else:
            equity = self.equity_for(s)
            q = equity * s.size // s.last if equity > 0 else 0
        return down_to(q, s.instrument.lot)

    @staticmethod
    def equity_for(s):
        """equity_for is the account's worth as the strategy sees it when it decides."""
        a = s.account
        sum, held = a.known or (a.cash, [(i, n.quantity, n.cost) for i, n in a.nets.items()])
        for inst, quantity, cost in held:
            if quantity == 0:
                continue
            close = inst.close
            if inst is s.instrument and s.last and s.last_at >= inst.close_at:
                close = s.last
            worth = quantity * close // ONE if close else cost
            sum += worth if inst.spot else worth - cost
        return sum

    def strategy_fill(self, s, o):
        """strategy_fill keeps stop and target in step with the position."""
        if o.exit:
            if o is not s.stop and o is not s.target:
                return
            reason = "signal_stop_loss" if o is s.stop else "signal_take_profit"
            self.drop(s, reason)
            self.protect(s)
            return
        way = 1 if o.side == "buy" else -1
        if s.relation * way < 0:
            self.follow(s)
            return
        if s.bracket or (not s.stop_pct and not s.target_pct):
            return
        average = o.cost * ONE // o.filled
        s.stop_at = average * (100 * ONE - way * s.stop_pct) // (100 * ONE)
        s.target_at = average * (100 * ONE + way * s.target_pct) // (100 * ONE)
        self.drop(s, "by_strategy")
        if s.position * way > 0:
            self.protect(s)

    def drop(self, s, reason):
        """drop cancels stop and target."""
        for o in (s.stop, s.target):
            if o:
                self.cancel(o, reason)
        s.stop = s.target = None

    def protect(self, s):
        """protect places stop and target for the whole position."""
        inst = s.instrument
        q = down_to(abs(s.position), inst.lot)
        if q == 0 or down_to(abs(self.held(s)), inst.lot) == 0:
            return
        side = "sell" if s.position > 0 else "buy"
        tick = up_to if side == "sell" else down_to
        if s.stop_pct:
            s.stop = self.place(s, side, "stop", q, tick(s.stop_at, inst.tick), True, True,
                                "signal_stop_loss")
        if s.target_pct:
            s.target = self.place(s, side, "limit", q, tick(s.target_at, inst.tick), True, True,
                                  "signal_take_profit")

    # --- rows -------------------------------------------------------------------------------

    def id_of(self, o):
        """id_of is an order's client order id."""
        return client_id(self.deployment, o.strategy.id, self.epoch, o.sequence)

    def order_rows(self):
        """order_rows are the rows of orders.csv."""
        rows = []
        for o in sorted(self.orders, key=lambda o: (o.created, o.key)):
            s = o.strategy
            rows.append({
                "client_order_id": self.id_of(o), "strategy": s.name, "account": s.account.name,
                "instrument": s.instrument.name, "symbol": s.instrument.symbol,
                "effect": "exit" if o.exit else "entry", "side": o.side, "type": o.kind,
                "time_in_force": "gtc", "quantity": o.quantity,
                "price": o.price if o.kind == "limit" else None,
                "stop_price": o.price if o.kind == "stop" else None, "status": o.status,
                "filled_quantity": o.filled,
                "average_price": o.cost * ONE // o.filled if o.filled else None,
                "created_ns": o.created, "updated_ns": o.updated, "reason": o.reason,
                "signal": o.signal, "display_quantity": None,
                "trail_bips": str(o.bips) if o.kind == "trailing_stop" else None,
                "parent_order_id": self.id_of(o.parent) if o.parent else None,
                "oco_order_id": self.id_of(o.oco[0]) if o.oco else None})
        return rows


class Way:
    """One way of an account's orders along a path, tried out on copies: orders that hang on others
    begin and end where the path is. What came of it is in events, as World.work takes them."""

    def __init__(self, world, inst, a):
        self.world, self.inst, self.a = world, inst, a
        self.left = sorted((o for o in inst.waiting if o.strategy.account is a),
                           key=lambda o: o.key)
        self.pending = {o for o in self.left if o.pending}
        self.new = []  # to be looked at where the path is
        self.later = {o for o in self.left if o.fresh and not o.parent}
        self.extreme = {o: o.extreme for o in self.left}
        self.waits = {o: o.waits for o in self.left}
        self.open = {o: o.quantity - o.filled for o in self.left}
        self.fired = {o for o in self.left if o.fired}
        self.room = inst.room if inst.share else None
        self.cash = a.venue_cash
        self.held = Holding()
        if inst.id in a.venue:
            self.held.quantity, self.held.cost = (a.venue[inst.id].quantity,
                                                  a.venue[inst.id].cost)
        self.events = []
        self.at = 0

    def begin(self, orders):
        """begin lets orders be looked at where the path is."""
        self.new += orders
        self.later -= set(orders)

    def keep(self):
        """keep makes true how the orders stand that are left."""
        if self.room is not None:
            self.inst.room = self.room
        for o in self.left:
            o.waits, o.fired = self.waits[o], o in self.fired
            if o.parent:
                o.pending = o in self.pending
                o.extreme = self.extreme[o]

    def worth(self, close):
        """worth is what the account is worth at close, in 1e-16."""
        cost = 0 if self.inst.spot else self.held.cost * ONE
        return self.cash * ONE + self.held.quantity * close - cost

    def end(self, o, reason):
        """end ends an order unfilled, and its children."""
        self.left.remove(o)
        if o in self.new:
            self.new.remove(o)
        self.events.append((o, None, reason))
        for c in [c for c in self.left if c.parent is o and c in self.pending]:
            self.end(c, "list_parent")

    def part(self, o):
        """part ends the partners of an order, and what is open of its parent."""
        for c in [c for c in self.left if c is not o and
                  (c is o.parent or (o.oco and c in o.oco))]:
            if c in self.left:
                self.end(c, "list_partner")

    def fill(self, o, price, liquidity):
        """fill trades an order, as far as there is room."""
        free = self.open[o] - self.waits[o]
        want = free if self.room is None else min(free, self.room)
        if o.kind != "limit":
            self.fired.add(o)
        if want == 0:
            return
        q, at, flow, fee, in_base, _ = self.world.deal(self.inst, o, price, liquidity,
                                                       self.held.quantity, self.cash, want)
        if q:
            self.cash += self.world.book(self.inst, self.held, o, q, at, flow, fee, in_base)
        if self.room is not None:
            self.room -= q
        # once a child trades its parent is done: what waits will never be set free
        stays = q == want < self.open[o] and want < free
        self.events.append((o, price, liquidity, want, "stays" if stays else
                            "list_parent" if q < self.open[o] else ""))
        self.open[o] -= q
        if not stays:
            self.left.remove(o)
        if q:
            self.part(o)
        for c in [c for c in self.left if c.parent is o]:
            if q:
                self.waits[c] = max(0, self.waits[c] - q)
                if c in self.pending:
                    self.pending.discard(c)
                    self.new.append(c)
            if self.open[o] and not stays and c in self.pending:
                self.end(c, "list_parent")

    def look(self, o):
        """look is what becomes of a new order where the path is."""
        p, buy = self.at, o.side == "buy"
        self.new.remove(o)
        if o.kind == "market":
            self.fill(o, p, "taker")
        elif o.kind == "limit":
            if p <= o.price if buy else p >= o.price:
                self.fill(o, p, "taker")
        else:
            self.extreme[o] = p
            t = self.stop_of(o)
            if p >= t if buy else p <= t:
                self.part(o)
                self.fill(o, p, "taker")

    def stop_of(self, o):
        """stop_of is an order's trigger now."""
        was, o.extreme = o.extreme, self.extreme[o]
        t = self.world.trigger(self.inst, o)
        o.extreme = was
        return t

    def go(self, p):
        """go moves on along the path; trailing stops follow."""
        self.at = p
        for o in self.left:
            if o.kind == "trailing_stop" and o not in self.pending and o not in self.new:
                self.extreme[o] = (min if o.side == "buy" else max)(self.extreme[o], p)

    def meets(self, o, to, way):
        """meets is where the rest of the leg meets an order, None: nowhere."""
        buy = o.side == "buy"
        if o in self.fired:
            return self.at if way == 0 and self.room != 0 else None
        if o in self.pending or o in self.later or o.kind == "market":
            return None
        if o.kind == "limit" and self.room == 0:
            return None
        if o.kind == "limit":
            if buy and way <= 0 and to < o.price:
                return min(o.price, self.at)
            if not buy and way >= 0 and to > o.price:
                return max(o.price, self.at)
            return None
        t = self.stop_of(o)
        if buy and way >= 0 and to >= t:
            return max(t, self.at)
        if not buy and way <= 0 and to <= t:
            return min(t, self.at)
        return None

    def leg(self, to, way):
        """leg walks to a price: down (-1), up (1) or where it stands (0)."""
        while True:
            met = [(0, o.kind in ("limit", "market"), o.key, o, self.at) for o in self.new]
            for o in self.left:
                p = None if o in self.new else self.meets(o, to, way)
                if p is not None:
                    met.append((abs(p - self.at), o.kind in ("limit", "market"), o.key, o, p))
            if not met:
                break
            _, _, _, o, p = min(met, key=lambda m: m[:3])
            self.go(p)
            if o in self.new:
                self.look(o)
            elif o.kind == "limit":
                self.fill(o, p, "maker")
            elif o in self.fired:
                self.fill(o, p, "taker")
            else:
                self.part(o)
                self.fill(o, p, "taker")
        self.go(to)
