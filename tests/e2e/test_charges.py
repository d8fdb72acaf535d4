"""Goal: instruments with charges (commission by share with a least and a largest sum, by lot, by
order, duties on sales with dates) pay on each fill what their orders owe, in quote, and money adds
up; the same wherever actors live, with the journal on and off, and in replay.
Method: moving-average crosses on seeded walks of three instruments, a US stock (fees as Interactive
Brokers', TAF, SEC), a Chinese one (stamp duty that halves within the run) and a future by contract,
with participation, so that orders are filled in parts. Every fee of fills.csv, realised profit, and
each account's cash at the end, is reckoned again with fractions (contracts.py). SIGKILL too."""
# threaded: shards are threads here
import json
import os
import sys
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_bars import killed  # noqa: E402
from contracts import Books, day_of  # noqa: E402
from runs import *  # noqa: E402,F403
from test_placements import differ, place, results, spread  # noqa: E402

START = day_of("2023-07-10") * 86400 * 10**9
STOCK = {"commission": {"per_unit": "0.005", "min": 1, "max_rate": "0.01"},
         "taf": {"per_unit": "0.000145", "max": "7.27", "side": "sell"},
         "sec": {"rate": "0.000008", "side": "sell", "round": "0.01"}}
CHINA = {"commission": {"rate": "0.00025", "min": 5}, "transfer": {"rate": "0.00001"},
         "old_duty": {"rate": "0.001", "side": "sell", "until": "2023-08-27"},
         "duty": {"rate": "0.0005", "side": "sell", "from": "2023-08-28"}}
FUTURE = {"commission": {"per_lot": "2.25"}, "ticket": {"per_order": "0.1"}}


def graph(rng, scratch):
    """graph is the run."""
    sources = []
    for n, price, tick, decimals in (("ETH", 20000, 0.01, 2), ("LTC", 1000, 0.01, 2),
                                     ("AVAX", 40000, 0.1, 1)):
        path = os.path.join(scratch, n + ".csv")
        sources.append(klines(n, "1h", walk_file(path, rng, 24 * 90, "1h", START, price, 100, tick,
                                                 decimals)))
    more = {"stop_loss_pct": "2", "take_profit_pct": "1.5", "bracket": True}
    made = {
        "a": cross("ETH", "main", "1h", {"notional": "30000"}, fast=3, slow=rng.randint(7, 15), **more),
        "b": cross("LTC", "main", "1h", {"fraction": "0.9"}, fast=2, slow=rng.randint(6, 12)),
        "c": cross("AVAX", "futures", "1h", {"notional": "90000"}, fast=2, slow=rng.randint(6, 12),
                   short=True, **more),
    }
    accounts = {"main": {"quote": "USDT", "cash": 60000}, "futures": {"quote": "USDT", "cash": 50000}}
    run = run_of("charges", sources, made, accounts, venue={"participation": "10%"},
                 fee_schemes={"us": STOCK})
    run["instruments"]["ETH"] = {
        "symbol": "ACME", "kind": "spot", "base": "ACME", "quote": "USDT", "tick_size": "0.01",
        "lot_size": 1, "fees": "us"}
    run["instruments"]["LTC"] = {
        "symbol": "600000", "kind": "spot", "base": "PUDONG", "quote": "USDT", "tick_size": "0.01",
        "lot_size": 100, "fees": CHINA}
    run["instruments"]["AVAX"].update({"tick_size": "0.1", "lot_size": 1, "fees": FUTURE})
    for file, times in (("ETH", 600), ("LTC", 100000), ("AVAX", 8)):
        deepen(os.path.join(scratch, file + ".csv"), times)
    return run


def deepen(path, times):
    """deepen makes the volumes of a file of bars so many times as large."""
    with open(path) as f:
        lines = f.read().splitlines()
    with open(path, "w") as f:
        f.write(lines[0] + "\n")
        for line in lines[1:]:
            head, volume = line.rsplit(",", 1)
            f.write("%s,%.3f\n" % (head, float(volume) * times))


def main():
    """main runs all; the exit code tells whether anything was wrong."""
    rng, _ = seeded()
    bad = 0

    def check(name, wrong):
        """check prints one verdict."""
        nonlocal bad
        print("bad " if wrong else "ok  ", name, wrong or "", flush=True)
        bad += bool(wrong)

    with Scratch() as scratch:
        run = graph(rng, scratch)
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        out, books = os.path.join(scratch, "one", "out"), Books(run)
        fills = rows_of(os.path.join(out, "fills.csv"))
        wrong = [w for w in map(books.fill, fills) if w]
        by = {n: sum(r["instrument"] == n for r in fills) for n in ("ETH", "LTC", "AVAX")}
        print("%d fills, %d of them a further one of their order" % (len(fills), books.cut_cnt))
        check("enough of each %s" % by, "" if min(by.values()) > 20 and books.cut_cnt > 20 else "too few")
        check("each fee", wrong[0] if wrong else "")
        with open(os.path.join(out, "summary.json")) as f:
            summary = json.load(f)
        for a in summary["accounts"]:
            check("cash of " + a["account"], "" if Fraction(a["cash"]) == books.cash[a["account"]]
                  else "%s, reckoned %s" % (a["cash"], float(books.cash[a["account"]])))
            check("fees of " + a["account"], "" if Fraction(a["fees"]) == books.fees[a["account"]]
                  else "%s, reckoned %s" % (a["fees"], float(books.fees[a["account"]])))
            check("cash not below 0", "" if a["account"] != "main" or Fraction(a["cash"]) >= 0 else a["cash"])
        with open(os.path.join(out, "manifest.json")) as f:
            manifest = json.load(f)
        told = {i["instrument"]: i.get("fees") for i in manifest["instruments"]}
        check("the manifest tells them", "" if told["ETH"][0] ==
              "commission 0.005 a unit, at least 1 an order, at most 0.01 of the notional" and
              len(told["LTC"]) == 4 and any(r.startswith("charges") for r in manifest["rules"]) and
              any("fee scheme us" in m for m in manifest["models"]) else str(told))
        said = shrike("check", os.path.join(scratch, "one", "run.yaml"))
        check("check explains them", "" if "(scheme us)" in said and
              "duty 0.0005 of the notional of sales from 2023-08-28" in said else said)
        kept = place(run, [{}], {}, journal="on")
        check("journal on", differ(want, results(kept, os.path.join(scratch, "on"), "run")))
        shrike("replay", os.path.join(scratch, "on", "out"), "--verify")
        for name, placed in (("two shards", place(run, [{}] * 2, {"venue": 1}, journal="on")),
                             ("five shards", place(run, [{}] * 5, spread(rng, run, 5)))):
            check(name, differ(want, results(placed, os.path.join(scratch, name), "backtest")))
        paced = {"kind": "paced", "speed": 5000000}
        got, kills = killed(place(run, [{}], {}, clock=paced, journal="on", snapshot_every="200ms"),
                            os.path.join(scratch, "killed"), rng)
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
