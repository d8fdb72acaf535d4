/* backing.h - what backs linear and inverse positions at the venue: margin, liquidation, funding.
 *
 * For     the simulated venue and its drivers. Formulas: actors/market/margin.h (Binance USD-M).
 *         Rules, besides:
 *           mark       the mark price told last (MSG_MARK_BAR, MSG_MARK_PRICE); where none is
 *                      declared, the last price.
 *           cross      an account's wallet is its cash; all its positions stand for each other.
 *           isolated   what opens sets notional / leverage at the fill's price apart, out of cash;
 *                      what closes gives its share back; funding comes out of it.
 *           order      on arrival, unless it only reduces or closes: what the account has to
 *                      spare (cash, what is set apart or locked by spot orders taken off, +
 *                      unrealized of cross positions - initial margin of positions at the mark and
 *                      of open orders) covers the order's initial margin and its open loss; else
 *                      insufficient_margin. Of an instrument's open orders, each at its own price
 *                      (market and trailing ones at the mark), the worse side counts: max(|P +
 *                      bids|, |P - asks|) / leverage; isolated: what that is beyond |P|. An order
 *                      by which that does not grow needs none. It counts itself at: a purchase its
 *                      price, a market one the ask (without a book the last price) * (1 +
 *                      order_cost.market_buy); a sale the highest of its price, the mark and the
 *                      last price * (1 + order_cost.sale), rounded up. Open loss: quantity * what
 *                      its own price (of a market purchase the one it counts at) is worse than the
 *                      mark. Stops count from their arrival, at their trigger. A position with its
 *                      orders is no larger than its leverage allows; else leverage_limit. (Binance,
 *                      "How to Calculate Cost Required to Open a Position in Perpetual Futures
 *                      Contracts".) inverse: of that no rule is published; a purchase counts at its
 *                      price, a sale at no less than the mark, market orders at the mark.
 *           test       a position is liquidated where the mark meets its liquidation price: in bar
 *                      runs at the mark's open, then at its extreme after the orders met on that
 *                      leg; in trade runs at each mark and after each trade.
 *           close      cross: all open orders of the account are canceled, isolated: those in the
 *                      instrument. The whole position is closed at the liquidation price, or at
 *                      the mark where it opened beyond that, rounded to the tick against the
 *                      account, but at no price worse than the one at which nothing is left
 *                      (beyond it the insurance fund pays). liquidation_fee of the notional goes to
 *                      the fund, as far as something is left.
 *           steps      where insurance is declared (fund.h), as Binance does: the position is first
 *                      reduced by one immediate-or-cancel order at that price, down to the cap of
 *                      the highest bracket below its own at which margin suffices again: what is
 *                      left + unrealized, realized losses and the fee of the part taken off, is
 *                      above maintenance at that price; in whole lots. Where it suffices in none,
 *                      all of it is closed, as above. What is left may be met again on the same
 *                      way. isolated: losses and fee of the part come out of what is set apart, no
 *                      share of that is given back. (Binance, "Liquidation Protocols": open orders
 *                      are canceled, the position is reduced by one large IOC order without closing
 *                      all of it; margin compliant after losses and fees, it stops; else the fund
 *                      takes over at the bankruptcy price.)
 *           book       where a book is there (a recorded one that stands, simulated traders') the
 *                      order is worked in it, with or without insurance: immediate or cancel at the
 *                      price at which nothing is left, each level (each order met) a fill of its
 *                      own with its fee, as far as what is left at that price covers it; no
 *                      participation. What it takes is gone for others. If margin suffices then, at
 *                      the mark, that is all; if the order was filled, the next step follows; what
 *                      the book did not have the fund takes over, with all that is left of the
 *                      position, at the price at which nothing is left then: what that is better
 *                      than the mark the fund pays, what it is worse the fund gets. Without
 *                      insurance the order is of the whole position. Where a call has no room to
 *                      tell more, the rest follows with the next row.
 *           charges    a liquidation pays its clearance fee (liquidation_fee), no commission and
 *                      none of the instrument's charges (Binance: clearance fee in place of the
 *                      taker's).
 *           hedge      long and short are margined each by itself: initial margin of each at the
 *                      mark with the orders that open it, the larger for neither; orders that close
 *                      need none. cross: both are liquidated together, where the wallet + both
 *                      unrealized meets the maintenance of both, each at that price to the tick
 *                      against the account; what that would lose beyond nothing the fund pays, by a
 *                      better price of the larger one. With steps, or in a book, the larger one
 *                      (equal: the long) goes first, as a position beside which the other stands
 *                      with its unrealized and maintenance there; when it is closed the other is
 *                      tested at that price by itself. isolated: each by itself, out of its own.
 *           funding    on the position held at its instant, after all that a bar that ends then
 *                      has met and before the bar that opens then, at its own mark, else at the
 *                      mark, else at the last price; paid rounded up, received rounded down.
 * Thread  the venue's shard.
 * Memory  the venue's.
 * Cost    nothing for accounts without margin and instruments without funding; else a liquidation
 *         price a bar and position. */
#ifndef ACTORS_VENUE_BACKING_H
#define ACTORS_VENUE_BACKING_H
#include "actors/venue/venue.h"

/* What stands beside a position: the rest of what backs it. */
struct venue_stand {
    cash_t unrealized;  /* cross: of the account's other positions, at their marks */
    cash_t maintenance; /* cross: what those must be backed by */
};

/* A position closed by force, or a part of it. */
struct venue_forced_leg {
    qty_t quantity; /* closed */
    price_t price;  /* at this price */
    cash_t fee;     /* to the insurance fund */
    cash_t pays;    /* what the fund adds: the price is that much better than what was met */
    uint8_t side;   /* of the trade that closed it */
};

/* A position that is being closed by force in a book. */
struct venue_worked {
    struct venue_stand stand; /* what stands beside it, of a pair the other position too */
    qty_t rest;               /* still to be closed */
    price_t limit;            /* at no worse price: there nothing is left */
    uint8_t account;          /* whose */
    uint8_t side;             /* of the trades that close it */
    bool shorts;              /* hedge mode: it is the short */
};

/* What of an account in an instrument was closed by force on one way. */
struct venue_forced {
    struct venue_forced_leg *legs; /* one after the other, room for VENUE_FORCED_MAX */
    uint32_t cnt;                  /* how many */
};

/* Closes of one way: steps of two positions and their ends; where there is no room for more steps
 * they are closed whole. */
enum { VENUE_FORCED_MAX = 2 * (MK_BRACKETS_MAX + 1) };

/* venue_backing_on tells whether margin backs what account holds in b: it may be liquidated. */
static inline bool venue_backing_on(const struct venue *v, const struct venue_book *b,
                                    uint8_t account) {
    return v->market->accounts[account - 1].margin != MK_MARGIN_NONE &&
           b->instrument->kind != MK_SPOT;
}

/* venue_backing_refuses returns why the account's margin does not allow order, REASON_NONE when it
 * does. */
uint16_t venue_backing_refuses(struct rt_ctx *ctx, const struct venue *v,
                               const struct venue_book *b, const struct venue_order *order);

/* venue_backing_mark returns the mark price of b as of now: where it has none the last price; 0
 * before any. */
price_t venue_backing_mark(struct rt_ctx *ctx, const struct venue_book *b);

/* venue_backing_open sums the unrealized P&L of account's linear positions, at their marks. */
cash_t venue_backing_open(struct rt_ctx *ctx, const struct venue *v, uint8_t account);

/* venue_backing_stand reckons what stands beside account's position in b. */
struct venue_stand venue_backing_stand(struct rt_ctx *ctx, const struct venue *v,
                                       const struct venue_book *b, uint8_t account);

/* venue_backing_force closes p's positions whose liquidation price the mark meets on its way from
 * from (> 0) to to; from 0: it opened at to, may lie beyond, and is the price then. Returns whether
 * it did, and adds what it closed to out. */
bool venue_backing_force(const struct venue_book *b, const struct venue_stand *stand,
                         struct venue_purse *p, price_t from, price_t to, struct venue_forced *out);

/* venue_backing_tell says that account's position in b was closed by force, after canceling the
 * orders that go with it. */
void venue_backing_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                        const struct venue_forced *forced);

/* venue_backing_part books and says that quantity of w was closed in the book at price. */
void venue_backing_part(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                        struct venue_worked *w, qty_t quantity, price_t price);

/* venue_backing_sweep tests all positions in b at mark (> 0) and closes those it meets. */
void venue_backing_sweep(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, price_t mark);

/* venue_backing_fund charges funding. */
void venue_backing_fund(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                        const struct msg_funding *f);
#endif
