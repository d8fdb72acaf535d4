"""Goal: dated contracts end as declared: at the expiry what waits expires, who comes later is refused,
what is held is delivered at the settlement price with its fee, told in orders, fills and trades, to
the unit; the same wherever actors live, in replay and when the run is killed.
Method: moving-average crosses that are always in the market, with brackets that wait, on seeded walks
of minutes: a linear contract with a multiplier (mean of the last price), an inverse one (mean of the
mark), one with a given price whose data ends at its expiry, and one that expires between two bars. The
means, every fill (contracts.py) and each account's cash are reckoned again from the files."""
# threaded: shards are threads here
import json
import os
import sys
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contracts import Books, cents  # noqa: E402
from runs import *  # noqa: E402,F403
from test_bars import killed  # noqa: E402
from test_placements import differ, place, results, spread  # noqa: E402

START, MINUTE = 1704067200, 60
DAYS = 2
ENDS = {"AVAX": START + 86400 + 8 * 3600, "BTC-PERP": START + 86400 + 9 * 3600,
        "ETH-PERP": START + DAYS * 86400, "FIL": START + 86400 + 3 * 3600 + 30}
WINDOW = {"AVAX": 1800, "BTC-PERP": 600, "FIL": 900}
GIVEN = "2311.12345678"


def instant(seconds):
    """instant writes a time as YAML has it."""
    import datetime
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def graph(rng, scratch):
    """graph is the run, and the closes by instant of each file."""
    sources, closes, made = [], {}, {}
    for n, price, tick, decimals in (("AVAX", 40000, 0.001, 3), ("BTC-PERP", 400000, 0.1, 1),
                                     ("ETH-PERP", 230000, 0.01, 2), ("FIL", 9000, 0.001, 3)):
        for what in ("last", "mark") if n == "BTC-PERP" else ("last",):
            path = os.path.join(scratch, n + what + ".csv")
            walk_file(path, rng, 1440 * DAYS, "1m", START * 10**9, price, price // 600, tick, decimals)
            more = {"price": "mark"} if what == "mark" else {}
            sources.append(klines(n, "1m", path, **more))
            closes[n, what] = {int(r["open_time_ms"]) // 1000 + MINUTE: Fraction(r["close"])
                               for r in rows_of(path)}
        made["s" + n[:3].lower()] = cross(
            n, "coin" if n == "BTC-PERP" else "main", "1m", {"notional": "20000"}, fast=rng.randint(2, 5),
            slow=rng.randint(8, 30), short=True, stop_loss_pct="30", take_profit_pct="40", bracket=True)
    accounts = {"main": {"quote": "USDT", "cash": 500000}, "coin": {"quote": "BTC", "cash": 5}}
    run = run_of("expiry", sources, made, accounts)
    i = run["instruments"]
    for n, end in ENDS.items():
        i[n]["expiry"] = instant(end)
        if n in WINDOW:
            i[n]["settlement"] = {"window": "%ds" % WINDOW[n]}
    i["AVAX"].update({"multiplier": 50, "delivery_fee": "0.00015", "fees": {"c": {"per_lot": "0.5"}}})
    i["BTC-PERP"].update({"kind": "inverse", "contract_value": 100, "quote": "USD", "lot_size": 1,
                          "delivery_fee": "0.0002", "symbol": "BTCUSD_240102"})
    i["BTC-PERP"]["settlement"]["mean"] = "mark"
    i["ETH-PERP"].update({"settlement": {"price": GIVEN}, "delivery_fee": "0.0001"})
    return run, closes


def settled(closes, name):
    """settled is the price that the contract is to be delivered at."""
    if name == "ETH-PERP":
        return Fraction(GIVEN)
    end = ENDS[name]
    prices = [c for t, c in closes[name, "mark" if name == "BTC-PERP" else "last"].items()
              if end - WINDOW[name] < t <= end]
    return cents(sum(prices) / len(prices), False)


def wrong_of(name, closes, orders, fills):
    """wrong_of is what is wrong with how the contract ended, "" when nothing is."""
    end = ENDS[name] * 10**9
    mine = [f for f in fills if f["instrument"] == name]
    gone = [f for f in mine if f["liquidity"] == "none"]
    late = [f for f in mine if int(f["time_ns"]) > end and f not in gone]
    if len(gone) != 1 or late or mine[-1] is not gone[0]:
        return "%d deliveries, %d fills later" % (len(gone), len(late))
    f = gone[0]
    bar = (ENDS[name] in closes[name, "last"]) and name != "BTC-PERP"
    if int(f["time_ns"]) != (end if bar or name == "ETH-PERP" else end + 1):
        return "delivered at %s" % f["time_ns"]
    if Fraction(f["price"]) != settled(closes, name):
        return "delivered at %s, reckoned %s" % (f["price"], float(settled(closes, name)))
    held = sum(Fraction(x["quantity"]) * (1 if x["side"] == "buy" else -1) for x in mine)
    if held != 0:
        return "%s left" % held
    mine = [o for o in orders if o["instrument"] == name]
    waited = [o for o in mine if o["reason"] == "instrument_expired" and o["status"] == "expired"]
    if not waited or any(int(o["updated_ns"]) != end for o in waited):
        return "%d orders expired" % len(waited)
    after = [o for o in mine if int(o["created_ns"]) >= end]
    if any((o["status"], o["reason"]) != ("rejected", "instrument_expired") for o in after):
        return "an order later: %s" % after
    return "" if after or name == "ETH-PERP" else "no order came later"


def against(rng, scratch):
    """against is what is wrong where an account is flat at the expiry because its strategies hold
    against each other: each of them is delivered."""
    path = walk_file(os.path.join(scratch, "against.csv"), rng, 1440, "1m", START * 10**9, 9000, 30,
                     0.001, 3)
    made = {n: cross("FIL", "main", "1m", {"fixed": 10}, fast=fast, slow=slow, short=n == "s",
                     long=n == "l") for n, fast, slow in (("l", 2, 5), ("s", 3, 40))}
    run = run_of("against", [klines("FIL", "1m", path)], made, {"main": {"quote": "USDT", "cash": 5000}})
    fills = rows_of(os.path.join(backtest(run, os.path.join(scratch, "endless")), "fills.csv"))
    held, end = {"l": 0, "s": 0}, None
    for f, after in zip(fills, fills[1:]):
        held[f["strategy"]] += 10 if f["side"] == "buy" else -10
        at = int(f["time_ns"]) // 10**9 + MINUTE
        if held == {"l": 10, "s": -10} and int(after["time_ns"]) > at * 10**9:
            end = at
            break
    if not end:
        return "they never do"
    run["instruments"]["FIL"].update({"expiry": instant(end), "delivery_fee": "0.001"})
    out = backtest(place(run, [{}] * 2, {"portfolio": 1}, journal="on"), os.path.join(scratch, "flat"))
    shrike("replay", out, "--verify")
    for f in rows_of(os.path.join(out, "fills.csv")):
        if f["liquidity"] == "none":
            held[f["strategy"]] += int(f["quantity"]) * (1 if f["side"] == "buy" else -1)
            if int(f["time_ns"]) != end * 10**9 or f["fee"] != "0":
                return str(f)
    trips = rows_of(os.path.join(out, "trades.csv"))
    with open(os.path.join(out, "summary.json")) as f:
        account = json.load(f)["accounts"][0]
    sums = [sum(Fraction(t[k]) for t in trips) for k in ("realized_pnl", "fee")]
    said = [Fraction(account[k]) for k in ("realized_pnl", "fees")]
    return "" if not any(held.values()) and sums == said else "%s, %s, %s" % (held, sums, said)


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
        run, closes = graph(rng, scratch)
        want = results(place(run, [{}], {}), os.path.join(scratch, "one"), "backtest")
        out, books = os.path.join(scratch, "one", "out"), Books(run)
        fills = sorted(rows_of(os.path.join(out, "fills.csv")), key=lambda f: int(f["trade_id"]))
        orders = rows_of(os.path.join(out, "orders.csv"))
        print("%d fills, %d orders" % (len(fills), len(orders)))
        wrong = [w for w in map(books.fill, fills) if w]
        check("each fill", wrong[0] if wrong else "")
        for name in ENDS:
            check("the end of " + name, wrong_of(name, closes, orders, fills))
        trades = rows_of(os.path.join(out, "trades.csv"))
        for name in ENDS:
            last = [t for t in trades if t["instrument"] == name][-1]
            check("the last trade of " + name, "" if Fraction(last["exit_price"]) == settled(closes, name)
                  else last["exit_price"])
        with open(os.path.join(out, "summary.json")) as f:
            summary = json.load(f)
        for a in summary["accounts"]:
            wanted = books.cash[a["account"]]
            check("cash of " + a["account"], "" if Fraction(a["cash"]) == wanted and
                  Fraction(a["equity"]) == wanted else "%s, reckoned %s" % (a, float(wanted)))
        check("strategies against each other", against(rng, scratch))
        with open(os.path.join(out, "manifest.json")) as f:
            manifest = json.load(f)
        told = {i["instrument"]: i["settlement"] for i in manifest["instruments"]}
        check("the manifest tells it", "" if told["BTC-PERP"] == "mean of the mark over 600 s before" and
              told["ETH-PERP"] == "at " + GIVEN and
              any(r.startswith("expiry:") for r in manifest["rules"]) else str(told))
        kept = place(run, [{}], {}, journal="on")
        check("journal on", differ(want, results(kept, os.path.join(scratch, "on"), "run")))
        shrike("replay", os.path.join(scratch, "on", "out"), "--verify")
        for name, placed in (("two shards", place(run, [{}] * 2, {"venue": 1}, journal="on")),
                             ("five shards", place(run, [{}] * 5, spread(rng, run, 5)))):
            check(name, differ(want, results(placed, os.path.join(scratch, name), "backtest")))
        paced = {"kind": "paced", "speed": 80000}
        got, kills = killed(place(run, [{}], {}, clock=paced, journal="on", snapshot_every="200ms"),
                            os.path.join(scratch, "killed"), rng)
        check("killed %d times" % kills, differ(want, got) if kills else "never killed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
