/* tape.c - a shard and its journal: replay, recovery, snapshots. */
#include "runtime/base/hash.h"
#include "runtime/core/shard.h"
#include <errno.h>

void rt_tape_begin(struct rt_shard *s, struct rt_tape *tape) {
    s->tape = tape;
    s->tape_next = NULL;
}

const struct msg_frame *rt_tape_peek(struct rt_shard *s) {
    if (s->tape_next) return s->tape_next;
    if (!s->tape) return NULL;
    s->tape_next = rt_tape_next(s->tape);
    if (s->tape_next) return s->tape_next;
    struct rt_error err = { 0 };
    int code = rt_tape_error(s->tape, &err);
    if (code < 0) rt_shard_fail(s, code, "%s", err.text);
    if (s->verify) {
        rt_shard_fail(s, RT_VERIFIED, "the tape ended");
        return NULL;
    }
    s->tape = NULL; /* from here on the journal is written again */
    for (uint16_t i = 0; i < s->edge_in_cnt; i++)
        rt_ring_rx_init(&s->in[i].rx, s->in[i].rx.ring, s->in[i].heard);
    atomic_store_explicit(&s->pulse->live, 1, memory_order_release);
    s->resaying = s->edge_out_cnt > 0;
    return NULL;
}

void rt_tape_take(struct rt_shard *s) {
    s->tape_next = NULL;
    s->taped++;
}

bool rt_tape_rows(struct rt_shard *s, const struct rt_next *n) {
    const struct msg_frame *rec = rt_tape_peek(s);
    if (!rec) return false; /* the tape has ended: the loop goes on alive */
    if (n->series < 0) return true;
    if (rec->kind != MSG_ADVANCE) {
        rt_shard_fail(s, -EBADMSG,
                      "replay differs at position %llu: recorded kind %u where rows "
                      "were due",
                      (unsigned long long)rt_tape_position(s->tape), rec->kind);
        return false;
    }
    const struct msg_advance *a = msg_body(rec);
    if (a->rows == s->rows) { /* rows that were noted behind the last: nothing came of them */
        rt_shard_advance(s);
        return false;
    }
    s->rows_limit = a->rows;
    return true;
}

bool rt_tape_turn(struct rt_shard *s) {
    const struct msg_frame *rec = rt_tape_peek(s);
    if (!rec) return false;
    struct rt_next n;
    switch (rec->kind) {
    case MSG_ADVANCE: {
        const struct msg_advance *a = msg_body(rec);
        if (a->rows == s->rows) {
            rt_shard_advance(s);
            if (s->tape_next == rec) { /* already flushed by a snapshot's count */
                rt_tape_take(s);
            }
            return true;
        }
        s->rows_limit = a->rows;
        rt_series_next_row(s, &n);
        if (n.time_ns == INT64_MAX) {
            rt_shard_fail(s, -EBADMSG,
                          "replay differs: %llu rows recorded, the sources end after "
                          "%llu",
                          (unsigned long long)a->rows, (unsigned long long)s->rows);
            return false;
        }
        rt_series_tell(s, &n, a->rows - s->rows, INT64_MAX, UINT64_MAX);
        return true;
    }
    case MSG_EDGE_KEPT:
        if (!rt_edge_replay(s)) break;
        return true;
    case MSG_EDGE_FULL: /* one of the next rows asks for room: it is counted when heard */
        rt_series_next_row(s, &n);
        if (s->clock != RT_CLOCK_REAL || n.time_ns == INT64_MAX) break;
        s->rows_limit = s->rows + 1;
        rt_series_tell(s, &n, 1, INT64_MAX, UINT64_MAX);
        return true;
    case MSG_TIMER: {
        struct rt_timer t;
        if (!rt_wheel_peek(s->wheel, &t)) {
            rt_shard_fail(s, -EBADMSG, "replay differs: a timer recorded where none is armed");
            return false;
        }
        if (s->clock == RT_CLOCK_REAL) s->now_ns = rec->time_ns;
        rt_shard_timer(s);
        return true;
    }
    case MSG_COMMAND:
    case MSG_KILL_SEEN:
    case MSG_JOURNAL_STATE:
    case MSG_RESTART: {
        uint64_t room[16] = { 0 };
        struct msg_frame *f = (struct msg_frame *)(void *)room;
        memcpy(f, rec, rec->size <= sizeof room ? rec->size : sizeof room);
        f->stamp = 0;
        rt_shard_noted(s, f);
        rt_tape_take(s);
        rt_shard_event(s, s->clock == RT_CLOCK_REAL ? f->time_ns : s->now_ns, 0, f->trace_id);
        rt_shard_hand(s, f);
        rt_shard_quiet(s);
        return true;
    }
    case MSG_STOP: {
        const struct msg_stop *m = msg_body(rec);
        if (s->clock == RT_CLOCK_REAL) s->now_ns = rec->time_ns;
        rt_shard_stop(s, m->reason);
        return true;
    }
    default: break;
    }
    if (rec->kind & MSG_OUT || rec->source >= RT_ACTORS_MAX || s->clock != RT_CLOCK_REAL) {
        rt_shard_fail(s, -EBADMSG,
                      "replay differs at position %llu: recorded kind %u of actor %u, "
                      "which was not made again",
                      (unsigned long long)rt_tape_position(s->tape), rec->kind & ~MSG_OUT,
                      rec->source);
        return false;
    }
    uint64_t room[1024]; /* a frame of another shard */
    struct msg_frame *f = (struct msg_frame *)(void *)room;
    if (rec->size > sizeof room) {
        rt_shard_fail(s, -EMSGSIZE, "frame of %u bytes in the journal", rec->size);
        return false;
    }
    memcpy(f, rec, rec->size);
    f->stamp = 0; /* the record's sum stood there */
    uint16_t from = s->shard_of[f->source];
    if (from == 0xffff || s->in_of[from] == 0xff) {
        rt_shard_fail(s, -EBADMSG, "frame of actor %u, from whom this shard hears nothing",
                      f->source);
        return false;
    }
    rt_tape_take(s);
    s->now_ns = f->time_ns;
    s->in[s->in_of[from]].heard++;
    rt_shard_event(s, s->now_ns, 0, f->trace_id);
    rt_shard_hand(s, f);
    rt_shard_quiet(s);
    return true;
}

/* A row sink that hashes or stores; its base comes first. */
struct sink {
    struct rt_row_sink base; /* what save calls */
    struct rt_shard *s;      /* the shard */
    uint64_t *hash;          /* hashing: where to; else NULL */
    uint16_t owner;          /* actor whose rows these are */
    uint64_t rows;           /* how many came */
};

/* put_row takes one row of save. */
static void put_row(struct rt_row_sink *base, uint16_t kind, uint64_t key, const void *row,
                    uint32_t bytes) {
    struct sink *k = (struct sink *)base;
    k->rows++;
    if (!k->hash) {
        rt_snapshot_row(k->s->snapshots, k->s->snapshot_slot, k->owner, kind, key, row, bytes);
        return;
    }
    uint64_t head[2] = { kind, key };
    *k->hash = rt_hash64(*k->hash, head, sizeof head);
    *k->hash = rt_hash64(*k->hash, row, bytes);
}

void rt_shard_state_hash(struct rt_shard *s, uint64_t *out) {
    for (uint16_t i = 0; i < s->local_cnt; i++) {
        out[i] = 0;
        struct sink k = { .base.put = put_row, .s = s, .hash = &out[i], .owner = s->locals[i].id };
        if (s->locals[i].kind->save) s->locals[i].kind->save(s->locals[i].state, &k.base);
    }
}

/* save_timer writes one armed timer. */
static void save_timer(void *arg, const struct rt_timer *t) {
    struct rt_shard *s = arg;
    struct msg_timer_row row = { .due_ns = t->due_ns, .key = t->key };
    rt_snapshot_row(s->snapshots, s->snapshot_slot, (uint16_t)t->id, MSG_TIMER_ROW, t->key, &row,
                    sizeof row);
}

/* save_frame writes a frame the receiver has not shown as heard. */
static void save_frame(struct rt_shard *s, uint16_t shard, uint64_t at, const struct msg_frame *f) {
    struct msg_frame_piece_row head = { .piece = shard, .used = f->size };
    uint8_t room[sizeof head + MSG_FRAME_MAX];
    memcpy(room, &head, sizeof head);
    memcpy(room + sizeof head, f, f->size);
    rt_snapshot_row(s->snapshots, s->snapshot_slot, 0, MSG_FRAME_PIECE_ROW, at, room,
                    (uint32_t)sizeof head + f->size);
}

void rt_shard_snapshot(struct rt_shard *s, bool force) {
    (void)force;
    if (!s->snapshots) return;
    if (s->dirty) {
        rt_journal_turn(&s->journal);
        s->dirty = false;
    }
    rt_shard_advance(s); /* so that the tape from here begins with what comes after */
    uint32_t slot = s->snapshot_slot;
    if (!rt_snapshot_begin(s->snapshots, slot, rt_journal_position(&s->journal))) return;
    struct msg_shard_row row = { .now_ns = s->now_ns,
                                 .order = s->order,
                                 .events = s->events,
                                 .rows = s->rows,
                                 .rows_flushed = s->rows_flushed,
                                 .row_ns = s->row_ns,
                                 .exchange = s->exchange,
                                 .kill_seen = s->kill_seen,
                                 .flags = (uint32_t)s->started | (uint32_t)s->stopped << 1 |
                                          (uint32_t)s->journal_low_seen << 2 |
                                          (uint32_t)-s->journal_error_seen << 8 };
    rt_snapshot_row(s->snapshots, slot, 0, MSG_SHARD_ROW, s->number, &row, sizeof row);
    for (uint16_t i = 0; i < s->shard_cnt; i++) {
        struct msg_peer_row peer = { .next_ns = s->peer_ns[i], .next_order = s->peer_order[i] };
        if (s->out_of[i] != 0xff) peer.said = s->out[s->out_of[i]].tx.head;
        if (s->in_of[i] != 0xff) peer.heard = s->in[s->in_of[i]].heard;
        rt_snapshot_row(s->snapshots, slot, 0, MSG_PEER_ROW, i, &peer, sizeof peer);
    }
    for (uint16_t i = 0; i < s->edge_out_cnt; i++) {
        struct rt_ring_tx *tx = &s->out[i].tx;
        uint64_t taken = ck_pr_load_64(&tx->ring->taken);
        for (uint64_t at = taken; at < tx->head; at++) {
            const uint8_t *p = tx->slots + (at & tx->mask) * MSG_SLOT_BYTES;
            const struct msg_frame *f = (const struct msg_frame *)(const void *)p;
            if (f->size > MSG_SLOT_BYTES)
                f = (const struct msg_frame *)(const void *)(tx->bulk +
                                                             (at & tx->mask) * tx->bulk_bytes);
            save_frame(s, s->out[i].shard, (uint64_t)s->out[i].shard << 48 | at, f);
        }
        uint64_t place = tx->head; /* those that wait come behind: beyond the frames said */
        for (uint32_t at = 0; at < s->out[i].pending_bytes; place++) {
            const uint8_t *p = s->out[i].pending + at;
            const struct msg_frame *f = (const struct msg_frame *)(const void *)p;
            save_frame(s, s->out[i].shard, (uint64_t)s->out[i].shard << 48 | place, f);
            at += f->size;
        }
    }
    for (uint16_t i = 0; i < s->series_cnt; i++)
        for (int how = 0; how < RT_HEAR_CNT; how++) {
            struct msg_cursor_row cursor = { .row = s->feeds[i].cur[how].row,
                                             .up = s->feeds[i].cur[how].up };
            rt_snapshot_row(s->snapshots, slot, 0, MSG_CURSOR_ROW, (uint64_t)i << 8 | (uint64_t)how,
                            &cursor, sizeof cursor);
        }
    for (uint16_t i = 0; i < s->local_cnt; i++) {
        struct rt_local *a = &s->locals[i];
        struct msg_actor_row actor = { .draws = a->draws,
                                       .expiries = a->expiries,
                                       .calls = a->calls,
                                       .said_seq = a->said_seq,
                                       .stopped = a->stopped };
        rt_snapshot_row(s->snapshots, slot, a->id, MSG_ACTOR_ROW, 0, &actor, sizeof actor);
    }
    rt_wheel_each(s->wheel, save_timer, s);
    for (uint16_t i = 0; i < s->local_cnt; i++) {
        struct sink k = { .base.put = put_row, .s = s, .owner = s->locals[i].id };
        if (s->locals[i].kind->save) s->locals[i].kind->save(s->locals[i].state, &k.base);
    }
    if (rt_snapshot_end(s->snapshots, slot) == 0) s->tally.snapshots++;
    uint64_t keep = rt_snapshot_committed(s->snapshots, slot);
    if (keep) rt_journal_keep(&s->journal, keep);
}

int rt_shard_load(void *arg, uint16_t owner, uint16_t kind, uint64_t key, const void *row,
                  uint32_t bytes, struct rt_error *err) {
    struct rt_shard *s = arg;
    int local = owner && owner < RT_ACTORS_MAX ? s->local_of[owner] : -1;
    if (owner && local < 0)
        return rt_error_set(err, -EINVAL, "snapshot row of actor %u, which is not on shard %u",
                            owner, s->number);
    switch (kind) {
    case MSG_SHARD_ROW: {
        struct msg_shard_row r;
        if (bytes != sizeof r) break;
        memcpy(&r, row, sizeof r);
        s->now_ns = r.now_ns;
        s->order = r.order;
        s->events = r.events;
        s->rows = r.rows;
        s->rows_flushed = r.rows_flushed;
        s->row_ns = r.row_ns;
        s->exchange = r.exchange;
        s->kill_seen = r.kill_seen;
        s->started = r.flags & 1;
        s->stopped = (r.flags & 2) != 0;
        s->journal_low_seen = (r.flags & 4) != 0;
        s->journal_error_seen = -(int)(r.flags >> 8);
        return 0;
    }
    case MSG_PEER_ROW: {
        struct msg_peer_row r;
        if (bytes != sizeof r || key >= s->shard_cnt) break;
        memcpy(&r, row, sizeof r);
        s->peer_ns[key] = r.next_ns;
        s->peer_order[key] = r.next_order;
        if (s->out_of[key] != 0xff) s->out[s->out_of[key]].tx.head = r.said;
        if (s->in_of[key] != 0xff) s->in[s->in_of[key]].heard = r.heard;
        return 0;
    }
    case MSG_FRAME_PIECE_ROW: {
        struct msg_frame_piece_row r;
        if (bytes < sizeof r) break;
        memcpy(&r, row, sizeof r);
        if (r.piece >= s->shard_cnt || s->out_of[r.piece] == 0xff) break;
        struct rt_ring_tx *tx = &s->out[s->out_of[r.piece]].tx;
        uint64_t at = key & 0xffffffffffffULL, head = tx->head;
        if (at < head && at < tx->ring->head) return 0; /* the ring outlived us */
        uint64_t room[(MSG_FRAME_MAX + 64) / 8];
        if (bytes - sizeof r > sizeof room) break;
        memcpy(room, (const uint8_t *)row + sizeof r, bytes - sizeof r);
        if (at >= head) {
            if (!rt_edge_pend(&s->out[s->out_of[r.piece]], (const struct msg_frame *)(void *)room))
                break;
            return 0;
        }
        tx->head = at;
        rt_ring_put(tx, (const struct msg_frame *)(const void *)room);
        tx->head = head;
        return 0;
    }
    case MSG_CURSOR_ROW: {
        struct msg_cursor_row r;
        uint64_t series = key >> 8, how = key & 0xff;
        if (bytes != sizeof r || series >= s->series_cnt || how >= RT_HEAR_CNT) break;
        memcpy(&r, row, sizeof r);
        s->feeds[series].cur[how].row = r.row;
        s->feeds[series].cur[how].up = r.up;
        return 0;
    }
    case MSG_ACTOR_ROW: {
        struct msg_actor_row r;
        if (bytes != sizeof r || local < 0) break;
        memcpy(&r, row, sizeof r);
        struct rt_local *a = &s->locals[local];
        a->draws = r.draws;
        a->expiries = r.expiries;
        a->calls = r.calls;
        a->said_seq = r.said_seq;
        a->stopped = r.stopped != 0;
        if (a->stopped) a->poison_call = 0;
        return 0;
    }
    case MSG_TIMER_ROW: {
        struct msg_timer_row r;
        if (bytes != sizeof r || local < 0) break;
        memcpy(&r, row, sizeof r);
        struct rt_timer t = { .due_ns = r.due_ns,
                              .key = r.key,
                              .actor = (uint16_t)local,
                              .id = owner,
                              .cls = (uint16_t)s->locals[local].kind->timer_class };
        return rt_wheel_set(s->wheel, &t);
    }
    default:
        if (local < 0 || !s->locals[local].kind->load) break;
        return s->locals[local].kind->load(s->locals[local].state, kind, key, row, bytes, err);
    }
    return rt_error_set(err, -EINVAL, "snapshot row of kind %u (%u bytes) makes no sense", kind,
                        bytes);
}

int rt_shard_loaded(struct rt_shard *s) {
    s->ctx.now_ns = s->now_ns;
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        struct rt_feed *d = &s->feeds[i];
        uint64_t first = UINT64_MAX;
        for (int how = 0; how < RT_HEAR_CNT; how++)
            if (d->cur[how].up && d->cur[how].row < first) first = d->cur[how].row;
        if (first == UINT64_MAX) continue; /* nobody hears it: read from its start when needed */
        /* the last row told whole may be two before the one that comes: who hears opens alone has
         * passed the open of the row between */
        first = first > 2 ? first - 2 : 0;
        struct rt_block b = { 0 };
        int code = d->s.block(&d->s, first, &b);
        if (code < 0) return code;
        rt_series_keep(d, &b);
        uint64_t from = b.first; /* those before are told; reading on moves the block */
        d->latest[0] = d->latest[1] = from;
        for (int how = 0; how < RT_HEAR_CNT; how++) {
            if (d->cur[how].row < from) d->cur[how].row = from;
            rt_series_due(s, i, (enum rt_hear)how);
        }
    }
    return s->fault.text[0] ? s->fault.code : 0;
}
