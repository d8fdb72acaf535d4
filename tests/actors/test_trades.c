/* Goal    trades come out of every layout of trades and aggTrades files exactly.
 * Method  one line or two of each layout as Binance publishes it, recorded files whose README tells
 *         rows and ids, random rows against a plain reader. (Broken files: test_klines.) */
#include "actors/data/trades.h"
#include "tests/support/market_data.h"

/* parse_all reads text whole. */
static size_t parse_all(const char *text, struct msg_trade *rows, size_t rows_max) {
    struct data_trades t = { .file = "text", .instrument = 3 };
    struct rt_error err = { 0 };
    size_t cnt = 0;
    if (data_trades_parse(text, strlen(text), &t, rows, rows_max, &cnt, &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(t.at, strlen(text));
    return cnt;
}

/* A layout: one file and its second trade. */
struct layout {
    const char *text;       /* the file */
    struct msg_trade trade; /* its last row */
};

/* Goal: all layouts. Method: their last row, by hand. */
static void test_layouts(void **state) {
    (void)state;
    static const struct layout layouts[] = {
        /* futures trades, with and without heading */
        { "id,price,qty,quote_qty,time,is_buyer_maker\n5,1,1,1,1729209603957,true\n"
          "6,0.7096,2254.0,1599.4,1729209603958,false\n",
          { 1729209603958000000LL, 6, 70960000, 225400000000LL, 3, SIDE_BUY, 0, 0 } },
        { "6,0.7096,2254.0,1599.4,1729209603958,true",
          { 1729209603958000000LL, 6, 70960000, 225400000000LL, 3, SIDE_SELL, 0, 0 } },
        /* spot trades: True and False, microseconds since 2025 */
        { "4442,42000.00000000,0.10000000,4200.00000000,1735689600123456,True,True\r\n"
          "4443,42000.01000000,0.00001000,0.42000010,1735689600123456,False,True\r\n",
          { 1735689600123456000LL, 4443, 4200001000000LL, 1000, 3, SIDE_BUY, 0, 0 } },
        /* futures aggTrades */
        { "171927518,0.7096,2254.0,551530708,551530712,1729209604056,true\n",
          { 1729209604056000000LL, 171927518, 70960000, 225400000000LL, 3, SIDE_SELL, 0, 0 } },
        { "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
          "171927518,0.7096,2254.0,551530708,551530712,1729209604056,TRUE\n",
          { 1729209604056000000LL, 171927518, 70960000, 225400000000LL, 3, SIDE_SELL, 0, 0 } },
        /* spot aggTrades */
        { "26129,0.01633102,4.70443515,27781,27781,1498793709153,False,True\n",
          { 1498793709153000000LL, 26129, 1633102, 470443515, 3, SIDE_BUY, 0, 0 } },
        /* another order of columns, seconds */
        { "time_ms,trade_id,price,qty,buyer_is_maker\n1610064000,7,39432.48,0.000263,True\n",
          { 1610064000000000000LL, 7, 3943248000000LL, 26300, 3, SIDE_SELL, 0, 0 } },
    };
    struct msg_trade rows[8];
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        size_t cnt = parse_all(layouts[i].text, rows, 8);
        assert_true(cnt >= 1);
        assert_memory_equal(&rows[cnt - 1], &layouts[i].trade, sizeof rows[0]);
    }
}

/* Goal: recorded files. Method: rows, times and ids as their README and first lines tell. */
static void test_recorded_files(void **state) {
    (void)state;
    char dir[4096];
    size_t cnt;
    if (!md_shared(dir)) skip();
    struct mk_market *world = md_world();
    struct md_source s;
    md_must_open(&s, &data_trades_source,
                 "{kind: trades, instrument: AAA-PERP,\n"
                 " file: ticks/binance_um_APEUSDT_aggTrades_2024-10-18.csv.zst}",
                 world, dir);
    const struct msg_trade *t = md_rows(&s, 0, &cnt);
    assert_int_equal(cnt, 45342);
    assert_int_equal(t[cnt - 1].trade_id - t[0].trade_id, 45341); /* "agg ids: 0 jumps" */
    assert_int_equal(t[0].price, 70970000);
    assert_int_equal(t[1].quantity, 225400000000LL);
    assert_int_equal(t[1].aggressor, SIDE_SELL);
    assert_non_null(strstr(s.init.report, "45342 trades"));
    assert_non_null(strstr(s.init.report, "0 jumps"));
    assert_int_equal(s.series[0].row_kind, MSG_TRADE);
    assert_int_equal(s.series[0].span_ns, 0);
    md_close(&s);
    md_must_open(&s, &data_trades_source,
                 "{kind: trades, instrument: BBB-SPOT,\n"
                 " files: [ticks/binance_spot_BTCUSDT_trades_20210108.csv]}",
                 world, dir);
    t = md_rows(&s, 0, &cnt);
    assert_int_equal(cnt, 2001);
    assert_int_equal(t[0].time_ns, 1610064000278000000LL);
    assert_int_equal(t[0].price, 3943248000000LL);
    assert_int_equal(t[1].aggressor, SIDE_BUY);
    md_close(&s);
    /* the run's span: from start on, before end */
    struct rt_error err = { 0 };
    assert_int_equal(md_open(&s, &data_trades_source,
                             "{kind: trades, instrument: BBB-SPOT,\n"
                             " file: ticks/binance_spot_BTCUSDT_trades_20210108.csv}",
                             world, dir, 1610064000310000000LL, 1610064001000000000LL, &err),
                     0);
    t = md_rows(&s, 0, &cnt);
    assert_true(cnt > 0 && cnt < 2001);
    assert_int_equal(t[0].time_ns, 1610064000310000000LL);
    assert_true(t[cnt - 1].time_ns < 1610064001000000000LL);
    assert_int_equal(t[cnt].time_ns, 0); /* what is cut is not there: zeros (series.c) */
    md_close(&s);
    mk_market_close(world);
}

/* Goal: exact figures of any length, fast form and careful form alike. Method: random rows, the
 * figures known before they become text. */
static void test_random_rows(void **state) {
    (void)state;
    enum { ROWS = 500 };
    static char text[ROWS * 200];
    static struct msg_trade expected[ROWS], rows[ROWS];
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t gen = seed;
        size_t n = 0;
        int64_t id = 0, ms = 1610064000000LL;
        memset(expected, 0, sizeof expected);
        for (int i = 0; i < ROWS; i++) {
            struct msg_trade *e = &expected[i];
            bool maker = gen_range(&gen, 0, 1) == 1;
            int64_t most = gen_range(&gen, 0, 2) == 0 ? INT64_MAX : 9999999999999LL;
            id += gen_range(&gen, 1, 3);
            ms += gen_range(&gen, 0, 2);
            e->time_ns = ms * 1000000;
            e->trade_id = id;
            e->price = gen_range(&gen, 1, most);
            e->quantity = gen_range(&gen, 1, most);
            e->instrument = 3;
            e->aggressor = maker ? SIDE_SELL : SIDE_BUY;
            n += (size_t)sprintf(
                text + n, "%lld,%lld.%08lld,%lld.%08lld,12345.5,%lld,%s,%s\n", (long long)id,
                (long long)(e->price / 100000000), (long long)(e->price % 100000000),
                (long long)(e->quantity / 100000000), (long long)(e->quantity % 100000000),
                (long long)ms, maker ? "True" : "False", i % 2 ? "true" : "FALSE");
        }
        CHECK(seed, parse_all(text, rows, ROWS) == ROWS);
        CHECK(seed, memcmp(rows, expected, sizeof rows) == 0);
    }
}

/* Goal: a fault is found by the fast form as well as by the careful one, which alone sees the end
 * of a file. Method: each faulty row as the last one of a file and in the middle of one. */
static void test_faults_anywhere(void **state) {
    (void)state;
    static const char *const faults[][2] = {
        { "50,0,1,1,1610064000050,true", "price is zero" },
        { "50,1,0.0,1,1610064000050,true", "quantity is zero" },
        { "50,-1,1,1,1610064000050,true", "price: \"-1\" is negative" },
        { "50,1.,1,1,1610064000050,true", "price: \"1.\" is not a number" },
        { "50,1,1.000000001,1,1610064000050,true", "has more than 8 decimals" },
        { "50,1,1,x,1610064000050,true", "column 4: \"x\" is not a number" },
        { "50,1,1,1,1610064000050,truly", "expected true or false" },
        { "50,1,1,1,1610064000050", "5 columns; expected 6" },
        { "50,1,1,1,1610064000050,true,true", "7 columns; expected 6" },
        { "49,1,1,1,1610064000050,true", "trade id 49 does not rise; before it 49" },
        { "50,1,1,1,1610064000048,true", "is before the row before" },
        { "9999999999999999999,1,1,1,1610064000050,true", "trade id" },
        { "50,1,1,1,99999999999,true", "time: \"99999999999\" is too large" },
    };
    static char text[20000];
    static struct msg_trade rows[200];
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        for (int last = 50; last <= 150; last += 100) {
            size_t n = 0, cnt = 0;
            for (int row = 1; row <= last; row++) {
                n += row == 50 ? (size_t)sprintf(text + n, "%s\n", faults[i][0])
                               : (size_t)sprintf(text + n, "%d,1,1,1,%lld,true\n", row,
                                                 1610064000000LL + row);
            }
            struct data_trades t = { .file = "text", .instrument = 3 };
            struct rt_error err = { 0 };
            assert_true(data_trades_parse(text, n, &t, rows, 200, &cnt, &err) < 0);
            assert_int_equal(cnt, 49);
            if (strncmp(err.text, "text:50: ", 9) != 0 || !strstr(err.text, faults[i][1])) {
                fail_msg("%s: %s", faults[i][0], err.text);
            }
        }
    }
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_recorded_files),
        cmocka_unit_test(test_random_rows),
        cmocka_unit_test(test_faults_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
