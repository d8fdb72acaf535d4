/* api.h - the interface of a strategy written in C.
 *
 * For     authors of strategies. A strategy declares parameters, hears what it asked for, and
 *         answers with signals; the host (actors/strategy/host.c) makes a DecisionPacket of each,
 *         sizes and rounds it, and says the intent. A strategy sees no clock, file or socket: time
 *         is what the host passes.
 * Thread  the shard's.
 * Memory  one state block of state_bytes, zeroed, given by the host; nothing else.
 * Cost    one indirect call a bar; a handler that signals nothing costs what it computes. */
#ifndef ACTORS_STRATEGY_API_H
#define ACTORS_STRATEGY_API_H
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Type of a parameter. */
enum st_type { ST_INT, ST_FIXED, ST_DOUBLE, ST_BOOL, ST_DURATION };

/* One declared parameter; checked at load, changed by `shrike ctl set` within its range. */
struct st_param {
    const char *name;  /* key under params: */
    enum st_type type; /* what it is; ST_FIXED in 1e-8, ST_DURATION in ns, ST_BOOL 0 or 1 */
    double min, max;   /* range, in the unit people write; a duration's in seconds */
    double def;        /* default, in the unit people write */
    const char *help;  /* one line */
};

/* A parameter's value; which member counts is told by its type. */
union st_value {
    int64_t i; /* int, fixed, bool, duration */
    double d;  /* double */
};

/* What a signal advises. */
enum st_action {
    ST_LONG,    /* be long by the declared size (a short position is closed first) */
    ST_SHORT,   /* be short by the declared size (a long one is closed first); spot: only closes */
    ST_FLAT,    /* close what is held */
    ST_WAIT,    /* decided to do nothing: a packet without an order */
    ST_ORDER,   /* exactly the order given: side, type, price, quantity (0 = declared size) */
    ST_CANCEL,  /* cancel order_id (0 = all of this strategy's in the instrument; with leg
                * ST_ALL_LEGS in all of its instruments) */
    ST_AMEND,   /* give the open order order_id another price, stop_price or quantity (with what is
                * filled of it), 0 = as it is: it stays the same order. A smaller quantity at the
                * same price keeps its place, anything else goes behind those that are there */
    ST_REPLACE, /* as ST_ORDER, once order_id is canceled: what is asked of the venue is one thing.
                 * Where the cancel fails (it was filled before) no order comes of it,
                 * cancel_failed; with anyway it is placed all the same */
};

#define ST_ALL_LEGS UINT16_MAX /* st_signal.leg of ST_CANCEL with order_id 0: all of them */

#define ST_OCO_FIRST UINT64_MAX /* st_signal.oco: this order is the first of its group */

/* One signal. Zero what is not known: absent in the packet. */
struct st_signal {
    enum st_action action;     /* what it advises */
    uint16_t leg;              /* index of the instrument in the strategy's list */
    uint16_t reason;           /* REASON_* */
    uint8_t side, type, terms; /* for ST_ORDER: SIDE_*, ORDER_TYPE_*, ORDER_TERMS_* */
    int64_t price;             /* for ST_ORDER: limit or stop price; the host rounds to the tick */
    int64_t quantity;          /* for ST_ORDER: 0 = declared size */
    uint64_t order_id;         /* for ST_CANCEL, ST_AMEND, ST_REPLACE: which */
    int64_t sl, tp1, tp2;      /* levels for the packet, 0 = none */
    int64_t stop_price;        /* for ST_ORDER: trigger of stop_limit, take_profit_limit; else 0 */
    int64_t display;           /* for ST_ORDER: part of the quantity to show (iceberg), 0 = all */
    int64_t activation;        /* for ST_ORDER: trailing_stop follows from this price on, 0 = now */
    int64_t expire_ns;         /* for ST_ORDER with ORDER_TERMS_GTD: when it expires, ns UTC */
    uint64_t parent;           /* for ST_ORDER: begins and grows with the fills of this order, which
                                * is placed in the same call or still open; 0 = none */
    uint64_t oco;              /* for ST_ORDER: ST_OCO_FIRST, or the group's first order: one fill,
                                * trigger or cancel ends the others; 0 = none */
    uint32_t trail_bips; /* for ST_ORDER: trailing_stop, 1e-4 of the extreme. With bracket: the
                                * stop is a trailing one */
    uint8_t working;     /* for ST_ORDER: what its trigger looks at, 0 = the last price, 1 = the
                          * mark. With bracket: of the stop */
    uint8_t stp;         /* for ST_ORDER: MK_STP_* of actors/market/more.h, 0 = as declared */
    bool anyway;         /* for ST_REPLACE: the new order is placed though the cancel fails */
    bool bracket;        /* an order that opens is followed by its exits, at sl (or trailing)
                                * and tp1, that begin and grow with its fills: one ends the other,
                                * and what of it is still open */
    double strength;     /* signal_strength, 0 = not told */
    double confidence;   /* confidence_score, 0 = not told */
    int64_t valid_ns;    /* how long the decision holds, 0 = not told */
};

/* A book as it stands after an update. */
struct st_book {
    int64_t bid, ask;                   /* best prices, 0 = the side is empty */
    int64_t bid_quantity, ask_quantity; /* what rests there */
    int64_t mid;        /* half-way between them, rounded down; 0 = one is missing */
    int64_t time_ns;    /* of the update, ns UTC */
    uint64_t update_id; /* the venue's number of it */
    double imbalance;   /* (bid - ask quantity) / (their sum), -1..1; 0 when both are empty */
    bool stale;         /* it cannot be believed: nothing is filled by it, wait for the next */
};

/* A level of a book. */
struct st_level {
    int64_t price;    /* 1e-8 quote */
    int64_t quantity; /* 1e-8 base */
};

/* What the strategy may ask of its host. */
struct st_host;
/* st_now returns the time of what is in hand, ns UTC. */
int64_t st_now(const struct st_host *h);
/* st_signal answers with a signal; any number per call, and what the class asks for by ST_ORDER,
 * ST_AMEND, ST_REPLACE and ST_CANCEL reaches the venue in the order it was said. Returns the order
 * id that came of it (of ST_AMEND that of the order, which is on its way to be amended), 0 when
 * none did (wait, cancel, size below a lot, paused). */
uint64_t st_signal(struct st_host *h, const struct st_signal *s);
/* st_timer arms the strategy's timer key to at_ns; st_timer_cancel disarms it. */
void st_timer(struct st_host *h, uint32_t key, int64_t at_ns);
/* st_timer_cancel disarms timer key. */
void st_timer_cancel(struct st_host *h, uint32_t key);
/* st_position returns the strategy's own signed position in leg, 1e-8 base; in hedge mode its long
 * and short together. */
int64_t st_position(const struct st_host *h, uint16_t leg);
/* st_position_of returns one of its positions in leg, signed: on an account in hedge mode the long
 * (is_short false) or the short; in one-way mode the position where it is of that sign, else 0. */
int64_t st_position_of(const struct st_host *h, uint16_t leg, bool is_short);
/* st_held returns the same in whole lots, less what market orders to close will still take off it:
 * 0 once everything held is on its way out, and for dust below a lot. */
int64_t st_held(const struct st_host *h, uint16_t leg);
/* st_open_orders returns how many of its orders in leg are not done. */
uint32_t st_open_orders(const struct st_host *h, uint16_t leg);
/* st_last returns the last close (or trade price) told for leg, 0 before the first. */
int64_t st_last(struct st_host *h, uint16_t leg);
/* st_levels writes up to max levels of a side (SIDE_BUY: bids) of leg's book, best first, and
 * returns how many; 0 where the class hears no book or it is stale. */
uint32_t st_levels(const struct st_host *h, uint16_t leg, uint8_t side, struct st_level *out,
                   uint32_t max);
/* st_random draws the strategy's next random number. */
uint64_t st_random(struct st_host *h);
/* st_params returns the parameters as they are now, one per declared one, in its order. A class
 * keeps no pointer to them: its state outlives the process. */
const union st_value *st_params(const struct st_host *h);

/* What a strategy is told when it starts. */
struct st_start {
    const union st_value *params; /* one per declared parameter, in its order; may change by set */
    uint16_t leg_cnt;             /* instruments in its list */
    int64_t interval_ns;          /* its interval, 0 = trades */
    const int64_t *longer_ns;     /* further intervals (intervals:), rising */
    uint16_t longer_cnt;          /* how many */
};

/* A strategy class. Handlers that are NULL are not called. */
struct st_class {
    const char *name;              /* as in YAML: "sma_cross" */
    const char *help;              /* one sentence */
    const struct st_param *params; /* ends with a NULL name */
    uint16_t leg_min, leg_max;     /* how many instruments it takes */
    uint16_t longer_min;           /* how many further, longer intervals it needs */
    uint16_t longer_max;           /* how many it takes */
    size_t state_bytes;            /* for the params as given: see state_bytes_for */
    /* bytes of state for these parameters, when they matter; NULL = state_bytes. */
    size_t (*state_bytes_for)(const union st_value *params);
    /* checks parameters against each other (fast < slow): NULL when fine, else what is wrong. */
    const char *(*check)(const union st_value *params);
    /* the run starts: the first thing it hears. */
    void (*on_start)(struct st_host *h, void *state, const struct st_start *start);
    /* a bar of a leg has ended; bar->interval_ns tells which of its intervals it is of: at one
     * instant shorter ones are told before longer ones (host.h). */
    void (*on_bar)(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar);
    /* takes as many of the cnt (>= 1) bars that follow in leg, oldest first, as can be told at once
     * that nothing would be signaled on them, and returns how many (0..cnt): a shorter way through
     * bars on which on_bar would do nothing but count. It may ask its host nothing. NULL = none. */
    uint32_t (*skip_bars)(void *state, uint16_t leg, const struct msg_bar *bars, uint32_t cnt);
    /* tells how many of the cnt bars that follow in leg skip_bars would take, and changes nothing:
     * until then bars of leg need not be told one by one. A class that has it says that what it
     * keeps of a leg's bars it uses in calls of that leg alone. NULL = none. */
    uint32_t (*quiet_bars)(const void *state, uint16_t leg, const struct msg_bar *bars,
                           uint32_t cnt);
    /* a trade of a leg was printed. */
    void (*on_trade)(struct st_host *h, void *state, uint16_t leg, const struct msg_trade *trade);
    /* best bid and ask of a leg, where a source has its quotes. */
    void (*on_quote)(struct st_host *h, void *state, uint16_t leg, const struct msg_quote *quote);
    /* the book of a leg after each update, and when it becomes stale; every leg must have one. */
    void (*on_book)(struct st_host *h, void *state, uint16_t leg, const struct st_book *book);
    /* an order of its own stands so. */
    void (*on_order)(struct st_host *h, void *state, uint16_t leg, const struct msg_order_state *o);
    /* what became of an amend: reason none, the order has these figures now (on_order follows),
     * else why not; by AMEND_BY_VENUE: nobody asked. */
    void (*on_amend)(struct st_host *h, void *state, uint16_t leg,
                     const struct msg_order_amended *a);
    /* an order of its own filled, in part or whole; positions hold it already. */
    void (*on_fill)(struct st_host *h, void *state, uint16_t leg, const struct msg_fill *fill);
    /* timer key has come due. */
    void (*on_timer)(struct st_host *h, void *state, uint32_t key);
    /* a parameter was changed by `set`; new ones are in range and have passed check. */
    void (*on_set)(struct st_host *h, void *state);
    /* the last thing it hears; no order comes of what it signals. */
    void (*on_stop)(struct st_host *h, void *state);
    /* computes what it would advise now without acting: for console and review. */
    void (*evaluate)(struct st_host *h, const void *state, uint16_t leg, struct st_signal *out);
    /* writes what must survive into out (cap bytes) and returns its size; NULL = the whole state as
     * it lies. */
    size_t (*snapshot)(const void *state, void *out, size_t cap);
    /* takes back what snapshot wrote, into a zeroed state; 0 or negative errno. */
    int (*restore)(void *state, const void *bytes, size_t cnt);
};

/* st_classes lists the built-in classes, ends with NULL (actors/strategy/classes.c). */
extern const struct st_class *const st_classes[];
/* st_classes_more lists further classes that a program brings (the bench), ends with NULL; NULL =
 * none. Set before a run file is loaded. */
extern const struct st_class *const *st_classes_more;
#endif
