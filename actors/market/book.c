#include "actors/market/book.h"
#include <assert.h>
#include <string.h>

enum { LEVEL_NONE = -1 }; /* no slot of the ring */

/* align64 rounds bytes up to a multiple of 64. */
static size_t align64(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

size_t mk_book_bytes(uint32_t window, uint32_t far_max) {
    if (window < MK_BOOK_WINDOW_MIN || window > MK_BOOK_WINDOW_MAX) return 0;
    if ((window & (window - 1)) != 0 || far_max < MK_BOOK_FAR_MIN || far_max > MK_BOOK_FAR_MAX)
        return 0;
    size_t side = align64(window * sizeof(qty_t)) + align64(window / 8) + align64(window / 512);
    return 2 * side + align64(far_max * sizeof(struct mk_book_far)) + rt_map_bytes(far_max);
}

void mk_book_init(struct mk_book *b, void *memory, uint32_t window, uint32_t far_max,
                  price_t tick_size) {
    assert(mk_book_bytes(window, far_max) > 0);
    assert(tick_size > 0);
    *b = (struct mk_book){ .tick_size = tick_size,
                           .per_tick = 1.0 / (double)tick_size,
                           .mask = (int64_t)window - 1,
                           .stale = true };
    uint8_t *at = memory;
    for (int side = 0; side < 2; side++) {
        b->sides[side].quantity = (qty_t *)(void *)at;
        at += align64(window * sizeof(qty_t));
        b->sides[side].bits = (uint64_t *)(void *)at;
        at += align64(window / 8);
        b->sides[side].words = (uint64_t *)(void *)at;
        at += align64(window / 512);
    }
    b->far = (struct mk_book_far *)(void *)at;
    at += align64(far_max * sizeof(struct mk_book_far));
    rt_map_init(&b->far_at, at, far_max);
}

/* far_key names a far level in the map; ticks are above 0 and below 2^63, their doubles are not 0.
 */
static inline uint64_t far_key(uint8_t side, int64_t tick) {
    return (uint64_t)tick << 1 | side;
}

/* inside tells whether tick lies in the window. */
static inline bool inside(const struct mk_book *b, int64_t tick) {
    return (uint64_t)tick - (uint64_t)b->low <= (uint64_t)b->mask;
}

/* better tells whether tick is nearer to the other side than other. */
static inline bool better(uint8_t side, int64_t tick, int64_t other) {
    return side == SIDE_BUY ? tick > other : tick < other;
}

/* below_bit returns the highest set bit of bits[0..word] at or below bit of word; LEVEL_NONE when
 * there is none. words tells which of them are not 0. */
static int64_t below_bit(const uint64_t *bits, const uint64_t *words, int64_t slot) {
    int64_t word = slot >> 6;
    uint64_t left = bits[word] & (UINT64_MAX >> (63 - (slot & 63)));
    if (left != 0) return word << 6 | (63 - __builtin_clzll(left));
    int64_t group = word >> 6;
    left = (word & 63) == 0 ? 0 : words[group] & (UINT64_MAX >> (64 - (word & 63)));
    while (left == 0) {
        if (--group < 0) return LEVEL_NONE;
        left = words[group];
    }
    word = group << 6 | (63 - __builtin_clzll(left));
    return word << 6 | (63 - __builtin_clzll(bits[word]));
}

/* above_bit returns the lowest set bit at or above slot of a ring of mask + 1 slots, without going
 * around; LEVEL_NONE when there is none. */
static int64_t above_bit(const uint64_t *bits, const uint64_t *words, int64_t slot, int64_t mask) {
    int64_t word = slot >> 6, groups = (mask >> 12) + 1;
    uint64_t left = bits[word] & (UINT64_MAX << (slot & 63));
    if (left != 0) return word << 6 | __builtin_ctzll(left);
    int64_t group = word >> 6;
    left = (word & 63) == 63 ? 0 : words[group] & (UINT64_MAX << ((word & 63) + 1));
    while (left == 0) {
        if (++group == groups) return LEVEL_NONE;
        left = words[group];
    }
    word = group << 6 | __builtin_ctzll(left);
    return word << 6 | __builtin_ctzll(bits[word]);
}

/* ring_below returns the highest level of s in the window at or below tick (in the window); 0 when
 * there is none. */
static int64_t ring_below(const struct mk_book *b, const struct mk_book_side *s, int64_t tick) {
    int64_t slot = tick & b->mask;
    int64_t found = below_bit(s->bits, s->words, slot);
    if (found == LEVEL_NONE) found = below_bit(s->bits, s->words, b->mask);
    if (found == LEVEL_NONE) return 0;
    tick -= (slot - found) & b->mask;
    return tick >= b->low ? tick : 0;
}

/* ring_above returns the lowest level of s in the window at or above tick (in the window); 0 when
 * there is none. */
static int64_t ring_above(const struct mk_book *b, const struct mk_book_side *s, int64_t tick) {
    int64_t slot = tick & b->mask;
    int64_t found = above_bit(s->bits, s->words, slot, b->mask);
    if (found == LEVEL_NONE) found = above_bit(s->bits, s->words, 0, b->mask);
    if (found == LEVEL_NONE) return 0;
    tick += (found - slot) & b->mask;
    return tick <= b->low + b->mask ? tick : 0;
}

/* far_next returns the best far level of side at or worse than tick; 0 when there is none. */
static int64_t far_next(const struct mk_book *b, uint8_t side, int64_t tick) {
    int64_t best = 0;
    for (uint32_t i = 0; i < b->far_cnt; i++) {
        const struct mk_book_far *f = &b->far[i];
        if (f->side != side || better(side, f->tick, tick)) continue;
        if (best == 0 || better(side, f->tick, best)) best = f->tick;
    }
    return best;
}

/* next_tick returns the best level of side at or worse than tick; 0 when there is none. */
static int64_t next_tick(const struct mk_book *b, uint8_t side, int64_t tick) {
    const struct mk_book_side *s = &b->sides[side];
    int64_t near = b->low + (side == SIDE_BUY ? b->mask : 0); /* the window's end at the touch */
    if (better(side, tick, near)) {
        int64_t far = far_next(b, side, tick);
        if (far != 0 && better(side, far, near)) return far;
        tick = near;
    }
    if (inside(b, tick)) {
        int64_t found = side == SIDE_BUY ? ring_below(b, s, tick) : ring_above(b, s, tick);
        if (found != 0) return found;
    }
    return b->far_cnt == 0 ? 0 : far_next(b, side, tick);
}

price_t mk_book_next(const struct mk_book *b, uint8_t side, price_t price) {
    int64_t best = b->sides[side].best, tick = price / b->tick_size;
    if (best == 0 || price == 0 || better(side, tick, best)) return best * b->tick_size;
    tick += side == SIDE_BUY ? -1 : 1;
    return tick <= 0 ? 0 : next_tick(b, side, tick) * b->tick_size;
}

qty_t mk_book_far_at(const struct mk_book *b, uint8_t side, int64_t tick) {
    uint32_t at = rt_map_get(&b->far_at, far_key(side, tick));
    return at == RT_MAP_NONE ? 0 : b->far[at].quantity;
}

/* far_drop takes the far level at index at out of the table. */
static void far_drop(struct mk_book *b, uint32_t at) {
    bool was = rt_map_remove(&b->far_at, far_key((uint8_t)b->far[at].side, b->far[at].tick));
    assert(was);
    uint32_t last = --b->far_cnt;
    if (at == last) return;
    b->far[at] = b->far[last];
    uint64_t key = far_key((uint8_t)b->far[at].side, b->far[at].tick);
    was = rt_map_remove(&b->far_at, key);
    int rc = rt_map_put(&b->far_at, key, at);
    assert(was && rc == 0);
}

/* far_prune forgets the far levels that are farther from the middle of the window than the mean of
 * all: which ones depends on the levels and the window alone, not on places in the table. At one
 * distance lie four levels at most, so some are always above the mean. */
static void far_prune(struct mk_book *b) {
    int64_t middle = b->low + b->mask / 2;
    unsigned __int128 sum = 0;
    for (uint32_t i = 0; i < b->far_cnt; i++) {
        int64_t tick = b->far[i].tick;
        sum += (uint64_t)(tick > middle ? tick - middle : middle - tick);
    }
    uint64_t mean = (uint64_t)(sum / b->far_cnt);
    for (uint32_t i = b->far_cnt; i-- > 0;) { /* what moves up into i has been looked at */
        int64_t tick = b->far[i].tick;
        if ((uint64_t)(tick > middle ? tick - middle : middle - tick) <= mean) continue;
        b->sides[b->far[i].side].cnt--;
        b->forgotten++;
        far_drop(b, i);
    }
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) { /* a best price out there went too */
        int64_t best = b->sides[side].best;
        if (best != 0) b->sides[side].best = next_tick(b, side, best);
    }
}

/* far_set sets a level outside the window and returns what rested there before. */
static qty_t far_set(struct mk_book *b, uint8_t side, int64_t tick, qty_t quantity) {
    uint32_t at = rt_map_get(&b->far_at, far_key(side, tick));
    if (at != RT_MAP_NONE) {
        qty_t before = b->far[at].quantity;
        if (quantity > 0) {
            b->far[at].quantity = quantity;
        } else {
            far_drop(b, at);
        }
        return before;
    }
    if (quantity == 0) return 0;
    if (b->far_cnt == b->far_at.max) far_prune(b);
    int rc = rt_map_put(&b->far_at, far_key(side, tick), b->far_cnt);
    assert(rc == 0);
    b->far[b->far_cnt++] = (struct mk_book_far){ .tick = tick, .quantity = quantity, .side = side };
    return 0;
}

/* ring_set sets a level in the window and returns what rested there before. */
static inline qty_t ring_set(struct mk_book_side *s, int64_t slot, qty_t quantity) {
    qty_t before = s->quantity[slot];
    s->quantity[slot] = quantity;
    if ((before != 0) == (quantity != 0)) return before;
    uint64_t word = (uint64_t)slot >> 6, bit = UINT64_C(1) << (slot & 63);
    s->bits[word] ^= bit;
    if (quantity != 0) {
        s->words[word >> 6] |= UINT64_C(1) << (word & 63);
    } else if (s->bits[word] == 0) {
        s->words[word >> 6] &= ~(UINT64_C(1) << (word & 63));
    }
    return before;
}

/* set_level sets the level at tick, and the best price with it. */
static inline void set_level(struct mk_book *b, uint8_t side, int64_t tick, qty_t quantity) {
    struct mk_book_side *s = &b->sides[side];
    if (__builtin_expect(!b->placed, 0)) {
        b->placed = true;
        b->low = tick - b->mask / 2;
    }
    qty_t before = __builtin_expect(inside(b, tick), 1) ? ring_set(s, tick & b->mask, quantity)
                                                        : far_set(b, side, tick, quantity);
    b->before = before;
    if (quantity != 0) {
        s->cnt += before == 0;
        if (s->best == 0 || better(side, tick, s->best)) s->best = tick;
        return;
    }
    s->cnt -= before != 0;
    if (tick != s->best) return;
    tick += side == SIDE_BUY ? -1 : 1;
    s->best = tick <= 0 ? 0 : next_tick(b, side, tick);
}

/* leave moves the levels of side outside [low, low + mask] from the ring to the table. */
static void leave(struct mk_book *b, uint8_t side, int64_t low) {
    struct mk_book_side *s = &b->sides[side];
    int64_t end = b->low + b->mask;
    for (int64_t tick = ring_above(b, s, b->low); tick != 0;) {
        int64_t next = tick < end ? ring_above(b, s, tick + 1) : 0;
        if (tick < low || tick > low + b->mask) {
            far_set(b, side, tick, ring_set(s, tick & b->mask, 0));
        }
        tick = next;
    }
}

/* follow puts the window around tick. */
static void follow(struct mk_book *b, int64_t tick) {
    int64_t low = tick - b->mask / 2;
    leave(b, SIDE_BUY, low);
    leave(b, SIDE_SELL, low);
    b->low = low;
    for (uint32_t i = b->far_cnt; i-- > 0;) {
        struct mk_book_far far = b->far[i];
        if (!inside(b, far.tick)) continue;
        far_drop(b, i);
        ring_set(&b->sides[far.side], far.tick & b->mask, far.quantity);
    }
}

/* settle moves the window when the touch has left its middle half. */
static inline void settle(struct mk_book *b) {
    int64_t bid = b->sides[SIDE_BUY].best, ask = b->sides[SIDE_SELL].best;
    int64_t middle = bid == 0 ? ask : ask == 0 ? bid : bid + (ask - bid) / 2;
    uint64_t off = (uint64_t)middle - (uint64_t)b->low - (uint64_t)(b->mask / 4);
    if (__builtin_expect(middle != 0 && off > (uint64_t)(b->mask / 2), 0)) follow(b, middle);
}

void mk_book_put(struct mk_book *b, uint8_t side, price_t price, qty_t quantity) {
    int64_t tick;
    bool fits = mk_book_tick(b, price, &tick);
    assert(fits && side <= SIDE_SELL && quantity >= 0);
    set_level(b, side, tick, quantity);
}

void mk_book_place(struct mk_book *b, int64_t low) {
    assert(b->sides[SIDE_BUY].cnt == 0 && b->sides[SIDE_SELL].cnt == 0);
    b->low = low;
    b->placed = true;
}

void mk_book_clear(struct mk_book *b) {
    for (int side = 0; side < 2; side++) {
        struct mk_book_side *s = &b->sides[side];
        int64_t groups = (b->mask >> 12) + 1;
        for (int64_t group = 0; group < groups; group++) {
            while (s->words[group] != 0) {
                int64_t word = group << 6 | __builtin_ctzll(s->words[group]);
                while (s->bits[word] != 0) {
                    s->quantity[word << 6 | __builtin_ctzll(s->bits[word])] = 0;
                    s->bits[word] &= s->bits[word] - 1;
                }
                s->words[group] &= s->words[group] - 1;
            }
        }
        s->best = 0;
        s->cnt = 0;
    }
    while (b->far_cnt > 0) far_drop(b, b->far_cnt - 1);
    b->placed = false;
    b->stale = true;
}

/* spoil makes the book stale because of the row in hand; count says why. */
static enum mk_book_step spoil(struct mk_book *b, uint64_t *count) {
    b->stale = true;
    b->open = false;
    b->filling = false;
    ++*count;
    return MK_BOOK_STALE;
}

/* begin opens the update that row begins; rows of an update that is not open are a gap. */
static inline bool begin(struct mk_book *b, const struct msg_book_delta *row) {
    if (row->flags & BOOK_FLAGS_GAP || (row->flags & BOOK_FLAGS_FIRST && b->open)) {
        spoil(b, &b->gaps);
    }
    if (row->flags & BOOK_FLAGS_FIRST) {
        b->open = true;
        b->filling = row->flags & BOOK_FLAGS_SNAPSHOT;
        if (b->filling) mk_book_clear(b);
    } else if (!b->open && !b->stale) {
        spoil(b, &b->gaps);
    }
    if (!b->stale || b->filling) return true;
    b->ignored++;
    if (row->flags & BOOK_FLAGS_LAST) b->open = false;
    return false;
}

enum mk_book_step mk_book_apply(struct mk_book *b, const struct msg_book_delta *row) {
    b->time_ns = row->time_ns;
    bool inner = (row->flags & (BOOK_FLAGS_FIRST | BOOK_FLAGS_GAP)) == 0 && b->open;
    if (!(inner && (!b->stale || b->filling)) && !begin(b, row)) return MK_BOOK_STALE;
    int64_t tick;
    if (__builtin_expect(row->side <= SIDE_SELL && row->quantity >= 0 &&
                             mk_book_tick(b, row->price, &tick),
                         1)) {
        set_level(b, row->side, tick, row->quantity);
    } else if (row->price != 0 || row->quantity != 0) {
        return spoil(b, &b->bad);
    }
    if (!(row->flags & BOOK_FLAGS_LAST)) return b->stale ? MK_BOOK_STALE : MK_BOOK_PART;
    b->open = false;
    b->update_id = row->update_id;
    if (mk_book_crossed(b)) return spoil(b, &b->crossed);
    if (b->filling) b->stale = false;
    b->filling = false;
    settle(b);
    return MK_BOOK_WHOLE;
}
