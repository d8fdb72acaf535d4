/* execution.h - the actor that holds the orders: asks the venue, hears it, tells where each stands.
 *
 * For     the one way from a passed verdict to a venue. Hears RISK_VERDICT, CHANGE_VERDICT,
 *         ORDER_CANCEL, VENUE_STATUS, VENUE_AMENDED, VENUE_FILL; says VENUE_REQUEST, FILL (once a
 *         fill, before the state it causes), ORDER_STATE (at every transition), ORDER_AMENDED,
 *         ALERT (what the venue should not say).
 *         States and their legal transitions are the table execution_legal; what is not in it is
 *         an alert and changes nothing. The newest orders that are done (done_orders_max; fewer
 *         where fill ids run short) are remembered: a fill that comes late all the same (after its
 *         cancel was answered, beyond its quantity) is money, so it is booked and told like any
 *         other, behind it the state with new sums and the old status, and an alert, late_fill.
 *         Other late words are counted (cancels) or an alert (statuses, fills of orders nobody
 *         remembers).
 *         Changes that risk passed (CHANGE_VERDICT) go to the venue: cancels, and amends, one at a
 *         time for an order (amend_pending). The old figures hold until the venue's answer
 *         (VENUE_AMENDED), which may be that the order is done: ORDER_AMENDED tells what came of
 *         each amend, also of one refused, once; where the figures are new ORDER_STATE tells them
 *         too. An order that replaces another (REPLACE_VERDICT) is one request to the venue,
 *         unless the old one is done or being canceled: then it is rejected with cancel_failed, or
 *         with anyway placed as any.
 *         A fill is told once: known by (order, trade id) while the order is remembered. Its cash
 *         is price x quantity, a buy's rounded up, a sell's down to 1e-8, held within 64 bits: no
 *         money is reckoned with it, average prices are.
 *         Once an order's strategy was stopped, the kill word is up or the run ends, no new order
 *         goes out; what is open is canceled (options on_stop, on_actor_stopped: cancel | leave;
 *         kill always cancels), as many in one call as it has room for, the rest by a timer at
 *         once.
 * Thread  its shard's.
 * Memory  128 bytes an order, open or remembered, 32 a slot of the index, 16 a remembered fill id;
 *         all at init.
 * Cost    a verdict, status or fill: one look-up and two cache lines; a cancel of many n log n. */
#ifndef ACTORS_EXECUTION_EXECUTION_H
#define ACTORS_EXECUTION_EXECUTION_H
#include "runtime/base/map.h"
#include "runtime/core/actor.h"
#include "schemas/messages.h"

enum {
    EXECUTION_ORDERS_MAX = 1 << 20,   /* ceiling of open_orders_max */
    EXECUTION_DONE_MAX = 1 << 16,     /* ceiling of done_orders_max */
    EXECUTION_FILL_IDS_MAX = 1 << 22, /* ceiling of fill_ids_max */
    EXECUTION_OWNERS = 1 << 15,       /* owners an order id can name */
};

/* Bits of msg_order_row.flags. */
enum execution_flag {
    EXECUTION_CANCEL_IN_FLIGHT = 1, /* the venue was asked to cancel it */
    EXECUTION_TRIGGERED = 2,        /* a stop that has triggered */
    EXECUTION_CANCEL_WANTED = 4,    /* to be canceled, not said yet: the call had no more room */
    EXECUTION_IDS_RISE = 8,         /* no room for its fill ids: those below the newest are old */
    EXECUTION_AMEND_IN_FLIGHT = 16, /* the venue was asked to amend it */
};

/* What the actor counts; rows of kind COUNTER in snapshots, by this number. */
enum execution_count {
    EXECUTION_FILLS_TWICE = 1, /* fills told again, ignored */
    EXECUTION_FILLS_STRAY,     /* fills of no open order or that make no sense: alerts */
    EXECUTION_STATUS_STRAY,    /* statuses of no open order: alerts */
    EXECUTION_STATUS_ILLEGAL,  /* transitions the table does not know: alerts */
    EXECUTION_CANCELS_LATE,    /* cancels of orders that were done or never there */
    EXECUTION_LIQUIDATION,     /* no count: number of the last liquidation passed on */
    EXECUTION_FUNDING,         /* no count: number of the last funding payment passed on */
    EXECUTION_FILLS_LATE,      /* fills of orders that were done: booked, and alerts */
    EXECUTION_COUNTS,
};

/* One order, open or done lately: two cache lines. */
struct execution_order {
    _Alignas(64) struct msg_order_row row; /* all that is told of it; a snapshot's row as it lies */
    uint64_t trade_id;                     /* largest fill id heard; meaningless while fills is 0 */
    uint32_t fills;                        /* fill ids heard */
    uint32_t older;                        /* first of its other fill ids, RT_MAP_NONE = none */
    uint32_t next_free;                    /* in the list of free places, or of those done */
};

/* A fill id that is not the largest of its order. */
struct execution_fill_id {
    uint64_t trade_id; /* the venue's number */
    uint32_t next;     /* next of the same order, or next free; RT_MAP_NONE = none */
    uint32_t pad;      /* zero */
};

/* State of the actor. */
struct execution_state {
    struct rt_map index;               /* order id to place in orders */
    struct execution_order *orders;    /* the table */
    struct execution_fill_id *ids;     /* pool of fill ids */
    struct rt_map_slot *sorted;        /* scratch: orders in order of id */
    uint64_t *stopped;                 /* a bit per owner: its strategy was stopped */
    uint32_t orders_max;               /* orders that may be open */
    uint32_t done_max;                 /* orders remembered when they are done */
    uint32_t open_cnt;                 /* open now */
    uint32_t done_cnt;                 /* remembered now */
    uint32_t done_first;               /* done longest of them, RT_MAP_NONE = none */
    uint32_t done_last;                /* done last */
    uint32_t free;                     /* first free place, RT_MAP_NONE = full */
    uint32_t ids_free;                 /* first free fill id, RT_MAP_NONE = none */
    uint32_t ids_max;                  /* fill ids in the pool */
    uint32_t wanted;                   /* orders with EXECUTION_CANCEL_WANTED */
    uint32_t stopped_cnt;              /* bits set in stopped */
    uint16_t stop_reason;              /* the run ends for this reason; 0 = it goes on */
    bool killed;                       /* the kill word is up */
    bool cancel_on_stop;               /* option on_stop */
    bool cancel_on_actor_stopped;      /* option on_actor_stopped */
    uint64_t counts[EXECUTION_COUNTS]; /* enum execution_count; place 0 unused */
};

/* execution_is_done tells whether a row is of an order that is done. */
static inline bool execution_is_done(const struct msg_order_row *row) {
    return row->status >= ORDER_STATUS_FILLED && row->status <= ORDER_STATUS_EXPIRED;
}

/* execution_legal tells which statuses may follow one: a bit (1 << status) each. */
extern const uint16_t execution_legal[ORDER_STATUS_UNKNOWN + 1];

/* The actor kind. */
extern const struct rt_actor_kind execution_kind;
#endif
