/* rig: the venue alone, fed by hand */
/* Goal: an account pays the rates of the tier that what it traded in the 30 UTC days before today
 * puts it in, spot and linear each by itself, to the unit; the state survives recovery.
 * Method: orders and trades by hand against figures worked out by hand from Binance's published
 * tiers of USD-M (VIP 0 to 2: 0 / 15 M / 50 M USD, 0.02 / 0.05, 0.016 / 0.04, 0.014 / 0.035 %);
 * then random trades over months against a model that keeps every fill and sums again each time. */
#include "tests/actors/test_venue.h"

/* Short words for what the tests below repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    LIMIT = ORDER_TYPE_LIMIT,
    DAY_S = 86400, /* seconds in a day */
};

/* Binance's first three tiers of USD-M. */
static struct mk_tier usdm[] = {
    { .volume = 0, .maker = 20000, .taker = 50000 },
    { .volume = INT64_C(15000000) * FIXED_ONE, .maker = 16000, .taker = 40000 },
    { .volume = INT64_C(50000000) * FIXED_ONE, .maker = 14000, .taker = 35000 },
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* tiered opens a venue on trades whose account 1 has the tiers above in linear instruments. */
static void tiered(struct bench *b) {
    bench_world(b);
    for (int i = 0; i < 2; i++) {
        b->instruments[i].maker_fee = fx(0.001);
        b->instruments[i].taker_fee = fx(0.002);
        b->accounts[i].cash = fx(40000000);
    }
    b->accounts[0].tiers[MK_LINEAR] = usdm;
    b->accounts[0].tier_cnt[MK_LINEAR] = 3;
    bench_open(b, MSG_TRADE, "{}");
}

/* take buys or sells quantity at the market of price, at a time. */
static void take(struct bench *b, uint64_t id, uint8_t account, uint8_t side, double quantity,
                 double seconds, double price) {
    bench_at(b, seconds);
    ASK(b, .id = id, .side = side, .quantity = quantity, .account = account);
    (void)said(b);
    trade(b, seconds, price);
}

/* What was traded today changes nothing today; from 00:00 on it counts, for 30 days. */
static void test_days(void **state) {
    (void)state;
    struct bench b;
    tiered(&b);
    take(&b, 1, 1, BUY, 300, 100, 50000); /* 15,000,000 * 0.05 % */
    SAYS(&b, "100 1 300@50000 taker fee=7500\n");
    take(&b, 2, 1, SELL, 1, DAY_S - 1, 50000); /* the last second of the day: still the first */
    SAYS(&b, "86399 2 1@50000 taker fee=25\n");
    take(&b, 3, 1, SELL, 1, DAY_S, 50000); /* 00:00: 15,050,000: the second */
    SAYS(&b, "86400 3 1@50000 taker fee=20\n");
    take(&b, 4, 2, SELL, 1, DAY_S, 50000); /* who has no tiers pays the instrument's rates */
    SAYS(&b, "86400 4 1@50000 taker fee=100\n");
    rig_reload(&b.rig);
    ASK(&b, .id = 5, .side = SELL, .type = LIMIT, .quantity = 1, .price = 50000);
    (void)said(&b);
    trade(&b, DAY_S + 1, 50000.5); /* strictly beyond: as maker, 0.016 % */
    SAYS(&b, "86401 5 1@50000 maker fee=8\n");
    take(&b, 6, 1, SELL, 1, 30.0 * DAY_S, 50000); /* day 0 is the 30th before: it counts */
    SAYS(&b, "2.592e+06 6 1@50000 taker fee=20\n");
    rig_reload(&b.rig);
    take(&b, 7, 1, SELL, 1, 31.0 * DAY_S, 50000); /* no longer */
    SAYS(&b, "2.6784e+06 7 1@50000 taker fee=25\n");
    take(&b, 8, 1, SELL, 1, 400.0 * DAY_S, 50000);
    SAYS(&b, "3.456e+07 8 1@50000 taker fee=25\n");
    bench_close(&b);
}

/* Binance's published example of USD-M fees: 1 BTC bought at 10,104 by a market order and sold at
 * 11,104 by a limit order at 0.05 and 0.02 % costs 5.052 and 2.2208 USDT
 * (binance.com/support/faq, 360033544231). */
static void test_published(void **state) {
    (void)state;
    struct bench b;
    tiered(&b);
    take(&b, 1, 1, BUY, 1, 1, 10104);
    SAYS(&b, "1 1 1@10104 taker fee=5.052\n");
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .quantity = 1, .price = 11104);
    (void)said(&b);
    trade(&b, 2, 11104.5);
    SAYS(&b, "2 2 1@11104 maker fee=2.2208\n");
    bench_close(&b);
}

/* The bound itself belongs to the tier; one unit less does not. */
static void test_bound(void **state) {
    (void)state;
    for (int less = 0; less < 2; less++) {
        struct bench b;
        bench_world(&b);
        struct mk_tier t[] = { { .volume = fx(1000), .maker = 0, .taker = 7 } };
        b.instruments[0].tick_size = 1;
        b.instruments[0].taker_fee = 50000;
        b.instruments[0].lot_size = 1;
        b.accounts[0].tiers[MK_LINEAR] = t;
        b.accounts[0].tier_cnt[MK_LINEAR] = 1;
        bench_open(&b, MSG_TRADE, "{}");
        take(&b, 1, 1, BUY, 1, 0, less ? 999.99999999 : 1000); /* below the first: 0.05 % */
        SAYS(&b, less ? "0 1 1@999.99999999 taker fee=0.5\n" : "0 1 1@1000 taker fee=0.5\n");
        take(&b, 2, 1, BUY, 1, DAY_S, 1000); /* 7e-8 of 1000 */
        SAYS(&b, less ? "86400 2 1@1000 taker fee=0.5\n" : "86400 2 1@1000 taker fee=0.00007\n");
        bench_close(&b);
    }
}

/* Spot and linear count apart; a rebate is rounded toward zero, a fee up. */
static void test_kinds(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    struct mk_tier spot[] = { { .volume = 0, .maker = 100000, .taker = 100000 },
                              { .volume = fx(1000), .maker = -33333, .taker = 77777 } };
    b.instruments[0].kind = MK_SPOT;
    b.instruments[0].tick_size = 1;
    b.instruments[1].kind = MK_LINEAR;
    b.instruments[1].taker_fee = b.instruments[1].maker_fee = fx(0.01);
    b.accounts[0].tiers[MK_SPOT] = spot;
    b.accounts[0].tier_cnt[MK_SPOT] = 2;
    b.accounts[0].tiers[MK_LINEAR] = usdm;
    b.accounts[0].tier_cnt[MK_LINEAR] = 3;
    bench_open(&b, MSG_TRADE, "{}");
    take(&b, 1, 1, BUY, 10, 0, 100); /* 1000 of spot; 0.1 % of 10 */
    SAYS(&b, "0 1 10@100 taker fee=0.01\n");
    const struct venue *v = b.rig.state;
    assert_ptr_equal(v->fees.rows[MK_LINEAR].tier, &usdm[0]);
    take(&b, 2, 1, SELL, 0.1, DAY_S, 100.00000001); /* 10.000000001 received as 10: * 0.077777 % */
    SAYS(&b, "86400 2 0.1@100.00000001 taker fee=0.0077777\n");
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .quantity = 0.1, .price = 100.00000019);
    (void)said(&b);
    trade(&b, DAY_S, 100.0000002); /* 10.00000001 (down) * -0.00033333 = -0.0033333000033: down */
    SAYS(&b, "86400 3 0.1@100.00000019 maker fee=-0.0033333\n");
    assert_ptr_equal(v->fees.rows[MK_LINEAR].tier, &usdm[0]);
    assert_ptr_equal(v->fees.rows[MK_SPOT].tier, &spot[1]);
    bench_close(&b);
}

/* A volume beyond the range of money stops there and stays in the highest tier. */
static void test_huge(void **state) {
    (void)state;
    struct bench b;
    tiered(&b);
    struct venue *v = b.rig.state;
    venue_fees_turn(&v->fees, &b.market, START_NS);
    for (int i = 0; i < 3; i++) venue_fees_traded(&v->fees, 1, MK_LINEAR, INT64_MAX - 1);
    for (int i = 0; i < 3; i++) {
        venue_fees_turn(&v->fees, &b.market, START_NS + (i + 1) * DAY_S * SECOND_NS);
        venue_fees_traded(&v->fees, 1, MK_LINEAR, INT64_MAX);
    }
    assert_ptr_equal(v->fees.rows[MK_LINEAR].tier, &usdm[2]);
    rig_reload(&b.rig);
    v = b.rig.state;
    assert_ptr_equal(v->fees.rows[MK_LINEAR].tier, &usdm[2]);
    bench_close(&b);
}

/* Without tiers nothing is kept. */
static void test_none(void **state) {
    (void)state;
    struct bench b;
    bench_bars(&b);
    const struct venue *v = b.rig.state;
    assert_null(v->fees.rows);
    bench_close(&b);
}

/* Rows that are none of a venue with tiers are refused. */
static void test_rows(void **state) {
    (void)state;
    struct bench b;
    tiered(&b);
    struct venue *v = b.rig.state;
    const uint64_t first = VENUE_COUNTER_FEES + (uint64_t)MK_KINDS * VENUE_FEE_FIGURES;
    const uint64_t rows = 2 * MK_KINDS;
    assert_true(venue_fees_load(&v->fees, &b.market, VENUE_COUNTER_FEES, 19677));
    assert_true(venue_fees_load(&v->fees, &b.market, first, 5));
    assert_true(venue_fees_load(&v->fees, &b.market,
                                first + rows * VENUE_FEE_FIGURES - VENUE_FEE_FIGURES + 30, 5));
    assert_false(venue_fees_load(&v->fees, &b.market, VENUE_COUNTER_FEES - 1, 5));
    assert_false(venue_fees_load(&v->fees, &b.market, VENUE_COUNTER_FEES, INT64_MAX));
    assert_false(venue_fees_load(&v->fees, &b.market, VENUE_COUNTER_FEES + 1, 5));
    assert_false(venue_fees_load(&v->fees, &b.market, first, -1));
    assert_false(venue_fees_load(&v->fees, &b.market, first + VENUE_FEE_RING, 5));
    assert_false(venue_fees_load(&v->fees, &b.market, first + rows * VENUE_FEE_FIGURES, 5));
    bench_close(&b);
}

/* A fill as the model keeps it. */
struct kept {
    int64_t day;         /* since the start */
    __int128 value;      /* notional */
    uint8_t account;     /* whose */
    uint16_t instrument; /* 1 linear, 2 spot */
};

/* rate_of is the rate that the model finds for account in instrument on a day. */
static int64_t rate_of(const struct bench *b, const struct kept *kept, size_t cnt, int64_t day,
                       uint8_t account, uint16_t instrument) {
    const struct mk_instrument *in = &b->instruments[instrument - 1];
    const struct mk_account *a = &b->accounts[account - 1];
    __int128 sum = 0;
    for (size_t i = 0; i < cnt; i++) {
        if (kept[i].account == account && kept[i].instrument == instrument && kept[i].day < day &&
            kept[i].day >= day - 30) {
            sum += kept[i].value;
        }
    }
    int64_t rate = in->taker_fee;
    for (uint32_t i = 0; i < a->tier_cnt[in->kind]; i++) {
        if (a->tiers[in->kind][i].volume <= sum) rate = a->tiers[in->kind][i].taker;
    }
    return rate;
}

/* Random trades of both accounts in both instruments over months, with pauses and recoveries. */
static void test_random(void **state) {
    (void)state;
    enum { TRADES = 400 };
    static struct kept kept[TRADES];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t gen = seed;
        struct bench b;
        struct mk_tier t[2][MK_KINDS][3];
        bench_world(&b);
        for (int a = 0; a < 2; a++) {
            b.instruments[a].taker_fee = gen_range(&gen, 0, 200000);
            for (int k = 0; k < MK_KINDS; k++) {
                int64_t volume = gen_range(&gen, 0, 1) * fx(500);
                for (int i = 0; i < 3; i++) {
                    t[a][k][i] = (struct mk_tier){ .volume = volume,
                                                   .taker = gen_range(&gen, -9999, 99999) };
                    volume += gen_range(&gen, 1, 4000) * FIXED_ONE;
                }
                b.accounts[a].tiers[k] = t[a][k];
                b.accounts[a].tier_cnt[k] = (uint32_t)gen_range(&gen, 0, 3);
            }
        }
        b.accounts[0].tier_cnt[MK_LINEAR] = 3;
        bench_open(&b, MSG_TRADE, "{}");
        int64_t now_s = 0;
        size_t cnt = 0;
        for (uint64_t n = 1; n <= TRADES; n++) {
            static const int64_t pauses[] = { 3600, 3 * DAY_S, 45 * DAY_S };
            int64_t most = pauses[gen_range(&gen, 0, 99) < 90   ? 0
                                  : gen_range(&gen, 0, 99) < 90 ? 1
                                                                : 2];
            now_s += gen_range(&gen, 0, most * 2);
            if (gen_range(&gen, 0, 9) == 0) now_s = now_s / DAY_S * DAY_S + DAY_S; /* midnight */
            uint16_t in = (uint16_t)gen_range(&gen, 1, 2);
            uint8_t account = (uint8_t)gen_range(&gen, 1, 2);
            int64_t price = gen_range(&gen, 100, 300) * FIXED_ONE / 2;
            qty_t quantity = gen_range(&gen, 1, 40) * FIXED_ONE / 10;
            bench_at(&b, (double)now_s);
            ASK(&b, .id = n, .account = account, .instrument = in,
                .side = in == 2 || gen_range(&gen, 0, 1) ? BUY : SELL,
                .quantity = (double)quantity / 1e8);
            rig_forget(&b.rig);
            struct msg_trade row = { .time_ns = START_NS + now_s * SECOND_NS,
                                     .price = price,
                                     .quantity = quantity,
                                     .instrument = in };
            (void)rig_rows(&b.rig, b.series[in - 1], RT_HEAR_EARLY, &row, 1);
            CHECK(seed, rig_count(&b.rig, MSG_VENUE_FILL) == 1);
            const struct msg_venue_fill *f = msg_body(rig_find(&b.rig, MSG_VENUE_FILL, 0));
            CHECK(seed, f->quantity == quantity && f->price == price);
            int64_t day = now_s / DAY_S, value = price / 10 * (quantity * 10 / FIXED_ONE);
            int64_t rate = rate_of(&b, kept, cnt, day, account, in);
            __int128 fee = (__int128)(in == 2 ? quantity : value) * rate; /* 1e-16 */
            __int128 whole = fee / FIXED_ONE;
            if (fee > whole * FIXED_ONE) whole++;
            CHECK(seed, f->fee == (int64_t)whole);
            CHECK(seed, venue_conserved(b.rig.state));
            kept[cnt++] =
                (struct kept){ .day = day, .value = value, .account = account, .instrument = in };
            if (gen_range(&gen, 0, 19) == 0) rig_reload(&b.rig);
        }
        bench_close(&b);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),  cmocka_unit_test(test_published),
        cmocka_unit_test(test_bound), cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_huge),  cmocka_unit_test(test_none),
        cmocka_unit_test(test_rows),  cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
