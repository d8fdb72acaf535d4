#include "actors/execution/execution.h"
#include "actors/market/market.h"
#include "actors/market/more.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct execution_order) == 128, "an order is two cache lines");
_Static_assert(ORDER_STATUS_UNKNOWN == 8, "the table of transitions has a line per status");
_Static_assert(ORDER_STATUS_FILLED == 4 && ORDER_STATUS_EXPIRED == 7, "execution_is_done");

/* Sizes, pauses and numbers of this file. */
enum {
    /* Room a cancel takes of a call; what is kept free for the last thing said beside it. */
    CANCEL_BYTES = sizeof(struct msg_frame) + sizeof(struct msg_venue_request),
    CANCEL_SPARE = CANCEL_BYTES + sizeof(struct msg_frame) + sizeof(struct msg_alert) + 64,
    TIMER_CANCEL = 1,     /* key of the timer that goes on canceling */
    RETRY_NS = 1000000,   /* pause before cancels go on when the edge to the venue is full */
    ROW_STOP_REASON = 64, /* counter rows beyond enum execution_count */
    ROW_KILLED = 65,
    ROW_STOPPED = 1 << 16, /* + owner: its strategy was stopped */
    ROW_DONE = 1 << 17,    /* + running number: id = an order that is done, oldest first */
    ROW_FILL_ID = 1 << 20, /* + running number: id = order, value = fill id */
};

/* bit is a status as a bit of execution_legal. */
#define BIT(status) (1U << (ORDER_STATUS_##status))

const uint16_t execution_legal[ORDER_STATUS_UNKNOWN + 1] = {
    [ORDER_STATUS_CREATED] = BIT(SUBMITTED) | BIT(REJECTED) | BIT(CANCELED),
    [ORDER_STATUS_SUBMITTED] = BIT(ACCEPTED) | BIT(PARTIALLY_FILLED) | BIT(FILLED) | BIT(CANCELED) |
                               BIT(REJECTED) | BIT(EXPIRED) | BIT(UNKNOWN),
    /* a stop may be rejected when it triggers */
    [ORDER_STATUS_ACCEPTED] = BIT(PARTIALLY_FILLED) | BIT(FILLED) | BIT(CANCELED) | BIT(REJECTED) |
                              BIT(EXPIRED) | BIT(UNKNOWN),
    [ORDER_STATUS_PARTIALLY_FILLED] =
        BIT(PARTIALLY_FILLED) | BIT(FILLED) | BIT(CANCELED) | BIT(EXPIRED) | BIT(UNKNOWN),
    [ORDER_STATUS_UNKNOWN] = BIT(ACCEPTED) | BIT(PARTIALLY_FILLED) | BIT(FILLED) | BIT(CANCELED) |
                             BIT(REJECTED) | BIT(EXPIRED),
};

enum {
    DONE = BIT(FILLED) | BIT(CANCELED) | BIT(REJECTED) | BIT(EXPIRED), /* nothing follows */
    /* what a status message may bring; fills come as fills */
    TOLD = BIT(ACCEPTED) | BIT(CANCELED) | BIT(REJECTED) | BIT(EXPIRED) | BIT(UNKNOWN),
};

/* alert tells people of something about subject that should not be. */
static void alert(struct rt_ctx *ctx, uint64_t subject, uint16_t reason, int64_t value) {
    struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
    *a = (struct msg_alert){
        .value = value, .subject = subject, .actor = ctx->self, .reason = reason
    };
}

/* say_state tells where the order of row stands. */
static void say_state(struct rt_ctx *ctx, const struct msg_order_row *row) {
    struct msg_order_state *s = rt_say(ctx, MSG_ORDER_STATE, 0, sizeof *s);
    *s = (struct msg_order_state){ .order_id = row->order_id,
                                   .price = row->price,
                                   .quantity = row->quantity,
                                   .cum_quantity = row->cum_quantity,
                                   .cum_cost = row->cum_cost,
                                   .cum_fee = row->cum_fee,
                                   .instrument = row->instrument,
                                   .reason = row->reason,
                                   .account = row->account,
                                   .side = row->side,
                                   .type = row->type,
                                   .terms = row->terms,
                                   .status = row->status };
}

/* say_amended tells what the order id, of row (NULL = there is none open), has now: by whose word,
 * and why that came to nothing. stop: its trigger, where the venue told it. */
static void say_amended(struct rt_ctx *ctx, const struct msg_order_row *row, uint64_t id,
                        uint16_t instrument, uint8_t account, uint8_t by, uint16_t reason,
                        price_t stop) {
    struct msg_order_amended *m = rt_say(ctx, MSG_ORDER_AMENDED, 0, sizeof *m);
    *m = (struct msg_order_amended){ .order_id = id,
                                     .price = row == NULL ? 0 : row->price,
                                     .quantity = row == NULL ? 0 : row->quantity,
                                     .cum_quantity = row == NULL ? 0 : row->cum_quantity,
                                     .stop_price = stop,
                                     .instrument = instrument,
                                     .reason = reason,
                                     .account = account,
                                     .by = by };
}

/* say_request asks the venue to do op with the order of row, which has further terms more, NULL =
 * none. */
static void say_request(struct rt_ctx *ctx, const struct msg_order_row *row, uint16_t op,
                        const struct mk_more *more) {
    struct msg_venue_request *q;
    if (more == NULL) {
        q = rt_say(ctx, MSG_VENUE_REQUEST, 0, sizeof *q);
    } else {
        q = rt_say(ctx, MSG_VENUE_REQUEST_MORE, 0, sizeof(struct msg_venue_request_more));
        mk_more_put(q, sizeof *q, more);
    }
    *q = (struct msg_venue_request){ .order_id = row->order_id,
                                     .price = row->price,
                                     .quantity = row->quantity,
                                     .instrument = row->instrument,
                                     .account = row->account,
                                     .side = row->side,
                                     .type = row->type,
                                     .terms = row->terms,
                                     .op = op };
}

/* is_stopped tells whether owner's strategy was stopped. */
static bool is_stopped(const struct execution_state *st, uint16_t owner) {
    return st->stopped_cnt > 0 && (st->stopped[owner / 64] >> (owner % 64) & 1);
}

/* find_any returns the order with that id, open or done lately, or NULL. */
static struct execution_order *find_any(struct execution_state *st, uint64_t order_id) {
    uint32_t at = order_id == 0 ? RT_MAP_NONE : rt_map_get(&st->index, order_id);
    return at == RT_MAP_NONE ? NULL : &st->orders[at];
}

/* find returns the open order with that id, or NULL. */
static struct execution_order *find(struct execution_state *st, uint64_t order_id) {
    struct execution_order *o = find_any(st, order_id);
    return o == NULL || execution_is_done(&o->row) ? NULL : o;
}

/* take gives a free place to the order with that id. The id must not be in the table, which has
 * one. */
static struct execution_order *take(struct execution_state *st, uint64_t order_id) {
    uint32_t at = st->free;
    assert(at != RT_MAP_NONE);
    int rc = rt_map_put(&st->index, order_id, at);
    assert(rc == 0);
    struct execution_order *o = &st->orders[at];
    st->free = o->next_free;
    o->fills = 0;
    o->older = RT_MAP_NONE;
    return o;
}

/* forget takes an order out of the table. */
static void forget(struct execution_state *st, struct execution_order *o) {
    bool there = rt_map_remove(&st->index, o->row.order_id);
    assert(there);
    while (o->older != RT_MAP_NONE) {
        struct execution_fill_id *id = &st->ids[o->older];
        uint32_t next = id->next;
        id->next = st->ids_free;
        st->ids_free = o->older;
        o->older = next;
    }
    o->row.order_id = 0;
    o->next_free = st->free;
    st->free = (uint32_t)(o - st->orders);
}

/* remember puts an order that is done behind those that were done before it. */
static void remember(struct execution_state *st, struct execution_order *o) {
    uint32_t at = (uint32_t)(o - st->orders);
    o->next_free = RT_MAP_NONE;
    if (st->done_cnt++ == 0) {
        st->done_first = at;
    } else {
        st->orders[st->done_last].next_free = at;
    }
    st->done_last = at;
}

/* forget_oldest forgets the order that is done longest; there is one. */
static void forget_oldest(struct execution_state *st) {
    struct execution_order *oldest = &st->orders[st->done_first];
    st->done_first = oldest->next_free;
    st->done_cnt--;
    forget(st, oldest);
}

/* give lets go of an order that is done: it is remembered, and the oldest of those forgotten. */
static void give(struct execution_state *st, struct execution_order *o) {
    if (o->row.flags & EXECUTION_CANCEL_WANTED) st->wanted--;
    o->row.flags &= (uint8_t) ~(EXECUTION_CANCEL_WANTED | EXECUTION_CANCEL_IN_FLIGHT |
                                EXECUTION_AMEND_IN_FLIGHT);
    st->open_cnt--;
    remember(st, o);
    if (st->done_cnt > st->done_max) forget_oldest(st);
}

/* oldest returns the order that is forgotten when the next one is done, NULL = there is room. It
 * was touched last long ago: who comes by fetches it, and where it stands in the map, ahead. */
static const struct execution_order *oldest(const struct execution_state *st) {
    const bool full = st->done_cnt > 0 && st->done_cnt == st->done_max;
    return full ? &st->orders[st->done_first] : NULL;
}

/* move_to puts the order into a status that may follow, tells it, and lets go of it when done. */
static void move_to(struct rt_ctx *ctx, struct execution_state *st, struct execution_order *o,
                    uint8_t status) {
    assert(execution_legal[o->row.status] & 1U << status);
    o->row.status = status;
    o->row.updated_ns = ctx->now_ns;
    say_state(ctx, &o->row);
    if (1U << status & DONE) {
        give(st, o);
    } else if (oldest(st) != NULL) {
        rt_map_prefetch(&st->index, oldest(st)->row.order_id);
    }
}

/* refusal returns why the order of v cannot go out as a request of kind, REASON_NONE when it
 * can. */
static uint16_t refusal(struct rt_ctx *ctx, struct execution_state *st,
                        const struct msg_risk_verdict *v, uint16_t kind) {
    if (__builtin_expect(st->killed, 0)) return REASON_KILL_SWITCH;
    if (__builtin_expect(st->stop_reason != 0, 0)) return st->stop_reason;
    if (v->order_id == 0 || v->quantity < 0) return REASON_REFUSED_BAD_FRAME;
    if (is_stopped(st, mk_order_owner(v->order_id))) return REASON_ACTOR_STOPPED;
    if (rt_map_get(&st->index, v->order_id) != RT_MAP_NONE) return REASON_DUPLICATE_ID;
    if (st->open_cnt == st->orders_max) return REASON_OPEN_ORDERS_MAX;
    if (!rt_room(ctx, kind, 1)) return REASON_EDGE_FULL;
    return REASON_NONE;
}

/* say_replace asks the venue to place the order of row, with its further terms more, and to cancel
 * old for it first. */
static void say_replace(struct rt_ctx *ctx, const struct msg_order_row *row,
                        const struct mk_more *more, struct execution_order *old, bool anyway) {
    struct msg_venue_replace *r = rt_say(ctx, MSG_VENUE_REPLACE, 0, sizeof *r);
    *r = (struct msg_venue_replace){ .order_id = row->order_id,
                                     .price = row->price,
                                     .quantity = row->quantity,
                                     .instrument = row->instrument,
                                     .account = row->account,
                                     .side = row->side,
                                     .type = row->type,
                                     .terms = row->terms,
                                     .op = REQUEST_OP_REPLACE,
                                     .replaces = old->row.order_id,
                                     .anyway = anyway };
    mk_more_put(r, sizeof(struct msg_venue_request), more);
    old->row.flags |= EXECUTION_CANCEL_IN_FLIGHT;
    old->row.cancel_reason = REASON_BY_STRATEGY;
}

/* execution_on_risk_verdict makes an order of what risk passed, and tells of what it refused. */
static void execution_on_risk_verdict(struct rt_ctx *ctx, void *state,
                                      const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_risk_verdict *v = msg_body(frame);
    const struct msg_replace_verdict *replace =
        frame->kind == MSG_REPLACE_VERDICT ? msg_body(frame) : NULL;
    const struct mk_more *more = frame->kind != MSG_RISK_VERDICT ? mk_more_of(v, sizeof *v) : NULL;
    uint16_t kind = replace != NULL ? MSG_VENUE_REPLACE
                    : more == NULL  ? MSG_VENUE_REQUEST
                                    : MSG_VENUE_REQUEST_MORE;
    struct msg_order_row row = { .order_id = v->order_id,
                                 .price = v->price,
                                 .quantity = v->quantity,
                                 .created_ns = ctx->now_ns,
                                 .updated_ns = ctx->now_ns,
                                 .instrument = v->instrument,
                                 .reason = v->reason,
                                 .account = v->account,
                                 .side = v->side,
                                 .type = v->type,
                                 .terms = v->terms,
                                 .status = ORDER_STATUS_REJECTED };
    uint16_t why = v->quantity == 0 ? v->reason : refusal(ctx, st, v, kind);
    struct execution_order *old = NULL;
    if (replace != NULL && why == REASON_NONE) {
        const unsigned going = EXECUTION_CANCEL_IN_FLIGHT | EXECUTION_CANCEL_WANTED;
        old = find(st, replace->replaces);
        bool can = old != NULL && !(old->row.flags & going) && old->row.account == v->account &&
                   old->row.instrument == v->instrument &&
                   mk_order_owner(replace->replaces) == mk_order_owner(v->order_id);
        if (!can) old = NULL;
        if (!can && !replace->anyway) why = REASON_CANCEL_FAILED;
    }
    if (v->quantity == 0 || why != REASON_NONE) {
        row.reason = why;
        say_state(ctx, &row);
        return;
    }
    row.status = ORDER_STATUS_SUBMITTED;
    struct execution_order *o = take(st, v->order_id);
    st->open_cnt++;
    o->row = row;
    if (oldest(st) != NULL) {
        __builtin_prefetch(oldest(st));
        __builtin_prefetch(&oldest(st)->next_free);
    }
    say_state(ctx, &o->row);
    if (old != NULL) {
        say_replace(ctx, &o->row, more, old, replace->anyway);
    } else {
        say_request(ctx, &o->row, REQUEST_OP_PLACE, more);
    }
}

/* go_on says the cancels that are wanted, in order of order id, while the call has room. */
static void go_on(struct rt_ctx *ctx, struct execution_state *st) {
    if (st->wanted == 0) return;
    uint32_t cnt = rt_map_sorted(&st->index, st->sorted);
    for (uint32_t i = 0; i < cnt && st->wanted > 0; i++) {
        struct execution_order *o = &st->orders[st->sorted[i].value];
        if (!(o->row.flags & EXECUTION_CANCEL_WANTED)) continue;
        if ((size_t)(ctx->out_end - ctx->out) < CANCEL_SPARE) {
            rt_timer_set(ctx, TIMER_CANCEL, ctx->now_ns);
            return;
        }
        if (!rt_room(ctx, MSG_VENUE_REQUEST, 1)) {
            rt_timer_set(ctx, TIMER_CANCEL, ctx->now_ns + RETRY_NS);
            return;
        }
        o->row.flags &= (uint8_t)~EXECUTION_CANCEL_WANTED;
        o->row.flags |= EXECUTION_CANCEL_IN_FLIGHT;
        st->wanted--;
        say_request(ctx, &o->row, REQUEST_OP_CANCEL, NULL);
    }
}

/* want marks the order to be canceled, unless that is under way. */
static void want(struct execution_state *st, struct execution_order *o, uint16_t reason) {
    if (o->row.flags & (EXECUTION_CANCEL_IN_FLIGHT | EXECUTION_CANCEL_WANTED)) return;
    o->row.flags |= EXECUTION_CANCEL_WANTED;
    o->row.cancel_reason = reason;
    st->wanted++;
}

/* cancel_all cancels the open orders of owner (0 = of all) in instrument (0 = in all). */
static void cancel_all(struct rt_ctx *ctx, struct execution_state *st, uint16_t owner,
                       uint16_t instrument, uint16_t reason) {
    for (uint32_t i = 0; i < st->orders_max + st->done_max; i++) {
        struct execution_order *o = &st->orders[i];
        if (o->row.order_id == 0 || execution_is_done(&o->row)) continue;
        if (owner != 0 && mk_order_owner(o->row.order_id) != owner) continue;
        if (instrument != 0 && o->row.instrument != instrument) continue;
        want(st, o, reason);
    }
    go_on(ctx, st);
}

/* amend_refusal returns why the amend of v cannot go out, REASON_NONE when it can; o is the order,
 * or NULL. */
static uint16_t amend_refusal(struct rt_ctx *ctx, const struct execution_state *st,
                              const struct execution_order *o, const struct msg_change_verdict *v) {
    const unsigned going = EXECUTION_CANCEL_IN_FLIGHT | EXECUTION_CANCEL_WANTED;
    uint16_t kind = v->stop_price == 0 ? MSG_VENUE_REQUEST : MSG_VENUE_REQUEST_MORE;
    if (o == NULL) return REASON_UNKNOWN_ORDER; /* lost to a fill, or a cancel */
    const struct msg_order_row *row = &o->row;
    if (v->instrument != row->instrument || v->account != row->account || v->side != row->side ||
        v->type != row->type || v->terms != row->terms) {
        return REASON_REFUSED_BAD_FRAME;
    }
    if (st->killed) return REASON_KILL_SWITCH;
    if (st->stop_reason != 0) return st->stop_reason;
    if (is_stopped(st, mk_order_owner(v->order_id))) return REASON_ACTOR_STOPPED;
    if (row->flags & going || row->status == ORDER_STATUS_UNKNOWN) return REASON_AMEND_RULE;
    if (row->flags & EXECUTION_AMEND_IN_FLIGHT) return REASON_AMEND_PENDING;
    return rt_room(ctx, kind, 1) ? REASON_NONE : REASON_EDGE_FULL;
}

/* amend asks the venue for the amend of v, or tells why not. */
static void amend(struct rt_ctx *ctx, struct execution_state *st,
                  const struct msg_change_verdict *v) {
    struct execution_order *o = find(st, v->order_id);
    bool passed = v->reason == REASON_NONE;
    uint16_t why = passed ? amend_refusal(ctx, st, o, v) : v->reason;
    if (why != REASON_NONE) {
        say_amended(ctx, o == NULL ? NULL : &o->row, v->order_id, v->instrument, v->account,
                    passed ? AMEND_BY_STRATEGY : AMEND_BY_RISK, why, 0);
        return;
    }
    const struct mk_more more = { .stop_price = v->stop_price };
    struct msg_order_row asked = o->row;
    if (v->price > 0) asked.price = v->price;
    if (v->quantity > 0) asked.quantity = v->quantity;
    o->row.flags |= EXECUTION_AMEND_IN_FLIGHT;
    say_request(ctx, &asked, REQUEST_OP_AMEND, v->stop_price == 0 ? NULL : &more);
}

/* cancel_one cancels the order id of owner; what is not there is only counted. */
static void cancel_one(struct rt_ctx *ctx, struct execution_state *st, uint64_t id, uint16_t owner,
                       uint16_t reason) {
    struct execution_order *o = find(st, id);
    if (o == NULL || mk_order_owner(id) != owner) { /* nobody cancels for others */
        st->counts[EXECUTION_CANCELS_LATE]++;
        return;
    }
    if (o->row.flags & (EXECUTION_CANCEL_IN_FLIGHT | EXECUTION_CANCEL_WANTED)) return;
    if (st->wanted > 0 || !rt_room(ctx, MSG_VENUE_REQUEST, 1)) {
        want(st, o, reason);
        go_on(ctx, st);
        return;
    }
    o->row.flags |= EXECUTION_CANCEL_IN_FLIGHT;
    o->row.cancel_reason = reason;
    say_request(ctx, &o->row, REQUEST_OP_CANCEL, NULL);
}

/* execution_on_order_cancel cancels one order or all of an owner's. */
static void execution_on_order_cancel(struct rt_ctx *ctx, void *state,
                                      const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_order_cancel *c = msg_body(frame);
    uint16_t reason = c->reason == REASON_NONE ? REASON_BY_STRATEGY : c->reason;
    if (c->order_id == 0) {
        if (c->owner != 0) cancel_all(ctx, st, c->owner, c->instrument, reason);
        return;
    }
    cancel_one(ctx, st, c->order_id, c->owner, reason);
}

/* execution_on_change_verdict does what a strategy asked for in its place among its orders. */
static void execution_on_change_verdict(struct rt_ctx *ctx, void *state,
                                        const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_change_verdict *v = msg_body(frame);
    if (v->op == REQUEST_OP_AMEND) {
        amend(ctx, st, v);
    } else { /* risk has looked whose it is */
        uint16_t reason = v->reason == REASON_NONE ? REASON_BY_STRATEGY : v->reason;
        cancel_one(ctx, st, v->order_id, mk_order_owner(v->order_id), reason);
    }
}

/* execution_on_venue_amended hears an order's new figures, or that an amend was refused. */
static void execution_on_venue_amended(struct rt_ctx *ctx, void *state,
                                       const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_venue_amended *v = msg_body(frame);
    struct execution_order *o = find(st, v->order_id);
    uint8_t by = v->asked ? AMEND_BY_STRATEGY : AMEND_BY_VENUE;
    bool done = !v->asked || v->reason == REASON_NONE;
    if (o == NULL) { /* it has ended meanwhile */
        if (v->asked) {
            say_amended(ctx, NULL, v->order_id, v->instrument, v->account, by,
                        done ? REASON_UNKNOWN_ORDER : v->reason, 0);
        }
        return;
    }
    struct msg_order_row *row = &o->row;
    qty_t quantity;
    if (v->asked) row->flags &= (uint8_t)~EXECUTION_AMEND_IN_FLIGHT;
    if (done && (v->quantity <= 0 || v->price < 0 ||
                 __builtin_add_overflow(row->cum_quantity, v->quantity, &quantity))) {
        st->counts[EXECUTION_STATUS_ILLEGAL]++;
        alert(ctx, v->order_id, REASON_REFUSED_BAD_FRAME, v->quantity);
        done = false;
    }
    if (done) {
        row->price = v->price;
        row->quantity = quantity;
        row->updated_ns = ctx->now_ns;
    }
    say_amended(ctx, row, v->order_id, v->instrument, v->account, by, v->reason,
                done ? v->stop_price : 0);
    if (done) say_state(ctx, row);
}

/* execution_on_timer goes on with cancels that found no room. */
static void execution_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)frame;
    go_on(ctx, state);
}

/* execution_on_venue_status moves an order to where the venue says it stands. */
static void execution_on_venue_status(struct rt_ctx *ctx, void *state,
                                      const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_venue_status *v = msg_body(frame);
    struct execution_order *o = find(st, v->order_id);
    if (__builtin_expect(o == NULL, 0)) {
        if (v->reason == REASON_UNKNOWN_ORDER) return; /* the answer to a cancel that came late */
        st->counts[EXECUTION_STATUS_STRAY]++;
        alert(ctx, v->order_id, REASON_UNKNOWN_ORDER, v->status);
        return;
    }
    struct msg_order_row *row = &o->row;
    if (v->venue_order_id != 0) row->venue_order_id = v->venue_order_id;
    if (v->status == ORDER_STATUS_ACCEPTED &&
        1U << row->status & (BIT(ACCEPTED) | BIT(PARTIALLY_FILLED))) {
        return; /* the acknowledgement came twice, or after the first fill */
    }
    if (v->status == ORDER_STATUS_REJECTED && v->reason == REASON_UNKNOWN_ORDER &&
        row->flags & EXECUTION_CANCEL_IN_FLIGHT) {
        row->flags &= (uint8_t)~EXECUTION_CANCEL_IN_FLIGHT; /* the cancel was refused */
        row->cancel_reason = REASON_NONE;
        return;
    }
    if (v->status > ORDER_STATUS_UNKNOWN ||
        !(1U << v->status & TOLD & execution_legal[row->status])) {
        st->counts[EXECUTION_STATUS_ILLEGAL]++;
        alert(ctx, v->order_id, REASON_REFUSED_BAD_FRAME, v->status);
        return;
    }
    uint8_t status = v->status;
    if (status == ORDER_STATUS_CANCELED && row->cancel_reason != REASON_NONE) {
        row->reason = row->cancel_reason; /* we asked, and know better why */
    } else if (v->reason != REASON_NONE) {
        row->reason = v->reason;
    }
    if (status == ORDER_STATUS_ACCEPTED && row->cum_quantity > 0) {
        status = ORDER_STATUS_PARTIALLY_FILLED; /* found again after it was unknown */
    }
    move_to(ctx, st, o, status);
}

/* push_id keeps a fill id of o that is not its largest. */
static void push_id(struct execution_state *st, struct execution_order *o, uint64_t trade_id) {
    while (st->ids_free == RT_MAP_NONE && st->done_cnt > 0 && &st->orders[st->done_first] != o) {
        forget_oldest(st); /* open orders' ids go before */
    }
    uint32_t at = st->ids_free;
    if (at == RT_MAP_NONE) {
        o->row.flags |= EXECUTION_IDS_RISE;
        return;
    }
    st->ids_free = st->ids[at].next;
    st->ids[at] = (struct execution_fill_id){ .trade_id = trade_id, .next = o->older };
    o->older = at;
}

/* is_new files a fill id with its order; false when it was heard before. */
static bool is_new(struct execution_state *st, struct execution_order *o, uint64_t trade_id) {
    if (o->fills > 0 && trade_id == o->trade_id) return false;
    if (o->fills > 0 && trade_id < o->trade_id) {
        if (o->row.flags & EXECUTION_IDS_RISE) return false;
        for (uint32_t at = o->older; at != RT_MAP_NONE; at = st->ids[at].next) {
            if (st->ids[at].trade_id == trade_id) return false;
        }
        push_id(st, o, trade_id);
    } else {
        if (o->fills > 0) push_id(st, o, o->trade_id);
        o->trade_id = trade_id;
    }
    o->fills++;
    return true;
}

/* execution_on_venue_fill books a fill and tells it, then the state it makes. */
static void execution_on_venue_fill(struct rt_ctx *ctx, void *state,
                                    const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_venue_fill *v = msg_body(frame);
    struct execution_order *o = find_any(st, v->order_id);
    if (__builtin_expect(o == NULL, 0)) {
        st->counts[EXECUTION_FILLS_STRAY]++;
        alert(ctx, v->order_id, REASON_UNKNOWN_ORDER, v->quantity);
        return;
    }
    struct msg_order_row *row = &o->row;
    cash_t cash, cum_quantity, cum_cost, cum_fee;
    if (v->quantity <= 0 || v->price <= 0 || v->instrument != row->instrument ||
        v->account != row->account) {
        st->counts[EXECUTION_FILLS_STRAY]++;
        alert(ctx, v->order_id, REASON_REFUSED_BAD_FRAME, v->quantity);
        return;
    }
    enum fixed_round round = row->side == SIDE_BUY ? FIXED_UP : FIXED_DOWN;
    /* The venue reckons what contracts of a size are worth: price x quantity may be beyond it. */
    if (!fixed_mul(v->price, v->quantity, round, &cash)) cash = INT64_MAX;
    if (__builtin_add_overflow(row->cum_cost, cash, &cum_cost)) cum_cost = INT64_MAX;
    if (__builtin_add_overflow(row->cum_quantity, v->quantity, &cum_quantity) ||
        __builtin_add_overflow(row->cum_fee, v->fee, &cum_fee)) {
        st->counts[EXECUTION_FILLS_STRAY]++;
        alert(ctx, v->order_id, REASON_OVERFLOW, v->quantity);
        return;
    }
    if (!is_new(st, o, v->trade_id)) {
        st->counts[EXECUTION_FILLS_TWICE]++;
        return;
    }
    row->cum_quantity = cum_quantity;
    row->cum_cost = cum_cost;
    row->cum_fee = cum_fee;
    struct msg_fill *f = rt_say(ctx, MSG_FILL, 0, sizeof *f);
    *f = (struct msg_fill){ .order_id = row->order_id,
                            .trade_id = v->trade_id,
                            .price = v->price,
                            .quantity = v->quantity,
                            .fee = v->fee,
                            .slippage = v->slippage,
                            .cum_quantity = cum_quantity,
                            .cum_cost = cum_cost,
                            .cum_fee = cum_fee,
                            .instrument = row->instrument,
                            .fee_asset = v->fee_asset,
                            .account = row->account,
                            .side = row->side,
                            .liquidity = v->liquidity,
                            .terms = row->terms };
    if (__builtin_expect(cum_quantity > row->quantity, 0)) {
        alert(ctx, v->order_id, REASON_MAX_QUANTITY, cum_quantity); /* booked: it is money */
    }
    if (__builtin_expect(execution_is_done(row), 0)) { /* so is this */
        st->counts[EXECUTION_FILLS_LATE]++;
        row->updated_ns = ctx->now_ns;
        say_state(ctx, row);
        alert(ctx, v->order_id, REASON_LATE_FILL, v->quantity);
        return;
    }
    move_to(ctx, st, o,
            cum_quantity >= row->quantity ? ORDER_STATUS_FILLED : ORDER_STATUS_PARTIALLY_FILLED);
}

/* is_next tells whether the venue's number id is above the last of its kind, and keeps it: what is
 * told again is passed on once. */
static bool is_next(struct execution_state *st, enum execution_count last, uint64_t id) {
    if (id <= st->counts[last]) return false;
    st->counts[last] = id;
    return true;
}

_Static_assert(sizeof(struct msg_venue_liquidation) == sizeof(struct msg_liquidation) &&
                   sizeof(struct msg_venue_deleverage) == sizeof(struct msg_liquidation) &&
                   sizeof(struct msg_venue_delivery) == sizeof(struct msg_liquidation) &&
                   sizeof(struct msg_deleverage) == sizeof(struct msg_liquidation) &&
                   sizeof(struct msg_delivery) == sizeof(struct msg_liquidation),
               "what closes a position without an order has the very fields of a liquidation");

/* execution_on_venue_forced passes on that a position was closed without an order: by force,
 * against another's, or delivered. All three are counted in one row of trade ids. */
static void execution_on_venue_forced(struct rt_ctx *ctx, void *state,
                                      const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_venue_liquidation *v = msg_body(frame);
    uint16_t kind = frame->kind == MSG_VENUE_LIQUIDATION  ? MSG_LIQUIDATION
                    : frame->kind == MSG_VENUE_DELEVERAGE ? MSG_DELEVERAGE
                                                          : MSG_DELIVERY;
    if (!is_next(st, EXECUTION_LIQUIDATION, v->trade_id)) return;
    struct msg_liquidation *m = rt_say(ctx, kind, 0, sizeof *m);
    *m = (struct msg_liquidation){ .trade_id = v->trade_id,
                                   .price = v->price,
                                   .quantity = v->quantity,
                                   .fee = v->fee,
                                   .instrument = v->instrument,
                                   .account = v->account,
                                   .side = v->side };
    if (kind == MSG_DELIVERY) return; /* nothing is wrong */
    uint16_t reason = kind == MSG_LIQUIDATION ? REASON_LIQUIDATION : REASON_DELEVERAGED;
    alert(ctx, v->instrument, reason, v->quantity);
}

/* execution_on_venue_funding passes on what funding cost. */
static void execution_on_venue_funding(struct rt_ctx *ctx, void *state,
                                       const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_venue_funding *v = msg_body(frame);
    if (!is_next(st, EXECUTION_FUNDING, v->payment_id)) return;
    struct msg_funding_fee *m = rt_say(ctx, MSG_FUNDING_FEE, 0, sizeof *m);
    *m = (struct msg_funding_fee){ .payment_id = v->payment_id,
                                   .rate = v->rate,
                                   .mark = v->mark,
                                   .quantity = v->quantity,
                                   .amount = v->amount,
                                   .instrument = v->instrument,
                                   .account = v->account };
}

/* execution_on_stop ends the run: nothing new goes out; what is open expires at the venue (end of
 * data) or is canceled here by policy. */
static void execution_on_stop(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_stop *s = msg_body(frame);
    st->stop_reason = s->reason == REASON_NONE ? REASON_SHUTDOWN : s->reason;
    if (st->stop_reason == REASON_END_OF_DATA || !st->cancel_on_stop) return;
    cancel_all(ctx, st, 0, 0, st->stop_reason);
}

/* execution_on_kill_seen cancels everything when the kill word goes up. */
static void execution_on_kill_seen(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_kill_seen *k = msg_body(frame);
    st->killed = k->word != 0;
    if (st->killed) cancel_all(ctx, st, 0, 0, REASON_KILL_SWITCH);
}

/* execution_on_actor_stopped ends an owner's orders by policy; none of its verdicts still under way
 * pass. */
static void execution_on_actor_stopped(struct rt_ctx *ctx, void *state,
                                       const struct msg_frame *frame) {
    struct execution_state *st = state;
    const struct msg_actor_stopped *a = msg_body(frame);
    if (a->actor == 0 || a->actor >= EXECUTION_OWNERS) return;
    if (!is_stopped(st, a->actor)) {
        st->stopped[a->actor / 64] |= 1ULL << (a->actor % 64);
        st->stopped_cnt++;
    }
    if (st->cancel_on_actor_stopped) cancel_all(ctx, st, a->actor, 0, REASON_ACTOR_STOPPED);
}

/* execution_init reads the options and lays out the tables. */
static int execution_init(struct rt_init *in, void *state, struct rt_error *err) {
    static const char *const policies[] = { "cancel", "leave", NULL };
    struct execution_state *st = state;
    int64_t orders_max = 0, done_max = 0, ids_max = 0;
    int stop = 0, actor = 0;
    int rc = rt_node_int(in->config, "open_orders_max", false, 1, EXECUTION_ORDERS_MAX, 4096,
                         &orders_max, err);
    if (rc == 0) {
        rc = rt_node_int(in->config, "done_orders_max", false, 0, EXECUTION_DONE_MAX, 256,
                         &done_max, err);
    }
    if (rc == 0) {
        rc = rt_node_int(in->config, "fill_ids_max", false, 1, EXECUTION_FILL_IDS_MAX, 16384,
                         &ids_max, err);
    }
    if (rc == 0) rc = rt_node_choice(in->config, "on_stop", false, policies, 0, &stop, err);
    if (rc == 0) {
        rc = rt_node_choice(in->config, "on_actor_stopped", false, policies, 0, &actor, err);
    }
    if (rc != 0) return rc;
    st->cancel_on_stop = stop == 0;
    st->cancel_on_actor_stopped = actor == 0;
    st->orders_max = (uint32_t)orders_max;
    st->done_max = (uint32_t)done_max;
    st->ids_max = (uint32_t)ids_max;
    const uint32_t places = st->orders_max + st->done_max;
    st->orders = rt_init_take(in, places * sizeof *st->orders);
    st->ids = rt_init_take(in, st->ids_max * sizeof *st->ids);
    st->sorted = rt_init_take(in, places * sizeof *st->sorted);
    st->stopped = rt_init_take(in, EXECUTION_OWNERS / 8);
    rt_map_init(&st->index, rt_init_take(in, rt_map_bytes(places)), places);
    for (uint32_t i = 0; i < places; i++) {
        st->orders[i].next_free = i + 1 < places ? i + 1 : RT_MAP_NONE;
    }
    for (uint32_t i = 0; i < st->ids_max; i++) {
        st->ids[i].next = i + 1 < st->ids_max ? i + 1 : RT_MAP_NONE;
    }
    return 0;
}

/* put_counter saves a figure under id; its key is key. */
static void put_counter(struct rt_row_sink *sink, uint64_t key, uint64_t id, int64_t value) {
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, key, &row, sizeof row);
}

/* execution_save writes the orders in order of id, their fill ids, the order in which those done
 * were, the counters and the stops. */
static void execution_save(const void *state, struct rt_row_sink *sink) {
    const struct execution_state *st = state;
    uint32_t cnt = rt_map_sorted(&st->index, st->sorted);
    for (uint32_t i = 0; i < cnt; i++) {
        const struct msg_order_row *row = &st->orders[st->sorted[i].value].row;
        sink->put(sink, MSG_ORDER_ROW, row->order_id, row, sizeof *row);
    }
    for (uint64_t i = 1; i < EXECUTION_COUNTS; i++) {
        if (st->counts[i] != 0) put_counter(sink, i, i, (int64_t)st->counts[i]);
    }
    if (st->stop_reason != 0) put_counter(sink, ROW_STOP_REASON, ROW_STOP_REASON, st->stop_reason);
    if (st->killed) put_counter(sink, ROW_KILLED, ROW_KILLED, 1);
    for (uint64_t i = 0; i < EXECUTION_OWNERS && st->stopped_cnt > 0; i++) {
        if (is_stopped(st, (uint16_t)i)) put_counter(sink, ROW_STOPPED + i, ROW_STOPPED + i, 1);
    }
    uint64_t key = ROW_DONE;
    for (uint32_t at = st->done_first; key < ROW_DONE + st->done_cnt;
         at = st->orders[at].next_free) {
        put_counter(sink, key++, st->orders[at].row.order_id, 1);
    }
    key = ROW_FILL_ID;
    for (uint32_t i = 0; i < cnt; i++) {
        const struct execution_order *o = &st->orders[st->sorted[i].value];
        if (o->fills == 0) continue;
        put_counter(sink, key++, o->row.order_id, (int64_t)o->trade_id);
        for (uint32_t at = o->older; at != RT_MAP_NONE; at = st->ids[at].next) {
            put_counter(sink, key++, o->row.order_id, (int64_t)st->ids[at].trade_id);
        }
    }
}

/* load_order takes an order back. */
static int load_order(struct execution_state *st, const struct msg_order_row *row,
                      struct rt_error *err) {
    if (row->order_id == 0 || row->status > ORDER_STATUS_UNKNOWN || row->quantity <= 0 ||
        row->cum_quantity < 0) {
        return rt_error_set(err, -EINVAL, "row of order %llu: not an order",
                            (unsigned long long)row->order_id);
    }
    if (rt_map_get(&st->index, row->order_id) != RT_MAP_NONE) {
        return rt_error_set(err, -EEXIST, "row of order %llu: there twice",
                            (unsigned long long)row->order_id);
    }
    const bool done = execution_is_done(row);
    if (!done && st->open_cnt == st->orders_max) {
        return rt_error_set(err, -ENOSPC, "more open orders than open_orders_max %u",
                            st->orders_max);
    }
    if (st->free == RT_MAP_NONE) {
        return rt_error_set(err, -ENOSPC, "more orders done than done_orders_max %u", st->done_max);
    }
    struct execution_order *o = take(st, row->order_id);
    o->row = *row;
    st->open_cnt += !done;
    if (row->flags & EXECUTION_CANCEL_WANTED) st->wanted++;
    return 0;
}

/* load_fill_id takes back a fill id of an open order: the largest first, then the others as they
 * lay. */
static int load_fill_id(struct execution_state *st, uint64_t order_id, uint64_t trade_id,
                        struct rt_error *err) {
    struct execution_order *o = find_any(st, order_id);
    if (o == NULL) {
        return rt_error_set(err, -EINVAL, "row of a fill of order %llu: no such order",
                            (unsigned long long)order_id);
    }
    if (o->fills++ == 0) {
        o->trade_id = trade_id;
        return 0;
    }
    uint32_t at = st->ids_free;
    if (at == RT_MAP_NONE) {
        return rt_error_set(err, -ENOSPC, "more fill ids than fill_ids_max %u", st->ids_max);
    }
    st->ids_free = st->ids[at].next;
    st->ids[at] = (struct execution_fill_id){ .trade_id = trade_id, .next = RT_MAP_NONE };
    uint32_t *link = &o->older;
    while (*link != RT_MAP_NONE) link = &st->ids[*link].next;
    *link = at;
    return 0;
}

/* load_done takes back that an order is done: the oldest first. */
static int load_done(struct execution_state *st, uint64_t order_id, struct rt_error *err) {
    struct execution_order *o = find_any(st, order_id);
    if (o == NULL || !execution_is_done(&o->row) || st->done_cnt == st->done_max) {
        return rt_error_set(err, -EINVAL, "row of order %llu: not one that is done",
                            (unsigned long long)order_id);
    }
    remember(st, o);
    return 0;
}

/* load_counter takes a figure back. */
static int load_counter(struct execution_state *st, uint64_t key, const struct msg_counter_row *row,
                        struct rt_error *err) {
    if (key >= ROW_DONE && key < ROW_DONE + EXECUTION_DONE_MAX) {
        return load_done(st, row->id, err);
    }
    if (row->id > 0 && row->id < EXECUTION_COUNTS) {
        st->counts[row->id] = (uint64_t)row->value;
    } else if (row->id == ROW_STOP_REASON) {
        st->stop_reason = (uint16_t)row->value;
    } else if (row->id == ROW_KILLED) {
        st->killed = true;
    } else if (row->id >= ROW_STOPPED && row->id < ROW_STOPPED + EXECUTION_OWNERS) {
        uint64_t owner = row->id - ROW_STOPPED;
        st->stopped[owner / 64] |= 1ULL << (owner % 64);
        st->stopped_cnt++;
    } else {
        return load_fill_id(st, row->id, (uint64_t)row->value, err);
    }
    return 0;
}

/* execution_load takes one row back. */
static int execution_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                          struct rt_error *err) {
    struct execution_state *st = state;
    if (kind == MSG_ORDER_ROW && bytes == sizeof(struct msg_order_row)) {
        return load_order(st, row, err);
    }
    if (kind == MSG_COUNTER_ROW && bytes == sizeof(struct msg_counter_row)) {
        return load_counter(st, key, row, err);
    }
    return rt_error_set(err, -EINVAL, "execution has no row of kind %u, key %llu, %u bytes", kind,
                        (unsigned long long)key, bytes);
}

/* Keys in YAML. */
static const struct rt_option execution_options[] = {
    { "open_orders_max", "int", "1..1048576", "4096",
      "open orders there is room for; more are rejected with open_orders_max" },
    { "done_orders_max", "int", "0..65536", "256",
      "orders remembered when they are done, so that a late fill is booked" },
    { "fill_ids_max", "int", "1..4194304", "16384",
      "fill ids remembered beside each order's largest; beyond them ids are taken to rise" },
    { "on_stop", "text", "cancel | leave", "cancel",
      "what happens to open orders when the run is stopped" },
    { "on_actor_stopped", "text", "cancel | leave", "cancel",
      "what happens to a strategy's open orders when it is stopped" },
    { NULL, NULL, NULL, NULL, NULL },
};

/* Kinds it says. */
static const uint16_t execution_says[] = {
    MSG_ORDER_STATE,   MSG_VENUE_REQUEST, MSG_VENUE_REQUEST_MORE,
    MSG_VENUE_REPLACE, MSG_ORDER_AMENDED, MSG_FILL,
    MSG_LIQUIDATION,   MSG_DELEVERAGE,    MSG_DELIVERY,
    MSG_FUNDING_FEE,   MSG_ALERT,         0
};

const struct rt_actor_kind execution_kind = {
    .name = "execution",
    .help = "holds the orders: asks the venue, hears it, tells where each order stands",
    .options = execution_options,
    .says = execution_says,
    .timer_class = RT_CLASS_COMMAND, /* cancels under way go on before anything of that instant */
    .state_bytes = sizeof(struct execution_state),
    .init = execution_init,
    .on = { [MSG_RISK_VERDICT] = execution_on_risk_verdict,
            [MSG_RISK_VERDICT_MORE] = execution_on_risk_verdict,
            [MSG_REPLACE_VERDICT] = execution_on_risk_verdict,
            [MSG_CHANGE_VERDICT] = execution_on_change_verdict,
            [MSG_ORDER_CANCEL] = execution_on_order_cancel,
            [MSG_VENUE_STATUS] = execution_on_venue_status,
            [MSG_VENUE_AMENDED] = execution_on_venue_amended,
            [MSG_VENUE_FILL] = execution_on_venue_fill,
            [MSG_VENUE_LIQUIDATION] = execution_on_venue_forced,
            [MSG_VENUE_DELEVERAGE] = execution_on_venue_forced,
            [MSG_VENUE_DELIVERY] = execution_on_venue_forced,
            [MSG_VENUE_FUNDING] = execution_on_venue_funding,
            [MSG_TIMER] = execution_on_timer,
            [MSG_STOP] = execution_on_stop,
            [MSG_KILL_SEEN] = execution_on_kill_seen,
            [MSG_ACTOR_STOPPED] = execution_on_actor_stopped },
    .save = execution_save,
    .load = execution_load,
};
