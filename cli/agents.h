/* agents.h - files of invented trades: a market of simulated traders (actors/venue/agents.h).
 *
 * For     `shrike data generate --agents`. Writes for each symbol DIR/SYMBOL-trades.csv (as
 *         data_generate's), DIR/SYMBOL-quotes.csv (update_id, best_bid_price, best_bid_qty,
 *         best_ask_price, best_ask_qty, transaction_time, event_time, as Binance's bookTicker; an
 *         empty side has 0) and DIR/SYMBOL-depth.csv (time, side, bps, quantity: once a minute what
 *         rests within each of ten basis points from the touch).
 * Thread  any.
 * Memory  one market at a time. */
#ifndef CLI_AGENTS_H
#define CLI_AGENTS_H
#include "actors/data/generate.h"

/* cli_agents_write writes the files that g tells (dir, symbols, seed, start_ns, days); *rows: how
 * many trades. Returns 0, or negative errno with err; then the symbol's files are gone. */
int cli_agents_write(const struct data_generate *g, uint64_t *rows, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
