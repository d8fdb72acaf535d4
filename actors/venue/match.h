/* match.h - the matching engine of one instrument: price-time priority in whole ticks and lots.
 *
 * For     the simulated venue, which turns money, filters, client ids and fees into the plain terms
 *         below. The engine knows no money, no clock and no names: a price is a number of ticks
 *         (1..VM_PRICE_MAX), a size a number of lots (1..VM_LOTS_MAX), an owner an index.
 * Thread  its caller's; engines share nothing.
 * Memory  one block of vm_bytes, given at vm_init; no allocation afterwards. An order that finds no
 *         slot is refused (open_orders_max) and nothing has changed.
 * Cost    adding near the touch touches eight cache lines: the engine's head (two), its slot, the
 *         last order of the level, the level, the owner column, a word of the free map, the event.
 *         Canceling: head, slot, both neighbours, level, free map, event. A trade adds the
 *         makers' slots, two owner rows and one compare for all conditional orders.
 *         Levels lie in a ring of `window` ticks around the touch with a bitmap of three levels;
 *         levels outside it in one sorted array (binary search; insertion moves what is nearer),
 *         and the window follows the touch at amortised constant cost. A heap per trigger
 *         direction: arming and firing O(log n). A new extreme re-keys each trailing order on
 *         that side.
 * Source  rules of the venue, PROTOCOLS 2.2-2.4, 4.5, 4.6, 7.2, 9, where they speak; else below.
 *
 * Events. Each command tells all it did in events, in order, into the caller's buffer. An order
 * that acts is first announced (ACCEPTED, TRIGGERED, RELEASED, AMENDED); its matches follow as
 * TRADED:
 *     id, tag, owner, left   are the maker's         other, other_left   are the taker's
 * so that a maker gone with its last lot can still be told from the event. left == 0 is the end of
 * an order that filled; every other end is CANCELED or EXPIRED with left = what went unfilled.
 * Always: quantity == filled + left + prevented while open.
 *
 * One match step, in this order:
 *   1 TRADED at the maker's price; both owners' positions move.
 *   2 The price is the last price: conditional orders it meets leave their place and join the queue
 *     of work, rising triggers lowest first, then falling ones highest first, equal ones in order
 *     of entry; a trailing order that only waited for its activation starts to follow (ACTIVATED).
 *     Then trailing orders take the new extreme.
 *   3 First fill of the maker: its oco partners expire (list_partner), lowest index first.
 *   4 The same for the taker.
 *   5 The maker filled: orders pending on it join the queue, by index. Else, when its displayed
 *     part is used up: REPLENISHED, at the back of its level.
 *   6 Reduce-only orders of the maker's owner are cut to its position, then those of the taker's.
 * When the taker has finished (filled, rested or ended) the orders pending on a filled taker join
 * the queue; then the queue is worked first in first out, each order as a taker of its own, until
 * it is empty. Each order joins it at most twice, so this ends.
 *
 * Conditional orders. Rising (fires at last >= stop): STOP buy, TAKE sell. Falling: STOP sell, TAKE
 * buy. VM_MARK: the mark price (vm_mark) counts, not the last one. Already true at entry: refused
 * would_trigger, unless VM_NOW lets it act at once; without a price yet, nothing is true. When it
 * fires: TRIGGERED, oco partners expire, then it acts as MARKET or LIMIT, or EXPIREs for the reason
 * on_fire gives. Other lots (vm_amend, VM_AMEND_RULE, price as it is) change neither trigger nor
 * extreme of one that waits.
 * Trailing (delta > 0, 1..5000 bips): fires when the price falls delta below the highest (sell), or
 * rises delta above the lowest (buy) since it became active: sell stop = floor(high * (1 - delta)),
 * buy stop = ceil(low * (1 + delta)). stop is then the optional activation price, met in the
 * direction of the type as above (futures' trailing orders are TAKE, activated on the far side);
 * without it the order is active from the price at entry, or from the first.
 *
 * Lists (vm_place_list). Per order: `parent` (index + 1 of an earlier one of the list; pending
 * until that one is completely filled, EXPIRED list_parent when it ends otherwise) and `oco` (a
 * number; the first fill or trigger of one expires the other live ones of that number). OCO: two
 * orders of one number. OTO: one with parent. Bracket: two with the same parent and one number.
 * Checked whole before anything happens. Canceling one cancels all that are left, by index after
 * itself. A pending order is checked when it is released: then it EXPIREs for what would have
 * refused it.
 *
 * Reduce-only (VM_REDUCE) needs an open position on the other side, and the working reduce-only
 * orders of an owner never add up to more than it: what is too much is cut (AMENDED reduce_only) or
 * expires, older ones first (age = since it works), so that a stop that fires has its lots.
 * VM_CLOSE: STOP or TAKE without lots; takes the whole position when it fires.
 *
 * Icebergs show `show` lots; level sizes count what is shown.
 *
 * FOK: accepted, then EXPIRED fill_or_kill when less can be taken within limit and bound. Makers
 * that may vanish while it takes (reduce-only, oco) are not counted, nor own orders; where the
 * mode would stop the taker at an own order, counting ends there. So it never fills in part.
 *
 * Self-trade: the taker's mode decides, between orders of one owner or one group. PREVENTED names
 * maker and taker (as TRADED; lots is what both lost, 0 but for DECREMENT), then EXPIRED self_trade
 * for each that ends: the maker's first. TRANSFER acts as DECREMENT, unless the maker has it too
 * and is of another owner: then TRANSFERRED takes PREVENTED's place, both owners' positions move,
 * and after the ends reduce-only orders are cut to them, the maker's owner's first. No price is
 * made and no group of orders ends by it. */
#ifndef ACTORS_VENUE_MATCH_H
#define ACTORS_VENUE_MATCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_PRICE_MAX    (1LL << 46) /* highest price in ticks */
#define VM_LOTS_MAX     (1LL << 42) /* most lots of an order */
#define VM_POSITION_MAX (1LL << 61) /* largest position that may be set */

/* Bounds. */
enum {
    VM_LIST_MAX = 8,          /* orders of a list */
    VM_DELTA_MAX = 5000,      /* trailing, bips */
    VM_WINDOW_MIN = 64,       /* ticks of the ring */
    VM_WINDOW_MAX = 64 << 12, /* three levels of bitmap */
    VM_ORDERS_MAX = 1 << 20,  /* slots */
    VM_EVENTS_MIN = 16,       /* room in the caller's buffer */
    VM_DEPTH_CHUNK = 64,      /* a fair number of levels to ask for */
};

/* Side of an order. */
enum vm_side { VM_BUY, VM_SELL };

/* Type of an order. */
enum vm_type {
    VM_LIMIT,      /* at price or better */
    VM_MARKET,     /* what there is; the rest expires */
    VM_STOP,       /* a market order when it fires */
    VM_STOP_LIMIT, /* a limit order when it fires */
    VM_TAKE,       /* as VM_STOP, fires on the other side */
    VM_TAKE_LIMIT, /* as VM_STOP_LIMIT, fires on the other side */
    VM_TYPE_CNT
};

/* How long. Only LIMIT, STOP_LIMIT and TAKE_LIMIT may have another than GTC or GTD. */
enum vm_tif {
    VM_GTC, /* until canceled */
    VM_IOC, /* what does not fill at once expires */
    VM_FOK, /* all at once or nothing */
    VM_GTX, /* post-only: refused when it would take */
    VM_GTD, /* until expire_ns */
    VM_TIF_CNT
};

/* Self-trade prevention, the taker's. */
enum vm_stp {
    VM_STP_NONE,
    VM_STP_TAKER,
    VM_STP_MAKER,
    VM_STP_BOTH,
    VM_STP_DECREMENT,
    VM_STP_TRANSFER,
    VM_STP_CNT
};

/* Options of an order; those from 16 up are the engine's and refused on entry. */
enum vm_flag {
    VM_REDUCE = 1,    /* reduce-only */
    VM_CLOSE = 2,     /* close-position; lots 0 */
    VM_MARK = 4,      /* works on the mark price */
    VM_NOW = 8,       /* may trigger at entry */
    VM_ICEBERG = 16,  /* shows a part */
    VM_TRAIL = 32,    /* trailing */
    VM_ACTIVE = 64,   /* trailing, follows */
    VM_FIRED = 128,   /* has triggered */
    VM_LISTED = 256,  /* in a list */
    VM_PREVENT = 512, /* lost lots to self-trade prevention */
    VM_TIMED = 1024,  /* expires at a time */
    VM_FRESH = 2048,  /* of a list, has not acted yet (never seen between commands) */
    VM_GIVEN = 15,    /* those a new order may have */
};

/* Where an order is. */
enum vm_state {
    VM_FREE,    /* nowhere: the slot is unused */
    VM_BOOK,    /* rests on the book */
    VM_ARMED,   /* waits for its trigger or activation */
    VM_PENDING, /* waits for its parent */
    VM_QUEUED,  /* about to act (never seen between commands) */
    VM_TAKER    /* acts (never seen between commands) */
};

/* Terms of a new order. */
struct vm_new {
    int64_t price;     /* limit, ticks; 0 where the type has none */
    int64_t lots;      /* size; 0 with VM_CLOSE */
    int64_t show;      /* displayed part of an iceberg, < lots; 0 = all. LIMIT, GTC/GTD/GTX only */
    int64_t stop;      /* trigger price, or activation price of a trailing order; 0 = none */
    int64_t expire_ns; /* GTD: when; else 0 */
    uint64_t tag;      /* the caller's, told with every event of the order */
    uint32_t owner;    /* index below owners_max */
    uint32_t delta;    /* trailing, bips; 0 = not trailing */
    uint16_t flags;    /* enum vm_flag */
    uint8_t side;      /* enum vm_side */
    uint8_t type;      /* enum vm_type */
    uint8_t tif;       /* enum vm_tif */
    uint8_t stp;       /* enum vm_stp */
    uint8_t parent;    /* lists: index + 1 of the order it waits for; 0 = none */
    uint8_t oco;       /* lists: number shared by orders of which one may live on; 0 = none */
};
_Static_assert(sizeof(struct vm_new) == 64, "one line");

/* What happened. */
enum vm_kind {
    VM_ACCEPTED = 1, /* id is open: price, lots; other = the id of its list, 0 = none */
    VM_PENDED,       /* id waits for its parent; other as ACCEPTED */
    VM_REFUSED,      /* reason; id = the order asked about, 0 for a new one; tag of the new one */
    VM_TRADED,       /* see above; side is the taker's */
    VM_TRIGGERED,    /* id fired: price = its trigger price; lots as they are now */
    VM_ACTIVATED,    /* trailing id follows from price on; lots = its stop */
    VM_RELEASED,     /* pending id may act now */
    VM_AMENDED,      /* id has price, lots = quantity, left now; reason when not asked for */
    VM_REPLENISHED,  /* id shows lots more, at the back of its level */
    VM_CANCELED,     /* id ended as asked, left unfilled */
    VM_EXPIRED,      /* id ended for reason, left unfilled */
    VM_PREVENTED,    /* self-trade: as TRADED, nothing traded */
    VM_TRANSFERRED, /* self-trade: as PREVENTED; lots moved from the seller to the buyer at price */
    VM_KIND_CNT
};

/* One event. */
struct vm_event {
    uint64_t id;        /* the order; 0 = none */
    uint64_t other;     /* TRADED, PREVENTED: the taker */
    uint64_t tag;       /* of id */
    int64_t price;      /* ticks */
    int64_t lots;       /* traded; or the quantity */
    int64_t left;       /* open lots of id afterwards */
    int64_t other_left; /* open lots of other afterwards */
    uint32_t owner;     /* of id */
    uint16_t reason;    /* REASON_* of schemas/reason.fbs */
    uint8_t kind;       /* enum vm_kind */
    uint8_t side;       /* of id; TRADED: of the taker */
};
_Static_assert(sizeof(struct vm_event) == 64, "one line");

/* Where events go. The caller sets cnt to 0 when it has read them. */
struct vm_out {
    struct vm_event *at;               /* room for max */
    uint32_t cnt;                      /* how many are there */
    uint32_t max;                      /* VM_EVENTS_MIN or more */
    void (*flush)(struct vm_out *out); /* called when full: read all, set cnt to 0; may not call the
                                        * engine. NULL: the caller knows that max suffices */
    void *ctx;                         /* the caller's */
};

/* A conditional order that fires. */
struct vm_fired {
    uint64_t tag;   /* the caller's */
    int64_t lots;   /* what it would trade; as on_fire leaves it, it does */
    int64_t last;   /* last price, ticks; 0 = none */
    uint32_t owner; /* whose */
};

/* Sizes of an engine, and who is told of level changes, or asked as an order fires. */
struct vm_options {
    uint32_t orders_max; /* slots, a power of two, 64..VM_ORDERS_MAX */
    uint32_t owners_max; /* owners, 1.. */
    uint32_t window; /* ticks of the ring, a power of two, VM_WINDOW_MIN..VM_WINDOW_MAX; 4096 keeps
                          * it in the second-level cache */
    void (*on_level)(void *ctx, uint8_t side, int64_t price,
                     int64_t lots);                         /* a level shows lots now
                          * (0 = gone), once a change; NULL = nobody asks, costs nothing */
    void *ctx;                                              /* for on_level */
    uint16_t (*on_fire)(void *ctx, struct vm_fired *order); /* asked as a trigger fires: the reason
                                     * why the order may not act, REASON_NONE = it may, with the
                                     * lots that it leaves. May not call the engine; NULL = all
                                     * may */
    void *fire_ctx;                                         /* for on_fire */
};

/* The engine; opaque. */
struct vm;

/* What is known about an open order. */
struct vm_view {
    uint64_t id;       /* its id */
    uint64_t tag;      /* the caller's */
    int64_t price;     /* limit, 0 = none */
    int64_t quantity;  /* size as amended */
    int64_t left;      /* open */
    int64_t show;      /* displayed now; left when not an iceberg */
    int64_t filled;    /* traded */
    int64_t prevented; /* lost to self-trade prevention */
    int64_t stop;      /* trigger price now, activation price while it waits for that */
    int64_t expire_ns; /* GTD */
    uint32_t owner;    /* whose */
    uint16_t flags;    /* enum vm_flag */
    uint8_t side;      /* enum vm_side */
    uint8_t type;      /* enum vm_type */
    uint8_t tif;       /* enum vm_tif */
    uint8_t stp;       /* enum vm_stp */
    uint8_t state;     /* enum vm_state */
};

/* One level of the book. */
struct vm_depth {
    int64_t price; /* ticks */
    int64_t lots;  /* shown */
    uint32_t cnt;  /* orders */
};

/* A row of the state, for snapshots and hashes: one head, the owners that hold anything, the book
 * (bids, then asks, best first, each level in its order), then the orders off the book by id. */
struct vm_row {
    uint64_t w[16]; /* w[0] = kind: 1 head, 2 owner, 3 order; the rest in match_rows.c */
};

/* How an amend treats the order's place. */
enum vm_amend {
    VM_AMEND_RULE,   /* keeps it when only the quantity falls, else goes to the back */
    VM_AMEND_KEEP,   /* spot keepPriority: quantity down only, else refused amend_rule */
    VM_AMEND_REQUEUE /* futures PUT: always to the back; to what is filled or less cancels; post-
                      * only that would take cancels; no change is refused */
};

/* Which orders a cancel may end. */
enum vm_only { VM_ANY, VM_ONLY_NEW, VM_ONLY_PART };

/* What a cancel-replace did. */
enum vm_replaced { VM_REPLACE_NONE = 0, VM_REPLACE_CANCELED = 1, VM_REPLACE_PLACED = 2 };

/* vm_bytes returns the size of an engine, 0 for options that make no sense. */
size_t vm_bytes(const struct vm_options *options);
/* vm_init makes an empty engine in zeroed memory of vm_bytes, aligned to 64. out stays the
 * caller's and receives all events. Returns NULL for options that make no sense. */
struct vm *vm_init(void *memory, const struct vm_options *options, struct vm_out *out);

/* vm_place takes a new order and returns its id, or 0: REFUSED tells why and nothing has changed.
 * Ids rise, stay below 2^53 for the first 2^33 orders, and name the slot: one load finds it. */
uint64_t vm_place(struct vm *e, const struct vm_new *order);
/* vm_place_list takes cnt (1..VM_LIST_MAX) orders of one owner with their links and returns the
 * first one's id; ids receives all. All are announced first; then those without parent act in
 * order. 0: REFUSED (one event, tag of the order at fault), nothing has changed. */
uint64_t vm_place_list(struct vm *e, const struct vm_new *orders, uint32_t cnt, uint64_t *ids);
/* vm_cancel ends an order, and the rest of its list. False: REFUSED unknown_order, cancel_rule. */
bool vm_cancel(struct vm *e, uint64_t id, enum vm_only only);
/* vm_cancel_all cancels all orders of owner in order of entry (each with its list) and returns how
 * many ended. Cost: a pass over the owner column up to the highest slot in use. */
uint32_t vm_cancel_all(struct vm *e, uint32_t owner);
/* vm_amend changes price (0 = as it is) and quantity of an order on the book, or the quantity of a
 * conditional one that waits (VM_AMEND_RULE; not VM_CLOSE). False: REFUSED
 * unknown_order, amend_rule, bad_tick, bad_lot, would_match (post-only; VM_AMEND_REQUEUE cancels it
 * instead). A price that crosses takes. */
bool vm_amend(struct vm *e, uint64_t id, int64_t price, int64_t lots, enum vm_amend mode);
/* vm_replace cancels id, then places order; with stop it does not place when the cancel failed.
 * Returns enum vm_replaced bits; new_id receives the new id or 0. */
uint32_t vm_replace(struct vm *e, uint64_t id, enum vm_only only, bool stop,
                    const struct vm_new *order, uint64_t *new_id);
/* vm_expire ends what is good till now_ns or earlier (EXPIRED good_till_date), earliest first;
 * later GTD orders must be for after now_ns. */
void vm_expire(struct vm *e, int64_t now_ns);
/* vm_mark tells the mark price; orders that work on it may fire. */
void vm_mark(struct vm *e, int64_t price);
/* vm_print tells a trade of others (recorded flow): it is the last price; orders may fire. */
void vm_print(struct vm *e, int64_t price);
/* vm_bound lets takers match in lo..hi only; the rest of a taker that would go on expires
 * (price_bound). 1 and VM_PRICE_MAX: no bound. */
void vm_bound(struct vm *e, int64_t lo, int64_t hi);
/* vm_position sets an owner's position in lots (up to VM_POSITION_MAX), > 0 long; reduce-only
 * orders are cut to it. */
void vm_position(struct vm *e, uint32_t owner, int64_t lots);
/* vm_group puts an owner's later orders into a self-trade group (1.., 0 = by itself). */
void vm_group(struct vm *e, uint32_t owner, uint32_t group);

/* vm_best returns the best price of a side, 0 when it is empty. */
int64_t vm_best(const struct vm *e, enum vm_side side);
/* vm_last returns the last price, 0 before the first trade. */
int64_t vm_last(const struct vm *e);
/* vm_open returns how many orders are open, of any state. */
uint32_t vm_open(const struct vm *e);
/* vm_position_of returns an owner's position. */
int64_t vm_position_of(const struct vm *e, uint32_t owner);
/* vm_find tells about an open order; false when there is none. */
bool vm_find(const struct vm *e, uint64_t id, struct vm_view *view);
/* vm_depth writes up to max levels of a side, best first, and returns how many. */
uint32_t vm_depth(const struct vm *e, enum vm_side side, struct vm_depth *out, uint32_t max);
/* vm_at returns what a price level shows: lots, and its orders in cnt (may be NULL). */
int64_t vm_at(const struct vm *e, int64_t price, uint32_t *cnt);
/* vm_ahead returns the shown lots ahead of an order on the book, -1 for any other. A walk. */
int64_t vm_ahead(const struct vm *e, uint64_t id);
/* vm_lots_for returns the most lots that a market order of side could take for at most budget
 * (ticks times lots) as the book stands: a quote quantity of spot. */
int64_t vm_lots_for(const struct vm *e, enum vm_side side, int64_t budget);
/* vm_order_next walks the open orders in no order: pass 0, then the id returned; 0 = the end. */
uint64_t vm_order_next(const struct vm *e, uint64_t id);

/* vm_hash hashes the whole state; equal for equal rows. Costs a pass over everything. */
uint64_t vm_hash(const struct vm *e);
/* vm_rows returns how many rows vm_save writes. */
size_t vm_rows(const struct vm *e);
/* vm_save writes the state as rows (room for max) and returns how many, 0 when max is too few. */
size_t vm_save(const struct vm *e, struct vm_row *rows, size_t max);
/* vm_load fills an empty engine of the same options from rows; it then behaves as the saved one. 0,
 * or -EINVAL: the rows are no state, and the engine must be made anew. */
int vm_load(struct vm *e, const struct vm_row *rows, size_t cnt)
    __attribute__((warn_unused_result));
/* vm_check returns NULL, or what is inconsistent in the engine: for tests; walks everything. */
const char *vm_check(const struct vm *e);
#endif
