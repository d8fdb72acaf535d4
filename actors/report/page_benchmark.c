#include "actors/report/page_benchmark.h"
#include "actors/report/table.h"
#include "quant/stats/calendar.h"
#include "quant/stats/report.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prices of the file. */
struct prices {
    struct qs_point *points; /* in order of time */
    size_t cnt;              /* how many */
};

/* cell_number reads a cell; a NaN where it is none. */
static double cell_number(struct report_cell c) {
    char text[64], *end;
    if (c.cnt == 0 || c.cnt >= sizeof text) return NAN;
    memcpy(text, c.text, c.cnt);
    text[c.cnt] = '\0';
    double v = strtod(text, &end);
    return *end ? NAN : v;
}

/* opened reads the first cell of a row: the begin of a day (*days set) or an instant, in ns. False
 * when it is none. */
static bool opened(struct report_cell c, int64_t *ns, bool *days) {
    char text[32], *end;
    int year, month, day, used = 0;
    if (c.cnt == 0 || c.cnt >= sizeof text) return false;
    memcpy(text, c.text, c.cnt);
    text[c.cnt] = '\0';
    *days = sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3;
    if (*days) {
        *ns = qs_day_of(year, month, day) * QS_DAY_NS;
        return text[used] == '\0' && year >= 1900 && year <= 2090 && month >= 1 && month <= 12;
    }
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end || v < 100000000 || v > INT64_C(4000000000000000000)) return false;
    while (v < INT64_C(100000000000000000)) v *= 1000; /* s, ms, us: all after 1973 */
    *ns = v;
    return true;
}

/* prices_read reads the file: the first row's open, and each row's close when the next begins. */
static int prices_read(struct prices *b, const char *path, struct rt_error *err) {
    struct report_table t;
    char dir[4000];
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int code = report_table_open(&t, slash == path ? "/" : dir, slash ? slash + 1 : path, err);
    if (code < 0) return code;
    int64_t ns, span_ns = QS_DAY_NS;
    bool days;
    uint64_t heading = !opened(t.cells[0], &ns, &days);
    b->points = malloc((t.rows + 3) * sizeof *b->points);
    if (!b->points) code = rt_error_set(err, -ENOMEM, "%s: no memory", path);
    double last = NAN;
    for (uint64_t row = heading; code == 0 && row <= t.rows; row++) {
        const struct report_cell *cells = t.cells + row * t.columns;
        double close = t.columns < 2 ? NAN : cell_number(cells[t.columns >= 5 ? 4 : t.columns - 1]),
               open = t.columns >= 5 ? cell_number(cells[1]) : close;
        bool good = opened(cells[0], &ns, &days) && close > 0 && close < INFINITY && open > 0 &&
                    open < INFINITY;
        int64_t before_ns = b->cnt ? b->points[b->cnt - 1].time_ns : INT64_MIN;
        if (!good || ns < before_ns || (last > 0 && ns == before_ns)) {
            code = rt_error_set(err, -EBADMSG,
                                "%s:%llu: expected a later day or instant than the row before, and "
                                "prices above 0",
                                path, (unsigned long long)row + 1);
            break;
        }
        if (last > 0) { /* the close of the row before is known when this one begins */
            span_ns = ns - before_ns;
            b->points[b->cnt++] = (struct qs_point){ ns, last, QS_NONE, QS_NONE };
        } else {
            b->points[b->cnt++] = (struct qs_point){ ns, open, QS_NONE, QS_NONE };
        }
        last = close;
    }
    if (code == 0 && !(last > 0))
        code = rt_error_set(err, -EBADMSG, "%s: expected rows of prices", path);
    if (code == 0) {
        int64_t end_ns = b->points[b->cnt - 1].time_ns;
        b->points[b->cnt++] = (struct qs_point){ end_ns + span_ns, last, QS_NONE, QS_NONE };
    }
    report_table_close(&t);
    return code;
}

/* set changes the number that v has under key. */
static void set(struct page_data *p, const struct report_value *v, const char *key, double number) {
    const struct report_value *at = report_json_get(&p->summary, v, key);
    if (!at) return;
    struct report_value *to = &p->summary.values[at - p->summary.values];
    to->kind = number - number == 0 ? REPORT_JSON_NUMBER : REPORT_JSON_NONE;
    to->number = number;
    to->text = "";
}

/* periods changes the benchmark's column of months or years. */
static void periods(struct page_data *p, const struct report_value *curve, const char *key,
                    const struct qs_period *list, size_t cnt) {
    const struct report_value *v =
        report_json_first(&p->summary, report_json_get(&p->summary, curve, key));
    for (size_t i = 0; v && i < cnt; i++, v = report_json_next(&p->summary, v))
        set(p, v, "benchmark_return", list[i].benchmark_ret);
}

/* phases changes the table by kind of market. */
static void phases(struct page_data *p, const struct report_value *curve,
                   const struct qs_report *r) {
    const struct report_value *v =
        report_json_first(&p->summary, report_json_get(&p->summary, curve, "regimes"));
    for (int k = 0; v && k < QS_REGIMES; k++, v = report_json_next(&p->summary, v)) {
        const struct qs_phase *a = &r->phases[k];
        set(p, v, "days", a->days);
        set(p, v, "return", a->ret);
        set(p, v, "mean", a->mean);
        set(p, v, "volatility", a->volatility);
        set(p, v, "sharpe", a->sharpe);
        set(p, v, "max_drawdown", a->max_drawdown);
        set(p, v, "benchmark_return", a->benchmark_ret);
        set(p, v, "trades", a->trades);
        set(p, v, "wins", a->wins);
        set(p, v, "pnl", a->pnl);
    }
}

/* taken changes what a curve says of the benchmark to what r does. */
static void taken(struct page_data *p, const struct report_value *curve, struct page_day *days,
                  const struct qs_report *r, double base) {
    static const char *const named[] = { "alpha",          "beta",          "correlation",
                                         "tracking_error", "excess_return", "information_ratio" };
    const struct report_value *figures = report_json_get(&p->summary, curve, "figures");
    for (int i = 0; i < QS_FIGURE_CNT; i++) {
        const char *name = qs_figure_table[i].name;
        bool one = strncmp(name, "benchmark_", 10) == 0;
        for (size_t k = 0; k < sizeof named / sizeof named[0]; k++)
            one = one || strcmp(name, named[k]) == 0;
        if (one) set(p, figures, name, qs_figure_value(&r->figures, i));
    }
    periods(p, curve, "months", r->months, r->month_cnt);
    periods(p, curve, "years", r->years, r->year_cnt);
    phases(p, curve, r);
    for (size_t i = 0; i < r->day_cnt; i++) {
        days[i].benchmark = r->days[i].benchmark / base;
        days[i].regime = qs_regime_name((enum qs_regime)r->days[i].regime);
    }
}

/* against reckons one curve against the prices. */
static int against(struct page_data *p, const struct report_value *curve, bool total,
                   const struct qs_options *options, const struct prices *b, const char *path,
                   struct rt_error *err) {
    const char *name = report_json_text(&p->summary, curve, "curve");
    const struct page_days *days = page_data_days(p, name);
    const struct page_line *equity = page_data_line(p, "equity", name);
    if (!days || !equity || equity->cnt == 0) return 0; /* nothing is shown of it either */
    struct qs_options o = *options;
    struct qs_point *points = malloc((days->cnt + 1) * sizeof *points);
    struct qs_trade *trades = calloc(p->trade_cnt + 1, sizeof *trades);
    int32_t *listed = malloc((days->cnt + 1) * sizeof *listed);
    struct qs_report r;
    void *memory = NULL;
    size_t trade_cnt = 0, bytes, base = 0;
    int64_t last_ns = equity->points[equity->cnt - 1].time_ns;
    int code = points && trades && listed ? 0 : -ENOMEM;
    if (code == 0) {
        points[0] = (struct qs_point){ equity->points[0].time_ns, equity->points[0].value, QS_NONE,
                                       QS_NONE };
        for (size_t i = 0; i < days->cnt; i++) {
            int64_t close_ns = days->days[i].close_ns;
            points[i + 1] = (struct qs_point){ close_ns < last_ns ? close_ns : last_ns,
                                               days->days[i].equity, QS_NONE, QS_NONE };
            listed[i] = qs_day_closed(close_ns);
        }
        for (size_t i = 0; i < p->trade_cnt; i++)
            if (total || strcmp(p->trades[i].account, name) == 0)
                trades[trade_cnt++] = (struct qs_trade){ .entry_ns = p->trades[i].entry_ns,
                                                         .exit_ns = p->trades[i].exit_ns,
                                                         .quantity = p->trades[i].quantity,
                                                         .entry_price = p->trades[i].entry,
                                                         .exit_price = p->trades[i].exit,
                                                         .pnl = p->trades[i].pnl,
                                                         .fee = p->trades[i].fee,
                                                         .mae = QS_NONE,
                                                         .mfe = QS_NONE,
                                                         .side = p->trades[i].is_short ? -1 : 1 };
        o.days = (struct qs_days){ QS_LISTED, listed, days->cnt };
        const struct qs_input in = { .points = points,
                                     .point_cnt = days->cnt + 1,
                                     .trades = trades,
                                     .trade_cnt = trade_cnt,
                                     .benchmark = b->points,
                                     .benchmark_cnt = b->cnt };
        while (base + 1 < b->cnt && b->points[base + 1].time_ns <= points[0].time_ns) base++;
        if (b->points[0].time_ns > points[days->cnt ? 1 : 0].time_ns)
            code = rt_error_set(err, -EBADMSG,
                                "%s: expected a price at or before the run's first close", path);
        else if ((bytes = qs_report_bytes(&in, &o)) == 0)
            code = rt_error_set(err, -EBADMSG, "%s: does not fit the days of daily.csv", path);
        else if (!(memory = malloc(bytes)))
            code = -ENOMEM;
        else {
            qs_report_make(&in, &o, memory, &r);
            if (r.day_cnt == days->cnt)
                taken(p, curve, p->day_rows + (days->days - p->day_rows), &r,
                      b->points[base].equity);
            else
                code = rt_error_set(err, -EBADMSG, "daily.csv: days are missing in %s", name);
        }
    }
    if (code == -ENOMEM) rt_error_set(err, code, "no memory for the report");
    free(memory);
    free(listed);
    free(trades);
    free(points);
    return code;
}

int page_benchmark_take(struct page_data *p, const char *path, struct doc *d,
                        struct rt_error *err) {
    const struct report_json *j = &p->summary;
    const struct report_value *stats = report_json_get(j, j->values, "statistics"),
                              *basis = report_json_get(j, stats, "basis"),
                              *curves = report_json_get(j, stats, "curves");
    struct prices b = { 0 };
    uint32_t curve_cnt = 0, account_cnt = 0, at = 0;
    int code = prices_read(&b, path, err);
    for (const struct report_value *v = report_json_first(j, curves); v; v = report_json_next(j, v))
        curve_cnt++;
    for (const struct report_value *v =
             report_json_first(j, report_json_get(j, j->values, "accounts"));
         v; v = report_json_next(j, v))
        account_cnt++;
    double a_year = report_json_number(j, basis, "days_a_year");
    struct qs_options o = qs_options_default(a_year == 365 ? QS_EVERY_DAY : QS_WEEKDAYS);
    o.risk_free = report_json_number(j, basis, "risk_free");
    o.required_return = report_json_number(j, basis, "required_return");
    o.days_a_year = a_year;
    o.rolling_days = (uint32_t)report_json_whole(j, basis, "rolling_days", 2);
    for (const struct report_value *v = report_json_first(j, curves); code == 0 && v;
         v = report_json_next(j, v), at++)
        code = against(p, v, at >= account_cnt && curve_cnt > account_cnt, &o, &b, path, err);
    const struct report_value *name = report_json_get(j, basis, "benchmark");
    const char *slash = strrchr(path, '/');
    if (code == 0 && name) {
        struct report_value *to = &p->summary.values[name - j->values];
        to->text = doc_keep(d, "%s", slash ? slash + 1 : path);
    }
    free(b.points);
    return code;
}
