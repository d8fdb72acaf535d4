/* edge.c - what happens to frames for another shard, also when its ring is full. */
#include "runtime/core/shard.h"
#include "runtime/time/clock.h"
#include <errno.h>

/* key_of returns the key under which a newer frame of the kind replaces an older one: the source
 * and the body's first word (an order id), or the kind alone when the body is empty. */
static uint64_t key_of(const struct msg_frame *f) {
    uint64_t key = 0;
    if (f->size >= sizeof *f + 8) memcpy(&key, f + 1, 8);
    return key;
}

/* keep puts f behind the pending frames of e; with replace a pending frame of the same kind, source
 * and key is overwritten instead (its place is kept). False when there is no room. */
static bool keep(struct rt_edge_out *e, const struct msg_frame *f, bool replace) {
    if (replace)
        for (uint32_t at = 0; at < e->pending_bytes;) {
            struct msg_frame *g = (struct msg_frame *)(void *)(e->pending + at);
            if (g->kind == f->kind && g->source == f->source && g->size == f->size &&
                key_of(g) == key_of(f)) {
                memcpy(g, f, f->size);
                e->merged++;
                return true;
            }
            at += g->size;
        }
    if (e->pending_bytes + f->size > e->frames_max * (uint32_t)MSG_SLOT_BYTES) return false;
    memcpy(e->pending + e->pending_bytes, f, f->size);
    e->pending_bytes += f->size;
    e->pending_cnt++;
    return true;
}

void rt_edge_drain(struct rt_shard *s, struct rt_edge_out *e) {
    uint32_t at = 0;
    (void)s;
    while (at < e->pending_bytes) {
        const struct msg_frame *f = (const struct msg_frame *)(const void *)(e->pending + at);
        if (rt_ring_room(&e->tx, 1) == 0) break;
        rt_ring_put(&e->tx, f);
        at += f->size;
        e->pending_cnt--;
    }
    if (at == 0) return;
    memmove(e->pending, e->pending + at, e->pending_bytes - at);
    e->pending_bytes -= at;
}

/* replayed counts f as said while replaying, and writes it where the receiver may still need it. */
static void replayed(struct rt_edge_out *e, const struct msg_frame *f) {
    if (e->tx.head >= e->tx.ring->head) {
        rt_ring_put(&e->tx, f);
        ck_pr_store_64(&e->tx.ring->head, e->tx.head);
    } else {
        e->tx.head++; /* the ring outlived us and has it */
    }
}

enum rt_owed rt_edge_owed(const struct rt_shard *s, const struct rt_edge_out *e) {
    const struct rt_ring_tx *tx = &e->tx;
    /* a ring that outlived us holds what was said, but for what was taken and written over */
    if (rt_ring_was_put(tx) || ck_pr_load_64(&tx->ring->taken) > tx->head) return RT_OWED_FRAMES;
    const struct rt_pulse *peer = s->pulse - s->number + e->shard;
    if (atomic_load_explicit(&peer->live, memory_order_acquire) == 0) return RT_OWED_UNKNOWN;
    /* its mark may have been moved between the two looks */
    return ck_pr_load_64(&tx->ring->taken) > tx->head ? RT_OWED_FRAMES : RT_OWED_NOTHING;
}

/* is_behind tells whether the receiver's mark is further behind than the ring is long. */
static bool is_behind(const struct rt_edge_out *e) {
    return (int64_t)(e->tx.head - ck_pr_load_64(&e->tx.ring->taken)) > (int64_t)e->tx.mask + 1;
}

/* receiver_came waits while the receiver of e has not found its place after a recovery: until then
 * its mark is further behind than a ring is long. False when the ring is full all the same. */
static bool receiver_came(struct rt_shard *s, struct rt_edge_out *e) {
    uint64_t tries = 0;
    if (!is_behind(e)) return false;
    rt_shard_turn(s); /* what it may be waiting for */
    while (is_behind(e) && !atomic_load_explicit(&s->shared->failed, memory_order_relaxed)) {
        atomic_store_explicit(&s->pulse->beat_ns, rt_clock_monotonic_ns(), memory_order_relaxed);
        if (!rt_shard_relax(s, ++tries)) continue;
        rt_poller_park(s->poller);
        rt_poller_wait(s->poller, 200000);
    }
    return rt_ring_room(&e->tx, 1) > 0;
}

/* wait_room waits until the ring of e has room; false when its receiver never will make any. */
static bool wait_room(struct rt_shard *s, struct rt_edge_out *e) {
    uint64_t tries = 0;
    rt_ring_publish(&e->tx);
    if (s->peers[e->shard]) rt_poller_wake(s->peers[e->shard]);
    while (rt_ring_room(&e->tx, 1) == 0) {
        uint32_t failed = atomic_load_explicit(&s->shared->failed, memory_order_relaxed);
        if (failed) {
            rt_shard_fail(s, -ECANCELED, "ended because shard %u did", failed - 1);
            return false;
        }
        if (!rt_shard_relax(s, ++tries)) continue;
        atomic_store_explicit(&s->pulse->beat_ns, rt_clock_monotonic_ns(), memory_order_relaxed);
        rt_poller_park(s->poller);
        rt_poller_wait(s->poller, 50000);
    }
    return true;
}

void rt_edge_push(struct rt_shard *s, struct rt_edge_out *e, const struct msg_frame *f) {
    e->sent++;
    s->remote_mail = true;
    if (__builtin_expect(s->tape != NULL, 0)) {
        replayed(e, f);
        return;
    }
    uint32_t room = rt_ring_room(&e->tx, 1);
    uint32_t queued = e->tx.mask + 1 - room;
    if (__builtin_expect(queued > e->high_water, 0)) e->high_water = queued;
    if (__builtin_expect(room > 0 && e->pending_cnt == 0, 1)) {
        rt_ring_put(&e->tx, f);
        return;
    }
    if (s->step) {
        if (receiver_came(s, e)) {
            rt_ring_put(&e->tx, f);
            return;
        }
        rt_shard_fail(s, -EOVERFLOW,
                      "edge to shard %u is full with %u frames; on this clock that means it is too "
                      "small: raise its capacity",
                      e->shard, e->tx.mask + 1);
        return;
    }
    switch (e->full_of[f->kind]) {
    case RT_FULL_DROP: e->dropped++; return;
    case RT_FULL_CONFLATE:
    case RT_FULL_MERGE:
        if (keep(e, f, true)) return;
        break;
    case RT_FULL_WAIT:
        e->waited++;
        if (!wait_room(s, e)) return;
        rt_edge_drain(s, e);
        if (e->pending_cnt == 0)
            rt_ring_put(&e->tx, f);
        else if (!keep(e, f, false))
            break;
        return;
    case RT_FULL_REFUSE: /* the sender asked rt_room before; what comes all the same is kept */
        if (keep(e, f, false)) return;
        break;
    }
    rt_shard_fail(s, -EOVERFLOW,
                  "edge to shard %u: no room for a frame of kind %u that must not be lost "
                  "(%u pending); raise its capacity",
                  e->shard, f->kind, e->pending_cnt);
}
