/* disk.h - the thread that carries the stage to disk.
 *
 * For     journals with RT_BACKING_DISK. */
#ifndef RUNTIME_STORE_DISK_H
#define RUNTIME_STORE_DISK_H
#include "runtime/store/impl.h"
#include "runtime/store/recover.h"

/* disk_attach hands j to the disk thread. Returns 0 or negative errno with err. */
int disk_attach(struct rt_journal *j, const struct recovered *r, struct rt_error *err);

/* disk_detach takes it back: with drain after all is synced and marked closed, else at once. */
void disk_detach(struct disk_job *job, bool drain);

/* disk_wake ends the thread's sleep when it sleeps. */
void disk_wake(struct disk_job *job);

/* disk_want asks for a sync up to position now. */
void disk_want(struct disk_job *job, uint64_t position);
#endif
