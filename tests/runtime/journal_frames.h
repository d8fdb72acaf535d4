/* journal_frames.h - what the tests of the journal share: frames that are a function of their
 * number, and directories that go away.
 *
 * For     tests/runtime/test_journal*.c.
 * Thread  the test's. */
#ifndef TESTS_RUNTIME_JOURNAL_FRAMES_H
#define TESTS_RUNTIME_JOURNAL_FRAMES_H
#include "runtime/store/impl.h"
#include "tests/support/check.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[64]; /* directory of this test on tmpfs */

/* base_make names the directory of this test. */
static inline void base_make(const char *test) {
    snprintf(base, sizeof base, "/dev/shm/shrike-%s-%d", test, (int)getpid());
}

/* base_clear removes it; returns failed, or 1. */
static inline int base_clear(int failed) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    return system(command) != 0 ? 1 : failed;
}

/* dirs_make makes a fresh directory name for a test. */
static inline void dirs_make(char dir[128], char stage[128], const char *name) {
    snprintf(dir, 128, "%s/%s/disk", base, name);
    snprintf(stage, 128, "%s/%s/stage", base, name);
}

/* frame_fill makes frame number n into f, of a size that n and seed tell. Returns its size. */
static inline uint32_t frame_fill(struct msg_frame *f, uint64_t seed, uint64_t n) {
    uint64_t gen = seed * 1000003 + n;
    uint32_t words = (uint32_t)gen_range(&gen, 0, 40);
    if (gen_range(&gen, 0, 999) == 0) words = (uint32_t)gen_range(&gen, 0, 8000);
    *f = (struct msg_frame){ .kind = (uint16_t)(1 + n % 500),
                             .size = (uint16_t)(32 + 8 * words),
                             .source = 7,
                             .dest = 9,
                             .seq = (uint32_t)n,
                             .stamp = 0x55,
                             .time_ns = (int64_t)n,
                             .trace_id = n };
    uint64_t *body = (uint64_t *)(void *)(f + 1);
    for (uint32_t i = 0; i < words; i++) body[i] = gen_next(&gen);
    return f->size;
}

/* frame_is tells whether f is frame number n as journaled. */
static inline bool frame_is(const struct msg_frame *f, uint64_t seed, uint64_t n) {
    static uint64_t want_bytes[8192];
    struct msg_frame *want = (struct msg_frame *)(void *)want_bytes;
    uint32_t size = frame_fill(want, seed, n);
    if (n % 3 == 0) want->kind |= MSG_OUT;
    if (f->size != size) return false;
    want->stamp = f->stamp;
    return memcmp(f, want, size) == 0;
}

/* append_some appends frames from..to-1. */
static inline void append_some(struct rt_journal *j, uint64_t seed, uint64_t from, uint64_t to) {
    static uint64_t bytes[8192];
    struct msg_frame *f = (struct msg_frame *)(void *)bytes;
    for (uint64_t n = from; n < to; n++) {
        uint32_t size = frame_fill(f, seed, n);
        uint64_t before = rt_journal_position(j);
        uint64_t at = rt_journal_append(j, f, n % 3 == 0 ? MSG_OUT : 0);
        assert_true(at == before);
        assert_true(rt_journal_position(j) == before + size);
        if (n % 5 == 0) rt_journal_turn(j);
    }
    rt_journal_turn(j);
}

/* read_some reads frames from..to-1 and nothing more. */
static inline void read_some(struct rt_tape *t, uint64_t seed, uint64_t from, uint64_t to) {
    for (uint64_t n = from; n < to; n++) {
        uint64_t position = rt_tape_position(t);
        const struct msg_frame *f = rt_tape_next(t);
        if (f == NULL || !frame_is(f, seed, n)) {
            struct rt_error err;
            rt_tape_error(t, &err);
            print_error("frame %llu: %s: %s\n", (unsigned long long)n, f == NULL ? "none" : "wrong",
                        err.code != 0 ? err.text : "end");
            fail();
        }
        assert_true(rt_tape_position(t) == position + f->size);
    }
    assert_null(rt_tape_next(t));
    assert_int_equal(rt_tape_error(t, NULL), 0);
}

/* options returns usual options for a backing. */
static inline struct rt_journal_options options(const char *dir, const char *stage,
                                                enum rt_backing b) {
    static const char names[] = "actor 1 feed\nactor 2 risk\n";
    return (struct rt_journal_options){ .dir = dir,
                                        .stage_dir = stage,
                                        .segment_bytes = 128 << 10,
                                        .stage_segments = 64,
                                        .backing = b,
                                        .head = names,
                                        .head_bytes = sizeof names,
                                        .run_id = 0xfeed,
                                        .shard = 3,
                                        .durability = RT_DURABLE_INTERVAL,
                                        .interval_ns = 5000000 };
}
#endif
