#include "actors/market/queues.h"
#include <assert.h>
#include <string.h>

_Static_assert(MK_QUEUES_NONE == RT_MAP_NONE, "what the maps say of no key");
_Static_assert((int)MK_QUEUES_MAX <= (int)RT_MAP_KEYS_MAX, "fits the maps");

/* align64 rounds bytes up to a multiple of 64. */
static size_t align64(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

size_t mk_queues_bytes(uint32_t max) {
    if (max < MK_QUEUES_MIN || max > MK_QUEUES_MAX) return 0;
    return align64(max * sizeof(struct mk_queued)) + align64(max * sizeof(struct mk_queue_level)) +
           2 * align64(rt_map_bytes(max));
}

void mk_queues_init(struct mk_queues *q, void *memory, uint32_t max) {
    assert(mk_queues_bytes(max) > 0);
    *q = (struct mk_queues){ .oldest = MK_QUEUES_NONE, .newest = MK_QUEUES_NONE, .max = max };
    uint8_t *at = memory;
    q->orders = (struct mk_queued *)(void *)at;
    at += align64(max * sizeof(struct mk_queued));
    q->levels = (struct mk_queue_level *)(void *)at;
    at += align64(max * sizeof(struct mk_queue_level));
    rt_map_init(&q->by_id, at, max);
    rt_map_init(&q->by_level, at + align64(rt_map_bytes(max)), max);
    for (uint32_t i = 0; i < max; i++) {
        q->orders[i].next = i + 1 < max ? i + 1 : MK_QUEUES_NONE;
        q->levels[i].first = i + 1 < max ? i + 1 : MK_QUEUES_NONE;
    }
}

/* level_key names a level in the map; prices are above 0 and below 2^63. */
static inline uint64_t level_key(uint8_t side, price_t price) {
    return (uint64_t)price << 1 | side;
}

uint32_t mk_queues_level(const struct mk_queues *q, uint8_t side, price_t price) {
    return rt_map_get(&q->by_level, level_key(side, price));
}

/* change notes that the level of an order has so much more or less. */
static void change(struct mk_queue_step *out, const struct mk_queued *o, qty_t quantity) {
    out->change[out->change_cnt++] =
        (struct mk_queue_change){ .price = o->price, .change = quantity, .side = o->side };
}

/* age_link enters the order in slot idx among all, by its place: nearly always the last. */
static void age_link(struct mk_queues *q, uint32_t idx) {
    struct mk_queued *o = &q->orders[idx];
    uint32_t before = q->newest;
    while (before != MK_QUEUES_NONE && q->orders[before].place > o->place) {
        before = q->orders[before].older;
    }
    o->older = before;
    o->newer = before == MK_QUEUES_NONE ? q->oldest : q->orders[before].newer;
    *(o->older == MK_QUEUES_NONE ? &q->oldest : &q->orders[o->older].newer) = idx;
    *(o->newer == MK_QUEUES_NONE ? &q->newest : &q->orders[o->newer].older) = idx;
}

/* level_link enters the order in slot idx at its level, by its place. */
static void level_link(struct mk_queues *q, uint32_t idx) {
    struct mk_queued *o = &q->orders[idx];
    uint32_t at = mk_queues_level(q, o->side, o->price);
    if (at == MK_QUEUES_NONE) {
        at = q->level_free; /* there are as many slots as orders */
        q->level_free = q->levels[at].first;
        q->levels[at] = (struct mk_queue_level){
            .price = o->price, .first = MK_QUEUES_NONE, .last = MK_QUEUES_NONE, .side = o->side
        };
        int rc = rt_map_put(&q->by_level, level_key(o->side, o->price), at);
        assert(rc == 0);
    }
    struct mk_queue_level *l = &q->levels[at];
    uint32_t before = l->last;
    while (before != MK_QUEUES_NONE && q->orders[before].place > o->place) {
        before = q->orders[before].prev;
    }
    o->level = at;
    o->prev = before;
    o->next = before == MK_QUEUES_NONE ? l->first : q->orders[before].next;
    *(o->prev == MK_QUEUES_NONE ? &l->first : &q->orders[o->prev].next) = idx;
    *(o->next == MK_QUEUES_NONE ? &l->last : &q->orders[o->next].prev) = idx;
    l->taken += o->taken;
}

/* unlink_both takes the order in slot idx from its level and from among all. */
static void unlink_both(struct mk_queues *q, uint32_t idx) {
    const struct mk_queued *o = &q->orders[idx];
    *(o->older == MK_QUEUES_NONE ? &q->oldest : &q->orders[o->older].newer) = o->newer;
    *(o->newer == MK_QUEUES_NONE ? &q->newest : &q->orders[o->newer].older) = o->older;
    struct mk_queue_level *l = &q->levels[o->level];
    *(o->prev == MK_QUEUES_NONE ? &l->first : &q->orders[o->prev].next) = o->next;
    *(o->next == MK_QUEUES_NONE ? &l->last : &q->orders[o->next].prev) = o->prev;
    l->taken -= o->taken;
    if (l->first != MK_QUEUES_NONE) return;
    bool was = rt_map_remove(&q->by_level, level_key(o->side, o->price));
    assert(was);
    l->first = q->level_free;
    q->level_free = o->level;
}

/* enter enters an order; false when there is no room. */
static bool enter(struct mk_queues *q, const struct mk_queued *order) {
    if (q->cnt == q->max) return false;
    uint32_t idx = q->free;
    int rc = rt_map_put(&q->by_id, order->id, idx);
    assert(rc == 0);
    q->free = q->orders[idx].next;
    q->orders[idx] = *order;
    q->cnt++;
    age_link(q, idx);
    level_link(q, idx);
    return true;
}

/* drop takes the order in slot idx out. */
static void drop(struct mk_queues *q, uint32_t idx) {
    unlink_both(q, idx);
    bool was = rt_map_remove(&q->by_id, q->orders[idx].id);
    assert(was);
    q->orders[idx] = (struct mk_queued){ .next = q->free };
    q->free = idx;
    q->cnt--;
}

/* cut takes quantity off the order in slot idx, which keeps its place. */
static void cut(struct mk_queues *q, uint32_t idx, qty_t quantity, struct mk_queue_step *out) {
    struct mk_queued *o = &q->orders[idx];
    const qty_t left = quantity < o->quantity ? o->quantity - quantity : 0;
    const qty_t taken = o->taken < left ? o->taken : left;
    change(out, o, left - o->quantity);
    q->levels[o->level].taken -= o->taken - taken;
    o->taken = taken;
    o->quantity = left;
    if (left == 0) drop(q, idx);
}

void mk_queues_apply(struct mk_queues *q, const struct msg_book_order *row,
                     struct mk_queue_step *out) {
    const uint64_t place = ++q->place;
    *out = (struct mk_queue_step){ 0 };
    const uint32_t idx = mk_queues_find(q, row->order_id);
    if (idx != MK_QUEUES_NONE) out->was = q->orders[idx];
    bool joins = row->action == BOOK_ACTION_ADD || row->action == BOOK_ACTION_MOVE;
    if (joins &&
        (row->order_id == 0 || row->price <= 0 || row->quantity <= 0 || row->side > SIDE_SELL)) {
        return;
    }
    if (idx == MK_QUEUES_NONE && !joins) return;
    if (joins) {
        struct mk_queued o = { .id = row->order_id,
                               .place = place,
                               .price = row->price,
                               .quantity = row->quantity,
                               .taken =
                                   out->was.taken < row->quantity ? out->was.taken : row->quantity,
                               .side = row->side };
        if (idx != MK_QUEUES_NONE) {
            change(out, &out->was, -out->was.quantity);
            drop(q, idx);
        }
        out->full = !enter(q, &o);
        if (!out->full) change(out, &o, o.quantity);
        return;
    }
    switch (row->action) {
    case BOOK_ACTION_REDUCE:
    case BOOK_ACTION_EXECUTE:
        if (row->quantity > 0) cut(q, idx, row->quantity, out);
        break;
    case BOOK_ACTION_REMOVE: cut(q, idx, out->was.quantity, out); break;
    default: break;
    }
}

bool mk_queues_put(struct mk_queues *q, const struct mk_queued *order) {
    if (order->id == 0 || order->price <= 0 || order->quantity <= 0 || order->side > SIDE_SELL ||
        order->taken < 0 || order->taken > order->quantity ||
        mk_queues_find(q, order->id) != MK_QUEUES_NONE) {
        return false;
    }
    return enter(q, order);
}

void mk_queues_move(struct mk_queues *to, const struct mk_queues *from) {
    assert(to->cnt == 0 && to->max >= from->max);
    to->place = from->place;
    for (uint32_t i = from->oldest; i != MK_QUEUES_NONE; i = from->orders[i].newer) {
        bool fits = enter(to, &from->orders[i]);
        assert(fits);
    }
}

void mk_queues_take(struct mk_queues *q, uint8_t side, price_t price, qty_t quantity) {
    uint32_t at = mk_queues_level(q, side, price);
    assert(at != MK_QUEUES_NONE);
    q->levels[at].taken += quantity;
    for (uint32_t i = q->levels[at].first; quantity > 0; i = q->orders[i].next) {
        assert(i != MK_QUEUES_NONE);
        struct mk_queued *o = &q->orders[i];
        qty_t part = o->quantity - o->taken < quantity ? o->quantity - o->taken : quantity;
        o->taken += part;
        quantity -= part;
    }
}

qty_t mk_queues_before(const struct mk_queues *q, uint8_t side, price_t price, uint64_t place) {
    uint32_t at = mk_queues_level(q, side, price);
    qty_t sum = 0;
    if (at == MK_QUEUES_NONE) return 0;
    for (uint32_t i = q->levels[at].first; i != MK_QUEUES_NONE; i = q->orders[i].next) {
        const struct mk_queued *o = &q->orders[i];
        if (o->place > place) break;
        if (__builtin_add_overflow(sum, o->quantity - o->taken, &sum)) return INT64_MAX;
    }
    return sum;
}
