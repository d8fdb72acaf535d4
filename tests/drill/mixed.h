/* mixed.h - the strategies of mixed.c, amender.c and exiter.c, for the list of classes in faulty.c.
 *
 * For     the program shrike_drill. */
#ifndef TESTS_DRILL_MIXED_H
#define TESTS_DRILL_MIXED_H
#include "actors/strategy/api.h"

/* Keeps changing one limit order. */
extern const struct st_class st_amender;
/* Enters, and leaves by exits that stand at the venue. */
extern const struct st_class st_exiter;
/* Places orders of every type. */
extern const struct st_class st_mixed;
#endif
