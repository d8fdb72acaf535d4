/* seam.h - the one table through which the store's file operations, ring submissions and clock
 * reads go.
 *
 * For     tests: a table of their own makes call N fail, come late, write half, or say success
 *         while nothing reached the disk. In a running engine it is a constant nobody replaces.
 * Thread  the table is chosen before any thread that uses it starts; its functions are called from
 *         every thread.
 * Errors  every function returns 0 or more, or a negative errno; none sets errno. */
#ifndef RUNTIME_BASE_SEAM_H
#define RUNTIME_BASE_SEAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What an asynchronous operation does. */
enum rt_seam_kind {
    RT_SEAM_WRITE, /* pwrite */
    RT_SEAM_SYNC,  /* fdatasync */
};

/* One operation on its way to the ring (or to the calls that stand in for it). */
struct rt_seam_op {
    enum rt_seam_kind kind; /* what */
    int fd;                 /* on which file */
    const void *bytes;      /* write: from here */
    size_t cnt;             /* write: so many bytes; a test may make it less (torn) */
    uint64_t at;            /* write: to this offset of the file */
    int64_t delay_ns;       /* a test sets it: completes no sooner than after this time */
    bool done;              /* a test sets it: not carried out, completes with result */
    int64_t result;         /* with done: what it completes with (bytes, 0 or negative errno) */
};

/* The table. */
struct rt_seam {
    /* open(2), always with O_CLOEXEC; returns the descriptor. */
    int (*open)(const char *path, int flags, mode_t mode);
    /* close(2) */
    int (*close)(int fd);
    /* pread(2), repeated until cnt bytes or the file's end; returns the bytes. */
    ssize_t (*pread)(int fd, void *to, size_t cnt, uint64_t at);
    /* pwrite(2), repeated until cnt bytes; returns cnt. */
    ssize_t (*pwrite)(int fd, const void *from, size_t cnt, uint64_t at);
    /* fdatasync(2) */
    int (*fdatasync)(int fd);
    /* fsync(2) */
    int (*fsync)(int fd);
    /* posix_fallocate(3): afterwards a store into these bytes cannot find the disk full. */
    int (*fallocate)(int fd, uint64_t at, uint64_t bytes);
    /* ftruncate(2) */
    int (*truncate)(int fd, uint64_t bytes);
    /* rename(2) */
    int (*rename)(const char *from, const char *to);
    /* unlink(2) */
    int (*unlink)(const char *path);
    /* mkdir(2) */
    int (*mkdir)(const char *path, mode_t mode);
    /* asked before an io_uring is made: 0, or negative errno to have none. */
    int (*ring_setup)(void);
    /* looks at, and may change, each operation before it is submitted. */
    void (*ring_op)(struct rt_seam_op *op);
    /* CLOCK_MONOTONIC, ns. */
    int64_t (*now_ns)(void);
    /* called before the disk thread sleeps for *ns at the most: may sleep in its place, and leave
     * in *ns what is still to be slept. */
    void (*sleep_ns)(int64_t *ns);
};

/* The real table; tests copy it and replace what they need. */
extern const struct rt_seam rt_seam_real;

/* The table in use. */
extern const struct rt_seam *rt_seam;
#endif
