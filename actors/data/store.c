#include "actors/data/store.h"
#include "actors/data/file.h"
#include "actors/data/scan.h"
#include "runtime/base/crc32c.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(struct data_store_entry) == 32 + 4 * DATA_STREAM_COLUMNS_MAX,
               "written as it lies");
_Static_assert(sizeof(struct data_store_head) == 72, "written as it lies");

enum {
    MANIFEST_MAX = 64 << 20, /* bytes of a manifest that is read */
    TILE = 64,               /* rows turned at once: they stay in the first cache */
};

bool data_set_name_ok(const char *name) {
    size_t cnt = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    return cnt > 0 && cnt < DATA_STORE_NAME && name[cnt] == '\0' && name[0] != '.';
}

int data_set_dir(const char *root, const struct data_set *set, char out[PATH_MAX],
                 struct rt_error *err) {
    char span[40];
    int len = snprintf(out, PATH_MAX, "%s/%s/%s/%s%s%s", root, set->venue, set->symbol,
                       set->stream->name, set->interval_ns > 0 ? "-" : "",
                       set->interval_ns > 0 ? data_span_text(set->interval_ns, span) : "");
    if (len > 0 && len < PATH_MAX - DATA_STORE_NAME) return 0;
    return rt_error_set(err, -ENAMETOOLONG, "%.60s...: name too long", root);
}

/* A manifest being read. */
struct manifest {
    const char *name;     /* for errors */
    const char *at, *end; /* what is left of it */
    uint64_t line;        /* lines read */
    char text[600];       /* the line in hand */
    struct rt_error *err; /* what was wrong */
};

/* manifest_bad says that the line in hand is not as it should be. */
static int manifest_bad(struct manifest *m, const char *what) {
    return rt_error_set(m->err, -EBADMSG, "%s:%" PRIu64 ": %s", m->name, m->line, what);
}

/* manifest_line takes the next line; false at the end. */
static bool manifest_line(struct manifest *m) {
    if (m->at >= m->end) return false;
    const char *line = m->at, *stop = memchr(line, '\n', (size_t)(m->end - line));
    size_t cnt = (size_t)((stop == NULL ? m->end : stop) - line);
    m->at = stop == NULL ? m->end : stop + 1;
    m->line++;
    if (cnt >= sizeof m->text) cnt = sizeof m->text - 1; /* cannot be: we write no longer ones */
    memcpy(m->text, line, cnt);
    m->text[cnt] = '\0';
    return true;
}

/* segment_line reads "segment NAME ROWS FIRST LAST BYTES CRC". */
static int segment_line(struct manifest *m, struct data_store *s) {
    struct data_segment g = { 0 };
    int used = 0;
    if (sscanf(m->text,
               "segment %31s %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64 " %" SCNx32 "%n", g.name,
               &g.rows, &g.first_ns, &g.last_ns, &g.bytes, &g.head_crc, &used) != 6 ||
        m->text[used] != '\0') {
        return manifest_bad(m, "no segment's line");
    }
    const struct data_segment *before =
        s->segment_cnt > 0 ? &s->segments[s->segment_cnt - 1] : NULL;
    if (!data_set_name_ok(g.name) || g.rows == 0 || g.rows > DATA_STORE_SEGMENT ||
        g.last_ns < g.first_ns || (before != NULL && before->last_ns > g.first_ns)) {
        return manifest_bad(m, "a segment that makes no sense");
    }
    g.row = s->rows;
    s->rows += g.rows;
    s->segments[s->segment_cnt++] = g;
    return 0;
}

/* import_line reads "import NUMBER TIME TOOL HASH FIRST LAST ROWS SAME OUT REPAIRED FROM TO NAME".
 */
static int import_line(struct manifest *m, struct data_store *s) {
    struct data_import i = { 0 };
    int used = 0;
    if (sscanf(m->text,
               "import %" SCNu32 " %" SCNd64 " %31s %64s %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %n",
               &i.number, &i.time_ns, i.tool, i.hash, &i.first_line, &i.last_line, &i.rows, &i.same,
               &i.left_out, &i.repaired, &i.first_ns, &i.last_ns, &used) != 12 ||
        used == 0) {
        return manifest_bad(m, "no import's line");
    }
    snprintf(i.source, sizeof i.source, "%s", m->text + used);
    s->imports[s->import_cnt++] = i;
    return 0;
}

/* gap_line reads "gap FROM UNTIL MISSING". */
static int gap_line(struct manifest *m, struct data_store *s) {
    struct data_gap g = { 0 };
    int used = 0;
    if (sscanf(m->text, "gap %" SCNd64 " %" SCNd64 " %" SCNu64 "%n", &g.from_ns, &g.until_ns,
               &g.missing, &used) != 3 ||
        m->text[used] != '\0') {
        return manifest_bad(m, "no gap's line");
    }
    s->gaps[s->gap_cnt++] = g;
    return 0;
}

/* set_line reads "set VENUE SYMBOL STREAM INTERVAL". */
static int set_line(struct manifest *m, struct data_store *s) {
    char stream[DATA_STORE_NAME];
    int used = 0;
    if (sscanf(m->text, "set %31s %31s %31s %" SCNd64 " %" SCNu32 "%n", s->set.venue, s->set.symbol,
               stream, &s->set.interval_ns, &s->number, &used) != 5 ||
        m->text[used] != '\0' || !data_set_name_ok(s->set.venue) ||
        !data_set_name_ok(s->set.symbol)) {
        return manifest_bad(m, "no set's line");
    }
    s->set.stream = data_stream_find(stream);
    if (s->set.stream == NULL) return manifest_bad(m, "a stream this program does not know");
    if (s->set.stream->interval != (s->set.interval_ns > 0) || s->set.interval_ns < 0 ||
        s->set.interval_ns > INT64_MAX / 4) {
        return manifest_bad(m, "an interval that makes no sense");
    }
    return 0;
}

int data_store_parse(const char *name, const char *text, size_t cnt, struct data_store *s,
                     struct rt_error *err) {
    struct manifest m = { .name = name, .at = text, .end = text + cnt, .err = err };
    size_t lines = 1, len = 0;
    for (size_t i = 0; i < cnt; i++) lines += text[i] == '\n';
    uint32_t crc = 0;
    if (cnt < 14 || sscanf(text + cnt - 13, "end %8" SCNx32, &crc) != 1 || text[cnt - 14] != '\n' ||
        crc != rt_crc32c(text, cnt - 13)) {
        return rt_error_set(err, -EBADMSG, "%s: damaged: its sum is wrong", name);
    }
    m.end = text + cnt - 13;
    if (!manifest_line(&m) || strcmp(m.text, "shrike store 1") != 0) {
        return rt_error_set(err, -EBADMSG, "%s:1: not \"shrike store 1\"; another version?", name);
    }
    if (!manifest_line(&m)) return manifest_bad(&m, "it ends too early");
    int rc = set_line(&m, s);
    if (rc != 0) return rc;
    s->segments = calloc(lines, sizeof *s->segments);
    s->imports = calloc(lines, sizeof *s->imports);
    s->gaps = calloc(lines, sizeof *s->gaps);
    if (s->segments == NULL || s->imports == NULL || s->gaps == NULL) {
        return rt_error_set(err, -ENOMEM, "%s: no memory", name);
    }
    while (rc == 0 && manifest_line(&m)) {
        len = strcspn(m.text, " ");
        rc = len == 7 && memcmp(m.text, "segment", 7) == 0  ? segment_line(&m, s)
             : len == 6 && memcmp(m.text, "import", 6) == 0 ? import_line(&m, s)
             : len == 3 && memcmp(m.text, "gap", 3) == 0    ? gap_line(&m, s)
                                                            : manifest_bad(&m, "an unknown line");
    }
    return rc;
}

int data_store_open(const char *dir, struct data_store *s, struct rt_error *err) {
    *s = (struct data_store){ 0 };
    char path[PATH_MAX + 16];
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    snprintf(path, sizeof path, "%s/manifest", dir);
    FILE *f = fopen(path, "re");
    if (f == NULL) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    struct stat st;
    char *text = NULL;
    int rc = 0;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MANIFEST_MAX) {
        rc = rt_error_set(err, -EBADMSG, "%s: no manifest of a store", path);
    } else if ((text = malloc((size_t)st.st_size + 1)) == NULL) {
        rc = rt_error_set(err, -ENOMEM, "%s: no memory", path);
    } else {
        rc = data_store_parse(path, text, fread(text, 1, (size_t)st.st_size, f), s, err);
    }
    (void)fclose(f);
    free(text);
    if (rc != 0) data_store_close(s);
    return rc;
}

void data_store_close(struct data_store *s) {
    for (uint32_t i = 0; s->segments != NULL && i < s->segment_cnt; i++) {
        struct data_segment *g = &s->segments[i];
        if (g->map != NULL) (void)munmap((void *)(uintptr_t)g->map, g->bytes);
    }
    free(s->segments);
    free(s->imports);
    free(s->gaps);
    s->segments = NULL;
    s->imports = NULL;
    s->gaps = NULL;
    s->segment_cnt = s->import_cnt = s->gap_cnt = 0;
    s->rows = 0;
}

/* column_at returns the offset of a column in a block of rows rows; of column_cnt the block's end.
 */
static uint64_t column_at(const struct data_stream *s, uint32_t rows, uint32_t column) {
    uint64_t at = 0;
    for (uint32_t c = 0; c < column; c++) {
        at += (rows * data_type_bytes(s->columns[c].type) + 63) & ~63ULL;
    }
    return at;
}

/* index_bad tells what is wrong with the index of a segment, NULL when nothing is. */
static const char *index_bad(const struct data_store_head *h, const struct data_store_entry *index,
                             const struct data_stream *s) {
    uint64_t at = DATA_STORE_PAGE + h->block_cnt * sizeof *index, rows = 0;
    at = (at + DATA_STORE_PAGE - 1) & ~(uint64_t)(DATA_STORE_PAGE - 1);
    for (uint32_t b = 0; b < h->block_cnt; b++) {
        const struct data_store_entry *e = &index[b];
        if (e->at != at || e->rows == 0 || e->rows > DATA_STORE_BLOCK ||
            (e->rows < DATA_STORE_BLOCK && b + 1 < h->block_cnt)) {
            return "a block is not where it should be";
        }
        if (e->last_ns < e->first_ns || (b > 0 && e->first_ns < index[b - 1].last_ns)) {
            return "its blocks are out of order";
        }
        at += column_at(s, e->rows, h->column_cnt);
        rows += e->rows;
    }
    if (at != h->bytes || rows != h->rows) return "its blocks do not fill it";
    if (index[0].first_ns != h->first_ns || index[h->block_cnt - 1].last_ns != h->last_ns) {
        return "its times are not those of its blocks";
    }
    return NULL;
}

int data_segment_check(const char *name, const uint8_t *map, size_t cnt, const struct data_set *set,
                       struct data_segment *g, struct rt_error *err) {
    struct data_store_head h;
    if (cnt < DATA_STORE_PAGE) return rt_error_set(err, -EBADMSG, "%s: too short", name);
    memcpy(&h, map, sizeof h);
    if (memcmp(h.magic, "SHRIKEC\n", 8) != 0) {
        return rt_error_set(err, -EBADMSG, "%s: not a segment of a store", name);
    }
    if (h.version != DATA_STORE_VERSION) {
        return rt_error_set(err, -EBADMSG, "%s: version %" PRIu32 "; this program reads %d", name,
                            h.version, DATA_STORE_VERSION);
    }
    if (h.crc != rt_crc32c(&h, offsetof(struct data_store_head, crc))) {
        return rt_error_set(err, -EBADMSG, "%s: damaged head", name);
    }
    if (h.stream != set->stream->number || h.interval_ns != set->interval_ns) {
        return rt_error_set(err, -EBADMSG, "%s: of another stream", name);
    }
    if (h.bytes != cnt || h.block_cnt == 0 || h.column_cnt == 0 ||
        h.column_cnt > set->stream->column_cnt ||
        h.block_cnt > (cnt - DATA_STORE_PAGE) / sizeof(struct data_store_entry)) {
        return rt_error_set(err, -EBADMSG, "%s: its size is not what its head says", name);
    }
    const struct data_store_entry *index = (const void *)(map + DATA_STORE_PAGE);
    if (h.index_crc != rt_crc32c(index, h.block_cnt * sizeof *index)) {
        return rt_error_set(err, -EBADMSG, "%s: damaged index", name);
    }
    const char *bad = index_bad(&h, index, set->stream);
    if (bad != NULL) return rt_error_set(err, -EBADMSG, "%s: %s", name, bad);
    g->map = map;
    g->bytes = h.bytes;
    g->index = index;
    g->block_cnt = h.block_cnt;
    g->column_cnt = h.column_cnt;
    g->head_crc = h.crc;
    g->rows = h.rows;
    g->first_ns = h.first_ns;
    g->last_ns = h.last_ns;
    return 0;
}

int data_segment_use(struct data_store *s, uint32_t idx, struct rt_error *err) {
    struct data_segment *g = &s->segments[idx];
    if (g->map != NULL) return 0;
    char path[PATH_MAX + DATA_STORE_NAME];
    snprintf(path, sizeof path, "%s/%s", s->dir, g->name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || (uint64_t)st.st_size != g->bytes || st.st_size == 0) {
        (void)close(fd);
        return rt_error_set(err, -EBADMSG, "%s: %" PRIu64 " bytes expected, as the manifest says",
                            path, g->bytes);
    }
    void *map = mmap(NULL, g->bytes, PROT_READ, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (map == MAP_FAILED) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    struct data_segment found = *g;
    int rc = data_segment_check(path, map, g->bytes, &s->set, &found, err);
    if (rc == 0 && (found.head_crc != g->head_crc || found.rows != g->rows)) {
        rc = rt_error_set(err, -EBADMSG, "%s: not the segment that the manifest lists", path);
    }
    if (rc != 0) {
        (void)munmap(map, g->bytes);
        return rc;
    }
    *g = found;
    return 0;
}

const uint8_t *data_block_column(const struct data_store *s, const struct data_segment *g,
                                 uint32_t block, uint32_t column) {
    if (column >= g->column_cnt) return NULL;
    const struct data_store_entry *e = &g->index[block];
    return g->map + e->at + column_at(s->set.stream, e->rows, column);
}

int data_block_check(const struct data_store *s, const struct data_segment *g, uint32_t block,
                     uint32_t mask, struct rt_error *err) {
    const struct data_store_entry *e = &g->index[block];
    for (uint32_t c = 0; c < g->column_cnt; c++) {
        if ((mask >> c & 1) == 0) continue;
        const struct data_column *column = &s->set.stream->columns[c];
        const uint8_t *at = data_block_column(s, g, block, c);
        if (rt_crc32c(at, e->rows * data_type_bytes(column->type)) == e->crc[c]) continue;
        return rt_error_set(err, -EBADMSG, "%s/%s: block %" PRIu32 ": column %s is damaged", s->dir,
                            g->name, block, column->name);
    }
    return 0;
}

int data_store_find(struct data_store *s, uint64_t row, uint32_t *segment, uint32_t *block,
                    uint32_t *within, struct rt_error *err) {
    assert(row < s->rows);
    uint32_t low = 0, high = s->segment_cnt;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (s->segments[mid].row <= row) {
            low = mid;
        } else {
            high = mid;
        }
    }
    int rc = data_segment_use(s, low, err);
    if (rc != 0) return rc;
    const uint64_t rest = row - s->segments[low].row;
    *segment = low;
    *block = (uint32_t)(rest / DATA_STORE_BLOCK);
    *within = (uint32_t)(rest % DATA_STORE_BLOCK);
    return 0;
}

int64_t data_store_row_of(struct data_store *s, int64_t ns, struct rt_error *err) {
    uint32_t idx = 0;
    while (idx < s->segment_cnt && s->segments[idx].last_ns < ns) idx++;
    if (idx == s->segment_cnt) return (int64_t)s->rows;
    int rc = data_segment_use(s, idx, err);
    if (rc != 0) return rc;
    const struct data_segment *g = &s->segments[idx];
    uint32_t low = 0, high = g->block_cnt;
    while (low < high) { /* the first block that ends at or after ns */
        uint32_t mid = low + (high - low) / 2;
        if (g->index[mid].last_ns < ns) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    assert(low < g->block_cnt);
    const uint8_t *times = data_block_column(s, g, low, 0);
    rc = data_block_check(s, g, low, 1, err);
    if (rc != 0) return rc;
    uint32_t from = 0, until = g->index[low].rows;
    while (from < until) {
        uint32_t mid = from + (until - from) / 2;
        int64_t at;
        memcpy(&at, times + (size_t)mid * 8, 8);
        if (at < ns) {
            from = mid + 1;
        } else {
            until = mid;
        }
    }
    return (int64_t)(g->row + (uint64_t)low * DATA_STORE_BLOCK + from);
}

int data_store_read(struct data_store *s, uint64_t first, uint64_t cnt, struct data_table *t,
                    struct rt_error *err) {
    int rc = data_table_reserve(t, cnt, err);
    while (rc == 0 && cnt > 0) {
        uint32_t segment = 0, block = 0, within = 0;
        rc = data_store_find(s, first, &segment, &block, &within, err);
        if (rc != 0) break;
        const struct data_segment *g = &s->segments[segment];
        rc = data_block_check(s, g, block, UINT32_MAX, err);
        if (rc != 0) break;
        uint64_t more = g->index[block].rows - within, at = t->cnt;
        if (more > cnt) more = cnt;
        for (uint64_t i = 0; i < more; i++) (void)data_table_add(t, 0);
        for (uint32_t c = 0; c < g->column_cnt; c++) {
            const size_t width = data_type_bytes(s->set.stream->columns[c].type);
            memcpy(t->column[c] + at * width, data_block_column(s, g, block, c) + within * width,
                   more * width);
        }
        first += more;
        cnt -= more;
    }
    return rc;
}

uint32_t data_row_mask(const struct data_stream *s) {
    uint32_t mask = 0;
    for (uint32_t c = 0; c < s->column_cnt; c++) mask |= (uint32_t)(s->columns[c].row_at >= 0) << c;
    return mask;
}

/* row_words copies a row, which is whole words. */
static inline __attribute__((always_inline)) void row_words(uint8_t *to, const void *from,
                                                            size_t bytes) {
    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t v;
        memcpy(&v, (const uint8_t *)from + i, 8);
        memcpy(to + i, &v, 8);
    }
}

/* column_words spreads cnt values of 8 bytes over rows; those not told become 0 when some may be.
 */
static inline __attribute__((always_inline)) void
column_words(const uint8_t *from, uint32_t cnt, uint8_t *to, size_t row_bytes, bool some) {
    for (uint32_t i = 0; i < cnt; i++, to += row_bytes) {
        int64_t v;
        memcpy(&v, from + (size_t)i * 8, 8);
        if (some && v == DATA_NOT_TOLD) v = 0;
        memcpy(to, &v, 8);
    }
}

/* column_reals is column_words for doubles of which some may not be told. */
static void column_reals(const uint8_t *from, uint32_t cnt, uint8_t *to, size_t row_bytes) {
    for (uint32_t i = 0; i < cnt; i++, to += row_bytes) {
        double v;
        memcpy(&v, from + (size_t)i * 8, 8);
        if (v != v) v = 0;
        memcpy(to, &v, 8);
    }
}

void data_rows_decode(const struct data_store *s, const struct data_segment *g, uint32_t block,
                      uint32_t from, uint32_t cnt, const void *pattern, uint8_t *rows) {
    const struct data_stream *stream = s->set.stream;
    const size_t row_bytes = stream->row_bytes;
    const uint8_t *columns[DATA_STREAM_COLUMNS_MAX];
    for (uint32_t c = 0; c < stream->column_cnt; c++)
        columns[c] = data_block_column(s, g, block, c);
    for (uint32_t done = 0; done < cnt; done += TILE) {
        const uint32_t n = cnt - done < TILE ? cnt - done : TILE;
        uint8_t *tile = rows + done * row_bytes;
        for (uint32_t i = 0; i < n; i++) row_words(tile + i * row_bytes, pattern, row_bytes);
        for (uint32_t c = 0; c < stream->column_cnt; c++) {
            const struct data_column *column = &stream->columns[c];
            if (column->row_at < 0 || columns[c] == NULL) continue;
            const size_t width = data_type_bytes(column->type);
            const uint8_t *at = columns[c] + (from + done) * width;
            uint8_t *to = tile + column->row_at;
            if (width == 8 && column->required) {
                column_words(at, n, to, row_bytes, false);
            } else if (column->type == DATA_REAL) {
                column_reals(at, n, to, row_bytes);
            } else if (width == 8) {
                column_words(at, n, to, row_bytes, true);
            } else if (width == 4) {
                for (uint32_t i = 0; i < n; i++) memcpy(to + i * row_bytes, at + i * 4, 4);
            } else {
                for (uint32_t i = 0; i < n; i++) to[i * row_bytes] = at[i];
            }
        }
    }
}
