#include "actors/strategy/host.h"
#include "actors/market/bars.h"
#include "actors/market/filters.h"
#include "actors/market/more.h"
#include "actors/market/value.h"
#include "actors/strategy/cost.h"
#include <assert.h>
#include <string.h>

enum {
    ANSWER_BYTES = 384
}; /* an answer to a command: what the control socket takes, less a head */

/* --- own orders ---------------------------------------------------------------------------- */

/* order_find returns the open order with id, or NULL. */
static struct st_order *order_find(struct st_host *h, uint64_t id) {
    uint32_t low = 0, high = h->order_cnt;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (h->orders[mid].id == id) return &h->orders[mid];
        if (h->orders[mid].id < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/* order_drop takes an order out of the table. */
static void order_drop(struct st_host *h, struct st_order *o) {
    uint32_t idx = (uint32_t)(o - h->orders);
    h->order_cnt--;
    memmove(o, o + 1, (h->order_cnt - idx) * sizeof *o);
}

/* is_short tells which of the leg's positions an order is of: true = the short of hedge mode. */
static bool is_short(const struct st_host *h, uint16_t leg, uint8_t side, uint8_t terms) {
    return h->legs[leg].hedge && mk_order_short(side, terms);
}

/* held_of returns the leg's position (in hedge mode the long, or its short where shorts) with what
 * its market orders to close will still take off it: they end at zero. */
static qty_t held_of(const struct st_host *h, uint16_t leg, bool shorts) {
    qty_t held = shorts ? h->legs[leg].shorts : h->legs[leg].position, off = 0;
    for (uint32_t i = 0; i < h->order_cnt; i++) {
        const struct st_order *o = &h->orders[i];
        if (o->leg != leg || o->type != ORDER_TYPE_MARKET || !(o->terms & ORDER_TERMS_EXIT)) {
            continue;
        }
        if ((o->side == SIDE_SELL) == (held > 0)) off += o->quantity - o->filled;
    }
    if (held > 0) return off < held ? held - off : 0;
    return off < -held ? held + off : 0;
}

/* opening_of returns what the leg's orders to open on side will still add. */
static qty_t opening_of(const struct st_host *h, uint16_t leg, uint8_t side) {
    qty_t sum = 0;
    for (uint32_t i = 0; i < h->order_cnt; i++) {
        const struct st_order *o = &h->orders[i];
        if (o->leg == leg && o->side == side && !(o->terms & ORDER_TERMS_EXIT)) {
            sum += o->quantity - o->filled;
        }
    }
    return sum;
}

/* --- what is said -------------------------------------------------------------------------- */

/* say_packet says the packet of a decision: of order id (0 = none came of it, why_not tells), on
 * side. */
static void say_packet(struct st_host *h, const struct st_signal *s, uint64_t id, qty_t quantity,
                       uint8_t side, uint8_t type, int64_t price, uint16_t why_not) {
    static const uint8_t actions[] = {
        [ST_LONG] = ACTION_LONG,  [ST_SHORT] = ACTION_SHORT,  [ST_FLAT] = ACTION_WAIT,
        [ST_WAIT] = ACTION_WAIT,  [ST_ORDER] = ACTION_WAIT,   [ST_CANCEL] = ACTION_WAIT,
        [ST_AMEND] = ACTION_WAIT, [ST_REPLACE] = ACTION_WAIT,
    };
    const struct st_leg *l = &h->legs[s->leg == ST_ALL_LEGS ? 0 : s->leg];
    struct st_packet_fill f = {
        .signal = s,
        .order_id = id,
        .quantity = quantity,
        .entry = price > 0 ? price : l->last,
        .now_ns = h->ctx->now_ns,
        .action = actions[s->action],
        .why_not = why_not,
    };
    if (id != 0) {
        f.liquidity = type == ORDER_TYPE_LIMIT ? LIQUIDITY_MAKER : LIQUIDITY_TAKER;
        f.cost_bps = st_cost_bps(l, &h->market->accounts[h->account - 1], side, f.liquidity,
                                 quantity, f.entry, f.now_ns);
    }
    bool places = s->action == ST_ORDER || s->action == ST_REPLACE;
    if (places && !(s->terms & ORDER_TERMS_EXIT)) {
        f.action = s->side == SIDE_BUY ? ACTION_LONG : ACTION_SHORT;
    }
    st_packet_write(l->packet, &f, rt_say(h->ctx, MSG_DECISION_PACKET, 0, l->packet->cnt));
}

/* say_none says the packet of a signal that no order comes of. */
static uint64_t say_none(struct st_host *h, const struct st_signal *s, uint16_t why_not) {
    say_packet(h, s, 0, 0, SIDE_BUY, ORDER_TYPE_MARKET, 0, why_not);
    return 0;
}

/* say_intent says the intent of o, with further terms more where it has any; s: what it comes of.
 * */
static void say_intent(struct st_host *h, const struct st_order *o, const struct mk_more *more,
                       const struct st_signal *s) {
    static const struct mk_more none;
    struct msg_order_intent *m;
    if (s->action == ST_REPLACE) {
        struct msg_order_replace *r = rt_say(h->ctx, MSG_ORDER_REPLACE, 0, sizeof *r);
        *r = (struct msg_order_replace){ .replaces = s->order_id, .anyway = s->anyway };
        m = (struct msg_order_intent *)r;
        mk_more_put(m, sizeof *m, more == NULL ? &none : more);
    } else if (more == NULL) {
        m = rt_say(h->ctx, MSG_ORDER_INTENT, 0, sizeof *m);
    } else {
        m = rt_say(h->ctx, MSG_ORDER_INTENT_MORE, 0, sizeof(struct msg_order_intent_more));
        mk_more_put(m, sizeof *m, more);
    }
    *m = (struct msg_order_intent){
        .order_id = o->id,
        .price = o->price,
        .quantity = o->quantity,
        .instrument = h->legs[o->leg].in->id,
        .account = h->account,
        .side = o->side,
        .type = o->type,
        .terms = o->terms,
        .reason = s->reason,
    };
}

/* put says packet and intent of an order that is sized and rounded, with its further terms (NULL =
 * none), and keeps it. Returns its id, 0 when there is no room for it or its terms do not fit. */
static uint64_t put(struct st_host *h, const struct st_signal *s, struct st_order *o,
                    struct mk_more *more) {
    bool closes = o->type == ORDER_TYPE_MARKET && (o->terms & ORDER_TERMS_EXIT);
    uint16_t kind = s->action == ST_REPLACE ? MSG_ORDER_REPLACE
                    : more == NULL          ? MSG_ORDER_INTENT
                                            : MSG_ORDER_INTENT_MORE;
    if (h->order_cnt >= (closes ? h->orders_cap : h->orders_max)) {
        return say_none(h, s, REASON_OPEN_ORDERS_MAX);
    }
    if (!rt_room(h->ctx, kind, h->intents + 1)) return say_none(h, s, REASON_EDGE_FULL);
    o->id = mk_order_id(h->self, h->sequence + 1, 0);
    if (more != NULL) {
        if (more->oco == ST_OCO_FIRST) more->oco = o->id;
        uint16_t why = mk_more_refuses(o->id, o->type, o->terms, o->quantity, more);
        if (why != REASON_NONE) return say_none(h, s, why);
    }
    h->sequence++;
    say_packet(h, s, o->id, o->quantity, o->side, o->type, o->price, REASON_NONE);
    say_intent(h, o, more, s);
    h->intents++;
    h->orders[h->order_cnt++] = *o; /* ids only rise: the table stays in order */
    return o->id;
}

/* at_tick rounds a price of an order on side: a buy's down, a sale's up; 0 when it is none. */
static int64_t at_tick(const struct st_leg *l, uint8_t side, int64_t price) {
    if (price <= 0 || price > INT64_MAX - l->in->tick_size) return 0;
    return side == SIDE_BUY ? fixed_floor_to(price, l->in->tick_size)
                            : fixed_ceil_to(price, l->in->tick_size);
}

/* follow places the exits of a bracket behind the order to open in parent. */
static void follow(struct st_host *h, const struct st_signal *s, const struct st_order *parent) {
    const struct st_leg *l = &h->legs[parent->leg];
    uint8_t side = parent->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    struct st_signal exit = { .action = ST_ORDER, .leg = s->leg };
    struct st_order o = { .leg = parent->leg,
                          .quantity = parent->quantity,
                          .side = side,
                          .terms = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY };
    uint64_t first = ST_OCO_FIRST;
    if (s->trail_bips > 0 || at_tick(l, side, s->sl) > 0) {
        bool trails = s->trail_bips > 0;
        struct mk_more more = {
            .parent = parent->id, .oco = first, .trail_bips = s->trail_bips, .working = s->working
        };
        o.type = trails ? ORDER_TYPE_TRAILING_STOP : ORDER_TYPE_STOP;
        o.price = trails ? 0 : at_tick(l, side, s->sl);
        exit.reason = REASON_SIGNAL_STOP_LOSS;
        uint64_t id = put(h, &exit, &o, &more);
        if (id != 0) first = id;
    }
    if (at_tick(l, side, s->tp1) > 0) {
        struct mk_more more = { .parent = parent->id, .oco = first };
        o.type = ORDER_TYPE_LIMIT;
        o.price = at_tick(l, side, s->tp1);
        exit.reason = REASON_SIGNAL_TAKE_PROFIT;
        (void)put(h, &exit, &o, &more);
    }
}

/* place puts an order, and its exits where the signal asks for a bracket and it opens. */
static uint64_t place(struct st_host *h, const struct st_signal *s, struct st_order *o,
                      struct mk_more *more) {
    uint64_t id = put(h, s, o, more);
    if (id != 0 && s->bracket && !(o->terms & ORDER_TERMS_EXIT)) follow(h, s, o);
    return id;
}

/* say_cancel says the cancel of o. */
static void say_cancel(struct st_host *h, const struct st_order *o, uint16_t reason) {
    struct msg_order_cancel *m = rt_say(h->ctx, MSG_ORDER_CANCEL, 0, sizeof *m);
    *m = (struct msg_order_cancel){
        .order_id = o->id,
        .owner = h->self,
        .instrument = h->legs[o->leg].in->id,
        .reason = reason,
    };
}

/* say_change says that o is to change by op: an amend's figures are filled in by the caller. */
static struct msg_order_change *say_change(struct st_host *h, const struct st_order *o, uint16_t op,
                                           uint16_t reason) {
    struct msg_order_change *m = rt_say(h->ctx, MSG_ORDER_CHANGE, 0, sizeof *m);
    *m = (struct msg_order_change){
        .order_id = o->id,
        .instrument = h->legs[o->leg].in->id,
        .account = h->account,
        .side = o->side,
        .type = o->type,
        .terms = o->terms,
        .op = op,
        .reason = reason,
    };
    h->intents++;
    return m;
}

/* cancel says the cancel of an open order, once. Where execution has not told of the order yet, the
 * cancel would come there before it: then it waits until execution does. */
static void cancel(struct st_host *h, struct st_order *o, uint16_t reason) {
    if (o->canceling == ST_CANCEL_SAID || o->filled >= o->quantity)
        return; /* on its way, or done */
    o->canceling = o->told ? ST_CANCEL_SAID : ST_CANCEL_WAITS;
    o->cancel_reason = reason;
    if (!o->told) return;
    say_cancel(h, o, reason);
}

/* cancel_after cancels as cancel does, but behind what the call has said before: it goes the way of
 * orders. */
static void cancel_after(struct st_host *h, struct st_order *o, uint16_t reason) {
    if (h->intents == 0 || !rt_room(h->ctx, MSG_ORDER_CHANGE, h->intents + 1)) {
        cancel(h, o, reason);
        return;
    }
    if (o->canceling != ST_CANCEL_NONE || o->filled >= o->quantity) return;
    o->canceling = ST_CANCEL_SAID;
    o->cancel_reason = reason;
    say_change(h, o, REQUEST_OP_CANCEL, reason);
}

/* Which open orders of a leg to cancel. */
enum which {
    OPEN_BUY = 1,  /* orders to open a long */
    OPEN_SELL = 2, /* orders to open a short */
    RESTING = 4,   /* orders to close that are no market orders */
    CLOSING = 8,   /* market orders to close */
    ALL = 15,      /* every one */
};

/* cancel_leg cancels the leg's open orders that are among which; those placed in this very call
 * stay. after: behind what the call has said before. */
static void cancel_leg(struct st_host *h, uint16_t leg, int which, uint16_t reason, bool after) {
    for (uint32_t i = 0; i < h->order_cnt; i++) {
        struct st_order *o = &h->orders[i];
        if (o->leg != leg) continue;
        int is = o->side == SIDE_BUY ? OPEN_BUY : OPEN_SELL;
        if (o->terms & ORDER_TERMS_EXIT) is = o->type == ORDER_TYPE_MARKET ? CLOSING : RESTING;
        if (is & which) (after ? cancel_after : cancel)(h, o, reason);
    }
}

/* --- signals ------------------------------------------------------------------------------- */

/* cap limits quantity of an order that opens on side by max_position, down to the lot; REASON_NONE,
 * or why nothing is left. */
static uint16_t cap(struct st_host *h, uint16_t leg, uint8_t side, qty_t *quantity) {
    if (h->position_max == 0) return REASON_NONE;
    qty_t held = held_of(h, leg, is_short(h, leg, side, 0));
    qty_t used = (side == SIDE_BUY ? held : -held) + opening_of(h, leg, side);
    qty_t room = h->position_max - used;
    if (*quantity > room) *quantity = room > 0 ? room : 0;
    *quantity = fixed_floor_to(*quantity, h->legs[leg].in->lot_size);
    return *quantity > 0 ? REASON_NONE : REASON_MAX_POSITION;
}

/* is_small tells whether an order of quantity at market is below what the venue takes, unless it
 * only reduces. */
static bool is_small(const struct st_leg *l, qty_t quantity) {
    return l->last > 0 &&
           mk_quoted(l->in, l->last, quantity) < (__int128)l->in->min_notional * FIXED_ONE;
}

/* close_leg closes what is held (in hedge mode the long, or the short where shorts) when its sign
 * is that of sign (0 = either), and cancels what rests. Returns the order's id, 0 when there is
 * nothing to close or no room; *tried tells that there was something. */
static uint64_t close_leg(struct st_host *h, const struct st_signal *s, int sign, bool shorts,
                          bool *tried) {
    qty_t held = held_of(h, s->leg, shorts), lot = h->legs[s->leg].in->lot_size;
    qty_t quantity = fixed_floor_to(held < 0 ? -held : held, lot);
    *tried = quantity > 0 && (sign == 0 || (sign < 0) == (held < 0));
    if (!*tried) return 0;
    struct st_order o = { .leg = s->leg,
                          .quantity = quantity,
                          .side = held < 0 ? SIDE_BUY : SIDE_SELL,
                          .type = ORDER_TYPE_MARKET,
                          .terms = ORDER_TERMS_EXIT };
    const struct st_leg *l = &h->legs[s->leg];
    if (l->in->kind != MK_SPOT && (!l->shared || is_small(l, quantity))) {
        o.terms |= ORDER_TERMS_REDUCE_ONLY;
    }
    uint64_t id = place(h, s, &o, NULL);
    if (id != 0)
        cancel_leg(h, s->leg, RESTING, REASON_BY_STRATEGY, false); /* else they still protect */
    return id;
}

_Static_assert(offsetof(struct msg_trade, time_ns) == offsetof(struct msg_book_delta, time_ns),
               "guard_reason reads the time of either");

/* guard_reason returns why the data cannot be believed now, REASON_NONE when it can. What is due at
 * this very instant may still come. */
static uint16_t guard_reason(const struct st_host *h) {
    for (uint16_t i = 0; h->guards != NULL && i < h->leg_cnt; i++) {
        uint16_t why = data_guard_at(&h->guards[i], h->legs[i].in->session, h->ctx->now_ns - 1);
        if (why != REASON_NONE) return why;
    }
    for (uint16_t i = 0; h->watches && i < h->leg_cnt; i++) {
        const struct st_leg *l = &h->legs[i];
        if (l->stale_series < 0) continue;
        const struct msg_trade *row = rt_latest(h->ctx, (uint16_t)l->stale_series);
        if (row == NULL || h->ctx->now_ns - row->time_ns >= l->in->stale_ns) {
            return REASON_STALE_DATA;
        }
    }
    return REASON_NONE;
}

/* turn serves ST_LONG (side buy) and ST_SHORT (side sell). */
static uint64_t turn(struct st_host *h, const struct st_signal *s, uint8_t side) {
    const struct mk_instrument *in = h->legs[s->leg].in;
    bool tried = false, hedge = h->legs[s->leg].hedge;
    uint64_t closed = 0;
    if (!hedge) {
        cancel_leg(h, s->leg, side == SIDE_BUY ? OPEN_SELL : OPEN_BUY, REASON_BY_STRATEGY, false);
        closed = close_leg(h, s, side == SIDE_BUY ? -1 : 1, false, &tried);
    }
    if (tried && closed == 0) return 0; /* no room to close: no more risk either */
    if (side == SIDE_SELL && in->kind == MK_SPOT) {
        return tried ? closed : say_none(h, s, REASON_SHORT_NOT_ALLOWED);
    }
    qty_t held = held_of(h, s->leg, hedge && side == SIDE_SELL);
    qty_t with = side == SIDE_BUY ? held : -held;
    if (with >= in->lot_size || opening_of(h, s->leg, side) > 0) {
        return tried ? closed : say_none(h, s, REASON_NONE);
    }
    struct st_order o = { .leg = s->leg, .side = side, .type = ORDER_TYPE_MARKET };
    uint16_t why = guard_reason(h);
    if (why != REASON_NONE && tried) return closed;
    if (why == REASON_NONE) why = st_size(h, s->leg, &o.quantity);
    if (why == REASON_NONE) why = cap(h, s->leg, side, &o.quantity);
    return why == REASON_NONE ? place(h, s, &o, NULL) : say_none(h, s, why);
}

/* flat serves ST_FLAT. */
static uint64_t flat(struct st_host *h, const struct st_signal *s) {
    bool tried;
    cancel_leg(h, s->leg, OPEN_BUY | OPEN_SELL, REASON_BY_STRATEGY, false);
    uint64_t id = close_leg(h, s, 0, false, &tried);
    if (h->legs[s->leg].hedge) {
        bool shorts;
        uint64_t other = close_leg(h, s, 0, true, &shorts);
        if (shorts && !tried) id = other;
        tried = tried || shorts;
    }
    return tried ? id : say_none(h, s, REASON_NONE);
}

/* more_of gathers the further terms of a signal, rounded, into out; false when it has none. */
static bool more_of(const struct st_leg *l, const struct st_signal *s, struct mk_more *out) {
    *out = (struct mk_more){
        .stop_price = s->stop_price == 0 ? 0 : at_tick(l, s->side, s->stop_price),
        .display = fixed_floor_to(s->display, l->in->lot_size),
        .activation = s->activation == 0 ? 0 : at_tick(l, s->side, s->activation),
        .expire_ns = s->expire_ns,
        .parent = s->parent,
        .oco = s->oco,
        .trail_bips = s->bracket ? 0 : s->trail_bips,
        .stp = s->stp,
        .working = s->bracket ? 0 : s->working,
    };
    return s->type > ORDER_TYPE_STOP || s->terms & ORDER_TERMS_GTD || s->expire_ns != 0 ||
           s->stop_price != 0 || s->display != 0 || s->activation != 0 || s->parent != 0 ||
           s->oco != 0 || out->trail_bips != 0 || out->stp != 0 || out->working != 0;
}

/* least_of returns the smallest quantity that an order of in may have. */
static qty_t least_of(const struct mk_instrument *in) {
    qty_t least = in->filters == NULL ? 0 : fixed_ceil_to(in->filters->lot_min, in->lot_size);
    return least > in->lot_size ? least : in->lot_size;
}

/* order serves ST_ORDER, and ST_REPLACE of the order old. */
static uint64_t order(struct st_host *h, const struct st_signal *s, struct st_order *old) {
    const struct st_leg *l = &h->legs[s->leg];
    struct st_order o = {
        .leg = s->leg,
        .side = s->side,
        .type = s->type,
        .terms = s->terms,
        .price = s->price,
    };
    assert(o.side <= SIDE_SELL);
    assert(o.type <= ORDER_TYPE_TRAILING_STOP);
    if (mk_order_priced(o.type)) {
        o.price = at_tick(l, o.side, o.price);
        if (o.price == 0) return say_none(h, s, REASON_BAD_TICK);
    } else {
        o.price = 0;
    }
    struct mk_more more;
    bool closes = o.terms & ORDER_TERMS_CLOSE_POSITION;
    if (closes) o.terms |= ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY;
    bool plain = !more_of(l, s, &more) && !closes;
    uint16_t why = REASON_NONE;
    bool exit = o.terms & ORDER_TERMS_EXIT;
    if (closes && (s->quantity != 0 || l->in->kind == MK_SPOT)) {
        return say_none(h, s, REASON_BAD_TERMS);
    }
    if (closes && l->shared) return say_none(h, s, REASON_POSITION_SHARED);
    if (s->quantity < 0) return say_none(h, s, REASON_BAD_LOT);
    if (!exit && (why = guard_reason(h)) != REASON_NONE) return say_none(h, s, why);
    if (s->quantity > 0) {
        o.quantity = fixed_floor_to(s->quantity, l->in->lot_size);
    } else if (exit) {
        qty_t held = is_short(h, s->leg, o.side, o.terms) ? l->shorts : l->position;
        o.quantity = fixed_floor_to(held < 0 ? -held : held, l->in->lot_size);
        if (closes && o.quantity == 0) o.quantity = least_of(l->in);
    } else {
        why = st_size(h, s->leg, &o.quantity);
    }
    if (why == REASON_NONE && o.quantity == 0) why = REASON_SIZE_BELOW_LOT;
    uint8_t terms = old == NULL ? 0 : old->terms;
    if (old != NULL) old->terms |= ORDER_TERMS_EXIT; /* it goes: it counts not for max_position */
    if (why == REASON_NONE && !exit) why = cap(h, s->leg, o.side, &o.quantity);
    if (old != NULL) old->terms = terms;
    if (why != REASON_NONE) return say_none(h, s, why);
    return place(h, s, &o, plain ? NULL : &more);
}

/* replace serves ST_REPLACE. */
static uint64_t replace(struct st_host *h, const struct st_signal *s) {
    struct st_order *old = order_find(h, s->order_id);
    if ((!old || old->leg != s->leg) && !s->anyway) return say_none(h, s, REASON_UNKNOWN_ORDER);
    if (old && old->canceling != ST_CANCEL_NONE && !s->anyway) {
        return say_none(h, s, REASON_CANCEL_FAILED);
    }
    return order(h, s, old);
}

/* cancels serves ST_CANCEL. */
static uint64_t cancels(struct st_host *h, const struct st_signal *s) {
    uint16_t reason = s->reason == REASON_NONE ? REASON_BY_STRATEGY : s->reason;
    if (s->order_id == 0) {
        bool every = s->leg == ST_ALL_LEGS;
        say_none(h, s, REASON_NONE);
        for (uint16_t leg = every ? 0 : s->leg; leg < (every ? h->leg_cnt : s->leg + 1); leg++) {
            cancel_leg(h, leg, ALL, reason, true);
        }
        return 0;
    }
    struct st_order *o = order_find(h, s->order_id);
    if (!o || o->leg != s->leg) return say_none(h, s, REASON_UNKNOWN_ORDER);
    say_none(h, s, REASON_NONE);
    cancel_after(h, o, reason);
    return 0;
}

/* amend_figures rounds what the signal asks of o, 0 where nothing would change; REASON_NONE, or why
 * that cannot be. */
static uint16_t amend_figures(struct st_host *h, const struct st_order *o,
                              const struct st_signal *s, int64_t *price, int64_t *stop,
                              qty_t *quantity) {
    const struct st_leg *l = &h->legs[o->leg];
    bool stops = mk_order_limited(o->type) && mk_order_waits(o->type);
    if (o->canceling != ST_CANCEL_NONE) return REASON_AMEND_RULE;
    if (o->amending) return REASON_AMEND_PENDING;
    if (s->price < 0 || s->stop_price < 0 || s->quantity < 0) return REASON_BAD_TERMS;
    if (s->quantity > 0 && o->terms & ORDER_TERMS_CLOSE_POSITION) return REASON_AMEND_RULE;
    if (o->type == ORDER_TYPE_MARKET || (s->price > 0 && !mk_order_priced(o->type)) ||
        (s->stop_price > 0 && !stops)) {
        return REASON_AMEND_RULE;
    }
    *price = s->price == 0 ? 0 : at_tick(l, o->side, s->price);
    *stop = s->stop_price == 0 ? 0 : at_tick(l, o->side, s->stop_price);
    *quantity = fixed_floor_to(s->quantity, l->in->lot_size);
    if ((s->price > 0 && *price == 0) || (s->stop_price > 0 && *stop == 0)) return REASON_BAD_TICK;
    if (s->quantity > 0 && *quantity == 0) return REASON_BAD_LOT;
    if (*quantity == o->quantity) *quantity = 0;
    if (*price == o->price) *price = 0;
    if (*quantity > 0 && *quantity <= o->filled) return REASON_AMEND_RULE;
    return *price == 0 && *stop == 0 && *quantity == 0 ? REASON_AMEND_RULE : REASON_NONE;
}

/* amend serves ST_AMEND. */
static uint64_t amend(struct st_host *h, const struct st_signal *s) {
    struct st_order *o = order_find(h, s->order_id);
    int64_t price = 0, stop = 0;
    qty_t quantity = 0;
    if (!o || o->leg != s->leg) return say_none(h, s, REASON_UNKNOWN_ORDER);
    uint16_t why = amend_figures(h, o, s, &price, &stop, &quantity);
    qty_t more = quantity > 0 ? quantity - o->quantity : 0;
    bool exit = o->terms & ORDER_TERMS_EXIT, smaller = price == 0 && stop == 0 && more < 0;
    if (why == REASON_NONE && h->paused && !exit && !smaller) why = REASON_PAUSED;
    if (why == REASON_NONE && !exit && !smaller) why = guard_reason(h);
    qty_t left = more;
    if (why == REASON_NONE && !exit && more > 0) why = cap(h, s->leg, o->side, &left);
    if (why == REASON_NONE && left != more) why = REASON_MAX_POSITION;
    if (why == REASON_NONE && !rt_room(h->ctx, MSG_ORDER_CHANGE, h->intents + 1)) {
        why = REASON_EDGE_FULL;
    }
    if (why != REASON_NONE) return say_none(h, s, why);
    say_packet(h, s, o->id, quantity > 0 ? quantity : o->quantity, o->side, o->type,
               price > 0 ? price : o->price, REASON_NONE);
    o->amending = 1;
    struct msg_order_change *m = say_change(h, o, REQUEST_OP_AMEND, s->reason);
    /* A price that stays is told where there is more to trade at it: risk looks at it then. */
    m->price = price > 0 ? price : more > 0 ? o->price : 0;
    m->quantity = quantity;
    m->stop_price = stop;
    return o->id;
}

uint64_t st_signal(struct st_host *h, const struct st_signal *s) {
    bool every = s->action == ST_CANCEL && s->order_id == 0 && s->leg == ST_ALL_LEGS;
    assert(s->leg < h->leg_cnt || every);
    if (s->action == ST_CANCEL) return cancels(h, s);
    if (h->stopped) return say_none(h, s, REASON_ACTOR_STOPPED);
    if (h->ctx->now_ns < h->warm_ns) return say_none(h, s, REASON_WARMING_UP);
    bool protects =
        (s->action == ST_ORDER || s->action == ST_REPLACE) && (s->terms & ORDER_TERMS_EXIT);
    if (s->action == ST_AMEND) return amend(h, s);
    if (h->paused && !protects) return say_none(h, s, REASON_PAUSED);
    switch (s->action) {
    case ST_LONG: return turn(h, s, SIDE_BUY);
    case ST_SHORT: return turn(h, s, SIDE_SELL);
    case ST_FLAT: return flat(h, s);
    case ST_ORDER: return order(h, s, NULL);
    case ST_REPLACE: return replace(h, s);
    case ST_WAIT: return say_none(h, s, REASON_NONE);
    case ST_AMEND:
    case ST_CANCEL: break;
    }
    assert(!"no such action");
    return 0;
}

/* --- what a class may ask ------------------------------------------------------------------ */

int64_t st_now(const struct st_host *h) {
    return h->ctx->now_ns;
}

void st_timer(struct st_host *h, uint32_t key, int64_t at_ns) {
    rt_timer_set(h->ctx, key, at_ns);
}

void st_timer_cancel(struct st_host *h, uint32_t key) {
    rt_timer_cancel(h->ctx, key);
}

int64_t st_position(const struct st_host *h, uint16_t leg) {
    assert(leg < h->leg_cnt);
    return h->legs[leg].position + h->legs[leg].shorts;
}

int64_t st_position_of(const struct st_host *h, uint16_t leg, bool is_short) {
    assert(leg < h->leg_cnt);
    const struct st_leg *l = &h->legs[leg];
    if (l->hedge) return is_short ? l->shorts : l->position;
    return (l->position < 0) == is_short ? l->position : 0;
}

int64_t st_held(const struct st_host *h, uint16_t leg) {
    assert(leg < h->leg_cnt);
    qty_t held = held_of(h, leg, false);
    if (h->legs[leg].hedge) held += held_of(h, leg, true);
    return held - held % h->legs[leg].in->lot_size; /* toward zero */
}

uint32_t st_open_orders(const struct st_host *h, uint16_t leg) {
    uint32_t cnt = 0;
    for (uint32_t i = 0; i < h->order_cnt; i++) {
        cnt += h->orders[i].leg == leg && h->orders[i].filled < h->orders[i].quantity;
    }
    return cnt;
}

int64_t st_last(struct st_host *h, uint16_t leg) {
    assert(leg < h->leg_cnt);
    return h->legs[leg].last;
}

uint32_t st_levels(const struct st_host *h, uint16_t leg, uint8_t side, struct st_level *out,
                   uint32_t max) {
    assert(leg < h->leg_cnt && side <= SIDE_SELL);
    const struct mk_book *b = h->legs[leg].book;
    if (b == NULL || b->stale || h->legs[leg].silent) return 0;
    uint32_t cnt = 0;
    price_t price = mk_book_best(b, side);
    for (; price != 0 && cnt < max; price = mk_book_next(b, side, price)) {
        out[cnt++] = (struct st_level){ .price = price, .quantity = mk_book_at(b, side, price) };
    }
    return cnt;
}

uint64_t st_random(struct st_host *h) {
    return rt_random64(h->ctx);
}

const union st_value *st_params(const struct st_host *h) {
    return h->params;
}

bool st_host_evaluate(struct rt_ctx *ctx, struct st_host *h, uint16_t leg, struct st_signal *out) {
    if (!h->cls->evaluate || leg >= h->leg_cnt) return false;
    h->ctx = ctx;
    *out = (struct st_signal){ .action = ST_WAIT, .leg = leg };
    h->cls->evaluate(h, h->class_state, leg, out);
    return true;
}

/* --- market data --------------------------------------------------------------------------- */

/* begin readies the host for a call. */
static void begin(struct st_host *h, struct rt_ctx *ctx) {
    h->ctx = ctx;
    h->intents = 0;
}

/* leg_of returns the leg of an instrument, or ST_LEGS_MAX. */
static uint16_t leg_of(const struct st_host *h, uint16_t instrument) {
    return instrument <= h->market->instrument_cnt ? h->leg_of[instrument] : ST_LEGS_MAX;
}

/* run_bars tells a run of bars. */
static uint32_t run_bars(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                         const struct msg_bar *bar, uint32_t cnt) {
    void (*const on_bar)(struct st_host *, void *, uint16_t, const struct msg_bar *) =
        h->cls->on_bar;
    void *const state = h->class_state;
    struct st_leg *const l = &h->legs[leg];
    const uint8_t *const before = ctx->out;
    struct data_guard *const guard = h->guards == NULL ? NULL : &h->guards[leg];
    const bool skips = h->cls->skip_bars != NULL && guard == NULL;
    for (uint32_t i = 0;;) {
        uint32_t over = skips && cnt - i > 1 ? h->cls->skip_bars(state, leg, bar, cnt - i) : 0;
        if (over > 0) {
            assert(over <= cnt - i);
            i += over - 1;
            bar += over - 1;
            if (over > 1) {
                ctx->now_ns = bar->open_ns + bar->interval_ns;
                ctx->trace_id += over - 1;
            }
            l->last = bar->close;
            l->last_ns = ctx->now_ns;
        } else {
            l->last = bar->close;
            l->last_ns = ctx->now_ns;
            if (guard != NULL) (void)data_guard_bar(guard, l->in->session, bar);
            on_bar(h, state, leg, bar);
        }
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        bar++;
        rt_row_now(ctx, bar->open_ns + bar->interval_ns);
    }
}

/* run_trades tells a run of trades. */
static uint32_t run_trades(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                           const struct msg_trade *trade, uint32_t cnt) {
    struct st_leg *const l = &h->legs[leg];
    const uint8_t *const before = ctx->out;
    for (uint32_t i = 0;;) {
        l->last = trade->price;
        l->last_ns = ctx->now_ns;
        h->cls->on_trade(h, h->class_state, leg, trade);
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        trade++;
        rt_row_now(ctx, trade->time_ns);
    }
}

/* tell_book tells leg's book as it is. */
static void tell_book(struct st_host *h, uint16_t leg) {
    const struct mk_book *b = h->legs[leg].book;
    struct st_book view = { .time_ns = b->time_ns,
                            .update_id = b->update_id,
                            .stale = b->stale || h->legs[leg].silent };
    if (!view.stale) {
        view.bid = mk_book_best(b, SIDE_BUY);
        view.ask = mk_book_best(b, SIDE_SELL);
        if (view.bid != 0) view.bid_quantity = mk_book_at(b, SIDE_BUY, view.bid);
        if (view.ask != 0) view.ask_quantity = mk_book_at(b, SIDE_SELL, view.ask);
        if (view.bid != 0 && view.ask != 0) view.mid = view.bid + (view.ask - view.bid) / 2;
        double bid = (double)view.bid_quantity, ask = (double)view.ask_quantity;
        if (bid + ask > 0) view.imbalance = (bid - ask) / (bid + ask);
    }
    h->cls->on_book(h, h->class_state, leg, &view);
}

/* watch notes that an update of leg's book has come, and arms the timer of silence. */
static void watch(struct st_host *h, uint16_t leg) {
    struct st_leg *l = &h->legs[leg];
    l->silent = false;
    if (l->watched) return;
    l->watched = true;
    rt_timer_set(h->ctx, ST_SILENT_KEY + leg, h->ctx->now_ns + l->in->stale_ns);
}

/* on_silent hears the timer of silence: tells the class that leg's book is stale where it is. */
static void on_silent(struct st_host *h, uint16_t leg) {
    struct st_leg *l = &h->legs[leg];
    const int64_t due_ns = l->book->time_ns + l->in->stale_ns;
    l->silent = h->ctx->now_ns >= due_ns;
    l->watched = !l->silent;
    if (!l->silent) {
        rt_timer_set(h->ctx, ST_SILENT_KEY + leg, due_ns);
    } else if (!l->book->stale) {
        tell_book(h, leg);
    }
}

/* run_book follows leg's book through a run of rows. */
static uint32_t run_book(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                         const struct msg_book_delta *row, uint32_t cnt) {
    struct mk_book *const b = h->legs[leg].book;
    const uint8_t *const before = ctx->out;
    if (h->legs[leg].stale_series >= 0) watch(h, leg);
    for (uint32_t i = 0;;) {
        bool was = b->stale;
        enum mk_book_step step = mk_book_apply(b, row);
        bool turned = step == MK_BOOK_STALE && !was && !b->filling; /* a snapshot only begins */
        if (step == MK_BOOK_WHOLE || turned) tell_book(h, leg);
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        row++;
        rt_row_now(ctx, row->time_ns);
    }
}

/* host_on_book_delta hears a change of a book that the venue makes. While the strategy does not
 * live the book is kept all the same: what was missed is not said again. */
static void host_on_book_delta(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_book_delta *row = msg_body(frame);
    uint16_t leg = leg_of(h, row->instrument);
    if (leg == ST_LEGS_MAX || h->legs[leg].book == NULL || h->legs[leg].book_series >= 0) return;
    begin(h, ctx);
    if (h->live) {
        (void)run_book(ctx, h, leg, row, 1);
    } else {
        (void)mk_book_apply(h->legs[leg].book, row);
    }
}

/* run_quotes tells a run of quotes. */
static uint32_t run_quotes(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                           const struct msg_quote *quote, uint32_t cnt) {
    const uint8_t *const before = ctx->out;
    for (uint32_t i = 0;;) {
        h->cls->on_quote(h, h->class_state, leg, quote);
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        quote++;
        rt_row_now(ctx, quote->time_ns);
    }
}

/* run_special tells rows that are not plain bars or trades of the one interval; 0: they are. Apart,
 * so that strategies without such rows pay nothing. */
__attribute__((noinline)) static uint32_t run_special(struct rt_ctx *ctx, struct st_host *h,
                                                      uint16_t series, const void *rows,
                                                      uint32_t cnt) {
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        if (h->legs[i].book_series == series) return run_book(ctx, h, i, rows, cnt);
        if (h->legs[i].quote_series == series) return run_quotes(ctx, h, i, rows, cnt);
    }
    if (h->longer_cnt == 0) return 0;
    if (st_longer_row(h, series, rows)) return 1;
    uint16_t leg = h->leg_of_rows[series];
    if (h->interval_ns == 0) return st_longer_trades(ctx, h, leg, rows, cnt);
    return st_longer_bars(ctx, h, leg, rows, cnt);
}

/* host_on_rows hears rows of the strategy's series. */
static uint32_t host_on_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                             const void *rows, uint32_t cnt) {
    struct st_host *h = state;
    assert(how == RT_HEAR_ROW);
    begin(h, ctx);
    if (!h->live) return 1;
    if (h->special) {
        uint32_t took = run_special(ctx, h, series, rows, cnt);
        if (took > 0) return took;
    }
    uint16_t leg = h->leg_of_rows[series]; /* it raised no other interest */
    if (cnt == 1 && h->interval_ns != 0 && h->guards == NULL) {
        /* many series take turns */
        const struct msg_bar *bar = rows;
        h->legs[leg].last = bar->close;
        h->legs[leg].last_ns = ctx->now_ns;
        h->cls->on_bar(h, h->class_state, leg, bar);
        return 1;
    }
    if (h->interval_ns == 0) return run_trades(ctx, h, leg, rows, cnt);
    return run_bars(ctx, h, leg, rows, cnt);
}

/* host_quiet_rows tells how many bars to come bring nothing to signal. With an order of the leg
 * open it does not say: the class may look at bars with other eyes then. Where a size depends on
 * what is held elsewhere the newest close of each leg matters. */
static uint32_t host_quiet_rows(const void *state, uint16_t series, const void *rows,
                                uint32_t cnt) {
    const struct st_host *h = state;
    const struct st_class *cls = h->cls;
    if (cls->quiet_bars == NULL || !h->live || h->special || h->interval_ns == 0) return 0;
    if (h->guards != NULL || h->sizing == ST_SIZE_FRACTION) return 0;
    const uint16_t leg = h->leg_of_rows[series];
    for (uint32_t i = 0; i < h->order_cnt; i++) {
        if (h->orders[i].leg == leg) return 0;
    }
    return cls->quiet_bars(h->class_state, leg, rows, cnt);
}

/* host_series_of tells the bars that a frame has to do with: of its leg, where that hears bars
 * directly. Bars and trades that come as frames are another leg's, or none's. */
static int32_t host_series_of(const void *state, const struct msg_frame *frame) {
    const struct st_host *h = state;
    uint16_t instrument;
    switch (frame->kind) {
    case MSG_ORDER_STATE:
        instrument = ((const struct msg_order_state *)msg_body(frame))->instrument;
        break;
    case MSG_FILL: instrument = ((const struct msg_fill *)msg_body(frame))->instrument; break;
    case MSG_QUOTE: instrument = ((const struct msg_quote *)msg_body(frame))->instrument; break;
    case MSG_BOOK_DELTA:
        instrument = ((const struct msg_book_delta *)msg_body(frame))->instrument;
        break;
    case MSG_BAR:
    case MSG_TRADE: return RT_SERIES_NONE;
    default: return RT_SERIES_ANY;
    }
    uint16_t leg = leg_of(h, instrument);
    if (leg == ST_LEGS_MAX || !h->legs[leg].direct) return RT_SERIES_NONE;
    return (int32_t)h->legs[leg].series;
}

/* host_on_bar hears a bar that feed made. */
static void host_on_bar(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_bar *bar = msg_body(frame);
    if (!h->live || bar->flags >> MK_BARS_SHIFT != h->bars) return;
    if (h->bars == 0 && bar->interval_ns != h->interval_ns) return;
    uint16_t leg = leg_of(h, bar->instrument);
    if (leg == ST_LEGS_MAX || h->legs[leg].direct) return;
    begin(h, ctx);
    if (h->untraded) {
        int64_t at_ns, last = st_newest(h, bar->instrument, &at_ns);
        if (last > 0) { /* else trades that come as frames have told it */
            h->legs[leg].last = last;
            h->legs[leg].last_ns = at_ns;
        }
        h->cls->on_bar(h, h->class_state, leg, bar);
        return;
    }
    if (h->longer_cnt > 0) {
        (void)st_longer_bars(ctx, h, leg, bar, 1);
    } else {
        (void)run_bars(ctx, h, leg, bar, 1);
    }
}

/* host_on_trade hears a trade that feed passes on. */
static void host_on_trade(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_trade *trade = msg_body(frame);
    const bool trades = h->interval_ns == 0 && h->bars == 0;
    if (!h->live || (!trades && !h->untraded)) return;
    uint16_t leg = leg_of(h, trade->instrument);
    if (leg == ST_LEGS_MAX || h->legs[leg].direct) return;
    if (h->untraded) { /* the price behind the bars */
        h->legs[leg].last = trade->price;
        h->legs[leg].last_ns = ctx->now_ns;
        return;
    }
    begin(h, ctx);
    if (h->longer_cnt > 0) {
        (void)st_longer_trades(ctx, h, leg, trade, 1);
    } else {
        (void)run_trades(ctx, h, leg, trade, 1);
    }
}

/* host_on_quote hears the touch of a market that the venue makes. */
static void host_on_quote(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_quote *quote = msg_body(frame);
    if (!h->live || h->cls->on_quote == NULL) return;
    uint16_t leg = leg_of(h, quote->instrument);
    if (leg == ST_LEGS_MAX) return;
    begin(h, ctx);
    (void)run_quotes(ctx, h, leg, quote, 1);
}

/* --- orders, fills, account ---------------------------------------------------------------- */

/* host_on_order_state hears how an order of its own stands. */
static void host_on_order_state(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_order_state *m = msg_body(frame);
    if (mk_order_owner(m->order_id) != h->self) return;
    uint16_t leg = leg_of(h, m->instrument);
    if (leg == ST_LEGS_MAX) return;
    begin(h, ctx);
    struct st_order *o = order_find(h, m->order_id);
    bool done = m->status == ORDER_STATUS_FILLED || m->status == ORDER_STATUS_CANCELED ||
                m->status == ORDER_STATUS_REJECTED || m->status == ORDER_STATUS_EXPIRED;
    if (o && m->quantity > 0) o->quantity = m->quantity; /* risk may have passed less */
    if (o && m->cum_quantity > o->filled) o->filled = m->cum_quantity;
    if (o && done) {
        order_drop(h, o);
    } else if (o && !o->told) {
        o->told = 1;
        if (o->canceling == ST_CANCEL_WAITS) cancel(h, o, o->cancel_reason);
    }
    if (h->live && h->cls->on_order) h->cls->on_order(h, h->class_state, leg, m);
}

/* host_on_order_amended hears new figures of an order of its own, or that an amend came to nothing.
 */
static void host_on_order_amended(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_order_amended *m = msg_body(frame);
    if (mk_order_owner(m->order_id) != h->self) return;
    uint16_t leg = leg_of(h, m->instrument);
    if (leg == ST_LEGS_MAX) return;
    begin(h, ctx);
    struct st_order *o = order_find(h, m->order_id);
    if (o && m->by != AMEND_BY_VENUE) o->amending = 0;
    if (o && m->quantity > 0) {
        o->price = m->price;
        o->quantity = m->quantity;
    }
    if (h->live && h->cls->on_amend) h->cls->on_amend(h, h->class_state, leg, m);
}

/* undo closes what an order to close has opened: another one (a stop whose cancel came too late)
 * had closed what it was for. Orders that only reduce cannot do that. */
static void undo(struct st_host *h, uint16_t leg, const struct msg_fill *m) {
    if (!(m->terms & ORDER_TERMS_EXIT) || h->stopped || h->legs[leg].hedge) return;
    bool sold = m->side == SIDE_SELL;
    qty_t held = held_of(h, leg, false), wrong = sold ? -held : held;
    if (wrong > m->quantity) wrong = m->quantity;
    wrong = fixed_floor_to(wrong, h->legs[leg].in->lot_size);
    if (wrong <= 0) return;
    struct st_signal s = { .action = ST_FLAT, .leg = leg, .reason = REASON_LATE_FILL };
    struct st_order o = { .leg = leg,
                          .quantity = wrong,
                          .side = sold ? SIDE_BUY : SIDE_SELL,
                          .type = ORDER_TYPE_MARKET,
                          .terms = ORDER_TERMS_EXIT };
    (void)place(h, &s, &o, NULL);
}

/* host_on_fill hears a fill of its own. */
static void host_on_fill(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_fill *m = msg_body(frame);
    if (mk_order_owner(m->order_id) != h->self) return;
    uint16_t leg = leg_of(h, m->instrument);
    if (leg == ST_LEGS_MAX) return;
    begin(h, ctx);
    struct st_leg *l = &h->legs[leg];
    st_cost_fill(l, &h->market->accounts[h->account - 1], m);
    int64_t change = m->side == SIDE_BUY ? m->quantity : -m->quantity;
    bool base = l->in->kind == MK_SPOT && m->side == SIDE_BUY; /* its fee may be of what it got */
    if (base && m->fee_asset == l->in->base_asset) change -= m->fee;
    qty_t *of = is_short(h, leg, m->side, m->terms) ? &l->shorts : &l->position;
    bool over = __builtin_add_overflow(*of, change, of);
    assert(!over);
    struct st_order *o = order_find(h, m->order_id);
    if (o && m->cum_quantity > o->filled) o->filled = m->cum_quantity;
    if (h->live && h->cls->on_fill) h->cls->on_fill(h, h->class_state, leg, m);
    undo(h, leg, m);
}

/* host_on_position hears a position of its account, anyone's or all strategies' together. */
static void host_on_position(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_position *m = msg_body(frame);
    (void)ctx;
    if (m->account != h->account) return;
    uint16_t place = m->instrument;
    if (m->position_side == POSITION_SIDE_SHORT) place |= ST_HELD_SHORT;
    uint32_t i = 0;
    for (uint32_t end = h->held_cnt; i < end;) { /* the first that is not before it */
        const uint32_t mid = (i + end) / 2;
        const struct st_held *at = &h->held[mid];
        bool before = at->instrument != place ? at->instrument < place : at->owner < m->owner;
        if (before)
            i = mid + 1;
        else
            end = mid;
    }
    if (i == h->held_cnt || h->held[i].instrument != place || h->held[i].owner != m->owner) {
        assert(h->held_cnt < h->held_max); /* room for every strategy's instruments, and netted */
        assert(m->instrument >= 1 && m->instrument <= h->market->instrument_cnt);
        memmove(&h->held[i + 1], &h->held[i], (h->held_cnt - i) * sizeof *h->held);
        h->held_cnt++;
    }
    h->held[i] = (struct st_held){
        .quantity = m->quantity, .cost = m->cost, .instrument = place, .owner = m->owner
    };
}

/* host_on_account_state hears the account's cash. */
static void host_on_account_state(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_account_state *m = msg_body(frame);
    (void)ctx;
    if (m->account == h->account) h->cash = m->cash;
}

/* --- life ---------------------------------------------------------------------------------- */

/* interests raises or lowers the interest in every series of its own. */
static void interests(struct st_host *h, bool up) {
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        const struct st_leg *l = &h->legs[i];
        if (l->direct) rt_interest(h->ctx, l->series, RT_HEAR_ROW, up);
        if (l->book_series >= 0) rt_interest(h->ctx, (uint16_t)l->book_series, RT_HEAR_ROW, up);
        if (l->quote_series >= 0) rt_interest(h->ctx, (uint16_t)l->quote_series, RT_HEAR_ROW, up);
    }
    st_longer_interests(h, up);
}

/* host_on_start hears the start of the run. */
static void host_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    (void)frame;
    if (!h->enabled) return;
    begin(h, ctx);
    interests(h, true);
    h->live = true;
    struct st_start start = { .params = h->params,
                              .leg_cnt = h->leg_cnt,
                              .interval_ns = h->interval_ns,
                              .longer_ns = h->longer_ns,
                              .longer_cnt = h->longer_cnt };
    if (h->cls->on_start) h->cls->on_start(h, h->class_state, &start);
}

/* halt ends the strategy: its last call, then nothing but its orders' ends. */
static void halt(struct st_host *h) {
    h->stopped = true;
    if (!h->live) return;
    if (h->cls->on_stop) h->cls->on_stop(h, h->class_state);
    h->live = false;
    interests(h, false);
}

/* host_on_stop hears the end of the run. Open orders are execution's to cancel. */
static void host_on_stop(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    (void)frame;
    begin(h, ctx);
    halt(h);
}

/* host_on_actor_stopped hears that an actor is left out; execution cancels its orders. */
static void host_on_actor_stopped(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_actor_stopped *m = msg_body(frame);
    if (m->actor != h->self) return;
    begin(h, ctx);
    h->stopped = true;
    h->live = false;
    interests(h, false);
}

/* host_on_timer hears a timer of the class's, the end of a longer bar, or that a book may be
 * silent. */
static void host_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_timer *m = msg_body(frame);
    if (!h->live) return;
    begin(h, ctx);
    if (m->key >= ST_SILENT_KEY) {
        assert(m->key - ST_SILENT_KEY < h->leg_cnt);
        on_silent(h, (uint16_t)(m->key - ST_SILENT_KEY));
        return;
    }
    if (m->key >= ST_LONGER_KEY) {
        st_longer_timer(h, m->key);
        return;
    }
    if (h->cls->on_timer) h->cls->on_timer(h, h->class_state, (uint32_t)m->key);
}

/* set_param changes one parameter, unless it would leave its range or make no sense. Returns why it
 * did not, NULL when it did. */
static const char *set_param(struct st_host *h, uint16_t idx, int64_t bits) {
    if (idx >= h->param_cnt) return "there is no such parameter";
    const struct st_param *p = &h->cls->params[idx];
    union st_value min, max, old = h->params[idx], new = { .i = bits };
    st_param_range(p, &min, &max);
    if (p->type == ST_DOUBLE) {
        memcpy(&new.d, &bits, sizeof new.d);
        if (!(new.d >= min.d &&new.d <= max.d)) return "out of its range"; /* or no number */
    } else if (bits < min.i || bits > max.i) {
        return "out of its range";
    }
    h->params[idx] = new;
    const char *why = h->cls->check ? h->cls->check(h->params) : NULL;
    if (h->cls->state_bytes_for && h->cls->state_bytes_for(h->params) > h->state_bytes) {
        why = "takes more memory than the strategy began with";
    }
    if (why != NULL) {
        h->params[idx] = old;
        return why;
    }
    if (h->live && h->cls->on_set) h->cls->on_set(h, h->class_state);
    return NULL;
}

/* obey does what a command to this strategy asks for. Returns why it was refused, NULL = done. */
static const char *obey(struct st_host *h, const struct msg_command *m) {
    if (h->stopped && m->op != COMMAND_OP_STOP) return "it was stopped, for good";
    switch (m->op) {
    case COMMAND_OP_PAUSE: h->paused = true; return NULL;
    case COMMAND_OP_RESUME: h->paused = false; return NULL;
    case COMMAND_OP_STOP:
        halt(h);
        for (uint16_t leg = 0; h->cancel_on_stop && leg < h->leg_cnt; leg++) {
            cancel_leg(h, leg, ALL, REASON_BY_OPERATOR, false);
        }
        return NULL;
    case COMMAND_OP_SET: return set_param(h, m->param, m->value);
    default: return "no strategy does that";
    }
}

/* host_on_command hears pause, resume, stop and set; who gave a command to this strategy alone is
 * told what became of it. A stop of the whole run comes as MSG_STOP. */
static void host_on_command(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct st_host *h = state;
    const struct msg_command *m = msg_body(frame);
    if (m->target != 0 && m->target != h->self) return;
    begin(h, ctx);
    if (m->target == 0) { /* to all: what concerns one alone has no sense */
        if (m->op == COMMAND_OP_PAUSE || m->op == COMMAND_OP_RESUME) (void)obey(h, m);
        return;
    }
    struct msg_command_answer_in in = { .key = m->key, .why = obey(h, m) };
    uint8_t room[ANSWER_BYTES];
    struct msg_builder b;
    uint32_t bytes;
    msg_builder_init(&b, room, sizeof room);
    const void *body = msg_command_answer_build(&b, &in, &bytes);
    if (body == NULL) { /* the class's own words are too long */
        in.why = "the strategy does not take it";
        msg_builder_init(&b, room, sizeof room);
        body = msg_command_answer_build(&b, &in, &bytes);
    }
    assert(body != NULL);
    memcpy(rt_say(ctx, MSG_COMMAND_ANSWER, 0, bytes), body, bytes);
}

static const struct rt_option host_options[] = {
    { "class", "text", "a strategy class", NULL, "which strategy it runs" },
    { "instruments", "node", "list of names", NULL, "what it trades, in the class's order" },
    { "interval", "text", "1s..31d | trades", NULL, "which bars it hears, or every trade" },
    { "intervals", "node", "[1s..31d]", "[]",
      "longer bars it hears too, of the sources or made of those of interval" },
    { "bars", "text", "a name of a feed's bars", "none",
      "which named bars it hears, in place of interval" },
    { "account", "text", "a name of accounts:", "the only one", "where its money is" },
    { "params", "node", "map", "the class's defaults", "parameters of the class" },
    { "sizing", "node", "{fixed: base} | {notional: quote} | {fraction: 0..20}", NULL,
      "how large an order that opens is" },
    { "enabled", "bool", "true | false", "true", "false: it hears and does nothing" },
    { "max_position", "fixed", "> 0", "none", "largest position in one instrument, base" },
    { "data_guard", "node",
      "{window: 2..1024, missing, misaligned, repeated, jumps, jump_bps: 1..1000000, calm}", "none",
      "no order that opens while its bars cannot be believed" },
    { "model_version", "text", "1..64 bytes", "absent", "stands in every decision packet" },
    { "orders_max", "int", "2..4096", "64", "room for open orders" },
    { "on_stop", "text", "cancel | leave", "cancel",
      "what becomes of its open orders when it alone is stopped" },
    { NULL, NULL, NULL, NULL, NULL },
};

static const uint16_t host_says[] = { MSG_DECISION_PACKET,   MSG_ORDER_INTENT,
                                      MSG_ORDER_INTENT_MORE, MSG_ORDER_REPLACE,
                                      MSG_ORDER_CHANGE,      MSG_ORDER_CANCEL,
                                      MSG_COMMAND_ANSWER,    0 };

/* What it hears of its own orders alone. */
static const uint16_t host_own[] = { MSG_ORDER_STATE, MSG_FILL, 0 };

const struct rt_actor_kind strategy_kind = {
    .name = "strategy",
    .help = "runs one strategy: signals become decision packets and sized order intents",
    .options = host_options,
    .says = host_says,
    .own = host_own,
    .timer_class = RT_CLASS_TIMER,
    .state_bytes = sizeof(struct st_host),
    .init = st_host_init,
    .on = {
        [MSG_START] = host_on_start,
        [MSG_TIMER] = host_on_timer,
        [MSG_COMMAND] = host_on_command,
        [MSG_STOP] = host_on_stop,
        [MSG_ACTOR_STOPPED] = host_on_actor_stopped,
        [MSG_BAR] = host_on_bar,
        [MSG_TRADE] = host_on_trade,
        [MSG_QUOTE] = host_on_quote,
        [MSG_BOOK_DELTA] = host_on_book_delta,
        [MSG_ORDER_STATE] = host_on_order_state,
        [MSG_ORDER_AMENDED] = host_on_order_amended,
        [MSG_FILL] = host_on_fill,
        [MSG_POSITION] = host_on_position,
        [MSG_ACCOUNT_STATE] = host_on_account_state,
    },
    .param = st_param_load,
    .on_rows = host_on_rows,
    .quiet_rows = host_quiet_rows,
    .series_of = host_series_of,
    .save = st_host_save,
    .load = st_host_load,
};
