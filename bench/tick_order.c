/* tick_order.c - how long from a tick to the order that comes of it?
 *
 * Real shards on the real clock with the journal on (stage and disk, interval 5ms): a tick comes
 * through a ring as from a line, a feed passes it on, a strategy orders at every tick, risk checks,
 * execution asks the venue, which answers, and the strategy cancels what was accepted. Measured
 * from the moment before the tick is put into the ring to the moment a hearer of the request to
 * the venue is called, so the ring, the turn that finds the tick and the last message are all in
 * it. On one shard, on two (strategy | risk, execution) and on five. */
#include "bench/bench.h"
#include "runtime/base/folder.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES_MAX = 400000, /* orders of one repetition */
    CORES_USED = 2,       /* shards are pinned to so many cores in turn */
};

/* Where each actor lives, by number of shards: 1, 2, 5. */
static const char *const places[3][6] = {
    /* feed, strategy, portfolio, risk, execution, venue */
    { "s0", "s0", "s0", "s0", "s0", "s0" },
    { "s0", "s0", "s0", "s1", "s1", "s1" },
    { "s0", "s1", "s4", "s2", "s3", "s4" },
};

void bench_tick_yaml(uint32_t shards, char *out, size_t cap) {
    const char *const *at = places[shards == 1 ? 0 : shards == 2 ? 1 : 2];
    size_t n = (size_t)snprintf(
        out, cap,
        "name: bench\nclock: real\nsnapshot_every: 0s\ndurability: {interval: 5ms}\n"
        "journal: {mode: on, segment: 33554432, stage_segments: 8}\n"
        "instruments:\n"
        "  X: {symbol: X, kind: linear, base: X, quote: USDT, venue: sim, tick_size: 0.1,"
        " lot_size: 0.001, min_notional: 5, maker_fee: 0.0002, taker_fee: 0.0005, slippage_bps: "
        "0}\n"
        "accounts: {main: {quote: USDT, cash: 100000000}}\n"
        "processes: {engine: {}, line: {}}\n"
        "sources: [{kind: bench}]\n"
        "shards:\n");
    for (uint32_t i = 0; i < shards && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "  s%u: {core: %u}\n", i, i % CORES_USED);
    if (n < cap)
        n += (size_t)snprintf(
            out + n, cap - n,
            "  line: {process: line}\n"
            "actors:\n"
            "  line: {kind: bench_line, shard: line}\n"
            "  ticker: {kind: bench_ticker, shard: s0}\n"
            "  tick: {kind: bench_tick, shard: %s}\n"
            "  feed: {kind: feed, shard: %s}\n"
            "  strategy: {kind: strategy, shard: %s, class: bench_tick, instruments: [X],"
            " interval: trades, account: main, sizing: {fixed: 0.01},"
            " hears: [tick, execution, portfolio]}\n"
            "  portfolio: {kind: portfolio, shard: %s}\n"
            "  risk: {kind: risk, shard: %s, limits: {max_order_quantity: 10,"
            " max_order_notional: 1000000, price_collar: 0.5, max_position: 20,"
            " order_rate: {count: 1000000, per: 1s}, duplicate_window: 1ms, max_open_orders: "
            "4096}}\n"
            "  execution: {kind: execution, shard: %s}\n"
            "  sink: {kind: bench_sink, shard: %s}\n"
            "  venue: {kind: venue, shard: %s}\n",
            at[0], at[0], at[1], at[2], at[3], at[4], at[4], at[5]);
    for (uint32_t i = 0; i < shards && n < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "  a%u: {kind: bench_watch, shard: s%u}\n", i, i);
}

/* one runs a session once; its samples are left in bench_ticks. */
static int one(struct bench *b, uint32_t shards, uint32_t ticks, uint32_t gap_ns,
               uint32_t *samples) {
    char yaml[6000], dir[300];
    snprintf(dir, sizeof dir, "%s/ticks", b->dir);
    bench_tick_yaml(shards, yaml, sizeof yaml);
    bench_ticks = (struct bench_ticks){ .samples = samples,
                                        .sample_max = SAMPLES_MAX,
                                        .tick_cnt = ticks,
                                        .warm_cnt = ticks / 20,
                                        .gap_ns = gap_ns,
                                        .jitter_ns = 2048,
                                        .batch = 1,
                                        .every = 1 };
    int code = bench_run(yaml, dir, true, &b->err);
    rt_folder_remove(dir);
    if (code < 0) return code;
    uint32_t want = ticks - ticks / 20;
    if (bench_ticks.sample_cnt <
        want / 2) { /* some are refused while the disk has no segment free */
        int reason = 0;
        for (int i = 0; i < 128; i++)
            if (bench_ticks.refused[i] > bench_ticks.refused[reason]) reason = i;
        return rt_error_set(&b->err, -EPROTO,
                            "tick_order.%u: %u orders for %u ticks; %u refused for "
                            "reason %d",
                            shards, bench_ticks.sample_cnt, ticks, bench_ticks.refused[reason],
                            reason);
    }
    return 0;
}

/* measure repeats one placement and adds its results. */
static int measure(struct bench *b, uint32_t shards, uint32_t ticks, uint32_t gap_ns,
                   const double aims[3], const char *peer, uint32_t *samples) {
    struct bench_series s[4] = { { .cnt = 0 } };
    static const char *const ends[4] = { "p50", "p99", "p999", "max" };
    for (uint32_t i = 0; i < bench_repeats(b, 7); i++) {
        int code = one(b, shards, ticks, gap_ns, samples);
        if (code < 0) return code;
        struct bench_quantiles q = bench_quantiles(samples, bench_ticks.sample_cnt);
        bench_add(&s[0], bench_ns(q.p50));
        bench_add(&s[1], bench_ns(q.p99));
        bench_add(&s[2], bench_ns(q.p999));
        bench_add(&s[3], bench_ns(q.max));
    }
    for (int i = 0; i < 4; i++) {
        char name[40];
        snprintf(name, sizeof name, "tick_order.%u.%s", shards, ends[i]);
        bench_put(b, name, "ns", &s[i], i < 3 ? aims[i] : 0, i == 0 ? peer : NULL);
    }
    return 0;
}

int bench_tick_order(struct bench *b) {
    uint32_t *samples = malloc(SAMPLES_MAX * sizeof *samples);
    if (!samples) return rt_error_set(&b->err, -ENOMEM, "no memory");
    uint32_t ticks = b->quick ? 30000 : 60000;
    double hop = bench_value(b, "edge.hop.p50"), relay = bench_value(b, "relay.5.p50");
    int code = measure(b, 1, ticks, 8000, (const double[3]){ 300, 700, 3000 }, NULL, samples);
    double alone = bench_value(b, "tick_order.1.p50");
    if (code == 0)
        code =
            measure(b, 2, ticks, 8000, (const double[3]){ hop > 0 ? alone + 1.4 * hop : 0, 0, 0 },
                    "tick_order.1.p50", samples);
    if (code == 0)
        code = measure(b, 5, ticks / 6, 50000, (const double[3]){ 1.2 * relay, 0, 0 },
                       relay > 0 ? "relay.5.p50" : NULL, samples);
    free(samples);
    return code;
}
