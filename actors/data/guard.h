/* guard.h - whether a series of bars can be believed just now: the data fail-safe.
 *
 * For     strategy hosts and monitors: no signal is made of data that is missing, off its grid,
 *         stuck or jumping. The answer is a reason code, or none.
 * Rules   the last `window` places of the grid are looked at. A place without a bar is missing; a
 *         bar off the grid (that of the first one on a whole minute) is misaligned; one that says
 *         the same as the bar before it, volume and all, is repeated (a bar without volume is not:
 *         nothing was traded); one that opens or
 *         closes further than `jump` from the close before it is a jump. More of a kind than its
 *         limit allows stops the series; `calm` bars on end without any fault, and counts below
 *         their limits, let it go on. A bar not later than the one before it is misaligned and
 *         moves nothing. Where a session is given, places outside it are none: a night, a lunch
 *         break, a holiday is not missing.
 * Causal  the state after a bar depends on it and on bars before it alone.
 * Thread  its owner's.
 * Memory  the struct, plain data: copied into snapshots as it is.
 * Cost    some 10 ns a bar. */
#ifndef ACTORS_DATA_GUARD_H
#define ACTORS_DATA_GUARD_H
#include "actors/market/session.h"
#include "schemas/messages.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    DATA_GUARD_WINDOW_MAX = 1024, /* most places looked back */
    DATA_GUARD_KINDS = 4,         /* missing, misaligned, repeated, jump */
};

/* What is allowed. */
struct data_guard_options {
    int64_t interval_ns;     /* length of a bar, > 0 */
    uint32_t window;         /* places looked back, 2..DATA_GUARD_WINDOW_MAX */
    uint32_t missing_max;    /* as many may be missing */
    uint32_t misaligned_max; /* as many misaligned */
    uint32_t repeated_max;   /* as many repeated */
    uint32_t jump_max;       /* as many jumps */
    uint32_t jump_bps;       /* from which a move is a jump, 1..1000000, 1e-4 of the close before */
    uint32_t calm;           /* sound bars on end that end a stop, 1..1000000 */
    uint32_t pad;            /* zero */
};

/* State of one series. No padding. */
struct data_guard {
    struct data_guard_options options;     /* as given */
    int64_t last_ns;                       /* open time of the newest bar on the grid */
    int64_t open, high, low, close;        /* of the newest bar */
    double volume;                         /* of it */
    uint32_t counts[DATA_GUARD_KINDS];     /* faults in the window, by kind */
    uint32_t place;                        /* where the next fault goes in window */
    uint32_t calm;                         /* sound bars on end */
    uint16_t reason;                       /* why it is stopped; REASON_NONE = it is not */
    uint8_t any;                           /* a bar has been heard */
    uint8_t pad[5];                        /* zero */
    uint8_t window[DATA_GUARD_WINDOW_MAX]; /* faults of the places, as bits of kinds */
};

/* data_guard_default fills options for bars of that length: 120 places, of which 12 may be missing,
 * 2 misaligned, 10 repeated, 2 jumps of 10 %; 30 calm bars. */
void data_guard_default(struct data_guard_options *options, int64_t interval_ns);
/* data_guard_init makes g ready. Returns 0, or -EINVAL when a figure is out of range. */
int data_guard_init(struct data_guard *g, const struct data_guard_options *options)
    __attribute__((warn_unused_result));
/* data_guard_bar hears a bar; session: when its market trades, NULL = always. Returns REASON_NONE
 * when the series can be believed, else why not. */
uint16_t data_guard_bar(struct data_guard *g, const struct mk_session *session,
                        const struct msg_bar *bar);
/* data_guard_at tells the same at an instant between bars: a series is late when the place of its
 * window that would be too many has passed without a bar. Changes nothing. */
uint16_t data_guard_at(const struct data_guard *g, const struct mk_session *session,
                       int64_t now_ns);
#endif
