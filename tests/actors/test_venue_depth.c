/* rig: the venue alone, fed by hand */
/* Goal: every sentence of "Rules of book runs" in actors/venue/venue.h holds.
 * Method: small books by hand, what is said compared as text, figures worked out from the rules;
 * then random books, trades and requests: nothing is filled beyond its quantity, its limit or what
 * was shown, nothing on a stale book, money adds up, and a venue that is saved and loaded again and
 * again says the same, byte for byte. */
#include "actors/venue/depth.h"
#include "tests/actors/test_venue.h"

/* Short words for what the cases repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    MARKET = ORDER_TYPE_MARKET,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    STOP_LIMIT = ORDER_TYPE_STOP_LIMIT,
    TAKE = ORDER_TYPE_TAKE_PROFIT,
    TAKE_LIMIT = ORDER_TYPE_TAKE_PROFIT_LIMIT,
    TRAIL = ORDER_TYPE_TRAILING_STOP,
    GTD = ORDER_TERMS_GTD,
};

/* Flags of rows. */
enum {
    ONCE = BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST, /* an update of one row */
    SNAP = BOOK_FLAGS_SNAPSHOT,
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* depth_open makes a venue whose instrument 1 has a book (series 0) and trades (series 1). */
static void depth_open(struct bench *b, const char *yaml) {
    struct rt_error err = { 0 };
    b->series[0] = rig_series(&b->rig, MSG_BOOK_DELTA, 1, 0);
    b->series[1] = rig_series(&b->rig, MSG_TRADE, 1, 0);
    (void)rig_series(&b->rig, MSG_BAR, 1, BAR_NS); /* coarser: not heard */
    if (rig_open(&b->rig, &venue_kind, yaml, &b->market, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rig_start(&b->rig, START_NS);
}

/* level tells a row of the book at so many seconds. */
static void level(struct bench *b, double seconds, uint8_t side, double price, double quantity,
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

/* prints tells a trade. */
static void prints(struct bench *b, double seconds, uint8_t aggressor, double price,
                   double quantity) {
    struct msg_trade row = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                             .price = fx(price),
                             .quantity = fx(quantity),
                             .instrument = 1,
                             .aggressor = aggressor };
    assert_int_equal(rig_rows(&b->rig, b->series[1], RT_HEAR_EARLY, &row, 1), 1);
}

/* shows tells a snapshot: bids 5 at 100, 6 at 99.5; asks 2 at 101, 3 at 101.5, 4 at 103. */
static void shows(struct bench *b, double seconds, uint8_t more) {
    level(b, seconds, BUY, 100, 5, BOOK_FLAGS_FIRST | SNAP | more);
    level(b, seconds, BUY, 99.5, 6, SNAP);
    level(b, seconds, SELL, 101, 2, SNAP);
    level(b, seconds, SELL, 101.5, 3, SNAP);
    level(b, seconds, SELL, 103, 4, BOOK_FLAGS_LAST | SNAP);
}

/* bench_depth readies b with that book at second 1. */
static void bench_depth(struct bench *b, const char *yaml) {
    bench_world(b);
    depth_open(b, yaml);
    shows(b, 1, 0);
}

/* Market and crossing limit take level by level; what they took is gone until the recording changes
 * the level. */
static void test_takes_levels(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 4);
    SAYS(&b, "1 1 accepted\n1 1 2@101 taker\n1 1 2@101.5 taker slip=0.5\n");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 101.5, .quantity = 3);
    SAYS(&b, "1 2 accepted\n1 2 1@101.5 taker slip=0.5\n"); /* touch 101 is used up, but shown */
    level(&b, 2, SELL, 101.5, 2.5, ONCE); /* now 2.5 there are new: they come to the bid of 2 */
    SAYS(&b, "2 2 2@101.5 maker\n");
    level(&b, 3, SELL, 101, 1, ONCE);
    ASK(&b, .id = 3, .side = BUY, .quantity = 20);
    SAYS(&b, "3 3 accepted\n3 3 1@101 taker\n3 3 0.5@101.5 taker slip=0.5\n"
             "3 3 4@103 taker slip=2\n3 3 expired not_filled_at_once\n");
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(12.5));
    bench_close(&b);
}

/* Terms: ioc, fok, post_only. */
static void test_terms(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{}");
    ASK(&b, .id = 1, .side = SELL, .type = LIMIT, .price = 99.5, .quantity = 12,
        .terms = ORDER_TERMS_FOK);
    SAYS(&b, "1 1 accepted\n1 1 expired not_filled_at_once\n");
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 99.5, .quantity = 11,
        .terms = ORDER_TERMS_FOK);
    SAYS(&b, "1 2 accepted\n1 2 5@100 taker\n1 2 6@99.5 taker slip=0.5\n");
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 101, .quantity = 3,
        .terms = ORDER_TERMS_IOC);
    SAYS(&b, "1 3 accepted\n1 3 2@101 taker\n1 3 expired not_filled_at_once\n");
    ASK(&b, .id = 4, .side = BUY, .type = LIMIT, .price = 101.5, .terms = ORDER_TERMS_POST_ONLY);
    SAYS(&b, "1 4 accepted\n1 4 rejected would_match\n");
    ASK(&b, .id = 5, .side = BUY, .type = LIMIT, .price = 100.5, .terms = ORDER_TERMS_POST_ONLY);
    SAYS(&b, "1 5 accepted\n");
    ASK(&b, .id = 5, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "1 5 canceled\n");
    bench_close(&b);
}

/* A resting order waits for its turn: 5 ahead; 3 trade, 1 is canceled behind or before. */
static void test_queue(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{queue: conservative}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100, .quantity = 3);
    SAYS(&b, "1 1 accepted\n");
    prints(&b, 2, SELL, 100, 3);      /* 2 ahead */
    level(&b, 2, BUY, 100, 2, ONCE);  /* by the trade alone */
    level(&b, 3, BUY, 100, 10, ONCE); /* 8 behind */
    level(&b, 4, BUY, 100, 5, ONCE);  /* 5 canceled, all behind: 2 ahead still */
    prints(&b, 5, SELL, 100, 2.5);    /* 0.5 reach us */
    SAYS(&b, "5 1 0.5@100 maker\n");
    prints(&b, 6, BUY, 100, 9); /* not from our side */
    SAYS(&b, "");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100, .quantity = 1);
    prints(&b, 7, SELL, 100, 2); /* 2 to the first; the second is behind 5 */
    SAYS(&b, "6 2 accepted\n7 1 2@100 maker\n");
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "7 1 canceled\n");
    prints(&b, 8, SELL, 99.5, 0.1); /* through our price: whole */
    SAYS(&b, "8 2 1@100 maker\n");
    bench_close(&b);
}

/* The book comes to a resting order or over it: whole, at its limit. */
static void test_crossed(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{}");
    ASK(&b, .id = 1, .side = SELL, .type = LIMIT, .price = 102, .quantity = 3);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 102.5, .quantity = 3);
    level(&b, 2, SELL, 101, 0, BOOK_FLAGS_FIRST);
    level(&b, 2, SELL, 101.5, 0, 0);
    level(&b, 2, BUY, 102, 1, 0);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n"); /* not before the update is whole */
    level(&b, 2, BUY, 101, 1, BOOK_FLAGS_LAST);
    SAYS(&b, "2 1 3@102 maker\n");
    bench_close(&b);
}

/* Participation: a tenth of what is shown, a tenth of what prints, in lots of 0.1. */
static void test_participation(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{participation: 0.1, queue: conservative}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 3); /* 0.2 of 2, 0.3 of 3, 0.4 of 4 */
    SAYS(&b, "1 1 accepted\n1 1 0.2@101 taker\n1 1 0.3@101.5 taker slip=0.5\n"
             "1 1 0.4@103 taker slip=2\n1 1 expired not_filled_at_once\n");
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 101, .quantity = 1);
    prints(&b, 2, BUY, 101, 9); /* 7 reach us; a tenth of 9 in lots is 0.9 */
    SAYS(&b, "1 2 accepted\n2 2 0.9@101 maker\n");
    prints(&b, 3, BUY, 102, 0.9); /* through, but a tenth is below a lot */
    SAYS(&b, "");
    prints(&b, 4, BUY, 102, 1);
    SAYS(&b, "4 2 0.1@101 maker\n");
    bench_close(&b);
}

/* Stops: a touch by a trade triggers, then they take from the book. */
static void test_stops(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{}");
    ASK(&b, .id = 1, .side = SELL, .type = STOP, .price = 99.5, .quantity = 6);
    prints(&b, 2, SELL, 100, 1);
    SAYS(&b, "1 1 accepted\n");
    prints(&b, 3, SELL, 99.5, 1);
    SAYS(&b, "3 1 5@100 taker\n3 1 1@99.5 taker slip=0.5\n");
    bench_close(&b);
}

/* Triggers by trades; then they take from the book, or rest in it. */
static void test_types(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{}");
    ASK(&b, .id = 1, .side = SELL, .type = TAKE, .price = 100.5);
    bench_more(
        &b, (struct ask){ .id = 2, .side = BUY, .type = STOP_LIMIT, .price = 101, .quantity = 3 },
        (struct mk_more){ .stop_price = fx(101) });
    SAYS(&b, "1 1 accepted\n1 2 accepted\n");
    prints(&b, 2, SELL, 100, 1);
    SAYS(&b, "");
    prints(&b, 3, BUY, 101, 1);
    SAYS(&b, "3 1 1@100 taker\n3 2 2@101 taker\n");
    rig_reload(&b.rig); /* that its rest stands in the book is kept */
    level(&b, 4, SELL, 101, 3, ONCE);
    SAYS(&b, "4 2 1@101 maker\n");
    bench_more(&b, (struct ask){ .id = 3, .side = SELL, .type = TRAIL },
               (struct mk_more){ .trail_bips = 100 });
    bench_more(&b, (struct ask){ .id = 4, .side = BUY, .type = LIMIT, .price = 90, .terms = GTD },
               (struct mk_more){ .expire_ns = START_NS + 6500000000 });
    bench_more(&b, (struct ask){ .id = 5, .side = SELL, .type = TAKE_LIMIT, .price = 103 },
               (struct mk_more){ .stop_price = fx(102) });
    prints(&b, 5, BUY, 100, 1); /* 99 */
    prints(&b, 6, BUY, 102, 1); /* 102 x 0.99 = 100.98 -> 100.5; 5 rests behind 4 at 103 */
    SAYS(&b, "4 3 accepted\n4 4 accepted\n4 5 accepted\n");
    prints(&b, 7, SELL, 100.5, 1);
    SAYS(&b, "6.5 4 expired good_till_date\n7 3 1@100 taker\n");
    prints(&b, 8, BUY, 103, 4.5);
    SAYS(&b, "8 5 0.5@103 maker\n");
    ASK(&b, .id = 5, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "8 5 canceled\n");
    bench_close(&b);
}

/* bracket asks for an entry, limit or (price 0) market, with a stop and a target. */
static void bracket(struct bench *b, uint64_t id, double price, double stop, double target) {
    ASK(b, .id = id, .side = BUY, .type = price > 0 ? LIMIT : MARKET, .price = price);
    bench_more(b, (struct ask){ .id = id + 1, .side = SELL, .type = STOP, .price = stop },
               (struct mk_more){ .parent = id, .oco = id + 1 });
    bench_more(b, (struct ask){ .id = id + 2, .side = SELL, .type = LIMIT, .price = target },
               (struct mk_more){ .parent = id, .oco = id + 1 });
}

/* Children begin where their parent was filled, one ends the other; they end with it. */
static void test_lists(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{queue: conservative}");
    bracket(&b, 1, 100, 98.5, 101);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n1 3 accepted\n");
    prints(&b, 2, SELL, 100, 6); /* the target rests behind 2 */
    SAYS(&b, "2 1 1@100 maker\n");
    rig_reload(&b.rig);
    prints(&b, 3, BUY, 101, 3);
    SAYS(&b, "3 3 1@101 maker\n3 2 expired list_partner\n");
    bracket(&b, 11, 0, 101, 105); /* filled at 101, where the stop is */
    SAYS(&b, "3 11 accepted\n3 11 1@101 taker\n3 12 accepted\n3 12 1@100 taker\n"
             "3 13 rejected list_partner\n");
    bracket(&b, 21, 99, 98, 101); /* two of a group at one price: one print meets both, one fills */
    bench_more(&b, (struct ask){ .id = 24, .side = SELL, .type = LIMIT, .price = 101 },
               (struct mk_more){ .parent = 21, .oco = 22 });
    prints(&b, 4, SELL, 98.5, 1); /* through 99 */
    prints(&b, 5, BUY, 101.5, 50);
    SAYS(&b, "3 21 accepted\n3 22 accepted\n3 23 accepted\n3 24 accepted\n4 21 1@99 maker\n"
             "5 23 1@101 maker\n5 22 expired list_partner\n5 24 expired list_partner\n");
    bracket(&b, 31, 99, 98, 101);
    ASK(&b, .id = 31, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "5 31 accepted\n5 32 accepted\n5 33 accepted\n"
             "5 31 canceled\n5 32 expired list_parent\n5 33 expired list_parent\n");
    bracket(&b, 41, 99, 98, 101);
    prints(&b, 6, SELL, 98, 1); /* fills the entry through its price; the stop begins at 99 */
    SAYS(&b, "5 41 accepted\n5 42 accepted\n5 43 accepted\n6 41 1@99 maker\n");
    prints(&b, 7, SELL, 98, 1);
    SAYS(&b, "7 43 expired list_partner\n7 42 1@100 taker\n");
    bracket(&b, 51, 0, 98, 103.5); /* on a stale book all wait; then the entry takes */
    SAYS(&b, "7 51 accepted\n7 51 1@101 taker\n7 52 accepted\n7 53 accepted\n");
    level(&b, 8, BUY, 100, 4, ONCE | BOOK_FLAGS_GAP);
    prints(&b, 9, SELL, 98, 1); /* triggers, ends the target, and waits */
    SAYS(&b, "9 53 expired list_partner\n");
    rig_reload(&b.rig);
    shows(&b, 10, 0);
    SAYS(&b, "10 52 1@100 taker\n");
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    bench_close(&b);
}

/* With children: first_fill children begin with the first part of their parent and grow with it:
 * a limit goes behind those that are there then. One that trades ends what is open of the parent,
 * and its own rest when it has traded what there was. */
static void test_children_grow(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{children: first_fill, queue: conservative}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100, .quantity = 3);
    bench_more(&b, (struct ask){ .id = 2, .side = SELL, .type = STOP, .price = 98, .quantity = 3 },
               (struct mk_more){ .parent = 1, .oco = 2 });
    bench_more(&b,
               (struct ask){ .id = 3, .side = SELL, .type = LIMIT, .price = 102, .quantity = 3 },
               (struct mk_more){ .parent = 1, .oco = 2 });
    prints(&b, 2, SELL, 100, 6); /* 5 are ahead: 1 */
    SAYS(&b, "1 1 accepted\n1 2 accepted\n1 3 accepted\n2 1 1@100 maker\n");
    rig_reload(&b.rig);
    prints(&b, 3, BUY, 102, 0.4);
    SAYS(&b, "3 3 0.4@102 maker\n3 1 expired list_partner\n3 2 expired list_partner\n");
    rig_reload(&b.rig);
    prints(&b, 4, BUY, 102, 5);
    SAYS(&b, "4 3 0.6@102 maker\n4 3 expired list_parent\n");
    ASK(&b, .id = 11, .side = BUY, .type = LIMIT, .price = 100, .quantity = 4);
    bench_more(&b, (struct ask){ .id = 12, .side = SELL, .type = STOP, .price = 98, .quantity = 4 },
               (struct mk_more){ .parent = 11, .oco = 12 });
    bench_more(&b,
               (struct ask){ .id = 13, .side = SELL, .type = LIMIT, .price = 101.5, .quantity = 4 },
               (struct mk_more){ .parent = 11, .oco = 12 });
    prints(&b, 5, SELL, 100, 6);  /* 1; the target for 1 is behind 3 */
    prints(&b, 6, BUY, 101.5, 2); /* behind 1 */
    prints(&b, 7, SELL, 100, 1);  /* 1 more: the target for 2 is behind 3 again */
    prints(&b, 8, BUY, 101.5, 2);
    SAYS(&b, "4 11 accepted\n4 12 accepted\n4 13 accepted\n5 11 1@100 maker\n7 11 1@100 maker\n");
    rig_reload(&b.rig);
    prints(&b, 9, BUY, 101.5, 2); /* 1 reaches it */
    SAYS(&b, "9 13 1@101.5 maker\n9 11 expired list_partner\n9 12 expired list_partner\n");
    ASK(&b, .id = 13, .op = REQUEST_OP_CANCEL);
    ASK(&b, .id = 14, .side = SELL);
    SAYS(&b, "9 13 canceled\n9 14 accepted\n9 14 1@100 taker\n");
    ASK(&b, .id = 21, .side = BUY, .quantity = 20); /* 9 are there */
    bench_more(&b,
               (struct ask){ .id = 22, .side = SELL, .type = STOP, .price = 99, .quantity = 20 },
               (struct mk_more){ .parent = 21, .oco = 22 });
    bench_more(&b,
               (struct ask){ .id = 23, .side = SELL, .type = LIMIT, .price = 104, .quantity = 20 },
               (struct mk_more){ .parent = 21, .oco = 22 });
    SAYS(&b, "9 21 accepted\n9 21 2@101 taker\n9 21 3@101.5 taker slip=0.5\n"
             "9 21 4@103 taker slip=2\n9 21 expired not_filled_at_once\n9 22 accepted\n"
             "9 23 accepted\n");
    shows(&b, 10, 0);
    prints(&b, 11, SELL, 99, 1);
    SAYS(&b, "11 23 expired list_partner\n11 22 5@100 taker\n11 22 4@99.5 taker slip=0.5\n"
             "11 22 expired list_parent\n");
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    bench_close(&b);
}

/* An iceberg shows a part; when that is filled the next stands at the end of the queue. */
static void test_iceberg(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{queue: conservative}");
    bench_more(&b, (struct ask){ .id = 1, .side = BUY, .type = LIMIT, .price = 100, .quantity = 4 },
               (struct mk_more){ .display = fx(1) });
    prints(&b, 2, SELL, 100, 10); /* 5 ahead, 5 reach us, 1 is shown */
    SAYS(&b, "1 1 accepted\n2 1 1@100 maker\n");
    level(&b, 3, BUY, 100, 4, ONCE);
    rig_reload(&b.rig);
    prints(&b, 4, SELL, 100, 1); /* nobody was left before the next part */
    SAYS(&b, "4 1 1@100 maker\n");
    prints(&b, 5, SELL, 100, 3.5); /* but 4 - 1 before the third */
    SAYS(&b, "5 1 0.5@100 maker\n");
    prints(&b, 6, SELL, 99.5, 0.1); /* through: whole */
    SAYS(&b, "6 1 1.5@100 maker\n");
    bench_close(&b);
}

/* Without trades the touch triggers: asks for buys, bids for sales. */
static void test_touch(void **state) {
    (void)state;
    struct bench b;
    struct rt_error err = { 0 };
    bench_world(&b);
    b.series[0] = rig_series(&b.rig, MSG_BOOK_DELTA, 1, 0);
    assert_int_equal(rig_open(&b.rig, &venue_kind, "{}", &b.market, &err), 0);
    rig_start(&b.rig, START_NS);
    shows(&b, 1, 0);
    ASK(&b, .id = 1, .side = BUY, .type = STOP, .price = 101.5);
    bench_more(&b, (struct ask){ .id = 2, .side = SELL, .type = TRAIL },
               (struct mk_more){ .trail_bips = 50 });
    level(&b, 2, BUY, 100, 1, ONCE); /* 100 -> 99.5 */
    SAYS(&b, "1 1 accepted\n1 2 accepted\n");
    level(&b, 3, SELL, 101, 0, ONCE);
    SAYS(&b, "3 1 1@101.5 taker\n");
    level(&b, 4, BUY, 100, 0, ONCE);
    SAYS(&b, "4 2 1@99.5 taker\n");
    bench_close(&b);
}

/* What is said together arrives together, however latency is drawn. */
static void test_list_travels(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct bench b;
        bench_world(&b);
        b.rig.seed = seed;
        depth_open(&b, "{latency: {order: {median: 300ms, sigma: 1}}}");
        shows(&b, 1, 0);
        bracket(&b, 1, 0, 98, 105);
        rig_reload(&b.rig);
        bench_at(&b, 600);
        const struct venue *v = b.rig.state;
        CHECK(seed, v->orders.cnt == 2 && bench_held(&b, 1, 1).quantity == fx(1));
        bench_close(&b);
    }
}

/* A stale book fills nothing: what arrives waits for the next snapshot, prints pass by. */
static void test_stale(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    depth_open(&b, "{queue: conservative}");
    ASK(&b, .id = 1, .side = BUY);
    SAYS(&b, "0 1 accepted\n"); /* before the first snapshot */
    shows(&b, 1, 0);
    SAYS(&b, "1 1 1@101 taker\n");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100, .quantity = 1);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 99);
    level(&b, 2, BUY, 100, 4, ONCE | BOOK_FLAGS_GAP);
    prints(&b, 3, SELL, 99, 50); /* would fill 2, triggers 3 */
    ASK(&b, .id = 4, .side = BUY, .quantity = 1);
    ASK(&b, .id = 5, .side = SELL, .type = LIMIT, .price = 100, .terms = ORDER_TERMS_IOC);
    SAYS(&b, "1 2 accepted\n1 3 accepted\n3 4 accepted\n3 5 accepted\n");
    shows(&b, 4, 0); /* by arrival: 3, 4, 5; order 2 keeps its place behind 5 */
    SAYS(&b, "4 3 1@100 taker\n4 4 1@101 taker\n4 5 1@100 taker\n");
    prints(&b, 5, SELL, 100, 5.5);
    SAYS(&b, "5 2 0.5@100 maker\n");
    level(&b, 6, SELL, 99, 1, ONCE); /* crossed: corrupt */
    ASK(&b, .id = 6, .side = BUY);
    prints(&b, 7, SELL, 90, 5);
    SAYS(&b, "6 6 accepted\n");
    bench_close(&b);
}

/* Money: fees by level; a cut ends the rest; fill-or-kill is not cut. */
static void test_money(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    b.instruments[0].kind = MK_SPOT;
    b.instruments[0].taker_fee = fx(0.001);
    b.accounts[0].cash = fx(303);
    depth_open(&b, "{}");
    shows(&b, 1, 0);
    ASK(&b, .id = 1, .side = BUY, .quantity = 4, .terms = ORDER_TERMS_FOK);
    SAYS(&b, "1 1 accepted\n1 1 expired insufficient_balance\n");
    ASK(&b, .id = 2, .side = BUY, .quantity = 4); /* 2 at 101, of the 101 left 0.9 at 101.5 */
    SAYS(&b, "1 2 accepted\n1 2 2@101 taker fee=0.002\n"
             "1 2 0.9@101.5 taker fee=0.0009 slip=0.5\n1 2 expired insufficient_balance\n");
    assert_int_equal(bench_cash(&b, 1), fx(303) - fx(202) - fx(91.35));
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(2.8971));
    bench_close(&b);
}

/* Latency: requests take feed and order, answers what is left of theirs; none overtakes. */
static void test_legs(void **state) {
    (void)state;
    struct bench b;
    bench_depth(&b, "{latency: {feed: 1s, order: 2s, answer: 5s}}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 1);
    bench_at(&b, 3);
    level(&b, 3.5, SELL, 101, 1, ONCE);
    level(&b, 3.75, SELL, 100.5, 1, ONCE); /* there when the order arrives at 4 */
    bench_at(&b, 7.5);
    SAYS(&b, "");
    bench_at(&b, 9);
    SAYS(&b, "8 1 accepted\n8 1 1@100.5 taker\n");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 99);
    bench_at(&b, 13);
    rig_reload(&b.rig);
    stop_data(&b); /* the answer on its way is told first */
    SAYS(&b, "13 2 accepted\n13 2 expired end_of_data\n");
    bench_close(&b);
    bench_world(&b);
    depth_open(&b, "{latency: {feed: {recorded: 3s}}}");
    struct msg_book_delta row = { .time_ns = START_NS,
                                  .price = fx(100),
                                  .quantity = fx(1),
                                  .side = SELL,
                                  .flags = ONCE | SNAP,
                                  .delay_us = 500000 };
    (void)rig_rows(&b.rig, b.series[0], RT_HEAR_EARLY, &row, 1);
    ASK(&b, .id = 1, .side = BUY, .quantity = 0.1);
    bench_at(&b, 1);
    SAYS(&b, "0.5 1 accepted\n0.5 1 0.1@100 taker\n");
    row.time_ns = START_NS + SECOND_NS;
    row.delay_us = -7;
    (void)rig_rows(&b.rig, b.series[0], RT_HEAR_EARLY, &row, 1);
    ASK(&b, .id = 2, .side = BUY, .quantity = 0.1);
    SAYS(&b, "1 2 accepted\n1 2 0.1@100 taker\n");
    assert_int_equal(((const struct venue *)b.rig.state)->books[0].delay.faults, 1);
    bench_close(&b);
}

/* What a random run is checked with. */
struct watch {
    struct bench b;         /* the venue */
    qty_t left[4096];       /* by order id: not filled, not ended; 0 = done */
    price_t limit[4096];    /* limit price, 0 = none */
    uint8_t side[4096];     /* side */
    qty_t sent[4096];       /* by order id: as asked */
    uint64_t parent[4096];  /* by order id: its parent, 0 = none */
    uint64_t oco[4096];     /* by order id: its group, 0 = none */
    uint64_t one[4096];     /* by group: the order of it that was filled, 0 = none yet */
    qty_t held;             /* sum of fills, account 1 */
    uint64_t hash;          /* of all that was said */
    uint64_t fills, makers; /* counted */
    uint64_t listed;        /* fills of orders of lists */
    qty_t asked[4096];      /* by order id: as asked; not taken off */
    bool grows;             /* children grow with each fill of their parent */
    uint64_t early;         /* fills of children before their parent was wholly filled */
};

/* told_fill checks that a fill of order id, of quantity, keeps to its list. */
static void told_fill(uint64_t seed, struct watch *w, uint64_t id, qty_t quantity) {
    uint64_t parent = w->parent[id], oco = w->oco[id];
    if (w->grows && parent != 0) {
        CHECK(seed, w->asked[id] - w->sent[id] + quantity <= w->asked[parent] - w->sent[parent]);
        w->early += w->sent[parent] > 0;
    }
    CHECK(seed, w->grows || parent == 0 || (w->left[parent] == 0 && w->sent[parent] == 0));
    if (oco != 0 && w->one[oco] == 0) w->one[oco] = id;
    CHECK(seed, oco == 0 || w->one[oco] == id);
    w->listed += parent != 0 || oco != 0;
}

/* heard checks what was said since the last time; stale: no fill may be among it. */
static void heard(uint64_t seed, struct watch *w, bool stale) {
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&w->b.rig, i)) != NULL; i++) {
        const uint8_t *bytes = (const uint8_t *)(f + 1);
        for (size_t k = 0; k < f->size - sizeof *f; k++) {
            w->hash = (w->hash ^ bytes[k]) * 1099511628211U;
        }
        w->hash = (w->hash ^ (uint64_t)f->time_ns) * 1099511628211U;
        if (f->kind == MSG_VENUE_STATUS) {
            const struct msg_venue_status *s = msg_body(f);
            if (s->status == ORDER_STATUS_ACCEPTED) continue;
            if (s->reason == REASON_UNKNOWN_ORDER) continue;
            CHECK(seed, w->left[s->order_id] > 0);
            w->left[s->order_id] = 0;
            continue;
        }
        if (f->kind == MSG_VENUE_BOOKS) continue;
        const struct msg_venue_fill *v = msg_body(f);
        CHECK(seed, !stale);
        CHECK(seed, v->quantity > 0 && v->quantity % fx(0.1) == 0 && v->price % fx(0.5) == 0);
        CHECK(seed, v->quantity <= w->left[v->order_id]);
        price_t limit = w->limit[v->order_id];
        bool buy = w->side[v->order_id] == BUY;
        CHECK(seed, limit == 0 || (buy ? v->price <= limit : v->price >= limit));
        CHECK(seed, v->liquidity == LIQUIDITY_TAKER || v->price == limit);
        told_fill(seed, w, v->order_id, v->quantity);
        w->left[v->order_id] -= v->quantity;
        w->sent[v->order_id] -= v->quantity; /* 0 = wholly filled */
        w->held += buy ? v->quantity : -v->quantity;
        w->fills++;
        w->makers += v->liquidity == LIQUIDITY_MAKER;
    }
    rig_forget(&w->b.rig);
}

/* ask_more makes the request a with further terms from gen: a trigger around touch, a group or a
 * parent among the newest orders, an end, a shown part. */
static void ask_more(uint64_t *gen, struct watch *w, struct ask a, int64_t touch) {
    struct mk_more m = { 0 };
    bool once = a.terms & (ORDER_TERMS_IOC | ORDER_TERMS_FOK);
    if (a.type == STOP_LIMIT || a.type == TAKE_LIMIT) {
        m.stop_price = fx((double)(touch + gen_range(gen, -4, 4)) / 2);
    }
    if (a.type == TRAIL) {
        m.trail_bips = (uint32_t)gen_range(gen, 1, 80);
        if (gen_next(gen) & 1) m.activation = fx((double)(touch + gen_range(gen, -4, 4)) / 2);
    }
    if (a.type != MARKET && !once && gen_range(gen, 0, 9) == 0) {
        a.terms |= GTD;
        m.expire_ns = w->b.rig.ctx.now_ns + gen_range(gen, 1, 900) * 1000000;
    }
    if (a.type == LIMIT && gen_range(gen, 0, 3) == 0) {
        m.display = gen_range(gen, 1, (int64_t)(a.quantity * 10)) * fx(0.1);
    }
    if (a.type != MARKET && !once) {
        int64_t back = gen_range(gen, 1, 3), how = gen_range(gen, 0, 5);
        uint64_t to = a.id > (uint64_t)back ? a.id - (uint64_t)back : a.id;
        if (how == 0) m.oco = a.id;
        if (how == 1) m.oco = w->oco[to];
        if (how > 1 && how < 4 && to != a.id) m.parent = to;
        if (how == 3) m.oco = a.id;
        w->oco[a.id] = m.oco;
        w->parent[a.id] = m.parent;
    }
    bench_more(&w->b, a, m);
}

/* ended checks that no child that has traded has a parent that is open. */
static void ended(uint64_t seed, const struct watch *w, uint64_t last) {
    for (uint64_t id = last > 40 ? last - 40 : 1; w->grows && id <= last; id++) {
        bool traded = w->parent[id] != 0 && w->sent[id] < w->asked[id];
        CHECK(seed, !traded || w->left[w->parent[id]] == 0);
    }
}

/* random_run plays a run of seed; reload: the venue is saved and loaded now and then; lists: orders
 * have further terms, and in every other four seeds children grow. */
static void random_run(uint64_t seed, struct watch *w, bool reload, bool lists) {
    static const char *const yaml[] = {
        "{queue: conservative}",
        "{queue: log, participation: 0.25}",
        ("{queue: {power: 2.5}, latency: {feed: 1ms, order: {median: 20ms, sigma: 1},"
         " answer: {min: 1ms, p50: 30ms, max: 200ms}}}"),
        "{participation: 0.6, latency: 15ms, orders_max: 40}",
    };
    uint64_t gen = seed;
    memset(w, 0, sizeof *w);
    bench_world(&w->b);
    w->b.rig.seed = seed;
    char text[200];
    w->grows = lists && seed / 4 % 2 == 1;
    snprintf(text, sizeof text, "{%s%s", w->grows ? "children: first_fill, " : "",
             yaml[seed % 4] + 1);
    depth_open(&w->b, text);
    const struct venue *v = w->b.rig.state;
    double at = 0;
    int64_t touch = 1000; /* ticks of 0.5 */
    uint64_t id = 0;
    bool stale = true;
    for (int step = 0; step < 1500; step++) {
        at += (double)gen_range(&gen, 0, 40) / 1000;
        bench_at(&w->b, at);
        heard(seed, w, stale && seed % 4 != 2); /* where answers are late, fills may be older */
        int what = (int)gen_range(&gen, 0, 9);
        if (stale && gen_range(&gen, 0, 9) == 0) what = 20;
        if (what < 5) {
            int64_t was = touch;
            touch += gen_range(&gen, -1, 1);
            bool gap = gen_range(&gen, 0, 150) == 0;
            level(&w->b, at, BUY, 0, 0, BOOK_FLAGS_FIRST | (gap ? BOOK_FLAGS_GAP : 0));
            for (int64_t t = touch; t <= was; t++) level(&w->b, at, BUY, (double)t / 2, 0, 0);
            for (int64_t t = was; t < touch; t++) level(&w->b, at, SELL, (double)t / 2, 0, 0);
            for (int i = 0; i < 3; i++) {
                int64_t off = gen_range(&gen, 0, 6);
                double size = (double)gen_range(&gen, 0, 60) / 10;
                bool bid = gen_range(&gen, 0, 1);
                level(&w->b, at, bid ? BUY : SELL,
                      (double)(bid ? touch - 1 - off : touch + off) / 2, size, 0);
            }
            level(&w->b, at, BUY, 0, 0, BOOK_FLAGS_LAST);
            v = w->b.rig.state;
            stale = v->depths[0]->book.stale;
        } else if (what == 5) {
            prints(&w->b, at, (uint8_t)gen_range(&gen, 0, 1),
                   (double)(touch + gen_range(&gen, -3, 2)) / 2,
                   (double)gen_range(&gen, 1, 80) / 10);
        } else if (what == 20) {
            level(&w->b, at, BUY, (double)(touch - 1) / 2, 5, BOOK_FLAGS_FIRST | SNAP);
            level(&w->b, at, SELL, (double)touch / 2, 5, BOOK_FLAGS_LAST | SNAP);
            stale = false;
        } else if (what < 8 && id < 4000) {
            id++;
            struct ask a = { .id = id,
                             .side = (uint8_t)gen_range(&gen, 0, 1),
                             .type = (uint8_t)gen_range(&gen, 0, lists ? TRAIL : STOP),
                             .quantity = (double)gen_range(&gen, 1, 90) / 10,
                             .price = (double)(touch + gen_range(&gen, -5, 5)) / 2 };
            static const uint8_t terms[] = {
                0, 0, 0, ORDER_TERMS_IOC, ORDER_TERMS_FOK, ORDER_TERMS_POST_ONLY
            };
            if (a.type == LIMIT) a.terms = terms[gen_range(&gen, 0, 5)];
            if (a.type == MARKET || a.type == TRAIL) a.price = 0;
            w->left[id] = w->sent[id] = w->asked[id] = fx(a.quantity);
            w->limit[id] = mk_order_limited(a.type) ? fx(a.price) : 0;
            w->side[id] = a.side;
            if (lists) {
                ask_more(&gen, w, a, touch);
            } else {
                bench_ask(&w->b, a);
            }
        } else if (id > 0) {
            ASK(&w->b, .id = (uint64_t)gen_range(&gen, id > 30 ? (int64_t)id - 30 : 1, (int64_t)id),
                .op = REQUEST_OP_CANCEL);
        }
        if (reload && gen_range(&gen, 0, 20) == 0) rig_reload(&w->b.rig);
        if (!reload) (void)gen_range(&gen, 0, 20);
        heard(seed, w, stale && seed % 4 != 2);
        if (seed % 4 == 2) continue;
        CHECK(seed, bench_held(&w->b, 1, 1).quantity == w->held);
        ended(seed, w, id);
    }
    stop_data(&w->b);
    while (rig_until(&w->b.rig, w->b.rig.ctx.now_ns) > 0) {
    }
    heard(seed, w, false);
    CHECK(seed, bench_held(&w->b, 1, 1).quantity == w->held);
    for (uint64_t i = 1; i <= id; i++) CHECK(seed, w->left[i] == 0);
}

/* Random runs. */
static void test_random(void **state) {
    (void)state;
    struct watch *w = malloc(sizeof *w);
    uint64_t early = 0; /* fills of children before their parent was wholly filled */
    assert_non_null(w);
    for (uint64_t run = 2; run <= 81; run++) {
        uint64_t seed = run / 2;
        bool lists = run % 2;
        random_run(seed, w, false, lists);
        uint64_t hash = w->hash;
        CHECK(seed, w->fills > 100 && w->makers > 10);
        CHECK(seed, !lists || w->listed > 20);
        early += w->early;
        bench_close(&w->b);
        random_run(seed, w, true, lists);
        CHECK(seed, w->hash == hash);
        bench_close(&w->b);
    }
    assert_true(early > 20);
    free(w);
}

/* What may be declared. */
static void test_options(void **state) {
    (void)state;
    static const char *const bad[] = { "{queue: best}",        "{queue: {power: 0}}",
                                       "{queue: {root: 2}}",   "{participation: -0.1}",
                                       "{participation: 1.1}", "{book_window: 5000}",
                                       "{book_levels: 1}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bench b;
        struct rt_error err = { 0 };
        bench_world(&b);
        assert_true(rig_open(&b.rig, &venue_kind, bad[i], &b.market, &err) < 0);
        assert_true(err.text[0] != 0);
        bench_close(&b);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_levels),  cmocka_unit_test(test_terms),
        cmocka_unit_test(test_queue),         cmocka_unit_test(test_crossed),
        cmocka_unit_test(test_participation), cmocka_unit_test(test_stops),
        cmocka_unit_test(test_types),         cmocka_unit_test(test_lists),
        cmocka_unit_test(test_children_grow), cmocka_unit_test(test_iceberg),
        cmocka_unit_test(test_touch),         cmocka_unit_test(test_list_travels),
        cmocka_unit_test(test_stale),         cmocka_unit_test(test_money),
        cmocka_unit_test(test_legs),          cmocka_unit_test(test_random),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
