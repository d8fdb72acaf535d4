/* exiter.c - a strategy of the drills that enters, adds to what it holds, and leaves by exits that
 * stand at the venue: orders that close the position, or a bracket.
 *
 * Rule    Every `every` bars or trades one thing, the first of these that there is cause for, for a
 *         way (long, short) in turn, with `both` for each of them:
 *           it holds something and has no exit: the pair of exits;
 *           it holds something and has added fewer than `adds` times: one more market order;
 *           neither it (without `both`: nor the other way) holds something, has an exit or an order
 *           to open: an entry. With `bracket` a limit order of `lots` at `reach` from the last
 *           price whose stop and target stand `far` from its own; else a market order of `lots`,
 *           and the pair.
 *         The pair: a stop and a target `far` from the last price, one group, that close the
 *         position. With `mark` their triggers, and that of the bracket's stop, look at the mark.
 *         An entry of a bracket that nothing was filled of is canceled the next time.
 *         With `resting` it only places so many limit orders, 50 a time, far below the price.
 * For     the program shrike_drill (faulty.c); tests/e2e/test_exits.py has models of the venue.
 * Thread  the shard's. */
#include "tests/drill/mixed.h"

/* Order of the parameters. */
enum exiter_param {
    E_EVERY,
    E_LOTS,
    E_LOT,
    E_FAR,
    E_REACH,
    E_ADDS,
    E_MARK,
    E_BRACKET,
    E_BOTH,
    E_RESTING
};

/* One way. */
struct way {
    uint64_t entry;         /* newest order to open, 0 = none is open */
    uint64_t stop;          /* the stop, 0 = none is open */
    uint64_t target;        /* likewise */
    int64_t added;          /* market orders that were added */
    int64_t of_the_bracket; /* ids behind entry that are its exits, not heard of yet */
};

/* State. */
struct exiter {
    int64_t heard;      /* bars and trades */
    int64_t next;       /* the way whose turn it is */
    int64_t resting;    /* orders placed far below */
    struct way ways[2]; /* long, short */
};

static const struct st_param exiter_params[] = {
    { "every", ST_INT, 1, 1e9, 3, "something every so many bars or trades" },
    { "lots", ST_INT, 1, 100000, 10, "of an order" },
    { "lot", ST_FIXED, 0.00000001, 1000, 0.001, "of the instrument" },
    { "far", ST_FIXED, 0.00000001, 100000, 1, "of the exits" },
    { "reach", ST_FIXED, 0, 100000, 1, "of a bracket's entry" },
    { "adds", ST_INT, 0, 100, 2, "market orders that are added" },
    { "mark", ST_BOOL, 0, 1, 0, "triggers look at the mark" },
    { "bracket", ST_BOOL, 0, 1, 0, "limit entries with a bracket" },
    { "both", ST_BOOL, 0, 1, 0, "long and short side by side (hedge mode)" },
    { "resting", ST_INT, 0, 100000, 0, "only places so many limit orders, far below" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* order asks for an order of way w (0 long, 1 short): exit, or to open. */
static uint64_t order(struct st_host *h, int w, bool exit, struct st_signal s) {
    s.action = ST_ORDER;
    s.reason = REASON_SIGNAL_CROSS_UP;
    s.side = (w == 0) == exit ? SIDE_SELL : SIDE_BUY;
    return st_signal(h, &s);
}

/* pair places the exits of way w that close the position, far from last. */
static void pair(struct st_host *h, struct exiter *e, int w, int64_t last) {
    const union st_value *p = st_params(h);
    int64_t far = w == 0 ? p[E_FAR].i : -p[E_FAR].i;
    struct st_signal s = { .type = ORDER_TYPE_STOP,
                           .terms = ORDER_TERMS_CLOSE_POSITION,
                           .price = last - far,
                           .oco = ST_OCO_FIRST,
                           .working = (uint8_t)p[E_MARK].i };
    e->ways[w].stop = order(h, w, true, s);
    if (e->ways[w].stop == 0) return;
    s.type = ORDER_TYPE_TAKE_PROFIT;
    s.price = last + far;
    s.oco = e->ways[w].stop;
    e->ways[w].target = order(h, w, true, s);
}

/* enter opens way w. */
static void enter(struct st_host *h, struct exiter *e, int w, int64_t last) {
    const union st_value *p = st_params(h);
    struct way *way = &e->ways[w];
    struct st_signal s = { .type = ORDER_TYPE_MARKET, .quantity = p[E_LOTS].i * p[E_LOT].i };
    way->added = 0;
    if (p[E_BRACKET].i == 0) {
        way->entry = order(h, w, false, s);
        if (way->entry != 0) pair(h, e, w, last);
        return;
    }
    int64_t far = w == 0 ? p[E_FAR].i : -p[E_FAR].i, reach = w == 0 ? p[E_REACH].i : -p[E_REACH].i;
    s.type = ORDER_TYPE_LIMIT;
    s.price = last - reach;
    s.bracket = true;
    s.sl = s.price - far;
    s.tp1 = s.price + far;
    s.working = (uint8_t)p[E_MARK].i;
    way->entry = order(h, w, false, s);
    way->of_the_bracket = way->entry == 0 ? 0 : 2;
}

/* is_free tells whether way w holds nothing and has nothing open. */
static bool is_free(const struct st_host *h, const struct exiter *e, int w) {
    const struct way *way = &e->ways[w];
    return st_position_of(h, 0, w == 1) == 0 && way->entry == 0 && way->stop == 0 &&
           way->target == 0;
}

/* act does what there is cause for in way w. */
static void act(struct st_host *h, struct exiter *e, int w) {
    const union st_value *p = st_params(h);
    struct way *way = &e->ways[w];
    bool held = st_position_of(h, 0, w == 1) != 0;
    int64_t last = st_last(h, 0);
    if (p[E_BRACKET].i != 0 && way->entry != 0 && !held) {
        const struct st_signal s = { .action = ST_CANCEL, .order_id = way->entry };
        (void)st_signal(h, &s);
    } else if (p[E_BRACKET].i == 0 && held && way->stop == 0 && way->target == 0) {
        pair(h, e, w, last);
    } else if (p[E_BRACKET].i == 0 && held && way->added < p[E_ADDS].i) {
        const struct st_signal s = { .type = ORDER_TYPE_MARKET,
                                     .quantity = p[E_LOTS].i * p[E_LOT].i };
        if (order(h, w, false, s) != 0) way->added++;
    } else if (is_free(h, e, w) && (p[E_BOTH].i != 0 || is_free(h, e, 1 - w))) {
        enter(h, e, w, last);
    }
}

/* heard counts, and does what is due. */
static void heard(struct st_host *h, struct exiter *e) {
    const union st_value *p = st_params(h);
    if (++e->heard % p[E_EVERY].i != 0) return;
    for (int i = 0; i < 50 && e->resting < p[E_RESTING].i; i++, e->resting++) {
        const struct st_signal s = { .type = ORDER_TYPE_LIMIT,
                                     .price = st_last(h, 0) * 3 / 4,
                                     .quantity = (p[E_LOTS].i + i) * p[E_LOT].i };
        (void)order(h, 0, false, s);
    }
    if (p[E_RESTING].i > 0) return;
    if (p[E_BOTH].i != 0) {
        act(h, e, 0);
        act(h, e, 1);
    } else if (!is_free(h, e, (int)(1 - e->next))) {
        act(h, e, (int)(1 - e->next)); /* what is under way first */
    } else {
        if (is_free(h, e, (int)e->next)) e->next = 1 - e->next;
        act(h, e, (int)e->next);
    }
}

/* exiter_on_bar counts it as heard. */
static void exiter_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    (void)leg;
    (void)bar;
    heard(h, state);
}

/* exiter_on_trade counts it as heard. */
static void exiter_on_trade(struct st_host *h, void *state, uint16_t leg,
                            const struct msg_trade *trade) {
    (void)leg;
    (void)trade;
    heard(h, state);
}

/* exiter_on_order keeps which orders are open. */
static void exiter_on_order(struct st_host *h, void *state, uint16_t leg,
                            const struct msg_order_state *o) {
    struct exiter *e = state;
    bool done = o->status >= ORDER_STATUS_FILLED && o->status <= ORDER_STATUS_EXPIRED;
    (void)h;
    (void)leg;
    for (int w = 0; w < 2; w++) {
        struct way *way = &e->ways[w];
        if (way->of_the_bracket > 0 && o->terms & ORDER_TERMS_EXIT && !done &&
            (o->side == SIDE_SELL) == (w == 0)) {
            if (o->type == ORDER_TYPE_STOP && way->stop == 0) {
                way->stop = o->order_id;
                way->of_the_bracket--;
            } else if (o->type == ORDER_TYPE_LIMIT && way->target == 0) {
                way->target = o->order_id;
                way->of_the_bracket--;
            }
        }
        if (!done) continue;
        if (way->entry == o->order_id) way->entry = 0;
        if (way->stop == o->order_id) way->stop = 0;
        if (way->target == o->order_id) way->target = 0;
    }
}

const struct st_class st_exiter = {
    .name = "exiter",
    .help = "Enters, adds, and leaves by exits that stand at the venue.",
    .params = exiter_params,
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = sizeof(struct exiter),
    .on_bar = exiter_on_bar,
    .on_trade = exiter_on_trade,
    .on_order = exiter_on_order,
};
