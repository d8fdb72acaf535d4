/* number.h - exp, log, powers and the normal distribution, the same on every machine.
 *
 * For     statistics and whatever decides by them: libm's results differ between versions, these
 *         are made of additions, multiplications, divisions and square roots alone, which IEEE 754
 *         fixes to the bit.
 * Thread  pure functions.
 * Cost    5 to 30 ns.
 * Source  exp, log: argument reduction and minimax polynomials of fdlibm (Sun Microsystems 1993),
 *         below 1 ulp. erfc: Cody, "Rational Chebyshev approximations for the error function",
 *         Math. Comp. 23 (1969), relative error below 1e-15. The inverse: Wichura, algorithm
 *         AS 241 (PPND16), Applied Statistics 37 (1988), relative error about 1e-16. */
#ifndef QUANT_STATS_NUMBER_H
#define QUANT_STATS_NUMBER_H
#include <stdbool.h>
#include <stdint.h>

/* QS_NONE is a figure that is not defined: a NaN. Test with qs_is_none, never with ==. */
#define QS_NONE (__builtin_nan(""))

/* qs_is_none tells whether x is not a number. */
static inline bool qs_is_none(double x) {
    return x != x;
}
/* qs_sqrt is the square root, correctly rounded; QS_NONE below 0. */
double qs_sqrt(double x);
/* qs_exp is e to the x: 0 far below -745, infinity above 709.78. */
double qs_exp(double x);
/* qs_log is the natural logarithm; QS_NONE for x <= 0. */
double qs_log(double x);
/* qs_pow is x to the y for x >= 0 (0 to the y is 0 for y > 0, 1 for y == 0); QS_NONE for x < 0. Its
 * relative error is some |y log x| ulp. */
double qs_pow(double x, double y);
/* qs_erfc is the complementary error function. */
double qs_erfc(double x);
/* qs_normal_cdf is the part of a standard normal distribution below x. */
double qs_normal_cdf(double x);
/* qs_normal_pdf is the density of a standard normal distribution at x. */
double qs_normal_pdf(double x);
/* qs_normal_quantile is the x with qs_normal_cdf(x) == p; QS_NONE unless 0 < p < 1. */
double qs_normal_quantile(double p);
#endif
