/* bars.h - bars that are known by a name: what the feeds of a run declare.
 *
 * For     feed, which makes them, and strategies, which choose them (`bars: NAME`). A frame of such
 *         a bar says in its flags which name it is of, so that it is never taken for the bar of the
 *         clock that has its length.
 * Thread  init of actors.
 * Memory  none.
 * Cost    walks over the feeds' declarations: start only. */
#ifndef ACTORS_MARKET_BARS_H
#define ACTORS_MARKET_BARS_H
#include "runtime/core/actor.h"

/* How a bar is made. */
enum mk_bars_type {
    MK_BARS_TIME,        /* of the clock: first, highest, lowest, last */
    MK_BARS_HEIKIN_ASHI, /* averaged; not prices that were traded */
    MK_BARS_RENKO,       /* bricks of a fixed size; not prices that were traded */
};

enum {
    MK_BARS_SHIFT = 4,      /* the number of its name stands in a bar's flags from this bit on */
    MK_BARS_NAMES_MAX = 99, /* most names of a run */
};

/* Words of type:, by enum mk_bars_type; ends with NULL. */
extern const char *const mk_bars_types[];

/* mk_bars_begin_ns returns when the interval that holds ns begins: they begin at whole multiples
 * since 1970-01-01 UTC, those of whole weeks on Mondays. */
int64_t mk_bars_begin_ns(int64_t ns, int64_t interval_ns);
/* mk_bars_number returns the number (from 1) of the bars named name in the run, by the order in
 * which its feeds (by id) first declare the names; 0 when none does. */
uint16_t mk_bars_number(struct rt_init *init, const char *name);
/* mk_bars_find returns the entry of a feed that makes the bars named name of instrument, or
 * NULL. */
struct rt_node *mk_bars_find(struct rt_init *init, const char *name, const char *instrument);
#endif
