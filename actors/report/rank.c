#include "actors/report/rank.h"
#include "actors/report/json.h"
#include "actors/report/table.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const report_rank_words[] = { "sharpe", "return", "drawdown", "trades", NULL };

/* row_new appends an empty row; NULL without memory. */
static struct report_rank_row *row_new(struct report_rank *r) {
    if (r->cnt == r->room) {
        uint32_t room = r->room ? 2 * r->room : 16;
        struct report_rank_row *more = realloc(r->rows, room * sizeof *more);
        if (more == NULL) return NULL;
        r->rows = more;
        r->room = room;
    }
    struct report_rank_row *row = &r->rows[r->cnt++];
    memset(row, 0, sizeof *row);
    return row;
}

/* selection takes the thresholds of a curve, or of a strategy alone, into row. */
static void selection(const struct report_json *j, const struct report_value *curve,
                      struct report_rank_row *row) {
    const struct report_value *s = report_json_get(j, curve, "selection");
    size_t at = 0;
    for (const struct report_value *t = report_json_first(j, report_json_get(j, s, "thresholds"));
         t != NULL; t = report_json_next(j, t)) {
        bool pass = report_json_number(j, t, "pass") > 0;
        row->thresholds++;
        row->passed += pass;
        if (pass || at >= sizeof row->failed) continue;
        int n = snprintf(row->failed + at, sizeof row->failed - at, "%s%s", at ? ", " : "",
                         report_json_text(j, t, "figure"));
        at += n > 0 ? (size_t)n : 0;
    }
}

/* run_row appends the row of the whole run in dir. curve: its last, of all accounts. */
static struct report_rank_row *run_row(struct report_rank *r, const struct report_json *j,
                                       const struct report_value *curve, const char *dir) {
    struct report_rank_row *row = row_new(r);
    if (row == NULL) return NULL;
    const struct report_value *f = report_json_get(j, curve, "figures");
    (void)snprintf(row->name, sizeof row->name, "%s", report_json_text(j, j->values, "name"));
    (void)snprintf(row->dir, sizeof row->dir, "%s", dir);
    (void)snprintf(row->quote, sizeof row->quote, "%s", report_json_text(j, curve, "quote"));
    row->total_return = report_json_number(j, f, "total_return");
    row->drawdown = report_json_number(j, f, "max_drawdown");
    row->sharpe = report_json_number(j, f, "sharpe");
    row->trades = report_json_number(j, f, "trades");
    row->win_rate = report_json_number(j, f, "win_rate");
    row->first_ns = report_json_whole(j, curve, "first_ns", 0);
    row->last_ns = report_json_whole(j, curve, "last_ns", 0);
    selection(j, curve, row);
    return row;
}

/* trips counts the round trips of row's strategy, and those that were won after fees. */
static int trips(struct report_rank_row *row, struct rt_error *err) {
    struct report_table t;
    int rc = report_table_open(&t, row->dir, "trades.csv", err);
    if (rc < 0) return rc;
    int who = report_table_column(&t, "strategy", err);
    int net = report_table_column(&t, "net_pnl", err);
    uint64_t cnt = 0, won = 0;
    rc = who < 0 ? who : net < 0 ? net : 0;
    for (uint64_t i = 0; rc == 0 && i < t.rows; i++) {
        const struct report_cell c = report_table_cell(&t, i, who);
        int64_t pnl = 0;
        if (c.cnt != strlen(row->name) || memcmp(c.text, row->name, c.cnt) != 0) continue;
        rc = report_table_fixed(&t, i, net, &pnl, err);
        cnt++;
        won += pnl > 0;
    }
    row->trades = (double)cnt;
    row->win_rate = cnt > 0 ? (double)won / (double)cnt : NAN;
    report_table_close(&t);
    return rc;
}

/* parts appends a row for each strategy of the run in dir. */
static int parts(struct report_rank *r, const struct report_json *j,
                 const struct report_value *curve, const char *dir, struct rt_error *err) {
    const struct report_value *s = report_json_get(j, j->values, "statistics");
    const struct report_value *list =
        report_json_get(j, report_json_get(j, s, "portfolio"), "strategies");
    for (const struct report_value *p = report_json_first(j, list); p != NULL;
         p = report_json_next(j, p)) {
        struct report_rank_row *row = run_row(r, j, curve, dir);
        if (row == NULL) return rt_error_set(err, -ENOMEM, "no memory");
        (void)snprintf(row->name, sizeof row->name, "%s", report_json_text(j, p, "strategy"));
        row->total_return = report_json_number(j, p, "contribution_return");
        row->drawdown = 0 - report_json_number(j, p, "contribution_drawdown");
        row->passed = row->thresholds = 0;
        row->failed[0] = 0;
        selection(j, p, row);
        row->sharpe = report_json_number(j, p, "sharpe");
        int rc = trips(row, err);
        if (rc < 0) return rc;
    }
    return 0;
}

/* dir_rows appends what is in dir. */
static int dir_rows(struct report_rank *r, const char *dir, bool strategies, struct rt_error *err) {
    struct report_json j;
    int rc = report_json_open(&j, dir, "summary.json", err);
    if (rc < 0) return rc;
    const struct report_value *s = report_json_get(&j, j.values, "statistics"), *curve = NULL;
    for (const struct report_value *c = report_json_first(&j, report_json_get(&j, s, "curves"));
         c != NULL; c = report_json_next(&j, c)) {
        curve = c; /* the last is of all accounts */
    }
    const uint32_t before = r->cnt;
    if (strategies) rc = parts(r, &j, curve, dir, err);
    if (rc == 0 && !strategies && run_row(r, &j, curve, dir) == NULL) {
        rc = rt_error_set(err, -ENOMEM, "no memory");
    }
    if (rc == 0 && r->cnt == before) {
        rc = rt_error_set(err, -ENODATA, "%s: summary.json tells no strategies", dir);
    }
    report_json_close(&j);
    return rc;
}

/* figure returns what a row is ordered by, more is better; below all where it is not known. */
static double figure(const struct report_rank_row *row, enum report_rank_by by) {
    const double v = by == REPORT_RANK_SHARPE     ? row->sharpe
                     : by == REPORT_RANK_RETURN   ? row->total_return
                     : by == REPORT_RANK_DRAWDOWN ? -row->drawdown
                                                  : row->trades;
    return isnan(v) ? -INFINITY : v;
}

/* before tells whether a stands before b, which was given later. */
static bool before(const struct report_rank_row *a, const struct report_rank_row *b,
                   enum report_rank_by by) {
    const bool all_a = a->passed == a->thresholds, all_b = b->passed == b->thresholds;
    if (all_a != all_b) return all_a;
    return figure(a, by) >= figure(b, by);
}

int report_rank_run(char **dirs, int cnt, bool strategies, enum report_rank_by by,
                    struct report_rank *out, struct rt_error *err) {
    *out = (struct report_rank){ .by = by };
    for (int i = 0; i < cnt; i++) {
        int rc = dir_rows(out, dirs[i], strategies, err);
        if (rc == 0) continue;
        report_rank_close(out);
        return rc;
    }
    for (uint32_t i = 0; i < out->cnt; i++) { /* few: insertion, which keeps equals as they are */
        const struct report_rank_row row = out->rows[i];
        uint32_t at = i;
        for (; at > 0 && !before(&out->rows[at - 1], &row, by); at--) {
            out->rows[at] = out->rows[at - 1];
        }
        out->rows[at] = row;
        const struct report_rank_row *first = &out->rows[0];
        out->apart |= row.first_ns != first->first_ns || row.last_ns != first->last_ns ||
                      strcmp(row.quote, first->quote) != 0;
    }
    return 0;
}

/* percent writes a part as a percentage into out, "-" when it is not known. */
static const char *percent(double v, char out[24]) {
    if (isnan(v)) return "-";
    (void)snprintf(out, 24, "%.2f %%", 100 * v);
    return out;
}

void report_rank_print(const struct report_rank *r, FILE *to, bool colour) {
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    const char *good = colour ? "\033[32m" : "", *bad = colour ? "\033[31m" : "";
    fprintf(to, "%s%4s  %-24s %12s %10s %8s %8s %9s  %-12s %s%s\n", bold, "", "", "return",
            "drawdown", "Sharpe", "trades", "won", "thresholds", "from", plain);
    for (uint32_t i = 0; i < r->cnt; i++) {
        const struct report_rank_row *row = &r->rows[i];
        char total[24], fall[24], won[24], sharpe[24] = "-", passed[24] = "-";
        if (!isnan(row->sharpe)) (void)snprintf(sharpe, sizeof sharpe, "%.2f", row->sharpe);
        if (row->thresholds > 0)
            (void)snprintf(passed, sizeof passed, "%u of %u", row->passed, row->thresholds);
        bool all = row->passed == row->thresholds;
        fprintf(to, "%4u  %-24s %12s %10s %8s %8.0f %9s  %s%-12s%s %s\n", i + 1, row->name,
                percent(row->total_return, total), percent(row->drawdown, fall), sharpe,
                row->trades, percent(row->win_rate, won),
                row->thresholds == 0 ? ""
                : all                ? good
                                     : bad,
                passed, plain, row->dir);
        if (row->failed[0]) fprintf(to, "      fails %s\n", row->failed);
    }
    fprintf(to, "by %s%s\n", report_rank_words[r->by],
            r->rows[0].thresholds > 0 ? "; those that pass all thresholds first" : "");
    if (r->apart)
        fputs("not all are over the same time in the same money: they do not compare well\n", to);
}

/* quoted writes text as a JSON string. */
static void quoted(FILE *to, const char *text) {
    fputc('"', to);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(to, "\\%c", *c);
        else if (*c < ' ')
            fprintf(to, "\\u%04x", *c);
        else
            fputc(*c, to);
    }
    fputc('"', to);
}

/* real writes a figure under key. */
static void real(FILE *to, const char *key, double v) {
    if (v - v == 0)
        fprintf(to, ", \"%s\": %.12g", key, v);
    else
        fprintf(to, ", \"%s\": null", key);
}

void report_rank_json(const struct report_rank *r, FILE *to) {
    fprintf(to, "{\"by\": \"%s\", \"comparable\": %s, \"rows\": [", report_rank_words[r->by],
            r->apart ? "false" : "true");
    for (uint32_t i = 0; i < r->cnt; i++) {
        const struct report_rank_row *row = &r->rows[i];
        fprintf(to, "%s\n  {\"rank\": %u, \"name\": ", i ? "," : "", i + 1);
        quoted(to, row->name);
        fputs(", \"dir\": ", to);
        quoted(to, row->dir);
        fputs(", \"quote\": ", to);
        quoted(to, row->quote);
        real(to, "return", row->total_return);
        real(to, "drawdown", row->drawdown);
        real(to, "sharpe", row->sharpe);
        real(to, "trades", row->trades);
        real(to, "win_rate", row->win_rate);
        fprintf(to, ", \"passed\": %u, \"thresholds\": %u, \"failed\": ", row->passed,
                row->thresholds);
        quoted(to, row->failed);
        fprintf(to, ", \"first_ns\": %lld, \"last_ns\": %lld}", (long long)row->first_ns,
                (long long)row->last_ns);
    }
    fputs("]}\n", to);
}

void report_rank_close(struct report_rank *r) {
    free(r->rows);
    r->rows = NULL;
    r->cnt = r->room = 0;
}
