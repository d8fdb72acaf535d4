#include "actors/registry.h"
#include "actors/data/funding.h"
#include "actors/data/klines.h"
#include "actors/data/market_source.h"
#include "actors/data/orders.h"
#include "actors/data/store_source.h"
#include "actors/data/trades.h"
#include "actors/execution/execution.h"
#include "actors/feed/feed.h"
#include "actors/gateway/command.h"
#include "actors/market/market.h"
#include "actors/portfolio/portfolio.h"
#include "actors/risk/risk.h"
#include "actors/strategy/host.h"
#include "actors/venue/venue.h"

/* Kinds of actor. */
static const struct rt_actor_kind *const actor_kinds[] = {
    &feed_kind, &strategy_kind, &risk_kind, &execution_kind, &venue_kind, &portfolio_kind, NULL
};

/* Kinds of source. */
static const struct rt_source_kind *const source_kinds[] = { &data_klines_source,
                                                             &data_trades_source,
                                                             &data_funding_source,
                                                             &data_market_source,
                                                             &data_store_source,
                                                             &data_orders_source,
                                                             NULL };

/* Kinds of decoder. */
static const struct rt_decoder_kind *const decoder_kinds[] = { &command_decoder, NULL };

/* KEY is a rule's key: the fields of struct s from first to last. */
#define KEY(s, first, last)                                                                        \
    offsetof(struct s, first),                                                                     \
        offsetof(struct s, last) + sizeof(((struct s *)NULL)->last) - offsetof(struct s, first)

/* What a full edge does by default: orders are refused before they are made, states are merged per
 * order, quotes and accounts are conflated; everything else is kept at the sender until there is
 * room. Who books a fill adds its quantity, so that each has to be heard. */
static const struct rt_full_rule full_rules[] = {
    { MSG_QUOTE, RT_FULL_CONFLATE, KEY(msg_quote, instrument, instrument), false },
    { MSG_ORDER_STATE, RT_FULL_MERGE, KEY(msg_order_state, order_id, order_id), true },
    { MSG_ACCOUNT_STATE, RT_FULL_CONFLATE, KEY(msg_account_state, account, account), false },
    { MSG_POSITION, RT_FULL_REFUSE, KEY(msg_position, instrument, account), false },
    { MSG_FILL, RT_FULL_REFUSE, 0, 0, true },
    { MSG_ORDER_INTENT, RT_FULL_REFUSE, 0, 0, true },
    { MSG_ORDER_INTENT_MORE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_ORDER_CANCEL, RT_FULL_REFUSE, 0, 0, true },
    { MSG_ORDER_CHANGE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_ORDER_REPLACE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_CHANGE_VERDICT, RT_FULL_REFUSE, 0, 0, true },
    { MSG_REPLACE_VERDICT, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_REPLACE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_AMENDED, RT_FULL_REFUSE, 0, 0, true },
    { MSG_ORDER_AMENDED, RT_FULL_REFUSE, 0, 0, true },
    { MSG_RISK_VERDICT, RT_FULL_REFUSE, 0, 0, true },
    { MSG_RISK_VERDICT_MORE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_REQUEST, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_REQUEST_MORE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_STATUS, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_FILL, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_LIQUIDATION, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_FUNDING, RT_FULL_REFUSE, 0, 0, true },
    { MSG_LIQUIDATION, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_DELEVERAGE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_DELEVERAGE, RT_FULL_REFUSE, 0, 0, true },
    { MSG_VENUE_DELIVERY, RT_FULL_REFUSE, 0, 0, true },
    { MSG_DELIVERY, RT_FULL_REFUSE, 0, 0, true },
    { MSG_FUNDING_FEE, RT_FULL_REFUSE, 0, 0, true },
    { 0, RT_FULL_REFUSE, 0, 0, false },
};

/* Kinds that leave for a venue. */
static const uint16_t gates[] = { MSG_VENUE_REQUEST, MSG_VENUE_REQUEST_MORE, MSG_VENUE_REPLACE, 0 };

/* about tells whose order a frame is about: the strategy that owns it. */
static uint16_t about(const struct msg_frame *f) {
    switch (f->kind) {
    case MSG_ORDER_STATE:
        return mk_order_owner(((const struct msg_order_state *)msg_body(f))->order_id);
    case MSG_FILL: return mk_order_owner(((const struct msg_fill *)msg_body(f))->order_id);
    default: return 0;
    }
}

/* world_load reads instruments and accounts. */
static int world_load(struct rt_node *root, void **world, struct rt_error *err) {
    struct mk_market *m = NULL;
    int code = mk_market_load(root, &m, err);
    *world = m;
    return code;
}

/* world_close frees them. */
static void world_close(void *world) {
    mk_market_close(world);
}

const struct rt_registry shrike_registry = {
    .actors = actor_kinds,
    .sources = source_kinds,
    .decoders = decoder_kinds,
    .full = full_rules,
    .gates = gates,
    .about = about,
    .world_load = world_load,
    .world_close = world_close,
};
