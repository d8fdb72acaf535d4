/* value.h - what a quantity of an instrument is worth at a price.
 *
 * For     all who turn prices into money: the venue, portfolio, risk, strategies, reports.
 *           spot, linear   price * quantity * multiplier, in quote
 *           inverse        contracts worth contract_value of quote each, settled in base: bought at
 *                          e and sold at x they earn n * V * (1/e - 1/x): what an instrument
 *                          earns whose unit is worth -V / price: it rises with the price, and
 *                          buying it pays -n * V / price. So cash, cost (of a sign other than the
 *                          quantity's), realised and unrealised P&L, margin and conservation are
 *                          those of linear ones, reckoned with that worth; the average price is
 *                          n * V / |cost|, the harmonic mean.
 *         Rounded as told, to 1e-8 of what it settles in: paid up and received down, also of sums
 *         below zero, so that what rounding leaves is the venue's.
 * Thread  pure functions.
 * Cost    a predictable branch where nothing is declared; a 128-bit division where it is. */
#ifndef ACTORS_MARKET_VALUE_H
#define ACTORS_MARKET_VALUE_H
#include "actors/market/market.h"
#include <stdbool.h>

/* mk_settle returns the asset that in settles in: its profit, fees and margin are in it. */
static inline uint16_t mk_settle(const struct mk_instrument *in) {
    return in->kind == MK_INVERSE ? in->base_asset : in->quote_asset;
}

/* mk_value_scaled does what mk_value does where contracts have a size. */
bool mk_value_scaled(const struct mk_instrument *in, price_t price, qty_t quantity,
                     enum fixed_round r, cash_t *out);

/* mk_value computes what quantity (signed) is worth at price (> 0), signed, rounded by r: what
 * buying it pays, what selling it receives; of inverse contracts minus their size in coin. False on
 * overflow. */
static inline bool mk_value(const struct mk_instrument *in, price_t price, qty_t quantity,
                            enum fixed_round r, cash_t *out) {
    if (__builtin_expect(in->contract == 0, 1)) return fixed_mul(price, quantity, r, out);
    return mk_value_scaled(in, price, quantity, r, out);
}

/* mk_quoted computes the notional of quantity (>= 0) at price in quote, in units of 1e-16: what
 * least and largest notionals are held against. Inverse contracts have theirs whatever the price.
 * The largest number there is where it would be larger. */
__int128 mk_quoted(const struct mk_instrument *in, price_t price, qty_t quantity);

/* mk_quantity computes how much of in is worth amount (>= 0) of quote at price (> 0), rounded down.
 * False on overflow. */
bool mk_quantity(const struct mk_instrument *in, cash_t amount, price_t price, qty_t *out);

/* mk_quantity_settled does the same of an amount of what in settles in. */
bool mk_quantity_settled(const struct mk_instrument *in, cash_t amount, price_t price, qty_t *out);

/* mk_average returns the average price of quantity (signed) of in that cost so much: the harmonic
 * mean of inverse contracts; rounded down, 0 where it is none or larger than a price can be. */
price_t mk_average(const struct mk_instrument *in, cash_t cost, qty_t quantity);

/* mk_estimate returns what quantity is worth at price, signed, as a double: for statistics. */
double mk_estimate(const struct mk_instrument *in, double quantity, double price);

/* mk_worth_order returns a number that orders sums of cash (signed) and quantity at price, exactly:
 * the larger, the more they are worth. */
__int128 mk_worth_order(const struct mk_instrument *in, __int128 cash, __int128 quantity,
                        price_t price);
#endif
