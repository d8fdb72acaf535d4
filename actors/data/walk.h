/* walk.h - an invented market that never ends and is the same everywhere.
 *
 * For     people without data: the source "market" and `shrike data generate`. Not for judging
 *         strategies: it has the shape of a market and nobody behind it.
 * Shape   the logarithm of a price is sqrt(c) * common + sqrt(1 - c) * own, c the correlation of
 *         two instruments of one seed. Volatility clusters: it is a product of eight factors, each
 *         1.4 or 0.6, drawn anew every 16 minutes, 64 minutes, ... 182 days (after Calvet and
 *         Fisher's Markov-switching multifractal). Volatility and activity are low at noon and high
 *         at midnight UTC (a parabola over the day); about one row in 5000 jumps.
 * Restart every number is a hash of (seed, instrument, what for, index), and rows come in blocks of
 *         DATA_WALK_ROWS. What a block begins and ends at has a closed form: a sum over scales from
 *         the block's length to four years of values at lattice points, joined by lines (amplitude
 *         grows by the root of the scale, as a random walk does). Inside, increments are drawn and
 *         what is missing to the block's end is spread over them by their variance. So any row is
 *         had by making one block, and a price never runs away.
 * Numbers additions, multiplications, divisions, square roots and floors of doubles only: the same
 *         bits on every machine.
 * Thread  pure functions of their arguments.
 * Cost    about 40 ns a row. */
#ifndef ACTORS_DATA_WALK_H
#define ACTORS_DATA_WALK_H
#include "runtime/base/error.h"
#include "schemas/fixed.h"
#include "schemas/messages.h"
#include <stdint.h>

enum {
    DATA_WALK_ROWS = 1024, /* rows of a block */
    DATA_WALK_VERSION = 1, /* goes into the hash of a series; raised when figures change */
};

/* What a walk is made from; no padding, hashed as it lies. */
struct data_walk_options {
    uint64_t seed;       /* of the whole market */
    uint64_t stream;     /* of the instrument: data_walk_stream of its name */
    int64_t start_ns;    /* where row 0 begins, ns UTC, >= 0 */
    int64_t interval_ns; /* length of a bar, >= 1 s; 0 = trades */
    int64_t day_trades;  /* trades a day on average, 1..1e9; for trades only */
    price_t price;       /* at the start, >= 10 ticks, at most 1e7 whole units */
    price_t tick_size;   /* > 0 */
    qty_t lot_size;      /* > 0 */
    qty_t day_quantity;  /* traded a day on average, > 0 */
    double volatility;   /* of a year, 0.01..5 */
    double correlation;  /* 0..1: share of the common factor */
    uint64_t instrument; /* id written into rows */
    uint64_t version;    /* DATA_WALK_VERSION */
};

/* A walk made ready. */
struct data_walk {
    struct data_walk_options options; /* as given */
    double rate;                      /* trades: rows a day */
    double row_sigma;                 /* standard deviation of a mean row */
    double per_tick;                  /* 1e8 / tick_size */
    double own, common;               /* weights of the two factors */
    double field_own0, field_common0; /* the fields at the start */
    uint32_t scale_first;             /* first scale of the fields, minutes as a power of two */
};

/* data_walk_stream returns the stream of a name: adding an instrument changes no other. */
uint64_t data_walk_stream(const char *name);
/* data_walk_init makes w ready. Returns 0, or -EINVAL with err when a figure is out of range. */
int data_walk_init(struct data_walk *w, const struct data_walk_options *options,
                   struct rt_error *err) __attribute__((warn_unused_result));
/* data_walk_bars makes the DATA_WALK_ROWS bars of block number block. */
void data_walk_bars(const struct data_walk *w, uint64_t block, struct msg_bar *rows);
/* data_walk_trades makes the DATA_WALK_ROWS trades of block number block; a trade's id is its row
 * number plus 1. */
void data_walk_trades(const struct data_walk *w, uint64_t block, struct msg_trade *rows);
/* data_walk_rows_before returns how many rows are known by end_ns: bars that end by then, trades
 * before it. */
uint64_t data_walk_rows_before(const struct data_walk *w, int64_t end_ns);
#endif
