#include "actors/venue/prints.h"
#include "actors/venue/average.h"
#include "actors/venue/path.h"
#include "actors/venue/span.h"
#include "actors/venue/term.h"
#include <assert.h>

/* meets_trade tells whether a trade at price meets the order idx, and fills pick if so. A stop it
 * touches is triggered: the next trade meets it. */
static bool meets_trade(struct venue_book *b, struct venue_order *order, uint32_t idx,
                        price_t price, struct venue_pick *pick) {
    bool eager = order->flags & VENUE_EAGER, lower = venue_order_lower(order);
    int64_t past = lower ? order->price - price : price - order->price;
    *pick = (struct venue_pick){ .order_id = order->order_id,
                                 .price = price,
                                 .quantity = order->quantity,
                                 .idx = idx,
                                 .account = order->account,
                                 .after = order->type != ORDER_TYPE_STOP,
                                 .act = VENUE_TRADE,
                                 .liquidity = LIQUIDITY_TAKER };
    switch (order->type) {
    case ORDER_TYPE_MARKET: return true;
    case ORDER_TYPE_STOP:
        if (eager) return true;
        if (past >= 0) venue_orders_wake(b, order); /* triggered */
        return false;
    default: break;
    }
    if (past <= 0) {
        pick->act = VENUE_MISSED;
        return eager; /* ioc, fok */
    }
    pick->price = order->price;
    if (!eager) pick->liquidity = LIQUIDITY_MAKER;
    return true;
}

/* meets_more does the same for the order idx that has further terms: by its stage. */
static bool meets_more(struct venue *v, const struct venue_book *b, uint32_t idx, price_t price,
                       struct venue_pick *pick) {
    const struct venue_order *order = &v->orders.pool[idx];
    struct venue_more *more = &v->orders.more[idx];
    int64_t past = order->side == SIDE_BUY ? order->price - price : price - order->price;
    *pick =
        (struct venue_pick){ .order_id = order->order_id,
                             .price = price,
                             .quantity = order->quantity - more->waits,
                             .idx = idx,
                             .account = order->account,
                             .after = more->stage == VENUE_RESTS || !mk_order_waits(order->type),
                             .act = VENUE_TRADE,
                             .liquidity = LIQUIDITY_TAKER };
    switch (more->stage) {
    case VENUE_ARMED:
        if (venue_by_mark(b, &more->terms)) return false;
        pick->act = VENUE_FIRE;
        return venue_path_touch(b, order, &more->terms, &more->extreme, price);
    case VENUE_FIRED:
        if (!mk_order_limited(order->type)) return true;
        pick->price = order->price;
        if (past <= 0) pick->act = VENUE_MISSED;
        return true; /* ioc, fok */
    case VENUE_RESTS:
        pick->price = order->price;
        pick->liquidity = LIQUIDITY_MAKER;
        return past > 0;
    default: return false;
    }
}

/* trade_each trades what pick may trade of an order with further terms, out of its account's purse;
 * false: nothing, it waits for the next trade. */
static bool trade_each(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       const struct venue_pick *pick, struct venue_deal *deal) {
    const struct venue_order *order = &v->orders.pool[pick->idx];
    qty_t waits = order->flags & VENUE_MORE ? v->orders.more[pick->idx].waits : 0;
    qty_t open = order->quantity - waits, most = open;
    bool trades = pick->act == VENUE_TRADE,
         once = order->terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK);
    if (trades && b->share > 0 && b->room < most) most = b->room;
    struct venue_pick part = *pick;
    part.quantity = most;
    if (most < open && once && (most == 0 || order->terms & ORDER_TERMS_FOK)) {
        part.act = VENUE_MISSED;
    } else if (most == 0) {
        return false;
    }
    struct venue_purse p = venue_purse_now(ctx, v, b, pick->account);
    venue_work(v, b, &p, &part, 1, deal);
    venue_purse_put(v, b, pick->account, &p);
    if (b->share > 0) b->room -= deal->quantity;
    if (deal->status == ORDER_STATUS_PARTIALLY_FILLED && (once || most == open)) {
        /* that a child has traded ends its parent: there is nothing left to wait for */
        deal->status = ORDER_STATUS_EXPIRED;
        deal->reason = once ? REASON_NOT_FILLED_AT_ONCE : REASON_LIST_PARENT;
    }
    return true;
}

/* work_each works cnt sorted picks where one may end others: each by itself. */
static void work_each(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t cnt) {
    for (uint32_t i = 0; i < cnt; i++) {
        const struct venue_pick *pick = &v->picks[i];
        const struct venue_order *order = &v->orders.pool[pick->idx];
        struct venue_more *more = &v->orders.more[pick->idx];
        if (venue_orders_find(&v->orders, pick->order_id) != pick->idx) continue; /* ended by one */
        uint64_t oco = order->flags & VENUE_MORE ? more->terms.oco : 0;
        uint64_t parent = order->flags & VENUE_MORE ? more->terms.parent : 0;
        if (pick->act == VENUE_FIRE) {
            bool once = order->terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK);
            more->stage = mk_order_limited(order->type) && !once ? VENUE_RESTS : VENUE_FIRED;
            venue_path_part(ctx, v, b, pick->account, pick->order_id, parent, 0);
            venue_path_after(ctx, v, b, pick->account, pick->order_id, oco, VENUE_FATE_FIRED);
            struct venue_deal refused = {
                .status = ORDER_STATUS_EXPIRED,
                .reason = venue_rules_trigger(b, order, &more->terms, pick->price),
            };
            bool closes = order->terms & ORDER_TERMS_CLOSE_POSITION;
            if (refused.reason == REASON_NONE && closes && !venue_close_all(ctx, v, b, pick->idx)) {
                refused.reason = REASON_REDUCE_ONLY;
            }
            if (refused.reason == REASON_NONE) continue;
            venue_tell(ctx, v, b, pick->idx, &refused);
            venue_path_after(ctx, v, b, pick->account, pick->order_id, 0, VENUE_FATE_ENDED);
            continue;
        }
        struct venue_deal *deal = v->deals[0];
        if (!trade_each(ctx, v, b, pick, deal)) continue;
        enum venue_fate fate = deal->status == ORDER_STATUS_FILLED             ? VENUE_FATE_FILLED
                               : deal->status == ORDER_STATUS_PARTIALLY_FILLED ? VENUE_FATE_FIRED
                               : deal->quantity > 0                            ? VENUE_FATE_CUT
                                                                               : VENUE_FATE_ENDED;
        venue_tell(ctx, v, b, pick->idx, deal);
        if (deal->quantity > 0) {
            qty_t part = venue_grows(v, b) ? deal->quantity : 0;
            venue_path_part(ctx, v, b, pick->account, pick->order_id, parent, part);
        }
        venue_path_after(ctx, v, b, pick->account, pick->order_id, oco, fate);
    }
}

void venue_prints_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        struct venue_more *more = &v->orders.more[i];
        price_t at[4];
        if (!(order->flags & VENUE_MORE) || more->stage != VENUE_ARMED) continue;
        if (!venue_by_mark(b, &more->terms)) continue;
        bool met = false;
        uint32_t prices = venue_mark_path(b, order->side, order->from_ns, at);
        for (uint32_t k = 0; k < prices && !met; k++) {
            met = venue_path_touch(b, order, &more->terms, &more->extreme, at[k]);
        }
        if (!met) continue;
        v->picks[cnt++] = (struct venue_pick){ .order_id = order->order_id,
                                               .price = b->mark,
                                               .idx = i,
                                               .account = order->account,
                                               .act = VENUE_FIRE };
    }
    venue_pick_sort(v->picks, cnt);
    work_each(ctx, v, b, cnt);
}

/* work_trade works what a trade meets. */
static void work_trade(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       const struct msg_trade *trade) {
    price_t price = trade->price;
    if (b->share > 0) {
        bool fits = fixed_mul(trade->quantity, b->share, FIXED_DOWN, &b->room);
        assert(fits); /* a share is at most 1 */
        b->room = fixed_floor_to(b->room, b->instrument->lot_size);
    }
    venue_orders_bounds(&v->orders, b);
    if (b->eager_cnt == 0 && b->lower_max < price && b->upper_min > price) return;
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        struct venue_order *order = &v->orders.pool[i];
        bool met = order->flags & VENUE_MORE ? meets_more(v, b, i, price, &v->picks[cnt])
                                             : meets_trade(b, order, i, price, &v->picks[cnt]);
        if (met) cnt++;
    }
    venue_pick_sort(v->picks, cnt);
    if (b->more_cnt > 0) {
        work_each(ctx, v, b, cnt);
    } else {
        venue_work_all(ctx, v, b, cnt);
    }
}

uint32_t venue_prints_run(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                          const struct msg_trade *trades, uint32_t cnt) {
    const uint8_t *before = ctx->out;
    for (uint32_t i = 0;;) {
        venue_land(ctx, v, b);
        venue_delay_row(&b->delay, trades[i].delay_us);
        if (b->span != NULL) venue_span_clock(b->span, trades[i].time_ns);
        work_trade(ctx, v, b, &trades[i]);
        if (b->span != NULL) venue_span_trade(b->span, &trades[i]);
        if (b->term != NULL) venue_term_price(b, trades[i].time_ns, trades[i].price, false);
        if (b->average != NULL) {
            venue_average_trade(b->average, trades[i].time_ns, trades[i].price, trades[i].quantity);
        }
        if (b->held_cnt > 0) b->last = trades[i].price;
        if (b->backed_cnt > 0) {
            venue_backing_sweep(ctx, v, b, b->mark > 0 ? b->mark : trades[i].price);
        }
        venue_listen(ctx, v, b);
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        rt_row_now(ctx, trades[i].time_ns);
    }
}
