/* arena.h - memory of a shard, taken at boot, sealed before the first event.
 *
 * Thread  one shard's (boot first, then nobody).
 * Memory  one mapping, huge pages where they can be had; what was taken is touched whole when it is
 *         sealed, what was not is none of the machine's memory. */
#ifndef RUNTIME_BASE_ARENA_H
#define RUNTIME_BASE_ARENA_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bump allocator that can be sealed. */
struct rt_arena {
    uint8_t *base; /* the mapping */
    size_t used;   /* bytes given out */
    size_t bytes;  /* bytes in all */
    bool sealed;   /* taking more aborts */
};

/* rt_arena_init maps bytes. Returns 0 or negative errno with err. */
int rt_arena_init(struct rt_arena *a, size_t bytes, struct rt_error *err)
    __attribute__((warn_unused_result));
/* rt_arena_take gives bytes (zeroed, 64-aligned), or NULL when it is full; aborts when sealed. */
void *rt_arena_take(struct rt_arena *a, size_t bytes);
/* rt_arena_seal ends boot: nothing more may be taken, and what was is there: no later store faults.
 * Returns 0, or negative errno with err when the machine has no memory for it. */
int rt_arena_seal(struct rt_arena *a, struct rt_error *err) __attribute__((warn_unused_result));
/* rt_arena_fini unmaps. */
void rt_arena_fini(struct rt_arena *a);
#endif
