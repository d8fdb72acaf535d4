/* error.h - one sentence about what went wrong, for the person who can mend it.
 *
 * For     slow paths (start, files, commands). The deepest place that knows fills it once; those
 *         above pass it on. The hot path returns codes only.
 * Thread  the caller's.
 * Memory  caller's; allocates nothing. */
#ifndef RUNTIME_BASE_ERROR_H
#define RUNTIME_BASE_ERROR_H
#include <stdarg.h>

/* One error. text is empty when nothing went wrong. */
struct rt_error {
    int code;       /* negative errno value */
    char text[500]; /* "file:line:column: what was wrong; what was expected", no newline */
};

/* rt_error_set fills err (may be NULL) with code (negative errno) and the printf-like sentence, cut
 * to fit, and returns code, so that "return rt_error_set(...)" reads well. */
int rt_error_set(struct rt_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#endif
