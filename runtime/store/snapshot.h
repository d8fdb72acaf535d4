/* snapshot.h - state, as rows in LMDB, tagged with the journal position it belongs to.
 *
 * For     recovery: newest valid snapshot of a shard + journal from its position. Two environments
 *         (snapshot/a.mdb, snapshot/b.mdb) take turns, so that a damaged one leaves the other.
 *         Each row carries its kind, key and CRC32C; a head row per shard holds position, row
 *         count and a hash over all rows. LMDB checks nothing itself and crashes on a hurt page,
 *         so a.sum, b.sum hold size and hash of the whole file: an environment that differs is
 *         never opened, and a load opens a private copy (any process, any time).
 * Thread  begin/row/end on the shard's thread at a turn's end (copies into a buffer taken at
 *         open); a helper thread commits. load at boot, any thread.
 * Memory  a buffer of bytes_max per shard, taken at open; the helper's and LMDB's own.
 * Format  LMDB, integer keys: shard << 32 | place, place 0 the head row (struct rt_snapshot_head),
 *         others rows (struct rt_snapshot_item and the bytes, padded to 8). Version 1; later
 *         ones keep the head's size and the place of its version and CRC. */
#ifndef RUNTIME_STORE_SNAPSHOT_H
#define RUNTIME_STORE_SNAPSHOT_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RT_SNAPSHOT_VERSION = 1 }; /* newest format this program knows */

/* The head row of a shard's snapshot. */
struct rt_snapshot_head {
    uint32_t version;  /* of the format: 1 */
    uint32_t row_cnt;  /* rows that follow */
    uint64_t position; /* journal position the state belongs to */
    uint64_t sequence; /* counts the shard's snapshots */
    uint64_t hash;     /* XXH64 chained over all rows, item and bytes */
    uint64_t zero;     /* 0 in version 1 */
    uint32_t pad;      /* 0 */
    uint32_t crc;      /* CRC32C of all bytes before it */
};
_Static_assert(sizeof(struct rt_snapshot_head) == 48, "the head row is part of the format");

/* What stands before the bytes of a row. */
struct rt_snapshot_item {
    uint16_t owner; /* actor id, 0 = the runtime */
    uint16_t kind;  /* MSG_*_ROW */
    uint32_t bytes; /* size of the row without padding */
    uint64_t key;   /* within owner and kind */
    uint32_t place; /* its place, from 1 */
    uint32_t crc;   /* CRC32C of the other fields and the padded bytes */
};
_Static_assert(sizeof(struct rt_snapshot_item) == 24, "the item is part of the format");

struct rt_snapshots; /* the snapshots of one process's shards; opaque */

/* rt_snapshots_open opens (makes) DIR for shard_cnt shards with buffers of bytes_max each, their
 * pages taken ahead or as they are needed, and starts the helper thread. Returns 0 or negative
 * errno with err. */
int rt_snapshots_open(const char *dir, uint32_t shard_cnt, size_t bytes_max, bool ahead,
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

/* rt_snapshots_failed returns how many snapshots were dropped (too large, or a commit failed), and
 * the newest reason in err (may be NULL). Any thread. */
uint64_t rt_snapshots_failed(struct rt_snapshots *s, struct rt_error *err);

/* rt_snapshots_close waits for the helper and closes. s may be NULL. */
void rt_snapshots_close(struct rt_snapshots *s);
#endif
