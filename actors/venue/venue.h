/* venue.h - the simulated venue: takes requests, works orders against bars, trades or a recorded
 * book, and owns the truth of balances.
 *
 * For     backtests, paper runs on the built-in market, tests. What works the orders of an
 *         instrument (its driver) is told from what is declared for it, the finest first: its book,
 *         its trades, its finest bars. The actor, its requests and its money (account.h) know of no
 *         bar; a matching engine is one driver more.
 *
 * Rules of bar runs
 *   When    A bar is known at its end. An order decided at T is worked from the first bar of the
 *           finest series that opens at or after T + latency in whole bars (floor(latency /
 *           interval) * interval): decided on the close of bar t or by a timer at that instant,
 *           from bar t+1; decided inside a bar, from the next, never in a bar already open.
 *           Decided at an open that has been told (on a fill at it), with a latency below one bar:
 *           limit and stop on the rest of that bar, whose path begins at its open; market from the
 *           next. Missing bars are skipped. A bar without volume works nothing, unless its source
 *           declares none (flag 1); an order's first bar is the first that works.
 *   Price   Market: the open. Limit: on its first bar, when the open is at the limit or better, at
 *           the open, as taker; else once a bar trades strictly beyond it, at the limit, or at an
 *           open strictly beyond it, at that open, as maker. Stop: triggers when touched, fills at
 *           the worse of stop and open, as taker. Slippage: account.h.
 *   Path    Open, one extreme, the other, close. Orders are worked where the path meets them: at
 *           one price stops first, then by order id (all that an open meets, it meets at one
 *           price), each against the cash and position the one before left. An order waits above
 *           or below: buy limits and sell stops are met by a fall, sell limits and buy stops by a
 *           rise. Where a bar touches orders of an account on both sides, both paths are worked on
 *           copies and the one that leaves it less worth at the close counts; equal: the extreme
 *           against its position first; flat: low first. Each account goes its own way, in order
 *           of ids, and is told in that order; at an open too.
 *   Cancel  At once. Where a bar ends at that very instant whose path is still to be worked (the
 *           cancel comes of a fill in another instrument), after that: the fill answers it. Amends
 *           (amend.h) and orders that replace another likewise: those wait until then.
 *   Told    A fill at an open carries that instant, others their bar's end, before the bar is told.
 *   Cap     participation of an instrument: that share of a bar's volume may be ours, all orders of
 *           all accounts together in the order they are worked, in whole lots, rounded down. How
 *           much a bar trades is known at its end: then the open is worked too, before the path,
 *           and all fills carry the bar's end. What a market order or a triggered stop does not get
 *           it takes at the next bar's open, as taker; a limit's rest waits at its limit. ioc: the
 *           rest expires with not_filled_at_once; fok: all at once or nothing. A trigger acts
 *           though nothing is left to trade. A cancel inside a bar of what its open found is
 *           answered after the bar. A liquidation is not capped.
 *   Terms   ioc, fok (limit, market): a limit that its first open does not fill expires with
 *           not_filled_at_once. post_only (limit): is rejected with would_match where it would
 * take. reduce_only: cut to what reduces the account's position.
 *
 * Orders with further terms; on bars, and what differs elsewhere below
 *   Types   take_profit: triggers when touched from the other side than a stop; fills at the
 *           trigger, or at an open beyond it at that open, as taker. stop_limit,
 *           take_profit_limit: once triggered a limit order that begins where the path is: as
 *           taker when the limit is met there, else it works on the rest of the path, as maker.
 *           trailing_stop: its trigger is trail_bips from the extreme since it follows (at once, or
 *           from its activation on), rounded to the tick away from the price. The extreme moves
 *           along the path, the way back meets the trigger, in the same bar. Else as a stop.
 *   Mark    working mark (linear): the trigger is tested on the mark's path, where a series of
 *   marks is
 *           declared, else on the last price's. On bars the mark's own bar of the same time goes
 *           open, extreme, extreme, close with the bar, leg by leg in step: where the mark is at
 *           the trigger, as far along its leg as that is, the bar is as far along its own, rounded
 *           to the tick against the order; it is worked there. An open alone tests none; a mark
 *           that opens beyond counts from the bar's open on. A bar without a bar of marks is its
 *           own. On trades and books each mark told tests it (of a bar: the extreme that is best
 *           for it, then the other; of one that had begun before the order was there its close
 *           alone; among simulated traders open, high, low, close for all), and what fires acts as
 *           if a trade had triggered it. Trailing stops follow the mark.
 *   Close   close_position: closes what the account holds against it when it triggers, whole lots;
 *   its
 *           quantity is changed to that then (MSG_VENUE_AMENDED, unasked). With nothing to close it
 *           expires with reduce_only.
 *   gtd     Expires at its instant with good_till_date; a bar or trade of before is worked, one
 *           that ends at that instant too.
 *   Lists   A child begins where its parent is first filled, on the rest of the path of the same
 *           bar, for as much as was filled, and grows with each further fill up to its own
 *           quantity: what is held is always protected; what is added to a limit that rests in a
 *           book goes behind those that are there. With children: filled, as at Binance (and where
 *           nothing is declared in books and among simulated traders), it begins once the parent is
 *           wholly filled. When the parent ends before, children that have not begun expire with
 *           list_parent; one that has lives on for the part that was filled, and when it has traded
 *           that its rest expires with list_parent. A child's fill or trigger ends what is open of
 *           its parent (list_partner): the position is on its way out. Of an oco group one fill (in
 *           part too), trigger or cancel ends the others, which expire with list_partner; an order
 *           that joins a group must find its first one open. A parent must be open, or have ended
 *           filled, whole or in part, as it arrived at this very instant.
 *   Path    Accounts with such orders in the instrument walk the whole path: open, extreme,
 *           extreme, close; of both ways the one that leaves less worth at the close counts, as
 *           above. They walk it only as far as a liquidation.
 *   Trades  Triggers and parents act on orders from the next trade on; a triggered limit waits for
 *           a trade strictly beyond it.
 *   Books   A trade triggers (where the book has no trades the touch: asks buys, bids sales); what
 *           is triggered takes from the book at once, a limit's rest rests in it. Children begin at
 *           once, when all that the row meets is done; their triggers are compared first
 *           with the price that filled the parent, where a trailing stop begins to follow.
 *   Traders Triggers, trailing and shown parts are the engine's (match.h); lists are ended and
 *           begun here: children are sent when the taker that filled the parent has finished.
 *           Where one taker meets two of a group both fills count, as they were printed; what
 *           then is still open of the group ends.
 *   Travel  What hangs on an order that was said at the same instant arrives with it.
 *   Shown   display (iceberg): changes nothing on bars and trades, where nobody sees these orders.
 *           In a book a print at the price fills at most the part shown; the next part joins
 *           behind what is displayed there then.
 *
 * Rules of trade runs
 *           A request arrives latency (latency.h: feed and order) after it was said (a cancel
 *           too), before a trade of that instant. Market: at the next trade's price, as taker.
 *           Limit: when a trade prints strictly beyond it, at the limit, as maker; ioc and fok at
 *           the next trade or not at all, at the limit, as taker. Stop: triggered by a touch, fills
 *           at the trade after that, at its price, as taker. All that one trade meets is worked by
 *           account, stops first, then by order id. The print's size limits nothing; with
 *           participation all that meets a print shares that part of its size, in whole lots, and
 *           the rest goes on with the next trade, by the rules of bars. A fill is told at the
 *           trade's time, before the trade is.
 *
 * Rules of book runs
 *   When    As in trade runs. The book stands when it is not stale (before its first snapshot,
 *           after a gap, crossed, silent) and no update is in hand. What arrives while it does not
 *           stand is accepted and waits; when it stands again what waits is worked by arrival.
 *           Nothing is filled, by book or print, while it does not stand.
 *   Takes   Market, triggered stop and a limit that crosses take from the levels shown, best first,
 *           each level a fill at its price, as taker; slippage is counted from the touch. What
 *           orders of ours took from a level is gone until the recording changes that level. What
 *           a market order or stop does not get expires with not_filled_at_once, so does an ioc
 *           limit's rest; fok takes all at once or expires; post_only that would take is rejected.
 *   Rests   A limit's rest joins the queue of its price behind what is shown there (queue.h). A
 *           trade at its price against its side fills what of it reaches the order, down to the
 *           lot; what filled an order of ours is not there for those behind it. A trade beyond its
 *           price, or an update that leaves the other side's best at its price or beyond, fills it
 *           whole; all at its limit, as maker.
 *   Stop    Triggered by a trade's touch, where the book has no trades by its own; takes at once.
 *   Cap     participation: of each level shown and of each print that share may be ours, in lots;
 *           then a trade or a book beyond the price fills no more than that either.
 *   Gap     A snapshot leaves an order's place as it was, at most all that is shown: what was
 *           canceled meanwhile was behind it.
 *   Silent  With stale_after: of the instrument a book without an update for longer does not stand
 *           until its next one; what rests keeps its place. How often is told at the end.
 *   Others  Orders of ours do not meet one another.
 *
 * Order by order (rows of MSG_BOOK_ORDER; the rules of books, but for what stands here)
 *   Queue   At each price the orders of others and ours stand in one queue by time. An execution of
 *           an order of others fills first what of ours stands before it: at a better price, or at
 *           its price since before it got its place; in that order, in lots, each at its limit, all
 *           together no more than was executed. Of an order whose beginning is not known: only what
 *           stands at a better price. A trade with a hidden order: also at its price, where nothing
 *           shown is before ours, and on the other side what stands at a better price than that. An
 *           auction's trade fills nothing of ours. An order of others that joins where ours of the
 *           other side stand meets them first.
 *   Takes   From a level the orders that are first. What of an order was taken is gone as long as
 *           it is there: what is executed or canceled of it beyond the rest is nobody's.
 *   Assumed Others do as recorded: that ours were filled in their stead, or took from them, changes
 *           nothing of what they do; who finds less than was recorded does not look elsewhere.
 *   Stands  Not either in a halt; nor once there were more orders than book_orders: has room for,
 *           which is told at the end. An update goes on as long as the book is crossed.
 *   Gap     What is told after it still counts; those a snapshot names keep their place, ours
 *           theirs.
 *   Shown   A print fills at most the part shown; the next stands behind all that is there then.
 *
 * Rules of runs among simulated traders (agents.h)
 *   Market  For instruments that agents: names, from the start to the stop of the run; public
 *           trades and quotes are said as they happen, a fill of ours before the trade that it is.
 *   When    A request arrives latency after it was said, at once without one.
 *   Works   Orders of ours stand in the engine's book (match.h) among the traders': price before
 *           time, partial fills, whoever comes. Our own meet one another, unless they prevent it.
 *           A stop that is true on arrival acts at once. What a market order does not get expires
 *           with not_filled_at_once or, where nothing is there, no_liquidity.
 *   Money   As everywhere, at each fill (account.h): what cash or holdings do not cover is cut, and
 *           the rest of the order expires; the trade was printed whole. fill-or-kill is looked at
 *           before it is sent.
 *   Own     Whether orders of ours trade with those of their account, or of its group (stp_group:),
 *           the taker's self-trade prevention tells (its own, else the account's, else the
 *           instrument's; match.h): what that takes off an order is a change of its quantity
 *           (MSG_VENUE_AMENDED, self_trade), an end has the reason self_trade; what moves between
 *           accounts (transfer) is a fill of each, at the maker's price, liquidity none, without a
 *           fee or a public trade. On bars, trades and recorded books orders of ours never meet.
 *   Reduce  On linear reduce_only orders need a position to reduce on arrival, else rejected with
 *           reduce_only, and are cut when it shrinks (match.h); the rest expires with their last
 *           fill.
 *
 * Margin, liquidation, funding: backing.h.
 *
 * Replace   The old order is canceled, then the new one arrives, as one request. Where there is no
 *           such open order (any more) the new one is rejected with cancel_failed, unless it is to
 *           be placed anyway.
 *
 * All       One event tells 128 answers at most, the rest in events of their own at the same
 *           instant, so that a row that fills very many orders overruns nobody. On arrival an
 *           order is accepted (numbered from 1) or rejected: unknown_instrument,
 *           market_closed (no series, or the data has ended), unsupported (kinds, terms, an
 *           account in another currency), bad_lot, bad_tick, venue_... (rules.h), overflow,
 *           min_notional (a market order's at the last price told, if any; not of reduce_only on
 *           linear), duplicate_id (among open orders), open_orders_max, insufficient_margin,
 *           leverage_limit, insufficient_balance (spot: free does not cover what it locks,
 *           locks.h). A cancel is answered by canceled, or by rejected with unknown_order, which
 *           says nothing of the order. What an order has not locked and free does not cover is cut
 *           when it is met (account.h). On MSG_STOP with end_of_data all open orders expire, by
 *           order id, then those on their way. Where what is locked has changed,
 *           MSG_VENUE_BALANCE says so at the end of the event.
 *
 * Thread  its shard's.
 * Memory  2 * orders_max slots of 64 + 96 bytes, as many picks and deals, from the arena at init.
 * Cost    without orders: nothing, no series is heard but recorded books. Opens are heard while
 *         orders are open, bars (trades) early while a limit or stop waits; a bar that meets none
 *         costs two comparisons. */
#ifndef ACTORS_VENUE_VENUE_H
#define ACTORS_VENUE_VENUE_H
#include "actors/venue/account.h"
#include "actors/venue/answers.h"
#include "actors/venue/fees.h"
#include "actors/venue/latency.h"
#include "actors/venue/ledger.h"
#include "actors/venue/locks.h"
#include "actors/venue/orders.h"
#include "actors/venue/rules.h"
#include "runtime/core/actor.h"

extern const struct rt_actor_kind venue_kind;

/* What is to be done with an order that a row meets. */
enum venue_act {
    VENUE_TRADE,  /* trade it at the pick's price */
    VENUE_MISSED, /* ioc, fok: expire it, not_filled_at_once */
    VENUE_REFUSE, /* post_only: reject it, would_match */
    VENUE_FIRE,   /* it has triggered */
};

/* When children of a list begin, as declared. */
enum venue_children {
    VENUE_CHILDREN_USUAL, /* not declared: on bars and trades GROW, else WHOLE */
    VENUE_CHILDREN_GROW,  /* with each fill of their parent, for as much */
    VENUE_CHILDREN_WHOLE, /* once it is wholly filled */
};

/* An order that a row meets. A driver gathers picks and sorts them into the order of work. */
struct venue_pick {
    int64_t rank;      /* where on its side the path meets it: smaller is earlier */
    uint64_t order_id; /* last key of the order of work */
    price_t price;     /* undisturbed price it trades at */
    qty_t quantity;    /* how much of it may trade */
    uint32_t idx;      /* its slot */
    uint8_t account;   /* first key of the order of work */
    uint8_t upper;     /* 1 = met by a rise, 0 = by a fall */
    uint8_t after;     /* 0 = a stop, 1 = any other: stops first at one price */
    uint8_t act;       /* enum venue_act */
    uint8_t liquidity; /* LIQUIDITY_* */
    uint8_t pad[7];    /* zero */
};

/* An order on the path of one way through a bar (path.h). */
struct venue_step {
    price_t extreme; /* as in struct venue_more */
    qty_t left;      /* what of it is still to be traded */
    qty_t waits;     /* as in struct venue_more */
    qty_t closes;    /* close_position that has triggered on this way: what it closes; else 0 */
    uint32_t idx;    /* its slot */
    uint8_t stage;   /* enum venue_stage */
    uint8_t pad[3];  /* zero */
};

struct venue_depth;      /* depth.h */
struct venue_fund;       /* fund.h */
struct venue_lack;       /* fund.h */
struct venue_forced_leg; /* backing.h */
struct venue_crowd;      /* crowd.h */

enum {
    VENUE_COUNTER_DEPTH = 0x100000, /* counters of recorded books in snapshots, from here on */
    VENUE_TIMER_EAGER = 0x10000,    /* + instrument id: timer by which orders go on taking */
    VENUE_JOINED_MAX = 16,          /* orders filled as they arrived that are remembered */
    VENUE_DEALS = 2,                /* an order's part fill and its end, on one way */
    VENUE_TIMER_CROWD = 0x30000,    /* + instrument id: timer of simulated traders */
    VENUE_TIMER_SILENT = 0x40000,   /* + instrument id: timer by which a book may be silent */
    VENUE_TIMER_TERM = 0x50000,     /* + instrument id: timer of its expiry */
};

/* The venue's state. */
struct venue {
    const struct mk_market *market; /* the world */
    struct venue_orders orders;     /* all orders */
    struct venue_book *books;       /* by instrument id - 1 */
    cash_t *cash;                   /* by account id - 1 */
    int64_t *burn_held;             /* by account id - 1: what it has of its fee asset */
    struct venue_holding *holdings; /* by (account id - 1) * instrument_cnt + instrument id - 1 */
    struct venue_holding *shorts;   /* likewise: shorts of accounts in hedge mode */
    struct venue_fund *funds;       /* by asset: the insurance fund; NULL = none is declared */
    struct venue_lack *lacks;       /* what a row met that the fund cannot pay, likewise */
    struct venue_forced_leg *forced[2]; /* scratch: what is closed by force on two ways */
    struct venue_ledger *ledger;        /* by asset: the venue's books */
    struct venue_fees fees;             /* tiers of accounts that have them */
    struct mk_charged *charged;   /* beside each slot of orders: what it has paid of charges; NULL
                                     * where no instrument has any */
    struct venue_lock *locks;     /* like holdings: what open orders lock of them */
    struct venue_locked *locked;  /* by account id - 1: of its cash */
    uint16_t *book_of;            /* instrument id by index of series, of prices, marks and
                                     * funding; 0 = none of ours */
    struct venue_pick *picks;     /* scratch: what a row meets, orders_max + 1 */
    struct venue_pick *gone;      /* scratch: what is canceled together, orders_max */
    struct venue_deal *deals[2];  /* scratch: what comes of the picks, for two ways of working */
    struct venue_step *steps[2];  /* scratch: an account's orders on two ways, orders_max each */
    uint32_t *who[2];             /* scratch: which of them the deals are of */
    struct rt_map_slot *sorted;   /* scratch: orders_max */
    struct venue_depth **depths;  /* by instrument id - 1: its recorded book, NULL = none */
    struct venue_crowd **crowds;  /* by instrument id - 1: its traders, NULL = none */
    struct venue_answers answers; /* what is on its way to us */
    struct venue_answers more;    /* what one event had too much of: told at the same instant, in
                                     * events of their own */
    uint32_t lack_cnt;            /* lacks in hand */
    uint32_t said;                /* answers said in the call in hand */
    struct venue_limits limits;   /* declared: what an account may have open and send */
    struct venue_legs legs;       /* declared: how long feed, requests and answers take */
    int64_t latency_ns;           /* the same as one typical figure, for bars */
    int64_t cost_buy;             /* declared: order_cost, parts in 1e-8 (backing.h) */
    int64_t cost_sale;            /* likewise */
    uint64_t requests;            /* requests heard: the last seq */
    uint64_t accepted;            /* orders accepted: the last venue_order_id */
    uint64_t trades;              /* fills told: the last trade_id */
    uint64_t payments;            /* funding payments told: the last payment_id */
    uint64_t joined[VENUE_JOINED_MAX]; /* orders that ended filled as they arrived, at joined_ns:
                                        * their children are still to come */
    qty_t joined_quantity[VENUE_JOINED_MAX]; /* how much of them */
    price_t joined_price[VENUE_JOINED_MAX];  /* where, 0 = bars, which know */
    int64_t joined_ns;                       /* when */
    uint32_t joined_cnt;                     /* how many there were; the newest are kept */
    uint32_t series_cnt;                     /* length of book_of */
    bool closed;                             /* the data has ended */
    uint8_t children;                        /* enum venue_children: when they begin */
    bool locks_moved;                        /* locks have changed since they were told */
};

/* venue_last_price returns the last price told to all for b's instrument, 0 before the first. */
price_t venue_last_price(struct rt_ctx *ctx, const struct venue_book *b);

/* venue_cancel_forced cancels account's open orders in b because it is liquidated. */
void venue_cancel_forced(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                         uint8_t account);

/* venue_cut cancels account's open orders in b at once, for reason. Not while orders that a row
 * of b meets are in hand. */
void venue_cut(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
               uint16_t reason);

/* venue_closes returns what an order of side may close of purse p, in whole lots. */
qty_t venue_closes(const struct venue_book *b, const struct venue_purse *p, uint8_t side);

/* venue_close_all gives the open order idx, close_position and just triggered, the quantity that it
 * closes, and says so; false where there is none. */
bool venue_close_all(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_by_mark tells whether the trigger of an order with terms looks at the mark of b. */
static inline bool venue_by_mark(const struct venue_book *b, const struct mk_more *terms) {
    return terms->working != 0 && b->mark_series != VENUE_NO_SERIES;
}

/* venue_grows tells whether children begin and grow with each fill of their parent in b. */
static inline bool venue_grows(const struct venue *v, const struct venue_book *b) {
    bool usual = v->children == VENUE_CHILDREN_USUAL;
    return usual ? b->driver == VENUE_BARS || b->driver == VENUE_PRINTS
                 : v->children == VENUE_CHILDREN_GROW;
}

/* venue_left returns how much of the open order idx may trade now: not what its parent's fills have
 * not set free yet. */
static inline qty_t venue_left(const struct venue *v, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    return order->quantity - (order->flags & VENUE_MORE ? v->orders.more[idx].waits : 0);
}

/* venue_mark_path puts the prices that the newest row of b's mark went through into at, as they
 * test an order of side that is there since since_ns: what is best for it first; of a bar that had
 * begun by then its close alone. Returns how many. */
uint32_t venue_mark_path(const struct venue_book *b, uint8_t side, int64_t since_ns, price_t at[4]);

/* venue_purse returns what account (from 1) holds of b's instrument. */
struct venue_purse venue_purse(const struct venue *v, const struct venue_book *b, uint8_t account);

/* venue_purse_now returns the same to trade with: with the tier of fees and the price
 * of its fee asset as of now. */
struct venue_purse venue_purse_now(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                                   uint8_t account);

/* venue_charged returns what the order in slot idx has paid of its instrument's charges. */
static inline const struct mk_charged *venue_charged(const struct venue *v, uint32_t idx) {
    return v->charged == NULL ? NULL : &v->charged[idx];
}

/* venue_purse_put books p back. */
void venue_purse_put(struct venue *v, struct venue_book *b, uint8_t account,
                     const struct venue_purse *p);

/* venue_pick_sort brings picks into the order of work: by account, side, rank, stops first, id. */
void venue_pick_sort(struct venue_pick *picks, uint32_t cnt);

/* venue_work works cnt picks, all of one account, in their order out of purse p; what comes of each
 * goes to deals. Changes nothing else. */
void venue_work(const struct venue *v, const struct venue_book *b, struct venue_purse *p,
                const struct venue_pick *picks, uint32_t cnt, struct venue_deal *deals);

/* venue_tell says what came of the open order idx (a fill, the end of its rest) and closes it, but
 * for a rest that stays open. */
void venue_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                const struct venue_deal *deal);

struct venue_figures; /* amend.h */

/* venue_say_amended says that order has the figures f now, or with a reason that an amend was
 * refused; asked: a request is answered, else the venue does so by itself, for reason. */
void venue_say_amended(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                       const struct venue_order *order, const struct venue_figures *f,
                       uint16_t reason, bool asked);

/* venue_joined notes that quantity of the order id has been filled at this instant, at price last:
 * children of it that arrive at this instant find it, though it has ended. */
void venue_joined(struct rt_ctx *ctx, struct venue *v, uint64_t id, qty_t quantity, price_t price);

/* venue_leave ends the open order idx that was to leave, for the reason its flags tell, and what
 * hangs on it. */
void venue_leave(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_work_all works and tells cnt sorted picks, account by account, each in its one order. */
void venue_work_all(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t cnt);

/* venue_arrive lets the filled slot idx of a request arrive: an order is accepted or rejected, a
 * cancel answered. The slot is used up. */
void venue_arrive(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_flush tells all answers that are on their way now. */
void venue_flush(struct rt_ctx *ctx, struct venue *v);

/* venue_land lets all of b's requests arrive that are due. */
void venue_land(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_wants returns what b's orders need to hear, a bit per enum rt_hear. */
uint8_t venue_wants(const struct venue_book *b);

/* venue_listen raises and lowers interests to what b's orders need. */
void venue_listen(struct rt_ctx *ctx, const struct venue *v, struct venue_book *b);

/* venue_count_held counts account's position in b in, or out again. */
void venue_count_held(const struct venue *v, struct venue_book *b, uint8_t account, bool is);

/* venue_init is the actor's init (setup.c): reads the options and takes the memory. 0 or negative
 * errno with err. */
int venue_init(struct rt_init *init, void *state, struct rt_error *err);

/* venue_save is the actor's save (rows.c): counters, accounts, positions, open orders by id,
 * requests and answers on their way. */
void venue_save(const void *state, struct rt_row_sink *sink);
/* venue_load takes back one row. */
int venue_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
               struct rt_error *err);
#endif
