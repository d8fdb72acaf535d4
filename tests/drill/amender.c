/* amender.c - a strategy of the drills that works one limit order at a time and keeps changing it:
 * by amends of price and quantity, by replacing it, and by cancels and new orders in one answer.
 *
 * Rule    Bar number n (from 1). Without an open order: one of `lots` lots is placed, a buy while
 * the
 *         position is not above zero, else a sale, `reach` ticks below (above) the close. With one:
 *         by n modulo 5
 *           0 amends its price to `reach` ticks from the close;
 *           1 amends its quantity to one lot less than it has, while more than that is open;
 *           2 replaces it by one of `lots` lots, `reach` ticks from the close;
 *           3 amends price and quantity: one lot more, twice `reach` ticks from the close;
 *           4 cancels it and places another at `reach` ticks, in one answer.
 *         What it amends is what it was last told of the order.
 * For     the program shrike_drill (faulty.c); tests/e2e/test_amend.py has a model of it.
 * Thread  the shard's. */
#include "tests/drill/mixed.h"

/* Order of the parameters. */
enum amender_param { A_REACH, A_TICK, A_LOTS, A_LOT };

/* State. */
struct amender {
    int64_t bars;     /* heard */
    uint64_t id;      /* the order, 0 = none */
    int64_t quantity; /* of it, as last told */
    int64_t filled;   /* of it */
    int64_t side;     /* SIDE_* */
    int64_t amended;  /* amends that were done */
    int64_t refused;  /* and that were not */
};

static const struct st_param amender_params[] = {
    { "reach", ST_INT, 0, 1000, 5, "ticks from the close" },
    { "tick", ST_FIXED, 0.00000001, 1000, 0.1, "of the instrument" },
    { "lots", ST_INT, 1, 1000, 10, "of an order" },
    { "lot", ST_FIXED, 0.00000001, 1000, 0.001, "of the instrument" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* price_of returns a price so many times reach from close, on the order's own side. */
static int64_t price_of(const union st_value *p, int64_t side, int64_t close, int64_t times) {
    int64_t off = p[A_REACH].i * p[A_TICK].i * times;
    return side == SIDE_BUY ? close - off : close + off;
}

/* place places an order, by action: a new one, or in place of the one there is. */
static void place(struct st_host *h, struct amender *a, const struct msg_bar *bar,
                  enum st_action action) {
    const union st_value *p = st_params(h);
    int64_t side = st_position(h, 0) <= 0 ? SIDE_BUY : SIDE_SELL;
    struct st_signal s = { .action = action,
                           .reason = REASON_SIGNAL_QUOTE,
                           .side = (uint8_t)side,
                           .type = ORDER_TYPE_LIMIT,
                           .price = price_of(p, side, bar->close, 1),
                           .quantity = p[A_LOTS].i * p[A_LOT].i,
                           .order_id = a->id };
    uint64_t id = st_signal(h, &s);
    if (id == 0) return;
    a->id = id;
    a->quantity = s.quantity;
    a->filled = 0;
    a->side = side;
}

/* amend amends price (0 = as it is) and quantity (0 = as it is). */
static void amend(struct st_host *h, const struct amender *a, int64_t price, int64_t quantity) {
    const struct st_signal s = { .action = ST_AMEND,
                                 .reason = REASON_SIGNAL_QUOTE,
                                 .price = price,
                                 .quantity = quantity,
                                 .order_id = a->id };
    (void)st_signal(h, &s);
}

/* amender_on_bar does what is due on this bar. */
static void amender_on_bar(struct st_host *h, void *state, uint16_t leg,
                           const struct msg_bar *bar) {
    struct amender *a = state;
    const union st_value *p = st_params(h);
    const struct st_signal cancel = { .action = ST_CANCEL, .order_id = a->id };
    (void)leg;
    int64_t n = ++a->bars % 5;
    if (a->id == 0) { /* it was filled, or refused */
        place(h, a, bar, ST_ORDER);
        return;
    }
    switch (n) {
    case 0: amend(h, a, price_of(p, a->side, bar->close, 1), 0); break;
    case 1:
        if (a->quantity - p[A_LOT].i > a->filled) amend(h, a, 0, a->quantity - p[A_LOT].i);
        break;
    case 2: place(h, a, bar, ST_REPLACE); break;
    case 3: amend(h, a, price_of(p, a->side, bar->close, 2), a->quantity + p[A_LOT].i); break;
    default:
        (void)st_signal(h, &cancel);
        place(h, a, bar, ST_ORDER);
        break;
    }
}

/* amender_on_order keeps what it is told of its order. */
static void amender_on_order(struct st_host *h, void *state, uint16_t leg,
                             const struct msg_order_state *o) {
    struct amender *a = state;
    (void)h;
    (void)leg;
    if (o->order_id != a->id) return;
    a->quantity = o->quantity;
    a->filled = o->cum_quantity;
    if (o->status >= ORDER_STATUS_FILLED && o->status <= ORDER_STATUS_EXPIRED) a->id = 0;
}

/* amender_on_amend counts. */
static void amender_on_amend(struct st_host *h, void *state, uint16_t leg,
                             const struct msg_order_amended *m) {
    struct amender *a = state;
    (void)h;
    (void)leg;
    if (m->reason == REASON_NONE) {
        a->amended++;
    } else {
        a->refused++;
    }
}

const struct st_class st_amender = {
    .name = "amender",
    .help = "Works one limit order at a time and keeps amending and replacing it.",
    .params = amender_params,
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = sizeof(struct amender),
    .on_bar = amender_on_bar,
    .on_order = amender_on_order,
    .on_amend = amender_on_amend,
};
