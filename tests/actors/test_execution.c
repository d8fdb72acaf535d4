/* rig: drives the execution actor alone */
#include "actors/execution/execution.h"
#include "actors/portfolio/portfolio.h"
#include "tests/support/check.h"
#include "tests/support/rig.h"
#include "tests/support/world.h"
#include <string.h>

/* Ids of the graph: the venue, a strategy. */
enum { VENUE = 9, OWNER = 7, GATE = 3 };

/* The first instant. */
#define T0 1700000000000000000LL

/* desk_open makes the actor. */
static void desk_open(struct rig *r, const char *yaml) {
    memset(r, 0, sizeof *r);
    struct rt_error err = { 0 };
    int rc = rig_open(r, &execution_kind, yaml, &world, &err);
    if (rc != 0) fail_msg("%s", err.text);
    rig_start(r, T0);
}

/* id names the n-th order of owner. */
static uint64_t id(uint16_t owner, uint64_t n) {
    return mk_order_id(owner, n, 0);
}

/* pass tells a verdict; quantity 0 refuses with reason. */
static void pass(struct rig *r, uint64_t order_id, uint8_t side, qty_t quantity, uint16_t reason) {
    struct msg_risk_verdict v = { .order_id = order_id,
                                  .price = 100 * ONE,
                                  .quantity = quantity,
                                  .instrument = WORLD_PERP,
                                  .account = WORLD_MAIN,
                                  .side = side,
                                  .type = ORDER_TYPE_LIMIT,
                                  .terms = ORDER_TERMS_EXIT,
                                  .reason = reason };
    assert_true(rig_hear(r, MSG_RISK_VERDICT, GATE, &v, sizeof v));
}

/* told tells a status of the venue. */
static void told(struct rig *r, uint64_t order_id, uint8_t status, uint16_t reason) {
    struct msg_venue_status v = { .order_id = order_id,
                                  .venue_order_id = 55,
                                  .instrument = WORLD_PERP,
                                  .account = WORLD_MAIN,
                                  .status = status,
                                  .reason = reason };
    assert_true(rig_hear(r, MSG_VENUE_STATUS, VENUE, &v, sizeof v));
}

/* filled tells a fill of the venue. */
static void filled(struct rig *r, uint64_t order_id, uint64_t trade_id, qty_t quantity,
                   price_t price, int64_t fee) {
    struct msg_venue_fill v = { .order_id = order_id,
                                .trade_id = trade_id,
                                .price = price,
                                .quantity = quantity,
                                .fee = fee,
                                .slippage = 3,
                                .instrument = WORLD_PERP,
                                .fee_asset = WORLD_USDT,
                                .account = WORLD_MAIN,
                                .liquidity = LIQUIDITY_TAKER };
    assert_true(rig_hear(r, MSG_VENUE_FILL, VENUE, &v, sizeof v));
}

/* cancel asks for a cancel. */
static void cancel(struct rig *r, uint64_t order_id, uint16_t owner, uint16_t instrument) {
    struct msg_order_cancel c = { .order_id = order_id, .owner = owner, .instrument = instrument };
    assert_true(rig_hear(r, MSG_ORDER_CANCEL, owner, &c, sizeof c));
}

/* state_of returns the n-th order state said. */
static const struct msg_order_state *state_of(const struct rig *r, size_t n) {
    const struct msg_frame *f = rig_find(r, MSG_ORDER_STATE, n);
    assert_non_null(f);
    return msg_body(f);
}

/* said checks that just these kinds were said, in this order, and forgets them. */
static void said(struct rig *r, size_t cnt, const uint16_t *kinds) {
    assert_int_equal(r->said_cnt, cnt);
    for (size_t i = 0; i < cnt; i++) assert_int_equal(rig_said(r, i)->kind, kinds[i]);
    rig_forget(r);
}
#define SAID(r, ...) said(r, sizeof((uint16_t[]){ __VA_ARGS__ }) / 2, (uint16_t[]){ __VA_ARGS__ })

/* Goal: an order's life from verdict to last fill is told step by step, with exact sums. Method: by
 * hand: 3 bought at 100, as 1 at 100.00000001 x 0.1 units (rounded up) and the rest. */
static void test_life(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    uint64_t order = id(OWNER, 1);
    pass(&r, order, SIDE_BUY, 3 * ONE, REASON_REDUCED);
    const struct msg_order_state *s = state_of(&r, 0);
    assert_true(s->order_id == order && s->status == ORDER_STATUS_SUBMITTED);
    assert_true(s->quantity == 3 * ONE && s->price == 100 * ONE && s->reason == REASON_REDUCED);
    const struct msg_venue_request *q = msg_body(rig_find(&r, MSG_VENUE_REQUEST, 0));
    assert_true(q->order_id == order && q->op == REQUEST_OP_PLACE && q->quantity == 3 * ONE);
    assert_true(q->price == 100 * ONE && q->type == ORDER_TYPE_LIMIT && q->side == SIDE_BUY);
    assert_true(q->terms == ORDER_TERMS_EXIT && q->instrument == WORLD_PERP);
    SAID(&r, MSG_ORDER_STATE, MSG_VENUE_REQUEST);
    told(&r, order, ORDER_STATUS_ACCEPTED, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->status, ORDER_STATUS_ACCEPTED);
    assert_int_equal(state_of(&r, 0)->reason, REASON_REDUCED);
    SAID(&r, MSG_ORDER_STATE);
    told(&r, order, ORDER_STATUS_ACCEPTED, REASON_NONE); /* again: nothing */
    assert_int_equal(r.said_cnt, 0);
    rig_reload(&r);
    filled(&r, order, 1, ONE, 100 * ONE + 1, 7);
    const struct msg_fill *f = msg_body(rig_find(&r, MSG_FILL, 0));
    assert_true(f->order_id == order && f->trade_id == 1 && f->quantity == ONE && f->fee == 7);
    assert_true(f->cum_cost == 100 * ONE + 1 && f->cum_quantity == ONE && f->cum_fee == 7);
    assert_true(f->slippage == 3 && f->liquidity == LIQUIDITY_TAKER && f->side == SIDE_BUY);
    assert_true(f->terms == ORDER_TERMS_EXIT && f->fee_asset == WORLD_USDT);
    assert_int_equal(state_of(&r, 0)->status, ORDER_STATUS_PARTIALLY_FILLED);
    SAID(&r, MSG_FILL, MSG_ORDER_STATE);
    filled(&r, order, 2, ONE / 2, 100 * ONE + 1, 1); /* 50.000000005 paid: rounded up */
    assert_int_equal(state_of(&r, 0)->cum_cost, 150 * ONE + 2);
    rig_forget(&r);
    filled(&r, order, 3, 3 * ONE / 2, 100 * ONE, 0);
    s = state_of(&r, 0);
    assert_true(s->status == ORDER_STATUS_FILLED && s->cum_quantity == 3 * ONE);
    assert_true(s->cum_cost == 300 * ONE + 2 && s->cum_fee == 8 && s->reason == REASON_REDUCED);
    SAID(&r, MSG_FILL, MSG_ORDER_STATE);
    assert_int_equal(((struct execution_state *)r.state)->open_cnt, 0);
    pass(&r, id(OWNER, 2), SIDE_SELL, ONE, REASON_NONE);
    rig_forget(&r);
    filled(&r, id(OWNER, 2), 4, ONE / 2, 100 * ONE + 1, 0); /* received: rounded down */
    assert_int_equal(state_of(&r, 0)->cum_cost, 50 * ONE);
    rig_close(&r);
}

/* changes tells a verdict on an amend of an order of pass: reason none = passed. */
static void changes(struct rig *r, uint64_t order_id, price_t price, qty_t quantity,
                    uint16_t reason) {
    struct msg_change_verdict v = { .order_id = order_id,
                                    .price = price,
                                    .quantity = quantity,
                                    .instrument = WORLD_PERP,
                                    .account = WORLD_MAIN,
                                    .side = SIDE_BUY,
                                    .type = ORDER_TYPE_LIMIT,
                                    .terms = ORDER_TERMS_EXIT,
                                    .op = REQUEST_OP_AMEND,
                                    .reason = reason };
    assert_true(rig_hear(r, MSG_CHANGE_VERDICT, GATE, &v, sizeof v));
}

/* amended tells what the venue says of an amend, or of what it changed by itself. */
static void amended(struct rig *r, uint64_t order_id, price_t price, qty_t left, uint16_t reason,
                    bool asked) {
    struct msg_venue_amended v = { .order_id = order_id,
                                   .price = price,
                                   .quantity = left,
                                   .instrument = WORLD_PERP,
                                   .account = WORLD_MAIN,
                                   .reason = reason,
                                   .asked = asked };
    assert_true(rig_hear(r, MSG_VENUE_AMENDED, VENUE, &v, sizeof v));
}

/* came_to checks what an amend came to, as told: by whom, why, what the order has. */
static void came_to(const struct rig *r, uint8_t by, uint16_t reason, price_t price,
                    qty_t quantity) {
    const struct msg_frame *f = rig_find(r, MSG_ORDER_AMENDED, 0);
    assert_non_null(f);
    const struct msg_order_amended *m = msg_body(f);
    assert_int_equal(m->by, by);
    assert_int_equal(m->reason, reason);
    assert_int_equal(m->price, price);
    assert_int_equal(m->quantity, quantity);
}

/* Goal: an amend is one request at a time, its old figures hold until the answer, and what came of
 * it is told once: done, refused by risk, here or by the venue, lost to a fill. Method: by hand,
 * on an actor that is made from its rows after each step. */
static void test_amend(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    uint64_t order = id(OWNER, 1);
    pass(&r, order, SIDE_BUY, 3 * ONE, REASON_NONE);
    told(&r, order, ORDER_STATUS_ACCEPTED, REASON_NONE);
    rig_forget(&r);
    changes(&r, order, 99 * ONE, 4 * ONE, REASON_NONE);
    const struct msg_venue_request *q = msg_body(rig_find(&r, MSG_VENUE_REQUEST, 0));
    assert_true(q->order_id == order && q->op == REQUEST_OP_AMEND);
    assert_true(q->price == 99 * ONE && q->quantity == 4 * ONE && q->type == ORDER_TYPE_LIMIT);
    SAID(&r, MSG_VENUE_REQUEST);
    rig_reload(&r);
    changes(&r, order, 98 * ONE, 0, REASON_NONE); /* a second one */
    came_to(&r, AMEND_BY_STRATEGY, REASON_AMEND_PENDING, 100 * ONE, 3 * ONE);
    SAID(&r, MSG_ORDER_AMENDED);
    changes(&r, order, 98 * ONE, 0, REASON_PRICE_COLLAR); /* risk's word */
    came_to(&r, AMEND_BY_RISK, REASON_PRICE_COLLAR, 100 * ONE, 3 * ONE);
    SAID(&r, MSG_ORDER_AMENDED);
    filled(&r, order, 1, ONE, 100 * ONE, 0); /* with the old figures */
    assert_int_equal(state_of(&r, 0)->quantity, 3 * ONE);
    rig_forget(&r);
    amended(&r, order, 99 * ONE, 3 * ONE, REASON_NONE, true);
    came_to(&r, AMEND_BY_STRATEGY, REASON_NONE, 99 * ONE, 4 * ONE);
    const struct msg_order_state *s = state_of(&r, 0);
    assert_true(s->price == 99 * ONE && s->quantity == 4 * ONE && s->cum_quantity == ONE);
    assert_int_equal(s->status, ORDER_STATUS_PARTIALLY_FILLED);
    SAID(&r, MSG_ORDER_AMENDED, MSG_ORDER_STATE);
    rig_reload(&r);
    changes(&r, order, 0, 3 * ONE, REASON_NONE); /* what is not told stays */
    q = msg_body(rig_find(&r, MSG_VENUE_REQUEST, 0));
    assert_true(q->price == 99 * ONE && q->quantity == 3 * ONE);
    rig_forget(&r);
    amended(&r, order, 99 * ONE, 3 * ONE, REASON_AMEND_RULE, true);
    came_to(&r, AMEND_BY_STRATEGY, REASON_AMEND_RULE, 99 * ONE, 4 * ONE);
    SAID(&r, MSG_ORDER_AMENDED);
    amended(&r, order, 99 * ONE, 2 * ONE, REASON_SELF_TRADE, false); /* by itself */
    came_to(&r, AMEND_BY_VENUE, REASON_SELF_TRADE, 99 * ONE, 3 * ONE);
    assert_true(state_of(&r, 0)->quantity == 3 * ONE);
    SAID(&r, MSG_ORDER_AMENDED, MSG_ORDER_STATE);
    changes(&r, order, 97 * ONE, 0, REASON_NONE);
    rig_forget(&r);
    filled(&r, order, 2, 2 * ONE, 99 * ONE, 0); /* lost to it */
    assert_int_equal(state_of(&r, 0)->status, ORDER_STATUS_FILLED);
    rig_forget(&r);
    amended(&r, order, 0, 0, REASON_UNKNOWN_ORDER, true);
    came_to(&r, AMEND_BY_STRATEGY, REASON_UNKNOWN_ORDER, 0, 0);
    SAID(&r, MSG_ORDER_AMENDED);
    changes(&r, order, 97 * ONE, 0, REASON_NONE);
    came_to(&r, AMEND_BY_STRATEGY, REASON_UNKNOWN_ORDER, 0, 0);
    SAID(&r, MSG_ORDER_AMENDED);
    pass(&r, id(OWNER, 2), SIDE_BUY, ONE, REASON_NONE);
    cancel(&r, id(OWNER, 2), OWNER, WORLD_PERP);
    rig_forget(&r);
    changes(&r, id(OWNER, 2), 97 * ONE, 0, REASON_NONE); /* it is going */
    came_to(&r, AMEND_BY_STRATEGY, REASON_AMEND_RULE, 100 * ONE, ONE);
    pass(&r, id(OWNER, 3), SIDE_SELL, ONE, REASON_NONE);
    rig_forget(&r);
    changes(&r, id(OWNER, 3), 97 * ONE, 0, REASON_NONE); /* says it buys: it sells */
    came_to(&r, AMEND_BY_STRATEGY, REASON_REFUSED_BAD_FRAME, 100 * ONE, ONE);
    SAID(&r, MSG_ORDER_AMENDED);
    rig_close(&r);
}

/* replaces tells a verdict on an order in place of old. */
static void replaces(struct rig *r, uint64_t order_id, uint64_t old, bool anyway) {
    struct msg_replace_verdict v = { .order_id = order_id,
                                     .price = 101 * ONE,
                                     .quantity = ONE,
                                     .instrument = WORLD_PERP,
                                     .account = WORLD_MAIN,
                                     .type = ORDER_TYPE_LIMIT,
                                     .replaces = old,
                                     .anyway = anyway };
    assert_true(rig_hear(r, MSG_REPLACE_VERDICT, GATE, &v, sizeof v));
}

/* Goal: an order that replaces another is one request, which cancels the other; where that is done,
 * going, or a stranger's it is rejected, or placed anyway. A cancel that comes by risk is one. */
static void test_replace(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    pass(&r, id(OWNER, 1), SIDE_BUY, ONE, REASON_NONE);
    rig_forget(&r);
    replaces(&r, id(OWNER, 2), id(OWNER, 1), false);
    const struct msg_venue_replace *q = msg_body(rig_find(&r, MSG_VENUE_REPLACE, 0));
    assert_true(q->order_id == id(OWNER, 2) && q->replaces == id(OWNER, 1) && !q->anyway);
    assert_true(q->op == REQUEST_OP_REPLACE && q->price == 101 * ONE && q->quantity == ONE);
    SAID(&r, MSG_ORDER_STATE, MSG_VENUE_REPLACE);
    replaces(&r, id(OWNER, 3), id(OWNER, 1), false); /* it is going already */
    assert_true(state_of(&r, 0)->status == ORDER_STATUS_REJECTED &&
                state_of(&r, 0)->reason == REASON_CANCEL_FAILED);
    SAID(&r, MSG_ORDER_STATE);
    replaces(&r, id(OWNER, 4), id(OWNER, 1), true);
    SAID(&r, MSG_ORDER_STATE, MSG_VENUE_REQUEST_MORE); /* one like any */
    told(&r, id(OWNER, 1), ORDER_STATUS_CANCELED, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_BY_STRATEGY);
    rig_forget(&r);
    replaces(&r, id(OWNER + 1, 1), id(OWNER, 2), false); /* another strategy's */
    assert_int_equal(state_of(&r, 0)->reason, REASON_CANCEL_FAILED);
    SAID(&r, MSG_ORDER_STATE);
    struct msg_change_verdict v = { .order_id = id(OWNER, 2),
                                    .op = REQUEST_OP_CANCEL,
                                    .reason = REASON_SIGNAL_QUOTE };
    assert_true(rig_hear(&r, MSG_CHANGE_VERDICT, GATE, &v, sizeof v));
    assert_int_equal(((const struct msg_venue_request *)msg_body(rig_said(&r, 0)))->op,
                     REQUEST_OP_CANCEL);
    rig_forget(&r);
    told(&r, id(OWNER, 2), ORDER_STATUS_CANCELED, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_SIGNAL_QUOTE);
    rig_close(&r);
}

/* Goal: what risk refused is told as rejected with its reason, and no request goes out. */
static void test_refused(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    pass(&r, id(OWNER, 1), SIDE_BUY, 0, REASON_PRICE_COLLAR);
    assert_int_equal(state_of(&r, 0)->status, ORDER_STATUS_REJECTED);
    assert_int_equal(state_of(&r, 0)->reason, REASON_PRICE_COLLAR);
    SAID(&r, MSG_ORDER_STATE);
    rig_close(&r);
}

/* Goal: no room, an id in use, a number that is none and a full edge end as rejected. Method: a
 * table of two places. */
static void test_no_room(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "open_orders_max: 2");
    pass(&r, id(OWNER, 1), SIDE_BUY, ONE, REASON_NONE);
    rig_forget(&r);
    pass(&r, id(OWNER, 1), SIDE_BUY, ONE, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_DUPLICATE_ID);
    SAID(&r, MSG_ORDER_STATE);
    pass(&r, 0, SIDE_BUY, ONE, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_REFUSED_BAD_FRAME);
    SAID(&r, MSG_ORDER_STATE);
    r.no_room = true;
    pass(&r, id(OWNER, 2), SIDE_BUY, ONE, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_EDGE_FULL);
    SAID(&r, MSG_ORDER_STATE);
    r.no_room = false;
    pass(&r, id(OWNER, 3), SIDE_BUY, ONE, REASON_NONE);
    SAID(&r, MSG_ORDER_STATE, MSG_VENUE_REQUEST);
    pass(&r, id(OWNER, 4), SIDE_BUY, ONE, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_OPEN_ORDERS_MAX);
    SAID(&r, MSG_ORDER_STATE);
    told(&r, id(OWNER, 1), ORDER_STATUS_EXPIRED, REASON_END_OF_DATA);
    assert_int_equal(state_of(&r, 0)->reason, REASON_END_OF_DATA);
    SAID(&r, MSG_ORDER_STATE);
    pass(&r, id(OWNER, 5), SIDE_BUY, ONE, REASON_NONE);
    SAID(&r, MSG_ORDER_STATE, MSG_VENUE_REQUEST);
    rig_close(&r);
}

/* Goal: fills before the acknowledgement are booked, and the acknowledgement is no step back. */
static void test_fill_before_ack(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    pass(&r, id(OWNER, 1), SIDE_BUY, 2 * ONE, REASON_NONE);
    rig_forget(&r);
    filled(&r, id(OWNER, 1), 1, ONE, 100 * ONE, 0);
    SAID(&r, MSG_FILL, MSG_ORDER_STATE);
    told(&r, id(OWNER, 1), ORDER_STATUS_ACCEPTED, REASON_NONE);
    assert_int_equal(r.said_cnt, 0);
    told(&r, id(OWNER, 1), ORDER_STATUS_UNKNOWN, REASON_NONE);
    SAID(&r, MSG_ORDER_STATE);
    told(&r, id(OWNER, 1), ORDER_STATUS_ACCEPTED, REASON_NONE); /* found again, partly filled */
    assert_int_equal(state_of(&r, 0)->status, ORDER_STATUS_PARTIALLY_FILLED);
    rig_forget(&r);
    filled(&r, id(OWNER, 1), 2, ONE, 100 * ONE, 0);
    SAID(&r, MSG_FILL, MSG_ORDER_STATE);
    rig_close(&r);
}

/* Goal: a fill told again changes nothing and is counted, in whatever order the ids come and over a
 * reload; one of no open order, or that makes no sense, is an alert; one beyond the order is booked
 * and an alert. */
static void test_fill_ids(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    pass(&r, id(OWNER, 1), SIDE_BUY, 10 * ONE, REASON_NONE);
    static const uint64_t ids[] = { 50, 20, 30, 90, 10, 60 };
    for (size_t i = 0; i < 6; i++) filled(&r, id(OWNER, 1), ids[i], ONE, 100 * ONE, 1);
    rig_reload(&r);
    rig_forget(&r);
    for (size_t i = 0; i < 6; i++) filled(&r, id(OWNER, 1), ids[i], ONE, 100 * ONE, 1);
    assert_int_equal(r.said_cnt, 0);
    const struct execution_state *st = r.state;
    assert_int_equal(st->counts[EXECUTION_FILLS_TWICE], 6);
    filled(&r, id(OWNER, 1), 70, ONE, 100 * ONE, 1);
    assert_int_equal(state_of(&r, 0)->cum_quantity, 7 * ONE);
    SAID(&r, MSG_FILL, MSG_ORDER_STATE);
    filled(&r, id(OWNER, 2), 71, ONE, 100 * ONE, 1);
    filled(&r, id(OWNER, 1), 72, 0, 100 * ONE, 1);
    filled(&r, id(OWNER, 1), 73, ONE, -1, 1);
    filled(&r, id(OWNER, 1), 74, INT64_MAX, INT64_MAX, 1);
    SAID(&r, MSG_ALERT, MSG_ALERT, MSG_ALERT, MSG_ALERT);
    assert_int_equal(st->counts[EXECUTION_FILLS_STRAY], 4);
    filled(&r, id(OWNER, 1), 74, 4 * ONE, 100 * ONE, 1);
    assert_int_equal(state_of(&r, 0)->status, ORDER_STATUS_FILLED);
    assert_int_equal(state_of(&r, 0)->cum_quantity, 11 * ONE);
    SAID(&r, MSG_FILL, MSG_ALERT, MSG_ORDER_STATE);
    rig_close(&r);
}

/* Goal: without room for more fill ids an order takes ids to rise, and says no fill twice. */
static void test_fill_ids_full(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "fill_ids_max: 2");
    pass(&r, id(OWNER, 1), SIDE_BUY, 10 * ONE, REASON_NONE);
    for (uint64_t i = 1; i <= 6; i++) filled(&r, id(OWNER, 1), i, ONE, 100 * ONE, 0);
    rig_reload(&r);
    for (uint64_t i = 1; i <= 6; i++) filled(&r, id(OWNER, 1), i, ONE, 100 * ONE, 0);
    assert_int_equal(rig_count(&r, MSG_FILL), 6);
    told(&r, id(OWNER, 1), ORDER_STATUS_CANCELED, REASON_NONE); /* gives its ids back */
    pass(&r, id(OWNER, 2), SIDE_BUY, 10 * ONE, REASON_NONE);
    rig_forget(&r);
    static const uint64_t ids[] = { 9, 7, 8, 7, 8, 9 };
    for (size_t i = 0; i < 6; i++) filled(&r, id(OWNER, 2), ids[i], ONE, 100 * ONE, 0);
    assert_int_equal(rig_count(&r, MSG_FILL), 3);
    const struct execution_state *st = r.state;
    const struct execution_order *o = &st->orders[rt_map_get(&st->index, id(OWNER, 2))];
    assert_false(o->row.flags & EXECUTION_IDS_RISE); /* there was room for its two */
    rig_close(&r);
}

/* is_open tells whether the order is in the table and not done. */
static bool is_open(const struct rig *r, uint64_t order_id) {
    const struct execution_state *st = r->state;
    uint32_t at = rt_map_get(&st->index, order_id);
    return at != RT_MAP_NONE && !execution_is_done(&st->orders[at].row);
}

/* keep tells the portfolio what execution said from frame first on. */
static void keep(struct rig *books, const struct rig *r, size_t first) {
    for (size_t i = first; i < r->said_cnt; i++) {
        const struct msg_frame *f = rig_said(r, i);
        if (f->kind != MSG_FILL) continue;
        assert_true(rig_hear(books, MSG_FILL, GATE, msg_body(f), sizeof(struct msg_fill)));
    }
}

/* Goal: a fill that comes after its order was done is booked, told once, with an alert; position
 * and cash follow the venue. Method: by hand: of 10 bought 2 fill, the cancel is answered, then 3
 * more come at 101, and again; an order wholly filled gets one more fill; beyond done_orders_max
 * nobody remembers, and the fill is an alert. */
static void test_late_fill(void **state) {
    (void)state;
    for (int reload = 0; reload < 2; reload++) {
        struct rig r, books;
        struct rt_error err = { 0 };
        desk_open(&r, "done_orders_max: 2");
        memset(&books, 0, sizeof books);
        if (rig_open(&books, &portfolio_kind, "{}", &world, &err) != 0) fail_msg("%s", err.text);
        rig_start(&books, T0);
        const struct execution_state *st = r.state;
        pass(&r, id(OWNER, 1), SIDE_BUY, 10 * ONE, REASON_NONE);
        filled(&r, id(OWNER, 1), 1, 2 * ONE, 100 * ONE, ONE);
        cancel(&r, id(OWNER, 1), OWNER, 0);
        told(&r, id(OWNER, 1), ORDER_STATUS_CANCELED, REASON_NONE);
        keep(&books, &r, 0);
        if (reload) rig_reload(&r);
        rig_forget(&r);
        filled(&r, id(OWNER, 1), 2, 3 * ONE, 101 * ONE, ONE);
        const struct msg_fill *f = msg_body(rig_find(&r, MSG_FILL, 0));
        assert_true(f->cum_quantity == 5 * ONE && f->cum_cost == 503 * ONE && f->side == SIDE_BUY);
        const struct msg_order_state *s = state_of(&r, 0);
        assert_true(s->status == ORDER_STATUS_CANCELED && s->cum_quantity == 5 * ONE);
        const struct msg_alert *a = msg_body(rig_find(&r, MSG_ALERT, 0));
        assert_true(a->reason == REASON_LATE_FILL && a->subject == id(OWNER, 1));
        keep(&books, &r, 0);
        SAID(&r, MSG_FILL, MSG_ORDER_STATE, MSG_ALERT);
        if (reload) rig_reload(&r);
        st = r.state;
        filled(&r, id(OWNER, 1), 2, 3 * ONE, 101 * ONE, ONE); /* told again */
        filled(&r, id(OWNER, 1), 1, 2 * ONE, 100 * ONE, ONE);
        assert_int_equal(r.said_cnt, 0);
        assert_int_equal(st->counts[EXECUTION_FILLS_TWICE], 2);
        assert_int_equal(st->counts[EXECUTION_FILLS_LATE], 1);
        cancel(&r, id(OWNER, 1), OWNER, 0);
        assert_int_equal(st->counts[EXECUTION_CANCELS_LATE], 1);
        told(&r, id(OWNER, 1), ORDER_STATUS_EXPIRED, REASON_NONE);
        SAID(&r, MSG_ALERT);
        size_t last = rig_count(&books, MSG_POSITION) - 1;
        const struct msg_position *p = msg_body(rig_find(&books, MSG_POSITION, last));
        assert_true(p->quantity == 5 * ONE && p->cost == 503 * ONE);
        last = rig_count(&books, MSG_ACCOUNT_STATE) - 1;
        const struct msg_account_state *c = msg_body(rig_find(&books, MSG_ACCOUNT_STATE, last));
        const struct msg_account_state *c0 = msg_body(rig_find(&books, MSG_ACCOUNT_STATE, 0));
        assert_true(c->cash == c0->cash - ONE); /* linear: but for fees, cash stays */

        pass(&r, id(OWNER, 2), SIDE_SELL, ONE, REASON_NONE);
        filled(&r, id(OWNER, 2), 3, ONE, 100 * ONE, 0);
        rig_forget(&r);
        filled(&r, id(OWNER, 2), 4, ONE, 100 * ONE, 0); /* more than it was for */
        SAID(&r, MSG_FILL, MSG_ALERT, MSG_ORDER_STATE, MSG_ALERT);
        pass(&r, id(OWNER, 3), SIDE_SELL, ONE, REASON_NONE);
        told(&r, id(OWNER, 3), ORDER_STATUS_EXPIRED, REASON_NONE);
        if (reload) rig_reload(&r);
        rig_forget(&r);
        st = r.state;
        assert_int_equal(st->done_cnt, 2);
        filled(&r, id(OWNER, 1), 5, ONE, 100 * ONE, 0); /* done longest: forgotten */
        assert_int_equal(st->counts[EXECUTION_FILLS_STRAY], 1);
        SAID(&r, MSG_ALERT);
        filled(&r, id(OWNER, 2), 6, ONE, 100 * ONE, 0);
        filled(&r, id(OWNER, 3), 7, ONE, 100 * ONE, 0);
        assert_int_equal(rig_count(&r, MSG_FILL), 2);
        rig_close(&books);
        rig_close(&r);
    }
}

/* steer brings a fresh order into a status. */
static void steer(struct rig *r, uint64_t order_id, uint8_t status) {
    pass(r, order_id, SIDE_BUY, 10 * ONE, REASON_NONE);
    if (status == ORDER_STATUS_PARTIALLY_FILLED) filled(r, order_id, 1, ONE, 100 * ONE, 0);
    if (status == ORDER_STATUS_FILLED) filled(r, order_id, 1, 10 * ONE, 100 * ONE, 0);
    if (status >= ORDER_STATUS_CANCELED || status == ORDER_STATUS_ACCEPTED) {
        told(r, order_id, status, REASON_NONE);
    }
    rig_forget(r);
}

/* Goal: each step the table allows is taken, each other is an alert (or nothing, where it repeats)
 * and changes nothing. Method: all statuses against all that a venue could say, the expectation
 * written out here by hand. */
static void test_every_transition(void **state) {
    (void)state;
    /* S step, A alert, - nothing; told: created submitted accepted partial filled canceled rejected
     * expired unknown, and one beyond them */
    static const char *const want[] = {
        [ORDER_STATUS_SUBMITTED] = "AASAASSSSA",        [ORDER_STATUS_ACCEPTED] = "AA-AASSSSA",
        [ORDER_STATUS_PARTIALLY_FILLED] = "AA-AASASSA", [ORDER_STATUS_FILLED] = "AAAAAAAAAA",
        [ORDER_STATUS_CANCELED] = "AAAAAAAAAA",         [ORDER_STATUS_REJECTED] = "AAAAAAAAAA",
        [ORDER_STATUS_EXPIRED] = "AAAAAAAAAA",          [ORDER_STATUS_UNKNOWN] = "AASAASSSAA",
    };
    for (uint8_t from = ORDER_STATUS_SUBMITTED; from <= ORDER_STATUS_UNKNOWN; from++) {
        for (uint8_t to = 0; to <= ORDER_STATUS_UNKNOWN + 1; to++) {
            struct rig r;
            desk_open(&r, "{}");
            steer(&r, id(OWNER, 1), from);
            told(&r, id(OWNER, 1), to, REASON_NONE);
            const char *what = rig_count(&r, MSG_ORDER_STATE) == 1 ? "S"
                               : rig_count(&r, MSG_ALERT) == 1     ? "A"
                                                                   : "-";
            if (r.said_cnt > 1 || what[0] != want[from][to]) {
                fail_msg("from %u, told %u: %s, expected %c", from, to, what, want[from][to]);
            }
            if (what[0] == 'S') assert_int_equal(state_of(&r, 0)->status, to);
            rig_close(&r);
        }
    }
}

/* Goal: a cancel is asked once, by the owner only; refused ones may be asked again; late ones are
 * harmless; the reason of who asked stands in the end. */
static void test_cancel(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "{}");
    pass(&r, id(OWNER, 1), SIDE_BUY, ONE, REASON_NONE);
    rig_forget(&r);
    cancel(&r, id(OWNER, 1), OWNER + 1, 0); /* a stranger */
    cancel(&r, id(OWNER, 2), OWNER, 0);     /* never there */
    assert_int_equal(r.said_cnt, 0);
    cancel(&r, id(OWNER, 1), OWNER, 0);
    const struct msg_venue_request *q = msg_body(rig_find(&r, MSG_VENUE_REQUEST, 0));
    assert_true(q->op == REQUEST_OP_CANCEL && q->order_id == id(OWNER, 1));
    SAID(&r, MSG_VENUE_REQUEST);
    rig_reload(&r);
    cancel(&r, id(OWNER, 1), OWNER, 0); /* in flight */
    assert_int_equal(r.said_cnt, 0);
    told(&r, id(OWNER, 1), ORDER_STATUS_REJECTED, REASON_UNKNOWN_ORDER); /* the cancel is refused */
    assert_int_equal(r.said_cnt, 0);
    cancel(&r, id(OWNER, 1), OWNER, 0);
    SAID(&r, MSG_VENUE_REQUEST);
    told(&r, id(OWNER, 1), ORDER_STATUS_CANCELED, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_BY_STRATEGY);
    SAID(&r, MSG_ORDER_STATE);
    cancel(&r, id(OWNER, 1), OWNER, 0); /* done */
    told(&r, id(OWNER, 1), ORDER_STATUS_REJECTED, REASON_UNKNOWN_ORDER);
    assert_int_equal(r.said_cnt, 0);
    assert_int_equal(((struct execution_state *)r.state)->counts[EXECUTION_CANCELS_LATE], 3);
    rig_close(&r);
}

/* asked checks that just these orders were asked to be canceled, and forgets. */
static void asked(struct rig *r, size_t cnt, const uint64_t *ids) {
    assert_int_equal(r->said_cnt, cnt);
    for (size_t i = 0; i < cnt; i++) {
        const struct msg_venue_request *q = msg_body(rig_said(r, i));
        assert_int_equal(rig_said(r, i)->kind, MSG_VENUE_REQUEST);
        assert_true(q->op == REQUEST_OP_CANCEL && q->order_id == ids[i]);
    }
    rig_forget(r);
}

/* four opens four orders of two owners, in no order. */
static void four(struct rig *r, const char *yaml) {
    desk_open(r, yaml);
    pass(r, id(OWNER + 1, 2), SIDE_BUY, ONE, REASON_NONE);
    pass(r, id(OWNER, 9), SIDE_BUY, ONE, REASON_NONE);
    pass(r, id(OWNER, 3), SIDE_BUY, ONE, REASON_NONE);
    pass(r, id(OWNER + 1, 1), SIDE_BUY, ONE, REASON_NONE);
    rig_forget(r);
}

/* Goal: kill, the end of the run and a stopped strategy cancel what they should, in order of id,
 * by policy, and nothing new goes out after them. */
static void test_cancel_many(void **state) {
    (void)state;
    const uint64_t all[] = { id(OWNER, 3), id(OWNER, 9), id(OWNER + 1, 1), id(OWNER + 1, 2) };
    struct rig r;
    four(&r, "{}");
    cancel(&r, 0, OWNER, WORLD_SPOT); /* none of its orders are in that */
    assert_int_equal(r.said_cnt, 0);
    cancel(&r, 0, OWNER, WORLD_PERP);
    asked(&r, 2, all);
    struct msg_kill_seen kill = { .word = 1 };
    rig_hear(&r, MSG_KILL_SEEN, 0, &kill, sizeof kill);
    asked(&r, 2, all + 2); /* the others are under way */
    rig_reload(&r);
    pass(&r, id(OWNER, 10), SIDE_BUY, ONE, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_KILL_SWITCH);
    SAID(&r, MSG_ORDER_STATE);
    kill.word = 0;
    rig_hear(&r, MSG_KILL_SEEN, 0, &kill, sizeof kill);
    pass(&r, id(OWNER, 11), SIDE_BUY, ONE, REASON_NONE);
    SAID(&r, MSG_ORDER_STATE, MSG_VENUE_REQUEST);
    told(&r, id(OWNER + 1, 1), ORDER_STATUS_CANCELED, REASON_NONE);
    assert_int_equal(state_of(&r, 0)->reason, REASON_KILL_SWITCH);
    rig_close(&r);

    static const struct {
        const char *yaml;  /* policy */
        uint16_t stop;     /* reason of STOP, 0 = ACTOR_STOPPED of the second owner */
        size_t first, cnt; /* which of all are canceled */
        uint16_t why;      /* reason of what comes after */
    } cases[] = {
        { "{}", REASON_BY_OPERATOR, 0, 4, REASON_BY_OPERATOR },
        { "{}", REASON_SHUTDOWN, 0, 4, REASON_SHUTDOWN },
        { "on_stop: leave", REASON_SHUTDOWN, 0, 0, REASON_SHUTDOWN },
        { "{}", REASON_END_OF_DATA, 0, 0, REASON_END_OF_DATA },
        { "{}", 0, 2, 2, REASON_ACTOR_STOPPED },
        { "on_actor_stopped: leave", 0, 0, 0, REASON_ACTOR_STOPPED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        four(&r, cases[i].yaml);
        struct msg_stop stop = { .reason = cases[i].stop };
        struct msg_actor_stopped gone = { .actor = OWNER + 1, .reason = REASON_CRASHED };
        if (cases[i].stop != 0) {
            rig_hear(&r, MSG_STOP, 0, &stop, sizeof stop);
        } else {
            rig_hear(&r, MSG_ACTOR_STOPPED, 0, &gone, sizeof gone);
        }
        asked(&r, cases[i].cnt, all + cases[i].first);
        rig_reload(&r);
        pass(&r, id(OWNER + 1, 10), SIDE_BUY, ONE, REASON_NONE);
        assert_int_equal(state_of(&r, 0)->reason, cases[i].why);
        SAID(&r, MSG_ORDER_STATE);
        pass(&r, id(OWNER, 10), SIDE_BUY, ONE, REASON_NONE);
        assert_int_equal(rig_count(&r, MSG_VENUE_REQUEST), cases[i].stop == 0);
        rig_close(&r);
    }
}

/* Goal: more cancels than a call has room for go out in pieces, all of them, in order; a full edge
 * delays them. Method: a call with room for three; the rest by timers. */
static void test_cancels_in_pieces(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "open_orders_max: 100");
    for (uint64_t i = 100; i > 0; i--) pass(&r, id(OWNER, i), SIDE_BUY, ONE, REASON_NONE);
    rig_forget(&r);
    static uint64_t room[64];
    struct msg_frame frame = { .kind = MSG_KILL_SEEN, .size = 40 };
    struct {
        struct msg_frame head;     /* a frame */
        struct msg_kill_seen body; /* of this */
    } kill = { .head = frame, .body = { .word = 1 } };
    r.ctx.out = (uint8_t *)room;
    r.ctx.out_end = (uint8_t *)room + sizeof room;
    execution_kind.on[MSG_KILL_SEEN](&r.ctx, r.state, &kill.head);
    assert_false(r.ctx.overfull);
    size_t cnt = 0;
    for (uint8_t *at = (uint8_t *)room; at < r.ctx.out; cnt++) {
        const struct msg_frame *f = (const struct msg_frame *)(void *)at;
        assert_int_equal(((const struct msg_venue_request *)msg_body(f))->order_id,
                         id(OWNER, cnt + 1));
        at += f->size;
    }
    assert_true(cnt > 0 && cnt < 9);
    assert_int_equal(r.timer_cnt, 1);
    rig_reload(&r);
    r.no_room = true;
    rig_until(&r, T0);
    assert_int_equal(r.said_cnt, 0);
    assert_true(r.timer_cnt == 1 && r.timers[0].at_ns > T0);
    r.no_room = false;
    rig_until(&r, T0 + 1000000000);
    uint64_t rest[100];
    for (size_t i = cnt; i < 100; i++) rest[i - cnt] = id(OWNER, i + 1);
    asked(&r, 100 - cnt, rest);
    assert_int_equal(r.timer_cnt, 0);
    assert_int_equal(((struct execution_state *)r.state)->wanted, 0);
    rig_close(&r);
}

/* An order of the random venue. */
struct there {
    uint64_t id;                /* order id */
    qty_t quantity, done;       /* as asked, as filled there */
    __int128 cost, fee;         /* of its fills */
    uint64_t first_id, last_id; /* its fills: trade ids first_id..last_id - 1 */
    uint8_t status;             /* as last told by execution */
    uint8_t side;               /* SIDE_* */
    bool over;                  /* done there */
};

/* A message under way from the random venue. */
struct word {
    uint32_t order;    /* index of its order */
    uint64_t trade_id; /* a fill, or 0 = a status */
    qty_t quantity;    /* of the fill */
    price_t price;     /* of the fill */
    int64_t fee;       /* of the fill */
    uint8_t status;    /* of the order */
};

/* Sizes of the random runs. */
enum { ORDERS = 400, WORDS = 6000 };

/* Goal: whatever a venue tells, twice, out of order, before its acknowledgement: each fill is told
 * once, sums are exact, each order walks legal states and ends in one. Method: a random venue from
 * a seed, against plain sums; fills come in random order before their order's end; reloads. */
static void test_random_venue(void **state) {
    (void)state;
    static struct there orders[ORDERS];
    static struct word words[WORDS];
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t gen = seed, trade_id = 0;
        struct rig r;
        desk_open(&r, "open_orders_max: 64");
        uint32_t cnt = 0;
        uint64_t fills = 0, twice = 0;
        while (cnt < ORDERS) {
            uint32_t first = cnt, word_cnt = 0;
            uint32_t batch = (uint32_t)gen_range(&gen, 1, 40);
            for (uint32_t i = 0; i < batch && cnt < ORDERS; i++) {
                struct there *o = &orders[cnt];
                *o = (struct there){ .id = id((uint16_t)gen_range(&gen, 1, 3), cnt + 1),
                                     .quantity = gen_range(&gen, 1, 100) * ONE / 100,
                                     .status = ORDER_STATUS_SUBMITTED,
                                     .first_id = trade_id + 1,
                                     .side = (uint8_t)gen_range(&gen, 0, 1) };
                pass(&r, o->id, o->side, o->quantity, REASON_NONE);
                int64_t parts = gen_range(&gen, 0, 6);
                uint32_t from = word_cnt;
                words[word_cnt++] = (struct word){ .order = cnt, .status = ORDER_STATUS_ACCEPTED };
                for (int64_t part = 0; part < parts && o->done < o->quantity; part++) {
                    qty_t quantity = gen_range(&gen, 1, o->quantity - o->done);
                    price_t price = gen_range(&gen, 1, 1000000 * ONE);
                    int64_t fee = gen_range(&gen, -5, ONE);
                    __int128 cash = (__int128)price * quantity;
                    cash = o->side == SIDE_BUY ? (cash + ONE - 1) / ONE : cash / ONE;
                    o->done += quantity;
                    o->cost += cash;
                    o->fee += fee;
                    trade_id++;
                    words[word_cnt++] = (struct word){ .order = cnt,
                                                       .trade_id = trade_id,
                                                       .quantity = quantity,
                                                       .price = price,
                                                       .fee = fee };
                    fills++;
                }
                o->last_id = trade_id + 1;
                for (uint32_t w = word_cnt; w > from + 1; w--) { /* this order's in any order */
                    uint32_t other = (uint32_t)gen_range(&gen, from, w - 1);
                    struct word swap = words[w - 1];
                    words[w - 1] = words[other];
                    words[other] = swap;
                }
                cnt++;
            }
            for (uint32_t w = 0; w < word_cnt; w++) {
                const struct word *m = &words[w];
                const struct there *o = &orders[m->order];
                if (m->trade_id == 0) {
                    if (is_open(&r, o->id)) {
                        told(&r, o->id, m->status, REASON_NONE);
                    }
                } else {
                    filled(&r, o->id, m->trade_id, m->quantity, m->price, m->fee);
                }
                if (gen_range(&gen, 0, 4) == 0) { /* again, some word of this batch */
                    const struct word *again = &words[gen_range(&gen, 0, w)];
                    const struct there *whose = &orders[again->order];
                    if (again->trade_id != 0 &&
                        rt_map_get(&((struct execution_state *)r.state)->index, whose->id) !=
                            RT_MAP_NONE) {
                        filled(&r, whose->id, again->trade_id, again->quantity, again->price,
                               again->fee);
                        twice++;
                    }
                }
                if (gen_range(&gen, 0, 99) == 0) rig_reload(&r);
            }
            for (uint32_t i = first; i < cnt; i++) {
                if (orders[i].done < orders[i].quantity) {
                    if (gen_range(&gen, 0, 1)) {
                        cancel(&r, orders[i].id, mk_order_owner(orders[i].id), 0);
                    }
                    told(&r, orders[i].id,
                         gen_range(&gen, 0, 1) ? ORDER_STATUS_CANCELED : ORDER_STATUS_EXPIRED,
                         REASON_NONE);
                }
            }
        }
        const struct execution_state *st = r.state;
        CHECK(seed, st->open_cnt == 0 && st->done_cnt == st->index.cnt);
        CHECK(seed, st->counts[EXECUTION_FILLS_TWICE] == twice);
        CHECK(seed, rig_count(&r, MSG_ALERT) == 0);
        CHECK(seed, rig_count(&r, MSG_FILL) == fills);
        static bool seen[WORDS];
        memset(seen, 0, sizeof seen);
        for (size_t i = 0; i < r.said_cnt; i++) {
            const struct msg_frame *f = rig_said(&r, i);
            if (f->kind == MSG_FILL) {
                const struct msg_fill *m = msg_body(f);
                CHECK(seed, !seen[m->trade_id]);
                seen[m->trade_id] = true;
            }
            if (f->kind != MSG_ORDER_STATE) continue;
            const struct msg_order_state *s = msg_body(f);
            struct there *o = &orders[(s->order_id >> 10 & 0x7fffffffffULL) - 1];
            CHECK(seed, o->id == s->order_id);
            bool first_word = s->status == ORDER_STATUS_SUBMITTED;
            CHECK(seed, first_word || execution_legal[o->status] & 1U << s->status);
            o->status = s->status;
            if (s->status < ORDER_STATUS_FILLED) continue;
            CHECK(seed, s->cum_quantity == o->done && s->cum_cost == o->cost);
            CHECK(seed, s->cum_fee == o->fee && !o->over);
            o->over = true;
        }
        for (uint32_t i = 0; i < cnt; i++) CHECK(seed, orders[i].over);
        rig_close(&r);
    }
}

/* Goal: rows that make no sense are refused, not believed. Method: a few of each kind. */
static void test_bad_rows(void **state) {
    (void)state;
    struct rig r;
    desk_open(&r, "open_orders_max: 1");
    struct rt_error err = { 0 };
    struct msg_order_row row = { .order_id = id(OWNER, 1), .quantity = ONE, .status = 1 };
    struct msg_order_row bad = row;
    bad.quantity = 0;
    assert_true(execution_kind.load(r.state, MSG_ORDER_ROW, 1, &bad, sizeof bad, &err) < 0);
    bad = row;
    bad.status = 99;
    assert_true(execution_kind.load(r.state, MSG_ORDER_ROW, 1, &bad, sizeof bad, &err) < 0);
    assert_int_equal(execution_kind.load(r.state, MSG_ORDER_ROW, 1, &row, sizeof row, &err), 0);
    assert_true(execution_kind.load(r.state, MSG_ORDER_ROW, 1, &row, sizeof row, &err) < 0);
    row.order_id = id(OWNER, 2);
    assert_true(execution_kind.load(r.state, MSG_ORDER_ROW, 1, &row, sizeof row, &err) < 0);
    struct msg_counter_row open = { .id = id(OWNER, 1), .value = 1 }; /* done: it is not */
    assert_true(execution_kind.load(r.state, MSG_COUNTER_ROW, 1 << 17, &open, sizeof open, &err) <
                0);
    struct msg_counter_row counter = { .id = id(OWNER, 5), .value = 4 };
    assert_true(execution_kind.load(r.state, MSG_COUNTER_ROW, 1, &counter, sizeof counter, &err) <
                0);
    assert_true(execution_kind.load(r.state, MSG_POSITION_ROW, 1, &row, sizeof row, &err) < 0);
    assert_true(err.text[0] != '\0');
    rig_close(&r);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_amend),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_fill_before_ack),
        cmocka_unit_test(test_fill_ids),
        cmocka_unit_test(test_fill_ids_full),
        cmocka_unit_test(test_late_fill),
        cmocka_unit_test(test_every_transition),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_many),
        cmocka_unit_test(test_cancels_in_pieces),
        cmocka_unit_test(test_random_venue),
        cmocka_unit_test(test_bad_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
