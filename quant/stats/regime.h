/* regime.h - what kind of market it was on each day, told from the days before it.
 *
 * For     behaviour by phase: in which markets a strategy fails.
 * Rules   from daily closes of the market. Trend of day d: close[d-1] / close[d-1-trend_days] - 1;
 *         bull at or above trend_least, bear at or below -trend_least, else sideways. Volatility of
 *         day d: standard deviation of the last volatility_days log returns up to day d-1; high
 *         when above the median of all such values up to and with it, else low. So the day's own
 *         close is in none of it, and no later day changes an earlier one. Days before both are
 *         known are unknown.
 * Thread  pure; the caller owns all memory.
 * Cost    some 100 ns a day (the running median moves memory). */
#ifndef QUANT_STATS_REGIME_H
#define QUANT_STATS_REGIME_H
#include <stddef.h>
#include <stdint.h>

/* Kinds of market: a trend, twice. */
enum qs_regime {
    QS_UNKNOWN,       /* not enough days before it */
    QS_BULL_LOW,      /* up, calm */
    QS_BULL_HIGH,     /* up, wild */
    QS_SIDEWAYS_LOW,  /* neither, calm */
    QS_SIDEWAYS_HIGH, /* neither, wild */
    QS_BEAR_LOW,      /* down, calm */
    QS_BEAR_HIGH,     /* down, wild */
    QS_REGIMES,       /* how many */
};

/* The rules' numbers. */
struct qs_regime_rules {
    uint32_t trend_days;      /* >= 1; default 60 */
    uint32_t volatility_days; /* >= 2; default 20 */
    double trend_least;       /* > 0; default 0.10 */
};

/* qs_regime_default returns the defaults above. */
struct qs_regime_rules qs_regime_default(void);
/* qs_regime_name returns "bull_low" and so on. */
const char *qs_regime_name(enum qs_regime r);
/* qs_regimes fills out[0..n) from close[0..n), all above 0; scratch has room for 2 n doubles. */
void qs_regimes(const double *close, size_t n, const struct qs_regime_rules *rules, double *scratch,
                uint8_t *out);
#endif
