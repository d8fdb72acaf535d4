/* source.h - rows that come from outside in an order fixed beforehand: files, store blocks,
 * seeded generators.
 *
 * For     sources below the line, registered like actor kinds. A source offers series; a series is
 *         a run of rows of one struct kind whose first field is the instant the row begins (int64
 *         ns UTC) and which is known span_ns later. Rows are strictly ordered by that instant
 *         (trades may share one). A source can be read again: the same configuration gives the
 *         same rows, so the journal only says how far it was read.
 * Thread  open runs at boot; refill and the rest on the shard's thread. Every shard opens its own
 *         copy of the sources its actors hear.
 * Memory  rows belong to the source (mapped or allocated at boot). */
#ifndef RUNTIME_CORE_SOURCE_H
#define RUNTIME_CORE_SOURCE_H
#include "runtime/base/error.h"
#include "runtime/core/actor.h"
#include <stddef.h>
#include <stdint.h>

/* A stretch of rows that lie in memory one after the other. */
struct rt_block {
    const uint8_t *rows; /* first row */
    uint64_t first;      /* its number in the series, from 0 */
    uint64_t cnt;        /* rows in the block; 0 = the series has ended */
};

/* One series as a source describes it; the source fills it at open. */
struct rt_series {
    char name[64];       /* for people: "BTCUSDT 1m" */
    uint16_t row_kind;   /* MSG_BAR, MSG_TRADE, ... */
    uint16_t open_kind;  /* kind of the body told when a row begins (MSG_BAR_OPEN), 0 = none */
    uint32_t row_bytes;  /* size of a row, a multiple of 8 */
    uint32_t key;        /* instrument id */
    uint32_t rank_hint;  /* 0..65535: smaller goes first among equals of interval and key */
    int64_t span_ns;     /* a row is known span_ns after it begins; bars: the interval; trades: 0 */
    uint64_t rows_total; /* rows in all; UINT64_MAX = endless */
    uint8_t hash[32];    /* hash of what the rows are made from (file bytes, generator's options) */
    void *impl;          /* the source's own */

    /* gives the block that holds row number first (which is the row after the last block's, or
     * any at start and recovery). The block stays good until the next call but one. Returns 0 or a
     * negative errno. Blocks of a file hold everything at once. */
    int (*block)(struct rt_series *s, uint64_t first, struct rt_block *out);

    /* counts the rows that begin before begin_ns, without reading them. A series that has this
     * gives any block at any time. NULL where rows can only be read one after the other. */
    uint64_t (*before)(const struct rt_series *s, int64_t begin_ns);

    /* fills out with the body told when row begins (only what may be known then). */
    void (*open_of)(const struct rt_series *s, const void *row, void *out);
};

enum { RT_SERIES_MAX = 256 }; /* series of all sources on a shard */

/* What open is given and gives. */
struct rt_source_init {
    struct rt_node *config; /* the source's map in the run file */
    const void *world;      /* what the program shares with actors: instruments */
    const char *base_dir;   /* directory that relative paths start from */
    uint64_t seed;          /* run seed */
    int64_t start_ns,
        end_ns; /* the run's declared span: rows outside are left out; INT64_MIN/MAX */
    struct rt_series *series; /* room for the series */
    uint32_t series_max;      /* this many */
    uint32_t series_cnt;      /* set by open */
    uint64_t rows_bad;        /* rows refused or repaired, set by open; details in report */
    char report[400];         /* one line for the run's report: rows, gaps, faults */
};

/* A kind of source, listed in the program's registry. */
struct rt_source_kind {
    const char *name;                /* as in YAML: "klines", "trades", "market" (built-in) */
    const char *help;                /* one sentence */
    const struct rt_option *options; /* declared keys, ends with a NULL name */
    /* opens it: fills init->series; 0 or negative errno with err. */
    int (*open)(struct rt_source_init *init, struct rt_error *err);
    /* frees what open took, given the series open filled. */
    void (*close)(struct rt_series *series, uint32_t cnt);
};
#endif
