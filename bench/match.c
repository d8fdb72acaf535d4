/* match.c - how many commands a second does one instrument's matching engine work?
 *
 * The mix: a book of some 4000 orders around a wandering touch; 70 % of the commands come near the
 * touch (orders within 12 ticks of it, and cancels of young ones), 25 % cancel any order, however
 * old, 5 % cross and take about one and a half orders. In balance, so the book keeps its size. The
 * commands are made beforehand; ids are those the engine will give. Each command's events are read.
 * Full semantics: all order types, lists, self-trade prevention are there, as in any run.
 * Peer: a bare array book (price array, linked orders indexed by number, no ids, no checks, no
 * events, no owners) with the same commands; both must trade the same lots.
 * match.rate: the whole stream in one go, by the thread's CPU time. match.p50, p99, p999: each
 * command between two reads of the TSC, so with what those cost. */
#include "actors/venue/match.h"
#include "bench/bench.h"
#include "runtime/base/alloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Sizes of the question. */
enum {
    BOOK_ORDERS = 4096,       /* orders the book keeps */
    BARE_TICKS = 1 << 17,     /* prices of the bare book */
    MATCH_ORDERS_MAX = 65536, /* slots of the engine */
    OWNERS = 256,             /* who trade */
};

/* One command. */
struct command {
    uint64_t id;    /* to cancel; 0 = place */
    uint32_t nth;   /* which order: the one placed, or to be canceled, from 0 */
    uint32_t price; /* ticks */
    uint16_t lots;  /* size */
    uint16_t owner; /* whose */
    uint32_t side;  /* VM_BUY, VM_SELL */
};

/* An order of the bare book. */
struct bare_order {
    uint32_t next, prev; /* in its level */
    uint32_t price;      /* ticks */
    uint32_t lots;       /* left; 0 = gone */
};

/* The bare book. */
struct bare {
    struct bare_order *orders;    /* by number */
    uint32_t head[2][BARE_TICKS]; /* first of each level by side, UINT32_MAX = empty */
    uint32_t tail[2][BARE_TICKS]; /* last */
    uint32_t bid, ask;            /* best prices */
    uint64_t traded;              /* lots */
};

/* What the question holds. */
struct question {
    struct command *cmds;      /* the stream */
    uint32_t cnt;              /* how many */
    uint32_t warm;             /* of them before the measuring */
    void *memory;              /* of the engine */
    struct vm_options options; /* its sizes */
    struct vm_event ev[256];   /* its events */
    struct vm_out out;         /* where they go */
    struct bare *bare;         /* the peer */
    uint32_t *samples;         /* TSC of each command */
    uint64_t traded;           /* lots the engine traded */
};

/* draw returns random bits. */
static uint32_t draw(uint64_t *gen) {
    *gen = *gen * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*gen >> 33);
}

/* engine_open makes an empty engine. */
static struct vm *engine_open(struct question *q) {
    memset(q->memory, 0, vm_bytes(&q->options));
    q->out = (struct vm_out){ .at = q->ev, .max = 256 };
    q->traded = 0;
    return vm_init(q->memory, &q->options, &q->out);
}

/* engine_do gives one command to the engine and reads what it says. */
static inline void engine_do(struct question *q, struct vm *e, const struct command *c) {
    q->out.cnt = 0;
    if (c->id)
        vm_cancel(e, c->id, VM_ANY);
    else
        vm_place(e, &(struct vm_new){ .price = c->price,
                                      .lots = c->lots,
                                      .tag = c->nth,
                                      .owner = c->owner,
                                      .side = (uint8_t)c->side });
    for (uint32_t i = 0; i < q->out.cnt; i++)
        if (q->ev[i].kind == VM_TRADED) q->traded += (uint64_t)q->ev[i].lots;
}

/* make draws the stream, with an engine that tells which orders are open. */
static void make(struct question *q, uint64_t gen) {
    struct vm *e = engine_open(q);
    uint32_t live_cnt = 0, nth = 0, mid = BARE_TICKS / 2;
    uint64_t(*live)[2] = calloc(2 * BOOK_ORDERS + q->cnt, sizeof *live); /* id, nth */
    for (uint32_t n = 0; live && n < q->cnt; n++) {
        struct command *c = &q->cmds[n];
        struct vm_view view;
        uint32_t die = draw(&gen) % 1000, at = 0;
        bool old = die >= 700 && die < 950, young = die < 187, cancel = false;
        if (live_cnt < BOOK_ORDERS && (n < q->warm / 2 || young)) old = young = false;
        if (live_cnt > BOOK_ORDERS + 256 && die < 700) young = true;
        for (int tries = 0; (old || young) && live_cnt && !cancel && tries < 64; tries++) {
            uint32_t back = live_cnt < 64 ? live_cnt : 64;
            at = old ? draw(&gen) % live_cnt : live_cnt - 1 - draw(&gen) % back;
            cancel = vm_find(e, live[at][0], &view);
            if (!cancel) memmove(live[at], live[at + 1], (--live_cnt - at) * sizeof *live);
        }
        if (cancel) {
            *c = (struct command){ .id = live[at][0], .nth = (uint32_t)live[at][1] };
            memmove(live[at], live[at + 1], (--live_cnt - at) * sizeof *live);
            engine_do(q, e, c);
            continue;
        }
        uint32_t bid = (uint32_t)vm_best(e, VM_BUY), ask = (uint32_t)vm_best(e, VM_SELL);
        if (bid && ask) mid = (bid + ask) / 2;
        uint32_t side = draw(&gen) & 1, off = draw(&gen) % 12, lots = 1 + draw(&gen) % 20;
        uint32_t price = side == VM_BUY ? mid - off : mid + 1 + off;
        if (die >= 950 && bid && ask) { /* takes what is there, more often than not in part */
            price = side == VM_BUY ? ask + 1 : bid - 1;
            lots = 4 + draw(&gen) % 24;
        } else if (bid && ask) {
            price = side == VM_BUY ? ask - 1 - off : bid + 1 + off;
        }
        *c = (struct command){ .nth = nth,
                               .price = price,
                               .lots = (uint16_t)lots,
                               .owner = (uint16_t)(draw(&gen) % OWNERS),
                               .side = side };
        nth++;
        engine_do(q, e, c);
        uint64_t id = q->ev[0].id;
        if (vm_find(e, id, &view)) {
            live[live_cnt][0] = id;
            live[live_cnt++][1] = c->nth;
        }
    }
    free(live);
}

/* bare_open empties the bare book. */
static void bare_open(struct question *q) {
    struct bare *b = q->bare;
    memset(b->head, 0xff, sizeof b->head);
    memset(b->tail, 0xff, sizeof b->tail);
    b->bid = b->traded = 0;
    b->ask = BARE_TICKS;
}

/* bare_out takes an order out. */
static inline void bare_out(struct bare *b, uint32_t side, uint32_t n) {
    struct bare_order *o = &b->orders[n];
    if (o->prev == UINT32_MAX)
        b->head[side][o->price] = o->next;
    else
        b->orders[o->prev].next = o->next;
    if (o->next == UINT32_MAX)
        b->tail[side][o->price] = o->prev;
    else
        b->orders[o->next].prev = o->prev;
    o->lots = 0;
    if (b->head[side][o->price] != UINT32_MAX) return;
    if (side == VM_BUY)
        while (b->bid > 0 && b->head[VM_BUY][b->bid] == UINT32_MAX) b->bid--;
    else
        while (b->ask < BARE_TICKS && b->head[VM_SELL][b->ask] == UINT32_MAX) b->ask++;
}

/* bare_do gives one command to the bare book. */
static inline void bare_do(struct bare *b, const struct command *c) {
    if (c->id) {
        struct bare_order *o = &b->orders[c->nth];
        bare_out(b, o->price <= b->bid ? VM_BUY : VM_SELL, c->nth);
        return;
    }
    uint32_t lots = c->lots, other = c->side ^ 1;
    while (lots && (c->side == VM_BUY ? b->ask <= c->price : b->bid >= c->price && b->bid)) {
        uint32_t m = b->head[other][c->side == VM_BUY ? b->ask : b->bid];
        struct bare_order *o = &b->orders[m];
        uint32_t take = o->lots < lots ? o->lots : lots;
        b->traded += take;
        lots -= take;
        o->lots -= take;
        if (o->lots == 0) bare_out(b, other, m);
    }
    if (lots == 0) return;
    struct bare_order *o = &b->orders[c->nth];
    uint32_t tail = b->tail[c->side][c->price];
    *o = (struct bare_order){ UINT32_MAX, tail, c->price, lots };
    if (tail == UINT32_MAX)
        b->head[c->side][c->price] = c->nth;
    else
        b->orders[tail].next = c->nth;
    b->tail[c->side][c->price] = c->nth;
    if (c->side == VM_BUY ? c->price > b->bid : c->price < b->ask)
        *(c->side == VM_BUY ? &b->bid : &b->ask) = c->price;
}

/* engine_rate runs the stream once; returns commands a second. */
static double engine_rate(struct question *q) {
    struct vm *e = engine_open(q);
    for (uint32_t i = 0; i < q->warm; i++) engine_do(q, e, &q->cmds[i]);
    int64_t from_ns = rt_clock_thread_cpu_ns();
    for (uint32_t i = q->warm; i < q->cnt; i++) engine_do(q, e, &q->cmds[i]);
    return (q->cnt - q->warm) / (double)(rt_clock_thread_cpu_ns() - from_ns) * 1e9;
}

/* bare_rate does the same with the bare book. */
static double bare_rate(struct question *q) {
    bare_open(q);
    for (uint32_t i = 0; i < q->warm; i++) bare_do(q->bare, &q->cmds[i]);
    int64_t from_ns = rt_clock_thread_cpu_ns();
    for (uint32_t i = q->warm; i < q->cnt; i++) bare_do(q->bare, &q->cmds[i]);
    return (q->cnt - q->warm) / (double)(rt_clock_thread_cpu_ns() - from_ns) * 1e9;
}

/* took notes how long each command takes and returns the quantiles; bare: the peer's. */
static struct bench_quantiles took(struct question *q, bool bare) {
    struct vm *e = engine_open(q);
    bare_open(q);
    for (uint32_t i = 0; i < q->cnt; i++) {
        uint64_t from = rt_tsc();
        if (bare)
            bare_do(q->bare, &q->cmds[i]);
        else
            engine_do(q, e, &q->cmds[i]);
        q->samples[i] = (uint32_t)(rt_tsc() - from);
    }
    return bench_quantiles(q->samples + q->warm, q->cnt - q->warm);
}

int bench_match(struct bench *b) {
    struct question q = {
        .cnt = b->quick ? 1000000 : 3000000,
        .options = { .orders_max = MATCH_ORDERS_MAX, .owners_max = OWNERS, .window = 4096 }
    };
    struct bench_series rate = { .cnt = 0 }, bare = { .cnt = 0 }, bare_p99 = { .cnt = 0 };
    struct bench_series p50 = { .cnt = 0 }, p99 = { .cnt = 0 }, p999 = { .cnt = 0 };
    q.warm = q.cnt / 5;
    q.memory = aligned_alloc(4096, (vm_bytes(&q.options) + 4095) & ~(size_t)4095);
    q.cmds = calloc(q.cnt, sizeof q.cmds[0]);
    q.samples = calloc(q.cnt, sizeof q.samples[0]);
    q.bare = calloc(1, sizeof *q.bare);
    if (q.bare) q.bare->orders = calloc(q.cnt, sizeof q.bare->orders[0]);
    bool fits = q.memory && q.cmds && q.samples && q.bare && q.bare->orders;
    int code = fits ? 0 : rt_error_set(&b->err, -ENOMEM, "no memory for the matching bench");
    bench_pin(1);
    if (code == 0) make(&q, 1);
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, 9); i++) {
        bench_add(&rate, engine_rate(&q));
        bench_add(&bare, bare_rate(&q));
        if (q.traded != q.bare->traded || q.traded == 0)
            code = rt_error_set(&b->err, -EPROTO, "the engine traded %llu lots, its peer %llu",
                                (unsigned long long)q.traded, (unsigned long long)q.bare->traded);
        struct bench_quantiles took_q = took(&q, false);
        bench_add(&p50, bench_ns(took_q.p50));
        bench_add(&p99, bench_ns(took_q.p99));
        bench_add(&p999, bench_ns(took_q.p999));
        bench_add(&bare_p99, bench_ns(took(&q, true).p99));
    }
    bench_free();
    if (code == 0) {
        bench_put(b, "match.bare.rate", "1/s", &bare, 0, NULL);
        bench_put(b, "match.rate", "1/s", &rate, 40e6, "match.bare.rate");
        bench_put(b, "match.bare.p99", "ns", &bare_p99, 0, NULL);
        bench_put(b, "match.p50", "ns", &p50, 0, NULL);
        bench_put(b, "match.p99", "ns", &p99, 100, "match.bare.p99");
        bench_put(b, "match.p999", "ns", &p999, 0, NULL);
    }
    if (q.bare) free(q.bare->orders);
    free(q.bare);
    free(q.samples);
    free(q.cmds);
    free(q.memory);
    return code;
}
