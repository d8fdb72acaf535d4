/* local.c - how long does a message take from one actor to another of the same shard?
 *
 * A real shard, built from a run file, with two actors that answer each other: every message is a
 * frame of 64 bytes said, routed, put into mail and heard in a round of its own. Peer: the same
 * work as two functions that call each other through a pointer. */
#include "bench/bench.h"

static const char local_yaml[] =
    "name: bench\nclock: virtual\njournal: off\nsnapshot_every: 0s\n"
    "instruments:\n"
    "  X: {symbol: X, kind: linear, base: X, quote: USDT, venue: sim, tick_size: 0.1, lot_size: "
    "0.001,"
    " min_notional: 5, maker_fee: 0, taker_fee: 0, slippage_bps: 0}\n"
    "accounts: {main: {quote: USDT, cash: 100000}}\n"
    "shards: {main: {core: 0}}\n"
    "actors: {a: {kind: bench_watch}, ping: {kind: bench_ping}, pong: {kind: bench_pong}}\n";

/* What the direct calls pass on. */
struct direct {
    struct msg_frame f;           /* head */
    struct msg_venue_status body; /* body */
};

/* The called function, chosen where the compiler cannot see it. */
static void (*volatile direct_call)(const struct direct *in, struct direct *out);

/* direct_answer fills the answer. */
static void direct_answer(const struct direct *in, struct direct *out) {
    out->f = in->f;
    out->f.seq = in->f.seq + 1;
    out->body = (struct msg_venue_status){ .order_id = in->body.order_id + 1 };
}

int bench_local(struct bench *b) {
    struct bench_series local = { .cnt = 0 }, direct = { .cnt = 0 };
    uint32_t cnt = b->quick ? 1000000 : 4000000;
    bench_local_cnt = cnt / 10;
    if (bench_run(local_yaml, NULL, true, &b->err) < 0) return b->err.code; /* warm-up */
    bench_local_cnt = cnt;
    for (uint32_t i = 0; i < bench_repeats(b, 7); i++) {
        if (bench_run(local_yaml, NULL, true, &b->err) < 0) return b->err.code;
        const struct bench_probe *p = &bench_probes[0];
        bench_add(&local, bench_ns((double)(p->stop_tsc - p->start_tsc)) / (double)p->mails);
    }
    direct_call = direct_answer;
    for (uint32_t i = 0; i < bench_repeats(b, 7); i++) {
        struct direct a = { .f.size = sizeof a }, c;
        uint64_t from = rt_tsc();
        for (uint32_t n = 0; n < cnt; n += 2) {
            direct_call(&a, &c);
            direct_call(&c, &a);
        }
        bench_add(&direct, bench_ns((double)(rt_tsc() - from)) / cnt);
    }
    bench_put(b, "direct.p50", "ns", &direct, 0, NULL);
    bench_put(b, "local.p50", "ns", &local, 12, "direct.p50");
    return 0;
}
