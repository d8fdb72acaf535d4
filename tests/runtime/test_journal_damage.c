/* threaded: the disk thread
 *
 * Goal: damage is never silent. A tail cut anywhere, with garbage or zeros behind the cut, leaves a
 * prefix and a report; a flipped bit, a zeroed or swapped page leaves an error that names the
 * place, a mended journal, or a reported prefix, never a wrong record and never an unreported loss.
 * Old versions open, newer ones are refused with their number.
 * Method: a journal of several segments is copied, hurt, opened and read, from printed seeds; the
 * golden files in tests/runtime/golden were written by version 1. */
#include "runtime/base/crc32c.h"
#include "runtime/store/snapshot.h"
#include "tests/runtime/journal_frames.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* How much of a journal is cut, and what the golden one holds. */
enum { TAIL_BYTES = 65536, GOLDEN_FRAMES = 700, GOLDEN_SEED = 4242 };

/* shell runs a command of the shell. */
__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...) {
    char command[700];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

/* open_or tells how an open went. */
static int open_or(struct rt_journal *j, const struct rt_journal_options *o,
                   struct rt_journal_found *found, struct rt_error *err) {
    err->text[0] = '\0';
    return rt_journal_open(j, o, found, err);
}

/* Goal: in memory, every cut of the last 65,536 bytes with zeros or garbage behind it ends at the
 * last whole record before the cut and is no damage. */
static void test_cut_every_byte(void **state) {
    (void)state;
    const uint32_t size = 256 << 10;
    uint8_t *seg = aligned_alloc(64, size), *hurt = aligned_alloc(64, size);
    struct rt_journal_head h = {
        .head_bytes = 4096, .run_id = 7, .number = 3, .base = 1 << 20, .segment_bytes = size
    };
    memset(seg, 0, size);
    struct rt_journal j = { .at = seg + 4096,
                            .end = seg + size - 8,
                            .seed = seg_seed(7, 0, 3),
                            .base = h.base - 4096 - (uint64_t)(uintptr_t)seg };
    uint64_t bounds[4096], cnt = 0, n = 0;
    static uint64_t bytes[8192];
    for (;; n++) {
        uint32_t need = frame_fill((struct msg_frame *)(void *)bytes, 31, n);
        if (need > 4096) continue;
        if ((size_t)(j.end - j.at) < need) break;
        bounds[cnt++] = (uint64_t)(j.at - seg);
        rt_journal_append(&j, (struct msg_frame *)(void *)bytes, 0);
    }
    uint64_t end = (uint64_t)(j.at - seg), gen = 17;
    bounds[cnt] = end;
    uint64_t first = 0;
    while (bounds[first + 1] <= end - TAIL_BYTES) first++;
    uint64_t whole = first; /* last boundary at or before the cut */
    memcpy(hurt, seg, size);
    for (uint64_t cut = end - TAIL_BYTES; cut < end; cut++) {
        while (bounds[whole + 1] <= cut) whole++;
        for (int garbage = 0; garbage < 2; garbage++) {
            memset(hurt + cut, 0, size - cut);
            uint64_t stop = cut + (uint64_t)gen_range(&gen, 1, 300);
            for (uint64_t i = cut; garbage != 0 && i < stop && i < size; i++)
                hurt[i] = (uint8_t)gen_next(&gen);
            struct seg_copy copies[2] = { { NULL, 0 }, { hurt, size } };
            const uint64_t look[2] = { 0, size };
            struct seg_scan scan;
            seg_scan_copies(&h, copies, bounds[first], look, false, &scan);
            /* a record whose lost bytes were zeros is whole again under zeros */
            CHECK(cut, scan.end >= bounds[whole] && scan.end <= bounds[whole + 1]);
            CHECK(cut,
                  memcmp(hurt + bounds[whole], seg + bounds[whole], scan.end - bounds[whole]) == 0);
            CHECK(cut, !seg_is_damage(&h, copies, &scan));
        }
        memcpy(hurt + cut, seg + cut, 1);
    }
    free(seg);
    free(hurt);
}

/* journal_make makes a journal of frames 0..cnt-1 in dir, closed (close) or left as by a kill.
 * Returns its end. */
static uint64_t journal_make(const struct rt_journal_options *o, uint64_t seed, uint64_t cnt,
                             bool closed) {
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    if (rt_journal_open(&j, o, &found, &err) != 0) fail_msg("%s", err.text);
    append_some(&j, seed, 0, cnt);
    uint64_t end = rt_journal_position(&j);
    if (o->backing == RT_BACKING_DISK)
        assert_int_equal(rt_journal_wait(&j, rt_journal_position(&j)), 0);
    if (closed)
        assert_int_equal(rt_journal_close(&j), 0);
    else
        impl_abandon(&j);
    return end;
}

/* read_prefix reads the journal from the start: every record must be the next frame. Returns their
 * number; *code and err tell why it ended. */
static uint64_t read_prefix(const char *dir, const char *stage, uint64_t seed, uint64_t round,
                            int *code, struct rt_error *err) {
    struct rt_tape t;
    err->text[0] = '\0';
    *code = rt_tape_open(&t, dir, stage, 0, err);
    if (*code != 0) return 0;
    uint64_t n = 0;
    const struct msg_frame *f;
    while ((f = rt_tape_next(&t)) != NULL) CHECK(round, frame_is(f, seed, n++));
    *code = rt_tape_error(&t, err);
    rt_tape_close(&t);
    return n;
}

/* newest_file finds the newest begun segment of dir. */
static uint64_t newest_file(const char *dir, char path[200]) {
    uint64_t newest = 0;
    for (uint64_t n = 1; n < 100; n++) {
        struct rt_journal_head h;
        snprintf(path, 200, "%s/%llu.seg", dir, (unsigned long long)n);
        int fd = open(path, O_RDONLY);
        if (fd < 0) continue;
        ssize_t got = read(fd, &h, sizeof h);
        close(fd);
        if (got == sizeof h && h.version == 1) newest = n;
    }
    snprintf(path, 200, "%s/%llu.seg", dir, (unsigned long long)newest);
    return newest;
}

/* Goal: the same through files and rt_journal_open: cut files, zeros and garbage behind the cut, at
 * some hundred places; the journal goes on behind the cut. */
static void test_cut_files(void **state) {
    (void)state;
    char dir[128], stage[128], keep[128], path[200];
    dirs_make(dir, stage, "cut");
    snprintf(keep, sizeof keep, "%s/cut-keep", base);
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    o.stage_segments = 4;
    uint64_t total = 1000, gen = 23;
    uint64_t end = journal_make(&o, 33, total, true);
    shell("cp -r %s %s", dir, keep);
    newest_file(dir, path);
    struct rt_journal_head h;
    int fd = open(path, O_RDONLY);
    assert_true(read(fd, &h, sizeof h) == sizeof h);
    close(fd);
    uint64_t last = h.head_bytes + (end - h.base); /* offset of the end in the newest segment */
    assert_true(last > h.head_bytes + 20000);
    for (uint64_t round = 0; round < 100; round++) {
        uint64_t cut = (uint64_t)gen_range(&gen, (int64_t)h.head_bytes, (int64_t)last - 1);
        if (round < 70) cut = last - 1 - round;
        int fill = (int)gen_range(&gen, 0, 2);
        shell("cp %s/* %s/", keep, dir);
        assert_int_equal(truncate(path, (off_t)cut), 0);
        uint8_t junk[2000];
        for (size_t i = 0; i < sizeof junk; i++) junk[i] = fill == 1 ? 0 : (uint8_t)gen_next(&gen);
        fd = open(path, O_WRONLY);
        if (fill != 0)
            assert_true(pwrite(fd, junk, (size_t)gen_range(&gen, 1, 2000), (off_t)cut) > 0);
        close(fd);
        struct rt_journal j;
        struct rt_journal_found found;
        struct rt_error err;
        int code;
        uint64_t seen = read_prefix(dir, NULL, 33, round, &code, &err);
        CHECK(round, code == 0 && seen < total);
        if (open_or(&j, &o, &found, &err) != 0) fail_msg("round %d: %s", (int)round, err.text);
        CHECK(round, found.cut_bytes > 0 && strstr(found.report, "torn tail") != NULL);
        CHECK(round, found.end < end && found.end + h.head_bytes >= h.base);
        append_some(&j, 33, seen, seen + 60);
        CHECK(round, rt_journal_close(&j) == 0);
        CHECK(round, read_prefix(dir, NULL, 33, round, &code, &err) == seen + 60 && code == 0);
    }
}

/* hurt changes a random file among those of dir whose name ends so: 'f' flips a bit, 'z' zeroes a
 * sector or page, 's' swaps two pages. Offsets below skip are left alone. Returns the file's
 * name. */
static void hurt_one(const char *dir, const char *end, off_t skip, char how, uint64_t *gen,
                     char name[64]) {
    char names[64][64];
    int cnt = 0;
    DIR *d = opendir(dir);
    struct dirent *e;
    while ((e = readdir(d)) != NULL && cnt < 64) {
        size_t len = strlen(e->d_name), tail = strlen(end);
        if (len > tail && len < 60 && strcmp(e->d_name + len - tail, end) == 0)
            snprintf(names[cnt++], 64, "%.60s", e->d_name);
    }
    closedir(d);
    assert_true(cnt > 0);
    for (;;) {
        snprintf(name, 64, "%s", names[gen_range(gen, 0, cnt - 1)]);
        char path[256];
        snprintf(path, sizeof path, "%s/%s", dir, name);
        int fd = open(path, O_RDWR);
        struct stat st;
        uint8_t a[4096], b[4096], c[4096];
        assert_true(fd >= 0 && fstat(fd, &st) == 0);
        bool done = false;
        if (how == 'f') {
            off_t at = gen_range(gen, skip, st.st_size - 1);
            assert_true(pread(fd, a, 1, at) == 1);
            a[0] ^= (uint8_t)(1 << gen_range(gen, 0, 7));
            done = pwrite(fd, a, 1, at) == 1;
        } else {
            size_t unit = how == 'z' && gen_range(gen, 0, 1) ? 512 : 4096;
            off_t low = (skip + (off_t)unit - 1) / (off_t)unit, high = st.st_size / (off_t)unit - 1;
            off_t x = gen_range(gen, low, high) * (off_t)unit;
            off_t y = gen_range(gen, low, high) * (off_t)unit;
            memset(c, 0, sizeof c);
            assert_true(pread(fd, a, unit, x) == (ssize_t)unit);
            assert_true(pread(fd, b, unit, y) == (ssize_t)unit);
            if (how == 'z' && memcmp(a, c, unit) != 0) done = pwrite(fd, c, unit, x) > 0;
            if (how == 's' && memcmp(a, b, unit) != 0)
                done = pwrite(fd, b, unit, x) > 0 && pwrite(fd, a, unit, y) > 0;
        }
        close(fd);
        if (done) return;
    }
}

/* Goal: damage of a journal's files: an error that names the place, a report, or no loss at all.
 * Method: backing and left-behind state as told; 150 damages; after each, open and read all. */
static void damages(enum rt_backing backing, bool closed, const char *where, const char *name) {
    char dir[128], stage[128], keep[128];
    dirs_make(dir, stage, name);
    snprintf(keep, sizeof keep, "%s/%s-keep", base, name);
    struct rt_journal_options o = options(dir, stage, backing);
    o.stage_segments = backing == RT_BACKING_STAGE ? 16 : 4;
    const uint64_t total = 1500;
    uint64_t gen = 91 + (uint64_t)backing, errors = 0, reports = 0, mended = 0;
    journal_make(&o, 35, total, closed);
    shell("cp -r %s/%s %s", base, name, keep);
    bool slots = strcmp(where, ".slot") == 0;
    for (uint64_t round = 0; round < 100; round++) {
        const char ways[] = "fffzs";
        char how = ways[gen_range(&gen, 0, 4)], file[64];
        shell("rm -rf %s/%s && cp -r %s %s/%s", base, name, keep, base, name);
        /* of a slot the marks are left alone: they are hints, and nobody sums them */
        hurt_one(slots ? stage : dir, where, slots ? 4096 : 0, how, &gen, file);
        struct rt_journal j;
        struct rt_journal_found found;
        struct rt_error err = { 0 };
        int code, read_code = 0;
        uint64_t seen = read_prefix(dir, stage, 35, round, &read_code, &err);
        /* a reader alone: all, or an error, or the tail cut (which the open will tell of) */
        code = open_or(&j, &o, &found, &err);
        if (code != 0) {
            CHECK(round, code == -EBADMSG && err.text[0] != '\0');
            CHECK(round, strstr(err.text, "offset") != NULL || strstr(err.text, "missing") != NULL);
            errors++;
            continue;
        }
        impl_abandon(&j);
        seen = read_prefix(dir, stage, 35, round, &code, &err);
        if (code != 0) {
            CHECK(round, code == -EBADMSG && strstr(err.text, "offset") != NULL);
            errors++;
        } else if (seen < total) {
            CHECK(round, found.report[0] != '\0' && found.cut_bytes > 0);
            reports++;
        } else {
            mended++; /* nothing was lost: another copy had it, or nobody's bytes were hurt */
        }
    }
    print_message("%s %s: %llu errors, %llu reported cuts, %llu without loss\n", name, where,
                  (unsigned long long)errors, (unsigned long long)reports,
                  (unsigned long long)mended);
}

/* Goal: damage on disk, the journal closed; on disk after a kill, the stage there; on the stage
 * after a kill, with a disk behind and without. */
static void test_damage(void **state) {
    (void)state;
    damages(RT_BACKING_DISK, true, ".seg", "dc");
    damages(RT_BACKING_DISK, false, ".seg", "dk");
    damages(RT_BACKING_DISK, false, ".slot", "sk");
    damages(RT_BACKING_STAGE, false, ".slot", "so");
}

/* golden_dir names the golden files. */
static void golden_dir(char path[256]) {
    const char *source = getenv("SHRIKE_SOURCE");
    snprintf(path, 256, "%s/tests/runtime/golden", source != NULL ? source : ".");
}

/* on_row counts the rows of the golden snapshot and looks at them. */
static int on_row(void *arg, uint16_t owner, uint16_t kind, uint64_t key, const void *row,
                  uint32_t bytes, struct rt_error *err) {
    uint64_t *n = arg;
    uint64_t want[16];
    (void)err;
    for (size_t i = 0; i < 16; i++) want[i] = *n * 16 + i;
    assert_true(owner == *n % 3 && kind == 100 && key == *n * 7 && bytes == 8 * (*n % 16));
    assert_memory_equal(row, want, bytes);
    ++*n;
    return 0;
}

/* golden_write writes the golden files anew; only for a new version, by hand:
 * SHRIKE_GOLDEN=write. */
static void golden_write(const char *golden) {
    char dir[128], stage[128];
    dirs_make(dir, stage, "golden-write");
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    append_some(&j, GOLDEN_SEED, 0, GOLDEN_FRAMES);
    rt_journal_keep(&j, rt_journal_position(&j));
    usleep(1000000);
    assert_int_equal(rt_journal_close(&j), 0);
    struct rt_snapshots *s;
    char snap[160];
    snprintf(snap, sizeof snap, "%s/../snap", dir);
    assert_int_equal(rt_snapshots_open(snap, 1, 1 << 20, true, &s, &err), 0);
    for (uint64_t v = 1; v <= 2; v++) {
        while (!rt_snapshot_begin(s, 0, v * 5000)) usleep(100);
        for (uint64_t n = 0; n < 40; n++) {
            uint64_t row[16];
            for (size_t i = 0; i < 16; i++) row[i] = n * 16 + i;
            rt_snapshot_row(s, 0, (uint16_t)(n % 3), 100, n * 7, row, (uint32_t)(8 * (n % 16)));
        }
        assert_int_equal(rt_snapshot_end(s, 0), 0);
    }
    rt_snapshots_close(s);
    char path[200];
    uint64_t newest = newest_file(dir, path);
    for (uint64_t n = newest + 1; n < newest + 9; n++) {
        snprintf(path, sizeof path, "%s/%llu.seg", dir, (unsigned long long)n);
        unlink(path);
    }
    shell("mkdir -p %s/journal-1 %s/snapshot-1 && cp %s/* %s/journal-1/ && cp %s/*.mdb %s/*.sum "
          "%s/snapshot-1/",
          golden, golden, dir, golden, snap, snap, golden);
}

/* Goal: the journal and snapshot of version 1 open and hold what was written (D9). */
static void test_golden(void **state) {
    (void)state;
    char golden[256], dir[128], stage[128];
    golden_dir(golden);
    if (getenv("SHRIKE_GOLDEN") != NULL) golden_write(golden);
    dirs_make(dir, stage, "golden");
    shell("mkdir -p %s && cp %s/journal-1/* %s/", dir, golden, dir);
    struct rt_error err = { 0 };
    int code;
    assert_true(read_prefix(dir, NULL, GOLDEN_SEED, 0, &code, &err) == GOLDEN_FRAMES);
    assert_int_equal(code, 0);
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    struct rt_journal j;
    struct rt_journal_found found;
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_string_equal(found.report, "");
    append_some(&j, GOLDEN_SEED, GOLDEN_FRAMES, GOLDEN_FRAMES + 10);
    assert_int_equal(rt_journal_close(&j), 0);
    assert_true(read_prefix(dir, NULL, GOLDEN_SEED, 0, &code, &err) == GOLDEN_FRAMES + 10);
    char snap[300], report[300];
    uint64_t position, n = 0;
    snprintf(snap, sizeof snap, "%s/snapshot-1", golden);
    assert_int_equal(
        rt_snapshot_load(snap, 0, UINT64_MAX, on_row, &n, &position, report, sizeof report, &err),
        0);
    assert_true(position == 10000 && n == 40);
    assert_string_equal(report, "");
}

/* Goal: a newer version is refused with its number, by open and by tape, in journal and
 * snapshot. */
static void test_newer(void **state) {
    (void)state;
    char golden[256], dir[128], stage[128], path[200];
    golden_dir(golden);
    dirs_make(dir, stage, "newer");
    shell("mkdir -p %s && cp %s/journal-1/* %s/", dir, golden, dir);
    newest_file(dir, path);
    struct rt_journal_head h;
    int fd = open(path, O_RDWR);
    assert_true(pread(fd, &h, sizeof h, 0) == sizeof h);
    h.version = 7;
    h.crc = rt_crc32c_add(0xffffffffU, &h, offsetof(struct rt_journal_head, crc));
    assert_true(pwrite(fd, &h, sizeof h, 0) == sizeof h);
    close(fd);
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    assert_int_equal(rt_journal_open(&j, &o, &found, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "version 7"));
    struct rt_tape t;
    memset(&err, 0, sizeof err);
    assert_int_equal(rt_tape_open(&t, dir, NULL, 0, &err), -ENOTSUP);
    assert_non_null(strstr(err.text, "version 7"));
    char snap[160], report[300];
    snprintf(snap, sizeof snap, "%s/snap", base);
    shell("mkdir -p %s && cp %s/snapshot-1/* %s/", snap, golden, snap);
    uint8_t bytes[40];
    snprintf(path, sizeof path, "%s/b.sum", snap);
    fd = open(path, O_RDWR);
    assert_true(pread(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    bytes[8] = 9;
    uint32_t crc = rt_crc32c(bytes, 36);
    memcpy(bytes + 36, &crc, 4);
    assert_true(pwrite(fd, bytes, sizeof bytes, 0) == sizeof bytes);
    close(fd);
    uint64_t position, n = 0;
    assert_int_equal(
        rt_snapshot_load(snap, 0, UINT64_MAX, on_row, &n, &position, report, sizeof report, &err),
        -ENOTSUP);
    assert_non_null(strstr(err.text, "version 9"));
    struct rt_snapshots *s;
    assert_int_equal(rt_snapshots_open(snap, 1, 1 << 20, true, &s, &err), -ENOTSUP);
}

/* main runs the tests of this file. */
int main(void) {
    base_make("journal-damage");
    if (rt_disk_start(NULL) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_every_byte), cmocka_unit_test(test_cut_files),
        cmocka_unit_test(test_damage),         cmocka_unit_test(test_golden),
        cmocka_unit_test(test_newer),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rt_disk_stop();
    return base_clear(failed);
}
