/* decimal.h - decimal text to units of 1e-8 and back, exactly.
 *
 * For     prices, quantities and cash in configuration, data files, commands and results. The
 *         grammar is one everywhere: an optional '-', one or more digits, and optionally '.' with
 *         one or more digits. No '+', no exponent, no blanks, no grouping, no bare '.'.
 * Thread  pure functions.
 * Memory  the caller's.
 * Cost    rt_decimal_scan about 4 ns where up to 8 whole digits and 8 decimals are in 15 bytes
 *         and 16 bytes may be read; else about 1 ns a digit. */
#ifndef RUNTIME_BASE_DECIMAL_H
#define RUNTIME_BASE_DECIMAL_H
#include <errno.h>
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { RT_DECIMAL_CHARS = 24 }; /* room for the longest number rt_decimal_format writes and a NUL */

/* rt_decimal_parse reads all cnt bytes of text into *out (1e-8). Returns 0, or leaves *out alone
 * and returns -EINVAL (not a decimal number), -EDOM (a digit other than 0 after the eighth decimal)
 * or -ERANGE (beyond +-92233720368.54775807). */
int rt_decimal_parse(const char *text, size_t cnt, int64_t *out)
    __attribute__((warn_unused_result));

/* rt_decimal_error returns what was wrong, for people, for a code of the functions here. */
const char *rt_decimal_error(int code);

/* rt_decimal_format writes v (1e-8) as the shortest exact decimal, never in exponent form ("0",
 * "-0.5", "92233720368.54775807"), with a NUL; returns its length. */
size_t rt_decimal_format(int64_t v, char out[RT_DECIMAL_CHARS]);

/* rt_decimal_scan_slow is rt_decimal_scan without its short cut. */
const char *rt_decimal_scan_slow(const char *at, const char *end, int64_t *out, int *code);

/* Byte shuffles of the short cut: sliding windows over these runs are its masks. */
extern const uint8_t rt_decimal_whole[16];    /* 8 times "none", then 0..7 */
extern const uint8_t rt_decimal_fraction[32]; /* 0..15, then "none" */
extern const uint8_t rt_decimal_keep[32];     /* 16 times 255, then 0 */

/* rt_decimal_scan reads the longest decimal number at the start of at..end into *out (1e-8) and
 * returns where it ends, for the caller to look at what follows. On error returns NULL with *code =
 * -EINVAL, -EDOM or -ERANGE as rt_decimal_parse; *out is then untouched.
 * Source: the digit sums by multiply-add are Mula and Lemire's ("Number parsing at a gigabyte per
 * second", 2021, section 4). */
static inline const char *rt_decimal_scan(const char *at, const char *end, int64_t *out,
                                          int *code) {
    if (__builtin_expect(end - at < 16, 0)) return rt_decimal_scan_slow(at, end, out, code);
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i digit = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    uint32_t other = ~(uint32_t)_mm_movemask_epi8(is_digit); /* bits 16.. are set: a fence */
    uint32_t whole = (uint32_t)__builtin_ctz(other);
    uint32_t stop = whole;
    if (whole < 16 && at[whole] == '.') stop = (uint32_t)__builtin_ctz(other & (other - 1));
    /* The common shape: 1..8 whole digits, no point or 1..8 decimals, all inside the 16 bytes. */
    if (__builtin_expect(whole - 1 > 7 || stop > 15 || (stop > whole && stop - whole - 2 > 7), 0))
        return rt_decimal_scan_slow(at, end, out, code);
    digit = _mm_and_si128(
        digit, _mm_loadu_si128((const __m128i *)(const void *)(rt_decimal_keep + 16 - stop)));
    uint64_t left, right;
    memcpy(&left, rt_decimal_whole + whole, 8);
    memcpy(&right, rt_decimal_fraction + whole + 1, 8);
    digit = _mm_shuffle_epi8(digit, _mm_set_epi64x((int64_t)right, (int64_t)left));
    __m128i two = _mm_maddubs_epi16(digit, _mm_set1_epi16(0x010a));
    __m128i four = _mm_madd_epi16(two, _mm_set1_epi32(0x00010064));
    __m128i packed = _mm_packus_epi32(four, four);
    uint64_t eight =
        (uint64_t)_mm_cvtsi128_si64(_mm_madd_epi16(packed, _mm_set1_epi32(0x00012710)));
    *out = (int64_t)((eight & 0xffffffffU) * 100000000U + (eight >> 32));
    return at + stop;
}

/* rt_decimal_scan_whole reads the digits at the start of at..end as a whole number (ids, times)
 * into *out and returns where they end; NULL with *code = -EINVAL (no digit) or -ERANGE. */
static inline const char *rt_decimal_scan_whole(const char *at, const char *end, int64_t *out,
                                                int *code) {
    const char *start = at;
    uint64_t value = 0;
    while (at < end && (uint8_t)(*at - '0') <= 9) {
        uint64_t next = (uint64_t)(*at - '0');
        if (value > (INT64_MAX - next) / 10) {
            *code = -ERANGE;
            return NULL;
        }
        value = value * 10 + next;
        at++;
    }
    if (at == start) {
        *code = -EINVAL;
        return NULL;
    }
    *out = (int64_t)value;
    return at;
}
#endif
