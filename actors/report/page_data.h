/* page_data.h - what a result directory holds, read for page.c.
 *
 * For     page.c alone.
 * Thread  the caller's.
 * Memory  on the heap, freed by page_data_close; texts are the document's. */
#ifndef ACTORS_REPORT_PAGE_DATA_H
#define ACTORS_REPORT_PAGE_DATA_H
#include "actors/report/charts.h"
#include "actors/report/doc.h"
#include "actors/report/json.h"
#include "runtime/base/error.h"

/* One curve of points, such as the equity of an account. */
struct page_line {
    const char *chart, *name;   /* what of whom: "equity" of "main" */
    struct chart_point *points; /* in order of time */
    double *seconds;            /* second value of each; a NaN where there is none */
    size_t cnt;                 /* how many */
};

/* One day of a curve. */
struct page_day {
    int64_t close_ns;                                     /* its end */
    double equity, ret;                                   /* at its close; its return */
    double rolling_sharpe, rolling_volatility, benchmark; /* as in daily.csv */
    const char *regime;                                   /* kind of market; NULL = not told */
};

/* The days of a curve. */
struct page_days {
    const char *name;            /* the curve's */
    const struct page_day *days; /* in order */
    size_t cnt;                  /* how many */
};

/* One round trip. */
struct page_trade {
    const char *strategy, *account, *instrument; /* whose, of what */
    int64_t entry_ns, exit_ns;                   /* when */
    double quantity, entry, exit;                /* how much, average prices */
    double pnl, fee;                             /* net; fees */
    double mae, mfe;                             /* parts of the entry price; a NaN = not known */
    bool is_short;                               /* sold first */
};

/* All of it. */
struct page_data {
    struct report_json summary, manifest; /* manifest.cnt 0 = not there */
    struct page_line *lines;              /* of charts.csv */
    size_t line_cnt, line_room;           /* how many; how many fit */
    struct chart_point *points;           /* of all lines */
    double *seconds;                      /* of all lines */
    struct page_day *day_rows;            /* of daily.csv */
    struct page_days *days;               /* by curve */
    size_t days_cnt, days_room;           /* how many; how many fit */
    struct page_trade *trades;            /* of trades.csv, in order of exit */
    size_t trade_cnt;                     /* how many */
    bool trades_known;                    /* trades.csv is there */
};

/* page_data_open reads dir. Returns 0, or negative errno with err. */
int page_data_open(struct page_data *p, const char *dir, struct doc *d, struct rt_error *err)
    __attribute__((warn_unused_result));
/* page_data_close frees it. */
void page_data_close(struct page_data *p);
/* page_data_line returns a line, NULL = there is none. */
const struct page_line *page_data_line(const struct page_data *p, const char *chart,
                                       const char *name);
/* page_data_days returns the days of a curve, NULL = there are none. */
const struct page_days *page_data_days(const struct page_data *p, const char *name);
#endif
