/* event.h - what a venue's market stream said, in our words.
 *
 * For     the dialects: each turns a frame (JSON text) into one event. Recordings are read through
 *         it; it is what a live feed hears.
 * Thread  one owner.
 * Memory  levels grow on the heap and are used again for the next frame.
 * Errors  a frame that is none is told apart from one that is not for us. */
#ifndef ACTORS_DIALECT_EVENT_H
#define ACTORS_DIALECT_EVENT_H
#include "schemas/fixed.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happened. */
enum dl_kind {
    DL_NONE,     /* a frame that is not about the market: an answer, a heartbeat */
    DL_TRADE,    /* a trade was printed */
    DL_QUOTE,    /* the best bid or ask changed */
    DL_SNAPSHOT, /* the whole book */
    DL_DIFF,     /* levels of the book changed */
    DL_MARK,     /* mark price, index, funding rate */
};

/* One level of a book. */
struct dl_level {
    price_t price;  /* where */
    qty_t quantity; /* what stands there now, 0 = nothing */
    uint8_t side;   /* SIDE_BUY = bid */
};

/* One event. Numbers that are not told are DL_NOT_TOLD. */
struct dl_event {
    enum dl_kind kind;       /* which */
    char symbol[32];         /* the venue's word, empty when not told */
    int64_t time_ns;         /* venue's time: of the trade, or when it was sent */
    int64_t id;              /* number of the trade or of the last update */
    int64_t first_id;        /* depth: number of its first update */
    int64_t prev_id;         /* depth: number of the last update of the message before */
    price_t price;           /* trade; mark */
    qty_t quantity;          /* trade */
    uint8_t aggressor;       /* trade: side of the taker */
    price_t bid, ask;        /* quote */
    qty_t bid_quantity;      /* quote */
    qty_t ask_quantity;      /* quote */
    price_t index;           /* mark */
    price_t settle;          /* mark: estimated settlement price */
    int64_t rate;            /* mark: funding rate, 1e-8 */
    int64_t next_ns;         /* mark: when funding is due next */
    struct dl_level *levels; /* depth: its levels, bids first */
    size_t level_cnt;        /* how many */
    size_t level_room;       /* room for so many */
};

/* A number that was not told. */
#define DL_NOT_TOLD INT64_MIN

/* dl_event_fini gives the room of the levels back. */
void dl_event_fini(struct dl_event *e);
#endif
