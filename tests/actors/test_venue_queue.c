/* Goal: an order's place in a recorded queue moves as METHODS 18 says.
 * Method: the vectors of METHODS; figures worked by hand from its formulas; every step of random
 * queues against the formula as it is written there. The recordings: test_book_replay.c. */
#include "actors/venue/queue.h"
#include "tests/support/check.h"
#include <math.h>

enum { LOT = 1000 }; /* 1e-8 */

/* Parts from behind: f = x^3, ahead 30, back 70 gives .927027; the logarithm .553835 (METHODS). */
static void test_vectors(void **state) {
    (void)state;
    struct venue_queue_model cube = venue_queue_model(VENUE_QUEUE_POWER, 3, LOT);
    struct venue_queue_model log = venue_queue_model(VENUE_QUEUE_LOG, 0, LOT);
    struct venue_queue_model safe = venue_queue_model(VENUE_QUEUE_CONSERVATIVE, 0, LOT);
    struct venue_queue_model root = venue_queue_model(VENUE_QUEUE_POWER, 0.5, LOT);
    assert_true(fabs(venue_queue_back(&cube, 30 * LOT, 70 * LOT) - .927027) < 5e-7);
    assert_true(fabs(venue_queue_back(&log, 30 * LOT, 70 * LOT) - .553835) < 5e-7);
    assert_true(fabs(venue_queue_back(&cube, 70 * LOT, 30 * LOT) - (1 - .927027)) < 5e-7);
    /* Python 3.11: 70**.5 / (70**.5 + 30**.5) */
    assert_true(fabs(venue_queue_back(&root, 30 * LOT, 70 * LOT) - 0.60435607626104) < 1e-14);
    assert_true(venue_queue_back(&safe, 30 * LOT, 70 * LOT) == 1);
    assert_true(venue_queue_back(&cube, 0, 70 * LOT) == 1);
    assert_true(venue_queue_back(&log, 0, 0) == 1);
    assert_true(venue_queue_back(&log, 5, 0) == 0);
    assert_true(venue_queue_back(&cube, INT64_MAX, INT64_MAX) == 0.5);
}

/* One order's way: joins behind 100 lots, 20 trade, the level falls to 60, so 20 were canceled. */
static void test_by_hand(void **state) {
    (void)state;
    const struct {
        enum venue_queue_kind kind; /* model */
        double power;               /* its n */
        qty_t ahead;                /* what is ahead after the fall */
    } table[] = {
        /* back = 100 - 80 = 20: all 20 from there */
        { VENUE_QUEUE_CONSERVATIVE, 0, 60 * LOT },
        /* part from behind 20/(20+80) = 0.2: 80 - 0.8 * 20 = 64; but only 60 are there */
        { VENUE_QUEUE_POWER, 1, 60 * LOT },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct venue_queue_model m = venue_queue_model(table[i].kind, table[i].power, LOT);
        struct venue_queue q;
        venue_queue_join(&q, 100 * LOT);
        assert_true(venue_queue_print(&q, 20 * LOT, 0) == 0);
        assert_true(q.ahead == 80 * LOT && q.printed == 20 * LOT);
        venue_queue_level(&m, &q, 100 * LOT, 60 * LOT);
        assert_true(q.ahead == table[i].ahead && q.printed == 0);
        /* growth changes nothing; then 200 lots: a fall of 40 with 140 behind */
        venue_queue_level(&m, &q, 60 * LOT, 200 * LOT);
        assert_true(q.ahead == 60 * LOT);
        venue_queue_level(&m, &q, 200 * LOT, 160 * LOT);
        /* power 1: part from behind .7, so .3 * 40 = 12 from before us; 1e-8 more by rounding up */
        qty_t ahead = table[i].kind == VENUE_QUEUE_POWER ? 48 * LOT : 60 * LOT;
        assert_true(q.ahead >= ahead && q.ahead <= ahead + 1);
        /* a trade that reaches us: of 50 lots what is beyond those ahead */
        qty_t before = q.ahead;
        assert_true(venue_queue_print(&q, 50 * LOT, 0) ==
                    (before < 50 * LOT ? 50 * LOT - before : 0));
        assert_true(q.ahead == (before < 50 * LOT ? 0 : before - 50 * LOT));
    }
    struct venue_queue_model safe = venue_queue_model(VENUE_QUEUE_CONSERVATIVE, 0, LOT);
    /* of a trade of 50, 30 filled an order of ours: 20 are left for those ahead of this one; the
     * level still shrinks by all 50 */
    struct venue_queue second = { .ahead = 15 };
    assert_true(venue_queue_print(&second, 50, 30) == 5);
    assert_true(second.ahead == 0 && second.printed == 50);
    assert_true(venue_queue_print(&second, 50, 60) == 0);
    struct venue_queue q = { .ahead = 90 }; /* 100 -> 30: 10 behind, so 60 from before us */
    venue_queue_level(&safe, &q, 100, 30);
    assert_true(q.ahead == 30);
    q = (struct venue_queue){ .ahead = 30, .printed = INT64_MAX - 1 };
    venue_queue_print(&q, INT64_MAX, 0);
    assert_true(q.printed == INT64_MAX && q.ahead == 0);
    venue_queue_level(&safe, &q, INT64_MAX, 0);
    struct venue_queue_model power = venue_queue_model(VENUE_QUEUE_POWER, 2, LOT);
    struct venue_queue last = { .ahead = INT64_MAX };
    venue_queue_level(&power, &last, INT64_MAX, 0);
    assert_true(last.ahead == 0);
    assert_true(q.ahead == 0 && q.printed == 0);
}

/* Each step is the formula's, up to the rounding to 1e-8, which never helps us. */
static void test_agrees_with_formula(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t gen = seed;
        enum venue_queue_kind kind = (enum venue_queue_kind)gen_range(&gen, 0, 2);
        double n = (double)gen_range(&gen, 1, 12) / (double)gen_range(&gen, 1, 3);
        struct venue_queue_model m = venue_queue_model(kind, n, LOT);
        struct venue_queue q;
        qty_t level = gen_range(&gen, 0, 5000) * LOT;
        venue_queue_join(&q, level);
        for (int step = 0; step < 300; step++) {
            if (gen_range(&gen, 0, 2) == 0) {
                qty_t traded = gen_range(&gen, 1, 400) * LOT, ahead = q.ahead;
                qty_t got = venue_queue_print(&q, traded, 0);
                CHECK(seed, got == (traded > ahead ? traded - ahead : 0));
                CHECK(seed, q.ahead == (traded > ahead ? 0 : ahead - traded));
                continue;
            }
            qty_t now = gen_range(&gen, 0, 2) == 0 ? gen_range(&gen, 0, 5000) * LOT
                                                   : level - level / LOT / 50 * LOT;
            double prev = (double)level, ahead = (double)q.ahead;
            double cancel = fmax(0, prev - (double)now - (double)q.printed);
            double back = fmax(0, prev - ahead), part = 1;
            if (kind == VENUE_QUEUE_POWER && back + ahead > 0) {
                part = pow(back, n) / (pow(back, n) + pow(ahead, n));
            } else if (kind == VENUE_QUEUE_LOG && back + ahead > 0) {
                part = log1p(back / LOT) / (log1p(back / LOT) + log1p(ahead / LOT));
            }
            double wanted = fmax(
                0, fmin(ahead - (1 - part) * cancel + fmin(back - part * cancel, 0), (double)now));
            venue_queue_level(&m, &q, level, now);
            CHECK(seed, (double)q.ahead > wanted - 1e-4 && (double)q.ahead < wanted + 1 + 1e-4);
            CHECK(seed, q.printed == 0);
            level = now;
        }
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_agrees_with_formula),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
