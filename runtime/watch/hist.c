#include "runtime/watch/hist.h"
#include <assert.h>

_Static_assert(sizeof(struct rt_hist) == 16 + 8 * 2240, "histograms are part of the metrics page");

/* get reads a word. */
static uint64_t get(const _Atomic uint64_t *word) {
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* put writes a word. */
static void put(_Atomic uint64_t *word, uint64_t value) {
    atomic_store_explicit(word, value, memory_order_relaxed);
}

void rt_hist_copy(struct rt_hist *copy, const struct rt_hist *h) {
    put(&copy->sum, get(&h->sum));
    for (uint32_t i = 0; i < RT_HIST_BUCKETS; i++) put(&copy->buckets[i], get(&h->buckets[i]));
    put(&copy->max, get(&h->max)); /* last: not below a value that was counted before the copy */
}

void rt_hist_minus(struct rt_hist *copy, const struct rt_hist *earlier) {
    uint32_t highest = 0;
    put(&copy->sum, get(&copy->sum) - get(&earlier->sum));
    for (uint32_t i = 0; i < RT_HIST_BUCKETS; i++) {
        put(&copy->buckets[i], get(&copy->buckets[i]) - get(&earlier->buckets[i]));
        if (get(&copy->buckets[i]) != 0) highest = i;
    }
    if (rt_hist_bucket(get(&copy->max)) != highest) put(&copy->max, rt_hist_middle(highest));
}

void rt_hist_add(struct rt_hist *total, const struct rt_hist *h) {
    put(&total->sum, get(&total->sum) + get(&h->sum));
    for (uint32_t i = 0; i < RT_HIST_BUCKETS; i++)
        put(&total->buckets[i], get(&total->buckets[i]) + get(&h->buckets[i]));
    if (get(&h->max) > get(&total->max)) put(&total->max, get(&h->max));
}

uint64_t rt_hist_count(const struct rt_hist *copy) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < RT_HIST_BUCKETS; i++) count += get(&copy->buckets[i]);
    return count;
}

uint64_t rt_hist_percentile(const struct rt_hist *copy, uint32_t per_million) {
    assert(per_million <= 1000000);
    unsigned __int128 count = rt_hist_count(copy);
    if (count == 0) return 0;
    uint64_t rank = (uint64_t)((count * per_million + 999999) / 1000000);
    if (rank == 0) rank = 1;
    uint64_t seen = 0, max = get(&copy->max);
    if (rank == count) return max;
    uint32_t i = 0;
    while (i < RT_HIST_BUCKETS - 1 && (seen += get(&copy->buckets[i])) < rank) i++;
    return i == RT_HIST_BUCKETS - 1 || rt_hist_middle(i) > max ? max : rt_hist_middle(i);
}

void rt_hist_read(const struct rt_hist *h, struct rt_hist_figures *out) {
    struct rt_hist copy;
    rt_hist_copy(&copy, h);
    *out = (struct rt_hist_figures){
        .count = rt_hist_count(&copy),
        .p50 = rt_hist_percentile(&copy, 500000),
        .p90 = rt_hist_percentile(&copy, 900000),
        .p99 = rt_hist_percentile(&copy, 990000),
        .p999 = rt_hist_percentile(&copy, 999000),
        .p9999 = rt_hist_percentile(&copy, 999900),
        .max = get(&copy.max),
    };
    if (out->count > 0) out->mean = (double)get(&copy.sum) / (double)out->count;
}
