#include "actors/market/value.h"
#include <assert.h>

static const int64_t SQUARE = INT64_C(10000000000000000); /* 1e16 */

/* largest returns the largest number of 128 bits, with the sign of v. */
static __int128 largest(bool negative) {
    __int128 most = (__int128)(~(unsigned __int128)0 >> 1);
    return negative ? -most : most;
}

bool mk_value_scaled(const struct mk_instrument *in, price_t price, qty_t quantity,
                     enum fixed_round r, cash_t *out) {
    if (in->kind == MK_INVERSE) {
        return fixed_div128(-(__int128)quantity * in->contract, price, r, out);
    }
    __int128 exact; /* 1e-24 */
    if (__builtin_mul_overflow((__int128)price * quantity, (__int128)in->contract, &exact)) {
        return false;
    }
    return fixed_div128(exact, SQUARE, r, out);
}

__int128 mk_quoted(const struct mk_instrument *in, price_t price, qty_t quantity) {
    if (in->contract == 0) return (__int128)price * quantity;
    if (in->kind == MK_INVERSE) return (__int128)quantity * in->contract;
    __int128 exact;
    if (__builtin_mul_overflow((__int128)price * quantity, (__int128)in->contract, &exact)) {
        return largest(false);
    }
    return exact / FIXED_ONE;
}

bool mk_quantity(const struct mk_instrument *in, cash_t amount, price_t price, qty_t *out) {
    if (in->contract == 0) return fixed_muldiv(amount, FIXED_ONE, price, FIXED_DOWN, out);
    if (in->kind == MK_INVERSE) {
        return fixed_muldiv(amount, FIXED_ONE, in->contract, FIXED_DOWN, out);
    }
    __int128 unit = (__int128)price * in->contract, all = (__int128)amount * SQUARE / unit;
    if (unit == 0 || all != (int64_t)all) return false;
    *out = (qty_t)all;
    return true;
}

bool mk_quantity_settled(const struct mk_instrument *in, cash_t amount, price_t price, qty_t *out) {
    if (in->kind != MK_INVERSE) return mk_quantity(in, amount, price, out);
    return fixed_muldiv(amount, price, in->contract, FIXED_DOWN, out);
}

price_t mk_average(const struct mk_instrument *in, cash_t cost, qty_t quantity) {
    __int128 size = quantity < 0 ? -(__int128)quantity : quantity;
    __int128 sum = cost < 0 ? -(__int128)cost : cost, price;
    if (size == 0 || sum == 0) return 0;
    if (in->contract == 0) {
        price = sum * FIXED_ONE / size;
    } else if (in->kind == MK_INVERSE) {
        price = size * in->contract / sum;
    } else {
        price = sum * SQUARE / (size * in->contract);
    }
    return price == (price_t)price ? (price_t)price : 0;
}

double mk_estimate(const struct mk_instrument *in, double quantity, double price) {
    double size = (double)in->contract / FIXED_ONE;
    if (in->contract == 0) return quantity * price;
    if (in->kind == MK_INVERSE) return price > 0 ? -quantity * size / price : 0;
    return quantity * price * size;
}

__int128 mk_worth_order(const struct mk_instrument *in, __int128 cash, __int128 quantity,
                        price_t price) {
    __int128 own, worth, sum;
    bool lost;
    if (in->contract == 0) return cash * FIXED_ONE + quantity * price;
    if (in->kind == MK_INVERSE) { /* times the price, which is the same for both that compare */
        lost = __builtin_mul_overflow(cash, (__int128)price, &own);
        worth = -quantity * in->contract;
    } else {
        own = cash * SQUARE;
        lost = __builtin_mul_overflow(quantity * price, (__int128)in->contract, &worth);
    }
    if (lost) return largest(in->kind == MK_INVERSE ? cash < 0 : quantity < 0);
    return __builtin_add_overflow(own, worth, &sum) ? largest(worth < 0) : sum;
}
