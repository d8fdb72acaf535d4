/* generate.h - writes an invented market (walk.h) as CSV files in Binance's forms.
 *
 * For     `shrike data generate`, tests and benches. The same options give the same bytes.
 * Thread  any; not on a shard.
 * Memory  one block of rows at a time.
 * Cost    about 1 us a row. */
#ifndef ACTORS_DATA_GENERATE_H
#define ACTORS_DATA_GENERATE_H
#include "actors/data/walk.h"
#include "runtime/base/error.h"
#include <stdint.h>
#include <stdio.h>

/* What to write. */
struct data_generate {
    const char *dir;            /* directory that the files go to; it exists */
    const char *const *symbols; /* names, ends with NULL: letters, digits, '-', '_', '.' */
    uint64_t seed;              /* of the market */
    int64_t start_ns;           /* midnight or any instant, ns UTC */
    int64_t interval_ns;        /* length of a bar, 1s..7d; 0 = trades */
    uint32_t days;              /* 1..36500 */
    uint32_t hour_trades;       /* trades an hour on average; 0 = 1800 */
};

/* data_generate writes DIR/SYMBOL-INTERVAL.csv (12 columns with heading) or DIR/SYMBOL-trades.csv
 * (id, price, qty, quote_qty, time, is_buyer_maker with heading) for each symbol. BTCUSDT, ETHUSDT
 * and a few more begin at prices like theirs, others at 100. Returns 0 with *rows the number of
 * rows written (may be NULL), or negative errno with err; a file that cannot be written whole is
 * removed. */
int data_generate(const struct data_generate *g, uint64_t *rows, struct rt_error *err)
    __attribute__((warn_unused_result));

/* data_symbol_fits tells whether a symbol can be part of a file's name. */
bool data_symbol_fits(const char *symbol);
/* data_generate_options fills o for one symbol. */
void data_generate_options(const struct data_generate *g, const char *symbol,
                           struct data_walk_options *o);
/* data_generate_bars writes the bars of w up to end_ns to out. Returns how many, or negative
 * errno. */
int64_t data_generate_bars(const struct data_walk *w, int64_t end_ns, FILE *out);
/* data_generate_trades writes the trades of w up to end_ns to out. Returns how many, or negative
 * errno. */
int64_t data_generate_trades(const struct data_walk *w, int64_t end_ns, FILE *out);
#endif
