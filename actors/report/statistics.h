/* statistics.h - what a run records, gathered for quant/stats/report.h, and its reports.
 *
 * For     results.c, which tells marks, fills and round trips as it meets them; summary.json, the
 *         terminal and the pages, which format the reports. All comes from the journals and from
 *         the run's own rows of prices, nothing from text, so that every placement gives the same.
 * Curves  one per account, and one of all together where they share a quote asset: the sum of the
 *         accounts, each staying at its last mark. A curve begins at the run's start with the
 *         deposit and ends at the run's end.
 * Prices  of an instrument: rows of its finest series that are known by then (bars: ended), else
 *         its last fill. Gross position value: sum over instruments of |quantity an account holds|
 *         x price. Benchmark: buy and hold of the declared instrument, or of all that have rows in
 *         equal parts of money, at the days' ends, UTC. MAE and MFE of a trade: from its
 *         instrument's rows (trades.h).
 * Days    365 a year and every UTC day, or 252 and the days on which any row ended; auto: 252 when
 *         the rows reach over 14 days or more and none ended on a Saturday or Sunday, else 365.
 * Thread  the caller's.
 * Parts   of strategies: P&L of a day is the change, from one day's end to the next, of the cash
 *         its fills moved (fees in quote taken off) and the worth of what it holds at the newest
 *         price, over all instruments; over the equity of all accounts at the day's start.
 *         Funding is nobody's of them but a part of its own.
 * Alone   a strategy by itself, for thresholds and ranks: the curve that begins with the capital of
 *         all accounts and grows day by day by its parts; its trades, its fills, the time it held
 *         more than dust, the size of its positions at the days' ends.
 * Thread  the caller's.
 * Memory  24 bytes a mark, 100 a trade, 64 a fill, 1 KB a day.
 * Cost    some 20 ns a mark, 10 ns a row of prices. */
#ifndef ACTORS_REPORT_STATISTICS_H
#define ACTORS_REPORT_STATISTICS_H
#include "actors/market/market.h"
#include "quant/stats/portfolio.h"
#include "quant/stats/report.h"
#include "runtime/base/error.h"
#include <stdio.h>

struct rt_run;
struct report_thin;

/* One curve: what it is made of, and its report. */
struct report_curve {
    char name[32];                /* the account's, or "total" */
    char quote[16];               /* asset its money is in */
    struct qs_input input;        /* marks, trades, fills, benchmark */
    struct qs_point *points;      /* marks: input's */
    struct qs_trade *trades;      /* round trips, in order of exit: input's */
    struct qs_turn *turns;        /* fills: input's */
    size_t point_room;            /* marks that fit */
    size_t trade_room;            /* trades that fit */
    size_t turn_room;             /* fills that fit */
    struct qs_report report;      /* made by report_statistics_make */
    void *memory;                 /* of the report */
    bool pass[MK_THRESHOLDS_MAX]; /* which thresholds it passes */
};

/* A change of what a strategy holds. */
struct report_holding {
    int64_t time_ns;     /* when */
    qty_t change;        /* of the quantity held, signed */
    double price;        /* of the fill */
    double cash;         /* that it moved, signed, less its fee in quote */
    uint16_t instrument; /* id */
    uint16_t owner;      /* strategy's actor id */
    double traded;       /* value that changed hands */
    uint8_t account;     /* id */
    bool shorts;         /* it is of the short of hedge mode */
};

/* What one strategy brought, day by day. */
struct report_part {
    uint16_t owner;   /* its actor id */
    const char *name; /* the run's */
    double *pnl; /* per day of the last curve: its part of the portfolio's return (portfolio.h) */
    bool alone;  /* the next two are known: thresholds are declared, or there are several */
    struct qs_figures figures; /* of the curve its daily parts alone would make, and its trades */
    bool pass[MK_THRESHOLDS_MAX]; /* which thresholds they pass */
};

/* All of a run. */
struct report_statistics {
    const struct mk_market *market;   /* its world */
    struct report_curve *curves;      /* one per account, in id order; then the total */
    uint32_t curve_cnt;               /* accounts, and 1 where there is a total of several */
    bool total;                       /* the last curve is the total */
    struct report_holding *holdings;  /* in order of time */
    size_t holding_cnt, holding_room; /* how many; how many fit */
    struct qs_point *benchmark;       /* prices it is measured against, 1 at the start */
    size_t benchmark_cnt;             /* how many; 0 = the run has no rows of prices */
    int32_t *listed;                  /* days on which any row ended, upward */
    size_t listed_cnt;                /* how many */
    bool weekend;                     /* one of them was a Saturday or Sunday */
    struct qs_options options;        /* of all reports */
    struct qs_portfolio portfolio;    /* of strategies where there is one quote asset; else cnt 0 */
    struct report_part *parts;        /* the strategies, in the order of portfolio.parts */
    double *part_memory;              /* of its arrays */
    struct report_thin **prices;      /* per instrument id - 1: its prices, thinned; NULL = none */
};

/* report_statistics_new begins for market. NULL without memory. */
struct report_statistics *report_statistics_new(const struct mk_market *market);
/* report_statistics_free frees all; NULL is fine. */
void report_statistics_free(struct report_statistics *s);
/* report_statistics_mark tells equity of an account (id). 0 or -ENOMEM. */
int report_statistics_mark(struct report_statistics *s, uint8_t account, int64_t time_ns,
                           cash_t equity);
/* report_statistics_fill tells a fill worth turnover that changed what h says. 0 or -ENOMEM. */
int report_statistics_fill(struct report_statistics *s, const struct report_holding *h,
                           double turnover);
/* report_statistics_funding tells a funding payment: h moves cash and no quantity; it counts as a
 * strategy's of its own, "funding" (owner UINT16_MAX). 0 or -ENOMEM. */
int report_statistics_funding(struct report_statistics *s, struct report_holding h);
/* report_statistics_trade tells a round trip of an account. 0 or -ENOMEM. */
int report_statistics_trade(struct report_statistics *s, const struct qs_trade *trade);
/* report_statistics_make reckons all reports. start_ns and end_ns are the run's span, exposed_ns
 * has the time in the market of each account, all_exposed_ns that of any, start and equity what
 * each is worth at start and end. 0 or negative errno with err. */
int report_statistics_make(struct report_statistics *s, const struct rt_run *run, int64_t start_ns,
                           int64_t end_ns, const int64_t *exposed_ns, const cash_t *start,
                           const cash_t *equity, int64_t all_exposed_ns, struct rt_error *err);

/* report_statistics_json writes them as the value of "statistics" in summary.json. */
void report_statistics_json(const struct report_statistics *s, FILE *to);
/* report_statistics_print prints the curve's main figures in a few lines for people; two where it
 * is part of a total. */
void report_statistics_print(const struct report_statistics *s, const struct report_curve *c,
                             FILE *to);
/* report_statistics_charts writes charts.csv: what pages draw beside daily.csv. Curves of all
 * marks, thinned (thin.h): equity, drawdown (fall below the peak, 0..1), leverage (gross / equity)
 * by curve and price by instrument; trade: mae and, second, mfe of each round trip of an account,
 * in the order of trades.csv; part: what a strategy brought to the return of a month. */
void report_statistics_charts(const struct report_statistics *s, FILE *to);
/* report_statistics_days writes the days of all curves as rows of daily.csv. */
void report_statistics_days(const struct report_statistics *s, FILE *to);
#endif
