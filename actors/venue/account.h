/* account.h - money at the venue: what an order that is met costs, and what it moves.
 *
 * For     the drivers of the simulated venue, whatever finds out that an order is met: bars,
 *         prints, a matching engine. All sums are exact (schemas/fixed.h).
 *           spot    notional moves cash, paid rounded up, received rounded down; no short. A buy
 *                   pays its fee in base, from what it receives; a sell in quote.
 *           linear  realised P&L and fees move cash, which may fall below zero where the account
 *                   has no margin; short allowed. Isolated: what opens sets its initial margin
 *                   apart, what closes gives back its share (backing.h). A position keeps
 *                   quantity and cost; a reduction takes cost * closed / held, rounded toward
 *                   zero, and the rest stays. A fill that turns a
 *                   position around rounds its value once; what does not belong to the closed
 *                   part is the cost of the new one.
 *           inverse the same in coin, with the worth of actors/market/value.h.
 *           fee     rate * notional (as it moved, in units of 1e-8) or * quantity received,
 *                   rounded up to 1e-8 (a rebate toward zero). The rate is the instrument's, or
 *                   that of the account's tier (fees.h).
 *           burn    of an account with a fee asset (market.h): a fee above zero is paid out of its
 *                   balance of that, at the discount, rounded up once at the asset's price as the
 *                   order is met, where it has all of it; else as above, without the discount. A
 *                   buy that receives the very asset pays out of what it receives, at the discount.
 *                   Rebates are as above, and all fees of instruments with charges. The balance
 *                   is apart from what orders trade.
 *           charges of an instrument that has them (actors/market/charges.h) are added, in quote;
 *                   then a spot buy's fee is in quote too, and its cash covers it.
 *           cut     what free cash does not cover at the fill's price (spot buy), what is not held
 *                   free (spot sell) or would not reduce (reduce_only) is cut to the lot below; the
 *                   rest expires with insufficient_balance. Free is what other open orders have
 *                   not locked (locks.h). A fill-or-kill order is not cut: it expires whole.
 *           hedge   of an account in hedge mode (linear): long and short are two positions.
 *                   The order's side and its exit term say which it is of: a buy opens the long, a
 *                   sale with exit closes it; a sale opens the short, a buy with exit closes it.
 *                   An exit is cut to what its position holds, whether reduce_only or not.
 *           slip    declared slippage worsens a taker's price, rounded to the tick against him (an
 *                   instrument without slippage fills at the undisturbed price as it is); a limit
 *                   never passes its limit, a sale never goes below one tick. A model of impact
 *                   (span.h) reckons with what is to be traded, before it is cut.
 * Thread  pure functions.
 * Memory  the caller's. */
#ifndef ACTORS_VENUE_ACCOUNT_H
#define ACTORS_VENUE_ACCOUNT_H
#include "actors/venue/orders.h"

/* What one account holds of one instrument. */
struct venue_holding {
    qty_t quantity;  /* spot: what is held, >= 0; linear: signed position */
    cash_t cost;     /* linear: cash the position cost, signed like it; spot: 0 */
    cash_t isolated; /* isolated margin: part of the account's cash set apart for it; else 0 */
};

/* An account as one instrument's orders see it; copied to try out a path. */
struct venue_purse {
    cash_t cash;                     /* quote cash */
    struct venue_holding held;       /* of the instrument; in hedge mode the long */
    struct venue_holding shorts;     /* in hedge mode the short, else empty */
    cash_t locked_quote;             /* spot: of cash, by open orders but the one that is met */
    qty_t locked_base;               /* spot: of what is held, likewise */
    const struct mk_tier *tier;      /* whose rates hold; NULL = the instrument's */
    const struct mk_fee_asset *burn; /* what fees are paid in; NULL = as usual */
    int64_t burn_held;               /* what it has of that */
    price_t burn_price;              /* what one is worth now; 0 = not known */
    const struct mk_charged *so_far; /* what the order that is met has paid of the instrument's
                                      * charges; NULL = nothing yet */
    int64_t now_ns;                  /* of charges with a date */
    uint16_t leverage;               /* declared for the instrument; 0 without margin */
    uint8_t margin;                  /* enum mk_margin of the account */
    bool steps;                      /* linear: liquidations go step by step (backing.h) */
    bool hedge;                      /* the account is in hedge mode and the instrument linear */
};

/* What came of an order that was met. */
struct venue_deal {
    qty_t quantity;     /* filled; 0 = nothing */
    price_t price;      /* at this price */
    cash_t value;       /* worth as it moved (mk_value): paid rounded up, received down */
    int64_t fee;        /* in the fee asset; below zero for a rebate */
    cash_t charged;     /* of it by the instrument's charges */
    int64_t rounded;    /* what rounding the fee up added to it, 1e-16 */
    int64_t slippage;   /* price given away beyond the undisturbed one, per unit, >= 0 */
    uint16_t reason;    /* why the rest ends; REASON_NONE when there is none */
    uint16_t fee_asset; /* index in the table of assets */
    uint8_t status;     /* ORDER_STATUS_FILLED; PARTIALLY_FILLED: the rest stays open; or how the
                         * rest ends: EXPIRED, REJECTED, CANCELED */
    uint8_t liquidity;  /* LIQUIDITY_* */
};

/* venue_account_deal trades quantity (> 0) of what is open of order at the undisturbed price (> 0)
 * with liquidity, out of purse p and into *deal. What cannot be paid or held is cut; where a figure
 * leaves the range of money nothing is traded and the order expires with overflow. */
void venue_account_deal(struct venue_purse *p, const struct venue_book *b,
                        const struct venue_order *order, qty_t quantity, price_t price,
                        uint8_t liquidity, struct venue_deal *deal);

/* venue_account_charged adds deal to what its order has paid of charges. */
static inline void venue_account_charged(struct mk_charged *c, const struct venue_deal *deal) {
    c->quantity += deal->quantity;
    c->value += deal->value < 0 ? -deal->value : deal->value;
    c->paid += deal->charged;
}

/* venue_account_close closes quantity (> 0, no more than it is) of p's position h (its held or
 * shorts; not spot) in in at price (> 0) by force, with a fee in what it settles in. False when a
 * sum leaves the range of money; then nothing is booked. */
bool venue_account_close(const struct mk_instrument *in, struct venue_purse *p,
                         struct venue_holding *h, qty_t quantity, price_t price, cash_t fee);

/* venue_account_holds tells whether p holds any position. */
static inline bool venue_account_holds(const struct venue_purse *p) {
    return p->held.quantity != 0 || p->shorts.quantity != 0;
}

/* venue_account_worth returns what p is worth at price as far as the instrument's orders change it,
 * as a number that orders: exact, so that two ways through a bar compare. */
__int128 venue_account_worth(const struct venue_purse *p, const struct mk_instrument *instrument,
                             price_t price);
#endif
