/* edge.c - what happens to frames for another shard, also when its ring is full. */
#include "runtime/core/shard.h"
#include "runtime/time/clock.h"
#include <errno.h>

/* same_key tells whether f is newer word of what g tells: of one kind and source, and one key. */
static bool same_key(const struct rt_edge_out *e, const struct msg_frame *g,
                     const struct msg_frame *f) {
    if (g->kind != f->kind || g->source != f->source || g->size != f->size) return false;
    uint16_t at = e->key_at[f->kind], bytes = e->key_bytes[f->kind];
    assert((size_t)at + bytes <= f->size - sizeof *f);
    return memcmp((const uint8_t *)(g + 1) + at, (const uint8_t *)(f + 1) + at, bytes) == 0;
}

/* older finds the waiting frame that f makes old, NULL = none. */
static struct msg_frame *older(const struct rt_edge_out *e, const struct msg_frame *f) {
    if (e->key_bytes[f->kind] == 0) return NULL; /* each tells of itself alone */
    for (uint32_t at = 0; at < e->pending_bytes;) {
        struct msg_frame *g = (struct msg_frame *)(void *)(e->pending + at);
        if (same_key(e, g, f)) return g;
        at += g->size;
    }
    return NULL;
}

/* fits tells whether there is room for f behind the waiting frames. */
static bool fits(const struct rt_edge_out *e, const struct msg_frame *f) {
    return e->pending_bytes + f->size <= e->frames_max * (uint32_t)MSG_SLOT_BYTES;
}

/* append puts f behind the waiting frames; it fits. */
static void append(struct rt_edge_out *e, const struct msg_frame *f) {
    memcpy(e->pending + e->pending_bytes, f, f->size);
    e->pending_bytes += f->size;
    e->pending_cnt++;
}

bool rt_edge_pend(struct rt_edge_out *e, const struct msg_frame *f) {
    if (!fits(e, f)) return false;
    append(e, f);
    return true;
}

/* merge puts f in the place of g, which it makes old. What is conflated stands where the old one
 * stood, so that a lively key is told too; a state goes behind the fills it counts, since who hears
 * that an order is done must have heard its fills. */
static void merge(struct rt_edge_out *e, struct msg_frame *g, const struct msg_frame *f) {
    e->merged++;
    if (e->full_of[f->kind] == RT_FULL_CONFLATE) {
        memcpy(g, f, f->size);
        return;
    }
    uint8_t *at = (uint8_t *)g, *rest = at + f->size;
    memmove(at, rest, (size_t)(e->pending + e->pending_bytes - rest));
    e->pending_bytes -= f->size;
    e->pending_cnt--;
    append(e, f);
}

/* note journals what becomes of frames of e, ahead of it: positions in the ring, and what waits for
 * one, hang on how fast the receiver was, and replay has to come to the same. */
static void note(struct rt_shard *s, const struct rt_edge_out *e, uint16_t answer, uint32_t cnt) {
    struct {
        struct msg_frame f;        /* head */
        struct msg_edge_kept body; /* what */
        uint64_t slack[2];         /* fills the slot */
    } m = {
        .f = { .kind = MSG_EDGE_KEPT,
               .size = sizeof m.f + sizeof m.body,
               .source = RT_SHARD_ID,
               .time_ns = s->now_ns },
        .body = { .frames = cnt, .dest = e->shard, .answer = answer },
    };
    rt_shard_record(s, &m.f, 0);
}

/* put writes f at the next place of the ring, unless it lies there: the ring may have outlived us,
 * and its reader be at it. */
static void put(struct rt_edge_out *e, const struct msg_frame *f) {
    if (e->tx.head < ck_pr_load_64(&e->tx.ring->head) || rt_ring_was_put(&e->tx))
        e->tx.head++;
    else
        rt_ring_put(&e->tx, f);
}

/* move puts the cnt oldest of the waiting frames into the ring. */
static void move(struct rt_edge_out *e, uint32_t cnt) {
    uint32_t at = 0;
    for (; cnt > 0 && at < e->pending_bytes; cnt--) {
        const struct msg_frame *f = (const struct msg_frame *)(const void *)(e->pending + at);
        put(e, f);
        at += f->size;
        e->pending_cnt--;
    }
    memmove(e->pending, e->pending + at, e->pending_bytes - at);
    e->pending_bytes -= at;
}

void rt_edge_drain(struct rt_shard *s, struct rt_edge_out *e) {
    uint32_t cnt = rt_ring_room(&e->tx, e->pending_cnt);
    if (cnt > e->pending_cnt) cnt = e->pending_cnt;
    if (cnt == 0) return;
    note(s, e, EDGE_ANSWER_MOVED, cnt);
    move(e, cnt);
}

bool rt_edge_replay(struct rt_shard *s) {
    const struct msg_frame *rec = rt_tape_peek(s);
    if (!rec || rec->kind != MSG_EDGE_KEPT) return false;
    const struct msg_edge_kept *k = msg_body(rec);
    uint8_t out = k->dest < s->shard_cnt ? s->out_of[k->dest] : 0xff;
    if (k->answer != EDGE_ANSWER_MOVED || out == 0xff || k->frames > s->out[out].pending_cnt)
        return false;
    move(&s->out[out], k->frames);
    rt_tape_take(s);
    return true;
}

/* settle does with f what answer says; false when that cannot be. */
static bool settle(struct rt_edge_out *e, const struct msg_frame *f, uint16_t answer) {
    struct msg_frame *g = answer == EDGE_ANSWER_MERGED ? older(e, f) : NULL;
    if (answer == EDGE_ANSWER_DROPPED)
        e->dropped++;
    else if (g)
        merge(e, g, f);
    else if (answer == EDGE_ANSWER_KEPT && fits(e, f))
        append(e, f);
    else
        return false;
    return true;
}

/* replayed does with f what the tape says became of it. False when the tape has ended, and f is to
 * be sent by the edge's policy. */
static bool replayed(struct rt_shard *s, struct rt_edge_out *e, const struct msg_frame *f) {
    const struct msg_frame *rec = NULL;
    while (!s->step && (rec = rt_tape_peek(s)) != NULL && rec->kind == MSG_EDGE_KEPT) {
        const struct msg_edge_kept *k = msg_body(rec);
        if (k->dest != e->shard) break; /* of the next edge this frame goes over */
        if (k->answer == EDGE_ANSWER_MOVED) {
            if (!rt_edge_replay(s)) break;
            continue; /* it waited until those before it had gone */
        }
        if (!settle(e, f, k->answer)) break;
        rt_tape_take(s);
        return true;
    }
    if (!s->step && !rec) return false;
    put(e, f);
    if (e->tx.head > ck_pr_load_64(&e->tx.ring->head)) rt_ring_publish(&e->tx);
    return true;
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

enum rt_owed rt_edge_known(struct rt_shard *s, const struct rt_edge_out *e) {
    enum rt_owed owed;
    uint64_t tries = 0;
    while ((owed = rt_edge_owed(s, e)) == RT_OWED_UNKNOWN) {
        if (atomic_load_explicit(&s->shared->failed, memory_order_relaxed)) break;
        atomic_store_explicit(&s->pulse->beat_ns, rt_clock_monotonic_ns(), memory_order_relaxed);
        if (!rt_shard_relax(s, ++tries)) continue;
        rt_poller_park(s->poller);
        rt_poller_wait(s->poller, 200000);
    }
    return owed;
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
    if (__builtin_expect(s->tape != NULL, 0) && replayed(s, e, f)) return;
    if (__builtin_expect(s->resaying, 0) && !s->step && rt_edge_known(s, e) == RT_OWED_FRAMES) {
        put(e, f); /* it lay in the ring: no other answer is possible */
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
    uint16_t answer = EDGE_ANSWER_KEPT;
    switch (e->full_of[f->kind]) {
    case RT_FULL_DROP: answer = EDGE_ANSWER_DROPPED; break;
    case RT_FULL_CONFLATE:
    case RT_FULL_MERGE:
        if (older(e, f)) answer = EDGE_ANSWER_MERGED;
        break;
    case RT_FULL_WAIT:
        e->waited++;
        if (!wait_room(s, e)) return;
        if (e->pending_cnt) rt_edge_drain(s, e);
        if (e->pending_cnt == 0 && rt_ring_room(&e->tx, 1) > 0) {
            rt_ring_put(&e->tx, f);
            return;
        }
        break;
    case RT_FULL_REFUSE: break; /* the sender asked rt_room before; what comes all the same waits */
    }
    if (answer != EDGE_ANSWER_KEPT || fits(e, f)) {
        note(s, e, answer, 1);
        bool done = settle(e, f, answer);
        assert(done);
        return;
    }
    rt_shard_fail(s, -EOVERFLOW,
                  "edge to shard %u: no room for a frame of kind %u that must not be lost "
                  "(%u pending); raise its capacity",
                  e->shard, f->kind, e->pending_cnt);
}
