/* rig: the venue alone, fed by hand */
/* Goal: in a book that is recorded order by order every sentence of "Order by order" in
 * actors/venue/venue.h holds; queues are exact.
 * Method: small books by hand, what is said compared as text; then random flows against a naive
 * exchange that keeps all orders in one list and looks through it for who is first: each fill, in
 * order, is the same, also of a venue that is saved and loaded again and again. */
#include "actors/venue/depth.h"
#include "tests/actors/test_venue.h"

/* Short words for what the cases repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    MARKET = ORDER_TYPE_MARKET,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    ADD = BOOK_ACTION_ADD,
    REDUCE = BOOK_ACTION_REDUCE,
    REMOVE = BOOK_ACTION_REMOVE,
    MOVE = BOOK_ACTION_MOVE,
    EXECUTE = BOOK_ACTION_EXECUTE,
    HIDDEN = BOOK_ACTION_HIDDEN,
    CROSS = BOOK_ACTION_CROSS,
};

/* Flags of rows. */
enum {
    ONCE = BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST, /* an update of one row */
    SNAP = BOOK_FLAGS_SNAPSHOT,
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* tell tells a row at so many seconds. */
static void tell(struct bench *b, double seconds, uint8_t action, uint64_t id, uint8_t side,
                 double price, double quantity, uint8_t flags) {
    struct msg_book_order row = { .time_ns = START_NS + (int64_t)(seconds * 1e9),
                                  .order_id = id,
                                  .price = fx(price),
                                  .quantity = fx(quantity),
                                  .instrument = 1,
                                  .side = side,
                                  .action = action,
                                  .flags = flags };
    assert_int_equal(rig_rows(&b->rig, b->series[0], RT_HEAR_EARLY, &row, 1), 1);
}

/* row tells an update of one row. */
static void row(struct bench *b, double seconds, uint8_t action, uint64_t id, uint8_t side,
                double price, double quantity) {
    tell(b, seconds, action, id, side, price, quantity, ONCE);
}

/* orders_open makes a venue whose instrument 1 is recorded order by order. */
static void orders_open(struct bench *b, const char *yaml) {
    struct rt_error err = { 0 };
    b->series[0] = rig_series(&b->rig, MSG_BOOK_ORDER, 1, 0);
    (void)rig_series(&b->rig, MSG_BOOK_DELTA, 1, 0); /* coarser: not heard */
    (void)rig_series(&b->rig, MSG_TRADE, 1, 0);
    if (rig_open(&b->rig, &venue_kind, yaml, &b->market, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rig_start(&b->rig, START_NS);
}

/* shows tells a snapshot: bids 11: 3, 12: 2 at 100, 13: 6 at 99.5; asks 21: 2 at 101, 22: 3 at
 * 101.5, 23: 4 at 103. */
static void shows(struct bench *b, double seconds) {
    tell(b, seconds, BOOK_ACTION_NONE, 0, BUY, 0, 0, BOOK_FLAGS_FIRST | SNAP);
    tell(b, seconds, ADD, 11, BUY, 100, 3, SNAP);
    tell(b, seconds, ADD, 13, BUY, 99.5, 6, SNAP);
    tell(b, seconds, ADD, 12, BUY, 100, 2, SNAP);
    tell(b, seconds, ADD, 21, SELL, 101, 2, SNAP);
    tell(b, seconds, ADD, 22, SELL, 101.5, 3, SNAP);
    tell(b, seconds, ADD, 23, SELL, 103, 4, SNAP);
    tell(b, seconds, BOOK_ACTION_NONE, 0, BUY, 0, 0, BOOK_FLAGS_LAST | SNAP);
}

/* bench_orders readies b with that book at second 1. */
static void bench_orders(struct bench *b, const char *yaml) {
    bench_world(b);
    orders_open(b, yaml);
    shows(b, 1);
}

/* ahead returns how much is before the first order of ours on a side. */
static qty_t ahead(const struct bench *b, uint8_t side) {
    const struct venue *v = b->rig.state;
    const struct venue_rest *rest = &v->depths[0]->rests[side][0];
    assert_true(v->depths[0]->rest_cnt[side] > 0);
    return mk_queues_before(v->depths[0]->queues, side, rest->price, rest->place);
}

/* A resting order fills when those behind it trade, whoever left before or behind it meanwhile. */
static void test_queue(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100, .quantity = 3);
    assert_int_equal(ahead(&b, BUY), fx(5));
    row(&b, 2, ADD, 14, BUY, 100, 7); /* behind us */
    row(&b, 2, REDUCE, 14, BUY, 100, 2);
    assert_int_equal(ahead(&b, BUY), fx(5));
    row(&b, 2, REDUCE, 12, BUY, 100, 1);
    assert_int_equal(ahead(&b, BUY), fx(4));
    row(&b, 3, EXECUTE, 11, BUY, 100, 3); /* before us */
    assert_int_equal(ahead(&b, BUY), fx(1));
    row(&b, 3, MOVE, 12, BUY, 100, 1); /* loses its place: nobody is before us */
    assert_int_equal(ahead(&b, BUY), 0);
    SAYS(&b, "1 1 accepted\n");
    rig_reload(&b.rig);
    row(&b, 4, EXECUTE, 14, BUY, 100, 1.25); /* 1.2 in lots */
    SAYS(&b, "4 1 1.2@100 maker\n");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100, .quantity = 1);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(1.2));
    row(&b, 5, EXECUTE, 14, BUY, 100, 3); /* 14 is behind 1 and before 2 */
    SAYS(&b, "4 2 accepted\n5 1 1.8@100 maker\n");
    row(&b, 6, EXECUTE, 13, BUY, 99.5, 0.4); /* through the price of 2: as much as was traded */
    SAYS(&b, "6 2 0.4@100 maker\n");
    row(&b, 7, EXECUTE, 22, SELL, 101.5, 3); /* not from our side */
    SAYS(&b, "");
    bench_close(&b);
}

/* What we took of an order is gone; what is left of it is not. */
static void test_takes(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{}");
    row(&b, 1, ADD, 24, SELL, 101, 4);
    ASK(&b, .id = 1, .side = BUY, .quantity = 3);
    SAYS(&b, "1 1 accepted\n1 1 3@101 taker\n"); /* 21 and 1 of 24 */
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 101, .quantity = 1);
    assert_int_equal(ahead(&b, SELL), fx(3));
    row(&b, 2, EXECUTE, 21, SELL, 101, 2); /* was taken: clipped */
    row(&b, 2, REDUCE, 24, SELL, 101, 2.5);
    assert_int_equal(ahead(&b, SELL), fx(0.5)); /* 1.5 are shown, one of them is ours */
    rig_reload(&b.rig);
    ASK(&b, .id = 3, .side = BUY, .type = LIMIT, .price = 101, .quantity = 2,
        .terms = ORDER_TERMS_IOC);
    SAYS(&b, "1 2 accepted\n2 3 accepted\n2 3 0.5@101 taker\n2 3 expired not_filled_at_once\n");
    row(&b, 3, ADD, 25, SELL, 101, 1); /* new */
    ASK(&b, .id = 4, .side = BUY, .quantity = 1.5, .terms = ORDER_TERMS_FOK);
    SAYS(&b, "3 4 accepted\n3 4 1@101 taker\n3 4 0.5@101.5 taker slip=0.5\n");
    bench_close(&b);
}

/* An order that joins on the other side meets ours first; what it gave is gone. */
static void test_joins(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100.5, .quantity = 2);
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100.5, .quantity = 2, .account = 2);
    row(&b, 2, ADD, 24, SELL, 100.5, 3);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n2 1 2@100.5 maker\n2 2 1@100.5 maker\n");
    ASK(&b, .id = 3, .side = BUY, .quantity = 1);
    SAYS(&b, "2 3 accepted\n2 3 1@101 taker slip=0.5\n"); /* the touch is used up */
    row(&b, 3, MOVE, 22, SELL, 100.5, 3);
    SAYS(&b, "3 2 1@100.5 maker\n");
    bench_close(&b);
}

/* Hidden orders stand behind all that is shown; of an execution of an unknown order the reverse. */
static void test_unseen(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{}");
    ASK(&b, .id = 1, .side = BUY, .type = LIMIT, .price = 100, .quantity = 1);
    ASK(&b, .id = 2, .side = SELL, .type = LIMIT, .price = 100.5, .quantity = 1);
    row(&b, 2, HIDDEN, 0, BUY, 100, 1); /* 5 are shown before us */
    row(&b, 2, EXECUTE, 0, SELL, 100.5, 9);
    SAYS(&b, "1 1 accepted\n1 2 accepted\n");
    row(&b, 3, HIDDEN, 0, SELL, 100.5, 0.5);
    row(&b, 3, EXECUTE, 0, SELL, 101, 0.2);
    SAYS(&b, "3 2 0.5@100.5 maker\n3 2 0.2@100.5 maker\n");
    row(&b, 4, CROSS, 0, BUY, 99, 50); /* an auction: without us */
    row(&b, 5, HIDDEN, 0, BUY, 99.75, 9);
    SAYS(&b, "5 1 1@100 maker\n");
    bench_close(&b);
}

/* Halts and updates in hand: nothing is filled; then what waits is worked. */
static void test_halt(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{}");
    row(&b, 2, BOOK_ACTION_HALT, 0, BUY, 0, 0);
    ASK(&b, .id = 1, .side = BUY, .quantity = 1);
    rig_reload(&b.rig);
    row(&b, 2, ADD, 24, SELL, 100.5, 1);
    SAYS(&b, "2 1 accepted\n");
    row(&b, 3, BOOK_ACTION_RESUME, 0, BUY, 0, 0);
    SAYS(&b, "3 1 1@100.5 taker\n");
    tell(&b, 4, ADD, 25, SELL, 100, 4, BOOK_FLAGS_FIRST); /* crossed */
    ASK(&b, .id = 2, .side = BUY, .quantity = 2);
    rig_reload(&b.rig);
    tell(&b, 5, EXECUTE, 25, SELL, 100, 1, 0);
    SAYS(&b, "4 2 accepted\n");
    tell(&b, 6, REMOVE, 11, BUY, 100, 0, 0);
    tell(&b, 6, REMOVE, 12, BUY, 100, 0, BOOK_FLAGS_LAST);
    SAYS(&b, "6 2 2@100 taker\n");
    tell(&b, 7, BOOK_ACTION_NONE, 0, BUY, 0, 0, ONCE | BOOK_FLAGS_GAP);
    ASK(&b, .id = 3, .side = SELL, .type = LIMIT, .price = 100.5, .quantity = 1);
    row(&b, 8, ADD, 26, SELL, 100.5, 2); /* what is told is kept */
    SAYS(&b, "7 3 accepted\n");
    tell(&b, 9, BOOK_ACTION_NONE, 0, BUY, 0, 0, BOOK_FLAGS_FIRST | SNAP);
    tell(&b, 9, ADD, 31, BUY, 99.5, 1, SNAP);
    rig_reload(&b.rig);
    tell(&b, 9, REMOVE, 13, BUY, 0, 0, SNAP);
    tell(&b, 9, BOOK_ACTION_NONE, 0, BUY, 0, 0, BOOK_FLAGS_LAST | SNAP);
    assert_int_equal(ahead(&b, SELL), fx(2)); /* 24's was taken, 26 is whole */
    ASK(&b, .id = 4, .side = SELL, .quantity = 2);
    SAYS(&b, "9 4 accepted\n9 4 1@99.5 taker\n9 4 expired not_filled_at_once\n");
    bench_close(&b);
}

/* Stops are triggered by trades; an iceberg's next part stands behind all; a cap holds of both. */
static void test_kinds(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{}");
    ASK(&b, .id = 1, .side = SELL, .type = STOP, .price = 99.5, .quantity = 5);
    row(&b, 2, REMOVE, 11, BUY, 100, 0);
    SAYS(&b, "1 1 accepted\n");
    row(&b, 3, EXECUTE, 13, BUY, 99.5, 1);
    SAYS(&b, "3 1 2@100 taker\n3 1 3@99.5 taker slip=0.5\n");
    bench_more(&b,
               (struct ask){ .id = 2, .side = SELL, .type = LIMIT, .price = 101, .quantity = 3 },
               (struct mk_more){ .display = fx(1) });
    row(&b, 4, ADD, 24, SELL, 101, 5);
    row(&b, 5, EXECUTE, 24, SELL, 101, 2); /* one part; the next is behind 24 */
    SAYS(&b, "3 2 accepted\n5 2 1@101 maker\n");
    rig_reload(&b.rig);
    row(&b, 6, EXECUTE, 24, SELL, 101, 3);
    SAYS(&b, "");
    row(&b, 7, EXECUTE, 22, SELL, 101.5, 3); /* through its price: both parts left */
    SAYS(&b, "7 2 1@101 maker\n7 2 1@101 maker\n");
    bench_close(&b);
    bench_orders(&b, "{participation: 0.1}");
    ASK(&b, .id = 1, .side = BUY, .quantity = 3); /* 0.2 of 2, 0.3 of 3, 0.4 of 4 */
    SAYS(&b, "1 1 accepted\n1 1 0.2@101 taker\n1 1 0.3@101.5 taker slip=0.5\n"
             "1 1 0.4@103 taker slip=2\n1 1 expired not_filled_at_once\n");
    ASK(&b, .id = 2, .side = BUY, .type = LIMIT, .price = 100, .quantity = 1);
    row(&b, 2, EXECUTE, 13, BUY, 99.5, 5);
    SAYS(&b, "1 2 accepted\n2 2 0.5@100 maker\n");
    bench_close(&b);
}

/* More orders than there is room for: the book stands no more, and that is said at the end. */
static void test_full(void **state) {
    (void)state;
    struct bench b;
    bench_orders(&b, "{book_orders: 64}");
    for (uint64_t id = 100; id < 160; id++) row(&b, 2, ADD, id, BUY, 99, 1);
    ASK(&b, .id = 1, .side = BUY, .quantity = 1); /* 66: two too many */
    rig_reload(&b.rig);
    row(&b, 3, REMOVE, 100, BUY, 99, 0);
    SAYS(&b, "2 1 accepted\n");
    struct msg_stop stop = { .reason = REASON_END_OF_DATA };
    assert_true(rig_hear(&b.rig, MSG_STOP, 0, &stop, sizeof stop));
    bool told = false;
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&b.rig, i)) != NULL; i++) {
        const struct msg_alert *a = msg_body(f);
        if (f->kind != MSG_ALERT) continue;
        assert_int_equal(a->reason, REASON_DATA_ORDERS);
        assert_int_equal(a->value, 2);
        told = true;
    }
    assert_true(told);
    bench_close(&b);
}

/* What is held is tested at the last price, that of a fill of ours where there is no other: neither
 * before the first trade nor after the account was flat is it 0. Then a liquidation by orders. */
static void test_margin(void **state) {
    (void)state;
    static struct mk_bracket bracket = { .leverage = 50 };
    static uint16_t leverages[4] = { 50, 50, 50, 50 };
    struct bench b;
    bench_world(&b);
    bracket.cap = fx(1000000);
    bracket.maintenance = fx(0.01);
    b.market.leverages = leverages;
    b.instruments[0].brackets = &bracket;
    b.instruments[0].bracket_cnt = 1;
    b.accounts[0].cash = fx(10);
    b.accounts[0].margin = MK_MARGIN_CROSS;
    orders_open(&b, "{}");
    shows(&b, 1);
    ASK(&b, .id = 1, .side = BUY, .quantity = 1);
    rig_reload(&b.rig);
    row(&b, 2, ADD, 14, BUY, 99, 7);
    ASK(&b, .id = 2, .side = SELL, .quantity = 1);
    ASK(&b, .id = 3, .side = BUY, .quantity = 1);
    row(&b, 3, ADD, 15, BUY, 99, 7);
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 0);
    assert_int_equal(bench_held(&b, 1, 1).quantity, fx(1));
    row(&b, 4, REMOVE, 12, BUY, 100, 0); /* 11 has 2 left at 100 */
    row(&b, 5, EXECUTE, 0, BUY, 93, 1);  /* 9 less 8: above 0.93 */
    assert_int_equal(rig_count(&b.rig, MSG_VENUE_LIQUIDATION), 0);
    row(&b, 6, EXECUTE, 0, BUY, 92.5, 1);
    const struct msg_venue_liquidation *l = msg_body(rig_find(&b.rig, MSG_VENUE_LIQUIDATION, 0));
    assert_int_equal(l->price, fx(100));
    assert_int_equal(l->quantity, fx(1));
    assert_int_equal(
        mk_queues_taken(((struct venue *)b.rig.state)->depths[0]->queues, BUY, fx(100)),
        fx(2)); /* 1 by the sale, 1 now */
    assert_true(venue_conserved(b.rig.state));
    bench_close(&b);
}

/* --- random flows against a naive exchange ------------------------------------------------- */

enum {
    NAIVE_MAX = 8192, /* orders ever */
    FILLS_MAX = 65536 /* fills of a run */
};

/* An order of the naive exchange. */
struct naive {
    uint64_t id;    /* ours or others' */
    uint64_t place; /* who came first */
    int64_t tick;   /* where it rests */
    int64_t left;   /* lots that rest */
    int64_t taken;  /* others': of left taken by ours */
    uint8_t side;   /* its side */
    bool ours;      /* whose */
};

/* A fill. */
struct naive_fill {
    uint64_t id;        /* our order */
    int64_t tick;       /* at */
    int64_t lots;       /* so much */
    uint64_t liquidity; /* LIQUIDITY_* */
};

/* The naive exchange and what it is compared with. */
struct twin {
    struct bench b;                    /* the venue */
    struct naive orders[NAIVE_MAX];    /* all that rest, in no order */
    size_t cnt;                        /* how many */
    uint64_t place;                    /* places given */
    struct naive_fill want[FILLS_MAX]; /* fills as they must be */
    size_t want_cnt, got_cnt;          /* how many; how many the venue has told */
    size_t makers;                     /* of them passive */
};

/* first returns the order of ours (ours) or others on side that stands first and may trade at
 * limit (0 = any price); others with nothing left are passed over. */
static struct naive *first(struct twin *t, bool ours, uint8_t side, int64_t limit) {
    struct naive *found = NULL;
    for (size_t i = 0; i < t->cnt; i++) {
        struct naive *o = &t->orders[i];
        if (o->ours != ours || o->side != side || o->left == o->taken) continue;
        if (limit != 0 && (side == BUY ? o->tick < limit : o->tick > limit)) continue;
        bool better = found == NULL ||
                      (side == BUY ? o->tick > found->tick : o->tick < found->tick) ||
                      (o->tick == found->tick && o->place < found->place);
        if (better) found = o;
    }
    return found;
}

/* gone takes an order out. */
static void gone(struct twin *t, struct naive *o) {
    *o = t->orders[--t->cnt];
}

/* naive_of finds an order. */
static struct naive *naive_of(struct twin *t, bool ours, uint64_t id) {
    for (size_t i = 0; i < t->cnt; i++) {
        if (t->orders[i].ours == ours && t->orders[i].id == id) return &t->orders[i];
    }
    return NULL;
}

/* want notes a fill; a taker's at one price are one. */
static void want(struct twin *t, uint64_t id, int64_t tick, int64_t lots, uint8_t liquidity) {
    struct naive_fill *last = t->want_cnt == 0 ? NULL : &t->want[t->want_cnt - 1];
    if (last != NULL && liquidity == LIQUIDITY_TAKER && last->liquidity == liquidity &&
        last->id == id && last->tick == tick) {
        last->lots += lots;
        return;
    }
    assert_true(t->want_cnt < FILLS_MAX);
    t->want[t->want_cnt++] = (struct naive_fill){ id, tick, lots, liquidity };
    t->makers += liquidity == LIQUIDITY_MAKER;
}

/* passive fills the order o of ours. */
static void passive(struct twin *t, struct naive *o, int64_t lots) {
    want(t, o->id, o->tick, lots, LIQUIDITY_MAKER);
    o->left -= lots;
    if (o->left == 0) gone(t, o);
}

/* arrives lets an order of ours take, then rest where rests. */
static void arrives(struct twin *t, uint64_t id, uint8_t side, int64_t limit, int64_t lots,
                    bool rests) {
    struct naive *o;
    while (lots > 0 && (o = first(t, false, !side, limit)) != NULL) {
        int64_t part = o->left - o->taken < lots ? o->left - o->taken : lots;
        o->taken += part;
        lots -= part;
        want(t, id, o->tick, part, LIQUIDITY_TAKER);
    }
    if (lots > 0 && rests) {
        t->orders[t->cnt++] = (struct naive){ id, ++t->place, limit, lots, 0, side, true };
    }
}

/* meets lets the order o of others meet what of ours it crosses. */
static void meets(struct twin *t, uint64_t id) {
    for (;;) { /* orders change their places in the list */
        struct naive *o = naive_of(t, false, id);
        struct naive *mine = o->left == o->taken ? NULL : first(t, true, !o->side, o->tick);
        if (mine == NULL) return;
        int64_t part = o->left - o->taken < mine->left ? o->left - o->taken : mine->left;
        o->taken += part;
        passive(t, mine, part);
    }
}

/* trades lets lots of the order id of others be traded: ours that stand before it come first. */
static void trades(struct twin *t, uint64_t id, int64_t lots) {
    struct naive *o = naive_of(t, false, id), *mine;
    int64_t room = lots;
    const int64_t tick = o->tick;
    const uint64_t place = o->place;
    const uint8_t side = o->side;
    o->left -= lots;
    if (o->taken > o->left) o->taken = o->left;
    if (o->left == 0) gone(t, o);
    while (room > 0 && (mine = first(t, true, side, tick)) != NULL) {
        if (mine->tick == tick && mine->place > place) break;
        int64_t part = mine->left < room ? mine->left : room;
        room -= part;
        passive(t, mine, part);
    }
}

/* compare holds what the venue has said against what must be. */
static void compare(uint64_t seed, struct twin *t) {
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&t->b.rig, i)) != NULL; i++) {
        if (f->kind != MSG_VENUE_FILL) continue;
        const struct msg_venue_fill *v = msg_body(f);
        CHECK(seed, t->got_cnt < t->want_cnt);
        const struct naive_fill *w = &t->want[t->got_cnt++];
        CHECK(seed, v->order_id == w->id && v->liquidity == w->liquidity);
        CHECK(seed, v->price == w->tick * fx(0.5) && v->quantity == w->lots * fx(0.1));
    }
    CHECK(seed, t->got_cnt == t->want_cnt);
    rig_forget(&t->b.rig);
}

/* others returns a random order of others, or NULL. */
static struct naive *others(struct twin *t, uint64_t *gen) {
    for (int tries = 0; tries < 50 && t->cnt > 0; tries++) {
        struct naive *o = &t->orders[gen_range(gen, 0, (int64_t)t->cnt - 1)];
        if (!o->ours) return o;
    }
    return NULL;
}

/* best returns the best tick of others on a side as recorded, 0 = none. */
static int64_t best(const struct twin *t, uint8_t side) {
    int64_t found = 0;
    for (size_t i = 0; i < t->cnt; i++) {
        const struct naive *o = &t->orders[i];
        if (o->ours || o->side != side) continue;
        if (found == 0 || (side == BUY ? o->tick > found : o->tick < found)) found = o->tick;
    }
    return found;
}

/* free_tick returns a random tick where an order on side crosses no order of others. */
static int64_t free_tick(const struct twin *t, uint64_t *gen, uint8_t side) {
    int64_t against = best(t, !side), off = gen_range(gen, 1, 6);
    if (against == 0) against = 1000;
    return side == BUY ? against - off : against + off;
}

/* random_run plays the flow of seed; reload: the venue is saved and loaded now and then. */
static void random_run(uint64_t seed, struct twin *t, bool reload) {
    uint64_t gen = seed, id = 0, mine = 0;
    memset(t, 0, sizeof *t);
    bench_world(&t->b);
    t->b.accounts[0].cash = fx(1000000000);
    t->b.rig.seed = seed;
    orders_open(&t->b, "{book_orders: 512}");
    double at = 1;
    row(&t->b, at, BOOK_ACTION_NONE, 0, BUY, 0, 0); /* ignored: before the first snapshot */
    tell(&t->b, at, BOOK_ACTION_NONE, 0, BUY, 0, 0, ONCE | SNAP);
    for (int step = 0; step < 3000; step++) {
        at += (double)gen_range(&gen, 0, 3) / 1000;
        int what = (int)gen_range(&gen, 0, 11);
        struct naive *o = what >= 3 && what <= 7 ? others(t, &gen) : NULL;
        uint8_t side = (uint8_t)gen_range(&gen, 0, 1);
        if (what < 4 && o == NULL && t->cnt < 300) {
            const struct naive n = {
                ++id, ++t->place, free_tick(t, &gen, side), gen_range(&gen, 1, 30), 0, side, false
            };
            t->orders[t->cnt++] = n;
            meets(t, n.id);
            row(&t->b, at, ADD, n.id, side, (double)n.tick / 2, (double)n.left / 10);
        } else if (o != NULL && what == 3) { /* less of it */
            int64_t lots = gen_range(&gen, 1, o->left);
            row(&t->b, at, lots == o->left ? REMOVE : REDUCE, o->id, o->side, 0, (double)lots / 10);
            o->left -= lots;
            if (o->taken > o->left) o->taken = o->left;
            if (o->left == 0) gone(t, o);
        } else if (o != NULL && what == 4) { /* it moves */
            const uint64_t moved = o->id;
            side = o->side;
            o->tick = side == BUY ? 0 : INT32_MAX; /* it does not bound itself */
            int64_t tick = free_tick(t, &gen, side), lots = gen_range(&gen, 1, 30);
            o->tick = tick;
            o->left = lots;
            if (o->taken > lots) o->taken = lots;
            o->place = ++t->place;
            meets(t, moved);
            row(&t->b, at, MOVE, moved, side, (double)tick / 2, (double)lots / 10);
        } else if (o != NULL) { /* the best one of others is traded, as on an exchange */
            int64_t top = best(t, side);
            struct naive *front = NULL;
            for (size_t i = 0; i < t->cnt; i++) {
                struct naive *n = &t->orders[i];
                if (n->ours || n->side != side || n->tick != top) continue;
                if (front == NULL || n->place < front->place) front = n;
            }
            if (front == NULL) continue;
            int64_t lots = gen_range(&gen, 1, front->left);
            uint64_t hit = front->id;
            double price = (double)front->tick / 2;
            trades(t, hit, lots);
            row(&t->b, at, EXECUTE, hit, side, price, (double)lots / 10);
        } else if (what < 11 && mine < 4000) {
            int64_t tick = 1000 + gen_range(&gen, -8, 8), lots = gen_range(&gen, 1, 40);
            if (best(t, !side) != 0)
                tick = best(t, !side) + gen_range(&gen, -4, 2) * (side == BUY ? 1 : -1);
            bool market = gen_range(&gen, 0, 9) == 0, ioc = gen_range(&gen, 0, 5) == 0;
            mine++;
            arrives(t, mine, side, market ? 0 : tick, lots, !market && !ioc);
            ASK(&t->b, .id = mine, .side = side, .type = market ? MARKET : LIMIT,
                .price = market ? 0 : (double)tick / 2, .quantity = (double)lots / 10,
                .terms = market || !ioc ? 0 : ORDER_TERMS_IOC);
        } else if (mine > 0) {
            uint64_t leaves =
                (uint64_t)gen_range(&gen, mine > 9 ? (int64_t)mine - 9 : 1, (int64_t)mine);
            struct naive *m = naive_of(t, true, leaves);
            if (m != NULL) gone(t, m);
            ASK(&t->b, .id = leaves, .op = REQUEST_OP_CANCEL);
        }
        if (gen_range(&gen, 0, 20) == 0 && reload) rig_reload(&t->b.rig);
        compare(seed, t);
    }
}

/* Random flows. */
static void test_random(void **state) {
    (void)state;
    struct twin *t = malloc(sizeof *t);
    assert_non_null(t);
    for (uint64_t run = 2; run <= 41; run++) {
        uint64_t seed = run / 2;
        random_run(seed, t, run % 2);
        CHECK(seed, t->want_cnt > 300 && t->makers > 100);
        const struct venue *v = t->b.rig.state;
        CHECK(seed, v->depths[0]->book.crossed == 0 && v->depths[0]->book.bad == 0);
        bench_close(&t->b);
    }
    free(t);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue),  cmocka_unit_test(test_takes),  cmocka_unit_test(test_joins),
        cmocka_unit_test(test_unseen), cmocka_unit_test(test_halt),   cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_full),   cmocka_unit_test(test_margin), cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
