/* rig: drives the portfolio actor alone */
#include "actors/portfolio/portfolio.h"
#include "tests/support/check.h"
#include "tests/support/rig.h"
#include "tests/support/world.h"
#include <string.h>

#define SECOND_NS 1000000000LL
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS   (60 * MINUTE_NS)
#define T0        (472222LL * HOUR_NS) /* an hour of 2023 */
/* The strategy, and short words for sides. */
enum { OWNER = 7, BUY = SIDE_BUY, SELL = SIDE_SELL };

/* A bench with the actor on it. */
struct desk {
    struct rig rig;         /* the bench */
    struct msg_bar bars[3]; /* newest bar of each series */
    struct msg_trade print; /* newest trade of ETH-PERP */
    uint64_t trade_id;      /* fills so far */
};

/* desk_open makes the actor: minutes for the BTC instruments, trades for ETH-PERP. */
static void desk_open(struct desk *d) {
    memset(d, 0, sizeof *d);
    struct rt_error err = { 0 };
    rig_series(&d->rig, MSG_BAR, WORLD_PERP, MINUTE_NS);
    rig_series(&d->rig, MSG_BAR, WORLD_SPOT, MINUTE_NS);
    rig_series(&d->rig, MSG_BAR, WORLD_PERP, HOUR_NS); /* coarser: marks nothing */
    rig_series(&d->rig, MSG_TRADE, WORLD_ETH, 0);
    int rc = rig_open(&d->rig, &portfolio_kind, "{}", &world, &err);
    if (rc != 0) fail_msg("%s", err.text);
    rig_start(&d->rig, T0);
}

/* desk_close_at tells a bar of series that ends at end_ns with that close. */
static void desk_close_at(struct desk *d, uint16_t series, int64_t end_ns, price_t close) {
    d->bars[series] =
        (struct msg_bar){ .open_ns = end_ns - MINUTE_NS, .interval_ns = MINUTE_NS, .close = close };
    rig_rows(&d->rig, series, RT_HEAR_ROW, &d->bars[series], 1);
}

/* desk_fill tells a fill. */
static void desk_fill(struct desk *d, uint16_t owner, uint16_t instrument, uint8_t side,
                      qty_t quantity, price_t price, int64_t fee, uint16_t fee_asset) {
    struct msg_fill f = { .order_id = mk_order_id(owner, 1, 0),
                          .trade_id = ++d->trade_id,
                          .price = price,
                          .quantity = quantity,
                          .fee = fee,
                          .instrument = instrument,
                          .fee_asset = fee_asset,
                          .account = WORLD_MAIN,
                          .side = side };
    assert_true(rig_hear(&d->rig, MSG_FILL, 2, &f, sizeof f));
}

/* position returns the n-th position said. */
static const struct msg_position *position(const struct desk *d, size_t n) {
    const struct msg_frame *f = rig_find(&d->rig, MSG_POSITION, n);
    assert_non_null(f);
    return msg_body(f);
}

/* account returns the n-th account state said. */
static const struct msg_account_state *account(const struct desk *d, size_t n) {
    const struct msg_frame *f = rig_find(&d->rig, MSG_ACCOUNT_STATE, n);
    assert_non_null(f);
    return msg_body(f);
}

/* rows counts the rows of equity.csv said, and checks the time and equity of the last. */
static void rows(struct desk *d, size_t cnt, int64_t time_ns, int64_t equity) {
    size_t seen = 0;
    const struct msg_frame *last = NULL;
    for (size_t i = 0; i < d->rig.said_cnt; i++) {
        const struct msg_frame *f = rig_said(&d->rig, i);
        if (f->kind != MSG_ACCOUNT_STATE) continue;
        if (!((const struct msg_account_state *)msg_body(f))->mark) continue;
        last = f;
        seen++;
    }
    assert_int_equal(seen, cnt);
    if (cnt == 0) return;
    assert_int_equal(last->time_ns, time_ns);
    assert_int_equal(((const struct msg_account_state *)msg_body(last))->equity, equity);
    rig_forget(&d->rig);
}

/* Goal: a linear position's cost, average and P&L are what a pocket calculator says. Method: by
 * hand: buy 2 at 100, buy 1 at 103 (cost 303), sell 2 at 110 (takes 202, +18), sell 1 at 90 (takes
 * 101, -11); fee 0.1 each. */
static void test_linear_by_hand(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d);
    static const struct {
        uint8_t side;               /* of the fill */
        int64_t quantity, price;    /* whole units */
        int64_t held, cost, earned; /* expected, whole units */
    } steps[] = {
        { BUY, 2, 100, 2, 200, 0 },
        { BUY, 1, 103, 3, 303, 0 },
        { SELL, 2, 110, 1, 101, 18 },
        { SELL, 1, 90, 0, 0, -11 },
    };
    int64_t cash = world_accounts[0].cash, total = 0;
    for (size_t i = 0; i < 4; i++) {
        rig_forget(&d.rig);
        d.rig.ctx.now_ns = T0 + (int64_t)i;
        desk_fill(&d, OWNER, WORLD_PERP, steps[i].side, steps[i].quantity * ONE,
                  steps[i].price * ONE, ONE / 10, WORLD_USDT);
        assert_int_equal(d.rig.said_cnt, 2); /* position first, then account */
        assert_int_equal(rig_said(&d.rig, 0)->kind, MSG_POSITION);
        const struct msg_position *p = position(&d, 0);
        total += steps[i].earned * ONE;
        cash += steps[i].earned * ONE - ONE / 10;
        assert_int_equal(p->quantity, steps[i].held * ONE);
        assert_int_equal(p->cost, steps[i].cost * ONE);
        assert_int_equal(p->realized_pnl, steps[i].earned * ONE);
        assert_int_equal(p->realized_total, total);
        assert_int_equal(p->fee_total, ((int64_t)i + 1) * ONE / 10);
        assert_int_equal(p->entry_ns, T0);
        assert_true(p->owner == OWNER && p->account == WORLD_MAIN && p->instrument == WORLD_PERP);
        assert_int_equal(p->trade_id, i + 1);
        const struct msg_account_state *a = account(&d, 0);
        assert_int_equal(a->cash, cash);
        /* no close was told: marked at the last fill */
        int64_t open = steps[i].held * steps[i].price * ONE - steps[i].cost * ONE;
        assert_int_equal(a->unrealized_pnl, open);
        assert_int_equal(a->equity, cash + open);
        assert_int_equal(a->position_cnt, steps[i].held != 0);
        assert_int_equal(a->mark, i == 0 || i == 3); /* opens from flat, closes to flat */
    }
    rig_close(&d.rig);
}

/* Goal: a fill through zero ends one round trip and begins another. Method: by hand: short 1 at
 * 100, then buy 3 at 90: closes with +10, opens 2 at 90 (cost 180); fee 0.3 goes 0.1 and 0.2. */
static void test_through_zero(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d);
    desk_fill(&d, OWNER, WORLD_PERP, SELL, ONE, 100 * ONE, 0, WORLD_USDT);
    assert_int_equal(position(&d, 0)->cost, -100 * ONE);
    rig_forget(&d.rig);
    d.rig.ctx.now_ns = T0 + 5;
    desk_fill(&d, OWNER, WORLD_PERP, BUY, 3 * ONE, 90 * ONE, 3 * ONE / 10, WORLD_USDT);
    assert_int_equal(rig_count(&d.rig, MSG_POSITION), 2);
    const struct msg_position *p = position(&d, 0);
    assert_true(p->quantity == 0 && p->cost == 0 && p->realized_pnl == 10 * ONE);
    assert_true(p->entry_ns == T0 && p->fee_total == ONE / 10 && p->trade_id == 2);
    p = position(&d, 1);
    assert_true(p->quantity == 2 * ONE && p->cost == 180 * ONE && p->realized_pnl == 0);
    assert_true(p->realized_total == 10 * ONE && p->entry_ns == T0 + 5);
    assert_true(p->fee_total == 3 * ONE / 10 && p->trade_id == 2);
    assert_int_equal(rig_count(&d.rig, MSG_ACCOUNT_STATE), 1);
    assert_int_equal(account(&d, 0)->mark, 1);
    assert_int_equal(account(&d, 0)->cash, world_accounts[0].cash + 10 * ONE - 3 * ONE / 10);
    rig_close(&d.rig);
}

/* Goal: spot moves cash by notional, a buy's fee in base makes the holding smaller, a sell's fee
 * comes off the cash; equity is cash and what the holding is worth. Method: by hand: buy 1 at 1000
 * less 0.001, sell 0.999 at 1100 (1098.9) less 1.0989. */
static void test_spot_by_hand(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d);
    int64_t cash = world_accounts[0].cash;
    desk_close_at(&d, 1, T0 + MINUTE_NS, 1050 * ONE);
    desk_fill(&d, OWNER, WORLD_SPOT, BUY, ONE, 1000 * ONE, ONE / 1000, WORLD_BTC);
    assert_int_equal(position(&d, 0)->quantity, ONE - ONE / 1000);
    assert_int_equal(position(&d, 0)->cost, 1000 * ONE);
    assert_int_equal(position(&d, 0)->fee_total, ONE);
    int64_t worth = 1050 * ONE / 1000 * 999;
    assert_int_equal(account(&d, 0)->cash, cash - 1000 * ONE);
    assert_int_equal(account(&d, 0)->unrealized_pnl, worth - 1000 * ONE);
    assert_int_equal(account(&d, 0)->equity, cash - 1000 * ONE + worth);
    rig_forget(&d.rig);
    int64_t got = 1100 * ONE / 1000 * 999, fee = got / 1000;
    desk_fill(&d, OWNER, WORLD_SPOT, SELL, ONE - ONE / 1000, 1100 * ONE, fee, WORLD_USDT);
    assert_int_equal(position(&d, 0)->quantity, 0);
    assert_int_equal(position(&d, 0)->realized_pnl, got - 1000 * ONE);
    assert_int_equal(position(&d, 0)->fee_total, ONE + fee);
    assert_int_equal(account(&d, 0)->cash, cash - 1000 * ONE + got - fee);
    assert_int_equal(account(&d, 0)->equity, account(&d, 0)->cash);
    rig_close(&d.rig);
}

/* Goal: strategies of one account are netted as the venue nets them: cash, unrealised P&L and
 * equity are the account's, each strategy's own position is told apart; it all survives a restart.
 * Method: by hand: one buys 2 at 100, the other sells 3 at 110 (closes 2: +20, opens 1 short),
 * the first sells 2 at 120 (its own: +40; the account is short 3 at 350), the other buys 3 at 90
 * (its own: +60; all: 350 - 270 = +80). */
static void test_two_strategies(void **state) {
    (void)state;
    static const struct {
        uint16_t owner;                 /* whose fill */
        uint8_t side;                   /* of it */
        int64_t quantity, price;        /* whole units */
        int64_t own, own_cost, own_pnl; /* expected of the strategy */
        int64_t net, net_cost, earned;  /* and of the account */
    } steps[] = {
        { OWNER, BUY, 2, 100, 2, 200, 0, 2, 200, 0 },
        { OWNER + 1, SELL, 3, 110, -3, -330, 0, -1, -110, 20 },
        { OWNER, SELL, 2, 120, 0, 0, 40, -3, -350, 0 },
        { OWNER + 1, BUY, 3, 90, 0, 0, 60, 0, 0, 80 },
    };
    for (int reload = 0; reload < 2; reload++) {
        struct desk d;
        desk_open(&d);
        int64_t cash = world_accounts[0].cash;
        for (size_t i = 0; i < 4; i++) {
            rig_forget(&d.rig);
            desk_fill(&d, steps[i].owner, WORLD_PERP, steps[i].side, steps[i].quantity * ONE,
                      steps[i].price * ONE, 0, WORLD_USDT);
            assert_int_equal(rig_count(&d.rig, MSG_POSITION), i == 0 ? 1 : 2);
            const struct msg_position *p = position(&d, 0);
            assert_int_equal(p->owner, steps[i].owner);
            assert_int_equal(p->quantity, steps[i].own * ONE);
            assert_int_equal(p->cost, steps[i].own_cost * ONE);
            assert_int_equal(p->realized_pnl, steps[i].own_pnl * ONE);
            if (i > 0) { /* as long as one alone trades, his is the account's */
                const struct msg_position *n = position(&d, 1);
                assert_int_equal(n->owner, 0);
                assert_int_equal(n->quantity, steps[i].net * ONE);
                assert_int_equal(n->cost, steps[i].net_cost * ONE);
                assert_int_equal(n->realized_pnl, steps[i].earned * ONE);
                assert_int_equal(n->trade_id, p->trade_id);
            }
            cash += steps[i].earned * ONE;
            int64_t open = (steps[i].net * steps[i].price - steps[i].net_cost) * ONE;
            const struct msg_account_state *a = account(&d, 0);
            assert_int_equal(a->cash, cash);
            assert_int_equal(a->unrealized_pnl, open);
            assert_int_equal(a->equity, cash + open);
            if (reload) rig_reload(&d.rig);
        }
        assert_int_equal(cash, world_accounts[0].cash + 100 * ONE); /* 40 + 60 */
        rig_close(&d.rig);
    }
}

/* Goal: what is below one lot is dust: flat for rows of equity and round trips, but its worth stays
 * in equity and its cost with it. Method: by hand: buys 1 for 100 of which the fee takes 0.000005,
 * sells 0.99999 (a lot is 0.00001) at 100, holds 0.000005 at a third of the price, buys again. */
static void test_dust(void **state) {
    (void)state;
    for (int reload = 0; reload < 2; reload++) {
        struct desk d;
        desk_open(&d);
        int64_t cash = world_accounts[0].cash - 100 * ONE;
        desk_close_at(&d, 1, T0 + MINUTE_NS, 100 * ONE);
        desk_fill(&d, OWNER, WORLD_SPOT, BUY, ONE, 100 * ONE, 500, WORLD_BTC);
        assert_int_equal(account(&d, 0)->position_cnt, 1);
        int64_t began_ns = position(&d, 0)->entry_ns;
        rows(&d, 1, T0 + MINUTE_NS, cash + 100 * ONE - 500 * 100);
        desk_close_at(&d, 1, T0 + 2 * MINUTE_NS, 100 * ONE);
        desk_fill(&d, OWNER, WORLD_SPOT, SELL, 99999000, 100 * ONE, 0, WORLD_USDT);
        assert_int_equal(position(&d, 0)->quantity, 500);
        assert_int_equal(position(&d, 0)->entry_ns, began_ns);
        int64_t cost = position(&d, 0)->cost;
        assert_int_equal(cost, 50001); /* 100 less 100 x 0.99999 / 0.999995 toward zero */
        assert_int_equal(account(&d, 0)->position_cnt, 0);
        cash += 99999000LL * 100;
        rows(&d, 1, T0 + 2 * MINUTE_NS, cash + 500 * 100);
        if (reload) rig_reload(&d.rig);
        desk_close_at(&d, 1, T0 + 180 * MINUTE_NS, 300 * ONE);
        rig_until(&d.rig, T0 + 180 * MINUTE_NS); /* full hours: no row */
        rows(&d, 0, 0, 0);
        assert_int_equal(d.rig.timer_cnt, 0);
        desk_fill(&d, OWNER, WORLD_SPOT, BUY, ONE, 300 * ONE, 500, WORLD_BTC);
        assert_int_equal(position(&d, 0)->entry_ns, T0 + 180 * MINUTE_NS); /* a new round trip */
        assert_int_equal(position(&d, 0)->cost, cost + 300 * ONE);
        cash -= 300 * ONE;
        rows(&d, 1, T0 + 180 * MINUTE_NS, cash + 300 * ONE);
        desk_fill(&d, OWNER, WORLD_SPOT, SELL, ONE, 300 * ONE, 0, WORLD_USDT);
        assert_int_equal(account(&d, 0)->position_cnt, 0);
        rig_forget(&d.rig);
        struct msg_stop stop = { .reason = REASON_END_OF_DATA };
        rig_hear(&d.rig, MSG_STOP, 0, &stop, sizeof stop);
        rows(&d, 0, 0, 0);
        rig_close(&d.rig);
    }
}

/* Goal: cash paid rounds up, received down, once a fill; a reduction takes cost toward zero and
 * leaves the rest. Method: by hand, at figures of a few units of 1e-8: 3 units at 0.5 cost 1.5,
 * paid 2; a third of cost 2 is 0.67, taken 0. */
static void test_rounding(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d);
    desk_fill(&d, OWNER, WORLD_PERP, BUY, 3, ONE / 2, 0, WORLD_USDT);
    assert_int_equal(position(&d, 0)->cost, 2);
    desk_fill(&d, OWNER, WORLD_PERP, SELL, 1, ONE / 2, 0, WORLD_USDT);
    assert_int_equal(position(&d, 1)->cost, 2);
    assert_int_equal(position(&d, 1)->realized_pnl, 0); /* receives 0.5, that is 0; takes 0 */
    desk_fill(&d, OWNER, WORLD_PERP, SELL, 2, ONE / 2, 0, WORLD_USDT);
    assert_int_equal(position(&d, 2)->realized_pnl, -1); /* receives 1, takes the whole 2 */
    desk_fill(&d, OWNER, WORLD_PERP, SELL, 3, ONE / 2, 0, WORLD_USDT);
    assert_int_equal(position(&d, 3)->cost, -1);
    desk_fill(&d, OWNER, WORLD_PERP, BUY, 3, ONE / 2, 0, WORLD_USDT);
    assert_int_equal(position(&d, 4)->realized_pnl, -1); /* gave 1, pays 2 */
    rig_close(&d.rig);
}

/* Goal: equity is marked on closes that fall on the interval, while something is held, where a
 * position opens or closes, at the end; not where a bar is missing, nor twice the same. Method: a
 * walk through three hours of minutes. */
static void test_marks(void **state) {
    (void)state;
    for (int reload = 0; reload < 2; reload++) {
        struct desk d;
        desk_open(&d);
        int64_t cash = world_accounts[0].cash;
        for (int m = 1; m <= 70; m++) desk_close_at(&d, 0, T0 + m * MINUTE_NS, 100 * ONE);
        rows(&d, 0, 0, 0); /* flat: nothing, not even at the full hour */
        assert_int_equal(d.rig.timer_cnt, 0);
        desk_fill(&d, OWNER, WORLD_PERP, BUY, ONE, 101 * ONE, 0, WORLD_USDT);
        rows(&d, 1, T0 + 70 * MINUTE_NS, cash - ONE);
        for (int m = 71; m < 120; m++) desk_close_at(&d, 0, T0 + m * MINUTE_NS, 100 * ONE);
        desk_fill(&d, OWNER, WORLD_PERP, BUY, ONE, 101 * ONE, 0, WORLD_USDT); /* adds: no row */
        if (reload) rig_reload(&d.rig);
        rows(&d, 0, 0, 0);
        desk_close_at(&d, 0, T0 + 120 * MINUTE_NS, 105 * ONE);
        rig_until(&d.rig, T0 + 120 * MINUTE_NS);
        rows(&d, 1, T0 + 120 * MINUTE_NS, cash + 8 * ONE);
        rig_until(&d.rig, T0 + 190 * MINUTE_NS); /* bars are missing: no close at the hour */
        rows(&d, 0, 0, 0);
        desk_close_at(&d, 0, T0 + 240 * MINUTE_NS, 106 * ONE);
        rig_until(&d.rig, T0 + 240 * MINUTE_NS);
        rows(&d, 1, T0 + 240 * MINUTE_NS, cash + 10 * ONE);
        if (reload) rig_reload(&d.rig);
        struct msg_stop stop = { .reason = REASON_END_OF_DATA };
        if (reload) { /* the end of data at the instant of a mark: the row is there already */
            rig_hear(&d.rig, MSG_STOP, 0, &stop, sizeof stop);
            rows(&d, 0, 0, 0);
            assert_int_equal(d.rig.timer_cnt, 0);
            /* a position that opens at the close's price and instant, without fee: nothing new */
            desk_fill(&d, OWNER + 1, WORLD_PERP, BUY, ONE, 106 * ONE, 0, WORLD_USDT);
            rows(&d, 0, 0, 0);
            rig_close(&d.rig);
            continue;
        }
        desk_fill(&d, OWNER, WORLD_PERP, SELL, 2 * ONE, 107 * ONE, 0, WORLD_USDT);
        rows(&d, 1, T0 + 240 * MINUTE_NS, cash + 12 * ONE);
        desk_fill(&d, OWNER, WORLD_PERP, SELL, ONE, 107 * ONE, 0, WORLD_USDT);
        desk_close_at(&d, 0, T0 + 250 * MINUTE_NS, 106 * ONE);
        rig_forget(&d.rig);
        rig_hear(&d.rig, MSG_STOP, 0, &stop, sizeof stop);
        rows(&d, 1, T0 + 250 * MINUTE_NS, cash + 13 * ONE);
        assert_int_equal(d.rig.timer_cnt, 0);
        rig_close(&d.rig);
    }
}

/* Goal: a position opened before any bar was told waits for the first bar, and is marked on the
 * interval then, not at that bar. Method: an hour of minutes from a fill at their first open. */
static void test_marks_before_the_first_bar(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d);
    desk_fill(&d, OWNER, WORLD_PERP, BUY, ONE, 101 * ONE, 0, WORLD_USDT);
    rows(&d, 1, T0, world_accounts[0].cash);
    for (int m = 1; m <= 60; m++) {
        rows(&d, 0, 0, 0);
        desk_close_at(&d, 0, T0 + m * MINUTE_NS, 100 * ONE);
        rig_until(&d.rig, T0 + m * MINUTE_NS);
    }
    rows(&d, 1, T0 + HOUR_NS, world_accounts[0].cash - ONE);
    rig_close(&d.rig);
}

/* Goal: with interval 0 each close of the finest series is a row; what lives on trades is marked at
 * the multiples of the interval. Method: a few bars; a few hours of no trades. */
static void test_marks_of_each_bar_and_trades(void **state) {
    (void)state;
    struct desk d;
    int64_t cash = world_accounts[0].cash, hour_ns = world.equity_interval_ns;
    world.equity_interval_ns = 0;
    desk_open(&d);
    desk_fill(&d, OWNER, WORLD_PERP, BUY, ONE, 101 * ONE, 0, WORLD_USDT); /* before any bar ended */
    rows(&d, 1, T0, cash);
    for (int m = 1; m <= 5; m++) {
        desk_close_at(&d, 0, T0 + m * MINUTE_NS, (101 + m) * ONE);
        desk_close_at(&d, 1, T0 + m * MINUTE_NS, 7 * ONE); /* another instrument: marks nothing */
        rig_until(&d.rig, T0 + m * MINUTE_NS);
        rows(&d, 1, T0 + m * MINUTE_NS, cash + m * ONE);
    }
    rig_until(&d.rig, T0 + 6 * MINUTE_NS);
    rows(&d, 0, 0, 0);
    rig_close(&d.rig);
    world.equity_interval_ns = hour_ns;
    desk_open(&d);
    rig_until(&d.rig, T0 + 5);
    desk_fill(&d, OWNER, WORLD_ETH, SELL, ONE, 50 * ONE, 0, WORLD_USDT);
    rows(&d, 1, T0 + 5, cash);
    d.print.price = 49 * ONE;
    rig_latest(&d.rig, 3, &d.print);
    rig_until(&d.rig, T0 + HOUR_NS);
    rows(&d, 1, T0 + HOUR_NS, cash + ONE);
    d.print.price = 48 * ONE;
    rig_until(&d.rig, T0 + 2 * HOUR_NS);
    rows(&d, 1, T0 + 2 * HOUR_NS, cash + 2 * ONE);
    rig_close(&d.rig);
}

/* Goal: fills that make no sense are told to people and change nothing. Method: a few. */
static void test_refusals(void **state) {
    (void)state;
    struct desk d;
    desk_open(&d);
    desk_fill(&d, OWNER, 9, BUY, ONE, ONE, 0, WORLD_USDT);
    desk_fill(&d, OWNER, WORLD_PERP, BUY, 0, ONE, 0, WORLD_USDT);
    desk_fill(&d, OWNER, WORLD_PERP, BUY, INT64_MAX, INT64_MAX, 0, WORLD_USDT);
    desk_fill(&d, OWNER, WORLD_SPOT, BUY, ONE, ONE, 2 * ONE, WORLD_BTC);
    assert_int_equal(rig_count(&d.rig, MSG_ALERT), 4);
    assert_int_equal(d.rig.said_cnt, 4);
    const struct portfolio_state *st = d.rig.state;
    assert_int_equal(st->accounts[0].cash, world_accounts[0].cash);
    assert_int_equal(st->open_cnt, 0);
    rig_close(&d.rig);
}

/* A position of the twin, in wide integers. */
struct twin {
    __int128 quantity, cost; /* signed */
    __int128 realized, fees; /* since the start */
    __int128 flow;           /* cash of all its fills */
};

/* wide_div divides toward minus infinity (up: plus infinity). */
static __int128 wide_div(__int128 n, __int128 d, bool up) {
    __int128 q = n / d, r = n % d;
    if (r != 0 && (r < 0) != (d < 0) && !up) q--;
    if (r != 0 && (r < 0) == (d < 0) && up) q++;
    return q;
}

/* twin_fill books a fill at price into t: first what closes, then what opens. Returns the realised
 * P&L. */
static __int128 twin_fill(struct twin *t, int64_t price, __int128 moved, __int128 flow,
                          __int128 fee_quote) {
    __int128 realized = 0, rest = flow, open = moved;
    t->flow += flow;
    if (moved == 0) {
        realized = rest;
        rest = 0;
    } else if (t->quantity != 0 && (t->quantity > 0) != (moved > 0)) {
        __int128 held = t->quantity < 0 ? -t->quantity : t->quantity;
        __int128 way = moved < 0 ? -moved : moved;
        __int128 closed = way < held ? way : held;
        __int128 got = way <= held ? rest
                       : moved > 0 ? -wide_div((__int128)price * closed, ONE, true)
                                   : wide_div((__int128)price * closed, ONE, false);
        __int128 taken = t->cost * closed / held; /* C divides toward zero */
        realized = got - taken;
        t->cost -= taken;
        t->quantity += moved > 0 ? closed : -closed;
        rest -= got;
        open = moved > 0 ? way - closed : closed - way;
    }
    t->quantity += open;
    t->cost -= rest;
    t->realized += realized;
    t->fees += fee_quote;
    return realized;
}

/* Goal: cash, holdings, cost, P&L and fees are exact over thousands of random fills: the actor
 * equals a plain twin, for each strategy and for each account, in which they are netted, and the
 * books balance to the unit. Method: random fills of both kinds from a seed, of several owners on
 * two accounts; the twin splits what turns around into two fills and
 * knows nothing but the rules; reload now and then. */
static void test_agrees_with_twin(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t gen = seed;
        struct desk d;
        desk_open(&d);
        static struct twin twins[3][4][4]; /* account, owner (0 = all), instrument */
        int owners[3][4] = { 0 };          /* who has traded: a bit each */
        memset(twins, 0, sizeof twins);
        __int128 cash[3] = { 0, world_accounts[0].cash, world_accounts[1].cash };
        __int128 given[3] = { 0, cash[1], cash[2] };
        __int128 base_bought[3] = { 0 }, base_fees[3] = { 0 }, sell_fees[3] = { 0 };
        for (int step = 0; step < 500; step++) {
            uint8_t acc = (uint8_t)gen_range(&gen, 1, 2);
            uint16_t owner = (uint16_t)gen_range(&gen, 1, 3);
            uint16_t instrument = (uint16_t)gen_range(&gen, 1, 3);
            struct twin *t = &twins[acc][owner][instrument], *all = &twins[acc][0][instrument];
            bool spot = instrument == WORLD_SPOT;
            uint8_t side = (uint8_t)gen_range(&gen, 0, 1);
            int64_t quantity = gen_range(&gen, 1, 3000000000LL) >> gen_range(&gen, 0, 31);
            int64_t price = gen_range(&gen, 1, 9000000000000LL) >> gen_range(&gen, 0, 40);
            if (quantity == 0) quantity = 1;
            if (price == 0) price = 1;
            if (gen_range(&gen, 0, 3) == 0 && t->quantity != 0) { /* just to flat */
                quantity = (int64_t)(t->quantity < 0 ? -t->quantity : t->quantity);
                side = t->quantity < 0 ? BUY : SELL;
            }
            if (spot && side == SELL && quantity > t->quantity) {
                if (t->quantity == 0) continue;
                quantity = (int64_t)t->quantity;
            }
            bool buy = side == BUY, in_base = spot && buy;
            __int128 notional = wide_div((__int128)price * quantity, ONE, buy);
            int64_t rate = gen_range(&gen, -10000, 200000);
            __int128 fee = wide_div((in_base ? quantity : notional) * rate, ONE, true);
            __int128 fee_quote = in_base ? wide_div(fee * price, ONE, true) : fee;
            __int128 moved = (buy ? quantity : -quantity) - (in_base ? fee : 0);
            __int128 flow = buy ? -notional : notional;
            __int128 realized = twin_fill(t, price, moved, flow, fee_quote);
            __int128 earned = twin_fill(all, price, moved, flow, fee_quote);
            owners[acc][instrument] |= 1 << owner;
            bool shared = __builtin_popcount((unsigned)owners[acc][instrument]) > 1;
            cash[acc] += (spot ? flow : earned) - (in_base ? 0 : fee);
            if (spot) base_bought[acc] += buy ? quantity : -quantity;
            if (in_base) base_fees[acc] += fee;
            if (spot && !buy) sell_fees[acc] += fee;
            struct msg_fill f = { .order_id = mk_order_id(owner, 1, 0),
                                  .trade_id = ++d.trade_id,
                                  .price = price,
                                  .quantity = quantity,
                                  .fee = (int64_t)fee,
                                  .instrument = instrument,
                                  .fee_asset = in_base ? WORLD_BTC : WORLD_USDT,
                                  .account = acc,
                                  .side = side };
            rig_forget(&d.rig);
            rig_hear(&d.rig, MSG_FILL, 2, &f, sizeof f);
            CHECK(seed, rig_count(&d.rig, MSG_ALERT) == 0);
            size_t said = rig_count(&d.rig, MSG_POSITION);
            if (shared) { /* the account's own is told last */
                const struct msg_position *n = position(&d, --said);
                CHECK(seed, n->owner == 0 && n->account == acc && n->instrument == instrument);
                CHECK(seed, n->quantity == all->quantity && n->cost == all->cost);
                CHECK(seed, n->realized_pnl == earned && n->realized_total == all->realized);
                CHECK(seed, n->fee_total == all->fees && n->trade_id == f.trade_id);
            }
            const struct msg_position *p = position(&d, said - 1);
            CHECK(seed, p->owner == owner);
            CHECK(seed, p->quantity == t->quantity && p->cost == t->cost);
            CHECK(seed, p->realized_total == t->realized && p->fee_total == t->fees);
            CHECK(seed, position(&d, 0)->realized_pnl == realized);
            CHECK(seed, said == 1 || position(&d, 1)->realized_pnl == 0);
            CHECK(seed, t->quantity != 0 || t->cost == 0);
            CHECK(seed, account(&d, 0)->cash == cash[acc]);
            /* the books: all cash of fills is in P&L or still in the cost */
            CHECK(seed, t->flow == t->realized - t->cost);
            if (gen_range(&gen, 0, 49) == 0) rig_reload(&d.rig);
        }
        const struct portfolio_state *st = d.rig.state;
        for (uint8_t acc = 1; acc <= 2; acc++) {
            __int128 realized = 0, quote_fees = 0, spot_flow = 0, base = 0, linear = 0;
            for (int i = 1; i <= 3; i++) {
                const struct twin *all = &twins[acc][0][i];
                struct twin sum = { 0 };
                for (int owner = 1; owner <= 3; owner++) {
                    const struct twin *t = &twins[acc][owner][i];
                    sum.quantity += t->quantity;
                    sum.realized += t->realized - t->cost;
                    sum.fees += t->fees;
                }
                CHECK(seed, sum.quantity == all->quantity && sum.fees == all->fees);
                CHECK(seed, sum.realized == all->realized - all->cost);
                realized += all->realized;
                if (i == WORLD_SPOT) {
                    spot_flow += all->flow;
                    base += all->quantity;
                } else {
                    linear += all->realized;
                    quote_fees += all->fees;
                }
            }
            CHECK(seed, st->accounts[acc - 1].cash == cash[acc]);
            CHECK(seed, st->accounts[acc - 1].realized_total == realized);
            CHECK(seed, base == base_bought[acc] - base_fees[acc]);
            CHECK(seed, cash[acc] == given[acc] + spot_flow + linear - quote_fees - sell_fees[acc]);
        }
        rig_close(&d.rig);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear_by_hand),
        cmocka_unit_test(test_through_zero),
        cmocka_unit_test(test_spot_by_hand),
        cmocka_unit_test(test_two_strategies),
        cmocka_unit_test(test_dust),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_marks_before_the_first_bar),
        cmocka_unit_test(test_marks_of_each_bar_and_trades),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_agrees_with_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
