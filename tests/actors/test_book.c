/* Goal: a book built of rows is the book that was shown: best prices, quantities, depth, and stale
 * whenever it cannot be believed.
 * Method: random updates of a touch that wanders and jumps over many windows, against a plain array
 * of quantities by price; single cases for every reason to be stale; a full table of far levels. */
#include "actors/market/book.h"
#include "tests/support/check.h"
#include <stdlib.h>
#include <string.h>

/* Figures of the tests. */
enum {
    TICKS = 40000, /* prices of the plain book */
    TICK = 1000,   /* tick size */
    WINDOW = 4096, /* of the book */
    FAR = 1 << 17, /* room for far levels */
    BOTH = BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST,
};

/* A plain book: quantities by side and tick. */
struct plain {
    qty_t quantity[2][TICKS]; /* 0 = no level */
};

/* make returns a new book. */
static struct mk_book make(uint32_t far_max) {
    struct mk_book b;
    size_t bytes = mk_book_bytes(WINDOW, far_max);
    void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    assert_non_null(memory);
    memset(memory, 0, bytes);
    mk_book_init(&b, memory, WINDOW, far_max, TICK);
    return b;
}

/* drop frees the memory of a book made by make. */
static void drop(struct mk_book *b) {
    free(b->sides[0].quantity);
}

/* row makes a row. */
static struct msg_book_delta row(uint8_t side, int64_t tick, qty_t quantity, uint8_t flags) {
    static uint64_t update_id;
    update_id++;
    return (struct msg_book_delta){ .time_ns = 1,
                                    .update_id = update_id,
                                    .price = tick * TICK,
                                    .quantity = quantity,
                                    .instrument = 1,
                                    .side = side,
                                    .flags = flags };
}

/* step applies one row. */
static enum mk_book_step step(struct mk_book *b, uint8_t side, int64_t tick, qty_t quantity,
                              uint8_t flags) {
    struct msg_book_delta r = row(side, tick, quantity, flags);
    return mk_book_apply(b, &r);
}

/* plain_next returns the best tick of side worse than tick (0 = any), 0 when there is none. */
static int64_t plain_next(const struct plain *p, uint8_t side, int64_t tick) {
    if (side == SIDE_BUY) {
        for (int64_t t = tick == 0 ? TICKS - 1 : tick - 1; t > 0; t--) {
            if (p->quantity[side][t] != 0) return t;
        }
    } else {
        for (int64_t t = tick + 1; t < TICKS; t++) {
            if (p->quantity[side][t] != 0) return t;
        }
    }
    return 0;
}

/* same checks that b shows what p holds. */
static void same(uint64_t seed, const struct mk_book *b, const struct plain *p, bool all) {
    for (uint8_t side = 0; side < 2; side++) {
        int64_t tick = plain_next(p, side, 0);
        CHECK(seed, mk_book_best(b, side) == tick * TICK);
        CHECK(seed, mk_book_next(b, side, 0) == tick * TICK);
        uint32_t cnt = 0;
        price_t price = mk_book_best(b, side);
        for (int depth = 0; (all || depth < 5) && tick != 0; depth++, cnt++) {
            CHECK(seed, price == tick * TICK);
            CHECK(seed, mk_book_at(b, side, price) == p->quantity[side][tick]);
            price = mk_book_next(b, side, price);
            tick = plain_next(p, side, tick);
        }
        if (!all) continue;
        CHECK(seed, price == 0);
        CHECK(seed, cnt == b->sides[side].cnt);
    }
}

/* A book agrees with the plain one, however the touch moves. */
static void test_agrees_with_plain(void **state) {
    (void)state;
    struct plain *p = malloc(sizeof *p);
    assert_non_null(p);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t gen = seed;
        struct mk_book b = make(FAR);
        memset(p, 0, sizeof *p);
        int64_t touch = gen_range(&gen, 100, TICKS - 100);
        CHECK(seed, step(&b, SIDE_BUY, 0, 0, BOTH | BOOK_FLAGS_SNAPSHOT) == MK_BOOK_WHOLE);
        for (int update = 0; update < 3000; update++) {
            int64_t reach = gen_range(&gen, 0, 30) == 0 ? TICKS : 40;
            int64_t was = touch;
            touch += gen_range(&gen, -3, 3);
            if (gen_range(&gen, 0, 200) == 0) touch = gen_range(&gen, 0, TICKS);
            if (touch < 10) touch = 10;
            if (touch > TICKS - 10) touch = TICKS - 10;
            bool first = true;
            /* what the touch passed is gone; then some levels change */
            for (uint8_t side = 0; side < 2; side++) {
                int64_t from = side == SIDE_BUY ? touch : was - 1;
                int64_t to = side == SIDE_BUY ? TICKS - 1 : touch - 1;
                if (side == SIDE_SELL) from = 1;
                for (int64_t t = from; t <= to; t++) {
                    if (p->quantity[side][t] == 0) continue;
                    p->quantity[side][t] = 0;
                    step(&b, side, t, 0, first ? BOOK_FLAGS_FIRST : 0);
                    first = false;
                }
            }
            int rows = (int)gen_range(&gen, 1, 12);
            for (int i = 0; i < rows; i++) {
                uint8_t side = (uint8_t)gen_range(&gen, 0, 1);
                int64_t off = gen_range(&gen, 0, reach);
                int64_t t = side == SIDE_BUY ? touch - 1 - off : touch + off;
                if (t < 1) t = 1;
                if (side == SIDE_BUY && t >= touch) continue;
                if (t >= TICKS) t = TICKS - 1;
                qty_t quantity = gen_range(&gen, 0, 2) == 0 ? 0 : gen_range(&gen, 1, 1000000);
                p->quantity[side][t] = quantity;
                step(&b, side, t, quantity, first ? BOOK_FLAGS_FIRST : 0);
                first = false;
            }
            CHECK(seed, step(&b, SIDE_BUY, 0, 0, first ? BOTH : BOOK_FLAGS_LAST) == MK_BOOK_WHOLE);
            same(seed, &b, p, update % 500 == 0);
        }
        CHECK(seed, !b.stale && b.gaps == 0 && b.crossed == 0 && b.bad == 0 && b.forgotten == 0);
        mk_book_clear(&b);
        memset(p, 0, sizeof *p);
        same(seed, &b, p, true);
        drop(&b);
    }
    free(p);
}

/* A book with a bid of 7 at 100 and an ask of 9 at 102. */
static struct mk_book small(void) {
    struct mk_book b = make(64);
    assert_int_equal(step(&b, SIDE_BUY, 100, 7, BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT),
                     MK_BOOK_STALE);
    assert_int_equal(step(&b, SIDE_SELL, 102, 9, BOOK_FLAGS_LAST | BOOK_FLAGS_SNAPSHOT),
                     MK_BOOK_WHOLE);
    assert_false(b.stale);
    return b;
}

/* heals checks that the book, stale now, ignores updates and stands after a snapshot. */
static void heals(struct mk_book *b) {
    assert_true(b->stale);
    uint64_t ignored = b->ignored;
    assert_int_equal(step(b, SIDE_BUY, 99, 5, BOTH), MK_BOOK_STALE);
    assert_true(b->ignored == ignored + 1);
    assert_int_equal(step(b, SIDE_SELL, 50, 4, BOTH | BOOK_FLAGS_SNAPSHOT), MK_BOOK_WHOLE);
    assert_false(b->stale);
    assert_true(mk_book_best(b, SIDE_SELL) == 50 * TICK && mk_book_best(b, SIDE_BUY) == 0);
    assert_true(b->sides[SIDE_SELL].cnt == 1 && b->sides[SIDE_BUY].cnt == 0);
    drop(b);
}

/* Every reason to be stale, and that nothing else is one. */
static void test_stale(void **state) {
    (void)state;
    struct mk_book b = make(64); /* before the first snapshot */
    assert_int_equal(step(&b, SIDE_BUY, 99, 5, BOTH), MK_BOOK_STALE);
    assert_true(b.gaps == 0 && mk_book_best(&b, SIDE_BUY) == 0);
    heals(&b);
    b = small(); /* a gap that the decoder saw */
    assert_int_equal(step(&b, SIDE_BUY, 99, 5, BOTH | BOOK_FLAGS_GAP), MK_BOOK_STALE);
    assert_true(b.gaps == 1);
    heals(&b);
    b = small(); /* a gap that a snapshot mends in the same row */
    assert_int_equal(step(&b, SIDE_BUY, 99, 5, BOTH | BOOK_FLAGS_GAP | BOOK_FLAGS_SNAPSHOT),
                     MK_BOOK_WHOLE);
    assert_true(b.gaps == 1 && !b.stale && mk_book_best(&b, SIDE_SELL) == 0);
    drop(&b);
    b = small(); /* a row of no update */
    assert_int_equal(step(&b, SIDE_BUY, 99, 5, BOOK_FLAGS_LAST), MK_BOOK_STALE);
    assert_true(b.gaps == 1);
    heals(&b);
    b = small(); /* an update inside another */
    assert_int_equal(step(&b, SIDE_BUY, 99, 5, BOOK_FLAGS_FIRST), MK_BOOK_PART);
    assert_int_equal(step(&b, SIDE_BUY, 99, 5, BOOK_FLAGS_FIRST), MK_BOOK_STALE);
    assert_true(b.gaps == 1);
    b.open = false;
    heals(&b);
    b = small(); /* crossed inside an update only: fine */
    assert_int_equal(step(&b, SIDE_BUY, 102, 5, BOOK_FLAGS_FIRST), MK_BOOK_PART);
    assert_true(mk_book_crossed(&b));
    assert_int_equal(step(&b, SIDE_SELL, 102, 0, BOOK_FLAGS_LAST), MK_BOOK_WHOLE);
    assert_true(b.crossed == 0 && mk_book_best(&b, SIDE_BUY) == 102 * TICK);
    /* locked at its end: not fine */
    assert_int_equal(step(&b, SIDE_SELL, 102, 1, BOTH), MK_BOOK_STALE);
    assert_true(b.crossed == 1);
    heals(&b);
    struct msg_book_delta bad[] = { row(SIDE_BUY, 99, -1, BOTH), row(2, 99, 1, BOTH),
                                    row(SIDE_BUY, -99, 1, BOTH), row(SIDE_BUY, 0, 1, BOTH),
                                    row(SIDE_BUY, 99, 1, BOTH) };
    bad[4].price++; /* off the grid */
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        b = small();
        assert_int_equal(mk_book_apply(&b, &bad[i]), MK_BOOK_STALE);
        assert_true(b.bad == 1);
        heals(&b);
    }
    b = small(); /* the removal of an unknown level is normal */
    assert_int_equal(step(&b, SIDE_BUY, 7, 0, BOTH), MK_BOOK_WHOLE);
    assert_int_equal(step(&b, SIDE_BUY, 99999, 0, BOTH), MK_BOOK_WHOLE);
    assert_true(b.sides[SIDE_BUY].cnt == 1 && b.bad == 0);
    drop(&b);
}

/* Prices at the ends of what fits. */
static void test_ends(void **state) {
    (void)state;
    struct mk_book b = small();
    const int64_t top = INT64_MAX / TICK;
    assert_int_equal(step(&b, SIDE_SELL, top, 3, BOTH), MK_BOOK_WHOLE);
    assert_int_equal(step(&b, SIDE_BUY, 1, 4, BOTH), MK_BOOK_WHOLE);
    assert_true(mk_book_at(&b, SIDE_SELL, top * TICK) == 3);
    assert_true(mk_book_next(&b, SIDE_SELL, 102 * TICK) == top * TICK);
    assert_true(mk_book_next(&b, SIDE_SELL, top * TICK) == 0);
    assert_true(mk_book_next(&b, SIDE_BUY, 100 * TICK) == TICK);
    assert_true(mk_book_next(&b, SIDE_BUY, TICK) == 0);
    assert_int_equal(step(&b, SIDE_SELL, 102, 0, BOTH), MK_BOOK_WHOLE);
    assert_true(mk_book_best(&b, SIDE_SELL) == top * TICK);
    assert_int_equal(step(&b, SIDE_BUY, 100, 0, BOTH), MK_BOOK_WHOLE);
    assert_true(mk_book_best(&b, SIDE_BUY) == TICK);
    int64_t tick;
    assert_false(mk_book_tick(&b, 0, &tick));
    assert_false(mk_book_tick(&b, INT64_MAX, &tick)); /* not on the grid */
    assert_false(mk_book_tick(&b, top * TICK + 1, &tick));
    assert_true(mk_book_tick(&b, top * TICK, &tick) && tick == top);
    drop(&b);
    assert_true(mk_book_bytes(WINDOW - 1, 64) == 0 && mk_book_bytes(WINDOW / 2, 64) == 0);
    assert_true(mk_book_bytes(WINDOW, 63) == 0 && mk_book_bytes(1 << 21, 64) == 0);
}

/* A full table forgets the far end, never the touch, and what it counts agrees with what it holds.
 */
static void test_forgets(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t gen = seed;
        struct mk_book b = make(64);
        const int64_t touch = 1000000;
        step(&b, SIDE_BUY, touch, 1, BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT);
        step(&b, SIDE_SELL, touch + 1, 1, BOOK_FLAGS_LAST);
        for (int i = 0; i < 2000; i++) {
            int64_t off = gen_range(&gen, 0, 1) ? gen_range(&gen, 1, 900000) : 3000 + i;
            uint8_t side = (uint8_t)gen_range(&gen, 0, 1);
            CHECK(seed, step(&b, side, side == SIDE_BUY ? touch - off : touch + 1 + off,
                             gen_range(&gen, 0, 5), BOTH) == MK_BOOK_WHOLE);
            CHECK(seed, b.far_cnt <= 64);
        }
        CHECK(seed, b.forgotten > 100);
        CHECK(seed, mk_book_best(&b, SIDE_BUY) == touch * TICK);
        CHECK(seed, mk_book_best(&b, SIDE_SELL) == (touch + 1) * TICK);
        uint32_t held = 0;
        for (uint8_t side = 0; side < 2; side++) {
            for (price_t at = mk_book_best(&b, side); at != 0; at = mk_book_next(&b, side, at)) {
                CHECK(seed, mk_book_at(&b, side, at) > 0);
                held++;
            }
        }
        CHECK(seed, held == b.sides[0].cnt + b.sides[1].cnt);
        drop(&b);
    }
}

/* A book that is saved level by level and comes back goes on as the other does. */
static void test_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint64_t gen = seed;
        struct mk_book a = make(64), b = make(64);
        step(&a, SIDE_BUY, 0, 0, BOTH | BOOK_FLAGS_SNAPSHOT);
        for (int i = 0; i < 3000; i++) {
            struct msg_book_delta r;
            if (i == 1500) {
                mk_book_place(&b, a.low);
                for (uint8_t side = 0; side < 2; side++) {
                    price_t at = mk_book_best(&a, side);
                    for (; at != 0; at = mk_book_next(&a, side, at)) {
                        mk_book_put(&b, side, at, mk_book_at(&a, side, at));
                    }
                }
                b.stale = a.stale;
            }
            int64_t off =
                gen_range(&gen, 0, 5) == 0 ? gen_range(&gen, 1, 90000) : gen_range(&gen, 1, 100);
            uint8_t side = (uint8_t)gen_range(&gen, 0, 1);
            int64_t touch = 200000 + i * 3;
            r = row(side, side == SIDE_BUY ? touch - 100000 - off : touch + off,
                    gen_range(&gen, 0, 3), BOTH);
            enum mk_book_step did = mk_book_apply(&a, &r);
            if (i < 1500) continue;
            CHECK(seed, mk_book_apply(&b, &r) == did);
            CHECK(seed, mk_book_best(&a, SIDE_BUY) == mk_book_best(&b, SIDE_BUY));
            CHECK(seed, mk_book_best(&a, SIDE_SELL) == mk_book_best(&b, SIDE_SELL));
            CHECK(seed, a.far_cnt == b.far_cnt && a.low == b.low);
            CHECK(seed, a.sides[0].cnt == b.sides[0].cnt && a.sides[1].cnt == b.sides[1].cnt);
        }
        CHECK(seed, a.forgotten > 10);
        drop(&a);
        drop(&b);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_plain),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
