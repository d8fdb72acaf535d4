#include "actors/venue/impact.h"
#include <assert.h>

uint64_t venue_isqrt(unsigned __int128 x) {
    uint64_t root = 0;
    for (int bit = 63; bit >= 0; bit--) { /* the highest bit first: each is kept when it fits */
        uint64_t with = root | UINT64_C(1) << bit;
        if ((unsigned __int128)with * with <= x) root = with;
    }
    return root;
}

/* part_up returns the part of volume that quantity is, in 1e-16, rounded up, at most 1. */
static uint64_t part_up(qty_t quantity, qty_t volume) {
    const uint64_t one = (uint64_t)FIXED_ONE * FIXED_ONE;
    if (volume <= quantity) return one;
    unsigned __int128 wide = (unsigned __int128)(uint64_t)quantity * one;
    return (uint64_t)((wide + (uint64_t)volume - 1) / (uint64_t)volume);
}

bool venue_impact_price(const struct venue_impact *m, price_t price, qty_t quantity, qty_t volume,
                        int64_t sigma, price_t *out) {
    assert(price > 0 && quantity > 0 && m->factor >= 0 && sigma >= 0);
    if (m->kind == VENUE_IMPACT_BPS) {
        return fixed_muldiv(price, m->factor, INT64_C(1000000000000), FIXED_UP, out);
    }
    uint64_t part = part_up(quantity, volume);
    int64_t rate; /* of the price, 1e-8 */
    if (m->kind == VENUE_IMPACT_VOLUME) {
        if (!fixed_muldiv(m->factor, (int64_t)part, INT64_C(10000000000000000), FIXED_UP, &rate)) {
            return false;
        }
    } else {
        uint64_t root = venue_isqrt(part); /* of a part in 1e-16: in 1e-8 */
        if ((unsigned __int128)root * root < part) root++;
        int64_t scale;
        if (!fixed_mul(m->factor, sigma, FIXED_UP, &scale)) return false;
        if (!fixed_mul(scale, (int64_t)root, FIXED_UP, &rate)) return false;
    }
    return fixed_mul(price, rate, FIXED_UP, out);
}
