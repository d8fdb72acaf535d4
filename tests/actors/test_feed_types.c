/* rig: drives the feed alone
 *
 * Goal    Heikin-Ashi, Renko and session bars are what others publish, are told when they are
 *         known, and a reload anywhere changes nothing.
 * Method  the vectors of Lean (Heikin-Ashi of 500 days) and of Skender's Stock.Indicators (Renko of
 *         502 days, brick 2.5: the figures its own test asserts); sessions at known instants;
 *         random rows and trades straight through and with the state saved and loaded at random
 *         places; declarations that make no sense. The twin on recorded klines:
 *         tests/e2e/test_bars.py. */
#include "actors/feed/feed.h"
#include "actors/market/bars.h"
#include "actors/market/session.h"
#include "schemas/messages.h"
#include "tests/support/market_data.h"
#include "tests/support/rig.h"

#define MINUTE_NS 60000000000LL
#define HOUR_NS   (60 * MINUTE_NS)
#define DAY_NS    (24 * HOUR_NS)

/* must_open opens and starts a feed, or fails the test. */
static void must_open(struct rig *r, const char *yaml, const struct mk_market *world) {
    struct rt_error err = { 0 };
    rig_actor(r, "feed", "feed", 1, yaml);
    if (rig_open(r, &feed_kind, yaml, world, &err) != 0) fail_msg("%s", err.text);
    rig_start(r, 0);
}

/* said_bar returns the n-th bar said. */
static const struct msg_bar *said_bar(const struct rig *r, size_t n) {
    const struct msg_frame *f = rig_find(r, MSG_BAR, n);
    assert_non_null(f);
    return msg_body(f);
}

/* fixed_of rounds a figure of a file to units of 1e-8. */
static int64_t fixed_of(double v) {
    return (int64_t)(v * FIXED_ONE + 0.5);
}

/* Days of a file of indicators: up to nine figures behind the date. */
struct days {
    double v[600][9]; /* figures */
    int cnt;          /* rows */
};

/* days_read reads a CSV file of the reference data; false when there is none. */
static bool days_read(struct days *d, const char *name) {
    char path[4200], line[512];
    if (!md_shared(path)) return false;
    strcat(path, "/../reference/indicators/");
    strcat(path, name);
    FILE *f = fopen(path, "r");
    if (f == NULL) return false;
    d->cnt = 0;
    assert_non_null(fgets(line, sizeof line, f)); /* heading */
    while (fgets(line, sizeof line, f) != NULL && d->cnt < 600) {
        char *at = strchr(line, ',');
        for (int i = 0; i < 9 && at != NULL; i++) {
            d->v[d->cnt][i] = strtod(at + 1, NULL);
            at = strchr(at + 1, ',');
        }
        d->cnt++;
    }
    (void)fclose(f);
    return true;
}

/* days_tell tells them as daily bars, one each day from 2020-01-01 on. */
static void days_tell(const struct days *d, struct rig *r, uint16_t series) {
    static struct msg_bar rows[600];
    for (int i = 0; i < d->cnt; i++) {
        rows[i] = (struct msg_bar){ .open_ns = (18262 + i) * DAY_NS,
                                    .interval_ns = DAY_NS,
                                    .open = fixed_of(d->v[i][0]),
                                    .high = fixed_of(d->v[i][1]),
                                    .low = fixed_of(d->v[i][2]),
                                    .close = fixed_of(d->v[i][3]),
                                    .volume = d->v[i][4],
                                    .instrument = 1 };
    }
    assert_int_equal(rig_rows(r, series, RT_HEAR_ROW, rows, (uint32_t)d->cnt), d->cnt);
}

/* near tells whether a price is the published one, which has ten digits: within 5 units of 1e-8,
 * and 3 more, as averages are rounded down once a bar and half of the error before stays. */
static bool near(price_t price, double published) {
    const int64_t d = price - fixed_of(published);
    return d >= -8 && d <= 8;
}

/* Goal: Heikin-Ashi as published. Method: Lean's 500 days of SPY, every figure of every day. */
static void test_heikin_ashi(void **state) {
    (void)state;
    static struct days d;
    static struct rig r;
    if (!days_read(&d, "lean/spy_heikin_ashi.csv")) skip();
    struct mk_market *world = md_world();
    uint16_t series = rig_series(&r, MSG_BAR, 1, DAY_NS);
    must_open(&r, "{bars: [{instrument: AAA-PERP, from: 1d, to: 1d, type: heikin_ashi, name: ha}]}",
              world);
    days_tell(&d, &r, series);
    assert_int_equal(d.cnt, 500);
    assert_int_equal(rig_count(&r, MSG_BAR), 500);
    for (int i = 0; i < d.cnt; i++) {
        const struct msg_bar *bar = said_bar(&r, (size_t)i);
        const double *e = &d.v[i][5];
        if (!near(bar->open, e[0]) || !near(bar->high, e[1]) || !near(bar->low, e[2]) ||
            !near(bar->close, e[3])) {
            fail_msg("day %d: %lld %lld %lld %lld, published %.10g %.10g %.10g %.10g", i,
                     (long long)bar->open, (long long)bar->high, (long long)bar->low,
                     (long long)bar->close, e[0], e[1], e[2], e[3]);
        }
        assert_true(bar->volume == d.v[i][4]);
        assert_int_equal(bar->flags, 1U << MK_BARS_SHIFT);
        assert_int_equal(bar->open_ns, (18262 + i) * DAY_NS);
    }
    rig_close(&r);
    mk_market_close(world);
}

/* Goal: Renko as published. Method: Skender's 502 days, brick 2.5 on closes, begun at 213 as there
 * (its rule rounds the first close, 212.80, to one digit less than the brick has): 112 bricks, 62
 * up and 50 down, the first from 213 to 215.5 with the volume 1,180,981,564, the sixth from 225.5
 * to 228, the last from 240.5 to 243. */
static void test_renko(void **state) {
    (void)state;
    static struct days d;
    static struct rig r;
    if (!days_read(&d, "skender/quotes_default.csv")) skip();
    struct mk_market *world = md_world();
    uint16_t series = rig_series(&r, MSG_BAR, 1, DAY_NS);
    must_open(&r,
              "{bars: [{instrument: AAA-PERP, from: 1d, type: renko, brick: 2.5, anchor: 213, "
              "name: bricks}]}",
              world);
    days_tell(&d, &r, series);
    assert_int_equal(d.cnt, 502);
    int up = 0, down = 0;
    const size_t cnt = rig_count(&r, MSG_BAR);
    int64_t end_ns = 0;
    for (size_t i = 0; i < cnt; i++) {
        const struct msg_bar *b = said_bar(&r, i);
        const int64_t known_ns = rig_find(&r, MSG_BAR, i)->time_ns;
        up += b->close > b->open;
        down += b->close < b->open;
        assert_int_equal(b->high - b->low, fixed_of(2.5));
        assert_int_equal(b->high, b->open > b->close ? b->open : b->close);
        assert_int_equal(b->open_ns + b->interval_ns, known_ns);
        assert_true(i == 0 || b->open_ns == end_ns);
        end_ns = known_ns;
    }
    assert_int_equal(cnt, 112);
    assert_int_equal(up, 62);
    assert_int_equal(down, 50);
    assert_int_equal(said_bar(&r, 0)->open, fixed_of(213));
    assert_int_equal(said_bar(&r, 0)->close, fixed_of(215.5));
    assert_true(said_bar(&r, 0)->volume ==
                1180981564 + d.v[0][4]); /* theirs leaves out the first */
    assert_int_equal(said_bar(&r, 5)->open, fixed_of(225.5));
    assert_int_equal(said_bar(&r, 5)->close, fixed_of(228));
    assert_int_equal(said_bar(&r, 111)->open, fixed_of(240.5));
    assert_int_equal(said_bar(&r, 111)->close, fixed_of(243));
    rig_close(&r);
    mk_market_close(world);
}

/* close_row makes the minute's bar of one price. */
static struct msg_bar close_row(int64_t minute, int64_t price) {
    return (struct msg_bar){ .open_ns = minute * MINUTE_NS,
                             .interval_ns = MINUTE_NS,
                             .open = price,
                             .high = price,
                             .low = price,
                             .close = price,
                             .volume = 1,
                             .instrument = 1,
                             .count = 2 };
}

/* Goal: rounding, turns, jumps. Method: by hand. */
static void test_by_hand(void **state) {
    (void)state;
    static struct rig r;
    struct mk_market *world = md_world();
    uint16_t series = rig_series(&r, MSG_BAR, 1, MINUTE_NS);
    must_open(&r,
              "{bars: [{instrument: AAA-PERP, from: 1m, to: 2m, type: heikin_ashi, name: ha},\n"
              "  {instrument: AAA-PERP, from: 1m, type: renko, brick: 10, name: bricks}]}",
              world);
    struct msg_bar rows[4] = { close_row(0, 5), close_row(1, 10), close_row(2, 3),
                               close_row(3, 0) };
    rows[1].high = 12;
    rows[3].close = rows[3].low = 1;
    rows[3].open = rows[3].high = 2;
    (void)rig_rows(&r, series, RT_HEAR_ROW, rows, 4);
    assert_int_equal(rig_count(&r, MSG_BAR), 2); /* no brick: far below one */
    const struct msg_bar *b = said_bar(&r, 0);   /* 5 12 5 10: open 7.5, close 8 */
    assert_int_equal(b->open, 7);
    assert_int_equal(b->close, 8);
    assert_int_equal(b->high, 12);
    assert_int_equal(b->low, 5);
    b = said_bar(&r, 1); /* 3 3 1 1: open (7 + 8) / 2, close 2; the open is the highest */
    assert_int_equal(b->open, 7);
    assert_int_equal(b->close, 2);
    assert_int_equal(b->high, 7);
    assert_int_equal(b->low, 1);
    assert_int_equal(b->volume, 2);
    rig_close(&r);

    const int64_t one = FIXED_ONE;
    series = rig_series(&r, MSG_BAR, 1, MINUTE_NS);
    must_open(&r, "{bars: [{instrument: AAA-PERP, from: 1m, type: renko, brick: 10, name: b}]}",
              world);
    /* from 103: bricks begin at 100; 109 none, 121 two up, 111 none, 100 one down (110 to 100),
     * 120 one up (110 to 120), then a jump of 40 bricks, of which 32 are told */
    static const int64_t prices[] = { 103, 109, 121, 111, 100, 120, 520 };
    static const int64_t ends[][2] = { { 100, 110 }, { 110, 120 }, { 110, 100 }, { 110, 120 } };
    for (int i = 0; i < 7; i++) {
        rows[0] = close_row(i, prices[i] * one);
        (void)rig_rows(&r, series, RT_HEAR_ROW, rows, 1);
        if (i % 2) rig_reload(&r);
    }
    assert_int_equal(rig_count(&r, MSG_BAR), 4 + FEED_BRICKS_MAX);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(said_bar(&r, i)->open, ends[i][0] * one);
        assert_int_equal(said_bar(&r, i)->close, ends[i][1] * one);
    }
    assert_int_equal(said_bar(&r, 0)->volume, 3);
    assert_int_equal(said_bar(&r, 0)->count, 6);
    assert_int_equal(said_bar(&r, 1)->volume, 0);
    assert_int_equal(said_bar(&r, 1)->interval_ns, 0);
    assert_int_equal(said_bar(&r, 2)->volume, 2);
    assert_int_equal(said_bar(&r, 4)->open, 200 * one);
    assert_int_equal(said_bar(&r, 4 + FEED_BRICKS_MAX - 1)->close, 520 * one);
    struct rig_row *saved;
    size_t cnt = rig_save(&r, &saved);
    assert_int_equal(((const struct msg_counter_row *)(void *)saved[cnt - 1].row)->value, 8);
    rig_rows_free(saved, cnt);
    rig_close(&r);
    mk_market_close(world);
}

/* Goal: what is in a session. Method: known instants; New York's winter hours, a night, two
 * windows. 2024-01-05 was a Friday. */
static void test_session(void **state) {
    (void)state;
    static const struct {
        const char *yaml;  /* session */
        int day, from_min; /* days after 2024-01-05, minutes UTC: first instant of an edge */
        bool before, at;   /* in it a nanosecond before, at it */
    } cases[] = {
        { "{days: mon-fri, hours: \"09:30-16:00\", offset: \"-05:00\"}", 0, 870, false, true },
        { "{days: mon-fri, hours: \"09:30-16:00\", offset: \"-05:00\"}", 0, 1260, true, false },
        { "{days: mon-fri, hours: \"09:30-16:00\", offset: \"-05:00\"}", 1, 870, false, false },
        { "{days: [mon, wed-fri], hours: [\"09:00-11:30\", \"13:00-15:00\"]}", 3, 690, true,
          false },
        { "{days: [mon, wed-fri], hours: [\"09:00-11:30\", \"13:00-15:00\"]}", 3, 780, false,
          true },
        { "{days: [mon, wed-fri], hours: [\"09:00-11:30\", \"13:00-15:00\"]}", 4, 780, false,
          false },
        { "{days: fri, hours: \"22:00-02:00\"}", 0, 1320, false, true },
        { "{days: fri, hours: \"22:00-02:00\"}", 1, 0, true, true },
        { "{days: fri, hours: \"22:00-02:00\"}", 1, 120, true, false },
        { "{days: fri, hours: \"22:00-02:00\"}", 0, 60, false, false },
        { "{days: sat-sun, offset: \"+05:30\"}", 0, 1110, false, true },
        { "{days: sat-sun, offset: \"+05:30\"}", 2, 1110, true, false },
        { "{days: sun-mon}", 2, 0, false, true },
        { "{days: sun-mon}", 4, 0, true, false },
        { "{hours: \"10:00-24:00\"}", 0, 600, false, true },
        { "{hours: \"10:00-24:00\"}", 1, 0, true, false },
    };
    static const char *const wrong[] = {
        "{days: someday}",
        "{days: mon-}",
        "{days: mon-fri-}",
        "{days: []}",
        "{days: [[mon]]}",
        "{hours: \"9:30-16:00\"}",
        "{hours: []}",
        "{hours: \"09:30-09:30\"}",
        "{hours: \"09:60-10:00\"}",
        "{hours: \"24:00-10:00\"}",
        "{hours: \"10:00-24:01\"}",
        "{offset: 5}",
        "{offset: \"05:00\"}",
        "{offset: \"-15:00\"}",
        "{zone: x}",
        "{hours: [\"01:00-02:00\", \"03:00-04:00\", \"05:00-06:00\", \"07:00-08:00\", "
        "\"09:00-10:00\"]}",
    };
    struct rt_config *tree;
    struct rt_error err;
    static struct mk_session s;
    bool there;
    char text[200];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t ns = (19727 + cases[i].day) * DAY_NS + cases[i].from_min * MINUTE_NS;
        snprintf(text, sizeof text, "session: %s", cases[i].yaml);
        assert_int_equal(rt_config_parse("s", text, strlen(text), &tree, &err), 0);
        if (mk_session_read(rt_config_root(tree), "session", &s, &there, &err) != 0)
            fail_msg("%s", err.text);
        if (mk_session_holds(&s, ns - 1) != cases[i].before ||
            mk_session_holds(&s, ns) != cases[i].at) {
            fail_msg("case %zu: %s", i, cases[i].yaml);
        }
        rt_config_close(tree);
    }
    assert_false(mk_session_holds(&s, -14 * HOUR_NS - 1)); /* 09:59 of 1969-12-31 */
    assert_true(mk_session_holds(&s, -14 * HOUR_NS));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "session: %s", wrong[i]);
        assert_int_equal(rt_config_parse("s", text, strlen(text), &tree, &err), 0);
        if (mk_session_read(rt_config_root(tree), "session", &s, &there, &err) == 0)
            fail_msg("passed: %s", wrong[i]);
        rt_config_close(tree);
    }
}

/* Every kind of bar there is, of bars and of trades. */
static const char of_bars[] =
    "bars:\n"
    "  - {instrument: AAA-PERP, from: 1m, to: 5m, name: ha, type: heikin_ashi}\n"
    "  - {instrument: AAA-PERP, from: 1m, to: 5m}\n"
    "  - {instrument: AAA-PERP, from: 1m, name: bricks, type: renko, brick: 3}\n"
    "  - {instrument: AAA-PERP, from: 1m, to: 1d, name: day,\n"
    "     session: {days: mon-fri, hours: \"09:30-16:00\", offset: \"-05:00\"}}\n"
    "  - {instrument: AAA-PERP, from: 1m, to: 1m, name: hours, session: {hours: "
    "\"08:00-20:00\"}}\n";
static const char of_trades[] =
    "bars:\n"
    "  - {instrument: AAA-PERP, from: trades, to: 1m, name: ha, type: heikin_ashi}\n"
    "  - {instrument: AAA-PERP, from: trades, name: bricks, type: renko, brick: 2, anchor: 500}\n"
    "  - {instrument: AAA-PERP, from: trades, to: 1h, name: s, session: {days: sat-wed}}\n"
    "trades: [AAA-PERP]\n";

/* Goal: a reload anywhere changes nothing. Method: random rows told straight, then with the state
 * saved and loaded at random places: the same frames, byte for byte. */
static void test_reloads(void **state) {
    (void)state;
    enum { ROWS = 3000 };
    const int64_t one = FIXED_ONE;
    static struct msg_bar bars[ROWS];
    static struct msg_trade trades[ROWS];
    static struct rig rigs[2];
    struct mk_market *world = md_world();
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t gen = seed;
        const bool of = seed % 2;
        int64_t minute = gen_range(&gen, 20000000, 30000000), price = 500 * one;
        for (int i = 0; i < ROWS; i++) {
            minute += gen_range(&gen, 0, 9) == 0 ? gen_range(&gen, 1, 200) : 1;
            price += gen_range(&gen, -200, 200) * one / 100;
            if (price < 100 * one) price = 100 * one;
            bars[i] = close_row(minute, price);
            bars[i].high += gen_range(&gen, 0, FIXED_ONE);
            bars[i].low -= gen_range(&gen, 0, FIXED_ONE);
            trades[i] = (struct msg_trade){ .time_ns = minute * MINUTE_NS,
                                            .trade_id = i + 1,
                                            .price = price,
                                            .quantity = FIXED_ONE,
                                            .instrument = 1 };
        }
        for (int k = 0; k < 2; k++) {
            struct rig *r = &rigs[k];
            uint16_t series = rig_series(r, of ? MSG_BAR : MSG_TRADE, 1, of ? MINUTE_NS : 0);
            must_open(r, of ? of_bars : of_trades, world);
            for (uint32_t i = 0; i < ROWS;) {
                uint32_t take = k == 0 ? ROWS : (uint32_t)gen_range(&gen, 1, 200);
                if (take > ROWS - i) take = ROWS - i;
                const void *rows = of ? (const void *)(bars + i) : (const void *)(trades + i);
                CHECK(seed, rig_rows(r, series, RT_HEAR_ROW, rows, take) == take);
                i += take;
                if (k == 1) rig_reload(r);
            }
        }
        CHECK(seed, rig_count(&rigs[0], MSG_BAR) > 500);
        CHECK(seed, rigs[0].said_cnt == rigs[1].said_cnt);
        for (size_t i = 0; i < rigs[0].said_cnt; i++) {
            const struct msg_frame *a = rig_said(&rigs[0], i), *b = rig_said(&rigs[1], i);
            CHECK(seed, a->kind == b->kind && a->time_ns == b->time_ns);
            CHECK(seed, memcmp(msg_body(a), msg_body(b),
                               a->kind == MSG_BAR ? sizeof(struct msg_bar)
                                                  : sizeof(struct msg_trade)) == 0);
        }
        rig_close(&rigs[0]);
        rig_close(&rigs[1]);
    }
    mk_market_close(world);
}

/* Goal: a declaration that makes no sense is refused. Method: one each, part of the sentence. */
static void test_declarations(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{instrument: AAA-PERP, from: 1m, to: 5m, type: heikin_ashi}", "expected a name" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, session: {days: mon}}", "expected a name" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, type: kagi, name: x}", "type" },
        { "{instrument: AAA-PERP, from: 1m, type: renko, name: x}", "brick" },
        { "{instrument: AAA-PERP, from: 1m, type: renko, name: x, brick: 0}", "brick" },
        { "{instrument: AAA-PERP, from: 1m, type: renko, name: x, brick: 0.01}", "brick" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, type: renko, name: x, brick: 1}",
          "no interval" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, brick: 1}", "renko alone" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, name: x, anchor: 1}", "renko alone" },
        { "{instrument: AAA-PERP, from: 1m, to: 90s, name: x}", "multiple of from" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, name: x, session: mon}", "session" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, name: x, session: {days: moon}}", "a day" },
        { "{instrument: AAA-PERP, from: 1m, to: 5m, name: x}, "
          "{instrument: AAA-PERP, from: 1m, to: 7m, name: x}",
          "the same bar twice" },
    };
    struct mk_market *world = md_world();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct rig r;
        struct rt_error err = { 0 };
        char yaml[512];
        snprintf(yaml, sizeof yaml, "{bars: [%s]}", cases[i][0]);
        (void)rig_series(&r, MSG_BAR, 1, MINUTE_NS);
        rig_actor(&r, "feed", "feed", 1, yaml);
        if (rig_open(&r, &feed_kind, yaml, world, &err) == 0) fail_msg("passed: %s", yaml);
        if (strstr(err.text, cases[i][1]) == NULL) fail_msg("%s: %s", cases[i][0], err.text);
        rig_close(&r);
    }
    mk_market_close(world);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heikin_ashi), cmocka_unit_test(test_renko),
        cmocka_unit_test(test_by_hand),     cmocka_unit_test(test_session),
        cmocka_unit_test(test_reloads),     cmocka_unit_test(test_declarations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
