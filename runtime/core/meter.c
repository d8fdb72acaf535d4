#include "runtime/core/meter.h"
#include "runtime/base/alloc.h"
#include "runtime/core/shard.h"

void rt_meter_publish(struct rt_shard *s, int64_t mono_ns) {
    struct rt_meter *m = &s->meter;
    struct rt_metrics_shard *b = m->shard;
    int64_t passed_ns = mono_ns - m->last_ns;
    if (!b || passed_ns < 1000000) return;
    if (m->last_ns == 0) passed_ns = 0; /* the first look: nothing is known of the time before */
    uint64_t turns = s->tally.turns - m->turns, idle = s->tally.idle_turns - m->idle_turns;
    uint64_t all = turns > idle ? turns : idle; /* most idle turns are counted in both */
    if (all == 0) all = 1;
    uint64_t idle_ns = m->last_ns ? (uint64_t)passed_ns * idle / all : 0;
    m->last_ns = mono_ns;
    m->turns = s->tally.turns;
    m->idle_turns = s->tally.idle_turns;
    atomic_store_explicit(&b->beat_ns, mono_ns, memory_order_relaxed);
    atomic_store_explicit(&b->now_ns, s->now_ns, memory_order_relaxed);
    rt_metric_set(&b->turns, s->tally.turns);
    rt_metric_set(&b->idle_turns, s->tally.idle_turns);
    rt_metric_add(&b->idle_ns, idle_ns);
    rt_metric_add(&b->busy_ns, (uint64_t)passed_ns - idle_ns);
    rt_metric_set(&b->longest_turn_ns, s->tally.longest_turn_ns);
    rt_metric_set(&b->events, s->events);
    rt_metric_set(&b->rows, s->rows);
    rt_metric_set(&b->frames, s->tally.mails);
    rt_metric_set(&b->snapshots, s->tally.snapshots);
    rt_metric_set(&b->timers, rt_wheel_count(s->wheel));
    rt_metric_set(&b->killed, s->kill_seen);
    rt_metric_set(&b->allocations, rt_alloc_count() - m->allocations);
    if (s->journal_on) {
        rt_metric_set(&b->journal_end, rt_journal_position(&s->journal));
        rt_metric_set(&b->journal_synced, rt_journal_synced(&s->journal));
        rt_metric_set(&b->journal_free, rt_journal_free(&s->journal));
    }
    for (uint16_t i = 0; i < s->edge_out_cnt; i++) {
        const struct rt_edge_out *e = &s->out[i];
        struct rt_metrics_edge *x = m->out[i];
        uint64_t taken = ck_pr_load_64(&e->tx.ring->taken);
        /* since the run's start, which e->sent is not after a recovery */
        rt_metric_set(&x->sent, e->tx.head + e->pending_cnt + e->dropped + e->merged);
        rt_metric_set(&x->dropped, e->dropped);
        rt_metric_set(&x->merged, e->merged);
        rt_metric_set(&x->refused, e->refused);
        rt_metric_set(&x->waited, e->waited);
        rt_metric_set(&x->queued, e->tx.head - taken + e->pending_cnt);
        rt_metric_set(&x->high_water, e->high_water);
    }
    for (uint16_t i = 0; i < s->edge_in_cnt; i++)
        rt_metric_set(&m->in[i]->received, s->in[i].heard);
    for (uint16_t i = 0; i < s->local_cnt; i++) {
        rt_metric_set(&m->actors[i]->calls, s->locals[i].calls);
        rt_metric_set(&m->actors[i]->said, s->locals[i].said_seq);
        rt_metric_set(&m->actors[i]->stopped, s->locals[i].stop_reason);
    }
}
