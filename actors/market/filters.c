#include "actors/market/filters.h"
#include <errno.h>
#include <string.h>

enum { COUNT_MAX = 1000000, MINUTES_MAX = 60 }; /* largest max_* and iceberg_parts; minutes */
static const int64_t BOUND_MAX =
    INT64_C(90000000000) * FIXED_ONE;                      /* prices, quantities, notional */
static const int64_t RATE_MAX = INT64_C(1000) * FIXED_ONE; /* percent_price */

/* read_bounds reads {min, max} under key, which may have no other keys where known is given. Bounds
 * need not lie on a step: real ones do not always. */
static int read_bounds(struct rt_node *map, const char *key, const char *const *known, int64_t *min,
                       int64_t *max, struct rt_node **out, struct rt_error *err) {
    struct rt_node *n;
    int rc = rt_node_map(map, key, false, &n, err);
    *out = n;
    if (rc < 0 || n == NULL) return rc;
    rc = rt_node_fixed(n, "min", false, 0, BOUND_MAX, 0, min, err);
    if (rc == 0) rc = rt_node_fixed(n, "max", false, 0, BOUND_MAX, 0, max, err);
    if (rc < 0) return rc;
    if (*max > 0 && *min > *max) return rt_node_fail(n, err, "has its min above its max");
    return known == NULL ? 0 : rt_node_no_more(n, known, err);
}

/* read_minutes reads minutes: of map. */
static int read_minutes(struct rt_node *map, uint32_t *to, struct rt_error *err) {
    int64_t minutes;
    int rc = rt_node_int(map, "minutes", false, 0, MINUTES_MAX, 0, &minutes, err);
    if (rc == 0) *to = (uint32_t)minutes;
    return rc;
}

/* read_percent reads percent_price: {buy_up, buy_down, sell_up, sell_down, minutes}. */
static int read_percent(struct rt_node *map, struct mk_filters *f, struct rt_error *err) {
    static const char *const keys[] = { "buy_up",    "buy_down", "sell_up",
                                        "sell_down", "minutes",  NULL };
    struct rt_node *n;
    int rc = rt_node_map(map, "percent_price", false, &n, err);
    if (rc < 0 || n == NULL) return rc;
    for (int i = 0; rc == 0 && i < 4; i++) {
        int64_t *to = i % 2 == 0 ? &f->up[i / 2] : &f->down[i / 2];
        int64_t low = i % 2 == 0 ? FIXED_ONE : 0, high = i % 2 == 0 ? RATE_MAX : FIXED_ONE;
        if (rt_node_get(n, keys[i]) != NULL)
            rc = rt_node_fixed(n, keys[i], true, low, high, 0, to, err);
    }
    if (rc == 0) rc = read_minutes(n, &f->percent_minutes, err);
    return rc < 0 ? rc : rt_node_no_more(n, keys, err);
}

/* read_notional reads notional: {max, min_to_market, max_to_market, minutes}. */
static int read_notional(struct rt_node *map, struct mk_filters *f, struct rt_error *err) {
    static const char *const keys[] = { "max", "min_to_market", "max_to_market", "minutes", NULL };
    struct rt_node *n;
    bool min_to_market = true;
    int rc = rt_node_map(map, "notional", false, &n, err);
    if (rc < 0 || n == NULL) return rc;
    rc = rt_node_fixed(n, "max", false, 0, BOUND_MAX, 0, &f->notional_max, err);
    if (rc == 0) rc = rt_node_bool(n, "min_to_market", true, &min_to_market, err);
    if (rc == 0) rc = rt_node_bool(n, "max_to_market", false, &f->max_to_market, err);
    f->min_spares_market = !min_to_market;
    if (rc == 0) rc = read_minutes(n, &f->notional_minutes, err);
    return rc < 0 ? rc : rt_node_no_more(n, keys, err);
}

/* read_trail reads {min, max} of trails under key. */
static int read_trail(struct rt_node *map, const char *key, uint32_t *min, uint32_t *max,
                      struct rt_error *err) {
    static const char *const keys[] = { "min", "max", NULL };
    struct rt_node *n;
    int64_t low, high;
    int rc = rt_node_map(map, key, false, &n, err);
    if (rc < 0 || n == NULL) return rc;
    rc = rt_node_int(n, "min", false, 1, MK_TRAIL_MAX, 1, &low, err);
    if (rc == 0) rc = rt_node_int(n, "max", false, 1, MK_TRAIL_MAX, MK_TRAIL_MAX, &high, err);
    if (rc < 0) return rc;
    if (low > high) return rt_node_fail(n, err, "has its min above its max");
    *min = (uint32_t)low;
    *max = (uint32_t)high;
    return rt_node_no_more(n, keys, err);
}

/* read_trailing reads trailing: {above, below}. */
static int read_trailing(struct rt_node *map, struct mk_filters *f, struct rt_error *err) {
    static const char *const keys[] = { "above", "below", NULL };
    struct rt_node *n;
    int rc = rt_node_map(map, "trailing", false, &n, err);
    if (rc < 0 || n == NULL) return rc;
    rc = read_trail(n, "above", &f->above_min, &f->above_max, err);
    if (rc == 0) rc = read_trail(n, "below", &f->below_min, &f->below_max, err);
    return rc < 0 ? rc : rt_node_no_more(n, keys, err);
}

/* read_count reads a whole number under key, where it is there. */
static int read_count(struct rt_node *map, const char *key, uint32_t *to, struct rt_error *err) {
    int64_t cnt;
    if (rt_node_get(map, key) == NULL) return 0;
    int rc = rt_node_int(map, key, true, 1, COUNT_MAX, 0, &cnt, err);
    if (rc == 0) *to = (uint32_t)cnt;
    return rc;
}

int mk_filters_counts(struct rt_node *map, struct mk_filters *f, struct rt_error *err) {
    int rc = read_count(map, "max_orders", &f->orders_max, err);
    if (rc == 0) rc = read_count(map, "max_algo_orders", &f->waiting_max, err);
    if (rc == 0) rc = read_count(map, "max_iceberg_orders", &f->icebergs_max, err);
    return rc < 0 ? rc : read_count(map, "max_order_lists", &f->lists_max, err);
}

/* read_stp reads stp: the list of kinds that are allowed. */
static int read_stp(struct rt_node *map, struct mk_filters *f, struct rt_error *err) {
    struct rt_node *list;
    int rc = rt_node_list(map, "stp", false, &list, err);
    if (rc < 0 || list == NULL) return rc;
    for (struct rt_node *n = list->child; n != NULL; n = n->next) {
        uint32_t i = 0;
        n->used = true;
        while (mk_stp_words[i] != NULL &&
               (n->kind != RT_NODE_SCALAR || strcmp(mk_stp_words[i], n->text) != 0)) {
            i++;
        }
        if (mk_stp_words[i] == NULL) {
            return rt_node_fail(n, err,
                                "expected none, expire_taker, expire_maker, expire_both, "
                                "decrement or transfer");
        }
        f->stp |= 1U << (i + 1);
    }
    return f->stp == 0 ? rt_node_fail(list, err, "is empty: no order could be placed") : 0;
}

int mk_filters_read(struct rt_node *map, int64_t lot, struct mk_filters *out,
                    struct rt_error *err) {
    static const char *const keys[] = { "price",
                                        "percent_price",
                                        "lot",
                                        "market_lot",
                                        "notional",
                                        "iceberg_parts",
                                        "trailing",
                                        "max_orders",
                                        "max_algo_orders",
                                        "max_position",
                                        "max_iceberg_orders",
                                        "max_order_lists",
                                        "max_amends",
                                        "stp",
                                        NULL };
    static const char *const bounds[] = { "min", "max", NULL };
    static const char *const steps[] = { "min", "max", "step", NULL };
    struct mk_filters *f = out;
    struct rt_node *n;
    *f = (struct mk_filters){ 0 };
    int rc = read_bounds(map, "price", bounds, &f->price_min, &f->price_max, &n, err);
    if (rc == 0) rc = read_bounds(map, "lot", bounds, &f->lot_min, &f->lot_max, &n, err);
    if (rc == 0) {
        rc = read_bounds(map, "market_lot", NULL, &f->market_min, &f->market_max, &n, err);
    }
    if (rc == 0 && n != NULL) {
        rc = rt_node_fixed(n, "step", false, 0, BOUND_MAX, 0, &f->market_step, err);
        if (rc == 0 && f->market_step % lot != 0)
            return rt_node_fail(rt_node_get(n, "step"), err, "is no multiple of the lot_size");
        if (rc == 0) rc = rt_node_no_more(n, steps, err);
    }
    if (rc == 0) rc = read_percent(map, f, err);
    if (rc == 0) rc = read_notional(map, f, err);
    if (rc == 0) rc = read_trailing(map, f, err);
    if (rc == 0) rc = mk_filters_counts(map, f, err);
    if (rc == 0) rc = read_count(map, "iceberg_parts", &f->iceberg_parts, err);
    if (rc == 0) rc = read_count(map, "max_amends", &f->amends_max, err);
    if (rc == 0) rc = read_stp(map, f, err);
    if (rc == 0)
        rc = rt_node_fixed(map, "max_position", false, 0, BOUND_MAX, 0, &f->position_max, err);
    return rc < 0 ? rc : rt_node_no_more(map, keys, err);
}

/* price_refuses holds a price (0 = none) against its bounds. */
static uint16_t price_refuses(const struct mk_filters *f, price_t price) {
    if (price == 0) return REASON_NONE;
    if (price < f->price_min) return REASON_VENUE_PRICE_LOW;
    return f->price_max > 0 && price > f->price_max ? REASON_VENUE_PRICE_HIGH : REASON_NONE;
}

/* lot_refuses holds a quantity (0 = none) against its bounds. */
static uint16_t lot_refuses(const struct mk_filters *f, qty_t quantity) {
    if (quantity == 0) return REASON_NONE;
    if (quantity < f->lot_min) return REASON_VENUE_LOT_LOW;
    return f->lot_max > 0 && quantity > f->lot_max ? REASON_VENUE_LOT_HIGH : REASON_NONE;
}

/* percent_refuses holds a limit price against the reference. */
static uint16_t percent_refuses(const struct mk_filters *f, const struct mk_asked *o,
                                price_t reference) {
    int64_t up = f->up[o->side], down = f->down[o->side];
    if (reference <= 0 || !mk_order_limited(o->type)) return REASON_NONE;
    __int128 price = (__int128)o->price * FIXED_ONE;
    if (up > 0 && price > (__int128)reference * up) return REASON_VENUE_PERCENT_PRICE;
    return price < (__int128)reference * down ? REASON_VENUE_PERCENT_PRICE : REASON_NONE;
}

/* trail_refuses holds the trail of a trailing stop against its bounds. */
static uint16_t trail_refuses(const struct mk_filters *f, const struct mk_asked *o) {
    uint32_t bips = o->more != NULL ? o->more->trail_bips : 0;
    uint32_t min = o->side == SIDE_BUY ? f->above_min : f->below_min;
    uint32_t max = o->side == SIDE_BUY ? f->above_max : f->below_max;
    if (o->type != ORDER_TYPE_TRAILING_STOP) return REASON_NONE;
    return bips < min || (max > 0 && bips > max) ? REASON_VENUE_TRAILING_DELTA : REASON_NONE;
}

uint16_t mk_filters_terms(const struct mk_filters *f, const struct mk_asked *o, price_t percent,
                          price_t market_price) {
    bool market = o->type == ORDER_TYPE_MARKET;
    qty_t shown = o->more != NULL ? o->more->display : 0;
    uint16_t reason = price_refuses(f, o->price);
    if (reason == REASON_NONE && o->more != NULL) reason = price_refuses(f, o->more->stop_price);
    if (reason == REASON_NONE && o->more != NULL) reason = price_refuses(f, o->more->activation);
    if (reason == REASON_NONE) reason = percent_refuses(f, o, percent);
    if (reason == REASON_NONE) reason = lot_refuses(f, o->quantity);
    if (reason == REASON_NONE) reason = lot_refuses(f, shown);
    if (reason != REASON_NONE) return reason;
    if (market) {
        bool off = f->market_step > 0 && o->quantity % f->market_step != 0;
        bool above = f->market_max > 0 && o->quantity > f->market_max;
        if (o->quantity < f->market_min || above || off) return REASON_VENUE_MARKET_LOT;
    }
    price_t price = mk_order_priced(o->type) ? o->price : market_price;
    if (f->notional_max > 0 && price > 0 && (!market || f->max_to_market)) {
        __int128 notional =
            f->of == NULL ? (__int128)price * o->quantity : mk_quoted(f->of, price, o->quantity);
        if (notional > (__int128)f->notional_max * FIXED_ONE) return REASON_VENUE_MAX_NOTIONAL;
    }
    if (f->iceberg_parts > 0 && shown > 0) {
        int64_t parts = o->quantity / shown + (o->quantity % shown != 0);
        if (parts > f->iceberg_parts) return REASON_VENUE_ICEBERG_PARTS;
    }
    return trail_refuses(f, o);
}

uint16_t mk_filters_room(const struct mk_filters *f, const struct mk_asked *o,
                         const struct mk_open *open, qty_t held, qty_t bid) {
    bool lists = o->more != NULL && (o->more->parent != 0 || o->more->oco != 0);
    bool shows = o->more != NULL && o->more->display > 0;
    if (f->orders_max > 0 && open->orders >= f->orders_max) return REASON_VENUE_MAX_ORDERS;
    if (f->waiting_max > 0 && mk_order_waits(o->type) && open->waiting >= f->waiting_max) {
        return REASON_VENUE_MAX_ALGO_ORDERS;
    }
    if (f->icebergs_max > 0 && shows && open->icebergs >= f->icebergs_max) {
        return REASON_VENUE_MAX_ICEBERG_ORDERS;
    }
    if (f->lists_max > 0 && lists && open->lists >= f->lists_max) {
        return REASON_VENUE_MAX_ORDER_LISTS;
    }
    if (f->position_max > 0 && o->side == SIDE_BUY) {
        __int128 all = (__int128)held + bid + o->quantity;
        if (all > f->position_max) return REASON_VENUE_MAX_POSITION;
    }
    return REASON_NONE;
}
