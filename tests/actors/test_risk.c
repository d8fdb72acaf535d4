/* rig: drives the risk actor alone */
#include "actors/market/more.h"
#include "actors/risk/risk.h"
#include "tests/support/check.h"
#include "tests/support/rig.h"
#include "tests/support/world.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000LL
#define T0        (1700000000LL * SECOND_NS)
/* The strategy. */
enum { OWNER = 7 };

/* Limits of most tests; each at a figure that a case can sit under, on and over. */
#define LIMITS                                                                                     \
    "limits:\n"                                                                                    \
    "  max_order_quantity: 10\n"                                                                   \
    "  max_order_notional: 100000\n"                                                               \
    "  price_collar: 0.05\n"                                                                       \
    "  max_position: 20\n"                                                                         \
    "  order_rate: { count: 4, per: 4s }\n"                                                        \
    "  duplicate_window: 2s\n"                                                                     \
    "  max_open_orders: 8\n"

/* A bench with the actor on it. */
struct gate {
    struct rig rig;        /* the bench */
    struct msg_bar bar[3]; /* newest bar of each instrument */
    uint64_t seq;          /* orders so far */
};

/* gate_open makes the actor; prices 0 = none yet. */
static void gate_open(struct gate *g, const char *yaml, price_t perp, price_t spot) {
    memset(g, 0, sizeof *g);
    struct rt_error err = { 0 };
    for (uint32_t i = 0; i < 2; i++) rig_series(&g->rig, MSG_BAR, i + 1, 60 * SECOND_NS);
    rig_series(&g->rig, MSG_BAR, 1, 3600 * SECOND_NS); /* coarser: not the reference */
    int rc = rig_open(&g->rig, &risk_kind, yaml, &world, &err);
    if (rc != 0) fail_msg("%s", err.text);
    rig_start(&g->rig, T0);
    g->bar[0].close = perp;
    g->bar[1].close = spot;
    g->bar[2].close = 1;
    for (uint16_t i = 0; i < 2; i++) {
        if (g->bar[i].close != 0) rig_latest(&g->rig, i, &g->bar[i]);
    }
    rig_latest(&g->rig, 2, &g->bar[2]);
}

/* gate_hold gives the owner a position, as recovery would. */
static void gate_hold(struct gate *g, uint16_t instrument, qty_t quantity, qty_t buys,
                      qty_t sells) {
    struct msg_exposure_row row = { .quantity = quantity,
                                    .reserved_buy = buys,
                                    .reserved_sell = sells,
                                    .instrument = instrument,
                                    .owner = OWNER,
                                    .account = WORLD_MAIN };
    struct rt_error err = { 0 };
    assert_int_equal(risk_kind.load(g->rig.state, MSG_EXPOSURE_ROW, 0, &row, sizeof row, &err), 0);
}

/* gate_ask says an intent and returns the verdict. */
static struct msg_risk_verdict gate_ask(struct gate *g, struct msg_order_intent i) {
    if (i.order_id == 0) i.order_id = mk_order_id(OWNER, ++g->seq, 0);
    if (i.account == 0) i.account = WORLD_MAIN;
    rig_forget(&g->rig);
    assert_true(rig_hear(&g->rig, MSG_ORDER_INTENT, OWNER, &i, sizeof i));
    assert_int_equal(rig_count(&g->rig, MSG_RISK_VERDICT), 1);
    struct msg_risk_verdict v;
    memcpy(&v, msg_body(rig_find(&g->rig, MSG_RISK_VERDICT, 0)), sizeof v);
    assert_true(v.order_id == i.order_id && v.side == i.side && v.terms == i.terms);
    assert_true(v.quantity != 0 || v.reason != REASON_NONE);
    return v;
}

/* gate_state says that an order stands so. */
static void gate_state(struct gate *g, uint64_t order_id, uint8_t status) {
    struct msg_order_state s = { .order_id = order_id, .status = status };
    assert_true(rig_hear(&g->rig, MSG_ORDER_STATE, 2, &s, sizeof s));
}

/* exposure finds what the actor holds of an instrument. */
static const struct risk_exposure *exposure(const struct gate *g, uint16_t instrument) {
    const struct risk_state *st = g->rig.state;
    uint64_t key = (uint64_t)WORLD_MAIN << 32 | (uint64_t)OWNER << 16 | instrument;
    uint32_t at = rt_map_get(&st->by_key, key);
    return at == RT_MAP_NONE ? NULL : &st->exposures[at];
}

/* One line of the table: an order against one limit. */
struct line {
    const char *name;    /* what it shows */
    price_t reference;   /* newest close, 0 = none */
    qty_t held;          /* position before */
    qty_t buys, sells;   /* reserved before */
    uint16_t instrument; /* WORLD_* */
    uint8_t side;        /* SIDE_* */
    uint8_t type;        /* ORDER_TYPE_* */
    uint8_t terms;       /* ORDER_TERMS_* */
    price_t price;       /* of the order */
    qty_t quantity;      /* of the order */
    uint16_t reason;     /* expected */
    qty_t passed;        /* expected under on_limit: reduce, when not the same as under reject */
};

#define BUY   SIDE_BUY
#define SELL  SIDE_SELL
#define MKT   ORDER_TYPE_MARKET
#define LIM   ORDER_TYPE_LIMIT
#define STP   ORDER_TYPE_STOP
#define EXIT  ORDER_TERMS_EXIT
#define MILLI (FIXED_ONE / 1000)

static const struct line lines[] = {
    /* quantity */
    { "quantity under", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE - MILLI, REASON_NONE, 0 },
    { "quantity at", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE, REASON_NONE, 0 },
    { "quantity over", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE + MILLI,
      REASON_MAX_QUANTITY, 0 },
    { "quantity zero", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, 0, REASON_BAD_LOT, 0 },
    { "quantity negative", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, -ONE, REASON_BAD_LOT, 0 },
    { "quantity least", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, INT64_MIN, REASON_BAD_LOT, 0 },
    { "quantity most", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, INT64_MAX / MILLI *MILLI,
      REASON_MAX_QUANTITY, 0 },
    { "quantity off the lot", 1000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, ONE + 1, REASON_BAD_LOT, 0 },
    /* price form */
    { "price off the tick", 1000 * ONE, 0, 0, 0, 1, BUY, LIM, 0, 1000 * ONE + 1, ONE,
      REASON_BAD_TICK, 0 },
    { "price zero", 1000 * ONE, 0, 0, 0, 1, BUY, LIM, 0, 0, ONE, REASON_BAD_TICK, 0 },
    { "price negative", 1000 * ONE, 0, 0, 0, 1, SELL, STP, 0, -1000 * ONE, ONE, REASON_BAD_TICK,
      0 },
    /* notional: at 10000 the limit is 10 units exactly */
    { "notional under", 10000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE - MILLI, REASON_NONE, 0 },
    { "notional at", 10000 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE, REASON_NONE, 0 },
    { "notional over by the reference", 10000 * ONE + 1, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE,
      REASON_MAX_NOTIONAL, 0 },
    { "notional over by the price", 10000 * ONE, 0, 0, 0, 1, BUY, LIM, 0, 10000 * ONE + ONE / 10,
      10 * ONE, REASON_MAX_NOTIONAL, 0 },
    { "notional past 64 bits", INT64_MAX / 8, 0, 0, 0, 1, BUY, MKT, 0, 0, 10 * ONE, REASON_OVERFLOW,
      0 },
    { "min notional under", 5 * ONE - 1, 0, 0, 0, 1, BUY, MKT, 0, 0, ONE, REASON_MIN_NOTIONAL, 0 },
    { "min notional at", 5 * ONE, 0, 0, 0, 1, BUY, MKT, 0, 0, ONE, REASON_NONE, 0 },
    { "min notional, exit that closes", 5 * ONE - 1, ONE, 0, 0, 1, SELL, MKT, EXIT, 0, ONE,
      REASON_NONE, 0 },
    { "min notional, exit that closes the rest", 1 * ONE, 5 * ONE, 0, 4 * ONE, 1, SELL, MKT, EXIT,
      0, ONE, REASON_NONE, 0 },
    { "min notional, exit that leaves some", 5 * ONE - 1, 2 * ONE, 0, 0, 1, SELL, MKT, EXIT, 0, ONE,
      REASON_MIN_NOTIONAL, 0 },
    /* collar: 5 % of 1000 is 50 */
    { "collar under", 1000 * ONE, 0, 0, 0, 1, BUY, LIM, 0, 1050 * ONE - ONE / 10, ONE, REASON_NONE,
      0 },
    { "collar at", 1000 * ONE, 0, 0, 0, 1, BUY, LIM, 0, 1050 * ONE, ONE, REASON_NONE, 0 },
    { "collar over", 1000 * ONE, 0, 0, 0, 1, BUY, LIM, 0, 1050 * ONE + ONE / 10, ONE,
      REASON_PRICE_COLLAR, 0 },
    { "collar at, below", 1000 * ONE, 0, 0, 0, 1, SELL, LIM, 0, 950 * ONE, ONE, REASON_NONE, 0 },
    { "collar over, below", 1000 * ONE, 0, 0, 0, 1, SELL, LIM, 0, 950 * ONE - ONE / 10, ONE,
      REASON_PRICE_COLLAR, 0 },
    { "collar of a stop", 1000 * ONE, 0, 0, 0, 1, SELL, STP, 0, 940 * ONE, ONE, REASON_PRICE_COLLAR,
      0 },
    { "collar of an exit", 1000 * ONE, ONE, 0, 0, 1, SELL, LIM, EXIT, 940 * ONE, ONE,
      REASON_PRICE_COLLAR, 0 },
    { "collar of the highest price", 1000 * ONE, 0, 0, 0, 1, SELL, LIM, 0,
      INT64_MAX / (ONE / 10) * (ONE / 10), ONE, REASON_PRICE_COLLAR, 0 },
    { "no reference, limit", 0, 0, 0, 0, 1, BUY, LIM, 0, 1000 * ONE, ONE, REASON_NO_REFERENCE_PRICE,
      0 },
    { "no reference, market", 0, 0, 0, 0, 1, BUY, MKT, 0, 0, ONE, REASON_NO_REFERENCE_PRICE, 0 },
    { "no reference, exit at market", 0, -ONE, 0, 0, 1, BUY, MKT, EXIT, 0, ONE, REASON_NONE, 0 },
    { "no reference, exit at a limit", 0, -ONE, 0, 0, 1, BUY, LIM, EXIT, 1000 * ONE, ONE,
      REASON_NONE, 0 },
    { "no reference, second exit", 0, -ONE, ONE, 0, 1, BUY, MKT, EXIT, 0, ONE,
      REASON_NO_REFERENCE_PRICE, 0 },
    { "an instrument without series", 0, 0, 0, 0, 3, BUY, MKT, 0, 0, ONE, REASON_NO_REFERENCE_PRICE,
      0 },
    /* position: at most 20 either way, with what is open on that side */
    { "position under", 1000 * ONE, 15 * ONE, 0, 0, 1, BUY, MKT, 0, 0, 5 * ONE - MILLI, REASON_NONE,
      0 },
    { "position at", 1000 * ONE, 15 * ONE, 0, 0, 1, BUY, MKT, 0, 0, 5 * ONE, REASON_NONE, 0 },
    { "position over", 1000 * ONE, 15 * ONE, 0, 0, 1, BUY, MKT, 0, 0, 5 * ONE + MILLI,
      REASON_MAX_POSITION, 5 * ONE },
    { "position full", 1000 * ONE, 20 * ONE, 0, 0, 1, BUY, MKT, 0, 0, MILLI * 5,
      REASON_MAX_POSITION, 0 },
    { "position with open buys at", 1000 * ONE, 10 * ONE, 5 * ONE, 9 * ONE, 1, BUY, MKT, 0, 0,
      5 * ONE, REASON_NONE, 0 },
    { "position with open buys over", 1000 * ONE, 10 * ONE, 5 * ONE, 9 * ONE, 1, BUY, MKT, 0, 0,
      6 * ONE, REASON_MAX_POSITION, 5 * ONE },
    { "short at", 1000 * ONE, -15 * ONE, 0, 0, 1, SELL, MKT, 0, 0, 5 * ONE, REASON_NONE, 0 },
    { "short over", 1000 * ONE, -15 * ONE, 9 * ONE, ONE, 1, SELL, MKT, 0, 0, 5 * ONE,
      REASON_MAX_POSITION, 4 * ONE },
    { "short over, the rest off the lot", 1000 * ONE, -15 * ONE - 1, 0, 0, 1, SELL, MKT, 0, 0,
      5 * ONE, REASON_MAX_POSITION, 5 * ONE - MILLI },
    { "through zero, not an exit", 1000 * ONE, 5 * ONE, 0, 0, 1, SELL, MKT, 0, 0, 10 * ONE,
      REASON_NONE, 0 },
    { "reduced below min notional", 1000 * ONE, 20 * ONE - 4 * MILLI, 0, 0, 1, BUY, MKT, 0, 0, ONE,
      REASON_MAX_POSITION, -REASON_MIN_NOTIONAL },
    { "position past 64 bits", 1000 * ONE, INT64_MAX - ONE, 0, 0, 1, BUY, MKT, 0, 0, 2 * ONE,
      REASON_OVERFLOW, 0 },
    { "far over, reducing", 1000 * ONE, 100 * ONE, 0, 0, 1, SELL, MKT, 0, 0, 10 * ONE, REASON_NONE,
      0 },
    /* exits may not pass zero */
    { "exit of more than held", 1000 * ONE, ONE, 0, 0, 1, SELL, MKT, EXIT, 0, 2 * ONE,
      REASON_MAX_POSITION, ONE },
    { "exit of nothing", 1000 * ONE, 0, 0, 0, 1, SELL, MKT, EXIT, 0, ONE, REASON_MAX_POSITION, 0 },
    { "exit on the wrong side", 1000 * ONE, ONE, 0, 0, 1, BUY, MKT, EXIT, 0, ONE,
      REASON_MAX_POSITION, 0 },
    { "reduce_only of more than held", 1000 * ONE, -ONE, 0, 0, 1, BUY, MKT, ORDER_TERMS_REDUCE_ONLY,
      0, 2 * ONE, REASON_MAX_POSITION, ONE },
    { "stop and target over one holding", 1000 * ONE, ONE, 0, ONE, 1, SELL, LIM, EXIT, 1010 * ONE,
      ONE, REASON_NONE, 0 },
    /* spot */
    { "spot sells what it has", 0, ONE, 0, 0, 2, SELL, MKT, 0, 0, ONE, REASON_NONE, 0 },
    { "spot sells more", 0, ONE, 0, 0, 2, SELL, MKT, 0, 0, ONE + MILLI, REASON_SHORT_NOT_ALLOWED,
      0 },
    { "spot sells what is on sale", 0, ONE, 0, MILLI, 2, SELL, MKT, 0, 0, ONE,
      REASON_SHORT_NOT_ALLOWED, 0 },
    { "spot exit beside another sell", 0, ONE, 0, MILLI, 2, SELL, LIM, EXIT, 20000 * ONE, ONE,
      REASON_NONE, 0 },
    { "spot exit of more", 0, ONE, 0, 0, 2, SELL, MKT, EXIT, 0, ONE + MILLI,
      REASON_SHORT_NOT_ALLOWED, ONE },
    { "spot exit from nothing", 0, 0, 0, 0, 2, SELL, MKT, EXIT, 0, ONE, REASON_SHORT_NOT_ALLOWED,
      0 },
    /* what does not exist */
    { "no such instrument", 1000 * ONE, 0, 0, 0, 9, BUY, MKT, 0, 0, ONE, REASON_UNKNOWN_INSTRUMENT,
      0 },
    { "no such type", 1000 * ONE, 0, 0, 0, 1, BUY, 77, 0, 0, ONE, REASON_UNSUPPORTED, 0 },
    { "no such side", 1000 * ONE, 0, 0, 0, 1, 2, MKT, 0, 0, ONE, REASON_UNSUPPORTED, 0 },
};

/* Goal: each limit lets pass what is under it and on it and refuses what is over it, whatever the
 * figure. Method: the table; each line on a fresh actor, once rejecting, once reducing. */
static void test_each_limit(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof lines / sizeof *lines; n++) {
        for (int reduce = 0; reduce < 2; reduce++) {
            const struct line *l = &lines[n];
            struct gate g;
            gate_open(&g, reduce ? LIMITS "on_limit: reduce\n" : LIMITS, l->reference,
                      l->instrument == WORLD_SPOT ? 20000 * ONE : 0);
            if (l->instrument <= 3) gate_hold(&g, l->instrument, l->held, l->buys, l->sells);
            struct msg_risk_verdict v =
                gate_ask(&g, (struct msg_order_intent){ .price = l->price,
                                                        .quantity = l->quantity,
                                                        .instrument = l->instrument,
                                                        .side = l->side,
                                                        .type = l->type,
                                                        .terms = l->terms });
            uint16_t reason = l->reason;
            qty_t passed = reason == REASON_NONE ? l->quantity : 0;
            if (reduce && l->passed > 0) {
                reason = REASON_REDUCED;
                passed = l->passed;
            } else if (reduce && l->passed < 0) {
                reason = (uint16_t)-l->passed;
            }
            if (v.reason != reason || v.quantity != passed) {
                fail_msg("%s (reduce %d): reason %s, quantity %lld; expected %s, %lld", l->name,
                         reduce, msg_reason_name(v.reason), (long long)v.quantity,
                         msg_reason_name(reason), (long long)passed);
            }
            const struct risk_exposure *e = exposure(&g, l->instrument);
            if (l->instrument <= 3) { /* just what passed is reserved */
                assert_int_equal(e->reserved[SIDE_BUY],
                                 l->buys + (l->side == SIDE_BUY ? v.quantity : 0));
                assert_int_equal(e->reserved[SIDE_SELL],
                                 l->sells + (l->side == SIDE_SELL ? v.quantity : 0));
            }
            rig_close(&g.rig);
        }
    }
}

/* a market order of quantity. */
static struct msg_order_intent market(uint8_t side, qty_t quantity, uint8_t terms) {
    return (struct msg_order_intent){
        .quantity = quantity, .instrument = WORLD_PERP, .side = side, .terms = terms
    };
}

/* ask_more says an intent with further terms and returns why it was refused, REASON_NONE when it
 * passed: whole, with its terms. */
static uint16_t ask_more(struct gate *g, struct msg_order_intent i, struct mk_more m) {
    struct msg_order_intent_more more;
    if (i.order_id == 0) i.order_id = mk_order_id(OWNER, ++g->seq, 0);
    i.account = WORLD_MAIN;
    memcpy(&more, &i, sizeof i);
    mk_more_put(&more, sizeof i, &m);
    rig_forget(&g->rig);
    assert_true(rig_hear(&g->rig, MSG_ORDER_INTENT_MORE, OWNER, &more, sizeof more));
    const struct msg_frame *f = rig_said(&g->rig, 0);
    const struct msg_risk_verdict *v = msg_body(f);
    assert_true(v->order_id == i.order_id);
    if (v->quantity == 0) {
        assert_int_equal(f->kind, MSG_RISK_VERDICT);
        assert_int_not_equal(v->reason, REASON_NONE);
        return v->reason;
    }
    assert_int_equal(f->kind, MSG_RISK_VERDICT_MORE);
    assert_int_equal(v->quantity, i.quantity);
    assert_memory_equal(mk_more_of(v, sizeof *v), &m, sizeof m);
    return v->reason;
}

/* exit_at is an order to sell quantity at price that only reduces. */
static struct msg_order_intent exit_at(uint8_t type, price_t price, qty_t quantity) {
    struct msg_order_intent i = market(SELL, quantity, EXIT | ORDER_TERMS_REDUCE_ONLY);
    i.type = type;
    i.price = price;
    return i;
}

/* Goal: children pass beside their parent and reserve nothing, what would open does not; of a group
 * the larger counts once; terms that do not fit are refused. Method: a bracket and a pair, by
 * hand. */
static void test_lists(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 0);
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_NONE);
    uint64_t parent = mk_order_id(OWNER, g.seq, 0), first = mk_order_id(OWNER, g.seq + 1, 0);
    const struct mk_more child = { .parent = parent, .oco = first };
    struct msg_order_intent stop = exit_at(ORDER_TYPE_STOP, 990 * ONE, ONE);
    assert_int_equal(ask_more(&g, stop, child), REASON_NONE);
    assert_int_equal(ask_more(&g, exit_at(LIM, 1010 * ONE, ONE), child), REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], ONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], 0);
    stop.terms = EXIT; /* might turn the position around */
    assert_int_equal(ask_more(&g, stop, child), REASON_LIST_RULE);
    stop = exit_at(ORDER_TYPE_STOP, 990 * ONE, 2 * ONE); /* more than its parent */
    assert_int_equal(ask_more(&g, stop, child), REASON_LIST_RULE);
    stop = exit_at(ORDER_TYPE_STOP, 990 * ONE, ONE);
    assert_int_equal(ask_more(&g, stop, (struct mk_more){ .parent = 77 }), REASON_LIST_PARENT);
    assert_int_equal(ask_more(&g, stop, (struct mk_more){ .oco = 77 }), REASON_LIST_PARTNER);
    assert_int_equal(ask_more(&g, stop, (struct mk_more){ .stop_price = ONE }), REASON_BAD_TERMS);
    struct msg_order_intent trail = exit_at(ORDER_TYPE_TRAILING_STOP, 0, ONE);
    assert_int_equal(ask_more(&g, trail, (struct mk_more){ .parent = parent }), REASON_BAD_TERMS);
    assert_int_equal(ask_more(&g, trail, (struct mk_more){ .parent = parent, .trail_bips = 50 }),
                     REASON_NONE);
    rig_close(&g.rig);

    gate_open(&g, LIMITS, 1000 * ONE, 0);
    gate_hold(&g, WORLD_PERP, ONE, 0, 0);
    first = mk_order_id(OWNER, g.seq + 1, 0);
    assert_int_equal(ask_more(&g, stop, (struct mk_more){ .oco = first }), REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], ONE);
    assert_int_equal(ask_more(&g, exit_at(LIM, 1010 * ONE, ONE), (struct mk_more){ .oco = first }),
                     REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], ONE);
    gate_state(&g, mk_order_id(OWNER, g.seq, 0), ORDER_STATUS_EXPIRED);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], ONE);
    gate_state(&g, first, ORDER_STATUS_FILLED);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], 0);
    rig_close(&g.rig);
}

/* Goal: the rate grants its burst, then one order a second, and exits at any time; a refused order
 * spends nothing. Method: orders at chosen instants. */
static void test_order_rate(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 0);
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(gate_ask(&g, market(BUY, i * MILLI * 10, 0)).reason, REASON_NONE);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_ORDER_RATE);
    }
    g.rig.ctx.now_ns += SECOND_NS - 1;
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_ORDER_RATE);
    g.rig.ctx.now_ns += 1;
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_NONE);
    assert_int_equal(gate_ask(&g, market(BUY, 2 * ONE, 0)).reason, REASON_ORDER_RATE);
    rig_reload(&g.rig); /* the bucket is in the snapshot */
    assert_int_equal(gate_ask(&g, market(BUY, 2 * ONE, 0)).reason, REASON_ORDER_RATE);
    struct msg_fill f = { .order_id = mk_order_id(OWNER, 1, 0),
                          .price = 1000 * ONE,
                          .quantity = 10 * MILLI,
                          .instrument = WORLD_PERP,
                          .account = WORLD_MAIN };
    rig_hear(&g.rig, MSG_FILL, 2, &f, sizeof f);
    assert_int_equal(gate_ask(&g, market(SELL, 10 * MILLI, EXIT)).reason, REASON_NONE);
    assert_int_equal(gate_ask(&g, market(SELL, 10 * MILLI, EXIT)).reason, REASON_ORDER_RATE);
    rig_close(&g.rig);
}

/* Goal: the same order is refused within the window and passes at its end; one that differs in any
 * respect passes; exits are not held and do not hold. Method: orders at chosen instants. */
static void test_duplicate_window(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 0);
    gate_hold(&g, WORLD_PERP, 3 * ONE, 0, 0);
    assert_int_equal(gate_ask(&g, market(SELL, ONE, EXIT)).reason, REASON_NONE);
    assert_int_equal(gate_ask(&g, market(SELL, ONE, EXIT)).reason, REASON_NONE);
    assert_int_equal(gate_ask(&g, market(SELL, ONE, 0)).reason, REASON_NONE); /* no exit before */
    assert_int_equal(gate_ask(&g, market(SELL, ONE, 0)).reason, REASON_DUPLICATE_ORDER);
    rig_reload(&g.rig); /* the window is in the snapshot */
    assert_int_equal(gate_ask(&g, market(SELL, ONE, 0)).reason, REASON_DUPLICATE_ORDER);
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_NONE);
    struct msg_order_intent limit = market(SELL, ONE, 0);
    limit.type = LIM;
    limit.price = 1000 * ONE;
    assert_int_equal(gate_ask(&g, limit).reason, REASON_NONE);
    struct msg_order_intent other = market(SELL, ONE, 0); /* of another strategy */
    other.order_id = mk_order_id(OWNER + 1, 1, 0);
    other.account = WORLD_MAIN;
    rig_forget(&g.rig);
    rig_hear(&g.rig, MSG_ORDER_INTENT, OWNER + 1, &other, sizeof other);
    const struct msg_risk_verdict *v = msg_body(rig_said(&g.rig, 0));
    assert_int_equal(v->reason, REASON_NONE);
    g.rig.ctx.now_ns += 2 * SECOND_NS - 1;
    assert_int_equal(gate_ask(&g, market(SELL, ONE, 0)).reason, REASON_DUPLICATE_ORDER);
    g.rig.ctx.now_ns += 1;
    assert_int_equal(gate_ask(&g, market(SELL, ONE, 0)).reason, REASON_NONE);
    rig_close(&g.rig);
}

/* Goal: no more open orders than declared; a done one makes room; an id in use is refused; so is a
 * number that is not the sender's. Method: orders until it is full. */
static void test_open_orders(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 0);
    for (int i = 1; i <= 8; i++) {
        g.rig.ctx.now_ns += SECOND_NS;
        assert_int_equal(gate_ask(&g, market(BUY, i * 10 * MILLI, 0)).reason, REASON_NONE);
    }
    g.rig.ctx.now_ns += SECOND_NS;
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_OPEN_ORDERS_MAX);
    gate_state(&g, mk_order_id(OWNER, 3, 0), ORDER_STATUS_ACCEPTED); /* not done */
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_OPEN_ORDERS_MAX);
    gate_state(&g, mk_order_id(OWNER, 3, 0), ORDER_STATUS_CANCELED);
    gate_state(&g, mk_order_id(OWNER, 3, 0), ORDER_STATUS_CANCELED); /* again: nothing */
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SIDE_BUY], (36 - 3) * 10 * MILLI);
    struct msg_order_intent twice = market(BUY, ONE, 0);
    twice.order_id = mk_order_id(OWNER, 4, 0);
    assert_int_equal(gate_ask(&g, twice).reason, REASON_DUPLICATE_ID);
    twice.order_id = mk_order_id(OWNER + 1, 4, 0);
    assert_int_equal(gate_ask(&g, twice).reason, REASON_REFUSED_BAD_FRAME);
    assert_int_equal(gate_ask(&g, market(BUY, ONE, 0)).reason, REASON_NONE);
    rig_close(&g.rig);
}

/* Goal: kill and a failed journal hold everything, a low journal all that could add risk.
 * Method: the states in turn, over a reload. */
static void test_kill_and_journal(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 0);
    gate_hold(&g, WORLD_PERP, 5 * ONE, 0, 0);
    static const struct {
        int32_t error;        /* as told */
        uint32_t free;        /* as told */
        uint16_t entry, exit; /* expected */
    } steps[] = {
        { 0, 2, REASON_NONE, REASON_NONE },
        { 0, 1, REASON_JOURNAL_LOW, REASON_NONE },
        { 5, 9, REASON_JOURNAL_FAILED, REASON_JOURNAL_FAILED },
        { 0, 1, REASON_JOURNAL_FAILED, REASON_JOURNAL_FAILED },
        { 0, 2, REASON_NONE, REASON_NONE },
        { 0, 0, REASON_JOURNAL_LOW, REASON_NONE },
        { 0, 3, REASON_NONE, REASON_NONE },
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct msg_journal_state j = { .error = steps[i].error, .free_segments = steps[i].free };
        rig_hear(&g.rig, MSG_JOURNAL_STATE, 0, &j, sizeof j);
        rig_reload(&g.rig);
        g.rig.ctx.now_ns += 10 * SECOND_NS;
        struct msg_risk_verdict v = gate_ask(&g, market(BUY, ONE, 0));
        assert_int_equal(v.reason, steps[i].entry);
        gate_state(&g, v.order_id, ORDER_STATUS_CANCELED);
        v = gate_ask(&g, market(SELL, ONE / 10, EXIT));
        assert_int_equal(v.reason, steps[i].exit);
        gate_state(&g, v.order_id, ORDER_STATUS_CANCELED);
    }
    for (uint32_t word = 2; word-- > 0;) {
        struct msg_kill_seen k = { .word = word };
        rig_hear(&g.rig, MSG_KILL_SEEN, 0, &k, sizeof k);
        rig_reload(&g.rig);
        g.rig.ctx.now_ns += 10 * SECOND_NS;
        uint16_t want = word != 0 ? REASON_KILL_SWITCH : REASON_NONE;
        assert_int_equal(gate_ask(&g, market(SELL, ONE / 10, EXIT)).reason, want);
    }
    rig_close(&g.rig);
}

/* Goal: fills turn reservation into position; a spot buy's fee in base makes it smaller; fills of
 * strategies that never came by are none of ours. Method: a few fills. */
static void test_fills(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 1000 * ONE);
    struct msg_order_intent buy = market(BUY, 2 * ONE, 0);
    buy.instrument = WORLD_SPOT;
    struct msg_risk_verdict v = gate_ask(&g, buy);
    struct msg_fill f = { .order_id = v.order_id,
                          .price = 1000 * ONE,
                          .quantity = ONE,
                          .fee = 100000,
                          .instrument = WORLD_SPOT,
                          .fee_asset = WORLD_BTC,
                          .account = WORLD_MAIN,
                          .side = BUY };
    rig_hear(&g.rig, MSG_FILL, 2, &f, sizeof f);
    assert_int_equal(exposure(&g, WORLD_SPOT)->quantity, ONE - 100000);
    assert_int_equal(exposure(&g, WORLD_SPOT)->reserved[SIDE_BUY], ONE);
    gate_state(&g, v.order_id, ORDER_STATUS_EXPIRED);
    assert_int_equal(exposure(&g, WORLD_SPOT)->reserved[SIDE_BUY], 0);
    f.order_id = mk_order_id(OWNER + 1, 1, 0);
    rig_hear(&g.rig, MSG_FILL, 2, &f, sizeof f);
    assert_int_equal(((const struct risk_state *)g.rig.state)->by_key.cnt, 1);
    struct msg_order_intent sell = market(SELL, ONE, 0);
    sell.instrument = WORLD_SPOT;
    assert_int_equal(gate_ask(&g, sell).reason, REASON_SHORT_NOT_ALLOWED);
    sell.quantity = fixed_floor_to(ONE - 100000, FIXED_ONE / 100000);
    assert_int_equal(gate_ask(&g, sell).reason, REASON_NONE);
    rig_close(&g.rig);
}

/* Goal: protection does not hold back the exit at market that replaces it, nor is it unbounded
 * itself; all of it is reserved. Method: stops and targets over one position, then exits at
 * market. */
static void test_protection(void **state) {
    (void)state;
    for (int spot = 0; spot < 2; spot++) {
        struct gate g;
        gate_open(&g, LIMITS, 1000 * ONE, 1000 * ONE);
        uint16_t instrument = spot ? WORLD_SPOT : WORLD_PERP;
        gate_hold(&g, instrument, 10 * ONE, 0, 0);
        struct msg_order_intent i = market(SELL, 10 * ONE, EXIT);
        i.instrument = instrument;
        i.type = STP;
        i.price = 960 * ONE;
        struct msg_risk_verdict stop = gate_ask(&g, i);
        assert_int_equal(stop.reason, REASON_NONE);
        i.type = LIM;
        i.price = 1040 * ONE;
        assert_int_equal(gate_ask(&g, i).reason, REASON_NONE);
        i.price = 1041 * ONE;
        assert_int_equal(gate_ask(&g, i).reason, REASON_NONE);
        i.price = 1042 * ONE; /* 3 x 10 sold from 10 is the limit of 20 */
        assert_int_equal(gate_ask(&g, i).reason, REASON_MAX_POSITION);
        rig_reload(&g.rig);
        i.type = MKT;
        i.price = 0;
        i.quantity = 6 * ONE;
        assert_int_equal(gate_ask(&g, i).reason, REASON_NONE);
        i.quantity = 4 * ONE;
        struct msg_risk_verdict v = gate_ask(&g, i);
        assert_int_equal(v.reason, REASON_NONE);
        i.quantity = MILLI * 10;
        assert_int_equal(gate_ask(&g, i).reason, REASON_MAX_POSITION); /* all is being closed */
        assert_int_equal(exposure(&g, instrument)->reserved[SIDE_SELL], 40 * ONE);
        assert_int_equal(exposure(&g, instrument)->resting[SIDE_SELL], 30 * ONE);
        gate_state(&g, stop.order_id, ORDER_STATUS_CANCELED);
        gate_state(&g, v.order_id, ORDER_STATUS_EXPIRED);
        assert_int_equal(exposure(&g, instrument)->reserved[SIDE_SELL], 26 * ONE);
        assert_int_equal(exposure(&g, instrument)->resting[SIDE_SELL], 20 * ONE);
        rig_close(&g.rig);
    }
}

/* Goal: a stop that only reduces, whose cancel is still under way, does not hold back the order
 * that turns the position round; where the venue's rule does not bind it to this strategy's own
 * position (spot, plain exits, an instrument that another strategy trades) it does. Method: 10 held
 * of a limit of 20, a stop over them, an exit at market, and the sale to go short. */
static void test_turn_round(void **state) {
    (void)state;
    static const struct {
        uint8_t terms; /* of the stop and the exit */
        bool shared;   /* somebody else trades it */
        bool free;     /* the stop and the exit are in nobody's way */
    } cases[] = {
        { ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY, false, true },
        { ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY, true, false },
        { ORDER_TERMS_EXIT, false, false },
    };
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct gate g;
        gate_open(&g, LIMITS, 1000 * ONE, 1000 * ONE);
        gate_hold(&g, WORLD_PERP, 10 * ONE, 0, 0);
        ((struct risk_state *)g.rig.state)->instruments[WORLD_PERP - 1].shared = cases[n].shared;
        struct msg_order_intent i = market(SELL, 10 * ONE, cases[n].terms);
        i.type = STP;
        i.price = 960 * ONE;
        assert_int_equal(gate_ask(&g, i).reason, REASON_NONE);
        i.type = MKT;
        i.price = 0;
        assert_int_equal(gate_ask(&g, i).reason, REASON_NONE);
        rig_reload(&g.rig);
        ((struct risk_state *)g.rig.state)->instruments[WORLD_PERP - 1].shared = cases[n].shared;
        uint16_t then = cases[n].free ? REASON_NONE : REASON_MAX_POSITION;
        assert_int_equal(gate_ask(&g, market(SELL, 10 * ONE, 0)).reason, REASON_NONE);
        assert_int_equal(gate_ask(&g, market(SELL, 9 * ONE, 0)).reason, then);
        assert_int_equal(gate_ask(&g, market(SELL, ONE, 0)).reason, then);
        assert_int_equal(gate_ask(&g, market(SELL, MILLI, 0)).reason, REASON_MAX_POSITION);
        rig_close(&g.rig);
    }
}

/* Goal: a limit that is absent or makes no sense means no start, and the error names it. Method:
 * the whole set with one line of it taken out or spoilt; the same for overrides. */
static void test_no_start(void **state) {
    (void)state;
    static const struct {
        const char *key;   /* the error names it */
        const char *value; /* in place of what is right; "" = absent */
    } cases[] = {
        { "max_order_quantity", "" },
        { "max_order_quantity", "0" },
        { "max_order_quantity", "-1" },
        { "max_order_quantity", ".nan" },
        { "max_order_quantity", "10000000001" },
        { "max_order_quantity", "ten" },
        { "max_order_notional", "" },
        { "max_order_notional", "0" },
        { "max_order_notional", "-5" },
        { "max_order_notional", "nan" },
        { "max_order_notional", "1000000001" },
        { "price_collar", "" },
        { "price_collar", "0" },
        { "price_collar", "-0.1" },
        { "price_collar", "NaN" },
        { "price_collar", "0.51" },
        { "max_position", "" },
        { "max_position", "0" },
        { "max_position", "-1" },
        { "max_position", ".inf" },
        { "max_position", "10000000001" },
        { "order_rate", "" },
        { "order_rate", "{ per: 1s }" },
        { "order_rate", "{ count: 5 }" },
        { "count", "{ count: 0, per: 1s }" },
        { "count", "{ count: -1, per: 1s }" },
        { "count", "{ count: 1000001, per: 1s }" },
        { "per", "{ count: 5, per: 0s }" },
        { "order_rate", "{ count: 1000, per: 1us }" },
        { "duplicate_window", "" },
        { "burst", "{ count: 5, per: 1s, burst: 2 }" },
        { "duplicate_window", "0s" },
        { "duplicate_window", "-1s" },
        { "duplicate_window", "2d" },
        { "max_open_orders", "" },
        { "max_open_orders", "0" },
        { "max_open_orders", "65537" },
        { "max_open_orders", "nan" },
        { "wrong_key", "3" },
        { "instruments", "{ BTC-PERP: { max_position: 0 } }" },
        { "instruments", "{ BTC-PERP: { max_positions: 1 } }" },
        { "DOGE", "{ DOGE: { max_position: 1 } }" },
        { "instruments", "{ BTC-PERP: 5 }" },
    };
    static const char *const keys[] = { "max_order_quantity", "max_order_notional",
                                        "price_collar",       "max_position",
                                        "order_rate",         "duplicate_window",
                                        "max_open_orders" };
    static const char *const good[] = { "10", "100000", "0.05", "20", "{ count: 4, per: 4s }",
                                        "2s", "8" };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        char yaml[1000] = "limits:\n";
        const char *key = cases[n].key, *at = cases[n].key;
        if (strcmp(key, "count") == 0 || strcmp(key, "per") == 0 || strcmp(key, "burst") == 0) {
            at = "order_rate";
        }
        if (strcmp(key, "DOGE") == 0) at = "instruments";
        bool placed = false;
        for (size_t i = 0; i < 7; i++) {
            bool here = strcmp(keys[i], at) == 0;
            placed = placed || here;
            if (here && cases[n].value[0] == '\0') continue;
            snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), "  %s: %s\n", keys[i],
                     here ? cases[n].value : good[i]);
        }
        if (!placed) {
            snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), "  %s: %s\n", at,
                     cases[n].value);
        }
        struct rig r = { 0 };
        struct rt_error err = { 0 };
        int rc = rig_open(&r, &risk_kind, yaml, &world, &err);
        if (rc == 0 || strstr(err.text, key) == NULL || strstr(err.text, "rig:") == NULL) {
            fail_msg("%s: '%s': rc %d, error '%s'", key, cases[n].value, rc, err.text);
        }
        rig_close(&r);
    }
    struct rig r = { 0 };
    struct rt_error err = { 0 };
    assert_int_equal(rig_open(&r, &risk_kind, "{}", &world, &err), -EINVAL);
    assert_non_null(strstr(err.text, "limits"));
    rig_close(&r);
}

/* Goal: an override holds for its instrument alone. Method: the same order in both. */
static void test_overrides(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g,
              LIMITS "  instruments: { BTC-SPOT: { max_position: 2, max_order_quantity: 3 } }\n",
              1000 * ONE, 1000 * ONE);
    struct msg_order_intent buy = market(BUY, 3 * ONE, 0);
    assert_int_equal(gate_ask(&g, buy).reason, REASON_NONE);
    buy.instrument = WORLD_SPOT;
    assert_int_equal(gate_ask(&g, buy).reason, REASON_MAX_POSITION);
    buy.quantity = 4 * ONE;
    assert_int_equal(gate_ask(&g, buy).reason, REASON_MAX_QUANTITY);
    rig_close(&g.rig);
}

/* Goal: the test for multiples agrees with division. Method: random steps and numbers, multiples
 * and their neighbours. */
static void test_steps(void **state) {
    (void)state;
    uint64_t gen = 1;
    for (int n = 0; n < 200000; n++) {
        int64_t step = gen_range(&gen, 1, INT64_MAX) >> gen_range(&gen, 0, 62);
        if (step == 0) step = 1;
        if (gen_range(&gen, 0, 1)) step = (int64_t)1 << gen_range(&gen, 0, 62);
        struct risk_step s = risk_step_of(step);
        int64_t v = gen_range(&gen, 0, INT64_MAX) >> gen_range(&gen, 0, 62);
        if (gen_range(&gen, 0, 1)) v -= v % step;
        assert_true(risk_on_step(&s, v) == (v % step == 0));
    }
}

/* An order of the naive gate and of the world outside. */
struct naive_order {
    uint64_t id;         /* order id */
    uint16_t instrument; /* ours */
    uint8_t side;        /* SIDE_* */
    qty_t left_venue;    /* may still fill out there */
    qty_t left_told;     /* may still fill as far as the gate was told */
    bool reduces;        /* the venue lets it only reduce */
    bool done_venue;     /* ended out there */
    bool done_told;      /* and told */
};

/* A message on its way from the venue to the gate. */
struct late {
    uint16_t order; /* index of its order */
    qty_t fill;     /* a fill of that much, or 0 = */
    uint8_t status; /* this status */
};

/* Sizes of the random runs. */
enum { ORDERS = 600, LATE = 4000 };

/* Goal: whatever is open, in flight or told late, the true position can never come to pass the
 * limit, and what the gate reserves is never less than what may fill; reload changes nothing.
 * Method: random intents; a venue that fills and ends orders; its messages come late, in order;
 * the truth is kept as plain lists. */
static void test_bound_holds(void **state) {
    (void)state;
    static struct naive_order orders[ORDERS];
    static struct late queue[LATE];
    for (uint64_t seed = 1; seed <= 60; seed++) {
        uint64_t gen = seed;
        struct gate g;
        int64_t max = gen_range(&gen, 5, 30);
        char yaml[600];
        snprintf(yaml, sizeof yaml,
                 "limits: { max_order_quantity: 10, max_order_notional: 100000, price_collar: 0.5, "
                 "max_position: %d, order_rate: { count: 1000, per: 1ms }, duplicate_window: 1ns, "
                 "max_open_orders: %d }\non_limit: %s\n",
                 (int)max, (int)gen_range(&gen, 3, 40),
                 gen_range(&gen, 0, 1) ? "reduce" : "reject");
        gate_open(&g, yaml, 1000 * ONE, 1000 * ONE);
        uint32_t cnt = 0, first = 0, last = 0, passed = 0;
        qty_t real[4] = { 0 }, told[4] = { 0 };
        for (int step = 0; step < 1200 && cnt < ORDERS && last < LATE - 4; step++) {
            g.rig.ctx.now_ns += gen_range(&gen, 1, 1000000);
            int64_t dice = gen_range(&gen, 0, 9);
            if (dice < 4) {
                uint16_t instrument = (uint16_t)gen_range(&gen, 1, 2);
                struct msg_order_intent i =
                    market((uint8_t)gen_range(&gen, 0, 1), gen_range(&gen, 1, 10000) * MILLI,
                           gen_range(&gen, 0, 2) == 0 ? EXIT : 0);
                i.instrument = instrument;
                if (i.terms && gen_range(&gen, 0, 1)) i.terms |= ORDER_TERMS_REDUCE_ONLY;
                if (instrument == WORLD_SPOT) i.terms = 0; /* exits may lie over each other */
                struct msg_risk_verdict v = gate_ask(&g, i);
                CHECK(seed, v.quantity >= 0 && v.quantity <= i.quantity);
                if (v.quantity == 0) continue;
                passed++;
                orders[cnt++] = (struct naive_order){ .id = v.order_id,
                                                      .instrument = instrument,
                                                      .side = v.side,
                                                      .reduces = i.terms & ORDER_TERMS_REDUCE_ONLY,
                                                      .left_venue = v.quantity,
                                                      .left_told = v.quantity };
            } else if (dice < 8 && cnt > 0) {
                uint16_t n = (uint16_t)gen_range(&gen, cnt > 20 ? cnt - 20 : 0, cnt - 1);
                struct naive_order *o = &orders[n];
                if (o->done_venue) continue;
                int64_t part = gen_range(&gen, 0, 3);
                qty_t fill = part == 0   ? 0
                             : part == 1 ? o->left_venue
                                         : gen_range(&gen, 1, o->left_venue);
                if (o->reduces) { /* never past zero, out there */
                    qty_t held = o->side == SIDE_BUY ? -real[o->instrument] : real[o->instrument];
                    if (fill > held) fill = held > 0 ? held : 0;
                }
                if (fill > 0) {
                    o->left_venue -= fill;
                    real[o->instrument] += o->side == SIDE_BUY ? fill : -fill;
                    queue[last++] = (struct late){ .order = n, .fill = fill };
                }
                o->done_venue = o->left_venue == 0 || gen_range(&gen, 0, 1);
                queue[last++] =
                    (struct late){ .order = n,
                                   .status = !o->done_venue ? ORDER_STATUS_PARTIALLY_FILLED
                                             : o->left_venue == 0
                                                 ? ORDER_STATUS_FILLED
                                                 : (uint8_t)gen_range(&gen, ORDER_STATUS_CANCELED,
                                                                      ORDER_STATUS_EXPIRED) };
                if (o->done_venue) o->left_venue = 0;
            } else if (first < last) {
                const struct late *m = &queue[first++];
                struct naive_order *o = &orders[m->order];
                if (m->fill > 0) {
                    struct msg_fill f = { .order_id = o->id,
                                          .price = 1000 * ONE,
                                          .quantity = m->fill,
                                          .instrument = o->instrument,
                                          .fee_asset = WORLD_USDT,
                                          .account = WORLD_MAIN,
                                          .side = o->side };
                    rig_hear(&g.rig, MSG_FILL, 2, &f, sizeof f);
                    o->left_told -= m->fill;
                    told[o->instrument] += o->side == SIDE_BUY ? m->fill : -m->fill;
                } else {
                    gate_state(&g, o->id, m->status);
                    if (m->status >= ORDER_STATUS_FILLED) o->done_told = true;
                }
            }
            if (gen_range(&gen, 0, 99) == 0) rig_reload(&g.rig);
            for (uint16_t instrument = 1; instrument <= 2; instrument++) {
                qty_t open[2] = { 0 }, kept[2] = { 0 }, reducing[2] = { 0 };
                for (uint32_t i = 0; i < cnt; i++) {
                    if (orders[i].instrument != instrument) continue;
                    open[orders[i].side] += orders[i].left_venue;
                    if (orders[i].reduces) reducing[orders[i].side] += orders[i].left_venue;
                    if (!orders[i].done_told) kept[orders[i].side] += orders[i].left_told;
                }
                const struct risk_exposure *e = exposure(&g, instrument);
                if (e == NULL) continue;
                CHECK(seed, e->quantity == told[instrument]);
                CHECK(seed, e->reserved[SIDE_BUY] == kept[SIDE_BUY]);
                CHECK(seed, e->reserved[SIDE_SELL] == kept[SIDE_SELL]);
                qty_t up = real[instrument] + open[SIDE_BUY];
                qty_t down = real[instrument] - open[SIDE_SELL];
                CHECK(seed, up <= e->quantity + e->reserved[SIDE_BUY]);
                CHECK(seed, down >= e->quantity - e->reserved[SIDE_SELL]);
                CHECK(seed, instrument != WORLD_SPOT || down >= 0);
                for (int side = 0; side < 2; side++) { /* the worst way out there, either way */
                    qty_t along = side == SIDE_BUY ? real[instrument] : -real[instrument];
                    qty_t before = -along < reducing[side] ? -along : reducing[side];
                    qty_t worst = along + (before > 0 ? before : 0) + open[side] - reducing[side];
                    CHECK(seed, worst <= max * ONE);
                }
                CHECK(seed, real[instrument] <= max * ONE && real[instrument] >= -max * ONE);
            }
        }
        CHECK(seed, passed > 20);
        rig_close(&g.rig);
    }
}

/* Goal: rate and window agree with their naive forms under random traffic. Method: few different
 * orders at random instants, against a list of all that passed and a count of tokens in ns. */
static void test_flow_agrees_with_lists(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t gen = seed;
        struct gate g;
        int64_t count = gen_range(&gen, 1, 6), token_ns = gen_range(&gen, 1000, 50000);
        int64_t window_ns = gen_range(&gen, 1, 400000);
        char yaml[600];
        snprintf(yaml, sizeof yaml,
                 "limits: { max_order_quantity: 10, max_order_notional: 100000, price_collar: 0.5, "
                 "max_position: 1000, order_rate: { count: %d, per: %dns }, "
                 "duplicate_window: %dns, max_open_orders: 400 }\n",
                 (int)count, (int)(count * token_ns), (int)window_ns);
        gate_open(&g, yaml, 1000 * ONE, 0);
        struct {
            int64_t at_ns; /* when it passed */
            int64_t what;  /* which of the few orders */
        } list[400];
        int cnt = 0;
        int64_t full_ns = count * token_ns, left_ns = full_ns;
        for (int step = 0; step < 400; step++) {
            int64_t pause_ns = gen_range(&gen, 0, 2) * gen_range(&gen, 0, 2 * token_ns);
            g.rig.ctx.now_ns += pause_ns;
            left_ns = left_ns + pause_ns < full_ns ? left_ns + pause_ns : full_ns;
            int64_t what = gen_range(&gen, 0, 5);
            uint16_t want = REASON_NONE;
            for (int i = 0; i < cnt; i++) {
                if (list[i].what == what && g.rig.ctx.now_ns - list[i].at_ns < window_ns) {
                    want = REASON_DUPLICATE_ORDER;
                }
            }
            if (want == REASON_NONE && left_ns < token_ns) want = REASON_ORDER_RATE;
            struct msg_order_intent i = market((uint8_t)(what & 1), (1 + what / 2) * 10 * MILLI, 0);
            struct msg_risk_verdict v = gate_ask(&g, i);
            CHECK(seed, v.reason == want);
            if (want != REASON_NONE) continue;
            left_ns -= token_ns;
            list[cnt].at_ns = g.rig.ctx.now_ns;
            list[cnt++].what = what;
            gate_state(&g, v.order_id, ORDER_STATUS_REJECTED);
            if (gen_range(&gen, 0, 19) == 0) rig_reload(&g.rig);
        }
        CHECK(seed, cnt > 10);
        rig_close(&g.rig);
    }
}

/* gate_amend says an amend of a buy limit and returns the verdict. */
static uint16_t gate_amend(struct gate *g, uint64_t order_id, price_t price, qty_t quantity,
                           uint8_t terms) {
    struct msg_order_change m = { .order_id = order_id,
                                  .price = price,
                                  .quantity = quantity,
                                  .instrument = WORLD_PERP,
                                  .account = WORLD_MAIN,
                                  .side = BUY,
                                  .type = LIM,
                                  .terms = terms,
                                  .op = REQUEST_OP_AMEND };
    rig_forget(&g->rig);
    assert_true(rig_hear(&g->rig, MSG_ORDER_CHANGE, OWNER, &m, sizeof m));
    assert_int_equal(rig_count(&g->rig, MSG_CHANGE_VERDICT), 1);
    const struct msg_change_verdict *v = msg_body(rig_find(&g->rig, MSG_CHANGE_VERDICT, 0));
    assert_true(v->order_id == order_id && v->price == price && v->quantity == quantity);
    return v->reason;
}

/* gate_amended says what came of an amend: the order's quantity then. */
static void gate_amended(struct gate *g, uint64_t order_id, qty_t quantity, uint8_t by,
                         uint16_t reason) {
    struct msg_order_amended m = {
        .order_id = order_id, .quantity = quantity, .by = by, .reason = reason
    };
    assert_true(rig_hear(&g->rig, MSG_ORDER_AMENDED, 2, &m, sizeof m));
}

/* gate_fill says a fill of a buy. */
static void gate_fill(struct gate *g, uint64_t order_id, qty_t quantity) {
    struct msg_fill f = { .order_id = order_id,
                          .price = 1000 * ONE,
                          .quantity = quantity,
                          .instrument = WORLD_PERP,
                          .fee_asset = WORLD_USDT,
                          .account = WORLD_MAIN,
                          .side = BUY };
    assert_true(rig_hear(&g->rig, MSG_FILL, 2, &f, sizeof f));
}

/* Goal: an amend is held against the limits as the order it makes, less what has filled; until its
 * end is told the larger of both is reserved, then what it came to; it spends a token.
 * Method: figures by hand; the actor is made from its rows in between. */
static void test_amends(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 1000 * ONE);
    const struct msg_order_intent buy = {
        .price = 1000 * ONE, .quantity = 4 * ONE, .instrument = WORLD_PERP, .side = BUY, .type = LIM
    };
    uint64_t id = gate_ask(&g, buy).order_id;
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 4 * ONE);
    /* the form, and limits of one order */
    assert_int_equal(gate_amend(&g, id, 1000 * ONE + 1, 5 * ONE, 0), REASON_BAD_TICK);
    assert_int_equal(gate_amend(&g, id, 1000 * ONE, 5 * ONE + 1, 0), REASON_BAD_LOT);
    assert_int_equal(gate_amend(&g, id, 1000 * ONE, 11 * ONE, 0), REASON_MAX_QUANTITY);
    assert_int_equal(gate_amend(&g, id, 1060 * ONE, 4 * ONE, 0), REASON_PRICE_COLLAR);
    assert_int_equal(gate_amend(&g, id, 0, 5 * ONE, 0), REASON_REFUSED_BAD_FRAME);
    assert_int_equal(gate_amend(&g, id, 990 * ONE, 4 * ONE, EXIT), REASON_REFUSED_BAD_FRAME);
    assert_int_equal(gate_amend(&g, id + 1024, 990 * ONE, 4 * ONE, 0), REASON_UNKNOWN_ORDER);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 4 * ONE);
    /* up: reserved at once; a second one waits its turn */
    assert_int_equal(gate_amend(&g, id, 1000 * ONE, 7 * ONE, 0), REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 7 * ONE);
    rig_reload(&g.rig);
    assert_int_equal(gate_amend(&g, id, 990 * ONE, 7 * ONE, 0), REASON_AMEND_PENDING);
    gate_amended(&g, id, 4 * ONE, AMEND_BY_RISK, REASON_AMEND_PENDING); /* of the second */
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 7 * ONE);
    gate_fill(&g, id, ONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 6 * ONE);
    gate_amended(&g, id, 4 * ONE, AMEND_BY_STRATEGY, REASON_AMEND_RULE); /* the venue refused */
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 3 * ONE);
    rig_reload(&g.rig);
    /* down: the old one holds until the answer */
    assert_int_equal(gate_amend(&g, id, 0, ONE, 0), REASON_AMEND_RULE); /* filled already */
    assert_int_equal(gate_amend(&g, id, 0, 2 * ONE, 0), REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 3 * ONE);
    gate_amended(&g, id, 2 * ONE, AMEND_BY_STRATEGY, REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], ONE);
    /* beside others: 1 held, 1 open of it; 10 + 8 more of others would be 20 */
    struct msg_order_intent other = buy;
    other.quantity = 10 * ONE;
    uint64_t second = gate_ask(&g, other).order_id;
    assert_int_equal(gate_amend(&g, id, 1000 * ONE, 10 * ONE, 0), REASON_NONE); /* 1 + 9 + 10 */
    gate_amended(&g, id, 10 * ONE, AMEND_BY_STRATEGY, REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 19 * ONE);
    rig_until(&g.rig, T0 + 60 * SECOND_NS); /* tokens grow back */
    gate_fill(&g, second, ONE);
    assert_int_equal(gate_amend(&g, second, 1000 * ONE, 10 * ONE, 0),
                     REASON_NONE); /* 9 left: fits */
    gate_amended(&g, second, 10 * ONE, AMEND_BY_STRATEGY, REASON_AMEND_RULE);
    gate_state(&g, id, ORDER_STATUS_CANCELED);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 9 * ONE);
    gate_hold(&g, WORLD_SPOT, 0, 0, 0);
    gate_fill(&g, second, 8 * ONE); /* 10 held */
    gate_state(&g, second, ORDER_STATUS_CANCELED);
    struct msg_order_intent third = buy;
    third.quantity = 9 * ONE;
    uint64_t last = gate_ask(&g, third).order_id;
    assert_int_equal(gate_amend(&g, last, 1000 * ONE, 10 * ONE, 0), REASON_NONE); /* 10 + 10 */
    gate_amended(&g, last, 9 * ONE, AMEND_BY_STRATEGY, REASON_AMEND_RULE);
    gate_fill(&g, id, ONE); /* late: 11 held */
    assert_int_equal(gate_amend(&g, last, 1000 * ONE, 10 * ONE, 0), REASON_MAX_POSITION);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 9 * ONE);
    /* the venue cut it by itself; the rate */
    gate_amended(&g, last, 5 * ONE, AMEND_BY_VENUE, REASON_SELF_TRADE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 5 * ONE);
    uint16_t why = REASON_NONE;
    for (int i = 0; i < 5 && why == REASON_NONE; i++) {
        why = gate_amend(&g, last, (999 - i) * ONE, 5 * ONE, 0);
        if (why == REASON_NONE) gate_amended(&g, last, 5 * ONE, AMEND_BY_STRATEGY, REASON_NONE);
    }
    assert_int_equal(why, REASON_ORDER_RATE);
    assert_int_equal(gate_amend(&g, last, 0, 4 * ONE, 0), REASON_NONE); /* takes none */
    rig_close(&g.rig);
}

/* Goal: an order that closes the position when it triggers passes though nothing is held, reserves
 * nothing, and keeps nobody's room; without reduce_only it is refused. */
static void test_close_position(void **state) {
    (void)state;
    struct gate g;
    const uint8_t closes = EXIT | ORDER_TERMS_REDUCE_ONLY | ORDER_TERMS_CLOSE_POSITION;
    gate_open(&g, LIMITS, 1000 * ONE, 1000 * ONE);
    struct msg_order_intent i = { .price = 960 * ONE,
                                  .quantity = ONE,
                                  .instrument = WORLD_PERP,
                                  .side = SELL,
                                  .type = STP,
                                  .terms = closes };
    struct msg_risk_verdict v = gate_ask(&g, i);
    assert_true(v.quantity == ONE && v.reason == REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], 0);
    gate_amended(&g, v.order_id, 9 * ONE, AMEND_BY_VENUE, REASON_NONE); /* it has triggered */
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[SELL], 0);
    gate_state(&g, v.order_id, ORDER_STATUS_FILLED);
    i.terms = EXIT | ORDER_TERMS_CLOSE_POSITION;
    assert_int_equal(gate_ask(&g, i).reason, REASON_BAD_TERMS);
    i.terms = closes;
    ((struct risk_state *)g.rig.state)->instruments[WORLD_PERP - 1].shared = true;
    assert_int_equal(gate_ask(&g, i).reason, REASON_POSITION_SHARED);
    i.instrument = WORLD_SPOT;
    assert_int_equal(gate_ask(&g, i).reason, REASON_BAD_TERMS);
    rig_close(&g.rig);
}

/* Goal: a cancel is passed on in its place, by whoever's order it is only; an order that replaces
 * another is checked as any, and both are reserved. */
static void test_changes(void **state) {
    (void)state;
    struct gate g;
    gate_open(&g, LIMITS, 1000 * ONE, 1000 * ONE);
    struct msg_order_replace i = { .order_id = mk_order_id(OWNER, 50, 0),
                                   .price = 1000 * ONE,
                                   .quantity = 4 * ONE,
                                   .instrument = WORLD_PERP,
                                   .account = WORLD_MAIN,
                                   .side = BUY,
                                   .type = LIM,
                                   .replaces = 77,
                                   .anyway = 1 };
    assert_true(rig_hear(&g.rig, MSG_ORDER_REPLACE, OWNER, &i, sizeof i));
    const struct msg_replace_verdict *v = msg_body(rig_find(&g.rig, MSG_REPLACE_VERDICT, 0));
    assert_true(v->order_id == i.order_id && v->replaces == 77 && v->anyway == 1);
    assert_true(v->quantity == 4 * ONE && v->reason == REASON_NONE);
    assert_int_equal(exposure(&g, WORLD_PERP)->reserved[BUY], 4 * ONE);
    i.order_id = mk_order_id(OWNER, 51, 0);
    i.quantity = 11 * ONE;
    assert_true(rig_hear(&g.rig, MSG_ORDER_REPLACE, OWNER, &i, sizeof i));
    const struct msg_risk_verdict *no = msg_body(rig_find(&g.rig, MSG_RISK_VERDICT, 0));
    assert_true(no->quantity == 0 && no->reason == REASON_MAX_QUANTITY);
    rig_forget(&g.rig);
    struct msg_order_change c = { .order_id = mk_order_id(OWNER, 50, 0),
                                  .op = REQUEST_OP_CANCEL,
                                  .reason = REASON_SIGNAL_QUOTE };
    assert_true(rig_hear(&g.rig, MSG_ORDER_CHANGE, OWNER + 1, &c, sizeof c));
    assert_int_equal(rig_count(&g.rig, MSG_CHANGE_VERDICT), 0);
    assert_true(rig_hear(&g.rig, MSG_ORDER_CHANGE, OWNER, &c, sizeof c));
    const struct msg_change_verdict *p = msg_body(rig_find(&g.rig, MSG_CHANGE_VERDICT, 0));
    assert_true(p->op == REQUEST_OP_CANCEL && p->reason == REASON_SIGNAL_QUOTE);
    rig_close(&g.rig);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_limit),     cmocka_unit_test(test_lists),
        cmocka_unit_test(test_order_rate),     cmocka_unit_test(test_duplicate_window),
        cmocka_unit_test(test_open_orders),    cmocka_unit_test(test_kill_and_journal),
        cmocka_unit_test(test_fills),          cmocka_unit_test(test_protection),
        cmocka_unit_test(test_turn_round),     cmocka_unit_test(test_no_start),
        cmocka_unit_test(test_overrides),      cmocka_unit_test(test_steps),
        cmocka_unit_test(test_bound_holds),    cmocka_unit_test(test_flow_agrees_with_lists),
        cmocka_unit_test(test_amends),         cmocka_unit_test(test_changes),
        cmocka_unit_test(test_close_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
