/* Goal: the world is read as the run file says, ids in name order, and what makes no sense is
 * refused in one line with its place.
 * Method: one good file, figure by figure; a table of bad ones with what must be said. */
#include "actors/market/market.h"
#include "tests/support/check.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* load reads a market from YAML. */
static int load(const char *yaml, struct mk_market **m, struct rt_error *err) {
    struct rt_config *c;
    *m = NULL;
    int rc = rt_config_parse("f", yaml, strlen(yaml), &c, err);
    assert_int_equal(rc, 0);
    rc = mk_market_load(rt_config_root(c), m, err);
    rt_config_close(c);
    return rc;
}

/* A good file. */
static void test_good(void **state) {
    (void)state;
    struct mk_market *m;
    struct rt_error err = { 0 };
    int rc = load("deployment: 7\n"
                  "equity_interval: 15m\n"
                  "statistics: {days_per_year: 252, risk_free: 0.02, rolling_days: 30,\n"
                  "  benchmark: ETH, select: {win_rate: '>= 0.6', max_drawdown: '<0.2'}}\n"
                  "accounts: {second: {quote: EUR, cash: 0}, main: {quote: USDT, cash: 100000.5}}\n"
                  "instruments:\n"
                  "  ETH: {symbol: ETHUSDT, kind: linear, base: ETH, quote: USDT, venue: bin,\n"
                  "        tick_size: 0.01, lot_size: 0.001, min_notional: 5, maker_fee: -0.0001,\n"
                  "        taker_fee: 0.0005, slippage_bps: 0.5}\n"
                  "  BTC-SPOT: {kind: spot, base: BTC, quote: EUR, tick_size: 0.00000001,\n"
                  "        lot_size: 1000000, maker_fee: 0.1, taker_fee: 0}\n",
                  &m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    assert_int_equal(m->deployment, 7);
    assert_true(m->equity_interval_ns == INT64_C(900000000000));
    assert_int_equal(m->instrument_cnt, 2);
    const struct mk_statistics *s = &m->statistics;
    assert_int_equal(s->days_a_year, 252);
    assert_int_equal(s->rolling_days, 30);
    assert_int_equal(s->benchmark, 2);
    assert_true(s->risk_free == 0.02);
    assert_int_equal(s->threshold_cnt, 2);
    assert_int_equal(s->select[0].figure, qs_figure_find("win_rate"));
    assert_int_equal(s->select[1].op, QS_BELOW);
    assert_true(s->select[1].value == 0.2);
    const struct mk_instrument *btc = &m->instruments[0], *eth = &m->instruments[1];
    assert_string_equal(btc->name, "BTC-SPOT");
    assert_string_equal(btc->symbol, "BTC-SPOT");
    assert_string_equal(btc->venue, "sim");
    assert_int_equal(btc->id, 1);
    assert_int_equal(btc->kind, MK_SPOT);
    assert_true(btc->tick_size == 1);
    assert_true(btc->lot_size == INT64_C(100000000000000));
    assert_true(btc->min_notional == 0);
    assert_true(btc->maker_fee == 10000000);
    assert_true(btc->taker_fee == 0);
    assert_true(btc->slippage_bps == 0);
    assert_string_equal(eth->symbol, "ETHUSDT");
    assert_string_equal(eth->venue, "bin");
    assert_int_equal(eth->id, 2);
    assert_int_equal(eth->kind, MK_LINEAR);
    assert_true(eth->tick_size == 1000000);
    assert_true(eth->lot_size == 100000);
    assert_true(eth->min_notional == 500000000);
    assert_true(eth->maker_fee == -10000);
    assert_true(eth->taker_fee == 50000);
    assert_true(eth->slippage_bps == 50000000);
    assert_string_equal(m->assets[eth->base_asset], "ETH");
    assert_string_equal(m->assets[eth->quote_asset], "USDT");
    assert_string_equal(m->assets[btc->quote_asset], "EUR");
    assert_int_equal(m->asset_cnt, 4);
    assert_int_equal(m->account_cnt, 2);
    assert_string_equal(m->accounts[0].name, "main");
    assert_int_equal(m->accounts[0].id, 1);
    assert_true(m->accounts[0].cash == INT64_C(10000050000000));
    assert_int_equal(m->accounts[0].quote, eth->quote_asset);
    assert_ptr_equal(mk_instrument_find(m, "ETH"), eth);
    assert_ptr_equal(mk_instrument_find(m, "BTC-SPOT"), btc);
    assert_null(mk_instrument_find(m, "BTC"));
    assert_null(mk_instrument_find(m, ""));
    assert_ptr_equal(mk_instrument_get(m, 2), eth);
    assert_null(mk_instrument_get(m, 0));
    assert_null(mk_instrument_get(m, 3));
    assert_ptr_equal(mk_account_find(m, "second"), &m->accounts[1]);
    assert_null(mk_account_find(m, "third"));
    mk_market_close(m);
    mk_market_close(NULL);
}

/* Defaults, and marks at each bar. */
static void test_defaults(void **state) {
    (void)state;
    const char *rest = "accounts: {main: {quote: USDT, cash: 1}}\n"
                       "instruments: {B: {kind: spot, base: B, quote: USDT, tick_size: 1, "
                       "lot_size: 1, maker_fee: 0, taker_fee: 0}}\n";
    char yaml[500];
    struct mk_market *m;
    struct rt_error err = { 0 };
    assert_int_equal(load(rest, &m, &err), 0);
    assert_int_equal(m->deployment, 0);
    assert_true(m->equity_interval_ns == INT64_C(3600000000000));
    mk_market_close(m);
    snprintf(yaml, sizeof yaml, "equity_interval: bar\n%s", rest);
    assert_int_equal(load(yaml, &m, &err), 0);
    assert_true(m->equity_interval_ns == 0);
    mk_market_close(m);
}

/* Many instruments: ids in name order, each found. */
static void test_many(void **state) {
    (void)state;
    static char yaml[700000];
    size_t at = (size_t)snprintf(yaml, sizeof yaml,
                                 "accounts: {main: {quote: USDT, cash: 1}}\ninstruments:\n");
    for (int i = 0; i < 3000; i++) { /* 1999 goes round all of 0..2999 */
        at += (size_t)snprintf(yaml + at, sizeof yaml - at,
                               "  I%04d: {kind: linear, base: B, quote: USDT, tick_size: 1, "
                               "lot_size: 1, maker_fee: 0, taker_fee: 0}\n",
                               i * 1999 % 3000);
    }
    struct mk_market *m;
    struct rt_error err = { 0 };
    int rc = load(yaml, &m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    for (int i = 0; i < 3000; i++) {
        char name[16];
        snprintf(name, sizeof name, "I%04d", i);
        assert_ptr_equal(mk_instrument_find(m, name), &m->instruments[i]);
        assert_int_equal(m->instruments[i].id, i + 1);
    }
    mk_market_close(m);
}

/* ACCOUNTS is a good accounts: line. */
#define ACCOUNTS "accounts: {main: {quote: USDT, cash: 1}}\n"
/* B is a good instrument on line 2 but for what it ends with. */
#define B(rest)                                                                                    \
    ACCOUNTS "instruments: {B: {base: B, quote: USDT, maker_fee: 0, taker_fee: 0, " rest "}}\n"

/* L is a margin account on line 1 and a linear instrument on line 2 that ends with rest. */
#define L(margin, rest)                                                                            \
    "accounts: {main: {quote: USDT, cash: 1, margin: " margin "}}\n"                               \
    "instruments: {B: {kind: linear, base: B, quote: USDT, tick_size: 1, lot_size: 1, "            \
    "maker_fee: 0, taker_fee: 0" rest "}}\n"

/* Brackets and leverage: cum is reckoned, leverage falls back to 20 or what the first grants. */
static void test_margin(void **state) {
    (void)state;
    struct mk_market *m;
    struct rt_error err = { 0 };
    int rc = load("accounts:\n"
                  "  a: {quote: USDT, cash: 1, margin: cross}\n"
                  "  b: {quote: USDT, cash: 1, margin: isolated, leverage: {Y: 7}}\n"
                  "  c: {quote: USDT, cash: 1}\n"
                  "instruments:\n"
                  "  X: {kind: linear, base: X, quote: USDT, tick_size: 1, lot_size: 1,\n"
                  "      maker_fee: 0, taker_fee: 0, liquidation_fee: 0.0125, brackets: [\n"
                  "      {cap: 50000, leverage: 125, maintenance: 0.004},\n"
                  "      {cap: 600000, leverage: 100, maintenance: 0.005}]}\n"
                  "  Y: {kind: linear, base: Y, quote: USDT, tick_size: 1, lot_size: 1,\n"
                  "      maker_fee: 0, taker_fee: 0, brackets: [\n"
                  "      {cap: 5000, leverage: 10, maintenance: 0.05}]}\n",
                  &m, &err);
    if (rc != 0) fail_msg("%s", err.text);
    assert_int_equal(m->accounts[0].margin, MK_MARGIN_CROSS);
    assert_int_equal(m->accounts[1].margin, MK_MARGIN_ISOLATED);
    assert_int_equal(m->accounts[2].margin, MK_MARGIN_NONE);
    assert_int_equal(m->instruments[0].bracket_cnt, 2);
    assert_int_equal(m->instruments[1].bracket_cnt, 1);
    assert_true(m->instruments[0].brackets[1].cum == 50LL * FIXED_ONE);
    assert_true(m->instruments[0].liquidation_fee == 1250000);
    assert_int_equal(mk_leverage(m, 1, 1), 20);
    assert_int_equal(mk_leverage(m, 1, 2), 10);
    assert_int_equal(mk_leverage(m, 2, 1), 20);
    assert_int_equal(mk_leverage(m, 2, 2), 7);
    mk_market_close(m);
}

/* Tiers of fees by kind. */
static void test_tiers(void **state) {
    (void)state;
    struct mk_market *m;
    struct rt_error err = { 0 };
    int rc = load("accounts:\n"
                  "  a: {quote: USDT, cash: 1}\n"
                  "  b: {quote: USDT, cash: 1, fees: {linear: {tiers: [\n"
                  "      {volume: 0, maker: 0.0002, taker: 0.0005},\n"
                  "      {volume: 15000000, maker: -0.00001, taker: 0.0004}]}}}\n"
                  "instruments:\n"
                  "  X: {kind: linear, base: X, quote: USDT, tick_size: 1, lot_size: 1,\n"
                  "      maker_fee: 0, taker_fee: 0}\n",
                  &m, &err);
    if (rc != 0) fail_msg("%s", err.text);
    assert_int_equal(m->accounts[0].tier_cnt[MK_LINEAR], 0);
    assert_int_equal(m->accounts[1].tier_cnt[MK_SPOT], 0);
    assert_int_equal(m->accounts[1].tier_cnt[MK_LINEAR], 2);
    const struct mk_tier *t = m->accounts[1].tiers[MK_LINEAR];
    assert_true(t[0].volume == 0 && t[0].maker == 20000 && t[0].taker == 50000);
    assert_true(t[1].volume == 15000000LL * FIXED_ONE && t[1].maker == -1000);
    assert_true(t[1].taker == 40000);
    mk_market_close(m);
}

/* What accounts pay fees in: Binance's discounts where none is declared. */
static void test_fee_asset(void **state) {
    (void)state;
    struct mk_market *m;
    struct rt_error err = { 0 };
    int rc =
        load("accounts:\n"
             "  a: {quote: USDT, cash: 1}\n"
             "  b: {quote: USDT, cash: 1, fees: {asset: {name: BNB, balance: 2.5, price: 600}}}\n"
             "  c: {quote: USDT, cash: 1, fees: {asset: {name: BNB, balance: 0, instrument: N,\n"
             "      discount: {linear: 5%}}}}\n"
             "  d: {quote: USDT, cash: 1, fees: {asset: {name: X, balance: 1, price: 7,\n"
             "      discount: 0.125}}}\n"
             "instruments:\n"
             "  N: {kind: spot, base: BNB, quote: USDT, tick_size: 1, lot_size: 1,\n"
             "      maker_fee: 0, taker_fee: 0}\n"
             "  X: {kind: linear, base: X, quote: USDT, tick_size: 1, lot_size: 1,\n"
             "      maker_fee: 0, taker_fee: 0}\n",
             &m, &err);
    if (rc != 0) fail_msg("%s", err.text);
    assert_false(m->accounts[0].burn.on);
    const struct mk_fee_asset *f = &m->accounts[1].burn;
    assert_true(f->on && f->instrument == 0 && f->price == 600LL * FIXED_ONE);
    assert_int_equal(f->balance, 250000000);
    assert_string_equal(m->assets[f->asset], "BNB");
    assert_true(f->discount[MK_SPOT] == 25000000 && f->discount[MK_LINEAR] == 10000000);
    f = &m->accounts[2].burn;
    assert_true(f->on && f->instrument == 1 && f->price == 0 && f->balance == 0);
    assert_true(f->discount[MK_SPOT] == 25000000 && f->discount[MK_LINEAR] == 5000000);
    f = &m->accounts[3].burn;
    assert_true(f->discount[MK_SPOT] == 12500000 && f->discount[MK_LINEAR] == 12500000);
    mk_market_close(m);
}

/* Bad files. */
static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *at, *want; /* the file; where; part of the sentence */
    } cases[] = {
        { ACCOUNTS, "f:1:", "instruments" },
        { ACCOUNTS "instruments: {}\n", "f:2:", "is empty" },
        { ACCOUNTS "instruments: [B]\n", "f:2:", "instruments" },
        { ACCOUNTS "instruments: {B: 1}\n", "f:2:18:", "is no map" },
        { ACCOUNTS "instruments: {\"B C\": {kind: spot}}\n", "f:2:", "is no name" },
        { ACCOUNTS "instruments: {A12345678901234567890123456789012: {kind: spot}}\n",
          "f:2:", "1..31" },
        { B("kind: spot, tick_size: 1, lot_size: 1, expiry: 2024-01-01"),
          "f:2:", "expiry: is for kind: linear and kind: inverse only" },
        { B("kind: linear, tick_size: 1, lot_size: 1, delivery_fee: 0.1"),
          "f:2:", "delivery_fee: says nothing without expiry:" },
        { B("kind: linear, tick_size: 1, lot_size: 1, settlement: {price: 5}"),
          "f:2:", "settlement: says nothing without expiry:" },
        { B("kind: linear, tick_size: 1, lot_size: 1, expiry: 1969-01-01"),
          "f:2:", "expected an instant after 1970" },
        { B("kind: linear, tick_size: 1, lot_size: 1, expiry: 2024-01-01, settlement: {price: 5, "
            "window: 1m}"),
          "f:2:", "window" },
        { B("kind: linear, tick_size: 1, lot_size: 1, expiry: 2024-01-01, settlement: {mean: "
            "best}"),
          "f:2:", "mean" },
        { B("kind: option, tick_size: 1, lot_size: 1"), "f:2:", "kind" },
        { B("kind: inverse, tick_size: 1, lot_size: 1"), "f:2:", "contract_value: is missing" },
        { B("kind: inverse, tick_size: 1, lot_size: 1, multiplier: 5"),
          "f:2:", "multiplier: is for kind: linear only; kind: inverse has contract_value:" },
        { B("kind: linear, tick_size: 1, lot_size: 1, contract_value: 5"),
          "f:2:", "contract_value: is for kind: inverse only; kind: linear has multiplier:" },
        { B("kind: spot, tick_size: 1, lot_size: 1, multiplier: 5"),
          "f:2:", "multiplier: is for kind: linear only" },
        { B("kind: linear, tick_size: 1, lot_size: 1, multiplier: 0"), "f:2:", "multiplier" },
        { B("kind: spot, lot_size: 1"), "f:2:", "tick_size" },
        { B("kind: spot, tick_size: 1"), "f:2:", "lot_size" },
        { B("kind: spot, tick_size: 0, lot_size: 1"), "f:2:", "tick_size" },
        { B("kind: spot, tick_size: -1, lot_size: 1"), "f:2:", "tick_size" },
        { B("kind: spot, tick_size: 0.000000001, lot_size: 1"), "f:2:", "tick_size" },
        { B("kind: spot, tick_size: 1, lot_size: 1e-9"), "f:2:", "lot_size" },
        { B("kind: spot, tick_size: 1, lot_size: 1, slippage_bps: 1001"), "f:2:", "slippage" },
        { B("kind: spot, tick_size: 1, lot_size: 1, min_notional: -1"), "f:2:", "min_notional" },
        { B("kind: spot, tick_size: 1, lot_size: 1, tick: 1"), "f:2:", "tick" },
        { B("kind: spot, tick_size: 1, lot_size: 1, venue: a-very-long-venue"), "f:2:", "venue" },
        { B("kind: spot, tick_size: 1, lot_size: 1, symbol: \"B/U\""), "f:2:", "is no name" },
        { ACCOUNTS "instruments: {B: {kind: spot, base: B, quote: B, tick_size: 1, lot_size: 1, "
                   "maker_fee: 0, taker_fee: 0}}\n",
          "f:2:", "is the quote too" },
        { ACCOUNTS "instruments: {B: {kind: spot, base: B, quote: U, tick_size: 1, lot_size: 1, "
                   "maker_fee: 0}}\n",
          "f:2:", "taker_fee" },
        { ACCOUNTS "instruments: {B: {kind: spot, base: B, quote: U, tick_size: 1, lot_size: 1, "
                   "maker_fee: 0.2, taker_fee: 0}}\n",
          "f:2:", "maker_fee" },
        { ACCOUNTS "instruments: {B: {kind: spot, base: B, quote: U, tick_size: 1, lot_size: 1, "
                   "maker_fee: 0, taker_fee: -0.02}}\n",
          "f:2:", "taker_fee" },
        { ACCOUNTS "instruments:\n"
                   "  B: {kind: spot, symbol: X, base: B, quote: U, tick_size: 1, lot_size: 1, "
                   "maker_fee: 0, taker_fee: 0}\n"
                   "  C: {kind: spot, symbol: X, base: C, quote: U, tick_size: 1, lot_size: 1, "
                   "maker_fee: 0, taker_fee: 0}\n",
          "f:4:", "has the symbol X of B" },
        { L("cross", ""), "f:1:", "needs brackets: in the instrument B" },
        { L("cross, leverage: 51", ", brackets: [{cap: 9, leverage: 50, maintenance: 0.1}]"),
          "f:1:", "above the 50 of the first bracket of B" },
        { L("cross, leverage: {C: 5}", ", brackets: [{cap: 9, leverage: 50, maintenance: 0.1}]"),
          "f:1:", "C" },
        { L("cross", ", brackets: []"), "f:2:", "0 entries" },
        { L("cross", ", brackets: [3]"), "f:2:", "is no map" },
        { L("cross", ", brackets: [{cap: 9, leverage: 50}]"), "f:2:", "maintenance" },
        { L("cross", ", brackets: [{cap: 9, leverage: 50, maintenance: 1}]"),
          "f:2:", "maintenance" },
        { L("cross", ", brackets: [{cap: 9, leverage: 50, maintenance: 0.1}, {cap: 9, leverage: "
                     "20, maintenance: 0.2}]"),
          "f:2:", "caps that rise" },
        { L("cross", ", brackets: [{cap: 9, leverage: 50, maintenance: 0.1}, {cap: 10, leverage: "
                     "50, maintenance: 0.2}]"),
          "f:2:", "a lower leverage" },
        { B("kind: spot, tick_size: 1, lot_size: 1, brackets: [{cap: 9, leverage: 50, "
            "maintenance: 0.1}]"),
          "f:2:", "kind: linear and kind: inverse only" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "deployment: 1048576\n",
          "f:3:", "deployment" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "equity_interval: bars\n",
          "f:3:", "equity_interval" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "equity_interval: 10ms\n",
          "f:3:", "equity_interval" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {days_per_year: 360}\n",
          "f:3:", "days_per_year" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {benchmark: X}\n",
          "f:3:", "no instrument is called X" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {trials: 2}\n",
          "f:3:", "trials_variance" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {select: {luck: '> 1'}}\n",
          "f:3:", "\"luck\" is no figure" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {select: {cagr: '= 1'}}\n",
          "f:3:", "expected >=" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {select: {cagr: '> 1 %'}}\n",
          "f:3:", "expected >=" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {select: {cagr: '> nan'}}\n",
          "f:3:", "expected >=" },
        { B("kind: spot, tick_size: 1, lot_size: 1") "statistics: {rolling: 3}\n",
          "f:3:", "rolling" },
    };
    static const struct {
        const char *yaml, *want; /* accounts: alone; part of the sentence */
    } accounts[] = {
        { "", "accounts" },
        { "accounts: {}\n", "is empty" },
        { "accounts: {main: {quote: USDT}}\n", "cash" },
        { "accounts: {main: {cash: 1}}\n", "quote" },
        { "accounts: {main: {quote: USDT, cash: -1}}\n", "cash" },
        { "accounts: {main: {quote: USDT, cash: 60000000000}}\n", "cash" },
        { "accounts: {main: {quote: USDT, cash: 1, leverage: 3}}\n", "without margin" },
        { "accounts: {main: {quote: USDT, cash: 1, margin: full}}\n", "margin" },
        { "accounts: {main: {quote: USDT, cash: 1, margin: cross, leverage: 0}}\n", "leverage" },
    };
    struct mk_market *m;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rt_error err = { 0 };
        int rc = load(cases[i].yaml, &m, &err);
        if (rc != -EINVAL || strncmp(err.text, cases[i].at, strlen(cases[i].at)) != 0 ||
            !strstr(err.text, cases[i].want)) {
            print_error("%s-> %d %s\nwanted %s %s\n", cases[i].yaml, rc, err.text, cases[i].at,
                        cases[i].want);
            fail();
        }
        assert_null(m);
    }
    for (size_t i = 0; i < sizeof accounts / sizeof accounts[0]; i++) {
        char yaml[500];
        struct rt_error err = { 0 };
        snprintf(yaml, sizeof yaml,
                 "instruments: {B: {kind: spot, base: B, quote: U, tick_size: 1, lot_size: 1, "
                 "maker_fee: 0, taker_fee: 0}}\n%s",
                 accounts[i].yaml);
        int rc = load(yaml, &m, &err);
        if (rc != -EINVAL || !strstr(err.text, accounts[i].want)) {
            print_error("%s-> %d %s\nwanted %s\n", yaml, rc, err.text, accounts[i].want);
            fail();
        }
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),     cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_many),     cmocka_unit_test(test_margin),
        cmocka_unit_test(test_tiers),    cmocka_unit_test(test_fee_asset),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
