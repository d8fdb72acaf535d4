#include "actors/venue/backing.h"
#include "actors/market/margin.h"
#include <assert.h>

/* mark_of returns the mark price of b as of now: where it has none the last price; 0 before any. */
static price_t mark_of(struct rt_ctx *ctx, const struct venue_book *b) {
    if (b->mark > 0) return b->mark;
    return b->last > 0 ? b->last : venue_last_price(ctx, b);
}

/* holding_of returns what account holds of instrument number i (from 0). */
static const struct venue_holding *holding_of(const struct venue *v, uint8_t account, uint32_t i) {
    return &v->holdings[(size_t)(account - 1) * v->market->instrument_cnt + i];
}

/* saturated adds b to a, staying within the range of money. */
static cash_t saturated(cash_t a, cash_t b) {
    cash_t sum;
    if (__builtin_add_overflow(a, b, &sum)) return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

/* figures reckons a position's unrealized P&L and maintenance margin at mark; what leaves the
 * range of money counts as a loss of all of it. */
static void figures(const struct mk_instrument *in, const struct venue_holding *h, price_t mark,
                    cash_t *unrealized, cash_t *maintenance) {
    struct mk_holding held = { .quantity = h->quantity, .cost = h->cost };
    if (!mk_margin_unrealized(&held, mark, unrealized)) *unrealized = INT64_MIN / 2;
    if (!mk_margin_maintenance(in, h->quantity, mark, maintenance)) *maintenance = INT64_MAX / 2;
}

struct venue_stand venue_backing_stand(struct rt_ctx *ctx, const struct venue *v,
                                       const struct venue_book *b, uint8_t account) {
    struct venue_stand s = { 0 };
    if (v->market->accounts[account - 1].margin != MK_MARGIN_CROSS) return s;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        const struct venue_book *other = &v->books[i];
        const struct venue_holding *h = holding_of(v, account, i);
        if (other == b || h->quantity == 0 || other->instrument->kind != MK_LINEAR) continue;
        cash_t unrealized, maintenance;
        figures(other->instrument, h, mark_of(ctx, other), &unrealized, &maintenance);
        s.unrealized = saturated(s.unrealized, unrealized);
        s.maintenance = saturated(s.maintenance, maintenance);
    }
    return s;
}

/* Notional of the open orders of an account in an instrument, by side. */
struct working {
    cash_t bid, ask; /* buys, sells */
};

/* price_assumed returns what an order counts at: a sale at no less than the mark. */
static price_t price_assumed(const struct venue_order *order, price_t mark) {
    if (!mk_order_priced(order->type)) return mark;
    return order->side == SIDE_SELL && mark > order->price ? mark : order->price;
}

/* working_add adds an order to w; what leaves the range of money counts as all of it. */
static void working_add(struct working *w, const struct venue_order *order, price_t mark) {
    cash_t notional;
    if (order->terms & ORDER_TERMS_REDUCE_ONLY) return;
    if (!mk_notional(order->quantity, price_assumed(order, mark), &notional)) notional = INT64_MAX;
    cash_t *side = order->side == SIDE_BUY ? &w->bid : &w->ask;
    *side = saturated(*side, notional);
}

/* working_of sums account's open orders in b. */
static struct working working_of(const struct venue *v, const struct venue_book *b, uint8_t account,
                                 price_t mark) {
    struct working w = { 0 };
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        if (v->orders.pool[i].account == account) working_add(&w, &v->orders.pool[i], mark);
    }
    return w;
}

/* worst returns the larger notional that position (signed) comes to with its orders on either
 * side: max(|P + bid|, |P - ask|). */
static cash_t worst(cash_t position, const struct working *w) {
    cash_t up = saturated(position, w->bid), down = saturated(position, -w->ask);
    if (up == INT64_MIN) up++;
    if (down == INT64_MIN) down++;
    if (up < 0) up = -up;
    if (down < 0) down = -down;
    return up > down ? up : down;
}

uint16_t venue_backing_refuses(struct rt_ctx *ctx, const struct venue *v,
                               const struct venue_book *b, const struct venue_order *order) {
    uint8_t account = order->account;
    if (!venue_backing_on(v, b, account) || order->terms & ORDER_TERMS_REDUCE_ONLY) {
        return REASON_NONE;
    }
    bool cross = v->market->accounts[account - 1].margin == MK_MARGIN_CROSS;
    __int128 locked = v->locked[account - 1].quote; /* by spot orders */
    cash_t spare =
        saturated(v->cash[account - 1], locked > INT64_MAX ? -INT64_MAX : (cash_t)-locked);
    cash_t before = 0, after = 0; /* worst notional in b, without the order and with it */
    uint16_t leverage = mk_leverage(v->market, account, b->instrument->id);
    price_t mark = mark_of(ctx, b);
    if (mark <= 0) mark = order->price;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        const struct venue_book *other = &v->books[i];
        const struct venue_holding *h = holding_of(v, account, i);
        if (other->instrument->kind != MK_LINEAR) continue;
        if (h->quantity == 0 && other->open_cnt == 0 && other != b) continue;
        price_t at = other == b ? mark : mark_of(ctx, other);
        cash_t unrealized, maintenance, position;
        figures(other->instrument, h, at, &unrealized, &maintenance);
        if (!mk_notional(h->quantity, at, &position)) return REASON_OVERFLOW;
        struct working w = working_of(v, other, account, at);
        cash_t held = position, most;
        if (h->quantity < 0) position = -position;
        most = worst(position, &w);
        if (other == b) {
            before = most;
            working_add(&w, order, at);
            after = most = worst(position, &w);
        }
        uint16_t by = mk_leverage(v->market, account, other->instrument->id);
        if (cross) {
            spare = saturated(spare, unrealized);
            spare = saturated(spare, -mk_margin_initial(most, by));
        } else {
            spare = saturated(spare, -h->isolated);
            if (most > held) spare = saturated(spare, -mk_margin_initial(most - held, by));
        }
    }
    if (after <= before) return REASON_NONE; /* it only reduces, or the other side is the worse */
    if (after > mk_margin_most(b->instrument, leverage)) return REASON_LEVERAGE_LIMIT;
    price_t price = price_assumed(order, mark);
    int64_t off = order->side == SIDE_BUY ? price - mark : mark - price;
    cash_t loss = 0;
    if (off > 0 && !mk_notional(order->quantity, off, &loss)) return REASON_OVERFLOW;
    return saturated(spare, -loss) < 0 ? REASON_INSUFFICIENT_MARGIN : REASON_NONE;
}

/* at_tick rounds price to the tick against who closes with side: a sale down, a buy up; never
 * below one tick. */
static price_t at_tick(const struct mk_instrument *in, price_t price, uint8_t side) {
    if (side == SIDE_BUY) {
        return price > INT64_MAX - in->tick_size ? price : fixed_ceil_to(price, in->tick_size);
    }
    price = fixed_floor_to(price, in->tick_size);
    return price < in->tick_size ? in->tick_size : price;
}

bool venue_backing_force(const struct venue_book *b, const struct venue_stand *stand,
                         struct venue_purse *p, price_t mark, bool gap, struct venue_forced *out) {
    const struct mk_instrument *in = b->instrument;
    struct mk_holding h = { .quantity = p->held.quantity, .cost = p->held.cost };
    *out = (struct venue_forced){ 0 };
    if (h.quantity == 0 || mark <= 0) return false;
    bool is_long = h.quantity > 0, cross = p->margin == MK_MARGIN_CROSS;
    cash_t all = cross ? saturated(p->cash, stand->unrealized) : p->held.isolated;
    cash_t wallet = cross ? saturated(all, -stand->maintenance) : all;
    price_t limit, nothing;
    mk_liquidation_price(in, &h, wallet, &limit);
    if (is_long ? mark > limit : mark < limit) return false;
    uint8_t side = is_long ? SIDE_SELL : SIDE_BUY;
    price_t price = at_tick(in, gap ? mark : limit, side);
    mk_bankruptcy_price(&h, all, &nothing);
    nothing = at_tick(in, nothing, is_long ? SIDE_BUY : SIDE_SELL); /* so that nothing is lost */
    if (is_long ? price < nothing : price > nothing) price = nothing;
    cash_t left = 0, fee = 0, notional = 0;
    if (!mk_margin_unrealized(&h, price, &left)) return false;
    left = saturated(all, left);
    qty_t quantity = is_long ? h.quantity : -h.quantity;
    if (!mk_notional(quantity, price, &notional) || !mk_fee(notional, in->liquidation_fee, &fee)) {
        return false;
    }
    if (fee > left) fee = left > 0 ? left : 0;
    if (!venue_account_close(p, price, fee)) return false;
    *out = (struct venue_forced){ .quantity = quantity, .price = price, .fee = fee, .side = side };
    return true;
}

void venue_backing_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                        const struct venue_forced *forced) {
    if (v->market->accounts[account - 1].margin == MK_MARGIN_CROSS) {
        for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
            venue_cancel_forced(ctx, v, &v->books[i], account);
        }
    } else {
        venue_cancel_forced(ctx, v, b, account);
    }
    venue_flush(ctx, v); /* fills first: they made the position */
    struct msg_venue_liquidation *m = rt_say(ctx, MSG_VENUE_LIQUIDATION, 0, sizeof *m);
    *m = (struct msg_venue_liquidation){ .trade_id = ++v->trades,
                                         .price = forced->price,
                                         .quantity = forced->quantity,
                                         .fee = forced->fee,
                                         .instrument = b->instrument->id,
                                         .account = account,
                                         .side = forced->side };
}

void venue_backing_sweep(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, price_t mark) {
    for (uint32_t a = 1; b->backed_cnt > 0 && a <= v->market->account_cnt; a++) {
        uint8_t account = (uint8_t)a;
        if (!venue_backing_on(v, b, account)) continue;
        struct venue_purse p = venue_purse(v, b, account);
        if (p.held.quantity == 0) continue;
        struct venue_stand stand = venue_backing_stand(ctx, v, b, account);
        struct venue_forced forced;
        if (!venue_backing_force(b, &stand, &p, mark, true, &forced)) continue;
        venue_purse_put(v, b, account, &p);
        venue_backing_tell(ctx, v, b, account, &forced);
    }
}

void venue_backing_fund(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                        const struct msg_funding *f) {
    price_t mark = f->mark > 0 ? f->mark : mark_of(ctx, b);
    for (uint32_t a = 1; b->held_cnt > 0 && a <= v->market->account_cnt; a++) {
        struct venue_purse p = venue_purse(v, b, (uint8_t)a);
        cash_t amount, cash;
        if (p.held.quantity == 0 || !mk_funding(p.held.quantity, mark, f->rate, &amount) ||
            __builtin_sub_overflow(p.cash, amount, &cash)) {
            continue;
        }
        p.cash = cash;
        if (p.margin == MK_MARGIN_ISOLATED) p.held.isolated -= amount;
        venue_purse_put(v, b, (uint8_t)a, &p);
        venue_flush(ctx, v);
        struct msg_venue_funding *m = rt_say(ctx, MSG_VENUE_FUNDING, 0, sizeof *m);
        *m = (struct msg_venue_funding){ .payment_id = ++v->payments,
                                         .rate = f->rate,
                                         .mark = mark,
                                         .quantity = p.held.quantity,
                                         .amount = amount,
                                         .instrument = b->instrument->id,
                                         .account = (uint8_t)a };
    }
}
