/* Goal: an actor that sleeps through rows it has nothing to say on ends as one that is told every
 * row, says the same, and is told what is past before it hears a frame; one that calls rows quiet
 * on which it then speaks ends the run by a clear fault.
 * Method: random graphs (seed printed) of sleepers, of actors that hear every row, and of wakers
 * that by timers look at the newest rows and speak to all, over series with rows of three lengths,
 * in blocks that end soon, with rows missing inside and between them, and of actors that hear rows
 * early; without a journal (naps) and with one (none): hash per actor by its rows. */
#include "runtime/boot/engine.h"
#include "tests/support/check.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Sizes. */
enum { SERIES = 3, ROWS = 700, BLOCK = 90, GRAPHS = 16, ACTORS_MAX = 9, SPEAKS = 23 };

/* A row. */
struct row {
    int64_t begin_ns; /* when it begins */
    uint64_t number;  /* a random one */
};

/* An actor: what it has heard, and how. */
struct ear {
    uint64_t hash;        /* of all it heard that may depend on order */
    uint64_t sum[SERIES]; /* of the rows of each series */
    uint64_t last_ns;     /* when it heard its last row */
    uint64_t rows, words; /* heard */
};

/* What actors say: of which series, SERIES = of all. */
struct word {
    uint64_t series; /* 0 .. SERIES */
    uint64_t number; /* a random one */
};

/* Calls of quiet_rows that let a nap begin. */
static uint64_t naps;

/* mix takes a number into the hash. */
static void mix(struct ear *e, uint64_t v) {
    e->hash = (e->hash ^ v) * 0x9e3779b97f4a7c15ULL + (v >> 29);
}

/* speak says a word. */
static void speak(struct rt_ctx *ctx, uint64_t series, uint64_t number) {
    struct word *w = rt_say(ctx, MSG_FILL, 0, sizeof *w);
    *w = (struct word){ .series = series, .number = number };
}

/* ear_start raises the interest in all series. */
static void ear_start(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    (void)state;
    (void)f;
    for (uint16_t i = 0; i < SERIES; i++) rt_interest(ctx, i, RT_HEAR_ROW, true);
}

/* ear_rows takes rows up to one that makes it speak. */
static uint32_t ear_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                         const void *rows, uint32_t cnt) {
    struct ear *e = state;
    const struct row *r = rows;
    const uint8_t *before = ctx->out;
    (void)how;
    for (uint32_t i = 0;;) {
        e->sum[series] += r->number * (e->sum[series] | 1);
        e->rows++;
        e->last_ns = (uint64_t)ctx->now_ns;
        if (r->number % SPEAKS == 0) {
            mix(e, r->number);
            mix(e, (uint64_t)ctx->now_ns);
            mix(e, ctx->trace_id);
            speak(ctx, series, e->sum[series]);
        }
        if (++i == cnt || !rt_quiet(ctx, before)) return i;
        const int64_t end_ns = r[1].begin_ns + (ctx->now_ns - r->begin_ns);
        r++;
        rt_row_now(ctx, end_ns);
    }
}

/* early_start raises the interest in the ends of all rows, before all others hear them. */
static void early_start(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    (void)state;
    (void)f;
    for (uint16_t i = 0; i < SERIES; i++) rt_interest(ctx, i, RT_HEAR_EARLY, true);
}

/* early_rows takes rows in silence: it alone is ahead of who sleeps, into the next block. */
static uint32_t early_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                           const void *rows, uint32_t cnt) {
    struct ear *e = state;
    (void)rows;
    assert_int_equal(how, RT_HEAR_EARLY);
    mix(e, series);
    mix(e, (uint64_t)ctx->now_ns);
    return cnt > 0;
}

/* ear_word hears a word: what it knows of that series goes into the hash. */
static void ear_word(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct ear *e = state;
    const struct word *w = msg_body(f);
    e->words++;
    mix(e, w->number);
    mix(e, (uint64_t)ctx->now_ns);
    for (uint64_t i = 0; i < SERIES; i++)
        if (w->series == i || w->series == SERIES) mix(e, e->sum[i]);
}

/* ear_quiet counts the rows before the one on which it speaks. */
static uint32_t ear_quiet(const void *state, uint16_t series, const void *rows, uint32_t cnt) {
    const struct row *r = rows;
    uint32_t i = 0;
    (void)state;
    (void)series;
    while (i < cnt && r[i].number % SPEAKS != 0) i++;
    naps += i > 8;
    return i;
}

/* liar_quiet says that it speaks on none. */
static uint32_t liar_quiet(const void *state, uint16_t series, const void *rows, uint32_t cnt) {
    (void)state;
    (void)series;
    (void)rows;
    return cnt;
}

/* ear_series_of tells the series of a word. */
static int32_t ear_series_of(const void *state, const struct msg_frame *f) {
    (void)state;
    if (f->kind != MSG_FILL) return RT_SERIES_ANY;
    const struct word *w = msg_body(f);
    return w->series < SERIES ? (int32_t)w->series : RT_SERIES_ANY;
}

/* waker_timer looks at the newest rows and speaks. */
static void waker_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *f) {
    struct ear *e = state;
    if (f->kind == MSG_TIMER) {
        for (uint16_t i = 0; i < SERIES; i++) {
            const struct row *r = rt_latest(ctx, i);
            mix(e, r ? r->number : 1);
        }
        if (rt_random64(ctx) % 2 == 0) speak(ctx, rt_random64(ctx) % (SERIES + 1), e->hash);
    }
    /* often on the very instant of rows */
    rt_timer_set(ctx, 1, ctx->now_ns + (int64_t)(1 + rt_random64(ctx) % 30) * 500000000);
}

/* ear_save writes the state as one row. */
static void ear_save(const void *state, struct rt_row_sink *sink) {
    sink->put(sink, MSG_COUNTER_ROW, 0, state, sizeof(struct ear));
}

/* ear_load takes it back. */
static int ear_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                    struct rt_error *err) {
    if (kind != MSG_COUNTER_ROW || key != 0 || bytes != sizeof(struct ear))
        return rt_error_set(err, -EINVAL, "no row of an ear");
    memcpy(state, row, bytes);
    return 0;
}

static const uint16_t says[] = { MSG_FILL, 0 };
static const struct rt_option no_options[] = { { 0 } };
#define EAR                                                                                        \
    .help = "Hears rows.", .options = no_options, .says = says, .timer_class = RT_CLASS_TIMER,     \
    .state_bytes = sizeof(struct ear), .save = ear_save, .load = ear_load
static const struct rt_actor_kind sleeper_kind = {
    .name = "sleeper",
    EAR,
    .on = { [MSG_START] = ear_start, [MSG_STOP] = ear_word, [MSG_FILL] = ear_word },
    .on_rows = ear_rows,
    .quiet_rows = ear_quiet,
    .series_of = ear_series_of
};
static const struct rt_actor_kind liar_kind = { .name = "liar",
                                                EAR,
                                                .on = { [MSG_START] = ear_start },
                                                .on_rows = ear_rows,
                                                .quiet_rows = liar_quiet };
static const struct rt_actor_kind plain_kind = {
    .name = "plain",
    EAR,
    .on = { [MSG_START] = ear_start, [MSG_FILL] = ear_word },
    .on_rows = ear_rows
};
static const struct rt_actor_kind early_kind = {
    .name = "early",
    EAR,
    .on = { [MSG_START] = early_start, [MSG_FILL] = ear_word },
    .on_rows = early_rows
};
static const struct rt_actor_kind waker_kind = {
    .name = "waker",
    EAR,
    .on = { [MSG_START] = waker_timer, [MSG_TIMER] = waker_timer, [MSG_FILL] = ear_word }
};
static const struct rt_actor_kind *const kinds[] = { &sleeper_kind, &liar_kind,  &plain_kind,
                                                     &waker_kind,   &early_kind, NULL };

/* Rows of the series, the second and third with rows twice and five times as long; the second lacks
 * some between its blocks, the third one inside a block. */
static struct row table[SERIES][ROWS];

/* Length of a row of a series. */
static const int64_t spans[SERIES] = { 1000000000, 2000000000, 5000000000 };

/* some_block gives the rows from first to the end of its block. */
static int some_block(struct rt_series *s, uint64_t first, struct rt_block *out) {
    const struct row *rows = s->impl;
    if (first >= s->rows_total) return 0;
    uint64_t cnt = BLOCK - first % BLOCK;
    if (cnt > s->rows_total - first) cnt = s->rows_total - first;
    *out = (struct rt_block){ .rows = (const uint8_t *)(rows + first), .first = first, .cnt = cnt };
    return 0;
}

/* some_open offers the series. */
static int some_open(struct rt_source_init *init, struct rt_error *err) {
    (void)err;
    for (int i = 0; i < SERIES; i++) {
        init->series[i] = (struct rt_series){ .row_kind = MSG_BAR,
                                              .row_bytes = sizeof(struct row),
                                              .key = (uint32_t)i + 1,
                                              .span_ns = spans[i],
                                              .rows_total = ROWS,
                                              .block = some_block,
                                              .impl = table[i] };
        snprintf(init->series[i].name, sizeof init->series[i].name, "rows%d", i);
    }
    init->series_cnt = SERIES;
    return 0;
}

static const struct rt_source_kind some_source = {
    .name = "some", .help = "Rows.", .options = no_options, .open = some_open
};
static const struct rt_source_kind *const sources[] = { &some_source, NULL };
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
    .sources = sources,
    .full = no_rules,
    .gates = no_gates,
    .world_load = no_world,
    .world_close = no_close,
};

/* make_rows fills the series. */
static void make_rows(uint64_t seed) {
    uint64_t gen = seed;
    for (int i = 0; i < SERIES; i++)
        for (int n = 0; n < ROWS; n++)
            table[i][n] = (struct row){
                .begin_ns = 1704067200000000000LL +
                            (n + (i == 1 ? n / BLOCK * 2 : i == 2 && n > 300)) * spans[i],
                .number = (uint64_t)gen_range(&gen, 0, 1 << 30),
            };
}

/* write_run writes the run file of the graph of seed. */
static void write_run(const char *path, uint64_t seed, const char *journal, const char *liar) {
    uint64_t gen = seed ^ 0x5eed;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "name: naps\nclock: virtual\nseed: %u\njournal: %s\nsnapshot_every: 0s\n",
            (unsigned)seed & 0xffff, journal);
    if (gen_range(&gen, 0, 1)) fprintf(f, "end: 2024-01-01T00:07:0%dZ\n", (int)(seed % 10));
    fprintf(f, "sources: [{kind: some}]\nshards: {s: {arena: 8388608}}\nactors:\n%s", liar);
    const int cnt = (int)gen_range(&gen, 2, ACTORS_MAX);
    for (int a = 0; a < cnt; a++) {
        static const char *const some[] = { "sleeper", "sleeper", "sleeper",
                                            "plain",   "waker",   "early" };
        fprintf(f, "  n%02d: {kind: %s, hears: [", a, some[gen_range(&gen, 0, 5)]);
        for (int b = 0, heard = 0; b < cnt; b++)
            if (b != a && gen_range(&gen, 0, 2) == 0) fprintf(f, "%sn%02d", heard++ ? ", " : "", b);
        fprintf(f, "]}\n");
    }
    fclose(f);
}

/* run_file runs it in dir and fills hash by actor id; returns 0 or the code of its end, err. */
static int run_file(const char *path, const char *dir, uint64_t *hash, struct rt_error *err) {
    struct rt_topology *t;
    struct rt_run run;
    int code = rt_topology_load(path, &registry, NULL, &t, err);
    if (code < 0) return code;
    if ((code = rt_run_open(t, dir, &run, err)) < 0) return code;
    code = rt_run_process(&run, 0, err);
    uint64_t found[RT_LOCAL_MAX];
    rt_shard_state_hash(run.shards[0], found);
    for (uint16_t k = 0; k < run.shards[0]->local_cnt; k++)
        hash[run.shards[0]->locals[k].id] = found[k];
    hash[0] = run.shards[0]->rows;
    rt_run_close(&run, true);
    rt_topology_close(t);
    return code;
}

/* test_same: with naps and without. */
static void test_same(void **state) {
    (void)state;
    const char *given = getenv("SHRIKE_SEED");
    uint64_t first = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    char base[] = "/tmp/shrike-naps-XXXXXX", path[300], dir[300], command[320];
    assert_non_null(mkdtemp(base));
    printf("seed %llu\n", (unsigned long long)first);
    snprintf(path, sizeof path, "%s/run.yaml", base);
    for (uint64_t seed = first; seed < first + GRAPHS; seed++) {
        uint64_t hash[2][ACTORS_MAX + 2] = { 0 };
        make_rows(seed);
        for (int naps_on = 0; naps_on < 2; naps_on++) {
            struct rt_error err = { 0 };
            write_run(path, seed, naps_on ? "off" : "stage", "");
            snprintf(dir, sizeof dir, "%s/%llu-%d", base, (unsigned long long)seed, naps_on);
            if (run_file(path, dir, hash[naps_on], &err) < 0)
                fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        }
        for (int i = 0; i < ACTORS_MAX + 2; i++) CHECK(seed, hash[0][i] == hash[1][i]);
    }
    CHECK(first, naps > 100);
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

/* test_liar: who speaks on rows it called quiet ends the run. */
static void test_liar(void **state) {
    (void)state;
    char base[] = "/tmp/shrike-naps-XXXXXX", path[300], dir[300], command[320];
    uint64_t hash[ACTORS_MAX + 3];
    struct rt_error err = { 0 };
    assert_non_null(mkdtemp(base));
    snprintf(path, sizeof path, "%s/run.yaml", base);
    snprintf(dir, sizeof dir, "%s/out", base);
    make_rows(1);
    write_run(path, 1, "off", "  liar: {kind: liar}\n");
    assert_int_equal(run_file(path, dir, hash, &err), -EPROTO);
    assert_non_null(strstr(err.text, "actor liar: spoke on a row of rows"));
    snprintf(command, sizeof command, "rm -rf %s", base);
    assert_int_equal(system(command), 0);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same), cmocka_unit_test(test_liar) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
