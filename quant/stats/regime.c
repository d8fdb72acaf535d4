#include "quant/stats/regime.h"
#include "quant/stats/sample.h"
#include <assert.h>
#include <string.h>

struct qs_regime_rules qs_regime_default(void) {
    return (struct qs_regime_rules){ .trend_days = 60, .volatility_days = 20, .trend_least = 0.10 };
}

const char *qs_regime_name(enum qs_regime r) {
    static const char *const names[QS_REGIMES] = { "unknown",      "bull_low",      "bull_high",
                                                   "sideways_low", "sideways_high", "bear_low",
                                                   "bear_high" };
    assert(r < QS_REGIMES);
    return names[r];
}

/* insert files v in the sorted x[0..n). */
static void insert(double *x, size_t n, double v) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (x[mid] > v)
            high = mid;
        else
            low = mid + 1;
    }
    memmove(x + low + 1, x + low, (n - low) * sizeof *x);
    x[low] = v;
}

void qs_regimes(const double *close, size_t n, const struct qs_regime_rules *rules, double *scratch,
                uint8_t *out) {
    double *log_ret = scratch, *seen = scratch + n;
    size_t seen_cnt = 0, trend = rules->trend_days, window = rules->volatility_days;
    for (size_t d = 1; d < n; d++) log_ret[d] = qs_log(close[d] / close[d - 1]);
    for (size_t d = 0; d < n; d++) {
        struct qs_moments m;
        out[d] = QS_UNKNOWN;
        if (d < window + 1)
            continue; /* the window ends at d - 1; the return of day 0 is not known */
        qs_moments_of(log_ret + d - window, window, &m);
        insert(seen, seen_cnt++, m.sd);
        if (d < trend + 1) continue;
        double change = close[d - 1] / close[d - 1 - trend] - 1;
        bool wild = m.sd > qs_quantile(seen, seen_cnt, 0.5);
        int kind = change >= rules->trend_least    ? QS_BULL_LOW
                   : change <= -rules->trend_least ? QS_BEAR_LOW
                                                   : QS_SIDEWAYS_LOW;
        out[d] = (uint8_t)(kind + wild);
    }
}
