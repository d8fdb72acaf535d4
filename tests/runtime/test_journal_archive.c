/* threaded: the disk thread
 *
 * Goal: segments that snapshots no longer need are compressed, read back like the others, kept for
 * registered tails, and dropped beyond archive_bytes_max, of which a tape before it hears; a hurt
 * archive is noticed.
 * Method: small segments, a journal of thousands of frames, keep moved behind the writer. */
#include "tests/runtime/journal_frames.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* files counts the files in dir whose names end so. */
static int files(const char *dir, const char *end) {
    int cnt = 0;
    DIR *d = opendir(dir);
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name), tail = strlen(end);
        cnt += len > tail && strcmp(e->d_name + len - tail, end) == 0;
    }
    closedir(d);
    return cnt;
}

/* settled waits until dir has cnt files that end so, or more. */
static bool settled(const char *dir, const char *end, int cnt) {
    for (int i = 0; i < 4000 && files(dir, end) < cnt; i++) usleep(1000);
    return files(dir, end) >= cnt;
}

/* open_it opens the journal of a test. */
static void open_it(struct rt_journal *j, const struct rt_journal_options *o) {
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    if (rt_journal_open(j, o, &found, &err) != 0) fail_msg("%s", err.text);
}

/* Goal: compress, read back from the start and from the middle, live and after; reopen; append. */
static void test_archive(void **state) {
    (void)state;
    char dir[128], stage[128];
    dirs_make(dir, stage, "zst");
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    o.stage_segments = 4;
    struct rt_journal j;
    struct rt_error err = { 0 };
    struct rt_tape t;
    uint64_t positions[5000];
    open_it(&j, &o);
    for (uint64_t n = 0; n < 5000; n++) {
        positions[n] = rt_journal_position(&j);
        append_some(&j, 21, n, n + 1);
    }
    rt_journal_keep(&j, rt_journal_position(&j));
    assert_true(settled(dir, ".seg.zst", 7));
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    read_some(&t, 21, 0, 5000);
    append_some(&j, 21, 5000, 5100);
    read_some(&t, 21, 5000, 5100);
    rt_tape_close(&t);
    uint64_t gen = 3;
    for (int i = 0; i < 60; i++) {
        uint64_t n = (uint64_t)gen_range(&gen, 0, 4999);
        if (rt_tape_open(&t, dir, i % 2 ? stage : NULL, positions[n], &err) != 0)
            fail_msg("%s", err.text);
        for (uint64_t k = n; k < n + 50 && k < 4500; k++) {
            const struct msg_frame *f = rt_tape_next(&t);
            CHECK(n, f != NULL && frame_is(f, 21, k));
        }
        rt_tape_close(&t);
    }
    assert_int_equal(rt_journal_close(&j), 0);
    open_it(&j, &o);
    append_some(&j, 21, 5100, 6000);
    assert_int_equal(rt_journal_close(&j), 0);
    if (rt_tape_open(&t, dir, NULL, 0, &err) != 0) fail_msg("%s", err.text);
    read_some(&t, 21, 0, 6000);
    rt_tape_close(&t);

    /* 200 flips in an archived segment: never a wrong record, always noticed */
    char path[160];
    snprintf(path, sizeof path, "%s/3.seg.zst", dir);
    int fd = open(path, O_RDWR);
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    for (uint64_t round = 0; round < 200; round++) {
        uint8_t byte;
        off_t at = gen_range(&gen, 0, st.st_size - 1);
        assert_true(pread(fd, &byte, 1, at) == 1);
        uint8_t hurt = byte ^ (uint8_t)(1 << gen_range(&gen, 0, 7));
        assert_true(pwrite(fd, &hurt, 1, at) == 1);
        int code = rt_tape_open(&t, dir, NULL, 0, &err);
        if (code == 0) {
            uint64_t n = 0;
            const struct msg_frame *f;
            while ((f = rt_tape_next(&t)) != NULL) CHECK(round, frame_is(f, 21, n++));
            code = rt_tape_error(&t, &err);
            CHECK(round, code != 0 || n == 6000);
            /* a flip in what zstd does not look at (its frame's unused bits) changes nothing */
            CHECK(round, code == 0 || n < 6000);
            CHECK(round, code == 0 || err.text[0] != '\0');
            rt_tape_close(&t);
        }
        assert_true(pwrite(fd, &byte, 1, at) == 1);
    }
    close(fd);
}

/* Goal: a registered tail keeps its segments plain; above archive_bytes_max it is told its gap. */
static void test_tail(void **state) {
    (void)state;
    char dir[128], stage[128];
    dirs_make(dir, stage, "tail");
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    o.stage_segments = 4;
    struct rt_journal j;
    struct rt_error err = { 0 };
    struct rt_tape t;
    open_it(&j, &o);
    assert_int_equal(rt_tail_register(dir, "Bad", 0, &err), -EINVAL);
    assert_int_equal(rt_tail_move(dir, "recorder", 0), -ENOENT);
    assert_int_equal(rt_tail_register(dir, "recorder", 0, &err), 0);
    append_some(&j, 22, 0, 5000);
    rt_journal_keep(&j, rt_journal_position(&j));
    usleep(300000);
    assert_int_equal(files(dir, ".seg.zst"), 0);
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    for (uint64_t n = 0; n < 2500; n++) {
        const struct msg_frame *f = rt_tape_next(&t);
        CHECK(n, f != NULL && frame_is(f, 22, n));
    }
    assert_int_equal(rt_tail_move(dir, "recorder", rt_tape_position(&t)), 0);
    assert_true(settled(dir, ".seg.zst", 2));
    usleep(200000);
    int some = files(dir, ".seg.zst");
    assert_true(some >= 2 && some <= 5);
    assert_int_equal(rt_tail_drop(dir, "recorder"), 0);
    assert_true(settled(dir, ".seg.zst", 7));
    assert_int_equal(rt_journal_close(&j), 0);
    rt_tape_close(&t);

    o.archive_bytes_max = 256 << 10;
    open_it(&j, &o);
    assert_int_equal(rt_tail_register(dir, "slow", 0, &err), 0);
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    for (uint64_t n = 0; n < 10; n++) assert_non_null(rt_tape_next(&t));
    for (uint64_t n = 5000; n < 12000; n += 500) {
        append_some(&j, 22, n, n + 500);
        rt_journal_keep(&j, rt_journal_position(&j));
        usleep(20000);
    }
    usleep(400000);
    struct rt_tape late;
    assert_int_equal(rt_tape_open(&late, dir, stage, 0, &err), -ENODATA);
    assert_non_null(strstr(err.text, "dropped"));
    while (rt_tape_next(&t) != NULL) {
    }
    assert_int_equal(rt_tape_error(&t, &err), -ENODATA);
    rt_tape_close(&t);
    assert_int_equal(rt_journal_close(&j), 0);
}

/* main runs the tests of this file. */
int main(void) {
    base_make("journal-archive");
    if (rt_disk_start(NULL) != 0) return 1;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_archive),
                                        cmocka_unit_test(test_tail) };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rt_disk_stop();
    return base_clear(failed);
}
