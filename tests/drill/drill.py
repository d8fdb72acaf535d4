"""What the drills share: run files, the program as a child to be killed, and what a run left.

The seed of a drill is printed; SHRIKE_SEED=N repeats it. SHRIKE_NIGHT=1 runs the whole."""
import ctypes
import glob
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(os.environ.get("SHRIKE_BIN") or
                          os.path.join(HERE, "../../build/release/shrike"))
FAULTY = os.path.join(os.path.dirname(PROGRAM), "shrike_drill")
NIGHT = os.environ.get("SHRIKE_NIGHT") == "1"

INSTRUMENT = ("{{symbol: {0}, kind: linear, base: {1}, quote: USDT, venue: sim, tick_size: 0.1, "
              "lot_size: 0.001, min_notional: 5, maker_fee: 0.0002, taker_fee: 0.0005, "
              "slippage_bps: 0.5}}")
RISK = ("{kind: risk, limits: {max_order_quantity: 1000, max_order_notional: 10000000, "
        "price_collar: 0.5, max_position: 2000, order_rate: {count: 100000, per: 1s}, "
        "duplicate_window: 1ms, max_open_orders: 1000}%s}")


def seeded():
    """Returns the drill's random numbers, its seed printed."""
    seed = int(os.environ.get("SHRIKE_SEED") or random.SystemRandom().randrange(1 << 32))
    print("seed %d (SHRIKE_SEED=%d repeats it)" % (seed, seed), flush=True)
    return random.Random(seed)


# Where actors live: name of the placement -> (shards, processes, shard of each actor).
PLACES = {
    "one": ("shards: {main: {}}", "", {}),
    "two": ("shards: {main: {}, second: {}}", "", {"cross": "second", "pair": "second"}),
    "five": ("shards: {main: {}, s: {}, r: {}, x: {}, p: {}}", "",
             {"cross": "s", "pair": "s", "risk": "r", "execution": "x", "portfolio": "p"}),
    "processes": ("shards: {main: {process: engine}, second: {process: strategies}}",
                  "processes: {engine: {}, strategies: {}}", {"cross": "second", "pair": "second"}),
}


def run_file(place="one", clock="virtual", durability="process", snapshot="1h", bars="1m",
             end="2024-02-05", strategies=None, source=None, more="", fast=10, slow=30, hang=None,
             journal="{segment: 1048576}"):
    """Returns the text of a run file: two instruments of the built-in market, two strategies."""
    shards, processes, where = PLACES[place]
    at = lambda actor: ", shard: " + where[actor] if actor in where else ""
    if strategies is None:
        strategies = (
            "  cross: {kind: strategy%s, class: sma_cross, instruments: [AAA-PERP], interval: %s, "
            "account: main, params: {fast: %d, slow: %d}, sizing: {fixed: 0.01}}\n"
            "  pair: {kind: strategy%s, class: pair, instruments: [AAA-PERP, BBB-PERP], interval: %s, "
            "account: main, params: {window: 30, entry_z: 1.5, exit_z: 0.5, stop_z: 6, max_hold: 2h, "
            "check: 10m}, sizing: {fixed: 0.01}}\n"
            % (at("cross"), bars, fast, slow, at("pair"), bars))
    if source is None:
        source = "{kind: market, instruments: [AAA-PERP, BBB-PERP], interval: %s}" % bars
    return "\n".join([
        "name: drill", "clock: %s" % clock, "durability: %s" % durability,
        "snapshot_every: %s" % snapshot, "seed: 7", "journal: %s" % journal,
        "start: 2024-01-01\nend: %s" % end if end else "",
        "hang: %s" % hang if hang else "",
        "instruments:", "  AAA-PERP: " + INSTRUMENT.format("AAAUSDT", "AAA"),
        "  BBB-PERP: " + INSTRUMENT.format("BBBUSDT", "BBB"),
        "accounts: {main: {quote: USDT, cash: 100000}}", processes, shards,
        "sources:", "  - " + source, more, "actors:", strategies.rstrip("\n"),
        "  feed: {kind: feed}", "  risk: " + RISK % at("risk"),
        "  execution: {kind: execution%s}" % at("execution"),
        "  portfolio: {kind: portfolio%s}" % at("portfolio"), "  venue: {kind: venue}", ""])


# Programs started and perhaps not ended.
started = []


class Place:
    """A directory of its own, with the stages of its runs; gone at the end."""

    def __init__(self, base=None):
        self.path = tempfile.mkdtemp(prefix="shrike-drill-", dir=base)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for child in [c for c in started if c.poll() is None]:
            kill_all(child)  # a check failed while it ran
            child.communicate()
        started.clear()
        if kind is None or not os.environ.get("SHRIKE_KEEP"):
            for run in glob.glob(self.path + "/*/run.yaml"):
                shutil.rmtree(stage_of(os.path.dirname(run)), ignore_errors=True)
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            print("kept " + self.path)

    def file(self, name, text):
        """Writes a file and returns its path."""
        path = os.path.join(self.path, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def dir(self, name):
        """Returns the path of a run directory, without making it."""
        return os.path.join(self.path, name)


def stage_of(run):
    """Returns the stage directory of the run in directory run."""
    with open(run + "/run.yaml") as f:
        return "/dev/shm/shrike-" + re.search(r'run_id: "([0-9a-f]+)"', f.read()).group(1)


def start(args, program=PROGRAM, **more):
    """Starts the program in a session of its own; returns the Popen. What still runs when its Place
    goes is killed."""
    child = subprocess.Popen([program] + args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             start_new_session=True, text=True, errors="replace", **more)
    started.append(child)
    return child


def family(pid):
    """Returns the pids of a process's children."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def kill_all(child):
    """SIGKILLs a program and its children: the parent first, so that it starts nothing anew."""
    os.kill(child.pid, signal.SIGSTOP)
    for pid in family(child.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    child.kill()


def finish(child, timeout=60):
    """Waits for a program; returns (exit code, stdout, stderr)."""
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_all(child)
        out, err = child.communicate()
        return "timeout", out, err
    return child.returncode, out, err


def shrike(*args, program=PROGRAM, timeout=60):
    """Runs the program to its end; returns (exit code, stdout, stderr)."""
    return finish(start(list(args), program=program), timeout)


def wait_flow(run, frames=500):
    """Waits until so many frames were heard between the shards of a running engine, 15 s at most:
    on a busy machine a start takes its time."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        code, out, _ = shrike("top", run, "--json", program=FAULTY)
        if code == 0 and sum(e["received"] for e in json.loads(out)["edges"]) >= frames:
            return
        time.sleep(0.02)


def wait_record(run, kind, cnt=1, timeout=60):
    """Waits until the journals of a run hold cnt records of a kind, by name: how far it has come is
    known from what it did, not from the time that passed. Returns whether they came."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        code, out, _ = shrike("journal", "dump", run, "--kind", kind, "--limit", str(cnt),
                              program=FAULTY)
        if code == 0 and len(out.splitlines()) >= cnt:
            return True
        time.sleep(0.05)
    return False


class Ticks:
    """Looks at the machine 200 times a second: how long a sleeper was left waiting, and how many
    threads wanted a core. Where a promise is about time, what a machine shows that others keep busy
    is not the program's."""

    def __enter__(self):
        self.longest, self.over, self.looks, self.running = 0, False, 0, 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        """The thread."""
        while not self.over:
            began = time.monotonic()
            time.sleep(0.005)
            self.longest = max(self.longest, time.monotonic() - began - 0.005)
            with open("/proc/loadavg") as f:
                self.running += int(f.read().split()[3].split("/")[0]) - 1  # without this one
            self.looks += 1

    def busy(self, limit):
        """Tells whether others took so much of the machine that a limit, s, says nothing."""
        return self.longest > limit / 4 or self.running > self.looks * os.cpu_count()

    def __exit__(self, kind, value, trace):
        self.over = True
        self.thread.join()


def left(run, program=PROGRAM):
    """Returns what a run left: hash per actor by replay --verify, and the result files."""
    code, out, err = shrike("replay", run, "--verify", "--json", program=program)
    if code != 0:
        raise AssertionError("replay --verify of %s: exit %s: %s%s" % (run, code, out, err))
    found = {}
    for line in out.splitlines():
        row = json.loads(line)
        if "actor" in row:
            # what the venue says is kept only where it goes to another shard
            found["actor " + row["actor"]] = row["state"] + (
                " " + row["out"] if row["actor"] != "venue" else "")
    found.update(results(run))
    return found


def results(run):
    """Returns the result files of a run."""
    found = {}
    for name in ("orders", "fills", "trades", "equity"):
        for path in (run + "/out/" + name + ".csv", run + "/" + name + ".csv"):
            if os.path.exists(path):
                with open(path, "rb") as f:
                    found[name + ".csv"] = f.read()
    return found


def differ(a, b):
    """Returns in words how two results of left() differ, empty when they do not. Result files count
    where both have them."""
    words = []
    for key in sorted(set(a) | set(b)):
        if a.get(key) == b.get(key) or (key.endswith(".csv") and not (key in a and key in b)):
            continue
        x, y = a.get(key), b.get(key)
        if isinstance(x, bytes) and isinstance(y, bytes):
            lines = zip(x.splitlines() + [None], y.splitlines() + [None])
            n, pair = next((i, p) for i, p in enumerate(lines, 1) if p[0] != p[1])
            words.append("%s line %d: %r, %r" % (key, n, pair[0], pair[1]))
        else:
            words.append("%s: %r, %r" % (key, x, y))
    return "; ".join(words)


# Kinds of message the drills look at (schemas/*.fbs), and the bit of what was said.
POISON, ADVANCE, ACTOR_STOPPED, JOURNAL_STATE, KILL_SEEN = 5, 7, 6, 11, 12
ORDER_INTENT, ORDER_STATE, FILL, OUT = 48, 54, 55, 0x8000


def segment(path, most):
    """Returns the bytes of a segment, which may be archived: then of at most that many bytes."""
    with open(path, "rb") as f:
        packed = f.read()
    if not path.endswith(".zst"):
        return packed
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(most)
    cnt = zstd.ZSTD_decompress(room, ctypes.c_size_t(most), packed, ctypes.c_size_t(len(packed)))
    if zstd.ZSTD_isError(ctypes.c_size_t(cnt)):
        raise AssertionError("%s cannot be unpacked" % path)
    return room.raw[:cnt]


def records(run, shard):
    """Yields (kind, source, time_ns, body) of every record of a shard's segments on disk."""
    found = {int(os.path.basename(p).split(".")[0]): p  # a plain one goes before its archive
             for p in sorted(glob.glob("%s/journal/%s/*.seg*" % (run, shard)), reverse=True)
             if re.search(r"/\d+\.seg(\.zst)?$", p)}
    for number in sorted(found):
        seg = segment(found[number], 64 << 20)
        if seg[:8] != b"SHRKJRNL":
            continue
        at = struct.unpack_from("<I", seg, 12)[0]
        while at + 32 <= len(seg):
            kind, size, source, _, _, _, time_ns, _ = struct.unpack_from("<HHHHIIqQ", seg, at)
            if size < 32:
                break
            yield kind, source, time_ns, seg[at + 32:at + size]
            at += size


def trader(name, shard="", instrument="AAA-PERP", interval="trades", **params):
    """Returns an actor's line: the drills' own strategy, with these parameters."""
    return ("  %s: {kind: strategy%s, class: drill, instruments: [%s], interval: %s, account: main, "
            "params: {%s}, sizing: {fixed: 0.01}}\n"
            % (name, ", shard: " + shard if shard else "", instrument, interval,
               ", ".join("%s: %s" % it for it in params.items())))


def trades(per_hour):
    """Returns a source: trades of both instruments, so many an hour."""
    return ("{kind: market, instruments: [AAA-PERP, BBB-PERP], rows: trades, trades_per_hour: %d}"
            % per_hour)
