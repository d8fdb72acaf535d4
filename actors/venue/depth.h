/* depth.h - works a book's orders in a recorded book, which others' recorded flow moves.
 *
 * For     the venue, for instruments that have rows of MSG_BOOK_DELTA, with their trades where
 *         there are any, or of MSG_BOOK_ORDER (order by order, in which trades are); the rules
 *         stand in venue.h.
 *         The book stands when it is neither stale nor inside an update; only then orders take from
 *         it and rest in it, and only then prints fill: what arrives meanwhile waits. Resting limit
 *         orders lie in a table a side, best price first, at one price by arrival, each with its
 *         place in the queue (queue.h). What orders of ours took from a level stays noted until the
 *         recording changes that level.
 *         Order by order the others' orders lie in queues (market/queues.h); the book is made of
 *         them level by level, and each order of ours has a place among them: it, not a model,
 *         tells who is before it.
 * Thread  the venue's shard.
 * Memory  the book and the tables, from the arena at init; see venue_depth_init.
 * Cost    a row away from orders of ours: the book's; a trade that meets none: four comparisons;
 *         one that does: a walk over those at its price or beyond. */
#ifndef ACTORS_VENUE_DEPTH_H
#define ACTORS_VENUE_DEPTH_H
#include "actors/market/book.h"
#include "actors/market/queues.h"
#include "actors/venue/queue.h"
#include "actors/venue/venue.h"

/* A resting limit order. */
struct venue_rest {
    price_t price;            /* where it rests */
    struct venue_queue queue; /* its place there; order by order zero */
    uint64_t place;           /* order by order: its place among all that rest; else 0 */
    uint32_t idx;             /* its slot */
    uint32_t pad;             /* zero */
};

/* What orders of ours took from a level. */
struct venue_taken {
    price_t price;  /* the level */
    qty_t quantity; /* taken from it, > 0 */
    uint64_t side;  /* SIDE_* of the level */
};

/* A recorded book and our orders in it. */
struct venue_depth {
    struct mk_book book;            /* as recorded */
    struct mk_queues *queues;       /* order by order: the orders of others; NULL = levels alone */
    struct venue_queue_model model; /* how queues shrink */
    struct venue_rest *rests[2];    /* by SIDE_*: resting limit orders, best first */
    uint32_t rest_cnt[2];           /* how many */
    price_t edge[2][2];             /* by side: lowest and highest price where one rests */
    struct venue_taken *taken;      /* levels orders of ours took from, in no order */
    uint32_t taken_cnt;             /* how many */
    uint32_t rest_max;              /* room in rests, each side */
    int64_t share;     /* of what is shown or printed that may be ours, 1e-8; 0 = all */
    uint16_t trades;   /* series of trades, VENUE_NO_SERIES = none */
    bool watched;      /* the timer of silence is armed */
    bool silent;       /* no update for longer than stale_ns: it does not stand */
    bool halted;       /* order by order: trading is halted, it does not stand */
    uint64_t full;     /* order by order: orders there was no room for; from the first on it stands
                        * no more */
    int64_t stale_ns;  /* as declared, 0 = never */
    uint64_t silences; /* times it was silent */
};

/* Declared options of books. */
struct venue_depth_options {
    enum venue_queue_kind queue; /* model of queues */
    double power;                /* its n */
    int64_t share;               /* participation, 1e-8; 0 = no cap */
    uint32_t window, far_max;    /* of the book */
    uint32_t orders_max;         /* orders of others, where it is recorded order by order */
};

enum { VENUE_TAKEN_MAX = 1024 }; /* levels that orders of ours may have taken from at one time */

/* venue_depth_options_read reads queue:, participation:, book_window:, book_levels:, book_orders:
 * of config. */
int venue_depth_options_read(struct rt_node *config, struct venue_depth_options *out,
                             struct rt_error *err);

/* venue_depth_new takes the memory of the depth of instrument from the arena; by_order: it is
 * recorded order by order. */
struct venue_depth *venue_depth_new(struct rt_init *init, const struct venue_depth_options *options,
                                    const struct mk_instrument *instrument, uint32_t orders_max,
                                    uint16_t trades, bool by_order);

/* venue_depth_run works cnt >= 1 rows of a series (book deltas, trades or orders), oldest first, up
 * to the first at which something is said or moved, and returns how many it took. */
uint32_t venue_depth_run(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint16_t series,
                         const void *rows, uint32_t cnt);

/* venue_depth_silent hears the timer of silence: b's book does not stand while it is. */
void venue_depth_silent(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_depth_join puts the order idx to work that has just arrived. It may be gone then. */
void venue_depth_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_depth_eager works all orders that wait for the book to stand, by arrival, if it does. */
void venue_depth_eager(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_depth_mark lets b's newest mark trigger orders that look at it. */
void venue_depth_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

struct venue_worked; /* backing.h */

/* venue_depth_stands tells whether orders may meet b's book. */
bool venue_depth_stands(const struct venue *v, const struct venue_book *b);

/* venue_depth_force takes what b's book, which stands, has for w at its limit or better. False when
 * the call has no room for all of it. */
bool venue_depth_force(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       struct venue_worked *w);

/* venue_depth_leave takes the order idx, which is about to be closed, from where it rests. */
void venue_depth_leave(struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_depth_price returns what a market order's worth is judged by: the touch, else the last
 * trade; 0 when neither is known. */
price_t venue_depth_price(const struct venue *v, const struct venue_book *b, uint8_t side);

/* venue_depth_save writes the rows of d. */
void venue_depth_save(const struct venue *v, const struct venue_book *b, struct rt_row_sink *sink);

/* venue_depth_counter takes back a figure of b's book that venue_depth_save wrote; false: no such
 * figure. */
bool venue_depth_counter(struct venue *v, struct venue_book *b, uint32_t figure, int64_t value);

/* venue_depth_level takes back a level, or the note of what was taken from one; false when it makes
 * no sense. */
bool venue_depth_level(struct venue_depth *d, const struct msg_book_level_row *row);

/* venue_depth_order takes back an order of others; false when it makes no sense. */
bool venue_depth_order(struct venue_depth *d, const struct msg_book_order_row *row);

/* venue_depth_rest takes back the place of the order idx; false when it makes no sense. */
bool venue_depth_rest(struct venue *v, struct venue_book *b, uint32_t idx,
                      const struct msg_queue_row *row);

#endif
