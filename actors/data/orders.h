/* orders.h - a market recorded order by order (L3), out of CSV.
 *
 * For     backtests and paper runs in a book whose queues are known (venue.h). Two forms, told by
 *         the first line:
 *           a heading of ours: time, order_id, action, side, price, qty and, where there are any,
 *           sequence, local_time, delay_us; in any order, other columns are passed over
 *             add      an order joins its price, behind all that are there
 *             reduce   qty of it is canceled; it keeps its place
 *             delete   it is canceled
 *             modify   it has this price and qty now, and goes behind all that are there
 *             amend    it has this smaller qty now, and keeps its place
 *             execute  qty of it is traded, at price (empty: its own)
 *             hidden   qty is traded at price with an order on side that nobody saw
 *             cross    qty is traded at price at an auction
 *             clear    a snapshot follows: the rows right behind it that are snap
 *             snap     an order as the snapshot shows it; at one price first in time first
 *             halt, resume
 *           side b or a (bid, ask, buy, sell), of the order; order_id a whole number above 0; times
 *           since 1970 in s, ms, us or ns, told by their size; sequence stays or rises by one;
 *           fields that an action does not look at may be empty
 *           no heading: a LOBSTER message file: seconds after midnight, type 1-7, order id, size,
 *           price * 10000, direction 1 (buy) or -1, and perhaps a seventh column. Its day stands in
 *           its name (SYMBOL_2012-06-21_...) or is declared; midnight is New York's. A file of
 *           another day than the one before begins with an empty book and without a halt, for
 *           orders are of their day. On which side
 *           a hidden order was (5) the touch tells, for newer files do not; 7 is a halt (-1) or the
 *           end of one (1)
 *         One bad row refuses the file with its line; what the rows tell against each other
 *         (flow.h) is counted in the report.
 * Thread  boot.
 * Source  lobsterdata.com, "Output structure" and "LOBSTER_SampleFiles_ReadMe" (2013); help pages
 *         "Hidden order executions" and "Event type 6". */
#ifndef ACTORS_DATA_ORDERS_H
#define ACTORS_DATA_ORDERS_H
#include "actors/data/flow.h"
#include "actors/data/scan.h"

/* What a column holds. */
enum data_orders_role {
    DATA_ORDERS_OTHER, /* nothing that counts */
    DATA_ORDERS_TIME,
    DATA_ORDERS_ID,
    DATA_ORDERS_ACTION,
    DATA_ORDERS_SIDE,
    DATA_ORDERS_PRICE,
    DATA_ORDERS_QUANTITY,
    DATA_ORDERS_SEQUENCE,
    DATA_ORDERS_LOCAL,
    DATA_ORDERS_DELAY,
    DATA_ORDERS_ROLE_CNT,
};

/* A file being read. Set up by the caller: file, midnight_ns. */
struct data_orders {
    const char *file;                /* its name, for errors */
    int64_t midnight_ns;             /* LOBSTER: when its day began, DATA_NOT_TOLD */
    uint64_t line;                   /* line read last */
    uint32_t columns;                /* of a row */
    bool lobster;                    /* its form */
    bool any;                        /* last_ns is of a row */
    bool opens;                      /* the next row opens a trading day: the book is empty */
    int64_t day_ns;                  /* LOBSTER: when the day of the file before began */
    uint8_t roles[DATA_COLUMNS_MAX]; /* enum data_orders_role by column */
    int64_t last_ns;                 /* time of the last row, over all files */
    uint64_t rows;                   /* rows read, over all files */
};

/* data_orders_parse reads a whole file of cnt >= 1 bytes into f. 0, -EBADMSG with err ("file:line:
 * ...") or -ENOMEM. */
int data_orders_parse(const char *bytes, size_t cnt, struct data_orders *o, struct data_flow *f,
                      struct rt_error *err) __attribute__((warn_unused_result));

/* data_orders_day returns when the day that a file's name tells (_YYYY-MM-DD_) began in New York,
 * ns UTC; DATA_NOT_TOLD where it tells none. */
int64_t data_orders_day(const char *name);

/* The source "orders": four series from one or more files. Keys: instrument, file or files,
 * crossed, day. */
extern const struct rt_source_kind data_orders_source;
#endif
