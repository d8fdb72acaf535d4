/* Goal: sessions know when a market is shut: named ones by the exchanges' own lists, daylight
 * saving as the C library has it, and what is missing between two bars is what a walk over its
 * places finds. Method: the lists of NYSE's holiday releases 2020-2027 and of the Shanghai
 * exchange's announcements 2024-2026, day by day over those years; the C library with POSIX rules
 * for the zones at random instants; random sessions and bars against a naive twin that looks at
 * every minute. */
#include "actors/market/session.h"
#include "tests/support/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE_NS INT64_C(60000000000)
#define DAY_NS    (1440 * MINUTE_NS)

/* day_ns returns midnight UTC of a date. */
static int64_t day_ns(int year, int month, int day) {
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    return (int64_t)timegm(&tm) * 1000000000;
}

/* listed tells whether "M/D" of ns stands in list, parted by blanks. */
static bool listed(const char *list, int64_t ns) {
    time_t at = (time_t)(ns / 1000000000);
    struct tm tm;
    char word[16], all[512];
    gmtime_r(&at, &tm);
    snprintf(word, sizeof word, " %d/%d ", tm.tm_mon + 1, tm.tm_mday);
    snprintf(all, sizeof all, " %s ", list);
    return strstr(all, word) != NULL;
}

/* A year as its exchange published it. */
struct year {
    int year;           /* which */
    const char *closed; /* shut on a weekday */
    const char *early;  /* shut early */
};

static const struct year us_years[] = {
    { 2020, "1/1 1/20 2/17 4/10 5/25 7/3 9/7 11/26 12/25", "11/27 12/24" },
    { 2021, "1/1 1/18 2/15 4/2 5/31 7/5 9/6 11/25 12/24", "11/26" },
    { 2022, "1/17 2/21 4/15 5/30 6/20 7/4 9/5 11/24 12/26", "11/25" },
    { 2023, "1/2 1/16 2/20 4/7 5/29 6/19 7/4 9/4 11/23 12/25", "7/3 11/24" },
    { 2024, "1/1 1/15 2/19 3/29 5/27 6/19 7/4 9/2 11/28 12/25", "7/3 11/29 12/24" },
    { 2025, "1/1 1/9 1/20 2/17 4/18 5/26 6/19 7/4 9/1 11/27 12/25", "7/3 11/28 12/24" },
    { 2026, "1/1 1/19 2/16 4/3 5/25 6/19 7/3 9/7 11/26 12/25", "11/27 12/24" },
    { 2027, "1/1 1/18 2/15 3/26 5/31 6/18 7/5 9/6 11/25 12/24", "11/26" },
};
static const struct year cn_years[] = {
    { 2024,
      "1/1 2/9 2/12 2/13 2/14 2/15 2/16 4/4 4/5 5/1 5/2 5/3 6/10 9/16 9/17 10/1 10/2 10/3 "
      "10/4 10/7",
      "" },
    { 2025, "1/1 1/28 1/29 1/30 1/31 2/3 2/4 4/4 5/1 5/2 5/5 6/2 10/1 10/2 10/3 10/6 10/7 10/8",
      "" },
    { 2026,
      "1/1 1/2 2/16 2/17 2/18 2/19 2/20 2/23 4/6 5/1 5/4 5/5 6/19 9/25 10/1 10/2 10/5 10/6 "
      "10/7",
      "" },
};

/* Each day of a year: open or not, and until when. */
static void year_check(const char *name, const struct year *y, int open_min, int close_min,
                       int early_min) {
    static struct mk_session s;
    assert_true(mk_session_named(name, &s));
    for (int64_t ns = day_ns(y->year, 1, 1); ns < day_ns(y->year + 1, 1, 1); ns += DAY_NS) {
        const int weekday = (int)((ns / DAY_NS + 3) % 7);
        const bool open = weekday < 5 && !listed(y->closed, ns);
        const int64_t midnight_ns = ns - mk_session_offset(&s, ns + DAY_NS / 2);
        const int close = listed(y->early, ns) ? early_min : close_min;
        const bool fine = !mk_session_holds(&s, midnight_ns + open_min * MINUTE_NS - 1) &&
                          mk_session_holds(&s, midnight_ns + open_min * MINUTE_NS) == open &&
                          mk_session_holds(&s, midnight_ns + close * MINUTE_NS - 1) == open &&
                          !mk_session_holds(&s, midnight_ns + close * MINUTE_NS) &&
                          mk_session_expects(&s, ns, DAY_NS) == open &&
                          mk_session_knows(&s, midnight_ns);
        if (!fine)
            fail_msg("%s: day %d of %d", name, (int)((ns - day_ns(y->year, 1, 1)) / DAY_NS),
                     y->year);
    }
}

/* The exchanges' lists. */
static void test_lists(void **state) {
    (void)state;
    static struct mk_session s;
    for (size_t i = 0; i < sizeof us_years / sizeof us_years[0]; i++)
        year_check("us_equity", &us_years[i], 570, 960, 780);
    for (size_t i = 0; i < sizeof cn_years / sizeof cn_years[0]; i++)
        year_check("cn_a", &cn_years[i], 570, 900, 900);
    assert_true(mk_session_named("cn_a", &s)); /* the lunch break, China's time is UTC+8 */
    assert_true(mk_session_holds(&s, day_ns(2024, 3, 1) + 210 * MINUTE_NS - 1));
    assert_false(mk_session_holds(&s, day_ns(2024, 3, 1) + 210 * MINUTE_NS));
    assert_false(mk_session_holds(&s, day_ns(2024, 3, 1) + 300 * MINUTE_NS - 1));
    assert_true(mk_session_holds(&s, day_ns(2024, 3, 1) + 300 * MINUTE_NS));
    assert_true(mk_session_knows(&s, day_ns(2026, 12, 30)));
    assert_false(mk_session_knows(&s, day_ns(2027, 1, 4))); /* not announced: not guessed */
    assert_true(mk_session_named("lse", &s)); /* 2022-06-02, 03: the jubilee; 09-19: the funeral */
    assert_false(mk_session_expects(&s, day_ns(2022, 6, 3), DAY_NS));
    assert_false(mk_session_expects(&s, day_ns(2022, 9, 19), DAY_NS));
    assert_true(mk_session_holds(&s, day_ns(2022, 7, 1) + 420 * MINUTE_NS)); /* 08:00 BST */
    assert_true(mk_session_named("24x7", &s));
    assert_true(mk_session_holds(&s, day_ns(2199, 1, 1)) &&
                mk_session_knows(&s, day_ns(2199, 1, 1)));
    assert_false(mk_session_named("nobody", &s));
}

/* zone_of reads a session of a zone. */
static void zone_of(const char *zone, struct mk_session *s) {
    struct rt_config *tree;
    struct rt_error err;
    char text[100];
    bool there;
    snprintf(text, sizeof text, "session: {zone: %s}", zone);
    assert_int_equal(rt_config_parse("s", text, strlen(text), &tree, &err), 0);
    if (mk_session_read(rt_config_root(tree), "session", s, &there, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(there);
    rt_config_close(tree);
}

/* Daylight saving, as the C library has it. */
static void test_zones(void **state) {
    (void)state;
    static const struct {
        const char *zone, *posix; /* ours, the library's */
        int from, until;          /* years the rule holds for */
    } cases[] = {
        { "America/New_York", "EST5EDT,M3.2.0,M11.1.0", 2007, 2100 },
        { "America/New_York", "EST5EDT,M4.1.0,M10.5.0", 1987, 2007 },
        { "America/Chicago", "CST6CDT,M3.2.0,M11.1.0", 2007, 2100 },
        { "Europe/London", "GMT0BST,M3.5.0/1,M10.5.0", 1996, 2100 },
        { "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3", 1996, 2100 },
        { "Asia/Shanghai", "CST-8", 1992, 2100 },
    };
    static struct mk_session s;
    const char *before = getenv("TZ");
    uint64_t gen = 7;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        zone_of(cases[i].zone, &s);
        setenv("TZ", cases[i].posix, 1);
        tzset();
        const int64_t low = day_ns(cases[i].from, 1, 1) / 1000000000;
        const int64_t high = day_ns(cases[i].until, 1, 1) / 1000000000;
        for (int n = 0; n < 20000; n++) {
            const time_t at = (time_t)gen_range(&gen, low, high - 1);
            struct tm tm;
            localtime_r(&at, &tm);
            const int64_t got = mk_session_offset(&s, (int64_t)at * 1000000000);
            if (got != (int64_t)tm.tm_gmtoff * 1000000000)
                fail_msg("%s at %lld", cases[i].zone, (long long)at);
        }
    }
    if (before != NULL) {
        setenv("TZ", before, 1);
    } else {
        unsetenv("TZ");
    }
    tzset();
}

/* naive_missing looks at every minute, or day, between two bars. */
static int64_t naive_missing(const struct mk_session *s, int64_t from, int64_t until,
                             int64_t interval) {
    int64_t cnt = 0;
    if (interval % DAY_NS == 0) {
        for (int64_t ns = from + interval; ns < until; ns += interval)
            cnt += mk_session_expects(s, ns, interval);
        return cnt;
    }
    const bool one_grid = (until - from) % interval == 0;
    for (int64_t ns = from + MINUTE_NS; ns < until; ns += MINUTE_NS) {
        cnt += one_grid ? (ns - from) % interval == 0 && mk_session_holds(s, ns)
                        : mk_session_begins(s, ns, interval);
    }
    return cnt;
}

/* Random bars against the twin, in every named session and at random hours. */
static void test_missing(void **state) {
    (void)state;
    static const char *const names[] = { "us_equity", "cn_a", "uk_equity", "24x7" };
    static const int minutes[] = { 1, 5, 15, 30, 60, 120, 240, 1440, 10080 };
    static struct mk_session s;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        uint64_t gen = seed;
        CHECK(seed, mk_session_named(names[seed % 4], &s));
        if (seed % 3 == 0) { /* other hours, one window perhaps over midnight */
            s.window_cnt = 1;
            s.from_ns[0] = gen_range(&gen, 0, 1439) * MINUTE_NS;
            s.until_ns[0] = gen_range(&gen, 1, 1440) * MINUTE_NS;
            if (s.from_ns[0] == s.until_ns[0]) continue;
        }
        const int64_t interval = minutes[gen_range(&gen, 0, 8)] * MINUTE_NS;
        int64_t from = day_ns((int)gen_range(&gen, 1996, 2025), 1, 1);
        from += gen_range(&gen, 0, 360) * DAY_NS;
        if (interval < DAY_NS)
            from += gen_range(&gen, 240, 1439) * MINUTE_NS; /* not as clocks turn */
        const int64_t more = gen_range(&gen, 1, interval < DAY_NS ? 9000 : 60 * 1440) * MINUTE_NS;
        int64_t until = from + (seed % 2 ? more : (more / interval + 1) * interval);
        if (interval >= DAY_NS) until = from + (more / interval + 1) * interval;
        bool turned = false; /* a clock turns between: windows near it are placed by noon */
        for (int64_t ns = from; ns < until + DAY_NS; ns += DAY_NS / 4)
            turned = turned || mk_session_offset(&s, ns) != mk_session_offset(&s, from);
        if (turned && seed % 3 == 0) continue;
        const int64_t got = mk_session_missing(&s, from, until, interval);
        const int64_t want = naive_missing(&s, from, until, interval);
        if (got != want)
            fail_msg("seed %d: %lld, expected %lld", (int)seed, (long long)got, (long long)want);
    }
}

/* Bars of an hour, whose grid begins again after lunch. */
static void test_hours(void **state) {
    (void)state;
    static struct mk_session s;
    const int64_t hour = 60 * MINUTE_NS, day = day_ns(2024, 3, 1) - 8 * hour; /* a Friday */
    assert_true(mk_session_named("cn_a", &s));
    const int64_t a = day + 630 * MINUTE_NS, b = day + 780 * MINUTE_NS; /* 10:30, 13:00 */
    assert_true(mk_session_begins(&s, a, hour) && mk_session_begins(&s, b, hour));
    assert_false(mk_session_begins(&s, day + 690 * MINUTE_NS, hour)); /* 11:30: lunch */
    assert_false(mk_session_begins(&s, day + 600 * MINUTE_NS, hour)); /* 10:00: off its grid */
    assert_int_equal(mk_session_missing(&s, a, b, hour), 0);
    assert_int_equal(mk_session_missing(&s, a, day + 840 * MINUTE_NS, hour), 1);
    const int64_t monday = day + 3 * DAY_NS + 570 * MINUTE_NS;
    assert_int_equal(mk_session_missing(&s, day + 840 * MINUTE_NS, monday, hour), 0);
    assert_int_equal(mk_session_missing(&s, day + 840 * MINUTE_NS, monday + DAY_NS, hour), 4);
    assert_int_equal(mk_session_missing(&s, day_ns(2024, 3, 1), day_ns(2024, 3, 4), DAY_NS), 0);
    assert_int_equal(mk_session_missing(&s, day_ns(2024, 3, 1), day_ns(2024, 3, 6), DAY_NS), 2);
    assert_true(mk_session_begins(&s, day_ns(2024, 3, 1), DAY_NS));
    assert_true(mk_session_begins(&s, day, DAY_NS));
    assert_false(mk_session_begins(&s, day + hour, DAY_NS));
}

/* What is declared, and what is refused. */
static void test_declared(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *says; /* session, part of the sentence */
    } wrong[] = {
        { "session: nasdoq", "is no session; expected us_equity" },
        { "session: {like: nasdoq}", "session.like: is no session" },
        { "session: {zone: Mars/Olympus}", "session.zone: is not known" },
        { "session: {zone: UTC, offset: \"+01:00\"}", "goes without zone" },
        { "session: {closed: [2024-02-30]}", "session.closed[0]: expected a day" },
        { "session: {closed: 2024-02-20}", "session.closed" },
        { "session: {early: {2024-12-24: \"1pm\"}}", "expected a time" },
        { "session: {early: {christmas: \"13:00\"}}", "expected a day" },
        { "session: {until: later}", "session.until: expected a day" },
        { "session: {holidays: []}", "session.holidays: is not a known key" },
    };
    static struct mk_session s;
    struct rt_config *tree;
    struct rt_error err;
    bool there;
    const char *yaml = "session: {like: us_equity, hours: \"04:00-20:00\", closed: [2028-01-17], "
                       "early: {2028-11-24: \"13:00\"}, until: 2028-12-31}";
    assert_int_equal(rt_config_parse("s", yaml, strlen(yaml), &tree, &err), 0);
    if (mk_session_read(rt_config_root(tree), "session", &s, &there, &err) != 0)
        fail_msg("%s", err.text);
    rt_config_close(tree);
    assert_true(mk_session_holds(&s, day_ns(2024, 7, 1) + 480 * MINUTE_NS));   /* 04:00 EDT */
    assert_false(mk_session_holds(&s, day_ns(2024, 7, 3) + 1020 * MINUTE_NS)); /* 13:00 EDT */
    assert_false(mk_session_expects(&s, day_ns(2028, 1, 17), DAY_NS));
    assert_true(mk_session_knows(&s, day_ns(2028, 6, 1)));
    assert_false(mk_session_knows(&s, day_ns(2029, 1, 3)));
    char known[32];
    mk_session_known(&s, known);
    assert_string_equal(known, "1990-01-01 to 2028-12-31");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(rt_config_parse("s", wrong[i].yaml, strlen(wrong[i].yaml), &tree, &err),
                         0);
        if (mk_session_read(rt_config_root(tree), "session", &s, &there, &err) == 0)
            fail_msg("passed: %s", wrong[i].yaml);
        if (strstr(err.text, wrong[i].says) == NULL) fail_msg("%s", err.text);
        rt_config_close(tree);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),    cmocka_unit_test(test_zones),
        cmocka_unit_test(test_missing),  cmocka_unit_test(test_hours),
        cmocka_unit_test(test_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
