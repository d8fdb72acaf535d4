#include "actors/risk/risk.h"
#include "actors/market/market.h"
#include "actors/market/more.h"
#include "actors/market/value.h"
#include <assert.h>
#include <errno.h>

_Static_assert(sizeof(struct risk_instrument) == 128, "two cache lines an instrument");
_Static_assert(sizeof(struct risk_exposure) == 64, "one cache line a position");
_Static_assert(sizeof(struct risk_order) == 32, "two orders a cache line");

/* Numbers of this file. */
enum {
    KEY_SHORT = 0x8000,  /* in a position's key: the short of hedge mode */
    ROW_SHORT = 4,       /* in an order row's flags: likewise */
    ROW_LINKED = 8,      /* there too: risk_order.linked */
    ROW_AMENDS = 16,     /* there too: risk_order.amends */
    BUCKETS_MAX = 16384, /* of the window: 64 KiB stay in cache; a window that could hold a million
                          * orders mostly holds few (a cold bucket cost each order 90 ns) */
    ROW_RATE = 1,        /* counter row: when the bucket is full again */
    ROW_KILLED = 2,      /* counter row: the kill word is up */
    ROW_JOURNAL = 3,     /* counter row: enum risk_journal */
    ROW_VERDICTS = 1024, /* counter rows: + reason */
    ROW_LAST = 1 << 16,  /* counter rows: + instrument id: its last price heard */
    EXIT_TERMS = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_CLOSE_POSITION,
    DONE = 1 << ORDER_STATUS_FILLED | 1 << ORDER_STATUS_CANCELED | 1 << ORDER_STATUS_REJECTED |
           1 << ORDER_STATUS_EXPIRED, /* statuses that end an order */
};
/* Order rows with a smaller key are orders of the duplicate window. */
#define KEY_ORDERS (1ULL << 49)

struct risk_step risk_step_of(int64_t step) {
    assert(step > 0);
    uint64_t turn = (uint64_t)__builtin_ctzll((uint64_t)step);
    uint64_t odd = (uint64_t)step >> turn;
    uint64_t inverse = odd; /* right in the lowest 3 bits; each turn doubles them (Newton) */
    for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - odd * inverse;
    return (struct risk_step){ .inverse = inverse,
                               .most = UINT64_MAX / (uint64_t)step,
                               .turn = (uint32_t)turn };
}

/* key_of packs whose position it is. */
static uint64_t key_of(uint8_t account, uint16_t owner, uint16_t instrument) {
    return (uint64_t)account << 32 | (uint64_t)owner << 16 | instrument;
}

/* key_for packs which position an order is of: by side and terms in hedge mode. */
static uint64_t key_for(const struct risk_state *st, uint8_t account, uint16_t owner,
                        uint16_t instrument, uint8_t side, uint8_t terms) {
    uint64_t key = key_of(account, owner, instrument);
    if (!st->hedge[account - 1] || st->instruments[instrument - 1].spot) return key;
    return mk_order_short(side, terms) ? key | KEY_SHORT : key;
}

/* reference returns the newest price of the instrument, 0 before the first. */
static price_t reference(struct rt_ctx *ctx, const struct risk_instrument *in) {
    if (in->series == RISK_NO_SERIES) return in->last;
    const void *row = rt_latest(ctx, in->series);
    if (row == NULL) return 0;
    return in->trades ? ((const struct msg_trade *)row)->price
                      : ((const struct msg_bar *)row)->close;
}

/* exposure_of finds, or makes, the position an intent would change; NULL when there is no room. */
static struct risk_exposure *exposure_of(struct risk_state *st, uint64_t key) {
    uint32_t at = rt_map_get(&st->by_key, key);
    if (__builtin_expect(at == RT_MAP_NONE, 0)) {
        at = st->by_key.cnt;
        if (rt_map_put(&st->by_key, key, at) != 0) return NULL;
        st->exposures[at] = (struct risk_exposure){ .key = key };
    }
    return &st->exposures[at];
}

/* bucket_of returns the head of the chain where an order like r would be. */
static uint32_t *bucket_of(const struct risk_state *st, const struct risk_recent *r) {
    uint64_t h = key_of(r->account, r->owner, r->instrument) << 16 | r->side << 8 | r->type;
    h = (h ^ (uint64_t)r->price) * 0x9e3779b97f4a7c15ULL;
    h = (h ^ h >> 32 ^ (uint64_t)r->quantity) * 0x9e3779b97f4a7c15ULL;
    return &st->buckets[h >> st->bucket_shift];
}

/* recent_of makes the window's record of an intent. */
static struct risk_recent recent_of(const struct msg_order_intent *i, int64_t now_ns) {
    return (struct risk_recent){ .price = i->price,
                                 .quantity = i->quantity,
                                 .time_ns = now_ns,
                                 .owner = mk_order_owner(i->order_id),
                                 .instrument = i->instrument,
                                 .account = i->account,
                                 .side = i->side,
                                 .type = i->type };
}

/* forget_old drops what has left the window. */
static void forget_old(struct risk_state *st, int64_t now_ns) {
    while (st->recent_cnt > 0) {
        const struct risk_recent *r = &st->recent[st->recent_first];
        if (now_ns - r->time_ns < st->window_ns) return;
        uint32_t *link = bucket_of(st, r); /* the oldest is the last of its chain */
        while (*link != st->recent_first) link = &st->recent[*link].next;
        *link = RT_MAP_NONE;
        st->recent_first = st->recent_first + 1 == st->recent_max ? 0 : st->recent_first + 1;
        st->recent_cnt--;
    }
}

/* is_repeated tells whether an order like r is in the window. */
static bool is_repeated(const struct risk_state *st, const struct risk_recent *r) {
    for (uint32_t at = *bucket_of(st, r); at != RT_MAP_NONE; at = st->recent[at].next) {
        const struct risk_recent *o = &st->recent[at];
        if (o->price == r->price && o->quantity == r->quantity && o->owner == r->owner &&
            o->instrument == r->instrument && o->account == r->account && o->side == r->side &&
            o->type == r->type) {
            return true;
        }
    }
    return false;
}

/* remember puts r, the newest, into the window. The rate bounds how many there are. */
static void remember(struct risk_state *st, const struct risk_recent *r) {
    assert(st->recent_cnt < st->recent_max);
    uint32_t at = st->recent_first + st->recent_cnt++;
    if (at >= st->recent_max) at -= st->recent_max;
    uint32_t *head = bucket_of(st, r);
    st->recent[at] = *r;
    st->recent[at].next = *head;
    *head = at;
}

/* An intent on its way through the checks. */
struct passage {
    const struct msg_order_intent *intent; /* what is asked */
    const struct mk_more *more;            /* its further terms, NULL = none */
    const struct risk_instrument *in;      /* of what */
    struct risk_exposure *exposure;        /* whose */
    price_t reference;                     /* newest price, 0 = none */
    qty_t quantity;                        /* what may pass so far */
    qty_t beside;                          /* open orders of its side that it must fit beside */
    bool free_exit;                        /* it can only reduce: some checks do not hold it */
    bool linked;                           /* what it may fill is reserved with another */
    bool whole;                            /* it may not be reduced */
};

/* find returns the open order with that id, or NULL. */
static struct risk_order *find(struct risk_state *st, uint64_t order_id) {
    uint32_t at = order_id == 0 ? RT_MAP_NONE : rt_map_get(&st->by_order, order_id);
    return at == RT_MAP_NONE ? NULL : &st->orders[at];
}

/* check_terms checks the further terms of an order, or that it needs none. */
static uint16_t check_terms(const struct passage *p) {
    static const struct mk_more none;
    const struct msg_order_intent *i = p->intent;
    const struct mk_more *m = p->more == NULL ? &none : p->more;
    uint16_t why = mk_more_refuses(i->order_id, i->type, i->terms, i->quantity, m);
    if (why != REASON_NONE) return why;
    bool on =
        risk_on_step(&p->in->tick, m->stop_price) && risk_on_step(&p->in->tick, m->activation);
    return on ? REASON_NONE : REASON_BAD_TICK;
}

/* check_form checks what the order itself tells: kind, lot, tick, size. */
static uint16_t check_form(const struct passage *p) {
    const struct msg_order_intent *i = p->intent;
    if (i->side > SIDE_SELL || i->type > ORDER_TYPE_TRAILING_STOP) return REASON_UNSUPPORTED;
    if (i->quantity <= 0 || !risk_on_step(&p->in->lot, i->quantity)) return REASON_BAD_LOT;
    if (mk_order_priced(i->type) && (i->price <= 0 || !risk_on_step(&p->in->tick, i->price))) {
        return REASON_BAD_TICK;
    }
    bool plain = mk_order_plain(i->type, i->terms);
    uint16_t why = plain && p->more == NULL ? REASON_NONE : check_terms(p);
    if (why != REASON_NONE) return why;
    if (i->quantity > p->in->max_order_quantity) return REASON_MAX_QUANTITY;
    return REASON_NONE;
}

/* reduce_to cuts the order to room, rounded down to the lot, when that is allowed and leaves
 * anything. */
static bool reduce_to(const struct risk_state *st, struct passage *p, qty_t room) {
    if (!st->reduce || p->whole || room < p->in->lot_size) return false;
    p->quantity = fixed_floor_to(room, p->in->lot_size);
    return true;
}

/* check_list checks an order that hangs on another, and marks it as linked where it can only take
 * back what that one opens, or is an exit beside it for what is held: one of both fills. */
static uint16_t check_list(struct risk_state *st, struct passage *p) {
    const struct msg_order_intent *i = p->intent;
    const struct mk_more *m = p->more;
    if (m == NULL || (m->parent == 0 && (m->oco == 0 || m->oco == i->order_id))) return REASON_NONE;
    const struct risk_order *first = find(st, m->parent != 0 ? m->parent : m->oco);
    if (first == NULL) return m->parent != 0 ? REASON_LIST_PARENT : REASON_LIST_PARTNER;
    bool reduces = i->terms & EXIT_TERMS && (p->in->spot || i->terms & ORDER_TERMS_REDUCE_ONLY);
    bool beside = &st->exposures[first->at] == p->exposure;
    qty_t left = first->linked ? 0 : first->left;
    if (!beside) return REASON_LIST_RULE;
    if (m->parent == 0) {
        p->linked = reduces && first->resting && first->side == i->side && i->quantity <= left;
        return REASON_NONE;
    }
    if (!reduces || first->side == i->side) return REASON_LIST_RULE;
    if (p->quantity > left && !reduce_to(st, p, left)) return REASON_LIST_RULE;
    p->linked = p->free_exit = true;
    return REASON_NONE;
}

/* only_reduces tells whether the venue lets an order with those terms reduce a position and never
 * open one. It counts what the account holds: that is the strategy's own where it is alone. */
static bool only_reduces(const struct risk_instrument *in, uint8_t terms) {
    return terms & (ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_CLOSE_POSITION) && !in->spot &&
           !in->shared;
}

/* reducing_of returns how much of what is reserved of e on side only reduces. */
static qty_t reducing_of(const struct risk_state *st, const struct risk_exposure *e, uint8_t side) {
    const uint32_t place = (uint32_t)(e - st->exposures);
    qty_t sum = 0;
    for (uint32_t i = 0; i < st->orders_max; i++) {
        const struct risk_order *o = &st->orders[i];
        if (o->order_id != 0 && o->at == place && o->side == side && o->reduces && !o->linked) {
            sum += o->left;
        }
    }
    return sum;
}

/* farthest returns how far the position may go in the direction of p's side by what is open on it,
 * and by p if that only reduces: such orders bring it to zero at most, whatever comes before or
 * after them. */
static qty_t farthest(const struct risk_state *st, const struct passage *p, qty_t along, qty_t open,
                      bool reduces) {
    const qty_t before = reducing_of(st, p->exposure, p->intent->side);
    const qty_t all = reduces ? before + p->quantity : before;
    if (along < 0) along = all < -along ? along + all : 0;
    return along + open - before;
}

/* check_position checks the order against what is held and reserved, and may reduce it. */
static uint16_t check_position(const struct risk_state *st, struct passage *p) {
    const struct msg_order_intent *i = p->intent;
    if (p->free_exit) return REASON_NONE; /* it takes back what its parent opens */
    const struct risk_exposure *e = p->exposure;
    bool exit = i->terms & EXIT_TERMS;
    qty_t along = i->side == SIDE_BUY ? e->quantity : -e->quantity; /* held in its direction */
    qty_t open = e->reserved[i->side];
    qty_t worst;
    if (__builtin_add_overflow(along, open, &worst) ||
        __builtin_add_overflow(worst, p->quantity, &worst)) {
        return REASON_OVERFLOW;
    }
    /* A market exit does not wait for the stop or target that its strategy is just canceling. */
    p->beside = i->type == ORDER_TYPE_MARKET ? open - e->resting[i->side] : open;
    if (p->linked) p->beside -= i->quantity; /* its partner's: only one of both fills */
    if (exit && p->quantity > -along) {
        if (!reduce_to(st, p, -along - p->beside)) {
            return p->in->spot && i->side == SIDE_SELL ? REASON_SHORT_NOT_ALLOWED
                                                       : REASON_MAX_POSITION;
        }
        worst = along + open + p->quantity;
    }
    p->free_exit = exit && along + p->beside + p->quantity <= 0;
    if (p->free_exit) return REASON_NONE;
    if (p->in->spot && i->side == SIDE_SELL && worst > 0 && !exit) return REASON_SHORT_NOT_ALLOWED;
    if (worst <= p->in->max_position) return REASON_NONE;
    /* rarely so: only now is it worth to look who of them cannot open anything */
    const bool reduces = only_reduces(p->in, i->terms);
    const qty_t room = p->in->max_position - farthest(st, p, along, open, reduces);
    if (room >= (reduces ? 0 : p->quantity) || reduce_to(st, p, room)) return REASON_NONE;
    return REASON_MAX_POSITION;
}

/* worth_of returns the notional of quantity at price, in quote, 1e-16. */
static inline __int128 worth_of(const struct risk_instrument *in, price_t price, qty_t quantity) {
    if (__builtin_expect(in->rules == NULL, 1)) return (__int128)price * quantity;
    return mk_quoted(in->rules, price, quantity);
}

/* check_price checks the price against the reference and the worth of the order. */
static uint16_t check_price(const struct passage *p) {
    const struct msg_order_intent *i = p->intent;
    const struct risk_instrument *in = p->in;
    bool market = !mk_order_priced(i->type);
    price_t price = market ? p->reference : i->price;
    if (p->reference <= 0) {
        if (!p->free_exit) return REASON_NO_REFERENCE_PRICE;
        if (market) return REASON_NONE; /* an exit at a price nobody can tell */
    } else if (!market) {
        int64_t off = price > p->reference ? price - p->reference : p->reference - price;
        if ((__int128)off * FIXED_ONE > (__int128)in->price_collar * p->reference) {
            return REASON_PRICE_COLLAR;
        }
    }
    __int128 worth = worth_of(in, price, i->quantity);
    if (worth > (__int128)INT64_MAX * FIXED_ONE) return REASON_OVERFLOW;
    if (worth > (__int128)in->max_order_notional * FIXED_ONE) return REASON_MAX_NOTIONAL;
    if (p->quantity != i->quantity) worth = worth_of(in, price, p->quantity);
    if (worth < (__int128)in->min_notional * FIXED_ONE) {
        const struct risk_exposure *e = p->exposure;
        qty_t held = i->side == SIDE_SELL ? e->quantity : -e->quantity;
        bool closes = p->free_exit && p->quantity + p->beside == held;
        if (!in->spot && i->terms & ORDER_TERMS_REDUCE_ONLY) closes = true; /* the venue's rule */
        if (!closes) return REASON_MIN_NOTIONAL;
    }
    return REASON_NONE;
}

/* check_flow checks how many orders there are and how fast they come; last, because what passes
 * here is spent. */
static uint16_t check_flow(struct rt_ctx *ctx, struct risk_state *st, const struct passage *p) {
    if (st->orders_free == RT_MAP_NONE) return REASON_OPEN_ORDERS_MAX;
    if (rt_map_get(&st->by_order, p->intent->order_id) != RT_MAP_NONE) return REASON_DUPLICATE_ID;
    if (p->free_exit) return REASON_NONE;
    if (st->journal == RISK_JOURNAL_LOW) return REASON_JOURNAL_LOW;
    struct risk_recent r = recent_of(p->intent, ctx->now_ns);
    forget_old(st, ctx->now_ns);
    if (is_repeated(st, &r)) return REASON_DUPLICATE_ORDER;
    if (rt_bucket_take(&st->rate, ctx->now_ns, 1) != 0) return REASON_ORDER_RATE;
    remember(st, &r);
    return REASON_NONE;
}

/* check returns why the intent is refused, or REASON_NONE with p->quantity what passes. */
static uint16_t check(struct rt_ctx *ctx, struct risk_state *st, uint16_t source,
                      struct passage *p) {
    const struct msg_order_intent *i = p->intent;
    uint16_t owner = mk_order_owner(i->order_id);
    if (st->killed) return REASON_KILL_SWITCH;
    if (st->journal == RISK_JOURNAL_FAILED) return REASON_JOURNAL_FAILED;
    if (owner == 0 || owner != source) return REASON_REFUSED_BAD_FRAME; /* a stranger's number */
    if (i->instrument == 0 || i->instrument > st->instrument_cnt || i->account == 0 ||
        i->account > st->account_cnt) {
        return REASON_UNKNOWN_INSTRUMENT;
    }
    p->in = &st->instruments[i->instrument - 1];
    struct risk_recent r = recent_of(i, ctx->now_ns);
    __builtin_prefetch(bucket_of(st, &r)); /* looked at last, by check_flow */
    p->exposure = exposure_of(st, key_for(st, i->account, owner, i->instrument, i->side, i->terms));
    if (p->exposure == NULL) return REASON_OPEN_ORDERS_MAX;
    p->reference = reference(ctx, p->in);
    p->exposure->reference = p->reference;
    uint16_t why = check_form(p);
    if (i->terms & ORDER_TERMS_CLOSE_POSITION) { /* what it may fill is what is held */
        if (p->in->spot) return REASON_BAD_TERMS;
        if (p->in->shared) return REASON_POSITION_SHARED;
        p->linked = p->free_exit = true;
    } else if (why == REASON_NONE) {
        why = check_list(st, p);
    }
    if (why == REASON_NONE) why = check_position(st, p);
    if (why == REASON_NONE) why = check_price(p);
    if (why == REASON_NONE) why = check_flow(ctx, st, p);
    return why;
}

/* release takes quantity off what is reserved for o (below zero: adds it). */
static void release(struct risk_exposure *e, const struct risk_order *o, qty_t quantity) {
    if (o->linked) return;
    e->reserved[o->side] -= quantity;
    if (o->resting) e->resting[o->side] -= quantity;
}

/* reserve books what passes; there is room, check_flow has looked. */
static void reserve(struct risk_state *st, const struct passage *p) {
    uint32_t at = st->orders_free;
    struct risk_order *o = &st->orders[at];
    const struct msg_order_intent *i = p->intent;
    int rc = rt_map_put(&st->by_order, i->order_id, at);
    assert(rc == 0);
    st->orders_free = o->at;
    *o = (struct risk_order){ .order_id = i->order_id,
                              .left = p->quantity,
                              .at = (uint32_t)(p->exposure - st->exposures),
                              .side = i->side,
                              .resting = i->type != ORDER_TYPE_MARKET && i->terms & EXIT_TERMS,
                              .reduces = only_reduces(p->in, i->terms),
                              .linked = p->linked };
    release(p->exposure, o, -o->left);
}

/* risk_on_order_intent answers with the verdict. */
static void risk_on_order_intent(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct risk_state *st = state;
    const struct msg_order_intent *i = msg_body(frame);
    const struct mk_more *more = frame->kind == MSG_ORDER_INTENT ? NULL : mk_more_of(i, sizeof *i);
    struct passage p = { .intent = i, .more = more, .quantity = i->quantity };
    uint16_t reason = check(ctx, st, frame->source, &p);
    if (reason != REASON_NONE) {
        p.quantity = 0;
    } else {
        reserve(st, &p);
        if (p.quantity != i->quantity) reason = REASON_REDUCED;
    }
    st->verdicts[reason]++;
    struct msg_risk_verdict *v;
    if (more == NULL || p.quantity == 0) {
        v = rt_say(ctx, MSG_RISK_VERDICT, 0, sizeof *v);
    } else if (frame->kind == MSG_ORDER_REPLACE) {
        const struct msg_order_replace *old = msg_body(frame);
        struct msg_replace_verdict *r = rt_say(ctx, MSG_REPLACE_VERDICT, 0, sizeof *r);
        *r = (struct msg_replace_verdict){ .replaces = old->replaces, .anyway = old->anyway };
        v = (struct msg_risk_verdict *)r;
        mk_more_put(v, sizeof *v, more);
    } else {
        v = rt_say(ctx, MSG_RISK_VERDICT_MORE, 0, sizeof(struct msg_risk_verdict_more));
        mk_more_put(v, sizeof *v, more);
    }
    *v = (struct msg_risk_verdict){ .order_id = i->order_id,
                                    .price = i->price,
                                    .quantity = p.quantity,
                                    .instrument = i->instrument,
                                    .account = i->account,
                                    .side = i->side,
                                    .type = i->type,
                                    .terms = i->terms,
                                    .reason = reason };
}

/* check_amend returns why the amend m of the order o is refused, REASON_NONE when it passes. Then
 * *left is what may fill of it afterwards. */
static uint16_t check_amend(struct rt_ctx *ctx, struct risk_state *st, struct risk_order *o,
                            const struct msg_order_change *m, qty_t *left) {
    const struct msg_order_intent as = { .order_id = m->order_id,
                                         .price = m->price,
                                         .quantity =
                                             m->quantity > 0 ? m->quantity : o->filled + o->left,
                                         .instrument = m->instrument,
                                         .account = m->account,
                                         .side = m->side,
                                         .type = m->type,
                                         .terms = m->terms };
    struct risk_exposure *e = &st->exposures[o->at];
    const struct risk_instrument *in = &st->instruments[(e->key & 0x7fff) - 1];
    struct passage p = { .intent = &as, .in = in, .exposure = e, .whole = true };
    bool exit = as.terms & EXIT_TERMS, priced = mk_order_priced(as.type);
    if (m->price < 0 || m->quantity < 0 || m->stop_price < 0) return REASON_REFUSED_BAD_FRAME;
    if (m->side != o->side || as.type == ORDER_TYPE_MARKET || o->resting != exit ||
        o->reduces != only_reduces(in, as.terms)) {
        return REASON_REFUSED_BAD_FRAME; /* it is not what passed */
    }
    if (m->price > 0 && (!priced || !risk_on_step(&in->tick, m->price))) return REASON_BAD_TICK;
    if (!risk_on_step(&in->tick, m->stop_price)) return REASON_BAD_TICK;
    if (!risk_on_step(&in->lot, as.quantity)) return REASON_BAD_LOT;
    if (as.quantity <= o->filled) return REASON_AMEND_RULE;
    *left = p.quantity = as.quantity - o->filled;
    if (*left <= o->left && m->price == 0 && m->stop_price == 0) return REASON_NONE;
    if (o->linked && *left > o->left) return REASON_LIST_RULE;
    if (priced && m->price == 0 && *left > o->left) return REASON_REFUSED_BAD_FRAME;
    if (as.quantity > in->max_order_quantity) return REASON_MAX_QUANTITY;
    p.linked = p.free_exit = o->linked;
    p.reference = e->reference = reference(ctx, in);
    release(e, o, o->left); /* as if it were not there: it is one or the other */
    uint16_t why = check_position(st, &p);
    release(e, o, -o->left);
    if (!exit) p.quantity = as.quantity;
    if (why == REASON_NONE && (m->price > 0 || !priced)) why = check_price(&p);
    if (why != REASON_NONE || p.free_exit) return why;
    if (st->journal == RISK_JOURNAL_LOW) return REASON_JOURNAL_LOW;
    return rt_bucket_take(&st->rate, ctx->now_ns, 1) != 0 ? REASON_ORDER_RATE : REASON_NONE;
}

/* amend_of answers why the amend m is refused, REASON_NONE when it passes: then it is booked. */
static uint16_t amend_of(struct rt_ctx *ctx, struct risk_state *st, uint16_t source,
                         const struct msg_order_change *m) {
    uint16_t owner = mk_order_owner(m->order_id);
    qty_t left = 0;
    if (owner == 0 || owner != source) return REASON_REFUSED_BAD_FRAME;
    struct risk_order *o = find(st, m->order_id);
    if (o == NULL) return REASON_UNKNOWN_ORDER;
    struct risk_exposure *e = &st->exposures[o->at];
    if ((e->key & ~(uint64_t)KEY_SHORT) != key_of(m->account, owner, m->instrument)) {
        return REASON_REFUSED_BAD_FRAME;
    }
    if (o->amends) return REASON_AMEND_PENDING;
    bool smaller = m->price == 0 && m->stop_price == 0 && m->quantity > 0 &&
                   m->quantity <= o->filled + o->left;
    if (st->killed && !smaller) return REASON_KILL_SWITCH;
    if (st->journal == RISK_JOURNAL_FAILED) return REASON_JOURNAL_FAILED;
    uint16_t why = check_amend(ctx, st, o, m, &left);
    if (why != REASON_NONE) return why;
    o->amends = true;
    if (left <= o->left) return REASON_NONE;
    release(e, o, o->left - left);
    o->left = left;
    return REASON_NONE;
}

/* risk_on_order_change passes a cancel on, and answers an amend with the verdict. */
static void risk_on_order_change(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct risk_state *st = state;
    const struct msg_order_change *m = msg_body(frame);
    bool amends = m->op == REQUEST_OP_AMEND;
    if (!amends && (m->op != REQUEST_OP_CANCEL || mk_order_owner(m->order_id) != frame->source)) {
        return; /* nobody cancels for others */
    }
    uint16_t reason = amends ? amend_of(ctx, st, frame->source, m) : m->reason;
    if (amends) st->verdicts[reason]++;
    struct msg_change_verdict *v = rt_say(ctx, MSG_CHANGE_VERDICT, 0, sizeof *v);
    *v = (struct msg_change_verdict){ .order_id = m->order_id,
                                      .price = m->price,
                                      .quantity = m->quantity,
                                      .stop_price = m->stop_price,
                                      .instrument = m->instrument,
                                      .account = m->account,
                                      .side = m->side,
                                      .type = m->type,
                                      .terms = m->terms,
                                      .op = m->op,
                                      .reason = reason };
}

/* risk_on_order_amended reserves what an order may fill with the figures it has now. */
static void risk_on_order_amended(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)ctx;
    struct risk_state *st = state;
    const struct msg_order_amended *m = msg_body(frame);
    struct risk_order *o = m->by == AMEND_BY_RISK ? NULL : find(st, m->order_id);
    if (o == NULL || m->quantity == 0) return;        /* nothing was booked, or its end is told */
    if (m->by == AMEND_BY_VENUE && o->amends) return; /* the answer to that will tell */
    qty_t left = m->quantity > o->filled ? m->quantity - o->filled : 0;
    if (m->by == AMEND_BY_STRATEGY) o->amends = false;
    release(&st->exposures[o->at], o, o->left - left);
    o->left = left;
}

/* risk_on_fill turns reservation into position. Fills of strategies that never came by here are
 * another gate's. */
static void risk_on_fill(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct risk_state *st = state;
    const struct msg_fill *f = msg_body(frame);
    struct risk_order *o = find(st, f->order_id);
    struct risk_exposure *e;
    if (o != NULL) {
        e = &st->exposures[o->at];
        qty_t out = f->quantity < o->left ? f->quantity : o->left;
        o->left -= out;
        o->filled += out;
        release(e, o, out);
    } else {
        if (f->account == 0 || f->account > st->account_cnt || f->instrument == 0 ||
            f->instrument > st->instrument_cnt) {
            return;
        }
        uint64_t key =
            key_for(st, f->account, mk_order_owner(f->order_id), f->instrument, f->side, f->terms);
        uint32_t at = rt_map_get(&st->by_key, key);
        if (at == RT_MAP_NONE) return;
        e = &st->exposures[at];
    }
    const struct risk_instrument *in = &st->instruments[(e->key & 0x7fff) - 1];
    qty_t moved = f->quantity;
    if (f->side == SIDE_BUY && in->spot && f->fee_asset == in->base_asset) moved -= f->fee;
    if (f->side == SIDE_SELL) moved = -moved;
    if (__builtin_add_overflow(e->quantity, moved, &e->quantity)) {
        e->quantity = moved > 0 ? INT64_MAX : -INT64_MAX; /* no further order passes */
        struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
        *a = (struct msg_alert){
            .value = moved, .subject = f->order_id, .actor = ctx->self, .reason = REASON_OVERFLOW
        };
    }
}

/* risk_on_order_state ends the reservation of an order that is done. */
static void risk_on_order_state(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)ctx;
    struct risk_state *st = state;
    const struct msg_order_state *s = msg_body(frame);
    if (s->status > ORDER_STATUS_UNKNOWN || !(1 << s->status & DONE)) return;
    struct risk_order *o = find(st, s->order_id);
    if (o == NULL) return; /* it was refused here, or is another gate's */
    release(&st->exposures[o->at], o, o->left);
    bool there = rt_map_remove(&st->by_order, o->order_id);
    assert(there);
    *o = (struct risk_order){ .at = st->orders_free };
    st->orders_free = (uint32_t)(o - st->orders);
}

/* risk_on_trade keeps the last price of a market that the venue makes. */
static void risk_on_trade(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)ctx;
    struct risk_state *st = state;
    const struct msg_trade *trade = msg_body(frame);
    struct risk_instrument *in = &st->instruments[trade->instrument - 1];
    if (in->series == RISK_NO_SERIES) in->last = trade->price;
}

/* risk_on_kill_seen closes or opens the gate. */
static void risk_on_kill_seen(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)ctx;
    struct risk_state *st = state;
    st->killed = ((const struct msg_kill_seen *)msg_body(frame))->word != 0;
}

/* risk_on_journal_state follows what the journal can promise. */
static void risk_on_journal_state(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)ctx;
    struct risk_state *st = state;
    const struct msg_journal_state *j = msg_body(frame);
    bool low = j->free_segments < 2;
    if (j->error != 0) {
        st->journal = RISK_JOURNAL_FAILED;
    } else if (!low) {
        st->journal = RISK_JOURNAL_GOOD;
    } else if (st->journal == RISK_JOURNAL_GOOD) {
        st->journal = RISK_JOURNAL_LOW;
    }
}

/* Limits that may differ by instrument; the keys of an override. */
static const char *const limit_names[] = { "max_order_quantity", "max_order_notional",
                                           "price_collar", "max_position", NULL };

/* read_limits reads the limits of one instrument from map into in; those absent stay as they are
 * unless required. */
static int read_limits(struct rt_node *map, bool required, struct risk_instrument *in,
                       struct rt_error *err) {
    int rc = rt_node_fixed(map, limit_names[0], required, 1, RISK_QUANTITY_CEILING,
                           in->max_order_quantity, &in->max_order_quantity, err);
    if (rc == 0) {
        rc = rt_node_fixed(map, limit_names[1], required, 1, RISK_NOTIONAL_CEILING,
                           in->max_order_notional, &in->max_order_notional, err);
    }
    if (rc == 0) {
        rc = rt_node_fixed(map, limit_names[2], required, 1, RISK_COLLAR_CEILING, in->price_collar,
                           &in->price_collar, err);
    }
    if (rc == 0) {
        rc = rt_node_fixed(map, limit_names[3], required, 1, RISK_QUANTITY_CEILING,
                           in->max_position, &in->max_position, err);
    }
    return rc;
}

/* read_overrides reads limits.instruments: name: {limit: ...}. */
static int read_overrides(struct risk_state *st, const struct mk_market *world,
                          struct rt_node *limits, struct rt_error *err) {
    struct rt_node *map = NULL;
    int rc = rt_node_map(limits, "instruments", false, &map, err);
    if (rc != 0 || map == NULL) return rc;
    for (const struct rt_node *n = map->child; n != NULL; n = n->next) {
        const struct mk_instrument *known = mk_instrument_find(world, n->key);
        if (known == NULL) return rt_node_fail(n, err, "there is no instrument of that name");
        struct rt_node *own = NULL;
        rc = rt_node_map(map, n->key, true, &own, err);
        if (rc == 0) rc = read_limits(own, false, &st->instruments[known->id - 1], err);
        if (rc == 0) rc = rt_node_no_more(own, limit_names, err);
        if (rc != 0) return rc;
    }
    return 0;
}

/* read_flow reads order_rate, duplicate_window and max_open_orders. */
static int read_flow(struct risk_state *st, struct rt_node *limits, int64_t *open_max,
                     struct rt_error *err) {
    static const char *const rate_names[] = { "count", "per", NULL };
    struct rt_node *rate = NULL;
    int64_t count = 0, per_ns = 0;
    int rc = rt_node_map(limits, "order_rate", true, &rate, err);
    if (rc == 0) rc = rt_node_int(rate, "count", true, 1, RISK_RATE_CEILING, 0, &count, err);
    if (rc == 0) rc = rt_node_duration(rate, "per", true, 1000, RISK_DAY_NS, 0, &per_ns, err);
    if (rc == 0) rc = rt_node_no_more(rate, rate_names, err);
    if (rc == 0) {
        rc = rt_node_duration(limits, "duplicate_window", true, 1, RISK_DAY_NS, 0, &st->window_ns,
                              err);
    }
    if (rc == 0) {
        rc = rt_node_int(limits, "max_open_orders", true, 1, RISK_OPEN_ORDERS_CEILING, 0, open_max,
                         err);
    }
    if (rc != 0) return rc;
    int64_t token_ns = (per_ns + count - 1) / count;
    if (token_ns < RISK_RATE_TOKEN_NS) {
        return rt_node_fail(rate, err, "%lld orders in %lld ns; expected at most one a microsecond",
                            (long long)count, (long long)per_ns);
    }
    if (rt_bucket_init(&st->rate, count, token_ns) != 0) {
        return rt_node_fail(rate, err, "out of range; expected count x per below 70 years");
    }
    int64_t recent = count + st->window_ns / token_ns + 2;
    if (recent > RISK_RECENT_CEILING) {
        return rt_node_fail(rt_node_get(limits, "duplicate_window"), err,
                            "would hold %lld orders at order_rate; expected at most %d",
                            (long long)recent, (int)RISK_RECENT_CEILING);
    }
    st->recent_max = (uint32_t)recent;
    return 0;
}

/* fill_instrument readies an instrument: steps, series. */
static void fill_instrument(struct rt_init *init, const struct mk_instrument *mk,
                            struct risk_instrument *in) {
    in->min_notional = mk->min_notional;
    in->lot_size = mk->lot_size;
    in->tick = risk_step_of(mk->tick_size);
    in->lot = risk_step_of(mk->lot_size);
    in->base_asset = mk->base_asset;
    in->spot = mk->kind == MK_SPOT;
    in->rules = mk->contract == 0 ? NULL : mk;
    int series = rt_init_series(init, MSG_BAR, mk->id, 0);
    if (series < 0) {
        series = rt_init_series(init, MSG_TRADE, mk->id, 0);
        in->trades = true;
    }
    in->series = series < 0 ? RISK_NO_SERIES : (uint16_t)series;
}

/* find_shared marks the instruments that more than one strategy of the run names. */
static void find_shared(struct rt_init *init, struct risk_state *st,
                        const struct mk_market *world) {
    uint16_t *named = rt_init_take(init, world->instrument_cnt * sizeof *named);
    struct rt_node *config;
    for (int n = 0; rt_init_actor_kind(init, "strategy", n, &config) >= 0; n++) {
        struct rt_node *list = config ? rt_node_get(config, "instruments") : NULL;
        if (!list || list->kind != RT_NODE_LIST) continue; /* its own init tells */
        for (const struct rt_node *c = list->child; c; c = c->next) {
            const struct mk_instrument *in =
                c->kind == RT_NODE_SCALAR ? mk_instrument_find(world, c->text) : NULL;
            if (in && ++named[in->id - 1] > 1) st->instruments[in->id - 1].shared = true;
        }
    }
}

/* risk_init reads the limits and lays out the tables. */
static int risk_init(struct rt_init *init, void *state, struct rt_error *err) {
    static const char *const words[] = { "reject", "reduce", NULL };
    struct risk_state *st = state;
    const struct mk_market *world = init->world;
    struct rt_node *limits = NULL;
    struct risk_instrument common = { 0 };
    int64_t exposures = 0, open_max = 0;
    int on_limit = 0;
    int rc = rt_node_choice(init->config, "on_limit", false, words, 0, &on_limit, err);
    if (rc == 0) {
        rc = rt_node_int(init->config, "exposures_max", false, 1, RISK_EXPOSURES_CEILING, 4096,
                         &exposures, err);
    }
    if (rc == 0) rc = rt_node_map(init->config, "limits", true, &limits, err);
    if (rc == 0) rc = read_limits(limits, true, &common, err);
    if (rc == 0) rc = read_flow(st, limits, &open_max, err);
    if (rc != 0) return rc;
    st->reduce = on_limit == 1;
    st->instrument_cnt = world->instrument_cnt;
    st->account_cnt = world->account_cnt;
    st->hedge = rt_init_take(init, world->account_cnt * sizeof *st->hedge);
    for (uint32_t i = 0; i < world->account_cnt; i++) st->hedge[i] = world->accounts[i].hedge;
    st->instruments = rt_init_take(init, world->instrument_cnt * sizeof *st->instruments);
    for (uint32_t i = 0; i < world->instrument_cnt; i++) {
        st->instruments[i] = common;
        fill_instrument(init, &world->instruments[i], &st->instruments[i]);
    }
    find_shared(init, st, world);
    rc = read_overrides(st, world, limits, err);
    if (rc == 0) rc = rt_node_no_more(limits, NULL, err);
    if (rc != 0) return rc;
    uint32_t buckets = 2;
    while (buckets < st->recent_max && buckets < BUCKETS_MAX) buckets *= 2;
    st->bucket_shift = 64 - (uint32_t)__builtin_ctz(buckets);
    st->exposures = rt_init_take(init, (size_t)exposures * sizeof *st->exposures);
    st->orders_max = (uint32_t)open_max;
    st->orders = rt_init_take(init, (size_t)open_max * sizeof *st->orders);
    st->recent = rt_init_take(init, st->recent_max * sizeof *st->recent);
    st->buckets = rt_init_take(init, buckets * sizeof *st->buckets);
    int64_t most = exposures > open_max ? exposures : open_max;
    st->sorted = rt_init_take(init, (size_t)most * sizeof *st->sorted);
    rt_map_init(&st->by_key, rt_init_take(init, rt_map_bytes((uint32_t)exposures)),
                (uint32_t)exposures);
    rt_map_init(&st->by_order, rt_init_take(init, rt_map_bytes((uint32_t)open_max)),
                (uint32_t)open_max);
    for (uint32_t i = 0; i < buckets; i++) st->buckets[i] = RT_MAP_NONE;
    for (uint32_t i = 0; i < open_max; i++) {
        st->orders[i].at = i + 1 < open_max ? i + 1 : RT_MAP_NONE;
    }
    return 0;
}

/* put_counter saves a figure. */
static void put_counter(struct rt_row_sink *sink, uint64_t id, int64_t value) {
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, id, &row, sizeof row);
}

/* risk_save writes positions, then reservations, each in order of key, then the duplicate window
 * from its oldest, then the figures. */
static void risk_save(const void *state, struct rt_row_sink *sink) {
    const struct risk_state *st = state;
    uint32_t cnt = rt_map_sorted(&st->by_key, st->sorted);
    for (uint32_t i = 0; i < cnt; i++) {
        const struct risk_exposure *e = &st->exposures[st->sorted[i].value];
        struct msg_exposure_row row = { .quantity = e->quantity,
                                        .reserved_buy = e->reserved[SIDE_BUY],
                                        .reserved_sell = e->reserved[SIDE_SELL],
                                        .reference = e->reference,
                                        .instrument = (uint16_t)(e->key & 0x7fff),
                                        .owner = (uint16_t)(e->key >> 16),
                                        .account = (uint8_t)(e->key >> 32),
                                        .position_side = e->key & KEY_SHORT ? POSITION_SIDE_SHORT
                                                                            : POSITION_SIDE_BOTH };
        sink->put(sink, MSG_EXPOSURE_ROW, e->key, &row, sizeof row);
    }
    cnt = rt_map_sorted(&st->by_order, st->sorted);
    for (uint32_t i = 0; i < cnt; i++) {
        const struct risk_order *o = &st->orders[st->sorted[i].value];
        uint64_t key = st->exposures[o->at].key;
        struct msg_order_row row = {
            .order_id = o->order_id,
            .quantity = o->left,
            .cum_quantity = o->filled,
            .instrument = (uint16_t)(key & 0x7fff),
            .account = (uint8_t)(key >> 32),
            .side = o->side,
            .flags = (uint8_t)(o->resting | o->reduces << 1 | (key & KEY_SHORT ? ROW_SHORT : 0) |
                               (o->linked ? ROW_LINKED : 0) | (o->amends ? ROW_AMENDS : 0))
        };
        sink->put(sink, MSG_ORDER_ROW, o->order_id, &row, sizeof row);
    }
    for (uint32_t i = 0; i < st->recent_cnt; i++) {
        uint32_t at = st->recent_first + i;
        const struct risk_recent *r = &st->recent[at < st->recent_max ? at : at - st->recent_max];
        struct msg_order_row row = { .order_id = mk_order_id(r->owner, 0, 0),
                                     .price = r->price,
                                     .quantity = r->quantity,
                                     .created_ns = r->time_ns,
                                     .instrument = r->instrument,
                                     .account = r->account,
                                     .side = r->side,
                                     .type = r->type };
        sink->put(sink, MSG_ORDER_ROW, i + 1, &row, sizeof row);
    }
    put_counter(sink, ROW_RATE, st->rate.full_at_ns);
    put_counter(sink, ROW_KILLED, st->killed);
    put_counter(sink, ROW_JOURNAL, st->journal);
    for (uint64_t i = 0; i < 128; i++) {
        if (st->verdicts[i] > 0) put_counter(sink, ROW_VERDICTS + i, (int64_t)st->verdicts[i]);
    }
    for (uint32_t i = 0; i < st->instrument_cnt; i++) {
        price_t last = st->instruments[i].last;
        if (last != 0) put_counter(sink, ROW_LAST + i + 1, last);
    }
}

/* load_exposure takes a position back. */
static int load_exposure(struct risk_state *st, const struct msg_exposure_row *row,
                         struct rt_error *err) {
    uint64_t key = key_of(row->account, row->owner, row->instrument);
    if (row->position_side == POSITION_SIDE_SHORT) key |= KEY_SHORT;
    if (row->instrument == 0 || row->instrument > st->instrument_cnt || row->account == 0 ||
        row->owner == 0 || row->reserved_buy < 0 || row->reserved_sell < 0 ||
        rt_map_get(&st->by_key, key) != RT_MAP_NONE) {
        return rt_error_set(err, -EINVAL, "row of exposure %llx makes no sense",
                            (unsigned long long)key);
    }
    struct risk_exposure *e = exposure_of(st, key);
    if (e == NULL) {
        return rt_error_set(err, -ENOSPC, "more positions than exposures_max %u", st->by_key.max);
    }
    e->quantity = row->quantity;
    e->reserved[SIDE_BUY] = row->reserved_buy;
    e->reserved[SIDE_SELL] = row->reserved_sell;
    e->reference = row->reference;
    return 0;
}

/* load_order takes a reservation, or an order of the duplicate window, back. */
static int load_order(struct risk_state *st, uint64_t key, const struct msg_order_row *row,
                      struct rt_error *err) {
    uint16_t owner = mk_order_owner(row->order_id);
    uint64_t of = key_of(row->account, owner, row->instrument);
    uint32_t at = rt_map_get(&st->by_key, row->flags & ROW_SHORT ? of | KEY_SHORT : of);
    if (at == RT_MAP_NONE && key < KEY_ORDERS) at = rt_map_get(&st->by_key, of | KEY_SHORT);
    if (at == RT_MAP_NONE || row->side > SIDE_SELL) {
        return rt_error_set(err, -EINVAL, "row of order %llx: of no position",
                            (unsigned long long)row->order_id);
    }
    if (key < KEY_ORDERS) {
        if (st->recent_cnt == st->recent_max) {
            return rt_error_set(err, -ENOSPC, "more orders in the duplicate window than %u",
                                st->recent_max);
        }
        struct risk_recent r = { .price = row->price,
                                 .quantity = row->quantity,
                                 .time_ns = row->created_ns,
                                 .owner = owner,
                                 .instrument = row->instrument,
                                 .account = row->account,
                                 .side = row->side,
                                 .type = row->type };
        remember(st, &r);
        return 0;
    }
    uint32_t place = st->orders_free;
    if (place == RT_MAP_NONE || rt_map_put(&st->by_order, row->order_id, place) != 0) {
        return rt_error_set(err, -ENOSPC, "row of order %llx: there twice, or past max_open_orders",
                            (unsigned long long)row->order_id);
    }
    struct risk_order *o = &st->orders[place];
    st->orders_free = o->at;
    *o = (struct risk_order){ .order_id = row->order_id,
                              .left = row->quantity,
                              .filled = row->cum_quantity,
                              .at = at,
                              .side = row->side,
                              .resting = row->flags & 1,
                              .reduces = row->flags >> 1 & 1,
                              .linked = (row->flags & ROW_LINKED) != 0,
                              .amends = (row->flags & ROW_AMENDS) != 0 };
    if (o->resting && !o->linked) st->exposures[at].resting[o->side] += o->left;
    return 0;
}

/* risk_load takes one row back. */
static int risk_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                     struct rt_error *err) {
    struct risk_state *st = state;
    if (kind == MSG_EXPOSURE_ROW && bytes == sizeof(struct msg_exposure_row)) {
        return load_exposure(st, row, err);
    }
    if (kind == MSG_ORDER_ROW && bytes == sizeof(struct msg_order_row)) {
        return load_order(st, key, row, err);
    }
    if (kind == MSG_COUNTER_ROW && bytes == sizeof(struct msg_counter_row)) {
        const struct msg_counter_row *c = row;
        if (c->id == ROW_RATE) {
            st->rate.full_at_ns = c->value;
            return 0;
        }
        if (c->id == ROW_KILLED) {
            st->killed = c->value != 0;
            return 0;
        }
        if (c->id == ROW_JOURNAL && c->value >= 0 && c->value <= RISK_JOURNAL_FAILED) {
            st->journal = (enum risk_journal)c->value;
            return 0;
        }
        if (c->id > ROW_LAST && c->id <= ROW_LAST + (uint64_t)st->instrument_cnt) {
            st->instruments[c->id - ROW_LAST - 1].last = c->value;
            return 0;
        }
        if (c->id >= ROW_VERDICTS && c->id < ROW_VERDICTS + 128) {
            st->verdicts[c->id - ROW_VERDICTS] = (uint64_t)c->value;
            return 0;
        }
    }
    return rt_error_set(err, -EINVAL, "risk has no row of kind %u, key %llu, %u bytes", kind,
                        (unsigned long long)key, bytes);
}

/* Keys in YAML. */
static const struct rt_option risk_options[] = {
    { "limits", "node", "see actors/risk/risk.h", NULL,
      "max_order_quantity, max_order_notional, price_collar, max_position, order_rate, "
      "duplicate_window, max_open_orders; instruments: for what differs" },
    { "on_limit", "text", "reject | reduce", "reject",
      "what becomes of an order of which max_position leaves a part" },
    { "exposures_max", "int", "1..1048576", "4096",
      "positions (strategy and instrument) there is room for" },
    { NULL, NULL, NULL, NULL, NULL },
};

/* Kinds it says. */
static const uint16_t risk_says[] = { MSG_RISK_VERDICT,    MSG_RISK_VERDICT_MORE,
                                      MSG_REPLACE_VERDICT, MSG_CHANGE_VERDICT,
                                      MSG_ALERT,           0 };

const struct rt_actor_kind risk_kind = {
    .name = "risk",
    .help = "the gate every order passes: checks declared limits, reserves, refuses with a reason",
    .options = risk_options,
    .says = risk_says,
    .timer_class = RT_CLASS_TIMER,
    .state_bytes = sizeof(struct risk_state),
    .init = risk_init,
    .on = { [MSG_ORDER_INTENT] = risk_on_order_intent,
            [MSG_ORDER_INTENT_MORE] = risk_on_order_intent,
            [MSG_ORDER_REPLACE] = risk_on_order_intent,
            [MSG_ORDER_CHANGE] = risk_on_order_change,
            [MSG_ORDER_AMENDED] = risk_on_order_amended,
            [MSG_FILL] = risk_on_fill,
            [MSG_ORDER_STATE] = risk_on_order_state,
            [MSG_TRADE] = risk_on_trade,
            [MSG_KILL_SEEN] = risk_on_kill_seen,
            [MSG_JOURNAL_STATE] = risk_on_journal_state },
    .save = risk_save,
    .load = risk_load,
};
