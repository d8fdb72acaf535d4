/* Goal: contracts with a size are worth what the venues publish, and their margin, liquidation,
 * bankruptcy and funding are exact.
 * Method: published examples by figure. Bybit's help on inverse contracts: 10,000 bought at 23,000
 * and closed at 25,000 earn 0.0347826 BTC, at 8,000 and 12,500 0.45 BTC; 1,000 at 5,000 and 2,000
 * at 6,000 average 5,625. Binance COIN-M: contracts of 100 USD, P&L = contracts * 100 * (1 / entry
 * - 1 / mark), funding and margin of contracts * 100 / mark. CME: E-mini S&P 500, 50 USD a point.
 * Other figures were reckoned with Python's fractions. Then random positions from a seed: at the
 * liquidation price they are liquidated and one unit nearer to the market they are not; at the
 * bankruptcy price nothing is lost; what is bought with a sum is what the sum covers. */
#include "actors/market/margin.h"
#include "tests/support/check.h"

#define ONE ((int64_t)FIXED_ONE)

static struct mk_bracket coin[] = {
    { .cap = 5 * ONE, .maintenance = 400000, .leverage = 125 },
    { .cap = 10 * ONE, .maintenance = 500000, .leverage = 100 },
    { .cap = 1000 * ONE, .maintenance = 1000000, .leverage = 50 },
}; /* the first of Binance's for BTCUSD_PERP, in coin */
static const struct mk_instrument bybit = { .kind = MK_INVERSE, .contract = ONE };
static const struct mk_instrument binance = {
    .kind = MK_INVERSE, .contract = 100 * ONE, .brackets = coin, .bracket_cnt = 3
};
static const struct mk_instrument emini = { .kind = MK_LINEAR, .contract = 50 * ONE };
static const struct mk_instrument plain = { .kind = MK_LINEAR };

/* bought is a position of n contracts at price, short below zero. */
static struct mk_holding bought(const struct mk_instrument *in, int64_t n, price_t price) {
    struct mk_holding h = { .quantity = n * ONE };
    cash_t value;
    assert_true(mk_value(in, price, (n < 0 ? -n : n) * ONE, n < 0 ? FIXED_DOWN : FIXED_UP, &value));
    h.cost = n < 0 ? -value : value;
    return h;
}

/* earned is what closing h at price brings. */
static cash_t earned(const struct mk_instrument *in, const struct mk_holding *h, price_t price) {
    cash_t out;
    assert_true(mk_margin_unrealized(in, h, price, &out));
    return out;
}

/* What is published. */
static void test_published(void **state) {
    (void)state;
    struct mk_holding h = bought(&bybit, 10000, 23000 * ONE);
    assert_true(earned(&bybit, &h, 25000 * ONE) == 3478260); /* 0.0347826086..., down */
    h = bought(&bybit, -10000, 23000 * ONE);
    assert_true(earned(&bybit, &h, 25000 * ONE) == -3478261);
    h = bought(&bybit, 10000, 8000 * ONE);
    assert_true(earned(&bybit, &h, 12500 * ONE) == 45000000);
    struct mk_holding more = bought(&bybit, 2000, 6000 * ONE);
    h = bought(&bybit, 1000, 5000 * ONE);
    h.cost += more.cost;
    h.quantity += more.quantity;
    assert_true(mk_average(&bybit, h.cost, h.quantity) == 562500003515); /* 3000 / 0.53333333 */
    assert_true(-h.cost == 53333333);      /* 0.2 + 0.333..: 3,000 / 0.53333333 = 5,625.00003 */
    h = bought(&binance, 10, 40000 * ONE); /* 1,000 USD of BTC: 0.025 */
    assert_true(h.cost == -2500000);
    assert_true(earned(&binance, &h, 50000 * ONE) == 500000); /* 1000 (1/40000 - 1/50000) */
    cash_t out;
    assert_true(mk_notional(&binance, h.quantity, 50000 * ONE, &out) && out == 2000000);
    assert_true(mk_margin_maintenance(&binance, h.quantity, 50000 * ONE, &out) && out == 8000);
    assert_true(mk_funding(&binance, h.quantity, 50000 * ONE, 10000, &out) && out == 200);
    assert_true(mk_funding(&binance, -h.quantity, 50000 * ONE, 10000, &out) && out == -200);
    assert_true(mk_funding(&binance, 3 * ONE, 70000 * ONE, 10000, &out) && out == 43); /* 42.86 */
    assert_true(mk_funding(&binance, -3 * ONE, 70000 * ONE, 10000, &out) && out == -42);
    h = bought(&emini, 2, 4500 * ONE + 25 * ONE / 100);
    assert_true(h.cost == 450025 * ONE);
    assert_true(mk_average(&emini, h.cost, h.quantity) == 450025 * (ONE / 100));
    assert_true(mk_average(&plain, -3 * ONE, -2 * ONE) == 150000000);
    assert_true(mk_average(&plain, 5, 0) == 0);
    assert_true(earned(&emini, &h, 4510 * ONE) == 975 * ONE);
    assert_true(mk_funding(&emini, 2 * ONE, 4500 * ONE, 10000, &out) && out == 45 * ONE);
    qty_t n;
    assert_true(mk_quantity(&emini, 500000 * ONE, 4500 * ONE, &n) && n == 222222222);
    assert_true(mk_quantity(&binance, 1050 * ONE, 1, &n) && n == 10 * ONE + ONE / 2);
    assert_true(mk_quantity_settled(&binance, ONE / 2, 40000 * ONE, &n) && n == 200 * ONE);
    assert_true(mk_quoted(&binance, 7, 3 * ONE) == (__int128)300 * ONE * ONE);
    assert_true(mk_quoted(&emini, 4500 * ONE, ONE) == (__int128)225000 * ONE * ONE);
}

/* The liquidation price of an isolated long at 25 times: margin 0.05 of 1.25, rate 0.4 %, in
 * fractions: 10000 (1 + 0.004) / (0.05 + 1.25) = 7723.0769... */
static void test_liquidation(void **state) {
    (void)state;
    struct mk_holding h = bought(&binance, 100, 8000 * ONE);
    price_t p;
    mk_liquidation_price(&binance, &h, ONE / 20, &p);
    assert_true(p / 1000000 == 772307); /* to the cent: a unit of coin is worth 0.006 of price */
    mk_bankruptcy_price(&binance, &h, ONE / 20, &p);
    assert_true(p == 769230769231);         /* 10000 / 1.3 */
    h = bought(&binance, -100, 8000 * ONE); /* 10000 (1 - 0.004) / (1.25 - 0.05) = 8300 */
    mk_liquidation_price(&binance, &h, ONE / 20, &p);
    assert_true((p + 500000) / 1000000 == 830000);
    mk_liquidation_price(&binance, &h, 2 * ONE, &p);
    assert_true(p == INT64_MAX); /* a short that more than backs itself */
}

/* At the liquidation price and no nearer; at bankruptcy nothing is lost. */
static void test_random(void **state) {
    (void)state;
    uint64_t gen = 77;
    for (uint64_t turn = 0; turn < 4000; turn++) {
        const bool inverse = turn % 2 == 0;
        struct mk_bracket b[] = {
            { .cap = INT64_MAX, .leverage = 125, .maintenance = gen_range(&gen, 1, ONE / 5) }
        };
        const struct mk_instrument in = { .kind = inverse ? MK_INVERSE : MK_LINEAR,
                                          .contract = gen_range(&gen, 1, 2) == 1
                                                          ? gen_range(&gen, 2, 1000 * ONE)
                                                          : 100 * ONE,
                                          .brackets = b,
                                          .bracket_cnt = 1 };
        price_t entry = gen_range(&gen, ONE, 60000 * ONE), p;
        int64_t n = gen_range(&gen, 1, 1000) * (gen_range(&gen, 0, 1) ? 1 : -1);
        struct mk_holding h = bought(&in, n, entry);
        cash_t size = h.cost < 0 ? -h.cost : h.cost, open, must;
        if (size < 1000) continue;
        cash_t wallet = gen_range(&gen, 1, size);
        int64_t toward = n > 0 ? 1 : -1;
        mk_liquidation_price(&in, &h, wallet, &p);
        if (p > 1 && p < INT64_MAX) {
            CHECK(turn, mk_margin_unrealized(&in, &h, p, &open));
            CHECK(turn, mk_margin_maintenance(&in, h.quantity, p, &must));
            CHECK(turn, wallet + open <= must);
            CHECK(turn, mk_margin_unrealized(&in, &h, p + toward, &open));
            CHECK(turn, mk_margin_maintenance(&in, h.quantity, p + toward, &must));
            CHECK(turn, wallet + open > must);
        }
        mk_bankruptcy_price(&in, &h, wallet, &p);
        if (p > 0 && p < INT64_MAX && mk_margin_unrealized(&in, &h, p, &open)) {
            CHECK(turn, wallet + open >= -1); /* down by less than a unit */
        }
        price_t from = gen_range(&gen, ONE, 60000 * ONE);
        cash_t lack = gen_range(&gen, 1, size / 10 + 1), before, after;
        p = mk_better(&in, h.quantity, from, lack);
        if (p > 0 && p < INT64_MAX && mk_margin_unrealized(&in, &h, from, &before) &&
            mk_margin_unrealized(&in, &h, p, &after)) {
            CHECK(turn, n > 0 ? p > from : p < from);
            CHECK(turn, after - before >= lack - 1);
        }
        cash_t gap, high, low;
        price_t to = from + gen_range(&gen, 1, 1000 * ONE);
        if (mk_gap(&in, h.quantity, from, to, &gap) &&
            mk_value(&in, to, h.quantity, FIXED_DOWN, &high) &&
            mk_value(&in, from, h.quantity, FIXED_DOWN, &low)) {
            int64_t differ = high > low ? high - low : low - high;
            CHECK(turn, gap >= differ - 1 && gap <= differ + 2);
        }
        __int128 more = mk_worth_order(&in, 1000, h.quantity, from);
        CHECK(turn, mk_worth_order(&in, 1001, h.quantity, from) > more);
        CHECK(turn, (mk_worth_order(&in, 1000, h.quantity + ONE, from) > more) == !inverse);
        qty_t got;
        cash_t pays;
        if (mk_quantity(&in, size, from, &got) && !inverse &&
            mk_value(&in, from, got, FIXED_UP, &pays)) {
            CHECK(turn, pays <= size);
        }
    }
    cash_t out;
    assert_false(mk_value(&emini, INT64_MAX, INT64_MAX, FIXED_UP, &out));
    assert_false(mk_value(&binance, 1, INT64_MAX, FIXED_UP, &out));
    assert_true(mk_value(&plain, 3 * ONE, 2 * ONE, FIXED_UP, &out) && out == 6 * ONE);
}

/* main runs the tests of this file. */
int main(void) {
    if (!mk_brackets_seal(coin, 3)) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_published),
                                        cmocka_unit_test(test_liquidation),
                                        cmocka_unit_test(test_random) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
