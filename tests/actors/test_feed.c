/* rig: drives the feed alone
 *
 * Goal    resampled bars are what the exchange's own bars of that interval are, each is told at its
 *         end and not before, and a reload in the middle changes nothing.
 * Method  recorded files of two intervals against each other (how many agree, their README tells,
 *         counted by another program); random rows with gaps against a plain twin, with the state
 *         saved and loaded at random places; trades likewise. */
#include "actors/data/klines.h"
#include "actors/data/trades.h"
#include "actors/feed/feed.h"
#include "actors/market/bars.h"
#include "tests/support/market_data.h"
#include "tests/support/rig.h"

#define MINUTE_NS 60000000000LL
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)

/* heard_bar returns the n-th bar said. */
static const struct msg_bar *heard_bar(const struct rig *r, size_t n) {
    const struct msg_frame *f = rig_find(r, MSG_BAR, n);
    return f == NULL ? NULL : msg_body(f);
}

/* rig_must_open opens a feed or fails the test. */
static void rig_must_open(struct rig *r, const char *yaml, const struct mk_market *world) {
    struct rt_error err = { 0 };
    if (rig_open(r, &feed_kind, yaml, world, &err) != 0) fail_msg("%s", err.text);
    rig_start(r, 0);
}

/* close_enough compares volumes, which are sums of doubles. */
static bool close_enough(double a, double b) {
    double d = a - b, most = (a > b ? a : b) * 1e-9;
    return d <= most && d >= -most;
}

/* A pair of recorded files: one summed up must give the other. */
struct pair {
    const char *fine, *coarse;  /* files */
    const char *from, *to;      /* their intervals */
    int64_t fine_ns, coarse_ns; /* the same in ns */
    size_t full;                /* intervals of coarse whose constituents are all there */
    size_t differ;              /* of these, known to differ */
};

/* Goal: what is resampled is what the exchange says. Method: README of the data: spot 1h to 1d on
 * all 2163 full days of 2018-2023 (BTC, ETH), 729 of 729 (XRP, LTC); perpetual 5m to 1h but for one
 * hour of November and December 2023 (2023-11-14 11:00, a fault of the archive). */
static void test_recorded_files(void **state) {
    (void)state;
    static const struct pair pairs[] = {
        { "binance_spot_BTCUSDT_1h_2018-2023.csv.zst", "binance_spot_BTCUSDT_1d_2018-2023.csv.zst",
          "1h", "1d", HOUR_NS, DAY_NS, 2163, 0 },
        { "binance_spot_ETHUSDT_1h_2018-2023.csv.zst", "binance_spot_ETHUSDT_1d_2018-2023.csv.zst",
          "1h", "1d", HOUR_NS, DAY_NS, 2163, 0 },
        { "binance_spot_XRPUSDT_1h_2022-2023.csv.zst", "binance_spot_XRPUSDT_1d_2018-2023.csv.zst",
          "1h", "1d", HOUR_NS, DAY_NS, 729, 0 },
        { "binance_spot_LTCUSDT_1h_2022-2023.csv.zst", "binance_spot_LTCUSDT_1d_2018-2023.csv.zst",
          "1h", "1d", HOUR_NS, DAY_NS, 729, 0 },
        { "binance_um_BTCUSDT_5m_202311-202412.csv.zst", "binance_um_BTCUSDT_1h_2019-2023.csv.zst",
          "5m", "1h", 5 * MINUTE_NS, HOUR_NS, 61 * 24, 1 },
    };
    char dir[4096], yaml[512];
    if (!md_shared(dir)) skip();
    strcat(dir, "/klines");
    struct mk_market *world = md_world();
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        const struct pair *pair = &pairs[p];
        static struct rig r;
        struct md_source fine, coarse;
        size_t fine_cnt, coarse_cnt, full = 0, differ = 0;
        snprintf(yaml, sizeof yaml, "{kind: k, instrument: AAA-PERP, interval: %s, file: %s}",
                 pair->from, pair->fine);
        md_must_open(&fine, &data_klines_source, yaml, world, dir);
        snprintf(yaml, sizeof yaml, "{kind: k, instrument: AAA-PERP, interval: %s, file: %s}",
                 pair->to, pair->coarse);
        md_must_open(&coarse, &data_klines_source, yaml, world, dir);
        const struct msg_bar *rows = md_rows(&fine, 0, &fine_cnt);
        const struct msg_bar *expected = md_rows(&coarse, 0, &coarse_cnt);
        uint16_t series = rig_series(&r, MSG_BAR, 1, pair->fine_ns);
        snprintf(yaml, sizeof yaml, "{bars: [{instrument: AAA-PERP, from: %s, to: %s}]}",
                 pair->from, pair->to);
        rig_must_open(&r, yaml, world);
        assert_int_equal(rig_rows(&r, series, RT_HEAR_ROW, rows, (uint32_t)fine_cnt), fine_cnt);
        size_t row = 0, want = 0;
        for (size_t i = 0; i < r.said_cnt; i++) {
            const struct msg_bar *bar = msg_body(rig_said(&r, i));
            assert_int_equal(rig_said(&r, i)->time_ns, bar->open_ns + pair->coarse_ns);
            size_t parts = 0;
            while (row < fine_cnt && rows[row].open_ns < bar->open_ns + pair->coarse_ns) {
                row++;
                parts++;
            }
            while (want < coarse_cnt && expected[want].open_ns < bar->open_ns) want++;
            if (want == coarse_cnt || expected[want].open_ns != bar->open_ns) continue;
            if (parts != (size_t)(pair->coarse_ns / pair->fine_ns)) continue;
            const struct msg_bar *e = &expected[want];
            full++;
            differ += bar->open != e->open || bar->high != e->high || bar->low != e->low ||
                      bar->close != e->close || !close_enough(bar->volume, e->volume);
        }
        print_message("%s to %s: %zu agree, %zu differ\n", pair->fine, pair->to, full - differ,
                      differ);
        assert_int_equal(full, pair->full);
        assert_int_equal(differ, pair->differ);
        rig_close(&r);
        md_close(&fine);
        md_close(&coarse);
    }
    mk_market_close(world);
}

/* twin_begin is mk_bars_begin_ns made plainly: by walking from a known Monday, 1970-01-05. */
static int64_t twin_begin(int64_t ns, int64_t interval_ns) {
    int64_t origin = interval_ns % (7 * DAY_NS) == 0 ? 4 * DAY_NS : 0;
    int64_t n = (ns - origin) / interval_ns;
    while (origin + n * interval_ns > ns) n--;
    while (origin + (n + 1) * interval_ns <= ns) n++;
    return origin + n * interval_ns;
}

/* twin_bars makes bars out of constituents plainly. Returns how many whose interval ended by
 * now_ns. */
static size_t twin_bars(const struct msg_bar *rows, size_t cnt, int64_t interval_ns, int64_t now_ns,
                        struct msg_bar *out) {
    size_t n = 0;
    for (size_t i = 0; i < cnt; i++) {
        int64_t begin = twin_begin(rows[i].open_ns, interval_ns);
        if (n == 0 || out[n - 1].open_ns != begin) {
            out[n] = rows[i];
            out[n].open_ns = begin;
            out[n].interval_ns = interval_ns;
            n++;
            continue;
        }
        struct msg_bar *b = &out[n - 1];
        if (rows[i].high > b->high) b->high = rows[i].high;
        if (rows[i].low < b->low) b->low = rows[i].low;
        b->close = rows[i].close;
        b->volume += rows[i].volume;
        b->flags |= rows[i].flags;
        b->count += rows[i].count;
    }
    while (n > 0 && out[n - 1].open_ns + interval_ns > now_ns) n--;
    return n;
}

/* Goal: gaps, any multiples, several bars of one series, and reloads. Method: random 1m rows with
 * holes; every frame said against the twin: content, and that it is said at its end. */
static void test_random_bars(void **state) {
    (void)state;
    enum { ROWS = 3000 };
    static const int64_t tos[4] = { 5, 7, 60, 1440 }; /* minutes */
    static struct msg_bar rows[ROWS], expected[ROWS];
    struct mk_market *world = md_world();
    for (uint64_t seed = 1; seed <= 25; seed++) {
        uint64_t gen = seed;
        static struct rig r;
        int64_t ns = gen_range(&gen, 20000000, 30000000) * MINUTE_NS;
        for (int i = 0; i < ROWS; i++) {
            int64_t low = gen_range(&gen, 1, 1000);
            ns += MINUTE_NS * (gen_range(&gen, 0, 9) == 0 ? gen_range(&gen, 1, 200) : 1);
            rows[i] = (struct msg_bar){ .open_ns = ns,
                                        .interval_ns = MINUTE_NS,
                                        .low = low,
                                        .open = low + gen_range(&gen, 0, 50),
                                        .close = low + gen_range(&gen, 0, 50),
                                        .high = low + 50 + gen_range(&gen, 0, 9),
                                        .volume = (double)gen_range(&gen, 0, 1000) / 8,
                                        .instrument = 1,
                                        .flags = gen_range(&gen, 0, 99) == 0,
                                        .count = (uint32_t)gen_range(&gen, 0, 1000) };
        }
        rig_series(&r, MSG_BAR, 2, MINUTE_NS); /* another one, not asked for */
        uint16_t series = rig_series(&r, MSG_BAR, 1, MINUTE_NS);
        rig_must_open(&r,
                      "bars:\n"
                      "  - {instrument: AAA-PERP, from: 1m, to: 5m}\n"
                      "  - {instrument: AAA-PERP, from: 1m, to: 7m}\n"
                      "  - {instrument: AAA-PERP, from: 1m, to: 1h}\n"
                      "  - {instrument: AAA-PERP, from: 1m, to: 1d}\n",
                      world);
        for (uint32_t i = 0; i < ROWS;) {
            uint32_t take = (uint32_t)gen_range(&gen, 1, 300);
            if (take > ROWS - i) take = ROWS - i;
            CHECK(seed, rig_rows(&r, series, RT_HEAR_ROW, rows + i, take) == take);
            i += take;
            if (gen_range(&gen, 0, 3) == 0) rig_reload(&r);
        }
        (void)rig_until(&r, ns + gen_range(&gen, 1, 3000) * MINUTE_NS);
        for (int k = 0; k < 4; k++) {
            size_t n = twin_bars(rows, ROWS, tos[k] * MINUTE_NS, r.ctx.now_ns, expected), at = 0;
            for (size_t i = 0; i < r.said_cnt; i++) {
                const struct msg_bar *bar = msg_body(rig_said(&r, i));
                if (bar->interval_ns != tos[k] * MINUTE_NS) continue;
                CHECK(seed, at < n && memcmp(bar, &expected[at], sizeof *bar) == 0);
                CHECK(seed, rig_said(&r, i)->time_ns == bar->open_ns + bar->interval_ns);
                CHECK(seed, rig_said(&r, i)->dest == 0);
                at++;
            }
            CHECK(seed, at == n);
        }
        rig_close(&r);
    }
    mk_market_close(world);
}

/* Goal: bars of trades, and trades passed on as they are. Method: random trades, several of one
 * instant and some at the very end of an interval, against a twin; every trade comes out once. */
static void test_random_trades(void **state) {
    (void)state;
    enum { ROWS = 2000 };
    static struct msg_trade rows[ROWS];
    static struct msg_bar parts[ROWS], expected[ROWS];
    struct mk_market *world = md_world();
    for (uint64_t seed = 1; seed <= 25; seed++) {
        uint64_t gen = seed;
        static struct rig r;
        int64_t ns = gen_range(&gen, 20000000, 30000000) * MINUTE_NS;
        for (int i = 0; i < ROWS; i++) {
            int64_t kind = gen_range(&gen, 0, 20);
            if (kind == 0)
                ns = (ns / MINUTE_NS + 1) * MINUTE_NS; /* at an interval's end */
            else if (kind == 1)
                ns += gen_range(&gen, 1, 20) * MINUTE_NS;
            else if (kind < 12)
                ns += gen_range(&gen, 0, 10000) * 1000000;
            rows[i] = (struct msg_trade){ .time_ns = ns,
                                          .trade_id = i + 1,
                                          .price = gen_range(&gen, 1, 1000),
                                          .quantity = gen_range(&gen, 1, 64) * 12500000,
                                          .instrument = 1,
                                          .aggressor = (uint8_t)gen_range(&gen, 0, 1) };
            parts[i] = (struct msg_bar){ .open_ns = ns,
                                         .open = rows[i].price,
                                         .high = rows[i].price,
                                         .low = rows[i].price,
                                         .close = rows[i].price,
                                         .volume = (double)rows[i].quantity / FIXED_ONE,
                                         .instrument = 1,
                                         .count = 1 };
        }
        bool pass = seed % 2;
        uint16_t series = rig_series(&r, MSG_TRADE, 1, 0);
        rig_must_open(&r,
                      pass ? "{bars: [{instrument: AAA-PERP, from: trades, to: 1m}], "
                             "trades: [AAA-PERP]}"
                           : "{bars: [{instrument: AAA-PERP, from: trades, to: 1m}]}",
                      world);
        for (uint32_t i = 0; i < ROWS;) {
            uint32_t take = (uint32_t)gen_range(&gen, 1, 200);
            if (take > ROWS - i) take = ROWS - i;
            CHECK(seed, rig_rows(&r, series, RT_HEAR_ROW, rows + i, take) == take);
            i += take;
            if (gen_range(&gen, 0, 3) == 0) rig_reload(&r);
        }
        (void)rig_until(&r, ns + gen_range(&gen, 0, 3) * MINUTE_NS);
        size_t n = twin_bars(parts, ROWS, MINUTE_NS, r.ctx.now_ns, expected);
        CHECK(seed, rig_count(&r, MSG_BAR) == n);
        CHECK(seed, rig_count(&r, MSG_TRADE) == (pass ? ROWS : 0));
        size_t bar_at = 0, trade_at = 0;
        for (size_t i = 0; i < r.said_cnt; i++) {
            const struct msg_frame *f = rig_said(&r, i);
            if (f->kind == MSG_TRADE) {
                CHECK(seed, memcmp(msg_body(f), &rows[trade_at++], sizeof rows[0]) == 0);
                continue;
            }
            const struct msg_bar *bar = msg_body(f);
            CHECK(seed, memcmp(bar, &expected[bar_at++], sizeof *bar) == 0);
            CHECK(seed, f->time_ns == bar->open_ns + MINUTE_NS);
        }
        rig_close(&r);
    }
    mk_market_close(world);
}

/* Goal: weeks begin on Mondays, days at midnight UTC. Method: known dates. */
static void test_grid(void **state) {
    (void)state;
    const int64_t monday_ns = 1704067200000000000LL; /* 2024-01-01 was a Monday */
    assert_int_equal(mk_bars_begin_ns(monday_ns, 7 * DAY_NS), monday_ns);
    assert_int_equal(mk_bars_begin_ns(monday_ns - 1, 7 * DAY_NS), monday_ns - 7 * DAY_NS);
    assert_int_equal(mk_bars_begin_ns(monday_ns + 7 * DAY_NS - 1, 7 * DAY_NS), monday_ns);
    assert_int_equal(mk_bars_begin_ns(monday_ns + 5 * HOUR_NS, DAY_NS), monday_ns);
    assert_int_equal(mk_bars_begin_ns(monday_ns + 5 * HOUR_NS, 4 * HOUR_NS),
                     monday_ns + 4 * HOUR_NS);
    assert_int_equal(mk_bars_begin_ns(-1, DAY_NS), -DAY_NS);
    assert_int_equal(mk_bars_begin_ns(3 * DAY_NS, 7 * DAY_NS), -3 * DAY_NS);
}

/* Goal: told when known. Method: one 5m bar of 1m rows, whole, then without its last row, then
 * alone in its last minute; a row that comes after its bar was told is left out. */
static void test_when(void **state) {
    (void)state;
    static struct rig r;
    struct mk_market *world = md_world();
    struct msg_bar rows[12] = { 0 };
    const int64_t begin_ns = 1704067200000000000LL;
    static const int minutes[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 14, 16, 21, 22 };
    for (int i = 0; i < 12; i++) {
        rows[i] = (struct msg_bar){ .open_ns = begin_ns + minutes[i] * MINUTE_NS,
                                    .interval_ns = MINUTE_NS,
                                    .open = 10 + i,
                                    .high = 12 + i,
                                    .low = 9 + i,
                                    .close = 11 + i,
                                    .volume = 1,
                                    .instrument = 1 };
    }
    uint16_t series = rig_series(&r, MSG_BAR, 1, MINUTE_NS);
    rig_must_open(&r, "{bars: [{instrument: AAA-PERP, from: 1m, to: 5m}]}", world);
    (void)rig_rows(&r, series, RT_HEAR_ROW, rows, 4);
    assert_int_equal(r.said_cnt, 0);
    assert_int_equal(r.timer_cnt, 1);
    (void)rig_rows(&r, series, RT_HEAR_ROW, rows + 4, 1); /* whole: with its last row */
    assert_int_equal(r.said_cnt, 1);
    assert_int_equal(r.timer_cnt, 0);
    assert_int_equal(heard_bar(&r, 0)->open, 10);
    assert_int_equal(heard_bar(&r, 0)->close, 15);
    (void)rig_rows(&r, series, RT_HEAR_ROW, rows + 5, 3); /* its last two rows are missing */
    assert_int_equal(rig_until(&r, begin_ns + 10 * MINUTE_NS - 1), 0);
    assert_int_equal(rig_until(&r, begin_ns + 10 * MINUTE_NS), 1);
    assert_int_equal(r.said_cnt, 2);
    assert_int_equal(rig_said(&r, 1)->time_ns, begin_ns + 10 * MINUTE_NS);
    (void)rig_rows(&r, series, RT_HEAR_ROW, rows + 8, 1); /* alone, the last */
    assert_int_equal(r.said_cnt, 3);
    assert_int_equal(r.timer_cnt, 0);
    (void)rig_rows(&r, series, RT_HEAR_ROW, rows + 9, 3); /* 15-20 told by timer in between */
    assert_int_equal(r.said_cnt, 4);
    assert_int_equal(heard_bar(&r, 3)->open_ns, begin_ns + 15 * MINUTE_NS);
    rig_close(&r);
    /* a source off the grid: hours from half past; the day's last one begins before midnight, ends
     * after it, and is left out of a day already told */
    series = rig_series(&r, MSG_BAR, 1, HOUR_NS);
    rig_must_open(&r, "{bars: [{instrument: AAA-PERP, from: 1h, to: 1d}]}", world);
    struct msg_bar hours[30];
    for (int i = 0; i < 30; i++) {
        hours[i] = rows[0];
        hours[i].interval_ns = HOUR_NS;
        hours[i].open_ns = begin_ns + i * HOUR_NS + HOUR_NS / 2;
    }
    (void)rig_rows(&r, series, RT_HEAR_ROW, hours, 30);
    assert_int_equal(r.said_cnt, 1);
    assert_true(heard_bar(&r, 0)->volume == 23);
    struct rig_row *saved;
    size_t saved_cnt = rig_save(&r, &saved);
    assert_int_equal(saved_cnt, 3); /* partial bar, told until, left out */
    assert_int_equal(((const struct msg_counter_row *)(void *)saved[2].row)->value, 1);
    rig_rows_free(saved, saved_cnt);
    rig_close(&r);
    mk_market_close(world);
}

/* Goal: a declaration that makes no sense is refused. Method: one each, part of the sentence. */
static void test_declarations(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{bars: [{instrument: AAA-PERP, from: 1m, to: 90s}]}", "multiple of from" },
        { "{bars: [{instrument: AAA-PERP, from: 1m, to: 1m}]}", "multiple of from" },
        { "{bars: [{instrument: AAA-PERP, from: 2m, to: 4m}]}", "no source has these rows" },
        { "{bars: [{instrument: BBB-SPOT, from: 1m, to: 4m}]}", "no source has these rows" },
        { "{bars: [{instrument: AAA-PERP, from: trades, to: 4m}]}", "no source has these rows" },
        { "{bars: [{instrument: CCC, from: 1m, to: 4m}]}", "not one of instruments:" },
        { "{bars: [{instrument: AAA-PERP, from: 1m}]}", "to" },
        { "{bars: [{instrument: AAA-PERP, from: 1m, to: 4m, by: 3}]}", "by" },
        { "{bars: [AAA-PERP]}", "expected a map" },
        { "{bars: [{instrument: AAA-PERP, from: 1m, to: 4m},"
          " {instrument: AAA-PERP, from: 1m, to: 4m}]}",
          "the same bar twice" },
        { "{trades: [AAA-PERP]}", "no source has trades" },
        { "{trades: [CCC]}", "expected one of instruments:" },
        { "{trades: AAA-PERP}", "trades" },
        { "{colour: red}", "colour" },
    };
    struct mk_market *world = md_world();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct rig r;
        struct rt_error err = { 0 };
        (void)rig_series(&r, MSG_BAR, 1, MINUTE_NS);
        assert_true(rig_open(&r, &feed_kind, cases[i][0], world, &err) < 0);
        if (strstr(err.text, cases[i][1]) == NULL) fail_msg("%s: %s", cases[i][0], err.text);
        rig_close(&r);
    }
    mk_market_close(world);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_files), cmocka_unit_test(test_random_bars),
        cmocka_unit_test(test_random_trades),  cmocka_unit_test(test_grid),
        cmocka_unit_test(test_when),           cmocka_unit_test(test_declarations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
