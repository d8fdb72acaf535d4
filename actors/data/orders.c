#include "actors/data/orders.h"
#include "actors/data/file.h"
#include "actors/data/stream.h"
#include "actors/market/session.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define DAY_NS  86400000000000LL
#define HEADING "time,order_id,action,side,price,qty"

/* Names of the columns by role, for errors. */
static const char *const role_names[DATA_ORDERS_ROLE_CNT] = { "column",  "time",     "order_id",
                                                              "action",  "side",     "price",
                                                              "qty",     "sequence", "local_time",
                                                              "delay_us" };

/* --- errors -------------------------------------------------------------------------------- */

/* wrong says what is wrong with field f of the row in hand. */
static int wrong(const struct data_orders *o, enum data_orders_role role, struct data_field f,
                 const char *expected, struct rt_error *err) {
    char text[40];
    return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %s: \"%s\"; expected %s", o->file, o->line,
                        role_names[role], data_quote(f, text), expected);
}

/* number says what is wrong with a number. */
static int number(const struct data_orders *o, enum data_orders_role role, struct data_field f,
                  enum data_number what, struct rt_error *err) {
    if (what == DATA_NUMBER_OK) return 0;
    return data_number_error(err, o->file, o->line, role_names[role], f, what);
}

/* --- our form ------------------------------------------------------------------------------ */

/* Words of actions. */
static const struct {
    const char *name; /* as files spell it */
    uint8_t what;     /* enum data_event_what */
} actions[] = {
    { "add", DATA_EVENT_ADD },       { "execute", DATA_EVENT_EXECUTE },
    { "delete", DATA_EVENT_DELETE }, { "reduce", DATA_EVENT_REDUCE },
    { "modify", DATA_EVENT_MODIFY }, { "amend", DATA_EVENT_AMEND },
    { "hidden", DATA_EVENT_HIDDEN }, { "cross", DATA_EVENT_CROSS },
    { "clear", DATA_EVENT_CLEAR },   { "snap", DATA_EVENT_SNAP },
    { "halt", DATA_EVENT_HALT },     { "resume", DATA_EVENT_RESUME },
};

/* side_read reads a side. */
static bool side_read(struct data_field f, uint8_t *out) {
    static const char *const words[] = { "b", "a", "bid", "ask", "buy", "sell" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!data_is_word(f, words[i])) continue;
        *out = i % 2 == 0 ? SIDE_BUY : SIDE_SELL;
        return true;
    }
    return false;
}

/* action_read reads an action. */
static bool action_read(struct data_field f, uint8_t *out) {
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (!data_is_word(f, actions[i].name)) continue;
        *out = actions[i].what;
        return true;
    }
    return false;
}

/* whole_read reads a whole number with or without a minus. */
static enum data_number whole_read(struct data_field f, int64_t *out) {
    const bool minus = f.cnt > 0 && f.text[0] == '-';
    uint64_t v = 0;
    if (minus) f = (struct data_field){ .text = f.text + 1, .cnt = f.cnt - 1 };
    enum data_number what = data_read_count(f, &v);
    if (what != DATA_NUMBER_OK) return what == DATA_NUMBER_NEGATIVE ? DATA_NUMBER_NONE : what;
    if (v > INT64_MAX) return DATA_NUMBER_LARGE;
    *out = minus ? -(int64_t)v : (int64_t)v;
    return DATA_NUMBER_OK;
}

/* delay_of turns a distance into what rows tell of it: us, 0 is not told, so none is 1. */
static int32_t delay_of(int64_t us) {
    const int32_t kept = us > INT32_MAX ? INT32_MAX : us < INT32_MIN ? INT32_MIN : (int32_t)us;
    return kept == 0 ? 1 : kept;
}

/* field_read reads a field of our form by its role. */
static int field_read(const struct data_orders *o, enum data_orders_role role, struct data_field f,
                      struct data_event *e, int64_t *local_ns, struct rt_error *err) {
    int64_t v = 0;
    if (role == DATA_ORDERS_OTHER) return 0;
    if (f.cnt == 0 && role != DATA_ORDERS_TIME && role != DATA_ORDERS_ACTION) return 0;
    switch (role) {
    case DATA_ORDERS_TIME: return number(o, role, f, data_read_time(f, &e->time_ns), err);
    case DATA_ORDERS_LOCAL: return number(o, role, f, data_read_time(f, local_ns), err);
    case DATA_ORDERS_ID: return number(o, role, f, data_read_count(f, &e->id), err);
    case DATA_ORDERS_ACTION:
        if (action_read(f, &e->what)) return 0;
        return wrong(
            o, role, f,
            "add, reduce, delete, modify, amend, execute, hidden, cross, clear, snap, halt "
            "or resume",
            err);
    case DATA_ORDERS_SIDE: return side_read(f, &e->side) ? 0 : wrong(o, role, f, "b or a", err);
    case DATA_ORDERS_PRICE: return number(o, role, f, data_read_fixed(f, &e->price), err);
    case DATA_ORDERS_QUANTITY: return number(o, role, f, data_read_fixed(f, &e->quantity), err);
    case DATA_ORDERS_DELAY: {
        int rc = number(o, role, f, whole_read(f, &v), err);
        e->delay_us = delay_of(v);
        return rc;
    }
    default: {
        uint64_t cnt = 0;
        enum data_number what = data_read_count(f, &cnt);
        if (what == DATA_NUMBER_OK && cnt > INT64_MAX) what = DATA_NUMBER_LARGE;
        e->sequence = (int64_t)cnt;
        return number(o, role, f, what, err);
    }
    }
}

/* row_read reads a row of our form. */
static int row_read(const struct data_orders *o, const struct data_field *f, struct data_event *e,
                    struct rt_error *err) {
    int64_t local_ns = DATA_NOT_TOLD;
    for (uint32_t i = 0; i < o->columns; i++) {
        int rc = field_read(o, o->roles[i], f[i], e, &local_ns, err);
        if (rc != 0) return rc;
    }
    if (local_ns != DATA_NOT_TOLD && e->delay_us == 0) {
        const int64_t ns = local_ns - e->time_ns;
        e->delay_us = delay_of(ns / 1000 - (ns % 1000 < 0)); /* rounded down */
    }
    return 0;
}

/* heading_role returns what a column of that name holds. */
static enum data_orders_role heading_role(struct data_field f) {
    static const struct {
        const char *name;           /* as files spell it */
        enum data_orders_role role; /* what it holds */
    } words[] = {
        { "time", DATA_ORDERS_TIME },
        { "timestamp", DATA_ORDERS_TIME },
        { "time_ms", DATA_ORDERS_TIME },
        { "time_us", DATA_ORDERS_TIME },
        { "time_ns", DATA_ORDERS_TIME },
        { "order_id", DATA_ORDERS_ID },
        { "id", DATA_ORDERS_ID },
        { "action", DATA_ORDERS_ACTION },
        { "side", DATA_ORDERS_SIDE },
        { "price", DATA_ORDERS_PRICE },
        { "qty", DATA_ORDERS_QUANTITY },
        { "quantity", DATA_ORDERS_QUANTITY },
        { "size", DATA_ORDERS_QUANTITY },
        { "sequence", DATA_ORDERS_SEQUENCE },
        { "seq", DATA_ORDERS_SEQUENCE },
        { "local_time", DATA_ORDERS_LOCAL },
        { "local_time_ns", DATA_ORDERS_LOCAL },
        { "delay_us", DATA_ORDERS_DELAY },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (data_is_word(f, words[i].name)) return words[i].role;
    }
    return DATA_ORDERS_OTHER;
}

/* heading_read settles the roles of columns from a heading. */
static int heading_read(struct data_orders *o, const struct data_field *f, size_t columns,
                        struct rt_error *err) {
    uint32_t seen[DATA_ORDERS_ROLE_CNT] = { 0 };
    if (columns < 6 || columns > DATA_COLUMNS_MAX) {
        return rt_error_set(err, -EBADMSG,
                            "%s:1: heading has %zu columns; expected " HEADING ", and %d at most",
                            o->file, columns, DATA_COLUMNS_MAX);
    }
    for (size_t i = 0; i < columns; i++) {
        o->roles[i] = (uint8_t)heading_role(f[i]);
        seen[o->roles[i]]++;
    }
    for (int role = DATA_ORDERS_TIME; role < DATA_ORDERS_ROLE_CNT; role++) {
        if (seen[role] == 1 || (seen[role] == 0 && role > DATA_ORDERS_QUANTITY)) continue;
        return rt_error_set(err, -EBADMSG, "%s:1: heading: %s %s; expected " HEADING, o->file,
                            seen[role] == 0 ? "no column" : "two columns", role_names[role]);
    }
    return 0;
}

/* --- LOBSTER ------------------------------------------------------------------------------- */

/* clock_read reads seconds after midnight with up to 9 decimals into ns. */
static enum data_number clock_read(struct data_field f, int64_t *out) {
    uint64_t seconds = 0, ns = 0;
    size_t dot = 0;
    while (dot < f.cnt && f.text[dot] != '.') dot++;
    const size_t decimals = dot < f.cnt ? f.cnt - dot - 1 : 0;
    if (dot < f.cnt && decimals == 0) return DATA_NUMBER_NONE;
    enum data_number what =
        data_read_count((struct data_field){ .text = f.text, .cnt = dot }, &seconds);
    if (what != DATA_NUMBER_OK) return what;
    if (decimals > 9) return DATA_NUMBER_DECIMALS;
    if (seconds >= 2 * 86400) return DATA_NUMBER_LARGE;
    for (size_t i = 0; i < 9; i++) {
        const char c = i < decimals ? f.text[dot + 1 + i] : '0';
        if (c < '0' || c > '9') return DATA_NUMBER_NONE;
        ns = ns * 10 + (uint64_t)(c - '0');
    }
    *out = (int64_t)(seconds * 1000000000 + ns);
    return DATA_NUMBER_OK;
}

/* lobster_read reads a row of a LOBSTER message file. */
static int lobster_read(const struct data_orders *o, const struct data_field *f,
                        struct data_event *e, struct rt_error *err) {
    static const uint8_t types[] = { DATA_EVENT_NONE,   DATA_EVENT_ADD,     DATA_EVENT_REDUCE,
                                     DATA_EVENT_DELETE, DATA_EVENT_EXECUTE, DATA_EVENT_HIDDEN,
                                     DATA_EVENT_CROSS,  DATA_EVENT_HALT };
    static const uint8_t roles[] = { DATA_ORDERS_TIME,     DATA_ORDERS_ACTION, DATA_ORDERS_ID,
                                     DATA_ORDERS_QUANTITY, DATA_ORDERS_PRICE,  DATA_ORDERS_SIDE };
    int64_t v[6] = { 0 };
    for (int i = 0; i < 6; i++) {
        enum data_number what = i == 0 ? clock_read(f[0], &v[0]) : whole_read(f[i], &v[i]);
        int rc = number(o, roles[i], f[i], what, err);
        if (rc != 0) return rc;
    }
    if (v[1] < 1 || v[1] > 7) return wrong(o, DATA_ORDERS_ACTION, f[1], "a type, 1 to 7", err);
    e->time_ns = o->midnight_ns + v[0];
    e->what = types[v[1]];
    if (e->what == DATA_EVENT_HALT) {
        if (v[4] == 0) e->what = DATA_EVENT_NONE; /* quotes are resumed, trading is not */
        if (v[4] == 1) e->what = DATA_EVENT_RESUME;
        return v[4] >= -1 && v[4] <= 1 ? 0 : wrong(o, DATA_ORDERS_PRICE, f[4], "-1, 0 or 1", err);
    }
    if (v[5] != 1 && v[5] != -1) return wrong(o, DATA_ORDERS_SIDE, f[5], "1 or -1", err);
    e->side = v[5] == 1 ? SIDE_BUY : SIDE_SELL;
    if (v[4] < 0 || v[4] > INT64_MAX / 10000) {
        return wrong(o, DATA_ORDERS_PRICE, f[4], "a price in 1/10000", err);
    }
    if (v[3] < 0 || v[3] > INT64_MAX / FIXED_ONE) {
        return wrong(o, DATA_ORDERS_QUANTITY, f[3], "a size", err);
    }
    e->price = v[4] * (FIXED_ONE / 10000);
    e->quantity = v[3] * FIXED_ONE;
    if (e->what == DATA_EVENT_CROSS) { /* its id is a kind of auction; one that nobody came to */
        if (e->quantity == 0) e->what = DATA_EVENT_NONE;
        return 0;
    }
    e->by_touch = e->what == DATA_EVENT_HIDDEN;
    if (e->by_touch) return 0;
    if (v[2] < 1) return wrong(o, DATA_ORDERS_ID, f[2], "a number above 0", err);
    e->id = (uint64_t)v[2];
    return 0;
}

int64_t data_orders_day(const char *name) {
    const char *base = strrchr(name, '/');
    struct mk_session nasdaq;
    for (const char *p = base == NULL ? name : base; *p != '\0'; p++) {
        unsigned y, m, d;
        int used = 0;
        if (*p != '_' || sscanf(p, "_%4u-%2u-%2u_%n", &y, &m, &d, &used) != 3 || used != 12) {
            continue;
        }
        if (y < 1970 || m < 1 || m > 12 || d < 1 || d > 31) continue;
        /* a day count from a civil date: H. Hinnant, as in data_time_text */
        const int64_t years = (int64_t)y - (m <= 2), era = years / 400, of_era = years - era * 400;
        const int64_t of_year = (153 * (m > 2 ? (int64_t)m - 3 : (int64_t)m + 9) + 2) / 5 + d - 1;
        const int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        const int64_t utc_ns = (days - 719468) * DAY_NS;
        if (!mk_session_named("us_equity", &nasdaq)) return DATA_NOT_TOLD;
        /* clocks change at two in the morning: what holds at noon holds for the trading day */
        return utc_ns - mk_session_offset(&nasdaq, utc_ns + DAY_NS * 17 / 24);
    }
    return DATA_NOT_TOLD;
}

/* --- files --------------------------------------------------------------------------------- */

/* placed writes the place of the row in hand before the words of err. */
static int placed(const struct data_orders *o, int rc, struct rt_error *err) {
    char text[sizeof err->text];
    if (rc != -EBADMSG) return rc;
    memcpy(text, err->text, sizeof text);
    return rt_error_set(err, rc, "%s:%" PRIu64 ": %.200s", o->file, o->line, text);
}

/* day_open empties the book of the day before: its orders are over, and told of no more. */
static int day_open(struct data_orders *o, struct data_flow *flow, struct rt_error *err) {
    struct data_event e = { .time_ns = o->last_ns,
                            .sequence = DATA_NOT_TOLD,
                            .side = DATA_SIDE_UNKNOWN,
                            .what = DATA_EVENT_CLEAR };
    o->opens = false;
    int rc = data_flow_take(flow, &e, err);
    if (rc != 0 || !flow->halted) return rc;
    e.what = DATA_EVENT_RESUME;
    return data_flow_take(flow, &e, err);
}

/* row_take reads the line (without its end) and takes its event. */
static int row_take(struct data_orders *o, const char *line, size_t cnt, struct data_flow *flow,
                    struct rt_error *err) {
    struct data_field f[DATA_COLUMNS_MAX];
    struct data_event e = { .sequence = DATA_NOT_TOLD,
                            .side = DATA_SIDE_UNKNOWN,
                            .what = DATA_EVENT_NONE };
    char now[40];
    if (cnt == 0) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": empty line", o->file, o->line);
    }
    const size_t columns = data_split(line, cnt, f);
    if (columns != o->columns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %zu columns; expected %" PRIu32,
                            o->file, o->line, columns, o->columns);
    }
    int rc = o->lobster ? lobster_read(o, f, &e, err) : row_read(o, f, &e, err);
    if (rc != 0) return rc;
    if (o->any && e.time_ns < o->last_ns) {
        return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": time %s is before the row before",
                            o->file, o->line, data_time_text(e.time_ns, now));
    }
    o->any = true;
    o->last_ns = e.time_ns;
    o->rows++;
    if (o->opens) rc = day_open(o, flow, err);
    if (rc != 0) return placed(o, rc, err);
    return placed(o, data_flow_take(flow, &e, err), err);
}

/* file_begin reads the first line of a file: its form. *heading: it was one. */
static int file_begin(struct data_orders *o, const char *line, size_t cnt, bool *heading,
                      struct rt_error *err) {
    struct data_field f[DATA_COLUMNS_MAX] = { 0 };
    const size_t columns = data_split(line, cnt, f);
    *heading = cnt == 0 || !((line[0] >= '0' && line[0] <= '9') || line[0] == '-');
    o->columns = (uint32_t)columns;
    o->lobster = !*heading;
    if (*heading) return heading_read(o, f, columns, err);
    if (columns != 6 && columns != 7) {
        return rt_error_set(err, -EBADMSG,
                            "%s:1: %zu columns; expected the 6 of a LOBSTER message file, or a "
                            "heading: " HEADING,
                            o->file, columns);
    }
    o->opens = o->any && o->midnight_ns != o->day_ns;
    o->day_ns = o->midnight_ns;
    if (o->midnight_ns != DATA_NOT_TOLD) return 0;
    return rt_error_set(err, -EBADMSG,
                        "%s:1: its name tells no day (_YYYY-MM-DD_); expected day: of the source",
                        o->file);
}

int data_orders_parse(const char *bytes, size_t cnt, struct data_orders *o, struct data_flow *f,
                      struct rt_error *err) {
    const char *p = bytes, *end = bytes + cnt;
    if (cnt >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    o->line = 0;
    int rc = 0;
    while (rc == 0 && p < end) {
        size_t len = 0;
        const char *next = data_line_end(p, end, &len);
        bool heading = false;
        o->line++;
        if (next == NULL) {
            return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": line longer than %d bytes", o->file,
                                o->line, DATA_LINE_MAX);
        }
        if (o->line == 1) rc = file_begin(o, p, len, &heading, err);
        if (rc == 0 && !heading) rc = row_take(o, p, len, f, err);
        p = next;
    }
    return rc;
}

/* Keys of a source of orders beside which files. */
struct orders_spec {
    int64_t midnight_ns; /* of day:, DATA_NOT_TOLD */
    int crossed;         /* 0 = by form, 1 = wait, 2 = drop */
};

/* files_read reads all files of spec into f. */
static int files_read(struct rt_source_init *init, const struct data_spec *spec,
                      const struct orders_spec *keys, struct data_orders *o, struct data_flow *f,
                      struct data_hash *hash, struct rt_error *err) {
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < spec->file_cnt; i++) {
        struct data_file file;
        o->file = data_spec_file(spec, i);
        o->midnight_ns = keys->midnight_ns;
        if (o->midnight_ns == DATA_NOT_TOLD) o->midnight_ns = data_orders_day(o->file);
        rc = data_file_open(init->base_dir, o->file, &file, err);
        if (rc != 0) return rc;
        data_hash_add(hash, file.hash);
        const char first = file.bytes[0];
        f->drop = keys->crossed == 0 ? first >= '0' && first <= '9' : keys->crossed == 2;
        rc = data_orders_parse(file.bytes, file.cnt, o, f, err);
        data_file_close(&file);
    }
    if (rc == 0) rc = placed(o, data_flow_end(f, err), err);
    if (rc == 0 && o->rows == 0) rc = rt_error_set(err, -ENODATA, "%s: no rows", o->file);
    return rc;
}

/* series_fill makes the series of init of the rows of f. */
static int series_fill(struct rt_source_init *init, const struct data_spec *spec,
                       struct data_flow *f, const uint8_t hash[RT_SHA256_BYTES],
                       struct rt_error *err) {
    static const struct {
        uint16_t kind;    /* of its rows */
        const char *name; /* behind the instrument's */
    } series[DATA_FLOW_SERIES] = { { MSG_BOOK_ORDER, "orders" },
                                   { MSG_BOOK_DELTA, "depth" },
                                   { MSG_QUOTE, "quotes" },
                                   { MSG_TRADE, "trades" } };
    for (uint32_t i = 0; i < DATA_FLOW_SERIES; i++) {
        struct rt_series *s = data_series_fill(init, spec, &f->rows[i], 0, err);
        f->rows[i].map = NULL; /* taken over, or freed */
        if (s == NULL) return err->code;
        s->row_kind = series[i].kind;
        s->rank_hint = i; /* the venue has heard all orders of an instant before levels are told */
        memcpy(s->hash, hash, RT_SHA256_BYTES);
        snprintf(s->name, sizeof s->name, "%s %s", spec->instrument->name, series[i].name);
    }
    return 0;
}

/* orders_report writes the run's line about a source. */
static void orders_report(struct rt_source_init *init, const struct data_spec *spec,
                          const struct data_orders *o, const struct data_flow *f) {
    const struct data_flow_faults *x = &f->faults;
    const struct {
        uint64_t cnt;     /* how many */
        const char *name; /* of what */
    } faults[] = { { x->unknown, "of unknown orders" },
                   { x->beyond, "beyond an order's rest" },
                   { x->twice, "orders added twice" },
                   { x->crossed, "times crossed" },
                   { x->dropped, "orders dropped that a newer one crossed" },
                   { x->gaps, "gaps" } };
    size_t at = (size_t)snprintf(init->report, sizeof init->report,
                                 "%s orders: %" PRIu64 " rows, %" PRIu64 " trades, at most %" PRIu32
                                 " orders at once",
                                 spec->instrument->name, o->rows, f->trades, f->most);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (faults[i].cnt == 0) continue;
        init->rows_bad += faults[i].cnt;
        at += (size_t)snprintf(init->report + at, sizeof init->report - at, ", %" PRIu64 " %s",
                               faults[i].cnt, faults[i].name);
    }
}

/* orders_open is rt_source_kind.open. */
static int orders_open(struct rt_source_init *init, struct rt_error *err) {
    static const char *const known[] = { "kind",    "instrument", "file", "files",
                                         "crossed", "day",        NULL };
    static const char *const ways[] = { "auto", "wait", "drop", NULL };
    struct orders_spec keys;
    struct data_spec spec;
    struct data_flow f;
    struct data_hash hash;
    uint8_t all[RT_SHA256_BYTES];
    int64_t day_ns;
    int rc = data_spec_read(init, &spec, err);
    if (rc == 0) rc = rt_node_choice(init->config, "crossed", false, ways, 0, &keys.crossed, err);
    if (rc == 0) rc = rt_node_time(init->config, "day", false, DATA_NOT_TOLD, &day_ns, err);
    if (rc == 0) rc = rt_node_no_more(init->config, known, err);
    if (rc == 0) rc = data_spec_files(init, &spec, err);
    if (rc != 0) return rc;
    keys.midnight_ns = day_ns;
    if (day_ns != DATA_NOT_TOLD) {
        char name[48];
        struct rt_node *n = rt_node_get(init->config, "day");
        if (spec.file_cnt > 1)
            return rt_node_fail(n, err, "is of one file; expected names with it");
        (void)data_time_text(day_ns, name + 1);
        name[0] = '_';
        name[11] = '_';
        keys.midnight_ns = data_orders_day(name);
        if (day_ns % DAY_NS != 0 || keys.midnight_ns == DATA_NOT_TOLD) {
            return rt_node_fail(n, err, "expected a day since 1970 such as 2012-06-21");
        }
    }
    rc = data_flow_init(&f, spec.instrument, init->start_ns, init->end_ns, false, err);
    if (rc != 0) return rc;
    struct data_orders o = { 0 };
    data_hash_init(&hash);
    rc = files_read(init, &spec, &keys, &o, &f, &hash, err);
    data_hash_end(&hash, all);
    if (rc == 0) orders_report(init, &spec, &o, &f);
    if (rc == 0) rc = series_fill(init, &spec, &f, all, err);
    data_flow_fini(&f);
    if (rc != 0) {
        data_series_close(init->series, init->series_cnt);
        init->series_cnt = 0;
    }
    return rc;
}

/* Keys of the source. */
static const struct rt_option orders_options[] = {
    { "instrument", "text", "a name of instruments:", NULL, "whose orders these are" },
    { "file", "text", "a path", NULL,
      "orders as CSV (" HEADING ", ...) or a LOBSTER message file, plain, .zst or .gz; or files:" },
    { "files", "node", "a list of paths", NULL, "several files of one market, in order of time" },
    { "crossed", "text", "auto | wait | drop", "auto",
      "a crossed book is waited out, or the older orders are dropped; auto: LOBSTER drop, else "
      "wait" },
    { "day", "text", "a date", "in the file's name", "LOBSTER: the day of the one file" },
    { 0 },
};

const struct rt_source_kind data_orders_source = {
    .name = "orders",
    .help = "A market recorded order by order (L3), from CSV or LOBSTER message files.",
    .options = orders_options,
    .open = orders_open,
    .close = data_series_close,
};
