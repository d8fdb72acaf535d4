/* match_state.h - the inside of the matching engine: its tables and what its files share.
 *
 * For     match.c (commands and matching), match_book.c (levels), match_stops.c (triggers, times),
 *         match_lists.c (links, reduce-only), match_rows.c (state as rows); and nobody else.
 * Thread  the engine's caller's.
 * Memory  tables inside the engine's block; indices of 32 bits, VM_NONE at ends. */
#ifndef ACTORS_VENUE_MATCH_STATE_H
#define ACTORS_VENUE_MATCH_STATE_H
#include "actors/venue/match.h"
#include "schemas/messages.h"
#include <assert.h>
#include <string.h>

#define VM_NONE        UINT32_MAX         /* no slot */
#define VM_PRICE_NONE  (VM_PRICE_MAX + 1) /* best ask of an empty side; the best bid's is 0 */
#define VM_LIKELY(x)   __builtin_expect(!!(x), 1) /* for branches that nearly always go */
#define VM_UNLIKELY(x) __builtin_expect(!!(x), 0) /* for branches that rarely go */

/* The places an order may be found by key. */
enum vm_heap_idx {
    VM_HEAP_UP,        /* fires at last >= key */
    VM_HEAP_DOWN,      /* fires at -last >= key */
    VM_HEAP_MARK_UP,   /* the same on the mark price */
    VM_HEAP_MARK_DOWN, /* the same on the mark price */
    VM_HEAP_TIME,      /* ends at now >= key */
    VM_HEAP_CNT
};

/* What every order needs; the rest is in vm_more. */
struct vm_order {
    uint64_t id;      /* sequence << slot bits | slot; 0 = unused */
    int64_t price;    /* limit, 0 = none */
    int64_t left;     /* open lots, shown or not */
    int64_t quantity; /* size as amended */
    uint64_t tag;     /* the caller's */
    uint32_t owner;   /* whose */
    uint32_t group;   /* equal: self-trade; the owner, or its group with the top bit set */
    uint32_t next;    /* towards the back of the level, or of the queue of work */
    uint32_t prev;    /* towards the front */
    uint16_t flags;   /* enum vm_flag */
    uint8_t side;     /* enum vm_side */
    uint8_t type;     /* enum vm_type */
    uint8_t tif;      /* enum vm_tif */
    uint8_t stp;      /* enum vm_stp */
    uint8_t state;    /* enum vm_state */
    uint8_t pad;      /* 0 */
};
_Static_assert(sizeof(struct vm_order) == 64, "one order, one cache line");

/* What few orders need, beside it by slot; only what the flags say is valid. */
struct vm_more {
    int64_t show_max;     /* ICEBERG: displayed part */
    int64_t show;         /* ICEBERG: displayed now */
    int64_t stop;         /* conditional: trigger or activation price; 0 = from the first price */
    int64_t extreme;      /* TRAIL, ACTIVE: best price so far */
    int64_t expire_ns;    /* TIMED */
    int64_t prevented;    /* PREVENT */
    uint64_t claim;       /* REDUCE, working: when it began to, a count */
    uint64_t list;        /* LISTED: id of the list's first order */
    uint32_t list_next;   /* LISTED: ring of the list's live orders by index */
    uint32_t claim_older; /* REDUCE, working: the owner's next older one */
    uint32_t claim_newer; /* REDUCE, working: the owner's next newer one */
    uint32_t trail_next;  /* TRAIL, ACTIVE: others that follow the same way */
    uint32_t trail_prev;  /* TRAIL, ACTIVE: the same, back */
    uint32_t heap_at;     /* ARMED: index in its heap */
    uint32_t time_at;     /* TIMED: index in the heap of times */
    uint32_t delta;       /* TRAIL: bips */
    uint8_t heap;         /* ARMED: enum vm_heap_idx */
    uint8_t list_idx;     /* LISTED: index in the list */
    uint8_t parent;       /* LISTED: index + 1 of the parent, 0 = none */
    uint8_t oco;          /* LISTED: number shared, 0 = none or spent */
    uint8_t pad[28];      /* to two lines */
};
_Static_assert(sizeof(struct vm_more) == 128, "two lines");

/* One price level. */
struct vm_level {
    int64_t lots;   /* shown */
    int64_t hidden; /* not shown */
    uint32_t head;  /* first in time */
    uint32_t tail;  /* last in time */
    uint32_t cnt;   /* orders */
    uint32_t pad;   /* 0 */
};
_Static_assert(sizeof(struct vm_level) == 32, "two levels a line");

/* A level outside the window. */
struct vm_far {
    int64_t price;  /* ticks */
    uint32_t level; /* its struct, in far_levels */
    uint32_t pad;   /* 0 */
};

/* An owner. */
struct vm_owner {
    int64_t position; /* lots, > 0 long */
    uint32_t group;   /* self-trade group, 0 = none */
    uint32_t claims;  /* newest working reduce-only order */
};
_Static_assert(sizeof(struct vm_owner) == 16, "four owners a line");

/* An entry of a heap; the least (key, id) is on top. */
struct vm_key {
    int64_t key; /* price, minus price, or time */
    uint64_t id; /* the order */
};

/* A heap of keys. */
struct vm_heap {
    struct vm_key *at; /* orders_max of them */
    uint32_t cnt;      /* how many */
};

/* The engine. */
struct vm {
    /* read by every command */
    struct vm_order *orders; /* slots */
    struct vm_level *levels; /* the ring; a tick's level is at tick & window_mask */
    uint64_t *used;          /* a bit a tick of the ring: level in use; three levels of words */
    struct vm_out *out;      /* events */
    int64_t base;            /* lowest tick of the window */
    uint64_t window;         /* its ticks */
    int64_t best[2];         /* best price of each side: 0 and VM_PRICE_NONE when empty */
    /* written by every new order */
    uint64_t seq;            /* orders accepted so far */
    uint64_t slot_mask;      /* slots - 1 */
    uint32_t slot_bits;      /* log2 of slots */
    uint32_t free_low;       /* lowest free slot, VM_NONE = full */
    uint32_t open;           /* orders open */
    uint32_t slot_top;       /* one above the highest slot ever used */
    uint64_t *free;          /* a bit a slot: unused; three levels of words */
    uint32_t *owner_of;      /* owner of each slot */
    struct vm_owner *owners; /* rows */
    struct vm_more *more;    /* beside orders */
    /* read by every trade */
    int64_t watch_lo;  /* a last price of this or less has work to do */
    int64_t watch_hi;  /* a last price of this or more has work to do */
    int64_t last;      /* last price, 0 = none */
    int64_t bound_lo;  /* takers match from here */
    int64_t bound_hi;  /* to here */
    uint32_t work;     /* first order of the queue of work */
    uint32_t work_end; /* last of it */
    /* the rest */
    void (*on_level)(void *ctx, uint8_t side, int64_t price, int64_t lots); /* see vm_options */
    void *level_ctx;                                                        /* its ctx */
    uint16_t (*on_fire)(void *ctx, struct vm_fired *order);                 /* see vm_options */
    void *fire_ctx;                                                         /* its ctx */
    int64_t mark;                      /* mark price, 0 = none */
    int64_t now_ns;                    /* of vm_expire */
    uint64_t claim;                    /* count for vm_more.claim */
    struct vm_heap heaps[VM_HEAP_CNT]; /* by enum vm_heap_idx */
    uint32_t trail[2][2];              /* [mark][side]: orders that follow */
    int64_t trail_at[2][2];            /* [mark][side]: a price beyond this moves some extreme */
    struct vm_far *far;          /* levels below the window from the front, above to the end */
    struct vm_level *far_levels; /* their structs */
    uint32_t far_free;           /* unused ones, linked by head */
    uint32_t far_top;            /* those never used begin here */
    uint32_t far_lo;             /* levels below the window */
    uint32_t far_hi;             /* levels above it */
    uint32_t orders_max;         /* slots */
    uint32_t owners_max;         /* owner rows */
    uint64_t moved_seq;          /* seq when the window last moved */
    uint64_t moved_cost;         /* orders that must come before it may move again */
    uint32_t *scratch;           /* slots, for sorting */
};

/* vm_event_next returns the place of the next event. */
static inline struct vm_event *vm_event_next(struct vm *e) {
    struct vm_out *out = e->out;
    if (VM_UNLIKELY(out->cnt >= out->max)) {
        assert(out->flush);
        out->flush(out);
        assert(out->cnt < out->max);
    }
    return &out->at[out->cnt++];
}

/* vm_tell tells an event about one order. */
static inline void vm_tell(struct vm *e, const struct vm_order *o, enum vm_kind kind,
                           uint16_t reason, int64_t price, int64_t lots) {
    *vm_event_next(e) = (struct vm_event){ .id = o->id,
                                           .tag = o->tag,
                                           .price = price,
                                           .lots = lots,
                                           .left = o->left,
                                           .owner = o->owner,
                                           .reason = reason,
                                           .kind = (uint8_t)kind,
                                           .side = o->side };
}

/* vm_signed returns x for a buy and -x for a sell, without a branch: sides come in no order that a
 * processor could learn. A price better for a side is the larger one. */
static inline int64_t vm_signed(uint32_t side, int64_t x) {
    int64_t flip = -(int64_t)side;
    return (x ^ flip) - flip;
}

/* vm_slot returns the slot of an open order's id, or VM_NONE. */
static inline uint32_t vm_slot(const struct vm *e, uint64_t id) {
    uint32_t slot = (uint32_t)(id & e->slot_mask);
    return id != 0 && e->orders[slot].id == id ? slot : VM_NONE;
}

/* vm_show returns what an order shows. */
static inline int64_t vm_show(const struct vm *e, const struct vm_order *o) {
    return o->flags & VM_ICEBERG ? e->more[o - e->orders].show : o->left;
}

/* vm_bits_set and vm_bits_clear move a bit in three levels of words over n bits; word w of level 1
 * tells which words of level 0 are not zero, and so on. */
static inline void vm_bits_set(uint64_t *bits, uint32_t n, uint32_t at) {
    uint64_t *b1 = bits + (n >> 6), *b2 = b1 + ((n + 4095) >> 12);
    bits[at >> 6] |= 1ULL << (at & 63);
    b1[at >> 12] |= 1ULL << (at >> 6 & 63);
    b2[at >> 18] |= 1ULL << (at >> 12 & 63);
}
/* vm_bits_clear: see vm_bits_set. */
static inline void vm_bits_clear(uint64_t *bits, uint32_t n, uint32_t at) {
    uint64_t *b1 = bits + (n >> 6), *b2 = b1 + ((n + 4095) >> 12);
    if ((bits[at >> 6] &= ~(1ULL << (at & 63))) != 0) return;
    if ((b1[at >> 12] &= ~(1ULL << (at >> 6 & 63))) != 0) return;
    b2[at >> 18] &= ~(1ULL << (at >> 12 & 63));
}
/* vm_bits_words returns how many words the three levels take. */
static inline size_t vm_bits_words(uint32_t n) {
    return (n >> 6) + ((n + 4095) >> 12) + ((n + 262143) >> 18);
}
/* vm_bits_up returns the lowest set bit at or above at, VM_NONE without one. */
static inline uint32_t vm_bits_up(const uint64_t *bits, uint32_t n, uint32_t at) {
    const uint64_t *b1 = bits + (n >> 6), *b2 = b1 + ((n + 4095) >> 12);
    if (at >= n) return VM_NONE;
    uint32_t w = at >> 6;
    uint64_t x = bits[w] & (~0ULL << (at & 63));
    if (VM_LIKELY(x)) return w << 6 | (uint32_t)__builtin_ctzll(x);
    uint32_t w1 = w >> 6;
    x = (w & 63) == 63 ? 0 : b1[w1] & (~0ULL << ((w & 63) + 1));
    if (!x) {
        uint32_t w2 = w1 >> 6, w2_cnt = (n + 262143) >> 18;
        x = (w1 & 63) == 63 ? 0 : b2[w2] & (~0ULL << ((w1 & 63) + 1));
        while (!x && ++w2 < w2_cnt) x = b2[w2];
        if (!x) return VM_NONE;
        w1 = w2 << 6 | (uint32_t)__builtin_ctzll(x);
        x = b1[w1];
    }
    w = w1 << 6 | (uint32_t)__builtin_ctzll(x);
    return w << 6 | (uint32_t)__builtin_ctzll(bits[w]);
}
/* vm_bits_down returns the highest set bit at or below at, VM_NONE without one. */
static inline uint32_t vm_bits_down(const uint64_t *bits, uint32_t n, uint32_t at) {
    const uint64_t *b1 = bits + (n >> 6), *b2 = b1 + ((n + 4095) >> 12);
    uint32_t w = at >> 6;
    uint64_t x = bits[w] & (~0ULL >> (63 - (at & 63)));
    if (VM_LIKELY(x)) return w << 6 | (63 - (uint32_t)__builtin_clzll(x));
    uint32_t w1 = w >> 6;
    x = b1[w1] & ((1ULL << (w & 63)) - 1);
    if (!x) {
        uint32_t w2 = w1 >> 6;
        x = b2[w2] & ((1ULL << (w1 & 63)) - 1);
        while (!x && w2-- > 0) x = b2[w2];
        if (!x) return VM_NONE;
        w1 = w2 << 6 | (63 - (uint32_t)__builtin_clzll(x));
        x = b1[w1];
    }
    w = w1 << 6 | (63 - (uint32_t)__builtin_clzll(x));
    return w << 6 | (63 - (uint32_t)__builtin_clzll(bits[w]));
}

/* match_book.c */

/* vm_far_level returns the level of a price outside the window; made empty when there is none and
 * make says so, else NULL. */
struct vm_level *vm_far_level(struct vm *e, int64_t price, bool make);
/* vm_far_drop takes an emptied level outside the window away. */
void vm_far_drop(struct vm *e, int64_t price);
/* vm_next_level returns the price of the next level in use beyond price, away from the touch of
 * side, VM_PRICE_NONE or 0 without one. */
int64_t vm_next_level(const struct vm *e, uint8_t side, int64_t price);
/* vm_follow brings the window to price when that is worth it. */
void vm_follow(struct vm *e, int64_t price);
/* vm_left_window tells whether price, a best price, is outside the middle of the window. */
static inline bool vm_left_window(const struct vm *e, int64_t price) {
    uint64_t edge = e->window >> 3;
    return (uint64_t)price - (uint64_t)e->base - edge >= e->window - 2 * edge;
}

/* vm_level_of returns the level of a price, which is in use. */
static inline struct vm_level *vm_level_of(const struct vm *e, int64_t price) {
    if (VM_LIKELY((uint64_t)price - (uint64_t)e->base < e->window))
        return &e->levels[(uint64_t)price & (e->window - 1)];
    return vm_far_level((struct vm *)e, price, false);
}

/* vm_level_told tells the observer what a level shows now. */
static inline void vm_level_told(struct vm *e, uint8_t side, int64_t price, int64_t lots) {
    if (VM_UNLIKELY(e->on_level != NULL)) e->on_level(e->level_ctx, side, price, lots);
}

/* vm_rest puts an order at the back of its level. */
void vm_rest(struct vm *e, uint32_t slot);
/* vm_unrest takes an order off the book. */
void vm_unrest(struct vm *e, uint32_t slot);
/* vm_shrink takes lots off an open order, and off its level: hidden ones first. */
void vm_shrink(struct vm *e, uint32_t slot, int64_t lots);

/* match_stops.c */

/* vm_heap_push, vm_heap_drop: an entry into a heap, out of it. */
void vm_heap_push(struct vm *e, uint32_t heap, int64_t key, uint32_t slot);
/* vm_heap_drop: see vm_heap_push. */
void vm_heap_drop(struct vm *e, uint32_t heap, uint32_t slot);
/* vm_arm makes a conditional order wait for its price, or follow it. */
void vm_arm(struct vm *e, uint32_t slot);
/* vm_disarm takes it away again. */
void vm_disarm(struct vm *e, uint32_t slot);
/* vm_rearm is vm_arm for an order whose state was loaded. */
void vm_rearm(struct vm *e, uint32_t slot);
/* vm_would_trigger tells whether a conditional order of these terms has its price already. */
bool vm_would_trigger(const struct vm *e, uint8_t side, uint8_t type, uint16_t flags, int64_t stop);
/* vm_moved works off what a new last (mark = 0) or mark price (1) means to conditional orders. */
void vm_moved(struct vm *e, uint32_t mark, int64_t price);
/* vm_watch makes watch_lo and watch_hi exact. */
void vm_watch(struct vm *e);

/* match_lists.c */

/* vm_work_push puts an order at the end of the queue of work. */
void vm_work_push(struct vm *e, uint32_t slot);
/* vm_work_drop takes it out. */
void vm_work_drop(struct vm *e, uint32_t slot);
/* vm_oco ends the live partners of an order that was filled or fired. */
void vm_oco(struct vm *e, uint32_t slot);
/* vm_unlist takes an ended order out of its list; filled: its children join the work, else they
 * expire. */
void vm_unlist(struct vm *e, uint32_t slot, bool filled);
/* vm_claim makes an order the owner's newest working reduce-only one; vm_unclaim undoes that. */
void vm_claim(struct vm *e, uint32_t slot);
/* vm_unclaim: see vm_claim. */
void vm_unclaim(struct vm *e, uint32_t slot);
/* vm_enforce cuts an owner's working reduce-only orders to its position. */
void vm_enforce(struct vm *e, uint32_t owner);

/* match.c */

/* vm_reduces tells whether an order of side would reduce the owner's position. */
static inline bool vm_reduces(const struct vm *e, uint32_t owner, uint8_t side) {
    int64_t p = e->owners[owner].position;
    return side == VM_SELL ? p > 0 : p < 0;
}
/* vm_end tells the end of an open order, wherever it is, and frees it. */
void vm_end(struct vm *e, uint32_t slot, enum vm_kind kind, uint16_t reason);
/* vm_slot_take takes a slot that vm_load names. */
void vm_slot_take(struct vm *e, uint32_t slot);
/* By what slots are sorted. */
enum vm_by { VM_BY_ID, VM_BY_CLAIM, VM_BY_LIST };
/* vm_sort sorts slots. */
void vm_sort(const struct vm *e, uint32_t *slots, uint32_t cnt, enum vm_by by);
#endif
