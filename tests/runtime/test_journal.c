/* threaded: the disk thread
 *
 * Goal: what was appended comes back, in order, from the start and while it is written, from all
 * backings, over rolls, reopening and kill -9; positions count bytes of records.
 * Method: frames of random size from a printed seed, each a function of its number. */
#include "tests/runtime/journal_frames.h"

/* Goal: append, roll, read from the start, follow, reopen; for a backing. */
static void round_trip(enum rt_backing backing, const char *name) {
    char dir[128], stage[128];
    dirs_make(dir, stage, name);
    struct rt_journal_options o = options(dir, stage, backing);
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    const uint64_t seed = 42;
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_true(found.end == 0 && found.cut_bytes == 0 && found.report[0] == '\0');
    append_some(&j, seed, 0, 2000);
    struct rt_tape t, follow;
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    read_some(&t, seed, 0, 2000);
    uint32_t bytes;
    const char *names = rt_tape_head(&t, &bytes);
    assert_int_equal(bytes, o.head_bytes);
    assert_memory_equal(names, o.head, bytes);
    uint64_t middle = rt_journal_position(&j);
    if (rt_tape_open(&follow, dir, stage, middle, &err) != 0) fail_msg("%s", err.text);
    for (uint64_t n = 2000; n < 4000; n += 100) {
        append_some(&j, seed, n, n + 100);
        read_some(&t, seed, n, n + 100);
        read_some(&follow, seed, n, n + 100);
    }
    assert_true(rt_tape_position(&t) == rt_journal_position(&j));
    rt_tape_close(&follow);
    rt_tape_close(&t);
    uint64_t end = rt_journal_position(&j);
    assert_int_equal(rt_journal_error(&j), 0);
    assert_int_equal(rt_journal_close(&j), 0);
    if (backing == RT_BACKING_MEMORY) return;

    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_true(found.end == end && found.cut_bytes == 0);
    assert_string_equal(found.report, "");
    append_some(&j, seed, 4000, 4100);
    /* a second writer is refused */
    struct rt_journal other;
    assert_int_equal(rt_journal_open(&other, &o, &found, &err), -EBUSY);
    assert_int_equal(rt_journal_close(&j), 0);
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    read_some(&t, seed, 0, 4100);
    rt_tape_close(&t);
    if (rt_tape_open(&t, dir, stage, middle, &err) != 0) fail_msg("%s", err.text);
    read_some(&t, seed, 2000, 4100);
    rt_tape_close(&t);
    /* a table of names that differs begins a new segment; another run is refused or left out */
    o.head_bytes -= 3;
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    append_some(&j, seed, 4100, 4200);
    assert_int_equal(rt_journal_close(&j), 0);
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    read_some(&t, seed, 0, 4200);
    rt_tape_close(&t);
}

/* Goal: the round trip on a stage. */
static void test_stage(void **state) {
    (void)state;
    round_trip(RT_BACKING_STAGE, "stage");
}

/* Goal: the round trip with a disk behind the stage. */
static void test_disk(void **state) {
    (void)state;
    round_trip(RT_BACKING_DISK, "both");
}

/* Goal: the round trip in memory. */
static void test_memory(void **state) {
    (void)state;
    round_trip(RT_BACKING_MEMORY, "memory");
}

/* Goal: a stage whose old segments are kept no longer goes round and round; positions go on; a tape
 * before what is left hears of the gap. */
static void test_stage_reuse(void **state) {
    (void)state;
    char dir[128], stage[128];
    dirs_make(dir, stage, "reuse");
    struct rt_journal_options o = options(NULL, stage, RT_BACKING_STAGE);
    o.stage_segments = 4;
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    struct rt_tape t, slow;
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_int_equal(rt_tape_open(&t, NULL, stage, 0, &err), 0);
    assert_int_equal(rt_tape_open(&slow, NULL, stage, 0, &err), 0);
    for (uint64_t n = 0; n < 20000; n += 50) {
        append_some(&j, 9, n, n + 50);
        read_some(&t, 9, n, n + 50);
        rt_journal_keep(&j, rt_journal_position(&j));
        assert_true(rt_journal_free(&j) >= 2);
    }
    assert_null(rt_tape_next(&slow));
    assert_int_equal(rt_tape_error(&slow, &err), -ENODATA);
    rt_tape_close(&slow);
    rt_tape_close(&t);
    uint64_t end = rt_journal_position(&j);
    impl_abandon(&j);
    assert_int_equal(rt_tape_open(&t, NULL, stage, 0, &err), -ENODATA);
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_true(found.end == end);
    assert_string_equal(found.report, "");
    append_some(&j, 9, 20000, 20100);
    assert_int_equal(rt_tape_open(&t, NULL, stage, end, &err), 0);
    read_some(&t, 9, 20000, 20100);
    rt_tape_close(&t);
    assert_int_equal(rt_journal_close(&j), 0);
}

/* Goal: kill -9 at random moments loses nothing that was appended, and tears nothing.
 * Method: a child appends and tells by shared memory how many; the parent kills, opens, counts. */
static void test_stage_kill(void **state) {
    (void)state;
    char dir[128], stage[128];
    dirs_make(dir, stage, "kill");
    struct rt_journal_options o = options(dir, stage, RT_BACKING_STAGE);
    o.stage_segments = 512;
    _Atomic uint64_t *done =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t gen = 77, next = 0;
    *done = 0;
    for (int round = 0; round < 25; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct rt_journal j;
            struct rt_journal_found found;
            struct rt_error err = { 0 };
            if (rt_journal_open(&j, &o, &found, &err) != 0) _exit(3);
            static uint64_t bytes[8192];
            for (uint64_t n = next;; n++) {
                frame_fill((struct msg_frame *)(void *)bytes, 5, n);
                rt_journal_append(&j, (struct msg_frame *)(void *)bytes, n % 3 == 0 ? MSG_OUT : 0);
                *done = n + 1;
                if (n % 7 == 0) rt_journal_turn(&j);
                if (n == next + 20000) pause();
            }
        }
        usleep((useconds_t)gen_range(&gen, 500, 4000));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        struct rt_journal j;
        struct rt_journal_found found;
        struct rt_error err = { 0 };
        if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("round %d: %s", round, err.text);
        assert_string_equal(found.report, "");
        uint64_t end = rt_journal_position(&j), cnt = 0;
        struct rt_tape t;
        assert_int_equal(rt_tape_open(&t, dir, stage, 0, &err), 0);
        while (rt_tape_position(&t) < end) {
            const struct msg_frame *f = rt_tape_next(&t);
            assert_non_null(f);
            CHECK(round, frame_is(f, 5, cnt));
            cnt++;
        }
        CHECK(round, cnt == *done || cnt == *done + 1);
        next = cnt;
        *done = cnt;
        rt_tape_close(&t);
        impl_abandon(&j);
    }
    munmap((void *)(uintptr_t)done, 4096);
}

/* Goal: bad options are refused with a sentence. */
static void test_options(void **state) {
    (void)state;
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    struct rt_journal_options o = options("x", "y", RT_BACKING_STAGE);
    o.segment_bytes = 64 << 10;
    assert_int_equal(rt_journal_open(&j, &o, &found, &err), -EINVAL);
    assert_non_null(strstr(err.text, "segment_bytes"));
    o = options("x", "y", RT_BACKING_STAGE);
    o.stage_segments = 1;
    assert_int_equal(rt_journal_open(&j, &o, &found, &err), -EINVAL);
    o = options("x", NULL, RT_BACKING_STAGE);
    assert_int_equal(rt_journal_open(&j, &o, &found, &err), -EINVAL);
    o = options("x", "y", RT_BACKING_STAGE);
    o.head_bytes = 61 << 10;
    assert_int_equal(rt_journal_open(&j, &o, &found, &err), -EINVAL);
}

/* main makes the directory, runs the tests of this file, and clears it. */
int main(void) {
    base_make("journal");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stage),      cmocka_unit_test(test_disk),
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_stage_reuse),
        cmocka_unit_test(test_stage_kill), cmocka_unit_test(test_options),
    };
    if (rt_disk_start(NULL) != 0) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rt_disk_stop();
    return base_clear(failed);
}
