/* threaded: readers while the clock is steered.
 *
 * Goal: the clock agrees with the system's, never falls on a thread, and is steered by at most 500
 * ppm, for a second at a time, whatever time it is steered to.
 * Method: comparison with clock_gettime; steering to the past and the future while threads read. */
#include "runtime/time/clock.h"
#include "tests/support/check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/* system_ns reads CLOCK_REALTIME. */
static int64_t system_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

/* apart_ns returns how far the clock is from the system's, ns: the least of some readings, because
 * the thread may be put aside between two. */
static int64_t apart_ns(void) {
    int64_t least = INT64_MAX;
    for (int i = 0; i < 100; i++) {
        int64_t before = system_ns(), ours = rt_clock_ns(), after = system_ns();
        int64_t apart = ours < before ? before - ours : ours > after ? ours - after : 0;
        if (apart < least) least = apart;
    }
    return least;
}

/* wait_ns sleeps. */
static void wait_ns(long ns) {
    struct timespec pause = { .tv_nsec = ns };
    nanosleep(&pause, NULL);
}

/* Started, the clock is the system's to 100 us, and stays so; started again, nothing changes. */
static void test_agrees(void **state) {
    (void)state;
    rt_clock_start();
    assert_in_range(apart_ns(), 0, 100000);
    int64_t before = rt_clock_ns();
    rt_clock_start();
    assert_true(rt_clock_ns() >= before);
    wait_ns(200000000);
    assert_in_range(apart_ns(), 0, 100000);
    rt_clock_slew();
    wait_ns(100000000);
    assert_in_range(apart_ns(), 0, 100000);
}

/* A difference of stamps is the time between, as CLOCK_MONOTONIC has it, to a thousandth. */
static void test_stamps(void **state) {
    (void)state;
    int64_t best = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        int64_t from = rt_clock_monotonic_ns();
        uint64_t stamp = rt_tsc();
        wait_ns(20000000);
        uint64_t ticks = rt_tsc() - stamp;
        int64_t took = rt_clock_monotonic_ns() - from;
        int64_t off = (int64_t)rt_clock_tsc_to_ns(ticks) - took;
        if (off < 0) off = -off;
        if (off < best) best = off;
    }
    assert_in_range(best, 0, 20000);
    assert_int_equal(rt_clock_tsc_to_ns(0), 0);
}

/* Whatever it is steered to, in 100 ms the clock gains or loses no more than 500 ppm of it (and a
 * little for the readings), and no less either when there is that much to make up. */
static void test_steers_slowly(void **state) {
    (void)state;
    static const int64_t offs[] = { 1000000000,      -1000000000,   3600000000000,
                                    -86400000000000, INT64_MAX / 4, INT64_MIN / 4 };
    for (size_t i = 0; i < sizeof offs / sizeof offs[0]; i++) {
        int64_t gained = 0;
        bool steered = false;
        for (int again = 0; again < 20 && !steered; again++) { /* a loaded machine spoils a try */
            rt_clock_steer(rt_clock_ns() + offs[i]);
            int64_t from = rt_clock_monotonic_ns(), ours = rt_clock_ns();
            int64_t slack = rt_clock_monotonic_ns() - from;
            wait_ns(100000000);
            int64_t to = rt_clock_monotonic_ns();
            gained = rt_clock_ns() - ours - (to - from);
            slack += rt_clock_monotonic_ns() - to;
            if (slack > 15000) continue;
            int64_t expected = (to - from) / 2000 * (offs[i] < 0 ? -1 : 1);
            steered = gained > expected - 20000 && gained < expected + 20000;
        }
        if (!steered)
            fail_msg("steered by %lld: gained %lld", (long long)offs[i], (long long)gained);
    }
    /* Back to the system's: each try moved it by some 50 us, half of them back. */
    for (int i = 0; i < 30 && apart_ns() > 20000; i++) {
        rt_clock_slew();
        wait_ns(200000000);
    }
    assert_in_range(apart_ns(), 0, 100000);
}

static _Atomic bool stop;      /* set by the test, read by its readers; relaxed, joined after */
static _Atomic uint64_t fell;  /* times that a reader saw the clock fall; relaxed */
static _Atomic uint64_t reads; /* readings in all; relaxed */

/* reads_on reads the clock until told to stop. */
static void *reads_on(void *arg) {
    (void)arg;
    int64_t before = INT64_MIN;
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        int64_t now = rt_clock_ns();
        if (now < before) atomic_fetch_add_explicit(&fell, 1, memory_order_relaxed);
        before = now;
        atomic_fetch_add_explicit(&reads, 1, memory_order_relaxed);
    }
    return NULL;
}

/* The clock does not fall on a thread while it is steered up and down. */
static void test_never_falls(void **state) {
    (void)state;
    pthread_t readers[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, reads_on, NULL), 0);
    for (int i = 0; i < 2000; i++) {
        rt_clock_steer(rt_clock_ns() + (i % 2 ? 1000000000 : -1000000000));
        if (i % 10 == 0) wait_ns(1000000);
    }
    atomic_store_explicit(&stop, true, memory_order_relaxed);
    for (int i = 0; i < 2; i++) pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load_explicit(&fell, memory_order_relaxed), 0);
    assert_true(atomic_load_explicit(&reads, memory_order_relaxed) > 1000);
}

/* CPU time of the thread counts work, not sleep. */
static void test_thread_cpu(void **state) {
    (void)state;
    int64_t before = rt_clock_thread_cpu_ns();
    wait_ns(50000000);
    int64_t slept = rt_clock_thread_cpu_ns() - before;
    assert_in_range(slept, 0, 20000000);
    volatile uint64_t sum = 0;
    int64_t until = rt_clock_monotonic_ns() + 5000000;
    while (rt_clock_monotonic_ns() < until) sum++;
    assert_true(rt_clock_thread_cpu_ns() - before > slept);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees),        cmocka_unit_test(test_stamps),
        cmocka_unit_test(test_steers_slowly), cmocka_unit_test(test_never_falls),
        cmocka_unit_test(test_thread_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
