#include "quant/stats/select.h"
#include "quant/stats/number.h"
#include <assert.h>
#include <string.h>

static const char *const names[] = { ">=", "<=", ">", "<" };

int qs_op_find(const char *text, enum qs_op *out) {
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum qs_op)i;
            return 0;
        }
    return -1;
}
const char *qs_op_name(enum qs_op op) {
    assert((unsigned)op < 4);
    return names[op];
}

bool qs_passes(const struct qs_figures *f, const struct qs_threshold *t) {
    double v = qs_figure_value(f, t->figure);
    switch (t->op) { /* every comparison with QS_NONE is false */
    case QS_AT_LEAST: return v >= t->value;
    case QS_AT_MOST: return v <= t->value;
    case QS_ABOVE: return v > t->value;
    case QS_BELOW: return v < t->value;
    default: assert(!"an operator of qs_op"); return false;
    }
}

size_t qs_select(const struct qs_figures *f, const struct qs_threshold *t, size_t cnt, bool *pass) {
    size_t failed = 0;
    for (size_t i = 0; i < cnt; i++) {
        bool ok = qs_passes(f, &t[i]);
        if (pass) pass[i] = ok;
        failed += !ok;
    }
    return failed;
}

void qs_rank(const struct qs_figures *const *f, size_t cnt, int figure, size_t *order) {
    double sign = qs_figure_table[figure].better < 0 ? -1 : 1;
    for (size_t i = 0; i < cnt; i++) { /* candidates are few: insertion keeps equals in order */
        double v = qs_figure_value(f[i], figure) * sign;
        size_t at = i;
        for (; at > 0; at--) {
            double before = qs_figure_value(f[order[at - 1]], figure) * sign;
            if (!(v > before) && !(qs_is_none(before) && !qs_is_none(v))) break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}
