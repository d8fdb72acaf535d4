#include "runtime/base/config_tree.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    QUOTE_BYTES = 40,  /* of a value repeated in a sentence */
    PATH_BYTES = 160,  /* of a key path in a sentence */
    SECRET_BYTES = 4,  /* shorter texts are no secrets, and are in every sentence */
    WORD_BYTES = 48,   /* longest word that a suggestion is looked for */
    RANGE_BYTES = 200, /* of what was expected */
    LIST_BYTES = 300,  /* of the keys that are known */
};

/* A value under a key with one of these in it is never repeated in a sentence. */
static const char *const secret_words[] = { "secret", "key",        "token",      "password",
                                            "passwd", "passphrase", "credential", "private" };

/* is_secret tells whether node stands under a key that smells of a secret. */
static bool is_secret(const struct rt_node *node) {
    for (const struct config_node *n = config_node_of(node); n != NULL; n = n->parent) {
        if (n->node.key == NULL) continue;
        for (size_t i = 0; i < sizeof secret_words / sizeof secret_words[0]; i++)
            if (strcasestr(n->node.key, secret_words[i]) != NULL) return true;
    }
    return false;
}

/* key_path writes "a.b[2].c" for node followed by more (may be NULL), the end of it when it is too
 * long. */
static void key_path(const struct rt_node *node, const char *more, char out[PATH_BYTES]) {
    char room[PATH_BYTES];
    size_t at = sizeof room - 1; /* filled from the end */
    room[at] = 0;
    bool cut = false;
    char piece[CONFIG_KEY_BYTES_MAX + 16];
    const struct config_node *n = config_node_of(node);
    while (!cut && (more != NULL || n->parent != NULL)) {
        if (more != NULL) {
            snprintf(piece, sizeof piece, "%s%s", n->parent != NULL ? "." : "", more);
            more = NULL;
        } else {
            if (n->node.key != NULL) {
                snprintf(piece, sizeof piece, "%s%s", n->parent->parent != NULL ? "." : "",
                         n->node.key);
            } else {
                uint32_t idx = 0;
                for (const struct rt_node *c = n->parent->node.child; c != &n->node; c = c->next)
                    idx++;
                snprintf(piece, sizeof piece, "[%u]", idx);
            }
            n = n->parent;
        }
        size_t cnt = strlen(piece);
        cut = cnt + 3 > at;
        if (cut) break;
        at -= cnt;
        memcpy(room + at, piece, cnt);
    }
    snprintf(out, PATH_BYTES, "%s%s", cut ? "..." : "", room + at);
}

/* fail_place fills err for a key path at a place; more names a key inside node. */
static int fail_place(const struct rt_node *node, const char *more, uint32_t line, uint32_t column,
                      struct rt_error *err, const char *sentence) {
    char path[PATH_BYTES];
    key_path(node, more, path);
    return rt_error_set(err, -EINVAL, "%s:%u:%u: %s%s%s", node->file, line, column, path,
                        path[0] != 0 ? ": " : "", sentence);
}

int rt_node_fail(const struct rt_node *node, struct rt_error *err, const char *format, ...) {
    char sentence[sizeof err->text];
    va_list args;
    va_start(args, format);
    if (vsnprintf(sentence, sizeof sentence, format, args) < 0) sentence[0] = 0;
    va_end(args);

    /* Whoever words the sentence may forget that the value is a secret: here it is taken out. */
    const char *text = node->kind == RT_NODE_SCALAR && is_secret(node) ? node->text : "";
    size_t cnt = strlen(text);
    for (char *found = cnt < SECRET_BYTES ? NULL : strstr(sentence, text); found != NULL;
         found = strstr(found + 1, text)) {
        memset(found, '*', cnt);
    }
    return fail_place(node, NULL, node->line, node->column, err, sentence);
}

/* fail_missing says that map lacks key. */
static int fail_missing(const struct rt_node *map, const char *key, struct rt_error *err,
                        const char *expected) {
    char sentence[RANGE_BYTES + 40];
    snprintf(sentence, sizeof sentence, "is missing; expected %s", expected);
    return fail_place(map, key, map->line, map->column, err, sentence);
}

/* fail_value says what node is and what was expected instead. */
static int fail_value(const struct rt_node *node, struct rt_error *err, const char *expected) {
    if (node->kind != RT_NODE_SCALAR)
        return rt_node_fail(node, err, "is a %s; expected %s",
                            node->kind == RT_NODE_LIST ? "list" : "map", expected);
    if (node->text[0] == 0 && !node->quoted)
        return rt_node_fail(node, err, "has no value; expected %s", expected);
    if (is_secret(node))
        return rt_node_fail(node, err, "is not right (value not shown); expected %s", expected);
    size_t cnt = strlen(node->text);
    bool cut = cnt > QUOTE_BYTES;
    if (cut) {
        cnt = QUOTE_BYTES; /* not inside a character */
        while (cnt > 0 && ((uint8_t)node->text[cnt] & 0xc0) == 0x80) cnt--;
    }
    return rt_node_fail(node, err, "is %s%.*s%s%s; expected %s", node->quoted ? "text \"" : "",
                        (int)cnt, node->text, cut ? "..." : "", node->quoted ? "\"" : "", expected);
}

struct rt_node *rt_node_get(struct rt_node *map, const char *key) {
    if (map == NULL || map->kind != RT_NODE_MAP) return NULL;
    for (struct rt_node *n = map->child; n != NULL; n = n->next) {
        if (strcmp(n->key, key) != 0) continue;
        n->used = true;
        return n;
    }
    return NULL;
}

/* find gets the value under key: *out is NULL for a key that is missing or null and not required.
 */
static int find(struct rt_node *map, const char *key, bool required, const char *expected,
                struct rt_node **out, struct rt_error *err) {
    if (map == NULL) { /* an optional map that is not there: all its keys have their defaults */
        *out = NULL;
        return required ? rt_error_set(err, -EINVAL, "%s: is missing; expected %s", key, expected)
                        : 0;
    }
    if (map->kind != RT_NODE_MAP) return fail_value(map, err, "a map of keys");
    struct rt_node *n = rt_node_get(map, key);
    if (n != NULL && n->kind == RT_NODE_SCALAR && !n->quoted &&
        (strcmp(n->text, "null") == 0 || strcmp(n->text, "~") == 0)) {
        if (required) return fail_value(n, err, expected);
        n = NULL;
    }
    *out = n;
    return n == NULL && required ? fail_missing(map, key, err, expected) : 0;
}

/* find_scalar is find for one value; lists, maps and nothing at all are refused. */
static int find_scalar(struct rt_node *map, const char *key, bool required, const char *expected,
                       struct rt_node **out, struct rt_error *err) {
    int code = find(map, key, required, expected, out, err);
    if (code != 0 || *out == NULL) return code;
    if ((*out)->kind != RT_NODE_SCALAR || ((*out)->text[0] == 0 && !(*out)->quoted))
        return fail_value(*out, err, expected);
    return 0;
}

int rt_node_text(struct rt_node *map, const char *key, bool required, size_t max_bytes,
                 const char *def, const char **out, struct rt_error *err) {
    char expected[RANGE_BYTES];
    snprintf(expected, sizeof expected, "text of 1 to %zu bytes", max_bytes);
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    size_t cnt = strlen(n->text);
    if (cnt == 0 || cnt > max_bytes) return fail_value(n, err, expected);
    *out = n->text;
    return 0;
}

/* range words what was expected: what, and the bounds unless they are no bounds. */
static void range(char out[RANGE_BYTES], const char *what, const char *min, const char *max) {
    if (min != NULL && max != NULL && strcmp(min, max) == 0)
        snprintf(out, RANGE_BYTES, "%s: %s", what, min);
    else if (min != NULL && max != NULL)
        snprintf(out, RANGE_BYTES, "%s from %s to %s", what, min, max);
    else if (min != NULL)
        snprintf(out, RANGE_BYTES, "%s, at least %s", what, min);
    else if (max != NULL)
        snprintf(out, RANGE_BYTES, "%s, at most %s", what, max);
    else
        snprintf(out, RANGE_BYTES, "%s", what);
}

/* A bound as text. */
struct bound {
    char text[32]; /* what people read */
};

/* whole_scaled reads digits with an optional '-' times unit into *out: false when text is not that
 * or leaves 64 bits. Leading zeros are refused: elsewhere in YAML they mean octal. */
static bool whole_scaled(const char *text, size_t cnt, int64_t unit, int64_t *out) {
    size_t at = cnt > 0 && text[0] == '-';
    if (at == cnt || cnt - at > 19 || (text[at] == '0' && cnt - at > 1)) return false;
    __int128 value = 0;
    for (size_t i = at; i < cnt; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (text[i] - '0');
    }
    value = (at != 0 ? -value : value) * unit;
    if (value != (int64_t)value) return false;
    *out = (int64_t)value;
    return true;
}

int rt_node_int(struct rt_node *map, const char *key, bool required, int64_t min, int64_t max,
                int64_t def, int64_t *out, struct rt_error *err) {
    struct bound low = { 0 }, high = { 0 };
    snprintf(low.text, sizeof low.text, "%lld", (long long)min);
    snprintf(high.text, sizeof high.text, "%lld", (long long)max);
    char expected[RANGE_BYTES];
    range(expected, "a whole number", min == INT64_MIN ? NULL : low.text,
          max == INT64_MAX ? NULL : high.text);
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    size_t cnt = strlen(n->text);
    int64_t unit = 1, value = 0;
    if (cnt > 1) {
        char suffix = n->text[cnt - 1];
        unit = suffix == 'K' ? 1 << 10 : suffix == 'M' ? 1 << 20 : suffix == 'G' ? 1 << 30 : 1;
    }
    /* A size needs its quotes in JSON; a bare number has none there. */
    if ((n->quoted && unit == 1) || !whole_scaled(n->text, cnt - (unit != 1), unit, &value) ||
        value < min || value > max)
        return fail_value(n, err, expected);
    *out = value;
    return 0;
}

int rt_node_fixed(struct rt_node *map, const char *key, bool required, int64_t min, int64_t max,
                  int64_t def, int64_t *out, struct rt_error *err) {
    struct bound low = { 0 }, high = { 0 };
    rt_decimal_format(min, low.text);
    rt_decimal_format(max, high.text);
    char expected[RANGE_BYTES];
    range(expected, "a decimal number with at most 8 decimals", min == INT64_MIN ? NULL : low.text,
          max == INT64_MAX ? NULL : high.text);
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    int64_t value = 0;
    if (n->quoted || rt_decimal_parse(n->text, strlen(n->text), &value) != 0 || value < min ||
        value > max)
        return fail_value(n, err, expected);
    *out = value;
    return 0;
}

int rt_node_share(struct rt_node *map, const char *key, bool required, int64_t def, int64_t *out,
                  struct rt_error *err) {
    static const char expected[] = "a share from 0 to 1, or from 0% to 100%";
    const int64_t one = 100000000;
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    size_t cnt = strlen(n->text);
    int64_t value = 0, parts = cnt > 0 && n->text[cnt - 1] == '%' ? 100 : 1;
    /* as written back, 10% stands in quotes */
    if ((n->quoted && parts == 1) ||
        rt_decimal_parse(n->text, parts == 1 ? cnt : cnt - 1, &value) != 0 || value < 0 ||
        value > parts * one || value % parts != 0)
        return fail_value(n, err, expected);
    *out = value / parts;
    return 0;
}

/* is_number tells whether text is a number as JSON writes them: strtod alone would also take
 * "inf", "nan", "0x1p3" and blanks. */
static bool is_number(const char *text) {
    static const char digits[] = "0123456789";
    if (*text == '-') text++;
    size_t cnt = strspn(text, digits);
    if (cnt == 0 || (cnt > 1 && *text == '0')) return false;
    text += cnt;
    if (*text == '.') {
        cnt = strspn(++text, digits);
        if (cnt == 0) return false;
        text += cnt;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '+' || *text == '-') text++;
        cnt = strspn(text, digits);
        if (cnt == 0) return false;
        text += cnt;
    }
    return *text == 0;
}

int rt_node_double(struct rt_node *map, const char *key, bool required, double min, double max,
                   double def, double *out, struct rt_error *err) {
    struct bound low = { 0 }, high = { 0 };
    snprintf(low.text, sizeof low.text, "%.12g", min);
    snprintf(high.text, sizeof high.text, "%.12g", max);
    char expected[RANGE_BYTES];
    range(expected, "a number", isfinite(min) && min > -1e300 ? low.text : NULL,
          isfinite(max) && max < 1e300 ? high.text : NULL);
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    if (n->quoted || !is_number(n->text)) return fail_value(n, err, expected);
    double value = strtod(n->text, NULL);
    if (!isfinite(value) || !(value >= min) || !(value <= max)) return fail_value(n, err, expected);
    *out = value;
    return 0;
}

int rt_node_bool(struct rt_node *map, const char *key, bool def, bool *out, struct rt_error *err) {
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, false, "true or false", &n, err);
    if (code != 0) return code;
    bool yes = n != NULL && !n->quoted && strcmp(n->text, "true") == 0;
    bool no = n != NULL && !n->quoted && strcmp(n->text, "false") == 0;
    if (n != NULL && !yes && !no) return fail_value(n, err, "true or false");
    *out = n == NULL ? def : yes;
    return 0;
}

/* A unit of time. */
struct unit {
    const char *name; /* as written behind the figure */
    int64_t ns;       /* its length */
};

static const struct unit units[] = {
    { "w", 604800000000000 }, { "d", 86400000000000 }, { "h", 3600000000000 }, { "m", 60000000000 },
    { "s", 1000000000 },      { "ms", 1000000 },       { "us", 1000 },         { "ns", 1 },
};
/* How many there are. */
enum { UNIT_CNT = sizeof units / sizeof units[0] };

/* duration_text writes ns in the largest unit that leaves no rest. */
static void duration_text(int64_t ns, struct bound *out) {
    size_t i = 0;
    while (i + 1 < UNIT_CNT && (ns == 0 ? units[i].ns != 1000000000 : ns % units[i].ns != 0)) i++;
    snprintf(out->text, sizeof out->text, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
}

bool rt_duration_parse(const char *text, int64_t *out) {
    bool negative = *text == '-';
    if (negative) text++;
    __int128 value = 0; /* 1e-9 of the unit */
    size_t whole = strspn(text, "0123456789"), places = 0;
    if (whole == 0 || whole > 19 || (text[0] == '0' && whole > 1)) return false;
    for (size_t i = 0; i < whole; i++) value = value * 10 + (text[i] - '0');
    text += whole;
    if (*text == '.') {
        places = strspn(++text, "0123456789");
        if (places == 0 || places > 9) return false;
        for (size_t i = 0; i < places; i++) value = value * 10 + (text[i] - '0');
        text += places;
    }
    for (; places < 9; places++) value *= 10;
    if (*text == 0 && value == 0) { /* nothing has no unit */
        *out = 0;
        return true;
    }
    for (size_t i = 0; i < UNIT_CNT; i++) {
        if (strcmp(text, units[i].name) != 0) continue;
        if (value % 1000000000 != 0) { /* decimals: small enough for one more product? */
            if (value > (__int128)INT64_MAX * 1000000000 / units[i].ns) return false;
            value *= units[i].ns;
            if (value % 1000000000 != 0) return false;
            value /= 1000000000;
        } else {
            value = value / 1000000000 * units[i].ns;
        }
        if (negative) value = -value;
        if (value != (int64_t)value) return false;
        *out = (int64_t)value;
        return true;
    }
    return false;
}

int rt_node_duration(struct rt_node *map, const char *key, bool required, int64_t min, int64_t max,
                     int64_t def, int64_t *out, struct rt_error *err) {
    struct bound low = { 0 }, high = { 0 };
    duration_text(min, &low);
    duration_text(max, &high);
    char expected[RANGE_BYTES];
    range(expected, "a length of time such as 250us, 5ms, 1s, 1m, 1h, 1d, 1w",
          min == INT64_MIN ? NULL : low.text, max == INT64_MAX ? NULL : high.text);
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    int64_t value = 0;
    if (!rt_duration_parse(n->text, &value) || value < min || value > max)
        return fail_value(n, err, expected);
    *out = value;
    return 0;
}

/* digits reads exactly cnt digits at *at, moves *at behind them, and returns their value, or -1. */
static int digits(const char **at, int cnt) {
    int value = 0;
    for (int i = 0; i < cnt; i++, (*at)++) {
        if (**at < '0' || **at > '9') return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

/* parse_time reads YYYY-MM-DD or YYYY-MM-DDTHH:MM[:SS[.fraction]]Z into ns UTC. */
static bool parse_time(const char *text, int64_t *out) {
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = digits(&text, 4);
    if (year < 1678 || year > 2261 || *text++ != '-') return false; /* what 64 bits of ns hold */
    int month = digits(&text, 2);
    if (month < 1 || month > 12 || *text++ != '-') return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int day = digits(&text, 2);
    if (day < 1 || day > month_days[month - 1] + (month == 2 && leap)) return false;
    int hour = 0, minute = 0, second = 0;
    int64_t fraction = 0;
    if (*text == 'T') {
        text++;
        hour = digits(&text, 2);
        if (hour < 0 || hour > 23 || *text++ != ':') return false;
        minute = digits(&text, 2);
        if (minute < 0 || minute > 59) return false;
        if (*text == ':') {
            text++;
            second = digits(&text, 2);
            if (second < 0 || second > 59) return false;
            if (*text == '.') {
                text++;
                int64_t unit = 100000000;
                if (*text < '0' || *text > '9') return false;
                for (; *text >= '0' && *text <= '9'; text++, unit /= 10) {
                    if (unit == 0) return false;
                    fraction += (*text - '0') * unit;
                }
            }
        }
        if (*text++ != 'Z') return false;
    }
    if (*text != 0) return false;
    /* Days since 1970-01-01, counting years from March so that the leap day comes last (Howard
     * Hinnant, "chrono-compatible low-level date algorithms"). */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era_year = y % 400, era = y / 400;
    int64_t year_day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t days =
        era * 146097 + era_year * 365 + era_year / 4 - era_year / 100 + year_day - 719468;
    *out = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000000000 + fraction;
    return true;
}

int rt_node_time(struct rt_node *map, const char *key, bool required, int64_t def, int64_t *out,
                 struct rt_error *err) {
    static const char expected[] =
        "an instant in UTC such as 2024-01-31 or 2024-01-31T12:00:00Z, from 1678 to 2261";
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    int64_t value = 0;
    if (!parse_time(n->text, &value)) return fail_value(n, err, expected);
    *out = value;
    return 0;
}

/* smaller returns the smaller of two. */
static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* distance counts the letters to add, drop, change or swap with their neighbour to make b of a
 * (Damerau-Levenshtein, optimal string alignment), letters alike in either case; both at most
 * WORD_BYTES long. */
static uint32_t distance(const char *a, const char *b) {
    uint32_t rows[3][WORD_BYTES + 1]; /* the row in work and the two before */
    size_t a_cnt = strlen(a), b_cnt = strlen(b);
    for (size_t j = 0; j <= b_cnt; j++) rows[0][j] = (uint32_t)j;
    for (size_t i = 1; i <= a_cnt; i++) {
        uint32_t *row = rows[i % 3], *one = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= b_cnt; j++) {
            bool same = strncasecmp(a + i - 1, b + j - 1, 1) == 0;
            row[j] = smaller(smaller(one[j], row[j - 1]) + 1, one[j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], two[j - 2] + 1);
        }
    }
    return rows[a_cnt % 3][b_cnt];
}

/* nearest returns the word most like text when it is like enough (a third of its letters), or
 * NULL. */
static const char *nearest(const char *text, const char *const *words) {
    const char *best = NULL;
    size_t cnt = strlen(text);
    if (words == NULL || cnt > WORD_BYTES) return NULL;
    uint32_t least = (uint32_t)cnt / 3 + 2;
    for (; *words != NULL; words++) {
        if (strlen(*words) > WORD_BYTES) continue;
        uint32_t d = distance(text, *words);
        if (d >= least) continue;
        least = d;
        best = *words;
    }
    return best;
}

/* word_list writes "a, b, c", with "..." for what does not fit. */
static void word_list(const char *const *words, char *out, size_t cap) {
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        size_t cnt = strlen(words[i]);
        if (used + cnt + 8 > cap) {
            snprintf(out + used, cap - used, ", ...");
            return;
        }
        used += (size_t)snprintf(out + used, cap - used, "%s%s", i > 0 ? ", " : "", words[i]);
    }
}

int rt_node_choice(struct rt_node *map, const char *key, bool required, const char *const *words,
                   int def, int *out, struct rt_error *err) {
    char list[RANGE_BYTES - 60], expected[RANGE_BYTES];
    word_list(words, list, sizeof list);
    snprintf(expected, sizeof expected, "one of %s", list);
    struct rt_node *n = NULL;
    int code = find_scalar(map, key, required, expected, &n, err);
    if (code == 0 && n == NULL) *out = def;
    if (code != 0 || n == NULL) return code;
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], n->text) != 0) continue;
        *out = i;
        return 0;
    }
    const char *near = is_secret(n) ? NULL : nearest(n->text, words);
    if (near != NULL)
        snprintf(expected, sizeof expected, "one of %s (did you mean %s?)", list, near);
    return fail_value(n, err, expected);
}

/* find_kind is find for a list or a map. */
static int find_kind(struct rt_node *map, const char *key, bool required, enum rt_node_kind kind,
                     struct rt_node **out, struct rt_error *err) {
    const char *expected = kind == RT_NODE_LIST ? "a list" : "a map of keys";
    int code = find(map, key, required, expected, out, err);
    if (code != 0 || *out == NULL) return code;
    return (*out)->kind == kind ? 0 : fail_value(*out, err, expected);
}

int rt_node_list(struct rt_node *map, const char *key, bool required, struct rt_node **out,
                 struct rt_error *err) {
    return find_kind(map, key, required, RT_NODE_LIST, out, err);
}

int rt_node_map(struct rt_node *map, const char *key, bool required, struct rt_node **out,
                struct rt_error *err) {
    return find_kind(map, key, required, RT_NODE_MAP, out, err);
}

int rt_node_no_more(struct rt_node *map, const char *const *known, struct rt_error *err) {
    if (map == NULL) return 0;
    if (map->kind != RT_NODE_MAP) return fail_value(map, err, "a map of keys");
    const struct rt_node *n = map->child;
    while (n != NULL && n->used) n = n->next;
    if (n == NULL) return 0;
    const struct config_node *at = config_node_of(n);
    char list[LIST_BYTES] = "", sentence[LIST_BYTES + RANGE_BYTES];
    if (known != NULL) word_list(known, list, sizeof list);
    const char *near = nearest(n->key, known);
    snprintf(sentence, sizeof sentence, "is not a known key%s%s%s; expected %s%s",
             near != NULL ? " (did you mean " : "", near != NULL ? near : "",
             near != NULL ? "?)" : "", list[0] != 0 ? "one of " : "no more keys here", list);
    return fail_place(n, NULL, at->key_line, at->key_column, err, sentence);
}
