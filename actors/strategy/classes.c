#include "actors/strategy/classes.h"

const struct st_class *const st_classes[] = { &st_pair, &st_quote_touch, &st_sma_cross,
                                              &st_trend_cross, NULL };
