#include "actors/report/thin.h"
#include "tests/support/check.h"
#include <math.h>

/* Goal: a thinned curve has the least and the greatest of all values of each stretch, and when they
 * first were.
 * Method: random walks at random instants from a seed, some outside the span, some no number,
 * against a naive pass over all values of each stretch. */
static void test_agrees_with_naive(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        enum { MOST = 3000 };
        static int64_t at[MOST];
        static double low[MOST], high[MOST];
        static struct report_thin thin;
        uint64_t gen = seed;
        int64_t first = gen_range(&gen, 0, 1000), span = gen_range(&gen, 0, 1) * 5000 + 3;
        int64_t cnt = gen_range(&gen, 0, MOST), now = first - gen_range(&gen, 0, 5);
        for (int64_t i = 0; i < cnt; i++) {
            at[i] = now;
            low[i] = (double)gen_range(&gen, -100, 100);
            high[i] = low[i] + (double)gen_range(&gen, 0, 3);
            if (gen_range(&gen, 0, 20) == 0) high[i] = NAN;
            now += gen_range(&gen, 0, 4);
        }
        report_thin_init(&thin, first, first + span);
        for (int64_t i = 0; i < cnt; i++) report_thin_add(&thin, at[i], low[i], high[i]);
        int64_t step = span / THIN_CNT + 1;
        for (int64_t k = 0; k < THIN_CNT; k++) {
            const struct report_stretch *s = &thin.stretches[k];
            int64_t least = -1, most = -1;
            for (int64_t i = 0; i < cnt; i++) {
                int64_t mine = at[i] < first ? 0 : (at[i] - first) / step;
                if (mine >= THIN_CNT) mine = THIN_CNT - 1;
                if (mine != k || isnan(high[i])) continue;
                if (least < 0 || low[i] < low[least]) least = i;
                if (most < 0 || high[i] > high[most]) most = i;
            }
            CHECK(seed, (s->low > s->high) == (least < 0));
            if (least < 0) continue;
            CHECK(seed, s->low == low[least] && s->low_ns == at[least]);
            CHECK(seed, s->high == high[most] && s->high_ns == at[most]);
        }
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agrees_with_naive) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
