/* rig: the venue alone */
/* Goal: an account in hedge mode has a long and a short of one instrument: orders go to the one
 * their side and exit term tell, each is margined, funded and kept by itself, both are liquidated
 * as the venue's published formula says.
 * Method: small cases whose figures are reckoned by hand; in the middle of each the venue is made
 * anew from its rows. Random runs against fractions: tests/e2e/test_hedge.py. */
#include "tests/actors/test_venue.h"

#define BUY  SIDE_BUY
#define SELL SIDE_SELL

/* One bracket: 1 % maintenance, leverage up to 100. */
static const struct mk_bracket bracket = { .cap = INT64_MAX,
                                           .maintenance = 1000000,
                                           .leverage = 100 };

/* hedged opens a venue whose account 1 hedges, with cash. */
static void hedged(struct bench *b, enum mk_margin margin, double cash, uint16_t leverage) {
    static uint16_t leverages[4];
    bench_world(b);
    for (int i = 0; i < 4; i++) leverages[i] = leverage;
    b->market.leverages = leverages;
    b->instruments[0].brackets = &bracket;
    b->instruments[0].bracket_cnt = 1;
    b->accounts[0].cash = fx(cash);
    b->accounts[0].margin = margin;
    b->accounts[0].hedge = true;
    bench_open(b, MSG_BAR, "{}");
}

/* both_of checks long and short of account 1 in instrument 1. */
static void both_of(const struct bench *b, double longs, double shorts) {
    const struct venue *v = b->rig.state;
    assert_int_equal(v->holdings[0].quantity, fx(longs));
    assert_int_equal(v->shorts[0].quantity, fx(shorts));
}

/* closed checks that liquidation number n closed quantity at price with side. */
static void closed(struct bench *b, size_t n, uint8_t side, double quantity, double price) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_VENUE_LIQUIDATION, n);
    assert_non_null(f);
    const struct msg_venue_liquidation *l = msg_body(f);
    assert_int_equal(l->side, side);
    assert_int_equal(l->quantity, fx(quantity));
    assert_int_equal(l->price, fx(price));
    assert_true(venue_conserved(b->rig.state));
}

/* enter opens a long and a short, at the open of a bar at price. */
static void enter(struct bench *b, double price, double longs, double shorts) {
    if (longs > 0) ASK(b, .id = 1, .side = BUY, .quantity = longs);
    if (shorts > 0) ASK(b, .id = 2, .side = SELL, .quantity = shorts);
    bar(b, price, price, price, price);
    rig_reload(&b->rig);
    rig_forget(&b->rig);
}

/* Orders go to the position that side and exit term tell; an exit is cut to what it holds. */
static void test_two_positions(void **state) {
    (void)state;
    struct bench b;
    hedged(&b, MK_MARGIN_NONE, 1000, 0);
    enter(&b, 100, 2, 1);
    both_of(&b, 2, -1);
    assert_int_equal(bench_cash(&b, 1), fx(1000));
    ASK(&b, .id = 3, .side = SELL, .quantity = 3, .terms = ORDER_TERMS_EXIT);
    ASK(&b, .id = 4, .side = BUY, .quantity = 0.4, .terms = ORDER_TERMS_EXIT);
    ASK(&b, .id = 5, .side = SELL, .quantity = 1);
    ASK(&b, .id = 6, .side = BUY, .terms = ORDER_TERMS_REDUCE_ONLY);
    bar(&b, 110, 110, 110, 110);
    assert_string_equal(said(&b),
                        "60 3 accepted\n60 4 accepted\n60 5 accepted\n60 6 rejected bad_terms\n"
                        "60 3 2@110 taker\n60 3 expired insufficient_balance\n60 4 0.4@110 taker\n"
                        "60 5 1@110 taker\n");
    both_of(&b, 0, -1.6);
    /* + 2 x 10 of the long, - 0.4 x 10 of the short; its cost is 60 + 110 */
    assert_int_equal(bench_cash(&b, 1), fx(1000 + 20 - 4));
    assert_int_equal(((struct venue *)b.rig.state)->shorts[0].cost, -fx(170));
    ASK(&b, .id = 7, .side = BUY, .quantity = 5, .terms = ORDER_TERMS_EXIT | ORDER_TERMS_FOK);
    bar(&b, 100, 100, 100, 100);
    assert_string_equal(said(&b), "120 7 accepted\n120 7 expired insufficient_balance\n");
    bench_close(&b);
}

/* Initial margin: each side by itself at the mark, with the orders that open it. Leverage 10. */
static void test_margin(void **state) {
    (void)state;
    struct bench b;
    hedged(&b, MK_MARGIN_CROSS, 100, 10);
    enter(&b, 100, 4, 3); /* 40 + 30 of 100 */
    ASK(&b, .id = 3, .side = BUY, .type = ORDER_TYPE_LIMIT, .price = 50, .quantity = 4); /* 20 */
    ASK(&b, .id = 4, .side = SELL, .quantity = 1); /* counts 100.15: 10.015 > 10 */
    ASK(&b, .id = 5, .side = SELL, .quantity = 3, .terms = ORDER_TERMS_EXIT); /* needs none */
    ASK(&b, .id = 6, .side = SELL, .quantity = 0.9);                          /* 9.0135; then 9 */
    ASK(&b, .id = 7, .side = BUY, .type = ORDER_TYPE_LIMIT, .price = 50, .quantity = 0.3); /* 1.5 */
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_STATUS), 5);
    const uint8_t expected[] = { ORDER_STATUS_ACCEPTED, ORDER_STATUS_REJECTED,
                                 ORDER_STATUS_ACCEPTED, ORDER_STATUS_ACCEPTED,
                                 ORDER_STATUS_REJECTED };
    for (size_t i = 0; i < 5; i++) {
        const struct msg_venue_status *s = msg_body(rig_find(&b.rig, MSG_VENUE_STATUS, i));
        assert_int_equal(s->status, expected[i]);
        if (s->status == ORDER_STATUS_REJECTED) {
            assert_int_equal(s->reason, REASON_INSUFFICIENT_MARGIN);
        }
    }
    bench_close(&b);
}

/* Cross: the published formula, all sides of one symbol: (20 - 2 x 100 + 1 x 100) / (2 x 0.01 +
 * 1 x 0.01 - 2 + 1) = 82.474...: the long goes at 82, the short at 82.5. */
static void test_liquidation_pair(void **state) {
    (void)state;
    struct bench b;
    hedged(&b, MK_MARGIN_CROSS, 20, 100);
    enter(&b, 100, 2, 1);
    bar(&b, 100, 101, 82.5, 100);
    both_of(&b, 2, -1); /* 82.5 is not yet there */
    bar(&b, 100, 101, 80, 100);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 2);
    closed(&b, 0, SELL, 2, 82);
    closed(&b, 1, BUY, 1, 82.5);
    both_of(&b, 0, 0);
    assert_int_equal(bench_cash(&b, 1), fx(20 - 36 + 17.5));
    bench_close(&b);
}

/* The mark opens beyond it, at 70: 20 - 60 + 30 is 10 short, which the fund pays by a better price
 * of the larger one: 70 + 10 / 2. */
static void test_liquidation_gap(void **state) {
    (void)state;
    struct bench b;
    hedged(&b, MK_MARGIN_CROSS, 20, 100);
    enter(&b, 100, 2, 1);
    bar(&b, 70, 75, 60, 70);
    closed(&b, 0, SELL, 2, 75);
    closed(&b, 1, BUY, 1, 70);
    assert_int_equal(bench_cash(&b, 1), 0);
    const struct venue *v = b.rig.state;
    assert_true(v->ledger[1].figure[VENUE_LEDGER_FUND] == -(__int128)fx(10) * FIXED_ONE);
    assert_true(v->ledger[1].figure[VENUE_LEDGER_MARKET] ==
                (__int128)fx(30) * FIXED_ONE); /* 20 of the account's, 10 */
    bench_close(&b);
}

/* Equal sides lose nothing by a price that moves, but what they must be backed by grows with it:
 * 12 of cash, 10 lost for good, 2 left; 2 x 1 % of p is 2 at p = 100, by rounding up a hair before:
 * the long goes at 99.5, the short at 100. */
static void test_liquidation_equal(void **state) {
    (void)state;
    struct bench b;
    hedged(&b, MK_MARGIN_CROSS, 12, 100);
    ASK(&b, .id = 1, .side = BUY);
    bar(&b, 105, 105, 105, 105);
    ASK(&b, .id = 2, .side = SELL);
    bar(&b, 95, 99, 90, 92); /* 12 - 10 = 2 > 0.02 x 99 */
    both_of(&b, 1, -1);
    rig_reload(&b.rig);
    rig_forget(&b.rig);
    bar(&b, 92, 103, 92, 92);
    closed(&b, 0, SELL, 1, 99.5);
    closed(&b, 1, BUY, 1, 100);
    assert_int_equal(bench_cash(&b, 1), fx(1.5));
    bench_close(&b);
}

/* Isolated: each by what is set apart for it: 10 at leverage 10. The long by
 * (100 - 10) / 0.99 = 90.909..., the short by (100 + 10) / 1.01 = 108.910...; in one bar both. */
static void test_liquidation_isolated(void **state) {
    (void)state;
    struct bench b;
    hedged(&b, MK_MARGIN_ISOLATED, 100, 10);
    enter(&b, 100, 1, 1);
    const struct venue *v = b.rig.state;
    assert_int_equal(v->holdings[0].isolated, fx(10));
    assert_int_equal(v->shorts[0].isolated, fx(10));
    bar(&b, 100, 109, 91, 100);
    closed(&b, 0, BUY, 1, 109);
    both_of(&b, 1, 0);
    assert_int_equal(bench_cash(&b, 1), fx(100 - 9));
    ASK(&b, .id = 3, .side = SELL);
    bar(&b, 100, 100, 100, 100);
    rig_reload(&b.rig);
    rig_forget(&b.rig);
    bar(&b, 100, 109, 90, 100);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 2);
    closed(&b, 0, SELL, 1, 90.5);
    closed(&b, 1, BUY, 1, 109);
    both_of(&b, 0, 0);
    assert_int_equal(bench_cash(&b, 1), fx(100 - 9 - 9.5 - 9));
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_positions),     cmocka_unit_test(test_margin),
        cmocka_unit_test(test_liquidation_pair),  cmocka_unit_test(test_liquidation_gap),
        cmocka_unit_test(test_liquidation_equal), cmocka_unit_test(test_liquidation_isolated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
