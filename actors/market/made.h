/* made.h - which instruments have a market that the simulated venue makes itself.
 *
 * For     actors that look for where an instrument's trades come from, at boot.
 * Thread  boot's.
 * Memory  none. */
#ifndef ACTORS_MARKET_MADE_H
#define ACTORS_MARKET_MADE_H
#include "actors/market/market.h"
#include "runtime/core/actor.h"
#include <stdbool.h>

/* mk_made tells whether a venue of the run declares agents for in: then its trades and quotes
 * come as frames, and no source has rows of it. What makes no sense there the venue refuses by
 * itself. */
bool mk_made(struct rt_init *init, const struct mk_instrument *in);

/* mk_made_book tells whether such a venue says the changes of in's book too. */
bool mk_made_book(struct rt_init *init, const struct mk_instrument *in);
#endif
