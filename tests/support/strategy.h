/* strategy.h - what tests of the strategy host and its classes share: a world, bars, and answers of
 * the actors behind it.
 *
 * For     tests/actors/test_strategy_host.c, test_sma_cross.c, test_pair.c; includes the rig.
 * Thread  the test's. */
#ifndef TESTS_SUPPORT_STRATEGY_H
#define TESTS_SUPPORT_STRATEGY_H
#include "actors/market/market.h"
#include "actors/strategy/host.h"
#include "schemas/messages.h"
#include "schemas/verify.h"
#include "tests/support/check.h"
#include "tests/support/rig.h"
#include <string.h>

/* ONE is one whole unit. */
#define ONE ((int64_t)FIXED_ONE)
/* MINUTE_NS is a minute. */
#define MINUTE_NS INT64_C(60000000000)

/* A market of two linear instruments and a spot one, all in USDT; ids in name order:
 * 1 BTC-PERP, 2 BTC-SPOT, 3 ETH-PERP. */
static const char *const market_yaml =
    "instruments:\n"
    "  BTC-PERP: {symbol: BTCUSDT, kind: linear, base: BTC, quote: USDT, tick_size: 0.1,\n"
    "    lot_size: 0.001, maker_fee: 0.0002, taker_fee: 0.0005, slippage_bps: 0.5}\n"
    "  BTC-SPOT: {symbol: BTCUSDT, kind: spot, base: BTC, quote: USDT, tick_size: 0.01,\n"
    "    lot_size: 0.00001, maker_fee: 0.001, taker_fee: 0.001}\n"
    "  ETH-PERP: {symbol: ETHUSDT, kind: linear, base: ETH, quote: USDT, tick_size: 0.01,\n"
    "    lot_size: 0.01, maker_fee: 0.0002, taker_fee: 0.0005}\n"
    "accounts: {main: {quote: USDT, cash: 100000}, other: {quote: USDT, cash: 5}}\n";

/* Ids of the instruments. */
enum { BTC_PERP = 1, BTC_SPOT = 2, ETH_PERP = 3 };

/* market_open makes the market above; the caller closes it. */
static inline struct mk_market *market_open(void) {
    struct rt_config *c;
    struct mk_market *m;
    struct rt_error err = { 0 };
    assert_int_equal(rt_config_parse("market", market_yaml, strlen(market_yaml), &c, &err), 0);
    int rc = mk_market_load(rt_config_root(c), &m, &err);
    if (rc != 0) print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    rt_config_close(c);
    return m;
}

/* bar_at makes the bar of a minute, from its opening minute and its close. */
static inline struct msg_bar bar_at(uint16_t instrument, int64_t minute, int64_t close) {
    return (struct msg_bar){ .open_ns = minute * MINUTE_NS,
                             .interval_ns = MINUTE_NS,
                             .open = close,
                             .high = close,
                             .low = close,
                             .close = close,
                             .volume = 1,
                             .instrument = instrument };
}

/* intent_of returns the n-th intent said, or NULL. */
static inline const struct msg_order_intent *intent_of(const struct rig *r, size_t n) {
    const struct msg_frame *f = rig_find(r, MSG_ORDER_INTENT, n);
    return f ? msg_body(f) : NULL;
}

/* cancel_of returns the n-th cancel said, or NULL. */
static inline const struct msg_order_cancel *cancel_of(const struct rig *r, size_t n) {
    const struct msg_frame *f = rig_find(r, MSG_ORDER_CANCEL, n);
    return f ? msg_body(f) : NULL;
}

/* packet_of returns the head of the n-th packet said, or NULL; it must be well-formed. */
static inline const struct st_packet_head *packet_of(const struct rig *r, size_t n) {
    const struct msg_frame *f = rig_find(r, MSG_DECISION_PACKET, n);
    if (f) assert_int_equal(msg_verify_frame(f, f->size), 0);
    return f ? msg_body(f) : NULL;
}

/* tell_state tells the host that an order stands so. */
static inline void tell_state(struct rig *r, const struct msg_order_intent *i, uint8_t status,
                              int64_t cum, uint16_t reason) {
    struct msg_order_state m = { .order_id = i->order_id,
                                 .price = i->price,
                                 .quantity = i->quantity,
                                 .cum_quantity = cum,
                                 .instrument = i->instrument,
                                 .reason = reason,
                                 .account = i->account,
                                 .side = i->side,
                                 .type = i->type,
                                 .terms = i->terms,
                                 .status = status };
    rig_hear(r, MSG_ORDER_STATE, 60, &m, sizeof m);
}

/* take_all tells the host that execution has every order asked for since rig_forget. */
static inline void take_all(struct rig *r) {
    size_t cnt = rig_count(r, MSG_ORDER_INTENT);
    for (size_t i = 0; i < cnt; i++) {
        struct msg_order_intent taken = *intent_of(r, i);
        tell_state(r, &taken, ORDER_STATUS_SUBMITTED, 0, REASON_NONE);
    }
}

/* tell_fill tells the host a whole fill of an order at price, then that it is filled. */
static inline void tell_fill(struct rig *r, const struct msg_order_intent *order, int64_t price) {
    struct msg_order_intent i = *order; /* what is said next may overwrite nothing of it */
    int64_t cost = 0;
    (void)fixed_mul(price, i.quantity, FIXED_UP, &cost);
    struct msg_fill m = { .order_id = i.order_id,
                          .price = price,
                          .quantity = i.quantity,
                          .cum_quantity = i.quantity,
                          .cum_cost = cost,
                          .fee_asset = UINT16_MAX,
                          .instrument = i.instrument,
                          .account = i.account,
                          .side = i.side,
                          .liquidity = LIQUIDITY_TAKER,
                          .terms = i.terms };
    rig_hear(r, MSG_FILL, 60, &m, sizeof m);
    tell_state(r, &i, ORDER_STATUS_FILLED, i.quantity, REASON_NONE);
}
#endif
