/* Goal: slippage models give what their formulas say, never less.
 * Method: figures of METHODS 17 and worked by hand; random inputs against long doubles. */
#include "actors/venue/impact.h"
#include "tests/support/check.h"
#include <math.h>

/* Figures: Y = 1, sigma = 2 %, Q/V = 1 % is 20 bp (METHODS 17). */
static void test_figures(void **state) {
    (void)state;
    const price_t price = 100 * INT64_C(100000000);
    struct venue_impact root = { .kind = VENUE_IMPACT_ROOT, .factor = FIXED_ONE };
    struct venue_impact volume = { .kind = VENUE_IMPACT_VOLUME, .factor = FIXED_ONE / 10 };
    struct venue_impact bps = { .kind = VENUE_IMPACT_BPS, .factor = 2 * (int64_t)FIXED_ONE };
    price_t out;
    assert_true(venue_impact_price(&root, price, FIXED_ONE, 100 * (int64_t)FIXED_ONE,
                                   2 * FIXED_ONE / 100, &out));
    assert_true(out == price / 10000 * 20);
    /* a tenth of the price at the whole volume, so 10 bp at a hundredth */
    assert_true(venue_impact_price(&volume, price, FIXED_ONE, 100 * (int64_t)FIXED_ONE, 0, &out));
    assert_true(out == price / 10000 * 10);
    assert_true(venue_impact_price(&bps, price, 1, 0, 0, &out));
    assert_true(out == price / 10000 * 2);
    /* volume not known, or less than is taken: all of it */
    assert_true(venue_impact_price(&volume, price, FIXED_ONE, 0, 0, &out) && out == price / 10);
    assert_true(venue_impact_price(&volume, price, FIXED_ONE, 1, 0, &out) && out == price / 10);
    struct venue_impact huge = { .kind = VENUE_IMPACT_VOLUME, .factor = INT64_MAX };
    assert_false(venue_impact_price(&huge, INT64_MAX, 1, 0, 0, &out));
}

/* Roots of whole numbers. */
static void test_isqrt(void **state) {
    (void)state;
    assert_true(venue_isqrt(0) == 0 && venue_isqrt(1) == 1 && venue_isqrt(3) == 1);
    assert_true(venue_isqrt(~(unsigned __int128)0) == UINT64_MAX);
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        uint64_t gen = seed, at = gen_next(&gen) >> gen_range(&gen, 0, 62);
        unsigned __int128 square = (unsigned __int128)at * at;
        CHECK(seed, venue_isqrt(square) == at);
        if (at > 0) CHECK(seed, venue_isqrt(square - 1) == at - 1);
        CHECK(seed, venue_isqrt(square + at) == at);
    }
}

/* Never below the formula, and above it by rounding alone. */
static void test_random(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t gen = seed;
        struct venue_impact m = { .kind = (enum venue_impact_kind)gen_range(&gen, 0, 2) };
        m.factor = gen_range(&gen, 0, 3) * FIXED_ONE / gen_range(&gen, 1, 7);
        price_t price = gen_range(&gen, 1, INT64_C(10000000000000)), out;
        qty_t quantity = gen_range(&gen, 1, INT64_C(1000000000000));
        qty_t volume = quantity * gen_range(&gen, 1, 1000);
        int64_t sigma = gen_range(&gen, 0, FIXED_ONE);
        CHECK(seed, venue_impact_price(&m, price, quantity, volume, sigma, &out));
        long double part = (long double)quantity / (long double)volume, rate;
        if (m.kind == VENUE_IMPACT_BPS) {
            rate = (long double)m.factor / 1e12L;
        } else if (m.kind == VENUE_IMPACT_VOLUME) {
            rate = (long double)m.factor / 1e8L * part;
        } else {
            rate = (long double)m.factor / 1e8L * (long double)sigma / 1e8L * sqrtl(part);
        }
        long double wanted = (long double)price * rate;
        CHECK(seed, (long double)out >= wanted - 1e-3L);
        CHECK(seed, (long double)out <= wanted + 2 + (long double)price * 1e-7L);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_isqrt),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
