/* classes.h - the built-in strategies, one file each; classes.c lists them.
 *
 * For     classes.c and tests. */
#ifndef ACTORS_STRATEGY_CLASSES_H
#define ACTORS_STRATEGY_CLASSES_H
#include "actors/strategy/api.h"

/* pair.c: two instruments whose price ratio returns to its mean. */
extern const struct st_class st_pair;
/* quote_touch.c: a passive market maker at the touch. */
extern const struct st_class st_quote_touch;
/* sma_cross.c: crossing moving averages. */
extern const struct st_class st_sma_cross;
/* trend_cross.c: crossing moving averages that go with the trend of a longer interval. */
extern const struct st_class st_trend_cross;
#endif
