/* rig: the venue alone, fed by hand */
/* Goal: where there is a book a liquidation is worked in it: immediate or cancel at the price at
 * which nothing is left, level by level; what the book has not the fund takes over at that price;
 * nothing is made or lost.
 * Method: cases in a recorded book, reckoned by hand; then random runs from seeds among simulated
 * traders and in a random recorded book: after each step accounts and books come to what was
 * deposited, no account without other positions is left below zero, what is closed is traded, and a
 * venue that is made anew again and again says the same. */
#include "actors/market/margin.h"
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "tests/actors/test_venue.h"

/* Short words for what the tests below repeat. */
enum short_words { BUY = SIDE_BUY, SELL = SIDE_SELL, LIMIT = ORDER_TYPE_LIMIT };

/* Two brackets: 1 % up to 10,000, then 2 %, cum 100. */
static struct mk_bracket brackets[2];

/* world readies b: account 1 has margin and cash, 50x, clearance fee 0.1 %. */
static void world(struct bench *b, enum mk_margin margin, bool hedge, double cash) {
    static uint16_t leverages[4] = { 50, 50, 50, 50 };
    bench_world(b);
    brackets[0] = (struct mk_bracket){ .cap = fx(10000), .maintenance = fx(0.01), .leverage = 100 };
    brackets[1] =
        (struct mk_bracket){ .cap = fx(1000000), .maintenance = fx(0.02), .leverage = 50 };
    assert_true(mk_brackets_seal(brackets, 2));
    b->market.leverages = leverages;
    b->instruments[0].brackets = brackets;
    b->instruments[0].bracket_cnt = 2;
    b->instruments[0].liquidation_fee = fx(0.001);
    b->accounts[0].cash = fx(cash);
    b->accounts[0].margin = margin;
    b->accounts[0].hedge = hedge;
}

/* deep opens the venue with a recorded book (series 0) and its trades (series 1). */
static void deep(struct bench *b, const char *yaml) {
    struct rt_error err = { 0 };
    b->series[0] = rig_series(&b->rig, MSG_BOOK_DELTA, 1, 0);
    b->series[1] = rig_series(&b->rig, MSG_TRADE, 1, 0);
    if (rig_open(&b->rig, &venue_kind, yaml, &b->market, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rig_start(&b->rig, START_NS);
}

/* book tells a snapshot at a second: pairs of price and quantity, bids then asks, each ended by a
 * price of 0. */
static void book(struct bench *b, double seconds, const double *levels) {
    uint8_t flags = BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT, side = BUY;
    for (int end = 0; end < 2;) {
        bool last = *levels == 0;
        struct msg_book_delta row = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                                      .update_id = 1,
                                      .price = fx(last ? 1 : levels[0]),
                                      .quantity = last ? 0 : fx(levels[1]),
                                      .instrument = 1,
                                      .side = side };
        levels += last ? 1 : 2;
        end += last;
        row.flags = flags | (end == 2 ? BOOK_FLAGS_LAST : 0);
        assert_int_equal(rig_rows(&b->rig, b->series[0], RT_HEAR_EARLY, &row, 1), 1);
        flags = BOOK_FLAGS_SNAPSHOT;
        if (last) side = SELL;
    }
}

/* prints tells a trade. */
static void prints(struct bench *b, double seconds, double price) {
    struct msg_trade row = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                             .price = fx(price),
                             .quantity = fx(0.1),
                             .instrument = 1,
                             .aggressor = SELL };
    assert_int_equal(rig_rows(&b->rig, b->series[1], RT_HEAR_EARLY, &row, 1), 1);
}

/* forced checks liquidation number n. */
static void forced(struct bench *b, size_t n, uint8_t side, double quantity, double price,
                   double fee) {
    const struct msg_frame *f = rig_find(&b->rig, MSG_VENUE_LIQUIDATION, n);
    assert_non_null(f);
    const struct msg_venue_liquidation *l = msg_body(f);
    assert_int_equal(l->side, side);
    assert_int_equal(l->quantity, fx(quantity));
    assert_int_equal(l->price, fx(price));
    assert_int_equal(l->fee, fx(fee));
    assert_true(venue_conserved(b->rig.state));
}

/* ends checks how many liquidations there were, the cash and the fund's change. */
static void ends(struct bench *b, size_t cnt, double cash, double fund) {
    const struct venue *v = b->rig.state;
    assert_int_equal(rig_count(&b->rig, MSG_VENUE_LIQUIDATION), cnt);
    assert_int_equal(bench_cash(b, 1), fx(cash));
    assert_true(v->ledger[1].figure[VENUE_LEDGER_FUND] == (__int128)fx(fund) * FIXED_ONE);
    assert_true(venue_conserved(v));
}

/* enters lets account 1 take quantity of a book of 1000 at 100 (sales) or 99.5. */
static void enters(struct bench *b, uint8_t side, double quantity) {
    book(b, 1, (const double[]){ 99.5, 1000, 0, 100, 1000, 0 });
    ASK(b, .id = 1, .side = side, .quantity = quantity);
    rig_reload(&b->rig);
    rig_forget(&b->rig);
}

/* 4 at 100 with 30: 30 + 4 (p - 100) meets 1 % of 4 p at 93.43. At 93 2 is left, at 92.5 nothing.
 * The book gives 2 at 93 and 1 at 92.5; then 30 - 14 - 7.5 - 0.2785 back 1 at 93: 1.2 > 0.93. That
 * is all: the last one stays, though the order was of all. */
static void test_levels(void **state) {
    (void)state;
    struct bench b;
    world(&b, MK_MARGIN_CROSS, false, 30);
    deep(&b, "{participation: 10%}"); /* of no matter */
    enters(&b, BUY, 4);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 120, .quantity = 4);
    book(&b, 2, (const double[]){ 93, 2, 92.5, 1, 92, 50, 0, 94, 5, 0 });
    rig_forget(&b.rig);
    prints(&b, 3, 93.5);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 0);
    prints(&b, 3, 93);
    const struct msg_venue_status *s = msg_body(rig_find(&b.rig, MSG_VENUE_STATUS, 0));
    assert_true(s->order_id == 2 && s->reason == REASON_LIQUIDATION);
    forced(&b, 0, SELL, 2, 93, 0.186);
    forced(&b, 1, SELL, 1, 92.5, 0.0925);
    ends(&b, 2, 30 - 14 - 7.5 - 0.2785, 0.2785);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(1));
    rig_reload(&b.rig);
    rig_forget(&b.rig);
    ASK(&b, .id = 3, .account = 2, .side = SELL, .quantity = 1); /* what was taken is gone */
    const struct msg_venue_fill *f = msg_body(rig_find(&b.rig, MSG_VENUE_FILL, 0));
    assert_int_equal(f->price, fx(92));
    bench_close(&b);
}

/* The same where the book is thin: 0.5 at 93, nothing more within 92.5. 26.4535 are left for 3.5:
 * 1.9535 at 93, below 3.255; nothing is left at 92.44..., to the tick 92.5: the fund takes over
 * there, 0.5 below the mark: it gets 1.75 and the fee, of which 0.20 is left. */
static void test_taken_over(void **state) {
    (void)state;
    struct bench b;
    world(&b, MK_MARGIN_CROSS, false, 30);
    deep(&b, "{}");
    enters(&b, BUY, 4);
    book(&b, 2, (const double[]){ 93, 0.5, 92, 50, 0, 94, 5, 0 });
    prints(&b, 3, 93);
    forced(&b, 0, SELL, 0.5, 93, 0.0465);
    forced(&b, 1, SELL, 3.5, 92.5, 0.2035);
    ends(&b, 2, 0, 0.0465 + 0.2035 + 1.75);
    bench_close(&b);
}

/* Beyond it: 30 are gone at 92.5; at a mark of 90 the fund pays what 92.5 is better. A bid of
 * 93 is still there: it is taken first. Without a book that stands all goes at once, by the
 * rule of bars. */
static void test_beyond(void **state) {
    (void)state;
    struct bench b;
    world(&b, MK_MARGIN_CROSS, false, 30);
    deep(&b, "{}");
    enters(&b, BUY, 4);
    book(&b, 2, (const double[]){ 93, 1, 90, 50, 0, 94, 5, 0 });
    prints(&b, 3, 90);
    /* of 1 at 93 0.5 is above 92.5: fee 0.093; 22.907 are left for 3: 92.3643..., 92.5 */
    forced(&b, 0, SELL, 1, 93, 0.093);
    forced(&b, 1, SELL, 3, 92.5, 0.2775);
    ends(&b, 2, 30 - 7 - 0.093 - 22.5 - 0.2775, 0.093 + 0.2775 - 7.5);
    bench_close(&b);
    world(&b, MK_MARGIN_CROSS, false, 30);
    deep(&b, "{}");
    enters(&b, BUY, 4);
    book(&b, 2, (const double[]){ 95, 1, 0, 94, 5, 0 }); /* crossed: it does not stand */
    prints(&b, 3, 90);
    forced(&b, 0, SELL, 4, 92.5, 0);
    bench_close(&b);
}

/* With a fund the order is of a part, where a part suffices: not of the long, of the short. */
static void test_steps(void **state) {
    (void)state;
    struct bench b;
    world(&b, MK_MARGIN_CROSS, false, 400);
    deep(&b, "{insurance: {USDT: 5}}");
    enters(&b, BUY, 120);
    book(&b, 2, (const double[]){ 98, 10, 97.5, 7, 97, 50, 0, 98.5, 5, 0 });
    rig_forget(&b.rig);
    /* 160 are left at 98, above 135.2 */
    prints(&b, 3, 98);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 0);
    /* 100 at 97.5, below 134. 102.5 are within 10,000: 17.5 less cost 1.70625, 98.29375 are left,
     * below 99.9375: so all of it; nothing is left at 96.67: 97. */
    prints(&b, 4, 97.5);
    forced(&b, 0, SELL, 10, 98, 0.98);
    forced(&b, 1, SELL, 7, 97.5, 0.6825);
    forced(&b, 2, SELL, 50, 97, 4.85);
    /* 205.9875 are left for 53: 73.4875 at 97.5 back 1 % of 5167.5 */
    ends(&b, 3, 400 - 20 - 17.5 - 150 - 6.5125, 6.5125);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(53));
    bench_close(&b);

    world(&b, MK_MARGIN_ISOLATED, false, 1000);
    deep(&b, "{insurance: {USDT: 5}}");
    enters(&b, SELL, 120); /* at 99.5: 238.8 set apart */
    book(&b, 2, (const double[]){ 98, 5, 0, 100.5, 30, 101, 200, 0 });
    rig_forget(&b.rig);
    /* at 100.5 118.8 are left, below 141.2: 99.5 are within 10,000 (9999.75): 20.5 less at 2.06025:
     * 116.73975 > 99.9975 */
    prints(&b, 3, 100.5);
    forced(&b, 0, BUY, 20.5, 100.5, 2.06025);
    ends(&b, 1, 1000 - 20.5 - 2.06025, 2.06025);
    assert_int_equal(bench_held(&b, 1, 1).quantity, -fx(99.5));
    assert_int_equal(bench_held(&b, 1, 1).isolated, fx(238.8 - 20.5 - 2.06025));
    bench_close(&b);
}

/* A pair of one wallet: 4 long at 100, 1 short at 99.5, with 28. At 90 28 - 40 + 9.5 < 0
 * already; at 92 28 - 32 + 7.5 = 3.5 < 1 % of 460: the long goes first, beside the short with
 * its 7.5: nothing is left at 91.125, to the tick 91.5. It is sold at 92 (2) and 91.5 (2); the
 * short stays: 28 - 16 - 17 - 0.367 + 7.5 = 2.133 > 0.92. */
static void test_pair(void **state) {
    (void)state;
    struct bench b;
    world(&b, MK_MARGIN_CROSS, true, 28);
    deep(&b, "{}");
    enters(&b, BUY, 4);
    ASK(&b, .id = 2, .side = SELL, .quantity = 1);
    rig_forget(&b.rig);
    book(&b, 2, (const double[]){ 92, 2, 91.5, 2, 91, 50, 0, 93, 5, 0 });
    prints(&b, 3, 92);
    forced(&b, 0, SELL, 2, 92, 0.184);
    forced(&b, 1, SELL, 2, 91.5, 0.183);
    ends(&b, 2, 28 - 16 - 17 - 0.367, 0.367);
    const struct venue *v = b.rig.state;
    assert_int_equal(v->holdings[0].quantity, 0);
    assert_int_equal(v->shorts[0].quantity, -fx(1));
    bench_close(&b);
}

/* --- random -------------------------------------------------------------------------------- */

/* hash_said mixes all that was said into h, and forgets it; *liquidations, *shares grow by how many
 * positions or parts were closed, and how many of them by a public trade that is told next. */
static uint64_t hash_said(uint64_t seed, struct bench *b, uint64_t h, uint32_t *liquidations,
                          uint32_t *traded) {
    const struct msg_frame *f, *next;
    for (size_t i = 0; (f = rig_said(&b->rig, i)) != NULL; i++) {
        const uint8_t *p = (const uint8_t *)(f + 1);
        for (size_t k = 0; k < f->size - sizeof *f; k++) h = (h ^ p[k]) * 0x100000001b3U;
        if (f->kind != MSG_VENUE_LIQUIDATION) continue;
        const struct msg_venue_liquidation *l = msg_body(f);
        ++*liquidations;
        for (size_t k = i + 1; (next = rig_said(&b->rig, k)) != NULL; k++) {
            if (next->kind == MSG_VENUE_LIQUIDATION) break;
            if (next->kind != MSG_TRADE) continue;
            const struct msg_trade *t = msg_body(next);
            if (t->price != l->price || t->quantity != l->quantity) break;
            ++*traded;
            CHECK(seed, t->aggressor == l->side);
            break;
        }
    }
    rig_forget(&b->rig);
    return h;
}

/* none_below checks that nobody is below zero who has been closed by force and holds nothing; where
 * there were no fills, by which an account may lose all it has. */
static void none_below(uint64_t seed, const struct bench *b) {
    const struct venue *v = b->rig.state;
    const struct msg_frame *f;
    CHECK(seed, venue_conserved(v));
    if (rig_count(&b->rig, MSG_VENUE_FILL) > 0) return;
    for (size_t i = 0; (f = rig_find(&b->rig, MSG_VENUE_LIQUIDATION, i)) != NULL; i++) {
        uint32_t a = ((const struct msg_venue_liquidation *)msg_body(f))->account - 1U;
        if (v->holdings[2 * a].quantity != 0 || v->shorts[2 * a].quantity != 0) continue;
        CHECK(seed, v->cash[a] >= 0);
    }
}

/* orders asks for something random of either account in instrument 1, at prices around. */
static void orders(struct bench *b, uint64_t *gen, uint64_t *id, double around, double most) {
    for (uint8_t account = 1; account <= 2; account++) {
        if (gen_range(gen, 0, 2) != 0) continue;
        bool limit = gen_range(gen, 0, 1) == 1, exit = gen_range(gen, 0, 4) == 0;
        ++*id;
        ASK(b, .id = *id, .account = account, .side = (uint8_t)gen_range(gen, 0, 1),
            .type = limit ? LIMIT : ORDER_TYPE_MARKET,
            .price = limit ? around + (double)gen_range(gen, -8, 8) * 0.5 : 0,
            .quantity = (double)gen_range(gen, 1, (int64_t)(most * 10)) * 0.1,
            .terms = exit ? ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY : 0);
    }
}

/* crowd_run runs one seed among simulated traders, made anew now and then where reloads; returns a
 * hash of all that was said. */
static uint64_t crowd_run(uint64_t seed, bool reloads, uint32_t *liquidations, uint32_t *traded) {
    static const char agents[] =
        "agents: {instruments: [A], start_price: 1000, seed: 5, noise: 60, "
        "makers: 5, order_notional: 2000, volatility: 9}}";
    struct bench b;
    struct rt_error err = { 0 };
    char yaml[300];
    uint64_t gen = seed, id = 0, h = 0xcbf29ce484222325U;
    uint32_t dummy[2];
    bool funded = gen_range(&gen, 0, 1) == 1;
    world(&b, gen_range(&gen, 0, 1) ? MK_MARGIN_CROSS : MK_MARGIN_ISOLATED,
          gen_range(&gen, 0, 1) == 1, 200);
    strcpy(b.instruments[0].name, "A");
    strcpy(b.instruments[1].name, "B");
    b.accounts[1] = b.accounts[0];
    b.accounts[1].id = 2;
    b.accounts[1].cash = fx(500);
    snprintf(yaml, sizeof yaml, "{%s%s", funded ? "insurance: {USDT: 3}, " : "", agents);
    if (rig_open(&b.rig, &venue_kind, yaml, &b.market, &err) != 0) fail_msg("%s", err.text);
    rig_start(&b.rig, START_NS);
    bench_at(&b, 60);
    for (int step = 0; step < 250; step++) {
        const struct venue *v = b.rig.state;
        double mid = (double)vm_last(v->crowds[0]->ag->vm) * 0.5;
        orders(&b, &gen, &id, mid, 12);
        bench_at(&b, 60 + 20 * (step + 1));
        none_below(seed, &b);
        CHECK(seed, vm_check(v->crowds[0]->ag->vm) == NULL);
        if (reloads && gen_range(&gen, 0, 9) == 0) rig_reload(&b.rig);
        if (!reloads) (void)gen_range(&gen, 0, 9);
        h = hash_said(seed, &b, h, reloads ? &dummy[0] : liquidations,
                      reloads ? &dummy[1] : traded);
    }
    bench_close(&b);
    return h;
}

/* Among simulated traders: parts are public trades, the rest is taken over. */
static void test_crowd(void **state) {
    (void)state;
    uint32_t liquidations = 0, traded = 0;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        uint64_t once = crowd_run(seed, false, &liquidations, &traded);
        CHECK(seed, crowd_run(seed, true, &liquidations, &traded) == once);
    }
    print_message("%u parts closed by force, %u of them traded\n", liquidations, traded);
    assert_true(traded >= 20);
    assert_true(liquidations > traded);
}

/* deep_run runs one seed in a recorded book that walks and jumps. */
static uint64_t deep_run(uint64_t seed, bool reloads, uint32_t *liquidations) {
    struct bench b;
    uint64_t gen = seed, id = 0, h = 0xcbf29ce484222325U;
    uint32_t parts = 0, traded = 0;
    world(&b, gen_range(&gen, 0, 1) ? MK_MARGIN_CROSS : MK_MARGIN_ISOLATED,
          gen_range(&gen, 0, 1) == 1, 300);
    b.accounts[1] = b.accounts[0];
    b.accounts[1].id = 2;
    b.accounts[1].cash = fx(900);
    deep(&b, gen_range(&gen, 0, 1) ? "{insurance: {USDT: 20}}" : "{}");
    double at = 100;
    for (int step = 0; step < 300; step++) {
        double levels[40], *l = levels;
        at += (double)gen_range(&gen, -2, 2) * 0.5;
        if (gen_range(&gen, 0, 30) == 0) at += (double)gen_range(&gen, -12, 12) * 0.5;
        if (at < 60) at = 60;
        for (int side = -1; side <= 1; side += 2) {
            double price = at + side * 0.5;
            for (int64_t n = gen_range(&gen, 0, 8); n > 0; n--) {
                *l++ = price;
                *l++ = (double)gen_range(&gen, 1, 60) * 0.5;
                price += side * (double)gen_range(&gen, 1, 3) * 0.5;
            }
            *l++ = 0;
        }
        book(&b, step + 1, levels);
        orders(&b, &gen, &id, at, 60);
        prints(&b, step + 1, at);
        none_below(seed, &b);
        bool anew = gen_range(&gen, 0, 9) == 0;
        if (reloads && anew) rig_reload(&b.rig);
        h = hash_said(seed, &b, h, &parts, &traded);
    }
    if (!reloads) *liquidations += parts;
    bench_close(&b);
    return h;
}

/* In a random recorded book. */
static void test_deep(void **state) {
    (void)state;
    uint32_t liquidations = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t once = deep_run(seed, false, &liquidations);
        CHECK(seed, deep_run(seed, true, &liquidations) == once);
    }
    print_message("%u parts closed by force\n", liquidations);
    assert_true(liquidations >= 200);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels), cmocka_unit_test(test_taken_over),
        cmocka_unit_test(test_beyond), cmocka_unit_test(test_steps),
        cmocka_unit_test(test_pair),   cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
