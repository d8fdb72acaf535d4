/* hist.h - log-linear histogram: how long things took, told within 1 %.
 *
 * For     hops, turns, syncs: counted where they happen, read from another thread or process.
 * Thread  one writer; any number of readers, at any time. All words are relaxed atomics: a reader
 *         may see a value a moment late and the parts of one record apart, nothing hangs on it.
 * Memory  18 KiB, fixed; plain data, may lie in shared memory.
 * Cost    a record about 2 ns: a count of leading zeros and two or three stores.
 * Source  as HdrHistogram (Gil Tene): 64 buckets to an octave, so a bucket is at most 1/64 of its
 *         values wide and its middle at most 0.8 % off. Below 128 every value has its bucket. */
#ifndef RUNTIME_WATCH_HIST_H
#define RUNTIME_WATCH_HIST_H
#include <stdatomic.h>
#include <stdint.h>

/* The shape of every histogram. */
enum {
    RT_HIST_FINE = 6,  /* bits below the highest that choose the bucket */
    RT_HIST_BITS = 40, /* values of 2^40 (18 minutes in ns) and more share the last bucket */
    RT_HIST_BUCKETS = (RT_HIST_BITS - RT_HIST_FINE + 1) << RT_HIST_FINE, /* 2240 */
};

/* A histogram; all zero is empty. */
struct rt_hist {
    _Atomic uint64_t sum;                      /* of all values; wraps */
    _Atomic uint64_t max;                      /* the greatest value, exact */
    _Atomic uint64_t buckets[RT_HIST_BUCKETS]; /* how many values fell into each */
};

/* What people read off a histogram; all in the unit of the values. */
struct rt_hist_figures {
    uint64_t count;                      /* values recorded */
    uint64_t p50, p90, p99, p999, p9999; /* percentiles, within 1 %; 0 when there are none */
    uint64_t max;                        /* exact */
    double mean;                         /* exact sum over count; 0 when there are none */
};

/* rt_hist_bucket returns the bucket of value. */
static inline uint32_t rt_hist_bucket(uint64_t value) {
    if (value >> RT_HIST_BITS != 0) return RT_HIST_BUCKETS - 1;
    if (value < 1U << (RT_HIST_FINE + 1)) return (uint32_t)value;
    uint32_t shift = 63 - RT_HIST_FINE - (uint32_t)__builtin_clzll(value);
    return (shift << RT_HIST_FINE) + (uint32_t)(value >> shift);
}

/* rt_hist_middle returns the value that stands for bucket (below RT_HIST_BUCKETS): its middle. */
static inline uint64_t rt_hist_middle(uint32_t bucket) {
    if (bucket < 1U << (RT_HIST_FINE + 1)) return bucket;
    uint32_t shift = (bucket >> RT_HIST_FINE) - 1;
    uint64_t low = (uint64_t)(bucket - (shift << RT_HIST_FINE)) << shift;
    return low + ((1ULL << shift) >> 1);
}

/* rt_hist_record counts value; only the histogram's one writer may. */
static inline void rt_hist_record(struct rt_hist *h, uint64_t value) {
    _Atomic uint64_t *bucket = &h->buckets[rt_hist_bucket(value)];
    atomic_store_explicit(bucket, atomic_load_explicit(bucket, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&h->sum, atomic_load_explicit(&h->sum, memory_order_relaxed) + value,
                          memory_order_relaxed);
    if (value > atomic_load_explicit(&h->max, memory_order_relaxed))
        atomic_store_explicit(&h->max, value, memory_order_relaxed);
}

/* rt_hist_copy takes what h holds now into copy, a reader's own. */
void rt_hist_copy(struct rt_hist *copy, const struct rt_hist *h);

/* rt_hist_minus leaves in copy what came after earlier, a copy of the same histogram taken before:
 * the figures of the last second. max is then that of the highest bucket left. */
void rt_hist_minus(struct rt_hist *copy, const struct rt_hist *earlier);

/* rt_hist_add adds what h holds to total, a reader's own: one histogram of several writers. */
void rt_hist_add(struct rt_hist *total, const struct rt_hist *h);

/* rt_hist_count returns how many values copy holds. */
uint64_t rt_hist_count(const struct rt_hist *copy);

/* rt_hist_percentile returns the value that per_million (0..1000000) of a million values in copy do
 * not pass, within 1 % and never above max; 0 when it is empty. */
uint64_t rt_hist_percentile(const struct rt_hist *copy, uint32_t per_million);

/* rt_hist_read reads the figures of h, which may be written meanwhile: they belong together. */
void rt_hist_read(const struct rt_hist *h, struct rt_hist_figures *out);
#endif
