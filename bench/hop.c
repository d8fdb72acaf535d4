/* hop.c - how long does a message of 64 bytes take from one core to another?
 *
 * Two threads on two cores throw one message to and fro through a pair of rings; half the round
 * trip is a hop. Then one pushes and the other reads as fast as they can. Three kinds of ring in
 * the same run: ck_ring by value (its head and tail have lines of their own, so a hop moves
 * several), a bare ring of slots with the sequence word in the payload's line (the least there is:
 * one line), and the edges of shards (runtime/core/ring.h). */
#include "bench/bench.h"
#include "runtime/core/ring.h"
#include <ck_ring.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING_SLOTS = 4096, /* capacity of every ring */
    REST = 32, /* pauses after a look that found nothing where the rate is measured: a shard makes a
                * whole turn meanwhile, and the sender keeps its line */
    BATCH = 64, /* messages a receiver reads before it gives their slots back, as shards do */
};

/* The message. */
struct word {
    uint64_t at[8]; /* 64 bytes; at[0] is what is checked */
};

CK_RING_PROTOTYPE(word, word)

/* A bare ring of slots. */
struct slots {
    _Alignas(128) uint64_t taken; /* receiver: slots read */
    _Alignas(128) struct slot {
        struct word w;  /* at[7] holds the sequence word, stored last */
    } slot[RING_SLOTS]; /* slots */
};

/* Which ring is measured. */
enum ring_kind { KIND_CK, KIND_SLOT, KIND_EDGE, KIND_CNT };

/* What both threads share. */
struct hop {
    struct ck_ring ck[2];            /* there and back */
    struct word *ck_words[2];        /* their buffers */
    struct slots *slots[2];          /* there and back */
    struct rt_ring *edge[2];         /* there and back */
    uint32_t *samples;               /* TSC of each round trip */
    uint32_t cnt;                    /* round trips, or messages of a rate */
    enum ring_kind kind;             /* which ring */
    bool rate;                       /* measure the rate */
    _Alignas(128) _Atomic int ready; /* the other thread is there */
    _Alignas(128) uint64_t took;     /* TSC the receiver took for cnt messages */
};

/* One thread's ends. */
struct ends {
    struct rt_ring_tx tx; /* edge it sends to */
    struct rt_ring_rx rx; /* edge it hears */
    uint64_t sent, heard; /* of the slot ring */
    uint64_t room;        /* of the slot ring: taken as last seen */
    struct frame {
        struct msg_frame f; /* head */
        uint64_t body[4];   /* body */
        uint64_t slack[8];  /* the compiler does not know that the size stays at 64 */
    } out;                  /* what is sent over an edge */
};

/* rest waits between two looks: at a hop not at all. */
static inline void rest(const struct hop *h) {
    for (int i = 0; i < (h->rate ? REST : 1); i++) ck_pr_stall();
}

/* Sends and receives are inlined into each loop by kind, so that no switch is measured. */

/* send_ck pushes one word. */
static inline void send_ck(struct hop *h, int way, uint64_t v) {
    struct word w = { .at = { v } };
    while (!ck_ring_enqueue_spsc_word(&h->ck[way], h->ck_words[way], &w)) ck_pr_stall();
}

/* hear_ck waits for one word. */
static inline uint64_t hear_ck(struct hop *h, int way) {
    struct word w;
    while (!ck_ring_dequeue_spsc_word(&h->ck[way], h->ck_words[way], &w)) rest(h);
    return w.at[0];
}

/* send_slot stores one word into the next slot. */
static inline void send_slot(struct hop *h, struct ends *e, int way, uint64_t v) {
    struct slots *s = h->slots[way];
    while (e->sent - e->room >= RING_SLOTS) {
        e->room = ck_pr_load_64(&s->taken);
        ck_pr_fence_acquire();
    }
    struct slot *at = &s->slot[e->sent & (RING_SLOTS - 1)];
    at->w.at[0] = v;
    for (int i = 1; i < 7; i++) at->w.at[i] = v;
    ck_pr_fence_release();
    ck_pr_store_64(&at->w.at[7], ++e->sent);
}

/* hear_slot waits for the next slot and reads it in place. */
static inline uint64_t hear_slot(struct hop *h, struct ends *e, int way, bool give) {
    struct slots *s = h->slots[way];
    struct slot *at = &s->slot[e->heard & (RING_SLOTS - 1)];
    while (ck_pr_load_64(&at->w.at[7]) != e->heard + 1) rest(h);
    ck_pr_fence_acquire();
    uint64_t v = at->w.at[0];
    e->heard++;
    if (give) ck_pr_store_64(&s->taken, e->heard);
    return v;
}

/* send_edge pushes one frame of 64 bytes. */
static inline void send_edge(struct ends *e, uint64_t v) {
    e->out.f.trace_id = v;
    for (int i = 0; i < 4; i++) e->out.body[i] = v;
    while (!rt_ring_push(&e->tx, &e->out.f)) ck_pr_stall();
}

/* hear_edge waits for the next frame and reads it in place. */
static inline uint64_t hear_edge(const struct hop *h, struct ends *e, bool give) {
    struct msg_frame *f;
    while ((f = rt_ring_peek(&e->rx)) == NULL) rest(h);
    uint64_t v = *(const uint64_t *)msg_body(f);
    rt_ring_skip(&e->rx);
    if (give) rt_ring_give(&e->rx);
    return v;
}

/* begin makes a thread's ends: it sends on way and hears the other. */
static struct ends begin(struct hop *h, int way) {
    struct ends e = { .out.f = { .kind = 1, .size = 64 } };
    rt_ring_tx_init(&e.tx, h->edge[way], 0);
    rt_ring_rx_init(&e.rx, h->edge[!way], 0);
    return e;
}

/* answer throws every word back. */
static void answer(struct hop *h, struct ends *e) {
    for (uint32_t i = 0; i < h->cnt; i++) {
        switch (h->kind) {
        case KIND_CK: send_ck(h, 1, hear_ck(h, 0)); break;
        case KIND_SLOT: send_slot(h, e, 1, hear_slot(h, e, 0, true)); break;
        default: send_edge(e, hear_edge(h, e, true)); break;
        }
    }
}

/* swallow reads cnt words as they come, and notes how long that took from the first on. */
static void swallow(struct hop *h, struct ends *e) {
    uint64_t from = 0, sum = 0;
    for (uint32_t i = 0; i < h->cnt; i++) {
        bool give = (i & (BATCH - 1)) == BATCH - 1;
        switch (h->kind) {
        case KIND_CK: sum += hear_ck(h, 0); break;
        case KIND_SLOT: sum += hear_slot(h, e, 0, give); break;
        default: sum += hear_edge(h, e, give); break;
        }
        if (i == 0) from = rt_tsc();
    }
    h->took = rt_tsc() - from;
    if (sum != (uint64_t)h->cnt * (h->cnt - 1) / 2) h->took = 0; /* a word was lost */
}

/* far_main is the thread on the other core. */
static void *far_main(void *arg) {
    struct hop *h = arg;
    bench_pin(1);
    struct ends e = begin(h, 1);
    atomic_store(&h->ready, 1);
    if (h->rate)
        swallow(h, &e);
    else
        answer(h, &e);
    return NULL;
}

/* near throws and takes the time, or pushes as fast as it can. */
static void near(struct hop *h) {
    struct ends e = begin(h, 0);
    while (!atomic_load(&h->ready)) ck_pr_stall();
    for (uint32_t i = 0; i < h->cnt; i++) {
        uint64_t from = h->rate ? 0 : rt_tsc();
        switch (h->kind) {
        case KIND_CK: send_ck(h, 0, i); break;
        case KIND_SLOT: send_slot(h, &e, 0, i); break;
        default: send_edge(&e, i); break;
        }
        if (h->rate) continue;
        switch (h->kind) {
        case KIND_CK: (void)hear_ck(h, 1); break;
        case KIND_SLOT: (void)hear_slot(h, &e, 1, true); break;
        default: (void)hear_edge(h, &e, true); break;
        }
        uint64_t took = rt_tsc() - from;
        h->samples[i] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    }
}

/* reset empties the rings. */
static void reset(struct hop *h) {
    for (int w = 0; w < 2; w++) {
        ck_ring_init(&h->ck[w], RING_SLOTS);
        memset(h->slots[w], 0, sizeof *h->slots[w]);
        rt_ring_init(h->edge[w], RING_SLOTS, 0);
    }
    atomic_store(&h->ready, 0);
}

/* play runs both threads once. */
static int play(struct bench *b, struct hop *h, enum ring_kind kind, bool rate, uint32_t cnt) {
    pthread_t far;
    reset(h);
    h->kind = kind;
    h->rate = rate;
    h->cnt = cnt;
    int bad = pthread_create(&far, NULL, far_main, h);
    if (bad) return rt_error_set(&b->err, -bad, "no thread for the other core");
    near(h);
    pthread_join(far, NULL);
    return rate && h->took == 0 ? rt_error_set(&b->err, -EPROTO, "hop: a message was lost") : 0;
}

/* What the figures of each ring are called. */
static const struct hop_names {
    const char *p50, *p99, *p999, *max, *rate; /* names of results */
    const char *peer_p50, *peer_rate;          /* what they are held against */
    double aim_p50_of_peer, aim_p99, aim_rate; /* aims; the first is a factor */
} hop_names[KIND_CNT] = {
    { "ck.hop.p50", "ck.hop.p99", "ck.hop.p999", "ck.hop.max", "ck.rate", NULL, NULL, 0, 0, 0 },
    { "slot.hop.p50", "slot.hop.p99", "slot.hop.p999", "slot.hop.max", "slot.rate", "ck.hop.p50",
      "ck.rate", 0, 0, 0 },
    { "edge.hop.p50", "edge.hop.p99", "edge.hop.p999", "edge.hop.max", "edge.rate", "slot.hop.p50",
      "slot.rate", 1.1, 250, 100e6 },
};

/* measure repeats everything, the three rings in turn, and adds the results. */
static int measure(struct bench *b, struct hop *h) {
    struct bench_series s[KIND_CNT][5] = { { { .cnt = 0 } } };
    uint32_t trips = b->quick ? 100000 : 300000, words = b->quick ? 4000000 : 16000000;
    int code = 0;
    for (uint32_t r = 0; code == 0 && r <= bench_repeats(b, 7); r++) {
        for (int k = 0; code == 0 && k < KIND_CNT; k++) {
            code = play(b, h, (enum ring_kind)k, false, r ? trips : trips / 10);
            if (code == 0 && r) {
                struct bench_quantiles q = bench_quantiles(h->samples, trips);
                bench_add(&s[k][0], bench_ns(q.p50) / 2);
                bench_add(&s[k][1], bench_ns(q.p99) / 2);
                bench_add(&s[k][2], bench_ns(q.p999) / 2);
                bench_add(&s[k][3], bench_ns(q.max) / 2);
            }
            uint32_t cnt = k == KIND_CK ? words / 4 : words;
            if (code == 0) code = play(b, h, (enum ring_kind)k, true, r ? cnt : cnt / 10);
            if (code == 0 && r) bench_add(&s[k][4], cnt / (bench_ns((double)h->took) / 1e9));
        }
    }
    for (int k = 0; code == 0 && k < KIND_CNT; k++) {
        const struct hop_names *n = &hop_names[k];
        double aim = n->peer_p50 ? n->aim_p50_of_peer * bench_value(b, n->peer_p50) : 0;
        bench_put(b, n->p50, "ns", &s[k][0], aim, n->peer_p50);
        bench_put(b, n->p99, "ns", &s[k][1], n->aim_p99, NULL);
        bench_put(b, n->p999, "ns", &s[k][2], 0, NULL);
        bench_put(b, n->max, "ns", &s[k][3], 0, NULL);
        bench_put(b, n->rate, "1/s", &s[k][4], n->aim_rate, n->peer_rate);
    }
    return code;
}

int bench_hop(struct bench *b) {
    size_t ring_bytes = rt_ring_bytes(RING_SLOTS, 0);
    struct hop *h = aligned_alloc(128, (sizeof *h + 127) / 128 * 128);
    if (!h) return rt_error_set(&b->err, -ENOMEM, "no memory");
    memset(h, 0, sizeof *h);
    h->samples = malloc(300000 * sizeof *h->samples);
    bool room = h->samples != NULL;
    for (int w = 0; w < 2; w++) {
        h->ck_words[w] = aligned_alloc(128, RING_SLOTS * sizeof(struct word));
        h->slots[w] = aligned_alloc(128, sizeof *h->slots[w]);
        h->edge[w] = aligned_alloc(128, (ring_bytes + 127) / 128 * 128);
        room = room && h->ck_words[w] && h->slots[w] && h->edge[w];
    }
    bench_pin(0);
    int code = room ? measure(b, h) : rt_error_set(&b->err, -ENOMEM, "no memory for rings");
    bench_free();
    for (int w = 0; w < 2; w++) {
        free(h->ck_words[w]);
        free(h->slots[w]);
        free(h->edge[w]);
    }
    free(h->samples);
    free(h);
    return code;
}
