/* store_source.h - the source "store": a set of the store (store.h) as rows for a run.
 *
 * For     backtests and paper runs on imported data: bars, trades, quotes, book deltas, funding,
 *         mark price, open interest; the same rows as the file they were imported from, so the same
 *         results.
 * Thread  open at boot, blocks on the shard's thread.
 * Memory  three stretches of DATA_STORE_STRETCH rows a series, whatever its length; columns are
 *         mapped and shared between shards and processes.
 * Cost    a stretch is checked and turned into rows when the one before is used up: about 10 us. */
#ifndef ACTORS_DATA_STORE_SOURCE_H
#define ACTORS_DATA_STORE_SOURCE_H
#include "runtime/core/source.h"

enum { DATA_STORE_STRETCH = 1024 /* rows given to the engine at once */ };

/* The source. Keys: instrument, stream, interval, data (the store's directory), venue, symbol,
 * volume: declared | none. The series' hash is the SHA-256 of the checksums of the blocks that the
 * run's span touches. */
extern const struct rt_source_kind data_store_source;
#endif
