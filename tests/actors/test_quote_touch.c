/* rig: drives the host alone.
 *
 * Goal: books and quotes reach a strategy as they stand, and the market maker keeps its two orders
 * at the touch, within its inventory, and none on a stale book.
 * Method: a class that writes down what it hears; the maker on a few updates by hand, saved and
 * loaded again between any two of them. */
#include "tests/support/strategy.h"
#include <stdio.h>

/* What the listening class heard last. */
static struct heard {
    struct st_book book;       /* newest */
    struct msg_quote quote;    /* newest */
    struct st_level levels[2]; /* best bids then */
    uint32_t level_cnt;        /* how many */
    uint32_t books, quotes;    /* how often */
} heard;

/* listen_on_book keeps the book. */
static void listen_on_book(struct st_host *h, void *state, uint16_t leg,
                           const struct st_book *book) {
    (void)state;
    heard.book = *book;
    heard.books++;
    heard.level_cnt = st_levels(h, leg, SIDE_BUY, heard.levels, 2);
}

/* listen_on_quote keeps the quote. */
static void listen_on_quote(struct st_host *h, void *state, uint16_t leg,
                            const struct msg_quote *quote) {
    (void)h;
    (void)state;
    (void)leg;
    heard.quote = *quote;
    heard.quotes++;
}

/* listen_on_trade is there because an interval has to be heard. */
static void listen_on_trade(struct st_host *h, void *state, uint16_t leg,
                            const struct msg_trade *trade) {
    (void)h;
    (void)state;
    (void)leg;
    (void)trade;
}

static const struct st_class listen_class = {
    .name = "listen",
    .help = "writes down what it hears",
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = 8,
    .on_book = listen_on_book,
    .on_quote = listen_on_quote,
    .on_trade = listen_on_trade,
};

static const struct st_class *const more[] = { &listen_class, NULL };

/* open makes a host of class on BTC-PERP (tick 0.1, lot 0.001): series 0 trades, 1 book, 2 quotes;
 * returns what rig_open did. */
static int open(struct rig *r, struct mk_market *m, const char *class, const char *params,
                bool book, struct rt_error *err) {
    char yaml[300];
    snprintf(yaml, sizeof yaml,
             "{class: %s, instruments: [BTC-PERP], interval: trades, account: main, "
             "sizing: {fixed: 0.5}, params: {%s}}",
             class, params);
    *r = (struct rig){ .self = 5 };
    st_classes_more = more;
    rig_series(r, MSG_TRADE, BTC_PERP, 0);
    if (book) rig_series(r, MSG_BOOK_DELTA, BTC_PERP, 0);
    if (book) rig_series(r, MSG_QUOTE, BTC_PERP, 0);
    return rig_open(r, &strategy_kind, yaml, m, err);
}

/* level tells a row of the book at second. */
static void level(struct rig *r, int second, uint8_t side, double price, double quantity,
                  uint8_t flags) {
    struct msg_book_delta row = { .time_ns = second * INT64_C(1000000000),
                                  .update_id = (uint64_t)second,
                                  .price = (int64_t)(price * 10 + 0.5) * (ONE / 10),
                                  .quantity = (int64_t)(quantity * 1000 + 0.5) * (ONE / 1000),
                                  .instrument = BTC_PERP,
                                  .side = side,
                                  .flags = flags };
    assert_int_equal(rig_rows(r, 1, RT_HEAR_ROW, &row, 1), 1);
}

/* shows tells a snapshot: bids 2 at 100, 3 at 99.9; asks 6 at 100.2. */
static void shows(struct rig *r, int second) {
    level(r, second, SIDE_BUY, 100, 2, BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT);
    level(r, second, SIDE_BUY, 99.9, 3, BOOK_FLAGS_SNAPSHOT);
    level(r, second, SIDE_SELL, 100.2, 6, BOOK_FLAGS_LAST | BOOK_FLAGS_SNAPSHOT);
}

enum { ONCE = BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST }; /* an update of one row */

/* Books and quotes as they stand. */
static void test_hears(void **state) {
    (void)state;
    struct rig r;
    struct rt_error err = { 0 };
    struct mk_market *m = market_open();
    heard = (struct heard){ .books = 0 };
    assert_int_equal(open(&r, m, "listen", "", true, &err), 0);
    rig_start(&r, 0);
    shows(&r, 1);
    assert_int_equal(heard.books, 1); /* once it is whole */
    assert_true(heard.book.bid == 100 * ONE && heard.book.ask == 1002 * ONE / 10);
    assert_true(heard.book.bid_quantity == 2 * ONE && heard.book.ask_quantity == 6 * ONE);
    assert_true(heard.book.mid == 1001 * ONE / 10 && heard.book.imbalance == -0.5);
    assert_true(!heard.book.stale && heard.book.update_id == 1);
    assert_true(heard.level_cnt == 2 && heard.levels[1].price == 999 * ONE / 10 &&
                heard.levels[1].quantity == 3 * ONE);
    rig_reload(&r); /* the book comes back */
    level(&r, 2, SIDE_BUY, 100.1, 6, ONCE);
    assert_true(heard.books == 2 && heard.book.bid == 1001 * ONE / 10 && heard.book.imbalance == 0);
    assert_true(heard.levels[1].price == 100 * ONE);
    level(&r, 3, SIDE_BUY, 100.1, 6, ONCE | BOOK_FLAGS_GAP);
    assert_true(heard.books == 3 && heard.book.stale && heard.book.bid == 0);
    assert_true(heard.level_cnt == 0);
    level(&r, 4, SIDE_BUY, 100.1, 7, ONCE);
    assert_int_equal(heard.books, 3);
    shows(&r, 4);
    shows(&r, 4); /* one on a book that stands is no reason to doubt it */
    assert_true(heard.books == 5 && !heard.book.stale && heard.book.bid == 100 * ONE);
    struct msg_quote quote = { .time_ns = INT64_C(5000000000), .bid = ONE, .ask = 2 * ONE };
    assert_int_equal(rig_rows(&r, 2, RT_HEAR_ROW, &quote, 1), 1);
    assert_true(heard.quotes == 1 && heard.quote.ask == 2 * ONE);
    rig_close(&r);
    assert_true(open(&r, m, "listen", "", false, &err) < 0); /* no book */
    assert_non_null(strstr(err.text, "no source has the book of BTC-PERP"));
    rig_close(&r);
    mk_market_close(m);
}

/* wants checks that the n-th intent said is a post-only limit order on side at price. */
static const struct msg_order_intent *wants(const struct rig *r, size_t n, uint8_t side,
                                            int64_t price) {
    const struct msg_order_intent *i = intent_of(r, n);
    assert_non_null(i);
    assert_true(i->side == side && i->price == price && i->quantity == ONE / 2);
    assert_true(i->type == ORDER_TYPE_LIMIT && (i->terms & ORDER_TERMS_POST_ONLY));
    assert_int_equal(i->reason, REASON_SIGNAL_QUOTE);
    return i;
}

/* The maker follows the touch, keeps to its inventory, and leaves a stale book. */
static void test_maker(void **state) {
    (void)state;
    struct rig r;
    struct rt_error err = { 0 };
    struct mk_market *m = market_open();
    if (open(&r, m, "quote_touch", "inventory: 0.5, lean: 0.6", true, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rig_start(&r, 0);
    shows(&r, 1);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 2);
    struct msg_order_intent bid = *wants(&r, 0, SIDE_BUY, 100 * ONE);
    struct msg_order_intent ask = *wants(&r, 1, SIDE_SELL, 1002 * ONE / 10);
    take_all(&r);
    rig_forget(&r);
    rig_reload(&r);
    level(&r, 2, SIDE_BUY, 100, 3, ONCE); /* the touch stays */
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT) + rig_count(&r, MSG_ORDER_CANCEL), 0);
    level(&r, 3, SIDE_BUY, 100.1, 3, ONCE); /* a better bid: ours goes, once */
    level(&r, 4, SIDE_BUY, 100.1, 4, ONCE);
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 1);
    assert_true(cancel_of(&r, 0)->order_id == bid.order_id);
    tell_state(&r, &bid, ORDER_STATUS_CANCELED, 0, REASON_SIGNAL_QUOTE);
    rig_forget(&r);
    level(&r, 5, SIDE_BUY, 100.1, 5, ONCE);
    bid = *wants(&r, 0, SIDE_BUY, 1001 * ONE / 10);
    take_all(&r);
    rig_forget(&r);
    tell_fill(&r, &bid, bid.price); /* long 0.5: no more bids */
    level(&r, 6, SIDE_BUY, 100.1, 4, ONCE);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    rig_reload(&r);
    tell_fill(&r, &ask, ask.price); /* flat again */
    rig_forget(&r);
    level(&r, 7, SIDE_BUY, 100.1, 3, ONCE);
    wants(&r, 0, SIDE_BUY, 1001 * ONE / 10);
    wants(&r, 1, SIDE_SELL, 1002 * ONE / 10);
    take_all(&r);
    rig_forget(&r);
    level(&r, 8, SIDE_BUY, 100.1, 30, ONCE); /* leans: 24 / 36 above 0.6: the ask leaves */
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 1);
    level(&r, 9, SIDE_SELL, 100.1, 1, ONCE); /* crossed: stale, the bid leaves too */
    assert_int_equal(rig_count(&r, MSG_ORDER_CANCEL), 2);
    assert_int_equal(rig_count(&r, MSG_ORDER_INTENT), 0);
    rig_close(&r);
    mk_market_close(m);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hears),
        cmocka_unit_test(test_maker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
