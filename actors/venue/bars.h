/* bars.h - works a book's orders against bars: at the open, then along the path inside.
 *
 * For     the venue, for instruments that have bars; the rules stand in venue.h.
 * Thread  the venue's shard.
 * Memory  the venue's scratch.
 * Cost    a bar that meets no order: two comparisons; else a walk over the book's open orders and a
 *         sort of those that are met. */
#ifndef ACTORS_VENUE_BARS_H
#define ACTORS_VENUE_BARS_H
#include "actors/venue/venue.h"

/* venue_bars_first returns when the first bar may open that works order, given the interval of
 * bars. */
static inline int64_t venue_bars_first(const struct venue *v, const struct venue_order *order,
                                       int64_t interval_ns) {
    if (v->latency_ns < interval_ns) return order->from_ns;
    return order->from_ns + v->latency_ns - v->latency_ns % interval_ns;
}

/* venue_bars_open works what meets the open of a bar that begins now. */
void venue_bars_open(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     const struct msg_bar_open *open);

/* venue_bars_path works what the path inside a bar meets, at its end. A bar whose open was not
 * worked is passed over. */
void venue_bars_path(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                     const struct msg_bar *bar);

/* venue_bars_due tells whether the open of the bar in hand has found order, at stage, which is then
 * worked at the bar's end: with a cap (share) that is when the open's fills are known. */
bool venue_bars_due(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                    const struct venue_order *order, uint8_t stage);

/* venue_bars_join puts the order idx, open since this instant, to work: on the rest of the bar that
 * opened at this instant where the rules say so, else from a next one. The order may be gone. */
void venue_bars_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);
#endif
