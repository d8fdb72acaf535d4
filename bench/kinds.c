/* kinds.c - the actors and the source that only the bench knows. */
#include "actors/data/klines.h"
#include "actors/execution/execution.h"
#include "actors/feed/feed.h"
#include "actors/market/market.h"
#include "actors/portfolio/portfolio.h"
#include "actors/registry.h"
#include "actors/risk/risk.h"
#include "actors/strategy/host.h"
#include "actors/venue/venue.h"
#include "bench/bench.h"
#include "runtime/base/alloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    TICKS_KNOWN = 16384, /* ticks whose stamps are kept: a power of two */
    WAVE_BARS = 50,      /* bars of one swing of the price: two crossings */
};

struct bench_probe bench_probes[RT_SHARDS_MAX];
struct bench_ticks bench_ticks;
uint32_t bench_local_cnt;

/* --- watch: what happens between Start and Stop -------------------------------------------- */

/* watch_on_start notes where the run begins, and keeps a live shard from ending for want of rows.
 * */
static void watch_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct rt_shard *s = ctx->shard;
    struct bench_probe *p = &bench_probes[s->number];
    (void)state;
    (void)frame;
    if (s->clock == RT_CLOCK_REAL)
        for (uint16_t i = 0; i < s->series_cnt; i++) rt_interest(ctx, i, RT_HEAR_ROW, true);
    p->rows = s->tally.rows;
    p->mails = s->tally.mails;
    p->allocs = rt_alloc_count();
    p->start_tsc = rt_tsc();
}

/* watch_on_stop notes where it ends. */
static void watch_on_stop(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct bench_probe *p = &bench_probes[ctx->shard->number];
    (void)state;
    (void)frame;
    p->stop_tsc = rt_tsc();
    p->allocs = rt_alloc_count() - p->allocs;
    p->rows = ctx->shard->tally.rows - p->rows;
    p->mails = ctx->shard->tally.mails - p->mails;
}

/* watch_on_rows hears the past bar. */
static uint32_t watch_on_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                              const void *rows, uint32_t cnt) {
    (void)ctx;
    (void)state;
    (void)series;
    (void)how;
    (void)rows;
    return cnt ? 1 : 0;
}

static const struct rt_actor_kind watch_kind = {
    .name = "bench_watch",
    .help = "Notes when the run began and ended and what it took from the heap.",
    .state_bytes = 8,
    .on = { [MSG_START] = watch_on_start, [MSG_STOP] = watch_on_stop },
    .on_rows = watch_on_rows,
};

/* --- ping and pong -------------------------------------------------------------------------- */

/* State of ping and pong. */
struct ping {
    uint64_t left; /* messages still to say */
};

/* ping_say says the next one. */
static void ping_say(struct rt_ctx *ctx, uint64_t n) {
    struct msg_venue_status *m = rt_say(ctx, MSG_VENUE_STATUS, 0, sizeof *m);
    *m = (struct msg_venue_status){ .order_id = n };
}

/* ping_on_timer begins. */
static void ping_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct ping *p = state;
    (void)frame;
    p->left = bench_local_cnt / 2;
    ping_say(ctx, p->left);
}

/* ping_on_start sets the timer that begins. */
static void ping_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)state;
    (void)frame;
    rt_timer_set(ctx, 1, ctx->now_ns + 1000);
}

/* ping_on_status answers while there is something left. */
static void ping_on_status(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct ping *p = state;
    const struct msg_venue_status *m = msg_body(frame);
    if (--p->left > 0)
        ping_say(ctx, m->order_id + 1);
    else
        atomic_store_explicit(&ctx->shard->shared->stop, REASON_BY_OPERATOR, memory_order_relaxed);
}

/* pong_on_status answers. */
static void pong_on_status(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct ping *p = state;
    const struct msg_venue_status *m = msg_body(frame);
    p->left++;
    ping_say(ctx, m->order_id + 1);
}

static const uint16_t ping_says[] = { MSG_VENUE_STATUS, 0 };

static const struct rt_actor_kind ping_kind = {
    .name = "bench_ping",
    .help = "Says a message and hears the answer, over and over.",
    .says = ping_says,
    .state_bytes = sizeof(struct ping),
    .on = { [MSG_START] = ping_on_start,
            [MSG_TIMER] = ping_on_timer,
            [MSG_VENUE_STATUS] = ping_on_status },
};

static const struct rt_actor_kind pong_kind = {
    .name = "bench_pong",
    .help = "Answers each message.",
    .says = ping_says,
    .state_bytes = sizeof(struct ping),
    .on = { [MSG_VENUE_STATUS] = pong_on_status },
};

/* --- line, ticker, tick feed, sink: from tick to order ------------------------------------- */

/* Stamps of the newest ticks: the ticker writes before it gives the tick, the sink reads. */
static uint64_t tick_tsc[TICKS_KNOWN];

/* line says trades into the feed's shard; it lives on a shard that no process runs: the ticker
 * sits at its end of the ring. */
static const uint16_t line_says[] = { MSG_TRADE, 0 };

static const struct rt_actor_kind line_kind = {
    .name = "bench_line",
    .help = "Stands for the connection that ticks come from.",
    .says = line_says,
    .state_bytes = 8,
};

/* State of the ticker. */
struct ticker {
    struct rt_ring_tx tx; /* into this shard's own ring from line */
    uint64_t random;      /* of the gaps */
    uint32_t given;       /* ticks given */
    uint16_t line;        /* id of line */
};

/* ticker_init finds line. */
static int ticker_init(struct rt_init *init, void *state, struct rt_error *err) {
    struct ticker *t = state;
    int line = rt_init_actor_kind(init, "bench_line", 0, NULL);
    if (line < 0) return rt_error_set(err, line, "the ticker needs a line");
    t->line = (uint16_t)line;
    return 0;
}

/* ticker_on_start takes its end of the ring. */
static void ticker_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct ticker *t = state;
    struct rt_shard *s = ctx->shard;
    (void)frame;
    rt_ring_tx_init(&t->tx, s->in[s->in_of[s->shard_of[t->line]]].rx.ring, 0);
    t->random = 1;
    rt_timer_set(ctx, 1, ctx->now_ns + 150000000); /* by then the disk has its first segments */
}

/* ticker_on_timer gives the next tick to the shard and sets the time of the one after it. */
static void ticker_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct ticker *t = state;
    const struct bench_ticks *k = &bench_ticks;
    (void)frame;
    if (t->given >= k->tick_cnt) {
        atomic_store_explicit(&ctx->shard->shared->stop, REASON_BY_OPERATOR, memory_order_relaxed);
        return;
    }
    t->random = t->random * 6364136223846793005ULL + 1442695040888963407ULL;
    rt_timer_set(ctx, 1, ctx->now_ns + k->gap_ns + (int64_t)(t->random >> 33 & (k->jitter_ns - 1)));
    for (uint32_t i = 0; i < k->batch; i++) {
        uint32_t n = ++t->given;
        struct {
            struct msg_frame f;    /* head */
            struct msg_trade body; /* the tick */
            uint64_t slack[7];     /* fills two slots */
        } m = { .f = { .kind = MSG_TRADE,
                       .size = sizeof m.f + sizeof m.body,
                       .source = t->line,
                       .trace_id = (uint64_t)t->line << 48 | n },
                .body = { .time_ns = ctx->now_ns,
                          .trade_id = n,
                          .price = 50000LL * FIXED_ONE,
                          .quantity = FIXED_ONE,
                          .instrument = 1 } };
        if (ctx->shard->tape || rt_ring_room(&t->tx, 1) == 0) continue; /* recorded; flooded */
        tick_tsc[n & (TICKS_KNOWN - 1)] = rt_tsc();
        rt_ring_put(&t->tx, &m.f);
    }
}

static const struct rt_actor_kind ticker_kind = {
    .name = "bench_ticker",
    .help = "Gives ticks to its own shard through the ring of line.",
    .state_bytes = sizeof(struct ticker),
    .init = ticker_init,
    .on = { [MSG_START] = ticker_on_start, [MSG_TIMER] = ticker_on_timer },
};

/* tick_on_trade passes a trade on, as feed does with rows. */
static void tick_on_trade(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)state;
    *(struct msg_trade *)rt_say(ctx, MSG_TRADE, 0, sizeof(struct msg_trade)) =
        *(const struct msg_trade *)msg_body(frame);
}

static const struct rt_actor_kind tick_kind = {
    .name = "bench_tick",
    .help = "Passes trades of line on.",
    .says = line_says,
    .state_bytes = 8,
    .on = { [MSG_TRADE] = tick_on_trade },
};

/* sink_on_request notes how long the order took. */
static void sink_on_request(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    uint64_t now = rt_tsc();
    const struct msg_venue_request *r = msg_body(frame);
    struct bench_ticks *k = &bench_ticks;
    uint64_t *seen = state;
    (void)ctx;
    if (r->op != REQUEST_OP_PLACE) return;
    uint64_t n = (uint64_t)(r->price - 40000LL * FIXED_ONE) / (FIXED_ONE / 10);
    uint64_t took = now - tick_tsc[n & (TICKS_KNOWN - 1)];
    if (++*seen <= k->warm_cnt || k->sample_cnt == k->sample_max) return;
    k->samples[k->sample_cnt++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
}

static const struct rt_actor_kind sink_kind = {
    .name = "bench_sink",
    .help = "Hears each request to the venue first and notes when.",
    .state_bytes = 8,
    .on = { [MSG_VENUE_REQUEST] = sink_on_request },
};

/* --- a strategy that orders at every n-th tick and cancels what was accepted ----------------- */

/* tick_class_on_trade orders below the market, at a price that tells the tick. */
static void tick_class_on_trade(struct st_host *h, void *state, uint16_t leg,
                                const struct msg_trade *trade) {
    uint64_t *n = state;
    if (++*n % bench_ticks.every) return;
    struct st_signal s = { .action = ST_ORDER,
                           .leg = leg,
                           .side = SIDE_BUY,
                           .type = ORDER_TYPE_LIMIT,
                           .reason = REASON_NONE,
                           .price = 40000LL * FIXED_ONE +
                                    (trade->trade_id & (TICKS_KNOWN - 1)) * (FIXED_ONE / 10) };
    (void)st_signal(h, &s);
}

/* tick_class_on_order cancels what stands. */
static void tick_class_on_order(struct st_host *h, void *state, uint16_t leg,
                                const struct msg_order_state *o) {
    (void)state;
    if (o->status == ORDER_STATUS_REJECTED) bench_ticks.refused[o->reason & 127]++;
    if (o->status != ORDER_STATUS_ACCEPTED) return;
    struct st_signal s = { .action = ST_CANCEL, .leg = leg, .order_id = o->order_id };
    (void)st_signal(h, &s);
}

static const struct st_class tick_class = {
    .name = "bench_tick",
    .help = "Orders at every n-th tick.",
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = 8,
    .on_trade = tick_class_on_trade,
    .on_order = tick_class_on_order,
};

/* --- a moving-average cross of many instruments ---------------------------------------------- */

enum {
    AHEAD = 64,      /* bars fetched ahead of the one in hand */
    CROSS_LEGS = 32, /* instruments of one */
    CROSS_SLOW = 32, /* longest average, a power of two */
};

/* One instrument of it. */
struct cross_leg {
    int64_t lead;             /* slow x sum of fast closes - fast x sum of slow closes */
    uint64_t seen;            /* closes taken */
    int64_t relation;         /* sign of lead when it was last looked at, 0 = not yet */
    int64_t ring[CROSS_SLOW]; /* closes */
};

/* The state of the class. */
struct cross {
    int64_t fast, slow;                /* closes in the averages */
    uint64_t mask;                     /* size of the used rings less 1 */
    struct cross_leg legs[CROSS_LEGS]; /* by leg */
};

static const struct st_param cross_params[] = {
    { "fast", ST_INT, 1, CROSS_SLOW - 1, 3, "closes in the fast average" },
    { "slow", ST_INT, 2, CROSS_SLOW, 9, "closes in the slow average" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* cross_on_start takes the parameters. */
static void cross_on_start(struct st_host *h, void *state, const struct st_start *start) {
    struct cross *c = state;
    (void)h;
    c->fast = start->params[0].i;
    c->slow = start->params[1].i;
    c->mask = c->slow <= CROSS_SLOW / 2 ? CROSS_SLOW / 2 - 1 : CROSS_SLOW - 1;
}

/* cross_on_bar takes a close of its leg and signals when the averages cross. */
static void cross_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    const struct cross *c = state;
    struct cross_leg *l = &((struct cross *)state)->legs[leg];
    int64_t fast_old = l->ring[(l->seen - (uint64_t)c->fast) & c->mask];
    int64_t slow_old = l->ring[(l->seen - (uint64_t)c->slow) & c->mask];
    l->ring[l->seen++ & c->mask] = bar->close;
    l->lead += (bar->close - fast_old) * c->slow - (bar->close - slow_old) * c->fast;
    if (l->seen < (uint64_t)c->slow || l->lead == 0) return;
    int64_t was = l->relation, now = l->lead > 0 ? 1 : -1;
    l->relation = now;
    if (was == 0 || was == now) return;
    struct st_signal s = { .leg = leg, .action = now > 0 ? ST_LONG : ST_FLAT };
    s.reason = now > 0 ? REASON_SIGNAL_CROSS_UP : REASON_SIGNAL_CROSS_DOWN;
    (void)st_signal(h, &s);
}

/* cross_scan counts the bars over which the distance of the averages keeps its sign; *lead becomes
 * the distance after them. */
static inline uint32_t cross_scan(const struct cross *c, const struct cross_leg *l,
                                  const struct msg_bar *bars, uint32_t cnt, int64_t *lead) {
    const int64_t fast = c->fast, slow = c->slow, relation = l->relation;
    const uint64_t mask = c->mask, seen = l->seen;
    int64_t was = l->lead;
    uint32_t i = 0;
    *lead = was;
    if (relation == 0) return 0;
    for (; i < cnt; i++) {
        __builtin_prefetch((const uint8_t *)bars + (i + AHEAD) * sizeof *bars);
        const int64_t close = bars[i].close;
        int64_t fast_old, slow_old;
        if (__builtin_expect(i >= slow, 1)) {
            fast_old = bars[i - fast].close;
            slow_old = bars[i - slow].close;
        } else {
            slow_old = l->ring[(seen + i - (uint64_t)slow) & mask];
            fast_old =
                i >= fast ? bars[i - fast].close : l->ring[(seen + i - (uint64_t)fast) & mask];
        }
        int64_t next = was + (close - fast_old) * slow - (close - slow_old) * fast;
        if ((next ^ relation) < 0) break;
        was = next;
    }
    *lead = was;
    return i;
}

/* cross_quiet_bars looks how far the distance of the averages keeps its sign. */
static uint32_t cross_quiet_bars(const void *state, uint16_t leg, const struct msg_bar *bars,
                                 uint32_t cnt) {
    const struct cross *c = state;
    int64_t lead;
    return cross_scan(c, &c->legs[leg], bars, cnt, &lead);
}

/* cross_skip_bars takes bars while the distance of the averages keeps its sign. */
static uint32_t cross_skip_bars(void *state, uint16_t leg, const struct msg_bar *bars,
                                uint32_t cnt) {
    struct cross *c = state;
    struct cross_leg *l = &c->legs[leg];
    int64_t lead;
    const uint32_t took = cross_scan(c, l, bars, cnt, &lead);
    for (uint32_t i = took > c->slow ? took - (uint32_t)c->slow : 0; i < took; i++)
        l->ring[(l->seen + i) & c->mask] = bars[i].close;
    l->seen += took;
    l->lead = lead;
    return took;
}

static const struct st_class cross_class = {
    .name = "bench_cross",
    .help = "Long while the fast average is above the slow one, in each of its instruments.",
    .params = cross_params,
    .leg_min = 1,
    .leg_max = CROSS_LEGS,
    .state_bytes = sizeof(struct cross),
    .on_start = cross_on_start,
    .on_bar = cross_on_bar,
    .skip_bars = cross_skip_bars,
    .quiet_bars = cross_quiet_bars,
};

static const struct st_class *const tick_classes[] = { &tick_class, &cross_class, NULL };

void bench_use_classes(void) {
    st_classes_more = tick_classes;
}

/* --- the source ------------------------------------------------------------------------------ */

/* Bars made once and kept: those of each instrument behind one another. */
static struct msg_bar *wave;
static size_t wave_cnt;   /* of one instrument */
static int64_t wave_ins;  /* instruments */
static int64_t wave_bars; /* bars of one swing */

/* swing_fill makes the cnt bars of instrument number ins of a price that swings, with noise: two
 * crossings of averages every wave_bars bars, not those of all instruments at once. */
static void swing_fill(struct msg_bar *to, size_t cnt, int64_t ins) {
    uint64_t x = 7 + (uint64_t)(ins - 1);
    int64_t last = 500000;
    for (size_t i = 0; i < cnt; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t at = ((int64_t)i + (ins - 1) * 7) % wave_bars, half = wave_bars / 2;
        int64_t swing = at < half ? at : wave_bars - at;
        int64_t close = 490000 + swing * 800 + (int64_t)(x >> 40 & 511);
        int64_t high = (last > close ? last : close) + (int64_t)(x >> 20 & 63);
        int64_t low = (last < close ? last : close) - (int64_t)(x >> 30 & 63);
        to[i] = (struct msg_bar){ .open_ns = (int64_t)i * 60000000000LL,
                                  .interval_ns = 60000000000LL,
                                  .open = last * 10000000,
                                  .high = high * 10000000,
                                  .low = low * 10000000,
                                  .close = close * 10000000,
                                  .volume = 10,
                                  .instrument = (uint16_t)ins,
                                  .count = 5 };
        last = close;
    }
}

/* wave_make makes cnt bars of each of so many instruments, with swings of so many bars, or keeps
 * those there are. */
static int wave_make(size_t cnt, int64_t instruments, int64_t bars) {
    if (wave && wave_cnt >= cnt && wave_ins == instruments && wave_bars == bars) return 0;
    if (wave) munmap(wave, wave_cnt * (size_t)wave_ins * sizeof *wave);
    const size_t bytes = cnt * (size_t)instruments * sizeof *wave;
    wave = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (wave == MAP_FAILED) {
        wave = NULL;
        return -ENOMEM;
    }
    madvise(wave, bytes, MADV_HUGEPAGE);
    wave_cnt = cnt;
    wave_ins = instruments;
    wave_bars = bars;
    for (int64_t n = 1; n <= instruments; n++) swing_fill(wave + (size_t)(n - 1) * cnt, cnt, n);
    return 0;
}

/* The two bars of a live run: one long past, one far ahead. */
static const struct msg_bar past_bars[2] = {
    { .open_ns = 0,
      .interval_ns = 60000000000LL,
      .open = 50000LL * FIXED_ONE,
      .high = 50000LL * FIXED_ONE,
      .low = 50000LL * FIXED_ONE,
      .close = 50000LL * FIXED_ONE,
      .volume = 1,
      .instrument = 1 },
    { .open_ns = 4102444800000000000LL,
      .interval_ns = 60000000000LL,
      .open = 50000LL * FIXED_ONE,
      .high = 50000LL * FIXED_ONE,
      .low = 50000LL * FIXED_ONE,
      .close = 50000LL * FIXED_ONE,
      .volume = 1,
      .instrument = 1 },
};

/* source_block gives all rows from first on at once. */
static int source_block(struct rt_series *s, uint64_t first, struct rt_block *out) {
    const struct msg_bar *rows = s->impl;
    *out = (struct rt_block){ .rows = (const uint8_t *)rows, .first = 0, .cnt = s->rows_total };
    if (first >= s->rows_total) out->cnt = 0;
    return 0;
}

/* source_open offers `rows` bars of the swinging price, or with rows: 0 the two of a live run. */
static int source_open(struct rt_source_init *init, struct rt_error *err) {
    int64_t rows, instruments = 1, bars = WAVE_BARS;
    int code = rt_node_int(init->config, "rows", false, 0, 1 << 26, 0, &rows, err);
    if (code == 0)
        code = rt_node_int(init->config, "instruments", false, 1, 32, 1, &instruments, err);
    if (code == 0) code = rt_node_int(init->config, "wave", false, 2, 10000, WAVE_BARS, &bars, err);
    if (code < 0) return code;
    if (rows && wave_make((size_t)rows, instruments, bars) < 0)
        return rt_error_set(err, -ENOMEM, "no memory for bars");
    for (int64_t n = 0; n < instruments; n++) {
        struct rt_series *s = &init->series[n];
        *s = (struct rt_series){ .row_kind = MSG_BAR,
                                 .open_kind = MSG_BAR_OPEN,
                                 .row_bytes = sizeof(struct msg_bar),
                                 .key = (uint32_t)n + 1,
                                 .span_ns = 60000000000LL,
                                 .rows_total = rows ? (uint64_t)rows : 2,
                                 .block = source_block,
                                 .open_of = data_klines_bar_open };
        snprintf(s->name, sizeof s->name, "bench%d", (int)n);
        s->impl = rows ? (void *)(wave + (size_t)n * wave_cnt) : (void *)(uintptr_t)past_bars;
    }
    init->series_cnt = (uint32_t)instruments;
    return 0;
}

static const struct rt_option source_options[] = {
    { "rows", "int", "0..2^26", "0", "bars; 0 = one long past and one far ahead" },
    { "instruments", "int", "1..32", "1", "instruments, by their ids, as many bars of each" },
    { "wave", "int", "2..10000", "50", "bars of one swing of the price" },
    { NULL, NULL, NULL, NULL, NULL },
};

static const struct rt_source_kind bench_source = {
    .name = "bench",
    .help = "Bars in memory.",
    .options = source_options,
    .open = source_open,
};

/* --- the registry ---------------------------------------------------------------------------- */

static const struct rt_actor_kind *const bench_kinds[] = {
    &feed_kind,      &strategy_kind, &risk_kind, &execution_kind,    &venue_kind,
    &portfolio_kind, &watch_kind,    &ping_kind, &pong_kind,         &line_kind,
    &ticker_kind,    &tick_kind,     &sink_kind, &bench_quoter_kind, NULL
};

static const struct rt_source_kind *const bench_sources[] = { &bench_source, &bench_l2_source,
                                                              NULL };

/* world_load reads instruments and accounts, as the program does. */
static int world_load(struct rt_node *root, void **world, struct rt_error *err) {
    return shrike_registry.world_load(root, world, err);
}

/* about tells whose a frame is, as the program does. */
static uint16_t about(const struct msg_frame *f) {
    return shrike_registry.about(f);
}

/* world_close frees them. */
static void world_close(void *world) {
    shrike_registry.world_close(world);
}

static const struct rt_full_rule bench_full[] = { { 0, RT_FULL_REFUSE, 0, 0, false } };

static const uint16_t bench_gates[] = { MSG_VENUE_REQUEST, 0 };

const struct rt_registry bench_registry = {
    .actors = bench_kinds,
    .sources = bench_sources,
    .full = bench_full,
    .gates = bench_gates,
    .about = about,
    .world_load = world_load,
    .world_close = world_close,
};
