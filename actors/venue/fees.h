/* fees.h - the tiers of fees: what an account traded before today decides what it pays today.
 *
 * For     the venue, where an account declares fees: (actors/market/market.h). As at Binance: the
 *         tier of a UTC day follows from what the account traded in the 30 days before it, spot
 *         and linear each by itself, and stands from 00:00 to 24:00, whatever is traded meanwhile.
 *         Traded is the notional of its fills, in quote, as it moved; the day is that of the fill's
 *         instant (on bars: of what it is told at, so the last bar's of a day is the next one's).
 *         Liquidations do not count. A run begins with nothing traded. Below the first tier, and
 *         of a kind without tiers, the instrument's own rates hold.
 * Thread  the venue's shard.
 * Memory  256 bytes an account and kind, from the arena at init; none where nobody has tiers.
 * Cost    nothing where nobody has tiers; else an addition a fill, and a sum over 30 days for each
 *         account as the first trade of a day is met. */
#ifndef ACTORS_VENUE_FEES_H
#define ACTORS_VENUE_FEES_H
#include "actors/market/market.h"
#include "runtime/core/actor.h"

enum {
    VENUE_FEE_DAYS = 30,                 /* days that count, before today */
    VENUE_FEE_RING = VENUE_FEE_DAYS + 1, /* those and today */
    VENUE_FEE_FIGURES = 32,              /* numbers of counters an account and kind */
    VENUE_COUNTER_FEES = 0x1a000000,     /* the day + 1; + (account * MK_KINDS + kind) *
                                          * VENUE_FEE_FIGURES + place in the ring: volumes */
};

/* What an account traded of one kind of instruments. */
struct venue_traded {
    cash_t volume[VENUE_FEE_RING]; /* by day modulo the ring; stops at the end of its range */
    const struct mk_tier *tier;    /* of today; NULL = the instruments' own rates */
};

/* All accounts' tiers. */
struct venue_fees {
    struct venue_traded *rows; /* by (account id - 1) * MK_KINDS + kind; NULL = nobody has tiers */
    int64_t day;               /* today: UTC days since 1970 */
    int64_t ends_ns;           /* when it ends */
};

/* venue_fees_init takes the memory, if an account of m has tiers. */
void venue_fees_init(struct rt_init *init, const struct mk_market *m, struct venue_fees *f);

/* venue_fees_turn makes the day of now_ns today. Only where somebody has tiers. */
void venue_fees_turn(struct venue_fees *f, const struct mk_market *m, int64_t now_ns);

/* venue_fees_traded counts a fill of account (from 1) with the notional value, today. Only where
 * somebody has tiers. */
void venue_fees_traded(struct venue_fees *f, uint8_t account, enum mk_kind kind, cash_t value);

/* venue_fees_save puts the rows of f. */
void venue_fees_save(const struct venue_fees *f, const struct mk_market *m,
                     struct rt_row_sink *sink);

/* venue_fees_load takes back one of them; false when it is none of f's. */
bool venue_fees_load(struct venue_fees *f, const struct mk_market *m, uint64_t id, int64_t value);
#endif
