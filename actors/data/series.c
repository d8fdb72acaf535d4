#include "actors/data/series.h"
#include "actors/data/file.h"
#include "actors/data/scan.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_TEXT_MAX = 1024 /* longest name of a file in the configuration */ };

/* file_there refuses the file named path of node n when it cannot be read, naming the place that
 * asks for it. */
static int file_there(const struct rt_source_init *init, const struct rt_node *n, const char *path,
                      struct rt_error *err) {
    char full[PATH_MAX];
    bool relative = path[0] != '/' && init->base_dir != NULL && init->base_dir[0] != '\0';
    int len = snprintf(full, sizeof full, "%s%s%s", relative ? init->base_dir : "",
                       relative ? "/" : "", path);
    if (len < 0 || (size_t)len >= sizeof full) return rt_node_fail(n, err, "the path is too long");
    if (access(full, R_OK) == 0) return 0;
    return rt_node_fail(n, err, "cannot read %s: %s; expected a file", path, strerror(errno));
}

int data_spec_read(struct rt_source_init *init, struct data_spec *spec, struct rt_error *err) {
    *spec = (struct data_spec){ 0 };
    const char *name = NULL;
    (void)rt_node_get(init->config, "kind");
    int rc = rt_node_text(init->config, "instrument", true, 31, NULL, &name, err);
    if (rc != 0) return rc;
    spec->instrument = mk_instrument_find(init->world, name);
    if (spec->instrument == NULL) {
        return rt_node_fail(rt_node_get(init->config, "instrument"), err,
                            "\"%s\" is not one of instruments:", name);
    }
    rc = rt_node_text(init->config, "file", false, PATH_TEXT_MAX, NULL, &spec->file, err);
    if (rc != 0) return rc;
    rc = rt_node_list(init->config, "files", false, &spec->list, err);
    if (rc != 0) return rc;
    if ((spec->file == NULL) == (spec->list == NULL)) {
        return rt_node_fail(init->config, err, "expected either file: or files:");
    }
    spec->file_cnt = spec->file != NULL ? 1 : spec->list->child_cnt;
    if (spec->file_cnt == 0 || spec->file_cnt > DATA_FILES_MAX) {
        return rt_node_fail(spec->list, err, "%u files; expected 1..%d", spec->file_cnt,
                            DATA_FILES_MAX);
    }
    struct rt_node *n = spec->list == NULL ? NULL : spec->list->child;
    for (; n != NULL; n = n->next) {
        if (n->kind != RT_NODE_SCALAR || n->text[0] == '\0' || strlen(n->text) > PATH_TEXT_MAX) {
            return rt_node_fail(n, err, "expected the path of a file");
        }
    }
    return 0;
}

int data_spec_files(struct rt_source_init *init, const struct data_spec *spec,
                    struct rt_error *err) {
    if (spec->file != NULL)
        return file_there(init, rt_node_get(init->config, "file"), spec->file, err);
    int rc = 0;
    for (const struct rt_node *n = spec->list->child; rc == 0 && n != NULL; n = n->next)
        rc = file_there(init, n, n->text, err);
    return rc;
}

const char *data_spec_file(const struct data_spec *spec, uint32_t idx) {
    if (spec->file != NULL) return spec->file;
    const struct rt_node *n = spec->list->child;
    while (idx-- > 0) n = n->next;
    return n->text;
}

void *data_rows_room(struct data_rows *r, size_t more, struct rt_error *err) {
    size_t want = (r->cnt + more) * r->row_bytes;
    if (r->map == NULL) {
        r->map = data_map(want, &r->mapped);
    } else if (want > r->mapped) {
        size_t half_more = r->mapped + r->mapped / 2;
        uint8_t *map = data_remap(r->map, &r->mapped, want > half_more ? want : half_more);
        if (map == NULL) {
            (void)rt_error_set(err, -ENOMEM, "no memory for %zu bytes of rows", want);
            return NULL;
        }
        r->map = map;
    }
    if (r->map == NULL) {
        (void)rt_error_set(err, -ENOMEM, "no memory for %zu bytes of rows", want);
        return NULL;
    }
    r->rows = r->map;
    return r->rows + r->cnt * r->row_bytes;
}

/* row_begins returns when row idx begins. */
static int64_t row_begins(const struct data_rows *r, uint64_t idx) {
    int64_t ns;
    memcpy(&ns, r->rows + idx * r->row_bytes, sizeof ns);
    return ns;
}

uint64_t data_missing(const struct mk_session *session, int64_t from_ns, int64_t until_ns,
                      int64_t interval_ns) {
    if (session == NULL) return (uint64_t)((until_ns - from_ns) / interval_ns) - 1;
    return (uint64_t)mk_session_missing(session, from_ns, until_ns, interval_ns);
}

int data_known(const struct rt_node *config, const struct mk_session *session, int64_t first_ns,
               int64_t last_ns, struct rt_error *err) {
    char known[32];
    if (session == NULL) return 0;
    if (mk_session_knows(session, first_ns) && mk_session_knows(session, last_ns)) return 0;
    mk_session_known(session, known);
    return rt_node_fail(config, err,
                        "has rows outside %s, when closed days of its session are known; declare "
                        "more (session: {like, closed, until}), or an end",
                        known);
}

/* rows_before returns how many rows begin before ns. */
static uint64_t rows_before(const struct data_rows *r, int64_t ns) {
    uint64_t low = 0, high = r->cnt;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (row_begins(r, mid) < ns) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

void data_rows_cut(struct data_rows *r, int64_t start_ns, int64_t end_ns, int64_t span_ns) {
    uint64_t from = rows_before(r, start_ns);
    int64_t last_ns = span_ns == 0                   ? end_ns
                      : end_ns < INT64_MIN + span_ns ? INT64_MIN
                                                     : end_ns - span_ns;
    uint64_t to = end_ns == INT64_MAX ? r->cnt : rows_before(r, last_ns + (span_ns != 0));
    /* What is left out is not there: a reader that looks past the last row finds zeros. */
    memset(r->rows, 0, from * r->row_bytes);
    if (to < r->cnt) memset(r->rows + to * r->row_bytes, 0, (r->cnt - to) * r->row_bytes);
    r->rows += from * r->row_bytes;
    r->cnt = to > from ? to - from : 0;
}

/* rows_block is rt_series.block: everything from first on at once. */
static int rows_block(struct rt_series *s, uint64_t first, struct rt_block *out) {
    const struct data_rows *r = s->impl;
    *out = (struct rt_block){ .rows = r->rows + r->cnt * r->row_bytes, .first = first };
    if (first < r->cnt) {
        out->rows = r->rows + first * r->row_bytes;
        out->cnt = r->cnt - first;
    }
    return 0;
}

struct rt_series *data_series_fill(struct rt_source_init *init, const struct data_spec *spec,
                                   struct data_rows *rows, int64_t span_ns, struct rt_error *err) {
    struct data_rows *kept = malloc(sizeof *kept);
    if (init->series_cnt >= init->series_max || kept == NULL) {
        data_unmap(rows->map, rows->mapped);
        if (kept == NULL)
            (void)rt_error_set(err, -ENOMEM, "no memory");
        else
            (void)rt_node_fail(init->config, err, "more than %d series on a shard", RT_SERIES_MAX);
        free(kept);
        return NULL;
    }
    *kept = *rows;
    struct rt_series *s = &init->series[init->series_cnt++];
    *s = (struct rt_series){
        .row_bytes = (uint32_t)rows->row_bytes,
        .key = spec->instrument->id,
        .span_ns = span_ns,
        .rows_total = rows->cnt,
        .impl = kept,
        .block = rows_block,
    };
    char span[40];
    snprintf(s->name, sizeof s->name, "%s %s", spec->instrument->name,
             span_ns == 0 ? "trades" : data_span_text(span_ns, span));
    return s;
}

struct rt_series *data_series_load(struct rt_source_init *init, const struct data_spec *spec,
                                   const struct data_reader *reader, struct rt_error *err) {
    struct data_rows rows = { .row_bytes = reader->row_bytes };
    struct data_hash hash;
    int rc = 0;
    data_hash_init(&hash);
    for (uint32_t i = 0; rc == 0 && i < spec->file_cnt; i++) {
        struct data_file f;
        const char *name = data_spec_file(spec, i);
        rc = data_file_open(init->base_dir, name, &f, err);
        if (rc != 0) break;
        data_hash_add(&hash, f.hash);
        rc = reader->read(reader->parser, name, &f, &rows, err);
        data_file_close(&f);
    }
    if (rc == 0 && rows.cnt == 0) {
        rc = rt_error_set(err, -ENODATA, "%s: no rows", data_spec_file(spec, 0));
    }
    if (rc != 0) {
        data_unmap(rows.map, rows.mapped);
        return NULL;
    }
    data_rows_cut(&rows, init->start_ns, init->end_ns, reader->span_ns);
    struct rt_series *s = data_series_fill(init, spec, &rows, reader->span_ns, err);
    if (s != NULL) data_hash_end(&hash, s->hash);
    return s;
}

void data_series_close(struct rt_series *series, uint32_t cnt) {
    for (uint32_t i = 0; i < cnt; i++) {
        struct data_rows *r = series[i].impl;
        if (r == NULL) continue;
        data_unmap(r->map, r->mapped);
        free(r);
        series[i].impl = NULL;
    }
}

void data_hash_init(struct data_hash *h) {
    *h = (struct data_hash){ 0 };
    rt_sha256_init(&h->all);
}

void data_hash_add(struct data_hash *h, const uint8_t file[RT_SHA256_BYTES]) {
    if (h->cnt++ == 0) memcpy(h->first, file, RT_SHA256_BYTES);
    rt_sha256_add(&h->all, file, RT_SHA256_BYTES);
}

void data_hash_end(struct data_hash *h, uint8_t out[RT_SHA256_BYTES]) {
    rt_sha256_end(&h->all, out);
    if (h->cnt == 1) memcpy(out, h->first, RT_SHA256_BYTES);
}
