/* out.h - text files written by hand-made formatting: a buffer, decimals, numbers, words.
 *
 * For     result files, where a row must cost about 100 ns.
 * Thread  the caller's.
 * Memory  the buffer inside.
 * Errors  the first failed write is kept and told by report_out_close. */
#ifndef ACTORS_REPORT_OUT_H
#define ACTORS_REPORT_OUT_H
#include "runtime/base/decimal.h"
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    REPORT_OUT_BYTES = 1 << 16, /* buffer */
    REPORT_OUT_ROOM = 1024,     /* what one row may take at most */
};

/* A file being written. */
struct report_out {
    int fd;                        /* the file; -1 = closed */
    int error;                     /* first failed write, negative errno */
    size_t used;                   /* bytes in the buffer */
    char path[4200];               /* its name when it is whole; written under NAME.new */
    char buffer[REPORT_OUT_BYTES]; /* not yet written */
};

/* report_out_open begins dir/name with the line heading. Returns 0 or negative errno with err. */
int report_out_open(struct report_out *o, const char *dir, const char *name, const char *heading,
                    struct rt_error *err) __attribute__((warn_unused_result));
/* report_out_flush writes the buffer. */
void report_out_flush(struct report_out *o);
/* report_out_close writes the rest and gives the file its name, or drops it when drop is set.
 * Returns 0 or negative errno with err. Closing twice does nothing. */
int report_out_close(struct report_out *o, bool drop, struct rt_error *err);

/* report_out_row makes room for a row. */
static inline void report_out_row(struct report_out *o) {
    if (o->used > REPORT_OUT_BYTES - REPORT_OUT_ROOM) report_out_flush(o);
}
/* report_out_end ends a row. */
static inline void report_out_end(struct report_out *o) {
    o->buffer[o->used - 1] = '\n'; /* in place of the last comma */
}
/* report_out_text writes text and a comma; text has at most 64 characters. */
static inline void report_out_text(struct report_out *o, const char *text) {
    char *at = o->buffer + o->used;
    while (*text) *at++ = *text++;
    *at++ = ',';
    o->used = (size_t)(at - o->buffer);
}
/* report_out_whole writes a whole number and a comma. */
static inline void report_out_whole(struct report_out *o, uint64_t v) {
    char back[20];
    size_t cnt = 0;
    do back[cnt++] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    char *at = o->buffer + o->used;
    while (cnt) *at++ = back[--cnt];
    *at++ = ',';
    o->used = (size_t)(at - o->buffer);
}
/* report_out_time writes an instant in ns and a comma. */
static inline void report_out_time(struct report_out *o, int64_t ns) {
    if (ns < 0) o->buffer[o->used++] = '-';
    report_out_whole(o, ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns);
}
/* report_out_fixed writes v (1e-8) as a decimal and a comma. */
static inline void report_out_fixed(struct report_out *o, int64_t v) {
    o->used += rt_decimal_format(v, o->buffer + o->used);
    o->buffer[o->used++] = ',';
}
/* report_out_none writes an absent value. */
static inline void report_out_none(struct report_out *o) {
    o->buffer[o->used++] = ',';
}
#endif
