/* rig: the venue alone, fed by hand */
/* Goal: every sentence of actors/venue/amend.h holds on bars, trades, recorded books and among
 * simulated traders, and so does what venue.h says of orders that replace another.
 * Method: small markets by hand, what is said compared as text, figures worked out from the rules;
 * places in a queue by what fills first; each case once more with the venue saved and loaded after
 * every request. */
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "tests/actors/test_venue.h"

/* Short words for what the cases repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    STOP_LIMIT = ORDER_TYPE_STOP_LIMIT,
    TAKE = ORDER_TYPE_TAKE_PROFIT,
    TRAIL = ORDER_TYPE_TRAILING_STOP,
};

/* SAYS checks what was said since the last check, and goes on with a venue made from its rows. */
#define SAYS(b, expected)                                                                          \
    do {                                                                                           \
        assert_string_equal(said(b), expected);                                                    \
        rig_reload(&(b)->rig);                                                                     \
    } while (0)

/* Bars: a new price is a new order's: at the open it takes; a smaller quantity changes nothing
 * else. */
static void test_bars(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 1, .type = LIMIT, .price = 95, .quantity = 3);
    ASK(&b, .id = 2, .type = LIMIT, .price = 100, .quantity = 3);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n");
    opens(&b, 100.5, 101, 100, 100.5); /* neither: 100 is touched only */
    closes(&b);
    AMEND(&b, .id = 2, .type = LIMIT, .price = 100, .quantity = 2);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 3);
    SAYS(&b, "120 2 amended 2@100\n120 1 amended 3@100\n");
    opens(&b, 100, 101, 100, 100.5); /* the moved one takes at its limit, the other waits beyond */
    SAYS(&b, "120 1 3@100 taker\n");
    closes(&b);
    opens(&b, 100.5, 101, 99.5, 100);
    SAYS(&b, "");
    closes(&b);
    SAYS(&b, "240 2 2@100 maker\n");
    AMEND(&b, .id = 2, .type = LIMIT, .price = 99, .quantity = 3);
    SAYS(&b, "240 2 keeps 0@0 unknown_order\n");
    bench_close(&b);
}

/* Bars: what cannot be is refused, and the order stays as it was. */
static void test_refused(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 1, .type = LIMIT, .price = 95, .quantity = 3, .instrument = 2);
    ASK(&b, .id = 2, .type = STOP, .price = 105, .quantity = 1);
    bench_more(&b, (struct ask){ .id = 3, .type = TRAIL }, (struct mk_more){ .trail_bips = 100 });
    bench_more(&b, (struct ask){ .id = 4, .type = LIMIT, .price = 95, .quantity = 5 },
               (struct mk_more){ .display = fx(4) });
    (void)said(&b);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 95.25, .quantity = 3, .instrument = 2);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 95, .quantity = 3.05, .instrument = 2);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 1000, .quantity = 1001, .instrument = 2);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 95, .quantity = 2); /* not its instrument */
    AMEND(&b, .id = 3, .type = TRAIL, .price = 95, .quantity = 1);
    AMEND(&b, .id = 4, .type = LIMIT, .price = 95, .quantity = 3);
    SAYS(&b, "60 1 keeps 3@95 bad_tick\n60 1 keeps 3@95 bad_lot\n"
             "60 1 keeps 3@95 insufficient_balance\n60 1 keeps 0@0 unknown_order\n"
             "60 3 keeps 1@0 amend_rule\n60 4 keeps 5@95 bad_display\n");
    AMEND(&b, .id = 2, .type = STOP, .price = 101.5, .quantity = 2);
    SAYS(&b, "60 2 amended 2@101.5\n");
    bar(&b, 101, 102, 101, 101.5);
    SAYS(&b, "120 2 2@101.5 taker\n");
    bench_close(&b);
}

/* Bars: what is locked follows the figures: all that is free may go into one amended order. */
static void test_locks(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    const struct venue *v = b.rig.state;
    bench_bar_begins(&b, 2, START_NS, fx(100), fx(101), fx(99), fx(100), 1);
    bench_bar_ends(&b, 2);
    ASK(&b, .id = 1, .type = LIMIT, .price = 90, .quantity = 10, .instrument = 2);
    assert_true(v->locked[0].quote == fx(900));
    AMEND(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 10000, .instrument = 2);
    assert_true(v->locked[0].quote == fx(1000000));
    AMEND(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 10000.1, .instrument = 2);
    assert_true(v->locked[0].quote == fx(1000000));
    AMEND(&b, .id = 1, .type = LIMIT, .price = 80, .quantity = 1, .instrument = 2);
    assert_true(v->locked[0].quote == fx(80));
    SAYS(&b, "60 1 accepted\n60 1 amended 10000@100\n60 1 keeps 10000@100 insufficient_balance\n"
             "60 1 amended 1@80\n");
    v = b.rig.state; /* made anew */
    assert_true(v->locked[0].quote == fx(80));
    bench_close(&b);
}

/* Bars: a stop-limit's trigger and limit, before it has triggered; an order with a latency works
 * only from the bar that a new one would. */
static void test_stop_limit(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_BAR, "{latency: 1m}");
    bar(&b, 100, 101, 99, 100);
    bench_more(&b, (struct ask){ .id = 1, .type = STOP_LIMIT, .price = 106, .quantity = 1 },
               (struct mk_more){ .stop_price = fx(105) });
    struct msg_venue_request_more r = { .order_id = 1,
                                        .price = fx(102),
                                        .quantity = fx(1),
                                        .instrument = 1,
                                        .account = 1,
                                        .type = STOP_LIMIT,
                                        .op = REQUEST_OP_AMEND };
    mk_more_put(&r, sizeof(struct msg_venue_request), &(struct mk_more){ .stop_price = fx(101) });
    SAYS(&b, "60 1 accepted\n");
    bar(&b, 100, 101, 99, 100);
    bar(&b, 100, 101, 99, 100); /* it works, and waits */
    assert_true(rig_hear(&b.rig, MSG_VENUE_REQUEST_MORE, 9, &r, sizeof r));
    SAYS(&b, "180 1 amended 1@102 stop=101\n");
    bar(&b, 101, 103, 101, 102); /* not yet: one bar is its way */
    SAYS(&b, "");
    opens(&b, 101.5, 103, 101, 102);
    SAYS(&b, "240 1 1@101.5 taker\n");
    closes(&b);
    bench_close(&b);
}

/* Bars: what comes of a fill elsewhere at a bar's end waits for that bar, in its order. */
static void test_waits_for_bar(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 1, .type = LIMIT, .price = 98, .quantity = 1);
    ASK(&b, .id = 2, .type = LIMIT, .price = 97, .quantity = 1);
    bar(&b, 100, 101, 99, 100);
    (void)said(&b);
    opens(&b, 100, 101, 97.5, 100);
    bench_at(&b, 180); /* its end: the row is still to come */
    AMEND(&b, .id = 1, .type = LIMIT, .price = 90, .quantity = 1);
    AMEND(&b, .id = 2, .type = LIMIT, .price = 91, .quantity = 1);
    bench_replace(&b, (struct ask){ .id = 3, .type = LIMIT, .price = 92 }, 1, false);
    bench_replace(&b, (struct ask){ .id = 4, .type = LIMIT, .price = 92 }, 2, false);
    SAYS(&b, "");
    closes(&b); /* meets 1 only */
    SAYS(&b, "180 1 1@98 maker\n180 1 keeps 0@0 unknown_order\n180 2 amended 1@91\n"
             "180 1 rejected unknown_order\n180 3 rejected cancel_failed\n180 2 canceled\n"
             "180 4 accepted\n");
    bar(&b, 100, 101, 91, 100);
    SAYS(&b, "240 4 1@92 maker\n");
    bench_close(&b);
}

/* Bars: an order that replaces another: canceled and accepted; without the other refused, or placed
 * anyway; what is in the other's cover serves the new one. */
static void test_replace(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 10000, .instrument = 2);
    bench_replace(
        &b, (struct ask){ .id = 2, .type = LIMIT, .price = 99, .quantity = 10000, .instrument = 2 },
        1, false);
    bench_replace(&b, (struct ask){ .id = 3, .type = LIMIT, .price = 99, .instrument = 2 }, 1,
                  false);
    bench_replace(&b, (struct ask){ .id = 4, .type = LIMIT, .price = 99, .instrument = 2 }, 1,
                  true);
    SAYS(&b, "60 1 accepted\n60 1 canceled\n60 2 accepted\n60 1 rejected unknown_order\n"
             "60 3 rejected cancel_failed\n60 1 rejected unknown_order\n60 4 accepted\n");
    bench_replace(&b, (struct ask){ .id = 5, .type = LIMIT, .price = 99.25, .instrument = 2 }, 4,
                  false); /* never one thing: the cancel stands */
    bench_replace(
        &b, (struct ask){ .id = 6, .type = LIMIT, .price = 99, .account = 2, .instrument = 2 }, 2,
        false); /* another's */
    SAYS(&b, "60 4 canceled\n60 5 rejected bad_tick\n60 2 rejected unknown_order\n"
             "60 6 rejected cancel_failed\n");
    bench_close(&b);
}

/* Trades: after its way an amend holds from the next trade on; its answer has its own. */
static void test_trades(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE, "{latency: {feed: 0ms, order: 1s, answer: 2s}}");
    trade(&b, 1, 100);
    ASK(&b, .id = 1, .type = LIMIT, .price = 99, .quantity = 2);
    bench_at(&b, 2);
    trade(&b, 3, 100);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 101, .quantity = 3);
    bench_replace(&b, (struct ask){ .id = 2, .type = STOP, .price = 105 }, 1, false);
    assert_true(rig_find(&b.rig, MSG_VENUE_AMENDED, 0) == NULL);
    rig_reload(&b.rig);
    trade(&b, 3.5, 100);
    trade(&b, 4.5, 100);
    bench_at(&b, 10);
    SAYS(&b, "4 1 accepted\n6 1 amended 3@101\n6 1 canceled\n6 2 accepted\n");
    AMEND(&b, .id = 2, .type = STOP, .price = 102, .quantity = 1);
    trade(&b, 12, 103); /* triggers it */
    AMEND(&b, .id = 2, .type = STOP, .price = 110, .quantity = 1);
    trade(&b, 13.5, 104);
    bench_at(&b, 20);
    SAYS(&b, "13 2 amended 1@102\n15 2 keeps 1@102 amend_rule\n15.5 2 1@104 taker\n");
    bench_close(&b);
}

/* book_row tells a row of the book of instrument 1. */
static void book_row(struct bench *b, double seconds, uint8_t side, double price, double quantity,
                     uint8_t flags) {
    struct msg_book_delta row = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                                  .update_id = 1,
                                  .price = fx(price),
                                  .quantity = fx(quantity),
                                  .instrument = 1,
                                  .side = side,
                                  .flags = flags };
    assert_int_equal(rig_rows(&b->rig, b->series[0], RT_HEAR_EARLY, &row, 1), 1);
}

/* prints tells a trade against the bids. */
static void prints(struct bench *b, double seconds, double price, double quantity) {
    struct msg_trade row = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                             .price = fx(price),
                             .quantity = fx(quantity),
                             .instrument = 1,
                             .aggressor = SELL };
    assert_int_equal(rig_rows(&b->rig, b->series[1], RT_HEAR_EARLY, &row, 1), 1);
}

/* book_open readies b with a book: bid 5 at 100, asks 2 at 101 and 3 at 102. */
static void book_open(struct bench *b) {
    struct rt_error err = { 0 };
    bench_world(b);
    b->series[0] = rig_series(&b->rig, MSG_BOOK_DELTA, 1, 0);
    b->series[1] = rig_series(&b->rig, MSG_TRADE, 1, 0);
    int rc = rig_open(&b->rig, &venue_kind, "{queue: conservative}", &b->market, &err);
    if (rc != 0) fail_msg("%s", err.text);
    rig_start(&b->rig, START_NS);
    book_row(b, 1, BUY, 100, 5, BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT);
    book_row(b, 1, SELL, 101, 2, BOOK_FLAGS_SNAPSHOT);
    book_row(b, 1, SELL, 102, 3, BOOK_FLAGS_LAST | BOOK_FLAGS_SNAPSHOT);
}

/* Books: a smaller quantity keeps the place before what came later, a larger one goes behind it and
 * behind all that is shown; a price that crosses takes. */
static void test_book(void **state) {
    (void)state;
    struct bench b;
    book_open(&b);
    ASK(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 3);
    book_row(&b, 2, BUY, 100, 9, BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST); /* 4 come behind it */
    AMEND(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 2);
    prints(&b, 3, 100, 6); /* 5 were before it */
    SAYS(&b, "1 1 accepted\n2 1 amended 2@100\n3 1 1@100 maker\n");
    AMEND(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 1); /* no more than is filled */
    AMEND(&b, .id = 1, .type = LIMIT, .price = 100, .quantity = 4);
    SAYS(&b, "3 1 keeps 1@100 amend_rule\n3 1 amended 3@100\n");
    ASK(&b, .id = 2, .type = LIMIT, .price = 100, .quantity = 1);
    prints(&b, 4, 100, 8.5); /* 9 are before it now */
    SAYS(&b, "3 2 accepted\n");
    prints(&b, 5, 100, 3.5);
    SAYS(&b, "5 1 3@100 maker\n"); /* 2 is behind it */
    AMEND(&b, .id = 2, .type = LIMIT, .price = 102, .quantity = 4);
    SAYS(&b, "5 2 amended 4@102\n5 2 2@101 taker\n5 2 2@102 taker slip=1\n");
    bench_close(&b);
}

/* Books: of two of ours at a price the amended one is behind the other. */
static void test_book_ours(void **state) {
    (void)state;
    struct bench b;
    book_open(&b);
    ASK(&b, .id = 1, .type = LIMIT, .price = 99, .quantity = 1);
    ASK(&b, .id = 2, .type = LIMIT, .price = 99.5, .quantity = 1);
    AMEND(&b, .id = 1, .type = LIMIT, .price = 99.5, .quantity = 1);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n1 1 amended 1@99.5\n");
    prints(&b, 2, 99.5, 1);
    SAYS(&b, "2 2 1@99.5 maker\n");
    prints(&b, 3, 99.5, 1);
    SAYS(&b, "3 1 1@99.5 maker\n");
    bench_close(&b);
}

/* Among simulated traders: a smaller quantity keeps the lots ahead, a larger one has more of them;
 * a price beyond the touch takes; a stop's trigger moves. */
static void test_crowd(void **state) {
    (void)state;
    struct bench b;
    struct rt_error err = { 0 };
    struct vm_view view;
    bench_world(&b);
    strcpy(b.instruments[0].name, "A");
    strcpy(b.instruments[1].name, "B");
    int rc =
        rig_open(&b.rig, &venue_kind,
                 "{agents: {instruments: [A], start_price: 1000, seed: 5, noise: 60, makers: 5,"
                 " order_notional: 2000}}",
                 &b.market, &err);
    if (rc != 0) fail_msg("%s", err.text);
    rig_start(&b.rig, START_NS);
    bench_at(&b, 600);
    const struct venue *v = b.rig.state;
    const struct venue_crowd *c = v->crowds[0];
    double bid = (double)vm_best(c->ag->vm, VM_BUY) * 0.5;
    ASK(&b, .id = 1, .type = LIMIT, .price = bid, .quantity = 3);
    ASK(&b, .id = 2, .type = LIMIT, .price = bid, .quantity = 3);
    uint64_t one = c->ids[venue_orders_find(&v->orders, 1)];
    uint64_t two = c->ids[venue_orders_find(&v->orders, 2)];
    int64_t ahead = vm_ahead(c->ag->vm, one);
    assert_int_equal(vm_ahead(c->ag->vm, two), ahead + 30);
    AMEND(&b, .id = 1, .type = LIMIT, .price = bid, .quantity = 2);
    assert_int_equal(vm_ahead(c->ag->vm, one), ahead);
    assert_int_equal(vm_ahead(c->ag->vm, two), ahead + 20);
    AMEND(&b, .id = 1, .type = LIMIT, .price = bid, .quantity = 2.5);
    assert_int_equal(vm_ahead(c->ag->vm, one), ahead + 30);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = bid - 100, .quantity = 1);
    AMEND(&b, .id = 3, .side = SELL, .type = STOP, .price = bid - 90, .quantity = 2);
    assert_true(vm_find(c->ag->vm, c->ids[venue_orders_find(&v->orders, 3)], &view));
    assert_true(view.stop == (int64_t)((bid - 90) * 2) && view.quantity == 20);
    rig_forget(&b.rig);
    AMEND(&b, .id = 1, .type = LIMIT, .price = bid + 50, .quantity = 2.5); /* takes it all */
    const struct msg_venue_amended *m = msg_body(rig_find(&b.rig, MSG_VENUE_AMENDED, 0));
    assert_true(m->asked && m->reason == REASON_NONE && m->quantity == fx(2.5));
    assert_true(venue_orders_find(&v->orders, 1) == VENUE_NONE);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(2.5));
    const struct msg_frame *first = NULL; /* the answer comes before what it brings about */
    for (size_t i = 0; first == NULL; i++) {
        const struct msg_frame *f = rig_said(&b.rig, i);
        if (f->kind == MSG_VENUE_AMENDED || f->kind == MSG_VENUE_FILL) first = f;
    }
    assert_int_equal(first->kind, MSG_VENUE_AMENDED);
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),          cmocka_unit_test(test_refused),
        cmocka_unit_test(test_locks),         cmocka_unit_test(test_stop_limit),
        cmocka_unit_test(test_waits_for_bar), cmocka_unit_test(test_replace),
        cmocka_unit_test(test_trades),        cmocka_unit_test(test_book),
        cmocka_unit_test(test_book_ours),     cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
