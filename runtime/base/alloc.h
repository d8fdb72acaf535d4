/* alloc.h - how often a thread has asked the heap for memory.
 *
 * For     the promise that the hot path allocates nothing: shards put the count into their metrics
 *         page, tests compare it before and after. Programs linked with this room get malloc,
 *         calloc, realloc, the aligned ones and free from alloc.c, which count and pass on to
 *         glibc, so that calls inside libraries count as well.
 * Thread  each thread has its own count.
 * Memory  8 bytes a thread.
 * Cost    one addition to an allocation. */
#ifndef RUNTIME_BASE_ALLOC_H
#define RUNTIME_BASE_ALLOC_H
#include <stdbool.h>
#include <stdint.h>

/* rt_alloc_counting tells whether allocations are counted: false in builds with a sanitizer, which
 * brings a heap of its own; rt_alloc_count is then always 0. */
bool rt_alloc_counting(void);

/* rt_alloc_count returns how many times the calling thread has taken, resized or given back heap
 * memory since it began (free(NULL) does not count). */
uint64_t rt_alloc_count(void);

/* rt_alloc_fail makes the cnt-th allocation of the calling thread from now (1 = the next) fail,
 * once; 0 takes that back. For tests of what happens when memory is out; does nothing where
 * allocations are not counted. */
void rt_alloc_fail(uint64_t cnt);
#endif
