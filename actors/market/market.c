#include "actors/market/market.h"
#include "actors/market/filters.h"
#include "actors/market/margin.h"
#include "actors/market/session.h"
#include "actors/market/value.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds of what a run file may declare. */
enum {
    INSTRUMENT_MAX = 4096,          /* instruments */
    ACCOUNT_MAX = 255,              /* accounts: ids are one byte */
    ASSET_MAX = 4096,               /* assets */
    DEPLOYMENT_MAX = (1 << 20) - 1, /* four base-32 digits */
    LEVERAGE_MAX = 1000,            /* of a bracket */
    SLIPPAGE_BARS = 100,            /* bars of a slippage model, where none are declared */
    SLIPPAGE_BARS_MAX = 4096,       /* at most */
    LEVERAGE_DEFAULT = 20,          /* of an account that declares none, as at Binance */
};
static const int64_t STEP_MAX = INT64_C(1000000) * FIXED_ONE;         /* tick and lot */
static const int64_t NOTIONAL_MAX = INT64_C(1000000000) * FIXED_ONE;  /* smallest notional */
static const int64_t CASH_MAX = INT64_C(50000000000) * FIXED_ONE;     /* half of what fits */
static const int64_t SLIPPAGE_MAX = INT64_C(1000) * FIXED_ONE;        /* 1000 bp */
static const int64_t FACTOR_MAX = INT64_C(10) * FIXED_ONE;            /* of a slippage model */
static const int64_t fee_min = -FIXED_ONE / 100;                      /* rates of fees */
static const int64_t fee_max = FIXED_ONE / 10;                        /* at most */
static const int64_t SECOND_NS = INT64_C(1000000000);                 /* ns in a second */
static const int64_t discounts[MK_KINDS] = { 25000000, 10000000, 0 }; /* Binance's, by kind */

const char *const mk_kind_words[MK_KINDS + 1] = { "spot", "linear", "inverse", NULL };
static const char *const instrument_keys[] = { "symbol",
                                               "kind",
                                               "base",
                                               "quote",
                                               "venue",
                                               "tick_size",
                                               "lot_size",
                                               "min_notional",
                                               "maker_fee",
                                               "taker_fee",
                                               "slippage_bps",
                                               "brackets",
                                               "liquidation_fee",
                                               "slippage",
                                               "participation",
                                               "filters",
                                               "session",
                                               "stale_after",
                                               "fees",
                                               "multiplier",
                                               "expiry",
                                               "settlement",
                                               "delivery_fee",
                                               "contract_value",
                                               "stp",
                                               NULL };
static const char *const slippage_words[] = { "bps", "volume", "root", NULL };
static const char *const slippage_keys[] = { "model", "factor", "bars", "interval", NULL };
static const char *const slippage_bps_keys[] = { "model", "bps", NULL };
static const char *const bracket_keys[] = { "cap", "leverage", "maintenance", NULL };
static const char *const account_keys[] = { "quote",    "cash",          "margin",
                                            "leverage", "position_mode", "fees",
                                            "stp",      "stp_group",     NULL };
static const char *const fee_keys[] = { "spot", "linear", "inverse", "asset", NULL };
static const char *const burn_keys[] = {
    "name", "balance", "price", "instrument", "discount", NULL
};
static const char *const fee_kind_keys[] = { "tiers", NULL };
static const char *const tier_keys[] = { "volume", "maker", "taker", NULL };
static const char *const mode_words[] = { "one_way", "hedge", NULL };
static const char *const margin_words[] = { "none", "cross", "isolated", NULL };

/* name_ok tells whether text is a name: letters, digits, '.', '_' and '-'. */
static bool name_ok(const char *text) {
    if (*text == 0) return false;
    for (; *text; text++) {
        char c = *text;
        bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '.' || c == '_' || c == '-';
        if (!ok) return false;
    }
    return true;
}

/* read_name reads a name of fewer than cap bytes under key into out. */
static int read_name(struct rt_node *map, const char *key, const char *def, char *out, size_t cap,
                     struct rt_error *err) {
    const char *text;
    int rc = rt_node_text(map, key, def == NULL, cap - 1, def, &text, err);
    if (rc < 0) return rc;
    if (!name_ok(text)) {
        return rt_node_fail(rt_node_get(map, key), err,
                            "\"%s\" is no name; expected letters, digits, '.', '_' or '-'", text);
    }
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

/* key_name copies the key of a map's child into out as a name of fewer than cap bytes. */
static int key_name(const struct rt_node *node, char *out, size_t cap, struct rt_error *err) {
    size_t cnt = strlen(node->key);
    if (cnt >= cap || !name_ok(node->key)) {
        return rt_node_fail(node, err,
                            "\"%s\" is no name; expected 1..%zu letters, digits, '.', '_' or '-'",
                            node->key, cap - 1);
    }
    memcpy(out, node->key, cnt + 1);
    return 0;
}

/* asset_add returns the index of the asset named name in the table, which it joins when it is new;
 * -ENOSPC when the table is full. */
static int asset_add(struct mk_market *m, const char *name) {
    for (uint32_t i = 0; i < m->asset_cnt; i++) {
        if (strcmp(m->assets[i], name) == 0) return (int)i;
    }
    if (m->asset_cnt == ASSET_MAX) return -ENOSPC;
    memcpy(m->assets[m->asset_cnt], name, strlen(name) + 1);
    return (int)m->asset_cnt++;
}

/* read_asset reads an asset's name under key and gives its index. */
static int read_asset(struct mk_market *m, struct rt_node *map, const char *key, uint16_t *out,
                      struct rt_error *err) {
    char name[16];
    int rc = read_name(map, key, NULL, name, sizeof name, err);
    if (rc < 0) return rc;
    rc = asset_add(m, name);
    if (rc < 0) return rt_node_fail(map, err, "too many assets; expected at most %d", ASSET_MAX);
    *out = (uint16_t)rc;
    return 0;
}

/* by_key orders nodes by key, for qsort. */
static int by_key(const void *a, const void *b) {
    const struct rt_node *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* sorted_children gives the children of map in key order, marked used, as an array the caller
 * frees; at least one and at most max. */
static int sorted_children(struct rt_node *map, uint32_t max, struct rt_node ***out,
                           struct rt_error *err) {
    if (map->child_cnt == 0) return rt_node_fail(map, err, "is empty, expected at least one");
    if (map->child_cnt > max) {
        return rt_node_fail(map, err, "has %u entries, expected at most %u", map->child_cnt, max);
    }
    struct rt_node **list = calloc(map->child_cnt, sizeof *list);
    if (!list) return rt_error_set(err, -ENOMEM, "out of memory");
    uint32_t cnt = 0;
    for (struct rt_node *n = map->child; n; n = n->next) {
        n->used = true;
        list[cnt++] = n;
        if (n->kind != RT_NODE_MAP) {
            free(list);
            return rt_node_fail(n, err, "is no map, expected {key: value, ...}");
        }
    }
    qsort(list, cnt, sizeof *list, by_key);
    *out = list;
    return 0;
}

/* read_brackets reads brackets: of the instrument n into the market's table, which has room. */
static int read_brackets(struct mk_market *m, struct rt_node *n, struct mk_instrument *in,
                         struct rt_error *err) {
    struct rt_node *list;
    int rc = rt_node_list(n, "brackets", false, &list, err);
    if (rc < 0 || !list) return rc;
    if (in->kind == MK_SPOT) {
        return rt_node_fail(list, err, "is for kind: linear and kind: inverse only");
    }
    if (list->child_cnt == 0 || list->child_cnt > MK_BRACKETS_MAX) {
        return rt_node_fail(list, err, "has %u entries, expected 1..%d", list->child_cnt,
                            MK_BRACKETS_MAX);
    }
    struct mk_bracket *first = m->brackets + m->bracket_cnt, *b = first;
    for (struct rt_node *k = list->child; k; k = k->next, b++) {
        const struct mk_bracket *below = k == list->child ? NULL : b - 1;
        int64_t leverage;
        k->used = true;
        if (k->kind != RT_NODE_MAP) {
            return rt_node_fail(k, err,
                                "is no map, expected {cap: ..., leverage: ..., maintenance: ...}");
        }
        rc = rt_node_fixed(k, "cap", true, 1, CASH_MAX, 0, &b->cap, err);
        if (rc == 0) rc = rt_node_int(k, "leverage", true, 1, LEVERAGE_MAX, 0, &leverage, err);
        if (rc == 0)
            rc = rt_node_fixed(k, "maintenance", true, 1, FIXED_ONE - 1, 0, &b->maintenance, err);
        if (rc == 0) rc = rt_node_no_more(k, bracket_keys, err);
        if (rc < 0) return rc;
        b->leverage = (uint32_t)leverage;
        if (!below) continue;
        if (b->cap <= below->cap) {
            return rt_node_fail(rt_node_get(k, "cap"), err,
                                "is not above the bracket before, expected caps that rise");
        }
        if (b->maintenance <= below->maintenance || b->leverage >= below->leverage) {
            return rt_node_fail(k, err,
                                "expected a higher maintenance and a lower leverage than the "
                                "bracket before");
        }
    }
    if (!mk_brackets_seal(first, list->child_cnt))
        return rt_node_fail(list, err, "is too large to reckon with, expected smaller caps");
    in->brackets = first;
    in->bracket_cnt = list->child_cnt;
    m->bracket_cnt += list->child_cnt;
    return 0;
}

/* read_slippage reads slippage: or slippage_bps: of the instrument n. */
static int read_slippage(struct rt_node *n, struct mk_instrument *in, struct rt_error *err) {
    struct rt_node *map, *plain = rt_node_get(n, "slippage_bps");
    int64_t bars = 0, def = FIXED_ONE;
    int model;
    int rc = rt_node_fixed(n, "slippage_bps", false, 0, SLIPPAGE_MAX, 0, &in->slippage_bps, err);
    if (rc == 0) rc = rt_node_map(n, "slippage", false, &map, err);
    if (rc < 0 || map == NULL) return rc;
    if (plain != NULL) {
        return rt_node_fail(plain, err, "says what slippage: says too, expected one of them");
    }
    rc = rt_node_choice(map, "model", true, slippage_words, 0, &model, err);
    if (rc < 0) return rc;
    in->slippage = (enum mk_slippage)model;
    in->slippage_node = map;
    if (in->slippage == MK_SLIPPAGE_BPS) {
        rc = rt_node_fixed(map, "bps", true, 0, SLIPPAGE_MAX, 0, &in->slippage_bps, err);
        return rc < 0 ? rc : rt_node_no_more(map, slippage_bps_keys, err);
    }
    if (in->slippage == MK_SLIPPAGE_VOLUME) def = FIXED_ONE / 10;
    rc = rt_node_fixed(map, "factor", false, 0, FACTOR_MAX, def, &in->slippage_factor, err);
    if (rc < 0) return rc;
    rc = rt_node_int(map, "bars", false, 2, SLIPPAGE_BARS_MAX, SLIPPAGE_BARS, &bars, err);
    if (rc < 0) return rc;
    in->slippage_bars = (uint32_t)bars;
    rc = rt_node_duration(map, "interval", false, SECOND_NS, 86400 * SECOND_NS, 60 * SECOND_NS,
                          &in->slippage_bar_ns, err);
    return rc < 0 ? rc : rt_node_no_more(map, slippage_keys, err);
}

/* read_filters reads filters: of the instrument n into the market's table, which has room. */
static int read_filters(struct mk_market *m, struct rt_node *n, struct mk_instrument *in,
                        struct rt_error *err) {
    struct rt_node *map;
    int rc = rt_node_map(n, "filters", false, &map, err);
    if (rc < 0 || map == NULL) return rc;
    struct mk_filters *f = m->filters + m->filter_cnt++;
    in->filters = f;
    int code = mk_filters_read(map, in->lot_size, f, err);
    f->of = in->contract == 0 ? NULL : in;
    return code;
}

/* read_charges reads fees: of the instrument n into the market's table, which has room. */
static int read_charges(struct mk_market *m, struct rt_node *n, struct rt_node *schemes,
                        struct mk_instrument *in, struct rt_error *err) {
    struct mk_charges *c = m->charges + m->charges_cnt;
    bool given;
    int rc = mk_charges_read(n, schemes, c, &given, err);
    if (rc < 0 || !given) return rc;
    in->charges = c;
    m->charges_cnt++;
    return 0;
}

/* read_session reads session: of the instrument n into *out. */
static int read_session(struct rt_node *n, struct mk_instrument *in, struct mk_session **out,
                        struct rt_error *err) {
    bool there;
    if (rt_node_get(n, "session") == NULL) return 0;
    in->session = *out = calloc(1, sizeof **out);
    if (*out == NULL) return rt_error_set(err, -ENOMEM, "out of memory");
    return mk_session_read(n, "session", *out, &there, err);
}

/* read_contract reads multiplier: or contract_value: of the instrument n, by its kind. */
static int read_contract(struct rt_node *n, struct mk_instrument *in, struct rt_error *err) {
    struct rt_node *times = rt_node_get(n, "multiplier"), *value = rt_node_get(n, "contract_value");
    if (times != NULL && in->kind != MK_LINEAR) {
        return rt_node_fail(times, err, "is for kind: linear only%s",
                            in->kind == MK_INVERSE ? "; kind: inverse has contract_value:" : "");
    }
    if (value != NULL && in->kind != MK_INVERSE) {
        return rt_node_fail(value, err, "is for kind: inverse only%s",
                            in->kind == MK_LINEAR ? "; kind: linear has multiplier:" : "");
    }
    if (in->kind == MK_INVERSE) {
        return rt_node_fixed(n, "contract_value", true, 1, NOTIONAL_MAX, 0, &in->contract, err);
    }
    int rc = rt_node_fixed(n, "multiplier", false, 1, STEP_MAX, FIXED_ONE, &in->contract, err);
    if (in->contract == FIXED_ONE || in->kind == MK_SPOT) in->contract = 0;
    return rc;
}

/* read_expiry reads expiry:, settlement: and delivery_fee: of the instrument n. */
static int read_expiry(struct rt_node *n, struct mk_instrument *in, struct rt_error *err) {
    static const char *const means[] = { "last", "mark", NULL };
    static const char *const keys[] = { "mean", "window", NULL };
    static const char *const price_keys[] = { "price", NULL };
    struct rt_node *at = rt_node_get(n, "expiry"), *map, *given;
    int which = 0;
    int rc = rt_node_time(n, "expiry", false, 0, &in->expiry_ns, err);
    if (rc == 0) rc = rt_node_map(n, "settlement", false, &map, err);
    if (rc == 0)
        rc = rt_node_fixed(n, "delivery_fee", false, 0, fee_max, 0, &in->delivery_fee, err);
    if (rc < 0) return rc;
    if (at == NULL) {
        const char *key = map != NULL ? "settlement" : "delivery_fee";
        given = rt_node_get(n, key);
        if (given == NULL) return 0;
        return rt_node_fail(given, err, "says nothing without expiry:");
    }
    if (in->kind == MK_SPOT) {
        return rt_node_fail(at, err, "is for kind: linear and kind: inverse only");
    }
    if (in->expiry_ns <= 0) return rt_node_fail(at, err, "expected an instant after 1970");
    in->expiry_node = at;
    in->settle_node = map;
    in->settle_window_ns = 30 * 60 * SECOND_NS;
    if (map == NULL) return 0;
    if (rt_node_get(map, "price") != NULL) {
        rc = rt_node_fixed(map, "price", true, 1, INT64_MAX / 2, 0, &in->settle_price, err);
        return rc < 0 ? rc : rt_node_no_more(map, price_keys, err);
    }
    rc = rt_node_choice(map, "mean", false, means, 0, &which, err);
    in->settle_mark = which == 1;
    if (rc == 0) {
        rc = rt_node_duration(map, "window", false, 1, 366 * 86400 * SECOND_NS,
                              in->settle_window_ns, &in->settle_window_ns, err);
    }
    return rc < 0 ? rc : rt_node_no_more(map, keys, err);
}

/* read_instrument reads one entry of instruments: into in. */
static int read_instrument(struct mk_market *m, struct rt_node *n, struct rt_node *schemes,
                           struct mk_instrument *in, struct mk_session **session,
                           struct rt_error *err) {
    int rc, kind;
    if ((rc = key_name(n, in->name, sizeof in->name, err)) < 0) return rc;
    if ((rc = read_name(n, "symbol", in->name, in->symbol, sizeof in->symbol, err)) < 0) return rc;
    if ((rc = read_name(n, "venue", "sim", in->venue, sizeof in->venue, err)) < 0) return rc;
    if ((rc = rt_node_choice(n, "kind", true, mk_kind_words, 0, &kind, err)) < 0) return rc;
    in->kind = (enum mk_kind)kind;
    if ((rc = read_asset(m, n, "base", &in->base_asset, err)) < 0) return rc;
    if ((rc = read_asset(m, n, "quote", &in->quote_asset, err)) < 0) return rc;
    if (in->base_asset == in->quote_asset) {
        return rt_node_fail(rt_node_get(n, "base"), err,
                            "is the quote too, expected another asset");
    }
    if ((rc = read_contract(n, in, err)) < 0) return rc;
    if ((rc = read_expiry(n, in, err)) < 0) return rc;
    rc = rt_node_fixed(n, "tick_size", true, 1, STEP_MAX, 0, &in->tick_size, err);
    if (rc < 0) return rc;
    rc = rt_node_fixed(n, "lot_size", true, 1, STEP_MAX, 0, &in->lot_size, err);
    if (rc < 0) return rc;
    rc = rt_node_fixed(n, "min_notional", false, 0, NOTIONAL_MAX, 0, &in->min_notional, err);
    if (rc < 0) return rc;
    if ((rc = read_charges(m, n, schemes, in, err)) < 0) return rc;
    const bool rates = in->charges == NULL; /* who has charges may do without */
    rc = rt_node_fixed(n, "maker_fee", rates, fee_min, fee_max, 0, &in->maker_fee, err);
    if (rc < 0) return rc;
    rc = rt_node_fixed(n, "taker_fee", rates, fee_min, fee_max, 0, &in->taker_fee, err);
    if (rc < 0) return rc;
    if ((rc = read_slippage(n, in, err)) < 0) return rc;
    rc = rt_node_share(n, "participation", false, 0, &in->participation, err);
    if (rc < 0) return rc;
    rc = rt_node_fixed(n, "liquidation_fee", false, 0, fee_max, 0, &in->liquidation_fee, err);
    if (rc < 0) return rc;
    if ((rc = read_brackets(m, n, in, err)) < 0) return rc;
    if ((rc = read_filters(m, n, in, err)) < 0) return rc;
    if ((rc = read_session(n, in, session, err)) < 0) return rc;
    rc = rt_node_duration(n, "stale_after", false, SECOND_NS / 1000, 86400 * SECOND_NS, 0,
                          &in->stale_ns, err);
    if (rc < 0) return rc;
    in->stale_node = rt_node_get(n, "stale_after");
    int stp = 0;
    if (rc == 0) rc = rt_node_choice(n, "stp", false, mk_stp_words, 0, &stp, err);
    in->stp = (uint8_t)(stp + 1);
    return rt_node_no_more(n, instrument_keys, err);
}

/* same_symbol tells whether a venue could not tell a and b apart. */
static bool same_symbol(const struct mk_instrument *a, const struct mk_instrument *b) {
    return a->kind == b->kind && strcmp(a->symbol, b->symbol) == 0 &&
           strcmp(a->venue, b->venue) == 0;
}

/* read_participation gives instruments without their own the participation: of the venue. */
static int read_participation(struct mk_market *m, struct rt_node *root, struct rt_error *err) {
    struct rt_node *actors = rt_node_get(root, "actors");
    if (actors == NULL || actors->kind != RT_NODE_MAP) return 0; /* not ours to refuse */
    for (struct rt_node *a = actors->child; a != NULL; a = a->next) {
        struct rt_node *kind = a->kind == RT_NODE_MAP ? rt_node_get(a, "kind") : NULL;
        int64_t share;
        bool venue =
            kind != NULL && kind->kind == RT_NODE_SCALAR && strcmp(kind->text, "venue") == 0;
        if (!venue) continue;
        int rc = rt_node_share(a, "participation", false, 0, &share, err);
        if (rc < 0) return rc;
        for (uint32_t i = 0; i < m->instrument_cnt; i++) {
            if (m->instruments[i].participation == 0) m->instruments[i].participation = share;
        }
    }
    return 0;
}

/* read_schemes gives fee_schemes: of root, NULL where there is none, each of them read once. */
static int read_schemes(struct rt_node *root, struct rt_node **out, struct rt_error *err) {
    int rc = rt_node_map(root, "fee_schemes", false, out, err);
    for (struct rt_node *n = *out ? (*out)->child : NULL; rc == 0 && n; n = n->next) {
        struct mk_charges scratch;
        rc = mk_charges_scheme(n, &scratch, err);
    }
    return rc;
}

/* read_instruments reads instruments: of root. */
static int read_instruments(struct mk_market *m, struct rt_node *root, struct rt_error *err) {
    struct rt_node *map, *schemes, **list;
    int rc = rt_node_map(root, "instruments", true, &map, err);
    if (rc == 0) rc = read_schemes(root, &schemes, err);
    if (rc < 0) return rc;
    if ((rc = sorted_children(map, INSTRUMENT_MAX, &list, err)) < 0) return rc;
    m->instruments = calloc(map->child_cnt, sizeof *m->instruments);
    m->brackets = calloc((size_t)map->child_cnt * MK_BRACKETS_MAX, sizeof *m->brackets);
    m->filters = calloc(map->child_cnt, sizeof *m->filters);
    m->sessions = calloc(map->child_cnt, sizeof(struct mk_session *));
    m->charges = calloc(map->child_cnt, sizeof *m->charges);
    if (!m->charges || !m->instruments || !m->brackets || !m->filters || !m->sessions)
        rc = rt_error_set(err, -ENOMEM, "out of memory");
    for (uint32_t i = 0; rc == 0 && i < map->child_cnt; i++) {
        struct mk_instrument *in = &m->instruments[i];
        rc = read_instrument(m, list[i], schemes, in, &m->sessions[i], err);
        in->id = (uint16_t)(i + 1);
        m->instrument_cnt = i + 1;
        for (uint32_t k = 0; rc == 0 && k < i; k++) {
            if (!same_symbol(&m->instruments[k], in)) continue;
            rc = rt_node_fail(list[i], err, "has the symbol %s of %s, expected one of its own",
                              in->symbol, m->instruments[k].name);
        }
    }
    free(list);
    return rc;
}

/* read_leverage reads leverage: of the account n: one number, or a map of instruments. */
static int read_leverage(struct mk_market *m, struct rt_node *n, const struct mk_account *a,
                         struct rt_error *err) {
    uint16_t *row = m->leverages + (size_t)(a->id - 1) * m->instrument_cnt;
    struct rt_node *given = rt_node_get(n, "leverage");
    int64_t all = LEVERAGE_DEFAULT;
    int rc = 0;
    if (given && a->margin == MK_MARGIN_NONE)
        return rt_node_fail(given, err, "says nothing without margin: cross or margin: isolated");
    if (given && given->kind != RT_NODE_MAP)
        rc = rt_node_int(n, "leverage", true, 1, LEVERAGE_MAX, 0, &all, err);
    for (uint32_t i = 0; rc == 0 && i < m->instrument_cnt; i++) {
        const struct mk_instrument *in = &m->instruments[i];
        int64_t one = all;
        bool named = given && given->kind == RT_NODE_MAP && rt_node_get(given, in->name);
        if (named) rc = rt_node_int(given, in->name, true, 1, LEVERAGE_MAX, 0, &one, err);
        if (rc < 0) return rc;
        row[i] = (uint16_t)one;
        bool held = a->margin != MK_MARGIN_NONE && in->kind != MK_SPOT && mk_settle(in) == a->quote;
        if (!held) continue;
        if (in->bracket_cnt == 0) {
            return rt_node_fail(rt_node_get(n, "margin"), err,
                                "needs brackets: in the instrument %s (a list of {cap, leverage, "
                                "maintenance})",
                                in->name);
        }
        if (one > in->brackets[0].leverage && given) {
            return rt_node_fail(named ? rt_node_get(given, in->name) : given, err,
                                "is above the %u of the first bracket of %s",
                                in->brackets[0].leverage, in->name);
        }
        if (one > in->brackets[0].leverage) row[i] = (uint16_t)in->brackets[0].leverage;
    }
    if (rc == 0 && given && given->kind == RT_NODE_MAP) rc = rt_node_no_more(given, NULL, err);
    return rc;
}

/* read_tiers reads tiers: of the map n, fees of one kind, into account a. */
static int read_tiers(struct rt_node *n, struct mk_account *a, uint32_t kind,
                      struct rt_error *err) {
    struct rt_node *list;
    int rc = rt_node_list(n, "tiers", true, &list, err);
    if (rc < 0) return rc;
    if (list->child_cnt == 0 || list->child_cnt > MK_TIERS_MAX) {
        return rt_node_fail(list, err, "has %u entries, expected 1..%d", list->child_cnt,
                            MK_TIERS_MAX);
    }
    struct mk_tier *t = a->tiers[kind] = calloc(list->child_cnt, sizeof *t);
    if (t == NULL) return rt_error_set(err, -ENOMEM, "out of memory");
    a->tier_cnt[kind] = list->child_cnt;
    for (struct rt_node *k = list->child; k; k = k->next, t++) {
        k->used = true;
        if (k->kind != RT_NODE_MAP) {
            return rt_node_fail(k, err,
                                "is no map, expected {volume: ..., maker: ..., taker: ...}");
        }
        rc = rt_node_fixed(k, "volume", true, 0, CASH_MAX, 0, &t->volume, err);
        if (rc == 0) rc = rt_node_fixed(k, "maker", true, fee_min, fee_max, 0, &t->maker, err);
        if (rc == 0) rc = rt_node_fixed(k, "taker", true, fee_min, fee_max, 0, &t->taker, err);
        if (rc == 0) rc = rt_node_no_more(k, tier_keys, err);
        if (rc < 0) return rc;
        if (k != list->child && t->volume <= t[-1].volume) {
            return rt_node_fail(rt_node_get(k, "volume"), err,
                                "is not above the tier before, expected volumes that rise");
        }
    }
    return rt_node_no_more(n, fee_kind_keys, err);
}

/* read_discount reads discount: of the map n: one share, or a map of kinds. */
static int read_discount(struct rt_node *n, struct mk_fee_asset *f, struct rt_error *err) {
    struct rt_node *given = rt_node_get(n, "discount");
    bool map = given != NULL && given->kind == RT_NODE_MAP;
    int rc = 0;
    for (uint32_t kind = 0; rc == 0 && kind < MK_KINDS; kind++) {
        f->discount[kind] = discounts[kind];
        if (given == NULL) continue;
        rc = rt_node_share(map ? given : n, map ? mk_kind_words[kind] : "discount", false,
                           discounts[kind], &f->discount[kind], err);
    }
    return rc == 0 && map ? rt_node_no_more(given, mk_kind_words, err) : rc;
}

/* read_burn reads asset: of the map n, the fees of account a. */
static int read_burn(struct mk_market *m, struct rt_node *n, struct mk_account *a,
                     struct rt_error *err) {
    struct mk_fee_asset *f = &a->burn;
    struct rt_node *map;
    const char *name = NULL;
    int rc = rt_node_map(n, "asset", false, &map, err);
    if (rc < 0 || map == NULL) return rc;
    f->on = true;
    rc = read_asset(m, map, "name", &f->asset, err);
    if (rc == 0) rc = rt_node_fixed(map, "balance", true, 0, CASH_MAX, 0, &f->balance, err);
    if (rc == 0) rc = rt_node_fixed(map, "price", false, 1, CASH_MAX, 0, &f->price, err);
    if (rc == 0) rc = rt_node_text(map, "instrument", false, 31, NULL, &name, err);
    if (rc == 0) rc = read_discount(map, f, err);
    if (rc < 0) return rc;
    if (f->asset == a->quote)
        return rt_node_fail(rt_node_get(map, "name"), err,
                            "is the account's quote, expected another asset");
    if (name == NULL && f->price == 0)
        return rt_node_fail(map, err, "has no price, expected price: or instrument:");
    const struct mk_instrument *in = name == NULL ? NULL : mk_instrument_find(m, name);
    if (name != NULL && (in == NULL || in->base_asset != f->asset || in->quote_asset != a->quote)) {
        return rt_node_fail(rt_node_get(map, "instrument"), err,
                            "is no price of it, expected an instrument of %s in %s",
                            m->assets[f->asset], m->assets[a->quote]);
    }
    f->instrument = in == NULL ? 0 : in->id;
    return rt_node_no_more(map, burn_keys, err);
}

/* read_fees reads fees: of the account n. */
static int read_fees(struct mk_market *m, struct rt_node *n, struct mk_account *a,
                     struct rt_error *err) {
    struct rt_node *map, *one;
    int rc = rt_node_map(n, "fees", false, &map, err);
    if (rc < 0 || map == NULL) return rc;
    rc = read_burn(m, map, a, err);
    for (uint32_t kind = 0; rc == 0 && kind < MK_KINDS; kind++) {
        rc = rt_node_map(map, mk_kind_words[kind], false, &one, err);
        if (rc == 0 && one != NULL) rc = read_tiers(one, a, kind, err);
    }
    return rc < 0 ? rc : rt_node_no_more(map, fee_keys, err);
}

/* read_stp reads stp: and stp_group: of the account n. */
static int read_stp(struct rt_node *n, struct mk_account *a, struct rt_error *err) {
    int stp = 0;
    int64_t group = 0;
    int rc = rt_node_choice(n, "stp", false, mk_stp_words, 0, &stp, err);
    if (rc == 0) rc = rt_node_int(n, "stp_group", false, 1, 1000000, 0, &group, err);
    if (rt_node_get(n, "stp") != NULL) a->stp = (uint8_t)(stp + 1);
    a->stp_group = (uint32_t)group;
    return rc;
}

/* read_accounts reads accounts: of root. */
static int read_accounts(struct mk_market *m, struct rt_node *root, struct rt_error *err) {
    struct rt_node *map, **list;
    int rc = rt_node_map(root, "accounts", true, &map, err);
    if (rc < 0) return rc;
    if ((rc = sorted_children(map, ACCOUNT_MAX, &list, err)) < 0) return rc;
    m->accounts = calloc(map->child_cnt, sizeof *m->accounts);
    m->leverages = calloc((size_t)map->child_cnt * m->instrument_cnt, sizeof *m->leverages);
    if (!m->accounts || !m->leverages) rc = rt_error_set(err, -ENOMEM, "out of memory");
    for (uint32_t i = 0; rc == 0 && i < map->child_cnt; i++) {
        struct mk_account *a = &m->accounts[i];
        a->id = (uint8_t)(i + 1);
        m->account_cnt = i + 1;
        rc = key_name(list[i], a->name, sizeof a->name, err);
        if (rc == 0) rc = read_asset(m, list[i], "quote", &a->quote, err);
        if (rc == 0) rc = rt_node_fixed(list[i], "cash", true, 0, CASH_MAX, 0, &a->cash, err);
        int margin = MK_MARGIN_NONE;
        if (rc == 0) rc = rt_node_choice(list[i], "margin", false, margin_words, 0, &margin, err);
        a->margin = (enum mk_margin)margin;
        int mode = 0;
        if (rc == 0)
            rc = rt_node_choice(list[i], "position_mode", false, mode_words, 0, &mode, err);
        a->hedge = mode == 1;
        if (rc == 0) rc = read_stp(list[i], a, err);
        if (rc == 0) rc = read_leverage(m, list[i], a, err);
        if (rc == 0) rc = read_fees(m, list[i], a, err);
        if (rc == 0) rc = rt_node_no_more(list[i], account_keys, err);
    }
    free(list);
    return rc;
}

/* zone_of_market makes out the zone of the markets: that of each instrument's session, Shanghai's
 * for what trades round the clock (crypto); UTC where they are not all of one. */
static void zone_of_market(const struct mk_market *m, struct mk_zone *out) {
    (void)mk_zone_named("UTC", out);
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        const struct mk_session *s = m->sessions == NULL ? NULL : m->sessions[i];
        struct mk_zone one;
        (void)mk_zone_named("Asia/Shanghai", &one);
        if (s != NULL && (s->offset_ns != 0 || s->dst != MK_DST_NONE))
            mk_zone_like(s->offset_ns, s->dst, &one);
        if (i > 0 && strcmp(one.name, out->name) != 0) {
            (void)mk_zone_named("UTC", out);
            return;
        }
        *out = one;
    }
}

/* read_zone reads display_zone: of root. */
static int read_zone(struct mk_market *m, struct rt_node *root, struct rt_error *err) {
    const char *name;
    int rc = rt_node_text(root, "display_zone", false, MK_ZONE_TEXT - 1, "UTC", &name, err);
    if (rc < 0) return rc;
    if (strcmp(name, "market") == 0) {
        zone_of_market(m, &m->zone);
    } else if (!mk_zone_named(name, &m->zone)) {
        return rt_node_fail(rt_node_get(root, "display_zone"), err,
                            "is not known, expected UTC, market, a zone such as Asia/Shanghai or "
                            "America/New_York, or a distance from UTC such as \"+08:00\"");
    }
    return 0;
}

/* read_rest reads deployment:, display_zone: and equity_interval: of root. */
static int read_rest(struct mk_market *m, struct rt_node *root, struct rt_error *err) {
    int64_t deployment;
    int rc = rt_node_int(root, "deployment", false, 0, DEPLOYMENT_MAX, 0, &deployment, err);
    if (rc == 0) rc = read_zone(m, root, err);
    if (rc < 0) return rc;
    m->deployment = (uint32_t)deployment;
    struct rt_node *n = rt_node_get(root, "equity_interval");
    if (n && n->kind == RT_NODE_SCALAR && strcmp(n->text, "bar") == 0) {
        m->equity_interval_ns = 0;
        return 0;
    }
    return rt_node_duration(root, "equity_interval", false, SECOND_NS, 366 * 86400 * SECOND_NS,
                            3600 * SECOND_NS, &m->equity_interval_ns, err);
}

/* read_threshold reads one threshold, such as max_drawdown: "<= 0.2". */
static int read_threshold(struct rt_node *n, struct qs_threshold *out, struct rt_error *err) {
    char op[3] = "";
    int used = 0;
    out->figure = qs_figure_find(n->key);
    if (out->figure < 0)
        return rt_node_fail(
            n, err, "\"%s\" is no figure; summary.json lists them under definitions", n->key);
    if (n->kind != RT_NODE_SCALAR ||
        sscanf(n->text, "%2[<>=] %lf%n", op, &out->value, &used) != 2 || n->text[used] ||
        !(out->value - out->value == 0) || qs_op_find(op, &out->op) < 0)
        return rt_node_fail(n, err, "expected >=, <=, > or < and a number, such as \">= 0.3\"");
    n->used = true;
    return 0;
}

/* read_statistics reads statistics: of root. */
static int read_statistics(struct mk_market *m, struct rt_node *root, struct rt_error *err) {
    static const char *const keys[] = { "days_per_year", "risk_free", "required_return",
                                        "rolling_days",  "trials",    "trials_variance",
                                        "benchmark",     "select",    NULL };
    static const char *const days[] = { "auto", "365", "252", NULL };
    static const uint32_t days_of[] = { 0, 365, 252 };
    struct mk_statistics *s = &m->statistics;
    struct rt_node *map, *select;
    const char *name;
    int64_t rolling, trials;
    int which, rc = rt_node_map(root, "statistics", false, &map, err);
    if (rc < 0 || !map) return rc;
    if ((rc = rt_node_choice(map, "days_per_year", false, days, 0, &which, err)) < 0 ||
        (rc = rt_node_double(map, "risk_free", false, -0.5, 10, 0, &s->risk_free, err)) < 0 ||
        (rc = rt_node_double(map, "required_return", false, -0.5, 10, 0, &s->required_return,
                             err)) < 0 ||
        (rc = rt_node_int(map, "rolling_days", false, 2, 3660, 0, &rolling, err)) < 0 ||
        (rc = rt_node_int(map, "trials", false, 0, 1000000000, 0, &trials, err)) < 0 ||
        (rc = rt_node_double(map, "trials_variance", trials >= 2, 0, 1, 0, &s->trials_variance,
                             err)) < 0 ||
        (rc = rt_node_text(map, "benchmark", false, 31, "", &name, err)) < 0 ||
        (rc = rt_node_map(map, "select", false, &select, err)) < 0)
        return rc;
    s->days_a_year = days_of[which];
    s->rolling_days = (uint32_t)rolling;
    s->trials = (uint32_t)trials;
    if (*name) {
        const struct mk_instrument *i = mk_instrument_find(m, name);
        if (!i)
            return rt_node_fail(rt_node_get(map, "benchmark"), err, "no instrument is called %s",
                                name);
        s->benchmark = i->id;
    }
    for (struct rt_node *n = select ? select->child : NULL; n; n = n->next) {
        if (s->threshold_cnt == MK_THRESHOLDS_MAX)
            return rt_node_fail(n, err, "more than %d thresholds", MK_THRESHOLDS_MAX);
        if ((rc = read_threshold(n, &s->select[s->threshold_cnt++], err)) < 0) return rc;
    }
    return rt_node_no_more(map, keys, err);
}

int mk_market_load(struct rt_node *root, struct mk_market **out, struct rt_error *err) {
    struct mk_market *m = calloc(1, sizeof *m);
    int rc = -ENOMEM;
    if (m) m->assets = calloc(ASSET_MAX, sizeof *m->assets);
    if (!m || !m->assets) {
        rt_error_set(err, rc, "out of memory");
    } else {
        rc = read_instruments(m, root, err);
        if (rc == 0) rc = read_participation(m, root, err);
        if (rc == 0) rc = read_accounts(m, root, err);
        if (rc == 0) rc = read_rest(m, root, err);
        if (rc == 0) rc = read_statistics(m, root, err);
    }
    if (rc < 0) {
        mk_market_close(m);
        return rc;
    }
    *out = m;
    return 0;
}

void mk_market_close(struct mk_market *m) {
    if (!m) return;
    free(m->instruments);
    for (uint32_t i = 0; m->accounts && i < m->account_cnt; i++) {
        for (int k = 0; k < MK_KINDS; k++) free(m->accounts[i].tiers[k]);
    }
    free(m->accounts);
    free(m->assets);
    free(m->brackets);
    free(m->filters);
    free(m->charges);
    for (uint32_t i = 0; m->sessions && i < m->instrument_cnt; i++) free(m->sessions[i]);
    free(m->sessions);
    free(m->leverages);
    free(m);
}

const struct mk_instrument *mk_instrument_find(const struct mk_market *m, const char *name) {
    uint32_t low = 0, high = m->instrument_cnt; /* names rise with ids */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = strcmp(m->instruments[mid].name, name);
        if (order == 0) return &m->instruments[mid];
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

const struct mk_instrument *mk_instrument_get(const struct mk_market *m, uint16_t id) {
    return id >= 1 && id <= m->instrument_cnt ? &m->instruments[id - 1] : NULL;
}

const struct mk_account *mk_account_find(const struct mk_market *m, const char *name) {
    for (uint32_t i = 0; i < m->account_cnt; i++) {
        if (strcmp(m->accounts[i].name, name) == 0) return &m->accounts[i];
    }
    return NULL;
}

uint16_t mk_leverage(const struct mk_market *m, uint8_t account, uint16_t instrument) {
    return m->leverages[(size_t)(account - 1) * m->instrument_cnt + instrument - 1];
}

bool mk_fee(int64_t amount, int64_t rate, int64_t *out) {
    return fixed_mul(amount, rate, FIXED_UP, out);
}

bool mk_fee_less(int64_t amount, int64_t rate, int64_t discount, int64_t *out) {
    return fixed_div128((__int128)amount * rate * (FIXED_ONE - discount),
                        (int64_t)FIXED_ONE * FIXED_ONE, FIXED_UP, out);
}

bool mk_fee_burnt(int64_t amount, int64_t rate, int64_t discount, price_t price, int64_t *out) {
    /* Rounding up twice in a row is rounding up once. */
    __int128 exact = (__int128)amount * rate * (FIXED_ONE - discount);
    return fixed_div128((exact + FIXED_ONE - 1) / FIXED_ONE, price, FIXED_UP, out);
}

/* digits writes v as cnt base-32 digits, most significant first, and returns the end. */
static char *digits(char *out, uint64_t v, int cnt) {
    for (int i = cnt - 1; i >= 0; i--, v >>= 5) out[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUV"[v & 31];
    return out + cnt;
}

void mk_client_id_format(uint32_t deployment, uint32_t epoch, uint64_t order_id,
                         char out[MK_CLIENT_ID_CHARS + 1]) {
    char *p = out;
    *p++ = 'S';
    p = digits(p, deployment, 4);
    p = digits(p, mk_order_owner(order_id), 3);
    p = digits(p, epoch, 4);
    p = digits(p, order_id >> 10 & 0x7fffffffffULL, 8);
    p = digits(p, order_id & 0x3ffU, 2);
    *p = 0;
}

/* undigits reads cnt base-32 digits into *out; false when one is none. */
static bool undigits(const char *text, int cnt, uint64_t *out) {
    uint64_t v = 0;
    for (int i = 0; i < cnt; i++) {
        char c = text[i];
        uint64_t d;
        if (c >= '0' && c <= '9') {
            d = (uint64_t)(c - '0');
        } else if (c >= 'A' && c <= 'V') {
            d = (uint64_t)(c - 'A') + 10;
        } else {
            return false;
        }
        v = v << 5 | d;
    }
    *out = v;
    return true;
}

int mk_client_id_parse(const char *text, uint32_t *deployment, uint32_t *epoch,
                       uint64_t *order_id) {
    uint64_t dep, owner, ep, seq, child;
    if (strnlen(text, MK_CLIENT_ID_CHARS + 1) != MK_CLIENT_ID_CHARS || text[0] != 'S') {
        return -EINVAL;
    }
    if (!undigits(text + 1, 4, &dep) || !undigits(text + 5, 3, &owner) ||
        !undigits(text + 8, 4, &ep) || !undigits(text + 12, 8, &seq) ||
        !undigits(text + 20, 2, &child)) {
        return -EINVAL;
    }
    if (seq > 0x7fffffffffULL)
        return -EINVAL; /* eight digits hold one bit more than the sequence */
    *deployment = (uint32_t)dep;
    *epoch = (uint32_t)ep;
    *order_id = mk_order_id((uint16_t)owner, seq, (uint16_t)child);
    return 0;
}
