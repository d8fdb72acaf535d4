#include "actors/market/margin.h"
#include <assert.h>

bool mk_brackets_seal(struct mk_bracket *brackets, uint32_t cnt) {
    for (uint32_t i = 0; i < cnt; i++) {
        cash_t step = 0;
        brackets[i].cum = 0;
        if (i == 0) continue;
        int64_t more = brackets[i].maintenance - brackets[i - 1].maintenance;
        if (!fixed_mul(brackets[i - 1].cap, more, FIXED_DOWN, &step) ||
            __builtin_add_overflow(brackets[i - 1].cum, step, &brackets[i].cum)) {
            return false;
        }
    }
    return true;
}

const struct mk_bracket *mk_bracket_at(const struct mk_instrument *in, cash_t notional) {
    if (in->bracket_cnt == 0) return NULL;
    uint32_t i = 0;
    while (i + 1 < in->bracket_cnt && notional > in->brackets[i].cap) i++;
    return &in->brackets[i];
}

bool mk_notional(const struct mk_instrument *in, qty_t quantity, price_t price, cash_t *out) {
    __int128 size = quantity < 0 ? -(__int128)quantity : quantity, exact;
    if (__builtin_expect(in->contract == 0, 1)) {
        return fixed_div128(size * price, FIXED_ONE, FIXED_UP, out);
    }
    if (in->kind == MK_INVERSE) {
        return price > 0 && fixed_div128(size * in->contract, price, FIXED_UP, out);
    }
    if (__builtin_mul_overflow(size * price, (__int128)in->contract, &exact)) return false;
    return fixed_div128(exact, INT64_C(10000000000000000), FIXED_UP, out);
}

bool mk_gap(const struct mk_instrument *in, qty_t quantity, price_t from, price_t to, cash_t *out) {
    price_t low = from < to ? from : to, high = from < to ? to : from;
    cash_t more, less;
    if (in->kind != MK_INVERSE) return mk_notional(in, quantity, high - low, out);
    if (low == high) {
        *out = 0; /* not what rounding apart would leave */
        return true;
    }
    if (!mk_notional(in, quantity, low, &more)) return false;
    __int128 size = quantity < 0 ? -(__int128)quantity : quantity;
    if (!fixed_div128(size * in->contract, high, FIXED_DOWN, &less)) return false;
    *out = more - less;
    return true;
}

price_t mk_better(const struct mk_instrument *in, qty_t quantity, price_t price, cash_t lack) {
    __int128 size = quantity < 0 ? -(__int128)quantity : quantity, more;
    if (in->kind == MK_INVERSE) {
        __int128 worth = size * in->contract; /* n V: over the price it is coin */
        __int128 coin = quantity > 0 ? worth / price - lack : (worth + price - 1) / price + lack;
        if (coin <= 0) return INT64_MAX;
        __int128 at = quantity > 0 ? (worth + coin - 1) / coin : worth / coin;
        return at > INT64_MAX ? INT64_MAX : (price_t)at;
    }
    if (in->contract == 0) {
        more = ((__int128)lack * FIXED_ONE + size - 1) / size;
    } else {
        __int128 unit = size * in->contract; /* 1e-16 */
        more = ((__int128)lack * FIXED_ONE * FIXED_ONE + unit - 1) / unit;
    }
    if (more > INT64_MAX / 2) more = INT64_MAX / 2;
    if (quantity > 0) return price > INT64_MAX - (price_t)more ? INT64_MAX : price + (price_t)more;
    return more < price ? price - (price_t)more : 0;
}

bool mk_margin_maintenance(const struct mk_instrument *in, qty_t quantity, price_t mark,
                           cash_t *out) {
    cash_t notional;
    if (!mk_notional(in, quantity, mark, &notional)) return false;
    const struct mk_bracket *b = mk_bracket_at(in, notional);
    if (b == NULL) {
        *out = 0;
        return true;
    }
    if (!fixed_mul(notional, b->maintenance, FIXED_UP, out)) return false;
    *out -= b->cum;
    return true;
}

cash_t mk_margin_initial(cash_t notional, uint32_t leverage) {
    assert(leverage >= 1);
    return notional / leverage + (notional % leverage != 0);
}

bool mk_margin_unrealized(const struct mk_instrument *in, const struct mk_holding *h, price_t price,
                          cash_t *out) {
    cash_t worth;
    if (__builtin_expect(in->contract == 0, 1)) {
        __int128 exact = (__int128)h->quantity * price - (__int128)h->cost * FIXED_ONE;
        return fixed_div128(exact, FIXED_ONE, FIXED_DOWN, out);
    }
    return price > 0 && mk_value_scaled(in, price, h->quantity, FIXED_DOWN, &worth) &&
           !__builtin_sub_overflow(worth, h->cost, out);
}

cash_t mk_margin_most(const struct mk_instrument *in, uint32_t leverage) {
    cash_t most = in->bracket_cnt == 0 ? INT64_MAX : 0;
    for (uint32_t i = 0; i < in->bracket_cnt; i++) {
        if (in->brackets[i].leverage >= leverage) most = in->brackets[i].cap;
    }
    return most;
}

/* price_of divides n (1e-16) by d (> 0, units of 1e-8 base) into a price, rounded by r and held
 * within [0, INT64_MAX]. */
static price_t price_of(__int128 n, __int128 d, enum fixed_round r) {
    if (n <= 0) return 0;
    __int128 q = n / d;
    if (r == FIXED_UP && n % d != 0) q++;
    return q > INT64_MAX ? INT64_MAX : (price_t)q;
}

/* meets tells whether the position is liquidated at price. */
static bool meets(const struct mk_instrument *in, const struct mk_holding *h, cash_t wallet,
                  price_t price) {
    cash_t maintenance, unrealized;
    if (!mk_margin_maintenance(in, h->quantity, price, &maintenance) ||
        !mk_margin_unrealized(in, h, price, &unrealized)) {
        /* a price beyond all money is the end of a short alone, one next to nothing that of a long
         * of inverse contracts */
        return in->kind == MK_INVERSE ? h->quantity > 0 : h->quantity < 0;
    }
    return (__int128)wallet + unrealized <= maintenance;
}

/* liquidation_searched finds the liquidation price of a position whose contracts have a size by
 * halving: on one side of it all prices liquidate, on the other none does. */
static price_t liquidation_searched(const struct mk_instrument *in, const struct mk_holding *h,
                                    cash_t wallet) {
    bool is_long = h->quantity > 0;
    price_t low = 1, high = INT64_MAX; /* both have been looked at */
    if (is_long ? !meets(in, h, wallet, low) : meets(in, h, wallet, low)) return is_long ? 0 : 1;
    if (is_long ? meets(in, h, wallet, high) : !meets(in, h, wallet, high)) return INT64_MAX;
    while (high - low > 1) {
        price_t mid = low + (high - low) / 2;
        if (meets(in, h, wallet, mid) == is_long) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return is_long ? low : high;
}

void mk_liquidation_price(const struct mk_instrument *in, const struct mk_holding *h, cash_t wallet,
                          price_t *out) {
    bool is_long = h->quantity > 0;
    *out = is_long || h->quantity == 0 ? 0 : INT64_MAX;
    if (h->quantity == 0) return;
    if (in->contract != 0) {
        *out = liquidation_searched(in, h, wallet);
        return;
    }
    /* The formula of each bracket gives a price; the right one lies in its own bracket. Rounding
     * of its parts moves it by a few units of 1e-8 of price, which the last step takes back. */
    __int128 size = is_long ? h->quantity : -(__int128)h->quantity, floor = 0;
    uint32_t cnt = in->bracket_cnt == 0 ? 1 : in->bracket_cnt;
    price_t best = *out;
    for (uint32_t i = 0; i < cnt; i++) {
        int64_t rate = in->bracket_cnt == 0 ? 0 : in->brackets[i].maintenance;
        cash_t cum = in->bracket_cnt == 0 ? 0 : in->brackets[i].cum;
        /* long: p = (cost - wallet - cum) / (q (1 - rate)); short, cost below zero:
         * p = (wallet - cost + cum) / (q (1 + rate)) */
        __int128 sum =
            is_long ? (__int128)h->cost - wallet - cum : (__int128)wallet - h->cost + cum;
        __int128 weight = FIXED_ONE + (is_long ? -rate : rate);
        __int128 whole = sum * FIXED_ONE / weight; /* 1e-8: worth of the position at that price */
        if (!is_long && whole <= 0) {              /* nothing backs it: any price */
            *out = 1;
            return;
        }
        price_t p = price_of(whole * FIXED_ONE, size, is_long ? FIXED_DOWN : FIXED_UP);
        __int128 cap = i + 1 < cnt ? in->brackets[i].cap : (__int128)INT64_MAX * 2;
        if (whole >= floor && whole <= cap) {
            best = p;
            break;
        }
        floor = cap;
    }
    if (best == 0 || best == INT64_MAX) {
        *out = best;
        return;
    }
    /* Exact: the nearest price that liquidates, within what rounding can have moved. */
    int64_t toward = is_long ? 1 : -1;
    price_t step = (price_t)(4 * (__int128)FIXED_ONE / size) + 4;
    price_t inside = best - toward * step, outside = best + toward * step;
    if (inside < 1) inside = 1;
    if (outside < 1) outside = 1;
    if (!meets(in, h, wallet, inside)) {
        *out = is_long ? 0 : INT64_MAX;
        return;
    }
    while (toward * (outside - inside) > 1) {
        price_t mid = inside + (outside - inside) / 2;
        if (meets(in, h, wallet, mid)) {
            inside = mid;
        } else {
            outside = mid;
        }
    }
    *out = meets(in, h, wallet, outside) ? outside : inside;
}

bool mk_pair_meets(const struct mk_instrument *in, const struct mk_holding *a,
                   const struct mk_holding *b, cash_t wallet, price_t price) {
    cash_t must[2], open[2];
    if (!mk_margin_maintenance(in, a->quantity, price, &must[0]) ||
        !mk_margin_maintenance(in, b->quantity, price, &must[1]) ||
        !mk_margin_unrealized(in, a, price, &open[0]) ||
        !mk_margin_unrealized(in, b, price, &open[1])) {
        return true; /* a price beyond all money */
    }
    return (__int128)wallet + open[0] + open[1] <= (__int128)must[0] + must[1];
}

price_t mk_pair_liquidation(const struct mk_instrument *in, const struct mk_holding *a,
                            const struct mk_holding *b, cash_t wallet, price_t from, price_t to) {
    if (mk_pair_meets(in, a, b, wallet, from)) return from;
    while (from - to > 1 || to - from > 1) {
        price_t mid = from + (to - from) / 2;
        if (mk_pair_meets(in, a, b, wallet, mid)) {
            to = mid;
        } else {
            from = mid;
        }
    }
    return to;
}

void mk_bankruptcy_price(const struct mk_instrument *in, const struct mk_holding *h, cash_t wallet,
                         price_t *out) {
    bool is_long = h->quantity > 0;
    *out = 0;
    if (h->quantity == 0) return;
    __int128 sum = is_long ? (__int128)h->cost - wallet : (__int128)wallet - h->cost;
    __int128 size = is_long ? h->quantity : -(__int128)h->quantity;
    enum fixed_round r = is_long ? FIXED_UP : FIXED_DOWN;
    if (in->contract == 0) {
        *out = price_of(sum * FIXED_ONE, size, r);
    } else if (in->kind == MK_INVERSE) { /* n V / p = -sum */
        *out = sum < 0 ? price_of(size * in->contract, -sum, r) : INT64_MAX;
    } else {
        *out = price_of(sum * FIXED_ONE * FIXED_ONE, size * in->contract, r);
    }
}

bool mk_funding(const struct mk_instrument *in, qty_t quantity, price_t mark, int64_t rate,
                cash_t *out) {
    __int128 exact, unit = (__int128)FIXED_ONE * FIXED_ONE, times = rate;
    if (in->kind == MK_INVERSE) { /* n V rate / mark */
        exact = (__int128)quantity * in->contract;
        unit = (__int128)FIXED_ONE * mark;
    } else {
        exact = (__int128)quantity * mark;
        if (in->contract != 0) {
            times *= in->contract;
            unit *= FIXED_ONE;
        }
    }
    if (unit <= 0 || __builtin_mul_overflow(exact, times, &exact)) return false;
    __int128 pay = exact / unit; /* toward zero: right for what is received */
    if (exact > 0 && exact % unit != 0) pay++;
    if (pay != (int64_t)pay) return false;
    *out = (int64_t)pay;
    return true;
}
