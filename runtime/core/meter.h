/* meter.h - a shard's figures, for readers outside: the metrics page, hop times, the log.
 *
 * For     the shard loop. Figures are kept where they arise and copied to the page about once a
 *         millisecond; hops are timed in sampled turns only (1 in 64, real clock): from the turn's
 *         beginning, when what is in hand came, to the moment an actor hears what came of it.
 * Thread  the shard's.
 * Memory  inside the shard; the page is the process's. */
#ifndef RUNTIME_CORE_METER_H
#define RUNTIME_CORE_METER_H
#include "runtime/watch/metrics.h"

struct rt_shard; /* shard.h */

/* What a shard writes to. */
struct rt_meter {
    struct rt_metrics_shard *shard;   /* its block; NULL = no page */
    struct rt_metrics_edge **out;     /* blocks of its outgoing edges, by index */
    struct rt_metrics_edge **in;      /* blocks of its incoming edges, by index */
    struct rt_metrics_actor **actors; /* blocks of its actors, by local index */
    struct rt_metrics_hop **hops;     /* hops that end at its actors, by local index */
    int64_t last_ns;                  /* monotonic time of the last copy */
    uint64_t turns, idle_turns;       /* as of the last copy */
    uint64_t allocations;             /* the thread's count when the loop began */
};

/* rt_meter_publish copies the figures to the page when a millisecond has passed since the last
 * time; mono_ns is the monotonic time. */
void rt_meter_publish(struct rt_shard *s, int64_t mono_ns);
#endif
