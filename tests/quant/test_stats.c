/* Goal    every figure is what its definition says, to the digits that others published.
 * Method  vectors of facts: the regression figures of empyrical's own tests (8 places), of
 *         PerformanceAnalytics' examples on the 24 months of Bacon ("Practical portfolio
 *         performance measurement and attribution", 2008; 7 places), of the papers on PSR and DSR,
 *         of backtrader's SQN and VWR; C's libm for exp, log, erfc; and properties on random walks
 *         from a printed seed. Whole runs are compared with tests/reference/stats.py elsewhere. */
#include "quant/stats/calendar.h"
#include "quant/stats/portfolio.h"
#include "quant/stats/report.h"
#include "quant/stats/select.h"
#include "quant/stats/sharpe.h"
#include "quant/stats/sum.h"
#include "tests/support/check.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* near tells whether got is want to the given absolute error. */
static bool near(double got, double want, double error) {
    bool ok = fabs(got - want) <= error;
    if (!ok) printf("got %.17g, want %.17g\n", got, want);
    return ok;
}
/* close_to tells whether got is want to a relative error. */
static bool close_to(double got, double want, double error) {
    return near(got, want, error * fabs(want));
}

static const double benchmark[] = { 0, .01, 0, .01, 0, .01, 0, .01, 0 };
static const double positive[] = { .01, .02, .01, .01, .01, .01, .01, .01, .01 };
static const double negative[] = { 0, -.06, -.07, -.01, -.09, -.02, -.06, -.08, -.05 };
static const double mixed[] = { .01, .10, -.04, .02, .03, .02, .01, -.10 };
static const double longer[] = { 0, .01, .10, -.04, .02, .03, .02, .01, -.10 };
static const double one[] = { -0.00171614, 0.01322056, 0.03063862,  -0.01422057,
                              -0.00489779, 0.01268925, -0.03357711, 0.01797036 };
static const double two[] = { 0.01846232,  0.00793951, -0.01448395, 0.00422537,
                              -0.00339611, 0.03756813, 0.0151531,   0.03549769 };
/* Bacon's portfolio and benchmark, monthly. */
static const double bacon[] = { 0.003,  0.026,  0.011,  -0.010, 0.015,  0.025, 0.016,  0.067,
                                -0.014, 0.040,  -0.005, 0.081,  0.040,  -.037, -0.061, 0.017,
                                -0.049, -0.022, 0.070,  0.058,  -0.065, 0.024, -0.005, -0.009 };
static const double bacon_b[] = { 0.002,  0.025, 0.018,  -0.011, 0.014,  0.018,  0.014,  0.065,
                                  -0.015, 0.042, -0.006, 0.083,  0.039,  -0.038, -0.062, 0.015,
                                  -0.048, 0.021, 0.060,  0.056,  -0.067, 0.019,  -0.003, 0.000 };

/* A report of given returns, one a day, and what it takes. */
struct made {
    struct qs_report r;              /* the report */
    struct qs_point points[2048];    /* the curve */
    struct qs_point against[2048];   /* the benchmark */
    uint64_t memory[2048 * 64 + 64]; /* of the report */
};

/* curve_of fills points with 100, 100 (1 + ret[0]), ... a day each from 2000-01-30. */
static void curve_of(const double *ret, size_t n, struct qs_point *points) {
    double value = 100;
    for (size_t i = 0; i <= n; i++) {
        points[i] = (struct qs_point){ (10986 + (int64_t)i) * QS_DAY_NS, value, QS_NONE, QS_NONE };
        if (i < n) value *= 1 + ret[i];
    }
}

/* make reports on returns (against others, or NULL) with a_year days and annual rates. */
static const struct qs_report *make(const double *ret, const double *against, size_t n,
                                    double a_year, double risk_free, double required) {
    static struct made m;
    struct qs_input in = { .points = m.points, .point_cnt = n + 1 };
    struct qs_options o = qs_options_default(QS_EVERY_DAY);
    curve_of(ret, n, m.points);
    if (against) {
        curve_of(against, n, m.against);
        in.benchmark = m.against;
        in.benchmark_cnt = n + 1;
    }
    o.days_a_year = a_year;
    o.risk_free = risk_free;
    o.required_return = required;
    size_t bytes = qs_report_bytes(&in, &o);
    assert_true(bytes > 0);
    assert_true(bytes < sizeof m.memory);
    m.memory[bytes / 8] = 0x5aa5;
    qs_report_make(&in, &o, m.memory, &m.r);
    assert_int_equal(m.memory[bytes / 8], 0x5aa5);
    assert_int_equal(m.r.day_cnt, n);
    return &m.r;
}

/* Figures of empyrical/tests/test_stats.py, quantopian/empyrical 40f61b4. */
static void test_empyrical(void **state) {
    (void)state;
    const struct qs_figures *f = &make(longer, NULL, 9, 52, 0, 0)->figures;
    assert_true(near(f->cagr, 0.24690830513998208, 1e-8));
    assert_true(near(f->volatility, 0.38851569394870583, 1e-8));
    assert_true(near(f->calmar, 2.4690830513998208, 1e-8));
    assert_true(near(f->downside_deviation, 0.25888650451930134, 1e-8));
    assert_true(near(f->sortino, 1.1158901056866439, 1e-8));
    assert_true(near(f->max_drawdown_daily, 0.1, 1e-8));
    assert_true(near(f->max_drawdown, 0.1, 1e-8));
    assert_true(near(f->tail_ratio, 0.9473684210526313, 1e-8));
    assert_true(near(f->total_return, 0.03893, 1e-5));
    f = &make(longer, NULL, 9, 12, 0, 0)->figures;
    assert_true(near(f->cagr, 0.052242061386048144, 1e-8));
    assert_true(near(f->volatility, 0.18663690238892558, 1e-8));
    assert_true(near(f->calmar, 0.52242061386048144, 1e-8));
    assert_true(near(f->downside_deviation, 0.1243650540411842, 1e-8));
    assert_true(near(f->sortino, 0.53605626741889756, 1e-8));
    f = &make(mixed, NULL, 8, 252, 0, 0)->figures;
    assert_true(near(f->volatility, 0.9136465399704637, 1e-8));
    assert_true(near(f->sharpe, 1.7238613961706866, 1e-8));
    assert_true(near(f->downside_deviation, 0.60448325038829653, 1e-8));
    assert_true(near(f->sortino, 2.605531251673693, 1e-8));
    f = &make(mixed, NULL, 8, 252, 0, 10)->figures;
    assert_true(near(f->omega, 0.83354263497557934, 1e-8));
    f = &make(mixed, NULL, 8, 252, pow(1.01, 252) - 1, 0)->figures; /* 1 % a day */
    assert_true(near(f->omega, 0.8125, 1e-8));
    f = &make(mixed, NULL, 8, 252, 0, pow(1.01, 252) - 1)->figures;
    assert_true(near(f->sortino, -1.3934779588919977, 1e-8));
    f = &make(mixed, negative + 1, 8, 252, 0, 0)->figures;
    assert_true(near(f->alpha, -0.9997853834885004, 1e-8));
    assert_true(near(f->beta, -0.71296296296296313, 1e-8));
    static const double zero[8], rise[8] = { .01, .01, .01, .01, .01, .01, .01, .01 };
    f = &make(mixed, zero, 8, 252, 0, 0)->figures;
    assert_true(near(f->information_ratio / sqrt(252), 0.10859306069076737, 1e-8));
    assert_true(qs_is_none(f->beta));
    f = &make(mixed, rise, 8, 252, 0, 0)->figures;
    assert_true(near(f->information_ratio / sqrt(252), -0.06515583641446039, 1e-8));
    f = &make(mixed, mixed, 8, 252, 0, 0)->figures;
    assert_true(near(f->beta, 1, 1e-8));
    assert_true(near(f->alpha, 0, 1e-8));
    assert_true(qs_is_none(f->information_ratio));
    f = &make(positive, NULL, 9, 252, 0, 0)->figures;
    assert_true(near(f->sharpe, 52.915026221291804, 1e-8));
    assert_true(qs_is_none(f->sortino)); /* no loss: empyrical says infinity */
    assert_true(f->max_drawdown_daily == 0);
    f = &make(negative, NULL, 9, 252, 0, 0)->figures;
    assert_true(near(f->sharpe, -24.406808633910085, 1e-8));
    assert_true(near(f->sortino, -13.532743075043401, 1e-8));
    assert_true(near(f->total_return, -0.36590, 1e-5));
    assert_true(near(f->max_drawdown, -f->total_return, 1e-12));
    f = &make(benchmark, NULL, 9, 252, 0, 0)->figures;
    assert_true(f->max_drawdown == 0);
    f = &make(one, NULL, 8, 252, 0, 0)->figures;
    assert_true(near(f->downside_deviation, 0.20671788246185202, 1e-8));
    assert_true(near(f->sortino, 3.0639640966566306, 1e-8));
    f = &make(two, NULL, 8, 252, 0, 0)->figures;
    assert_true(near(f->downside_deviation, 0.083495680595704475, 1e-8));
    assert_true(near(f->sortino, 38.090963117002495, 1e-8));
    static const double flat[9] = { .01, .01, .01, .01, .01, .01, .01, .01, .01 };
    f = &make(flat, NULL, 9, 252, 0, 0)->figures;
    assert_true(near(f->cagr, 11.274002099240244, 1e-8));
    /* its cum_returns of the negative ones, as an underwater curve; 4 places */
    const struct qs_report *r = make(negative, NULL, 9, 252, 0, 0);
    static const double under[] = { 0, .06, .1258, .13454, .21243, .22818, .27449, .33253, .36590 };
    for (int i = 0; i < 9; i++) assert_true(near(r->days[i].underwater, under[i], 1e-5));
}

/* Rolling figures: its test_roll_sharpe_ratio, window 6, 8 places. */
static void test_empyrical_rolling(void **state) {
    (void)state;
    static const double want[] = { -18.09162052, -26.79897486, -26.69138263, -25.72298838 };
    struct qs_options o = qs_options_default(QS_WEEKDAYS);
    struct qs_point points[10];
    static uint64_t memory[4096];
    struct qs_report r;
    o.days = (struct qs_days){ .calendar = QS_EVERY_DAY };
    o.rolling_days = 6;
    curve_of(negative, 9, points);
    struct qs_input in = { .points = points, .point_cnt = 10 };
    assert_true(qs_report_bytes(&in, &o) <= sizeof memory);
    qs_report_make(&in, &o, memory, &r);
    for (int i = 0; i < 9; i++)
        if (i < 5)
            assert_true(qs_is_none(r.days[i].rolling_sharpe));
        else
            assert_true(near(r.days[i].rolling_sharpe, want[i - 5], 1e-7));
}

/* PerformanceAnalytics' printed examples on Bacon's portfolio (tests/testthat/_snaps). */
static void test_bacon(void **state) {
    (void)state;
    struct qs_moments m, b;
    struct qs_fit fit;
    qs_moments_of(bacon, 24, &m);
    qs_moments_of(bacon_b, 24, &b);
    qs_fit_of(bacon_b, bacon, 24, &fit);
    double down = qs_downside(bacon, 24, 0.005);
    assert_true(near(down, 0.02553674, 5e-9));                     /* DownsideDeviation */
    assert_true(near((m.mean - 0.005) / down, 0.157, 5e-4));       /* Kappa, l = 2 */
    assert_true(near(qs_omega(bacon, 24, 0), 1.779783, 5e-7));     /* BernardoLedoitRatio */
    assert_true(near(qs_omega(bacon, 24, 0.005) - 1, 0.29, 5e-3)); /* OmegaSharpeRatio */
    assert_true(near(m.kurtosis, -0.57, 5e-3));                    /* kurtosis, excess */
    assert_true(near(m.skew / (m.kurtosis + 3), -0.034, 5e-4));    /* SkewnessKurtosisRatio */
    assert_true(near(m.sd / b.sd, 1.03, 5e-3));                    /* FamaBeta */
    double year = pow(make(bacon, NULL, 24, 12, 0, 0)->figures.cagr + 1, 1) - 1;
    double year_b = make(bacon_b, NULL, 24, 12, 0, 0)->figures.cagr;
    double jensen = year - fit.beta * year_b, sharpe = year / (m.sd * sqrt(12));
    assert_true(near(jensen, -0.01416944, 5e-9));            /* CAPM.jensenAlpha */
    assert_true(near(jensen / fit.beta, -0.01418576, 5e-9)); /* AppraisalRatio */
    assert_true(near(sharpe * (1 + m.skew / 6 * sharpe - m.kurtosis / 24 * sharpe * sharpe),
                     0.7591435, 5e-8));                  /* AdjustedSharpeRatio */
    double specific = b.sd * sqrt(23.0 / 24) * fit.beta; /* of what the fit leaves: */
    specific = sqrt(12 * (m.sd * m.sd * 23.0 / 24 - specific * specific));
    assert_true(near(jensen / specific, -0.4302756, 5e-8));
    const struct qs_report *r = make(bacon, bacon_b, 24, 12, 0, 0);
    struct qs_sum pain = { 0 };
    for (int i = 0; i < 24; i++) qs_sum_add(&pain, r->days[i].underwater);
    assert_true(near(qs_sum_value(&pain) / 24, 0.04, 5e-5)); /* PainIndex */
}

/* The papers' examples (Bailey and Lopez de Prado 2012, 2014), as METHODS gives them. */
static void test_sharpe(void **state) {
    (void)state;
    double sr = 2.5 / sqrt(250), v = 0.5 / 250;
    assert_true(near(qs_sharpe_of_luck(v, 100), 0.113172, 5e-7));
    assert_true(near(qs_dsr(sr, 1250, -3, 10 - 3, v, 100), 0.900397, 5e-7));
    assert_true(near(qs_dsr(sr, 1250, -3, 10 - 3, v, 46), 0.950502, 5e-7));
    assert_true(near(qs_dsr(sr, 1250, 0, 0, v, 88), 0.950491, 5e-7));
    assert_true(near(qs_psr(0.1, 0, 100, -0.5, 5 - 3), 0.833082, 5e-7));
    assert_true(near(qs_min_trl(0.1, 0, -0.5, 5 - 3, 0.05), 287.79, 5e-3));
    assert_true(qs_is_none(qs_min_trl(0.1, 0.1, 0, 0, 0.05)));
    assert_true(qs_is_none(qs_psr(0.1, 0, 1, 0, 0)));
}

/* exp, log, erfc, pow against the machine's libm; the quantile by its round trip. */
static void test_numbers(void **state) {
    (void)state;
    for (uint64_t seed = 1, gen = 1; seed <= 200000; seed++) {
        double u = (double)gen_range(&gen, -1000000000, 1000000000) / 1e9;
        double x = u * 700, y = exp(u * 40);
        CHECK(seed, fabs(qs_exp(x) / exp(x) - 1) < 4e-16);
        CHECK(seed, fabs(qs_log(y) - log(y)) <= 4e-16 * fabs(log(y)));
        CHECK(seed, fabs(qs_erfc(u * 20) / erfc(u * 20) - 1) < 3e-14);
        double p = 0.5 + u * 0.4999999;
        CHECK(seed, fabs(qs_normal_cdf(qs_normal_quantile(p)) / p - 1) < 1e-13);
        CHECK(seed, fabs(qs_pow(y, u) / pow(y, u) - 1) < 1e-14);
    }
    /* Abramowitz and Stegun 26.2, and statistics.NormalDist */
    assert_true(close_to(qs_normal_quantile(0.975), 1.959963984540054, 1e-15));
    assert_true(close_to(qs_normal_quantile(1e-10), -6.361340902404056, 1e-15));
    assert_true(close_to(qs_normal_quantile(0.05), -1.6448536269514729, 1e-15));
    assert_true(qs_exp(-800) == 0);
    assert_true(isinf(qs_exp(800)));
    assert_true(close_to(qs_exp(-740), exp(-740), 1e-12));
    assert_true(close_to(qs_exp(709.5), exp(709.5), 1e-15));
    assert_true(close_to(qs_log(5e-320), log(5e-320), 1e-15));
    assert_true(qs_is_none(qs_log(0)));
    assert_true(qs_is_none(qs_pow(-1, 2)));
    assert_true(qs_is_none(qs_normal_quantile(1)));
}

/* Days to dates and back, against the C library's gmtime. */
static void test_calendar(void **state) {
    (void)state;
    for (int32_t day = -800000; day < 800000; day += 7) {
        time_t at = (time_t)day * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&at, &tm));
        struct qs_date d = qs_date_of(day);
        assert_int_equal(d.year, tm.tm_year + 1900);
        assert_int_equal(d.month, tm.tm_mon + 1);
        assert_int_equal(d.day, tm.tm_mday);
        assert_int_equal(qs_weekday(day), (tm.tm_wday + 6) % 7);
        assert_int_equal(qs_day_of(d.year, d.month, d.day), day);
    }
    assert_int_equal(qs_day_closed(QS_DAY_NS), 0);
    assert_int_equal(qs_day_opened(QS_DAY_NS), 1);
    assert_int_equal(qs_day_closed(QS_DAY_NS + 1), 1);
    assert_int_equal(qs_day_closed(0), -1);
}

/* Which days close, and at what. */
static void test_days(void **state) {
    (void)state;
    const int64_t hour = QS_DAY_NS / 24, day = 19723 * QS_DAY_NS; /* 2024-01-01, a Monday */
    const struct qs_point points[] = {
        { day, 100, 0, 0 },
        { day + 24 * hour, 101, 0, 0 },           /* midnight: closes Monday */
        { day + 24 * hour + 1, 90, 0, 0 },        /* Tuesday */
        { day + 30 * hour, 102, 0, 0 },           /* and again */
        { day + 5 * QS_DAY_NS + hour, 80, 0, 0 }, /* Saturday */
        { day + 8 * QS_DAY_NS, 110, 0, 0 },       /* closes the Monday after */
    };
    int32_t days[10];
    double close[10];
    struct qs_days every = { .calendar = QS_EVERY_DAY }, week = { .calendar = QS_WEEKDAYS };
    assert_int_equal(qs_days_cnt(&every, points[0].time_ns, points[5].time_ns), 8);
    assert_int_equal(qs_days_close(&every, points, 6, days, close), 8);
    static const double want[] = { 101, 102, 102, 102, 102, 80, 80, 110 };
    for (int i = 0; i < 8; i++) assert_true(close[i] == want[i]);
    assert_int_equal(qs_days_close(&week, points, 6, days, close), 6);
    static const double at_work[] = { 101, 102, 102, 102, 102, 110 };
    for (int i = 0; i < 6; i++) assert_true(close[i] == at_work[i]);
    assert_int_equal(days[4], 19727);
    assert_int_equal(days[5], 19730);
    const int32_t listed[] = { 19700, 19724, 19728, 19800 };
    struct qs_days some = { QS_LISTED, listed, 4 };
    assert_int_equal(qs_days_close(&some, points, 6, days, close), 2);
    assert_true(close[0] == 102);
    assert_true(close[1] == 110); /* the last takes what is behind it */
    assert_int_equal(qs_days_close(&every, points, 1, days, close), 0);
}

/* Falls: the deepest, the longest, one that is not made good, a plateau. */
static void test_drawdowns(void **state) {
    (void)state;
    static const double e[] = {
        100, 110, 110, 99, 105, 110, 120, 119, 118, 119, 119, 120, 130, 65
    };
    struct qs_point p[14];
    struct qs_drawdown d[2], longest;
    int64_t below;
    for (int i = 0; i < 14; i++) p[i] = (struct qs_point){ i * 10, e[i], 0, 0 };
    assert_int_equal(qs_drawdowns(p, 14, d, 2, &longest, &below), 2);
    assert_true(near(d[0].depth, 0.5, 1e-15));
    assert_int_equal(d[0].peak_ns, 120);
    assert_int_equal(d[0].recovery_ns, INT64_MAX);
    assert_int_equal(d[0].end_ns, 130);
    assert_true(near(d[1].depth, 0.1, 1e-15));
    assert_int_equal(d[1].peak_ns, 20); /* when it last stood there */
    assert_int_equal(d[1].trough_ns, 30);
    assert_int_equal(d[1].recovery_ns, 50);
    assert_int_equal(longest.peak_ns, 60);
    assert_int_equal(longest.end_ns, 110);
    assert_int_equal(below, 30 + 50 + 10);
}

/* Round trips: a list whose figures were reckoned by hand, and backtrader's SQN. */
static void test_trades(void **state) {
    (void)state;
    static const double pnl[] = { 10, -5, 0, 20, 30, -15, -10, 40 };
    struct qs_trade t[11];
    struct qs_trade_figures f;
    double scratch[11];
    memset(t, 0, sizeof t);
    for (int i = 0; i < 8; i++)
        t[i] = (struct qs_trade){ .entry_ns = i * INT64_C(1000000000),
                                  .exit_ns = (i * i + i + 1) * INT64_C(1000000000),
                                  .quantity = 2,
                                  .entry_price = 50,
                                  .exit_price = 50,
                                  .pnl = pnl[i],
                                  .fee = 1,
                                  .mae = i ? 0.01 * i : QS_NONE,
                                  .mfe = QS_NONE,
                                  .side = i % 2 ? -1 : 1 };
    qs_trade_figures_of(t, 8, 0, scratch, &f);
    assert_int_equal(f.cnt, 8);
    assert_int_equal(f.wins, 4);
    assert_int_equal(f.losses, 3);
    assert_true(f.profit == 100 && f.loss == 30 && f.pnl == 70 && f.fees == 8);
    assert_true(near(f.win_rate, 0.5, 0));
    assert_true(near(f.profit_factor, 100.0 / 30, 1e-15));
    assert_true(near(f.expectancy, 8.75, 0));
    assert_true(near(f.payoff, 2.5, 1e-15));
    assert_true(near(f.expectancy_r, 0.875, 1e-15));
    assert_true(f.largest_win == 40 && f.largest_loss == 15);
    assert_int_equal(f.win_streak, 2);
    assert_int_equal(f.loss_streak, 2);
    assert_true(near(f.mean_return, 0.0875, 1e-15));
    assert_true(near(f.hold_median, (17 + 10) / 2.0, 0)); /* 1 2 5 10 17 26 37 50 */
    assert_true(f.hold_least == 1 && f.hold_greatest == 50);
    assert_true(near(f.mae_mean, 0.04, 1e-15));
    assert_true(qs_is_none(f.mfe_mean));
    qs_trade_figures_of(t, 8, -1, scratch, &f);
    assert_int_equal(f.cnt, 4);
    assert_true(f.pnl == -5 + 20 - 15 + 40);
    qs_trade_figures_of(t, 0, 0, scratch, &f);
    assert_true(qs_is_none(f.win_rate) && qs_is_none(f.sqn) && qs_is_none(f.hold_mean));
    /* backtrader, tests/test_analyzer-sqn.py: P&L of the 11 trades of its run (mean of 15 crossed,
     * multiplier 10, commission 2 a fill) made again from its data; it asserts 0.912550316439 */
    static const double sqn[] = { 1202, 104.2,  -504.2, -414,   -159, -582.5,
                                  28.7, 1267.5, -181.1, 1391.3, -29.8 };
    for (int i = 0; i < 11; i++) t[i] = (struct qs_trade){ .pnl = sqn[i], .side = 1 };
    qs_trade_figures_of(t, 11, 1, scratch, &f);
    assert_true(near(f.sqn, 0.912550316439, 5e-13));
}

/* backtrader's VWR of its sample: its documentation ("Variability Weighted Return", 2016) prints
 * 1.5221 for days. The curve is made again from the sample's data and rules (means of 10 and 30
 * crossed, one unit, next open): changes from day to day in cents, after 68 days at 10000. */
static void test_vwr(void **state) {
    (void)state;
    enum { FLAT = 68 };
    static const int16_t change[] = {
        -787,  -1542, 1536,  -521,  -6144, -6610, 59,    0,     0,     0,     0,     0,     0,
        0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,
        0,     0,     1691,  -134,  2053,  -443,  -671,  2624,  -208,  1254,  -1979, 4913,  515,
        -1676, -1507, 3562,  -923,  -266,  2092,  1598,  303,   -1531, 1254,  1839,  -1634, 1748,
        246,   872,   -2980, -2850, 2950,  1656,  298,   2700,  706,   -769,  1620,  -5405, 5446,
        2188,  -1007, 2434,  1653,  138,   -209,  3757,  -1029, -385,  -700,  535,   471,   786,
        2221,  -654,  -605,  2945,  -628,  -3301, -3013, 1192,  3888,  3955,  -1668, -2001, -777,
        -1896, -922,  -1436, 4433,  227,   -3116, -503,  -3573, -7,    0,     0,     0,     0,
        0,     0,     0,     0,     0,     0,     0,     -2806, 1344,  3,     2755,  -1029, 1936,
        -4886, -1452, 1929,  6938,  -1669, 4518,  -1667, 1576,  2083,  1490,  -4540, -3469, -1005,
        707,   629,   -2761, -2843, 1816,  703,   -2182, -479,  0,     0,     0,     0,     0,
        0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     640,
        162,   -2237, 1253,  2306,  2283,  50,    2092,  -1228, 693,   -1297, 1056,  -1660, 5436,
        1820,  -2023, 1744,  -1150, 504,   -958,  1327,  1427,  -922,  318,   3446,  -566,  1001,
        3088,  -97,   845,   1274,  -709,  1121,  -3740, 2540,  1001,  3812,  -222,  1675,  479,
        -2684, 2367,  159,   -4095, 1516,  -3434, -3990, 2305,  -4242, -649,  -1163, 4532,  92,
        0,     0,     0,     0,     0,     143,   384,   -152,  -943,  5544,  -3118, 3183,  702,
        -469,  2668,  1123,  -96,   1277,  3897,  -519,  1271,  1456,  -6605, 3152,  -4230, -2978,
        2012,  -887,  -1724, 2963,  4087,  2651,  851,   868,   -245,  -728,  960,   614,   2031,
        -835,  1076,  -4236, -1708, 1485,  4831,  -2087, 2490,  -2853, 1381,  -263,  -3818, 2041,
        -5471, -1187, 300,   -915,  5017,  -3,    0,     0,     0,     0,     0,     0,     2300,
        -4027, 2111,  3124,  321,   1341,  -2738, -2570, -8742, -3928, 30,    0,     0,     0,
        0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,
        0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,     0,
        0,     0,     0,     0,     0,     616,   -5211, 4375,  -1106, 1518,  -4873, 1272,  -6794,
        -5431, -963,  -651,  9354,  398,   -3255, 7585,  -143,  925,   854,   3889,  -1873, -5127,
        5575,  -2844, 5018,  -5906, 907,   3909,  -3175, -34,   4401,  4727,  2456,  916,   -870,
        -1415, 1530,  -3357, 2289,  -70,   2740,  -176,  1105,  -916,  1219,  1672,  -1985, -4555,
        -3251, 1038,  -802,  4690,  1659,  -890,  1546,  -364,  -2829, 6113,  1583,  -4441, 939,
        5080,  2326,  -120,  443,   -693,  -1234, 3459,  2513,  45,    -83,   2119,  672,   3254,
        -86,   290,   -5240, 4181,  -456,  1137,  2083,  -501,  513,   815,   -1002, -1235, -12,
        954,   -3972, 1584,  5476,  2764,  95,    -81,   -916,  2230,  -181,  2450,  88,    -3135,
        1838,  -68,   -109,  -921,  -3760, -6991, -314,  4798,  -3586, -5514, 372,   0,     0,
        0,     0,     0,     0,     0,     0,     0,     0,     -2053, 1806,  -644,  -3860, 6136,
        -420,  -1072
    };
    static double ret[FLAT + sizeof change / sizeof *change];
    size_t n = sizeof ret / sizeof *ret;
    double before = 10000;
    for (size_t i = FLAT; i < n; i++) {
        ret[i] = change[i - FLAT] / 100.0 / before;
        before += change[i - FLAT] / 100.0;
    }
    assert_true(near(before, 10496.68, 1e-9));
    assert_true(near(make(ret, NULL, n, 252, 0, 0)->figures.vwr, 1.5221, 5e-5));
}

/* How far trades went for and against. */
static void test_excursions(void **state) {
    (void)state;
    const struct qs_range bars[] = {
        { 0, 10, 120, 80 }, { 10, 20, 105, 98 }, { 20, 30, 112, 99 }, { 30, 40, 150, 50 }
    };
    struct qs_trade t = {
        .entry_ns = 10, .exit_ns = 30, .entry_price = 100, .exit_price = 101, .side = 1
    };
    qs_excursion(&t, bars, 4); /* the bars that end at its entry or begin at its exit are out */
    assert_true(near(t.mfe, 0.12, 1e-15));
    assert_true(near(t.mae, 0.02, 1e-15));
    t.side = -1;
    qs_excursion(&t, bars, 4);
    assert_true(near(t.mfe, 0.02, 1e-15));
    assert_true(near(t.mae, 0.12, 1e-15));
    t.entry_ns = t.exit_ns = 100;
    qs_excursion(&t, bars, 4);
    assert_true(near(t.mae, 0.01, 1e-15)); /* its own exit */
    assert_true(t.mfe == 0);
}

/* noise returns a number about a normal one, sum of uniform ones, of seed's stream. */
static double noise(uint64_t *gen) {
    double s = 0;
    for (int i = 0; i < 12; i++) s += (double)gen_range(gen, 0, 1000000) / 1e6;
    return s - 6;
}

/* Regimes look at no later day: whatever comes after, what was told stays; and a flat market with a
 * rise of 1 % a day turns bull after trend_days. */
static void test_regimes_are_causal(void **state) {
    (void)state;
    static double close[600], other[600], scratch[1200];
    static uint8_t a[600], b[600];
    struct qs_regime_rules rules = qs_regime_default();
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t gen = seed;
        int counts[QS_REGIMES] = { 0 };
        close[0] = 100;
        for (int i = 1; i < 600; i++)
            close[i] = close[i - 1] * exp(0.02 * noise(&gen) * (i % 200 < 100 ? 1 : 3));
        int cut = (int)gen_range(&gen, 100, 599);
        for (int i = 0; i < 600; i++)
            other[i] = i < cut ? close[i] : close[i] * (1 + (i - cut + 1) * 0.5);
        qs_regimes(close, 600, &rules, scratch, a);
        qs_regimes(other, 600, &rules, scratch, b);
        CHECK(seed, memcmp(a, b, (size_t)cut + 1) == 0); /* the cut day's own close is not in it */
        for (int i = 0; i < 600; i++) counts[a[i]]++;
        CHECK(seed, counts[QS_UNKNOWN] == 61);
        CHECK(seed, counts[QS_BULL_LOW] + counts[QS_SIDEWAYS_LOW] + counts[QS_BEAR_LOW] > 100);
        CHECK(seed, counts[QS_BULL_HIGH] + counts[QS_SIDEWAYS_HIGH] + counts[QS_BEAR_HIGH] > 100);
    }
    for (int i = 0; i < 600; i++) close[i] = 100 * pow(1.01, i);
    qs_regimes(close, 600, &rules, scratch, a);
    assert_int_equal(a[60], QS_UNKNOWN);
    assert_true(a[61] == QS_BULL_LOW || a[61] == QS_BULL_HIGH);
    assert_string_equal(qs_regime_name(QS_BEAR_HIGH), "bear_high");
}

/* The parts of a portfolio add up to it; Carino's links and Euler's split are exact. */
static void test_portfolio_adds_up(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        enum { N = 200, CNT = 4 };
        static double c[CNT][N], scratch[N];
        const double *list[CNT] = { c[0], c[1], c[2], c[3] };
        struct qs_component parts[CNT];
        double correlation[CNT * CNT], ret = 0, vol = 0, fall = 0;
        struct qs_portfolio p = { .parts = parts, .correlation = correlation };
        uint64_t gen = seed;
        for (int t = 0; t < N; t++) {
            double market = noise(&gen);
            for (int i = 0; i < CNT; i++)
                c[i][t] = i == 3 ? 0 : 0.005 * (market * i + noise(&gen)) + 0.0002;
        }
        qs_portfolio_of(list, CNT, N, 365, scratch, &p);
        for (int i = 0; i < CNT; i++) {
            ret += parts[i].contribution_return;
            vol += parts[i].contribution_volatility;
            fall += parts[i].contribution_drawdown;
            CHECK(seed, i == 3 || near(correlation[i * CNT + i], 1, 1e-14));
        }
        CHECK(seed, near(ret, p.ret, 1e-12));
        CHECK(seed, near(vol, p.volatility, 1e-12));
        CHECK(seed, p.volatility <= p.sum_of_volatility + 1e-12);
        CHECK(seed, correlation[1] == correlation[CNT]);
        CHECK(seed, qs_is_none(correlation[3]) && parts[3].contribution_volatility == 0);
        CHECK(seed, fall < 0 && p.peak_day < p.trough_day);
        CHECK(seed, near(p.max_drawdown, qs_max_drawdown(scratch, N, NULL), 1e-15));
    }
}

/* Thresholds and ranking. */
static void test_select(void **state) {
    (void)state;
    struct qs_figures a, b, c;
    const struct qs_figures *all[] = { &a, &b, &c };
    struct qs_threshold t[3] = { { qs_figure_find("win_rate"), QS_AT_LEAST, 0.6 },
                                 { qs_figure_find("cagr"), QS_AT_LEAST, 0.3 },
                                 { qs_figure_find("max_drawdown"), QS_AT_MOST, 0.2 } };
    bool pass[3];
    size_t order[3];
    enum qs_op op;
    memset(&a, 0, sizeof a);
    a.win_rate = 0.6;
    a.cagr = 0.31;
    a.max_drawdown = 0.2;
    b = c = a;
    b.max_drawdown = 0.21;
    c.max_drawdown = c.cagr = QS_NONE;
    assert_int_equal(qs_select(&a, t, 3, pass), 0);
    assert_int_equal(qs_select(&b, t, 3, pass), 1);
    assert_true(pass[0] && pass[1] && !pass[2]);
    assert_int_equal(qs_select(&c, t, 3, NULL), 2);
    qs_rank(all, 3, qs_figure_find("max_drawdown"), order);
    assert_true(order[0] == 0 && order[1] == 1 && order[2] == 2);
    b.cagr = 0.5;
    qs_rank(all, 3, qs_figure_find("cagr"), order);
    assert_true(order[0] == 1 && order[1] == 0 && order[2] == 2);
    assert_int_equal(qs_op_find(">=", &op), 0);
    assert_int_equal(op, QS_AT_LEAST);
    assert_int_equal(qs_op_find("=", &op), -1);
    assert_string_equal(qs_op_name(QS_BELOW), "<");
    assert_int_equal(qs_figure_find("nonsense"), -1);
    assert_true(qs_figure_value(&b, qs_figure_find("cagr")) == 0.5);
    assert_true(&((double *)&b)[QS_FIGURE_CNT - 1] == &b.excess_return);
}

/* Histograms count all, in bins of one width that hold what they say. */
static void test_histogram(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        double x[500];
        struct qs_bin bins[QS_BINS_MAX];
        uint64_t gen = seed;
        size_t n = (size_t)gen_range(&gen, 1, 500), left = n;
        double scale = pow(10, (double)gen_range(&gen, -6, 3));
        for (size_t i = 0; i < n; i++) x[i] = noise(&gen) * scale;
        size_t cnt = qs_histogram(x, n, bins);
        CHECK(seed, cnt >= 1 && cnt <= QS_BINS_MAX);
        for (size_t k = 0; k < cnt; k++) {
            uint32_t in = 0;
            for (size_t i = 0; i < n; i++) in += x[i] >= bins[k].from && x[i] < bins[k].until;
            CHECK(seed, in == bins[k].cnt);
            CHECK(seed, k == 0 || bins[k].from == bins[k - 1].until);
            left -= in;
        }
        CHECK(seed, left == 0);
    }
}

/* What makes no sense is refused; an account that is lost makes figures none and nothing else. */
static void test_bounds(void **state) {
    (void)state;
    struct qs_options o = qs_options_default(QS_EVERY_DAY), bad = o;
    struct qs_point p[3] = { { 0, 100, 0, 0 },
                             { QS_DAY_NS, 50, 0, 0 },
                             { 2 * QS_DAY_NS, -10, 0, 0 } };
    struct qs_input in = { .points = p, .point_cnt = 3 };
    static uint64_t memory[4096];
    struct qs_report r;
    assert_true(qs_report_bytes(&in, &o) > 0);
    qs_report_make(&in, &o, memory, &r);
    assert_true(near(r.days[1].ret, -1.2, 1e-15));
    assert_true(near(r.figures.total_return, -1.1, 1e-15));
    assert_true(qs_is_none(r.figures.cagr) && qs_is_none(r.days[1].log_ret));
    assert_true(near(r.figures.max_drawdown, 1.1, 1e-15));
    bad.days_a_year = 0;
    assert_int_equal(qs_report_bytes(&in, &bad), 0);
    bad = o;
    bad.rolling_days = 1;
    assert_int_equal(qs_report_bytes(&in, &bad), 0);
    bad = o;
    bad.days.calendar = QS_LISTED;
    assert_int_equal(qs_report_bytes(&in, &bad), 0);
    p[1].equity = QS_NONE;
    assert_int_equal(qs_report_bytes(&in, &o), 0);
    p[1] = (struct qs_point){ 3 * QS_DAY_NS, 1, 0, 0 };
    assert_int_equal(qs_report_bytes(&in, &o), 0); /* out of order */
    in.point_cnt = 0;
    assert_true(qs_report_bytes(&in, &o) > 0);
    qs_report_make(&in, &o, memory, &r);
    assert_true(qs_is_none(r.figures.sharpe) && r.day_cnt == 0 && r.month_cnt == 0);
}

/* A year of minute marks with 3000 trades comes in some ms; the same bytes each time. */
static void test_year_of_minutes(void **state) {
    (void)state;
    enum { N = 525600, TRADES = 3000 };
    struct qs_point *p = malloc((N + 1) * sizeof *p);
    struct qs_trade *t = calloc(TRADES, sizeof *t);
    struct qs_options o = qs_options_default(QS_EVERY_DAY);
    struct qs_report r, again;
    uint64_t gen = 7;
    double value = 100000, best_ms = 1e9;
    assert_non_null(p);
    assert_non_null(t);
    for (int i = 0; i <= N; i++) {
        p[i] = (struct qs_point){ 19723 * QS_DAY_NS + i * INT64_C(60000000000), value, value / 2,
                                  value / 2 };
        value *= 1 + 0.0005 * (double)gen_range(&gen, -1000, 1001) / 1000;
    }
    for (int i = 0; i < TRADES; i++)
        t[i] = (struct qs_trade){ .entry_ns = p[i * 175].time_ns,
                                  .exit_ns = p[i * 175 + 100].time_ns,
                                  .quantity = 1,
                                  .entry_price = 100,
                                  .exit_price = 101,
                                  .pnl = (double)gen_range(&gen, -100, 101),
                                  .side = 1,
                                  .mae = QS_NONE,
                                  .mfe = QS_NONE };
    struct qs_input in = { .points = p,
                           .point_cnt = N + 1,
                           .trades = t,
                           .trade_cnt = TRADES,
                           .benchmark = p,
                           .benchmark_cnt = N + 1,
                           .exposed_ns = 100 };
    for (int k = 0; k < 5; k++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        size_t bytes = qs_report_bytes(&in, &o);
        void *memory = malloc(bytes);
        assert_non_null(memory);
        qs_report_make(&in, &o, memory, k ? &again : &r);
        clock_gettime(CLOCK_MONOTONIC, &b);
        double ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
        if (ms < best_ms) best_ms = ms;
        if (k) assert_memory_equal(&r.figures, &again.figures, sizeof r.figures);
        assert_int_equal(k ? again.day_cnt : r.day_cnt, 365);
        free(memory);
    }
    printf("a year of minutes: %.1f ms\n", best_ms);
    assert_true(best_ms < 500); /* sanitizers and busy machines included */
    free(p);
    free(t);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empyrical),
        cmocka_unit_test(test_empyrical_rolling),
        cmocka_unit_test(test_bacon),
        cmocka_unit_test(test_sharpe),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_drawdowns),
        cmocka_unit_test(test_trades),
        cmocka_unit_test(test_vwr),
        cmocka_unit_test(test_excursions),
        cmocka_unit_test(test_regimes_are_causal),
        cmocka_unit_test(test_portfolio_adds_up),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_year_of_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
