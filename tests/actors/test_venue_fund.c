/* rig: the venue alone, fed by hand */
/* Goal: where an insurance fund is declared a liquidation goes as at Binance: open orders are
 * canceled, the position is reduced as far as margin needs it, the fee goes to the fund, the fund
 * takes over at the bankruptcy price, and where it cannot pay, accounts on the other side are
 * deleveraged by profit and leverage; nothing is made or lost.
 * Method: cases reckoned by hand. Random runs against fractions: tests/e2e/test_perpetual.py
 * (steps) and test_liquidation.py (several accounts). */
#include "tests/actors/test_venue.h"

#include "actors/market/margin.h"

/* Short words for what the tests below repeat. */
enum short_words { BUY = SIDE_BUY, SELL = SIDE_SELL, LIMIT = ORDER_TYPE_LIMIT };

/* Two brackets: 1 % up to 10,000, then 2 %, cum 100. */
static struct mk_bracket brackets[2];

/* funded opens a venue with the fund; account 1 has margin and cash. */
static void funded(struct bench *b, enum mk_margin margin, double cash, const char *yaml) {
    static uint16_t leverages[4];
    bench_world(b);
    brackets[0] = (struct mk_bracket){ .cap = fx(10000), .maintenance = fx(0.01), .leverage = 100 };
    brackets[1] =
        (struct mk_bracket){ .cap = fx(1000000), .maintenance = fx(0.02), .leverage = 50 };
    assert_true(mk_brackets_seal(brackets, 2));
    for (int i = 0; i < 4; i++) leverages[i] = 50;
    b->market.leverages = leverages;
    b->instruments[0].brackets = brackets;
    b->instruments[0].bracket_cnt = 2;
    b->instruments[0].tick_size = fx(0.01);
    b->instruments[0].liquidation_fee = fx(0.001);
    b->accounts[0].cash = fx(cash);
    b->accounts[0].margin = margin;
    bench_open(b, MSG_BAR, yaml);
}

/* enter lets accounts 1 and 2 open what they ask at the open of a bar at price. */
static void enter(struct bench *b, double price, double first, double second) {
    if (first != 0)
        ASK(b, .id = 1, .side = first > 0 ? BUY : SELL, .quantity = first > 0 ? first : -first);
    if (second != 0)
        ASK(b, .id = 2, .account = 2, .side = second > 0 ? BUY : SELL,
            .quantity = second > 0 ? second : -second);
    bar(b, price, price, price, price);
    rig_reload(&b->rig);
    rig_forget(&b->rig);
}

/* liquidated checks that liquidation number n closed quantity at price with fee. */
static void liquidated(struct bench *b, size_t n, double quantity, double price, double fee) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_VENUE_LIQUIDATION, n);
    assert_non_null(f);
    const struct msg_venue_liquidation *l = msg_body(f);
    assert_int_equal(l->quantity, fx(quantity));
    assert_int_equal(l->price, fx(price));
    assert_int_equal(l->fee, fx(fee));
    assert_true(venue_conserved(b->rig.state));
}

/* deleveraged checks that number n closed quantity of account at price with side. */
static void deleveraged(struct bench *b, size_t n, uint8_t account, uint8_t side, double quantity,
                        double price) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_VENUE_DELEVERAGE, n);
    assert_non_null(f);
    const struct msg_venue_deleverage *l = msg_body(f);
    assert_int_equal(l->account, account);
    assert_int_equal(l->side, side);
    assert_int_equal(l->quantity, fx(quantity));
    assert_int_equal(l->price, fx(price));
    assert_int_equal(l->fee, 0);
}

/* fund_is checks what the fund has, and that the end tells it. */
static void fund_is(struct bench *b, double start, double has) {
    const struct venue *v = b->rig.state;
    assert_true(v->ledger[1].figure[VENUE_LEDGER_FUND] == (__int128)fx(has - start) * FIXED_ONE);
    assert_true(venue_conserved(v));
    rig_forget(&b->rig);
    stop_data(b);
    const struct msg_frame *f = NULL;
    for (size_t i = 0; (f = rig_find(&b->rig, MSG_VENUE_BOOKS, i)) != NULL; i++) {
        const struct msg_venue_books *m = msg_body(f);
        if (m->asset != 1) continue;
        assert_int_equal(m->fund, fx(has));
        assert_int_equal(m->fund_start, fx(start));
        assert_int_equal(m->insured, 1);
        return;
    }
    fail_msg("the books are not told");
}

/* 120 at 100 (12,000: 2 %) with 376: liquidated where 376 + 120 (p - 100) = 2 % of 120 p - 100, at
 * 97.99319..., sold at 97.99. There 134.8 is left. Down to 10,000, 102 lots: 18 are sold for
 * 1763.82, fee 1.76382; 133.03618 is left, which 1 % of 9994.98 = 99.9498 needs. All orders go. */
static void test_part_cross(void **state) {
    (void)state;
    struct bench b;
    funded(&b, MK_MARGIN_CROSS, 376, "{insurance: {USDT: 5}}");
    enter(&b, 100, 120, 0);
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 90, .quantity = 0.1,
        .terms = ORDER_TERMS_REDUCE_ONLY);
    rig_forget(&b.rig);
    bar(&b, 100, 100, 98, 100); /* not yet */
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 0);
    bar(&b, 100, 100, 97.9, 100);
    liquidated(&b, 0, 18, 97.99, 1.76382);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 1);
    const struct msg_venue_status *s = msg_body(rig_find(&b.rig, MSG_VENUE_STATUS, 0));
    assert_true(s->order_id == 3 && s->status == ORDER_STATUS_CANCELED);
    assert_int_equal(s->reason, REASON_LIQUIDATION);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(102));
    assert_int_equal(bench_cash(&b, 1), fx(376 - 18 * 2.01 - 1.76382));
    rig_reload(&b.rig);
    rig_forget(&b.rig);
    /* the rest: 338.05618 + 102 (p - 100) = 1 % of 102 p: at 97.66329...; there is no bracket
     * below */
    bar(&b, 97.9, 97.9, 97, 97);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 1);
    liquidated(&b, 0, 102, 97.66, 9.96132);
    assert_int_equal(bench_cash(&b, 1), fx(338.05618 - 102 * 2.34 - 9.96132));
    fund_is(&b, 5, 5 + 1.76382 + 9.96132);
    bench_close(&b);
}

/* Both in one bar: what is left is met again on the same way. Without a fund it is closed whole. */
static void test_twice(void **state) {
    (void)state;
    struct bench b;
    funded(&b, MK_MARGIN_CROSS, 376, "{insurance: {USDT: 0}}");
    enter(&b, 100, 120, 0);
    bar(&b, 100, 100, 97, 97);
    liquidated(&b, 0, 18, 97.99, 1.76382);
    liquidated(&b, 1, 102, 97.66, 9.96132);
    fund_is(&b, 0, 1.76382 + 9.96132);
    bench_close(&b);
    funded(&b, MK_MARGIN_CROSS, 376, "{}");
    enter(&b, 100, 120, 0);
    bar(&b, 100, 100, 97, 97);
    liquidated(&b, 0, 120, 97.99, 11.7588);
    bench_close(&b);
}

/* Isolated at 50x: 240 is set apart. 240 + 120 (p - 100) = 2 % of 120 p - 100 at 99.14965...: at
 * 99.14, 136.8 is left; 100.8 lots are within 10,000: 19.2 are sold for 1903.488, fee 1.903488;
 * their loss is 16.512: 240 - 16.512 - 1.903488 = 221.584512 stays apart, 134.896512 with the
 * unrealized, above 1 % of 9993.312. */
static void test_part_isolated(void **state) {
    (void)state;
    struct bench b;
    funded(&b, MK_MARGIN_ISOLATED, 1000, "{insurance: {USDT: 1}}");
    enter(&b, 100, 120, 0);
    assert_int_equal(bench_held(&b, 1, 1).isolated, fx(240));
    bar(&b, 100, 100, 99.1, 100);
    liquidated(&b, 0, 19.2, 99.14, 1.903488);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(100.8));
    assert_int_equal(bench_held(&b, 1, 1).isolated, fx(221.584512));
    assert_int_equal(bench_cash(&b, 1), fx(1000 - 16.512 - 1.903488));
    rig_reload(&b.rig);
    assert_int_equal(bench_held(&b, 1, 1).isolated, fx(221.584512));
    fund_is(&b, 1, 2.903488);
    bench_close(&b);
}

/* A pair of one wallet, 120 long and 10 short at 100, with 300: both meet their maintenance
 * where 300 + 110 (p - 100) = 2 % of 120 p - 100 + 1 % of 10 p, at 98.6046...: the long goes
 * first. Down to 10,000, 101.4 lots: 18.6 are sold at 98.6, fee 1.83396; then 300 - 26.04 -
 * 1.83396 = 272.12604 and 13.95 of the short - 141.96 of the rest back 99.9804 and 9.86...; so
 * again at 98.2199...: the rest of the long is sold at 98.21, and the short stays. */
static void test_pair(void **state) {
    (void)state;
    struct bench b;
    funded(&b, MK_MARGIN_CROSS, 300, "{insurance: {USDT: 5}}");
    b.accounts[0].hedge = true;
    enter(&b, 100, 120, 0);
    ASK(&b, .id = 3, .side = SELL, .quantity = 10);
    bar(&b, 100, 100, 100, 100);
    rig_forget(&b.rig);
    const struct venue *v = b.rig.state;
    bar(&b, 100, 100, 98.61, 100);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 0);
    bar(&b, 100, 100, 98.5, 100);
    liquidated(&b, 0, 18.6, 98.6, 1.83396);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 1);
    assert_int_equal(v->holdings[0].quantity, fx(101.4));
    assert_int_equal(v->shorts[0].quantity, -fx(10));
    bar(&b, 100, 100, 98, 98);
    liquidated(&b, 1, 101.4, 98.21, 9.958494);
    assert_int_equal(v->holdings[0].quantity, 0);
    assert_int_equal(v->shorts[0].quantity, -fx(10));
    assert_int_equal(bench_cash(&b, 1), fx(272.12604 - 101.4 * 1.79 - 9.958494));
    rig_reload(&b.rig);
    fund_is(&b, 5, 5 + 1.83396 + 9.958494);
    bench_close(&b);
}

/* A short gaps from 100 to 110: 2 with 10 are worth nothing at 105; the 10 beyond are the
 * fund's. */
static void test_fund_pays(void **state) {
    (void)state;
    struct bench b;
    funded(&b, MK_MARGIN_CROSS, 10, "{insurance: {USDT: 10}}");
    enter(&b, 100, -2, 3);
    bar(&b, 110, 110, 110, 110);
    liquidated(&b, 0, 2, 105, 0);
    assert_int_equal(bench_cash(&b, 1), 0);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_DELEVERAGE), 0);
    fund_is(&b, 10, 0);
    bench_close(&b);
}

/* One unit less and the other side stands in: account 2 sells 2 of its 3 at 105; its order goes. */
static void test_adl(void **state) {
    (void)state;
    struct bench b;
    funded(&b, MK_MARGIN_CROSS, 10, "{insurance: {USDT: 9.99999999}}");
    enter(&b, 100, -2, 3);
    ASK(&b, .id = 3, .account = 2, .side = SELL, .type = LIMIT, .price = 200, .quantity = 1);
    rig_forget(&b.rig);
    bar(&b, 110, 110, 110, 110);
    liquidated(&b, 0, 2, 105, 0);
    deleveraged(&b, 0, 2, SELL, 2, 105);
    const struct msg_venue_status *s = msg_body(rig_find(&b.rig, MSG_VENUE_STATUS, 0));
    assert_true(s->order_id == 3 && s->status == ORDER_STATUS_CANCELED);
    assert_int_equal(s->reason, REASON_DELEVERAGED);
    assert_int_equal(bench_cash(&b, 2), fx(1000000 + 10));
    assert_int_equal(bench_held(&b, 2, 1).quantity, fx(1));
    rig_reload(&b.rig);
    fund_is(&b, 9.99999999, 9.99999999);
    bench_close(&b);
}

/* Who holds too little, or the same side, or nothing: the rest is closed by those outside. */
static void test_adl_short(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++) {
        static const double other[] = { 0.5, -3, 0 };
        struct bench b;
        funded(&b, MK_MARGIN_CROSS, 10, "{insurance: {USDT: 0}}");
        enter(&b, 100, -2, other[k]);
        bar(&b, 110, 110, 110, 110);
        liquidated(&b, 0, 2, 105, 0);
        assert_int_equal(rig_count(&b.rig, MSG_VENUE_DELEVERAGE), k == 0);
        if (k == 0) deleveraged(&b, 0, 2, SELL, 0.5, 105);
        assert_int_equal(bench_held(&b, 2, 1).quantity, k == 0 ? 0 : fx(other[k]));
        fund_is(&b, 0, 0);
        bench_close(&b);
    }
}

/* The rank: the same profit, more leverage first; a loss comes after any profit. Four accounts hold
 * 1 each against a short of 3; in hedge mode the long alone counts. */
static void test_rank(void **state) {
    (void)state;
    static struct mk_account accounts[5];
    static uint16_t leverages[10];
    struct bench b;
    bench_world(&b);
    brackets[0] =
        (struct mk_bracket){ .cap = fx(1000000), .maintenance = fx(0.01), .leverage = 100 };
    static const double cash[] = { 15, 1000, 200, 1000000, 300 };
    for (int i = 0; i < 5; i++) {
        accounts[i] = b.accounts[0];
        accounts[i].id = (uint8_t)(i + 1);
        accounts[i].cash = fx(cash[i]);
        accounts[i].margin = i == 3 ? MK_MARGIN_NONE : MK_MARGIN_CROSS;
        accounts[i].hedge = i == 4;
        leverages[2 * i] = leverages[2 * i + 1] = 50;
    }
    b.market.accounts = accounts;
    b.market.account_cnt = 5;
    b.market.leverages = leverages;
    b.instruments[0].brackets = brackets;
    b.instruments[0].bracket_cnt = 1;
    bench_open(&b, MSG_BAR, "{insurance: {USDT: 0}}");
    ASK(&b, .id = 1, .account = 1, .side = SELL, .quantity = 3);
    for (uint64_t i = 2; i <= 5; i++) ASK(&b, .id = i, .account = (uint8_t)i, .side = BUY);
    ASK(&b, .id = 6, .account = 5, .side = SELL); /* its short */
    bar(&b, 100, 100, 100, 100);
    rig_forget(&b.rig);
    bar(&b, 110, 110, 110, 110);
    /* gain 10 %; backed by 210, 310 (300 + 10 - 10 = 300), 1010, 1000010: account 3, 5, 2, 4 */
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 1);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_DELEVERAGE), 3);
    deleveraged(&b, 0, 3, SELL, 1, 105);
    deleveraged(&b, 1, 5, SELL, 1, 105);
    deleveraged(&b, 2, 2, SELL, 1, 105);
    const struct venue *v = b.rig.state;
    assert_int_equal(v->holdings[4 * 2].quantity, 0);
    assert_int_equal(v->shorts[4 * 2].quantity, -fx(1));
    assert_int_equal(v->holdings[3 * 2].quantity, fx(1));
    assert_true(venue_conserved(v));
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_part_cross),    cmocka_unit_test(test_twice),
        cmocka_unit_test(test_part_isolated), cmocka_unit_test(test_fund_pays),
        cmocka_unit_test(test_pair),          cmocka_unit_test(test_adl),
        cmocka_unit_test(test_adl_short),     cmocka_unit_test(test_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
