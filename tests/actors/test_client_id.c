/* Goal: client order ids carry all that they should, sort as the numbers do, and nothing else is
 * taken for one; fees round toward the venue.
 * Method: golden texts worked out by hand, random ids there and back, every single-byte damage. */
#include "actors/market/market.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* draw returns the next number of a splitmix64 stream. */
static uint64_t draw(uint64_t *s) {
    uint64_t z = *s += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* Ids worked out by hand. */
static void test_golden(void **state) {
    (void)state;
    char text[MK_CLIENT_ID_CHARS + 1];
    mk_client_id_format(0, 0, mk_order_id(0, 0, 0), text);
    assert_string_equal(text, "S000000000000000000000");
    mk_client_id_format(1, 2, mk_order_id(3, 4, 5), text);
    assert_string_equal(text, "S000100300020000000405");
    mk_client_id_format(0xfffff, 0xfffff, mk_order_id(0x7fff, 0x7fffffffffULL, 0x3ff), text);
    assert_string_equal(text, "SVVVVVVVVVVVFVVVVVVVVV");
    mk_client_id_format(32, 31, mk_order_id(33, 1024, 32), text);
    assert_string_equal(text, "S0010011000V0000010010");
}

/* Random ids come back, and text order is number order. */
static void test_round_trip(void **state) {
    (void)state;
    uint64_t s = 20240607;
    printf("seed %llu\n", (unsigned long long)s);
    for (int i = 0; i < 100000; i++) {
        uint32_t dep = (uint32_t)(draw(&s) & 0xfffff), epoch = (uint32_t)(draw(&s) & 0xfffff);
        uint64_t a = draw(&s), b = draw(&s), got;
        uint32_t d, e;
        char ta[MK_CLIENT_ID_CHARS + 1], tb[MK_CLIENT_ID_CHARS + 1];
        mk_client_id_format(dep, epoch, a, ta);
        mk_client_id_format(dep, epoch, b, tb);
        assert_int_equal(strlen(ta), MK_CLIENT_ID_CHARS);
        assert_int_equal(mk_client_id_parse(ta, &d, &e, &got), 0);
        assert_int_equal(d, dep);
        assert_int_equal(e, epoch);
        assert_true(got == a);
        int order = strcmp(ta, tb);
        assert_true(a == b ? order == 0 : (a < b) == (order < 0));
    }
}

/* What is no id is refused. */
static void test_refusals(void **state) {
    (void)state;
    uint32_t d, e;
    uint64_t id;
    assert_int_equal(mk_client_id_parse("", &d, &e, &id), -EINVAL);
    assert_int_equal(mk_client_id_parse("S00000000000000000000", &d, &e, &id), -EINVAL);
    assert_int_equal(mk_client_id_parse("S0000000000000000000000", &d, &e, &id), -EINVAL);
    assert_int_equal(mk_client_id_parse("s000000000000000000000", &d, &e, &id), -EINVAL);
    assert_int_equal(mk_client_id_parse("S00000000000G000000000", &d, &e, &id), -EINVAL);
    const char good[] = "S0001003000200000004A5";
    assert_int_equal(mk_client_id_parse(good, &d, &e, &id), 0);
    for (int at = 1; at < MK_CLIENT_ID_CHARS; at++) {
        for (int c = 1; c < 256; c++) {
            if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'V')) continue;
            char bad[sizeof good];
            memcpy(bad, good, sizeof good);
            bad[at] = (char)c;
            assert_int_equal(mk_client_id_parse(bad, &d, &e, &id), -EINVAL);
        }
    }
}

/* Fees: rate of amount in 1e-8, up. */
static void test_fee(void **state) {
    (void)state;
    int64_t fee;
    assert_true(mk_fee(100 * (int64_t)FIXED_ONE, 50000, &fee)); /* 5 bp of 100 */
    assert_int_equal(fee, 5000000);
    assert_true(mk_fee(1, 1, &fee)); /* 1e-16 becomes 1e-8 */
    assert_int_equal(fee, 1);
    assert_true(mk_fee(1, -1, &fee)); /* a rebate that small is none */
    assert_int_equal(fee, 0);
    assert_true(mk_fee(0, 50000, &fee));
    assert_int_equal(fee, 0);
    assert_true(mk_fee(INT64_MAX, FIXED_ONE, &fee));
    assert_true(fee == INT64_MAX);
    assert_false(mk_fee(INT64_MAX, FIXED_ONE + 1, &fee));
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_fee),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
