#include "actors/market/value.h"
#include "actors/strategy/host.h"

int64_t st_newest(struct st_host *h, uint16_t instrument, int64_t *at_ns) {
    int32_t series = h->finest[instrument];
    const void *row = series >= 0 ? rt_latest(h->ctx, (uint16_t)(series & 0xffff)) : NULL;
    *at_ns = INT64_MIN;
    if (!row) return 0;
    bool trades = series >> 16 & 1;
    const struct msg_trade *t = row;
    const struct msg_bar *b = row;
    *at_ns = trades ? t->time_ns : b->open_ns + b->interval_ns;
    return trades ? t->price : b->close;
}

/* close_of returns the newest close known of an instrument, 0 = none. */
static int64_t close_of(struct st_host *h, uint16_t instrument) {
    int64_t at_ns, close = st_newest(h, instrument, &at_ns);
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        const struct st_leg *l = &h->legs[i];
        if (l->in->id == instrument && l->last > 0 && l->last_ns >= at_ns) return l->last;
    }
    return close;
}

bool st_equity(struct st_host *h, cash_t *out) {
    __int128 sum = h->cash;
    uint16_t netted = 0; /* instrument whose netted position was counted: it comes first */
    for (uint32_t i = 0; i < h->held_cnt; i++) {
        const struct st_held *p = &h->held[i];
        if (p->instrument == netted) continue;
        if (p->owner == 0) netted = p->instrument;
        if (p->quantity == 0) continue;
        uint16_t id = p->instrument & (ST_HELD_SHORT - 1);
        const struct mk_instrument *in = &h->market->instruments[id - 1];
        bool spot = in->kind == MK_SPOT;
        int64_t close = close_of(h, id), worth = p->cost;
        if (close > 0 && !mk_value(in, close, p->quantity, FIXED_DOWN, &worth)) return false;
        sum += spot ? worth : (__int128)worth - p->cost;
    }
    if (sum != (int64_t)sum) return false;
    *out = (int64_t)sum;
    return true;
}

uint16_t st_size(struct st_host *h, uint16_t leg, qty_t *out) {
    const struct st_leg *l = &h->legs[leg];
    int64_t quantity = h->size, equity;
    if (h->sizing != ST_SIZE_FIXED) {
        if (l->last <= 0) return REASON_NO_REFERENCE_PRICE;
        if (h->sizing == ST_SIZE_NOTIONAL) {
            if (!mk_quantity(l->in, h->size, l->last, &quantity)) return REASON_OVERFLOW;
        } else {
            if (!st_equity(h, &equity)) return REASON_OVERFLOW;
            if (equity <= 0) return REASON_SIZE_NO_EQUITY;
            bool fits = l->in->contract == 0
                            ? fixed_muldiv(equity, h->size, l->last, FIXED_DOWN, &quantity)
                            : fixed_mul(equity, h->size, FIXED_DOWN, &equity) &&
                                  mk_quantity_settled(l->in, equity, l->last, &quantity);
            if (!fits) return REASON_OVERFLOW;
        }
    }
    quantity = fixed_floor_to(quantity, l->in->lot_size);
    if (quantity <= 0) return REASON_SIZE_BELOW_LOT;
    *out = quantity;
    return REASON_NONE;
}
