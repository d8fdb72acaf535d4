/* fixed.h - money as exact integers.
 *
 * For     prices, quantities and cash everywhere: int64 in units of 1e-8, products in 128 bits,
 *         every overflow noticed.
 * Thread  pure functions.
 * Source  rounding rules: README, "Numbers". */
#ifndef SCHEMAS_FIXED_H
#define SCHEMAS_FIXED_H
#include <stdbool.h>
#include <stdint.h>

typedef int64_t price_t; /* price of one whole unit of quantity, 1e-8 quote */
typedef int64_t qty_t;   /* quantity, 1e-8 base */
typedef int64_t cash_t;  /* money, 1e-8 of its asset */

enum { FIXED_ONE = 100000000 }; /* one whole unit */

/* Which way a division that does not come out even is rounded. */
enum fixed_round {
    FIXED_DOWN, /* toward minus infinity */
    FIXED_UP,   /* toward plus infinity */
    FIXED_ZERO, /* toward zero */
};

/* fixed_div128 divides n by d (d > 0) rounded by r into *out. Returns false when the result does
 * not fit 64 bits; *out is then untouched. */
static inline bool fixed_div128(__int128 n, int64_t d, enum fixed_round r, int64_t *out) {
    __int128 q;
    int64_t rest;
    if (n == (int64_t)n) { /* most products fit: half the cost of a 128-bit division */
        q = (int64_t)n / d;
        rest = (int64_t)n % d;
    } else {
        q = n / d;
        rest = (int64_t)(n % d);
    }
    if (rest > 0 && r == FIXED_UP) q++;
    if (rest < 0 && r == FIXED_DOWN) q--;
    if (q != (int64_t)q) return false;
    *out = (int64_t)q;
    return true;
}

/* fixed_mul multiplies a by b, both in 1e-8, into *out in 1e-8, rounded by r: price times quantity
 * gives cash. Returns false on overflow; *out is then untouched. One whole unit is 2^8 x 5^8: up to
 * 2^71 (some 236 thousand) what is left after the shift is divided in 64 bits. */
static inline bool fixed_mul(int64_t a, int64_t b, enum fixed_round r, int64_t *out) {
    enum { ODD = 390625 }; /* 5^8 */
    const __int128 n = (__int128)a * b, high = n >> 8;
    if (high != (int64_t)high) return fixed_div128(n, FIXED_ONE, r, out);
    int64_t q = (int64_t)high / ODD, rest = (int64_t)high % ODD;
    if (rest < 0) { /* toward minus infinity, like the shift */
        q--;
        rest += ODD;
    }
    const bool even = rest == 0 && (n & 255) == 0;
    if (!even && (r == FIXED_UP || (r == FIXED_ZERO && n < 0))) q++;
    *out = q;
    return true;
}

/* fixed_muldiv computes a * b / c (c > 0) into *out, rounded by r. Returns false on overflow. */
static inline bool fixed_muldiv(int64_t a, int64_t b, int64_t c, enum fixed_round r, int64_t *out) {
    return fixed_div128((__int128)a * b, c, r, out);
}

/* fixed_floor_to returns v (>= 0) rounded down to a multiple of step (> 0). */
static inline int64_t fixed_floor_to(int64_t v, int64_t step) {
    return v - v % step;
}

/* fixed_ceil_to returns v (>= 0) rounded up to a multiple of step (> 0). The caller keeps v at
 * least one step below INT64_MAX. */
static inline int64_t fixed_ceil_to(int64_t v, int64_t step) {
    int64_t rest = v % step;
    return rest == 0 ? v : v - rest + step;
}
#endif
