#include "runtime/base/decimal.h"
#include <stdbool.h>

#define NONE 0x80 /* pshufb writes 0 */
const uint8_t rt_decimal_whole[16] = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
                                       0,    1,    2,    3,    4,    5,    6,    7 };
const uint8_t rt_decimal_fraction[32] = { 0,    1,    2,    3,    4,    5,    6,    7,
                                          8,    9,    10,   11,   12,   13,   14,   15,
                                          NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
                                          NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE };
const uint8_t rt_decimal_keep[32] = { 255, 255, 255, 255, 255, 255, 255, 255,
                                      255, 255, 255, 255, 255, 255, 255, 255 };

/* is_digit tells whether c is one of 0..9. */
static bool is_digit(char c) {
    return (uint8_t)(c - '0') <= 9;
}

const char *rt_decimal_scan_slow(const char *at, const char *end, int64_t *out, int *code) {
    bool negative = at < end && *at == '-';
    if (negative) at++;
    if (at == end || !is_digit(*at)) {
        *code = -EINVAL;
        return NULL;
    }
    /* The magnitude may reach 2^63: the smallest number has no positive twin. */
    const uint64_t most = (uint64_t)INT64_MAX + negative;
    const uint64_t whole_most = most / 100000000;
    uint64_t whole = 0, fraction = 0;
    bool over = false, fine = false;
    for (; at < end && is_digit(*at); at++) {
        whole = over ? whole : whole * 10 + (uint64_t)(*at - '0');
        over = over || whole > whole_most;
    }
    if (at < end && *at == '.') {
        at++;
        if (at == end || !is_digit(*at)) {
            *code = -EINVAL;
            return NULL;
        }
        uint64_t unit = 10000000;
        for (; at < end && is_digit(*at); at++) {
            uint64_t digit = (uint64_t)(*at - '0');
            fraction += digit * unit;
            if (unit == 0 && digit != 0) fine = true;
            unit /= 10;
        }
    }
    if (fine || over) {
        *code = over ? -ERANGE : -EDOM;
        return NULL;
    }
    uint64_t value = whole * 100000000 + fraction; /* whole <= whole_most: below 2^64 */
    if (value > most) {
        *code = -ERANGE;
        return NULL;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return at;
}

int rt_decimal_parse(const char *text, size_t cnt, int64_t *out) {
    int64_t value = 0;
    int code = 0;
    const char *stop = rt_decimal_scan_slow(text, text + cnt, &value, &code);
    /* Junk behind a number outweighs what was wrong with the number. */
    if (stop == NULL && code != -EINVAL) {
        size_t i = text[0] == '-';
        while (i < cnt && (is_digit(text[i]) || text[i] == '.')) i++;
        if (i < cnt) code = -EINVAL;
    }
    if (stop == NULL) return code;
    if (stop != text + cnt) return -EINVAL;
    *out = value;
    return 0;
}

const char *rt_decimal_error(int code) {
    switch (code) {
    case 0: return "no error";
    case -EDOM: return "more than 8 decimals";
    case -ERANGE: return "beyond 92233720368.54775807";
    default: return "not a decimal number";
    }
}

size_t rt_decimal_format(int64_t v, char out[RT_DECIMAL_CHARS]) {
    char back[RT_DECIMAL_CHARS]; /* digits from the last to the first */
    size_t cnt = 0;
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t whole = rest / 100000000, fraction = rest % 100000000;
    if (fraction != 0) {
        int places = 8;
        for (; fraction % 10 == 0; fraction /= 10) places--;
        for (; places > 0; places--, fraction /= 10) back[cnt++] = (char)('0' + fraction % 10);
        back[cnt++] = '.';
    }
    do {
        back[cnt++] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole != 0);
    if (v < 0) back[cnt++] = '-';
    for (size_t i = 0; i < cnt; i++) out[i] = back[cnt - 1 - i];
    out[cnt] = 0;
    return cnt;
}
