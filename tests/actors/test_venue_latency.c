/* Goal: the legs take the times that are declared, and nothing that is not declared is read.
 * Method: quantiles of the distributions against tables made elsewhere; what YAML may say and what
 * is refused; draws of a seed against their distribution. */
#include "actors/venue/latency.h"
#include "runtime/base/philox.h"
#include "tests/support/check.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* load reads legs from YAML; returns what venue_legs_load does. */
static int load(const char *yaml, struct venue_legs *legs, struct rt_error *err) {
    struct rt_config *c;
    int rc = rt_config_parse("f", yaml, strlen(yaml), &c, err);
    assert_int_equal(rc, 0);
    rc = venue_legs_load(rt_config_root(c), legs, err);
    rt_config_close(c);
    return rc;
}

/* at returns what leg l takes where part of all draws lie below. */
static int64_t at(const struct venue_latency *l, double part) {
    return venue_latency_ns(l, NULL, (uint64_t)(part * 0x1p53) << 11);
}

/* What may be declared. */
static void test_declared(void **state) {
    (void)state;
    struct venue_legs legs;
    struct rt_error err = { 0 };
    assert_int_equal(load("a: b\n", &legs, &err), 0);
    assert_true(legs.feed.base_ns == 0 && legs.order.base_ns == 0 && legs.answer.base_ns == 0);
    assert_int_equal(load("latency: 5ms\n", &legs, &err), 0);
    assert_true(legs.order.kind == VENUE_LATENCY_CONSTANT && legs.order.base_ns == 5000000);
    assert_true(legs.feed.base_ns == 0 && legs.answer.base_ns == 0);
    assert_int_equal(load("latency:\n"
                          "  feed: {recorded: 3ms}\n"
                          "  order: {median: 4ms, sigma: 0.5}\n"
                          "  answer: {min: 1ms, p50: 4ms, p99: 20ms, max: 90ms}\n",
                          &legs, &err),
                     0);
    assert_true(legs.feed.kind == VENUE_LATENCY_RECORDED && legs.feed.base_ns == 3000000);
    assert_true(legs.order.kind == VENUE_LATENCY_LOGNORMAL && legs.answer.point_cnt == 4);
    assert_false(venue_latency_draws(&legs.feed));
    assert_true(venue_latency_draws(&legs.order) && venue_latency_draws(&legs.answer));
    assert_true(venue_latency_typical(&legs.feed) == 3000000);
    assert_true(venue_latency_typical(&legs.order) == 4000000);
    int64_t middle = venue_latency_typical(&legs.answer);
    assert_true(middle >= 3999999 && middle <= 4000001);
    static const char *const bad[] = {
        "latency: -1ms\n",
        "latency: {order: 2d}\n",
        "latency: {way: 2ms}\n",
        "latency: {order: {median: 2ms}}\n",
        "latency: {order: {median: 2ms, sigma: -1}}\n",
        "latency: {order: {median: 2ms, sigma: .nan}}\n",
        "latency: {order: {median: 2ms, sigma: 1, max: 3ms}}\n",
        "latency: {order: {min: 2ms}}\n",
        "latency: {order: {min: 2ms, max: 1ms}}\n",
        "latency: {order: {min: 2ms, p50: 9ms, p90: 8ms, max: 10ms}}\n",
        "latency: {order: {p50: 9ms}}\n",
        "latency: {feed: {recorded: soon}}\n",
        "latency: [1ms]\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err = (struct rt_error){ 0 };
        if (load(bad[i], &legs, &err) != -EINVAL) print_error("taken: %s", bad[i]);
        assert_true(err.text[0] != 0);
    }
}

/* Quantiles: of the table as given and half-way between; of the lognormal by
 * Python 3.11, 4e6 * exp(0.5 * statistics.NormalDist().inv_cdf(part)). */
static void test_quantiles(void **state) {
    (void)state;
    struct venue_legs legs;
    struct rt_error err = { 0 };
    assert_int_equal(load("latency:\n"
                          "  order: {median: 4ms, sigma: 0.5}\n"
                          "  answer: {min: 1ms, p50: 4ms, p90: 20ms, max: 90ms}\n",
                          &legs, &err),
                     0);
    const struct {
        double part;   /* of all draws */
        int64_t table; /* ns, by linear interpolation */
        int64_t log;   /* ns */
    } rows[] = {
        { 0.0009765625, 1005859, 850151 },
        { 0.25, 2500000, 2854936 },
        { 0.5, 4000000, 4000000 },
        { 0.7, 12000000, 5199147 },
        { 0.75, 14000000, 5604328 },
        { 0.95, 55000000, 9104066 },
        { 0.9990234375, 89316406, 18820164 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t table = at(&legs.answer, rows[i].part), log = at(&legs.order, rows[i].part);
        if (table - rows[i].table > 1 || rows[i].table - table > 1) {
            print_error("table %g: %lld\n", rows[i].part, (long long)table);
            fail();
        }
        if (log - rows[i].log > 1 || rows[i].log - log > 1) {
            print_error("lognormal %g: %lld\n", rows[i].part, (long long)log);
            fail();
        }
    }
    assert_true(venue_latency_ns(&legs.answer, NULL, 0) == 1000000);
    int64_t most = venue_latency_ns(&legs.answer, NULL, UINT64_MAX);
    assert_true(most == 90000000);
    assert_true(venue_latency_ns(&legs.order, NULL, 0) > 0);
    assert_true(venue_latency_ns(&legs.order, NULL, UINT64_MAX) < 1000000000);
    assert_int_equal(load("latency: {order: {median: 23h, sigma: 5}}\n", &legs, &err), 0);
    assert_true(venue_latency_ns(&legs.order, NULL, UINT64_MAX) == VENUE_LATENCY_MAX_NS);
}

/* Draws: half below the median, 5 % above the quantile of 95 %, and the same again. */
static void test_draws(void **state) {
    (void)state;
    struct venue_legs legs;
    struct rt_error err = { 0 };
    assert_int_equal(load("latency: {order: {median: 4ms, sigma: 0.5}}\n", &legs, &err), 0);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        int below = 0, above = 0, cnt = 20000;
        for (int i = 0; i < cnt; i++) {
            uint64_t random = rt_philox64(seed, 7, (uint64_t)i);
            int64_t ns = venue_latency_ns(&legs.order, NULL, random);
            CHECK(seed, ns == venue_latency_ns(&legs.order, NULL, random));
            below += ns < 4000000;
            above += ns > 9104066;
        }
        CHECK(seed, below > cnt / 2 - 300 && below < cnt / 2 + 300); /* 4 standard deviations */
        CHECK(seed, above > cnt / 20 - 130 && above < cnt / 20 + 130);
    }
}

/* A recorded leg: the newest row that tells; below zero is 0 and counted; before any, as declared.
 */
static void test_recorded(void **state) {
    (void)state;
    struct venue_legs legs;
    struct rt_error err = { 0 };
    assert_int_equal(load("latency: {feed: {recorded: 3ms}}\n", &legs, &err), 0);
    struct venue_delay d;
    venue_delay_init(&d);
    assert_true(venue_latency_ns(&legs.feed, &d, 0) == 3000000);
    venue_delay_row(&d, 0); /* not told */
    assert_true(venue_latency_ns(&legs.feed, &d, 0) == 3000000);
    venue_delay_row(&d, 1500);
    assert_true(venue_latency_ns(&legs.feed, &d, 0) == 1500000);
    venue_delay_row(&d, 0);
    assert_true(venue_latency_ns(&legs.feed, &d, 0) == 1500000 && d.faults == 0);
    venue_delay_row(&d, -1272000); /* the recorder of 2024-08 */
    assert_true(venue_latency_ns(&legs.feed, &d, 0) == 0 && d.faults == 1);
    venue_delay_row(&d, INT32_MAX);
    assert_true(venue_latency_ns(&legs.feed, &d, 0) == INT64_C(2147483647000));
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declared),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
