/* rules.h - the venue's filters and limits: which orders it refuses for their terms, for what an
 * account has open, or for how many came.
 *
 * For     venue.c, as an order arrives. The filters of an instrument are actors/market/filters.h;
 *         limits hold for an account over all instruments (limits: of the venue).
 * Rules   Reference: the mark price of linear instruments, else (and on spot) the average price of
 *         the minutes that the filter says (average.h), else the last price told; before any
 *         nothing is held against it. A market order of a linear instrument with filters
 *         has its least notional reckoned at the reference too.
 *         max_asset: most of an asset that one order may move, base by its quantity, quote by its
 *         notional (of a market order at the reference, the last price where there is no filter).
 *         order_rate: at most count accepted orders of an account in a window; windows are fixed
 *         and begin at whole multiples of their length. Refused orders and cancels do not count,
 *         filled ones stay counted (Binance takes them off again on spot). Each order of a list
 *         counts. An order is looked at as it arrives; one that waits for a trigger again when it
 *         triggers, by the filters of one order, as what it becomes then (a market order where it
 *         is no limit): refused, it expires. Among simulated traders, whose engine lets triggers
 *         act at once, it is not looked at again.
 * Thread  the venue's shard.
 * Memory  a window per account and limit, from the arena at init.
 * Cost    nothing where neither filters nor limits are declared; else a walk over the open orders
 *         of the instrument (of all, for limits over the account) for filters that count. */
#ifndef ACTORS_VENUE_RULES_H
#define ACTORS_VENUE_RULES_H
#include "actors/market/filters.h"
#include "actors/venue/orders.h"
#include "runtime/core/actor.h"

struct venue; /* venue.h */

enum {
    VENUE_RATES_MAX = 4,           /* order_rate entries */
    VENUE_COUNTER_RULES = 1 << 29, /* + (account * VENUE_RATES_MAX + limit) * 2 [+ 1]: windows */
};

/* One limit on the number of orders. */
struct venue_rate {
    int64_t per_ns; /* length of its windows */
    uint32_t cnt;   /* most orders of an account in one */
};

/* Orders of an account that were accepted in the newest window of a limit. */
struct venue_window {
    int64_t from_ns; /* when it began */
    int64_t cnt;     /* how many */
};

/* Limits over the whole account; zero = not declared. */
struct venue_limits {
    struct venue_rate rates[VENUE_RATES_MAX]; /* order_rate */
    uint32_t rate_cnt;                        /* how many */
    struct mk_filters all; /* max_orders, max_algo_orders, max_iceberg_orders, max_order_lists */
    bool counted;          /* one of them is declared */
    int64_t *assets;       /* max_asset: by asset, most of it that one order may move, 0 =
                                   * all; NULL without */
    struct venue_window *windows; /* by (account - 1) * VENUE_RATES_MAX + limit; NULL without */
};

/* venue_limits_read reads limits: of the venue in market m. Returns 0, or negative errno with
 * err. */
int venue_limits_read(struct rt_init *init, const struct mk_market *m, struct venue_limits *out,
                      struct rt_error *err) __attribute__((warn_unused_result));
/* venue_rules_refuse returns why the order idx, which has just arrived in b and fits the venue
 * otherwise, is refused, or REASON_NONE. */
uint16_t venue_rules_refuse(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                            uint32_t idx);
/* venue_rules_reference returns what prices in b are measured by, on spot the average of so many
 * minutes where there was any trade in them; 0 before any. */
price_t venue_rules_reference(struct rt_ctx *ctx, const struct venue_book *b, uint32_t minutes);
/* venue_rules_trigger returns why the order of b that triggers now, where the price is at, is not
 * taken as what it becomes, a limit or a market order (further terms more, NULL = none);
 * REASON_NONE when it is. */
uint16_t venue_rules_trigger(const struct venue_book *b, const struct venue_order *order,
                             const struct mk_more *more, price_t at);
/* venue_rules_took counts an accepted order of account. */
void venue_rules_took(const struct rt_ctx *ctx, struct venue *v, uint8_t account);
/* venue_rules_save puts the windows into rows. */
void venue_rules_save(const struct venue *v, struct rt_row_sink *sink);
/* venue_rules_load takes back counter id, from VENUE_COUNTER_RULES on; false when it is none. */
bool venue_rules_load(struct venue *v, uint64_t id, int64_t value);
#endif
