/* sum.h - sums that keep what rounding takes away.
 *
 * For     every sum of a statistic: the error stays at one rounding of the result, however many
 *         terms there are, and the order of the terms is the one written at the call.
 * Memory  two doubles, the caller's.
 * Cost    about 2 ns a term.
 * Source  Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
 *         ZAMM 54 (1974). Needs -ffp-contract=off and no fast-math. */
#ifndef QUANT_STATS_SUM_H
#define QUANT_STATS_SUM_H

/* A sum being made; begins zeroed. */
struct qs_sum {
    double total; /* rounded sum so far */
    double lost;  /* what its roundings left out */
};

/* qs_sum_add adds term. */
static inline void qs_sum_add(struct qs_sum *s, double term) {
    double t = s->total + term;
    double big = s->total < 0 ? -s->total : s->total, small = term < 0 ? -term : term;
    if (big >= small)
        s->lost += (s->total - t) + term;
    else
        s->lost += (term - t) + s->total;
    s->total = t;
}
/* qs_sum_value returns the sum. */
static inline double qs_sum_value(const struct qs_sum *s) {
    return s->total + s->lost;
}
#endif
