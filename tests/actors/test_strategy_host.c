/* rig: drives the host alone.
 *
 * Goal: signals become the orders that host.h promises, of the size it promises, each behind its
 * packet; commands, stops and recovery keep to it; a run file that makes no sense is refused with
 * its place.
 * Method: a class of our own that does what the test tells it; sizes worked out by hand. */
#include "actors/market/more.h"
#include "tests/support/strategy.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What the probe does when it hears something; set by each test. */
static void (*probe_bar)(struct st_host *h, uint16_t leg, const struct msg_bar *bar);
static int probe_bars, probe_trades, probe_orders, probe_fills, probe_timers, probe_stops;
static int probe_sets;   /* parameters changed */
static uint64_t last_id; /* what st_signal gave last */

/* on_bar of the probe. */
static void on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    ++*(int64_t *)state;
    probe_bars++;
    if (probe_bar) probe_bar(h, leg, bar);
}
/* on_trade of the probe. */
static void on_trade(struct st_host *h, void *state, uint16_t leg, const struct msg_trade *t) {
    (void)state;
    assert_int_equal(st_last(h, leg), t->price);
    probe_trades++;
}
/* on_order of the probe. */
static void on_order(struct st_host *h, void *state, uint16_t leg,
                     const struct msg_order_state *o) {
    (void)h;
    (void)state;
    (void)leg;
    (void)o;
    probe_orders++;
}
/* on_fill of the probe. */
static void on_fill(struct st_host *h, void *state, uint16_t leg, const struct msg_fill *f) {
    (void)h;
    (void)state;
    (void)leg;
    (void)f;
    probe_fills++;
}
/* on_timer of the probe. */
static void on_timer(struct st_host *h, void *state, uint32_t key) {
    (void)state;
    assert_int_equal(key, 7);
    assert_true(st_now(h) >= 0);
    probe_timers++;
}
/* on_stop of the probe. */
static void on_stop(struct st_host *h, void *state) {
    (void)h;
    (void)state;
    probe_stops++;
}
/* on_set of the probe. */
static void on_set(struct st_host *h, void *state) {
    (void)h;
    (void)state;
    probe_sets++;
}
/* check of the probe. */
static const char *check(const union st_value *p) {
    return p[0].i < p[1].i ? NULL : "low is not below high";
}
/* evaluate of the probe. */
static void evaluate(struct st_host *h, const void *state, uint16_t leg, struct st_signal *out) {
    (void)state;
    out->action = ST_LONG;
    out->price = st_last(h, leg);
}

static const struct st_param probe_params[] = {
    { "low", ST_INT, 0, 10, 1, "below high" },
    { "high", ST_INT, 0, 10, 5, "above low" },
    { "pct", ST_FIXED, 0, 50, 2.5, "a fixed one" },
    { "weight", ST_DOUBLE, -1, 1, 0.5, "a double" },
    { "wait", ST_DURATION, 1, 3600, 60, "a duration" },
    { "loud", ST_BOOL, 0, 1, 1, "a truth" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

static const struct st_class probe = {
    .name = "probe",
    .help = "does as it is told",
    .params = probe_params,
    .leg_min = 1,
    .leg_max = 2,
    .state_bytes = 1000,
    .check = check,
    .on_bar = on_bar,
    .on_trade = on_trade,
    .on_order = on_order,
    .on_fill = on_fill,
    .on_timer = on_timer,
    .on_stop = on_stop,
    .on_set = on_set,
    .evaluate = evaluate,
};

static const struct st_class trader = {
    .name = "trader", .leg_min = 1, .leg_max = 1, .state_bytes = 8, .on_trade = on_trade
};

static const struct st_class barrer = {
    .name = "barrer", .leg_min = 2, .leg_max = 2, .state_bytes = 8, .on_bar = on_bar
};

/* The test's own table stands for classes.c. */
const struct st_class *const st_classes[] = { &probe, &trader, &barrer, NULL };

/* The bench, the world and the bars of one test. */
struct bench {
    struct rig rig;          /* the host on it */
    struct mk_market *m;     /* the world */
    struct msg_bar bars[64]; /* told so far */
    int64_t minute;          /* next bar's */
};

/* bench_open makes a host from YAML that hears bars of the three instruments' series (1m), and
 * starts it. */
static void bench_open(struct bench *b, const char *yaml) {
    *b = (struct bench){ .m = market_open() };
    probe_bar = NULL;
    probe_bars = probe_trades = probe_orders = probe_fills = 0;
    probe_timers = probe_stops = probe_sets = 0;
    for (uint16_t i = 1; i <= 3; i++) rig_series(&b->rig, MSG_BAR, i, MINUTE_NS);
    rig_series(&b->rig, MSG_TRADE, BTC_PERP, 0);
    b->rig.self = 5;
    struct rt_error err = { 0 };
    int rc = rig_open(&b->rig, &strategy_kind, yaml, b->m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    rig_start(&b->rig, 0);
}

/* bench_close frees it. */
static void bench_close(struct bench *b) {
    rig_close(&b->rig);
    mk_market_close(b->m);
}

/* tell_bar tells the next minute's bar of an instrument and moves on. */
static void tell_bar(struct bench *b, uint16_t instrument, int64_t close) {
    assert_true(b->minute < 64);
    b->bars[b->minute] = bar_at(instrument, b->minute, close);
    rig_rows(&b->rig, instrument - 1, RT_HEAR_ROW, &b->bars[b->minute], 1);
    b->minute++;
}

static struct st_signal give; /* what the probe signals on the next bar */

/* give_once signals what give holds, and no more. */
static void give_once(struct st_host *h, uint16_t leg, const struct msg_bar *bar) {
    (void)bar;
    give.leg = leg;
    last_id = st_signal(h, &give);
    probe_bar = NULL;
}

/* signal_at tells a bar at close on which the probe gives a signal; what it says is the only thing
 * remembered. */
static void signal_at(struct bench *b, uint16_t instrument, int64_t close, struct st_signal s) {
    give = s;
    probe_bar = give_once;
    rig_forget(&b->rig);
    tell_bar(b, instrument, close);
    assert_null(probe_bar);
    take_all(&b->rig);
}

/* advice makes a signal of an action. */
static struct st_signal advice(enum st_action action) {
    return (struct st_signal){ .action = action, .reason = REASON_SIGNAL_CROSS_UP };
}

static const char *const plain = "{class: probe, instruments: [BTC-PERP], interval: 1m, "
                                 "account: main, sizing: {fixed: 0.0105}}";

/* send tells a command. */
static void send(struct bench *b, uint16_t op, uint16_t target, uint16_t param, int64_t value) {
    struct msg_command m = { .op = op, .target = target, .param = param, .value = value };
    rig_forget(&b->rig);
    rig_hear(&b->rig, MSG_COMMAND, 0, &m, sizeof m);
}

/* OUT is the terms of orders that close on linear, where nobody else trades the instrument. */
enum { OUT = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY };

/* check_intent checks the n-th intent said. */
static void check_intent(const struct bench *b, size_t n, uint8_t side, uint8_t type, uint8_t terms,
                         int64_t quantity, int64_t price) {
    const struct msg_order_intent *i = intent_of(&b->rig, n);
    assert_non_null(i);
    assert_int_equal(i->side, side);
    assert_int_equal(i->type, type);
    assert_int_equal(i->terms, terms);
    assert_int_equal(i->quantity, quantity);
    assert_int_equal(i->price, price);
    assert_int_equal(i->account, 1);
    assert_int_equal(mk_order_owner(i->order_id), 5);
}

/* Long, long again, short, flat: what is in flight counts. */
static void test_turns(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, 10 * lot, 0);
    assert_int_equal(intent_of(&b.rig, 0)->order_id, mk_order_id(5, 1, 0));
    assert_int_equal(last_id, mk_order_id(5, 1, 0));
    assert_int_equal(intent_of(&b.rig, 0)->reason, REASON_SIGNAL_CROSS_UP);
    struct msg_order_intent entry = *intent_of(&b.rig, 0);
    assert_int_equal(rig_said(&b.rig, 0)->kind, MSG_DECISION_PACKET); /* before its intent */
    assert_int_equal(rig_said(&b.rig, 1)->kind, MSG_ORDER_INTENT);
    signal_at(&b, BTC_PERP, p, advice(ST_LONG)); /* in flight: nothing, but a packet */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(rig_count(&b.rig, MSG_DECISION_PACKET), 1);
    assert_int_equal(last_id, 0);
    tell_fill(&b.rig, &entry, p);
    assert_int_equal(probe_fills, 1);
    assert_int_equal(probe_orders, 2);           /* submitted, filled */
    signal_at(&b, BTC_PERP, p, advice(ST_LONG)); /* held: nothing */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    signal_at(&b, BTC_PERP, p, advice(ST_SHORT)); /* closes, then opens */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 2);
    assert_int_equal(rig_count(&b.rig, MSG_DECISION_PACKET), 2);
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_MARKET, OUT, 10 * lot, 0);
    check_intent(&b, 1, SIDE_SELL, ORDER_TYPE_MARKET, 0, 10 * lot, 0);
    assert_int_equal(last_id, mk_order_id(5, 3, 0));
    struct msg_order_intent out = *intent_of(&b.rig, 0), in = *intent_of(&b.rig, 1);
    signal_at(&b, BTC_PERP, p, advice(ST_SHORT)); /* both in flight: nothing */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT)); /* the close is in flight; the entry is canceled */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 1);
    assert_int_equal(cancel_of(&b.rig, 0)->order_id, in.order_id);
    assert_int_equal(cancel_of(&b.rig, 0)->owner, 5);
    assert_int_equal(cancel_of(&b.rig, 0)->instrument, BTC_PERP);
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT)); /* not twice */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0);
    tell_fill(&b.rig, &out, p);
    tell_fill(&b.rig, &in, p); /* the cancel came too late */
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT));
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, OUT, 10 * lot, 0);
    tell_state(&b.rig, intent_of(&b.rig, 0), ORDER_STATUS_REJECTED, 0, REASON_KILL_SWITCH);
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT)); /* it is no more in flight: again */
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, OUT, 10 * lot, 0);
    tell_fill(&b.rig, intent_of(&b.rig, 0), p);
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    bench_close(&b);
}

/* Spot: no short, fees in base are off the position, dust below a lot counts as nothing. */
static void test_spot(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, "{class: probe, instruments: [BTC-SPOT], interval: 1m, account: main, "
                   "sizing: {fixed: 0.001}}");
    int64_t p = 50000 * ONE;
    signal_at(&b, BTC_SPOT, p, advice(ST_SHORT));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_SHORT_NOT_ALLOWED);
    signal_at(&b, BTC_SPOT, p, advice(ST_LONG));
    struct msg_order_intent i = *intent_of(&b.rig, 0);
    assert_int_equal(i.quantity, ONE / 1000);
    struct msg_fill m = { .order_id = i.order_id,
                          .price = p,
                          .quantity = i.quantity,
                          .fee = 100, /* 0.001 of it */
                          .fee_asset = b.m->instruments[BTC_SPOT - 1].base_asset,
                          .cum_quantity = i.quantity,
                          .instrument = BTC_SPOT,
                          .account = 1,
                          .side = SIDE_BUY };
    rig_hear(&b.rig, MSG_FILL, 60, &m, sizeof m);
    tell_state(&b.rig, &i, ORDER_STATUS_FILLED, i.quantity, 0);
    assert_int_equal(st_position(b.rig.state, 0), ONE / 1000 - 100);
    signal_at(&b, BTC_SPOT, p, advice(ST_SHORT)); /* closes: 0.000999 down to the lot */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_MARKET, ORDER_TERMS_EXIT, 99000, 0);
    tell_fill(&b.rig, intent_of(&b.rig, 0), p);
    assert_int_equal(st_position(b.rig.state, 0), 900);
    signal_at(&b, BTC_SPOT, p, advice(ST_FLAT)); /* dust stays */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    signal_at(&b, BTC_SPOT, p, advice(ST_LONG)); /* and does not count as long */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    bench_close(&b);
}

/* Orders as given: rounding to tick and lot, resting exits, cancels. */
static void test_orders(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    struct st_signal s = { .action = ST_ORDER,
                           .side = SIDE_BUY,
                           .type = ORDER_TYPE_LIMIT,
                           .price = 4999999999999,
                           .quantity = 3 * lot + 1,
                           .reason = REASON_SIGNAL_SPREAD_WIDE };
    signal_at(&b, BTC_PERP, p, s); /* 49999.99999999: down to 49999.9 */
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_LIMIT, 0, 3 * lot, 4999990000000);
    uint64_t buy = intent_of(&b.rig, 0)->order_id;
    s.side = SIDE_SELL;
    s.type = ORDER_TYPE_STOP;
    s.quantity = 0;
    s.price = 4900000000001; /* up to 49000.1 */
    signal_at(&b, BTC_PERP, p, s);
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_STOP, 0, 10 * lot, 4900010000000);
    s.terms = ORDER_TERMS_EXIT; /* nothing is held */
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_SIZE_BELOW_LOT);
    s.price = 0;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_BAD_TICK);
    s.price = 1; /* a buy of less than a tick */
    s.side = SIDE_BUY;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_BAD_TICK);
    s.price = p;
    s.quantity = -1;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_BAD_LOT);
    assert_int_equal(st_open_orders(b.rig.state, 0), 2);
    struct st_signal c = { .action = ST_CANCEL, .order_id = buy };
    signal_at(&b, BTC_PERP, p, c);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 1);
    assert_int_equal(cancel_of(&b.rig, 0)->order_id, buy);
    assert_int_equal(cancel_of(&b.rig, 0)->reason, REASON_BY_STRATEGY);
    c.order_id = mk_order_id(5, 77, 0);
    signal_at(&b, BTC_PERP, p, c);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_UNKNOWN_ORDER);
    c.order_id = 0; /* all: the one not yet being canceled */
    signal_at(&b, BTC_PERP, p, c);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 1);
    assert_int_equal(cancel_of(&b.rig, 0)->order_id, buy + (1 << 10));
    bench_close(&b);
}

/* A close cancels the stop that rests; room for orders and the way out are finite. */
static void test_rests(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
                   "sizing: {fixed: 0.01}, orders_max: 2, max_position: 0.0155}");
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    struct msg_order_intent entry = *intent_of(&b.rig, 0);
    tell_fill(&b.rig, &entry, p);
    struct st_signal more = { .action = ST_ORDER, .side = SIDE_BUY, .type = ORDER_TYPE_MARKET };
    signal_at(&b, BTC_PERP, p, more); /* 0.01 wanted, 0.0055 may be: down to the lot */
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, 5 * lot, 0);
    struct msg_order_intent second = *intent_of(&b.rig, 0);
    signal_at(&b, BTC_PERP, p, more);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_MAX_POSITION);
    tell_state(&b.rig, &second, ORDER_STATUS_REJECTED, 0, REASON_ORDER_RATE);
    struct st_signal stop = { .action = ST_ORDER,
                              .side = SIDE_SELL,
                              .type = ORDER_TYPE_STOP,
                              .terms = ORDER_TERMS_EXIT,
                              .price = 49000 * ONE };
    signal_at(&b, BTC_PERP, p, stop);
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_STOP, ORDER_TERMS_EXIT, 10 * lot, 49000 * ONE);
    uint64_t resting = intent_of(&b.rig, 0)->order_id;
    b.rig.no_room = true;
    signal_at(&b, BTC_PERP, p, advice(ST_SHORT));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_EDGE_FULL);
    assert_int_equal(rig_count(&b.rig, MSG_DECISION_PACKET), 1); /* no close: no open either */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0);    /* the stop still protects */
    b.rig.no_room = false;
    signal_at(&b, BTC_PERP, p, more); /* canceled below, not done: it takes room */
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT));
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_MARKET, OUT, 10 * lot, 0);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 2);
    assert_int_equal(cancel_of(&b.rig, 1)->order_id, resting);
    signal_at(&b, BTC_PERP, p, stop); /* three open: no room */
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_OPEN_ORDERS_MAX);
    bench_close(&b);
}

/* Risk may pass less; one lot held counts, and is all that is closed. */
static void test_reduced(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    struct msg_order_intent i = *intent_of(&b.rig, 0);
    i.quantity = lot;
    tell_state(&b.rig, &i, ORDER_STATUS_SUBMITTED, 0, REASON_REDUCED);
    struct msg_fill m = { .order_id = i.order_id,
                          .price = p,
                          .quantity = lot,
                          .cum_quantity = lot,
                          .fee_asset = UINT16_MAX,
                          .instrument = BTC_PERP,
                          .account = 1,
                          .side = SIDE_BUY };
    rig_hear(&b.rig, MSG_FILL, 60, &m, sizeof m);
    assert_int_equal(st_open_orders(b.rig.state, 0), 0);
    assert_int_equal(st_held(b.rig.state, 0), lot);
    signal_at(&b, BTC_PERP, p, advice(ST_LONG)); /* a lot is a long */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT));
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_MARKET, OUT, lot, 0);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0); /* the entry has nothing left */
    assert_int_equal(st_position(b.rig.state, 0), lot);
    assert_int_equal(st_held(b.rig.state, 0), 0);
    bench_close(&b);
}

/* The cancel of an order that execution has not told of would come there before the order: it
 * follows when execution tells, over a restart too, and once. */
static void test_cancel_waits(void **state) {
    (void)state;
    struct bench b;
    for (int done = 0; done < 3; done++) {
        bench_open(&b, plain);
        int64_t p = 50000 * ONE;
        give = advice(ST_LONG);
        probe_bar = give_once;
        tell_bar(&b, BTC_PERP, p);
        struct msg_order_intent i = *intent_of(&b.rig, 0);
        give = (struct st_signal){ .action = ST_CANCEL, .reason = REASON_SIGNAL_STOP_LOSS };
        for (int n = 0; n < 2; n++) {
            probe_bar = give_once;
            tell_bar(&b, BTC_PERP, p);
        }
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0);
        rig_reload(&b.rig);
        if (done == 1) tell_state(&b.rig, &i, ORDER_STATUS_REJECTED, 0, REASON_ORDER_RATE);
        if (done == 2) { /* a stop of the strategy makes no difference */
            send(&b, COMMAND_OP_STOP, 5, 0, 0);
            assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0);
        }
        if (done != 1) tell_state(&b.rig, &i, ORDER_STATUS_SUBMITTED, 0, REASON_NONE);
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), done != 1);
        if (done != 1) {
            assert_int_equal(cancel_of(&b.rig, 0)->order_id, i.order_id);
            tell_state(&b.rig, &i, ORDER_STATUS_ACCEPTED, 0, REASON_NONE);
            assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 1);
        }
        bench_close(&b);
    }
}

/* An order to close that fills when a stop has closed the position already is undone: only as much
 * as it opened, and not where nothing went wrong. */
static void test_late_fill(void **state) {
    (void)state;
    struct bench b;
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    for (int late = 0; late < 2; late++) {
        bench_open(&b, plain);
        signal_at(&b, BTC_PERP, p, advice(ST_LONG));
        struct msg_order_intent entry = *intent_of(&b.rig, 0);
        tell_fill(&b.rig, &entry, p);
        struct st_signal stop = { .action = ST_ORDER,
                                  .side = SIDE_SELL,
                                  .type = ORDER_TYPE_STOP,
                                  .terms = ORDER_TERMS_EXIT,
                                  .price = 49000 * ONE,
                                  .quantity = 4 * lot };
        signal_at(&b, BTC_PERP, p, stop);
        struct msg_order_intent resting = *intent_of(&b.rig, 0);
        signal_at(&b, BTC_PERP, p, advice(ST_FLAT));
        struct msg_order_intent out = *intent_of(&b.rig, 0);
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 1);
        rig_forget(&b.rig);
        if (late) tell_fill(&b.rig, &resting, 49000 * ONE); /* 4 of 10 are gone already */
        assert_int_equal(st_held(b.rig.state, 0), 0);
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
        tell_fill(&b.rig, &out, 48990 * ONE);
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), late);
        if (late) {
            check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, ORDER_TERMS_EXIT, 4 * lot, 0);
            assert_int_equal(intent_of(&b.rig, 0)->reason, REASON_LATE_FILL);
            assert_int_equal(st_held(b.rig.state, 0), 0);
            struct msg_order_intent back = *intent_of(&b.rig, 0);
            tell_fill(&b.rig, &back, 48995 * ONE);
            assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
        }
        assert_int_equal(st_position(b.rig.state, 0), 0);
        bench_close(&b);
    }
}

/* Sizes by notional and by fraction, from the account as told. Figures worked out with Python's
 * integers by the formula in host.h. */
static void test_sizes(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
                   "sizing: {notional: 1000}}");
    signal_at(&b, BTC_PERP, 3333333333333, advice(ST_LONG)); /* 1000 / 33333.33333333 */
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, 3000000, 0);
    bench_close(&b);

    bench_open(&b, "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
                   "sizing: {fraction: 0.95}}");
    signal_at(&b, BTC_PERP, 3141592653589, advice(ST_LONG)); /* 100000 x 0.95 / 31415.92653589 */
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, 302300000, 0);
    tell_state(&b.rig, intent_of(&b.rig, 0), ORDER_STATUS_REJECTED, 0, 0);
    /* equity: 1000 + 2 BTC-PERP of 60000 each at 31415.9... + 3 ETH-PERP short, of another
     * strategy, without a price: worth nothing more + 0.5 BTC-SPOT at 30000 = -8... : no equity */
    struct msg_position pos = {
        .quantity = 2 * ONE, .cost = 60000 * ONE, .instrument = BTC_PERP, .owner = 5, .account = 1
    };
    rig_hear(&b.rig, MSG_POSITION, 61, &pos, sizeof pos);
    struct msg_account_state acc = { .cash = 1000 * ONE, .account = 1 };
    rig_hear(&b.rig, MSG_ACCOUNT_STATE, 61, &acc, sizeof acc);
    acc.account = 2;
    acc.cash = 77 * ONE; /* not ours */
    rig_hear(&b.rig, MSG_ACCOUNT_STATE, 61, &acc, sizeof acc);
    /* 1000 + 2 x 31415.92653589 - 60000 = 3831.85307178; x 0.95 / 31415.92653589 = 0.1158... */
    signal_at(&b, BTC_PERP, 3141592653589, advice(ST_LONG));
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, 11500000, 0);
    tell_state(&b.rig, intent_of(&b.rig, 0), ORDER_STATUS_REJECTED, 0, 0);
    signal_at(&b, BTC_PERP, 29500 * ONE, advice(ST_LONG)); /* 1000 - 1000 = 0 */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_SIZE_NO_EQUITY);
    acc.account = 1;
    acc.cash = 1001 * ONE;
    rig_hear(&b.rig, MSG_ACCOUNT_STATE, 61, &acc, sizeof acc);
    signal_at(&b, BTC_PERP, 29500 * ONE, advice(ST_LONG)); /* 1 x 0.95 / 29500 < 0.001 */
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_SIZE_BELOW_LOT);
    bench_close(&b);
}

/* Equity counts what other strategies of the account hold, at the latest closes. */
static void test_equity(void **state) {
    (void)state;
    struct bench b = { .m = market_open() };
    struct rt_error err = { 0 };
    probe_bar = NULL;
    for (uint16_t i = 1; i <= 3; i++) rig_series(&b.rig, MSG_BAR, i, MINUTE_NS);
    rig_actor(&b.rig, "me", "strategy", 5, plain);
    rig_actor(&b.rig, "you", "strategy", 6,
              "{class: probe, instruments: [BTC-SPOT, ETH-PERP], interval: 5m, account: main}");
    rig_actor(&b.rig, "they", "strategy", 7,
              "{class: probe, instruments: [ETH-PERP], interval: 5m, account: other}");
    b.rig.self = 5;
    assert_int_equal(rig_open(&b.rig, &strategy_kind, plain, b.m, &err), 0);
    rig_start(&b.rig, 0);
    struct st_host *h = b.rig.state;
    cash_t equity;
    tell_bar(&b, BTC_PERP, 30000 * ONE);
    assert_true(st_equity(h, &equity));
    assert_int_equal(equity, 100000 * ONE);
    struct msg_position pos[] = {
        { .quantity = -3 * ONE,
          .cost = -6000 * ONE,
          .instrument = ETH_PERP,
          .owner = 6,
          .account = 1 },
        { .quantity = 33333333,
          .cost = 10000 * ONE,
          .instrument = BTC_SPOT,
          .owner = 6,
          .account = 1 },
        { .quantity = ONE, .cost = 29000 * ONE, .instrument = BTC_PERP, .owner = 5, .account = 1 },
        { .quantity = ONE, .cost = 1, .instrument = ETH_PERP, .owner = 7, .account = 2 },
    };
    for (int i = 0; i < 4; i++) rig_hear(&b.rig, MSG_POSITION, 61, &pos[i], sizeof pos[i]);
    assert_int_equal(h->held_cnt, 3);
    assert_true(st_equity(h, &equity)); /* no closes of the others yet: at cost */
    assert_int_equal(equity, (100000 + 1000 + 0 + 10000) * ONE);
    struct msg_bar eth = bar_at(ETH_PERP, 1, 1990 * ONE), spot = bar_at(BTC_SPOT, 1, 30000000001);
    rig_latest(&b.rig, ETH_PERP - 1, &eth);
    rig_latest(&b.rig, BTC_SPOT - 1, &spot);
    assert_true(st_equity(h, &equity));
    /* ETH: -3 x 1990 + 6000 = 30; spot: floor(0.33333333 x 300.00000001) = 99.99999900 */
    assert_int_equal(equity, (100000 + 1000 + 30) * ONE + 9999999900 + 0);
    struct msg_bar perp = bar_at(BTC_PERP, 9, 40000 * ONE); /* newer than what it heard itself */
    rig_latest(&b.rig, BTC_PERP - 1, &perp);
    assert_true(st_equity(h, &equity));
    assert_int_equal(equity, (100000 + 11000 + 30) * ONE + 9999999900);
    pos[0].quantity = 0;
    rig_hear(&b.rig, MSG_POSITION, 61, &pos[0], sizeof pos[0]);
    assert_int_equal(h->held_cnt, 3);
    assert_true(st_equity(h, &equity));
    assert_int_equal(equity, (100000 + 11000) * ONE + 9999999900);
    bench_close(&b);
}

/* In the warm-up the class hears all and orders nothing, no exit either; at its end it does. */
static void test_warm_up(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    struct st_host *h = b.rig.state;
    int64_t p = 50000 * ONE;
    assert_true(h->warm_ns == 0); /* what the bench's rt_init_warm tells */
    h->warm_ns = bar_at(BTC_PERP, 2, p).open_ns + MINUTE_NS;
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_WARMING_UP);
    struct st_signal exit = { .action = ST_ORDER,
                              .side = SIDE_SELL,
                              .type = ORDER_TYPE_STOP,
                              .terms = ORDER_TERMS_EXIT,
                              .quantity = ONE,
                              .price = 49000 * ONE };
    signal_at(&b, BTC_PERP, p, exit);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(h->legs[0].last, p);
    signal_at(&b, BTC_PERP, p, advice(ST_LONG)); /* at the very end of it */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    bench_close(&b);
}

/* Pause, resume, set and stop. */
static void test_commands(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    int64_t p = 50000 * ONE;
    struct st_host *h = b.rig.state;
    send(&b, COMMAND_OP_PAUSE, 6, 0, 0); /* someone else */
    assert_false(h->paused);
    send(&b, COMMAND_OP_PAUSE, 0, 0, 0);
    assert_true(h->paused);
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_PAUSED);
    send(&b, COMMAND_OP_RESUME, 5, 0, 0);
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    struct msg_order_intent entry = *intent_of(&b.rig, 0);
    tell_fill(&b.rig, &entry, p);
    send(&b, COMMAND_OP_PAUSE, 5, 0, 0); /* what protects still goes out */
    struct st_signal stop = { .action = ST_ORDER,
                              .side = SIDE_SELL,
                              .type = ORDER_TYPE_STOP,
                              .terms = ORDER_TERMS_EXIT,
                              .price = 49000 * ONE };
    signal_at(&b, BTC_PERP, p, stop);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    uint64_t resting = intent_of(&b.rig, 0)->order_id;

    assert_int_equal(st_params(h)[0].i, 1);
    assert_int_equal(st_params(h)[1].i, 5);
    assert_int_equal(st_params(h)[2].i, 250000000);
    assert_true(st_params(h)[3].d == 0.5);
    assert_int_equal(st_params(h)[4].i, MINUTE_NS);
    assert_int_equal(st_params(h)[5].i, 1);
    send(&b, COMMAND_OP_SET, 5, 1, 11); /* out of range */
    send(&b, COMMAND_OP_SET, 5, 1, 1);  /* not above low */
    send(&b, COMMAND_OP_SET, 5, 6, 1);  /* no such parameter */
    send(&b, COMMAND_OP_SET, 0, 1, 7);  /* everyone has other parameters */
    assert_int_equal(st_params(h)[1].i, 5);
    assert_int_equal(probe_sets, 0);
    send(&b, COMMAND_OP_SET, 5, 1, 7);
    assert_int_equal(st_params(h)[1].i, 7);
    assert_int_equal(probe_sets, 1);
    int64_t bits;
    double weight = 2;
    memcpy(&bits, &weight, sizeof bits);
    send(&b, COMMAND_OP_SET, 5, 3, bits);
    send(&b, COMMAND_OP_SET, 5, 3, -1); /* not a number */
    assert_true(st_params(h)[3].d == 0.5);
    weight = -0.25;
    memcpy(&bits, &weight, sizeof bits);
    send(&b, COMMAND_OP_SET, 5, 3, bits);
    assert_true(st_params(h)[3].d == -0.25);

    send(&b, COMMAND_OP_STOP, 0, 0, 0); /* of the whole run: MSG_STOP will tell */
    assert_int_equal(probe_stops, 0);
    send(&b, COMMAND_OP_STOP, 5, 0, 0);
    assert_int_equal(probe_stops, 1);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 1);
    assert_int_equal(cancel_of(&b.rig, 0)->order_id, resting);
    assert_int_equal(cancel_of(&b.rig, 0)->reason, REASON_BY_OPERATOR);
    assert_false(b.rig.series[0].up[RT_HEAR_ROW]);
    int heard = probe_bars;
    tell_bar(&b, BTC_PERP, p);
    assert_int_equal(probe_bars, heard);
    struct msg_stop end = { .reason = REASON_END_OF_DATA };
    rig_hear(&b.rig, MSG_STOP, 0, &end, sizeof end);
    assert_int_equal(probe_stops, 1); /* once */
    bench_close(&b);
}

/* The end of the run, and being left out. */
static void test_stops(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    struct msg_stop end = { .reason = REASON_END_OF_DATA };
    rig_hear(&b.rig, MSG_STOP, 0, &end, sizeof end);
    assert_int_equal(probe_stops, 1);
    assert_false(b.rig.series[0].up[RT_HEAR_ROW]);
    bench_close(&b);
    bench_open(&b, plain);
    struct msg_actor_stopped m = { .actor = 6, .reason = REASON_CRASHED };
    rig_hear(&b.rig, MSG_ACTOR_STOPPED, 0, &m, sizeof m);
    assert_true(b.rig.series[0].up[RT_HEAR_ROW]);
    m.actor = 5;
    rig_hear(&b.rig, MSG_ACTOR_STOPPED, 0, &m, sizeof m);
    assert_false(b.rig.series[0].up[RT_HEAR_ROW]);
    assert_int_equal(probe_stops, 0);
    bench_close(&b);
    bench_open(&b, "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
                   "sizing: {fixed: 1}, enabled: false}");
    assert_false(b.rig.series[0].up[RT_HEAR_ROW]);
    bench_close(&b);
}

/* start_timer arms timer 7 on the first bar. */
static void start_timer(struct st_host *h, uint16_t leg, const struct msg_bar *bar) {
    (void)leg;
    if (probe_bars == 1) st_timer(h, 7, bar->open_ns + 3 * MINUTE_NS + 5);
}

/* A run of rows: all are told, in one go where nothing happens; the timer comes in between. */
static void test_runs(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    for (int i = 0; i < 10; i++) b.bars[i] = bar_at(BTC_PERP, i, (100 + i) * ONE);
    probe_bar = start_timer;
    rig_rows(&b.rig, 0, RT_HEAR_ROW, b.bars, 10);
    assert_int_equal(probe_bars, 10);
    assert_int_equal(probe_timers, 1);
    assert_int_equal(st_last(b.rig.state, 0), 109 * ONE);
    struct st_signal s;
    assert_true(st_host_evaluate(&b.rig.ctx, b.rig.state, 0, &s));
    assert_int_equal(s.action, ST_LONG);
    assert_int_equal(s.price, 109 * ONE);
    assert_false(st_host_evaluate(&b.rig.ctx, b.rig.state, 1, &s));
    bench_close(&b);
}

/* A guard stops orders that open and lets those that close pass, keeps its state over a reload, and
 * lets go after calm bars. One leg's gap or silence stops the strategy in all of its legs. */
static void test_data_guard(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, "{class: probe, instruments: [BTC-PERP, ETH-PERP], interval: 1m, account: main, "
                   "sizing: {fixed: 1}, data_guard: {window: 8, missing: 2, misaligned: 2, "
                   "repeated: 2, calm: 3}}");
    const struct st_signal buy = { .action = ST_ORDER, .quantity = ONE };
    signal_at(&b, BTC_PERP, 100 * ONE, advice(ST_LONG)); /* as without */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    tell_fill(&b.rig, intent_of(&b.rig, 0), 100 * ONE);
    b.minute += 3; /* three are missing: one too many */
    signal_at(&b, BTC_PERP, 101 * ONE, buy);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 0);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_DATA_MISSING);
    rig_reload(&b.rig);
    signal_at(&b, BTC_PERP, 102 * ONE, advice(ST_SHORT)); /* closes, and opens nothing */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    assert_true(intent_of(&b.rig, 0)->terms & ORDER_TERMS_EXIT);
    tell_fill(&b.rig, intent_of(&b.rig, 0), 102 * ONE);
    assert_int_equal(st_position(b.rig.state, 0), 0);
    for (int i = 0; i < 4; i++) { /* calm after 3, and with the window past one that is missing */
        rig_reload(&b.rig);
        signal_at(&b, BTC_PERP, (103 + i) * ONE, i % 2 ? buy : advice(ST_LONG));
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), i == 3);
        assert_int_equal(packet_of(&b.rig, 0)->reason[1],
                         i == 3 ? REASON_NONE : REASON_DATA_MISSING);
    }
    signal_at(&b, ETH_PERP, 50 * ONE, buy); /* heard once: from now on it may be late */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    for (int i = 0; i < 5; i++) { /* two may be missing, the third is due with the fourth bar */
        rig_reload(&b.rig);
        signal_at(&b, BTC_PERP, (107 + i) * ONE, buy);
        assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), i < 3);
        assert_int_equal(packet_of(&b.rig, 0)->reason[1], i < 3 ? REASON_NONE : REASON_DATA_LATE);
    }
    struct rt_error err = { 0 };
    struct msg_strategy_row row = { .at = 2000, .used = 8 };
    assert_true(strategy_kind.load(b.rig.state, MSG_STRATEGY_ROW, UINT64_C(1) << 56, &row,
                                   sizeof row, &err) < 0);
    bench_close(&b);
}

/* Named bars of feed: by the number of their name, whatever their length; size and last price come
 * of prices that were traded. What names nothing is refused. */
static void test_named_bars(void **state) {
    (void)state;
    struct bench b = { .m = market_open() };
    struct rt_error err = { 0 };
    static const char feed[] = "{bars: [{instrument: BTC-PERP, from: 1m, to: 5m, name: other},"
                               "{instrument: BTC-PERP, from: 1m, name: bricks,"
                               " type: renko, brick: 5},"
                               "{instrument: ETH-PERP, from: 1m, to: 5m, name: both},"
                               "{instrument: BTC-PERP, from: 1m, to: 7m, name: both}]}";
    static const char *const wrong[][2] = {
        { "[BTC-PERP], bars: bricks, interval: 1m", "stands beside interval" },
        { "[BTC-PERP], bars: none", "no feed makes bars named" },
        { "[ETH-PERP], bars: bricks", "no feed makes these bars of ETH-PERP" },
        { "[ETH-PERP, BTC-PERP], bars: both", "differ in type or length" },
    };
    char yaml[256];
    for (size_t i = 0; i <= sizeof wrong / sizeof wrong[0]; i++) {
        const bool good = i == sizeof wrong / sizeof wrong[0];
        probe_bar = NULL;
        probe_bars = probe_trades = 0;
        for (uint16_t n = 1; n <= 3; n++) rig_series(&b.rig, MSG_BAR, n, MINUTE_NS);
        rig_actor(&b.rig, "feed", "feed", 2, feed);
        b.rig.self = 5;
        snprintf(yaml, sizeof yaml,
                 "{class: probe, instruments: %s, account: main, sizing: {notional: 1000}}",
                 good ? "[BTC-PERP], bars: bricks" : wrong[i][0]);
        int rc = rig_open(&b.rig, &strategy_kind, yaml, b.m, &err);
        assert_int_equal(rc == 0, good);
        if (good) break;
        if (strstr(err.text, wrong[i][1]) == NULL) fail_msg("%s: %s", wrong[i][0], err.text);
        rig_close(&b.rig);
    }
    rig_start(&b.rig, 0);
    struct msg_bar bar = bar_at(BTC_PERP, 0, 20000 * ONE), row = bar_at(BTC_PERP, 0, 25000 * ONE);
    rig_latest(&b.rig, BTC_PERP - 1, &row);
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar); /* a bar of the clock */
    bar.flags = 1 << 4;                             /* the other name */
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar);
    assert_int_equal(probe_bars, 0);
    bar.flags = 2 << 4 | 1;
    bar.interval_ns = 0;
    give = advice(ST_LONG);
    probe_bar = give_once;
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar);
    assert_int_equal(probe_bars, 1);
    assert_int_equal(st_last(b.rig.state, 0), 25000 * ONE);
    const struct msg_order_intent *intent = msg_body(rig_find(&b.rig, MSG_ORDER_INTENT, 0));
    assert_int_equal(intent->quantity, 4 * ONE / 100); /* 1000 / 25000 */
    struct msg_trade t = { .price = ONE, .instrument = BTC_PERP };
    rig_hear(&b.rig, MSG_TRADE, 2, &t, sizeof t); /* of a market that the venue makes */
    assert_int_equal(probe_trades, 0);
    assert_int_equal(st_last(b.rig.state, 0), ONE);
    take_all(&b.rig);
    bench_close(&b);
}

/* Frames of feed: of its instruments and interval only, and not where rows are heard directly. */
static void test_frames(void **state) {
    (void)state;
    struct bench b = { .m = market_open() };
    struct rt_error err = { 0 };
    probe_bar = NULL;
    probe_bars = probe_trades = 0;
    rig_series(&b.rig, MSG_BAR, BTC_PERP, MINUTE_NS);
    rig_actor(&b.rig, "feed", "feed", 2, "{bars: [{instrument: ETH-PERP, from: trades, to: 1m}]}");
    assert_int_equal(rig_open(&b.rig, &strategy_kind,
                              "{class: probe, instruments: [ETH-PERP, BTC-PERP], interval: 1m, "
                              "account: main, sizing: {fixed: 1}}",
                              b.m, &err),
                     0);
    rig_start(&b.rig, 0);
    struct msg_bar bar = bar_at(ETH_PERP, 0, ONE);
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar);
    assert_int_equal(probe_bars, 1);
    bar.interval_ns *= 5;
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar);
    bar = bar_at(BTC_SPOT, 0, ONE);
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar);
    bar = bar_at(BTC_PERP, 0, ONE); /* heard directly */
    rig_hear(&b.rig, MSG_BAR, 2, &bar, sizeof bar);
    assert_int_equal(probe_bars, 1);
    struct msg_trade t = { .price = ONE, .instrument = ETH_PERP };
    rig_hear(&b.rig, MSG_TRADE, 2, &t, sizeof t);
    assert_int_equal(probe_trades, 0);
    bench_close(&b);

    bench_open(&b, "{class: probe, instruments: [BTC-PERP], interval: trades, account: main, "
                   "sizing: {fixed: 1}}");
    struct msg_trade trades[3] = { { 1, 1, 5 * ONE, ONE, BTC_PERP, 0, 0, 0 },
                                   { 1, 2, 6 * ONE, ONE, BTC_PERP, 0, 0, 0 },
                                   { 9, 3, 7 * ONE, ONE, BTC_PERP, 0, 0, 0 } };
    rig_rows(&b.rig, 3, RT_HEAR_ROW, trades, 3);
    assert_int_equal(probe_trades, 3);
    assert_int_equal(st_last(b.rig.state, 0), 7 * ONE);
    bench_close(&b);
}

/* Recovery: a host saved and loaded anew goes on as the first one would. */
static void test_reload(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, "{class: probe, instruments: [BTC-PERP, BTC-SPOT], interval: 1m, "
                   "account: main, sizing: {fraction: 0.5}, params: {high: 9}}");
    int64_t p = 50000 * ONE;
    signal_at(&b, BTC_PERP, p, advice(ST_LONG));
    struct msg_order_intent entry = *intent_of(&b.rig, 0);
    tell_fill(&b.rig, &entry, p);
    struct msg_position pos = {
        .quantity = ONE, .cost = p, .instrument = BTC_PERP, .owner = 1, .account = 1
    };
    rig_hear(&b.rig, MSG_POSITION, 61, &pos, sizeof pos);
    struct msg_account_state acc = { .cash = 1234 * ONE, .account = 1 };
    rig_hear(&b.rig, MSG_ACCOUNT_STATE, 61, &acc, sizeof acc);
    struct st_signal stop = { .action = ST_ORDER,
                              .side = SIDE_SELL,
                              .type = ORDER_TYPE_STOP,
                              .terms = ORDER_TERMS_EXIT,
                              .price = 49000 * ONE };
    signal_at(&b, BTC_PERP, p, stop);
    struct msg_order_intent resting = *intent_of(&b.rig, 0);
    struct st_signal c = { .action = ST_CANCEL, .order_id = resting.order_id };
    signal_at(&b, BTC_PERP, p, c);
    send(&b, COMMAND_OP_SET, 5, 0, 3);
    send(&b, COMMAND_OP_PAUSE, 5, 0, 0);
    rig_reload(&b.rig);
    struct st_host *h = b.rig.state;
    assert_int_equal(*(int64_t *)h->class_state, 3);
    assert_int_equal(h->params[0].i, 3);
    assert_int_equal(h->params[1].i, 9);
    assert_true(h->paused);
    assert_true(h->live);
    assert_int_equal(h->cash, 1234 * ONE);
    assert_int_equal(h->held_cnt, 1);
    assert_int_equal(h->held[0].cost, p);
    assert_int_equal(st_last(h, 0), p);
    assert_int_equal(st_position(h, 0), entry.quantity);
    assert_int_equal(st_open_orders(h, 0), 1);
    signal_at(&b, BTC_PERP, p, c); /* its cancel is still in flight */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CANCEL), 0);
    send(&b, COMMAND_OP_RESUME, 5, 0, 0);
    signal_at(&b, BTC_PERP, p, advice(ST_FLAT)); /* the sequence goes on */
    assert_int_equal(intent_of(&b.rig, 0)->order_id, mk_order_id(5, 3, 0));
    struct rt_error err = { 0 };
    struct msg_counter_row wrong = { .id = 0x9999 };
    assert_int_equal(strategy_kind.load(h, MSG_COUNTER_ROW, 0, &wrong, sizeof wrong, &err),
                     -EINVAL);
    struct msg_strategy_row piece = { .at = 990, .used = 120 };
    assert_int_equal(strategy_kind.load(h, MSG_STRATEGY_ROW, 0, &piece, sizeof piece, &err),
                     -EINVAL);
    assert_int_equal(strategy_kind.load(h, MSG_BAR, 0, &piece, sizeof piece, &err), -EINVAL);
    bench_close(&b);
}

/* Run files that make no sense, and what is said about each. */
static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *want; /* the map; part of the error */
    } cases[] = {
        { "{instruments: [BTC-PERP]}", "class" },
        { "{class: prob, instruments: [BTC-PERP]}", "rig:1:9: class: no strategy class" },
        { "{class: probe, instruments: [BTC-PERP], interval: 0s}", "rig:1:" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: mine}", "no account" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m}", "account" },
        { "{class: probe, instruments: [BTC], interval: 1m, account: main}", "rig:1:30: " },
        { "{class: probe, instruments: [BTC-PERP, BTC-PERP], interval: 1m, account: main}",
          "stands here twice" },
        { "{class: probe, instruments: [], interval: 1m, account: main}", "takes 1 to 2" },
        { "{class: barrer, instruments: [BTC-PERP], interval: 1m, account: main}", "takes 2" },
        { "{class: barrer, instruments: [BTC-PERP, ETH-PERP], interval: trades, account: main}",
          "hears no trades" },
        { "{class: trader, instruments: [BTC-PERP], interval: 1m, account: main}",
          "hears no bars" },
        { "{class: probe, instruments: [BTC-PERP], interval: 5m, account: main}",
          "no feed makes it" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main}", "sizing" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, sizing: {}}",
          "expected fixed, notional or fraction" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 1, fraction: 1}}",
          "stands beside fixed" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fraction: 21}}",
          "fraction" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 0}}",
          "fixed" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 1}, params: {hihg: 3}}",
          "high" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 1}, params: {high: 11}}",
          "high" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 1}, params: {low: 5}}",
          "low is not below high" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 1}, on_stop: run}",
          "on_stop" },
        { "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
          "sizing: {fixed: 1}, colour: red}",
          "colour" },
    };
    struct mk_market *m = market_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r = { 0 };
        struct rt_error err = { 0 };
        rig_series(&r, MSG_BAR, BTC_PERP, MINUTE_NS);
        rig_series(&r, MSG_BAR, ETH_PERP, MINUTE_NS);
        int rc = rig_open(&r, &strategy_kind, cases[i].yaml, m, &err);
        if (rc != -EINVAL || !strstr(err.text, cases[i].want)) {
            print_error("%s\n-> %d %s\nwanted: %s\n", cases[i].yaml, rc, err.text, cases[i].want);
            fail();
        }
        if (strncmp(err.text, "rig:1:", 6) != 0) print_error("no place: %s\n", err.text);
        assert_int_equal(strncmp(err.text, "rig:1:", 6), 0);
        rig_close(&r);
    }
    mk_market_close(m);
}

/* Values of `set`, as people write them. */
static void test_param_load(void **state) {
    (void)state;
    static const struct {
        const char *name, *text, *want; /* what is asked; part of the error, NULL = none */
        uint16_t param;                 /* its index */
        int64_t value;                  /* its value */
    } cases[] = {
        { "low", "3", NULL, 0, 3 },
        { "high", "10", NULL, 1, 10 },
        { "pct", "0.5", NULL, 2, 50000000 },
        { "weight", "-0.5", NULL, 3, INT64_MIN + 0x3fe0000000000000 },
        { "wait", "2m", NULL, 4, 2 * MINUTE_NS },
        { "loud", "false", NULL, 5, 0 },
        { "high", "11", "high", 0, 0 },
        { "high", "x", "high", 0, 0 },
        { "high", "", "high", 0, 0 },
        { "high", "[1]", "high", 0, 0 },
        { "high", "3\nlow: 4", "not one line", 0, 0 },
        { "hihg", "3", "no parameter of probe", 0, 0 },
    };
    struct rt_config *c;
    struct rt_error err = { 0 };
    assert_int_equal(rt_config_parse("f", plain, strlen(plain), &c, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t param = 99;
        int64_t value = 99;
        int rc =
            st_param_load(rt_config_root(c), cases[i].name, cases[i].text, &param, &value, &err);
        assert_int_equal(rc, cases[i].want ? -EINVAL : 0);
        if (cases[i].want && !strstr(err.text, cases[i].want)) print_error("%s\n", err.text);
        if (cases[i].want) assert_non_null(strstr(err.text, cases[i].want));
        if (rc == 0) assert_int_equal(param, cases[i].param);
        if (rc == 0) assert_true(value == cases[i].value);
    }
    rt_config_close(c);
    assert_int_equal(rt_config_parse("f", "kind: risk", 10, &c, &err), 0);
    uint16_t param;
    int64_t value;
    assert_int_equal(st_param_load(rt_config_root(c), "low", "1", &param, &value, &err), -EINVAL);
    rt_config_close(c);
}

/* by_flatc gives the packet as flatc's JSON of it. */
static void by_flatc(const struct msg_frame *f, char *out, size_t cap) {
    char dir[] = "/tmp/packetXXXXXX", path[64], command[512];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/p.bin", dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(msg_body(f), 1, f->size - sizeof *f, file), f->size - sizeof *f);
    fclose(file);
    const char *source = getenv("SHRIKE_SOURCE");
    snprintf(command, sizeof command,
             "flatc --json --strict-json --raw-binary --root-type shrike.DecisionPacket -o %s "
             "%s/schemas/decision.fbs -- %s && tr -d ' \\n' < %s/p.json; rm -r %s",
             dir, source ? source : ".", path, dir, dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t cnt = fread(out, 1, cap - 1, pipe);
    out[cnt] = 0;
    assert_int_equal(pclose(pipe), 0);
}

/* The packet, as flatc reads it: known fields are there, unknown ones are not. */
static void test_packet(void **state) {
    (void)state;
    char json[4096];
    struct bench b;
    bench_open(&b, "{class: probe, instruments: [BTC-PERP], interval: 1m, account: main, "
                   "sizing: {fixed: 0.0105}, model_version: mean_2.1}");
    struct st_signal s = advice(ST_LONG);
    s.sl = 49000 * ONE;
    s.tp1 = 52000 * ONE;
    s.strength = 0.5;
    s.valid_ns = 60;
    signal_at(&b, BTC_PERP, 50000 * ONE, s);
    by_flatc(rig_find(&b.rig, MSG_DECISION_PACKET, 0), json, sizeof json);
    assert_string_equal(
        json, "{\"order_id\":2814749767107584,\"market\":\"sim:linear\",\"symbol\":\"BTCUSDT\","
              "\"timeframe\":\"1m\",\"action\":\"long\",\"signal_strength\":0.5,"
              "\"entry\":5000000000000,\"sl\":4900000000000,\"tp1\":5200000000000,\"rr\":2.0,"
              "\"cost_assumption\":{\"bps\":5.5,\"both_sides\":false,\"liquidity\":\"taker\"},"
              "\"valid_until\":60000000060,\"generated_at_utc\":60000000000,"
              "\"reasons\":[\"signal_cross_up\"],\"model_version\":\"mean_2.1\",\"instrument\":1,"
              "\"quantity\":1000000}");
    bench_close(&b);
    bench_open(&b, plain);
    struct st_signal wait = { .action = ST_WAIT, .reason = REASON_WARMING_UP };
    signal_at(&b, BTC_PERP, 50000 * ONE, wait);
    by_flatc(rig_find(&b.rig, MSG_DECISION_PACKET, 0), json, sizeof json);
    assert_string_equal(json, "{\"market\":\"sim:linear\",\"symbol\":\"BTCUSDT\","
                              "\"timeframe\":\"1m\",\"action\":\"wait\",\"entry\":5000000000000,"
                              "\"generated_at_utc\":60000000000,\"reasons\":[\"warming_up\"],"
                              "\"instrument\":1}");
    signal_at(&b, BTC_PERP, 50000 * ONE, advice(ST_LONG));
    signal_at(&b, BTC_PERP, 50000 * ONE, advice(ST_SHORT)); /* short: two reasons where none came */
    send(&b, COMMAND_OP_PAUSE, 5, 0, 0);
    signal_at(&b, BTC_PERP, 50000 * ONE, advice(ST_SHORT));
    by_flatc(rig_find(&b.rig, MSG_DECISION_PACKET, 0), json, sizeof json);
    assert_non_null(strstr(json, "\"action\":\"short\""));
    assert_non_null(strstr(json, "\"reasons\":[\"signal_cross_up\",\"paused\"]"));
    bench_close(&b);
}

/* more_of returns the further terms of the n-th intent that has some. */
static const struct mk_more *more_of(const struct bench *b, size_t n) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_ORDER_INTENT_MORE, n);
    return f ? mk_more_of(msg_body(f), sizeof(struct msg_order_intent)) : NULL;
}

/* A bracket: the entry as ever, behind it a stop and a target that wait for it, one ends the other;
 * exits on the tick away from the market. Only what opens has one. */
static void test_bracket(void **state) {
    (void)state;
    struct bench b;
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    bench_open(&b, plain);
    struct st_signal in = advice(ST_LONG);
    in.bracket = true;
    in.sl = 49000 * ONE + 1;
    in.tp1 = 52000 * ONE;
    signal_at(&b, BTC_PERP, p, in);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT), 1);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT_MORE), 2);
    check_intent(&b, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, 10 * lot, 0);
    struct msg_order_intent entry = *intent_of(&b.rig, 0);
    const struct msg_order_intent *stop = msg_body(rig_find(&b.rig, MSG_ORDER_INTENT_MORE, 0));
    const struct msg_order_intent *target = msg_body(rig_find(&b.rig, MSG_ORDER_INTENT_MORE, 1));
    assert_int_equal(stop->type, ORDER_TYPE_STOP);
    assert_int_equal(stop->side, SIDE_SELL);
    assert_int_equal(stop->terms, OUT);
    assert_true(stop->price > 49000 * ONE); /* up to the tick */
    assert_int_equal(target->type, ORDER_TYPE_LIMIT);
    assert_int_equal(target->price, 52000 * ONE);
    assert_int_equal(target->quantity, 10 * lot);
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(more_of(&b, n)->parent, entry.order_id);
        assert_int_equal(more_of(&b, n)->oco, stop->order_id);
    }
    tell_fill(&b.rig, &entry, p);
    in.action = ST_FLAT;
    signal_at(&b, BTC_PERP, p, in); /* what closes has none */
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT_MORE), 0);
    check_intent(&b, 0, SIDE_SELL, ORDER_TYPE_MARKET, OUT, 10 * lot, 0);
    bench_close(&b);
}

/* Further terms of an order are rounded and passed on; those that do not fit make no order. */
static void test_further_terms(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    struct st_signal s = { .action = ST_ORDER,
                           .side = SIDE_BUY,
                           .type = ORDER_TYPE_STOP_LIMIT,
                           .terms = ORDER_TERMS_GTD,
                           .price = 51000 * ONE,
                           .stop_price = 50500 * ONE + 1,
                           .expire_ns = 7 * MINUTE_NS,
                           .oco = ST_OCO_FIRST };
    signal_at(&b, BTC_PERP, 50000 * ONE, s);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT_MORE), 1);
    assert_int_equal(more_of(&b, 0)->stop_price, 50500 * ONE); /* down to the tick */
    assert_int_equal(more_of(&b, 0)->expire_ns, 7 * MINUTE_NS);
    assert_int_equal(more_of(&b, 0)->oco, last_id);
    s.expire_ns = 0; /* good till when? */
    signal_at(&b, BTC_PERP, 50000 * ONE, s);
    assert_int_equal(last_id, 0);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_INTENT_MORE), 0);
    assert_int_equal(rig_count(&b.rig, MSG_DECISION_PACKET), 1);
    bench_close(&b);
}

/* change_of returns the n-th change said, or NULL. */
static const struct msg_order_change *change_of(const struct bench *b, size_t n) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_ORDER_CHANGE, n);
    return f ? msg_body(f) : NULL;
}

/* tell_amended tells the host what came of an amend of an order. */
static void tell_amended(struct bench *b, uint64_t id, int64_t price, int64_t quantity,
                         uint16_t reason) {
    struct msg_order_amended m = { .order_id = id,
                                   .price = price,
                                   .quantity = quantity,
                                   .instrument = BTC_PERP,
                                   .reason = reason,
                                   .account = 1,
                                   .by = AMEND_BY_STRATEGY };
    rig_hear(&b->rig, MSG_ORDER_AMENDED, 60, &m, sizeof m);
}

/* refused_amend checks that the signal made no change, and why. */
static void refused_amend(struct bench *b, struct st_signal s, uint16_t why) {
    signal_at(b, BTC_PERP, 50000 * ONE, s);
    assert_int_equal(rig_count(&b->rig, MSG_ORDER_CHANGE), 0);
    assert_int_equal(packet_of(&b->rig, 0)->reason[1], why);
    assert_int_equal(last_id, 0);
}

/* An amend is rounded and said once; until its answer there is no second, and the old figures
 * count; the answer's figures hold from then on, across a restart too. */
static void test_amend(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    struct st_signal order = { .action = ST_ORDER,
                               .side = SIDE_BUY,
                               .type = ORDER_TYPE_LIMIT,
                               .price = 49000 * ONE,
                               .quantity = 3 * lot };
    signal_at(&b, BTC_PERP, p, order);
    uint64_t id = last_id;
    struct st_signal s = { .action = ST_AMEND, .order_id = id, .reason = REASON_SIGNAL_QUOTE };
    refused_amend(&b, s, REASON_AMEND_RULE); /* nothing would change */
    s.price = 49000 * ONE + 1;               /* down to the tick: as it is */
    refused_amend(&b, s, REASON_AMEND_RULE);
    s.order_id = id + 1024;
    refused_amend(&b, s, REASON_UNKNOWN_ORDER);
    s.order_id = id;
    s.stop_price = 48000 * ONE; /* a limit has none */
    refused_amend(&b, s, REASON_AMEND_RULE);
    s.stop_price = 0;
    s.price = 49100 * ONE + 1;
    s.quantity = 4 * lot + 1;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(last_id, id);
    const struct msg_order_change *c = change_of(&b, 0);
    assert_true(c->order_id == id && c->op == REQUEST_OP_AMEND && c->price == 49100 * ONE);
    assert_true(c->quantity == 4 * lot && c->side == SIDE_BUY && c->type == ORDER_TYPE_LIMIT);
    assert_true(c->account == 1 && c->reason == REASON_SIGNAL_QUOTE);
    assert_int_equal(packet_of(&b.rig, 0)->order_id, id);
    assert_int_equal(packet_of(&b.rig, 0)->quantity, 4 * lot);
    rig_reload(&b.rig);
    s.price = 49200 * ONE;
    refused_amend(&b, s, REASON_AMEND_PENDING);
    tell_amended(&b, id, 49100 * ONE, 4 * lot, REASON_NONE);
    s.price = 49100 * ONE; /* that it has now */
    s.quantity = 4 * lot;
    refused_amend(&b, s, REASON_AMEND_RULE);
    s.quantity = 2 * lot;
    signal_at(&b, BTC_PERP, p, s);
    assert_true(change_of(&b, 0)->price == 0 && change_of(&b, 0)->quantity == 2 * lot);
    tell_amended(&b, id, 49100 * ONE, 4 * lot, REASON_AMEND_RULE);
    s.quantity = 5 * lot; /* with more to trade the price is told, for risk to look at */
    signal_at(&b, BTC_PERP, p, s);
    assert_true(change_of(&b, 0)->price == 49100 * ONE && change_of(&b, 0)->quantity == 5 * lot);
    tell_amended(&b, id, 49100 * ONE, 5 * lot, REASON_NONE);
    send(&b, COMMAND_OP_PAUSE, 5, 0, 0);
    s.quantity = 6 * lot;
    refused_amend(&b, s, REASON_PAUSED);
    s.quantity = 4 * lot; /* less risk */
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(rig_count(&b.rig, MSG_ORDER_CHANGE), 1);
    bench_close(&b);
}

/* What a trigger looks at and self-trade prevention are passed on; with a bracket the first is the
 * stop's. An order that closes the position has no quantity of its own: what is held, at least a
 * lot, and no other strategy beside it. */
static void test_mark_and_close(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    int64_t lot = ONE / 1000, p = 50000 * ONE;
    struct st_signal s = { .action = ST_ORDER,
                           .side = SIDE_BUY,
                           .type = ORDER_TYPE_STOP,
                           .price = 51000 * ONE,
                           .working = 1,
                           .stp = MK_STP_BOTH };
    signal_at(&b, BTC_PERP, p, s);
    assert_true(more_of(&b, 0)->working == 1 && more_of(&b, 0)->stp == MK_STP_BOTH);
    s.bracket = true;
    s.sl = 49000 * ONE;
    signal_at(&b, BTC_PERP, p, s);
    assert_true(more_of(&b, 0)->working == 0 && more_of(&b, 1)->working == 1);
    s = (struct st_signal){ .action = ST_ORDER,
                            .side = SIDE_SELL,
                            .type = ORDER_TYPE_STOP,
                            .terms = ORDER_TERMS_CLOSE_POSITION,
                            .price = 49000 * ONE };
    signal_at(&b, BTC_PERP, p, s);
    const struct msg_order_intent *i = msg_body(rig_find(&b.rig, MSG_ORDER_INTENT_MORE, 0));
    assert_int_equal(i->terms, OUT | ORDER_TERMS_CLOSE_POSITION);
    assert_int_equal(i->quantity, lot); /* nothing is held */
    s.quantity = lot;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_BAD_TERMS);
    s.quantity = 0;
    s.type = ORDER_TYPE_LIMIT;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_BAD_TERMS);
    s.type = ORDER_TYPE_STOP; /* the venue would close another strategy's part too */
    ((struct st_host *)b.rig.state)->legs[0].shared = true;
    signal_at(&b, BTC_PERP, p, s);
    assert_int_equal(packet_of(&b.rig, 0)->reason[1], REASON_POSITION_SHARED);
    bench_close(&b);
}

/* All that the probe of the next test does in one call. */
static void batch(struct st_host *h, uint16_t leg, const struct msg_bar *bar) {
    struct st_signal s = { .action = ST_CANCEL, .leg = leg, .order_id = last_id };
    (void)bar;
    (void)st_signal(h, &s); /* the first thing: at once */
    s = (struct st_signal){ .action = ST_ORDER,
                            .leg = leg,
                            .side = SIDE_BUY,
                            .type = ORDER_TYPE_LIMIT,
                            .price = 49000 * ONE };
    uint64_t one = st_signal(h, &s), two = st_signal(h, &s);
    s = (struct st_signal){ .action = ST_AMEND, .leg = leg, .order_id = one, .price = 48000 * ONE };
    (void)st_signal(h, &s);
    s = (struct st_signal){ .action = ST_CANCEL, .leg = leg, .order_id = two };
    (void)st_signal(h, &s);
    s = (struct st_signal){ .action = ST_REPLACE,
                            .leg = leg,
                            .order_id = one,
                            .side = SIDE_SELL,
                            .type = ORDER_TYPE_LIMIT,
                            .price = 52000 * ONE,
                            .anyway = true };
    last_id = st_signal(h, &s);
    s = (struct st_signal){ .action = ST_CANCEL, .leg = ST_ALL_LEGS };
    (void)st_signal(h, &s);
    probe_bar = NULL;
}

/* What one answer holds of orders, amends, cancels and replaces goes out in the order it was given,
 * and all of it can be canceled. */
static void test_batch(void **state) {
    (void)state;
    struct bench b;
    bench_open(&b, plain);
    struct st_signal order = {
        .action = ST_ORDER, .side = SIDE_BUY, .type = ORDER_TYPE_LIMIT, .price = 49000 * ONE
    };
    signal_at(&b, BTC_PERP, 50000 * ONE, order);
    uint64_t old = last_id;
    probe_bar = batch;
    rig_forget(&b.rig);
    tell_bar(&b, BTC_PERP, 50000 * ONE);
    static const uint16_t kinds[] = { MSG_ORDER_CANCEL, MSG_ORDER_INTENT, MSG_ORDER_INTENT,
                                      MSG_ORDER_CHANGE, MSG_ORDER_CHANGE, MSG_ORDER_REPLACE,
                                      MSG_ORDER_CHANGE, MSG_ORDER_CHANGE };
    size_t n = 0;
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&b.rig, i)) != NULL; i++) {
        if (f->kind == MSG_DECISION_PACKET) continue;
        assert_true(n < sizeof kinds / sizeof kinds[0]);
        assert_int_equal(f->kind, kinds[n++]);
    }
    assert_int_equal(n, sizeof kinds / sizeof kinds[0]);
    assert_int_equal(cancel_of(&b.rig, 0)->order_id, old);
    const struct msg_order_intent *one = intent_of(&b.rig, 0), *two = intent_of(&b.rig, 1);
    assert_true(change_of(&b, 0)->op == REQUEST_OP_AMEND &&
                change_of(&b, 0)->order_id == one->order_id);
    assert_true(change_of(&b, 1)->op == REQUEST_OP_CANCEL &&
                change_of(&b, 1)->order_id == two->order_id);
    const struct msg_order_replace *r = msg_body(rig_find(&b.rig, MSG_ORDER_REPLACE, 0));
    assert_true(r->replaces == one->order_id && r->anyway && r->order_id == last_id);
    assert_true(r->side == SIDE_SELL && r->price == 52000 * ONE);
    assert_true(change_of(&b, 2)->op == REQUEST_OP_CANCEL &&
                change_of(&b, 2)->order_id == one->order_id);
    assert_true(change_of(&b, 3)->order_id == last_id);
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns),          cmocka_unit_test(test_spot),
        cmocka_unit_test(test_orders),         cmocka_unit_test(test_rests),
        cmocka_unit_test(test_reduced),        cmocka_unit_test(test_cancel_waits),
        cmocka_unit_test(test_late_fill),      cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_equity),         cmocka_unit_test(test_commands),
        cmocka_unit_test(test_warm_up),        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_runs),           cmocka_unit_test(test_frames),
        cmocka_unit_test(test_named_bars),     cmocka_unit_test(test_data_guard),
        cmocka_unit_test(test_reload),         cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_packet),         cmocka_unit_test(test_param_load),
        cmocka_unit_test(test_bracket),        cmocka_unit_test(test_further_terms),
        cmocka_unit_test(test_amend),          cmocka_unit_test(test_batch),
        cmocka_unit_test(test_mark_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
