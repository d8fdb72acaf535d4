/* rig: the venue alone, fed by hand */
/* Goal: what venue.h says under "Mark" and "Close": triggers that look at the mark price, and
 * orders that close what is held when they trigger, on bars, trades, recorded books and among
 * simulated traders.
 * Method: small markets by hand, what is said compared as text; the prices where a bar is while its
 * mark is at a trigger are worked out as fractions of its legs; after each check the venue is made
 * anew from its rows. */
#include "actors/venue/crowd.h"
#include "tests/actors/test_venue.h"

/* Short words for what the cases repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    TAKE = ORDER_TYPE_TAKE_PROFIT,
    TRAIL = ORDER_TYPE_TRAILING_STOP,
    CLOSE = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_CLOSE_POSITION,
};

/* SAYS checks what was said since the last check, and goes on with a venue made from its rows. */
#define SAYS(b, expected)                                                                          \
    do {                                                                                           \
        assert_string_equal(said(b), expected);                                                    \
        rig_reload(&(b)->rig);                                                                     \
    } while (0)

static uint16_t marks; /* the series of marks of the case in hand */

/* mark_open readies b with rows of row_kind for instrument 1, and marks: MSG_MARK_BAR or
 * MSG_MARK_PRICE; 0 = none. */
static void mark_open(struct bench *b, uint16_t row_kind, uint16_t mark_kind) {
    struct rt_error err = { 0 };
    bench_world(b);
    b->series[0] = rig_series(&b->rig, row_kind, 1, row_kind == MSG_BAR ? BAR_NS : 0);
    if (row_kind == MSG_BOOK_DELTA) b->series[1] = rig_series(&b->rig, MSG_TRADE, 1, 0);
    if (mark_kind != 0) {
        marks = rig_series(&b->rig, mark_kind, 1, mark_kind == MSG_MARK_BAR ? BAR_NS : 0);
    }
    if (rig_open(&b->rig, &venue_kind, "{}", &b->market, &err) != 0) fail_msg("%s", err.text);
    rig_start(&b->rig, START_NS);
}

/* mark_bar ends the bar in hand, and a bar of the mark with it. */
static void mark_bar(struct bench *b, double open, double high, double low, double close) {
    struct msg_mark_bar m = { .open_ns = b->bars[0].open_ns,
                              .interval_ns = BAR_NS,
                              .open = fx(open),
                              .high = fx(high),
                              .low = fx(low),
                              .close = fx(close),
                              .instrument = 1 };
    bench_at(b, (double)(m.open_ns + BAR_NS - START_NS) / 1e9);
    (void)rig_rows(&b->rig, marks, RT_HEAR_EARLY, &m, 1);
    closes(b);
}

/* mark_price tells a mark at so many seconds. */
static void mark_price(struct bench *b, double seconds, double price) {
    struct msg_mark_price m = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                                .mark = fx(price),
                                .instrument = 1 };
    bench_at(b, seconds);
    (void)rig_rows(&b->rig, marks, RT_HEAR_EARLY, &m, 1);
}

/* by_mark asks for an order whose trigger looks at the mark. */
static void by_mark(struct bench *b, struct ask a, uint32_t trail_bips) {
    bench_more(b, a, (struct mk_more){ .working = 1, .trail_bips = trail_bips });
}

/* Bars: the mark half-way down its leg to the low has the bar half-way down its own. What the last
 * price touches is nothing to it. */
static void test_bars(void **state) {
    (void)state;
    struct bench b;
    mark_open(&b, MSG_BAR, MSG_MARK_BAR);
    opens(&b, 100, 101, 99, 100);
    mark_bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 1, .quantity = 1);
    by_mark(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 95 }, 0);
    by_mark(&b, (struct ask){ .id = 3, .side = SELL, .type = TAKE, .price = 104 }, 0);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n60 3 accepted\n");
    opens(&b, 100, 106, 90, 100); /* both touched, by the last price */
    mark_bar(&b, 100, 103, 96, 100);
    SAYS(&b, "60 1 1@100 taker\n");
    opens(&b, 100, 101, 97, 100);
    mark_bar(&b, 100, 102, 90, 98); /* 95: 5 of 10 down, so 1.5 of 3: 98.5 */
    SAYS(&b, "180 2 1@98.5 taker\n");
    opens(&b, 100, 103, 99, 100);
    mark_bar(&b, 105, 106, 104.5, 105); /* it opens beyond the target: the bar's open */
    SAYS(&b, "240 3 1@100 taker\n");
    bench_close(&b);
}

/* Bars: a trailing stop follows the mark: 1% below its highest, met on the way back. Without a bar
 * of the mark the bar is its own; rounding is to the tick against the order. */
static void test_trailing(void **state) {
    (void)state;
    struct bench b;
    mark_open(&b, MSG_BAR, MSG_MARK_BAR);
    opens(&b, 200, 201, 199, 200);
    mark_bar(&b, 200, 201, 199, 200);
    by_mark(&b, (struct ask){ .id = 1, .side = BUY, .type = TRAIL }, 100);
    opens(&b, 200, 210, 190, 200);
    mark_bar(&b, 200, 201, 200, 200); /* lowest 200: 202 is not met */
    SAYS(&b, "60 1 accepted\n");
    opens(&b, 200, 202, 198, 200);
    /* lowest 190 on the leg down, so the trigger is 192 (191.9 up to the tick); on the way back to
     * 201 that is 2 of 11, and the bar, from 198 to 202, is at 198.73, up to the tick. */
    mark_bar(&b, 200, 201, 190, 200);
    SAYS(&b, "180 1 1@199 taker\n");
    by_mark(&b, (struct ask){ .id = 2, .side = BUY, .type = STOP, .price = 201 }, 0);
    opens(&b, 200, 202, 199, 200);
    closes(&b); /* no bar of the mark: the bar itself */
    SAYS(&b, "180 2 accepted\n240 2 1@201 taker\n");
    bench_close(&b);
}

/* Without a series of marks the last price triggers, at the open too. */
static void test_fallback(void **state) {
    (void)state;
    struct bench b;
    mark_open(&b, MSG_BAR, 0);
    bar(&b, 100, 101, 99, 100);
    by_mark(&b, (struct ask){ .id = 1, .side = SELL, .type = STOP, .price = 95 }, 0);
    bench_more(&b, (struct ask){ .id = 2, .type = LIMIT, .price = 95 },
               (struct mk_more){ .working = 1 });
    bench_more(&b, (struct ask){ .id = 3, .type = STOP, .price = 95, .instrument = 2 },
               (struct mk_more){ .working = 1 });
    SAYS(&b, "60 1 accepted\n60 2 rejected bad_terms\n60 3 rejected market_closed\n");
    bar(&b, 100, 101, 96, 100);
    opens(&b, 94, 95, 93, 94);
    SAYS(&b, "120 1 1@94 taker\n");
    bench_close(&b);
}

/* Trades: a mark triggers, the next trade fills; trades beyond the trigger do nothing. */
static void test_trades(void **state) {
    (void)state;
    struct bench b;
    mark_open(&b, MSG_TRADE, MSG_MARK_PRICE);
    trade(&b, 1, 100);
    by_mark(&b, (struct ask){ .id = 1, .side = SELL, .type = STOP, .price = 95 }, 0);
    trade(&b, 2, 94);
    trade(&b, 3, 94);
    mark_price(&b, 4, 96);
    SAYS(&b, "1 1 accepted\n");
    mark_price(&b, 5, 95);
    SAYS(&b, "");
    trade(&b, 6, 97);
    SAYS(&b, "6 1 1@97 taker\n");
    bench_close(&b);
}

/* row tells a row of the book of instrument 1. */
static void row(struct bench *b, uint8_t side, double price, double quantity, uint8_t flags) {
    struct msg_book_delta r = { .time_ns = START_NS + SECOND_NS,
                                .update_id = 1,
                                .price = fx(price),
                                .quantity = fx(quantity),
                                .instrument = 1,
                                .side = side,
                                .flags = flags };
    assert_int_equal(rig_rows(&b->rig, b->series[0], RT_HEAR_EARLY, &r, 1), 1);
}

/* Books: a mark triggers, and what it triggers takes at once. An order that closes the position
 * takes what is held then, not what was when it was placed. */
static void test_book(void **state) {
    (void)state;
    struct bench b;
    mark_open(&b, MSG_BOOK_DELTA, MSG_MARK_PRICE);
    row(&b, BUY, 100, 5, BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT);
    row(&b, SELL, 101, 5, BOOK_FLAGS_LAST | BOOK_FLAGS_SNAPSHOT);
    ASK(&b, .id = 1, .quantity = 1);
    bench_more(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 95, .terms = CLOSE },
               (struct mk_more){ .working = 1 });
    ASK(&b, .id = 3, .quantity = 2);
    SAYS(&b, "1 1 accepted\n1 1 1@101 taker\n1 2 accepted\n1 3 accepted\n1 3 2@101 taker\n");
    mark_price(&b, 2, 96);
    SAYS(&b, "");
    mark_price(&b, 3, 94);
    SAYS(&b, "3 2 changed 3@95\n3 2 3@100 taker\n");
    ASK(&b, .id = 4, .side = SELL, .type = STOP, .price = 95, .terms = CLOSE);
    mark_price(&b, 4, 94); /* it looks at trades */
    struct msg_trade t = {
        .time_ns = START_NS + 5 * SECOND_NS, .price = fx(95), .quantity = fx(1), .instrument = 1
    };
    (void)rig_rows(&b.rig, b.series[1], RT_HEAR_EARLY, &t, 1);
    SAYS(&b, "3 4 accepted\n5 4 expired reduce_only\n");
    bench_close(&b);
}

/* Bars: of a stop and a target that close, in one group, the one that triggers takes all that is
 * held by then. What is not linear, or no stop or target, is refused. */
static void test_close(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    bar(&b, 100, 101, 99, 100);
    bench_more(
        &b,
        (struct ask){
            .id = 1, .side = SELL, .type = STOP, .price = 95, .terms = CLOSE, .quantity = 0.1 },
        (struct mk_more){ .oco = 1 });
    bench_more(
        &b,
        (struct ask){
            .id = 2, .side = SELL, .type = TAKE, .price = 105, .terms = CLOSE, .quantity = 0.1 },
        (struct mk_more){ .oco = 1 });
    ASK(&b, .id = 3, .quantity = 2);
    ASK(&b, .id = 4, .side = SELL, .type = LIMIT, .price = 105, .terms = CLOSE);
    ASK(&b, .id = 5, .side = SELL, .type = STOP, .price = 95, .terms = ORDER_TERMS_CLOSE_POSITION);
    ASK(&b, .id = 6, .side = SELL, .type = STOP, .price = 95, .terms = CLOSE, .instrument = 2);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n60 3 accepted\n60 4 rejected unsupported\n"
             "60 5 rejected bad_terms\n60 6 rejected unsupported\n");
    bar(&b, 100, 101, 99, 100);
    ASK(&b, .id = 7, .quantity = 1.5);
    SAYS(&b, "60 3 2@100 taker\n120 7 accepted\n");
    bar(&b, 101, 102, 94, 96);
    SAYS(&b, "120 7 1.5@101 taker\n180 1 changed 3.5@95\n180 2 expired list_partner\n"
             "180 1 3.5@95 taker\n");
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    ASK(&b, .id = 8, .side = BUY, .type = STOP, .price = 97, .terms = CLOSE, .quantity = 0.1);
    bar(&b, 96, 98, 95, 96);
    SAYS(&b, "180 8 accepted\n240 8 expired reduce_only\n");
    bench_close(&b);
}

/* Trades: the next trade after the one that triggers closes what was held as it did. */
static void test_close_trades(void **state) {
    (void)state;
    struct bench b;
    mark_open(&b, MSG_TRADE, 0);
    trade(&b, 1, 100);
    ASK(&b, .id = 1, .side = SELL, .quantity = 2);
    ASK(&b, .id = 2, .side = BUY, .type = STOP, .price = 105, .terms = CLOSE, .quantity = 0.1);
    trade(&b, 2, 100);
    trade(&b, 3, 105);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n2 1 2@100 taker\n3 2 changed 2@105\n");
    trade(&b, 4, 106);
    SAYS(&b, "4 2 2@106 taker\n");
    bench_close(&b);
}

/* Among simulated traders the engine closes what is held. */
static void test_close_crowd(void **state) {
    (void)state;
    struct bench b;
    struct rt_error err = { 0 };
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
    ASK(&b, .id = 1, .quantity = 2);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(2));
    const struct venue *v = b.rig.state;
    double last = (double)vm_last(v->crowds[0]->ag->vm) * 0.5;
    rig_forget(&b.rig);
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = last + 50, .terms = CLOSE,
        .quantity = 0.1); /* true on arrival */
    const struct msg_venue_amended *m = msg_body(rig_find(&b.rig, MSG_VENUE_AMENDED, 0));
    assert_true(m->order_id == 2 && !m->asked && m->quantity == fx(2));
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    assert_true(venue_orders_find(&v->orders, 2) == VENUE_NONE);
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),         cmocka_unit_test(test_trailing),
        cmocka_unit_test(test_fallback),     cmocka_unit_test(test_trades),
        cmocka_unit_test(test_book),         cmocka_unit_test(test_close),
        cmocka_unit_test(test_close_trades), cmocka_unit_test(test_close_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
