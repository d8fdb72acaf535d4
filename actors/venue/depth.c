#include "actors/venue/depth.h"
#include "actors/market/book_rows.h"
#include "actors/venue/average.h"
#include "actors/venue/backing.h"
#include "actors/venue/path.h"
#include "actors/venue/term.h"
#include <assert.h>

enum { FILL_BYTES = 512 }; /* room that one fill and the end of its order need, and more */

int venue_depth_options_read(struct rt_node *config, struct venue_depth_options *out,
                             struct rt_error *err) {
    static const char *const kinds[] = { "conservative", "power", "log", NULL };
    static const char *const known[] = { "power", NULL };
    int64_t window, levels, orders;
    int kind, rc;
    struct rt_node *node = rt_node_get(config, "queue");
    *out = (struct venue_depth_options){ .power = 3 };
    if (node != NULL && node->kind == RT_NODE_MAP) {
        kind = VENUE_QUEUE_POWER;
        rc = rt_node_double(node, "power", true, 0.01, 16, 3, &out->power, err);
        if (rc == 0) rc = rt_node_no_more(node, known, err);
    } else {
        rc = rt_node_choice(config, "queue", false, kinds, VENUE_QUEUE_POWER, &kind, err);
    }
    if (rc != 0) return rc;
    out->queue = (enum venue_queue_kind)kind;
    rc = rt_node_share(config, "participation", false, 0, &out->share, err);
    if (rc == 0) {
        rc = rt_node_int(config, "book_window", false, MK_BOOK_WINDOW_MIN, MK_BOOK_WINDOW_MAX,
                         1 << 14, &window, err);
    }
    if (rc == 0) {
        rc = rt_node_int(config, "book_levels", false, MK_BOOK_FAR_MIN, MK_BOOK_FAR_MAX, 1 << 14,
                         &levels, err);
    }
    if (rc == 0) {
        rc = rt_node_int(config, "book_orders", false, MK_QUEUES_MIN, MK_QUEUES_MAX, 1 << 16,
                         &orders, err);
    }
    if (rc != 0) return rc;
    if ((window & (window - 1)) != 0) {
        return rt_node_fail(rt_node_get(config, "book_window"), err, "expected a power of two");
    }
    out->window = (uint32_t)window;
    out->far_max = (uint32_t)levels;
    out->orders_max = (uint32_t)orders;
    return 0;
}

/* edges makes d->edge of side what the table says. */
static void edges(struct venue_depth *d, uint8_t side) {
    uint32_t cnt = d->rest_cnt[side];
    const struct venue_rest *rests = d->rests[side];
    price_t first = cnt == 0 ? INT64_MIN : rests[0].price;
    price_t last = cnt == 0 ? INT64_MAX : rests[cnt - 1].price;
    if (cnt == 0) { /* nothing lies between */
        d->edge[side][0] = INT64_MAX;
        d->edge[side][1] = INT64_MIN;
        return;
    }
    d->edge[side][0] = side == SIDE_BUY ? last : first;
    d->edge[side][1] = side == SIDE_BUY ? first : last;
}

struct venue_depth *venue_depth_new(struct rt_init *init, const struct venue_depth_options *options,
                                    const struct mk_instrument *instrument, uint32_t orders_max,
                                    uint16_t trades, bool by_order) {
    struct venue_depth *d = rt_init_take(init, sizeof *d);
    void *memory = rt_init_take(init, mk_book_bytes(options->window, options->far_max));
    mk_book_init(&d->book, memory, options->window, options->far_max, instrument->tick_size);
    d->model = venue_queue_model(options->queue, options->power, instrument->lot_size);
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        d->rests[side] = rt_init_take(init, orders_max * sizeof(struct venue_rest));
        edges(d, side);
    }
    d->taken = rt_init_take(init, VENUE_TAKEN_MAX * sizeof *d->taken);
    d->rest_max = orders_max;
    d->share = (instrument->participation > 0 ? instrument->participation : options->share);
    d->trades = trades;
    d->stale_ns = instrument->stale_ns;
    if (by_order) {
        d->queues = rt_init_take(init, sizeof *d->queues);
        mk_queues_init(d->queues, rt_init_take(init, mk_queues_bytes(options->orders_max)),
                       options->orders_max);
    }
    return d;
}

/* depth_of returns b's depth. */
static inline struct venue_depth *depth_of(const struct venue *v, const struct venue_book *b) {
    return v->depths[b->instrument->id - 1];
}

/* stands tells whether orders may meet the book. */
static inline bool stands(const struct venue_depth *d) {
    return !d->book.stale && !d->book.open && !d->silent && !d->halted && d->full == 0;
}

/* other returns the opposite side. */
static inline uint8_t other(uint8_t side) {
    return side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
}

/* within tells whether an order on side with that limit (0 = none) may trade at price. */
static inline bool within(uint8_t side, price_t limit, price_t price) {
    return limit == 0 || (side == SIDE_BUY ? price <= limit : price >= limit);
}

price_t venue_depth_price(const struct venue *v, const struct venue_book *b, uint8_t side) {
    const struct venue_depth *d = depth_of(v, b);
    price_t touch = stands(d) ? mk_book_best(&d->book, other(side)) : 0;
    return touch != 0 ? touch : b->last;
}

bool venue_depth_stands(const struct venue *v, const struct venue_book *b) {
    return stands(depth_of(v, b));
}

/* --- what is taken ------------------------------------------------------------------------- */

/* taken_find returns the note of what was taken from a level, or NULL. */
static struct venue_taken *taken_find(const struct venue_depth *d, uint8_t side, price_t price) {
    for (uint32_t i = 0; i < d->taken_cnt; i++) {
        struct venue_taken *t = &d->taken[i];
        if (t->price == price && t->side == side) return t;
    }
    return NULL;
}

/* taken_add notes that quantity more was taken; false when there is no room for a note. */
static bool taken_add(struct venue_depth *d, uint8_t side, price_t price, qty_t quantity) {
    if (d->queues != NULL) {
        mk_queues_take(d->queues, side, price, quantity);
        return true;
    }
    struct venue_taken *t = taken_find(d, side, price);
    if (t != NULL) {
        t->quantity += quantity; /* never above what is shown */
        return true;
    }
    if (d->taken_cnt == VENUE_TAKEN_MAX) return false;
    d->taken[d->taken_cnt++] =
        (struct venue_taken){ .price = price, .quantity = quantity, .side = side };
    return true;
}

/* share_of returns the lots of quantity that may be ours. */
static qty_t share_of(const struct venue_depth *d, qty_t lot, qty_t quantity) {
    if (d->share != 0 && !fixed_mul(quantity, d->share, FIXED_DOWN, &quantity)) return 0;
    return fixed_floor_to(quantity, lot);
}

/* left_at returns the lots of all that a level has at price that were not taken yet. */
static qty_t left_at(const struct venue_depth *d, qty_t lot, uint8_t side, price_t price,
                     qty_t all) {
    if (d->queues != NULL) {
        qty_t gone = mk_queues_taken(d->queues, side, price);
        return all > gone ? fixed_floor_to(all - gone, lot) : 0;
    }
    const struct venue_taken *t = d->taken_cnt == 0 ? NULL : taken_find(d, side, price);
    if (t == NULL && d->taken_cnt == VENUE_TAKEN_MAX) return 0;
    return t == NULL ? all : all > t->quantity ? fixed_floor_to(all - t->quantity, lot) : 0;
}

/* shown returns the lots that may still be taken from the level at price. */
static qty_t shown(const struct venue_depth *d, qty_t lot, uint8_t side, price_t price) {
    qty_t all = share_of(d, lot, mk_book_at(&d->book, side, price));
    return left_at(d, lot, side, price, all);
}

/* --- resting orders ------------------------------------------------------------------------ */

/* rest_at returns the first place in the table of side at price or worse. */
static uint32_t rest_at(const struct venue_depth *d, uint8_t side, price_t price) {
    uint32_t low = 0, high = d->rest_cnt[side];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        price_t at = d->rests[side][mid].price;
        if (side == SIDE_BUY ? at > price : at < price) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* before_it tells whether what rests stands before one with that place and number of arrival. */
static bool before_it(const struct venue *v, const struct venue_depth *d,
                      const struct venue_rest *rest, uint64_t place, uint64_t arrival) {
    return d->queues != NULL ? rest->place < place : v->orders.pool[rest->idx].seq < arrival;
}

/* rest_add enters the order idx, behind those of its price that arrived before it or, order by
 * order, have a place before its own. */
static void rest_add(struct venue *v, struct venue_depth *d, uint32_t idx, struct venue_queue queue,
                     uint64_t place) {
    const struct venue_order *order = &v->orders.pool[idx];
    uint8_t side = order->side;
    uint32_t cnt = d->rest_cnt[side], at = rest_at(d, side, order->price);
    struct venue_rest *rests = d->rests[side];
    assert(cnt < d->rest_max);
    while (at < cnt && rests[at].price == order->price &&
           before_it(v, d, &rests[at], place, order->seq)) {
        at++;
    }
    for (uint32_t i = cnt; i > at; i--) rests[i] = rests[i - 1];
    rests[at] =
        (struct venue_rest){ .price = order->price, .queue = queue, .place = place, .idx = idx };
    d->rest_cnt[side]++;
    edges(d, side);
}

/* rests tells whether the open order idx stands in the book. */
static bool rests_now(const struct venue *v, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    if (order->flags & VENUE_MORE) return v->orders.more[idx].stage == VENUE_RESTS;
    return order->type == ORDER_TYPE_LIMIT && !(order->flags & VENUE_EAGER);
}

/* leave takes the order idx, which rests, from the table. */
static void leave(struct venue *v, struct venue_depth *d, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    uint32_t at = rest_at(d, order->side, order->price);
    struct venue_rest *rests = d->rests[order->side];
    while (rests[at].idx != idx) at++;
    assert(at < d->rest_cnt[order->side]);
    uint32_t cnt = --d->rest_cnt[order->side];
    for (; at < cnt; at++) rests[at] = rests[at + 1];
    edges(d, order->side);
}

void venue_depth_leave(struct venue *v, struct venue_book *b, uint32_t idx) {
    if (rests_now(v, idx)) leave(v, depth_of(v, b), idx); /* else it waits */
}

/* join puts the order idx, which rests from now on, behind all that is shown at its price. */
static void join(struct venue *v, struct venue_depth *d, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    struct venue_queue queue = { 0 };
    if (d->queues != NULL) {
        rest_add(v, d, idx, queue, mk_queues_join(d->queues)); /* its place tells what is before */
        return;
    }
    venue_queue_join(&queue, mk_book_at(&d->book, order->side, order->price));
    rest_add(v, d, idx, queue, 0);
}

/* --- fills --------------------------------------------------------------------------------- */

/* oco_of returns the group of the open order idx, 0 = none. */
static uint64_t oco_of(const struct venue *v, uint32_t idx) {
    bool more = v->orders.pool[idx].flags & VENUE_MORE;
    return more ? v->orders.more[idx].terms.oco : 0;
}

/* parent_of returns the parent of the open order idx, 0 = none. */
static uint64_t parent_of(const struct venue *v, uint32_t idx) {
    bool more = v->orders.pool[idx].flags & VENUE_MORE;
    return more ? v->orders.more[idx].terms.parent : 0;
}

/* A fill, as what hangs on its order needs to know it. */
struct happened {
    uint64_t id, oco, parent; /* the order, its group, what it hangs on itself; 0 = none */
    qty_t quantity, filled;   /* of this fill, of all of them */
    price_t price;            /* where */
    uint8_t account;          /* whose */
    enum venue_fate fate;     /* of the order */
};

/* after ends and begins what hangs on an order that was filled. What begins is worked by
 * venue_depth_eager, once all that the row in hand meets is done. */
static void after(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                  const struct happened *h) {
    bool grows = venue_grows(v, b) && h->quantity > 0, filled = h->fate == VENUE_FATE_FILLED;
    if (grows || filled) {
        venue_joined(ctx, v, h->id, grows ? h->filled : INT64_MAX, h->price);
    }
    if (b->more_cnt == 0) return;
    if (grows) venue_path_part(ctx, v, b, h->account, h->id, h->parent, h->quantity);
    venue_path_after(ctx, v, b, h->account, h->id, h->oco, h->fate);
    if (grows || filled) venue_path_from(v, b, h->account, h->id, h->price);
}

/* fill trades quantity of the open order idx at price; touch (0 = none) is what a taker's slippage
 * is counted from. False when the order is gone. */
static bool fill(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 qty_t quantity, price_t price, uint8_t liquidity, price_t touch) {
    const struct venue_order *order = &v->orders.pool[idx];
    struct happened h = { .id = order->order_id,
                          .oco = oco_of(v, idx),
                          .parent = parent_of(v, idx),
                          .filled = v->orders.more[idx].filled,
                          .account = order->account };
    const bool all = quantity == venue_left(v, idx);
    struct venue_purse p = venue_purse_now(ctx, v, b, h.account);
    struct venue_deal deal;
    venue_locks_out(v, b, idx, &p);
    p.so_far = venue_charged(v, idx);
    venue_account_deal(&p, b, order, quantity, price, liquidity, &deal);
    if (deal.status == ORDER_STATUS_PARTIALLY_FILLED && all) {
        /* that a child has traded ends its parent: there is nothing left to wait for */
        deal.status = ORDER_STATUS_EXPIRED;
        deal.reason = REASON_LIST_PARENT;
    }
    if (touch != 0 && deal.quantity > 0) {
        deal.slippage = deal.price > touch ? deal.price - touch : touch - deal.price;
    }
    venue_purse_put(v, b, h.account, &p);
    bool stays = deal.status == ORDER_STATUS_PARTIALLY_FILLED;
    h.fate = deal.status == ORDER_STATUS_FILLED ? VENUE_FATE_FILLED
             : stays                            ? VENUE_FATE_FIRED
             : deal.quantity > 0                ? VENUE_FATE_CUT
                                                : VENUE_FATE_ENDED;
    h.quantity = deal.quantity;
    h.filled += deal.quantity;
    h.price = deal.price;
    if (b->last == 0 && deal.quantity > 0) b->last = deal.price; /* nobody else has traded yet */
    venue_tell(ctx, v, b, idx, &deal);
    after(ctx, v, b, &h);
    return stays;
}

/* end says that the rest of the open order idx ends as status for reason. */
static void end(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                uint8_t status, uint16_t reason) {
    struct venue_deal deal = { .status = status, .reason = reason };
    uint64_t id = v->orders.pool[idx].order_id;
    uint8_t account = v->orders.pool[idx].account;
    venue_tell(ctx, v, b, idx, &deal);
    venue_path_after(ctx, v, b, account, id, 0, VENUE_FATE_ENDED);
}

/* limit_of returns how far order may go, 0 = anywhere. */
static price_t limit_of(const struct venue_order *order) {
    return mk_order_limited(order->type) ? order->price : 0;
}

/* whole tells whether all of order idx can be had and paid at once: REASON_NONE, or why not. */
static uint16_t whole(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                      struct venue_depth *d, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    uint8_t side = other(order->side);
    struct venue_purse p = venue_purse_now(ctx, v, b, order->account);
    struct venue_order left = *order;
    struct mk_charged so_far = { 0 };
    p.so_far = &so_far;
    venue_locks_out(v, b, idx, &p);
    price_t price = mk_book_best(&d->book, side);
    while (price != 0 && within(order->side, limit_of(order), price)) {
        qty_t part = shown(d, b->instrument->lot_size, side, price);
        if (part > left.quantity) part = left.quantity;
        if (part > 0) {
            struct venue_deal deal;
            venue_account_deal(&p, b, &left, part, price, LIQUIDITY_TAKER, &deal);
            if (deal.status == ORDER_STATUS_FILLED) return REASON_NONE;
            if (deal.status != ORDER_STATUS_PARTIALLY_FILLED) return deal.reason;
            venue_account_charged(&so_far, &deal);
            left.quantity -= part;
        }
        price = mk_book_next(&d->book, side, price);
    }
    return REASON_NOT_FILLED_AT_ONCE;
}

/* rest lets what is left of the order idx, a limit that takes no more, rest. */
static void rest(struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &v->orders.pool[idx];
    if (order->flags & VENUE_MORE) {
        struct venue_more *m = &v->orders.more[idx];
        m->stage = VENUE_RESTS;
        m->extreme = m->terms.display < venue_left(v, idx) ? m->terms.display : 0;
    } else {
        venue_orders_calm(b, order);
    }
    join(v, depth_of(v, b), idx);
}

/* take lets the order idx take what it may of the book, which stands; what remains of it ends or
 * rests. False when the call has no room for more: it goes on in an event of its own. */
static bool take(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_depth *d = depth_of(v, b);
    struct venue_order *order = &v->orders.pool[idx];
    uint8_t side = other(order->side);
    price_t limit = limit_of(order), touch = mk_book_best(&d->book, side);
    uint16_t why = order->type == ORDER_TYPE_STOP && !(order->flags & VENUE_MORE)
                       ? venue_rules_trigger(b, order, NULL, touch)
                       : REASON_NONE;
    if (why != REASON_NONE) { /* a plain stop: it has just triggered */
        end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, why);
        return true;
    }
    if (order->terms & ORDER_TERMS_FOK) {
        uint16_t reason = whole(ctx, v, b, d, idx);
        if (reason != REASON_NONE) {
            end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, reason);
            return true;
        }
    }
    for (price_t price = touch; price != 0 && within(order->side, limit, price);
         price = mk_book_next(&d->book, side, price)) {
        qty_t part = shown(d, b->instrument->lot_size, side, price);
        if (part == 0) continue;
        if (order->terms & ORDER_TERMS_POST_ONLY) {
            end(ctx, v, b, idx, ORDER_STATUS_REJECTED, REASON_WOULD_MATCH);
            return true;
        }
        if (ctx->out_end - ctx->out < FILL_BYTES) {
            rt_timer_set(ctx, VENUE_TIMER_EAGER + (uint64_t)b->instrument->id, ctx->now_ns);
            return false;
        }
        if (part > venue_left(v, idx)) part = venue_left(v, idx);
        bool noted = taken_add(d, side, price, part); /* shown is 0 where there is no room */
        assert(noted);
        if (!fill(ctx, v, b, idx, part, price, LIQUIDITY_TAKER, touch)) return true;
    }
    if (limit == 0 || (order->terms & ORDER_TERMS_IOC)) {
        end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, REASON_NOT_FILLED_AT_ONCE);
    } else {
        rest(v, b, idx);
    }
    return true;
}

bool venue_depth_force(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       struct venue_worked *w) {
    struct venue_depth *d = depth_of(v, b);
    const qty_t lot = b->instrument->lot_size;
    uint8_t side = other(w->side);
    price_t price = mk_book_best(&d->book, side);
    for (; price != 0 && w->rest > 0 && within(w->side, w->limit, price);
         price = mk_book_next(&d->book, side, price)) {
        qty_t all = fixed_floor_to(mk_book_at(&d->book, side, price), lot);
        qty_t part = left_at(d, lot, side, price, all);
        if (part > w->rest) part = w->rest;
        if (part == 0) continue;
        if (ctx->out_end - ctx->out < FILL_BYTES) return false;
        bool noted = taken_add(d, side, price, part); /* nothing is left where there is no room */
        assert(noted);
        venue_backing_part(ctx, v, b, w, part, price);
    }
    return true;
}

/* fire lets the order idx, whose trigger is met at price, go on to take; its partners end. False
 * when it is refused and gone. */
static bool fire(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 price_t price) {
    const struct venue_order *order = &v->orders.pool[idx];
    v->orders.more[idx].stage = VENUE_FIRED;
    if (venue_grows(v, b)) {
        venue_path_part(ctx, v, b, order->account, order->order_id, parent_of(v, idx), 0);
    }
    venue_path_after(ctx, v, b, order->account, order->order_id, oco_of(v, idx), VENUE_FATE_FIRED);
    uint16_t why = venue_rules_trigger(b, order, &v->orders.more[idx].terms, price);
    bool closes = order->terms & ORDER_TERMS_CLOSE_POSITION;
    if (why == REASON_NONE && closes && !venue_close_all(ctx, v, b, idx)) why = REASON_REDUCE_ONLY;
    if (why == REASON_NONE) return true;
    end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, why);
    return false;
}

/* begin lets the order idx with further terms begin: a limit goes on to take, a trigger is compared
 * with the price where its parent was filled, if it has one. False when the order is gone. */
static bool begin(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    struct venue_more *m = &v->orders.more[idx];
    price_t from = m->extreme;
    m->extreme = 0;
    if (!mk_order_waits(order->type)) {
        m->stage = VENUE_FIRED;
        return true;
    }
    m->stage = VENUE_ARMED;
    if (from != 0 && venue_by_mark(b, &m->terms)) from = b->mark;
    if (from == 0 || !venue_path_touch(b, order, &m->terms, &m->extreme, from)) return true;
    return fire(ctx, v, b, idx, from);
}

/* act works the eager order idx; false when the call has no room for more. */
static bool act(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    if (v->orders.pool[idx].flags & VENUE_MORE) {
        bool fresh = v->orders.more[idx].stage == VENUE_FRESH;
        if (fresh && !begin(ctx, v, b, idx)) return true;
        if (v->orders.more[idx].stage != VENUE_FIRED) return true;
    }
    return !stands(depth_of(v, b)) || take(ctx, v, b, idx);
}

/* due tells whether there is something to do for the open order idx without any further row. */
static bool due(const struct venue *v, uint32_t idx, bool standing) {
    const struct venue_order *order = &v->orders.pool[idx];
    uint8_t stage = v->orders.more[idx].stage;
    if (!(order->flags & VENUE_EAGER)) return false;
    if (!(order->flags & VENUE_MORE)) return standing;
    return stage == VENUE_FRESH || (stage == VENUE_FIRED && standing);
}

void venue_depth_eager(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    bool standing = stands(depth_of(v, b)), lists = b->more_cnt > 0;
    uint32_t cnt;
    if (b->eager_cnt == 0 || (!standing && !lists)) return;
    do { /* what is filled sets free what is worked next */
        cnt = 0;
        for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
            const struct venue_order *order = &v->orders.pool[i];
            if (!due(v, i, standing)) continue;
            v->picks[cnt++] = (struct venue_pick){ .rank = (int64_t)order->seq,
                                                   .order_id = order->order_id,
                                                   .idx = i };
        }
        venue_pick_sort(v->picks, cnt);
        for (uint32_t i = 0; i < cnt; i++) {
            uint32_t idx = v->picks[i].idx;
            if (lists && venue_orders_find(&v->orders, v->picks[i].order_id) != idx) continue;
            if (!act(ctx, v, b, idx)) return;
        }
    } while (lists && cnt > 0);
}

void venue_depth_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    bool room = !(v->orders.pool[idx].flags & VENUE_EAGER) || act(ctx, v, b, idx);
    if (room && b->more_cnt > 0) venue_depth_eager(ctx, v, b);
}

/* --- what the recording says --------------------------------------------------------------- */

/* part_of returns how much of the order at rest may be filled at once. */
static qty_t part_of(const struct venue *v, const struct venue_rest *rest) {
    qty_t all = venue_left(v, rest->idx);
    if (!(v->orders.pool[rest->idx].flags & VENUE_MORE)) return all;
    qty_t shows = v->orders.more[rest->idx].extreme;
    return shows > 0 && shows < all ? shows : all;
}

/* next_part lets the order idx, of whose shown part so much was filled, show its next one where
 * that is used up: behind all that rests at its price. */
static void next_part(struct venue *v, struct venue_depth *d, uint32_t idx, qty_t part) {
    struct venue_more *m = &v->orders.more[idx];
    const qty_t left = venue_left(v, idx);
    if (!(v->orders.pool[idx].flags & VENUE_MORE) || m->extreme == 0) return;
    m->extreme -= part;
    if (m->extreme > 0) return;
    m->extreme = m->terms.display < left ? m->terms.display : left;
    leave(v, d, idx);
    join(v, d, idx);
}

/* crossed fills what rests on side at the limit's price where the other side's best has come to it
 * or beyond. With a cap, no more than its share of what is shown there; order by order no more than
 * the orders that have come. */
static void crossed(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t side) {
    struct venue_depth *d = depth_of(v, b);
    qty_t lot = b->instrument->lot_size;
    price_t best = mk_book_best(&d->book, other(side));
    while (d->rest_cnt[side] > 0 && within(side, d->rests[side][0].price, best)) {
        const struct venue_rest *rest = &d->rests[side][0];
        const uint32_t idx = rest->idx;
        const uint64_t id = v->orders.pool[idx].order_id;
        qty_t left = d->queues != NULL ? part_of(v, rest) : venue_left(v, idx), got = 0;
        price_t price = best;
        for (; price != 0 && within(side, rest->price, price) && got < left;
             price = mk_book_next(&d->book, other(side), price)) {
            qty_t part = shown(d, lot, other(side), price);
            if (part > left - got) part = left - got;
            if (part > 0 && taken_add(d, other(side), price, part)) got += part;
        }
        if (d->share == 0 && d->queues == NULL) got = left;
        if (got == 0) return;
        if (!fill(ctx, v, b, idx, got, rest->price, LIQUIDITY_MAKER, 0)) continue;
        if (d->queues == NULL) return;
        if (venue_orders_find(&v->orders, id) == idx) next_part(v, d, idx, got);
        if (got < left) return;
    }
}

/* triggered lets go on what a price triggers: buys look at rise, sales at fall, 0 = none. True when
 * there is any. */
static bool triggered(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, price_t rise,
                      price_t fall) {
    uint32_t cnt = 0;
    bool any = false;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        struct venue_order *order = &v->orders.pool[i];
        price_t price = order->side == SIDE_BUY ? rise : fall;
        if (price == 0) continue;
        if (order->flags & VENUE_MORE) {
            struct venue_more *m = &v->orders.more[i];
            if (m->stage != VENUE_ARMED || venue_by_mark(b, &m->terms)) continue;
            if (!venue_path_touch(b, order, &m->terms, &m->extreme, price)) continue;
            v->picks[cnt++] = (struct venue_pick){
                .rank = (int64_t)order->seq, .order_id = order->order_id, .price = price, .idx = i
            };
        } else if (order->type == ORDER_TYPE_STOP && !(order->flags & VENUE_EAGER)) {
            if (order->side == SIDE_BUY ? price < order->price : price > order->price) continue;
            venue_orders_wake(b, order);
            any = true;
        }
    }
    venue_pick_sort(v->picks, cnt);
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t idx = v->picks[i].idx;
        if (venue_orders_find(&v->orders, v->picks[i].order_id) != idx) continue; /* a partner's */
        (void)fire(ctx, v, b, idx, v->picks[i].price);
    }
    return any || cnt > 0;
}

void venue_depth_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        struct venue_more *m = &v->orders.more[i];
        price_t at[4];
        if (!(order->flags & VENUE_MORE) || m->stage != VENUE_ARMED) continue;
        if (!venue_by_mark(b, &m->terms)) continue;
        bool met = false;
        uint32_t prices = venue_mark_path(b, order->side, order->from_ns, at);
        for (uint32_t k = 0; k < prices && !met; k++) {
            met = venue_path_touch(b, order, &m->terms, &m->extreme, at[k]);
        }
        if (!met) continue;
        v->picks[cnt++] = (struct venue_pick){
            .rank = (int64_t)order->seq, .order_id = order->order_id, .price = b->mark, .idx = i
        };
    }
    venue_pick_sort(v->picks, cnt);
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t idx = v->picks[i].idx;
        if (venue_orders_find(&v->orders, v->picks[i].order_id) != idx) continue; /* a partner's */
        (void)fire(ctx, v, b, idx, v->picks[i].price);
    }
    if (cnt > 0) venue_depth_eager(ctx, v, b);
}

/* settle works what the update that is whole now brings. */
static void settle(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, bool snapshot) {
    struct venue_depth *d = depth_of(v, b);
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        price_t best = mk_book_best(&d->book, other(side));
        if (snapshot && d->queues == NULL) { /* what left meanwhile, and from where, nobody knows:
                                              * from behind us */
            for (uint32_t i = 0; i < d->rest_cnt[side]; i++) {
                struct venue_rest *rest = &d->rests[side][i];
                qty_t now = mk_book_at(&d->book, side, rest->price);
                rest->queue.printed = 0;
                if (rest->queue.ahead > now) rest->queue.ahead = now;
            }
        }
        if (d->rest_cnt[side] == 0 || best == 0) continue;
        if (within(side, d->rests[side][0].price, best)) crossed(ctx, v, b, side);
    }
    if (d->trades == VENUE_NO_SERIES && d->queues == NULL) { /* the touch tells what prices there
                                                              * are */
        (void)triggered(ctx, v, b, mk_book_best(&d->book, SIDE_SELL),
                        mk_book_best(&d->book, SIDE_BUY));
    }
    venue_depth_eager(ctx, v, b);
}

/* on_delta takes a row of the book. */
static inline void on_delta(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                            struct venue_depth *d, const struct msg_book_delta *row) {
    bool near = row->side <= SIDE_SELL && row->price >= d->edge[row->side][0] &&
                row->price <= d->edge[row->side][1];
    bool filling = d->book.filling || row->flags & BOOK_FLAGS_SNAPSHOT;
    if (d->taken_cnt != 0) {
        struct venue_taken *t = taken_find(d, row->side, row->price);
        if (t != NULL) *t = d->taken[--d->taken_cnt];
        if (filling) d->taken_cnt = 0;
    }
    venue_delay_row(&b->delay, row->delay_us);
    enum mk_book_step step = mk_book_apply(&d->book, row);
    if (near && !filling && step != MK_BOOK_STALE) {
        uint32_t cnt = d->rest_cnt[row->side];
        for (uint32_t i = rest_at(d, row->side, row->price); i < cnt; i++) {
            struct venue_rest *rest = &d->rests[row->side][i];
            if (rest->price != row->price) break;
            venue_queue_level(&d->model, &rest->queue, d->book.before, row->quantity);
        }
    }
    if (step != MK_BOOK_WHOLE) return;
    if (b->open_cnt > 0) settle(ctx, v, b, filling);
}

/* reached returns how much of the order at rest a trade of quantity at its price fills, mine of
 * which has filled others of ours. */
static qty_t reached_by(const struct venue *v, struct venue_rest *rest, qty_t quantity, qty_t mine,
                        qty_t lot) {
    qty_t part = venue_left(v, rest->idx);
    qty_t reached = fixed_floor_to(venue_queue_print(&rest->queue, quantity, mine), lot);
    if (v->orders.pool[rest->idx].flags & VENUE_MORE) {
        qty_t shows = v->orders.more[rest->idx].extreme;
        if (shows > 0 && part > shows) part = shows;
    }
    return part < reached ? part : reached;
}

/* shows_more lets the order that rests at place at of its side, of which part was filled by
 * a trade at its price, show its next part where the one shown is used up: behind what is shown
 * there, less what has traded there since. */
static void shows_more(struct venue *v, struct venue_depth *d, uint8_t side, uint32_t at,
                       qty_t part) {
    struct venue_rest *rest = &d->rests[side][at];
    const qty_t left = venue_left(v, rest->idx);
    struct venue_more *m = &v->orders.more[rest->idx];
    if (!(v->orders.pool[rest->idx].flags & VENUE_MORE) || m->extreme == 0) return;
    m->extreme -= part;
    if (m->extreme > 0) return;
    qty_t shown_there = mk_book_at(&d->book, side, rest->price), printed = rest->queue.printed;
    m->extreme = m->terms.display < left ? m->terms.display : left;
    rest->queue.ahead = shown_there > printed ? shown_there - printed : 0;
}

/* after_rest returns the first place in the table of side behind price and arrival of the order
 * that was at work. */
static uint32_t after_rest(const struct venue *v, const struct venue_depth *d, uint8_t side,
                           price_t price, uint64_t arrival) {
    uint32_t at = rest_at(d, side, price), cnt = d->rest_cnt[side];
    while (at < cnt && d->rests[side][at].price == price &&
           v->orders.pool[d->rests[side][at].idx].seq <= arrival) {
        at++;
    }
    return at;
}

/* printed fills what rests on side and a trade meets: beyond its price whole, at its price as far
 * as the trade reaches it. */
static void printed(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t side,
                    const struct msg_trade *trade) {
    struct venue_depth *d = depth_of(v, b);
    qty_t lot = b->instrument->lot_size, mine = 0;
    qty_t room = d->share == 0 ? INT64_MAX : share_of(d, lot, trade->quantity);
    for (uint32_t i = 0; i < d->rest_cnt[side];) {
        struct venue_rest *rest = &d->rests[side][i];
        uint64_t arrival = v->orders.pool[rest->idx].seq;
        price_t price = rest->price;
        bool at = price == trade->price;
        if (!within(side, price, trade->price)) return;
        if (at && trade->aggressor == side) return;
        qty_t part =
            at ? reached_by(v, rest, trade->quantity, mine, lot) : venue_left(v, rest->idx);
        if (part > room) part = room;
        if (part == 0) {
            i++;
            continue;
        }
        room -= part;
        mine = part > INT64_MAX - mine ? INT64_MAX : mine + part;
        bool lists = b->more_cnt > 0;
        bool stays = fill(ctx, v, b, rest->idx, part, price, LIQUIDITY_MAKER, 0);
        i = lists ? after_rest(v, d, side, price, arrival) : i + stays;
        if (lists && stays && at) shows_more(v, d, side, i - 1, part);
    }
}

/* on_trade takes a trade. */
static inline void on_trade(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                            struct venue_depth *d, const struct msg_trade *trade) {
    bool lists = b->more_cnt > 0;
    if (!lists) {
        if (b->open_cnt == b->eager_cnt) return;
        if (b->stale) venue_orders_bounds(&v->orders, b);
        if (b->lower_max < trade->price && b->upper_min > trade->price) return;
    }
    if (stands(d)) {
        printed(ctx, v, b, SIDE_BUY, trade);
        printed(ctx, v, b, SIDE_SELL, trade);
    }
    bool any = triggered(ctx, v, b, trade->price, trade->price);
    if (any || lists) venue_depth_eager(ctx, v, b);
}

/* --- order by order ------------------------------------------------------------------------ */

/* behind returns the first place in the table of side behind price and place. */
static uint32_t behind(const struct venue_depth *d, uint8_t side, price_t price, uint64_t place) {
    uint32_t at = rest_at(d, side, price);
    while (at < d->rest_cnt[side] && d->rests[side][at].price == price &&
           d->rests[side][at].place <= place) {
        at++;
    }
    return at;
}

/* met fills what rests on side and a taker of room lots had met before it traded at price: what is
 * beyond that price and, at it, what has a place before the one that was traded with, or (hidden)
 * has nobody shown before it. Returns what is left of room. */
static qty_t met(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t side,
                 price_t price, uint64_t place, bool hidden, qty_t room) {
    struct venue_depth *d = depth_of(v, b);
    for (uint32_t i = 0; i < d->rest_cnt[side] && room > 0;) {
        const struct venue_rest *rest = &d->rests[side][i];
        const price_t at = rest->price;
        const uint64_t mine = rest->place;
        if (!within(side, at, price)) break;
        if (at == price && !hidden && mine > place) break;
        if (at == price && hidden && mk_queues_before(d->queues, side, at, mine) > 0) break;
        const uint32_t idx = rest->idx;
        const uint64_t id = v->orders.pool[idx].order_id;
        qty_t part = part_of(v, rest);
        if (part > room) part = room;
        room -= part;
        if (part > 0 && fill(ctx, v, b, idx, part, at, LIQUIDITY_MAKER, 0) &&
            venue_orders_find(&v->orders, id) == idx) {
            next_part(v, d, idx, part);
        }
        i = behind(d, side, at, mine);
    }
    return room;
}

/* traded works what a row that is a trade says. was: the order of others it was with. True when it
 * triggers anything. */
static bool traded(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, struct venue_depth *d,
                   const struct msg_book_order *row, const struct mk_queued *was) {
    const uint8_t side = was->id != 0 ? was->side : row->side;
    const price_t price = was->id != 0 ? was->price : row->price;
    b->last = row->price != 0 ? row->price : price;
    if (b->term != NULL) venue_term_price(b, row->time_ns, b->last, false);
    if (b->average != NULL) {
        venue_average_trade(b->average, row->time_ns, b->last, row->quantity);
    }
    if (b->open_cnt == 0) return false;
    if (stands(d) && row->action != BOOK_ACTION_CROSS && side <= SIDE_SELL) {
        const bool hidden = row->action == BOOK_ACTION_HIDDEN;
        qty_t room = share_of(d, b->instrument->lot_size, row->quantity);
        room = met(ctx, v, b, side, price, was->place, hidden, room);
        if (hidden) { /* who was not seen would have met what stood beyond his price, too */
            price_t beyond = side == SIDE_BUY ? price - 1 : price + 1;
            (void)met(ctx, v, b, other(side), beyond, UINT64_MAX, false, room);
        }
    }
    return triggered(ctx, v, b, b->last, b->last);
}

/* level_take tells the book that so much more or less rests at a level. */
static enum mk_book_step level_take(struct venue_depth *d, const struct msg_book_order *row,
                                    const struct mk_queue_change *c, uint8_t flags) {
    struct msg_book_delta delta = { .time_ns = row->time_ns,
                                    .instrument = row->instrument,
                                    .flags = flags };
    if (c != NULL) {
        delta.price = c->price;
        delta.side = (uint8_t)c->side;
        delta.quantity = mk_book_at(&d->book, delta.side, c->price);
        if (__builtin_add_overflow(delta.quantity, c->change, &delta.quantity)) {
            delta.quantity = INT64_MAX;
        }
        if (delta.quantity < 0) delta.quantity = 0; /* the book had forgotten the level */
    }
    return mk_book_apply(&d->book, &delta);
}

/* refill makes the book of the orders that rest: a snapshot is whole with row. */
static enum mk_book_step refill(struct venue_depth *d, const struct msg_book_order *row) {
    const struct mk_queues *q = d->queues;
    if (!d->book.filling) {
        (void)level_take(d, row, NULL, BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT);
    }
    for (uint32_t i = q->oldest; i != MK_QUEUES_NONE; i = q->orders[i].newer) {
        const struct mk_queued *o = &q->orders[i];
        const struct mk_queue_change c = { o->price, o->quantity, o->side };
        (void)level_take(d, row, &c, BOOK_FLAGS_SNAPSHOT);
    }
    return level_take(d, row, NULL, BOOK_FLAGS_LAST | BOOK_FLAGS_SNAPSHOT);
}

/* levels_take tells the book what row has changed. Rows of a snapshot are told when it is whole. */
static enum mk_book_step levels_take(struct venue_depth *d, const struct msg_book_order *row,
                                     const struct mk_queue_step *s) {
    const uint8_t first = row->flags & (BOOK_FLAGS_FIRST | BOOK_FLAGS_GAP | BOOK_FLAGS_SNAPSHOT);
    const uint8_t last = row->flags & BOOK_FLAGS_LAST;
    if (row->flags & BOOK_FLAGS_GAP) return level_take(d, row, NULL, first | last);
    if (d->book.filling || row->flags & BOOK_FLAGS_SNAPSHOT) {
        if (last) return refill(d, row);
        return row->flags & BOOK_FLAGS_FIRST ? level_take(d, row, NULL, first) : MK_BOOK_STALE;
    }
    if (s->change_cnt == 0) return level_take(d, row, NULL, first | last);
    enum mk_book_step step = MK_BOOK_PART;
    for (uint32_t i = 0; i < s->change_cnt; i++) {
        step = level_take(d, row, &s->change[i],
                          (i == 0 ? first : 0) | (i + 1 == s->change_cnt ? last : 0));
    }
    return step;
}

/* on_order takes a row of a book that is recorded order by order. */
static void on_order(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     struct venue_depth *d, const struct msg_book_order *row) {
    struct mk_queue_step s;
    bool any = b->more_cnt > 0;
    venue_delay_row(&b->delay, row->delay_us);
    mk_queues_apply(d->queues, row, &s);
    d->full += s.full;
    enum mk_book_step step = levels_take(d, row, &s);
    switch (row->action) {
    case BOOK_ACTION_HALT: d->halted = true; break;
    case BOOK_ACTION_RESUME: d->halted = false; break;
    case BOOK_ACTION_EXECUTE:
    case BOOK_ACTION_HIDDEN:
    case BOOK_ACTION_CROSS:
        if (row->quantity > 0 && traded(ctx, v, b, d, row, &s.was)) any = true;
        break;
    default: break;
    }
    if (b->open_cnt == 0) return;
    if (step == MK_BOOK_WHOLE && stands(d)) {
        settle(ctx, v, b, false);
    } else if (any) {
        venue_depth_eager(ctx, v, b);
    }
}

/* --- series -------------------------------------------------------------------------------- */

/* watch notes that an update has come, and arms the timer of silence. It comes before rows of its
 * instant, so it is due just after the last at which an update may come. */
static void watch(struct rt_ctx *ctx, const struct venue_book *b, struct venue_depth *d) {
    d->silent = false;
    if (d->watched) return;
    d->watched = true;
    rt_timer_set(ctx, VENUE_TIMER_SILENT + b->instrument->id, ctx->now_ns + d->stale_ns + 1);
}

void venue_depth_silent(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    struct venue_depth *d = depth_of(v, b);
    d->silent = ctx->now_ns > d->book.time_ns + d->stale_ns;
    d->watched = !d->silent;
    d->silences += d->silent;
    if (d->silent) return;
    rt_timer_set(ctx, VENUE_TIMER_SILENT + b->instrument->id, d->book.time_ns + d->stale_ns + 1);
}

uint32_t venue_depth_run(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint16_t series,
                         const void *rows, uint32_t cnt) {
    struct venue_depth *d = depth_of(v, b);
    const uint8_t *before = ctx->out;
    const bool trades = series == d->trades, by_order = d->queues != NULL;
    const struct msg_book_delta *delta = rows;
    const struct msg_trade *trade = rows;
    const struct msg_book_order *order = rows;
    if (d->stale_ns != 0 && !trades) watch(ctx, b, d);
    for (uint32_t i = 0;;) {
        if (b->flight_head != VENUE_NONE) venue_land(ctx, v, b);
        if (by_order) {
            on_order(ctx, v, b, d, &order[i]);
            if (b->backed_cnt > 0) venue_backing_sweep(ctx, v, b, b->mark > 0 ? b->mark : b->last);
        } else if (trades) {
            b->last = trade[i].price;
            if (b->term != NULL) venue_term_price(b, trade[i].time_ns, trade[i].price, false);
            if (b->average != NULL) {
                venue_average_trade(b->average, trade[i].time_ns, trade[i].price,
                                    trade[i].quantity);
            }
            venue_delay_row(&b->delay, trade[i].delay_us);
            on_trade(ctx, v, b, d, &trade[i]);
            if (b->backed_cnt > 0) venue_backing_sweep(ctx, v, b, b->mark > 0 ? b->mark : b->last);
        } else {
            on_delta(ctx, v, b, d, &delta[i]);
        }
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        rt_row_now(ctx, by_order ? order[i].time_ns : trades ? trade[i].time_ns : delta[i].time_ns);
    }
}

/* --- snapshots of state -------------------------------------------------------------------- */

/* Figures beside the book's own, and keys. */
enum {
    FIGURE_HEARD = MK_BOOK_FIGURES - 1,  /* interests raised */
    FIGURE_SILENT = MK_BOOK_FIGURES - 2, /* silent 1, watched 2, silences from 4 on */
    FIGURE_PLACE = MK_BOOK_FIGURES - 3,  /* order by order: newest place given */
    FIGURE_FULL = MK_BOOK_FIGURES - 4,   /* order by order: halted 1, full from 2 on */
    KEY_TAKEN = 1 << 24,                 /* keys of notes of what was taken, behind the levels' */
};

/* orders_save writes the orders of others, each under its place. */
static void orders_save(const struct venue_depth *d, uint16_t id, uint64_t base,
                        struct rt_row_sink *sink) {
    const struct mk_queues *q = d->queues;
    struct msg_counter_row place = { .value = (int64_t)q->place, .id = base + FIGURE_PLACE };
    struct msg_counter_row full = { .value = (int64_t)(d->full << 1 | d->halted),
                                    .id = base + FIGURE_FULL };
    sink->put(sink, MSG_COUNTER_ROW, place.id, &place, sizeof place);
    sink->put(sink, MSG_COUNTER_ROW, full.id, &full, sizeof full);
    for (uint32_t i = q->oldest; i != MK_QUEUES_NONE; i = q->orders[i].newer) {
        const struct mk_queued *o = &q->orders[i];
        struct msg_book_order_row row = { .order_id = o->id,
                                          .place = o->place,
                                          .price = o->price,
                                          .quantity = o->quantity,
                                          .taken = o->taken,
                                          .instrument = id,
                                          .side = o->side };
        sink->put(sink, MSG_BOOK_ORDER_ROW, (uint64_t)id << 48 | o->place, &row, sizeof row);
    }
}

void venue_depth_save(const struct venue *v, const struct venue_book *b, struct rt_row_sink *sink) {
    const struct venue_depth *d = depth_of(v, b);
    uint16_t id = b->instrument->id;
    uint64_t base = VENUE_COUNTER_DEPTH + (uint64_t)id * MK_BOOK_FIGURES;
    uint64_t key = (uint64_t)id << 32;
    struct msg_counter_row heard = { .value = b->heard, .id = base + FIGURE_HEARD };
    sink->put(sink, MSG_COUNTER_ROW, heard.id, &heard, sizeof heard);
    if (d->stale_ns != 0) {
        uint64_t state = (uint64_t)d->silent | (uint64_t)d->watched << 1 | d->silences << 2;
        struct msg_counter_row row = { .value = (int64_t)state, .id = base + FIGURE_SILENT };
        sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
    }
    mk_book_rows_save(&d->book, id, base, key, sink);
    if (d->queues != NULL) orders_save(d, id, base, sink);
    for (uint32_t i = 0; i < d->taken_cnt; i++) {
        struct msg_book_level_row row = { .price = d->taken[i].price,
                                          .taken = d->taken[i].quantity,
                                          .instrument = id,
                                          .side = (uint8_t)d->taken[i].side };
        sink->put(sink, MSG_BOOK_LEVEL_ROW, key + KEY_TAKEN + i, &row, sizeof row);
    }
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t i = 0; i < d->rest_cnt[side]; i++) {
            const struct venue_rest *rest = &d->rests[side][i];
            const struct venue_order *order = &v->orders.pool[rest->idx];
            struct msg_queue_row row = { .order_id = order->order_id,
                                         .ahead = rest->queue.ahead,
                                         .printed = d->queues == NULL ? rest->queue.printed
                                                                      : (qty_t)rest->place };
            sink->put(sink, MSG_QUEUE_ROW, order->seq, &row, sizeof row);
        }
    }
}

bool venue_depth_counter(struct venue *v, struct venue_book *b, uint32_t figure, int64_t value) {
    if (figure == FIGURE_HEARD) {
        b->heard = (uint8_t)value; /* interests come back by themselves */
        return true;
    }
    if (figure == FIGURE_SILENT) {
        struct venue_depth *d = depth_of(v, b);
        d->silent = value & 1;
        d->watched = value & 2;
        d->silences = (uint64_t)value >> 2;
        return true;
    }
    struct venue_depth *d = depth_of(v, b);
    if (figure == FIGURE_PLACE && d->queues != NULL) {
        d->queues->place = (uint64_t)value;
        return true;
    }
    if (figure == FIGURE_FULL && d->queues != NULL) {
        d->halted = value & 1;
        d->full = (uint64_t)value >> 1;
        return true;
    }
    return mk_book_rows_figure(&d->book, figure, value);
}

bool venue_depth_order(struct venue_depth *d, const struct msg_book_order_row *row) {
    const struct mk_queued o = { .id = row->order_id,
                                 .place = row->place,
                                 .price = row->price,
                                 .quantity = row->quantity,
                                 .taken = row->taken,
                                 .side = row->side };
    return d->queues != NULL && mk_queues_put(d->queues, &o);
}

bool venue_depth_level(struct venue_depth *d, const struct msg_book_level_row *row) {
    if (row->taken == 0) return mk_book_rows_level(&d->book, row);
    return row->side <= SIDE_SELL && row->quantity == 0 && row->price > 0 && row->taken > 0 &&
           taken_add(d, row->side, row->price, row->taken);
}

bool venue_depth_rest(struct venue *v, struct venue_book *b, uint32_t idx,
                      const struct msg_queue_row *row) {
    const struct venue_order *order = &v->orders.pool[idx];
    struct venue_depth *d = depth_of(v, b);
    bool more = order->flags & VENUE_MORE; /* where it is comes later */
    if (more ? !mk_order_limited(order->type)
             : order->type != ORDER_TYPE_LIMIT || (order->flags & VENUE_EAGER)) {
        return false;
    }
    if (row->ahead < 0 || row->printed < 0 || d->rest_cnt[order->side] == d->rest_max) return false;
    const bool by_order = d->queues != NULL;
    rest_add(v, d, idx,
             (struct venue_queue){ .ahead = row->ahead, .printed = by_order ? 0 : row->printed },
             by_order ? (uint64_t)row->printed : 0);
    return true;
}
