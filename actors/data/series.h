/* series.h - what sources of files share: which files of which instrument, rows in one mapping.
 *
 * Thread  boot only, but for the block of a series.
 * Memory  the rows are one anonymous mapping, given to the series. */
#ifndef ACTORS_DATA_SERIES_H
#define ACTORS_DATA_SERIES_H
#include "actors/data/file.h"
#include "actors/market/market.h"
#include "actors/market/session.h"
#include "runtime/base/hash.h"
#include "runtime/core/source.h"
#include <stddef.h>
#include <stdint.h>

enum {
    DATA_FILES_MAX = 4096, /* most files of one series */
};

/* What a source of files was told. */
struct data_spec {
    const struct mk_instrument *instrument; /* whose rows */
    struct rt_node *list;                   /* files:, or NULL */
    const char *file;                       /* file:, or NULL */
    uint32_t file_cnt;                      /* number of files */
};

/* data_spec_read reads kind, instrument, and file or files of init->config. 0 or -EINVAL. */
int data_spec_read(struct rt_source_init *init, struct data_spec *spec, struct rt_error *err);
/* data_spec_files refuses a file that cannot be read, with the place that names it; after all keys
 * have been read. 0 or -EINVAL with err. */
int data_spec_files(struct rt_source_init *init, const struct data_spec *spec,
                    struct rt_error *err);
/* data_spec_file returns the name of file number idx. */
const char *data_spec_file(const struct data_spec *spec, uint32_t idx);

/* data_missing returns how many bars of interval_ns are missing between two; session: when their
 * market trades, NULL = always. */
uint64_t data_missing(const struct mk_session *session, int64_t from_ns, int64_t until_ns,
                      int64_t interval_ns);
/* data_known refuses rows from first_ns to last_ns where it is not known on which days their market
 * is shut, with the place of config. 0 or -EINVAL with err; a session of NULL knows all. */
int data_known(const struct rt_node *config, const struct mk_session *session, int64_t first_ns,
               int64_t last_ns, struct rt_error *err) __attribute__((warn_unused_result));

/* Rows in one mapping; begins zeroed but for row_bytes. */
struct data_rows {
    uint8_t *rows;    /* the first row that counts */
    uint64_t cnt;     /* rows */
    size_t row_bytes; /* size of one */
    uint8_t *map;     /* the mapping, of which rows is a part once it has been cut */
    size_t mapped;    /* its size */
};

/* data_rows_room makes room for more rows behind the last and returns where they go, or NULL with
 * err. Before data_rows_cut only. */
void *data_rows_room(struct data_rows *r, size_t more, struct rt_error *err);
/* data_rows_cut leaves out rows that begin before start_ns or are known after end_ns (those that
 * span nothing: at or after end_ns), and overwrites them with zeros. Rows begin with their instant.
 */
void data_rows_cut(struct data_rows *r, int64_t start_ns, int64_t end_ns, int64_t span_ns);

/* data_series_fill makes the next series of init from rows, whose mapping it takes over (or frees,
 * when it returns NULL with err). The caller sets the kinds, open_of and hash. */
struct rt_series *data_series_fill(struct rt_source_init *init, const struct data_spec *spec,
                                   struct data_rows *rows, int64_t span_ns, struct rt_error *err);
/* What makes rows of the files of a series. */
struct data_reader {
    void *parser; /* its own */
    /* reads the file named name, open as f, behind what rows already holds; 0 or negative errno
     * with err. */
    int (*read)(void *parser, const char *name, const struct data_file *f, struct data_rows *rows,
                struct rt_error *err);
    size_t row_bytes; /* size of a row */
    int64_t span_ns;  /* a row is known so long after it begins */
};
/* data_series_load reads all files of spec in order, cuts their rows to the run's span, makes the
 * next series of init of them, with their hash. The caller sets the kinds and open_of. NULL with
 * err when a file cannot be read, or holds what it should not, or there is no row. */
struct rt_series *data_series_load(struct rt_source_init *init, const struct data_spec *spec,
                                   const struct data_reader *reader, struct rt_error *err);
/* data_series_close is an rt_source_kind.close for such series. */
void data_series_close(struct rt_series *series, uint32_t cnt);

/* The hash of one file, or of the hashes of several. */
struct data_hash {
    uint8_t first[RT_SHA256_BYTES]; /* the first file's */
    uint32_t cnt;                   /* files so far */
    struct rt_sha256 all;           /* over their hashes */
};

/* data_hash_init begins. */
void data_hash_init(struct data_hash *h);
/* data_hash_add adds a file's hash. */
void data_hash_add(struct data_hash *h, const uint8_t file[RT_SHA256_BYTES]);
/* data_hash_end gives the one file's hash, or SHA-256 over all of them in order. */
void data_hash_end(struct data_hash *h, uint8_t out[RT_SHA256_BYTES]);
#endif
