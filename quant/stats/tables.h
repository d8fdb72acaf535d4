/* tables.h - a report's tables: months, years, kinds of market.
 *
 * For     report.c alone; the tables' structs are in report.h.
 * Thread  pure functions; the caller owns all memory. */
#ifndef QUANT_STATS_TABLES_H
#define QUANT_STATS_TABLES_H
#include "quant/stats/report.h"

/* qs_tables_day returns the index of the day that an instant counts to: the first of days[0..n),
 * n >= 1, that closes at or after it, else the last. */
size_t qs_tables_day(const struct qs_day *days, size_t n, int64_t time_ns);
/* qs_tables_periods fills out with the months (by_month) or years of days[0..n) and returns how
 * many; valid of the days have a return. scratch has room for n doubles. */
size_t qs_tables_periods(const struct qs_report *r, const struct qs_input *in, size_t valid,
                         bool by_month, double *scratch, struct qs_period *out);
/* qs_tables_phases fills r->phases. scratch has room for n doubles. */
void qs_tables_phases(struct qs_report *r, const struct qs_input *in, size_t valid,
                      double *scratch);
/* qs_tables_sharpe returns (mean - risk free of a day) / sd sqrt(A); none where nothing moves. */
double qs_tables_sharpe(const struct qs_moments *m, const struct qs_options *o);
/* qs_tables_daily turns a return of a year into one of a day. */
double qs_tables_daily(double a_year, const struct qs_options *o);
#endif
