/* step.c - shards that go together on virtual and paced clocks.
 *
 * An exchange: every shard sends every other one token (MSG_STEP) behind the frames of its round,
 * and waits for all tokens. A token says whether its sender has mail for the next round and when
 * its next outside event is. While anyone has mail, all hear one more round and meet again; when
 * nobody has, all know everybody's next event and part. Tokens are frames like others: numbered,
 * journaled by who hears them, made again in replay; so recovery needs no cut common to all
 * shards. What makes a token other than its data (a stop, a wish to meet, a command in hand,
 * a moment that has come) is journaled before the token is said; and since a token that was heard
 * may have been the last thing a killed shard did, nothing of that kind is taken between the tape's
 * end and the token that follows it. */
#include "runtime/core/shard.h"
#include "runtime/time/clock.h"
#include <errno.h>

/* Flags of a token; the reason to stop is above them. */
enum { STEP_MAIL = 1, STEP_AGAIN = 2, STEP_GO = 4, STEP_STOP_SHIFT = 8 };

enum rt_owed rt_step_owed(struct rt_shard *s) {
    enum rt_owed most = RT_OWED_NOTHING;
    if (!s->resaying) return RT_OWED_NOTHING;
    for (uint16_t i = 0; i < s->edge_out_cnt; i++) {
        enum rt_owed owed = rt_edge_owed(s, &s->out[i]);
        if (owed > most) most = owed;
    }
    s->resaying = most != RT_OWED_NOTHING;
    return most;
}

/* ask_stop notes in the journal that this shard asks all to stop, once. */
static void ask_stop(struct rt_shard *s) {
    struct {
        struct msg_frame f;    /* head */
        struct msg_yield body; /* reason, above all event numbers */
        uint64_t slack[3];     /* fills the slot */
    } m = { .f = { .kind = MSG_YIELD,
                   .size = sizeof m.f + sizeof m.body,
                   .source = RT_SHARD_ID,
                   .dest = RT_YIELD_STOP,
                   .time_ns = s->now_ns } };
    if (s->stop_said) return;
    const struct msg_frame *rec = s->tape ? rt_tape_peek(s) : NULL;
    if (rec) {
        if (rec->kind != MSG_YIELD || rec->dest != RT_YIELD_STOP) return;
        const struct msg_yield *y = msg_body(rec);
        s->stop_said = (uint32_t)y->event;
        rt_tape_take(s);
        return;
    }
    if (s->verify || (s->resaying && rt_step_owed(s) != RT_OWED_NOTHING)) return;
    uint32_t why = atomic_load_explicit(&s->shared->stop, memory_order_relaxed);
    if (!why) return;
    s->stop_said = why;
    m.body.event = why;
    rt_shard_record(s, &m.f, 0);
}

/* send_tokens says the token that ends this shard's round to all others. */
static void send_tokens(struct rt_shard *s, uint32_t flags) {
    struct rt_next n;
    rt_series_next(s, &n);
    struct {
        struct msg_frame f;   /* head; trace_id carries the order of the event in hand */
        struct msg_step body; /* what it says */
    } m = { .f = { .kind = MSG_STEP,
                   .size = sizeof m.f + sizeof m.body,
                   .source = (uint16_t)(RT_SHARD_ID + s->number),
                   .time_ns = s->now_ns,
                   .trace_id = s->order },
            .body = { .event = s->exchange,
                      .next_ns = n.time_ns,
                      .next_order = n.order,
                      .mail = flags | s->stop_said << STEP_STOP_SHIFT } };
    s->peer_ns[s->number] = n.time_ns;
    s->peer_order[s->number] = n.order;
    for (uint16_t i = 0; i < s->edge_out_cnt; i++) {
        rt_edge_push(s, &s->out[i], &m.f);
        rt_ring_publish(&s->out[i].tx);
        if (s->peers[s->out[i].shard]) rt_poller_wake(s->peers[s->out[i].shard]);
    }
    s->remote_mail = false;
    s->resaying = false; /* what a peer answers to this token was not heard before */
}

/* given_up tells whether the frame that is waited for on e will never come: its sender has failed,
 * or is past it. The latter happens where this shard's journal has lost its end (a power cut): the
 * sender makes again only what had not been heard. */
static bool given_up(struct rt_shard *s, struct rt_edge_in *e) {
    uint32_t failed = atomic_load_explicit(&s->shared->failed, memory_order_relaxed);
    if (failed) {
        rt_shard_fail(s, -ECANCELED, "ended because shard %u did", failed - 1);
        return true;
    }
    uint64_t head = ck_pr_load_64(&e->rx.ring->head);
    ck_pr_fence_acquire(); /* a frame is put before the head is moved past it */
    if (head <= e->rx.next || rt_ring_peek(&e->rx)) return false;
    rt_shard_fail(
        s, -ENODATA,
        "the journal ends at frame %llu of shard %u, which has said %llu: its end is lost, "
        "and the shards cannot meet again; start the run anew in another directory",
        (unsigned long long)e->rx.next, e->shard, (unsigned long long)head);
    return true;
}

/* wish asks those that sleep until their next event to meet before it. */
static void wish(struct rt_shard *s) {
    atomic_store_explicit(&s->shared->wish, 1, memory_order_relaxed);
    for (uint16_t i = 0; i < s->edge_out_cnt; i++)
        if (s->peers[s->out[i].shard]) rt_poller_wake(s->peers[s->out[i].shard]);
}

/* wait_frame waits until edge e has a frame; NULL when it never will. */
static struct msg_frame *wait_frame(struct rt_shard *s, struct rt_edge_in *e) {
    uint64_t spins = 0;
    struct msg_frame *f;
    while ((f = rt_ring_peek(&e->rx)) == NULL) {
        spins++;
        if (spins == 1 && s->dirty) {
            rt_journal_turn(&s->journal);
            s->dirty = false;
        }
        if ((spins & 127) == 1) {
            atomic_store_explicit(&s->pulse->beat_ns, rt_clock_monotonic_ns(),
                                  memory_order_relaxed);
            if (rt_shard_asked(s)) wish(s);
            if (given_up(s, e)) return NULL;
        }
        if (!rt_shard_relax(s, spins)) continue;
        rt_poller_park(s->poller);
        if (rt_ring_peek(&e->rx) || rt_shard_asked(s))
            rt_poller_unpark(s->poller);
        else
            rt_poller_wait(s->poller, 20000000);
        s->tally.idle_turns++;
        int64_t mono_ns = rt_clock_monotonic_ns();
        atomic_store_explicit(&s->pulse->beat_ns, mono_ns, memory_order_relaxed);
        rt_meter_publish(s, mono_ns);
        if (given_up(s, e)) return NULL;
    }
    return f;
}

/* next_frame returns the next frame of edge e, journaled: from the tape while there is one. */
static const struct msg_frame *next_frame(struct rt_shard *s, struct rt_edge_in *e) {
    if (s->tape) rt_shard_advance(s); /* it stands before the frame, when rows were told */
    const struct msg_frame *rec = s->tape ? rt_tape_peek(s) : NULL;
    if (rec) {
        rt_tape_take(s);
        e->heard++;
        if ((rec->kind & MSG_OUT) || rec->kind == MSG_ADVANCE) {
            rt_shard_fail(s, -EBADMSG, "replay differs: kind %u where a frame of shard %u was due",
                          rec->kind, e->shard);
            return NULL;
        }
        return rec;
    }
    if (s->verify || s->fault.text[0]) {
        rt_shard_fail(s, RT_VERIFIED, "the tape ended");
        return NULL;
    }
    s->resaying = false; /* the token is said: nothing came after it */
    if (e->rx.next != e->heard) rt_ring_rx_init(&e->rx, e->rx.ring, e->heard);
    struct msg_frame *f = wait_frame(s, e);
    if (!f) return NULL;
    rt_shard_record(s, f, 0);
    e->heard++;
    rt_ring_skip(&e->rx);
    return f;
}

/* sort_mail puts each actor's mail in order of sender, as one shard would have it: only needed
 * where frames of other shards came among those said here. */
static void sort_mail(struct rt_shard *s) {
    int q = !s->now_q;
    const uint8_t *queue = s->queue[q];
    for (uint64_t up = s->mail_up[q]; up; up &= up - 1) {
        struct rt_local *a = &s->locals[__builtin_ctzll(up)];
        uint32_t *m = a->mail[q];
        for (uint32_t i = 1; i < a->mail_cnt[q]; i++) { /* insertion: nearly sorted */
            uint32_t v = m[i], j = i;
            uint16_t source = ((const struct msg_frame *)(const void *)(queue + v))->source;
            while (j > 0 &&
                   ((const struct msg_frame *)(const void *)(queue + m[j - 1]))->source > source) {
                m[j] = m[j - 1];
                j--;
            }
            m[j] = v;
        }
    }
}

void rt_step_exchange(struct rt_shard *s) {
    for (;;) {
        rt_shard_look(s);
        ask_stop(s);
        uint32_t flags = (s->mail_up[!s->now_q] || s->remote_mail ? STEP_MAIL : 0) |
                         (s->give_way ? STEP_AGAIN : 0) | (s->go_said ? STEP_GO : 0);
        s->give_way = s->go_said = false;
        s->exchange++;
        send_tokens(s, flags);
        uint32_t all = flags;
        int64_t now_ns = s->now_ns;
        uint64_t order = s->order;
        bool posted = false;
        if (s->stop_said && !s->stop_agreed) s->stop_agreed = s->stop_said;
        for (uint16_t i = 0; i < s->edge_in_cnt; i++) {
            struct rt_edge_in *e = &s->in[i];
            for (;;) {
                const struct msg_frame *f = next_frame(s, e);
                if (!f) return;
                if (f->kind != MSG_STEP) {
                    rt_shard_post(s, f);
                    posted = true;
                    continue;
                }
                const struct msg_step *t = msg_body(f);
                if (t->event != s->exchange) {
                    rt_shard_fail(s, -EBADMSG, "shard %u is at exchange %llu, this one at %llu",
                                  e->shard, (unsigned long long)t->event,
                                  (unsigned long long)s->exchange);
                    return;
                }
                all |= t->mail & 0xff;
                uint32_t why = t->mail >> STEP_STOP_SHIFT;
                if (why && (!s->stop_agreed || why < s->stop_agreed)) s->stop_agreed = why;
                s->peer_ns[e->shard] = t->next_ns;
                s->peer_order[e->shard] = t->next_order;
                if (f->time_ns > now_ns || (f->time_ns == now_ns && f->trace_id > order)) {
                    now_ns = f->time_ns;
                    order = f->trace_id;
                }
                break;
            }
            rt_ring_give(&e->rx);
        }
        if (all & STEP_GO) s->go_agreed = true;
        if (!(all & (STEP_MAIL | STEP_AGAIN))) {
            s->ctx.stamp = 0; /* all is quiet: what follows did not begin there */
            return;
        }
        if (s->fault.text[0]) return;
        rt_shard_event(s, now_ns, order, s->ctx.trace_id);
        if (posted) sort_mail(s);
        rt_shard_round(s);
    }
}
