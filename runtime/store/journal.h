/* journal.h - what a shard heard and said, in order, for good.
 *
 * For     the shard (appends), recovery and replay (rt_tape), and readers in other threads and
 *         processes (rt_tape with follow: the journal tail, which costs the writer nothing).
 *         A record is a message frame: kind with MSG_OUT for what was said, CRC32C (Castagnoli, of
 *         the whole record with the stamp's place zero) in the stamp's place. The CRC starts from
 *         the segment's seed (run, shard, number) and the record's position, so a record that is
 *         whole but stands in the wrong place is as bad as a broken one, and a used stage file
 *         needs no clearing. Records fill fixed-size segments SHARD/N.seg. The newest segments
 *         are the stage: files K.slot on tmpfs (segment N in slot N modulo the stage's size),
 *         allocated whole, mapped, appended by memory store; a disk thread of the process copies
 *         them by io_uring to disk segments (allocated whole and zero-written two ahead) and
 *         fdatasyncs by policy. Old segments become N.seg.zst.
 * Format  of a segment: struct rt_journal_head at 0; struct rt_journal_mark at 128 (moving only in
 *         the stage); two struct rt_journal_sync at 1024 and 1536 (disk only, written in turn, each
 *         with the batch it announces); the table of names at 4096, zeros up to head_bytes; then
 *         records, ended by a zero word, the segment's room, or the base of the next segment.
 *         Little endian. Version 1; later ones keep the head's size and the place of its version
 *         and CRC, so that a newer one is told from a damaged one.
 * Thread  the writer belongs to one shard thread; the disk thread talks to it by atomics only.
 * Memory  the stage is mapped at open; nothing is allocated afterwards.
 * Cost    an append copies and sums the record in one pass: about 10 ns for 64 bytes. */
#ifndef RUNTIME_STORE_JOURNAL_H
#define RUNTIME_STORE_JOURNAL_H
#include "runtime/base/error.h"
#include "schemas/frame.h"
#include <assert.h>
#include <stdatomic.h>
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
    const char *dir;         /* RUN/journal/SHARD on disk; made when missing */
    const char *stage_dir;   /* its directory on tmpfs */
    uint32_t segment_bytes;  /* size of a segment, a power of two, 128 KiB..1 GiB */
    uint32_t stage_segments; /* segments of the stage, 2..1024; below 4, rt_journal_free is low */
    enum rt_backing backing; /* where */
    enum rt_durability durability; /* when synced */
    int64_t interval_ns;           /* for RT_DURABLE_INTERVAL */
    bool unwritten; /* disk segments are allocated ahead but not zero-written: a sync then writes
                     * metadata too, which matters where somebody waits for it */
    uint64_t archive_bytes_max; /* archived segments kept at most, 0 = all */
    const void *head;           /* table of names and ids, copied to the head of every segment */
    uint32_t head_bytes;        /* its size, at most 60 KiB */
    uint64_t run_id;            /* this run; a segment of another run is refused */
    uint32_t shard;             /* number of the shard in the run */
    /* told that the writer stands still for want of room on the disk, and that it goes on; on the
     * writer's thread; NULL = nobody */
    void (*waits)(void *arg, bool on);
    void *waits_arg; /* its own */
};

/* What open found. Positions count bytes of records since the run's start, over all segments. */
struct rt_journal_found {
    uint64_t end;       /* position after the last whole record; 0 = new */
    uint64_t cut_bytes; /* bytes of a torn tail cut off */
    char report[300];   /* one sentence when something was cut, lost or repaired; else empty */
};

enum {
    RT_JOURNAL_VERSION = 1,         /* newest format this program knows */
    RT_JOURNAL_NAMES_AT = 4096,     /* offset of the table of names in a segment */
    RT_JOURNAL_NAMES_MAX = 60 << 10 /* its size at most */
};

/* At the start of a segment: what it is. Written once, when the segment begins. */
struct rt_journal_head {
    char magic[8];           /* "SHRKJRNL" */
    uint32_t version;        /* of the format: 1 */
    uint32_t head_bytes;     /* where records begin: a multiple of 4096 */
    uint64_t run_id;         /* the run it belongs to */
    uint64_t number;         /* the segment's number, from 1, without gaps */
    uint64_t base;           /* position of its first record */
    uint32_t shard;          /* number of the shard in the run */
    uint32_t segment_bytes;  /* size of the whole segment */
    uint32_t stage_segments; /* slots of the stage it was written in */
    uint32_t names_bytes;    /* size of the table of names */
    uint32_t names_crc;      /* CRC32C of the bytes from 4096 to head_bytes */
    uint32_t zero[16];       /* 0 in version 1 */
    uint32_t crc;            /* CRC32C of all bytes before it */
};
_Static_assert(sizeof(struct rt_journal_head) == 128,
               "the head of a segment is part of the format");

/* In the head of a stage segment; processes that tail the journal map it read-only. Each word has
 * lines of its own, since each has another reader. Offsets count from the segment's start. */
struct rt_journal_mark {
    _Alignas(128) _Atomic uint64_t end_bytes; /* end of whole records: the shard releases it after
                                               * the records, tails and the disk thread acquire */
    _Atomic uint64_t closed;                  /* 1 = the next segment has begun; the shard */
    _Alignas(128) _Atomic uint64_t synced_bytes; /* what a power cut cannot take; the disk thread
                                                  * releases it when the fdatasync has answered */
    _Alignas(128) _Atomic int64_t beat_ns;       /* when the shard's loop last turned, ns UTC;
                                                  * relaxed: the watchdog may see it late */
    _Alignas(128) _Atomic uint64_t number;       /* the segment in this slot, 0 while it changes: a
                                                  * tail looks again after it has read */
};
_Static_assert(sizeof(struct rt_journal_mark) == 512, "the marks are part of the format");

/* In the head of a disk segment, twice, written in turn: what the batch it was written with knew.
 * It tells a torn tail from damage: what was synced before this batch must be whole. */
struct rt_journal_sync {
    uint64_t sequence; /* counts up; the valid one with the higher figure holds; 0 = none yet */
    uint64_t synced;   /* offset up to which an fdatasync had answered before this batch */
    uint64_t covers;   /* offset the batch reaches */
    uint64_t closed;   /* 1 = the segment ends at covers; 2 = the journal was closed there */
    uint32_t zero[7];  /* 0 in version 1 */
    uint32_t crc;      /* CRC32C of the segment's seed and all bytes before it */
};
_Static_assert(sizeof(struct rt_journal_sync) == 64, "the sync mark is part of the format");

/* The writer: the hot part is visible so that an append inlines. */
struct rt_journal {
    uint8_t *at;   /* where the next record goes, in the mapped segment */
    uint8_t *end;  /* end of the segment's room; a word behind it is still the segment's */
    uint64_t base; /* position of address 0 of the segment: position = base + at */
    uint64_t seed; /* what the CRC of its records starts from (32 bits) */
    uint8_t *warm; /* lines before it have been fetched for writing */
    struct rt_journal_impl *impl; /* the rest */
};

/* rt_journal_open makes or opens the journal and leaves it ready to append at found->end. Torn
 * tails are cut at the last good CRC and reported; damage before the tail is an error (-EBADMSG)
 * that names segment and offset. Returns 0 or negative errno with err. */
int rt_journal_open(struct rt_journal *j, const struct rt_journal_options *o,
                    struct rt_journal_found *found, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_journal_position returns the position after the last record. */
static inline uint64_t rt_journal_position(const struct rt_journal *j) {
    return j->base + (uint64_t)(uintptr_t)j->at;
}

/* rt_journal_roll begins the next segment; for rt_journal_append only. */
void rt_journal_roll(struct rt_journal *j);

/* rt_journal_append appends f (its kind or'ed with dir: 0 or MSG_OUT) and returns its position.
 * When no segment is free it waits for the disk thread (virtual clock) after telling the caller
 * ahead of time by rt_journal_free. The record's first word is stored last: a process killed in the
 * middle leaves either the whole record or none. */
static inline uint64_t rt_journal_append(struct rt_journal *j, const struct msg_frame *f,
                                         uint16_t dir) {
    const uint64_t *from = (const uint64_t *)(const void *)f;
    size_t size = f->size;
    assert(size >= sizeof *f && (size & 7U) == 0);
    if (__builtin_expect((size_t)(j->end - j->at) < size, 0)) rt_journal_roll(j);
    uint64_t *to = (uint64_t *)(void *)j->at;
    uint64_t position = rt_journal_position(j);
    uint64_t crc = j->seed ^ (uint32_t)position;
    uint64_t first = from[0] | dir; /* the kind is its low half word */
    uint64_t second = (uint32_t)from[1];
    crc = __builtin_ia32_crc32di(crc, first);
    crc = __builtin_ia32_crc32di(crc, second);
    crc = __builtin_ia32_crc32di(crc, from[2]);
    crc = __builtin_ia32_crc32di(crc, from[3]);
    to[2] = from[2];
    to[3] = from[3];
    const size_t words = size / 8;
    size_t i = 4;
    for (; i + 4 <= words; i += 4) { /* four at a time: the sum's latency is all that is left */
        uint64_t a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
        /* word by word: a wide load of words that were just stored has to wait for them */
        __asm__("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
        to[i] = a;
        to[i + 1] = b;
        to[i + 2] = c;
        to[i + 3] = d;
        crc = __builtin_ia32_crc32di(crc, a);
        crc = __builtin_ia32_crc32di(crc, b);
        crc = __builtin_ia32_crc32di(crc, c);
        crc = __builtin_ia32_crc32di(crc, d);
    }
    for (; i < words; i++) {
        uint64_t word = from[i];
        to[i] = word;
        crc = __builtin_ia32_crc32di(crc, word);
    }
    to[words] = 0; /* here the records end */
    to[1] = second | crc << 32;
    __atomic_store_n(&to[0], first, __ATOMIC_RELEASE);
    j->at += size;
    return position;
}

/* rt_journal_turn, called at each turn's end that appended: moves end_bytes for tails and the disk
 * thread, prefetches the next 4 KiB. */
void rt_journal_turn(struct rt_journal *j);

/* rt_journal_beat tells the watchdog that the shard's loop turned at now_ns (UTC). */
void rt_journal_beat(struct rt_journal *j, int64_t now_ns);

/* rt_journal_synced returns the position up to which a power cut takes nothing. Backings without
 * disk return the position after the last turn. Any thread. */
uint64_t rt_journal_synced(const struct rt_journal *j);

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
/* rt_disk_method tells how the thread reaches the disk: "io_uring", "pwrite" where the kernel gives
 * no ring, or "none" when it does not run. */
const char *rt_disk_method(void);
/* rt_disk_stop ends the thread after everything appended is written. */
void rt_disk_stop(void);

/* A reader. Opaque but for its hot part. */
struct rt_tape {
    const uint8_t *at, *end;   /* records left in the mapped stretch */
    uint64_t base;             /* position of address 0 */
    struct rt_tape_impl *impl; /* the rest */
};

/* Position of a tape that begins with the oldest record that was not dropped. */
#define RT_TAPE_OLDEST UINT64_MAX

/* rt_tape_open opens the journal of one shard for reading at position (0 = start, or
 * RT_TAPE_OLDEST): archived, disk and stage segments alike; stage_dir may be NULL. Any process, any
 * time. Returns 0 or negative errno with err. */
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
