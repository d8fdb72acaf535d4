/* import.h - a file of any known kind, read, checked and repaired: ready to be committed.
 *
 * For     `shrike data import` and `check`. A file holds one set of rows (CSV), or several (a
 *         recording: trades, quotes, book, mark price). Packed files (zip, gzip, zstd) are told by
 *         their bytes.
 * Thread  any one; not on a shard.
 * Memory  the file's text and its rows. */
#ifndef ACTORS_DATA_IMPORT_H
#define ACTORS_DATA_IMPORT_H
#include "actors/data/file.h"
#include "actors/data/intake.h"
#include "actors/data/store.h"

enum { DATA_LOAD_MAX = 4 /* most sets of one file */ };

/* What is known of a file before it is read; what is not is guessed from its name, then its text.
 */
struct data_load_options {
    const char *venue;                   /* NULL = guessed */
    const char *symbol;                  /* NULL = guessed */
    const struct data_stream *stream;    /* NULL = guessed */
    int64_t interval_ns;                 /* 0 = guessed */
    struct data_quality_options quality; /* what is looked for, and done about it */
};

/* One set of a file. */
struct data_loaded {
    struct data_set set;            /* where it belongs; names are empty when they are not known */
    struct data_table table;        /* its rows */
    struct data_quality quality;    /* what was wrong with them */
    uint64_t first_line, last_line; /* lines of the file that they came from */
};

/* A file that was read. */
struct data_load {
    struct data_file file;                 /* its text, and the hash of what is on disk */
    const char *name;                      /* the last part of its path */
    struct data_loaded set[DATA_LOAD_MAX]; /* what it holds */
    uint32_t set_cnt;                      /* how many */
};

/* data_load_file reads and checks path. Returns 0; negative errno with err when it cannot be read
 * or a fault was to be rejected: then what was found is in l all the same, for the report. Closed
 * by data_load_close in any case. */
int data_load_file(const char *path, const struct data_load_options *options, struct data_load *l,
                   struct rt_error *err) __attribute__((warn_unused_result));
/* data_load_close gives its memory back. */
void data_load_close(struct data_load *l);
/* data_guess_set guesses venue, symbol, stream and interval from a path such as
 * "futures/um/.../BTCUSDT-1m-2024-02.zip" or "binance_um_BTCUSDT_1m_202505.csv.zst"; what it cannot
 * tell stays empty. */
void data_guess_set(const char *path, struct data_set *set);
#endif
