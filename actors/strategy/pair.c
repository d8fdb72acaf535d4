/* pair.c - two instruments whose price ratio returns to its mean: buys the cheap one and sells the
 * dear one when the ratio is far off.
 *
 * Rule    On each pair of bars that opened at the same instant the ratio R = floor(close of the
 *         first x 2^k / close of the second) joins a window of the last `window` ones; k is fixed
 *         by the first pair so that R begins in [2^39, 2^41), and chosen anew, with an empty
 *         window, should R ever leave [2^20, 2^51). With n = window, S and Q the exact sums of R
 *         and of R x R over it (this pair's included):
 *             z = (n x R - S) / sqrt(n x Q - S x S),
 *         which is (R - mean) / standard deviation of the whole window. Numerator and radicand are
 *         exact integers; only the root and the quotient are doubles. z is 0 where the radicand is.
 *         Flat and armed: z >= entry_z sells the first and buys the second, z <= -entry_z the other
 *         way round (signal_spread_wide), as long as |z| < stop_z where that is not 0.
 *         In a position, with d = z on the side it was entered: d <= exit_z leaves both
 *         (signal_spread_back); stop_z not 0 and d >= stop_z leaves (signal_stop_loss); so does the
 *         timer of max_hold, armed on entry (signal_time_exit). After a stop or a time exit it is
 *         armed again by the first |z| <= exit_z.
 *         Every `check` a timer looks after it: where one leg is held without the other and nothing
 *         is on its way (a leg was refused), or an exit found no way out (paused), it leaves
 *         (signal_stop_loss).
 *         Each leg is of the declared size. Both should be linear: on spot the leg to be sold stays
 *         empty, and the next check closes the other.
 * Memory  one block of 8 KiB, of which `window` ratios are used.
 * Cost    a pair of bars: two 128-bit divisions' worth, one root. */
#include "actors/strategy/classes.h"
#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    WINDOW_MAX = 1000, /* longest window: sums of squares stay below 2^122 */
    KEY_HOLD = 1,      /* timer: held long enough */
    KEY_CHECK = 2,     /* timer: look after it */
};

/* Order of the parameters. */
enum param { P_WINDOW, P_ENTRY, P_EXIT, P_STOP, P_HOLD, P_CHECK };

/* State. */
struct pair {
    __int128 squares;   /* sum of squares of the window */
    int64_t sum;        /* sum of the window */
    int64_t window;     /* its length */
    int64_t seen;       /* ratios taken since it was empty; the next goes to ring[seen % window] */
    int64_t scale;      /* k */
    int64_t close[2];   /* newest close of each leg */
    int64_t open_ns[2]; /* when its bar opened */
    double z;           /* newest, 0 while the window is not full */
    double entry_z;     /* parameter */
    double exit_z;      /* parameter */
    double stop_z;      /* parameter; 0 = none */
    int64_t hold_ns;    /* parameter */
    int64_t check_ns;   /* parameter */
    int64_t side;       /* +1: long the first, short the second; -1: the reverse; 0: flat */
    int64_t armed;      /* 1 = may enter */
    int64_t leaving;    /* 1 = an exit found no way out yet */
    int64_t pad;        /* zero */
    int64_t ring[WINDOW_MAX]; /* ratios */
};

static const struct st_param pair_params[] = {
    { "window", ST_INT, 10, WINDOW_MAX, 120, "ratios that mean and deviation are taken of" },
    { "entry_z", ST_DOUBLE, 0.5, 10, 2, "enters at this many deviations" },
    { "exit_z", ST_DOUBLE, 0, 5, 0.5, "leaves when back to this many" },
    { "stop_z", ST_DOUBLE, 0, 20, 4, "gives up at this many; 0 = never" },
    { "max_hold", ST_DURATION, 60, 31 * 86400, 86400, "longest time in a position" },
    { "check", ST_DURATION, 60, 86400, 3600, "how often it looks after the legs" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* pair_check wants exit below entry below stop. */
static const char *pair_check(const union st_value *p) {
    if (!(p[P_EXIT].d < p[P_ENTRY].d)) return "exit_z is not below entry_z";
    if (p[P_STOP].d != 0 && !(p[P_STOP].d > p[P_ENTRY].d)) return "stop_z is not above entry_z";
    return NULL;
}

/* empty forgets the window. */
static void empty(struct pair *s) {
    s->squares = 0;
    s->sum = 0;
    s->seen = 0;
    s->z = 0;
    memset(s->ring, 0, sizeof s->ring);
}

/* take_params copies the parameters; another length empties the window. */
static void take_params(struct pair *s, const union st_value *p) {
    if (s->window != p[P_WINDOW].i) {
        s->window = p[P_WINDOW].i;
        empty(s);
    }
    s->entry_z = p[P_ENTRY].d;
    s->exit_z = p[P_EXIT].d;
    s->stop_z = p[P_STOP].d;
    s->hold_ns = p[P_HOLD].i;
    s->check_ns = p[P_CHECK].i;
}

/* pair_on_start takes the parameters and begins to look after itself. */
static void pair_on_start(struct st_host *h, void *state, const struct st_start *start) {
    struct pair *s = state;
    take_params(s, start->params);
    s->armed = 1;
    s->open_ns[0] = INT64_MIN;
    s->open_ns[1] = INT64_MAX; /* no two alike */
    st_timer(h, KEY_CHECK, st_now(h) + s->check_ns);
}

/* pair_on_set takes changed parameters. */
static void pair_on_set(struct st_host *h, void *state) {
    take_params(state, st_params(h));
}

/* bits returns the place of v's highest bit, from 1 (v > 0). */
static int bits(int64_t v) {
    return 64 - __builtin_clzll((uint64_t)v);
}

/* ratio returns floor(a x 2^scale / b), for scale in -63..103 with a result near 2^40; -1 when it
 * leaves [2^20, 2^51). */
static int64_t ratio(int64_t a, int64_t b, int64_t scale) {
    __int128 r;
    if (scale >= 0) {
        if (bits(a) + scale > 126) return -1;
        r = ((__int128)a << scale) / b;
    } else {
        r = a / b >> -scale;
    }
    return r < INT64_C(1) << 20 || r >= INT64_C(1) << 51 ? -1 : (int64_t)r;
}

/* take adds the newest pair of closes to the window and works out z. */
static void take(struct pair *s) {
    int64_t r = s->seen > 0 ? ratio(s->close[0], s->close[1], s->scale) : -1;
    if (r < 0) {
        empty(s);
        s->scale = 40 + bits(s->close[1]) - bits(s->close[0]);
        r = ratio(s->close[0], s->close[1], s->scale);
        if (r < 0) return; /* cannot be: it begins near 2^40 */
    }
    int64_t *slot = &s->ring[s->seen % s->window], old = *slot;
    s->sum += r - old;
    s->squares += (__int128)r * r - (__int128)old * old;
    *slot = r;
    s->seen++;
    s->z = 0;
    if (s->seen < s->window) return;
    __int128 radicand = s->window * s->squares - (__int128)s->sum * s->sum;
    if (radicand <= 0) return;
    s->z = (double)((__int128)s->window * r - s->sum) / sqrt((double)radicand);
}

/* advise tells what to do with leg for a position on side. */
static enum st_action advise(int64_t side, uint16_t leg) {
    return (side > 0) == (leg == 0) ? ST_LONG : ST_SHORT;
}

/* side_for tells which position z asks for when flat, 0 = none. */
static int64_t side_for(const struct pair *s) {
    double far = fabs(s->z);
    if (!s->armed || s->seen < s->window || far < s->entry_z) return 0;
    if (s->stop_z != 0 && far >= s->stop_z) return 0;
    return s->z > 0 ? -1 : 1;
}

/* enter opens both legs. */
static void enter(struct st_host *h, struct pair *s, int64_t side) {
    uint64_t got = 0;
    for (uint16_t leg = 0; leg < 2; leg++) {
        struct st_signal signal = { .action = advise(side, leg),
                                    .leg = leg,
                                    .reason = REASON_SIGNAL_SPREAD_WIDE };
        got |= st_signal(h, &signal);
    }
    if (got == 0) return; /* paused, or too small: nothing was done */
    s->side = side;
    s->leaving = 0;
    st_timer(h, KEY_HOLD, st_now(h) + s->hold_ns);
}

/* leave closes both legs; what finds no way out is tried again by the check. */
static void leave(struct st_host *h, struct pair *s, uint16_t reason) {
    for (uint16_t leg = 0; leg < 2; leg++) {
        struct st_signal signal = { .action = ST_FLAT, .leg = leg, .reason = reason };
        (void)st_signal(h, &signal);
    }
    s->armed = reason == REASON_SIGNAL_SPREAD_BACK;
    s->leaving = st_held(h, 0) != 0 || st_held(h, 1) != 0;
    if (s->leaving) return;
    s->side = 0;
    st_timer_cancel(h, KEY_HOLD);
}

/* pair_on_bar takes a bar; with the second of two that belong together it decides. */
static void pair_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    struct pair *s = state;
    s->close[leg] = bar->close;
    s->open_ns[leg] = bar->open_ns;
    if (s->open_ns[0] != s->open_ns[1] || s->close[0] <= 0 || s->close[1] <= 0) return;
    take(s);
    if (s->seen < s->window) return;
    if (s->side != 0) {
        double far = s->side > 0 ? -s->z : s->z;
        if (s->leaving) return; /* the check goes on with it */
        if (far <= s->exit_z) {
            leave(h, s, REASON_SIGNAL_SPREAD_BACK);
        } else if (s->stop_z != 0 && far >= s->stop_z) {
            leave(h, s, REASON_SIGNAL_STOP_LOSS);
        }
        return;
    }
    if (fabs(s->z) <= s->exit_z) s->armed = 1;
    int64_t side = side_for(s);
    if (side != 0) enter(h, s, side);
}

/* look closes what should not be held. */
static void look(struct st_host *h, struct pair *s) {
    if (!s->leaving && (st_open_orders(h, 0) > 0 || st_open_orders(h, 1) > 0)) return;
    bool first = st_held(h, 0) != 0, second = st_held(h, 1) != 0;
    bool stray = s->side == 0 && (first || second); /* a cancel came too late */
    if (s->leaving || stray || first != second) {
        leave(h, s, REASON_SIGNAL_STOP_LOSS);
    } else if (s->side != 0 && !first) { /* neither leg came to be */
        s->side = 0;
        st_timer_cancel(h, KEY_HOLD);
    }
}

/* pair_on_timer leaves when it has held long enough, and looks after itself. */
static void pair_on_timer(struct st_host *h, void *state, uint32_t key) {
    struct pair *s = state;
    if (key == KEY_HOLD && s->side != 0) leave(h, s, REASON_SIGNAL_TIME_EXIT);
    if (key != KEY_CHECK) return;
    look(h, s);
    st_timer(h, KEY_CHECK, st_now(h) + s->check_ns);
}

/* pair_evaluate tells what z asks for. */
static void pair_evaluate(struct st_host *h, const void *state, uint16_t leg,
                          struct st_signal *out) {
    const struct pair *s = state;
    (void)h;
    if (s->seen < s->window) {
        out->reason = REASON_WARMING_UP;
        return;
    }
    int64_t side = s->side != 0 ? s->side : side_for(s);
    if (side == 0) return;
    double far = side > 0 ? -s->z : s->z;
    bool back = far <= s->exit_z, lost = s->stop_z != 0 && far >= s->stop_z;
    out->action = back || lost ? ST_FLAT : advise(side, leg);
    out->reason = back   ? REASON_SIGNAL_SPREAD_BACK
                  : lost ? REASON_SIGNAL_STOP_LOSS
                         : REASON_SIGNAL_SPREAD_WIDE;
}

/* bytes_of returns the size of a snapshot with that window. */
static size_t bytes_of(int64_t window) {
    return offsetof(struct pair, ring) + (size_t)window * sizeof(int64_t);
}

/* pair_snapshot writes the state and the used ring. */
static size_t pair_snapshot(const void *state, void *out, size_t cap) {
    const struct pair *s = state;
    size_t cnt = bytes_of(s->window);
    if (cnt > cap) return 0;
    memcpy(out, state, cnt);
    return cnt;
}

/* pair_restore takes it back. */
static int pair_restore(void *state, const void *bytes, size_t cnt) {
    struct pair *s = state;
    if (cnt < offsetof(struct pair, ring) || cnt > sizeof *s) return -EINVAL;
    memcpy(s, bytes, cnt);
    if (s->window >= 0 && s->window <= WINDOW_MAX && s->seen >= 0 && s->scale >= -63 &&
        s->scale <= 103 && cnt == bytes_of(s->window) && (s->seen == 0 || s->window > 0)) {
        return 0;
    }
    memset(s, 0, sizeof *s);
    return -EINVAL;
}

const struct st_class st_pair = {
    .name = "pair",
    .help = "buys the cheap and sells the dear one of two while their ratio is far off its mean",
    .params = pair_params,
    .leg_min = 2,
    .leg_max = 2,
    .state_bytes = sizeof(struct pair),
    .check = pair_check,
    .on_start = pair_on_start,
    .on_bar = pair_on_bar,
    .on_timer = pair_on_timer,
    .on_set = pair_on_set,
    .evaluate = pair_evaluate,
    .snapshot = pair_snapshot,
    .restore = pair_restore,
};
