/* trades.h - public trades out of CSV.
 *
 * For     backtests and paper runs on prints. Layouts, by heading or, without one, by the number of
 *         columns: 6 (futures trades: id, price, quantity, quote quantity, time, buyer is maker),
 *         7 with a word in the sixth (spot trades, the same and best match), 7 (futures aggTrades:
 *         id, price, quantity, first id, last id, time, buyer is maker), 8 (spot aggTrades, the
 *         same and best match). A heading may name the columns in any order.
 * Rules   every row: as many columns as the first; id rising; time not falling; price and quantity
 *         above zero with at most 8 decimals; true or false in any spelling. Anything else is an
 *         error with file:line.
 * Thread  boot only.
 * Memory  the rows are one anonymous mapping; the text is read in place and let go.
 * Cost    one pass, above 1 GB/s of text. */
#ifndef ACTORS_DATA_TRADES_H
#define ACTORS_DATA_TRADES_H
#include "actors/data/scan.h"
#include "runtime/core/source.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a column of a trades file holds. */
enum data_trades_role {
    DATA_TRADES_OTHER,    /* a number or a word that is not kept */
    DATA_TRADES_ID,       /* number of the trade */
    DATA_TRADES_PRICE,    /* price */
    DATA_TRADES_QUANTITY, /* base quantity */
    DATA_TRADES_TIME,     /* when */
    DATA_TRADES_MAKER,    /* whether the buyer was the maker */
    DATA_TRADES_ROLE_CNT,
};

/* A reading in progress, as in klines.h: zero columns, at and line before a further file. */
struct data_trades {
    const char *file;                /* name for errors */
    uint16_t instrument;             /* written into each row */
    bool any;                        /* a row has been read */
    uint32_t columns;                /* columns of the file; 0 until its first line is read */
    uint8_t roles[DATA_COLUMNS_MAX]; /* what each holds: enum data_trades_role */
    size_t at;                       /* bytes of the text used */
    uint64_t line;                   /* lines read */
    int64_t last_ns;                 /* time of the last trade */
    int64_t last_id;                 /* its number */
    uint64_t id_gaps;                /* times that numbers were left out */
};

/* data_trades_parse reads trades from the cnt bytes of text, from t->at on, into rows, until
 * rows_max are read or the text ends (t->at == cnt). *rows_cnt is set to how many. Returns 0, or
 * -EBADMSG with err. */
int data_trades_parse(const char *bytes, size_t cnt, struct data_trades *t, struct msg_trade *rows,
                      size_t rows_max, size_t *rows_cnt, struct rt_error *err)
    __attribute__((warn_unused_result));

/* The source "trades": one series from one or more files. Keys: instrument, file or files. */
extern const struct rt_source_kind data_trades_source;
#endif
