/* rig: four actors, each on its own bench, with the test as the mail between them */
#include "actors/execution/execution.h"
#include "actors/portfolio/portfolio.h"
#include "actors/risk/risk.h"
#include "actors/venue/venue.h"
#include "tests/support/check.h"
#include "tests/support/rig.h"
#include "tests/support/world.h"
#include <stdio.h>
#include <string.h>

/* Ids of the actors; two strategies, one an account. */
enum { RISK = 1, EXECUTION, PORTFOLIO, VENUE, ACTORS, FIRST = 7, SECOND = 8 };

/* Length of a bar, the first instant. */
#define MINUTE_NS 60000000000LL
#define T0        (28333333LL * MINUTE_NS)

/* The street: who trades. */
struct street {
    struct rig *rigs[ACTORS]; /* by id */
    size_t read[ACTORS];      /* frames of each that were delivered */
    struct msg_bar bars[2];   /* newest bars of BTC-PERP and BTC-SPOT */
    qty_t held[2][3];         /* as POSITION told: owner, instrument */
    uint64_t seq[2];          /* orders of each owner */
    uint8_t account[2];       /* of each owner: two, or both the same */
    uint64_t fills, passed;   /* how much happened */
};

/* Who hears a kind, by name of the brief; the venue hears requests only. */
static const struct rt_actor_kind *const kinds[ACTORS] = { [RISK] = &risk_kind,
                                                           [EXECUTION] = &execution_kind,
                                                           [PORTFOLIO] = &portfolio_kind,
                                                           [VENUE] = &venue_kind };

/* deliver tells a frame to every actor that hears its kind. */
static void deliver(struct street *s, const struct msg_frame *f) {
    static uint64_t copy[64];
    assert_true(f->size <= sizeof copy);
    memcpy(copy, f, f->size); /* the bench's buffer grows while we read */
    const struct msg_frame *m = (const struct msg_frame *)(const void *)copy;
    for (uint16_t i = RISK; i < ACTORS; i++) {
        if (i == f->source) continue;
        rig_hear(s->rigs[i], m->kind, m->source, msg_body(m), m->size - 32U);
    }
    if (m->kind == MSG_POSITION) {
        const struct msg_position *p = msg_body(m);
        if (p->owner != 0) s->held[p->owner - FIRST][p->instrument - 1] = p->quantity;
    }
    s->fills += m->kind == MSG_FILL;
}

/* quiet goes on in rounds until nobody has anything to say. */
static void quiet(struct street *s) {
    for (bool more = true; more;) {
        size_t end[ACTORS];
        more = false;
        for (uint16_t i = RISK; i < ACTORS; i++) end[i] = s->rigs[i]->said_cnt;
        for (uint16_t i = RISK; i < ACTORS; i++) {
            for (; s->read[i] < end[i]; s->read[i]++) {
                deliver(s, rig_said(s->rigs[i], s->read[i]));
                more = true;
            }
        }
    }
    for (uint16_t i = RISK; i < ACTORS; i++) {
        rig_forget(s->rigs[i]);
        s->read[i] = 0;
    }
}

/* trade lets one owner ask for something at random. */
static void trade(struct street *s, uint64_t *gen, uint16_t owner) {
    uint16_t instrument = (uint16_t)gen_range(gen, 1, 2);
    const struct msg_bar *bar = &s->bars[instrument - 1];
    qty_t held = s->held[owner - FIRST][instrument - 1];
    int64_t lot = world_instruments[instrument - 1].lot_size;
    int64_t tick = world_instruments[instrument - 1].tick_size;
    struct msg_order_intent i = { .order_id = mk_order_id(owner, ++s->seq[owner - FIRST], 0),
                                  .quantity = gen_range(gen, 1, 2000) * lot,
                                  .instrument = instrument,
                                  .account = s->account[owner - FIRST],
                                  .side = (uint8_t)gen_range(gen, 0, 1),
                                  .type = (uint8_t)gen_range(gen, 0, 2) };
    if (gen_range(gen, 0, 2) == 0 && held != 0) {
        i.side = held > 0 ? SIDE_SELL : SIDE_BUY;
        i.terms = ORDER_TERMS_EXIT;
        i.quantity = fixed_floor_to(held < 0 ? -held : held, lot);
        if (gen_range(gen, 0, 1)) i.quantity = fixed_floor_to(i.quantity / 2, lot);
    }
    if (i.type != ORDER_TYPE_MARKET) {
        i.price = fixed_floor_to(bar->close + bar->close / 1000 * gen_range(gen, -20, 20), tick);
    }
    rig_hear(s->rigs[RISK], MSG_ORDER_INTENT, owner, &i, sizeof i);
    if (gen_range(gen, 0, 3) == 0) {
        struct msg_order_cancel c = { .owner = owner };
        uint64_t back = (uint64_t)gen_range(gen, 0, 6);
        uint64_t seq = s->seq[owner - FIRST];
        if (seq > back && gen_range(gen, 0, 9) > 0) c.order_id = mk_order_id(owner, seq - back, 0);
        rig_hear(s->rigs[EXECUTION], MSG_ORDER_CANCEL, owner, &c, sizeof c);
    }
}

/* agree checks that all four keep the same books. */
static void agree(const struct street *s, uint64_t seed) {
    const struct venue *v = s->rigs[VENUE]->state;
    const struct portfolio_state *p = s->rigs[PORTFOLIO]->state;
    const struct risk_state *k = s->rigs[RISK]->state;
    const struct execution_state *x = s->rigs[EXECUTION]->state;
    CHECK(seed, x->open_cnt == k->by_order.cnt);
    CHECK(seed, venue_conserved(v));
    for (uint32_t account = WORLD_MAIN; account <= WORLD_SECOND; account++) {
        CHECK(seed, v->cash[account - 1] == p->accounts[account - 1].cash);
        for (uint16_t instrument = 1; instrument <= 2; instrument++) {
            const struct venue_holding *h = &v->holdings[(account - 1) * 3 + instrument - 1];
            const struct portfolio_net *n = &p->nets[(account - 1) * 3 + instrument - 1];
            CHECK(seed, h->quantity == n->quantity);
            if (instrument == WORLD_PERP) CHECK(seed, h->cost == n->cost);
        }
    }
    for (uint16_t owner = FIRST; owner <= SECOND; owner++) {
        uint64_t account = s->account[owner - FIRST];
        for (uint16_t instrument = 1; instrument <= 2; instrument++) {
            uint64_t key = account << 32 | (uint64_t)owner << 16 | instrument;
            uint32_t at = rt_map_get(&p->by_key, key), of = rt_map_get(&k->by_key, key);
            qty_t held = at == RT_MAP_NONE ? 0 : p->positions[at].quantity;
            CHECK(seed, held == (of == RT_MAP_NONE ? 0 : k->exposures[of].quantity));
            qty_t open[2] = { 0 };
            for (uint32_t i = 0; i < x->orders_max + x->done_max; i++) {
                const struct msg_order_row *o = &x->orders[i].row;
                if (o->order_id == 0 || execution_is_done(o) ||
                    mk_order_owner(o->order_id) != owner)
                    continue;
                if (o->instrument == instrument) open[o->side] += o->quantity - o->cum_quantity;
            }
            for (int side = 0; side < 2 && of != RT_MAP_NONE; side++) {
                CHECK(seed, k->exposures[of].reserved[side] == open[side]);
            }
        }
    }
}

/* Goal: the money path keeps one set of books: cash, holdings and cost at the venue are those of
 * the portfolio to the unit after every fill, what risk holds and reserves is what is held and
 * open, whatever is traded. Method: two random strategies, each on its own account or both on one,
 * through risk, execution, the
 * simulated venue and portfolio, over random bars from a seed; mail in rounds; each actor reloaded
 * at random; the end of data closes all that is open. */
static void test_one_set_of_books(void **state) {
    (void)state;
    uint64_t fills = 0;
    for (int i = 0; i < 2; i++) {
        world_instruments[i].maker_fee = -5000 + i * 15000;
        world_instruments[i].taker_fee = 54321;
        world_instruments[i].slippage_bps = i * 3 * ONE;
    }
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t gen = seed;
        static struct rig rigs[ACTORS];
        struct street s = { .account = { WORLD_MAIN, seed & 2 ? WORLD_SECOND : WORLD_MAIN } };
        for (uint16_t i = RISK; i < ACTORS; i++) {
            char yaml[600] = "{}";
            if (i == RISK) {
                snprintf(yaml, sizeof yaml,
                         "limits: { max_order_quantity: 5, max_order_notional: 50000, "
                         "price_collar: 0.1, max_position: %d, order_rate: { count: 5, per: 1m }, "
                         "duplicate_window: 1m, max_open_orders: 40 }\non_limit: %s\n",
                         (int)gen_range(&gen, 1, 8), seed & 1 ? "reduce" : "reject");
            }
            struct rt_error err = { 0 };
            memset(&rigs[i], 0, sizeof rigs[i]);
            s.rigs[i] = &rigs[i];
            rigs[i].self = i;
            for (uint32_t n = 1; n <= 2; n++) rig_series(&rigs[i], MSG_BAR, n, MINUTE_NS);
            if (rig_open(&rigs[i], kinds[i], yaml, &world, &err) != 0) fail_msg("%s", err.text);
            rig_start(&rigs[i], T0);
        }
        price_t price = gen_range(&gen, 500, 50000) * ONE;
        for (int n = 0; n < 1500; n++) {
            int64_t open_ns = T0 + n * MINUTE_NS, end_ns = open_ns + MINUTE_NS;
            for (uint16_t i = 0; i < 2; i++) {
                int64_t tick = world_instruments[i].tick_size;
                price_t open = fixed_floor_to(price, tick);
                price_t close = fixed_floor_to(price + price / 1000 * gen_range(&gen, -9, 9), tick);
                price_t high = (open > close ? open : close) + price / 1000 * gen_range(&gen, 0, 6);
                price_t low = (open < close ? open : close) - price / 1000 * gen_range(&gen, 0, 6);
                s.bars[i] = (struct msg_bar){ .open_ns = open_ns,
                                              .interval_ns = MINUTE_NS,
                                              .open = open,
                                              .high = high,
                                              .low = low,
                                              .close = close,
                                              .volume = gen_range(&gen, 0, 9) == 0 ? 0 : 5,
                                              .instrument = (uint16_t)(i + 1) };
                price = close;
            }
            /* class open: the venue alone */
            for (uint16_t i = 1; i < ACTORS; i++) rig_until(s.rigs[i], open_ns);
            quiet(&s);
            for (uint16_t i = 0; i < 2; i++) {
                struct msg_bar_open o = { .open_ns = open_ns,
                                          .interval_ns = MINUTE_NS,
                                          .open = s.bars[i].open,
                                          .instrument = (uint16_t)(i + 1),
                                          .traded = s.bars[i].volume > 0 };
                rig_opens(s.rigs[VENUE], i, &o);
                quiet(&s);
                agree(&s, seed);
            }
            /* class venue, then the bar is told, then the strategies trade */
            for (uint16_t a = 1; a < VENUE; a++) rig_until(s.rigs[a], end_ns - 1);
            quiet(&s);
            for (uint16_t i = 0; i < 2; i++) {
                rig_rows(s.rigs[VENUE], i, RT_HEAR_EARLY, &s.bars[i], 1);
                for (uint16_t a = 1; a < ACTORS; a++) s.rigs[a]->ctx.now_ns = end_ns;
                quiet(&s);
                agree(&s, seed);
            }
            for (uint16_t a = 1; a < ACTORS; a++) {
                for (uint16_t i = 0; i < 2; i++) rig_latest(s.rigs[a], i, &s.bars[i]);
            }
            for (uint16_t owner = FIRST; owner <= SECOND; owner++) {
                for (int64_t i = gen_range(&gen, 0, 3); i > 1; i--) trade(&s, &gen, owner);
            }
            quiet(&s);
            agree(&s, seed);
            for (uint16_t a = 1; a < ACTORS; a++) {
                if (gen_range(&gen, 0, 199) == 0) rig_reload(s.rigs[a]);
            }
        }
        struct msg_stop stop = { .reason = REASON_END_OF_DATA };
        for (uint16_t a = 1; a < ACTORS; a++) rig_hear(s.rigs[a], MSG_STOP, 0, &stop, sizeof stop);
        quiet(&s);
        agree(&s, seed);
        CHECK(seed, ((struct execution_state *)s.rigs[EXECUTION]->state)->open_cnt == 0);
        fills += s.fills;
        for (uint16_t a = 1; a < ACTORS; a++) rig_close(s.rigs[a]);
    }
    assert_true(fills > 4000);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_one_set_of_books) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
