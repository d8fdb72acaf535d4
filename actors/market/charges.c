#include "actors/market/charges.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t RATE_MAX = FIXED_ONE / 10;                   /* of the notional */
static const int64_t MONEY_MAX = INT64_C(1000000000) * FIXED_ONE; /* of a sum */
static const int64_t DAY_NS = INT64_C(86400000000000);            /* a UTC day */

/* read_days reads from: and until: of the charge n. */
static int read_days(struct rt_node *n, struct mk_charge *c, struct rt_error *err) {
    int rc = rt_node_time(n, "from", false, INT64_MIN, &c->from_ns, err);
    if (rc == 0) rc = rt_node_time(n, "until", false, INT64_MAX, &c->until_ns, err);
    if (rc < 0) return rc;
    if (c->until_ns == INT64_MAX) return 0;
    if (c->until_ns < c->from_ns) {
        return rt_node_fail(rt_node_get(n, "until"), err, "is before from:");
    }
    c->until_ns += DAY_NS - c->until_ns % DAY_NS; /* the last day counts */
    return 0;
}

/* read_charge reads the charge n. */
static int read_charge(struct rt_node *n, struct mk_charge *c, struct rt_error *err) {
    static const char *const keys[] = { "rate", "per_unit", "per_lot",  "per_order",
                                        "min",  "max",      "max_rate", "round",
                                        "side", "from",     "until",    NULL };
    static const char *const sides[] = { "both", "buy", "sell", NULL };
    static const unsigned bits[] = { MK_CHARGE_BUYS | MK_CHARGE_SALES, MK_CHARGE_BUYS,
                                     MK_CHARGE_SALES };
    int side = 0;
    if (strlen(n->key) >= sizeof c->name) {
        return rt_node_fail(n, err, "has a name of more than %zu characters", sizeof c->name - 1);
    }
    if (n->kind != RT_NODE_MAP) {
        return rt_node_fail(n, err,
                            "is no charge, expected a map such as {per_lot: 2.25} or "
                            "{rate: 0.0005, side: sell}");
    }
    n->used = true;
    memcpy(c->name, n->key, strlen(n->key) + 1);
    int rc = rt_node_fixed(n, "rate", false, 0, RATE_MAX, 0, &c->rate, err);
    if (rc == 0) rc = rt_node_fixed(n, "per_unit", false, 0, MONEY_MAX, 0, &c->per_unit, err);
    if (rc == 0) rc = rt_node_fixed(n, "per_lot", false, 0, MONEY_MAX, 0, &c->per_lot, err);
    if (rc == 0) rc = rt_node_fixed(n, "per_order", false, 0, MONEY_MAX, 0, &c->per_order, err);
    if (rc == 0) rc = rt_node_fixed(n, "min", false, 0, MONEY_MAX, 0, &c->min, err);
    if (rc == 0) rc = rt_node_fixed(n, "max", false, 1, MONEY_MAX, 0, &c->max, err);
    if (rc == 0) rc = rt_node_fixed(n, "max_rate", false, 1, FIXED_ONE, 0, &c->max_rate, err);
    if (rc == 0) rc = rt_node_fixed(n, "round", false, 1, MONEY_MAX, 1, &c->step, err);
    if (rc == 0) rc = rt_node_choice(n, "side", false, sides, 0, &side, err);
    if (rc == 0) rc = read_days(n, c, err);
    if (rc == 0) rc = rt_node_no_more(n, keys, err);
    if (rc < 0) return rc;
    c->sides = bits[side];
    if (c->max > 0 && c->min > c->max) {
        return rt_node_fail(rt_node_get(n, "min"), err, "is above max:");
    }
    if (c->rate == 0 && c->per_unit == 0 && c->per_lot == 0 && c->per_order == 0 && c->min == 0) {
        return rt_node_fail(n, err,
                            "costs nothing, expected rate:, per_unit:, per_lot:, "
                            "per_order: or min:");
    }
    return 0;
}

int mk_charges_scheme(struct rt_node *n, struct mk_charges *out, struct rt_error *err) {
    n->used = true;
    out->cnt = 0;
    if (n->kind != RT_NODE_MAP || n->child == NULL) {
        return rt_node_fail(n, err,
                            "is no scheme of fees, expected a map of charges such as "
                            "{commission: {per_lot: 2.25}}");
    }
    for (struct rt_node *k = n->child; k != NULL; k = k->next) {
        if (out->cnt == MK_CHARGES_MAX) {
            return rt_node_fail(k, err, "is one charge too many, expected at most %d",
                                MK_CHARGES_MAX);
        }
        int rc = read_charge(k, &out->list[out->cnt++], err);
        if (rc < 0) return rc;
    }
    return 0;
}

int mk_charges_read(struct rt_node *n, struct rt_node *schemes, struct mk_charges *out, bool *given,
                    struct rt_error *err) {
    struct rt_node *map = rt_node_get(n, "fees");
    *out = (struct mk_charges){ .cnt = 0 };
    *given = map != NULL;
    if (map == NULL) return 0;
    if (map->kind == RT_NODE_SCALAR) {
        const char *name;
        int rc = rt_node_text(n, "fees", true, sizeof out->scheme - 1, NULL, &name, err);
        if (rc < 0) return rc;
        struct rt_node *found = schemes == NULL ? NULL : rt_node_get(schemes, name);
        if (found == NULL) {
            return rt_node_fail(map, err, "names no scheme under fee_schemes: \"%s\"", name);
        }
        memcpy(out->scheme, name, strlen(name) + 1);
        map = found;
    }
    return mk_charges_scheme(map, out, err);
}

/* charge_of computes what a charge comes to for quantity and value. False on overflow. */
static bool charge_of(const struct mk_charge *c, qty_t lot_size, qty_t quantity, cash_t value,
                      cash_t *out) {
    cash_t part, sum = c->per_order;
    if (!fixed_mul(value, c->rate, FIXED_UP, &part) || __builtin_add_overflow(sum, part, &sum) ||
        !fixed_mul(quantity, c->per_unit, FIXED_UP, &part) ||
        __builtin_add_overflow(sum, part, &sum) ||
        !fixed_muldiv(quantity, c->per_lot, lot_size, FIXED_UP, &part) ||
        __builtin_add_overflow(sum, part, &sum)) {
        return false;
    }
    if (sum < c->min) sum = c->min;
    if (c->max > 0 && sum > c->max) sum = c->max;
    if (c->max_rate > 0) {
        if (!fixed_mul(value, c->max_rate, FIXED_UP, &part)) return false;
        if (sum > part) sum = part;
    }
    if (sum > INT64_MAX - c->step) return false;
    *out = fixed_ceil_to(sum, c->step);
    return true;
}

/* in_force tells whether c is taken at now_ns. */
static bool in_force(const struct mk_charge *c, int64_t now_ns) {
    return now_ns >= c->from_ns && now_ns < c->until_ns;
}

bool mk_charges_of(const struct mk_charges *c, qty_t lot_size, unsigned side, int64_t now_ns,
                   const struct mk_charged *so_far, qty_t quantity, cash_t value, cash_t *out) {
    cash_t all = 0, part;
    if (__builtin_add_overflow(quantity, so_far->quantity, &quantity) ||
        __builtin_add_overflow(value, so_far->value, &value)) {
        return false;
    }
    for (uint32_t i = 0; i < c->cnt; i++) {
        if (!(c->list[i].sides >> side & 1) || !in_force(&c->list[i], now_ns)) continue;
        if (!charge_of(&c->list[i], lot_size, quantity, value, &part) ||
            __builtin_add_overflow(all, part, &all)) {
            return false;
        }
    }
    *out = all > so_far->paid ? all - so_far->paid : 0;
    return true;
}

bool mk_charges_most(const struct mk_charges *c, qty_t lot_size, unsigned side, qty_t quantity,
                     cash_t value, cash_t *out) {
    cash_t all = 0, part;
    for (uint32_t i = 0; i < c->cnt; i++) {
        if (!(c->list[i].sides >> side & 1)) continue;
        if (!charge_of(&c->list[i], lot_size, quantity, value, &part) ||
            __builtin_add_overflow(all, part, &all)) {
            return false;
        }
    }
    *out = all;
    return true;
}

/* Words of a charge in the making. */
struct words {
    char *out;  /* where they go */
    size_t max; /* bytes of it */
    size_t at;  /* used */
};

/* say adds words. */
static void __attribute__((format(printf, 2, 3))) say(struct words *w, const char *format, ...) {
    va_list args;
    if (w->at >= w->max) return;
    va_start(args, format);
    int n = vsnprintf(w->out + w->at, w->max - w->at, format, args);
    va_end(args);
    w->at += n > 0 ? (size_t)n : 0;
}

/* say_sum adds a sum with words behind it, unless it is 0; sep goes before it and is ", " then. */
static void say_sum(struct words *w, const char **sep, const char *before, int64_t sum,
                    const char *behind) {
    char text[RT_DECIMAL_CHARS];
    if (sum == 0) return;
    rt_decimal_format(sum, text);
    say(w, "%s%s%s%s", *sep, before, text, behind);
    *sep = ", ";
}

/* say_day adds a UTC day. */
static void say_day(struct words *w, const char *before, int64_t ns) {
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    say(w, "%s%04d-%02d-%02d", before, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

void mk_charges_text(const struct mk_charges *c, char *out, size_t max) {
    static const char *const sides[] = { "", " of buys", " of sales", "" };
    struct words w = { .out = out, .max = max };
    if (max > 0) *out = 0;
    for (uint32_t i = 0; i < c->cnt; i++) {
        const struct mk_charge *one = &c->list[i];
        const char *sep = " ";
        say(&w, "%s%s", i ? "\n" : "", one->name);
        say_sum(&w, &sep, "", one->rate, " of the notional");
        say_sum(&w, &sep, "", one->per_unit, " a unit");
        say_sum(&w, &sep, "", one->per_lot, " a lot");
        say_sum(&w, &sep, "", one->per_order, " an order");
        say(&w, "%s", sides[one->sides]);
        say_sum(&w, &sep, "at least ", one->min, " an order");
        say_sum(&w, &sep, "at most ", one->max, " an order");
        say_sum(&w, &sep, "at most ", one->max_rate, " of the notional");
        if (one->step > 1) say_sum(&w, &sep, "rounded up to ", one->step, "");
        if (one->from_ns != INT64_MIN) say_day(&w, " from ", one->from_ns);
        if (one->until_ns != INT64_MAX) say_day(&w, " until ", one->until_ns - 1);
    }
}
