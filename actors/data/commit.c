#include "actors/data/commit.h"
#include "actors/data/scan.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/seam.h"
#include "schemas/messages.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { GAPS_MAX = 100000 /* gaps that a manifest lists */ };

/* gap_add notes a gap when there is room. */
static bool gap_add(struct data_gap **gaps, uint64_t cnt, uint32_t max, struct data_gap gap) {
    if (cnt >= max) return true;
    if ((cnt & (cnt - 1)) == 0) { /* grows by doubling */
        struct data_gap *more = realloc(*gaps, (cnt == 0 ? 1 : cnt * 2) * sizeof *more);
        if (more == NULL) return false;
        *gaps = more;
    }
    (*gaps)[cnt] = gap;
    return true;
}

/* chain_broken tells whether the message that begins at row of t does not follow from the one whose
 * last update id is before. */
static bool chain_broken(const struct data_table *t, uint64_t row, int64_t before) {
    int64_t first = data_i64(t, row, DATA_DEPTH_FIRST), prev = data_i64(t, row, DATA_DEPTH_PREV);
    return prev != DATA_NOT_TOLD ? prev != before : first > before + 1;
}

/* message_flags sets or clears a flag of the message that begins at row: of its first row for a
 * gap, of all its rows for a snapshot. */
static void message_flags(struct data_table *t, uint64_t row, uint8_t clear) {
    uint8_t *flags = t->column[DATA_DEPTH_FLAGS];
    for (uint64_t i = row; i < t->cnt; i++) {
        flags[i] &= (uint8_t)~clear;
        if ((flags[i] & BOOK_FLAGS_LAST) != 0) break;
    }
}

uint64_t data_depth_gaps(struct data_table *t) {
    uint64_t gaps = 0;
    int64_t before = DATA_NOT_TOLD; /* last update of the message before */
    bool whole = false;             /* that was a snapshot */
    uint8_t *flags = t->column[DATA_DEPTH_FLAGS];
    for (uint64_t row = 0; row < t->cnt; row++) {
        flags[row] &= (uint8_t)~BOOK_FLAGS_GAP;
        if ((flags[row] & BOOK_FLAGS_FIRST) == 0) continue;
        const int64_t first = data_i64(t, row, DATA_DEPTH_FIRST);
        const int64_t last = data_i64(t, row, DATA_DEPTH_FINAL);
        const bool known = before != DATA_NOT_TOLD;
        const bool broken = known && (whole ? first > before + 1 : chain_broken(t, row, before));
        bool snapshot = (flags[row] & BOOK_FLAGS_SNAPSHOT) != 0;
        const bool diff = data_i64(t, row, DATA_DEPTH_PREV) != DATA_NOT_TOLD || first < last;
        if (snapshot && diff && known &&
            !broken) { /* a diff that stood for one follows after all */
            message_flags(t, row, BOOK_FLAGS_SNAPSHOT);
            snapshot = false;
        }
        if (!snapshot && broken) {
            flags[row] |= BOOK_FLAGS_GAP;
            gaps++;
        }
        before = last;
        whole = snapshot && !diff;
    }
    return gaps;
}

int64_t data_gaps(const struct data_table *t, struct data_gap **gaps, uint32_t max) {
    uint64_t cnt = 0;
    *gaps = NULL;
    const enum data_gap_rule rule = t->stream->gap;
    for (uint64_t row = 1; row < t->cnt && rule != DATA_GAP_NONE; row++) {
        int64_t from = data_time(t, row - 1), until = data_time(t, row);
        struct data_gap gap = { .from_ns = from, .until_ns = until };
        if (rule == DATA_GAP_GRID) {
            if (until - from < 2 * t->interval_ns) continue;
            gap.from_ns += t->interval_ns;
            gap.missing = (uint64_t)((until - from) / t->interval_ns) - 1;
        } else if (rule == DATA_GAP_ID) {
            int64_t a = data_i64(t, row - 1, DATA_TRADE_ID), b = data_i64(t, row, DATA_TRADE_ID);
            if (b <= a || b - a == 1) continue;
            gap.missing = (uint64_t)(b - a) - 1;
        } else if ((t->column[DATA_DEPTH_FLAGS][row] & BOOK_FLAGS_GAP) == 0) {
            continue;
        }
        if (!gap_add(gaps, cnt, max, gap)) return -ENOMEM;
        cnt++;
    }
    return (int64_t)cnt;
}

/* What a commit has in hand. */
struct work {
    struct data_commit *c;      /* what is asked */
    char dir[PATH_MAX];         /* of the set */
    int lock;                   /* the lock file, -1 = not held */
    bool there;                 /* the set was there before */
    struct data_store old;      /* the set as it is */
    uint32_t touch, touch_end;  /* old segments that are written anew */
    uint32_t number;            /* highest number of a file */
    struct data_segment *fresh; /* segments written */
    uint32_t fresh_cnt;         /* how many */
    struct data_gap *gaps;      /* gaps of the new set */
    int64_t gap_cnt;            /* how many there are, at most GAPS_MAX of them listed */
    char *notes;                /* rows that made way, as text */
    size_t notes_cnt;           /* its bytes */
    struct rt_error *err;       /* what went wrong */
};

/* work_fail fills err with a file's name and what the system says. */
static int work_fail(struct work *w, const char *path, int rc) {
    return rt_error_set(w->err, rc, "%s: %s", path, strerror(-rc));
}

/* dirs_make makes the directory path with all above it. */
static int dirs_make(struct work *w, const char *path) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *p = part + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        const char kept = *p;
        *p = '\0';
        int rc = rt_seam->mkdir(part, 0755);
        if (rc != 0 && rc != -EEXIST) return work_fail(w, part, rc);
        *p = kept;
        if (kept == '\0') return 0;
    }
}

/* dir_sync makes renames in path last. */
static int dir_sync(struct work *w, const char *path) {
    int fd = rt_seam->open(path, O_RDONLY | O_DIRECTORY, 0);
    int rc = fd < 0 ? fd : rt_seam->fsync(fd);
    if (fd >= 0) (void)rt_seam->close(fd);
    return rc == 0 ? 0 : work_fail(w, path, rc);
}

/* file_write writes bytes to name in the set by way of a file of another name, synced. */
static int file_write(struct work *w, const char *name, const void *bytes, size_t cnt) {
    char path[PATH_MAX + 40], early[PATH_MAX + 48];
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    snprintf(early, sizeof early, "%s.new", path);
    int fd = rt_seam->open(early, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return work_fail(w, early, fd);
    ssize_t done = rt_seam->pwrite(fd, bytes, cnt, 0);
    int rc = done < 0 ? (int)done : rt_seam->fsync(fd);
    int closed = rt_seam->close(fd);
    if (rc == 0) rc = closed;
    if (rc == 0) rc = rt_seam->rename(early, path);
    if (rc != 0) (void)rt_seam->unlink(early); /* a full disk is not to stay so for its sake */
    return rc == 0 ? 0 : work_fail(w, path, rc);
}

/* listed tells whether the old manifest names the file. */
static bool listed(const struct work *w, const char *name) {
    unsigned number = 0;
    if (strcmp(name, "manifest") == 0 || strcmp(name, "lock") == 0) return true;
    for (uint32_t i = 0; i < w->old.segment_cnt; i++) {
        if (strcmp(w->old.segments[i].name, name) == 0) return true;
    }
    if (sscanf(name, "import-%u.csv", &number) != 1) return false;
    for (uint32_t i = 0; i < w->old.import_cnt; i++) {
        if (w->old.imports[i].number == number) return true;
    }
    return false;
}

/* leftovers_remove removes what a commit that was killed left behind. */
static int leftovers_remove(struct work *w) {
    DIR *d = opendir(w->dir);
    if (d == NULL) return work_fail(w, w->dir, -errno);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[PATH_MAX + 300];
        if (e->d_name[0] == '.' || listed(w, e->d_name)) continue;
        snprintf(path, sizeof path, "%s/%s", w->dir, e->d_name);
        (void)rt_seam->unlink(path); /* in the way of nobody */
    }
    (void)closedir(d);
    return 0;
}

/* work_begin takes the lock and opens what is there. */
static int work_begin(struct work *w) {
    struct data_commit *c = w->c;
    char path[PATH_MAX + 16];
    int len = snprintf(w->dir, sizeof w->dir, "%s", c->dir);
    if (len >= PATH_MAX - DATA_STORE_NAME)
        return rt_error_set(w->err, -ENAMETOOLONG, "%.60s...: name too long", c->dir);
    int rc = dirs_make(w, w->dir);
    if (rc != 0) return rc;
    snprintf(path, sizeof path, "%s/lock", w->dir);
    w->lock = rt_seam->open(path, O_RDWR | O_CREAT, 0644);
    if (w->lock < 0) return work_fail(w, path, w->lock);
    if (flock(w->lock, LOCK_EX | LOCK_NB) != 0) {
        return rt_error_set(w->err, -EBUSY, "%s: another import or repair is at it", w->dir);
    }
    rc = data_store_open(w->dir, &w->old, w->err);
    w->there = rc == 0;
    if (rc == -ENOENT) rc = 0;
    if (rc != 0) return rc;
    if (w->there &&
        (w->old.set.stream != c->set.stream || w->old.set.interval_ns != c->set.interval_ns)) {
        return rt_error_set(w->err, -EBADMSG, "%s: holds another stream", w->dir);
    }
    w->number = w->old.number;
    return leftovers_remove(w);
}

/* touch_choose finds the old segments that the new rows fall into, or join. */
static void touch_choose(struct work *w) {
    const struct data_table *t = w->c->table;
    const struct data_store *old = &w->old;
    w->touch = 0;
    w->touch_end = old->segment_cnt;
    if (w->c->whole || t->cnt == 0) return;
    const int64_t first_ns = data_time(t, 0), last_ns = data_time(t, t->cnt - 1);
    while (w->touch < old->segment_cnt && old->segments[w->touch].last_ns < first_ns) w->touch++;
    while (w->touch_end > w->touch && old->segments[w->touch_end - 1].first_ns > last_ns)
        w->touch_end--;
    /* A segment before it that has room takes the rows in: days become one file. Chains of depth
     * are looked at across the seam. */
    if (w->touch > 0 && (old->segments[w->touch - 1].rows < DATA_STORE_SEGMENT / 2 ||
                         t->stream->gap == DATA_GAP_CHAIN)) {
        w->touch--;
    }
}

/* note_row adds a row that makes way or is left out to the notes. */
static int note_row(struct work *w, const char *what, const struct data_table *t, uint64_t row) {
    char line[700], text[40];
    size_t at = (size_t)snprintf(line, sizeof line, "%s,%" PRIu64 ",%s,,,,overlap,", what,
                                 t->line[row], data_time_text(data_time(t, row), text));
    for (uint32_t c = 0; c < t->stream->column_cnt; c++) {
        at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", c == 0 ? "" : ";",
                               data_table_text(t, row, c, text));
    }
    line[at++] = '\n';
    char *more = realloc(w->notes, w->notes_cnt + at);
    if (more == NULL) return rt_error_set(w->err, -ENOMEM, "no memory for notes");
    memcpy(more + w->notes_cnt, line, at);
    w->notes = more;
    w->notes_cnt += at;
    return 0;
}

/* row_meets decides about row i of fresh, whose time and key are those of row k of old. */
static int row_meets(struct work *w, struct data_table *old, uint64_t k,
                     const struct data_table *fresh, uint64_t i) {
    char when[40];
    struct data_commit *c = w->c;
    if (data_table_same(old, k, fresh, i)) {
        c->import.same++;
        return 0;
    }
    if (c->overlap == DATA_OVERLAP_REFUSE) {
        return rt_error_set(w->err, -EEXIST,
                            "%s:%" PRIu64 ": the store has another row of %s; "
                            "--overlap keep or replace decides",
                            c->import.source, fresh->line[i],
                            data_time_text(data_time(fresh, i), when));
    }
    if (c->overlap == DATA_OVERLAP_KEEP) {
        c->import.left_out++;
        return note_row(w, "left_out", fresh, i);
    }
    int rc = note_row(w, "replaced", old, k);
    data_table_copy(old, k, fresh, i);
    c->replaced++;
    return rc;
}

/* group_order puts the rows from..cnt of t, which are of one instant, in order of their numbers. */
static void group_order(struct data_table *t, uint64_t from) {
    struct data_table one;
    uint8_t value[DATA_STREAM_COLUMNS_MAX][8];
    uint64_t line = 0;
    data_table_init(&one, t->stream, t->interval_ns);
    one.line = &line;
    for (uint32_t c = 0; c < DATA_STREAM_COLUMNS_MAX; c++) one.column[c] = value[c];
    for (uint64_t i = from + 1; i < t->cnt; i++) {
        data_table_copy(&one, 0, t, i);
        const int64_t id = data_i64(&one, 0, DATA_TRADE_ID);
        uint64_t k = i;
        for (; k > from && data_i64(t, k - 1, DATA_TRADE_ID) > id; k--)
            data_table_copy(t, k, t, k - 1);
        data_table_copy(t, k, &one, 0);
    }
}

/* instant_merge adds all rows of one instant, old ones k..k_end and fresh ones i..i_end, to all. */
static int instant_merge(struct work *w, struct data_table *all, struct data_table *old, uint64_t k,
                         uint64_t k_end, const struct data_table *fresh, uint64_t i,
                         uint64_t i_end) {
    const uint64_t from = all->cnt, old_from = k;
    int rc = 0;
    for (; k < k_end; k++) data_table_copy(all, data_table_add(all, 0), old, k);
    for (; rc == 0 && i < i_end; i++) {
        uint64_t same = old_from;
        while (same < k_end && !data_table_same_key(old, same, fresh, i)) same++;
        if (same == k_end) {
            data_table_copy(all, data_table_add(all, 0), fresh, i);
            continue;
        }
        rc = row_meets(w, old, same, fresh, i);
        data_table_copy(all, from + (same - old_from), old, same); /* it may have made way */
    }
    if (all->stream->gap == DATA_GAP_ID) group_order(all, from);
    return rc;
}

/* instant_end returns the first row from from on that is of another instant. */
static uint64_t instant_end(const struct data_table *t, uint64_t from) {
    uint64_t row = from;
    while (row < t->cnt && data_time(t, row) == data_time(t, from)) row++;
    return row;
}

/* rows_merge makes the rows of the touched segments and the new ones one table, in c->table. */
static int rows_merge(struct work *w) {
    struct data_table *fresh = w->c->table, old, all;
    if (w->c->whole || w->touch == w->touch_end) return 0;
    data_table_init(&old, fresh->stream, fresh->interval_ns);
    data_table_init(&all, fresh->stream, fresh->interval_ns);
    const struct data_segment *first = &w->old.segments[w->touch];
    uint64_t cnt = 0, i = 0, k = 0;
    for (uint32_t n = w->touch; n < w->touch_end; n++) cnt += w->old.segments[n].rows;
    int rc = data_store_read(&w->old, first->row, cnt, &old, w->err);
    if (rc == 0) rc = data_table_reserve(&all, old.cnt + fresh->cnt, w->err);
    while (rc == 0 && (i < fresh->cnt || k < old.cnt)) {
        int64_t ns = INT64_MAX;
        if (i < fresh->cnt) ns = data_time(fresh, i);
        if (k < old.cnt && data_time(&old, k) < ns) ns = data_time(&old, k);
        uint64_t k_end = k < old.cnt && data_time(&old, k) == ns ? instant_end(&old, k) : k;
        uint64_t i_end = i < fresh->cnt && data_time(fresh, i) == ns ? instant_end(fresh, i) : i;
        rc = instant_merge(w, &all, &old, k, k_end, fresh, i, i_end);
        k = k_end;
        i = i_end;
    }
    data_table_fini(&old);
    if (rc != 0) {
        data_table_fini(&all);
        return rc;
    }
    data_table_fini(fresh);
    *fresh = all;
    return 0;
}

/* segment_write writes rows from..from+cnt of t as a segment. */
static int segment_write(struct work *w, const struct data_table *t, uint64_t from, uint64_t cnt) {
    const struct data_stream *s = t->stream;
    const uint32_t blocks = (uint32_t)((cnt + DATA_STORE_BLOCK - 1) / DATA_STORE_BLOCK);
    uint64_t at = DATA_STORE_PAGE + blocks * sizeof(struct data_store_entry), row_bytes = 0;
    at = (at + DATA_STORE_PAGE - 1) & ~(uint64_t)(DATA_STORE_PAGE - 1);
    for (uint32_t c = 0; c < s->column_cnt; c++) row_bytes += data_type_bytes(s->columns[c].type);
    const size_t room = at + cnt * row_bytes + (size_t)blocks * s->column_cnt * 64;
    uint8_t *bytes = calloc(1, room);
    if (bytes == NULL) return rt_error_set(w->err, -ENOMEM, "no memory for a segment");
    struct data_store_entry *index = (void *)(bytes + DATA_STORE_PAGE);
    for (uint32_t b = 0; b < blocks; b++) {
        const uint64_t row = from + (uint64_t)b * DATA_STORE_BLOCK, left = from + cnt - row;
        const uint32_t rows = left < DATA_STORE_BLOCK ? (uint32_t)left : DATA_STORE_BLOCK;
        index[b] = (struct data_store_entry){ .first_ns = data_time(t, row),
                                              .last_ns = data_time(t, row + rows - 1),
                                              .at = at,
                                              .rows = rows };
        for (uint32_t c = 0; c < s->column_cnt; c++) {
            const size_t width = data_type_bytes(s->columns[c].type);
            memcpy(bytes + at, t->column[c] + row * width, rows * width);
            index[b].crc[c] = rt_crc32c(bytes + at, rows * width);
            at += (rows * width + 63) & ~63ULL;
        }
    }
    assert(at <= room);
    struct data_store_head h = { .magic = { 'S', 'H', 'R', 'I', 'K', 'E', 'C', '\n' },
                                 .version = DATA_STORE_VERSION,
                                 .stream = s->number,
                                 .column_cnt = s->column_cnt,
                                 .block_cnt = blocks,
                                 .interval_ns = t->interval_ns,
                                 .rows = cnt,
                                 .first_ns = data_time(t, from),
                                 .last_ns = data_time(t, from + cnt - 1),
                                 .bytes = at };
    h.index_crc = rt_crc32c(index, blocks * sizeof *index);
    h.crc = rt_crc32c(&h, offsetof(struct data_store_head, crc));
    memcpy(bytes, &h, sizeof h);
    struct data_segment *g = &w->fresh[w->fresh_cnt];
    *g = (struct data_segment){
        .rows = cnt, .first_ns = h.first_ns, .last_ns = h.last_ns, .bytes = at, .head_crc = h.crc
    };
    snprintf(g->name, sizeof g->name, "%06" PRIu32 ".col", ++w->number);
    int rc = file_write(w, g->name, bytes, at);
    free(bytes);
    if (rc == 0) w->fresh_cnt++;
    return rc;
}

/* segments_write writes the merged rows as segments. */
static int segments_write(struct work *w) {
    const struct data_table *t = w->c->table;
    w->fresh = calloc(t->cnt / DATA_STORE_SEGMENT + 1, sizeof *w->fresh);
    if (w->fresh == NULL) return rt_error_set(w->err, -ENOMEM, "no memory");
    int rc = 0;
    for (uint64_t from = 0; rc == 0 && from < t->cnt; from += DATA_STORE_SEGMENT) {
        uint64_t left = t->cnt - from;
        rc = segment_write(w, t, from, left < DATA_STORE_SEGMENT ? left : DATA_STORE_SEGMENT);
    }
    return rc;
}

/* gaps_keep adds the old gaps that lie in from_ns..until_ns to the new list. */
static int gaps_keep(struct work *w, int64_t from_ns, int64_t until_ns) {
    for (uint32_t i = 0; i < w->old.gap_cnt; i++) {
        const struct data_gap *g = &w->old.gaps[i];
        if (g->from_ns < from_ns || g->until_ns > until_ns) continue;
        if (!gap_add(&w->gaps, (uint64_t)w->gap_cnt, GAPS_MAX, *g))
            return rt_error_set(w->err, -ENOMEM, "no memory for gaps");
        w->gap_cnt++;
    }
    return 0;
}

/* gaps_add adds the gaps of t to the new list. */
static int gaps_add(struct work *w, const struct data_table *t) {
    struct data_gap *found = NULL;
    bool fine = true;
    int64_t cnt = data_gaps(t, &found, GAPS_MAX);
    for (int64_t i = 0; i < cnt && i < GAPS_MAX; i++) {
        fine = fine && gap_add(&w->gaps, (uint64_t)w->gap_cnt, GAPS_MAX, found[i]);
        w->gap_cnt++;
    }
    free(found);
    return fine && cnt >= 0 ? 0 : rt_error_set(w->err, -ENOMEM, "no memory for gaps");
}

/* seam_gap adds the gap between old row number old_row and the given row of the new ones, which
 * stand side by side; before tells that the old one comes first. */
static int seam_gap(struct work *w, uint64_t old_row, uint64_t row, bool before) {
    struct data_table two;
    data_table_init(&two, w->c->table->stream, w->c->table->interval_ns);
    int rc = data_table_reserve(&two, 3, w->err);
    if (rc == 0 && !before) data_table_copy(&two, data_table_add(&two, 0), w->c->table, row);
    if (rc == 0) rc = data_store_read(&w->old, old_row, 1, &two, w->err);
    if (rc == 0 && before) data_table_copy(&two, data_table_add(&two, 0), w->c->table, row);
    if (rc == 0) rc = gaps_add(w, &two);
    data_table_fini(&two);
    return rc;
}

/* gaps_make lists the gaps of the new set: those of segments that stay, of the fresh ones, and of
 * the seams between them. */
static int gaps_make(struct work *w) {
    const struct data_table *t = w->c->table;
    const struct data_segment *before = w->touch > 0 ? &w->old.segments[w->touch - 1] : NULL;
    const struct data_segment *after =
        w->touch_end < w->old.segment_cnt ? &w->old.segments[w->touch_end] : NULL;
    int rc = 0;
    if (before != NULL) rc = gaps_keep(w, INT64_MIN, before->last_ns);
    if (rc == 0 && before != NULL && t->cnt > 0)
        rc = seam_gap(w, before->row + before->rows - 1, 0, true);
    if (rc == 0) rc = gaps_add(w, t);
    if (rc == 0 && after != NULL && t->cnt > 0) rc = seam_gap(w, after->row, t->cnt - 1, false);
    if (rc == 0 && after != NULL) rc = gaps_keep(w, after->first_ns, INT64_MAX);
    return rc;
}

/* segment_print writes a segment's line. */
static void segment_print(FILE *f, const struct data_segment *g) {
    fprintf(f, "segment %s %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 " %08" PRIx32 "\n",
            g->name, g->rows, g->first_ns, g->last_ns, g->bytes, g->head_crc);
}

/* import_print writes an import's line; control characters of the name become '?'. */
static void import_print(FILE *f, const struct data_import *i) {
    fprintf(f,
            "import %" PRIu32 " %" PRId64 " %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
            " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " ",
            i->number, i->time_ns, i->tool, i->hash, i->first_line, i->last_line, i->rows, i->same,
            i->left_out, i->repaired, i->first_ns, i->last_ns);
    for (const char *p = i->source; *p != '\0'; p++) fputc((unsigned char)*p < 32 ? '?' : *p, f);
    fputc('\n', f);
}

/* manifest_write writes the new manifest: from here on the set is the new one. */
static int manifest_write(struct work *w) {
    char *text = NULL;
    size_t cnt = 0;
    const struct data_store *old = &w->old;
    const struct data_set *set = &w->c->set;
    FILE *f = open_memstream(&text, &cnt);
    if (f == NULL) return rt_error_set(w->err, -ENOMEM, "no memory for the manifest");
    fprintf(f, "shrike store 1\nset %s %s %s %" PRId64 " %" PRIu32 "\n", set->venue, set->symbol,
            set->stream->name, set->interval_ns, w->number);
    for (uint32_t i = 0; i < old->import_cnt; i++) import_print(f, &old->imports[i]);
    import_print(f, &w->c->import);
    for (uint32_t i = 0; i < w->touch; i++) segment_print(f, &old->segments[i]);
    for (uint32_t i = 0; i < w->fresh_cnt; i++) segment_print(f, &w->fresh[i]);
    for (uint32_t i = w->touch_end; i < old->segment_cnt; i++) segment_print(f, &old->segments[i]);
    for (int64_t i = 0; i < w->gap_cnt && i < GAPS_MAX; i++) {
        const struct data_gap *g = &w->gaps[i];
        fprintf(f, "gap %" PRId64 " %" PRId64 " %" PRIu64 "\n", g->from_ns, g->until_ns,
                g->missing);
    }
    (void)fflush(f);
    fprintf(f, "end %08" PRIx32 "\n", rt_crc32c(text, cnt));
    if (fclose(f) != 0) {
        free(text);
        return rt_error_set(w->err, -ENOMEM, "no memory for the manifest");
    }
    int rc = file_write(w, "manifest", text, cnt);
    free(text);
    return rc;
}

/* notes_write writes import-NUMBER.csv when there is something to keep. */
static int notes_write(struct work *w) {
    const struct data_commit *c = w->c;
    const char *name = "what,line,time,field,before,after,rule,text\n";
    char file[40];
    const size_t head = c->notes == NULL ? strlen(name) : c->notes_cnt;
    if (c->notes == NULL && w->notes == NULL) return 0;
    char *all = malloc(head + w->notes_cnt);
    if (all == NULL) return rt_error_set(w->err, -ENOMEM, "no memory for notes");
    memcpy(all, c->notes == NULL ? name : c->notes, head);
    if (w->notes_cnt > 0) memcpy(all + head, w->notes, w->notes_cnt);
    snprintf(file, sizeof file, "import-%" PRIu32 ".csv", c->import.number);
    int rc = file_write(w, file, all, head + w->notes_cnt);
    free(all);
    return rc;
}

/* old_remove removes the segments that made way. Readers that have mapped them keep them. */
static void old_remove(struct work *w) {
    for (uint32_t i = w->touch; i < w->touch_end; i++) {
        char path[PATH_MAX + 40];
        snprintf(path, sizeof path, "%s/%s", w->dir, w->old.segments[i].name);
        (void)rt_seam->unlink(path); /* the next commit tries again */
    }
}

/* work_do is the commit between lock and unlock. */
static int work_do(struct work *w) {
    struct data_commit *c = w->c;
    struct data_table *t = c->table;
    int rc = work_begin(w);
    if (rc != 0) return rc;
    const uint64_t given = t->cnt;
    if (given > 0) {
        c->import.first_ns = data_time(t, 0);
        c->import.last_ns = data_time(t, given - 1);
    }
    touch_choose(w);
    c->import.same = c->replaced = 0;
    rc = rows_merge(w);
    if (rc != 0) return rc;
    c->import.number = w->old.import_cnt > 0 ? w->old.imports[w->old.import_cnt - 1].number + 1 : 1;
    c->import.time_ns = c->now_ns;
    c->import.rows = given - c->import.same;
    if (t->stream->gap == DATA_GAP_CHAIN) (void)data_depth_gaps(t);
    if (w->there && !c->whole && c->import.rows == 0) return 0; /* nothing new, nothing to write */
    rc = segments_write(w);
    if (rc == 0) rc = gaps_make(w);
    if (rc == 0) rc = notes_write(w);
    if (rc == 0) rc = dir_sync(w, w->dir);
    if (rc == 0) rc = manifest_write(w);
    if (rc == 0) rc = dir_sync(w, w->dir);
    if (rc == 0) old_remove(w);
    return rc;
}

int data_commit(struct data_commit *c, struct rt_error *err) {
    struct work w = { .c = c, .lock = -1, .err = err };
    for (uint64_t i = 1; i < c->table->cnt; i++)
        assert(data_time(c->table, i) >= data_time(c->table, i - 1));
    int rc = work_do(&w);
    data_store_close(&w.old);
    free(w.fresh);
    free(w.gaps);
    free(w.notes);
    if (w.lock >= 0) (void)rt_seam->close(w.lock);
    return rc;
}
