/* prints.h - works a book's orders against trades.
 *
 * For     the venue, for instruments that have trades and no book; the rules stand in venue.h.
 * Thread  the venue's shard.
 * Memory  the venue's scratch.
 * Cost    a trade that meets no order: two comparisons; else a walk over the book's open orders. */
#ifndef ACTORS_VENUE_PRINTS_H
#define ACTORS_VENUE_PRINTS_H
#include "actors/venue/venue.h"

/* venue_prints_run works cnt >= 1 trades, oldest first, up to the first at which something is said
 * or moved, and returns how many it took. */
uint32_t venue_prints_run(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                          const struct msg_trade *trades, uint32_t cnt);

/* venue_prints_mark lets b's newest mark trigger orders that look at it. */
void venue_prints_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);
#endif
