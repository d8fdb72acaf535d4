/* rig: the venue alone, fed by hand */
/* Goal: fees in an asset of the account's choice (BNB at Binance) come out of its balance at the
 * discount and the asset's price, to the unit, and fall back to the ordinary asset where the
 * balance does not cover them; nothing is made or lost; the balance survives recovery.
 * Method: figures reckoned by hand from Binance's published rates and discounts (USD-M 0.02 /
 * 0.05 %, 10 % off in BNB; spot 0.1 %, 25 % off); on bars whose path touches both sides, the way
 * that counts. Random runs against fractions: tests/e2e/test_fees.py. */
#include "tests/actors/test_venue.h"

/* Short words for what the tests below repeat. */
enum short_words { BUY = SIDE_BUY, SELL = SIDE_SELL, LIMIT = ORDER_TYPE_LIMIT };

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* burns opens a venue whose account 1 pays fees in EUR: balance, at price, or where by is not 0 at
 * that of the instrument. */
static void burns(struct bench *b, uint16_t rows, double balance, double price, uint16_t by) {
    bench_world(b);
    for (int i = 0; i < 2; i++) {
        b->instruments[i].maker_fee = i == 0 ? fx(0.0002) : fx(0.001);
        b->instruments[i].taker_fee = i == 0 ? fx(0.0005) : fx(0.001);
    }
    b->accounts[0].burn = (struct mk_fee_asset){ .on = true,
                                                 .asset = 2,
                                                 .instrument = by,
                                                 .price = fx(price),
                                                 .balance = fx(balance),
                                                 .discount = { fx(0.25), fx(0.1) } };
    bench_open(b, rows, "{}");
}

/* held checks what account 1 has of its fee asset. */
static void held(const struct bench *b, double balance) {
    assert_int_equal(((const struct venue *)b->rig.state)->burn_held[0], fx(balance));
}

/* asset checks the fee asset of fill number n since the last check, and its fee. */
static void asset(struct bench *b, size_t n, uint16_t index, double fee) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_VENUE_FILL, n);
    assert_non_null(f);
    const struct msg_venue_fill *m = msg_body(f);
    assert_int_equal(m->fee_asset, index);
    assert_int_equal(m->fee, fx(fee));
}

/* take buys or sells quantity of instrument 1 at the market of price, for account. */
static void take(struct bench *b, uint64_t id, uint8_t account, uint8_t side, double quantity,
                 double price) {
    double now = bench_now(b) + 1;
    ASK(b, .id = id, .side = side, .quantity = quantity, .account = account);
    (void)said(b);
    trade(b, now, price);
}

/* Binance's published example of USD-M fees, with the 10 % off: 1 BTC at 10,104 as taker costs
 * 5.052 USDT, in BNB at 300: 5.052 x 0.9 / 300 = 0.015156; sold at 11,104 as maker 2.2208 x 0.9
 * / 300 = 0.0066624. Account 2 has no such asset. */
static void test_linear(void **state) {
    (void)state;
    struct bench b;
    burns(&b, MSG_TRADE, 1, 300, 0);
    take(&b, 1, 1, BUY, 1, 10104);
    asset(&b, 0, 2, 0.015156);
    held(&b, 1 - 0.015156);
    assert_int_equal(bench_cash(&b, 1), fx(1000000));
    rig_reload(&b.rig);
    held(&b, 1 - 0.015156);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .quantity = 1, .price = 11104);
    (void)said(&b);
    trade(&b, 9, 11104.5);
    asset(&b, 0, 2, 0.0066624);
    held(&b, 1 - 0.015156 - 0.0066624);
    assert_int_equal(bench_cash(&b, 1), fx(1001000));
    take(&b, 3, 2, BUY, 1, 10104);
    asset(&b, 0, 1, 5.052);
    assert_true(venue_conserved(b.rig.state));
    bench_close(&b);
}

/* One unit too little and the fee is the ordinary one, without a discount; the next that fits is
 * paid from what is left. A balance of nothing is saved as that. */
static void test_falls_back(void **state) {
    (void)state;
    struct bench b;
    burns(&b, MSG_TRADE, 0.01515599, 300, 0);
    take(&b, 1, 1, BUY, 1, 10104);
    asset(&b, 0, 1, 5.052);
    held(&b, 0.01515599);
    assert_int_equal(bench_cash(&b, 1), fx(1000000 - 5.052));
    take(&b, 2, 1, SELL, 0.1, 10104); /* 0.0015156 */
    asset(&b, 0, 2, 0.0015156);
    bench_close(&b);
    burns(&b, MSG_TRADE, 0.015156, 300, 0);
    take(&b, 1, 1, BUY, 1, 10104);
    asset(&b, 0, 2, 0.015156);
    held(&b, 0);
    rig_reload(&b.rig);
    held(&b, 0);
    assert_true(venue_conserved(b.rig.state));
    bench_close(&b);
}

/* Rounded up once, not by step: 0.1 x 33.5 x 0.05 % x 0.9 / 7 is 0.000215357142857... */
static void test_rounds(void **state) {
    (void)state;
    struct bench b;
    burns(&b, MSG_TRADE, 1, 7, 0);
    take(&b, 1, 1, BUY, 0.1, 33.5);
    asset(&b, 0, 2, 0.00021536);
    bench_close(&b);
    int64_t out;
    assert_true(mk_fee_burnt(1, 1, 0, INT64_MAX, &out) && out == 1);
    assert_true(mk_fee_burnt(INT64_MAX, FIXED_ONE / 10, 0, FIXED_ONE, &out));
    assert_int_equal(out, INT64_MAX / 10 + 1);
    assert_false(mk_fee_burnt(INT64_MAX, FIXED_ONE / 10, 0, 1, &out));
    assert_true(mk_fee_burnt(fx(100), 50000, FIXED_ONE, fx(5), &out) && out == 0); /* all off */
}

/* Spot at 0.1 % less 25 %: a buy receives all it bought; a sale all its cash. */
static void test_spot(void **state) {
    (void)state;
    struct bench b;
    burns(&b, MSG_TRADE, 1, 300, 0);
    for (uint64_t id = 1; id <= 2; id++) {
        ASK(&b, .id = id, .side = id == 1 ? BUY : SELL, .quantity = 2, .instrument = 2);
        (void)said(&b);
        struct msg_trade row = {
            .time_ns = START_NS, .price = fx(1000), .quantity = fx(1), .instrument = 2
        };
        (void)rig_rows(&b.rig, b.series[1], RT_HEAR_EARLY, &row, 1);
        asset(&b, 0, 2, 0.005); /* 2000 x 0.1 % x 0.75 / 300 */
        assert_int_equal(bench_held(&b, 1, 2).quantity, id == 1 ? fx(2) : 0);
    }
    held(&b, 0.99);
    assert_int_equal(bench_cash(&b, 1), fx(1000000));
    assert_true(venue_conserved(b.rig.state));
    bench_close(&b);
}

/* A buy of the fee asset itself pays out of what it receives, at the discount, and leaves the
 * balance alone; a sale pays from the balance. Its price is the last trade of that very
 * instrument, the declared one before there is any. */
static void test_itself(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[1].base_asset = 2;
    b.instruments[1].taker_fee = fx(0.001);
    b.accounts[0].burn = (struct mk_fee_asset){ .on = true,
                                                .asset = 2,
                                                .instrument = 2,
                                                .price = fx(250),
                                                .balance = fx(1),
                                                .discount = { fx(0.25), fx(0.1) } };
    bench_open(&b, MSG_TRADE, "{}");
    struct msg_trade rows[2];
    static const double prices[] = { 300, 400 };
    for (uint64_t id = 1; id <= 2; id++) {
        ASK(&b, .id = id, .side = id == 1 ? BUY : SELL, .quantity = 2 - 0.1 * (double)(id - 1),
            .instrument = 2);
        (void)said(&b);
        rows[id - 1] = (struct msg_trade){
            .time_ns = START_NS, .price = fx(prices[id - 1]), .quantity = fx(1), .instrument = 2
        };
        (void)rig_rows(&b.rig, b.series[1], RT_HEAR_EARLY, &rows[id - 1], 1);
        /* 2 x 0.1 % x 0.75 received; 1.9 x 400 x 0.1 % x 0.75 at 300, the newest price known */
        asset(&b, 0, 2, id == 1 ? 0.0015 : 0.0019);
        (void)rig_rows(&b.rig, b.series[1], RT_HEAR_ROW, &rows[id - 1], 1);
    }
    held(&b, 1 - 0.0019);
    assert_int_equal(bench_held(&b, 1, 2).quantity, fx(2 - 0.0015 - 1.9));
    assert_true(venue_conserved(b.rig.state));
    bench_close(&b);
}

/* Without any price the fee is the ordinary one; a rebate always is. */
static void test_unknown(void **state) {
    (void)state;
    struct bench b;
    burns(&b, MSG_TRADE, 1, 0, 2);
    take(&b, 1, 1, BUY, 1, 10104);
    asset(&b, 0, 1, 5.052);
    struct msg_trade row = {
        .time_ns = b.rig.ctx.now_ns, .price = fx(300), .quantity = fx(1), .instrument = 2
    };
    (void)rig_rows(&b.rig, b.series[1], RT_HEAR_ROW, &row, 1);
    take(&b, 2, 1, SELL, 1, 10104);
    asset(&b, 0, 2, 0.015156);
    bench_close(&b);
    bench_world(&b);
    b.instruments[0].taker_fee = -fx(0.0001);
    b.accounts[0].burn = (struct mk_fee_asset){
        .on = true, .asset = 2, .price = fx(300), .balance = fx(1), .discount = { 0, fx(0.1) }
    };
    bench_open(&b, MSG_TRADE, "{}");
    take(&b, 1, 1, BUY, 1, 10000);
    asset(&b, 0, 1, -1);
    held(&b, 1);
    bench_close(&b);
}

/* Both ways through a bar are worked on copies: the balance of the one that counts is kept. Two
 * limits, each filled on the way down, one of them alone affordable. */
static void test_ways(void **state) {
    (void)state;
    struct bench b;
    burns(&b, MSG_BAR, 0.0001, 300, 0);
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .quantity = 1,
        .price = 99); /* 99 x 0.00018 / 300 */
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .quantity = 1, .price = 98);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .quantity = 1, .price = 102);
    (void)said(&b);
    bar(&b, 100, 103, 97, 100);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_FILL), 3);
    double paid = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct msg_venue_fill *m = msg_body(rig_find(&b.rig, MSG_VENUE_FILL, i));
        if (m->fee_asset == 2) paid += (double)m->fee / 1e8;
    }
    held(&b, 0.0001 - paid);
    assert_true(paid > 0.00005 && paid < 0.0001); /* the first met fits, the others do not */
    assert_true(venue_conserved(b.rig.state));
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear), cmocka_unit_test(test_falls_back),
        cmocka_unit_test(test_rounds), cmocka_unit_test(test_spot),
        cmocka_unit_test(test_itself), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
