/* rig: the venue alone, with simulated traders */
/* Goal: among simulated traders orders of ours are worked as the matching engine works them, are
 * booked to the unit, and a venue made anew from its rows at any moment goes on alike.
 * Method: each way an order may go, by hand against the book as it stands; then random orders,
 * cancels and reloads from a seed beside a venue that is never reloaded: what both said is the same
 * frame by frame, the fills add up to what the accounts hold, money by fills alone comes to the
 * cash, the engine knows the same positions and open orders. A failure prints the seed. */
#include "actors/market/book.h"
#include "actors/venue/crowd.h"
#include "tests/actors/test_venue.h"

/* Sizes of a random run. */
enum crowd_sizes { CROWD_SEEDS = 6, CROWD_STEPS = 1200, CROWD_ORDERS = 4096 };

/* open_crowd readies b: instrument 1 ("A", linear) and 2 ("B", spot), both made by agents. */
static void open_crowd(struct bench *b, const char *more) {
    char yaml[400];
    struct rt_error err = { 0 };
    bench_world(b);
    strcpy(b->instruments[0].name, "A");
    strcpy(b->instruments[1].name, "B");
    snprintf(
        yaml, sizeof yaml,
        "{%s agents: {instruments: [A, {instrument: B, start_price: 2000}], start_price: 1000, "
        "seed: 5, noise: 60, makers: 5, order_notional: 2000}}",
        more);
    if (rig_open(&b->rig, &venue_kind, yaml, &b->market, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rig_start(&b->rig, START_NS);
    bench_at(b, 600);
    rig_forget(&b->rig);
}

/* engine_of returns the engine of instrument id. */
static const struct vm *engine_of(const struct bench *b, uint16_t id) {
    return ((const struct venue *)b->rig.state)->crowds[id - 1]->ag->vm;
}

/* best returns the best price of a side of instrument id, in plain numbers. */
static double best(const struct bench *b, uint16_t id, enum vm_side side) {
    return (double)vm_best(engine_of(b, id), side) * 0.5;
}

/* What was said of one order. */
struct tale {
    qty_t filled;            /* sum of its fills */
    cash_t cost;             /* of price times quantity, exact at these steps */
    uint32_t fills, makers;  /* how many; of them as maker */
    price_t low, high;       /* prices */
    uint32_t accepted, ends; /* statuses */
    uint8_t status;          /* of its end */
    uint16_t reason;         /* of its end */
};

/* tale_of reads what was said of order id, and forgets nothing. */
static struct tale tale_of(const struct bench *b, uint64_t id) {
    struct tale t = { .low = INT64_MAX };
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&b->rig, i)) != NULL; i++) {
        if (f->kind == MSG_VENUE_STATUS) {
            const struct msg_venue_status *s = msg_body(f);
            if (s->order_id != id) continue;
            if (s->status == ORDER_STATUS_ACCEPTED) {
                t.accepted++;
                continue;
            }
            t.ends++;
            t.status = s->status;
            t.reason = s->reason;
        } else if (f->kind == MSG_VENUE_FILL) {
            const struct msg_venue_fill *v = msg_body(f);
            if (v->order_id != id) continue;
            t.fills++;
            t.makers += v->liquidity == LIQUIDITY_MAKER;
            t.filled += v->quantity;
            t.cost += v->price / 1000000 * (v->quantity / 1000000) * 10000;
            if (v->price < t.low) t.low = v->price;
            if (v->price > t.high) t.high = v->price;
        }
    }
    return t;
}

/* lives tells whether order id is open at the venue. */
static bool lives(const struct bench *b, uint64_t id) {
    const struct venue *v = b->rig.state;
    return venue_orders_find(&v->orders, id) != VENUE_NONE;
}

/* A market order takes level by level, as many as it needs; each is a fill and a public trade. */
static void test_takes_levels(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    struct vm_depth d[3];
    assert_int_equal(vm_depth(engine_of(&b, 1), VM_SELL, d, 3), 3);
    int64_t lots = d[0].lots + d[1].lots + 1;
    ASK(&b, .id = 1, .type = ORDER_TYPE_MARKET, .quantity = (double)lots * 0.1);
    struct tale t = tale_of(&b, 1);
    assert_int_equal(t.filled, lots * fx(0.1));
    assert_true(t.fills >= 3);
    assert_int_equal(t.makers, 0);
    assert_int_equal(t.low, d[0].price * fx(0.5));
    assert_int_equal(t.high, d[2].price * fx(0.5));
    assert_int_equal(t.ends, 0);
    assert_int_equal(rig_count(&b.rig, MSG_TRADE), t.fills);
    assert_int_equal(rig_count(&b.rig, MSG_QUOTE), 1); /* the new touch, once */
    const struct msg_quote *q = msg_body(rig_find(&b.rig, MSG_QUOTE, 0));
    assert_int_equal(q->ask, d[2].price * fx(0.5));
    assert_int_equal(bench_held(&b, 1, 1).quantity, t.filled);
    assert_false(lives(&b, 1));
    bench_close(&b);
}

/* A limit order waits its turn: what is shown at its price goes first. */
static void test_rests(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    double price = best(&b, 1, VM_BUY);
    int64_t ahead = vm_at(engine_of(&b, 1), vm_best(engine_of(&b, 1), VM_BUY), NULL);
    ASK(&b, .id = 1, .type = ORDER_TYPE_LIMIT, .price = price, .quantity = 3,
        .terms = ORDER_TERMS_POST_ONLY);
    struct vm_view view = { 0 };
    uint64_t id = 0;
    while ((id = vm_order_next(engine_of(&b, 1), id)) != 0) {
        assert_true(vm_find(engine_of(&b, 1), id, &view));
        if (view.owner == 0) break;
    }
    assert_int_equal(view.tag, 1);
    assert_int_equal(vm_ahead(engine_of(&b, 1), id), ahead);
    for (double s = 601; lives(&b, 1) && s < 7200; s += 1) bench_at(&b, s);
    struct tale t = tale_of(&b, 1);
    assert_int_equal(t.filled, fx(3));
    assert_int_equal(t.makers, t.fills);
    assert_int_equal(t.low, fx(price));
    assert_int_equal(t.high, fx(price));
    bench_close(&b);
}

/* post_only, ioc, fok. */
static void test_terms(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    struct vm_depth ask;
    assert_int_equal(vm_depth(engine_of(&b, 1), VM_SELL, &ask, 1), 1);
    double price = (double)ask.price * 0.5, more = (double)(ask.lots + 20) * 0.1;
    ASK(&b, .id = 1, .type = ORDER_TYPE_LIMIT, .price = price, .terms = ORDER_TERMS_POST_ONLY);
    struct tale t = tale_of(&b, 1);
    assert_true(t.fills == 0 && t.ends == 1 && t.status == ORDER_STATUS_REJECTED);
    assert_int_equal(t.reason, REASON_WOULD_MATCH);
    ASK(&b, .id = 2, .type = ORDER_TYPE_LIMIT, .price = price, .quantity = more,
        .terms = ORDER_TERMS_FOK);
    t = tale_of(&b, 2);
    assert_true(t.fills == 0 && t.status == ORDER_STATUS_EXPIRED);
    assert_int_equal(t.reason, REASON_FILL_OR_KILL);
    ASK(&b, .id = 3, .type = ORDER_TYPE_MARKET, .quantity = 90000, .terms = ORDER_TERMS_FOK);
    t = tale_of(&b, 3);
    assert_true(t.fills == 0 && t.status == ORDER_STATUS_EXPIRED);
    assert_int_equal(t.reason, REASON_FILL_OR_KILL);
    ASK(&b, .id = 4, .type = ORDER_TYPE_LIMIT, .price = price, .quantity = more,
        .terms = ORDER_TERMS_IOC);
    t = tale_of(&b, 4);
    assert_int_equal(t.filled, ask.lots * fx(0.1));
    assert_int_equal(t.status, ORDER_STATUS_EXPIRED);
    assert_int_equal(t.reason, REASON_NOT_FILLED_AT_ONCE);
    ASK(&b, .id = 5, .type = ORDER_TYPE_LIMIT, .price = price + 10, .quantity = 1,
        .terms = ORDER_TERMS_FOK);
    assert_int_equal(tale_of(&b, 5).filled, fx(1));
    for (uint64_t id = 1; id <= 5; id++) assert_false(lives(&b, id));
    bench_close(&b);
}

/* reduce_only needs a position, is cut to it, and goes with it. */
static void test_reduces(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    double far = best(&b, 1, VM_SELL) + 200;
    ASK(&b, .id = 1, .type = ORDER_TYPE_LIMIT, .side = SIDE_SELL, .price = far,
        .terms = ORDER_TERMS_REDUCE_ONLY);
    struct tale t = tale_of(&b, 1);
    assert_true(t.status == ORDER_STATUS_REJECTED && t.reason == REASON_REDUCE_ONLY);
    ASK(&b, .id = 2, .type = ORDER_TYPE_MARKET, .quantity = 2);
    ASK(&b, .id = 3, .type = ORDER_TYPE_LIMIT, .side = SIDE_SELL, .price = far, .quantity = 2,
        .terms = ORDER_TERMS_REDUCE_ONLY);
    assert_true(lives(&b, 3));
    ASK(&b, .id = 4, .type = ORDER_TYPE_MARKET, .side = SIDE_SELL, .quantity = 5,
        .terms = ORDER_TERMS_REDUCE_ONLY);
    t = tale_of(&b, 4);
    assert_int_equal(t.filled, fx(2));
    assert_true(t.status == ORDER_STATUS_EXPIRED && t.reason == REASON_REDUCE_ONLY);
    t = tale_of(&b, 3);
    assert_true(t.status == ORDER_STATUS_EXPIRED && t.reason == REASON_REDUCE_ONLY);
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    assert_false(lives(&b, 3));
    bench_close(&b);
}

/* Charges are covered too: a fill-or-kill order is not sent where they are not. */
static void test_covers_charges(void **unused) {
    (void)unused;
    static const struct mk_charges charges = { .cnt = 1,
                                               .list = { { .per_order = 5 * FIXED_ONE,
                                                           .step = 1,
                                                           .from_ns = INT64_MIN,
                                                           .until_ns = INT64_MAX,
                                                           .sides = MK_CHARGE_BUYS } } };
    static struct mk_charged charged[2 * 4096];
    for (int k = 0; k < 2; k++) {
        struct bench b;
        open_crowd(&b, "");
        struct venue *v = b.rig.state;
        v->charged = charged; /* as if it had been declared at init */
        b.instruments[1].charges = &charges;
        double cost = best(&b, 2, VM_SELL) * 0.1 + 5;
        v->cash[0] = fx(cost + (k == 0 ? 0.0001 : -0.0001));
        ASK(&b, .id = 1, .instrument = 2, .type = ORDER_TYPE_MARKET, .quantity = 0.1,
            .terms = ORDER_TERMS_FOK);
        struct tale t = tale_of(&b, 1);
        assert_int_equal(t.filled, k == 0 ? fx(0.1) : 0);
        assert_true(k == 0 || t.reason == REASON_INSUFFICIENT_BALANCE);
        if (k == 0) assert_int_equal(bench_cash(&b, 1), fx(0.0001));
        bench_close(&b);
    }
}

/* Spot: what cash or holdings do not cover is cut; a fill-or-kill order is not sent then. */
static void test_covers(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    ((struct venue *)b.rig.state)->cash[0] = fx(3000);
    ASK(&b, .id = 1, .instrument = 2, .type = ORDER_TYPE_MARKET, .quantity = 2,
        .terms = ORDER_TERMS_FOK);
    struct tale t = tale_of(&b, 1);
    assert_true(t.fills == 0 && t.reason == REASON_INSUFFICIENT_BALANCE);
    ASK(&b, .id = 2, .instrument = 2, .type = ORDER_TYPE_MARKET, .quantity = 2);
    t = tale_of(&b, 2);
    assert_true(t.filled > fx(1) && t.filled < fx(1.6));
    assert_true(t.status == ORDER_STATUS_EXPIRED && t.reason == REASON_INSUFFICIENT_BALANCE);
    assert_true(bench_cash(&b, 1) >= 0 && bench_cash(&b, 1) < fx(250)); /* less than a lot */
    assert_int_equal(bench_held(&b, 1, 2).quantity, t.filled);
    ASK(&b, .id = 3, .instrument = 2, .type = ORDER_TYPE_MARKET, .side = SIDE_SELL, .quantity = 9);
    assert_int_equal(tale_of(&b, 3).filled, t.filled);
    assert_int_equal(bench_held(&b, 1, 2).quantity, 0);
    bench_close(&b);
}

/* A stop waits for a trade at its price; one that is true already acts at once. */
static void test_stops(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    double last = (double)vm_last(engine_of(&b, 1)) * 0.5;
    ASK(&b, .id = 1, .type = ORDER_TYPE_STOP, .price = last - 5);
    assert_int_equal(tale_of(&b, 1).filled, fx(1));
    ASK(&b, .id = 2, .type = ORDER_TYPE_STOP, .side = SIDE_SELL, .price = last - 2);
    assert_true(tale_of(&b, 2).fills == 0 && lives(&b, 2));
    price_t low = INT64_MAX;
    for (double s = 601; lives(&b, 2) && s < 86400; s += 1) bench_at(&b, s);
    for (size_t n = 0; n < rig_count(&b.rig, MSG_TRADE); n++) {
        const struct msg_trade *trade = msg_body(rig_find(&b.rig, MSG_TRADE, n));
        if (trade->instrument == 1 && trade->price < low) low = trade->price;
        if (n > 2000) break; /* the search begins anew each time */
    }
    struct tale t = tale_of(&b, 2);
    assert_int_equal(t.filled, fx(1));
    assert_int_equal(t.makers, 0);
    assert_true(t.high <= fx(last - 2) || low <= fx(last - 2));
    bench_close(&b);
}

/* The engine's own order of ours numbered id; fails when it has none. */
static struct vm_view in_engine(const struct bench *b, uint16_t of, uint64_t id) {
    struct vm_view view;
    for (uint64_t at = 0; (at = vm_order_next(engine_of(b, of), at)) != 0;) {
        assert_true(vm_find(engine_of(b, of), at, &view));
        if (view.owner < 2 && view.tag == id) return view;
    }
    fail_msg("order %d is not in the engine", (int)id);
    return view;
}

/* Types with a trigger, a shown part, an end: as the engine has them. */
static void test_types(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    double last = (double)vm_last(engine_of(&b, 1)) * 0.5;
    ASK(&b, .id = 1, .type = ORDER_TYPE_TAKE_PROFIT, .side = SIDE_SELL, .price = last - 5);
    assert_int_equal(tale_of(&b, 1).filled, fx(1)); /* true already */
    ASK(&b, .id = 2, .type = ORDER_TYPE_TAKE_PROFIT, .side = SIDE_SELL, .price = last + 500);
    bench_more(&b, (struct ask){ .id = 3, .type = ORDER_TYPE_STOP_LIMIT, .price = last - 50 },
               (struct mk_more){ .stop_price = fx(last - 5) }); /* triggers, and rests */
    bench_more(&b, (struct ask){ .id = 4, .type = ORDER_TYPE_TAKE_PROFIT_LIMIT, .price = 5 },
               (struct mk_more){ .stop_price = fx(last - 500) });
    bench_more(&b,
               (struct ask){ .id = 5, .type = ORDER_TYPE_LIMIT, .price = last - 60, .quantity = 3 },
               (struct mk_more){ .display = fx(0.5) });
    bench_more(&b, (struct ask){ .id = 6, .type = ORDER_TYPE_TRAILING_STOP, .side = SIDE_SELL },
               (struct mk_more){ .trail_bips = 20 });
    bench_more(&b, (struct ask){ .id = 7, .type = ORDER_TYPE_TRAILING_STOP, .side = SIDE_SELL },
               (struct mk_more){ .trail_bips = 20, .activation = fx(last + 400) });
    bench_more(
        &b,
        (struct ask){
            .id = 8, .type = ORDER_TYPE_LIMIT, .price = last - 70, .terms = ORDER_TERMS_GTD },
        (struct mk_more){ .expire_ns = START_NS + 700 * SECOND_NS });
    assert_true(in_engine(&b, 1, 2).type == VM_TAKE && in_engine(&b, 1, 2).state == VM_ARMED);
    assert_true(in_engine(&b, 1, 3).flags & VM_FIRED && in_engine(&b, 1, 3).state == VM_BOOK);
    assert_int_equal(in_engine(&b, 1, 4).type, VM_TAKE_LIMIT);
    assert_int_equal(in_engine(&b, 1, 4).state, VM_ARMED);
    assert_int_equal(in_engine(&b, 1, 5).show, 5);
    assert_true(in_engine(&b, 1, 6).flags & VM_ACTIVE);
    assert_false(in_engine(&b, 1, 7).flags & VM_ACTIVE);
    rig_reload(&b.rig);
    for (double s = 601; lives(&b, 6) && s < 86400; s += 1) bench_at(&b, s);
    struct tale t = tale_of(&b, 6);
    assert_true(t.filled == fx(1) && t.makers == 0);
    if (bench_now(&b) < 700) bench_at(&b, 700);
    t = tale_of(&b, 8);
    assert_true(t.fills == 0 && t.status == ORDER_STATUS_EXPIRED);
    assert_int_equal(t.reason, REASON_GOOD_TILL_DATE);
    assert_int_equal(vm_at(engine_of(&b, 1), (int64_t)(last * 2) - 140, NULL), 0);
    bench_close(&b);
}

/* exits asks for a stop and a target behind the order parent, at so far from last. */
static void exits(struct bench *b, uint64_t parent, double last, double far) {
    bench_more(b,
               (struct ask){ .id = parent + 1,
                             .side = SIDE_SELL,
                             .type = ORDER_TYPE_STOP,
                             .price = last - far,
                             .terms = ORDER_TERMS_REDUCE_ONLY },
               (struct mk_more){ .parent = parent, .oco = parent + 1 });
    bench_more(b,
               (struct ask){ .id = parent + 2,
                             .side = SIDE_SELL,
                             .type = ORDER_TYPE_LIMIT,
                             .price = last + far,
                             .terms = ORDER_TERMS_REDUCE_ONLY },
               (struct mk_more){ .parent = parent, .oco = parent + 1 });
}

/* One taker meets both orders of a group: both fills count, as both were printed. */
static void test_group_met(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    double ask = best(&b, 1, VM_SELL);
    bench_more(&b,
               (struct ask){ .id = 1, .side = SIDE_SELL, .type = ORDER_TYPE_LIMIT, .price = ask },
               (struct mk_more){ .oco = 1 });
    bench_more(
        &b, (struct ask){ .id = 2, .side = SIDE_SELL, .type = ORDER_TYPE_LIMIT, .price = ask + 1 },
        (struct mk_more){ .oco = 1 });
    int64_t lots = 0;
    for (double p = ask; p <= ask + 1; p += 0.5) {
        lots += vm_at(engine_of(&b, 1), (int64_t)(p * 2), NULL);
    }
    ASK(&b, .id = 3, .type = ORDER_TYPE_MARKET, .account = 2, .quantity = (double)lots / 10);
    struct tale one = tale_of(&b, 1), two = tale_of(&b, 2), taker = tale_of(&b, 3);
    assert_int_equal(one.filled, fx(1));
    assert_int_equal(two.filled, fx(1));
    assert_int_equal(taker.filled, lots * fx(0.1));
    bench_close(&b);
    open_crowd(&b, ""); /* the taker meets all of one and a part of the other: the rest ends */
    ask = best(&b, 1, VM_SELL);
    lots = vm_at(engine_of(&b, 1), (int64_t)(ask * 2), NULL);
    for (uint64_t id = 1; id <= 2; id++) {
        bench_more(
            &b, (struct ask){ .id = id, .side = SIDE_SELL, .type = ORDER_TYPE_LIMIT, .price = ask },
            (struct mk_more){ .oco = 1 });
    }
    ASK(&b, .id = 3, .type = ORDER_TYPE_MARKET, .account = 2, .quantity = (double)lots / 10 + 1.5);
    assert_int_equal(tale_of(&b, 1).filled, fx(1));
    assert_int_equal(tale_of(&b, 2).filled, fx(0.5));
    assert_int_equal(tale_of(&b, 2).reason, REASON_LIST_PARTNER);
    assert_false(lives(&b, 2));
    bench_close(&b);
}

/* Children wait until their parent is filled; one ends the other; they end with the parent. */
static void test_lists(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    double last = (double)vm_last(engine_of(&b, 1)) * 0.5, low = best(&b, 1, VM_BUY) - 2;
    ASK(&b, .id = 1, .type = ORDER_TYPE_MARKET);
    exits(&b, 1, last, 2.5); /* the parent is filled: they begin at once */
    assert_int_equal(in_engine(&b, 1, 2).state, VM_ARMED);
    assert_int_equal(in_engine(&b, 1, 3).state, VM_BOOK);
    for (double s = 601; (lives(&b, 2) || lives(&b, 3)) && s < 86400; s += 1) bench_at(&b, s);
    struct tale stop = tale_of(&b, 2), target = tale_of(&b, 3);
    assert_int_equal(stop.filled + target.filled, fx(1));
    assert_int_equal((stop.fills > 0 ? target : stop).reason, REASON_LIST_PARTNER);
    double now = bench_now(&b);
    last = (double)vm_last(engine_of(&b, 1)) * 0.5;
    low = best(&b, 1, VM_BUY) - 1;
    ASK(&b, .id = 11, .type = ORDER_TYPE_LIMIT, .price = low, .quantity = 1);
    exits(&b, 11, low, 3);
    uint32_t open = 0;
    for (uint64_t at = 0; (at = vm_order_next(engine_of(&b, 1), at)) != 0;) {
        struct vm_view view;
        assert_true(vm_find(engine_of(&b, 1), at, &view));
        open += view.owner < 2;
    }
    assert_int_equal(open, 1); /* the children are not there yet */
    rig_reload(&b.rig);
    for (double s = now; lives(&b, 11) && s < now + 86400; s += 1) bench_at(&b, s);
    assert_int_equal(tale_of(&b, 11).filled, fx(1));
    assert_true(lives(&b, 12) || tale_of(&b, 12).ends + tale_of(&b, 12).fills > 0);
    now = bench_now(&b);
    for (double s = now; (lives(&b, 12) || lives(&b, 13)) && s < now + 86400; s += 1) {
        bench_at(&b, s);
    }
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    ASK(&b, .id = 21, .type = ORDER_TYPE_LIMIT, .price = low - 300);
    exits(&b, 21, low, 3);
    ASK(&b, .id = 21, .op = REQUEST_OP_CANCEL);
    for (uint64_t id = 22; id <= 23; id++)
        assert_int_equal(tale_of(&b, id).reason, REASON_LIST_PARENT);
    ASK(&b, .id = 31, .type = ORDER_TYPE_MARKET);
    last = (double)vm_last(engine_of(&b, 1)) * 0.5;
    exits(&b, 31, last, 100);
    ASK(&b, .id = 32, .op = REQUEST_OP_CANCEL);
    assert_int_equal(tale_of(&b, 33).reason, REASON_LIST_PARTNER);
    assert_int_equal(vm_at(engine_of(&b, 1), (int64_t)((last + 100) * 2), NULL), 0);
    bench_close(&b);
}

/* lots_of returns the lots that order id has in the engine of instrument 1; 0 = not there. */
static int64_t lots_of(const struct bench *b, uint64_t id) {
    struct vm_view view;
    for (uint64_t at = 0; (at = vm_order_next(engine_of(b, 1), at)) != 0;) {
        assert_true(vm_find(engine_of(b, 1), at, &view));
        if (view.owner < 2 && view.tag == id) return view.left;
    }
    return 0;
}

/* big_entry places a buy of so much at the best bid, with a stop and a target so far from it;
 * returns its price. */
static double big_entry(struct bench *b, uint64_t id, double quantity, double far) {
    double price = best(b, 1, VM_BUY);
    ASK(b, .id = id, .type = ORDER_TYPE_LIMIT, .price = price, .quantity = quantity);
    for (uint64_t k = 1; k <= 2; k++) {
        bench_more(b,
                   (struct ask){ .id = id + k,
                                 .side = SIDE_SELL,
                                 .type = k == 1 ? ORDER_TYPE_STOP : ORDER_TYPE_LIMIT,
                                 .price = k == 1 ? price - far : price + far,
                                 .quantity = quantity,
                                 .terms = ORDER_TERMS_REDUCE_ONLY },
                   (struct mk_more){ .parent = id, .oco = id + 1 });
    }
    return price;
}

/* With children: first_fill stop and target are there for what of their parent is filled, at every
 * moment; the first that trades ends it. */
static void test_children_grow(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "children: first_fill,");
    big_entry(&b, 1, 5000, 300);
    uint32_t grown = 0;
    qty_t had = 0;
    for (double s = 601; grown < 8 && s < 86400; s += 1) {
        bench_at(&b, s);
        assert_true(lives(&b, 1));
        qty_t filled = tale_of(&b, 1).filled;
        assert_int_equal(lots_of(&b, 2) * fx(0.1), filled);
        assert_int_equal(lots_of(&b, 3) * fx(0.1), filled);
        if (filled > had && ++grown % 2 == 0) rig_reload(&b.rig);
        had = filled;
    }
    assert_true(grown == 8 && had < fx(5000));
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    assert_int_equal(lots_of(&b, 2) * fx(0.1), had); /* what is filled stays protected */
    ASK(&b, .id = 4, .type = ORDER_TYPE_MARKET, .side = SIDE_SELL, .quantity = (double)had / 1e8,
        .terms = ORDER_TERMS_REDUCE_ONLY);
    assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    ASK(&b, .id = 2, .op = REQUEST_OP_CANCEL);
    bool early = false;
    for (uint64_t id = 11; id < 200 && !early; id += 10) { /* until a child trades that early */
        double now = bench_now(&b);
        rig_forget(&b.rig);
        big_entry(&b, id, 100, 1);
        for (double s = now; (lives(&b, id + 1) || lives(&b, id + 2)) && s < now + 86400; s += 1) {
            bench_at(&b, s);
            struct tale stop = tale_of(&b, id + 1), target = tale_of(&b, id + 2);
            if (stop.fills + target.fills > 0) assert_false(lives(&b, id));
        }
        struct tale entry = tale_of(&b, id);
        early = early || entry.reason == REASON_LIST_PARTNER;
        assert_int_equal(tale_of(&b, id + 1).filled + tale_of(&b, id + 2).filled, entry.filled);
        assert_int_equal(bench_held(&b, 1, 1).quantity, 0);
    }
    assert_true(early);
    bench_close(&b);
}

/* A taker of ours moves the price: what that triggers of ours acts at the same instant, before
 * anything else. */
static void test_own_trades_trigger(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "");
    struct vm_depth d[6];
    assert_int_equal(vm_depth(engine_of(&b, 1), VM_SELL, d, 6), 6);
    int64_t lots = d[0].lots + d[1].lots + d[2].lots;
    double at = (double)d[2].price * 0.5;
    ASK(&b, .id = 1, .type = ORDER_TYPE_STOP, .price = at, .quantity = 0.3);
    ASK(&b, .id = 2, .type = ORDER_TYPE_STOP, .price = (double)d[5].price * 0.5);
    ASK(&b, .id = 3, .type = ORDER_TYPE_TAKE_PROFIT, .side = SIDE_SELL, .price = at, .account = 2,
        .quantity = 0.2);
    double now = bench_now(&b);
    assert_int_equal(tale_of(&b, 1).fills + tale_of(&b, 3).fills, 0);
    ASK(&b, .id = 4, .type = ORDER_TYPE_MARKET, .quantity = (double)lots * 0.1);
    assert_int_equal(tale_of(&b, 4).high, fx(at));
    assert_int_equal(tale_of(&b, 1).filled, fx(0.3)); /* behind the taker: what is left */
    assert_true(tale_of(&b, 1).low >= fx(at));
    assert_int_equal(tale_of(&b, 3).filled, fx(0.2));
    assert_true(lives(&b, 2) && bench_now(&b) == now);
    bench_close(&b);
}

/* An order that triggers is looked at again as what it becomes: a market order beyond the largest
 * lot expires with the filter's reason, its partner with it. */
static void test_trigger_filters(void **unused) {
    (void)unused;
    static const struct mk_filters f = { .market_max = 200000000 }; /* 2 */
    struct bench b;
    struct rt_error err = { 0 };
    bench_world(&b);
    strcpy(b.instruments[0].name, "A");
    strcpy(b.instruments[1].name, "B");
    b.instruments[0].filters = &f;
    int rc = rig_open(&b.rig, &venue_kind,
                      "{agents: {instruments: [A], start_price: 1000, seed: 5, noise: 60, "
                      "makers: 5, order_notional: 2000}}",
                      &b.market, &err);
    if (rc != 0) fail_msg("%s", err.text);
    rig_start(&b.rig, START_NS);
    bench_at(&b, 600);
    rig_forget(&b.rig);
    double last = (double)vm_last(engine_of(&b, 1)) * 0.5;
    bench_more(&b,
               (struct ask){ .id = 1, .type = ORDER_TYPE_STOP, .price = last + 2, .quantity = 2.1 },
               (struct mk_more){ .oco = 1 });
    bench_more(&b, (struct ask){ .id = 2, .type = ORDER_TYPE_LIMIT, .price = last - 300 },
               (struct mk_more){ .oco = 1 });
    ASK(&b, .id = 3, .type = ORDER_TYPE_STOP, .price = last + 2, .quantity = 2);
    for (double s = 601; (lives(&b, 1) || lives(&b, 3)) && s < 86400; s += 1) bench_at(&b, s);
    struct tale refused = tale_of(&b, 1);
    assert_true(refused.fills == 0 && refused.status == ORDER_STATUS_EXPIRED);
    assert_int_equal(refused.reason, REASON_VENUE_MARKET_LOT);
    assert_int_equal(tale_of(&b, 2).reason, REASON_LIST_PARTNER);
    assert_int_equal(tale_of(&b, 3).filled, fx(2));
    bench_close(&b);
}

/* Traders that would go on for ever on the virtual clock are refused. */
static void test_endless(void **unused) {
    (void)unused;
    struct bench b;
    struct rt_error err = { 0 };
    bench_world(&b);
    strcpy(b.instruments[0].name, "A");
    strcpy(b.instruments[1].name, "B");
    b.rig.endless = true;
    int rc = rig_open(&b.rig, &venue_kind, "{agents: {instruments: [A], start_price: 1000}}",
                      &b.market, &err);
    assert_true(rc < 0 && strstr(err.text, "needs an end:") != NULL);
    bench_close(&b);
}

/* The book that is told is the engine's after every event, in whole updates, and goes on after a
 * reload; on_book's strategies make it of the same rows by the same code. */
static void test_book(void **unused) {
    (void)unused;
    static struct bench b;
    struct rt_error err = { 0 };
    uint64_t gen = 3, id = 0, updates = 0;
    bench_world(&b);
    strcpy(b.instruments[0].name, "A");
    strcpy(b.instruments[1].name, "B");
    int rc = rig_open(&b.rig, &venue_kind,
                      "{agents: {instruments: [A], start_price: 1000, seed: 5, noise: 60, "
                      "makers: 5, order_notional: 2000, book: true}}",
                      &b.market, &err);
    if (rc != 0) fail_msg("%s", err.text);
    void *memory = NULL;
    assert_int_equal(posix_memalign(&memory, 64, mk_book_bytes(1 << 14, 1 << 14)), 0);
    memset(memory, 0, mk_book_bytes(1 << 14, 1 << 14));
    struct mk_book book;
    mk_book_init(&book, memory, 1 << 14, 1 << 14, fx(0.5));
    rig_start(&b.rig, START_NS);
    for (double s = 0; s < 1200; s += 0.25) {
        const struct msg_frame *f;
        bench_at(&b, s);
        if (gen_range(&gen, 0, 3) == 0) {
            id++;
            ASK(&b, .id = id, .side = (uint8_t)gen_range(&gen, 0, 1), .type = ORDER_TYPE_LIMIT,
                .price = best(&b, 1, VM_BUY) + (double)gen_range(&gen, -6, 6) * 0.5,
                .quantity = (double)gen_range(&gen, 1, 40) * 0.1);
        }
        if (id > 0 && gen_range(&gen, 0, 5) == 0) {
            ASK(&b, .id = (uint64_t)gen_range(&gen, 1, (int64_t)id), .op = REQUEST_OP_CANCEL);
        }
        for (size_t i = 0; (f = rig_said(&b.rig, i)) != NULL; i++) {
            const struct msg_book_delta *row = msg_body(f);
            if (f->kind != MSG_BOOK_DELTA) continue;
            assert_int_equal(row->time_ns, f->time_ns);
            updates += mk_book_apply(&book, row) == MK_BOOK_WHOLE;
        }
        rig_forget(&b.rig);
        assert_false(book.stale || book.open);
        for (uint8_t side = 0; side < 2; side++) {
            struct vm_depth levels[400];
            uint32_t cnt = vm_depth(engine_of(&b, 1), side, levels, 400);
            price_t at = 0;
            for (uint32_t i = 0; i < cnt; i++) {
                at = mk_book_next(&book, side, at);
                assert_int_equal(at, levels[i].price * fx(0.5));
                assert_int_equal(mk_book_at(&book, side, at), levels[i].lots * fx(0.1));
            }
            assert_int_equal(mk_book_next(&book, side, at), 0);
        }
        if (gen_range(&gen, 0, 200) == 0) rig_reload(&b.rig);
    }
    assert_true(updates > 3000 && book.update_id == updates);
    free(memory);
    bench_close(&b);
}

/* A request takes its time; a cancel that comes too late, or twice, is told so. */
static void test_latency(void **unused) {
    (void)unused;
    struct bench b;
    open_crowd(&b, "latency: 50ms,");
    double price = best(&b, 1, VM_BUY) - 100;
    ASK(&b, .id = 1, .type = ORDER_TYPE_LIMIT, .price = price);
    assert_int_equal(tale_of(&b, 1).accepted, 0);
    bench_at(&b, 600.0499);
    assert_int_equal(tale_of(&b, 1).accepted, 0);
    bench_at(&b, 600.05);
    assert_int_equal(tale_of(&b, 1).accepted, 1);
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    bench_at(&b, 600.07);
    assert_true(lives(&b, 1));
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    bench_at(&b, 600.2);
    struct tale t = tale_of(&b, 1);
    assert_int_equal(t.ends, 2);
    assert_int_equal(t.reason, REASON_UNKNOWN_ORDER);
    assert_int_equal(vm_at(engine_of(&b, 1), (int64_t)(price * 2), NULL), 0);
    ASK(&b, .id = 2, .type = ORDER_TYPE_LIMIT, .price = price);
    bench_at(&b, 601);
    stop_data(&b);
    t = tale_of(&b, 2);
    assert_true(t.status == ORDER_STATUS_EXPIRED && t.reason == REASON_END_OF_DATA);
    rig_forget(&b.rig);
    bench_at(&b, 700);
    assert_int_equal(rig_count(&b.rig, MSG_TRADE), 0); /* the market has closed */
    bench_close(&b);
}

/* same_said compares what two benches said, and forgets it. */
static void same_said(uint64_t seed, struct bench *a, struct bench *b) {
    const struct msg_frame *f, *g;
    for (size_t i = 0;; i++) {
        f = rig_said(&a->rig, i);
        g = rig_said(&b->rig, i);
        CHECK(seed, (f == NULL) == (g == NULL));
        if (f == NULL) break;
        CHECK(seed, f->kind == g->kind && f->size == g->size && f->time_ns == g->time_ns);
        CHECK(seed, memcmp(f + 1, g + 1, f->size - sizeof *f) == 0);
    }
}

/* Sums of all that was said to an account in an instrument. */
struct sums {
    qty_t held[2][2]; /* by account, instrument */
    cash_t cash[2];   /* by account: spot's notional, and linear's, as if it were paid */
};

/* add_fills adds what b said; who ordered what is told by the order's number. */
static void add_fills(const struct bench *b, struct sums *s, const uint8_t *side,
                      const uint8_t *account) {
    const struct msg_frame *f;
    for (size_t i = 0; (f = rig_said(&b->rig, i)) != NULL; i++) {
        if (f->kind != MSG_VENUE_FILL) continue;
        const struct msg_venue_fill *v = msg_body(f);
        uint8_t of = account[v->order_id] - 1;
        bool buy = side[v->order_id] == SIDE_BUY;
        cash_t worth = (cash_t)((__int128)v->price * v->quantity / FIXED_ONE); /* exact here */
        s->held[of][v->instrument - 1] += buy ? v->quantity : -v->quantity;
        s->cash[of] += buy ? -worth : worth;
    }
}

/* hold_up checks all that must be after every event. */
static void hold_up(uint64_t seed, const struct bench *b, const struct sums *s) {
    const struct venue *v = b->rig.state;
    uint32_t open = 0;
    for (uint16_t id = 1; id <= 2; id++) {
        const struct vm *vm = engine_of(b, id);
        struct vm_view view;
        const char *wrong = vm_check(vm);
        if (wrong != NULL) print_error("%s\n", wrong);
        CHECK(seed, wrong == NULL);
        for (uint8_t a = 1; a <= 2; a++) {
            CHECK(seed, bench_held(b, a, id).quantity == s->held[a - 1][id - 1]);
            CHECK(seed, vm_position_of(vm, a - 1U) == s->held[a - 1][id - 1] / fx(0.1));
        }
        for (uint64_t at = 0; (at = vm_order_next(vm, at)) != 0;) {
            CHECK(seed, vm_find(vm, at, &view));
            if (view.owner >= 2) continue;
            uint32_t idx = venue_orders_find(&v->orders, view.tag);
            CHECK(seed, idx != VENUE_NONE);
            const struct venue_order *order = &v->orders.pool[idx];
            bool cut = order->terms & ORDER_TERMS_REDUCE_ONLY;
            CHECK(seed, order->instrument == id && order->account == view.owner + 1);
            CHECK(seed, !(order->flags & VENUE_MORE) || v->orders.more[idx].stage == VENUE_RESTS);
            CHECK(seed, cut ? view.left * fx(0.1) <= order->quantity
                            : view.left * fx(0.1) == order->quantity);
            open++;
        }
    }
    for (uint64_t i = 1; i < CROWD_ORDERS; i++) {
        uint32_t idx = venue_orders_find(&v->orders, i);
        if (idx == VENUE_NONE || !(v->orders.pool[idx].flags & VENUE_MORE)) continue;
        if (v->orders.more[idx].stage == VENUE_PENDING) open++;
    }
    CHECK(seed, open == v->orders.by_id.cnt);
    for (uint8_t a = 1; a <= 2; a++) {
        cash_t linear = bench_held(b, a, 1).cost;
        CHECK(seed, bench_cash(b, a) - linear == fx(1000000) + s->cash[a - 1]);
    }
}

/* one_ask makes a random request of both benches. */
static void one_ask(uint64_t *gen, struct bench *a, struct bench *b, uint64_t id, uint8_t *side,
                    uint8_t *account, bool lists) {
    static const uint8_t terms[] = { 0,
                                     0,
                                     ORDER_TERMS_IOC,
                                     ORDER_TERMS_FOK,
                                     ORDER_TERMS_POST_ONLY,
                                     ORDER_TERMS_REDUCE_ONLY,
                                     ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_IOC };
    uint16_t of = (uint16_t)gen_range(gen, 1, 2);
    double near = best(a, of, gen_next(gen) & 1 ? VM_BUY : VM_SELL);
    struct ask ask = { .id = id,
                       .side = gen_next(gen) & 1 ? SIDE_BUY : SIDE_SELL,
                       .type = (uint8_t)gen_range(gen, ORDER_TYPE_MARKET, ORDER_TYPE_STOP),
                       .quantity = (double)gen_range(gen, 1, 120) * 0.1,
                       .instrument = of,
                       .account = (uint8_t)gen_range(gen, 1, 2) };
    struct mk_more m = { 0 };
    if (lists && gen_range(gen, 0, 1) == 0) {
        ask.type = (uint8_t)gen_range(gen, ORDER_TYPE_LIMIT, ORDER_TYPE_TRAILING_STOP);
        if (ask.type == ORDER_TYPE_STOP_LIMIT || ask.type == ORDER_TYPE_TAKE_PROFIT_LIMIT) {
            m.stop_price = fx(near + (double)gen_range(gen, -8, 8) * 0.5);
        }
        if (ask.type == ORDER_TYPE_TRAILING_STOP) m.trail_bips = (uint32_t)gen_range(gen, 1, 60);
        if (ask.type == ORDER_TYPE_LIMIT) m.display = fx(0.1) * gen_range(gen, 0, 1);
        if (gen_range(gen, 0, 9) == 0) {
            ask.terms = ORDER_TERMS_GTD;
            m.expire_ns = a->rig.ctx.now_ns + gen_range(gen, 1, 60) * SECOND_NS;
        }
        uint64_t to = id - (uint64_t)gen_range(gen, 0, id > 3 ? 3 : (int64_t)id - 1);
        if (gen_range(gen, 0, 2) == 0) m.oco = to;
        if (gen_range(gen, 0, 2) == 0 && to != id) m.parent = to;
        ask.account = account[to] != 0 ? account[to] : ask.account;
    } else if (ask.type != ORDER_TYPE_STOP)
        ask.terms = terms[gen_range(gen, 0, 6)];
    if (mk_order_priced(ask.type)) ask.price = near + (double)gen_range(gen, -8, 8) * 0.5;
    side[id] = ask.side;
    account[id] = ask.account;
    if (gen_range(gen, 0, 4) == 0) {
        ask = (struct ask){ .id = (uint64_t)gen_range(gen, 1, (int64_t)id),
                            .instrument = of,
                            .account = ask.account,
                            .op = gen_range(gen, 0, 9) == 0 ? REQUEST_OP_CANCEL_ALL
                                                            : REQUEST_OP_CANCEL };
    }
    if (lists && ask.op == REQUEST_OP_PLACE) {
        bench_more(a, ask, m);
        bench_more(b, ask, m);
        return;
    }
    bench_ask(a, ask);
    bench_ask(b, ask);
}

/* Random orders, cancels, reloads. */
static void test_random(void **unused) {
    (void)unused;
    static struct bench a, b;
    static uint8_t side[CROWD_ORDERS], account[CROWD_ORDERS];
    for (uint64_t seed = 1; seed <= 2 * CROWD_SEEDS; seed++) {
        memset(account, 0, sizeof account);
        uint64_t gen = seed * 77, id = 0;
        const char *more =
            seed % 2 ? "" : "latency: {order: {median: 20ms, sigma: 1}, answer: 9ms},";
        struct sums sums = { 0 };
        double at = 600;
        open_crowd(&a, more);
        open_crowd(&b, more);
        for (int step = 0; step < CROWD_STEPS; step++) {
            if (gen_range(&gen, 0, 2) > 0) {
                one_ask(&gen, &a, &b, ++id, side, account, seed > CROWD_SEEDS);
            } else {
                at += (double)gen_range(&gen, 1, 4000) * 0.001;
                bench_at(&a, at);
                bench_at(&b, at);
            }
            if (gen_range(&gen, 0, 60) == 0) rig_reload(&b.rig);
            if (seed % 2) add_fills(&a, &sums, side, account);
            same_said(seed, &a, &b);
            rig_forget(&a.rig);
            rig_forget(&b.rig);
            if (seed % 2) hold_up(seed, &a, &sums); /* answers are on their way else */
        }
        print_message("seed %d: %d orders, account 1 %lld and %lld held\n", (int)seed, (int)id,
                      (long long)bench_held(&a, 1, 1).quantity,
                      (long long)bench_held(&a, 1, 2).quantity);
        bench_close(&a);
        bench_close(&b);
    }
}

/* main runs them. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_levels),
        cmocka_unit_test(test_rests),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_reduces),
        cmocka_unit_test(test_covers),
        cmocka_unit_test(test_covers_charges),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_group_met),
        cmocka_unit_test(test_endless),
        cmocka_unit_test(test_children_grow),
        cmocka_unit_test(test_own_trades_trigger),
        cmocka_unit_test(test_trigger_filters),
        cmocka_unit_test(test_book),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
