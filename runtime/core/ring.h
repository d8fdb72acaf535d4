/* ring.h - one way between two shards: a ring of 64-byte slots, one sender, one receiver.
 *
 * For     edges between shards of a process or of two processes (the memory may be shared and lie
 *         at different addresses). A frame of up to 64 bytes travels in the slot; a larger one lies
 *         in the slot's own bulk room and the slot holds its head. Position p (from 0) uses slot
 *         p mod capacity; the frame's seq, stored last, is the low half of p + 1 and makes the
 *         slot valid. Frames stay in their slots until they are overwritten, so after a crash the
 *         ring is also the store of what may have to be heard again.
 * Thread  rt_ring_tx belongs to the sending shard, rt_ring_rx to the receiving one.
 * Memory  rt_ring_bytes; the halves are private and hold a copy of the geometry, so that a peer
 *         cannot change it.
 * Cost    a hop is one line when the frame fits a slot. The receiver reads in place and gives the
 *         slots back in batches.
 * Source  slot ring on ck_pr loads, stores and fences (Concurrency Kit); ck_ring by value costs two
 *         lines a hop and measured twice as slow (bench: ck.hop against edge.hop). */
#ifndef RUNTIME_CORE_RING_H
#define RUNTIME_CORE_RING_H
#include "schemas/frame.h"
#include <assert.h>
#include <ck_pr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_TSAN 1
#endif
#endif
#ifdef RT_TSAN /* ck is inline assembly, which the sanitizer cannot see: tell it */
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define RT_ANNOUNCE_ACQUIRE(p) __tsan_acquire((void *)(uintptr_t)(p))
#define RT_ANNOUNCE_RELEASE(p) __tsan_release((void *)(uintptr_t)(p))
#else
#define RT_ANNOUNCE_ACQUIRE(p) ((void)(p))
#define RT_ANNOUNCE_RELEASE(p) ((void)(p))
#endif

/* The shared head of a ring; the slots follow it, then the bulk rooms. */
struct rt_ring {
    _Alignas(128) uint64_t taken;  /* frames taken: the receiver stores it, the sender loads it */
    _Alignas(128) uint64_t head;   /* frames pushed, for readers from outside and for recovery: the
                                   * sender stores it; nothing on the hot path waits for it */
    _Alignas(128) uint32_t magic;  /* RT_RING_MAGIC once laid out; constant */
    uint32_t capacity;             /* slots, a power of two; constant */
    uint32_t bulk_bytes;           /* bulk room per slot, a multiple of 64, 0 = none; constant */
    uint32_t pad[29];              /* fills the pair of lines */
    _Alignas(128) uint8_t slots[]; /* capacity slots, then capacity bulk rooms */
};

/* Says that a ring was laid out. */
enum { RT_RING_MAGIC = 0x52494e47 };

/* The sender's half. */
struct rt_ring_tx {
    struct rt_ring *ring; /* shared part */
    uint8_t *slots;       /* first slot */
    uint8_t *bulk;        /* first bulk room */
    uint64_t head;        /* frames pushed */
    uint64_t taken;       /* newest known value of ring->taken */
    uint32_t mask;        /* capacity - 1 */
    uint32_t bulk_bytes;  /* private copy of the geometry */
};

/* The receiver's half. */
struct rt_ring_rx {
    struct rt_ring *ring; /* shared part */
    uint8_t *slots;       /* first slot */
    uint8_t *bulk;        /* first bulk room */
    uint64_t next;        /* position of the frame to read next */
    uint64_t given;       /* ring->taken as last stored */
    uint32_t mask;        /* capacity - 1 */
    uint32_t bulk_bytes;  /* private copy of the geometry */
};

/* rt_ring_bytes returns the memory a ring of capacity slots (a power of two, 2..1 Mi) with
 * bulk_bytes (0, or a multiple of 64 up to 64 KiB) takes, 0 for figures out of range. */
static inline size_t rt_ring_bytes(uint32_t capacity, uint32_t bulk_bytes) {
    if (capacity < 2 || capacity > 1U << 20 || (capacity & (capacity - 1))) return 0;
    if (bulk_bytes % 64 || bulk_bytes > 65536) return 0;
    return sizeof(struct rt_ring) + (size_t)capacity * (MSG_SLOT_BYTES + (size_t)bulk_bytes);
}

/* rt_ring_init lays out an empty ring in memory of rt_ring_bytes, 128-aligned. */
static inline struct rt_ring *rt_ring_init(void *memory, uint32_t capacity, uint32_t bulk_bytes) {
    struct rt_ring *r = memory;
    memset(memory, 0, rt_ring_bytes(capacity, bulk_bytes));
    r->capacity = capacity;
    r->bulk_bytes = bulk_bytes;
    r->magic = RT_RING_MAGIC;
    return r;
}

/* rt_ring_tx_init makes tx the sender of r, which goes on at position head. */
static inline void rt_ring_tx_init(struct rt_ring_tx *tx, struct rt_ring *r, uint64_t head) {
    assert(r->magic == RT_RING_MAGIC);
    *tx = (struct rt_ring_tx){ .ring = r,
                               .slots = r->slots,
                               .head = head,
                               .mask = r->capacity - 1,
                               .bulk_bytes = r->bulk_bytes };
    tx->bulk = r->slots + (size_t)r->capacity * MSG_SLOT_BYTES;
    tx->taken = ck_pr_load_64(&r->taken);
}

/* rt_ring_rx_init makes rx the receiver of r, which goes on at position next. */
static inline void rt_ring_rx_init(struct rt_ring_rx *rx, struct rt_ring *r, uint64_t next) {
    assert(r->magic == RT_RING_MAGIC);
    *rx = (struct rt_ring_rx){ .ring = r,
                               .slots = r->slots,
                               .next = next,
                               .given = next,
                               .mask = r->capacity - 1,
                               .bulk_bytes = r->bulk_bytes };
    rx->bulk = r->slots + (size_t)r->capacity * MSG_SLOT_BYTES;
    ck_pr_store_64(&r->taken, next);
}

/* rt_ring_room returns how many frames fit now; looks at the receiver's line only when the known
 * room is below want. */
static inline uint32_t rt_ring_room(struct rt_ring_tx *tx, uint32_t want) {
    int64_t room = (int64_t)(tx->mask + 1ULL - (tx->head - tx->taken));
    if (room < (int64_t)want) {
        tx->taken = ck_pr_load_64(&tx->ring->taken);
        ck_pr_fence_acquire();
        RT_ANNOUNCE_ACQUIRE(&tx->ring->taken);
        room = (int64_t)(tx->mask + 1ULL - (tx->head - tx->taken));
        if (room < 0) return 0; /* a receiver that starts again has not found its place */
    }
    /* a sender that starts again may be behind the mark: it makes again what was heard */
    return room > (int64_t)tx->mask ? tx->mask + 1 : (uint32_t)room;
}

/* rt_ring_put writes f at position tx->head and moves on, without asking for room: the caller did.
 * f->seq is not read; the slot's is the position's. Frames above 64 bytes need bulk room. */
static inline void rt_ring_put(struct rt_ring_tx *tx, const struct msg_frame *f) {
    uint32_t idx = (uint32_t)tx->head & tx->mask;
    uint8_t *slot = tx->slots + (size_t)idx * MSG_SLOT_BYTES;
    uint32_t seq = (uint32_t)++tx->head;
    if (__builtin_expect(f->size > MSG_SLOT_BYTES, 0)) {
        uint8_t *bulk = tx->bulk + (size_t)idx * tx->bulk_bytes;
        assert(f->size <= tx->bulk_bytes);
        memcpy(bulk, f, f->size);
        ((struct msg_frame *)(void *)bulk)->seq = seq;
        /* rooms lie far apart, and nobody looks at the next one before its slot tells */
        const uint8_t *next = tx->bulk + (size_t)((idx + 1) & tx->mask) * tx->bulk_bytes;
        __builtin_prefetch(next, 1);
        __builtin_prefetch(next + 64, 1);
    }
    memcpy(slot, f, 8);
    memcpy(slot + 12, (const uint8_t *)f + 12, 20); /* all of the head but seq */
    if (f->size > sizeof *f && f->size <= MSG_SLOT_BYTES)
        memcpy(slot + 32, f + 1,
               32); /* whole line: the queue's memory is readable past the frame */
    RT_ANNOUNCE_RELEASE(slot);
    ck_pr_fence_release();
    ck_pr_store_32(&((struct msg_frame *)(void *)slot)->seq, seq);
}

/* rt_ring_was_put tells whether the frame of position tx->head lies in the ring already: put there
 * before the sender died. */
static inline bool rt_ring_was_put(const struct rt_ring_tx *tx) {
    const uint8_t *slot = tx->slots + (tx->head & tx->mask) * MSG_SLOT_BYTES;
    const struct msg_frame *f = (const struct msg_frame *)(const void *)slot;
    return ck_pr_load_32(&f->seq) == (uint32_t)(tx->head + 1);
}

/* rt_ring_push pushes f; false when the ring is full. */
static inline bool rt_ring_push(struct rt_ring_tx *tx, const struct msg_frame *f) {
    if (rt_ring_room(tx, 1) == 0) return false;
    rt_ring_put(tx, f);
    return true;
}

/* rt_ring_publish stores the head for readers from outside; once a turn is enough. */
static inline void rt_ring_publish(struct rt_ring_tx *tx) {
    if (tx->ring->head != tx->head) ck_pr_store_64(&tx->ring->head, tx->head);
}

/* rt_ring_peek returns the next frame in place, or NULL. The receiver may write to it; it is good
 * until rt_ring_give. */
static inline struct msg_frame *rt_ring_peek(struct rt_ring_rx *rx) {
    uint32_t idx = (uint32_t)rx->next & rx->mask;
    struct msg_frame *f = (struct msg_frame *)(void *)(rx->slots + (size_t)idx * MSG_SLOT_BYTES);
    if (ck_pr_load_32(&f->seq) != (uint32_t)(rx->next + 1)) return NULL;
    ck_pr_fence_acquire();
    RT_ANNOUNCE_ACQUIRE(f);
    if (__builtin_expect(f->size > MSG_SLOT_BYTES, 0)) {
        if (f->size > rx->bulk_bytes) return f; /* the caller checks sizes of foreign frames */
        return (struct msg_frame *)(void *)(rx->bulk + (size_t)idx * rx->bulk_bytes);
    }
    return f;
}

/* rt_ring_skip moves past the frame just peeked; its slot is still ours. */
static inline void rt_ring_skip(struct rt_ring_rx *rx) {
    rx->next++;
}

/* rt_ring_give gives all slots before rx->next back to the sender. */
static inline void rt_ring_give(struct rt_ring_rx *rx) {
    if (rx->given == rx->next) return;
    rx->given = rx->next;
    RT_ANNOUNCE_RELEASE(&rx->ring->taken);
    ck_pr_fence_release();
    ck_pr_store_64(&rx->ring->taken, rx->next);
}
#endif
