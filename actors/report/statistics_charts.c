/* statistics_charts.c - charts.csv: the curves that pages draw, thinned. */
#include "actors/report/statistics.h"
#include "actors/report/thin.h"
#include "quant/stats/calendar.h"
#include "quant/stats/sum.h"
#include <stdlib.h>

/* row writes one row; what is not a number is left empty. */
static void row(FILE *to, const char *chart, const char *name, int64_t time_ns, double value,
                double second) {
    fprintf(to, "%s,%s,%lld,", chart, name, (long long)time_ns);
    if (value - value == 0) fprintf(to, "%.12g", value == 0 ? 0 : value);
    fputc(',', to);
    if (second - second == 0) fprintf(to, "%.12g", second == 0 ? 0 : second);
    fputc('\n', to);
}

/* thinned writes the rows of a curve: least and greatest of each stretch, in order of time. */
static void thinned(FILE *to, const char *chart, const char *name, const struct report_thin *t) {
    for (size_t i = 0; i < THIN_CNT; i++) {
        const struct report_stretch *s = &t->stretches[i];
        bool low_first = s->low_ns <= s->high_ns;
        if (s->low > s->high) continue;
        row(to, chart, name, low_first ? s->low_ns : s->high_ns, low_first ? s->low : s->high,
            QS_NONE);
        if (s->low < s->high || s->low_ns != s->high_ns)
            row(to, chart, name, low_first ? s->high_ns : s->low_ns, low_first ? s->high : s->low,
                QS_NONE);
    }
}

/* curve writes equity, fall below the peak and leverage of a curve, from all its marks. */
static void curve(FILE *to, const struct report_curve *c, struct report_thin *three) {
    const struct qs_input *in = &c->input;
    struct report_thin *equity = &three[0], *below = &three[1], *leverage = &three[2];
    double peak = 0;
    if (in->point_cnt == 0) return;
    for (int k = 0; k < 3; k++)
        report_thin_init(&three[k], in->points[0].time_ns, in->points[in->point_cnt - 1].time_ns);
    for (size_t i = 0; i < in->point_cnt; i++) {
        const struct qs_point *p = &in->points[i];
        if (p->equity > peak) peak = p->equity;
        report_thin_add(equity, p->time_ns, p->equity, p->equity);
        if (peak > 0) {
            double fall = (peak - p->equity) / peak;
            report_thin_add(below, p->time_ns, fall, fall);
        }
        if (p->equity > 0) {
            double gross = p->gross / p->equity;
            report_thin_add(leverage, p->time_ns, gross, gross);
        }
    }
    const struct qs_point *end = &in->points[in->point_cnt - 1];
    row(to, "equity", c->name, in->points[0].time_ns, in->points[0].equity, QS_NONE);
    thinned(to, "equity", c->name, equity);
    row(to, "equity", c->name, end->time_ns, end->equity, QS_NONE); /* as it ended, to the unit */
    thinned(to, "drawdown", c->name, below);
    thinned(to, "leverage", c->name, leverage);
}

/* parts writes what each strategy brought in each month of the last curve: the sum of its days. */
static void parts(FILE *to, const struct report_statistics *s) {
    const struct qs_report *r = &s->curves[s->curve_cnt - 1].report;
    for (size_t i = 0; i < s->portfolio.cnt; i++)
        for (size_t m = 0; m < r->month_cnt; m++) {
            const struct qs_period *p = &r->months[m];
            struct qs_sum sum = { 0 };
            for (uint32_t d = 0; d < p->days; d++) qs_sum_add(&sum, s->parts[i].pnl[p->first + d]);
            row(to, "part", s->parts[i].name, qs_day_of(p->year, p->month, 1) * QS_DAY_NS,
                qs_sum_value(&sum), QS_NONE);
        }
}

void report_statistics_charts(const struct report_statistics *s, FILE *to) {
    fputs("chart,name,time_ns,value,second\n", to);
    struct report_thin *three = s ? malloc(3 * sizeof *three) : NULL;
    for (uint32_t k = 0; three && k < s->curve_cnt; k++) {
        const struct report_curve *c = &s->curves[k];
        curve(to, c, three);
        if (s->total && k + 1 == s->curve_cnt) continue; /* its trades are those of the accounts */
        for (size_t i = 0; i < c->input.trade_cnt; i++)
            row(to, "trade", c->name, c->trades[i].exit_ns, c->trades[i].mae, c->trades[i].mfe);
    }
    free(three);
    for (uint16_t id = 1; s && s->prices && id <= s->market->instrument_cnt; id++)
        if (s->prices[id - 1])
            thinned(to, "price", mk_instrument_get(s->market, id)->name, s->prices[id - 1]);
    if (s) parts(to, s);
}
