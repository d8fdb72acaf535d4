/* ledger.h - the venue's own books: what accounts paid is somewhere.
 *
 * For     venue.c, which books what it tells (fills, liquidations, funding), and tests, which hold
 *         the books against the accounts after each step. Per asset:
 *           market   the other side of all trades: price * quantity of buys less that of sales,
 *                    base too
 *           fees     of fills, rebates taken off
 *           fund     the insurance fund: liquidation fees less what it paid where a position was
 *                    closed at a better price than was met; below zero where it lacked (fund.h)
 *           funding  what positions paid, less what they received: the other side's
 *           rounding what rounding against the accounts left of notionals, fees of fills and
 *                    funding: the venue's. Of charges, liquidation fees and what the fund pays
 *                    it is in their own figures, and everywhere what is below 1e-16.
 *         The cash of all accounts - the cost of their linear positions + spot holdings +
 *         balances of fee assets + these = what was deposited, exactly. At the end they are told
 *         (MSG_VENUE_BOOKS).
 * Thread  the venue's shard.
 * Memory  96 bytes an asset.
 * Cost    a multiplication and five additions a fill. */
#ifndef ACTORS_VENUE_LEDGER_H
#define ACTORS_VENUE_LEDGER_H
#include "actors/venue/account.h"

struct venue;
struct rt_ctx;

/* Its size, and its place in snapshots. */
enum {
    VENUE_COUNTER_LEDGER =
        3 << 27,              /* + (asset * VENUE_LEDGER_FIGURES + figure) * 2 [+ 1]: halves */
    VENUE_LEDGER_FIGURES = 5, /* figures an asset */
};

/* The books of one asset, 1e-16. */
struct venue_ledger {
    __int128 figure[VENUE_LEDGER_FIGURES]; /* by enum venue_ledger_figure */
};

/* Their places. */
enum venue_ledger_figure {
    VENUE_LEDGER_MARKET,   /* paid to the other side of trades */
    VENUE_LEDGER_FEES,     /* fees */
    VENUE_LEDGER_FUND,     /* the insurance fund */
    VENUE_LEDGER_FUNDING,  /* funding */
    VENUE_LEDGER_ROUNDING, /* what rounding left */
};

/* venue_ledger_fill books the fill in deal of order. */
void venue_ledger_fill(struct venue *v, const struct mk_instrument *in,
                       const struct venue_order *order, const struct venue_deal *deal);

/* venue_ledger_forced books that quantity was closed by force at price by a trade of side, with
 * fee; pays: what the fund adds because that is better than what was met. */
void venue_ledger_forced(struct venue *v, const struct mk_instrument *in, uint8_t side,
                         qty_t quantity, price_t price, cash_t fee, cash_t pays);

/* venue_ledger_delivery books that quantity was delivered at price by a trade of side, with fee. */
void venue_ledger_delivery(struct venue *v, const struct mk_instrument *in, uint8_t side,
                           qty_t quantity, price_t price, cash_t fee);

/* venue_ledger_funding books that an account paid amount (below zero: received) on quantity at mark
 * and rate. */
void venue_ledger_funding(struct venue *v, const struct mk_instrument *in, qty_t quantity,
                          price_t mark, int64_t rate, cash_t amount);

/* venue_ledger_tell says the books of all assets that anything was booked of. */
void venue_ledger_tell(struct rt_ctx *ctx, const struct venue *v);

/* venue_conserved tells whether the accounts and the books come to what was deposited, in each
 * asset. For tests: it walks over all accounts and instruments. */
bool venue_conserved(const struct venue *v);
#endif
