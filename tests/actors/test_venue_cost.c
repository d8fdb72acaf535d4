/* rig: the venue alone, fed by hand */
/* Goal: what an order must be backed by as it arrives is what Binance publishes: the example of
 * "How to Calculate Cost Required to Open a Position in Perpetual Futures Contracts" (buy or
 * sell 1 BTC at 9253.30 with 20x, the mark at 9259.84, the last price 9258.99), and of orders
 * on both sides of a position max(|P + bids|, |P - asks|) / leverage, each side by itself in
 * hedge mode; none for what only closes.
 * Method: an account that has exactly that much is let in, one with 1e-8 less is not. Positions
 * are written into the venue's state, their cost at the mark. Figures are reckoned by hand.
 * Random runs against fractions: tests/e2e/test_perpetual.py, test_hedge.py. */
#include "tests/actors/test_venue.h"

/* Short words for what the tests below repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    EXIT = ORDER_TERMS_EXIT,
    REDUCE = ORDER_TERMS_REDUCE_ONLY,
};

/* ready opens a venue on trades whose account 1 has margin; last and mark are told. */
static struct venue *ready(struct bench *b, enum mk_margin margin, bool hedge, uint16_t leverage,
                           double last, double mark) {
    static uint16_t leverages[4];
    bench_world(b);
    for (int i = 0; i < 4; i++) leverages[i] = leverage;
    b->market.leverages = leverages;
    b->instruments[0].tick_size = fx(0.01);
    b->accounts[0].margin = margin;
    b->accounts[0].hedge = hedge;
    b->loose = true; /* positions and cash are written into it */
    bench_open(b, MSG_TRADE, "{}");
    trade(b, 1, last);
    struct venue *v = b->rig.state;
    v->books[0].mark = fx(mark);
    return v;
}

/* needs checks that the order a is let in with cash and not with 1e-8 less. */
static void needs(struct bench *b, struct ask a, double cash) {
    struct venue *v = b->rig.state;
    rig_forget(&b->rig);
    a.id = 50;
    v->cash[0] = fx(cash) - 1;
    bench_ask(b, a);
    assert_string_equal(said(b), "1 50 rejected insufficient_margin\n");
    a.id = 51;
    v->cash[0] = fx(cash);
    bench_ask(b, a);
    assert_string_equal(said(b), "1 51 accepted\n");
    ASK(b, .id = 51, .op = REQUEST_OP_CANCEL);
    rig_forget(&b->rig);
}

/* free_of checks that the order a is let in though there is nothing. */
static void free_of(struct bench *b, struct ask a) {
    struct venue *v = b->rig.state;
    rig_forget(&b->rig);
    v->cash[0] = 0;
    a.id = 52;
    bench_ask(b, a);
    assert_string_equal(said(b), "1 52 accepted\n");
    ASK(b, .id = 52, .op = REQUEST_OP_CANCEL);
    rig_forget(&b->rig);
}

/* holds writes a position of quantity, bought at the mark of 100, into place, with apart apart. */
static void holds(struct venue_holding *h, double quantity, double apart) {
    *h = (struct venue_holding){ .quantity = fx(quantity),
                                 .cost = fx(quantity * 100),
                                 .isolated = fx(apart) };
}

/* works lets an order work that the account can pay for whatever it is. */
static void works(struct bench *b, struct ask a) {
    struct venue *v = b->rig.state;
    v->cash[0] = fx(1000000);
    bench_ask(b, a);
    v->cash[0] = 0;
    rig_forget(&b->rig);
}

/* The published example, and a market purchase: no book, so the last price stands for the ask. */
static void test_published(void **state) {
    (void)state;
    struct bench b;
    ready(&b, MK_MARGIN_CROSS, false, 20, 9258.99, 9259.84);
    needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 9253.30 }, 462.665);
    /* max(9258.99 x 1.0015, 9259.84, 9253.30) = 9272.878485; it would lose 6.54 */
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 9253.30 }, 463.64392425 + 6.54);
    needs(&b, (struct ask){ .side = SELL }, 463.64392425);
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 9300 }, 465);
    bench_close(&b);
    /* 102946.8 x 1.0005 = 102998.2734, 9.8734 above the mark */
    ready(&b, MK_MARGIN_CROSS, false, 20, 102946.8, 102988.4);
    needs(&b, (struct ask){ .side = BUY }, 5149.91367 + 9.8734);
    needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 102990 }, 5149.5 + 1.6);
    bench_close(&b);
}

/* One-way: the worse side of position and orders; what does not make it worse is free. */
static void test_one_way(void **state) {
    (void)state;
    struct bench b;
    struct venue *v = ready(&b, MK_MARGIN_CROSS, false, 10, 100, 100);
    works(&b, (struct ask){ .id = 1, .side = BUY, .type = LIMIT, .price = 95, .quantity = 2 });
    needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 90 }, 28);
    free_of(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110 });
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 2 }, 22);
    /* at its limit of 90 it counts 100.15 and would lose 10; with the other 2 bids of 190 it is the
     * worse side from 2 on */
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 90, .quantity = 2 }, 20.03 + 20);
    holds(&v->holdings[0], 3, 0); /* 300 with bids 190: 490 */
    needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 105 }, 59.5 + 5);
    free_of(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 7 });
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 8 }, 58);
    free_of(&b, (struct ask){ .side = SELL, .quantity = 30, .terms = REDUCE });
    works(&b, (struct ask){ .id = 2,
                            .side = SELL,
                            .type = STOP,
                            .price = 80,
                            .quantity = 9,
                            .terms = REDUCE }); /* counts nothing */
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 8 }, 58);
    works(&b, (struct ask){ .id = 3, .side = SELL, .type = STOP, .price = 80, .quantity = 6 });
    /* 300 - 480 - 330 = -510: beyond 490 */
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 3 }, 51);
    holds(&v->holdings[0], -3, 0); /* -300 - 480: 780; + 190: less */
    free_of(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 99, .quantity = 8 });
    /* a loss of the position is not there: bought at 110 it is 30 */
    v->holdings[0].cost = -fx(270);
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 120 }, 90 + 30);
    bench_close(&b);
}

/* A stop that closes whatever is held needs none, and counts nothing beside others. */
static void test_closes(void **state) {
    (void)state;
    for (int hedge = 0; hedge < 2; hedge++) {
        struct bench b;
        struct venue *v = ready(&b, MK_MARGIN_CROSS, hedge, 10, 100, 100);
        holds(&v->holdings[0], 3, 0);
        v->cash[0] = 0;
        bench_more(&b,
                   (struct ask){ .id = 1,
                                 .side = SELL,
                                 .type = STOP,
                                 .price = 90,
                                 .quantity = 100,
                                 .terms = ORDER_TERMS_CLOSE_POSITION | EXIT | REDUCE },
                   (struct mk_more){ 0 });
        assert_string_equal(said(&b), "1 1 accepted\n");
        needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 90 }, 39);
        bench_close(&b);
    }
}

/* Isolated: what is set apart is not there; orders need what they add to the position. */
static void test_isolated(void **state) {
    (void)state;
    struct bench b;
    struct venue *v = ready(&b, MK_MARGIN_ISOLATED, false, 10, 100, 100);
    holds(&v->holdings[0], 3, 30);
    needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 95 }, 30 + 9.5);
    needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 7 }, 30 + 17);
    free_of(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110, .quantity = 5 });
    v->holdings[0].cost = fx(400); /* what it has lost is of what is set apart */
    needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 95 }, 30 + 9.5);
    bench_close(&b);
}

/* Hedge mode: each side by itself; what closes needs none. */
static void test_hedge(void **state) {
    (void)state;
    for (int isolated = 0; isolated < 2; isolated++) {
        struct bench b;
        struct venue *v =
            ready(&b, isolated ? MK_MARGIN_ISOLATED : MK_MARGIN_CROSS, true, 10, 100, 100);
        holds(&v->holdings[0], 3, isolated ? 30 : 0);
        holds(&v->shorts[0], -2, isolated ? 20 : 0);
        works(&b, (struct ask){ .id = 1, .side = BUY, .type = LIMIT, .price = 95 });
        /* 300 + 95, 200 + 110 */
        needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110 }, 39.5 + 31);
        needs(&b, (struct ask){ .side = BUY, .type = LIMIT, .price = 90 }, 48.5 + 20);
        works(&b, (struct ask){ .id = 2,
                                .side = SELL,
                                .type = LIMIT,
                                .price = 120,
                                .quantity = 3,
                                .terms = EXIT }); /* closes the long: counts nothing */
        needs(&b, (struct ask){ .side = SELL, .type = LIMIT, .price = 110 }, 39.5 + 31);
        free_of(&b, (struct ask){ .side = BUY, .quantity = 2, .terms = EXIT });
        bench_close(&b);
    }
}

/* Inverse, in coin, contracts of $100: a purchase at its price, a sale at no less than the mark. */
static void test_inverse(void **state) {
    (void)state;
    static uint16_t leverages[4] = { 10, 10, 10, 10 };
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_INVERSE;
    b.instruments[0].contract = fx(100);
    b.instruments[0].lot_size = fx(1);
    b.accounts[0].quote = 0;
    b.accounts[0].margin = MK_MARGIN_CROSS;
    b.market.leverages = leverages;
    b.loose = true;
    bench_open(&b, MSG_TRADE, "{}");
    trade(&b, 1, 50000);
    struct ask a = { .side = BUY, .type = LIMIT, .price = 40000, .quantity = 40 };
    needs(&b, a, 0.01);
    a.price = 64000; /* 0.00625; it would lose 4000 / 50000 - 4000 / 64000 = 0.0175 */
    needs(&b, a, 0.00625 + 0.0175);
    a.side = SELL;
    a.price = 40000; /* 0.08 / 10, and 4000 / 40000 - 4000 / 50000 = 0.02 */
    needs(&b, a, 0.008 + 0.02);
    a.price = 64000;
    needs(&b, a, 0.00625);
    needs(&b, (struct ask){ .side = BUY, .quantity = 40 }, 0.008);
    bench_close(&b);
}

/* What is added is declared: without it the rule is that of before 2021. */
static void test_declared(void **state) {
    (void)state;
    static uint16_t leverages[4] = { 20, 20, 20, 20 };
    static const char *const yaml[] = { "{order_cost: {market_buy: 0, sale: 0}}",
                                        "{order_cost: {sale: 1%}}" };
    static const double want[][2] = { { 100, 100 }, { 100.05, 101 } };
    for (int k = 0; k < 2; k++) {
        struct bench b;
        bench_world(&b);
        b.market.leverages = leverages;
        b.accounts[0].margin = MK_MARGIN_CROSS;
        b.loose = true;
        bench_open(&b, MSG_TRADE, yaml[k]);
        trade(&b, 1, 100);
        double loss = want[k][0] - 100;
        needs(&b, (struct ask){ .side = BUY }, want[k][0] / 20 + loss);
        needs(&b, (struct ask){ .side = SELL }, want[k][1] / 20);
        bench_close(&b);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published), cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_closes),    cmocka_unit_test(test_isolated),
        cmocka_unit_test(test_hedge),     cmocka_unit_test(test_inverse),
        cmocka_unit_test(test_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
