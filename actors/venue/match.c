/* match.c - the engine's memory, commands and matching. */
#include "actors/venue/match.h"
#include "actors/venue/match_state.h"

/* Flags that make an order more than price and lots. */
enum { SPECIAL = VM_ICEBERG | VM_LISTED | VM_REDUCE | VM_CLOSE | VM_TIMED };

/* is_limit tells whether a type has a limit price. */
static inline bool is_limit(uint8_t type) {
    return (1U << VM_LIMIT | 1U << VM_STOP_LIMIT | 1U << VM_TAKE_LIMIT) >> type & 1;
}

/* is_power tells whether n is a power of two. */
static bool is_power(uint32_t n) {
    return n && (n & (n - 1)) == 0;
}

/* sizes lays the tables out: offsets of each behind the engine; returns the whole size, 0 for
 * options that make no sense. */
static size_t sizes(const struct vm_options *o, size_t at[10]) {
    if (!is_power(o->orders_max) || o->orders_max < 64 || o->orders_max > VM_ORDERS_MAX) return 0;
    if (!is_power(o->window) || o->window < VM_WINDOW_MIN || o->window > VM_WINDOW_MAX) return 0;
    if (o->owners_max < 1 || o->owners_max > 1U << 24) return 0;
    size_t slots = o->orders_max,
           take[10] = { sizeof(struct vm),
                        slots * sizeof(struct vm_order),
                        o->window * sizeof(struct vm_level),
                        vm_bits_words(o->window) * 8,
                        vm_bits_words(o->orders_max) * 8,
                        slots * sizeof(uint32_t),
                        o->owners_max * sizeof(struct vm_owner),
                        slots * sizeof(struct vm_more),
                        slots * (sizeof(struct vm_far) + sizeof(struct vm_level)),
                        slots * (sizeof(uint32_t) + VM_HEAP_CNT * sizeof(struct vm_key)) };
    size_t sum = 0;
    for (int i = 0; i < 10; i++) {
        at[i] = sum;
        sum += (take[i] + 127) & ~(size_t)127;
    }
    return sum;
}

size_t vm_bytes(const struct vm_options *options) {
    size_t at[10];
    return sizes(options, at);
}

struct vm *vm_init(void *memory, const struct vm_options *options, struct vm_out *out) {
    size_t at[10];
    if (sizes(options, at) == 0 || out->max < VM_EVENTS_MIN || !out->at) return NULL;
    char *base = memory;
    struct vm *e = memory;
    uint32_t slots = options->orders_max;
    *e = (struct vm){ .orders = (void *)(base + at[1]),
                      .levels = (void *)(base + at[2]),
                      .used = (void *)(base + at[3]),
                      .free = (void *)(base + at[4]),
                      .owner_of = (void *)(base + at[5]),
                      .owners = (void *)(base + at[6]),
                      .more = (void *)(base + at[7]),
                      .far = (void *)(base + at[8]),
                      .far_levels = (void *)(base + at[8] + slots * sizeof(struct vm_far)),
                      .out = out,
                      .window = options->window,
                      .best = { 0, VM_PRICE_NONE },
                      .slot_mask = slots - 1,
                      .slot_bits = (uint32_t)__builtin_ctz(slots),
                      .watch_lo = -1,
                      .watch_hi = INT64_MAX,
                      .bound_lo = 1,
                      .bound_hi = VM_PRICE_MAX,
                      .work = VM_NONE,
                      .work_end = VM_NONE,
                      .on_level = options->on_level,
                      .level_ctx = options->ctx,
                      .on_fire = options->on_fire,
                      .fire_ctx = options->fire_ctx,
                      .trail = { { VM_NONE, VM_NONE }, { VM_NONE, VM_NONE } },
                      .trail_at = { { 0, INT64_MAX }, { 0, INT64_MAX } },
                      .far_free = VM_NONE,
                      .orders_max = slots,
                      .owners_max = options->owners_max };
    struct vm_key *keys = (void *)(base + at[9]);
    for (uint32_t i = 0; i < VM_HEAP_CNT; i++) e->heaps[i].at = keys + (size_t)i * slots;
    e->scratch = (void *)(keys + (size_t)VM_HEAP_CNT * slots);
    for (uint32_t i = 0; i < options->window; i++)
        e->levels[i] = (struct vm_level){ .head = VM_NONE, .tail = VM_NONE };
    for (uint32_t i = 0; i < slots; i++) vm_bits_set(e->free, slots, i);
    for (uint32_t i = 0; i < options->owners_max; i++) e->owners[i].claims = VM_NONE;
    return e;
}

/* slot_take takes the lowest free slot; there is one. */
static inline uint32_t slot_take(struct vm *e) {
    uint32_t slot = e->free_low;
    vm_bits_clear(e->free, e->orders_max, slot);
    e->free_low = vm_bits_up(e->free, e->orders_max, slot + 1);
    if (VM_UNLIKELY(slot >= e->slot_top)) e->slot_top = slot + 1;
    e->open++;
    return slot;
}

void vm_slot_take(struct vm *e, uint32_t slot) {
    vm_bits_clear(e->free, e->orders_max, slot);
    e->free_low = vm_bits_up(e->free, e->orders_max, 0);
    if (slot >= e->slot_top) e->slot_top = slot + 1;
    e->open++;
}

/* slot_give frees a slot. */
static inline void slot_give(struct vm *e, uint32_t slot) {
    e->orders[slot].id = 0;
    e->orders[slot].state = VM_FREE;
    vm_bits_set(e->free, e->orders_max, slot);
    if (slot < e->free_low) e->free_low = slot;
    e->open--;
}

/* forget frees an order that is in no place any more; filled tells how it ended. */
static inline void forget(struct vm *e, uint32_t slot, bool filled) {
    uint16_t flags = e->orders[slot].flags;
    if (VM_UNLIKELY(flags & SPECIAL)) {
        if (flags & VM_TIMED) vm_heap_drop(e, VM_HEAP_TIME, slot);
        if (flags & (VM_REDUCE | VM_CLOSE) && e->more[slot].claim) vm_unclaim(e, slot);
        if (flags & VM_LISTED) vm_unlist(e, slot, filled);
    }
    slot_give(e, slot);
}

void vm_end(struct vm *e, uint32_t slot, enum vm_kind kind, uint16_t reason) {
    struct vm_order *o = &e->orders[slot];
    if (VM_LIKELY(o->state == VM_BOOK))
        vm_unrest(e, slot);
    else if (o->state == VM_ARMED)
        vm_disarm(e, slot);
    else if (o->state == VM_QUEUED)
        vm_work_drop(e, slot);
    o->state = VM_TAKER;
    vm_tell(e, o, kind, reason, o->price, o->quantity);
    forget(e, slot, false);
}

/* prevent works a taker meeting an order of its own; false when the taker has ended. */
static bool prevent(struct vm *e, uint32_t t, uint32_t m) {
    struct vm_order *o = &e->orders[t], *mk = &e->orders[m];
    int64_t lots = 0;
    uint64_t tid = o->id;
    uint32_t mowner = mk->owner, towner = o->owner;
    bool lose = o->stp == VM_STP_DECREMENT || o->stp == VM_STP_TRANSFER;
    bool moves = o->stp == VM_STP_TRANSFER && mk->stp == VM_STP_TRANSFER && mowner != towner;
    if (lose) {
        lots = o->left < mk->left ? o->left : mk->left;
        uint32_t both[2] = { m, t };
        for (int i = 0; i < 2; i++) {
            struct vm_order *x = &e->orders[both[i]];
            if (!(x->flags & VM_PREVENT)) e->more[both[i]].prevented = 0;
            x->flags |= VM_PREVENT;
            e->more[both[i]].prevented += lots;
            vm_shrink(e, both[i], lots);
        }
    }
    *vm_event_next(e) = (struct vm_event){ .id = mk->id,
                                           .other = o->id,
                                           .tag = mk->tag,
                                           .price = mk->price,
                                           .lots = lots,
                                           .left = mk->left,
                                           .other_left = o->left,
                                           .owner = mk->owner,
                                           .reason = REASON_SELF_TRADE,
                                           .kind = moves ? VM_TRANSFERRED : VM_PREVENTED,
                                           .side = o->side };
    bool maker = o->stp == VM_STP_MAKER || o->stp == VM_STP_BOTH || mk->left == 0;
    bool taker = o->stp == VM_STP_TAKER || o->stp == VM_STP_BOTH || o->left == 0;
    if (moves) {
        e->owners[towner].position += vm_signed(o->side, lots);
        e->owners[mowner].position -= vm_signed(o->side, lots);
    }
    if (maker) vm_end(e, m, VM_EXPIRED, REASON_SELF_TRADE);
    if (taker) vm_end(e, t, VM_EXPIRED, REASON_SELF_TRADE);
    if (!moves) return !taker;
    if (e->owners[mowner].claims != VM_NONE) vm_enforce(e, mowner);
    if (e->owners[towner].claims != VM_NONE) vm_enforce(e, towner);
    return e->orders[t].id == tid;
}

/* replenish shows the next part of an iceberg whose displayed one is used up, at the back. */
static void replenish(struct vm *e, uint32_t m) {
    struct vm_order *mk = &e->orders[m];
    struct vm_more *x = &e->more[m];
    struct vm_level *l = vm_level_of(e, mk->price);
    x->show = x->show_max < mk->left ? x->show_max : mk->left;
    l->lots += x->show;
    l->hidden -= x->show;
    if (l->tail != m) { /* it is the head */
        l->head = mk->next;
        e->orders[l->head].prev = VM_NONE;
        e->orders[l->tail].next = m;
        mk->prev = l->tail;
        mk->next = VM_NONE;
        l->tail = m;
    }
    vm_level_told(e, mk->side, mk->price, l->lots);
    vm_tell(e, mk, VM_REPLENISHED, REASON_NONE, mk->price, x->show);
}

/* linked works what a trade means to orders bound to maker or taker: steps 3 to 6. m is off the
 * book when it has filled. False when the taker has ended. */
static bool linked(struct vm *e, uint32_t t, uint32_t m) {
    uint64_t tid = e->orders[t].id, mid = e->orders[m].id;
    uint32_t towner = e->orders[t].owner, mowner = e->orders[m].owner;
    if (e->orders[m].flags & VM_LISTED) vm_oco(e, m);
    if (e->orders[t].id == tid && e->orders[t].flags & VM_LISTED) vm_oco(e, t);
    if (e->orders[m].id == mid) {
        if (e->orders[m].left == 0)
            forget(e, m, true);
        else if (e->orders[m].flags & VM_ICEBERG && e->more[m].show == 0)
            replenish(e, m);
    }
    if (e->owners[mowner].claims != VM_NONE) vm_enforce(e, mowner);
    if (towner != mowner && e->owners[towner].claims != VM_NONE) vm_enforce(e, towner);
    return e->orders[t].id == tid;
}

/* match trades taker t once with the first order at the best price of the other side; false when
 * the taker has ended other than by filling. */
static inline bool match(struct vm *e, uint32_t t, int64_t price) {
    struct vm_order *o = &e->orders[t];
    struct vm_level *l = vm_level_of(e, price);
    uint32_t m = l->head;
    struct vm_order *mk = &e->orders[m];
    if (VM_UNLIKELY(o->stp != VM_STP_NONE && mk->group == o->group)) return prevent(e, t, m);
    int64_t show = vm_show(e, mk), lots = o->left < show ? o->left : show;
    o->left -= lots;
    mk->left -= lots;
    l->lots -= lots;
    if (VM_UNLIKELY(mk->flags & VM_ICEBERG)) e->more[m].show -= lots;
    int64_t signed_lots = vm_signed(o->side, lots);
    struct vm_owner *to = &e->owners[o->owner], *mo = &e->owners[mk->owner];
    to->position += signed_lots;
    mo->position -= signed_lots;
    bool claims = (to->claims & mo->claims) != VM_NONE;
    *vm_event_next(e) = (struct vm_event){ .id = mk->id,
                                           .other = o->id,
                                           .tag = mk->tag,
                                           .price = price,
                                           .lots = lots,
                                           .left = mk->left,
                                           .other_left = o->left,
                                           .owner = mk->owner,
                                           .kind = VM_TRADED,
                                           .side = o->side };
    e->last = price;
    if (VM_UNLIKELY(price >= e->watch_hi || price <= e->watch_lo)) vm_moved(e, 0, price);
    bool special = ((o->flags | mk->flags) & SPECIAL) || claims;
    if (mk->left == 0) {
        vm_unrest(e, m);
        mk->state = VM_TAKER;
        if (VM_LIKELY(!special)) {
            slot_give(e, m);
            return true;
        }
    } else {
        vm_level_told(e, mk->side, price, l->lots);
    }
    return VM_LIKELY(!special) || linked(e, t, m);
}

/* fok_can tells whether taker o surely finds all its lots at limit or better. */
static bool fok_can(const struct vm *e, const struct vm_order *o, int64_t limit) {
    uint8_t other = o->side ^ 1;
    int64_t need = o->left;
    for (int64_t p = e->best[other];; p = vm_next_level(e, other, p)) {
        int64_t hidden = 0;
        if (o->side == VM_BUY ? p > limit : p < limit) return false;
        if (p < e->bound_lo || p > e->bound_hi) return false;
        for (uint32_t s = vm_level_of(e, p)->head; s != VM_NONE; s = e->orders[s].next) {
            const struct vm_order *m = &e->orders[s];
            if (o->stp != VM_STP_NONE && m->group == o->group) {
                if (o->stp == VM_STP_MAKER) continue;
                return false;
            }
            if (m->flags & VM_REDUCE || (m->flags & VM_LISTED && e->more[s].oco)) continue;
            int64_t show = vm_show(e, m);
            hidden += m->left - show;
            if ((need -= show) <= 0) return true;
        }
        if ((need -= hidden) <= 0) return true;
    }
}

/* crosses tells whether a limit order at price would take. */
static inline bool crosses(const struct vm *e, uint8_t side, int64_t price) {
    return vm_signed(side, e->best[side ^ 1]) <= vm_signed(side, price);
}

/* take lets an order that is market or limit now act: it takes, then rests or ends. */
static void take(struct vm *e, uint32_t t) {
    struct vm_order *o = &e->orders[t];
    uint64_t id = o->id;
    bool limited = is_limit(o->type);
    int64_t limit = VM_LIKELY(limited) ? o->price : o->side == VM_BUY ? VM_PRICE_MAX : 1;
    if (VM_UNLIKELY(o->flags & (VM_REDUCE | VM_CLOSE))) {
        if (!vm_reduces(e, o->owner, o->side)) {
            vm_end(e, t, VM_EXPIRED, REASON_REDUCE_ONLY);
            return;
        }
        if (e->more[t].claim == 0) vm_claim(e, t);
        vm_enforce(e, o->owner);
        if (o->id != id) return;
    }
    if (VM_UNLIKELY(crosses(e, o->side, limit))) {
        uint8_t other = o->side ^ 1;
        if (o->tif == VM_GTX) {
            vm_end(e, t, VM_EXPIRED, REASON_WOULD_MATCH);
            return;
        }
        if (o->tif == VM_FOK && !fok_can(e, o, limit)) {
            vm_end(e, t, VM_EXPIRED, REASON_FILL_OR_KILL);
            return;
        }
        for (int64_t p; o->left > 0;) {
            p = e->best[other];
            if (vm_signed(o->side, p) > vm_signed(o->side, limit)) break;
            if (p < e->bound_lo || p > e->bound_hi) {
                vm_end(e, t, VM_EXPIRED, REASON_PRICE_BOUND);
                return;
            }
            if (!match(e, t, p)) return;
        }
        if (o->left == 0) {
            forget(e, t, true);
            return;
        }
    }
    if (VM_LIKELY(limited && o->tif != VM_IOC && o->tif != VM_FOK))
        vm_rest(e, t);
    else
        vm_end(e, t, VM_EXPIRED,
               !limited           ? REASON_NO_LIQUIDITY
               : o->tif == VM_FOK ? REASON_FILL_OR_KILL
                                  : REASON_NOT_FILLED_AT_ONCE);
}

/* fire lets a conditional order act whose price has come. */
static void fire(struct vm *e, uint32_t t) {
    struct vm_order *o = &e->orders[t];
    o->flags |= VM_FIRED;
    if (o->flags & VM_CLOSE && vm_reduces(e, o->owner, o->side)) {
        int64_t p = e->owners[o->owner].position;
        o->quantity = o->left = p < 0 ? -p : p;
    }
    uint16_t why = REASON_NONE;
    if (e->on_fire != NULL) {
        struct vm_fired fired = {
            .tag = o->tag, .lots = o->left, .last = e->last, .owner = o->owner
        };
        why = e->on_fire(e->fire_ctx, &fired);
        assert(fired.lots >= (why == REASON_NONE && !(o->flags & VM_CLOSE)));
        o->quantity = o->left = fired.lots;
    }
    vm_tell(e, o, VM_TRIGGERED, REASON_NONE, e->more[t].stop, o->quantity);
    if (o->flags & VM_LISTED) vm_oco(e, t);
    if (why != REASON_NONE) {
        vm_end(e, t, VM_EXPIRED, why);
        return;
    }
    take(e, t);
}

/* act lets an order act for the first time. */
static inline void act(struct vm *e, uint32_t t) {
    struct vm_order *o = &e->orders[t];
    if (VM_LIKELY(o->type < VM_STOP)) {
        take(e, t);
        return;
    }
    bool met = vm_would_trigger(e, o->side, o->type, o->flags, e->more[t].stop);
    if (met && !(o->flags & VM_NOW))
        vm_end(e, t, VM_EXPIRED, REASON_WOULD_TRIGGER);
    else if (met && !(o->flags & VM_TRAIL))
        fire(e, t);
    else
        vm_arm(e, t);
}

/* quiet works the queue until it is empty. */
static void quiet(struct vm *e) {
    while (e->work != VM_NONE) {
        uint32_t t = e->work;
        struct vm_order *o = &e->orders[t];
        vm_work_drop(e, t);
        o->state = VM_TAKER;
        if (o->flags & VM_FIRED) {
            fire(e, t);
            continue;
        }
        if (!(o->flags & VM_FRESH)) vm_tell(e, o, VM_RELEASED, REASON_NONE, o->price, o->quantity);
        o->flags &= (uint16_t)~VM_FRESH;
        act(e, t);
    }
}

/* terms holds a new order's own terms against the rules; 0 or the reason. */
static __attribute__((noinline)) uint16_t terms(const struct vm *e, const struct vm_new *n) {
    if (n->side > VM_SELL || n->type >= VM_TYPE_CNT || n->tif >= VM_TIF_CNT ||
        n->stp >= VM_STP_CNT || n->owner >= e->owners_max || n->flags & ~VM_GIVEN)
        return REASON_BAD_TERMS;
    bool limited = is_limit(n->type), conditional = n->type >= VM_STOP;
    if (limited) {
        if (n->price < 1 || n->price > VM_PRICE_MAX) return REASON_BAD_TICK;
    } else {
        if (n->price != 0) return REASON_BAD_TERMS;
        if (n->tif != VM_GTC && (n->tif != VM_GTD || !conditional)) return REASON_BAD_TERMS;
    }
    if (VM_UNLIKELY(n->flags & VM_CLOSE)) {
        if (limited || !conditional || n->lots != 0 || n->flags & VM_REDUCE)
            return REASON_BAD_TERMS;
    } else if (n->lots < 1 || n->lots > VM_LOTS_MAX) {
        return REASON_BAD_LOT;
    }
    if (VM_UNLIKELY(conditional)) {
        if (n->delta > VM_DELTA_MAX) return REASON_BAD_TERMS;
        if (n->stop < !n->delta || n->stop > VM_PRICE_MAX) return REASON_BAD_TICK;
    } else if (n->stop != 0 || n->delta != 0 || n->flags & (VM_MARK | VM_NOW)) {
        return REASON_BAD_TERMS;
    }
    if (VM_UNLIKELY(n->tif == VM_GTD)) {
        if (n->expire_ns <= e->now_ns) return REASON_GOOD_TILL_DATE;
    } else if (n->expire_ns != 0) {
        return REASON_BAD_TERMS;
    }
    if (VM_UNLIKELY(n->show != 0)) {
        if (n->type != VM_LIMIT || n->tif == VM_IOC || n->tif == VM_FOK || n->show < 1 ||
            n->show >= n->lots)
            return REASON_BAD_DISPLAY;
    }
    return REASON_NONE;
}

/* ready holds an order that acts at once against the book; 0 or the reason. */
static inline uint16_t ready(const struct vm *e, const struct vm_new *n) {
    if (VM_UNLIKELY(n->type >= VM_STOP)) {
        if (!(n->flags & VM_NOW) && vm_would_trigger(e, n->side, n->type, n->flags, n->stop))
            return REASON_WOULD_TRIGGER;
        return REASON_NONE;
    }
    if (VM_UNLIKELY(n->flags & VM_REDUCE) && !vm_reduces(e, n->owner, n->side))
        return REASON_REDUCE_ONLY;
    if (n->tif == VM_GTX && crosses(e, n->side, n->price)) return REASON_WOULD_MATCH;
    return REASON_NONE;
}

/* refuse tells a refusal. */
static void refuse(struct vm *e, uint64_t id, const struct vm_new *n, uint16_t reason) {
    *vm_event_next(e) = (struct vm_event){ .id = id,
                                           .tag = n ? n->tag : 0,
                                           .price = n ? n->price : 0,
                                           .lots = n ? n->lots : 0,
                                           .owner = n ? n->owner : 0,
                                           .reason = reason,
                                           .kind = VM_REFUSED,
                                           .side = n ? n->side : 0 };
}

/* enter makes an open order of n, in no place yet, and returns its slot. */
static inline uint32_t enter(struct vm *e, const struct vm_new *n) {
    uint32_t slot = slot_take(e), group = e->owners[n->owner].group;
    struct vm_order *o = &e->orders[slot];
    uint16_t flags = n->flags;
    if (VM_UNLIKELY((n->show | n->expire_ns | n->stop | n->delta) != 0 || n->flags != 0)) {
        struct vm_more *m = &e->more[slot];
        if (n->show) flags |= VM_ICEBERG;
        if (n->delta) flags |= VM_TRAIL;
        if (n->tif == VM_GTD) flags |= VM_TIMED;
        m->show_max = m->show = n->show;
        m->stop = n->stop;
        m->delta = n->delta;
        m->expire_ns = n->expire_ns;
        m->claim = 0;
    }
    *o = (struct vm_order){ .id = ++e->seq << e->slot_bits | slot,
                            .price = n->price,
                            .left = n->lots,
                            .quantity = n->lots,
                            .tag = n->tag,
                            .owner = n->owner,
                            .group = group ? group | 1U << 31 : n->owner,
                            .next = VM_NONE,
                            .prev = VM_NONE,
                            .flags = flags,
                            .side = n->side,
                            .type = n->type,
                            .tif = n->tif,
                            .stp = n->stp,
                            .state = VM_TAKER };
    e->owner_of[slot] = n->owner;
    if (VM_UNLIKELY(flags & VM_TIMED)) vm_heap_push(e, VM_HEAP_TIME, n->expire_ns, slot);
    return slot;
}

/* is_plain tells whether an order is surely a sound limit order, good till canceled. */
static inline bool is_plain(const struct vm *e, const struct vm_new *n) {
    if (((uint64_t)n->show | (uint64_t)n->stop | (uint64_t)n->expire_ns | n->delta) != 0)
        return false;
    if ((n->flags | n->type | n->tif | n->parent | n->oco) != 0) return false;
    if (n->side > VM_SELL || n->stp >= VM_STP_CNT || n->owner >= e->owners_max) return false;
    return (uint64_t)n->price - 1 < VM_PRICE_MAX && (uint64_t)n->lots - 1 < VM_LOTS_MAX;
}

uint64_t vm_place(struct vm *e, const struct vm_new *n) {
    uint16_t reason = REASON_NONE;
    if (VM_UNLIKELY(!is_plain(e, n))) {
        reason = terms(e, n);
        if (reason == 0) reason = n->parent || n->oco ? REASON_LIST_RULE : ready(e, n);
    }
    if (VM_LIKELY(reason == 0) && e->free_low == VM_NONE) reason = REASON_OPEN_ORDERS_MAX;
    if (VM_UNLIKELY(reason != 0)) {
        refuse(e, 0, n, reason);
        return 0;
    }
    uint32_t slot = enter(e, n);
    uint64_t id = e->orders[slot].id;
    vm_tell(e, &e->orders[slot], VM_ACCEPTED, REASON_NONE, n->price, n->lots);
    act(e, slot);
    if (VM_UNLIKELY(e->work != VM_NONE)) quiet(e);
    return id;
}

/* list_reason holds order i of a list against the rules; 0 or the reason. */
static uint16_t list_reason(const struct vm *e, const struct vm_new *n, uint32_t i) {
    uint16_t reason = terms(e, &n[i]);
    if (reason) return reason;
    if (n[i].owner != n[0].owner || n[i].parent > i) return REASON_LIST_RULE;
    if (n[i].oco && n[i].tif == VM_FOK) return REASON_LIST_RULE;
    for (uint32_t k = 0; k < i; k++) {
        if (n[i].oco && n[k].oco == n[i].oco && n[k].parent != n[i].parent) return REASON_LIST_RULE;
    }
    return n[i].parent ? REASON_NONE : ready(e, &n[i]);
}

uint64_t vm_place_list(struct vm *e, const struct vm_new *n, uint32_t cnt, uint64_t *ids) {
    uint32_t slots[VM_LIST_MAX];
    if (cnt < 1 || cnt > VM_LIST_MAX) {
        refuse(e, 0, cnt ? n : NULL, REASON_LIST_RULE);
        return 0;
    }
    for (uint32_t i = 0; i < cnt; i++) {
        uint16_t reason = list_reason(e, n, i);
        if (reason == 0 && e->open + cnt > e->orders_max) reason = REASON_OPEN_ORDERS_MAX;
        if (reason) {
            refuse(e, 0, &n[i], reason);
            return 0;
        }
    }
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t slot = slots[i] = enter(e, &n[i]);
        struct vm_order *o = &e->orders[slot];
        struct vm_more *m = &e->more[slot];
        ids[i] = o->id;
        o->flags |= VM_LISTED;
        o->state = VM_PENDING;
        m->list = ids[0];
        m->list_idx = (uint8_t)i;
        m->parent = n[i].parent;
        m->oco = n[i].oco;
        if (i > 0) e->more[slots[i - 1]].list_next = slot;
        vm_tell(e, o, n[i].parent ? VM_PENDED : VM_ACCEPTED, REASON_NONE, n[i].price, n[i].lots);
        e->out->at[e->out->cnt - 1].other = ids[0];
    }
    e->more[slots[cnt - 1]].list_next = slots[0];
    for (uint32_t i = 0; i < cnt; i++) {
        if (n[i].parent) continue;
        e->orders[slots[i]].flags |= VM_FRESH;
        vm_work_push(e, slots[i]);
    }
    quiet(e);
    return ids[0];
}

/* cancel_list ends an order of a list, then the others. */
static __attribute__((noinline)) void cancel_list(struct vm *e, uint32_t slot, uint16_t reason) {
    uint64_t ids[VM_LIST_MAX] = { 0 };
    uint32_t s = slot;
    while ((s = e->more[s].list_next) != slot) {
        ids[e->more[s].list_idx] = e->orders[s].id;
        e->more[s].parent = 0; /* ends with it, not by it */
    }
    vm_end(e, slot, VM_CANCELED, reason);
    for (uint32_t i = 0; i < VM_LIST_MAX; i++) {
        s = vm_slot(e, ids[i]);
        if (s != VM_NONE) vm_end(e, s, VM_CANCELED, reason);
    }
}

/* cancel ends an order, with its list. */
static inline void cancel(struct vm *e, uint32_t slot, uint16_t reason) {
    if (VM_UNLIKELY(e->orders[slot].flags & VM_LISTED))
        cancel_list(e, slot, reason);
    else
        vm_end(e, slot, VM_CANCELED, reason);
}

/* filled_of returns what an order has traded. */
static int64_t filled_of(const struct vm *e, const struct vm_order *o) {
    int64_t done = o->quantity - o->left;
    return o->flags & VM_PREVENT ? done - e->more[o - e->orders].prevented : done;
}

bool vm_cancel(struct vm *e, uint64_t id, enum vm_only only) {
    uint32_t slot = vm_slot(e, id);
    uint16_t reason = slot == VM_NONE ? REASON_UNKNOWN_ORDER : REASON_NONE;
    if (VM_UNLIKELY(only != VM_ANY) && !reason) {
        if ((filled_of(e, &e->orders[slot]) > 0) != (only == VM_ONLY_PART))
            reason = REASON_CANCEL_RULE;
    }
    if (VM_UNLIKELY(reason)) {
        refuse(e, id, NULL, reason);
        return false;
    }
    cancel(e, slot, REASON_NONE);
    return true;
}

uint32_t vm_cancel_all(struct vm *e, uint32_t owner) {
    uint32_t cnt = 0, before = e->open;
    for (uint32_t s = 0; s < e->slot_top; s++) {
        if (e->owner_of[s] == owner && e->orders[s].id != 0) e->scratch[cnt++] = s;
    }
    vm_sort(e, e->scratch, cnt, VM_BY_ID);
    for (uint32_t i = 0; i < cnt; i++) { /* those of a list go with its first */
        if (e->orders[e->scratch[i]].id != 0) cancel(e, e->scratch[i], REASON_NONE);
    }
    return before - e->open;
}

/* resize gives an order that waits for its trigger another quantity; 0 or the reason why not. */
static uint16_t resize(struct vm *e, struct vm_order *o, int64_t price, int64_t lots,
                       enum vm_amend mode) {
    if (mode != VM_AMEND_RULE || o->flags & VM_CLOSE || price != o->price || lots == o->quantity) {
        return REASON_AMEND_RULE;
    }
    if (lots < 1 || lots > VM_LOTS_MAX) return REASON_BAD_LOT;
    o->quantity = o->left = lots;
    vm_tell(e, o, VM_AMENDED, REASON_NONE, price, lots);
    return REASON_NONE;
}

bool vm_amend(struct vm *e, uint64_t id, int64_t price, int64_t lots, enum vm_amend mode) {
    uint32_t slot = vm_slot(e, id);
    uint16_t reason = REASON_NONE;
    if (slot == VM_NONE) {
        refuse(e, id, NULL, REASON_UNKNOWN_ORDER);
        return false;
    }
    struct vm_order *o = &e->orders[slot];
    if (price == 0) price = o->price;
    if (o->state == VM_ARMED) {
        reason = resize(e, o, price, lots, mode);
        if (reason) refuse(e, id, NULL, reason);
        return reason == REASON_NONE;
    }
    int64_t done = o->quantity - o->left;
    bool keeps = price == o->price && lots < o->quantity, crossing = crosses(e, o->side, price);
    if (o->state != VM_BOOK || (price == o->price && lots == o->quantity))
        reason = REASON_AMEND_RULE;
    else if (price < 1 || price > VM_PRICE_MAX)
        reason = REASON_BAD_TICK;
    else if (lots < 1 || lots > VM_LOTS_MAX)
        reason = REASON_BAD_LOT;
    else if (mode == VM_AMEND_KEEP && !keeps)
        reason = REASON_AMEND_RULE;
    else if (mode != VM_AMEND_REQUEUE && lots <= done)
        reason = REASON_AMEND_RULE;
    else if (mode == VM_AMEND_RULE && o->tif == VM_GTX && crossing)
        reason = REASON_WOULD_MATCH;
    if (reason) {
        refuse(e, id, NULL, reason);
        return false;
    }
    if (lots <= done) {
        cancel(e, slot, REASON_AMEND_RULE);
    } else if (o->tif == VM_GTX && crossing) {
        cancel(e, slot, REASON_WOULD_MATCH);
    } else if (keeps && mode != VM_AMEND_REQUEUE) {
        vm_shrink(e, slot, o->quantity - lots);
        o->quantity = lots;
        vm_tell(e, o, VM_AMENDED, REASON_NONE, price, lots);
    } else {
        vm_unrest(e, slot);
        o->state = VM_TAKER;
        o->price = price;
        o->quantity = lots;
        o->left = lots - done;
        vm_tell(e, o, VM_AMENDED, REASON_NONE, price, lots);
        take(e, slot);
        quiet(e);
    }
    return true;
}

uint32_t vm_replace(struct vm *e, uint64_t id, enum vm_only only, bool stop,
                    const struct vm_new *order, uint64_t *new_id) {
    uint32_t done = vm_cancel(e, id, only) ? VM_REPLACE_CANCELED : VM_REPLACE_NONE;
    *new_id = !done && stop ? 0 : vm_place(e, order);
    return *new_id ? done | VM_REPLACE_PLACED : done;
}

void vm_expire(struct vm *e, int64_t now_ns) {
    const struct vm_heap *h = &e->heaps[VM_HEAP_TIME];
    if (now_ns > e->now_ns) e->now_ns = now_ns;
    while (h->cnt && h->at[0].key <= now_ns)
        vm_end(e, (uint32_t)(h->at[0].id & e->slot_mask), VM_EXPIRED, REASON_GOOD_TILL_DATE);
}

void vm_mark(struct vm *e, int64_t price) {
    assert(price >= 1 && price <= VM_PRICE_MAX);
    e->mark = price;
    vm_moved(e, 1, price);
    quiet(e);
}

void vm_print(struct vm *e, int64_t price) {
    assert(price >= 1 && price <= VM_PRICE_MAX);
    e->last = price;
    if (price >= e->watch_hi || price <= e->watch_lo) vm_moved(e, 0, price);
    quiet(e);
}

void vm_bound(struct vm *e, int64_t lo, int64_t hi) {
    assert(lo >= 1 && lo <= hi && hi <= VM_PRICE_MAX);
    e->bound_lo = lo;
    e->bound_hi = hi;
}

void vm_position(struct vm *e, uint32_t owner, int64_t lots) {
    assert(owner < e->owners_max && lots >= -VM_POSITION_MAX && lots <= VM_POSITION_MAX);
    e->owners[owner].position = lots;
    vm_enforce(e, owner);
}

void vm_group(struct vm *e, uint32_t owner, uint32_t group) {
    assert(owner < e->owners_max && group < 1U << 31);
    e->owners[owner].group = group;
}

int64_t vm_best(const struct vm *e, enum vm_side side) {
    return e->best[side] == VM_PRICE_NONE ? 0 : e->best[side];
}

int64_t vm_last(const struct vm *e) {
    return e->last;
}

uint32_t vm_open(const struct vm *e) {
    return e->open;
}

int64_t vm_position_of(const struct vm *e, uint32_t owner) {
    assert(owner < e->owners_max);
    return e->owners[owner].position;
}

bool vm_find(const struct vm *e, uint64_t id, struct vm_view *view) {
    uint32_t slot = vm_slot(e, id);
    if (slot == VM_NONE) return false;
    const struct vm_order *o = &e->orders[slot];
    const struct vm_more *m = &e->more[slot];
    *view = (struct vm_view){ .id = id,
                              .tag = o->tag,
                              .price = o->price,
                              .quantity = o->quantity,
                              .left = o->left,
                              .show = vm_show(e, o),
                              .filled = filled_of(e, o),
                              .prevented = o->flags & VM_PREVENT ? m->prevented : 0,
                              .stop = o->type >= VM_STOP ? m->stop : 0,
                              .expire_ns = o->flags & VM_TIMED ? m->expire_ns : 0,
                              .owner = o->owner,
                              .flags = o->flags,
                              .side = o->side,
                              .type = o->type,
                              .tif = o->tif,
                              .stp = o->stp,
                              .state = o->state };
    return true;
}

uint32_t vm_depth(const struct vm *e, enum vm_side side, struct vm_depth *out, uint32_t max) {
    uint32_t cnt = 0;
    for (int64_t p = e->best[side]; cnt < max && p != 0 && p != VM_PRICE_NONE;
         p = vm_next_level(e, (uint8_t)side, p)) {
        const struct vm_level *l = vm_level_of(e, p);
        out[cnt] = (struct vm_depth){ .price = p, .lots = l->lots, .cnt = l->cnt };
        cnt++;
    }
    return cnt;
}

int64_t vm_at(const struct vm *e, int64_t price, uint32_t *cnt) {
    const struct vm_level *l = vm_level_of(e, price);
    if (cnt) *cnt = l ? l->cnt : 0;
    return l ? l->lots : 0;
}

int64_t vm_ahead(const struct vm *e, uint64_t id) {
    uint32_t slot = vm_slot(e, id);
    int64_t ahead = 0;
    if (slot == VM_NONE || e->orders[slot].state != VM_BOOK) return -1;
    while ((slot = e->orders[slot].prev) != VM_NONE) ahead += vm_show(e, &e->orders[slot]);
    return ahead;
}

int64_t vm_lots_for(const struct vm *e, enum vm_side side, int64_t budget) {
    uint8_t other = side == VM_BUY ? VM_SELL : VM_BUY;
    int64_t sum = 0;
    for (int64_t p = e->best[other]; p != 0 && p != VM_PRICE_NONE && p <= budget;
         p = vm_next_level(e, other, p)) {
        const struct vm_level *l = vm_level_of(e, p);
        int64_t can = budget / p, there = l->lots + l->hidden;
        if (p < e->bound_lo || p > e->bound_hi) break;
        sum += can < there ? can : there;
        if (can <= there) break;
        budget -= there * p;
    }
    return sum;
}

uint64_t vm_order_next(const struct vm *e, uint64_t id) {
    for (uint32_t s = id ? (uint32_t)(id & e->slot_mask) + 1 : 0; s < e->slot_top; s++)
        if (e->orders[s].id != 0) return e->orders[s].id;
    return 0;
}
