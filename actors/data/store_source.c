#include "actors/data/store_source.h"
#include "actors/data/klines.h"
#include "actors/data/scan.h"
#include "actors/data/series.h"
#include "actors/data/store.h"
#include "actors/market/market.h"
#include "schemas/messages.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ROOMS = 3,       /* stretches kept: one in use, one before it, one asked for beside them */
    ROW_MAX = 128,   /* bytes of a row at most */
    PATH_TEXT = 900, /* longest name of the store's directory in a run file */
};

/* A series of the store. */
struct store_series {
    struct data_store store;       /* the open set */
    uint64_t first;                /* row of the set that is the series' first */
    uint64_t cnt;                  /* rows of the series */
    uint64_t checked;              /* block checked last, as segment and block; UINT64_MAX */
    uint64_t made[ROOMS];          /* stretch in each room, UINT64_MAX = none */
    uint32_t last;                 /* room given last */
    uint32_t mask;                 /* columns that rows are made of */
    uint8_t *room[ROOMS];          /* their rows */
    uint64_t pattern[ROW_MAX / 8]; /* a row with what is no column */
};

/* stretch_make fills a room with stretch number n: rows that lie in one block. */
static int stretch_make(struct store_series *m, uint64_t n, uint8_t *room, uint32_t row_bytes) {
    const uint64_t begin = n * DATA_STORE_STRETCH;
    uint64_t left = m->cnt - begin, done = 0;
    if (left > DATA_STORE_STRETCH) left = DATA_STORE_STRETCH;
    while (done < left) {
        uint32_t segment = 0, block = 0, within = 0;
        struct rt_error err;
        int rc =
            data_store_find(&m->store, m->first + begin + done, &segment, &block, &within, &err);
        if (rc != 0) return rc;
        const struct data_segment *g = &m->store.segments[segment];
        const uint64_t name = (uint64_t)segment << 32 | block;
        if (m->checked != name) rc = data_block_check(&m->store, g, block, m->mask, &err);
        if (rc != 0) return rc;
        m->checked = name;
        uint64_t more = g->index[block].rows - within;
        if (more > left - done) more = left - done;
        data_rows_decode(&m->store, g, block, within, (uint32_t)more, m->pattern,
                         room + done * row_bytes);
        done += more;
    }
    return 0;
}

/* store_block is rt_series.block. */
static int store_block(struct rt_series *s, uint64_t first, struct rt_block *out) {
    struct store_series *m = s->impl;
    *out = (struct rt_block){ .rows = m->room[m->last], .first = first };
    if (first >= m->cnt) return 0;
    const uint64_t n = first / DATA_STORE_STRETCH, begin = n * DATA_STORE_STRETCH;
    if (m->made[m->last] != n) {
        uint32_t room = 0;
        while (room < ROOMS && m->made[room] != n) room++;
        if (room == ROOMS) {
            room = (m->last + 1) % ROOMS; /* the one given longest ago */
            m->made[room] = UINT64_MAX;
            int rc = stretch_make(m, n, m->room[room], s->row_bytes);
            if (rc != 0) return rc;
            m->made[room] = n;
        }
        m->last = room;
    }
    uint64_t end = begin + DATA_STORE_STRETCH;
    if (end > m->cnt) end = m->cnt;
    out->rows = m->room[m->last] + (first - begin) * s->row_bytes;
    out->cnt = end - first;
    return 0;
}

/* series_hash names what the series is made from: the checksums of the columns in use of every
 * block that its rows lie in. */
static int series_hash(struct store_series *m, uint8_t out[RT_SHA256_BYTES], struct rt_error *err) {
    struct rt_sha256 h;
    rt_sha256_init(&h);
    const struct data_set *set = &m->store.set;
    int64_t head[4] = { set->stream->number, set->interval_ns, DATA_STORE_VERSION, m->mask };
    rt_sha256_add(&h, head, sizeof head);
    for (uint32_t i = 0; i < m->store.segment_cnt; i++) {
        const struct data_segment *g = &m->store.segments[i];
        if (g->row + g->rows <= m->first || g->row >= m->first + m->cnt) continue;
        int rc = data_segment_use(&m->store, i, err);
        if (rc != 0) return rc;
        for (uint32_t b = 0; b < g->block_cnt; b++) {
            const struct data_store_entry *e = &g->index[b];
            const uint64_t row = g->row + (uint64_t)b * DATA_STORE_BLOCK;
            if (row + e->rows <= m->first || row >= m->first + m->cnt) continue;
            rt_sha256_add(&h, &e->rows, sizeof e->rows);
            for (uint32_t c = 0; c < g->column_cnt; c++) {
                if ((m->mask >> c & 1) != 0) rt_sha256_add(&h, &e->crc[c], sizeof e->crc[c]);
            }
        }
    }
    rt_sha256_end(&h, out);
    return 0;
}

/* pattern_make writes what every row has that is no column. */
static void pattern_make(struct store_series *m, uint16_t instrument, bool no_volume) {
    const struct data_set *set = &m->store.set;
    switch (set->stream->row_kind) {
    case MSG_BAR:
    case MSG_MARK_BAR: {
        struct msg_bar row = { .interval_ns = set->interval_ns,
                               .instrument = instrument,
                               .flags = no_volume ? DATA_BAR_NO_VOLUME : 0 };
        memcpy(m->pattern, &row, sizeof row);
        break;
    }
    case MSG_TRADE:
        memcpy(m->pattern, &(struct msg_trade){ .instrument = instrument },
               sizeof(struct msg_trade));
        break;
    case MSG_QUOTE:
        memcpy(m->pattern, &(struct msg_quote){ .instrument = instrument },
               sizeof(struct msg_quote));
        break;
    case MSG_BOOK_DELTA:
        memcpy(m->pattern, &(struct msg_book_delta){ .instrument = instrument },
               sizeof(struct msg_book_delta));
        break;
    case MSG_FUNDING:
        memcpy(m->pattern, &(struct msg_funding){ .instrument = instrument },
               sizeof(struct msg_funding));
        break;
    case MSG_MARK_PRICE:
        memcpy(m->pattern, &(struct msg_mark_price){ .instrument = instrument },
               sizeof(struct msg_mark_price));
        break;
    case MSG_OPEN_INTEREST:
        memcpy(m->pattern, &(struct msg_open_interest){ .instrument = instrument },
               sizeof(struct msg_open_interest));
        break;
    default: break;
    }
}

_Static_assert(sizeof(struct msg_bar) == sizeof(struct msg_mark_bar), "one layout");
_Static_assert(sizeof(struct msg_bar) <= ROW_MAX, "fits the pattern");

/* What the run file says. */
struct spec {
    const struct mk_instrument *in; /* whose rows */
    struct data_set set;            /* which set */
    char root[PATH_MAX];            /* the store */
    bool no_volume;                 /* volume: none */
};

/* venue_find looks for the one venue under root that has the set. */
static int venue_find(struct rt_source_init *init, struct spec *spec, struct rt_error *err) {
    char dir[PATH_MAX], path[PATH_MAX + 16];
    int found = 0;
    DIR *d = opendir(spec->root);
    if (d == NULL) {
        return rt_node_fail(init->config, err, "cannot read %s: %s; expected a store's directory",
                            spec->root, strerror(errno));
    }
    struct data_set set = spec->set;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (!data_set_name_ok(e->d_name)) continue;
        snprintf(set.venue, sizeof set.venue, "%.31s", e->d_name);
        if (data_set_dir(spec->root, &set, dir, err) != 0) continue;
        snprintf(path, sizeof path, "%s/manifest", dir);
        if (access(path, R_OK) != 0) continue;
        spec->set = set;
        found++;
    }
    (void)closedir(d);
    if (found == 1) return 0;
    char span[40];
    return rt_node_fail(init->config, err, "%s of %s %s in %s; %s",
                        found == 0 ? "nothing" : "more than one", spec->set.symbol,
                        spec->set.interval_ns > 0 ? data_span_text(spec->set.interval_ns, span)
                                                  : spec->set.stream->name,
                        spec->root,
                        found == 0 ? "`shrike data ls` tells what is there" : "name one by venue:");
}

/* spec_read reads the keys. */
static int spec_read(struct rt_source_init *init, struct spec *spec, struct rt_error *err) {
    static const char *const known[] = { "kind",  "instrument", "stream", "interval", "data",
                                         "venue", "symbol",     "volume", NULL };
    static const char *const volumes[] = { "declared", "none", NULL };
    const char *name = NULL, *stream = NULL, *data = NULL, *venue = NULL, *symbol = NULL;
    int none = 0;
    struct rt_node *c = init->config;
    (void)rt_node_get(c, "kind");
    int rc = rt_node_text(c, "instrument", true, 31, NULL, &name, err);
    if (rc != 0) return rc;
    spec->in = mk_instrument_find(init->world, name);
    if (spec->in == NULL) {
        return rt_node_fail(rt_node_get(c, "instrument"), err,
                            "\"%s\" is not one of instruments:", name);
    }
    rc = rt_node_text(c, "stream", false, 31, "klines", &stream, err);
    if (rc != 0) return rc;
    spec->set.stream = data_stream_find(stream);
    if (spec->set.stream == NULL || spec->set.stream->row_kind == 0) {
        return rt_node_fail(rt_node_get(c, "stream"), err,
                            "\"%s\"; expected klines, markPriceKlines, trades, aggTrades, "
                            "bookTicker, depth, fundingRate, markPrice or metrics",
                            stream);
    }
    const bool bars = spec->set.stream->interval;
    rc = rt_node_duration(c, "interval", bars, 1000000000LL, 7 * 86400000000000LL, 0,
                          &spec->set.interval_ns, err);
    if (rc != 0) return rc;
    if (!bars && spec->set.interval_ns != 0) {
        return rt_node_fail(rt_node_get(c, "interval"), err, "%s have no interval", stream);
    }
    rc = rt_node_text(c, "data", false, PATH_TEXT, "data", &data, err);
    if (rc == 0) rc = rt_node_text(c, "venue", false, DATA_STORE_NAME - 1, "", &venue, err);
    if (rc == 0) {
        rc = rt_node_text(c, "symbol", false, DATA_STORE_NAME - 1, spec->in->symbol, &symbol, err);
    }
    if (rc == 0) rc = rt_node_choice(c, "volume", false, volumes, 0, &none, err);
    if (rc == 0) rc = rt_node_no_more(c, known, err);
    if (rc != 0) return rc;
    if (none && !mk_volume_free(spec->in)) {
        return rt_node_fail(rt_node_get(c, "volume"), err,
                            "is none, but participation or slippage of %s needs volumes",
                            spec->in->name);
    }
    spec->no_volume = none == 1;
    if (!data_set_name_ok(symbol) || (venue[0] != '\0' && !data_set_name_ok(venue))) {
        return rt_node_fail(c, err, "venue and symbol: expected letters, digits, - _ .");
    }
    snprintf(spec->set.symbol, sizeof spec->set.symbol, "%s", symbol);
    snprintf(spec->set.venue, sizeof spec->set.venue, "%s", venue);
    const bool relative = data[0] != '/' && init->base_dir != NULL && init->base_dir[0] != '\0';
    snprintf(spec->root, sizeof spec->root, "%s%s%s", relative ? init->base_dir : "",
             relative ? "/" : "", data);
    return venue[0] == '\0' ? venue_find(init, spec, err) : 0;
}

/* span_cut finds the rows of the run's span: those that begin before its start or are known after
 * its end (rows that span nothing: at or after it) are left out. */
static int span_cut(const struct rt_source_init *init, struct store_series *m,
                    struct rt_error *err) {
    const int64_t span_ns = m->store.set.interval_ns, end_ns = init->end_ns;
    int64_t first = data_store_row_of(&m->store, init->start_ns, err);
    if (first < 0) return (int)first;
    int64_t until = (int64_t)m->store.rows;
    if (end_ns != INT64_MAX) {
        int64_t last_ns = end_ns < INT64_MIN + span_ns ? INT64_MIN : end_ns - span_ns;
        until = data_store_row_of(&m->store, last_ns + (span_ns != 0), err);
        if (until < 0) return (int)until;
    }
    m->first = (uint64_t)first;
    m->cnt = until > first ? (uint64_t)(until - first) : 0;
    return 0;
}

/* report_write writes the run's line about a series. */
static int report_write(struct rt_source_init *init, struct store_series *m, const char *name,
                        const struct mk_session *session, struct rt_error *err) {
    struct data_table ends;
    char from[40] = "", to[40] = "";
    const struct data_set *set = &m->store.set;
    data_table_init(&ends, set->stream, set->interval_ns);
    int rc = 0;
    if (m->cnt > 0) rc = data_store_read(&m->store, m->first, 1, &ends, err);
    if (rc == 0 && m->cnt > 0)
        rc = data_store_read(&m->store, m->first + m->cnt - 1, 1, &ends, err);
    if (rc == 0 && m->cnt > 0 && set->stream->interval) {
        rc = data_known(init->config, session, data_time(&ends, 0), data_time(&ends, 1), err);
    }
    if (rc != 0) {
        data_table_fini(&ends);
        return rc;
    }
    size_t at = (size_t)snprintf(init->report, sizeof init->report, "%s: %" PRIu64 " %s", name,
                                 m->cnt, set->stream->interval ? "bars" : "rows");
    if (m->cnt > 0) {
        uint64_t gaps = 0, missing = 0;
        for (uint32_t i = 0; i < m->store.gap_cnt; i++) {
            const struct data_gap *g = &m->store.gaps[i];
            if (g->from_ns < data_time(&ends, 0) || g->until_ns > data_time(&ends, 1)) continue;
            uint64_t cnt = g->missing;
            if (session != NULL && set->interval_ns > 0) {
                cnt = data_missing(session, g->from_ns - set->interval_ns, g->until_ns,
                                   set->interval_ns);
            }
            gaps += cnt > 0;
            missing += cnt;
        }
        at += (size_t)snprintf(init->report + at, sizeof init->report - at, " from %s to %s",
                               data_time_text(data_time(&ends, 0), from),
                               data_time_text(data_time(&ends, 1), to));
        snprintf(init->report + at, sizeof init->report - at,
                 ", %" PRIu64 " gaps (%" PRIu64 " missing), store %.60s/%.60s", gaps, missing,
                 set->venue, set->symbol);
    }
    data_table_fini(&ends);
    return 0;
}

/* series_free gives back what open took. */
static void series_free(struct store_series *m) {
    if (m == NULL) return;
    data_store_close(&m->store);
    free(m->room[0]);
    free(m);
}

/* store_open is rt_source_kind.open. */
static int store_open(struct rt_source_init *init, struct rt_error *err) {
    struct spec spec = { 0 };
    char dir[PATH_MAX], span[40];
    int rc = spec_read(init, &spec, err);
    if (rc == 0) rc = data_set_dir(spec.root, &spec.set, dir, err);
    if (rc != 0) return rc;
    const uint32_t row_bytes = spec.set.stream->row_bytes;
    struct store_series *m = calloc(1, sizeof *m);
    uint8_t *room = aligned_alloc(64, (size_t)ROOMS * DATA_STORE_STRETCH * row_bytes);
    if (m == NULL || room == NULL) {
        free(m);
        free(room);
        return rt_error_set(err, -ENOMEM, "store: no memory");
    }
    m->checked = UINT64_MAX;
    m->mask = data_row_mask(spec.set.stream);
    for (uint32_t i = 0; i < ROOMS; i++) {
        m->made[i] = UINT64_MAX;
        m->room[i] = room + (size_t)i * DATA_STORE_STRETCH * row_bytes;
    }
    struct rt_series *s = &init->series[init->series_cnt];
    rc = data_store_open(dir, &m->store, err);
    if (rc == -ENOENT) rc = rt_node_fail(init->config, err, "no data in %s", dir);
    if (rc == 0 && init->series_cnt >= init->series_max)
        rc = rt_node_fail(init->config, err, "more than %d series on a shard", RT_SERIES_MAX);
    if (rc == 0) rc = span_cut(init, m, err);
    if (rc == 0) {
        pattern_make(m, spec.in->id, spec.no_volume);
        *s = (struct rt_series){ .row_kind = spec.set.stream->row_kind,
                                 .row_bytes = row_bytes,
                                 .key = spec.in->id,
                                 .span_ns = spec.set.interval_ns,
                                 .rows_total = m->cnt,
                                 .impl = m,
                                 .block = store_block };
        snprintf(s->name, sizeof s->name, "%s %s%s", spec.in->name,
                 spec.set.interval_ns > 0     ? data_span_text(spec.set.interval_ns, span)
                 : s->row_kind == MSG_FUNDING ? "funding"
                                              : spec.set.stream->name,
                 s->row_kind == MSG_MARK_BAR ? " mark" : "");
        if (s->row_kind == MSG_BAR) { /* behind the mark's bars, as those of files */
            s->rank_hint = 1;
            s->open_kind = MSG_BAR_OPEN;
            s->open_of = data_klines_bar_open;
        }
        rc = series_hash(m, s->hash, err);
    }
    if (rc == 0) rc = report_write(init, m, s->name, spec.in->session, err);
    if (rc != 0) {
        series_free(m);
        return rc;
    }
    init->series_cnt++;
    return 0;
}

/* store_close is rt_source_kind.close. */
static void store_close(struct rt_series *series, uint32_t cnt) {
    for (uint32_t i = 0; i < cnt; i++) {
        series_free(series[i].impl);
        series[i].impl = NULL;
    }
}

/* Keys of the source. */
static const struct rt_option store_options[] = {
    { "instrument", "text", "a name of instruments:", NULL, "whose rows these are" },
    { "stream", "text",
      "klines | markPriceKlines | trades | aggTrades | bookTicker | depth | fundingRate | "
      "markPrice | metrics",
      "klines", "which rows" },
    { "interval", "duration", "1s..7d", NULL, "length of a bar; for bars only" },
    { "data", "text", "a directory", "data", "the store that `shrike data import` wrote" },
    { "venue", "text", "a name", NULL, "the store's; the only one that has the set, when absent" },
    { "symbol", "text", "a name", NULL, "the store's; the instrument's, when absent" },
    { "volume", "text", "declared | none", "declared",
      "none: the bars tell no volume, and work orders all the same" },
    { 0 },
};

const struct rt_source_kind data_store_source = {
    .name = "store",
    .help = "Rows of the data store.",
    .options = store_options,
    .open = store_open,
    .close = store_close,
};
