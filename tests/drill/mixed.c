/* mixed.c - a strategy of the drills that places orders of every type there is, alone, in groups of
 * which one ends the others, and with brackets.
 *
 * For     the program shrike_drill (faulty.c).
 * Thread  the shard's. */
#include "tests/drill/mixed.h"

/* Order of the parameters. */
enum mixed_param { M_EVERY, M_REACH, M_LOT, M_LIFE };

/* State. */
struct mixed {
    int64_t heard; /* bars and trades heard */
};

static const struct st_param mixed_params[] = {
    { "every", ST_INT, 1, 1e9, 3, "an order every so many bars or trades" },
    { "reach", ST_INT, 1, 1000, 20, "how far from the last price, at most, in 1e-5 of it" },
    { "lot", ST_FIXED, 0.00001, 1, 0.001, "sizes and shown parts are multiples of it" },
    { "life", ST_DURATION, 0.001, 3600, 1, "what is good till date lives 1 to 20 times so long" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* MIXED_OPEN_MAX open orders, and all are canceled. */
enum { MIXED_OPEN_MAX = 14 };

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
    (void)st_signal(h, &s);
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
