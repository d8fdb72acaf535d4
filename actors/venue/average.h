/* average.h - the weighted average price of the last minutes, which a venue's filters go by.
 *
 * For     the venue, for instruments whose filters: say minutes. Sum of price * quantity over sum
 *         of quantity, rounded down, of what was traded in the last minutes: trades where they
 *         work the orders (of a recorded book, of simulated traders), else bars, each as its volume
 *         at (high + low + close) / 3.
 *         What counts is kept in stretches of 5 s: the one in hand and those before it that make
 *         up the minutes.
 * Thread  the venue's shard.
 * Memory  48 bytes a stretch, from the arena at init; nothing where no minutes are declared.
 * Cost    a trade or bar: a division and a product; an order: a walk over the stretches.
 * Source  Binance, "Filters" (avgPriceMins) and GET /api/v3/avgPrice. */
#ifndef ACTORS_VENUE_AVERAGE_H
#define ACTORS_VENUE_AVERAGE_H
#include "actors/market/market.h"
#include "runtime/core/actor.h"
#include "schemas/messages.h"

/* What was traded in one stretch. */
struct venue_stretch {
    __int128 worth;  /* sum of price * quantity, 1e-16 */
    __int128 volume; /* sum of quantities, 1e-8 */
    int64_t n;       /* which stretch since 1970 */
    int64_t pad;     /* zero */
};

/* The last stretches of an instrument. */
struct venue_average {
    struct venue_stretch *at; /* ring: stretch n at n % max */
    uint32_t max;             /* how many */
};

enum { VENUE_AVERAGE_FIGURES = 5 }; /* counters of a stretch in snapshots */

/* VENUE_COUNTER_AVERAGE + (instrument id << 16 | place in the ring) * VENUE_AVERAGE_FIGURES + one:
 * counters of stretches. */
#define VENUE_COUNTER_AVERAGE (UINT64_C(1) << 40)

/* venue_average_new takes the memory of the average of instrument from the arena; NULL where its
 * filters say no minutes. */
struct venue_average *venue_average_new(struct rt_init *init, const struct mk_instrument *in);

/* venue_average_trade takes quantity traded at price. */
void venue_average_trade(struct venue_average *a, int64_t ns, price_t price, qty_t quantity);

/* venue_average_bar takes a bar that has ended. */
void venue_average_bar(struct venue_average *a, const struct msg_bar *bar);

/* venue_average_price returns the average of the minutes up to now_ns; 0 when nothing was
 * traded. */
price_t venue_average_price(const struct venue_average *a, int64_t now_ns, uint32_t minutes);

/* venue_average_newest returns the average of the minutes up to the newest trade or bar. */
price_t venue_average_newest(const struct venue_average *a, uint32_t minutes);

/* venue_average_save writes the stretches of instrument id. */
void venue_average_save(const struct venue_average *a, uint16_t id, struct rt_row_sink *sink);

/* venue_average_load takes back figure number at of a, false when there is none. */
bool venue_average_load(struct venue_average *a, uint64_t at, int64_t value);
#endif
