#include "runtime/base/map.h"
#include <assert.h>
#include <errno.h>

_Static_assert(sizeof(struct rt_map_slot) == 16, "four slots share a cache line");

/* slots_for returns the power of two of slots for keys_max keys: half of them stay free. */
static uint64_t slots_for(uint32_t keys_max) {
    uint64_t slots = 4;
    while (slots < (uint64_t)keys_max * 2) slots *= 2;
    return slots;
}

size_t rt_map_bytes(uint32_t keys_max) {
    if (keys_max == 0 || keys_max > RT_MAP_KEYS_MAX) return 0;
    return slots_for(keys_max) * sizeof(struct rt_map_slot);
}

void rt_map_init(struct rt_map *m, void *memory, uint32_t keys_max) {
    assert(rt_map_bytes(keys_max) > 0);
    uint64_t slots = slots_for(keys_max);
    *m = (struct rt_map){ .slots = memory,
                          .mask = (uint32_t)slots - 1,
                          .shift = 64 - (uint32_t)__builtin_ctzll(slots),
                          .max = keys_max };
}

int rt_map_put(struct rt_map *m, uint64_t key, uint32_t value) {
    assert(key != 0);
    assert(value != RT_MAP_NONE);
    uint32_t i = rt_map_home(m, key);
    for (; m->slots[i].key != 0; i = (i + 1) & m->mask) {
        if (m->slots[i].key == key) return -EEXIST;
    }
    if (m->cnt == m->max) return -ENOSPC;
    m->slots[i] = (struct rt_map_slot){ .key = key, .value = value };
    m->cnt++;
    return 0;
}

bool rt_map_remove(struct rt_map *m, uint64_t key) {
    uint32_t i = rt_map_home(m, key);
    for (; m->slots[i].key != key; i = (i + 1) & m->mask) {
        if (m->slots[i].key == 0) return false;
    }
    /* Those behind move up unless that would take them before their home. */
    for (uint32_t j = (i + 1) & m->mask; m->slots[j].key != 0; j = (j + 1) & m->mask) {
        uint32_t home = rt_map_home(m, m->slots[j].key);
        if (((j - home) & m->mask) < ((j - i) & m->mask)) continue;
        m->slots[i] = m->slots[j];
        i = j;
    }
    m->slots[i] = (struct rt_map_slot){ 0 };
    m->cnt--;
    return true;
}

/* sift lets the slot at root sink to its place in the heap of cnt slots (largest key on top). */
static void sift(struct rt_map_slot *heap, uint32_t root, uint32_t cnt) {
    struct rt_map_slot held = heap[root];
    for (uint32_t child; (child = root * 2 + 1) < cnt; root = child) {
        if (child + 1 < cnt && heap[child + 1].key > heap[child].key) child++;
        if (heap[child].key <= held.key) break;
        heap[root] = heap[child];
    }
    heap[root] = held;
}

uint32_t rt_map_sorted(const struct rt_map *m, struct rt_map_slot *out) {
    uint32_t cnt = 0;
    for (uint64_t i = 0; i <= m->mask; i++) {
        if (m->slots[i].key != 0) out[cnt++] = m->slots[i];
    }
    assert(cnt == m->cnt);
    /* Heap sort: in place, and qsort of this libc may allocate. */
    for (uint32_t i = cnt / 2; i > 0; i--) sift(out, i - 1, cnt);
    for (uint32_t last = cnt; last > 1; last--) {
        struct rt_map_slot top = out[0];
        out[0] = out[last - 1];
        out[last - 1] = top;
        sift(out, 0, last - 1);
    }
    return cnt;
}
