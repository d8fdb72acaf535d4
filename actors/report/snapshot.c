#include "actors/report/snapshot.h"
#include "actors/data/quality.h"
#include "actors/data/scan.h"
#include "actors/data/store.h"
#include "actors/report/table.h"
#include "quant/stats/calendar.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NOTES_MAX = 1 << 30, /* bytes of notes of an import that are read */
    SET_MAX = 240,       /* characters of a set's name */
};

/* One day of rows while they are gathered. */
struct day {
    int32_t day;               /* days since 1970-01-01 */
    uint64_t rows;             /* so far */
    int64_t first_ns, last_ns; /* least and greatest time */
    struct rt_sha256 hash;     /* of the rows */
    double equity, ret;        /* of daily.csv */
};

/* A line about to be written. */
struct line {
    const char *set;                /* which set */
    char day[40];                   /* its day, or "all" */
    uint64_t rows;                  /* rows */
    int64_t first_ns, last_ns;      /* their times */
    const struct data_day *quality; /* of a set of the store, or NULL */
    bool calendar;                  /* there is a session */
    const char *equity, *ret;       /* as told; "" = none */
    char hash[RT_SHA256_CHARS + 1]; /* of the rows; "" = there are none */
};

void report_snapshot_head(FILE *out) {
    fputs("set,day,rows,first_ns,last_ns,calendar,missing,outside,faults,repaired,left_out,equity,"
          "return,sha256\n",
          out);
}

/* line_write writes a line. */
static void line_write(const struct line *l, FILE *out) {
    for (const char *p = l->set; *p != '\0'; p++) /* one cell, whatever its name */
        fputc(*p == ',' || (unsigned char)*p < ' ' ? '?' : *p, out);
    fprintf(out, ",%s,%" PRIu64 ",", l->day, l->rows);
    if (l->rows > 0)
        fprintf(out, "%" PRId64 ",%" PRId64 ",", l->first_ns, l->last_ns);
    else
        fputs(",,", out);
    if (l->quality != NULL) {
        const struct data_day *q = l->quality;
        const bool day = l->calendar && strcmp(l->day, "all") != 0;
        fprintf(out, "%s,%" PRIu64 ",", day ? mk_day_words[q->calendar] : "", q->missing);
        if (l->calendar) fprintf(out, "%" PRIu64, q->outside);
        fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", q->faults, q->repaired, q->left_out);
    } else {
        fputs(",,,,,,", out);
    }
    fprintf(out, "%s,%s,%s\n", l->equity, l->ret, l->hash);
}

/* day_text writes the date of a day (its midnight) into out. */
static void day_text(int64_t day_ns, char out[40]) {
    (void)data_time_text(day_ns, out);
    out[10] = '\0'; /* "2024-01-31" */
}

/* hash_text ends a hash as text. */
static void hash_text(struct rt_sha256 *h, char out[RT_SHA256_CHARS + 1]) {
    uint8_t hash[RT_SHA256_BYTES];
    rt_sha256_end(h, hash);
    rt_sha256_hex(hash, out);
}

/* rows_hash writes the SHA-256 of rows first..end of t: of each column that tells anything, its
 * number and its values. */
static void rows_hash(const struct data_table *t, uint64_t first, uint64_t end,
                      char out[RT_SHA256_CHARS + 1]) {
    struct rt_sha256 h;
    rt_sha256_init(&h);
    for (uint32_t c = 0; c < t->stream->column_cnt; c++) {
        const size_t width = data_type_bytes(t->stream->columns[c].type);
        const uint8_t number = (uint8_t)c;
        bool told = false; /* one that a later version added says nothing of old rows */
        for (uint64_t row = first; row < end && !told; row++) told = data_told(t, row, c);
        if (!told) continue;
        rt_sha256_add(&h, &number, 1);
        rt_sha256_add(&h, t->column[c] + first * width, (size_t)(end - first) * width);
    }
    hash_text(&h, out);
}

/* notes_read adds what the notes of import number number tell. Without such a file nothing. */
static int notes_read(const char *dir, uint32_t number, struct data_quality *q,
                      struct rt_error *err) {
    char path[PATH_MAX + 40];
    struct stat st;
    snprintf(path, sizeof path, "%s/import-%" PRIu32 ".csv", dir, number);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return errno == ENOENT ? 0 : rt_error_set(err, -errno, "%s: cannot be read", path);
    int rc = 0;
    if (fstat(fileno(f), &st) != 0 || st.st_size > NOTES_MAX) {
        rc = rt_error_set(err, -EFBIG, "%s: larger than notes are", path);
    } else {
        char *text = malloc((size_t)st.st_size + 1);
        if (text == NULL) rc = rt_error_set(err, -ENOMEM, "%s: no memory", path);
        if (text != NULL) data_quality_notes(q, text, fread(text, 1, (size_t)st.st_size, f));
        free(text);
    }
    (void)fclose(f);
    return rc;
}

/* A set's content of one day, as it lies in the store. */
struct content {
    int64_t day_ns;                 /* its midnight */
    uint64_t first, end;            /* rows */
    int64_t first_ns, last_ns;      /* their times */
    char hash[RT_SHA256_CHARS + 1]; /* of them */
};

/* midnight returns the UTC midnight before ns. */
static int64_t midnight(int64_t ns) {
    return ns - ((ns % QS_DAY_NS) + QS_DAY_NS) % QS_DAY_NS;
}

/* contents_of lists the days of t, which is in order of time; the caller frees them. */
static struct content *contents_of(const struct data_table *t, uint64_t *cnt) {
    struct content *all = NULL;
    *cnt = 0;
    for (uint64_t row = 0; row < t->cnt;) {
        const int64_t day_ns = midnight(data_time(t, row));
        struct content c = { .day_ns = day_ns, .first = row, .first_ns = data_time(t, row) };
        while (row < t->cnt && data_time(t, row) < day_ns + QS_DAY_NS) row++;
        c.end = row;
        c.last_ns = data_time(t, row - 1);
        rows_hash(t, c.first, c.end, c.hash);
        struct content *more = realloc(all, (*cnt + 1) * sizeof *more);
        if (more == NULL) {
            free(all);
            return NULL;
        }
        all = more;
        all[(*cnt)++] = c;
    }
    return all == NULL ? calloc(1, sizeof *all) : all;
}

/* set_lines writes the lines of a set: its days as the quality pass and the notes tell them, with
 * what lies in the store. */
static void set_lines(const char *name, const struct data_quality *q, const struct content *c,
                      uint64_t cnt, FILE *out) {
    struct data_day sum = { .calendar = MK_DAY_OPEN };
    struct line all = { .set = name,
                        .day = "all",
                        .quality = &sum,
                        .calendar = q->options.session != NULL,
                        .equity = "",
                        .ret = "" };
    struct rt_sha256 h;
    uint64_t k = 0;
    rt_sha256_init(&h);
    for (uint64_t i = 0; i < q->day_cnt; i++) {
        const struct data_day *d = &q->days[i];
        struct line l = { .set = name,
                          .quality = d,
                          .calendar = q->options.session != NULL,
                          .equity = "",
                          .ret = "" };
        day_text(d->day_ns, l.day);
        if (k < cnt && c[k].day_ns == d->day_ns) {
            l.rows = c[k].end - c[k].first;
            l.first_ns = c[k].first_ns;
            l.last_ns = c[k].last_ns;
            memcpy(l.hash, c[k].hash, sizeof l.hash);
            rt_sha256_add(&h, c[k].hash, RT_SHA256_CHARS);
            if (k == 0) all.first_ns = l.first_ns;
            all.last_ns = l.last_ns;
            all.rows += l.rows;
            k++;
        }
        sum.missing += d->missing;
        sum.outside += d->outside;
        sum.faults += d->faults;
        sum.repaired += d->repaired;
        sum.left_out += d->left_out;
        line_write(&l, out);
    }
    hash_text(&h, all.hash);
    line_write(&all, out);
}

int report_snapshot_set(const char *dir, const char *name, const struct mk_session *session,
                        FILE *out, struct rt_error *err) {
    struct data_store s;
    struct data_table t;
    struct data_quality q = { 0 };
    struct data_quality_options options = { .session = session };
    struct content *all = NULL;
    uint64_t cnt = 0;
    data_policy_default(options.policy);
    int rc = data_store_open(dir, &s, err);
    if (rc < 0) return rc;
    data_table_init(&t, s.set.stream, s.set.interval_ns);
    rc = data_policy_read("all=keep", options.policy, err);
    if (rc == 0) rc = data_quality_init(&q, &options, dir, NULL, 0, err);
    if (rc == 0 && s.rows > 0) rc = data_store_read(&s, 0, s.rows, &t, err);
    if (rc == 0 && (all = contents_of(&t, &cnt)) == NULL)
        rc = rt_error_set(err, -ENOMEM, "%s: no memory", dir);
    if (rc == 0) rc = data_quality_run(&q, &t, err);
    for (uint64_t i = 0; i < q.day_cnt; i++) q.days[i].left_out = q.days[i].repaired = 0;
    for (uint32_t i = 0; rc == 0 && i < s.import_cnt; i++)
        rc = notes_read(dir, s.imports[i].number, &q, err);
    if (rc == 0) set_lines(name, &q, all, cnt, out);
    free(all);
    data_quality_fini(&q);
    data_table_fini(&t);
    data_store_close(&s);
    return rc;
}

/* day_find finds or makes the day in *days, in order. NULL without memory. */
static struct day *day_find(struct day **days, size_t *cnt, int32_t day) {
    size_t at = *cnt;
    while (at > 0 && (*days)[at - 1].day > day) at--; /* rows come nearly in order */
    if (at > 0 && (*days)[at - 1].day == day) return &(*days)[at - 1];
    if ((*cnt & (*cnt - 1)) == 0) { /* grows by doubling */
        struct day *more = realloc(*days, (*cnt == 0 ? 1 : *cnt * 2) * sizeof *more);
        if (more == NULL) return NULL;
        *days = more;
    }
    memmove(*days + at + 1, *days + at, (*cnt - at) * sizeof **days);
    ++*cnt;
    (*days)[at] = (struct day){ .day = day, .first_ns = INT64_MAX, .last_ns = INT64_MIN };
    rt_sha256_init(&(*days)[at].hash);
    return &(*days)[at];
}

/* file_lines writes the days of a result file: rows by column `time`. */
static int file_lines(const char *dir, const char *file, const char *time, FILE *out,
                      struct rt_error *err) {
    struct report_table t;
    struct day *days = NULL;
    size_t cnt = 0;
    char name[PATH_MAX];
    int rc = report_table_open(&t, dir, file, err);
    if (rc == -ENOENT) return 0; /* funding.csv is not always there */
    if (rc < 0) return rc;
    const int at = report_table_column(&t, time, err);
    rc = at < 0 ? at : 0;
    for (uint64_t row = 0; rc == 0 && row < t.rows; row++) {
        int64_t ns;
        rc = report_table_whole(&t, row, at, &ns, err);
        if (rc < 0) break;
        struct day *d = day_find(&days, &cnt, qs_day_opened(ns));
        if (d == NULL) {
            rc = rt_error_set(err, -ENOMEM, "%s: no memory", t.path);
            break;
        }
        const struct report_cell a = report_table_cell(&t, row, 0),
                                 z = report_table_cell(&t, row, (int)t.columns - 1);
        rt_sha256_add(&d->hash, a.text, (size_t)(z.text + z.cnt - a.text));
        rt_sha256_add(&d->hash, "\n", 1);
        d->rows++;
        if (ns < d->first_ns) d->first_ns = ns;
        if (ns > d->last_ns) d->last_ns = ns;
    }
    snprintf(name, sizeof name, "%.*s/%.*s", SET_MAX, dir, (int)strcspn(file, "."), file);
    for (size_t i = 0; rc == 0 && i < cnt; i++) {
        struct line l = { .set = name,
                          .rows = days[i].rows,
                          .first_ns = days[i].first_ns,
                          .last_ns = days[i].last_ns,
                          .equity = "",
                          .ret = "" };
        day_text(days[i].day * QS_DAY_NS, l.day);
        hash_text(&days[i].hash, l.hash);
        line_write(&l, out);
    }
    free(days);
    report_table_close(&t);
    return rc;
}

/* cell_copy copies a cell as text; returns out. */
static const char *cell_copy(struct report_cell c, char out[64]) {
    snprintf(out, 64, "%.*s", (int)(c.cnt < 63 ? c.cnt : 63), c.text);
    return out;
}

/* daily_lines writes the days of daily.csv: a line a curve and day, with equity and return. */
static int daily_lines(const char *dir, FILE *out, struct rt_error *err) {
    static const char *const names[] = { "date", "curve", "equity", "return" };
    struct report_table t;
    int at[4], rc = report_table_open(&t, dir, "daily.csv", err);
    if (rc == -ENOENT) return 0;
    if (rc < 0) return rc;
    for (int i = 0; rc == 0 && i < 4; i++) {
        at[i] = report_table_column(&t, names[i], err);
        if (at[i] < 0) rc = at[i];
    }
    for (uint64_t row = 0; rc == 0 && row < t.rows; row++) {
        char name[PATH_MAX], curve[64], equity[64], ret[64], date[64];
        struct rt_sha256 h;
        const struct report_cell a = report_table_cell(&t, row, 0),
                                 z = report_table_cell(&t, row, (int)t.columns - 1);
        snprintf(name, sizeof name, "%.*s/daily/%s", SET_MAX, dir,
                 cell_copy(report_table_cell(&t, row, at[1]), curve));
        struct line l = { .set = name,
                          .equity = cell_copy(report_table_cell(&t, row, at[2]), equity),
                          .ret = cell_copy(report_table_cell(&t, row, at[3]), ret) };
        snprintf(l.day, sizeof l.day, "%.10s", cell_copy(report_table_cell(&t, row, at[0]), date));
        rt_sha256_init(&h);
        rt_sha256_add(&h, a.text, (size_t)(z.text + z.cnt - a.text));
        hash_text(&h, l.hash);
        line_write(&l, out);
    }
    report_table_close(&t);
    return rc;
}

int report_snapshot_run(const char *dir, FILE *out, struct rt_error *err) {
    static const char *const files[][2] = { { "orders.csv", "created_ns" },
                                            { "fills.csv", "time_ns" },
                                            { "trades.csv", "exit_ns" },
                                            { "equity.csv", "time_ns" },
                                            { "funding.csv", "time_ns" } };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof files / sizeof files[0]; i++)
        rc = file_lines(dir, files[i][0], files[i][1], out, err);
    return rc == 0 ? daily_lines(dir, out, err) : rc;
}

/* Columns of a snapshot. */
enum column {
    SET,
    DAY,
    ROWS,
    FIRST,
    LAST,
    CALENDAR,
    MISSING,
    OUTSIDE,
    FAULTS,
    REPAIRED,
    LEFT_OUT,
    EQUITY,
    RETURN,
    HASH,
    COLUMNS
};

/* A snapshot read back. */
struct snapshot {
    struct report_table t; /* the file */
    int at[COLUMNS];       /* where its columns are */
    uint64_t *order;       /* rows but those of "all", by set and day */
    uint64_t cnt;          /* how many */
};

/* cell_order compares two cells. */
static int cell_order(struct report_cell a, struct report_cell b) {
    const size_t n = a.cnt < b.cnt ? a.cnt : b.cnt;
    const int less = n > 0 ? memcmp(a.text, b.text, n) : 0;
    return less != 0 ? less : (a.cnt > b.cnt) - (a.cnt < b.cnt);
}

/* cell_of returns a cell of the i-th row in order. */
static struct report_cell cell_of(const struct snapshot *s, uint64_t i, enum column c) {
    return report_table_cell(&s->t, s->order[i], s->at[c]);
}

/* row_order compares two rows of s by set and day. */
static int row_order(const void *a, const void *b, void *s) {
    const struct snapshot *snap = s;
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    const int less = cell_order(report_table_cell(&snap->t, x, snap->at[SET]),
                                report_table_cell(&snap->t, y, snap->at[SET]));
    return less != 0 ? less
                     : cell_order(report_table_cell(&snap->t, x, snap->at[DAY]),
                                  report_table_cell(&snap->t, y, snap->at[DAY]));
}

/* snapshot_close frees s. */
static void snapshot_close(struct snapshot *s) {
    free(s->order);
    report_table_close(&s->t);
}

/* snapshot_open reads the file at path. */
static int snapshot_open(const char *path, struct snapshot *s, struct rt_error *err) {
    static const char *const names[COLUMNS] = { "set",     "day",      "rows",     "first_ns",
                                                "last_ns", "calendar", "missing",  "outside",
                                                "faults",  "repaired", "left_out", "equity",
                                                "return",  "sha256" };
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    *s = (struct snapshot){ 0 };
    snprintf(dir, sizeof dir, "%.*s", slash == NULL ? 1 : (int)(slash - path) + (slash == path),
             slash == NULL ? "." : path);
    int rc = report_table_open(&s->t, dir, name, err);
    for (int i = 0; rc == 0 && i < COLUMNS; i++) {
        s->at[i] = report_table_column(&s->t, names[i], err);
        if (s->at[i] < 0) {
            rc =
                rt_error_set(err, -EBADMSG, "%s: no snapshot: it has no column %s", path, names[i]);
            report_table_close(&s->t);
        }
    }
    if (rc < 0) return rc;
    s->order = malloc((s->t.rows + 1) * sizeof *s->order);
    if (s->order == NULL) {
        report_table_close(&s->t);
        return rt_error_set(err, -ENOMEM, "%s: no memory", path);
    }
    for (uint64_t row = 0; row < s->t.rows; row++) {
        const struct report_cell day = report_table_cell(&s->t, row, s->at[DAY]);
        if (day.cnt != 3 || memcmp(day.text, "all", 3) != 0) s->order[s->cnt++] = row;
    }
    qsort_r(s->order, s->cnt, sizeof *s->order, row_order, s);
    return 0;
}

/* Where differences go. */
struct teller {
    FILE *out;     /* NULL = nowhere */
    uint32_t left; /* lines that may still be written */
    uint64_t more; /* lines that were not */
};

/* say writes a line about the day of row i of s. Returns whether the line was written; the caller
 * ends it. */
static bool say(struct teller *w, const char *what, const struct snapshot *s, uint64_t i) {
    if (w->out == NULL) return false;
    if (w->left == 0) {
        w->more++;
        return false;
    }
    w->left--;
    const struct report_cell set = cell_of(s, i, SET), day = cell_of(s, i, DAY);
    fprintf(w->out, "  %-9s %.*s  %.*s", what, (int)set.cnt, set.text, (int)day.cnt, day.text);
    return true;
}

/* say_rows writes a day and its rows. */
static void say_rows(struct teller *w, const char *what, const struct snapshot *s, uint64_t i) {
    const struct report_cell rows = cell_of(s, i, ROWS);
    if (say(w, what, s, i)) fprintf(w->out, " (%.*s rows)\n", (int)rows.cnt, rows.text);
}

/* say_change writes what differs between two rows of one day. */
static void say_change(struct teller *w, const char *what, const struct snapshot *a, uint64_t i,
                       const struct snapshot *b, uint64_t k) {
    static const struct {
        enum column column; /* which */
        const char *name;   /* as people are told */
    } told[] = { { ROWS, "rows" },         { FIRST, "first_ns" },    { LAST, "last_ns" },
                 { MISSING, "missing" },   { OUTSIDE, "outside" },   { FAULTS, "faults" },
                 { REPAIRED, "repaired" }, { LEFT_OUT, "left out" }, { EQUITY, "equity" },
                 { RETURN, "return" } };
    const char *comma = ":";
    bool same = true; /* as many rows, at the same times */
    if (!say(w, what, a, i)) return;
    for (size_t n = 0; n < sizeof told / sizeof told[0]; n++) {
        const struct report_cell x = cell_of(a, i, told[n].column),
                                 y = cell_of(b, k, told[n].column);
        if (cell_order(x, y) == 0) continue;
        fprintf(w->out, "%s %s %.*s -> %.*s", comma, told[n].name, x.cnt > 0 ? (int)x.cnt : 1,
                x.cnt > 0 ? x.text : "-", y.cnt > 0 ? (int)y.cnt : 1, y.cnt > 0 ? y.text : "-");
        comma = ",";
        same = same && told[n].column > LAST && told[n].column < EQUITY;
    }
    if (same) fprintf(w->out, "%s other values in the same rows", comma);
    fputc('\n', w->out);
}

/* count returns the rows that the i-th line tells. */
static int64_t count(const struct snapshot *s, uint64_t i) {
    struct rt_error none;
    int64_t v = 0;
    return report_table_whole(&s->t, s->order[i], s->at[ROWS], &v, &none) == 0 ? v : 0;
}

/* is_last tells whether row i is the last of its set. */
static bool is_last(const struct snapshot *s, uint64_t i) {
    return i + 1 == s->cnt || cell_order(cell_of(s, i, SET), cell_of(s, i + 1, SET)) != 0;
}

/* last_of finds the last day of a set, an empty cell when s has no such set. */
static struct report_cell last_of(const struct snapshot *s, struct report_cell set) {
    uint64_t low = 0, high = s->cnt; /* the first row of a greater set */
    while (low < high) {
        const uint64_t mid = low + (high - low) / 2;
        if (cell_order(cell_of(s, mid, SET), set) <= 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == 0 || cell_order(cell_of(s, low - 1, SET), set) != 0)
        return (struct report_cell){ .text = "" };
    return cell_of(s, low - 1, DAY);
}

/* only_after decides about row k of b, which a has not. */
static void only_after(const struct snapshot *a, const struct snapshot *b, uint64_t k,
                       struct report_snapshot_diff *diff, struct teller *w) {
    const struct report_cell last = last_of(a, cell_of(b, k, SET));
    if (last.cnt == 0) {
        diff->newer++;
        if (!is_last(b, k)) return;
        diff->sets_new++;
        if (say(w, "new set", b, k)) fputs(" is its last day\n", w->out);
    } else if (cell_order(cell_of(b, k, DAY), last) > 0) {
        diff->newer++;
    } else {
        diff->filled_in++;
        say_rows(w, "filled in", b, k);
    }
}

/* both decides about a day that is in a and in b. */
static void both(const struct snapshot *a, uint64_t i, const struct snapshot *b, uint64_t k,
                 struct report_snapshot_diff *diff, struct teller *w) {
    if (cell_order(cell_of(a, i, HASH), cell_of(b, k, HASH)) == 0 &&
        cell_order(cell_of(a, i, ROWS), cell_of(b, k, ROWS)) == 0) {
        diff->same++;
    } else if (cell_of(b, k, HASH).cnt == 0) { /* a day that is known to be missing */
        diff->gone++;
        say_rows(w, "gone", a, i);
    } else if (cell_of(a, i, HASH).cnt == 0) {
        diff->filled_in++;
        say_rows(w, "filled in", b, k);
    } else if (is_last(a, i) && (count(b, k) > count(a, i) || cell_of(a, i, EQUITY).cnt > 0)) {
        diff->went_on++;
        say_change(w, "went on", a, i, b, k);
    } else {
        diff->changed++;
        say_change(w, "changed", a, i, b, k);
    }
}

int report_snapshot_compare(const char *before, const char *after, uint32_t limit,
                            struct report_snapshot_diff *diff, FILE *out, struct rt_error *err) {
    struct snapshot a, b;
    struct teller w = { .out = out, .left = limit };
    *diff = (struct report_snapshot_diff){ 0 };
    int rc = snapshot_open(before, &a, err);
    if (rc < 0) return rc;
    rc = snapshot_open(after, &b, err);
    if (rc < 0) {
        snapshot_close(&a);
        return rc;
    }
    for (uint64_t i = 0, k = 0; i < a.cnt || k < b.cnt;) {
        int order = i == a.cnt   ? 1
                    : k == b.cnt ? -1
                                 : cell_order(cell_of(&a, i, SET), cell_of(&b, k, SET));
        if (order == 0) order = cell_order(cell_of(&a, i, DAY), cell_of(&b, k, DAY));
        if (order < 0) {
            diff->gone++;
            say_rows(&w, "gone", &a, i++);
        } else if (order > 0) {
            only_after(&a, &b, k++, diff, &w);
        } else {
            both(&a, i++, &b, k++, diff, &w);
        }
    }
    if (w.more > 0) fprintf(out, "  and %" PRIu64 " more\n", w.more);
    snapshot_close(&a);
    snapshot_close(&b);
    return 0;
}
