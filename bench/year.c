/* year.c - how long does a year of minutes take, from the file to the page?
 *
 * A year of 1m bars of one symbol as kline CSV (invented, the same every time), a moving-average
 * cross of 10 against 30 closes with full accounting, the journal on as a run file has it by
 * default; `shrike backtest RUN.yaml --out DIR` by this very program, as a process of its own: the
 * time on the wall from its start to its end holds reading the file, the run, the results as CSV
 * and JSON, statistics and the page report.html. */
#include "actors/data/generate.h"
#include "bench/bench.h"
#include "runtime/base/folder.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPEATS = 5 }; /* the middle one counts */

static const char year_yaml[] =
    "start: 2023-01-01\nend: 2024-01-01\n"
    "instruments:\n"
    "  BTC-PERP: {symbol: BTCUSDT, kind: linear, base: BTC, quote: USDT, tick_size: 0.1,"
    " lot_size: 0.001, maker_fee: 0.0002, taker_fee: 0.0005, slippage_bps: 0.5}\n"
    "accounts: {main: {quote: USDT, cash: 10000000}}\n"
    "sources: [{kind: klines, instrument: BTC-PERP, interval: 1m, file: BTCUSDT-1m.csv}]\n"
    "actors:\n"
    "  cross: {kind: strategy, class: sma_cross, instruments: [BTC-PERP], interval: 1m,"
    " account: main, params: {fast: 10, slow: 30}, sizing: {fixed: 0.1}}\n"
    "  execution: {kind: execution}\n"
    "  portfolio: {kind: portfolio}\n"
    "  risk: {kind: risk, limits: {max_order_quantity: 10, max_order_notional: 1000000,"
    " price_collar: 0.5, max_position: 20, order_rate: {count: 1000, per: 1s},"
    " duplicate_window: 1s, max_open_orders: 100}}\n"
    "  venue: {kind: venue}\n";

/* files writes the run file and its bars into dir. */
static int files(const char *dir, struct rt_error *err) {
    static const char *const symbols[] = { "BTCUSDT", NULL };
    struct data_generate g = { .dir = dir,
                               .symbols = symbols,
                               .seed = 1,
                               .start_ns = 1672531200000000000LL,
                               .interval_ns = 60000000000LL,
                               .days = 365 };
    char path[320];
    int code = data_generate(&g, NULL, err);
    if (code < 0) return code;
    snprintf(path, sizeof path, "%s/year.yaml", dir);
    FILE *f = fopen(path, "w");
    if (!f) return rt_error_set(err, -errno, "%s cannot be written", path);
    bool bad = fputs(year_yaml, f) < 0;
    bad |= fclose(f) != 0;
    return bad ? rt_error_set(err, -EIO, "%s cannot be written", path) : 0;
}

/* backtest runs it once, into out; *ns = how long it took. */
static int backtest(const char *dir, const char *out, double *ns, struct rt_error *err) {
    char self[320], run[320];
    char *words[] = { self, "backtest", run, "--out", (char *)(uintptr_t)out, NULL };
    char *const env[] = { "PATH=/usr/bin:/bin", NULL };
    posix_spawn_file_actions_t quiet;
    pid_t pid;
    int status;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return rt_error_set(err, -EIO, "this program is not found");
    self[n] = 0;
    snprintf(run, sizeof run, "%s/year.yaml", dir);
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    int64_t from_ns = rt_clock_monotonic_ns();
    int code = posix_spawn(&pid, self, &quiet, NULL, words, env);
    posix_spawn_file_actions_destroy(&quiet);
    if (code != 0) return rt_error_set(err, -code, "%s cannot be started", self);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        return rt_error_set(err, -ECHILD, "%s backtest %s: ended with status %d", self, run,
                            status);
    *ns = (double)(rt_clock_monotonic_ns() - from_ns);
    return 0;
}

int bench_year(struct bench *b) {
    struct bench_series wall = { .cnt = 0 };
    char dir[300], out[330], page[400];
    double ns = 0;
    struct stat s;
    snprintf(dir, sizeof dir, "%s/year", b->dir);
    snprintf(out, sizeof out, "%s/out", dir);
    snprintf(page, sizeof page, "%s/report.html", out);
    int code = rt_folder_make(dir, 0700);
    if (code < 0) return rt_error_set(&b->err, code, "%s cannot be made", dir);
    code = files(dir, &b->err);
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, REPEATS) + 1; i++) {
        code = backtest(dir, out, &ns, &b->err);
        if (code == 0 && (stat(page, &s) < 0 || s.st_size < 10000))
            code = rt_error_set(&b->err, -EPROTO, "%s was not written", page);
        rt_folder_remove(out);
        if (code == 0 && i > 0) bench_add(&wall, ns); /* the first is the warm-up */
    }
    rt_folder_remove(dir);
    if (code < 0) return code;
    bench_put(b, "backtest.year_html", "ns", &wall, 400e6, NULL);
    return 0;
}
