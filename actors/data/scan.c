#include "actors/data/scan.h"
#include "runtime/base/decimal.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const char *data_line_end(const char *p, const char *end, size_t *cnt) {
    size_t left = (size_t)(end - p), most = left < DATA_LINE_MAX ? left : DATA_LINE_MAX;
    const char *stop = memchr(p, '\n', most);
    if (stop == NULL && most < left) return NULL;
    const char *next = stop == NULL ? end : stop + 1;
    if (stop == NULL) stop = end;
    *cnt = (size_t)(stop - p);
    if (*cnt > 0 && stop[-1] == '\r') --*cnt;
    return next;
}

size_t data_split(const char *line, size_t cnt, struct data_field fields[DATA_COLUMNS_MAX]) {
    size_t columns = 0, begin = 0;
    for (size_t i = 0; i <= cnt; i++) {
        if (i < cnt && line[i] != ',') continue;
        if (columns < DATA_COLUMNS_MAX) {
            fields[columns] = (struct data_field){ .text = line + begin, .cnt = i - begin };
        }
        columns++;
        begin = i + 1;
    }
    return columns;
}

/* A decimal taken apart. */
struct shape {
    size_t whole;    /* digits before the dot */
    size_t decimals; /* digits after it */
    bool negative;   /* it begins with a minus */
    bool zero;       /* all its digits are 0 */
};

/* shape_of tells whether f is a plain decimal "[-]D[.D]", and how it is made. */
static bool shape_of(struct data_field f, struct shape *s) {
    *s = (struct shape){ .zero = true };
    size_t i = 0;
    if (f.cnt > 0 && f.text[0] == '-') {
        s->negative = true;
        i = 1;
    }
    bool dot = false;
    for (; i < f.cnt; i++) {
        char c = f.text[i];
        if (c == '.' && !dot) {
            dot = true;
            continue;
        }
        if (c < '0' || c > '9') return false;
        if (c != '0') s->zero = false;
        if (dot) {
            s->decimals++;
        } else {
            s->whole++;
        }
    }
    return s->whole > 0 && (!dot || s->decimals > 0);
}

enum data_number data_read_fixed(struct data_field f, int64_t *out) {
    int rc = rt_decimal_parse(f.text, f.cnt, out);
    if (rc == -EDOM) return DATA_NUMBER_DECIMALS;
    if (rc == -ERANGE) return DATA_NUMBER_LARGE;
    if (rc != 0) return DATA_NUMBER_NONE;
    return *out < 0 ? DATA_NUMBER_NEGATIVE : DATA_NUMBER_OK;
}

enum data_number data_read_double(struct data_field f, double *out) {
    struct shape s;
    char text[64];
    if (!shape_of(f, &s)) return DATA_NUMBER_NONE;
    if (s.negative && !s.zero) return DATA_NUMBER_NEGATIVE;
    if (f.cnt >= sizeof text) return DATA_NUMBER_LARGE;
    memcpy(text, f.text + s.negative, f.cnt - s.negative);
    text[f.cnt - s.negative] = '\0';
    *out =
        strtod(text, NULL); /* digits and one dot: the same in the C locale, which is never left */
    return DATA_NUMBER_OK;
}

enum data_number data_read_count(struct data_field f, uint64_t *out) {
    struct shape s;
    if (!shape_of(f, &s) || s.decimals > 0) return DATA_NUMBER_NONE;
    if (s.negative) return s.zero ? DATA_NUMBER_NONE : DATA_NUMBER_NEGATIVE;
    if (s.whole > 19) return DATA_NUMBER_LARGE;
    uint64_t v = 0;
    for (size_t i = 0; i < s.whole; i++) v = v * 10 + (uint64_t)(f.text[i] - '0');
    *out = v;
    return DATA_NUMBER_OK;
}

bool data_time_ns(uint64_t v, int64_t *out) {
    uint64_t unit = v < 100000000000ULL         ? 1000000000ULL
                    : v < 100000000000000ULL    ? 1000000ULL
                    : v < 100000000000000000ULL ? 1000ULL
                                                : 1ULL;
    if (v > (uint64_t)INT64_MAX / unit) return false;
    *out = (int64_t)(v * unit);
    return true;
}

enum data_number data_read_time(struct data_field f, int64_t *out) {
    uint64_t v;
    enum data_number what = data_read_count(f, &v);
    if (what != DATA_NUMBER_OK) return what;
    return data_time_ns(v, out) ? DATA_NUMBER_OK : DATA_NUMBER_LARGE;
}

int data_number_error(struct rt_error *err, const char *file, uint64_t line, const char *name,
                      struct data_field f, enum data_number what) {
    char text[40];
    static const char *const wrong[] = {
        [DATA_NUMBER_OK] = "is out of range",   [DATA_NUMBER_NONE] = "is not a number",
        [DATA_NUMBER_NEGATIVE] = "is negative", [DATA_NUMBER_DECIMALS] = "has more than 8 decimals",
        [DATA_NUMBER_LARGE] = "is too large",
    };
    return rt_error_set(err, -EBADMSG, "%s:%" PRIu64 ": %s: \"%s\" %s", file, line, name,
                        data_quote(f, text), wrong[what]);
}

const char *data_quote(struct data_field f, char out[40]) {
    size_t i = 0;
    for (; i < f.cnt && i < 24; i++) {
        unsigned char c = (unsigned char)f.text[i];
        out[i] = c >= 0x20 && c < 0x7f && c != '"' ? (char)c : '?';
    }
    out[i] = '\0';
    if (f.cnt > 24) memcpy(out + 24, "...", 4);
    return out;
}

const char *data_time_text(int64_t ns, char out[40]) {
    int64_t day = ns / 86400000000000LL, rest = ns % 86400000000000LL;
    if (rest < 0) {
        day--;
        rest += 86400000000000LL;
    }
    /* civil date from a day count: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" */
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int d = (int)(doy - (153 * mp + 2) / 5 + 1), m = (int)(mp < 10 ? mp + 3 : mp - 9);
    int y = (int)(yoe + era * 400 + (m <= 2));
    int64_t s = rest / 1000000000, frac = rest % 1000000000;
    int len = snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d", y, m, d, (int)(s / 3600),
                       (int)(s / 60 % 60), (int)(s % 60));
    if (frac != 0) len += snprintf(out + len, 40 - (size_t)len, ".%09d", (int)frac);
    while (frac != 0 && out[len - 1] == '0') len--;
    memcpy(out + len, "Z", 2);
    return out;
}

const char *data_span_text(int64_t ns, char out[40]) {
    static const struct {
        int64_t ns;       /* the unit */
        const char *name; /* its letter */
    } units[] = {
        { 604800000000000LL, "w" }, { 86400000000000LL, "d" },
        { 3600000000000LL, "h" },   { 60000000000LL, "m" },
        { 1000000000LL, "s" },      { 1000000LL, "ms" },
        { 1000LL, "us" },           { 1LL, "ns" },
    };
    size_t i = 0;
    while (ns % units[i].ns != 0) i++;
    snprintf(out, 40, "%" PRId64 "%s", ns / units[i].ns, units[i].name);
    return out;
}

bool data_is_word(struct data_field f, const char *word) {
    while (f.cnt >= 2 && f.text[0] == '"' && f.text[f.cnt - 1] == '"') {
        f.text++;
        f.cnt -= 2;
    }
    return strlen(word) == f.cnt && strncasecmp(f.text, word, f.cnt) == 0;
}
