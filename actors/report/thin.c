#include "actors/report/thin.h"

void report_thin_init(struct report_thin *t, int64_t first_ns, int64_t last_ns) {
    t->first_ns = first_ns;
    t->step_ns = last_ns > first_ns ? (last_ns - first_ns) / THIN_CNT + 1 : 1;
    t->until_ns = first_ns + t->step_ns;
    t->at = t->values = 0;
    for (size_t i = 0; i < THIN_CNT; i++) t->stretches[i] = (struct report_stretch){ 0, 0, 1, 0 };
}

void report_thin_move(struct report_thin *t, int64_t time_ns) {
    int64_t at = (time_ns - t->first_ns) / t->step_ns;
    t->at = at < 0 ? 0 : at >= THIN_CNT ? THIN_CNT - 1 : (size_t)at;
    t->until_ns =
        t->at == THIN_CNT - 1 ? INT64_MAX : t->first_ns + ((int64_t)t->at + 1) * t->step_ns;
}
