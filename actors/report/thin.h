/* thin.h - a long curve made short enough to draw: the least and the greatest of each stretch.
 *
 * For     pages: a year of minutes on a thousand pixels. No peak and no trough is lost.
 * Method  min/max decimation: the span is cut into THIN_CNT stretches of one length; each keeps its
 *         least and its greatest value and when they were.
 * Thread  the caller's.
 * Memory  16 KB a curve.
 * Cost    some 2 ns a value. */
#ifndef ACTORS_REPORT_THIN_H
#define ACTORS_REPORT_THIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THIN_CNT = 500 }; /* stretches */

/* One stretch. */
struct report_stretch {
    int64_t low_ns, high_ns; /* when the least and the greatest value were */
    double low, high;        /* the two; low > high = there was no value */
};

/* A curve. */
struct report_thin {
    int64_t first_ns;                          /* its span begins */
    int64_t step_ns;                           /* length of a stretch, >= 1 */
    int64_t until_ns;                          /* end of the stretch that was last added to */
    size_t at;                                 /* that stretch */
    size_t values;                             /* added so far */
    struct report_stretch stretches[THIN_CNT]; /* in order of time */
};

/* report_thin_init begins a curve between two instants. */
void report_thin_init(struct report_thin *t, int64_t first_ns, int64_t last_ns);
/* report_thin_move finds the stretch of time_ns; report_thin_add uses it. */
void report_thin_move(struct report_thin *t, int64_t time_ns);
/* report_thin_add adds what lay between low and high at time_ns; times do not run backwards, those
 * outside the span count to its ends; what is not a number is left out. */
static inline void report_thin_add(struct report_thin *t, int64_t time_ns, double low,
                                   double high) {
    if (!(high - low >= 0)) return;
    if (time_ns >= t->until_ns) report_thin_move(t, time_ns);
    struct report_stretch *s = &t->stretches[t->at];
    t->values++;
    if (s->low > s->high) {
        *s = (struct report_stretch){ time_ns, time_ns, low, high };
        return;
    }
    if (low < s->low) {
        s->low = low;
        s->low_ns = time_ns;
    }
    if (high > s->high) {
        s->high = high;
        s->high_ns = time_ns;
    }
}
#endif
