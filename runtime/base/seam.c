#include "runtime/base/seam.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* real_open is open(2), restarted when a signal comes. */
static int real_open(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

/* real_close is close(2); an interrupted close has closed. */
static int real_close(int fd) {
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

/* real_pread reads until cnt bytes or the end of the file. */
static ssize_t real_pread(int fd, void *to, size_t cnt, uint64_t at) {
    size_t got = 0;
    while (got < cnt) {
        ssize_t n = pread(fd, (char *)to + got, cnt - got, (off_t)(at + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* real_pwrite writes all cnt bytes. */
static ssize_t real_pwrite(int fd, const void *from, size_t cnt, uint64_t at) {
    size_t put = 0;
    while (put < cnt) {
        ssize_t n = pwrite(fd, (const char *)from + put, cnt - put, (off_t)(at + put));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return -EIO;
        put += (size_t)n;
    }
    return (ssize_t)put;
}

/* real_fdatasync is fdatasync(2); never repeated after an error, which would hide it. */
static int real_fdatasync(int fd) {
    return fdatasync(fd) < 0 ? -errno : 0;
}

/* real_fsync is fsync(2). */
static int real_fsync(int fd) {
    return fsync(fd) < 0 ? -errno : 0;
}

/* real_fallocate is posix_fallocate(3). */
static int real_fallocate(int fd, uint64_t at, uint64_t bytes) {
    int code;
    do code = posix_fallocate(fd, (off_t)at, (off_t)bytes);
    while (code == EINTR);
    return -code;
}

/* real_truncate is ftruncate(2). */
static int real_truncate(int fd, uint64_t bytes) {
    return ftruncate(fd, (off_t)bytes) < 0 ? -errno : 0;
}

/* real_rename is rename(2). */
static int real_rename(const char *from, const char *to) {
    return rename(from, to) < 0 ? -errno : 0;
}

/* real_unlink is unlink(2). */
static int real_unlink(const char *path) {
    return unlink(path) < 0 ? -errno : 0;
}

/* real_mkdir is mkdir(2). */
static int real_mkdir(const char *path, mode_t mode) {
    return mkdir(path, mode) < 0 ? -errno : 0;
}

/* real_ring_setup has no objection. */
static int real_ring_setup(void) {
    return 0;
}

/* real_ring_op changes nothing. */
static void real_ring_op(struct rt_seam_op *op) {
    (void)op;
}

/* real_now_ns reads CLOCK_MONOTONIC. */
static int64_t real_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* real_sleep_ns leaves it to the thread. */
static void real_sleep_ns(int64_t *ns) {
    (void)ns;
}

const struct rt_seam rt_seam_real = {
    .open = real_open,
    .close = real_close,
    .pread = real_pread,
    .pwrite = real_pwrite,
    .fdatasync = real_fdatasync,
    .fsync = real_fsync,
    .fallocate = real_fallocate,
    .truncate = real_truncate,
    .rename = real_rename,
    .unlink = real_unlink,
    .mkdir = real_mkdir,
    .ring_setup = real_ring_setup,
    .ring_op = real_ring_op,
    .now_ns = real_now_ns,
    .sleep_ns = real_sleep_ns,
};

const struct rt_seam *rt_seam = &rt_seam_real;
