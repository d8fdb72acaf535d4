/* book.h - the order book of one instrument, as a venue shows it: quantity by price.
 *
 * For     whoever follows rows of MSG_BOOK_DELTA: the simulated venue, the feed, strategies. An
 *         update is a run of rows, the first flagged first, the last flagged last; between updates
 *         the book stands as the venue had it. How the rows of a venue hang together (update ids)
 *         is the decoder's business: it flags a gap, and the rows here carry it.
 * Stale   A book is stale until its first snapshot has ended, and again from a gap, from a row that
 *         makes no sense (off the tick grid, below zero, outside an update) and from an update that
 *         leaves the best bid at or above the best ask: until the next snapshot has ended. Rows
 *         that come while it is stale are counted and forgotten.
 * Window  Levels near the touch lie in a ring of prices, one slot a tick, with a map of bits that
 *         finds the next level; levels far from it lie in a table of far_max. The window follows
 *         the touch. When the table is full, the levels farther from the touch than its mean are
 *         forgotten and counted.
 * Thread  one owner.
 * Memory  mk_book_bytes, given by the owner at init; never grows.
 * Cost    a row near the touch: a few stores; best: a load; next level: two or three loads. A touch
 *         that wanders a quarter of the window away: a walk over the levels, once. */
#ifndef ACTORS_MARKET_BOOK_H
#define ACTORS_MARKET_BOOK_H
#include "runtime/base/map.h"
#include "schemas/fixed.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MK_BOOK_WINDOW_MIN = 4096,    /* least ticks in a window */
    MK_BOOK_WINDOW_MAX = 1 << 20, /* most */
    MK_BOOK_FAR_MIN = 64,         /* least room for levels far from the touch */
    MK_BOOK_FAR_MAX = 1 << 20,    /* most */
};

/* What a row did. */
enum mk_book_step {
    MK_BOOK_STALE, /* the book is stale */
    MK_BOOK_PART,  /* part of an update: the book does not stand as the venue ever had it */
    MK_BOOK_WHOLE, /* the update is whole: the book stands */
};

/* One side of a book inside the window. */
struct mk_book_side {
    qty_t *quantity; /* by tick & mask; 0 = no level */
    uint64_t *bits;  /* a bit per slot: there is a level */
    uint64_t *words; /* a bit per word of bits: it is not 0 */
    int64_t best;    /* best price in ticks, 0 = the side is empty */
    uint32_t cnt;    /* levels, far ones too */
    uint32_t pad;    /* zero */
};

/* A level outside the window. */
struct mk_book_far {
    int64_t tick;   /* price in ticks */
    qty_t quantity; /* above 0 */
    uint64_t side;  /* SIDE_* */
};

/* A book. Read by anyone through the functions below, written by them alone. */
struct mk_book {
    struct mk_book_side sides[2]; /* by SIDE_BUY (bids), SIDE_SELL (asks) */
    price_t tick_size;            /* grid of prices */
    double per_tick;              /* 1 / tick_size */
    int64_t low;                  /* lowest tick of the window */
    int64_t mask;                 /* ticks in the window - 1 */
    struct mk_book_far *far;      /* levels outside the window, in no order */
    struct rt_map far_at;         /* index in far by tick * 2 + side */
    uint32_t far_cnt;             /* how many */
    bool stale;                   /* see above */
    bool open;                    /* an update is in hand */
    bool filling;                 /* the update in hand is a snapshot */
    bool placed;                  /* the window has been placed since the book was empty */
    qty_t before;                 /* what rested at the level of the last row before it */
    uint64_t update_id;           /* of the last whole update */
    int64_t time_ns;              /* of the last row heard, ns UTC */
    uint64_t gaps;                /* times it became stale because updates are missing */
    uint64_t crossed;             /* times it became stale because bid and ask crossed */
    uint64_t bad;                 /* times it became stale because a row made no sense */
    uint64_t ignored;             /* rows that came while it was stale */
    uint64_t forgotten;           /* far levels given up for room */
};

/* mk_book_bytes returns the memory for a window of so many ticks (a power of two in its range) and
 * far_max (MK_BOOK_FAR_MIN..MK_BOOK_FAR_MAX) levels outside it; 0 for figures out of range. */
size_t mk_book_bytes(uint32_t window, uint32_t far_max);

/* mk_book_init makes an empty, stale book in zeroed, 64-aligned memory of mk_book_bytes. */
void mk_book_init(struct mk_book *b, void *memory, uint32_t window, uint32_t far_max,
                  price_t tick_size);

/* mk_book_apply takes the next row. */
enum mk_book_step mk_book_apply(struct mk_book *b, const struct msg_book_delta *row);

/* mk_book_place puts the window of an empty book where it was (b->low) when the book was saved, so
 * that it forgets later what it would have forgotten. */
void mk_book_place(struct mk_book *b, int64_t low);

/* mk_book_put sets one level (price on the grid, quantity >= 0) outside any update, for books that
 * come back from a snapshot of state. */
void mk_book_put(struct mk_book *b, uint8_t side, price_t price, qty_t quantity);

/* mk_book_clear empties the book; it is stale then. */
void mk_book_clear(struct mk_book *b);

/* mk_book_next returns the price of the best level of side that is worse than price (on the
 * grid; 0 = the best of all), 0 when there is none: so a loop walks the depth. */
price_t mk_book_next(const struct mk_book *b, uint8_t side, price_t price);

/* mk_book_far_at returns the quantity of a level outside the window. */
qty_t mk_book_far_at(const struct mk_book *b, uint8_t side, int64_t tick);

/* mk_book_best returns the best price of side, 0 when it is empty. */
static inline price_t mk_book_best(const struct mk_book *b, uint8_t side) {
    return b->sides[side].best * b->tick_size;
}

/* mk_book_tick puts price in ticks into *tick; false when it is not above 0 and on the grid. */
static inline bool mk_book_tick(const struct mk_book *b, price_t price, int64_t *tick) {
    /* A multiplication costs a fifth of a division; what it yields is proven by multiplying back,
     * and beyond 2^53 the division has the last word. */
    int64_t t = (int64_t)((double)price * b->per_tick + 0.5);
    if (__builtin_expect((__int128)t * b->tick_size != price, 0)) {
        if (price % b->tick_size != 0) return false;
        t = price / b->tick_size;
    }
    *tick = t;
    return t > 0;
}

/* mk_book_at returns what rests at price (on the grid, above 0), 0 when there is no level. */
static inline qty_t mk_book_at(const struct mk_book *b, uint8_t side, price_t price) {
    int64_t tick;
    if (!mk_book_tick(b, price, &tick)) return 0;
    if ((uint64_t)tick - (uint64_t)b->low <= (uint64_t)b->mask) {
        return b->sides[side].quantity[tick & b->mask];
    }
    return mk_book_far_at(b, side, tick);
}

/* mk_book_crossed tells whether the best bid is at or above the best ask. */
static inline bool mk_book_crossed(const struct mk_book *b) {
    int64_t bid = b->sides[SIDE_BUY].best, ask = b->sides[SIDE_SELL].best;
    return bid != 0 && ask != 0 && bid >= ask;
}
#endif
