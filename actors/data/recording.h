/* recording.h - recordings of market streams into tables.
 *
 * For     import. Lines "LOCAL FRAME": when the recorder had it (us or ns), a space, the frame as
 *         it came from Binance, bare or in a combined stream's wrapping, REST snapshots among them;
 *         and lines of JSON alone: Bybit's archive of order books.
 * Book    by the venue's rule for a local copy: diffs wait for the snapshot where the recording has
 *         one; those that it holds already are left out; without a snapshot the first diff stands
 *         for one. A diff without levels is one row of price 0. Where a number is left out the row
 *         says so (BookFlags.gap).
 * Time    the venue's; where it tells none (spot's quotes and snapshots) the recorder's, moved by
 *         how far the two were apart when last both were known. Rows of one stream never go back:
 *         one that would takes the time of the one before it, and is told as a fault of order.
 * Thread  any one; not on a shard.
 * Memory  the tables.
 * Cost    about 10 us a line. */
#ifndef ACTORS_DATA_RECORDING_H
#define ACTORS_DATA_RECORDING_H
#include "actors/data/quality.h"

/* The tables of a recording. */
enum data_recording_table {
    DATA_RECORDED_TRADES, /* trades */
    DATA_RECORDED_QUOTES, /* bookTicker */
    DATA_RECORDED_DEPTH,  /* depth */
    DATA_RECORDED_MARKS,  /* markPrice */
    DATA_RECORDED_CNT
};

/* data_recording_is tells whether text is a recording. */
bool data_recording_is(const char *text, size_t cnt);
/* data_recording_read reads text into the tables, which it makes; faults of a table go to the
 * quality of its number, lines that are no frames to the first one. symbol gets the venue's word
 * where the frames tell it. Returns 0, -EBADMSG with err when no line is a frame, -ENOMEM. */
int data_recording_read(const char *text, size_t cnt, struct data_table *const t[DATA_RECORDED_CNT],
                        struct data_quality *const q[DATA_RECORDED_CNT], char symbol[32],
                        uint64_t *lines, struct rt_error *err) __attribute__((warn_unused_result));
#endif
