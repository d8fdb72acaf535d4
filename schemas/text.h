/* text.h - messages as text.
 *
 * For     people and tools: journal dump, console, tests. Not for the hot path.
 * Thread  pure functions.
 * Memory  the caller's buffer. As snprintf does, each returns the bytes the whole text has without
 *         its NUL, writes what fits, and always ends it with NUL when cap > 0.
 *
 * Both check the body (verify.h) and return 0 with an empty text when it is not what its kind says,
 * so they may be given anything whose head says a size that is there. */
#ifndef SCHEMAS_TEXT_H
#define SCHEMAS_TEXT_H
#include "schemas/frame.h"
#include <stddef.h>

/* msg_to_json writes the body of frame as flatc --json --strict-json would, without blanks:
 * integers as they are (money in 1e-8, times in ns), names of enums as strings, absent fields left
 * out. Doubles are written so that they read back the same; those that are no number as "nan",
 * "inf",
 * "-inf" in quotes, which flatc reads too. */
size_t msg_to_json(const struct msg_frame *frame, char *out, size_t cap);

/* msg_print writes frame as one line for people, head and body: money as decimals, points in time
 * as dates, padding left out. */
size_t msg_print(const struct msg_frame *frame, char *out, size_t cap);
#endif
