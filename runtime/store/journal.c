#include "runtime/store/journal.h"
#include "runtime/store/disk.h"
#include "runtime/store/impl.h"
#include "runtime/store/recover.h"
#include "runtime/watch/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
    WARM_BYTES = 4096,          /* fetched ahead at a turn's end: p99 of an order 545 -> 226 ns */
    WAIT_TOLD_NS = 500000000,   /* a wait for a full disk that the log tells of */
    STAGE_WAIT_NS = 1000000000, /* how long a stage without disk waits for room on tmpfs */
    LOCK_TRIES = 100,           /* looks at a lock that another holds: a process just killed */
    LOCK_PAUSE_US = 10000,      /* lets go of its files one by one; between two of them */
};

/* The memory journals of the process, so that a tape finds them by their directory's name. */
static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rt_journal_impl *memory_list;

int impl_mkdirs(const char *path, struct rt_error *err) {
    char part[SEG_PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part - 40)
        return rt_error_set(err, -EINVAL, "journal: directory name of %zu bytes; expected 1..%zu",
                            len, sizeof part - 41);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0') continue;
        char keep = part[i];
        part[i] = '\0';
        int code = rt_seam->mkdir(part, 0700);
        if (code < 0 && code != -EEXIST && access(part, F_OK) != 0)
            return rt_error_set(err, code, "%s: cannot be made: %s", part, strerror(-code));
        part[i] = keep;
    }
    return 0;
}

int impl_lock(const char *path, struct rt_error *err) {
    int fd = rt_seam->open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return rt_error_set(err, fd, "%s: cannot be opened: %s", path, strerror(-fd));
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
        usleep(LOCK_PAUSE_US);
    }
    rt_seam->close(fd);
    return rt_error_set(err, -EBUSY, "%s: another writer holds this journal", path);
}

bool impl_locked(const char *path) {
    int fd = rt_seam->open(path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0;
    rt_seam->close(fd);
    return locked;
}

struct rt_journal_impl *impl_memory_find(const char *dir) {
    pthread_mutex_lock(&memory_lock);
    struct rt_journal_impl *m = memory_list;
    while (m != NULL && strcmp(m->dir, dir) != 0) m = m->next;
    pthread_mutex_unlock(&memory_lock);
    return m;
}

int64_t impl_memory_read(const char *dir, uint64_t number, uint64_t at, void *to, size_t cnt) {
    int64_t got = -ENODATA;
    pthread_mutex_lock(&memory_lock);
    struct rt_journal_impl *m = memory_list;
    while (m != NULL && strcmp(m->dir, dir) != 0) m = m->next;
    if (m != NULL && number > atomic_load_explicit(&m->head_number, memory_order_acquire)) {
        got = -EAGAIN;
    } else if (m != NULL) {
        for (uint32_t i = 0; i < m->slot_cnt; i++) {
            if (atomic_load_explicit(&m->slots[i].number, memory_order_relaxed) != number) continue;
            const struct rt_journal_mark *mark = (const void *)(m->slots[i].map + SEG_MARK_AT);
            uint64_t end = atomic_load_explicit(&mark->end_bytes, memory_order_acquire);
            if (at < SEG_MARK_AT) end = at + cnt <= SEG_MARK_AT ? at + cnt : SEG_MARK_AT;
            got = end > at ? (int64_t)(end - at < cnt ? end - at : cnt) : 0;
            memcpy(to, m->slots[i].map + at, (size_t)got);
            break;
        }
    }
    pthread_mutex_unlock(&memory_lock);
    return got;
}

/* slot_made publishes slot k at map. */
static void slot_made(struct rt_journal_impl *m, uint32_t k, uint8_t *map) {
    m->slots[k].map = map;
    atomic_store_explicit(&m->slots[k].made, 1, memory_order_release);
}

int impl_slot_begin(struct rt_journal_impl *m, uint32_t k) {
    char path[SEG_PATH_MAX];
    snprintf(path, sizeof path, "%s/%u.slot", m->stage_dir, k);
    return rt_seam->open(path, O_RDWR | O_CREAT, 0600);
}

int impl_slot_grow(struct rt_journal_impl *m, uint32_t k, int fd, uint64_t *at, uint64_t bytes) {
    uint64_t all = m->o.segment_bytes;
    if (bytes > all - *at) bytes = all - *at;
    int code = rt_seam->fallocate(fd, *at, bytes); /* else a store could be SIGBUS: a full tmpfs */
    if (code < 0) return code;
    *at += bytes;
    if (*at < all) return 1;
    void *map = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) return -errno;
    (void)madvise(map, all, MADV_POPULATE_WRITE); /* fault now, not in an append */
    slot_made(m, k, map);
    return 0;
}

int impl_slot_make(struct rt_journal_impl *m, uint32_t k) {
    size_t bytes = m->o.segment_bytes;
    if (m->slots[k].map != NULL) return 0;
    if (m->o.backing == RT_BACKING_MEMORY) {
        void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED) return -errno;
        (void)madvise(map, bytes, MADV_HUGEPAGE); /* else a fault for every 64 records */
        slot_made(m, k, map);
        return 0;
    }
    int fd = impl_slot_begin(m, k);
    if (fd < 0) return fd;
    uint64_t at = 0;
    int code = impl_slot_grow(m, k, fd, &at, bytes);
    rt_seam->close(fd);
    return code;
}

/* segment_begin makes slot k the place of segment number at position base, and the current one.
 * The order of stores lets a tail, and a recovery after a kill, see each step for what it is. */
static void segment_begin(struct rt_journal *j, uint8_t *map, uint64_t number, uint64_t base) {
    struct rt_journal_impl *m = j->impl;
    struct rt_journal_mark *mark = (void *)(map + SEG_MARK_AT);
    atomic_exchange_explicit(&mark->number, 0, memory_order_seq_cst); /* before what follows */
    atomic_store_explicit(&mark->end_bytes, m->head_bytes, memory_order_relaxed);
    atomic_store_explicit(&mark->closed, 0, memory_order_relaxed);
    atomic_store_explicit(&mark->synced_bytes, 0, memory_order_relaxed);
    *(uint64_t *)(void *)(map + m->head_bytes) = 0;
    struct rt_journal_head h = { .head_bytes = m->head_bytes,
                                 .run_id = m->o.run_id,
                                 .number = number,
                                 .base = base,
                                 .shard = m->o.shard,
                                 .segment_bytes = m->o.segment_bytes,
                                 .stage_segments = m->o.stage_segments,
                                 .names_bytes = m->o.head_bytes,
                                 .names_crc = m->names_crc };
    seg_head_seal(&h);
    memcpy(map + RT_JOURNAL_NAMES_AT, m->names, m->head_bytes - RT_JOURNAL_NAMES_AT);
    atomic_thread_fence(memory_order_release); /* whoever finds the head finds its names */
    memcpy(map, &h, sizeof h);
    impl_use(j, map, number, base, m->head_bytes);
    atomic_store_explicit(&mark->number, number, memory_order_release);
    atomic_store_explicit(&m->head_number, number, memory_order_release);
}

void impl_use(struct rt_journal *j, uint8_t *map, uint64_t number, uint64_t base, uint64_t end) {
    struct rt_journal_impl *m = j->impl;
    m->start = map;
    m->mark = (void *)(map + SEG_MARK_AT);
    m->number = number;
    j->at = m->turned = j->warm = map + end;
    j->end = map + m->o.segment_bytes - 8;
    j->base = base - m->head_bytes - (uint64_t)(uintptr_t)map;
    j->seed = seg_seed(m->o.run_id, m->o.shard, number);
}

/* slot_next finds the slot for segment number, making it when needed. Returns its index, or
 * -EAGAIN while it is taken, -ENOSPC when there is no room to make it. */
static int slot_next(struct rt_journal_impl *m, uint64_t number) {
    uint32_t k = (uint32_t)(number % m->slot_cnt);
    if (m->o.backing == RT_BACKING_MEMORY) {
        for (k = 0; k < m->slot_cnt; k++)
            if (atomic_load_explicit(&m->slots[k].number, memory_order_relaxed) == 0) break;
        if (k == m->slot_cnt) return -EAGAIN;
    }
    if (atomic_load_explicit(&m->slots[k].number, memory_order_acquire) != 0) return -EAGAIN;
    if (atomic_load_explicit(&m->slots[k].made, memory_order_acquire) != 0) return (int)k;
    if (m->job != NULL) return -EAGAIN; /* the disk thread makes it */
    int code = impl_slot_make(m, k);
    atomic_store_explicit(&m->no_stage_room, code < 0, memory_order_relaxed);
    return code < 0 ? code : (int)k;
}

/* memory_grow doubles the list of segments of a memory journal. */
static int memory_grow(struct rt_journal_impl *m) {
    pthread_mutex_lock(&memory_lock);
    struct seg_slot *more = realloc(m->slots, 2 * m->slot_cnt * sizeof *more);
    if (more != NULL) {
        memset(more + m->slot_cnt, 0, m->slot_cnt * sizeof *more);
        m->slots = more;
        m->slot_cnt *= 2;
    }
    pthread_mutex_unlock(&memory_lock);
    return more != NULL ? 0 : -ENOMEM;
}

/* tell_wait tells of a wait of waited_ns for segment number that began (on) or is over. */
static void tell_wait(const struct rt_journal_impl *m, uint64_t number, bool on,
                      int64_t waited_ns) {
    if (on)
        RT_LOG(RT_EVENT_JOURNAL_WAITS, number, 0, 0);
    else
        RT_LOG(RT_EVENT_JOURNAL_GOES_ON, number, waited_ns, 0);
    if (m->o.waits != NULL) m->o.waits(m->o.waits_arg, on);
}

/* slot_wait is slot_next that waits as long as waiting can help. Returns the index or negative
 * errno. */
static int slot_wait(struct rt_journal_impl *m, uint64_t number) {
    int64_t since_ns = rt_seam->now_ns();
    bool told = false;
    for (;;) {
        int k = slot_next(m, number);
        int64_t waited_ns = rt_seam->now_ns() - since_ns;
        int error = k >= 0 ? 0 : atomic_load_explicit(&m->error, memory_order_acquire);
        if (told && (k >= 0 || error != 0)) tell_wait(m, number, false, waited_ns);
        if (k >= 0) return k;
        if (error != 0) return error;
        if (m->o.backing == RT_BACKING_MEMORY) {
            if (k != -EAGAIN || memory_grow(m) < 0) return -ENOMEM;
            continue;
        }
        if (m->job == NULL) {
            if (k == -EAGAIN) return -ENOSPC; /* only rt_journal_keep frees: this very thread */
            if (waited_ns > STAGE_WAIT_NS) return k;
        } else {
            if (!told && waited_ns > WAIT_TOLD_NS) {
                tell_wait(m, number, true, 0);
                told = true;
            }
            disk_wake(m->job);
        }
        usleep(200);
    }
}

void rt_journal_roll(struct rt_journal *j) {
    struct rt_journal_impl *m = j->impl;
    uint64_t position = rt_journal_position(j);
    rt_journal_turn(j); /* the last move of this segment's end mark, before the next one shows */
    int k = m->scrap != NULL ? -EIO : slot_wait(m, m->number + 1);
    if (k < 0) {
        /* Nothing can take the record and nothing will: go on without, so that what must still be
         * done (cancels) is done. The error is there for good and nothing is acknowledged. */
        int none = 0;
        atomic_compare_exchange_strong(&m->error, &none, k);
        if (m->scrap == NULL) {
            void *map = mmap(NULL, m->o.segment_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            assert(map != MAP_FAILED);
            m->scrap = map;
        }
        m->lost++;
        impl_use(j, m->scrap, m->number, position, m->head_bytes);
        return;
    }
    if (m->o.backing == RT_BACKING_MEMORY) pthread_mutex_lock(&memory_lock);
    struct rt_journal_mark *before = m->mark;
    atomic_store_explicit(&m->slots[k].number, m->number + 1, memory_order_relaxed);
    segment_begin(j, m->slots[k].map, m->number + 1, position);
    atomic_store_explicit(&before->closed, 1, memory_order_release);
    if (m->o.backing == RT_BACKING_MEMORY) pthread_mutex_unlock(&memory_lock);
    if (m->job != NULL)
        disk_wake(m->job);
    else if (m->o.backing == RT_BACKING_STAGE)
        (void)slot_next(m, m->number + 1); /* one ahead, so that a full tmpfs is known early */
}

void rt_journal_turn(struct rt_journal *j) {
    struct rt_journal_impl *m = j->impl;
    if (j->at == m->turned) return;
    m->turned = j->at;
    atomic_store_explicit(&m->mark->end_bytes, (uint64_t)(j->at - m->start), memory_order_release);
    uint8_t *to = j->at + WARM_BYTES < j->end ? j->at + WARM_BYTES : j->end;
    uint8_t *p = j->warm > j->at ? j->warm : j->at;
    for (; p < to; p += 64) __builtin_prefetch(p, 1, 3);
    j->warm = p;
}

void rt_journal_beat(struct rt_journal *j, int64_t now_ns) {
    atomic_store_explicit(&j->impl->mark->beat_ns, now_ns, memory_order_relaxed);
}

uint64_t rt_journal_synced(const struct rt_journal *j) {
    const struct rt_journal_impl *m = j->impl;
    if (m->job != NULL) return atomic_load_explicit(&m->synced, memory_order_acquire);
    return j->base + (uint64_t)(uintptr_t)m->turned;
}

int rt_journal_wait(struct rt_journal *j, uint64_t position) {
    struct rt_journal_impl *m = j->impl;
    if (m->job == NULL) return rt_journal_error(j);
    rt_journal_turn(j);
    assert(position <= rt_journal_position(j));
    bool asked = false, told = false;
    int64_t since_ns = 0;
    for (uint32_t spins = 0;; spins++) {
        int error = atomic_load_explicit(&m->error, memory_order_acquire);
        bool safe = atomic_load_explicit(&m->synced, memory_order_acquire) >= position;
        if (error != 0 || safe) {
            if (told) tell_wait(m, m->number, false, rt_seam->now_ns() - since_ns);
            return error;
        }
        if (!asked) disk_want(m->job, position);
        asked = true;
        if (spins < 64)
            __builtin_ia32_pause();
        else
            sched_yield(); /* the disk thread may need this core */
        if (told || (spins & 1023) != 1023) continue;
        if (since_ns == 0) since_ns = rt_seam->now_ns();
        told = rt_seam->now_ns() - since_ns > WAIT_TOLD_NS;
        if (told) tell_wait(m, m->number, true, 0);
    }
}

int rt_journal_error(const struct rt_journal *j) {
    return atomic_load_explicit(&j->impl->error, memory_order_acquire);
}

uint32_t rt_journal_free(const struct rt_journal *j) {
    const struct rt_journal_impl *m = j->impl;
    if (m->o.backing == RT_BACKING_MEMORY) return SEG_STAGE_MAX;
    if (m->scrap != NULL) return 0;
    uint32_t cnt = 0;
    while (cnt < m->slot_cnt) {
        const struct seg_slot *slot = &m->slots[(m->number + 1 + cnt) % m->slot_cnt];
        if (atomic_load_explicit(&slot->number, memory_order_acquire) != 0) break;
        if (atomic_load_explicit(&slot->made, memory_order_acquire) == 0 &&
            atomic_load_explicit(&m->no_stage_room, memory_order_relaxed))
            break;
        cnt++;
    }
    if (m->job == NULL) return cnt;
    uint64_t ready = atomic_load_explicit(&m->ready, memory_order_acquire);
    uint64_t ahead = ready > m->number ? ready - m->number : 0;
    return ahead < cnt ? (uint32_t)ahead : cnt;
}

void rt_journal_keep(struct rt_journal *j, uint64_t position) {
    struct rt_journal_impl *m = j->impl;
    if (position <= atomic_load_explicit(&m->keep, memory_order_relaxed)) return;
    atomic_store_explicit(&m->keep, position, memory_order_release);
    if (m->job != NULL) return; /* the disk thread looks */
    if (m->o.backing == RT_BACKING_MEMORY) pthread_mutex_lock(&memory_lock);
    for (uint32_t k = 0; k < m->slot_cnt; k++) {
        uint64_t number = atomic_load_explicit(&m->slots[k].number, memory_order_relaxed);
        if (number == 0 || number >= m->number) continue;
        const struct rt_journal_head *h = (const void *)m->slots[k].map;
        const struct rt_journal_mark *mark = (const void *)(m->slots[k].map + SEG_MARK_AT);
        uint64_t end = atomic_load_explicit(&mark->end_bytes, memory_order_relaxed);
        if (h->base + (end - h->head_bytes) <= position)
            atomic_store_explicit(&m->slots[k].number, 0, memory_order_relaxed);
    }
    if (m->o.backing == RT_BACKING_MEMORY) pthread_mutex_unlock(&memory_lock);
}

/* impl_free gives everything of j back. */
static void impl_free(struct rt_journal *j) {
    struct rt_journal_impl *m = j->impl;
    if (m == NULL) return;
    if (m->o.backing == RT_BACKING_MEMORY) {
        pthread_mutex_lock(&memory_lock);
        struct rt_journal_impl **p = &memory_list;
        while (*p != NULL && *p != m) p = &(*p)->next;
        if (*p == m) *p = m->next;
        pthread_mutex_unlock(&memory_lock);
    }
    for (uint32_t k = 0; m->slots != NULL && k < m->slot_cnt; k++)
        if (m->slots[k].map != NULL) munmap(m->slots[k].map, m->o.segment_bytes);
    if (m->scrap != NULL) munmap(m->scrap, m->o.segment_bytes);
    if (m->lock_dir >= 0) rt_seam->close(m->lock_dir);
    if (m->lock_stage >= 0) rt_seam->close(m->lock_stage);
    free(m->slots);
    free(m->names);
    free(m->dir);
    free(m->stage_dir);
    free(m);
    *j = (struct rt_journal){ 0 };
}

/* options_check refuses what makes no sense. */
static int options_check(const struct rt_journal_options *o, struct rt_error *err) {
    uint32_t size = o->segment_bytes;
    if (size < SEG_BYTES_MIN || size > SEG_BYTES_MAX || (size & (size - 1)) != 0)
        return rt_error_set(err, -EINVAL,
                            "journal: segment_bytes %u; expected a power of two, 128 KiB..1 GiB",
                            size);
    if (o->stage_segments < 2 || o->stage_segments > SEG_STAGE_MAX)
        return rt_error_set(err, -EINVAL, "journal: stage_segments %u; expected 2..%d",
                            o->stage_segments, SEG_STAGE_MAX);
    if (o->head_bytes > RT_JOURNAL_NAMES_MAX)
        return rt_error_set(err, -EINVAL, "journal: table of names of %u bytes; at most %d fit",
                            o->head_bytes, RT_JOURNAL_NAMES_MAX);
    if (o->backing != RT_BACKING_MEMORY && (o->stage_dir == NULL || o->stage_dir[0] == '\0'))
        return rt_error_set(err, -EINVAL, "journal: no directory for its stage");
    if (o->backing != RT_BACKING_STAGE && (o->dir == NULL || o->dir[0] == '\0'))
        return rt_error_set(err, -EINVAL, "journal: no directory");
    if (o->backing == RT_BACKING_DISK && o->durability == RT_DURABLE_INTERVAL &&
        (o->interval_ns < 100000 || o->interval_ns > 60000000000))
        return rt_error_set(err, -EINVAL, "journal: interval of %lld ns; expected 100us..1m",
                            (long long)o->interval_ns);
    return 0;
}

/* slot_refused fills err for slot k that cannot be had. */
static void slot_refused(const struct rt_journal_impl *m, uint32_t k, int code,
                         struct rt_error *err) {
    rt_error_set(err, code, "%s/%u.slot: %u bytes cannot be allocated: %s", m->stage_dir, k,
                 m->o.segment_bytes, strerror(-code));
}

int rt_journal_open(struct rt_journal *j, const struct rt_journal_options *o,
                    struct rt_journal_found *found, struct rt_error *err) {
    *j = (struct rt_journal){ 0 };
    *found = (struct rt_journal_found){ 0 };
    int code = options_check(o, err);
    if (code < 0) return code;
    struct rt_journal_impl *m = aligned_alloc(128, sizeof *m);
    if (m == NULL) return rt_error_set(err, -ENOMEM, "journal: no memory");
    memset(m, 0, sizeof *m);
    j->impl = m;
    m->o = *o;
    m->lock_dir = m->lock_stage = -1;
    m->head_bytes = seg_head_bytes(o->head_bytes);
    m->slot_cnt = o->stage_segments;
    m->dir = strdup(o->dir != NULL ? o->dir : "");
    m->stage_dir = strdup(o->stage_dir != NULL ? o->stage_dir : "");
    m->slots = calloc(m->slot_cnt, sizeof *m->slots);
    m->names = calloc(1, m->head_bytes - RT_JOURNAL_NAMES_AT + 8);
    if (m->dir == NULL || m->stage_dir == NULL || m->slots == NULL || m->names == NULL) {
        code = rt_error_set(err, -ENOMEM, "journal: no memory");
        goto fail;
    }
    m->o.dir = m->dir;
    m->o.stage_dir = m->stage_dir;
    m->o.head = m->names;
    if (o->head_bytes > 0) memcpy(m->names, o->head, o->head_bytes);
    m->names_crc = rt_crc32c_add(0xffffffffU, m->names, m->head_bytes - RT_JOURNAL_NAMES_AT);

    if (o->backing == RT_BACKING_MEMORY) {
        if (impl_memory_find(m->dir) != NULL) {
            code = rt_error_set(err, -EBUSY, "%s: another writer holds this journal", m->dir);
            goto fail;
        }
        int k = slot_next(m, 1);
        if (k < 0) {
            code = rt_error_set(err, k, "journal: no memory for a segment of %u bytes",
                                o->segment_bytes);
            goto fail;
        }
        segment_begin(j, m->slots[k].map, 1, 0);
        atomic_store_explicit(&m->slots[k].number, 1, memory_order_relaxed);
        pthread_mutex_lock(&memory_lock);
        m->next = memory_list;
        memory_list = m;
        pthread_mutex_unlock(&memory_lock);
        return 0;
    }

    code = impl_mkdirs(m->stage_dir, err);
    if (code == 0 && m->dir[0] != '\0') code = impl_mkdirs(m->dir, err);
    if (code < 0) goto fail;
    m->lock_stage = code = impl_lock(m->stage_dir, err);
    if (code < 0) goto fail;
    if (o->backing == RT_BACKING_DISK) {
        m->lock_dir = code = impl_lock(m->dir, err);
        if (code < 0) goto fail;
    }
    struct recovered r;
    code = recover(m, &r, found, err);
    if (code < 0) goto fail;
    uint32_t k = (uint32_t)(r.number % m->slot_cnt);
    if (r.go_on) {
        code = impl_slot_make(m, k);
        if (code == 0)
            code = recover_tail(j, &r, m->slots[k].map, err);
        else
            slot_refused(m, k, code, err);
        atomic_store_explicit(&m->slots[k].number, r.number, memory_order_relaxed);
    }
    atomic_store_explicit(&m->head_number, r.number, memory_order_release);
    m->number = r.number;
    if (code == 0 && o->backing == RT_BACKING_DISK) code = disk_attach(m, &r, err);
    if (code == 0 && !r.go_on) {
        code = slot_wait(m, r.number + 1);
        if (code < 0) {
            slot_refused(m, (uint32_t)((r.number + 1) % m->slot_cnt), code, err);
        } else {
            atomic_store_explicit(&m->slots[code].number, r.number + 1, memory_order_relaxed);
            segment_begin(j, m->slots[code].map, r.number + 1, r.end);
            code = 0;
        }
    }
    recover_done(&r);
    if (code < 0) goto fail;
    found->end = rt_journal_position(j);
    if (o->backing == RT_BACKING_STAGE) (void)slot_next(m, m->number + 1);
    return 0;
fail:
    if (m->job != NULL) disk_detach(m->job, false);
    impl_free(j);
    return code;
}

/* impl_stage_remove unlinks the slot files: the disk has all they held. */
static void impl_stage_remove(const struct rt_journal_impl *m) {
    char path[SEG_PATH_MAX];
    for (uint32_t k = 0; k < m->slot_cnt; k++) {
        snprintf(path, sizeof path, "%s/%u.slot", m->stage_dir, k);
        (void)rt_seam->unlink(path);
    }
}

/* impl_ahead_remove unlinks the disk segments that were made ahead and never begun, the last one
 * first: no gap stays if that is cut short. */
static void impl_ahead_remove(const struct rt_journal_impl *m) {
    char path[SEG_PATH_MAX];
    uint64_t last = atomic_load_explicit(&m->ready, memory_order_relaxed);
    for (uint64_t number = last; number > m->number; number--) {
        snprintf(path, sizeof path, "%s/%llu.seg", m->dir, (unsigned long long)number);
        (void)rt_seam->unlink(path);
    }
}

void impl_abandon(struct rt_journal *j) {
    if (j->impl == NULL) return;
    if (j->impl->job != NULL) disk_detach(j->impl->job, false);
    impl_free(j);
}

int rt_journal_close(struct rt_journal *j) {
    struct rt_journal_impl *m = j->impl;
    if (m == NULL) return 0;
    rt_journal_turn(j);
    if (m->job != NULL && disk_detach(m->job, true)) {
        impl_stage_remove(m);
        impl_ahead_remove(m);
    }
    int code = rt_journal_error(j);
    impl_free(j);
    return code;
}
