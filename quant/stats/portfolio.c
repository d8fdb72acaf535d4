#include "quant/stats/portfolio.h"
#include "quant/stats/curve.h"
#include "quant/stats/sample.h"
#include "quant/stats/sum.h"

/* link returns log(1 + x) / x, 1 where x is so small that the two are alike. */
static double link(double x) {
    return x > 1e-9 || x < -1e-9 ? qs_log(1 + x) / x : 1 - x / 2;
}

/* fall_of finds the deepest fall of the portfolio: the days it went from and to. */
static void fall_of(const double *ret, size_t n, struct qs_portfolio *out) {
    double value = 1, peak = 1;
    size_t at = 0;
    out->max_drawdown = 0;
    out->peak_day = out->trough_day = 0;
    for (size_t t = 0; t < n; t++) {
        value *= 1 + ret[t];
        if (value >= peak) {
            peak = value;
            at = t + 1;
        }
        double fall = 1 - value / peak;
        if (fall > out->max_drawdown) {
            out->max_drawdown = fall;
            out->peak_day = at;
            out->trough_day = t + 1;
        }
    }
}

void qs_portfolio_of(const double *const *c, size_t cnt, size_t n, double days_a_year,
                     double *scratch, struct qs_portfolio *out) {
    double *r = scratch, total = 1, year = qs_sqrt(days_a_year);
    struct qs_moments whole;
    struct qs_sum spread = { 0 }, pairs = { 0 };
    size_t pair_cnt = 0;
    for (size_t t = 0; t < n; t++) {
        struct qs_sum day = { 0 };
        for (size_t i = 0; i < cnt; i++) qs_sum_add(&day, c[i][t]);
        r[t] = qs_sum_value(&day);
        total *= 1 + r[t];
    }
    qs_moments_of(r, n, &whole);
    out->cnt = cnt;
    out->ret = total - 1;
    out->volatility = whole.sd * year;
    fall_of(r, n, out);
    for (size_t i = 0; i < cnt; i++) {
        struct qs_component *p = &out->parts[i];
        struct qs_sum brought = { 0 }, fell = { 0 };
        struct qs_moments own;
        struct qs_fit fit;
        for (size_t t = 0; t < n; t++) qs_sum_add(&brought, c[i][t] * link(r[t]));
        for (size_t t = out->peak_day; t < out->trough_day; t++) qs_sum_add(&fell, c[i][t]);
        qs_moments_of(c[i], n, &own);
        qs_fit_of(r, c[i], n, &fit);
        p->contribution_return = qs_sum_value(&brought) / link(out->ret);
        p->contribution_volatility = whole.sd > 0 ? fit.covariance / whole.sd * year : QS_NONE;
        p->volatility = own.sd * year;
        p->contribution_drawdown = qs_sum_value(&fell);
        qs_sum_add(&spread, p->volatility);
        for (size_t k = 0; k < cnt; k++) {
            qs_fit_of(c[i], c[k], n, &fit);
            out->correlation[i * cnt + k] = fit.correlation;
            if (k <= i || qs_is_none(fit.correlation)) continue;
            qs_sum_add(&pairs, fit.correlation);
            pair_cnt++;
        }
    }
    out->sum_of_volatility = qs_sum_value(&spread);
    out->mean_correlation = pair_cnt ? qs_sum_value(&pairs) / (double)pair_cnt : QS_NONE;
}
