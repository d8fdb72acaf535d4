"""runs.py - what the tests here share: run files from trees of maps, the program, its results."""
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SHRIKE_SOURCE") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("SHRIKE_BIN") or os.path.join(SOURCE, "build", "release", "shrike")
KLINES = os.path.join(SOURCE, "..", "shared", "data", "crypto", "klines")
NIGHT = os.environ.get("SHRIKE_NIGHT") == "1"
sys.path.insert(0, os.path.join(SOURCE, "tests", "reference"))

FILES = ("orders", "fills", "trades", "equity")

# Limits that let everything pass: what risk refuses is another test's matter.
WIDE = {"max_order_quantity": 1000000000, "max_order_notional": 1000000000, "price_collar": 0.5,
        "max_position": 9000000000, "order_rate": {"count": 1000000, "per": "1s"},
        "duplicate_window": "1ns", "max_open_orders": 4096}

INSTRUMENTS = {
    "BTC": {"symbol": "BTCUSDT", "kind": "spot", "base": "BTC", "quote": "USDT", "venue": "sim",
            "tick_size": "0.01", "lot_size": "0.00001", "maker_fee": "0.001",
            "taker_fee": "0.001"},
    "ETH": {"symbol": "ETHUSDT", "kind": "spot", "base": "ETH", "quote": "USDT", "venue": "sim",
            "tick_size": "0.01", "lot_size": "0.0001", "maker_fee": "0.00075",
            "taker_fee": "0.001", "slippage_bps": "0.7"},
    "BTC-PERP": {"symbol": "BTCUSDT", "kind": "linear", "base": "BTC", "quote": "USDT",
                 "venue": "sim", "tick_size": "0.1", "lot_size": "0.001", "maker_fee": "0.0002",
                 "taker_fee": "0.0005", "slippage_bps": "0.5"},
    "ETH-PERP": {"symbol": "ETHUSDT", "kind": "linear", "base": "ETH", "quote": "USDT",
                 "venue": "sim", "tick_size": "0.01", "lot_size": "0.001",
                 "maker_fee": "-0.0001", "taker_fee": "0.0004"},
    "LTC": {"symbol": "LTCUSDT", "kind": "spot", "base": "LTC", "quote": "USDT", "venue": "sim",
            "tick_size": "0.01", "lot_size": "0.001", "maker_fee": "0.001", "taker_fee": "0.001",
            "slippage_bps": "2"},
    "XRP": {"symbol": "XRPUSDT", "kind": "spot", "base": "XRP", "quote": "USDT", "venue": "sim",
            "tick_size": "0.0001", "lot_size": "1", "maker_fee": "0.001", "taker_fee": "0.001"},
    "AVAX": {"symbol": "AVAXUSDT", "kind": "linear", "base": "AVAX", "quote": "USDT",
             "venue": "sim", "tick_size": "0.001", "lot_size": "1", "maker_fee": "0.0002",
             "taker_fee": "0.0005", "slippage_bps": "1"},
    "FIL": {"symbol": "FILUSDT", "kind": "linear", "base": "FIL", "quote": "USDT",
            "venue": "sim", "tick_size": "0.001", "lot_size": "0.1", "maker_fee": "0.0002",
            "taker_fee": "0.0005"},
}


def flow(value):
    """flow writes a value as YAML in one line; texts go as they are."""
    if isinstance(value, dict):
        return "{" + ", ".join("%s: %s" % (k, flow(v)) for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def text_of(run):
    """text_of is the run file of a tree of maps."""
    out = []
    for key, value in run.items():
        if isinstance(value, dict):
            out.append("%s:\n" % key + "".join("  %s: %s\n" % (k, flow(v))
                                              for k, v in value.items()))
        elif isinstance(value, list):
            out.append("%s:\n" % key + "".join("  - %s\n" % flow(v) for v in value))
        else:
            out.append("%s: %s\n" % (key, flow(value)))
    return "".join(out)


def klines(instrument, interval, file, **more):
    """klines is a source; file may be the name of one in the shared data."""
    path = file if os.path.isabs(file) else os.path.join(KLINES, file)
    return dict(kind="klines", instrument=instrument, interval=interval,
                file=os.path.abspath(path), **more)


def trades(instrument, file):
    """trades is a source."""
    return dict(kind="trades", instrument=instrument, file=os.path.abspath(file))


def cross(instrument, account, interval, sizing, **params):
    """cross is a strategy actor: the moving-average cross."""
    return {"kind": "strategy", "class": "sma_cross", "instruments": [instrument],
            "interval": interval, "account": account, "params": params, "sizing": sizing}


def run_of(name, sources, strategies, accounts, **more):
    """run_of is a whole run: the strategies with feed, risk, execution, portfolio and venue. Keys
    of more that are an instrument's name change it; others stand in the file as they are."""
    used = {s["instrument"] for s in sources}
    instruments = {n: dict(INSTRUMENTS[n]) for n in INSTRUMENTS if n in used}
    bars = []
    declared = {(s["instrument"], s.get("interval", "trades")) for s in sources}
    for s in strategies.values():
        wanted = (s["instruments"][0], s["interval"])
        if wanted not in declared:
            declared.add(wanted)
            finest = min((d.get("interval", "trades") for d in sources
                          if d["instrument"] == wanted[0]),
                         key=lambda i: 0 if i == "trades" else seconds(i))
            bars.append({"instrument": wanted[0], "from": finest, "to": wanted[1]})
    actors = dict(strategies)
    actors["feed"] = {"kind": "feed"}
    if bars:
        actors["feed"]["bars"] = bars
    actors["risk"] = {"kind": "risk", "limits": WIDE}
    actors["execution"] = {"kind": "execution"}
    actors["portfolio"] = {"kind": "portfolio"}
    actors["venue"] = {"kind": "venue", **more.pop("venue", {})}
    for key in [k for k in more if k in instruments]:
        instruments[key].update(more.pop(key))
        if "slippage" in instruments[key]:
            instruments[key].pop("slippage_bps", None)  # one or the other
    run = {"name": name, "clock": "virtual", "journal": "off"}
    run.update(more)
    run.update({"instruments": instruments, "accounts": accounts, "sources": sources,
                "actors": actors})
    return run


def seconds(interval):
    """seconds is the length of an interval such as 1m."""
    return int(interval[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[interval[-1]]


def shrike(*args, timeout=120, check=True, program=None):
    """shrike runs the program (BIN, or another build) and returns what it printed."""
    p = subprocess.run([program or BIN, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=timeout, stdin=subprocess.DEVNULL)
    text = p.stdout.decode(errors="replace")
    if check and p.returncode != 0:
        raise AssertionError("shrike %s: exit %d\n%s" % (" ".join(args), p.returncode, text))
    return text


def write_run(run, path):
    """write_run writes the run file."""
    with open(path, "w") as f:
        f.write(text_of(run))
    return path


def backtest(run, dir, timeout=120):
    """backtest runs a tree of maps in dir and returns where the results are."""
    os.makedirs(dir, exist_ok=True)
    out = os.path.join(dir, "out")
    shrike("backtest", write_run(run, os.path.join(dir, "run.yaml")), "--out", out,
           timeout=timeout)
    return out


def rows_of(path):
    """rows_of reads a CSV file as maps."""
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


class Scratch:
    """A temporary directory that goes away at the end."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="shrike-e2e-")
        return self.dir

    def __exit__(self, *_):
        if os.environ.get("SHRIKE_KEEP"):
            print("kept", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


def seeded():
    """seeded is a generator whose seed is printed; SHRIKE_SEED sets it."""
    seed = int(os.environ.get("SHRIKE_SEED") or random.SystemRandom().randrange(1, 10**9))
    print("seed %d (SHRIKE_SEED=%d makes this run again)" % (seed, seed), flush=True)
    return random.Random(seed), seed


def prints_file(path, rng, count, start_ns, price, step, tick, decimals, pause_ms):
    """prints_file writes invented trades (6 columns): a walk in whole ticks, several prints of one
    instant, now and then a print on the very second, pauses of seconds and of minutes."""
    with open(path, "w") as f:
        f.write("id,price,qty,quote_qty,time,is_buyer_maker\n")
        ms = start_ns // 10**6
        for i in range(count):
            price = max(20 * step, price + rng.randint(-step, step))
            f.write("%d,%.*f,%.3f,0,%d,%s\n" % (i + 1, decimals, price * tick,
                                               rng.random() + 0.001, ms,
                                               rng.choice(["true", "false"])))
            kind = rng.random()
            if kind < 0.02:
                ms += rng.randint(1, 200 * pause_ms)
            elif kind < 0.1:
                ms = ms // 1000 * 1000 + 1000
            elif kind > 0.3:
                ms += rng.randint(1, pause_ms)
    return path


def walk_file(path, rng, bars, interval, start_ns, price, step, tick, decimals, gap=0.01,
              silent=0.03):
    """walk_file writes invented klines (6 columns): a walk in whole ticks, on a coarse grid, so
    that touches, ties and opens on a level happen often; some bars are missing, some silent."""
    with open(path, "w") as f:
        f.write("open_time_ms,open,high,low,close,volume\n")
        close = price
        for i in range(bars):
            if rng.random() < gap and 0 < i:
                continue
            if rng.random() < silent:
                o = h = l = c = close
                volume = "0"
            else:
                o = close + (rng.randint(-step, step) if rng.random() < 0.3 else 0)
                c = o + rng.randint(-step, step)
                h = max(o, c) + rng.randint(0, step)
                l = min(o, c) - rng.randint(0, step)
                volume = "%.3f" % (rng.random() * 10 + 0.001)
            low = 20 * step
            if l < low:
                o, h, l, c = (x + low - l for x in (o, h, l, c))
            close = c
            f.write("%d,%s,%s\n" % (start_ns // 10**6 + i * seconds(interval) * 1000, ",".join(
                "%.*f" % (decimals, x * tick) for x in (o, h, l, c)), volume))
    return path
