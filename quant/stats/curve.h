/* curve.h - an equity curve: daily closes of it, and how far it fell.
 *
 * For     marks of equity at any instants, in order of time, several at one instant allowed (the
 *         last counts). Between marks equity stays.
 * Days    the close of a day is the last mark in (its midnight, the next midnight], UTC; the first
 *         mark is what the first day starts from. Which days count: all, those from Monday to
 *         Friday, or those that are listed; marks of other days count to the next that does, those
 *         behind the last listed one to it.
 * Thread  pure functions; the caller owns all memory.
 * Cost    a pass over the marks. */
#ifndef QUANT_STATS_CURVE_H
#define QUANT_STATS_CURVE_H
#include "quant/stats/number.h"
#include <stddef.h>
#include <stdint.h>

/* One mark. */
struct qs_point {
    int64_t time_ns; /* when, ns UTC */
    double equity;   /* what the account is worth, quote units */
    double gross;    /* sum of the absolute worth of its positions; QS_NONE = not known */
    double net;      /* the same with long and short of one instrument taken together */
};

/* Which days a year has. */
enum qs_calendar {
    QS_EVERY_DAY, /* all days, 365 a year: markets that never close */
    QS_WEEKDAYS,  /* Monday to Friday, 252 a year though it has some 261: no holidays known */
    QS_LISTED,    /* the listed days, 252 a year: an exchange's own days */
};

/* The days of a curve. */
struct qs_days {
    enum qs_calendar calendar; /* which days count */
    const int32_t *listed;     /* QS_LISTED: day numbers, upward; else NULL */
    size_t listed_cnt;         /* how many */
};

/* qs_days_cnt returns how many days that count close between first_ns and last_ns, the day first_ns
 * lies in (at midnight: the one that begins) and the day last_ns closes included. */
size_t qs_days_cnt(const struct qs_days *days, int64_t first_ns, int64_t last_ns);
/* qs_days_close fills day[] and close[] (room for qs_days_cnt of first and last mark) with the days
 * and their closes; returns how many. Fewer than two marks have none. */
size_t qs_days_close(const struct qs_days *days, const struct qs_point *points, size_t cnt,
                     int32_t *day, double *close);

/* A fall below a peak, till it is made good. */
struct qs_drawdown {
    int64_t peak_ns;     /* when equity last stood at its peak */
    int64_t trough_ns;   /* when it stood lowest */
    int64_t recovery_ns; /* when it stood at the peak again, INT64_MAX = not yet */
    int64_t end_ns;      /* recovery_ns, or the end of the curve */
    double peak;         /* equity at the peak */
    double trough;       /* at the lowest */
    double depth;        /* (peak - trough) / peak, 0..; 0 = it never fell */
};

/* qs_drawdowns finds the falls of a curve: the deepest room of them, deepest first (of equals the
 * earlier), in out; *longest the longest in time, *below_ns the time spent below a peak; both may
 * be NULL. Peaks are those of equity above 0. Returns how many there are in out. */
size_t qs_drawdowns(const struct qs_point *points, size_t cnt, struct qs_drawdown *out, size_t room,
                    struct qs_drawdown *longest, int64_t *below_ns);
/* qs_max_drawdown returns the deepest fall of start, start (1 + ret[0]), ... as part of its peak,
 * 0..1; out may be NULL or takes 1 - value / peak after each return: the underwater curve, 0..1. */
double qs_max_drawdown(const double *ret, size_t n, double *underwater);
#endif
