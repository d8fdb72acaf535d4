/* queues.h - a recorded book order by order: at each price the orders of others in a queue by time.
 *
 * For     whoever follows rows of MSG_BOOK_ORDER: the simulated venue, which places orders of ours
 *         among them, and the source that makes such rows (data/flow.h). What a level shows in sum
 *         is book.h's: mk_queues_apply tells by how much a row changes which level.
 * Place   each order has one: a number that rises with every row and every order of ours that joins
 *         (mk_queues_join). Of two at one price the one with the smaller place is first. An order
 *         keeps it when it shrinks and gets a new one when it moves.
 * Thread  one owner.
 * Memory  mk_queues_bytes, given by the owner at init: 160 to 220 bytes an order; never grows.
 * Cost    a row: a search by the order's id and one by its price, some 30 ns. */
#ifndef ACTORS_MARKET_QUEUES_H
#define ACTORS_MARKET_QUEUES_H
#include "runtime/base/map.h"
#include "schemas/fixed.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MK_QUEUES_MIN = 64,      /* least room for orders */
    MK_QUEUES_MAX = 1 << 23, /* most */
};
#define MK_QUEUES_NONE UINT32_MAX /* "no order" among indices */

/* An order of others. */
struct mk_queued {
    uint64_t id;         /* venue's number; 0 = an unused slot */
    uint64_t place;      /* who has the smaller one came first */
    price_t price;       /* where it rests */
    qty_t quantity;      /* what rests of it, > 0 */
    qty_t taken;         /* of it taken by orders of ours, 0..quantity */
    uint32_t next, prev; /* neighbours at its price by place, MK_QUEUES_NONE at the ends; next of an
                          * unused slot: the next one */
    uint32_t older, newer; /* neighbours among all, by place */
    uint32_t level;        /* its price's slot */
    uint8_t side;          /* SIDE_* */
    uint8_t mark;          /* the owner's, 0 when it joins */
    uint16_t pad;          /* zero */
};
_Static_assert(sizeof(struct mk_queued) == 64, "one order, one cache line");

/* A price where orders rest. */
struct mk_queue_level {
    price_t price; /* it */
    qty_t taken;   /* sum over its orders */
    uint32_t first,
        last;      /* its orders, first in time first; first of an unused slot: the next one */
    uint64_t side; /* SIDE_* */
};

/* Orders of others. Read by anyone, written by the functions below alone (but for mark). */
struct mk_queues {
    struct mk_queued *orders;      /* slots */
    struct mk_queue_level *levels; /* as many slots */
    struct rt_map by_id;           /* index in orders by id */
    struct rt_map by_level;        /* index in levels by price and side */
    uint32_t free, level_free;     /* first unused slots */
    uint32_t oldest, newest; /* ends of all orders by place, MK_QUEUES_NONE = there are none */
    uint32_t cnt;            /* orders that rest */
    uint32_t max;            /* this many at most */
    uint64_t place;          /* the newest place given */
};

/* By how much a row changes a level. */
struct mk_queue_change {
    price_t price; /* the level */
    qty_t change;  /* more or less rests there */
    uint64_t side; /* SIDE_* */
};

/* What a row did. */
struct mk_queue_step {
    struct mk_queued was;             /* the order as it was; id 0 = there was none */
    struct mk_queue_change change[2]; /* levels */
    uint32_t change_cnt;              /* how many */
    bool full;                        /* there was no room for the order: it was left out */
};

/* mk_queues_bytes returns the memory for max orders (MK_QUEUES_MIN..MK_QUEUES_MAX), 0 else. */
size_t mk_queues_bytes(uint32_t max);

/* mk_queues_init makes q empty in zeroed, 64-aligned memory of mk_queues_bytes(max). */
void mk_queues_init(struct mk_queues *q, void *memory, uint32_t max);

/* mk_queues_move makes to, which is empty and has room for more, what from is. */
void mk_queues_move(struct mk_queues *to, const struct mk_queues *from);

/* mk_queues_apply takes the next row; what makes no sense in it (an order that is not there, more
 * than rests) changes as much as there is to change. */
void mk_queues_apply(struct mk_queues *q, const struct msg_book_order *row,
                     struct mk_queue_step *out);

/* mk_queues_put enters an order that comes back from a snapshot of state; false when it makes no
 * sense. */
bool mk_queues_put(struct mk_queues *q, const struct mk_queued *order);

/* mk_queues_level returns the slot of the level at price, MK_QUEUES_NONE where nothing rests. */
uint32_t mk_queues_level(const struct mk_queues *q, uint8_t side, price_t price);

/* mk_queues_take notes that orders of ours took quantity of what is left at a level, which has so
 * much: from its first orders. */
void mk_queues_take(struct mk_queues *q, uint8_t side, price_t price, qty_t quantity);

/* mk_queues_before returns what stands at a level before that place and is not taken: a walk over
 * its orders. */
qty_t mk_queues_before(const struct mk_queues *q, uint8_t side, price_t price, uint64_t place);

/* mk_queues_find returns the slot of the order with that id, or MK_QUEUES_NONE. */
static inline uint32_t mk_queues_find(const struct mk_queues *q, uint64_t id) {
    return id == 0 ? MK_QUEUES_NONE : rt_map_get(&q->by_id, id);
}

/* mk_queues_taken returns what orders of ours took of what rests at a level. */
static inline qty_t mk_queues_taken(const struct mk_queues *q, uint8_t side, price_t price) {
    uint32_t at = mk_queues_level(q, side, price);
    return at == MK_QUEUES_NONE ? 0 : q->levels[at].taken;
}

/* mk_queues_join returns the place of an order of ours that joins now. */
static inline uint64_t mk_queues_join(struct mk_queues *q) {
    return ++q->place;
}
#endif
