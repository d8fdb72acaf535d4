/* shard.c - calls, mail and the loop. */
#include "runtime/core/shard.h"
#include "runtime/base/alloc.h"
#include "runtime/base/philox.h"
#include "runtime/time/clock.h"
#include "runtime/watch/log.h"
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

_Thread_local uint64_t rt_overfull_bin[MSG_FRAME_MAX / 8 + 1];

int rt_shard_fail(struct rt_shard *s, int code, const char *format, ...) {
    if (s->fault.text[0]) return s->fault.code; /* the first one tells the cause */
    va_list args;
    va_start(args, format);
    vsnprintf(s->fault.text, sizeof s->fault.text, format, args);
    va_end(args);
    s->fault.code = code;
    return code;
}

/* append writes f to the journal as it is. */
static void append(struct rt_shard *s, const struct msg_frame *f, uint16_t dir) {
    rt_journal_append(&s->journal, f, dir);
    s->dirty = true;
}

/* same tells whether record rec of the tape is frame f, but for the stamp (the record's CRC). */
static bool same(const struct msg_frame *rec, const struct msg_frame *f, uint16_t dir) {
    return rec->kind == (f->kind | dir) && rec->size == f->size && rec->source == f->source &&
           rec->dest == f->dest && rec->seq == f->seq && rec->time_ns == f->time_ns &&
           rec->trace_id == f->trace_id && memcmp(rec + 1, f + 1, f->size - sizeof *f) == 0;
}

/* compare holds f against the tape's next record, and goes on to append at its end. */
static __attribute__((noinline)) void compare(struct rt_shard *s, const struct msg_frame *f,
                                              uint16_t dir) {
    const struct msg_frame *rec = rt_tape_peek(s);
    if (!rec) {
        if (s->tape || s->verify) return; /* verify: beyond the tape nothing is kept */
        append(s, f, dir);
        return;
    }
    if (!same(rec, f, dir)) {
        rt_shard_fail(s, -EBADMSG,
                      "replay differs at position %llu: recorded kind %u source %u seq %u size %u "
                      "time %lld, made again kind %u source %u seq %u size %u time %lld",
                      (unsigned long long)rt_tape_position(s->tape), rec->kind, rec->source,
                      rec->seq, rec->size, (long long)rec->time_ns, f->kind | dir, f->source,
                      f->seq, f->size, (long long)f->time_ns);
        return;
    }
    rt_tape_take(s);
}

/* advance_now writes the Advance record that is due. Apart, so that a frame that needs none pays
 * for no stack frame. */
static __attribute__((noinline)) void advance_now(struct rt_shard *s) {
    struct {
        struct msg_frame f;      /* head */
        struct msg_advance body; /* how far */
        uint64_t slack[2];       /* fills the slot */
    } m = { .f = { .kind = MSG_ADVANCE,
                   .size = sizeof m.f + sizeof m.body,
                   .source = (uint16_t)(RT_SHARD_ID + s->number),
                   .time_ns = s->row_ns },
            .body = { .rows = s->rows, .time_ns = s->row_ns } };
    s->rows_flushed = s->rows;
    if (!s->journal_on) return;
    if (s->tape)
        compare(s, &m.f, 0);
    else
        append(s, &m.f, 0);
}

void rt_shard_advance(struct rt_shard *s) {
    if (s->rows != s->rows_flushed) advance_now(s);
}

/* record is rt_shard_record, inlined where frames are many. */
static inline void record(struct rt_shard *s, const struct msg_frame *f, uint16_t dir) {
    if (!s->journal_on) return;
    if (s->rows != s->rows_flushed) advance_now(s);
    if (__builtin_expect(s->tape != NULL, 0))
        compare(s, f, dir);
    else
        append(s, f, dir);
}

void rt_shard_record(struct rt_shard *s, struct msg_frame *f, uint16_t dir) {
    record(s, f, dir);
}

void rt_shard_event(struct rt_shard *s, int64_t time_ns, uint64_t order, uint64_t trace_id) {
    assert(time_ns >= s->now_ns || s->clock == RT_CLOCK_REAL);
    if (time_ns > s->now_ns) s->now_ns = time_ns;
    s->order = order;
    s->ctx.now_ns = s->now_ns;
    s->ctx.trace_id = trace_id;
    s->events++;
    s->tally.events++;
}

/* mail_full ends the shard because b has no room for more mail. */
static __attribute__((noinline)) void mail_full(struct rt_shard *s, const struct rt_local *b) {
    rt_shard_fail(s, -EOVERFLOW, "actor %s: more than %u frames in one round; raise mail_max",
                  b->name, s->mail_max);
}

/* put_mail gives local actor number to the frame at offset of queue q, the one being filled. */
static inline void put_mail(struct rt_shard *s, struct rt_local *locals, int q, uint16_t to,
                            uint32_t offset) {
    struct rt_local *b = &locals[to];
    uint32_t cnt = b->mail_cnt[q];
    if (__builtin_expect(cnt == s->mail_max, 0)) {
        mail_full(s, b);
        return;
    }
    b->mail[q][cnt] = offset;
    b->mail_cnt[q] = cnt + 1;
    s->mail_up[q] |= 1ULL << to;
}

/* own_of returns the local index of the actor that f is about when route r tells it such frames,
 * else -1. */
static inline int own_of(const struct rt_shard *s, const struct rt_route *r,
                         const struct msg_frame *f) {
    if (__builtin_expect(r->own == 0, 1)) return -1;
    const uint16_t id = s->about(f);
    const int local = id < RT_ACTORS_MAX ? s->local_of[id] : -1;
    return local >= 0 && (s->own[r->own - 1] >> local & 1) ? local : -1;
}

void rt_shard_leave_out(struct rt_shard *s, uint16_t local, uint16_t reason) {
    struct rt_local *a = &s->locals[local];
    if (a->stopped) return;
    if (a->sleeps) rt_series_wake(s, local, NULL);
    a->stopped = true;
    a->poison_call = 0;
    a->stop_reason = reason;
    if (!s->verify) RT_LOG(RT_EVENT_ACTOR_STOPPED, a->id, reason, 0);
    rt_wheel_cancel_all(s->wheel, a->id);
    for (uint16_t i = 0; i < s->series_cnt; i++)
        for (int how = 0; how < RT_HEAR_CNT; how++) {
            s->feeds[i].cur[how].up &= ~(1ULL << local);
            if (!s->feeds[i].cur[how].up) rt_series_due_at(s, i, (enum rt_hear)how, INT64_MAX);
        }
    uint8_t *from = rt_shard_begin(s, local);
    struct msg_actor_stopped *m = rt_say(&s->ctx, MSG_ACTOR_STOPPED, 0, sizeof *m);
    *m = (struct msg_actor_stopped){ .actor = a->id, .reason = reason };
    rt_shard_said(s, local, from);
}

/* wait_synced holds the shard until all that was said is safe (each-order). */
static void wait_synced(struct rt_shard *s) {
    if (s->tape || !s->journal_on) return;
    rt_journal_turn(&s->journal);
    rt_journal_wait(&s->journal, rt_journal_position(&s->journal));
}

void rt_shard_poison(struct rt_shard *s, uint16_t local) {
    struct rt_local *a = &s->locals[local];
    struct {
        struct msg_frame f;     /* head */
        struct msg_poison body; /* who, at what */
        uint64_t slack[2];      /* fills the slot */
    } m = { .f = { .kind = MSG_POISON,
                   .size = sizeof m.f + sizeof m.body,
                   .source = a->id,
                   .dest = a->id,
                   .time_ns = s->now_ns,
                   .trace_id = s->ctx.trace_id },
            .body = { .event = a->calls + 1, .actor = a->id, .signal = a->poison_signal } };
    rt_shard_record(s, &m.f, 0);
    rt_shard_leave_out(s, local, a->poison_signal == SIGKILL ? REASON_HUNG : REASON_CRASHED);
}

/* record_said is record for what was said; a call of its own leaves the caller its registers. */
static __attribute__((noinline)) void record_said(struct rt_shard *s, const struct msg_frame *f) {
    record(s, f, MSG_OUT);
}

/* tell_control gives the answer f to a command to the control thread. Who asked may be gone, and
 * what finds no room is missed by nobody: it is journaled. */
static void tell_control(struct rt_shard *s, const struct msg_frame *f) {
    if (s->verify || !s->answers.ring) return;
    if (rt_ring_push(&s->answers, f)) rt_ring_publish(&s->answers);
}

/* said_apart gives frame f, said by an actor here and lying at offset of queue q, to those who hear
 * it when not all of them are hearers of its route on this shard. */
static __attribute__((noinline)) void said_apart(struct rt_shard *s, int q,
                                                 const struct rt_route *r,
                                                 const struct msg_frame *f, uint32_t offset) {
    if (r->gate && s->durability == RT_DURABLE_EACH_ORDER) wait_synced(s);
    if (f->kind == MSG_COMMAND_ANSWER) tell_control(s, f);
    if (f->dest == 0) {
        const uint16_t *h = s->hearers + r->first;
        const int own = own_of(s, r, f);
        for (unsigned i = 0; i < r->local_cnt; i++) put_mail(s, s->locals, q, *h++, offset);
        if (own >= 0) put_mail(s, s->locals, q, (uint16_t)own, offset);
        for (unsigned i = 0; i < r->edge_cnt; i++) rt_edge_push(s, &s->out[*h++], f);
    } else if (f->dest >= RT_ACTORS_MAX) {
        return;
    } else if (s->local_of[f->dest] >= 0) {
        uint16_t to_local = (uint16_t)s->local_of[f->dest];
        if (s->locals[to_local].kind->on[f->kind]) put_mail(s, s->locals, q, to_local, offset);
    } else if (s->shard_of[f->dest] != 0xffff && s->out_of[s->shard_of[f->dest]] != 0xff) {
        rt_edge_push(s, &s->out[s->out_of[s->shard_of[f->dest]]], f);
    }
}

void rt_shard_said(struct rt_shard *s, uint16_t local, uint8_t *from) {
    struct rt_ctx *ctx = &s->ctx;
    uint8_t *const to = ctx->out;
    if (__builtin_expect(ctx->overfull, 0)) {
        ctx->overfull = false;
        ctx->out = from;
        rt_shard_leave_out(s, local, REASON_BUDGET);
        return;
    }
    const struct rt_route *const routes = s->routes + (size_t)local * MSG_KIND_MAX;
    struct rt_local *const locals = s->locals;
    const int q = !s->now_q;
    const uint8_t *const queue = s->queue[q];
    for (uint8_t *p = from; p < to; p += ((const struct msg_frame *)(const void *)p)->size) {
        const struct msg_frame *f = (const struct msg_frame *)(const void *)p;
        const struct rt_route *r = &routes[f->kind];
        if (r->journal && s->journal_on) record_said(s, f);
        if (__builtin_expect(r->apart || f->dest != 0, 0)) {
            said_apart(s, q, r, f, (uint32_t)(p - queue));
            continue;
        }
        const uint16_t *h = s->hearers + r->first, *const end = h + r->local_cnt;
        const int own = own_of(s, r, f);
        for (; h < end; h++) put_mail(s, locals, q, *h, (uint32_t)(p - queue));
        if (own >= 0) put_mail(s, locals, q, (uint16_t)own, (uint32_t)(p - queue));
    }
    s->queue_at = to;
}

/* hop times the way of a sampled frame: from its turn's beginning to here. */
static void hop(struct rt_shard *s, uint16_t local, const struct msg_frame *f) {
    if (!s->meter.shard || s->tape) return;
    uint64_t ns = rt_clock_tsc_to_ns((uint32_t)rt_tsc() - f->stamp);
    rt_hist_record(&s->meter.hops[local]->ns, ns);
}

/* deliver calls an actor that was entered with f. A stopped actor's poison_call is 0. */
static inline void deliver(struct rt_shard *s, struct rt_local *a, uint16_t local,
                           const struct msg_frame *f) {
    uint64_t call = a->calls + 1;
    if (__builtin_expect(call >= a->poison_call, 0)) {
        if (!a->stopped) rt_shard_poison(s, local);
        return;
    }
    a->calls = call;
    uint8_t *from = s->queue_at;
    s->ctx.out = from;
    s->ctx.out_end = rt_shard_call_end(s, from);
    s->ctx.trace_id = f->trace_id;
    if (__builtin_expect(f->stamp != 0, 0)) hop(s, local, f);
    rt_shard_calling(s, a);
    a->kind->on[f->kind](&s->ctx, a->state, f);
    rt_shard_called(s);
    if (s->ctx.out != from || __builtin_expect(s->ctx.overfull, 0)) rt_shard_said(s, local, from);
}

void rt_shard_call(struct rt_shard *s, uint16_t local, const struct msg_frame *f) {
    struct rt_local *a = &s->locals[local];
    if (__builtin_expect(a->sleeps, 0)) rt_series_wake(s, local, f);
    rt_shard_enter(s, a, local);
    deliver(s, a, local, f);
}

void rt_shard_turn_over(struct rt_shard *s, int q) {
    s->now_q = !q;
    s->queue_at = s->queue[q];
    s->round_end = s->queue_end[q];
}

/* hear_round is rt_shard_round; inlined, so that a run of rounds pays for one stack frame. */
static inline bool hear_round(struct rt_shard *s) {
    const int q = !s->now_q; /* what was being filled is heard now */
    uint64_t up = s->mail_up[q];
    const uint8_t *const queue = s->queue[q];
    if (!up) {
        s->queue_at = s->queue[q];
        return false;
    }
    s->mail_up[q] = 0;
    rt_shard_turn_over(s, !q);
    do {
        uint16_t local = (uint16_t)__builtin_ctzll(up);
        up &= up - 1;
        struct rt_local *const a = &s->locals[local];
        const uint32_t *mail = a->mail[q], *const end = mail + a->mail_cnt[q];
        a->mail_cnt[q] = 0;
        s->tally.mails += (uint64_t)(end - mail);
        rt_shard_enter(s, a, local);
        do {
            const struct msg_frame *f = (const struct msg_frame *)(const void *)(queue + *mail);
            if (__builtin_expect(a->sleeps, 0)) rt_series_wake(s, local, f);
            deliver(s, a, local, f);
        } while (++mail < end);
    } while (up);
    return true;
}

bool rt_shard_round(struct rt_shard *s) {
    return hear_round(s);
}

void rt_shard_quiet(struct rt_shard *s) {
    do {
        if (__builtin_expect(s->remote_mail, 0)) {
            if (s->step) { /* all shards hear the next rounds together */
                rt_step_exchange(s);
                return;
            }
            s->remote_mail = false;
        }
        if (__builtin_expect(s->fault.text[0], 0)) return;
    } while (hear_round(s));
}

void rt_shard_hand(struct rt_shard *s, const struct msg_frame *f) {
    if (f->dest != 0) {
        int local = f->dest < RT_ACTORS_MAX ? s->local_of[f->dest] : -1;
        if (local >= 0 && s->locals[local].kind->on[f->kind]) rt_shard_call(s, (uint16_t)local, f);
        return;
    }
    uint16_t row = f->source < RT_ACTORS_MAX ? s->row_of[f->source] : 0xffff;
    if (row != 0xffff) { /* an actor's frame goes by the graph */
        const struct rt_route *r = &s->routes[(size_t)row * MSG_KIND_MAX + f->kind];
        const int own = own_of(s, r, f);
        uint64_t up = own >= 0 ? 1ULL << own : 0;
        for (unsigned i = 0; i < r->local_cnt; i++) up |= 1ULL << s->hearers[r->first + i];
        for (; up; up &= up - 1) rt_shard_call(s, (uint16_t)__builtin_ctzll(up), f);
        return;
    }
    for (uint16_t i = 0; i < s->local_cnt; i++) /* the runtime's goes to all who hear the kind */
        if (s->locals[i].kind->on[f->kind]) rt_shard_call(s, i, f);
}

void rt_shard_post(struct rt_shard *s, const struct msg_frame *f) {
    if (s->queue_end[!s->now_q] - s->queue_at < f->size) {
        rt_shard_fail(s, -EOVERFLOW,
                      "mail queue full of frames from other shards; raise mail_bytes");
        return;
    }
    uint16_t row = f->source < RT_ACTORS_MAX ? s->row_of[f->source] : 0xffff;
    uint32_t offset = (uint32_t)(s->queue_at - s->queue[!s->now_q]);
    memcpy(s->queue_at, f, f->size);
    s->queue_at += f->size;
    if (f->stamp) s->ctx.stamp = f->stamp; /* what comes of it began there */
    if (f->dest != 0) {
        int local = f->dest < RT_ACTORS_MAX ? s->local_of[f->dest] : -1;
        if (local >= 0 && s->locals[local].kind->on[f->kind])
            put_mail(s, s->locals, !s->now_q, (uint16_t)local, offset);
    } else if (row != 0xffff) {
        const struct rt_route *r = &s->routes[(size_t)row * MSG_KIND_MAX + f->kind];
        const int own = own_of(s, r, f);
        for (unsigned i = 0; i < r->local_cnt; i++)
            put_mail(s, s->locals, !s->now_q, s->hearers[r->first + i], offset);
        if (own >= 0) put_mail(s, s->locals, !s->now_q, (uint16_t)own, offset);
    }
}

void rt_shard_broadcast(struct rt_shard *s, struct msg_frame *f) {
    rt_shard_record(s, f, 0);
    rt_shard_hand(s, f);
    rt_shard_quiet(s);
}

void rt_shard_timer(struct rt_shard *s) {
    struct rt_timer t;
    bool some = rt_wheel_pop(s->wheel, INT64_MAX, &t);
    assert(some);
    struct rt_local *a = &s->locals[t.actor];
    int64_t now_ns = s->now_ns;
    if (s->clock == RT_CLOCK_REAL && !s->tape && s->clock_ns > now_ns) now_ns = s->clock_ns;
    if (t.due_ns > now_ns) now_ns = t.due_ns;
    rt_shard_event(s, now_ns, (uint64_t)t.cls << 56 | (uint64_t)a->id << 32,
                   (uint64_t)a->id << 48 | (++a->expiries & 0xffffffffffffULL));
    struct {
        struct msg_frame f;    /* head */
        struct msg_timer body; /* which */
        uint64_t slack[2];     /* fills the slot */
    } m = { .f = { .kind = MSG_TIMER,
                   .size = sizeof m.f + sizeof m.body,
                   .source = (uint16_t)(RT_SHARD_ID + s->number),
                   .dest = a->id,
                   .time_ns = s->now_ns,
                   .trace_id = s->ctx.trace_id },
            .body = { .key = t.key, .due_ns = t.due_ns } };
    m.f.source = a->id; /* a timer is its owner's: no shard is named, so placements agree */
    rt_shard_record(s, &m.f, 0);
    if (a->kind->on[MSG_TIMER]) rt_shard_call(s, t.actor, &m.f);
    rt_shard_quiet(s);
}

/* clock_now brings the shard's time up to the real clock: only where a record tells that time, so
 * that replay has it too. Rows that can be read again happen at their own time. */
static void clock_now(struct rt_shard *s) {
    if (s->clock == RT_CLOCK_REAL && s->clock_ns > s->now_ns) s->now_ns = s->clock_ns;
}

/* tell_runtime broadcasts one of the runtime's own messages with a body of bytes, at order. */
static void tell_runtime(struct rt_shard *s, uint16_t kind, uint64_t order, const void *body,
                         uint32_t bytes) {
    uint64_t room[16] = { 0 };
    struct msg_frame *f = (struct msg_frame *)(void *)room;
    rt_shard_event(s, s->now_ns, order, (uint64_t)(RT_SHARD_ID + s->number) << 48 | s->events);
    *f = (struct msg_frame){ .kind = kind,
                             .size = (uint16_t)(sizeof *f + bytes),
                             .source = RT_SHARD_ID,
                             .time_ns = s->now_ns,
                             .trace_id = (uint64_t)kind << 48 };
    s->ctx.trace_id = f->trace_id;
    memcpy(f + 1, body, bytes);
    rt_shard_broadcast(s, f);
}

/* start tells Start once. */
static void start(struct rt_shard *s) {
    if (s->started) return;
    s->started = true;
    if (!s->tape) s->clock_ns = rt_clock_ns();
    clock_now(s);
    const struct msg_frame *rec = s->tape ? rt_tape_peek(s) : NULL;
    if (rec && s->clock == RT_CLOCK_REAL) s->now_ns = rec->time_ns;
    struct msg_start m = { .seed = s->seed, .start_ns = s->now_ns };
    if (s->step) { /* one common Start: round one on every shard, then rounds together */
        s->remote_mail = true;
    }
    tell_runtime(s, MSG_START, 0, &m, sizeof m);
}

void rt_shard_stop(struct rt_shard *s, uint16_t reason) {
    if (s->stopped) return;
    s->stopped = true;
    /* No event follows in which an actor could go on: a call may say all that a round holds. */
    s->call_bytes = (uint32_t)(s->queue_end[0] - s->queue[0]);
    if (!s->verify) RT_LOG(RT_EVENT_STOPPING, reason, 0, 0);
    struct msg_stop m = { .reason = reason };
    if (s->step) s->remote_mail = true;
    uint64_t order = s->order + 1; /* after what was last told, whose rows count as told */
    if (reason == REASON_END_OF_DATA && s->clock != RT_CLOCK_REAL && s->end_ns != INT64_MAX) {
        /* the end is the data's, on every shard, whoever heard the last rows */
        if (s->end_ns > s->now_ns) s->now_ns = s->end_ns;
        order = UINT64_MAX;
    }
    tell_runtime(s, MSG_STOP, order, &m, sizeof m);
}

/* hold journals one of the runtime's own messages and keeps it until its turn: it is heard as the
 * next event of class command, on shards in step when all have agreed that it is next. */
static void hold(struct rt_shard *s, uint16_t kind, const void *body, uint32_t bytes) {
    struct rt_held *h = &s->held;
    assert(!h->full);
    clock_now(s);
    memset(h, 0, sizeof *h);
    h->full = true;
    h->f = (struct msg_frame){ .kind = kind,
                               .size = (uint16_t)(sizeof h->f + ((bytes + 7U) & ~7U)),
                               .source = RT_SHARD_ID,
                               .time_ns = s->now_ns,
                               .trace_id = (uint64_t)kind << 48 | s->events };
    memcpy(h->body, body, bytes);
    rt_shard_record(s, &h->f, 0);
}

/* settle takes an Advance record that tells nothing new: it was written ahead of something that is
 * not in the order of events, or of a snapshot. */
static void settle(struct rt_shard *s) {
    const struct msg_frame *rec = rt_tape_peek(s);
    if (!rec || rec->kind != MSG_ADVANCE) return;
    const struct msg_advance *a = msg_body(rec);
    if (a->rows != s->rows) return;
    rt_shard_advance(s);
    if (s->tape_next == rec) rt_tape_take(s);
}

void rt_shard_noted(struct rt_shard *s, const struct msg_frame *rec) {
    if (rec->kind == MSG_KILL_SEEN) {
        const struct msg_kill_seen *m = msg_body(rec);
        s->kill_seen = m->word;
    }
    if (rec->kind == MSG_JOURNAL_STATE) { /* else its end would never be told after a recovery */
        const struct msg_journal_state *m = msg_body(rec);
        s->journal_error_seen = m->error;
        s->journal_low_seen = m->free_segments < 2;
    }
    if (rec->kind == MSG_COMMAND) s->command_key = ((const struct msg_command *)msg_body(rec))->key;
}

/* hold_taped keeps the message that the tape says was held here; true when it was one. */
static bool hold_taped(struct rt_shard *s) {
    const struct msg_frame *rec = rt_tape_peek(s);
    if (!rec || s->held.full) return false;
    if (rec->kind != MSG_COMMAND && rec->kind != MSG_KILL_SEEN && rec->kind != MSG_JOURNAL_STATE)
        return false;
    memset(&s->held, 0, sizeof s->held);
    memcpy(&s->held.f, rec,
           rec->size <= sizeof s->held.f + sizeof s->held.body
               ? rec->size
               : sizeof s->held.f + sizeof s->held.body);
    s->held.f.stamp = 0;
    s->held.full = true;
    rt_shard_noted(s, rec);
    rt_tape_take(s);
    return true;
}

/* journal_low tells whether room for the journal has been short for so long that the disk thread
 * cannot just be behind: it makes segments two ahead. */
static bool journal_low(struct rt_shard *s, uint32_t free_cnt) {
    int64_t beat_ns = atomic_load_explicit(&s->pulse->beat_ns, memory_order_relaxed);
    if (__builtin_expect(free_cnt >= 2, 1)) {
        s->journal_low_ns = 0;
        return false;
    }
    if (s->journal_low_ns == 0) s->journal_low_ns = beat_ns;
    return free_cnt == 0 || beat_ns - s->journal_low_ns > 250000000;
}

void rt_shard_look(struct rt_shard *s) {
    if (s->held.full) return;
    if (s->tape) {
        settle(s);
        hold_taped(s);
        if (s->tape) return;
    }
    if (s->verify || (s->resaying && rt_step_owed(s) != RT_OWED_NOTHING && s->step)) return;
    uint32_t kill = atomic_load_explicit(&s->shared->kill, memory_order_relaxed);
    if (__builtin_expect(kill != s->kill_seen, 0)) {
        s->kill_seen = kill;
        if (kill)
            RT_LOG(RT_EVENT_KILL_ON, kill, 0, 0);
        else
            RT_LOG(RT_EVENT_KILL_OFF, 0, 0, 0);
        struct msg_kill_seen m = { .word = kill };
        hold(s, MSG_KILL_SEEN, &m, sizeof m);
        return;
    }
    if (s->journal_on && (s->looks++ & 31) == 0) { /* its words are the disk thread's lines */
        int error = rt_journal_error(&s->journal);
        uint32_t free_cnt = rt_journal_free(&s->journal);
        bool low = journal_low(s, free_cnt);
        if (__builtin_expect(error != s->journal_error_seen || low != s->journal_low_seen, 0)) {
            s->journal_error_seen = error;
            s->journal_low_seen = low;
            if (s->clock != RT_CLOCK_REAL && error == 0)
                return; /* ordered clocks wait for room instead: time can stand still */
            if (error)
                RT_LOG(RT_EVENT_JOURNAL_FAILED, rt_journal_position(&s->journal), error, 0);
            else if (low)
                RT_LOG(RT_EVENT_JOURNAL_LOW, free_cnt, 0, 0);
            else
                RT_LOG(RT_EVENT_JOURNAL_WELL, free_cnt, 0, 0);
            struct msg_journal_state m = { .error = error, .free_segments = free_cnt };
            hold(s, MSG_JOURNAL_STATE, &m, sizeof m);
            return;
        }
    }
    struct msg_frame *f = s->commands.ring ? rt_ring_peek(&s->commands) : NULL;
    if (f) {
        const struct msg_command *c = msg_body(f);
        /* a process that died between the journal and the ring finds in both what it heard once */
        if (c->key == 0 || c->key != s->command_key) {
            RT_LOG(RT_EVENT_COMMAND, c->op, c->target, c->uid);
            hold(s, f->kind, f + 1, f->size - (uint32_t)sizeof *f);
            s->held.f.dest = f->dest;
            s->command_key = c->key;
        }
        rt_ring_skip(&s->commands);
        rt_ring_give(&s->commands);
    }
}

/* answer_for answers the command f in place of an actor that was left out and hears nothing. */
static void answer_for(struct rt_shard *s, const struct msg_frame *f) {
    struct msg_command_answer_in in = { .key = ((const struct msg_command *)msg_body(f))->key,
                                        .why = "it was left out, and hears nothing more" };
    uint64_t room[32] = { 0 }, body[24];
    struct msg_builder b;
    uint32_t bytes;
    msg_builder_init(&b, body, sizeof body);
    const void *made = msg_command_answer_build(&b, &in, &bytes);
    assert(made);
    struct msg_frame *a = (struct msg_frame *)(void *)room;
    *a = (struct msg_frame){ .kind = MSG_COMMAND_ANSWER,
                             .size = (uint16_t)(sizeof *a + bytes),
                             .source = (uint16_t)(RT_SHARD_ID + s->number) };
    memcpy(a + 1, made, bytes);
    tell_control(s, a);
}

/* tell_held hears the held message now. */
static void tell_held(struct rt_shard *s) {
    struct rt_held h = s->held;
    s->held.full = false;
    rt_shard_event(s, s->now_ns, 0, h.f.trace_id);
    int local = h.f.dest != 0 && h.f.dest < RT_ACTORS_MAX ? s->local_of[h.f.dest] : -1;
    if (h.f.kind == MSG_COMMAND && local >= 0 && s->locals[local].stopped) answer_for(s, &h.f);
    rt_shard_hand(s, &h.f);
    rt_shard_quiet(s);
}

void rt_shard_turn(struct rt_shard *s) {
    s->tally.turns++;
    if (s->dirty) {
        rt_journal_turn(&s->journal);
        s->dirty = false;
    }
    for (uint16_t i = 0; i < s->edge_out_cnt; i++) {
        struct rt_edge_out *e = &s->out[i];
        if (__builtin_expect(e->pending_cnt != 0, 0)) rt_edge_drain(s, e);
        if (e->tx.ring->head != e->tx.head) {
            rt_ring_publish(&e->tx);
            if (s->peers[e->shard]) rt_poller_wake(s->peers[e->shard]);
        }
    }
}

/* housekeeping is done now and then: the beat that the watchdog reads. */
static void housekeeping(struct rt_shard *s) {
    int64_t mono_ns = rt_clock_monotonic_ns();
    atomic_store_explicit(&s->pulse->beat_ns, mono_ns, memory_order_relaxed);
    rt_meter_publish(s, mono_ns);
}

/* safe_point is where the loop stands between events and a snapshot may be taken. */
static void safe_point(struct rt_shard *s) {
    if (!s->snapshots || s->tape || s->held.full || s->go_agreed || s->stop_agreed) return;
    int64_t mono_ns = atomic_load_explicit(&s->pulse->beat_ns, memory_order_relaxed);
    if (mono_ns - s->snapshot_last_ns < s->snapshot_every_ns) return;
    s->snapshot_last_ns = mono_ns;
    rt_shard_snapshot(s, false);
}

bool rt_shard_relax(const struct rt_shard *s, uint64_t tries) {
    if (s->idle == RT_IDLE_BLOCK) return true;
    if (s->idle == RT_IDLE_SPIN || tries < s->spins)
        ck_pr_stall();
    else if (tries < s->spins + s->yields)
        sched_yield(); /* another shard may want the core */
    else
        return true;
    return false;
}

/* idle_wait waits for at most timeout_ns by the idle mode; idle counts turns without work. */
static void idle_wait(struct rt_shard *s, uint64_t *idle, int64_t timeout_ns) {
    s->tally.idle_turns++;
    ++*idle;
    if (!rt_shard_relax(s, *idle) || timeout_ns <= 0) return;
    if (timeout_ns > 100000000) timeout_ns = 100000000; /* the beat must go on */
    rt_poller_park(s->poller);
    bool work = s->commands.ring && rt_ring_peek(&s->commands);
    if (s->step) /* tokens lie there before their time: what counts is that somebody wishes */
        work = work || atomic_load_explicit(&s->shared->wish, memory_order_relaxed);
    for (uint16_t i = 0; i < s->edge_in_cnt && !work && !s->step; i++)
        work = rt_ring_peek(&s->in[i].rx);
    if (work || atomic_load_explicit(&s->shared->stop, memory_order_relaxed) ||
        atomic_load_explicit(&s->shared->kill, memory_order_relaxed) != s->kill_seen) {
        rt_poller_unpark(s->poller);
        return;
    }
    rt_poller_wait(s->poller, timeout_ns);
    housekeeping(s);
}

/* pace returns how long the paced clock still waits for time_ns, ns; 0 = now. */
static int64_t pace(struct rt_shard *s, int64_t time_ns) {
    if (s->clock != RT_CLOCK_PACED) return 0;
    int64_t mono_ns = rt_clock_monotonic_ns();
    uint64_t origin = atomic_load_explicit(&s->shared->pace_origin_ns, memory_order_relaxed);
    if (origin == 0) { /* the first event (after a recovery: the first new one) is now */
        uint64_t mine = (uint64_t)mono_ns - (uint64_t)((double)(time_ns - s->start_ns) / s->speed);
        if (atomic_compare_exchange_strong(&s->shared->pace_origin_ns, &origin, mine))
            origin = mine;
    }
    int64_t at_ns = (int64_t)origin + (int64_t)((double)(time_ns - s->start_ns) / s->speed);
    return at_ns > mono_ns ? at_ns - mono_ns : 0;
}

/* earlier compares (time, order) of a and b. */
static bool earlier(int64_t a_ns, uint64_t a_order, int64_t b_ns, uint64_t b_order) {
    return a_ns < b_ns || (a_ns == b_ns && a_order < b_order);
}

/* longest notes how long a turn took that began at tsc. */
static void longest(struct rt_shard *s, uint64_t tsc) {
    uint64_t ns = rt_clock_tsc_to_ns(rt_tsc() - tsc);
    if (ns > s->tally.longest_turn_ns) s->tally.longest_turn_ns = ns;
}

/* stamped begins an event of the paced clock, where there is time to stamp each: returns when, 0 on
 * other clocks and while replaying. */
static uint64_t stamped(struct rt_shard *s) {
    if (s->clock != RT_CLOCK_PACED || s->tape) return 0;
    uint64_t tsc = rt_tsc();
    s->ctx.stamp = (uint32_t)tsc | 1U;
    return tsc;
}

/* told_whole ends what stamped began; on shards in step the time they took together. */
static void told_whole(struct rt_shard *s, uint64_t tsc) {
    if (tsc == 0) return;
    s->ctx.stamp = 0;
    longest(s, tsc);
}

/* one_event takes the next event of an ordered clock, if it is before the limit. */
static void one_event(struct rt_shard *s, const struct rt_next *n, int64_t limit_ns,
                      uint64_t limit_order) {
    uint64_t tsc = stamped(s);
    if (n->series < 0) {
        rt_shard_timer(s);
    } else {
        uint64_t rows_max = RT_RUN_ROWS_MAX - (s->rows - s->rows_flushed);
        rt_series_tell(s, n, rows_max, limit_ns, limit_order);
        if (s->rows - s->rows_flushed >= RT_RUN_ROWS_MAX) rt_shard_advance(s);
    }
    told_whole(s, tsc);
}

/* run_ordered is the loop of virtual and paced clocks on a shard that goes alone. */
static void run_ordered(struct rt_shard *s) {
    uint64_t idle = 0, turn = 0;
    while (!s->fault.text[0]) {
        if ((turn++ & 63) == 0) {
            housekeeping(s);
            safe_point(s);
            rt_shard_look(s);
        }
        if (s->held.full) {
            tell_held(s);
            rt_shard_turn(s);
            turn = 0;
            continue;
        }
        uint32_t why = atomic_load_explicit(&s->shared->stop, memory_order_relaxed);
        struct rt_next n;
        rt_series_next(s, &n);
        bool endless = s->clock == RT_CLOCK_PACED && s->end_ns == INT64_MAX;
        if (why == 0 && (n.time_ns == INT64_MAX ? !endless : n.time_ns > s->end_ns))
            why = REASON_END_OF_DATA;
        if (why != 0) {
            rt_shard_stop(s, (uint16_t)why);
            rt_shard_turn(s);
            return;
        }
        /* nobody hears an endless source any more: that is no end, somebody may be resumed */
        int64_t wait_ns = n.time_ns == INT64_MAX ? 100000000 : pace(s, n.time_ns);
        if (wait_ns > 0) {
            rt_shard_turn(s);
            rt_shard_look(s);
            if (!s->held.full) idle_wait(s, &idle, wait_ns);
            turn = 0;
            continue;
        }
        idle = 0;
        /* paced: one instant at a time, so that nothing is heard before its moment */
        one_event(s, &n, s->clock == RT_CLOCK_PACED ? n.time_ns : s->end_ns, UINT64_MAX);
        rt_shard_turn(s);
    }
}

/* first_of finds the earliest next event of all shards; *cnt = how many share it. */
static uint16_t first_of(struct rt_shard *s, uint32_t *cnt) {
    uint16_t best = 0;
    *cnt = 1;
    for (uint16_t i = 1; i < s->shard_cnt; i++) {
        if (s->peer_ns[i] == s->peer_ns[best] && s->peer_order[i] == s->peer_order[best])
            ++*cnt;
        else if (earlier(s->peer_ns[i], s->peer_order[i], s->peer_ns[best], s->peer_order[best])) {
            best = i;
            *cnt = 1;
        }
    }
    return best;
}

/* limit_of finds the earliest next event of the other shards. */
static void limit_of(struct rt_shard *s, int64_t *ns, uint64_t *order) {
    *ns = INT64_MAX;
    *order = UINT64_MAX;
    for (uint16_t i = 0; i < s->shard_cnt; i++)
        if (i != s->number && earlier(s->peer_ns[i], s->peer_order[i], *ns, *order)) {
            *ns = s->peer_ns[i];
            *order = s->peer_order[i];
        }
}

/* yield notes in the journal what the shard says next of its own: that it gave way here, or that
 * the moment of the event that several share has come. */
static void yield(struct rt_shard *s, uint16_t what) {
    struct {
        struct msg_frame f;    /* head */
        struct msg_yield body; /* where */
        uint64_t slack[3];     /* fills the slot */
    } m = { .f = { .kind = MSG_YIELD,
                   .size = sizeof m.f + sizeof m.body,
                   .source = RT_SHARD_ID,
                   .dest = what,
                   .time_ns = s->now_ns },
            .body = { .event = s->events } };
    rt_shard_record(s, &m.f, 0);
    if (what == RT_YIELD_GO)
        s->go_said = true;
    else
        s->give_way = true;
}

/* asked_to_meet tells whether some shard wishes to meet, or the run is to end. */
static bool asked_to_meet(struct rt_shard *s) {
    return atomic_load_explicit(&s->shared->wish, memory_order_relaxed) ||
           atomic_load_explicit(&s->shared->stop, memory_order_relaxed);
}

/* go_alone takes this shard's events while they are before all others'. Returns when it has to
 * meet the others: they were met already (true), or have to be (false). */
static bool go_alone(struct rt_shard *s) {
    uint64_t idle = 0, turn = 0, met = s->exchange;
    for (;;) {
        if (s->fault.text[0]) return true;
        if (s->exchange != met) return true;
        if ((turn++ & 63) == 0) {
            housekeeping(s);
            safe_point(s);
        }
        rt_shard_look(s);
        if (s->tape) {
            const struct msg_frame *rec = rt_tape_peek(s);
            if (rec && rec->kind == MSG_YIELD && rec->dest == RT_YIELD_WAY) {
                yield(s, RT_YIELD_WAY); /* compares and takes it */
                return false;
            }
            if (!rec) continue; /* the tape has just ended: look again */
        } else if (rt_step_owed(s) == RT_OWED_NOTHING && asked_to_meet(s)) {
            atomic_store_explicit(&s->shared->wish, 0, memory_order_relaxed);
            yield(s, RT_YIELD_WAY);
            return false;
        }
        struct rt_next n;
        int64_t limit_ns;
        uint64_t limit_order;
        rt_series_next(s, &n);
        limit_of(s, &limit_ns, &limit_order);
        if (!earlier(n.time_ns, n.order, limit_ns, limit_order) || n.time_ns > s->end_ns ||
            n.time_ns == INT64_MAX)
            return false;
        if (s->held.full) {
            tell_held(s);
            rt_shard_turn(s);
            continue;
        }
        /* what a peer has heard of was done before: its moment is past */
        bool past = s->tape || rt_step_owed(s) == RT_OWED_FRAMES;
        int64_t wait_ns = past ? 0 : pace(s, n.time_ns);
        if (wait_ns > 0) {
            rt_shard_turn(s);
            idle_wait(s, &idle, wait_ns); /* who wishes to meet rings */
            continue;
        }
        idle = 0;
        if (limit_ns > s->end_ns) {
            limit_ns = s->end_ns;
            limit_order = UINT64_MAX;
        }
        if (s->clock == RT_CLOCK_PACED && limit_ns > n.time_ns) {
            limit_ns = n.time_ns;
            limit_order = UINT64_MAX;
        }
        if (s->tape && !rt_tape_rows(s, &n)) continue;
        one_event(s, &n, limit_ns, limit_order);
        rt_shard_turn(s);
    }
}

/* await_shared waits, first of those that share the next event, for its moment on the paced clock;
 * the next token tells that it has come, or that all meet before it. Which of them, the journal
 * tells first. */
static void await_shared(struct rt_shard *s) {
    const struct msg_frame *rec = s->tape ? rt_tape_peek(s) : NULL;
    uint64_t idle = 0;
    int64_t wait_ns = 0;
    if (rec) { /* older journals tell only of giving way */
        bool told = rec->kind == MSG_YIELD && rec->dest != RT_YIELD_STOP;
        if (told)
            yield(s, rec->dest);
        else
            s->go_said = true;
        return;
    }
    if (s->fault.text[0]) return; /* verifying: the tape has ended */
    rt_shard_turn(s);
    while (rt_step_owed(s) != RT_OWED_FRAMES && (wait_ns = pace(s, s->peer_ns[s->number])) > 0 &&
           !asked_to_meet(s) && !rt_shard_asked(s))
        idle_wait(s, &idle, wait_ns);
    if (wait_ns > 0) atomic_store_explicit(&s->shared->wish, 0, memory_order_relaxed);
    yield(s, wait_ns > 0 ? RT_YIELD_WAY : RT_YIELD_GO);
}

/* run_step is the loop of virtual and paced clocks when several shards go together: all know when
 * everybody's next event is; who has the earliest goes on alone until it says something to another
 * shard or its next event is not the earliest any more. */
static void run_step(struct rt_shard *s) {
    while (!s->fault.text[0]) {
        uint32_t cnt;
        if ((s->tally.turns++ & 63) == 0) housekeeping(s);
        safe_point(s);
        if (s->tape) settle(s);
        uint16_t best = first_of(s, &cnt);
        if (s->stop_agreed == 0 && (s->peer_ns[best] == INT64_MAX || s->peer_ns[best] > s->end_ns))
            s->stop_agreed = REASON_END_OF_DATA;
        if (s->stop_agreed) {
            rt_shard_stop(s, (uint16_t)s->stop_agreed);
            rt_shard_turn(s);
            return;
        }
        bool mine = s->peer_ns[s->number] == s->peer_ns[best] &&
                    s->peer_order[s->number] == s->peer_order[best];
        if (cnt == 1 && mine) {
            if (go_alone(s)) continue;
        } else if (cnt > 1 && mine && (s->clock == RT_CLOCK_VIRTUAL || s->go_agreed)) {
            struct rt_next n;
            rt_series_next(s, &n);
            s->remote_mail = true; /* all meet after it */
            s->go_agreed = false;
            uint64_t tsc = stamped(s);
            if (s->held.full)
                tell_held(s);
            else
                rt_series_tell_one(s, &n);
            told_whole(s, tsc);
            continue;
        } else if (cnt > 1 && best == s->number) {
            await_shared(s);
        }
        s->go_agreed = false;
        rt_step_exchange(s);
    }
}

bool rt_shard_asked(struct rt_shard *s) {
    return (s->commands.ring && rt_ring_peek(&s->commands)) ||
           atomic_load_explicit(&s->shared->kill, memory_order_relaxed) != s->kill_seen;
}

/* run_real is the loop of the real clock: frames, timers and rows as they come. */
static void run_real(struct rt_shard *s) {
    uint64_t idle = 0, turn = 0;
    while (!s->fault.text[0]) {
        bool work = false;
        s->clock_ns = rt_clock_ns();
        bool sampled = (s->tally.turns & 63) == 0;
        uint64_t tsc = sampled ? rt_tsc() : 0;
        s->ctx.stamp = sampled ? (uint32_t)tsc | 1U : 0;
        rt_shard_look(s);
        if (s->held.full) {
            tell_held(s);
            work = true;
        }
        for (uint16_t i = 0; i < s->edge_in_cnt; i++) {
            struct rt_edge_in *e = &s->in[i];
            struct msg_frame *f;
            for (int batch = 0; batch < 64 && (f = rt_ring_peek(&e->rx)) != NULL; batch++) {
                work = true;
                if (f->time_ns > s->clock_ns) s->clock_ns = f->time_ns;
                clock_now(s);
                rt_shard_heard(s, e, f);
                rt_ring_skip(&e->rx);
            }
            rt_ring_give(&e->rx);
        }
        /* once a stop was asked for nothing new begins: only what was said before is heard */
        uint32_t why = atomic_load_explicit(&s->shared->stop, memory_order_relaxed);
        struct rt_next n;
        rt_series_next(s, &n);
        for (int batch = 0;
             why == 0 && batch < 64 && n.time_ns <= s->clock_ns && n.time_ns <= s->end_ns;
             batch++) {
            work = true;
            one_event(s, &n, s->clock_ns, UINT64_MAX);
            rt_series_next(s, &n);
        }
        if (why == 0 && n.time_ns > s->end_ns && s->clock_ns > s->end_ns) why = REASON_END_OF_DATA;
        /* what others said before is heard first: until 20 ms passed without, at most a second */
        if (why != 0 && s->drain_ns == 0) s->drain_ns = s->busy_ns = s->clock_ns;
        if (work) s->busy_ns = s->clock_ns;
        bool drained = s->clock_ns - s->busy_ns > 20000000 ||
                       s->clock_ns - s->drain_ns > 1000000000 || s->shard_cnt == 1;
        if (why != 0 && !s->stopped && drained) {
            clock_now(s);
            rt_shard_stop(s, (uint16_t)why);
        }
        rt_shard_turn(s);
        if (work) {
            idle = 0;
            if (sampled) longest(s, tsc);
            s->stopped_ns = 0;
            if ((turn++ & 63) == 0) {
                housekeeping(s);
                safe_point(s);
            }
            continue;
        }
        if (s->stopped) { /* let what others still say arrive, then go */
            int64_t mono_ns = rt_clock_monotonic_ns();
            if (!s->stopped_ns) s->stopped_ns = mono_ns;
            if (mono_ns - s->stopped_ns > 50000000) return;
        }
        if ((idle & 1023) == 0) {
            housekeeping(s);
            safe_point(s);
        }
        int64_t wait_ns = n.time_ns == INT64_MAX ? 100000000 : n.time_ns - rt_clock_ns();
        if (why != 0 && wait_ns > 1000000) wait_ns = 1000000;
        idle_wait(s, &idle, wait_ns > 0 ? wait_ns : 0);
    }
}

void rt_shard_heard(struct rt_shard *s, struct rt_edge_in *e, struct msg_frame *f) {
    rt_shard_event(s, s->now_ns, 0, f->trace_id);
    f->time_ns = s->now_ns;
    rt_shard_record(s, f, 0);
    e->heard++;
    rt_shard_hand(s, f);
    rt_shard_quiet(s);
}

int rt_shard_run(struct rt_shard *s) {
    s->ctx.shard = s;
    rt_shard_turn_over(s, !s->now_q);
    s->snapshot_last_ns = rt_clock_monotonic_ns();
    s->meter.allocations = rt_alloc_count();
    housekeeping(s);
    if (!s->tape) atomic_store_explicit(&s->pulse->live, 1, memory_order_release);
    start(s);
    if (s->tape && !s->step)
        for (uint64_t n = 0; !s->fault.text[0] && rt_tape_turn(s); n++)
            if ((n & 63) == 0) housekeeping(s);
    if (!s->fault.text[0] && !(s->stopped && s->clock != RT_CLOCK_REAL)) {
        if (s->step)
            run_step(s);
        else if (s->clock == RT_CLOCK_REAL)
            run_real(s);
        else
            run_ordered(s);
    }
    if (s->fault.code == RT_VERIFIED) s->fault = (struct rt_error){ 0 };
    /* one that ended while replaying has still to show what it heard: a peer that comes later must
     * not wait for room */
    bool shows = s->stopped && !s->verify && !s->fault.text[0];
    for (uint16_t k = 0; k < s->edge_in_cnt && shows; k++)
        rt_ring_rx_init(&s->in[k].rx, s->in[k].rx.ring, s->in[k].heard);
    if (s->journal_on && s->dirty) rt_journal_turn(&s->journal);
    s->dirty = false;
    for (uint16_t i = 0; i < s->edge_out_cnt; i++) {
        rt_ring_publish(&s->out[i].tx);
        if (s->peers[s->out[i].shard]) rt_poller_wake(s->peers[s->out[i].shard]);
    }
    if (s->shared && s->fault.text[0] && !s->verify) { /* the others cannot go on without it */
        uint32_t none = 0;
        atomic_compare_exchange_strong(&s->shared->failed, &none, s->number + 1U);
        none = 0;
        atomic_compare_exchange_strong(&s->shared->stop, &none, REASON_SHUTDOWN);
        for (uint16_t i = 0; i < s->shard_cnt; i++)
            if (s->peers[i]) rt_poller_wake(s->peers[i]);
    }
    if (s->shared) atomic_fetch_add(&s->shared->ended, 1);
    s->finished = true;
    return s->fault.text[0] ? s->fault.code : 0;
}

/* What actors may ask of the shard. */

bool rt_room(struct rt_ctx *ctx, uint16_t kind, uint32_t cnt) {
    struct rt_shard *s = ctx->shard;
    const struct rt_route *r = &s->routes[(size_t)ctx->local * MSG_KIND_MAX + kind];
    if (r->edge_cnt == 0 || s->step) return true; /* in step a full edge ends the run */
    const uint16_t *h = s->hearers + r->first + r->local_cnt;
    if (s->tape) { /* the tape says what the answer was */
        const struct msg_frame *rec = rt_tape_peek(s);
        if (rec && rec->kind == MSG_ADVANCE &&
            ((const struct msg_advance *)msg_body(rec))->rows == s->rows) {
            rt_shard_advance(s); /* a refusal may stand behind it */
            rec = rt_tape_peek(s);
        }
        if (rec && rec->kind == MSG_EDGE_FULL) {
            const struct msg_edge_full *m = msg_body(rec);
            if (m->source != ctx->self || m->kind != kind || m->pad != (uint16_t)cnt)
                return true; /* of a later question */
            rt_tape_take(s);
            return false;
        }
        if (rec) return true;
    }
    for (unsigned i = 0; i < r->edge_cnt && s->resaying; i++) rt_edge_known(s, &s->out[h[i]]);
    for (unsigned i = 0; i < r->edge_cnt; i++) {
        struct rt_edge_out *e = &s->out[h[i]];
        if (e->pending_cnt == 0 && rt_ring_room(&e->tx, cnt) >= cnt) continue;
        e->refused++;
        RT_LOG(RT_EVENT_EDGE_FULL, e->shard, kind, ctx->self);
        struct {
            struct msg_frame f;        /* head */
            struct msg_edge_full body; /* which edge */
            uint64_t slack[2];         /* fills the slot */
        } m = { .f = { .kind = MSG_EDGE_FULL,
                       .size = sizeof m.f + sizeof m.body,
                       .source = RT_SHARD_ID,
                       .time_ns = s->now_ns },
                .body = { .sent = e->sent,
                          .source = ctx->self,
                          .dest = e->shard,
                          .kind = kind,
                          .pad = (uint16_t)cnt } }; /* tells which of a call's questions it was */
        rt_shard_record(s, &m.f, 0);
        return false;
    }
    return true;
}

void rt_timer_set(struct rt_ctx *ctx, uint64_t key, int64_t at_ns) {
    struct rt_shard *s = ctx->shard;
    struct rt_timer t = { .due_ns = at_ns > ctx->now_ns ? at_ns : ctx->now_ns,
                          .key = key,
                          .actor = ctx->local,
                          .id = ctx->self,
                          .cls = (uint16_t)s->locals[ctx->local].kind->timer_class };
    ctx->moved = true;
    if (rt_wheel_set(s->wheel, &t) != 0)
        rt_shard_fail(s, -ENOSPC, "no timer left for actor %s; raise timers_max",
                      s->locals[ctx->local].name);
}

void rt_timer_cancel(struct rt_ctx *ctx, uint64_t key) {
    if (rt_wheel_cancel(ctx->shard->wheel, ctx->self, key)) ctx->moved = true;
}

uint64_t rt_random64(struct rt_ctx *ctx) {
    struct rt_shard *s = ctx->shard;
    return rt_philox64(s->seed, ctx->self, s->locals[ctx->local].draws++);
}
