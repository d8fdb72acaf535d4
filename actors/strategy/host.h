/* host.h - the actor that runs one strategy: what it hears goes to the class, what the class
 * signals becomes decision packets, sized intents and cancels.
 *
 * For     a topology's actors of kind "strategy", one per strategy; tests look inside.
 * Thread  the shard's.
 * Memory  struct st_host is the actor's state; legs, tables and the class's block come from the
 *         shard's arena at init.
 * Cost    a bar: one indirect call and three stores more than what the class computes.
 *
 * Orders. In each leg the host knows its own position (the sum of its fills; a fee paid in the base
 * asset is off it) and its own open orders. "Held" is the position with what its market orders to
 * close will still take off it; below one lot it counts as nothing.
 *   ST_LONG   held short: closes what is held by a market order, cancels what rests in the leg.
 *             Then, unless it holds a long or an order to open one is in flight, buys the declared
 *             size at market (resting orders to open a short are canceled first).
 *   ST_SHORT  the mirror image; on spot it only closes.
 *   ST_FLAT   cancels what waits to open in the leg, closes what is held at market, cancels what
 *             rests.
 *   On an account in hedge mode (linear) a leg has a long and a short, each with what is said above
 *   by itself: ST_LONG closes no short and ST_SHORT no long, ST_FLAT closes both; ST_ORDER opens or
 *   closes as its terms say ORDER_TERMS_EXIT or not: a sale closes the long or opens the short.
 *   ST_ORDER  that order; price to the tick (buy down, sell up), quantity down to the lot; quantity
 *             0 is the declared size, for an order with ORDER_TERMS_EXIT the whole position.
 *             Further terms (stop_price, display, trail_bips, activation, expire_ns, parent, oco)
 *             are checked together (actors/market/more.h): what does not fit makes no order. With
 *             bracket an order that opens is followed by its exits: a stop at sl (trailing with
 *             trail_bips) and a take-profit limit at tp1, both reduce_only, for as much
 *             as is filled of it; one ends the other, and what of it is still open.
 *             With ORDER_TERMS_CLOSE_POSITION (stop, take_profit; not on spot) it has no quantity:
 *             when it triggers it closes what the account holds then. Where another strategy trades
 *             the instrument on the account it is refused (position_shared). Until it triggers its
 *             quantity is what was held when it was placed, at least one lot.
 *   ST_CANCEL that order, all of the leg, or all. Nothing is canceled twice. The cancel of an order
 *             that execution has not told of yet follows when it does. Where the call has said an
 *             order or a change before, the cancel goes the same way, so that it comes after them.
 *   ST_AMEND  that order: price and trigger to the tick, quantity down to the lot. Refused here
 *             (the packet's second reason says why): unknown_order, amend_rule (a market order, one
 *             that is being canceled, nothing that would change, no more than is filled already),
 *             amend_pending (one at a time). max_position caps nothing: what would pass it is
 *             refused. Until the answer the old figures count.
 *   ST_REPLACE  the order as ST_ORDER; the old one counts neither for max_position nor, where it
 *             closes, as a second one. What risk refuses leaves the old order as it is.
 * Closing orders carry ORDER_TERMS_EXIT; on linear also ORDER_TERMS_REDUCE_ONLY where no other
 * strategy trades the instrument on the account (the venue nets them), or where the order is below
 * min_notional. An order to close that fills when another one had closed the position already (a
 * stop whose cancel came too late) is undone at market at once, reason late_fill. A resting order
 * to close (a protective stop) is not counted as closing. Every signal makes a packet, one for each
 * order that comes of it, one without an order when none does; its second reason then says why not.
 * While paused only cancels, ST_ORDER and ST_REPLACE with ORDER_TERMS_EXIT (protecting what is
 * held) and amends of such orders go out;
 * once stopped only cancels do. max_position caps what orders that open may lead to.
 *
 * In the run's warm-up (warm_up: of the run file) the class hears all and orders nothing: the
 * packet of a signal tells warming_up. The first signal that counts is one at the start.
 *
 * Intervals. With intervals: the class hears bars of those, too, of each leg: of a source where one
 * has the leg's bars of that interval, else made here of what it hears of the leg by interval: (the
 * bars of the shortest one, or trades), as feed makes them. At one instant a leg's shorter bars are
 * told before its longer ones: a longer bar is told right after the bar of the shortest interval
 * that ends with it; where that one is missing, when all else of the instant has been told (where
 * the shortest bars are a feed's, one ns later). On trades a bar is told before a trade of the
 * instant at which it ends. Guards and the size of orders go by the shortest interval.
 *
 * Data. With data_guard each leg's bars go through a guard (actors/data/guard.h) before the class
 * hears them. While that of any leg does not believe its series, or a bar of one is too late, no
 * order that opens comes of a signal: its packet gives the guard's reason. Orders that close
 * (ST_FLAT, the closing half of ST_LONG and ST_SHORT, ST_ORDER with ORDER_TERMS_EXIT) and cancels
 * go out; the class hears its bars as ever, and what rests at the venue stays there.
 *
 * With stale_after: of an instrument its recorded book (where it has none, its trades) is stale
 * after so long without an update, until the next one: classes that hear books are told so, and no
 * order that opens comes of a signal, of any leg (stale_data).
 *
 * Size, all in units of 1e-8:
 *   fixed     the base quantity, down to the lot.
 *   notional  floor(notional x 1e8 / close), down to the lot.
 *   fraction  floor(equity x fraction / close), down to the lot, where
 *             equity = cash + sum over all the account holds, all strategies of an instrument
 *                      netted, of floor(quantity x close / 1e8), for linear less its cost.
 *             One 128-bit product and one division each. Cash and positions are the portfolio's
 *             newest MSG_ACCOUNT_STATE and MSG_POSITION (that of owner 0 where an instrument has
 *             one), before the first the account's deposit.
 *             The close of an instrument is that of the newest row of its finest series, or this
 *             strategy's own last one where that is not older; without any, a position counts at
 *             its cost.
 * close is the last close (or trade) the strategy heard of the leg; where it hears Heikin-Ashi or
 * Renko bars, whose prices were not traded, the close of the newest row of its finest series. */
#ifndef ACTORS_STRATEGY_HOST_H
#define ACTORS_STRATEGY_HOST_H
#include "actors/data/guard.h"
#include "actors/market/book.h"
#include "actors/market/market.h"
#include "actors/strategy/api.h"
#include "actors/strategy/packet.h"
#include "runtime/core/actor.h"
#include "runtime/core/source.h"

/* How an order that opens is sized. */
enum st_sizing { ST_SIZE_FIXED, ST_SIZE_NOTIONAL, ST_SIZE_FRACTION };

enum {
    ST_LEGS_MAX = 32,       /* instruments of one strategy */
    ST_PARAMS_MAX = 48,     /* parameters of one class */
    ST_ORDERS_MAX = 4096,   /* most a run file may ask for as orders_max */
    ST_STATE_MAX = 1 << 24, /* most bytes a class may keep */
    ST_LONGER_MAX = 8,      /* further intervals of one strategy */
};

/* A further interval of a leg. */
struct st_longer {
    struct msg_bar bar; /* what is made so far, or a source's bar that waits to be told */
    int64_t told_ns;    /* end of the newest one told; what begins before it is left out */
    int32_t series;     /* a source's rows of it, -1 = made here */
    bool open;          /* bar holds something: its timer is armed */
};

/* One instrument of the strategy. */
struct st_leg {
    int64_t last;                   /* last close or trade price heard, 0 = none */
    int64_t last_ns;                /* when */
    qty_t position;                 /* own, signed, net of fees in base; in hedge mode the long */
    qty_t shorts;                   /* in hedge mode the short, <= 0 */
    bool hedge;                     /* its account is in hedge mode and it is linear */
    const struct mk_instrument *in; /* which */
    const struct st_packet *packet; /* its decision packet */
    uint16_t series;                /* heard directly, where direct */
    bool direct;                    /* rows of series; else frames of feed */
    int32_t book_series;            /* rows of its book, -1 = not heard */
    int32_t quote_series;           /* rows of its quotes, -1 = not heard */
    struct mk_book *book;           /* where the class hears books, else NULL */
    bool shared;                    /* another strategy trades it on the same account */
    bool watched;                   /* the timer of silence is armed */
    bool silent;                    /* no update of the book for stale_after: it is stale */
    int8_t tier;          /* of its account's fees, -1 = the instrument's rates (cost.h) */
    bool burnt;           /* its account pays them in its fee asset, where it has one */
    int32_t stale_series; /* rows of the book (else the trades) that orders hang on, with
                           * stale_after; else -1 */
};

/* How far the cancel of an order is. */
enum st_canceling {
    ST_CANCEL_NONE,  /* none is wanted */
    ST_CANCEL_SAID,  /* it is on its way */
    ST_CANCEL_WAITS, /* it waits until execution tells of the order */
};

/* One of the strategy's own orders that is not done. */
struct st_order {
    uint64_t id;            /* order id; entries stand in its order */
    qty_t quantity;         /* as passed */
    qty_t filled;           /* so far */
    int64_t price;          /* limit or stop price, 0 = market */
    uint16_t leg;           /* index of its leg */
    uint8_t side;           /* SIDE_* */
    uint8_t type;           /* ORDER_TYPE_* */
    uint8_t terms;          /* ORDER_TERMS_* */
    uint8_t canceling;      /* enum st_canceling */
    uint16_t cancel_reason; /* of the cancel that waits */
    uint8_t told;           /* 1 = execution has told of it */
    uint8_t amending;       /* 1 = an amend of it is on its way */
    uint8_t pad[6];         /* zero */
};

enum { ST_HELD_SHORT = 0x8000 }; /* in st_held.instrument: the short of hedge mode */

/* A position of the account, as the portfolio told it. */
struct st_held {
    qty_t quantity;      /* signed */
    cash_t cost;         /* signed like quantity */
    uint16_t instrument; /* with ST_HELD_SHORT; entries stand in order of instrument, owner */
    uint16_t owner;      /* its strategy; 0 = all of the account's, netted */
    uint32_t pad;        /* zero */
};

/* State of the actor. */
struct st_host {
    /* what every bar touches */
    const struct st_class *cls; /* its class */
    void *class_state;          /* the class's block */
    struct rt_ctx *ctx;         /* of the call in hand */
    struct st_leg *legs;        /* its instruments */
    int64_t interval_ns;        /* 0 = trades; bricks: that of the rows they are made of */
    uint16_t bars;              /* number of the named bars it hears, 0 = none */
    bool untraded;              /* their prices are not prices that were traded */
    uint16_t leg_cnt;           /* how many */
    uint16_t self;              /* actor id */
    bool live;                  /* started, enabled and not stopped: the class is called */
    bool paused;                /* no new decisions */
    bool stopped;               /* no more intents */
    bool special;               /* it hears more than rows of one interval: books, quotes, longer
                                 * bars */
    bool enabled;               /* false: does nothing, ever */
    bool watches;               /* a leg has a stale_series */
    bool cancel_on_stop;        /* a stop of this actor alone cancels its open orders */
    uint8_t account;            /* account id */
    uint16_t param_cnt;         /* parameters of the class */
    uint32_t intents;           /* said in the call in hand */
    struct data_guard *guards;  /* of the legs' bars; NULL = none */
    struct st_longer *longer;   /* by leg x longer_cnt + place in longer_ns */
    uint16_t longer_cnt;        /* further intervals, 0 = none */
    /* what a decision touches */
    const struct mk_market *market;       /* the world */
    struct st_order *orders;              /* open orders, by id */
    struct st_held *held;                 /* the account's positions */
    int32_t *finest;                      /* by instrument id: its finest series, -1 = none */
    uint32_t order_cnt, orders_max;       /* in use; room for all but orders that close */
    uint32_t orders_cap;                  /* room with those: two more for each leg */
    uint32_t held_cnt, held_max;          /* in use; room */
    uint64_t sequence;                    /* of the newest order id */
    int64_t warm_ns;                      /* before it no order is made: the run's warm-up */
    cash_t cash;                          /* of the account, newest told */
    enum st_sizing sizing;                /* how to size */
    int64_t size;                         /* quantity, cash or fraction, 1e-8 */
    int64_t longer_ns[ST_LONGER_MAX];     /* further intervals, rising */
    qty_t position_max;                   /* cap of a leg's position, 0 = none */
    size_t state_bytes;                   /* of the class's block */
    uint8_t *scratch;                     /* as many: snapshots pass through it */
    size_t blob_bytes;                    /* size of the snapshot being loaded, 0 = none */
    size_t blob_got;                      /* bytes of it so far */
    union st_value params[ST_PARAMS_MAX]; /* values as they are now */
    uint8_t *leg_of;                      /* by instrument: its leg, ST_LEGS_MAX = it has none */
    uint8_t leg_of_rows[RT_SERIES_MAX];   /* by series that is heard directly: its leg */
};

/* The descriptor for actors/registry.c. */
extern const struct rt_actor_kind strategy_kind;

/* st_host_evaluate asks the class what it would advise now in leg, without acting; false when the
 * class does not tell. */
bool st_host_evaluate(struct rt_ctx *ctx, struct st_host *h, uint16_t leg, struct st_signal *out);

/* st_host_init is the actor's init (setup.c): reads its map; 0 or negative errno with err. */
int st_host_init(struct rt_init *init, void *state, struct rt_error *err);
/* st_param_range gives the least and the greatest value of p in the unit its values have: int64 for
 * all but doubles. */
void st_param_range(const struct st_param *p, union st_value *min, union st_value *max);

/* st_param_load finds the parameter named name of the actor whose own map is config, and reads text
 * as its value, within its range: for `set` (a double's bits where it is one). 0 or -EINVAL with
 * err. Whether it agrees with the other parameters the host decides when it hears the command. */
int st_param_load(struct rt_node *config, const char *name, const char *text, uint16_t *param,
                  int64_t *value, struct rt_error *err);

/* st_size computes the declared size of an order that opens in leg (size.c). Returns REASON_NONE
 * with *out a multiple of the lot above zero, else why there is none. */
uint16_t st_size(struct st_host *h, uint16_t leg, qty_t *out);
/* st_newest returns the close (or price) of the newest row of an instrument's finest series, 0 =
 * none, and in *at_ns when it was known. */
int64_t st_newest(struct st_host *h, uint16_t instrument, int64_t *at_ns);
/* st_equity computes the account's equity as described above; false when it leaves 64 bits. */
bool st_equity(struct st_host *h, cash_t *out);

/* Keys of the timers at which longer bars end, from here on; a class's own are below. */
#define ST_LONGER_KEY (UINT64_C(1) << 32)

/* Keys of the timers by which a leg's book may be silent: this, and the leg. */
#define ST_SILENT_KEY (UINT64_C(2) << 32)

/* st_longer_read reads intervals:, once the legs are known (longer.c). */
int st_longer_read(struct rt_init *init, struct st_host *h, struct rt_node *config,
                   struct rt_error *err);
/* st_longer_bars tells a run of bars of the shortest interval, and the longer ones they end;
 * returns how many of the cnt it took. */
uint32_t st_longer_bars(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                        const struct msg_bar *bar, uint32_t cnt);
/* st_longer_trades tells a run of trades, and the bars they end. */
uint32_t st_longer_trades(struct rt_ctx *ctx, struct st_host *h, uint16_t leg,
                          const struct msg_trade *trade, uint32_t cnt);
/* st_longer_row takes a source's bar of a further interval; false when series has none. */
bool st_longer_row(struct st_host *h, uint16_t series, const struct msg_bar *row);
/* st_longer_timer tells the bar whose end has come without a shorter one that ends with it. */
void st_longer_timer(struct st_host *h, uint64_t key);
/* st_longer_interests raises or lowers the interest in the sources' bars of further intervals. */
void st_longer_interests(const struct st_host *h, bool up);

/* st_host_save and st_host_load are the actor's save and load (rows.c). */
void st_host_save(const void *state, struct rt_row_sink *sink);
/* st_host_load takes back one row. */
int st_host_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                 struct rt_error *err);
#endif
