#include "actors/report/page_data.h"
#include "actors/report/table.h"
#include "quant/stats/calendar.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* there tells whether dir has a file called name. */
static bool there(const char *dir, const char *name) {
    char path[4200];
    return (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) < sizeof path &&
           access(path, F_OK) == 0;
}

/* columns finds cnt columns of t by name. */
static int columns(const struct report_table *t, const char *const *names, int *out, int cnt,
                   struct rt_error *err) {
    for (int i = 0; i < cnt; i++) {
        out[i] = report_table_column(t, names[i], err);
        if (out[i] < 0) return out[i];
    }
    return 0;
}

/* number reads a cell; a NaN where it is none. */
static double number(struct report_cell c) {
    char text[64], *end;
    if (c.cnt == 0 || c.cnt >= sizeof text) return NAN;
    memcpy(text, c.text, c.cnt);
    text[c.cnt] = '\0';
    double v = strtod(text, &end);
    return *end ? NAN : v;
}

/* instant reads a cell as an instant, held within 4e18 of zero so that two can be subtracted. */
static int instant(const struct report_table *t, uint64_t row, int column, int64_t *out,
                   struct rt_error *err) {
    const int64_t most = INT64_C(4000000000000000000);
    int code = report_table_whole(t, row, column, out, err);
    if (code == 0 && (*out > most || *out < -most)) *out = *out < 0 ? -most : most;
    return code;
}

/* same tells whether a cell says text. */
static bool same(struct report_cell c, const char *text) {
    return strlen(text) == c.cnt && memcmp(text, c.text, c.cnt) == 0;
}

/* kept copies a cell, or takes the last copy when that says the same. */
static const char *kept(struct doc *d, struct report_cell c, const char *last) {
    if (last && same(c, last)) return last;
    return doc_keep(d, "%.*s", (int)(c.cnt < 200 ? c.cnt : 200), c.text);
}

/* no_memory says so. */
static int no_memory(struct rt_error *err) {
    return rt_error_set(err, -ENOMEM, "no memory for the report");
}

/* charts_read reads charts.csv. */
static int charts_read(struct page_data *p, const char *dir, struct doc *d, struct rt_error *err) {
    static const char *const names[] = { "chart", "name", "time_ns", "value", "second" };
    struct report_table t;
    int at[5], code;
    if (!there(dir, "charts.csv")) return 0;
    if ((code = report_table_open(&t, dir, "charts.csv", err)) < 0) return code;
    p->points = malloc((t.rows + 1) * sizeof *p->points);
    p->seconds = malloc((t.rows + 1) * sizeof *p->seconds);
    code = p->points && p->seconds ? columns(&t, names, at, 5, err) : no_memory(err);
    struct page_line *line = NULL;
    for (uint64_t i = 0; code == 0 && i < t.rows; i++) {
        struct report_cell chart = report_table_cell(&t, i, at[0]),
                           name = report_table_cell(&t, i, at[1]);
        if (!line || !same(chart, line->chart) || !same(name, line->name)) {
            if (p->line_cnt == p->line_room) {
                size_t room = p->line_room ? p->line_room * 2 : 64;
                struct page_line *fresh = realloc(p->lines, room * sizeof *fresh);
                if (!fresh) {
                    code = no_memory(err);
                    break;
                }
                p->lines = fresh;
                p->line_room = room;
            }
            line = &p->lines[p->line_cnt++];
            *line = (struct page_line){ .chart = kept(d, chart, NULL),
                                        .name = kept(d, name, NULL),
                                        .points = p->points + i,
                                        .seconds = p->seconds + i };
        }
        line->cnt++;
        code = instant(&t, i, at[2], &p->points[i].time_ns, err);
        p->points[i].value = number(report_table_cell(&t, i, at[3]));
        p->seconds[i] = number(report_table_cell(&t, i, at[4]));
    }
    report_table_close(&t);
    return code;
}

/* close_of reads a date and returns the end of that day; false when it is none. */
static bool close_of(struct report_cell c, int64_t *ns) {
    int v[3] = { 0, 0, 0 }, k = 0;
    for (size_t i = 0; i < c.cnt; i++) {
        if (c.text[i] == '-' && i > 0) {
            if (++k > 2) return false;
        } else if (c.text[i] >= '0' && c.text[i] <= '9' && v[k] < 100000) {
            v[k] = v[k] * 10 + c.text[i] - '0';
        } else {
            return false;
        }
    }
    if (k != 2 || v[0] < 1 || v[0] > 9999 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31)
        return false;
    int64_t day = qs_day_of(v[0], v[1], v[2]);
    if (day < -40000 || day > 40000) return false; /* beyond what ns reach */
    *ns = (day + 1) * QS_DAY_NS;
    return true;
}

/* days_read reads daily.csv. */
static int days_read(struct page_data *p, const char *dir, struct doc *d, struct rt_error *err) {
    static const char *const names[] = { "date",      "curve",          "equity",
                                         "return",    "rolling_sharpe", "rolling_volatility",
                                         "benchmark", "regime" };
    struct report_table t;
    int at[8], code;
    if (!there(dir, "daily.csv")) return 0;
    if ((code = report_table_open(&t, dir, "daily.csv", err)) < 0) return code;
    p->day_rows = malloc((t.rows + 1) * sizeof *p->day_rows);
    code = p->day_rows ? columns(&t, names, at, 8, err) : no_memory(err);
    struct page_days *last = NULL;
    const char *regime = NULL;
    for (uint64_t i = 0; code == 0 && i < t.rows; i++) {
        struct page_day *day = &p->day_rows[i];
        struct report_cell curve = report_table_cell(&t, i, at[1]);
        if (!last || !same(curve, last->name)) {
            if (p->days_cnt == p->days_room) {
                size_t room = p->days_room ? p->days_room * 2 : 8;
                struct page_days *fresh = realloc(p->days, room * sizeof *fresh);
                if (!fresh) {
                    code = no_memory(err);
                    break;
                }
                p->days = fresh;
                p->days_room = room;
            }
            last = &p->days[p->days_cnt++];
            *last = (struct page_days){ .name = kept(d, curve, NULL), .days = day };
        }
        last->cnt++;
        if (!close_of(report_table_cell(&t, i, at[0]), &day->close_ns))
            code = rt_error_set(err, -EBADMSG, "%s: row %llu: date: expected YYYY-MM-DD", t.path,
                                (unsigned long long)i + 1);
        day->equity = number(report_table_cell(&t, i, at[2]));
        day->ret = number(report_table_cell(&t, i, at[3]));
        day->rolling_sharpe = number(report_table_cell(&t, i, at[4]));
        day->rolling_volatility = number(report_table_cell(&t, i, at[5]));
        day->benchmark = number(report_table_cell(&t, i, at[6]));
        day->regime = regime = kept(d, report_table_cell(&t, i, at[7]), regime);
    }
    report_table_close(&t);
    return code;
}

/* excursions gives the trades what charts.csv knows of them: in the order of each account. */
static void excursions(struct page_data *p) {
    for (size_t k = 0; k < p->line_cnt; k++) {
        const struct page_line *line = &p->lines[k];
        size_t at = 0;
        if (strcmp(line->chart, "trade") != 0) continue;
        for (size_t i = 0; i < p->trade_cnt && at < line->cnt; i++) {
            struct page_trade *t = &p->trades[i];
            if (strcmp(t->account, line->name) != 0) continue;
            if (t->exit_ns != line->points[at].time_ns) break; /* of another run */
            t->mae = line->points[at].value;
            t->mfe = line->seconds[at++];
        }
    }
}

/* trades_read reads trades.csv. */
static int trades_read(struct page_data *p, const char *dir, struct doc *d, struct rt_error *err) {
    static const char *const names[] = { "strategy",   "account", "instrument", "side",
                                         "entry_ns",   "exit_ns", "quantity",   "entry_price",
                                         "exit_price", "net_pnl", "fee" };
    struct report_table t;
    int at[11], code;
    if (!there(dir, "trades.csv")) return 0;
    if ((code = report_table_open(&t, dir, "trades.csv", err)) < 0) return code;
    p->trades_known = true;
    p->trades = malloc((t.rows + 1) * sizeof *p->trades);
    code = p->trades ? columns(&t, names, at, 11, err) : no_memory(err);
    const struct page_trade *last = NULL;
    for (uint64_t i = 0; code == 0 && i < t.rows; i++) {
        struct page_trade *trade = &p->trades[i];
        *trade = (struct page_trade){
            .strategy = kept(d, report_table_cell(&t, i, at[0]), last ? last->strategy : NULL),
            .account = kept(d, report_table_cell(&t, i, at[1]), last ? last->account : NULL),
            .instrument = kept(d, report_table_cell(&t, i, at[2]), last ? last->instrument : NULL),
            .is_short = same(report_table_cell(&t, i, at[3]), "sell"),
            .quantity = number(report_table_cell(&t, i, at[6])),
            .entry = number(report_table_cell(&t, i, at[7])),
            .exit = number(report_table_cell(&t, i, at[8])),
            .pnl = number(report_table_cell(&t, i, at[9])),
            .fee = number(report_table_cell(&t, i, at[10])),
            .mae = NAN,
            .mfe = NAN
        };
        code = instant(&t, i, at[4], &trade->entry_ns, err);
        if (code == 0) code = instant(&t, i, at[5], &trade->exit_ns, err);
        p->trade_cnt++;
        last = trade;
    }
    report_table_close(&t);
    excursions(p);
    return code;
}

int page_data_open(struct page_data *p, const char *dir, struct doc *d, struct rt_error *err) {
    *p = (struct page_data){ 0 };
    int code = report_json_open(&p->summary, dir, "summary.json", err);
    if (code == 0 && there(dir, "manifest.json"))
        code = report_json_open(&p->manifest, dir, "manifest.json", err);
    if (code == 0) code = charts_read(p, dir, d, err);
    if (code == 0) code = days_read(p, dir, d, err);
    if (code == 0) code = trades_read(p, dir, d, err);
    if (code < 0) page_data_close(p);
    return code;
}

void page_data_close(struct page_data *p) {
    report_json_close(&p->summary);
    report_json_close(&p->manifest);
    free(p->lines);
    free(p->points);
    free(p->seconds);
    free(p->day_rows);
    free(p->days);
    free(p->trades);
    *p = (struct page_data){ 0 };
}

const struct page_line *page_data_line(const struct page_data *p, const char *chart,
                                       const char *name) {
    for (size_t i = 0; i < p->line_cnt; i++)
        if (strcmp(p->lines[i].chart, chart) == 0 && strcmp(p->lines[i].name, name) == 0)
            return &p->lines[i];
    return NULL;
}

const struct page_days *page_data_days(const struct page_data *p, const char *name) {
    for (size_t i = 0; i < p->days_cnt; i++)
        if (strcmp(p->days[i].name, name) == 0) return &p->days[i];
    return NULL;
}
