/* threaded: a reader beside the writer.
 *
 * Goal: percentiles are within 1 % of the sorted values, for any spread; counts and max are exact;
 * differences are what came between; a reader beside the writer sees sane figures.
 * Method: random values of several shapes from a printed seed, against the sorted array. */
#include "runtime/watch/hist.h"
#include "tests/support/check.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct rt_hist hist, before; /* 18 KiB each: not on the stack of a test */

/* by_value orders numbers. */
static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Buckets follow each other without gap, hold their middle, and are at most 1/64 wide. */
static void test_buckets(void **state) {
    (void)state;
    uint32_t last = 0;
    for (uint64_t v = 0; v < 1 << 20; v++) {
        uint32_t b = rt_hist_bucket(v);
        assert_true(b == last || b == last + 1);
        last = b;
    }
    for (uint32_t b = 0; b < RT_HIST_BUCKETS; b++)
        assert_int_equal(rt_hist_bucket(rt_hist_middle(b)), b);
    assert_int_equal(rt_hist_bucket((1ULL << 40) - 1), RT_HIST_BUCKETS - 1);
    assert_int_equal(rt_hist_bucket(1ULL << 40), RT_HIST_BUCKETS - 1);
    assert_int_equal(rt_hist_bucket(UINT64_MAX), RT_HIST_BUCKETS - 1);
    for (uint64_t v = 0; v < 128; v++) assert_int_equal(rt_hist_middle(rt_hist_bucket(v)), v);
}

/* Percentiles against the sorted values. */
static void test_percentiles(void **state) {
    (void)state;
    enum { CNT = 20000 };
    uint64_t *values = malloc(CNT * sizeof *values);
    assert_non_null(values);
    static const uint32_t asked[] = { 0,      1,      10000,  250000, 500000,
                                      900000, 990000, 999000, 999900, 1000000 };
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t gen = seed, sum = 0;
        size_t cnt = seed <= 4 ? seed : seed % 2 ? 1000 : CNT;
        memset(&hist, 0, sizeof hist);
        for (size_t i = 0; i < cnt; i++) {
            values[i] = seed % 3 == 0   ? gen_next(&gen) >> gen_range(&gen, 25, 63)
                        : seed % 3 == 1 ? (uint64_t)gen_range(&gen, 900, 1100)
                                        : (uint64_t)gen_range(&gen, 0, 1000000000);
            sum += values[i];
            rt_hist_record(&hist, values[i]);
        }
        qsort(values, cnt, sizeof values[0], by_value);
        CHECK(seed, rt_hist_count(&hist) == cnt);
        for (size_t a = 0; a < sizeof asked / sizeof asked[0]; a++) {
            size_t rank = (cnt * asked[a] + 999999) / 1000000;
            uint64_t exact = values[rank == 0 ? 0 : rank - 1];
            uint64_t told = rt_hist_percentile(&hist, asked[a]);
            uint64_t off = told > exact ? told - exact : exact - told;
            CHECK(seed, off * 100 <= exact);
        }
        struct rt_hist_figures f;
        rt_hist_read(&hist, &f);
        CHECK(seed, f.count == cnt && f.max == values[cnt - 1]);
        CHECK(seed, f.mean > (double)sum / (double)cnt * 0.999999 - 1e-9);
        CHECK(seed, f.mean < (double)sum / (double)cnt * 1.000001 + 1e-9);
        CHECK(seed, f.p50 <= f.p90 && f.p90 <= f.p99 && f.p99 <= f.p999 && f.p999 <= f.p9999 &&
                        f.p9999 <= f.max);
    }
    free(values);
}

/* Empty, and a value beyond the last bucket. */
static void test_edges(void **state) {
    (void)state;
    memset(&hist, 0, sizeof hist);
    struct rt_hist_figures f;
    rt_hist_read(&hist, &f);
    assert_int_equal(f.count + f.p50 + f.p9999 + f.max, 0);
    assert_true(f.mean == 0.0);
    rt_hist_record(&hist, UINT64_MAX);
    rt_hist_read(&hist, &f);
    assert_true(f.p50 == UINT64_MAX && f.max == UINT64_MAX);
}

/* What came between two copies; the sum of two writers. */
static void test_copies(void **state) {
    (void)state;
    memset(&hist, 0, sizeof hist);
    for (uint64_t i = 0; i < 1000; i++) rt_hist_record(&hist, 5000000);
    rt_hist_copy(&before, &hist);
    for (uint64_t i = 1; i <= 100; i++) rt_hist_record(&hist, i);
    static struct rt_hist now;
    rt_hist_copy(&now, &hist);
    rt_hist_minus(&now, &before);
    struct rt_hist_figures f;
    rt_hist_read(&now, &f);
    assert_int_equal(f.count, 100);
    assert_int_equal(f.p50, 50);
    assert_int_equal(f.max, 100);
    assert_true(f.mean == 50.5);
    rt_hist_add(&now, &before);
    rt_hist_read(&now, &f);
    assert_int_equal(f.count, 1100);
    assert_int_equal(f.max, 5000000);
}

static _Atomic bool done; /* set by the writer when it is done; relaxed, joined after */

/* writes records a value now and then until it has recorded many. */
static void *writes(void *arg) {
    (void)arg;
    for (uint64_t i = 0; i < 2000000; i++) rt_hist_record(&hist, 100 + i % 1000);
    atomic_store_explicit(&done, true, memory_order_relaxed);
    return NULL;
}

/* A reader beside the writer sees counts that only grow and figures inside the values' range. */
static void test_beside_writer(void **state) {
    (void)state;
    memset(&hist, 0, sizeof hist);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, writes, NULL), 0);
    uint64_t count = 0;
    while (!atomic_load_explicit(&done, memory_order_relaxed)) {
        struct rt_hist_figures f;
        rt_hist_read(&hist, &f);
        assert_true(f.count >= count);
        count = f.count;
        if (count == 0) continue;
        assert_in_range(f.p50, 99, 1110);
        assert_true(f.p50 <= f.p9999 && f.p9999 <= f.max && f.max < 1100);
    }
    pthread_join(writer, NULL);
    assert_int_equal(rt_hist_count(&hist), 2000000);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets),       cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_edges),         cmocka_unit_test(test_copies),
        cmocka_unit_test(test_beside_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
