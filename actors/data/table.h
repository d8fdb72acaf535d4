/* table.h - rows of a stream in memory, column by column, each with the line it came from.
 *
 * For     import, export, quality and repair; the engine never sees one.
 * Thread  any one; not on a shard.
 * Memory  heap, row by row's widths; grows by half. */
#ifndef ACTORS_DATA_TABLE_H
#define ACTORS_DATA_TABLE_H
#include "actors/data/stream.h"
#include "runtime/base/error.h"
#include <string.h>

/* A table. */
struct data_table {
    const struct data_stream *stream;         /* what its columns are */
    int64_t interval_ns;                      /* length of a bar, 0 = rows are no bars */
    uint64_t cnt;                             /* rows */
    uint64_t room;                            /* rows there is room for */
    uint8_t *column[DATA_STREAM_COLUMNS_MAX]; /* their values */
    uint64_t *line;                           /* line of the source each came from, 0 = made here */
};

/* data_table_init makes an empty table of s. */
void data_table_init(struct data_table *t, const struct data_stream *s, int64_t interval_ns);
/* data_table_fini gives its memory back. */
void data_table_fini(struct data_table *t);
/* data_table_reserve makes room for more rows. Returns 0 or -ENOMEM with err. */
int data_table_reserve(struct data_table *t, uint64_t more, struct rt_error *err)
    __attribute__((warn_unused_result));
/* data_table_add adds a row of which nothing is told; the caller has reserved room. Returns its
 * number. */
uint64_t data_table_add(struct data_table *t, uint64_t line);
/* data_table_copy copies row from of another table of the same stream to row to. */
void data_table_copy(struct data_table *t, uint64_t to, const struct data_table *other,
                     uint64_t from);
/* data_table_keep leaves only the rows whose keep[row] is not 0, in their order. */
void data_table_keep(struct data_table *t, const uint8_t *keep);
/* data_table_sort orders the rows by time, rows of one instant as they stood. Returns 0 or
 * -ENOMEM with err. */
int data_table_sort(struct data_table *t, struct rt_error *err) __attribute__((warn_unused_result));
/* data_table_same_key tells whether two rows have the same time and key. */
bool data_table_same_key(const struct data_table *a, uint64_t i, const struct data_table *b,
                         uint64_t k);
/* data_table_same tells whether two rows are equal in every column that both tell. */
bool data_table_same(const struct data_table *a, uint64_t i, const struct data_table *b,
                     uint64_t k);
/* data_table_text writes a value as text (at most 39 characters); an untold one is empty. Returns
 * out. */
const char *data_table_text(const struct data_table *t, uint64_t row, uint32_t column,
                            char out[40]);

/* data_i64 reads an integer of a row. */
static inline int64_t data_i64(const struct data_table *t, uint64_t row, uint32_t column) {
    int64_t v;
    memcpy(&v, t->column[column] + row * 8, 8);
    return v;
}
/* data_i64_put writes one. */
static inline void data_i64_put(struct data_table *t, uint64_t row, uint32_t column, int64_t v) {
    memcpy(t->column[column] + row * 8, &v, 8);
}
/* data_f64 reads a double of a row. */
static inline double data_f64(const struct data_table *t, uint64_t row, uint32_t column) {
    double v;
    memcpy(&v, t->column[column] + row * 8, 8);
    return v;
}
/* data_f64_put writes one. */
static inline void data_f64_put(struct data_table *t, uint64_t row, uint32_t column, double v) {
    memcpy(t->column[column] + row * 8, &v, 8);
}
/* data_time returns when a row begins. */
static inline int64_t data_time(const struct data_table *t, uint64_t row) {
    return data_i64(t, row, 0);
}
/* data_told tells whether a value is there. */
bool data_told(const struct data_table *t, uint64_t row, uint32_t column);
#endif
