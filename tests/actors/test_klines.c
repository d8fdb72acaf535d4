/* Goal    bars come out of kline CSV exactly, in every form that Binance and our files have, and
 *         what is wrong is refused with its place.
 * Method  recorded files, whose rows and gaps their README tells (counted by other programs); forms
 *         of one small file; random rows against a reader written plainly; a corpus of broken
 *         files with the line that each must say. */
#include "actors/data/klines.h"
#include "actors/data/trades.h"
#include "runtime/base/hash.h"
#include "tests/support/market_data.h"
#include <fcntl.h>
#include <zlib.h>
#include <zstd.h>

/* A recorded file and what its README says of it. */
struct recorded {
    const char *file;     /* under klines/ */
    const char *interval; /* as YAML */
    size_t rows;          /* rows */
    uint64_t gaps;        /* times that bars are missing */
    uint64_t missing;     /* bars missing */
    size_t idle;          /* bars without volume */
};

static const struct recorded recorded[] = {
    { "binance_spot_BNBUSDT_1d_2018-2023.csv.zst", "1d", 2191, 0, 0, 0 },
    { "binance_spot_BTCUSDT_1h_2018-2023.csv.zst", "1h", 52462, 27, 122, 3 },
    { "binance_spot_BTCUSDT_1h_2024-10-28.csv", "1h", 24, 0, 0, 0 },
    { "binance_spot_ETHUSDT_1h_2018-2023.csv.zst", "1h", 52462, 27, 122, 3 },
    { "binance_spot_LTCUSDT_1h_2022-2023.csv.zst", "1h", 17519, 1, 1, 1 },
    { "binance_spot_XRPUSDT_1d_2018-2023.csv.zst", "1d", 2068, 0, 0, 0 },
    { "binance_um_AVAXUSDT_1m_2024-02.csv.zst", "1m", 41760, 0, 0, 0 },
    { "binance_um_BTCUSDT_1h_2019-2023.csv.zst", "1h", 37807, 0, 0, 3 },
    { "binance_um_BTCUSDT_1h_mark_2019-2023.csv.zst", "1h", 35269, 0, 0, 35269 },
    { "binance_um_BTCUSDT_1m_202505.csv.zst", "1m", 43167, 0, 0, 0 },
    { "binance_um_BTCUSDT_5m_202311-202412.csv.zst", "5m", 122688, 0, 0, 16 },
    { "binance_um_BTCUSDT_8h_mark_202503.csv", "8h", 266, 0, 0, 266 },
    { "binance_um_FILUSDT_1m_2024-10.csv.zst", "1m", 44640, 0, 0, 89 },
};

/* Goal: recorded files are read whole. Method: rows, gaps and bars without volume as in the README
 * of the data, taken from the report and from the rows. */
static void test_recorded_files(void **state) {
    (void)state;
    char dir[4096], yaml[512], expected[200];
    if (!md_shared(dir)) skip();
    strcat(dir, "/klines");
    struct mk_market *world = md_world();
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
        const struct recorded *r = &recorded[i];
        struct md_source s;
        snprintf(yaml, sizeof yaml, "{kind: klines, instrument: AAA-PERP, interval: %s, file: %s}",
                 r->interval, r->file);
        md_must_open(&s, &data_klines_source, yaml, world, dir);
        size_t cnt, idle = 0;
        const struct msg_bar *bars = md_rows(&s, 0, &cnt);
        for (size_t k = 0; k < cnt; k++) idle += bars[k].volume == 0;
        assert_int_equal(cnt, r->rows);
        assert_int_equal(idle, r->idle);
        snprintf(expected, sizeof expected, "%llu gaps (%llu bars missing)",
                 (unsigned long long)r->gaps, (unsigned long long)r->missing);
        if (strstr(s.init.report, expected) == NULL) fail_msg("%s: %s", r->file, s.init.report);
        md_close(&s);
    }
    mk_market_close(world);
}

static const char rows12[] =
    "1730073600000,67992.70,68094.60,67804.70,67835.20,5179.117,1730077199999,351923638.03910,"
    "85022,2415.052,164090858.68940,0\n"
    "1730077200000,67835.20,67900,67830.00000000,67890.10,120.5,1730080799999,8176252.05,2100,"
    "60.25,4088126.02,0\n"
    "1730084400000,67890.10,99999999.99999999,0.00000001,67890.10,0,1730087999999,0,0,0,0,0\n";

/* expect_rows12 holds bars against what rows12 says. */
static void expect_rows12(const struct msg_bar *b, size_t cnt) {
    assert_int_equal(cnt, 3);
    assert_int_equal(b[0].open_ns, 1730073600000000000LL);
    assert_int_equal(b[0].open, 6799270000000LL);
    assert_int_equal(b[0].high, 6809460000000LL);
    assert_int_equal(b[0].low, 6780470000000LL);
    assert_int_equal(b[0].close, 6783520000000LL);
    assert_true(b[0].volume == 5179.117);
    assert_int_equal(b[1].high, 6790000000000LL);
    assert_int_equal(b[1].low, 6783000000000LL);
    assert_int_equal(b[2].open_ns, 1730084400000000000LL);
    assert_int_equal(b[2].high, 9999999999999999LL);
    assert_int_equal(b[2].low, 1);
    assert_true(b[2].volume == 0);
}

/* parse_all reads text whole. */
static size_t parse_all(const char *text, size_t bytes, struct data_klines *k, struct msg_bar *rows,
                        size_t rows_max) {
    size_t cnt = 0;
    struct rt_error err = { 0 };
    *k = (struct data_klines){ .file = "text", .interval_ns = 3600000000000LL, .instrument = 1 };
    if (data_klines_parse(text, bytes, k, rows, rows_max, &cnt, &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(k->at, bytes);
    return cnt;
}

/* Goal: one content, many forms. Method: heading or none, line ends, byte order mark, no last line
 * end, six columns, times in all units. */
static void test_forms(void **state) {
    (void)state;
    static const char heading[] = "open_time,open,high,low,close,volume,close_time,quote_volume,"
                                  "count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
    char text[8192];
    struct msg_bar rows[16];
    struct data_klines k;
    size_t cnt = parse_all(rows12, strlen(rows12), &k, rows, 16);
    expect_rows12(rows, cnt);
    assert_int_equal(rows[0].count, 85022);
    assert_int_equal(rows[0].interval_ns, 3600000000000LL);
    assert_int_equal(k.missing, 1);
    assert_int_equal(k.gaps, 1);
    expect_rows12(rows, parse_all(rows12, strlen(rows12) - 1, &k, rows, 16));
    snprintf(text, sizeof text, "\xef\xbb\xbf%s%s", heading, rows12);
    expect_rows12(rows, parse_all(text, strlen(text), &k, rows, 16));
    for (int last = 0; last < 3; last++) { /* \r\n, without the last \n, without both */
        size_t n = 0;
        for (const char *p = rows12; *p != '\0'; p++) {
            if (*p == '\n') text[n++] = '\r';
            text[n++] = *p;
        }
        expect_rows12(rows, parse_all(text, n - (size_t)last, &k, rows, 16));
    }
    static const char *const units[] = { "", "000", "000000", "000000000" };
    for (int unit = 0; unit < 4; unit++) {
        snprintf(text, sizeof text,
                 "Open_Time_ms,\"Open\",HIGH,low,close,volume\n"
                 "1730073600%s,67992.70,68094.60,67804.70,67835.20,5179.117\n"
                 "1730077200%s,67835.20,67900,67830.0000000000,67890.10,120.5\n"
                 "1730084400%s,67890.10,099999999.99999999,0.00000001,67890.10,0\n",
                 units[unit], units[unit], units[unit]);
        expect_rows12(rows, parse_all(text, strlen(text), &k, rows, 16));
        assert_int_equal(rows[0].count, 0);
    }
}

/* plain_fixed is a decimal read the plain way. */
static int64_t plain_fixed(const char *text) {
    const char *dot = strchr(text, '.');
    int64_t v = strtoll(text, NULL, 10) * 100000000LL, unit = 10000000;
    for (const char *p = dot == NULL ? "" : dot + 1; *p != '\0'; p++, unit /= 10) {
        v += (*p - '0') * unit;
    }
    return v;
}

/* put_decimal writes a random decimal from 1e-8 up to most whole units, of random form. */
static void put_decimal(uint64_t *gen, int64_t most, char *out) {
    int decimals = (int)gen_range(gen, 0, 8);
    int64_t whole = gen_range(gen, 0, most), digits = 1;
    for (int i = 0; i < decimals; i++) digits *= 10;
    if (decimals == 0) {
        snprintf(out, 32, "%lld", (long long)whole + 1);
    } else {
        snprintf(out, 32, "%lld.%0*lld", (long long)whole, decimals,
                 (long long)gen_range(gen, 1, digits - 1));
    }
}

/* Goal: figures are exact whatever their length. Method: random rows of decimals of 1 to 11 and 0
 * to 8 digits against a plain reader and strtod; whole and in pieces. */
static void test_random_rows(void **state) {
    (void)state;
    enum { ROWS = 300 };
    static char text[ROWS * 400], field[ROWS][5][32];
    static struct msg_bar rows[ROWS + 1], pieces[ROWS + 1];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t gen = seed;
        bool wide = seed % 2;
        int64_t most = seed % 3 == 0 ? 92233720367LL : seed % 3 == 1 ? 99999999 : 99999;
        size_t n = wide ? 0 : (size_t)sprintf(text, "open_time,open,high,low,close,volume\n");
        for (int i = 0; i < ROWS; i++) {
            for (int f = 0; f < 5; f++) put_decimal(&gen, most, field[i][f]);
            for (int a = 0; a < 4; a++) { /* sorts so that 1 is highest, 2 lowest */
                if (plain_fixed(field[i][a]) > plain_fixed(field[i][1])) {
                    char swap[32];
                    memcpy(swap, field[i][a], 32);
                    memcpy(field[i][a], field[i][1], 32);
                    memcpy(field[i][1], swap, 32);
                }
            }
            for (int a = 0; a < 4; a++) {
                if (plain_fixed(field[i][a]) < plain_fixed(field[i][2])) {
                    char swap[32];
                    memcpy(swap, field[i][a], 32);
                    memcpy(field[i][a], field[i][2], 32);
                    memcpy(field[i][2], swap, 32);
                }
            }
            n += (size_t)sprintf(text + n, "%lld,%s,%s,%s,%s,%s%s\n",
                                 1730073600000LL + i * 3600000LL, field[i][0], field[i][1],
                                 field[i][2], field[i][3], field[i][4],
                                 wide ? ",1,2.5,77,1234567890123.12345678,0.1,0" : "");
        }
        struct data_klines k;
        CHECK(seed, parse_all(text, n, &k, rows, ROWS + 1) == ROWS);
        for (int i = 0; i < ROWS; i++) {
            CHECK(seed, rows[i].open == plain_fixed(field[i][0]));
            CHECK(seed, rows[i].high == plain_fixed(field[i][1]));
            CHECK(seed, rows[i].low == plain_fixed(field[i][2]));
            CHECK(seed, rows[i].close == plain_fixed(field[i][3]));
            CHECK(seed, rows[i].volume == strtod(field[i][4], NULL));
            CHECK(seed, rows[i].count == (wide ? 77 : 0));
        }
        k = (struct data_klines){ .file = "t", .interval_ns = 3600000000000LL, .instrument = 1 };
        struct rt_error err = { 0 };
        size_t done = 0, got = 0;
        while (done == 0 || k.at < n) {
            size_t piece = (size_t)gen_range(&gen, 1, 9);
            CHECK(seed, data_klines_parse(text, n, &k, pieces + done, piece, &got, &err) == 0);
            done += got;
        }
        CHECK(seed, done == ROWS && memcmp(rows, pieces, ROWS * sizeof rows[0]) == 0);
    }
}

/* put_file writes a file into dir. */
static void put_file(const char *dir, const char *name, const void *bytes, size_t cnt) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, cnt, f), cnt);
    assert_int_equal(fclose(f), 0);
}

/* Goal: packed files, several files, the run's span, volume: none, and hashes. Method: one content
 * written in these ways; the hash of one file is that of its bytes on disk. */
static void test_source(void **state) {
    (void)state;
    char dir[] = "/tmp/test_klines_XXXXXX", packed[4096], command[128];
    uint8_t hash[32];
    assert_non_null(mkdtemp(dir));
    struct mk_market *world = md_world();
    struct md_source s;
    struct rt_error err = { 0 };
    size_t cnt, first = (size_t)(strchr(rows12, '\n') - rows12) + 1;
    put_file(dir, "a.csv", rows12, strlen(rows12));
    put_file(dir, "b.csv", rows12, first);
    put_file(dir, "c.csv", rows12 + first, strlen(rows12) - first);
    size_t z = ZSTD_compress(packed, sizeof packed, rows12, first, 1);
    z += ZSTD_compress(packed + z, sizeof packed - z, rows12 + first, strlen(rows12) - first, 1);
    put_file(dir, "two_frames.zst", packed, z);
    char path[4200];
    snprintf(path, sizeof path, "%s/a.csv.gz", dir);
    gzFile gz = gzopen(path, "wb");
    assert_true(gzwrite(gz, rows12, (unsigned)first) > 0);
    assert_int_equal(gzclose(gz), Z_OK);
    gz = gzopen(path, "ab"); /* a second member */
    assert_true(gzwrite(gz, rows12 + first, (unsigned)(strlen(rows12) - first)) > 0);
    assert_int_equal(gzclose(gz), Z_OK);
    static const char *const files[] = { "file: a.csv", "file: two_frames.zst", "file: a.csv.gz",
                                         "files: [b.csv, c.csv]" };
    char yaml[512];
    for (int i = 0; i < 4; i++) {
        snprintf(yaml, sizeof yaml,
                 "{kind: klines, instrument: BBB-SPOT, interval: 1h, volume: %s, %s}",
                 i == 1 ? "none" : "declared", files[i]);
        md_must_open(&s, &data_klines_source, yaml, world, dir);
        const struct msg_bar *b = md_rows(&s, 0, &cnt);
        expect_rows12(b, cnt);
        assert_int_equal(b[0].instrument, 2);
        assert_int_equal(b[0].flags, i == 1 ? DATA_BAR_NO_VOLUME : 0);
        assert_string_equal(s.series[0].name, "BBB-SPOT 1h");
        assert_int_equal(s.series[0].row_kind, MSG_BAR);
        assert_int_equal(s.series[0].open_kind, MSG_BAR_OPEN);
        assert_int_equal(s.series[0].key, 2);
        assert_int_equal(s.series[0].span_ns, 3600000000000LL);
        struct msg_bar_open open;
        s.series[0].open_of(&s.series[0], &b[2], &open);
        assert_int_equal(open.open, 6789010000000LL);
        assert_int_equal(open.traded, i == 1); /* no volume: works nothing, unless declared so */
        if (i == 0) {
            rt_sha256(rows12, strlen(rows12), hash);
            assert_memory_equal(hash, s.series[0].hash, 32);
        }
        struct rt_block block;
        assert_int_equal(s.series[0].block(&s.series[0], 2, &block), 0);
        assert_ptr_equal(block.rows, b + 2);
        assert_int_equal(block.cnt, 1);
        assert_int_equal(s.series[0].block(&s.series[0], 3, &block), 0);
        assert_int_equal(block.cnt, 0);
        md_close(&s);
    }
    /* bars that begin from start on and end by end */
    snprintf(yaml, sizeof yaml, "{kind: klines, instrument: AAA-PERP, interval: 1h, file: a.csv}");
    const int64_t begin_ns = 1730073600000000000LL, hour_ns = 3600000000000LL;
    static const struct {
        int64_t from, to; /* hours after the first bar's open, in halves */
        size_t first, cnt;
    } spans[] = { { 0, 8, 0, 3 }, { 0, 7, 0, 2 },  { 1, 8, 1, 2 }, { 2, 4, 1, 1 },
                  { 0, 1, 0, 0 }, { 9, 12, 3, 0 }, { 2, 3, 1, 0 } };
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        assert_int_equal(md_open(&s, &data_klines_source, yaml, world, dir,
                                 begin_ns + spans[i].from * hour_ns / 2,
                                 begin_ns + spans[i].to * hour_ns / 2, &err),
                         0);
        assert_int_equal(s.series[0].rows_total, spans[i].cnt);
        const struct msg_bar *b = md_rows(&s, 0, &cnt);
        if (cnt > 0) assert_int_equal(b[0].open_ns, begin_ns + (spans[i].first == 0 ? 0 : hour_ns));
        md_close(&s);
    }
    mk_market_close(world);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* Goal: every fault has its one line. Method: each file of tests/data/broken is opened as a source;
 * expected.txt has what it must say. */
static void test_broken_files(void **state) {
    (void)state;
    char dir[4096], path[4200], line[1000], yaml[1200];
    snprintf(dir, sizeof dir, "%s/tests/data/broken", md_tree());
    snprintf(path, sizeof path, "%s/expected.txt", dir);
    FILE *list = fopen(path, "r");
    assert_non_null(list);
    struct mk_market *world = md_world();
    int seen = 0, wrong = 0;
    while (fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (line[0] == '#' || tab == NULL) continue;
        *tab = '\0';
        bool trades = strncmp(line, "trades", 6) == 0;
        snprintf(yaml, sizeof yaml, "{kind: x, instrument: AAA-PERP, %sfile: %s}",
                 trades ? "" : "interval: 1m, ", line);
        struct md_source s;
        struct rt_error err = { 0 };
        int rc = md_open(&s, trades ? &data_trades_source : &data_klines_source, yaml, world, dir,
                         INT64_MIN, INT64_MAX, &err);
        if (rc >= 0 || strcmp(err.text, tab + 1) != 0) {
            print_error("%s\n  said     %s\n  expected %s\n", line, err.text, tab + 1);
            wrong++;
        }
        assert_int_equal(s.init.series_cnt, 0);
        rt_config_close(s.tree);
        seen++;
    }
    fclose(list);
    mk_market_close(world);
    assert_true(seen >= 50);
    assert_int_equal(wrong, 0);
}

/* Goal: a wrong declaration is refused. Method: one wrong key each, part of the sentence. */
static void test_declarations(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{instrument: AAA-PERP, interval: 1m}", "either file: or files:" },
        { "{instrument: AAA-PERP, interval: 1m, file: a, files: [b]}", "either file: or files:" },
        { "{instrument: AAA-PERP, interval: 1m, files: []}", "expected" },
        { "{instrument: AAA-PERP, interval: 1m, files: [{a: b}]}", "path of a file" },
        { "{instrument: CCC, interval: 1m, file: a}", "\"CCC\" is not one of instruments:" },
        { "{instrument: AAA-PERP, file: a}", "interval" },
        { "{instrument: AAA-PERP, interval: 1m, file: a, volume: some}", "volume" },
        { "{instrument: AAA-PERP, interval: 1m, file: a, colour: red}", "colour" },
        { "{instrument: AAA-PERP, interval: 1m, file: /nowhere/a.csv}", "No such file" },
        { "{instrument: AAA-PERP, interval: 1m, file: /tmp}", "not a plain file" },
    };
    struct mk_market *world = md_world();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct md_source s;
        struct rt_error err = { 0 };
        assert_true(md_open(&s, &data_klines_source, cases[i][0], world, "", INT64_MIN, INT64_MAX,
                            &err) < 0);
        if (strstr(err.text, cases[i][1]) == NULL) fail_msg("%s: %s", cases[i][0], err.text);
        rt_config_close(s.tree);
    }
    mk_market_close(world);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_files), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_random_rows),    cmocka_unit_test(test_source),
        cmocka_unit_test(test_broken_files),   cmocka_unit_test(test_declarations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
