#include "actors/dialect/binance/exchange.h"
#include "actors/market/margin.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Contracts that are delivered later than this (the year 2100) never are. */
static const int64_t NEVER_MS = INT64_C(4102444800000);
static const cash_t CAP_MAX = INT64_C(50000000000) * FIXED_ONE; /* largest cap of a bracket */

/* Where a value is, for errors. */
struct place {
    size_t symbol;        /* index in symbols, or in the answer of brackets */
    size_t filter;        /* index in filters or brackets; SIZE_MAX = the symbol's own field */
    const char *list;     /* "filters", "brackets" */
    const char *root;     /* "symbols", "" */
    struct rt_error *err; /* where it is told */
};

/* bad tells what is wrong with key at p; returns -EBADMSG. */
static int bad(const struct place *p, const char *key, const char *what) {
    if (p->filter == SIZE_MAX) {
        return rt_error_set(p->err, -EBADMSG, "%s[%zu].%s: %s", p->root, p->symbol, key, what);
    }
    return rt_error_set(p->err, -EBADMSG, "%s[%zu].%s[%zu].%s: %s", p->root, p->symbol, p->list,
                        p->filter, key, what);
}

/* read_decimal reads the decimal string key of o, not below zero; beyond the range of money it is
 * 0: no bound. Absent: 0 unless required. */
static int read_decimal(const struct place *p, const json_t *o, const char *key, bool required,
                        int64_t *out) {
    const json_t *v = json_object_get(o, key);
    *out = 0;
    if (v == NULL) return required ? bad(p, key, "is missing") : 0;
    if (!json_is_string(v)) return bad(p, key, "expected a decimal in quotes");
    int rc = rt_decimal_parse(json_string_value(v), json_string_length(v), out);
    if (rc == -ERANGE) return 0;
    if (rc < 0) return bad(p, key, rt_decimal_error(rc));
    return *out < 0 ? bad(p, key, "is below zero") : 0;
}

/* read_count reads the whole number key of o, from 0; absent: 0 unless required. */
static int read_count(const struct place *p, const json_t *o, const char *key, bool required,
                      uint32_t *out) {
    const json_t *v = json_object_get(o, key);
    *out = 0;
    if (v == NULL) return required ? bad(p, key, "is missing") : 0;
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return bad(p, key, "expected a whole number from 0");
    json_int_t cnt = json_integer_value(v);
    *out = cnt > 1000000 ? 0 : (uint32_t)cnt; /* so many are no bound */
    return 0;
}

/* read_text copies the string key of o into out, of cap bytes; longer ones are cut to nothing. */
static int read_text(const struct place *p, const json_t *o, const char *key, char *out,
                     size_t cap) {
    const json_t *v = json_object_get(o, key);
    size_t cnt = json_string_length(v);
    out[0] = '\0';
    if (!json_is_string(v) || cnt == 0) return bad(p, key, "expected a text");
    if (cnt < cap) memcpy(out, json_string_value(v), cnt + 1);
    return 0;
}

/* is_name tells whether text is a name as run files take it. */
static bool is_name(const char *text) {
    static const char *const ok =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return *text != '\0' && text[strspn(text, ok)] == '\0';
}

/* first_of returns the value under one of two keys: spot's and USD-M's name of the same thing. */
static const char *first_of(const json_t *o, const char *one, const char *other) {
    return json_object_get(o, one) != NULL ? one : other;
}

/* read_percent reads PERCENT_PRICE. On futures it holds buys from above, sells from below. */
static int read_percent(const struct place *p, const json_t *o, struct bn_symbol *s) {
    struct mk_filters *f = &s->filters;
    int64_t up, down;
    int rc = read_decimal(p, o, "multiplierUp", true, &up);
    if (rc == 0) rc = read_decimal(p, o, "multiplierDown", true, &down);
    if (rc == 0) rc = read_count(p, o, "avgPriceMins", false, &f->percent_minutes);
    if (rc < 0) return rc;
    bool contract = s->in.kind != MK_SPOT;
    f->up[SIDE_BUY] = up;
    f->down[SIDE_SELL] = down;
    f->down[SIDE_BUY] = contract ? 0 : down;
    f->up[SIDE_SELL] = contract ? 0 : up;
    return 0;
}

/* read_by_side reads PERCENT_PRICE_BY_SIDE. */
static int read_by_side(const struct place *p, const json_t *o, struct mk_filters *f) {
    int rc = read_decimal(p, o, "bidMultiplierUp", true, &f->up[SIDE_BUY]);
    if (rc == 0) rc = read_decimal(p, o, "bidMultiplierDown", true, &f->down[SIDE_BUY]);
    if (rc == 0) rc = read_decimal(p, o, "askMultiplierUp", true, &f->up[SIDE_SELL]);
    if (rc == 0) rc = read_decimal(p, o, "askMultiplierDown", true, &f->down[SIDE_SELL]);
    return rc < 0 ? rc : read_count(p, o, "avgPriceMins", false, &f->percent_minutes);
}

/* read_notional reads NOTIONAL and MIN_NOTIONAL, spot's and USD-M's. */
static int read_notional(const struct place *p, const json_t *o, struct bn_symbol *s) {
    const char *min = first_of(o, "minNotional", "notional");
    const char *applies = first_of(o, "applyMinToMarket", "applyToMarket");
    const json_t *to_market = json_object_get(o, applies);
    int rc = read_decimal(p, o, min, true, &s->in.min_notional);
    if (rc == 0) rc = read_decimal(p, o, "maxNotional", false, &s->filters.notional_max);
    if (rc < 0) return rc;
    if (to_market != NULL && !json_is_boolean(to_market))
        return bad(p, applies, "expected true or false");
    s->filters.min_spares_market = json_is_false(to_market);
    s->filters.max_to_market = json_is_true(json_object_get(o, "applyMaxToMarket"));
    return read_count(p, o, "avgPriceMins", false, &s->filters.notional_minutes);
}

/* read_trailing reads TRAILING_DELTA. */
static int read_trailing(const struct place *p, const json_t *o, struct mk_filters *f) {
    int rc = read_count(p, o, "minTrailingAboveDelta", true, &f->above_min);
    if (rc == 0) rc = read_count(p, o, "maxTrailingAboveDelta", true, &f->above_max);
    if (rc == 0) rc = read_count(p, o, "minTrailingBelowDelta", true, &f->below_min);
    if (rc == 0) rc = read_count(p, o, "maxTrailingBelowDelta", true, &f->below_max);
    uint32_t *all[] = { &f->above_min, &f->above_max, &f->below_min, &f->below_max };
    for (int i = 0; i < 4; i++) {
        if (*all[i] > MK_TRAIL_MAX) *all[i] = MK_TRAIL_MAX; /* no order has more */
    }
    return rc;
}

/* read_filter reads one filter of a symbol. */
static int read_filter(const struct place *p, const json_t *o, struct bn_symbol *s) {
    struct mk_filters *f = &s->filters;
    const char *type = json_string_value(json_object_get(o, "filterType"));
    int rc;
    if (type == NULL) return bad(p, "filterType", "expected a text");
    if (strcmp(type, "PRICE_FILTER") == 0) {
        rc = read_decimal(p, o, "minPrice", true, &f->price_min);
        if (rc == 0) rc = read_decimal(p, o, "maxPrice", true, &f->price_max);
        return rc < 0 ? rc : read_decimal(p, o, "tickSize", true, &s->in.tick_size);
    }
    if (strcmp(type, "LOT_SIZE") == 0) {
        rc = read_decimal(p, o, "minQty", true, &f->lot_min);
        if (rc == 0) rc = read_decimal(p, o, "maxQty", true, &f->lot_max);
        return rc < 0 ? rc : read_decimal(p, o, "stepSize", true, &s->in.lot_size);
    }
    if (strcmp(type, "MARKET_LOT_SIZE") == 0) {
        rc = read_decimal(p, o, "minQty", true, &f->market_min);
        if (rc == 0) rc = read_decimal(p, o, "maxQty", true, &f->market_max);
        return rc < 0 ? rc : read_decimal(p, o, "stepSize", true, &f->market_step);
    }
    if (strcmp(type, "PERCENT_PRICE") == 0) return read_percent(p, o, s);
    if (strcmp(type, "PERCENT_PRICE_BY_SIDE") == 0) return read_by_side(p, o, f);
    if (strcmp(type, "NOTIONAL") == 0 || strcmp(type, "MIN_NOTIONAL") == 0)
        return read_notional(p, o, s);
    if (strcmp(type, "TRAILING_DELTA") == 0) return read_trailing(p, o, f);
    if (strcmp(type, "ICEBERG_PARTS") == 0)
        return read_count(p, o, "limit", true, &f->iceberg_parts);
    if (strcmp(type, "MAX_POSITION") == 0)
        return read_decimal(p, o, "maxPosition", true, &f->position_max);
    if (strcmp(type, "MAX_NUM_ORDERS") == 0)
        return read_count(p, o, first_of(o, "maxNumOrders", "limit"), true, &f->orders_max);
    if (strcmp(type, "MAX_NUM_ALGO_ORDERS") == 0)
        return read_count(p, o, first_of(o, "maxNumAlgoOrders", "limit"), true, &f->waiting_max);
    if (strcmp(type, "MAX_NUM_ICEBERG_ORDERS") == 0)
        return read_count(p, o, "maxNumIcebergOrders", true, &f->icebergs_max);
    if (strcmp(type, "MAX_NUM_ORDER_LISTS") == 0)
        return read_count(p, o, "maxNumOrderLists", true, &f->lists_max);
    if (strcmp(type, "MAX_NUM_ORDER_AMENDS") == 0)
        return read_count(p, o, "maxNumOrderAmends", true, &f->amends_max);
    s->others++;
    return 0;
}

/* stp_of returns the kind of self-trade prevention that v names, MK_STP_DEFAULT for none that is
 * known. */
static uint8_t stp_of(const json_t *v) {
    const char *text = json_string_value(v);
    for (uint8_t i = 0; text != NULL && mk_stp_words[i] != NULL; i++) {
        if (strcasecmp(text, mk_stp_words[i]) == 0) return (uint8_t)(i + 1);
    }
    return MK_STP_DEFAULT;
}

/* read_stp reads the kinds of self-trade prevention of a symbol, where it tells them: those an
 * order may have, and that of orders which tell none. */
static int read_stp(const struct place *p, const json_t *o, struct bn_symbol *s) {
    const json_t *usual = json_object_get(o, "defaultSelfTradePreventionMode");
    const json_t *allowed = json_object_get(o, "allowedSelfTradePreventionModes");
    if (usual != NULL && !json_is_string(usual))
        return bad(p, "defaultSelfTradePreventionMode", "expected a text");
    if (allowed != NULL && !json_is_array(allowed))
        return bad(p, "allowedSelfTradePreventionModes", "expected a list");
    s->in.stp = stp_of(usual);
    for (size_t i = 0; i < json_array_size(allowed); i++) {
        s->filters.stp |= 1U << stp_of(json_array_get(allowed, i));
    }
    s->filters.stp &= ~(1U << MK_STP_DEFAULT);
    return 0;
}

/* left_out returns why s, which is margined in margin (of contracts), cannot be traded here, NULL
 * when it can. */
static const char *left_out(const struct bn_symbol *s, const char *margin) {
    if (s->in.kind == MK_LINEAR && strcmp(margin, s->quote) != 0)
        return strcmp(margin, s->base) == 0 ? "it is margined in its base and tells no contractSize"
                                            : "it is margined neither in its quote nor in its base";
    if (!is_name(s->in.name)) return "its symbol is no name of at most 31 letters and digits";
    if (!is_name(s->base) || !is_name(s->quote)) return "its assets are no names of at most 15";
    if (strcmp(s->base, s->quote) == 0) return "its base is its quote";
    if (s->in.tick_size == 0) return "it has no tick";
    if (s->in.lot_size == 0) return "it has no lot";
    if (s->filters.market_step % s->in.lot_size != 0) return "its market lot is not its lot's";
    if (s->in.kind != MK_SPOT &&
        (s->filters.price_min % s->in.tick_size != 0 || s->filters.lot_min % s->in.lot_size != 0))
        return "its grid does not begin at zero";
    return NULL;
}

/* read_contract reads what only contracts have: what they are margined in, what each is worth
 * (coin-margined ones), when they are delivered. */
static int read_contract(const struct place *p, const json_t *o, struct bn_symbol *s,
                         char margin[16]) {
    const json_t *size = json_object_get(o, "contractSize"),
                 *date = json_object_get(o, "deliveryDate");
    const double worth = json_number_value(size);
    int rc = read_text(p, o, "marginAsset", margin, 16);
    if (rc == 0) rc = read_decimal(p, o, "liquidationFee", false, &s->in.liquidation_fee);
    if (rc < 0) return rc;
    if (size != NULL && strcmp(margin, s->base) == 0) {
        if (!json_is_number(size) || !(worth >= 1e-8) || !(worth <= 1e9))
            return bad(p, "contractSize", "expected a number above 0");
        s->in.kind = MK_INVERSE;
        s->in.contract = (int64_t)(worth * FIXED_ONE + 0.5);
    }
    if (date == NULL) return 0;
    if (!json_is_integer(date)) return bad(p, "deliveryDate", "expected ms since 1970");
    const json_int_t ms = json_integer_value(date);
    if (ms > 0 && ms < NEVER_MS) s->in.expiry_ns = ms * 1000000;
    return 0;
}

/* read_symbol reads one symbol. */
static int read_symbol(struct place *p, const json_t *o, struct bn_symbol *s) {
    const char *contract = json_string_value(json_object_get(o, "contractType"));
    const char *status = json_string_value(json_object_get(o, "status"));
    const json_t *filters = json_object_get(o, "filters");
    char margin[16] = "";
    p->filter = SIZE_MAX;
    if (!json_is_object(o)) return bad(p, "symbol", "expected {symbol: ...}");
    int rc = read_text(p, o, "symbol", s->in.symbol, sizeof s->in.symbol);
    if (rc == 0) rc = read_text(p, o, "baseAsset", s->base, sizeof s->base);
    if (rc == 0) rc = read_text(p, o, "quoteAsset", s->quote, sizeof s->quote);
    if (rc < 0) return rc;
    s->in.kind = json_object_get(o, "contractType") != NULL ? MK_LINEAR : MK_SPOT;
    memcpy(s->in.name, s->in.symbol, sizeof s->in.name);
    if (s->in.kind == MK_LINEAR && (rc = read_contract(p, o, s, margin)) < 0) return rc;
    bool perpetual = contract != NULL && strcmp(contract, "PERPETUAL") == 0 &&
                     strstr(s->in.symbol, "_PERP") == NULL; /* COIN-M's say so themselves */
    if (perpetual && strlen(s->in.name) + 5 < sizeof s->in.name) strcat(s->in.name, "-PERP");
    if (status == NULL) status = json_string_value(json_object_get(o, "contractStatus"));
    s->trading = status != NULL && strcmp(status, "TRADING") == 0;
    rc = read_stp(p, o, s);
    if (rc < 0) return rc;
    if (!json_is_array(filters)) return bad(p, "filters", "expected a list");
    p->list = "filters";
    for (p->filter = 0; rc == 0 && p->filter < json_array_size(filters); p->filter++) {
        rc = read_filter(p, json_array_get(filters, p->filter), s);
    }
    s->left = left_out(s, margin);
    return rc;
}

/* read_rates reads the limits on orders. */
static void read_rates(const json_t *list, struct bn_exchange *e) {
    for (size_t i = 0; i < json_array_size(list) && e->rate_cnt < BN_RATES_MAX; i++) {
        const json_t *o = json_array_get(list, i);
        const char *type = json_string_value(json_object_get(o, "rateLimitType"));
        const char *unit = json_string_value(json_object_get(o, "interval"));
        json_int_t cnt = json_integer_value(json_object_get(o, "limit"));
        json_int_t num = json_integer_value(json_object_get(o, "intervalNum"));
        if (type == NULL || unit == NULL || strcmp(type, "ORDERS") != 0) continue;
        int64_t unit_s = strcmp(unit, "SECOND") == 0   ? 1
                         : strcmp(unit, "MINUTE") == 0 ? 60
                         : strcmp(unit, "HOUR") == 0   ? 3600
                         : strcmp(unit, "DAY") == 0    ? 86400
                                                       : 0;
        if (unit_s == 0 || cnt < 1 || cnt > 1000000 || num < 1 || num > 7 * 86400 / unit_s)
            continue;
        e->rates[e->rate_cnt++] = (struct bn_rate){ .cnt = cnt, .per_s = num * unit_s };
    }
}

/* load reads text as JSON; NULL with err when it is none. */
static json_t *load(const char *text, size_t cnt, struct rt_error *err) {
    json_error_t why;
    if (cnt > BN_EXCHANGE_BYTES) {
        rt_error_set(err, -EBADMSG, "is larger than %d MiB", BN_EXCHANGE_BYTES >> 20);
        return NULL;
    }
    json_t *root = json_loadb(text, cnt, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        rt_error_set(err, -EBADMSG, "line %d, column %d: %s", why.line, why.column, why.text);
        for (char *c = err->text; *c != '\0'; c++) {
            if ((unsigned char)*c < ' ') *c = ' '; /* it quotes the text */
        }
    }
    return root;
}

int bn_exchange_parse(const char *text, size_t cnt, struct bn_exchange *out, struct rt_error *err) {
    struct place p = { .root = "symbols", .err = err };
    *out = (struct bn_exchange){ 0 };
    json_t *root = load(text, cnt, err);
    if (root == NULL) return -EBADMSG;
    const json_t *symbols = json_object_get(root, "symbols");
    size_t symbol_cnt = json_array_size(symbols);
    int rc = 0;
    if (!json_is_array(symbols) || symbol_cnt == 0 || symbol_cnt > BN_SYMBOLS_MAX) {
        rc = rt_error_set(err, -EBADMSG, "symbols: expected a list of 1 to %d", BN_SYMBOLS_MAX);
    } else {
        out->symbols = calloc(symbol_cnt, sizeof *out->symbols);
        if (out->symbols == NULL) rc = rt_error_set(err, -ENOMEM, "out of memory");
    }
    for (; rc == 0 && p.symbol < symbol_cnt; p.symbol++) {
        rc = read_symbol(&p, json_array_get(symbols, p.symbol), &out->symbols[p.symbol]);
        out->cnt++;
    }
    if (rc == 0) {
        json_int_t time_ms = json_integer_value(json_object_get(root, "serverTime"));
        out->time_ms = time_ms > 0 && time_ms < INT64_MAX / 1000000 ? time_ms : 0;
        read_rates(json_object_get(root, "rateLimits"), out);
    } else {
        bn_exchange_fini(out);
    }
    json_decref(root);
    return rc;
}

/* rate_of reads the number key of o, which the venue writes as a JSON number with few decimals,
 * into 1e-8, not above high. */
static int rate_of(const struct place *p, const json_t *o, const char *key, int64_t high,
                   int64_t *out) {
    const json_t *v = json_object_get(o, key);
    double x = json_number_value(v);
    if (!json_is_number(v) || !(x >= 0)) return bad(p, key, "expected a number from 0");
    *out = x >= (double)high / FIXED_ONE ? high : (int64_t)(x * FIXED_ONE + 0.5);
    return 0;
}

/* read_bracket reads one leverage bracket of s: COIN-M's caps are in coin, under a name of their
 * own. */
static int read_bracket(const struct place *p, const json_t *o, struct bn_symbol *s) {
    struct mk_bracket *b = &s->brackets[s->bracket_cnt];
    const struct mk_bracket *below = s->bracket_cnt > 0 ? b - 1 : NULL;
    uint32_t leverage;
    const char *const cap = s->in.kind == MK_INVERSE ? "qtyCap" : "notionalCap";
    int rc = rate_of(p, o, cap, CAP_MAX, &b->cap);
    if (rc == 0) rc = rate_of(p, o, "maintMarginRatio", FIXED_ONE - 1, &b->maintenance);
    if (rc == 0) rc = read_count(p, o, "initialLeverage", true, &leverage);
    if (rc < 0) return rc;
    if (leverage < 1 || leverage > 1000) return bad(p, "initialLeverage", "expected 1 to 1000");
    b->leverage = leverage;
    if (b->cap == 0) return bad(p, cap, "expected a number above 0");
    if (b->maintenance == 0) return bad(p, "maintMarginRatio", "expected a number above 0");
    if (below != NULL && below->cap == CAP_MAX) return 0; /* no account comes so far */
    if (below != NULL && (b->cap <= below->cap || b->maintenance <= below->maintenance ||
                          b->leverage >= below->leverage)) {
        return bad(p, cap, "expected brackets that rise");
    }
    s->bracket_cnt++;
    return 0;
}

/* symbol_find returns the symbol of that name, or NULL. */
static struct bn_symbol *symbol_find(struct bn_exchange *e, const char *name) {
    for (size_t i = 0; name != NULL && i < e->cnt; i++) {
        if (strcmp(e->symbols[i].in.symbol, name) == 0) return &e->symbols[i];
    }
    return NULL;
}

int bn_exchange_brackets(const char *text, size_t cnt, struct bn_exchange *e,
                         struct rt_error *err) {
    struct place p = { .root = "", .list = "brackets", .err = err };
    json_t *root = load(text, cnt, err);
    if (root == NULL) return -EBADMSG;
    int rc = 0;
    if (!json_is_array(root)) rc = rt_error_set(err, -EBADMSG, "expected a list of symbols");
    for (; rc == 0 && p.symbol < json_array_size(root); p.symbol++) {
        const json_t *o = json_array_get(root, p.symbol);
        const json_t *list = json_object_get(o, "brackets");
        struct bn_symbol *s = symbol_find(e, json_string_value(json_object_get(o, "symbol")));
        p.filter = SIZE_MAX;
        if (!json_is_array(list)) rc = bad(&p, "brackets", "expected a list");
        if (rc < 0 || s == NULL || s->in.kind == MK_SPOT) continue;
        s->bracket_cnt = 0;
        if (json_array_size(list) > MK_BRACKETS_MAX) rc = bad(&p, "brackets", "has too many");
        for (p.filter = 0; rc == 0 && p.filter < json_array_size(list); p.filter++) {
            rc = read_bracket(&p, json_array_get(list, p.filter), s);
        }
    }
    json_decref(root);
    return rc;
}

void bn_exchange_fini(struct bn_exchange *e) {
    free(e->symbols);
    *e = (struct bn_exchange){ 0 };
}
