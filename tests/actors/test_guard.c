/* Goal    a series that cannot be believed is stopped for the right reason, at the right bar, and
 *         goes on when it is calm again.
 * Method  hand-made series with one fault each; random series against a naive twin that counts its
 *         window anew at every bar. */
#include "actors/data/guard.h"
#include "tests/support/check.h"
#include <errno.h>
#include <string.h>

/* One minute. */
#define MINUTE 60000000000LL

/* bar_of makes the bar of minute n, none like another. */
static struct msg_bar bar_of(int64_t n) {
    int64_t price = 10000000000LL + n % 97 * 1000000;
    return (struct msg_bar){ .open_ns = 1700000040000000000LL + n * MINUTE,
                             .interval_ns = MINUTE,
                             .open = price,
                             .high = price + 10,
                             .low = price - 10,
                             .close = price + 5,
                             .volume = 1 + (double)n };
}

/* guard_make makes a small guard: 20 places, 4 missing, 1 misaligned, 3 repeated, 1 jump, 5
 * calm. */
static struct data_guard guard_make(void) {
    struct data_guard_options o;
    struct data_guard g;
    data_guard_default(&o, MINUTE);
    o.window = 20;
    o.missing_max = 4;
    o.misaligned_max = 1;
    o.repeated_max = 3;
    o.jump_max = 1;
    o.calm = 5;
    assert_int_equal(data_guard_init(&g, &o), 0);
    return g;
}

/* Goal: each kind stops the series past its limit, and calm ends it. */
static void test_each_kind(void **state) {
    (void)state;
    struct data_guard g = guard_make();
    int64_t n = 0;
    for (; n < 10; n++) {
        struct msg_bar b = bar_of(n);
        assert_int_equal(data_guard_bar(&g, NULL, &b), REASON_NONE);
    }
    struct msg_bar b = bar_of(n += 4); /* four are missing: as many as may be */
    assert_int_equal(data_guard_bar(&g, NULL, &b), REASON_NONE);
    b = bar_of(n += 2); /* a fifth */
    assert_int_equal(data_guard_bar(&g, NULL, &b), REASON_DATA_MISSING);
    int bars = 0;
    do { /* places of the gap leave the window; then five calm bars have been */
        b = bar_of(++n);
        bars++;
    } while (data_guard_bar(&g, NULL, &b) != REASON_NONE);
    assert_int_equal(bars, 14); /* the first gap is the 11th place of 17: it leaves with the 31st */

    g = guard_make();
    b = bar_of(0);
    (void)data_guard_bar(&g, NULL, &b);
    for (int i = 1; i <= 2; i++) {
        b = bar_of(i);
        b.open_ns += 17;
        assert_int_equal(data_guard_bar(&g, NULL, &b),
                         i == 1 ? REASON_NONE : REASON_DATA_MISALIGNED);
    }
    g = guard_make(); /* from the first bar on: no grid is counted from such a one */
    for (int i = 0; i < 3; i++) {
        b = bar_of(i);
        b.open_ns += 1000000000;
        assert_int_equal(data_guard_bar(&g, NULL, &b),
                         i == 0 ? REASON_NONE : REASON_DATA_MISALIGNED);
    }
    assert_int_equal(g.counts[1], 3);

    g = guard_make();
    b = bar_of(0);
    (void)data_guard_bar(&g, NULL, &b);
    for (int i = 1; i <= 2; i++) {
        b = bar_of(i);
        b.open_ns += 17;
        (void)data_guard_bar(&g, NULL, &b);
    }
    b = bar_of(0); /* a time that goes back is one, too */
    assert_int_equal(data_guard_bar(&g, NULL, &b), REASON_DATA_MISALIGNED);
    assert_int_equal(g.counts[1], 3);

    g = guard_make();
    b = bar_of(3);
    for (int i = 0; i < 5; i++, b.open_ns += MINUTE)
        assert_int_equal(data_guard_bar(&g, NULL, &b), i < 4 ? REASON_NONE : REASON_DATA_REPEATED);
    g = guard_make();
    b.volume = 0; /* nothing was traded: that is no fault */
    for (int i = 0; i < 50; i++, b.open_ns += MINUTE)
        assert_int_equal(data_guard_bar(&g, NULL, &b), REASON_NONE);

    g = guard_make();
    for (int i = 0; i < 3; i++) {
        b = bar_of(i);
        if (i == 1) b.open = b.high = b.low = b.close = b.close * 2; /* up, and down again */
        assert_int_equal(data_guard_bar(&g, NULL, &b), i < 2 ? REASON_NONE : REASON_DATA_JUMPS);
    }
}

/* Goal: what stands past the limit between bars is told, and figures out of range are refused. */
static void test_late_and_ranges(void **state) {
    (void)state;
    struct data_guard g = guard_make();
    assert_int_equal(data_guard_at(&g, NULL, INT64_MAX / 2), REASON_NONE); /* none has come yet */
    struct msg_bar b = bar_of(0);
    (void)data_guard_bar(&g, NULL, &b);
    assert_int_equal(data_guard_at(&g, NULL, b.open_ns + 6 * MINUTE - 1), REASON_NONE);
    assert_int_equal(data_guard_at(&g, NULL, b.open_ns + 6 * MINUTE), REASON_DATA_LATE);
    struct data_guard_options o;
    for (int i = 0; i < 8; i++) {
        data_guard_default(&o, MINUTE);
        assert_int_equal(data_guard_init(&g, &o), 0);
        switch (i) {
        case 0: o.interval_ns = 0; break;
        case 1: o.window = 1; break;
        case 2: o.window = DATA_GUARD_WINDOW_MAX + 1; break;
        case 3: o.missing_max = o.window; break;
        case 4: o.jump_bps = 0; break;
        case 5: o.calm = 0; break;
        case 6: o.repeated_max = UINT32_MAX; break;
        default: o.interval_ns = INT64_MAX; break;
        }
        assert_int_equal(data_guard_init(&g, &o), -EINVAL);
    }
}

/* Goal: the guard counts what a twin counts that keeps all places and judges them anew at each bar.
 * Method: random faults. */
static void test_against_twin(void **state) {
    (void)state;
    enum { PLACES = 6000 };
    for (uint64_t seed = 1; seed <= 60; seed++) {
        static uint8_t places[PLACES];
        uint64_t gen = seed, cnt = 0;
        struct data_guard g = guard_make();
        int64_t n = 0;
        struct msg_bar before = bar_of(0);
        (void)data_guard_bar(&g, NULL, &before);
        places[cnt++] = 0;
        uint32_t calm = 1;
        uint16_t reason = REASON_NONE;
        for (int i = 0; i < 600; i++) {
            uint8_t faults = 0;
            int64_t skip = gen_range(&gen, 0, 12) == 0 ? gen_range(&gen, 1, 8) : 0;
            struct msg_bar b = bar_of(n + 1 + skip);
            int64_t draw = gen_range(&gen, 0, 25);
            if (draw == 0) {
                b.open_ns += gen_range(&gen, 1, 1000);
                skip = 0;
            } else {
                n += 1 + skip;
                if (draw == 1) {
                    int64_t ns = b.open_ns;
                    b = before;
                    b.open_ns = ns;
                }
                if (draw == 2) b.close = b.high = b.close * 3;
            }
            for (int64_t k = 0; draw != 0 && k < skip; k++) places[cnt++] = 1;
            if (draw == 0) {
                faults = places[cnt++] = 2;
            } else {
                double a = (double)b.open / (double)before.close - 1;
                double c = (double)b.close / (double)before.close - 1;
                bool jump = a > 0.1 || a < -0.1 || c > 0.1 || c < -0.1;
                bool same = memcmp(&b.open, &before.open, 40) == 0;
                places[cnt] = (uint8_t)((same ? 4 : 0) | (jump ? 8 : 0));
                faults = (uint8_t)(places[cnt++] | (skip > 0 ? 1 : 0));
                before = b;
            }
            uint32_t counts[4] = { 0 };
            for (uint64_t k = cnt > 20 ? cnt - 20 : 0; k < cnt; k++) {
                for (int bit = 0; bit < 4; bit++) counts[bit] += (places[k] >> bit & 1U);
            }
            calm = faults == 0 ? calm + 1 : 0;
            uint16_t why = counts[0] > 4   ? REASON_DATA_MISSING
                           : counts[1] > 1 ? REASON_DATA_MISALIGNED
                           : counts[2] > 3 ? REASON_DATA_REPEATED
                           : counts[3] > 1 ? REASON_DATA_JUMPS
                                           : REASON_NONE;
            if (why != REASON_NONE && reason == REASON_NONE) reason = why;
            if (why == REASON_NONE && calm >= 5) reason = REASON_NONE;
            CHECK(seed, data_guard_bar(&g, NULL, &b) == reason);
            CHECK(seed, memcmp(counts, g.counts, sizeof counts) == 0);
        }
    }
}

/* Goal: a night is not missing where a session is known. Method: the bars that end one day of New
 * York's exchange (2023-11-14, 20:59 UTC) and begin the next; the 22nd, then the 24th, which is
 * short after Thanksgiving. */
static void test_session(void **state) {
    (void)state;
    static struct mk_session s;
    const int64_t last = -75, next = 976, day = 1440; /* minutes, as bar_of counts */
    assert_true(mk_session_named("us_equity", &s));
    for (int known = 0; known < 2; known++) {
        const struct mk_session *session = known ? &s : NULL;
        struct data_guard g = guard_make();
        struct msg_bar b = bar_of(last - 1);
        (void)data_guard_bar(&g, session, &b);
        b = bar_of(last);
        assert_int_equal(data_guard_bar(&g, session, &b), REASON_NONE);
        const int64_t night_ns = bar_of(next).open_ns - MINUTE;
        assert_int_equal(data_guard_at(&g, session, night_ns),
                         known ? REASON_NONE : REASON_DATA_LATE);
        const int64_t late_ns =
            bar_of(next).open_ns + 5 * MINUTE; /* four have not come, then five */
        if (known) {
            assert_int_equal(data_guard_at(&g, session, late_ns - 1), REASON_NONE);
            assert_int_equal(data_guard_at(&g, session, late_ns), REASON_DATA_LATE);
        }
        b = bar_of(next);
        assert_int_equal(data_guard_bar(&g, session, &b),
                         known ? REASON_NONE : REASON_DATA_MISSING);
        assert_int_equal(g.counts[0], known ? 0 : 19);
    }
    struct data_guard g = guard_make();
    struct msg_bar b = bar_of(last + 8 * day);
    (void)data_guard_bar(&g, &s, &b);
    b = bar_of(next + 9 * day + 2); /* the holiday between; two bars are missing */
    assert_int_equal(data_guard_bar(&g, &s, &b), REASON_NONE);
    assert_int_equal(g.counts[0], 2);
    b = bar_of(last + 10 * day - 180); /* 12:59 there, the last of the short day: 206 more */
    assert_int_equal(data_guard_bar(&g, &s, &b), REASON_DATA_MISSING);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_kind),
                                        cmocka_unit_test(test_late_and_ranges),
                                        cmocka_unit_test(test_against_twin),
                                        cmocka_unit_test(test_session) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
