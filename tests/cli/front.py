"""What the tests of the program's front door share: running it, run files, an invented market."""
import csv
import os
import random
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.abspath(os.environ.get("SHRIKE_SOURCE") or os.path.join(HERE, "../.."))
PROGRAM = os.path.abspath(os.environ.get("SHRIKE_BIN") or
                          os.path.join(SOURCE, "build/release/shrike"))
HOUR = 3600 * 10**9
UNIT = 10**8

HEADINGS = {
    "orders": "client_order_id,strategy,account,instrument,symbol,effect,side,type,time_in_force,"
              "quantity,price,stop_price,status,filled_quantity,average_price,created_ns,updated_ns,"
              "reason",
    "fills": "time_ns,trade_id,client_order_id,strategy,account,instrument,symbol,side,quantity,"
             "price,liquidity,fee,fee_asset,slippage,realized_pnl",
    "trades": "strategy,account,instrument,symbol,side,entry_ns,exit_ns,quantity,entry_price,"
              "exit_price,realized_pnl,fee",
    "equity": "time_ns,account,cash,unrealized_pnl,equity",
}


def shrike(*args, cwd=None, timeout=60):
    """Runs the program to its end; returns the finished process with text streams."""
    return subprocess.run([PROGRAM, *map(str, args)], cwd=cwd, capture_output=True, text=True,
                          timeout=timeout, check=False)


def units(text):
    """A decimal as an integer of 1e-8, exactly."""
    sign = -1 if text.startswith("-") else 1
    whole, _, part = text.lstrip("-").partition(".")
    assert whole.isdigit() and (part.isdigit() or not part) and len(part) <= 8, text
    return sign * (int(whole) * UNIT + int(part.ljust(8, "0")))


def rows(folder, name):
    """The rows of a result file as dictionaries."""
    with open(os.path.join(folder, name + ".csv"), newline="") as f:
        return list(csv.DictReader(f))


def klines(path, seed, count, price=2000.0, minutes=60):
    """Writes a seeded walk as a kline file of 12 columns."""
    walk = random.Random(seed)
    start = 1704067200000
    with open(path, "w") as f:
        for i in range(count):
            opened = round(price, 1)
            price *= 1 + walk.gauss(0, 0.01)
            closed = round(price, 1)
            high = round(max(opened, closed) * (1 + walk.random() * 0.004), 1)
            low = round(min(opened, closed) * (1 - walk.random() * 0.004), 1)
            high, low = max(high, opened, closed), min(low, opened, closed)
            at = start + i * minutes * 60000
            f.write(f"{at},{opened},{high},{low},{closed},12.5,{at + minutes * 60000 - 1},"
                    f"25000,100,6,12000,0\n")


RUN = """
name: test
clock: {clock}
journal: "{journal}"
seed: 3
instruments:
  BTC-PERP: {{symbol: BTCUSDT, kind: linear, base: BTC, quote: USDT, venue: sim, tick_size: 0.1,
             lot_size: 0.001, min_notional: 5, maker_fee: 0.0002, taker_fee: 0.0005,
             slippage_bps: 0.5}}
  ETH: {{symbol: ETHUSDT, kind: spot, base: ETH, quote: USDT, venue: sim, tick_size: 0.1,
        lot_size: 0.001, min_notional: 5, maker_fee: 0.001, taker_fee: 0.001, slippage_bps: 1}}
accounts: {{main: {{quote: USDT, cash: 100000}}, other: {{quote: USDT, cash: 50000}}}}
{shards}
sources: {sources}
actors:
  cross: {{kind: strategy, shard: {s0}, class: sma_cross, instruments: [BTC-PERP], interval: 1h,
          account: main, params: {{fast: 3, slow: 9, short: true}}, sizing: {{fixed: 0.75}}}}
  slow: {{kind: strategy, shard: {s0}, class: sma_cross, instruments: [ETH], interval: 1h,
         account: other, params: {{fast: 5, slow: 20, stop_loss_pct: 1.5, take_profit_pct: 3}},
         sizing: {{fraction: 0.5}}}}
  feed: {{kind: feed, shard: {s0}}}
  risk: {{kind: risk, shard: {s1}, limits: {{max_order_quantity: 100, max_order_notional: 1000000,
         price_collar: 0.5, max_position: 200, order_rate: {{count: 1000, per: 1s}},
         duplicate_window: 1s, max_open_orders: 100}}}}
  execution: {{kind: execution, shard: {s1}}}
  portfolio: {{kind: portfolio, shard: {s1}}}
  sim: {{kind: venue, shard: {s0}}}
"""

FILES = "[{kind: klines, instrument: BTC-PERP, interval: 1h, file: btc.csv}, " \
        "{kind: klines, instrument: ETH, interval: 1h, file: eth.csv}]"
MARKET = "[{kind: market, instruments: [BTC-PERP, ETH], interval: 1h}]"


def run_file(folder, name="run.yaml", clock="virtual", journal="on", shards=1, processes=1,
             sources=FILES):
    """Writes a run file over btc.csv and eth.csv of folder; returns its path."""
    text = {1: "", 2: "shards: {main: {}, second: {}}"}[shards]
    if processes == 2:
        text = "processes: {engine: {}, other: {}}\n" \
               "shards: {main: {}, second: {process: other}}"
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(RUN.format(clock=clock, journal=journal, shards=text, sources=sources, s0="main",
                           s1="main" if shards == 1 and processes == 1 else "second"))
    return path


def folder_with_data(count=1500):
    """A temporary folder with btc.csv and eth.csv; the caller cleans it up."""
    folder = tempfile.TemporaryDirectory(prefix="shrike-test-")
    klines(os.path.join(folder.name, "btc.csv"), 11, count, 42000.0)
    klines(os.path.join(folder.name, "eth.csv"), 12, count, 2300.0)
    return folder
