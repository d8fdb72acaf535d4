/* rig: the venue alone, fed by hand */
/* Goal: with participation an order gets what a bar or a print leaves it, in lots, and the rest
 * goes on as venue.h says; children of a list begin and grow with what is filled of their parent;
 * models of slippage reckon with the last bars. Method: orders and rows by hand, what is said
 * compared as text; figures worked out by hand from the rules, the square root's from METHODS 17.
 * Runs as a whole are compared with tests/reference/sim.py. */
#include "actors/market/more.h"
#include "tests/actors/test_venue.h"

/* Short words for what the tests below repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    MARKET = ORDER_TYPE_MARKET,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    IOC = ORDER_TERMS_IOC,
    FOK = ORDER_TERMS_FOK,
    POST = ORDER_TERMS_POST_ONLY,
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* half opens a venue of which half of what is traded may be ours. */
static void half(struct bench *b, uint16_t row_kind) {
    bench_world(b);
    b->instruments[0].participation = FIXED_ONE / 2;
    bench_open(b, row_kind, "{}");
}

/* begins begins the next bar of instrument 1, of a volume. */
static void begins(struct bench *b, double open, double high, double low, double close,
                   double volume) {
    int64_t last_ns = b->bars[0].open_ns, at_ns = last_ns == 0 ? START_NS : last_ns + BAR_NS;
    bench_bar_begins(b, 1, at_ns, fx(open), fx(high), fx(low), fx(close), volume);
}

/* whole tells a whole bar of a volume. */
static void whole(struct bench *b, double open, double high, double low, double close,
                  double volume) {
    begins(b, open, high, low, close, volume);
    closes(b);
}

/* print tells a trade of a size. */
static void print(struct bench *b, double seconds, double price, double quantity) {
    b->trades[0] = (struct msg_trade){ .time_ns = START_NS + (int64_t)(seconds * 1e9),
                                       .price = fx(price),
                                       .quantity = fx(quantity),
                                       .instrument = 1 };
    (void)rig_rows(&b->rig, b->series[0], RT_HEAR_EARLY, &b->trades[0], 1);
    (void)rig_rows(&b->rig, b->series[0], RT_HEAR_ROW, &b->trades[0], 1);
}

/* child asks for an order that hangs on order 1. */
static void child(struct bench *b, struct ask a) {
    struct msg_venue_request_more r = { .order_id = a.id,
                                        .price = fx(a.price),
                                        .quantity = fx(a.quantity),
                                        .instrument = 1,
                                        .account = 1,
                                        .side = a.side,
                                        .type = a.type,
                                        .terms = a.terms };
    const struct mk_more m = { .parent = 1, .oco = 2 };
    mk_more_put(&r, sizeof(struct msg_venue_request), &m);
    assert_true(rig_hear(&b->rig, MSG_VENUE_REQUEST_MORE, 9, &r, sizeof r));
}

/* A market order takes its share of each bar, told at its end, in lots; ioc and fok do not wait. */
static void test_market(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_BAR);
    whole(&b, 100, 100, 100, 100, 1);
    ASK(&b, .id = 1, .side = BUY, .type = MARKET);
    whole(&b, 101, 102, 100, 101, 1.3); /* 0.65 in lots: 0.6 */
    SAYS(&b, "60 1 accepted\n120 1 0.6@101 taker\n");
    whole(&b, 102, 103, 102, 103, 0.1); /* not one lot */
    SAYS(&b, "");
    rig_reload(&b.rig); /* what is left of it is kept */
    whole(&b, 103, 103, 103, 103, 1);
    SAYS(&b, "240 1 0.4@103 taker\n");
    ASK(&b, .id = 2, .side = BUY, .type = MARKET, .terms = IOC);
    ASK(&b, .id = 3, .side = BUY, .type = MARKET, .terms = FOK, .quantity = 0.2);
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 103, .terms = FOK, .quantity = 0.1);
    whole(&b, 103, 103, 103, 103, 1);
    SAYS(&b, "240 2 accepted\n240 3 accepted\n240 4 accepted\n"
             "300 2 0.5@103 taker\n300 2 expired not_filled_at_once\n"
             "300 3 expired not_filled_at_once\n300 4 expired not_filled_at_once\n");
    ASK(&b, .id = 5, .side = BUY, .type = LIMIT, .price = 103, .terms = FOK);
    ASK(&b, .id = 6, .side = BUY, .type = LIMIT, .price = 103, .terms = POST);
    whole(&b, 103, 103, 103, 103, 2);
    SAYS(&b, "300 5 accepted\n300 6 accepted\n360 5 1@103 taker\n360 6 rejected would_match\n");
    bench_close(&b);
}

/* A limit takes at the open and rests with what it did not get; all accounts share a bar. */
static void test_limit(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_BAR);
    whole(&b, 100, 100, 100, 100, 1);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 99, .account = 2);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 99);
    whole(&b, 98, 100, 98, 99, 1);
    SAYS(&b, "60 2 accepted\n60 1 accepted\n120 1 0.5@98 taker\n");
    whole(&b, 99, 100, 98, 99, 2); /* beyond: the rest of the first, then the second */
    SAYS(&b, "180 1 0.5@99 maker\n180 2 0.5@99 maker\n");
    whole(&b, 97, 100, 97, 99, 2);
    SAYS(&b, "240 2 0.5@97 maker\n");
    bench_close(&b);
}

/* A stop triggers though nothing is left to trade, and goes on at the next open. */
static void test_stop(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_BAR);
    whole(&b, 100, 100, 100, 100, 1);
    ASK(&b, .id = 1, .side = SELL, .type = MARKET, .quantity = 0.5);
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 95);
    whole(&b, 100, 100, 94, 98, 1);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n120 1 0.5@100 taker\n");
    rig_reload(&b.rig);
    whole(&b, 99, 99, 99, 99, 1); /* far from its trigger, but it has fired */
    SAYS(&b, "180 2 0.5@99 taker\n");
    whole(&b, 98, 98, 98, 98, 9);
    SAYS(&b, "240 2 0.5@98 taker\n");
    bench_close(&b);
}

/* A cancel inside a bar does not undo what its open found; of a resting limit it is at once. */
static void test_cancel(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_BAR);
    whole(&b, 100, 100, 100, 100, 1);
    ASK(&b, .id = 1, .side = BUY, .type = MARKET);
    begins(&b, 101, 101, 101, 101, 1);
    bench_at(&b, 70);
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "60 1 accepted\n");
    closes(&b);
    SAYS(&b, "120 1 0.5@101 taker\n120 1 canceled\n");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 90);
    whole(&b, 101, 101, 101, 101, 1);
    begins(&b, 101, 101, 80, 101, 1);
    bench_at(&b, 190);
    ASK(&b, .id = 2, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "120 2 accepted\n190 2 canceled\n");
    closes(&b);
    SAYS(&b, "");
    bench_close(&b);
}

/* Children begin with the first fill of their parent and grow with the next; a cancel of what is
 * left of it leaves the filled part protected. */
static void test_children_grow(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_BAR);
    whole(&b, 100, 100, 100, 100, 1);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 98, .quantity = 2);
    child(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 95, .quantity = 2 });
    child(&b, (struct ask){ .id = 3, .side = SELL, .type = LIMIT, .price = 105, .quantity = 2 });
    SAYS(&b, "60 1 accepted\n60 2 accepted\n60 3 accepted\n");
    whole(&b, 99, 99, 97.5, 99, 1);
    whole(&b, 99, 99, 97.5, 99, 1);
    SAYS(&b, "120 1 0.5@98 maker\n180 1 0.5@98 maker\n");
    rig_reload(&b.rig); /* how far they have grown is kept */
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "180 1 canceled\n");
    whole(&b, 99, 99, 94, 99, 1.6); /* 1 of 2 is protected; 0.8 is to be had */
    SAYS(&b, "240 3 expired list_partner\n240 2 0.8@95 taker\n");
    whole(&b, 96, 99, 94, 99, 9);
    SAYS(&b, "300 2 0.2@96 taker\n300 2 expired list_parent\n");
    assert_true(bench_held(&b, 1, 1).quantity == 0);
    bench_close(&b);
}

/* With children: filled they wait until their parent is wholly filled, on bars and trades, and end
 * with one that is canceled before. */
static void test_children_whole(void **state) {
    (void)state;
    struct bench b;
    for (int trades = 0; trades < 2; trades++) {
        for (int canceled = 0; canceled < 2; canceled++) {
            bench_world(&b);
            bench_open(&b, trades ? MSG_TRADE : MSG_BAR, "{participation: 50%, children: filled}");
            if (trades) print(&b, 1, 100, 1);
            if (!trades) whole(&b, 100, 100, 100, 100, 1);
            ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 98, .quantity = 1);
            child(&b,
                  (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 95, .quantity = 1 });
            child(&b, (struct ask){
                          .id = 3, .side = SELL, .type = LIMIT, .price = 105, .quantity = 1 });
            (void)said(&b);
            if (trades) print(&b, 2, 94, 1);
            if (!trades)
                whole(&b, 99, 99, 94, 99, 1); /* beyond the stop, which does not work yet */
            SAYS(&b, trades ? "2 1 0.5@98 maker\n" : "120 1 0.5@98 maker\n");
            rig_reload(&b.rig);
            if (canceled) {
                ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
                SAYS(&b, trades ? "2 1 canceled\n2 2 expired list_parent\n2 3 expired list_parent\n"
                                : "120 1 canceled\n120 2 expired list_parent\n"
                                  "120 3 expired list_parent\n");
                bench_close(&b);
                continue;
            }
            if (trades) {
                print(&b, 3, 97, 1);
                print(&b, 4, 106, 9);
                SAYS(&b, "3 1 0.5@98 maker\n4 3 1@105 maker\n4 2 expired list_partner\n");
            } else {
                whole(&b, 97.5, 97.5, 97.5, 97.5, 1);
                whole(&b, 99, 106, 99, 99, 9);
                SAYS(&b, "180 1 0.5@97.5 maker\n240 3 1@105 maker\n240 2 expired list_partner\n");
            }
            bench_close(&b);
        }
    }
}

/* A child that triggers ends what is open of its parent; a parent canceled unfilled takes its
 * children along. */
static void test_child_ends_parent(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_BAR);
    whole(&b, 100, 100, 100, 100, 1);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 98, .quantity = 2);
    child(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 95, .quantity = 2 });
    whole(&b, 99, 99, 97.5, 99, 1);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n120 1 0.5@98 maker\n");
    whole(&b, 97, 97, 94, 96, 2); /* 1 more at the open, then down through the stop */
    SAYS(&b, "180 1 1@97 maker\n180 1 expired list_partner\n");
    whole(&b, 97, 97, 96, 96, 9);
    SAYS(&b, "240 2 1.5@97 taker\n240 2 expired list_parent\n");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 90, .quantity = 2);
    child(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 85, .quantity = 2 });
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "240 1 accepted\n240 2 accepted\n240 1 canceled\n240 2 expired list_parent\n");
    bench_close(&b);
}

/* A print is shared by what it meets, in lots. */
static void test_prints(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_TRADE);
    print(&b, 1, 100, 1);
    ASK(&b, .id = 1, .side = BUY, .type = MARKET);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 101);
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 101, .terms = IOC);
    print(&b, 2, 100, 1.3); /* 0.6 */
    SAYS(&b, "1 1 accepted\n1 2 accepted\n1 3 accepted\n2 1 0.6@100 taker\n"
             "2 3 expired not_filled_at_once\n");
    rig_reload(&b.rig);
    print(&b, 3, 100.5, 2);
    SAYS(&b, "3 1 0.4@100.5 taker\n3 2 0.6@101 maker\n");
    print(&b, 4, 101, 9); /* at its limit is not beyond */
    print(&b, 5, 100.5, 9);
    SAYS(&b, "5 2 0.4@101 maker\n");
    bench_close(&b);
}

/* On trades too children grow, and a trigger ends the parent. */
static void test_prints_children(void **state) {
    (void)state;
    struct bench b;
    half(&b, MSG_TRADE);
    print(&b, 1, 100, 1);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 98, .quantity = 2);
    child(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 95, .quantity = 2 });
    child(&b, (struct ask){ .id = 3, .side = SELL, .type = LIMIT, .price = 105, .quantity = 2 });
    print(&b, 2, 97, 1);
    print(&b, 3, 97, 1);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n1 3 accepted\n2 1 0.5@98 maker\n3 1 0.5@98 maker\n");
    rig_reload(&b.rig);
    print(&b, 4, 95, 0.4); /* stops come first: the parent gets nothing of it */
    SAYS(&b, "4 1 expired list_partner\n4 3 expired list_partner\n");
    print(&b, 5, 94, 1);
    print(&b, 6, 93, 9);
    SAYS(&b, "5 2 0.5@94 taker\n6 2 0.5@93 taker\n6 2 expired list_parent\n");
    bench_close(&b);
}

/* Slippage by the share of the mean volume of the last bars: a tenth of the price at a whole
 * one. */
static void test_slippage_volume(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].slippage = MK_SLIPPAGE_VOLUME;
    b.instruments[0].slippage_factor = FIXED_ONE / 10;
    b.instruments[0].slippage_bars = 2;
    bench_open(&b, MSG_BAR, "{}");
    whole(&b, 100, 100, 100, 100, 1000); /* two bars later it counts no more */
    whole(&b, 100, 100, 100, 100, 5);
    whole(&b, 100, 100, 100, 100, 15);
    rig_reload(&b.rig);
    ASK(&b, .id = 1, .side = BUY, .type = MARKET);
    ASK(&b, .id = 2, .side = SELL, .type = MARKET, .quantity = 20);
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 100.5);
    whole(&b, 100, 100, 100, 100, 15);
    SAYS(&b, "180 1 accepted\n180 2 accepted\n180 3 accepted\n180 1 1@101 taker slip=1\n"
             "180 2 20@90 taker slip=10\n180 3 1@100.5 taker slip=0.5\n");
    bench_close(&b);
}

/* The square-root law: sigma 2 %, a hundredth of the volume, factor 1: 20 bp (METHODS 17). On bars,
 * and on trades, which are put into bars by the clock. */
static void test_slippage_root(void **state) {
    (void)state;
    for (int trades = 0; trades < 2; trades++) {
        struct bench b;
        bench_world(&b);
        b.instruments[0].tick_size = fx(0.001);
        b.instruments[0].slippage = MK_SLIPPAGE_ROOT;
        b.instruments[0].slippage_factor = FIXED_ONE;
        b.instruments[0].slippage_bars = 2;
        b.instruments[0].slippage_bar_ns = BAR_NS;
        bench_open(&b, trades ? MSG_TRADE : MSG_BAR, "{}");
        if (trades) {
            print(&b, 1, 90, 10);
            print(&b, 59, 100, 40);
            print(&b, 60, 99, 20);
            rig_reload(&b.rig);
            print(&b, 100, 102, 30);
            ASK(&b, .id = 1, .side = BUY, .type = MARKET);
            print(&b, 120, 102, 1);
            SAYS(&b, "100 1 accepted\n120 1 1@102.204 taker slip=0.204\n");
        } else {
            whole(&b, 100, 100, 100, 100, 50);
            whole(&b, 100, 102, 100, 102, 50);
            rig_reload(&b.rig);
            ASK(&b, .id = 1, .side = BUY, .type = MARKET);
            whole(&b, 102, 102, 102, 102, 1);
            SAYS(&b, "120 1 accepted\n120 1 1@102.204 taker slip=0.204\n");
        }
        bench_close(&b);
    }
}

/* Recorded delays below zero count as none, and are told with the end. */
static void test_clock_faults(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: {feed: {recorded: 5ms}}}");
    for (int i = 0; i < 5; i++) {
        ASK(&b, .id = (uint64_t)i + 1, .side = BUY, .type = LIMIT, .price = 10);
        b.trades[0] = (struct msg_trade){ .time_ns = START_NS + (i + 1) * SECOND_NS,
                                          .price = fx(100),
                                          .quantity = fx(1),
                                          .instrument = 1,
                                          .delay_us = i % 2 == 0 ? -3 : 3 };
        (void)rig_rows(&b.rig, b.series[0], RT_HEAR_EARLY, &b.trades[0], 1);
    }
    rig_reload(&b.rig);
    rig_forget(&b.rig);
    stop_data(&b);
    int64_t told = 0;
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&b.rig, i)) != NULL; i++) {
        const struct msg_alert *a = msg_body(f);
        if (f->kind != MSG_ALERT) continue;
        assert_int_equal(a->reason, REASON_DATA_CLOCK);
        told += a->value;
    }
    assert_int_equal(told, 3);
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_market),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_children_grow),
        cmocka_unit_test(test_child_ends_parent),
        cmocka_unit_test(test_children_whole),
        cmocka_unit_test(test_prints),
        cmocka_unit_test(test_prints_children),
        cmocka_unit_test(test_slippage_volume),
        cmocka_unit_test(test_slippage_root),
        cmocka_unit_test(test_clock_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
