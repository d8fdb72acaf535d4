#include "actors/venue/rules.h"
#include "actors/venue/average.h"
#include "actors/venue/venue.h"

enum { RATE_MAX = 1000000 /* largest count of an order_rate */ };
static const int64_t DAY_NS = INT64_C(86400000000000);

/* read_rates reads order_rate: of the limits map n. */
static int read_rates(struct rt_node *n, struct venue_limits *out, struct rt_error *err) {
    static const char *const keys[] = { "count", "per", NULL };
    struct rt_node *list;
    int rc = rt_node_list(n, "order_rate", false, &list, err);
    if (rc < 0 || list == NULL) return rc;
    for (struct rt_node *k = list->child; k != NULL; k = k->next) {
        int64_t cnt;
        k->used = true;
        if (k->kind != RT_NODE_MAP)
            return rt_node_fail(k, err, "is no map, expected {count: ..., per: ...}");
        if (out->rate_cnt == VENUE_RATES_MAX)
            return rt_node_fail(k, err, "more than %d limits", VENUE_RATES_MAX);
        struct venue_rate *rate = &out->rates[out->rate_cnt++];
        rc = rt_node_int(k, "count", true, 1, RATE_MAX, 0, &cnt, err);
        if (rc == 0) {
            rc = rt_node_duration(k, "per", true, INT64_C(1000000000), 7 * DAY_NS, 0, &rate->per_ns,
                                  err);
        }
        if (rc == 0) rc = rt_node_no_more(k, keys, err);
        if (rc < 0) return rc;
        rate->cnt = (uint32_t)cnt;
    }
    return 0;
}

/* read_assets reads max_asset: of the limits map n, a map of assets. */
static int read_assets(struct rt_init *init, struct rt_node *n, const struct mk_market *m,
                       struct venue_limits *out, struct rt_error *err) {
    struct rt_node *map;
    int rc = rt_node_map(n, "max_asset", false, &map, err);
    if (rc < 0 || map == NULL) return rc;
    out->assets = rt_init_take(init, (m->asset_cnt + 1) * sizeof *out->assets);
    for (uint32_t i = 0; rc == 0 && i < m->asset_cnt; i++) {
        if (rt_node_get(map, m->assets[i]) == NULL) continue;
        rc = rt_node_fixed(map, m->assets[i], true, 1, INT64_MAX, 0, &out->assets[i], err);
    }
    return rc < 0 ? rc : rt_node_no_more(map, NULL, err);
}

int venue_limits_read(struct rt_init *init, const struct mk_market *m, struct venue_limits *out,
                      struct rt_error *err) {
    static const char *const keys[] = {
        "order_rate", "max_orders", "max_algo_orders", "max_iceberg_orders", "max_order_lists",
        "max_asset",  NULL
    };
    struct rt_node *n;
    *out = (struct venue_limits){ 0 };
    int rc = rt_node_map(init->config, "limits", false, &n, err);
    if (rc < 0 || n == NULL) return rc;
    rc = read_rates(n, out, err);
    if (rc == 0) rc = mk_filters_counts(n, &out->all, err);
    if (rc == 0) rc = read_assets(init, n, m, out, err);
    if (rc == 0) rc = rt_node_no_more(n, keys, err);
    if (rc < 0) return rc;
    out->counted = out->all.orders_max > 0 || out->all.waiting_max > 0 ||
                   out->all.icebergs_max > 0 || out->all.lists_max > 0;
    if (out->rate_cnt > 0) {
        size_t cnt = (size_t)m->account_cnt * VENUE_RATES_MAX;
        out->windows = rt_init_take(init, cnt * sizeof *out->windows);
    }
    return 0;
}

price_t venue_rules_reference(struct rt_ctx *ctx, const struct venue_book *b, uint32_t minutes) {
    if (b->instrument->kind != MK_SPOT && b->mark > 0) return b->mark;
    if (b->average != NULL && minutes > 0) {
        price_t price = venue_average_price(b->average, ctx->now_ns, minutes);
        if (price > 0) return price;
    }
    return venue_last_price(ctx, b);
}

/* more_of returns the further terms of the order idx, NULL when it has none. */
static const struct mk_more *more_of(const struct venue *v, uint32_t idx) {
    return v->orders.pool[idx].flags & VENUE_MORE ? &v->orders.more[idx].terms : NULL;
}

/* root_of names the list of an order: its parent, else the first of its group; 0 = of none. */
static uint64_t root_of(const struct mk_more *m) {
    if (m == NULL) return 0;
    return m->parent != 0 ? m->parent : m->oco;
}

/* is_first tells whether no open order of b before idx in its list is of the same list. */
static bool is_first(const struct venue *v, const struct venue_book *b, uint32_t idx,
                     uint64_t root) {
    for (uint32_t i = b->head; i != idx; i = v->orders.pool[i].next) {
        if (root_of(more_of(v, i)) == root) return false;
    }
    return true;
}

/* open_add counts what account has open in b; root: the list of the order in question. *bid grows
 * by its open buys. */
static void open_add(const struct venue *v, const struct venue_book *b, uint8_t account,
                     uint64_t root, struct mk_open *open, qty_t *bid) {
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        const struct mk_more *m = more_of(v, i);
        uint64_t of = root_of(m);
        if (o->account != account) continue;
        open->orders++;
        open->waiting += mk_order_waits(o->type);
        open->icebergs += m != NULL && m->display > 0;
        open->lists += of != 0 && of != root && is_first(v, b, i, of);
        if (o->side == SIDE_BUY && __builtin_add_overflow(*bid, o->quantity, bid)) *bid = INT64_MAX;
    }
}

/* rates_refuse tells whether account has had all the orders of a window. */
static bool rates_refuse(const struct rt_ctx *ctx, const struct venue *v, uint8_t account) {
    const struct venue_limits *l = &v->limits;
    for (uint32_t i = 0; i < l->rate_cnt; i++) {
        const struct venue_window *w = &l->windows[(account - 1U) * VENUE_RATES_MAX + i];
        bool same = w->cnt > 0 && ctx->now_ns - w->from_ns < l->rates[i].per_ns;
        if (same && w->cnt >= l->rates[i].cnt) return true;
    }
    return false;
}

/* moves_much tells whether o moves more of an asset than one order may. */
static bool moves_much(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                       const struct mk_asked *o) {
    const struct mk_instrument *in = b->instrument;
    const int64_t base = v->limits.assets[in->base_asset];
    const int64_t quote = v->limits.assets[in->quote_asset];
    const uint32_t minutes = in->filters == NULL ? 0 : in->filters->notional_minutes;
    if (base > 0 && in->kind != MK_INVERSE && o->quantity > base) return true;
    if (quote == 0) return false;
    const price_t price =
        mk_order_priced(o->type) ? o->price : venue_rules_reference(ctx, b, minutes);
    return mk_quoted(in, price, o->quantity) > (__int128)quote * FIXED_ONE;
}

uint16_t venue_rules_refuse(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                            uint32_t idx) {
    const struct mk_filters *f = b->instrument->filters;
    const struct venue_limits *l = &v->limits;
    const struct venue_order *order = &v->orders.pool[idx];
    const struct mk_asked o = { .price = order->price,
                                .quantity = order->quantity,
                                .side = order->side,
                                .type = order->type,
                                .more = more_of(v, idx) };
    uint64_t root = root_of(o.more);
    struct mk_open open = { 0 };
    qty_t bid = 0;
    if (rates_refuse(ctx, v, order->account)) return REASON_VENUE_ORDER_COUNT;
    if (f != NULL) {
        uint8_t stp = o.more == NULL ? MK_STP_DEFAULT : o.more->stp;
        if (stp == MK_STP_DEFAULT) stp = v->market->accounts[order->account - 1].stp;
        bool told = f->stp != 0 && stp != MK_STP_DEFAULT; /* the instrument's own is allowed */
        if (told && !(f->stp >> stp & 1U)) return REASON_VENUE_STP_MODE;
        uint16_t reason = mk_filters_terms(f, &o, venue_rules_reference(ctx, b, f->percent_minutes),
                                           venue_rules_reference(ctx, b, f->notional_minutes));
        if (reason != REASON_NONE) return reason;
        size_t row = (size_t)(order->account - 1) * v->market->instrument_cnt;
        qty_t held = v->holdings[row + b->instrument->id - 1].quantity;
        open_add(v, b, order->account, root, &open, &bid);
        reason = mk_filters_room(f, &o, &open, held, bid);
        if (reason != REASON_NONE) return reason;
    }
    if (l->assets != NULL && moves_much(ctx, v, b, &o)) return REASON_VENUE_MAX_ASSET;
    if (!l->counted) return REASON_NONE;
    open = (struct mk_open){ 0 };
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        open_add(v, &v->books[i], order->account, root, &open, &bid);
    }
    switch (mk_filters_room(&l->all, &o, &open, 0, 0)) {
    case REASON_NONE: return REASON_NONE;
    case REASON_VENUE_MAX_ALGO_ORDERS: return REASON_VENUE_ALL_ALGO_ORDERS;
    case REASON_VENUE_MAX_ICEBERG_ORDERS: return REASON_VENUE_ALL_ICEBERG_ORDERS;
    case REASON_VENUE_MAX_ORDER_LISTS: return REASON_VENUE_ALL_ORDER_LISTS;
    default: return REASON_VENUE_ALL_ORDERS;
    }
}

uint16_t venue_rules_trigger(const struct venue_book *b, const struct venue_order *order,
                             const struct mk_more *more, price_t at) {
    const struct mk_filters *f = b->instrument->filters;
    if (f == NULL) return REASON_NONE;
    const bool limited = mk_order_limited(order->type);
    struct mk_asked o = { .price = limited ? order->price : 0,
                          .quantity = order->quantity,
                          .side = order->side,
                          .type = limited ? ORDER_TYPE_LIMIT : ORDER_TYPE_MARKET,
                          .more = more };
    /* with a cap what is left of one may be small */
    if (b->share > 0 && o.quantity < f->market_min) o.quantity = f->market_min;
    price_t percent = b->instrument->kind != MK_SPOT ? b->mark : 0, market = percent;
    if (percent == 0 && b->average != NULL) {
        percent = venue_average_newest(b->average, f->percent_minutes);
        market = venue_average_newest(b->average, f->notional_minutes);
    }
    return mk_filters_terms(f, &o, percent > 0 ? percent : at, market > 0 ? market : at);
}

void venue_rules_took(const struct rt_ctx *ctx, struct venue *v, uint8_t account) {
    const struct venue_limits *l = &v->limits;
    for (uint32_t i = 0; i < l->rate_cnt; i++) {
        struct venue_window *w = &l->windows[(account - 1U) * VENUE_RATES_MAX + i];
        int64_t from_ns = ctx->now_ns - ctx->now_ns % l->rates[i].per_ns;
        if (w->cnt > 0 && w->from_ns == from_ns) {
            w->cnt++;
        } else {
            *w = (struct venue_window){ .from_ns = from_ns, .cnt = 1 };
        }
    }
}

void venue_rules_save(const struct venue *v, struct rt_row_sink *sink) {
    uint32_t cnt = v->limits.rate_cnt == 0 ? 0 : v->market->account_cnt * VENUE_RATES_MAX;
    for (uint32_t i = 0; i < cnt; i++) {
        const struct venue_window *w = &v->limits.windows[i];
        if (w->cnt == 0) continue;
        struct msg_counter_row row = { .value = w->from_ns, .id = VENUE_COUNTER_RULES + i * 2 };
        sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
        row = (struct msg_counter_row){ .value = w->cnt, .id = row.id + 1 };
        sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
    }
}

bool venue_rules_load(struct venue *v, uint64_t id, int64_t value) {
    uint64_t at = (id - VENUE_COUNTER_RULES) / 2;
    uint64_t cnt = v->limits.rate_cnt == 0 ? 0 : v->market->account_cnt * VENUE_RATES_MAX;
    if (at >= cnt || value < 0) return false;
    if (id % 2 == 0) {
        v->limits.windows[at].from_ns = value;
    } else {
        v->limits.windows[at].cnt = value;
    }
    return true;
}
