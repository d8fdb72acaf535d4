/* mixed.c - a strategy of the drills that places orders of every type there is, alone, in groups of
 * which one ends the others, and with brackets; and with `change` amends, replaces and cancels
 * them.
 *
 * For     the program shrike_drill (faulty.c).
 * Thread  the shard's. */
#include "tests/drill/mixed.h"
#include "actors/market/more.h"

/* Order of the parameters. */
enum mixed_param { M_EVERY, M_REACH, M_LOT, M_LIFE, M_CHANGE };

enum { MIXED_IDS = 8 }; /* orders it remembers */

/* State. */
struct mixed {
    int64_t heard;           /* bars and trades heard */
    uint64_t ids[MIXED_IDS]; /* of orders it placed */
    uint64_t placed;         /* how many it did; the newest are remembered */
};

static const struct st_param mixed_params[] = {
    { "every", ST_INT, 1, 1e9, 3, "an order every so many bars or trades" },
    { "reach", ST_INT, 1, 1000, 20, "how far from the last price, at most, in 1e-5 of it" },
    { "lot", ST_FIXED, 0.00001, 1, 0.001, "sizes and shown parts are multiples of it" },
    { "life", ST_DURATION, 0.001, 3600, 1, "what is good till date lives 1 to 20 times so long" },
    { "change", ST_INT, 0, 100, 0, "how often an older order is changed too, percent" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* MIXED_OPEN_MAX open orders, and all are canceled. */
enum { MIXED_OPEN_MAX = 14 };

/* id_keep remembers the order id, unless there is none. */
static void id_keep(struct mixed *m, uint64_t id) {
    if (id != 0) m->ids[m->placed++ % MIXED_IDS] = id;
}

/* draw returns a number below bound out of *bits, which it uses up. */
static int64_t draw(uint64_t *bits, uint64_t bound) {
    uint64_t n = *bits % bound;
    *bits /= bound;
    return (int64_t)n;
}

/* near returns a price within reach of last. */
static int64_t near(int64_t last, int64_t reach, int64_t at) {
    return last + last / 100000 * (at - reach);
}

/* fill_in gives s a type and the terms that go with it. */
static void fill_in(const struct st_host *h, struct st_signal *s, uint64_t *bits, int64_t last,
                    const union st_value *p) {
    int64_t reach = p[M_REACH].i, lots = 1 + draw(bits, 8);
    s->side = (uint8_t)draw(bits, 2);
    s->type = (uint8_t)draw(bits, ORDER_TYPE_TRAILING_STOP + 1);
    s->price = near(last, reach, draw(bits, (uint64_t)reach * 2 + 1));
    s->quantity = lots * p[M_LOT].i;
    int64_t other = near(last, reach, draw(bits, (uint64_t)reach * 2 + 1));
    if (s->type == ORDER_TYPE_STOP_LIMIT || s->type == ORDER_TYPE_TAKE_PROFIT_LIMIT) {
        s->stop_price = other;
    }
    if (s->type == ORDER_TYPE_TRAILING_STOP) {
        s->trail_bips = (uint32_t)(1 + draw(bits, 4));
        if (draw(bits, 2) == 0) s->activation = other;
    }
    if (s->type == ORDER_TYPE_LIMIT && draw(bits, 2) == 0) {
        s->display = (1 + draw(bits, (uint64_t)lots)) * p[M_LOT].i;
    }
    if (s->type != ORDER_TYPE_MARKET && draw(bits, 4) == 0) {
        s->terms = ORDER_TERMS_GTD;
        s->expire_ns = st_now(h) + (1 + draw(bits, 20)) * p[M_LIFE].i;
    }
}

/* change changes one of the orders it remembers, which may be done: another price, quantity or
 * both, or it goes, or s takes its place. */
static void change(struct st_host *h, struct mixed *m, const struct st_signal *s, uint64_t bits) {
    const union st_value *p = st_params(h);
    const uint64_t id = m->ids[draw(&bits, MIXED_IDS)];
    int64_t what = draw(&bits, 8), reach = p[M_REACH].i;
    int64_t price = near(st_last(h, s->leg), reach, draw(&bits, (uint64_t)reach * 2 + 1));
    struct st_signal now = {
        .action = ST_AMEND, .leg = s->leg, .reason = REASON_SIGNAL_QUOTE, .order_id = id
    };
    if (id == 0) return;
    if (what == 0) {
        now.action = ST_CANCEL;
    } else if (what == 1) {
        now = *s;
        now.action = ST_REPLACE;
        now.order_id = id;
        now.anyway = draw(&bits, 2);
    } else {
        if (what != 2) now.price = price;
        if (what <= 4) now.quantity = (1 + draw(&bits, 8)) * p[M_LOT].i;
        if (what == 7) now.stop_price = price;
    }
    id_keep(m, st_signal(h, &now));
}

/* heard places an order, with what hangs on it, now and then. */
static void heard(struct st_host *h, struct mixed *m, uint16_t leg) {
    const union st_value *p = st_params(h);
    if (++m->heard % p[M_EVERY].i != 0) return;
    uint64_t bits = st_random(h), more = st_random(h);
    int64_t last = st_last(h, leg), far = last / 100000 * p[M_REACH].i;
    struct st_signal s = { .action = ST_CANCEL, .leg = leg, .reason = REASON_BY_STRATEGY };
    if (st_open_orders(h, leg) > MIXED_OPEN_MAX) (void)st_signal(h, &s);
    s.action = ST_ORDER;
    s.reason = REASON_SIGNAL_CROSS_UP;
    fill_in(h, &s, &bits, last, p);
    if (p[M_CHANGE].i > 0 && s.type >= ORDER_TYPE_STOP) s.working = (uint8_t)draw(&more, 2);
    if (p[M_CHANGE].i > 0) {
        s.stp = (uint8_t)draw(&more, MK_STP_CNT);
        uint64_t third = st_random(h);
        if (draw(&third, 100) < p[M_CHANGE].i) change(h, m, &s, third);
        bool stop = s.type == ORDER_TYPE_STOP || s.type == ORDER_TYPE_TAKE_PROFIT;
        if (stop && s.terms == 0 && draw(&third, 2) == 0) { /* for all that is held */
            s.terms = ORDER_TERMS_CLOSE_POSITION;
            s.quantity = 0;
            id_keep(m, st_signal(h, &s));
            return;
        }
    }
    int64_t how = draw(&more, 4);
    if (how == 0) { /* stop and target behind it */
        bool buys = s.side == SIDE_BUY;
        s.bracket = true;
        s.sl = buys ? last - far : last + far;
        s.tp1 = buys ? last + far : last - far;
        if (s.type != ORDER_TYPE_TRAILING_STOP && draw(&more, 2) == 0) s.trail_bips = 1;
        if (s.type == ORDER_TYPE_TRAILING_STOP) s.bracket = false;
    } else if (how == 1 && s.type != ORDER_TYPE_MARKET) { /* a second one of its group */
        s.oco = ST_OCO_FIRST;
        uint64_t first = st_signal(h, &s);
        s.oco = first;
        s.side = s.side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
        if (first == 0) return;
    }
    id_keep(m, st_signal(h, &s));
}

/* mixed_on_bar counts it as heard. */
static void mixed_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    (void)bar;
    heard(h, state, leg);
}

/* mixed_on_trade counts it as heard. */
static void mixed_on_trade(struct st_host *h, void *state, uint16_t leg,
                           const struct msg_trade *trade) {
    (void)trade;
    heard(h, state, leg);
}

const struct st_class st_mixed = {
    .name = "mixed",
    .help = "Places orders of every type at random, some in groups or with exits behind them.",
    .params = mixed_params,
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = sizeof(struct mixed),
    .on_bar = mixed_on_bar,
    .on_trade = mixed_on_trade,
};
