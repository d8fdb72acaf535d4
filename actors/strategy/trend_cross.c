/* trend_cross.c - crossing moving averages that go with the trend of a longer interval.
 *
 * Rule    The trend is up while the last close of the longer interval (the one of intervals:) is
 *         above the mean of its last `trend` closes, down while it is below; equal: as before.
 *         On the shorter interval the sums of the last `fast` and `slow` closes are compared
 *         crosswise, as sma_cross does. When the fast average crosses above the slow one while the
 *         trend is up: ST_LONG, signal_cross_up. When it crosses below: ST_SHORT where `short` is
 *         true and the trend is down, else ST_FLAT where it is long; signal_cross_down. A short
 *         ends likewise. When the trend turns against what is held: ST_FLAT, signal_trend_over. The
 *         first relation and the first trend are taken without a signal.
 *         `stop_loss_pct` and `take_profit_pct` place a bracket with the entry, that far from the
 *         close it was decided on.
 * Memory  one block: two rings of 1024 closes.
 * Cost    a bar: a walk over the closes of its averages. */
#include "actors/strategy/classes.h"
#include "schemas/fixed.h"

enum { CLOSES = 1024 }; /* closes kept of each interval: a power of two */

/* Order of the parameters. */
enum param { P_FAST, P_SLOW, P_TREND, P_SHORT, P_STOP, P_TARGET };

/* The last closes of an interval. */
struct closes {
    uint64_t seen;        /* closes taken; the next goes to ring[seen % CLOSES] */
    int64_t ring[CLOSES]; /* closes; those never written are zero */
};

/* State. */
struct trend {
    int64_t base_ns;     /* the shorter interval */
    int64_t relation;    /* of the averages: -1, 0 (not taken yet), +1 */
    int64_t trend;       /* likewise, of the longer interval */
    int64_t side;        /* what it has signaled last: 1 long, -1 short, 0 flat */
    struct closes base;  /* of the shorter interval */
    struct closes wider; /* of the longer one */
};

static const struct st_param trend_params[] = {
    { "fast", ST_INT, 1, CLOSES - 1, 10, "closes in the fast average" },
    { "slow", ST_INT, 2, CLOSES, 30, "closes in the slow average" },
    { "trend", ST_INT, 2, CLOSES, 20, "closes of the longer interval in its mean" },
    { "short", ST_BOOL, 0, 1, 0, "goes short on a cross below in a falling trend" },
    { "stop_loss_pct", ST_FIXED, 0, 50, 0, "stop this far from the entry, percent; 0 = none" },
    { "take_profit_pct", ST_FIXED, 0, 90, 0, "target this far from the entry, percent; 0 = none" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* trend_check wants fast below slow. */
static const char *trend_check(const union st_value *params) {
    return params[P_FAST].i < params[P_SLOW].i ? NULL : "fast is not below slow";
}

/* sum_of adds the last cnt closes. */
static __int128 sum_of(const struct closes *c, int64_t cnt) {
    __int128 sum = 0;
    for (int64_t i = 1; i <= cnt; i++) sum += c->ring[(c->seen - (uint64_t)i) % CLOSES];
    return sum;
}

/* take takes a close; true once there are cnt. */
static bool take(struct closes *c, int64_t close, int64_t cnt) {
    c->ring[c->seen++ % CLOSES] = close;
    return c->seen >= (uint64_t)cnt;
}

/* trend_on_start notes which interval is the shorter one. */
static void trend_on_start(struct st_host *h, void *state, const struct st_start *start) {
    struct trend *s = state;
    (void)h;
    s->base_ns = start->interval_ns;
}

/* level returns price moved by pct (1e-8 of a percent, signed), rounded down; 0 when it is out of
 * range. */
static int64_t level(int64_t price, int64_t pct) {
    int64_t out;
    const int64_t whole = 100 * (int64_t)FIXED_ONE;
    return fixed_muldiv(price, whole + pct, whole, FIXED_DOWN, &out) ? out : 0;
}

/* go signals a change to side. */
static void go(struct st_host *h, struct trend *s, uint16_t leg, int64_t side, uint16_t reason,
               int64_t close) {
    const union st_value *p = st_params(h);
    struct st_signal signal = { .leg = leg, .reason = reason };
    signal.action = side > 0 ? ST_LONG : side < 0 ? ST_SHORT : ST_FLAT;
    if (side != 0 && p[P_STOP].i > 0) signal.sl = level(close, -side * p[P_STOP].i);
    if (side != 0 && p[P_TARGET].i > 0) signal.tp1 = level(close, side * p[P_TARGET].i);
    signal.bracket = signal.sl != 0 || signal.tp1 != 0;
    s->side = side;
    (void)st_signal(h, &signal);
}

/* on_trend takes a close of the longer interval. */
static void on_trend(struct st_host *h, struct trend *s, uint16_t leg, int64_t close) {
    const int64_t cnt = st_params(h)[P_TREND].i;
    if (!take(&s->wider, close, cnt)) return;
    const __int128 off = (__int128)close * cnt - sum_of(&s->wider, cnt);
    if (off != 0) s->trend = off > 0 ? 1 : -1;
    if (s->side * s->trend < 0) go(h, s, leg, 0, REASON_SIGNAL_TREND_OVER, close);
}

/* trend_on_bar takes a close of either interval. */
static void trend_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    struct trend *s = state;
    const union st_value *p = st_params(h);
    const int64_t was = s->relation, fast_n = p[P_FAST].i, slow_n = p[P_SLOW].i;
    if (bar->interval_ns != s->base_ns) {
        on_trend(h, s, leg, bar->close);
        return;
    }
    if (!take(&s->base, bar->close, slow_n)) return;
    const __int128 lead = sum_of(&s->base, fast_n) * slow_n - sum_of(&s->base, slow_n) * fast_n;
    if (lead == 0) return;
    s->relation = lead > 0 ? 1 : -1;
    if (was == 0 || was == s->relation) return;
    const bool goes = s->relation == s->trend && (s->trend > 0 || p[P_SHORT].i != 0);
    if (!goes && s->side != -s->relation) return; /* nothing to enter, nothing to leave */
    go(h, s, leg, goes ? s->relation : 0,
       s->relation > 0 ? REASON_SIGNAL_CROSS_UP : REASON_SIGNAL_CROSS_DOWN, bar->close);
}

const struct st_class st_trend_cross = {
    .name = "trend_cross",
    .help = "crossing moving averages that go with the trend of a longer interval",
    .params = trend_params,
    .leg_min = 1,
    .leg_max = 1,
    .longer_min = 1,
    .longer_max = 1,
    .state_bytes = sizeof(struct trend),
    .check = trend_check,
    .on_start = trend_on_start,
    .on_bar = trend_on_bar,
};
