#include "runtime/store/archive.h"
#include "runtime/store/impl.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CHUNK_BYTES = 256 << 10, /* read at once: stays in the second cache level */
};

/* Where a segment's bytes come from. */
enum source {
    SOURCE_NONE,
    SOURCE_MEMORY,  /* a memory journal of this process */
    SOURCE_STAGE,   /* a slot file */
    SOURCE_DISK,    /* N.seg */
    SOURCE_ARCHIVE, /* N.seg.zst */
    SOURCE_LOST,    /* the place is known, its segment is nowhere */
};

/* The rest of a reader. Bytes are copied to a buffer before they are summed: a slot may be used
 * again while we look, and a file may fail to be read, which must not be a signal. */
struct rt_tape_impl {
    char *dir;                          /* as given; "" = none */
    char *stage_dir;                    /* as given; "" = none */
    enum source source;                 /* of the current segment */
    int fd;                             /* stage, disk: its file; else -1 */
    const struct rt_journal_mark *mark; /* stage: its marks, mapped; else NULL */
    struct archive_reader *archive;     /* archive: its stream; else NULL */
    uint32_t stage_segments;            /* slots of the stage; 0 = not known yet */
    bool live;                          /* a writer holds the stage: end marks are exact */
    bool run_known;                     /* run_id is set */
    uint64_t run_id;                    /* every segment must be of this run */
    uint64_t number;                    /* current segment, or the one waited for */
    struct rt_journal_head head;        /* of the current segment */
    uint32_t seed;                      /* of its records */
    uint64_t buffer_at;                 /* offset in the segment of the buffer's first byte */
    uint8_t *buffer;                    /* CHUNK_BYTES + MSG_FRAME_MAX */
    uint8_t *names;                     /* table of names of the newest segment opened */
    uint32_t names_bytes;               /* its size */
    struct rt_error error;              /* why the last NULL; code 0 = the end */
};

/* page_of maps the first page of fd for the marks; NULL when it cannot. */
static const struct rt_journal_mark *marks_map(int fd) {
    void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : (const void *)((const uint8_t *)page + SEG_MARK_AT);
}

/* source_close lets go of the current segment. */
static void source_close(struct rt_tape_impl *m) {
    if (m->mark != NULL) munmap((void *)(uintptr_t)((const uint8_t *)m->mark - SEG_MARK_AT), 4096);
    if (m->fd >= 0) rt_seam->close(m->fd);
    archive_close(m->archive);
    m->mark = NULL;
    m->fd = -1;
    m->archive = NULL;
    m->source = SOURCE_NONE;
}

/* source_read reads up to cnt bytes at offset at of the current segment. Returns the bytes, 0 at
 * the end of what there is, -ENODATA when the segment has gone from there, or negative errno. */
static int64_t source_read(struct rt_tape_impl *m, void *to, size_t cnt, uint64_t at) {
    int64_t got;
    switch (m->source) {
    case SOURCE_MEMORY: return impl_memory_read(m->dir, m->number, at, to, cnt);
    case SOURCE_ARCHIVE: return archive_read(m->archive, to, cnt, at, &m->error);
    case SOURCE_STAGE:
    case SOURCE_DISK:
        if (m->source == SOURCE_STAGE && m->live && at >= RT_JOURNAL_NAMES_AT) {
            uint64_t end = atomic_load_explicit(&m->mark->end_bytes, memory_order_acquire);
            if (end <= at)
                cnt = 0;
            else if (end - at < cnt)
                cnt = (size_t)(end - at);
        }
        got = cnt > 0 ? rt_seam->pread(m->fd, to, cnt, at) : 0;
        if (m->source == SOURCE_STAGE && m->live) {
            /* Pairs with the exchange of segment_begin: if any of these bytes are of the next user
             * of the slot, its number has changed. */
            if (atomic_load_explicit(&m->mark->number, memory_order_acquire) != m->number)
                return -ENODATA;
        }
        return got;
    default: return -ENODATA;
    }
}

/* head_take checks the head in page (cnt bytes) of file name against what the tape expects and
 * makes it current. Returns 0, -ENODATA when the file holds another segment or none, or negative
 * errno with m->error. */
static int head_take(struct rt_tape_impl *m, const void *page, size_t cnt, uint64_t number,
                     const char *name, struct rt_journal_head *h) {
    int code = seg_head_check(page, cnt, name, h, &m->error);
    if (code < 0) return code;
    if (h->number != number) {
        if (strstr(name, ".slot") != NULL) return -ENODATA;
        return rt_error_set(&m->error, -EBADMSG, "%s: offset 0: holds segment %llu", name,
                            (unsigned long long)h->number);
    }
    if (m->run_known && h->run_id != m->run_id) {
        if (strstr(name, ".slot") != NULL) return -ENODATA;
        return rt_error_set(&m->error, -EINVAL, "%s: is of another run (%llx, not %llx)", name,
                            (unsigned long long)h->run_id, (unsigned long long)m->run_id);
    }
    return 0;
}

/* stage_segments_find learns the number of slots from any slot file. */
static void stage_segments_find(struct rt_tape_impl *m) {
    DIR *dir = opendir(m->stage_dir);
    struct dirent *e;
    while (dir != NULL && m->stage_segments == 0 && (e = readdir(dir)) != NULL) {
        char path[SEG_PATH_MAX];
        _Alignas(8) uint8_t bytes[sizeof(struct rt_journal_head)];
        struct rt_journal_head h;
        if (strstr(e->d_name, ".slot") == NULL) continue;
        if (snprintf(path, sizeof path, "%s/%s", m->stage_dir, e->d_name) >= (int)sizeof path)
            continue;
        int fd = rt_seam->open(path, O_RDONLY, 0);
        if (fd < 0) continue;
        ssize_t got = rt_seam->pread(fd, bytes, sizeof bytes, 0);
        rt_seam->close(fd);
        if (got == sizeof bytes && seg_head_check(bytes, sizeof bytes, path, &h, NULL) == 0)
            m->stage_segments = h.stage_segments;
    }
    if (dir != NULL) closedir(dir);
}

/* source_open makes segment number the current one, from the given source. Returns 0, -ENODATA when
 * it is not there, or negative errno with m->error. */
static int source_open(struct rt_tape_impl *m, enum source source, uint64_t number) {
    char path[SEG_PATH_MAX + 64];
    _Alignas(8) uint8_t page[4096];
    struct rt_journal_head h;
    struct archive_reader *archive = NULL;
    int fd = -1;
    int64_t got = -ENODATA;
    memset(page, 0, sizeof page);
    switch (source) {
    case SOURCE_MEMORY:
        snprintf(path, sizeof path, "%s (memory)", m->dir);
        got = impl_memory_read(m->dir, number, 0, page, sizeof h);
        if (got == -EAGAIN) got = -ENODATA;
        break;
    case SOURCE_STAGE:
        if (m->stage_dir[0] == '\0') return -ENODATA;
        if (m->stage_segments == 0) stage_segments_find(m);
        if (m->stage_segments == 0) return -ENODATA;
        snprintf(path, sizeof path, "%s/%u.slot", m->stage_dir,
                 (uint32_t)(number % m->stage_segments));
        fd = rt_seam->open(path, O_RDONLY, 0);
        got = fd < 0 ? fd : rt_seam->pread(fd, page, sizeof page, 0);
        break;
    case SOURCE_DISK:
        if (m->dir[0] == '\0') return -ENODATA;
        snprintf(path, sizeof path, "%s/%llu.seg", m->dir, (unsigned long long)number);
        fd = rt_seam->open(path, O_RDONLY, 0);
        got = fd < 0 ? fd : seg_file_check(fd, path, &h, page, NULL, &m->error);
        if (got == 0) got = sizeof page;
        break;
    case SOURCE_ARCHIVE:
        if (m->dir[0] == '\0') return -ENODATA;
        snprintf(path, sizeof path, "%s/%llu.seg.zst", m->dir, (unsigned long long)number);
        got = archive_open(path, &archive, &m->error);
        if (got == 0) got = archive_read(archive, page, sizeof h, 0, &m->error);
        break;
    default: break;
    }
    int code;
    if (got == -ENOENT || got == -ENODATA) {
        code = -ENODATA;
    } else if (got < 0) {
        code = m->error.code != 0 ? m->error.code
                                  : rt_error_set(&m->error, (int)got, "%s: cannot be read: %s",
                                                 path, strerror((int)-got));
    } else {
        struct rt_journal_mark mark;
        memcpy(&mark, page + SEG_MARK_AT, sizeof mark);
        code = head_take(m, page, (size_t)got, number, path, &h);
        if (source == SOURCE_STAGE && (m->live || code == -EBADMSG) && mark.number != number)
            code = -ENODATA; /* it is changing hands */
    }
    const struct rt_journal_mark *mapped = NULL;
    if (code == 0 && source == SOURCE_STAGE && (mapped = marks_map(fd)) == NULL)
        code = rt_error_set(&m->error, -ENOMEM, "%s: cannot be mapped", path);
    if (code < 0) {
        if (fd >= 0) rt_seam->close(fd);
        archive_close(archive);
        return code;
    }
    source_close(m);
    m->source = source;
    m->fd = fd;
    m->archive = archive;
    m->mark = mapped;
    m->number = number;
    m->head = h;
    m->seed = seg_seed(h.run_id, h.shard, number);
    m->run_id = h.run_id;
    m->run_known = true;
    return 0;
}

/* segment_open makes segment number the current one from wherever it is: the stage first. Returns
 * 0, -ENODATA, or negative errno with m->error. */
static int segment_open(struct rt_tape_impl *m, uint64_t number) {
    if (impl_memory_find(m->dir) != NULL) return source_open(m, SOURCE_MEMORY, number);
    static const enum source order[] = { SOURCE_STAGE, SOURCE_DISK, SOURCE_ARCHIVE, SOURCE_DISK,
                                         SOURCE_ARCHIVE };
    /* disk and archive twice: the segment may move on between two looks */
    int code = -ENODATA;
    for (size_t i = 0; i < sizeof order / sizeof *order && code == -ENODATA; i++)
        code = source_open(m, order[i], number);
    return code;
}

/* place makes offset at of the current segment the next to be read; the buffer is empty. */
static void place(struct rt_tape *t, uint64_t at) {
    struct rt_tape_impl *m = t->impl;
    m->buffer_at = at;
    t->at = t->end = m->buffer;
    t->base = m->head.base - m->head.head_bytes + at - (uint64_t)(uintptr_t)m->buffer;
}

/* names_load reads the table of names of the current segment. */
static int names_load(struct rt_tape_impl *m) {
    size_t cnt = m->head.head_bytes - RT_JOURNAL_NAMES_AT;
    int64_t got = 0;
    if (cnt > 0 && m->source == SOURCE_MEMORY) {
        got = impl_memory_read(m->dir, m->number, RT_JOURNAL_NAMES_AT, m->names, cnt);
    } else if (cnt > 0) {
        got = source_read(m, m->names, cnt, RT_JOURNAL_NAMES_AT);
    }
    if (got < 0) return (int)got;
    m->names_bytes = m->head.names_bytes;
    if ((size_t)got == cnt && rt_crc32c_add(0xffffffffU, m->names, cnt) == m->head.names_crc)
        return 0;
    if (m->source == SOURCE_STAGE && source_open(m, SOURCE_DISK, m->number) == 0)
        return names_load(m); /* the disk's copy may be whole */
    return rt_error_set(&m->error, -EBADMSG,
                        "segment %llu: offset %d: the table of names is damaged",
                        (unsigned long long)m->number, RT_JOURNAL_NAMES_AT);
}

/* by_number orders by number. */
static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* list_add appends number to *list. */
static int list_add(uint64_t **list, size_t *cnt, size_t *cap, uint64_t number) {
    if (*cnt == *cap) {
        size_t more = *cap == 0 ? 64 : 2 * *cap;
        uint64_t *grown = realloc(*list, more * sizeof *grown);
        if (grown == NULL) return -ENOMEM;
        *list = grown;
        *cap = more;
    }
    (*list)[(*cnt)++] = number;
    return 0;
}

/* segments_list makes *list (malloc'ed) the numbers of all segments there may be, ascending. */
static int segments_list(struct rt_tape_impl *m, uint64_t **list, size_t *cnt) {
    size_t cap = 0;
    int code = 0;
    *list = NULL;
    *cnt = 0;
    if (impl_memory_find(m->dir) != NULL) {
        struct rt_journal_impl *j = impl_memory_find(m->dir);
        uint64_t newest = atomic_load_explicit(&j->head_number, memory_order_acquire);
        for (uint64_t n = 1; n <= newest && code == 0; n++) {
            uint8_t byte[8];
            if (impl_memory_read(m->dir, n, 0, byte, sizeof byte) >= 0)
                code = list_add(list, cnt, &cap, n);
        }
        return code;
    }
    const char *dirs[2] = { m->dir, m->stage_dir };
    for (int i = 0; i < 2; i++) {
        if (dirs[i][0] == '\0') continue;
        DIR *dir = opendir(dirs[i]);
        if (dir == NULL && i == 1) continue; /* the stage may be gone */
        if (dir == NULL) return -errno;
        struct dirent *e;
        while (code == 0 && (e = readdir(dir)) != NULL) {
            char *rest;
            unsigned long long n = strtoull(e->d_name, &rest, 10);
            if (rest == e->d_name) continue;
            if (i == 0 && (strcmp(rest, ".seg") == 0 || strcmp(rest, ".seg.zst") == 0))
                code = list_add(list, cnt, &cap, n);
            if (i == 1 && strcmp(rest, ".slot") == 0) {
                char path[SEG_PATH_MAX];
                _Alignas(8) uint8_t bytes[sizeof(struct rt_journal_head)];
                struct rt_journal_head h;
                snprintf(path, sizeof path, "%s/%llu.slot", m->stage_dir, n);
                int fd = rt_seam->open(path, O_RDONLY, 0);
                if (fd < 0) continue;
                ssize_t got = rt_seam->pread(fd, bytes, sizeof bytes, 0);
                rt_seam->close(fd);
                if (got == sizeof bytes &&
                    seg_head_check(bytes, sizeof bytes, path, &h, NULL) == 0 &&
                    (!m->run_known || h.run_id == m->run_id))
                    code = list_add(list, cnt, &cap, h.number);
            }
        }
        closedir(dir);
    }
    if (*cnt == 0) return code;
    qsort(*list, *cnt, sizeof **list, by_number);
    size_t kept = 0;
    for (size_t i = 0; i < *cnt; i++)
        if (kept == 0 || (*list)[kept - 1] != (*list)[i]) (*list)[kept++] = (*list)[i];
    *cnt = kept;
    return code;
}

/* seek makes the segment that holds position current. Returns 0; with nothing there yet, 0 and
 * source none; -ENODATA when the segments before it were dropped; or negative errno. */
static int seek(struct rt_tape *t, uint64_t position) {
    struct rt_tape_impl *m = t->impl;
    uint64_t *list;
    size_t cnt;
    int code = segments_list(m, &list, &cnt);
    if (code < 0) {
        free(list);
        return rt_error_set(&m->error, code, "%s: cannot be listed: %s", m->dir, strerror(-code));
    }
    /* The newest may be allocated but not begun. */
    while (cnt > 0 && (code = segment_open(m, list[cnt - 1])) == -ENODATA) cnt--;
    size_t low = 0;
    size_t high = cnt; /* the last segment with base <= position is in [low, high) */
    while (code == 0 && position != RT_TAPE_OLDEST && high - low > 1) {
        size_t middle = low + (high - low) / 2;
        code = segment_open(m, list[middle]);
        if (code == 0 && m->head.base <= position)
            low = middle;
        else
            high = middle;
    }
    if (code == 0 && cnt > 0) code = segment_open(m, list[low]);
    if (position == RT_TAPE_OLDEST) position = code == 0 && cnt > 0 ? m->head.base : 0;
    free(list);
    if (cnt == 0) {
        m->number = 1;
        m->source = SOURCE_NONE;
        m->error.code = 0;
        if (position == 0) return 0;
        return rt_error_set(&m->error, -ENODATA, "%s: no journal; position %llu was asked for",
                            m->dir, (unsigned long long)position);
    }
    if (code < 0) return code;
    if (position < m->head.base)
        return rt_error_set(&m->error, -ENODATA,
                            "%s: the journal begins at position %llu; what was before is dropped",
                            m->dir[0] != '\0' ? m->dir : m->stage_dir,
                            (unsigned long long)m->head.base);
    uint64_t at = m->head.head_bytes + (position - m->head.base);
    if (at > m->head.segment_bytes || (at & 7U) != 0)
        return rt_error_set(&m->error, -EINVAL, "%s: position %llu is not in the journal",
                            m->dir[0] != '\0' ? m->dir : m->stage_dir,
                            (unsigned long long)position);
    code = names_load(m);
    if (code == 0) place(t, at);
    return code;
}

int rt_tape_open(struct rt_tape *t, const char *dir, const char *stage_dir, uint64_t position,
                 struct rt_error *err) {
    *t = (struct rt_tape){ 0 };
    struct rt_tape_impl *m = calloc(1, sizeof *m);
    if (m == NULL) return rt_error_set(err, -ENOMEM, "journal tape: no memory");
    t->impl = m;
    m->fd = -1;
    m->dir = strdup(dir != NULL ? dir : "");
    m->stage_dir = strdup(stage_dir != NULL ? stage_dir : "");
    m->buffer = aligned_alloc(64, CHUNK_BYTES + MSG_FRAME_MAX + 8);
    m->names = calloc(1, RT_JOURNAL_NAMES_MAX + 4096);
    int code;
    if (m->dir == NULL || m->stage_dir == NULL || m->buffer == NULL || m->names == NULL) {
        code = rt_error_set(&m->error, -ENOMEM, "journal tape: no memory");
    } else {
        m->live = m->stage_dir[0] != '\0' && impl_locked(m->stage_dir);
        place(t, 0);
        code = seek(t, position);
    }
    if (code < 0) {
        if (err != NULL) *err = m->error;
        rt_tape_close(t);
    }
    return code;
}

uint64_t rt_tape_position(const struct rt_tape *t) {
    return t->impl->source == SOURCE_NONE ? 0 : t->base + (uint64_t)(uintptr_t)t->at;
}

/* refill reads the bytes at the tape's place into the buffer. Returns the size of the good record
 * there, 0 when there is none, or negative errno (-ENODATA: the segment went from its source). */
static int64_t refill(struct rt_tape *t) {
    struct rt_tape_impl *m = t->impl;
    uint64_t at = m->buffer_at + (uint64_t)(t->at - m->buffer);
    place(t, at);
    size_t cnt = CHUNK_BYTES;
    uint64_t room = m->head.segment_bytes - at;
    int64_t got = source_read(m, m->buffer, room < cnt ? room : cnt, at);
    if (got < 0) return got;
    t->end = m->buffer + (got & ~7LL);
    return seg_record(t->at, (size_t)(t->end - t->at), m->seed, rt_tape_position(t));
}

/* whole reads the segment number from source into fresh memory. NULL when it is not there. */
static uint8_t *whole(struct rt_tape_impl *m, enum source source, size_t *cnt) {
    struct rt_tape_impl look = *m;
    look.fd = -1;
    look.mark = NULL;
    look.archive = NULL;
    look.source = SOURCE_NONE;
    *cnt = 0;
    if (source_open(&look, source, m->number) < 0) return NULL;
    uint8_t *bytes = malloc(look.head.segment_bytes);
    int64_t got = bytes != NULL ? source_read(&look, bytes, look.head.segment_bytes, 0) : -ENOMEM;
    source_close(&look);
    if (got < 0) {
        free(bytes);
        return NULL;
    }
    *cnt = (size_t)got;
    return bytes;
}

/* tail_is_damaged tells whether what stands at the tape's place, which is no record and behind
 * which no segment is known, is damage rather than the end. */
static bool tail_is_damaged(struct rt_tape *t) {
    struct rt_tape_impl *m = t->impl;
    uint64_t at = m->buffer_at + (uint64_t)(t->at - m->buffer);
    struct seg_copy copies[2];
    struct seg_scan scan;
    struct rt_journal_mark mark = { 0 };
    copies[0].bytes = whole(m, SOURCE_STAGE, &copies[0].cnt);
    copies[1].bytes = whole(m, SOURCE_DISK, &copies[1].cnt);
    if (copies[0].bytes != NULL) memcpy(&mark, copies[0].bytes + SEG_MARK_AT, sizeof mark);
    const uint64_t look[2] = { mark.end_bytes, copies[1].cnt };
    seg_scan_copies(&m->head, copies, at, look, false, &scan);
    bool damage = scan.end == at && seg_is_damage(&m->head, copies, &scan);
    free(copies[0].bytes);
    free(copies[1].bytes);
    return damage;
}

/* damage notes that the record at the tape's place is bad; returns NULL. */
static const struct msg_frame *damage(struct rt_tape *t) {
    struct rt_tape_impl *m = t->impl;
    rt_error_set(&m->error, -EBADMSG,
                 "%s: segment %llu is damaged at offset %llu, before the end of the journal",
                 m->dir[0] != '\0' ? m->dir : m->stage_dir, (unsigned long long)m->number,
                 (unsigned long long)(m->buffer_at + (uint64_t)(t->at - m->buffer)));
    return NULL;
}

/* take hands out the good record of size bytes at the tape's place. */
static inline const struct msg_frame *take(struct rt_tape *t, uint32_t size) {
    const struct msg_frame *f = (const void *)t->at;
    t->at += size;
    return f;
}

/* gap notes that the records at the tape's place were dropped; returns NULL. */
static const struct msg_frame *gap(struct rt_tape_impl *m, uint64_t number, uint64_t position) {
    rt_error_set(&m->error, -ENODATA,
                 "%s: the journal's segment %llu is gone; position %llu was asked for",
                 m->dir[0] != '\0' ? m->dir : m->stage_dir, (unsigned long long)number,
                 (unsigned long long)position);
    return NULL;
}

/* caught_up tells, cheaply, whether the tape is level with a live writer. */
static bool caught_up(const struct rt_tape *t) {
    const struct rt_tape_impl *m = t->impl;
    if (m->source != SOURCE_STAGE || !m->live) return false;
    uint64_t at = m->buffer_at + (uint64_t)(t->at - m->buffer);
    return atomic_load_explicit(&m->mark->closed, memory_order_acquire) == 0 &&
           atomic_load_explicit(&m->mark->end_bytes, memory_order_acquire) == at &&
           atomic_load_explicit(&m->mark->number, memory_order_acquire) == m->number;
}

/* another_copy looks for a good record at offset at of segment number in every place the segment
 * may be. Returns its size with the tape there, 0, or -ENODATA when the segment is nowhere. */
static int64_t another_copy(struct rt_tape *t, uint64_t number, uint64_t at) {
    struct rt_tape_impl *m = t->impl;
    bool memory = impl_memory_find(m->dir) != NULL;
    int64_t found = -ENODATA;
    for (enum source s = SOURCE_MEMORY; s <= SOURCE_ARCHIVE; s++) {
        if (memory != (s == SOURCE_MEMORY) || source_open(m, s, number) < 0) continue;
        place(t, at);
        int64_t size = refill(t);
        if (size > 0) return size;
        if (size != -ENODATA) found = 0;
    }
    return found;
}

/* newer_exists tells whether any segment beyond number is there. */
static bool newer_exists(struct rt_tape_impl *m, uint64_t number) {
    uint64_t *list;
    size_t cnt;
    bool newer = false;
    if (segments_list(m, &list, &cnt) == 0)
        while (cnt > 0 && list[cnt - 1] > number && !newer) {
            struct rt_tape_impl look = *m;
            look.fd = -1;
            look.mark = NULL;
            look.archive = NULL;
            newer = segment_open(&look, list[--cnt]) != -ENODATA;
            if (look.fd >= 0 || look.archive != NULL) source_close(&look);
        }
    free(list);
    return newer;
}

/* next_slow finds the next record when the buffer has none: more bytes, another copy of the
 * segment, the next segment, or the reason why there is none. */
static const struct msg_frame *next_slow(struct rt_tape *t) {
    struct rt_tape_impl *m = t->impl;
    m->error.code = 0;
    if (m->source == SOURCE_NONE) {
        int code = seek(t, 0);
        if (code < 0 || m->source == SOURCE_NONE) return NULL;
    }
    for (int tries = 0;; tries++) {
        if (t->at == t->end && caught_up(t)) return NULL;
        int64_t size = refill(t);
        if (size > 0) return take(t, (uint32_t)size);
        if (size == 0 && caught_up(t)) return NULL;
        uint64_t position = rt_tape_position(t);
        uint64_t at = m->buffer_at;
        uint64_t number = m->number;
        struct rt_journal_head head = m->head;
        struct rt_error why = m->error;
        int64_t unread = size;

        /* The next segment says where this one ends. */
        int code = segment_open(m, number + 1);
        if (code == 0 && m->head.base == position) {
            place(t, m->head.head_bytes);
            code = names_load(m);
            if (code < 0 && code != -ENODATA) return NULL;
            tries = 0;
            continue; /* a slot that was used again meanwhile is noticed there */
        }
        struct rt_error next_why = m->error;

        /* The disk has what a slot has lost; the stage has what the disk's copy lacks. */
        size = another_copy(t, number, at);
        if (size > 0) return take(t, (uint32_t)size);
        if (segment_open(m, number) < 0) {
            source_close(m);
            m->source = SOURCE_LOST;
            m->number = number;
            m->head = head;
            m->seed = seg_seed(head.run_id, head.shard, number);
        }
        place(t, at);
        if (tries == 0 && (code == 0 || size < 0)) continue; /* the writer went on meanwhile */
        if (unread < 0 && unread != -ENODATA) {              /* the one copy cannot be read */
            m->error = why;
            if (m->error.code == 0)
                rt_error_set(&m->error, (int)unread, "%s: segment %llu cannot be read: %s", m->dir,
                             (unsigned long long)number, strerror((int)-unread));
            return NULL;
        }
        if (code < 0 && code != -ENODATA) {
            m->error = next_why;
            return NULL;
        }
        m->error.code = 0;
        if (size < 0) return code == 0 || newer_exists(m, number) ? gap(m, number, position) : NULL;
        if (code == 0) return damage(t);
        if (m->source == SOURCE_MEMORY || caught_up(t)) return NULL;
        if (tail_is_damaged(t)) return damage(t);
        m->error.code = 0;
        if (newer_exists(m, number)) { /* the end it is not */
            if (tries == 0) continue;  /* or the next one was begun meanwhile */
            return gap(m, number + 1, position);
        }
        if (!m->live && m->stage_dir[0] != '\0') m->live = impl_locked(m->stage_dir);
        return NULL;
    }
}

const struct msg_frame *rt_tape_next(struct rt_tape *t) {
    uint32_t size = seg_record(t->at, (size_t)(t->end - t->at), t->impl->seed,
                               t->base + (uint64_t)(uintptr_t)t->at);
    if (__builtin_expect(size > 0, 1)) return take(t, size);
    return next_slow(t);
}

int rt_tape_error(const struct rt_tape *t, struct rt_error *err) {
    if (err != NULL) *err = t->impl->error;
    return t->impl->error.code;
}

const void *rt_tape_head(const struct rt_tape *t, uint32_t *bytes) {
    *bytes = t->impl->names_bytes;
    return t->impl->names;
}

void rt_tape_close(struct rt_tape *t) {
    struct rt_tape_impl *m = t->impl;
    if (m == NULL) return;
    source_close(m);
    free(m->buffer);
    free(m->names);
    free(m->dir);
    free(m->stage_dir);
    free(m);
    *t = (struct rt_tape){ 0 };
}
