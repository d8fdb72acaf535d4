/* bench.h - what the questions of `shrike bench` share: results, statistics, runs of real shards.
 *
 * For     the files of bench/, one file a question, and cli/cmd_bench.c, which asks them.
 * Thread  the main thread, but for bench_thread and what runs on shards.
 * Memory  samples are taken before anything is measured.
 * Cost    a figure is the median of several repetitions after a warm-up, a rate the best of them
 *         (least and most stand beside it; ratios are of these figures); the whole takes below 90
 *         s, with quick below 20 s. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H
#include "runtime/base/error.h"
#include "runtime/boot/engine.h"
#include "runtime/time/clock.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BENCH_RESULTS_MAX = 128, /* figures in all */
    BENCH_REPEATS_MAX = 16,  /* repetitions of one figure */
};

/* One figure. */
struct bench_result {
    char name[40];    /* stable name: "edge.hop.p50" */
    const char *unit; /* "ns", "1/s", "B/s" */
    double value;     /* median over the repetitions; of rates (unit per second) the best */
    double low, high; /* least and most of them */
    double aim;       /* what was aimed at, 0 = nothing */
    char peer[40];    /* name of the figure it is held against, empty = none */
};

/* A session of the bench. */
struct bench {
    struct bench_result results[BENCH_RESULTS_MAX]; /* figures so far */
    uint32_t result_cnt;                            /* how many */
    bool quick;                                     /* fewer and shorter repetitions */
    char dir[256];                                  /* scratch directory on a disk, made */
    struct rt_error err;                            /* what went wrong */
};

/* A figure being repeated. */
struct bench_series {
    double at[BENCH_REPEATS_MAX]; /* one value a repetition */
    uint32_t cnt;                 /* how many */
};

/* Quantiles of one repetition's samples, in the samples' unit. */
struct bench_quantiles {
    double p50, p99, p999, p9999, max; /* by rank */
};

/* bench_add adds a repetition's value. */
void bench_add(struct bench_series *s, double value);
/* bench_median returns the middle of the values, 0 without any. */
double bench_median(const struct bench_series *s);
/* bench_put makes a result of s: name and unit, aim (0 = none; for rates at least, else at most),
 * and the name of the peer it is held against (NULL = none). */
void bench_put(struct bench *b, const char *name, const char *unit, const struct bench_series *s,
               double aim, const char *peer);
/* bench_value returns the value of the result named name, 0 when there is none. */
double bench_value(const struct bench *b, const char *name);
/* bench_quantiles sorts the cnt samples and returns their quantiles. */
struct bench_quantiles bench_quantiles(uint32_t *samples, size_t cnt);
/* bench_ns turns TSC ticks into ns. */
double bench_ns(double tsc);
/* bench_pin pins the calling thread to a core (modulo those there are). */
void bench_pin(int core);
/* bench_free lets the calling thread run anywhere again. */
void bench_free(void);
/* bench_repeats returns how often to repeat: full times, or less when quick. */
uint32_t bench_repeats(const struct bench *b, uint32_t full);

/* What the bench's actors found on one shard. */
struct bench_probe {
    uint64_t start_tsc; /* when Start was heard */
    uint64_t stop_tsc;  /* when Stop was heard */
    uint64_t allocs;    /* heap calls of the shard's thread between the two */
    uint64_t rows;      /* rows told between the two */
    uint64_t mails;     /* frames heard between the two */
};

/* How the ticks of tick_order are made, set before a run; read by the bench's actors. */
struct bench_ticks {
    uint32_t *samples;     /* TSC from tick to order, one each */
    uint32_t sample_max;   /* room in samples */
    uint32_t sample_cnt;   /* how many were taken */
    uint32_t tick_cnt;     /* ticks to make; then the run is stopped */
    uint32_t warm_cnt;     /* first orders that are not measured */
    uint32_t gap_ns;       /* least time between two ticks */
    uint32_t jitter_ns;    /* random time on top, a power of two */
    uint32_t batch;        /* ticks given at once */
    uint32_t every;        /* the strategy orders at every n-th tick */
    uint32_t refused[128]; /* orders refused, by reason */
};

extern struct bench_probe bench_probes[RT_SHARDS_MAX]; /* by shard; written by the shard */
extern struct bench_ticks bench_ticks;                 /* of the run in hand */
extern const struct rt_registry bench_registry;      /* shrike_registry and the bench's own kinds */
extern uint32_t bench_local_cnt;                     /* messages that ping and pong exchange */
extern const struct rt_source_kind bench_l2_source;  /* a book and trades in memory */
extern const struct rt_actor_kind bench_quoter_kind; /* keeps orders in it */

/* bench_use_classes makes the bench's strategy class known to strategy hosts. */
void bench_use_classes(void);
/* bench_run_open writes yaml to a run file, loads it and opens the run in dir (NULL = nowhere).
 * Returns 0 or negative errno with err. */
int bench_run_open(const char *yaml, const char *dir, struct rt_run *run, struct rt_error *err)
    __attribute__((warn_unused_result));
/* bench_run_close closes the run and its topology. */
void bench_run_close(struct rt_run *run, bool done);
/* bench_run is open, run process 0, close. */
int bench_run(const char *yaml, const char *dir, bool done, struct rt_error *err)
    __attribute__((warn_unused_result));

/* bench_tick_yaml writes the run file of tick_order on so many shards (1, 2, 5). */
void bench_tick_yaml(uint32_t shards, char *out, size_t cap);

/* The questions; each adds its results and returns 0 or negative errno with b->err. */
int bench_hop(struct bench *b);        /* from shard to shard: ck.*, slot.*, edge.* */
int bench_local(struct bench *b);      /* from actor to actor of one shard: local.* */
int bench_tick_order(struct bench *b); /* from tick to order: tick_order.* */
int bench_relay(struct bench *b);      /* five threads passing a word: relay.* */
int bench_journal(struct bench *b);    /* append, scan, recover: journal.* */
int bench_backtest(struct bench *b);   /* bars a second: backtest.* */
int bench_multi(struct bench *b);      /* bars a second of many symbols: backtest.multi.* */
int bench_year(struct bench *b);       /* a year of bars with its page: backtest.year_html */
int bench_csv(struct bench *b);        /* bytes of kline CSV a second: csv.* */
int bench_store(struct bench *b);      /* bytes of the data store a second: store.* */
int bench_match(struct bench *b);      /* commands a second of a matching engine: match.* */
int bench_l2(struct bench *b);         /* rows a second of a recorded book: l2.* */
#endif
