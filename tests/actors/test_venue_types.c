/* rig: the venue alone, fed by hand */
/* Goal: orders with further terms do what the rules in actors/venue/venue.h say, on bars and on
 * trades. Method: a few orders and bars or trades by hand; what is said is compared as text. The
 * figures are worked out by hand from the rules. */
#include "tests/actors/test_venue.h"

/* Short words for what the tables below repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    MARKET = ORDER_TYPE_MARKET,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    STOP_LIMIT = ORDER_TYPE_STOP_LIMIT,
    TAKE = ORDER_TYPE_TAKE_PROFIT,
    TAKE_LIMIT = ORDER_TYPE_TAKE_PROFIT_LIMIT,
    TRAIL = ORDER_TYPE_TRAILING_STOP,
    GTD = ORDER_TERMS_GTD,
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* A take-profit triggers from the other side than a stop: at its trigger, or at an open beyond. */
static void test_take_profit(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 1, .side = SELL, .type = TAKE, .price = 105);
    ASK(&b, .id = 2, .side = BUY, .type = TAKE, .price = 95);
    bar(&b, 100, 104.5, 95.5, 100);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n");
    bar(&b, 100, 105, 99, 101);
    SAYS(&b, "180 1 1@105 taker\n");
    bar(&b, 94, 94, 94, 94);
    SAYS(&b, "180 2 1@94 taker\n"); /* at the open, in our favour */
    bench_close(&b);
}

/* A triggered stop-limit is a limit order from there on: it takes when it crosses, else it rests on
 * the rest of the path; of two paths the one that leaves less counts. */
static void test_stop_limit(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 100, 100, 100);
    bench_more(&b, (struct ask){ .id = 1, .side = BUY, .type = STOP_LIMIT, .price = 106 },
               (struct mk_more){ .stop_price = fx(105) });
    bar(&b, 100, 110, 99, 100);
    SAYS(&b, "60 1 accepted\n120 1 1@105 taker\n");
    bench_more(&b, (struct ask){ .id = 2, .side = BUY, .type = STOP_LIMIT, .price = 104 },
               (struct mk_more){ .stop_price = fx(105) });
    bar(&b, 100, 110, 99, 107); /* low first: triggers on the way up, 107 is above the limit */
    SAYS(&b, "120 2 accepted\n");
    bar(&b, 107, 108, 103, 105);
    SAYS(&b, "240 2 1@104 maker\n");
    bench_more(&b, (struct ask){ .id = 3, .side = BUY, .type = STOP_LIMIT, .price = 104 },
               (struct mk_more){ .stop_price = fx(105) });
    bar(&b, 100, 110, 99, 103); /* both ways come back through the limit */
    SAYS(&b, "240 3 accepted\n300 3 1@104 maker\n");
    bench_close(&b);
}

/* A take-profit limit whose limit is better than its trigger rests there. */
static void test_take_profit_limit(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bench_more(&b, (struct ask){ .id = 1, .side = SELL, .type = TAKE_LIMIT, .price = 106 },
               (struct mk_more){ .stop_price = fx(105) });
    bar(&b, 100, 106, 100, 100);
    SAYS(&b, "0 1 accepted\n"); /* touched is not beyond */
    bar(&b, 100, 106.5, 100, 100);
    SAYS(&b, "120 1 1@106 maker\n");
    bench_close(&b);
}

/* A trailing stop follows the extreme along the path and acts on the way back of the same bar. */
static void test_trailing(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bench_more(&b, (struct ask){ .id = 1, .side = SELL, .type = TRAIL },
               (struct mk_more){ .trail_bips = 200 });
    bar(&b, 100, 101, 99, 100.5); /* 101 x 0.98 = 98.98 -> 98.5 */
    SAYS(&b, "0 1 accepted\n");
    rig_reload(&b.rig);
    bar(&b, 100.5, 110, 100.5, 101); /* 110 x 0.98 = 107.8 -> 107.5 */
    SAYS(&b, "120 1 1@107.5 taker\n");
    bench_more(&b, (struct ask){ .id = 2, .side = BUY, .type = TRAIL },
               (struct mk_more){ .trail_bips = 100, .activation = fx(95) });
    bar(&b, 100, 110, 95.5, 100); /* not yet active */
    SAYS(&b, "120 2 accepted\n");
    bar(&b, 100, 100, 94, 94.5); /* active; 94 x 1.01 = 94.94 -> 95, met on the way to the high */
    SAYS(&b, "240 2 1@95 taker\n");
    bench_close(&b);
}

/* Good till date: worked until then, also on a bar that ends at that very instant. */
static void test_good_till_date(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bench_more(&b, (struct ask){ .id = 1, .side = BUY, .type = LIMIT, .price = 95, .terms = GTD },
               (struct mk_more){ .expire_ns = START_NS + 90000000000 });
    bench_more(&b, (struct ask){ .id = 2, .side = BUY, .type = LIMIT, .price = 96, .terms = GTD },
               (struct mk_more){ .expire_ns = START_NS + 2 * BAR_NS });
    bar(&b, 100, 100, 100, 100);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n");
    opens(&b, 100, 100, 90, 100);
    bench_at(&b, 90);
    SAYS(&b, "90 1 expired good_till_date\n");
    closes(&b);
    SAYS(&b, "120 2 1@96 maker\n");
    bench_close(&b);
}

/* One cancels the other: by fill on the path that leaves less, by trigger, by cancel. */
static void test_oco(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 9, .side = BUY, .quantity = 2);
    opens(&b, 100, 100, 100, 100);
    closes(&b);
    bench_more(&b, (struct ask){ .id = 11, .side = SELL, .type = STOP, .price = 95 },
               (struct mk_more){ .oco = 11 });
    bench_more(&b, (struct ask){ .id = 12, .side = SELL, .type = LIMIT, .price = 105 },
               (struct mk_more){ .oco = 11 });
    SAYS(&b, "0 9 accepted\n0 9 2@100 taker\n60 11 accepted\n60 12 accepted\n");
    bar(&b, 100, 106, 94, 100);
    SAYS(&b, "120 12 expired list_partner\n120 11 1@95 taker\n");
    bench_more(&b, (struct ask){ .id = 13, .side = SELL, .type = STOP, .price = 90 },
               (struct mk_more){ .oco = 13 });
    bench_more(&b, (struct ask){ .id = 14, .side = SELL, .type = LIMIT, .price = 110 },
               (struct mk_more){ .oco = 13 });
    ASK(&b, .id = 13, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "120 13 accepted\n120 14 accepted\n120 13 canceled\n120 14 expired list_partner\n");
    bench_close(&b);
}

/* Spot: an oco pair locks its larger side once, a child nothing before its parent is filled and
 * then without being refused: a fee in base leaves less than it sells: it is cut when it is met. */
static void test_locks_of_lists(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.instruments[0].taker_fee = b.instruments[0].maker_fee = fx(0.05);
    b.accounts[0].cash = fx(1000);
    bench_open(&b, MSG_BAR, "{}");
    const struct venue *v = b.rig.state;
    bench_more(&b, (struct ask){ .id = 1, .side = BUY, .type = STOP, .price = 110, .quantity = 4 },
               (struct mk_more){ .oco = 1 }); /* 440 */
    bench_more(&b, (struct ask){ .id = 2, .side = BUY, .type = LIMIT, .price = 90, .quantity = 5 },
               (struct mk_more){ .oco = 1 }); /* 450 */
    assert_true(v->locked[0].quote == fx(450));
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 55, .quantity = 10);   /* 550 */
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 0.5, .quantity = 0.1); /* nothing free */
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 accepted\n0 4 rejected insufficient_balance\n");
    ASK(&b, .id = 2, .op = REQUEST_OP_CANCEL);
    assert_true(v->locked[0].quote == fx(550));
    ASK(&b, .id = 3, .op = REQUEST_OP_CANCEL);
    assert_true(v->locked[0].quote == 0);
    bench_more(&b, (struct ask){ .id = 5, .side = BUY, .type = LIMIT, .price = 100, .quantity = 2 },
               (struct mk_more){ 0 });
    bench_more(&b, (struct ask){ .id = 6, .side = SELL, .type = STOP, .price = 95, .quantity = 2 },
               (struct mk_more){ .parent = 5, .oco = 6 });
    struct ask target = { .id = 7, .side = SELL, .type = LIMIT, .price = 105, .quantity = 2 };
    bench_more(&b, target, (struct mk_more){ .parent = 5, .oco = 6 });
    assert_true(v->locked[0].quote == fx(200) && v->locks[0].base == 0);
    (void)said(&b);
    bar(&b, 100, 101, 99, 100);
    SAYS(&b, "0 5 2@100 taker fee=0.1\n");
    assert_true(v->locked[0].quote == 0 && v->locks[0].base == fx(2));
    rig_reload(&b.rig);
    v = b.rig.state;
    assert_true(v->locks[0].base == fx(2));
    ASK(&b, .id = 8, .side = SELL); /* nothing is free */
    bar(&b, 100, 106, 100, 106);
    SAYS(&b, "60 8 accepted\n60 8 expired insufficient_balance\n"
             "120 7 1.9@105 maker fee=9.975\n120 7 expired insufficient_balance\n"
             "120 6 expired list_partner\n");
    assert_true(v->locks[0].base == 0);
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    bench_close(&b);
}

/* bracket places a limit buy at 98 with a stop at 95 and a target at 102, from order id on. */
static void bracket(struct bench *b, uint64_t id) {
    ASK(b, .id = id, .side = BUY, .type = LIMIT, .price = 98);
    bench_more(b, (struct ask){ .id = id + 1, .side = SELL, .type = STOP, .price = 95 },
               (struct mk_more){ .parent = id, .oco = id + 1 });
    bench_more(b, (struct ask){ .id = id + 2, .side = SELL, .type = LIMIT, .price = 102 },
               (struct mk_more){ .parent = id, .oco = id + 1 });
}

/* Children begin where their parent filled, in the same bar; they end with it. */
static void test_bracket(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bracket(&b, 1);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 accepted\n");
    bar(&b, 100, 103, 97, 101); /* low first: +4 by the target; high first: +3 held. Less counts */
    SAYS(&b, "60 1 1@98 maker\n");
    rig_reload(&b.rig); /* that they have begun is kept */
    bar(&b, 101, 103, 101, 102);
    SAYS(&b, "120 3 1@102 maker\n120 2 expired list_partner\n");
    bracket(&b, 11);
    bar(&b, 100, 101, 94, 96); /* in and out on the way down */
    SAYS(&b, "120 11 accepted\n120 12 accepted\n120 13 accepted\n"
             "180 11 1@98 maker\n180 13 expired list_partner\n180 12 1@95 taker\n");
    bracket(&b, 21);
    ASK(&b, .id = 21, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "180 21 accepted\n180 22 accepted\n180 23 accepted\n"
             "180 21 canceled\n180 22 expired list_parent\n180 23 expired list_parent\n");
    bracket(&b, 31);
    bar(&b, 94, 94, 94, 94); /* the open fills the entry, and is beyond the stop */
    SAYS(&b, "180 31 accepted\n180 32 accepted\n180 33 accepted\n"
             "180 31 1@94 taker\n180 33 expired list_partner\n180 32 1@94 taker\n");
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    bench_close(&b);
}

/* A parent that is filled as it arrives (decided at an open that was told) still has children. */
static void test_parent_filled_at_once(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    ASK(&b, .id = 9, .side = BUY);
    opens(&b, 97, 103, 97, 100);
    bracket(&b, 1);
    SAYS(&b, "0 9 accepted\n0 9 1@97 taker\n0 1 accepted\n0 1 1@97 taker\n0 2 accepted\n"
             "0 3 accepted\n");
    closes(&b);
    SAYS(&b, "60 3 1@102 maker\n60 2 expired list_partner\n");
    bench_close(&b);
}

/* A parent whose rest is cut: its child protects what was filled, and then ends. */
static void test_parent_cut(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.accounts[0].cash = fx(150);
    bench_open(&b, MSG_BAR, "{}");
    struct ask a = { .id = 1, .side = BUY, .quantity = 2 };
    a.instrument = 2;
    bench_ask(&b, a);
    bench_more(
        &b,
        (struct ask){
            .id = 2, .side = SELL, .type = STOP, .price = 95, .instrument = 2, .quantity = 2 },
        (struct mk_more){ .parent = 1 });
    bench_bar_begins(&b, 2, START_NS, fx(100), fx(100), fx(90), fx(90), 1);
    bench_bar_ends(&b, 2);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 1 1.5@100 taker\n0 1 expired insufficient_balance\n"
             "60 2 1.5@95 taker\n60 2 expired list_parent\n");
    bench_close(&b);
}

/* Trade runs: a bracket begins with the trade after its entry, a trigger ends the partner, a stop
 * fills at the trade after that. */
static void test_trades_bracket(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{}");
    bracket(&b, 1);
    trade(&b, 1, 97); /* beyond 98; and children begin after it */
    trade(&b, 2, 95);
    rig_reload(&b.rig); /* that it has triggered is kept */
    trade(&b, 3, 94);
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 accepted\n1 1 1@98 maker\n"
             "2 3 expired list_partner\n3 2 1@94 taker\n");
    bench_close(&b);
}

/* Trade runs: trailing stop, stop-limit, take-profit, good till date. */
static void test_trades_types(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{}");
    bench_more(&b, (struct ask){ .id = 1, .side = SELL, .type = TRAIL },
               (struct mk_more){ .trail_bips = 100 });
    bench_more(&b, (struct ask){ .id = 2, .side = BUY, .type = STOP_LIMIT, .price = 109 },
               (struct mk_more){ .stop_price = fx(110) });
    ASK(&b, .id = 3, .side = SELL, .type = TAKE, .price = 110);
    bench_more(&b, (struct ask){ .id = 4, .side = BUY, .type = LIMIT, .price = 90, .terms = GTD },
               (struct mk_more){ .expire_ns = START_NS + 2500000000 });
    SAYS(&b, "0 1 accepted\n0 2 accepted\n0 3 accepted\n0 4 accepted\n");
    trade(&b, 1, 100);
    trade(&b, 2, 110); /* trailing: 110 x 0.99 = 108.9 -> 108.5 */
    trade(&b, 3, 109); /* the take-profit fills; the limit is only touched */
    SAYS(&b, "2.5 4 expired good_till_date\n3 3 1@109 taker\n");
    trade(&b, 4, 108.5); /* the trailing stop triggers; the limit is passed */
    trade(&b, 5, 108);
    SAYS(&b, "4 2 1@109 maker\n5 1 1@108 taker\n");
    bench_close(&b);
}

/* What does not fit together is refused, each with its reason. */
static void test_refusals(void **state) {
    (void)state;
    static const struct {
        struct ask ask;      /* the order */
        struct mk_more more; /* its further terms */
        const char *why;     /* how it is refused */
    } bad[] = {
        { { .id = 1, .type = STOP_LIMIT, .price = 100 }, { 0 }, "bad_terms" },
        { { .id = 1, .type = STOP, .price = 100 }, { .stop_price = FIXED_ONE }, "bad_terms" },
        { { .id = 1, .type = TRAIL }, { 0 }, "bad_terms" },
        { { .id = 1, .type = TRAIL }, { .trail_bips = MK_TRAIL_MAX + 1 }, "bad_terms" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .trail_bips = 1 }, "bad_terms" },
        { { .id = 1, .type = LIMIT, .price = 100, .terms = GTD }, { 0 }, "bad_terms" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .expire_ns = 1 }, "bad_terms" },
        { { .id = 1, .type = LIMIT, .price = 100, .terms = GTD },
          { .expire_ns = 1 },
          "good_till_date" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .display = 2 * FIXED_ONE }, "bad_display" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .display = FIXED_ONE / 100 }, "bad_display" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .working = 1 }, "bad_terms" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .parent = 1 }, "list_rule" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .parent = 77 }, "list_parent" },
        { { .id = 1, .type = LIMIT, .price = 100 }, { .oco = 77 }, "list_partner" },
        { { .id = 1, .type = MARKET }, { .oco = 1 }, "list_rule" },
        { { .id = 1, .type = STOP_LIMIT, .price = 100 }, { .stop_price = 1 }, "bad_tick" },
    };
    struct bench b;
    bench_bars(&b);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char want[64];
        bench_more(&b, bad[i].ask, bad[i].more);
        (void)snprintf(want, sizeof want, "0 1 rejected %s\n", bad[i].why);
        SAYS(&b, want);
    }
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_profit),
        cmocka_unit_test(test_stop_limit),
        cmocka_unit_test(test_take_profit_limit),
        cmocka_unit_test(test_trailing),
        cmocka_unit_test(test_good_till_date),
        cmocka_unit_test(test_oco),
        cmocka_unit_test(test_locks_of_lists),
        cmocka_unit_test(test_bracket),
        cmocka_unit_test(test_parent_filled_at_once),
        cmocka_unit_test(test_parent_cut),
        cmocka_unit_test(test_trades_bracket),
        cmocka_unit_test(test_trades_types),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
