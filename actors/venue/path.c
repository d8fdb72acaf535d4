#include "actors/venue/path.h"
#include "actors/venue/amend.h"
#include "actors/venue/bars.h"
#include "actors/venue/depth.h"
#include <assert.h>

/* Ways along a leg. */
enum course {
    DOWN = -1, /* the price falls */
    STILL = 0, /* it stands: an open */
    UP = 1,    /* it rises */
};

/* One way of an account along a path, worked on copies. */
struct way {
    const struct venue *v;      /* whose orders */
    const struct venue_book *b; /* of which instrument */
    struct venue_purse p;       /* as it leaves it */
    struct venue_forced forced; /* what was closed by force on it */
    struct venue_step *steps;   /* the account's orders, by order id */
    struct venue_deal *deals;   /* what came of those that ended, in that order */
    uint32_t *who;              /* which: index of the step */
    uint32_t cnt;               /* orders */
    uint32_t done;              /* deals */
    price_t at;                 /* where on the path it is */
    price_t from, to;           /* the leg it is on */
    price_t mark_from, mark_to; /* the mark's leg meanwhile */
    bool marked;                /* it is known what the mark does meanwhile */
    qty_t room;                 /* what the bar leaves for ours; without a cap all there is */
};

bool venue_path_has(const struct venue *v, const struct venue_book *b, uint8_t account) {
    if (b->more_cnt == 0) return false;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        if (o->account == account && o->flags & VENUE_MORE) return true;
    }
    return false;
}

uint8_t venue_path_stage(const struct venue_book *b, const struct venue_order *order) {
    const unsigned once = ORDER_TERMS_IOC | ORDER_TERMS_FOK;
    if (b->driver != VENUE_PRINTS) return VENUE_FRESH;
    if (mk_order_waits(order->type)) return VENUE_ARMED;
    return order->type == ORDER_TYPE_MARKET || order->terms & once ? VENUE_FIRED : VENUE_RESTS;
}

void venue_path_from(struct venue *v, const struct venue_book *b, uint8_t account, uint64_t id,
                     price_t price) {
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        struct venue_more *m = &v->orders.more[i];
        bool mine = v->orders.pool[i].account == account && v->orders.pool[i].flags & VENUE_MORE;
        if (mine && m->stage == VENUE_FRESH && m->terms.parent == id) m->extreme = price;
    }
}

/* falls tells whether a falling price meets the trigger of order. */
static bool falls(const struct venue_order *order) {
    bool takes =
        order->type == ORDER_TYPE_TAKE_PROFIT || order->type == ORDER_TYPE_TAKE_PROFIT_LIMIT;
    return takes == (order->side == SIDE_BUY);
}

/* trigger returns the trigger of order; 0 for a trailing stop that does not follow yet. It is never
 * nearer than told: a sale's is rounded down to the tick, a buy's up. */
static price_t trigger(const struct venue_book *b, const struct venue_order *order,
                       const struct mk_more *terms, price_t extreme) {
    const int64_t whole = 10000, tick = b->instrument->tick_size;
    if (order->type != ORDER_TYPE_TRAILING_STOP) {
        return mk_order_limited(order->type) ? terms->stop_price : order->price;
    }
    if (extreme == 0) return 0;
    __int128 at = (__int128)extreme * (order->side == SIDE_SELL ? whole - terms->trail_bips
                                                                : whole + terms->trail_bips);
    if (order->side == SIDE_SELL) {
        int64_t low = fixed_floor_to((int64_t)(at / whole), tick);
        return low < tick ? tick : low;
    }
    at = (at + whole - 1) / whole;
    return at > INT64_MAX - tick ? INT64_MAX : fixed_ceil_to((int64_t)at, tick);
}

bool venue_path_touch(const struct venue_book *b, const struct venue_order *order,
                      const struct mk_more *terms, price_t *extreme, price_t price) {
    bool sells = order->side == SIDE_SELL;
    if (order->type == ORDER_TYPE_TRAILING_STOP) {
        price_t from = terms->activation;
        if (*extreme == 0) {
            if (from == 0 || (sells ? price >= from : price <= from)) *extreme = price;
        } else if (sells ? price > *extreme : price < *extreme) {
            *extreme = price;
        }
    }
    price_t at = trigger(b, order, terms, *extreme);
    return at != 0 && (falls(order) ? price <= at : price >= at);
}

/* order_of returns the order of step k. */
static const struct venue_order *order_of(const struct way *w, uint32_t k) {
    return &w->v->orders.pool[w->steps[k].idx];
}

/* terms_of returns its further terms; those of a plain order are none. */
static const struct mk_more *terms_of(const struct way *w, uint32_t k) {
    static const struct mk_more none;
    uint32_t idx = w->steps[k].idx;
    return order_of(w, k)->flags & VENUE_MORE ? &w->v->orders.more[idx].terms : &none;
}

/* part_of returns how far between a and b (whole / of of the way from a), rounded toward a. */
static price_t part_of(price_t a, price_t b, int64_t whole, int64_t of) {
    return of == 0 ? a : a + (price_t)((__int128)(b - a) * whole / of);
}

/* mark_now returns where the mark is. */
static price_t mark_now(const struct way *w) {
    return part_of(w->mark_from, w->mark_to, w->at - w->from, w->to - w->from);
}

/* meets_mark tells whether the mark's leg meets the trigger t of order, and where the path is
 * then. */
static bool meets_mark(const struct way *w, const struct venue_order *order, price_t t, bool down,
                       price_t *at) {
    const int64_t tick = w->b->instrument->tick_size;
    if (!w->marked) return false;
    if (down ? w->mark_from <= t : w->mark_from >= t) return true; /* as the leg begins */
    if (down ? w->mark_to > t : w->mark_to < t) return false;
    price_t p = part_of(w->from, w->to, t - w->mark_from, w->mark_to - w->mark_from);
    p = order->side == SIDE_BUY ? fixed_ceil_to(p, tick) : fixed_floor_to(p, tick);
    bool falling = w->to < w->from;
    if (falling ? p < w->to : p > w->to) p = w->to; /* a leg off the tick */
    if (falling ? p < *at : p > *at) *at = p;
    return true;
}

static void look(struct way *w, uint32_t k);

/* lock_of returns what step k locks by itself on this way. */
static int64_t lock_of(const struct way *w, uint32_t k) {
    const struct venue_step *s = &w->steps[k];
    return venue_locks_of(w->b, order_of(w, k), s->left - s->waits, s->stage);
}

/* locked returns what step k locks on this way, with those of its group: the most of one; of
 * instruments that lock nothing 0. */
static int64_t locked(const struct way *w, uint32_t k) {
    if (w->b->instrument->kind != MK_SPOT) return 0;
    int64_t most = lock_of(w, k);
    uint64_t oco = terms_of(w, k)->oco;
    for (uint32_t i = 0; oco != 0 && i < w->cnt; i++) {
        if (terms_of(w, i)->oco != oco || order_of(w, i)->side != order_of(w, k)->side) continue;
        int64_t its = lock_of(w, i);
        if (its > most) most = its;
    }
    return most;
}

/* unlock makes what step k locks less by amount, below zero: more. */
static void unlock(struct way *w, uint32_t k, int64_t amount) {
    int64_t *sum = order_of(w, k)->side == SIDE_BUY ? &w->p.locked_quote : &w->p.locked_base;
    if (__builtin_sub_overflow(*sum, amount, sum)) *sum = INT64_MAX; /* more than any cash */
}

/* become brings step k to another stage, with what it locks. */
static void become(struct way *w, uint32_t k, uint8_t stage) {
    int64_t was = locked(w, k);
    w->steps[k].stage = stage;
    unlock(w, k, was - locked(w, k));
}

/* file files what came of step k. */
static void file(struct way *w, uint32_t k, const struct venue_deal *deal) {
    assert(w->steps[k].stage != VENUE_GONE && w->done < VENUE_DEALS * w->v->orders.max);
    w->deals[w->done] = *deal;
    w->who[w->done++] = k;
}

/* ended files what came of step k and takes it out. */
static void ended(struct way *w, uint32_t k, const struct venue_deal *deal) {
    file(w, k, deal);
    become(w, k, VENUE_GONE);
}

/* orphan ends the children of order id, and theirs. */
static void orphan(struct way *w, uint64_t id) {
    static const struct venue_deal gone = { .status = ORDER_STATUS_EXPIRED,
                                            .reason = REASON_LIST_PARENT };
    for (uint32_t k = 0; k < w->cnt; k++) {
        if (w->steps[k].stage != VENUE_PENDING || terms_of(w, k)->parent != id) continue;
        ended(w, k, &gone);
        orphan(w, order_of(w, k)->order_id);
    }
}

/* part ends the partners of step k, and what is open of its parent, because it was filled or has
 * triggered. */
static void part(struct way *w, uint32_t k) {
    static const struct venue_deal gone = { .status = ORDER_STATUS_EXPIRED,
                                            .reason = REASON_LIST_PARTNER };
    uint64_t oco = terms_of(w, k)->oco, parent = terms_of(w, k)->parent;
    for (uint32_t i = 0; (oco != 0 || parent != 0) && i < w->cnt; i++) {
        if (i == k || w->steps[i].stage == VENUE_GONE) continue;
        bool partner = oco != 0 && terms_of(w, i)->oco == oco;
        if (!partner && (parent == 0 || order_of(w, i)->order_id != parent)) continue;
        ended(w, i, &gone);
        orphan(w, order_of(w, i)->order_id);
    }
}

/* end ends step k unfilled. */
static void end(struct way *w, uint32_t k, uint8_t status, uint16_t reason) {
    const struct venue_deal deal = { .status = status, .reason = reason };
    ended(w, k, &deal);
    orphan(w, order_of(w, k)->order_id);
}

/* release lets the children of order id begin, or grow, by quantity. They are looked at where the
 * path is, by order id. */
static void release(struct way *w, uint64_t id, qty_t quantity) {
    for (uint32_t i = 0; i < w->cnt; i++) {
        struct venue_step *s = &w->steps[i];
        if (s->stage == VENUE_GONE || terms_of(w, i)->parent != id) continue;
        int64_t was = locked(w, i);
        s->waits -= quantity < s->waits ? quantity : s->waits;
        if (s->stage == VENUE_PENDING) s->stage = VENUE_FRESH;
        unlock(w, i, was - locked(w, i));
    }
}

/* charged_of gives what step k has paid of charges, on this way too, in out; NULL without. */
static const struct mk_charged *charged_of(const struct way *w, uint32_t k,
                                           struct mk_charged *out) {
    const struct mk_charged *before = venue_charged(w->v, w->steps[k].idx);
    if (before == NULL) return NULL;
    *out = *before;
    for (uint32_t i = 0; i < w->done; i++) {
        if (w->who[i] == k) venue_account_charged(out, &w->deals[i]);
    }
    return out;
}

/* trade trades step k at price, as far as there is room, and lets go on what hangs on it. */
static void trade(struct way *w, uint32_t k, price_t price, uint8_t liquidity) {
    struct venue_step *s = &w->steps[k];
    struct venue_order order = *order_of(w, k);
    struct venue_deal deal;
    order.quantity = s->left;
    qty_t open = s->left - s->waits, most = open < w->room ? open : w->room;
    bool once = order.terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK),
         limited = mk_order_limited(order.type);
    if (most < open && once && (most == 0 || order.terms & ORDER_TERMS_FOK)) {
        end(w, k, ORDER_STATUS_EXPIRED, REASON_NOT_FILLED_AT_ONCE);
        return;
    }
    if (most == 0) { /* the next bar looks at it */
        s->stage = limited ? VENUE_RESTS : VENUE_FIRED;
        return;
    }
    int64_t own = locked(w, k); /* it is met out of free and its own lock */
    unlock(w, k, own);
    struct mk_charged so_far;
    w->p.so_far = charged_of(w, k, &so_far);
    venue_account_deal(&w->p, w->b, &order, most, price, liquidity, &deal);
    unlock(w, k, -own);
    if (w->b->share > 0) w->room -= deal.quantity;
    if (deal.status == ORDER_STATUS_PARTIALLY_FILLED && (once || most == open)) {
        /* that a child has traded ends its parent: there is nothing left to wait for */
        deal.status = ORDER_STATUS_EXPIRED;
        deal.reason = once ? REASON_NOT_FILLED_AT_ONCE : REASON_LIST_PARENT;
    }
    bool stays = deal.status == ORDER_STATUS_PARTIALLY_FILLED;
    if (stays) {
        file(w, k, &deal);
        s->left -= deal.quantity;
        s->stage = limited ? VENUE_RESTS : VENUE_FIRED;
        unlock(w, k, own - locked(w, k));
    } else {
        ended(w, k, &deal);
    }
    if (deal.quantity > 0) {
        part(w, k);
        bool filled = deal.status == ORDER_STATUS_FILLED;
        bool grows = venue_grows(w->v, w->b);
        if (filled || grows) {
            release(w, order.order_id, grows ? deal.quantity : INT64_MAX);
        }
    }
    if (!stays && deal.status != ORDER_STATUS_FILLED) orphan(w, order.order_id);
}

/* look_limit looks at step k, a limit order that begins to work where the path is. */
static void look_limit(struct way *w, uint32_t k) {
    const struct venue_order *order = order_of(w, k);
    int64_t past = order->side == SIDE_BUY ? order->price - w->at : w->at - order->price;
    if (past < 0 && order->terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK)) {
        end(w, k, ORDER_STATUS_EXPIRED, REASON_NOT_FILLED_AT_ONCE);
    } else if (past < 0) {
        w->steps[k].stage = VENUE_RESTS;
    } else if (order->terms & ORDER_TERMS_POST_ONLY) {
        end(w, k, ORDER_STATUS_REJECTED, REASON_WOULD_MATCH);
    } else {
        trade(w, k, w->at, LIQUIDITY_TAKER);
    }
}

/* fire triggers step k where the path is. */
static void fire(struct way *w, uint32_t k) {
    w->steps[k].stage = VENUE_FIRED;
    part(w, k);
    uint16_t why = venue_rules_trigger(w->b, order_of(w, k), terms_of(w, k), w->at);
    if (why != REASON_NONE) {
        end(w, k, ORDER_STATUS_EXPIRED, why);
        return;
    }
    if (order_of(w, k)->terms & ORDER_TERMS_CLOSE_POSITION) {
        struct venue_step *s = &w->steps[k];
        s->left = s->closes = venue_closes(w->b, &w->p, order_of(w, k)->side);
        if (s->closes == 0) {
            end(w, k, ORDER_STATUS_EXPIRED, REASON_REDUCE_ONLY);
            return;
        }
    }
    if (mk_order_limited(order_of(w, k)->type)) {
        look_limit(w, k);
    } else {
        trade(w, k, w->at, LIQUIDITY_TAKER);
    }
}

/* look looks at step k, which is new, where the path is. */
static void look(struct way *w, uint32_t k) {
    const struct venue_order *order = order_of(w, k);
    if (order->type == ORDER_TYPE_MARKET) {
        trade(w, k, w->at, LIQUIDITY_TAKER);
    } else if (order->type == ORDER_TYPE_LIMIT) {
        look_limit(w, k);
    } else {
        bool mark = venue_by_mark(w->b, terms_of(w, k));
        price_t at = mark ? mark_now(w) : w->at;
        w->steps[k].stage = VENUE_ARMED;
        if (mark && !w->marked) return;
        if (venue_path_touch(w->b, order, terms_of(w, k), &w->steps[k].extreme, at)) fire(w, k);
    }
}

/* meets tells whether what is left of the leg to end meets step k, and where. */
static bool meets(const struct way *w, uint32_t k, enum course course, price_t end, price_t *at) {
    const struct venue_step *s = &w->steps[k];
    const struct venue_order *order = order_of(w, k);
    *at = w->at;
    if (s->stage == VENUE_FRESH) return true;
    if (s->stage == VENUE_ARMED) {
        price_t t = trigger(w->b, order, terms_of(w, k), s->extreme);
        bool down = falls(order);
        if (t != 0 && venue_by_mark(w->b, terms_of(w, k))) return meets_mark(w, order, t, down, at);
        if (t == 0 || (down ? course == UP : course == DOWN)) return false;
        if (down ? t < end : t > end) return false;
        if (down ? t < *at : t > *at) *at = t;
        return true;
    }
    if (w->room == 0) return false;
    if (s->stage == VENUE_FIRED) return course == STILL;
    if (s->stage != VENUE_RESTS) return false;
    bool down = order->side == SIDE_BUY;
    if (down ? course == UP : course == DOWN) return false;
    if (down ? order->price <= end : order->price >= end) return false;
    if (down ? order->price < *at : order->price > *at) *at = order->price;
    return true;
}

/* follow lets trailing stops follow the path to where it is. */
static void follow(struct way *w) {
    for (uint32_t k = 0; k < w->cnt; k++) {
        struct venue_step *s = &w->steps[k];
        const struct venue_order *order = order_of(w, k);
        if (s->stage != VENUE_ARMED || order->type != ORDER_TYPE_TRAILING_STOP) continue;
        bool mark = venue_by_mark(w->b, terms_of(w, k));
        if (mark && !w->marked) continue;
        (void)venue_path_touch(w->b, order, terms_of(w, k), &s->extreme,
                               mark ? mark_now(w) : w->at);
    }
}

/* walk goes along one leg to the price to. */
static void walk(struct way *w, enum course course, price_t to) {
    w->from = w->at;
    w->to = to;
    for (;;) {
        uint32_t next = VENUE_NONE;
        price_t where = 0;
        bool first = false;                     /* next is a stop that triggers */
        for (uint32_t k = 0; k < w->cnt; k++) { /* by order id: the first of equals stays */
            price_t at;
            if (!meets(w, k, course, to, &at)) continue;
            bool waits = w->steps[k].stage != VENUE_RESTS && mk_order_waits(order_of(w, k)->type);
            int64_t nearer = course == DOWN ? at - where : where - at;
            if (next == VENUE_NONE || nearer > 0 || (nearer == 0 && waits && !first)) {
                next = k;
                where = at;
                first = waits;
            }
        }
        if (next == VENUE_NONE) break;
        w->at = where;
        follow(w);
        switch (w->steps[next].stage) {
        case VENUE_FRESH: look(w, next); break;
        case VENUE_ARMED: fire(w, next); break;
        case VENUE_FIRED: trade(w, next, where, LIQUIDITY_TAKER); break;
        default: trade(w, next, where, LIQUIDITY_MAKER); break;
        }
    }
    w->at = w->from = to;
    w->mark_from = w->mark_to;
    follow(w);
}

/* force closes the position by force where the mark is at to, coming from from (0 = it opened
 * there); true when it did. */
static bool force(struct way *w, const struct venue_marks *m, price_t from, price_t to) {
    return m->backed && venue_backing_force(w->b, &m->stand, &w->p, from, to, &w->forced);
}

/* go takes the way from open over both extremes to the close of bar. With a cap the open is still
 * to be worked. */
static void go(struct way *w, const struct msg_bar *bar, const struct venue_marks *m,
               bool low_first) {
    w->at = bar->open;
    if (w->b->share > 0) walk(w, STILL, bar->open);
    price_t from = m->open;
    bool forced = force(w, m, 0, m->open);
    for (int leg = 0; leg < 2; leg++) {
        bool down = (leg == 0) == low_first;
        price_t to = down ? m->low : m->high;
        w->marked = true;
        w->mark_from = from;
        w->mark_to = to;
        w->from = w->to = w->at;
        if (leg == 0) follow(w); /* the mark's open */
        if (!forced) walk(w, down ? DOWN : UP, down ? bar->low : bar->high);
        if (forced && !venue_account_holds(&w->p)) return;
        if (force(w, m, from, to)) forced = true; /* what is left of it, in hedge mode */
        from = to;
    }
    if (forced) return;
    w->mark_from = from;
    w->mark_to = m->close;
    walk(w, low_first ? DOWN : UP, bar->close);
}

/* gather collects account's orders into the steps of both ways. New ones whose first bar is to come
 * are only there to be ended; bar = NULL: no bar opens. With joined no new one but that is looked
 * at. */
static uint32_t gather(struct venue *v, struct venue_book *b, uint8_t account,
                       const struct msg_bar_open *bar, uint32_t joined) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        if (o->account != account) continue;
        bool more = o->flags & VENUE_MORE;
        uint8_t rests = o->type == ORDER_TYPE_LIMIT ? VENUE_RESTS : VENUE_ARMED;
        uint8_t stage = more                     ? v->orders.more[i].stage
                        : o->flags & VENUE_EAGER ? VENUE_FRESH
                                                 : rests;
        bool first = bar != NULL && venue_bars_first(v, o, bar->interval_ns) <= bar->open_ns;
        if (stage == VENUE_FRESH && (joined == VENUE_NONE ? !first : i != joined)) {
            stage = VENUE_LATER;
        }
        v->gone[cnt++] = (struct venue_pick){ .order_id = o->order_id,
                                              .idx = i,
                                              .price = more ? v->orders.more[i].extreme : 0,
                                              .act = stage };
    }
    venue_pick_sort(v->gone, cnt);
    for (uint32_t k = 0; k < cnt; k++) {
        uint32_t idx = v->gone[k].idx;
        const struct venue_order *o = &v->orders.pool[idx];
        v->steps[0][k] = v->steps[1][k] = (struct venue_step){
            .extreme = v->gone[k].price,
            .left = o->quantity,
            .waits = o->flags & VENUE_MORE ? v->orders.more[idx].waits : 0,
            .idx = idx,
            .stage = v->gone[k].act,
        };
    }
    return cnt;
}

/* way_of makes way number n (0, 1) ready. */
static struct way way_of(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                         uint8_t account, uint32_t cnt, int n) {
    return (struct way){ .v = v,
                         .b = b,
                         .p = venue_purse_now(ctx, v, b, account),
                         .steps = v->steps[n],
                         .deals = v->deals[n],
                         .forced = { .legs = v->forced[n] },
                         .who = v->who[n],
                         .cnt = cnt,
                         .room = b->share > 0 ? b->room : INT64_MAX };
}

/* settle makes true what came of way w, and tells it. */
static void settle(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                   const struct way *w) {
    venue_purse_put(v, b, account, &w->p);
    b->room = w->room;
    for (uint32_t k = 0; k < w->cnt; k++) {
        const struct venue_step *s = &w->steps[k];
        struct venue_order *order = &v->orders.pool[s->idx];
        if (order->flags & VENUE_MORE) v->orders.more[s->idx].waits = s->waits;
        if (s->closes > 0) {
            const struct venue_figures now = { .price = order->price, .quantity = s->closes };
            order->quantity = s->closes;
            venue_say_amended(ctx, v, b, order, &now, REASON_NONE, false);
        }
        if (s->stage == VENUE_GONE || s->stage == VENUE_LATER) continue;
        if (order->flags & VENUE_MORE) {
            v->orders.more[s->idx].stage = s->stage;
            v->orders.more[s->idx].extreme = s->extreme;
        } else if (order->flags & VENUE_EAGER) {
            venue_orders_calm(b, order);
        }
    }
    for (uint32_t i = 0; i < w->done; i++) {
        venue_tell(ctx, v, b, w->steps[w->who[i]].idx, &w->deals[i]);
    }
    venue_locks_again(v, b, account);
}

qty_t venue_path_point(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                       const struct msg_bar_open *open, uint32_t joined) {
    uint32_t cnt = gather(v, b, account, open, joined);
    struct way w = way_of(ctx, v, b, account, cnt, 0);
    w.at = open->open;
    walk(&w, STILL, open->open);
    qty_t filled = 0;
    for (uint32_t i = 0; i < w.done; i++) {
        if (w.steps[w.who[i]].idx == joined) filled += w.deals[i].quantity;
    }
    settle(ctx, v, b, account, &w);
    return filled;
}

void venue_path_bar(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                    const struct msg_bar *bar, const struct venue_marks *marks) {
    const struct msg_bar_open open = { .open_ns = bar->open_ns, .interval_ns = bar->interval_ns };
    uint32_t cnt = gather(v, b, account, b->share > 0 ? &open : NULL, VENUE_NONE);
    struct way low = way_of(ctx, v, b, account, cnt, 0), high = way_of(ctx, v, b, account, cnt, 1);
    qty_t held = low.p.held.quantity + low.p.shorts.quantity;
    go(&low, bar, marks, true);
    go(&high, bar, marks, false);
    __int128 worth_low = venue_account_worth(&low.p, b->instrument, bar->close);
    __int128 worth_high = venue_account_worth(&high.p, b->instrument, bar->close);
    bool low_first = worth_low != worth_high ? worth_low < worth_high : held >= 0;
    const struct way *w = low_first ? &low : &high;
    settle(ctx, v, b, account, w);
    if (w->forced.cnt > 0) venue_backing_tell(ctx, v, b, account, &w->forced);
}

/* hanging returns the open order of account in b that hangs on id or oco and is to end, with the
 * smallest order id; VENUE_NONE when there is none. *reason tells why it ends. */
static uint32_t hanging(const struct venue *v, const struct venue_book *b, uint8_t account,
                        uint64_t id, uint64_t oco, bool children, uint16_t *reason) {
    uint32_t found = VENUE_NONE;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        const struct venue_more *m = &v->orders.more[i];
        if (o->account != account || !(o->flags & VENUE_MORE) || o->order_id == id) continue;
        bool partner = oco != 0 && m->terms.oco == oco;
        bool child = children && m->stage == VENUE_PENDING && m->terms.parent == id;
        if (!partner && !child) continue;
        if (found != VENUE_NONE && v->orders.pool[found].order_id < o->order_id) continue;
        found = i;
        *reason = partner ? REASON_LIST_PARTNER : REASON_LIST_PARENT;
    }
    return found;
}

/* begin lets the child idx begin, now. On bars the path knows since when it is there. */
static void begin(const struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                  uint32_t idx) {
    v->orders.more[idx].stage = venue_path_stage(b, &v->orders.pool[idx]);
    if (b->driver != VENUE_BARS) v->orders.pool[idx].from_ns = ctx->now_ns;
}

void venue_path_after(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                      uint64_t id, uint64_t oco, enum venue_fate fate) {
    bool children = fate == VENUE_FATE_CUT || fate == VENUE_FATE_ENDED;
    uint16_t reason;
    if (b->more_cnt == 0) return;
    if (fate == VENUE_FATE_ENDED) oco = 0;
    for (uint32_t i; (i = hanging(v, b, account, id, oco, children, &reason)) != VENUE_NONE;) {
        const struct venue_deal deal = { .status = ORDER_STATUS_EXPIRED, .reason = reason };
        uint64_t gone = v->orders.pool[i].order_id;
        venue_tell(ctx, v, b, i, &deal);
        venue_path_after(ctx, v, b, account, gone, 0, VENUE_FATE_ENDED);
    }
    for (uint32_t i = b->head; fate == VENUE_FATE_FILLED && i != VENUE_NONE;
         i = v->orders.pool[i].next) {
        struct venue_more *m = &v->orders.more[i];
        bool mine = v->orders.pool[i].account == account && v->orders.pool[i].flags & VENUE_MORE;
        if (mine && m->stage == VENUE_PENDING && m->terms.parent == id) {
            begin(ctx, v, b, i);
            m->waits = 0;
        }
    }
    if (fate == VENUE_FATE_FILLED) venue_locks_again(v, b, account);
}

/* grow_rest lets the order idx, a limit that rests and may trade more now, rest anew: what is added
 * is behind those that are there, as with an amend. Bars and trades know no queue. */
static void grow_rest(struct venue *v, struct venue_book *b, uint32_t idx) {
    if (b->driver == VENUE_CROWD) v->orders.more[idx].stage = VENUE_FRESH;
    if (b->driver != VENUE_DEPTH) return;
    venue_depth_leave(v, b, idx);
    v->orders.more[idx].stage = VENUE_FIRED;
    v->orders.pool[idx].seq = ++v->requests;
}

void venue_path_part(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                     uint64_t id, uint64_t parent, qty_t filled) {
    bool some = filled > 0 && b->more_cnt > 0;
    for (uint32_t i = some ? b->head : VENUE_NONE; i != VENUE_NONE; i = v->orders.pool[i].next) {
        struct venue_more *m = &v->orders.more[i];
        bool mine = v->orders.pool[i].account == account && v->orders.pool[i].flags & VENUE_MORE;
        if (!mine || m->terms.parent != id) continue;
        qty_t more = filled < m->waits ? filled : m->waits;
        m->waits -= more;
        if (m->stage == VENUE_PENDING) {
            begin(ctx, v, b, i);
        } else if (more > 0 && m->stage == VENUE_RESTS) {
            grow_rest(v, b, i);
        }
    }
    if (some) venue_locks_again(v, b, account);
    uint32_t idx = venue_orders_find(&v->orders, parent);
    if (idx == VENUE_NONE) return;
    const struct venue_deal gone = { .status = ORDER_STATUS_EXPIRED,
                                     .reason = REASON_LIST_PARTNER };
    venue_tell(ctx, v, b, idx, &gone);
    venue_path_after(ctx, v, b, account, parent, 0, VENUE_FATE_ENDED);
}
