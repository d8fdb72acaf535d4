/* filters.h - what a venue lets orders be: its filters, as a pack of rules declared per instrument.
 *
 * For     the simulated venue, which refuses by them (venue/rules.h), and whoever wants to know
 *         before it asks. Read from filters: of an instrument; tick_size, lot_size and
 *         min_notional are the instrument's own. What is not declared is not looked at.
 * Rules   price          least and largest of limit, stop and activation prices (PRICE_FILTER)
 *         percent_price  limit prices between reference * down and reference * up, by side
 *         minutes        the reference is the weighted average price of so many minutes, not the
 *                        last price: of percent_price, and of the notional of market orders
 *         lot            least and largest quantity, of the shown part too (LOT_SIZE)
 *         market_lot     the same of market orders, in addition; step 0 = the lot (MARKET_LOT_SIZE)
 *         notional       largest price * quantity; whether it and min_notional hold for market
 *                        orders, at the reference (NOTIONAL, MIN_NOTIONAL)
 *         iceberg_parts  most parts, rounded up, that a quantity is shown in (ICEBERG_PARTS)
 *         trailing       least and largest trail, 1e-4: of buys (above) and sells (below)
 *         max_amends     how often an order may be amended (MAX_NUM_ORDER_AMENDS)
 *         stp            kinds of self-trade prevention that orders and accounts may ask for; the
 *                        instrument's own, of orders that ask for none, is always allowed
 *                        (allowedSelfTradePreventionModes)
 *         max_*          orders, those that wait for a trigger, those with a shown part, and lists
 *                        that are open in the instrument (MAX_NUM_*); max_position: base that is
 *                        held, bid for by open buys and by this one (MAX_POSITION)
 *         Products are compared exactly, in 128 bits.
 * Thread  pure functions.
 * Memory  the caller's.
 * Source  Binance, "Filters" (spot, 2026-07) and "Common Definition" (USD-M, 2026-04). */
#ifndef ACTORS_MARKET_FILTERS_H
#define ACTORS_MARKET_FILTERS_H
#include "actors/market/more.h"
#include "actors/market/value.h"
#include "runtime/base/config.h"
#include "runtime/base/error.h"

/* The filters of an instrument; zero = not declared. */
struct mk_filters {
    price_t price_min, price_max;     /* price */
    int64_t up[2], down[2];           /* percent_price, by SIDE_*: 1e-8 of the reference */
    uint32_t percent_minutes;         /* percent_price.minutes: 0 = the last price */
    uint32_t notional_minutes;        /* notional.minutes */
    qty_t lot_min, lot_max;           /* lot */
    qty_t market_min, market_max;     /* market_lot */
    qty_t market_step;                /* market_lot: step; 0 = the lot */
    cash_t notional_max;              /* notional.max */
    bool min_spares_market;           /* notional.min_to_market: false */
    bool max_to_market;               /* notional.max_to_market */
    uint32_t iceberg_parts;           /* iceberg_parts */
    uint32_t above_min, above_max;    /* trailing.above: bips */
    uint32_t below_min, below_max;    /* trailing.below: bips */
    uint32_t orders_max, waiting_max; /* max_orders, max_algo_orders */
    uint32_t icebergs_max, lists_max; /* max_iceberg_orders, max_order_lists */
    qty_t position_max;               /* max_position */
    uint32_t amends_max;              /* max_amends */
    uint32_t stp;                     /* stp: a bit per enum mk_stp; 0 = all */
    const struct mk_instrument *of;   /* whose contracts have a size; NULL = they have none */
};

/* What an account has open, as the max_* filters count it. */
struct mk_open {
    uint32_t orders;   /* open orders */
    uint32_t waiting;  /* of them those that wait for a trigger */
    uint32_t icebergs; /* of them those with a shown part */
    uint32_t lists;    /* order lists they belong to, but for the one of the order in question */
};

/* An order as filters look at it. */
struct mk_asked {
    price_t price;              /* limit or trigger; 0 for market and trailing stop */
    qty_t quantity;             /* > 0 */
    uint8_t side, type;         /* SIDE_*, ORDER_TYPE_* */
    const struct mk_more *more; /* further terms; NULL = none */
};

/* mk_filters_read reads filters: into out; lot is the instrument's, of which the
 * step of market_lot must be a multiple. Returns 0, or -EINVAL with err. */
int mk_filters_read(struct rt_node *map, int64_t lot, struct mk_filters *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* mk_filters_counts reads the keys max_* but max_position of map into f, as far as they are
 * there. Returns 0, or -EINVAL with err. */
int mk_filters_counts(struct rt_node *map, struct mk_filters *f, struct rt_error *err)
    __attribute__((warn_unused_result));
/* mk_filters_terms returns why o is refused by itself, REASON_NONE when it is not. percent: what
 * percent_price is reckoned with, market_price: the notional of market orders; 0 = none: not
 * looked at. */
uint16_t mk_filters_terms(const struct mk_filters *f, const struct mk_asked *o, price_t percent,
                          price_t market_price);
/* mk_filters_room returns why o is refused beside what is open. held: base that the account holds,
 * bid: open buys of it. */
uint16_t mk_filters_room(const struct mk_filters *f, const struct mk_asked *o,
                         const struct mk_open *open, qty_t held, qty_t bid);
#endif
