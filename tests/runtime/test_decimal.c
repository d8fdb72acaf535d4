/* Goal: decimal text becomes units of 1e-8 exactly or is refused with the right reason, and comes
 * back as the shortest exact text.
 * Method: tables of cases at every bound; a random walk, seed printed, against a naive twin that
 * works on the digits as text, for both the short cut and the slow way. */
#include "runtime/base/decimal.h"
#include "runtime/base/philox.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A case: text in, code and value out. */
struct decimal_case {
    const char *text; /* what is read */
    int code;         /* expected code */
    int64_t value;    /* expected value when code is 0 */
};

static const struct decimal_case cases[] = {
    { "0", 0, 0 },
    { "-0", 0, 0 },
    { "1", 0, 100000000 },
    { "-1", 0, -100000000 },
    { "0.00000001", 0, 1 },
    { "-0.00000001", 0, -1 },
    { "42283.58000000", 0, 4228358000000 },
    { "1271.68108000", 0, 127168108000 },
    { "12345678.12345678", 0, 1234567812345678 },
    { "123456789.12345678", 0, 12345678912345678 },
    { "00012.50", 0, 1250000000 },
    { "1.500000000000000000000000", 0, 150000000 },
    { "92233720368.54775807", 0, INT64_MAX },
    { "-92233720368.54775808", 0, INT64_MIN },
    { "000000000000000000000000000092233720368.54775807", 0, INT64_MAX },
    { "92233720368.54775808", -ERANGE, 0 },
    { "-92233720368.54775809", -ERANGE, 0 },
    { "92233720369", -ERANGE, 0 },
    { "99999999999999999999999999999999999999999999999", -ERANGE, 0 },
    { "18446744073709551616", -ERANGE, 0 },
    { "184467440737.09551616", -ERANGE, 0 },
    { "0.000000001", -EDOM, 0 },
    { "1.123456789", -EDOM, 0 },
    { "1.12345678000000000000000000001", -EDOM, 0 },
    { "", -EINVAL, 0 },
    { "-", -EINVAL, 0 },
    { ".", -EINVAL, 0 },
    { ".5", -EINVAL, 0 },
    { "5.", -EINVAL, 0 },
    { "-.5", -EINVAL, 0 },
    { "--5", -EINVAL, 0 },
    { "+5", -EINVAL, 0 },
    { " 5", -EINVAL, 0 },
    { "5 ", -EINVAL, 0 },
    { "1e5", -EINVAL, 0 },
    { "1E-5", -EINVAL, 0 },
    { "1.5.2", -EINVAL, 0 },
    { "1,5", -EINVAL, 0 },
    { "0x10", -EINVAL, 0 },
    { "nan", -EINVAL, 0 },
    { "inf", -EINVAL, 0 },
    { "1.123456789x", -EINVAL, 0 },
    { "99999999999999e1", -EINVAL, 0 },
};

/* Every case of the table by rt_decimal_parse; *out stays as it was on errors. */
static void test_table(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t value = 77;
        int code = rt_decimal_parse(cases[i].text, strlen(cases[i].text), &value);
        if (code != cases[i].code) fail_msg("\"%s\" gives %d", cases[i].text, code);
        assert_int_equal(value, code == 0 ? cases[i].value : 77);
        assert_true(strlen(rt_decimal_error(code)) > 0);
    }
}

/* A NUL inside the text is junk, not an end. */
static void test_nul(void **state) {
    (void)state;
    int64_t value = 77;
    assert_int_equal(rt_decimal_parse("1\0002", 3, &value), -EINVAL);
}

/* Shortest exact text; it reads back as itself. */
static void test_format(void **state) {
    (void)state;
    static const struct decimal_case texts[] = {
        { "0", 0, 0 },
        { "1", 0, 100000000 },
        { "-0.00000001", 0, -1 },
        { "0.1", 0, 10000000 },
        { "0.00000010", 0, 0 },
        { "100", 0, 10000000000 },
        { "42283.58", 0, 4228358000000 },
        { "92233720368.54775807", 0, INT64_MAX },
        { "-92233720368.54775808", 0, INT64_MIN },
    };
    char out[RT_DECIMAL_CHARS];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (i == 4) continue; /* not shortest: only a reminder that it is never written */
        assert_int_equal(rt_decimal_format(texts[i].value, out), strlen(texts[i].text));
        assert_string_equal(out, texts[i].text);
    }
}

/* naive scans like rt_decimal_scan, by hand on text, with 128 bits. */
static const char *naive(const char *at, const char *end, int64_t *out, int *code) {
    bool negative = at < end && *at == '-';
    at += negative;
    const char *start = at;
    __int128 value = 0;
    bool over = false, fine = false;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (*at - '0');
        if (value > (__int128)1 << 90) value = (__int128)1 << 90;
    }
    *code = -EINVAL;
    if (at == start) return NULL;
    int places = 0;
    if (at < end && *at == '.') {
        at++;
        if (at == end || *at < '0' || *at > '9') return NULL;
        for (; at < end && *at >= '0' && *at <= '9'; at++, places++) {
            if (places < 8)
                value = value * 10 + (*at - '0');
            else
                fine = fine || *at != '0';
        }
    }
    for (; places < 8; places++) value *= 10;
    if (negative) value = -value;
    over = value > INT64_MAX || value < INT64_MIN;
    *code = over ? -ERANGE : -EDOM;
    if (over || fine) return NULL;
    *out = (int64_t)value;
    return at;
}

/* check compares the short cut, the slow way and the naive twin on one text at one place. */
static void check(const char *at, const char *end) {
    int64_t a = 77, b = 77, c = 77;
    int ac = 0, bc = 0, cc = 0;
    const char *ae = rt_decimal_scan(at, end, &a, &ac);
    const char *be = rt_decimal_scan_slow(at, end, &b, &bc);
    const char *ce = naive(at, end, &c, &cc);
    if (ae != be || ae != ce || a != b || a != c)
        fail_msg("\"%.*s\": %ld %ld %ld", (int)(end - at), at, (long)a, (long)b, (long)c);
    if (ce == NULL) assert_true(ac == bc && ac == cc);
}

/* All shapes of up to 12 whole digits and 12 decimals, ended by a comma or by the end, whatever
 * stands behind. The text lies at the end of a heap block, so that a sanitizer sees an overread. */
static void test_shapes(void **state) {
    (void)state;
    const uint64_t seed = 20240601;
    print_message("seed %llu\n", (unsigned long long)seed);
    uint64_t draw = 0;
    for (int whole = 0; whole <= 12; whole++) {
        for (int places = -1; places <= 12; places++) {
            for (int again = 0; again < 64; again++) {
                char text[64];
                int cnt = 0;
                if (again % 8 == 7) text[cnt++] = '-';
                for (int i = 0; i < whole; i++)
                    text[cnt++] = (char)('0' + rt_philox64(seed, 1, draw++) % 10);
                if (places >= 0) text[cnt++] = '.';
                for (int i = 0; i < places; i++)
                    text[cnt++] = (char)('0' + rt_philox64(seed, 1, draw++) % (again % 3 ? 10 : 2));
                int field = cnt;
                int tail = (int)(rt_philox64(seed, 1, draw++) % 20);
                for (int i = 0; i < tail; i++)
                    text[cnt++] = i == 0 && again % 2 ? ',' : ",.-0123456789\n\xff e"[draw++ % 17];
                char *block = malloc((size_t)cnt + 1);
                memcpy(block, text, (size_t)cnt);
                check(block, block + cnt);
                check(block, block + field);
                free(block);
            }
        }
    }
}

/* Every number formatted is read back the same: edges, powers of ten and random ones. */
static void test_round_trip(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        int64_t v = (int64_t)rt_philox64(7, 2, i) >> (i % 64);
        char out[RT_DECIMAL_CHARS + 16];
        size_t cnt = rt_decimal_format(v, out);
        int64_t back = ~v;
        assert_int_equal(rt_decimal_parse(out, cnt, &back), 0);
        assert_true(back == v);
        if (strchr(out, '.') != NULL) assert_true(out[cnt - 1] != '0');
        memset(out + cnt, ',', 16);
        back = ~v;
        int code = 0;
        assert_ptr_equal(rt_decimal_scan(out, out + cnt + 16, &back, &code), out + cnt);
        assert_true(back == v);
    }
}

/* Whole numbers: ends, overflow, nothing there. */
static void test_whole(void **state) {
    (void)state;
    static const struct decimal_case texts[] = {
        { "1700000000000,", 0, 1700000000000 },
        { "9223372036854775807", 0, INT64_MAX },
        { "9223372036854775808", -ERANGE, 0 },
        { "99999999999999999999", -ERANGE, 0 },
        { "0", 0, 0 },
        { "", -EINVAL, 0 },
        { "x", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *end = texts[i].text + strlen(texts[i].text);
        int64_t value = 77;
        int code = 0;
        const char *stop = rt_decimal_scan_whole(texts[i].text, end, &value, &code);
        assert_int_equal(code, texts[i].code);
        assert_true(value == (code == 0 ? texts[i].value : 77));
        if (code == 0)
            assert_ptr_equal(stop, texts[i].text + strspn(texts[i].text, "0123456789"));
        else
            assert_null(stop);
    }
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),      cmocka_unit_test(test_nul),
        cmocka_unit_test(test_format),     cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
