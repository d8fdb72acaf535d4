/* metrics.h - the metrics page: figures of a live process, read from outside.
 *
 * For     `shrike top`, benches, tests, exporters. One page a process: a file on tmpfs that the
 *         process writes by plain stores and everyone else maps read-only.
 *
 *             head | log | shard blocks | edge blocks | actor blocks | hop histograms
 *
 *         How many of each is said at create; layout and sizes are the build's own, so a reader of
 *         another build is refused by name.
 * Thread  each block has one writer (told at the block) and lines of its own, 128 bytes apart from
 *         the next writer's. Words are relaxed atomics: a reader may see one a moment before
 *         another; sums are its own to make. Only `ready` is release (writer) and acquire (reader).
 * Memory  the file: about 1 KiB a shard, edge or actor, 18 KiB a hop. Nothing after create.
 * Cost    rt_metric_set a store, rt_metric_add a load and a store. */
#ifndef RUNTIME_WATCH_METRICS_H
#define RUNTIME_WATCH_METRICS_H
#include "runtime/base/error.h"
#include "runtime/watch/hist.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes that are part of the page. */
enum {
    RT_METRICS_VERSION = 2,       /* raised with every change of the layout */
    RT_METRICS_NAME = 40,         /* bytes of a name with its NUL; longer ones are cut */
    RT_METRICS_OWN = 8,           /* metrics of its own that an actor may have */
    RT_METRICS_COUNT_MAX = 65535, /* blocks of a kind */
};

/* The head of the page; written at create, constant once ready. */
struct rt_metrics_head {
    char magic[8];                        /* "SHRIKEMP" */
    uint32_t version;                     /* RT_METRICS_VERSION */
    int32_t pid;                          /* of the process that writes */
    uint64_t run_id;                      /* of the run */
    int64_t started_ns;                   /* when the page was made, ns UTC */
    uint64_t bytes;                       /* of the whole page */
    uint32_t shard_cnt, edge_cnt;         /* blocks of each kind */
    uint32_t actor_cnt, hop_cnt;          /* blocks of each kind */
    uint32_t shard_bytes, edge_bytes;     /* size of a block of each kind */
    uint32_t actor_bytes, hop_bytes;      /* size of a block of each kind */
    char build_id[72];                    /* of the program, hex */
    char process[RT_METRICS_NAME];        /* name of the process in the topology */
    _Alignas(128) _Atomic uint32_t ready; /* 1: named and being written; 2: ended in good order */
};

/* The log's figures; the formatter thread writes. */
struct rt_metrics_log {
    _Alignas(128) _Atomic uint64_t lines; /* lines written */
    _Atomic uint64_t dropped;             /* records that found their ring full */
    _Atomic uint64_t lost;                /* lines that could not be written */
    _Atomic uint64_t rotated;             /* files begun because the last was full */
};

/* One shard's figures; that shard writes. */
struct rt_metrics_shard {
    _Alignas(128) char name[RT_METRICS_NAME]; /* in the topology; constant */
    uint32_t number;                          /* in the run; constant */
    int32_t core;                             /* it is pinned to, -1 = none; constant */

    _Alignas(128) _Atomic int64_t beat_ns; /* monotonic time of the last look at the clock, ns */
    _Atomic int64_t now_ns;                /* time of the last event, ns UTC */
    _Atomic uint64_t turns;                /* turns of the loop */
    _Atomic uint64_t idle_turns;           /* turns without work */
    _Atomic uint64_t busy_ns, idle_ns;     /* wall time with and without work, ns */
    _Atomic uint64_t longest_turn_ns;      /* longest turn, ns */
    _Atomic uint64_t events;               /* outside events taken */
    _Atomic uint64_t rows;                 /* rows of sources told */
    _Atomic uint64_t frames;               /* frames heard by actors */
    _Atomic uint64_t journal_end;          /* bytes appended since the start of the run */
    _Atomic uint64_t journal_synced;       /* bytes that a power cut cannot take */
    _Atomic uint64_t journal_free;         /* whole segments free */
    _Atomic uint64_t snapshots;            /* taken */
    _Atomic uint64_t allocations;          /* heap calls of the thread since boot's end: 0 */
    _Atomic uint64_t timers;               /* armed */
    _Atomic uint64_t killed;               /* kill word as last seen */
    _Atomic uint64_t journal_waits;        /* 1 = it stands still until the disk has room */
};

/* One edge's figures. At every moment sent = received + queued, and what was said on it = sent +
 * dropped + merged + refused. */
struct rt_metrics_edge {
    _Alignas(128) char from[RT_METRICS_NAME]; /* sending shard; constant */
    char to[RT_METRICS_NAME];                 /* receiving shard; constant */
    char policy[RT_METRICS_NAME];             /* what it does when full; constant */
    uint32_t capacity;                        /* frames it holds; constant */

    _Alignas(128) _Atomic uint64_t sent; /* frames it took; the sender writes these */
    _Atomic uint64_t dropped;            /* frames dropped because it was full */
    _Atomic uint64_t merged;             /* frames that a newer one took the place of */
    _Atomic uint64_t refused;            /* questions for room answered no */
    _Atomic uint64_t waited;             /* frames that waited for room */
    _Atomic uint64_t queued;             /* in it, as the sender last saw */
    _Atomic uint64_t high_water;         /* most that were in it */

    _Alignas(128) _Atomic uint64_t received; /* frames taken out; the receiver writes it */
};

/* One actor's figures; its shard writes. */
struct rt_metrics_actor {
    _Alignas(128) char name[RT_METRICS_NAME];       /* in the topology; constant */
    char kind[RT_METRICS_NAME];                     /* its kind; constant */
    uint32_t id;                                    /* in the run; constant */
    uint32_t shard;                                 /* number of its shard; constant */
    char own_name[RT_METRICS_OWN][RT_METRICS_NAME]; /* its own metrics, "" = none; constant */

    _Alignas(128) _Atomic uint64_t calls; /* times a handler was called */
    _Atomic uint64_t said;                /* frames it said */
    _Atomic uint64_t stopped;             /* reason code it was stopped for, 0 = runs */
    _Atomic uint64_t longest_ns;          /* longest call seen, ns; sampled turns only */
    _Atomic uint64_t own[RT_METRICS_OWN]; /* its own metrics */
};

/* One hop: how long from one point of an order's path to another; who ends the hop writes. */
struct rt_metrics_hop {
    _Alignas(128) char from[RT_METRICS_NAME]; /* where it begins; constant */
    char to[RT_METRICS_NAME];                 /* where it ends; constant */
    _Alignas(128) struct rt_hist ns;          /* its times, ns */
};

/* What a page is made of. */
struct rt_metrics_options {
    const char *path;    /* file on tmpfs; a page of that name is replaced when this is published */
    const char *process; /* name of the process */
    const char *build_id; /* hex, at most 71 characters */
    uint64_t run_id;      /* of the run */
    uint32_t shard_cnt;   /* blocks of each kind, 0..RT_METRICS_COUNT_MAX */
    uint32_t edge_cnt;    /* blocks of each kind */
    uint32_t actor_cnt;   /* blocks of each kind */
    uint32_t hop_cnt;     /* blocks of each kind */
};

/* A page, of its writer or of a reader. */
struct rt_metrics {
    uint8_t *map;                 /* the page; NULL = none */
    size_t bytes;                 /* its size */
    uint32_t shard_cnt, edge_cnt; /* copies: a writer that goes mad cannot lead a reader out */
    uint32_t actor_cnt, hop_cnt;  /* copies of the head's */
    size_t shards, edges, actors, hops; /* where the blocks begin, bytes */
    bool writer;                        /* this process writes it */
    char path[256];                     /* of the file, the writer's */
};

/* rt_metrics_create makes a page with all figures 0, to be seen by nobody before it is published.
 * Names are filled in by the caller in between (rt_metrics_name). Returns 0 or a negative errno
 * with err. */
int rt_metrics_create(struct rt_metrics *m, const struct rt_metrics_options *o,
                      struct rt_error *err) __attribute__((warn_unused_result));

/* rt_metrics_publish gives the page its name in the file system. Returns 0 or negative errno. */
int rt_metrics_publish(struct rt_metrics *m, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_metrics_open maps the page at path for reading. Returns 0, or with err: -ENOENT (none),
 * -EPROTO (another build's layout, or no page), -EAGAIN (not ready yet). Counts and sizes are
 * checked; what the blocks say is the writer's word. */
int rt_metrics_open(struct rt_metrics *m, const char *path, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_metrics_alive tells whether the process that wrote the page runs. */
bool rt_metrics_alive(const struct rt_metrics *m);

/* rt_metrics_close unmaps; a writer's page is marked as ended and its file removed. m may hold
 * none. */
void rt_metrics_close(struct rt_metrics *m);

/* rt_metrics_name copies name into a field of RT_METRICS_NAME bytes, cut to fit. */
void rt_metrics_name(char field[RT_METRICS_NAME], const char *name);

/* rt_metrics_head returns the head. */
static inline struct rt_metrics_head *rt_metrics_head(const struct rt_metrics *m) {
    return (struct rt_metrics_head *)(void *)m->map;
}
/* rt_metrics_log returns the log's block. */
struct rt_metrics_log *rt_metrics_log(const struct rt_metrics *m);
/* rt_metrics_shard returns shard block idx (below shard_cnt). */
struct rt_metrics_shard *rt_metrics_shard(const struct rt_metrics *m, uint32_t idx);
/* rt_metrics_edge returns edge block idx (below edge_cnt). */
struct rt_metrics_edge *rt_metrics_edge(const struct rt_metrics *m, uint32_t idx);
/* rt_metrics_actor returns actor block idx (below actor_cnt). */
struct rt_metrics_actor *rt_metrics_actor(const struct rt_metrics *m, uint32_t idx);
/* rt_metrics_hop returns hop block idx (below hop_cnt). */
struct rt_metrics_hop *rt_metrics_hop(const struct rt_metrics *m, uint32_t idx);

/* rt_metric_get reads a figure. */
static inline uint64_t rt_metric_get(const _Atomic uint64_t *figure) {
    return atomic_load_explicit(figure, memory_order_relaxed);
}
/* rt_metric_set stores a figure; its writer only. */
static inline void rt_metric_set(_Atomic uint64_t *figure, uint64_t value) {
    atomic_store_explicit(figure, value, memory_order_relaxed);
}
/* rt_metric_add adds to a figure; its writer only (a load and a store, no locked instruction). */
static inline void rt_metric_add(_Atomic uint64_t *figure, uint64_t more) {
    rt_metric_set(figure, rt_metric_get(figure) + more);
}
/* rt_metric_max raises a figure to value when it is below; its writer only. */
static inline void rt_metric_max(_Atomic uint64_t *figure, uint64_t value) {
    if (value > rt_metric_get(figure)) rt_metric_set(figure, value);
}
#endif
