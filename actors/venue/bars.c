#include "actors/venue/bars.h"
#include "actors/venue/average.h"
#include "actors/venue/fund.h"
#include "actors/venue/path.h"
#include "actors/venue/span.h"
#include "actors/venue/term.h"
#include <assert.h>

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

/* open_account works what the open of a bar meets of account's orders, 0 = of all accounts'. */
static void open_account(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                         const struct msg_bar_open *open, uint8_t account) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head, next; i != VENUE_NONE; i = next) {
        struct venue_order *order = &v->orders.pool[i];
        next = order->next;
        if (account != 0 && order->account != account) continue;
        bool eager = order->flags & VENUE_EAGER;
        if (eager && open->open_ns < venue_bars_first(v, order, open->interval_ns)) continue;
        if (meets_open(order, i, open->open, &v->picks[cnt])) {
            cnt++;
        } else if (eager) {
            venue_orders_calm(b, order);
        }
    }
    venue_pick_sort(v->picks, cnt);
    venue_work_all(ctx, v, b, cnt);
}

void venue_bars_open(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     const struct msg_bar_open *open) {
    if (open->traded == 0) return;
    b->bar_end_ns = open->open_ns + open->interval_ns;
    if (b->share > 0) return; /* what it trades tells its end */
    venue_orders_bounds(&v->orders, b);
    if (b->eager_cnt == 0 && b->lower_max < open->open && b->upper_min > open->open) return;
    if (b->more_cnt == 0) {
        open_account(ctx, v, b, open, 0);
        return;
    }
    for (uint32_t a = 1; a <= v->market->account_cnt; a++) {
        if (venue_path_has(v, b, (uint8_t)a)) {
            venue_path_point(ctx, v, b, (uint8_t)a, open, VENUE_NONE);
        } else {
            open_account(ctx, v, b, open, (uint8_t)a);
        }
    }
}

bool venue_bars_due(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                    const struct venue_order *order, uint8_t stage) {
    struct msg_bar_open open;
    if (b->share == 0 || (stage != VENUE_FRESH && stage != VENUE_FIRED)) return false;
    if (b->bar_end_ns == INT64_MIN || !rt_opened(ctx, b->series, &open)) return false;
    return open.open_ns + open.interval_ns == b->bar_end_ns &&
           venue_bars_first(v, order, open.interval_ns) <= open.open_ns;
}

void venue_bars_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &v->orders.pool[idx];
    struct msg_bar_open open;
    if (order->type == ORDER_TYPE_MARKET && b->share == 0) return;
    if (!rt_opened(ctx, b->series, &open) || open.open_ns != ctx->now_ns) return;
    if (open.traded == 0 || venue_bars_first(v, order, open.interval_ns) != ctx->now_ns) return;
    b->bar_end_ns = open.open_ns + open.interval_ns;
    if (b->share > 0) { /* at the bar's end; a market order from the next bar */
        order->from_ns += order->type == ORDER_TYPE_MARKET;
        return;
    }
    uint64_t id = order->order_id;
    const qty_t least = venue_grows(v, b) ? 1 : order->quantity; /* of it, for children to begin */
    if (venue_path_has(v, b, order->account)) {
        qty_t filled = venue_path_point(ctx, v, b, order->account, &open, idx);
        if (filled >= least) venue_joined(ctx, v, id, filled, 0);
        return;
    }
    if (!meets_open(order, idx, open.open, &v->picks[0])) {
        venue_orders_calm(b, order);
        return;
    }
    venue_work_all(ctx, v, b, 1);
    if (v->deals[0][0].quantity >= least) venue_joined(ctx, v, id, v->deals[0][0].quantity, 0);
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

/* The picks of one account that a bar's path meets: first those met by the fall. */
struct legs {
    const struct venue_pick *picks; /* sorted */
    uint32_t below;                 /* met by the fall */
    uint32_t cnt;                   /* all */
    uint8_t account;                /* whose */
};

/* One way of an account through a bar, worked on a copy. */
struct way {
    struct venue_purse p;       /* as it leaves it */
    struct venue_forced forced; /* what was closed by force on it */
    struct venue_deal *deals;   /* what comes of the picks, in the order worked */
};

/* walk works the picks of one account the one way round: low_first or not. A position that the mark
 * meets is closed by force after the orders met on that leg, and ends the rest of the way. */
static void walk(const struct venue *v, const struct venue_book *b, const struct legs *l,
                 const struct venue_marks *path, bool low_first, struct way *w) {
    static const struct venue_deal canceled = { .status = ORDER_STATUS_CANCELED,
                                                .reason = REASON_LIQUIDATION };
    uint32_t above = l->cnt - l->below, done = 0;
    price_t from = path->open;
    bool forced =
        path->backed && venue_backing_force(b, &path->stand, &w->p, 0, path->open, &w->forced);
    for (int leg = 0; leg < 2; leg++) {
        bool down = (leg == 0) == low_first;
        const struct venue_pick *picks = down ? l->picks : l->picks + l->below;
        uint32_t here = down ? l->below : above;
        price_t to = down ? path->low : path->high;
        if (!forced) {
            venue_work(v, b, &w->p, picks, here, w->deals + done);
            done += here;
        } else if (!venue_account_holds(&w->p)) {
            break;
        }
        if (path->backed && venue_backing_force(b, &path->stand, &w->p, from, to, &w->forced)) {
            forced = true;
        }
        from = to;
    }
    while (done < l->cnt) w->deals[done++] = canceled;
}

/* work_account works what the path inside bar meets of one account. Where it touches both sides it
 * goes both ways on copies, and the one that leaves less at the close counts; equal: the extreme
 * against the position first; flat: low first. more: it has orders with further terms. */
static void work_account(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                         const struct msg_bar *bar, const struct legs *l, bool more) {
    struct venue_marks path = { .backed = venue_backing_on(v, b, l->account) };
    struct way low = { .p = venue_purse_now(ctx, v, b, l->account),
                       .deals = v->deals[0],
                       .forced = { .legs = v->forced[0] } };
    struct way high = { .p = low.p, .deals = v->deals[1], .forced = { .legs = v->forced[1] } };
    bool low_first = true;
    if (path.backed || more) {
        const struct msg_mark_bar *m = &b->mark_bar;
        bool own = m->open_ns == bar->open_ns && m->interval_ns == bar->interval_ns;
        path.open = own ? m->open : bar->open;
        path.low = own ? m->low : bar->low;
        path.high = own ? m->high : bar->high;
        path.close = own ? m->close : bar->close;
        if (path.backed) path.stand = venue_backing_stand(ctx, v, b, l->account);
    }
    if (more) {
        venue_path_bar(ctx, v, b, l->account, bar, &path);
        return;
    }
    qty_t held = low.p.held.quantity + low.p.shorts.quantity;
    walk(v, b, l, &path, true, &low);
    if (path.backed || (l->below > 0 && l->below < l->cnt)) {
        walk(v, b, l, &path, false, &high);
        __int128 worth_low = venue_account_worth(&low.p, b->instrument, bar->close);
        __int128 worth_high = venue_account_worth(&high.p, b->instrument, bar->close);
        low_first = worth_low != worth_high ? worth_low < worth_high : held >= 0;
    }
    const struct way *w = low_first ? &low : &high;
    venue_purse_put(v, b, l->account, &w->p);
    uint32_t above = l->cnt - l->below;
    for (uint32_t i = 0; i < l->cnt; i++) {
        uint32_t pick = low_first ? i : i < above ? l->below + i : i - above;
        venue_tell(ctx, v, b, l->picks[pick].idx, &w->deals[i]);
    }
    if (w->forced.cnt > 0) venue_backing_tell(ctx, v, b, l->account, &w->forced);
}

/* work_path works what the path inside bar meets, account by account; orders: the bar's open was
 * worked, so open orders may be met. */
static void work_path(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                      const struct msg_bar *bar, bool orders) {
    uint32_t cnt = 0;
    for (uint32_t i = orders ? b->head : VENUE_NONE; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        if (order->flags & VENUE_EAGER) continue;
        if (meets_path(order, i, bar, &v->picks[cnt])) cnt++;
    }
    venue_pick_sort(v->picks, cnt);
    struct legs l = { .picks = v->picks };
    const struct venue_pick *end = v->picks + cnt;
    for (uint32_t a = 1; a <= v->market->account_cnt; a++) {
        if (b->backed_cnt == 0 &&
            b->more_cnt == 0) { /* no one to look after but whose orders are met */
            if (l.picks == end) break;
            a = l.picks->account;
        }
        l.account = (uint8_t)a;
        l.cnt = l.below = 0;
        for (; l.picks + l.cnt < end && l.picks[l.cnt].account == a; l.cnt++) {
            l.below += !l.picks[l.cnt].upper;
        }
        bool more = orders && venue_path_has(v, b, l.account);
        struct venue_purse p = venue_purse(v, b, l.account);
        if (l.cnt > 0 || more || (venue_backing_on(v, b, l.account) && venue_account_holds(&p))) {
            work_account(ctx, v, b, bar, &l, more);
        }
        l.picks += l.cnt;
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
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t idx = v->picks[i].idx;
        if (venue_orders_find(&v->orders, v->picks[i].order_id) != idx) continue; /* with another */
        venue_leave(ctx, v, b, idx);
    }
}

void venue_bars_path(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     const struct msg_bar *bar) {
    bool opened = bar->open_ns + bar->interval_ns == b->bar_end_ns, met = false;
    if (opened) {
        b->bar_end_ns = INT64_MIN;
        venue_orders_bounds(&v->orders, b);
        met = b->lower_max >= bar->low || b->upper_min <= bar->high || b->more_cnt > 0;
        if (b->share > 0) {
            b->room = venue_span_share(bar->volume, b->share, b->instrument->lot_size);
        }
    }
    if (met || b->backed_cnt > 0) work_path(ctx, v, b, bar, opened);
    if (opened && b->leaves_cnt > 0) work_leaves(ctx, v, b);
    assert(b->leaves_cnt == 0);
    if (b->flight_head != VENUE_NONE) venue_land(ctx, v, b); /* what waited for this bar */
    if (b->held_cnt > 0) b->last = bar->close;
    if (v->lack_cnt > 0) venue_fund_settle(ctx, v, b);
    if (b->span != NULL) venue_span_bar(b->span, bar);
    if (b->average != NULL) venue_average_bar(b->average, bar);
    if (b->term != NULL) venue_term_price(b, bar->open_ns + bar->interval_ns, bar->close, false);
}
