#include "actors/data/commit.h"
#include "actors/data/import.h"
#include "actors/data/scan.h"
#include "actors/report/quality.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "runtime/time/clock.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The program, as provenance tells it. */
#define TOOL "shrike-0.1"

/* Options that import and quality share. */
struct options {
    struct data_load_options load; /* what the files are */
    const char *store;             /* the store's directory */
    const char *html;              /* page to write, NULL = none */
    enum data_overlap overlap;     /* of unequal rows */
    struct mk_session session;     /* when its market trades, where asked for */
    bool json;                     /* JSON instead of text */
    bool days;                     /* a table of days too */
    bool again;                    /* import files that were imported before */
};

/* number reads a number in low..high; false when text is none. */
static bool number(const char *text, double low, double high, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= low && *out <= high;
}

/* options_read takes the shared options out of argv. Returns 0, or the exit code with what is wrong
 * told. */
static int options_read(int *argc, char **argv, struct options *o) {
    struct rt_error err = { 0 };
    double v = 0;
    const char *text;
    *o = (struct options){ .store = "data" };
    data_policy_default(o->load.quality.policy);
    if ((text = cli_option(argc, argv, "--store"))) o->store = text;
    o->load.venue = cli_option(argc, argv, "--venue");
    o->load.symbol = cli_option(argc, argv, "--symbol");
    o->html = cli_option(argc, argv, "--html");
    o->json = cli_flag(argc, argv, "--json");
    o->again = cli_flag(argc, argv, "--again");
    o->days = cli_flag(argc, argv, "--days");
    if ((text = cli_option(argc, argv, "--stream"))) {
        o->load.stream = data_stream_find(text);
        if (!o->load.stream) {
            rt_error_set(&err, -EINVAL, "no stream \"%.40s\"", text);
            return cli_fail("data", &err,
                            "klines, markPriceKlines, trades, aggTrades, bookTicker, "
                            "depth, bookDepth, fundingRate, metrics, markPrice");
        }
    }
    if ((text = cli_option(argc, argv, "--interval")) && !cli_duration(text, &o->load.interval_ns))
        return cli_wrong("data", "--interval '%s': expected 15s, 1m, 4h or 1d, say", text);
    if ((text = cli_option(argc, argv, "--session"))) {
        if (!mk_session_named(text, &o->session))
            return cli_wrong("data", "--session '%s': expected us_equity, cn_a, uk_equity or 24x7",
                             text);
        o->load.quality.session = &o->session;
    }
    if ((text = cli_option(argc, argv, "--spike-z"))) {
        if (!number(text, 1, 1e6, &v))
            return cli_wrong("data", "--spike-z '%s': expected a number from 1 to 1e6", text);
        o->load.quality.spike_z = v;
    }
    if ((text = cli_option(argc, argv, "--min-rows"))) {
        if (!number(text, 0, 1e15, &v))
            return cli_wrong("data", "--min-rows '%s': expected a number from 0", text);
        o->load.quality.rows_min = (uint64_t)v;
    }
    if ((text = cli_option(argc, argv, "--overlap"))) {
        if (strcmp(text, "refuse") == 0)
            o->overlap = DATA_OVERLAP_REFUSE;
        else if (strcmp(text, "keep") == 0)
            o->overlap = DATA_OVERLAP_KEEP;
        else if (strcmp(text, "replace") == 0)
            o->overlap = DATA_OVERLAP_REPLACE;
        else
            return cli_wrong("data", "--overlap '%s': expected refuse, keep or replace", text);
    }
    if ((text = cli_option(argc, argv, "--policy")) &&
        data_policy_read(text, o->load.quality.policy, &err) < 0)
        return cli_fail("data", &err, NULL);
    return 0;
}

/* imported finds the import of a source with hash in a set, 0 = none. */
static uint32_t imported(const char *root, const struct data_set *set, const char *hash) {
    char dir[PATH_MAX];
    struct data_store s;
    struct rt_error err;
    uint32_t found = 0;
    if (data_set_dir(root, set, dir, &err) < 0 || data_store_open(dir, &s, &err) < 0) return 0;
    for (uint32_t i = 0; i < s.import_cnt; i++)
        if (strcmp(s.imports[i].hash, hash) == 0) found = s.imports[i].number;
    data_store_close(&s);
    return found;
}

/* set_text writes "venue/SYMBOL/klines-1m" into out; returns it. */
static const char *set_text(const struct data_set *set, char out[160]) {
    char span[40];
    snprintf(out, 160, "%s/%s/%s%s%s", set->venue, set->symbol, set->stream->name,
             set->interval_ns ? "-" : "",
             set->interval_ns ? data_span_text(set->interval_ns, span) : "");
    return out;
}

/* others writes the names of the venues in the store that have the set, but for its own, into out
 * (cap bytes): "binance-um, okx"; "" when there are none. */
static void others(const char *root, const struct data_set *of, char *out, size_t cap) {
    DIR *dir = opendir(root);
    size_t at = 0;
    out[0] = '\0';
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char path[PATH_MAX];
        struct data_set set = *of;
        struct rt_error none;
        if (!data_set_name_ok(e->d_name) || strcmp(e->d_name, of->venue) == 0) continue;
        snprintf(set.venue, sizeof set.venue, "%.31s", e->d_name);
        if (data_set_dir(root, &set, path, &none) < 0 || access(path, F_OK) != 0) continue;
        int n = at < cap ? snprintf(out + at, cap - at, "%s%s", at ? ", " : "", set.venue) : 0;
        at += n > 0 ? (size_t)n : 0;
    }
    if (dir != NULL) closedir(dir);
}

/* import_set commits one set of a file. Returns 0 or negative errno with err. */
static int import_set(struct data_load *l, struct data_loaded *d, const struct options *o,
                      struct rt_error *err) {
    char hash[RT_SHA256_CHARS + 1], name[160], dir[PATH_MAX], have[300] = "";
    if (!o->load.venue && d->set.symbol[0]) others(o->store, &d->set, have, sizeof have);
    if (!d->set.venue[0] || !d->set.symbol[0])
        return rt_error_set(err, -EINVAL, "%s: its name does not tell the %s%s%s%s", l->name,
                            d->set.venue[0] ? "symbol; --symbol does" : "venue; --venue does",
                            have[0] ? " (of " : "", have, have[0] ? " the store has it)" : "");
    if (have[0])
        fprintf(stderr,
                "shrike data: %s: taken for %s by its name; the store has it of %s too: --venue "
                "names the one that is meant\n",
                l->name, set_text(&d->set, name), have);
    if (d->table.cnt == 0)
        return rt_error_set(err, -ENODATA, "%s: none of its %" PRIu64 " rows can be taken", l->name,
                            d->quality.rows_in);
    rt_sha256_hex(l->file.hash, hash);
    uint32_t before = o->again ? 0 : imported(o->store, &d->set, hash);
    if (before) {
        if (!o->json)
            printf("%s: %s: imported before, as number %u\n", l->name, set_text(&d->set, name),
                   before);
        return 0;
    }
    const struct data_quality *q = &d->quality;
    const bool noted = q->left_out || q->repaired;
    struct data_commit c = { .dir = dir,
                             .set = d->set,
                             .table = &d->table,
                             .overlap = o->overlap,
                             .notes = noted ? q->notes : NULL,
                             .notes_cnt = noted ? q->notes_cnt : 0,
                             .now_ns = rt_clock_ns(),
                             .import = { .first_line = d->first_line,
                                         .last_line = d->last_line,
                                         .left_out = q->left_out,
                                         .repaired = q->repaired } };
    snprintf(c.import.tool, sizeof c.import.tool, "%s", TOOL);
    snprintf(c.import.hash, sizeof c.import.hash, "%s", hash);
    snprintf(c.import.source, sizeof c.import.source, "%s", l->name);
    int code = data_set_dir(o->store, &d->set, dir, err);
    if (code == 0) code = data_commit(&c, err);
    if (code < 0 || o->json) return code;
    printf("%s: %s: %" PRIu64 " rows taken, %" PRIu64 " there already, %" PRIu64
           " left out, %" PRIu64 " values changed",
           l->name, set_text(&d->set, name), c.import.rows, c.import.same, c.import.left_out,
           c.import.repaired);
    if (c.replaced) printf(", %" PRIu64 " rows replaced", c.replaced);
    if (noted) printf("; import-%u.csv says which", c.import.number);
    putchar('\n');
    return 0;
}

/* page_write writes the page of a file's sets when one is asked for. */
static int page_write(const struct data_load *l, const char *path, struct rt_error *err) {
    const struct data_quality *q[DATA_LOAD_MAX];
    const struct data_set *sets[DATA_LOAD_MAX];
    if (!path) return 0;
    for (uint32_t i = 0; i < l->set_cnt; i++) {
        q[i] = &l->set[i].quality;
        sets[i] = &l->set[i].set;
    }
    return report_quality_html(q, sets, l->set_cnt, path, err);
}

/* quality_print prints the reports of a file's sets. */
static void quality_print(const struct data_load *l, const struct options *o) {
    if (o->json) putchar('[');
    for (uint32_t i = 0; i < l->set_cnt; i++) {
        const struct data_quality *q = &l->set[i].quality;
        if (o->json && i) putchar(',');
        if (o->json)
            report_quality_json(q, &l->set[i].set, stdout);
        else
            report_quality_text(q, &l->set[i].set, stdout);
        if (o->days && !o->json) report_quality_days(q, true, stdout);
    }
    if (o->json) printf("]\n");
}

/* faults_any tells whether a file's sets have any fault. */
static bool faults_any(const struct data_load *l) {
    for (uint32_t i = 0; i < l->set_cnt; i++) {
        for (int k = 0; k < DATA_FAULT_CNT; k++)
            if (l->set[i].quality.counts[k]) return true;
    }
    return false;
}

/* import_file imports one file. Returns 0 or negative errno with err. */
static int import_file(const char *path, const struct options *o, struct rt_error *err) {
    struct data_load l;
    int code = data_load_file(path, &o->load, &l, err);
    if (l.set_cnt && (o->json || o->days || faults_any(&l))) quality_print(&l, o);
    struct rt_error page = { 0 };
    int written = page_write(&l, o->html, &page);
    for (uint32_t i = 0; code == 0 && i < l.set_cnt; i++) code = import_set(&l, &l.set[i], o, err);
    if (code == 0 && written < 0) *err = page;
    data_load_close(&l);
    return code == 0 ? written : code;
}

int data_cmd_import(int argc, char **argv) {
    struct options o;
    struct rt_error err = { 0 };
    int code = options_read(&argc, argv, &o), bad = 0;
    if (code) return code;
    if (argc < 2) return cli_wrong("data", "import: at least one FILE expected");
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] == '-')
            return cli_wrong("data", "import: there is no option '%s'", argv[i]);
    }
    for (int i = 1; i < argc; i++) {
        if (import_file(argv[i], &o, &err) == 0) continue;
        (void)fflush(stdout);
        bad = cli_fail("data", &err, NULL); /* the others are imported all the same */
    }
    return bad;
}

/* store_dir tells whether path is the directory of a set. */
static bool store_dir(const char *path) {
    char name[PATH_MAX + 16];
    struct stat st;
    snprintf(name, sizeof name, "%s/manifest", path);
    return stat(name, &st) == 0;
}

/* set_load reads and checks all rows of the set in dir. */
static int set_load(const char *dir, const struct data_quality_options *options,
                    struct data_store *s, struct data_load *l, struct rt_error *err) {
    *l = (struct data_load){ .name = dir };
    int code = data_store_open(dir, s, err);
    if (code < 0) return code;
    struct data_loaded *d = &l->set[l->set_cnt++];
    *d = (struct data_loaded){ .set = s->set };
    data_table_init(&d->table, s->set.stream, s->set.interval_ns);
    code = data_quality_init(&d->quality, options, dir, NULL, 0, err);
    if (code == 0 && s->rows) code = data_store_read(s, 0, s->rows, &d->table, err);
    if (code == 0) code = data_quality_run(&d->quality, &d->table, err);
    return code;
}

/* against compares the first set of l with another file or set. */
static int against(struct data_load *l, const char *path, const struct options *o, double tolerance,
                   struct rt_error *err) {
    struct data_load other;
    struct data_store s = { 0 };
    struct data_loaded *d = &l->set[0];
    struct data_load_options load = o->load;
    load.stream = d->set.stream;
    load.interval_ns = d->set.interval_ns;
    int code = store_dir(path) ? set_load(path, &load.quality, &s, &other, err)
                               : data_load_file(path, &load, &other, err);
    if (code == 0 && (!other.set[0].set.stream->interval || !d->set.stream->interval))
        code = rt_error_set(err, -EINVAL, "%s: only bars are compared", path);
    if (code == 0) data_quality_against(&d->quality, &d->table, &other.set[0].table, tolerance);
    data_load_close(&other);
    data_store_close(&s);
    return code;
}

int data_cmd_quality(int argc, char **argv) {
    struct options o;
    struct rt_error err = { 0 };
    struct data_load l;
    struct data_store s = { 0 };
    double tolerance = 1e-6;
    const char *text = cli_option(&argc, argv, "--tolerance"),
               *other = cli_option(&argc, argv, "--against");
    if (text && !number(text, 0, 1, &tolerance))
        return cli_wrong("data", "--tolerance '%s': expected a fraction, 0 to 1", text);
    int code = options_read(&argc, argv, &o);
    if (code) return code;
    if (cli_words("data", argc, argv, 1, "check --quality: FILE or SET")) return 2;
    code = store_dir(argv[1]) ? set_load(argv[1], &o.load.quality, &s, &l, &err)
                              : data_load_file(argv[1], &o.load, &l, &err);
    const bool whole = code == 0; /* else what it found is not all */
    if (code == 0 && other) code = against(&l, other, &o, tolerance, &err);
    if (l.set_cnt && (whole || faults_any(&l))) quality_print(&l, &o);
    struct rt_error page = { 0 };
    if (l.set_cnt && page_write(&l, o.html, &page) < 0 && code == 0) {
        code = page.code;
        err = page;
    }
    data_load_close(&l);
    data_store_close(&s);
    return code < 0 ? cli_fail("data", &err, NULL) : 0;
}

int data_cmd_repair(int argc, char **argv) {
    struct options o;
    struct rt_error err = { 0 };
    struct data_load l;
    struct data_store s = { 0 };
    int code = options_read(&argc, argv, &o);
    if (code) return code;
    if (cli_words("data", argc, argv, 1, "repair: SET")) return 2;
    code = set_load(argv[1], &o.load.quality, &s, &l, &err);
    struct data_loaded *d = &l.set[0];
    if (l.set_cnt) quality_print(&l, &o);
    const uint64_t changes = l.set_cnt ? d->quality.left_out + d->quality.repaired : 0;
    if (code == 0 && changes == 0 && !o.json) printf("nothing to repair\n");
    if (code == 0 && changes > 0) {
        struct data_commit c = { .dir = argv[1],
                                 .set = d->set,
                                 .table = &d->table,
                                 .whole = true,
                                 .notes = d->quality.notes,
                                 .notes_cnt = d->quality.notes_cnt,
                                 .now_ns = rt_clock_ns(),
                                 .import = { .left_out = d->quality.left_out,
                                             .repaired = d->quality.repaired } };
        snprintf(c.import.tool, sizeof c.import.tool, "%s", TOOL);
        snprintf(c.import.hash, sizeof c.import.hash, "-");
        snprintf(c.import.source, sizeof c.import.source, "repair");
        code = data_commit(&c, &err);
        if (code == 0 && !o.json)
            printf("%" PRIu64 " rows left out, %" PRIu64
                   " values changed; import-%u.csv says which\n",
                   d->quality.left_out, d->quality.repaired, c.import.number);
    }
    data_load_close(&l);
    data_store_close(&s);
    return code < 0 ? cli_fail("data", &err, NULL) : 0;
}

/* ls_set prints a set's line. */
static void ls_set(const struct data_store *s, bool json, bool first) {
    char from[40] = "", to[40] = "", name[160];
    uint64_t bytes = 0, missing = 0;
    for (uint32_t i = 0; i < s->segment_cnt; i++) bytes += s->segments[i].bytes;
    for (uint32_t i = 0; i < s->gap_cnt; i++) missing += s->gaps[i].missing;
    if (s->segment_cnt) {
        data_time_text(s->segments[0].first_ns, from);
        data_time_text(s->segments[s->segment_cnt - 1].last_ns, to);
    }
    if (!json) {
        printf("%-44s %11" PRIu64 "  %.19s  %.19s  %5u  %9" PRIu64 "  %9.1f\n",
               set_text(&s->set, name), s->rows, from, to, s->gap_cnt, missing,
               (double)bytes / (1 << 20));
        return;
    }
    printf("%s{\"set\":\"%s\",\"rows\":%" PRIu64 ",\"from\":\"%s\",\"to\":\"%s\",\"bytes\":%" PRIu64
           ",\"gaps\":[",
           first ? "" : ",", set_text(&s->set, name), s->rows, from, to, bytes);
    for (uint32_t i = 0; i < s->gap_cnt; i++)
        printf("%s[%" PRId64 ",%" PRId64 ",%" PRIu64 "]", i ? "," : "", s->gaps[i].from_ns,
               s->gaps[i].until_ns, s->gaps[i].missing);
    printf("],\"imports\":[");
    for (uint32_t i = 0; i < s->import_cnt; i++) {
        const struct data_import *m = &s->imports[i];
        printf("%s{\"number\":%u,\"time_ns\":%" PRId64 ",\"tool\":\"%s\",\"sha256\":\"%s\","
               "\"first_line\":%" PRIu64 ",\"last_line\":%" PRIu64 ",\"rows\":%" PRIu64
               ",\"same\":%" PRIu64 ",\"left_out\":%" PRIu64 ",\"repaired\":%" PRIu64
               ",\"source\":\"",
               i ? "," : "", m->number, m->time_ns, m->tool, m->hash, m->first_line, m->last_line,
               m->rows, m->same, m->left_out, m->repaired);
        for (const char *p = m->source; *p; p++) {
            if (*p == '"' || *p == '\\') putchar('\\');
            putchar(*p);
        }
        printf("\"}");
    }
    printf("]}");
}

/* by_name orders names of directories. */
static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* names_of lists the directories in path, in order; the caller frees them. Returns how many. */
static size_t names_of(const char *path, char ***names) {
    DIR *d = opendir(path);
    size_t cnt = 0;
    *names = NULL;
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        char **more;
        if (e->d_name[0] == '.') continue;
        if (!(more = realloc(*names, (cnt + 1) * sizeof *more))) break;
        *names = more;
        if (!(more[cnt] = strdup(e->d_name))) break;
        cnt++;
    }
    if (d) closedir(d);
    if (cnt) qsort(*names, cnt, sizeof **names, by_name);
    return cnt;
}

int data_sets_below(const char *path, int depth, data_set_fn *fn, void *arg) {
    char **names, below[PATH_MAX];
    size_t cnt = names_of(path, &names);
    int found = 0;
    for (size_t i = 0; i < cnt; i++) {
        int len = snprintf(below, sizeof below, "%s/%s", path, names[i]), more = 0;
        free(names[i]);
        if (found < 0 || len < 0 || len >= (int)sizeof below) continue;
        if (depth > 1)
            more = data_sets_below(below, depth - 1, fn, arg);
        else if (store_dir(below))
            more = fn(below, arg) < 0 ? -1 : 1;
        found = more < 0 ? more : found + more;
    }
    free(names);
    return found;
}

/* How ls lists. */
struct ls {
    bool json; /* as JSON */
    bool any;  /* a set was listed */
};

/* ls_one lists the set in dir; an error is told. */
static int ls_one(const char *dir, void *arg) {
    struct ls *ls = arg;
    struct data_store s;
    struct rt_error err = { 0 };
    int code = data_store_open(dir, &s, &err);
    if (code < 0) {
        (void)cli_fail("data", &err, NULL);
        return code;
    }
    ls_set(&s, ls->json, !ls->any);
    ls->any = true;
    data_store_close(&s);
    return 0;
}

int data_cmd_ls(int argc, char **argv) {
    const char *store = cli_option(&argc, argv, "--store");
    struct ls ls = { .json = cli_flag(&argc, argv, "--json") };
    if (cli_words("data", argc, argv, 0, "")) return 2;
    if (ls.json)
        putchar('[');
    else
        printf("%-44s %11s  %-19s  %-19s  %5s  %9s  %9s\n", "set", "rows", "from", "to", "gaps",
               "missing", "MiB");
    int found = data_sets_below(store ? store : "data", 3, ls_one, &ls);
    if (ls.json) printf("]\n");
    return found < 0;
}

/* rows_print writes rows of t as CSV. */
static void rows_print(const struct data_table *t, FILE *out) {
    char text[40];
    for (uint64_t row = 0; row < t->cnt; row++) {
        for (uint32_t c = 0; c < t->stream->column_cnt; c++)
            fprintf(out, "%s%s", c ? "," : "", data_table_text(t, row, c, text));
        fputc('\n', out);
    }
}

/* export_rows writes the rows from..until of s. */
static int export_rows(struct data_store *s, int64_t from_ns, int64_t until_ns, FILE *out,
                       struct rt_error *err) {
    const struct data_stream *stream = s->set.stream;
    int64_t row = data_store_row_of(s, from_ns, err), end = row;
    if (row >= 0) end = data_store_row_of(s, until_ns, err);
    if (end < 0) return (int)end;
    for (uint32_t c = 0; c < stream->column_cnt; c++)
        fprintf(out, "%s%s", c ? "," : "", stream->columns[c].name);
    fputc('\n', out);
    int code = 0;
    while (code == 0 && row < end) {
        struct data_table t;
        data_table_init(&t, stream, s->set.interval_ns);
        uint64_t cnt = end - row < DATA_STORE_BLOCK ? (uint64_t)(end - row) : DATA_STORE_BLOCK;
        code = data_store_read(s, (uint64_t)row, cnt, &t, err);
        if (code == 0) rows_print(&t, out);
        row += (int64_t)cnt;
        data_table_fini(&t);
    }
    return code;
}

int data_cmd_export(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct data_store s;
    int64_t from_ns = INT64_MIN, until_ns = INT64_MAX;
    const char *path = cli_option(&argc, argv, "--out"), *from = cli_option(&argc, argv, "--start"),
               *until = cli_option(&argc, argv, "--end");
    if (from && !cli_day(from, &from_ns))
        return cli_wrong("data", "--start '%s': expected a day as 2024-01-31", from);
    if (until && !cli_day(until, &until_ns))
        return cli_wrong("data", "--end '%s': expected a day as 2024-01-31", until);
    if (cli_words("data", argc, argv, 1, "export: SET")) return 2;
    int code = data_store_open(argv[1], &s, &err);
    if (code < 0) return cli_fail("data", &err, "`shrike data ls` tells what is there");
    char early[PATH_MAX + 8];
    const bool in_place = path && data_in_place(path);
    snprintf(early, sizeof early, "%.*s%s", PATH_MAX, path ? path : "", in_place ? "" : ".new");
    FILE *out = path ? fopen(early, "we") : stdout; /* whole or not at all */
    if (!out) code = rt_error_set(&err, -errno, "%s: %s", path, strerror(errno));
    if (code == 0) code = export_rows(&s, from_ns, until_ns, out, &err);
    if (code == 0 && (fflush(out) != 0 || ferror(out)))
        code = rt_error_set(&err, -EIO, "%s: cannot be written whole: %s", path ? path : "output",
                            strerror(errno));
    if (out && path && fclose(out) != 0 && code == 0)
        code = rt_error_set(&err, -errno, "%s: %s", path, strerror(errno));
    if (out && path && !in_place && code == 0 && rename(early, path) != 0)
        code = rt_error_set(&err, -errno, "%s: %s", path, strerror(errno));
    if (path && !in_place && code < 0) (void)unlink(early);
    data_store_close(&s);
    return code < 0 ? cli_fail("data", &err, NULL) : 0;
}
