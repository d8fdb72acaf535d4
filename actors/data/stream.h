/* stream.h - what the store keeps: its streams, and the columns of each.
 *
 * For     the store, import, export, quality: one table says how a column is called, how it is
 *         written as text, where it goes in the row the engine reads, and which words head it in
 *         the files of others. Binance's public archive (klines, aggTrades, trades, bookTicker,
 *         bookDepth, fundingRate, metrics) and recordings (depth, markPrice) are in it.
 * Numbers a stream's number and the order of its columns are the format on disk: columns are only
 *         added at the end.
 * Thread  constants. */
#ifndef ACTORS_DATA_STREAM_H
#define ACTORS_DATA_STREAM_H
#include "schemas/fixed.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DATA_STREAM_COLUMNS_MAX = 12, /* most columns of a stream */
};

/* A number that the source did not tell, in columns of 64-bit integers (the engine's rows have 0
 * for it); in columns of doubles it is NaN, in all others 0. */
#define DATA_NOT_TOLD INT64_MIN

/* Times that are read lie from 1950 to here, the year 2200: their differences fit 64 bits. */
#define DATA_TIME_END 7258118400000000000LL

/* What a column holds, and how it is written as text. */
enum data_type {
    DATA_TIME,  /* int64 ns UTC; text: ms, us or ns, as short as is exact */
    DATA_FIXED, /* int64 in 1e-8; text: a decimal */
    DATA_ID,    /* int64; text: a whole number */
    DATA_REAL,  /* double; text: the shortest decimal that reads back the same */
    DATA_COUNT, /* uint32; text: a whole number */
    DATA_MAKER, /* uint8, SIDE_* of the taker; text: true when the buyer was the maker */
    DATA_SIDE,  /* uint8, SIDE_BUY = bid; text: b or a */
    DATA_FLAGS, /* uint8, BookFlags; text: a whole number, snap or set */
    DATA_DELAY, /* int32 us from the row's time to the recorder's; text: a whole number */
};

/* A column. */
struct data_column {
    const char *name;    /* in headings we write */
    const char *words;   /* in headings of others: small letters, '|' between, best first */
    enum data_type type; /* what it holds */
    int16_t row_at;      /* offset in the engine's row, -1 = not in it */
    bool required;       /* a row without it says nothing */
    bool positive;       /* must be above zero */
};

/* How rows show that some are missing. */
enum data_gap_rule {
    DATA_GAP_NONE,  /* they do not */
    DATA_GAP_GRID,  /* bars: by time */
    DATA_GAP_ID,    /* by the number in column 1, which rises by one */
    DATA_GAP_CHAIN, /* depth: by first_id, last_id, prev_id of messages */
};

/* A stream. */
struct data_stream {
    const char *name;       /* of its directory, and in options */
    uint16_t number;        /* on disk */
    uint16_t row_kind;      /* MSG_* of the engine's rows, 0 = it hears none */
    uint32_t row_bytes;     /* size of one */
    uint32_t column_cnt;    /* number of columns; column 0 is the time */
    enum data_gap_rule gap; /* how gaps are told */
    bool interval;          /* rows are bars: open at the time, high, low, close follow */
    uint32_t key_mask;      /* columns that tell rows of one instant apart, as bits */
    struct data_column columns[DATA_STREAM_COLUMNS_MAX]; /* in order */
};

/* Columns of bars, in every stream with an interval. */
enum data_bar_column {
    DATA_BAR_TIME,        /* open time */
    DATA_BAR_OPEN,        /* first price */
    DATA_BAR_HIGH,        /* highest */
    DATA_BAR_LOW,         /* lowest */
    DATA_BAR_CLOSE,       /* last */
    DATA_BAR_VOLUME,      /* in base */
    DATA_BAR_COUNT,       /* trades */
    DATA_BAR_QUOTE,       /* volume in quote */
    DATA_BAR_TAKER,       /* volume of buying takers, base */
    DATA_BAR_TAKER_QUOTE, /* the same in quote */
};

/* Columns of trades and aggTrades. */
enum data_trade_column {
    DATA_TRADE_TIME,     /* venue's time */
    DATA_TRADE_ID,       /* venue's number */
    DATA_TRADE_PRICE,    /* price */
    DATA_TRADE_QUANTITY, /* base quantity */
    DATA_TRADE_SIDE,     /* of the taker */
    DATA_TRADE_DELAY,    /* how much later the recorder had it */
};

/* Columns of bookTicker. */
enum data_quote_column {
    DATA_QUOTE_TIME,         /* venue's time, or the recorder's where the venue tells none */
    DATA_QUOTE_ID,           /* update id */
    DATA_QUOTE_BID,          /* best bid */
    DATA_QUOTE_BID_QUANTITY, /* its quantity */
    DATA_QUOTE_ASK,          /* best ask */
    DATA_QUOTE_ASK_QUANTITY, /* its quantity */
    DATA_QUOTE_DELAY,        /* how much later the recorder had it */
};

/* Columns of depth: a row is a level. */
enum data_depth_column {
    DATA_DEPTH_TIME,     /* venue's time, or the recorder's where the venue tells none */
    DATA_DEPTH_FIRST,    /* first update id of the message (U) */
    DATA_DEPTH_FINAL,    /* last one (u) */
    DATA_DEPTH_PREV,     /* last one of the message before (pu) */
    DATA_DEPTH_PRICE,    /* the level */
    DATA_DEPTH_QUANTITY, /* what stands there now, 0 = nothing */
    DATA_DEPTH_SIDE,     /* bid or ask */
    DATA_DEPTH_FLAGS,    /* BookFlags */
    DATA_DEPTH_DELAY,    /* how much later the recorder had it */
};

/* Columns of markPrice. */
enum data_mark_column {
    DATA_MARK_TIME,   /* venue's time */
    DATA_MARK_PRICE,  /* mark price */
    DATA_MARK_INDEX,  /* index price */
    DATA_MARK_SETTLE, /* estimated settlement price */
    DATA_MARK_RATE,   /* funding rate */
    DATA_MARK_NEXT,   /* when it is paid next */
    DATA_MARK_DELAY,  /* how much later the recorder had it */
};

/* data_streams are all of them; ends with a NULL name. */
extern const struct data_stream data_streams[];
/* data_stream_find returns the stream named name ("klines", "aggTrades"), NULL when there is none.
 */
const struct data_stream *data_stream_find(const char *name);
/* data_stream_number returns the stream of a number on disk, NULL when there is none. */
const struct data_stream *data_stream_number(uint32_t number);
/* data_type_bytes returns the width of a column of that type. */
size_t data_type_bytes(enum data_type type);
/* data_column_find returns the number of the column named name, or -1. */
int data_column_find(const struct data_stream *s, const char *name);
#endif
