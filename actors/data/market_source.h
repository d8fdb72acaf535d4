/* market_source.h - the source "market": an invented market (walk.h) for runs without files.
 *
 * For     `./dev run`, examples and tests. Each named instrument gives one series of bars, or of
 *         trades. Prices begin at the declared ones at the run's start (2024-01-01 when it has
 *         none); without an end it goes on (till 2199). Bars and trades of one instrument, and bars
 *         of two intervals, are markets of their own: declare one and let feed make the others.
 * Thread  open at boot, blocks on the shard's thread.
 * Memory  two blocks of rows a series, taken at open.
 * Cost    a block of DATA_WALK_ROWS rows is made when the one before is used up: about 40 us. */
#ifndef ACTORS_DATA_MARKET_SOURCE_H
#define ACTORS_DATA_MARKET_SOURCE_H
#include "actors/data/walk.h"
#include "actors/market/market.h"
#include "runtime/core/source.h"

/* data_market_default fills o for an instrument that nothing is said about: 500000 ticks of price,
 * a volatility of 0.6, a daily volume of 1e9 quote. interval_ns 0 = trades, 43200 a day. */
void data_market_default(struct data_walk_options *o, const char *name, price_t tick_size,
                         qty_t lot_size, uint64_t seed, int64_t start_ns, int64_t interval_ns);

/* The source. Keys: instruments (names, or maps of instrument, price, volatility, volume),
 * rows: bars | trades, interval, trades_per_hour, volatility, correlation, seed. */
extern const struct rt_source_kind data_market_source;
#endif
