#include "quant/stats/figures.h"
#include <assert.h>
#include <string.h>

#define ROW(name, unit, better, words) { #name, words, unit, better },
const struct qs_figure qs_figure_table[QS_FIGURE_CNT] = { QS_FIGURES(ROW) };
#undef ROW

int qs_figure_find(const char *name) {
    for (int i = 0; i < QS_FIGURE_CNT; i++)
        if (strcmp(qs_figure_table[i].name, name) == 0) return i;
    return -1;
}

double qs_figure_value(const struct qs_figures *f, int idx) {
    double v;
    assert(idx >= 0);
    assert(idx < QS_FIGURE_CNT);
    memcpy(&v, (const unsigned char *)f + (size_t)idx * sizeof v, sizeof v);
    return v;
}
