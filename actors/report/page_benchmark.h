/* page_benchmark.h - another benchmark for a report: prices from a file in place of the run's own.
 *
 * For     `shrike report --benchmark FILE`. The figures against the benchmark, its column in the
 *         tables of months and years, its curve and the kinds of market are reckoned anew by
 *         quant/stats/report.h, from the daily closes of daily.csv and the file; all else stays.
 * File    CSV, with a heading or without, in order of time. The first column is a day (2024-01-31,
 *         known at its end) or the instant a bar opens (s, ms, us or ns), then a bar's open, high,
 *         low, close; or day and price alone.
 * Thread  the caller's. */
#ifndef ACTORS_REPORT_PAGE_BENCHMARK_H
#define ACTORS_REPORT_PAGE_BENCHMARK_H
#include "actors/report/page_data.h"

/* page_benchmark_take reads path and changes p. Returns 0, or negative errno with err: no such
 * file, a row that is none, no price at or before the run's first close. */
int page_benchmark_take(struct page_data *p, const char *path, struct doc *d, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
