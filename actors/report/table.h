/* table.h - a result file read back: columns by name, cells as they lie in the file.
 *
 * For     whoever reads orders.csv, fills.csv, trades.csv or equity.csv of a run (compare.h).
 * Thread  the caller's.
 * Memory  the file's bytes and one offset a cell; freed by report_table_close. */
#ifndef ACTORS_REPORT_TABLE_H
#define ACTORS_REPORT_TABLE_H
#include "runtime/base/error.h"
#include <stddef.h>
#include <stdint.h>

enum { REPORT_COLUMNS_MAX = 64, REPORT_LINE_MAX = 4096 }; /* bounds of a file */

/* A cell: text that is not NUL-terminated. */
struct report_cell {
    const char *text; /* its first character */
    size_t cnt;       /* characters */
};

/* A file read whole. */
struct report_table {
    char path[400];            /* its name, for errors */
    char *bytes;               /* its text */
    size_t size;               /* bytes of it */
    struct report_cell *cells; /* row by row, the heading first */
    uint64_t rows;             /* without the heading */
    uint32_t columns;          /* of every row */
};

/* report_table_open reads dir/name. Returns 0, or negative errno with err: not there, a row with
 * another number of columns, a line too long. */
int report_table_open(struct report_table *t, const char *dir, const char *name,
                      struct rt_error *err) __attribute__((warn_unused_result));
/* report_table_close frees it. */
void report_table_close(struct report_table *t);
/* report_table_column returns the index of the column named name, or -ENOENT with err. */
int report_table_column(const struct report_table *t, const char *name, struct rt_error *err);
/* report_table_cell returns a cell of row (from 0). */
static inline struct report_cell report_table_cell(const struct report_table *t, uint64_t row,
                                                   int column) {
    return t->cells[(row + 1) * t->columns + (uint32_t)column];
}
/* report_table_fixed reads a cell as a decimal (1e-8); an empty one is 0. Returns 0, or -EBADMSG
 * with err. */
int report_table_fixed(const struct report_table *t, uint64_t row, int column, int64_t *out,
                       struct rt_error *err);
/* report_table_whole reads a cell as a whole number, which may be below zero. 0 or -EBADMSG. */
int report_table_whole(const struct report_table *t, uint64_t row, int column, int64_t *out,
                       struct rt_error *err);
#endif
