#include "runtime/store/recover.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* report adds a sentence to what open tells, as far as it fits. */
__attribute__((format(printf, 2, 3))) static void report(struct rt_journal_found *found,
                                                         const char *format, ...) {
    size_t len = strlen(found->report);
    if (len > 0 && len + 3 < sizeof found->report) {
        memcpy(found->report + len, "; ", 3);
        len += 2;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(found->report + len, sizeof found->report - len, format, args);
    va_end(args);
}

/* One slot file found on the stage. */
struct slot_found {
    uint32_t k;                  /* its index */
    uint64_t end_bytes;          /* its marks */
    uint64_t synced_bytes;       /* likewise */
    struct rt_journal_head head; /* its head */
};

/* slot_look reads the head of slot file k. Returns 1 when it holds a segment of this run, 0 when it
 * is free or foreign, or negative errno. */
static int slot_look(struct rt_journal_impl *m, uint32_t k, struct slot_found *s,
                     struct rt_journal_found *found, struct rt_error *err) {
    char path[SEG_PATH_MAX];
    _Alignas(8) uint8_t page[4096];
    snprintf(path, sizeof path, "%s/%u.slot", m->stage_dir, k);
    int fd = rt_seam->open(path, O_RDONLY, 0);
    if (fd < 0) return rt_error_set(err, fd, "%s: cannot be opened: %s", path, strerror(-fd));
    memset(page, 0, sizeof page);
    ssize_t got = rt_seam->pread(fd, page, sizeof page, 0);
    rt_seam->close(fd);
    if (got < 0)
        return rt_error_set(err, (int)got, "%s: cannot be read: %s", path, strerror((int)-got));
    struct rt_journal_mark mark;
    memcpy(&mark, page + SEG_MARK_AT, sizeof mark);
    s->k = k;
    s->end_bytes = mark.end_bytes;
    s->synced_bytes = mark.synced_bytes;
    int code = seg_head_check(page, sizeof page, path, &s->head, err);
    if (code == -ENODATA) return 0;
    if (code == -EBADMSG && mark.number == 0)
        return 0; /* killed while it changed: no records yet */
    if (code < 0) return code;
    if (s->head.run_id != m->o.run_id || s->head.shard != m->o.shard) {
        report(found, "%s holds shard %u of run %llx, another run's; it is written over", path,
               s->head.shard, (unsigned long long)s->head.run_id);
        return 0;
    }
    return 1;
}

/* by_number orders slots by their segment. */
static int by_number(const void *a, const void *b) {
    const struct slot_found *x = a;
    const struct slot_found *y = b;
    return x->head.number < y->head.number ? -1 : x->head.number > y->head.number;
}

/* stage_list reads the heads of all slot files into *list (malloc'ed), in order of segment.
 * Returns their number or negative errno. */
static int stage_list(struct rt_journal_impl *m, struct slot_found **list,
                      struct rt_journal_found *found, struct rt_error *err) {
    int cnt = 0;
    struct slot_found *all = calloc(SEG_STAGE_MAX, sizeof *all);
    DIR *dir = opendir(m->stage_dir);
    int code = all == NULL ? -ENOMEM : dir == NULL ? -errno : 0;
    while (code == 0) {
        struct dirent *e = readdir(dir);
        if (e == NULL) break;
        char *rest;
        unsigned long k = strtoul(e->d_name, &rest, 10);
        if (rest == e->d_name || strcmp(rest, ".slot") != 0 || k >= SEG_STAGE_MAX ||
            cnt == SEG_STAGE_MAX)
            continue;
        int is = slot_look(m, (uint32_t)k, &all[cnt], found, err);
        if (is < 0) code = is;
        if (is > 0) cnt++;
    }
    if (dir != NULL) closedir(dir);
    if (code < 0) {
        free(all);
        if (err != NULL && err->code == 0)
            rt_error_set(err, code, "%s: cannot be read: %s", m->stage_dir, strerror(-code));
        return code;
    }
    qsort(all, (size_t)cnt, sizeof *all, by_number);
    *list = all;
    return cnt;
}

/* damaged fills err for a bad record at offset of segment number. */
static int damaged(const struct rt_journal_impl *m, uint64_t number, uint64_t offset,
                   struct rt_error *err) {
    return rt_error_set(err, -EBADMSG,
                        "%s: segment %llu is damaged at offset %llu, before the end of the journal",
                        m->dir[0] != '\0' ? m->dir : m->stage_dir, (unsigned long long)number,
                        (unsigned long long)offset);
}

/* The segments found on disk. */
struct disk_list {
    uint64_t *plain;  /* numbers of N.seg, ascending; malloc'ed */
    size_t plain_cnt; /* how many */
    uint64_t *old;    /* numbers of N.seg.zst, ascending; malloc'ed */
    size_t old_cnt;   /* how many */
};

/* by_size orders numbers. */
static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* disk_list_read reads the names in m->dir. Returns 0 or negative errno with err. */
static int disk_list_read(struct rt_journal_impl *m, struct disk_list *l, struct rt_error *err) {
    size_t cap[2] = { 0, 0 };
    int code = 0;
    DIR *dir = opendir(m->dir);
    if (dir == NULL) code = -errno;
    struct dirent *e;
    while (code == 0 && (e = readdir(dir)) != NULL) {
        char *rest;
        unsigned long long n = strtoull(e->d_name, &rest, 10);
        if (rest == e->d_name || n == 0) continue;
        if (strcmp(rest, ".seg.zst.new") == 0) { /* a compression that a crash interrupted */
            char path[SEG_PATH_MAX + 256];
            snprintf(path, sizeof path, "%s/%s", m->dir, e->d_name);
            (void)rt_seam->unlink(path);
            continue;
        }
        bool old = strcmp(rest, ".seg.zst") == 0;
        if (!old && strcmp(rest, ".seg") != 0) continue;
        uint64_t **list = old ? &l->old : &l->plain;
        size_t *cnt = old ? &l->old_cnt : &l->plain_cnt;
        if (*cnt == cap[old]) {
            size_t more = *cnt == 0 ? 64 : 2 * *cnt;
            uint64_t *grown = realloc(*list, more * sizeof *grown);
            if (grown == NULL) {
                code = -ENOMEM;
                break;
            }
            *list = grown;
            cap[old] = more;
        }
        (*list)[(*cnt)++] = n;
    }
    if (dir != NULL) closedir(dir);
    if (code < 0)
        return rt_error_set(err, code, "%s: cannot be listed: %s", m->dir, strerror(-code));
    if (l->plain_cnt > 0) qsort(l->plain, l->plain_cnt, sizeof *l->plain, by_size);
    if (l->old_cnt > 0) qsort(l->old, l->old_cnt, sizeof *l->old, by_size);
    return 0;
}

/* listed tells whether number is among cnt ascending numbers. */
static bool listed(const uint64_t *list, size_t cnt, uint64_t number) {
    return cnt > 0 && bsearch(&number, list, cnt, sizeof *list, by_size) != NULL;
}

/* A disk segment as recovery sees it. */
struct disk_file {
    uint8_t *bytes;              /* its bytes, zeros up to segment_bytes; malloc'ed; NULL = none */
    uint64_t size;               /* size of the file */
    struct rt_journal_head head; /* its head */
    struct rt_journal_sync sync; /* its newest sync mark */
    bool sync_bad;               /* one of its sync marks is damaged */
};

/* disk_path writes the path of disk segment number. */
static void disk_path(const struct rt_journal_impl *m, uint64_t number, char path[SEG_PATH_MAX]) {
    snprintf(path, SEG_PATH_MAX, "%s/%llu.seg", m->dir, (unsigned long long)number);
}

/* disk_load reads disk segment number, whole or, with head_only, its first page. Returns 0 with
 * f->bytes to be freed; -ENODATA when it is absent or only allocated (f->size tells); another
 * negative errno with err. */
static int disk_load(const struct rt_journal_impl *m, uint64_t number, bool head_only,
                     struct disk_file *f, struct rt_error *err) {
    char path[SEG_PATH_MAX];
    *f = (struct disk_file){ 0 };
    disk_path(m, number, path);
    int fd = rt_seam->open(path, O_RDONLY, 0);
    if (fd == -ENOENT) return -ENODATA;
    if (fd < 0) return rt_error_set(err, fd, "%s: cannot be opened: %s", path, strerror(-fd));
    struct stat st;
    int code = fstat(fd, &st) < 0 ? -errno : 0;
    _Alignas(8) uint8_t page[4096];
    if (code < 0) {
        rt_error_set(err, code, "%s: cannot be read: %s", path, strerror(-code));
        goto out;
    }
    f->size = (uint64_t)st.st_size;
    code = seg_file_check(fd, path, &f->head, page, NULL, err);
    if (code < 0) goto out;
    if (f->head.number != number) {
        code = rt_error_set(err, -EBADMSG, "%s: offset 0: holds segment %llu", path,
                            (unsigned long long)f->head.number);
        goto out;
    }
    if (f->head.run_id != m->o.run_id || f->head.shard != m->o.shard) {
        code = rt_error_set(err, -EINVAL,
                            "%s: holds shard %u of run %llx; this is shard %u of run %llx", path,
                            f->head.shard, (unsigned long long)f->head.run_id, m->o.shard,
                            (unsigned long long)m->o.run_id);
        goto out;
    }
    uint32_t seed = seg_seed(f->head.run_id, f->head.shard, number);
    f->sync = seg_sync_read(page, seed, &f->sync_bad);
    if (head_only) goto out;
    f->bytes = calloc(1, f->head.segment_bytes);
    ssize_t got =
        f->bytes == NULL ? -ENOMEM : rt_seam->pread(fd, f->bytes, f->head.segment_bytes, 0);
    if (got < 0)
        code = rt_error_set(err, (int)got, "%s: cannot be read: %s", path, strerror((int)-got));
out:
    rt_seam->close(fd);
    if (code < 0) {
        free(f->bytes);
        f->bytes = NULL;
    }
    return code;
}

/* disk_clear writes zeros to disk segment number from offset from to to, and syncs. */
static int disk_clear(const struct rt_journal_impl *m, uint64_t number, uint64_t from, uint64_t to,
                      struct rt_error *err) {
    static const uint8_t zeros[65536];
    char path[SEG_PATH_MAX];
    disk_path(m, number, path);
    int fd = rt_seam->open(path, O_RDWR, 0);
    int64_t code = fd < 0 ? fd : 0;
    while (code >= 0 && from < to) {
        size_t cnt = to - from < sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        code = rt_seam->pwrite(fd, zeros, cnt, from);
        from += cnt;
    }
    if (code >= 0 && fd >= 0) code = rt_seam->fdatasync(fd);
    if (fd >= 0) rt_seam->close(fd);
    if (code < 0)
        return rt_error_set(err, (int)code, "%s: cannot be cut: %s", path, strerror((int)-code));
    return 0;
}

/* disk_extend gives disk segment number its whole size again. */
static int disk_extend(const struct rt_journal_impl *m, uint64_t number, uint64_t size,
                       uint64_t bytes, struct rt_error *err) {
    char path[SEG_PATH_MAX];
    if (size == bytes) return 0;
    disk_path(m, number, path);
    int fd = rt_seam->open(path, O_RDWR, 0);
    int code = fd < 0 ? fd : 0;
    if (code == 0 && size > bytes) code = rt_seam->truncate(fd, bytes);
    if (code == 0) code = rt_seam->fallocate(fd, 0, bytes);
    if (code == 0) code = rt_seam->fsync(fd);
    if (fd >= 0) rt_seam->close(fd);
    if (code == 0) return 0;
    return rt_error_set(err, code, "%s: cannot be given its %llu bytes: %s", path,
                        (unsigned long long)bytes, strerror(-code));
}

/* slot_map maps the slot file of s. */
static int slot_map(struct rt_journal_impl *m, const struct slot_found *s, struct rt_error *err) {
    int code = impl_slot_make(m, s->k);
    if (code == 0) return 0;
    return rt_error_set(err, code, "%s/%u.slot: cannot be mapped: %s", m->stage_dir, s->k,
                        strerror(-code));
}

/* stage_older looks at stage segment s, not the newest, which ends where the next one begins, at
 * position next. When its disk copy may lack something, both copies are walked and mended. */
static int stage_older(struct rt_journal_impl *m, const struct slot_found *s, uint64_t next,
                       bool archived, struct recovered *r, struct rt_journal_found *found,
                       struct rt_error *err) {
    const struct rt_journal_head *h = &s->head;
    struct disk_file disk = { 0 };
    uint64_t end = h->head_bytes + (next - h->base);
    bool has_disk = m->o.backing == RT_BACKING_DISK;
    int code = has_disk ? disk_load(m, h->number, true, &disk, err) : -ENODATA;
    /* Behind one that must be written again all are, since the disk thread goes through them. */
    if (has_disk && (code == 0 || archived) && s->synced_bytes >= end && r->flush_number == 0)
        return 0;
    if (has_disk && (code == 0 || code == -EBADMSG))
        code = disk_load(m, h->number, false, &disk, err);
    if (code < 0 && code != -ENODATA && code != -EBADMSG) return code;
    if (has_disk && code == -EBADMSG)
        report(found, "%s; it is written again from the stage", err->text);
    code = slot_map(m, s, err);
    uint8_t *map = m->slots[s->k].map;
    struct seg_scan scan = { 0 };
    if (code == 0) {
        struct seg_copy copies[2] = { { map, h->segment_bytes }, { disk.bytes, h->segment_bytes } };
        const uint64_t look[2] = { 0, 0 };
        seg_scan_copies(h, copies, h->head_bytes, look, true, &scan);
        if (scan.end != end) code = damaged(m, h->number, scan.end, err);
    }
    if (code == 0 && scan.mended[0] > 0)
        report(found, "segment %llu: %llu damaged records of the stage were mended from the disk",
               (unsigned long long)h->number, (unsigned long long)scan.mended[0]);
    if (code == 0) {
        struct rt_journal_mark *mark = (void *)(map + SEG_MARK_AT);
        atomic_store_explicit(&mark->end_bytes, end, memory_order_relaxed);
        atomic_store_explicit(&mark->closed, 1, memory_order_relaxed);
        atomic_store_explicit(&m->slots[s->k].number, h->number, memory_order_relaxed);
        if (has_disk && r->flush_number == 0) {
            r->flush_number = h->number;
            r->flush_head = disk.bytes != NULL;
            r->flush_from = disk.bytes == NULL ? 0 : s->synced_bytes;
            if (scan.mended[1] > 0 && scan.first[1] < r->flush_from) r->flush_from = scan.first[1];
        }
    }
    free(disk.bytes);
    return code;
}

/* newest_join finds the end of the newest segment from its copies on the stage (s, may be NULL) and
 * on disk (disk: its head, or its bytes), mends what one has and the other lacks, and cuts a torn
 * tail. A stage that is whole up to its mark is enough; the disk is read when it is not. */
static int newest_join(struct rt_journal_impl *m, const struct slot_found *s,
                       struct disk_file *disk, struct recovered *r, struct rt_journal_found *found,
                       struct rt_error *err) {
    const struct rt_journal_head *h = s != NULL ? &s->head : &disk->head;
    struct seg_copy copies[2] = { { NULL, 0 }, { NULL, 0 } };
    uint64_t look[2] = { 0, 0 };
    struct seg_scan scan = { 0 };
    bool on_disk = disk->head.number != 0; /* its file has its head */
    int code = 0;
    if (s != NULL) {
        code = slot_map(m, s, err);
        if (code < 0) return code;
        copies[0] = (struct seg_copy){ m->slots[s->k].map, h->segment_bytes };
        look[0] = s->end_bytes; /* behind it the slot holds what was there before */
        seg_scan_copies(h, copies, h->head_bytes, look, false, &scan);
        if (scan.end < s->end_bytes && on_disk) {
            code = disk_load(m, h->number, false, disk, err);
            if (code < 0) return code;
        }
    }
    if (disk->bytes != NULL) {
        copies[1] = (struct seg_copy){ disk->bytes, h->segment_bytes };
        look[1] = h->segment_bytes;
        seg_scan_copies(h, copies, h->head_bytes, look, true, &scan);
    }
    if (seg_is_damage(h, copies, &scan)) return damaged(m, h->number, scan.end, err);
    r->number = h->number;
    r->end_bytes = scan.end;
    r->end = h->base + (scan.end - h->head_bytes);
    r->head = *h;
    r->in_stage = s != NULL;
    unsigned long long number = h->number;

    uint64_t known = scan.last; /* how far something was known to reach */
    if (s != NULL && s->end_bytes > known && s->end_bytes <= h->segment_bytes) known = s->end_bytes;
    uint64_t covers = disk->bytes != NULL && disk->sync.synced <= h->segment_bytes
                          ? disk->sync.closed != 0 ? disk->sync.covers : disk->sync.synced
                          : 0;
    if (s == NULL && covers > known) known = covers;
    if (known > scan.end) {
        found->cut_bytes = known - scan.end;
        report(found, "segment %llu: a torn tail of %llu bytes was cut at offset %llu%s", number,
               (unsigned long long)found->cut_bytes, (unsigned long long)scan.end,
               covers > scan.end ? ", of which some had been synced" : "");
    }
    if (s != NULL && scan.mended[0] > 0)
        report(found, "segment %llu: %llu damaged records of the stage were mended from the disk",
               number, (unsigned long long)scan.mended[0]);
    if (s == NULL && disk->sync.closed != 2)
        report(found,
               "the stage is gone: the journal ends with what the disk has, at position %llu",
               (unsigned long long)r->end);
    if (disk->sync_bad)
        report(found, "segment %llu: a sync mark was damaged; it will be written again", number);
    if (s != NULL) {
        struct rt_journal_mark *mark = (void *)(copies[0].bytes + SEG_MARK_AT);
        if (known > scan.end) memset(copies[0].bytes + scan.end, 0, h->segment_bytes - scan.end);
        atomic_store_explicit(&mark->end_bytes, scan.end, memory_order_relaxed);
    }
    if (m->o.backing != RT_BACKING_DISK) return 0;
    r->flush_head = on_disk;
    r->flush_from = !on_disk ? 0 : s == NULL ? scan.end : s->synced_bytes;
    if (r->flush_from > scan.end) r->flush_from = scan.end;
    if (on_disk && disk->size < r->flush_from) r->flush_from = h->head_bytes; /* cut from outside */
    if (scan.mended[1] > 0 && scan.first[1] < r->flush_from) {
        report(found,
               "segment %llu: damaged records of the disk, from offset %llu, are mended "
               "from the stage",
               number, (unsigned long long)scan.first[1]);
        r->flush_from = scan.first[1];
    }
    if (on_disk) code = disk_extend(m, h->number, disk->size, h->segment_bytes, err);
    if (disk->bytes == NULL) return code;
    /* What stands behind the end on disk must go before anything is written there again. */
    uint64_t last = seg_last(&copies[1], scan.end, h->segment_bytes);
    if (code == 0 && (s == NULL || last > scan.end))
        code = disk_clear(m, h->number, scan.end, last, err); /* syncs in any case */
    return code;
}

/* shape_differs tells whether slot s was made for a stage of another shape. */
static bool shape_differs(const struct rt_journal_impl *m, const struct slot_found *s) {
    return s->head.stage_segments != m->o.stage_segments ||
           s->head.segment_bytes != m->o.segment_bytes || s->k >= m->slot_cnt ||
           s->head.number % m->o.stage_segments != s->k;
}

/* stage_to_disk writes the stage segments of list to disk as they are and removes all slot files:
 * the stage is to have another shape. */
static int stage_to_disk(struct rt_journal_impl *m, const struct slot_found *list, int cnt,
                         struct rt_error *err) {
    int code = 0;
    char path[SEG_PATH_MAX];
    for (int i = 0; i < cnt && code == 0; i++) {
        const struct rt_journal_head *h = &list[i].head;
        bool newest = i == cnt - 1;
        uint64_t end = newest ? 0 : h->head_bytes + (list[i + 1].head.base - h->base);
        if (!newest && list[i].synced_bytes >= end) continue;
        snprintf(path, sizeof path, "%s/%u.slot", m->stage_dir, list[i].k);
        uint8_t *bytes = calloc(1, h->segment_bytes);
        int fd = rt_seam->open(path, O_RDONLY, 0);
        int64_t n = bytes == NULL ? -ENOMEM
                    : fd < 0      ? fd
                                  : rt_seam->pread(fd, bytes, h->segment_bytes, 0);
        if (fd >= 0) rt_seam->close(fd);
        disk_path(m, h->number, path);
        fd = -1;
        if (n >= 0) {
            struct seg_copy copies[2] = { { bytes, h->segment_bytes }, { NULL, 0 } };
            const uint64_t look[2] = { list[i].end_bytes, 0 };
            struct seg_scan scan;
            seg_scan_copies(h, copies, h->head_bytes, look, false, &scan);
            if (scan.later != 0 || (!newest && scan.end != end)) {
                free(bytes);
                return damaged(m, h->number, scan.end, err);
            }
            memset(bytes + sizeof *h, 0, RT_JOURNAL_NAMES_AT - sizeof *h);
            memset(bytes + scan.end, 0, h->segment_bytes - scan.end);
            struct rt_journal_sync sync = { .sequence = 1ULL << 40,
                                            .synced = scan.end,
                                            .covers = scan.end,
                                            .closed = newest ? 2 : 1 };
            seg_sync_seal(&sync, seg_seed(h->run_id, h->shard, h->number));
            memcpy(bytes + SEG_SYNC_A_AT, &sync, sizeof sync);
            n = fd = rt_seam->open(path, O_RDWR | O_CREAT, 0600);
            if (n >= 0) n = rt_seam->fallocate(fd, 0, h->segment_bytes);
            if (n >= 0) n = rt_seam->pwrite(fd, bytes, h->segment_bytes, 0);
            if (n >= 0) n = rt_seam->fsync(fd);
        }
        if (fd >= 0) rt_seam->close(fd);
        free(bytes);
        if (n < 0)
            code = rt_error_set(err, (int)n, "%s: cannot be written from the stage: %s", path,
                                strerror((int)-n));
    }
    for (uint32_t k = 0; k < SEG_STAGE_MAX && code == 0; k++) {
        snprintf(path, sizeof path, "%s/%u.slot", m->stage_dir, k);
        (void)rt_seam->unlink(path);
    }
    return code;
}

/* chain_check refuses a gap between the oldest and the newest of the segments found. */
static int chain_check(struct rt_journal_impl *m, const struct disk_list *l,
                       const struct slot_found *list, int cnt, uint64_t newest, struct recovered *r,
                       struct rt_error *err) {
    uint64_t first = newest;
    if (l->old_cnt > 0 && l->old[0] < first) first = l->old[0];
    if (l->plain_cnt > 0 && l->plain[0] < first) first = l->plain[0];
    if (cnt > 0 && list[0].head.number < first) first = list[0].head.number;
    r->first = first;
    r->first_plain = l->plain_cnt > 0 ? l->plain[0] : 0;
    if (l->old_cnt > 0 && r->first_plain <= l->old[l->old_cnt - 1] && r->first_plain != 0)
        r->first_plain = l->old[l->old_cnt - 1] + 1; /* killed before the plain one was removed */
    for (uint64_t n = first; n < newest; n++) {
        bool there = listed(l->plain, l->plain_cnt, n) || listed(l->old, l->old_cnt, n);
        if (!there && cnt > 0) there = n >= list[0].head.number && n <= list[cnt - 1].head.number;
        if (!there)
            return rt_error_set(err, -EBADMSG, "%s: segment %llu is missing",
                                m->dir[0] != '\0' ? m->dir : m->stage_dir, (unsigned long long)n);
    }
    return 0;
}

/* disk_newest finds the newest begun disk segment; 0 = none. */
static int disk_newest(struct rt_journal_impl *m, const struct disk_list *l, uint64_t *number,
                       struct rt_error *err) {
    *number = l->old_cnt > 0 ? l->old[l->old_cnt - 1] : 0;
    for (size_t i = l->plain_cnt; i > 0; i--) {
        struct disk_file f;
        if (l->plain[i - 1] < *number) break;
        int code = disk_load(m, l->plain[i - 1], true, &f, err);
        if (code == -ENODATA) continue;
        *number = l->plain[i - 1];
        return code == -EBADMSG ? 0 : code; /* looked at again, where the stage may mend it */
    }
    return 0;
}

/* next_is_unbegun refuses a disk segment behind the newest whose head is empty but which has a
 * record that would follow: its head was lost. */
static int next_is_unbegun(struct rt_journal_impl *m, const struct recovered *r,
                           struct rt_error *err) {
    char path[SEG_PATH_MAX];
    uint64_t number = r->number + 1;
    disk_path(m, number, path);
    int fd = rt_seam->open(path, O_RDONLY, 0);
    if (fd < 0) return 0;
    const size_t cnt = 64 << 10;
    uint8_t *bytes = calloc(1, cnt);
    uint32_t seed = seg_seed(m->o.run_id, m->o.shard, number);
    bool lost = false;
    const uint32_t places[2] = { r->head.head_bytes, m->head_bytes };
    for (int i = 0; i < 2 && bytes != NULL && !lost; i++) {
        ssize_t got = rt_seam->pread(fd, bytes, cnt, places[i]);
        lost = got > 0 && seg_record(bytes, (size_t)got & ~7UL, seed, r->end) > 0;
    }
    free(bytes);
    rt_seam->close(fd);
    if (!lost) return 0;
    return rt_error_set(err, -EBADMSG, "%s: offset 0: the segment's head is lost", path);
}

/* gone_between returns the first segment from..to-1 that the stage does not hold and the disk does
 * not either: a file that was only allocated ahead holds nothing. 0 = none. */
static uint64_t gone_between(const struct rt_journal_impl *m, const struct disk_list *l,
                             uint64_t from, uint64_t to) {
    for (uint64_t n = from; n < to; n++) {
        struct disk_file f;
        struct rt_error why;
        if (listed(l->old, l->old_cnt, n)) continue;
        if (m->o.backing != RT_BACKING_DISK || disk_load(m, n, true, &f, &why) == -ENODATA)
            return n;
    }
    return 0;
}

/* recover_lists is recover with the lists of what is there. */
static int recover_lists(struct rt_journal_impl *m, const struct slot_found *list, int cnt,
                         const struct disk_list *l, struct recovered *r,
                         struct rt_journal_found *found, struct rt_error *err) {
    uint64_t newest = 0;
    int code = disk_newest(m, l, &newest, err);
    if (code < 0) return code;
    const struct slot_found *s = NULL;
    if (cnt > 0 && list[cnt - 1].head.number >= newest) {
        s = &list[cnt - 1];
        newest = s->head.number;
    } else if (cnt > 0) {
        report(found, "the stage is older than the disk and was left out");
        cnt = 0;
    }
    r->ready = newest;
    if (newest == 0 && l->plain_cnt > 0)
        report(found, "the stage is gone and nothing of the journal had reached the disk");
    if (newest == 0) return 0;
    code = chain_check(m, l, list, cnt, newest, r, err);
    if (code < 0) return code;
    if (cnt > 0 && list[0].head.number > r->first) {
        const uint64_t before = list[0].head.number - 1;
        if (gone_between(m, l, before, before + 1) != 0)
            return rt_error_set(err, -EBADMSG, "%s: segment %llu is missing", m->stage_dir,
                                (unsigned long long)before);
    }
    for (int i = 0; i + 1 < cnt; i++) {
        if (list[i].head.number + 1 != list[i + 1].head.number) {
            uint64_t gone = list[i].head.number + 1; /* behind one not wholly on disk none is */
            if (r->flush_number == 0) gone = gone_between(m, l, gone, list[i + 1].head.number);
            if (gone == 0) continue;
            return rt_error_set(err, -EBADMSG, "%s: segment %llu is missing", m->stage_dir,
                                (unsigned long long)gone);
        }
        bool archived = listed(l->old, l->old_cnt, list[i].head.number);
        code = stage_older(m, &list[i], list[i + 1].head.base, archived, r, found, err);
        if (code < 0) return code;
    }
    struct disk_file disk = { 0 };
    bool begun = r->flush_number != 0; /* an older one is not on disk yet */
    uint64_t number = r->flush_number;
    uint64_t from = r->flush_from;
    bool head = r->flush_head;
    if (m->o.backing == RT_BACKING_DISK) {
        code = disk_load(m, newest, s != NULL, &disk, err);
        if (code < 0) disk.head.number = 0;
        if (code == -EBADMSG && s != NULL) {
            report(found, "%s; it is written again from the stage", err->text);
            code = -ENODATA;
        }
        if (code == -ENODATA && s != NULL) code = 0;
        if (code < 0)
            return code != -ENODATA ? code
                                    : rt_error_set(err, -EBADMSG,
                                                   "%s: segment %llu is archived but "
                                                   "nothing follows it",
                                                   m->dir, (unsigned long long)newest);
    }
    code = newest_join(m, s, &disk, r, found, err);
    if (code == 0 && m->o.backing == RT_BACKING_DISK) code = next_is_unbegun(m, r, err);
    if (code < 0) {
        free(disk.bytes);
        return code;
    }
    if (s == NULL)
        r->bytes = disk.bytes;
    else
        free(disk.bytes);
    r->go_on = r->head.names_bytes == m->o.head_bytes && r->head.names_crc == m->names_crc &&
               r->head.segment_bytes == m->o.segment_bytes;
    if (s != NULL && s->k < m->slot_cnt) {
        struct rt_journal_mark *mark = (void *)(m->slots[s->k].map + SEG_MARK_AT);
        atomic_store_explicit(&mark->closed, !r->go_on, memory_order_relaxed);
        atomic_store_explicit(&m->slots[s->k].number, newest, memory_order_relaxed);
    }
    if (begun) {
        r->flush_number = number;
        r->flush_from = from;
        r->flush_head = head;
    } else {
        r->flush_number = newest;
    }
    if (s == NULL && !r->go_on) { /* nothing of it is left to do */
        r->flush_number = newest + 1;
        r->flush_from = 0;
        r->flush_head = false;
    }
    /* Files allocated ahead stay in use. */
    r->ready = r->flush_number - 1;
    for (;;) {
        struct disk_file f;
        if (m->o.backing != RT_BACKING_DISK) break;
        code = disk_load(m, r->ready + 1, true, &f, err);
        if (r->ready + 1 > newest && code != -ENODATA) break;
        if (f.size != m->o.segment_bytes) break;
        r->ready++;
    }
    return 0;
}

int recover(struct rt_journal_impl *m, struct recovered *r, struct rt_journal_found *found,
            struct rt_error *err) {
    struct slot_found *list = NULL;
    struct disk_list l = { 0 };
    struct rt_error why = { 0 };
    *r = (struct recovered){ 0 };
    int cnt = stage_list(m, &list, found, &why);
    int code = cnt < 0 ? cnt : 0;
    if (code == 0 && m->o.backing == RT_BACKING_DISK) code = disk_list_read(m, &l, &why);
    bool differs = false;
    for (int i = 0; i < cnt; i++) differs |= shape_differs(m, &list[i]);
    if (code == 0 && differs && m->o.backing != RT_BACKING_DISK) {
        code = rt_error_set(&why, -EINVAL,
                            "%s: stage of %u segments of %u bytes; the journal was opened with %u "
                            "of %u",
                            m->stage_dir, list[0].head.stage_segments, list[0].head.segment_bytes,
                            m->o.stage_segments, m->o.segment_bytes);
    } else if (code == 0 && differs) {
        code = stage_to_disk(m, list, cnt, &why);
        cnt = 0;
        free(l.plain);
        free(l.old);
        l = (struct disk_list){ 0 };
        if (code == 0) code = disk_list_read(m, &l, &why);
    }
    if (code == 0) code = recover_lists(m, list, cnt, &l, r, found, &why);
    free(list);
    free(l.plain);
    free(l.old);
    if (code < 0 && err != NULL) *err = why;
    if (code < 0) recover_done(r);
    return code;
}

int recover_tail(struct rt_journal *j, struct recovered *r, uint8_t *map, struct rt_error *err) {
    (void)err;
    struct rt_journal_mark *mark = (void *)(map + SEG_MARK_AT);
    if (!r->in_stage) {
        atomic_store_explicit(&mark->number, 0, memory_order_relaxed);
        atomic_store_explicit(&mark->end_bytes, r->end_bytes, memory_order_relaxed);
        atomic_store_explicit(&mark->synced_bytes, r->end_bytes, memory_order_relaxed);
        memcpy(map + RT_JOURNAL_NAMES_AT, r->bytes + RT_JOURNAL_NAMES_AT,
               r->end_bytes - RT_JOURNAL_NAMES_AT);
        r->head.stage_segments = j->impl->o.stage_segments;
        seg_head_seal(&r->head);
        memcpy(map, &r->head, sizeof r->head);
    }
    /* The same table, by its CRC; a hurt copy is mended. */
    memcpy(map + RT_JOURNAL_NAMES_AT, j->impl->names, j->impl->head_bytes - RT_JOURNAL_NAMES_AT);
    *(uint64_t *)(void *)(map + r->end_bytes) = 0;
    impl_use(j, map, r->number, r->head.base, r->end_bytes);
    atomic_store_explicit(&mark->closed, 0, memory_order_relaxed);
    atomic_store_explicit(&mark->end_bytes, r->end_bytes, memory_order_release);
    atomic_store_explicit(&mark->number, r->number, memory_order_release);
    return 0;
}

void recover_done(struct recovered *r) {
    free(r->bytes);
    r->bytes = NULL;
}
