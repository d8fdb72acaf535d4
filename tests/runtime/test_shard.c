/* threaded: shards are threads
 *
 * Goal: what a graph of actors does depends on the graph alone: on one shard and on two or three,
 * the state of every actor ends the same, and each shard's journal makes it again; what is only for
 * whom it is about, and what somebody is deaf to, reaches no one else.
 * Method: random graphs (seed printed) of tiny actors that say, answer, draw and set timers at
 * random, on the virtual clock; hash per actor by its rows; rt_run_replay of every shard. */
#include "runtime/boot/engine.h"
#include "tests/support/check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Sizes. */
enum { ACTORS_MAX = 12, GRAPHS = 8 };

/* A tiny actor: what it has heard, and how. */
struct node {
    uint64_t hash;   /* of all it heard, in order */
    uint64_t heard;  /* frames */
    uint64_t timers; /* timers */
    uint64_t own;    /* of the frames, those that only whom they are about hears */
    uint64_t wrong;  /* of the frames, those it must not hear */
};

/* What nodes say to each other. */
struct word {
    uint64_t number; /* a random one */
    uint64_t left;   /* how often it may be answered yet */
    uint64_t about;  /* an actor's id, or nobody's */
};

/* mix takes a number into the hash. */
static void mix(struct node *n, uint64_t v) {
    n->hash = (n->hash ^ v) * 0x9e3779b97f4a7c15ULL + (v >> 29);
}

/* speak says a word of kind, to all or to one. */
static void speak(struct rt_ctx *ctx, uint16_t kind, uint64_t left) {
    struct word *w = rt_say(ctx, kind, 0, sizeof *w);
    *w = (struct word){ .number = rt_random64(ctx),
                        .left = left,
                        .about = rt_random64(ctx) % (ACTORS_MAX + 1) };
}

/* is_deaf tells who does not hear fills. */
static bool is_deaf(uint16_t self) {
    return self % 4 == 0;
}

/* node_init makes some deaf. */
static int node_init(struct rt_init *init, void *state, struct rt_error *err) {
    (void)state;
    (void)err;
    if (is_deaf(init->self)) rt_init_deaf(init, MSG_FILL);
    return 0;
}

/* about tells whom a word is about. */
static uint16_t about(const struct msg_frame *f) {
    return (uint16_t)((const struct word *)msg_body(f))->about;
}

/* node_start sets the first timer. */
static void node_start(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    (void)state;
    (void)f;
    rt_timer_set(ctx, 1, ctx->now_ns + (int64_t)(rt_random64(ctx) % 1000) * 1000000);
}

/* node_timer speaks, and sets the next timer on a coarse grid so that many share an instant. */
static void node_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct node *n = state;
    n->timers++;
    mix(n, (uint64_t)f->time_ns);
    static const uint16_t said[] = { MSG_ORDER_INTENT, MSG_FILL, MSG_ORDER_STATE };
    speak(ctx, said[rt_random64(ctx) % 3], rt_random64(ctx) % 5);
    rt_timer_set(ctx, 1, ctx->now_ns + (int64_t)(1 + rt_random64(ctx) % 4) * 250000000);
}

/* node_word hears, and answers while the word may be answered. */
static void node_word(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct node *n = state;
    const struct word *w = msg_body(f);
    n->heard++;
    if (f->kind == MSG_ORDER_STATE) {
        n->own++;
        n->wrong += w->about != ctx->self;
    }
    n->wrong += f->kind == MSG_FILL && is_deaf(ctx->self);
    mix(n, w->number);
    mix(n, (uint64_t)f->source << 32 | f->kind);
    mix(n, (uint64_t)ctx->now_ns);
    if (w->left == 0) return;
    if (rt_random64(ctx) % 3 == 0)
        speak(ctx, f->kind == MSG_FILL ? MSG_ORDER_INTENT : MSG_FILL, w->left - 1);
}

/* node_save writes the state as one row. */
static void node_save(const void *state, struct rt_row_sink *sink) {
    sink->put(sink, MSG_COUNTER_ROW, 0, state, sizeof(struct node));
}

/* node_load takes it back. */
static int node_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                     struct rt_error *err) {
    if (kind != MSG_COUNTER_ROW || key != 0 || bytes != sizeof(struct node))
        return rt_error_set(err, -EINVAL, "no row of a node");
    memcpy(state, row, bytes);
    return 0;
}

static const uint16_t node_says[] = { MSG_ORDER_INTENT, MSG_FILL, MSG_ORDER_STATE, 0 };
static const uint16_t node_own[] = { MSG_ORDER_STATE, 0 };
static const struct rt_option no_options[] = { { 0 } };
static const struct rt_actor_kind node_kind = {
    .name = "node",
    .help = "A tiny actor.",
    .options = no_options,
    .says = node_says,
    .own = node_own,
    .timer_class = RT_CLASS_TIMER,
    .state_bytes = sizeof(struct node),
    .init = node_init,
    .on = { [MSG_START] = node_start,
            [MSG_TIMER] = node_timer,
            [MSG_ORDER_INTENT] = node_word,
            [MSG_FILL] = node_word,
            [MSG_ORDER_STATE] = node_word },
    .save = node_save,
    .load = node_load,
};
static const struct rt_actor_kind *const kinds[] = { &node_kind, NULL };
static const struct rt_source_kind *const no_sources[] = { NULL };
static const struct rt_full_rule no_rules[] = { { 0, RT_FULL_REFUSE, 0, 0, false } };
static const uint16_t no_gates[] = { 0 };

/* no_world loads nothing. */
static int no_world(struct rt_node *root, void **world, struct rt_error *err) {
    static int nothing;
    (void)root;
    (void)err;
    *world = &nothing;
    return 0;
}

/* no_close closes it. */
static void no_close(void *world) {
    (void)world;
}

static const struct rt_registry registry = {
    .actors = kinds,
    .sources = no_sources,
    .full = no_rules,
    .gates = no_gates,
    .about = about,
    .world_load = no_world,
    .world_close = no_close,
};

/* write_graph writes the run file of the graph of seed over shards; placement draws from gen. */
static void write_graph(const char *path, uint64_t seed, int shards, uint64_t *gen) {
    uint64_t dice = seed;
    int cnt = (int)gen_range(&dice, 2, ACTORS_MAX);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "name: graph\nclock: virtual\nseed: %u\nstart: 2024-01-01\nend: 2024-01-01T00:00:40Z\n"
            "snapshot_every: 0s\njournal: {segment: 1048576}\nshards:\n",
            (unsigned)seed & 0xffff);
    for (int i = 0; i < shards; i++) fprintf(f, "  s%d: {arena: 4194304}\n", i);
    fprintf(f, "actors:\n");
    for (int a = 0; a < cnt; a++) {
        fprintf(f, "  n%02d: {kind: node, shard: s%d, hears: [", a,
                (int)gen_range(gen, 0, shards - 1));
        int heard = 0;
        for (int b = 0; b < cnt; b++)
            if (b != a && gen_range(&dice, 0, 2) == 0)
                fprintf(f, "%sn%02d", heard++ ? ", " : "", b);
        fprintf(f, "]}\n");
    }
    fclose(f);
}

/* Words heard, of all graphs, that only whom they are about hears. */
static uint64_t own_heard;

/* run_graph runs the file, fills out with a hash per actor id, and replays every shard. */
static void run_graph(const char *path, const char *dir, uint64_t seed, uint64_t *out) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    for (int again = 0; again < 2; again++) { /* the second time from the journal */
        CHECK(seed, rt_topology_load(path, &registry, NULL, &t, &err) == 0);
        if ((again ? rt_run_peek(t, dir, &run, &err) : rt_run_open(t, dir, &run, &err)) < 0)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        if (!again && rt_run_process(&run, 0, &err) < 0)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        for (uint16_t i = 0; i < t->shard_cnt; i++) {
            uint64_t records, hash[RT_LOCAL_MAX];
            if (again && rt_run_replay(&run, i, &records, &err) < 0)
                fail_msg("seed %llu: replay: %s", (unsigned long long)seed, err.text);
            rt_shard_state_hash(run.shards[i], hash);
            for (uint16_t k = 0; k < run.shards[i]->local_cnt; k++) {
                uint64_t *to = &out[run.shards[i]->locals[k].id];
                const struct node *n = run.shards[i]->locals[k].state;
                if (again) CHECK(seed, *to == hash[k]);
                CHECK(seed, n->wrong == 0);
                own_heard += n->own;
                *to = hash[k];
            }
        }
        rt_run_close(&run, again == 1);
        rt_topology_close(t);
    }
}

/* test_placements: random graphs over one, two and three shards. */
static void test_placements(void **state) {
    (void)state;
    const char *given = getenv("SHRIKE_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    char base[] = "/tmp/shrike-shard-XXXXXX", path[300], dir[300], command[320];
    assert_non_null(mkdtemp(base));
    printf("seed %llu\n", (unsigned long long)first);
    for (uint64_t seed = first; seed < first + GRAPHS; seed++) {
        uint64_t expected[ACTORS_MAX + 1] = { 0 }, gen = seed ^ 0x5eed;
        for (int shards = 1; shards <= 3; shards++) {
            uint64_t found[ACTORS_MAX + 1] = { 0 };
            snprintf(path, sizeof path, "%s/graph.yaml", base);
            snprintf(dir, sizeof dir, "%s/%llu-%d", base, (unsigned long long)seed, shards);
            write_graph(path, seed, shards, &gen);
            run_graph(path, dir, seed, found);
            if (shards == 1) memcpy(expected, found, sizeof found);
            for (int i = 0; i <= ACTORS_MAX; i++) CHECK(seed, found[i] == expected[i]);
        }
    }
    CHECK(first, own_heard > 0);
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_placements) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
