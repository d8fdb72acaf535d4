/* compare.h - two runs side by side: what differs, and why.
 *
 * For     `shrike compare A B`: two backtests, or a backtest and a paper or live run over the same
 *         time (BT-6). Reads result directories only (orders.csv, fills.csv, trades.csv,
 *         equity.csv, manifest.json), so any two runs of any build compare.
 * Rules   Orders are paired per strategy, account and instrument, in order of the instant they were
 *         decided: those within the tolerance of each other pair, first of the same side and type,
 *         then any. An order without a partner is a signal that the other run did not have. A pair
 *         differs by each of: time, signal, side, type, limit or stop price, quantity (sizing),
 *         what became of it (status, reason), quantity filled, average price (with what it cost),
 *         fees, time of its fills. Money is B - A in quote: above zero B came out better.
 * Thread  the caller's.
 * Memory  both runs' rows on the heap; freed by report_compare_close.
 * Cost    a pass over the files and a sort of the orders. */
#ifndef ACTORS_REPORT_COMPARE_H
#define ACTORS_REPORT_COMPARE_H
#include "actors/market/market.h"
#include "runtime/base/error.h"
#include "schemas/fixed.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Why a pair of orders differs, in the order people should look. */
enum report_cause {
    REPORT_ONLY_A,     /* decided in A alone */
    REPORT_ONLY_B,     /* decided in B alone */
    REPORT_TIME,       /* decided at another instant, within the tolerance */
    REPORT_SIGNAL,     /* decided for another reason */
    REPORT_SIDE,       /* the other side */
    REPORT_TYPE,       /* another type, effect or time in force */
    REPORT_PRICE,      /* another limit or stop price */
    REPORT_QUANTITY,   /* another size */
    REPORT_STATUS,     /* something else became of it */
    REPORT_FILLED,     /* another quantity was filled */
    REPORT_FILL_PRICE, /* another average price */
    REPORT_FEE,        /* other fees */
    REPORT_FILL_TIME,  /* filled at another instant */
    REPORT_CAUSE_CNT,
};

/* report_cause_name returns the cause in words. */
const char *report_cause_name(enum report_cause cause);

/* One difference. */
struct report_difference {
    enum report_cause cause; /* why */
    int64_t time_ns;         /* when the order was decided (in A where it is in A) */
    char who[120];           /* strategy, instrument, side, type */
    char a[96], b[96];       /* what A and B have there; empty = nothing */
    cash_t effect;           /* B - A in quote; 0 where it has none of its own */
};

/* What one run came to. */
struct report_side {
    char dir[300];                  /* its directory */
    char name[64], clock[16];       /* of its manifest */
    char config[65], build[65];     /* hashes of configuration and program; "" = not told */
    char data[65];                  /* hash over the hashes of its series, in order */
    uint64_t orders, fills, trades; /* rows */
    uint64_t marks;                 /* rows of equity.csv */
    cash_t realized, net, fees;     /* of round trips: P&L, less fees, fees */
    cash_t equity;                  /* last row of each account, summed */
    int64_t first_ns, last_ns;      /* first and last instant of orders and equity; 0 = none */
    struct mk_instrument *sized;    /* instruments whose contracts have a size: name, kind, size */
    uint32_t sized_cnt;             /* how many */
};

/* A comparison. */
struct report_compare {
    struct report_side side[2];            /* A, B */
    uint64_t pairs;                        /* orders that pair */
    uint64_t equal;                        /* of them equal in all */
    uint64_t counts[REPORT_CAUSE_CNT];     /* differences by cause */
    cash_t effects[REPORT_CAUSE_CNT];      /* their money */
    int64_t first_ns[REPORT_CAUSE_CNT];    /* when each cause came first */
    struct report_difference *differences; /* by time */
    uint64_t difference_cnt;               /* all of them */
    int64_t position_ns;                   /* when positions first parted; 0 = never */
    char position_who[120];                /* whose */
    int64_t equity_ns;                     /* when equity first parted; 0 = never */
    cash_t equity_most;                    /* largest |B - A| at marks both have */
    uint64_t equity_common;                /* marks both have */
};

/* report_compare_run compares the results in dirs a and b; orders at most tolerance_ns apart pair.
 * Returns 0 with *out to be closed, or negative errno with err: no such directory, a file or a
 * column missing, a row that is none. */
int report_compare_run(const char *a, const char *b, int64_t tolerance_ns,
                       struct report_compare *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* report_compare_close frees what it took. */
void report_compare_close(struct report_compare *c);
/* report_compare_same tells whether no difference was found in orders, fills, positions, equity. */
bool report_compare_same(const struct report_compare *c);
/* report_compare_print writes it for people, at most limit differences one by one. */
void report_compare_print(const struct report_compare *c, uint64_t limit, FILE *to, bool colour);
/* report_compare_json writes all of it as JSON. */
void report_compare_json(const struct report_compare *c, FILE *to);
#endif
