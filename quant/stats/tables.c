#include "quant/stats/tables.h"
#include "quant/stats/calendar.h"
#include "quant/stats/sum.h"

size_t qs_tables_day(const struct qs_day *days, size_t n, int64_t time_ns) {
    int32_t day = qs_day_closed(time_ns);
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (days[mid].day < day)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n ? low : n - 1;
}

double qs_tables_daily(double a_year, const struct qs_options *o) {
    return a_year == 0 ? 0 : qs_pow(1 + a_year, 1 / o->days_a_year) - 1;
}

double qs_tables_sharpe(const struct qs_moments *m, const struct qs_options *o) {
    return m->cnt >= 2 && m->sd > 0
               ? (m->mean - qs_tables_daily(o->risk_free, o)) / m->sd * qs_sqrt(o->days_a_year)
               : QS_NONE;
}

/* fill_period reckons a period from its first day and count. */
static void fill_period(const struct qs_report *r, size_t valid, double *scratch,
                        struct qs_period *p) {
    const struct qs_day *d = r->days + p->first;
    struct qs_moments m;
    struct qs_sum traded = { 0 };
    double before = p->first ? d[-1].equity : r->start_equity, bench = 1;
    bool whole = p->first + p->days <= valid;
    size_t n = 0;
    for (uint32_t i = 0; i < p->days; i++) {
        if (p->first + i < valid) scratch[n++] = d[i].ret;
        bench *= 1 + d[i].benchmark_ret;
        qs_sum_add(&traded, d[i].traded);
    }
    qs_moments_of(scratch, n, &m);
    p->ret = whole ? d[p->days - 1].equity / before - 1 : QS_NONE;
    p->volatility = whole ? m.sd * qs_sqrt(r->options.days_a_year) : QS_NONE;
    p->sharpe = whole ? qs_tables_sharpe(&m, &r->options) : QS_NONE;
    p->max_drawdown = whole ? qs_max_drawdown(scratch, n, NULL) : QS_NONE;
    p->benchmark_ret = bench - 1;
    p->traded = qs_sum_value(&traded);
}

/* Trades of a group being counted. */
struct purse {
    struct qs_sum pnl, fees; /* sums of net P&L and of fees */
};

/* count_trades files each trade in the period its exit counts to. */
static void count_trades(const struct qs_report *r, const struct qs_input *in,
                         struct qs_period *out, size_t cnt) {
    struct purse sum = { 0 };
    size_t p = 0;
    for (size_t i = 0; i < in->trade_cnt; i++) {
        const struct qs_trade *t = &in->trades[i];
        size_t day = qs_tables_day(r->days, r->day_cnt, t->exit_ns);
        while (p + 1 < cnt && day >= out[p + 1].first) {
            p++;
            sum = (struct purse){ 0 };
        }
        struct qs_period *o = &out[p];
        o->trades++;
        o->wins += t->pnl > 0;
        qs_sum_add(&sum.pnl, t->pnl);
        qs_sum_add(&sum.fees, t->fee);
        o->pnl = qs_sum_value(&sum.pnl);
        o->fees = qs_sum_value(&sum.fees);
        if (o->worst_trade == UINT32_MAX || t->pnl < in->trades[o->worst_trade].pnl)
            o->worst_trade = (uint32_t)i;
        if (o->best_trade == UINT32_MAX || t->pnl > in->trades[o->best_trade].pnl)
            o->best_trade = (uint32_t)i;
    }
}

size_t qs_tables_periods(const struct qs_report *r, const struct qs_input *in, size_t valid,
                         bool by_month, double *scratch, struct qs_period *out) {
    size_t cnt = 0;
    for (size_t i = 0; i < r->day_cnt; i++) {
        struct qs_date d = qs_date_of(r->days[i].day);
        int32_t month = by_month ? d.month : 0;
        if (cnt == 0 || out[cnt - 1].year != d.year || out[cnt - 1].month != month)
            out[cnt++] = (struct qs_period){ .year = d.year,
                                             .month = month,
                                             .first = (uint32_t)i,
                                             .worst_trade = UINT32_MAX,
                                             .best_trade = UINT32_MAX };
        out[cnt - 1].days++;
    }
    for (size_t i = 0; i < cnt; i++) fill_period(r, valid, scratch, &out[i]);
    if (cnt) count_trades(r, in, out, cnt);
    return cnt;
}

void qs_tables_phases(struct qs_report *r, const struct qs_input *in, size_t valid,
                      double *scratch) {
    for (int k = 0; k < QS_REGIMES; k++) {
        struct qs_phase *p = &r->phases[k];
        struct qs_moments m;
        struct qs_sum pnl = { 0 };
        double whole = 1, bench = 1;
        size_t n = 0;
        *p = (struct qs_phase){ .regime = (enum qs_regime)k };
        for (size_t i = 0; i < valid; i++) {
            if (r->days[i].regime != k) continue;
            scratch[n++] = r->days[i].ret;
            whole *= 1 + r->days[i].ret;
            bench *= 1 + r->days[i].benchmark_ret;
        }
        qs_moments_of(scratch, n, &m);
        p->days = (uint32_t)n;
        p->ret = n ? whole - 1 : QS_NONE;
        p->benchmark_ret = n ? bench - 1 : QS_NONE;
        p->mean = m.mean;
        p->volatility = m.sd * qs_sqrt(r->options.days_a_year);
        p->sharpe = qs_tables_sharpe(&m, &r->options);
        p->max_drawdown = n ? qs_max_drawdown(scratch, n, NULL) : QS_NONE;
        for (size_t i = 0; i < in->trade_cnt && r->day_cnt; i++) {
            const struct qs_trade *t = &in->trades[i];
            if (r->days[qs_tables_day(r->days, r->day_cnt, t->entry_ns)].regime != k) continue;
            p->trades++;
            p->wins += t->pnl > 0;
            qs_sum_add(&pnl, t->pnl);
        }
        p->pnl = qs_sum_value(&pnl);
    }
}
