/* Goal: an error is one printable line that fits, cut between characters, and passes its code on.
 * Method: sentences at and over the limit, with newlines and multi-byte characters. */
#include "runtime/base/error.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The code comes back, with and without a struct to fill. */
static void test_passes_code(void **state) {
    (void)state;
    struct rt_error err = { 0 };
    assert_int_equal(rt_error_set(NULL, -EIO, "nobody reads %d", 1), -EIO);
    assert_int_equal(rt_error_set(&err, -EINVAL, "%s:%d: wrong", "a.yaml", 7), -EINVAL);
    assert_int_equal(err.code, -EINVAL);
    assert_string_equal(err.text, "a.yaml:7: wrong");
}

/* No newline, escape or other control character survives. */
static void test_one_line(void **state) {
    (void)state;
    struct rt_error err;
    rt_error_set(&err, -EINVAL, "a\nb\x1b[2Jc\td\x7f");
    assert_string_equal(err.text, "a?b?[2Jc?d?");
}

/* A sentence that is too long is cut between two characters, for characters of 1 to 4 bytes. */
static void test_cut(void **state) {
    (void)state;
    static const char *const letters[] = { "x", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x90\xa6" };
    for (size_t l = 0; l < 4; l++) {
        size_t bytes = strlen(letters[l]);
        for (size_t shift = 0; shift < 4; shift++) {
            char text[1200] = { 0 };
            memset(text, '.', shift);
            for (size_t at = shift; at + bytes < 1100; at += bytes)
                memcpy(text + at, letters[l], bytes);
            struct rt_error err;
            rt_error_set(&err, -EINVAL, "%s", text);
            size_t cnt = strlen(err.text);
            assert_in_range(cnt, sizeof err.text - 1 - bytes, sizeof err.text - 1);
            assert_int_equal((cnt - shift) % bytes, 0);
            assert_memory_equal(err.text, text, cnt);
        }
    }
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes_code),
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
