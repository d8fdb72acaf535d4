/* figures.h - every single figure of a report: one table with name, unit and definition.
 *
 * For     the report's struct, its JSON, its pages, the thresholds of a selection and the ranking
 *         of candidates: all are made from this table, so a figure has one name and one meaning.
 * Words   r: the n daily returns, close over close - 1; A: days a year (365 or 252); f, q: daily
 *         risk-free and required return, (1 + annual)^(1/A) - 1; m, s: mean and deviation
 *         (divisor n - 1) of r; E: equity. Parts are fractions (0.05 = 5 %). In a figure's words
 *         the library or paper whose definition it is comes last; none named: by itself.
 * None    a figure that is not defined is QS_NONE and null in JSON. */
#ifndef QUANT_STATS_FIGURES_H
#define QUANT_STATS_FIGURES_H
#include <stdint.h>

/* How a figure is written. */
enum qs_unit {
    QS_PART,    /* a fraction; people are shown per cent */
    QS_RATIO,   /* a plain number */
    QS_COUNT,   /* a whole number */
    QS_MONEY,   /* quote units */
    QS_SECONDS, /* a time span */
    QS_DAYS,    /* a time span in days */
};

/* X(name, unit, +1 more is better / -1 less is better / 0 neither, definition) */
#define QS_FIGURES(X)                                                                              \
    /* return */                                                                                   \
    X(total_return, QS_PART, 1, "E at the end / E at the start - 1")                               \
    X(log_return, QS_RATIO, 1, "log(E at the end / E at the start)")                               \
    X(cagr, QS_PART, 1, "(product of (1 + r))^(A/n) - 1 (empyrical annual_return)")                \
    X(mean_return, QS_PART, 1, "m, a day")                                                         \
    X(best_day, QS_PART, 1, "largest r")                                                           \
    X(worst_day, QS_PART, 1, "smallest r")                                                         \
    X(positive_days, QS_PART, 1, "part of days with r > 0")                                        \
    X(best_month, QS_PART, 1,                                                                      \
      "largest return of a calendar month (UTC), first and last as far as they go")                \
    X(worst_month, QS_PART, 1, "smallest return of a calendar month")                              \
    X(positive_months, QS_PART, 1, "part of calendar months with a return > 0")                    \
    /* risk */                                                                                     \
    X(volatility, QS_PART, -1, "s sqrt(A) (empyrical annual_volatility)")                          \
    X(downside_deviation, QS_PART, -1,                                                             \
      "sqrt(mean of min(r - q, 0)^2) sqrt(A) (empyrical downside_risk)")                           \
    X(max_drawdown, QS_PART, -1, "deepest fall below a peak as part of it, of all marks of E")     \
    X(max_drawdown_money, QS_MONEY, -1, "deepest fall below a peak in money, of all marks of E")   \
    X(max_drawdown_daily, QS_PART, -1,                                                             \
      "deepest fall below a peak as part of it, of daily closes (empyrical max_drawdown, sign "    \
      "turned)")                                                                                   \
    X(drawdown_days, QS_DAYS, -1,                                                                  \
      "time from peak to recovery (or the end) of the deepest fall of all marks")                  \
    X(longest_drawdown_days, QS_DAYS, -1,                                                          \
      "longest time from a peak to its recovery (or the end), of all marks")                       \
    X(underwater, QS_PART, -1, "part of the time spent below a peak, of all marks")                \
    X(ulcer_index, QS_PART, -1,                                                                    \
      "sqrt(mean of squared falls below the peak, daily closes) (Martin and McCann 1989; "         \
      "PerformanceAnalytics UlcerIndex)")                                                          \
    X(skew, QS_RATIO, 1, "m3 / m2^1.5 of r, divisor n (scipy.stats.skew)")                         \
    X(kurtosis, QS_RATIO, -1, "m4 / m2^2 - 3 of r, divisor n: excess (scipy.stats.kurtosis)")      \
    X(var, QS_PART, 1,                                                                             \
      "5 % quantile of r, linear between ranks: a day in twenty is worse (empyrical "              \
      "value_at_risk)")                                                                            \
    X(cvar, QS_PART, 1,                                                                            \
      "mean of the floor(0.05 (n - 1)) + 1 smallest r (empyrical conditional_value_at_risk)")      \
    X(var_normal, QS_PART, 1,                                                                      \
      "m + s z, z = 5 % quantile of the normal distribution (quantstats value_at_risk)")           \
    X(cvar_normal, QS_PART, 1,                                                                     \
      "m - s density(z) / 0.05: mean of that tail of a normal distribution")                       \
    X(var_modified, QS_PART, 1,                                                                    \
      "m + s (z + (z^2 - 1) skew/6 + (z^3 - 3z) kurtosis/24 - (2z^3 - 5z) skew^2/36), s with "     \
      "divisor n (PerformanceAnalytics VaR, method modified)")                                     \
    X(tail_ratio, QS_RATIO, 1,                                                                     \
      "|95 % quantile of r| / |5 % quantile of r| (empyrical tail_ratio)")                         \
    /* return for risk */                                                                          \
    X(sharpe, QS_RATIO, 1, "mean(r - f) / sd(r - f) sqrt(A) (empyrical sharpe_ratio)")             \
    X(sortino, QS_RATIO, 1, "mean(r - q) A / downside_deviation (empyrical sortino_ratio)")        \
    X(calmar, QS_RATIO, 1,                                                                         \
      "cagr / max_drawdown_daily, over the whole span (empyrical calmar_ratio)")                   \
    X(omega, QS_RATIO, 1,                                                                          \
      "sum of max(r - f - q, 0) / sum of max(f + q - r, 0) (empyrical omega_ratio)")               \
    X(vwr, QS_RATIO, 1,                                                                            \
      "100 (exp(L A) - 1) (1 - (v/2)^0.2), L = mean log return a day, v = sd of E_i / (E_(i-1) "   \
      "exp(L i)) - 1 (backtrader VWR, sdev_max 2, tau 0.2)")                                       \
    X(psr, QS_PART, 1,                                                                             \
      "probability that the true daily Sharpe ratio is above 0, by n, skew and kurtosis (Bailey "  \
      "and Lopez de Prado 2012)")                                                                  \
    X(dsr, QS_PART, 1,                                                                             \
      "the same against the best of the declared number of trials by luck; none without trials "   \
      "(Bailey and Lopez de Prado 2014)")                                                          \
    X(min_trl, QS_DAYS, -1,                                                                        \
      "days of record that would make psr 95 % (Bailey and Lopez de Prado 2012)")                  \
    /* trades */                                                                                   \
    X(trades, QS_COUNT, 0, "round trips, flat to flat")                                            \
    X(win_rate, QS_PART, 1, "part of trades with net P&L > 0")                                     \
    X(profit_factor, QS_RATIO, 1, "sum of P&L of winning trades / of losing trades")               \
    X(expectancy, QS_MONEY, 1, "mean net P&L of a trade")                                          \
    X(expectancy_r, QS_RATIO, 1, "expectancy / mean loss of a losing trade (Tharp)")               \
    X(payoff, QS_RATIO, 1, "mean P&L of a winning trade / mean loss of a losing one")              \
    X(mean_win, QS_MONEY, 1, "mean P&L of a winning trade")                                        \
    X(mean_loss, QS_MONEY, -1, "mean loss of a losing trade")                                      \
    X(largest_win, QS_MONEY, 1, "largest P&L of a trade")                                          \
    X(largest_loss, QS_MONEY, -1, "largest loss of a trade")                                       \
    X(mean_trade_return, QS_PART, 1, "mean of P&L / (quantity x entry price)")                     \
    X(sqn, QS_RATIO, 1,                                                                            \
      "sqrt(trades) mean P&L / sd of P&L (divisor trades) (Tharp; backtrader SQN)")                \
    X(win_streak, QS_COUNT, 1, "most winning trades in a row, in order of exit")                   \
    X(loss_streak, QS_COUNT, -1, "most trades in a row that did not win")                          \
    X(hold_mean, QS_SECONDS, 0, "mean time from entry to exit")                                    \
    X(hold_median, QS_SECONDS, 0, "median time from entry to exit")                                \
    X(hold_greatest, QS_SECONDS, 0, "longest time from entry to exit")                             \
    X(mae_mean, QS_PART, -1,                                                                       \
      "mean of the worst price against a trade, as part of its entry price (Sweeney)")             \
    X(mfe_mean, QS_PART, 1,                                                                        \
      "mean of the best price for a trade, as part of its entry price (Sweeney)")                  \
    X(fees, QS_MONEY, -1, "fees of the round trips closed, in quote units")                        \
    /* use of capital */                                                                           \
    X(exposure, QS_PART, 0, "part of the time with a position")                                    \
    X(gross_leverage, QS_RATIO, 0,                                                                 \
      "mean over days of (sum of absolute position values / E) at the day's close (pyfolio "       \
      "gross_lev)")                                                                                \
    X(gross_leverage_max, QS_RATIO, -1,                                                            \
      "largest (sum of absolute position values / E) of all marks")                                \
    X(net_leverage, QS_RATIO, 0,                                                                   \
      "gross_leverage with the long and the short of one instrument taken together; none where "   \
      "there never were both")                                                                     \
    X(net_leverage_max, QS_RATIO, -1, "gross_leverage_max likewise")                               \
    X(position_value, QS_MONEY, 0,                                                                 \
      "mean over days of the sum of absolute position values at the day's close")                  \
    X(position_value_max, QS_MONEY, 0, "largest sum of absolute position values of all marks")     \
    X(turnover, QS_RATIO, -1,                                                                      \
      "sum over days of (traded value / E at the day's start) x A / n: times a year, buys and "    \
      "sells both counted (pyfolio get_turnover, denominator portfolio_value, x A)")               \
    /* against the benchmark b, daily returns of its closes */                                     \
    X(benchmark_return, QS_PART, 0, "b over the span")                                             \
    X(benchmark_cagr, QS_PART, 0, "cagr of b")                                                     \
    X(benchmark_volatility, QS_PART, 0, "volatility of b")                                         \
    X(benchmark_sharpe, QS_RATIO, 0, "sharpe of b")                                                \
    X(benchmark_max_drawdown, QS_PART, 0, "max_drawdown_daily of b")                               \
    X(beta, QS_RATIO, 0, "cov(r - f, b - f) / var(b - f) (empyrical beta)")                        \
    X(alpha, QS_PART, 1, "(1 + mean(r - f) - beta mean(b - f))^A - 1 (empyrical alpha)")           \
    X(correlation, QS_RATIO, 0, "Pearson's, of r and b")                                           \
    X(tracking_error, QS_PART, 0, "sd(r - b) sqrt(A) (PerformanceAnalytics TrackingError)")        \
    X(information_ratio, QS_RATIO, 1,                                                              \
      "mean(r - b) / sd(r - b) sqrt(A) (empyrical excess_sharpe x sqrt(A))")                       \
    X(excess_return, QS_PART, 1, "cagr - benchmark_cagr (PerformanceAnalytics ActivePremium)")

/* Name, unit and definition of one figure. */
struct qs_figure {
    const char *name;  /* as in JSON and thresholds */
    const char *words; /* its definition */
    enum qs_unit unit; /* how it is written */
    int8_t better;     /* 1 = more is better, -1 = less, 0 = neither */
};

#define QS_FIGURE_FIELD(name, unit, better, words) double name;
/* All figures; the fields are those of QS_FIGURES. */
struct qs_figures {
    QS_FIGURES(QS_FIGURE_FIELD) /* one double each */
};
#undef QS_FIGURE_FIELD

enum { QS_FIGURE_CNT = (int)(sizeof(struct qs_figures) / sizeof(double)) }; /* how many */
/* The table, in the order of the struct. */
extern const struct qs_figure qs_figure_table[QS_FIGURE_CNT];

/* qs_figure_find returns the index of the figure called name, or -1. */
int qs_figure_find(const char *name);
/* qs_figure_value returns figure idx of f. */
double qs_figure_value(const struct qs_figures *f, int idx);
#endif
