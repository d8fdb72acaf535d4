#include "actors/venue/ledger.h"
#include "actors/market/value.h"
#include "actors/venue/fund.h"
#include <assert.h>

/* at returns a figure of the books of asset. */
static __int128 *at(struct venue *v, uint16_t asset, enum venue_ledger_figure figure) {
    return &v->ledger[asset].figure[figure];
}

/* floor16 returns n / d (d > 0), rounded down. */
static __int128 floor16(__int128 n, __int128 d) {
    __int128 q = n / d;
    return q * d > n ? q - 1 : q;
}

/* worth returns what quantity is worth at price in 1e-16, rounded down (mk_value does it in 1e-8);
 * value, in 1e-8, where that is too large to be reckoned. */
static __int128 worth(const struct mk_instrument *in, price_t price, qty_t quantity, cash_t value) {
    __int128 n;
    if (in->contract == 0) return (__int128)price * quantity;
    if (in->kind != MK_INVERSE) {
        return floor16((__int128)price * quantity * in->contract, FIXED_ONE);
    }
    if (__builtin_mul_overflow(-(__int128)quantity * in->contract, (__int128)FIXED_ONE, &n)) {
        return (__int128)value * FIXED_ONE;
    }
    return floor16(n, price);
}

/* trade books a trade at price for which value moved: the market's side is exact, the rest is what
 * rounding left. */
static void trade(struct venue *v, const struct mk_instrument *in, bool buy, qty_t quantity,
                  price_t price, cash_t value) {
    __int128 exact = worth(in, price, quantity, value), moved = (__int128)value * FIXED_ONE;
    *at(v, mk_settle(in), VENUE_LEDGER_MARKET) += buy ? exact : -exact;
    *at(v, mk_settle(in), VENUE_LEDGER_ROUNDING) += buy ? moved - exact : exact - moved;
}

void venue_ledger_fill(struct venue *v, const struct mk_instrument *in,
                       const struct venue_order *order, const struct venue_deal *deal) {
    bool buy = order->side == SIDE_BUY;
    trade(v, in, buy, deal->quantity, deal->price, deal->value);
    if (in->kind == MK_SPOT) {
        __int128 base = (__int128)deal->quantity * FIXED_ONE;
        *at(v, in->base_asset, VENUE_LEDGER_MARKET) -= buy ? base : -base;
    }
    *at(v, deal->fee_asset, VENUE_LEDGER_FEES) += (__int128)deal->fee * FIXED_ONE - deal->rounded;
    *at(v, deal->fee_asset, VENUE_LEDGER_ROUNDING) += deal->rounded;
}

void venue_ledger_forced(struct venue *v, const struct mk_instrument *in, uint8_t side,
                         qty_t quantity, price_t price, cash_t fee, cash_t pays) {
    bool buy = side == SIDE_BUY;
    cash_t value;
    bool fits = mk_value(in, price, quantity, buy ? FIXED_UP : FIXED_DOWN, &value);
    assert(fits); /* it was booked */
    trade(v, in, buy, quantity, price, value);
    *at(v, mk_settle(in), VENUE_LEDGER_MARKET) += (__int128)pays * FIXED_ONE;
    *at(v, mk_settle(in), VENUE_LEDGER_FUND) += ((__int128)fee - pays) * FIXED_ONE;
}

void venue_ledger_delivery(struct venue *v, const struct mk_instrument *in, uint8_t side,
                           qty_t quantity, price_t price, cash_t fee) {
    venue_ledger_forced(v, in, side, quantity, price, 0, 0);
    *at(v, mk_settle(in), VENUE_LEDGER_FEES) += (__int128)fee * FIXED_ONE;
}

void venue_ledger_funding(struct venue *v, const struct mk_instrument *in, qty_t quantity,
                          price_t mark, int64_t rate, cash_t amount) {
    __int128 due; /* as mk_funding reckons it, which fitted */
    if (in->kind == MK_INVERSE) {
        due = floor16((__int128)quantity * in->contract * rate, mark);
    } else if (in->contract != 0) {
        due = floor16((__int128)quantity * mark * rate * in->contract,
                      (__int128)FIXED_ONE * FIXED_ONE);
    } else {
        due = floor16((__int128)quantity * mark * rate, FIXED_ONE);
    }
    *at(v, mk_settle(in), VENUE_LEDGER_FUNDING) += due;
    *at(v, mk_settle(in), VENUE_LEDGER_ROUNDING) += (__int128)amount * FIXED_ONE - due;
}

/* whole returns a figure (1e-16) in 1e-8, rounded down, held within 64 bits. */
static int64_t whole(__int128 figure) {
    __int128 q = figure / FIXED_ONE - (figure % FIXED_ONE < 0);
    return q > INT64_MAX ? INT64_MAX : q < -INT64_MAX ? -INT64_MAX : (int64_t)q;
}

void venue_ledger_tell(struct rt_ctx *ctx, const struct venue *v) {
    for (uint32_t i = 0; i < v->market->asset_cnt; i++) {
        const __int128 *f = v->ledger[i].figure;
        bool fund = v->funds != NULL && v->funds[i].on, any = fund;
        for (int k = 0; k < VENUE_LEDGER_FIGURES; k++) any = any || f[k] != 0;
        if (!any) continue;
        cash_t start = fund ? v->funds[i].start : 0;
        __int128 left = f[VENUE_LEDGER_ROUNDING];
        struct msg_venue_books *m = rt_say(ctx, MSG_VENUE_BOOKS, 0, sizeof *m);
        *m = (struct msg_venue_books){
            .fees = whole(f[VENUE_LEDGER_FEES]),
            .fund = whole(f[VENUE_LEDGER_FUND] + (__int128)start * FIXED_ONE),
            .fund_start = start,
            .funding = whole(f[VENUE_LEDGER_FUNDING]),
            .rounding = left > INT64_MAX ? INT64_MAX : (int64_t)left,
            .asset = (uint16_t)i,
            .insured = fund,
        };
    }
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
        sum *= FIXED_ONE;
        for (int f = 0; f < VENUE_LEDGER_FIGURES; f++) sum += v->ledger[asset].figure[f];
        if (sum != 0) return false;
    }
    return true;
}
