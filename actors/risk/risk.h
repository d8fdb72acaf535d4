/* risk.h - the gate every order passes: checks it against declared limits, reserves, refuses.
 *
 * For     each ORDER_INTENT gets one RISK_VERDICT: passed whole, passed with less (reason reduced,
 *         option on_limit: reduce, when max_position leaves less) or refused (quantity 0, with the
 *         reason). Also hears FILL, ORDER_STATE (what becomes of what passed), KILL_SEEN and
 *         JOURNAL_STATE. Each limit is owned whole by this instance.
 *         Limits are the map limits: of the actor. Every one must be declared; absent, zero,
 *         negative, not a number or above the ceiling below = no start:
 *
 *           limits:
 *             max_order_quantity: 10               # base units
 *             max_order_notional: 100000           # quote units
 *             price_collar: 0.05                   # fraction of the reference, either way
 *             max_position: 50                     # base units, long or short
 *             order_rate: { count: 10, per: 1s }   # the burst is count
 *             duplicate_window: 1s
 *             max_open_orders: 256
 *             instruments:                         # what differs for one
 *               BTC-PERP: { max_position: 5 }
 *
 *         An override may give the first four. Notional is reckoned at the order's price, at the
 *         reference for market orders; of inverse contracts it is contracts x contract_value. The
 *         position is that of a strategy in an instrument on an account; rate and open orders are
 *         those of this instance; the window holds orders of the same owner, account, instrument,
 *         side, type, price and quantity.
 *         The reference price is the newest close of the instrument's finest bars, or its newest
 *         trade. A position counts with its open orders: on each side as if all of that side
 *         filled; but what only reduces by the venue's own rule (reduce_only and close_position on
 *         linear, where one strategy alone trades the instrument) takes it to zero at most: a stop
 *         whose cancel is still under way is in nobody's way. A reservation ends when the order is
 *         done, and turns into position by its fills; a spot buy's fee in base makes the position
 *         smaller by as much.
 *
 *         An exit is an order with the terms exit, reduce_only or close_position. It may not be
 *         for more than is held: reduced, or refused with short_not_allowed on spot, max_position
 *         elsewhere. While it also fits beside the other open orders of its side, so that it can
 *         only reduce, neither rate, duplicate window, journal_low, max_position nor a missing
 *         reference holds it, and the one that closes all that is held needs no min_notional here
 *         (the venue judges), nor does a reduce_only order on linear. Stops
 *         and limits of exits (protection) do not count against an exit at market, which mostly
 *         comes with their cancel. A second protection over the same holding (stop and target) is
 *         checked like any order. Spot sells that are no exits must fit beside all open sells.
 *         Orders with further terms (actors/market/more.h) are checked by them. A trailing stop
 *         counts at the reference. A child must be an exit that only reduces (on spot any exit), on
 *         the other side than its open parent and for no more than that: else list_rule; it
 *         reserves nothing and counts as what only reduces. So does an exit beside the first order
 *         of its group: only one of both fills.
 *         An order that closes the position when it triggers (close_position) reserves nothing and
 *         needs nothing to be held; where several strategies trade the instrument: position_shared.
 *         On an account in hedge mode long and short of a linear instrument are positions of their
 *         own, each with all of the above; the order's side and its exit term tell which.
 *         A refused order spends nothing: no token, no reservation, no place in the window.
 *
 *         An order that replaces another (ORDER_REPLACE) is checked as any: both may fill until the
 *         old one's cancel is answered. An amend (ORDER_CHANGE) gets one CHANGE_VERDICT: its lot
 *         and tick, max_order_quantity, max_position and what is held (an exit, with what else is
 *         open of its side; never reduced) for the new quantity less what is filled, price_collar
 *         and max_order_notional for the new price and quantity, a token of order_rate. A smaller
 *         quantity at the same price passes without the last three. Until ORDER_AMENDED tells what
 *         came of it the larger of both quantities is reserved, and a second amend refused with
 *         amend_pending. An order that hangs on another may not grow. Cancels pass.
 * Thread  its shard's.
 * Memory  128 bytes an instrument, 64 + 32 a position, 32 + 32 an open order, 44 an order of the
 *         duplicate window; all at init.
 * Cost    an intent: two look-ups and about six cache lines, no division; one that would pass
 *         max_position looks through the open orders. */
#ifndef ACTORS_RISK_RISK_H
#define ACTORS_RISK_RISK_H
#include "runtime/base/map.h"
#include "runtime/core/actor.h"
#include "runtime/time/bucket.h"
#include "schemas/fixed.h"
#include "schemas/messages.h"

/* Ceilings: what no configuration may pass. */
#define RISK_QUANTITY_CEILING (10000000000LL * FIXED_ONE) /* 1e10 base units */
#define RISK_NOTIONAL_CEILING (1000000000LL * FIXED_ONE)  /* 1e9 quote units */
#define RISK_COLLAR_CEILING   (FIXED_ONE / 2)             /* half the reference */
#define RISK_DAY_NS           86400000000000LL
enum {
    RISK_RATE_CEILING = 1000000,      /* orders per order_rate.per */
    RISK_RATE_TOKEN_NS = 1000,        /* at most one order a microsecond in the long run */
    RISK_OPEN_ORDERS_CEILING = 65536, /* max_open_orders */
    RISK_EXPOSURES_CEILING = 1 << 20, /* exposures_max */
    RISK_RECENT_CEILING = 1 << 20,    /* orders the duplicate window may hold at the rate */
    RISK_NO_SERIES = UINT16_MAX,      /* an instrument nobody gives prices for */
};

/* Whether a number >= 0 is a multiple of a step, without dividing. Source: Granlund & Montgomery,
 * "Division by invariant integers using multiplication", PLDI 1994, section 9. */
struct risk_step {
    uint64_t inverse; /* of the step's odd part, modulo 2^64 */
    uint64_t most;    /* UINT64_MAX / step */
    uint32_t turn;    /* trailing zero bits of the step */
    uint32_t pad;     /* zero */
};

/* risk_step_of returns the check for step (> 0). */
struct risk_step risk_step_of(int64_t step);

/* risk_on_step tells whether v (>= 0) is a multiple of the step of s. */
static inline bool risk_on_step(const struct risk_step *s, int64_t v) {
    uint64_t q = (uint64_t)v * s->inverse;
    return (q >> s->turn | q << (-s->turn & 63)) <= s->most;
}

/* An instrument with its limits; dense by id. */
struct risk_instrument {
    _Alignas(64) qty_t max_order_quantity; /* 1e-8 base */
    cash_t max_order_notional;             /* 1e-8 quote */
    int64_t price_collar;                  /* fraction, 1e-8 */
    qty_t max_position;                    /* 1e-8 base, either side */
    cash_t min_notional;                   /* 0 = none */
    qty_t lot_size;                        /* > 0 */
    struct risk_step tick;                 /* of the tick size */
    struct risk_step lot;                  /* of the lot size */
    price_t last;                          /* newest trade heard as a frame, where no series has
                                            * prices; 0 = none */
    uint16_t series;                       /* where its prices are, RISK_NO_SERIES = nowhere */
    uint16_t base_asset;                   /* index of the base asset */
    bool trades;                           /* the series holds trades, not bars */
    const struct mk_instrument *rules;     /* whose contracts have a size; NULL = they have none */
    bool spot;                             /* settles by cash, cannot be short */
    bool shared;                           /* several strategies trade it */
};

/* Position of one owner in one instrument on one account, and what is reserved of it. */
struct risk_exposure {
    _Alignas(
        64) uint64_t key; /* account, owner, instrument (15 bits; above: a short in hedge mode) */
    qty_t quantity;       /* signed position */
    qty_t reserved[2];    /* open quantity that may still fill, by SIDE_* */
    qty_t resting[2];     /* of which of exits that are no market orders */
    price_t reference;    /* newest reference an intent was checked against, 0 = none yet */
};

/* An order that passed and is not done. */
struct risk_order {
    uint64_t order_id; /* the order; 0 = free */
    qty_t left;        /* what of it may still fill: reserved unless it is linked */
    qty_t filled;      /* what of it has filled */
    uint32_t at;       /* its place in exposures; of a free one the next free place */
    uint8_t side;      /* SIDE_* */
    bool resting : 1;  /* an exit that is no market order: protection */
    bool reduces : 1;  /* the venue lets it reduce the position, never open one */
    bool linked : 1;   /* what it may fill is reserved with another */
    bool amends : 1;   /* an amend that has passed is on its way */
    uint16_t pad;      /* zero */
};

/* An order that passed lately. */
struct risk_recent {
    price_t price;       /* as asked */
    qty_t quantity;      /* as asked */
    int64_t time_ns;     /* when it passed */
    uint32_t next;       /* the one before it in its bucket, RT_MAP_NONE = none */
    uint16_t owner;      /* strategy */
    uint16_t instrument; /* ours */
    uint8_t account;     /* whose */
    uint8_t side;        /* SIDE_* */
    uint8_t type;        /* ORDER_TYPE_* */
    uint8_t pad[5];      /* zero */
};

/* What the journal can promise, as last told. */
enum risk_journal {
    RISK_JOURNAL_GOOD,   /* everything */
    RISK_JOURNAL_LOW,    /* too little room: only exits */
    RISK_JOURNAL_FAILED, /* nothing: no order at all */
};

/* State of the actor. */
struct risk_state {
    struct risk_instrument *instruments; /* [id - 1] */
    struct rt_map by_key;                /* account, owner, instrument to place in exposures */
    struct risk_exposure *exposures;     /* as many as by_key holds */
    struct rt_map by_order;              /* order id to place in orders */
    struct risk_order *orders;           /* open orders */
    struct risk_recent *recent;          /* ring of orders that passed lately, oldest at first */
    uint32_t *buckets;                   /* newest order of each hash, RT_MAP_NONE = none */
    struct rt_map_slot *sorted;          /* scratch of save */
    struct rt_bucket rate;               /* order_rate */
    int64_t window_ns;                   /* duplicate_window */
    uint32_t instrument_cnt;             /* instruments */
    uint32_t account_cnt;                /* accounts */
    uint32_t orders_max;                 /* places in orders */
    uint32_t orders_free;                /* first free place of orders, RT_MAP_NONE = full */
    uint32_t recent_max;                 /* places in recent */
    uint32_t recent_first;               /* the oldest */
    uint32_t recent_cnt;                 /* how many are in the window */
    uint32_t bucket_shift;               /* 64 - log2(buckets) */
    enum risk_journal journal;           /* what the journal can promise */
    bool *hedge;                         /* [account id - 1]: in hedge mode */
    bool killed;                         /* the kill word is up */
    bool reduce;                         /* option on_limit: reduce */
    uint64_t verdicts[128];              /* how many by reason; place 0: passed whole */
};

/* The actor kind. */
extern const struct rt_actor_kind risk_kind;
#endif
