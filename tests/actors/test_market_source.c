/* Goal    the invented market is the same everywhere and from any row, looks like a market, and
 *         what is generated can be read again.
 * Method  blocks fetched in order, backwards and at random hold the same rows; a hash of the first
 *         blocks that was written down once; statistics of a year against wide bounds; generated
 *         files read by the sources of files. */
#include "actors/data/generate.h"
#include "actors/data/klines.h"
#include "actors/data/market_source.h"
#include "actors/data/trades.h"
#include "runtime/base/hash.h"
#include "tests/support/market_data.h"

enum { BLOCKS = 512, ROWS = BLOCKS * DATA_WALK_ROWS }; /* 364 days of 1m */

static struct msg_bar bars[2][ROWS];

static const char yaml_bars[] =
    "{kind: market, instruments: [{instrument: AAA-PERP, price: 50000},\n"
    "  BBB-SPOT], interval: 1m}";

/* fetch copies rows first.. of a series, cnt of them. */
static void fetch(struct rt_series *s, uint64_t first, uint64_t cnt, void *out) {
    while (cnt > 0) {
        struct rt_block b;
        assert_int_equal(s->block(s, first, &b), 0);
        assert_true(b.cnt > 0);
        assert_int_equal(b.first, first);
        uint64_t take = b.cnt < cnt ? b.cnt : cnt;
        memcpy(out, b.rows, take * s->row_bytes);
        out = (uint8_t *)out + take * s->row_bytes;
        first += take;
        cnt -= take;
    }
}

/* Goal: bars keep the rules that files must keep, for a year. Method: row by row. */
static void test_bars_are_sound(void **state) {
    (void)state;
    struct mk_market *world = md_world();
    struct md_source s;
    md_must_open(&s, &data_market_source, yaml_bars, world, "");
    assert_int_equal(s.init.series_cnt, 2);
    for (uint32_t k = 0; k < 2; k++) {
        const struct mk_instrument *in = &world->instruments[k];
        fetch(&s.series[k], 0, ROWS, bars[k]);
        assert_int_equal(s.series[k].rows_total, UINT64_MAX);
        for (size_t i = 0; i < ROWS; i++) {
            const struct msg_bar *b = &bars[k][i];
            assert_int_equal(b->open_ns, 1704067200000000000LL + (int64_t)i * 60000000000LL);
            assert_int_equal(b->interval_ns, 60000000000LL);
            assert_int_equal(b->instrument, in->id);
            assert_true(b->low > 0 && b->low <= b->open && b->low <= b->close);
            assert_true(b->high >= b->open && b->high >= b->close);
            assert_true(b->volume > 0 && b->count > 0 && b->flags == 0);
            assert_int_equal((b->open | b->high | b->low | b->close) == 0, 0);
            assert_int_equal(b->open % in->tick_size + b->high % in->tick_size +
                                 b->low % in->tick_size + b->close % in->tick_size,
                             0);
            if (i > 0) assert_int_equal(b->open, b[-1].close);
        }
    }
    assert_int_equal(bars[0][0].open, 5000000000000LL); /* begins at the declared price */
    assert_int_equal(bars[1][0].open, 500000000000LL);  /* 500000 ticks */
    md_close(&s);
    mk_market_close(world);
}

/* A year's figures of one instrument. */
struct figures {
    double sigma;       /* of a minute's return */
    double kurtosis;    /* of it; 3 = normal */
    double clustering;  /* correlation of squared returns with those an hour later */
    double sign;        /* correlation of returns with the next */
    double night, noon; /* mean volume at midnight and at noon UTC, over the mean */
};

/* figures_of computes them. */
static struct figures figures_of(const struct msg_bar *b) {
    static double r[ROWS];
    struct figures f = { 0 };
    double sum2 = 0, sum4 = 0, lag = 0, next = 0, volume = 0, night = 0, noon = 0;
    size_t night_cnt = 0, noon_cnt = 0;
    for (size_t i = 0; i < ROWS; i++) {
        r[i] = (double)b[i].close / (double)b[i].open - 1;
        sum2 += r[i] * r[i];
        sum4 += r[i] * r[i] * r[i] * r[i];
        int64_t hour = b[i].open_ns / 3600000000000LL % 24;
        volume += b[i].volume;
        if (hour == 23 || hour == 0) night_cnt++, night += b[i].volume;
        if (hour == 11 || hour == 12) noon_cnt++, noon += b[i].volume;
    }
    double mean2 = sum2 / ROWS, var2 = sum4 / ROWS - mean2 * mean2;
    for (size_t i = 0; i + 60 < ROWS; i++) {
        lag += (r[i] * r[i] - mean2) * (r[i + 60] * r[i + 60] - mean2);
        next += r[i] * r[i + 1];
    }
    f.sigma = __builtin_sqrt(mean2);
    f.kurtosis = sum4 / ROWS / (mean2 * mean2);
    f.clustering = lag / ROWS / var2;
    f.sign = next / sum2;
    f.night = night / (double)night_cnt / (volume / ROWS);
    f.noon = noon / (double)noon_cnt / (volume / ROWS);
    return f;
}

/* Goal: it has the shape of a market. Method: volatility near the declared 0.6 a year, fat tails,
 * volatility that clusters, returns that do not, quiet noons, correlation near the declared 0.6. */
static void test_it_looks_like_a_market(void **state) {
    (void)state;
    double cross = 0, sums[2] = { 0, 0 };
    for (int k = 0; k < 2; k++) {
        struct figures f = figures_of(bars[k]);
        double year = f.sigma * __builtin_sqrt(365.25 * 1440);
        print_message("sigma %.2f a year, kurtosis %.1f, clustering %.3f, sign %.3f, volume at "
                      "midnight %.2f, at noon %.2f\n",
                      year, f.kurtosis, f.clustering, f.sign, f.night, f.noon);
        assert_true(year > 0.3 && year < 1.2);
        assert_true(f.kurtosis > 4 && f.kurtosis < 100);
        assert_true(f.clustering > 0.02);
        assert_true(__builtin_fabs(f.sign) < 0.02);
        assert_true(f.night > 1.3 && f.noon < 0.8);
    }
    for (size_t i = 0; i < ROWS; i++) {
        double a = (double)bars[0][i].close / (double)bars[0][i].open - 1;
        double b = (double)bars[1][i].close / (double)bars[1][i].open - 1;
        cross += a * b;
        sums[0] += a * a;
        sums[1] += b * b;
    }
    double correlation = cross / __builtin_sqrt(sums[0] * sums[1]);
    print_message("correlation %.2f\n", correlation);
    assert_true(correlation > 0.4 && correlation < 0.8);
}

/* check_before holds series->before against a count of the cnt rows at rows, whose first field is
 * when they begin: around a random row, and outside of all. */
static void check_before(const struct rt_series *s, const void *rows, uint64_t cnt) {
    uint64_t gen = 11;
    const uint8_t *bytes = rows;
    for (int i = 0; i < 400; i++) {
        uint64_t idx = (uint64_t)gen_range(&gen, 0, (int64_t)cnt - 1), n = idx;
        int64_t at_ns, ns;
        memcpy(&at_ns, bytes + idx * s->row_bytes, sizeof at_ns);
        at_ns += gen_range(&gen, -1, 1);
        while (n > 0 && (memcpy(&ns, bytes + (n - 1) * s->row_bytes, sizeof ns), ns >= at_ns)) n--;
        while (n < cnt && (memcpy(&ns, bytes + n * s->row_bytes, sizeof ns), ns < at_ns)) n++;
        CHECK(11, s->before(s, at_ns) == n);
    }
    assert_int_equal(s->before(s, 0), 0);
    assert_int_equal(s->before(s, INT64_MIN), 0);
    if (s->rows_total != UINT64_MAX) assert_int_equal(s->before(s, INT64_MAX), s->rows_total);
}

/* Goal: any row can be had first, a block stays good until the next call but one, and the rows
 * before an instant are counted without being made. Method: random rows of a freshly opened source,
 * against what was fetched in order. */
static void test_restart_anywhere(void **state) {
    (void)state;
    struct mk_market *world = md_world();
    struct md_source s;
    uint64_t gen = 7;
    md_must_open(&s, &data_market_source, yaml_bars, world, "");
    struct rt_series *series = &s.series[0];
    struct rt_block before = { 0 };
    for (int i = 0; i < 300; i++) {
        struct rt_block b;
        uint64_t first = (uint64_t)gen_range(&gen, 0, ROWS - 1);
        if (i % 3 == 1) first = before.first + before.cnt; /* as in a run */
        if (first >= ROWS) continue;
        assert_int_equal(series->block(series, first, &b), 0);
        CHECK(7, memcmp(b.rows, &bars[0][first], b.cnt * sizeof bars[0][0]) == 0);
        if (before.cnt > 0) { /* the last one is still there */
            CHECK(7,
                  memcmp(before.rows, &bars[0][before.first], before.cnt * sizeof bars[0][0]) == 0);
        }
        before = b;
    }
    check_before(series, bars[0], ROWS);
    md_close(&s);
    mk_market_close(world);
}

/* Goal: the same bits on every machine and compiler. Method: hashes written down once. When the
 * walk is changed on purpose, DATA_WALK_VERSION goes up and so do these. */
static void test_written_down(void **state) {
    (void)state;
    uint64_t hash = rt_hash64(0, bars[0], sizeof bars[0]);
    static struct msg_trade trades[DATA_WALK_ROWS];
    struct data_walk_options o;
    struct data_walk w;
    struct rt_error err = { 0 };
    data_market_default(&o, "AAA", 10000000, 100000, 1, 1704067200000000000LL, 0);
    assert_int_equal(data_walk_init(&w, &o, &err), 0);
    data_walk_trades(&w, 1000, trades);
    uint64_t second = rt_hash64(0, trades, sizeof trades);
    print_message("bars %016llx trades %016llx\n", (unsigned long long)hash,
                  (unsigned long long)second);
    assert_int_equal(hash, 0x6e902d8a80f217f3ULL);
    assert_int_equal(second, 0x219646148f74f033ULL);
}

/* Goal: trades keep the rules of files, follow the day, and end where the run does. Method: four
 * days row by row. */
static void test_trades(void **state) {
    (void)state;
    struct mk_market *world = md_world();
    struct md_source s;
    struct rt_error err = { 0 };
    const int64_t start_ns = 1704067200000000000LL + 12345678, day_ns = 86400000000000LL;
    assert_int_equal(md_open(&s, &data_market_source,
                             "{kind: market, instruments: [AAA-PERP], rows: trades,\n"
                             " trades_per_hour: 3600}",
                             world, "", start_ns, start_ns + 4 * day_ns, &err),
                     0);
    uint64_t total = s.series[0].rows_total;
    assert_true(total > 4 * 86400 * 0.97 && total < 4 * 86400 * 1.03);
    struct msg_trade *t = malloc(total * sizeof *t);
    assert_non_null(t);
    fetch(&s.series[0], 0, total, t);
    size_t noon = 0, night = 0, same = 0;
    for (size_t i = 0; i < total; i++) {
        assert_true(t[i].time_ns >= start_ns && t[i].time_ns < start_ns + 4 * day_ns);
        assert_int_equal(t[i].trade_id, i + 1);
        assert_true(t[i].price > 0 && t[i].price % 10000000 == 0);
        assert_true(t[i].quantity > 0 && t[i].quantity % 100000 == 0);
        if (i > 0) {
            assert_true(t[i].time_ns >= t[i - 1].time_ns);
            double step = __builtin_fabs((double)t[i].price / (double)t[i - 1].price - 1);
            assert_true(step < 0.02);
            same += t[i].time_ns == t[i - 1].time_ns;
        }
        int64_t hour = t[i].time_ns / 3600000000000LL % 24;
        noon += hour == 11 || hour == 12;
        night += hour == 23 || hour == 0;
    }
    assert_true(night > 2 * noon && same > total / 20);
    struct rt_block b;
    assert_int_equal(s.series[0].block(&s.series[0], total, &b), 0);
    assert_int_equal(b.cnt, 0);
    assert_int_equal(s.series[0].block(&s.series[0], total - 1, &b), 0);
    assert_int_equal(b.cnt, 1);
    check_before(&s.series[0], t, total);
    free(t);
    md_close(&s);
    mk_market_close(world);
}

/* Goal: what is generated can be read, and the same options write the same bytes. Method: bars and
 * trades of two symbols, twice, read by the sources of files against the walk itself. */
static void test_generate(void **state) {
    (void)state;
    char dir[] = "/tmp/test_generate_XXXXXX", again[] = "/tmp/test_generate_XXXXXX", command[256];
    assert_non_null(mkdtemp(dir));
    assert_non_null(mkdtemp(again));
    static const char *const symbols[] = { "BTCUSDT", "DOGEUSDT", NULL };
    struct rt_error err = { 0 };
    uint64_t rows = 0;
    struct data_generate g = { .dir = dir,
                               .symbols = symbols,
                               .seed = 5,
                               .days = 3,
                               .start_ns = 1735689600000000000LL,
                               .interval_ns = 300000000000LL };
    struct data_generate trades = g;
    trades.interval_ns = 0;
    trades.days = 1;
    assert_int_equal(data_generate(&g, &rows, &err), 0);
    assert_int_equal(rows, 2 * 3 * 288);
    assert_int_equal(data_generate(&trades, &rows, &err), 0);
    g.dir = trades.dir = again;
    assert_int_equal(data_generate(&g, NULL, &err), 0);
    assert_int_equal(data_generate(&trades, NULL, &err), 0);
    snprintf(command, sizeof command, "diff -r %s %s", dir, again);
    assert_int_equal(system(command), 0);
    struct mk_market *world = md_world();
    struct md_source s;
    size_t cnt;
    md_must_open(&s, &data_klines_source,
                 "{kind: klines, instrument: AAA-PERP, interval: 5m, file: DOGEUSDT-5m.csv}", world,
                 dir);
    const struct msg_bar *b = md_rows(&s, 0, &cnt);
    static struct msg_bar made[DATA_WALK_ROWS];
    struct data_walk_options o;
    struct data_walk w;
    data_generate_options(&g, "DOGEUSDT", &o);
    o.instrument = 1;
    assert_int_equal(data_walk_init(&w, &o, &err), 0);
    data_walk_bars(&w, 0, made);
    assert_int_equal(cnt, 3 * 288);
    assert_memory_equal(b, made, cnt * sizeof *b);
    md_close(&s);
    md_must_open(&s, &data_trades_source,
                 "{kind: trades, instrument: BBB-SPOT, file: BTCUSDT-trades.csv}", world, dir);
    const struct msg_trade *t = md_rows(&s, 0, &cnt);
    static struct msg_trade made_trades[DATA_WALK_ROWS];
    data_generate_options(&trades, "BTCUSDT", &o);
    o.instrument = 2;
    assert_int_equal(data_walk_init(&w, &o, &err), 0);
    data_walk_trades(&w, 3, made_trades);
    assert_true(cnt > 40000 && cnt < 46000);
    assert_memory_equal(t + 3 * DATA_WALK_ROWS, made_trades, sizeof made_trades);
    md_close(&s);
    mk_market_close(world);
    static const char *const bad[] = { "../x", NULL };
    g.symbols = bad;
    assert_true(data_generate(&g, NULL, &err) < 0);
    assert_non_null(strstr(err.text, "not a symbol"));
    snprintf(command, sizeof command, "rm -r %s %s", dir, again);
    assert_int_equal(system(command), 0);
}

/* Goal: odd options neither overflow nor leave the rules. Method: the corners of the ranges. */
static void test_corners(void **state) {
    (void)state;
    static struct msg_bar b[DATA_WALK_ROWS];
    static struct msg_trade t[DATA_WALK_ROWS];
    struct rt_error err = { 0 };
    static const int64_t intervals[] = { 1000000000LL, 60000000000LL, 7 * 86400000000000LL, 0 };
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t gen = seed;
        struct data_walk_options o;
        struct data_walk w;
        int64_t tick = seed % 2 ? 1 : 100000000, lot = seed % 5 == 0 ? 100000000000LL : 1;
        data_market_default(&o, "X", tick, lot, seed, 0, intervals[seed % 4]);
        o.volatility = seed % 3 == 0 ? 5 : 0.01;
        o.correlation = (double)(seed % 2);
        o.price = seed % 7 == 0 ? tick * 10 : seed % 7 == 1 ? 1000000000000000LL : o.price;
        o.day_quantity = seed % 11 == 0 ? INT64_MAX / 16 : seed % 11 == 1 ? 1 : o.day_quantity;
        o.day_trades = seed % 4 == 0 ? 1000000000 : 43200;
        CHECK(seed, data_walk_init(&w, &o, &err) == 0);
        uint64_t block = (uint64_t)gen_range(&gen, 0, seed % 4 == 2 ? 8 : 1000);
        if (o.interval_ns == 0) {
            data_walk_trades(&w, block, t);
            for (int i = 0; i < DATA_WALK_ROWS; i++) {
                CHECK(seed, t[i].price > 0 && t[i].quantity >= lot && t[i].quantity % lot == 0);
                CHECK(seed, i == 0 || t[i].time_ns >= t[i - 1].time_ns);
            }
            continue;
        }
        data_walk_bars(&w, block, b);
        for (int i = 0; i < DATA_WALK_ROWS; i++) {
            CHECK(seed, b[i].low > 0 && b[i].low <= b[i].open && b[i].low <= b[i].close);
            CHECK(seed, b[i].high >= b[i].open && b[i].high >= b[i].close && b[i].volume > 0);
            CHECK(seed, b[i].volume * 1e8 < 9e15 + 1e11);
        }
    }
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars_are_sound),
        cmocka_unit_test(test_restart_anywhere),
        cmocka_unit_test(test_it_looks_like_a_market),
        cmocka_unit_test(test_trades),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_written_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
