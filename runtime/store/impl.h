/* impl.h - what the writer, the disk thread and the tape share inside the store.
 *
 * Thread  each field says who writes it. */
#ifndef RUNTIME_STORE_IMPL_H
#define RUNTIME_STORE_IMPL_H
#include "runtime/base/seam.h"
#include "runtime/store/journal.h"
#include "runtime/store/segment.h"
#include <stdatomic.h>

struct disk_job; /* disk.c */

/* A slot of the stage, or a segment of the memory backing. */
struct seg_slot {
    uint8_t *map;            /* segment_bytes of it, once made */
    _Atomic uint32_t made;   /* 1 = mapped and allocated whole; released by who made it */
    _Atomic uint64_t number; /* segment in it; 0 = free. Writer sets; who frees clears (release) */
};

/* The rest of a journal's writer. */
struct rt_journal_impl {
    struct rt_journal_options o;  /* as opened; pointers are copies of ours */
    char *dir;                    /* o.dir, or "" */
    char *stage_dir;              /* o.stage_dir, or "" */
    uint8_t *names;               /* table of names, zeros up to head_bytes - 4096 */
    uint32_t names_crc;           /* its CRC */
    uint32_t head_bytes;          /* where records begin */
    int lock_dir;                 /* descriptor that holds the lock of dir; -1 = none */
    int lock_stage;               /* the same of stage_dir */
    uint8_t *start;               /* current segment's map */
    struct rt_journal_mark *mark; /* current segment's marks */
    uint8_t *turned;              /* at when the mark moved last */
    uint64_t number;              /* current segment */
    uint8_t *scrap;               /* where records go when nothing can take them; else NULL */
    uint64_t lost;                /* records that went there are counted by segment */
    struct seg_slot *slots;       /* the stage: segment N in slot N modulo slot_cnt */
    uint32_t slot_cnt;            /* their number; grows for the memory backing */
    _Atomic bool no_stage_room;   /* the last attempt to make a slot found tmpfs full */
    struct rt_journal_impl *next; /* list of the memory journals of this process */
    struct disk_job *job;         /* what the disk thread knows of it; NULL = no disk */

    _Alignas(128) _Atomic uint64_t head_number; /* newest segment; the writer releases it */
    _Atomic uint64_t keep; /* records before it are not needed by snapshots; writer */
    _Alignas(128) _Atomic uint64_t synced; /* position that is power-safe; disk thread releases */
    _Atomic uint64_t ready; /* highest disk segment allocated and zeroed; disk thread */
    _Atomic int error;      /* first failed write or sync; disk thread, or the writer's roll */
};

/* impl_use makes map, holding segment number at position base, j's current segment, to go on at
 * offset end. */
void impl_use(struct rt_journal *j, uint8_t *map, uint64_t number, uint64_t base, uint64_t end);

/* impl_slot_make maps slot k of the stage, allocated whole. Returns 0 or negative errno. */
int impl_slot_make(struct rt_journal_impl *m, uint32_t k);

/* impl_slot_begin opens the file of slot k, to be made piece by piece. Returns the descriptor. */
int impl_slot_begin(struct rt_journal_impl *m, uint32_t k);

/* impl_slot_grow allocates bytes more of slot k's file fd, of which *at are. Returns 1 while there
 * is more to do, 0 when the slot is made, or negative errno. */
int impl_slot_grow(struct rt_journal_impl *m, uint32_t k, int fd, uint64_t *at, uint64_t bytes);

/* impl_abandon drops j as a killed process would: nothing is flushed, marked or cut. Tests. */
void impl_abandon(struct rt_journal *j);

/* impl_memory_find returns the memory journal of this process whose dir is dir, or NULL. */
struct rt_journal_impl *impl_memory_find(const char *dir);

/* impl_memory_read copies cnt bytes at offset at of segment number of memory journal m to to, at
 * most up to its end mark. Returns the bytes, 0 at the end, -ENODATA when the segment is gone,
 * -EAGAIN when it is not begun. Any thread. */
int64_t impl_memory_read(const char *dir, uint64_t number, uint64_t at, void *to, size_t cnt);

/* impl_lock takes the lock of directory path for a writer. Returns the descriptor to close, or
 * -EBUSY with err when another process (or journal) writes there. */
int impl_lock(const char *path, struct rt_error *err);

/* impl_locked tells whether a writer holds the lock of directory path. */
bool impl_locked(const char *path);

/* impl_mkdirs makes path and what lacks above it, mode 0700. Returns 0 or negative errno. */
int impl_mkdirs(const char *path, struct rt_error *err);
#endif
