#include "actors/strategy/cost.h"
#include "actors/market/charges.h"
#include "actors/market/value.h"

/* rate_of returns the rate of liquidity at tier number i (-1 = the instrument's own). */
static int64_t rate_of(const struct st_leg *l, const struct mk_account *a, int i,
                       uint8_t liquidity) {
    bool maker = liquidity == LIQUIDITY_MAKER;
    if (i < 0) return maker ? l->in->maker_fee : l->in->taker_fee;
    const struct mk_tier *t = &a->tiers[l->in->kind][i];
    return maker ? t->maker : t->taker;
}

/* burns tells whether fees of leg l may be paid in the account's fee asset. */
static bool burns(const struct st_leg *l, const struct mk_account *a) {
    return a->burn.on && l->in->charges == NULL && l->in->kind != MK_INVERSE;
}

void st_cost_init(struct st_leg *l, const struct mk_account *a) {
    bool first = a->tier_cnt[l->in->kind] > 0 && a->tiers[l->in->kind][0].volume == 0;
    l->tier = first ? 0 : -1;
    l->burnt = a->burn.balance > 0;
}

bool st_cost_keeps(const struct st_leg *l, const struct mk_account *a) {
    return a->tier_cnt[l->in->kind] > 0 || burns(l, a);
}

void st_cost_fill(struct st_leg *l, const struct mk_account *a, const struct msg_fill *m) {
    const struct mk_instrument *in = l->in;
    bool buy = m->side == SIDE_BUY;
    cash_t value, fee;
    if (!st_cost_keeps(l, a) || m->liquidity == LIQUIDITY_NONE) return;
    if (burns(l, a)) l->burnt = m->fee_asset == a->burn.asset;
    if ((burns(l, a) && l->burnt) || in->charges != NULL) return; /* it does not show the rate */
    if (in->kind == MK_SPOT && buy) {
        value = m->quantity; /* its fee is of what it got */
    } else if (!mk_value(in, m->price, m->quantity, buy ? FIXED_UP : FIXED_DOWN, &value)) {
        return;
    }
    if (value < 0) value = -value;
    if (mk_fee(value, rate_of(l, a, l->tier, m->liquidity), &fee) && fee == m->fee) return;
    for (int i = -1; i < (int)a->tier_cnt[in->kind]; i++) {
        if (!mk_fee(value, rate_of(l, a, i, m->liquidity), &fee) || fee != m->fee) continue;
        l->tier = (int8_t)i;
        return;
    }
}

double st_cost_bps(const struct st_leg *l, const struct mk_account *a, uint8_t side,
                   uint8_t liquidity, qty_t quantity, price_t price, int64_t now_ns) {
    static const struct mk_charged none;
    const struct mk_instrument *in = l->in;
    bool maker = liquidity == LIQUIDITY_MAKER;
    int64_t rate = rate_of(l, a, l->tier, liquidity);
    double bps = (double)rate / 1e4; /* of 1e-8 */
    if (rate > 0 && burns(l, a) && l->burnt) {
        bps *= (double)(FIXED_ONE - a->burn.discount[in->kind]) / (double)FIXED_ONE;
    }
    if (!maker) bps += (double)in->slippage_bps / 1e8;
    cash_t value, charged;
    if (in->charges == NULL || price <= 0 || !mk_value(in, price, quantity, FIXED_UP, &value)) {
        return bps;
    }
    if (value < 0) value = -value;
    if (value > 0 &&
        mk_charges_of(in->charges, in->lot_size, side, now_ns, &none, quantity, value, &charged)) {
        bps += (double)charged / (double)value * 1e4;
    }
    return bps;
}
