/* log.h - the log: threads leave an event number and three integers, another makes the words.
 *
 * For     everything people should read about a run while it runs. What must not be lost is in the
 *         journal: a record that finds its ring full is dropped and counted, and so is a line that
 *         cannot be written (a full disk, a pipe nobody reads).
 * Thread  RT_LOG from any thread; a hot one attaches a ring of its own first, the others share one
 *         behind a lock. One formatter thread a process drains the rings, about 20 times a second.
 * Memory  static: 128 KiB a ring, touched when attached. Nothing is allocated after start.
 * Cost    RT_LOG on an attached thread: a stamp and 48 bytes, about 9 ns. */
#ifndef RUNTIME_WATCH_LOG_H
#define RUNTIME_WATCH_LOG_H
#include "runtime/base/error.h"
#include "runtime/watch/events.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <x86intrin.h>

struct rt_metrics_log; /* metrics.h */

/* The shape of the rings. */
enum {
    RT_LOG_SLOTS = 2048, /* records a ring holds; a power of two */
    RT_LOG_RINGS = 72,   /* rings: the shared one and those of attached threads */
    RT_LOG_NAME = 24,    /* bytes of a thread's name with its NUL */
};

/* How much an event matters. */
enum rt_log_level { RT_LOG_DEBUG, RT_LOG_INFO, RT_LOG_WARN, RT_LOG_ERROR };

/* One event of a table: RT_LOG_EVENTS (events.h), or a program's own. */
struct rt_log_event {
    const char *name;        /* "shard_started": what machines look for */
    enum rt_log_level level; /* how much it matters */
    const char *sentence;    /* what people read; forms as in events.h */
};

/* One record in a ring: a cache line. */
struct rt_log_record {
    uint64_t tsc;     /* when: the time stamp counter */
    uint32_t event;   /* enum rt_event, or the program's number */
    uint32_t pad;     /* 0 */
    int64_t a, b, c;  /* what the sentence shows */
    uint64_t rest[3]; /* unused: keeps a record in one line */
};

/* A ring from one thread to the formatter. */
struct rt_log_ring {
    _Alignas(
        128) _Atomic uint64_t head; /* records put: its thread releases, the formatter acquires */
    uint64_t tail_seen;             /* tail as its thread last looked; its thread's alone */
    _Atomic uint64_t dropped;       /* records that found no room; its thread stores, relaxed */
    _Alignas(128) _Atomic uint64_t tail; /* records taken: the formatter releases, its thread
                                          * acquires */
    uint64_t dropped_told;               /* of dropped, how many have their line; the formatter's */
    _Alignas(128) _Atomic uint32_t used; /* 0 free, 1 attached, 2 detached and not yet drained;
                                          * release by who changes it, acquired by the others */
    char name[RT_LOG_NAME];              /* of its thread; constant while used */
    _Alignas(128) struct rt_log_record records[RT_LOG_SLOTS]; /* record n lies at n mod slots */
};

/* How the log is written. */
struct rt_log_options {
    const char *path;        /* file of this process alone, appended to; NULL = standard error */
    bool json;               /* a JSON object a line, else for people */
    enum rt_log_level level; /* events below it have no line */
    uint64_t bytes_max;      /* a file is rotated before it passes this, >= 4096; 0 = never */
    uint32_t keep;           /* rotated files kept: PATH.1 (newest) .. PATH.keep, at most 99 */
    const struct rt_log_event *events; /* the program's table, from RT_EVENT_PROGRAM; may be NULL */
    uint32_t event_cnt;                /* its size */
    /* names a number in a form that the log does not know ("actor"); NULL when it has no name.
     * Called by the formatter thread: constant tables only. May be NULL. */
    const char *(*name)(const char *form, int64_t number);
    struct rt_metrics_log *metrics; /* where lines and losses are counted; may be NULL; must live
                                     * until rt_log_stop */
};

/* The calling thread's ring; NULL = it shares one. */
extern _Thread_local struct rt_log_ring *rt_log_mine;

/* rt_log_start opens the log and starts the formatter. Events before it are dropped. Once a process
 * at a time. Returns 0 or negative errno with err. */
int rt_log_start(const struct rt_log_options *o, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_log_attach gives the calling thread a ring of its own, to be named name in its lines. Returns
 * 0, or -ENOSPC when all are taken: the thread goes on sharing one. */
int rt_log_attach(const char *name);

/* rt_log_detach gives the ring back; what is in it is still written. */
void rt_log_detach(void);

/* rt_log_flush waits until all that was logged before has been written or lost, at most a second.
 * Returns 0, or -ETIMEDOUT. Not on the hot path. */
int rt_log_flush(void);

/* rt_log_stop writes what is left and ends the formatter. */
void rt_log_stop(void);

/* rt_log_shared puts a record of a thread without a ring. */
void rt_log_shared(uint32_t event, int64_t a, int64_t b, int64_t c);

/* rt_log_put puts a record into r, whose thread is calling (or holds its lock). */
static inline void rt_log_put(struct rt_log_ring *r, uint32_t event, int64_t a, int64_t b,
                              int64_t c) {
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (__builtin_expect(head - r->tail_seen >= RT_LOG_SLOTS, 0)) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head - r->tail_seen >= RT_LOG_SLOTS) {
            uint64_t dropped = atomic_load_explicit(&r->dropped, memory_order_relaxed);
            atomic_store_explicit(&r->dropped, dropped + 1, memory_order_relaxed);
            return;
        }
    }
    struct rt_log_record *record = &r->records[head % RT_LOG_SLOTS];
    record->tsc = __rdtsc();
    record->event = event;
    record->a = a;
    record->b = b;
    record->c = c;
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

/* RT_LOG leaves an event (an enum constant) and three integers for the formatter. */
#define RT_LOG(event, a, b, c)                                                                     \
    do {                                                                                           \
        struct rt_log_ring *rt_log_ring_ = rt_log_mine;                                            \
        if (__builtin_expect(rt_log_ring_ != NULL, 1))                                             \
            rt_log_put(rt_log_ring_, (uint32_t)(event), (int64_t)(a), (int64_t)(b), (int64_t)(c)); \
        else                                                                                       \
            rt_log_shared((uint32_t)(event), (int64_t)(a), (int64_t)(b), (int64_t)(c));            \
    } while (0)
#endif
