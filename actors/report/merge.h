/* merge.h - what all shards of a run said, in one order.
 *
 * For     results and reports. Records are given instant by instant: all that was said at one
 *         time_ns by all shards, ordered by (source actor, order said by that actor), so that the
 *         same run on other shards gives the same stream.
 * Thread  the caller's. Memory: one buffer of an instant's records, growing.
 * Cost    about 30 ns a record. */
#ifndef ACTORS_REPORT_MERGE_H
#define ACTORS_REPORT_MERGE_H
#include "runtime/base/error.h"
#include "runtime/store/journal.h"
#include "schemas/messages.h"

enum { REPORT_REASONS = 256 }; /* size of tables of counts by reason */

/* One shard's journal. */
struct report_lane {
    struct rt_tape tape;          /* its records */
    const struct msg_frame *next; /* the next one that counts; NULL = at its end */
    bool open;                    /* tape is open */
};

/* One record of the instant. */
struct report_record {
    const struct msg_frame *frame; /* in the buffer; kind without MSG_OUT */
    uint64_t rank;                 /* source, then order said */
};

/* The merge. */
struct report_merge {
    struct report_lane *lanes;     /* one per shard */
    uint32_t lane_cnt;             /* how many */
    uint8_t *bytes;                /* frames of the instant */
    size_t bytes_used, bytes_room; /* of it */
    struct report_record *records; /* of the instant, in order */
    size_t cnt, room;              /* how many; how many fit */
    int64_t time_ns;               /* the instant */
    int64_t first_ns, last_ns;     /* first and last time in any record; INT64_MAX, MIN = none */
    int64_t start_ns;              /* start of the run as told to its actors; INT64_MIN = not yet */
    uint64_t heard, said;          /* records of either direction */
    uint64_t commands;             /* MSG_COMMAND records among them */
    uint16_t stop_reason;          /* of MSG_STOP, 0 = none */
    bool cut;                      /* the oldest records of a journal were dropped (archive_max) */
    uint64_t unplaced[REPORT_REASONS]; /* signals that no order came of, by the reason why not */
};

struct rt_run;

/* report_merge_open opens the journals of all shards of run. Returns 0 or negative errno. */
int report_merge_open(struct report_merge *m, const struct rt_run *run, struct rt_error *err)
    __attribute__((warn_unused_result));
/* report_merge_next gathers the next instant at which something that counts was said: 1, 0 at the
 * end, or negative errno with err. */
int report_merge_next(struct report_merge *m, struct rt_error *err);
/* report_merge_close frees all. */
void report_merge_close(struct report_merge *m);
#endif
