/* match_book.c - levels: the ring around the touch, the sorted array outside it. */
#include "actors/venue/match_state.h"

/* far_at returns the index in far of the first level at or above price among those from..to. */
static uint32_t far_at(const struct vm *e, uint32_t from, uint32_t to, int64_t price) {
    while (from < to) {
        uint32_t mid = from + (to - from) / 2;
        if (e->far[mid].price < price)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* far_take returns an unused far level struct; there are as many as slots, so there is one. */
static uint32_t far_take(struct vm *e) {
    uint32_t at = e->far_free;
    if (at == VM_NONE) {
        assert(e->far_top < e->orders_max);
        at = e->far_top++;
    } else {
        e->far_free = e->far_levels[at].head;
    }
    e->far_levels[at] = (struct vm_level){ .head = VM_NONE, .tail = VM_NONE };
    return at;
}

/* far_give puts a far level struct back. */
static void far_give(struct vm *e, uint32_t at) {
    e->far_levels[at].head = e->far_free;
    e->far_free = at;
}

struct vm_level *vm_far_level(struct vm *e, int64_t price, bool make) {
    uint32_t hi = e->orders_max - e->far_hi, at;
    if (price < e->base) {
        at = far_at(e, 0, e->far_lo, price);
        if (at < e->far_lo && e->far[at].price == price) return &e->far_levels[e->far[at].level];
        if (!make) return NULL;
        memmove(&e->far[at + 1], &e->far[at], (e->far_lo - at) * sizeof e->far[0]);
        e->far_lo++;
    } else {
        at = far_at(e, hi, e->orders_max, price);
        if (at < e->orders_max && e->far[at].price == price)
            return &e->far_levels[e->far[at].level];
        if (!make) return NULL;
        memmove(&e->far[hi - 1], &e->far[hi], (at - hi) * sizeof e->far[0]);
        e->far_hi++;
        at--;
    }
    e->far[at] = (struct vm_far){ .price = price, .level = far_take(e) };
    return &e->far_levels[e->far[at].level];
}

void vm_far_drop(struct vm *e, int64_t price) {
    uint32_t hi = e->orders_max - e->far_hi, at;
    if (price < e->base) {
        at = far_at(e, 0, e->far_lo, price);
        assert(at < e->far_lo && e->far[at].price == price);
        far_give(e, e->far[at].level);
        memmove(&e->far[at], &e->far[at + 1], (e->far_lo - at - 1) * sizeof e->far[0]);
        e->far_lo--;
    } else {
        at = far_at(e, hi, e->orders_max, price);
        assert(at < e->orders_max && e->far[at].price == price);
        far_give(e, e->far[at].level);
        memmove(&e->far[hi + 1], &e->far[hi], (at - hi) * sizeof e->far[0]);
        e->far_hi--;
    }
}

/* ring_up returns the lowest price of a level in use from price (in the window) up, or
 * VM_PRICE_NONE. */
static int64_t ring_up(const struct vm *e, int64_t price) {
    uint32_t n = (uint32_t)e->window, mask = n - 1;
    uint32_t at = (uint32_t)price & mask, first = (uint32_t)e->base & mask;
    uint32_t found = vm_bits_up(e->used, n, at);
    if (first <= at) { /* the window goes on at the ring's start, up to first */
        if (found == VM_NONE) {
            found = vm_bits_up(e->used, n, 0);
            if (found >= first) return VM_PRICE_NONE;
        }
    } else if (found >= first) {
        return VM_PRICE_NONE;
    }
    return price + ((found - at) & mask);
}

/* ring_down returns the highest price of a level in use from price (in the window) down, or 0. */
static int64_t ring_down(const struct vm *e, int64_t price) {
    uint32_t n = (uint32_t)e->window, mask = n - 1;
    uint32_t at = (uint32_t)price & mask, first = (uint32_t)e->base & mask;
    uint32_t found = vm_bits_down(e->used, n, at);
    if (first <= at) {
        if (found == VM_NONE || found < first) return 0;
    } else if (found == VM_NONE) {
        found = vm_bits_down(e->used, n, mask);
        if (found == VM_NONE || found < first) return 0;
    }
    return price - ((at - found) & mask);
}

int64_t vm_next_level(const struct vm *e, uint8_t side, int64_t price) {
    int64_t end = e->base + (int64_t)e->window;
    uint32_t hi = e->orders_max - e->far_hi, at;
    if (side == VM_SELL) {
        price++;
        if (price < e->base) {
            at = far_at(e, 0, e->far_lo, price);
            if (at < e->far_lo) return e->far[at].price;
            price = e->base;
        }
        if (price < end) {
            int64_t found = ring_up(e, price);
            if (found != VM_PRICE_NONE) return found;
        }
        at = far_at(e, hi, e->orders_max, price);
        return at < e->orders_max ? e->far[at].price : VM_PRICE_NONE;
    }
    price--;
    if (price >= end) {
        at = far_at(e, hi, e->orders_max, price + 1);
        if (at > hi) return e->far[at - 1].price;
        price = end - 1;
    }
    if (price >= e->base) {
        int64_t found = ring_down(e, price);
        if (found != 0) return found;
    }
    at = far_at(e, 0, e->far_lo, price + 1);
    return at > 0 ? e->far[at - 1].price : 0;
}

/* ring_out moves the window's level of price into the struct of a far one, which it returns. */
static uint32_t ring_out(struct vm *e, int64_t price) {
    uint32_t at = (uint32_t)price & (uint32_t)(e->window - 1), to = far_take(e);
    e->far_levels[to] = e->levels[at];
    e->levels[at] = (struct vm_level){ .head = VM_NONE, .tail = VM_NONE };
    vm_bits_clear(e->used, (uint32_t)e->window, at);
    return to;
}

/* ring_in moves a far level's struct into the window. */
static void ring_in(struct vm *e, const struct vm_far *f) {
    uint32_t at = (uint32_t)f->price & (uint32_t)(e->window - 1);
    e->levels[at] = e->far_levels[f->level];
    vm_bits_set(e->used, (uint32_t)e->window, at);
    far_give(e, f->level);
}

/* follow_up moves the window's base up to base; returns how many levels moved. */
static uint32_t follow_up(struct vm *e, int64_t base) {
    int64_t end = e->base + (int64_t)e->window, stop = base < end ? base : end;
    uint32_t moved = 0;
    for (int64_t p = ring_up(e, e->base); p < stop; p = p + 1 < end ? ring_up(e, p + 1) : end) {
        e->far[e->far_lo++] = (struct vm_far){ .price = p, .level = ring_out(e, p) };
        moved++;
    }
    e->base = base;
    end = base + (int64_t)e->window;
    for (; e->far_hi > 0; moved++) {
        struct vm_far f = e->far[e->orders_max - e->far_hi];
        if (f.price >= end) break;
        e->far_hi--;
        if (f.price < base)
            e->far[e->far_lo++] = f;
        else
            ring_in(e, &f);
    }
    return moved;
}

/* follow_down moves the window's base down to base; returns how many levels moved. */
static uint32_t follow_down(struct vm *e, int64_t base) {
    int64_t end = base + (int64_t)e->window, stop = end > e->base ? end : e->base;
    uint32_t moved = 0;
    for (int64_t p = ring_down(e, e->base + (int64_t)e->window - 1); p >= stop && p != 0;
         p = p > e->base ? ring_down(e, p - 1) : 0) {
        e->far_hi++;
        e->far[e->orders_max - e->far_hi] = (struct vm_far){ .price = p, .level = ring_out(e, p) };
        moved++;
    }
    e->base = base;
    for (; e->far_lo > 0; moved++) {
        struct vm_far f = e->far[e->far_lo - 1];
        if (f.price < base) break;
        e->far_lo--;
        if (f.price >= end) {
            e->far_hi++;
            e->far[e->orders_max - e->far_hi] = f;
        } else {
            ring_in(e, &f);
        }
    }
    return moved;
}

void vm_follow(struct vm *e, int64_t price) {
    int64_t base = price - (int64_t)(e->window >> 1);
    if (base < 0) base = 0; /* prices begin at 1 */
    if (base == e->base || e->seq - e->moved_seq < e->moved_cost) return;
    uint32_t moved = base > e->base ? follow_up(e, base) : follow_down(e, base);
    e->moved_seq = e->seq;
    e->moved_cost = moved;
}

void vm_rest(struct vm *e, uint32_t slot) {
    struct vm_order *o = &e->orders[slot];
    int64_t price = o->price;
    struct vm_level *l;
    uint32_t side = o->side;
    bool best = vm_signed(side, price) > vm_signed(side, e->best[side]);
    if (VM_UNLIKELY(vm_left_window(e, price)) && best) vm_follow(e, price);
    if (VM_LIKELY((uint64_t)price - (uint64_t)e->base < e->window)) {
        uint32_t at = (uint32_t)price & (uint32_t)(e->window - 1);
        l = &e->levels[at];
        if (l->cnt == 0) vm_bits_set(e->used, (uint32_t)e->window, at);
    } else {
        l = vm_far_level(e, price, true);
    }
    o->state = VM_BOOK;
    o->next = VM_NONE;
    o->prev = l->tail;
    *(l->cnt == 0 ? &l->head : &e->orders[l->tail].next) = slot;
    l->cnt++;
    l->tail = slot;
    e->best[side] = best ? price : e->best[side];
    if (VM_UNLIKELY(o->flags & VM_ICEBERG)) {
        struct vm_more *m = &e->more[slot];
        m->show = m->show_max < o->left ? m->show_max : o->left;
        l->lots += m->show;
        l->hidden += o->left - m->show;
    } else {
        l->lots += o->left;
    }
    vm_level_told(e, o->side, price, l->lots);
}

void vm_unrest(struct vm *e, uint32_t slot) {
    const struct vm_order *o = &e->orders[slot];
    int64_t price = o->price;
    struct vm_level *l = vm_level_of(e, price);
    int64_t show = vm_show(e, o);
    l->lots -= show;
    l->hidden -= o->left - show;
    uint32_t next = o->next, prev = o->prev;
    *(prev == VM_NONE ? &l->head : &e->orders[prev].next) = next; /* addresses, not branches */
    *(next == VM_NONE ? &l->tail : &e->orders[next].prev) = prev;
    int64_t lots = l->lots;
    if (--l->cnt == 0) {
        uint8_t side = o->side;
        if (VM_LIKELY((uint64_t)price - (uint64_t)e->base < e->window))
            vm_bits_clear(e->used, (uint32_t)e->window,
                          (uint32_t)price & (uint32_t)(e->window - 1));
        else
            vm_far_drop(e, price);
        if (price == e->best[side]) {
            int64_t best = e->best[side] = vm_next_level(e, side, price);
            if (VM_UNLIKELY(vm_left_window(e, best)) && best != 0 && best != VM_PRICE_NONE)
                vm_follow(e, best);
        }
    }
    vm_level_told(e, o->side, price, lots);
}

void vm_shrink(struct vm *e, uint32_t slot, int64_t lots) {
    struct vm_order *o = &e->orders[slot];
    int64_t show = vm_show(e, o), after = o->left - lots;
    int64_t shows = after < show ? after : show;
    if (o->state == VM_BOOK) {
        struct vm_level *l = vm_level_of(e, o->price);
        l->lots -= show - shows;
        l->hidden -= lots - (show - shows);
        vm_level_told(e, o->side, o->price, l->lots);
    }
    if (o->flags & VM_ICEBERG) e->more[slot].show = shows;
    o->left = after;
}
