#include "actors/report/results.h"
#include "actors/report/table.h"
#include "cli/cli.h"
#include "runtime/base/folder.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* run_cut backtests path into out with the data cut off at cut_ns (INT64_MAX: whole), in a process
 * of its own, so that every run begins with a clean memory. Returns the exit code. */
static int run_cut(const char *path, const char *out, int64_t cut_ns) {
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
        char text[64];
        FILE *f;
        char name[400];
        snprintf(name, sizeof name, "%s.span", out);
        snprintf(text, sizeof text, "%lld %lld\n", (long long)sum->first_ns,
                 (long long)sum->last_ns);
        f = fopen(name, "w");
        if (!f || fputs(text, f) < 0 || fclose(f) != 0) code = -EIO;
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
        for (int s = 0; s < 2; s++) {
            if (i < rows[s]) row_text(&t[s], i, columns[s], n, text[s]);
        }
        if (i < both && strcmp(text[0], text[1]) == 0) continue;
        snprintf(f->what, sizeof f->what, "%s, row %llu", file, (unsigned long long)i + 1);
        memcpy(f->whole, text[0], sizeof f->whole);
        memcpy(f->cut, text[1], sizeof f->cut);
    }
    for (uint64_t i = rows[1]; code == 0 && !f->what[0] && i < upto[1]; i++) {
        char text[2][200];
        bool found = false;
        row_text(&t[1], i, columns[1], n, text[1]);
        for (uint64_t k = rows[0]; k < upto[0] && !found; k++) {
            row_text(&t[0], k, columns[0], n, text[0]);
            found = strcmp(text[0], text[1]) == 0;
        }
        if (found) continue;
        snprintf(f->what, sizeof f->what, "%s, row %llu", file, (unsigned long long)i + 1);
        memcpy(f->cut, text[1], sizeof f->cut);
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
    long long first_ns = 0, last_ns = 0;
    int leaks = 0;
    snprintf(whole, sizeof whole, "%s/whole", dir);
    if (run_cut(path, whole, INT64_MAX) != 0) return 1;
    snprintf(name, sizeof name, "%s.span", whole);
    FILE *f = fopen(name, "r");
    bool read = f && fscanf(f, "%lld %lld", &first_ns, &last_ns) == 2;
    if (f) fclose(f);
    if (!read || last_ns <= first_ns) {
        rt_error_set(&err, -ENODATA, "%s: the run has no span to cut", path);
        return cli_fail("audit", &err, NULL);
    }
    if (json) printf("{\"run\": \"%s\", \"folds\": [", path);
    for (int i = 1; i <= folds; i++) {
        struct fold fold = { .cut_ns = first_ns + (last_ns - first_ns) / (folds + 1) * i };
        fold.cut_ns -= fold.cut_ns % 60000000000; /* where bars end, so that none is cut in two */
        snprintf(cut, sizeof cut, "%s/fold-%d", dir, i);
        if (run_cut(path, cut, fold.cut_ns) != 0) return 1;
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
    if (given && (end == given || *end || folds < 1 || folds > 100))
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
