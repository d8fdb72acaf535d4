#include "actors/venue/fund.h"
#include "actors/market/margin.h"
#include <assert.h>

static const int64_t START_MAX = INT64_C(50000000000) * FIXED_ONE; /* as cash of accounts */

int venue_fund_init(struct rt_init *init, struct venue *v, struct rt_error *err) {
    const struct mk_market *m = v->market;
    struct rt_node *map;
    int rc = rt_node_map(init->config, "insurance", false, &map, err);
    if (rc < 0 || map == NULL) return rc;
    v->funds = rt_init_take(init, m->asset_cnt * sizeof *v->funds);
    v->lacks = rt_init_take(init, 2 * (size_t)m->account_cnt * sizeof *v->lacks);
    for (uint32_t i = 0; rc == 0 && i < m->asset_cnt; i++) {
        v->funds[i].on = rt_node_get(map, m->assets[i]) != NULL;
        if (!v->funds[i].on) continue;
        rc = rt_node_fixed(map, m->assets[i], true, 0, START_MAX, 0, &v->funds[i].start, err);
    }
    if (rc < 0) return rc;
    const char **known = rt_init_take(init, (m->asset_cnt + 1) * sizeof *known);
    for (uint32_t i = 0; i < m->asset_cnt; i++) known[i] = m->assets[i];
    return rt_node_no_more(map, known, err);
}

bool venue_fund_pays(struct venue *v, const struct venue_book *b, uint8_t account,
                     const struct venue_forced_leg *leg) {
    if (leg->pays == 0 || !venue_fund_on(v, b->instrument)) return true;
    uint16_t asset = mk_settle(b->instrument);
    __int128 has =
        (__int128)v->funds[asset].start * FIXED_ONE + v->ledger[asset].figure[VENUE_LEDGER_FUND];
    if (has >= ((__int128)leg->pays - leg->fee) * FIXED_ONE) return true;
    assert(v->lack_cnt < 2 * v->market->account_cnt); /* a position is wholly closed once a row */
    v->lacks[v->lack_cnt++] = (struct venue_lack){ .quantity = leg->quantity,
                                                   .price = leg->price,
                                                   .instrument = b->instrument->id,
                                                   .side = leg->side,
                                                   .account = account };
    return false;
}

/* held_of returns the position of p that a trade of side would make smaller; NULL = none. */
static struct venue_holding *held_of(struct venue_purse *p, uint8_t side) {
    if (side == SIDE_SELL) return p->held.quantity > 0 ? &p->held : NULL;
    if (p->hedge) return p->shorts.quantity < 0 ? &p->shorts : NULL;
    return p->held.quantity < 0 ? &p->held : NULL;
}

/* part returns a / b (b > 0) in 1e-8, rounded down, held within 64 bits. */
static int64_t part(__int128 a, __int128 b) {
    __int128 q = a * FIXED_ONE / b; /* sums of money: within 2^65 */
    if (q * b > a * FIXED_ONE) q--;
    return q > INT64_MAX ? INT64_MAX : q < INT64_MIN ? INT64_MIN : (int64_t)q;
}

/* rank returns how soon account's position h in b is deleveraged: the higher the sooner. */
static __int128 rank(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                     uint8_t account, const struct venue_purse *p, const struct venue_holding *h) {
    struct mk_holding held = { .quantity = h->quantity, .cost = h->cost };
    cash_t unrealized, notional;
    price_t mark = venue_backing_mark(ctx, b);
    if (!mk_margin_unrealized(b->instrument, &held, mark, &unrealized)) unrealized = INT64_MIN / 2;
    if (!mk_notional(b->instrument, h->quantity, mark, &notional)) notional = INT64_MAX;
    __int128 backs = (__int128)h->isolated + unrealized;
    if (p->margin != MK_MARGIN_ISOLATED) {
        backs = (__int128)p->cash + venue_backing_open(ctx, v, account);
    }
    int64_t leverage = backs > 0 ? part(notional, backs) : INT64_MAX;
    int64_t gain = part(unrealized, h->cost < 0 ? -(__int128)h->cost : h->cost > 0 ? h->cost : 1);
    if (leverage < 1) leverage = 1;
    const __int128 unit = (__int128)FIXED_ONE * FIXED_ONE;
    return gain >= 0 ? (__int128)gain * leverage : gain * unit / leverage;
}

/* first finds the account that is closed next against lack: the one of the highest rank; 0 = there
 * is none. */
static uint8_t first(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                     const struct venue_lack *lack, uint8_t side) {
    uint8_t found = 0;
    __int128 best = 0;
    for (uint32_t a = 1; a <= v->market->account_cnt; a++) {
        if (a == lack->account) continue;
        struct venue_purse p = venue_purse(v, b, (uint8_t)a);
        struct venue_holding *h = held_of(&p, side);
        if (h == NULL) continue;
        __int128 its = rank(ctx, v, b, (uint8_t)a, &p, h);
        if (found != 0 && its <= best) continue;
        found = (uint8_t)a;
        best = its;
    }
    return found;
}

/* deleverage closes account's position against lack, at most *rest of it. */
static void deleverage(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       const struct venue_lack *lack, uint8_t side, uint8_t account, qty_t *rest) {
    struct venue_purse p = venue_purse(v, b, account);
    struct venue_holding *h = held_of(&p, side);
    qty_t size = h->quantity < 0 ? -h->quantity : h->quantity;
    qty_t quantity = size < *rest ? size : *rest;
    if (!venue_account_close(b->instrument, &p, h, quantity, lack->price,
                             0)) { /* beyond all money */
        *rest = 0;
        return;
    }
    *rest -= quantity;
    venue_purse_put(v, b, account, &p);
    venue_cut(ctx, v, b, account, REASON_DELEVERAGED);
    venue_flush(ctx, v); /* fills first: they made the position */
    venue_ledger_forced(v, b->instrument, side, quantity, lack->price, 0, 0);
    struct msg_venue_deleverage *m = rt_say(ctx, MSG_VENUE_DELEVERAGE, 0, sizeof *m);
    *m = (struct msg_venue_deleverage){ .trade_id = ++v->trades,
                                        .price = lack->price,
                                        .quantity = quantity,
                                        .instrument = b->instrument->id,
                                        .account = account,
                                        .side = side };
}

void venue_fund_settle(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    for (uint32_t i = 0; i < v->lack_cnt; i++) {
        const struct venue_lack *lack = &v->lacks[i];
        assert(lack->instrument == b->instrument->id);
        uint8_t side = lack->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY, account;
        qty_t rest = lack->quantity;
        while (rest > 0 && (account = first(ctx, v, b, lack, side)) != 0) {
            deleverage(ctx, v, b, lack, side, account, &rest);
        }
    }
    v->lack_cnt = 0;
}
