#include "runtime/store/disk.h"
#include "runtime/store/archive.h"
#include "runtime/store/tail.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 1 << 20,      /* written by one operation */
    SLOT_PIECE_BYTES = 4 << 20, /* of a slot made in one step: about a millisecond */
    AHEAD = 3,                  /* disk segments allocated beyond the current: two stay when it
                                 * rolls */
    RING_ENTRIES = 256,         /* two operations in flight a journal */
    RETRY_NS = 100000000,       /* between two looks for room on a full disk */
    IDLE_NS = 100000000,        /* longest sleep */
    PROCESS_NS = 1000000000,    /* sync period of RT_DURABLE_PROCESS */
    GIVE_UP_NS = 2000000000,    /* how long a close waits for room on a full disk */
};

/* An operation, given to the ring or carried out at once. */
struct disk_op {
    struct rt_seam_op s; /* what; moved on when a write comes back short */
    bool busy;           /* given and not yet seen to be finished */
    bool got;            /* its result is in */
    int64_t result;      /* bytes, 0 or negative errno */
    int64_t ready_ns;    /* a test may hold the result back until then */
};

/* Where a journal's flush stands. */
enum flush_step { FLUSH_IDLE, FLUSH_DATA, FLUSH_MARK, FLUSH_SYNC, FLUSH_FAILED };
/* Where the preparation of its next disk segment stands. */
enum ready_step { READY_IDLE, READY_ZERO, READY_SYNC };

/* What the disk thread knows of a journal. The thread's own but where it says otherwise. */
struct disk_job {
    struct rt_journal_impl *m; /* the journal */
    struct disk_job *next;     /* list; under the lock */
    _Atomic uint64_t want;     /* position that rt_journal_wait asks for; the shard */
    bool detach;               /* the owner wants it back; under the lock */
    bool drain;                /* after all is on disk; under the lock */
    bool gone;                 /* it has it back; under the lock */
    bool whole;                /* and the disk has everything */
    int64_t detach_ns;         /* when that was asked */

    enum flush_step flush;             /* step of the batch in hand */
    struct disk_op flush_op;           /* its operation */
    uint64_t number;                   /* segment being flushed */
    int fd;                            /* its disk file, -1 = not open */
    bool head_written;                 /* its head is on disk */
    bool ended;                        /* the end of the journal is marked */
    uint64_t sequence;                 /* of its last sync mark */
    uint64_t done;                     /* offset in it that is synced */
    uint64_t at;                       /* offset the batch has written */
    uint64_t upto;                     /* offset the batch reaches */
    uint64_t closing;                  /* what its mark says in closed */
    int64_t batch_ns;                  /* when the batch began */
    int64_t next_ns;                   /* when the next one is due */
    int64_t period_ns;                 /* between two */
    _Alignas(4096) uint8_t page[4096]; /* head or mark being written */

    enum ready_step prepare;   /* step of the disk segment being allocated */
    struct disk_op prepare_op; /* its operation */
    int prepare_fd;            /* its file */
    bool prepare_fresh;        /* it holds nothing yet */
    uint64_t prepare_at;       /* zeroed so far */
    uint8_t prepare_page[256]; /* its first bytes, as found */
    int64_t retry_ns;          /* no attempt before */
    int slot_fd;               /* file of the slot being made, -1 = none */
    uint32_t slot_k;           /* its index */
    uint64_t slot_at;          /* allocated so far */
    int64_t slot_retry_ns;     /* no attempt before */

    struct archive_writer *archive; /* the compression under way, NULL = none */
    struct disk_op archive_op;      /* its sync */
    bool archive_sync;              /* the sync was given */
    uint64_t archive_next;          /* oldest segment that is not compressed; 0 = none yet */
    uint64_t archive_end;           /* position where it ends, 0 = not known */
    int64_t archive_ns;             /* no look before */
};

/* The thread. */
static struct {
    pthread_mutex_t lock;  /* over the list and the flags said to be under it */
    pthread_cond_t left;   /* a job is gone */
    pthread_t thread;      /* it */
    struct disk_job *jobs; /* all journals with a disk */
    uint32_t users;        /* starts less stops */
    bool running;          /* the thread is there */
    bool stop;             /* it shall end once all is written */
    bool ready;            /* it has made its ring, or found that there is none */
    int event;             /* eventfd that ends its sleep */
    _Atomic int asleep;    /* it may sleep: who has work for it wakes it */
    struct io_uring ring;  /* its ring */
    bool has_ring;         /* there is one */
    bool armed;            /* the poll of event is in the ring */
    uint8_t *zeros;        /* PIECE_BYTES of them */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER, .event = -1 };

void disk_wake(struct disk_job *job) {
    (void)job;
    /* A read that also writes, so that what was stored is seen before the look at asleep. */
    if (atomic_fetch_or_explicit(&disk.asleep, 0, memory_order_seq_cst) == 0) return;
    uint64_t one = 1;
    ssize_t n = write(disk.event, &one, sizeof one);
    (void)n; /* full means that a wake is under way */
}

void disk_want(struct disk_job *job, uint64_t position) {
    atomic_store_explicit(&job->want, position, memory_order_seq_cst);
    disk_wake(job);
}

/* op_give hands op to the ring, or carries it out. */
static void op_give(struct disk_op *op) {
    op->busy = true;
    op->got = false;
    op->s.done = false;
    op->s.delay_ns = 0;
    rt_seam->ring_op(&op->s);
    op->ready_ns = op->s.delay_ns > 0 ? rt_seam->now_ns() + op->s.delay_ns : 0;
    if (op->s.done) {
        op->result = op->s.result;
        op->got = true;
        return;
    }
    struct io_uring_sqe *sqe = disk.has_ring ? io_uring_get_sqe(&disk.ring) : NULL;
    if (sqe == NULL) {
        op->result = op->s.kind == RT_SEAM_SYNC
                         ? rt_seam->fdatasync(op->s.fd)
                         : rt_seam->pwrite(op->s.fd, op->s.bytes, op->s.cnt, op->s.at);
        op->got = true;
        return;
    }
    if (op->s.kind == RT_SEAM_SYNC)
        io_uring_prep_fsync(sqe, op->s.fd, IORING_FSYNC_DATASYNC);
    else
        io_uring_prep_write(sqe, op->s.fd, op->s.bytes, (unsigned)op->s.cnt, op->s.at);
    io_uring_sqe_set_data(sqe, op);
}

/* op_write begins to write cnt bytes. */
static void op_write(struct disk_op *op, int fd, const void *bytes, size_t cnt, uint64_t at) {
    *op = (struct disk_op){
        .s = { .kind = RT_SEAM_WRITE, .fd = fd, .bytes = bytes, .cnt = cnt, .at = at }
    };
    op_give(op);
}

/* op_sync begins an fdatasync. */
static void op_sync(struct disk_op *op, int fd) {
    *op = (struct disk_op){ .s = { .kind = RT_SEAM_SYNC, .fd = fd } };
    op_give(op);
}

/* op_finished tells whether op has come to its end; *result is then 0 or a negative errno. A write
 * may have come back short: op->result tells how much it did. */
static bool op_finished(struct disk_op *op, int64_t now_ns, int64_t *due_ns, int64_t *result) {
    if (!op->got) return false;
    if (op->ready_ns > now_ns) {
        if (op->ready_ns < *due_ns) *due_ns = op->ready_ns;
        return false;
    }
    op->busy = false;
    *result = op->result;
    if (op->s.kind == RT_SEAM_SYNC || op->result < 0) return true;
    *result = op->result == 0 && op->s.cnt > 0 ? -EIO : 0;
    return true;
}

/* job_fail makes the first error the journal's for good: nothing is synced or freed any more, so
 * nothing more is acknowledged (the next fdatasync could succeed with the data gone). */
static void job_fail(struct disk_job *job, int64_t code) {
    int none = 0;
    atomic_compare_exchange_strong(&job->m->error, &none, (int)code);
    job->flush = FLUSH_FAILED;
}

/* slot_of returns the stage slot of segment number. */
static struct seg_slot *slot_of(const struct disk_job *job, uint64_t number) {
    return &job->m->slots[number % job->m->slot_cnt];
}

/* mark_of returns the marks of the segment being flushed. */
static struct rt_journal_mark *mark_of(const struct disk_job *job) {
    return (void *)(slot_of(job, job->number)->map + SEG_MARK_AT);
}

/* seg_path writes the path of the job's disk segment number. */
static void seg_path(const struct disk_job *job, uint64_t number, char path[SEG_PATH_MAX]) {
    snprintf(path, SEG_PATH_MAX, "%s/%llu.seg", job->m->dir, (unsigned long long)number);
}

/* flush_open opens the disk file of the segment being flushed. Returns 0 or negative errno. */
static int flush_open(struct disk_job *job) {
    char path[SEG_PATH_MAX];
    bool bad;
    if (job->fd >= 0) return 0;
    seg_path(job, job->number, path);
    int fd = rt_seam->open(path, O_RDWR, 0);
    if (fd < 0) return fd;
    ssize_t n = rt_seam->pread(fd, job->page, sizeof job->page, 0);
    if (n < 0) {
        rt_seam->close(fd);
        return (int)n;
    }
    if (n < (ssize_t)sizeof job->page) memset(job->page + n, 0, sizeof job->page - (size_t)n);
    const struct rt_journal_impl *m = job->m;
    uint32_t seed = seg_seed(m->o.run_id, m->o.shard, job->number);
    job->sequence = seg_sync_read(job->page, seed, &bad).sequence;
    job->fd = fd;
    return 0;
}

/* flush_data writes the next piece of the batch, or, behind the last, its mark. */
static void flush_data(struct disk_job *job) {
    const uint8_t *map = slot_of(job, job->number)->map;
    if (job->at < job->upto) {
        uint64_t cnt = job->upto - job->at;
        job->flush = FLUSH_DATA;
        op_write(&job->flush_op, job->fd, map + job->at, cnt < PIECE_BYTES ? cnt : PIECE_BYTES,
                 job->at);
        return;
    }
    struct rt_journal_sync sync = { .sequence = ++job->sequence,
                                    .synced = job->head_written ? job->done : job->upto,
                                    .covers = job->upto,
                                    .closed = job->closing };
    const struct rt_journal_impl *m = job->m;
    seg_sync_seal(&sync, seg_seed(m->o.run_id, m->o.shard, job->number));
    uint64_t place = (job->sequence & 1) != 0 ? SEG_SYNC_A_AT : SEG_SYNC_B_AT;
    job->flush = FLUSH_MARK;
    if (job->head_written) {
        memcpy(job->page, &sync, sizeof sync);
        op_write(&job->flush_op, job->fd, job->page, sizeof sync, place);
        return;
    }
    memset(job->page, 0, sizeof job->page);
    memcpy(job->page, map, sizeof(struct rt_journal_head));
    memcpy(job->page + place, &sync, sizeof sync);
    op_write(&job->flush_op, job->fd, job->page, sizeof job->page, 0);
}

/* flush_synced takes note that the batch is safe. */
static void flush_synced(struct disk_job *job) {
    struct rt_journal_impl *m = job->m;
    struct seg_slot *slot = slot_of(job, job->number);
    struct rt_journal_mark *mark = mark_of(job);
    const struct rt_journal_head *h = (const void *)slot->map;
    job->flush = FLUSH_IDLE;
    job->done = job->upto;
    if (!job->head_written) {
        job->head_written = true;
        return; /* the records follow at once */
    }
    if (job->closing == 2) job->ended = true;
    job->next_ns = job->batch_ns + job->period_ns;
    atomic_store_explicit(&mark->synced_bytes, job->done, memory_order_release);
    atomic_store_explicit(&m->synced, h->base + (job->done - h->head_bytes), memory_order_release);
}

/* flush_next goes on to the next segment when this one is closed and wholly on disk. */
static void flush_next(struct disk_job *job) {
    rt_seam->close(job->fd);
    job->fd = -1;
    atomic_store_explicit(&slot_of(job, job->number)->number, 0, memory_order_release);
    job->number++;
    job->head_written = false;
    job->done = job->sequence = 0;
    job->next_ns = 0; /* what is in the next one already may have waited as long as this one's end:
                       * its head and its records follow at once */
}

/* flush_begin begins a batch when there is something to write and it is due. Returns whether it
 * did. */
static bool flush_begin(struct disk_job *job, int64_t now_ns, int64_t *due_ns) {
    struct rt_journal_impl *m = job->m;
    uint64_t newest = atomic_load_explicit(&m->head_number, memory_order_acquire);
    if (job->number > newest) return false;
    bool closed = job->number < newest;
    uint64_t end = atomic_load_explicit(&mark_of(job)->end_bytes, memory_order_acquire);
    if (closed && job->head_written && job->done >= end) {
        if (job->fd < 0 && flush_open(job) < 0) return false;
        flush_next(job);
        return true;
    }
    bool hurry = closed || disk.stop || job->drain ||
                 atomic_load_explicit(&job->want, memory_order_seq_cst) >
                     atomic_load_explicit(&m->synced, memory_order_relaxed);
    bool end_mark = job->drain && !closed && job->done == end && job->head_written && !job->ended;
    bool need = !job->head_written || end > job->done || end_mark;
    if (!hurry && now_ns < job->next_ns) {
        if (job->next_ns < *due_ns) *due_ns = job->next_ns;
        return false;
    }
    if (!need) {
        if (now_ns + job->period_ns < *due_ns) *due_ns = now_ns + job->period_ns;
        return false;
    }
    if (atomic_load_explicit(&m->ready, memory_order_relaxed) < job->number) return false;
    int code = flush_open(job);
    if (code < 0) {
        job_fail(job, code);
        return true;
    }
    job->batch_ns = now_ns;
    job->closing = closed ? 1 : end_mark ? 2 : 0;
    job->at = job->done;
    job->upto = end;
    if (!job->head_written) {
        job->at = RT_JOURNAL_NAMES_AT;
        job->upto = m->head_bytes;
        job->closing = 0;
    }
    flush_data(job);
    return true;
}

/* flush_step moves the flush on. Returns whether something happened. */
static bool flush_step(struct disk_job *job, int64_t now_ns, int64_t *due_ns) {
    int64_t code;
    if (job->flush == FLUSH_FAILED) return false;
    if (job->flush == FLUSH_IDLE) return flush_begin(job, now_ns, due_ns);
    if (!op_finished(&job->flush_op, now_ns, due_ns, &code)) return false;
    if (code < 0) {
        job_fail(job, code);
        return true;
    }
    struct rt_seam_op *s = &job->flush_op.s;
    uint64_t put = s->kind == RT_SEAM_WRITE ? (uint64_t)job->flush_op.result : 0;
    switch (job->flush) {
    case FLUSH_DATA:
        job->at += put;
        flush_data(job);
        break;
    case FLUSH_MARK:
        if (put < s->cnt) { /* torn: the rest */
            op_write(&job->flush_op, job->fd, (const uint8_t *)s->bytes + put, s->cnt - put,
                     s->at + put);
            break;
        }
        job->flush = FLUSH_SYNC;
        op_sync(&job->flush_op, job->fd);
        break;
    default: flush_synced(job); break;
    }
    return true;
}

/* prepare_fail gives up the disk segment being allocated; it is tried again later: nothing in it
 * was promised to anyone. */
static void prepare_fail(struct disk_job *job, int64_t now_ns) {
    char path[SEG_PATH_MAX];
    if (job->prepare_fd >= 0) rt_seam->close(job->prepare_fd);
    job->prepare_fd = -1;
    job->prepare = READY_IDLE;
    job->retry_ns = now_ns + RETRY_NS;
    seg_path(job, atomic_load_explicit(&job->m->ready, memory_order_relaxed) + 1, path);
    if (job->prepare_fresh) (void)rt_seam->unlink(path); /* what it took of a full disk goes back */
}

/* prepare_begin opens the next disk segment and allocates it whole. */
static void prepare_begin(struct disk_job *job, int64_t now_ns) {
    struct rt_journal_impl *m = job->m;
    char path[SEG_PATH_MAX];
    seg_path(job, atomic_load_explicit(&m->ready, memory_order_relaxed) + 1, path);
    int fd = rt_seam->open(path, O_RDWR | O_CREAT, 0600);
    job->prepare_fd = fd;
    ssize_t n = fd < 0 ? fd : rt_seam->pread(fd, job->prepare_page, sizeof job->prepare_page, 0);
    job->prepare_fresh = n >= 0;
    for (ssize_t i = 0; i < n; i++)
        if (job->prepare_page[i] != 0) job->prepare_fresh = false; /* begun, and cut short since */
    if (n < 0 || rt_seam->fallocate(fd, 0, m->o.segment_bytes) < 0) {
        prepare_fail(job, now_ns);
        return;
    }
    if (!job->prepare_fresh || m->o.unwritten) {
        job->prepare = READY_SYNC;
        op_sync(&job->prepare_op, fd);
        return;
    }
    job->prepare = READY_ZERO;
    job->prepare_at = 0;
    op_write(&job->prepare_op, fd, disk.zeros,
             PIECE_BYTES < m->o.segment_bytes ? (size_t)PIECE_BYTES : m->o.segment_bytes, 0);
}

/* prepare_step moves the allocation of disk segments on: so many ahead, zero-written (unless that
 * is not wanted), so that a flush allocates nothing and a sync writes no file metadata. */
static bool prepare_step(struct disk_job *job, int64_t now_ns, int64_t *due_ns) {
    struct rt_journal_impl *m = job->m;
    uint64_t ready = atomic_load_explicit(&m->ready, memory_order_relaxed);
    int64_t code;
    if (job->prepare == READY_IDLE) {
        uint64_t newest = atomic_load_explicit(&m->head_number, memory_order_acquire);
        uint64_t target = newest + (job->detach || disk.stop ? 0 : AHEAD);
        if (ready >= target || (job->detach && !job->drain) || job->flush == FLUSH_FAILED)
            return false;
        if (now_ns < job->retry_ns) {
            if (job->retry_ns < *due_ns) *due_ns = job->retry_ns;
            return false;
        }
        prepare_begin(job, now_ns);
        return true;
    }
    if (!op_finished(&job->prepare_op, now_ns, due_ns, &code)) return false;
    if (code < 0) {
        prepare_fail(job, now_ns);
        return true;
    }
    if (job->prepare == READY_ZERO) {
        job->prepare_at += (uint64_t)job->prepare_op.result;
        uint64_t left = m->o.segment_bytes - job->prepare_at;
        if (left > 0) {
            op_write(&job->prepare_op, job->prepare_fd, disk.zeros,
                     left < PIECE_BYTES ? left : PIECE_BYTES, job->prepare_at);
            return true;
        }
        job->prepare = READY_SYNC;
        op_sync(&job->prepare_op, job->prepare_fd);
        return true;
    }
    if (m->lock_dir >= 0 && rt_seam->fsync(m->lock_dir) < 0) {
        prepare_fail(job, now_ns);
        return true;
    }
    rt_seam->close(job->prepare_fd);
    job->prepare_fd = -1;
    job->prepare = READY_IDLE;
    atomic_store_explicit(&m->ready, ready + 1, memory_order_release);
    return true;
}

/* slot_step makes the next stage slots, piece by piece, before the shard comes to them. */
static bool slot_step(struct disk_job *job, int64_t now_ns, int64_t *due_ns) {
    struct rt_journal_impl *m = job->m;
    if (job->detach) return false;
    if (job->slot_fd < 0) {
        if (now_ns < job->slot_retry_ns) {
            if (job->slot_retry_ns < *due_ns) *due_ns = job->slot_retry_ns;
            return false;
        }
        uint64_t newest = atomic_load_explicit(&m->head_number, memory_order_acquire);
        for (uint32_t i = 1; i <= 2; i++) {
            struct seg_slot *slot = slot_of(job, newest + i);
            if (atomic_load_explicit(&slot->made, memory_order_relaxed) != 0) continue;
            job->slot_k = (uint32_t)((newest + i) % m->slot_cnt);
            job->slot_at = 0;
            job->slot_fd = impl_slot_begin(m, job->slot_k);
            if (job->slot_fd >= 0) return true;
            atomic_store_explicit(&m->no_stage_room, true, memory_order_relaxed);
            job->slot_retry_ns = now_ns + RETRY_NS;
            return false;
        }
        return false;
    }
    int code = impl_slot_grow(m, job->slot_k, job->slot_fd, &job->slot_at, SLOT_PIECE_BYTES);
    if (code > 0) return true;
    rt_seam->close(job->slot_fd);
    job->slot_fd = -1;
    atomic_store_explicit(&m->no_stage_room, code < 0, memory_order_relaxed);
    if (code < 0) job->slot_retry_ns = now_ns + RETRY_NS;
    return true;
}

/* archive_end_find learns where the oldest plain segment ends: at the base of the next. Returns
 * whether it is known. */
static bool archive_end_find(struct disk_job *job) {
    char path[SEG_PATH_MAX];
    _Alignas(8) uint8_t page[RT_JOURNAL_NAMES_AT];
    struct rt_journal_head h;
    if (job->archive_end != 0) return true;
    if (job->archive_next == 0 || job->archive_next >= job->number) return false;
    uint64_t next = job->archive_next + 1;
    if (next == job->number && !job->head_written) return false;
    seg_path(job, next, path);
    int fd = rt_seam->open(path, O_RDONLY, 0);
    if (fd < 0) return false;
    if (seg_file_check(fd, path, &h, page, NULL, NULL) == 0) job->archive_end = h.base;
    rt_seam->close(fd);
    return job->archive_end != 0;
}

/* One file of the archive, or a segment that only tails need. */
struct old_file {
    uint64_t number; /* which segment */
    uint64_t bytes;  /* what it takes on disk */
    bool plain;      /* N.seg, not N.seg.zst */
};

/* old_order orders by number. */
static int old_order(const void *a, const void *b) {
    const struct old_file *x = a;
    const struct old_file *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* archive_trim drops the oldest of what snapshots do not need, above archive_bytes_max; limit is
 * the first segment they need. */
static void archive_trim(struct disk_job *job, uint64_t limit) {
    struct rt_journal_impl *m = job->m;
    struct old_file *list = NULL;
    size_t cnt = 0;
    size_t cap = 0;
    uint64_t sum = 0;
    if (m->o.archive_bytes_max == 0) return;
    DIR *d = opendir(m->dir);
    struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        char *rest;
        struct stat st;
        unsigned long long n = strtoull(e->d_name, &rest, 10);
        bool plain = strcmp(rest, ".seg") == 0;
        if (rest == e->d_name || n >= limit || (!plain && strcmp(rest, ".seg.zst") != 0)) continue;
        if (fstatat(m->lock_dir, e->d_name, &st, 0) < 0) continue;
        if (cnt == cap) {
            cap = cap == 0 ? 64 : 2 * cap;
            struct old_file *grown = realloc(list, cap * sizeof *grown);
            if (grown == NULL) break;
            list = grown;
        }
        list[cnt++] = (struct old_file){ n, (uint64_t)st.st_blocks * 512, plain };
        sum += (uint64_t)st.st_blocks * 512;
    }
    if (d != NULL) closedir(d);
    if (cnt > 0) qsort(list, cnt, sizeof *list, old_order);
    for (size_t i = 0; i < cnt && sum > m->o.archive_bytes_max; i++) {
        char path[SEG_PATH_MAX];
        snprintf(path, sizeof path, "%s/%llu.seg%s", m->dir, (unsigned long long)list[i].number,
                 list[i].plain ? "" : ".zst");
        if (rt_seam->unlink(path) < 0) continue;
        sum -= list[i].bytes;
        if (list[i].plain && list[i].number >= job->archive_next) {
            job->archive_next = list[i].number + 1;
            job->archive_end = 0;
        }
    }
    free(list);
}

/* archive_stop ends the compression in hand; with done what it made takes the segment's place. */
static void archive_stop(struct disk_job *job, bool done, int64_t now_ns) {
    struct rt_journal_impl *m = job->m;
    char from[SEG_PATH_MAX];
    char made[SEG_PATH_MAX + 16];
    char to[SEG_PATH_MAX + 16];
    archive_end(job->archive);
    job->archive = NULL;
    job->archive_sync = false;
    seg_path(job, job->archive_next, from);
    snprintf(made, sizeof made, "%s.zst.new", from);
    snprintf(to, sizeof to, "%s.zst", from);
    if (done) done = rt_seam->rename(made, to) == 0 && rt_seam->fsync(m->lock_dir) == 0;
    if (!done) {
        (void)rt_seam->unlink(made);
        job->archive_ns = now_ns + PROCESS_NS;
        return;
    }
    (void)rt_seam->unlink(from);
    job->archive_next++;
    job->archive_end = 0;
    archive_trim(job, job->archive_next);
}

/* archive_step compresses what snapshots and tails no longer need, a slice at a time and only while
 * nothing else is to be done. Returns whether something happened. */
static bool archive_step(struct disk_job *job, int64_t now_ns, int64_t *due_ns) {
    struct rt_journal_impl *m = job->m;
    int64_t code;
    if (job->detach || job->flush == FLUSH_FAILED) {
        if (job->archive != NULL && !job->archive_op.busy) archive_stop(job, false, now_ns);
        if (!job->archive_op.busy) return false;
    }
    if (job->archive_sync) {
        if (!op_finished(&job->archive_op, now_ns, due_ns, &code)) return false;
        archive_stop(job, code == 0, now_ns);
        return true;
    }
    if (job->archive != NULL) {
        code = archive_slice(job->archive);
        if (code < 0) archive_stop(job, false, now_ns);
        if (code != 0) return true;
        job->archive_sync = true;
        op_sync(&job->archive_op, archive_fd(job->archive));
        return true;
    }
    if (now_ns < job->archive_ns) return false;
    uint64_t keep = atomic_load_explicit(&m->keep, memory_order_acquire);
    if (!archive_end_find(job) || job->archive_end > keep) return false;
    job->archive_ns = now_ns + IDLE_NS; /* the next look, when there is nothing to do now */
    if (tail_lowest(m->dir) < job->archive_end) {
        uint64_t limit = job->archive_next;
        uint64_t next = job->archive_next;
        uint64_t end = job->archive_end;
        do { /* what tails alone need is kept only up to archive_bytes_max */
            limit = ++job->archive_next;
            job->archive_end = 0;
        } while (archive_end_find(job) && job->archive_end <= keep);
        job->archive_next = next;
        job->archive_end = end;
        archive_trim(job, limit);
        return false;
    }
    char from[SEG_PATH_MAX];
    char made[SEG_PATH_MAX + 16];
    _Alignas(8) uint8_t page[RT_JOURNAL_NAMES_AT];
    struct rt_journal_head h;
    seg_path(job, job->archive_next, from);
    snprintf(made, sizeof made, "%s.zst.new", from);
    int fd = rt_seam->open(from, O_RDONLY, 0);
    code = fd < 0 ? fd : seg_file_check(fd, from, &h, page, NULL, NULL);
    if (fd >= 0) rt_seam->close(fd);
    if (code == 0)
        code = archive_begin(from, made, h.head_bytes + (job->archive_end - h.base), &job->archive);
    if (code < 0)
        job->archive_ns = now_ns + PROCESS_NS; /* a damaged one stays as it is */
    else
        job->archive_ns = 0;
    return code == 0;
}

/* job_written tells whether everything the journal has shown is on disk. */
static bool job_written(const struct disk_job *job) {
    struct rt_journal_impl *m = job->m;
    uint64_t newest = atomic_load_explicit(&m->head_number, memory_order_acquire);
    if (job->number > newest) return true;
    if (job->number < newest || !job->head_written) return false;
    return job->done >= atomic_load_explicit(&mark_of(job)->end_bytes, memory_order_acquire);
}

/* job_leave lets the job go when its owner wants it back and nothing is in flight. */
static void job_leave(struct disk_job *job, int64_t now_ns) {
    if (!job->detach || job->gone || job->flush_op.busy || job->prepare_op.busy ||
        job->archive != NULL)
        return;
    job->whole = job_written(job) && job->ended && job->flush != FLUSH_FAILED;
    bool stuck = now_ns - job->detach_ns > GIVE_UP_NS &&
                 atomic_load_explicit(&job->m->ready, memory_order_relaxed) < job->number;
    if (job->drain && !job->whole && job->flush != FLUSH_FAILED && !stuck) return;
    if (stuck) job_fail(job, -ENOSPC); /* the stage keeps what the disk lacks */
    job->gone = true;
    pthread_cond_broadcast(&disk.left);
}

/* job_step moves a journal on. Returns whether something happened, so that it should be looked at
 * again at once. */
static bool job_step(struct disk_job *job, int64_t now_ns, int64_t *due_ns) {
    if (job->gone) return false;
    bool moved = flush_step(job, now_ns, due_ns);
    moved |= prepare_step(job, now_ns, due_ns);
    if (!moved) moved = slot_step(job, now_ns, due_ns);
    if (!moved) moved = archive_step(job, now_ns, due_ns);
    job_leave(job, now_ns);
    return moved;
}

/* ring_collect takes what the ring has finished. */
static void ring_collect(void) {
    struct io_uring_cqe *cqe;
    while (disk.has_ring && io_uring_peek_cqe(&disk.ring, &cqe) == 0) {
        struct disk_op *op = io_uring_cqe_get_data(cqe);
        if (op != NULL) {
            op->result = cqe->res;
            op->got = true;
        } else {
            uint64_t cnt;
            ssize_t n = read(disk.event, &cnt, sizeof cnt);
            (void)n;
            disk.armed = false;
        }
        io_uring_cqe_seen(&disk.ring, cqe);
    }
}

/* thread_wait sleeps until something is finished, someone wakes it, or for wait_ns. */
static void thread_wait(int64_t wait_ns) {
    if (wait_ns > 0) rt_seam->sleep_ns(&wait_ns);
    struct timespec ts = { .tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000 };
    if (!disk.has_ring) {
        struct pollfd p = { .fd = disk.event, .events = POLLIN };
        if (ppoll(&p, 1, &ts, NULL) > 0) {
            uint64_t cnt;
            ssize_t n = read(disk.event, &cnt, sizeof cnt);
            (void)n;
        }
        return;
    }
    if (!disk.armed) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&disk.ring);
        if (sqe != NULL) {
            io_uring_prep_poll_add(sqe, disk.event, POLLIN);
            io_uring_sqe_set_data(sqe, NULL);
            disk.armed = true;
        }
    }
    struct io_uring_cqe *cqe;
    if (wait_ns <= 0) {
        (void)io_uring_submit(&disk.ring);
        return;
    }
    struct __kernel_timespec kts = { .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };
    (void)io_uring_submit_and_wait_timeout(&disk.ring, &cqe, 1, &kts, NULL);
}

/* thread_done tells whether a thread told to stop has nothing left to write. */
static bool thread_done(void) {
    for (struct disk_job *job = disk.jobs; job != NULL; job = job->next) {
        if (job->gone || job->flush == FLUSH_FAILED) continue;
        if (job->flush_op.busy || job->prepare_op.busy || job->archive_op.busy || !job_written(job))
            return false;
    }
    return true;
}

/* thread_main is the disk thread. */
static void *thread_main(void *arg) {
    (void)arg;
    pthread_mutex_lock(&disk.lock);
    int code = rt_seam->ring_setup();
    if (code == 0) code = io_uring_queue_init(RING_ENTRIES, &disk.ring, 0);
    disk.has_ring = code == 0;
    disk.armed = false;
    disk.ready = true;
    pthread_cond_broadcast(&disk.left);
    int64_t stop_ns = 0;
    for (;;) {
        atomic_store_explicit(&disk.asleep, 1, memory_order_seq_cst);
        int64_t now_ns = rt_seam->now_ns();
        int64_t due_ns = now_ns + IDLE_NS;
        bool moved = false;
        ring_collect();
        for (struct disk_job *job = disk.jobs; job != NULL; job = job->next)
            moved |= job_step(job, now_ns, &due_ns);
        if (disk.stop) {
            if (stop_ns == 0) stop_ns = now_ns;
            if (thread_done() || now_ns - stop_ns > 2LL * GIVE_UP_NS) break;
        }
        pthread_mutex_unlock(&disk.lock);
        thread_wait(moved ? 0 : due_ns - now_ns);
        atomic_store_explicit(&disk.asleep, 0, memory_order_relaxed);
        pthread_mutex_lock(&disk.lock);
    }
    if (disk.has_ring) io_uring_queue_exit(&disk.ring);
    disk.has_ring = false;
    pthread_mutex_unlock(&disk.lock);
    return NULL;
}

int rt_disk_start(struct rt_error *err) {
    int code = 0;
    pthread_mutex_lock(&disk.lock);
    if (disk.users++ > 0) goto out;
    if (disk.zeros == NULL) disk.zeros = aligned_alloc(4096, PIECE_BYTES);
    disk.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    disk.stop = disk.ready = false;
    if (disk.zeros == NULL || disk.event < 0) {
        code = rt_error_set(err, disk.event < 0 ? -errno : -ENOMEM, "disk thread: no memory");
    } else {
        memset(disk.zeros, 0, PIECE_BYTES);
        code = -pthread_create(&disk.thread, NULL, thread_main, NULL);
        if (code < 0)
            rt_error_set(err, code, "disk thread: cannot be started: %s", strerror(-code));
    }
    disk.running = code == 0;
    while (code == 0 && !disk.ready) pthread_cond_wait(&disk.left, &disk.lock);
    if (code < 0) disk.users = 0;
out:
    pthread_mutex_unlock(&disk.lock);
    return code;
}

const char *rt_disk_method(void) {
    pthread_mutex_lock(&disk.lock);
    const char *method = !disk.running ? "none" : disk.has_ring ? "io_uring" : "pwrite";
    pthread_mutex_unlock(&disk.lock);
    return method;
}

void rt_disk_stop(void) {
    pthread_mutex_lock(&disk.lock);
    if (disk.users == 0 || --disk.users > 0) {
        pthread_mutex_unlock(&disk.lock);
        return;
    }
    disk.stop = true;
    pthread_mutex_unlock(&disk.lock);
    disk_wake(NULL);
    pthread_join(disk.thread, NULL);
    pthread_mutex_lock(&disk.lock);
    disk.running = false;
    close(disk.event);
    disk.event = -1;
    free(disk.zeros);
    disk.zeros = NULL;
    pthread_cond_broadcast(&disk.left);
    pthread_mutex_unlock(&disk.lock);
}

int disk_attach(struct rt_journal_impl *m, const struct recovered *r, struct rt_error *err) {
    if (strcmp(rt_disk_method(), "none") == 0)
        return rt_error_set(err, -EINVAL, "%s: the disk thread is not started", m->dir);
    struct disk_job *job = aligned_alloc(4096, (sizeof *job + 4095) & ~4095UL);
    if (job == NULL) return rt_error_set(err, -ENOMEM, "journal: no memory");
    memset(job, 0, sizeof *job);
    job->m = m;
    job->fd = job->prepare_fd = job->slot_fd = -1;
    job->number = r->flush_number > 0 ? r->flush_number : r->number + 1;
    job->head_written = r->flush_head;
    job->done = r->flush_head ? r->flush_from : 0;
    if (job->head_written && job->done < m->head_bytes) job->done = m->head_bytes;
    job->archive_next = r->first_plain != 0 ? r->first_plain : 1;
    job->period_ns = m->o.durability == RT_DURABLE_INTERVAL ? m->o.interval_ns : PROCESS_NS;
    uint64_t synced = r->end;
    if (job->number <= r->number) {
        const struct rt_journal_head *h = (const void *)slot_of(job, job->number)->map;
        synced = job->head_written ? h->base + (job->done - h->head_bytes) : h->base;
    }
    atomic_store_explicit(&m->synced, synced, memory_order_relaxed);
    atomic_store_explicit(&m->ready, r->ready, memory_order_relaxed);
    m->job = job;
    pthread_mutex_lock(&disk.lock);
    job->next = disk.jobs;
    disk.jobs = job;
    pthread_mutex_unlock(&disk.lock);
    disk_wake(job);
    return 0;
}

bool disk_detach(struct disk_job *job, bool drain) {
    pthread_mutex_lock(&disk.lock);
    job->detach = true;
    job->drain = drain;
    job->detach_ns = rt_seam->now_ns();
    pthread_mutex_unlock(&disk.lock);
    disk_wake(job);
    pthread_mutex_lock(&disk.lock);
    while (!job->gone && disk.running) pthread_cond_wait(&disk.left, &disk.lock);
    struct disk_job **p = &disk.jobs;
    while (*p != NULL && *p != job) p = &(*p)->next;
    if (*p == job) *p = job->next;
    pthread_mutex_unlock(&disk.lock);
    bool whole = job->whole;
    if (job->fd >= 0) rt_seam->close(job->fd);
    if (job->prepare_fd >= 0) rt_seam->close(job->prepare_fd);
    if (job->slot_fd >= 0) rt_seam->close(job->slot_fd);
    archive_end(job->archive);
    job->m->job = NULL;
    free(job);
    return whole;
}
