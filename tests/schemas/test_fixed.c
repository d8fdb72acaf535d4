/* Goal: products and quotients of money are the exact ones, rounded as asked for, and what does not
 * fit is refused.
 * Method: seeded operands of every size and sign, many of them at the edges of the short ways,
 * against plain 128-bit division with the remainder's sign looked at. */
#include "schemas/fixed.h"
#include "tests/support/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* exact divides n by d by the definition; false when it does not fit. */
static bool exact(__int128 n, int64_t d, enum fixed_round r, int64_t *out) {
    __int128 q = n / d;
    const __int128 rest = n - q * d;
    if (r == FIXED_UP && rest > 0) q++;
    if (r == FIXED_DOWN && rest < 0) q--;
    if (q < INT64_MIN || q > INT64_MAX) return false;
    *out = (int64_t)q;
    return true;
}

/* operand draws a number of any size, often near a power of two or of ten. */
static int64_t operand(uint64_t *gen) {
    const int shift = (int)gen_range(gen, 0, 62);
    uint64_t v = ((uint64_t)gen_range(gen, 0, INT64_MAX) | 1ULL << 62) >> shift;
    if (gen_range(gen, 0, 3) == 0) v = (1ULL << (62 - shift)) + (uint64_t)gen_range(gen, 0, 2) - 1;
    if (gen_range(gen, 0, 3) == 0) {
        v = 1;
        for (int i = shift % 19; i > 0; i--) v *= 10;
        v += (uint64_t)gen_range(gen, 0, 2) - 1;
    }
    return gen_range(gen, 0, 1) ? (int64_t)v : -(int64_t)v;
}

/* test_products: fixed_mul and fixed_muldiv against the definition. */
static void test_products(void **state) {
    (void)state;
    const char *given = getenv("SHRIKE_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    uint64_t gen = seed, fits = 0, not = 0;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 3000000; i++) {
        const int64_t a = operand(&gen), b = operand(&gen), c = operand(&gen);
        const enum fixed_round r = (enum fixed_round)(i % 3);
        const int64_t d = c > 0 ? c : c == 0 ? 1 : -c;
        int64_t got = 7, want = 7;
        bool is = fixed_mul(a, b, r, &got);
        CHECK(seed, is == exact((__int128)a * b, FIXED_ONE, r, &want));
        CHECK(seed, got == want);
        fits += is;
        not += !is;
        got = want = 7;
        is = fixed_muldiv(a, b, d, r, &got);
        CHECK(seed, is == exact((__int128)a * b, d, r, &want));
        CHECK(seed, got == want);
    }
    CHECK(seed, fits > 1000000 && not > 100000);
}

/* test_examples: figures done by hand. */
static void test_examples(void **state) {
    (void)state;
    int64_t out;
    assert_true(fixed_mul(4226950000000, 1000000, FIXED_DOWN, &out)); /* 42269.5 x 0.01 */
    assert_int_equal(out, 42269500000);
    assert_true(fixed_mul(1, 1, FIXED_UP, &out));
    assert_int_equal(out, 1);
    assert_true(fixed_mul(-1, 1, FIXED_UP, &out));
    assert_int_equal(out, 0);
    assert_true(fixed_mul(-1, 1, FIXED_DOWN, &out));
    assert_int_equal(out, -1);
    assert_true(fixed_mul(-1, 1, FIXED_ZERO, &out));
    assert_int_equal(out, 0);
    assert_false(fixed_mul(INT64_MAX, INT64_MAX, FIXED_DOWN, &out));
    assert_true(fixed_mul(INT64_MIN, FIXED_ONE, FIXED_DOWN, &out));
    assert_int_equal(out, INT64_MIN);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products),
                                        cmocka_unit_test(test_examples) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
