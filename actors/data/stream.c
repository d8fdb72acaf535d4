#include "actors/data/stream.h"
#include "schemas/messages.h"
#include <string.h>

/* Words that head a time column. */
#define TIMES                                                                                      \
    "open_time|open_time_ms|open_time_us|open_time_ns|open_time_s|open time|timestamp|time|"       \
    "time_ms|time_us|time_ns|date|datetime"

/* The columns that every stream of bars has. */
#define BAR_COLUMNS                                                                                \
    { "open_time", TIMES, DATA_TIME, offsetof(struct msg_bar, open_ns), true, true },              \
        { "open", "open", DATA_FIXED, offsetof(struct msg_bar, open), true, true },                \
        { "high", "high", DATA_FIXED, offsetof(struct msg_bar, high), true, true },                \
        { "low", "low", DATA_FIXED, offsetof(struct msg_bar, low), true, true },                   \
        { "close", "close", DATA_FIXED, offsetof(struct msg_bar, close), true, true },             \
        { "volume",  "volume_base|volume_btc|volume|vol",                                          \
          DATA_REAL, offsetof(struct msg_bar, volume),                                             \
          true,      false },                                                                      \
        { "count",    "count|trades|number_of_trades",                                             \
          DATA_COUNT, offsetof(struct msg_bar, count),                                             \
          false,      false },                                                                     \
        { "quote_volume", "quote_volume|quote_asset_volume|amount", DATA_REAL, -1, false, false }, \
        { "taker_buy_volume",                                                                      \
          "taker_buy_volume|taker_buy_base_asset_volume",                                          \
          DATA_REAL,                                                                               \
          -1,                                                                                      \
          false,                                                                                   \
          false },                                                                                 \
    {                                                                                              \
        "taker_buy_quote_volume", "taker_buy_quote_volume|taker_buy_quote_asset_volume",           \
            DATA_REAL, -1, false, false                                                            \
    }

/* A stream of bars. */
#define BARS(title, no, kind)                                                                      \
    {                                                                                              \
        .name = (title), .number = (no), .row_kind = (kind), .row_bytes = sizeof(struct msg_bar),  \
        .column_cnt = 10, .gap = DATA_GAP_GRID, .interval = true, .key_mask = 1, .columns = {      \
            BAR_COLUMNS                                                                            \
        }                                                                                          \
    }

/* The first columns of trades. */
#define TRADE_COLUMNS(ids)                                                                         \
    {                                                                                              \
        "time", "transact_time|" TIMES, DATA_TIME, offsetof(struct msg_trade, time_ns), true, true \
    },                                                                                             \
        { "id", ids, DATA_ID, offsetof(struct msg_trade, trade_id), true, false },                 \
        { "price", "price", DATA_FIXED, offsetof(struct msg_trade, price), true, true },           \
        { "qty", "qty|quantity", DATA_FIXED, offsetof(struct msg_trade, quantity), true, true }, { \
        "is_buyer_maker", "is_buyer_maker|isbuyermaker|buyer_is_maker", DATA_MAKER,                \
            offsetof(struct msg_trade, aggressor), true, false                                     \
    }

const struct data_stream data_streams[] = {
    BARS("klines", 1, MSG_BAR),
    BARS("markPriceKlines", 2, MSG_MARK_BAR),
    BARS("indexPriceKlines", 3, 0),
    BARS("premiumIndexKlines", 4, 0),
    { .name = "trades",
      .number = 5,
      .row_kind = MSG_TRADE,
      .row_bytes = sizeof(struct msg_trade),
      .column_cnt = 6,
      .gap = DATA_GAP_ID,
      .key_mask = 1 << DATA_TRADE_ID,
      .columns = { TRADE_COLUMNS("id|trade_id"),
                   { "delay_us", "delay_us", DATA_DELAY, offsetof(struct msg_trade, delay_us),
                     false, false } } },
    { .name = "aggTrades",
      .number = 6,
      .row_kind = MSG_TRADE,
      .row_bytes = sizeof(struct msg_trade),
      .column_cnt = 8,
      .gap = DATA_GAP_ID,
      .key_mask = 1 << DATA_TRADE_ID,
      .columns = { TRADE_COLUMNS("agg_trade_id|aggtradeid|id"),
                   { "delay_us", "delay_us", DATA_DELAY, offsetof(struct msg_trade, delay_us),
                     false, false },
                   { "first_trade_id", "first_trade_id", DATA_ID, -1, false, false },
                   { "last_trade_id", "last_trade_id", DATA_ID, -1, false, false } } },
    { .name = "bookTicker",
      .number = 7,
      .row_kind = MSG_QUOTE,
      .row_bytes = sizeof(struct msg_quote),
      .column_cnt = 7,
      .key_mask = 0x3e,
      .columns = { { "time", "transaction_time|" TIMES, DATA_TIME,
                     offsetof(struct msg_quote, time_ns), true, true },
                   { "update_id", "update_id", DATA_ID, -1, false, false },
                   { "best_bid_price", "best_bid_price|bid_px|bid|bid_price", DATA_FIXED,
                     offsetof(struct msg_quote, bid), true, true },
                   { "best_bid_qty", "best_bid_qty|bid_qty|bid_quantity", DATA_FIXED,
                     offsetof(struct msg_quote, bid_quantity), true, false },
                   { "best_ask_price", "best_ask_price|ask_px|ask|ask_price", DATA_FIXED,
                     offsetof(struct msg_quote, ask), true, true },
                   { "best_ask_qty", "best_ask_qty|ask_qty|ask_quantity", DATA_FIXED,
                     offsetof(struct msg_quote, ask_quantity), true, false },
                   { "delay_us", "delay_us", DATA_DELAY, -1, false, false } } },
    { .name = "depth",
      .number = 8,
      .row_kind = MSG_BOOK_DELTA,
      .row_bytes = sizeof(struct msg_book_delta),
      .column_cnt = 9,
      .gap = DATA_GAP_CHAIN,
      .key_mask = 1 << DATA_DEPTH_FINAL | 1 << DATA_DEPTH_PRICE | 1 << DATA_DEPTH_SIDE |
                  1 << DATA_DEPTH_FLAGS,
      .columns = { { "time", TIMES, DATA_TIME, offsetof(struct msg_book_delta, time_ns), true,
                     true },
                   { "first_update_id", "first_update_id", DATA_ID, -1, true, false },
                   { "last_update_id", "last_update_id", DATA_ID,
                     offsetof(struct msg_book_delta, update_id), true, false },
                   { "pu", "pu|prev_update_id", DATA_ID, -1, false, false },
                   { "price", "price", DATA_FIXED, offsetof(struct msg_book_delta, price), true,
                     false },
                   { "qty", "qty|quantity", DATA_FIXED, offsetof(struct msg_book_delta, quantity),
                     true, false },
                   { "side", "side", DATA_SIDE, offsetof(struct msg_book_delta, side), true,
                     false },
                   { "flags", "flags|update_type", DATA_FLAGS,
                     offsetof(struct msg_book_delta, flags), false, false },
                   { "delay_us", "delay_us", DATA_DELAY, offsetof(struct msg_book_delta, delay_us),
                     false, false } } },
    { .name = "bookDepth",
      .number = 9,
      .column_cnt = 4,
      .key_mask = 2,
      .columns = { { "timestamp", TIMES, DATA_TIME, -1, true, true },
                   { "percentage", "percentage", DATA_REAL, -1, true, false },
                   { "depth", "depth", DATA_REAL, -1, true, false },
                   { "notional", "notional", DATA_REAL, -1, true, false } } },
    { .name = "fundingRate",
      .number = 10,
      .row_kind = MSG_FUNDING,
      .row_bytes = sizeof(struct msg_funding),
      .column_cnt = 4,
      .columns = { { "calc_time", "calc_time|funding_time|funding_time_ms|fundingtime", DATA_TIME,
                     offsetof(struct msg_funding, time_ns), true, true },
                   { "funding_interval_hours", "funding_interval_hours", DATA_COUNT, -1, false,
                     false },
                   { "last_funding_rate", "last_funding_rate|funding_rate|fundingrate", DATA_FIXED,
                     offsetof(struct msg_funding, rate), true, false },
                   { "mark_price", "mark_price|markprice", DATA_FIXED,
                     offsetof(struct msg_funding, mark), false, true } } },
    { .name = "metrics",
      .number = 11,
      .row_kind = MSG_OPEN_INTEREST,
      .row_bytes = sizeof(struct msg_open_interest),
      .column_cnt = 7,
      .columns = { { "create_time", "create_time|" TIMES, DATA_TIME,
                     offsetof(struct msg_open_interest, time_ns), true, true },
                   { "sum_open_interest", "sum_open_interest|open_interest|open_interest_btc",
                     DATA_FIXED, offsetof(struct msg_open_interest, quantity), true, false },
                   { "sum_open_interest_value", "sum_open_interest_value", DATA_REAL,
                     offsetof(struct msg_open_interest, value), false, false },
                   { "count_toptrader_long_short_ratio", "count_toptrader_long_short_ratio",
                     DATA_REAL, -1, false, false },
                   { "sum_toptrader_long_short_ratio", "sum_toptrader_long_short_ratio", DATA_REAL,
                     -1, false, false },
                   { "count_long_short_ratio", "count_long_short_ratio", DATA_REAL, -1, false,
                     false },
                   { "sum_taker_long_short_vol_ratio", "sum_taker_long_short_vol_ratio", DATA_REAL,
                     -1, false, false } } },
    { .name = "markPrice",
      .number = 12,
      .row_kind = MSG_MARK_PRICE,
      .row_bytes = sizeof(struct msg_mark_price),
      .column_cnt = 7,
      .columns = { { "time", "event_time|" TIMES, DATA_TIME,
                     offsetof(struct msg_mark_price, time_ns), true, true },
                   { "mark_price", "mark_price", DATA_FIXED, offsetof(struct msg_mark_price, mark),
                     true, true },
                   { "index_price", "index_price", DATA_FIXED,
                     offsetof(struct msg_mark_price, index), false, false },
                   { "settle_price", "settle_price|estimated_settle_price", DATA_FIXED, -1, false,
                     false },
                   { "funding_rate", "funding_rate", DATA_FIXED,
                     offsetof(struct msg_mark_price, rate), false, false },
                   { "next_funding_time", "next_funding_time", DATA_TIME, -1, false, false },
                   { "delay_us", "delay_us", DATA_DELAY, -1, false, false } } },
    { 0 },
};

const struct data_stream *data_stream_find(const char *name) {
    for (const struct data_stream *s = data_streams; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0) return s;
    }
    return NULL;
}

const struct data_stream *data_stream_number(uint32_t number) {
    for (const struct data_stream *s = data_streams; s->name != NULL; s++) {
        if (s->number == number) return s;
    }
    return NULL;
}

size_t data_type_bytes(enum data_type type) {
    switch (type) {
    case DATA_COUNT:
    case DATA_DELAY: return 4;
    case DATA_MAKER:
    case DATA_SIDE:
    case DATA_FLAGS: return 1;
    default: return 8;
    }
}

int data_column_find(const struct data_stream *s, const char *name) {
    for (uint32_t c = 0; c < s->column_cnt; c++) {
        if (strcmp(s->columns[c].name, name) == 0) return (int)c;
    }
    return -1;
}
