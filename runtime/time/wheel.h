/* wheel.h - hierarchical timer wheel, exact to the nanosecond.
 *
 * For     the timers of one shard's actors. Order of expiry: (due, class, actor, key).
 * Thread  the shard's.
 * Memory  all nodes are taken at init.
 * Cost    set and cancel O(1) expected for what is far; the slot that comes next is kept as a heap,
 *         so that what is near costs the logarithm of how many are near, whatever their times are.
 * Source  Varghese & Lauck, "Hashed and hierarchical timing wheels", SOSP 1987. */
#ifndef RUNTIME_TIME_WHEEL_H
#define RUNTIME_TIME_WHEEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One armed timer, as seen from outside. */
struct rt_timer {
    int64_t due_ns; /* when */
    uint64_t key;   /* its owner's name for it */
    uint16_t actor; /* local index of its owner */
    uint16_t cls;   /* enum rt_class: order among events of one instant */
    uint32_t id;    /* the owner's global id: second in the order */
};

struct rt_wheel; /* layout in wheel.c */

/* rt_wheel_bytes returns the memory a wheel of timers_max (1..1 Mi) needs, 0 for a bad figure. */
size_t rt_wheel_bytes(uint32_t timers_max);
/* rt_wheel_init makes a wheel in memory of that many bytes (64-aligned), at now_ns. */
struct rt_wheel *rt_wheel_init(void *memory, uint32_t timers_max, int64_t now_ns);
/* rt_wheel_set arms or moves the timer (t->id, t->key). Returns 0, or -ENOSPC when all are taken.
 */
int rt_wheel_set(struct rt_wheel *w, const struct rt_timer *t);
/* rt_wheel_cancel disarms (id, key); true when it was armed. */
bool rt_wheel_cancel(struct rt_wheel *w, uint32_t id, uint64_t key);
/* rt_wheel_cancel_all disarms every timer of id; looks at every timer there is. */
void rt_wheel_cancel_all(struct rt_wheel *w, uint32_t id);
/* rt_wheel_peek fills *out with the first timer in order; false when none is armed. Cached: cheap
 * when nothing changed. */
bool rt_wheel_peek(struct rt_wheel *w, struct rt_timer *out);
/* rt_wheel_pop removes the first timer in order when it is due at or before now_ns. */
bool rt_wheel_pop(struct rt_wheel *w, int64_t now_ns, struct rt_timer *out);
/* rt_wheel_each calls fn for every armed timer, in order of (id, key): for snapshots. fn changes
 * nothing in w. */
void rt_wheel_each(const struct rt_wheel *w, void (*fn)(void *arg, const struct rt_timer *t),
                   void *arg);
/* rt_wheel_count returns how many are armed. */
uint32_t rt_wheel_count(const struct rt_wheel *w);
#endif
