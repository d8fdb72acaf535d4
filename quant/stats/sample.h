/* sample.h - what a list of numbers tells: moments, quantiles, how two of them move together.
 *
 * For     returns of any period; nothing here is annualised. n is how many numbers there are.
 * Thread  pure functions; the caller owns all memory.
 * Cost    a pass or two over the numbers; sums are compensated, in the order of the list.
 * None    a figure that n or the numbers do not define is QS_NONE. */
#ifndef QUANT_STATS_SAMPLE_H
#define QUANT_STATS_SAMPLE_H
#include "quant/stats/number.h"
#include <stddef.h>
#include <stdint.h>

/* Moments of a list. */
struct qs_moments {
    size_t cnt;      /* n */
    double mean;     /* sum / n; n >= 1 */
    double sd;       /* sqrt(sum (x - mean)^2 / (n - 1)); n >= 2 */
    double skew;     /* m3 / m2^1.5, m_k = sum (x - mean)^k / n: scipy.stats.skew, which pyfolio and
                      * empyrical use; none when all x are alike */
    double kurtosis; /* m4 / m2^2 - 3, excess: scipy.stats.kurtosis */
    double least;    /* smallest */
    double greatest; /* largest */
};

/* qs_moments_of fills *out from x[0..n). */
void qs_moments_of(const double *x, size_t n, struct qs_moments *out);

/* qs_sort sorts x[0..n) upward: a heap sort, so that its cost is bounded; no NaN in it. */
void qs_sort(double *x, size_t n);
/* qs_quantile returns the part-quantile (0..1) of a sorted list: linear between the two nearest of
 * x at position (n - 1) part; numpy.percentile's default, R's type 7. */
double qs_quantile(const double *sorted, size_t n, double part);
/* qs_tail_mean returns the mean of the worst part of a sorted list: of the first
 * floor((n - 1) part) + 1 numbers, as empyrical's conditional_value_at_risk. */
double qs_tail_mean(const double *sorted, size_t n, double part);

/* How a list y moves with a list x of the same length. */
struct qs_fit {
    size_t cnt;         /* n, >= 2 */
    double beta;        /* cov(x, y) / var(x); none when x does not move */
    double alpha;       /* mean y - beta mean x, per period */
    double correlation; /* Pearson's; none when one does not move */
    double covariance;  /* sum (x - mean x)(y - mean y) / (n - 1) */
};
/* qs_fit_of fills *out: ordinary least squares of y on x. */
void qs_fit_of(const double *x, const double *y, size_t n, struct qs_fit *out);

/* qs_downside returns sqrt(sum min(x - required, 0)^2 / n): empyrical's downside_risk and
 * PerformanceAnalytics' DownsideDeviation(method = "full"), per period. */
double qs_downside(const double *x, size_t n, double required);
/* qs_omega returns sum max(x - threshold, 0) / sum max(threshold - x, 0); none without a loss and
 * for n < 2: empyrical's omega_ratio. */
double qs_omega(const double *x, size_t n, double threshold);

/* One bar of a histogram: from <= x < until. */
struct qs_bin {
    double from;  /* lower edge */
    double until; /* upper edge */
    uint32_t cnt; /* how many of x */
};
enum { QS_BINS_MAX = 42 }; /* most bins of a histogram */
/* qs_histogram fills out[0..QS_BINS_MAX) with bins of one width, 1, 2 or 5 times a power of ten,
 * whose edges are multiples of it; the smallest that keeps the range within 40 bins. Returns how
 * many; 0 for n == 0, 1 where all x are alike. */
size_t qs_histogram(const double *x, size_t n, struct qs_bin *out);
#endif
