/* charts.h - the charts of a report, drawn into a document (doc.h).
 *
 * For     page.c. Each function adds one block, drawn in each size of doc.h.
 * Thread  the caller's.
 * Memory  the document's. */
#ifndef ACTORS_REPORT_CHARTS_H
#define ACTORS_REPORT_CHARTS_H
#include "actors/report/doc.h"

/* How values are written. */
enum chart_unit {
    CHART_PART,   /* fractions, shown per cent */
    CHART_NUMBER, /* money, prices, plain numbers */
};

/* A value at an instant. */
struct chart_point {
    int64_t time_ns; /* when */
    double value;    /* a NaN breaks the line */
};

/* A curve. */
struct chart_series {
    const char *name;                 /* in the legend; NULL = not there */
    const struct chart_point *points; /* in order of time */
    size_t cnt;                       /* how many */
    enum doc_tone tone;               /* its colour */
    bool area;                        /* filled to zero */
    bool step;                        /* a value holds till the next */
};

/* A stretch of time that is shaded. */
struct chart_shade {
    int64_t from_ns, until_ns; /* begin, end */
    const char *tip;           /* what it is */
};

/* A round trip on the chart of its price. */
struct chart_trade {
    int64_t entry_ns, exit_ns; /* when */
    double entry, exit;        /* prices */
    bool is_short;             /* sold first */
    bool won;                  /* it earned */
    const char *tip;           /* all about it */
};

/* A chart over time. */
struct chart {
    const char *label;                 /* what it shows, for those who cannot see it */
    enum chart_unit unit;              /* of values */
    int64_t first_ns, last_ns;         /* its span */
    float height;                      /* pixels */
    bool zero;                         /* zero is always on it */
    bool ratio;                        /* logarithmic where all is above zero and it helps */
    const struct chart_series *series; /* curves */
    size_t series_cnt;                 /* how many */
    const struct chart_shade *shades;  /* shaded stretches */
    size_t shade_cnt;                  /* how many */
    const struct chart_trade *trades;  /* round trips */
    size_t trade_cnt;                  /* how many */
};

/* A bar of a histogram. */
struct chart_bar {
    double from, until; /* its edges */
    double cnt;         /* its height */
};

/* A month of the heat map. */
struct chart_month {
    int year, month; /* month 0 = the whole year */
    double ret;      /* its return */
};

/* A dot. */
struct chart_dot {
    double x, y;     /* where */
    const char *tip; /* what it is */
};

/* chart_time draws curves over time. */
void chart_time(struct doc *d, const struct chart *c);
/* chart_histogram draws bars; values are parts. */
void chart_histogram(struct doc *d, const char *label, const struct chart_bar *bars, size_t cnt);
/* chart_heat draws years down, months across, the year at the right. */
void chart_heat(struct doc *d, const char *label, const struct chart_month *months, size_t cnt);
/* chart_scatter draws dots: x is a part >= 0, y a number; above zero green, below red. */
void chart_scatter(struct doc *d, const char *label, const char *x_name, const char *y_name,
                   const struct chart_dot *dots, size_t cnt);

enum { CHART_TEXT = 40 }; /* room for a formatted number */
/* chart_amount formats a number for people: thousands parted, as many decimals as it needs, at most
 * 2 from 1 on; a dash for none. Returns out. */
const char *chart_amount(double v, char out[CHART_TEXT]);
/* chart_part formats a part as per cent with two decimals; sign adds a plus. Returns out. */
const char *chart_part(double v, bool sign, char out[CHART_TEXT]);
/* chart_day formats the date of an instant: 2024-02-29. Returns out. */
const char *chart_day(int64_t ns, char out[CHART_TEXT]);
#endif
