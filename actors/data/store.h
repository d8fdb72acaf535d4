/* store.h - the columnar store: what is on disk, and reading it.
 *
 * For     backtests that never wait for input, export, quality.
 *         ROOT/VENUE/SYMBOL/STREAM[-INTERVAL]/ is a set. It holds a `manifest` (text: what was
 *         imported, which segments, which gaps) and segments: files of fixed-width columns in
 *         blocks of DATA_STORE_BLOCK rows, uncompressed, so that mapping one is all there is to
 *         reading it. What the engine does not hear (quote volume, first ids) costs it nothing: it
 * reads its own columns. Layout  segment = head (one page) | index, an entry a block | blocks, from
 *         a page on; block = columns one after the other, each from a multiple of 64 bytes. Little
 *         endian. Each column of a block has a CRC-32C in the index, the index and the head have
 *         their own, and the manifest ends with one, so a flipped bit is found where it is read.
 * Change  segments never change. A commit (commit.h) writes new ones, then replaces the manifest by
 *         rename: a reader sees the set before or after it, and so does who comes after a crash.
 * Time    rows are ordered by time; entries tell the first and last time of their block, so an
 *         instant is found by two binary searches.
 * Thread  one owner; several processes may read while one commits.
 * Memory  the index entries and the manifest's lines are on the heap or mapped; columns are mapped
 *         read-only and shared, so sets may be larger than memory.
 * Cost    checking and turning columns into the engine's rows: see `shrike bench`,
 * store.scan.rate. */
#ifndef ACTORS_DATA_STORE_H
#define ACTORS_DATA_STORE_H
#include "actors/data/stream.h"
#include "actors/data/table.h"
#include "runtime/base/error.h"
#include "runtime/base/hash.h"
#include <limits.h>

enum {
    DATA_STORE_VERSION = 1,       /* of the format; an unknown one is refused */
    DATA_STORE_BLOCK = 4096,      /* rows of a block; the last of a segment may have fewer */
    DATA_STORE_SEGMENT = 1 << 20, /* rows of a segment at most */
    DATA_STORE_PAGE = 4096,       /* heads and first blocks begin on such */
    DATA_STORE_NAME = 32,         /* bytes of a venue's, symbol's or file's name, with the NUL */
};

/* Where a set is. */
struct data_set {
    char venue[DATA_STORE_NAME];      /* "binance-um" */
    char symbol[DATA_STORE_NAME];     /* the venue's word */
    const struct data_stream *stream; /* what its rows are */
    int64_t interval_ns;              /* of bars, else 0 */
};

/* An entry of a segment's index: one block. No padding. */
struct data_store_entry {
    int64_t first_ns;                      /* time of its first row */
    int64_t last_ns;                       /* and of its last */
    uint64_t at;                           /* offset of its first column in the file */
    uint32_t rows;                         /* rows in it, 1..DATA_STORE_BLOCK */
    uint32_t pad;                          /* zero */
    uint32_t crc[DATA_STREAM_COLUMNS_MAX]; /* CRC-32C of each column */
};

/* Head of a segment; the rest of its page is zero. */
struct data_store_head {
    char magic[8];       /* "SHRIKEC\n" */
    uint32_t version;    /* DATA_STORE_VERSION */
    uint32_t stream;     /* data_stream.number */
    uint32_t column_cnt; /* columns, at most the stream's */
    uint32_t block_cnt;  /* blocks */
    int64_t interval_ns; /* of bars, else 0 */
    uint64_t rows;       /* rows in all blocks */
    int64_t first_ns;    /* time of the first row */
    int64_t last_ns;     /* and of the last */
    uint64_t bytes;      /* of the file */
    uint32_t index_crc;  /* CRC-32C of the index */
    uint32_t crc;        /* CRC-32C of what stands before it */
};

/* One segment as the manifest lists it. */
struct data_segment {
    char name[DATA_STORE_NAME];           /* of its file */
    uint64_t rows;                        /* in it */
    int64_t first_ns, last_ns;            /* times of its first and last row */
    uint64_t bytes;                       /* of its file */
    uint32_t head_crc;                    /* data_store_head.crc: names its content */
    uint32_t pad;                         /* zero */
    uint64_t row;                         /* rows of the set before it */
    const uint8_t *map;                   /* the file, NULL until used */
    const struct data_store_entry *index; /* in it */
    uint32_t block_cnt;                   /* entries */
    uint32_t column_cnt;                  /* columns it has; later ones are not told */
};

/* One import as the manifest lists it. */
struct data_import {
    uint32_t number;                /* from 1; import-NUMBER.csv tells what was repaired */
    uint32_t pad;                   /* zero */
    int64_t time_ns;                /* when */
    char tool[DATA_STORE_NAME];     /* version of the program */
    char hash[RT_SHA256_CHARS + 1]; /* SHA-256 of the source file, hex */
    uint64_t first_line, last_line; /* lines of the source that rows came from */
    uint64_t rows;                  /* rows taken */
    uint64_t same;                  /* rows that were there already */
    uint64_t left_out;              /* rows kept out, in quarantine */
    uint64_t repaired;              /* values changed */
    int64_t first_ns, last_ns;      /* span of its rows */
    char source[200];               /* name of the source file */
};

/* One gap. */
struct data_gap {
    int64_t from_ns;  /* bars: open time of the first one missing; else the row before it */
    int64_t until_ns; /* bars: open time of the next one there; else the row after it */
    uint64_t missing; /* rows missing; 0 = not known */
};

/* An open set. */
struct data_store {
    char dir[PATH_MAX];            /* its directory */
    struct data_set set;           /* which */
    struct data_segment *segments; /* in order of time */
    struct data_import *imports;   /* in order */
    struct data_gap *gaps;         /* in order of time */
    uint32_t segment_cnt;          /* how many */
    uint32_t import_cnt;           /* how many */
    uint32_t gap_cnt;              /* how many */
    uint32_t number;               /* highest number of a file so far */
    uint64_t rows;                 /* in all */
};

/* data_set_dir writes the directory of a set into out. Returns 0 or -ENAMETOOLONG with err. */
int data_set_dir(const char *root, const struct data_set *set, char out[PATH_MAX],
                 struct rt_error *err) __attribute__((warn_unused_result));
/* data_set_name_ok tells whether name can be a venue or symbol: letters, digits, - _ . */
bool data_set_name_ok(const char *name);

/* data_store_open opens the set in dir. Returns 0; -ENOENT with err when there is none; -EBADMSG
 * with err when its manifest is damaged. */
int data_store_open(const char *dir, struct data_store *s, struct rt_error *err)
    __attribute__((warn_unused_result));
/* data_store_close gives memory and mappings back. */
void data_store_close(struct data_store *s);
/* data_store_parse reads a manifest (for data_store_open and the fuzz target). Returns 0, or
 * -EBADMSG with err; s->dir is the caller's. */
int data_store_parse(const char *name, const char *text, size_t cnt, struct data_store *s,
                     struct rt_error *err) __attribute__((warn_unused_result));

/* data_segment_check holds a mapped segment of cnt bytes against the format and set, and finds its
 * index. Returns 0 or -EBADMSG with err. */
int data_segment_check(const char *name, const uint8_t *map, size_t cnt, const struct data_set *set,
                       struct data_segment *segment, struct rt_error *err)
    __attribute__((warn_unused_result));
/* data_segment_use maps the segment number idx when it is not yet. Returns 0, or negative errno
 * with err. */
int data_segment_use(struct data_store *s, uint32_t idx, struct rt_error *err)
    __attribute__((warn_unused_result));
/* data_block_column returns where a column of a block begins, NULL when the segment has none. */
const uint8_t *data_block_column(const struct data_store *s, const struct data_segment *segment,
                                 uint32_t block, uint32_t column);
/* data_block_check compares the columns of mask with their CRCs. Returns 0, or -EBADMSG with err
 * naming segment, block and column. */
int data_block_check(const struct data_store *s, const struct data_segment *segment, uint32_t block,
                     uint32_t mask, struct rt_error *err) __attribute__((warn_unused_result));
/* data_store_row_of returns how many rows begin before ns: the number of the first that does not.
 * Negative errno with err when a segment cannot be read. */
int64_t data_store_row_of(struct data_store *s, int64_t ns, struct rt_error *err);
/* data_store_find tells in which block row number row is: *segment, *block, and the row's number
 * within it. Returns 0, or negative errno with err. */
int data_store_find(struct data_store *s, uint64_t row, uint32_t *segment, uint32_t *block,
                    uint32_t *within, struct rt_error *err) __attribute__((warn_unused_result));
/* data_store_read adds the rows first..first+cnt to t, checked. Returns 0, or negative errno with
 * err. */
int data_store_read(struct data_store *s, uint64_t first, uint64_t cnt, struct data_table *t,
                    struct rt_error *err) __attribute__((warn_unused_result));
/* data_rows_decode turns rows from..from+cnt of a block into the engine's rows, of which pattern is
 * one with everything set that is no column. Columns are not checked. */
void data_rows_decode(const struct data_store *s, const struct data_segment *segment,
                      uint32_t block, uint32_t from, uint32_t cnt, const void *pattern,
                      uint8_t *rows);
/* data_row_mask returns the columns that the engine's rows are made of, as bits. */
uint32_t data_row_mask(const struct data_stream *s);
#endif
