/* rig: drives the host alone.
 *
 * Goal: the moving-average cross signals exactly when the rule in sma_cross.c says, whatever the
 * run lengths, restarts and parameter changes; stops and targets follow the position.
 * Method: a naive twin that sums the windows anew for each bar, over seeded closes with many ties
 * and over closes too large for 64-bit products. */
#include "tests/support/strategy.h"
#include <stdio.h>
#include <stdlib.h>

enum { BARS_MAX = 3000 }; /* closes of one case */

/* The naive twin. */
struct twin {
    int64_t closes[BARS_MAX]; /* all it has seen since the lengths were set */
    int cnt;                  /* how many */
    int fast, slow;           /* lengths */
    int relation;             /* -1, 0 or +1 */
};

/* twin_close adds a close; +1 or -1 when the averages cross, else 0. */
static int twin_close(struct twin *t, int64_t close) {
    t->closes[t->cnt++] = close;
    if (t->cnt < t->slow) return 0;
    __int128 fast = 0, slow = 0;
    for (int i = 0; i < t->fast; i++) fast += t->closes[t->cnt - 1 - i];
    for (int i = 0; i < t->slow; i++) slow += t->closes[t->cnt - 1 - i];
    __int128 a = fast * t->slow, b = slow * t->fast;
    int now = a > b ? 1 : a < b ? -1 : t->relation;
    int was = t->relation;
    t->relation = now;
    return was != 0 && now != was ? now : 0;
}

/* twin_set changes the lengths, keeping as many closes as the ring behind it may. */
static void twin_set(struct twin *t, int fast, int slow) {
    if (fast == t->fast && slow == t->slow) return;
    int kept = 2;
    while (kept < t->slow) kept *= 2;
    if (kept > t->cnt) kept = t->cnt;
    struct twin anew = { .fast = fast, .slow = slow };
    for (int i = t->cnt - kept; i < t->cnt; i++) {
        anew.relation = 0; /* no memory of ties before */
        (void)twin_close(&anew, t->closes[i]);
    }
    *t = anew;
}

/* set tells the host a new parameter. */
static void set(struct rig *r, uint16_t param, int64_t value) {
    struct msg_command m = { .op = COMMAND_OP_SET, .target = 5, .param = param, .value = value };
    rig_hear(r, MSG_COMMAND, 0, &m, sizeof m);
}

/* make opens a host with sma_cross on BTC-PERP and these parameters. */
static struct mk_market *make(struct rig *r, const char *params) {
    char yaml[512];
    snprintf(yaml, sizeof yaml,
             "{class: sma_cross, instruments: [BTC-PERP], interval: 1m, account: main, "
             "sizing: {fixed: 1}, params: {%s}}",
             params);
    struct mk_market *m = market_open();
    *r = (struct rig){ .self = 5 };
    rig_series(r, MSG_BAR, BTC_PERP, MINUTE_NS);
    struct rt_error err = { 0 };
    int rc = rig_open(r, &strategy_kind, yaml, m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    rig_start(r, 0);
    return m;
}

/* case_of draws the closes of a case: a walk in few steps, so that ties are frequent, or closes
 * near the top of 64 bits. */
static void case_of(uint64_t *gen, struct msg_bar *bars, int cnt) {
    int64_t step = gen_range(gen, 0, 1) ? ONE : INT64_C(9000000000000000000) / 40;
    int64_t at = 20;
    for (int i = 0; i < cnt; i++) {
        at += gen_range(gen, -1, 1);
        if (at < 1) at = 1;
        if (at > 40) at = 40;
        bars[i] = bar_at(BTC_PERP, i, at * step);
    }
}

/* Signals are the twin's, with runs of random length, recoveries and changed lengths between. */
static void test_agrees_with_twin(void **state) {
    (void)state;
    static struct msg_bar bars[BARS_MAX];
    static struct twin twin;
    long crossings = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        uint64_t gen = seed;
        int slow = (int)gen_range(&gen, 2, gen_range(&gen, 0, 9) ? 40 : 700);
        int fast = (int)gen_range(&gen, 1, slow - 1);
        int cnt = (int)gen_range(&gen, 1, slow > 40 ? BARS_MAX : 600);
        bool both = gen_range(&gen, 0, 1);
        case_of(&gen, bars, cnt);
        char params[100];
        snprintf(params, sizeof params, "fast: %d, slow: %d, short: %s", fast, slow,
                 both ? "true" : "false");
        struct rig r;
        struct mk_market *m = make(&r, params);
        twin = (struct twin){ .fast = fast, .slow = slow };
        for (int i = 0; i < cnt;) {
            int run = (int)gen_range(&gen, 1, 50);
            if (run > cnt - i) run = cnt - i;
            rig_forget(&r);
            rig_rows(&r, 0, RT_HEAR_ROW, bars + i, (uint32_t)run);
            size_t packet = 0;
            for (int k = i; k < i + run; k++) {
                int cross = twin_close(&twin, bars[k].close);
                if (cross == 0) continue;
                crossings++;
                const struct st_packet_head *p = packet_of(&r, packet++);
                CHECK(seed, p != NULL);
                CHECK(seed, p->generated_at_utc == (bars[k].open_ns + MINUTE_NS));
                CHECK(seed, p->reason[0] ==
                                (cross > 0 ? REASON_SIGNAL_CROSS_UP : REASON_SIGNAL_CROSS_DOWN));
                CHECK(seed, p->action == (cross > 0 ? ACTION_LONG
                                          : both    ? ACTION_SHORT
                                                    : ACTION_WAIT));
            }
            CHECK(seed, packet_of(&r, packet) == NULL);
            i += run;
            struct st_signal s;
            CHECK(seed, st_host_evaluate(&r.ctx, r.state, 0, &s));
            CHECK(seed, s.action == (twin.relation == 0  ? ST_WAIT
                                     : twin.relation > 0 ? ST_LONG
                                     : both              ? ST_SHORT
                                                         : ST_FLAT));
            if (gen_range(&gen, 0, 9) == 0) rig_reload(&r);
            if (gen_range(&gen, 0, 19) == 0) {
                int more = (int)gen_range(&gen, twin.fast + 1, twin.slow + 10);
                set(&r, 1, more);
                twin_set(&twin, twin.fast, more);
                int other = (int)gen_range(&gen, 1, more - 1);
                set(&r, 0, other);
                twin_set(&twin, other, more);
                set(&r, 0, more + 1); /* not below slow: refused */
            }
        }
        rig_close(&r);
        mk_market_close(m);
    }
    printf("%ld crossings, seeds 1..150\n", crossings);
    assert_true(crossings > 3000);
}

/* A case worked out by hand: fast 1, slow 2. */
static void test_by_hand(void **state) {
    (void)state;
    static const int closes[] = { 5, 5, 5, 6, 6, 5, 5, 6, 7, 7, 6 };
    /* relation:                  -  0  0  +  +  -  -  +  +  +  -      (a tie keeps it) */
    static const int signals[] = { 0, 0, 0, 0, 0, -1, 0, 1, 0, 0, -1 };
    struct rig r;
    struct mk_market *m = make(&r, "fast: 1, slow: 2");
    for (int i = 0; i < 11; i++) {
        struct msg_bar bar = bar_at(BTC_PERP, i, closes[i] * ONE);
        rig_forget(&r);
        rig_rows(&r, 0, RT_HEAR_ROW, &bar, 1);
        const struct st_packet_head *p = packet_of(&r, 0);
        assert_int_equal(p == NULL, signals[i] == 0);
        if (p) assert_int_equal(p->action, signals[i] > 0 ? ACTION_LONG : ACTION_WAIT);
    }
    rig_close(&r);
    mk_market_close(m);
}

/* tell tells one bar. */
static void tell(struct rig *r, int64_t *minute, int64_t close) {
    static struct msg_bar bars[100]; /* the rig keeps a pointer to the newest */
    bars[*minute] = bar_at(BTC_PERP, *minute, close * ONE);
    rig_rows(r, 0, RT_HEAR_ROW, &bars[(*minute)++], 1);
    take_all(r);
}

/* Where the fills of an order come to more than 64 bits hold, stop and target go by the mean of
 * all of them, in a strategy made anew between them too. */
static void test_protects_much(void **state) {
    (void)state;
    struct rig r;
    struct mk_market *m = make(&r, "fast: 1, slow: 2, stop_loss_pct: 2, take_profit_pct: 3.5");
    int64_t minute = 0;
    tell(&r, &minute, 1000);
    tell(&r, &minute, 999);
    tell(&r, &minute, 1000);
    struct msg_fill part = { .order_id = intent_of(&r, 0)->order_id,
                             .price = 1000 * ONE,
                             .quantity = ONE / 2,
                             .cum_quantity = ONE / 2,
                             .cum_cost = 500 * ONE,
                             .fee_asset = 9,
                             .instrument = BTC_PERP,
                             .account = 1,
                             .side = SIDE_BUY };
    rig_hear(&r, MSG_FILL, 60, &part, sizeof part);
    take_all(&r);
    rig_reload(&r);
    rig_forget(&r);
    part.price = 1010 * ONE;
    part.cum_quantity = ONE;
    part.cum_cost = INT64_MAX;
    rig_hear(&r, MSG_FILL, 60, &part, sizeof part);
    /* 1005 x 0.98 = 984.9; x 1.035 = 1040.175: 1040.2 */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    assert_int_equal(intent_of(&r, 0)->price, 9849 * ONE / 10);
    assert_int_equal(intent_of(&r, 1)->price, 10402 * ONE / 10);
    rig_close(&r);
    mk_market_close(m);
}

/* Stop and target follow the position, and one ends the other. */
static void test_protects(void **state) {
    (void)state;
    const uint8_t rest = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY;
    struct rig r;
    struct mk_market *m =
        make(&r, "fast: 1, slow: 2, short: true, stop_loss_pct: 2, take_profit_pct: 3.5");
    int64_t minute = 0;
    tell(&r, &minute, 1000);
    tell(&r, &minute, 999);
    tell(&r, &minute, 1000);
    struct msg_order_intent entry = *intent_of(&r, 0);
    assert_int_equal(entry.side, SIDE_BUY);
    assert_int_equal(packet_of(&r, 0)->sl, 980 * ONE);
    assert_int_equal(packet_of(&r, 0)->tp1, 1035 * ONE);
    rig_forget(&r);
    tell_fill(&r, &entry, 1001 * ONE); /* x 0.98 = 980.98 up to 981.0; x 1.035 = 1036.035: 1036.1 */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    struct msg_order_intent stop = *intent_of(&r, 0), target = *intent_of(&r, 1);
    assert_int_equal(stop.type, ORDER_TYPE_STOP);
    assert_int_equal(stop.side, SIDE_SELL);
    assert_int_equal(stop.terms, rest);
    assert_int_equal(stop.price, 981 * ONE);
    assert_int_equal(stop.quantity, ONE);
    assert_int_equal(stop.reason, REASON_SIGNAL_STOP_LOSS);
    assert_int_equal(target.type, ORDER_TYPE_LIMIT);
    assert_int_equal(target.price, 10361 * ONE / 10);
    assert_int_equal(target.reason, REASON_SIGNAL_TAKE_PROFIT);
    take_all(&r);
    rig_reload(&r);
    rig_forget(&r);
    tell_fill(&r, &stop, 981 * ONE); /* the stop fills: the target goes */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 1);
    assert_int_equal(cancel_of(&r, 0)->order_id, target.order_id);
    tell_state(&r, &target, ORDER_STATUS_CANCELED, 0, REASON_BY_STRATEGY);
    assert_int_equal(st_open_orders(r.state, 0), 0);

    rig_forget(&r);
    tell(&r, &minute, 990); /* crosses down: short */
    entry = *intent_of(&r, 0);
    assert_int_equal(entry.side, SIDE_SELL);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 1);
    rig_forget(&r);
    tell_fill(&r, &entry, 990 * ONE); /* 1009.8 and 955.35: down to 955.3 */
    stop = *intent_of(&r, 0);
    target = *intent_of(&r, 1);
    assert_int_equal(stop.side, SIDE_BUY);
    assert_int_equal(stop.price, 10098 * ONE / 10);
    assert_int_equal(target.price, 9553 * ONE / 10);
    take_all(&r);

    /* the target fills in part: both are placed anew for the rest */
    rig_forget(&r);
    struct msg_fill part = { .order_id = target.order_id,
                             .price = target.price,
                             .quantity = ONE / 4,
                             .cum_quantity = ONE / 4,
                             .cum_cost = 240 * ONE,
                             .fee_asset = 9,
                             .instrument = BTC_PERP,
                             .account = 1,
                             .side = SIDE_BUY,
                             .terms = rest };
    rig_hear(&r, MSG_FILL, 60, &part, sizeof part);
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 2);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    assert_int_equal(intent_of(&r, 0)->quantity, ONE * 3 / 4);
    assert_int_equal(intent_of(&r, 1)->price, 9553 * ONE / 10);
    take_all(&r);
    tell_state(&r, &stop, ORDER_STATUS_CANCELED, 0, 0);
    tell_state(&r, &target, ORDER_STATUS_CANCELED, ONE / 4, 0);

    /* a crossing closes the rest, cancels what rests, and opens the other way */
    rig_forget(&r);
    tell(&r, &minute, 1000);
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 2);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    assert_int_equal(intent_of(&r, 0)->quantity, ONE * 3 / 4);
    assert_int_equal(intent_of(&r, 0)->terms, rest);
    assert_int_equal(intent_of(&r, 1)->quantity, ONE);
    assert_int_equal(intent_of(&r, 1)->terms, 0);
    struct msg_order_intent out = *intent_of(&r, 0), in = *intent_of(&r, 1);
    rig_forget(&r);
    tell_fill(&r, &out, 1000 * ONE);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    tell_fill(&r, &in, 1000 * ONE);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    assert_int_equal(st_position(r.state, 0), ONE);
    rig_close(&r);
    mk_market_close(m);
}

/* An entry that fills after the averages crossed back is closed at once, without stop or target;
 * one that goes short instead closes it and keeps its own entry. */
static void test_late_entry(void **state) {
    (void)state;
    for (int both = 0; both < 2; both++) {
        struct rig r;
        struct mk_market *m = make(&r, both ? "fast: 1, slow: 2, short: true, stop_loss_pct: 2"
                                            : "fast: 1, slow: 2, stop_loss_pct: 2");
        int64_t minute = 0;
        tell(&r, &minute, 1000);
        tell(&r, &minute, 999);
        tell(&r, &minute, 1000);
        struct msg_order_intent entry = *intent_of(&r, 0);
        rig_forget(&r);
        tell(&r, &minute, 990);
        assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 1);
        assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), both);
        rig_forget(&r);
        tell_fill(&r, &entry, 1001 * ONE);
        assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 0);
        assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 1);
        assert_int_equal(intent_of(&r, 0)->side, SIDE_SELL);
        assert_int_equal(intent_of(&r, 0)->type, ORDER_TYPE_MARKET);
        assert_int_equal(intent_of(&r, 0)->quantity, entry.quantity);
        assert_true(intent_of(&r, 0)->terms & ORDER_TERMS_EXIT);
        assert_int_equal(st_held(r.state, 0), 0);
        rig_close(&r);
        mk_market_close(m);
    }
}

/* What its snapshot must refuse. */
static void test_restore_refuses(void **state) {
    (void)state;
    static uint8_t block[40000];
    static _Alignas(64) uint8_t into[40000];
    struct rig r;
    struct mk_market *m = make(&r, "fast: 3, slow: 9");
    struct st_host *h = r.state;
    size_t cnt = h->cls->snapshot(h->class_state, block, sizeof block);
    assert_true(cnt > 100 && cnt < 400); /* a short window makes a small snapshot */
    assert_int_equal(h->cls->snapshot(h->class_state, block, cnt - 1), 0);
    assert_int_equal(h->cls->restore(into, block, cnt), 0);
    assert_true(h->cls->restore(into, block, cnt - 8) < 0);
    assert_true(h->cls->restore(into, block, 8) < 0);
    memset(block, 0xff, 100);
    assert_true(h->cls->restore(into, block, cnt) < 0);
    rig_close(&r);
    mk_market_close(m);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_twin), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_protects),         cmocka_unit_test(test_protects_much),
        cmocka_unit_test(test_late_entry),       cmocka_unit_test(test_restore_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
