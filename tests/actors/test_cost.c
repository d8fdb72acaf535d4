/* Goal: what a strategy thinks an order will cost goes by what its account is charged: its tier
 * as the newest fill shows it, the discount of a fee asset while that pays, the charges of an
 * order of that size, slippage of what takes.
 * Method: small cases reckoned by hand; fills' fees by the venue's rule, rate x value, rounded
 * up. */
#include "actors/market/charges.h"
#include "actors/strategy/cost.h"
#include "tests/support/check.h"

/* bps checks what an order of 2 at 100 is thought to cost. */
static void bps(const struct st_leg *l, const struct mk_account *a, uint8_t side, uint8_t liquidity,
                double want) {
    double got =
        st_cost_bps(l, a, side, liquidity, INT64_C(2) * FIXED_ONE, INT64_C(100) * FIXED_ONE, 0);
    if (got > want - 1e-9 && got < want + 1e-9) return;
    print_error("%.9f, expected %.9f\n", got, want);
    fail();
}

/* fills tells a fill of 3 at 101.7 with that fee. */
static void fills(struct st_leg *l, const struct mk_account *a, uint8_t liquidity, int64_t fee,
                  uint16_t asset) {
    const struct msg_fill m = { .price = INT64_C(101) * FIXED_ONE + 70000000,
                                .quantity = 3 * FIXED_ONE,
                                .fee = fee,
                                .fee_asset = asset,
                                .side = SIDE_SELL,
                                .liquidity = liquidity };
    st_cost_fill(l, a, &m);
}

/* Rates of the instrument: 2 and 5 basis points, 1.5 of slippage. */
static const struct mk_instrument plain = { .id = 1,
                                            .kind = MK_LINEAR,
                                            .quote_asset = 1,
                                            .lot_size = FIXED_ONE / 1000,
                                            .maker_fee = 20000,
                                            .taker_fee = 50000,
                                            .slippage_bps = 150000000 };

/* Without anything the instrument's rates, whatever fills show. */
static void test_rates(void **state) {
    (void)state;
    struct st_leg l = { .in = &plain };
    struct mk_account a = { .quote = 1 };
    st_cost_init(&l, &a);
    assert_false(st_cost_keeps(&l, &a));
    fills(&l, &a, LIQUIDITY_TAKER, 12345, 1);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_MAKER, 2);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_TAKER, 6.5);
}

/* Tiers: the first, then what fills were charged by, its maker's rate with it. */
static void test_tiers(void **state) {
    (void)state;
    struct mk_tier tiers[] = { { 0, 18000, 45000 }, { 1000, 16000, 40000 }, { 5000, 0, 30000 } };
    struct st_leg l = { .in = &plain };
    struct mk_account a = { .quote = 1 };
    a.tiers[MK_LINEAR] = tiers;
    a.tier_cnt[MK_LINEAR] = 3;
    st_cost_init(&l, &a);
    assert_true(st_cost_keeps(&l, &a));
    bps(&l, &a, SIDE_BUY, LIQUIDITY_TAKER, 4.5 + 1.5);
    fills(&l, &a, LIQUIDITY_TAKER, 12204000, 1); /* 305.1 x 0.0004 */
    bps(&l, &a, SIDE_BUY, LIQUIDITY_TAKER, 4 + 1.5);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_MAKER, 1.6);
    fills(&l, &a, LIQUIDITY_MAKER, 0, 1);
    bps(&l, &a, SIDE_SELL, LIQUIDITY_TAKER, 3 + 1.5);
    fills(&l, &a, LIQUIDITY_TAKER, 777, 1); /* none of them: it stays */
    bps(&l, &a, SIDE_SELL, LIQUIDITY_TAKER, 3 + 1.5);
    fills(&l, &a, LIQUIDITY_TAKER, 15255000, 1); /* below the first tier: the instrument's */
    bps(&l, &a, SIDE_SELL, LIQUIDITY_MAKER, 2);
    tiers[0].volume = 1; /* nothing traded is below it */
    st_cost_init(&l, &a);
    bps(&l, &a, SIDE_SELL, LIQUIDITY_MAKER, 2);
}

/* Fee asset: its discount while it pays; a fill that it did not pay shows the tier again. */
static void test_burn(void **state) {
    (void)state;
    struct mk_tier tiers[] = { { 0, 18000, 45000 }, { 1000, -1000, 40000 } };
    struct st_leg l = { .in = &plain };
    struct mk_account a = { .quote = 1, .burn = { .on = true, .asset = 2, .balance = 1 } };
    a.burn.discount[MK_LINEAR] = 10000000;
    a.tiers[MK_LINEAR] = tiers;
    a.tier_cnt[MK_LINEAR] = 2;
    st_cost_init(&l, &a);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_TAKER, 4.05 + 1.5);
    fills(&l, &a, LIQUIDITY_TAKER, 12204000, 1);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_TAKER, 4 + 1.5);
    fills(&l, &a, LIQUIDITY_TAKER, 4711, 2);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_TAKER, 3.6 + 1.5);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_MAKER, -0.1); /* of rebates nothing is taken off */
    struct mk_instrument inverse = plain;
    inverse.kind = MK_INVERSE;
    l.in = &inverse; /* no tiers, and its fees are in coin */
    st_cost_init(&l, &a);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_MAKER, 2);
}

/* Charges: of 200 one a unit, at least 3, and 0.1 % of sales; never out of the fee asset. */
static void test_charges(void **state) {
    (void)state;
    const struct mk_charges charges = { .cnt = 2,
                                        .list = { { .per_unit = FIXED_ONE,
                                                    .min = 3 * FIXED_ONE,
                                                    .step = 1,
                                                    .from_ns = INT64_MIN,
                                                    .until_ns = INT64_MAX,
                                                    .sides = MK_CHARGE_BUYS | MK_CHARGE_SALES },
                                                  { .rate = 100000,
                                                    .step = 1,
                                                    .from_ns = INT64_MIN,
                                                    .until_ns = INT64_MAX,
                                                    .sides = MK_CHARGE_SALES } } };
    struct mk_instrument in = plain;
    struct st_leg l = { .in = &in };
    struct mk_account a = { .quote = 1, .burn = { .on = true, .asset = 2, .balance = 1 } };
    a.burn.discount[MK_LINEAR] = 10000000;
    in.charges = &charges;
    st_cost_init(&l, &a);
    bps(&l, &a, SIDE_BUY, LIQUIDITY_MAKER, 2 + 150);
    bps(&l, &a, SIDE_SELL, LIQUIDITY_TAKER, 6.5 + 160);
    assert_true(st_cost_bps(&l, &a, SIDE_BUY, LIQUIDITY_MAKER, FIXED_ONE, 0, 0) == 2);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_burn),
        cmocka_unit_test(test_charges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
