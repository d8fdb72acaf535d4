/* grid.h - where bars of the clock may begin.
 *
 * For     whoever takes bars from outside: files, imports, guards. A series' own grid is counted
 *         from its first bar (a session may begin at 09:30, a week on a Monday), but no market's
 *         bars of whole minutes begin inside a minute: a series that does so from its first bar on
 *         was stamped wrongly, and all that is decided on it would be late.
 * Thread  pure.
 * Cost    data_grid_step_ns some divisions. */
#ifndef ACTORS_DATA_GRID_H
#define ACTORS_DATA_GRID_H
#include <stdint.h>

/* data_grid_step_ns returns what the time of every bar of interval_ns (> 0) is a multiple of: the
 * largest step that divides both the interval and a minute. */
static inline int64_t data_grid_step_ns(int64_t interval_ns) {
    int64_t a = interval_ns, b = INT64_C(60000000000);
    while (b != 0) { /* Euclid */
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
#endif
