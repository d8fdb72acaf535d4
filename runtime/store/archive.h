/* archive.h - old segments, compressed.
 *
 * For     the disk thread (writes N.seg.zst) and the tape (reads it).
 * Thread  the caller's; a reader belongs to one.
 * Memory  a reader takes its stream's window at open. */
#ifndef RUNTIME_STORE_ARCHIVE_H
#define RUNTIME_STORE_ARCHIVE_H
#include "runtime/base/error.h"
#include <stddef.h>
#include <stdint.h>

struct archive_reader; /* a stream that decompresses; opaque */

/* archive_open opens the compressed segment at path. Returns 0 or negative errno (-ENOENT without
 * err when there is none). */
int archive_open(const char *path, struct archive_reader **out, struct rt_error *err);

/* archive_read gives up to cnt bytes at offset at of the segment; going back starts anew. Returns
 * the bytes, 0 at the end, or negative errno with err. */
int64_t archive_read(struct archive_reader *a, void *to, size_t cnt, uint64_t at,
                     struct rt_error *err);

/* archive_close ends it; a may be NULL. */
void archive_close(struct archive_reader *a);
#endif
