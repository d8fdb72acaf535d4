/* rig: drives the host alone.
 *
 * Goal: a strategy with further intervals hears longer bars when they are known, never before, in
 * the order that host.h promises: a source's as they stand, others made of what it hears.
 * Method: a class that notes what it is told; bars and trades of a few hours, with minutes missing
 * where a longer bar ends, against a list of events made plainly: all bars by (when known, length).
 * Each way is also gone with the state saved and loaded before every row. */
#include "actors/market/bars.h"
#include "tests/support/strategy.h"
#include <stdlib.h>

/* Sizes. */
enum { HEARD_MAX = 4096, MINUTES = 400 };

/* What the class was told, one after the other. */
static struct msg_bar heard[HEARD_MAX];
static int64_t heard_at[HEARD_MAX];
static uint32_t heard_cnt, trade_cnt;

/* on_bar notes a bar. */
static void on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    (void)state;
    (void)leg;
    assert_true(heard_cnt < HEARD_MAX);
    heard_at[heard_cnt] = st_now(h);
    heard[heard_cnt++] = *bar;
}

/* on_trade counts. */
static void on_trade(struct st_host *h, void *state, uint16_t leg, const struct msg_trade *t) {
    (void)h;
    (void)state;
    (void)leg;
    (void)t;
    trade_cnt++;
}

static const struct st_class probe = { .name = "probe",
                                       .leg_min = 1,
                                       .leg_max = 2,
                                       .longer_min = 1,
                                       .longer_max = 3,
                                       .state_bytes = 8,
                                       .on_bar = on_bar,
                                       .on_trade = on_trade };
static const struct st_class single = {
    .name = "single", .leg_min = 1, .leg_max = 1, .state_bytes = 8, .on_bar = on_bar
};

/* The test's own table stands for classes.c. */
const struct st_class *const st_classes[] = { &probe, &single, NULL };

/* minute_bar makes the bar of a minute with prices that hang on seed. */
static struct msg_bar minute_bar(int64_t minute, uint64_t *gen) {
    struct msg_bar b = bar_at(BTC_PERP, minute, 0);
    b.open = gen_range(gen, 1000, 2000) * ONE;
    b.close = gen_range(gen, 1000, 2000) * ONE;
    b.high = (b.open > b.close ? b.open : b.close) + gen_range(gen, 0, 50) * ONE;
    b.low = (b.open < b.close ? b.open : b.close) - gen_range(gen, 0, 50) * ONE;
    b.volume = (double)gen_range(gen, 0, 100);
    b.count = (uint32_t)gen_range(gen, 0, 9);
    return b;
}

/* expect makes the bars of length ns that parts (rising) make, and appends them to out. */
static uint32_t expect(const struct msg_bar *parts, uint32_t cnt, int64_t ns, struct msg_bar *out) {
    uint32_t made = 0;
    for (uint32_t i = 0; i < cnt; i++) {
        const struct msg_bar *p = &parts[i];
        int64_t begin = p->open_ns / ns * ns;
        if (made == 0 || out[made - 1].open_ns != begin) {
            out[made] = *p;
            out[made].open_ns = begin;
            out[made++].interval_ns = ns;
            continue;
        }
        struct msg_bar *b = &out[made - 1];
        if (p->high > b->high) b->high = p->high;
        if (p->low < b->low) b->low = p->low;
        b->close = p->close;
        b->volume += p->volume;
        b->count += p->count;
    }
    return made;
}

/* known returns when a bar is known. */
static int64_t known(const struct msg_bar *b) {
    return b->open_ns + b->interval_ns;
}

/* earlier orders bars by when they are known, then by length. */
static int earlier(const void *a, const void *b) {
    const struct msg_bar *x = a, *y = b;
    if (known(x) != known(y)) return known(x) < known(y) ? -1 : 1;
    return x->interval_ns < y->interval_ns ? -1 : x->interval_ns > y->interval_ns;
}

/* compare compares what was heard with what was expected. A bar whose last part is missing may be
 * told late_ns after its end. */
static void compare(uint64_t seed, const struct msg_bar *want, uint32_t cnt, int64_t late_ns) {
    CHECK(seed, heard_cnt == cnt);
    for (uint32_t i = 0; i < cnt; i++) {
        CHECK(seed, memcmp(&heard[i], &want[i], sizeof want[i]) == 0);
        int64_t late = heard_at[i] - known(&want[i]);
        CHECK(seed, late == 0 || (late == late_ns && want[i].interval_ns > MINUTE_NS));
    }
}

/* host_open makes the host. */
static void host_open(struct rig *r, const struct mk_market *m, const char *yaml) {
    struct rt_error err = { 0 };
    heard_cnt = trade_cnt = 0;
    r->self = 5;
    int rc = rig_open(r, &strategy_kind, yaml, m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    rig_start(r, 0);
}

/* gapped makes minutes of which some are missing, often those that end an interval. */
static uint32_t gapped(uint64_t *gen, struct msg_bar *out) {
    uint32_t cnt = 0;
    for (int64_t minute = gen_range(gen, 0, 70); minute < MINUTES; minute++) {
        int64_t chance = minute % 5 == 4 ? 4 : 30;
        if (gen_range(gen, 1, chance) == 1) continue;
        out[cnt++] = minute_bar(minute, gen);
    }
    return cnt;
}

/* Bars of a source make longer ones; or sources have those too, which come first at one instant. */
static void test_of_bars(void **state) {
    (void)state;
    struct mk_market *m = market_open();
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t gen = seed;
        static struct msg_bar parts[MINUTES], want[4 * MINUTES], fives[MINUTES], hours[MINUTES];
        uint32_t cnt = gapped(&gen, parts);
        const bool given = seed % 3 == 0, saves = seed % 4 == 0;
        struct rig r = { 0 };
        uint16_t minute = rig_series(&r, MSG_BAR, BTC_PERP, MINUTE_NS), hour = 0;
        if (given) hour = rig_series(&r, MSG_BAR, BTC_PERP, 60 * MINUTE_NS);
        host_open(&r, m,
                  "class: probe\ninstruments: [BTC-PERP]\ninterval: 1m\nintervals: [5m, 1h]\n"
                  "account: main\nsizing: {fixed: 1}\n");
        memcpy(want, parts, cnt * sizeof *parts);
        uint32_t five_cnt = expect(parts, cnt, 5 * MINUTE_NS, fives);
        uint32_t hour_cnt = expect(parts, cnt, 60 * MINUTE_NS, hours), told = 0;
        memcpy(want + cnt, fives, five_cnt * sizeof *fives);
        memcpy(want + cnt + five_cnt, hours, hour_cnt * sizeof *hours);
        qsort(want, cnt + five_cnt + hour_cnt, sizeof *want, earlier);
        for (uint32_t i = 0; i < cnt; i++) {
            for (; given && told < hour_cnt && known(&hours[told]) <= known(&parts[i]); told++) {
                rig_rows(&r, hour, RT_HEAR_ROW, &hours[told], 1);
                if (saves) rig_reload(&r);
            }
            rig_rows(&r, minute, RT_HEAR_ROW, &parts[i], 1);
            if (saves) rig_reload(&r);
        }
        for (; given && told < hour_cnt; told++) rig_rows(&r, hour, RT_HEAR_ROW, &hours[told], 1);
        rig_until(&r, (MINUTES + 60) * MINUTE_NS);
        compare(seed, want, cnt + five_cnt + hour_cnt, 0);
        rig_close(&r);
    }
    mk_market_close(m);
}

/* Bars that a feed makes, as frames: what misses its last part is told a moment after its end. */
static void test_of_frames(void **state) {
    (void)state;
    struct mk_market *m = market_open();
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t gen = seed;
        static struct msg_bar parts[MINUTES], want[4 * MINUTES];
        uint32_t cnt = gapped(&gen, parts);
        struct rig r = { 0 };
        rig_series(&r, MSG_TRADE, BTC_PERP, 0);
        rig_actor(&r, "feed", "feed", 7, "bars: [{instrument: BTC-PERP, from: trades, to: 1m}]");
        host_open(&r, m,
                  "class: probe\ninstruments: [BTC-PERP]\ninterval: 1m\nintervals: [1h]\n"
                  "account: main\nsizing: {fixed: 1}\n");
        memcpy(want, parts, cnt * sizeof *parts);
        uint32_t all = cnt + expect(parts, cnt, 60 * MINUTE_NS, want + cnt);
        qsort(want, all, sizeof *want, earlier);
        for (uint32_t i = 0; i < cnt; i++) {
            rig_until(&r, known(&parts[i]));
            rig_hear(&r, MSG_BAR, 7, &parts[i], sizeof parts[i]);
            if (seed % 4 == 0) rig_reload(&r);
        }
        rig_until(&r, (MINUTES + 60) * MINUTE_NS);
        compare(seed, want, all, 1);
        rig_close(&r);
    }
    mk_market_close(m);
}

/* Trades make bars; a trade at the instant at which one ends is of the next. */
static void test_of_trades(void **state) {
    (void)state;
    struct mk_market *m = market_open();
    for (uint64_t seed = 1; seed <= 30; seed++) {
        uint64_t gen = seed;
        enum { TRADES = 600 };
        static struct msg_trade trades[TRADES];
        static struct msg_bar parts[TRADES], want[2 * TRADES];
        struct rig r = { 0 };
        uint16_t series = rig_series(&r, MSG_TRADE, BTC_PERP, 0);
        host_open(&r, m,
                  "class: probe\ninstruments: [BTC-PERP]\ninterval: trades\nintervals: [1m, 15m]\n"
                  "account: main\nsizing: {fixed: 1}\n");
        int64_t ns = gen_range(&gen, 0, 100) * MINUTE_NS;
        for (int i = 0; i < TRADES; i++) {
            ns += gen_range(&gen, 0, 40) * 1000000000;
            trades[i] = (struct msg_trade){ .time_ns = ns,
                                            .price = gen_range(&gen, 900, 1100) * ONE,
                                            .quantity = gen_range(&gen, 1, 9) * ONE,
                                            .instrument = BTC_PERP };
            int64_t price = trades[i].price;
            parts[i] = (struct msg_bar){ .open_ns = ns,
                                         .open = price,
                                         .high = price,
                                         .low = price,
                                         .close = price,
                                         .volume = (double)(trades[i].quantity / ONE),
                                         .instrument = BTC_PERP,
                                         .count = 1 };
        }
        uint32_t all = expect(parts, TRADES, MINUTE_NS, want);
        all += expect(parts, TRADES, 15 * MINUTE_NS, want + all);
        qsort(want, all, sizeof *want, earlier);
        for (uint32_t i = 0; i < TRADES;) {
            uint32_t cnt = (uint32_t)gen_range(&gen, 1, 7);
            if (cnt > TRADES - i) cnt = TRADES - i;
            i += rig_rows(&r, series, RT_HEAR_ROW, &trades[i], cnt);
            if (seed % 4 == 0) rig_reload(&r);
        }
        rig_until(&r, ns + 60 * MINUTE_NS);
        assert_int_equal(trade_cnt, TRADES);
        compare(seed, want, all, 0);
        rig_close(&r);
    }
    mk_market_close(m);
}

/* What makes no sense is refused. */
static void test_refused(void **state) {
    (void)state;
    struct mk_market *m = market_open();
    static const char *const cases[][2] = {
        { "class: single\nintervals: [5m]\n", "hears one interval only" },
        { "class: probe\nintervals: []\n", "takes 1 to 3" },
        { "class: probe\n", "intervals" },
        { "class: probe\nintervals: [5m, 10m, 15m, 20m]\n", "takes 1 to 3" },
        { "class: probe\nintervals: [1m]\n", "expected them rising" },
        { "class: probe\nintervals: [1h, 5m]\n", "expected them rising" },
        { "class: probe\nintervals: [90s]\n", "expected a multiple of interval" },
        { "class: probe\nintervals: [soon]\n", "expected a length of time" },
        { "class: probe\nintervals: [60d]\n", "expected a length of time" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[400];
        struct rt_error err = { 0 };
        struct rig r = { 0 };
        rig_series(&r, MSG_BAR, BTC_PERP, MINUTE_NS);
        (void)snprintf(yaml, sizeof yaml,
                       "%sinstruments: [BTC-PERP]\ninterval: 1m\naccount: main\n"
                       "sizing: {fixed: 1}\n",
                       cases[i][0]);
        assert_true(rig_open(&r, &strategy_kind, yaml, m, &err) < 0);
        if (strstr(err.text, cases[i][1]) == NULL) print_error("%s\n", err.text);
        assert_non_null(strstr(err.text, cases[i][1]));
        rig_close(&r);
    }
    mk_market_close(m);
}

/* main runs all. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_bars),
        cmocka_unit_test(test_of_frames),
        cmocka_unit_test(test_of_trades),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
