/* rank.h - results side by side, best first: to pick candidates.
 *
 * For     `shrike compare --rank DIR...`: whole runs, or the strategies of runs. Reads summary.json
 *         and, for strategies, trades.csv of each directory, so results of any build rank.
 * Rules   A run is its one account, or all of them together. First come those that pass all
 *         thresholds that their run file declares (statistics: select:), or declare none; then by
 *         one figure: sharpe, return and trades falling, drawdown rising; what has no such figure
 *         comes last; equals stand in the order given.
 *         A strategy is its part in all accounts together (quant/stats/portfolio.h): return, and
 *         drawdown as its part in the joint deepest fall, Sharpe of its daily parts; round trips
 *         and how many of them were won by trades.csv.
 *         Thresholds are declared for runs: strategies have none.
 * Thread  the caller's.
 * Memory  a row each on the heap, freed by report_rank_close.
 * Cost    reading the files. */
#ifndef ACTORS_REPORT_RANK_H
#define ACTORS_REPORT_RANK_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What rows are ordered by. */
enum report_rank_by {
    REPORT_RANK_SHARPE,
    REPORT_RANK_RETURN,
    REPORT_RANK_DRAWDOWN,
    REPORT_RANK_TRADES,
};

/* Words of enum report_rank_by; ends with NULL. */
extern const char *const report_rank_words[];

/* One row. A figure that is not known is a NaN. */
struct report_rank_row {
    char name[64];                         /* the run's, or the strategy's */
    char dir[300];                         /* where it is from */
    char quote[16];                        /* asset of its money */
    double total_return, drawdown, sharpe; /* parts; of the year */
    double trades, win_rate;               /* round trips; part that was won */
    int64_t first_ns, last_ns;             /* what it is over */
    uint32_t passed, thresholds;           /* of them, how many; declared */
    char failed[200];                      /* figures of those that were not passed */
};

/* A ranking. */
struct report_rank {
    struct report_rank_row *rows; /* best first */
    uint32_t cnt, room;           /* how many; how many fit */
    enum report_rank_by by;       /* ordered by this */
    bool apart;                   /* not all are over the same time in the same money */
};

/* report_rank_run ranks the results in dirs; strategies: those in them, one by one. Returns 0, or
 * negative errno with err. */
int report_rank_run(char **dirs, int cnt, bool strategies, enum report_rank_by by,
                    struct report_rank *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* report_rank_print writes it as a table. */
void report_rank_print(const struct report_rank *r, FILE *to, bool colour);
/* report_rank_json writes it as a list of objects, figures that are not known as null. */
void report_rank_json(const struct report_rank *r, FILE *to);
/* report_rank_close frees it. */
void report_rank_close(struct report_rank *r);
#endif
