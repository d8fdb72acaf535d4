/* snapshot.h - state, as rows in LMDB, tagged with the journal position it belongs to.
 *
 * For     recovery: newest valid snapshot of a shard + journal from its position. Two environments
 *         (snapshot/a, snapshot/b) take turns, so that a damaged one leaves the other. Each row
 *         carries its kind, key and CRC32C; a head row per shard holds position, row count and a
 *         hash over all rows (LMDB checks nothing itself).
 * Thread  begin/row/end on the shard's thread at a turn's end (copies into a buffer taken at
 *         open); a helper thread commits. load at boot, any thread.
 * Memory  buffers of bytes_max per shard, taken at open, two in turn. */
#ifndef RUNTIME_STORE_SNAPSHOT_H
#define RUNTIME_STORE_SNAPSHOT_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_snapshots; /* the snapshots of one process's shards; opaque */

/* rt_snapshots_open opens (makes) DIR for shard_cnt shards with buffers of bytes_max each and
 * starts the helper thread. Returns 0 or negative errno with err. */
int rt_snapshots_open(const char *dir, uint32_t shard_cnt, size_t bytes_max,
                      struct rt_snapshots **out, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_snapshot_begin begins a snapshot of shard at journal position; false when the last one is
 * still being committed (try again later). */
bool rt_snapshot_begin(struct rt_snapshots *s, uint32_t shard, uint64_t position);

/* rt_snapshot_row adds a row: owner (actor id, 0 = the runtime), kind, key, bytes (< 64 KiB). */
void rt_snapshot_row(struct rt_snapshots *s, uint32_t shard, uint16_t owner, uint16_t kind,
                     uint64_t key, const void *row, uint32_t bytes);

/* rt_snapshot_end hands it to the helper. Returns 0, or -ENOSPC when the rows passed bytes_max (the
 * snapshot is dropped, counted and reported; the journal still holds everything). */
int rt_snapshot_end(struct rt_snapshots *s, uint32_t shard);

/* rt_snapshot_committed returns the journal position of the older of the shard's two committed
 * snapshots (records before it may go), 0 when there is none. */
uint64_t rt_snapshot_committed(const struct rt_snapshots *s, uint32_t shard);

/* What load hands to the caller for each row, in (owner, kind, key) order of save. */
typedef int (*rt_snapshot_row_fn)(void *arg, uint16_t owner, uint16_t kind, uint64_t key,
                                  const void *row, uint32_t bytes, struct rt_error *err);

/* rt_snapshot_load finds the newest valid snapshot of shard whose position is <= journal_end,
 * checks every CRC, the count and the hash before the first row is handed out, and calls fn for
 * each row in the order they were saved. *position = 0 and no call when there is none. report (cap
 * bytes) gets one sentence when a damaged one was passed over. Returns 0 or negative errno. */
int rt_snapshot_load(const char *dir, uint32_t shard, uint64_t journal_end, rt_snapshot_row_fn fn,
                     void *arg, uint64_t *position, char *report, size_t cap, struct rt_error *err);

/* rt_snapshots_close waits for the helper and closes. s may be NULL. */
void rt_snapshots_close(struct rt_snapshots *s);
#endif
