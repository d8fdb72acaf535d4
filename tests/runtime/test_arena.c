/* Goal: an arena gives zeroed, aligned memory that does not overlap, says when it is full, aborts
 * once sealed, and faults on an overrun; allocations are counted for the thread that makes them.
 * Method: unit; what must kill the process is tried in a child. */
#include "runtime/base/alloc.h"
#include "runtime/base/arena.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Pieces are zero, 64-aligned and apart; the last byte is usable; then NULL, and still NULL. */
static void test_gives(void **state) {
    (void)state;
    static const size_t sizes[] = { 4096, 3u << 20 };
    for (size_t s = 0; s < 2; s++) {
        struct rt_arena a;
        struct rt_error err;
        assert_int_equal(rt_arena_init(&a, sizes[s], &err), 0);
        assert_int_equal(a.bytes, sizes[s]);
        uint8_t *before = NULL;
        for (size_t given = 0; given < sizes[s]; given += 128) {
            uint8_t *p = rt_arena_take(&a, 65); /* takes two lines */
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 64, 0);
            if (before != NULL) assert_ptr_equal(p, before + 128);
            for (int i = 0; i < 128; i++) assert_int_equal(p[i], 0);
            memset(p, 0xff, 128);
            before = p;
        }
        assert_null(rt_arena_take(&a, 1));
        assert_null(rt_arena_take(&a, SIZE_MAX));
        rt_arena_fini(&a);
        assert_null(a.base);
    }
}

/* Sizes that make no sense, and more than the machine would give, are errors with a sentence. */
static void test_refuses(void **state) {
    (void)state;
    struct rt_arena a;
    struct rt_error err = { 0 };
    assert_int_equal(rt_arena_init(&a, 0, &err), -EINVAL);
    assert_true(strlen(err.text) > 0);
    assert_int_equal(rt_arena_init(&a, SIZE_MAX, &err), -EINVAL);
    rt_arena_fini(&a); /* harmless after a failed init */
}

/* dies runs fn(arg) in a child and tells whether a signal ended it (or a sanitizer in its place).
 */
static bool dies(void (*fn)(struct rt_arena *), struct rt_arena *a) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL); /* cmocka's handlers would jump back into the test */
        signal(SIGSEGV, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(0);
        fn(a);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* take_one takes from a. */
static void take_one(struct rt_arena *a) {
    rt_arena_take(a, 1);
}

/* overrun writes behind the end of a. */
static void overrun(struct rt_arena *a) {
    ((volatile uint8_t *)a->base)[a->bytes] = 1;
}

/* Sealed: taking aborts. Behind the end stands a guard page. */
static void test_kills(void **state) {
    (void)state;
    struct rt_arena a;
    assert_int_equal(rt_arena_init(&a, 100, NULL), 0);
    assert_false(dies(take_one, &a));
    assert_int_equal(rt_arena_seal(&a, NULL), 0);
    assert_true(dies(take_one, &a));
    assert_true(dies(overrun, &a));
    rt_arena_fini(&a);
}

/* allocates counts what it does itself, from a fresh thread, into *arg. */
static void *allocates(void *arg) {
    uint64_t before = rt_alloc_count();
    for (int i = 0; i < 10; i++) {
        void *volatile p = malloc(10);
        free(p);
    }
    *(uint64_t *)arg = rt_alloc_count() - before;
    return NULL;
}

/* Every way of taking memory counts, other threads' do not, the C library's own do. */
static void test_counts(void **state) {
    (void)state;
    uint64_t theirs = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, allocates, &theirs), 0);
    pthread_join(thread, NULL);
    if (!rt_alloc_counting()) {
        assert_int_equal(rt_alloc_count(), 0);
        print_message("allocations are not counted under a sanitizer\n");
        skip();
    }
    assert_int_equal(theirs, 20);
    uint64_t before = rt_alloc_count();
    void *volatile p = malloc(1);
    void *volatile larger = realloc(p, 100);
    free(larger);
    free(NULL);
    assert_int_equal(rt_alloc_count() - before, 3);
    before = rt_alloc_count();
    p = calloc(3, 5);
    free(p);
    p = aligned_alloc(64, 128);
    assert_int_equal((uintptr_t)p % 64, 0);
    free(p);
    void *q = NULL;
    assert_int_equal(posix_memalign(&q, 128, 256), 0);
    free(q);
    assert_int_equal(posix_memalign(&q, 24, 256), EINVAL);
    assert_int_equal(rt_alloc_count() - before, 6);
    before = rt_alloc_count();
    char *volatile copy = strdup("libc's own");
    assert_int_equal(rt_alloc_count() - before, 1);
    free(copy);
    struct rt_arena a;
    before = rt_alloc_count();
    assert_int_equal(rt_arena_init(&a, 4096, NULL), 0);
    rt_arena_take(&a, 64);
    rt_arena_fini(&a);
    assert_int_equal(rt_alloc_count() - before, 0);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gives),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_kills),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
