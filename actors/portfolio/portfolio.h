/* portfolio.h - what is held, what it cost, what it earned, what an account is worth.
 *
 * For     hears FILL, LIQUIDATION, DELEVERAGE, FUNDING_FEE; says POSITION, then ACCOUNT_STATE,
 *         after each. A position is kept for each account, strategy (owner of the order id) and
 *         instrument, and one for each account and instrument, in which all its strategies are
 *         netted as the venue nets them (one-way mode). The strategies' positions tell who earned
 *         what (POSITION, round trips); the netted one is the account's money: cash, unrealised
 *         P&L and equity are reckoned with it, so cash is the venue's to the unit after every
 *         fill. While one strategy alone has traded an instrument on an account the two are the
 *         same; from the second on the netted one is told as well, as a POSITION of owner 0 behind
 *         the strategy's. All in exact integers:
 *           cash of a fill   price x quantity, once a fill: a buy's rounded up, a sell's down
 *           opening          adds that cash to the cost (a short's cost is negative: what it gave)
 *           reducing         takes cost x closed / held, rounded toward zero, off the cost, the
 *                            whole of it when all is closed; realised P&L is the fill's cash less
 *                            what was taken off
 *           spot             the fill's cash and a fee in quote move cash; a fee in base makes the
 *                            quantity held smaller and leaves the cost whole, so that what is held
 *                            is dearer by it
 *           linear           realised P&L and the fee move cash
 *           inverse          likewise, in coin: "cash of a fill" is then the worth of
 *                            actors/market/value.h
 *         So, to the unit, at all times, for a strategy's position and for the netted one: the sum
 *         of its fills' cash = realised P&L - cost held.
 *         realized_pnl has no quote fees taken off; fee_total counts all fees in quote units, those
 *         in base at the fill's price, rounded up.
 *         A fill that crosses zero is told by two POSITIONs with its trade id: first what it
 *         closed (quantity and cost 0, the realised P&L, entry_ns of the round trip that ends),
 *         then what it opened (realized_pnl 0, entry_ns the fill's time). The cash of the first is
 *         rounded as that of a fill of its own, the second has the rest; the fee is shared out by
 *         quantity, the first part rounded toward zero. The fee of a round trip is the difference
 *         of fee_total.
 *         Dust (less than one lot, as fees in base leave it) is flat: it is no open position, ends
 *         the round trip and asks for no rows of equity. Its cost stays with it, its worth stays in
 *         equity, and the next round trip begins with it.
 *         On an account in hedge mode long and short of a linear instrument are positions of their
 *         own, each kept and netted as above: a fill's side and its exit term tell which it
 *         is of; POSITION tells with position_side.
 *         DELIVERY is booked as LIQUIDATION is; its fills are neither taker's nor maker's. One of
 *         nothing closes what strategies of a flat account hold against each other.
 *         LIQUIDATION (the venue closed an account's position by force, or a part of it) closes
 *         what each of its strategies holds of the instrument at that price, and the netted one: a
 *         FILL is told for each strategy, of an order with its id's sequence 0, then its POSITION.
 *         Of a part each strategy on the position's side loses in proportion to its size, in whole
 *         lots down, what that leaves the first that has it. The fee is shared out by quantity,
 *         the last has the rest. DELEVERAGE (it was closed against another account's) likewise;
 *         the child of the order's id is 1.
 *         FUNDING_FEE moves cash, and nothing else.
 *         A fee in the account's fee asset (market.h) comes out of its balance of that and counts
 *         in fee_total at the asset's price as the fill is told, rounded up. The balance is worth
 *         balance x price, rounded down, in equity; FEE_BALANCE tells it before ACCOUNT_STATE where
 *         it or its price has moved.
 *         Worth: the newest close (or trade) told of the finest series, before the first the last
 *         fill's price; worth = price x quantity rounded down, unrealised P&L = worth - cost;
 *         equity = cash + worth of spot holdings + unrealised P&L of linear positions
 *         + worth of the fee asset.
 *         ACCOUNT_STATE with mark 1 is a row of equity.csv: where a position opens from flat or
 *         closes to flat, at the fill's instant; and at the closes that equity_interval falls on
 *         (0: at every close of the finest series), for each account that holds a position in an
 *         instrument with a bar ending just then; instruments that live on trades are marked at
 *         the multiples of the interval themselves (0: of an hour). The last one is written at
 *         STOP by accounts that hold something (a fee asset is something). A mark that would only
 *         repeat the last row is left out.
 * Thread  its shard's.
 * Memory  64 + 32 bytes a position, 64 for each account and instrument, 40 an instrument; all at
 *         init.
 * Cost    a fill: one look-up and four cache lines; a state or mark: a look at each instrument the
 *         account holds. */
#ifndef ACTORS_PORTFOLIO_PORTFOLIO_H
#define ACTORS_PORTFOLIO_PORTFOLIO_H
#include "actors/market/value.h"
#include "runtime/base/map.h"
#include "runtime/core/actor.h"
#include "schemas/fixed.h"
#include "schemas/messages.h"

enum {
    PORTFOLIO_POSITIONS_CEILING = 1 << 20, /* positions_max */
    PORTFOLIO_NO_SERIES = UINT16_MAX,      /* an instrument nobody gives prices for */
};

/* An instrument; dense by id. */
struct portfolio_instrument {
    const struct mk_instrument *rules; /* what its contracts are worth */
    price_t last_fill;     /* price of its newest fill, or trade heard as a frame; 0 = none */
    qty_t lot_size;        /* what is below it is dust */
    uint16_t series;       /* where its prices are, PORTFOLIO_NO_SERIES = nowhere */
    uint16_t base_asset;   /* index of the base asset */
    uint16_t settle_asset; /* index of what it settles in: quote, of inverse contracts base */
    bool trades;           /* the series holds trades, not bars */
    bool spot;             /* settles by cash */
};

/* What one owner holds of one instrument on one account. */
struct portfolio_position {
    _Alignas(
        64) uint64_t key;  /* account, owner, instrument (15 bits; above: a short of hedge mode) */
    qty_t quantity;        /* signed */
    cash_t cost;           /* what it cost, signed like quantity */
    cash_t realized_total; /* realised P&L since the start */
    cash_t fee_total;      /* fees since the start, quote units */
    int64_t entry_ns;      /* when the round trip began; 0 = flat */
    uint32_t next, prev;   /* open positions of the account; RT_MAP_NONE = end */
};

/* What all strategies of an account hold of one instrument, netted. */
struct portfolio_net {
    _Alignas(64) qty_t quantity; /* signed: the sum of theirs */
    cash_t cost;                 /* what it cost, signed like quantity */
    cash_t realized_total;       /* realised P&L since the start */
    cash_t fee_total;            /* fees since the start, quote units */
    price_t mark;                /* price that worth was reckoned with, 0 = none; scratch */
    cash_t worth;                /* mark x quantity, rounded down; scratch */
    uint32_t next, prev;         /* nets of the account that are not 0; RT_MAP_NONE = end */
    uint32_t owner_cnt;          /* strategies that have traded it */
    bool loaded;                 /* its own row was taken back */
};

/* One account. */
struct portfolio_account {
    cash_t cash;              /* quote */
    cash_t realized_total;    /* realised P&L of its netted positions since the start */
    cash_t fee_total;         /* their fees, quote units */
    int64_t marked_ns;        /* when its last row was written; 0 = never */
    cash_t marked_cash;       /* cash of that row */
    cash_t marked_equity;     /* equity of that row */
    cash_t marked_unrealized; /* unrealised P&L of that row */
    uint32_t open;            /* first of its strategies' open positions, RT_MAP_NONE = flat */
    uint32_t open_cnt;        /* how many */
    bool hedge;               /* long and short are positions of their own */
    uint32_t net;             /* first of its nets that are not 0, RT_MAP_NONE = none */
    const struct mk_fee_asset *burn; /* what it pays fees in; NULL = none */
    int64_t burn_held;               /* what it has of it */
    int64_t burn_told;               /* balance as last told; -1 = never */
    price_t burn_price;              /* price as last told */
};

/* State of the actor. */
struct portfolio_state {
    struct portfolio_instrument *instruments; /* [id - 1] */
    struct portfolio_account *accounts;       /* [id - 1] */
    struct rt_map by_key;                     /* account, owner, instrument to place in positions */
    struct portfolio_position *positions;     /* as many as by_key holds; flat ones stay */
    struct portfolio_net *nets; /* [(account id - 1) x instrument_cnt + instrument id - 1]; behind
                                 * them, where an account hedges, the shorts likewise */
    struct rt_map_slot *sorted; /* scratch of save */
    int64_t interval_ns;        /* of equity marks; 0 = every close */
    int64_t timer_ns;           /* when the next mark is due, 0 = no timer */
    uint32_t instrument_cnt;    /* instruments */
    uint32_t account_cnt;       /* accounts */
    uint32_t open_cnt;          /* open positions of all accounts */
    bool stopped;               /* STOP was heard: no more timers */
};

/* What a fill does to a position. */
struct portfolio_change {
    cash_t realized;  /* realised P&L of what it closed */
    cash_t fee_close; /* its fee in quote units: share of what it closed */
    cash_t fee_open;  /* and of what it opened */
    qty_t quantity;   /* quantity after */
    cash_t cost;      /* cost after */
    bool closed;      /* it closed something */
    bool opened;      /* it opened something */
};

/* portfolio_change_of reckons what a fill does to a position of quantity and cost: moved is the
 * signed change of the quantity held of in, flow the fill's signed cash, price its price, fee its
 * fee in quote units. False when a figure leaves the range of money; *out is of no use then.
 * Pure. */
bool portfolio_change_of(const struct mk_instrument *in, qty_t quantity, cash_t cost, qty_t moved,
                         cash_t flow, price_t price, cash_t fee, struct portfolio_change *out);

/* The actor kind. */
extern const struct rt_actor_kind portfolio_kind;
#endif
