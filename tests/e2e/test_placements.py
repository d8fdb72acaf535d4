"""Goal: where actors live and how time passes changes no result.
Method: the same graph (moving-average crosses with stops on several intervals, a pair with timers,
feed, risk, execution, portfolio, venue) is run on one shard, two, five, spread at random (printed
seed), on two and three processes, as a backtest and by `shrike run` on the paced clock, with the
journal on and off, by every build that is at hand; orders.csv, fills.csv, trades.csv, equity.csv,
daily.csv, charts.csv and summary.json must be the same bytes; a run of six symbols on two shards must
be what `replay --verify` makes of its journal. Data: invented walks, endless bars of
the built-in market cut by end:, and recorded bars where ../shared/data is at hand. Builds with sanitizers, being slow, take a short walk
only. Night (SHRIKE_NIGHT=1): the whole month, more spreads."""
# threaded: shards are threads here
import hashlib
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403

SLOW = os.path.basename(os.path.dirname(os.path.abspath(BIN))) in ("asan", "tsan", "debug")
PACED = {"kind": "paced", "speed": 1000000000}


def place(run, shards, home, processes=None, **more):
    """place returns run with its actors on shards (a list of maps) by home: name to number."""
    out = dict(run)
    out.update(more)
    names = ["s%d" % i for i in range(len(shards))]
    placed = {}
    if processes:
        placed["processes"] = {p: {} for p in processes}
    placed["shards"] = {n: dict({"idle": "adaptive"}, **s) for n, s in zip(names, shards)}
    out = {**{k: v for k, v in out.items() if k != "actors"}, **placed}
    out["actors"] = {n: dict({"kind": a["kind"], "shard": names[home.get(n, 0)]},
                             **{k: v for k, v in a.items() if k != "kind"})
                     for n, a in run["actors"].items()}
    return out


def spread(rng, run, cnt):
    """spread puts every actor on one of cnt shards, none of which stays empty."""
    names = sorted(run["actors"])
    home = {n: rng.randrange(cnt) for n in names}
    for i, n in enumerate(rng.sample(names, cnt)):
        home[n] = i
    return home


def placements(rng, run):
    """placements lists (name, run, program's subcommand)."""
    strategies = [n for n, a in run["actors"].items() if a["kind"] == "strategy"]
    five = {n: 1 for n in strategies}
    five.update({"feed": 0, "risk": 2, "execution": 3, "venue": 3, "portfolio": 4})
    apart = {n: 1 for n in strategies}
    three = dict(apart, portfolio=2)
    out = [
        ("one shard, journal on", place(run, [{}], {}, journal="on"), "backtest"),
        ("two shards: strategies apart", place(run, [{}] * 2, apart), "backtest"),
        ("two shards: portfolio apart, journal on",
         place(run, [{}] * 2, {"portfolio": 1}, journal="on"), "backtest"),
        ("two shards at random", place(run, [{}] * 2, spread(rng, run, 2)), "backtest"),
        ("five shards", place(run, [{}] * 5, five), "backtest"),
        ("five shards at random, blocking, journal on",
         place(run, [{"idle": "block"}] * 5, spread(rng, run, 5), journal="on"), "backtest"),
        ("two processes, journal staged",
         place(run, [{"process": "engine"}, {"process": "strategies"}], apart,
               ["engine", "strategies"], journal="stage"), "backtest"),
        ("three shards in two processes, journal on",
         place(run, [{"process": "engine"}, {"process": "strategies"}, {"process": "engine"}],
               three, ["engine", "strategies"], journal="on"), "backtest"),
        ("paced clock, one shard", place(run, [{}], {}, clock=PACED, journal="on"), "run"),
        ("paced clock, two shards", place(run, [{}] * 2, apart, clock=PACED, journal="on"),
         "run"),
        ("paced clock, five shards at random",
         place(run, [{}] * 5, spread(rng, run, 5), clock=PACED, journal="on"), "run"),
        ("paced clock, two processes",
         place(run, [{"process": "engine"}, {"process": "strategies"}], apart,
               ["engine", "strategies"], clock=PACED, journal="on"), "run"),
    ]
    for i in range(20 if NIGHT else 2):
        cnt = rng.randint(2, 5)
        out.append(("spread %d over %d shards" % (i, cnt),
                    place(run, [{}] * cnt, spread(rng, run, cnt),
                          journal=rng.choice(["off", "stage", "on"])), "backtest"))
    return out


COMPARED = FILES + ("daily", "charts", "summary")


def results(run, dir, how, program=None):
    """results runs it and returns the bytes of the result files by name."""
    os.makedirs(dir)
    file = write_run(run, os.path.join(dir, "run.yaml"))
    out = os.path.join(dir, "out")
    if how == "backtest":
        shrike("backtest", file, "--out", out, timeout=300, program=program)
    else:
        shrike("run", file, "--dir", out, "--plain", timeout=300, program=program)
        out = os.path.join(out, "out") if os.path.isdir(os.path.join(out, "out")) else out
    found = {}
    for name in COMPARED:
        with open(os.path.join(out, name + (".csv" if name != "summary" else ".json")), "rb") as f:
            found[name] = f.read()
    return found


def differ(want, got):
    """differ tells the first line that is not the same, "" when all are."""
    for name in COMPARED:
        if want[name] == got[name]:
            continue
        a, b = want[name].splitlines(), got[name].splitlines()
        for i in range(max(len(a), len(b))):
            x, y = (z[i].decode() if i < len(z) else "(none)" for z in (a, b))
            if x != y:
                return "%s.csv line %d\n    one shard  %s\n    here       %s" % (name, i + 1, x, y)
    return ""


def graphs(rng, scratch):
    """graphs lists (name, run)."""
    def strategies(one, two, third):
        pair = {"kind": "strategy", "class": "pair", "instruments": [one, two], "interval": third,
                "account": "pair", "params": {"window": 60, "entry_z": "1.5", "exit_z": "0.2",
                                              "max_hold": "6h", "check": "17m"},
                "sizing": {"notional": "4000"}}
        return {
            "a": cross(one, "main", "1m", {"fraction": "0.4"}, fast=rng.randint(3, 9),
                       slow=rng.randint(12, 40), short=True, stop_loss_pct="0.3",
                       take_profit_pct="0.5"),
            "b": cross(two, "main", "5m", {"fraction": "0.4"}, fast=3, slow=rng.randint(8, 20),
                       short=True),
            "pair": pair,
            "z": cross(two, "second", third, {"notional": "9000"}, fast=2,
                       slow=rng.randint(5, 12), short=True, take_profit_pct="1", bracket=True,
                       trail_pct="0.4")}
    money = {n: {"quote": "USDT", "cash": c} for n, c in
             (("main", 100000), ("pair", 40000), ("second", 20000))}
    walks = []
    for n, price in (("BTC-PERP", 60000), ("ETH-PERP", 25000)):
        walks.append(klines(n, "1m", walk_file(
            os.path.join(scratch, n + ".csv"), rng, 6000 if NIGHT else 900 if SLOW else 2500, "1m",
            1704067200 * 10**9, price, 20, 0.1, 1)))
    out = [("walks", run_of("walks", walks, strategies("BTC-PERP", "ETH-PERP", "15m"), money,
                            equity_interval="15m", venue={"latency": "20s"}))]
    if SLOW and not NIGHT:
        return out
    market = run_of("market", walks, strategies("BTC-PERP", "ETH-PERP", "1h"), money,
                    seed=rng.randrange(1, 10**6), start="2024-01-01",
                    end="2024-01-08" if NIGHT else "2024-01-03")
    market["sources"] = [{"kind": "market", "instruments": ["BTC-PERP", "ETH-PERP"],
                          "interval": "1m"}]
    out.append(("market", market))
    if os.path.isdir(KLINES):
        month = [klines("BTC-PERP", "1m", "binance_um_BTCUSDT_1m_202505.csv.zst"),
                 klines("ETH-PERP", "1m", "binance_um_ETHUSDT_1m_202505.csv.zst")]
        span = {} if NIGHT else {"start": "2025-05-06", "end": "2025-05-09"}
        out.append(("recorded", run_of("recorded", month,
                                       strategies("BTC-PERP", "ETH-PERP", "1h"), money, **span)))
    else:
        print("skip: no recorded klines at %s" % os.path.abspath(KLINES))
    return out


def many(rng, scratch):
    """many is a run of six symbols whose bars end at the same instants, with two or three strategies
    on each, and where those live: one of a symbol's on the other shard, but of the first symbol."""
    names = sorted(INSTRUMENTS)[:6]
    walks = [klines(n, "1m", walk_file(os.path.join(scratch, n + ".csv"), rng, 200, "1m",
                                       1704067200 * 10**9, 6000, 20, 0.1, 1)) for n in names]
    strategies, home = {}, {}
    for i, n in enumerate(names):
        for j in range(3 if i else 1):
            strategies["s%d%d" % (i, j)] = cross(n, "main", "1m", {"fixed": 1}, fast=3, slow=9)
            home["s%d%d" % (i, j)] = int(j == 2)
    return run_of("many", walks, strategies, {"main": {"quote": "USDT", "cash": 100000}}), home


def replayed(rng, scratch):
    """replayed tells whether a run of many symbols on two shards is made again by replay, "" = yes."""
    run, home = many(rng, scratch)
    dir = os.path.join(scratch, "many")
    wrong = differ(results(place(run, [{}], {}), dir + "0", "backtest"),
                   results(place(run, [{}] * 2, home, journal="on"), dir, "backtest"))
    try:
        shrike("replay", os.path.join(dir, "out"), "--verify")
    except AssertionError as e:
        wrong = wrong or str(e)
    print("%s many symbols on two shards, replayed %s" % ("FAIL" if wrong else "ok  ", wrong))
    return wrong


def newest_source():
    """newest_source returns when a file that the program is made of was last changed, and which."""
    found = (0, "")
    for room in ("schemas", "quant", "runtime", "actors", "cli", "bench"):
        for folder, _, names in os.walk(os.path.join(SOURCE, room)):
            for name in names:
                path = os.path.join(folder, name)
                found = max(found, (os.path.getmtime(path), os.path.relpath(path, SOURCE)))
    return found


def builds():
    """builds lists other built programs of this tree, those that are made of it as it is now."""
    if SLOW:
        return []
    root = os.path.join(SOURCE, "build")
    newest, name = newest_source()
    found = []
    for p in sorted(os.path.join(root, n, "shrike") for n in
                    (os.listdir(root) if os.path.isdir(root) else []) if n != "fuzz"):
        if not os.access(p, os.X_OK) or os.path.samefile(p, BIN):
            continue
        if os.path.getmtime(p) < newest:
            print("skip: %s is older than %s" % (os.path.relpath(p, SOURCE), name))
            continue
        found.append(p)
    return found


def main():
    """main runs all; the exit code tells whether anything differed."""
    rng, _ = seeded()
    bad, count = [], 0
    with Scratch() as scratch:
        if replayed(rng, scratch):
            bad.append("many symbols, replayed")
        for graph, run in graphs(rng, scratch):
            want = results(place(run, [{}], {}), os.path.join(scratch, graph), "backtest")
            rows = [want[n].count(b"\n") - 1 for n in FILES]
            print("%s on one shard: %d orders, %d fills, %d trades, %d marks; %s" % (
                graph, *rows, hashlib.sha256(b"".join(want[n] for n in FILES)).hexdigest()[:16]),
                flush=True)
            if rows[1] < 20:
                bad.append(graph + ": hardly anything happened")
            tries = [(n, r, how, None) for n, r, how in placements(rng, run)]
            for program in builds():
                name = os.path.basename(os.path.dirname(program))
                tries.append(("build %s" % name, place(run, [{}], {}), "backtest", program))
            for name, placed, how, program in tries:
                began = time.time()
                count += 1
                dir = os.path.join(scratch, "%s%d" % (graph, count))
                try:
                    wrong = differ(want, results(placed, dir, how, program))
                except (AssertionError, OSError, subprocess.TimeoutExpired) as e:
                    wrong = str(e)
                print("%s %s, %s (%.1f s)%s" % ("FAIL" if wrong else "ok  ", graph, name,
                                                time.time() - began,
                                                "\n  " + wrong + "\n" + text_of(placed)
                                                if wrong else ""), flush=True)
                if wrong:
                    bad.append("%s, %s" % (graph, name))
                shutil.rmtree(dir, ignore_errors=True)
        print("%d placements compared, %d differ%s" % (count, len(bad),
                                                       "".join("\n  " + b for b in bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
