#include "actors/market/bars.h"
#include "actors/market/made.h"
#include "actors/market/value.h"
#include "actors/strategy/cost.h"
#include "actors/strategy/host.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Books of strategies. */
enum {
    BOOK_WINDOW = 1 << 14, /* ticks kept at hand */
    BOOK_LEVELS = 1 << 14, /* levels kept outside them */
};

static const int64_t SECOND_NS = INT64_C(1000000000);                 /* ns in a second */
static const int64_t QUANTITY_MAX = INT64_C(10000000000) * FIXED_ONE; /* largest declared size */

/* to_fixed turns a figure of a class's table into units of 1e-8. */
static int64_t to_fixed(double v) {
    return (int64_t)(v * FIXED_ONE + (v < 0 ? -0.5 : 0.5));
}

/* to_value turns a figure of a class's table into a value of p. */
static union st_value to_value(const struct st_param *p, double v) {
    union st_value out = { .i = 0 };
    switch (p->type) {
    case ST_DOUBLE: out.d = v; break;
    case ST_FIXED: out.i = to_fixed(v); break;
    case ST_DURATION: out.i = (int64_t)(v * 1e9 + 0.5); break;
    case ST_INT:
    case ST_BOOL: out.i = (int64_t)v; break;
    }
    return out;
}

void st_param_range(const struct st_param *p, union st_value *min, union st_value *max) {
    *min = to_value(p, p->type == ST_BOOL ? 0 : p->min);
    *max = to_value(p, p->type == ST_BOOL ? 1 : p->max);
}

/* read_param reads one parameter of map (NULL: the default) into out. */
static int read_param(struct rt_node *map, const struct st_param *p, union st_value *out,
                      struct rt_error *err) {
    union st_value min, max, def = to_value(p, p->def);
    st_param_range(p, &min, &max);
    bool truth;
    int rc = 0;
    switch (p->type) {
    case ST_INT: return rt_node_int(map, p->name, false, min.i, max.i, def.i, &out->i, err);
    case ST_FIXED: return rt_node_fixed(map, p->name, false, min.i, max.i, def.i, &out->i, err);
    case ST_DOUBLE: return rt_node_double(map, p->name, false, min.d, max.d, def.d, &out->d, err);
    case ST_DURATION:
        return rt_node_duration(map, p->name, false, min.i, max.i, def.i, &out->i, err);
    case ST_BOOL:
        rc = rt_node_bool(map, p->name, def.i != 0, &truth, err);
        if (rc == 0) out->i = truth;
    }
    return rc;
}

/* read_params reads params: by the class's table. */
static int read_params(struct st_host *h, struct rt_node *config, struct rt_error *err) {
    const char *known[ST_PARAMS_MAX + 1] = { NULL };
    struct rt_node *map;
    int rc = rt_node_map(config, "params", false, &map, err);
    if (rc < 0) return rc;
    for (const struct st_param *p = h->cls->params; p && p->name; p++) {
        assert(h->param_cnt < ST_PARAMS_MAX);
        known[h->param_cnt] = p->name;
        rc = read_param(map, p, &h->params[h->param_cnt++], err);
        if (rc < 0) return rc;
    }
    if (map && (rc = rt_node_no_more(map, known, err)) < 0) return rc;
    const char *wrong = h->cls->check ? h->cls->check(h->params) : NULL;
    if (wrong) return rt_node_fail(map ? map : config, err, "%s", wrong);
    return 0;
}

const struct st_class *const *st_classes_more;

/* read_class reads class: and finds it in the table. */
static int read_class(const struct st_class **cls, struct rt_node *config, struct rt_error *err) {
    const char *name;
    int rc = rt_node_text(config, "class", true, 64, NULL, &name, err);
    if (rc < 0) return rc;
    char all[256] = "";
    size_t at = 0;
    for (const struct st_class *const *c = st_classes_more; c && *c; c++) {
        if (strcmp((*c)->name, name) == 0) {
            *cls = *c;
            return 0;
        }
    }
    for (const struct st_class *const *c = st_classes; *c; c++) {
        if (strcmp((*c)->name, name) == 0) {
            *cls = *c;
            return 0;
        }
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", at ? ", " : "", (*c)->name);
        if (at >= sizeof all) at = sizeof all - 1;
    }
    return rt_node_fail(rt_node_get(config, "class"), err,
                        "no strategy class \"%s\", expected one of: %s", name, all);
}

/* parse_value reads text as a value of p, in the words of a run file. */
static int parse_value(const struct st_param *p, const char *text, union st_value *out,
                       struct rt_error *err) {
    char yaml[128];
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ') return rt_error_set(err, -EINVAL, "%s: not one line", p->name);
    }
    int cnt = snprintf(yaml, sizeof yaml, "%s: %s\n", p->name, text);
    if (cnt < 0 || (size_t)cnt >= sizeof yaml) {
        return rt_error_set(err, -EINVAL, "%s: the value is too long", p->name);
    }
    struct rt_config *c;
    int rc = rt_config_parse("set", yaml, (size_t)cnt, &c, err);
    if (rc < 0) return rc;
    rc = read_param(rt_config_root(c), p, out, err);
    rt_config_close(c);
    return rc;
}

int st_param_load(struct rt_node *config, const char *name, const char *text, uint16_t *param,
                  int64_t *value, struct rt_error *err) {
    const struct st_class *cls = NULL;
    union st_value v = { .i = 0 };
    if (!rt_node_get(config, "class")) {
        return rt_error_set(err, -EINVAL, "%s: this actor has no parameters to set", name);
    }
    int rc = read_class(&cls, config, err);
    if (rc < 0) return rc;
    for (uint16_t i = 0; cls->params && cls->params[i].name; i++) {
        if (strcmp(cls->params[i].name, name) != 0) continue;
        rc = parse_value(&cls->params[i], text, &v, err);
        if (rc < 0) return rc;
        *param = i;
        *value = v.i; /* of a double, its bits */
        return 0;
    }
    return rt_error_set(err, -EINVAL, "%s: no parameter of %s", name, cls->name);
}

/* read_bars reads bars:, a name of what a feed makes; NULL when there is none. */
static int read_bars(struct rt_init *init, struct st_host *h, struct rt_node *config,
                     const char **name, struct rt_error *err) {
    int rc = rt_node_text(config, "bars", false, 31, NULL, name, err);
    if (rc < 0 || !*name) return rc;
    struct rt_node *n = rt_node_get(config, "bars");
    if (rt_node_get(config, "interval")) {
        return rt_node_fail(n, err, "stands beside interval, expected one of them");
    }
    h->bars = mk_bars_number(init, *name);
    if (h->bars == 0) return rt_node_fail(n, err, "no feed makes bars named \"%s\"", *name);
    if (h->cls->on_bar) return 0;
    return rt_node_fail(n, err, "%s hears no bars, expected interval: trades", h->cls->name);
}

/* read_interval reads interval:, a duration or `trades`, or bars: in place of it. */
static int read_interval(struct rt_init *init, struct st_host *h, struct rt_node *config,
                         struct rt_error *err) {
    const char *name = NULL;
    int made = read_bars(init, h, config, &name, err);
    if (made < 0 || name) return made;
    struct rt_node *n = rt_node_get(config, "interval");
    if (n && n->kind == RT_NODE_SCALAR && strcmp(n->text, "trades") == 0) {
        h->interval_ns = 0;
        if (h->cls->on_trade) return 0;
        return rt_node_fail(n, err, "%s hears no trades, expected a duration such as 1m",
                            h->cls->name);
    }
    int rc = rt_node_duration(config, "interval", true, SECOND_NS, 31 * 86400 * SECOND_NS, 0,
                              &h->interval_ns, err);
    if (rc < 0) return rc;
    if (h->cls->on_bar) return 0;
    return rt_node_fail(n, err, "%s hears no bars, expected trades", h->cls->name);
}

/* read_account reads account:; where there is one account only, it may be left out. */
static int read_account(struct st_host *h, struct rt_node *config, struct rt_error *err) {
    const char *name = NULL;
    const char *def = h->market->account_cnt == 1 ? h->market->accounts[0].name : NULL;
    int rc = rt_node_text(config, "account", def == NULL, 31, def, &name, err);
    if (rc < 0) return rc;
    const struct mk_account *a = mk_account_find(h->market, name);
    if (!a) {
        return rt_node_fail(rt_node_get(config, "account"), err,
                            "no account \"%s\", expected one of accounts:", name);
    }
    h->account = a->id;
    h->cash = a->cash;
    return 0;
}

/* made_by tells whether the feed with this configuration makes what h hears of in: bars of its
 * interval, or trades. What makes no sense there the feed refuses by itself. */
static bool made_by(const struct st_host *h, const struct mk_instrument *in, struct rt_node *feed) {
    struct rt_node *list = rt_node_get(feed, h->interval_ns == 0 ? "trades" : "bars");
    for (struct rt_node *n = list ? list->child : NULL; n != NULL; n = n->next) {
        struct rt_error none;
        struct rt_node *name = n->kind == RT_NODE_MAP ? rt_node_get(n, "instrument") : n;
        int64_t to_ns = 0;
        if (!name || name->kind != RT_NODE_SCALAR || strcmp(name->text, in->name) != 0) continue;
        if (h->interval_ns != 0 &&
            (n->kind != RT_NODE_MAP || rt_node_get(n, "name") ||
             rt_node_duration(n, "to", true, 1, INT64_MAX, 0, &to_ns, &none) != 0)) {
            continue;
        }
        if (to_ns == h->interval_ns) return true;
    }
    return false;
}

/* is_made tells whether any feed makes what h hears of in, or the venue says its trades. */
static bool is_made(struct rt_init *init, const struct st_host *h, const struct mk_instrument *in) {
    struct rt_node *feed = NULL;
    if (h->interval_ns == 0 && mk_made(init, in)) return true;
    for (int n = 0; rt_init_actor_kind(init, "feed", n, &feed) >= 0; n++) {
        if (feed && made_by(h, in, feed)) return true;
    }
    return false;
}

/* hear_named finds the named bars of in: their type and length, the same for every leg. */
static int hear_named(struct rt_init *init, struct st_host *h, const struct mk_instrument *in,
                      struct rt_node *config, struct rt_error *err) {
    struct rt_node *at = rt_node_get(config, "bars");
    struct rt_node *made = mk_bars_find(init, at->text, in->name);
    struct rt_error none; /* what makes no sense there the feed refuses by itself */
    int64_t length_ns = 0;
    int type = 0;
    if (!made) return rt_node_fail(at, err, "no feed makes these bars of %s", in->name);
    (void)rt_node_choice(made, "type", false, mk_bars_types, 0, &type, &none);
    const char *key = type == MK_BARS_RENKO ? "from" : "to"; /* of trades: 0 */
    (void)rt_node_duration(made, key, true, 1, INT64_MAX, 0, &length_ns, &none);
    const bool untraded = type != MK_BARS_TIME;
    if (h->leg_cnt > 0 && (h->untraded != untraded || h->interval_ns != length_ns)) {
        return rt_node_fail(at, err, "those of %s and %s differ in type or length",
                            h->legs[0].in->name, in->name);
    }
    h->untraded = untraded;
    h->interval_ns = length_ns;
    return 0;
}

/* read_leg reads one entry of instruments: into leg. */
static int read_leg(struct rt_init *init, struct st_host *h, struct rt_node *n,
                    struct rt_node *config, struct rt_error *err) {
    if (n->kind != RT_NODE_SCALAR) return rt_node_fail(n, err, "is no text, expected a name");
    const struct mk_instrument *in = mk_instrument_find(h->market, n->text);
    n->used = true;
    if (!in) {
        return rt_node_fail(n, err, "no instrument \"%s\", expected one of instruments:", n->text);
    }
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        if (h->legs[i].in == in) return rt_node_fail(n, err, "%s stands here twice", n->text);
    }
    const struct mk_account *a = &h->market->accounts[h->account - 1];
    if (mk_settle(in) != a->quote) {
        return rt_node_fail(n, err, "%s settles in %s, expected %s like account %s", in->name,
                            h->market->assets[mk_settle(in)], h->market->assets[a->quote], a->name);
    }
    uint16_t kind = h->interval_ns == 0 ? MSG_TRADE : MSG_BAR;
    int series = h->bars ? -1 : rt_init_series(init, kind, in->id, h->interval_ns);
    bool by_hand =
        rt_node_get(config, "hears") != NULL; /* who wires it himself knows whom it hears */
    if (h->bars) {
        int rc = hear_named(init, h, in, config, err);
        if (rc < 0) return rc;
    } else if (series < 0 && !by_hand && !is_made(init, h, in)) {
        struct rt_node *at = rt_node_get(config, "interval");
        return rt_node_fail(at, err,
                            "no source has this of %s and no feed makes it, expected one of the "
                            "two",
                            in->name);
    }
    if (series >= 0) h->leg_of_rows[series] = (uint8_t)h->leg_cnt;
    h->leg_of[in->id] = (uint8_t)h->leg_cnt;
    struct st_leg *l = &h->legs[h->leg_cnt++];
    *l = (struct st_leg){ .in = in,
                          .direct = series >= 0,
                          .series = (uint16_t)(series >= 0 ? series : 0),
                          .book_series = -1,
                          .quote_series = -1,
                          .stale_series = -1 };
    if (in->stale_ns != 0) {
        l->stale_series = rt_init_series(init, MSG_BOOK_DELTA, in->id, 0);
        if (l->stale_series < 0) l->stale_series = rt_init_series(init, MSG_TRADE, in->id, 0);
        h->watches |= l->stale_series >= 0;
    }
    if (h->cls->on_quote) l->quote_series = rt_init_series(init, MSG_QUOTE, in->id, 0);
    if (!h->cls->on_book) return 0;
    l->book_series = rt_init_series(init, MSG_BOOK_DELTA, in->id, 0);
    if (l->book_series < 0 && !by_hand && !mk_made_book(init, in)) {
        return rt_node_fail(n, err,
                            "no source has the book of %s, which %s needs, nor does agents: of the "
                            "venue say it (book: true)",
                            in->name, h->cls->name);
    }
    l->book = rt_init_take(init, sizeof *l->book);
    void *memory = rt_init_take(init, mk_book_bytes(BOOK_WINDOW, BOOK_LEVELS));
    mk_book_init(l->book, memory, BOOK_WINDOW, BOOK_LEVELS, in->tick_size);
    return 0;
}

/* read_legs reads instruments:. */
static int read_legs(struct rt_init *init, struct st_host *h, struct rt_node *config,
                     struct rt_error *err) {
    struct rt_node *list;
    int rc = rt_node_list(config, "instruments", true, &list, err);
    if (rc < 0) return rc;
    uint32_t min = h->cls->leg_min, max = h->cls->leg_max;
    assert(min >= 1 && max >= min && max <= ST_LEGS_MAX);
    if (list->child_cnt < min || list->child_cnt > max) {
        if (min == max) {
            return rt_node_fail(list, err, "has %u entries, %s takes %u", list->child_cnt,
                                h->cls->name, min);
        }
        return rt_node_fail(list, err, "has %u entries, %s takes %u to %u", list->child_cnt,
                            h->cls->name, min, max);
    }
    h->legs = rt_init_take(init, list->child_cnt * sizeof *h->legs);
    h->leg_of = rt_init_take(init, h->market->instrument_cnt + 1U);
    memset(h->leg_of, ST_LEGS_MAX, h->market->instrument_cnt + 1U);
    for (struct rt_node *n = list->child; n; n = n->next) {
        rc = read_leg(init, h, n, config, err);
        if (rc < 0) return rc;
    }
    return 0;
}

/* read_sizing reads sizing:, a map of one entry. */
static int read_sizing(struct st_host *h, struct rt_node *config, struct rt_error *err) {
    static const char *const words[] = { "fixed", "notional", "fraction", NULL };
    struct rt_node *map, *found = NULL;
    int rc = rt_node_map(config, "sizing", true, &map, err);
    if (rc < 0) return rc;
    for (int i = 0; words[i]; i++) {
        struct rt_node *n = rt_node_get(map, words[i]);
        if (!n) continue;
        if (found)
            return rt_node_fail(n, err, "stands beside %s, expected one of them", found->key);
        found = n;
        h->sizing = (enum st_sizing)i;
    }
    rc = rt_node_no_more(map, words, err);
    if (rc < 0) return rc;
    if (!found) return rt_node_fail(map, err, "is empty, expected fixed, notional or fraction");
    int64_t max = h->sizing == ST_SIZE_FRACTION ? 20 * (int64_t)FIXED_ONE : QUANTITY_MAX;
    return rt_node_fixed(map, found->key, true, 1, max, 0, &h->size, err);
}

/* read_guard reads data_guard: limits of actors/data/guard.h, for all legs. */
static int read_guard(struct rt_init *init, struct st_host *h, struct rt_node *config,
                      struct rt_error *err) {
    static const char *const words[] = { "window", "missing",  "misaligned", "repeated",
                                         "jumps",  "jump_bps", "calm",       NULL };
    struct data_guard_options o;
    struct rt_node *map;
    int rc = rt_node_map(config, "data_guard", false, &map, err);
    if (rc < 0 || !map) return rc;
    if (h->interval_ns == 0 || h->bars) {
        return rt_node_fail(map, err, "needs bars of the clock, expected an interval such as 1m");
    }
    data_guard_default(&o, h->interval_ns);
    uint32_t *const figures[] = { &o.window,       &o.missing_max, &o.misaligned_max,
                                  &o.repeated_max, &o.jump_max,    &o.jump_bps,
                                  &o.calm };
    for (int i = 0; words[i]; i++) {
        const bool wide = figures[i] == &o.jump_bps || figures[i] == &o.calm;
        const int64_t min = wide ? 1 : figures[i] == &o.window ? 2 : 0;
        int64_t v = 0;
        rc = rt_node_int(map, words[i], false, min, wide ? 1000000 : DATA_GUARD_WINDOW_MAX,
                         *figures[i], &v, err);
        if (rc < 0) return rc;
        *figures[i] = (uint32_t)v;
    }
    rc = rt_node_no_more(map, words, err);
    if (rc < 0) return rc;
    h->guards = rt_init_take(init, h->leg_cnt * sizeof *h->guards);
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        if (data_guard_init(&h->guards[i], &o) < 0) {
            return rt_node_fail(map, err, "a limit is not below window, which is %u", o.window);
        }
    }
    return 0;
}

/* read_rest reads what is left of the map. */
static int read_rest(struct st_host *h, struct rt_node *config, const char **model,
                     int64_t *orders_max, struct rt_error *err) {
    static const char *const stops[] = { "cancel", "leave", NULL };
    int stop;
    int rc = rt_node_bool(config, "enabled", true, &h->enabled, err);
    if (rc < 0) return rc;
    rc = rt_node_fixed(config, "max_position", false, 1, QUANTITY_MAX, 0, &h->position_max, err);
    if (rc < 0) return rc;
    rc = rt_node_text(config, "model_version", false, 64, NULL, model, err);
    if (rc < 0) return rc;
    rc = rt_node_int(config, "orders_max", false, 2, ST_ORDERS_MAX, 64, orders_max, err);
    if (rc < 0) return rc;
    rc = rt_node_choice(config, "on_stop", false, stops, 0, &stop, err);
    h->cancel_on_stop = stop == 0;
    return rc;
}

/* same_account tells whether the strategy whose map is n trades on h's account. */
static bool same_account(const struct st_host *h, struct rt_node *n) {
    struct rt_node *account = rt_node_get(n, "account");
    if (!account) return h->market->account_cnt == 1;
    const char *name = h->market->accounts[h->account - 1].name;
    return account->kind == RT_NODE_SCALAR && strcmp(account->text, name) == 0;
}

/* series_of finds an instrument's finest series: bars before trades. Bit 16 marks trades. */
static int32_t series_of(struct rt_init *init, uint16_t instrument) {
    int series = rt_init_series(init, MSG_BAR, instrument, 0);
    if (series >= 0) return series;
    series = rt_init_series(init, MSG_TRADE, instrument, 0);
    return series >= 0 ? series | 1 << 16 : -1;
}

/* know_account finds what may be held on the account, by whom, and where its closes are: sizes the
 * table of positions. */
static void know_account(struct rt_init *init, struct st_host *h) {
    h->finest = rt_init_take(init, (h->market->instrument_cnt + 1) * sizeof *h->finest);
    for (uint32_t i = 0; i <= h->market->instrument_cnt; i++) h->finest[i] = -1;
    struct rt_node *other;
    h->held_max = h->leg_cnt;
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        h->finest[h->legs[i].in->id] = series_of(init, h->legs[i].in->id);
    }
    for (int n = 0;; n++) {
        int id = rt_init_actor_kind(init, "strategy", n, &other);
        if (id < 0) break;
        if (id == init->self || !other || !same_account(h, other)) continue;
        struct rt_node *list = rt_node_get(other, "instruments");
        if (!list || list->kind != RT_NODE_LIST) continue; /* its own init tells */
        for (struct rt_node *c = list->child; c; c = c->next) {
            const struct mk_instrument *in =
                c->kind == RT_NODE_SCALAR ? mk_instrument_find(h->market, c->text) : NULL;
            if (!in) continue;
            for (uint16_t i = 0; i < h->leg_cnt; i++) {
                if (h->legs[i].in == in) h->legs[i].shared = true;
            }
            h->finest[in->id] = series_of(init, in->id);
            h->held_max++;
        }
    }
    h->held_max *= 2; /* and what the account holds of an instrument, netted */
    bool hedge = h->market->accounts[h->account - 1].hedge;
    if (hedge) h->held_max *= 2; /* a long and a short */
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        h->legs[i].hedge = hedge && h->legs[i].in->kind != MK_SPOT;
    }
    h->held = rt_init_take(init, h->held_max * sizeof *h->held);
}

int st_host_init(struct rt_init *init, void *state, struct rt_error *err) {
    struct st_host *h = state;
    struct rt_node *config = init->config;
    const char *model = NULL;
    int64_t orders_max = 0;
    h->market = init->world;
    h->self = init->self;
    h->warm_ns = rt_init_warm(init);
    int rc = read_class(&h->cls, config, err);
    if (rc == 0) rc = read_interval(init, h, config, err);
    if (rc == 0) rc = read_account(h, config, err);
    if (rc == 0) rc = read_legs(init, h, config, err);
    if (rc == 0) rc = st_longer_read(init, h, config, err);
    if (rc == 0) h->special = h->cls->on_book || h->cls->on_quote || h->longer_cnt > 0;
    if (rc == 0) rc = read_guard(init, h, config, err);
    if (rc == 0) rc = read_params(h, config, err);
    if (rc == 0) rc = read_sizing(h, config, err);
    if (rc == 0 && h->sizing != ST_SIZE_FRACTION) { /* its size does not go by the equity */
        rt_init_deaf(init, MSG_POSITION);
        rt_init_deaf(init, MSG_ACCOUNT_STATE);
    }
    if (rc == 0) rc = read_rest(h, config, &model, &orders_max, err);
    if (rc < 0) return rc;
    h->orders_max = (uint32_t)orders_max;
    h->orders_cap = h->orders_max + 2U * h->leg_cnt;
    h->orders = rt_init_take(init, h->orders_cap * sizeof *h->orders);
    know_account(init, h);
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        struct st_packet *p = rt_init_take(init, sizeof *p);
        st_packet_init(p, h->legs[i].in, h->interval_ns, model);
        h->legs[i].packet = p;
        st_cost_init(&h->legs[i], &h->market->accounts[h->account - 1]);
    }
    h->state_bytes = h->cls->state_bytes;
    if (h->cls->state_bytes_for) h->state_bytes = h->cls->state_bytes_for(h->params);
    assert(h->state_bytes >= 1 && h->state_bytes <= ST_STATE_MAX);
    h->class_state = rt_init_take(init, h->state_bytes);
    h->scratch = rt_init_take(init, h->state_bytes);
    return 0;
}
