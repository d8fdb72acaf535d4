/* locks.h - what open orders lock of spot balances.
 *
 * For     the venue. Per account: quote cash locked by its buys, and per instrument base locked by
 *         its sells; free = total - locked, at least 0. Rules:
 *           lock      an order that may wait (limit, stop, take_profit and their limits; an iceberg
 *                     whole) locks what it may cost from its arrival on: a buy its price * what is
 *                     open, rounded up; a sell what is open. The fee comes out of what is received,
 *                     so it locks none. Free must cover that, else the order is rejected with
 *                     insufficient_balance.
 *           not       market orders, reduce_only ones (they promise to sell no more than there is)
 *                     and a trailing stop's buy (its price is not known): they lock nothing and are
 *                     not refused; what free does not cover when they are met is cut (account.h).
 *           list      of an oco group the member that costs most counts alone. A child locks
 *                     what its parent's fills have set free of it (venue.h), without being
 *                     refused: where a fee left less than it sells, it is cut when it is met.
 *           met       an order is met out of free and its own lock; what is filled or ended is
 *                     unlocked at once.
 *         Linear instruments lock nothing: margin backs their orders (backing.h).
 * Thread  the venue's shard.
 * Memory  24 bytes for each account and instrument, 48 an account.
 * Cost    a multiplication as an order opens and ends; orders with further terms: a walk over the
 *         account's orders. */
#ifndef ACTORS_VENUE_LOCKS_H
#define ACTORS_VENUE_LOCKS_H
#include "actors/venue/account.h"

struct venue;
struct rt_ctx;

/* What an account's orders lock in one instrument. */
struct venue_lock {
    cash_t quote; /* by its buys */
    qty_t base;   /* by its sells */
    qty_t told;   /* base as told last */
};

/* The same of all instruments together. */
struct venue_locked {
    __int128 quote; /* sum of the instruments' */
    __int128 told;  /* as told last */
    bool moved;     /* one of its locks has changed since */
};

/* venue_locks_of returns what order, of which quantity may trade, locks of its own where it stands
 * at stage (an order without further terms: any but VENUE_PENDING): quote for a buy, base for a
 * sell. INT64_MAX when it leaves the range of money. */
int64_t venue_locks_of(const struct venue_book *b, const struct venue_order *order, qty_t quantity,
                       uint8_t stage);

/* venue_locks_refuse returns REASON_INSUFFICIENT_BALANCE when free does not cover the order idx
 * that arrives, REASON_OVERFLOW when what it may cost is no sum of money, else REASON_NONE. */
uint16_t venue_locks_refuse(const struct venue *v, const struct venue_book *b, uint32_t idx);

/* venue_locks_put locks what the open order idx may cost. */
void venue_locks_put(struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_locks_take unlocks what the open order idx has locked, before it changes or goes. Orders
 * with further terms are seen to by venue_locks_again, after. */
void venue_locks_take(struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_locks_again reckons anew what account's orders lock in b: after orders with further terms
 * have changed or gone. */
void venue_locks_again(struct venue *v, struct venue_book *b, uint8_t account);

/* venue_locks_out takes out of p's locks what the open order idx has locked itself: it is about to
 * be met. */
void venue_locks_out(const struct venue *v, const struct venue_book *b, uint32_t idx,
                     struct venue_purse *p);

/* venue_locks_told takes account's locks in b for told, as they were when they were saved. */
void venue_locks_told(struct venue *v, const struct venue_book *b, uint8_t account);

/* venue_locks_tell says balances whose locked part has changed since they were told; false when the
 * call had no room for all. */
bool venue_locks_tell(struct rt_ctx *ctx, struct venue *v);
#endif
