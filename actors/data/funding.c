#include "actors/data/funding.h"
#include "actors/data/file.h"
#include "actors/data/scan.h"
#include "actors/data/series.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Times up to this far past an hour are the hour's. */
static const int64_t SNAP_NS = INT64_C(60000000000);
static const int64_t HOUR_NS = INT64_C(3600000000000);

/* column_of returns the column of the heading with one of the words (ends with NULL), or -1. */
static int column_of(const struct data_field *f, size_t columns, const char *const *words) {
    for (size_t i = 0; i < columns; i++) {
        for (const char *const *w = words; *w; w++) {
            if (data_is_word(f[i], *w)) return (int)i;
        }
    }
    return -1;
}

/* heading_read settles what the columns hold. */
static int heading_read(struct data_funding *d, const struct data_field *f, size_t columns,
                        struct rt_error *err) {
    static const char *const times[] = { "funding_time_ms", "funding_time", "calc_time",
                                         "fundingtime",     "time",         NULL };
    static const char *const rates[] = { "funding_rate", "last_funding_rate", "fundingrate", NULL };
    static const char *const marks[] = { "mark_price", "markprice", NULL };
    if (columns > DATA_COLUMNS_MAX) columns = 0;
    d->at_time = column_of(f, columns, times);
    d->at_rate = column_of(f, columns, rates);
    d->at_mark = column_of(f, columns, marks);
    if (d->at_time < 0 || d->at_rate < 0) {
        return rt_error_set(err, -EBADMSG,
                            "%s:1: no heading with a time and a rate; expected columns such as "
                            "funding_time_ms,funding_rate",
                            d->file);
    }
    d->columns = (uint32_t)columns;
    return 0;
}

/* rate_read reads a decimal that may be below zero. */
static enum data_number rate_read(struct data_field f, int64_t *out) {
    bool below = f.cnt > 1 && f.text[0] == '-';
    if (below) {
        f.text++;
        f.cnt--;
    }
    enum data_number what = data_read_fixed(f, out);
    if (what == DATA_NUMBER_OK && below) *out = -*out;
    return what;
}

/* row_read reads one line. */
static int row_read(struct data_funding *d, const char *line, size_t cnt, uint64_t number,
                    struct msg_funding *row, struct rt_error *err) {
    struct data_field f[DATA_COLUMNS_MAX];
    size_t columns = data_split(line, cnt, f);
    char text[40];
    if (columns != d->columns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %zu columns; expected %" PRIu32,
                            d->file, number, columns, d->columns);
    }
    *row = (struct msg_funding){ .instrument = d->instrument };
    enum data_number what = data_read_time(f[d->at_time], &row->time_ns);
    if (what != DATA_NUMBER_OK)
        return data_number_error(err, d->file, number, "time", f[d->at_time], what);
    what = rate_read(f[d->at_rate], &row->rate);
    if (what != DATA_NUMBER_OK)
        return data_number_error(err, d->file, number, "rate", f[d->at_rate], what);
    if (row->rate > FIXED_ONE || row->rate < -FIXED_ONE) {
        return rt_error_set(err, -EBADMSG,
                            "%s:%" PRIu64 ": rate: \"%s\"; expected a part of one from -1 to 1",
                            d->file, number, data_quote(f[d->at_rate], text));
    }
    if (d->at_mark >= 0 && f[d->at_mark].cnt > 0) {
        what = data_read_fixed(f[d->at_mark], &row->mark);
        if (what != DATA_NUMBER_OK)
            return data_number_error(err, d->file, number, "mark price", f[d->at_mark], what);
    }
    int64_t past = row->time_ns % HOUR_NS;
    if (past > 0 && past <= SNAP_NS) {
        row->time_ns -= past;
        d->snapped++;
    }
    if (d->any && row->time_ns <= d->last_ns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": time %s is not after the row before",
                            d->file, number, data_time_text(row->time_ns, text));
    }
    d->any = true;
    d->last_ns = row->time_ns;
    return 0;
}

int data_funding_parse(const char *bytes, size_t cnt, struct data_funding *d,
                       struct msg_funding *rows, size_t rows_max, size_t *rows_cnt,
                       struct rt_error *err) {
    const char *p = bytes, *end = bytes + cnt;
    if (cnt >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    *rows_cnt = 0;
    for (uint64_t number = 1; p < end; number++) {
        size_t len = 0;
        const char *line = p;
        p = data_line_end(p, end, &len);
        if (p == NULL) {
            return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": line longer than %d bytes", d->file,
                                number, DATA_LINE_MAX);
        }
        int rc;
        if (d->columns == 0) {
            struct data_field f[DATA_COLUMNS_MAX] = { 0 };
            rc = heading_read(d, f, data_split(line, len, f), err);
        } else {
            if (*rows_cnt == rows_max) {
                return rt_error_set(err, -EBADMSG, "%s: more rows than line ends", d->file);
            }
            rc = row_read(d, line, len, number, &rows[*rows_cnt], err);
            if (rc == 0) ++*rows_cnt;
        }
        if (rc != 0) return rc;
    }
    return 0;
}

/* lines_of counts the line ends of text. */
static size_t lines_of(const char *bytes, size_t cnt) {
    size_t lines = 0;
    for (const char *p = bytes, *end = bytes + cnt; p < end; lines++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p == NULL) break;
        p++;
    }
    return lines;
}

/* funding_read is data_reader.read. */
static int funding_read(void *parser, const char *name, const struct data_file *f,
                        struct data_rows *rows, struct rt_error *err) {
    struct data_funding *d = parser;
    d->file = name;
    size_t most = lines_of(f->bytes, f->cnt) + 1, got = 0;
    struct msg_funding *room = data_rows_room(rows, most, err);
    if (room == NULL) return -ENOMEM;
    d->columns = 0;
    int rc = data_funding_parse(f->bytes, f->cnt, d, room, most, &got, err);
    rows->cnt += got;
    return rc;
}

/* funding_open is rt_source_kind.open. */
static int funding_open(struct rt_source_init *init, struct rt_error *err) {
    static const char *const known[] = { "kind", "instrument", "file", "files", NULL };
    struct data_spec spec;
    int rc = data_spec_read(init, &spec, err);
    if (rc == 0) rc = rt_node_no_more(init->config, known, err);
    if (rc == 0) rc = data_spec_files(init, &spec, err);
    if (rc != 0) return rc;
    if (spec.instrument->kind == MK_SPOT) {
        return rt_node_fail(
            rt_node_get(init->config, "instrument"), err,
            "is spot, expected a linear or inverse instrument: only they have funding");
    }
    struct data_funding d = { .instrument = spec.instrument->id };
    const struct data_reader reader = {
        .parser = &d, .read = funding_read, .row_bytes = sizeof(struct msg_funding), .span_ns = 0
    };
    struct rt_series *s = data_series_load(init, &spec, &reader, err);
    if (s == NULL) return err->code;
    s->row_kind = MSG_FUNDING;
    snprintf(s->name, sizeof s->name, "%s funding", spec.instrument->name);
    const struct data_rows *kept = s->impl;
    snprintf(init->report, sizeof init->report,
             "%s: %" PRIu64 " rates, %" PRIu64 " of the file's times moved back to the hour",
             s->name, kept->cnt, d.snapped);
    return 0;
}

/* Keys of the source. */
static const struct rt_option funding_options[] = {
    { "instrument", "text", "a name of instruments:", NULL, "whose funding it is" },
    { "file", "text", "a path", NULL, "funding CSV, plain, .zst or .gz; or files:" },
    { "files", "node", "a list of paths", NULL, "several files of one series, in order of time" },
    { 0 },
};

const struct rt_source_kind data_funding_source = {
    .name = "funding",
    .help = "Funding rates of a perpetual from CSV files.",
    .options = funding_options,
    .open = funding_open,
    .close = data_series_close,
};
