/* poller_uring.c - waiting by io_uring, or by poll where the kernel forbids it. */
#include "runtime/core/poller.h"
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The owner's part. */
struct rt_poller_impl {
    struct io_uring ring; /* its ring, valid when uring */
    uint64_t count;       /* where the bell's counter is read to */
    bool uring;           /* io_uring serves */
    bool armed;           /* a read of the bell is under way */
};

int rt_doorbell_init(struct rt_doorbell *bell) {
    atomic_store(&bell->parked, 0);
    bell->fd = eventfd(0, EFD_CLOEXEC);
    return bell->fd < 0 ? -errno : 0;
}

int rt_poller_open(struct rt_poller *p, struct rt_doorbell *bell, char *report, unsigned cap,
                   struct rt_error *err) {
    p->bell = bell;
    p->impl = calloc(1, sizeof *p->impl);
    if (!p->impl) return rt_error_set(err, -ENOMEM, "no memory for a poller");
    if (report && cap) report[0] = 0;
    struct io_uring_params params = { .flags = IORING_SETUP_SINGLE_ISSUER |
                                               IORING_SETUP_DEFER_TASKRUN |
                                               IORING_SETUP_TASKRUN_FLAG };
    int code = io_uring_queue_init_params(64, &p->impl->ring, &params);
    if (code == -EINVAL) { /* kernels before 6.1 */
        memset(&params, 0, sizeof params);
        code = io_uring_queue_init_params(64, &p->impl->ring, &params);
    }
    p->impl->uring = code == 0;
    if (code < 0 && report)
        snprintf(report, cap, "io_uring cannot be had (%s): waiting by poll instead",
                 strerror(-code));
    return 0;
}

void rt_poller_park(struct rt_poller *p) {
    atomic_store_explicit(&p->bell->parked, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* pairs with the one in rt_poller_wake */
}

void rt_poller_unpark(struct rt_poller *p) {
    atomic_store_explicit(&p->bell->parked, 0, memory_order_relaxed);
}

/* wait_poll waits by poll. */
static void wait_poll(struct rt_poller *p, int64_t timeout_ns) {
    struct pollfd fd = { .fd = p->bell->fd, .events = POLLIN };
    struct timespec t = { .tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000 };
    if (ppoll(&fd, 1, &t, NULL) > 0 && read(p->bell->fd, &p->impl->count, 8) == 8) p->wakes++;
}

/* wait_uring waits by io_uring: a read of the bell stays armed over many waits. */
static void wait_uring(struct rt_poller *p, int64_t timeout_ns) {
    struct rt_poller_impl *m = p->impl;
    if (!m->armed) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&m->ring);
        if (!sqe) return;
        io_uring_prep_read(sqe, p->bell->fd, &m->count, 8, 0);
        m->armed = true;
    }
    struct __kernel_timespec t = { .tv_sec = timeout_ns / 1000000000,
                                   .tv_nsec = timeout_ns % 1000000000 };
    struct io_uring_cqe *cqe = NULL;
    io_uring_submit_and_wait_timeout(&m->ring, &cqe, 1, &t, NULL);
    while (io_uring_peek_cqe(&m->ring, &cqe) == 0 && cqe) {
        m->armed = false;
        p->wakes++;
        io_uring_cqe_seen(&m->ring, cqe);
        cqe = NULL;
    }
}

void rt_poller_wait(struct rt_poller *p, int64_t timeout_ns) {
    if (!p->simulated) {
        p->sleeps++;
        if (p->impl->uring)
            wait_uring(p, timeout_ns);
        else
            wait_poll(p, timeout_ns);
    }
    rt_poller_unpark(p);
}

void rt_poller_ring(struct rt_poller *p) {
    uint64_t one = 1;
    atomic_store_explicit(&p->bell->parked, 0, memory_order_relaxed); /* once is enough */
    if (write(p->bell->fd, &one, 8) != 8) return; /* a full counter rings all the same */
}

void rt_poller_close(struct rt_poller *p) {
    if (!p->impl) return;
    if (p->impl->uring) io_uring_queue_exit(&p->impl->ring);
    free(p->impl);
    p->impl = NULL;
}
