#include "actors/venue/orders.h"
#include <assert.h>
#include <errno.h>

_Static_assert(RT_MAP_NONE == VENUE_NONE, "the map's answer is an index");

void venue_orders_init(struct venue_orders *o, struct venue_order *pool, struct venue_more *more,
                       void *map, uint32_t max) {
    assert(max >= 1 && max <= 1U << 20);
    *o = (struct venue_orders){ .pool = pool, .more = more, .max = max };
    rt_map_init(&o->by_id, map, max);
    uint32_t cnt = 2 * max;
    for (uint32_t i = 0; i < cnt; i++) pool[i].next = i + 1 < cnt ? i + 1 : VENUE_NONE;
}

/* gcd returns the greatest common divisor of a >= 0 and b > 0. */
static int64_t gcd(int64_t a, int64_t b) {
    while (a != 0) {
        int64_t rest = b % a;
        b = a;
        a = rest;
    }
    return b;
}

void venue_orders_book(struct venue_book *b, const struct mk_instrument *instrument,
                       enum venue_driver driver, uint16_t series) {
    const int64_t one = INT64_C(1000000000000); /* 10,000 bp, in 1e-8 bp */
    int64_t common = gcd(instrument->slippage_bps, one);
    *b = (struct venue_book){ .instrument = instrument,
                              .slip_num = instrument->slippage_bps / common,
                              .slip_den = one / common,
                              .bar_end_ns = INT64_MIN,
                              .lower_max = INT64_MIN,
                              .upper_min = INT64_MAX,
                              .head = VENUE_NONE,
                              .flight_head = VENUE_NONE,
                              .flight_tail = VENUE_NONE,
                              .delay = { .last_ns = INT64_MIN },
                              .series = series,
                              .mark_series = VENUE_NO_SERIES,
                              .funding_series = VENUE_NO_SERIES,
                              .driver = (uint8_t)driver };
}

uint32_t venue_orders_take(struct venue_orders *o) {
    uint32_t idx = o->free;
    if (idx != VENUE_NONE) o->free = o->pool[idx].next;
    return idx;
}

void venue_orders_give(struct venue_orders *o, uint32_t idx) {
    o->pool[idx].next = o->free;
    o->free = idx;
}

/* near draws the bounds of b to a calm order. */
static inline void near(struct venue_book *b, const struct venue_order *order) {
    if (venue_order_lower(order)) {
        if (order->price > b->lower_max) b->lower_max = order->price;
    } else {
        if (order->price < b->upper_min) b->upper_min = order->price;
    }
}

/* far notes that a calm order leaves: a bound that stood at it is too near from now on. */
static inline void far(struct venue_book *b, const struct venue_order *order) {
    if (order->price == (venue_order_lower(order) ? b->lower_max : b->upper_min)) b->stale = true;
}

int venue_orders_open(struct venue_orders *o, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &o->pool[idx];
    int rc = rt_map_put(&o->by_id, order->order_id, idx);
    if (rc != 0) return rc;
    order->prev = VENUE_NONE;
    order->next = b->head;
    if (b->head != VENUE_NONE) o->pool[b->head].prev = idx;
    b->head = idx;
    b->open_cnt++;
    if (order->flags & VENUE_LEAVES) b->leaves_cnt++;
    if (order->flags & VENUE_MORE) b->more_cnt++;
    if (order->flags & VENUE_EAGER) {
        b->eager_cnt++;
    } else {
        near(b, order);
    }
    return 0;
}

void venue_orders_close(struct venue_orders *o, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &o->pool[idx];
    bool was = rt_map_remove(&o->by_id, order->order_id);
    assert(was);
    if (order->prev == VENUE_NONE) {
        b->head = order->next;
    } else {
        o->pool[order->prev].next = order->next;
    }
    if (order->next != VENUE_NONE) o->pool[order->next].prev = order->prev;
    b->open_cnt--;
    if (order->flags & VENUE_LEAVES) b->leaves_cnt--;
    if (order->flags & VENUE_MORE) b->more_cnt--;
    if (order->flags & VENUE_EAGER) {
        b->eager_cnt--;
    } else {
        far(b, order);
    }
    o->cnt--;
    venue_orders_give(o, idx);
}

void venue_orders_calm(struct venue_book *b, struct venue_order *order) {
    assert(order->type == ORDER_TYPE_LIMIT || order->type == ORDER_TYPE_STOP);
    assert(order->flags & VENUE_EAGER);
    order->flags &= (uint8_t)~VENUE_EAGER;
    b->eager_cnt--;
    near(b, order);
}

void venue_orders_wake(struct venue_book *b, struct venue_order *order) {
    assert(!(order->flags & VENUE_EAGER));
    order->flags |= VENUE_EAGER;
    b->eager_cnt++;
    far(b, order);
}

void venue_orders_bounds(const struct venue_orders *o, struct venue_book *b) {
    if (!b->stale) return;
    b->stale = false;
    b->lower_max = INT64_MIN;
    b->upper_min = INT64_MAX;
    for (uint32_t i = b->head; i != VENUE_NONE; i = o->pool[i].next) {
        if (!(o->pool[i].flags & VENUE_EAGER)) near(b, &o->pool[i]);
    }
}

void venue_orders_send(struct venue_orders *o, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &o->pool[idx];
    uint32_t after = b->flight_tail; /* only rows of a snapshot come in another order */
    while (after != VENUE_NONE && o->pool[after].seq > order->seq) after = o->pool[after].prev;
    order->flags |= VENUE_FLIGHT;
    order->prev = after;
    order->next = after == VENUE_NONE ? b->flight_head : o->pool[after].next;
    if (order->prev == VENUE_NONE) {
        b->flight_head = idx;
    } else {
        o->pool[order->prev].next = idx;
    }
    if (order->next == VENUE_NONE) {
        b->flight_tail = idx;
    } else {
        o->pool[order->next].prev = idx;
    }
}

uint32_t venue_orders_land(struct venue_orders *o, struct venue_book *b) {
    uint32_t idx = b->flight_head;
    if (idx == VENUE_NONE) return idx;
    struct venue_order *order = &o->pool[idx];
    order->flags &= (uint8_t)~VENUE_FLIGHT;
    b->flight_head = order->next;
    if (b->flight_head == VENUE_NONE) {
        b->flight_tail = VENUE_NONE;
    } else {
        o->pool[b->flight_head].prev = VENUE_NONE;
    }
    return idx;
}
