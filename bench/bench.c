#include "bench/bench.h"
#include "runtime/base/alloc.h"
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* by_value orders doubles. */
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* by_sample orders samples. */
static int by_sample(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void bench_add(struct bench_series *s, double value) {
    if (s->cnt < BENCH_REPEATS_MAX) s->at[s->cnt++] = value;
}

double bench_median(const struct bench_series *s) {
    struct bench_series c = *s;
    if (c.cnt == 0) return 0;
    qsort(c.at, c.cnt, sizeof c.at[0], by_value);
    return c.cnt % 2 ? c.at[c.cnt / 2] : (c.at[c.cnt / 2 - 1] + c.at[c.cnt / 2]) / 2;
}

void bench_put(struct bench *b, const char *name, const char *unit, const struct bench_series *s,
               double aim, const char *peer) {
    if (b->result_cnt == BENCH_RESULTS_MAX) return;
    struct bench_result *r = &b->results[b->result_cnt++];
    *r = (struct bench_result){ .unit = unit, .aim = aim };
    snprintf(r->name, sizeof r->name, "%s", name);
    snprintf(r->peer, sizeof r->peer, "%s", peer ? peer : "");
    for (uint32_t i = 0; i < s->cnt; i++) {
        if (i == 0 || s->at[i] < r->low) r->low = s->at[i];
        if (i == 0 || s->at[i] > r->high) r->high = s->at[i];
    }
    /* what else runs on the machine only takes away from a rate: the best is the program's own */
    size_t len = strlen(unit);
    r->value = len > 2 && strcmp(unit + len - 2, "/s") == 0 ? r->high : bench_median(s);
}

double bench_value(const struct bench *b, const char *name) {
    for (uint32_t i = 0; i < b->result_cnt; i++) {
        if (strcmp(b->results[i].name, name) == 0) return b->results[i].value;
    }
    return 0;
}

struct bench_quantiles bench_quantiles(uint32_t *samples, size_t cnt) {
    if (cnt == 0) return (struct bench_quantiles){ 0 };
    qsort(samples, cnt, sizeof samples[0], by_sample);
    return (struct bench_quantiles){ .p50 = samples[cnt / 2],
                                     .p99 = samples[cnt - 1 - cnt / 100],
                                     .p999 = samples[cnt - 1 - cnt / 1000],
                                     .p9999 = samples[cnt - 1 - cnt / 10000],
                                     .max = samples[cnt - 1] };
}

double bench_ns(double tsc) {
    static double rate;
    if (rate == 0) rate = (double)rt_clock_tsc_to_ns(1ULL << 40) / (double)(1ULL << 40);
    return tsc * rate;
}

void bench_pin(int core) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)(core % (cores > 0 ? cores : 1)), &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* unpinned is slower, not wrong */
}

void bench_free(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;
    CPU_ZERO(&set);
    for (long i = 0; i < cores; i++) CPU_SET((size_t)i, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

uint32_t bench_repeats(const struct bench *b, uint32_t full) {
    uint32_t cnt = b->quick ? (full + 1) / 2 : full;
    return cnt < BENCH_REPEATS_MAX ? cnt : BENCH_REPEATS_MAX;
}

int bench_run_open(const char *yaml, const char *dir, struct rt_run *run, struct rt_error *err) {
    char path[64];
    struct rt_topology *t = NULL;
    snprintf(path, sizeof path, "/dev/shm/shrike-bench-%d.yaml", getpid());
    FILE *f = fopen(path, "w");
    if (!f) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    bool bad = fputs(yaml, f) < 0;
    bad |= fclose(f) != 0;
    int code = bad ? rt_error_set(err, -EIO, "%s cannot be written", path) : 0;
    if (code == 0) code = rt_topology_load(path, &bench_registry, NULL, &t, err);
    if (code == 0) {
        bench_use_classes();
        memset(bench_probes, 0, sizeof bench_probes);
        code = rt_run_open(t, dir, run, err);
        if (code < 0) bench_run_close(run, false);
    }
    unlink(path);
    return code;
}

void bench_run_close(struct rt_run *run, bool done) {
    struct rt_topology *t = run->topology;
    rt_run_close(run, done);
    rt_topology_close(t);
}

int bench_run(const char *yaml, const char *dir, bool done, struct rt_error *err) {
    struct rt_run run;
    int code = bench_run_open(yaml, dir, &run, err);
    if (code < 0) return code;
    code = rt_run_process(&run, 0, err);
    for (uint32_t i = 0; code == 0 && rt_alloc_counting() && i < RT_SHARDS_MAX; i++) {
        if (bench_probes[i].allocs)
            code = rt_error_set(err, -EPROTO, "shard %u took heap memory %llu times while it ran",
                                i, (unsigned long long)bench_probes[i].allocs);
    }
    bench_run_close(&run, done);
    return code;
}
