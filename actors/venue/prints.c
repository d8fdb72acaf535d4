#include "actors/venue/prints.h"
#include "actors/venue/backing.h"

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

/* work_trade works what a trade at price meets. */
static void work_trade(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, price_t price) {
    venue_orders_bounds(&v->orders, b);
    if (b->eager_cnt == 0 && b->lower_max < price && b->upper_min > price) return;
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        if (meets_trade(b, &v->orders.pool[i], i, price, &v->picks[cnt])) cnt++;
    }
    venue_pick_sort(v->picks, cnt);
    venue_work_all(ctx, v, b, cnt);
}

uint32_t venue_prints_run(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                          const struct msg_trade *trades, uint32_t cnt) {
    const uint8_t *before = ctx->out;
    for (uint32_t i = 0;;) {
        venue_land(ctx, v, b);
        venue_delay_row(&b->delay, trades[i].delay_us);
        work_trade(ctx, v, b, trades[i].price);
        if (b->held_cnt > 0) b->last = trades[i].price;
        if (b->backed_cnt > 0) {
            venue_backing_sweep(ctx, v, b, b->mark > 0 ? b->mark : trades[i].price);
        }
        venue_listen(ctx, v, b);
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        rt_row_now(ctx, trades[i].time_ns);
    }
}
