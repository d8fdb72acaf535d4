"""Goal: Heikin-Ashi, Renko and session bars are what a plain twin makes of the recorded klines, and
strategies that hear them trade the same wherever actors live, on two clocks, and when they are killed.
Method: the bars that feed says are read from the journal and compared with the twin, figure by figure;
sma_cross on each kind of bar, on one shard, two, five, at random, two processes, paced; one run is
killed with SIGKILL now and then and goes on. Orders are filled at prices of the true bars. Without
recorded klines the placements run on an invented walk."""
# threaded: shards are threads here
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_placements import COMPARED, PACED, place, results, spread, differ  # noqa: E402

ONE = 10**8
BRICK = 150 * ONE
MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
BARS = [
    {"instrument": "BTC-PERP", "from": "1m", "to": "5m", "name": "ha", "type": "heikin_ashi"},
    {"instrument": "BTC-PERP", "from": "1m", "name": "bricks", "type": "renko", "brick": 150},
    {"instrument": "BTC-PERP", "from": "1m", "to": "1h", "name": "desk",
     "session": {"days": "mon-thu", "hours": ["\"09:30-16:00\""], "offset": "\"-05:00\""}},
    {"instrument": "BTC-PERP", "from": "1m", "to": "5m"},
]


def graph(source, **more):
    """graph is a run with a strategy on each kind of bar."""
    strategies, money = {}, {}
    for name in ("ha", "bricks", "desk"):
        s = cross("BTC-PERP", name, "", {"fraction": "0.5"}, fast=2, slow=5, short=True)
        del s["interval"]
        strategies[name] = dict(s, bars=name)
        money[name] = {"quote": "USDT", "cash": 100000}
    strategies["plain"] = cross("BTC-PERP", "desk", "5m", {"fraction": "0.1"}, fast=2, slow=6)
    run = run_of("bars", [source], dict(strategies, **{
        n: dict(s, interval="1m") for n, s in strategies.items()}), money,
        equity_interval="1h", **more)
    for name, s in strategies.items():
        run["actors"][name] = s
    run["actors"]["feed"] = {"kind": "feed", "bars": BARS}
    return run


def resampled(rows, span, offset=0):
    """resampled makes bars of span ns of rows (open_ns, o, h, l, c, volume), on local time."""
    out = []
    for open_ns, o, h, low, c, volume in rows:
        begin = (open_ns + offset) // span * span - offset
        if out and out[-1][0] == begin:
            b = out[-1]
            out[-1] = (begin, b[1], max(b[2], h), min(b[3], low), c, b[5] + volume)
        else:
            out.append((begin, o, h, low, c, volume))
    return [b + (span,) for b in out]


def heikin_ashi(bars):
    """heikin_ashi is the textbook's rule; averages are rounded down."""
    out = []
    for begin, o, h, low, c, volume, span in bars:
        close = (o + h + low + c) // 4
        mid = (out[-1][1] + out[-1][4]) // 2 if out else (o + c) // 2
        out.append((begin, mid, max(h, mid, close), min(low, mid, close), close, volume, span))
    return out


def renko(rows, brick):
    """renko makes bricks on closes; each is known at the end of the row that completes it."""
    out, ends, begin, volume = [], None, rows[0][0], 0.0
    for open_ns, _, _, _, close, more in rows:
        end = open_ns + MINUTE
        volume += more
        if ends is None:
            ends = [close // brick * brick] * 2
        told = []
        while close >= max(ends) + brick:
            ends = [max(ends), max(ends) + brick]
            told.append(ends)
        while close <= min(ends) - brick:
            ends = [min(ends), min(ends) - brick]
            told.append(ends)
        for a, b in told:
            out.append((begin, a, max(a, b), min(a, b), b, volume, end - begin))
            begin, volume = end, 0.0
    return out


def in_session(row):
    """in_session tells whether a row begins on Monday to Thursday, 9:30 to 16:00 at UTC-5."""
    at = datetime.fromtimestamp(row[0] // 10**9, timezone.utc) - timedelta(hours=5)
    return at.weekday() < 4 and 570 <= at.hour * 60 + at.minute < 960


def fixed(text):
    """fixed is a decimal as an integer in 1e-8."""
    whole, _, rest = text.partition(".")
    return int(whole) * ONE + int((rest + "0" * 8)[:8])


def recorded(path, start, end):
    """recorded reads rows of a packed kline file within [start, end) ns."""
    text = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    out = []
    for line in text.splitlines():
        f = line.split(",")
        if not f[0].isdigit():
            continue
        at = int(f[0]) * 10**6
        if start <= at < end:
            out.append((at, fixed(f[1]), fixed(f[2]), fixed(f[3]), fixed(f[4]), float(f[5])))
    return out


def said(dir):
    """said returns the bars in a run's journal (of a feed on a shard of its own: what stays on one is
    not kept), by the number of their name."""
    out = {}
    for line in shrike("journal", "dump", dir, "--kind", "Bar", "--json").splitlines():
        record = json.loads(line)
        if record["dir"] == "out":
            out.setdefault(record["body"]["flags"] >> 4, []).append(record["body"])
    return out


def same(twin, bars):
    """same compares; returns what is wrong, "" when nothing is."""
    if len(twin) != len(bars):
        return "%d bars, the twin has %d" % (len(bars), len(twin))
    for t, b in zip(twin, bars):
        got = tuple(b[k] for k in ("open_ns", "open", "high", "low", "close"))
        if t[:5] != got or t[6] != b["interval_ns"] or abs(t[5] - b["volume"]) > 1e-6:
            return "%s, the twin has %s" % (b, t)
    return ""


def killed(run, dir, rng):
    """killed runs it on the paced clock, kills it now and then, and returns its results."""
    os.makedirs(dir)
    file, out, kills = write_run(run, os.path.join(dir, "run.yaml")), os.path.join(dir, "run"), 0
    while True:
        with open(os.path.join(dir, "log"), "w") as log:
            p = subprocess.Popen([BIN, "run", file, "--dir", out, "--plain"], stdout=log,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 start_new_session=True)
        try:
            code = p.wait(timeout=rng.uniform(0.3, 0.9) if kills < 4 else 200)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            kills += 1
            continue
        with open(os.path.join(dir, "log")) as f:
            said = f.read()
        if code != 0 and not (kills and "has ended, its results are in" in said):  # killed at its end
            raise AssertionError("exit %d after %d kills\n%s" % (code, kills, said[-2000:]))
        break
    found = {}
    for name in COMPARED:
        with open(os.path.join(out, "out", name + (".json" if name == "summary" else ".csv")),
                  "rb") as f:
            found[name] = f.read()
    return found, kills


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0
    file = os.path.join(KLINES, "binance_um_BTCUSDT_1m_202505.csv.zst")
    day = 1746057600 * 10**9  # 2025-05-01
    with Scratch() as scratch:
        if os.path.exists(file):
            span = {"start": "2025-05-01", "end": "2025-05-08"}
            run = graph(klines("BTC-PERP", "1m", file), **span)
            rows = recorded(file, day, day + 7 * 24 * HOUR)
            dir = os.path.join(scratch, "twin")
            shrike("run", write_run(place(run, [{}] * 2, {"feed": 1}, journal="on"),
                                    os.path.join(scratch, "t.yaml")),
                   "--dir", dir, "--plain")
            bars = said(dir)
            desk = [r for r in rows if in_session(r)]
            for number, name, twin in (
                    (1, "Heikin-Ashi", heikin_ashi(resampled(rows, 5 * MINUTE))),
                    (2, "Renko", renko(rows, BRICK)),
                    (3, "session", resampled(desk, HOUR, -5 * HOUR)),
                    (0, "clock", resampled(rows, 5 * MINUTE))):
                wrong = same(twin, bars.get(number, []))
                print("bad " if wrong else "ok  ", name, len(twin), "bars", wrong, flush=True)
                bad += bool(wrong)
            opens = {r[0]: r[1] for r in rows}
            fills = rows_of(os.path.join(dir, "out", "fills.csv"))
            assert len(fills) > 50, len(fills)
            off = [f for f in fills  # at the true open of the next minute, less half a basis point
                   if abs(fixed(f["price"]) - opens.get(int(f["time_ns"]), 0)) >
                   opens.get(int(f["time_ns"]), 0) // 20000 + ONE // 10]
            print("bad " if off else "ok  ", len(fills), "fills at true prices", off[:1])
            bad += bool(off)
        else:
            print("skip: no recorded klines at %s" % os.path.abspath(KLINES))
            run = graph(klines("BTC-PERP", "1m", walk_file(
                os.path.join(scratch, "walk.csv"), rng, 3000, "1m", 1704067200 * 10**9, 600000, 400,
                0.1, 1)))
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        apart = {n: 1 for n in ("ha", "bricks", "desk", "plain")}
        five = dict(apart, feed=0, risk=2, execution=3, venue=3, portfolio=4)
        for name, placed, how in (
                ("two shards", place(run, [{}] * 2, apart), "backtest"),
                ("feed apart, journal on", place(run, [{}] * 2, {"feed": 1}, journal="on"), "backtest"),
                ("five shards", place(run, [{}] * 5, five), "backtest"),
                ("at random", place(run, [{}] * 3, spread(rng, run, 3)), "backtest"),
                ("two processes", place(run, [{"process": "a"}, {"process": "b"}], apart, ["a", "b"],
                                        journal="stage"), "backtest"),
                ("paced", place(run, [{}], {}, clock=PACED, journal="on"), "run")):
            got = results(placed, os.path.join(scratch, name), how)
            wrong = differ(want, got)
            print("bad " if wrong else "ok  ", name, wrong, flush=True)
            bad += bool(wrong)
        paced = {"kind": "paced", "speed": 300000}
        got, kills = killed(place(run, [{}] * 2, {"feed": 1}, clock=paced, journal="on",
                                  snapshot_every="200ms"), os.path.join(scratch, "killed"), rng)
        wrong = differ(want, got)
        print("bad " if wrong or not kills else "ok  ", "killed", kills, "times", wrong, flush=True)
        bad += bool(wrong) or not kills
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
