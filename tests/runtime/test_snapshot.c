/* threaded: the helper thread
 *
 * Goal: what was saved comes back in order, of the newest snapshot that the journal reaches; a
 * damaged environment is noticed, told, and the other one taken; two damaged give none; a killed
 * process leaves one that is whole.
 * Method: rows from a printed seed; flips, zeroed and swapped pages, cut files; kill -9 in
 * commits. */
#include "runtime/base/seam.h"
#include "runtime/store/snapshot.h"
#include "tests/support/check.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64]; /* directory of the test */

/* row_fill makes row number n of snapshot version, returns its bytes. */
static uint32_t row_fill(uint8_t *row, uint64_t version, uint32_t shard, uint32_t n) {
    uint64_t gen = version * 7919 + shard * 104729 + n;
    uint32_t bytes = (uint32_t)gen_range(&gen, 0, 200);
    if (n == 3) bytes = 40000;
    for (uint32_t i = 0; i < bytes; i++) row[i] = (uint8_t)gen_next(&gen);
    return bytes;
}

/* rows_of tells how many rows a version has. */
static uint32_t rows_of(uint64_t version) {
    return (uint32_t)(50 + version * 37 % 100);
}

/* What a load is compared with. */
struct expect {
    uint64_t version; /* version that must come, told by the first row */
    uint32_t shard;   /* of this shard */
    uint32_t n;       /* rows seen */
    bool wrong;       /* something differed */
};

/* on_row compares a row with that of some version: the first tells which. */
static int on_row(void *arg, uint16_t owner, uint16_t kind, uint64_t key, const void *row,
                  uint32_t bytes, struct rt_error *err) {
    static uint8_t want[65536];
    struct expect *e = arg;
    (void)err;
    if (((uintptr_t)row & 7U) != 0) e->wrong = true;
    uint32_t cnt = row_fill(want, e->version, e->shard, e->n);
    if (owner != e->n % 5 || kind != 100 + e->n || key != e->n * 3 || cnt != bytes ||
        memcmp(row, want, cnt) != 0)
        e->wrong = true;
    e->n++;
    return 0;
}

/* load takes the newest snapshot up to end and tells its version, 0 = none; report gets the
 * report. */
static uint64_t load(uint32_t shard, uint64_t end, uint64_t guess, char report[300]) {
    struct rt_error err = { 0 };
    uint64_t position;
    struct expect e = { .version = guess, .shard = shard };
    if (rt_snapshot_load(dir, shard, end, on_row, &e, &position, report, 300, &err) != 0)
        fail_msg("%s", err.text);
    if (position == 0) {
        assert_int_equal(e.n, 0);
        return 0;
    }
    if (position == guess * 1000) {
        assert_false(e.wrong);
        assert_int_equal(e.n, rows_of(guess));
    }
    return position / 1000;
}

/* clear makes dir anew. */
static void clear(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* open_all opens the snapshots of two shards. */
static struct rt_snapshots *open_all(void) {
    struct rt_snapshots *s;
    struct rt_error err = { 0 };
    if (rt_snapshots_open(dir, 2, 1 << 20, true, &s, &err) != 0) fail_msg("%s", err.text);
    return s;
}

/* file_change changes a byte range of a file in dir by fn's letter: f flip a bit, z zero, t
 * truncate, s swap two pages. */
static void file_change(const char *name, char how, uint64_t *gen) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    uint8_t a[4096], b[4096];
    off_t pages = st.st_size / 4096;
    if (how == 'f') {
        off_t at = gen_range(gen, 0, st.st_size - 1);
        assert_true(pread(fd, a, 1, at) == 1);
        a[0] ^= (uint8_t)(1 << gen_range(gen, 0, 7));
        assert_true(pwrite(fd, a, 1, at) == 1);
    } else if (how == 't') {
        assert_int_equal(ftruncate(fd, gen_range(gen, 0, st.st_size - 1)), 0);
    } else {
        for (;;) { /* two pages that differ */
            off_t x = gen_range(gen, 0, pages - 1) * 4096, y = gen_range(gen, 0, pages - 1) * 4096;
            assert_true(pread(fd, a, 4096, x) == 4096 && pread(fd, b, 4096, y) == 4096);
            if (how == 'z') memset(b, 0, sizeof b);
            if (memcmp(a, b, 4096) == 0) continue;
            assert_true(pwrite(fd, b, 4096, x) == 4096);
            if (how == 's') assert_true(pwrite(fd, a, 4096, y) == 4096);
            break;
        }
    }
    close(fd);
}

/* versions_save saves versions from..to of both shards, the last in environment b when to is
 * even. */
static void versions_save(uint64_t from, uint64_t to) {
    static uint8_t row[65536];
    struct rt_snapshots *s = open_all();
    for (uint64_t v = from; v <= to; v++)
        for (uint32_t shard = 0; shard < 2; shard++) {
            while (!rt_snapshot_begin(s, shard, v * 1000)) usleep(50);
            for (uint32_t n = 0; n < rows_of(v); n++) {
                uint32_t bytes = row_fill(row, v, shard, n);
                rt_snapshot_row(s, shard, (uint16_t)(n % 5), (uint16_t)(100 + n), n * 3, row,
                                bytes);
            }
            assert_int_equal(rt_snapshot_end(s, shard), 0);
        }
    rt_snapshots_close(s);
}

/* Goal: save, load, the newest that the journal reaches, over reopening. */
static void test_round_trip(void **state) {
    (void)state;
    char report[300];
    clear();
    assert_true(load(0, 1 << 20, 1, report) == 0); /* no directory: none */
    struct rt_snapshots *s;
    s = open_all();
    assert_true(rt_snapshot_committed(s, 0) == 0);
    rt_snapshots_close(s);
    versions_save(1, 6);
    assert_true(load(0, 1 << 20, 6, report) == 6);
    assert_string_equal(report, "");
    assert_true(load(1, 1 << 20, 6, report) == 6);
    assert_true(load(0, 5999, 5, report) == 5); /* the journal ends before the newest */
    assert_non_null(strstr(report, "behind the end"));
    assert_true(load(0, 4999, 5, report) == 0);
    assert_true(load(7, 1 << 20, 5, report) == 0);
    s = open_all();
    assert_true(rt_snapshot_committed(s, 0) == 5000);
    assert_true(rt_snapshots_failed(s, NULL) == 0);
    rt_snapshots_close(s);
}

/* Goal: 300 damages of the newer environment or its sum: each is noticed and told, the other is
 * taken whole; both damaged: none. */
static void test_damage(void **state) {
    (void)state;
    uint64_t gen = 31;
    char command[256], report[300];
    const char ways[] = "fffffzst";
    clear();
    versions_save(1, 6);
    snprintf(command, sizeof command, "rm -rf %s.keep && cp -r %s %s.keep", dir, dir, dir);
    assert_int_equal(system(command), 0);
    for (uint64_t round = 0; round < 300; round++) {
        char how = ways[gen_range(&gen, 0, 7)];
        bool sum = gen_range(&gen, 0, 9) == 0 && (how == 'f' || how == 't');
        int newer = gen_range(&gen, 0, 2) != 0;
        char name[8], back[256];
        snprintf(name, sizeof name, "%c.%s", newer ? 'b' : 'a', sum ? "sum" : "mdb");
        file_change(name, how, &gen);
        uint64_t got = load((uint32_t)(round & 1), 1 << 20, newer ? 5 : 6, report);
        CHECK(round, got == (newer ? 5U : 6U));
        CHECK(round,
              strstr(report, newer ? "snapshot b is damaged" : "snapshot a is damaged") != NULL);
        if (round % 10 == 0) {
            file_change(newer ? "a.mdb" : "b.mdb", 'f', &gen);
            CHECK(round, load(0, 1 << 20, 5, report) == 0);
            CHECK(round,
                  strstr(report, "a is damaged") != NULL && strstr(report, "b is damaged") != NULL);
            snprintf(back, sizeof back, "cp %s.keep/* %s/", dir, dir);
        } else {
            snprintf(back, sizeof back, "cp %s.keep/%s %s/%s", dir, name, dir, name);
        }
        assert_int_equal(system(back), 0);
    }
    /* an engine that opens over a damaged one goes on with the other */
    file_change("b.mdb", 'z', &gen);
    struct rt_snapshots *s = open_all();
    struct rt_error why;
    assert_true(rt_snapshots_failed(s, &why) == 1);
    assert_non_null(strstr(why.text, "snapshot b is damaged"));
    assert_true(rt_snapshot_committed(s, 0) == 0);
    rt_snapshots_close(s);
    versions_save(7, 8);
    assert_true(load(0, 1 << 20, 8, report) == 8);
    assert_string_equal(report, "");
    snprintf(command, sizeof command, "rm -rf %s.keep", dir);
    assert_int_equal(system(command), 0);
}

/* Goal: a snapshot that does not fit is dropped, told and counted; the next one is fine. */
static void test_overflow(void **state) {
    (void)state;
    static uint8_t row[60000];
    char report[300];
    clear();
    versions_save(1, 2);
    struct rt_snapshots *s = open_all();
    assert_true(rt_snapshot_begin(s, 0, 3000));
    assert_false(rt_snapshot_begin(s, 0, 3000));
    for (int i = 0; i < 20; i++) rt_snapshot_row(s, 0, 1, 100, 0, row, sizeof row);
    assert_int_equal(rt_snapshot_end(s, 0), -ENOSPC);
    struct rt_error why;
    assert_true(rt_snapshots_failed(s, &why) == 1);
    assert_non_null(strstr(why.text, "does not fit"));
    rt_snapshots_close(s);
    assert_true(load(0, 1 << 20, 2, report) == 2);
}

/* Goal: kill -9 while commits run: what was committed before (its successor begun) is there. */
static void test_kill(void **state) {
    (void)state;
    _Atomic uint64_t *done =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t gen = 55, next = 1;
    char report[300];
    clear();
    for (uint64_t round = 0; round < 25; round++) {
        *done = next - 1;
        pid_t pid = fork();
        if (pid == 0) {
            static uint8_t row[65536];
            struct rt_snapshots *s;
            struct rt_error err = { 0 };
            if (rt_snapshots_open(dir, 1, 1 << 20, true, &s, &err) != 0) _exit(3);
            for (uint64_t v = next;; v++) {
                while (!rt_snapshot_begin(s, 0, v * 1000)) usleep(20);
                *done = v - 1; /* committed: the buffer is free again */
                for (uint32_t n = 0; n < rows_of(v); n++) {
                    uint32_t bytes = row_fill(row, v, 0, n);
                    rt_snapshot_row(s, 0, (uint16_t)(n % 5), (uint16_t)(100 + n), n * 3, row,
                                    bytes);
                }
                if (rt_snapshot_end(s, 0) != 0) _exit(4);
            }
        }
        usleep((useconds_t)gen_range(&gen, 1000, 30000));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        CHECK(round, WIFSIGNALED(status));
        uint64_t got = load(0, UINT64_MAX, *done, report);
        if (got != *done) {
            got = load(0, UINT64_MAX, *done + 1, report);
            if (got != *done + 1) got = load(0, UINT64_MAX, *done - 1, report);
        }
        /* a commit under way when it was killed hurts one environment: the one before holds */
        CHECK(round, got + 1 >= *done && got <= *done + 1);
        if (got > 0) next = got + 1;
    }
    munmap((void *)(uintptr_t)done, 4096);
}

/* main runs the tests of this file. */
int main(void) {
    snprintf(dir, sizeof dir, "/dev/shm/shrike-snapshot-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_kill),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    clear();
    return failed;
}
