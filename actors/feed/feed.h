/* feed.h - makes bars that no source declares, and passes trades on.
 *
 * For     strategies on an interval that a file does not have, on Heikin-Ashi or Renko bars, on the
 *         bars of a session, and those that hear trades. Nobody else hears made bars: orders are
 *         worked, checked and valued on the prices that were traded.
 *         Trades come from a source or, where the venue makes a market of simulated traders, as
 *         frames from there; those everyone hears from the venue itself.
 * When    a bar is said when it is known: with its last constituent, which ends when the bar does;
 *         when that one is missing, by a timer at the bar's end. A bar of trades is said at its
 *         end by timer, or by a trade of that very instant, which belongs to the next. An interval
 *         in which nothing came has no bar.
 * Grid    intervals begin at whole multiples since 1970-01-01 UTC, those of whole weeks on Mondays.
 * Sums    open of the first, close of the last, highest, lowest; volume and count added in order.
 *         A constituent that begins in an interval already told (a source off the grid) is left out
 *         and counted.
 * Names   an entry with a name is heard by that name alone (a strategy's `bars:`), not by its
 *         length; its number stands in the bar's flags (actors/market/bars.h). Bars that are not
 *         the plain ones of the clock must have one.
 * Session what begins outside the session (actors/market/session.h) is left out before anything
 *         is made of it, and intervals begin at whole multiples of local time.
 * Heikin-Ashi, of the bar as it would be told:
 *           close = (open + high + low + close) / 4, open = (open + close of the one before) / 2
 *           (of the first: of its own bar), high and low the farthest of these two and the bar's.
 *           Each average is rounded down to 1e-8; volume, count and time are the bar's.
 * Renko   bricks of a fixed size, on closes or on trades. They begin at anchor, or at the first
 *         price rounded down to a whole brick (the first brick where that is 0). A brick is made
 *         when the price is a whole brick above the upper or below the lower end of the one before,
 *         so a turn takes two. High and low are the ends of the brick. It begins where the one
 *         before was known and is told when it is known, by the row that completes it; of several
 *         at one instant the first has all the volume and count since, the others none and no
 *         length. Of more than FEED_BRICKS_MAX at one instant the last are told, the rest counted.
 * Thread  the shard's.
 * Memory  a partial bar for each declared one.
 * Cost    a few comparisons a row and resampled bar. */
#ifndef ACTORS_FEED_FEED_H
#define ACTORS_FEED_FEED_H
#include "runtime/core/actor.h"

enum { FEED_BRICKS_MAX = 32 }; /* most bricks told of one row */

/* The actor kind "feed". Keys: bars: [{instrument, from: INTERVAL | trades, to: INTERVAL, name,
 * type, brick, anchor, session}], trades: [INSTRUMENT]. Says MSG_BAR and MSG_TRADE. */
extern const struct rt_actor_kind feed_kind;
#endif
