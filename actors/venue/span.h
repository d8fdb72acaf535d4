/* span.h - what the last bars of an instrument came to: the volume and the variance that slippage
 * models reckon with.
 *
 * For     the venue, for instruments that declare slippage: {model: volume | root}. Of the last N
 *         bars that have ended (fewer while there are fewer) it knows
 *           volume   the sum of their base volumes; mean: divided by their number, rounded down
 *           sigma    the root of the sum of their squared returns (realised variance), rounded up;
 *                    a return is close / close of the bar before - 1, in 1e-8, toward zero; the
 *                    first bar of all has none
 *         Both belong to the same span, so that the square-root law says the same whatever N and
 *         the length of the bars: factor * sigma * sqrt(quantity / volume). Bars: those of the
 *         series that works the orders, told before the one in hand. Trades: put into bars of
 *         slippage.interval by the clock; one without trades is none.
 * Thread  the venue's shard.
 * Memory  16 bytes a bar, from the arena at init; nothing where no model is declared.
 * Cost    a bar: a division. A trade: a comparison.
 * Source  Andersen, Bollerslev, Diebold, Labys: Modeling and Forecasting Realized Volatility,
 *         Econometrica 71(2), 2003; METHODS 17. */
#ifndef ACTORS_VENUE_SPAN_H
#define ACTORS_VENUE_SPAN_H
#include "actors/market/market.h"
#include "actors/venue/impact.h"
#include "runtime/core/actor.h"
#include "schemas/messages.h"

/* What one bar came to. */
struct venue_span_bar {
    int64_t move; /* its return, 1e-8 */
    qty_t volume; /* its base volume, 1e-8 */
};

/* The last bars of an instrument. */
struct venue_span {
    struct venue_impact impact;  /* the declared model */
    struct venue_span_bar *bars; /* ring of max bars: bar n (from 1) at n % max */
    unsigned __int128 squares;   /* sum of their squared returns, 1e-16 */
    __int128 volume;             /* sum of their volumes */
    int64_t bar_ns;              /* length of the bars that trades are put into */
    int64_t begin_ns;            /* trades: when the bar in the making begins; INT64_MIN = none */
    price_t close;               /* close of the newest bar that has ended, 0 = none */
    price_t price;               /* trades: newest price of the bar in the making */
    qty_t traded;                /* trades: its volume so far */
    uint64_t cnt;                /* bars that have ended, all told */
    uint32_t max;                /* N */
};

/* venue_span_new takes the memory of the span of instrument, which declares a model, from the
 * arena. */
struct venue_span *venue_span_new(struct rt_init *init, const struct mk_instrument *instrument);

/* venue_span_bar takes a bar that has ended. */
void venue_span_bar(struct venue_span *s, const struct msg_bar *bar);

/* venue_span_clock ends the bar in the making where now_ns is beyond it: before a trade is worked.
 */
void venue_span_clock(struct venue_span *s, int64_t now_ns);

/* venue_span_trade takes a trade that has been worked. */
void venue_span_trade(struct venue_span *s, const struct msg_trade *trade);

/* venue_span_worse tells by how much price (> 0) is worse for a taker of quantity (> 0), by the
 * declared model; false on overflow. Before the first bar the volume is not known: the part taken
 * counts as all of it, and sigma is 0. */
bool venue_span_worse(const struct venue_span *s, price_t price, qty_t quantity, price_t *out);

/* venue_span_share returns the part share (1e-8) of volume, a number of the data, in whole lots. */
qty_t venue_span_share(double volume, int64_t share, qty_t lot);

/* venue_span_save writes the rows of the span of instrument id. */
void venue_span_save(const struct venue_span *s, uint16_t id, struct rt_row_sink *sink);

/* venue_span_load takes back a row; false when it makes no sense. */
bool venue_span_load(struct venue_span *s, const struct msg_span_row *row);
#endif
