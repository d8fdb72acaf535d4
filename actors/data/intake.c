#include "actors/data/intake.h"
#include "actors/data/scan.h"
#include "schemas/messages.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Columns of files without heading: names of a stream's columns, "-" = not kept. */
static const struct form {
    const char *stream; /* which */
    uint32_t columns;   /* how many it has */
    int word;           /* the column that holds true or false, -1 = none */
    const char *names;  /* what each holds */
} forms[] = {
    { "klines", 12, -1,
      "open_time,open,high,low,close,volume,-,quote_volume,count,taker_buy_volume,"
      "taker_buy_quote_volume,-" },
    { "klines", 6, -1, "open_time,open,high,low,close,volume" },
    { "trades", 6, 5, "id,price,qty,-,time,is_buyer_maker" },
    { "trades", 7, 5, "id,price,qty,-,time,is_buyer_maker,-" },
    { "aggTrades", 7, 6, "id,price,qty,first_trade_id,last_trade_id,time,is_buyer_maker" },
    { "aggTrades", 8, 6, "id,price,qty,first_trade_id,last_trade_id,time,is_buyer_maker,-" },
    { "bookTicker", 7, -1,
      "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,time,-" },
    { "fundingRate", 3, -1, "calc_time,funding_interval_hours,last_funding_rate" },
    { "metrics", 8, -1,
      "create_time,-,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,"
      "sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio" },
    { "bookDepth", 4, -1, "timestamp,percentage,depth,notional" },
};

/* A reading in progress. */
struct reading {
    struct data_intake *in;       /* what is read */
    struct data_table *t;         /* where rows go */
    struct data_quality *q;       /* where faults go */
    uint32_t columns;             /* of each line */
    int column[DATA_COLUMNS_MAX]; /* the stream's column that each holds, -1 = none */
    int unit; /* of the first time that is a number: 0 = s to 3 = ns; -1 = none */
};

/* digits reads cnt digits at p; -1 when one is none. */
static int digits(const char *p, size_t cnt) {
    int v = 0;
    for (size_t i = 0; i < cnt; i++) {
        if (p[i] < '0' || p[i] > '9') return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

/* day_of counts the days from 1970 to a date. Source: H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms". */
static int64_t day_of(int year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* clock_read reads "HH:MM[:SS[.fraction]][Z]" or "HH-AM" into ns of the day; false when text is
 * none. */
static bool clock_read(const char *p, size_t cnt, int64_t *ns) {
    if (cnt == 5 && p[2] == '-' && (p[4] | 32) == 'm') { /* 12-AM is midnight */
        int hour = digits(p, 2);
        if (hour < 1 || hour > 12 || ((p[3] | 32) != 'a' && (p[3] | 32) != 'p')) return false;
        *ns = (hour % 12 + ((p[3] | 32) == 'p' ? 12 : 0)) * 3600000000000LL;
        return true;
    }
    if (cnt > 0 && p[cnt - 1] == 'Z') cnt--;
    if (cnt < 5 || p[2] != ':') return false;
    int hour = digits(p, 2), minute = digits(p + 3, 2), second = 0;
    int64_t fraction = 0, unit = 100000000;
    if (cnt >= 8 && p[5] == ':') second = digits(p + 6, 2);
    if (cnt > 5 && (cnt < 8 || p[5] != ':')) return false;
    if (cnt > 8 && (p[8] != '.' || cnt < 10 || cnt > 18)) return false;
    for (size_t i = 9; i < cnt; i++, unit /= 10) {
        if (p[i] < '0' || p[i] > '9') return false;
        fraction += (p[i] - '0') * unit;
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    *ns = (hour * 3600LL + minute * 60LL + second) * 1000000000LL + fraction;
    return true;
}

bool data_text_time(const char *p, size_t cnt, int64_t *ns) {
    int64_t rest = 0;
    if (cnt < 10 || p[4] != '-' || p[7] != '-') return false;
    int year = digits(p, 4), month = digits(p + 5, 2), day = digits(p + 8, 2);
    if (year < 1950 || year >= 2200 || month < 1 || month > 12 || day < 1 || day > 31) return false;
    if (cnt > 10 && (p[10] != ' ' && p[10] != 'T')) return false;
    if (cnt > 10 && !clock_read(p + 11, cnt - 11, &rest)) return false;
    *ns = day_of(year, month, day) * 86400000000000LL + rest;
    return true;
}

/* unit_of tells the unit that a whole number is a time in, 0 = s to 3 = ns; -1 = it is none. */
static int unit_of(struct data_field f) {
    uint64_t v = 0;
    if (data_read_count(f, &v) != DATA_NUMBER_OK) return -1;
    return v < 100000000000ULL ? 0 : v < 100000000000000ULL ? 1 : v < 100000000000000000ULL ? 2 : 3;
}

/* time_read reads an instant in any form. */
static bool time_read(struct reading *r, struct data_field f, int64_t *ns) {
    uint64_t v = 0;
    if (data_text_time(f.text, f.cnt, ns)) return true;
    if (data_read_count(f, &v) != DATA_NUMBER_OK || !data_time_ns(v, ns)) return false;
    if (*ns >= DATA_TIME_END) return false;
    if (r->unit < 0) r->unit = unit_of(f);
    return true;
}

/* real_read reads a double that may be below zero or in exponent form. */
static bool real_read(struct data_field f, double *out) {
    char text[64], *end;
    if (f.cnt == 0 || f.cnt >= sizeof text) return false;
    for (size_t i = 0; i < f.cnt; i++) {
        if (strchr("0123456789.-+eE", f.text[i]) == NULL || f.text[i] == '\0') return false;
    }
    memcpy(text, f.text, f.cnt);
    text[f.cnt] = '\0';
    *out = strtod(text, &end);
    return *end == '\0' && end != text && *out - *out == 0; /* finite */
}

/* field_put reads a field into a row; false when it does not hold what its column does. */
static bool field_put(struct reading *r, struct data_field f, uint64_t row, uint32_t c) {
    struct data_table *t = r->t;
    int64_t v = 0;
    uint64_t whole = 0;
    double real = 0;
    switch (t->stream->columns[c].type) {
    case DATA_TIME:
        if (!time_read(r, f, &v)) return false;
        data_i64_put(t, row, c, v);
        return true;
    case DATA_FIXED: {
        enum data_number what = data_read_fixed(f, &v);
        if (what == DATA_NUMBER_DECIMALS) { /* finer than 1e-8: to the nearest */
            if (!real_read(f, &real) || real > 9e10 || real < -9e10) return false;
            v = (int64_t)(real * FIXED_ONE + (real < 0 ? -0.5 : 0.5));
            what = DATA_NUMBER_OK;
        }
        if (what != DATA_NUMBER_OK && what != DATA_NUMBER_NEGATIVE) return false;
        data_i64_put(t, row, c, v);
        return true;
    }
    case DATA_ID: {
        bool negative = f.cnt > 1 && f.text[0] == '-';
        struct data_field plain = { .text = f.text + negative, .cnt = f.cnt - negative };
        if (data_read_count(plain, &whole) != DATA_NUMBER_OK) {
            if (!real_read(f, &real) || !(real >= 0 && real < 9e15)) return false;
            if (real != (double)(int64_t)real) return false; /* "19.0" */
            whole = (uint64_t)(int64_t)real;
        }
        if (whole > INT64_MAX) return false;
        data_i64_put(t, row, c, negative ? DATA_NOT_TOLD : (int64_t)whole); /* "-1": none */
        return true;
    }
    case DATA_REAL:
        if (!real_read(f, &real)) return false;
        data_f64_put(t, row, c, real);
        return true;
    case DATA_COUNT: {
        if (data_read_count(f, &whole) != DATA_NUMBER_OK) return false;
        uint32_t n = whole > UINT32_MAX ? UINT32_MAX : (uint32_t)whole;
        memcpy(t->column[c] + row * 4, &n, 4);
        return true;
    }
    case DATA_DELAY: {
        if (!real_read(f, &real) || real > 2e9 || real < -2e9) return false;
        int32_t n = (int32_t)real;
        memcpy(t->column[c] + row * 4, &n, 4);
        return true;
    }
    case DATA_MAKER:
        if (!data_is_word(f, "true") && !data_is_word(f, "false")) return false;
        t->column[c][row] = data_is_word(f, "true") ? SIDE_SELL : SIDE_BUY;
        return true;
    case DATA_SIDE:
        if (f.cnt == 0 || strchr("bBaA", f.text[0]) == NULL) return false;
        t->column[c][row] = (f.text[0] | 32) == 'b' ? SIDE_BUY : SIDE_SELL;
        return true;
    case DATA_FLAGS:
        if (data_is_word(f, "snap")) {
            t->column[c][row] = BOOK_FLAGS_SNAPSHOT;
        } else if (data_read_count(f, &whole) == DATA_NUMBER_OK && whole < 256) {
            t->column[c][row] = (uint8_t)whole;
        } else {
            return data_is_word(f, "set");
        }
        return true;
    }
    return false;
}

/* word_matches compares a heading's field with a word, ignoring case and an interval behind it
 * ("Open_1h"). */
static bool word_matches(struct data_field f, const char *word, size_t cnt) {
    char text[40] = "";
    size_t len = f.cnt;
    while (len > 2 && f.text[len - 1] != '_' && isalnum((unsigned char)f.text[len - 1])) len--;
    bool digit =
        len < f.cnt && len > 1 && f.text[len - 1] == '_' && isdigit((unsigned char)f.text[len]);
    len = digit && f.cnt - len <= 3 ? len - 1 : f.cnt;
    while (len > 0 && isspace((unsigned char)f.text[0])) {
        f.text++;
        len--;
    }
    if (len != cnt || len >= sizeof text) return false;
    for (size_t i = 0; i < len; i++) text[i] = (char)tolower((unsigned char)f.text[i]);
    return memcmp(text, word, cnt) == 0;
}

/* heading_find finds the first column whose heading is one of words, best word first; -1 = none. */
static int heading_find(const struct data_field *f, size_t columns, const char *words) {
    for (const char *word = words; *word != '\0';) {
        size_t cnt = strcspn(word, "|");
        for (size_t i = 0; i < columns; i++) {
            if (word_matches(f[i], word, cnt)) return (int)i;
        }
        word += cnt + (word[cnt] == '|');
    }
    return -1;
}

/* heading_fits tells whether a heading has what stream s needs, and then which column is which. */
static bool heading_fits(struct reading *r, const struct data_field *f, size_t columns,
                         const struct data_stream *s) {
    for (size_t i = 0; i < DATA_COLUMNS_MAX; i++) r->column[i] = -1;
    for (uint32_t c = 0; c < s->column_cnt; c++) {
        const struct data_column *column = &s->columns[c];
        int at = heading_find(f, columns, column->words);
        if (at < 0 && column->required) return false;
        if (at >= 0 && r->column[at] < 0) r->column[at] = (int)c;
    }
    return true;
}

/* heading_read finds the stream that a heading is of; false when it is of none. */
static bool heading_read(struct reading *r, const struct data_field *f, size_t columns) {
    if (columns > DATA_COLUMNS_MAX) return false;
    if (r->in->stream != NULL) return heading_fits(r, f, columns, r->in->stream);
    for (const struct data_stream *s = data_streams; s->name != NULL; s++) {
        if (!heading_fits(r, f, columns, s)) continue;
        r->in->stream = s;
        return true;
    }
    return false;
}

/* form_read finds the form of a first line that is no heading; false when it is of none. */
static bool form_read(struct reading *r, const struct data_field *f, size_t columns) {
    int word = -1;
    if (f[0].cnt == 0 || !isdigit((unsigned char)f[0].text[0])) return false;
    for (size_t i = 0; i < columns && i < DATA_COLUMNS_MAX && word < 0; i++) {
        if (data_is_word(f[i], "true") || data_is_word(f[i], "false")) word = (int)i;
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *form = &forms[i];
        const struct data_stream *s = data_stream_find(form->stream);
        const struct data_stream *asked = r->in->stream;
        if (form->columns != columns || form->word != word) continue;
        if (asked != NULL && asked != s && !(asked->interval && s->interval)) continue;
        if (asked == NULL) r->in->stream = s;
        const char *name = form->names;
        for (uint32_t k = 0; k < columns; k++) {
            char text[40];
            size_t cnt = strcspn(name, ",");
            snprintf(text, sizeof text, "%.*s", (int)cnt, name);
            r->column[k] = data_column_find(s, text);
            name += cnt + (name[cnt] == ',');
        }
        return true;
    }
    return false;
}

/* line_split takes a line apart at commas, without spaces and quotes around its fields. */
static size_t line_split(const char *line, size_t cnt, struct data_field f[DATA_COLUMNS_MAX]) {
    const size_t columns = data_split(line, cnt, f);
    for (size_t i = 0; i < columns && i < DATA_COLUMNS_MAX; i++) {
        while (f[i].cnt > 0 && f[i].text[0] == ' ') {
            f[i].text++;
            f[i].cnt--;
        }
        while (f[i].cnt > 0 && f[i].text[f[i].cnt - 1] == ' ') f[i].cnt--;
        while (f[i].cnt >= 2 && f[i].text[0] == '"' && f[i].text[f[i].cnt - 1] == '"') {
            f[i].text++;
            f[i].cnt -= 2;
        }
    }
    return columns;
}

/* hint_of tells why a text of which no line is understood may be none of ours; "" where it shows
 * nothing. */
static const char *hint_of(const struct data_intake *in) {
    const size_t cnt = in->cnt < 400 ? in->cnt : 400;
    const char *stop = memchr(in->text, '\n', cnt);
    const size_t line = stop == NULL ? cnt : (size_t)(stop - in->text);
    if (cnt >= 2 && (memcmp(in->text, "\xff\xfe", 2) == 0 || memcmp(in->text, "\xfe\xff", 2) == 0))
        return " (it is text in UTF-16; expected UTF-8)";
    if (memchr(in->text, '\0', cnt) != NULL) return " (it is no text)";
    if (memchr(in->text, ',', line) != NULL) return "";
    if (memchr(in->text, ';', line) != NULL)
        return " (its columns are parted by ';'; expected ',')";
    if (memchr(in->text, '\t', line) != NULL)
        return " (its columns are parted by tabs; expected ',')";
    return "";
}

/* line_read reads a line into a row, or makes a fault of it. */
static void line_read(struct reading *r, const char *line, size_t cnt) {
    struct data_field f[DATA_COLUMNS_MAX];
    char text[40];
    const uint64_t number = r->in->lines;
    const enum data_action malformed = r->q->options.policy[DATA_FAULT_MALFORMED];
    size_t columns = line_split(line, cnt, f);
    if (columns != r->columns) {
        data_fault_add(r->q, DATA_FAULT_MALFORMED, malformed, number, DATA_NOT_TOLD,
                       "%zu columns; expected %" PRIu32, columns, r->columns);
        data_note_out(r->q, r->t, UINT64_MAX, number, DATA_FAULT_MALFORMED);
        return;
    }
    const uint64_t row = data_table_add(r->t, number);
    for (uint32_t i = 0; i < columns; i++) {
        const int c = r->column[i];
        if (c < 0 || f[i].cnt == 0) continue; /* empty: not told, and found missing later */
        if (field_put(r, f[i], row, (uint32_t)c)) continue;
        const struct data_column *column = &r->t->stream->columns[c];
        if (c == 0 || column->type == DATA_MAKER || column->type == DATA_SIDE) {
            data_fault_add(r->q, DATA_FAULT_MALFORMED, malformed, number, DATA_NOT_TOLD,
                           "%s: \"%s\" says nothing", column->name, data_quote(f[i], text));
            data_note_out(r->q, r->t, UINT64_MAX, number, DATA_FAULT_MALFORMED);
            r->t->cnt--;
            return;
        }
    }
    if (data_time(r->t, row) == DATA_NOT_TOLD) {
        data_fault_add(r->q, DATA_FAULT_MALFORMED, malformed, number, DATA_NOT_TOLD, "no time");
        data_note_out(r->q, r->t, UINT64_MAX, number, DATA_FAULT_MALFORMED);
        r->t->cnt--;
        return;
    }
    for (uint32_t i = 0; i < columns; i++) {
        static const char *const names[] = { "s", "ms", "us", "ns" };
        int unit = r->column[i] == 0 ? unit_of(f[i]) : -1;
        if (unit < 0 || unit == r->unit) continue;
        data_fault_add(r->q, DATA_FAULT_TIME_UNIT, r->q->options.policy[DATA_FAULT_TIME_UNIT],
                       number, data_time(r->t, row), "time in %s, the first row's is in %s",
                       names[unit], names[r->unit]);
        if (r->q->options.policy[DATA_FAULT_TIME_UNIT] == DATA_SCALE) {
            char after[40];
            data_note_change(r->q, r->t, row, 0, data_quote(f[i], text),
                             data_table_text(r->t, row, 0, after), DATA_FAULT_TIME_UNIT);
        } else if (r->q->options.policy[DATA_FAULT_TIME_UNIT] != DATA_KEEP) {
            data_note_out(r->q, r->t, UINT64_MAX, number, DATA_FAULT_TIME_UNIT);
            r->t->cnt--;
            return;
        }
    }
    if (r->in->first_line == 0) r->in->first_line = number;
    r->in->last_line = number;
}

int64_t data_guess_interval(const struct data_table *t) {
    int64_t best = 0, steps[64] = { 0 };
    uint32_t counts[64] = { 0 }, most = 0, known = 0;
    for (uint64_t row = 1; row < t->cnt && row < 4000; row++) {
        int64_t step = data_time(t, row) - data_time(t, row - 1);
        if (step < 0) step = -step;
        if (step < 1000000000LL || step > 7 * 86400000000000LL) continue;
        uint32_t i = 0;
        while (i < known && steps[i] != step) i++;
        if (i == known && known < 64) steps[known++] = step;
        if (i < known && ++counts[i] > most) {
            most = counts[i];
            best = step;
        }
    }
    return best;
}

/* depth_bits sets first and last of the messages of a table of levels. */
static void depth_bits(struct data_table *t) {
    uint8_t *flags = t->column[DATA_DEPTH_FLAGS];
    for (uint64_t row = 0; row < t->cnt; row++) {
        flags[row] &= BOOK_FLAGS_SNAPSHOT;
        bool first = row == 0;
        if (!first) {
            first = data_i64(t, row, DATA_DEPTH_FINAL) != data_i64(t, row - 1, DATA_DEPTH_FINAL) ||
                    data_i64(t, row, DATA_DEPTH_FIRST) != data_i64(t, row - 1, DATA_DEPTH_FIRST) ||
                    ((flags[row] ^ flags[row - 1]) & BOOK_FLAGS_SNAPSHOT) != 0;
        }
        if (first) flags[row] |= BOOK_FLAGS_FIRST;
        if (first && row > 0) flags[row - 1] |= BOOK_FLAGS_LAST;
        if (row + 1 == t->cnt) flags[row] |= BOOK_FLAGS_LAST;
    }
}

int data_intake_csv(struct data_intake *in, struct data_table *t, struct data_quality *q,
                    struct rt_error *err) {
    struct reading r = { .in = in, .t = t, .q = q, .unit = -1 };
    const char *p = in->text, *end = p + in->cnt;
    const bool asked = in->stream != NULL;
    bool begun = false;
    int rc = 0;
    if (in->cnt >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    data_table_init(t, in->stream == NULL ? data_streams : in->stream, 0);
    while (rc == 0 && p < end) {
        size_t cnt = 0;
        const char *next = data_line_end(p, end, &cnt);
        in->lines++;
        if (next == NULL) { /* no row is so long: to the next line */
            const char *stop = memchr(p, '\n', (size_t)(end - p));
            next = stop == NULL ? end : stop + 1;
            data_fault_add(q, DATA_FAULT_MALFORMED, q->options.policy[DATA_FAULT_MALFORMED],
                           in->lines, DATA_NOT_TOLD, "longer than %d bytes", DATA_LINE_MAX);
            data_note_out(q, t, UINT64_MAX, in->lines, DATA_FAULT_MALFORMED);
            p = next;
            continue;
        }
        if (!begun) {
            struct data_field f[DATA_COLUMNS_MAX];
            size_t columns = line_split(p, cnt, f);
            bool heading = columns <= DATA_COLUMNS_MAX && heading_read(&r, f, columns);
            begun = heading || (columns <= DATA_COLUMNS_MAX && form_read(&r, f, columns));
            if (begun) {
                r.columns = (uint32_t)columns;
                data_table_init(t, in->stream, 0);
            }
            if (!begun && in->lines >= 5) break; /* comments above the heading end here */
            if (!begun || heading) {
                p = next;
                continue;
            }
        }
        rc = data_table_reserve(t, 1, err);
        if (rc == 0 && cnt > 0) line_read(&r, p, cnt);
        if (rc == 0 && cnt == 0) {
            data_fault_add(q, DATA_FAULT_MALFORMED, q->options.policy[DATA_FAULT_MALFORMED],
                           in->lines, DATA_NOT_TOLD, "empty line");
        }
        p = next;
    }
    for (uint32_t i = 0; i < r.columns; i++) {
        if (r.column[i] >= 0) q->place[r.column[i]] = (uint8_t)(i + 1);
    }
    if (rc == 0 && !begun && asked) {
        rc = rt_error_set(err, -EBADMSG, "%s: neither a heading nor a form of %s%s", q->file,
                          in->stream->name, hint_of(in));
    } else if (rc == 0 && !begun) {
        rc = rt_error_set(err, -EBADMSG,
                          "%s: neither a heading nor a form that is known%s; --stream NAME tells "
                          "what it holds",
                          q->file, hint_of(in));
    }
    if (rc == 0 && t->cnt == 0) rc = rt_error_set(err, -EBADMSG, "%s: no rows", q->file);
    if (rc != 0) return rc;
    if (in->stream->interval) {
        if (in->interval_ns == 0) in->interval_ns = data_guess_interval(t);
        if (in->interval_ns == 0)
            return rt_error_set(err, -EBADMSG, "%s: length of its bars? --interval tells", q->file);
        t->interval_ns = in->interval_ns;
    }
    if (in->stream->gap == DATA_GAP_CHAIN) depth_bits(t);
    q->rows_in = t->cnt + q->counts[DATA_FAULT_MALFORMED];
    return 0;
}
