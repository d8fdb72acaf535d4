/* segment.h - the bytes of a journal segment: heads, marks, records, and telling a torn tail from
 * damage.
 *
 * For     the store alone: writer, disk thread, tape, recovery.
 * Thread  pure functions of bytes.
 * Cost    a scan sums each record once: about 10 ns for 64 bytes. */
#ifndef RUNTIME_STORE_SEGMENT_H
#define RUNTIME_STORE_SEGMENT_H
#include "runtime/base/crc32c.h"
#include "runtime/base/error.h"
#include "runtime/store/journal.h"

enum {
    SEG_MARK_AT = 128,         /* struct rt_journal_mark */
    SEG_SYNC_A_AT = 1024,      /* first struct rt_journal_sync */
    SEG_SYNC_B_AT = 1536,      /* second, in another sector */
    SEG_BYTES_MIN = 128 << 10, /* smallest segment: head and the largest record fit */
    SEG_BYTES_MAX = 1 << 30,   /* largest */
    SEG_STAGE_MAX = 1024,      /* slots of a stage at most */
    SEG_NAMES_ROOM = 64 << 10, /* the table of names with its zeros fits */
    SEG_PATH_MAX = 4096,       /* a path, with its NUL */
};

/* seg_seed is what the CRCs of a segment's records start from. */
uint32_t seg_seed(uint64_t run_id, uint32_t shard, uint64_t number);

/* seg_head_bytes returns where records begin behind names_bytes of names. */
static inline uint32_t seg_head_bytes(uint32_t names_bytes) {
    return RT_JOURNAL_NAMES_AT + ((names_bytes + 4095U) & ~4095U);
}

/* seg_head_seal fills magic, version and CRC of h. */
void seg_head_seal(struct rt_journal_head *h);

/* seg_head_check looks at the first cnt bytes of a file named name and copies its head to *h.
 * Returns 0; -ENODATA when they are all zero (allocated, not begun) or too few; -ENOTSUP with the
 * number for a newer version; -EBADMSG when damaged. */
int seg_head_check(const void *bytes, size_t cnt, const char *name, struct rt_journal_head *h,
                   struct rt_error *err);

/* seg_record returns the size of the whole, good record at p, of which left bytes are there, or 0.
 */
static inline uint32_t seg_record(const uint8_t *p, size_t left, uint32_t seed, uint64_t position) {
    if (left < sizeof(struct msg_frame)) return 0;
    const uint64_t *w = (const uint64_t *)(const void *)p;
    uint64_t first = w[0];
    uint32_t size = (uint32_t)(first >> 16) & 0xffffU;
    if (size < sizeof(struct msg_frame) || (size & 7U) != 0 || size > left) return 0;
    uint64_t second = w[1];
    uint64_t crc = seed ^ (uint32_t)position;
    crc = __builtin_ia32_crc32di(crc, first);
    crc = __builtin_ia32_crc32di(crc, (uint32_t)second);
    for (uint32_t i = 2; i < size / 8; i++) crc = __builtin_ia32_crc32di(crc, w[i]);
    return (uint32_t)crc == (uint32_t)(second >> 32) ? size : 0;
}

/* seg_file_check reads and checks the head of disk segment fd, named name: *h, its first 4096 bytes
 * into page, and the names (SEG_NAMES_ROOM bytes, may be NULL). Returns 0; -ENODATA when the
 * segment is allocated but not begun, or a power cut tore the batch that should have begun it;
 * -ENOTSUP; -EBADMSG when damaged; or the negative errno of the read. */
int seg_file_check(int fd, const char *name, struct rt_journal_head *h, uint8_t *page,
                   uint8_t *names, struct rt_error *err);

/* seg_sync_seal fills the CRC of s. */
void seg_sync_seal(struct rt_journal_sync *s, uint32_t seed);

/* seg_sync_read finds the newer valid sync mark among the first 4096 bytes of a disk segment; none:
 * all zero. *bad is set when one of the two is neither empty nor valid. */
struct rt_journal_sync seg_sync_read(const uint8_t *page, uint32_t seed, bool *bad);

/* seg_page_clean tells whether what belongs to nobody in the first 4096 bytes of a disk segment is
 * zero. */
bool seg_page_clean(const uint8_t *page);

/* Two copies of one segment's bytes, either of which may be missing or short. */
struct seg_copy {
    uint8_t *bytes; /* the segment from its start, 8-aligned; NULL = there is none */
    size_t cnt;     /* how many bytes of it are there */
};

/* What a scan found. Offsets count from the segment's start. */
struct seg_scan {
    uint64_t end;       /* after the last whole record */
    uint64_t mended[2]; /* records that copy 0, 1 lacked and the other had */
    uint64_t first[2];  /* offset of the first such record */
    uint64_t later;     /* offset of a whole record found beyond end; 0 = none */
    uint64_t last; /* after the last byte beyond end that is not zero; end when there is none */
};

/* seg_scan_copies walks the records of the segment h from offset from in copies c[0] and c[1],
 * taking each where it is whole. With mend, a record missing in one is copied to it from the other
 * (where its bytes reach). look[i] bounds the search for what stands beyond the end in copy i. */
void seg_scan_copies(const struct rt_journal_head *h, struct seg_copy c[2], uint64_t from,
                     const uint64_t look[2], bool mend, struct seg_scan *out);

/* seg_is_damage tells whether what scan found beyond the end of the records is damage (true), or
 * the torn tail of a crash. c[0] is the stage's copy, c[1] the disk's. A whole record beyond the
 * end means damage, but for one case: the disk alone is left after a power cut, and what is whole
 * belongs to the batch whose fdatasync had not answered; its pages reach the disk in any order. */
bool seg_is_damage(const struct rt_journal_head *h, const struct seg_copy c[2],
                   const struct seg_scan *scan);

/* seg_last returns the offset behind the last byte of c that is not zero in from..limit-1, rounded
 * up to 8; from when there is none. */
uint64_t seg_last(const struct seg_copy *c, uint64_t from, uint64_t limit);

/* seg_later returns the offset of the first whole record at or after from (8-aligned) in c that
 * ends by limit, or 0. */
uint64_t seg_later(const struct rt_journal_head *h, const struct seg_copy *c, uint64_t from,
                   uint64_t limit);
#endif
