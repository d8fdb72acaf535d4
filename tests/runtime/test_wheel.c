/* Goal: the wheel tells timers in the order (due, class, id, key), exactly at their nanosecond, for
 * any times, and keeps nothing it was told to drop.
 * Method: random sets, moves, cancels, peeks and pops from printed seeds against a naive twin (an
 * unsorted array searched whole), over time scales from 1 ns to all of 64 bits; edges by hand. */
#include "runtime/time/wheel.h"
#include "tests/support/check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TWIN_MAX = 300 }; /* timers of the twin */

/* The naive twin. */
struct twin {
    struct rt_timer t[TWIN_MAX]; /* armed timers in no order */
    uint32_t cnt;                /* how many */
    uint32_t max;                /* how many there may be */
};

/* sooner tells whether a comes before b. */
static bool sooner(const struct rt_timer *a, const struct rt_timer *b) {
    if (a->due_ns != b->due_ns) return a->due_ns < b->due_ns;
    if (a->cls != b->cls) return a->cls < b->cls;
    if (a->id != b->id) return a->id < b->id;
    return a->key < b->key;
}

/* twin_find returns the index of (id, key), or cnt. */
static uint32_t twin_find(const struct twin *n, uint32_t id, uint64_t key) {
    uint32_t i = 0;
    while (i < n->cnt && (n->t[i].id != id || n->t[i].key != key)) i++;
    return i;
}

/* twin_first returns the index of the first in order; cnt when there is none. */
static uint32_t twin_first(const struct twin *n) {
    uint32_t first = 0;
    for (uint32_t i = 1; i < n->cnt; i++)
        if (sooner(&n->t[i], &n->t[first])) first = i;
    return first;
}

/* same tells whether two timers are alike in every field. */
static bool same(const struct rt_timer *a, const struct rt_timer *b) {
    return a->due_ns == b->due_ns && a->key == b->key && a->actor == b->actor && a->cls == b->cls &&
           a->id == b->id;
}

/* wheel_new makes a wheel in memory to be freed by free(w). */
static struct rt_wheel *wheel_new(uint32_t max, int64_t now_ns) {
    void *memory = aligned_alloc(64, rt_wheel_bytes(max));
    assert_non_null(memory);
    memset(memory, 0xa5, rt_wheel_bytes(max)); /* init must not count on zeros */
    return rt_wheel_init(memory, max, now_ns);
}

/* draw_due draws a time at or near now, on a scale that is drawn too; some are past. */
static int64_t draw_due(uint64_t *gen, int64_t now) {
    int scale = (int)gen_range(gen, 0, 63);
    int64_t ahead = (int64_t)(gen_next(gen) >> 1 >> (62 - scale % 63));
    switch (gen_range(gen, 0, 9)) {
    case 0: return now;
    case 1: return now > INT64_MIN + 1000 ? now - gen_range(gen, 0, 1000) : now;
    case 2: return INT64_MAX - gen_range(gen, 0, 2);
    case 3: return now < INT64_MAX - 64 ? now / 64 * 64 + gen_range(gen, 0, 64) : now;
    case 4: return INT64_MIN + gen_range(gen, 0, 2);
    default: return now > INT64_MAX - ahead ? INT64_MAX : now + ahead;
    }
}

/* What rt_wheel_each told so far. */
struct told {
    const struct twin *twin; /* what it should tell */
    struct rt_timer before;  /* the last one */
    uint32_t cnt;            /* how many */
    bool wrong;              /* one out of order, or not in the twin */
};

/* on_each checks one timer of rt_wheel_each. */
static void on_each(void *arg, const struct rt_timer *t) {
    struct told *told = arg;
    uint32_t i = twin_find(told->twin, t->id, t->key);
    if (i == told->twin->cnt || !same(t, &told->twin->t[i])) told->wrong = true;
    if (told->cnt > 0 &&
        (told->before.id > t->id || (told->before.id == t->id && told->before.key >= t->key)))
        told->wrong = true;
    told->before = *t;
    told->cnt++;
}

/* One random walk of wheel and twin. */
static void walk(uint64_t seed) {
    uint64_t gen = seed;
    struct twin twin = { .max = (uint32_t)gen_range(&gen, 1, TWIN_MAX) };
    int64_t now = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 1700000000000000000 : -5000;
    if (seed % 17 == 0) now = INT64_MIN;
    struct rt_wheel *w = wheel_new(twin.max, now);
    uint32_t ids = (uint32_t)gen_range(&gen, 1, 20), keys = (uint32_t)gen_range(&gen, 1, 40);
    int eager = (int)gen_range(&gen, 1, 9); /* how often something is popped */
    for (int step = 0; step < 3000; step++) {
        struct rt_timer t = { .due_ns = draw_due(&gen, now),
                              .key = gen_next(&gen) % keys * (seed % 2 ? 1 : 0x100000001ULL),
                              .cls = (uint16_t)gen_range(&gen, 0, 4),
                              .id = (uint32_t)gen_range(&gen, 1, ids) };
        t.actor = (uint16_t)(t.id + 1);
        uint32_t i = twin_find(&twin, t.id, t.key);
        int what = (int)gen_range(&gen, 0, 9);
        if (what < 5) {
            int code = rt_wheel_set(w, &t);
            if (i == twin.cnt && twin.cnt == twin.max) {
                CHECK(seed, code == -ENOSPC);
            } else {
                CHECK(seed, code == 0);
                twin.t[i] = t;
                if (i == twin.cnt) twin.cnt++;
            }
        } else if (what == 5) {
            CHECK(seed, rt_wheel_cancel(w, t.id, t.key) == (i < twin.cnt));
            if (i < twin.cnt) twin.t[i] = twin.t[--twin.cnt];
        } else if (what == 6 && step % 50 == 0) {
            rt_wheel_cancel_all(w, t.id);
            for (uint32_t j = 0; j < twin.cnt;)
                if (twin.t[j].id == t.id)
                    twin.t[j] = twin.t[--twin.cnt];
                else
                    j++;
        } else {
            /* Time goes on, to just before, at, or well past the next one. */
            uint32_t first = twin_first(&twin);
            struct rt_timer out;
            CHECK(seed, rt_wheel_peek(w, &out) == (twin.cnt > 0));
            if (twin.cnt == 0) continue;
            CHECK(seed, same(&out, &twin.t[first]));
            int64_t due = out.due_ns;
            if (due > now && due > INT64_MIN) {
                CHECK(seed, !rt_wheel_pop(w, due - 1, &out));
                if (gen_range(&gen, 0, 9) > eager) continue;
                now = due;
            }
            for (int pops = 0; pops < eager; pops++) {
                first = twin_first(&twin);
                bool is_due = twin.cnt > 0 && twin.t[first].due_ns <= now;
                CHECK(seed, rt_wheel_pop(w, now, &out) == is_due);
                if (!is_due) break;
                CHECK(seed, same(&out, &twin.t[first]));
                twin.t[first] = twin.t[--twin.cnt];
            }
        }
        CHECK(seed, rt_wheel_count(w) == twin.cnt);
        if (step % 500 != 0) continue;
        struct told told = { .twin = &twin };
        rt_wheel_each(w, on_each, &told);
        CHECK(seed, !told.wrong && told.cnt == twin.cnt);
    }
    /* At the end of time everything comes, in order. */
    while (twin.cnt > 0) {
        struct rt_timer out;
        uint32_t first = twin_first(&twin);
        CHECK(seed, rt_wheel_pop(w, INT64_MAX, &out));
        CHECK(seed, same(&out, &twin.t[first]));
        twin.t[first] = twin.t[--twin.cnt];
    }
    struct rt_timer out;
    CHECK(seed, !rt_wheel_pop(w, INT64_MAX, &out) && !rt_wheel_peek(w, &out));
    free(w);
}

/* Wheel and twin agree over 200 walks. */
static void test_agrees_with_twin(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) walk(seed);
}

/* Sizes: 1 to 1 Mi; anything else has no bytes. */
static void test_sizes(void **state) {
    (void)state;
    assert_int_equal(rt_wheel_bytes(0), 0);
    assert_int_equal(rt_wheel_bytes((1 << 20) + 1), 0);
    assert_int_not_equal(rt_wheel_bytes(1 << 20), 0);
    struct rt_wheel *w = wheel_new(1, 0);
    struct rt_timer t = { .due_ns = 5, .key = 1, .id = 1 }, out;
    assert_int_equal(rt_wheel_set(w, &t), 0);
    t.due_ns = 9; /* the same one: moves */
    assert_int_equal(rt_wheel_set(w, &t), 0);
    t.key = 2;
    assert_int_equal(rt_wheel_set(w, &t), -ENOSPC);
    assert_false(rt_wheel_pop(w, 8, &out));
    assert_true(rt_wheel_pop(w, 9, &out));
    assert_int_equal(out.key, 1);
    assert_int_equal(rt_wheel_set(w, &t), 0);
    free(w);
}

/* A million due at one instant, and a million spread over a day, come in order and in time. */
static void test_many(void **state) {
    (void)state;
    const uint32_t cnt = 1 << 20;
    struct rt_wheel *w = wheel_new(cnt, 0);
    for (int spread = 0; spread < 2; spread++) {
        uint64_t gen = 99;
        for (uint32_t i = 0; i < cnt; i++) {
            struct rt_timer t = { .due_ns = spread ? gen_range(&gen, 0, 86400000000000) : 777,
                                  .key = i * 2654435761U,
                                  .cls = (uint16_t)(i % 3),
                                  .id = i % 1000 };
            assert_int_equal(rt_wheel_set(w, &t), 0);
        }
        struct rt_timer before = { .due_ns = -1 }, t;
        for (uint32_t i = 0; i < cnt; i++) {
            if (!rt_wheel_pop(w, INT64_MAX, &t)) fail();
            if (!sooner(&before, &t)) fail();
            before = t;
        }
        assert_false(rt_wheel_peek(w, &t));
    }
    free(w);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_twin),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
