/* orders.h - the orders a venue holds, and per instrument which of them a price would meet.
 *
 * For     the drivers of the simulated venue (bars, prints, depth) and its requests (venue.c).
 *         An open order is eager (the next row must look at it whatever its price: a market
 *         order, a limit or stop that has not seen its first bar, a stop that has triggered) or
 *         calm (a limit or stop that waits for its price). For the calm ones a book knows the
 *         price nearest to the market on each side, so that a row that meets none costs two
 *         comparisons. Nothing hangs on the order of its lists: who works orders sorts them.
 * Thread  the venue's shard.
 * Memory  a pool and a map, given at init by the owner; indices, no pointers.
 * Cost    opening and closing an order: constant; venue_orders_bounds: a walk, only after the
 *         order nearest to the market has gone. */
#ifndef ACTORS_VENUE_ORDERS_H
#define ACTORS_VENUE_ORDERS_H
#include "actors/market/market.h"
#include "actors/market/more.h"
#include "actors/venue/latency.h"
#include "runtime/base/map.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VENUE_NONE      UINT32_MAX /* "no order" among indices */
#define VENUE_NO_SERIES UINT16_MAX /* a series that is not declared */

/* What an order is in besides its terms; the numbers stand in snapshots. */
enum venue_flag {
    VENUE_LEAVES = 2,   /* to be canceled as soon as the bar that ends now has been worked */
    VENUE_EAGER = 4,    /* the next row looks at it whatever its price; a stop on trades that has it
                       * has triggered */
    VENUE_FLIGHT = 8,   /* has not arrived yet */
    VENUE_FORCED = 32,  /* leaves because its account was liquidated */
    VENUE_MORE = 64,    /* has further terms: worked by its stage, and always eager */
    VENUE_ENDS = 16,    /* leaves because its contract has expired */
    VENUE_LAPSES = 128, /* leaves because its time ran out */
};

/* Where an order with further terms is; the numbers stand in snapshots. */
enum venue_stage {
    VENUE_FRESH,   /* not looked at yet */
    VENUE_PENDING, /* waits for the first fill of its parent */
    VENUE_ARMED,   /* waits for its trigger */
    VENUE_FIRED,   /* has triggered, or is to be traded whatever the price: still to be worked */
    VENUE_RESTS,   /* a limit that waits for its price */
    VENUE_LATER,   /* only on a path: its first bar is still to come */
    VENUE_GONE,    /* only on a path: it has ended */
};

/* Further terms of an order, and where it is. */
struct venue_more {
    struct mk_more terms; /* as asked */
    price_t extreme;      /* trailing_stop: highest (sell) or lowest price since it follows; 0 = it
                           * does not yet. Recorded books: while it is VENUE_FRESH the price where
                           * its parent was filled, while a limit with display rests the quantity
                           * that is still shown; 0 = neither */
    uint64_t replaces;    /* of a request to replace: the order to cancel first */
    qty_t filled;         /* what of it has traded while it stays open; of any order */
    qty_t waits;          /* of a child: what its parent's fills have not set free yet */
    uint8_t stage;        /* enum venue_stage */
    bool anyway;          /* of a request to replace: place it though the cancel fails */
    uint8_t pad[2];       /* zero */
    uint32_t amends;      /* how often it was amended, where a filter counts that; of any order */
};

/* One order at the venue, or a request on its way there. */
struct venue_order {
    uint64_t order_id;       /* ours; for a request to cancel all the account's: 0 */
    uint64_t venue_order_id; /* the venue's number, from 1; 0 before it is accepted */
    uint64_t seq;            /* number of the request, from 1: key of its row, order of arrival */
    price_t price;           /* limit or stop price; 0 for market */
    qty_t quantity;          /* what is still to be traded, 1e-8 base */
    int64_t from_ns;         /* bars: when it was decided; elsewhere when it arrives, then since
                              * when it is there as it is; ns UTC */
    uint32_t next, prev;     /* neighbours in its book's list, VENUE_NONE at the ends */
    uint16_t instrument;     /* whose order */
    uint8_t account;         /* on whose cash */
    uint8_t side;            /* SIDE_* */
    uint8_t type;            /* ORDER_TYPE_* */
    uint8_t terms;           /* ORDER_TERMS_* */
    uint8_t flags;           /* enum venue_flag */
    uint8_t op;              /* REQUEST_OP_*: what the request asks */
};
_Static_assert(sizeof(struct venue_order) == 64, "one order, one cache line");

/* venue_places tells whether a request by op is one for a new order. */
static inline bool venue_places(uint16_t op) {
    return op == REQUEST_OP_PLACE || op == REQUEST_OP_REPLACE;
}

/* What works an instrument's orders. */
enum venue_driver {
    VENUE_CLOSED, /* no series is declared for it: every order is refused */
    VENUE_BARS,   /* its finest bars */
    VENUE_PRINTS, /* its trades */
    VENUE_DEPTH,  /* its recorded book, with its trades where there are any */
    VENUE_CROWD,  /* a matching engine among simulated traders */
};

struct venue_span;    /* span.h */
struct venue_term;    /* term.h */
struct venue_average; /* average.h */

/* The orders of one instrument. */
struct venue_book {
    const struct mk_instrument *instrument; /* its rules */
    int64_t slip_num,
        slip_den;         /* declared slippage as a reduced fraction of the price, den > 0; num
                                 * 0 = none, with a span only told not to be 0 */
    int64_t bar_end_ns;   /* end of the bar whose open was worked and whose path was not yet;
                                 * INT64_MIN = none */
    price_t lower_max;    /* highest calm buy limit or sell stop; INT64_MIN = none */
    price_t upper_min;    /* lowest calm sell limit or buy stop; INT64_MAX = none */
    uint32_t head;        /* open orders, in no order */
    uint32_t open_cnt;    /* how many */
    uint32_t eager_cnt;   /* of them eager */
    uint32_t leaves_cnt;  /* of them to be canceled after the bar in hand */
    uint32_t more_cnt;    /* of them with further terms */
    uint32_t flight_head; /* requests on their way, first to arrive first */
    uint32_t flight_tail; /* last of them */
    price_t last;         /* newest price told early while a position is held; 0 = none */
    price_t mark;         /* newest mark price told to it, 0 = none */
    struct msg_mark_bar mark_bar; /* newest bar of the mark price; interval_ns 0 = none */
    uint32_t held_cnt;            /* accounts with a linear position */
    uint32_t backed_cnt;          /* of them those that margin backs: they may be liquidated */
    uint16_t series;              /* the series that works it */
    uint16_t mark_series;         /* its mark price, VENUE_NO_SERIES = none */
    uint16_t funding_series;      /* its funding, VENUE_NO_SERIES = none */
    uint8_t driver;               /* enum venue_driver */
    bool mark_bars;               /* the mark's series has bars, not single prices */
    int64_t share; /* bars, trades: what of a row may be ours, 1e-8; 0 = no cap. With a cap
                              * all orders have VENUE_MORE */
    qty_t room;    /* what is left of it in the row in hand */
    struct venue_span *span;       /* what a slippage model reckons with, NULL = none */
    struct venue_term *term;       /* its end, NULL = it has none */
    struct venue_average *average; /* what filters reckon with, NULL = the last price */
    uint8_t heard;                 /* interests raised: a bit per enum rt_hear */
    bool stale;                    /* a bound may be too near: see venue_orders_bounds */
    struct venue_delay delay;      /* what the rows tell of their way to the recorder */
    int64_t sent_ns;               /* when the last request was sent on its way, 0 = none yet */
};

/* All orders of a venue. */
struct venue_orders {
    struct venue_order *pool; /* slots, twice max: each order may have a cancel on its way */
    struct venue_more *more;  /* beside each slot: read where the order has VENUE_MORE */
    struct rt_map by_id;      /* open orders by order_id */
    uint32_t free;            /* unused slots, linked by next */
    uint32_t cnt;             /* orders open or on their way */
    uint32_t max;             /* this many at most */
};

/* venue_orders_init makes o empty, for max (1..1M) orders, in pool and more (2 * max slots each)
 * and zeroed map memory of rt_map_bytes(max). */
void venue_orders_init(struct venue_orders *o, struct venue_order *pool, struct venue_more *more,
                       void *map, uint32_t max);

/* venue_orders_book makes an empty book of instrument, worked by driver from series. */
void venue_orders_book(struct venue_book *b, const struct mk_instrument *instrument,
                       enum venue_driver driver, uint16_t series);

/* venue_orders_take returns the index of an unused slot, or VENUE_NONE. The caller fills it, then
 * opens it, sends it on its way, or gives it back. */
uint32_t venue_orders_take(struct venue_orders *o);

/* venue_orders_give puts a slot back that is in no list. */
void venue_orders_give(struct venue_orders *o, uint32_t idx);

/* venue_orders_open enters the filled slot idx among b's open orders, eager or calm as its flags
 * say. Returns 0, -EEXIST when an order of that id is open, or -ENOSPC when max are. */
int venue_orders_open(struct venue_orders *o, struct venue_book *b, uint32_t idx);

/* venue_orders_close takes the open order idx out of b and gives its slot back. */
void venue_orders_close(struct venue_orders *o, struct venue_book *b, uint32_t idx);

/* venue_orders_calm makes an eager limit or stop wait for its price. */
void venue_orders_calm(struct venue_book *b, struct venue_order *order);

/* venue_orders_wake makes a calm order eager. */
void venue_orders_wake(struct venue_book *b, struct venue_order *order);

/* venue_orders_bounds makes lower_max and upper_min exact again after orders have gone. */
void venue_orders_bounds(const struct venue_orders *o, struct venue_book *b);

/* venue_orders_send puts the filled slot idx among b's requests on their way, by seq. */
void venue_orders_send(struct venue_orders *o, struct venue_book *b, uint32_t idx);

/* venue_orders_land takes the first request on its way out of b's list and returns its index; the
 * slot stays taken. VENUE_NONE when there is none. */
uint32_t venue_orders_land(struct venue_orders *o, struct venue_book *b);

/* venue_orders_find returns the index of the open order with that id, or VENUE_NONE. */
static inline uint32_t venue_orders_find(const struct venue_orders *o, uint64_t order_id) {
    return order_id == 0 ? VENUE_NONE : rt_map_get(&o->by_id, order_id);
}

/* venue_order_lower tells on which side of the market a limit or stop waits: true where a falling
 * price meets it (buy limit, sell stop). */
static inline bool venue_order_lower(const struct venue_order *order) {
    return (order->type == ORDER_TYPE_STOP) == (order->side == SIDE_SELL);
}
#endif
