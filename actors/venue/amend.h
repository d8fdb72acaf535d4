/* amend.h - gives an open order other figures: price, trigger, quantity.
 *
 * For     the venue, when a request to amend arrives. Rules:
 *           what     limit orders, and orders that wait for their trigger: price (of a stop its
 *                    trigger), the trigger beside a limit, quantity. Of a trailing stop the
 *                    quantity alone. Refused with amend_rule: market orders, orders that have
 *                    triggered and take, the trigger of one that has triggered, a quantity no
 *                    larger than what is filled, the quantity of a child that its parent has set
 *                    free in part, and among simulated traders any of a trailing stop that follows.
 *           looked   tick, lot, filters, least notional, locks and margin as on arrival, for the
 *           new
 *                    figures in place of the old; a smaller quantity at the same price is only
 *                    looked at for lot and filters.
 *           place    a smaller quantity at the same price keeps the order's place in a queue;
 *                    anything else loses it: the order arrives anew, with its number, and takes
 *                    where its new price does. On bars it works from the first bar that a new
 *                    order would, and not before. A post-only one that would take ends
 *                    (would_match).
 *           bar      as with cancels: where a bar ends at this instant that is still to be worked,
 *           it
 *                    is worked with the old figures first.
 *         The answer (MSG_VENUE_AMENDED) comes before what the new figures bring about.
 * Thread  the venue's shard.
 * Memory  the venue's. */
#ifndef ACTORS_VENUE_AMEND_H
#define ACTORS_VENUE_AMEND_H
#include "actors/venue/venue.h"

/* Figures of an order. */
struct venue_figures {
    price_t price;      /* limit or stop price */
    price_t stop_price; /* trigger beside a limit, 0 = none */
    qty_t quantity;     /* what is open */
};

/* venue_amend gives the open order idx what the request asks (price, quantity with what is filled;
 * stop: trigger beside a limit, 0 = as it is), or refuses it, and says so. The order may be gone
 * then. */
void venue_amend(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 const struct venue_order *request, price_t stop);
#endif
