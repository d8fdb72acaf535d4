#include "actors/data/guard.h"
#include "actors/data/grid.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct data_guard) == 40 + 6 * 8 + 6 * 4 + 8 + DATA_GUARD_WINDOW_MAX,
               "no padding: copied into snapshots as it is");

/* Kinds of fault: their bits in the window are 1 << kind. */
enum kind { MISSING, MISALIGNED, REPEATED, JUMP };

/* Why a series stops, by kind. */
static const uint16_t reasons[DATA_GUARD_KINDS] = {
    [MISSING] = REASON_DATA_MISSING,
    [MISALIGNED] = REASON_DATA_MISALIGNED,
    [REPEATED] = REASON_DATA_REPEATED,
    [JUMP] = REASON_DATA_JUMPS,
};

void data_guard_default(struct data_guard_options *o, int64_t interval_ns) {
    *o = (struct data_guard_options){ .interval_ns = interval_ns,
                                      .window = 120,
                                      .missing_max = 12,
                                      .misaligned_max = 2,
                                      .repeated_max = 10,
                                      .jump_max = 2,
                                      .jump_bps = 1000,
                                      .calm = 30 };
}

int data_guard_init(struct data_guard *g, const struct data_guard_options *o) {
    const bool fine = o->interval_ns > 0 && o->interval_ns < INT64_MAX / 4 && o->window >= 2 &&
                      o->window <= DATA_GUARD_WINDOW_MAX && o->missing_max < o->window &&
                      o->misaligned_max < o->window && o->repeated_max < o->window &&
                      o->jump_max < o->window && o->jump_bps >= 1 && o->jump_bps <= 1000000 &&
                      o->calm >= 1 && o->calm <= 1000000;
    if (!fine) return -EINVAL;
    memset(g, 0, sizeof *g);
    g->options = *o;
    return 0;
}

/* place_put puts the faults of the next place into the window. */
static void place_put(struct data_guard *g, uint8_t faults) {
    const uint8_t old = g->window[g->place];
    for (int k = 0; k < DATA_GUARD_KINDS; k++) {
        g->counts[k] += (faults >> k & 1U);
        g->counts[k] -= (old >> k & 1U);
    }
    g->window[g->place] = faults;
    g->place = g->place + 1 == g->options.window ? 0 : g->place + 1;
}

/* far tells whether price is a jump away from the close before. */
static bool far(const struct data_guard *g, int64_t price) {
    const __int128 move =
        price > g->close ? (__int128)price - g->close : (__int128)g->close - price;
    return move * 10000 > (__int128)g->close * g->options.jump_bps;
}

/* over returns the first kind that is above its limit, or -1. */
static int over(const struct data_guard *g) {
    const struct data_guard_options *o = &g->options;
    if (g->counts[MISSING] > o->missing_max) return MISSING;
    if (g->counts[MISALIGNED] > o->misaligned_max) return MISALIGNED;
    if (g->counts[REPEATED] > o->repeated_max) return REPEATED;
    return g->counts[JUMP] > o->jump_max ? JUMP : -1;
}

/* judge decides after a bar with those faults. A stop keeps its first reason while it lasts. */
static uint16_t judge(struct data_guard *g, uint8_t faults) {
    const int kind = over(g);
    g->calm = faults == 0 ? g->calm + 1 : 0;
    if (kind >= 0 && g->reason == REASON_NONE) g->reason = reasons[kind];
    if (kind < 0 && g->calm >= g->options.calm) g->reason = REASON_NONE;
    if (g->calm > g->options.calm) g->calm = g->options.calm; /* enough is enough */
    return g->reason;
}

uint16_t data_guard_bar(struct data_guard *g, const struct mk_session *session,
                        const struct msg_bar *bar) {
    const struct data_guard_options *o = &g->options;
    uint8_t faults = 0;
    if (!g->any && bar->open_ns % data_grid_step_ns(o->interval_ns) != 0) {
        place_put(g, 1U << MISALIGNED); /* no grid is counted from it */
        return judge(g, 1U << MISALIGNED);
    }
    if (!g->any) {
        g->any = 1;
        g->last_ns = bar->open_ns;
        place_put(g, 0);
    } else {
        const int64_t step_ns = bar->open_ns - g->last_ns;
        const bool off =
            step_ns % o->interval_ns != 0 &&
            (session == NULL || !mk_session_begins(session, bar->open_ns, o->interval_ns));
        if (step_ns <= 0 || off) {
            place_put(g, 1U << MISALIGNED);
            return judge(g, 1U << MISALIGNED);
        }
        int64_t missing = step_ns / o->interval_ns - 1;
        if (session != NULL && step_ns != o->interval_ns)
            missing = mk_session_missing(session, g->last_ns, bar->open_ns, o->interval_ns);
        if (missing > o->window) missing = o->window;
        for (int64_t i = 0; i < missing; i++) place_put(g, 1U << MISSING);
        if (missing > 0) faults |= 1U << MISSING;
        const bool same = bar->open == g->open && bar->high == g->high && bar->low == g->low &&
                          bar->close == g->close && bar->volume == g->volume;
        uint8_t own = 0;
        if (same && bar->volume > 0) own |= 1U << REPEATED;
        if (far(g, bar->open) || far(g, bar->close)) own |= 1U << JUMP;
        place_put(g, own);
        faults |= own;
        g->last_ns = bar->open_ns;
    }
    g->open = bar->open;
    g->high = bar->high;
    g->low = bar->low;
    g->close = bar->close;
    g->volume = bar->volume;
    return judge(g, faults);
}

uint16_t data_guard_at(const struct data_guard *g, const struct mk_session *session,
                       int64_t now_ns) {
    if (g->reason != REASON_NONE || !g->any) return g->reason;
    const int64_t late_ns =
        now_ns - g->last_ns - g->options.interval_ns; /* since the next was due */
    int64_t passed = late_ns < g->options.interval_ns ? 0 : late_ns / g->options.interval_ns;
    if (session != NULL && passed > g->options.missing_max) {
        passed = mk_session_missing(session, g->last_ns, now_ns - g->options.interval_ns + 1,
                                    g->options.interval_ns);
    }
    return passed > g->options.missing_max ? REASON_DATA_LATE : REASON_NONE;
}
