#include "quant/stats/number.h"
#include <math.h>
#include <string.h>

/* log 2 in two parts, the first with so few digits that its small multiples are exact. */
static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;

/* bits returns the representation of x. */
static uint64_t bits(double x) {
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}
/* from_bits is the reverse. */
static double from_bits(uint64_t b) {
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

double qs_sqrt(double x) {
    return x >= 0 ? sqrt(x) : QS_NONE;
}

/* power_of_two returns 2 to the k, -1022 <= k <= 1023. */
static double power_of_two(int k) {
    return from_bits((uint64_t)(k + 1023) << 52);
}

double qs_exp(double x) {
    if (qs_is_none(x)) return x;
    if (x > 709.782712893384) return from_bits((uint64_t)0x7ff << 52);
    if (x < -745.1332191019411) return 0;
    int k = (int)(x * 1.44269504088896338700 + (x < 0 ? -0.5 : 0.5));
    double high = x - k * ln2_high, low = k * ln2_low, r = high - low, t = r * r;
    double c =
        r - t * (1.66666666666666019037e-01 +
                 t * (-2.77777777770155933842e-03 +
                      t * (6.61375632143793436117e-05 +
                           t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))));
    double y = 1 - ((low - (r * c) / (2 - c)) - high);
    if (k > 1000) return y * power_of_two(1000) * power_of_two(k - 1000);
    if (k < -1000) return y * power_of_two(-1000) * power_of_two(k + 1000);
    return y * power_of_two(k);
}

double qs_log(double x) {
    if (!(x > 0)) return QS_NONE;
    if (x > 1.7976931348623157e308) return x;
    int k = 0;
    if (x < 2.2250738585072014e-308) { /* few digits: make it an ordinary number first */
        x *= 18014398509481984.0;
        k = -54;
    }
    uint64_t b = bits(x);
    k += (int)(b >> 52) - 1023;
    double m = from_bits((b & 0xfffffffffffffULL) | (uint64_t)1023 << 52);
    if (m > 1.41421356237309504880) {
        m *= 0.5;
        k++;
    }
    double f = m - 1, s = f / (2 + f), z = s * s, w = z * z;
    double even = w * (3.999999999940941908e-01 +
                       w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    double odd = z * (6.666666666666735130e-01 +
                      w * (2.857142874366239149e-01 +
                           w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    double half = 0.5 * f * f;
    return k * ln2_high - ((half - (s * (half + (even + odd)) + k * ln2_low)) - f);
}

double qs_pow(double x, double y) {
    if (y == 0) return 1;
    if (x == 0) return y > 0 ? 0 : QS_NONE;
    return qs_exp(y * qs_log(x));
}

/* tail_exp returns exp(-y^2) with y^2 split so that nothing of it is lost. */
static double tail_exp(double y) {
    double near = (double)(int64_t)(y * 16) / 16;
    return qs_exp(-near * near) * qs_exp(-(y - near) * (y + near));
}

double qs_erfc(double x) {
    static const double a[] = { 3.16112374387056560e00, 1.13864154151050156e02,
                                3.77485237685302021e02, 3.20937758913846947e03,
                                1.85777706184603153e-1 };
    static const double b[] = { 2.36012909523441209e01, 2.44024637934444173e02,
                                1.28261652607737228e03, 2.84423683343917062e03 };
    static const double c[] = { 5.64188496988670089e-1, 8.88314979438837594e0,
                                6.61191906371416295e01, 2.98635138197400131e02,
                                8.81952221241769090e02, 1.71204761263407058e03,
                                2.05107837782607147e03, 1.23033935479799725e03,
                                2.15311535474403846e-8 };
    static const double d[] = { 1.57449261107098347e01, 1.17693950891312499e02,
                                5.37181101862009858e02, 1.62138957456669019e03,
                                3.29079923573345963e03, 4.36261909014324716e03,
                                3.43936767414372164e03, 1.23033935480374942e03 };
    static const double p[] = { 3.05326634961232344e-1, 3.60344899949804439e-1,
                                1.25781726111229246e-1, 1.60837851487422766e-2,
                                6.58749161529837803e-4, 1.63153871373020978e-2 };
    static const double q[] = { 2.56852019228982242e00, 1.87295284992346725e00,
                                5.27905102951428412e-1, 6.05183413124413191e-2,
                                2.33520497626869185e-3 };
    double y = x < 0 ? -x : x, top, under, result;
    if (qs_is_none(x)) return x;
    if (y <= 0.46875) {
        double z = y * y;
        top = a[4] * z;
        under = z;
        for (int i = 0; i < 3; i++) {
            top = (top + a[i]) * z;
            under = (under + b[i]) * z;
        }
        return 1 - x * (top + a[3]) / (under + b[3]);
    }
    if (y <= 4) {
        top = c[8] * y;
        under = y;
        for (int i = 0; i < 7; i++) {
            top = (top + c[i]) * y;
            under = (under + d[i]) * y;
        }
        result = tail_exp(y) * (top + c[7]) / (under + d[7]);
    } else if (y < 26.543) {
        double z = 1 / (y * y);
        top = p[5] * z;
        under = z;
        for (int i = 0; i < 4; i++) {
            top = (top + p[i]) * z;
            under = (under + q[i]) * z;
        }
        result = z * (top + p[4]) / (under + q[4]);
        result = tail_exp(y) * (5.6418958354775628695e-1 - result) / y;
    } else {
        result = 0;
    }
    return x < 0 ? 2 - result : result;
}

double qs_normal_cdf(double x) {
    return 0.5 * qs_erfc(-x * 7.07106781186547524401e-1);
}
double qs_normal_pdf(double x) {
    return 3.98942280401432677940e-1 * qs_exp(-0.5 * x * x);
}

/* ratio returns the quotient of two polynomials of degree 7 at r, the second beginning with 1. */
static double ratio(const double top[8], const double under[8], double r) {
    double t = top[7], u = under[7];
    for (int i = 6; i >= 0; i--) {
        t = t * r + top[i];
        u = u * r + under[i];
    }
    return t / u;
}

double qs_normal_quantile(double p) {
    static const double a[] = { 3.3871328727963666080e0,  1.3314166789178437745e+2,
                                1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3 };
    static const double b[] = { 1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3 };
    static const double c[] = { 1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4 };
    static const double d[] = { 1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9 };
    static const double e[] = { 6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7 };
    static const double f[] = { 1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15 };
    if (!(p > 0 && p < 1)) return QS_NONE;
    double q = p - 0.5;
    if (q >= -0.425 && q <= 0.425) return q * ratio(a, b, 0.180625 - q * q);
    double r = qs_sqrt(-qs_log(q < 0 ? p : 1 - p));
    r = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -r : r;
}
