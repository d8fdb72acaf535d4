/* Far timers lie in slots by the first six bits in which their due time differs from base; the slot
 * that comes first is poured into a heap. Everything due at or before `last` is in the heap,
 * everything later is in a slot, so a timer may be set for any time at any moment, the past too:
 *
 *      past ... last | base's level 0: 64 slots of 1 ns | level 1: 64 of 64 ns | ... | level 10
 *      heap, exact   | slots, lists without order
 *
 * A slot with many timers is spread over the level below before it is poured, so the heap stays
 * small unless they are due together. */
#include "runtime/time/wheel.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    LEVEL_BITS = 6,                 /* of the time that one level tells apart */
    LEVEL_CNT = 11,                 /* 66 bits: every 64-bit time */
    SLOT_CNT = 64,                  /* slots of a level: one word of bits */
    POUR_MAX = 32,                  /* a fuller slot is spread over the level below first */
    TIMERS_MAX = 1 << 20,           /* limit of timers_max */
    NONE = -1,                      /* no node; (uint32_t)NONE in lists */
    IN_HEAP = LEVEL_CNT * SLOT_CNT, /* a node's slot when it is in the heap */
};

/* A timer in the wheel. */
struct wheel_node {
    struct rt_timer t;   /* as it was set */
    uint32_t next, prev; /* in its slot's list; next also in the list of free nodes */
    uint32_t place;      /* its index in the heap when it is there */
    uint32_t slot;       /* level * 64 + slot, or IN_HEAP */
    uint32_t same;       /* next node with the same hash */
    bool armed;          /* false: free */
};

/* An entry of the heap; the time is here too, so that most comparisons touch the heap only. */
struct wheel_entry {
    int64_t due_ns; /* t.due_ns of the node */
    uint32_t node;  /* which node */
    uint32_t pad;   /* 0 */
};

/* The wheel; times in it are biased (see biased), so that they are unsigned and in order. */
struct rt_wheel {
    uint64_t base;                             /* slots are by their difference from this time */
    uint64_t last;                             /* what is due at or before it is in the heap */
    uint32_t timers_max;                       /* nodes there are */
    uint32_t count;                            /* armed */
    uint32_t heap_cnt;                         /* of them in the heap */
    uint32_t free;                             /* first free node */
    uint32_t fresh;                            /* nodes from here on were never used */
    uint32_t hash_mask;                        /* buckets - 1 */
    uint64_t occupied[LEVEL_CNT];              /* bit per slot: has timers */
    uint32_t slot_head[LEVEL_CNT * SLOT_CNT];  /* first node of each slot */
    uint32_t slot_count[LEVEL_CNT * SLOT_CNT]; /* nodes of each slot */
    struct wheel_node *nodes;                  /* timers_max of them */
    struct wheel_entry *heap;                  /* timers_max, four children each */
    uint32_t *buckets;                         /* first node of each hash */
    uint32_t *sorted;                          /* scratch of rt_wheel_each */
};

/* biased maps signed times onto unsigned ones in the same order. */
static uint64_t biased(int64_t ns) {
    return (uint64_t)ns ^ 1ULL << 63;
}

/* bucket_cnt returns the number of hash buckets: a power of two, at least one a timer. */
static uint32_t bucket_cnt(uint32_t timers_max) {
    uint32_t cnt = 16;
    while (cnt < timers_max) cnt *= 2;
    return cnt;
}

/* lines rounds bytes up to whole cache lines. */
static size_t lines(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

size_t rt_wheel_bytes(uint32_t timers_max) {
    if (timers_max < 1 || timers_max > TIMERS_MAX) return 0;
    return lines(sizeof(struct rt_wheel)) + lines(timers_max * sizeof(struct wheel_node)) +
           lines(timers_max * sizeof(struct wheel_entry)) +
           lines(bucket_cnt(timers_max) * sizeof(uint32_t)) + lines(timers_max * sizeof(uint32_t));
}

struct rt_wheel *rt_wheel_init(void *memory, uint32_t timers_max, int64_t now_ns) {
    assert(rt_wheel_bytes(timers_max) != 0);
    assert((uintptr_t)memory % 64 == 0);
    struct rt_wheel *w = memory;
    uint8_t *at = memory;
    memset(w, 0, sizeof *w);
    w->base = biased(now_ns);
    if (w->base == 0) w->base = 1; /* last must be below it */
    w->last = w->base - 1;
    w->timers_max = timers_max;
    w->free = (uint32_t)NONE;
    w->hash_mask = bucket_cnt(timers_max) - 1;
    at += lines(sizeof *w);
    w->nodes = (struct wheel_node *)(void *)at;
    at += lines(timers_max * sizeof(struct wheel_node));
    w->heap = (struct wheel_entry *)(void *)at;
    at += lines(timers_max * sizeof(struct wheel_entry));
    w->buckets = (uint32_t *)(void *)at;
    at += lines(bucket_cnt(timers_max) * sizeof(uint32_t));
    w->sorted = (uint32_t *)(void *)at;
    memset(w->buckets, 0xff, (w->hash_mask + 1) * sizeof(uint32_t));
    memset(w->slot_head, 0xff, sizeof w->slot_head);
    return w;
}

/* bucket_of returns the bucket of (id, key). Which bucket is never seen outside. */
static uint32_t *bucket_of(struct rt_wheel *w, uint32_t id, uint64_t key) {
    uint64_t mix = (key ^ (uint64_t)id << 40 ^ id) * 0x9e3779b97f4a7c15ULL;
    mix = (mix ^ mix >> 32) * 0xd6e8feb86659fd93ULL;
    return &w->buckets[(mix >> 32) & w->hash_mask];
}

/* find returns the link that leads to the node of (id, key): a bucket or a same; NONE in it when it
 * is not armed. */
static uint32_t *find(struct rt_wheel *w, uint32_t id, uint64_t key) {
    uint32_t *link = bucket_of(w, id, key);
    while (*link != (uint32_t)NONE) {
        struct wheel_node *n = &w->nodes[*link];
        if (n->t.id == id && n->t.key == key) break;
        link = &n->same;
    }
    return link;
}

/* before tells whether entry a comes before b; no two are equal. */
static bool before(const struct rt_wheel *w, const struct wheel_entry *a,
                   const struct wheel_entry *b) {
    if (a->due_ns != b->due_ns) return a->due_ns < b->due_ns;
    const struct rt_timer *x = &w->nodes[a->node].t, *y = &w->nodes[b->node].t;
    if (x->cls != y->cls) return x->cls < y->cls;
    if (x->id != y->id) return x->id < y->id;
    return x->key < y->key;
}

/* heap_put stores e at index i and tells its node. */
static void heap_put(struct rt_wheel *w, uint32_t i, struct wheel_entry e) {
    w->heap[i] = e;
    w->nodes[e.node].place = i;
}

/* heap_up moves e up from index i to where it belongs. */
static void heap_up(struct rt_wheel *w, uint32_t i, struct wheel_entry e) {
    while (i > 0) {
        uint32_t parent = (i - 1) / 4;
        if (!before(w, &e, &w->heap[parent])) break;
        heap_put(w, i, w->heap[parent]);
        i = parent;
    }
    heap_put(w, i, e);
}

/* heap_down moves e down from index i to where it belongs. */
static void heap_down(struct rt_wheel *w, uint32_t i, struct wheel_entry e) {
    for (;;) {
        uint32_t child = 4 * i + 1, end = child + 4 < w->heap_cnt ? child + 4 : w->heap_cnt;
        if (child >= w->heap_cnt) break;
        uint32_t least = child;
        for (uint32_t c = child + 1; c < end; c++)
            if (before(w, &w->heap[c], &w->heap[least])) least = c;
        if (!before(w, &w->heap[least], &e)) break;
        heap_put(w, i, w->heap[least]);
        i = least;
    }
    heap_put(w, i, e);
}

/* place puts node i, whose time is set, into the heap or its slot. */
static void place(struct rt_wheel *w, uint32_t i) {
    struct wheel_node *n = &w->nodes[i];
    uint64_t due = biased(n->t.due_ns);
    if (due <= w->last) {
        n->slot = IN_HEAP;
        heap_up(w, w->heap_cnt++, (struct wheel_entry){ .due_ns = n->t.due_ns, .node = i });
        return;
    }
    uint64_t differs = due ^ w->base;
    uint32_t level = differs == 0 ? 0 : (63 - (uint32_t)__builtin_clzll(differs)) / LEVEL_BITS;
    uint32_t slot = (uint32_t)(due >> (level * LEVEL_BITS)) & (SLOT_CNT - 1);
    n->slot = level * SLOT_CNT + slot;
    n->prev = (uint32_t)NONE;
    n->next = w->slot_head[n->slot];
    if (n->next != (uint32_t)NONE) w->nodes[n->next].prev = i;
    w->slot_head[n->slot] = i;
    w->slot_count[n->slot]++;
    w->occupied[level] |= 1ULL << slot;
}

/* displace takes node i out of the heap or its slot. */
static void displace(struct rt_wheel *w, uint32_t i) {
    struct wheel_node *n = &w->nodes[i];
    if (n->slot == IN_HEAP) {
        struct wheel_entry moved = w->heap[--w->heap_cnt];
        uint32_t hole = n->place;
        if (hole == w->heap_cnt) return;
        if (hole > 0 && before(w, &moved, &w->heap[(hole - 1) / 4]))
            heap_up(w, hole, moved);
        else
            heap_down(w, hole, moved);
        return;
    }
    if (n->next != (uint32_t)NONE) w->nodes[n->next].prev = n->prev;
    if (n->prev != (uint32_t)NONE)
        w->nodes[n->prev].next = n->next;
    else
        w->slot_head[n->slot] = n->next;
    if (--w->slot_count[n->slot] == 0)
        w->occupied[n->slot / SLOT_CNT] &= ~(1ULL << n->slot % SLOT_CNT);
}

/* disarm frees the node that link leads to. */
static void disarm(struct rt_wheel *w, uint32_t *link) {
    uint32_t i = *link;
    struct wheel_node *n = &w->nodes[i];
    displace(w, i);
    *link = n->same;
    n->armed = false;
    n->next = w->free;
    w->free = i;
    w->count--;
}

int rt_wheel_set(struct rt_wheel *w, const struct rt_timer *t) {
    uint32_t *link = find(w, t->id, t->key), i = *link;
    if (i != (uint32_t)NONE) {
        displace(w, i);
    } else {
        if (w->count == w->timers_max) return -ENOSPC;
        i = w->free;
        if (i != (uint32_t)NONE)
            w->free = w->nodes[i].next;
        else
            i = w->fresh++;
        *link = i;
        w->nodes[i].same = (uint32_t)NONE;
        w->nodes[i].armed = true;
        w->count++;
    }
    w->nodes[i].t = *t;
    place(w, i);
    return 0;
}

bool rt_wheel_cancel(struct rt_wheel *w, uint32_t id, uint64_t key) {
    uint32_t *link = find(w, id, key);
    if (*link == (uint32_t)NONE) return false;
    disarm(w, link);
    return true;
}

void rt_wheel_cancel_all(struct rt_wheel *w, uint32_t id) {
    for (uint32_t i = 0; i < w->fresh; i++) {
        const struct wheel_node *n = &w->nodes[i];
        if (n->armed && n->t.id == id) disarm(w, find(w, id, n->t.key));
    }
}

/* refill moves the slots that come next until the heap has the first timer; false: none armed. */
static bool refill(struct rt_wheel *w) {
    if (w->count == 0) return false;
    for (;;) {
        uint32_t level = 0;
        while (w->occupied[level] == 0) level++;
        uint32_t slot = (uint32_t)__builtin_ctzll(w->occupied[level]), shift = level * LEVEL_BITS;
        uint32_t at = level * SLOT_CNT + slot;
        uint64_t width = (1ULL << shift) - 1; /* of the slot, less one */
        uint64_t above = level == LEVEL_CNT - 1 ? 0 : ~0ULL << (shift + LEVEL_BITS);
        uint64_t begin = (w->base & above) | (uint64_t)slot << shift;
        bool pour = level == 0 || w->slot_count[at] <= POUR_MAX;
        uint32_t i = w->slot_head[at];
        w->slot_head[at] = (uint32_t)NONE;
        w->slot_count[at] = 0;
        w->occupied[level] &= ~(1ULL << slot);
        w->base = begin;
        w->last = pour ? begin + width : begin - 1;
        while (i != (uint32_t)NONE) {
            uint32_t next = w->nodes[i].next;
            place(w, i);
            i = next;
        }
        if (pour) return true;
    }
}

bool rt_wheel_peek(struct rt_wheel *w, struct rt_timer *out) {
    if (w->heap_cnt == 0 && !refill(w)) return false;
    *out = w->nodes[w->heap[0].node].t;
    return true;
}

bool rt_wheel_pop(struct rt_wheel *w, int64_t now_ns, struct rt_timer *out) {
    if (w->heap_cnt == 0 && !refill(w)) return false;
    if (w->heap[0].due_ns > now_ns) return false;
    *out = w->nodes[w->heap[0].node].t;
    disarm(w, find(w, out->id, out->key));
    return true;
}

/* named_before tells whether node a comes before b by (id, key). */
static bool named_before(const struct rt_wheel *w, uint32_t a, uint32_t b) {
    const struct rt_timer *x = &w->nodes[a].t, *y = &w->nodes[b].t;
    return x->id != y->id ? x->id < y->id : x->key < y->key;
}

/* sift moves sorted[i] down in the heap of cnt whose top is the last by name. */
static void sift(const struct rt_wheel *w, uint32_t i, uint32_t cnt) {
    uint32_t moved = w->sorted[i];
    for (uint32_t child; (child = 2 * i + 1) < cnt; i = child) {
        if (child + 1 < cnt && named_before(w, w->sorted[child], w->sorted[child + 1])) child++;
        if (!named_before(w, moved, w->sorted[child])) break;
        w->sorted[i] = w->sorted[child];
    }
    w->sorted[i] = moved;
}

void rt_wheel_each(const struct rt_wheel *w, void (*fn)(void *arg, const struct rt_timer *t),
                   void *arg) {
    uint32_t cnt = 0;
    for (uint32_t i = 0; i < w->fresh; i++)
        if (w->nodes[i].armed) w->sorted[cnt++] = i;
    assert(cnt == w->count);
    /* Heap sort: in place, and no worse on any order. */
    for (uint32_t i = cnt / 2; i > 0; i--) sift(w, i - 1, cnt);
    for (uint32_t left = cnt; left > 1; left--) {
        uint32_t greatest = w->sorted[0];
        w->sorted[0] = w->sorted[left - 1];
        w->sorted[left - 1] = greatest;
        sift(w, 0, left - 1);
    }
    for (uint32_t i = 0; i < cnt; i++) fn(arg, &w->nodes[w->sorted[i]].t);
}

uint32_t rt_wheel_count(const struct rt_wheel *w) {
    return w->count;
}
