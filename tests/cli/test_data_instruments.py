#!/usr/bin/env python3
# once: it does not depend on how the tree was compiled.
"""Goal    what a venue declares becomes a run file's instruments, number for number, is taken by a run
        and keeps orders from it; what is wrong is told with its place.
Method  answers of exchangeInfo, spot, USD-M (recorded) and COIN-M (published), read a second time here with Decimal; a run
        over an invented market whose filters its orders break; damaged answers."""
import json
import os
import re
import subprocess
import tempfile
import time
import unittest
from decimal import Decimal

from front import SOURCE, rows, shrike, klines

DATA = next((d for d in (os.path.join(SOURCE, "../shared/data/payloads/binance"),
                         os.path.join(SOURCE, "../../shared/data/payloads/binance"))
             if os.path.isdir(d)), None)
BOUND = Decimal(9223372036854775807) / 10**8

SMALL = {"serverTime": 1700000000000, "rateLimits": [
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50}], "symbols": [
    {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
     "contractType": "PERPETUAL", "marginAsset": "USDT", "liquidationFee": "0.0125", "filters": [
         {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "100000",
          "tickSize": "0.1"},
         {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "0.5", "stepSize": "0.001"},
         {"filterType": "NEW_ONE", "limit": 1}]}]}
# COIN-M: a perpetual as Binance answered in June 2025 (nautilus, ccxt and others record the same), and
# the dated contract of its documentation of /dapi/v1/exchangeInfo; brackets of /dapi/v2/leverageBracket.
COIN = {"serverTime": 1750968011440, "rateLimits": [], "symbols": [
    {"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "contractType": "PERPETUAL",
     "deliveryDate": 4133404800000, "contractStatus": "TRADING", "contractSize": 100,
     "marginAsset": "BTC", "baseAsset": "BTC", "quoteAsset": "USD", "liquidationFee": "0.015000",
     "filters": [
         {"minPrice": "1000", "maxPrice": "4520958", "filterType": "PRICE_FILTER", "tickSize": "0.1"},
         {"stepSize": "1", "filterType": "LOT_SIZE", "maxQty": "1000000", "minQty": "1"},
         {"stepSize": "1", "filterType": "MARKET_LOT_SIZE", "maxQty": "60000", "minQty": "1"},
         {"limit": 200, "filterType": "MAX_NUM_ORDERS"},
         {"limit": 20, "filterType": "MAX_NUM_ALGO_ORDERS"},
         {"multiplierDown": "0.9500", "multiplierUp": "1.0500", "multiplierDecimal": "4",
          "filterType": "PERCENT_PRICE"}]},
    {"symbol": "BTCUSD_200925", "pair": "BTCUSD", "contractType": "CURRENT_QUARTER",
     "deliveryDate": 1601020800000, "contractStatus": "TRADING", "contractSize": 100,
     "marginAsset": "BTC", "baseAsset": "BTC", "quoteAsset": "USD", "liquidationFee": "0.010000",
     "filters": [
         {"filterType": "PRICE_FILTER", "maxPrice": "100000", "minPrice": "0.1", "tickSize": "0.1"},
         {"filterType": "LOT_SIZE", "maxQty": "100000", "minQty": "1", "stepSize": "1"},
         {"filterType": "MARKET_LOT_SIZE", "maxQty": "100000", "minQty": "1", "stepSize": "1"},
         {"filterType": "MAX_NUM_ORDERS", "limit": 200},
         {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500",
          "multiplierDecimal": "4"}]}]}
COIN_BRACKETS = [{"symbol": "BTCUSD_PERP", "notionalCoef": 1.50, "brackets": [
    {"bracket": 1, "initialLeverage": 125, "qtyCap": 50, "qtylFloor": 0, "maintMarginRatio": 0.004,
     "cum": 0.0}]}]
BRACKETS = [{"symbol": "BTCUSDT", "brackets": [
    {"bracket": 1, "initialLeverage": 125, "notionalCap": 50000, "notionalFloor": 0,
     "maintMarginRatio": 0.004, "cum": 0},
    {"bracket": 2, "initialLeverage": 100, "notionalCap": 600000, "notionalFloor": 50000,
     "maintMarginRatio": 0.005, "cum": 50},
    {"bracket": 3, "initialLeverage": 1, "notionalCap": 9.223372036854776e+18,
     "notionalFloor": 600000, "maintMarginRatio": 0.5, "cum": 297050}]}]


def read(text):
    """The instruments of a file as the program writes them: maps in flow style become JSON."""
    body = "".join(line for line in text.splitlines(True) if not line.startswith("#"))
    body = body.split("instruments:\n", 1)[1]
    body = re.sub(r'"(\d{4}-\d\d-\d\dT\d\d):(\d\d):(\d\dZ)"', r"\1.\2.\3", body)
    body = re.sub(r"^  ([\w.\-]+):$", r"\1:", body, flags=re.M)
    body = re.sub(r'"?([A-Za-z0-9_.\-]+)"?', r'"\1"', body)
    body = re.sub(r',\s*}', "}", body)
    return json.loads("{" + re.sub(r'}\n"', '},\n"', body) + "}")


def number(text):
    """A bound as the program keeps it: none where it is 0 or past the range of money."""
    value = Decimal(text)
    return value if 0 < value <= BOUND else None


def bounds(low, high, step=None):
    """{min, max, step} of what there is."""
    parts = {"min": number(low), "max": number(high), "step": step and number(step)}
    return {k: v for k, v in parts.items() if v is not None} or None


def expected(symbol):
    """The instrument that a symbol of an answer comes to, as far as the answer tells."""
    contract = "contractType" in symbol
    coin = contract and symbol["marginAsset"] == symbol["baseAsset"]
    linear = contract
    by = {f["filterType"]: f for f in symbol["filters"]}
    out = {"symbol": symbol["symbol"], "kind": "inverse" if coin else "linear" if linear else "spot",
           "base": symbol["baseAsset"], "quote": symbol["quoteAsset"],
           "tick_size": number(by["PRICE_FILTER"]["tickSize"]),
           "lot_size": number(by["LOT_SIZE"]["stepSize"])}
    if coin:
        out["contract_value"] = Decimal(symbol["contractSize"])
    if contract and symbol["deliveryDate"] < 4102444800000:
        out["expiry"] = time.strftime("%Y-%m-%dT%H.%M.%SZ", time.gmtime(symbol["deliveryDate"] // 1000))
    filters = {"price": bounds(by["PRICE_FILTER"]["minPrice"], by["PRICE_FILTER"]["maxPrice"]),
               "lot": bounds(by["LOT_SIZE"]["minQty"], by["LOT_SIZE"]["maxQty"])}
    if "MARKET_LOT_SIZE" in by:
        f = by["MARKET_LOT_SIZE"]
        filters["market_lot"] = bounds(f["minQty"], f["maxQty"], f["stepSize"])
    if "PERCENT_PRICE" in by:
        up, down = number(by["PERCENT_PRICE"]["multiplierUp"]), number(
            by["PERCENT_PRICE"]["multiplierDown"])
        filters["percent_price"] = ({"buy_up": up, "sell_down": down} if linear else
                                    {"buy_up": up, "buy_down": down, "sell_up": up,
                                     "sell_down": down})
        if by["PERCENT_PRICE"].get("avgPriceMins"):
            filters["percent_price"]["minutes"] = Decimal(by["PERCENT_PRICE"]["avgPriceMins"])
    notional = by.get("MIN_NOTIONAL")
    if notional:
        out["min_notional"] = number(notional.get("minNotional", notional.get("notional")))
        if notional.get("applyToMarket") is False:
            filters["notional"] = {"min_to_market": "false"}
        if notional.get("avgPriceMins"):
            filters.setdefault("notional", {"min_to_market": "true"})
            filters["notional"]["minutes"] = Decimal(notional["avgPriceMins"])
    for name, key, ours in (("ICEBERG_PARTS", "limit", "iceberg_parts"),
                            ("MAX_NUM_ORDERS", "maxNumOrders", "max_orders"),
                            ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", "max_algo_orders"),
                            ("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders",
                             "max_iceberg_orders"),
                            ("MAX_POSITION", "maxPosition", "max_position")):
        if name in by:
            filters[ours] = Decimal(by[name].get(key, by[name].get("limit")))
    if linear and number(symbol.get("liquidationFee", "0")):
        out["liquidation_fee"] = number(symbol["liquidationFee"])
    out["filters"] = {k: v for k, v in filters.items() if v is not None}
    return out


def plain(value):
    """Numbers in texts as Decimal."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    try:
        return Decimal(value)
    except ArithmeticError:
        return value


class Instruments(unittest.TestCase):
    """See above."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, content=None):
        """A file in the test's folder, written where content is given."""
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "w") as f:
                f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def test_recorded(self):
        """Each symbol of the recorded answers, and a run that takes them all."""
        if DATA is None:
            self.skipTest("no shared data here")
        for name, least in (("spot_exchangeInfo_20211012", 1000), ("um_exchangeInfo_20210722", 100)):
            text = subprocess.run(["zstd", "-dc", os.path.join(DATA, name + ".txt.zst")],
                                  stdout=subprocess.PIPE, check=True).stdout.decode()
            answer = text[text.index("{"):text.index("\n")]
            out = self.path(name + ".yaml")
            done = shrike("data", "instruments", self.path(name + ".json", answer), "--out", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(out) as f:
                got = read(f.read())
            wanted = {}
            for symbol in json.loads(answer)["symbols"]:
                if symbol["status"] != "TRADING":
                    continue
                perpetual = symbol.get("contractType") == "PERPETUAL"
                wanted[symbol["symbol"] + ("-PERP" if perpetual else "")] = expected(symbol)
            self.assertGreater(len(wanted), least)
            self.assertEqual(sorted(got), sorted(wanted))
            for key, instrument in wanted.items():
                instrument = dict(instrument)
                mine = plain(got[key])
                for told in ("venue", "maker_fee", "taker_fee"):
                    mine.pop(told)
                if instrument.get("min_notional") is None:
                    instrument.pop("min_notional", None)
                self.assertEqual(mine, plain(instrument), key)
            run = self.path("run.yaml", f"include: {out}\naccounts: {{m: {{quote: USDT, cash: 1}}}}\n"
                            "actors: {p: {kind: portfolio}}\nsources: []\n")
            self.assertEqual(shrike("check", run).returncode, 0, shrike("check", run).stderr)

    def test_coin(self):
        """Coin-margined contracts, perpetual and dated, and a run on each."""
        out = self.path("i.yaml")
        done = shrike("data", "instruments", self.path("i.json", COIN), "--brackets",
                      self.path("b.json", COIN_BRACKETS), "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out) as f:
            text = f.read()
        got = read(text)
        self.assertEqual(sorted(got), ["BTCUSD_200925", "BTCUSD_PERP"])
        self.assertIn("brackets: [{cap: 50, leverage: 125, maintenance: 0.004}]", text)
        self.assertIn('expiry: "2020-09-25T08:00:00Z"', text)
        for symbol in COIN["symbols"]:
            mine = got[symbol["symbol"]]
            for told in ("venue", "maker_fee", "taker_fee", "brackets"):
                mine.pop(told, None)
            self.assertEqual(plain(mine), plain(expected(symbol)), symbol["symbol"])
        klines(self.path("k.csv"), 5, 400, price=40000)  # from 2024-01-01 on
        run = """
include: i.yaml
accounts: {main: {quote: BTC, cash: 10}}
sources: [{kind: klines, instrument: NAME, interval: 1h, file: k.csv}]
actors:
  s: {kind: strategy, class: sma_cross, instruments: [NAME], interval: 1h,
      params: {fast: 3, slow: 9}, sizing: {notional: 20000}}
  risk: {kind: risk, limits: {max_order_quantity: 1000, max_order_notional: 1000000,
         price_collar: 0.05, max_position: 5000, order_rate: {count: 10, per: 1s},
         duplicate_window: 1s, max_open_orders: 256}}
  execution: {kind: execution}
  portfolio: {kind: portfolio}
  sim: {kind: venue}
"""
        done = shrike("backtest", self.path("run.yaml", run.replace("NAME", "BTCUSD_PERP")), "--out",
                      self.path("perp"), "--no-html")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(rows(self.path("perp"), "fills")), 10)
        # the dated one was over before these bars: that is said, not run without an order
        dated = self.path("dated.yaml", run.replace("NAME", "BTCUSD_200925"))
        done = shrike("check", dated)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"i\.yaml:\d+:\d+: instruments\.BTCUSD_200925\.expiry: is not "
                         "after 2024-01-01T00:00:00Z, when its data in this run begins")
        self.path("i.yaml", text.replace("2020-09-25T08", "2024-01-09T08"))
        done = shrike("backtest", dated, "--out", self.path("dated"), "--no-html")
        self.assertEqual(done.returncode, 0, done.stderr)
        refused = {o["reason"] for o in rows(self.path("dated"), "orders") if o["status"] == "rejected"}
        self.assertEqual(refused, {"instrument_expired"})
        self.assertGreater(len(rows(self.path("dated"), "fills")), 3)
        with open(dated, "a") as f:
            f.write("start: 2024-01-05\nwarm_up: 3d\n")
        self.assertEqual(shrike("check", dated).returncode, 0)
        with open(dated, "a") as f:
            f.write("end: 2024-01-15\n")
        self.path("i.yaml", text.replace("2020-09-25T08", "2024-01-05T00"))
        self.assertIn("is not after 2024-01-05T00:00:00Z", shrike("check", dated).stderr)

    def test_run(self):
        """A run is refused what the venue does not take, and the result says for what."""
        out = self.path("i.yaml")
        done = shrike("data", "instruments", self.path("i.json", SMALL), "--brackets",
                      self.path("b.json", BRACKETS), "--taker", "0.0004", "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out) as f:
            text = f.read()
        self.assertIn("limits: {order_rate: [{count: 50, per: 10s}]}", text)
        self.assertIn("taker_fee: 0.0004", text)
        self.assertIn("{cap: 600000, leverage: 100, maintenance: 0.005}", text)
        self.assertIn("{cap: 50000000000, leverage: 1, maintenance: 0.5}", text)
        klines(self.path("k.csv"), 5, 400)
        run = self.path("run.yaml", """
include: i.yaml
accounts: {main: {quote: USDT, cash: 1000000, margin: cross}}
sources: [{kind: klines, instrument: BTCUSDT-PERP, interval: 1h, file: k.csv}]
actors:
  s: {kind: strategy, class: sma_cross, instruments: [BTCUSDT-PERP], interval: 1h,
      params: {fast: 3, slow: 9}, sizing: {fixed: SIZE}}
  risk: {kind: risk, limits: {max_order_quantity: 10, max_order_notional: 1000000,
         price_collar: 0.05, max_position: 50, order_rate: {count: 10, per: 1s},
         duplicate_window: 1s, max_open_orders: 256}}
  execution: {kind: execution}
  portfolio: {kind: portfolio}
  sim: {kind: venue}
""")
        for size, refused in (("0.5", False), ("0.501", True)):
            with open(run) as f:
                text = f.read()
            self.path("this.yaml", text.replace("SIZE", size))
            folder = self.path("out" + size)
            done = shrike("backtest", self.path("this.yaml"), "--out", folder, "--no-html")
            self.assertEqual(done.returncode, 0, done.stderr)
            orders = rows(folder, "orders")
            self.assertGreater(len(orders), 10)
            reasons = {o["reason"] for o in orders if o["status"] == "rejected"}
            self.assertEqual(reasons, {"venue_lot_high"} if refused else set())

    def test_orders(self):
        """How often an order may be amended, and which self-trade prevention it may have: what a run
        reads, and the kind that orders have which ask for none."""
        answer = json.loads(json.dumps(SMALL))
        symbol = answer["symbols"][0]
        symbol["filters"].append({"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10})
        symbol["defaultSelfTradePreventionMode"] = "EXPIRE_MAKER"
        symbol["allowedSelfTradePreventionModes"] = ["EXPIRE_TAKER", "EXPIRE_MAKER", "DECREMENT"]
        out = self.path("i.yaml")
        done = shrike("data", "instruments", self.path("i.json", answer), "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(out) as f:
            text = f.read()
        self.assertIn("max_amends: 10", text)
        self.assertIn("stp: expire_maker", text)
        self.assertIn("stp: [expire_taker, expire_maker, decrement]", text)
        klines(self.path("k.csv"), 5, 50)
        done = shrike("check", self.path("run.yaml", """
include: i.yaml
accounts: {main: {quote: USDT, cash: 1000000}}
sources: [{kind: klines, instrument: BTCUSDT-PERP, interval: 1h, file: k.csv}]
actors:
  sim: {kind: venue}
"""))
        self.assertEqual(done.returncode, 0, done.stderr)
        symbol["allowedSelfTradePreventionModes"] = "NONE"
        done = shrike("data", "instruments", self.path("x.json", answer))
        self.assertIn("symbols[0].allowedSelfTradePreventionModes: expected a list", done.stderr)

    def test_wrong(self):
        """What is wrong is told with its place."""
        def fails(change, says, *more):
            answer = json.loads(json.dumps(SMALL))
            change(answer)
            done = shrike("data", "instruments", self.path("x.json", answer), *more)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stdout, "")

        one = lambda a: a["symbols"][0]  # noqa: E731
        fails(lambda a: a.pop("symbols"), "symbols: expected a list")
        fails(lambda a: one(a).pop("baseAsset"), "symbols[0].baseAsset: expected a text")
        fails(lambda a: one(a)["filters"][1].update(minQty="1e5"),
              "symbols[0].filters[1].minQty: ")
        fails(lambda a: one(a)["filters"][1].update(maxQty=5),
              "symbols[0].filters[1].maxQty: expected a decimal in quotes")
        fails(lambda a: one(a)["filters"][0].pop("tickSize"),
              "symbols[0].filters[0].tickSize: is missing")
        fails(lambda a: one(a)["filters"][2].pop("filterType"),
              "symbols[0].filters[2].filterType: expected a text")
        fails(lambda a: one(a)["filters"][0].update(tickSize="0"), "it has no tick", "--symbols",
              "BTCUSDT")
        fails(lambda a: one(a)["filters"][0].update(minPrice="0.15"), "grid does not begin at zero",
              "--symbols", "BTCUSDT")
        fails(lambda a: one(a).update(marginAsset="BTC"), "margined in its base", "--symbols",
              "BTCUSDT")
        fails(lambda a: one(a).update(marginAsset="BTC", contractSize="x"),
              "symbols[0].contractSize: expected a number above 0", "--symbols", "BTCUSDT")
        fails(lambda a: one(a).update(marginAsset="ETH"), "neither in its quote nor in its base",
              "--symbols", "BTCUSDT")
        fails(lambda a: one(a).update(deliveryDate="soon"),
              "symbols[0].deliveryDate: expected ms since 1970")
        fails(lambda a: None, "no symbol ETHUSDT in it", "--symbols", "BTCUSDT,ETHUSDT")
        fails(lambda a: one(a).update(status="BREAK"), "nothing in it can be traded")
        for change, says in ((lambda b: b[0].pop("brackets"), "[0].brackets: expected a list"),
                             (lambda b: b[0]["brackets"][1].update(notionalCap=50000),
                              "[0].brackets[1].notionalCap: expected brackets that rise"),
                             (lambda b: b[0]["brackets"][0].update(maintMarginRatio="a"),
                              "[0].brackets[0].maintMarginRatio: expected a number")):
            brackets = json.loads(json.dumps(BRACKETS))
            change(brackets)
            fails(lambda a: None, says, "--brackets", self.path("b.json", brackets))
        self.path("x.json", '{"symbols": [')
        done = shrike("data", "instruments", self.path("x.json"))
        self.assertIn("x.json: line 1, column", done.stderr)


if __name__ == "__main__":
    unittest.main()
