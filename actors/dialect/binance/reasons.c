#include "actors/dialect/binance/reasons.h"
#include "schemas/messages.h"
#include <stddef.h>
#include <string.h>

/* A code and what it says in one market; code 0: no such answer. */
struct answer {
    int16_t code;    /* the venue's */
    const char *msg; /* its sentence */
};

/* One reason. */
struct entry {
    uint16_t reason;                  /* ours */
    struct answer market[BN_MARKETS]; /* spot, USD-M */
};

#define FILTER(name)                                                                               \
    { -1013, "Filter failure: " name }
#define NO_ANSWER                                                                                  \
    { 0, NULL }

/* The table. Where reasons share a code, the one that a bare code means comes first. */
static const struct entry entries[] = {
    /* what an order may be */
    { REASON_BAD_TICK, { FILTER("PRICE_FILTER"), { -4014, "Price not increased by tick size." } } },
    { REASON_VENUE_PRICE_LOW, { FILTER("PRICE_FILTER"), { -4013, "Price less than min price." } } },
    { REASON_VENUE_PRICE_HIGH,
      { FILTER("PRICE_FILTER"), { -4002, "Price greater than max price." } } },
    { REASON_VENUE_PERCENT_PRICE, /* USD-M: of buys; of sales see below */
      { FILTER("PERCENT_PRICE_BY_SIDE"),
        { -4016, "Price is higher than mark price multiplier cap." } } },
    { REASON_BAD_LOT, { FILTER("LOT_SIZE"), { -4023, "Qty not increased by step size." } } },
    { REASON_VENUE_LOT_LOW, { FILTER("LOT_SIZE"), { -4004, "Quantity less than min quantity." } } },
    { REASON_VENUE_LOT_HIGH,
      { FILTER("LOT_SIZE"), { -4005, "Quantity greater than max quantity." } } },
    { REASON_VENUE_MARKET_LOT,
      { FILTER("MARKET_LOT_SIZE"), { -4005, "Quantity greater than max quantity." } } },
    { REASON_MIN_NOTIONAL,
      { FILTER("NOTIONAL"), { -4164, "Order's notional must be no smaller than" } } },
    { REASON_VENUE_MAX_NOTIONAL, { FILTER("NOTIONAL"), NO_ANSWER } },
    { REASON_VENUE_ICEBERG_PARTS, { FILTER("ICEBERG_PARTS"), NO_ANSWER } },
    { REASON_VENUE_TRAILING_DELTA,
      { FILTER("TRAILING_DELTA"),
        { -1130, "Data sent for parameter 'callbackRate' is not valid." } } },
    { REASON_BAD_DISPLAY,
      { { -1013, "Filter failure: LOT_SIZE" },
        { -1130, "Data sent for parameter 'icebergQty' is not valid." } } },
    { REASON_OVERFLOW,
      { { -1013, "Filter failure: LOT_SIZE" }, { -4005, "Quantity greater than max quantity." } } },
    { REASON_BAD_TERMS,
      { { -1128, "Combination of optional parameters invalid." },
        { -1128, "Combination of optional parameters invalid." } } },
    { REASON_UNSUPPORTED,
      { { -2010, "Unsupported order combination" }, { -1116, "Invalid orderType." } } },
    { REASON_LIST_RULE,
      { { -2010, "The relationship of the prices for the orders is not correct." }, NO_ANSWER } },
    { REASON_UNKNOWN_INSTRUMENT, { { -1121, "Invalid symbol." }, { -1121, "Invalid symbol." } } },
    { REASON_GOOD_TILL_DATE, /* in the past when it is placed; later the order ends: EXPIRED */
      { NO_ANSWER,
        { -5040, "The goodTillDate timestamp must be greater than the current time" } } },
    /* what is open */
    { REASON_VENUE_MAX_ORDERS,
      { FILTER("MAX_NUM_ORDERS"), { -2025, "Reach max open order limit." } } },
    { REASON_VENUE_MAX_ALGO_ORDERS,
      { FILTER("MAX_NUM_ALGO_ORDERS"), { -4045, "Reach max stop order limit." } } },
    { REASON_VENUE_MAX_ICEBERG_ORDERS, { FILTER("MAX_NUM_ICEBERG_ORDERS"), NO_ANSWER } },
    { REASON_VENUE_MAX_ORDER_LISTS, { FILTER("MAX_NUM_ORDER_LISTS"), NO_ANSWER } },
    { REASON_VENUE_MAX_POSITION, { FILTER("MAX_POSITION"), NO_ANSWER } },
    { REASON_VENUE_STP_MODE,
      { { -1013, "This symbol does not allow the specified self-trade prevention mode." },
        { -5039, "Invalid self trade prevention mode" } } },
    { REASON_VENUE_ALL_ORDERS,
      { FILTER("EXCHANGE_MAX_NUM_ORDERS"), { -2025, "Reach max open order limit." } } },
    { REASON_VENUE_ALL_ALGO_ORDERS,
      { FILTER("EXCHANGE_MAX_NUM_ALGO_ORDERS"), { -4045, "Reach max stop order limit." } } },
    { REASON_VENUE_ALL_ICEBERG_ORDERS, { FILTER("EXCHANGE_MAX_NUM_ICEBERG_ORDERS"), NO_ANSWER } },
    { REASON_VENUE_ALL_ORDER_LISTS, { FILTER("EXCHANGE_MAX_NUM_ORDER_LISTS"), NO_ANSWER } },
    { REASON_VENUE_MAX_ASSET, { FILTER("MAX_ASSET"), NO_ANSWER } },
    { REASON_OPEN_ORDERS_MAX, /* the venue's own room */
      { { -1013, "Filter failure: MAX_NUM_ORDERS" }, { -2025, "Reach max open order limit." } } },
    { REASON_VENUE_ORDER_COUNT,
      { { -1015, "Too many new orders" }, { -1015, "Too many new orders" } } },
    { REASON_DUPLICATE_ID,
      { { -2010, "Duplicate order sent." }, { -4116, "ClientOrderId is duplicated." } } },
    /* money */
    { REASON_INSUFFICIENT_BALANCE,
      { { -2010, "Account has insufficient balance for requested action." },
        { -2018, "Balance is insufficient." } } },
    { REASON_INSUFFICIENT_MARGIN, { NO_ANSWER, { -2019, "Margin is insufficient." } } },
    { REASON_LEVERAGE_LIMIT,
      { NO_ANSWER, { -2027, "Exceeded the maximum allowable position at current leverage." } } },
    { REASON_REDUCE_ONLY, { NO_ANSWER, { -2022, "ReduceOnly Order is rejected." } } },
    { REASON_LIQUIDATION, { NO_ANSWER, { -2023, "User in liquidation mode now." } } },
    { REASON_DELEVERAGED, { NO_ANSWER, NO_ANSWER } },
    /* the market */
    { REASON_INSTRUMENT_EXPIRED,
      { NO_ANSWER, { -4140, "Invalid symbol status for opening position." } } },
    { REASON_MARKET_CLOSED, { { -2010, "Market is closed." }, { -4141, "Symbol is closed." } } },
    { REASON_WOULD_MATCH,
      { { -2010, "Order would immediately match and take." },
        { -5022, "Due to the order could not be executed as maker, the Post Only order will be "
                 "rejected." } } },
    { REASON_WOULD_TRIGGER,
      { { -2010, "Order would trigger immediately." },
        { -2021, "Order would immediately trigger." } } },
    { REASON_FILL_OR_KILL,
      { NO_ANSWER,
        { -5021, "Due to the order could not be filled immediately, the FOK order has "
                 "been rejected." } } },
    { REASON_NO_LIQUIDITY,
      { { -2010, "Order book liquidity is less than LOT_SIZE filter minimum quantity." },
        { -2020, "Unable to fill." } } },
    { REASON_PRICE_BOUND,
      { NO_ANSWER,
        { -4131, "The counterparty's best price does not meet the PERCENT_PRICE filter "
                 "limit." } } },
    /* cancels and amends */
    { REASON_UNKNOWN_ORDER,
      { { -2011, "Unknown order sent." }, { -2011, "Unknown order sent." } } },
    { REASON_CANCEL_RULE,
      { { -2011, "Order was not canceled due to cancel restrictions." }, NO_ANSWER } },
    { REASON_AMEND_RULE,
      { { -2038, "Order amend (quantity increase) is not supported." },
        { -5027, "No need to modify the order." } } },
    { REASON_VENUE_MAX_AMENDS, { { -2038, "Filter failure: MAX_NUM_ORDER_AMENDS" }, NO_ANSWER } },
    { REASON_CANCEL_FAILED, { NO_ANSWER, NO_ANSWER } }, /* -2022 is of the request as a whole */
    /* how orders end: no answers to a request */
    { REASON_END_OF_DATA, { NO_ANSWER, NO_ANSWER } },
    { REASON_DATA_CLOCK, { NO_ANSWER, NO_ANSWER } },  /* an alert */
    { REASON_DATA_ORDERS, { NO_ANSWER, NO_ANSWER } }, /* an alert */
    { REASON_STALE_DATA, { NO_ANSWER, NO_ANSWER } },  /* an alert */
    { REASON_NOT_FILLED_AT_ONCE, { NO_ANSWER, NO_ANSWER } },
    { REASON_SELF_TRADE, { NO_ANSWER, NO_ANSWER } },
    { REASON_LIST_PARTNER, { NO_ANSWER, NO_ANSWER } },
    { REASON_LIST_PARENT, { NO_ANSWER, NO_ANSWER } },
};

/* What USD-M says of sales too far below the mark. */
static const struct answer sale_too_low = { -4024,
                                            "Price is lower than mark price multiplier floor." };

/* Further answers that are heard. */
static const struct {
    enum bn_market market; /* where */
    uint16_t reason;       /* ours */
    struct answer heard;   /* a further answer that means it */
} further[] = {
    { BN_USDM, REASON_VENUE_PERCENT_PRICE, { -4024, NULL } },
    { BN_USDM, REASON_VENUE_PERCENT_PRICE, { -4183, NULL } },
    { BN_USDM, REASON_VENUE_PERCENT_PRICE, { -4184, NULL } },
    { BN_USDM, REASON_VENUE_LOT_LOW, { -4003, NULL } },
    { BN_USDM, REASON_BAD_TICK, { -1111, NULL } },
    { BN_USDM, REASON_MIN_NOTIONAL, { -5029, NULL } },
    { BN_SPOT, REASON_VENUE_PERCENT_PRICE, { -1013, "Filter failure: PERCENT_PRICE" } },
    { BN_SPOT, REASON_MIN_NOTIONAL, { -1013, "Filter failure: MIN_NOTIONAL" } },
    { BN_SPOT, REASON_BAD_TICK, { -1111, NULL } },
    { BN_SPOT, REASON_MARKET_CLOSED, { -1013, "Market is closed." } },
};

bool bn_refusal_of(uint16_t reason, enum bn_market market, uint8_t side, struct bn_refusal *out) {
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i].reason != reason) continue;
        const struct answer *a = &entries[i].market[market];
        bool low = reason == REASON_VENUE_PERCENT_PRICE && market == BN_USDM && side == SIDE_SELL;
        if (low) a = &sale_too_low;
        if (a->code == 0) return false;
        *out = (struct bn_refusal){ .code = a->code,
                                    .http = a->code == -1015 ? 429 : 400,
                                    .msg = a->msg };
        return true;
    }
    return false;
}

bool bn_reason_known(uint16_t reason) {
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i].reason == reason) return true;
    }
    return false;
}

/* begins tells whether msg begins with part and a word ends there. */
static bool begins(const char *msg, const char *part) {
    size_t cnt = strlen(part);
    if (strncmp(msg, part, cnt) != 0) return false;
    return msg[cnt] != '_' && (msg[cnt] < 'A' || msg[cnt] > 'Z');
}

uint16_t bn_reason_of(enum bn_market market, int16_t code, const char *msg) {
    uint16_t bare = REASON_NONE;
    if (code == 0) return REASON_NONE;
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        const struct answer *a = &entries[i].market[market];
        if (a->code != code) continue;
        if (msg != NULL && begins(msg, a->msg)) return entries[i].reason;
        if (bare == REASON_NONE) bare = entries[i].reason;
    }
    for (size_t i = 0; i < sizeof further / sizeof further[0]; i++) {
        const struct answer *a = &further[i].heard;
        if (further[i].market != market || a->code != code) continue;
        if (a->msg == NULL && bare == REASON_NONE) bare = further[i].reason;
        if (a->msg != NULL && msg != NULL && begins(msg, a->msg)) return further[i].reason;
    }
    /* The codes that stand for many refusals mean nothing without their sentence. */
    return code == -1013 || code == -2010 ? REASON_NONE : bare;
}
