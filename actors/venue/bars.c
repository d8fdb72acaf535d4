#include "actors/venue/bars.h"
#include <assert.h>

/* first_open returns when the first bar may open that works order, given the bars' interval. */
static inline int64_t first_open(const struct venue *v, const struct venue_order *order,
                                 int64_t interval_ns) {
    if (v->latency_ns < interval_ns) return order->from_ns;
    return order->from_ns + v->latency_ns - v->latency_ns % interval_ns;
}

/* pick_order fills pick with order idx, met at price on no side in particular. */
static inline void pick_order(struct venue_pick *pick, const struct venue_order *order,
                              uint32_t idx, price_t price, uint8_t liquidity) {
    *pick = (struct venue_pick){ .order_id = order->order_id,
                                 .price = price,
                                 .quantity = order->quantity,
                                 .idx = idx,
                                 .account = order->account,
                                 .after = order->type != ORDER_TYPE_STOP,
                                 .act = VENUE_TRADE,
                                 .liquidity = liquidity };
}

/* meets_open tells whether an open at price meets the order idx, eager (its first bar) or calm, and
 * fills pick if so. */
static bool meets_open(const struct venue_order *order, uint32_t idx, price_t price,
                       struct venue_pick *pick) {
    bool eager = order->flags & VENUE_EAGER, lower = venue_order_lower(order);
    int64_t past =
        lower ? order->price - price : price - order->price; /* of calm types, > 0: beyond */
    switch (order->type) {
    case ORDER_TYPE_MARKET: pick_order(pick, order, idx, price, LIQUIDITY_TAKER); return true;
    case ORDER_TYPE_STOP:
        if (past < 0) return false;
        pick_order(pick, order, idx, price, LIQUIDITY_TAKER);
        return true;
    default: break;
    }
    if (!eager) {
        if (past <= 0) return false;
        pick_order(pick, order, idx, price, LIQUIDITY_MAKER);
        return true;
    }
    pick_order(pick, order, idx, price, LIQUIDITY_TAKER);
    if (past >= 0) {
        if (order->terms & ORDER_TERMS_POST_ONLY) pick->act = VENUE_REFUSE;
        return true;
    }
    if (!(order->terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK))) return false;
    pick->act = VENUE_MISSED;
    return true;
}

void venue_bars_open(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     const struct msg_bar_open *open) {
    if (open->traded == 0) return;
    b->bar_end_ns = open->open_ns + open->interval_ns;
    venue_orders_bounds(&v->orders, b);
    if (b->eager_cnt == 0 && b->lower_max < open->open && b->upper_min > open->open) return;
    uint32_t cnt = 0;
    for (uint32_t i = b->head, next; i != VENUE_NONE; i = next) {
        struct venue_order *order = &v->orders.pool[i];
        next = order->next;
        bool eager = order->flags & VENUE_EAGER;
        if (eager && open->open_ns < first_open(v, order, open->interval_ns)) continue;
        if (meets_open(order, i, open->open, &v->picks[cnt])) {
            cnt++;
        } else if (eager) {
            venue_orders_calm(b, order);
        }
    }
    venue_pick_sort(v->picks, cnt);
    venue_work_all(ctx, v, b, cnt);
}

void venue_bars_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &v->orders.pool[idx];
    struct msg_bar_open open;
    if (order->type == ORDER_TYPE_MARKET) return;
    if (!rt_opened(ctx, b->series, &open) || open.open_ns != ctx->now_ns) return;
    if (open.traded == 0 || first_open(v, order, open.interval_ns) != ctx->now_ns) return;
    b->bar_end_ns = open.open_ns + open.interval_ns;
    if (!meets_open(order, idx, open.open, &v->picks[0])) {
        venue_orders_calm(b, order);
        return;
    }
    venue_work_all(ctx, v, b, 1);
}

/* meets_path tells whether the path of bar meets the calm order idx, and fills pick if so. */
static bool meets_path(const struct venue_order *order, uint32_t idx, const struct msg_bar *bar,
                       struct venue_pick *pick) {
    bool lower = venue_order_lower(order), stop = order->type == ORDER_TYPE_STOP;
    int64_t past = lower ? order->price - bar->low : bar->high - order->price;
    if (past < (stop ? 0 : 1)) return false;
    pick_order(pick, order, idx, order->price, stop ? LIQUIDITY_TAKER : LIQUIDITY_MAKER);
    pick->rank = lower ? -order->price : order->price;
    pick->upper = !lower;
    return true;
}

/* work_both works the picks of one account whose bar touched both sides (below first of them met
 * by the fall): both ways on copies. It gives the way that leaves less at the close: true = low
 * first, with *p as it is then and the deals in v->deals[0] (low first) or [1] (high first). */
static bool work_both(struct venue *v, const struct venue_book *b, struct venue_purse *p,
                      const struct venue_pick *picks, uint32_t below, uint32_t cnt, price_t close) {
    struct venue_purse low = *p, high = *p;
    uint32_t above = cnt - below;
    venue_work(v, b, &low, picks, cnt, v->deals[0]);
    venue_work(v, b, &high, picks + below, above, v->deals[1]);
    venue_work(v, b, &high, picks, below, v->deals[1] + above);
    __int128 worth_low = venue_account_worth(&low, b->instrument, close);
    __int128 worth_high = venue_account_worth(&high, b->instrument, close);
    bool low_first = worth_low != worth_high ? worth_low < worth_high : p->held.quantity >= 0;
    *p = low_first ? low : high;
    return low_first;
}

/* work_path works what the path inside bar meets. */
static void work_path(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                      const struct msg_bar *bar) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        if (order->flags & VENUE_EAGER) continue;
        if (meets_path(order, i, bar, &v->picks[cnt])) cnt++;
    }
    venue_pick_sort(v->picks, cnt);
    for (uint32_t from = 0, to; from < cnt; from = to) {
        const struct venue_pick *picks = &v->picks[from];
        uint32_t below = 0;
        for (to = from; to < cnt && v->picks[to].account == picks->account; to++) {
            below += !v->picks[to].upper;
        }
        uint32_t here = to - from, above = here - below;
        struct venue_purse p = venue_purse(v, b, picks->account);
        bool low_first = true;
        if (below > 0 && above > 0) {
            low_first = work_both(v, b, &p, picks, below, here, bar->close);
        } else {
            venue_work(v, b, &p, picks, here, v->deals[0]);
        }
        venue_purse_put(v, b, picks->account, &p);
        for (uint32_t i = 0; i < here; i++) {
            uint32_t pick = low_first ? i : i < above ? below + i : i - above;
            venue_tell(ctx, v, b, picks[pick].idx, &v->deals[!low_first][i]);
        }
    }
}

/* work_leaves cancels, by order id, what was to be canceled once the bar had been worked. */
static void work_leaves(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        if (!(order->flags & VENUE_LEAVES)) continue;
        v->picks[cnt++] = (struct venue_pick){ .order_id = order->order_id, .idx = i };
    }
    venue_pick_sort(v->picks, cnt);
    static const struct venue_deal canceled = { .status = ORDER_STATUS_CANCELED };
    for (uint32_t i = 0; i < cnt; i++) venue_tell(ctx, v, b, v->picks[i].idx, &canceled);
}

void venue_bars_path(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     const struct msg_bar *bar) {
    if (bar->open_ns + bar->interval_ns != b->bar_end_ns) return;
    b->bar_end_ns = INT64_MIN;
    venue_orders_bounds(&v->orders, b);
    if (b->lower_max >= bar->low || b->upper_min <= bar->high) work_path(ctx, v, b, bar);
    if (b->leaves_cnt > 0) work_leaves(ctx, v, b);
    assert(b->leaves_cnt == 0);
}
