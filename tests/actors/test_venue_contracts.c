/* rig: the venue alone */
/* Goal: with contracts that have a size the venue makes and loses nothing, whatever it is asked:
 * inverse ones in coin, linear ones with a multiplier, one of them dated; one-way and hedge mode,
 * cross and isolated.
 * Method: random orders and bars that gap, from seeds; after each step accounts and the venue's
 * books come to what was deposited; in the middle the venue is made anew from its rows. Figures:
 * tests/e2e/test_contracts.py. */
#include "tests/actors/test_venue.h"

/* One bracket: 1 % maintenance, leverage up to 100. */
static const struct mk_bracket bracket = { .cap = INT64_MAX,
                                           .maintenance = 1000000,
                                           .leverage = 100 };

enum { LIVES = 100 }; /* bars until the second contract expires */

/* random_run runs one seed on contracts of kind. Returns how many positions were closed by force;
 * *delivered grows by how many were delivered. */
static size_t random_run(uint64_t seed, enum mk_kind kind, enum mk_margin margin, bool hedge,
                         size_t *delivered) {
    static uint16_t leverages[4] = { 100, 50, 20, 10 };
    struct bench b;
    uint64_t gen = seed;
    size_t forced = 0;
    bench_world(&b);
    b.market.leverages = leverages;
    for (int i = 0; i < 2; i++) {
        struct mk_instrument *in = &b.instruments[i];
        in->kind = kind;
        in->lot_size = fx(1);
        in->contract = kind == MK_INVERSE ? fx(i == 0 ? 100 : 10) : fx(i == 0 ? 0.01 : 50);
        in->brackets = &bracket;
        in->bracket_cnt = 1;
        in->maker_fee = -1234;
        in->taker_fee = 54321;
        in->liquidation_fee = 1000001;
        b.accounts[i].quote = kind == MK_INVERSE ? 0 : 1;
        b.accounts[i].cash = kind == MK_INVERSE ? fx(3) : fx(20000);
        b.accounts[i].margin = margin;
        b.accounts[i].hedge = hedge;
    }
    b.instruments[1].expiry_ns = START_NS + LIVES * BAR_NS;
    b.instruments[1].settle_window_ns = 7 * BAR_NS;
    b.instruments[1].delivery_fee = 12345;
    bench_open(&b, MSG_BAR, "{}");
    double price[2] = { 1000, 1000 };
    uint64_t id = 0;
    for (int turn = 0; turn < 150; turn++) {
        for (int64_t n = gen_range(&gen, 0, 3); n > 0; n--) {
            uint16_t i = (uint16_t)gen_range(&gen, 1, 2);
            bool exit = gen_range(&gen, 0, 2) == 0, limit = gen_range(&gen, 0, 1) == 1;
            double most = kind == MK_INVERSE ? (i == 1 ? 300 : 3000) : (i == 1 ? 20000 : 4);
            id++;
            ASK(&b, .id = id, .instrument = i, .account = (uint8_t)gen_range(&gen, 1, 2),
                .side = (uint8_t)gen_range(&gen, 0, 1),
                .quantity = (double)gen_range(&gen, 1, (int64_t)most),
                .type = limit ? ORDER_TYPE_LIMIT : ORDER_TYPE_MARKET,
                .price = limit ? price[i - 1] + (double)gen_range(&gen, -40, 40) * 0.5 : 0,
                .terms = exit ? ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY : 0);
        }
        for (uint16_t i = 1; i <= 2; i++) {
            double p[4];
            for (int k = 0; k < 4; k++) {
                double at = price[i - 1] + (double)gen_range(&gen, -60, 60) * 0.5;
                p[k] = at < 300 ? 300 : at;
            }
            double high = p[0] > p[3] ? p[0] : p[3], low = p[0] > p[3] ? p[3] : p[0];
            for (int k = 1; k < 3; k++) {
                if (p[k] > high) high = p[k];
                if (p[k] < low) low = p[k];
            }
            bench_bar_begins(&b, i, START_NS + turn * BAR_NS, fx(p[0]), fx(high), fx(low), fx(p[3]),
                             1);
            price[i - 1] = p[3];
        }
        bench_at(&b, (turn + 1) * 60.0); /* the expiry is first thing of its instant */
        for (uint16_t i = 1; i <= 2; i++) {
            bench_bar_ends(&b, i);
            CHECK(seed, venue_conserved(b.rig.state));
        }
        const struct venue *v = b.rig.state;
        for (int a = 0; a < 2 && turn + 1 >= LIVES; a++) { /* delivered, and nothing since */
            CHECK(seed, v->holdings[a * 2 + 1].quantity == 0 && v->shorts[a * 2 + 1].quantity == 0);
        }
        if (turn + 1 == LIVES) *delivered += rig_count(&b.rig, MSG_VENUE_DELIVERY);
        forced += rig_count(&b.rig, MSG_VENUE_LIQUIDATION);
        rig_forget(&b.rig);
        if (turn % 40 == 20) {
            rig_reload(&b.rig);
            CHECK(seed, venue_conserved(b.rig.state));
        }
    }
    bench_close(&b);
    return forced;
}

/* All kinds. */
static void test_conserved(void **state) {
    (void)state;
    size_t forced = 0, delivered = 0;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        forced += random_run(seed, seed % 2 ? MK_INVERSE : MK_LINEAR,
                             seed / 2 % 2 ? MK_MARGIN_CROSS : MK_MARGIN_ISOLATED, seed / 4 % 2,
                             &delivered);
    }
    assert_true(forced > 20);
    assert_true(delivered > 5);
}

/* A snapshot taken before the expiry, without an order or position: bars are heard until the
 * delivery and not after it. */
static void test_deaf_after(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_LINEAR;
    b.instruments[0].expiry_ns = START_NS + 3 * BAR_NS;
    b.instruments[0].settle_window_ns = BAR_NS;
    bench_open(&b, MSG_BAR, "{}");
    for (int turn = 0; turn < 5; turn++) {
        bench_bar_begins(&b, 1, START_NS + turn * BAR_NS, fx(100), fx(101), fx(99), fx(100), 1);
        if (turn == 2) rig_reload(&b.rig);
        bench_at(&b, (turn + 1) * 60.0);
        bench_bar_ends(&b, 1);
        assert_int_equal(b.rig.series[b.series[0]].up[RT_HEAR_EARLY], turn < 2);
    }
    bench_close(&b);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_conserved),
                                        cmocka_unit_test(test_deaf_after) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
