/* report.h - all that can be said of one equity curve and its trades, in one struct.
 *
 * For     summary.json, the terminal, HTML and PDF pages, comparison and selection: they format
 *         what stands here and reckon nothing.
 * Use     set an input and options; ask qs_report_bytes how much memory; call qs_report_make. All
 *         arrays of the report lie in that memory.
 * Days    daily closes of UTC days (curve.h); annual figures take options.days_a_year of them. The
 *         first return is from the first mark to the first close, so a partial first or last day
 *         counts as a day.
 * Thread  pure functions; no clock, no files, nothing allocated.
 * Cost    about 10 ns a mark, 1 us a day, 50 ns a trade. A year of minute marks: some 6 ms.
 * Same    sums in the order of time, compensated; own exp, log and normal distribution: gcc, clang
 *         and every libm give the same bytes. */
#ifndef QUANT_STATS_REPORT_H
#define QUANT_STATS_REPORT_H
#include "quant/stats/curve.h"
#include "quant/stats/figures.h"
#include "quant/stats/regime.h"
#include "quant/stats/sample.h"
#include "quant/stats/trades.h"
#include <stddef.h>
#include <stdint.h>

/* Value that changed hands in a fill. */
struct qs_turn {
    int64_t time_ns; /* when, ns UTC */
    double value;    /* price x quantity, quote units, >= 0 */
};

/* What a report is made of. All lists are in order of time (trades: of exit). */
struct qs_input {
    const struct qs_point *points;    /* marks of equity; the first is the start of the run */
    size_t point_cnt;                 /* at least 2, or nothing but trades is reported */
    const struct qs_trade *trades;    /* round trips */
    size_t trade_cnt;                 /* how many */
    const struct qs_turn *turns;      /* fills */
    size_t turn_cnt;                  /* how many */
    const struct qs_point *benchmark; /* prices of what it is measured against (gross unused); the
                                       * first at or before the run's first close; NULL = none */
    size_t benchmark_cnt;             /* how many */
    int64_t exposed_ns;               /* time with a position */
};

/* What the caller declares. qs_options_default gives the defaults. */
struct qs_options {
    struct qs_days days;    /* which days close; default every day */
    double days_a_year;     /* A; default 365 */
    double risk_free;       /* a year, as a part; default 0 */
    double required_return; /* a year, of Sortino and Omega; default 0 */
    uint32_t rolling_days;  /* window of rolling figures, >= 2; default A / 4 rounded down */
    double trials;          /* independent tries that this is the best of; default 0 = not told */
    double trials_variance; /* variance of their daily Sharpe ratios */
    struct qs_regime_rules rules; /* of regimes */
};

/* One day. */
struct qs_day {
    int32_t day;               /* number since 1970-01-01 */
    uint8_t regime;            /* enum qs_regime, by the benchmark; QS_UNKNOWN without one */
    double equity;             /* at its close */
    double ret;                /* close / close before - 1 */
    double log_ret;            /* log of that ratio */
    double underwater;         /* fall below the highest close so far, 0..1 */
    double rolling_return;     /* over the last rolling_days; QS_NONE before there are as many */
    double rolling_volatility; /* likewise, annual */
    double rolling_sharpe;     /* likewise, annual */
    double benchmark;          /* close of the benchmark; QS_NONE without one */
    double benchmark_ret;      /* its return of the day */
    double traded;             /* value that changed hands in it */
    double gross;              /* absolute position value at its close; QS_NONE = not known */
    double net;                /* the same, long and short of one instrument taken together */
};

/* One month, or one year (month 0). Trades count where they were closed. */
struct qs_period {
    int32_t year;         /* such as 2024 */
    int32_t month;        /* 1..12; 0 = the whole year */
    uint32_t first;       /* index of its first day in the report's days */
    uint32_t days;        /* how many */
    double ret;           /* product of (1 + r) - 1 */
    double volatility;    /* annual; QS_NONE below two days */
    double sharpe;        /* annual */
    double max_drawdown;  /* of its daily closes, from the close before it, 0..1 */
    double benchmark_ret; /* of the benchmark; QS_NONE without one */
    double traded;        /* value that changed hands */
    uint32_t trades;      /* closed in it */
    uint32_t wins;        /* of them */
    double pnl;           /* of them, net */
    double fees;          /* of them */
    uint32_t worst_trade; /* index of the worst of them in the input, UINT32_MAX = none */
    uint32_t best_trade;  /* index of the best of them */
};

/* All days of one kind of market. Trades count by the day they were entered. */
struct qs_phase {
    enum qs_regime regime; /* which */
    uint32_t days;         /* how many */
    double ret;            /* product of (1 + r) - 1 over them */
    double mean;           /* mean r */
    double volatility;     /* annual; QS_NONE below two */
    double sharpe;         /* annual */
    double max_drawdown;   /* of these days put one after the other */
    double benchmark_ret;  /* of the benchmark over them */
    uint32_t trades;       /* entered in them */
    uint32_t wins;         /* of them */
    double pnl;            /* of them, net */
};

enum { QS_DRAWDOWNS = 10 }; /* deepest falls kept */

/* The report. */
struct qs_report {
    struct qs_figures figures;                     /* every single figure; figures.h */
    struct qs_options options;                     /* as they were used */
    int64_t first_ns, last_ns;                     /* first and last mark */
    double start_equity, end_equity;               /* their equity */
    struct qs_day *days;                           /* day by day: the return's days */
    size_t day_cnt;                                /* n */
    struct qs_period *months;                      /* calendar months with a day in them */
    size_t month_cnt;                              /* how many */
    struct qs_period *years;                       /* calendar years with a day in them */
    size_t year_cnt;                               /* how many */
    struct qs_drawdown drawdowns[QS_DRAWDOWNS];    /* of all marks, deepest first */
    size_t drawdown_cnt;                           /* how many */
    struct qs_drawdown longest;                    /* the longest of all marks; depth 0 = none */
    struct qs_bin histogram[QS_BINS_MAX];          /* of daily returns */
    size_t bin_cnt;                                /* how many */
    struct qs_trade_figures trades, longs, shorts; /* all trades; long ones; short ones */
    struct qs_phase phases[QS_REGIMES];            /* by enum qs_regime */
};

/* qs_options_default returns the defaults for a calendar: every day with 365 days a year, else
 * 252. */
struct qs_options qs_options_default(enum qs_calendar calendar);
/* qs_report_bytes returns how much memory the report of in takes, a multiple of 8; 0 when in or the
 * options make no sense (an option outside its range, lists out of order, equity not a number). */
size_t qs_report_bytes(const struct qs_input *in, const struct qs_options *options);
/* qs_report_make fills *out; memory has qs_report_bytes and is aligned to 8. Where equity falls to
 * zero or below, what needs a ratio of it is QS_NONE from that day on. */
void qs_report_make(const struct qs_input *in, const struct qs_options *options, void *memory,
                    struct qs_report *out);
#endif
