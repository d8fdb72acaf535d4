/* cost.h - what a strategy thinks that an order of its own will cost: cost_bps of its decisions.
 *
 * For     the strategy host. What is reckoned: the rates that hold for the account (its tier of
 *         fees, else the instrument's), less the discount of its fee asset, plus the instrument's
 *         charges for an order of that quantity at that price, plus declared slippage in basis
 *         points of what takes. The venue alone knows what the whole account traded: a strategy
 *         takes the tier that its newest fill in the instrument was charged by, until then the one
 *         of nothing traded; the discount, unless its newest fill paid in another asset. An
 *         estimate: nothing is sized or refused by it.
 * Thread  the strategy's shard.
 * Memory  three bytes in each leg.
 * Cost    a fill: nothing without tiers and fee asset, else a product a tier. */
#ifndef ACTORS_STRATEGY_COST_H
#define ACTORS_STRATEGY_COST_H
#include "actors/strategy/host.h"

/* st_cost_init readies leg l of account a: nothing was traded. */
void st_cost_init(struct st_leg *l, const struct mk_account *a);

/* st_cost_keeps tells whether fills of leg l change what it reckons with: then tier and fee asset
 * belong into snapshots. */
bool st_cost_keeps(const struct st_leg *l, const struct mk_account *a);

/* st_cost_fill learns from fill m of leg l. */
void st_cost_fill(struct st_leg *l, const struct mk_account *a, const struct msg_fill *m);

/* st_cost_bps returns what an order of leg l of side is thought to cost that fills quantity (> 0)
 * at price (0 = not known) as liquidity, in basis points of its worth. */
double st_cost_bps(const struct st_leg *l, const struct mk_account *a, uint8_t side,
                   uint8_t liquidity, qty_t quantity, price_t price, int64_t now_ns);
#endif
