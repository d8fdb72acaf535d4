"""Goal: orders that hang on others (brackets, trailing stops) end the same whenever the process dies.
Method: brackets on bars and on trades, killed (SIGKILL) at random moments and started again until
they end, in one shard and with the venue in another, against the same run without a break; with a cap
on participation and a model of slippage; in each run one order ended another, a stop trailed, and
orders were filled in parts. That the results are right is test_reference's."""
# once: what is compared does not depend on how the tree was compiled; CI's release build runs it
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from runs import *  # noqa: E402,F403
from test_bars import differ, killed, place, results  # noqa: E402
from test_reference import cross, klines, money, run_of, trades  # noqa: E402


def graphs(rng, scratch):
    """graphs lists (name, run, speed): brackets on bars and on trades."""
    begin = 1704067200 * 10**9
    bars = klines("BTC-PERP", "1m", walk_file(os.path.join(scratch, "bars.csv"), rng, 2500, "1m",
                                              begin, 60000, 20, 0.1, 1))
    prints = trades("BTC-PERP", prints_file(os.path.join(scratch, "trades.csv"), rng, 6000, begin,
                                            2000, 4, 0.1, 1, 300))
    out = []
    for name, source, interval, speed in (("bars", bars, "1m", 60000),
                                          ("trades", prints, "5s", 1000)):
        exits = {"short": True, "bracket": True, "stop_loss_pct": "0.3", "take_profit_pct": "0.6"}
        out.append((name, run_of(name, [source], {
            "a": cross("BTC-PERP", "main", interval, {"fraction": "0.4"}, fast=2,
                       slow=rng.randint(4, 9), **exits),
            "b": cross("BTC-PERP", "second", interval, {"notional": "9000"}, fast=3,
                       slow=rng.randint(5, 12), trail_pct="0.4", **exits)},
            money(main=100000, second=20000), equity_interval="15m",
            **{"BTC-PERP": {"participation": "5%", "slippage": {
                "model": "root", "factor": "0.7", "bars": 20, "interval": "10s"}}}), speed))
    return out


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0
    with Scratch() as scratch:
        for name, run, speed in graphs(rng, scratch):
            want = results(place(run, [{}], {}), os.path.join(scratch, name), "backtest")
            lists = want["orders"].count(b"list_partner")
            trails = want["orders"].count(b"trailing_stop")
            parts = len(want["fills"].splitlines()) > want["orders"].count(b",filled,") + 20
            for shards, where in (([{}], {}), ([{}] * 2, {"venue": 1})):
                placed = place(run, shards, where, clock={"kind": "paced", "speed": speed},
                               journal="on", snapshot_every="200ms")
                dir = os.path.join(scratch, "%s-killed%d" % (name, len(shards)))
                got, kills = killed(placed, dir, rng)
                wrong = differ(want, got) or not (kills and lists and trails and parts)
                print("%s %s, %d shards, killed %d times, %d ended by another, %d trailing %s" % (
                    "bad " if wrong else "ok  ", name, len(shards), kills, lists, trails, wrong or ""),
                    flush=True)
                bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
