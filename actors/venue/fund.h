/* fund.h - the insurance fund of the venue, and who stands in where it cannot pay.
 *
 * For     the venue, where insurance: declares what the fund begins with, by asset. There
 *         liquidations take the sequence of Binance USD-M (backing.h). Rules:
 *           fund      takes liquidation fees, and pays where a position is closed at its bankruptcy
 *                     price though the market is beyond. It pays all that a closed position lacks
 *                     or, where it has not so much, nothing: it never falls below zero.
 *           adl       what it cannot pay is paid by the other side: accounts of the run that hold
 *                     against the closed position are closed at its bankruptcy price, without a
 *                     fee, as much as it held, by rank; their orders in the instrument are canceled
 *                     (deleveraged). What no account of the run holds against it is closed likewise
 *                     by those outside, of whom nothing is known: the books' market.
 *           rank      unrealized / cost * leverage where unrealized >= 0, else / leverage; leverage
 *                     = notional / (what backs the position + unrealized): isolated what is set
 *                     apart for it, else all the account has; at the mark, each rounded down to
 *                     1e-8; equal: the smaller id. (Binance, "What Is Auto-Deleveraging": by profit
 *                     and leverage, at the bankruptcy price, no trading fee, open orders are
 *                     canceled.)
 *         Without insurance: the fund pays always and may fall below zero.
 * Thread  the venue's shard.
 * Memory  16 bytes an asset, 32 an account, from the arena at init, where a fund is declared.
 * Cost    nothing where none is; where the fund cannot pay a look at all accounts for each that is
 *         closed. */
#ifndef ACTORS_VENUE_FUND_H
#define ACTORS_VENUE_FUND_H
#include "actors/market/value.h"
#include "actors/venue/backing.h"

/* The fund of an asset. */
struct venue_fund {
    cash_t start; /* what it begins with */
    bool on;      /* it is declared */
};

/* A position that the fund could not pay for. */
struct venue_lack {
    qty_t quantity;      /* that was closed */
    price_t price;       /* at its bankruptcy price */
    uint16_t instrument; /* id */
    uint8_t side;        /* of the trade that closed it */
    uint8_t account;     /* whose it was */
};

/* venue_fund_init reads insurance: and takes the memory. */
int venue_fund_init(struct rt_init *init, struct venue *v, struct rt_error *err);

/* venue_fund_on tells whether the fund of what in settles in is declared. */
static inline bool venue_fund_on(const struct venue *v, const struct mk_instrument *in) {
    return v->funds != NULL && v->funds[mk_settle(in)].on;
}

/* venue_fund_pays tells whether the fund pays for leg, a position in b of account that was closed
 * by force; where it cannot, what was closed is to be deleveraged by venue_fund_settle. */
bool venue_fund_pays(struct venue *v, const struct venue_book *b, uint8_t account,
                     const struct venue_forced_leg *leg);

/* venue_fund_settle closes accounts against what the fund could not pay in b. Not while orders that
 * a row of b meets are in hand. */
void venue_fund_settle(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);
#endif
