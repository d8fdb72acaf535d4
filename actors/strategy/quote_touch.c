/* quote_touch.c - a passive market maker: an order of the declared size at the best bid and one at
 * the best ask of each instrument, as long as its inventory allows.
 *
 * Rule    After each update of the book: on either side one post-only limit order at the best price
 *         (signal_quote), no buy order once the position is at inventory or above, no sell order
 *         once it is at -inventory or below. An order whose price is no longer the best one, or
 *         that the inventory no longer allows, is canceled, and its successor placed by the first
 *         update after its end. While |imbalance| is above lean the side that the book leans on
 *         (asks where bids are heavy) has no order. On a stale book all is canceled.
 * Memory  a row an instrument.
 * Cost    an update that moves nothing: a few comparisons. */
#include "actors/strategy/classes.h"

enum { LEGS_MAX = 32 }; /* instruments it takes */

/* Order of the parameters. */
enum param { P_INVENTORY, P_LEAN };

/* An order of ours. */
struct quote {
    uint64_t id;    /* 0 = none */
    int64_t price;  /* where it rests */
    int64_t leaves; /* 1 = its cancel is on the way */
};

/* State. */
struct touch {
    struct quote quotes[LEGS_MAX][2]; /* by leg and side */
};

static const struct st_param touch_params[] = {
    { "inventory", ST_FIXED, 0.00000001, 1e9, 1, "largest position either way, base" },
    { "lean", ST_DOUBLE, 0, 1, 1, "imbalance of the touch beyond which one side waits" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* leave cancels the order of a side, once. */
static void leave(struct st_host *h, uint16_t leg, struct quote *q) {
    if (q->id == 0 || q->leaves) return;
    struct st_signal signal = {
        .action = ST_CANCEL, .leg = leg, .reason = REASON_SIGNAL_QUOTE, .order_id = q->id
    };
    q->leaves = 1;
    (void)st_signal(h, &signal);
}

/* keep makes the order of a side what it should be: at price, 0 = none. */
static void keep(struct st_host *h, uint16_t leg, uint8_t side, int64_t price, struct quote *q) {
    if (q->id != 0) {
        if (q->price != price) leave(h, leg, q);
        return;
    }
    if (price == 0) return;
    struct st_signal signal = { .action = ST_ORDER,
                                .leg = leg,
                                .reason = REASON_SIGNAL_QUOTE,
                                .side = side,
                                .type = ORDER_TYPE_LIMIT,
                                .terms = ORDER_TERMS_POST_ONLY,
                                .price = price };
    *q = (struct quote){ .id = st_signal(h, &signal), .price = price };
}

/* touch_on_book moves both orders to the touch. */
static void touch_on_book(struct st_host *h, void *state, uint16_t leg,
                          const struct st_book *book) {
    struct touch *s = state;
    const union st_value *p = st_params(h);
    int64_t position = st_position(h, leg);
    int64_t bid = book->bid, ask = book->ask;
    if (position >= p[P_INVENTORY].i || book->imbalance < -p[P_LEAN].d) bid = 0;
    if (position <= -p[P_INVENTORY].i || book->imbalance > p[P_LEAN].d) ask = 0;
    keep(h, leg, SIDE_BUY, bid, &s->quotes[leg][SIDE_BUY]);
    keep(h, leg, SIDE_SELL, ask, &s->quotes[leg][SIDE_SELL]);
}

/* touch_on_trade has nothing to do: the book tells. */
static void touch_on_trade(struct st_host *h, void *state, uint16_t leg,
                           const struct msg_trade *trade) {
    (void)h;
    (void)state;
    (void)leg;
    (void)trade;
}

/* touch_on_order forgets an order that has ended. */
static void touch_on_order(struct st_host *h, void *state, uint16_t leg,
                           const struct msg_order_state *o) {
    struct touch *s = state;
    (void)h;
    if (o->status < ORDER_STATUS_FILLED || o->status > ORDER_STATUS_EXPIRED) return;
    for (int side = 0; side < 2; side++) {
        struct quote *q = &s->quotes[leg][side];
        if (q->id == o->order_id) *q = (struct quote){ .id = 0 };
    }
}

const struct st_class st_quote_touch = {
    .name = "quote_touch",
    .help = "a passive market maker: one order at the best bid and one at the best ask",
    .params = touch_params,
    .leg_min = 1,
    .leg_max = LEGS_MAX,
    .state_bytes = sizeof(struct touch),
    .on_book = touch_on_book,
    .on_trade = touch_on_trade,
    .on_order = touch_on_order,
};
