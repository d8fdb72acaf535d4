/* funding.h - funding rates of perpetuals out of CSV.
 *
 * For     backtests on files. A heading says which column is what: the time
 *         (funding_time_ms, funding_time, calc_time, fundingtime, time; s, ms, us or ns, told by
 *         size), the rate (funding_rate, last_funding_rate, fundingrate) and, where there is one,
 *         the mark price (mark_price, markprice); other columns are passed over.
 * Rules   times rise; rates lie within -100 %..100 % with at most 8 decimals; marks above zero. A
 *         time up to a minute past a whole hour is that hour: venues charge at the hour and write
 *         down when they did. Anything else is an error with file:line.
 * Thread  boot only.
 * Memory  the rows are one anonymous mapping. */
#ifndef ACTORS_DATA_FUNDING_H
#define ACTORS_DATA_FUNDING_H
#include "runtime/core/source.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reading in progress; zero it but for file and instrument. Further files of the same series go
 * on from there, after columns is zeroed. */
struct data_funding {
    const char *file;    /* name for errors */
    uint16_t instrument; /* written into each row */
    bool any;            /* a row has been read */
    uint32_t columns;    /* columns of the heading; 0 until it is read */
    int at_time;         /* column of the time */
    int at_rate;         /* column of the rate */
    int at_mark;         /* column of the mark price, -1 = none */
    int64_t last_ns;     /* time of the last row */
    uint64_t snapped;    /* times moved back to the hour */
};

/* data_funding_parse reads all rows of the cnt bytes of text into rows (room for rows_max), which
 * is enough when it is the number of line ends + 1. *rows_cnt is set to how many. Returns 0, or
 * -EBADMSG with err. */
int data_funding_parse(const char *bytes, size_t cnt, struct data_funding *d,
                       struct msg_funding *rows, size_t rows_max, size_t *rows_cnt,
                       struct rt_error *err) __attribute__((warn_unused_result));

/* The source "funding": one series of MSG_FUNDING. Keys: instrument, file or files. */
extern const struct rt_source_kind data_funding_source;
#endif
