/* Goal    results are made right from what was said: records of several shards in one order, states
 *         that come before their intents, fills that cross zero, numbers written exactly.
 * Method  journals in memory are filled by hand with frames of two shards, then read back through
 *         report_results_write; expected rows are written out here. */
#include "actors/report/out.h"
#include "actors/report/results.h"
#include "runtime/boot/engine.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Ids of the actors, in name order; ns in a second. */
enum { HOST = 3, EXECUTION = 1, PORTFOLIO = 2, SECOND = 1000000000 };

/* The run: two shards, one strategy, whose actors are in name order. */
struct world {
    struct rt_run run;               /* as boot makes it, as far as results look */
    struct rt_topology topology;     /* two shards */
    struct rt_shard_def shards[2];   /* a, b */
    struct rt_actor_def actors[3];   /* execution, portfolio, zeta */
    struct mk_market market;         /* one instrument, one account */
    struct mk_instrument instrument; /* linear */
    struct mk_account account;       /* 1000 USDT */
    char assets[2][16];              /* BTC, USDT */
    struct rt_journal journals[2];   /* one per shard */
    uint32_t seq;                    /* frames said */
    char dir[64];                    /* results */
};

static const struct rt_actor_kind kind_portfolio = { .name = "portfolio" };
static const struct rt_actor_kind kind_other = { .name = "other" };

/* setup makes the world and opens its journals. */
static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    strcpy(w->shards[0].name, "a");
    strcpy(w->shards[1].name, "b");
    strcpy(w->actors[0].name, "execution");
    strcpy(w->actors[1].name, "portfolio");
    strcpy(w->actors[2].name, "zeta");
    for (int i = 0; i < 3; i++) w->actors[i].kind = i == 1 ? &kind_portfolio : &kind_other;
    w->instrument = (struct mk_instrument){ .name = "BTC-PERP",
                                            .symbol = "BTCUSDT",
                                            .id = 1,
                                            .kind = MK_LINEAR,
                                            .base_asset = 0,
                                            .quote_asset = 1,
                                            .tick_size = 1,
                                            .lot_size = FIXED_ONE / 1000 };
    w->account =
        (struct mk_account){ .name = "main", .id = 1, .quote = 1, .cash = 1000LL * FIXED_ONE };
    strcpy(w->assets[0], "BTC");
    strcpy(w->assets[1], "USDT");
    w->market = (struct mk_market){ .instruments = &w->instrument,
                                    .accounts = &w->account,
                                    .assets = w->assets,
                                    .instrument_cnt = 1,
                                    .account_cnt = 1,
                                    .asset_cnt = 2 };
    w->topology = (struct rt_topology){ .name = "hand",
                                        .shards = w->shards,
                                        .actors = w->actors,
                                        .shard_cnt = 2,
                                        .actor_cnt = 3,
                                        .world = &w->market,
                                        .backing = RT_BACKING_MEMORY,
                                        .segment_bytes = 1 << 20,
                                        .stage_segments = 4,
                                        .start_ns = INT64_MIN,
                                        .end_ns = INT64_MAX };
    w->run.topology = &w->topology;
    snprintf(w->dir, sizeof w->dir, "/tmp/shrike-results-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    for (uint32_t i = 0; i < 2; i++) {
        char name[64];
        struct rt_journal_found found;
        struct rt_error err = { 0 };
        snprintf(name, sizeof name, "/journal/%s", w->shards[i].name);
        struct rt_journal_options o = { .dir = name,
                                        .stage_dir = name,
                                        .segment_bytes = 1 << 20,
                                        .stage_segments = 4,
                                        .backing = RT_BACKING_MEMORY,
                                        .run_id = 7,
                                        .shard = i,
                                        .head = "series 32768 10 ab x\n",
                                        .head_bytes = 21 };
        assert_int_equal(rt_journal_open(&w->journals[i], &o, &found, &err), 0);
    }
    *state = w;
    return 0;
}

/* teardown gives all back. */
static int teardown(void **state) {
    struct world *w = *state;
    static const char *const names[] = {
        "orders.csv", "fills.csv",  "trades.csv",   "equity.csv",
        "daily.csv",  "charts.csv", "summary.json", "manifest.json"
    };
    for (int i = 0; i < 2; i++) (void)rt_journal_close(&w->journals[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", w->dir, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(w->dir), 0);
    free(w);
    return 0;
}

/* say appends a frame said by source at second to the journal of shard. */
static void say(struct world *w, int shard, uint16_t source, int64_t second, uint16_t kind,
                const void *body, size_t bytes) {
    uint64_t room[64] = { 0 };
    struct msg_frame *f = (struct msg_frame *)(void *)room;
    *f = (struct msg_frame){ .kind = kind,
                             .size = (uint16_t)(sizeof *f + bytes),
                             .source = source,
                             .seq = ++w->seq,
                             .time_ns = second * SECOND };
    memcpy(f + 1, body, bytes);
    rt_journal_append(&w->journals[shard], f, MSG_OUT);
    rt_journal_turn(&w->journals[shard]);
}

/* intent says that the strategy wants an order. */
static void intent(struct world *w, int64_t second, uint64_t n, int side, int64_t quantity) {
    struct msg_order_intent m = { .order_id = mk_order_id(HOST, n, 0),
                                  .quantity = quantity,
                                  .instrument = 1,
                                  .account = 1,
                                  .side = (uint8_t)side,
                                  .reason = REASON_SIGNAL_CROSS_UP };
    say(w, 1, HOST, second, MSG_ORDER_INTENT, &m, sizeof m);
}

/* told says an order's state. */
static void told(struct world *w, int64_t second, uint64_t n, int side, int64_t quantity,
                 int64_t filled, int64_t cost, int status, int reason) {
    struct msg_order_state m = { .order_id = mk_order_id(HOST, n, 0),
                                 .quantity = quantity,
                                 .cum_quantity = filled,
                                 .cum_cost = cost,
                                 .instrument = 1,
                                 .account = 1,
                                 .side = (uint8_t)side,
                                 .status = (uint8_t)status,
                                 .reason = (uint16_t)reason };
    say(w, 0, EXECUTION, second, MSG_ORDER_STATE, &m, sizeof m);
}

/* fill says a fill, of fee 1. */
static void fill(struct world *w, int64_t second, uint64_t n, uint64_t trade, int side,
                 int64_t quantity, int64_t price) {
    struct msg_fill m = { .order_id = mk_order_id(HOST, n, 0),
                          .trade_id = trade,
                          .price = price,
                          .quantity = quantity,
                          .fee = FIXED_ONE,
                          .instrument = 1,
                          .fee_asset = 1,
                          .account = 1,
                          .side = (uint8_t)side,
                          .liquidity = LIQUIDITY_TAKER };
    say(w, 0, EXECUTION, second, MSG_FILL, &m, sizeof m);
}

/* position says what is held after a fill. */
static void position(struct world *w, int64_t second, uint64_t trade, int64_t quantity,
                     int64_t cost, int64_t realized, int64_t fees) {
    struct msg_position m = { .trade_id = trade,
                              .quantity = quantity,
                              .cost = cost,
                              .realized_pnl = realized,
                              .fee_total = fees,
                              .instrument = 1,
                              .owner = HOST,
                              .account = 1 };
    say(w, 1, PORTFOLIO, second, MSG_POSITION, &m, sizeof m);
}

/* text reads a result file whole. */
static const char *text(struct world *w, const char *name) {
    static char room[8192];
    char path[128];
    snprintf(path, sizeof path, "%s/%s", w->dir, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(room, 1, sizeof room - 1, f);
    room[n] = 0;
    fclose(f);
    const char *rows = strchr(room, '\n');
    assert_non_null(rows);
    return rows + 1;
}

/* Fills of one order that come to 1.0e11, more than 64 bits hold: their average is exact. */
static void test_much(void **state) {
    struct world *w = *state;
    const int64_t one = FIXED_ONE, million = 1000000 * one;
    struct rt_error err = { 0 };
    struct report_summary *sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    intent(w, 1, 1, SIDE_BUY, 2 * million);
    fill(w, 2, 1, 1, SIDE_BUY, million, 50000 * one);
    told(w, 2, 1, SIDE_BUY, 2 * million, million, INT64_C(5000000000000000000),
         ORDER_STATUS_PARTIALLY_FILLED, 0);
    fill(w, 3, 1, 2, SIDE_BUY, million, 50001 * one);
    told(w, 3, 1, SIDE_BUY, 2 * million, 2 * million, INT64_MAX, ORDER_STATUS_FILLED, 0);
    assert_int_equal(report_results_write(&w->run, w->dir, sum, &err), 0);
    assert_string_equal(text(w, "orders.csv"),
                        "S000000300000000000100,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,"
                        "2000000,,,filled,2000000,50000.5,1000000000,3000000000,,signal_cross_up,"
                        "both,,,,\n");
    report_summary_free(sum);
}

/* A long of 2 that one sell of 3 turns into a short of 1: two round trips' worth of one fill. The
 * strategy's name is last, so that at one instant its intents come after execution's states in the
 * merged order; an order without state stays created. */
static void test_cross(void **state) {
    struct world *w = *state;
    const int64_t one = FIXED_ONE;
    struct rt_error err = { 0 };
    struct report_summary *sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    intent(w, 1, 1, SIDE_BUY, 2 * one);
    told(w, 1, 1, SIDE_BUY, 2 * one, 0, 0, ORDER_STATUS_SUBMITTED, 0);
    fill(w, 2, 1, 1, SIDE_BUY, 2 * one, 100 * one);
    told(w, 2, 1, SIDE_BUY, 2 * one, 2 * one, 200 * one, ORDER_STATUS_FILLED, 0);
    position(w, 2, 1, 2 * one, 200 * one, 0, one);
    intent(w, 3, 2, SIDE_SELL, 3 * one);
    fill(w, 4, 2, 2, SIDE_SELL, 3 * one, 110 * one);
    told(w, 4, 2, SIDE_SELL, 3 * one, 3 * one, 330 * one, ORDER_STATUS_FILLED, 0);
    position(w, 4, 2, 0, 0, 20 * one, one + 66666666);
    position(w, 4, 2, -one, -110 * one, 0, 2 * one);
    intent(w, 5, 3, SIDE_BUY, one / 8);
    told(w, 5, 3, SIDE_BUY, one / 8, 0, 0, ORDER_STATUS_REJECTED, REASON_MAX_POSITION);
    intent(w, 6, 4, SIDE_BUY, one);
    struct msg_account_state mark = { .cash = 1018 * one,
                                      .unrealized_pnl = -one / 2,
                                      .equity = 1017 * one + one / 2,
                                      .account = 1,
                                      .mark = 1 };
    say(w, 1, PORTFOLIO, 6, MSG_ACCOUNT_STATE, &mark, sizeof mark);
    assert_int_equal(report_results_write(&w->run, w->dir, sum, &err), 0);
    assert_string_equal(
        text(w, "orders.csv"),
        "S000000300000000000100,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,2,,,filled,2,100,"
        "1000000000,2000000000,,signal_cross_up,both,,,,\n"
        "S000000300000000000200,zeta,main,BTC-PERP,BTCUSDT,entry,sell,market,gtc,3,,,filled,3,110,"
        "3000000000,4000000000,,signal_cross_up,both,,,,\n"
        "S000000300000000000300,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,0.125,,,rejected,0,"
        ","
        "5000000000,5000000000,max_position,signal_cross_up,both,,,,\n"
        "S000000300000000000400,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,1,,,created,0,,"
        "6000000000,6000000000,,signal_cross_up,both,,,,\n");
    assert_string_equal(text(w, "fills.csv"),
                        "2000000000,1,S000000300000000000100,zeta,main,BTC-PERP,BTCUSDT,buy,2,100,"
                        "taker,1,USDT,0,0,both\n"
                        "4000000000,2,S000000300000000000200,zeta,main,BTC-PERP,BTCUSDT,sell,3,110,"
                        "taker,1,USDT,0,20,both\n");
    assert_string_equal(text(w, "trades.csv"),
                        "zeta,main,BTC-PERP,BTCUSDT,buy,2000000000,4000000000,2,100,110,20,"
                        "1.66666666,18.33333334,,\n");
    assert_string_equal(text(w, "equity.csv"), "6000000000,main,1018,-0.5,1017.5,1018,0\n");
    assert_int_equal(sum->orders, 4);
    assert_int_equal(sum->refused[REASON_MAX_POSITION], 1);
    assert_int_equal(sum->by_status[ORDER_STATUS_CREATED], 1);
    assert_int_equal(sum->accounts[0].open_positions, 1);
    assert_int_equal(sum->accounts[0].exposed_ns, 4LL * SECOND);
    report_summary_free(sum);
}

/* Nothing said: headings only, the deposit is the equity. */
static void test_empty(void **state) {
    struct world *w = *state;
    struct rt_error err = { 0 };
    struct report_summary *sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    assert_int_equal(report_results_write(&w->run, w->dir, sum, &err), 0);
    assert_string_equal(text(w, "orders.csv"), "");
    assert_string_equal(text(w, "equity.csv"), "");
    assert_int_equal(sum->accounts[0].equity, 1000LL * FIXED_ONE);
    report_summary_free(sum);
    sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    assert_int_equal(report_results_write(&w->run, "/proc/nowhere", sum, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
    report_summary_free(sum);
}

/* Numbers at their ends. */
static void test_numbers(void **state) {
    struct world *w = *state;
    static struct report_out o;
    struct rt_error err = { 0 };
    assert_int_equal(report_out_open(&o, w->dir, "orders.csv", "h", &err), 0);
    report_out_row(&o);
    report_out_fixed(&o, INT64_MIN);
    report_out_fixed(&o, INT64_MAX);
    report_out_fixed(&o, -1);
    report_out_time(&o, INT64_MIN);
    report_out_whole(&o, UINT64_MAX);
    report_out_none(&o);
    report_out_text(&o, "x");
    report_out_end(&o);
    assert_int_equal(report_out_close(&o, false, &err), 0);
    assert_string_equal(text(w, "orders.csv"),
                        "-92233720368.54775808,92233720368.54775807,-0.00000001,"
                        "-9223372036854775808,18446744073709551615,,x\n");
}

/* Every reason has a place in the tables of counts: one beyond would be counted nowhere. */
static void test_room(void **state) {
    (void)state;
    const char *none = msg_reason_name(UINT16_MAX);
    for (uint32_t r = REPORT_REASONS; r < UINT16_MAX; r++)
        assert_string_equal(msg_reason_name((uint16_t)r), none);
}

/* A fill that is told minutes after its order was done and its row would have been written: one row
 * all the same, with all it came to; what was made before it stays as it was. */
static void test_late(void **state) {
    struct world *w = *state;
    const int64_t one = FIXED_ONE;
    struct rt_error err = { 0 };
    struct report_summary *sum = calloc(1, sizeof *sum);
    assert_non_null(sum);
    w->instrument.contract = one; /* inverse: averages are weighed fill by fill */
    w->instrument.kind = MK_INVERSE;
    intent(w, 1, 1, SIDE_BUY, 2 * one);
    fill(w, 2, 1, 1, SIDE_BUY, one, 100 * one);
    told(w, 2, 1, SIDE_BUY, 2 * one, one, 100 * one, ORDER_STATUS_PARTIALLY_FILLED, 0);
    position(w, 2, 1, one, 0, 0, one);
    told(w, 3, 1, SIDE_BUY, 2 * one, one, 100 * one, ORDER_STATUS_CANCELED, REASON_BY_STRATEGY);
    intent(w, 4, 2, SIDE_BUY, one);
    told(w, 4, 2, SIDE_BUY, one, 0, 0, ORDER_STATUS_REJECTED, REASON_MAX_POSITION);
    intent(w, 60, 3, SIDE_BUY, one);
    told(w, 60, 3, SIDE_BUY, one, 0, 0, ORDER_STATUS_REJECTED, REASON_MAX_POSITION);
    fill(w, 100, 1, 2, SIDE_BUY, one, 400 * one);
    told(w, 100, 1, SIDE_BUY, 2 * one, 2 * one, 500 * one, ORDER_STATUS_CANCELED,
         REASON_BY_STRATEGY);
    position(w, 100, 2, 2 * one, 0, 0, 2 * one);
    assert_int_equal(report_results_write(&w->run, w->dir, sum, &err), 0);
    assert_string_equal(/* 2 / (1/100 + 1/400) = 160 */
                        text(w, "orders.csv"),
                        "S000000300000000000100,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,2,,"
                        ",canceled,2,160,"
                        "1000000000,100000000000,by_strategy,signal_cross_up,both,,,,\n"
                        "S000000300000000000200,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,1,,"
                        ",rejected,0,,"
                        "4000000000,4000000000,max_position,signal_cross_up,both,,,,\n"
                        "S000000300000000000300,zeta,main,BTC-PERP,BTCUSDT,entry,buy,market,gtc,1,,"
                        ",rejected,0,,"
                        "60000000000,60000000000,max_position,signal_cross_up,both,,,,\n");
    assert_int_equal(sum->orders, 3);
    assert_int_equal(sum->fills, 2);
    assert_int_equal(sum->by_status[ORDER_STATUS_CANCELED], 1);
    report_summary_free(sum);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cross, setup, teardown),
        cmocka_unit_test_setup_teardown(test_much, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
