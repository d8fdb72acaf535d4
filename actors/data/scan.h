/* scan.h - decimals out of CSV text, eight digits at a time.
 *
 * For     the parsers of bars and trades. The fast forms take what nearly every row holds and say
 *         no to all else; the careful forms then take the row apart, accept what is sound and say
 *         what is not. Both give the same figures.
 * Thread  pure functions.
 * Cost    a decimal: some 20 instructions, no branch on its length.
 * Source  digits to numbers by multiply-add: D. Lemire and others, "fast_float" and "simdjson". */
#ifndef ACTORS_DATA_SCAN_H
#define ACTORS_DATA_SCAN_H
#include "runtime/base/error.h"
#include "schemas/fixed.h"
#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    DATA_SCAN_AHEAD = 64,  /* a fast form reads up to this many bytes from where it begins */
    DATA_LINE_MAX = 1024,  /* longest line that is read */
    DATA_COLUMNS_MAX = 16, /* most columns that are told apart */
};

/* A field of a line: where it begins and its length. */
struct data_field {
    const char *text; /* not NUL-terminated */
    size_t cnt;       /* bytes */
};

/* What a careful form found. */
enum data_number {
    DATA_NUMBER_OK,       /* a number that fits */
    DATA_NUMBER_NONE,     /* not a plain decimal */
    DATA_NUMBER_NEGATIVE, /* a decimal below zero */
    DATA_NUMBER_DECIMALS, /* more than 8 decimals that are not zero */
    DATA_NUMBER_LARGE,    /* does not fit 64 bits in 1e-8 */
};

/* data_load64 reads 8 bytes from anywhere. */
static inline uint64_t data_load64(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* data_nondigits marks which of the 32 bytes at p are no digits. */
static inline uint32_t data_nondigits(const char *p) {
    const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
    __m128i a = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), zero);
    __m128i b = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)), zero);
    uint32_t low = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(a, nine), a));
    uint32_t high = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(b, nine), b));
    return ~(low | high << 16);
}

/* data_sixteen turns two groups of eight digits (bytes 0..9, first digit lowest) into
 * first * 10^8 + second. */
static inline uint64_t data_sixteen(uint64_t first, uint64_t second) {
    const __m128i tens = _mm_set1_epi16(0x010a);         /* bytes 10, 1 */
    const __m128i hundreds = _mm_set1_epi32(0x00010064); /* words 100, 1 */
    const __m128i myriads = _mm_set1_epi32(0x00012710);  /* words 10000, 1 */
    __m128i v = _mm_set_epi64x((int64_t)second, (int64_t)first);
    v = _mm_maddubs_epi16(v, tens);
    v = _mm_madd_epi16(v, hundreds);
    v = _mm_packus_epi32(v, v);
    v = _mm_madd_epi16(v, myriads);
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(v);
    return (both & 0xffffffffU) * FIXED_ONE + (both >> 32);
}

/* data_scan_fixed reads a decimal of 1 to 8 digits and up to 8 decimals at p that ends at stop,
 * into *out in 1e-8. Returns what follows stop, or NULL when it is not of that form. */
static inline const char *data_scan_fixed(const char *p, char stop, int64_t *out) {
    static const uint64_t keep[16] = {
        0,
        0xff,
        0xffff,
        0xffffff,
        0xffffffff,
        0xffffffffff,
        0xffffffffffff,
        0xffffffffffffff,
        0xffffffffffffffff,
    };
    uint32_t stops = data_nondigits(p) | 0x80000000U; /* 31 characters are too many anyway */
    uint32_t whole = (uint32_t)__builtin_ctz(stops);
    uint32_t after = (stops & (stops - 1)) | 0x80000000U;
    uint32_t dot = p[whole] == '.';
    uint32_t end = dot ? (uint32_t)__builtin_ctz(after) : whole;
    uint32_t decimals = end - whole - dot;
    bool good = (whole - 1U < 8U) & (decimals <= 8U) & (decimals >= dot) & (p[end] == stop);
    if (__builtin_expect(!good, 0)) return NULL;
    uint64_t a = (data_load64(p) ^ 0x3030303030303030ULL) << (64 - 8 * whole);
    uint64_t b = (data_load64(p + whole + dot) ^ 0x3030303030303030ULL) & keep[decimals];
    *out = (int64_t)data_sixteen(a, b);
    return p + end + 1;
}

/* data_scan_count reads a whole number of 1 to 19 digits at p that ends at stop. Returns what
 * follows stop, or NULL. */
static inline const char *data_scan_count(const char *p, char stop, uint64_t *out) {
    uint32_t cnt = (uint32_t)__builtin_ctz(data_nondigits(p) | 0x80000000U);
    if (__builtin_expect((cnt - 1U >= 19U) | (p[cnt] != stop), 0)) return NULL;
    if (cnt > 8 && cnt <= 16) {
        uint64_t a = (data_load64(p) ^ 0x3030303030303030ULL) << (128 - 8 * cnt);
        uint64_t b = data_load64(p + cnt - 8) ^ 0x3030303030303030ULL;
        *out = data_sixteen(a, b);
    } else if (cnt <= 8) {
        *out = data_sixteen(0, (data_load64(p) ^ 0x3030303030303030ULL) << (64 - 8 * cnt));
    } else {
        uint64_t v = 0;
        for (uint32_t i = 0; i < cnt; i++) v = v * 10 + (uint64_t)(p[i] - '0');
        *out = v;
    }
    return p + cnt + 1;
}

/* data_scan_skip passes over a decimal at p of up to 30 characters that ends at stop. Returns what
 * follows stop, or NULL. */
static inline const char *data_scan_skip(const char *p, char stop) {
    uint32_t stops = data_nondigits(p) | 0x80000000U;
    uint32_t whole = (uint32_t)__builtin_ctz(stops);
    uint32_t after = (stops & (stops - 1)) | 0x80000000U;
    uint32_t dot = p[whole] == '.';
    uint32_t end = dot ? (uint32_t)__builtin_ctz(after) : whole;
    bool good = (whole >= 1U) & (end - whole >= 2 * dot) & (end < 31U) & (p[end] == stop);
    return __builtin_expect(good, 1) ? p + end + 1 : NULL;
}

/* data_line_end finds the end of the line at p in text that ends at end: its length without line
 * end goes to *cnt; returns what follows it, or NULL when it is longer than DATA_LINE_MAX. */
const char *data_line_end(const char *p, const char *end, size_t *cnt);

/* data_split takes a line (without its end) apart at commas into at most DATA_COLUMNS_MAX fields.
 * Returns how many columns it has, which may be more. */
size_t data_split(const char *line, size_t cnt, struct data_field fields[DATA_COLUMNS_MAX]);

/* data_read_fixed reads a whole field as a decimal of any form "D[.D]" into 1e-8, exactly. */
enum data_number data_read_fixed(struct data_field f, int64_t *out);
/* data_read_double reads a whole field as a decimal, rounded to the nearest double. */
enum data_number data_read_double(struct data_field f, double *out);
/* data_read_count reads a whole field as a whole number of at most 19 digits. */
enum data_number data_read_count(struct data_field f, uint64_t *out);
/* data_read_time reads a whole field as an instant since 1970 in s, ms, us or ns, told by its size,
 * into ns. */
enum data_number data_read_time(struct data_field f, int64_t *out);
/* data_time_ns turns an instant since 1970 in s (below 1e11), ms (1e14), us (1e17) or ns into ns.
 * False when it is past the year 2262. */
bool data_time_ns(uint64_t v, int64_t *out);

/* data_number_error fills err with what is wrong with field name at file:line; what says what was
 * expected. Returns -EBADMSG. */
int data_number_error(struct rt_error *err, const char *file, uint64_t line, const char *name,
                      struct data_field f, enum data_number what);

/* data_quote writes a field for people: printable, at most 24 characters, into out; returns it. */
const char *data_quote(struct data_field f, char out[40]);
/* data_time_text writes ns UTC as "2024-01-31T12:00:00Z" (with decimals where there are) into out;
 * returns it. */
const char *data_time_text(int64_t ns, char out[40]);
/* data_span_text writes a span as "1m", "4h", "250ms" into out; returns it. */
const char *data_span_text(int64_t ns, char out[40]);
/* data_is_word compares a field with a word, ignoring case and quotes around it. */
bool data_is_word(struct data_field f, const char *word);
#endif
