#include "actors/venue/amend.h"
#include "actors/market/value.h"
#include "actors/venue/backing.h"
#include "actors/venue/bars.h"
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "actors/venue/path.h"

/* figures_of returns the figures that the order idx has. */
static struct venue_figures figures_of(const struct venue *v, uint32_t idx) {
    const struct venue_order *o = &v->orders.pool[idx];
    return (struct venue_figures){
        .price = o->price,
        .stop_price = o->flags & VENUE_MORE ? v->orders.more[idx].terms.stop_price : 0,
        .quantity = o->quantity,
    };
}

/* is_smaller tells whether to only takes quantity off from. */
static bool is_smaller(const struct venue_figures *from, const struct venue_figures *to) {
    return to->price == from->price && to->stop_price == from->stop_price &&
           to->quantity <= from->quantity;
}

/* fits returns why the order idx cannot have the figures to by itself, REASON_NONE when it can. */
static uint16_t fits(const struct venue *v, const struct venue_book *b, uint32_t idx,
                     const struct venue_figures *from, const struct venue_figures *to) {
    const struct venue_order *o = &v->orders.pool[idx];
    const struct venue_more *m = o->flags & VENUE_MORE ? &v->orders.more[idx] : NULL;
    const struct mk_instrument *in = b->instrument;
    bool priced = mk_order_priced(o->type), waits = mk_order_waits(o->type);
    bool fired = m == NULL ? waits && b->driver != VENUE_BARS && o->flags & VENUE_EAGER
                           : m->stage == VENUE_FIRED && waits;
    if (b->driver == VENUE_CLOSED || v->closed) return REASON_MARKET_CLOSED;
    if (o->type == ORDER_TYPE_MARKET || o->flags & VENUE_LEAVES || fired) return REASON_AMEND_RULE;
    if (!priced && to->price != from->price) return REASON_AMEND_RULE;
    if (to->stop_price != from->stop_price &&
        (from->stop_price == 0 || (m->stage == VENUE_RESTS && b->driver != VENUE_CROWD))) {
        return REASON_AMEND_RULE;
    }
    bool part = m != NULL && m->waits > 0 && m->stage != VENUE_PENDING;
    if (to->quantity <= 0 || (part && to->quantity != from->quantity)) return REASON_AMEND_RULE;
    if (to->quantity % in->lot_size != 0) return REASON_BAD_LOT;
    if (priced && (to->price <= 0 || to->price % in->tick_size != 0)) return REASON_BAD_TICK;
    if (to->stop_price % in->tick_size != 0) return REASON_BAD_TICK;
    if (m != NULL && m->terms.display > to->quantity) return REASON_BAD_DISPLAY;
    return REASON_NONE;
}

/* refuses_terms returns which rule of the venue the whole of the order idx, of quantity, would not
 * meet; REASON_NONE when it meets all. */
static uint16_t refuses_terms(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                              uint32_t idx, const struct venue_figures *to, qty_t quantity) {
    const struct venue_order *o = &v->orders.pool[idx];
    const struct mk_instrument *in = b->instrument;
    struct mk_more more = { 0 };
    if (o->flags & VENUE_MORE) more = v->orders.more[idx].terms;
    more.stop_price = to->stop_price;
    const struct mk_asked asked = { .price = to->price,
                                    .quantity = quantity,
                                    .side = o->side,
                                    .type = o->type,
                                    .more = o->flags & VENUE_MORE ? &more : NULL };
    if (in->filters != NULL) {
        const struct mk_filters *f = in->filters;
        uint16_t why =
            mk_filters_terms(f, &asked, venue_rules_reference(ctx, b, f->percent_minutes),
                             venue_rules_reference(ctx, b, f->notional_minutes));
        if (why != REASON_NONE) return why;
    }
    if (to->price <= 0) return REASON_NONE;
    __int128 notional = mk_quoted(in, to->price, quantity) / FIXED_ONE;
    if (notional > INT64_MAX) return REASON_OVERFLOW;
    if (in->kind != MK_SPOT && o->terms & ORDER_TERMS_REDUCE_ONLY) return REASON_NONE;
    return notional < in->min_notional ? REASON_MIN_NOTIONAL : REASON_NONE;
}

/* put makes to the figures of the order idx; what it locks and where it waits is the caller's. */
static void put(struct venue *v, struct venue_book *b, uint32_t idx,
                const struct venue_figures *to) {
    struct venue_order *o = &v->orders.pool[idx];
    o->price = to->price;
    o->quantity = to->quantity;
    if (!(o->flags & VENUE_MORE)) return;
    struct venue_more *m = &v->orders.more[idx];
    m->terms.stop_price = to->stop_price;
    if (m->stage == VENUE_PENDING && venue_grows(v, b)) m->waits = to->quantity;
    if (b->driver == VENUE_DEPTH && m->stage == VENUE_RESTS && m->extreme > to->quantity) {
        m->extreme = to->quantity;
    }
}

/* unlock takes what the order idx locks out of its account's locks: until lock. */
static void unlock(struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *o = &v->orders.pool[idx];
    venue_locks_take(v, b, idx);
    o->quantity = 0;
    if (b->more_cnt > 0) {
        struct venue_more *m = &v->orders.more[idx];
        qty_t waits = m->waits;
        m->waits = 0;
        venue_locks_again(v, b, o->account);
        m->waits = waits;
    }
}

/* refuses_cover returns why the order idx with the figures to is not covered, REASON_NONE when it
 * is. What it was does not count. */
static uint16_t refuses_cover(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                              uint32_t idx, const struct venue_figures *from,
                              const struct venue_figures *to) {
    struct venue_order *o = &v->orders.pool[idx];
    unlock(v, b, idx);
    struct venue_order as = *o;
    as.price = to->price;
    as.quantity = to->quantity;
    uint16_t why = venue_backing_refuses(ctx, v, b, &as);
    if (why == REASON_NONE && b->instrument->kind == MK_SPOT) {
        put(v, b, idx, to);
        why = venue_locks_refuse(v, b, idx);
    }
    put(v, b, idx, from);
    venue_locks_put(v, b, idx);
    return why;
}

/* leave_place takes the order idx from where it waits; its price is still the old one. */
static void leave_place(struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *o = &v->orders.pool[idx];
    if (b->driver == VENUE_DEPTH) venue_depth_leave(v, b, idx);
    if (!(o->flags & (VENUE_MORE | VENUE_EAGER))) venue_orders_wake(b, o);
}

/* join lets the order idx, with its new figures, wait or work anew. It may be gone then. */
static void join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 uint8_t stage) {
    struct venue_order *o = &v->orders.pool[idx];
    struct venue_more *m = o->flags & VENUE_MORE ? &v->orders.more[idx] : NULL;
    bool limit = o->type == ORDER_TYPE_LIMIT;
    o->from_ns = ctx->now_ns;
    switch (b->driver) {
    case VENUE_BARS:
        if (m != NULL && stage != VENUE_PENDING && (limit || stage == VENUE_ARMED) &&
            o->type != ORDER_TYPE_TRAILING_STOP) {
            m->stage = VENUE_FRESH;
        }
        venue_bars_join(ctx, v, b, idx);
        break;
    case VENUE_DEPTH:
        if (m == NULL && !limit) {
            venue_orders_calm(b, o);
        } else if (m == NULL || stage == VENUE_RESTS) {
            if (m != NULL) m->stage = VENUE_FIRED; /* a limit that takes, then rests */
            venue_depth_join(ctx, v, b, idx);
        }
        break;
    default:
        if (m == NULL && !(o->terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK))) venue_orders_calm(b, o);
        break;
    }
}

void venue_amend(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 const struct venue_order *request, price_t stop) {
    struct venue_order *o = &v->orders.pool[idx];
    const qty_t filled = v->orders.more[idx].filled;
    const struct venue_figures from = figures_of(v, idx);
    const struct venue_figures to = {
        .price = request->price,
        .stop_price = stop == 0 ? from.stop_price : stop,
        .quantity = request->quantity - filled,
    };
    bool smaller = is_smaller(&from, &to);
    uint16_t why = fits(v, b, idx, &from, &to);
    const struct mk_filters *f = b->instrument->filters;
    const bool counts = f != NULL && f->amends_max > 0;
    if (why == REASON_NONE && counts && v->orders.more[idx].amends >= f->amends_max) {
        why = REASON_VENUE_MAX_AMENDS;
    }
    if (why == REASON_NONE) why = refuses_terms(ctx, v, b, idx, &to, request->quantity);
    if (why == REASON_NONE && !smaller) why = refuses_cover(ctx, v, b, idx, &from, &to);
    if (why == REASON_NONE && b->driver == VENUE_CROWD) {
        why = venue_crowd_amend(ctx, v, b, idx, &from, &to);
    }
    if (why != REASON_NONE) {
        venue_say_amended(ctx, v, b, o, &from, why, true);
        return;
    }
    v->orders.more[idx].amends += counts;
    uint8_t stage = v->orders.more[idx].stage; /* where it has further terms */
    venue_locks_take(v, b, idx);
    if (!smaller) leave_place(v, b, idx);
    put(v, b, idx, &to);
    if (!smaller) o->seq = request->seq; /* its place is that of the request */
    venue_locks_put(v, b, idx);
    venue_say_amended(ctx, v, b, o, &to, REASON_NONE, true);
    if (!smaller) join(ctx, v, b, idx, stage);
}
