/* csv.c - how many bytes of kline CSV are read a second?
 *
 * Text as Binance gives it (12 columns), made here, in memory; read by the parser of the source
 * "klines" into bars, everything checked. Peer: a plain loop that reads the digits of every column
 * and checks nothing. */
#include "actors/data/klines.h"
#include "bench/bench.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROW_MAX = 160, /* bytes of a row at most */
    CHUNK = 8192,  /* rows asked for at once */
};

/* make_text writes rows lines; returns their bytes. */
static size_t make_text(char *to, uint32_t rows) {
    char *at = to;
    uint64_t x = 3;
    int64_t last = 4216531;
    for (uint32_t i = 0; i < rows; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t time = 1577836800000LL + (int64_t)i * 60000,
                close = last + (int64_t)(x >> 56) - 128;
        int64_t high = (last > close ? last : close) + (int64_t)(x >> 50 & 63);
        int64_t low = (last < close ? last : close) - (int64_t)(x >> 44 & 63);
        int volume = (int)(x >> 20 & 0xfffff);
        at += sprintf(
            at,
            "%lld,%lld.%02lld,%lld.%02lld,%lld.%02lld,%lld.%02lld,%d.%03d,%lld,%d.%05d,%d,"
            "%d.%03d,%d.%05d,0\n",
            (long long)time, (long long)last / 100, (long long)last % 100, (long long)high / 100,
            (long long)high % 100, (long long)low / 100, (long long)low % 100,
            (long long)close / 100, (long long)close % 100, volume / 1000, volume % 1000,
            (long long)time + 59999, volume * 7, volume % 99999, volume % 5000, volume / 2000,
            volume % 1000, volume * 3, volume % 99991);
        last = close;
    }
    return (size_t)(at - to);
}

/* bare reads the numbers of all columns and returns their sum. */
static uint64_t bare(const char *p, const char *end) {
    uint64_t sum = 0, v = 0;
    for (; p < end; p++) {
        unsigned d = (unsigned char)*p - '0';
        if (d < 10)
            v = v * 10 + d;
        else if (*p != '.') {
            sum += v;
            v = 0;
        }
    }
    return sum;
}

/* parse reads the text once; 0 or negative errno. */
static int parse(struct bench *b, const char *text, size_t bytes, struct msg_bar *rows,
                 uint32_t want) {
    struct data_klines k = { .file = "bench.csv", .interval_ns = 60000000000LL, .instrument = 1 };
    uint64_t total = 0;
    while (k.at < bytes) {
        size_t cnt = 0;
        int code = data_klines_parse(text, bytes, &k, rows, CHUNK, &cnt, &b->err);
        if (code < 0) return code;
        total += cnt;
    }
    if (total == want) return 0;
    return rt_error_set(&b->err, -EPROTO, "csv: %llu rows read of %u", (unsigned long long)total,
                        want);
}

int bench_csv(struct bench *b) {
    struct bench_series csv = { .cnt = 0 }, plain = { .cnt = 0 };
    uint32_t rows = b->quick ? 100000 : 300000;
    char *text = malloc((size_t)rows * ROW_MAX);
    struct msg_bar *bars = malloc(CHUNK * sizeof *bars);
    uint64_t keep = 0;
    int code = text && bars ? 0 : rt_error_set(&b->err, -ENOMEM, "no memory for text");
    size_t bytes = code ? 0 : make_text(text, rows);
    bench_pin(0);
    if (code == 0) code = parse(b, text, bytes, bars, rows);
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, 9); i++) {
        uint64_t from = rt_tsc();
        keep += bare(text, text + bytes);
        bench_add(&plain, (double)bytes / (bench_ns((double)(rt_tsc() - from)) / 1e9));
        from = rt_tsc();
        code = parse(b, text, bytes, bars, rows);
        bench_add(&csv, (double)bytes / (bench_ns((double)(rt_tsc() - from)) / 1e9));
    }
    bench_free();
    free(text);
    free(bars);
    if (code < 0) return code;
    if (keep == 0) return rt_error_set(&b->err, -EPROTO, "the bare loop read nothing");
    bench_put(b, "csv.bare.rate", "B/s", &plain, 0, NULL);
    bench_put(b, "csv.rate", "B/s", &csv, 1e9, "csv.bare.rate");
    return 0;
}
