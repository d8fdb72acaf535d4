/* poller.h - where a shard waits, and how it is woken.
 *
 * For     the idle end of the shard loop; network I/O comes here too. Two pollers stand behind the
 *         door: poller_uring.c (io_uring; a plain poll where the kernel forbids it, reported) and
 *         the simulated one, which never sleeps and counts (tests).
 * Thread  wait belongs to the shard's thread; wake to anyone, in any process of the run.
 * Memory  the shared part lies in the link memory; the rest is taken at open. */
#ifndef RUNTIME_CORE_POLLER_H
#define RUNTIME_CORE_POLLER_H
#include "runtime/base/error.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The part all processes see. */
struct rt_doorbell {
    _Alignas(128) _Atomic uint32_t parked; /* 1 while the shard sleeps or is about to: it stores 1,
                                            * a full fence, looks again, sleeps; a waker stores its
                                            * frame, a full fence, reads this */
    int32_t fd;                            /* eventfd, inherited by every process of the run */
};

/* A poller: the bell and what its owner waits with. */
struct rt_poller {
    struct rt_doorbell *bell;    /* shared */
    struct rt_poller_impl *impl; /* the owner's own, NULL in other processes and for wakers */
    bool simulated;              /* never sleeps */
    uint64_t sleeps, wakes;      /* how often it slept; was rung */
};

/* rt_doorbell_init makes the bell (eventfd) in shared memory. Returns 0 or negative errno. */
int rt_doorbell_init(struct rt_doorbell *bell);
/* rt_poller_open readies p for its owner; call on the owner's thread. report (cap bytes) gets one
 * sentence when io_uring cannot be had. Returns 0 or negative errno with err. */
int rt_poller_open(struct rt_poller *p, struct rt_doorbell *bell, char *report, unsigned cap,
                   struct rt_error *err);
/* rt_poller_park says that the owner is about to sleep; after it the owner must look once more for
 * work, then call rt_poller_wait or rt_poller_unpark. */
void rt_poller_park(struct rt_poller *p);
/* rt_poller_unpark takes it back. */
void rt_poller_unpark(struct rt_poller *p);
/* rt_poller_wait sleeps until rung or timeout_ns (>= 0) is over, and unparks. */
void rt_poller_wait(struct rt_poller *p, int64_t timeout_ns);
/* rt_poller_wake rings: costs a fence and a load when the other is awake. */
static inline void rt_poller_wake(struct rt_poller *p);
/* rt_poller_ring writes the eventfd: the slow half of rt_poller_wake. */
void rt_poller_ring(struct rt_poller *p);
/* rt_poller_close frees the owner's part. */
void rt_poller_close(struct rt_poller *p);

static inline void rt_poller_wake(struct rt_poller *p) {
    atomic_thread_fence(memory_order_seq_cst);
    if (__builtin_expect(atomic_load_explicit(&p->bell->parked, memory_order_relaxed), 0))
        rt_poller_ring(p);
}
#endif
