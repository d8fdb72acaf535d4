#include "runtime/store/tail.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/seam.h"
#include "runtime/store/journal.h"
#include "runtime/store/segment.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* What a tail's file says; one write of one sector, so never half. */
struct tail_file {
    char magic[8];     /* "SHRKTAIL" */
    uint64_t position; /* records from here on are needed */
    uint32_t zero;     /* 0 */
    uint32_t crc;      /* CRC32C of all bytes before it */
};
_Static_assert(sizeof(struct tail_file) == 24, "the tail's file is part of the format");

static const char tail_magic[8] = { 'S', 'H', 'R', 'K', 'T', 'A', 'I', 'L' };

/* tail_path writes the path of the file of tail name. Returns 0, or -EINVAL for a bad name. */
static int tail_path(const char *dir, const char *name, char path[SEG_PATH_MAX]) {
    size_t len = strlen(name);
    if (len < 1 || len > 32 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
        return -EINVAL;
    return snprintf(path, SEG_PATH_MAX, "%s/%s.tail", dir, name) < SEG_PATH_MAX ? 0 : -EINVAL;
}

/* tail_write writes position to the file at path, opened with flags. */
static int tail_write(const char *path, int flags, uint64_t position) {
    struct tail_file t = { .position = position };
    memcpy(t.magic, tail_magic, sizeof t.magic);
    t.crc = rt_crc32c(&t, offsetof(struct tail_file, crc));
    int fd = rt_seam->open(path, O_WRONLY | flags, 0600);
    if (fd < 0) return fd;
    ssize_t n = rt_seam->pwrite(fd, &t, sizeof t, 0);
    rt_seam->close(fd);
    return n < 0 ? (int)n : 0;
}

int rt_tail_register(const char *dir, const char *name, uint64_t position, struct rt_error *err) {
    char path[SEG_PATH_MAX];
    int code = tail_path(dir, name, path);
    if (code < 0)
        return rt_error_set(err, code, "tail \"%.40s\": expected a name of 1..32 of a-z, 0-9, -",
                            name);
    code = tail_write(path, O_CREAT, position);
    if (code < 0)
        return rt_error_set(err, code, "%s: cannot be written: %s", path, strerror(-code));
    return 0;
}

int rt_tail_move(const char *dir, const char *name, uint64_t position) {
    char path[SEG_PATH_MAX];
    int code = tail_path(dir, name, path);
    return code < 0 ? code : tail_write(path, 0, position);
}

int rt_tail_drop(const char *dir, const char *name) {
    char path[SEG_PATH_MAX];
    int code = tail_path(dir, name, path);
    return code < 0 ? code : rt_seam->unlink(path);
}

uint64_t tail_lowest(const char *dir) {
    uint64_t lowest = UINT64_MAX;
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d != NULL && (e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name);
        if (len < 6 || strcmp(e->d_name + len - 5, ".tail") != 0) continue;
        char path[SEG_PATH_MAX];
        if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path) continue;
        struct tail_file t;
        int fd = rt_seam->open(path, O_RDONLY, 0);
        if (fd == -ENOENT) continue; /* dropped while we looked */
        ssize_t n = fd < 0 ? fd : rt_seam->pread(fd, &t, sizeof t, 0);
        if (fd >= 0) rt_seam->close(fd);
        bool good = n == sizeof t && memcmp(t.magic, tail_magic, sizeof t.magic) == 0 &&
                    t.crc == rt_crc32c(&t, offsetof(struct tail_file, crc));
        if (!good) t.position = 0;
        if (t.position < lowest) lowest = t.position;
    }
    if (d != NULL) closedir(d);
    return lowest;
}
