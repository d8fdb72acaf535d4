/* impact.h - slippage models: how much worse than the undisturbed price a taker's fill is.
 *
 * For     drivers of the simulated venue whose data show no depth (bars, prints), and estimates.
 *         Declared per instrument, one of
 *           bps      a fixed share of the price
 *           volume   share * quantity / volume: linear in the part of the volume that is taken
 *           root     factor * sigma * sqrt(quantity / volume): square-root law (METHODS 17)
 *         volume is what traded over the span that sigma (part of the price) belongs to, told by
 *         who asks. Where it is not known the part is taken to be all of it.
 * Numbers integers in units of 1e-8, rounded against the taker; the root is an integer's.
 * Thread  pure functions.
 * Source  METHODS 17: Toth et al., PRX 1, 2011; Bouchaud et al., Trades, Quotes and Prices. */
#ifndef ACTORS_VENUE_IMPACT_H
#define ACTORS_VENUE_IMPACT_H
#include "schemas/fixed.h"
#include <stdbool.h>
#include <stdint.h>

/* Which model. */
enum venue_impact_kind {
    VENUE_IMPACT_BPS,    /* fixed */
    VENUE_IMPACT_VOLUME, /* linear in the part of the volume */
    VENUE_IMPACT_ROOT,   /* with its root */
};

/* A declared model. */
struct venue_impact {
    enum venue_impact_kind kind; /* which */
    int64_t factor; /* bps: in 1e-8 of a basis point; volume: part of the price at the whole volume,
                     * 1e-8; root: Y, 1e-8 */
};

/* venue_isqrt returns the root of x rounded down. */
uint64_t venue_isqrt(unsigned __int128 x);

/* venue_impact_price gives by how much price (> 0) is worse for a taker of quantity (> 0), rounded
 * up, in 1e-8 quote. volume (1e-8 base) and sigma (1e-8, part of the price) as above; volume <= 0:
 * not known. False on overflow. */
bool venue_impact_price(const struct venue_impact *m, price_t price, qty_t quantity, qty_t volume,
                        int64_t sigma, price_t *out);
#endif
