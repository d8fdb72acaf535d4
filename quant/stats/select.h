/* select.h - thresholds declared once, applied to every result; candidates side by side.
 *
 * For     choosing among strategies. A figure that is not defined passes no threshold and ranks
 *         last.
 * Thread  pure; the caller owns all memory. */
#ifndef QUANT_STATS_SELECT_H
#define QUANT_STATS_SELECT_H
#include "quant/stats/figures.h"
#include <stdbool.h>
#include <stddef.h>

/* How a figure is compared. */
enum qs_op {
    QS_AT_LEAST, /* ">=" */
    QS_AT_MOST,  /* "<=" */
    QS_ABOVE,    /* ">" */
    QS_BELOW,    /* "<" */
};

/* One threshold. */
struct qs_threshold {
    int figure;    /* index in qs_figure_table */
    enum qs_op op; /* how */
    double value;  /* with what */
};

/* qs_op_find reads ">=", "<=", ">", "<": 0, or -1. */
int qs_op_find(const char *text, enum qs_op *out);
/* qs_op_name is the reverse. */
const char *qs_op_name(enum qs_op op);
/* qs_passes tells whether f passes one threshold. */
bool qs_passes(const struct qs_figures *f, const struct qs_threshold *t);
/* qs_select fills pass[0..cnt) (may be NULL) and returns how many of the thresholds f fails: 0 = it
 * is chosen. */
size_t qs_select(const struct qs_figures *f, const struct qs_threshold *t, size_t cnt, bool *pass);
/* qs_rank fills order[0..cnt) with the candidates' indices, best first by figure (its table tells
 * what better is; one that tells neither ranks by more); equals stay in their order. */
void qs_rank(const struct qs_figures *const *f, size_t cnt, int figure, size_t *order);
#endif
