#include "actors/data/market_source.h"
#include "actors/data/klines.h"
#include "actors/data/scan.h"
#include "runtime/base/hash.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t default_start_ns = 1704067200000000000LL; /* 2024-01-01 */
static const int64_t last_ns = 7226582400000000000LL; /* 2199: times of a block past it still fit */

/* A series: its walk and the last two blocks made. */
struct market_series {
    struct data_walk walk; /* what it is made from */
    uint64_t rows_total;   /* rows in all */
    uint64_t made[2];      /* numbers of the blocks in room, UINT64_MAX = none */
    uint32_t last;         /* which of them was given last */
    uint32_t pad;          /* keeps the layout */
    uint8_t *room[2];      /* their rows */
};

/* market_block is rt_series.block. */
static int market_block(struct rt_series *s, uint64_t first, struct rt_block *out) {
    struct market_series *m = s->impl;
    *out = (struct rt_block){ .rows = m->room[m->last], .first = first };
    if (first >= m->rows_total) return 0;
    const uint64_t block = first / DATA_WALK_ROWS;
    if (m->made[m->last] != block) {
        m->last ^= 1; /* the one given last stays good until the next call but one */
        if (m->made[m->last] != block) {
            void *room = m->room[m->last];
            if (s->row_kind == MSG_BAR) {
                data_walk_bars(&m->walk, block, room);
            } else {
                data_walk_trades(&m->walk, block, room);
            }
            m->made[m->last] = block;
        }
    }
    const uint64_t begin = block * DATA_WALK_ROWS;
    uint64_t end = begin + DATA_WALK_ROWS;
    if (end > m->rows_total) end = m->rows_total;
    out->rows = m->room[m->last] + (first - begin) * s->row_bytes;
    out->cnt = end - first;
    return 0;
}

/* market_before is rt_series.before. */
static uint64_t market_before(const struct rt_series *s, int64_t begin_ns) {
    const struct market_series *m = s->impl;
    if (begin_ns > last_ns) begin_ns = last_ns;
    /* a bar that begins before it is known by its end, less than an interval later */
    uint64_t cnt =
        data_walk_rows_before(&m->walk, s->span_ns > 0 ? begin_ns + s->span_ns - 1 : begin_ns);
    return cnt < m->rows_total ? cnt : m->rows_total;
}

void data_market_default(struct data_walk_options *o, const char *name, price_t tick_size,
                         qty_t lot_size, uint64_t seed, int64_t start_ns, int64_t interval_ns) {
    const price_t most = 1000000LL * FIXED_ONE;
    price_t price = tick_size > most / 500000 ? most : tick_size * 500000;
    if (price / 10 < tick_size) price = tick_size * 10;
    __int128 quantity = (__int128)1000000000 * FIXED_ONE * FIXED_ONE / price;
    *o = (struct data_walk_options){
        .seed = seed,
        .stream = data_walk_stream(name),
        .start_ns = start_ns,
        .interval_ns = interval_ns,
        .day_trades = 43200,
        .price = price,
        .tick_size = tick_size,
        .lot_size = lot_size,
        .day_quantity = quantity > INT64_MAX / 16 ? INT64_MAX / 16 : (int64_t)quantity,
        .volatility = 0.6,
        .correlation = 0.6,
    };
}

/* What all series of a market share. */
struct market_spec {
    int64_t interval_ns; /* 0 = trades */
    int64_t hour_trades; /* trades an hour */
    int64_t seed;        /* -1 = the run's */
    double volatility;   /* of those that do not say theirs */
    double correlation;  /* between any two */
};

/* series_open makes the series that item (a name, or a map) declares. */
static int series_open(struct rt_source_init *init, struct rt_node *item,
                       const struct market_spec *spec, struct rt_error *err) {
    static const char *const known[] = { "instrument", "price", "volatility", "volume", NULL };
    const char *name = item->text;
    if (item->kind == RT_NODE_LIST) {
        return rt_node_fail(item, err, "expected an instrument's name or a map");
    }
    int rc = item->kind == RT_NODE_MAP
                 ? rt_node_text(item, "instrument", true, 31, NULL, &name, err)
                 : 0;
    if (rc != 0) return rc;
    const struct mk_instrument *in = mk_instrument_find(init->world, name);
    if (in == NULL) return rt_node_fail(item, err, "\"%.31s\" is not one of instruments:", name);
    for (uint32_t i = 0; i < init->series_cnt; i++) {
        if (init->series[i].key == in->id) return rt_node_fail(item, err, "%s twice", in->name);
    }
    if (init->series_cnt >= init->series_max) {
        return rt_node_fail(item, err, "more than %d series on a shard", RT_SERIES_MAX);
    }
    const bool bars = spec->interval_ns > 0;
    int64_t start_ns = init->start_ns == INT64_MIN ? default_start_ns : init->start_ns;
    const int64_t grid_ns = bars ? spec->interval_ns : 1000000;
    if (start_ns > 0 && start_ns % grid_ns != 0) start_ns += grid_ns - start_ns % grid_ns;
    struct data_walk_options o;
    data_market_default(&o, in->name, in->tick_size, in->lot_size,
                        spec->seed < 0 ? init->seed : (uint64_t)spec->seed, start_ns,
                        spec->interval_ns);
    o.day_trades = spec->hour_trades * 24;
    o.volatility = spec->volatility;
    o.correlation = spec->correlation;
    o.instrument = in->id;
    if (item->kind == RT_NODE_MAP) {
        rc = rt_node_fixed(item, "price", false, o.tick_size, INT64_MAX, o.price, &o.price, err);
        if (rc != 0) return rc;
        rc = rt_node_double(item, "volatility", false, 0.01, 5, o.volatility, &o.volatility, err);
        if (rc != 0) return rc;
        __int128 quantity = (__int128)1000000000 * FIXED_ONE * FIXED_ONE / o.price;
        o.day_quantity = quantity > INT64_MAX / 16 ? INT64_MAX / 16 : (int64_t)quantity;
        rc = rt_node_fixed(item, "volume", false, 1, INT64_MAX / 16, o.day_quantity,
                           &o.day_quantity, err);
        if (rc != 0) return rc;
        rc = rt_node_no_more(item, known, err);
        if (rc != 0) return rc;
    }
    struct market_series *m = calloc(1, sizeof *m);
    const size_t row_bytes = bars ? sizeof(struct msg_bar) : sizeof(struct msg_trade);
    uint8_t *room = aligned_alloc(64, 2 * DATA_WALK_ROWS * row_bytes);
    rc = m == NULL || room == NULL ? rt_error_set(err, -ENOMEM, "market: no memory")
                                   : data_walk_init(&m->walk, &o, err);
    if (rc != 0) {
        free(m);
        free(room);
        return rc;
    }
    m->rows_total =
        data_walk_rows_before(&m->walk, init->end_ns < last_ns ? init->end_ns : last_ns);
    m->made[0] = m->made[1] = UINT64_MAX;
    m->room[0] = room;
    m->room[1] = room + DATA_WALK_ROWS * row_bytes;
    struct rt_series *s = &init->series[init->series_cnt++];
    *s = (struct rt_series){
        .row_kind = bars ? MSG_BAR : MSG_TRADE,
        .open_kind = bars ? MSG_BAR_OPEN : 0,
        .row_bytes = (uint32_t)row_bytes,
        .key = in->id,
        .span_ns = spec->interval_ns,
        .rows_total = init->end_ns == INT64_MAX ? UINT64_MAX : m->rows_total,
        .impl = m,
        .block = market_block,
        .before = market_before,
        .open_of = bars ? data_klines_bar_open : NULL,
    };
    char span[40];
    snprintf(s->name, sizeof s->name, "%s %s", in->name,
             bars ? data_span_text(spec->interval_ns, span) : "trades");
    rt_sha256(&m->walk.options, sizeof m->walk.options, s->hash);
    return 0;
}

_Static_assert(sizeof(struct data_walk_options) == 13 * 8, "hashed as it lies: no padding");

/* market_close is rt_source_kind.close. */
static void market_close(struct rt_series *series, uint32_t cnt) {
    for (uint32_t i = 0; i < cnt; i++) {
        struct market_series *m = series[i].impl;
        if (m == NULL) continue;
        free(m->room[0]);
        free(m);
        series[i].impl = NULL;
    }
}

/* spec_read reads the keys that all series share. */
static int spec_read(struct rt_source_init *init, struct market_spec *spec, struct rt_error *err) {
    static const char *const words[] = { "bars", "trades", NULL };
    struct rt_node *c = init->config;
    int rows = 0;
    (void)rt_node_get(c, "kind");
    int rc = rt_node_choice(c, "rows", false, words, 0, &rows, err);
    if (rc != 0) return rc;
    rc = rt_node_duration(c, "interval", false, 1000000000LL, 7 * 86400000000000LL, 60000000000LL,
                          &spec->interval_ns, err);
    if (rc != 0) return rc;
    if (rows == 1 && rt_node_get(c, "interval") != NULL) {
        return rt_node_fail(rt_node_get(c, "interval"), err, "trades have no interval");
    }
    if (rows == 1) spec->interval_ns = 0;
    rc = rt_node_int(c, "trades_per_hour", false, 1, 10000000, 1800, &spec->hour_trades, err);
    if (rc != 0) return rc;
    rc = rt_node_int(c, "seed", false, 0, INT64_MAX, -1, &spec->seed, err);
    if (rc != 0) return rc;
    rc = rt_node_double(c, "volatility", false, 0.01, 5, 0.6, &spec->volatility, err);
    if (rc != 0) return rc;
    return rt_node_double(c, "correlation", false, 0, 1, 0.6, &spec->correlation, err);
}

/* market_open is rt_source_kind.open. */
static int market_open(struct rt_source_init *init, struct rt_error *err) {
    static const char *const known[] = {
        "kind",       "instruments", "rows", "interval", "trades_per_hour",
        "volatility", "correlation", "seed", NULL
    };
    struct market_spec spec;
    struct rt_node *list = NULL;
    int rc = spec_read(init, &spec, err);
    if (rc != 0) return rc;
    rc = rt_node_list(init->config, "instruments", true, &list, err);
    if (rc != 0) return rc;
    rc = rt_node_no_more(init->config, known, err);
    if (rc != 0) return rc;
    if (list->child_cnt == 0) return rt_node_fail(list, err, "expected at least one instrument");
    for (struct rt_node *item = list->child; rc == 0 && item != NULL; item = item->next) {
        rc = series_open(init, item, &spec, err);
    }
    if (rc != 0) {
        market_close(init->series, init->series_cnt);
        init->series_cnt = 0;
        return rc;
    }
    char span[40];
    snprintf(init->report, sizeof init->report,
             "invented market: %" PRIu32 " instruments, %s, seed %" PRIu64, init->series_cnt,
             spec.interval_ns > 0 ? data_span_text(spec.interval_ns, span) : "trades",
             spec.seed < 0 ? init->seed : (uint64_t)spec.seed);
    return 0;
}

/* Keys of the source. */
static const struct rt_option market_options[] = {
    { "instruments", "node", "names, or maps: instrument, price, volatility, volume (a day)", NULL,
      "what is traded; a price is the one at the start" },
    { "rows", "text", "bars | trades", "bars", "what it tells" },
    { "interval", "duration", "1s..7d", "1m", "length of a bar" },
    { "trades_per_hour", "int", "1..10000000", "1800", "trades an hour on average" },
    { "volatility", "double", "0.01..5", "0.6",
      "of a year, of instruments that do not say theirs" },
    { "correlation", "double", "0..1", "0.6", "between any two instruments" },
    { "seed", "int", "0..", "the run's", "another seed is another market" },
    { 0 },
};

const struct rt_source_kind data_market_source = {
    .name = "market",
    .help = "An invented market: seeded, endless, the same on every machine.",
    .options = market_options,
    .open = market_open,
    .close = market_close,
};
