#include "actors/venue/ledger.h"
#include "actors/market/value.h"
#include "actors/venue/venue.h"
#include <assert.h>

/* at returns a figure of the books of asset. */
static __int128 *at(struct venue *v, uint16_t asset, enum venue_ledger_figure figure) {
    return &v->ledger[asset].figure[figure];
}

void venue_ledger_fill(struct venue *v, const struct mk_instrument *in,
                       const struct venue_order *order, const struct venue_deal *deal) {
    bool buy = order->side == SIDE_BUY;
    *at(v, mk_settle(in), VENUE_LEDGER_MARKET) += buy ? deal->value : -deal->value;
    if (in->kind == MK_SPOT) {
        *at(v, in->base_asset, VENUE_LEDGER_MARKET) -= buy ? deal->quantity : -deal->quantity;
    }
    *at(v, deal->fee_asset, VENUE_LEDGER_FEES) += deal->fee;
}

void venue_ledger_forced(struct venue *v, const struct mk_instrument *in, uint8_t side,
                         qty_t quantity, price_t price, cash_t fee, cash_t pays) {
    bool buy = side == SIDE_BUY;
    cash_t value;
    bool fits = mk_value(in, price, quantity, buy ? FIXED_UP : FIXED_DOWN, &value);
    assert(fits); /* it was booked */
    *at(v, mk_settle(in), VENUE_LEDGER_MARKET) += (buy ? value : -value) + (__int128)pays;
    *at(v, mk_settle(in), VENUE_LEDGER_FUND) += (__int128)fee - pays;
}

void venue_ledger_delivery(struct venue *v, const struct mk_instrument *in, uint8_t side,
                           qty_t quantity, price_t price, cash_t fee) {
    venue_ledger_forced(v, in, side, quantity, price, 0, 0);
    *at(v, mk_settle(in), VENUE_LEDGER_FEES) += fee;
}

void venue_ledger_funding(struct venue *v, const struct mk_instrument *in, cash_t amount) {
    *at(v, mk_settle(in), VENUE_LEDGER_FUNDING) += amount;
}

/* held_in sums what account number a (from 0) has of asset: cash less the cost of its other
 * positions, spot holdings, its balance of what it pays fees in. */
static __int128 held_in(const struct venue *v, uint32_t a, uint16_t asset) {
    const struct mk_market *m = v->market;
    const struct mk_fee_asset *burn = &m->accounts[a].burn;
    __int128 sum = m->accounts[a].quote == asset ? v->cash[a] : 0;
    if (burn->on && burn->asset == asset) sum += v->burn_held[a];
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        const struct mk_instrument *in = &m->instruments[i];
        size_t row = (size_t)a * m->instrument_cnt + i;
        if (in->kind == MK_SPOT) {
            if (in->base_asset == asset) sum += v->holdings[row].quantity;
        } else if (mk_settle(in) == asset) {
            sum -= (__int128)v->holdings[row].cost + v->shorts[row].cost;
        }
    }
    return sum;
}

bool venue_conserved(const struct venue *v) {
    const struct mk_market *m = v->market;
    for (uint32_t asset = 0; asset < m->asset_cnt; asset++) {
        __int128 sum = 0;
        for (uint32_t a = 0; a < m->account_cnt; a++) {
            sum += held_in(v, a, (uint16_t)asset);
            const struct mk_fee_asset *burn = &m->accounts[a].burn;
            if (m->accounts[a].quote == asset) sum -= m->accounts[a].cash;
            if (burn->on && burn->asset == asset) sum -= burn->balance;
        }
        for (int f = 0; f < VENUE_LEDGER_FIGURES; f++) sum += v->ledger[asset].figure[f];
        if (sum != 0) return false;
    }
    return true;
}
