#include "actors/data/klines.h"
#include "actors/data/file.h"
#include "actors/data/grid.h"
#include "actors/data/scan.h"
#include "actors/data/series.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROW_AHEAD = 12 * 32 + DATA_SCAN_AHEAD, /* a row's fast form reads no further than this */
    TAIL_BYTES = 2 * ROW_AHEAD,            /* room for the end of the text, with padding behind */
    ROW_TEXT_BYTES = 40,                   /* guess of a row's text, for the first room */
};

/* Columns as errors name them. */
static const char *const column_names[12] = {
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
};

/* row_fast reads one row at p in the form nearly all have. Returns what follows it, or NULL, and
 * then row_careful decides. It reads at most ROW_AHEAD bytes. */
static inline __attribute__((always_inline)) const char *
row_fast(const char *p, bool wide, const struct data_klines *k, struct msg_bar *bar) {
    const char eol = k->eol;
    uint64_t time, trades = 0;
    int64_t volume;
    if (__builtin_expect((p = data_scan_count(p, ',', &time)) == NULL, 0)) return NULL;
    if (__builtin_expect((p = data_scan_fixed(p, ',', &bar->open)) == NULL, 0)) return NULL;
    if (__builtin_expect((p = data_scan_fixed(p, ',', &bar->high)) == NULL, 0)) return NULL;
    if (__builtin_expect((p = data_scan_fixed(p, ',', &bar->low)) == NULL, 0)) return NULL;
    if (__builtin_expect((p = data_scan_fixed(p, ',', &bar->close)) == NULL, 0)) return NULL;
    const char stop = wide ? ',' : eol;
    const char *next = data_scan_fixed(p, stop, &volume);
    if (__builtin_expect(next != NULL && volume < 1LL << 53, 1)) {
        bar->volume = (double)volume / FIXED_ONE; /* both exact: correctly rounded */
    } else {
        next = data_scan_skip(p, stop);
        if (next == NULL) return NULL;
        struct data_field f = { .text = p, .cnt = (size_t)(next - 1 - p) };
        if (data_read_double(f, &bar->volume) != DATA_NUMBER_OK) return NULL;
    }
    p = next;
    if (wide) {
        if (__builtin_expect((p = data_scan_skip(p, ',')) == NULL, 0)) return NULL;
        if (__builtin_expect((p = data_scan_skip(p, ',')) == NULL, 0)) return NULL;
        if (__builtin_expect((p = data_scan_count(p, ',', &trades)) == NULL, 0)) return NULL;
        if (__builtin_expect((p = data_scan_skip(p, ',')) == NULL, 0)) return NULL;
        if (__builtin_expect((p = data_scan_skip(p, ',')) == NULL, 0)) return NULL;
        if (__builtin_expect((p = data_scan_skip(p, eol)) == NULL, 0)) return NULL;
    }
    if (eol == '\r' && *p++ != '\n') return NULL;
    int64_t top = bar->open > bar->close ? bar->open : bar->close;
    int64_t bottom = bar->open < bar->close ? bar->open : bar->close;
    bool good = (bar->high >= top) & (bar->low <= bottom) & (bar->low > 0);
    if (__builtin_expect(!good || !data_time_ns(time, &bar->open_ns), 0)) return NULL;
    bar->interval_ns = k->interval_ns;
    bar->instrument = k->instrument;
    bar->flags = k->flags;
    bar->count = trades > UINT32_MAX ? UINT32_MAX : (uint32_t)trades;
    return p;
}

/* row_price reads a price column of a row that the fast form would not take. */
static int row_price(const struct data_klines *k, const struct data_field *f, size_t idx,
                     int64_t *out, struct rt_error *err) {
    enum data_number what = data_read_fixed(f[idx], out);
    if (what == DATA_NUMBER_OK && *out > 0) return 0;
    if (what == DATA_NUMBER_OK) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %s is zero; expected a price above it",
                            k->file, k->line, column_names[idx]);
    }
    return data_number_error(err, k->file, k->line, column_names[idx], f[idx], what);
}

/* row_careful reads the line (without its end) that the fast form refused: fills bar, or says what
 * is wrong. */
static int row_careful(const char *line, size_t cnt, const struct data_klines *k,
                       struct msg_bar *bar, struct rt_error *err) {
    struct data_field f[DATA_COLUMNS_MAX];
    if (cnt == 0) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": empty line", k->file, k->line);
    }
    size_t columns = data_split(line, cnt, f);
    if (columns != k->columns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %zu columns; expected %" PRIu32,
                            k->file, k->line, columns, k->columns);
    }
    enum data_number what = data_read_time(f[0], &bar->open_ns);
    if (what != DATA_NUMBER_OK) {
        return data_number_error(err, k->file, k->line, column_names[0], f[0], what);
    }
    int64_t *const prices[4] = { &bar->open, &bar->high, &bar->low, &bar->close };
    for (size_t i = 0; i < 4; i++) {
        int rc = row_price(k, f, i + 1, prices[i], err);
        if (rc != 0) return rc;
    }
    what = data_read_double(f[5], &bar->volume);
    if (what != DATA_NUMBER_OK) {
        return data_number_error(err, k->file, k->line, column_names[5], f[5], what);
    }
    uint64_t trades = 0;
    for (size_t i = 6; i < columns; i++) {
        double ignored;
        what = i == 8 ? data_read_count(f[i], &trades) : data_read_double(f[i], &ignored);
        if (what != DATA_NUMBER_OK) {
            return data_number_error(err, k->file, k->line, column_names[i], f[i], what);
        }
    }
    const char *bad = bar->high < bar->open    ? "high is below open"
                      : bar->high < bar->close ? "high is below close"
                      : bar->low > bar->open   ? "low is above open"
                      : bar->low > bar->close  ? "low is above close"
                                               : NULL;
    if (bad != NULL) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %s", k->file, k->line, bad);
    }
    bar->interval_ns = k->interval_ns;
    bar->instrument = k->instrument;
    bar->flags = k->flags;
    bar->count = trades > UINT32_MAX ? UINT32_MAX : (uint32_t)trades;
    return 0;
}

/* row_time checks a bar's time that is not one interval after the bar before, and counts a gap. */
static int row_time(struct data_klines *k, int64_t open_ns, struct rt_error *err) {
    char now[40], span[40], from[40];
    if (open_ns > INT64_MAX - k->interval_ns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": time is past the year 2262", k->file,
                            k->line);
    }
    if (!k->any) {
        const int64_t step_ns = data_grid_step_ns(k->interval_ns);
        if (open_ns % step_ns != 0) {
            return rt_error_set(
                err, -EBADMSG, "%s:%" PRIu64 ": time %s: bars of %s begin on whole %s", k->file,
                k->line, data_time_text(open_ns, now), data_span_text(k->interval_ns, span),
                data_span_text(step_ns, from));
        }
        k->any = true;
        k->first_ns = open_ns;
        return 0;
    }
    if (open_ns <= k->last_ns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": time %s %s the row before", k->file,
                            k->line, data_time_text(open_ns, now),
                            open_ns == k->last_ns ? "repeats" : "is before");
    }
    const bool off = (open_ns - k->first_ns) % k->interval_ns != 0;
    if (off && (k->session == NULL || !mk_session_begins(k->session, open_ns, k->interval_ns))) {
        return rt_error_set(
            err, -EBADMSG, "%s:%" PRIu64 ": time %s is not whole intervals of %s after %s", k->file,
            k->line, data_time_text(open_ns, now), data_span_text(k->interval_ns, span),
            data_time_text(k->first_ns, from));
    }
    const uint64_t missing = data_missing(k->session, k->last_ns, open_ns, k->interval_ns);
    k->gaps += missing > 0;
    k->missing += missing;
    return 0;
}

/* heading_check reads a heading and settles the number of columns. */
static int heading_check(struct data_klines *k, const char *line, size_t cnt,
                         struct rt_error *err) {
    static const char *const times[] = { "open_time",    "open_time_ms", "open_time_us",
                                         "open_time_ns", "open_time_s",  "open time",
                                         "timestamp",    "time",         NULL };
    struct data_field f[DATA_COLUMNS_MAX];
    char text[40];
    size_t columns = data_split(line, cnt, f);
    if (columns != 6 && columns != 12) {
        return rt_error_set(err, -EBADMSG, "%s:1: heading has %zu columns; expected 6 or 12",
                            k->file, columns);
    }
    bool time = false;
    for (size_t i = 0; times[i] != NULL; i++) time = time || data_is_word(f[0], times[i]);
    for (size_t i = 0; i < 6; i++) {
        if (i == 0 ? time : data_is_word(f[i], column_names[i])) continue;
        return rt_error_set(err, -EBADMSG, "%s:1: heading: column %zu is \"%s\"; expected %s",
                            k->file, i + 1, data_quote(f[i], text), column_names[i]);
    }
    k->columns = (uint32_t)columns;
    return 0;
}

/* file_begin reads the first line of a file: byte order mark, heading, form of line ends. */
static int file_begin(struct data_klines *k, const char *bytes, size_t cnt, struct rt_error *err) {
    const char *p = bytes, *end = bytes + cnt;
    if (cnt >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    size_t len = 0;
    const char *next = data_line_end(p, end, &len);
    if (next == NULL) {
        return rt_error_set(err, -EBADMSG, "%s:1: line longer than %d bytes", k->file,
                            DATA_LINE_MAX);
    }
    k->eol = p + len < end && p[len] == '\r' ? '\r' : '\n';
    if (len > 0 && ((p[0] >= '0' && p[0] <= '9') || p[0] == '-' || p[0] == ',' || p[0] == '.')) {
        k->columns = 12; /* no heading */
    } else {
        int rc = heading_check(k, p, len, err);
        if (rc != 0) return rc;
        k->line = 1;
        p = next;
    }
    k->at = (size_t)(p - bytes);
    return 0;
}

/* row_slow reads one row that may be of any form, at p in text that ends at end. Sets *next. */
static int row_slow(const char *p, const char *end, struct data_klines *k, struct msg_bar *bar,
                    const char **next, struct rt_error *err) {
    size_t len;
    *next = data_line_end(p, end, &len);
    if (*next == NULL) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": line longer than %d bytes", k->file,
                            k->line, DATA_LINE_MAX);
    }
    return row_careful(p, len, k, bar, err);
}

/* rows_run reads rows at p while a whole ROW_AHEAD of text lies ahead, up to safe_end. end is where
 * the text ends, for rows that are taken apart. Sets *stopped. */
static inline __attribute__((always_inline)) int
rows_run(const char *p, const char *safe_end, const char *end, bool wide, struct data_klines *k,
         struct msg_bar *rows, size_t rows_max, size_t *rows_cnt, const char **stopped,
         struct rt_error *err) {
    size_t n = *rows_cnt;
    const uint64_t line_before = k->line - n;
    int64_t due_ns = k->last_ns + k->interval_ns; /* when any is false it counts for nothing */
    bool any = k->any;
    int rc = 0;
    while (p < safe_end && n < rows_max) {
        struct msg_bar *bar = &rows[n];
        const char *next = row_fast(p, wide, k, bar);
        if (__builtin_expect(next == NULL, 0)) {
            k->line = line_before + n + 1;
            rc = row_slow(p, end, k, bar, &next, err);
            if (rc != 0) break;
        }
        if (__builtin_expect(bar->open_ns != due_ns || !any, 0)) {
            k->line = line_before + n + 1;
            rc = row_time(k, bar->open_ns, err);
            if (rc != 0) break;
            any = true;
        } else if (__builtin_expect(bar->open_ns > INT64_MAX - 2 * k->interval_ns, 0)) {
            k->line = line_before + n + 1;
            rc = rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": time is past the year 2262", k->file,
                              k->line);
            break;
        }
        k->last_ns = bar->open_ns;
        due_ns = bar->open_ns + k->interval_ns;
        p = next;
        n++;
    }
    k->line = line_before + n;
    *rows_cnt = n;
    *stopped = p;
    return rc;
}

int data_klines_parse(const char *bytes, size_t cnt, struct data_klines *k, struct msg_bar *rows,
                      size_t rows_max, size_t *rows_cnt, struct rt_error *err) {
    assert(k->interval_ns > 0 && k->interval_ns < INT64_MAX / 4);
    *rows_cnt = 0;
    if (k->columns == 0) {
        int rc = file_begin(k, bytes, cnt, err);
        if (rc != 0) return rc;
    }
    const char *p = bytes + k->at, *end = bytes + cnt;
    const char *safe_end = cnt > ROW_AHEAD ? end - ROW_AHEAD : bytes;
    int rc = k->columns == 12
                 ? rows_run(p, safe_end, end, true, k, rows, rows_max, rows_cnt, &p, err)
                 : rows_run(p, safe_end, end, false, k, rows, rows_max, rows_cnt, &p, err);
    if (rc == 0 && *rows_cnt < rows_max && p < end) {
        /* the last few rows, with room behind them that may be read */
        char tail[TAIL_BYTES + ROW_AHEAD];
        size_t left = (size_t)(end - p);
        if (left > TAIL_BYTES) left = TAIL_BYTES; /* cannot be: p passed safe_end */
        memset(tail, 0, sizeof tail);
        memcpy(tail, p, left);
        if (tail[left - 1] != '\n') {
            if (k->eol == '\r' && tail[left - 1] != '\r') tail[left++] = '\r';
            tail[left++] = '\n';
        }
        const char *q = tail;
        rc = rows_run(tail, tail + left, tail + left, k->columns == 12, k, rows, rows_max, rows_cnt,
                      &q, err);
        size_t used = (size_t)(q - tail);
        p = used > (size_t)(end - p) ? end : p + used;
        if (q == tail + left) p = end;
    }
    k->at = (size_t)(p - bytes);
    return rc;
}

void data_klines_bar_open(const struct rt_series *s, const void *row, void *out) {
    (void)s;
    const struct msg_bar *bar = row;
    struct msg_bar_open *open = out;
    *open = (struct msg_bar_open){
        .open_ns = bar->open_ns,
        .interval_ns = bar->interval_ns,
        .open = bar->open,
        .instrument = bar->instrument,
        .traded = bar->volume > 0 || (bar->flags & DATA_BAR_NO_VOLUME) != 0,
    };
}

/* klines_read is data_reader.read. */
static int klines_read(void *parser, const char *name, const struct data_file *f,
                       struct data_rows *rows, struct rt_error *err) {
    struct data_klines *k = parser;
    k->file = name;
    k->at = 0;
    k->line = 0;
    k->columns = 0;
    while (k->columns == 0 || k->at < f->cnt) {
        size_t left = (f->cnt - k->at) / ROW_TEXT_BYTES + 64, got = 0;
        struct msg_bar *room = data_rows_room(rows, left, err);
        if (room == NULL) return -ENOMEM;
        int rc = data_klines_parse(f->bytes, f->cnt, k, room, left, &got, err);
        if (rc != 0) return rc;
        rows->cnt += got;
    }
    return 0;
}

/* klines_report writes the run's line about a series that has been cut to the run's span. */
static void klines_report(struct rt_source_init *init, const struct data_rows *rows,
                          const char *name, bool no_volume, const struct mk_session *session) {
    const struct msg_bar *bars = (const struct msg_bar *)(const void *)rows->rows;
    uint64_t gaps = 0, missing = 0, idle = 0;
    for (uint64_t i = 0; i < rows->cnt; i++) {
        idle += !(bars[i].volume > 0);
        if (i == 0 || bars[i].open_ns == bars[i - 1].open_ns + bars[i].interval_ns) continue;
        const uint64_t cnt =
            data_missing(session, bars[i - 1].open_ns, bars[i].open_ns, bars[i].interval_ns);
        gaps += cnt > 0;
        missing += cnt;
    }
    char from[40], to[40];
    int len = snprintf(init->report, sizeof init->report, "%s: %" PRIu64 " bars", name, rows->cnt);
    size_t at = (size_t)len;
    if (rows->cnt > 0) {
        at += (size_t)snprintf(init->report + at, sizeof init->report - at, " from %s to %s",
                               data_time_text(bars[0].open_ns, from),
                               data_time_text(bars[rows->cnt - 1].open_ns, to));
    }
    at += (size_t)snprintf(init->report + at, sizeof init->report - at,
                           ", %" PRIu64 " gaps (%" PRIu64 " bars missing)", gaps, missing);
    if (no_volume) {
        snprintf(init->report + at, sizeof init->report - at, ", volume not declared");
    } else {
        snprintf(init->report + at, sizeof init->report - at, ", %" PRIu64 " without volume", idle);
    }
}

/* klines_open is rt_source_kind.open. */
static int klines_open(struct rt_source_init *init, struct rt_error *err) {
    static const char *const known[] = { "kind",  "instrument", "interval", "file",
                                         "files", "volume",     "price",    NULL };
    static const char *const prices[] = { "last", "mark", NULL };
    static const char *const volumes[] = { "declared", "none", NULL };
    struct data_spec spec;
    int64_t interval_ns = 0;
    int none = 0, mark = 0;
    int rc = data_spec_read(init, &spec, err);
    if (rc != 0) return rc;
    rc = rt_node_duration(init->config, "interval", true, 1000000000LL, 7 * 86400000000000LL, 0,
                          &interval_ns, err);
    if (rc != 0) return rc;
    rc = rt_node_choice(init->config, "volume", false, volumes, 0, &none, err);
    if (rc != 0) return rc;
    rc = rt_node_choice(init->config, "price", false, prices, 0, &mark, err);
    if (rc != 0) return rc;
    rc = rt_node_no_more(init->config, known, err);
    if (rc == 0) rc = data_spec_files(init, &spec, err);
    if (rc != 0) return rc;
    if (none && !mark && !mk_volume_free(spec.instrument)) {
        return rt_node_fail(rt_node_get(init->config, "volume"), err,
                            "is none, but participation or slippage of %s needs volumes",
                            spec.instrument->name);
    }
    if (mark && spec.instrument->kind == MK_SPOT) {
        return rt_node_fail(rt_node_get(init->config, "price"), err,
                            "is mark, expected last: spot instruments have no mark price");
    }
    struct data_klines k = { .interval_ns = interval_ns,
                             .session = spec.instrument->session,
                             .instrument = spec.instrument->id,
                             .flags = none == 1 ? DATA_BAR_NO_VOLUME : 0 };
    const struct data_reader reader = { .parser = &k,
                                        .read = klines_read,
                                        .row_bytes = sizeof(struct msg_bar),
                                        .span_ns = interval_ns };
    struct rt_series *s = data_series_load(init, &spec, &reader, err);
    if (s == NULL) return err->code;
    const struct data_rows *rows = s->impl;
    const struct msg_bar *bars = (const struct msg_bar *)(const void *)rows->rows;
    if (rows->cnt > 0) {
        rc = data_known(init->config, k.session, bars[0].open_ns, bars[rows->cnt - 1].open_ns, err);
        if (rc != 0) {
            data_series_close(s, 1);
            init->series_cnt--;
            return rc;
        }
    }
    if (mark) { /* goes first, so that a bar's mark is known when its path is worked */
        s->row_kind = MSG_MARK_BAR;
        snprintf(s->name + strlen(s->name), sizeof s->name - strlen(s->name), " mark");
    } else {
        s->row_kind = MSG_BAR;
        s->rank_hint = 1;
        s->open_kind = MSG_BAR_OPEN;
        s->open_of = data_klines_bar_open;
    }
    klines_report(init, rows, s->name, none == 1 || mark, k.session);
    return 0;
}

_Static_assert(sizeof(struct msg_mark_bar) == sizeof(struct msg_bar) &&
                   offsetof(struct msg_mark_bar, close) == offsetof(struct msg_bar, close) &&
                   offsetof(struct msg_mark_bar, count) == offsetof(struct msg_bar, count),
               "a bar of the mark price is read as a bar");

/* Keys of the source. */
static const struct rt_option klines_options[] = {
    { "instrument", "text", "a name of instruments:", NULL, "whose bars these are" },
    { "interval", "duration", "1s..7d", NULL, "length of a bar; rows lie on its grid" },
    { "file", "text", "a path", NULL, "kline CSV, plain, .zst or .gz; or files:" },
    { "files", "node", "a list of paths", NULL, "several files of one series, in order of time" },
    { "volume", "text", "declared | none", "declared",
      "none: the file tells no volume, and bars work orders all the same" },
    { "price", "text", "last | mark", "last",
      "mark: bars of the mark price, which funding, margin and liquidation go by" },
    { 0 },
};

const struct rt_source_kind data_klines_source = {
    .name = "klines",
    .help = "Bars from kline CSV files (Binance's 12 columns, or the first 6).",
    .options = klines_options,
    .open = klines_open,
    .close = data_series_close,
};
