/* journal.h - what a shard heard and said, in order, for good.
 *
 * For     the shard (appends), recovery and replay (rt_tape), and readers in other threads and
 *         processes (rt_tape with follow: the journal tail, which costs the writer nothing).
 *         A record is a message frame: kind with MSG_OUT for what was said, CRC32C (Castagnoli, of
 *         the whole record with the stamp's place zero) in the stamp's place. Records fill
 *         fixed-size segments SHARD/N.seg. The newest segments are the stage: files on tmpfs,
 *         allocated whole, mapped, appended by memory store; a disk thread of the process copies
 *         them by io_uring to disk segments (allocated whole and zero-written two ahead) and
 *         fdatasyncs by policy.
 * Thread  the writer belongs to one shard thread; the disk thread talks to it by atomics only.
 * Memory  the stage is mapped at open; nothing is allocated afterwards.
 * Cost    an append copies and sums the record in one pass: about 10 ns for 64 bytes. */
#ifndef RUNTIME_STORE_JOURNAL_H
#define RUNTIME_STORE_JOURNAL_H
#include "runtime/base/error.h"
#include "schemas/frame.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When records are safe against a power cut; a killed process loses nothing under any of them. */
enum rt_durability {
    RT_DURABLE_PROCESS,    /* synced behind, once a second */
    RT_DURABLE_INTERVAL,   /* synced every interval_ns */
    RT_DURABLE_EACH_ORDER, /* rt_journal_wait before a request leaves */
};

/* Where segments live. */
enum rt_backing {
    RT_BACKING_DISK,   /* stage on tmpfs, disk behind it */
    RT_BACKING_STAGE,  /* stage only: survives the process, not the machine (bench, sweeps) */
    RT_BACKING_MEMORY, /* the process's own memory (journal: off): OUT records for the results */
};

/* How a journal is opened. */
struct rt_journal_options {
    const char *dir;            /* RUN/journal/SHARD on disk; made when missing */
    const char *stage_dir;      /* its directory on tmpfs */
    uint32_t segment_bytes;     /* size of a segment, a power of two, 64 KiB..1 GiB */
    uint32_t stage_segments;    /* segments of the stage, >= 2 */
    enum rt_backing backing;    /* where */
    enum rt_durability durability; /* when synced */
    int64_t interval_ns;        /* for RT_DURABLE_INTERVAL */
    uint64_t archive_bytes_max; /* archived segments kept at most, 0 = all */
    const void *head;           /* table of names and ids, copied to the head of every segment */
    uint32_t head_bytes;        /* its size, at most 60 KiB */
    uint64_t run_id;            /* this run; a segment of another run is refused */
    uint32_t shard;             /* number of the shard in the run */
};

/* What open found. Positions count bytes of records since the run's start, over all segments. */
struct rt_journal_found {
    uint64_t end;        /* position after the last whole record; 0 = new */
    uint64_t cut_bytes;  /* bytes of a torn tail cut off */
    char report[300];    /* one sentence when something was cut, lost or repaired; else empty */
};

/* The writer: the hot part is visible so that an append inlines. */
struct rt_journal {
    uint8_t *at;           /* where the next record goes, in the mapped segment */
    uint8_t *end;          /* end of the segment's room */
    uint64_t base;         /* position of address 0 of the segment: position = base + at */
    struct rt_journal_impl *impl; /* the rest */
};

/* rt_journal_open makes or opens the journal and leaves it ready to append at found->end. Torn
 * tails are cut at the last good CRC and reported; damage before the tail is an error (-EBADMSG)
 * that names segment and offset. Returns 0 or negative errno with err. */
int rt_journal_open(struct rt_journal *j, const struct rt_journal_options *o,
                    struct rt_journal_found *found, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_journal_append appends f (its kind or'ed with dir: 0 or MSG_OUT) and returns its position. When
 * no segment is free it waits for the disk thread (virtual clock) after telling the caller ahead
 * of time by rt_journal_free. */
uint64_t rt_journal_append(struct rt_journal *j, const struct msg_frame *f, uint16_t dir);

/* rt_journal_position returns the position after the last record. */
static inline uint64_t rt_journal_position(const struct rt_journal *j) {
    return j->base + (uint64_t)(uintptr_t)j->at;
}

/* rt_journal_turn, called at each turn's end that appended: moves end_bytes for tails and the disk
 * thread, prefetches the next 4 KiB. */
void rt_journal_turn(struct rt_journal *j);

/* rt_journal_wait waits until everything before position is synced (each-order), polling. Returns
 * 0, or the negative errno of the failed sync. Backings without disk return at once. */
int rt_journal_wait(struct rt_journal *j, uint64_t position);

/* rt_journal_error returns 0, or the negative errno of the first failed write or sync; it stays
 * until the process ends: nothing more is acknowledged. */
int rt_journal_error(const struct rt_journal *j);

/* rt_journal_free returns the whole segments that could be filled without waiting. */
uint32_t rt_journal_free(const struct rt_journal *j);

/* rt_journal_keep tells that records before position are no longer needed by snapshots: older
 * segments may be archived (zstd) and their stage files reused. */
void rt_journal_keep(struct rt_journal *j, uint64_t position);

/* rt_journal_close syncs all, leaves a clean mark and unmaps. Returns 0 or negative errno. */
int rt_journal_close(struct rt_journal *j);

/* The disk thread of the process; serves all its journals. */

/* rt_disk_start starts it (call before the first open); rt_disk_stop drains and joins it. */
int rt_disk_start(struct rt_error *err) __attribute__((warn_unused_result));
/* rt_disk_stop ends the thread after everything appended is written. */
void rt_disk_stop(void);

/* A reader. Opaque but for its hot part. */
struct rt_tape {
    const uint8_t *at, *end;    /* records left in the mapped stretch */
    uint64_t base;              /* position of address 0 */
    struct rt_tape_impl *impl;  /* the rest */
};

/* rt_tape_open opens the journal of one shard for reading at position (0 = start): archived, disk
 * and stage segments alike; stage_dir may be NULL. Any process, any time. Returns 0 or negative
 * errno with err. */
int rt_tape_open(struct rt_tape *t, const char *dir, const char *stage_dir, uint64_t position,
                 struct rt_error *err) __attribute__((warn_unused_result));

/* rt_tape_next returns the next record (CRC checked, in place, good until the next call), or NULL
 * at the end (rt_tape_error tells whether by damage). Following a live writer, NULL means "not
 * yet". */
const struct msg_frame *rt_tape_next(struct rt_tape *t);

/* rt_tape_position returns the position of the record rt_tape_next will give. */
uint64_t rt_tape_position(const struct rt_tape *t);

/* rt_tape_error returns 0, or negative errno when the last NULL came from damage (-EBADMSG) or a
 * gap (-ENODATA: segments dropped past archive_bytes_max), with err filled. */
int rt_tape_error(const struct rt_tape *t, struct rt_error *err);

/* rt_tape_head returns the table of names that heads the segments, and its size. */
const void *rt_tape_head(const struct rt_tape *t, uint32_t *bytes);

/* rt_tape_close unmaps. */
void rt_tape_close(struct rt_tape *t);

/* rt_tail_register makes a registered cursor (a small file in dir) so that segments from position
 * on are kept for it; rt_tail_move moves it; rt_tail_drop removes it. Names are [a-z0-9-]{1,32}. */
int rt_tail_register(const char *dir, const char *name, uint64_t position, struct rt_error *err);
/* rt_tail_move tells how far the tail named name has read. */
int rt_tail_move(const char *dir, const char *name, uint64_t position);
/* rt_tail_drop forgets the tail named name. */
int rt_tail_drop(const char *dir, const char *name);
#endif
