/* snapshot.h - what a store and results were on a day, day by day, and what has changed since.
 *
 * For     `shrike data snapshot`: a line per set (or result file) and UTC day, with a hash of its
 *         rows, so that a change of the past is seen and named: which set, which day, what of
 *         it. Forecasts of a run are the orders it decided (signal and all); its metrics are
 *         daily.csv.
 * Form    CSV: set,day,rows,first_ns,last_ns,calendar,missing,outside,faults,repaired,left_out,
 *         equity,return,sha256. What a set does not have is empty; the day "all" sums up a set, its
 *         hash is that of its days' hashes. No wall time: the same rows give the same bytes, in
 *         whatever segments and whenever they were imported.
 * Past    days before the last one of a set in the older snapshot; the last itself may go on.
 * Thread  the caller's.
 * Memory  a set's rows at a time; comparing: both files.
 * Cost    about 0.2 us a row. */
#ifndef ACTORS_REPORT_SNAPSHOT_H
#define ACTORS_REPORT_SNAPSHOT_H
#include "actors/market/session.h"
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a comparison found. */
struct report_snapshot_diff {
    uint64_t same;      /* days that are in both, and equal */
    uint64_t changed;   /* days whose rows differ */
    uint64_t gone;      /* days that are not there any more */
    uint64_t filled_in; /* days of the past that were not there before */
    uint64_t went_on;   /* last days that have more rows now */
    uint64_t newer;     /* days after the last one */
    uint64_t sets_new;  /* sets that were not there before */
};

/* report_snapshot_head writes the heading. */
void report_snapshot_head(FILE *out);
/* report_snapshot_set writes the days of the set of the store in dir, under name. session: when its
 * market trades; NULL = always. Returns 0, or negative errno with err: it cannot be read, a column
 * is damaged. */
int report_snapshot_set(const char *dir, const char *name, const struct mk_session *session,
                        FILE *out, struct rt_error *err) __attribute__((warn_unused_result));
/* report_snapshot_run writes the days of the results in dir, under "DIR/orders" and so on. Returns
 * 0, or negative errno with err. */
int report_snapshot_run(const char *dir, FILE *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* report_snapshot_compare compares two snapshots and writes at most limit lines about what differs
 * to out (NULL = none). Returns 0 with diff, or negative errno with err. */
int report_snapshot_compare(const char *before, const char *after, uint32_t limit,
                            struct report_snapshot_diff *diff, FILE *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* report_snapshot_past tells whether the past has changed. */
static inline bool report_snapshot_past(const struct report_snapshot_diff *d) {
    return d->changed + d->gone + d->filled_in > 0;
}
#endif
