#include "runtime/store/recover.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int recover(struct rt_journal_impl *m, struct recovered *r, struct rt_journal_found *found,
            struct rt_error *err) {
    struct slot_found *list = NULL;
    *r = (struct recovered){ 0 };
    if (err != NULL) err->code = 0;
    int cnt = stage_list(m, &list, found, err);
    if (cnt < 0) return cnt;
    int code = 0;
    for (int i = 0; i < cnt && code == 0; i++) {
        const struct rt_journal_head *h = &list[i].head;
        if (h->stage_segments != m->o.stage_segments || h->segment_bytes != m->o.segment_bytes) {
            code = rt_error_set(err, -EINVAL,
                                "%s: stage of %u segments of %u bytes; the journal was opened with "
                                "%u of %u",
                                m->stage_dir, h->stage_segments, h->segment_bytes,
                                m->o.stage_segments, m->o.segment_bytes);
            break;
        }
        if (i > 0 && h->number != list[i - 1].head.number + 1) {
            code = rt_error_set(err, -EBADMSG, "%s: segment %llu is missing", m->stage_dir,
                                (unsigned long long)list[i - 1].head.number + 1);
            break;
        }
        code = impl_slot_make(m, list[i].k);
        if (code < 0) {
            rt_error_set(err, code, "%s/%u.slot: cannot be mapped: %s", m->stage_dir, list[i].k,
                         strerror(-code));
            break;
        }
        uint8_t *map = m->slots[list[i].k].map;
        struct seg_copy copies[2] = { { map, h->segment_bytes }, { NULL, 0 } };
        struct seg_scan scan;
        uint64_t look[2] = { list[i].end_bytes, 0 };
        seg_scan_copies(h, copies, h->head_bytes, look, false, &scan);
        bool newest = i == cnt - 1;
        uint64_t end = h->base + (scan.end - h->head_bytes);
        if (scan.later != 0 || (!newest && end != list[i + 1].head.base)) {
            code = damaged(m, h->number, scan.end, err);
            break;
        }
        atomic_store_explicit(&m->slots[list[i].k].number, h->number, memory_order_relaxed);
        struct rt_journal_mark *mark = (void *)(map + SEG_MARK_AT);
        if (!newest) {
            atomic_store_explicit(&mark->closed, 1, memory_order_relaxed);
            continue;
        }
        if (scan.last > scan.end) {
            found->cut_bytes = scan.last - scan.end;
            memset(map + scan.end, 0, m->o.segment_bytes - scan.end);
            report(found, "segment %llu: a torn tail of %llu bytes was cut at offset %llu",
                   (unsigned long long)h->number, (unsigned long long)found->cut_bytes,
                   (unsigned long long)scan.end);
        }
        r->number = h->number;
        r->end = end;
        r->end_bytes = scan.end;
        r->head = *h;
        r->in_stage = true;
        r->go_on = h->names_bytes == m->o.head_bytes && h->names_crc == m->names_crc;
        atomic_store_explicit(&mark->end_bytes, scan.end, memory_order_relaxed);
        atomic_store_explicit(&mark->closed, !r->go_on, memory_order_relaxed);
    }
    free(list);
    return code;
}

int recover_tail(struct rt_journal *j, struct recovered *r, uint8_t *map, struct rt_error *err) {
    (void)err;
    struct rt_journal_mark *mark = (void *)(map + SEG_MARK_AT);
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
