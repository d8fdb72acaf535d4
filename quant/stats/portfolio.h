/* portfolio.h - several curves together: correlation, who brought the return, who the risk.
 *
 * For     strategies or accounts of one portfolio. Component i brings on day t the part
 *         c[i][t] = its P&L of the day / the portfolio's equity at the day's start, so that the
 *         parts of a day add up to the portfolio's return of that day, r[t].
 * Thread  pure; the caller owns all memory. Cost: cnt^2 n.
 * Source  linking of days: Carino, "Combining attribution effects over time", J. Performance
 *         Measurement 3(4), 1999. Risk: Euler's split of the standard deviation. */
#ifndef QUANT_STATS_PORTFOLIO_H
#define QUANT_STATS_PORTFOLIO_H
#include "quant/stats/number.h"
#include <stddef.h>
#include <stdint.h>

/* What one component brought. */
struct qs_component {
    double own_return;          /* its own return over the span; none without a curve of its own */
    double contribution_return; /* sum over days of c k(r) / k(R), k(x) = log(1 + x) / x: its part
                                     * of the portfolio's return R; the parts add up to R */
    double contribution_volatility; /* cov(c, r) / sd(r) sqrt(days a year): its part of the annual
                                     * volatility; the parts add up to it */
    double volatility;              /* sd(c) sqrt(days a year) */
    double contribution_drawdown;   /* sum of c over the days of the portfolio's deepest fall (daily
                                     * closes, peak to trough); negative = it fell with it */
};

/* The portfolio. */
struct qs_portfolio {
    size_t cnt;                  /* components */
    double ret;                  /* return over the span */
    double volatility;           /* annual */
    double max_drawdown;         /* joint: deepest fall of daily closes, 0..1 */
    size_t peak_day, trough_day; /* of it: after how many of the n days (0 = at the start) */
    double sum_of_volatility;   /* of the components; volatility / this = what is not spread away */
    double mean_correlation;    /* mean of the pairs that have one */
    struct qs_component *parts; /* cnt of them */
    double *correlation;        /* cnt x cnt, of c; QS_NONE where one does not move */
};

/* qs_portfolio_of fills *out from cnt components of n days; c[i] points at n numbers. out->parts
 * and out->correlation (and own_return of each part) are the caller's; scratch has room for n. */
void qs_portfolio_of(const double *const *c, size_t cnt, size_t n, double days_a_year,
                     double *scratch, struct qs_portfolio *out);
#endif
