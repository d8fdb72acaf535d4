#include "actors/portfolio/portfolio.h"
#include "actors/market/more.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct portfolio_position) == 64, "a position is one cache line");
_Static_assert(sizeof(struct portfolio_net) == 64, "what an account holds is one cache line");

enum {
    TIMER_MARK = 1,     /* key of the timer of equity marks */
    ROW_TIMER = 1,      /* counter row: timer_ns */
    ROW_STOPPED = 2,    /* counter row: STOP was heard */
    ROW_MARKED = 1024,  /* counter rows: + 4 x account, + 0 time, 1 equity, 2 unrealised, 3 cash */
    KEY_SHORT = 0x8000, /* in a position's key: the short of hedge mode */
    ROW_BURN = 4096,    /* counter rows: + 4 x account, + 0 balance of its fee asset, 1 as told, 2
                         * price as told */
    ROW_FILLED = 65536, /* counter rows: + instrument: price of its newest fill */
};
#define OWNER_BITS 0xffff0000ULL   /* of a position's key */
#define POLL_NS    1000000000LL    /* how often to look for the first bar of what is held */
#define TRADES_NS  3600000000000LL /* interval of marks on trades where every close is asked for */

/* key_of packs whose position it is. */
static uint64_t key_of(uint8_t account, uint16_t owner, uint16_t instrument) {
    return (uint64_t)account << 32 | (uint64_t)owner << 16 | instrument;
}

/* place_of returns the instrument's id in a position's key. */
static uint16_t place_of(uint64_t key) {
    return key & 0x7fff;
}

/* side_of tells which of its account's positions p is. */
static uint8_t side_of(const struct portfolio_state *st, uint64_t key) {
    if (key & KEY_SHORT) return POSITION_SIDE_SHORT;
    bool two = st->accounts[(key >> 32) - 1].hedge && !st->instruments[place_of(key) - 1].spot;
    return two ? POSITION_SIDE_LONG : POSITION_SIDE_BOTH;
}

/* instrument_of returns the instrument of a position. */
static struct portfolio_instrument *instrument_of(const struct portfolio_state *st,
                                                  const struct portfolio_position *p) {
    return &st->instruments[place_of(p->key) - 1];
}

/* account_of returns the account of a position. */
static struct portfolio_account *account_of(const struct portfolio_state *st,
                                            const struct portfolio_position *p) {
    return &st->accounts[(p->key >> 32) - 1];
}

/* net_of returns what the account of key holds of its instrument, on that side. */
static struct portfolio_net *net_of(const struct portfolio_state *st, uint64_t key) {
    size_t row = (size_t)(key >> 32) - 1 + (key & KEY_SHORT ? st->account_cnt : 0);
    return &st->nets[row * st->instrument_cnt + place_of(key) - 1];
}

/* key_for packs which position a trade is of: by side and terms in hedge mode. */
static uint64_t key_for(const struct portfolio_state *st, uint8_t account, uint16_t owner,
                        uint16_t instrument, uint8_t side, uint8_t terms) {
    uint64_t key = key_of(account, owner, instrument);
    bool two = st->accounts[account - 1].hedge && !st->instruments[instrument - 1].spot;
    return two && mk_order_short(side, terms) ? key | KEY_SHORT : key;
}

/* is_held tells whether quantity is a position: at least one lot, either way; else it is dust. */
static bool is_held(const struct portfolio_instrument *in, qty_t quantity) {
    return quantity >= in->lot_size || quantity <= -in->lot_size;
}

/* money brings a sum into the range of money: what does not fit is told as the most that does. */
static cash_t money(__int128 v) {
    return v > INT64_MAX ? INT64_MAX : v < -INT64_MAX ? -INT64_MAX : (cash_t)v;
}

/* magnitude returns v without its sign; v is not INT64_MIN. */
static int64_t magnitude(int64_t v) {
    return v < 0 ? -v : v;
}

/* share returns v x part / whole toward zero, without dividing where part is the whole. The result
 * is no larger than v, so it fits. */
static int64_t share(int64_t v, int64_t part, int64_t whole) {
    if (part == whole) return v;
    int64_t out = 0;
    bool fits = fixed_muldiv(v, part, whole, FIXED_ZERO, &out);
    assert(fits);
    return out;
}

bool portfolio_change_of(const struct mk_instrument *in, qty_t quantity, cash_t cost, qty_t moved,
                         cash_t flow, price_t price, cash_t fee, struct portfolio_change *out) {
    if (quantity == INT64_MIN || moved == INT64_MIN) return false;
    *out = (struct portfolio_change){ .quantity = quantity, .cost = cost };
    if (moved == 0) { /* the fee took all that was bought: its cash bought nothing */
        out->realized = flow;
        out->fee_open = fee;
        return true;
    }
    if (quantity == 0 || (quantity > 0) == (moved > 0)) {
        out->opened = true;
        out->fee_open = fee;
        return !__builtin_add_overflow(quantity, moved, &out->quantity) &&
               !__builtin_sub_overflow(cost, flow, &out->cost);
    }
    int64_t held = magnitude(quantity), way = magnitude(moved);
    int64_t closed = way < held ? way : held;
    cash_t taken = share(cost, closed, held), flow_close = flow;
    out->closed = true;
    out->opened = way > held;
    if (out->opened) {
        /* The part that closes is rounded as a fill of its own; the part that opens is the rest. */
        if (!mk_value(in, price, closed, moved > 0 ? FIXED_UP : FIXED_DOWN, &flow_close)) {
            return false;
        }
        if (moved > 0) flow_close = -flow_close;
    }
    out->fee_close = share(fee, closed, way);
    out->fee_open = fee - out->fee_close;
    out->quantity = quantity + moved; /* of other signs: fits */
    out->cost = out->opened ? flow_close - flow : cost - taken;
    return !__builtin_sub_overflow(flow_close, taken, &out->realized);
}

/* price_of returns what a position of the instrument is marked at, 0 when nothing is known. */
static price_t price_of(struct rt_ctx *ctx, const struct portfolio_instrument *in) {
    if (in->series != PORTFOLIO_NO_SERIES) {
        const void *row = rt_latest(ctx, in->series);
        if (row != NULL) {
            return in->trades ? ((const struct msg_trade *)row)->price
                              : ((const struct msg_bar *)row)->close;
        }
    }
    return in->last_fill;
}

/* burn_price returns what the fee asset of a is worth now, 0 when nothing is known. */
static price_t burn_price(struct rt_ctx *ctx, const struct portfolio_state *st,
                          const struct portfolio_account *a) {
    uint16_t by = a->burn->instrument;
    price_t told = by == 0 ? 0 : price_of(ctx, &st->instruments[by - 1]);
    return told > 0 ? told : a->burn->price;
}

/* say_burn tells what account number id has of its fee asset, where that has moved, and returns its
 * worth. */
static cash_t say_burn(struct rt_ctx *ctx, const struct portfolio_state *st, uint32_t id) {
    struct portfolio_account *a = &st->accounts[id - 1];
    price_t price = burn_price(ctx, st, a);
    cash_t worth;
    if (!fixed_mul(price, a->burn_held, FIXED_DOWN, &worth)) worth = INT64_MAX;
    if (a->burn_told == a->burn_held && a->burn_price == price) return worth;
    a->burn_told = a->burn_held;
    a->burn_price = price;
    struct msg_fee_balance *m = rt_say(ctx, MSG_FEE_BALANCE, 0, sizeof *m);
    *m = (struct msg_fee_balance){ .balance = a->burn_held,
                                   .price = price,
                                   .worth = worth,
                                   .asset = a->burn->asset,
                                   .account = (uint8_t)id };
    return worth;
}

/* worth_of returns what n is worth now; reckoned only when the price has moved. */
static cash_t worth_of(struct rt_ctx *ctx, const struct portfolio_instrument *in,
                       struct portfolio_net *n) {
    price_t price = price_of(ctx, in);
    if (price != n->mark) {
        n->mark = price;
        if (!mk_value(in->rules, price, n->quantity, FIXED_DOWN, &n->worth)) {
            n->worth = n->quantity > 0 ? INT64_MAX : -INT64_MAX;
        }
    }
    return n->worth;
}

/* Why an account is told. */
enum telling {
    TELL_STATE,    /* after a fill */
    TELL_MARK,     /* after a fill that opens or closes a position: a row of equity.csv, unless it
                    * repeats the last one */
    TELL_NEW_MARK, /* at a close or the end: likewise, but then nothing is told */
};

/* say_account tells what account number id is worth. */
static void say_account(struct rt_ctx *ctx, struct portfolio_state *st, uint32_t id,
                        enum telling why) {
    struct portfolio_account *a = &st->accounts[id - 1];
    __int128 unrealized = 0, equity = a->cash;
    for (uint32_t at = a->net; at != RT_MAP_NONE; at = st->nets[at].next) {
        struct portfolio_net *n = &st->nets[at];
        const struct portfolio_instrument *in = &st->instruments[at % st->instrument_cnt];
        cash_t worth = worth_of(ctx, in, n);
        unrealized += (__int128)worth - n->cost;
        equity += in->spot ? worth : (__int128)worth - n->cost;
    }
    if (a->burn != NULL) equity += say_burn(ctx, st, id);
    cash_t total = money(equity), open = money(unrealized);
    if (why != TELL_STATE && a->marked_ns == ctx->now_ns && a->marked_cash == a->cash &&
        a->marked_equity == total && a->marked_unrealized == open) {
        if (why == TELL_NEW_MARK) return;
        why = TELL_STATE;
    }
    if (why != TELL_STATE) {
        a->marked_ns = ctx->now_ns;
        a->marked_cash = a->cash;
        a->marked_equity = total;
        a->marked_unrealized = open;
    }
    struct msg_account_state *s = rt_say(ctx, MSG_ACCOUNT_STATE, 0, sizeof *s);
    *s = (struct msg_account_state){ .cash = a->cash,
                                     .unrealized_pnl = open,
                                     .equity = total,
                                     .position_cnt = a->open_cnt,
                                     .account = (uint8_t)id,
                                     .mark = why != TELL_STATE };
}

/* say_position tells a position as it stands, with what the fill realised. */
static void say_position(struct rt_ctx *ctx, const struct portfolio_state *st,
                         const struct portfolio_position *p, uint64_t trade_id, cash_t realized,
                         int64_t entry_ns) {
    struct msg_position *m = rt_say(ctx, MSG_POSITION, 0, sizeof *m);
    *m = (struct msg_position){ .trade_id = trade_id,
                                .quantity = p->quantity,
                                .cost = p->cost,
                                .realized_pnl = realized,
                                .realized_total = p->realized_total,
                                .fee_total = p->fee_total,
                                .entry_ns = entry_ns,
                                .instrument = place_of(p->key),
                                .owner = (uint16_t)(p->key >> 16),
                                .account = (uint8_t)(p->key >> 32),
                                .position_side = side_of(st, p->key) };
}

/* say_net tells what the account of p holds of its instrument, all strategies together. */
static void say_net(struct rt_ctx *ctx, const struct portfolio_state *st,
                    const struct portfolio_net *n, const struct portfolio_position *p,
                    uint64_t trade_id, cash_t realized) {
    struct msg_position *m = rt_say(ctx, MSG_POSITION, 0, sizeof *m);
    *m = (struct msg_position){ .trade_id = trade_id,
                                .quantity = n->quantity,
                                .cost = n->cost,
                                .realized_pnl = realized,
                                .realized_total = n->realized_total,
                                .fee_total = n->fee_total,
                                .instrument = place_of(p->key),
                                .account = (uint8_t)(p->key >> 32),
                                .position_side = side_of(st, p->key) };
}

/* position_of finds or makes a position; NULL when there is no room. */
static struct portfolio_position *position_of(struct portfolio_state *st, uint64_t key) {
    uint32_t at = rt_map_get(&st->by_key, key);
    if (__builtin_expect(at == RT_MAP_NONE, 0)) {
        at = st->by_key.cnt;
        if (rt_map_put(&st->by_key, key, at) != 0) return NULL;
        st->positions[at] =
            (struct portfolio_position){ .key = key, .next = RT_MAP_NONE, .prev = RT_MAP_NONE };
        net_of(st, key)->owner_cnt++;
    }
    return &st->positions[at];
}

/* net_put lets n hold quantity at cost, and keeps the list of what its account holds. */
static void net_put(struct portfolio_state *st, struct portfolio_net *n, qty_t quantity,
                    cash_t cost) {
    bool was = n->quantity != 0, is = quantity != 0;
    n->quantity = quantity;
    n->cost = cost;
    n->mark = 0; /* the quantity moves: worth is to be reckoned again */
    if (was == is) return;
    uint32_t at = (uint32_t)(n - st->nets);
    struct portfolio_account *a = &st->accounts[at / st->instrument_cnt % st->account_cnt];
    if (is) {
        n->prev = RT_MAP_NONE;
        n->next = a->net;
        if (n->next != RT_MAP_NONE) st->nets[n->next].prev = at;
        a->net = at;
        return;
    }
    if (n->prev != RT_MAP_NONE) {
        st->nets[n->prev].next = n->next;
    } else {
        a->net = n->next;
    }
    if (n->next != RT_MAP_NONE) st->nets[n->next].prev = n->prev;
}

/* link_open puts a position among the open ones of its account. */
static void link_open(struct portfolio_state *st, struct portfolio_position *p) {
    struct portfolio_account *a = account_of(st, p);
    uint32_t at = (uint32_t)(p - st->positions);
    p->prev = RT_MAP_NONE;
    p->next = a->open;
    if (a->open != RT_MAP_NONE) st->positions[a->open].prev = at;
    a->open = at;
    a->open_cnt++;
    st->open_cnt++;
}

/* unlink_open takes it out again. */
static void unlink_open(struct portfolio_state *st, struct portfolio_position *p) {
    struct portfolio_account *a = account_of(st, p);
    if (p->prev != RT_MAP_NONE) {
        st->positions[p->prev].next = p->next;
    } else {
        a->open = p->next;
    }
    if (p->next != RT_MAP_NONE) st->positions[p->next].prev = p->prev;
    a->open_cnt--;
    st->open_cnt--;
}

/* end_of returns when a bar ended. */
static int64_t end_of(const struct msg_bar *bar) {
    return bar->open_ns + bar->interval_ns;
}

/* due_of returns the first instant after now_ns at which a position of the instrument could be
 * marked: a close to come that falls on the interval. */
static int64_t due_of(struct rt_ctx *ctx, const struct portfolio_state *st,
                      const struct portfolio_instrument *in, int64_t now_ns) {
    if (in->trades || in->series == PORTFOLIO_NO_SERIES) {
        int64_t step = st->interval_ns > 0 ? st->interval_ns : TRADES_NS;
        return now_ns - now_ns % step + step;
    }
    const struct msg_bar *bar = rt_latest(ctx, in->series);
    if (bar == NULL) return now_ns + POLL_NS; /* its first bar has opened, its length is not told */
    int64_t end_ns = end_of(bar), span_ns = bar->interval_ns;
    if (end_ns <= now_ns) end_ns += ((now_ns - end_ns) / span_ns + 1) * span_ns;
    return st->interval_ns > 0 ? fixed_ceil_to(end_ns, st->interval_ns) : end_ns;
}

/* is_due tells whether a position of the instrument is marked at at_ns. */
static bool is_due(struct rt_ctx *ctx, const struct portfolio_state *st,
                   const struct portfolio_instrument *in, int64_t at_ns) {
    if (in->trades || in->series == PORTFOLIO_NO_SERIES) {
        return at_ns % (st->interval_ns > 0 ? st->interval_ns : TRADES_NS) == 0;
    }
    const struct msg_bar *bar = rt_latest(ctx, in->series);
    if (bar == NULL || end_of(bar) != at_ns) return false;
    return st->interval_ns == 0 || at_ns % st->interval_ns == 0;
}

/* arm sets the timer to at_ns when that is earlier than what it is set to. */
static void arm(struct rt_ctx *ctx, struct portfolio_state *st, int64_t at_ns) {
    if (st->stopped || (st->timer_ns != 0 && st->timer_ns <= at_ns)) return;
    st->timer_ns = at_ns;
    rt_timer_set(ctx, TIMER_MARK, at_ns);
}

/* refuse tells people of a fill that could not be booked. */
static void refuse(struct rt_ctx *ctx, const struct msg_fill *f, uint16_t reason) {
    struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
    *a = (struct msg_alert){
        .value = f->quantity, .subject = f->order_id, .actor = ctx->self, .reason = reason
    };
}

/* tell_fill moves p by what the fill did to it and tells it. Returns whether the account gets a row
 * of equity: a position opened or closed. */
static bool tell_fill(struct rt_ctx *ctx, struct portfolio_state *st,
                      const struct portfolio_instrument *in, struct portfolio_position *p,
                      const struct portfolio_change *c, uint64_t trade_id, int64_t time_ns) {
    bool was_open = is_held(in, p->quantity), is_open = is_held(in, c->quantity);
    bool turned = c->closed && c->opened;
    int64_t began_ns = was_open ? p->entry_ns : time_ns;
    cash_t realized = c->realized;
    p->realized_total += realized;
    p->fee_total += c->fee_close;
    if (turned) {
        p->quantity = 0;
        p->cost = 0;
        say_position(ctx, st, p, trade_id, realized, began_ns);
        realized = 0;
        began_ns = time_ns;
    }
    p->quantity = c->quantity;
    p->cost = c->cost;
    p->fee_total += c->fee_open;
    p->entry_ns = is_open ? began_ns : 0;
    say_position(ctx, st, p, trade_id, realized, began_ns);
    if (is_open && !was_open) {
        link_open(st, p);
        /* a fill inside a bar is told before the bar is, whose close is then still to come */
        const struct msg_bar *bar =
            in->trades || in->series == PORTFOLIO_NO_SERIES ? NULL : rt_latest(ctx, in->series);
        bool before = bar != NULL && end_of(bar) < ctx->now_ns;
        arm(ctx, st, due_of(ctx, st, in, before ? ctx->now_ns - 1 : ctx->now_ns));
    } else if (was_open && !is_open) {
        unlink_open(st, p); /* a timer still armed finds nothing and ends */
    }
    return is_open != was_open || turned;
}

/* portfolio_on_fill books a fill, and tells the position and the account. */
static void portfolio_on_fill(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct portfolio_state *st = state;
    const struct msg_fill *f = msg_body(frame);
    uint16_t owner = mk_order_owner(f->order_id);
    if (frame->source == ctx->self) return; /* booked when it was told */
    if (f->instrument == 0 || f->instrument > st->instrument_cnt || f->account == 0 ||
        f->account > st->account_cnt || f->quantity <= 0 || owner == 0) {
        refuse(ctx, f, REASON_UNKNOWN_INSTRUMENT);
        return;
    }
    struct portfolio_instrument *in = &st->instruments[f->instrument - 1];
    struct portfolio_account *a = &st->accounts[f->account - 1];
    uint64_t key = key_for(st, f->account, owner, f->instrument, f->side, f->terms);
    struct portfolio_net *n = net_of(st, key);
    bool buy = f->side == SIDE_BUY, in_base = in->spot && buy && f->fee_asset == in->base_asset;
    bool burnt = a->burn != NULL && !in_base && f->fee_asset == a->burn->asset;
    cash_t cash = 0, fee = f->fee, after = 0;
    qty_t moved = buy ? f->quantity : -f->quantity;
    struct portfolio_change c = { 0 }, whole;
    struct portfolio_position *p = position_of(st, key);
    if (p == NULL) {
        refuse(ctx, f, REASON_OPEN_ORDERS_MAX);
        return;
    }
    bool fits = mk_value(in->rules, f->price, f->quantity, buy ? FIXED_UP : FIXED_DOWN, &cash);
    if (in_base) {
        fits = fits && fixed_mul(f->fee, f->price, FIXED_UP, &fee) &&
               !__builtin_sub_overflow(moved, f->fee, &moved);
    }
    if (burnt) fits = fits && fixed_mul(f->fee, burn_price(ctx, st, a), FIXED_UP, &fee);
    cash_t flow = buy ? -cash : cash;
    fits = fits && (moved == 0 || (moved > 0) == buy) &&
           portfolio_change_of(in->rules, p->quantity, p->cost, moved, flow, f->price, fee, &c);
    whole = c;
    if (fits && n->owner_cnt > 1) {
        fits = portfolio_change_of(in->rules, n->quantity, n->cost, moved, flow, f->price, fee,
                                   &whole);
    }
    fits = fits && !__builtin_add_overflow(a->cash, in->spot ? flow : whole.realized, &after) &&
           (in_base || burnt || !__builtin_sub_overflow(after, fee, &after)) &&
           (!burnt || f->fee <= a->burn_held);
    if (!fits) {
        refuse(ctx, f, REASON_OVERFLOW);
        return;
    }
    a->cash = after;
    if (burnt) a->burn_held -= f->fee;
    a->realized_total += whole.realized;
    a->fee_total += fee;
    in->last_fill = f->price;
    n->realized_total += whole.realized;
    n->fee_total += fee;
    net_put(st, n, whole.quantity, whole.cost);
    bool mark = tell_fill(ctx, st, in, p, &c, f->trade_id, frame->time_ns);
    if (n->owner_cnt > 1) say_net(ctx, st, n, p, f->trade_id, whole.realized);
    say_account(ctx, st, f->account, mark ? TELL_MARK : TELL_STATE);
}

/* What is closed by force of an account's position. */
struct forced {
    const struct msg_liquidation *l; /* as told */
    uint16_t child;                  /* of the order ids of its fills; 1 = deleveraged, else 0 */
    uint8_t liquidity;               /* of its fills */
    int64_t time_ns;                 /* when */
};

/* say_forced_fill tells what was closed by force of p, as a fill of an order that was never made.
 */
static void say_forced_fill(struct rt_ctx *ctx, const struct forced *x,
                            const struct portfolio_position *p, qty_t quantity, cash_t fee,
                            uint16_t fee_asset) {
    const struct msg_liquidation *l = x->l;
    cash_t cost = INT64_MAX;
    (void)fixed_mul(l->price, quantity, p->quantity < 0 ? FIXED_UP : FIXED_DOWN, &cost);
    struct msg_fill *f = rt_say(ctx, MSG_FILL, 0, sizeof *f);
    *f = (struct msg_fill){ .order_id = mk_order_id((uint16_t)(p->key >> 16), 0, x->child),
                            .trade_id = l->trade_id,
                            .price = l->price,
                            .quantity = quantity,
                            .fee = fee,
                            .cum_quantity = quantity,
                            .cum_cost = cost,
                            .cum_fee = fee,
                            .instrument = l->instrument,
                            .fee_asset = fee_asset,
                            .account = l->account,
                            .side = p->quantity > 0 ? SIDE_SELL : SIDE_BUY,
                            .liquidity = x->liquidity,
                            .terms = ORDER_TERMS_EXIT };
}

/* close_forced closes size (> 0) of what p holds; its fill and position are told. False on
 * overflow. */
static bool close_forced(struct rt_ctx *ctx, struct portfolio_state *st, const struct forced *x,
                         struct portfolio_position *p, qty_t size, cash_t fee) {
    const struct portfolio_instrument *in = instrument_of(st, p);
    bool buy = p->quantity < 0;
    struct portfolio_change c;
    cash_t cash;
    if (!mk_value(in->rules, x->l->price, size, buy ? FIXED_UP : FIXED_DOWN, &cash) ||
        !portfolio_change_of(in->rules, p->quantity, p->cost, buy ? size : -size,
                             buy ? -cash : cash, x->l->price, fee, &c)) {
        return false;
    }
    say_forced_fill(ctx, x, p, size, fee, in->settle_asset);
    (void)tell_fill(ctx, st, in, p, &c, x->l->trade_id, x->time_ns);
    return true;
}

/* share_forced closes what x tells of the strategies' positions of whose. All of the account's
 * position: all of each. A part of it: of those that are on its side, in proportion to their
 * size, in whole lots, down; what that leaves is taken of them in order of their keys. False on
 * overflow. */
static bool share_forced(struct rt_ctx *ctx, struct portfolio_state *st, const struct forced *x,
                         uint64_t whose, qty_t held) {
    const struct msg_liquidation *l = x->l;
    qty_t lot = st->instruments[l->instrument - 1].lot_size;
    bool whole = l->quantity == magnitude(held);
    uint32_t cnt = rt_map_sorted(&st->by_key, st->sorted);
    __int128 sizes = 0;
    qty_t parts = 0;
    for (int pass = 0; pass < 2; pass++) { /* how much there is; how much is shared out at first */
        for (uint32_t i = 0; i < cnt; i++) {
            const struct portfolio_position *p = &st->positions[st->sorted[i].value];
            qty_t size = magnitude(p->quantity);
            if ((p->key & ~OWNER_BITS) != whose || size == 0) continue;
            if (!whole && (p->quantity > 0) != (held > 0)) continue;
            if (pass == 0) sizes += size;
            if (pass == 1)
                parts += fixed_floor_to((qty_t)(size * (__int128)l->quantity / sizes), lot);
        }
    }
    qty_t left = l->quantity - parts;
    cash_t fee_left = l->fee;
    __int128 done = 0, all = whole ? sizes : l->quantity;
    bool fits = true;
    for (uint32_t i = 0; i < cnt; i++) {
        struct portfolio_position *p = &st->positions[st->sorted[i].value];
        qty_t size = magnitude(p->quantity), closed = size;
        if ((p->key & ~OWNER_BITS) != whose || size == 0) continue;
        if (!whole) {
            if ((p->quantity > 0) != (held > 0)) continue;
            closed = fixed_floor_to((qty_t)(size * (__int128)l->quantity / sizes), lot);
            qty_t more = left < size - closed ? left : size - closed;
            left -= more;
            closed += more;
        }
        if (closed == 0) continue;
        done += closed;
        cash_t fee = done == all ? fee_left : (cash_t)((__int128)l->fee * closed / all);
        fee_left -= fee;
        fits = close_forced(ctx, st, x, p, closed, fee) && fits;
    }
    return fits;
}

/* forced books that the venue closed an account's position, or a part of it, by force. */
static void forced(struct rt_ctx *ctx, struct portfolio_state *st, const struct forced *x) {
    const struct msg_liquidation *l = x->l;
    struct msg_fill bad = { .order_id = l->trade_id, .quantity = l->quantity };
    if (l->instrument == 0 || l->instrument > st->instrument_cnt || l->account == 0 ||
        l->account > st->account_cnt || l->quantity < 0 || l->price <= 0) {
        refuse(ctx, &bad, REASON_UNKNOWN_INSTRUMENT);
        return;
    }
    struct portfolio_account *a = &st->accounts[l->account - 1];
    uint64_t whose = key_for(st, l->account, 0, l->instrument, l->side, ORDER_TERMS_EXIT);
    struct portfolio_net *n = net_of(st, whose);
    bool buy = l->side == SIDE_BUY;
    qty_t moved = buy ? l->quantity : -l->quantity;
    struct portfolio_change whole;
    const struct portfolio_instrument *in = &st->instruments[l->instrument - 1];
    cash_t cash, after;
    if (l->quantity == 0 && n->quantity == 0) { /* its strategies may hold against each other */
        if (!share_forced(ctx, st, x, whose, 0)) refuse(ctx, &bad, REASON_OVERFLOW);
        return;
    }
    bool fits = (n->quantity < 0) == buy && magnitude(n->quantity) >= l->quantity &&
                mk_value(in->rules, l->price, l->quantity, buy ? FIXED_UP : FIXED_DOWN, &cash) &&
                portfolio_change_of(in->rules, n->quantity, n->cost, moved, buy ? -cash : cash,
                                    l->price, l->fee, &whole) &&
                !__builtin_add_overflow(a->cash, whole.realized, &after) &&
                !__builtin_sub_overflow(after, l->fee, &after);
    if (!fits) { /* not what we hold: somebody must look */
        refuse(ctx, &bad, REASON_REFUSED_BAD_FRAME);
        return;
    }
    if (!share_forced(ctx, st, x, whose, n->quantity)) refuse(ctx, &bad, REASON_OVERFLOW);
    a->cash = after;
    a->realized_total += whole.realized;
    a->fee_total += l->fee;
    st->instruments[l->instrument - 1].last_fill = l->price;
    n->realized_total += whole.realized;
    n->fee_total += l->fee;
    net_put(st, n, whole.quantity, whole.cost);
    if (n->owner_cnt > 1) {
        const struct portfolio_position none = { .key = whose };
        say_net(ctx, st, n, &none, l->trade_id, whole.realized);
    }
    say_account(ctx, st, l->account, TELL_MARK);
}

/* portfolio_on_liquidation books that an account's position was liquidated. */
static void portfolio_on_liquidation(struct rt_ctx *ctx, void *state,
                                     const struct msg_frame *frame) {
    const struct forced x = { .l = msg_body(frame),
                              .liquidity = LIQUIDITY_TAKER,
                              .time_ns = frame->time_ns };
    forced(ctx, state, &x);
}

/* portfolio_on_deleverage books that an account's position was closed against another's. */
static void portfolio_on_deleverage(struct rt_ctx *ctx, void *state,
                                    const struct msg_frame *frame) {
    _Static_assert(sizeof(struct msg_deleverage) == sizeof(struct msg_liquidation),
                   "they have the same fields");
    struct msg_liquidation l;
    memcpy(&l, msg_body(frame), sizeof l);
    const struct forced x = {
        .l = &l, .child = 1, .liquidity = LIQUIDITY_TAKER, .time_ns = frame->time_ns
    };
    forced(ctx, state, &x);
}

/* portfolio_on_delivery books that an account's position was delivered. */
static void portfolio_on_delivery(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    _Static_assert(sizeof(struct msg_delivery) == sizeof(struct msg_liquidation),
                   "they have the same fields");
    struct msg_liquidation l;
    memcpy(&l, msg_body(frame), sizeof l);
    /* nobody took or made it */
    const struct forced x = { .l = &l, .time_ns = frame->time_ns };
    forced(ctx, state, &x);
}

/* portfolio_on_funding_fee books what funding cost. */
static void portfolio_on_funding_fee(struct rt_ctx *ctx, void *state,
                                     const struct msg_frame *frame) {
    struct portfolio_state *st = state;
    const struct msg_funding_fee *m = msg_body(frame);
    cash_t after;
    if (m->account == 0 || m->account > st->account_cnt ||
        __builtin_sub_overflow(st->accounts[m->account - 1].cash, m->amount, &after)) {
        struct msg_fill bad = { .order_id = m->payment_id, .quantity = m->amount };
        refuse(ctx, &bad, REASON_OVERFLOW);
        return;
    }
    st->accounts[m->account - 1].cash = after;
    say_account(ctx, st, m->account, TELL_STATE);
}

/* portfolio_on_trade keeps the last price of a market that the venue makes. */
static void portfolio_on_trade(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)ctx;
    struct portfolio_state *st = state;
    const struct msg_trade *trade = msg_body(frame);
    struct portfolio_instrument *in = &st->instruments[trade->instrument - 1];
    if (in->series == PORTFOLIO_NO_SERIES) in->last_fill = trade->price;
}

/* portfolio_on_timer marks the accounts whose instruments had a close at the timer's instant, and
 * arms the next one while anything is held. */
static void portfolio_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct portfolio_state *st = state;
    int64_t at_ns = ((const struct msg_timer *)msg_body(frame))->due_ns;
    int64_t next_ns = INT64_MAX;
    st->timer_ns = 0;
    for (uint32_t id = 1; id <= st->account_cnt && st->open_cnt > 0; id++) {
        bool due = false;
        for (uint32_t at = st->accounts[id - 1].open; at != RT_MAP_NONE;
             at = st->positions[at].next) {
            const struct portfolio_instrument *in = instrument_of(st, &st->positions[at]);
            due = due || is_due(ctx, st, in, at_ns);
            int64_t then_ns = due_of(ctx, st, in, ctx->now_ns);
            if (then_ns < next_ns) next_ns = then_ns;
        }
        if (due) say_account(ctx, st, id, TELL_NEW_MARK);
    }
    if (next_ns != INT64_MAX) arm(ctx, st, next_ns);
}

/* portfolio_on_stop writes the last row of each account that holds something, its fee asset too. */
static void portfolio_on_stop(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)frame;
    struct portfolio_state *st = state;
    st->stopped = true;
    if (st->timer_ns != 0) rt_timer_cancel(ctx, TIMER_MARK);
    st->timer_ns = 0;
    for (uint32_t id = 1; id <= st->account_cnt; id++) {
        const struct portfolio_account *a = &st->accounts[id - 1];
        if (a->open_cnt > 0 || a->burn != NULL) say_account(ctx, st, id, TELL_NEW_MARK);
    }
}

/* portfolio_init lays out the tables and deposits the cash. */
static int portfolio_init(struct rt_init *init, void *state, struct rt_error *err) {
    struct portfolio_state *st = state;
    const struct mk_market *world = init->world;
    int64_t positions = 0;
    int rc = rt_node_int(init->config, "positions_max", false, 1, PORTFOLIO_POSITIONS_CEILING, 4096,
                         &positions, err);
    if (rc != 0) return rc;
    st->interval_ns = world->equity_interval_ns;
    st->instrument_cnt = world->instrument_cnt;
    st->account_cnt = world->account_cnt;
    st->instruments = rt_init_take(init, world->instrument_cnt * sizeof *st->instruments);
    st->accounts = rt_init_take(init, world->account_cnt * sizeof *st->accounts);
    st->positions = rt_init_take(init, (size_t)positions * sizeof *st->positions);
    st->sorted = rt_init_take(init, (size_t)positions * sizeof *st->sorted);
    size_t nets = (size_t)world->account_cnt * world->instrument_cnt, both = 1;
    for (uint32_t i = 0; i < world->account_cnt; i++) both += world->accounts[i].hedge && both == 1;
    nets *= both;
    st->nets = rt_init_take(init, nets * sizeof *st->nets);
    rt_map_init(&st->by_key, rt_init_take(init, rt_map_bytes((uint32_t)positions)),
                (uint32_t)positions);
    for (uint32_t i = 0; i < world->account_cnt; i++) {
        st->accounts[i] = (struct portfolio_account){ .cash = world->accounts[i].cash,
                                                      .hedge = world->accounts[i].hedge,
                                                      .open = RT_MAP_NONE,
                                                      .net = RT_MAP_NONE,
                                                      .burn_told = -1 };
        const struct mk_fee_asset *burn = &world->accounts[i].burn;
        if (burn->on) st->accounts[i].burn = burn;
        st->accounts[i].burn_held = burn->balance;
    }
    for (uint32_t i = 0; i < world->instrument_cnt; i++) {
        const struct mk_instrument *mk = &world->instruments[i];
        struct portfolio_instrument *in = &st->instruments[i];
        in->base_asset = mk->base_asset;
        in->settle_asset = mk_settle(mk);
        in->rules = mk;
        in->lot_size = mk->lot_size;
        in->spot = mk->kind == MK_SPOT;
        int series = rt_init_series(init, MSG_BAR, mk->id, 0);
        if (series < 0) {
            series = rt_init_series(init, MSG_TRADE, mk->id, 0);
            in->trades = series >= 0;
        }
        in->series = series < 0 ? PORTFOLIO_NO_SERIES : (uint16_t)series;
    }
    return 0;
}

/* put_counter saves a figure. */
static void put_counter(struct rt_row_sink *sink, uint64_t id, int64_t value) {
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, id, &row, sizeof row);
}

/* save_net writes what the account of key holds on that side of its instrument, where more than one
 * strategy trades it; elsewhere it is what the one strategy holds. */
static void save_net(const struct portfolio_state *st, struct rt_row_sink *sink, uint64_t key) {
    const struct portfolio_net *n = net_of(st, key);
    if (n->owner_cnt < 2) return;
    struct msg_position_row row = { .quantity = n->quantity,
                                    .cost = n->cost,
                                    .realized_total = n->realized_total,
                                    .fee_total = n->fee_total,
                                    .instrument = place_of(key),
                                    .account = (uint8_t)(key >> 32),
                                    .position_side = side_of(st, key) };
    sink->put(sink, MSG_POSITION_ROW, key, &row, sizeof row);
}

/* save_nets writes them all. */
static void save_nets(const struct portfolio_state *st, struct rt_row_sink *sink) {
    for (uint32_t id = 1; id <= st->account_cnt; id++) {
        for (uint32_t of = 1; of <= st->instrument_cnt; of++) {
            uint64_t key = key_of((uint8_t)id, 0, (uint16_t)of);
            save_net(st, sink, key);
            if (st->accounts[id - 1].hedge) save_net(st, sink, key | KEY_SHORT);
        }
    }
}

/* portfolio_save writes accounts, positions in order of key, nets, and the figures. */
static void portfolio_save(const void *state, struct rt_row_sink *sink) {
    const struct portfolio_state *st = state;
    for (uint32_t id = 1; id <= st->account_cnt; id++) {
        const struct portfolio_account *a = &st->accounts[id - 1];
        struct msg_account_row row = { .cash = a->cash,
                                       .realized_total = a->realized_total,
                                       .fee_total = a->fee_total,
                                       .account = (uint8_t)id };
        sink->put(sink, MSG_ACCOUNT_ROW, id, &row, sizeof row);
    }
    uint32_t cnt = rt_map_sorted(&st->by_key, st->sorted);
    for (uint32_t i = 0; i < cnt; i++) {
        const struct portfolio_position *p = &st->positions[st->sorted[i].value];
        struct msg_position_row row = { .quantity = p->quantity,
                                        .cost = p->cost,
                                        .realized_total = p->realized_total,
                                        .fee_total = p->fee_total,
                                        .entry_ns = p->entry_ns,
                                        .instrument = place_of(p->key),
                                        .owner = (uint16_t)(p->key >> 16),
                                        .account = (uint8_t)(p->key >> 32),
                                        .position_side = side_of(st, p->key) };
        sink->put(sink, MSG_POSITION_ROW, p->key, &row, sizeof row);
    }
    save_nets(st, sink);
    put_counter(sink, ROW_TIMER, st->timer_ns);
    put_counter(sink, ROW_STOPPED, st->stopped);
    for (uint32_t id = 1; id <= st->account_cnt; id++) {
        const struct portfolio_account *a = &st->accounts[id - 1];
        if (a->burn == NULL) continue;
        put_counter(sink, ROW_BURN + id * 4, a->burn_held);
        put_counter(sink, ROW_BURN + id * 4 + 1, a->burn_told);
        put_counter(sink, ROW_BURN + id * 4 + 2, a->burn_price);
    }
    for (uint32_t id = 1; id <= st->account_cnt; id++) {
        const struct portfolio_account *a = &st->accounts[id - 1];
        if (a->marked_ns == 0) continue;
        put_counter(sink, ROW_MARKED + id * 4, a->marked_ns);
        put_counter(sink, ROW_MARKED + id * 4 + 1, a->marked_equity);
        put_counter(sink, ROW_MARKED + id * 4 + 2, a->marked_unrealized);
        put_counter(sink, ROW_MARKED + id * 4 + 3, a->marked_cash);
    }
    for (uint32_t id = 1; id <= st->instrument_cnt; id++) {
        price_t price = st->instruments[id - 1].last_fill;
        if (price != 0) put_counter(sink, ROW_FILLED + id, price);
    }
}

/* load_account takes an account back. */
static int load_account(struct portfolio_state *st, const struct msg_account_row *row,
                        struct rt_error *err) {
    if (row->account == 0 || row->account > st->account_cnt) {
        return rt_error_set(err, -EINVAL, "row of account %u: there is none", row->account);
    }
    struct portfolio_account *a = &st->accounts[row->account - 1];
    a->cash = row->cash;
    a->realized_total = row->realized_total;
    a->fee_total = row->fee_total;
    return 0;
}

/* load_position takes a position back. */
static int load_position(struct portfolio_state *st, const struct msg_position_row *row,
                         struct rt_error *err) {
    uint64_t key = key_of(row->account, row->owner, row->instrument);
    if (row->position_side == POSITION_SIDE_SHORT) key |= KEY_SHORT;
    if (row->account == 0 || row->account > st->account_cnt || row->instrument == 0 ||
        row->instrument > st->instrument_cnt || rt_map_get(&st->by_key, key) != RT_MAP_NONE) {
        return rt_error_set(err, -EINVAL, "row of position %llx makes no sense",
                            (unsigned long long)key);
    }
    struct portfolio_net *n = net_of(st, key);
    if (row->owner == 0) {
        n->loaded = true;
        n->realized_total = row->realized_total;
        n->fee_total = row->fee_total;
        net_put(st, n, row->quantity, row->cost);
        return 0;
    }
    struct portfolio_position *p = position_of(st, key);
    if (p == NULL) {
        return rt_error_set(err, -ENOSPC, "more positions than positions_max %u", st->by_key.max);
    }
    if (!n->loaded) {
        qty_t quantity;
        cash_t cost;
        if (__builtin_add_overflow(n->quantity, row->quantity, &quantity) ||
            __builtin_add_overflow(n->cost, row->cost, &cost) ||
            __builtin_add_overflow(n->realized_total, row->realized_total, &n->realized_total) ||
            __builtin_add_overflow(n->fee_total, row->fee_total, &n->fee_total)) {
            return rt_error_set(err, -ERANGE, "row of position %llx: the account's sum overflows",
                                (unsigned long long)key);
        }
        net_put(st, n, quantity, cost);
    }
    p->quantity = row->quantity;
    p->cost = row->cost;
    p->realized_total = row->realized_total;
    p->fee_total = row->fee_total;
    p->entry_ns = row->entry_ns;
    if (is_held(instrument_of(st, p), p->quantity)) link_open(st, p);
    return 0;
}

/* load_counter takes a figure back. */
static int load_counter(struct portfolio_state *st, const struct msg_counter_row *row,
                        struct rt_error *err) {
    if (row->id == ROW_TIMER) {
        st->timer_ns = row->value;
        return 0;
    }
    if (row->id == ROW_STOPPED) {
        st->stopped = row->value != 0;
        return 0;
    }
    if (row->id > ROW_FILLED && row->id <= ROW_FILLED + st->instrument_cnt) {
        st->instruments[row->id - ROW_FILLED - 1].last_fill = row->value;
        return 0;
    }
    uint64_t id = (row->id - ROW_BURN) / 4;
    if (row->id > ROW_BURN && id >= 1 && id <= st->account_cnt && (row->id & 3) < 3) {
        struct portfolio_account *a = &st->accounts[id - 1];
        int64_t *const fields[] = { &a->burn_held, &a->burn_told, &a->burn_price };
        *fields[row->id & 3] = row->value;
        return 0;
    }
    id = (row->id - ROW_MARKED) / 4;
    if (row->id > ROW_MARKED && id >= 1 && id <= st->account_cnt) {
        struct portfolio_account *a = &st->accounts[id - 1];
        cash_t *const fields[] = { &a->marked_ns, &a->marked_equity, &a->marked_unrealized,
                                   &a->marked_cash };
        *fields[row->id & 3] = row->value;
        return 0;
    }
    return rt_error_set(err, -EINVAL, "portfolio has no figure number %llu",
                        (unsigned long long)row->id);
}

/* portfolio_load takes one row back. */
static int portfolio_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                          struct rt_error *err) {
    struct portfolio_state *st = state;
    if (kind == MSG_ACCOUNT_ROW && bytes == sizeof(struct msg_account_row)) {
        return load_account(st, row, err);
    }
    if (kind == MSG_POSITION_ROW && bytes == sizeof(struct msg_position_row)) {
        return load_position(st, row, err);
    }
    if (kind == MSG_COUNTER_ROW && bytes == sizeof(struct msg_counter_row)) {
        return load_counter(st, row, err);
    }
    return rt_error_set(err, -EINVAL, "portfolio has no row of kind %u, key %llu, %u bytes", kind,
                        (unsigned long long)key, bytes);
}

/* Keys in YAML. */
static const struct rt_option portfolio_options[] = {
    { "positions_max", "int", "1..1048576", "4096",
      "positions (account, strategy and instrument) there is room for" },
    { NULL, NULL, NULL, NULL, NULL },
};

/* Kinds it says. */
static const uint16_t portfolio_says[] = { MSG_POSITION,    MSG_ACCOUNT_STATE, MSG_FILL,
                                           MSG_FEE_BALANCE, MSG_ALERT,         0 };

const struct rt_actor_kind portfolio_kind = {
    .name = "portfolio",
    .help = "keeps positions, cash, realised and unrealised P&L, equity, exact to the unit",
    .options = portfolio_options,
    .says = portfolio_says,
    .timer_class = RT_CLASS_TIMER, /* after the bars that end at that instant */
    .state_bytes = sizeof(struct portfolio_state),
    .init = portfolio_init,
    .on = { [MSG_FILL] = portfolio_on_fill,
            [MSG_LIQUIDATION] = portfolio_on_liquidation,
            [MSG_DELEVERAGE] = portfolio_on_deleverage,
            [MSG_DELIVERY] = portfolio_on_delivery,
            [MSG_FUNDING_FEE] = portfolio_on_funding_fee,
            [MSG_TRADE] = portfolio_on_trade,
            [MSG_TIMER] = portfolio_on_timer,
            [MSG_STOP] = portfolio_on_stop },
    .save = portfolio_save,
    .load = portfolio_load,
};
