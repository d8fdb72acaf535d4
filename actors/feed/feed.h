/* feed.h - makes bars that no source declares, and passes trades on.
 *
 * For     strategies on an interval that a file does not have, and those that hear trades.
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
 * Thread  the shard's.
 * Memory  a partial bar for each declared one.
 * Cost    a few comparisons a row and resampled bar. */
#ifndef ACTORS_FEED_FEED_H
#define ACTORS_FEED_FEED_H
#include "runtime/core/actor.h"

/* The actor kind "feed". Keys: bars: [{instrument, from: INTERVAL | trades, to: INTERVAL}],
 * trades: [INSTRUMENT]. Says MSG_BAR and MSG_TRADE. */
extern const struct rt_actor_kind feed_kind;

/* feed_begin_ns returns when the interval that holds ns begins. */
int64_t feed_begin_ns(int64_t ns, int64_t interval_ns);
#endif
