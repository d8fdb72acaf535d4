/* file.h - the bytes of a data file, plain or packed, and the hash of what lies on disk.
 *
 * For     sources of rows and import. zstd, gzip and zip (of one file) are told by their first
 *         bytes, not by name.
 * Thread  boot only.
 * Memory  plain files are mapped and read in place; packed ones are unpacked into an anonymous
 *         mapping of at most DATA_UNPACKED_MAX bytes and half of the memory that is available. */
#ifndef ACTORS_DATA_FILE_H
#define ACTORS_DATA_FILE_H
#include "runtime/base/error.h"
#include <stddef.h>
#include <stdint.h>

/* Bounds of what is read. */
#define DATA_FILE_MAX     (64ULL << 30) /* bytes of a file on disk */
#define DATA_UNPACKED_MAX (32ULL << 30) /* bytes of a packed file once unpacked */

/* An open data file. */
struct data_file {
    const char *bytes; /* its text */
    size_t cnt;        /* bytes of it, at least 1 */
    void *map;         /* the mapping behind bytes */
    size_t map_bytes;  /* its size */
    uint8_t hash[32];  /* SHA-256 of the bytes on disk */
};

/* data_file_open reads path (relative paths from base_dir, NULL = as is). Returns 0, or negative
 * errno with err: not there, not a plain file, empty, too large, packed bytes that do not unpack.
 */
int data_file_open(const char *base_dir, const char *path, struct data_file *f,
                   struct rt_error *err) __attribute__((warn_unused_result));
/* data_file_close gives the bytes back. */
void data_file_close(struct data_file *f);

/* data_map gives zeroed pages for at least bytes, huge ones where they can be had; NULL when there
 * is no memory. *mapped is what data_unmap takes. */
void *data_map(size_t bytes, size_t *mapped);
/* data_remap makes a mapping larger, moving it where needed; NULL when there is no memory, the old
 * one then stays. */
void *data_remap(void *map, size_t *mapped, size_t bytes);
/* data_unmap gives pages back; NULL is fine. */
void data_unmap(void *map, size_t mapped);
#endif
