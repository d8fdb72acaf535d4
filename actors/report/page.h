/* page.h - the report of a run, as HTML and as PDF, from its result directory alone.
 *
 * For     `shrike backtest` and `shrike report`. Reads summary.json (needed), manifest.json,
 *         daily.csv, charts.csv and trades.csv, which results.h writes; what is missing is left
 *         out. Nothing is reckoned here but the sums of the worst month's trades by strategy: every
 *         figure is the one of summary.json, its definition under the pointer.
 * Same    no clock, no path, no run id: the same files give the same bytes.
 * Thread  the caller's.
 * Memory  the files, and the document; freed before it returns.
 * Cost    some 10 ms, and 3 us a day of each curve. */
#ifndef ACTORS_REPORT_PAGE_H
#define ACTORS_REPORT_PAGE_H
#include "actors/market/zone.h"
#include "runtime/base/error.h"

/* Files to write; NULL = not that one. */
struct report_forms {
    const char *html;     /* the page */
    const char *pdf;      /* the same for print */
    const char *markdown; /* its texts and tables */
};

/* report_page_write makes the report of the results in dir, in the forms asked for. benchmark is a
 * file of prices in place of the run's own (page_benchmark.h); NULL = as it ran. zone is what
 * instants are shown in; NULL = what the run declared (display_zone). Returns 0, or negative errno
 * with err: no results there, a file is damaged, the library for PDF is not installed (-ENOTSUP), a
 * file cannot be written. */
int report_page_write(const char *dir, const struct report_forms *forms, const char *benchmark,
                      const struct mk_zone *zone, struct rt_error *err)
    __attribute__((warn_unused_result));
#endif
