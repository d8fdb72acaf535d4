/* exchange.h - Binance's exchangeInfo and leverageBracket, spot, USD-M and COIN-M: instruments with
 * their filters, as the venue declares them.
 *
 * For     `shrike data instruments`. PRICE_FILTER, PERCENT_PRICE(_BY_SIDE), LOT_SIZE,
 *         MARKET_LOT_SIZE, (MIN_)NOTIONAL, ICEBERG_PARTS, TRAILING_DELTA, MAX_NUM_*, MAX_POSITION
 *         are taken over, and the kinds of self-trade prevention of a symbol; other filters are
 *         counted. A bound that is 0 or beyond the range of money is none. What futures check on
 *         one side only (PERCENT_PRICE) is declared on that side.
 *         A contract margined in its base is inverse, its contractSize what it is worth in quote
 *         and its brackets' caps (qtyCap) in coin. A deliveryDate before the year 2100 is its
 *         expiry (perpetuals have 2100-12-25; one that is being delisted has its day).
 * Left    A symbol that cannot be traded here is left out with a reason: margined in a third asset,
 *         a price grid that does not begin at a whole tick, no tick or lot, names with other
 *         characters.
 * Thread  one owner.
 * Memory  the heap; at most 16 times the text's bytes while it is parsed.
 * Errors  the field's path and what is wrong: "symbols[3].filters[1].minQty: ...".
 * Source  PROTOCOLS of the venue: spot "Filters" (2026-07), USD-M "Exchange Information" and
 *         "Notional and Leverage Brackets" (2026-04), COIN-M's of the same names. */
#ifndef ACTORS_DIALECT_BINANCE_EXCHANGE_H
#define ACTORS_DIALECT_BINANCE_EXCHANGE_H
#include "actors/market/filters.h"
#include "actors/market/market.h"
#include <stddef.h>

/* Bounds of what is read. */
enum {
    BN_SYMBOLS_MAX = 16384,       /* symbols of an answer */
    BN_EXCHANGE_BYTES = 64 << 20, /* its text */
    BN_RATES_MAX = 8,             /* limits on orders that are kept */
};

/* One symbol. */
struct bn_symbol {
    struct mk_instrument in; /* name, symbol, kind, steps, min_notional, liquidation_fee, contract,
                                * expiry_ns; the rest is zero */
    struct mk_filters filters;                   /* the filters that are not steps */
    char base[16], quote[16];                    /* names of assets */
    bool trading;                                /* it can be traded now */
    uint32_t others;                             /* filters that were not understood */
    const char *left;                            /* why it cannot be traded here; NULL = it can */
    struct mk_bracket brackets[MK_BRACKETS_MAX]; /* leverage brackets, where they were read */
    uint32_t bracket_cnt;                        /* how many */
};

/* A limit on orders of an account. */
struct bn_rate {
    int64_t cnt;   /* so many */
    int64_t per_s; /* in so many seconds */
};

/* What a venue declares. */
struct bn_exchange {
    struct bn_symbol *symbols;          /* in its order */
    size_t cnt;                         /* how many */
    struct bn_rate rates[BN_RATES_MAX]; /* limits on orders */
    size_t rate_cnt;                    /* how many */
    int64_t time_ms;                    /* the venue's time, 0 = not told */
};

/* bn_exchange_parse reads the answer of exchangeInfo into out. Returns 0, -EBADMSG or -ENOMEM with
 * err; then out is empty. */
int bn_exchange_parse(const char *text, size_t cnt, struct bn_exchange *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* bn_exchange_brackets reads the answer of leverageBracket into the symbols it names. Caps above
 * what an account may hold are brought down to it. Returns 0 or -EBADMSG with err. */
int bn_exchange_brackets(const char *text, size_t cnt, struct bn_exchange *e, struct rt_error *err)
    __attribute__((warn_unused_result));
/* bn_exchange_fini gives the memory back. */
void bn_exchange_fini(struct bn_exchange *e);
#endif
