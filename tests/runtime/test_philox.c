/* Goal: Philox4x32-10 is the published one, and draws are functions of (seed, actor, draw).
 * Method: the known answers of Random123 (kat_vectors, philox4x32 10); ranges of the helpers. */
#include "runtime/base/philox.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The three known answers. */
static void test_vectors(void **state) {
    (void)state;
    static const uint32_t in[3][6] = {
        { 0, 0, 0, 0, 0, 0 },
        { ~0U, ~0U, ~0U, ~0U, ~0U, ~0U },
        { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0 },
    };
    static const uint32_t expected[3][4] = {
        { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
        { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
        { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 },
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        rt_philox4x32(in[i], in[i] + 4, out);
        assert_memory_equal(out, expected[i], sizeof out);
    }
    assert_true(rt_philox64(0, 0, 0) == 0xe169c58d6627e8d5ULL);
}

/* Each of seed, actor and draw, low and high halves alike, changes the number. */
static void test_keys(void **state) {
    (void)state;
    uint64_t base = rt_philox64(1, 2, 3);
    assert_true(base == rt_philox64(1, 2, 3));
    assert_true(base != rt_philox64(1 + (1ULL << 32), 2, 3));
    assert_true(base != rt_philox64(2, 2, 3));
    assert_true(base != rt_philox64(1, 3, 3));
    assert_true(base != rt_philox64(1, 2, 4));
    assert_true(base != rt_philox64(1, 2, 3 + (1ULL << 32)));
}

/* Bounds are kept at both ends, and the middle is where it should be. */
static void test_ranges(void **state) {
    (void)state;
    assert_int_equal(rt_philox_below(0, 6), 0);
    assert_int_equal(rt_philox_below(UINT64_MAX, 6), 5);
    assert_int_equal(rt_philox_below(UINT64_MAX, 1), 0);
    assert_true(rt_philox_unit(0) == 0.0);
    assert_true(rt_philox_unit(UINT64_MAX) < 1.0);
    double sum = 0;
    unsigned faces[6] = { 0 };
    for (uint64_t i = 0; i < 60000; i++) {
        sum += rt_philox_unit(rt_philox64(42, 1, i));
        faces[rt_philox_below(rt_philox64(42, 2, i), 6)]++;
    }
    assert_true(sum > 29500 && sum < 30500);                            /* 7 standard deviations */
    for (int i = 0; i < 6; i++) assert_in_range(faces[i], 9400, 10600); /* 6.5 of them */
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
