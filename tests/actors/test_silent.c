/* rig: drives the host alone.
 *
 * Goal: where a recorded book has been silent for stale_after no order that opens comes of
 * a signal, and who hears the book is told that it is stale; with the next update all goes on. So
 * it is with trades where there is no book.
 * Method: a class that goes long on each bar and notes each view of its book; updates and silences
 * at chosen instants, one at the very end of the time allowed; saved and loaded between. */
#include "tests/support/strategy.h"

static uint32_t views, stale_views;

/* on_book counts. */
static void on_book(struct st_host *h, void *state, uint16_t leg, const struct st_book *book) {
    struct st_level level;
    (void)state;
    views++;
    stale_views += book->stale;
    assert_int_equal(st_levels(h, leg, SIDE_BUY, &level, 1), book->stale ? 0 : 1);
}

/* on_bar opens by an order, and closes by another. */
static void on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    struct st_signal buy = { .action = ST_ORDER, .leg = leg, .type = ORDER_TYPE_MARKET };
    struct st_signal sell = { .action = ST_ORDER,
                              .leg = leg,
                              .side = SIDE_SELL,
                              .type = ORDER_TYPE_MARKET,
                              .terms = ORDER_TERMS_EXIT,
                              .quantity = ONE };
    (void)state;
    (void)st_signal(h, bar->close > 100 * ONE ? &buy : &sell);
}

static const struct st_class hears = { .name = "hears",
                                       .leg_min = 1,
                                       .leg_max = 2,
                                       .state_bytes = 8,
                                       .on_bar = on_bar,
                                       .on_book = on_book };
static const struct st_class blind = {
    .name = "blind", .leg_min = 1, .leg_max = 2, .state_bytes = 8, .on_bar = on_bar
};

/* The test's own table stands for classes.c. */
const struct st_class *const st_classes[] = { &hears, &blind, NULL };

/* Two instruments; the book of A may be silent for a second. */
static const char *const yaml =
    "instruments:\n"
    "  A: {kind: linear, base: A, quote: USDT, tick_size: 1, lot_size: 1, maker_fee: 0,\n"
    "    taker_fee: 0, stale_after: 1s}\n"
    "  B: {kind: linear, base: B, quote: USDT, tick_size: 1, lot_size: 1, maker_fee: 0,\n"
    "    taker_fee: 0}\n"
    "accounts: {main: {quote: USDT, cash: 100000}}\n";

/* SECOND_NS is a second. */
#define SECOND_NS INT64_C(1000000000)

/* The bench of one test. */
struct bench {
    struct rig rig;             /* the host on it */
    struct mk_market *m;        /* the world */
    uint16_t book, bars;        /* series of A's book, of B's bars */
    struct msg_book_delta rows; /* the newest row of the book */
    uint64_t update;            /* its number */
};

/* update tells a whole update of A's book at ns: a bid and, first, an ask. */
static void update(struct bench *b, int64_t ns, bool heard) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        b->rows = (struct msg_book_delta){
            .time_ns = ns,
            .update_id = b->update + 1,
            .price = (90 + 20 * side) * ONE,
            .quantity = 5 * ONE,
            .instrument = 1,
            .side = (uint8_t)side,
            .flags = (side == SIDE_BUY ? BOOK_FLAGS_FIRST : BOOK_FLAGS_LAST) |
                     (b->update == 0 ? BOOK_FLAGS_SNAPSHOT : 0),
        };
        if (heard) {
            assert_int_equal(rig_rows(&b->rig, b->book, RT_HEAR_ROW, &b->rows, 1), 1);
        }
    }
    rig_latest(&b->rig, b->book, &b->rows);
    b->update++;
}

/* bar tells a bar of B that ends at ns, and returns why no order came of it, REASON_NONE when one
 * did. */
static uint16_t bar(struct bench *b, int64_t ns, int64_t close) {
    struct msg_bar row = bar_at(2, 0, close * ONE);
    row.open_ns = ns - MINUTE_NS;
    rig_forget(&b->rig);
    assert_int_equal(rig_rows(&b->rig, b->bars, RT_HEAR_ROW, &row, 1), 1);
    const struct st_packet_head *p = packet_of(&b->rig, 0);
    assert_non_null(p);
    assert_int_equal(rig_count(&b->rig, MSG_ORDER_INTENT), p->reason_cnt == 1);
    return p->reason_cnt == 1 ? REASON_NONE : p->reason[1];
}

/* bench_open makes the host; trades: A has those, and no book. */
static void bench_open(struct bench *b, const char *cls, bool trades) {
    char text[300];
    struct rt_config *c;
    struct rt_error err = { 0 };
    *b = (struct bench){ .m = NULL };
    views = stale_views = 0;
    assert_int_equal(rt_config_parse("market", yaml, strlen(yaml), &c, &err), 0);
    assert_int_equal(mk_market_load(rt_config_root(c), &b->m, &err), 0);
    rt_config_close(c);
    b->book = rig_series(&b->rig, trades ? MSG_TRADE : MSG_BOOK_DELTA, 1, 0);
    if (cls[0] == 'h') rig_series(&b->rig, MSG_BOOK_DELTA, 2, 0);
    rig_series(&b->rig, MSG_BAR, 1, MINUTE_NS);
    b->bars = rig_series(&b->rig, MSG_BAR, 2, MINUTE_NS);
    (void)snprintf(text, sizeof text,
                   "class: %s\ninstruments: [A, B]\ninterval: 1m\nsizing: {fixed: 1}\n", cls);
    int rc = rig_open(&b->rig, &strategy_kind, text, b->m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    rig_start(&b->rig, 0);
}

/* bench_close frees it. */
static void bench_close(struct bench *b) {
    rig_close(&b->rig);
    mk_market_close(b->m);
}

/* Who hears the book is told once; orders that open wait for the next update. */
static void test_heard(void **state) {
    (void)state;
    struct bench b;
    const int64_t t = 100 * SECOND_NS;
    bench_open(&b, "hears", false);
    update(&b, t, true);
    assert_int_equal(views, 1);
    update(&b, t + SECOND_NS / 2, true);
    rig_reload(&b.rig);
    assert_int_equal(bar(&b, t + SECOND_NS, 101), REASON_NONE);
    update(&b, t + 3 * SECOND_NS / 2, true); /* at the very end of the second: in time */
    rig_until(&b.rig, t + 3 * SECOND_NS / 2);
    assert_int_equal(stale_views, 0);
    rig_until(&b.rig, t + 5 * SECOND_NS / 2);
    assert_int_equal(stale_views, 1);
    rig_reload(&b.rig);
    assert_int_equal(bar(&b, t + 5 * SECOND_NS / 2, 101), REASON_STALE_DATA);
    rig_until(&b.rig, t + 60 * SECOND_NS);
    assert_int_equal(stale_views, 1);
    assert_int_equal(bar(&b, t + 61 * SECOND_NS, 99), REASON_NONE); /* it may always close */
    update(&b, t + 62 * SECOND_NS, true);
    assert_int_equal(bar(&b, t + 62 * SECOND_NS, 101), REASON_NONE);
    rig_until(&b.rig, t + 100 * SECOND_NS);
    assert_int_equal(stale_views, 2);
    bench_close(&b);
}

/* Who does not hear the book opens nothing either, of either leg. */
static void test_blind(void **state) {
    (void)state;
    struct bench b;
    const int64_t t = 100 * SECOND_NS;
    bench_open(&b, "blind", false);
    assert_int_equal(bar(&b, t, 101), REASON_STALE_DATA); /* no book yet */
    update(&b, t, false);
    assert_int_equal(bar(&b, t + 1, 101), REASON_NONE);
    assert_int_equal(bar(&b, t + SECOND_NS - 1, 101), REASON_NONE);
    assert_int_equal(bar(&b, t + SECOND_NS, 101), REASON_STALE_DATA);
    assert_int_equal(bar(&b, t + SECOND_NS, 99), REASON_NONE);
    update(&b, t + 9 * SECOND_NS, false);
    assert_int_equal(bar(&b, t + 9 * SECOND_NS, 101), REASON_NONE);
    bench_close(&b);
}

/* Without a book it is the newest trade that tells. */
static void test_trades(void **state) {
    (void)state;
    struct bench b;
    const int64_t t = 100 * SECOND_NS;
    struct msg_trade trade = { .time_ns = t, .price = 100 * ONE, .quantity = ONE, .instrument = 1 };
    bench_open(&b, "blind", true);
    assert_int_equal(bar(&b, t, 101), REASON_STALE_DATA); /* no trade yet */
    rig_latest(&b.rig, b.book, &trade);
    assert_int_equal(bar(&b, t + SECOND_NS - 1, 101), REASON_NONE);
    assert_int_equal(bar(&b, t + SECOND_NS, 101), REASON_STALE_DATA);
    assert_int_equal(bar(&b, t + SECOND_NS, 99), REASON_NONE); /* it may always close */
    trade.time_ns = t + 9 * SECOND_NS;
    rig_latest(&b.rig, b.book, &trade);
    assert_int_equal(bar(&b, t + 9 * SECOND_NS, 101), REASON_NONE);
    bench_close(&b);
}

/* main runs all. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heard),
        cmocka_unit_test(test_blind),
        cmocka_unit_test(test_trades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
