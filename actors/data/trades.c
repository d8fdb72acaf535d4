#include "actors/data/trades.h"
#include "actors/data/file.h"
#include "actors/data/series.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    ROW_AHEAD = DATA_COLUMNS_MAX * 32 + DATA_SCAN_AHEAD, /* the fast form reads no further */
    ROW_TEXT_BYTES = 48, /* guess of a row's text, for the first room */
};

/* Names of the columns by role, for errors. */
static const char *const role_names[DATA_TRADES_ROLE_CNT] = { "column", "trade id",
                                                              "price",  "quantity",
                                                              "time",   "buyer is maker" };

/* word_scan reads true or false at p, small or capital, that ends at a comma or line end into
 * *out. Returns where it ends, or NULL. */
static const char *word_scan(const char *p, bool *out) {
    uint64_t low = data_load64(p) | 0x2020202020202020ULL; /* small letters */
    if ((low & 0xffffffffU) == 0x65757274U) {              /* "true" */
        *out = true;
        p += 4;
    } else if ((low & 0xffffffffffU) == 0x65736c6166ULL) { /* "false" */
        *out = false;
        p += 5;
    } else {
        return NULL;
    }
    return *p == ',' || *p == '\n' || *p == '\r' ? p : NULL;
}

/* row_fast reads one row at p in the form nearly all have. Returns what follows it, or NULL, and
 * then row_careful decides. It reads at most ROW_AHEAD bytes. */
static const char *row_fast(const char *p, const struct data_trades *t, struct msg_trade *row) {
    uint64_t id = 0, time = 0;
    bool maker = false, ignored;
    const uint32_t last = t->columns - 1;
    for (uint32_t i = 0; i <= last; i++) {
        const char stop = i < last ? ',' : '\n';
        const char *next = NULL;
        switch (t->roles[i]) {
        case DATA_TRADES_ID: next = data_scan_count(p, stop, &id); break;
        case DATA_TRADES_PRICE: next = data_scan_fixed(p, stop, &row->price); break;
        case DATA_TRADES_QUANTITY: next = data_scan_fixed(p, stop, &row->quantity); break;
        case DATA_TRADES_TIME: next = data_scan_count(p, stop, &time); break;
        case DATA_TRADES_MAKER:
            next = word_scan(p, &maker);
            if (next != NULL) next = *next == stop ? next + 1 : NULL;
            break;
        default:
            next = data_scan_skip(p, stop);
            if (next == NULL && (next = word_scan(p, &ignored)) != NULL) {
                next = *next == stop ? next + 1 : NULL;
            }
        }
        if (__builtin_expect(next == NULL, 0)) return NULL;
        p = next;
    }
    if ((row->price <= 0) | (row->quantity <= 0) | (id > INT64_MAX)) return NULL;
    if (!data_time_ns(time, &row->time_ns)) return NULL;
    row->trade_id = (int64_t)id;
    row->instrument = t->instrument;
    row->aggressor = maker ? SIDE_SELL : SIDE_BUY; /* the buyer waited: the seller took */
    row->pad = 0;
    row->delay_us = 0;
    return p;
}

/* field_read reads a field of the careful form by its role. */
static int field_read(const struct data_trades *t, uint32_t column, struct data_field f,
                      struct msg_trade *row, struct rt_error *err) {
    enum data_trades_role role = t->roles[column];
    enum data_number what = DATA_NUMBER_OK;
    bool yes = data_is_word(f, "true"), no = data_is_word(f, "false");
    uint64_t id = 0;
    double ignored;
    char name[32];
    switch (role) {
    case DATA_TRADES_ID:
        what = data_read_count(f, &id);
        if (what == DATA_NUMBER_OK && id > INT64_MAX) what = DATA_NUMBER_LARGE;
        row->trade_id = (int64_t)id;
        break;
    case DATA_TRADES_PRICE:
    case DATA_TRADES_QUANTITY: {
        int64_t *out = role == DATA_TRADES_PRICE ? &row->price : &row->quantity;
        what = data_read_fixed(f, out);
        if (what == DATA_NUMBER_OK && *out == 0) {
            return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %s is zero", t->file, t->line,
                                role_names[role]);
        }
        break;
    }
    case DATA_TRADES_TIME: what = data_read_time(f, &row->time_ns); break;
    case DATA_TRADES_MAKER:
        if (!yes && !no) {
            char text[40];
            return rt_error_set(err, -EBADMSG,
                                "%s:%" PRIu64 ": buyer is maker: \"%s\"; expected true or false",
                                t->file, t->line, data_quote(f, text));
        }
        row->aggressor = yes ? SIDE_SELL : SIDE_BUY;
        break;
    default: what = yes || no ? DATA_NUMBER_OK : data_read_double(f, &ignored);
    }
    if (what == DATA_NUMBER_OK) return 0;
    snprintf(name, sizeof name, "%s", role_names[role]);
    if (role == DATA_TRADES_OTHER) snprintf(name, sizeof name, "column %" PRIu32, column + 1);
    return data_number_error(err, t->file, t->line, name, f, what);
}

/* row_careful reads the line (without its end) that the fast form refused: fills row, or says what
 * is wrong. */
static int row_careful(const char *line, size_t cnt, const struct data_trades *t,
                       struct msg_trade *row, struct rt_error *err) {
    struct data_field f[DATA_COLUMNS_MAX];
    if (cnt == 0) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": empty line", t->file, t->line);
    }
    size_t columns = data_split(line, cnt, f);
    if (columns != t->columns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %zu columns; expected %" PRIu32,
                            t->file, t->line, columns, t->columns);
    }
    *row = (struct msg_trade){ .instrument = t->instrument };
    for (uint32_t i = 0; i < columns; i++) {
        int rc = field_read(t, i, f[i], row, err);
        if (rc != 0) return rc;
    }
    return 0;
}

/* row_order checks a row against the one before. */
static int row_order(struct data_trades *t, const struct msg_trade *row, struct rt_error *err) {
    char now[40];
    if (t->any && row->time_ns < t->last_ns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": time %s is before the row before",
                            t->file, t->line, data_time_text(row->time_ns, now));
    }
    if (t->any && row->trade_id <= t->last_id) {
        return rt_error_set(
            err, -EBADMSG, "%s:%" PRIu64 ": trade id %" PRId64 " does not rise; before it %" PRId64,
            t->file, t->line, row->trade_id, t->last_id);
    }
    if (t->any && row->trade_id != t->last_id + 1) t->id_gaps++;
    t->any = true;
    t->last_ns = row->time_ns;
    t->last_id = row->trade_id;
    return 0;
}

/* heading_role returns what a column of that name holds. */
static enum data_trades_role heading_role(struct data_field f) {
    static const struct {
        const char *name;           /* as files spell it */
        enum data_trades_role role; /* what it holds */
    } words[] = {
        { "id", DATA_TRADES_ID },
        { "trade_id", DATA_TRADES_ID },
        { "agg_trade_id", DATA_TRADES_ID },
        { "aggtradeid", DATA_TRADES_ID },
        { "price", DATA_TRADES_PRICE },
        { "qty", DATA_TRADES_QUANTITY },
        { "quantity", DATA_TRADES_QUANTITY },
        { "time", DATA_TRADES_TIME },
        { "time_ms", DATA_TRADES_TIME },
        { "time_us", DATA_TRADES_TIME },
        { "time_ns", DATA_TRADES_TIME },
        { "timestamp", DATA_TRADES_TIME },
        { "transact_time", DATA_TRADES_TIME },
        { "is_buyer_maker", DATA_TRADES_MAKER },
        { "isbuyermaker", DATA_TRADES_MAKER },
        { "buyer_is_maker", DATA_TRADES_MAKER },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (data_is_word(f, words[i].name)) return words[i].role;
    }
    return DATA_TRADES_OTHER;
}

/* heading_read settles the roles of columns from a heading. */
static int heading_read(struct data_trades *t, const struct data_field *f, size_t columns,
                        struct rt_error *err) {
    uint32_t seen[DATA_TRADES_ROLE_CNT] = { 0 };
    if (columns < 5 || columns > DATA_COLUMNS_MAX) {
        return rt_error_set(err, -EBADMSG, "%s:1: heading has %zu columns; expected 5 to %d",
                            t->file, columns, DATA_COLUMNS_MAX);
    }
    for (size_t i = 0; i < columns; i++) {
        t->roles[i] = (uint8_t)heading_role(f[i]);
        seen[t->roles[i]]++;
    }
    for (int role = DATA_TRADES_ID; role < DATA_TRADES_ROLE_CNT; role++) {
        if (seen[role] == 1) continue;
        return rt_error_set(err, -EBADMSG, "%s:1: heading: %s %s", t->file,
                            seen[role] == 0 ? "no column for" : "two columns for",
                            role_names[role]);
    }
    return 0;
}

/* form_guess settles the roles of columns without a heading. */
static int form_guess(struct data_trades *t, const struct data_field *f, size_t columns,
                      struct rt_error *err) {
    if (columns < 6 || columns > 8) {
        return rt_error_set(err, -EBADMSG, "%s:1: %zu columns; expected 6, 7 or 8, or a heading",
                            t->file, columns);
    }
    bool word = data_is_word(f[5], "true") || data_is_word(f[5], "false");
    bool single = columns == 6 || (columns == 7 && word);
    memset(t->roles, DATA_TRADES_OTHER, sizeof t->roles);
    t->roles[0] = DATA_TRADES_ID;
    t->roles[1] = DATA_TRADES_PRICE;
    t->roles[2] = DATA_TRADES_QUANTITY;
    t->roles[single ? 4 : 5] = DATA_TRADES_TIME;
    t->roles[single ? 5 : 6] = DATA_TRADES_MAKER;
    return 0;
}

/* file_begin reads the first line of a file. */
static int file_begin(struct data_trades *t, const char *bytes, size_t cnt, struct rt_error *err) {
    const char *p = bytes, *end = bytes + cnt;
    if (cnt >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    size_t len = 0;
    const char *next = data_line_end(p, end, &len);
    if (next == NULL) {
        return rt_error_set(err, -EBADMSG, "%s:1: line longer than %d bytes", t->file,
                            DATA_LINE_MAX);
    }
    struct data_field f[DATA_COLUMNS_MAX] = { 0 };
    size_t columns = data_split(p, len, f);
    bool heading = len == 0 || !((p[0] >= '0' && p[0] <= '9') || p[0] == '-' || p[0] == ',');
    int rc = heading ? heading_read(t, f, columns, err) : form_guess(t, f, columns, err);
    if (rc != 0) return rc;
    t->columns = (uint32_t)columns;
    if (heading) {
        t->line = 1;
        p = next;
    }
    t->at = (size_t)(p - bytes);
    return 0;
}

int data_trades_parse(const char *bytes, size_t cnt, struct data_trades *t, struct msg_trade *rows,
                      size_t rows_max, size_t *rows_cnt, struct rt_error *err) {
    *rows_cnt = 0;
    if (t->columns == 0) {
        int rc = file_begin(t, bytes, cnt, err);
        if (rc != 0) return rc;
    }
    const char *p = bytes + t->at, *end = bytes + cnt;
    const char *safe_end = cnt > ROW_AHEAD ? end - ROW_AHEAD : bytes;
    int rc = 0;
    while (rc == 0 && p < end && *rows_cnt < rows_max) {
        struct msg_trade *row = &rows[*rows_cnt];
        t->line++;
        const char *next = p < safe_end ? row_fast(p, t, row) : NULL;
        if (__builtin_expect(next == NULL, 0)) {
            size_t len = 0;
            next = data_line_end(p, end, &len);
            rc = next == NULL
                     ? rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": line longer than %d bytes",
                                    t->file, t->line, DATA_LINE_MAX)
                     : row_careful(p, len, t, row, err);
        }
        if (rc == 0) rc = row_order(t, row, err);
        if (rc != 0) break;
        p = next;
        ++*rows_cnt;
    }
    t->at = (size_t)(p - bytes);
    return rc;
}

/* trades_read is data_reader.read. */
static int trades_read(void *parser, const char *name, const struct data_file *f,
                       struct data_rows *rows, struct rt_error *err) {
    struct data_trades *t = parser;
    t->file = name;
    t->at = 0;
    t->line = 0;
    t->columns = 0;
    while (t->columns == 0 || t->at < f->cnt) {
        size_t left = (f->cnt - t->at) / ROW_TEXT_BYTES + 64, got = 0;
        struct msg_trade *room = data_rows_room(rows, left, err);
        if (room == NULL) return -ENOMEM;
        int rc = data_trades_parse(f->bytes, f->cnt, t, room, left, &got, err);
        if (rc != 0) return rc;
        rows->cnt += got;
    }
    return 0;
}

/* trades_report writes the run's line about a series that has been cut to the run's span. */
static void trades_report(struct rt_source_init *init, const struct data_rows *rows,
                          const char *name, uint64_t id_gaps) {
    const struct msg_trade *trades = (const struct msg_trade *)(const void *)rows->rows;
    char from[40], to[40];
    size_t at = (size_t)snprintf(init->report, sizeof init->report, "%s: %" PRIu64 " trades", name,
                                 rows->cnt);
    if (rows->cnt > 0) {
        at += (size_t)snprintf(init->report + at, sizeof init->report - at, " from %s to %s",
                               data_time_text(trades[0].time_ns, from),
                               data_time_text(trades[rows->cnt - 1].time_ns, to));
    }
    snprintf(init->report + at, sizeof init->report - at, ", %" PRIu64 " jumps of the trade id",
             id_gaps);
}

/* trades_open is rt_source_kind.open. */
static int trades_open(struct rt_source_init *init, struct rt_error *err) {
    static const char *const known[] = { "kind", "instrument", "file", "files", NULL };
    struct data_spec spec;
    int rc = data_spec_read(init, &spec, err);
    if (rc != 0) return rc;
    rc = rt_node_no_more(init->config, known, err);
    if (rc == 0) rc = data_spec_files(init, &spec, err);
    if (rc != 0) return rc;
    struct data_trades t = { .instrument = spec.instrument->id };
    const struct data_reader reader = {
        .parser = &t, .read = trades_read, .row_bytes = sizeof(struct msg_trade), .span_ns = 0
    };
    struct rt_series *s = data_series_load(init, &spec, &reader, err);
    if (s == NULL) return err->code;
    s->row_kind = MSG_TRADE;
    trades_report(init, s->impl, s->name, t.id_gaps);
    return 0;
}

/* Keys of the source. */
static const struct rt_option trades_options[] = {
    { "instrument", "text", "a name of instruments:", NULL, "whose trades these are" },
    { "file", "text", "a path", NULL, "trades or aggTrades CSV, plain, .zst or .gz; or files:" },
    { "files", "node", "a list of paths", NULL, "several files of one series, in order of time" },
    { 0 },
};

const struct rt_source_kind data_trades_source = {
    .name = "trades",
    .help = "Public trades from trades or aggTrades CSV files.",
    .options = trades_options,
    .open = trades_open,
    .close = data_series_close,
};
