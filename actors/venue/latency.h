/* latency.h - how long a message takes: between the venue and us, in three legs.
 *
 * For     drivers of the simulated venue that know instants (prints, books).
 *           feed    from the venue's event until we hear of it
 *           order   from our decision until the venue has it
 *           answer  from what the venue does until we hear of it
 *         Each leg is declared for itself:
 *           order: 5ms                                   always the same
 *           order: {median: 5ms, sigma: 0.4}             lognormal: median * e^(sigma * z)
 *           order: {min: 1ms, p50: 4ms, p99: 20ms, max: 90ms}   quantiles, linear between them
 *           feed: {recorded: 3ms}                        what the newest row of the recording took,
 *                                                        or so long where no row tells
 *         The clock of a run is the venue's: what is decided on a row of instant T was decided, in
 *         truth, when the row was heard, feed later. So a request of instant T arrives at T + feed
 *         + order, and an answer of instant T is told at T + answer - feed, not before T: then we
 *         know no more than the feed showed. Neither requests nor answers of one instrument
 *         overtake one another.
 *         A recorded delay below zero is a fault of the recorder's clock: it counts as 0 and is
 *         counted; at the end an alert, data_clock, says of how many rows.
 * Numbers integers; the lognormal's exponential and quantile are quant's (no libm).
 * Random  one number a draw of a distribution, from whoever draws.
 * Thread  the owner's.
 * Memory  one struct.
 * Cost    constant, recorded: a load; table: 10 ns; lognormal: 60 ns. */
#ifndef ACTORS_VENUE_LATENCY_H
#define ACTORS_VENUE_LATENCY_H
#include "runtime/base/config.h"
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define VENUE_LATENCY_MAX_NS INT64_C(86400000000000) /* no leg takes longer: a day */

/* How a leg's time is found. */
enum venue_latency_kind {
    VENUE_LATENCY_CONSTANT,  /* always base_ns */
    VENUE_LATENCY_LOGNORMAL, /* median base_ns, sigma */
    VENUE_LATENCY_TABLE,     /* quantiles */
    VENUE_LATENCY_RECORDED,  /* as the newest row took */
};

enum { VENUE_LATENCY_POINTS_MAX = 12 }; /* quantiles that have a name */

/* A declared leg. */
struct venue_latency {
    enum venue_latency_kind kind;               /* how */
    uint32_t point_cnt;                         /* table: quantiles given */
    int64_t base_ns;                            /* constant; median; recorded: none told yet */
    double sigma;                               /* lognormal */
    uint64_t part[VENUE_LATENCY_POINTS_MAX];    /* table: part of all below, in 2^-64 */
    int64_t point_ns[VENUE_LATENCY_POINTS_MAX]; /* table: the quantile, never falling */
};

/* The three legs. */
struct venue_legs {
    struct venue_latency feed;   /* venue to us: what happens there */
    struct venue_latency order;  /* us to venue: requests */
    struct venue_latency answer; /* venue to us: answers */
};

/* What the newest row of an instrument told. Plain data: stands in snapshots. */
struct venue_delay {
    int64_t last_ns; /* delay of the newest row that told one, >= 0; INT64_MIN = none has */
    uint64_t faults; /* rows whose delay was below zero */
};

/* venue_latency_constant makes a leg that always takes ns (>= 0). */
struct venue_latency venue_latency_constant(int64_t ns);

/* venue_latency_load reads the leg under key of map; missing: the constant def_ns. Returns 0, or
 * -EINVAL with err. */
int venue_latency_load(struct rt_node *map, const char *key, int64_t def_ns,
                       struct venue_latency *out, struct rt_error *err);

/* venue_legs_load reads latency: of map, which is either a duration, the order leg, or a map of
 * legs. Returns 0, or -EINVAL with err. */
int venue_legs_load(struct rt_node *map, struct venue_legs *out, struct rt_error *err);

/* venue_latency_draws tells whether a leg needs a random number. */
static inline bool venue_latency_draws(const struct venue_latency *l) {
    return l->kind == VENUE_LATENCY_LOGNORMAL || l->kind == VENUE_LATENCY_TABLE;
}

/* venue_latency_ns returns the leg's time now, 0..VENUE_LATENCY_MAX_NS: random is a fresh number
 * where venue_latency_draws, delay the instrument's. */
int64_t venue_latency_ns(const struct venue_latency *l, const struct venue_delay *delay,
                         uint64_t random);

/* venue_latency_typical returns one figure for the leg: the constant or median, for bars. */
int64_t venue_latency_typical(const struct venue_latency *l);

/* venue_delay_init: no row has told anything. */
static inline void venue_delay_init(struct venue_delay *d) {
    *d = (struct venue_delay){ .last_ns = INT64_MIN };
}

/* venue_delay_row takes delay_us of a row; 0 = not told. */
static inline void venue_delay_row(struct venue_delay *d, int32_t delay_us) {
    if (delay_us == 0) return;
    d->last_ns = delay_us < 0 ? 0 : (int64_t)delay_us * 1000;
    d->faults += delay_us < 0;
}
#endif
