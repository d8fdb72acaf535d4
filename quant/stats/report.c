#include "quant/stats/report.h"
#include "quant/stats/calendar.h"
#include "quant/stats/sharpe.h"
#include "quant/stats/sum.h"
#include "quant/stats/tables.h"
#include <string.h>

/* Part of VaR, CVaR and tail ratio. */
static const double tail = 0.05;

struct qs_options qs_options_default(enum qs_calendar calendar) {
    double a_year = calendar == QS_EVERY_DAY ? 365 : 252;
    return (struct qs_options){ .days = { .calendar = calendar },
                                .days_a_year = a_year,
                                .rolling_days = (uint32_t)a_year / 4,
                                .rules = qs_regime_default() };
}

/* What the making needs beside the report; its arrays lie behind the report's. */
struct work {
    const struct qs_input *in; /* what it is made of */
    double *ret;               /* daily returns, n */
    double *bench;             /* daily returns of the benchmark, n */
    double *a, *b;             /* scratch, n and 2 n */
    double *trade;             /* scratch, one per trade */
    int32_t *day;              /* day numbers, n */
    size_t valid;              /* how many days have a return */
};

/* is_number tells whether x is finite. */
static bool is_number(double x) {
    return x - x == 0;
}

/* points_fit tells whether marks are numbers in order of time. */
static bool points_fit(const struct qs_point *p, size_t cnt) {
    for (size_t i = 0; i < cnt; i++)
        if (!is_number(p[i].equity) || (i && p[i].time_ns < p[i - 1].time_ns)) return false;
    return true;
}

/* input_fits tells whether all lists are numbers in order. */
static bool input_fits(const struct qs_input *in) {
    if (!points_fit(in->points, in->point_cnt)) return false;
    if (in->benchmark && !points_fit(in->benchmark, in->benchmark_cnt)) return false;
    for (size_t i = 0; in->benchmark && i < in->benchmark_cnt; i++)
        if (!(in->benchmark[i].equity > 0)) return false;
    if (in->trade_cnt >= UINT32_MAX) return false;
    for (size_t i = 0; i < in->trade_cnt; i++) {
        const struct qs_trade *t = &in->trades[i];
        if (!is_number(t->pnl) || !is_number(t->fee) || !is_number(t->quantity) ||
            !is_number(t->entry_price) || !is_number(t->exit_price) || t->exit_ns < t->entry_ns ||
            (i && t->exit_ns < t[-1].exit_ns))
            return false;
    }
    for (size_t i = 0; i < in->turn_cnt; i++)
        if (!is_number(in->turns[i].value) ||
            (i && in->turns[i].time_ns < in->turns[i - 1].time_ns))
            return false;
    return true;
}

/* options_fit tells whether each option is in its range. */
static bool options_fit(const struct qs_options *o) {
    if (o->days.calendar == QS_LISTED) {
        if (!o->days.listed_cnt || !o->days.listed) return false;
        for (size_t i = 1; i < o->days.listed_cnt; i++)
            if (o->days.listed[i] <= o->days.listed[i - 1]) return false;
    }
    return (int)o->days.calendar >= QS_EVERY_DAY && o->days.calendar <= QS_LISTED &&
           o->days_a_year >= 1 && o->days_a_year <= 366 && o->risk_free > -1 &&
           o->risk_free <= 100 && o->required_return > -1 && o->required_return <= 100 &&
           o->rolling_days >= 2 && is_number(o->trials) && o->trials >= 0 &&
           is_number(o->trials_variance) && o->trials_variance >= 0 && o->rules.trend_days >= 1 &&
           o->rules.volatility_days >= 2 && o->rules.trend_least > 0;
}

/* span_days returns how many days the report of in has. */
static size_t span_days(const struct qs_input *in, const struct qs_options *o) {
    return in->point_cnt < 2 ? 0
                             : qs_days_cnt(&o->days, in->points[0].time_ns,
                                           in->points[in->point_cnt - 1].time_ns);
}

/* months_most returns how many months n days can touch at most. */
static size_t months_most(const struct qs_input *in, size_t n) {
    if (n == 0) return 0;
    struct qs_date a = qs_date_of(qs_day_opened(in->points[0].time_ns));
    struct qs_date b = qs_date_of(qs_day_closed(in->points[in->point_cnt - 1].time_ns));
    return (size_t)((b.year - a.year) * 12 + b.month - a.month + 1);
}

size_t qs_report_bytes(const struct qs_input *in, const struct qs_options *o) {
    if (!options_fit(o) || !input_fits(in)) return 0;
    size_t n = span_days(in, o), months = months_most(in, n);
    return n * sizeof(struct qs_day) + (months + (months + 22) / 12) * sizeof(struct qs_period) +
           (5 * n + in->trade_cnt + 1) * sizeof(double) + (n / 2 + 1) * sizeof(double);
}

/* lay gives each array its place. */
static void lay(struct work *w, struct qs_report *out, size_t n, void *memory) {
    size_t months = months_most(w->in, n);
    out->days = memory;
    out->months = (struct qs_period *)(out->days + n);
    out->years = out->months + months;
    w->ret = (double *)(out->years + (months + 22) / 12);
    w->bench = w->ret + n;
    w->a = w->bench + n;
    w->b = w->a + n;
    w->trade = w->b + 2 * n;
    w->day = (int32_t *)(w->trade + w->in->trade_cnt + 1);
}

/* fill_days reckons days, closes and returns; w->valid days have a return. */
static void fill_days(struct work *w, struct qs_report *out) {
    const struct qs_input *in = w->in;
    double before = out->start_equity, most = before;
    size_t n = qs_days_close(&out->options.days, in->points, in->point_cnt, w->day, w->a), p = 0;
    out->day_cnt = n;
    w->valid = before > 0 ? n : 0;
    for (size_t i = 0; i < n; i++) {
        struct qs_day *d = &out->days[i];
        *d = (struct qs_day){ .day = w->day[i],
                              .equity = w->a[i],
                              .ret = QS_NONE,
                              .log_ret = QS_NONE,
                              .underwater = QS_NONE,
                              .rolling_return = QS_NONE,
                              .rolling_volatility = QS_NONE,
                              .rolling_sharpe = QS_NONE,
                              .benchmark = QS_NONE,
                              .benchmark_ret = QS_NONE };
        while (p + 1 < in->point_cnt &&
               (i + 1 == n || qs_day_closed(in->points[p + 1].time_ns) <= d->day))
            p++;
        d->gross = in->points[p].gross;
        d->net = in->points[p].net;
        if (i >= w->valid) continue;
        if (d->equity > most) most = d->equity;
        d->ret = w->ret[i] = d->equity / before - 1;
        d->log_ret = qs_log(d->equity / before);
        d->underwater = (most - d->equity) / most;
        before = d->equity;
        if (before <= 0) w->valid = i + 1;
    }
}

/* fill_turns adds what changed hands to its day. */
static void fill_turns(struct work *w, struct qs_report *out) {
    size_t i = 0, n = out->day_cnt, at = 0;
    while (i < w->in->turn_cnt && n) {
        struct qs_sum s = { 0 };
        at += qs_tables_day(out->days + at, n - at, w->in->turns[i].time_ns);
        int32_t last = at + 1 < n ? out->days[at].day : INT32_MAX;
        for (; i < w->in->turn_cnt && qs_day_closed(w->in->turns[i].time_ns) <= last; i++)
            qs_sum_add(&s, w->in->turns[i].value);
        out->days[at].traded = qs_sum_value(&s);
    }
}

/* fill_rolling reckons the figures over the last days. */
static void fill_rolling(struct work *w, struct qs_report *out) {
    size_t window = out->options.rolling_days;
    for (size_t i = window - 1; i < w->valid; i++) {
        struct qs_day *d = &out->days[i];
        struct qs_moments m;
        double before = i >= window ? out->days[i - window].equity : out->start_equity;
        qs_moments_of(w->ret + i + 1 - window, window, &m);
        d->rolling_return = d->equity / before - 1;
        d->rolling_volatility = m.sd * qs_sqrt(out->options.days_a_year);
        d->rolling_sharpe = qs_tables_sharpe(&m, &out->options);
    }
}

/* annual_return turns the growth of n days into that of a year, less 1. */
static double annual_return(double growth, size_t n, const struct qs_options *o) {
    return n ? qs_pow(growth, o->days_a_year / (double)n) - 1 : QS_NONE;
}

/* fill_benchmark reckons closes and returns of the benchmark and the figures against it. */
static void fill_benchmark(struct work *w, struct qs_report *out) {
    const struct qs_input *in = w->in;
    struct qs_figures *f = &out->figures;
    const struct qs_options *o = &out->options;
    size_t p = 0, n = w->valid;
    if (!in->benchmark || in->benchmark_cnt == 0 || out->day_cnt == 0) return;
    while (p + 1 < in->benchmark_cnt && in->benchmark[p + 1].time_ns <= out->first_ns) p++;
    double start = in->benchmark[p].equity, before = start;
    for (size_t i = 0; i < out->day_cnt; i++) {
        struct qs_day *d = &out->days[i];
        while (p + 1 < in->benchmark_cnt &&
               (i + 1 == out->day_cnt ? in->benchmark[p + 1].time_ns <= out->last_ns
                                      : qs_day_closed(in->benchmark[p + 1].time_ns) <= d->day))
            p++;
        d->benchmark = w->a[i] = in->benchmark[p].equity;
        d->benchmark_ret = w->bench[i] = d->benchmark / before - 1;
        before = d->benchmark;
    }
    uint8_t *regime = (uint8_t *)w->day; /* the day numbers have been copied */
    qs_regimes(w->a, out->day_cnt, &o->rules, w->b, regime);
    for (size_t i = 0; i < out->day_cnt; i++) out->days[i].regime = regime[i];
    if (n == 0) return;
    struct qs_moments m;
    struct qs_fit fit;
    double year = qs_sqrt(o->days_a_year), daily = qs_tables_daily(o->risk_free, o);
    double growth = out->days[n - 1].benchmark / start;
    qs_moments_of(w->bench, n, &m);
    f->benchmark_return = growth - 1;
    f->benchmark_cagr = annual_return(growth, n, o);
    f->benchmark_volatility = m.sd * year;
    f->benchmark_sharpe = qs_tables_sharpe(&m, o);
    f->benchmark_max_drawdown = qs_max_drawdown(w->bench, n, NULL);
    f->excess_return = f->cagr - f->benchmark_cagr;
    qs_fit_of(w->bench, w->ret, n, &fit); /* a constant less of both leaves beta as it is */
    f->beta = fit.beta;
    f->correlation = fit.correlation;
    if (n >= 2)
        f->alpha =
            qs_pow(1 + (f->mean_return - daily) - fit.beta * (m.mean - daily), o->days_a_year) - 1;
    for (size_t i = 0; i < n; i++) w->a[i] = w->ret[i] - w->bench[i];
    qs_moments_of(w->a, n, &m);
    f->tracking_error = m.sd * year;
    f->information_ratio = m.sd > 0 ? m.mean / m.sd * year : QS_NONE;
}

/* fill_vwr reckons backtrader's variability-weighted return. */
static double fill_vwr(const struct work *w, const struct qs_report *out) {
    size_t n = w->valid;
    struct qs_moments m;
    double before = out->start_equity;
    if (n < 2) return QS_NONE;
    double mean = qs_log(out->days[n - 1].equity / before) / (double)n;
    for (size_t i = 0; i < n; i++) {
        w->a[i] = out->days[i].equity / (before * qs_exp(mean * (double)(i + 1))) - 1;
        before = out->days[i].equity;
    }
    qs_moments_of(w->a, n, &m);
    return 100 * (qs_exp(mean * out->options.days_a_year) - 1) * (1 - qs_pow(m.sd / 2, 0.2));
}

/* fill_risk reckons what the daily returns tell. */
static void fill_risk(struct work *w, struct qs_report *out) {
    struct qs_figures *f = &out->figures;
    const struct qs_options *o = &out->options;
    struct qs_moments m;
    size_t n = w->valid;
    double count = (double)n, year = qs_sqrt(o->days_a_year);
    if (n == 0) return;
    double daily = qs_tables_daily(o->risk_free, o), need = qs_tables_daily(o->required_return, o);
    qs_moments_of(w->ret, n, &m);
    f->cagr = annual_return(out->days[n - 1].equity / out->start_equity, n, o);
    f->mean_return = m.mean;
    f->best_day = m.greatest;
    f->worst_day = m.least;
    f->volatility = m.sd * year;
    f->skew = m.skew;
    f->kurtosis = m.kurtosis;
    f->downside_deviation = qs_downside(w->ret, n, need) * year;
    f->max_drawdown_daily = qs_max_drawdown(w->ret, n, w->a);
    struct qs_sum fall = { 0 };
    size_t up = 0;
    for (size_t i = 0; i < n; i++) {
        qs_sum_add(&fall, w->a[i] * w->a[i]);
        up += w->ret[i] > 0;
    }
    f->ulcer_index = qs_sqrt(qs_sum_value(&fall) / count);
    f->positive_days = (double)up / count;
    memcpy(w->a, w->ret, n * sizeof *w->a);
    qs_sort(w->a, n);
    f->var = qs_quantile(w->a, n, tail);
    f->cvar = qs_tail_mean(w->a, n, tail);
    double right = qs_quantile(w->a, n, 1 - tail);
    if (f->var != 0) f->tail_ratio = (right < 0 ? -right : right) / (f->var < 0 ? -f->var : f->var);
    double z = qs_normal_quantile(tail);
    f->var_normal = m.mean + m.sd * z;
    f->cvar_normal = m.mean - m.sd * qs_normal_pdf(z) / tail;
    f->var_modified =
        m.mean + m.sd * qs_sqrt((count - 1) / count) *
                     (z + (z * z - 1) * m.skew / 6 + (z * z * z - 3 * z) * m.kurtosis / 24 -
                      (2 * z * z * z - 5 * z) * m.skew * m.skew / 36);
    f->sharpe = qs_tables_sharpe(&m, o);
    if (f->downside_deviation > 0 && n >= 2)
        f->sortino = (m.mean - need) * o->days_a_year / f->downside_deviation;
    if (f->max_drawdown_daily > 0) f->calmar = f->cagr / f->max_drawdown_daily;
    f->omega = qs_omega(w->ret, n, daily + need);
    f->vwr = fill_vwr(w, out);
    double sharpe = n >= 2 && m.sd > 0 ? (m.mean - daily) / m.sd : QS_NONE;
    f->psr = qs_psr(sharpe, 0, count, m.skew, m.kurtosis);
    if (o->trials >= 2)
        f->dsr = qs_dsr(sharpe, count, m.skew, m.kurtosis, o->trials_variance, o->trials);
    f->min_trl = qs_min_trl(sharpe, 0, m.skew, m.kurtosis, 0.05);
    out->bin_cnt = qs_histogram(w->ret, n, out->histogram);
}

/* fill_curve reckons what all marks tell. */
static void fill_curve(struct work *w, struct qs_report *out) {
    const struct qs_input *in = w->in;
    struct qs_figures *f = &out->figures;
    int64_t below_ns = 0, span_ns = out->last_ns - out->first_ns;
    double peak = out->start_equity, fall = 0;
    bool pairs = false;
    if (out->start_equity > 0) {
        f->total_return = out->end_equity / out->start_equity - 1;
        f->log_return = qs_log(out->end_equity / out->start_equity);
    }
    out->drawdown_cnt = qs_drawdowns(in->points, in->point_cnt, out->drawdowns, QS_DRAWDOWNS,
                                     &out->longest, &below_ns);
    for (size_t i = 0; i < in->point_cnt; i++) {
        const struct qs_point *p = &in->points[i];
        if (p->equity > peak) peak = p->equity;
        if (peak - p->equity > fall) fall = peak - p->equity;
        if (qs_is_none(p->gross)) continue;
        if (!(p->gross <= f->position_value_max)) f->position_value_max = p->gross;
        if (p->equity > 0 && !(p->gross / p->equity <= f->gross_leverage_max))
            f->gross_leverage_max = p->gross / p->equity;
        if (p->net < p->gross) pairs = true;
        if (p->equity > 0 && !(p->net / p->equity <= f->net_leverage_max))
            f->net_leverage_max = p->net / p->equity;
    }
    if (!pairs) f->net_leverage_max = QS_NONE;
    const struct qs_drawdown *d = &out->drawdowns[0], *l = &out->longest;
    f->max_drawdown_money = fall;
    f->max_drawdown = out->drawdown_cnt ? d->depth : 0;
    f->drawdown_days = out->drawdown_cnt ? (double)(d->end_ns - d->peak_ns) / (double)QS_DAY_NS : 0;
    f->longest_drawdown_days =
        out->drawdown_cnt ? (double)(l->end_ns - l->peak_ns) / (double)QS_DAY_NS : 0;
    if (span_ns > 0) {
        f->underwater = (double)below_ns / (double)span_ns;
        f->exposure = (double)in->exposed_ns / (double)span_ns;
    }
}

/* fill_use reckons how much capital was at work. */
static void fill_use(struct work *w, struct qs_report *out) {
    struct qs_figures *f = &out->figures;
    struct qs_sum lever = { 0 }, net = { 0 }, value = { 0 }, turn = { 0 };
    double before = out->start_equity;
    size_t known = 0;
    for (size_t i = 0; i < w->valid; i++) {
        const struct qs_day *d = &out->days[i];
        qs_sum_add(&turn, d->traded / before);
        before = d->equity;
        if (qs_is_none(d->gross) || !(d->equity > 0)) continue;
        qs_sum_add(&lever, d->gross / d->equity);
        qs_sum_add(&net, d->net / d->equity);
        qs_sum_add(&value, d->gross);
        known++;
    }
    if (known) {
        f->gross_leverage = qs_sum_value(&lever) / (double)known;
        if (!qs_is_none(f->net_leverage_max)) f->net_leverage = qs_sum_value(&net) / (double)known;
        f->position_value = qs_sum_value(&value) / (double)known;
    }
    if (w->valid) f->turnover = qs_sum_value(&turn) * out->options.days_a_year / (double)w->valid;
}

/* fill_trades reckons what the trades tell. */
static void fill_trades(struct work *w, struct qs_report *out) {
    const struct qs_input *in = w->in;
    struct qs_figures *f = &out->figures;
    const struct qs_trade_figures *t = &out->trades;
    qs_trade_figures_of(in->trades, in->trade_cnt, 0, w->trade, &out->trades);
    qs_trade_figures_of(in->trades, in->trade_cnt, 1, w->trade, &out->longs);
    qs_trade_figures_of(in->trades, in->trade_cnt, -1, w->trade, &out->shorts);
    f->trades = (double)t->cnt;
    f->win_rate = t->win_rate;
    f->profit_factor = t->profit_factor;
    f->expectancy = t->expectancy;
    f->expectancy_r = t->expectancy_r;
    f->payoff = t->payoff;
    f->mean_win = t->mean_win;
    f->mean_loss = t->mean_loss;
    f->largest_win = t->largest_win;
    f->largest_loss = t->largest_loss;
    f->mean_trade_return = t->mean_return;
    f->sqn = t->sqn;
    f->win_streak = (double)t->win_streak;
    f->loss_streak = (double)t->loss_streak;
    f->hold_mean = t->hold_mean;
    f->hold_median = t->hold_median;
    f->hold_greatest = t->hold_greatest;
    f->mae_mean = t->mae_mean;
    f->mfe_mean = t->mfe_mean;
    f->fees = t->fees;
}

/* fill_months reckons the tables and the figures made from months. */
static void fill_months(struct work *w, struct qs_report *out) {
    struct qs_figures *f = &out->figures;
    size_t known = 0, up = 0;
    out->month_cnt = qs_tables_periods(out, w->in, w->valid, true, w->a, out->months);
    out->year_cnt = qs_tables_periods(out, w->in, w->valid, false, w->a, out->years);
    for (size_t i = 0; i < out->month_cnt; i++) {
        double r = out->months[i].ret;
        if (qs_is_none(r)) continue;
        known++;
        up += r > 0;
        if (!(r <= f->best_month)) f->best_month = r;
        if (!(r >= f->worst_month)) f->worst_month = r;
    }
    if (known) f->positive_months = (double)up / (double)known;
    qs_tables_phases(out, w->in, w->valid, w->a);
}

void qs_report_make(const struct qs_input *in, const struct qs_options *options, void *memory,
                    struct qs_report *out) {
    struct work w = { .in = in };
    double *figure = (double *)&out->figures;
    memset(out, 0, sizeof *out);
    for (int i = 0; i < QS_FIGURE_CNT; i++) figure[i] = QS_NONE;
    out->options = *options;
    lay(&w, out, span_days(in, options), memory);
    if (in->point_cnt >= 2) {
        out->first_ns = in->points[0].time_ns;
        out->last_ns = in->points[in->point_cnt - 1].time_ns;
        out->start_equity = in->points[0].equity;
        out->end_equity = in->points[in->point_cnt - 1].equity;
        fill_days(&w, out);
        fill_turns(&w, out);
        fill_rolling(&w, out);
        fill_curve(&w, out);
        fill_risk(&w, out);
        fill_use(&w, out);
        fill_benchmark(&w, out);
    }
    fill_trades(&w, out);
    fill_months(&w, out);
}
