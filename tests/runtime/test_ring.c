/* threaded: two threads share a ring
 *
 * Goal: what is pushed into a ring is read from it, in order and whole, over many wraps; a full
 * ring refuses; a receiver or a sender that starts again finds its place; so it is over processes.
 * Method: random frames (seed printed) of all sizes against their own numbers. */
#include "runtime/core/ring.h"
#include "tests/support/check.h"
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Sizes. */
enum { CAPACITY = 16, BULK = 512, FRAMES = 200000 };

/* A frame with the largest body, which ends behind a whole line. */
struct frame {
    struct msg_frame f; /* head */
    uint64_t body[64];  /* the frame's number, again and again */
};

/* fill makes frame number n: its size depends on n alone. */
static void fill(struct frame *m, uint64_t n) {
    uint64_t gen = n;
    size_t words = (size_t)gen_range(&gen, 0, n % 7 ? 4 : 59);
    *m = (struct frame){
        .f = { .kind = 7, .size = (uint16_t)(sizeof m->f + words * 8), .time_ns = (int64_t)n }
    };
    for (size_t i = 0; i < words; i++) m->body[i] = n * 64 + i;
}

/* same tells whether f is frame number n. */
static bool same(const struct msg_frame *f, uint64_t n) {
    struct frame m;
    fill(&m, n);
    return f->size == m.f.size && f->time_ns == m.f.time_ns && f->seq == (uint32_t)(n + 1) &&
           memcmp(f + 1, m.body, f->size - sizeof *f) == 0;
}

/* new_ring makes a ring in shared memory. */
static struct rt_ring *new_ring(void) {
    void *p = mmap(NULL, rt_ring_bytes(CAPACITY, BULK), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    return rt_ring_init(p, CAPACITY, BULK);
}

/* push_all pushes frames first..last-1, waiting where the ring is full. */
static void push_all(struct rt_ring *r, uint64_t first, uint64_t last) {
    struct rt_ring_tx tx;
    rt_ring_tx_init(&tx, r, first);
    for (uint64_t n = first; n < last; n++) {
        struct frame m;
        fill(&m, n);
        while (!rt_ring_push(&tx, &m.f)) sched_yield();
    }
    rt_ring_publish(&tx);
}

/* take_all reads frames first..last-1; returns how many were wrong. */
static uint64_t take_all(struct rt_ring *r, uint64_t first, uint64_t last) {
    struct rt_ring_rx rx;
    uint64_t wrong = 0;
    rt_ring_rx_init(&rx, r, first);
    for (uint64_t n = first; n < last; n++) {
        struct msg_frame *f;
        while ((f = rt_ring_peek(&rx)) == NULL) {
            rt_ring_give(&rx);
            sched_yield();
        }
        wrong += !same(f, n);
        rt_ring_skip(&rx);
        if (n % 5 == 0) rt_ring_give(&rx);
    }
    rt_ring_give(&rx);
    return wrong;
}

/* sender is a thread that pushes all. */
static void *sender(void *arg) {
    push_all(arg, 0, FRAMES);
    return NULL;
}

/* test_threads: a sender and a receiver on threads. */
static void test_threads(void **state) {
    (void)state;
    struct rt_ring *r = new_ring();
    pthread_t id;
    assert_int_equal(pthread_create(&id, NULL, sender, r), 0);
    assert_int_equal(take_all(r, 0, FRAMES), 0);
    pthread_join(id, NULL);
}

/* test_processes: a sender and a receiver in two processes. */
static void test_processes(void **state) {
    (void)state;
    struct rt_ring *r = new_ring();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        push_all(r, 0, FRAMES / 4);
        push_all(r, FRAMES / 4, FRAMES / 2); /* a sender that starts again where it was */
        _exit(0);
    }
    assert_int_equal(take_all(r, 0, FRAMES / 3), 0);
    assert_int_equal(take_all(r, FRAMES / 3, FRAMES / 2), 0); /* so does a receiver */
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* test_full: a full ring. */
static void test_full(void **state) {
    (void)state;
    struct rt_ring *r = new_ring();
    struct rt_ring_tx tx;
    struct rt_ring_rx rx;
    struct frame m;
    rt_ring_rx_init(&rx, r, 0);
    rt_ring_tx_init(&tx, r, 0);
    for (uint64_t n = 0; n < CAPACITY; n++) {
        assert_int_equal(rt_ring_room(&tx, CAPACITY), CAPACITY - n);
        fill(&m, n);
        assert_true(rt_ring_push(&tx, &m.f));
    }
    assert_false(rt_ring_push(&tx, &m.f));
    for (uint64_t n = 0; n < 3; n++) {
        assert_true(same(rt_ring_peek(&rx), n));
        rt_ring_skip(&rx);
    }
    assert_false(rt_ring_push(&tx, &m.f)); /* read, but not given back */
    rt_ring_give(&rx);
    assert_int_equal(rt_ring_room(&tx, 1), 3);
    /* a mark far behind, of a receiver that has not found its place, is no room */
    ck_pr_store_64(&r->taken, 0);
    rt_ring_tx_init(&tx, r, 1000);
    assert_int_equal(rt_ring_room(&tx, 1), 0);
    /* a sender that starts again behind the mark has all the room: what it makes was heard */
    ck_pr_store_64(&r->taken, 1000);
    rt_ring_tx_init(&tx, r, 990);
    assert_int_equal(rt_ring_room(&tx, 1), CAPACITY);
}

/* test_sizes: sizes out of range. */
static void test_sizes(void **state) {
    (void)state;
    assert_int_equal(rt_ring_bytes(1, 0), 0);
    assert_int_equal(rt_ring_bytes(24, 0), 0);
    assert_int_equal(rt_ring_bytes(2U << 20, 0), 0);
    assert_int_equal(rt_ring_bytes(16, 63), 0);
    assert_int_equal(rt_ring_bytes(16, 65600), 0);
    assert_int_equal(rt_ring_bytes(16, 64), sizeof(struct rt_ring) + 16 * 128);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
