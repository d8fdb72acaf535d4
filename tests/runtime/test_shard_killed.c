/* threaded: shards are threads
 *
 * Goal: a run of two shards in step that was killed while one of them had said its token, and its
 * peer had heard it, goes on in the one order of events, whatever comes from outside right after
 * the restart: what nobody hears changes nothing, what is told of a command is heard at its instant
 * on both shards, and a stop ends both. A command is heard once, also when the process died after
 * it was journaled and before it was taken from its ring.
 * Method: a graph of tiny actors (seed printed) on the virtual and on the paced clock, in a child
 * process. A clock of the test's own stops the thread of one shard at its N-th reading (a shard
 * that waits for a token reads it), lets the other go as far as it gets, and kills the process. A
 * second child finds the kill word up (nobody hears it: the state ends as undisturbed), or a
 * command (all who hear it speak), or a stop, before its first turn. A word heard at another time
 * than it was said, a child that does not end, and a replay that differs are failures. A command
 * under a key waits again in the rings of the child that recovers: that is what such a death leaves
 * in memory that outlives the process; with another key it is heard. */
#include "runtime/base/seam.h"
#include "runtime/boot/engine.h"
#include "tests/support/check.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Sizes. */
enum { ACTORS = 8, ROUNDS = 12 };

/* A tiny actor: what it has heard, and how. */
struct node {
    uint64_t hash;  /* of all it heard, in order */
    uint64_t heard; /* frames and timers */
    uint64_t late;  /* words heard at another time than they were said: the shards disagreed */
    uint64_t asked; /* commands heard */
};

/* What nodes say to each other. */
struct word {
    uint64_t number; /* a random one */
    uint64_t left;   /* how often it may be answered yet */
};

/* mix takes a number into the hash. */
static void mix(struct node *n, uint64_t v) {
    n->hash = (n->hash ^ v) * 0x9e3779b97f4a7c15ULL + (v >> 29);
}

/* speak says a word of kind. */
static void speak(struct rt_ctx *ctx, uint16_t kind, uint64_t left) {
    struct word *w = rt_say(ctx, kind, 0, sizeof *w);
    *w = (struct word){ .number = rt_random64(ctx), .left = left };
}

/* node_start sets the first timer. */
static void node_start(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    (void)state;
    (void)f;
    rt_timer_set(ctx, 1, ctx->now_ns + (int64_t)(rt_random64(ctx) % 1000) * 1000000);
}

/* node_timer speaks now and then, and sets the next timer on a coarse grid: many share an instant,
 * and between two words a shard goes alone for a while. */
static void node_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct node *n = state;
    n->heard++;
    mix(n, (uint64_t)f->time_ns);
    if (rt_random64(ctx) % 2)
        speak(ctx, rt_random64(ctx) % 2 ? MSG_ORDER_INTENT : MSG_FILL, rt_random64(ctx) % 4);
    rt_timer_set(ctx, 1, ctx->now_ns + (int64_t)(1 + rt_random64(ctx) % 4) * 250000000);
}

/* node_word hears, and answers while the word may be answered. */
static void node_word(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct node *n = state;
    const struct word *w = msg_body(f);
    n->heard++;
    n->late += f->time_ns != ctx->now_ns;
    mix(n, w->number);
    mix(n, (uint64_t)f->source << 32 | f->kind);
    mix(n, (uint64_t)ctx->now_ns);
    if (w->left > 0 && rt_random64(ctx) % 3 == 0)
        speak(ctx, f->kind == MSG_FILL ? MSG_ORDER_INTENT : MSG_FILL, w->left - 1);
}

/* node_command answers a command with a word that may be answered. */
static void node_command(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct node *n = state;
    n->asked++;
    mix(n, (uint64_t)f->time_ns);
    speak(ctx, MSG_FILL, 3);
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

static const uint16_t node_says[] = { MSG_ORDER_INTENT, MSG_FILL, 0 };
static const struct rt_option no_options[] = { { 0 } };
static const struct rt_actor_kind node_kind = {
    .name = "node",
    .help = "A tiny actor.",
    .options = no_options,
    .says = node_says,
    .timer_class = RT_CLASS_TIMER,
    .state_bytes = sizeof(struct node),
    .on = { [MSG_START] = node_start,
            [MSG_TIMER] = node_timer,
            [MSG_COMMAND] = node_command,
            [MSG_ORDER_INTENT] = node_word,
            [MSG_FILL] = node_word },
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
    .world_load = no_world,
    .world_close = no_close,
};

/* write_graph writes the run file: nodes in turn on both shards, each hearing some others. */
static void write_graph(const char *path, uint64_t seed, bool paced) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "name: graph\nclock: %s\nseed: %u\nstart: 2024-01-01\nend: 2024-01-01T00:00:20Z\n"
            "snapshot_every: 0s\njournal: {segment: 1048576}\nshards:\n"
            "  s0: {arena: 4194304}\n  s1: {arena: 4194304}\nactors:\n",
            paced ? "{kind: paced, speed: 500}" : "virtual", (unsigned)seed & 0xffff);
    for (int a = 0; a < ACTORS; a++) {
        fprintf(f, "  n%02d: {kind: node, shard: s%d, hears: [", a, a % 2);
        int heard = 0;
        for (int b = 0; b < ACTORS; b++)
            if (b != a && gen_range(&seed, 0, 3) == 0)
                fprintf(f, "%sn%02d", heard++ ? ", " : "", b);
        fprintf(f, "]}\n");
    }
    fclose(f);
}

/* Where and when the killing clock strikes. */
static const char *victim;
static int64_t readings_left;
/* Key of the command that waits in the rings, 0 = none. */
static uint64_t command_key;

/* killing_ns reads the clock; on the victim's thread the last reading is the process's end. */
static int64_t killing_ns(void) {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    if (victim && strcmp(name, victim) == 0 && --readings_left <= 0) {
        usleep(20000); /* the peer goes as far as it gets */
        kill(getpid(), SIGKILL);
    }
    return rt_seam_real.now_ns();
}

/* What waits for a run from outside. */
enum outside { NOTHING, KILL_WORD, COMMAND, STOP };

/* What a child shows its parent. */
struct shown {
    uint64_t hash[ACTORS + 1]; /* of each actor's state */
    uint64_t late;             /* words heard at another time than said */
    uint64_t asked;            /* commands heard, by all actors together */
    char error[600];           /* why it failed, empty = it did not */
};

/* run_child opens the run and runs it to its end, in a child; what is from outside waits for each
 * shard before its first turn. */
static void run_child(const char *path, const char *dir, enum outside what, struct shown *shown) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    if (rt_topology_load(path, &registry, NULL, &t, &err) < 0 ||
        rt_run_open(t, dir, &run, &err) < 0) {
        snprintf(shown->error, sizeof shown->error, "open: %s", err.text);
        _exit(0);
    }
    if (what != NOTHING) atomic_store(&run.link.shared->wish, 1);
    if (what == KILL_WORD) atomic_store(&run.link.shared->kill, 1);
    if (what == STOP) atomic_store(&run.link.shared->stop, REASON_BY_OPERATOR);
    for (uint16_t i = 0; i < t->shard_cnt && what == COMMAND; i++) {
        struct {
            struct msg_frame f;      /* head */
            struct msg_command body; /* what is asked */
            uint64_t slack[8];       /* a ring reads whole lines */
        } m = { .f = { .kind = MSG_COMMAND, .size = sizeof m.f + sizeof m.body },
                .body = { .op = COMMAND_OP_PAUSE, .key = command_key } };
        struct rt_ring_tx tx;
        rt_ring_tx_init(&tx, run.link.commands[i], 0);
        if (rt_ring_push(&tx, &m.f)) rt_ring_publish(&tx);
    }
    if (rt_run_process(&run, 0, &err) < 0) {
        snprintf(shown->error, sizeof shown->error, "run: %s", err.text);
        _exit(0);
    }
    for (uint16_t i = 0; i < t->shard_cnt; i++) {
        uint64_t hash[RT_LOCAL_MAX];
        rt_shard_state_hash(run.shards[i], hash);
        for (uint16_t k = 0; k < run.shards[i]->local_cnt; k++) {
            const struct node *n = run.shards[i]->locals[k].state;
            shown->hash[run.shards[i]->locals[k].id] = hash[k];
            shown->late += n->late;
            shown->asked += n->asked;
        }
    }
    rt_run_close(&run, false);
    rt_topology_close(t);
    _exit(0);
}

/* in_child runs it in a child of its own, 10 s at most. Returns how that ended. */
static int in_child(const char *path, const char *dir, enum outside what, struct shown *shown) {
    int status;
    memset(shown, 0, sizeof *shown);
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(10);
        run_child(path, dir, what, shown);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* replay replays both shards of the run in dir and removes its stage. */
static void replay(uint64_t seed, const char *path, const char *dir) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    uint64_t records;
    CHECK(seed, rt_topology_load(path, &registry, NULL, &t, &err) == 0);
    CHECK(seed, rt_run_peek(t, dir, &run, &err) == 0);
    for (uint16_t i = 0; i < t->shard_cnt; i++)
        if (rt_run_replay(&run, i, &records, &err) < 0)
            fail_msg("seed %llu: replay: %s", (unsigned long long)seed, err.text);
    rt_run_close(&run, true);
    rt_topology_close(t);
}

/* rounds runs the rounds on one clock. */
static void rounds(bool paced) {
    const char *given = getenv("SHRIKE_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    char base[] = "/tmp/shrike-killed-XXXXXX", path[300], dir[300], command[320];
    struct shown *shown =
        mmap(NULL, sizeof *shown, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rt_seam seam = rt_seam_real;
    int killed = 0;
    assert_ptr_not_equal(shown, MAP_FAILED);
    assert_non_null(mkdtemp(base));
    printf("seed %llu\n", (unsigned long long)first);
    seam.now_ns = killing_ns;
    rt_seam = &seam;
    for (uint64_t seed = first; seed < first + ROUNDS; seed++) {
        uint64_t gen = seed ^ 0x5eed;
        uint64_t expected[ACTORS + 1];
        snprintf(path, sizeof path, "%s/graph.yaml", base);
        write_graph(path, seed, paced);
        victim = NULL;
        snprintf(dir, sizeof dir, "%s/%llu-whole", base, (unsigned long long)seed);
        CHECK(seed, in_child(path, dir, NOTHING, shown) == 0);
        if (shown->error[0]) fail_msg("seed %llu: %s", (unsigned long long)seed, shown->error);
        memcpy(expected, shown->hash, sizeof expected);
        replay(seed, path, dir);
        snprintf(dir, sizeof dir, "%s/%llu", base, (unsigned long long)seed);
        victim = gen_range(&gen, 0, 1) ? "s1" : "s0";
        readings_left = gen_range(&gen, 3, paced ? 200 : 100);
        int status = in_child(path, dir, NOTHING, shown);
        killed += WIFSIGNALED(status);
        victim = NULL;
        enum outside what = (enum outside)gen_range(&gen, KILL_WORD, STOP);
        status = in_child(path, dir, what, shown);
        if (status != 0)
            fail_msg("seed %llu: the restarted run %s", (unsigned long long)seed,
                     WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hangs" : "died");
        if (shown->error[0]) fail_msg("seed %llu: %s", (unsigned long long)seed, shown->error);
        CHECK(seed, shown->late == 0);
        for (int i = 0; i <= ACTORS && what == KILL_WORD; i++)
            CHECK(seed, shown->hash[i] == expected[i]);
        replay(seed, path, dir);
    }
    rt_seam = &rt_seam_real;
    munmap(shown, sizeof *shown);
    printf("%d of %d runs were killed\n", killed, ROUNDS);
    assert_in_range(killed, ROUNDS / 2, ROUNDS);
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

/* test_command_once: a command that is journaled and still in its ring is heard once; one more,
 * under another key, is heard as well. */
static void test_command_once(void **state) {
    char base[] = "/tmp/shrike-killed-XXXXXX", path[300], dir[300], command[320];
    struct shown *shown =
        mmap(NULL, sizeof *shown, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rt_seam seam = rt_seam_real;
    (void)state;
    assert_ptr_not_equal(shown, MAP_FAILED);
    assert_non_null(mkdtemp(base));
    seam.now_ns = killing_ns;
    rt_seam = &seam;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        bool paced = seed % 2;
        uint64_t other = seed > 2 ? 1 : 0;
        snprintf(path, sizeof path, "%s/graph.yaml", base);
        write_graph(path, seed, paced);
        snprintf(dir, sizeof dir, "%s/%llu", base, (unsigned long long)seed);
        victim = "s0";
        readings_left = paced ? 150 : 80;
        command_key = 77;
        CHECK(seed, WIFSIGNALED(in_child(path, dir, COMMAND, shown)));
        victim = NULL;
        command_key = 77 + other;
        CHECK(seed, in_child(path, dir, COMMAND, shown) == 0);
        if (shown->error[0]) fail_msg("seed %llu: %s", (unsigned long long)seed, shown->error);
        CHECK(seed, shown->asked == ACTORS * (1 + other));
        replay(seed, path, dir);
    }
    command_key = 0;
    rt_seam = &rt_seam_real;
    munmap(shown, sizeof *shown);
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

/* test_virtual: on the virtual clock. */
static void test_virtual(void **state) {
    (void)state;
    rounds(false);
}

/* test_paced: on the paced clock. */
static void test_paced(void **state) {
    (void)state;
    rounds(true);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_virtual),
                                        cmocka_unit_test(test_paced),
                                        cmocka_unit_test(test_command_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
