/* sharpe.h - how sure a Sharpe ratio is: probabilistic, deflated, and how long a record must be.
 *
 * For     judging one strategy, and the best of many tried. All Sharpe ratios here are per period
 *         (per day), not annualised; kurtosis is excess (normal = 0).
 * Source  Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier", J. Risk 15(2), 2012;
 *         "The Deflated Sharpe Ratio", J. Portfolio Management 40(5), 2014. */
#ifndef QUANT_STATS_SHARPE_H
#define QUANT_STATS_SHARPE_H
#include <stdint.h>

/* qs_psr returns the probability that the true Sharpe ratio is above against, when sharpe was seen
 * in n periods: cdf((sharpe - against) sqrt(n - 1) / sqrt(1 - skew sharpe + (kurtosis + 2) / 4
 * sharpe^2)). QS_NONE for n < 2 or where the root's argument is not above 0. */
double qs_psr(double sharpe, double against, double n, double skew, double kurtosis);
/* qs_sharpe_of_luck returns the Sharpe ratio that the best of trials (>= 2) independent tries has
 * by luck alone, when variance is that of the Sharpe ratios of the tries (per period). */
double qs_sharpe_of_luck(double variance, double trials);
/* qs_dsr is qs_psr against qs_sharpe_of_luck. */
double qs_dsr(double sharpe, double n, double skew, double kurtosis, double variance,
              double trials);
/* qs_min_trl returns how many periods make the true ratio be above against with 1 - error
 * (0 < error < 0.5); QS_NONE when sharpe <= against. */
double qs_min_trl(double sharpe, double against, double skew, double kurtosis, double error);
#endif
