/* rig: the venue alone, fed by hand */
/* Goal: every sentence of the rules in actors/venue/venue.h and account.h holds.
 * Method: a few orders and bars or trades by hand; what is said is compared as text. The figures
 * are worked out by hand from the rules. */
#include "tests/actors/test_venue.h"

/* Short words for what the tables below repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    MARKET = ORDER_TYPE_MARKET,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* up tells whether the venue hears instrument 1 that way. */
static bool up(const struct bench *b, enum rt_hear how) {
    return b->rig.series[b->series[0]].up[how];
}

/* Market: the open of the bar that follows the close it was decided on. */
static void test_market_at_next_open(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 1, .side = BUY);
    SAYS(&b, "60 1 accepted\n");
    opens(&b, 100.5, 120, 80, 90);
    SAYS(&b, "60 1 1@100.5 taker\n"); /* told at the open's instant */
    closes(&b);
    SAYS(&b, "");
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(1));
    assert_int_equal(bench_held(&b, 1, 1).cost, fx(100.5));
    assert_int_equal(bench_cash(&b, 1), fx(1000000));
    bench_close(&b);
}

/* Decided inside a bar (a timer): from the next bar, never in the one already open. */
static void test_decided_inside_a_bar(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    opens(&b, 100, 110, 90, 100);
    bench_at(&b, 30);
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 95);
    closes(&b);
    SAYS(&b, "30 1 accepted\n30 2 accepted\n30 3 accepted\n");
    opens(&b, 101, 101, 101, 101);
    SAYS(&b, "60 1 1@101 taker\n");
    bench_close(&b);
}

/* Latency counts in whole bars: 150 s of one-minute bars are two. */
static void test_latency_in_whole_bars(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_BAR, "{latency: 150s}");
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 1, .side = BUY);                               /* decided at 60 */
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 1000); /* would take anywhere */
    bar(&b, 101, 101, 101, 101);
    bar(&b, 102, 102, 102, 102);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n");
    opens(&b, 103, 103, 103, 103); /* opens at 180 = 60 + 120 */
    SAYS(&b, "180 1 1@103 taker\n180 2 1@103 taker\n");
    bench_close(&b);
}

/* A latency below one bar costs nothing; one of exactly a bar costs that bar. */
static void test_latency_edges(void **state) {
    (void)state;
    const char *const yaml[] = { "{latency: 59999ms}", "{latency: 60s}" };
    const char *const expected[] = { "60 1 accepted\n60 1 1@101 taker\n",
                                     "60 1 accepted\n120 1 1@102 taker\n" };
    for (int i = 0; i < 2; i++) {
        struct bench b;
        bench_world(&b);
        bench_open(&b, MSG_BAR, yaml[i]);
        bar(&b, 100, 100, 100, 100);
        ASK(&b, .id = 1, .side = BUY);
        bar(&b, 101, 101, 101, 101);
        bar(&b, 102, 102, 102, 102);
        SAYS(&b, expected[i]);
        bench_close(&b);
    }
}

/* Decided on a fill at an open: limit and stop work on the rest of that bar. */
static void test_rest_of_the_bar(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY);
    opens(&b, 100, 110, 94, 100);
    SAYS(&b, "0 1 accepted\n0 1 1@100 taker\n");
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 95);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 115);
    SAYS(&b, "0 2 accepted\n0 3 accepted\n");
    closes(&b);
    SAYS(&b, "60 2 1@95 taker\n");
    bar(&b, 100, 116, 100, 100);
    SAYS(&b, "120 3 1@115 maker\n");
    bench_close(&b);
}

/* ... whose path begins at its open: what the open already meets fills at once. */
static void test_rest_of_the_bar_begins_at_open(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY);
    opens(&b, 100, 110, 90, 100);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 100); /* open at the limit */
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 103);  /* open better */
    ASK(&b, .id = 4, .side = BUY, .type = STOP, .price = 99);    /* gapped: worse of stop, open */
    ASK(&b, .id = 5, .side = SELL, .type = STOP, .price = 100);  /* touched */
    ASK(&b, .id = 6, .side = BUY, .type = LIMIT, .price = 101, .terms = ORDER_TERMS_POST_ONLY);
    ASK(&b, .id = 7, .side = BUY, .type = LIMIT, .price = 99, .terms = ORDER_TERMS_IOC);
    SAYS(&b, "0 1 accepted\n0 1 1@100 taker\n"
             "0 2 accepted\n0 2 1@100 taker\n"
             "0 3 accepted\n0 3 1@100 taker\n"
             "0 4 accepted\n0 4 1@100 taker\n"
             "0 5 accepted\n0 5 1@100 taker\n"
             "0 6 accepted\n0 6 rejected would_match\n"
             "0 7 accepted\n0 7 expired not_filled_at_once\n");
    closes(&b);
    SAYS(&b, "");
    bench_close(&b);
}

/* ... market waits for the next. */
static void test_market_on_a_fill_at_open(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY);
    opens(&b, 100, 110, 90, 100);
    ASK(&b, .id = 2, .side = SELL);
    closes(&b);
    SAYS(&b, "0 1 accepted\n0 1 1@100 taker\n0 2 accepted\n");
    opens(&b, 104, 104, 104, 104);
    SAYS(&b, "60 2 1@104 taker\n");
    bench_close(&b);
}

/* ... and where the latency is a bar or more, nothing works on the rest. */
static void test_no_rest_of_the_bar_with_latency(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_BAR, "{latency: 1m}");
    ASK(&b, .id = 1, .side = BUY, .type = STOP, .price = 200); /* so that opens are heard */
    opens(&b, 100, 110, 90, 100);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 100);
    closes(&b);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n");
    opens(&b, 101, 101, 101, 101);
    SAYS(&b, "60 2 1@101 taker\n");
    bench_close(&b);
}

/* A decision at T by the close of a bar is worked from the bar that opens at T, told later. */
static void test_open_of_the_same_instant_not_told_yet(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100.5);
    opens(&b, 100.5, 101, 100, 100);
    SAYS(&b, "60 1 accepted\n60 1 1@100.5 taker\n");
    bench_close(&b);
}

/* A missing bar is skipped. */
static void test_missing_bar(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 1, .side = BUY);
    bench_bar_begins(&b, 1, START_NS + 5 * BAR_NS, fx(107), fx(107), fx(107), fx(107), 1);
    SAYS(&b, "60 1 accepted\n300 1 1@107 taker\n");
    bench_close(&b);
}

/* A bar without volume works nothing: neither its open nor its path; a first bar is the first that
 * works. */
static void test_bar_without_volume(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100);
    bench_bar_begins(&b, 1, START_NS, fx(100), fx(120), fx(80), fx(100), 0);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 100); /* no rest of such a bar either */
    bench_bar_ends(&b, 1);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 accepted\n");
    opens(&b, 99, 99, 99, 99);
    SAYS(&b, "60 3 1@99 taker\n60 1 1@99 taker\n60 2 1@99 taker\n"); /* 2 as taker: its first */
    bench_close(&b);
}

/* A calm order passes over a bar without volume between two that trade. */
static void test_calm_order_over_a_bar_without_volume(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    bar(&b, 100, 100, 100, 100);
    bench_bar_begins(&b, 1, START_NS + BAR_NS, fx(90), fx(120), fx(80), fx(100), 0);
    bench_bar_ends(&b, 1);
    SAYS(&b, "0 1 accepted\n");
    bench_bar_begins(&b, 1, START_NS + 2 * BAR_NS, fx(100), fx(120), fx(80), fx(100), 1);
    bench_bar_ends(&b, 1);
    SAYS(&b, "180 1 1@95 maker\n");
    bench_close(&b);
}

/* Limit on its first bar: open at the limit or better: at the open, as taker. */
static void test_limit_first_bar_open(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 105);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 100);
    ASK(&b, .id = 4, .side = SELL, .type = LIMIT, .price = 95);
    ASK(&b, .id = 5, .side = BUY, .type = LIMIT, .price = 99.5);
    ASK(&b, .id = 6, .side = SELL, .type = LIMIT, .price = 100.5);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 1@100 taker\n0 2 1@100 taker\n0 3 1@100 taker\n0 4 1@100 taker\n");
    bench_close(&b);
}

/* ... else once a bar trades strictly beyond it, at the limit, as maker: its first bar too. */
static void test_limit_strictly_beyond(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 105);
    (void)said(&b);
    bar(&b, 100, 105, 95, 100);
    SAYS(&b, ""); /* touched only */
    bar(&b, 100, 100, 94.5, 100);
    SAYS(&b, "120 1 1@95 maker\n");
    bar(&b, 100, 105.5, 100, 100);
    SAYS(&b, "180 2 1@105 maker\n");
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 95);
    bar(&b, 100, 100, 94.5, 100); /* its first bar */
    SAYS(&b, "180 3 accepted\n240 3 1@95 maker\n");
    bench_close(&b);
}

/* ... or at an open strictly beyond it, at that open, as maker. */
static void test_limit_open_beyond(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 105);
    bar(&b, 100, 100, 100, 100);
    (void)said(&b);
    bar(&b, 95, 95, 95, 95);
    bar(&b, 105, 105, 105, 105);
    SAYS(&b, ""); /* at the limit is not beyond it, after the first bar */
    opens(&b, 94, 100, 94, 94);
    SAYS(&b, "180 1 1@94 maker\n");
    closes(&b);
    opens(&b, 107, 107, 107, 107);
    SAYS(&b, "240 2 1@107 maker\n");
    bench_close(&b);
}

/* After its first bar a limit at the open is met by a path that goes on beyond it. */
static void test_limit_at_open_then_beyond(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    bar(&b, 100, 100, 100, 100);
    (void)said(&b);
    bar(&b, 95, 95, 94, 94);
    SAYS(&b, "120 1 1@95 maker\n");
    bench_close(&b);
}

/* Stop: triggers when touched, at the stop, as taker. */
static void test_stop_touched(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = STOP, .price = 105);
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 95);
    (void)said(&b);
    bar(&b, 100, 104.5, 95.5, 100);
    SAYS(&b, "");
    bar(&b, 100, 105, 100, 100);
    SAYS(&b, "120 1 1@105 taker\n");
    bar(&b, 100, 100, 95, 100);
    SAYS(&b, "180 2 1@95 taker\n");
    bench_close(&b);
}

/* ... fills at the worse of stop and open: on its first bar and later. */
static void test_stop_gapped(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = STOP, .price = 99);
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 101);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 95);
    ASK(&b, .id = 4, .side = BUY, .type = STOP, .price = 105);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 1@100 taker\n0 2 1@100 taker\n");
    closes(&b);
    opens(&b, 93, 93, 93, 93);
    SAYS(&b, "60 3 1@93 taker\n");
    closes(&b);
    opens(&b, 110, 110, 110, 110);
    SAYS(&b, "120 4 1@110 taker\n");
    bench_close(&b);
}

/* Slippage worsens takers, rounded to the tick against them; makers pay none. */
static void test_slippage(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].slippage_bps = fx(10); /* 10 bp of 100 = 0.1, to the tick: 0.5 */
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .side = SELL);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 95);
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 96);
    (void)said(&b);
    bar(&b, 100, 100, 95, 100);
    SAYS(&b, "0 1 1@100.5 taker slip=0.5\n0 2 1@99.5 taker slip=0.5\n"
             "60 4 1@96 maker\n60 3 1@94.5 taker slip=0.5\n");
    ASK(&b, .id = 5, .side = BUY);
    opens(&b, 500, 500, 500, 500); /* 0.5 exactly */
    SAYS(&b, "60 5 accepted\n60 5 1@500.5 taker slip=0.5\n");
    bench_close(&b);
}

/* A limit never passes its limit; a sale never falls below one tick. */
static void test_slippage_stops_at_limit(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].slippage_bps = fx(200); /* 2 % */
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 101);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 105);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 99.5);
    ASK(&b, .id = 4, .side = SELL, .type = LIMIT, .price = 100);
    (void)said(&b);
    bar(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 1@101 taker slip=1\n0 2 1@102 taker slip=2\n"
             "0 3 1@99.5 taker slip=0.5\n0 4 1@100 taker\n");
    ASK(&b, .id = 5, .side = SELL);
    opens(&b, 0.5, 0.5, 0.5, 0.5);
    SAYS(&b, "60 5 accepted\n60 5 1@0.5 taker\n");
    bench_close(&b);
}

/* Path: orders are worked where it meets them: nearest to the open first. */
static void test_path_order_by_price(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 98);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 97);
    (void)said(&b);
    bar(&b, 100, 100, 90, 100);
    SAYS(&b, "60 2 1@98 maker\n60 3 1@97 taker\n60 1 1@95 maker\n");
    ASK(&b, .id = 4, .side = SELL, .type = LIMIT, .price = 105);
    ASK(&b, .id = 5, .side = SELL, .type = LIMIT, .price = 102);
    ASK(&b, .id = 6, .side = BUY, .type = STOP, .price = 103);
    (void)said(&b);
    bar(&b, 100, 110, 100, 100);
    SAYS(&b, "120 5 1@102 maker\n120 6 1@103 taker\n120 4 1@105 maker\n");
    bench_close(&b);
}

/* At one price stops first, then by client order id. */
static void test_path_one_price(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 6, .side = SELL, .type = STOP, .price = 95);
    ASK(&b, .id = 5, .side = SELL, .type = STOP, .price = 95);
    (void)said(&b);
    bar(&b, 100, 100, 94, 100);
    SAYS(&b, "60 5 1@95 taker\n60 6 1@95 taker\n60 3 1@95 maker\n60 4 1@95 maker\n");
    bench_close(&b);
}

/* All that an open meets it meets at one price: stops first, then by id, whatever their type. */
static void test_open_one_price(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 9, .side = SELL, .type = STOP, .price = 101);
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 105);
    ASK(&b, .id = 2, .side = SELL);
    ASK(&b, .id = 4, .side = BUY);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 9 1@100 taker\n0 2 1@100 taker\n0 3 1@100 taker\n0 4 1@100 taker\n");
    bench_close(&b);
}

/* Each is worked against the cash and position the one before left. */
static void test_each_against_what_is_left(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.accounts[0].cash = fx(150);
    b.instruments[0].kind = MK_SPOT;
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .side = BUY);
    ASK(&b, .id = 3, .side = SELL);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 1@100 taker\n0 2 0.5@100 taker\n0 2 expired insufficient_balance\n"
             "0 3 1@100 taker\n");
    assert_int_equal(bench_cash(&b, 1), fx(100));
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(0.5));
    bench_close(&b);
}

/* Of stop and target in one bar the stop is the one that fills (spot: one holding to sell). */
static void test_stop_and_target_spot(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY);
    opens(&b, 100, 111, 89, 108);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 110, .terms = ORDER_TERMS_REDUCE_ONLY);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 90, .terms = ORDER_TERMS_REDUCE_ONLY);
    (void)said(&b);
    closes(&b);
    SAYS(&b, "60 3 1@90 taker\n60 2 expired insufficient_balance\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000 - 100 + 90));
    bench_close(&b);
}

/* The same on a linear instrument, long and short, with orders that only reduce. */
static void test_stop_and_target_linear(void **state) {
    (void)state;
    const uint8_t side[] = { BUY, SELL };
    const double stop[] = { 90, 110 }, target[] = { 110, 90 };
    const char *const expected[] = { "60 3 1@90 taker\n60 2 expired insufficient_balance\n",
                                     "60 3 1@110 taker\n60 2 expired insufficient_balance\n" };
    for (int i = 0; i < 2; i++) {
        struct bench b;
        bench_bars(&b);
        ASK(&b, .id = 1, .side = side[i]);
        opens(&b, 100, 111, 89, 100);
        ASK(&b, .id = 2, .side = !side[i], .type = LIMIT, .price = target[i],
            .terms = ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_EXIT);
        ASK(&b, .id = 3, .side = !side[i], .type = STOP, .price = stop[i],
            .terms = ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_EXIT);
        (void)said(&b);
        closes(&b);
        SAYS(&b, expected[i]);
        assert_int_equal(bench_cash(&b, 1), fx(1000000 - 10));
        assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
        bench_close(&b);
    }
}

/* Both paths are worked: the one that leaves less equity at the close counts, here high first
 * though the account is long: it sells out at 105 (+ 5) and is short from 95 on (- 11 at 106); low
 * first it would lose 5 and the order at 105 would find nothing to reduce. */
static void test_path_of_less_equity(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY);
    opens(&b, 100, 106, 94, 106);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 105, .terms = ORDER_TERMS_REDUCE_ONLY);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 95);
    (void)said(&b);
    closes(&b);
    SAYS(&b, "60 2 1@105 maker\n60 3 1@95 taker\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000 + 5));
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(-1));
    bench_close(&b);
}

/* ... equal: the extreme against its position first; flat: low first. */
static void test_paths_equal(void **state) {
    (void)state;
    for (int position = -1; position <= 1; position++) {
        struct bench b;
        bench_bars(&b);
        if (position != 0) ASK(&b, .id = 1, .side = position > 0 ? BUY : SELL, .quantity = 5);
        bar(&b, 100, 100, 100, 100);
        ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 95);
        ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 105);
        (void)said(&b);
        bar(&b, 100, 106, 94, 100); /* both fill on both paths */
        SAYS(&b, position < 0 ? "120 3 1@105 maker\n120 2 1@95 maker\n"
                              : "120 2 1@95 maker\n120 3 1@105 maker\n");
        bench_close(&b);
    }
}

/* Each account goes its own way and is told in order of ids. */
static void test_paths_per_account(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .quantity = 5, .account = 2);
    ASK(&b, .id = 2, .side = SELL, .quantity = 5, .account = 1);
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 10, .side = BUY, .type = LIMIT, .price = 95, .account = 2);
    ASK(&b, .id = 11, .side = SELL, .type = LIMIT, .price = 105, .account = 2);
    ASK(&b, .id = 12, .side = BUY, .type = LIMIT, .price = 96, .account = 1);
    ASK(&b, .id = 13, .side = SELL, .type = LIMIT, .price = 104, .account = 1);
    (void)said(&b);
    bar(&b, 100, 106, 94, 100);
    SAYS(&b, "120 13 1@104 maker\n120 12 1@96 maker\n120 10 1@95 maker\n120 11 1@105 maker\n");
    bench_close(&b);
}

/* Instruments and accounts are apart: an order is worked by its own bars on its own cash. */
static void test_instruments_apart(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .instrument = 2, .account = 2);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 accepted\n");
    bench_bar_begins(&b, 2, START_NS, fx(50), fx(50), fx(50), fx(50), 1);
    SAYS(&b, "0 1 1@50 taker\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000));
    assert_int_equal(bench_cash(&b, 2), fx(999950));
    assert_int_equal(bench_held(&b, 2, 2).quantity, fx(1));
    bench_close(&b);
}

/* Spot: fee in the asset received, rate x quantity or x notional, rounded up. */
static void test_spot_fees(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.instruments[0].tick_size = 1;
    b.instruments[0].lot_size = 1;
    b.instruments[0].taker_fee = 75000; /* 0.075 % */
    b.instruments[0].maker_fee = 20000; /* 0.02 % */
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 0.33333333);
    opens(&b, 100.00000001, 101, 99, 100);
    /* Notional 33.3333330033333333 is paid as 33.33333301; fee 0.0002499999975 is 0.00025. */
    SAYS(&b, "0 1 accepted\n0 1 0.33333333@100.00000001 taker fee=0.00025\n");
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_FILL), 0);
    assert_int_equal(bench_cash(&b, 1), fx(1000000) - 3333333301);
    assert_int_equal(bench_held(&b, 1, 1).quantity, 33333333 - 25000);
    closes(&b);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 102.00000001, .quantity = 0.11111111);
    bar(&b, 100, 103, 100, 100);
    /* 11.3333332211111111 is received as 11.33333322; 0.02 % of that is 0.002266666644. */
    SAYS(&b, "60 2 accepted\n120 2 0.11111111@102.00000001 maker fee=0.00226667\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000) - 3333333301 + 1133333322 - 226667);
    assert_int_equal(bench_held(&b, 1, 1).quantity, 33333333 - 25000 - 11111111);
    bench_close(&b);
}

/* The fee's asset: base where base is received, else quote. */
static void test_fee_asset(void **state) {
    (void)state;
    for (int spot = 0; spot < 2; spot++) {
        struct bench b;
        bench_world(&b);
        b.instruments[0].kind = spot ? MK_SPOT : MK_LINEAR;
        bench_open(&b, MSG_BAR, "{}");
        ASK(&b, .id = 1, .side = BUY);
        ASK(&b, .id = 2, .side = SELL);
        opens(&b, 100, 100, 100, 100);
        const struct msg_venue_fill *f = msg_body(rig_find(&b.rig, MSG_VENUE_FILL, 0));
        const struct msg_venue_fill *g = msg_body(rig_find(&b.rig, MSG_VENUE_FILL, 1));
        assert_int_equal(f->fee_asset, spot ? 0 : 1);
        assert_int_equal(g->fee_asset, 1);
        assert_int_equal(f->trade_id, 1); /* counted from 1 */
        assert_int_equal(g->trade_id, 2);
        bench_close(&b);
    }
}

/* Spot: what cash does not cover at the fill's price is cut to the lot below, the rest expires. */
static void test_spot_cut(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.instruments[0].slippage_bps = fx(100);
    b.accounts[0].cash = fx(100);
    b.accounts[1].cash = fx(10);
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 5);
    ASK(&b, .id = 2, .side = BUY, .quantity = 5, .account = 2);
    ASK(&b, .id = 3, .side = BUY, .quantity = 5, .account = 2, .type = LIMIT, .price = 20);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 rejected insufficient_balance\n");
    opens(&b, 100, 100, 100, 100);
    /* at 101: 0.9900..., to the lot 0.9; nothing of 10 */
    SAYS(&b, "0 1 0.9@101 taker slip=1\n0 1 expired insufficient_balance\n"
             "0 2 expired insufficient_balance\n");
    assert_int_equal(bench_cash(&b, 1), fx(100 - 90.9));
    bench_close(&b);
}

/* LOCKS checks what account 1 has locked: quote, and base of instrument 1. */
#define LOCKS(b, quote_, base_)                                                                    \
    do {                                                                                           \
        const struct venue *v_ = (b)->rig.state;                                                   \
        assert_true(v_->locked[0].quote == fx(quote_));                                            \
        assert_int_equal(v_->locks[0].base, fx(base_));                                            \
    } while (0)

/* Spot: what rests locks what it may cost; free decides who comes in, and what a market order may
 * spend; a cancel, a fill and the end of the data unlock. Figures reckoned by hand. */
static void test_spot_locks(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.accounts[0].cash = fx(1000);
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 90, .quantity = 5);     /* 450 */
    ASK(&b, .id = 2, .side = BUY, .type = STOP, .price = 110, .quantity = 5);     /* 550 */
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 0.5, .quantity = 0.1);  /* 0.05 */
    ASK(&b, .id = 4, .side = SELL, .type = LIMIT, .price = 120, .quantity = 0.1); /* nothing held */
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 rejected insufficient_balance\n"
             "0 4 rejected insufficient_balance\n");
    LOCKS(&b, 1000, 0);
    ASK(&b, .id = 5, .side = BUY); /* a market order comes in, and is cut to what is free */
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 5 accepted\n0 5 expired insufficient_balance\n");
    closes(&b);
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    LOCKS(&b, 550, 0);
    ASK(&b, .id = 6, .side = BUY, .quantity = 5);
    opens(&b, 100, 100, 89, 100);
    SAYS(&b, "60 1 canceled\n60 6 accepted\n60 6 4.5@100 taker\n"
             "60 6 expired insufficient_balance\n");
    ASK(&b, .id = 7, .side = SELL, .type = LIMIT, .price = 108, .quantity = 3);
    ASK(&b, .id = 8, .side = SELL, .type = STOP, .price = 95, .quantity = 2);
    ASK(&b, .id = 9, .side = SELL, .type = STOP, .price = 80, .quantity = 2,
        .terms = ORDER_TERMS_REDUCE_ONLY); /* locks nothing */
    SAYS(&b, "60 7 accepted\n60 8 rejected insufficient_balance\n60 9 accepted\n");
    LOCKS(&b, 550, 3);
    closes(&b);
    ASK(&b, .id = 10, .side = SELL, .quantity = 4); /* 1.5 are free */
    bar(&b, 109, 109, 108.5, 109);
    /* 7 was on its first bar at once: maker, at the open beyond it */
    SAYS(&b, "120 10 accepted\n120 7 3@109 maker\n120 10 1.5@109 taker\n"
             "120 10 expired insufficient_balance\n");
    LOCKS(&b, 550, 0);
    /* a stop that gaps takes its own lock and what is free: 1000 - 450 + 4.5 * 109 = 1040.5 */
    bar(&b, 300, 300, 300, 300);
    SAYS(&b, "180 2 3.4@300 taker\n180 2 expired insufficient_balance\n");
    LOCKS(&b, 0, 0);
    assert_int_equal(bench_cash(&b, 1), fx(1040.5 - 1020));
    ASK(&b, .id = 11, .side = SELL, .type = LIMIT, .price = 400, .quantity = 2);
    LOCKS(&b, 0, 2);
    stop_data(&b);
    LOCKS(&b, 0, 0);
    bench_close(&b);
}

/* Balances are told when what is locked has changed, once an event, and not else. */
static void test_spot_balances(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 90, .quantity = 5);
    const struct msg_venue_balance *m = msg_body(rig_find(&b.rig, MSG_VENUE_BALANCE, 0));
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_BALANCE), 1);
    assert_int_equal(m->total, fx(1000000));
    assert_int_equal(m->locked, fx(450));
    assert_int_equal(m->instrument, 0);
    assert_int_equal(m->asset, 1);
    assert_int_equal(m->account, 1);
    (void)said(&b);
    ASK(&b, .id = 2, .side = BUY);
    bar(&b, 100, 100, 95, 100);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_BALANCE), 0);
    rig_reload(&b.rig); /* a venue made anew knows what it has told */
    bar(&b, 85, 85, 85, 85);
    m = msg_body(rig_find(&b.rig, MSG_VENUE_BALANCE, 0));
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_BALANCE), 1);
    assert_int_equal(m->locked, 0);
    assert_int_equal(m->total, fx(1000000 - 100 - 425));
    (void)said(&b);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 99, .quantity = 2);
    m = msg_body(rig_find(&b.rig, MSG_VENUE_BALANCE, 0));
    assert_int_equal(m->instrument, 1);
    assert_int_equal(m->asset, 0);
    assert_int_equal(m->total, fx(6));
    assert_int_equal(m->locked, fx(2));
    bench_close(&b);
}

/* Cash that covers exactly, to the last unit of what is paid, is not cut. */
static void test_spot_cut_exact(void **state) {
    (void)state;
    for (int lack = 0; lack < 2; lack++) {
        struct bench b;
        bench_world(&b);
        b.instruments[0].kind = MK_SPOT;
        b.instruments[0].tick_size = 1;
        b.instruments[0].lot_size = 1;
        b.accounts[0].cash = 3333333301 - lack; /* 0.33333333 at 100.00000001, rounded up */
        bench_open(&b, MSG_BAR, "{}");
        ASK(&b, .id = 1, .side = BUY, .quantity = 0.33333333);
        opens(&b, 100.00000001, 101, 99, 100);
        SAYS(&b, lack ? "0 1 accepted\n0 1 0.33333332@100.00000001 taker\n"
                        "0 1 expired insufficient_balance\n"
                      : "0 1 accepted\n0 1 0.33333333@100.00000001 taker\n");
        bench_close(&b);
    }
}

/* Spot knows no short: selling more than held is cut likewise. */
static void test_spot_no_short(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.instruments[0].taker_fee = 100000; /* 0.1 %: 0.999 of 1 bought */
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .side = SELL);
    ASK(&b, .id = 3, .side = SELL);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 1@100 taker fee=0.001\n0 2 0.9@100 taker fee=0.09\n"
             "0 2 expired insufficient_balance\n0 3 expired insufficient_balance\n");
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(0.099));
    bench_close(&b);
}

/* Fill-or-kill is not cut: it expires whole. */
static void test_fok_is_not_cut(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.accounts[0].cash = fx(100);
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 2, .terms = ORDER_TERMS_FOK);
    ASK(&b, .id = 2, .side = BUY, .quantity = 2, .terms = ORDER_TERMS_IOC);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 expired insufficient_balance\n0 2 1@100 taker\n"
             "0 2 expired insufficient_balance\n");
    bench_close(&b);
}

/* Linear: realised P&L and fees move cash; a reduction takes cost x closed / held, toward zero. */
static void test_linear_money(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].taker_fee = 50000; /* 0.05 % */
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 3);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 accepted\n0 1 3@100 taker fee=0.15\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000 - 0.15));
    closes(&b);
    ASK(&b, .id = 2, .side = SELL, .quantity = 1);
    opens(&b, 110, 110, 110, 110);
    SAYS(&b, "60 2 accepted\n60 2 1@110 taker fee=0.055\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000 - 0.15 + 10 - 0.055));
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(2));
    assert_int_equal(bench_held(&b, 1, 1).cost, fx(200));
    closes(&b);
    ASK(&b, .id = 3, .side = SELL, .quantity = 3); /* closes 2, opens 1 short */
    opens(&b, 90, 90, 90, 90);
    SAYS(&b, "120 3 accepted\n120 3 3@90 taker fee=0.135\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000 - 0.15 + 10 - 0.055 - 20 - 0.135));
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(-1));
    assert_int_equal(bench_held(&b, 1, 1).cost, fx(-90));
    closes(&b);
    ASK(&b, .id = 4, .side = BUY, .quantity = 1);
    opens(&b, 80, 80, 80, 80);
    SAYS(&b, "180 4 accepted\n180 4 1@80 taker fee=0.04\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000 - 0.15 + 10 - 0.055 - 20 - 0.135 + 10 - 0.04));
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    assert_int_equal(bench_held(&b, 1, 1).cost, 0);
    bench_close(&b);
}

/* A reduction's cost is rounded toward zero and the rest stays: nothing is lost in the end. */
static void test_linear_cost_rounding(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].tick_size = 1;
    b.instruments[0].lot_size = 1;
    bench_open(&b, MSG_BAR, "{}");
    struct msg_venue_request r = { .order_id = 1, .quantity = 3, .instrument = 1, .account = 1 };
    assert_true(rig_hear(&b.rig, MSG_VENUE_REQUEST, 9, &r, sizeof r));
    opens(&b, 1.5, 1.5, 1.5, 1.5);
    assert_int_equal(bench_held(&b, 1, 1).cost, 5); /* 4.5 is paid, rounded up */
    closes(&b);
    r = (struct msg_venue_request){
        .order_id = 2, .quantity = 2, .instrument = 1, .account = 1, .side = SELL
    };
    assert_true(rig_hear(&b.rig, MSG_VENUE_REQUEST, 9, &r, sizeof r));
    opens(&b, 1.75, 1.75, 1.75, 1.75);
    assert_int_equal(bench_held(&b, 1, 1).cost, 2);           /* 5 x 2 / 3 = 3.3: 3 taken */
    assert_int_equal(bench_cash(&b, 1), fx(1000000) + 3 - 3); /* 3.5 received, rounded down */
    bench_close(&b);
}

/* Linear has no margin yet: cash may fall below zero. */
static void test_linear_no_margin(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.accounts[0].cash = 0;
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 3);
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 2, .side = SELL, .quantity = 3);
    bar(&b, 90, 90, 90, 90);
    assert_int_equal(bench_cash(&b, 1), fx(-30));
    bench_close(&b);
}

/* A rebate is a fee below zero, rounded toward the venue. */
static void test_rebate(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].maker_fee = -10000; /* 0.01 % back */
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    bar(&b, 100, 100, 90, 100);
    SAYS(&b, "0 1 accepted\n60 1 1@95 maker fee=-0.0095\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000.0095));
    bench_close(&b);
}

/* ioc and fok limits: at the first open that works, or not at all. */
static void test_ioc_fok(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 99, .terms = ORDER_TERMS_IOC);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100, .terms = ORDER_TERMS_FOK);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 101, .terms = ORDER_TERMS_FOK);
    (void)said(&b);
    opens(&b, 100, 120, 80, 100);
    SAYS(&b, "0 1 expired not_filled_at_once\n0 2 1@100 taker\n0 3 expired not_filled_at_once\n");
    bench_close(&b);
}

/* post_only rests, or is rejected where it would take. */
static void test_post_only(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100, .terms = ORDER_TERMS_POST_ONLY);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 99, .terms = ORDER_TERMS_POST_ONLY);
    (void)said(&b);
    bar(&b, 100, 100, 98, 100);
    SAYS(&b, "0 1 rejected would_match\n60 2 1@99 maker\n");
    bench_close(&b);
}

/* reduce_only is cut to what reduces the position, to the lot below. */
static void test_reduce_only(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .side = BUY, .quantity = 2);
    ASK(&b, .id = 2, .side = SELL, .quantity = 5, .terms = ORDER_TERMS_REDUCE_ONLY);
    ASK(&b, .id = 3, .side = SELL, .terms = ORDER_TERMS_REDUCE_ONLY);
    ASK(&b, .id = 4, .side = BUY, .terms = ORDER_TERMS_REDUCE_ONLY);
    (void)said(&b);
    opens(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 2@100 taker\n0 2 2@100 taker\n0 2 expired insufficient_balance\n"
             "0 3 expired insufficient_balance\n0 4 expired insufficient_balance\n");
    bench_close(&b);
}

/* Orders the venue does not take are rejected on arrival, with the reason. */
static void test_refusals(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].min_notional = fx(50);
    b.accounts[1].quote = 2; /* holds EUR */
    bench_open(&b, MSG_BAR, "{orders_max: 2}");
    ASK(&b, .id = 1, .instrument = 3);
    ASK(&b, .id = 2, .type = ORDER_TYPE_STOP_LIMIT, .price = 100);
    ASK(&b, .id = 3, .side = 2);
    ASK(&b, .id = 4, .account = 3);
    ASK(&b, .id = 5, .account = 2);
    ASK(&b, .id = 6, .terms = ORDER_TERMS_GTD);
    ASK(&b, .id = 7, .terms = ORDER_TERMS_POST_ONLY);
    ASK(&b, .id = 8, .type = LIMIT, .price = 100, .terms = ORDER_TERMS_POST_ONLY | ORDER_TERMS_IOC);
    ASK(&b, .id = 9, .type = STOP, .price = 100, .terms = ORDER_TERMS_IOC);
    ASK(&b, .id = 10, .type = LIMIT, .price = 100, .terms = ORDER_TERMS_CLOSE_POSITION);
    ASK(&b, .id = 11, .quantity = 0.05);
    ASK(&b, .id = 12, .quantity = -1);
    ASK(&b, .id = 13, .type = LIMIT, .price = 100.1);
    ASK(&b, .id = 14, .type = STOP, .price = -100);
    ASK(&b, .id = 15, .type = STOP, .price = 0);
    ASK(&b, .id = 16, .type = LIMIT, .price = 499.5, .quantity = 0.1);
    ASK(&b, .id = 17, .type = LIMIT, .price = 9e9, .quantity = 9e9);
    ASK(&b, .id = 18, .op = 7);
    SAYS(&b, "0 1 rejected unknown_instrument\n0 2 rejected bad_terms\n"
             "0 3 rejected unsupported\n0 4 rejected unsupported\n0 5 rejected unsupported\n"
             "0 6 rejected bad_terms\n0 7 rejected unsupported\n0 8 rejected unsupported\n"
             "0 9 rejected unsupported\n0 10 rejected unsupported\n0 11 rejected bad_lot\n"
             "0 12 rejected bad_lot\n0 13 rejected bad_tick\n0 14 rejected bad_tick\n"
             "0 15 rejected bad_tick\n0 16 rejected min_notional\n0 17 rejected overflow\n"
             "0 18 rejected unknown_order\n");
    ASK(&b, .id = 20, .quantity = 0.1); /* a market order: no price told yet */
    ASK(&b, .id = 20, .type = LIMIT, .price = 500, .quantity = 0.1);
    ASK(&b, .id = 21, .type = LIMIT, .price = 500, .quantity = 0.1);
    ASK(&b, .id = 22, .type = LIMIT, .price = 500, .quantity = 0.1);
    SAYS(&b, "0 20 accepted\n0 20 rejected duplicate_id\n0 21 accepted\n"
             "0 22 rejected open_orders_max\n");
    bar(&b, 400, 400, 400, 400);
    ASK(&b, .id = 23, .quantity = 0.1); /* 40 at the last close */
    ASK(&b, .id = 20, .quantity = 0.2); /* done orders leave their id */
    SAYS(&b, "0 20 0.1@400 taker\n0 21 0.1@400 taker\n60 23 rejected min_notional\n"
             "60 20 accepted\n");
    bench_close(&b);
}

/* An instrument without data takes no orders. */
static void test_no_series(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    struct rt_error err = { 0 };
    b.series[0] = rig_series(&b.rig, MSG_BAR, 1, BAR_NS);
    assert_int_equal(rig_open(&b.rig, &venue_kind, "{}", &b.market, &err), 0);
    ASK(&b, .id = 1, .instrument = 2);
    const struct msg_venue_status *s = msg_body(rig_said(&b.rig, 0));
    assert_int_equal(s->status, ORDER_STATUS_REJECTED);
    assert_int_equal(s->reason, REASON_MARKET_CLOSED);
    bench_close(&b);
}

/* The finest series works the orders: trades before bars, short bars before long ones. */
static void test_finest_series(void **state) {
    (void)state;
    for (int with_trades = 0; with_trades < 2; with_trades++) {
        struct bench b;
        bench_world(&b);
        struct rt_error err = { 0 };
        uint16_t hour = rig_series(&b.rig, MSG_BAR, 1, 60 * BAR_NS);
        uint16_t prints = rig_series(&b.rig, MSG_TRADE, with_trades ? 1 : 2, 0);
        b.series[0] = rig_series(&b.rig, MSG_BAR, 1, BAR_NS);
        assert_int_equal(rig_open(&b.rig, &venue_kind, "{}", &b.market, &err), 0);
        ASK(&b, .id = 1, .type = LIMIT, .price = 100);
        assert_true(up(&b, RT_HEAR_OPEN) == !with_trades);
        assert_false(b.rig.series[hour].up[RT_HEAR_OPEN]);
        assert_true(b.rig.series[prints].up[RT_HEAR_EARLY] == with_trades);
        bench_close(&b);
    }
}

/* A series is heard only while an order could be worked by it. */
static void test_interests(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    assert_false(up(&b, RT_HEAR_OPEN) || up(&b, RT_HEAR_EARLY));
    ASK(&b, .id = 1, .side = BUY);
    assert_true(up(&b, RT_HEAR_OPEN) && !up(&b, RT_HEAR_EARLY));
    opens(&b, 100, 100, 100, 100);
    assert_false(up(&b, RT_HEAR_OPEN) || up(&b, RT_HEAR_EARLY));
    closes(&b);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 95);
    assert_true(up(&b, RT_HEAR_OPEN) && !up(&b, RT_HEAR_EARLY));
    opens(&b, 100, 100, 94, 100);
    assert_true(up(&b, RT_HEAR_OPEN) && up(&b, RT_HEAR_EARLY));
    closes(&b);
    assert_false(up(&b, RT_HEAR_OPEN) || up(&b, RT_HEAR_EARLY));
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 95);
    opens(&b, 100, 100, 100, 100);
    rig_reload(&b.rig); /* interests come back by themselves, and the venue knows of them */
    ASK(&b, .id = 3, .op = REQUEST_OP_CANCEL);
    assert_false(up(&b, RT_HEAR_OPEN) || up(&b, RT_HEAR_EARLY));
    bench_close(&b);
}

/* Accepted on arrival with a number; canceled, or unknown_order. */
static void test_cancel(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 5, .side = BUY);
    ASK(&b, .id = 6, .type = LIMIT, .price = 95, .quantity = 2);
    const struct msg_venue_status *s = msg_body(rig_said(&b.rig, 1));
    assert_int_equal(s->venue_order_id, 2);
    assert_int_equal(s->quantity, fx(2));
    (void)said(&b);
    ASK(&b, .id = 5, .op = REQUEST_OP_CANCEL);
    s = msg_body(rig_said(&b.rig, 0));
    assert_int_equal(s->venue_order_id, 1);
    assert_int_equal(s->quantity, 0);
    SAYS(&b, "0 5 canceled\n");
    ASK(&b, .id = 5, .op = REQUEST_OP_CANCEL);
    ASK(&b, .id = 6, .op = REQUEST_OP_CANCEL, .instrument = 2); /* not an order there */
    SAYS(&b, "0 5 rejected unknown_order\n0 6 rejected unknown_order\n");
    opens(&b, 94, 94, 94, 94);
    SAYS(&b, "0 6 2@94 taker\n");
    bench_close(&b);
}

/* A cancel cannot undo what the bar that ends at that instant has met: instrument 2 is worked after
 * 1, and a fill in 1 makes the cancel in 2. */
static void test_cancel_while_bars_end(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .type = LIMIT, .price = 95);
    ASK(&b, .id = 2, .type = LIMIT, .price = 95, .instrument = 2);
    ASK(&b, .id = 3, .type = LIMIT, .price = 91, .instrument = 2);
    ASK(&b, .id = 4, .type = LIMIT, .price = 90, .instrument = 2);
    bench_bar_begins(&b, 1, START_NS, fx(100), fx(100), fx(90), fx(100), 1);
    bench_bar_begins(&b, 2, START_NS, fx(100), fx(100), fx(92), fx(100), 1);
    (void)said(&b);
    (void)rig_rows(&b.rig, b.series[0], RT_HEAR_EARLY, &b.bars[0], 1);
    SAYS(&b, "60 1 1@95 maker\n");
    for (uint64_t id = 4; id >= 2; id--) {
        ASK(&b, .id = id, .instrument = 2, .op = REQUEST_OP_CANCEL);
        ASK(&b, .id = id, .instrument = 2, .op = REQUEST_OP_CANCEL);
    }
    SAYS(&b, "");
    rig_reload(&b.rig);
    bench_bar_ends(&b, 2);
    SAYS(&b, "60 2 1@95 maker\n60 3 canceled\n60 4 canceled\n");
    ASK(&b, .id = 2, .instrument = 2, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "60 2 rejected unknown_order\n");
    bench_close(&b);
}

/* A fill whose figures leave the range of money does not happen: the order expires. */
static void test_overflow_at_fill(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1, .quantity = 9e9);
    (void)said(&b);
    opens(&b, 9e9, 9e9, 9e9, 9e9);
    SAYS(&b, "0 1 expired overflow\n");
    assert_int_equal(bench_cash(&b, 1), fx(1000000));
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    bench_close(&b);
}

/* cancel_all takes the account's orders, in one instrument or in all, by id. */
static void test_cancel_all(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 7, .type = LIMIT, .price = 95);
    ASK(&b, .id = 5, .type = LIMIT, .price = 95);
    ASK(&b, .id = 6, .type = LIMIT, .price = 95, .account = 2);
    ASK(&b, .id = 8, .type = LIMIT, .price = 95, .instrument = 2);
    (void)said(&b);
    ASK(&b, .op = REQUEST_OP_CANCEL_ALL, .instrument = 2);
    SAYS(&b, "0 8 canceled\n");
    struct msg_venue_request all = { .account = 1, .op = REQUEST_OP_CANCEL_ALL };
    assert_true(rig_hear(&b.rig, MSG_VENUE_REQUEST, 9, &all, sizeof all));
    SAYS(&b, "0 5 canceled\n0 7 canceled\n");
    bench_close(&b);
}

/* At the end of the data every open order expires, by id; after it no order is taken. */
static void test_end_of_data(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 9, .type = LIMIT, .price = 95);
    ASK(&b, .id = 2, .instrument = 2);
    ASK(&b, .id = 3, .account = 2);
    (void)said(&b);
    stop_data(&b);
    SAYS(&b, "0 2 expired end_of_data\n0 3 expired end_of_data\n0 9 expired end_of_data\n");
    assert_false(up(&b, RT_HEAR_OPEN));
    ASK(&b, .id = 10);
    SAYS(&b, "0 10 rejected market_closed\n");
    bench_close(&b);
}

/* A row that fills very many orders: each event tells so much that the smallest mail holds what
 * comes of it, the rest follows at the same instant, in order, also after a restart in between;
 * what is asked meanwhile is answered behind it. */
static void test_many_filled(void **state) {
    (void)state;
    enum many { MANY = 1000, MOST = 128 };
    for (int reload = 0; reload < 2; reload++) {
        struct bench b;
        bench_world(&b);
        bench_open(&b, MSG_BAR, "{orders_max: 2000}");
        for (uint64_t id = 1; id <= MANY; id++) ASK(&b, .id = id, .type = LIMIT, .price = 95);
        (void)said(&b);
        opens(&b, 100, 101, 90, 99);
        (void)rig_rows(&b.rig, b.series[0], RT_HEAR_EARLY, &b.bars[0], 1);
        assert_int_equal(rig_count(&b.rig, MSG_VENUE_FILL), MOST);
        ASK(&b, .op = REQUEST_OP_CANCEL, .id = MANY);
        assert_int_equal(b.rig.said_cnt, MOST);
        if (reload) rig_reload(&b.rig);
        assert_int_equal(rig_until(&b.rig, b.rig.ctx.now_ns), (MANY + 1 - 1) / MOST);
        assert_int_equal(b.rig.said_cnt, MANY + 1);
        for (uint64_t id = 1; id <= MANY; id++) {
            const struct msg_venue_fill *f = msg_body(rig_said(&b.rig, id - 1));
            assert_true(f->order_id == id && f->trade_id == id && f->price == fx(95));
        }
        const struct msg_venue_status *last = msg_body(rig_said(&b.rig, MANY));
        assert_true(last->order_id == MANY && last->reason == REASON_UNKNOWN_ORDER);
        bench_close(&b);
    }
}

/* More orders than one call has room to speak of: the rest follows in events of their own. */
static void test_end_of_data_many(void **state) {
    (void)state;
    enum many { MANY = 20000 };
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_BAR, "{orders_max: 65536}");
    for (uint64_t id = 1; id <= MANY; id++) ASK(&b, .id = id, .type = LIMIT, .price = 95);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_STATUS), MANY);
    rig_forget(&b.rig);
    stop_data(&b);
    assert_true(b.rig.said_cnt < MANY);
    assert_true(up(&b, RT_HEAR_OPEN));
    bench_at(&b, 0);
    assert_int_equal(b.rig.said_cnt, MANY);
    for (uint64_t id = 1; id <= MANY; id++) {
        const struct msg_venue_status *s = msg_body(rig_said(&b.rig, id - 1));
        assert_int_equal(s->order_id, id);
        assert_int_equal(s->status, ORDER_STATUS_EXPIRED);
    }
    assert_false(up(&b, RT_HEAR_OPEN));
    bench_close(&b);
}

/* Another stop leaves the orders to execution. */
static void test_other_stop(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 1);
    (void)said(&b);
    struct msg_stop stop = { .reason = REASON_BY_OPERATOR };
    assert_true(rig_hear(&b.rig, MSG_STOP, 0, &stop, sizeof stop));
    SAYS(&b, "");
    bench_close(&b);
}

/* Trades: market at the next trade's price, as taker, with slippage. */
static void test_trade_market(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].slippage_bps = fx(100);
    bench_open(&b, MSG_TRADE, "{}");
    trade(&b, 1, 100);
    ASK(&b, .id = 1, .side = BUY, .quantity = 50); /* the print's size limits nothing */
    trade(&b, 2, 101);
    SAYS(&b, "1 1 accepted\n2 1 50@102.5 taker slip=1.5\n"); /* 1.01, to the tick 1.5 */
    assert_false(up(&b, RT_HEAR_EARLY));
    bench_close(&b);
}

/* An order arrives at its decision time plus latency; trades before pass it by. */
static void test_trade_latency(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: 2500ms}");
    trade(&b, 1, 100);
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .side = BUY, .quantity = 0.05);
    trade(&b, 2, 101);
    trade(&b, 3.499999999, 102);
    SAYS(&b, "");
    trade(&b, 3.6, 103);
    SAYS(&b, "3.5 1 accepted\n3.5 2 rejected bad_lot\n3.6 1 1@103 taker\n");
    ASK(&b, .id = 3, .side = SELL);
    trade(&b, 6.1, 104); /* at the very instant it arrives */
    SAYS(&b, "6.1 3 accepted\n6.1 3 1@104 taker\n");
    bench_at(&b, 100);
    SAYS(&b, "");
    bench_close(&b);
}

/* A cancel travels as long: it does not overtake its order. */
static void test_trade_cancel_latency(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: 2s}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 90);
    bench_at(&b, 1);
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    bench_at(&b, 10);
    SAYS(&b, "2 1 accepted\n3 1 canceled\n");
    bench_close(&b);
}

/* Limit: when a trade prints strictly beyond it, at the limit, as maker. */
static void test_trade_limit(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 105);
    (void)said(&b);
    trade(&b, 1, 95);
    trade(&b, 2, 105);
    SAYS(&b, "");
    trade(&b, 3, 94.5);
    trade(&b, 4, 107);
    SAYS(&b, "3 1 1@95 maker\n4 2 1@105 maker\n");
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 95, .terms = ORDER_TERMS_IOC);
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 115, .terms = ORDER_TERMS_FOK);
    (void)said(&b);
    trade(&b, 5, 100);
    SAYS(&b, "5 3 expired not_filled_at_once\n5 4 1@115 taker\n");
    bench_close(&b);
}

/* Stop: triggered by a touch, fills at the trade after that, at its price, as taker. */
static void test_trade_stop(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = STOP, .price = 105);
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 95);
    (void)said(&b);
    trade(&b, 1, 104.5);
    trade(&b, 2, 105);
    SAYS(&b, "");
    rig_reload(&b.rig); /* that it has triggered is kept */
    trade(&b, 3, 101);
    SAYS(&b, "3 1 1@101 taker\n");
    trade(&b, 4, 94);
    SAYS(&b, "");
    trade(&b, 4, 93); /* trades may share an instant */
    SAYS(&b, "4 2 1@93 taker\n");
    bench_close(&b);
}

/* What one trade meets: stops first, then by id. */
static void test_trade_order(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{}");
    ASK(&b, .id = 5, .side = SELL, .type = STOP, .price = 100);
    trade(&b, 1, 100);
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 101);
    ASK(&b, .id = 3, .side = BUY);
    (void)said(&b);
    trade(&b, 2, 100);
    SAYS(&b, "2 5 1@100 taker\n2 3 1@100 taker\n2 4 1@101 maker\n");
    bench_close(&b);
}

/* A run of trades is taken in one call as long as nothing is said. */
static void test_trade_run(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    (void)said(&b);
    struct msg_trade t[100];
    for (int i = 0; i < 100; i++) {
        t[i] = (struct msg_trade){ .time_ns = START_NS + i * SECOND_NS,
                                   .price = fx(i == 70 ? 94 : 100),
                                   .quantity = fx(1),
                                   .instrument = 1 };
    }
    assert_int_equal(rig_rows(&b.rig, b.series[0], RT_HEAR_EARLY, t, 100), 71);
    SAYS(&b, "70 1 1@95 maker\n");
    bench_close(&b);
}

/* Orders on their way expire with the rest when the data ends. */
static void test_trade_end_of_data(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: 5s}");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 95);
    bench_at(&b, 6);
    ASK(&b, .id = 1, .side = BUY);
    ASK(&b, .id = 2, .op = REQUEST_OP_CANCEL);
    (void)said(&b);
    stop_data(&b);
    SAYS(&b, "6 2 expired end_of_data\n6 1 expired end_of_data\n");
    assert_int_equal(b.rig.timer_cnt, 0);
    bench_close(&b);
}

/* Requests on their way are part of the state. */
static void test_trade_reload_in_flight(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: 5s}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 95);
    bench_at(&b, 1);
    ASK(&b, .id = 2, .side = BUY);
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    rig_reload(&b.rig);
    bench_at(&b, 10);
    SAYS(&b, "5 1 accepted\n6 2 accepted\n6 1 canceled\n");
    bench_close(&b);
}

/* Room for orders and their cancels is bounded: both ways are answered. */
static void test_capacity(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: 5s, orders_max: 2}");
    for (uint64_t id = 1; id <= 3; id++) ASK(&b, .id = id, .type = LIMIT, .price = 95);
    for (uint64_t id = 1; id <= 3; id++) ASK(&b, .id = id, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "0 3 rejected open_orders_max\n0 3 rejected unknown_order\n");
    bench_at(&b, 10);
    SAYS(&b, "5 1 accepted\n5 2 accepted\n5 1 canceled\n5 2 canceled\n");
    ASK(&b, .id = 4, .type = LIMIT, .price = 95);
    bench_at(&b, 20);
    SAYS(&b, "15 4 accepted\n");
    bench_close(&b);
}

/* Options out of range are refused. */
static void test_bad_options(void **state) {
    (void)state;
    const char *const bad[] = { "{latency: -1s}",  "{latency: 2d}",       "{latency: soon}",
                                "{orders_max: 0}", "{orders_max: 65537}", "{orders: 5}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bench b;
        bench_world(&b);
        struct rt_error err = { 0 };
        assert_true(rig_open(&b.rig, &venue_kind, bad[i], &b.market, &err) < 0);
        assert_true(err.text[0] != 0);
        bench_close(&b);
    }
}

/* Rows that make no sense are refused with a sentence. */
static void test_bad_rows(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    struct rt_error err;
    struct msg_order_row order = { .order_id = 1, .instrument = 3, .account = 1 };
    struct msg_position_row held = { .instrument = 1, .account = 3 };
    struct msg_account_row account = { .account = 0 };
    struct msg_counter_row counter = { .id = 77 };
    struct {
        uint16_t kind;
        const void *row;
        uint32_t bytes;
    } rows[] = {
        { MSG_ORDER_ROW, &order, sizeof order },
        { MSG_ORDER_ROW, &order, sizeof order - 8 },
        { MSG_POSITION_ROW, &held, sizeof held },
        { MSG_ACCOUNT_ROW, &account, sizeof account },
        { MSG_COUNTER_ROW, &counter, sizeof counter },
        { MSG_EXPOSURE_ROW, &counter, sizeof counter },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err.text[0] = 0;
        assert_true(
            venue_kind.load(b.rig.state, rows[i].kind, 1, rows[i].row, rows[i].bytes, &err) < 0);
        assert_true(err.text[0] != 0);
    }
    order.instrument = 1;
    assert_int_equal(venue_kind.load(b.rig.state, MSG_ORDER_ROW, 1, &order, sizeof order, &err), 0);
    assert_true(venue_kind.load(b.rig.state, MSG_ORDER_ROW, 2, &order, sizeof order, &err) < 0);
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_market_at_next_open),
        cmocka_unit_test(test_decided_inside_a_bar),
        cmocka_unit_test(test_latency_in_whole_bars),
        cmocka_unit_test(test_latency_edges),
        cmocka_unit_test(test_rest_of_the_bar),
        cmocka_unit_test(test_rest_of_the_bar_begins_at_open),
        cmocka_unit_test(test_market_on_a_fill_at_open),
        cmocka_unit_test(test_no_rest_of_the_bar_with_latency),
        cmocka_unit_test(test_open_of_the_same_instant_not_told_yet),
        cmocka_unit_test(test_missing_bar),
        cmocka_unit_test(test_bar_without_volume),
        cmocka_unit_test(test_calm_order_over_a_bar_without_volume),
        cmocka_unit_test(test_limit_first_bar_open),
        cmocka_unit_test(test_limit_strictly_beyond),
        cmocka_unit_test(test_limit_open_beyond),
        cmocka_unit_test(test_limit_at_open_then_beyond),
        cmocka_unit_test(test_stop_touched),
        cmocka_unit_test(test_stop_gapped),
        cmocka_unit_test(test_slippage),
        cmocka_unit_test(test_slippage_stops_at_limit),
        cmocka_unit_test(test_path_order_by_price),
        cmocka_unit_test(test_path_one_price),
        cmocka_unit_test(test_open_one_price),
        cmocka_unit_test(test_each_against_what_is_left),
        cmocka_unit_test(test_stop_and_target_spot),
        cmocka_unit_test(test_stop_and_target_linear),
        cmocka_unit_test(test_path_of_less_equity),
        cmocka_unit_test(test_paths_equal),
        cmocka_unit_test(test_paths_per_account),
        cmocka_unit_test(test_instruments_apart),
        cmocka_unit_test(test_spot_fees),
        cmocka_unit_test(test_fee_asset),
        cmocka_unit_test(test_spot_locks),
        cmocka_unit_test(test_spot_balances),
        cmocka_unit_test(test_spot_cut),
        cmocka_unit_test(test_spot_cut_exact),
        cmocka_unit_test(test_spot_no_short),
        cmocka_unit_test(test_fok_is_not_cut),
        cmocka_unit_test(test_linear_money),
        cmocka_unit_test(test_linear_cost_rounding),
        cmocka_unit_test(test_linear_no_margin),
        cmocka_unit_test(test_rebate),
        cmocka_unit_test(test_ioc_fok),
        cmocka_unit_test(test_post_only),
        cmocka_unit_test(test_reduce_only),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_series),
        cmocka_unit_test(test_finest_series),
        cmocka_unit_test(test_interests),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_while_bars_end),
        cmocka_unit_test(test_overflow_at_fill),
        cmocka_unit_test(test_cancel_all),
        cmocka_unit_test(test_end_of_data),
        cmocka_unit_test(test_many_filled),
        cmocka_unit_test(test_end_of_data_many),
        cmocka_unit_test(test_other_stop),
        cmocka_unit_test(test_trade_market),
        cmocka_unit_test(test_trade_latency),
        cmocka_unit_test(test_trade_cancel_latency),
        cmocka_unit_test(test_trade_limit),
        cmocka_unit_test(test_trade_stop),
        cmocka_unit_test(test_trade_order),
        cmocka_unit_test(test_trade_run),
        cmocka_unit_test(test_trade_end_of_data),
        cmocka_unit_test(test_trade_reload_in_flight),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_bad_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
