/* results.h - the results of a run, made from what its actors said.
 *
 * For     `shrike backtest` and the end of `shrike run`: orders.csv, fills.csv, trades.csv,
 *         equity.csv, daily.csv, charts.csv, summary.json and manifest.json, all from the OUT
 *         records of the journals (merge.h) and the run's rows of prices. The same run on other
 *         shards or another clock with the same events gives the same bytes in every CSV file and
 *         in summary.json: no wall time, shard or build is there.
 *
 *         orders.csv  one row an intent, in the order they were made; status is the last told. A
 *                     row is written some seconds after its order is over; where one is told of
 *                     again later (a late fill) all is made once more, its row waits to the end.
 *                     average_price = cash of its fills / quantity filled, rounded down to 1e-8.
 *                     price, stop_price, average_price are empty where an order has none. signal is
 *                     what the strategy wanted it for, reason why it was refused, cut or ended.
 *         fills.csv   one row a fill; realized_pnl in quote, quote fees not taken off; empty where
 *                     the run has no portfolio actor.
 *         trades.csv  one row a round trip, from flat to flat, of one strategy, account and
 *                     instrument, at the fill that ends it; what is below one lot (fees in base
 *                     leave it) counts as flat. quantity is what was closed; prices are
 *                     averages over its fills, rounded down to 1e-8; fee in quote units; net_pnl =
 *                     realized_pnl less quote fees (a fee in base is in the cost already) and what
 *                     fees in the account's fee asset were worth.
 *         equity.csv  one row a mark of the portfolio.
 *         daily.csv   one row a day of each curve (statistics.h): what pages draw.
 *         charts.csv  the curves of all marks and the prices, thinned to what an eye can see.
 *         funding.csv one row a funding payment; amount is what was paid, below zero received. The
 *                     file is made where a run has funding.
 * Thread  the caller's.
 * Memory  orders not yet ended, one block per position; freed before it returns.
 * Cost    about 100 ns a row. */
#ifndef ACTORS_REPORT_RESULTS_H
#define ACTORS_REPORT_RESULTS_H
#include "actors/market/market.h"
#include "actors/report/merge.h"
#include "runtime/base/error.h"
#include "schemas/messages.h"
#include <stdio.h>

struct rt_run;
struct report_statistics;

enum {
    REPORT_STATUSES = 9, /* size of the table of statuses */
    REPORT_BOOKS = 64,   /* assets whose books the summary tells */
};

/* The venue's books of an asset. */
struct report_books {
    char asset[16];              /* its name */
    struct msg_venue_books told; /* as told at the end */
};

/* What became of one account. */
struct report_account {
    char name[32];           /* as in the run file */
    char quote[16];          /* asset its money is in */
    char burn[16];           /* asset it pays fees in; "" = none */
    int64_t burn_held;       /* what it has of it, as last told */
    price_t burn_price;      /* what one is worth, likewise; 0 = not known */
    cash_t burn_worth;       /* worth of all of it, likewise; in equity */
    cash_t burn_start;       /* worth of the deposit at the first price known; in start */
    cash_t start;            /* deposit, with the fee asset's worth */
    cash_t cash;             /* as last told */
    cash_t unrealized;       /* likewise */
    cash_t equity;           /* likewise */
    cash_t locked;           /* of cash, by open orders, as last told */
    cash_t peak;             /* highest equity marked so far */
    cash_t drawdown;         /* deepest fall below a peak, in money */
    double drawdown_part;    /* deepest fall as part of its peak, 0..1 */
    cash_t realized;         /* realised P&L as the account nets it, quote fees not taken off */
    cash_t quote_fees;       /* fees that were paid in quote */
    cash_t fees;             /* in quote units, those in base at the fill's price, those in the fee
                              * asset at its */
    cash_t funding;          /* paid, in quote; below zero received */
    uint64_t payments;       /* funding payments */
    uint64_t liquidations;   /* positions, or parts, closed by force */
    uint64_t deleveraged;    /* closed against one that nothing was left of */
    cash_t profit, loss;     /* sum of net_pnl of round trips above zero; of those below, as > 0 */
    uint64_t trades, wins;   /* round trips; those with net_pnl > 0 */
    uint64_t marks;          /* rows of equity.csv */
    uint32_t open_positions; /* held at the end */
    int64_t exposed_ns;      /* time with a position */
};

/* report_account_locked returns how much of a's cash open orders lock: no more than there is. */
static inline cash_t report_account_locked(const struct report_account *a) {
    if (a->locked <= a->cash) return a->locked;
    return a->cash > 0 ? a->cash : 0;
}

/* What came of a run. */
struct report_summary {
    char name[48];                       /* of the run */
    const char *clock;                   /* "virtual", "paced", "real" */
    int64_t first_ns, last_ns;           /* its span */
    struct mk_zone zone;                 /* what people are shown instants in */
    int64_t warm_ns;                     /* warm-up before it, 0 = none */
    uint64_t orders, fills, trades;      /* rows of the files */
    uint64_t by_status[REPORT_STATUSES]; /* orders by status */
    uint64_t refused[REPORT_REASONS];    /* rejected orders by reason */
    uint64_t ended[REPORT_REASONS];      /* canceled and expired ones by reason */
    uint64_t unplaced[REPORT_REASONS];   /* signals that no order came of, by the reason why not */
    uint64_t commands;                   /* commands of people */
    uint64_t clock_faults;               /* recorded delays below zero, which counted as 0 */
    uint64_t silences;                   /* times that recorded books were silent */
    uint64_t no_room;                    /* orders of others that recorded books had no room for */
    uint16_t stop_reason;                /* why it ended, 0 = it has not */
    bool spot, linear;                   /* kinds of instrument in it */
    bool cut;                            /* the journal's oldest records were dropped */
    bool margin;                         /* an account of it has margin */
    bool funding;                        /* it has series of funding */
    char no_marks[200];                  /* linear instruments without a series of marks, names */
    bool portfolio;                      /* someone keeps positions and equity */
    bool insurance;                      /* a venue has declared its insurance fund */
    uint32_t book_cnt;                   /* assets with books */
    struct report_books books[REPORT_BOOKS]; /* the venue's books, as told */
    uint32_t account_cnt;                    /* accounts */
    struct report_account accounts[255];     /* in id order */

    /* statistics.h; NULL where nobody keeps equity, and where the journal was cut */
    struct report_statistics *statistics;
};

/* report_results_write writes all files into dir (made when missing) and fills *sum, whatever it
 * held (one that was filled before is freed first, by its owner). With dir NULL
 * nothing is written and only *sum is made. Returns 0 or negative errno with err; then no file of
 * an earlier time has changed. */
int report_results_write(const struct rt_run *run, const char *dir, struct report_summary *sum,
                         struct rt_error *err) __attribute__((warn_unused_result));

/* report_summary_free frees what report_results_write took, and sum itself; NULL is fine. */
void report_summary_free(struct report_summary *sum);

/* report_summary_json writes sum as JSON; report_summary_print as a short table for people, with
 * colours when colour is set. */
void report_summary_json(const struct report_summary *sum, FILE *to);
/* report_summary_print: see above. */
void report_summary_print(const struct report_summary *sum, FILE *to, bool colour);

/* report_manifest writes what the run was made of: configuration, data, code, rules. */
int report_manifest(const struct rt_run *run, const char *dir, struct rt_error *err);
#endif
