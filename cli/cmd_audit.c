#include "actors/report/results.h"
#include "actors/report/table.h"
#include "cli/cli.h"
#include "runtime/base/folder.h"
#include "runtime/boot/rows.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FOLDS_MAX = 100 /* --folds at most */ };

/* What one fold came to. */
struct fold {
    int64_t cut_ns;   /* the data ends here */
    uint64_t decided; /* orders decided before the cut, in the whole run */
    uint64_t filled;  /* fills before it */
    char what[160];   /* first difference; "" = none */
    char whole[200];  /* the row of the whole run there, "" = none */
    char cut[200];    /* the row of the run that was cut */
};

/* Columns of orders.csv that are settled when an order is decided, ends with NULL. */
static const char *const decision[] = { "created_ns", "strategy", "account",    "instrument",
                                        "effect",     "side",     "type",       "time_in_force",
                                        "quantity",   "price",    "stop_price", "signal",
                                        NULL };
/* Columns of fills.csv that are settled when an order fills. */
static const char *const filling[] = { "time_ns",  "strategy", "account",   "instrument", "side",
                                       "quantity", "price",    "liquidity", "fee",        NULL };

/* begun returns when row n of s begins. */
static int64_t begun(struct rt_series *s, struct rt_block *b, uint64_t n) {
    int64_t ns = INT64_MIN;
    const void *row = rt_rows_at(s, b, n);
    if (row) memcpy(&ns, row, sizeof ns);
    return ns;
}

/* part_at returns where s can be cut at ns or before, up: or behind: where no row of it has begun
 * and not yet ended. An endless series is on the grid of its span. */
static int64_t part_at(struct rt_series *s, int64_t ns, bool up) {
    struct rt_block b = { 0 };
    int64_t from;
    if (s->span_ns <= 0) return ns;
    if (s->before) {
        uint64_t cnt = s->before(s, ns);
        from = cnt == 0 ? INT64_MIN : begun(s, &b, cnt - 1);
        if (from == INT64_MIN || ns - from >= s->span_ns) return ns;
    } else {
        from = ns - ns % s->span_ns;
        if (from == ns) return ns;
    }
    return up ? from + s->span_ns : from;
}

/* part_all is part_at for all series together. */
static int64_t part_all(const struct rt_rows *rows, int64_t ns, bool up) {
    for (int64_t was = ns - 1; was != ns;) {
        was = ns;
        for (uint32_t i = 0; i < rows->cnt; i++) ns = part_at(&rows->series[i], ns, up);
    }
    return ns;
}

/* cuts_find fills cuts, rising, with up to folds places between the first and the last order of
 * the run, whose results are in out: before each of them there is something to compare, and none
 * cuts a bar in two. Returns how many, 0 when nothing was decided, or negative errno with err. */
static int cuts_find(const struct rt_run *run, const char *out, int folds, int64_t *cuts,
                     struct rt_error *err) {
    struct report_table t;
    struct rt_rows rows;
    int64_t first = 0, last = 0;
    int cnt = 0, code = report_table_open(&t, out, "orders.csv", err);
    if (code < 0) return code;
    int column = report_table_column(&t, decision[0], err);
    uint64_t orders = t.rows;
    code = column < 0 ? column : 0;
    if (code == 0 && orders) code = report_table_whole(&t, 0, column, &first, err);
    if (code == 0 && orders) code = report_table_whole(&t, orders - 1, column, &last, err);
    report_table_close(&t);
    if (code < 0 || orders == 0) return code;
    if ((code = rt_rows_open(&rows, run, err)) < 0) return code;
    for (int i = 1; i <= folds; i++) {
        int64_t cut = first + 1 + (last - first) / (folds + 1) * i;
        int64_t at = part_all(&rows, cut, false);
        if (at <= first) at = part_all(&rows, cut, true);
        if (cnt == 0 || at > cuts[cnt - 1]) cuts[cnt++] = at;
    }
    rt_rows_close(&rows);
    return cnt;
}

/* run_cut backtests path into out with the data cut off at cut_ns (INT64_MAX: whole; then the file
 * OUT.cuts tells where to cut, for folds), in a process of its own, so that every run begins with a
 * clean memory. Returns the exit code. */
static int run_cut(const char *path, const char *out, int64_t cut_ns, int folds) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid > 0) {
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    struct report_summary *sum = calloc(1, sizeof *sum);
    if (!sum) abort();
    if (rt_topology_load(path, &shrike_registry, NULL, &t, &err) < 0)
        _exit(cli_fail("audit", &err, NULL));
    if (cut_ns < t->end_ns) t->end_ns = cut_ns;
    int code = cli_backtest(t, out, cut_ns != INT64_MAX, sum, &run, &err);
    if (code == 0 && cut_ns == INT64_MAX) {
        int64_t cuts[FOLDS_MAX];
        char name[400];
        int cnt = cuts_find(&run, out, folds, cuts, &err);
        snprintf(name, sizeof name, "%s.cuts", out);
        FILE *f = cnt < 0 ? NULL : fopen(name, "wb");
        if (cnt < 0) code = cnt;
        if (cnt >= 0 && (!f || fwrite(cuts, sizeof *cuts, (size_t)cnt, f) != (size_t)cnt))
            code = rt_error_set(&err, -EIO, "%s: cannot be written", name);
        if (f && fclose(f) != 0 && code == 0)
            code = rt_error_set(&err, -EIO, "%s: cannot be written", name);
    }
    rt_run_close(&run, code == 0);
    fflush(NULL);
    _exit(code < 0 ? cli_fail("audit", &err, NULL) : 0);
}

/* row_text writes the cells of a row that count. */
static void row_text(const struct report_table *t, uint64_t row, const int *columns, int cnt,
                     char out[200]) {
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < cnt && at < 190; i++) {
        struct report_cell c = report_table_cell(t, row, columns[i]);
        at += (size_t)snprintf(out + at, 200 - at, "%s%.*s", i ? "," : "", (int)c.cnt, c.text);
    }
}

/* rows_same tells whether the cells that count say the same in row a of x and row b of y. */
static bool rows_same(const struct report_table *x, uint64_t a, const int *xs,
                      const struct report_table *y, uint64_t b, const int *ys, int cnt) {
    for (int i = 0; i < cnt; i++) {
        struct report_cell p = report_table_cell(x, a, xs[i]), q = report_table_cell(y, b, ys[i]);
        if (p.cnt != q.cnt || memcmp(p.text, q.text, p.cnt) != 0) return false;
    }
    return true;
}

/* compare holds the rows of file up to the cut against each other: the columns named, the first of
 * them the instant. Before the cut they are the same, row by row; at the cut the whole run also has
 * what came of what begins then, so each row of the run that was cut is among its rows. *cnt is set
 * to the rows of the whole run before the cut. Returns 0 with f->what filled when they differ, or
 * negative errno with err. */
static int compare(const char *whole, const char *cut, const char *file, const char *const *names,
                   struct fold *f, uint64_t *cnt, struct rt_error *err) {
    struct report_table t[2] = { { .rows = 0 } };
    int columns[2][16], n = 0;
    uint64_t rows[2] = { 0, 0 }, upto[2] = { 0, 0 }; /* before the cut; at it, too */
    const char *const dirs[2] = { whole, cut };
    int code = 0;
    for (int s = 0; s < 2 && code == 0; s++) {
        code = report_table_open(&t[s], dirs[s], file, err);
        for (n = 0; code == 0 && names[n]; n++) {
            columns[s][n] = report_table_column(&t[s], names[n], err);
            if (columns[s][n] < 0) code = columns[s][n];
        }
        for (uint64_t i = 0; code == 0 && i < t[s].rows; i++) {
            int64_t ns;
            code = report_table_whole(&t[s], i, columns[s][0], &ns, err);
            if (code < 0 || ns > f->cut_ns) break;
            rows[s] += ns < f->cut_ns;
            upto[s]++;
        }
    }
    *cnt = rows[0];
    uint64_t both = rows[0] < rows[1] ? rows[0] : rows[1];
    for (uint64_t i = 0; code == 0 && !f->what[0] && i <= both; i++) {
        if (i == both && rows[0] == rows[1]) break;
        char text[2][200] = { "", "" };
        if (i < both && rows_same(&t[0], i, columns[0], &t[1], i, columns[1], n)) continue;
        for (int s = 0; s < 2; s++) {
            if (i < rows[s]) row_text(&t[s], i, columns[s], n, text[s]);
        }
        snprintf(f->what, sizeof f->what, "%s, row %llu", file, (unsigned long long)i + 1);
        memcpy(f->whole, text[0], sizeof f->whole);
        memcpy(f->cut, text[1], sizeof f->cut);
    }
    for (uint64_t i = rows[1]; code == 0 && !f->what[0] && i < upto[1]; i++) {
        bool found = false;
        for (uint64_t k = rows[0]; k < upto[0] && !found; k++)
            found = rows_same(&t[0], k, columns[0], &t[1], i, columns[1], n);
        if (found) continue;
        snprintf(f->what, sizeof f->what, "%s, row %llu", file, (unsigned long long)i + 1);
        row_text(&t[1], i, columns[1], n, f->cut);
    }
    report_table_close(&t[0]);
    report_table_close(&t[1]);
    return code;
}

/* when writes an instant for people. */
static const char *when(int64_t ns, char out[40]) {
    time_t at = (time_t)(ns / 1000000000);
    struct tm tm;
    if (!gmtime_r(&at, &tm) || !strftime(out, 40, "%Y-%m-%d %H:%M:%S", &tm)) return "?";
    return out;
}

/* print tells of one fold. */
static void print(const struct fold *f, int number, bool json, bool colour) {
    char at[40];
    const char *bad = colour ? "\033[31m" : "", *good = colour ? "\033[32m" : "";
    const char *plain = colour ? "\033[0m" : "";
    if (json) {
        printf("%s\n    {\"fold\": %d, \"cut_ns\": %lld, \"orders\": %llu, \"fills\": %llu, "
               "\"same\": %s, \"difference\": \"%s\", \"whole\": \"%s\", \"cut\": \"%s\"}",
               number > 1 ? "," : "", number, (long long)f->cut_ns, (unsigned long long)f->decided,
               (unsigned long long)f->filled, f->what[0] ? "false" : "true", f->what, f->whole,
               f->cut);
        return;
    }
    printf("fold %d: cut at %s UTC: %llu orders, %llu fills before it: %s%s%s\n", number,
           when(f->cut_ns, at), (unsigned long long)f->decided, (unsigned long long)f->filled,
           f->what[0] ? bad : good, f->what[0] ? "they differ" : "the same without the future",
           plain);
    if (f->what[0])
        printf("  %s\n    whole   %s\n    cut     %s\n", f->what, f->whole[0] ? f->whole : "-",
               f->cut[0] ? f->cut : "-");
    fflush(stdout);
}

/* audit runs all folds in the scratch directory dir. Returns the exit code. */
static int audit(const char *path, const char *dir, int folds, bool json) {
    struct rt_error err = { 0 };
    char whole[300], cut[300], name[320];
    int64_t cuts[FOLDS_MAX];
    int leaks = 0;
    snprintf(whole, sizeof whole, "%s/whole", dir);
    if (run_cut(path, whole, INT64_MAX, folds) != 0) return 1;
    snprintf(name, sizeof name, "%s.cuts", whole);
    FILE *f = fopen(name, "rb");
    folds = f ? (int)fread(cuts, sizeof *cuts, (size_t)folds, f) : 0;
    if (f) fclose(f);
    if (folds == 0) {
        rt_error_set(&err, -ENODATA, "%s: the run decided nothing: there is nothing to compare",
                     path);
        return cli_fail("audit", &err, "`shrike backtest` tells why no order came of it");
    }
    if (json) printf("{\"run\": \"%s\", \"folds\": [", path);
    for (int i = 1; i <= folds; i++) {
        struct fold fold = { .cut_ns = cuts[i - 1] };
        snprintf(cut, sizeof cut, "%s/fold-%d", dir, i);
        if (run_cut(path, cut, fold.cut_ns, 0) != 0) return 1;
        int code = compare(whole, cut, "orders.csv", decision, &fold, &fold.decided, &err);
        if (code == 0) code = compare(whole, cut, "fills.csv", filling, &fold, &fold.filled, &err);
        if (code < 0) return cli_fail("audit", &err, NULL);
        print(&fold, i, json, cli_colour(1));
        leaks += fold.what[0] != 0;
        rt_folder_remove(cut);
    }
    if (json)
        printf("\n  ],\n  \"same\": %s}\n", leaks ? "false" : "true");
    else if (leaks == 0)
        printf("no look-ahead found: %d runs without the future decided the same before it\n",
               folds);
    else
        printf("look-ahead: %d of %d runs without the future decided otherwise before it\n", leaks,
               folds);
    return leaks ? 1 : 0;
}

int cmd_audit(int argc, char **argv) {
    const char *given = cli_option(&argc, argv, "--folds");
    bool json = cli_flag(&argc, argv, "--json");
    char *end = NULL;
    long folds = given ? strtol(given, &end, 10) : 5;
    if (cli_words("audit", argc, argv, 1, "RUN.yaml")) return 2;
    if (given && (end == given || *end || folds < 1 || folds > FOLDS_MAX))
        return cli_wrong("audit", "--folds: a number from 1 to 100 expected");
    const char *base = getenv("TMPDIR");
    char dir[256];
    struct rt_error err = { 0 };
    if ((size_t)snprintf(dir, sizeof dir, "%.200s/shrike-audit-XXXXXX",
                         base && base[0] ? base : "/tmp") >= sizeof dir ||
        !mkdtemp(dir)) {
        rt_error_set(&err, -errno, "no directory can be made under %s: %s", base ? base : "/tmp",
                     strerror(errno));
        return cli_fail("audit", &err, "set TMPDIR to one that can be written");
    }
    int code = audit(argv[1], dir, (int)folds, json);
    rt_folder_remove(dir);
    return code;
}
