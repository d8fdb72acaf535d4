/* relay.c - how long do five threads on fewer cores take to pass a word round?
 *
 * Here the scheduler rules, so this is what tick_order.5 is held against: five threads, pinned to
 * the cores in turn, each hearing one ck ring and saying into the next, waiting as shards do where
 * there are more of them than cores: look, give way to others, and after a while sleep on a
 * doorbell. The first puts a word in at the same pace as the ticks come there; measured is the
 * full round. */
#include "bench/bench.h"
#include "runtime/core/poller.h"
#include <ck_ring.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum {
    RUNNERS = 5,      /* threads */
    RELAY_SLOTS = 64, /* slots of each ring */
    LOOKS = 2000,     /* looks before a runner sleeps, as shards */
};

/* The word: a slot of 64 bytes, as between shards. */
struct baton {
    uint64_t at[8]; /* at[0] is the round, 0 = the end */
};

CK_RING_PROTOTYPE(baton, baton)

/* A runner's place. */
struct runner {
    _Alignas(128) struct ck_ring ring; /* what it hears */
    struct baton words[RELAY_SLOTS];   /* its buffer */
    struct rt_doorbell bell;           /* where it sleeps */
    struct rt_poller poller;           /* what it sleeps with */
    struct relay *relay;               /* all */
    pthread_t id;                      /* its thread */
    int number;                        /* 0.. */
};

/* All. */
struct relay {
    struct runner at[RUNNERS]; /* in order */
    _Atomic int ready;         /* runners that can be rung */
    uint32_t *samples;         /* TSC of each round */
    uint32_t cnt;              /* rounds */
    uint32_t gap_ns;           /* least time between two rounds */
};

/* pass gives the word to the next runner. */
static void pass(struct runner *r, struct baton *w) {
    struct runner *to = &r->relay->at[(r->number + 1) % RUNNERS];
    while (!ck_ring_enqueue_spsc_baton(&to->ring, to->words, w)) sched_yield();
    rt_poller_wake(&to->poller);
}

/* hear waits for the word. */
static void hear(struct runner *r, struct baton *w) {
    for (uint32_t looks = 0; !ck_ring_dequeue_spsc_baton(&r->ring, r->words, w); looks++) {
        if (looks < LOOKS) {
            sched_yield();
            continue;
        }
        rt_poller_park(&r->poller);
        if (ck_ring_size(&r->ring))
            rt_poller_unpark(&r->poller);
        else
            rt_poller_wait(&r->poller, 20000000);
    }
}

/* first_main is runner 0: it starts each round and takes its time. */
static void first_main(struct runner *r) {
    struct relay *all = r->relay;
    uint64_t random = 1;
    struct baton w = { .at = { 0 } };
    for (uint32_t i = 1; i <= all->cnt; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t at_ns = rt_clock_ns() + all->gap_ns + (int64_t)(random >> 33 & 2047);
        while (rt_clock_ns() < at_ns) sched_yield();
        w.at[0] = i;
        uint64_t from = rt_tsc();
        pass(r, &w);
        hear(r, &w);
        uint64_t took = rt_tsc() - from;
        all->samples[i - 1] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    }
    w.at[0] = 0;
    pass(r, &w);
    hear(r, &w);
}

/* runner_main is a runner's thread. */
static void *runner_main(void *arg) {
    struct runner *r = arg;
    struct rt_error err = { 0 };
    char report[200];
    bench_pin(r->number % 2);
    int code = rt_poller_open(&r->poller, &r->bell, report, sizeof report, &err);
    r->poller.simulated = code < 0;
    atomic_fetch_add(&r->relay->ready, 1);
    while (atomic_load(&r->relay->ready) < RUNNERS) sched_yield();
    if (r->number == 0) {
        first_main(r);
    } else {
        struct baton w;
        do {
            hear(r, &w);
            pass(r, &w);
        } while (w.at[0] != 0);
    }
    atomic_fetch_add(&r->relay->ready, 1);
    while (atomic_load(&r->relay->ready) < 2 * RUNNERS) sched_yield();
    rt_poller_close(&r->poller);
    return NULL;
}

/* play runs all runners once. */
static int play(struct bench *b, struct relay *all) {
    atomic_store(&all->ready, 0);
    for (int i = 0; i < RUNNERS; i++) {
        struct runner *r = &all->at[i];
        memset(r, 0, sizeof *r);
        r->relay = all;
        r->number = i;
        ck_ring_init(&r->ring, RELAY_SLOTS);
        r->poller.bell = &r->bell;
        int code = rt_doorbell_init(&r->bell);
        if (code < 0) return rt_error_set(&b->err, code, "no eventfd");
    }
    for (int i = 0; i < RUNNERS; i++)
        if (pthread_create(&all->at[i].id, NULL, runner_main, &all->at[i])) abort();
    for (int i = 0; i < RUNNERS; i++) pthread_join(all->at[i].id, NULL);
    return 0;
}

int bench_relay(struct bench *b) {
    struct bench_series s[3] = { { .cnt = 0 } };
    struct relay *all = aligned_alloc(128, (sizeof *all + 127) / 128 * 128);
    if (!all) return rt_error_set(&b->err, -ENOMEM, "no memory");
    memset(all, 0, sizeof *all);
    all->cnt = b->quick ? 4000 : 10000;
    all->gap_ns = 50000;
    all->samples = malloc(all->cnt * sizeof *all->samples);
    int code = all->samples ? 0 : rt_error_set(&b->err, -ENOMEM, "no memory");
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, 7); i++) {
        code = play(b, all);
        if (code < 0) break;
        struct bench_quantiles q = bench_quantiles(all->samples, all->cnt);
        bench_add(&s[0], bench_ns(q.p50));
        bench_add(&s[1], bench_ns(q.p99));
        bench_add(&s[2], bench_ns(q.max));
    }
    free(all->samples);
    free(all);
    if (code < 0) return code;
    bench_put(b, "relay.5.p50", "ns", &s[0], 0, NULL);
    bench_put(b, "relay.5.p99", "ns", &s[1], 0, NULL);
    bench_put(b, "relay.5.max", "ns", &s[2], 0, NULL);
    return 0;
}
