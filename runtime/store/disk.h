/* disk.h - the thread that carries the stage to disk.
 *
 * For     journals with RT_BACKING_DISK: flushes and syncs by policy, allocates and zero-writes
 *         disk segments ahead, compresses old ones.
 * Thread  one for the process; each journal's job is its own but for the words marked atomic.
 * Memory  a buffer of zeros, and of a compression while one runs. */
#ifndef RUNTIME_STORE_DISK_H
#define RUNTIME_STORE_DISK_H
#include "runtime/store/impl.h"
#include "runtime/store/recover.h"

/* disk_attach hands m, recovered as r tells, to the disk thread. Returns 0 or negative errno with
 * err. */
int disk_attach(struct rt_journal_impl *m, const struct recovered *r, struct rt_error *err);

/* disk_detach takes it back: with drain after all is synced and the end is marked, else as soon as
 * nothing is in flight. Returns whether the disk now has everything. */
bool disk_detach(struct disk_job *job, bool drain);

/* disk_wake ends the thread's sleep when it sleeps. */
void disk_wake(struct disk_job *job);

/* disk_want asks for a sync up to position now. */
void disk_want(struct disk_job *job, uint64_t position);
#endif
