#include "runtime/time/bucket.h"
#include "tests/support/check.h" /* cmocka, gen_range(&gen, lo, hi), CHECK(seed, condition) */
#include <errno.h>

/* Goal: a bucket grants what the naive bucket, which counts what is left, would grant.
 * Method: random requests at random times from a seed; a failure prints the seed. */
static void test_agrees_with_naive_bucket(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        uint64_t gen = seed;
        int64_t capacity = gen_range(&gen, 1, 50), token_ns = gen_range(&gen, 1, 1000000);
        int64_t full_ns = capacity * token_ns, now_ns = 0;
        int64_t left_ns = full_ns; /* the naive bucket: what is left, in ns of growth */
        struct rt_bucket b;
        CHECK(seed, rt_bucket_init(&b, 0, token_ns) == -EINVAL);
        CHECK(seed, rt_bucket_init(&b, capacity, 0) == -EINVAL);
        CHECK(seed, rt_bucket_init(&b, capacity, INT64_MAX) == -EINVAL);
        CHECK(seed, rt_bucket_init(&b, capacity, token_ns) == 0);
        for (int step = 0; step < 200; step++) {
            int64_t pause_ns = gen_range(&gen, 0, 3) * gen_range(&gen, 0, 10 * token_ns);
            now_ns += pause_ns;
            left_ns = left_ns + pause_ns < full_ns ? left_ns + pause_ns : full_ns;
            int64_t tokens = gen_range(&gen, 1, capacity);
            int64_t lack_ns = tokens * token_ns > left_ns ? tokens * token_ns - left_ns : 0;
            CHECK(seed, rt_bucket_wait_ns(&b, now_ns, tokens) == lack_ns);
            CHECK(seed, rt_bucket_take(&b, now_ns, tokens) == (lack_ns > 0 ? -EAGAIN : 0));
            if (lack_ns == 0) left_ns -= tokens * token_ns;
        }
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agrees_with_naive_bucket) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
