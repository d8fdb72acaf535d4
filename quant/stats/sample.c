#include "quant/stats/sample.h"
#include "quant/stats/sum.h"
#include <assert.h>

/* mean_of returns the mean of x[0..n), n >= 1. */
static double mean_of(const double *x, size_t n) {
    struct qs_sum s = { 0 };
    for (size_t i = 0; i < n; i++) qs_sum_add(&s, x[i]);
    return qs_sum_value(&s) / (double)n;
}

void qs_moments_of(const double *x, size_t n, struct qs_moments *out) {
    *out = (struct qs_moments){ n, QS_NONE, QS_NONE, QS_NONE, QS_NONE, QS_NONE, QS_NONE };
    if (n == 0) return;
    struct qs_sum s2 = { 0 }, s3 = { 0 }, s4 = { 0 };
    out->mean = mean_of(x, n);
    out->least = out->greatest = x[0];
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - out->mean, d2 = d * d;
        if (x[i] < out->least) out->least = x[i];
        if (x[i] > out->greatest) out->greatest = x[i];
        qs_sum_add(&s2, d2);
        qs_sum_add(&s3, d2 * d);
        qs_sum_add(&s4, d2 * d2);
    }
    if (out->least == out->greatest) { /* the mean's rounding is no spread */
        if (n >= 2) out->sd = 0;
        return;
    }
    double m2 = qs_sum_value(&s2) / (double)n;
    out->sd = qs_sqrt(qs_sum_value(&s2) / (double)(n - 1));
    out->skew = qs_sum_value(&s3) / (double)n / (m2 * qs_sqrt(m2));
    out->kurtosis = qs_sum_value(&s4) / (double)n / (m2 * m2) - 3;
}

/* sink lets x[at] go down to its place in the heap x[0..n). */
static void sink(double *x, size_t at, size_t n) {
    double v = x[at];
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && x[child + 1] > x[child]) child++;
        if (!(x[child] > v)) break;
        x[at] = x[child];
    }
    x[at] = v;
}

void qs_sort(double *x, size_t n) {
    for (size_t i = n / 2; i > 0; i--) sink(x, i - 1, n);
    for (size_t left = n; left > 1; left--) {
        double top = x[0];
        x[0] = x[left - 1];
        x[left - 1] = top;
        sink(x, 0, left - 1);
    }
}

double qs_quantile(const double *sorted, size_t n, double part) {
    assert(part >= 0);
    assert(part <= 1);
    if (n == 0) return QS_NONE;
    double at = (double)(n - 1) * part;
    size_t low = (size_t)at;
    if (low + 1 >= n) return sorted[n - 1];
    return sorted[low] + (sorted[low + 1] - sorted[low]) * (at - (double)low);
}

double qs_tail_mean(const double *sorted, size_t n, double part) {
    return n ? mean_of(sorted, (size_t)((double)(n - 1) * part) + 1) : QS_NONE;
}

/* is_flat tells whether x[0..n) are all alike. */
static bool is_flat(const double *x, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0]) return false;
    return true;
}

void qs_fit_of(const double *x, const double *y, size_t n, struct qs_fit *out) {
    *out = (struct qs_fit){ n, QS_NONE, QS_NONE, QS_NONE, QS_NONE };
    if (n < 2) return;
    struct qs_sum xx = { 0 }, yy = { 0 }, xy = { 0 };
    double mx = mean_of(x, n), my = mean_of(y, n);
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        qs_sum_add(&xx, dx * dx);
        qs_sum_add(&yy, dy * dy);
        qs_sum_add(&xy, dx * dy);
    }
    bool x_flat = is_flat(x, n), y_flat = is_flat(y, n);
    out->covariance = x_flat || y_flat ? 0 : qs_sum_value(&xy) / (double)(n - 1);
    if (x_flat) return;
    out->beta = y_flat ? 0 : qs_sum_value(&xy) / qs_sum_value(&xx);
    out->alpha = my - out->beta * mx;
    if (!y_flat)
        out->correlation =
            qs_sum_value(&xy) / (qs_sqrt(qs_sum_value(&xx)) * qs_sqrt(qs_sum_value(&yy)));
}

double qs_downside(const double *x, size_t n, double required) {
    struct qs_sum s = { 0 };
    if (n == 0) return QS_NONE;
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - required;
        if (d < 0) qs_sum_add(&s, d * d);
    }
    return qs_sqrt(qs_sum_value(&s) / (double)n);
}

double qs_omega(const double *x, size_t n, double threshold) {
    struct qs_sum up = { 0 }, down = { 0 };
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - threshold;
        if (d > 0)
            qs_sum_add(&up, d);
        else
            qs_sum_add(&down, -d);
    }
    return n >= 2 && qs_sum_value(&down) > 0 ? qs_sum_value(&up) / qs_sum_value(&down) : QS_NONE;
}

/* edge returns k steps of m times 10 to the e: an exact multiple where e < 0 is rounded once. */
static double edge(int64_t k, int m, int e) {
    double power = 1;
    for (int i = 0; i < (e < 0 ? -e : e); i++) power *= 10;
    return e < 0 ? (double)(k * m) / power : (double)(k * m) * power;
}
/* floor_of returns the largest whole number at or below x. */
static int64_t floor_of(double x) {
    int64_t k = (int64_t)x;
    return (double)k > x ? k - 1 : k;
}
/* bin_of returns the k with edge(k) <= x < edge(k + 1). */
static int64_t bin_of(double x, int m, int e) {
    int64_t k = floor_of(x / edge(1, m, e));
    while (edge(k, m, e) > x) k--;
    while (edge(k + 1, m, e) <= x) k++;
    return k;
}

size_t qs_histogram(const double *x, size_t n, struct qs_bin *out) {
    static const int steps[] = { 1, 2, 5 };
    if (n == 0) return 0;
    double least = x[0], greatest = x[0];
    for (size_t i = 1; i < n; i++) {
        if (x[i] < least) least = x[i];
        if (x[i] > greatest) greatest = x[i];
    }
    int e = -12, s = 0; /* steps of 1e-12 .. 5e12 */
    while (e < 12 && edge(40, steps[s], e) < greatest - least)
        if (++s == 3) {
            s = 0;
            e++;
        }
    double most = edge(1, 1, 15);
    if (least < -most || greatest > most) return 0; /* nothing a return can be */
    if (least == greatest) {                        /* any width would do: one per cent */
        e = -2;
        s = 0;
    }
    int64_t first = bin_of(least, steps[s], e), last = bin_of(greatest, steps[s], e);
    size_t cnt = (size_t)(last - first + 1);
    assert(cnt <= QS_BINS_MAX);
    for (size_t i = 0; i < cnt; i++)
        out[i] = (struct qs_bin){ edge(first + (int64_t)i, steps[s], e),
                                  edge(first + (int64_t)i + 1, steps[s], e), 0 };
    for (size_t i = 0; i < n; i++) out[bin_of(x[i], steps[s], e) - first].cnt++;
    return cnt;
}
