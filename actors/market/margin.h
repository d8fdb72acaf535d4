/* margin.h - what a perpetual position must be backed by, when it is liquidated, what funding it
 * pays: exact, in integers.
 *
 * For     the simulated venue (which enforces it), risk and portfolio (which foresee it). Formulas
 *         are those of Binance USD-M (README, "Margin"):
 *           maintenance   notional * rate of its bracket - cum; brackets by notional at the mark
 *           initial       notional / leverage
 *           liquidation   wallet + unrealized <= maintenance
 *           funding       quantity * mark * rate; above zero a long pays
 *         Where contracts have a size, value.h tells what quantity * price is; of inverse ones all
 *         figures, brackets too, are in coin (Binance COIN-M, Bybit inverse).
 *         Maintenance of inverse contracts is of the notional at the mark, as on Binance; Bybit
 *         takes it of the value at entry, which is not modelled.
 *         Each figure is rounded against the account: what it must have or pays up, what it has or
 *         receives down, to 1e-8; a liquidation price to the last 1e-8 that liquidates.
 * Thread  pure functions.
 * Memory  none of its own. */
#ifndef ACTORS_MARKET_MARGIN_H
#define ACTORS_MARKET_MARGIN_H
#include "actors/market/value.h"
#include <stdbool.h>

/* A position on its own: signed quantity and the cash it cost. */
struct mk_holding {
    qty_t quantity; /* 1e-8 base; > 0 long */
    cash_t cost;    /* 1e-8 of what it settles in; of inverse contracts of the other sign */
};

/* mk_brackets_seal computes cum of cnt brackets (caps and maintenance rates rising): the cum of the
 * one below + its cap * (rate - rate below), so that maintenance has no step. False on overflow. */
bool mk_brackets_seal(struct mk_bracket *brackets, uint32_t cnt);

/* mk_bracket_at returns the bracket that notional (>= 0) falls in: the first whose cap it does not
 * pass, the last beyond all. NULL when the instrument has none. */
const struct mk_bracket *mk_bracket_at(const struct mk_instrument *in, cash_t notional);

/* mk_notional computes what |quantity| is worth at price (>= 0), in size, rounded up. False on
 * overflow. */
bool mk_notional(const struct mk_instrument *in, qty_t quantity, price_t price, cash_t *out);

/* mk_gap computes by how much the worth of |quantity| differs between two prices (> 0), rounded up.
 * False on overflow. */
bool mk_gap(const struct mk_instrument *in, qty_t quantity, price_t from, price_t to, cash_t *out);

/* mk_better returns the price nearest to price (> 0) at which closing quantity (a long's above
 * zero) brings lack (> 0) more; held within [0, INT64_MAX / 2] of change, INT64_MAX where no price
 * of an inverse contract does. */
price_t mk_better(const struct mk_instrument *in, qty_t quantity, price_t price, cash_t lack);

/* mk_margin_maintenance computes what a position of quantity must be backed by at mark; 0 without
 * brackets. False on overflow. */
bool mk_margin_maintenance(const struct mk_instrument *in, qty_t quantity, price_t mark,
                           cash_t *out);

/* mk_margin_initial computes notional / leverage (>= 1), rounded up. */
cash_t mk_margin_initial(cash_t notional, uint32_t leverage);

/* mk_margin_unrealized computes what h would bring at price beyond its cost, rounded down. False
 * on overflow. */
bool mk_margin_unrealized(const struct mk_instrument *in, const struct mk_holding *h, price_t price,
                          cash_t *out);

/* mk_margin_most computes the largest notional that leverage allows: the cap of the highest bracket
 * that grants it; 0 when none does, INT64_MAX without brackets. */
cash_t mk_margin_most(const struct mk_instrument *in, uint32_t leverage);

/* mk_liquidation_price computes the mark at which h is liquidated when wallet backs it: cross, the
 * cross wallet + unrealized of all other cross positions - their maintenance; isolated, the wallet
 * set apart. *out is the price nearest to the market at which wallet + unrealized <= maintenance,
 * 0 = no price above zero does (a long), INT64_MAX = none that fits (a short); 1 for a short that
 * any price liquidates. */
void mk_liquidation_price(const struct mk_instrument *in, const struct mk_holding *h, cash_t wallet,
                          price_t *out);

/* mk_pair_meets tells whether a long and a short in one instrument are liquidated at price, where
 * wallet backs both: wallet + their unrealized <= their maintenance, each rounded by itself. */
bool mk_pair_meets(const struct mk_instrument *in, const struct mk_holding *a,
                   const struct mk_holding *b, cash_t wallet, price_t price);

/* mk_pair_liquidation returns the first price on the way from from to to (both > 0; mk_pair_meets
 * at to) at which the two are liquidated. What backs them falls off to either side of one price, so
 * that there is one such point on the way. */
price_t mk_pair_liquidation(const struct mk_instrument *in, const struct mk_holding *a,
                            const struct mk_holding *b, cash_t wallet, price_t from, price_t to);

/* mk_bankruptcy_price computes the price at which wallet and unrealized come to nothing, rounded so
 * that they do not come to less: up for a long, down for a short; 0 or INT64_MAX as above. */
void mk_bankruptcy_price(const struct mk_instrument *in, const struct mk_holding *h, cash_t wallet,
                         price_t *out);

/* mk_funding computes what quantity pays at mark and rate (1e-8): above zero paid, rounded up;
 * below zero received, rounded down in size. False on overflow. */
bool mk_funding(const struct mk_instrument *in, qty_t quantity, price_t mark, int64_t rate,
                cash_t *out);
#endif
