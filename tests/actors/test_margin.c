/* Goal: margin, liquidation and funding are those of Binance USD-M, to the unit.
 * Method: the venue's published examples (the liquidation price FAQ, whose four figures other
 * systems test against too; the bracket table with its cums); exact properties against plain
 * 128-bit arithmetic on random positions: at the liquidation price it is liquidated, one unit
 * nearer to the market it is not. */
#include "actors/market/margin.h"
#include "tests/support/check.h"
#include <stdlib.h>
#include <string.h>

#define ONE ((int64_t)FIXED_ONE)
#define K   (1000 * ONE)
#define M   (1000 * K)
/* A percentage with up to two decimals, in hundredths, as a rate. */
#define PERCENT(hundredths) ((int64_t)(hundredths)*10000)

/* BTCUSDT's brackets as of October 2024. */
static struct mk_bracket btc[] = {
    { .cap = 50 * K, .maintenance = PERCENT(40), .leverage = 125 },
    { .cap = 600 * K, .maintenance = PERCENT(50), .leverage = 100 },
    { .cap = 3 * M, .maintenance = PERCENT(65), .leverage = 75 },
    { .cap = 12 * M, .maintenance = PERCENT(100), .leverage = 50 },
    { .cap = 70 * M, .maintenance = PERCENT(200), .leverage = 25 },
    { .cap = 100 * M, .maintenance = PERCENT(250), .leverage = 20 },
    { .cap = 230 * M, .maintenance = PERCENT(500), .leverage = 10 },
    { .cap = 480 * M, .maintenance = PERCENT(1000), .leverage = 5 },
    { .cap = 600 * M, .maintenance = PERCENT(1250), .leverage = 4 },
    { .cap = 800 * M, .maintenance = PERCENT(1500), .leverage = 3 },
    { .cap = 1200 * M, .maintenance = PERCENT(2500), .leverage = 2 },
    { .cap = 1800 * M, .maintenance = PERCENT(5000), .leverage = 1 },
};
/* Brackets in it. */
enum { BTC_CNT = sizeof btc / sizeof btc[0] };

/* perp is an instrument with those brackets. */
static const struct mk_instrument perp = { .kind = MK_LINEAR,
                                           .brackets = btc,
                                           .bracket_cnt = BTC_CNT };

/* The table's cums are the published ones, and maintenance has no step at a cap. */
static void test_brackets(void **state) {
    (void)state;
    static const int64_t cums[] = { 0,       50,       950,      11450,    131450,    481450,
                                    2981450, 14481450, 26481450, 41481450, 121481450, 421481450 };
    for (int i = 0; i < BTC_CNT; i++) assert_true(btc[i].cum == cums[i] * ONE);
    cash_t below, above;
    assert_true(mk_margin_maintenance(&perp, 600 * ONE, 1000 * ONE, &below));
    assert_true(below == 2950 * ONE); /* 600k * 0.5 % - 50 */
    for (int i = 0; i + 1 < BTC_CNT; i++) {
        /* one coin whose price is the cap, and one unit more */
        if (btc[i].cap > INT64_MAX / 2) continue;
        assert_true(mk_margin_maintenance(&perp, ONE, btc[i].cap, &below));
        assert_true(mk_margin_maintenance(&perp, -ONE, btc[i].cap + 1, &above));
        assert_true(above >= below && above - below <= 1);
        assert_ptr_equal(mk_bracket_at(&perp, btc[i].cap), &btc[i]);
        assert_ptr_equal(mk_bracket_at(&perp, btc[i].cap + 1), &btc[i + 1]);
    }
    assert_true(mk_margin_most(&perp, 125) == 50 * K);
    assert_true(mk_margin_most(&perp, 20) == 100 * M);
    assert_true(mk_margin_most(&perp, 21) == 70 * M);
    assert_true(mk_margin_most(&perp, 1) == 1800 * M);
    assert_true(mk_margin_most(&perp, 126) == 0);
    assert_true(mk_margin_initial(9253 * ONE + 30 * ONE / 100, 20) == 46266500000); /* 462.665 */
    assert_true(mk_margin_initial(10, 3) == 4);
}

/* liquidation returns the price of a long of quantity bought at entry. */
static price_t liquidation(qty_t quantity, price_t entry, cash_t wallet, int64_t rate, cash_t cum) {
    struct mk_bracket one = { .cap = INT64_MAX, .maintenance = rate, .cum = cum, .leverage = 1 };
    struct mk_instrument in = { .kind = MK_LINEAR, .brackets = &one, .bracket_cnt = 1 };
    struct mk_holding h = { .quantity = quantity };
    assert_true(fixed_mul(quantity, entry, FIXED_UP, &h.cost));
    price_t p;
    mk_liquidation_price(&in, &h, wallet, &p);
    return p;
}

/* cents rounds a price to two decimals, halves up, as the published figures are. */
static int64_t cents(price_t p) {
    return (p + 500000) / 1000000;
}

/* The venue's example: one account, 3,683.979 ETH at 1,456.84 and 109.488 BTC at 32,481.98. */
static void test_published_liquidation(void **state) {
    (void)state;
    const cash_t wallet = 153544301000000;                        /* 1,535,443.01 */
    const qty_t eth = 368397900000, coin = 10948800000;           /* long both */
    const price_t eth_at = 145684000000, coin_at = 3248198000000; /* entries */
    const cash_t eth_cum = 13536500000000, coin_cum = 1630000000000;
    /* isolated: the wallet alone */
    assert_int_equal(cents(liquidation(eth, eth_at, wallet, PERCENT(1000), eth_cum)), 111478);
    assert_int_equal(cents(liquidation(coin, coin_at, wallet, PERCENT(250), coin_cum)), 1877873);
    /* cross: what the other position needs and loses is taken off */
    cash_t eth_back = wallet - 7120081144000 + -5635457000000;
    cash_t coin_back = wallet - 35651250800000 + -44819289000000;
    assert_int_equal(cents(liquidation(eth, eth_at, eth_back, PERCENT(1000), eth_cum)), 115326);
    assert_int_equal(cents(liquidation(coin, coin_at, coin_back, PERCENT(250), coin_cum)), 2631689);
}

/* liquidated tells whether h is liquidated at price, reckoned here with nothing but 128 bits. */
static bool liquidated(const struct mk_holding *h, cash_t wallet, price_t price) {
    __int128 size = h->quantity < 0 ? -(__int128)h->quantity : h->quantity;
    __int128 notional = (size * price + ONE - 1) / ONE;
    int i = 0;
    while (i + 1 < BTC_CNT && notional > btc[i].cap) i++;
    __int128 need = (notional * btc[i].maintenance + ONE - 1) / ONE - btc[i].cum;
    __int128 worth = (__int128)h->quantity * price - (__int128)h->cost * ONE;
    __int128 have = worth / ONE - (worth % ONE < 0);
    return wallet + have <= need;
}

/* At the price it is liquidated; one unit nearer to the market it is not. */
static void test_exact(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int n = 0; n < 200000; n++) {
        qty_t quantity = (qty_t)(gen_next(&seed) % (uint64_t)(2000 * ONE)) + 1;
        price_t entry = (price_t)(gen_next(&seed) % (uint64_t)(100000 * ONE)) + 1;
        if (n % 3 == 0) quantity = quantity % (ONE / 100) + 1;
        bool is_long = gen_next(&seed) % 2;
        struct mk_holding h = { .quantity = is_long ? quantity : -quantity };
        assert_true(fixed_mul(entry, h.quantity, FIXED_UP, &h.cost));
        cash_t size = h.cost < 0 ? -h.cost : h.cost;
        cash_t wallet = (cash_t)(gen_next(&seed) % (uint64_t)(size / 2 + 2));
        price_t p, bankrupt;
        mk_liquidation_price(&perp, &h, wallet, &p);
        if (is_long && p > 0) {
            if (!liquidated(&h, wallet, p) || liquidated(&h, wallet, p + 1))
                fail_msg("long %lld at %lld, wallet %lld: %lld", (long long)quantity,
                         (long long)entry, (long long)wallet, (long long)p);
        } else if (is_long) {
            assert_false(liquidated(&h, wallet, 1));
        } else if (p != INT64_MAX) {
            if (!liquidated(&h, wallet, p) || (p > 1 && liquidated(&h, wallet, p - 1)))
                fail_msg("short %lld at %lld, wallet %lld: %lld", (long long)quantity,
                         (long long)entry, (long long)wallet, (long long)p);
        }
        mk_bankruptcy_price(&perp, &h, wallet, &bankrupt);
        cash_t left;
        if (bankrupt > 0 && bankrupt < INT64_MAX &&
            mk_margin_unrealized(&perp, &h, bankrupt, &left)) {
            assert_true((__int128)wallet + left >= 0);
            price_t beyond = is_long ? bankrupt - 1 : bankrupt + 1;
            if (beyond > 0 && mk_margin_unrealized(&perp, &h, beyond, &left))
                assert_true((__int128)wallet + left < 0);
        }
    }
}

/* Funding: the payer's rounded up, the receiver's down; the rest is the venue's. */
static void test_funding(void **state) {
    (void)state;
    cash_t paid, got;
    assert_true(mk_funding(&perp, 2 * ONE, 30000 * ONE, 10000, &paid)); /* 0.01 % of 60,000 */
    assert_true(paid == 6 * ONE);
    assert_true(mk_funding(&perp, -2 * ONE, 30000 * ONE, 10000, &got));
    assert_true(got == -6 * ONE);
    assert_true(mk_funding(&perp, 1, 1, 1, &paid) && paid == 1);
    assert_true(mk_funding(&perp, -1, 1, 1, &got) && got == 0);
    assert_true(mk_funding(&perp, 1, 1, -1, &got) && got == 0);
    assert_true(mk_funding(&perp, -1, 1, -1, &paid) && paid == 1);
    assert_true(mk_funding(&perp, 0, ONE, ONE, &paid) && paid == 0);
    assert_false(mk_funding(&perp, INT64_MAX, INT64_MAX, INT64_MAX, &paid));
    uint64_t seed = 1;
    for (int n = 0; n < 100000; n++) {
        qty_t q = (qty_t)(gen_next(&seed) % (uint64_t)(1000 * ONE)) + 1;
        price_t p = (price_t)(gen_next(&seed) % (uint64_t)(100000 * ONE)) + 1;
        int64_t rate = (int64_t)(gen_next(&seed) % 600001) - 300000;
        assert_true(mk_funding(&perp, q, p, rate, &paid) && mk_funding(&perp, -q, p, rate, &got));
        assert_true(paid + got >= 0 && paid + got <= 1); /* what is left is the venue's */
    }
}

/* setup seals the table once. */
static int setup(void **state) {
    (void)state;
    return mk_brackets_seal(btc, BTC_CNT) ? 0 : -1;
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_published_liquidation),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_funding),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
