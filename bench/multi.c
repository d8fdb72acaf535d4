/* multi.c - how many bars a second does a backtest of many symbols take?
 *
 * 20 symbols, three moving-average crosses of other lengths that trade all of them, one account,
 * one shard; risk, execution, venue and portfolio as shipped. A bar is a row of one symbol, heard
 * by all three strategies; an order comes every 25 bars of a symbol or so (two crossings a swing
 * of 150 bars, three strategies). Bars are in memory, the journal is off, the time is that between
 * Start and Stop: opening, closing and result files are not in it. */
#include "bench/bench.h"
#include <errno.h>
#include <stdio.h>

enum {
    REPEATS = 27, /* short and many: the best of them counts */
    SYMBOLS = 20, /* each with as many bars */
    WAVE = 150,   /* bars of one swing */
};

/* write_yaml writes the run file: rows bars of each symbol. */
static void write_yaml(char *out, size_t cap, uint32_t rows) {
    char names[SYMBOLS * 5 + 1];
    size_t used = 0, at = 0;
    used += (size_t)snprintf(out, cap,
                             "name: bench\nclock: virtual\njournal: off\n"
                             "snapshot_every: 0s\ninstruments:\n");
    for (int i = 0; i < SYMBOLS; i++) { /* ids go by name */
        at += (size_t)snprintf(names + at, sizeof names - at, "%sS%02d", i ? ", " : "", i);
        used += (size_t)snprintf(
            out + used, cap - used,
            "  S%02d: {symbol: S%02d, kind: linear, base: B%02d, quote: USDT, venue: sim,"
            " tick_size: 0.1, lot_size: 0.001, min_notional: 5, maker_fee: 0.0002,"
            " taker_fee: 0.0005, slippage_bps: 0.5}\n",
            i, i, i);
    }
    used += (size_t)snprintf(
        out + used, cap - used,
        "accounts: {main: {quote: USDT, cash: 100000000}}\nshards: {main: {core: 0}}\n"
        "sources: [{kind: bench, rows: %u, instruments: %d, wave: %d}]\n"
        "actors:\n  a: {kind: bench_watch}\n",
        rows, SYMBOLS, WAVE);
    for (int i = 0; i < 3; i++)
        used += (size_t)snprintf(
            out + used, cap - used,
            "  cross%d: {kind: strategy, class: bench_cross, instruments: [%s], interval: 1m,"
            " account: main, params: {fast: %d, slow: %d}, sizing: {fixed: 0.01}}\n",
            i, names, 3 + 2 * i, 9 + 6 * i);
    (void)snprintf(out + used, cap - used,
                   "  execution: {kind: execution}\n  portfolio: {kind: portfolio}\n"
                   "  risk: {kind: risk, limits: {max_order_quantity: 10,"
                   " max_order_notional: 1000000, price_collar: 0.5, max_position: 20,"
                   " order_rate: {count: 1000, per: 1s}, duplicate_window: 1s,"
                   " max_open_orders: 100}}\n  venue: {kind: venue}\n");
}

int bench_multi(struct bench *b) {
    struct bench_series rate = { .cnt = 0 }, per = { .cnt = 0 };
    uint32_t rows = b->quick ? 5000 : 20000;
    static char yaml[16384];
    write_yaml(yaml, sizeof yaml, rows);
    const double bars = (double)rows * SYMBOLS;
    for (uint32_t i = 0; i < bench_repeats(b, REPEATS) + 1; i++) {
        int code = bench_run(yaml, NULL, true, &b->err);
        if (code < 0) return code;
        const struct bench_probe *p = &bench_probes[0];
        if ((double)p->mails < bars / 4) /* an order is some ten frames */
            return rt_error_set(&b->err, -EPROTO, "multi: only %llu frames for %.0f bars",
                                (unsigned long long)p->mails, bars);
        if (i == 0) continue; /* warm-up */
        bench_add(&rate, bars / (bench_ns((double)(p->stop_tsc - p->start_tsc)) / 1e9));
        per.cnt = 0;
        bench_add(&per, (double)p->mails / bars);
    }
    bench_put(b, "backtest.multi.rate", "1/s", &rate, 20e6, NULL);
    bench_put(b, "backtest.multi.frames_per_bar", "1", &per, 0, NULL);
    return 0;
}
