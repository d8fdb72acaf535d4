#include "quant/stats/sharpe.h"
#include "quant/stats/number.h"

/* spread returns the variance of a Sharpe ratio's estimate, times n - 1. */
static double spread(double sharpe, double skew, double kurtosis) {
    return 1 - skew * sharpe + (kurtosis + 2) / 4 * sharpe * sharpe;
}

double qs_psr(double sharpe, double against, double n, double skew, double kurtosis) {
    double v = spread(sharpe, skew, kurtosis);
    if (!(n >= 2) || !(v > 0)) return QS_NONE;
    return qs_normal_cdf((sharpe - against) * qs_sqrt(n - 1) / qs_sqrt(v));
}

double qs_sharpe_of_luck(double variance, double trials) {
    const double euler = 0.5772156649015328606, e = 2.7182818284590452354;
    if (!(trials >= 2) || !(variance >= 0)) return QS_NONE;
    return qs_sqrt(variance) * ((1 - euler) * qs_normal_quantile(1 - 1 / trials) +
                                euler * qs_normal_quantile(1 - 1 / (trials * e)));
}

double qs_dsr(double sharpe, double n, double skew, double kurtosis, double variance,
              double trials) {
    return qs_psr(sharpe, qs_sharpe_of_luck(variance, trials), n, skew, kurtosis);
}

double qs_min_trl(double sharpe, double against, double skew, double kurtosis, double error) {
    double z = qs_normal_quantile(1 - error) / (sharpe - against);
    if (!(sharpe > against) || !(error < 0.5)) return QS_NONE;
    return 1 + spread(sharpe, skew, kurtosis) * z * z;
}
