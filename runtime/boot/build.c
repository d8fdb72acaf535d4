#include "runtime/boot/build.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What init of actors may ask about the graph; s->graph points to it. */
struct rt_graph {
    const struct rt_topology *topology; /* the run */
};

/* take gives arena memory, or fills err. */
static void *take(struct rt_shard *s, size_t bytes, const char *what, struct rt_error *err) {
    void *p = rt_arena_take(&s->arena, bytes);
    if (!p)
        rt_error_set(err, -ENOMEM, "arena of shard %u is too small for %s; raise arena:", s->number,
                     what);
    return p;
}

void *rt_init_take(struct rt_init *init, size_t bytes) {
    void *p = rt_arena_take(&init->shard->arena, bytes);
    if (!p) { /* the caller need not look: building stops at the fault */
        rt_shard_fail(init->shard, -ENOMEM,
                      "arena of shard %u is too small for actor %s: raise arena:",
                      init->shard->number, init->name);
        p = calloc(1, bytes ? bytes : 1);
        if (!p) abort();
    }
    return p;
}

void rt_init_deaf(struct rt_init *init, uint16_t kind) {
    struct rt_shard *s = init->shard;
    for (uint32_t row = 0; row < s->route_rows; row++) {
        struct rt_route *r = &s->routes[(size_t)row * MSG_KIND_MAX + kind];
        uint16_t *h = s->hearers + r->first;
        for (unsigned i = 0; i < r->local_cnt; i++) {
            if (h[i] != init->local) continue;
            memmove(h + i, h + i + 1, (size_t)(r->local_cnt + r->edge_cnt - i - 1U) * sizeof *h);
            r->local_cnt--;
            break;
        }
    }
}

int rt_init_series(struct rt_init *init, uint16_t row_kind, uint32_t key, int64_t interval_ns) {
    const struct rt_shard *s = init->shard;
    int best = -ENOENT;
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        const struct rt_series *r = &s->feeds[i].s;
        if (r->row_kind != row_kind || r->key != key) continue;
        if (interval_ns ? r->span_ns == interval_ns
                        : best < 0 || r->span_ns < s->feeds[best].s.span_ns)
            best = i;
    }
    return best;
}

bool rt_init_endless(const struct rt_init *init) {
    return init->shard->clock == RT_CLOCK_VIRTUAL && init->shard->end_ns == INT64_MAX;
}

int64_t rt_init_warm(const struct rt_init *init) {
    return init->shard->warm_ns;
}

int64_t rt_init_begins(const struct rt_init *init, int series) {
    struct rt_shard *s = init->shard;
    if (s->clock == RT_CLOCK_REAL) return INT64_MIN;
    int64_t at, begins = s->warm_ns > s->start_ns ? s->warm_ns : s->start_ns;
    struct rt_feed *d = &s->feeds[series];
    struct rt_block b = { 0 };
    if (d->s.rows_total == 0 || d->s.block(&d->s, 0, &b) < 0 || b.cnt == 0) return begins;
    rt_series_keep(d, &b);
    memcpy(&at, b.rows, sizeof at);
    return at > begins ? at : begins;
}

int rt_init_actor(struct rt_init *init, const char *name) {
    const struct rt_actor_def *a = rt_topology_actor(init->shard->graph->topology, name);
    return a ? a->id : -ENOENT;
}

int rt_init_actor_kind(struct rt_init *init, const char *kind, int n, struct rt_node **config) {
    const struct rt_topology *t = init->shard->graph->topology;
    for (uint32_t i = 0; i < t->actor_cnt; i++)
        if (strcmp(t->actors[i].kind->name, kind) == 0 && n-- == 0) {
            if (config) *config = t->actors[i].config;
            return t->actors[i].id;
        }
    return -ENOENT;
}

/* by_rank orders series: longer span first, then key, the source's hint, kind, and as declared. */
static int by_rank(const void *a, const void *b) {
    const struct rt_series *x = &((const struct rt_feed *)a)->s,
                           *y = &((const struct rt_feed *)b)->s;
    if (x->span_ns != y->span_ns) return x->span_ns > y->span_ns ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    uint32_t hint = x->rank_hint >> 16, other = y->rank_hint >> 16;
    if (hint != other) return hint < other ? -1 : 1;
    if (x->row_kind != y->row_kind) return x->row_kind < y->row_kind ? -1 : 1;
    return x->rank_hint < y->rank_hint ? -1 : x->rank_hint > y->rank_hint;
}

/* open_sources opens every source of the run for this shard. */
static int open_sources(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    s->feeds = take(s, RT_SERIES_MAX * sizeof *s->feeds, "series", err);
    if (!s->feeds) return err->code;
    for (int how = 0; how < RT_HEAR_CNT; how++) {
        s->due[how] = take(s, RT_SERIES_MAX * sizeof(int64_t), "series", err);
        if (!s->due[how]) return err->code;
        s->same_ns = INT64_MIN;
    }
    struct rt_series *room = calloc(RT_SERIES_MAX, sizeof *room);
    if (!room) return rt_error_set(err, -ENOMEM, "no memory");
    run->sources_report[0] = 0;
    for (uint32_t i = 0; i < t->source_cnt; i++) {
        struct rt_source_init init = {
            .config = t->sources[i].config,
            .world = t->world,
            .base_dir = t->base_dir,
            .seed = t->seed,
            .start_ns = rt_topology_from(t),
            .end_ns = t->end_ns,
            .series = room,
            .series_max = (uint32_t)(RT_SERIES_MAX - s->series_cnt),
        };
        memset(room, 0, RT_SERIES_MAX * sizeof *room);
        int code = t->sources[i].kind->open(&init, err);
        if (code == 0) code = rt_node_no_more(t->sources[i].config, NULL, err);
        if (code < 0) {
            free(room);
            return code;
        }
        size_t used = strlen(run->sources_report);
        if (init.report[0])
            snprintf(run->sources_report + used, sizeof run->sources_report - used, "%s\n",
                     init.report);
        for (uint32_t k = 0; k < init.series_cnt; k++) {
            struct rt_feed *f = &s->feeds[s->series_cnt];
            f->s = room[k];
            f->s.rank_hint = room[k].rank_hint << 16 | s->series_cnt++;
            f->kind = t->sources[i].kind;
        }
    }
    free(room);
    qsort(s->feeds, s->series_cnt, sizeof *s->feeds, by_rank);
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        s->feeds[i].id = (uint16_t)(RT_SOURCE_ID + i);
        for (int how = 0; how < RT_HEAR_CNT; how++) s->due[how][i] = INT64_MAX;
    }
    if (!run->source_hash) {
        run->source_hash = calloc(RT_SERIES_MAX, 32);
        run->series_name = calloc(RT_SERIES_MAX, 64);
        if (!run->source_hash || !run->series_name) return rt_error_set(err, -ENOMEM, "no memory");
        run->series_cnt = s->series_cnt;
        for (uint16_t i = 0; i < s->series_cnt; i++) {
            memcpy(run->source_hash[i], s->feeds[i].s.hash, 32);
            memcpy(run->series_name[i], s->feeds[i].s.name, 64);
            run->series_rows[i] = s->feeds[i].s.rows_total;
        }
    }
    return 0;
}

/* first_instant finds where time begins: the declared start less the warm-up, else the first row of
 * any series. */
static int64_t first_instant(struct rt_shard *s, const struct rt_topology *t) {
    int64_t first = INT64_MAX;
    if (t->start_ns != INT64_MIN) return rt_topology_from(t);
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        struct rt_feed *d = &s->feeds[i];
        struct rt_block b = { 0 };
        if (d->s.block(&d->s, 0, &b) < 0 || b.cnt == 0) continue;
        rt_series_keep(d, &b);
        int64_t at;
        memcpy(&at, b.rows, sizeof at);
        if (at < first) first = at;
    }
    return first == INT64_MAX ? 0 : first;
}

/* last_instant finds where the data ends: the end of the last row of any series; INT64_MAX where a
 * series is endless or there is none. Timers beyond it are not waited for. */
static int64_t last_instant(struct rt_shard *s) {
    int64_t last = INT64_MIN;
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        struct rt_feed *d = &s->feeds[i];
        struct rt_block b = { 0 };
        if (d->s.rows_total == UINT64_MAX) return INT64_MAX;
        if (d->s.rows_total == 0 || d->s.block(&d->s, d->s.rows_total - 1, &b) < 0 || b.cnt == 0)
            continue;
        int64_t at;
        memcpy(&at, b.rows + (d->s.rows_total - 1 - b.first) * d->s.row_bytes, sizeof at);
        if (at + d->s.span_ns > last) last = at + d->s.span_ns;
    }
    return last == INT64_MIN ? INT64_MAX : last;
}

/* bounded refuses a run on the virtual clock that would go on for ever: its sources do, and no end
 * is declared. */
static int bounded(const struct rt_topology *t, const struct rt_shard *s, struct rt_error *err) {
    if (t->clock != RT_CLOCK_VIRTUAL || s->end_ns != INT64_MAX) return 0;
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        if (s->feeds[i].s.rows_total != UINT64_MAX) continue;
        return rt_error_set(err, -EINVAL,
                            "%s: a source is endless, and the virtual clock waits for nobody: "
                            "expected end: (or clock: paced)",
                            t->name);
    }
    return 0;
}

/* often tells how far apart rows of d without a span are on average, by its first block b, which
 * begins at at; INT64_MAX where it does not tell. */
static int64_t often(const struct rt_feed *d, const struct rt_block *b, int64_t at) {
    int64_t last;
    if (b->cnt < 2) return INT64_MAX;
    memcpy(&last, b->rows + (b->cnt - 1) * d->s.row_bytes, sizeof last);
    return (last - at) / (int64_t)(b->cnt - 1);
}

/* warm looks whether the data is there that warm_up: declares. A series that begins later is told
 * in the run's report; one that has no row before the start warms nothing and is refused. */
static int warm(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    s->warm_ns = t->warm_ns == 0 ? INT64_MIN : s->start_ns + t->warm_ns;
    if (t->warm_ns == 0) return 0;
    struct rt_node *n = rt_node_get(rt_config_root(t->config), "warm_up");
    if (t->clock == RT_CLOCK_REAL)
        return rt_node_fail(n, err,
                            "needs recorded rows before the start, the real clock has none; "
                            "expected clock: virtual or paced");
    if (s->warm_ns >= s->end_ns)
        return rt_node_fail(n, err, "takes all of the data, nothing is left to trade on");
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        struct rt_feed *d = &s->feeds[i];
        struct rt_block b = { 0 };
        int64_t at = INT64_MAX, span_ns = d->s.span_ns, late_ns = span_ns;
        if (span_ns > t->warm_ns / 2) continue; /* need not have ended once till then */
        if (d->s.rows_total > 0 && d->s.block(&d->s, 0, &b) == 0 && b.cnt > 0) {
            rt_series_keep(d, &b);
            memcpy(&at, b.rows, sizeof at);
        }
        if (span_ns == 0) { /* what comes when it comes: rare ones need not have come till then */
            const int64_t every_ns = often(d, &b, at);
            if (every_ns > t->warm_ns / 2) continue;
            late_ns = 10 * every_ns > t->warm_ns / 50 ? 10 * every_ns : t->warm_ns / 50;
        }
        if (at > s->warm_ns - (span_ns > 0 ? span_ns : 1))
            return rt_node_fail(n, err,
                                "%s has no row before the start; expected data that "
                                "reaches back so far, or a later start:",
                                d->s.name);
        if (at < s->start_ns + late_ns) continue;
        size_t used = strlen(run->sources_report);
        snprintf(run->sources_report + used, sizeof run->sources_report - used,
                 "warning: %s: %.1f of %.1f days of warm_up\n", d->s.name,
                 (double)(s->warm_ns - at) / 86400e9, (double)t->warm_ns / 86400e9);
    }
    return 0;
}

/* make_actors takes the state of the shard's actors; init comes later. */
static int make_actors(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    const struct rt_shard_def *d = &t->shards[s->number];
    for (uint32_t i = 0; i < t->actor_cnt; i++) {
        s->shard_of[t->actors[i].id] = t->actors[i].shard;
        if (t->actors[i].shard == s->number) s->local_cnt++;
    }
    s->locals = take(s, (s->local_cnt ? s->local_cnt : 1) * sizeof *s->locals, "actors", err);
    if (!s->locals) return err->code;
    uint16_t at = 0;
    for (uint32_t i = 0; i < t->actor_cnt; i++) {
        const struct rt_actor_def *a = &t->actors[i];
        if (a->shard != s->number) continue;
        struct rt_local *l = &s->locals[at];
        s->local_of[a->id] = (int16_t)at++;
        l->kind = a->kind;
        l->id = a->id;
        l->poison_call = UINT64_MAX;
        snprintf(l->name, sizeof l->name, "%s", a->name);
        l->state = take(s, a->kind->state_bytes, a->name, err);
        for (int q = 0; q < 2; q++)
            l->mail[q] = take(s, d->mail_max * sizeof(uint32_t), "mail", err);
        if (!l->state || !l->mail[0] || !l->mail[1]) return err->code;
    }
    return 0;
}

/* is_in tells whether kind is in the 0-ended list. */
static bool is_in(const uint16_t *list, uint16_t kind) {
    for (; list && *list; list++)
        if (*list == kind) return true;
    return false;
}

/* make_naps gives room for naps where actors may sleep: nothing of what they hear is kept, and
 * nobody waits for it. */
static int make_naps(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    if (t->backing != RT_BACKING_MEMORY || t->clock != RT_CLOCK_VIRTUAL || s->shard_cnt != 1)
        return 0;
    for (uint16_t i = 0; i < s->series_cnt; i++) {
        struct rt_feed *d = &s->feeds[i];
        if (d->s.span_ns <= 0) continue;
        d->naps = take(s, s->local_cnt * sizeof *d->naps, "naps", err);
        if (!d->naps) return err->code;
    }
    return 0;
}

/* own_mask numbers, from 1, the set of local actors that hear a kind only when it is about them; 0
 * where there are too many sets. */
static uint8_t own_mask(struct rt_shard *s, uint64_t mask) {
    for (uint32_t i = 0; i < s->own_cnt; i++)
        if (s->own[i] == mask) return (uint8_t)(i + 1);
    if (s->own_cnt == RT_OWN_MAX) return 0;
    s->own[s->own_cnt++] = mask;
    return (uint8_t)s->own_cnt;
}

/* make_routes writes down who hears what from whom: rows for local senders first, in their order,
 * then for senders of other shards that are heard here. */
static int make_routes(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    uint32_t rows = s->local_cnt, at = 0;
    memset(s->row_of, 0xff, sizeof s->row_of);
    for (uint32_t i = 0; i < t->actor_cnt; i++)
        if (t->actors[i].shard != s->number && t->actor_cnt) rows++;
    s->routes =
        take(s, (size_t)(rows ? rows : 1) * MSG_KIND_MAX * sizeof *s->routes, "routes", err);
    s->hearers = take(s, 65536 * sizeof *s->hearers, "routes", err);
    if (!s->routes || !s->hearers) return err->code;
    uint32_t next_row = s->local_cnt;
    s->route_rows = rows;
    s->about = t->registry->about;
    for (uint32_t i = 0; i < t->actor_cnt; i++) {
        const struct rt_actor_def *a = &t->actors[i];
        bool local = a->shard == s->number;
        uint16_t row = local ? (uint16_t)s->local_of[a->id] : (uint16_t)next_row++;
        s->row_of[a->id] = row;
        for (uint16_t k = 1; k < MSG_KIND_MAX; k++) {
            struct rt_route *r = &s->routes[(size_t)row * MSG_KIND_MAX + k];
            bool to_shard[RT_SHARDS_MAX] = { 0 };
            uint64_t own = 0;
            r->first = (uint16_t)at;
            r->journal = local && msg_infos[k].audit;
            r->gate = local && is_in(t->registry->gates, k);
            if (!rt_topology_says(a->kind, k)) continue;
            for (uint32_t b = 0; b < t->actor_cnt; b++) {
                if (!rt_topology_hears(t, a, &t->actors[b], k)) continue;
                if (t->actors[b].shard == s->number && s->about &&
                    is_in(t->actors[b].kind->own, k)) {
                    own |= 1ULL << s->local_of[t->actors[b].id];
                } else if (t->actors[b].shard == s->number) {
                    s->hearers[at++] = (uint16_t)s->local_of[t->actors[b].id];
                    r->local_cnt++;
                } else if (local) {
                    to_shard[t->actors[b].shard] = true;
                }
                if (at > 65000)
                    return rt_error_set(err, -E2BIG, "too many hearers on shard %u", s->number);
            }
            for (uint16_t n = 0; n < t->shard_cnt; n++)
                if (to_shard[n]) {
                    s->hearers[at++] = s->out_of[n];
                    r->edge_cnt++;
                    r->journal = true;
                }
            if (own && (r->own = own_mask(s, own)) == 0)
                return rt_error_set(err, -E2BIG, "too many different hears: on shard %u",
                                    s->number);
            r->apart = r->edge_cnt > 0 || (r->gate && t->durability == RT_DURABLE_EACH_ORDER) ||
                       (local && k == MSG_COMMAND_ANSWER);
        }
    }
    return 0;
}

/* make_edges attaches the rings. */
static int make_edges(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    memset(s->out_of, 0xff, sizeof s->out_of);
    memset(s->in_of, 0xff, sizeof s->in_of);
    for (uint16_t n = 0; n < t->shard_cnt; n++) {
        struct rt_ring *out = run->link.rings[s->number * t->shard_cnt + n];
        struct rt_ring *in = run->link.rings[n * t->shard_cnt + s->number];
        const struct rt_edge_def *def = rt_topology_edge(t, s->number, n);
        if (out) {
            struct rt_edge_out *e = &s->out[s->edge_out_cnt];
            s->out_of[n] = (uint8_t)s->edge_out_cnt++;
            e->shard = n;
            memcpy(e->full_of, def->full_of, sizeof e->full_of);
            for (const struct rt_full_rule *r = t->registry->full; r && r->kind; r++) {
                e->key_at[r->kind] = r->key_at;
                e->key_bytes[r->kind] = r->key_bytes;
            }
            e->frames_max = def->capacity * 4;
            e->pending =
                take(s, (size_t)e->frames_max * MSG_SLOT_BYTES + MSG_FRAME_MAX, "edges", err);
            if (!e->pending) return err->code;
            e->tx.ring = out; /* opened when the place is known */
            rt_ring_tx_init(&e->tx, out, 0);
        }
        if (in) {
            struct rt_edge_in *e = &s->in[s->edge_in_cnt];
            s->in_of[n] = (uint8_t)s->edge_in_cnt++;
            e->shard = n;
            e->rx.ring = in;
        }
    }
    return 0;
}

/* init_actors calls init of every actor, in id order. */
static int init_actors(struct rt_run *run, struct rt_shard *s, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    for (uint16_t i = 0; i < s->local_cnt; i++) {
        struct rt_local *a = &s->locals[i];
        const struct rt_actor_def *d = &t->actors[a->id - 1];
        struct rt_init init = { .config = d->config,
                                .world = t->world,
                                .shard = s,
                                .name = a->name,
                                .seed = t->seed,
                                .self = a->id,
                                .local = i };
        s->ctx.self = a->id;
        s->ctx.local = i;
        s->ctx.shard = s;
        s->ctx.said_seq = &a->said_seq;
        if (!a->kind->init) continue;
        int code = a->kind->init(&init, a->state, err);
        if (code == 0 && s->fault.text[0])
            code = rt_error_set(err, s->fault.code, "%s", s->fault.text);
        if (code == 0) {
            const char *known[64] = { "kind", "shard", "hears" };
            for (int k = 0; a->kind->options && a->kind->options[k].name && k < 60; k++)
                known[k + 3] = a->kind->options[k].name;
            code = rt_node_no_more(d->config, known, err);
        }
        if (code < 0) return code;
    }
    return 0;
}

int rt_shard_build(struct rt_run *run, uint16_t number, struct rt_shard **out,
                   struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    const struct rt_shard_def *d = &t->shards[number];
    struct rt_shard *s = aligned_alloc(128, (sizeof *s + 127) / 128 * 128);
    int code;
    if (!s) return rt_error_set(err, -ENOMEM, "no memory for a shard");
    memset(s, 0, sizeof *s);
    *out = s;
    s->number = number;
    s->shard_cnt = (uint16_t)t->shard_cnt;
    memset(s->local_of, 0xff, sizeof s->local_of);
    memset(s->shard_of, 0xff, sizeof s->shard_of);
    size_t queues = 2 * d->mail_bytes;
    if ((code = rt_arena_init(&s->arena, d->arena_bytes + queues + (8 << 20), err)) < 0)
        return code;
    s->graph = take(s, sizeof *s->graph, "graph", err);
    if (!s->graph) return err->code;
    s->graph->topology = t;
    s->world = t->world;
    s->clock = t->clock;
    s->speed = t->speed;
    s->seed = t->seed;
    s->step = t->step;
    s->idle = d->idle;
    bool crowded = t->shard_cnt > (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    s->spins = crowded ? 4 : 400; /* some 6 us */
    /* on the virtual clock nobody waits for long: sleeping would cost more than it spares */
    s->yields = t->clock == RT_CLOCK_VIRTUAL ? 2000 : crowded ? 100 : 20;
    s->durability = t->durability;
    s->shared = run->link.shared;
    s->pulse = &run->link.pulses[number];
    s->mail_max = d->mail_max;
    s->call_bytes = d->mail_bytes / 4 < 262144 ? (uint32_t)(d->mail_bytes / 4) : 262144;
    for (int q = 0; q < 2; q++) {
        s->queue[q] = take(s, d->mail_bytes, "mail", err);
        if (!s->queue[q]) return err->code;
        s->queue_end[q] = s->queue[q] + d->mail_bytes - 128; /* slots read a line past a frame */
    }
    rt_shard_turn_over(s, !s->now_q);
    void *wheel = take(s, rt_wheel_bytes(d->timers_max), "timers", err);
    if (!wheel) return err->code;
    if ((code = make_actors(run, s, err)) < 0 || (code = make_edges(run, s, err)) < 0 ||
        (code = make_routes(run, s, err)) < 0 || (code = open_sources(run, s, err)) < 0 ||
        (code = make_naps(run, s, err)) < 0)
        return code;
    s->start_ns = first_instant(s, t);
    s->end_ns = last_instant(s);
    if (t->end_ns < s->end_ns) s->end_ns = t->end_ns;
    if ((code = bounded(t, s, err)) < 0 || (code = warm(run, s, err)) < 0) return code;
    s->now_ns = s->start_ns;
    s->ctx.now_ns = s->now_ns;
    s->wheel = rt_wheel_init(wheel, d->timers_max, s->now_ns);
    if ((code = init_actors(run, s, err)) < 0) return code;
    rt_ring_rx_init(&s->commands, run->link.commands[number],
                    ck_pr_load_64(&run->link.commands[number]->taken));
    struct rt_ring *answers = run->link.answers[number];
    rt_ring_tx_init(&s->answers, answers, ck_pr_load_64(&answers->head));
    while (rt_ring_was_put(&s->answers)) s->answers.head++; /* it died before it published them */
    return 0;
}

void rt_shard_free(struct rt_shard *s) {
    if (!s) return;
    for (uint16_t i = 0; i < s->series_cnt; i++)
        if (s->feeds[i].kind && s->feeds[i].kind->close) s->feeds[i].kind->close(&s->feeds[i].s, 1);
    rt_arena_fini(&s->arena);
    free(s);
}
