/* backtest.c - how many bars a second does a backtest take, with the whole money path?
 *
 * The moving-average cross (3 against 9 closes) on bars in memory whose price swings so that an
 * order comes every 25 bars; strategy, risk, execution, venue and portfolio as shipped; one core.
 * The time is that between Start and Stop: opening, closing and result files are not in it. Once
 * with the journal off (nothing is recorded at all: records that results would be made of neither),
 * once on the stage with bars as references, into a segment that was made at opening. Beside it a
 * bare loop of C that computes the averages of the same bars and counts the crossings. */
#include "bench/bench.h"
#include "runtime/base/folder.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPEATS = 13 }; /* short and many: the best of them counts */

static const char backtest_yaml[] =
    "name: bench\nclock: virtual\njournal: %s\nsnapshot_every: 0s\n"
    "instruments:\n"
    "  X: {symbol: X, kind: linear, base: X, quote: USDT, venue: sim, tick_size: 0.1, lot_size: "
    "0.001,"
    " min_notional: 5, maker_fee: 0.0002, taker_fee: 0.0005, slippage_bps: 0.5}\n"
    "accounts: {main: {quote: USDT, cash: 100000000}}\n"
    "shards: {main: {core: 0}}\n"
    "sources: [{kind: bench, rows: %u}]\n"
    "actors:\n"
    "  a: {kind: bench_watch}\n"
    "  cross: {kind: strategy, class: sma_cross, instruments: [X], interval: 1m, account: main,"
    " params: {fast: 3, slow: 9}, sizing: {fixed: 0.01}}\n"
    "  execution: {kind: execution}\n"
    "  portfolio: {kind: portfolio}\n"
    "  risk: {kind: risk, limits: {max_order_quantity: 10, max_order_notional: 1000000,"
    " price_collar: 0.5, max_position: 20, order_rate: {count: 1000, per: 1s},"
    " duplicate_window: 1s, max_open_orders: 100}}\n"
    "  venue: {kind: venue}\n";

/* bare runs the averages over bars in a plain loop and returns the crossings. */
static uint64_t bare(const int64_t *close, uint32_t cnt) {
    int64_t fast = 0, slow = 0, relation = 0;
    uint64_t crossings = 0;
    for (uint32_t i = 0; i < cnt; i++) {
        fast += close[i * 10];
        slow += close[i * 10];
        if (i >= 3) fast -= close[(i - 3) * 10];
        if (i >= 9) slow -= close[(i - 9) * 10];
        if (i < 9) continue;
        int64_t lead = 3 * fast - slow, now = lead > 0 ? 1 : lead < 0 ? -1 : relation;
        crossings += now != relation;
        relation = now;
    }
    return crossings;
}

/* one runs the backtest once and adds bars a second to s; *mails = frames heard. */
static int one(struct bench *b, const char *journal, uint32_t rows, const char *dir,
               struct bench_series *s, uint64_t *mails) {
    char yaml[sizeof backtest_yaml + 200];
    snprintf(yaml, sizeof yaml, backtest_yaml, journal, rows);
    int code = bench_run(yaml, dir, true, &b->err);
    if (dir) rt_folder_remove(dir);
    if (code < 0) return code;
    const struct bench_probe *p = &bench_probes[0];
    if (p->mails < rows / 25) /* an order is some ten frames */
        return rt_error_set(&b->err, -EPROTO, "backtest: only %llu frames for %u bars: no orders?",
                            (unsigned long long)p->mails, rows);
    if (s) bench_add(s, rows / (bench_ns((double)(p->stop_tsc - p->start_tsc)) / 1e9));
    *mails = p->mails;
    return 0;
}

int bench_backtest(struct bench *b) {
    struct bench_series off = { .cnt = 0 }, on = { .cnt = 0 }, plain = { .cnt = 0 };
    struct bench_series per = { .cnt = 0 };
    uint32_t rows = b->quick ? 500000 : 1000000;
    char dir[300], stage[100];
    uint64_t mails = 0;
    uint64_t keep = 0;
    snprintf(dir, sizeof dir, "%s/backtest", b->dir);
    snprintf(stage, sizeof stage, "{mode: stage, segment: 134217728, stage_segments: 2}");
    int64_t *close = malloc(rows * 80UL); /* rows as wide as bars */
    if (!close) return rt_error_set(&b->err, -ENOMEM, "no memory");
    for (uint32_t i = 0; i < rows * 10U; i++)
        close[i] = (int64_t)(i % 500 < 250 ? i % 250 : 250 - i % 250);
    for (uint32_t i = 0; i < bench_repeats(b, REPEATS); i++) {
        uint64_t from = rt_tsc();
        keep += bare(close, rows);
        bench_add(&plain, rows / (bench_ns((double)(rt_tsc() - from)) / 1e9));
    }
    free(close);
    int code = one(b, "off", rows, NULL, NULL, &mails); /* warm-up */
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, REPEATS); i++) {
        code = one(b, "off", rows, NULL, &off, &mails);
        if (code == 0) code = one(b, stage, rows, dir, &on, &mails);
    }
    if (code < 0) return code;
    if (keep == 0) return rt_error_set(&b->err, -EPROTO, "the bare loop crossed nothing");
    bench_add(&per, (double)mails / rows);
    bench_put(b, "backtest.bare.rate", "1/s", &plain, 0, NULL);
    bench_put(b, "backtest.bars.rate", "1/s", &off, 60e6, "backtest.bare.rate");
    bench_put(b, "backtest.bars_journal.rate", "1/s", &on, 40e6, "backtest.bars.rate");
    bench_put(b, "backtest.frames_per_bar", "1", &per, 0, NULL);
    return 0;
}
