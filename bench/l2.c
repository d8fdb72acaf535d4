/* l2.c - how many events a second does a replay of a recorded book take, with orders of ours in it?
 *
 * Rows of a book and trades in memory, made from a seed: updates of some six levels near a touch
 * that wanders, a trade after each. The venue as shipped follows them and keeps eight limit orders
 * of ours in their queues (power model), each replaced when its time has come; latency is drawn
 * for every request, answers take their time. The time is that from Start to Stop, one core. Beside
 * it a bare loop of C that puts the same rows into a flat array and keeps the best prices. */
#include "bench/bench.h"
#include "schemas/fixed.h"
#include "schemas/messages.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    REPEATS = 7,        /* of a figure */
    TICK = 1000000,     /* 0.01 */
    LOT = 100000,       /* 0.001 */
    MIDDLE = 6000000,   /* ticks: where the touch begins */
    LEVELS = 1000,      /* of the snapshot, each side */
    FLAT = 1 << 16,     /* ticks of the bare loop's array around the middle */
    QUOTES = 8,         /* orders of ours */
    EVERY_NS = 25000000 /* between two of our requests */
};

static const char l2_yaml[] =
    "name: bench\nclock: virtual\njournal: off\nsnapshot_every: 0s\n"
    "instruments:\n"
    "  X: {symbol: X, kind: linear, base: X, quote: USDT, venue: sim, tick_size: 0.01, lot_size: "
    "0.001,"
    " min_notional: 5, maker_fee: 0.0002, taker_fee: 0.0005, slippage_bps: 0}\n"
    "accounts: {main: {quote: USDT, cash: 100000000}}\n"
    "shards: {main: {core: 0}}\n"
    "sources: [{kind: bench_l2, rows: %u}]\n"
    "actors:\n"
    "  a: {kind: bench_watch}\n"
    "  quoter: {kind: bench_quoter}\n"
    "  venue: {kind: venue, queue: power, latency: {feed: 1ms, order: {median: 2ms, sigma: 0.5},"
    " answer: {min: 1ms, p50: 2ms, max: 20ms}}}\n";

static struct msg_book_delta *l2_rows; /* rows of the book */
static struct msg_trade *l2_trades;    /* trades */
static uint32_t l2_row_cnt;            /* how many rows */
static uint32_t l2_trade_cnt;          /* how many trades */

/* draw draws 64 random bits (splitmix64). */
static uint64_t draw(uint64_t *gen) {
    uint64_t z = *gen += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* put adds a row of the book. */
static void put(int64_t time_ns, uint64_t update, uint8_t side, int64_t tick, qty_t quantity,
                uint8_t flags) {
    l2_rows[l2_row_cnt++] = (struct msg_book_delta){ .time_ns = time_ns,
                                                     .update_id = update,
                                                     .price = tick * TICK,
                                                     .quantity = quantity,
                                                     .instrument = 1,
                                                     .side = side,
                                                     .flags = flags,
                                                     .delay_us = 900 };
}

/* make fills the rows, once for a run of the bench. */
static int make(uint32_t rows) {
    if (l2_row_cnt >= rows) return 0;
    size_t bytes = (rows + 4096UL) * sizeof *l2_rows, prints = rows * sizeof *l2_trades / 2;
    void *memory = mmap(NULL, bytes + prints, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return -ENOMEM;
    l2_rows = memory;
    l2_trades = (struct msg_trade *)(void *)((uint8_t *)memory + bytes);
    l2_row_cnt = l2_trade_cnt = 0;
    uint64_t gen = 1, update = 1;
    int64_t now_ns = INT64_C(1700000000000000000), touch = MIDDLE;
    for (int i = 0; i < LEVELS; i++) {
        put(now_ns, update, SIDE_BUY, touch - 1 - i, LOT * 50,
            BOOK_FLAGS_SNAPSHOT | (i == 0 ? BOOK_FLAGS_FIRST : 0));
        put(now_ns, update, SIDE_SELL, touch + i, LOT * 50,
            BOOK_FLAGS_SNAPSHOT | (i == LEVELS - 1 ? BOOK_FLAGS_LAST : 0));
    }
    while (l2_row_cnt < rows) {
        uint64_t bits = draw(&gen);
        now_ns += 1000000 + (int64_t)(bits & 0xfffff);
        update++;
        int64_t away = touch - MIDDLE;
        unsigned cnt = 3 + (bits >> 20) % 7;
        uint8_t flags = BOOK_FLAGS_FIRST;
        bool up = (bits >> 24 & 1) != 0;
        if (away > FLAT / 8) up = false;
        if (away < -FLAT / 8) up = true;
        if ((bits >> 25) % 8 == 0) { /* the touch moves a tick */
            qty_t quantity = LOT * (int64_t)(1 + (bits >> 30 & 63));
            put(now_ns, update, up ? SIDE_SELL : SIDE_BUY, up ? touch : touch - 1, 0, flags);
            put(now_ns, update, up ? SIDE_BUY : SIDE_SELL, up ? touch : touch - 1, quantity, 0);
            touch += up ? 1 : -1;
            put(now_ns, update, SIDE_BUY, touch - 1, quantity, 0);
            put(now_ns, update, SIDE_SELL, touch, quantity + LOT, 0);
            flags = 0;
        }
        for (unsigned i = 0; i < cnt; i++) {
            bits = draw(&gen);
            int64_t off = (int64_t)((bits & 63) * (bits >> 6 & 63) / 64); /* near more often */
            if ((bits >> 12 & 63) == 0) off = (int64_t)(bits >> 20 & 0x3fff);
            bool buy = bits >> 40 & 1;
            qty_t quantity =
                off > 0 && (bits >> 41 & 3) == 0 ? 0 : LOT * (int64_t)(bits >> 43 & 63);
            if (off == 0) quantity += LOT;
            put(now_ns, update, buy ? SIDE_BUY : SIDE_SELL, buy ? touch - 1 - off : touch + off,
                quantity, flags | (i + 1 == cnt ? BOOK_FLAGS_LAST : 0));
            flags = 0;
        }
        bool sells = bits >> 50 & 1;
        l2_trades[l2_trade_cnt++] =
            (struct msg_trade){ .time_ns = now_ns + 500000,
                                .trade_id = (int64_t)update,
                                .price = (sells ? touch - 1 : touch) * TICK,
                                .quantity = LOT * (int64_t)(1 + (bits >> 51 & 7)),
                                .instrument = 1,
                                .aggressor = sells ? SIDE_SELL : SIDE_BUY,
                                .delay_us = 700 };
    }
    return 0;
}

/* --- the source ------------------------------------------------------------------------------ */

/* block gives all rows at once. */
static int block(struct rt_series *s, uint64_t first, struct rt_block *out) {
    *out = (struct rt_block){ .rows = s->impl, .first = 0, .cnt = s->rows_total };
    if (first >= s->rows_total) out->cnt = 0;
    return 0;
}

/* source_open offers book and trades. */
static int source_open(struct rt_source_init *init, struct rt_error *err) {
    int64_t rows;
    int code = rt_node_int(init->config, "rows", true, 4096, 1 << 26, 0, &rows, err);
    if (code < 0) return code;
    if (make((uint32_t)rows) < 0) return rt_error_set(err, -ENOMEM, "no memory for rows");
    init->series[0] = (struct rt_series){ .name = "bench book",
                                          .row_kind = MSG_BOOK_DELTA,
                                          .row_bytes = sizeof(struct msg_book_delta),
                                          .key = 1,
                                          .rows_total = l2_row_cnt,
                                          .impl = l2_rows,
                                          .block = block };
    init->series[1] = (struct rt_series){ .name = "bench trades",
                                          .row_kind = MSG_TRADE,
                                          .row_bytes = sizeof(struct msg_trade),
                                          .key = 1,
                                          .rows_total = l2_trade_cnt,
                                          .impl = l2_trades,
                                          .block = block };
    init->series_cnt = 2;
    return 0;
}

static const struct rt_option source_options[] = {
    { "rows", "int", "4096..2^26", NULL, "rows of the book" },
    { NULL, NULL, NULL, NULL, NULL },
};

const struct rt_source_kind bench_l2_source = {
    .name = "bench_l2",
    .help = "A book and its trades in memory.",
    .options = source_options,
    .open = source_open,
};

/* --- the quoter ------------------------------------------------------------------------------ */

/* State of the quoter. */
struct quoter {
    uint64_t placed; /* orders so far: the newest's id */
    uint64_t fills;  /* heard */
    uint64_t status; /* heard */
    uint16_t series; /* of trades */
};

static struct quoter l2_quoter; /* what it had counted at the end */

/* quoter_init finds its series. */
static int quoter_init(struct rt_init *init, void *state, struct rt_error *err) {
    struct quoter *q = state;
    int series = rt_init_series(init, MSG_TRADE, 1, 0);
    if (series < 0) return rt_error_set(err, series, "no trades");
    q->series = (uint16_t)series;
    return 0;
}

/* quoter_on_start sets the first timer. */
static void quoter_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)state;
    (void)frame;
    rt_timer_set(ctx, 1, ctx->now_ns + EVERY_NS);
}

/* quoter_on_timer cancels its oldest order and places one near the touch. */
static void quoter_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct quoter *q = state;
    (void)frame;
    const struct msg_trade *trade = rt_latest(ctx, q->series);
    rt_timer_set(ctx, 1, ctx->now_ns + EVERY_NS);
    if (trade == NULL) return;
    if (q->placed >= QUOTES) {
        struct msg_venue_request *c = rt_say(ctx, MSG_VENUE_REQUEST, 0, sizeof *c);
        *c = (struct msg_venue_request){ .order_id = q->placed - QUOTES + 1,
                                         .instrument = 1,
                                         .account = 1,
                                         .op = REQUEST_OP_CANCEL };
    }
    uint64_t random = rt_random64(ctx);
    uint8_t side = random & 1 ? SIDE_BUY : SIDE_SELL;
    int64_t off = (int64_t)(random >> 1 & 7) * TICK;
    struct msg_venue_request *r = rt_say(ctx, MSG_VENUE_REQUEST, 0, sizeof *r);
    *r = (struct msg_venue_request){ .order_id = ++q->placed,
                                     .price =
                                         side == SIDE_BUY ? trade->price - off : trade->price + off,
                                     .quantity = 20 * LOT,
                                     .instrument = 1,
                                     .account = 1,
                                     .side = side,
                                     .type = ORDER_TYPE_LIMIT,
                                     .op = REQUEST_OP_PLACE };
}

/* quoter_on_status counts. */
static void quoter_on_status(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct quoter *q = state;
    (void)ctx;
    (void)frame;
    q->status++;
}

/* quoter_on_fill counts. */
static void quoter_on_fill(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct quoter *q = state;
    (void)ctx;
    (void)frame;
    q->fills++;
}

/* quoter_on_stop leaves its counts. */
static void quoter_on_stop(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)frame;
    l2_quoter = *(const struct quoter *)state;
    rt_timer_cancel(ctx, 1);
}

static const uint16_t quoter_says[] = { MSG_VENUE_REQUEST, 0 };

const struct rt_actor_kind bench_quoter_kind = {
    .name = "bench_quoter",
    .help = "Keeps a few limit orders near the touch.",
    .says = quoter_says,
    .timer_class = RT_CLASS_TIMER,
    .state_bytes = sizeof(struct quoter),
    .init = quoter_init,
    .on = { [MSG_START] = quoter_on_start,
            [MSG_TIMER] = quoter_on_timer,
            [MSG_VENUE_STATUS] = quoter_on_status,
            [MSG_VENUE_FILL] = quoter_on_fill,
            [MSG_STOP] = quoter_on_stop },
};

/* --- the question ---------------------------------------------------------------------------- */

/* bare puts the rows into a flat array and keeps the best prices; returns something of them. */
static int64_t bare(qty_t *flat[2]) {
    int64_t best[2] = { 0, FLAT - 1 }, sum = 0;
    for (uint32_t i = 0; i < l2_row_cnt; i++) {
        const struct msg_book_delta *r = &l2_rows[i];
        int64_t at = r->price / TICK - MIDDLE + FLAT / 2;
        qty_t *levels = flat[r->side];
        if ((uint64_t)at >= FLAT) continue;
        levels[at] = r->quantity;
        if (r->side == SIDE_BUY) {
            if (r->quantity > 0 && at > best[0]) best[0] = at;
            while (best[0] > 0 && levels[best[0]] == 0) best[0]--;
        } else {
            if (r->quantity > 0 && at < best[1]) best[1] = at;
            while (best[1] < FLAT - 1 && levels[best[1]] == 0) best[1]++;
        }
        sum += best[1] - best[0];
    }
    return sum;
}

int bench_l2(struct bench *b) {
    struct bench_series plain = { .cnt = 0 }, rate = { .cnt = 0 };
    uint32_t rows = b->quick ? 500000 : 2000000;
    char yaml[sizeof l2_yaml + 32];
    snprintf(yaml, sizeof yaml, l2_yaml, rows);
    if (make(rows) < 0) return rt_error_set(&b->err, -ENOMEM, "no memory");
    qty_t *flat[2] = { calloc(FLAT, sizeof(qty_t)), calloc(FLAT, sizeof(qty_t)) };
    int64_t keep = 0;
    if (flat[0] == NULL || flat[1] == NULL) {
        free(flat[0]);
        free(flat[1]);
        return rt_error_set(&b->err, -ENOMEM, "no memory");
    }
    keep += bare(flat); /* warm-up */
    for (uint32_t i = 0; i < bench_repeats(b, REPEATS); i++) {
        uint64_t from = rt_tsc();
        keep += bare(flat);
        bench_add(&plain, l2_row_cnt / (bench_ns((double)(rt_tsc() - from)) / 1e9));
    }
    free(flat[0]);
    free(flat[1]);
    if (keep <= 0) return rt_error_set(&b->err, -EPROTO, "the bare loop found no spread");
    for (uint32_t i = 0; i < 1 + bench_repeats(b, REPEATS); i++) {
        int code = bench_run(yaml, NULL, true, &b->err);
        if (code < 0) return code;
        const struct bench_probe *p = &bench_probes[0];
        double events = (double)l2_row_cnt + (double)l2_trade_cnt;
        if (p->rows < l2_row_cnt || l2_quoter.fills < l2_quoter.placed / 20) {
            return rt_error_set(&b->err, -EPROTO, "l2: %llu rows, %llu orders, %llu fills",
                                (unsigned long long)p->rows, (unsigned long long)l2_quoter.placed,
                                (unsigned long long)l2_quoter.fills);
        }
        if (i > 0) {
            bench_add(&rate, events / (bench_ns((double)(p->stop_tsc - p->start_tsc)) / 1e9));
        }
    }
    bench_put(b, "l2.bare.rate", "1/s", &plain, 0, NULL);
    bench_put(b, "l2.rate", "1/s", &rate, 20e6, "l2.bare.rate");
    return 0;
}
