/* path.h - the orders of one account on a path of prices, where some of them have further terms:
 * triggers that become limits, trailing stops, children of a parent, groups of which one cancels
 * the others.
 *
 * For     the driver of bars. Accounts all of whose orders are plain go the shorter way of bars.c;
 *         on plain orders both come to the same.
 * Rules   venue.h. The path is walked leg by leg; the next order is always the one that what is
 *         left of the leg meets first (at one price: stops that trigger first, then by order id).
 *         What it sets free or ends counts from that price on: a child is looked at there as at an
 *         open. Trailing stops follow the path as it goes.
 * Thread  the venue's shard.
 * Memory  per order of the venue two steps of 40 bytes and four indices, given at init.
 * Cost    per order met a walk over the account's orders: meant for tens, not thousands. */
#ifndef ACTORS_VENUE_PATH_H
#define ACTORS_VENUE_PATH_H
#include "actors/venue/backing.h"

/* What the mark does while a bar goes its way: the mark's own bar, else the bar itself. */
struct venue_marks {
    price_t open, low, high;  /* of the mark */
    price_t close;            /* of the mark */
    bool backed;              /* the account may be liquidated */
    struct venue_stand stand; /* what stands beside its position */
};

/* venue_path_has tells whether account has an open order with further terms in b. */
bool venue_path_has(const struct venue *v, const struct venue_book *b, uint8_t account);

/* venue_path_point works what account's orders meet at one price: an open told at open_ns of a bar
 * of interval_ns. joined: VENUE_NONE, or the one order that arrived now; then no other new one is
 * looked at, and how much of it was filled, if it ended, is returned. */
qty_t venue_path_point(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                       const struct msg_bar_open *open, uint32_t joined);

/* venue_path_bar works what the path inside bar, after its open, meets of account's orders. */
void venue_path_bar(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                    const struct msg_bar *bar, const struct venue_marks *marks);

/* venue_path_touch lets order, which waits for its trigger (a trailing one follows), know of price,
 * and tells whether price is at its trigger or beyond. */
bool venue_path_touch(const struct venue_book *b, const struct venue_order *order,
                      const struct mk_more *terms, price_t *extreme, price_t price);

/* What has become of an order that others hang on. */
enum venue_fate {
    VENUE_FATE_FIRED,  /* it has triggered or was filled in part, and stays: partners end */
    VENUE_FATE_FILLED, /* wholly filled: partners end, children have all of it */
    VENUE_FATE_CUT,    /* ended, filled in part or canceled: partners end, and children that have
                        * not begun */
    VENUE_FATE_ENDED,  /* ended by itself: children that have not begun end */
};

/* venue_path_after ends and begins what hangs on an order of account in b, of which id and its
 * group oco (0 = none) are given: outside of paths. */
void venue_path_after(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                      uint64_t id, uint64_t oco, enum venue_fate fate);

/* venue_path_part lets the children of account's order id begin, or grow, by what was filled of it,
 * and ends what is open of its own parent (0 = none): it is a child that has begun to trade.
 * Outside of paths, before venue_path_after. */
void venue_path_part(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                     uint64_t id, uint64_t parent, qty_t filled);

/* venue_path_stage returns the stage at which an order begins to work: all drivers but that of
 * trades look at it first. */
uint8_t venue_path_stage(const struct venue_book *b, const struct venue_order *order);

/* venue_path_from notes for the children of the filled order id, which have just begun, that it
 * was filled at price. */
void venue_path_from(struct venue *v, const struct venue_book *b, uint8_t account, uint64_t id,
                     price_t price);
#endif
