/* klines.h - bars out of kline CSV.
 *
 * For     backtests and paper runs on files. Two layouts: Binance's 12 columns (open time, open,
 *         high, low, close, volume, close time, quote volume, count, taker buy volume, taker buy
 *         quote volume, ignored), with or without heading, and its first six, which need a heading.
 *         Times are in s, ms, us or ns, told by their size.
 * Rules   every row: as many columns as the first, all of them numbers; time later than the row
 *         before and on the grid of the interval counted from the first, which begins on a whole
 *         minute (intervals below or beside a minute: grid.h); low <= open, close <= high; prices
 *         above zero with at most 8 decimals, kept exactly; volume not negative.
 *         Anything else is an error with file:line. Missing bars are counted. Prices off the tick
 *         are taken.
 * Thread  boot only.
 * Memory  the rows are one anonymous mapping; the text is read in place and let go.
 * Cost    one pass, above 1 GB/s of text. */
#ifndef ACTORS_DATA_KLINES_H
#define ACTORS_DATA_KLINES_H
#include "actors/market/session.h"
#include "runtime/core/source.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DATA_BAR_NO_VOLUME = 1, /* msg_bar.flags: the source declares that it has no volume */
};

/* A reading in progress: what to read, set by the caller; how far it got, kept by the parser. Zero
 * the latter before the first file; further files of the same series go on from there, after at,
 * line and columns are zeroed. */
struct data_klines {
    const char *file;                 /* name for errors */
    int64_t interval_ns;              /* declared length of a bar, > 0 */
    uint16_t instrument;              /* written into each bar */
    uint16_t flags;                   /* written into each bar: 0 or DATA_BAR_NO_VOLUME */
    uint32_t columns;                 /* 6 or 12; 0 until the first line of the file is read */
    char eol;                         /* what ends a line's last column: '\n' or '\r' */
    bool any;                         /* a row has been read */
    size_t at;                        /* bytes of the text used */
    uint64_t line;                    /* lines read */
    int64_t first_ns;                 /* open time of the first bar of all */
    int64_t last_ns;                  /* open time of the last bar */
    uint64_t gaps;                    /* times that bars were missing */
    uint64_t missing;                 /* bars missing in them */
    const struct mk_session *session; /* when it trades; NULL = always */
};

/* data_klines_parse reads bars from the cnt bytes of text, from k->at on, into rows, until rows_max
 * are read or the text ends (k->at == cnt). *rows_cnt is set to how many. A last line without line
 * end counts. Returns 0, or -EBADMSG with err. */
int data_klines_parse(const char *bytes, size_t cnt, struct data_klines *k, struct msg_bar *rows,
                      size_t rows_max, size_t *rows_cnt, struct rt_error *err)
    __attribute__((warn_unused_result));

/* data_klines_bar_open fills a msg_bar_open from a msg_bar: an rt_series.open_of. */
void data_klines_bar_open(const struct rt_series *s, const void *row, void *out);

/* The source "klines": one series from one or more files. Keys: instrument, interval, file or files
 * (in order of time), volume: declared | none, price: last | mark (rows are MSG_MARK_BAR then). The
 * series' hash is the SHA-256 of the file's bytes on disk; of several files, of their hashes one
 * after the other. */
extern const struct rt_source_kind data_klines_source;
#endif
