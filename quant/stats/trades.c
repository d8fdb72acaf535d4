#include "quant/stats/trades.h"
#include "quant/stats/sample.h"
#include "quant/stats/sum.h"

/* part returns top / under, none where under is 0. */
static double part(double top, double under) {
    return under > 0 ? top / under : QS_NONE;
}

/* Means of what is not always known. */
struct known {
    struct qs_sum sum; /* of those known */
    size_t cnt;        /* how many */
    double greatest;   /* largest of them */
};
/* known_add adds x unless it is none. */
static void known_add(struct known *k, double x) {
    if (qs_is_none(x)) return;
    qs_sum_add(&k->sum, x);
    if (k->cnt++ == 0 || x > k->greatest) k->greatest = x;
}

void qs_trade_figures_of(const struct qs_trade *trades, size_t cnt, int side, double *scratch,
                         struct qs_trade_figures *out) {
    struct qs_sum profit = { 0 }, loss = { 0 }, fees = { 0 }, ret = { 0 }, hold = { 0 };
    struct known mae = { .greatest = QS_NONE }, mfe = { .greatest = QS_NONE };
    struct qs_moments m;
    size_t n = 0, won = 0, lost = 0, priced = 0;
    *out = (struct qs_trade_figures){ 0 };
    for (size_t i = 0; i < cnt; i++) {
        const struct qs_trade *t = &trades[i];
        if (side != 0 && t->side != side) continue;
        double cost = t->quantity * t->entry_price;
        scratch[n++] = t->pnl;
        qs_sum_add(&fees, t->fee);
        if (t->pnl > 0) {
            out->wins++;
            qs_sum_add(&profit, t->pnl);
            if (t->pnl > out->largest_win) out->largest_win = t->pnl;
        } else if (t->pnl < 0) {
            out->losses++;
            qs_sum_add(&loss, -t->pnl);
            if (-t->pnl > out->largest_loss) out->largest_loss = -t->pnl;
        }
        won = t->pnl > 0 ? won + 1 : 0;
        lost = t->pnl > 0 ? 0 : lost + 1;
        if (won > out->win_streak) out->win_streak = won;
        if (lost > out->loss_streak) out->loss_streak = lost;
        if (cost > 0) {
            qs_sum_add(&ret, t->pnl / cost);
            priced++;
        }
        known_add(&mae, t->mae);
        known_add(&mfe, t->mfe);
    }
    double c = (double)n;
    out->cnt = n;
    out->profit = qs_sum_value(&profit);
    out->loss = qs_sum_value(&loss);
    out->pnl = out->profit - out->loss;
    out->fees = qs_sum_value(&fees);
    out->win_rate = part((double)out->wins, c);
    out->profit_factor = part(out->profit, out->loss);
    out->expectancy = part(out->pnl, c);
    out->mean_win = part(out->profit, (double)out->wins);
    out->mean_loss = part(out->loss, (double)out->losses);
    out->payoff = part(out->mean_win, out->mean_loss);
    out->expectancy_r = part(out->expectancy, out->mean_loss);
    out->mean_return = part(qs_sum_value(&ret), (double)priced);
    qs_moments_of(scratch, n, &m);
    out->sqn = n >= 2 ? part(qs_sqrt(c) * m.mean, m.sd * qs_sqrt((c - 1) / c)) : QS_NONE;
    out->mae_mean = part(qs_sum_value(&mae.sum), (double)mae.cnt);
    out->mae_greatest = mae.greatest;
    out->mfe_mean = part(qs_sum_value(&mfe.sum), (double)mfe.cnt);
    out->mfe_greatest = mfe.greatest;
    n = 0;
    for (size_t i = 0; i < cnt; i++) {
        if (side != 0 && trades[i].side != side) continue;
        scratch[n] = (double)(trades[i].exit_ns - trades[i].entry_ns) / 1e9;
        qs_sum_add(&hold, scratch[n++]);
    }
    qs_sort(scratch, n);
    out->hold_mean = part(qs_sum_value(&hold), c);
    out->hold_median = qs_quantile(scratch, n, 0.5);
    out->hold_least = n ? scratch[0] : QS_NONE;
    out->hold_greatest = n ? scratch[n - 1] : QS_NONE;
}

void qs_excursion(struct qs_trade *trade, const struct qs_range *ranges, size_t cnt) {
    double in = trade->entry_price, exit = trade->exit_price;
    double high = exit > in ? exit : in, low = exit < in ? exit : in;
    size_t first = 0, end = cnt;
    while (first < end) { /* the first range that ends after the entry */
        size_t mid = first + (end - first) / 2;
        if (ranges[mid].end_ns > trade->entry_ns)
            end = mid;
        else
            first = mid + 1;
    }
    for (size_t i = first; i < cnt && ranges[i].open_ns < trade->exit_ns; i++) {
        if (ranges[i].high > high) high = ranges[i].high;
        if (ranges[i].low < low) low = ranges[i].low;
    }
    trade->mae = trade->mfe = QS_NONE;
    if (!(in > 0)) return;
    double up = (high - in) / in, down = (in - low) / in;
    trade->mfe = trade->side > 0 ? up : down;
    trade->mae = trade->side > 0 ? down : up;
}
