/* trades.h - round trips: what they earned, how long they took, how far they went for and against.
 *
 * For     the trade list of a run. P&L is net: after fees in quote. A trade that earned exactly
 *         nothing is no win; it ends a streak of wins and adds nothing to the losses.
 * Thread  pure functions; the caller owns all memory.
 * Cost    a pass over the trades, and a sort of their times held. */
#ifndef QUANT_STATS_TRADES_H
#define QUANT_STATS_TRADES_H
#include "quant/stats/number.h"
#include <stddef.h>
#include <stdint.h>

/* One round trip, from flat to flat. */
struct qs_trade {
    int64_t entry_ns;   /* first fill, ns UTC */
    int64_t exit_ns;    /* last fill, >= entry_ns */
    double quantity;    /* closed, base units, > 0 */
    double entry_price; /* average */
    double exit_price;  /* average */
    double pnl;         /* net, quote units */
    double fee;         /* quote units */
    double mae;        /* worst price against it, as part of entry_price, >= 0; QS_NONE = unknown */
    double mfe;        /* best price for it, as part of entry_price, >= 0; QS_NONE = unknown */
    uint16_t account;  /* the caller's numbers, for grouping */
    uint16_t strategy; /* likewise */
    uint16_t instrument; /* likewise */
    int16_t side;        /* 1 = long, -1 = short */
};

/* What a list of trades comes to. */
struct qs_trade_figures {
    size_t cnt;           /* trades */
    size_t wins;          /* pnl > 0 */
    size_t losses;        /* pnl < 0 */
    double win_rate;      /* wins / cnt */
    double profit;        /* sum of pnl above 0 */
    double loss;          /* sum of pnl below 0, as a number >= 0 */
    double pnl;           /* profit - loss */
    double fees;          /* sum of fee */
    double profit_factor; /* profit / loss; none without a loss */
    double expectancy;    /* pnl / cnt: money a trade */
    double mean_win;      /* profit / wins */
    double mean_loss;     /* loss / losses, >= 0 */
    double payoff;        /* mean_win / mean_loss */
    double expectancy_r;  /* expectancy / mean_loss: Tharp's, in units of the mean loss */
    double largest_win;   /* largest pnl above 0, else 0 */
    double largest_loss;  /* most negative pnl as a number >= 0 */
    double mean_return;   /* mean of pnl / (quantity entry_price) */
    double sqn;           /* sqrt(cnt) mean(pnl) / sd(pnl), sd with divisor cnt; none below 2:
                           * backtrader's SQN (Tharp's system quality number) */
    size_t win_streak;    /* most wins in a row, in order of exit */
    size_t loss_streak;   /* most trades in a row without a win */
    double hold_mean;     /* seconds from entry to exit: mean */
    double hold_median;   /* median */
    double hold_least;    /* shortest */
    double hold_greatest; /* longest */
    double mae_mean;      /* mean of the mae that are known */
    double mae_greatest;  /* largest of them */
    double mfe_mean;      /* mean of the mfe that are known */
    double mfe_greatest;  /* largest of them */
};

/* qs_trade_figures_of fills *out from trades[0..cnt), which are in order of exit_ns; side 0 takes
 * all, 1 the long ones, -1 the short. scratch has room for cnt doubles. */
void qs_trade_figures_of(const struct qs_trade *trades, size_t cnt, int side, double *scratch,
                         struct qs_trade_figures *out);

/* The range of prices in a stretch of time, such as a bar. */
struct qs_range {
    int64_t open_ns; /* begins */
    int64_t end_ns;  /* ends, > open_ns */
    double high;     /* highest price */
    double low;      /* lowest price */
};

/* qs_excursion fills mae and mfe of one trade (Sweeney, "Maximum Adverse Excursion", 1997) from the
 * ranges of its instrument, in order of time: of all that begin before the exit and end after the
 * entry, taken whole (what happened within a bar before a fill in it, or after, is not told apart),
 * and from its own entry and exit price. Without such a range the two prices alone count. Cost: a
 * binary search and the ranges in between. */
void qs_excursion(struct qs_trade *trade, const struct qs_range *ranges, size_t cnt);
#endif
