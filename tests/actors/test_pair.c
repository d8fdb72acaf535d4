/* rig: drives the host alone.
 *
 * Goal: the pair strategy enters and leaves exactly when the rule in pair.c says, by bars and by
 * its timers, and never stays with one leg alone.
 * Method: a textbook twin in long double over seeded walks, with recoveries between; the mishaps
 * (a refused leg, a pause, a missing bar, a jump of the ratio) one by one. */
#include "tests/support/strategy.h"
#include <math.h>
#include <stdio.h>

enum {
    BARS_MAX = 900,   /* pairs of bars of one case */
    EVENTS_MAX = 500, /* decisions of one case */
};

/* One decision: both legs at one instant. */
struct event {
    int64_t now_ns;  /* when */
    uint16_t reason; /* REASON_* */
    int side;        /* +1 buys the first, -1 sells it, 0 leaves */
};

/* The twin. */
struct twin {
    long double ratios[BARS_MAX];    /* all so far */
    int cnt;                         /* how many */
    int window;                      /* length */
    long double in, out, stop;       /* entry_z, exit_z, stop_z */
    int64_t hold_ns, due_ns;         /* longest time; when it ends */
    int side;                        /* as in an event */
    bool armed;                      /* may enter */
    bool unclear;                    /* a z so near a bound that doubles may decide otherwise */
    struct event events[EVENTS_MAX]; /* decisions */
    int event_cnt;                   /* how many */
};

/* twin_say notes a decision. */
static void twin_say(struct twin *t, int64_t now_ns, uint16_t reason, int side) {
    assert_true(t->event_cnt < EVENTS_MAX);
    t->events[t->event_cnt++] = (struct event){ now_ns, reason, side };
    t->armed = reason == REASON_SIGNAL_SPREAD_BACK;
    t->side = side;
    t->due_ns = now_ns + t->hold_ns;
}

/* twin_z works out z as a textbook does. */
static long double twin_z(struct twin *t) {
    long double mean = 0, var = 0;
    const long double *last = t->ratios + t->cnt - t->window;
    for (int i = 0; i < t->window; i++) mean += last[i] / t->window;
    for (int i = 0; i < t->window; i++) var += (last[i] - mean) * (last[i] - mean) / t->window;
    if (var == 0) return 0;
    long double z = (t->ratios[t->cnt - 1] - mean) / sqrtl(var), far = fabsl(z);
    if (fabsl(far - t->in) < 1e-5L || fabsl(far - t->out) < 1e-5L || fabsl(far - t->stop) < 1e-5L) {
        t->unclear = true;
    }
    return z;
}

/* twin_bars hears two closes at now_ns. */
static void twin_bars(struct twin *t, int64_t now_ns, int64_t a, int64_t b) {
    if (t->side != 0 && t->due_ns < now_ns) twin_say(t, t->due_ns, REASON_SIGNAL_TIME_EXIT, 0);
    t->ratios[t->cnt++] = (long double)a / b;
    if (t->cnt < t->window) return;
    long double z = twin_z(t);
    if (t->side != 0) {
        long double far = t->side > 0 ? -z : z;
        if (far <= t->out) {
            twin_say(t, now_ns, REASON_SIGNAL_SPREAD_BACK, 0);
        } else if (t->stop != 0 && far >= t->stop) {
            twin_say(t, now_ns, REASON_SIGNAL_STOP_LOSS, 0);
        }
        return;
    }
    if (fabsl(z) <= t->out) t->armed = true;
    if (!t->armed || fabsl(z) < t->in || (t->stop != 0 && fabsl(z) >= t->stop)) return;
    twin_say(t, now_ns, REASON_SIGNAL_SPREAD_WIDE, z > 0 ? -1 : 1);
}

/* make opens a host with pair on BTC-PERP and ETH-PERP and these parameters. */
static struct mk_market *make(struct rig *r, const char *params) {
    char yaml[512];
    snprintf(yaml, sizeof yaml,
             "{class: pair, instruments: [BTC-PERP, ETH-PERP], interval: 1m, account: main, "
             "sizing: {fixed: 1}, params: {%s}}",
             params);
    struct mk_market *m = market_open();
    *r = (struct rig){ .self = 5 };
    rig_series(r, MSG_BAR, BTC_PERP, MINUTE_NS);
    rig_series(r, MSG_BAR, ETH_PERP, MINUTE_NS);
    struct rt_error err = { 0 };
    int rc = rig_open(r, &strategy_kind, yaml, m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    rig_start(r, 0);
    return m;
}

/* tell tells the bars of a minute to both legs. */
static void tell(struct rig *r, int64_t minute, int64_t a, int64_t b) {
    static struct msg_bar bars[2][BARS_MAX]; /* the rig keeps a pointer to the newest */
    bars[0][minute] = bar_at(BTC_PERP, minute, a);
    bars[1][minute] = bar_at(ETH_PERP, minute, b);
    if (a > 0) rig_rows(r, 0, RT_HEAR_ROW, &bars[0][minute], 1);
    if (b > 0) rig_rows(r, 1, RT_HEAR_ROW, &bars[1][minute], 1);
}

/* fill_from fills all intents said since number *done. */
static void fill_from(struct rig *r, size_t *done) {
    for (const struct msg_order_intent *i; (i = intent_of(r, *done)) != NULL; ++*done) {
        tell_fill(r, i, 1000 * ONE);
    }
}

/* check_events compares what was said with what the twin decided. */
static void check_events(uint64_t seed, const struct rig *r, const struct twin *t) {
    CHECK(seed, rig_count(r, MSG_DECISION_PACKET) == (size_t)t->event_cnt * 2);
    for (int i = 0; i < t->event_cnt; i++) {
        const struct event *e = &t->events[i];
        for (int leg = 0; leg < 2; leg++) {
            const struct st_packet_head *p = packet_of(r, (size_t)(2 * i + leg));
            CHECK(seed, p->generated_at_utc == e->now_ns);
            CHECK(seed, p->reason[0] == e->reason);
            CHECK(seed, p->reason_cnt == 1);
            int side = leg == 0 ? e->side : -e->side;
            CHECK(seed, p->action == (side > 0   ? ACTION_LONG
                                      : side < 0 ? ACTION_SHORT
                                                 : ACTION_WAIT));
        }
    }
}

/* Decisions are the twin's. */
static void test_agrees_with_twin(void **state) {
    (void)state;
    static struct twin t;
    long decisions[100] = { 0 };
    int unclear = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t gen = seed;
        t = (struct twin){ .window = (int)gen_range(&gen, 10, 80),
                           .in = gen_range(&gen, 10, 20) / 10.0L,
                           .out = gen_range(&gen, 0, 9) / 10.0L,
                           .stop = gen_range(&gen, 0, 1) ? 2.5L : 0,
                           .hold_ns = gen_range(&gen, 2, 40) * MINUTE_NS + 30000000000,
                           .armed = true };
        char params[200];
        snprintf(params, sizeof params,
                 "window: %d, entry_z: %.1Lf, exit_z: %.1Lf, stop_z: %.1Lf, max_hold: %llds, "
                 "check: 7m",
                 t.window, t.in, t.out, t.stop, (long long)(t.hold_ns / 1000000000));
        struct rig r;
        struct mk_market *m = make(&r, params);
        int64_t scale = seed % 3 == 0 ? 1 : seed % 3 == 1 ? ONE / 100 : 50000 * ONE;
        int64_t base = gen_range(&gen, 500, 2000), gap = 0;
        size_t done = 0;
        for (int i = 0; i < BARS_MAX && !t.unclear; i++) {
            base += gen_range(&gen, -3, 3);
            if (base < 300) base = 300;
            gap += gen_range(&gen, -4, 4) - gap / 12;
            int64_t a = (base + gap) * 1000 * ONE, b = base * scale;
            tell(&r, i, a, b);
            fill_from(&r, &done);
            twin_bars(&t, (i + 1) * MINUTE_NS, a, b);
            if (gen_range(&gen, 0, 30) == 0) rig_reload(&r);
            CHECK(seed, st_position(r.state, 0) == t.side * ONE);
            CHECK(seed, st_position(r.state, 1) == -t.side * ONE);
        }
        unclear += t.unclear;
        if (!t.unclear) check_events(seed, &r, &t);
        for (int i = 0; i < t.event_cnt; i++) decisions[t.events[i].reason]++;
        rig_close(&r);
        mk_market_close(m);
    }
    printf("seeds 1..60: wide %ld, back %ld, time %ld, stop %ld, unclear %d\n",
           decisions[REASON_SIGNAL_SPREAD_WIDE], decisions[REASON_SIGNAL_SPREAD_BACK],
           decisions[REASON_SIGNAL_TIME_EXIT], decisions[REASON_SIGNAL_STOP_LOSS], unclear);
    assert_true(decisions[REASON_SIGNAL_SPREAD_BACK] > 100);
    assert_true(decisions[REASON_SIGNAL_TIME_EXIT] > 50);
    assert_true(decisions[REASON_SIGNAL_STOP_LOSS] > 20);
    assert_true(unclear < 10);
}

/* warm tells 19 quiet minutes and then one that calls for selling the first leg. Window 10. */
static void warm(struct rig *r) {
    for (int i = 0; i < 19; i++) tell(r, i, (2000 + i % 2) * ONE, 1000 * ONE);
    rig_forget(r);
    tell(r, 19, 2010 * ONE, 1000 * ONE);
}

static const char *const params_10 = "window: 10, entry_z: 2, stop_z: 0, max_hold: 30m, check: 5m";

/* A refused leg is not left alone: the check closes the other one. */
static void test_one_leg(void **state) {
    (void)state;
    struct rig r;
    struct mk_market *m = make(&r, params_10);
    warm(&r);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    struct msg_order_intent a = *intent_of(&r, 0), b = *intent_of(&r, 1);
    assert_int_equal(a.side, SIDE_SELL);
    assert_int_equal(b.side, SIDE_BUY);
    assert_int_equal(a.reason, REASON_SIGNAL_SPREAD_WIDE);
    tell_fill(&r, &a, 2010 * ONE);
    rig_forget(&r);
    rig_until(&r, 25 * MINUTE_NS + 1); /* one order is still open: nothing */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    tell_state(&r, &b, ORDER_STATUS_REJECTED, 0, REASON_MAX_POSITION);
    rig_until(&r, 30 * MINUTE_NS + 1);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 1);
    assert_int_equal(intent_of(&r, 0)->instrument, BTC_PERP);
    assert_int_equal(intent_of(&r, 0)->side, SIDE_BUY);
    assert_int_equal(intent_of(&r, 0)->terms, ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY);
    struct msg_order_intent out = *intent_of(&r, 0);
    tell_state(&r, &out, ORDER_STATUS_REJECTED, 0, REASON_ORDER_RATE);
    rig_forget(&r);
    rig_until(&r, 35 * MINUTE_NS + 1); /* refused too: the next check tries again */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 1);
    out = *intent_of(&r, 0);
    tell_fill(&r, &out, 2000 * ONE);
    rig_forget(&r);
    rig_until(&r, 100 * MINUTE_NS);
    assert_int_equal(r.said_cnt, 0);
    rig_close(&r);
    mk_market_close(m);
}

/* Both refused: flat again, without an order. */
static void test_no_leg(void **state) {
    (void)state;
    struct rig r;
    struct mk_market *m = make(&r, params_10);
    warm(&r);
    struct msg_order_intent a = *intent_of(&r, 0), b = *intent_of(&r, 1);
    tell_state(&r, &a, ORDER_STATUS_REJECTED, 0, REASON_KILL_SWITCH);
    tell_state(&r, &b, ORDER_STATUS_REJECTED, 0, REASON_KILL_SWITCH);
    rig_forget(&r);
    rig_until(&r, 100 * MINUTE_NS); /* not even at the longest time */
    assert_int_equal(r.said_cnt, 0);
    rig_close(&r);
    mk_market_close(m);
}

/* An entry that fills although it was canceled is closed by the check. */
static void test_stray(void **state) {
    (void)state;
    struct rig r;
    struct mk_market *m = make(&r, params_10);
    warm(&r);
    struct msg_order_intent a = *intent_of(&r, 0), b = *intent_of(&r, 1);
    take_all(&r);
    rig_forget(&r);
    rig_until(&r, 50 * MINUTE_NS); /* the longest time, and still nothing filled: both canceled */
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 2);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    tell_state(&r, &a, ORDER_STATUS_CANCELED, 0, REASON_BY_STRATEGY);
    tell_fill(&r, &b, 1000 * ONE);
    rig_forget(&r);
    rig_until(&r, 55 * MINUTE_NS);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 1);
    assert_int_equal(intent_of(&r, 0)->instrument, ETH_PERP);
    assert_int_equal(intent_of(&r, 0)->side, SIDE_SELL);
    assert_int_equal(intent_of(&r, 0)->terms, ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY);
    rig_close(&r);
    mk_market_close(m);
}

/* Held for the longest time, but paused: it leaves at the first check after. */
static void test_paused(void **state) {
    (void)state;
    struct rig r;
    struct mk_market *m = make(&r, params_10);
    size_t done = 0;
    warm(&r);
    fill_from(&r, &done);
    struct msg_command c = { .op = COMMAND_OP_PAUSE, .target = 5 };
    rig_hear(&r, MSG_COMMAND, 0, &c, sizeof c);
    rig_forget(&r);
    rig_until(&r, 61 * MINUTE_NS); /* entered at 20, over at 50 */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&r, 0)->reason[0], REASON_SIGNAL_TIME_EXIT);
    assert_int_equal(packet_of(&r, 0)->reason[1], REASON_PAUSED);
    assert_int_equal(packet_of(&r, 0)->generated_at_utc, 50 * MINUTE_NS);
    c.op = COMMAND_OP_RESUME;
    rig_hear(&r, MSG_COMMAND, 0, &c, sizeof c);
    rig_forget(&r);
    tell(&r, 62, 1995 * ONE, 1000 * ONE); /* back at its mean: the check goes on with it */
    rig_until(&r, 64 * MINUTE_NS);
    assert_int_equal(r.said_cnt, 0);
    rig_until(&r, 65 * MINUTE_NS);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    done = 0;
    fill_from(&r, &done);
    rig_forget(&r);
    rig_until(&r, 200 * MINUTE_NS);
    assert_int_equal(r.said_cnt, 0);
    assert_int_equal(st_position(r.state, 0), 0);
    rig_close(&r);
    mk_market_close(m);
}

/* Only bars of one instant make a ratio; a ratio that jumps out of range begins anew. */
static void test_gaps(void **state) {
    (void)state;
    struct rig r;
    struct mk_market *m = make(&r, params_10);
    struct st_signal s;
    int64_t at = 0;
    for (; at < 40; at++) { /* now the one, now the other */
        tell(&r, at, at % 2 ? 0 : 2000 * ONE, at % 2 ? 1000 * ONE : 0);
    }
    for (int i = 0; i < 10; i++, at++) {
        assert_true(st_host_evaluate(&r.ctx, r.state, 0, &s));
        assert_int_equal(s.reason, REASON_WARMING_UP);
        tell(&r, at, 2000 * ONE + at % 3, 1000 * ONE);
    }
    assert_true(st_host_evaluate(&r.ctx, r.state, 0, &s));
    assert_int_not_equal(s.reason, REASON_WARMING_UP);
    tell(&r, at++, 2000 * ONE, 1); /* the ratio is 1e11 times as much: another scale */
    assert_true(st_host_evaluate(&r.ctx, r.state, 0, &s));
    assert_int_equal(s.reason, REASON_WARMING_UP);
    for (int i = 0; i < 9; i++, at++) tell(&r, at, 2000 * ONE + at % 2, 1);
    assert_true(st_host_evaluate(&r.ctx, r.state, 0, &s));
    assert_int_not_equal(s.reason, REASON_WARMING_UP);
    rig_close(&r);
    mk_market_close(m);
}

/* Closes at the ends of their range do no harm. */
static void test_extremes(void **state) {
    (void)state;
    static const int64_t ends[] = { 1, 2, 3, INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, ONE };
    uint64_t gen = 77;
    struct rig r;
    struct mk_market *m = make(&r, "window: 10, entry_z: 0.5, exit_z: 0, stop_z: 0, check: 1h");
    for (int i = 0; i < BARS_MAX; i++) {
        int steady = i / 30; /* the same pair for a while, so that windows fill */
        int64_t a = ends[(i % 3 ? steady : (int)gen_range(&gen, 0, 6)) % 7];
        tell(&r, i, a, ends[steady * 3 % 7]);
    }
    rig_close(&r);
    mk_market_close(m);
}

/* Parameters that contradict each other. */
static void test_refusals(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "entry_z: 1, exit_z: 1", "exit_z is not below entry_z" },
        { "entry_z: 5", "stop_z is not above entry_z" },
        { "window: 9", "window" },
        { "window: 1001", "window" },
        { "max_hold: 1s", "max_hold" },
        { "entry: 2", "entry_z" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[300];
        struct rig r = { 0 };
        struct rt_error err = { 0 };
        struct mk_market *m = market_open();
        snprintf(yaml, sizeof yaml,
                 "{class: pair, instruments: [BTC-PERP, ETH-PERP], interval: 1m, account: main, "
                 "sizing: {fixed: 1}, params: {%s}}",
                 cases[i][0]);
        rig_series(&r, MSG_BAR, BTC_PERP, MINUTE_NS);
        rig_series(&r, MSG_BAR, ETH_PERP, MINUTE_NS);
        assert_true(rig_open(&r, &strategy_kind, yaml, m, &err) < 0);
        if (!strstr(err.text, cases[i][1])) print_error("%s\n", err.text);
        assert_non_null(strstr(err.text, cases[i][1]));
        rig_close(&r);
        mk_market_close(m);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_twin),
        cmocka_unit_test(test_one_leg),
        cmocka_unit_test(test_no_leg),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_stray),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
