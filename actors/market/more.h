/* more.h - the further terms of an order: what the kinds ORDER_INTENT_MORE, RISK_VERDICT_MORE and
 * VENUE_REQUEST_MORE carry behind the fields of their plain kinds.
 *
 * For     strategy, risk, execution, venue. A handler of both kinds reads the plain fields the same
 *         way and the further terms, if any, by mk_more_of.
 * Rules   stop_price with stop_limit and take_profit_limit only, which need it; trail_bips
 *         (1..5000) with trailing_stop only, which needs it, has no price and may have an
 *         activation; expire_ns with the term gtd only, which needs it and is for orders that wait:
 *         bad_terms. display: 0 < display <= quantity, of limit orders: bad_display. A market, ioc
 *         or fok order is no member of a list, nor is an order its own parent: list_rule. working
 *         with orders that wait for a trigger only; stp one of MK_STP_*. The term close_position
 *         with stop and take_profit only, together with exit and reduce_only, without a parent:
 *         bad_terms.
 * Thread  pure functions.
 * Memory  the caller's. */
#ifndef ACTORS_MARKET_MORE_H
#define ACTORS_MARKET_MORE_H
#include "schemas/fixed.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { MK_TRAIL_MAX = 5000 }; /* largest trail_bips */

/* Self-trade prevention, as stp carries it. */
enum mk_stp {
    MK_STP_DEFAULT,   /* the account's, else the instrument's, else none */
    MK_STP_NONE,      /* own orders may trade with one another */
    MK_STP_TAKER,     /* the taker's rest expires */
    MK_STP_MAKER,     /* the resting order expires */
    MK_STP_BOTH,      /* both expire */
    MK_STP_DECREMENT, /* both lose what would have traded */
    MK_STP_TRANSFER,  /* as that; between accounts of a group what would have traded is moved */
    MK_STP_CNT
};

/* mk_stp_words are the words of enum mk_stp in run files, the default left out; ends with NULL. */
extern const char *const mk_stp_words[];

/* The further terms; zero what there is none of. */
struct mk_more {
    price_t stop_price;  /* trigger of stop_limit and take_profit_limit */
    qty_t display;       /* shown part of the quantity (iceberg) */
    price_t activation;  /* trailing_stop: price from which on it follows; 0 = at once */
    int64_t expire_ns;   /* gtd: when it expires, ns UTC */
    uint64_t parent;     /* begins and grows by this order's fills */
    uint64_t oco;        /* first order of its group */
    uint32_t trail_bips; /* trailing_stop: distance from the extreme, 1e-4 of it */
    uint8_t stp;         /* self-trade prevention; 0 = the venue's */
    uint8_t working;     /* what triggers: 0 = last price, 1 = mark */
    uint16_t pad;        /* zero */
};

/* MK_MORE_AT checks that kind more is the plain kind, field by field, and the further terms. */
#define MK_MORE_AT(plain, more, last)                                                              \
    _Static_assert(sizeof(struct plain) == offsetof(struct more, stop_price), "prefix");           \
    _Static_assert(sizeof(struct more) == sizeof(struct plain) + sizeof(struct mk_more), "terms"); \
    _Static_assert(offsetof(struct plain, order_id) == offsetof(struct more, order_id), "order");  \
    _Static_assert(offsetof(struct plain, price) == offsetof(struct more, price), "price");        \
    _Static_assert(offsetof(struct plain, quantity) == offsetof(struct more, quantity), "size");   \
    _Static_assert(offsetof(struct plain, side) == offsetof(struct more, side), "side");           \
    _Static_assert(offsetof(struct plain, terms) == offsetof(struct more, terms), "terms");        \
    _Static_assert(offsetof(struct plain, last) == offsetof(struct more, last), #last)
/* MK_MORE_AT: the intent. */
MK_MORE_AT(msg_order_intent, msg_order_intent_more, reason);
/* MK_MORE_AT: the verdict. */
MK_MORE_AT(msg_risk_verdict, msg_risk_verdict_more, reason);
/* MK_MORE_AT: the request. */
MK_MORE_AT(msg_venue_request, msg_venue_request_more, op);
/* MK_REPLACE_AT checks that kind replace is kind more, and what it replaces. */
#define MK_REPLACE_AT(more, replace)                                                               \
    _Static_assert(sizeof(struct more) == offsetof(struct replace, replaces), "prefix");           \
    _Static_assert(offsetof(struct more, order_id) == offsetof(struct replace, order_id), "id");   \
    _Static_assert(offsetof(struct more, terms) == offsetof(struct replace, terms), "terms");      \
    _Static_assert(offsetof(struct more, parent) == offsetof(struct replace, parent), "parent");   \
    _Static_assert(offsetof(struct more, working) == offsetof(struct replace, working), "working")
/* MK_REPLACE_AT: the intent. */
MK_REPLACE_AT(msg_order_intent_more, msg_order_replace);
/* MK_REPLACE_AT: the verdict. */
MK_REPLACE_AT(msg_risk_verdict_more, msg_replace_verdict);
/* MK_REPLACE_AT: the request. */
MK_REPLACE_AT(msg_venue_request_more, msg_venue_replace);
_Static_assert(offsetof(struct msg_order_intent_more, parent) ==
                   sizeof(struct msg_order_intent) + offsetof(struct mk_more, parent),
               "one layout");
_Static_assert(offsetof(struct msg_order_intent_more, working) ==
                   sizeof(struct msg_order_intent) + offsetof(struct mk_more, working),
               "one layout");

/* mk_more_of returns the further terms behind the plain body of plain_bytes. */
static inline const struct mk_more *mk_more_of(const void *body, size_t plain_bytes) {
    return (const struct mk_more *)((const uint8_t *)body + plain_bytes);
}

/* mk_more_put writes m behind the plain body of plain_bytes. */
static inline void mk_more_put(void *body, size_t plain_bytes, const struct mk_more *m) {
    memcpy((uint8_t *)body + plain_bytes, m, sizeof *m);
}

/* mk_order_waits tells whether orders of type wait for a trigger. */
static inline bool mk_order_waits(uint8_t type) {
    return type >= ORDER_TYPE_STOP && type <= ORDER_TYPE_TRAILING_STOP;
}

/* mk_order_plain tells whether orders of type with those terms need no further terms, and may have
 * none. */
static inline bool mk_order_plain(uint8_t type, uint8_t terms) {
    return type <= ORDER_TYPE_STOP && !(terms & (ORDER_TERMS_GTD | ORDER_TERMS_CLOSE_POSITION));
}

/* mk_order_limited tells whether orders of type have a limit price. */
static inline bool mk_order_limited(uint8_t type) {
    return type == ORDER_TYPE_LIMIT || type == ORDER_TYPE_STOP_LIMIT ||
           type == ORDER_TYPE_TAKE_PROFIT_LIMIT;
}

/* mk_order_short tells which position of an account in hedge mode an order is of, by its side and
 * terms: true = short (a sale opens it, a buy with exit closes it), false = long. */
static inline bool mk_order_short(uint8_t side, uint8_t terms) {
    return (side == SIDE_SELL) != ((terms & ORDER_TERMS_EXIT) != 0);
}

/* mk_order_priced tells whether orders of type have a price: a limit or a trigger. */
static inline bool mk_order_priced(uint8_t type) {
    return type != ORDER_TYPE_MARKET && type != ORDER_TYPE_TRAILING_STOP;
}

/* mk_more_refuses returns why an order of these terms makes no sense, by the rules above, or
 * REASON_NONE. Ticks and lots are not looked at. */
uint16_t mk_more_refuses(uint64_t order_id, uint8_t type, uint8_t terms, qty_t quantity,
                         const struct mk_more *m);
#endif
