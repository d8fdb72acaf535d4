/* intake.h - text of others into tables, whatever is wrong with it.
 *
 * For     import and check. Unlike the sources "klines" and "trades", which refuse the first fault,
 *         a line that is no row is a fault of its own, a field that is no number is not told, and
 *         quality.h decides. Binance's archive files with or without heading, and any CSV whose
 *         heading names what stream.h knows; times in s, ms, us, ns or as text ("2017-08-17
 *         04:00:00.000", "2019-10-17 09-AM", "2024-01-31T12:00:00Z"); comment lines above the
 *         heading.
 * Thread  any one; not on a shard.
 * Memory  the table.
 * Cost    about 0.5 us a row. */
#ifndef ACTORS_DATA_INTAKE_H
#define ACTORS_DATA_INTAKE_H
#include "actors/data/quality.h"

/* What is read. */
struct data_intake {
    const char *text;                 /* the file's text */
    size_t cnt;                       /* its bytes */
    const struct data_stream *stream; /* what it holds; NULL = told by its first line, and set */
    int64_t interval_ns;              /* of bars; 0 = the most common step, and set */
    uint64_t lines;                   /* lines read */
    uint64_t first_line, last_line;   /* of rows */
};

/* data_intake_csv reads in->text into t, which it makes; faults go to q. Returns 0; -EBADMSG with
 * err when it cannot tell what the file holds, or no line of it is a row; -ENOMEM. */
int data_intake_csv(struct data_intake *in, struct data_table *t, struct data_quality *q,
                    struct rt_error *err) __attribute__((warn_unused_result));
/* data_text_time reads a date or a date with time, UTC, into *ns. False when f is none. */
bool data_text_time(const char *text, size_t cnt, int64_t *ns);
/* data_guess_interval returns the most common step between rows, 0 when there is none. */
int64_t data_guess_interval(const struct data_table *t);
#endif
