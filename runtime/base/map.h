/* map.h - from a 64-bit id to a 32-bit index: how tables keyed by ids are found again.
 *
 * For     orders, positions and the like: the rows lie in the owner's pool, the map tells where.
 *         Nothing may depend on the order of its slots; rt_map_sorted gives the keys in order.
 * Thread  one owner.
 * Memory  16 bytes a slot, at least two slots a key, given by the owner at init; never grows.
 * Cost    get: one cache line, nearly always; put and remove the same.
 * Source  open addressing with linear probing; removal by shifting back, so that no tombstone
 *         stays (Knuth, TAOCP 3, 6.4, algorithm R); multiplicative hashing, ibid. */
#ifndef RUNTIME_BASE_MAP_H
#define RUNTIME_BASE_MAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RT_MAP_KEYS_MAX = 1 << 24, /* keys a map may be made for */
};
#define RT_MAP_NONE UINT32_MAX /* "no such key" */

/* One slot. */
struct rt_map_slot {
    uint64_t key;   /* the id; 0 = the slot is free */
    uint32_t value; /* the owner's index */
    uint32_t pad;   /* zero */
};

/* A map. */
struct rt_map {
    struct rt_map_slot *slots; /* a power of two of them */
    uint32_t mask;             /* slots - 1 */
    uint32_t shift;            /* 64 - log2(slots) */
    uint32_t cnt;              /* keys held */
    uint32_t max;              /* keys it may hold */
};

/* rt_map_bytes returns the memory for keys_max keys (1..RT_MAP_KEYS_MAX), 0 for a bad figure. */
size_t rt_map_bytes(uint32_t keys_max);

/* rt_map_init makes an empty map in zeroed memory of rt_map_bytes(keys_max). */
void rt_map_init(struct rt_map *m, void *memory, uint32_t keys_max);

/* rt_map_home returns the slot where the search for key begins. Keys that differ in bits 10 to 13
 * alone share a stretch of 16 slots: ids that are counted in steps of 1024 fill line after line,
 * where a plain hash takes a cold line for each (an order's three tables: 50 ns). */
static inline uint32_t rt_map_home(const struct rt_map *m, uint64_t key) {
    uint64_t near = (key ^ key >> 10) & 15, far = key & ~(15ULL << 10);
    return (uint32_t)(((far * 0x9e3779b97f4a7c15ULL >> m->shift) & ~15ULL) | near) & m->mask;
}

/* rt_map_get returns the value under key (not 0), or RT_MAP_NONE. */
static inline uint32_t rt_map_get(const struct rt_map *m, uint64_t key) {
    for (uint32_t i = rt_map_home(m, key);; i = (i + 1) & m->mask) {
        const struct rt_map_slot *s = &m->slots[i];
        if (s->key == key) return s->value;
        if (s->key == 0) return RT_MAP_NONE;
    }
}

/* rt_map_prefetch fetches what rt_map_get of key will look at first. */
static inline void rt_map_prefetch(const struct rt_map *m, uint64_t key) {
    __builtin_prefetch(&m->slots[rt_map_home(m, key)]);
}

/* rt_map_put files value under key (not 0, not yet there). Returns 0, -ENOSPC when max keys are
 * held, or -EEXIST when key is there; then nothing changes. */
int rt_map_put(struct rt_map *m, uint64_t key, uint32_t value);

/* rt_map_remove takes key out; false when it is not there. */
bool rt_map_remove(struct rt_map *m, uint64_t key);

/* rt_map_sorted copies all keys with their values to out (room for m->cnt), smallest key first,
 * and returns how many. n log n: for snapshots and rare sweeps. */
uint32_t rt_map_sorted(const struct rt_map *m, struct rt_map_slot *out);
#endif
