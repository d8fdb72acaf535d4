#include "runtime/boot/topology.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t WARM_MAX_NS = 3660LL * 86400000000000LL; /* ten years */

/* Keys of the run file's root that the runtime reads; the world's come on top. */
static const char *const root_keys[] = {
    "name",    "clock",          "start",        "end",       "seed",       "durability",
    "journal", "snapshot_every", "hang",         "processes", "shards",     "actors",
    "sources", "edges",          "instruments",  "accounts",  "deployment", "equity_interval",
    "include", "warm_up",        "display_zone", NULL
};

/* copy_name copies a name into cap bytes after checking its form. */
static int copy_name(const struct rt_node *at, const char *text, char *out, size_t cap,
                     struct rt_error *err) {
    size_t n = text ? strlen(text) : 0;
    if (n == 0 || n >= cap)
        return rt_node_fail(at, err, "a name of 1 to %zu characters expected", cap - 1);
    if (text[0] == '.') /* names become file names: "..", and what ls hides */
        return rt_node_fail(at, err, "name '%s' begins with '.'; expected a letter or digit", text);
    for (size_t i = 0; i < n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", text[i]))
            return rt_node_fail(at, err, "name '%s': letters, digits, '_', '-' and '.' expected",
                                text);
    memcpy(out, text, n + 1);
    return 0;
}

/* find_shard returns the index of the shard named name, or -1. */
static int find_shard(const struct rt_topology *t, const char *name) {
    for (uint32_t i = 0; i < t->shard_cnt; i++)
        if (strcmp(t->shards[i].name, name) == 0) return (int)i;
    return -1;
}

/* load_clock reads clock:, start:, end:, warm_up:, seed:. */
static int load_clock(struct rt_topology *t, struct rt_node *root, struct rt_error *err) {
    static const char *const words[] = { "virtual", "paced", "real", NULL };
    struct rt_node *c = rt_node_get(root, "clock");
    int choice = RT_CLOCK_VIRTUAL, code;
    t->speed = 60;
    if (c && c->kind == RT_NODE_MAP) {
        if ((code = rt_node_choice(c, "kind", true, words, 0, &choice, err)) < 0 ||
            (code = rt_node_double(c, "speed", false, 0.001, 1e9, 60, &t->speed, err)) < 0 ||
            (code = rt_node_no_more(c, (const char *const[]){ "kind", "speed", NULL }, err)) < 0)
            return code;
    } else if ((code = rt_node_choice(root, "clock", false, words, RT_CLOCK_VIRTUAL, &choice,
                                      err)) < 0) {
        return code;
    }
    t->clock = (enum rt_clock_kind)choice;
    int64_t seed;
    if ((code = rt_node_time(root, "start", false, INT64_MIN, &t->start_ns, err)) < 0 ||
        (code = rt_node_time(root, "end", false, INT64_MAX, &t->end_ns, err)) < 0 ||
        (code = rt_node_duration(root, "warm_up", false, 0, WARM_MAX_NS, 0, &t->warm_ns, err)) <
            0 ||
        (code = rt_node_int(root, "seed", false, 0, INT64_MAX, 1, &seed, err)) < 0)
        return code;
    t->seed = (uint64_t)seed;
    if (t->end_ns <= t->start_ns)
        return rt_node_fail(rt_node_get(root, "end"), err, "the end is not after the start");
    return 0;
}

/* load_journal reads journal:, durability:, snapshot_every:, hang:. */
static int load_journal(struct rt_topology *t, struct rt_node *root, struct rt_error *err) {
    static const char *const modes[] = { "on", "stage", "off", NULL };
    static const char *const policies[] = { "process", "interval", "each-order", NULL };
    struct rt_node *j = rt_node_get(root, "journal"), *d = rt_node_get(root, "durability");
    int mode = 0, policy = 0, code;
    int64_t segment = 16 << 20, stage = 8, archive = 0;
    if (j && j->kind == RT_NODE_MAP) {
        if ((code = rt_node_choice(j, "mode", false, modes, 0, &mode, err)) < 0 ||
            (code = rt_node_int(j, "segment", false, 131072, 1 << 30, 16 << 20, &segment, err)) <
                0 ||
            (code = rt_node_int(j, "stage_segments", false, 2, 4096, 8, &stage, err)) < 0 ||
            (code = rt_node_int(j, "archive_max", false, 0, INT64_MAX, 0, &archive, err)) < 0 ||
            (code = rt_node_no_more(
                 j,
                 (const char *const[]){ "mode", "segment", "stage_segments", "archive_max", NULL },
                 err)) < 0)
            return code;
        if (segment & (segment - 1))
            return rt_node_fail(rt_node_get(j, "segment"), err, "a power of two expected");
    } else if ((code = rt_node_choice(root, "journal", false, modes, 0, &mode, err)) < 0) {
        return code;
    }
    t->backing = (enum rt_backing)mode;
    t->segment_bytes = (uint32_t)segment;
    t->stage_segments = (uint32_t)stage;
    t->archive_bytes_max = (uint64_t)archive;
    t->interval_ns = 5000000;
    if (d && d->kind == RT_NODE_MAP) {
        policy = RT_DURABLE_INTERVAL;
        if ((code = rt_node_duration(d, "interval", true, 1000000, 10000000000LL, 0,
                                     &t->interval_ns, err)) < 0 ||
            (code = rt_node_no_more(d, (const char *const[]){ "interval", NULL }, err)) < 0)
            return code;
    } else if ((code = rt_node_choice(root, "durability", false, policies, 0, &policy, err)) < 0) {
        return code;
    }
    t->durability = (enum rt_durability)policy;
    if ((code = rt_node_duration(root, "snapshot_every", false, 0, 86400000000000LL, 5000000000LL,
                                 &t->snapshot_every_ns, err)) < 0 ||
        (code = rt_node_duration(root, "hang", false, 10000000, 60000000000LL, 200000000,
                                 &t->hang_ns, err)) < 0)
        return code;
    return 0;
}

/* load_shards reads processes: and shards:. */
static int load_shards(struct rt_topology *t, struct rt_node *root, struct rt_error *err) {
    static const char *const idles[] = { "spin", "adaptive", "block", NULL };
    struct rt_node *ps, *ss;
    int code;
    if ((code = rt_node_map(root, "processes", false, &ps, err)) < 0 ||
        (code = rt_node_map(root, "shards", false, &ss, err)) < 0)
        return code;
    t->process_cnt = ps ? ps->child_cnt : 1;
    t->shard_cnt = ss ? ss->child_cnt : 1;
    if (t->process_cnt < 1 || t->process_cnt > 16)
        return rt_node_fail(ps, err, "1 to 16 processes expected");
    if (t->shard_cnt < 1 || t->shard_cnt > RT_SHARDS_MAX)
        return rt_node_fail(ss, err, "1 to %d shards expected", RT_SHARDS_MAX);
    t->processes = calloc(t->process_cnt, sizeof *t->processes);
    t->shards = calloc(t->shard_cnt, sizeof *t->shards);
    if (!t->processes || !t->shards) return rt_error_set(err, -ENOMEM, "no memory");
    strcpy(t->processes[0].name, "engine");
    uint32_t i = 0;
    for (struct rt_node *p = ps ? ps->child : NULL; p; p = p->next, i++) {
        p->used = true;
        if ((code = copy_name(p, p->key, t->processes[i].name, sizeof t->processes[i].name, err)) <
            0)
            return code;
        if (p->kind == RT_NODE_MAP && (code = rt_node_no_more(p, NULL, err)) < 0) return code;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t spinning = 0;
    i = 0;
    struct rt_node *s = ss ? ss->child : NULL;
    do {
        struct rt_shard_def *d = &t->shards[i];
        *d = (struct rt_shard_def){ .core = -1,
                                    .idle = RT_IDLE_ADAPTIVE,
                                    .arena_bytes = 64 << 20,
                                    .mail_max = 8192,
                                    .mail_bytes = 4 << 20,
                                    .timers_max = 16384 };
        strcpy(d->name, "main");
        if (!s) break;
        s->used = true;
        if ((code = copy_name(s, s->key, d->name, sizeof d->name, err)) < 0) return code;
        if (s->kind == RT_NODE_MAP) {
            int64_t core, arena, mail, timers, bytes;
            int idle;
            const char *process;
            if ((code = rt_node_int(s, "core", false, 0, 4095, -1, &core, err)) < 0 ||
                (code = rt_node_choice(s, "idle", false, idles, RT_IDLE_ADAPTIVE, &idle, err)) <
                    0 ||
                (code = rt_node_int(s, "arena", false, 1 << 20, 1LL << 36, 64 << 20, &arena, err)) <
                    0 ||
                (code = rt_node_int(s, "mail_max", false, 64, 1 << 20, 8192, &mail, err)) < 0 ||
                (code = rt_node_int(s, "mail_bytes", false, 1 << 18, 1 << 30, 4 << 20, &bytes,
                                    err)) < 0 ||
                (code = rt_node_int(s, "timers_max", false, 16, 1 << 20, 16384, &timers, err)) <
                    0 ||
                (code = rt_node_text(s, "process", false, 31, t->processes[0].name, &process,
                                     err)) < 0)
                return code;
            if (core >= cores)
                return rt_node_fail(rt_node_get(s, "core"), err,
                                    "core %lld does not exist: this machine has cores 0 to %ld",
                                    (long long)core, cores - 1);
            if ((code = rt_node_no_more(s,
                                        (const char *const[]){ "core", "idle", "arena", "mail_max",
                                                               "mail_bytes", "timers_max",
                                                               "process", NULL },
                                        err)) < 0)
                return code;
            d->core = (int)core;
            d->idle = (enum rt_idle)idle;
            d->arena_bytes = (size_t)arena;
            d->mail_max = (uint32_t)mail;
            d->mail_bytes = (size_t)bytes;
            d->timers_max = (uint32_t)timers;
            uint32_t p = 0;
            while (p < t->process_cnt && strcmp(t->processes[p].name, process) != 0) p++;
            if (p == t->process_cnt)
                return rt_node_fail(rt_node_get(s, "process"), err,
                                    "process '%s' is not declared under processes:", process);
            d->process = (uint16_t)p;
        } else if (s->kind != RT_NODE_SCALAR || (s->text && s->text[0])) {
            return rt_node_fail(s, err, "a map such as {core: 0, idle: adaptive} expected");
        }
        if (d->idle == RT_IDLE_SPIN) spinning++;
        if (d->idle == RT_IDLE_SPIN && t->shard_cnt > (uint32_t)cores)
            return rt_node_fail(
                s, err,
                "idle: spin with %u shards on %ld cores: spinning shards would take "
                "the cores from each other; use adaptive or block",
                t->shard_cnt, cores);
        s = s->next;
        i++;
    } while (s);
    (void)spinning;
    return 0;
}

/* by_name orders actors. */
static int by_name(const void *a, const void *b) {
    return strcmp(((const struct rt_actor_def *)a)->name, ((const struct rt_actor_def *)b)->name);
}

/* load_actors reads actors:. */
static int load_actors(struct rt_topology *t, struct rt_node *root, struct rt_error *err) {
    struct rt_node *map;
    int code;
    if ((code = rt_node_map(root, "actors", true, &map, err)) < 0) return code;
    if (map->child_cnt < 1 || map->child_cnt > RT_ACTORS_MAX - 1)
        return rt_node_fail(map, err, "1 to %d actors expected", RT_ACTORS_MAX - 1);
    t->actor_cnt = map->child_cnt;
    t->actors = calloc(t->actor_cnt, sizeof *t->actors);
    if (!t->actors) return rt_error_set(err, -ENOMEM, "no memory");
    uint32_t i = 0;
    for (struct rt_node *n = map->child; n; n = n->next, i++) {
        struct rt_actor_def *a = &t->actors[i];
        const char *kind, *shard;
        n->used = true;
        if (n->kind != RT_NODE_MAP) return rt_node_fail(n, err, "a map with kind: expected");
        a->config = n;
        if ((code = copy_name(n, n->key, a->name, sizeof a->name, err)) < 0 ||
            (code = rt_node_text(n, "kind", true, 31, NULL, &kind, err)) < 0 ||
            (code = rt_node_text(n, "shard", false, 31, t->shards[0].name, &shard, err)) < 0)
            return code;
        for (int k = 0; t->registry->actors[k]; k++)
            if (strcmp(t->registry->actors[k]->name, kind) == 0) a->kind = t->registry->actors[k];
        if (!a->kind) {
            char known[300] = "";
            for (int k = 0; t->registry->actors[k]; k++)
                snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k ? ", " : "",
                         t->registry->actors[k]->name);
            return rt_node_fail(rt_node_get(n, "kind"), err,
                                "unknown kind of actor '%s'; one of %s expected", kind, known);
        }
        int at = find_shard(t, shard);
        if (at < 0)
            return rt_node_fail(rt_node_get(n, "shard"), err,
                                "shard '%s' is not declared under shards:", shard);
        a->shard = (uint16_t)at;
    }
    qsort(t->actors, t->actor_cnt, sizeof *t->actors, by_name);
    uint32_t on_shard[RT_SHARDS_MAX] = { 0 };
    for (i = 0; i < t->actor_cnt; i++) {
        struct rt_actor_def *a = &t->actors[i];
        a->id = (uint16_t)(i + 1);
        if (++on_shard[a->shard] > RT_LOCAL_MAX)
            return rt_node_fail(a->config, err, "more than %d actors on shard %s", RT_LOCAL_MAX,
                                t->shards[a->shard].name);
        struct rt_node *list;
        if ((code = rt_node_list(a->config, "hears", false, &list, err)) < 0) return code;
        memset(a->hears, list ? 0 : 0xff, sizeof a->hears);
        for (struct rt_node *h = list ? list->child : NULL; h; h = h->next) {
            const struct rt_actor_def *b = NULL;
            h->used = true;
            for (uint32_t k = 0; k < t->actor_cnt && h->text; k++)
                if (strcmp(t->actors[k].name, h->text) == 0) b = &t->actors[k];
            if (!b)
                return rt_node_fail(h, err, "actor '%s' is not declared", h->text ? h->text : "");
            uint32_t id = (uint32_t)(b - t->actors) + 1;
            a->hears[id / 64] |= 1ULL << (id % 64);
        }
    }
    return 0;
}

/* load_sources reads sources:. */
static int load_sources(struct rt_topology *t, struct rt_node *root, struct rt_error *err) {
    struct rt_node *list;
    int code;
    if ((code = rt_node_list(root, "sources", false, &list, err)) < 0) return code;
    t->source_cnt = list ? list->child_cnt : 0;
    t->sources = calloc(t->source_cnt ? t->source_cnt : 1, sizeof *t->sources);
    if (!t->sources) return rt_error_set(err, -ENOMEM, "no memory");
    uint32_t i = 0;
    for (struct rt_node *n = list ? list->child : NULL; n; n = n->next, i++) {
        const char *kind;
        n->used = true;
        if (n->kind != RT_NODE_MAP) return rt_node_fail(n, err, "a map with kind: expected");
        if ((code = rt_node_text(n, "kind", true, 31, NULL, &kind, err)) < 0) return code;
        t->sources[i].config = n;
        for (int k = 0; t->registry->sources[k]; k++)
            if (strcmp(t->registry->sources[k]->name, kind) == 0)
                t->sources[i].kind = t->registry->sources[k];
        if (!t->sources[i].kind) {
            char known[300] = "";
            for (int k = 0; t->registry->sources[k]; k++)
                snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k ? ", " : "",
                         t->registry->sources[k]->name);
            return rt_node_fail(rt_node_get(n, "kind"), err,
                                "unknown kind of source '%s'; one of %s expected", kind, known);
        }
    }
    return 0;
}

bool rt_topology_says(const struct rt_actor_kind *k, uint16_t kind) {
    if (kind == MSG_ACTOR_STOPPED) return true; /* the runtime says it in any actor's name */
    for (const uint16_t *p = k->says; p && *p; p++)
        if (*p == kind) return true;
    return false;
}

bool rt_topology_hears(const struct rt_topology *t, const struct rt_actor_def *a,
                       const struct rt_actor_def *b, uint16_t kind) {
    (void)t;
    return a != b && b->kind->on[kind] && rt_topology_says(a->kind, kind) &&
           (b->hears[a->id / 64] >> (a->id % 64) & 1);
}

/* rule_of finds what the program says of kind on a full edge; NULL = nothing. */
static const struct rt_full_rule *rule_of(const struct rt_topology *t, uint16_t kind) {
    for (const struct rt_full_rule *r = t->registry->full; r && r->kind; r++)
        if (r->kind == kind) return r;
    return NULL;
}

/* load_edges finds the pairs of shards that need an edge, and reads what edges: says of them. */
static int load_edges(struct rt_topology *t, struct rt_node *root, struct rt_error *err) {
    static const char *const fulls[] = { "refuse", "conflate", "drop", "merge", "wait", NULL };
    struct rt_node *list;
    int code;
    uint32_t n = t->shard_cnt;
    if ((code = rt_node_list(root, "edges", false, &list, err)) < 0) return code;
    t->step = n > 1 && t->clock != RT_CLOCK_REAL;
    bool *need = calloc((size_t)n * n, sizeof *need);
    t->edges = calloc((size_t)n * n, sizeof *t->edges);
    if (!need || !t->edges) {
        free(need);
        return rt_error_set(err, -ENOMEM, "no memory");
    }
    for (uint32_t a = 0; a < t->actor_cnt; a++)
        for (uint32_t b = 0; b < t->actor_cnt; b++) {
            uint16_t from = t->actors[a].shard, to = t->actors[b].shard;
            for (uint16_t k = 1; k < MSG_KIND_MAX && from != to && !need[from * n + to]; k++)
                need[from * n + to] = rt_topology_hears(t, &t->actors[a], &t->actors[b], k);
        }
    for (uint16_t from = 0; from < n; from++)
        for (uint16_t to = 0; to < n; to++) {
            if (from == to || !(need[from * n + to] || t->step)) continue;
            struct rt_edge_def *e = &t->edges[t->edge_cnt++];
            e->from = from;
            e->to = to;
            e->capacity = 4096;
            memset(e->full_of, RT_FULL_REFUSE, sizeof e->full_of);
            for (const struct rt_full_rule *r = t->registry->full; r && r->kind; r++)
                e->full_of[r->kind] = (uint8_t)r->full;
        }
    free(need);
    for (struct rt_node *d = list ? list->child : NULL; d; d = d->next) {
        const char *from, *to;
        int64_t capacity;
        struct rt_node *full;
        d->used = true;
        if (d->kind != RT_NODE_MAP)
            return rt_node_fail(d, err, "a map such as {from: a, to: b, capacity: 1024} expected");
        if ((code = rt_node_text(d, "from", true, 31, NULL, &from, err)) < 0 ||
            (code = rt_node_text(d, "to", true, 31, NULL, &to, err)) < 0 ||
            (code = rt_node_int(d, "capacity", false, 16, 1 << 20, 4096, &capacity, err)) < 0 ||
            (code = rt_node_map(d, "full", false, &full, err)) < 0)
            return code;
        if (capacity & (capacity - 1))
            return rt_node_fail(rt_node_get(d, "capacity"), err, "a power of two expected");
        int f = find_shard(t, from), g = find_shard(t, to);
        if (f < 0)
            return rt_node_fail(rt_node_get(d, "from"), err, "shard '%s' is not declared", from);
        if (g < 0) return rt_node_fail(rt_node_get(d, "to"), err, "shard '%s' is not declared", to);
        struct rt_edge_def *e = (struct rt_edge_def *)rt_topology_edge(t, (uint16_t)f, (uint16_t)g);
        if (!e) return rt_node_fail(d, err, "nothing goes from shard %s to shard %s", from, to);
        e->capacity = (uint32_t)capacity;
        for (struct rt_node *k = full ? full->child : NULL; k; k = k->next) {
            int policy;
            uint16_t kind = 0;
            for (uint16_t m = 1; m < MSG_KIND_MAX; m++)
                if (msg_infos[m].name && strcmp(msg_infos[m].name, k->key) == 0) kind = m;
            if (!kind) return rt_node_fail(k, err, "no message is called '%s'", k->key);
            if ((code = rt_node_choice(full, k->key, true, fulls, 0, &policy, err)) < 0)
                return code;
            const struct rt_full_rule *r = rule_of(t, kind);
            if ((policy == RT_FULL_MERGE || policy == RT_FULL_CONFLATE) && !(r && r->key_bytes))
                return rt_node_fail(k, err,
                                    "each %s counts, no newer one stands for it; refuse%s or wait "
                                    "expected",
                                    k->key, r && r->kept ? "" : ", drop");
            if (policy == RT_FULL_DROP && r && r->kept)
                return rt_node_fail(k, err, "a %s must not be dropped", k->key);
            e->full_of[kind] = (uint8_t)policy;
        }
        if ((code = rt_node_no_more(
                 d, (const char *const[]){ "from", "to", "capacity", "full", NULL }, err)) < 0)
            return code;
    }
    /* nobody waits on a full ring where the graph has a loop */
    for (uint32_t i = 0; i < t->edge_cnt; i++) {
        const struct rt_edge_def *e = &t->edges[i];
        bool waits = false;
        for (int k = 0; k < MSG_KIND_MAX; k++) waits = waits || e->full_of[k] == RT_FULL_WAIT;
        if (!waits || t->step) continue;
        bool seen[RT_SHARDS_MAX] = { 0 };
        uint16_t stack[RT_SHARDS_MAX], top = 0;
        stack[top++] = e->to;
        seen[e->to] = true;
        while (top) {
            uint16_t at = stack[--top];
            if (at == e->from)
                return rt_node_fail(
                    list ? list : root, err,
                    "edge from shard %s to shard %s waits when it is full, and the graph "
                    "leads back: both would wait for each other; choose another policy",
                    t->shards[e->from].name, t->shards[e->to].name);
            for (uint32_t k = 0; k < t->edge_cnt; k++)
                if (t->edges[k].from == at && !seen[t->edges[k].to]) {
                    seen[t->edges[k].to] = true;
                    stack[top++] = t->edges[k].to;
                }
        }
    }
    return 0;
}

const struct rt_edge_def *rt_topology_edge(const struct rt_topology *t, uint16_t from,
                                           uint16_t to) {
    for (uint32_t i = 0; i < t->edge_cnt; i++)
        if (t->edges[i].from == from && t->edges[i].to == to) return &t->edges[i];
    return NULL;
}

const struct rt_actor_def *rt_topology_actor(const struct rt_topology *t, const char *name) {
    for (uint32_t i = 0; i < t->actor_cnt; i++)
        if (strcmp(t->actors[i].name, name) == 0) return &t->actors[i];
    return NULL;
}

const struct rt_decoder_kind *rt_registry_decoder(const struct rt_registry *r,
                                                  enum rt_transport transport) {
    for (uint32_t i = 0; r->decoders && r->decoders[i]; i++)
        if (r->decoders[i]->transport == transport) return r->decoders[i];
    return NULL;
}

int rt_topology_load(const char *path, const struct rt_registry *registry,
                     const char *const *overrides, struct rt_topology **out, struct rt_error *err) {
    struct rt_topology *t = calloc(1, sizeof *t);
    const char *name;
    int code;
    (void)overrides;
    if (!t) return rt_error_set(err, -ENOMEM, "no memory");
    t->registry = registry;
    snprintf(t->path, sizeof t->path, "%s", path);
    char *full = realpath(path, NULL);
    char *slash = full ? strrchr(full, '/') : NULL;
    if (slash) slash[slash == full] = 0; /* the directory, "/" at the top */
    snprintf(t->base_dir, sizeof t->base_dir, "%s", full ? full : ".");
    free(full);
    if ((code = rt_config_load(path, &t->config, err)) < 0) goto fail;
    struct rt_node *root = rt_config_root(t->config);
    const struct rt_node *named = rt_node_get(root, "name");
    if ((code = rt_node_text(root, "name", false, 47, "run", &name, err)) < 0 ||
        (code = copy_name(named ? named : root, name, t->name, sizeof t->name, err)) < 0 ||
        (code = load_clock(t, root, err)) < 0 || (code = load_journal(t, root, err)) < 0 ||
        (code = load_shards(t, root, err)) < 0 || (code = load_actors(t, root, err)) < 0 ||
        (code = load_sources(t, root, err)) < 0 || (code = load_edges(t, root, err)) < 0 ||
        (code = registry->world_load(root, &t->world, err)) < 0 ||
        (code = rt_node_no_more(root, root_keys, err)) < 0)
        goto fail;
    *out = t;
    return 0;
fail:
    rt_topology_close(t);
    return code;
}

void rt_topology_close(struct rt_topology *t) {
    if (!t) return;
    if (t->world) t->registry->world_close(t->world);
    free(t->processes);
    free(t->shards);
    free(t->actors);
    free(t->sources);
    free(t->edges);
    rt_config_close(t->config);
    free(t);
}
