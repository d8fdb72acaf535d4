#include "runtime/store/segment.h"
#include "runtime/base/seam.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char seg_magic[8] = { 'S', 'H', 'R', 'K', 'J', 'R', 'N', 'L' };

uint32_t seg_seed(uint64_t run_id, uint32_t shard, uint64_t number) {
    const uint64_t words[3] = { run_id, shard, number };
    return rt_crc32c_add(0xffffffffU, words, sizeof words);
}

void seg_head_seal(struct rt_journal_head *h) {
    memcpy(h->magic, seg_magic, sizeof h->magic);
    h->version = RT_JOURNAL_VERSION;
    h->crc = rt_crc32c_add(0xffffffffU, h, offsetof(struct rt_journal_head, crc));
}

/* all_zero tells whether cnt bytes are zero. */
static bool all_zero(const uint8_t *p, size_t cnt) {
    for (size_t i = 0; i < cnt; i++)
        if (p[i] != 0) return false;
    return true;
}

int seg_head_check(const void *bytes, size_t cnt, const char *name, struct rt_journal_head *h,
                   struct rt_error *err) {
    if (cnt < sizeof *h) {
        if (all_zero(bytes, cnt)) return -ENODATA;
        return rt_error_set(err, -EBADMSG, "%s: journal segment of %zu bytes has no whole head",
                            name, cnt);
    }
    memcpy(h, bytes, sizeof *h);
    if (all_zero((const uint8_t *)h, sizeof *h)) return -ENODATA;
    if (memcmp(h->magic, seg_magic, sizeof seg_magic) != 0)
        return rt_error_set(err, -EBADMSG, "%s: offset 0: not a journal segment, or damaged", name);
    if (h->crc != rt_crc32c_add(0xffffffffU, h, offsetof(struct rt_journal_head, crc)))
        return rt_error_set(err, -EBADMSG, "%s: offset 0: the segment's head is damaged", name);
    if (h->version > RT_JOURNAL_VERSION)
        return rt_error_set(err, -ENOTSUP,
                            "%s: journal version %u; this program knows versions up to %d", name,
                            h->version, RT_JOURNAL_VERSION);
    uint32_t size = h->segment_bytes;
    if (h->version < 1 || size < SEG_BYTES_MIN || size > SEG_BYTES_MAX ||
        (size & (size - 1)) != 0 || h->names_bytes > RT_JOURNAL_NAMES_MAX ||
        h->head_bytes != seg_head_bytes(h->names_bytes) || h->number < 1)
        return rt_error_set(err, -EBADMSG, "%s: offset 0: the segment's head makes no sense", name);
    return 0;
}

void seg_sync_seal(struct rt_journal_sync *s, uint32_t seed) {
    s->crc = rt_crc32c_add(seed, s, offsetof(struct rt_journal_sync, crc));
}

struct rt_journal_sync seg_sync_read(const uint8_t *page, uint32_t seed, bool *bad) {
    struct rt_journal_sync best = { 0 };
    *bad = false;
    const size_t places[2] = { SEG_SYNC_A_AT, SEG_SYNC_B_AT };
    for (int i = 0; i < 2; i++) {
        struct rt_journal_sync s;
        memcpy(&s, page + places[i], sizeof s);
        if (all_zero((const uint8_t *)&s, sizeof s)) continue;
        if (s.crc != rt_crc32c_add(seed, &s, offsetof(struct rt_journal_sync, crc))) {
            *bad = true;
            continue;
        }
        if (s.sequence > best.sequence) best = s;
    }
    return best;
}

bool seg_page_clean(const uint8_t *page) {
    size_t head = sizeof(struct rt_journal_head);
    size_t a = SEG_SYNC_A_AT + sizeof(struct rt_journal_sync);
    size_t b = SEG_SYNC_B_AT + sizeof(struct rt_journal_sync);
    return all_zero(page + head, SEG_SYNC_A_AT - head) && all_zero(page + a, SEG_SYNC_B_AT - a) &&
           all_zero(page + b, RT_JOURNAL_NAMES_AT - b);
}

uint64_t seg_last(const struct seg_copy *c, uint64_t from, uint64_t limit) {
    uint64_t last = (limit < c->cnt ? limit : c->cnt) & ~7ULL;
    for (uint64_t i = last; i < limit && i < c->cnt; i++)
        if (c->bytes[i] != 0) return last + 8;
    while (last > from && *(const uint64_t *)(const void *)(c->bytes + last - 8) == 0) last -= 8;
    return last > from ? last : from;
}

uint64_t seg_later(const struct rt_journal_head *h, const struct seg_copy *c, uint64_t from,
                   uint64_t limit) {
    uint32_t seed = seg_seed(h->run_id, h->shard, h->number);
    if (c->bytes == NULL) return 0;
    if (limit > c->cnt) limit = c->cnt;
    for (uint64_t at = from; at + sizeof(struct msg_frame) <= limit; at += 8) {
        if (*(const uint64_t *)(const void *)(c->bytes + at) == 0) continue;
        if (seg_record(c->bytes + at, limit - at, seed, h->base + (at - h->head_bytes)) > 0)
            return at;
    }
    return 0;
}

void seg_scan_copies(const struct rt_journal_head *h, struct seg_copy c[2], uint64_t from,
                     const uint64_t look[2], bool mend, struct seg_scan *out) {
    uint32_t seed = seg_seed(h->run_id, h->shard, h->number);
    uint64_t at = from;
    *out = (struct seg_scan){ 0 };
    for (;;) {
        uint64_t position = h->base + (at - h->head_bytes);
        uint32_t size[2] = { 0, 0 };
        for (int i = 0; i < 2; i++)
            if (c[i].bytes != NULL && at < c[i].cnt)
                size[i] = seg_record(c[i].bytes + at, c[i].cnt - at, seed, position);
        if (size[0] == 0 && size[1] == 0) break;
        int have = size[0] > 0 ? 0 : 1;
        int lack = 1 - have;
        if (size[lack] == 0 && c[lack].bytes != NULL) {
            if (out->mended[lack]++ == 0) out->first[lack] = at;
            if (mend && at + size[have] <= c[lack].cnt)
                memcpy(c[lack].bytes + at, c[have].bytes + at, size[have]);
        }
        at += size[have];
    }
    out->end = out->last = at;
    for (int i = 0; i < 2; i++) {
        if (c[i].bytes == NULL) continue;
        uint64_t limit = look[i] < c[i].cnt ? look[i] : c[i].cnt;
        uint64_t last = seg_last(&c[i], at, limit);
        if (last <= at) continue;
        if (last > out->last) out->last = last;
        uint64_t later = seg_later(h, &c[i], at + 8, limit);
        if (later != 0 && (out->later == 0 || later < out->later)) out->later = later;
    }
}

bool seg_is_damage(const struct rt_journal_head *h, const struct seg_copy c[2],
                   const struct seg_scan *scan) {
    if (scan->later == 0) return false;
    if (c[0].bytes != NULL || c[1].cnt < RT_JOURNAL_NAMES_AT) return true;
    bool bad;
    uint32_t seed = seg_seed(h->run_id, h->shard, h->number);
    struct rt_journal_sync sync = seg_sync_read(c[1].bytes, seed, &bad);
    if (bad || scan->end < sync.synced) return true;
    /* Batches follow one another: each begins when the one before it is synced, and its mark goes
     * with it. So whatever lies behind the newest mark's reach is of one unsynced batch, and a
     * whole record there means that the batch of the mark itself was synced. */
    if (scan->end >= sync.covers) return false;
    return seg_later(h, &c[1], sync.covers, c[1].cnt) != 0;
}

int seg_file_check(int fd, const char *name, struct rt_journal_head *h, uint8_t *page,
                   uint8_t *names, struct rt_error *err) {
    memset(page, 0, RT_JOURNAL_NAMES_AT);
    ssize_t got = rt_seam->pread(fd, page, RT_JOURNAL_NAMES_AT, 0);
    if (got < 0)
        return rt_error_set(err, (int)got, "%s: cannot be read: %s", name, strerror((int)-got));
    int code = seg_head_check(page, (size_t)got, name, h, err);
    if (code < 0) return code;
    uint32_t seed = seg_seed(h->run_id, h->shard, h->number);
    bool bad;
    struct rt_journal_sync sync = seg_sync_read(page, seed, &bad);
    if (!seg_page_clean(page))
        return rt_error_set(err, -EBADMSG, "%s: offset 128: the segment's head is damaged", name);
    size_t cnt = h->head_bytes - RT_JOURNAL_NAMES_AT;
    uint8_t *bytes = calloc(1, SEG_NAMES_ROOM + MSG_FRAME_MAX);
    if (bytes == NULL) return rt_error_set(err, -ENOMEM, "%s: no memory to read it", name);
    got = rt_seam->pread(fd, bytes, cnt, RT_JOURNAL_NAMES_AT);
    if (got >= 0 && rt_crc32c_add(0xffffffffU, bytes, cnt) == h->names_crc) {
        if (names != NULL) memcpy(names, bytes, cnt);
        free(bytes);
        return 0;
    }
    if (got >= 0) got = rt_seam->pread(fd, bytes, MSG_FRAME_MAX, h->head_bytes);
    if (got < 0) {
        code = rt_error_set(err, (int)got, "%s: cannot be read: %s", name, strerror((int)-got));
    } else if (sync.sequence <= 1 && !bad &&
               seg_record(bytes, (size_t)got & ~7UL, seed, h->base) == 0) {
        code = -ENODATA; /* records are written once the head is synced: none could be */
    } else {
        code = rt_error_set(err, -EBADMSG, "%s: offset %d: the table of names is damaged", name,
                            RT_JOURNAL_NAMES_AT);
    }
    free(bytes);
    return code;
}
