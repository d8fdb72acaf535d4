/* match_stops.c - what waits for a price or a time: heaps, triggers, trailing orders. */
#include "actors/venue/match_state.h"

/* key_before tells whether a is to be on top of b. */
static bool key_before(const struct vm_key *a, const struct vm_key *b) {
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

/* heap_put writes an entry at its place and tells the order where it is. */
static void heap_put(struct vm *e, uint32_t heap, uint32_t at, struct vm_key k) {
    struct vm_more *m = &e->more[k.id & e->slot_mask];
    e->heaps[heap].at[at] = k;
    if (heap == VM_HEAP_TIME)
        m->time_at = at;
    else
        m->heap_at = at;
}

/* heap_settle moves entry k, which is to be at index at or beyond, to its place. */
static void heap_settle(struct vm *e, uint32_t heap, uint32_t at, struct vm_key k) {
    struct vm_heap *h = &e->heaps[heap];
    while (at > 0 && key_before(&k, &h->at[(at - 1) / 2])) {
        heap_put(e, heap, at, h->at[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= h->cnt) break;
        if (child + 1 < h->cnt && key_before(&h->at[child + 1], &h->at[child])) child++;
        if (!key_before(&h->at[child], &k)) break;
        heap_put(e, heap, at, h->at[child]);
        at = child;
    }
    heap_put(e, heap, at, k);
}

void vm_heap_push(struct vm *e, uint32_t heap, int64_t key, uint32_t slot) {
    struct vm_heap *h = &e->heaps[heap];
    if (heap != VM_HEAP_TIME) e->more[slot].heap = (uint8_t)heap;
    heap_settle(e, heap, h->cnt++, (struct vm_key){ .key = key, .id = e->orders[slot].id });
}

void vm_heap_drop(struct vm *e, uint32_t heap, uint32_t slot) {
    struct vm_heap *h = &e->heaps[heap];
    uint32_t at = heap == VM_HEAP_TIME ? e->more[slot].time_at : e->more[slot].heap_at;
    assert(at < h->cnt && h->at[at].id == e->orders[slot].id);
    struct vm_key last = h->at[--h->cnt];
    if (at < h->cnt) heap_settle(e, heap, at, last);
}

/* rises tells in which direction the price must move to reach stop: true = up. */
static bool rises(uint8_t side, uint8_t type) {
    return (type == VM_STOP || type == VM_STOP_LIMIT) == (side == VM_BUY);
}

bool vm_would_trigger(const struct vm *e, uint8_t side, uint8_t type, uint16_t flags,
                      int64_t stop) {
    int64_t price = flags & VM_MARK ? e->mark : e->last;
    if (price == 0 || stop == 0) return false;
    return rises(side, type) ? price >= stop : price <= stop;
}

/* wait enters an order into the heap of its stop. */
static void wait(struct vm *e, uint32_t slot, bool up, int64_t stop) {
    uint32_t heap = e->orders[slot].flags & VM_MARK ? VM_HEAP_MARK_UP : VM_HEAP_UP;
    vm_heap_push(e, up ? heap : heap + 1, up ? stop : -stop, slot);
}

/* widen makes sure that the next price that concerns a waiting order is seen. */
static void trail_seen(struct vm *e, const struct vm_order *o, int64_t extreme) {
    int64_t *at = &e->trail_at[!!(o->flags & VM_MARK)][o->side];
    if (o->side == VM_SELL ? extreme < *at : extreme > *at) *at = extreme;
}

/* trail_link makes an order one of those that follow. */
static void trail_link(struct vm *e, uint32_t slot) {
    struct vm_order *o = &e->orders[slot];
    uint32_t *head = &e->trail[!!(o->flags & VM_MARK)][o->side];
    e->more[slot].trail_next = *head;
    e->more[slot].trail_prev = VM_NONE;
    if (*head != VM_NONE) e->more[*head].trail_prev = slot;
    *head = slot;
    trail_seen(e, o, e->more[slot].extreme);
}

/* trail_unlink ends that. */
static void trail_unlink(struct vm *e, uint32_t slot) {
    const struct vm_order *o = &e->orders[slot];
    const struct vm_more *m = &e->more[slot];
    if (m->trail_prev == VM_NONE)
        e->trail[!!(o->flags & VM_MARK)][o->side] = m->trail_next;
    else
        e->more[m->trail_prev].trail_next = m->trail_next;
    if (m->trail_next != VM_NONE) e->more[m->trail_next].trail_prev = m->trail_prev;
}

/* trail_stop computes where a trailing order fires, from its extreme. */
static int64_t trail_stop(const struct vm_order *o, const struct vm_more *m) {
    if (o->side == VM_SELL) return m->extreme * (10000 - m->delta) / 10000;
    return (m->extreme * (10000 + m->delta) + 9999) / 10000;
}

/* activate lets a trailing order follow from price on. */
static void activate(struct vm *e, uint32_t slot, int64_t price) {
    struct vm_order *o = &e->orders[slot];
    struct vm_more *m = &e->more[slot];
    o->flags |= VM_ACTIVE;
    m->extreme = price;
    m->stop = trail_stop(o, m);
    trail_link(e, slot);
    wait(e, slot, o->side == VM_BUY, m->stop);
    vm_tell(e, o, VM_ACTIVATED, REASON_NONE, price, m->stop);
}

void vm_arm(struct vm *e, uint32_t slot) {
    struct vm_order *o = &e->orders[slot];
    const struct vm_more *m = &e->more[slot];
    int64_t price = o->flags & VM_MARK ? e->mark : e->last;
    o->state = VM_ARMED;
    if (!(o->flags & VM_TRAIL))
        wait(e, slot, rises(o->side, o->type), m->stop);
    else if (price != 0 &&
             (m->stop == 0 || vm_would_trigger(e, o->side, o->type, o->flags, m->stop)))
        activate(e, slot, price);
    else
        wait(e, slot, m->stop == 0 || rises(o->side, o->type), m->stop);
    vm_watch(e);
}

void vm_rearm(struct vm *e, uint32_t slot) {
    const struct vm_order *o = &e->orders[slot];
    const struct vm_more *m = &e->more[slot];
    if (o->flags & VM_ACTIVE) {
        trail_link(e, slot);
        wait(e, slot, o->side == VM_BUY, m->stop);
    } else {
        wait(e, slot, m->stop == 0 || rises(o->side, o->type), m->stop);
    }
    vm_watch(e);
}

void vm_disarm(struct vm *e, uint32_t slot) {
    vm_heap_drop(e, e->more[slot].heap, slot);
    if (e->orders[slot].flags & VM_ACTIVE) trail_unlink(e, slot);
}

/* meet takes the top order of a heap out: it starts to follow, or joins the work. */
static void meet(struct vm *e, uint32_t heap, int64_t price) {
    uint32_t slot = (uint32_t)(e->heaps[heap].at[0].id & e->slot_mask);
    struct vm_order *o = &e->orders[slot];
    vm_disarm(e, slot);
    if ((o->flags & (VM_TRAIL | VM_ACTIVE)) == VM_TRAIL) {
        activate(e, slot, price);
    } else {
        o->flags |= VM_FIRED;
        vm_work_push(e, slot);
    }
}

/* trail_move gives the orders that follow on a side their new extreme. */
static void trail_move(struct vm *e, uint32_t mark, uint32_t side, int64_t price) {
    e->trail_at[mark][side] = side == VM_SELL ? INT64_MAX : 0;
    for (uint32_t s = e->trail[mark][side]; s != VM_NONE; s = e->more[s].trail_next) {
        struct vm_order *o = &e->orders[s];
        struct vm_more *m = &e->more[s];
        if (side == VM_SELL ? price > m->extreme : price < m->extreme) {
            m->extreme = price;
            vm_heap_drop(e, m->heap, s);
            m->stop = trail_stop(o, m);
            wait(e, s, side == VM_BUY, m->stop);
        }
        trail_seen(e, o, m->extreme);
    }
}

void vm_moved(struct vm *e, uint32_t mark, int64_t price) {
    uint32_t up = mark ? VM_HEAP_MARK_UP : VM_HEAP_UP, down = up + 1;
    while (e->heaps[up].cnt && e->heaps[up].at[0].key <= price) meet(e, up, price);
    while (e->heaps[down].cnt && e->heaps[down].at[0].key <= -price) meet(e, down, price);
    if (price > e->trail_at[mark][VM_SELL]) trail_move(e, mark, VM_SELL, price);
    if (price < e->trail_at[mark][VM_BUY]) trail_move(e, mark, VM_BUY, price);
    vm_watch(e);
}

void vm_watch(struct vm *e) {
    const struct vm_heap *up = &e->heaps[VM_HEAP_UP], *down = &e->heaps[VM_HEAP_DOWN];
    int64_t hi = up->cnt ? up->at[0].key : INT64_MAX, lo = down->cnt ? -down->at[0].key : -1;
    if (e->trail_at[0][VM_SELL] < hi) hi = e->trail_at[0][VM_SELL] + 1;
    if (e->trail_at[0][VM_BUY] - 1 > lo) lo = e->trail_at[0][VM_BUY] - 1;
    e->watch_hi = hi;
    e->watch_lo = lo;
}
