/* Goal: no bytes make the readers of bars and trades crash, loop or look outside their input; what
 * they take keeps the rules of klines.h and trades.h; and it does not matter in how many pieces the
 * rows are fetched. Method: libFuzzer over both parsers, twice each: all rows at once, and a few at
 * a time. */
#include "actors/data/klines.h"
#include "actors/data/trades.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bounds: rows of a reading, rows of a piece. */
enum { ROWS_MAX = 4096, PIECE = 3 };

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* klines_check holds the rows against the rules. */
static void klines_check(const struct data_klines *k, const struct msg_bar *rows, size_t cnt) {
    uint64_t missing = 0;
    for (size_t i = 0; i < cnt; i++) {
        const struct msg_bar *b = &rows[i];
        assert(b->low > 0 && b->low <= b->open && b->low <= b->close);
        assert(b->high >= b->open && b->high >= b->close);
        assert(b->volume >= 0 && b->interval_ns == k->interval_ns && b->instrument == 7);
        if (i == 0) continue;
        int64_t step_ns = b->open_ns - rows[i - 1].open_ns;
        assert(step_ns > 0 && step_ns % k->interval_ns == 0);
        missing += (uint64_t)(step_ns / k->interval_ns) - 1;
    }
    assert(missing == k->missing);
}

/* klines_run reads bars, piece rows at a time, and returns how many. */
static size_t klines_run(const char *text, size_t cnt, struct msg_bar *rows, size_t piece,
                         struct data_klines *k, struct rt_error *err, int *rc) {
    *k = (struct data_klines){ .file = "f", .interval_ns = 60000000000LL, .instrument = 7 };
    size_t n = 0, got = 0;
    do {
        size_t room = ROWS_MAX - n < piece ? ROWS_MAX - n : piece;
        *rc = data_klines_parse(text, cnt, k, rows + n, room, &got, err);
        n += got;
    } while (*rc == 0 && k->at < cnt && n < ROWS_MAX);
    return n;
}

/* trades_run reads trades, piece rows at a time, and returns how many. */
static size_t trades_run(const char *text, size_t cnt, struct msg_trade *rows, size_t piece,
                         struct rt_error *err, int *rc) {
    struct data_trades t = { .file = "f", .instrument = 7 };
    size_t n = 0, got = 0;
    do {
        size_t room = ROWS_MAX - n < piece ? ROWS_MAX - n : piece;
        *rc = data_trades_parse(text, cnt, &t, rows + n, room, &got, err);
        n += got;
    } while (*rc == 0 && t.at < cnt && n < ROWS_MAX);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static struct msg_bar bars[2][ROWS_MAX];
    static struct msg_trade trades[2][ROWS_MAX];
    struct rt_error err[2] = { { 0 }, { 0 } };
    struct data_klines k[2];
    const char *text = (const char *)bytes;
    int rc[2];
    if (cnt == 0) return 0;
    size_t n = klines_run(text, cnt, bars[0], ROWS_MAX, &k[0], &err[0], &rc[0]);
    size_t pieces = klines_run(text, cnt, bars[1], PIECE, &k[1], &err[1], &rc[1]);
    assert(rc[0] == rc[1] && n == pieces && strcmp(err[0].text, err[1].text) == 0);
    assert(rc[0] == 0 || (strncmp(err[0].text, "f:", 2) == 0 && !strchr(err[0].text, '\n')));
    assert(memcmp(bars[0], bars[1], n * sizeof bars[0][0]) == 0);
    if (rc[0] == 0) klines_check(&k[0], bars[0], n);
    err[0].text[0] = err[1].text[0] = '\0';
    n = trades_run(text, cnt, trades[0], ROWS_MAX, &err[0], &rc[0]);
    pieces = trades_run(text, cnt, trades[1], PIECE, &err[1], &rc[1]);
    assert(rc[0] == rc[1] && n == pieces && strcmp(err[0].text, err[1].text) == 0);
    assert(rc[0] == 0 || (strncmp(err[0].text, "f:", 2) == 0 && !strchr(err[0].text, '\n')));
    assert(memcmp(trades[0], trades[1], n * sizeof trades[0][0]) == 0);
    for (size_t i = 0; i < n; i++) {
        assert(trades[0][i].price > 0 && trades[0][i].quantity > 0);
        assert(i == 0 || trades[0][i].time_ns >= trades[0][i - 1].time_ns);
        assert(i == 0 || trades[0][i].trade_id > trades[0][i - 1].trade_id);
    }
    return 0;
}
