/* archive.h - old segments, compressed.
 *
 * For     the disk thread (writes N.seg.zst, a slice at a time) and the tape (reads it).
 * Thread  the caller's; a reader and a writer belong to one each.
 * Memory  a reader takes its stream's window at open, a writer its buffers at begin.
 * Format  a skippable zstd frame of 128 bytes that holds the segment's head, so that its base is
 *         known without decompressing; then one zstd frame with checksum: the segment's bytes from
 *         its start to the end of its records. */
#ifndef RUNTIME_STORE_ARCHIVE_H
#define RUNTIME_STORE_ARCHIVE_H
#include "runtime/base/error.h"
#include <stddef.h>
#include <stdint.h>

struct archive_reader; /* a stream that decompresses; opaque */
struct archive_writer; /* a compression under way; opaque */

/* archive_open opens the compressed segment at path. Returns 0 or negative errno (-ENOENT without
 * err when there is none). */
int archive_open(const char *path, struct archive_reader **out, struct rt_error *err);

/* archive_read gives up to cnt bytes at offset at of the segment; going back starts anew. Returns
 * the bytes, 0 at the end, or negative errno with err (-EBADMSG: the stream is damaged). */
int64_t archive_read(struct archive_reader *a, void *to, size_t cnt, uint64_t at,
                     struct rt_error *err);

/* archive_close ends it; a may be NULL. */
void archive_close(struct archive_reader *a);

/* archive_begin begins to compress the first bytes bytes of segment file from into file to. Returns
 * 0 or negative errno. */
int archive_begin(const char *from, const char *to, uint64_t bytes, struct archive_writer **out);

/* archive_slice compresses about a quarter MiB more. Returns 1 while there is more to do, 0 when
 * all is written, or negative errno. */
int archive_slice(struct archive_writer *w);

/* archive_fd returns the descriptor of what is written, for its sync. */
int archive_fd(const struct archive_writer *w);

/* archive_end closes both files and frees w, which may be NULL. */
void archive_end(struct archive_writer *w);
#endif
