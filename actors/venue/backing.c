#include "actors/venue/backing.h"
#include "actors/market/margin.h"
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "actors/venue/fund.h"
#include <assert.h>

price_t venue_backing_mark(struct rt_ctx *ctx, const struct venue_book *b) {
    if (b->mark > 0) return b->mark;
    return b->last > 0 ? b->last : venue_last_price(ctx, b);
}

/* holding_of returns what account holds of instrument number i (from 0). */
static const struct venue_holding *holding_of(const struct venue *v, uint8_t account, uint32_t i) {
    return &v->holdings[(size_t)(account - 1) * v->market->instrument_cnt + i];
}

/* short_of returns what account holds short of it, apart from that: in hedge mode. */
static const struct venue_holding *short_of(const struct venue *v, uint8_t account, uint32_t i) {
    return &v->shorts[(size_t)(account - 1) * v->market->instrument_cnt + i];
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
    if (!mk_margin_unrealized(in, &held, mark, unrealized)) *unrealized = INT64_MIN / 2;
    if (!mk_margin_maintenance(in, h->quantity, mark, maintenance)) *maintenance = INT64_MAX / 2;
}

struct venue_stand venue_backing_stand(struct rt_ctx *ctx, const struct venue *v,
                                       const struct venue_book *b, uint8_t account) {
    struct venue_stand s = { 0 };
    if (v->market->accounts[account - 1].margin != MK_MARGIN_CROSS) return s;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        const struct venue_book *other = &v->books[i];
        const struct venue_holding *h = holding_of(v, account, i);
        const struct venue_holding *shorts = short_of(v, account, i);
        if (other == b || other->instrument->kind == MK_SPOT) continue;
        for (int leg = 0; leg < 2; leg++, h = shorts) {
            cash_t unrealized, maintenance;
            if (h->quantity == 0) continue;
            figures(other->instrument, h, venue_backing_mark(ctx, other), &unrealized,
                    &maintenance);
            s.unrealized = saturated(s.unrealized, unrealized);
            s.maintenance = saturated(s.maintenance, maintenance);
        }
    }
    return s;
}

cash_t venue_backing_open(struct rt_ctx *ctx, const struct venue *v, uint8_t account) {
    cash_t sum = 0;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        const struct venue_book *b = &v->books[i];
        const struct venue_holding *legs[] = { holding_of(v, account, i), short_of(v, account, i) };
        for (int leg = 0; leg < 2 && b->instrument->kind != MK_SPOT; leg++) {
            cash_t unrealized, maintenance;
            if (legs[leg]->quantity == 0) continue;
            figures(b->instrument, legs[leg], venue_backing_mark(ctx, b), &unrealized,
                    &maintenance);
            sum = saturated(sum, unrealized);
        }
    }
    return sum;
}

/* Notional of the open orders of an account in an instrument, by side. */
struct working {
    cash_t bid, ask; /* buys, sells */
};

/* raised returns price + part (1e-8) of it, rounded up; held within the range of prices. */
static price_t raised(price_t price, int64_t part) {
    price_t more;
    if (!fixed_mul(price, part, FIXED_UP, &more)) return INT64_MAX;
    return saturated(price, more);
}

/* price_touch returns what an order of side would trade at now: the other side's best of b's book
 * where it has one, else the last price; 0 before any. */
static price_t price_touch(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                           uint8_t side) {
    if (b->driver == VENUE_DEPTH) return venue_depth_price(v, b, side);
    if (b->driver == VENUE_CROWD) {
        const struct msg_quote *told = &v->crowds[b->instrument->id - 1]->told;
        price_t best = side == SIDE_BUY ? told->ask : told->bid;
        if (best > 0) return best;
    }
    return venue_last_price(ctx, b);
}

/* price_assumed returns what order counts at as it arrives. */
static price_t price_assumed(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                             const struct venue_order *order, price_t mark) {
    bool priced = mk_order_priced(order->type);
    price_t price = priced ? order->price : 0;
    if (b->instrument->kind == MK_INVERSE) {
        return !priced || (order->side == SIDE_SELL && mark > price) ? mark : price;
    }
    if (order->side == SIDE_BUY) {
        price_t ask = priced ? 0 : price_touch(ctx, v, b, SIDE_BUY);
        return priced ? price : raised(ask > 0 ? ask : mark, v->cost_buy);
    }
    price_t last = raised(venue_last_price(ctx, b), v->cost_sale);
    if (price < mark) price = mark;
    return price < last ? last : price;
}

/* working_add adds an order at price to w; what leaves the range of money counts as all of it. */
static void working_add(struct working *w, const struct mk_instrument *in,
                        const struct venue_order *order, price_t price) {
    cash_t notional;
    if (!mk_notional(in, order->quantity, price, &notional)) notional = INT64_MAX;
    cash_t *side = order->side == SIDE_BUY ? &w->bid : &w->ask;
    *side = saturated(*side, notional);
}

/* only_closes tells whether an order of those terms needs no margin (close_position is both). */
static bool only_closes(bool hedge, uint8_t terms) {
    return terms & (hedge ? ORDER_TERMS_EXIT : ORDER_TERMS_REDUCE_ONLY);
}

/* working_of sums account's open orders in b that do not only close, each at its own price. */
static struct working working_of(const struct venue *v, const struct venue_book *b, uint8_t account,
                                 price_t mark) {
    struct working w = { 0 };
    bool hedge = v->market->accounts[account - 1].hedge;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        if (o->account != account || only_closes(hedge, o->terms)) continue;
        working_add(&w, b->instrument, o, mk_order_priced(o->type) ? o->price : mark);
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

/* What an account's positions and open orders in an instrument must be backed by. */
struct burden {
    cash_t unrealized; /* of the positions */
    cash_t position;   /* notional of the position, signed; hedge: of the long */
    cash_t shorts;     /* hedge: notional of the short, >= 0 */
    cash_t apart;      /* isolated: set apart for them */
    struct working w;  /* orders that open: hedge: bid the long, ask the short */
    bool hedge;        /* two positions */
};

/* burden_of reckons it at price at. False on overflow. */
static bool burden_of(const struct venue *v, const struct venue_book *b, uint8_t account,
                      price_t at, struct burden *out) {
    uint32_t i = (uint32_t)b->instrument->id - 1;
    const struct venue_holding *h = holding_of(v, account, i), *s = short_of(v, account, i);
    cash_t maintenance, unrealized;
    *out = (struct burden){ .hedge = v->market->accounts[account - 1].hedge,
                            .apart = saturated(h->isolated, s->isolated) };
    figures(b->instrument, h, at, &out->unrealized, &maintenance);
    figures(b->instrument, s, at, &unrealized, &maintenance);
    out->unrealized = saturated(out->unrealized, unrealized);
    if (!mk_notional(b->instrument, h->quantity, at, &out->position)) return false;
    if (!mk_notional(b->instrument, s->quantity, at, &out->shorts)) return false;
    if (h->quantity < 0) out->position = -out->position;
    out->w = working_of(v, b, account, at);
    return true;
}

/* initial_of returns the initial margin of a burden at leverage. isolated: of what its orders add
 * to the positions; those have theirs set apart. */
static cash_t initial_of(const struct burden *x, uint32_t leverage, bool isolated) {
    if (x->hedge) {
        cash_t up = isolated ? x->w.bid : saturated(x->position, x->w.bid);
        cash_t down = isolated ? x->w.ask : saturated(x->shorts, x->w.ask);
        return saturated(mk_margin_initial(up, leverage), mk_margin_initial(down, leverage));
    }
    cash_t most = worst(x->position, &x->w);
    cash_t held = x->position < 0 ? -x->position : x->position;
    if (!isolated) return mk_margin_initial(most, leverage);
    return most > held ? mk_margin_initial(most - held, leverage) : 0;
}

/* size_of returns the notional that the leverage's bracket is held against: hedge: of the position
 * on side. */
static cash_t size_of(const struct burden *x, uint8_t side) {
    if (!x->hedge) return worst(x->position, &x->w);
    return side == SIDE_BUY ? saturated(x->position, x->w.bid) : saturated(x->shorts, x->w.ask);
}

uint16_t venue_backing_refuses(struct rt_ctx *ctx, const struct venue *v,
                               const struct venue_book *b, const struct venue_order *order) {
    uint8_t account = order->account;
    const struct mk_account *a = &v->market->accounts[account - 1];
    if (!venue_backing_on(v, b, account) || only_closes(a->hedge, order->terms)) return REASON_NONE;
    bool cross = a->margin == MK_MARGIN_CROSS;
    __int128 locked = v->locked[account - 1].quote; /* by spot orders */
    cash_t spare =
        saturated(v->cash[account - 1], locked > INT64_MAX ? -INT64_MAX : (cash_t)-locked);
    uint16_t leverage = mk_leverage(v->market, account, b->instrument->id);
    price_t mark = venue_backing_mark(ctx, b);
    if (mark <= 0 && mk_order_priced(order->type)) mark = order->price;
    if (mark <= 0) mark = price_touch(ctx, v, b, order->side);
    struct burden before, after;
    price_t price = price_assumed(ctx, v, b, order, mark);
    if (!burden_of(v, b, account, mark, &before)) return REASON_OVERFLOW;
    after = before;
    working_add(&after.w, b->instrument, order, price);
    cash_t size = size_of(&after, order->side);
    if (size <= size_of(&before, order->side)) {
        return REASON_NONE; /* it only reduces, or the other side is the worse */
    }
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        const struct venue_book *other = &v->books[i];
        bool idle = holding_of(v, account, i)->quantity == 0 &&
                    short_of(v, account, i)->quantity == 0 && other->open_cnt == 0;
        struct burden x = after;
        if (other->instrument->kind == MK_SPOT || (idle && other != b)) continue;
        if (other != b && !burden_of(v, other, account, venue_backing_mark(ctx, other), &x)) {
            return REASON_OVERFLOW;
        }
        uint16_t by = mk_leverage(v->market, account, other->instrument->id);
        spare = saturated(spare, cross ? x.unrealized : -x.apart);
        spare = saturated(spare, -initial_of(&x, by, !cross));
    }
    if (size > mk_margin_most(b->instrument, leverage)) return REASON_LEVERAGE_LIMIT;
    if (mk_order_priced(order->type)) price = order->price; /* what it would lose at once */
    int64_t off = order->side == SIDE_BUY ? price - mark : mark - price;
    cash_t loss = 0;
    if (off > 0 && !mk_gap(b->instrument, order->quantity, mark, price, &loss)) {
        return REASON_OVERFLOW;
    }
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

/* all_of returns what backs p's position h: what may be lost before nothing is left. */
static cash_t all_of(const struct venue_stand *stand, const struct venue_purse *p,
                     const struct venue_holding *h) {
    return p->margin == MK_MARGIN_CROSS ? saturated(p->cash, stand->unrealized) : h->isolated;
}

/* close_leg closes quantity of p's position h at price, which may be better than met (the fund pays
 * the rest). The liquidation fee is taken as far as left covers it: what is left then of what backs
 * the position. What was done goes to out. False when a figure leaves the range of money. */
static bool close_leg(const struct mk_instrument *in, struct venue_purse *p,
                      struct venue_holding *h, qty_t quantity, price_t met, price_t price,
                      cash_t left, struct venue_forced_leg *out) {
    bool whole = quantity == (h->quantity < 0 ? -h->quantity : h->quantity);
    uint8_t side = h->quantity > 0 ? SIDE_SELL : SIDE_BUY;
    cash_t notional, fee, pays, before = p->cash, apart = h->isolated;
    if (!mk_notional(in, quantity, price, &notional) ||
        !mk_fee(notional, in->liquidation_fee, &fee)) {
        return false;
    }
    if (!mk_gap(in, quantity, met, price, &pays)) return false;
    if (fee > left) fee = left > 0 ? left : 0;
    if (!venue_account_close(in, p, h, quantity, price, fee)) return false;
    if (!whole && p->margin == MK_MARGIN_ISOLATED) h->isolated = apart + (p->cash - before);
    *out = (struct venue_forced_leg){
        .quantity = quantity, .price = price, .fee = fee, .pays = pays, .side = side
    };
    return true;
}

/* suffices tells whether margin backs p's position h at price. */
static bool suffices(const struct mk_instrument *in, const struct venue_stand *stand,
                     const struct venue_purse *p, const struct venue_holding *h, price_t price) {
    struct mk_holding held = { .quantity = h->quantity, .cost = h->cost };
    cash_t unrealized, maintenance;
    if (!mk_margin_unrealized(in, &held, price, &unrealized) ||
        !mk_margin_maintenance(in, h->quantity, price, &maintenance)) {
        return false;
    }
    __int128 must = maintenance;
    if (p->margin == MK_MARGIN_CROSS) must += stand->maintenance;
    return (__int128)all_of(stand, p, h) + unrealized > must;
}

/* reduction finds how much of p's position h must be closed at price so that margin backs the rest:
 * down to the cap of the highest bracket below its own at which it does; all of it where none does.
 */
static qty_t reduction(const struct mk_instrument *in, const struct venue_stand *stand,
                       const struct venue_purse *p, const struct venue_holding *h, price_t price,
                       cash_t left) {
    qty_t size = h->quantity < 0 ? -h->quantity : h->quantity;
    cash_t notional;
    if (in->bracket_cnt == 0 || left <= 0 || !mk_notional(in, size, price, &notional)) return size;
    for (const struct mk_bracket *b = mk_bracket_at(in, notional); b-- > in->brackets;) {
        qty_t most;
        if (!mk_quantity_settled(in, b->cap, price, &most) || most > size) most = size;
        qty_t rest = fixed_floor_to(most, in->lot_size);
        struct venue_purse trial = *p;
        struct venue_holding *t = h == &p->shorts ? &trial.shorts : &trial.held;
        struct venue_forced_leg leg;
        if (rest <= 0) break;
        if (rest == size) continue;
        if (!close_leg(in, &trial, t, size - rest, price, price, left, &leg)) break;
        if (suffices(in, stand, &trial, t, price)) return size - rest;
    }
    return size;
}

/* force_step does what venue_backing_force does for one position, h, once. */
static bool force_step(const struct venue_book *b, const struct venue_stand *stand,
                       struct venue_purse *p, struct venue_holding *held, price_t mark, bool gap,
                       struct venue_forced *out) {
    const struct mk_instrument *in = b->instrument;
    struct mk_holding h = { .quantity = held->quantity, .cost = held->cost };
    if (h.quantity == 0 || mark <= 0) return false;
    bool is_long = h.quantity > 0, cross = p->margin == MK_MARGIN_CROSS;
    cash_t all = all_of(stand, p, held);
    cash_t wallet = cross ? saturated(all, -stand->maintenance) : all;
    price_t limit, nothing;
    mk_liquidation_price(in, &h, wallet, &limit);
    if (is_long ? mark > limit : mark < limit) return false;
    uint8_t side = is_long ? SIDE_SELL : SIDE_BUY;
    price_t price = at_tick(in, gap ? mark : limit, side);
    mk_bankruptcy_price(in, &h, all, &nothing);
    nothing = at_tick(in, nothing, is_long ? SIDE_BUY : SIDE_SELL); /* so that nothing is lost */
    price_t met = price;
    if (is_long ? price < nothing : price > nothing) price = nothing;
    cash_t left = 0;
    if (!mk_margin_unrealized(in, &h, price, &left)) return false;
    left = saturated(all, left);
    qty_t quantity = is_long ? h.quantity : -h.quantity;
    bool room = out->cnt + 2 < VENUE_FORCED_MAX; /* for the end of two positions */
    if (p->steps && price == met && room) quantity = reduction(in, stand, p, held, price, left);
    assert(out->cnt < VENUE_FORCED_MAX);
    if (!close_leg(in, p, held, quantity, met, price, left, &out->legs[out->cnt])) return false;
    out->cnt++;
    return true;
}

/* force_one does it as often as it is met. */
static bool force_one(const struct venue_book *b, const struct venue_stand *stand,
                      struct venue_purse *p, struct venue_holding *held, price_t mark, bool gap,
                      struct venue_forced *out) {
    bool any = false;
    while (force_step(b, stand, p, held, mark, gap, out)) any = true;
    return any;
}

/* left_of returns what is left of all where the long is closed at up and the short at down. */
static cash_t left_of(const struct mk_instrument *in, cash_t all, const struct mk_holding *l,
                      price_t up, const struct mk_holding *s, price_t down) {
    cash_t a, b;
    if (!mk_margin_unrealized(in, l, up, &a) || !mk_margin_unrealized(in, s, down, &b))
        return INT64_MIN;
    return saturated(saturated(all, a), b);
}

/* force_both does what venue_backing_force does for a long and a short that one wallet backs. */
static bool force_both(const struct venue_book *b, const struct venue_stand *stand,
                       struct venue_purse *p, price_t from, price_t to, struct venue_forced *out) {
    const struct mk_instrument *in = b->instrument;
    struct mk_holding l = { .quantity = p->held.quantity, .cost = p->held.cost };
    struct mk_holding s = { .quantity = p->shorts.quantity, .cost = p->shorts.cost };
    cash_t all = all_of(stand, p, &p->held), wallet = saturated(all, -stand->maintenance);
    if (to <= 0 || !mk_pair_meets(in, &l, &s, wallet, to)) return false;
    price_t limit = from == 0 ? to : mk_pair_liquidation(in, &l, &s, wallet, from, to);
    price_t up = at_tick(in, limit, SIDE_SELL), down = at_tick(in, limit, SIDE_BUY);
    const price_t met[2] = { up, down };
    cash_t left = left_of(in, all, &l, up, &s, down);
    cash_t lack = left == INT64_MIN ? INT64_MAX : -left;
    if (left < 0 && l.quantity >= -s.quantity) {
        up = at_tick(in, mk_better(in, l.quantity, up, lack), SIDE_BUY);
    } else if (left < 0) {
        down = at_tick(in, mk_better(in, s.quantity, down, lack), SIDE_SELL);
    }
    left = left_of(in, all, &l, up, &s, down);
    struct venue_forced_leg *leg = &out->legs[out->cnt];
    assert(out->cnt + 2 <= VENUE_FORCED_MAX);
    if (!close_leg(in, p, &p->held, l.quantity, met[0], up, left, &leg[0])) return false;
    left = saturated(left, -leg[0].fee);
    bool whole = close_leg(in, p, &p->shorts, -s.quantity, met[1], down, left, &leg[1]);
    assert(whole); /* its figures were in range a moment ago */
    out->cnt += 2;
    return true;
}

/* is_pair tells whether one wallet backs a long and a short of p. */
static bool is_pair(const struct venue_purse *p) {
    return p->held.quantity != 0 && p->shorts.quantity != 0 && p->margin == MK_MARGIN_CROSS;
}

/* larger_of returns the larger position of a pair, of equals the long. */
static struct venue_holding *larger_of(struct venue_purse *p) {
    return p->held.quantity >= -p->shorts.quantity ? &p->held : &p->shorts;
}

/* beside returns stand with the other position of a pair than h added at price. */
static struct venue_stand beside(const struct mk_instrument *in, const struct venue_stand *stand,
                                 const struct venue_purse *p, const struct venue_holding *h,
                                 price_t price) {
    cash_t unrealized, maintenance;
    figures(in, h == &p->held ? &p->shorts : &p->held, price, &unrealized, &maintenance);
    return (struct venue_stand){ .unrealized = saturated(stand->unrealized, unrealized),
                                 .maintenance = saturated(stand->maintenance, maintenance) };
}

/* force_pair does what venue_backing_force does for a pair, step by step: of the larger position,
 * beside which the other stands, until that is closed or margin suffices for both. */
static bool force_pair(const struct venue_book *b, const struct venue_stand *stand,
                       struct venue_purse *p, price_t from, price_t to, struct venue_forced *out) {
    const struct mk_instrument *in = b->instrument;
    bool any = false;
    while (is_pair(p)) {
        struct mk_holding l = { .quantity = p->held.quantity, .cost = p->held.cost };
        struct mk_holding s = { .quantity = p->shorts.quantity, .cost = p->shorts.cost };
        cash_t wallet = saturated(all_of(stand, p, &p->held), -stand->maintenance);
        if (to <= 0 || !mk_pair_meets(in, &l, &s, wallet, to)) return any;
        price_t limit = from == 0 ? to : mk_pair_liquidation(in, &l, &s, wallet, from, to);
        struct venue_holding *h = larger_of(p);
        struct venue_stand both = beside(in, stand, p, h, limit);
        if (!force_step(b, &both, p, h, limit, true, out)) return any;
        any = true;
        if (from != 0) from = limit;
        if (h->quantity == 0) /* what is left of it stands alone, here first */
            (void)force_one(b, stand, p, h == &p->held ? &p->shorts : &p->held, limit, true, out);
    }
    return any;
}

bool venue_backing_force(const struct venue_book *b, const struct venue_stand *stand,
                         struct venue_purse *p, price_t from, price_t to,
                         struct venue_forced *out) {
    bool pair = is_pair(p);
    if (pair && !p->steps) return force_both(b, stand, p, from, to, out);
    if (pair && !force_pair(b, stand, p, from, to, out)) return false;
    if (is_pair(p)) return true;
    bool one = force_one(b, stand, p, &p->held, to, from == 0, out);
    bool other = p->hedge && force_one(b, stand, p, &p->shorts, to, from == 0, out);
    return pair || one || other;
}

/* say_forced says that account's position in b was closed by force. */
static void say_forced(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                       uint8_t account, const struct venue_forced_leg *leg) {
    cash_t pays = venue_fund_pays(v, b, account, leg) ? leg->pays : 0;
    venue_ledger_forced(v, b->instrument, leg->side, leg->quantity, leg->price, leg->fee, pays);
    struct msg_venue_liquidation *m = rt_say(ctx, MSG_VENUE_LIQUIDATION, 0, sizeof *m);
    *m = (struct msg_venue_liquidation){ .trade_id = ++v->trades,
                                         .price = leg->price,
                                         .quantity = leg->quantity,
                                         .fee = leg->fee,
                                         .instrument = b->instrument->id,
                                         .account = account,
                                         .side = leg->side };
}

/* cancel_with cancels the orders of account that go with a liquidation in b, and tells fills that
 * are on their way: they made the position. */
static void cancel_with(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                        uint8_t account) {
    if (v->market->accounts[account - 1].margin == MK_MARGIN_CROSS) {
        for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
            venue_cancel_forced(ctx, v, &v->books[i], account);
        }
    } else {
        venue_cancel_forced(ctx, v, b, account);
    }
    venue_flush(ctx, v);
}

void venue_backing_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                        const struct venue_forced *forced) {
    cancel_with(ctx, v, b, account);
    for (int n = 0; n < 2; n++) { /* what was sold first: the long of hedge mode */
        for (uint32_t i = 0; i < forced->cnt; i++) {
            bool sold = forced->legs[i].side == SIDE_SELL;
            if (sold == (n == 0)) say_forced(ctx, v, b, account, &forced->legs[i]);
        }
    }
}

/* --- worked in a book ---------------------------------------------------------------------- */

/* worked_on tells whether b has a book in which a liquidation is worked now. */
static bool worked_on(const struct venue *v, const struct venue_book *b) {
    return b->driver == VENUE_CROWD || (b->driver == VENUE_DEPTH && venue_depth_stands(v, b));
}

/* is_met tells whether margin no longer backs p's position h at mark. */
static bool is_met(const struct mk_instrument *in, const struct venue_stand *stand,
                   const struct venue_purse *p, const struct venue_holding *h, price_t mark) {
    return h->quantity != 0 && !suffices(in, stand, p, h, mark);
}

/* no_worse returns the price at which nothing of what backs p's position h is left, to the tick
 * that leaves something; at least one tick. */
static price_t no_worse(const struct mk_instrument *in, const struct venue_stand *stand,
                        const struct venue_purse *p, const struct venue_holding *h) {
    struct mk_holding held = { .quantity = h->quantity, .cost = h->cost };
    price_t nothing;
    mk_bankruptcy_price(in, &held, all_of(stand, p, h), &nothing);
    nothing = at_tick(in, nothing, h->quantity > 0 ? SIDE_BUY : SIDE_SELL);
    return nothing < in->tick_size ? in->tick_size : nothing;
}

/* worked_next finds which of p's positions is to be closed by force at mark, and how much of it;
 * false: none. */
static bool worked_next(const struct mk_instrument *in, const struct venue_stand *stand,
                        struct venue_purse *p, price_t mark, struct venue_worked *w) {
    struct venue_holding *h = &p->held;
    w->stand = *stand;
    if (is_pair(p)) {
        h = larger_of(p);
        w->stand = beside(in, stand, p, h, mark);
    } else if (!is_met(in, stand, p, h, mark)) {
        h = &p->shorts;
    }
    if (!is_met(in, &w->stand, p, h, mark)) return false;
    struct mk_holding held = { .quantity = h->quantity, .cost = h->cost };
    cash_t open;
    w->shorts = h == &p->shorts;
    w->side = h->quantity > 0 ? SIDE_SELL : SIDE_BUY;
    w->limit = no_worse(in, &w->stand, p, h);
    w->rest = h->quantity > 0 ? h->quantity : -h->quantity;
    price_t price = at_tick(in, mark, w->side);
    if (!p->steps || !mk_margin_unrealized(in, &held, price, &open)) return true;
    w->rest = reduction(in, &w->stand, p, h, price, saturated(all_of(&w->stand, p, h), open));
    return true;
}

void venue_backing_part(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                        struct venue_worked *w, qty_t quantity, price_t price) {
    const struct mk_instrument *in = b->instrument;
    struct venue_purse p = venue_purse(v, b, w->account), trial = p;
    struct venue_holding *h = w->shorts ? &p.shorts : &p.held;
    struct venue_holding *t = w->shorts ? &trial.shorts : &trial.held;
    struct venue_forced_leg leg;
    cash_t open, left = INT64_MAX; /* where no price leaves nothing there is enough */
    assert(quantity <= w->rest);
    w->rest -= quantity;
    if (!close_leg(in, &trial, t, quantity, price, price, 0, &leg)) return;
    struct mk_holding rest = { .quantity = t->quantity, .cost = t->cost };
    if (p.margin == MK_MARGIN_ISOLATED && rest.quantity == 0) {
        left = saturated(h->isolated, trial.cash - p.cash);
    } else if (mk_margin_unrealized(in, &rest, w->limit, &open)) {
        left = saturated(all_of(&w->stand, &trial, t), open);
    }
    if (!close_leg(in, &p, h, quantity, price, price, left, &leg)) return;
    venue_purse_put(v, b, w->account, &p);
    say_forced(ctx, v, b, w->account, &leg);
}

/* take_over lets the fund take over the position of w at the price at which nothing is left. What
 * that is better or worse than the mark the fund pays or gets. False when it leaves the range of
 * money. */
static bool take_over(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                      struct venue_purse *p, const struct venue_worked *w, price_t mark) {
    const struct mk_instrument *in = b->instrument;
    struct venue_holding *h = w->shorts ? &p->shorts : &p->held;
    struct mk_holding held = { .quantity = h->quantity, .cost = h->cost };
    qty_t quantity = h->quantity > 0 ? h->quantity : -h->quantity;
    price_t met = at_tick(in, mark, w->side);
    struct venue_forced_leg leg;
    cash_t open = 0;
    if (!mk_margin_unrealized(in, &held, w->limit, &open)) open = 0;
    cash_t left = saturated(all_of(&w->stand, p, h), open);
    if (!close_leg(in, p, h, quantity, met, w->limit, left, &leg) &&
        !close_leg(in, p, h, quantity, met, met, 0, &leg)) {
        return false;
    }
    if (w->side == SIDE_SELL ? leg.price < met : leg.price > met) leg.pays = -leg.pays;
    venue_purse_put(v, b, w->account, p);
    say_forced(ctx, v, b, w->account, &leg);
    return true;
}

/* sweep_worked closes what the mark meets of account's positions in b, whose book stands, by orders
 * that are immediate or cancel; what they do not get the fund takes over. */
static void sweep_worked(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                         price_t mark) {
    bool canceled = false;
    for (bool over = false;;) {
        struct venue_stand stand = venue_backing_stand(ctx, v, b, account);
        struct venue_purse p = venue_purse(v, b, account);
        struct venue_worked w = { .account = account };
        if (!worked_next(b->instrument, &stand, &p, mark, &w)) return;
        if (!canceled) cancel_with(ctx, v, b, account);
        canceled = true;
        if (over) {
            if (!take_over(ctx, v, b, &p, &w, mark)) return;
            over = false;
            continue;
        }
        bool room = b->driver == VENUE_DEPTH ? venue_depth_force(ctx, v, b, &w)
                                             : venue_crowd_force(ctx, v, b, &w);
        if (!room) return;
        over = w.rest > 0;
    }
}

void venue_backing_sweep(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, price_t mark) {
    for (uint32_t a = 1; b->backed_cnt > 0 && a <= v->market->account_cnt; a++) {
        uint8_t account = (uint8_t)a;
        if (!venue_backing_on(v, b, account)) continue;
        struct venue_purse p = venue_purse(v, b, account);
        if (!venue_account_holds(&p)) continue;
        if (worked_on(v, b)) {
            sweep_worked(ctx, v, b, account, mark);
            continue;
        }
        struct venue_stand stand = venue_backing_stand(ctx, v, b, account);
        struct venue_forced forced = { .legs = v->forced[0] };
        if (!venue_backing_force(b, &stand, &p, 0, mark, &forced)) continue;
        venue_purse_put(v, b, account, &p);
        venue_backing_tell(ctx, v, b, account, &forced);
    }
    venue_fund_settle(ctx, v, b);
}

/* fund_leg charges account funding on position h of p at mark, and says so. */
static void fund_leg(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                     struct venue_purse *p, struct venue_holding *h, price_t mark, int64_t rate) {
    cash_t amount, cash;
    if (h->quantity == 0 || !mk_funding(b->instrument, h->quantity, mark, rate, &amount) ||
        __builtin_sub_overflow(p->cash, amount, &cash)) {
        return;
    }
    p->cash = cash;
    venue_ledger_funding(v, b->instrument, h->quantity, mark, rate, amount);
    if (p->margin == MK_MARGIN_ISOLATED) h->isolated -= amount;
    venue_flush(ctx, v);
    struct msg_venue_funding *m = rt_say(ctx, MSG_VENUE_FUNDING, 0, sizeof *m);
    *m = (struct msg_venue_funding){ .payment_id = ++v->payments,
                                     .rate = rate,
                                     .mark = mark,
                                     .quantity = h->quantity,
                                     .amount = amount,
                                     .instrument = b->instrument->id,
                                     .account = account };
}

void venue_backing_fund(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                        const struct msg_funding *f) {
    price_t mark = f->mark > 0 ? f->mark : venue_backing_mark(ctx, b);
    for (uint32_t a = 1; b->held_cnt > 0 && a <= v->market->account_cnt; a++) {
        struct venue_purse p = venue_purse(v, b, (uint8_t)a);
        if (!venue_account_holds(&p)) continue;
        fund_leg(ctx, v, b, (uint8_t)a, &p, &p.held, mark, f->rate);
        fund_leg(ctx, v, b, (uint8_t)a, &p, &p.shorts, mark, f->rate);
        venue_purse_put(v, b, (uint8_t)a, &p);
    }
}
