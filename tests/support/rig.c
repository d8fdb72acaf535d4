#include "tests/support/rig.h"
#include "schemas/messages.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Thread_local uint64_t rt_overfull_bin[MSG_FRAME_MAX / 8 + 1];

enum {
    RIG_CALL_MAX = 1 << 20, /* bytes one call may say */
};

/* rig_of gives the bench behind a shard pointer: they are the same thing here. */
static struct rig *rig_of(struct rt_shard *shard) {
    return (struct rig *)(void *)shard;
}

/* rig_alloc gives zeroed memory or ends the test. */
static void *rig_alloc(size_t bytes) {
    void *p = calloc(1, bytes == 0 ? 1 : bytes);
    assert(p != NULL);
    return p;
}

bool rt_room(struct rt_ctx *ctx, uint16_t kind, uint32_t cnt) {
    (void)kind;
    (void)cnt;
    return !rig_of(ctx->shard)->no_room;
}

void rt_timer_set(struct rt_ctx *ctx, uint64_t key, int64_t at_ns) {
    struct rig *r = rig_of(ctx->shard);
    ctx->moved = true;
    for (uint32_t i = 0; i < r->timer_cnt; i++) {
        if (r->timers[i].key == key) {
            r->timers[i].at_ns = at_ns;
            return;
        }
    }
    assert(r->timer_cnt < RIG_TIMERS_MAX);
    r->timers[r->timer_cnt++] = (struct rig_timer){ .key = key, .at_ns = at_ns };
}

void rt_timer_cancel(struct rt_ctx *ctx, uint64_t key) {
    struct rig *r = rig_of(ctx->shard);
    for (uint32_t i = 0; i < r->timer_cnt; i++) {
        if (r->timers[i].key == key) {
            r->timers[i] = r->timers[--r->timer_cnt];
            ctx->moved = true;
            return;
        }
    }
}

void rt_interest(struct rt_ctx *ctx, uint16_t series, enum rt_hear how, bool up) {
    struct rig *r = rig_of(ctx->shard);
    assert(series < r->series_cnt);
    if (r->series[series].up[how] != up) ctx->moved = true;
    r->series[series].up[how] = up;
}

const void *rt_latest(struct rt_ctx *ctx, uint16_t series) {
    struct rig *r = rig_of(ctx->shard);
    assert(series < r->series_cnt);
    return r->series[series].latest;
}

bool rt_opened(struct rt_ctx *ctx, uint16_t series, void *out) {
    struct rig *r = rig_of(ctx->shard);
    assert(series < r->series_cnt);
    assert(r->kind->hears_open);
    if (!r->series[series].has_opened) return false;
    memcpy(out, r->series[series].opened, r->series[series].open_bytes);
    return true;
}

uint64_t rt_random64(struct rt_ctx *ctx) {
    struct rig *r = rig_of(ctx->shard);
    uint64_t z = r->seed + ++r->draws * 0x9e3779b97f4a7c15ULL; /* splitmix64 stands for Philox */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

void *rt_init_take(struct rt_init *init, size_t bytes) {
    struct rig *r = rig_of(init->shard);
    void *p = aligned_alloc(64, (bytes + 64) & ~(size_t)63);
    void **more = realloc(r->taken, (r->taken_cnt + 1) * sizeof(void *));
    assert(p != NULL && more != NULL);
    memset(p, 0, bytes);
    r->taken = more;
    r->taken[r->taken_cnt++] = p;
    return p;
}

int rt_init_series(struct rt_init *init, uint16_t row_kind, uint32_t key, int64_t interval_ns) {
    struct rig *r = rig_of(init->shard);
    int best = -ENOENT;
    for (uint32_t i = 0; i < r->series_cnt; i++) {
        const struct rig_series *s = &r->series[i];
        if (s->row_kind != row_kind || s->key != key) continue;
        if (interval_ns != 0 && s->span_ns != interval_ns) continue;
        if (best < 0 || s->span_ns < r->series[best].span_ns) best = (int)i;
    }
    return best;
}

/* There is no routing here: a test that hands an actor what it is deaf to wants to. */
void rt_init_deaf(struct rt_init *init, uint16_t kind) {
    assert(init != NULL && kind < MSG_KIND_MAX);
}

bool rt_init_endless(const struct rt_init *init) {
    return rig_of(init->shard)->endless;
}

int64_t rt_init_warm(const struct rt_init *init) {
    return rig_of(init->shard)->warm_ns;
}

int64_t rt_init_begins(const struct rt_init *init, int series) {
    (void)init;
    (void)series;
    return INT64_MIN; /* nothing is refused for it here */
}

int rt_init_actor(struct rt_init *init, const char *name) {
    struct rig *r = rig_of(init->shard);
    for (uint32_t i = 0; i < r->actor_cnt; i++) {
        if (strcmp(r->actors[i].name, name) == 0) return r->actors[i].id;
    }
    return -ENOENT;
}

int rt_init_actor_kind(struct rt_init *init, const char *kind, int n, struct rt_node **config) {
    struct rig *r = rig_of(init->shard);
    int last = -1; /* ids rise from one answer to the next, whatever order they were named in */
    for (int turn = 0; turn <= n; turn++) {
        int next = INT32_MAX;
        for (uint32_t i = 0; i < r->actor_cnt; i++) {
            const struct rig_actor *a = &r->actors[i];
            if (strcmp(a->kind, kind) != 0 || a->id <= last || a->id >= next) continue;
            next = a->id;
            if (config != NULL) *config = rt_config_root(a->tree);
        }
        if (next == INT32_MAX) return -ENOENT;
        last = next;
    }
    return last;
}

uint16_t rig_series(struct rig *r, uint16_t row_kind, uint32_t key, int64_t span_ns) {
    assert(r->series_cnt < RIG_SERIES_MAX);
    bool bars = row_kind == MSG_BAR || row_kind == MSG_MARK_BAR;
    uint32_t bytes = bars                         ? sizeof(struct msg_bar)
                     : row_kind == MSG_TRADE      ? sizeof(struct msg_trade)
                     : row_kind == MSG_BOOK_DELTA ? sizeof(struct msg_book_delta)
                     : row_kind == MSG_BOOK_ORDER ? sizeof(struct msg_book_order)
                     : row_kind == MSG_QUOTE      ? sizeof(struct msg_quote)
                     : row_kind == MSG_MARK_PRICE ? sizeof(struct msg_mark_price)
                                                  : 0;
    assert(bytes != 0);
    r->series[r->series_cnt] = (struct rig_series){
        .row_kind = row_kind,
        .key = key,
        .span_ns = span_ns,
        .row_bytes = bytes,
        .open_bytes = bars ? sizeof(struct msg_bar_open) : 0,
    };
    return (uint16_t)r->series_cnt++;
}

void rig_actor(struct rig *r, const char *name, const char *kind, uint16_t id, const char *yaml) {
    assert(r->actor_cnt < RIG_ACTORS_MAX);
    struct rig_actor *a = &r->actors[r->actor_cnt++];
    strncpy(a->name, name, sizeof a->name - 1);
    strncpy(a->kind, kind, sizeof a->kind - 1);
    a->id = id;
    struct rt_error err = { 0 };
    int rc = rt_config_parse(name, yaml, strlen(yaml), &a->tree, &err);
    assert(rc == 0);
}

/* rig_make parses the configuration and makes the state. */
static int rig_make(struct rig *r, struct rt_error *err) {
    int rc = rt_config_parse("rig", r->yaml, strlen(r->yaml), &r->tree, err);
    if (rc != 0) return rc;
    struct rt_node *root = rt_config_root(r->tree);
    (void)rt_node_get(root, "kind");
    (void)rt_node_get(root, "name");
    (void)rt_node_get(root, "shard");
    struct rt_init init = { .config = root,
                            .world = r->world,
                            .shard = (struct rt_shard *)(void *)r,
                            .name = r->kind->name,
                            .seed = r->seed,
                            .self = r->self };
    r->state = aligned_alloc(64, (r->kind->state_bytes + 64) & ~(size_t)63);
    assert(r->state != NULL);
    memset(r->state, 0, r->kind->state_bytes);
    rc = r->kind->init(&init, r->state, err);
    if (rc != 0) return rc;
    return rt_node_no_more(root, NULL, err);
}

int rig_open(struct rig *r, const struct rt_actor_kind *kind, const char *yaml, const void *world,
             struct rt_error *err) {
    r->kind = kind;
    r->yaml = strdup(yaml);
    assert(r->yaml != NULL);
    r->world = world;
    if (r->self == 0) r->self = 1;
    r->said = rig_alloc(RIG_SAID_MAX);
    r->ctx = (struct rt_ctx){ .shard = (struct rt_shard *)(void *)r,
                              .said_seq = &r->said_seq,
                              .trace_id = 1,
                              .self = r->self };
    return rig_make(r, err);
}

/* rig_begin readies ctx for a call. */
static void rig_begin(struct rig *r) {
    assert(r->said_bytes + RIG_CALL_MAX <= RIG_SAID_MAX);
    r->ctx.out = r->said + r->said_bytes;
    r->ctx.out_end = r->ctx.out + RIG_CALL_MAX;
    r->ctx.moved = false;
    r->ctx.overfull = false;
}

/* rig_end files what the call said; all of it must be of kinds that the actor declares. */
static void rig_end(struct rig *r) {
    assert(!r->ctx.overfull);
    size_t end = (size_t)(r->ctx.out - r->said);
    while (r->said_bytes < end) {
        const struct msg_frame *f = (const struct msg_frame *)(void *)(r->said + r->said_bytes);
        bool declared = false;
        for (const uint16_t *k = r->kind->says; k != NULL && *k != 0; k++) {
            declared = declared || *k == f->kind;
        }
        assert(declared); /* the kind must stand in .says */
        if (r->said_cnt == r->said_cap) {
            r->said_cap = r->said_cap == 0 ? 256 : r->said_cap * 2;
            r->said_at = realloc(r->said_at, r->said_cap * sizeof(size_t));
            assert(r->said_at != NULL);
        }
        r->said_at[r->said_cnt++] = r->said_bytes;
        r->said_bytes += f->size;
    }
    assert(r->said_bytes == end);
}

bool rig_hear(struct rig *r, uint16_t kind, uint16_t source, const void *body, uint32_t bytes) {
    assert(kind < MSG_KIND_MAX);
    if (r->kind->on[kind] == NULL) return false;
    uint32_t size = (uint32_t)sizeof(struct msg_frame) + ((bytes + 7U) & ~7U);
    struct msg_frame *f = rig_alloc(size);
    *f = (struct msg_frame){ .kind = kind,
                             .size = (uint16_t)size,
                             .source = source,
                             .dest = r->self,
                             .time_ns = r->ctx.now_ns,
                             .trace_id = ++r->ctx.trace_id };
    if (bytes > 0) memcpy(f + 1, body, bytes);
    rig_begin(r);
    r->kind->on[kind](&r->ctx, r->state, f);
    rig_end(r);
    free(f);
    return true;
}

void rig_start(struct rig *r, int64_t now_ns) {
    struct msg_start start = { .seed = r->seed, .start_ns = now_ns };
    r->ctx.now_ns = now_ns;
    (void)rig_hear(r, MSG_START, 0, &start, sizeof start);
}

/* rig_next_timer returns the index of the timer that comes next, or -1. */
static int rig_next_timer(const struct rig *r) {
    int best = -1;
    for (uint32_t i = 0; i < r->timer_cnt; i++) {
        const struct rig_timer *t = &r->timers[i], *b = best < 0 ? NULL : &r->timers[best];
        if (b == NULL || t->at_ns < b->at_ns || (t->at_ns == b->at_ns && t->key < b->key)) {
            best = (int)i;
        }
    }
    return best;
}

uint32_t rig_until(struct rig *r, int64_t now_ns) {
    assert(now_ns >= r->ctx.now_ns);
    uint32_t cnt = 0;
    for (int i; (i = rig_next_timer(r)) >= 0 && r->timers[i].at_ns <= now_ns; cnt++) {
        struct msg_timer due = { .key = r->timers[i].key, .due_ns = r->timers[i].at_ns };
        r->timers[i] = r->timers[--r->timer_cnt];
        if (due.due_ns > r->ctx.now_ns) r->ctx.now_ns = due.due_ns;
        (void)rig_hear(r, MSG_TIMER, 0, &due, sizeof due);
    }
    r->ctx.now_ns = now_ns;
    return cnt;
}

/* rig_row_at returns the time of a row's telling. */
static int64_t rig_row_at(const struct rig_series *s, const uint8_t *row) {
    int64_t begin_ns;
    memcpy(&begin_ns, row, sizeof begin_ns);
    return begin_ns + s->span_ns;
}

uint32_t rig_rows(struct rig *r, uint16_t series, enum rt_hear how, const void *rows,
                  uint32_t cnt) {
    assert(series < r->series_cnt && how != RT_HEAR_OPEN);
    struct rig_series *s = &r->series[series];
    const uint8_t *row = rows;
    bool timers_first = r->kind->timer_class == RT_CLASS_VENUE && how == RT_HEAR_ROW;
    uint32_t heard = 0;
    for (uint32_t i = 0; i < cnt;) {
        int64_t at_ns = rig_row_at(s, row + (size_t)i * s->row_bytes);
        int64_t until_ns = timers_first ? at_ns : at_ns - 1;
        if (until_ns >= r->ctx.now_ns) (void)rig_until(r, until_ns); /* rows may share an instant */
        int timer = rig_next_timer(r);
        int64_t stop_ns = timer < 0 ? INT64_MAX : r->timers[timer].at_ns;
        uint32_t run = 1;
        while (i + run < cnt && rig_row_at(s, row + (size_t)(i + run) * s->row_bytes) < stop_ns) {
            run++;
        }
        uint32_t took = run;
        r->ctx.now_ns = at_ns;
        if (how == RT_HEAR_ROW) s->latest = row + (size_t)i * s->row_bytes;
        if (s->up[how] && r->kind->on_rows != NULL) {
            rig_begin(r);
            const uint8_t *before = r->ctx.out;
            r->ctx.trace_id++;
            took = r->kind->on_rows(&r->ctx, r->state, series, how, row + (size_t)i * s->row_bytes,
                                    run);
            assert(took >= 1 && took <= run);
            assert(r->ctx.now_ns == rig_row_at(s, row + (size_t)(i + took - 1) * s->row_bytes));
            for (const uint8_t *f = before; f < r->ctx.out;) {
                const struct msg_frame *said = (const struct msg_frame *)(const void *)f;
                assert(said->time_ns == r->ctx.now_ns); /* it stopped where it spoke */
                f += said->size;
            }
            rig_end(r);
            heard += took;
        }
        i += took;
        if (how == RT_HEAR_ROW) s->latest = row + (size_t)(i - 1) * s->row_bytes;
        r->ctx.now_ns = rig_row_at(s, row + (size_t)(i - 1) * s->row_bytes);
    }
    return heard;
}

uint32_t rig_opens(struct rig *r, uint16_t series, const void *body) {
    assert(series < r->series_cnt);
    struct rig_series *s = &r->series[series];
    int64_t at_ns;
    memcpy(&at_ns, body, sizeof at_ns);
    (void)rig_until(r, at_ns); /* class open comes after the timers of its instant */
    memcpy(s->opened, body, s->open_bytes);
    s->has_opened = true;
    if (!s->up[RT_HEAR_OPEN] || r->kind->on_rows == NULL) return 0;
    rig_begin(r);
    r->ctx.trace_id++;
    uint32_t took = r->kind->on_rows(&r->ctx, r->state, series, RT_HEAR_OPEN, body, 1);
    assert(took == 1);
    rig_end(r);
    return 1;
}

void rig_latest(struct rig *r, uint16_t series, const void *row) {
    assert(series < r->series_cnt);
    r->series[series].latest = row;
}

const struct msg_frame *rig_said(const struct rig *r, size_t idx) {
    if (idx >= r->said_cnt) return NULL;
    return (const struct msg_frame *)(const void *)(r->said + r->said_at[idx]);
}

const struct msg_frame *rig_find(const struct rig *r, uint16_t kind, size_t n) {
    for (size_t i = 0; i < r->said_cnt; i++) {
        if (rig_said(r, i)->kind == kind && n-- == 0) return rig_said(r, i);
    }
    return NULL;
}

size_t rig_count(const struct rig *r, uint16_t kind) {
    size_t cnt = 0;
    for (size_t i = 0; i < r->said_cnt; i++) cnt += rig_said(r, i)->kind == kind;
    return cnt;
}

void rig_forget(struct rig *r) {
    r->said_bytes = 0;
    r->said_cnt = 0;
}

/* A sink that keeps rows on the heap. */
struct rig_sink {
    struct rt_row_sink sink; /* what save sees */
    struct rig_row *rows;    /* rows so far */
    size_t cnt;              /* how many */
};

/* rig_sink_put keeps one row. */
static void rig_sink_put(struct rt_row_sink *sink, uint16_t kind, uint64_t key, const void *row,
                         uint32_t bytes) {
    struct rig_sink *s = (struct rig_sink *)(void *)sink;
    s->rows = realloc(s->rows, (s->cnt + 1) * sizeof *s->rows);
    assert(s->rows != NULL);
    struct rig_row *to = &s->rows[s->cnt++];
    *to = (struct rig_row){ .kind = kind, .key = key, .bytes = bytes, .row = rig_alloc(bytes) };
    memcpy(to->row, row, bytes);
}

size_t rig_save(const struct rig *r, struct rig_row **rows) {
    struct rig_sink sink = { .sink = { .put = rig_sink_put } };
    if (r->kind->save != NULL) r->kind->save(r->state, &sink.sink);
    *rows = sink.rows;
    return sink.cnt;
}

void rig_rows_free(struct rig_row *rows, size_t cnt) {
    for (size_t i = 0; i < cnt; i++) free(rows[i].row);
    free(rows);
}

/* rig_unmake frees the state and what its init took. */
static void rig_unmake(struct rig *r) {
    for (size_t i = 0; i < r->taken_cnt; i++) free(r->taken[i]);
    free(r->taken);
    free(r->state);
    rt_config_close(r->tree);
    r->taken = NULL;
    r->taken_cnt = 0;
    r->state = NULL;
    r->tree = NULL;
}

void rig_reload(struct rig *r) {
    struct rig_row *rows, *again;
    size_t cnt = rig_save(r, &rows);
    struct rt_error err = { 0 };
    rig_unmake(r);
    int rc = rig_make(r, &err);
    assert(rc == 0);
    for (size_t i = 0; i < cnt; i++) {
        rc = r->kind->load(r->state, rows[i].kind, rows[i].key, rows[i].row, rows[i].bytes, &err);
        assert(rc == 0);
    }
    size_t again_cnt = rig_save(r, &again);
    assert(again_cnt == cnt);
    for (size_t i = 0; i < cnt; i++) {
        assert(again[i].kind == rows[i].kind && again[i].key == rows[i].key);
        assert(again[i].bytes == rows[i].bytes);
        assert(memcmp(again[i].row, rows[i].row, rows[i].bytes) == 0);
    }
    rig_rows_free(rows, cnt);
    rig_rows_free(again, again_cnt);
}

void rig_close(struct rig *r) {
    rig_unmake(r);
    for (uint32_t i = 0; i < r->actor_cnt; i++) rt_config_close(r->actors[i].tree);
    free(r->yaml);
    free(r->said);
    free(r->said_at);
    *r = (struct rig){ 0 };
}
