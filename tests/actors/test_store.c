/* Goal    what is committed to the store is what is read from it, in order and once; a commit that
 *         fails at any call, and a set with any bit flipped, is noticed and loses nothing.
 * Method  random rows cut into random commits, against a plain sorted list; the seam fails call
 *         after call; every byte of a small set is changed in turn; a recorded file by way of the
 *         store and by the source "klines". */
#include "actors/data/commit.h"
#include "actors/data/import.h"
#include "actors/data/klines.h"
#include "actors/data/store_source.h"
#include "runtime/base/seam.h"
#include "tests/support/market_data.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

/* One minute. */
#define MINUTE 60000000000LL

/* entry_remove removes what nftw comes by. */
static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* dir_make makes an empty directory; dir_remove removes it with all in it. */
static void dir_make(char dir[64]) {
    snprintf(dir, 64, "/tmp/shrike-store-XXXXXX");
    assert_non_null(mkdtemp(dir));
}
/* dir_remove removes it with all in it. */
static void dir_remove(const char *dir) {
    (void)nftw(dir, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* bar_put fills a row with the bar of minute number n. */
static void bar_put(struct data_table *t, uint64_t row, int64_t n, int64_t salt) {
    int64_t price = 100LL * FIXED_ONE + n * 1000 + salt;
    data_i64_put(t, row, DATA_BAR_TIME, 1700000040000000000LL + n * MINUTE);
    for (uint32_t c = DATA_BAR_OPEN; c <= DATA_BAR_CLOSE; c++) data_i64_put(t, row, c, price);
    data_i64_put(t, row, DATA_BAR_HIGH, price + 7);
    data_i64_put(t, row, DATA_BAR_LOW, price - 7);
    data_f64_put(t, row, DATA_BAR_VOLUME, (double)n / 8);
}

/* bars_commit commits the minutes from..until (every step) to dir. */
static int bars_commit(const char *dir, int64_t from, int64_t until, int64_t step, int64_t salt,
                       enum data_overlap overlap, struct data_commit *out, struct rt_error *err) {
    struct data_table t;
    data_table_init(&t, data_stream_find("klines"), MINUTE);
    assert_int_equal(data_table_reserve(&t, (uint64_t)((until - from) / step) + 1, err), 0);
    for (int64_t n = from; n < until; n += step)
        bar_put(&t, data_table_add(&t, (uint64_t)n + 2), n, salt);
    struct data_commit c = { .dir = dir, .table = &t, .overlap = overlap, .now_ns = 5 };
    c.set = (struct data_set){ .venue = "test", .symbol = "AAAUSDT", .stream = t.stream };
    c.set.interval_ns = MINUTE;
    snprintf(c.import.tool, sizeof c.import.tool, "test");
    snprintf(c.import.hash, sizeof c.import.hash, "%064d", 0);
    snprintf(c.import.source, sizeof c.import.source, "file.csv");
    int rc = data_commit(&c, err);
    if (out != NULL) *out = c;
    data_table_fini(&t);
    return rc;
}

/* times_read opens dir and returns its rows as a table, which the caller frees. */
static int times_read(const char *dir, struct data_table *t, struct rt_error *err) {
    struct data_store s;
    data_table_init(t, data_stream_find("klines"), MINUTE);
    int rc = data_store_open(dir, &s, err);
    if (rc != 0) return rc;
    rc = data_store_read(&s, 0, s.rows, t, err);
    data_store_close(&s);
    return rc;
}

/* Goal: rows of commits in any order and overlap are one set, in order, each once; gaps are those
 * of the whole. Method: a bitmap of minutes as the naive twin. */
static void test_commits_against_bitmap(void **state) {
    (void)state;
    enum { SPAN = 20000 };
    for (uint64_t seed = 1; seed <= 12; seed++) {
        char dir[64];
        static uint8_t there[SPAN];
        uint64_t gen = seed, same = 0, rows = 0;
        struct rt_error err = { 0 };
        memset(there, 0, sizeof there);
        dir_make(dir);
        for (int i = 0; i < 8; i++) {
            int64_t from = gen_range(&gen, 0, SPAN - 2), step = gen_range(&gen, 1, 3);
            int64_t until = from + gen_range(&gen, 1, SPAN - from);
            uint64_t twice = 0, cnt = 0;
            for (int64_t n = from; n < until; n += step, cnt++) twice += there[n];
            struct data_commit c;
            CHECK(seed, bars_commit(dir, from, until, step, 0, DATA_OVERLAP_REFUSE, &c, &err) == 0);
            CHECK(seed, c.import.same == twice && c.import.rows == cnt - twice);
            for (int64_t n = from; n < until; n += step) there[n] = 1;
            same += twice;
        }
        struct data_store s;
        struct data_table t;
        CHECK(seed, data_store_open(dir, &s, &err) == 0);
        CHECK(seed, times_read(dir, &t, &err) == 0);
        uint64_t gaps = 0, missing = 0;
        int64_t last = -1;
        for (int64_t n = 0; n < SPAN; n++) {
            if (!there[n]) continue;
            CHECK(seed, data_time(&t, rows) == 1700000040000000000LL + n * MINUTE);
            CHECK(seed, data_f64(&t, rows, DATA_BAR_VOLUME) == (double)n / 8);
            if (last >= 0 && n - last > 1) {
                CHECK(seed, gaps < s.gap_cnt && s.gaps[gaps].missing == (uint64_t)(n - last - 1));
                gaps++;
                missing += (uint64_t)(n - last - 1);
            }
            CHECK(seed, data_store_row_of(&s, data_time(&t, rows), &err) == (int64_t)rows);
            CHECK(seed, data_store_row_of(&s, data_time(&t, rows) + 1, &err) == (int64_t)rows + 1);
            last = n;
            rows++;
        }
        CHECK(seed, s.rows == rows && s.gap_cnt == gaps && same + missing > 0);
        data_table_fini(&t);
        data_store_close(&s);
        dir_remove(dir);
    }
}

/* Goal: unequal rows of one time are refused, kept or replaced, as asked; what makes way is noted.
 * Method: one minute with another price. */
static void test_overlap(void **state) {
    (void)state;
    char dir[64], path[128], text[400] = "";
    struct rt_error err = { 0 };
    struct data_commit c;
    struct data_table t;
    dir_make(dir);
    assert_int_equal(bars_commit(dir, 0, 10, 1, 0, DATA_OVERLAP_REFUSE, &c, &err), 0);
    assert_int_equal(bars_commit(dir, 9, 12, 1, 5, DATA_OVERLAP_REFUSE, &c, &err), -EEXIST);
    assert_string_equal(err.text, "file.csv:11: the store has another row of "
                                  "2023-11-14T22:23:00Z; --overlap keep or replace decides");
    assert_int_equal(times_read(dir, &t, &err), 0);
    assert_int_equal(t.cnt, 10);
    data_table_fini(&t);
    assert_int_equal(bars_commit(dir, 9, 12, 1, 5, DATA_OVERLAP_KEEP, &c, &err), 0);
    assert_int_equal(c.import.left_out, 1);
    assert_int_equal(bars_commit(dir, 8, 9, 1, 3, DATA_OVERLAP_REPLACE, &c, &err), 0);
    assert_int_equal(c.replaced, 1);
    assert_int_equal(times_read(dir, &t, &err), 0);
    assert_int_equal(t.cnt, 12);
    assert_int_equal(data_i64(&t, 8, DATA_BAR_OPEN), 100LL * FIXED_ONE + 8003);
    assert_int_equal(data_i64(&t, 9, DATA_BAR_OPEN), 100LL * FIXED_ONE + 9000);
    data_table_fini(&t);
    snprintf(path, sizeof path, "%s/import-3.csv", dir);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(text, sizeof text, f) != NULL) continue;
    (void)fclose(f);
    assert_string_equal(text,
                        "replaced,0,2023-11-14T22:22:00Z,,,,overlap,"
                        "1700000520000;100.00008;100.00008007;100.00007993;100.00008;1;;;;\n");
    dir_remove(dir);
}

/* The seam that fails. */
static struct {
    struct rt_seam table; /* in use */
    int left;             /* calls until one fails */
    bool tripped;         /* it did */
} trip;

/* trip_now tells whether this call fails; all calls after it do, as after a crash. */
static bool trip_now(void) {
    if (trip.left > 0) {
        trip.left--;
        return false;
    }
    trip.tripped = true;
    return true;
}
/* trip_open is rt_seam.open. */
static int trip_open(const char *path, int flags, mode_t mode) {
    return trip_now() ? -EIO : rt_seam_real.open(path, flags, mode);
}
/* trip_pwrite is rt_seam.pwrite: half of it is written. */
static ssize_t trip_pwrite(int fd, const void *from, size_t cnt, uint64_t at) {
    if (!trip_now()) return rt_seam_real.pwrite(fd, from, cnt, at);
    (void)rt_seam_real.pwrite(fd, from, cnt / 2, at);
    return -ENOSPC;
}
/* trip_fsync is rt_seam.fsync. */
static int trip_fsync(int fd) {
    return trip_now() ? -EIO : rt_seam_real.fsync(fd);
}
/* trip_rename is rt_seam.rename. */
static int trip_rename(const char *from, const char *to) {
    return trip_now() ? -EIO : rt_seam_real.rename(from, to);
}
/* trip_unlink is rt_seam.unlink. */
static int trip_unlink(const char *path) {
    return trip_now() ? -EIO : rt_seam_real.unlink(path);
}

/* Goal: a commit that dies at any call leaves the old set or the new one, and the next commit
 * works. Method: the seam fails from call N on, for every N. */
static void test_dies_at_every_call(void **state) {
    (void)state;
    int before = 0, after = 0;
    for (int n = 0; n < 200; n++) {
        char dir[64];
        struct rt_error err = { 0 };
        struct data_table t;
        dir_make(dir);
        assert_int_equal(bars_commit(dir, 0, 5000, 1, 0, DATA_OVERLAP_REFUSE, NULL, &err), 0);
        trip.table = rt_seam_real;
        trip.table.open = trip_open;
        trip.table.pwrite = trip_pwrite;
        trip.table.fsync = trip_fsync;
        trip.table.rename = trip_rename;
        trip.table.unlink = trip_unlink;
        trip.left = n;
        trip.tripped = false;
        rt_seam = &trip.table;
        (void)bars_commit(dir, 5000, 9000, 1, 0, DATA_OVERLAP_REFUSE, NULL, &err);
        rt_seam = &rt_seam_real;
        assert_int_equal(times_read(dir, &t, &err), 0);
        assert_true(t.cnt == 5000 || t.cnt == 9000);
        before += t.cnt == 5000;
        after += t.cnt == 9000;
        data_table_fini(&t);
        assert_int_equal(bars_commit(dir, 5000, 9000, 1, 0, DATA_OVERLAP_REFUSE, NULL, &err), 0);
        assert_int_equal(times_read(dir, &t, &err), 0);
        assert_int_equal(t.cnt, 9000);
        data_table_fini(&t);
        dir_remove(dir);
        if (!trip.tripped) break;
    }
    assert_true(before > 5 && after > 1);
    assert_false(trip.tripped); /* the last round went through */
}

/* Goal: no changed byte of a set goes unnoticed. Method: each byte of its files is changed in turn
 * (padding between columns apart, which nobody reads). */
static void test_flipped_bytes(void **state) {
    (void)state;
    char dir[64], path[128];
    struct rt_error err = { 0 };
    struct data_table whole, t;
    uint64_t gen = 99, unseen = 0;
    dir_make(dir);
    assert_int_equal(bars_commit(dir, 0, 40, 1, 0, DATA_OVERLAP_REFUSE, NULL, &err), 0);
    assert_int_equal(times_read(dir, &whole, &err), 0);
    static const char *const names[] = { "manifest", "000001.col" };
    for (size_t f = 0; f < 2; f++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[f]);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        off_t size = lseek(fd, 0, SEEK_END);
        for (off_t at = 0; at < size; at++) {
            uint8_t was = 0, now;
            assert_int_equal(pread(fd, &was, 1, at), 1);
            now = was ^ (uint8_t)(1U << gen_range(&gen, 0, 7));
            assert_int_equal(pwrite(fd, &now, 1, at), 1);
            int rc = times_read(dir, &t, &err);
            if (rc == 0) { /* only what is not read may be changed */
                assert_int_equal(t.cnt, whole.cnt);
                for (uint32_t c = 0; c < t.stream->column_cnt; c++) {
                    size_t width = data_type_bytes(t.stream->columns[c].type);
                    assert_memory_equal(t.column[c], whole.column[c], width * t.cnt);
                }
                unseen++;
            } else {
                assert_non_null(strstr(err.text, dir));
            }
            data_table_fini(&t);
            assert_int_equal(pwrite(fd, &was, 1, at), 1);
        }
        (void)close(fd);
    }
    assert_true(unseen < 8500); /* two pages' rests and the columns' padding */
    data_table_fini(&whole);
    dir_remove(dir);
}

/* Goal: a recorded file gives the same rows by way of the store as by itself, for any span.
 * Method: the engine's rows of both, byte by byte. */
static void test_same_rows_as_file(void **state) {
    (void)state;
    char dir[64], data[4096], set[PATH_MAX], yaml[4400];
    struct rt_error err = { 0 };
    if (!md_shared(data)) skip();
    strcat(data, "/klines/binance_spot_BTCUSDT_1h_2018-2023.csv.zst");
    dir_make(dir);
    struct data_load_options o = { .symbol = "AAAUSDT" };
    struct data_load l;
    data_policy_default(o.quality.policy);
    assert_int_equal(data_load_file(data, &o, &l, &err), 0);
    assert_int_equal(l.set_cnt, 1);
    assert_string_equal(l.set[0].set.venue, "binance-spot");
    assert_int_equal(l.set[0].quality.counts[DATA_FAULT_GAP], 27); /* as its README counts */
    assert_int_equal(l.set[0].quality.gap_rows, 122);
    assert_int_equal(data_set_dir(dir, &l.set[0].set, set, &err), 0);
    struct data_commit c = { .dir = set, .set = l.set[0].set, .table = &l.set[0].table };
    snprintf(c.import.tool, sizeof c.import.tool, "test");
    snprintf(c.import.hash, sizeof c.import.hash, "-");
    assert_int_equal(data_commit(&c, &err), 0);
    struct mk_market *world = md_world();
    static const int64_t spans[][2] = { { INT64_MIN, INT64_MAX },
                                        { 1546300800000000000LL, 1577836800000000000LL },
                                        { 1514764800000000001LL, 1514851200000000000LL },
                                        { 0, 1 } };
    uint8_t hash[32] = { 0 };
    for (size_t i = 0; i < 4; i++) {
        struct md_source a, b;
        snprintf(yaml, sizeof yaml, "{kind: klines, instrument: AAA-PERP, interval: 1h, file: %s}",
                 data);
        assert_int_equal(
            md_open(&a, &data_klines_source, yaml, world, NULL, spans[i][0], spans[i][1], &err), 0);
        snprintf(yaml, sizeof yaml, "{kind: store, instrument: AAA-PERP, interval: 1h, data: %s}",
                 dir);
        if (md_open(&b, &data_store_source, yaml, world, NULL, spans[i][0], spans[i][1], &err) != 0)
            fail_msg("%s", err.text);
        assert_int_equal(a.series[0].rows_total, b.series[0].rows_total);
        assert_string_equal(a.series[0].name, b.series[0].name);
        assert_memory_not_equal(hash, b.series[0].hash, 32);
        memcpy(hash, b.series[0].hash, 32);
        size_t cnt = 0;
        const struct msg_bar *rows = a.series[0].rows_total > 0 ? md_rows(&a, 0, &cnt) : NULL;
        for (uint64_t row = 0; row < cnt;) {
            struct rt_block block;
            assert_int_equal(b.series[0].block(&b.series[0], row, &block), 0);
            assert_true(block.cnt > 0 && block.cnt <= DATA_STORE_STRETCH);
            assert_memory_equal(block.rows, rows + row, block.cnt * sizeof *rows);
            row += block.cnt;
        }
        struct rt_block end;
        assert_int_equal(b.series[0].block(&b.series[0], cnt, &end), 0);
        assert_int_equal(end.cnt, 0);
        md_close(&a);
        md_close(&b);
    }
    mk_market_close(world);
    data_load_close(&l);
    dir_remove(dir);
}

/* Goal: a source that asks for what is not there says so, with the place. Method: one line each. */
static void test_source_refusals(void **state) {
    (void)state;
    char dir[64], set[PATH_MAX], yaml[400];
    struct rt_error err = { 0 };
    dir_make(dir);
    snprintf(set, sizeof set, "%s/test/AAAUSDT/klines-1m", dir);
    assert_int_equal(bars_commit(set, 0, 10, 1, 0, DATA_OVERLAP_REFUSE, NULL, &err), 0);
    snprintf(set, sizeof set, "%s/other/AAAUSDT/klines-1m", dir);
    assert_int_equal(bars_commit(set, 0, 10, 1, 0, DATA_OVERLAP_REFUSE, NULL, &err), 0);
    static const char *const cases[][2] = {
        { "interval: 1m", "more than one of AAAUSDT 1m in " },
        { "interval: 5m", "nothing of AAAUSDT 5m in " },
        { "interval: 1m, venue: nobody", "no data in " },
        { "stream: trades, interval: 1m", "trades have no interval" },
        { "stream: candles", "\"candles\"; expected klines" },
        { "", "interval" },
        { "interval: 1m, venue: ../x", "expected letters" },
    };
    struct mk_market *world = md_world();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct md_source s;
        snprintf(yaml, sizeof yaml, "{kind: store, instrument: AAA-PERP, data: %s%s%s}", dir,
                 cases[i][0][0] != '\0' ? ", " : "", cases[i][0]);
        assert_int_equal(
            md_open(&s, &data_store_source, yaml, world, NULL, INT64_MIN, INT64_MAX, &err),
            -EINVAL);
        if (strstr(err.text, cases[i][1]) == NULL) fail_msg("%s: %s", cases[i][0], err.text);
        rt_config_close(s.tree);
    }
    mk_market_close(world);
    dir_remove(dir);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commits_against_bitmap), cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_dies_at_every_call),     cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_same_rows_as_file),      cmocka_unit_test(test_source_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
