/* sma_cross.c - crossing moving averages: long while the fast one is above the slow one.
 *
 * Rule    F and S are the sums of the last `fast` and the last `slow` closes. The averages are
 *         compared crosswise, in integers: lead = slow x F - fast x S, so a tie is a tie. The
 *         relation is the sign of lead; a tie keeps the relation before. It is first taken on the
 *         first bar that completes the slow window (0 while all bars since were ties), without a
 *         signal. When it turns from -1 to +1: ST_LONG, signal_cross_up. When it turns from +1 to
 *         -1: ST_SHORT where `short` is true, else ST_FLAT; signal_cross_down.
 *         Where `stop_loss_pct` or `take_profit_pct` are not 0, each fill that opens is followed by
 *         a stop and a limit order that close the whole position (reduce only), that far from the
 *         entry order's average price (cost x 1e8 / quantity, toward zero): level = average x (100
 *         -+ pct) / 100, rounded down, then by the host to the tick. When one fills, the other is
 *         canceled; when it fills in part, both are placed anew for the rest. After such an exit it
 *         waits for the next crossing. An entry that fills after the averages crossed back (its
 *         cancel came too late) is closed at once, by the signal of the relation as it is.
 *         A venue counts reduce-only against what the account holds: a strategy with stops should
 *         have an account of its own, or be the only one on it in its instrument.
 *         A changed length (`set`) takes the relation anew, without a signal, from the closes still
 *         kept (as many as the used ring holds); a tie then counts as not taken yet.
 * Memory  one block: 160 bytes and 4096 closes, of which the power of two not below `slow` is used.
 * Cost    a bar: two products of 64 bits, two loads and a store of closes. */
#include "actors/strategy/classes.h"
#include "schemas/fixed.h"
#include <errno.h>
#include <string.h>

enum {
    SLOW_MAX = 4096, /* longest window */
    AHEAD = 24,      /* bars fetched ahead of the one in hand */
};

/* Order of the parameters. */
enum param { P_FAST, P_SLOW, P_SHORT, P_STOP, P_TARGET, P_BRACKET, P_TRAIL, P_LONG };

/* State. */
struct sma {
    __int128 paid;          /* price x quantity of what opening order entry_id has filled, 1e-16 */
    __int128 lead;          /* slow_n x sum of fast_n closes - fast_n x sum of slow_n closes */
    uint64_t seen;          /* closes taken; the next goes to ring[seen & mask] */
    uint64_t mask;          /* size of the used ring less 1: a power of two, at least slow_n */
    int64_t fast_n;         /* closes in the fast average */
    int64_t slow_n;         /* closes in the slow average */
    int64_t relation;       /* -1, 0 (not taken yet), +1 */
    int64_t stop_pct;       /* 1e-8 of a percent, 0 = none */
    int64_t target_pct;     /* 1e-8 of a percent, 0 = none */
    uint64_t stop_id;       /* its resting stop order, 0 = none */
    uint64_t target_id;     /* its resting limit order, 0 = none */
    int64_t stop;           /* stop price, before the tick */
    int64_t target;         /* limit price, before the tick */
    int64_t goes_short;     /* parameter: short on a cross below */
    int64_t goes_long;      /* parameter: long on a cross above */
    int64_t bracket;        /* 1 = stop and target go out with the order that opens */
    int64_t trail_bips;     /* the stop is a trailing one, 0 = it is not */
    uint64_t entry_id;      /* the opening order that filled last, 0 = none yet */
    int64_t entry_quantity; /* what of it has */
    int64_t ring[SLOW_MAX]; /* closes; those never written are zero */
};

static const struct st_param sma_params[] = {
    { "fast", ST_INT, 1, SLOW_MAX - 1, 10, "closes in the fast average" },
    { "slow", ST_INT, 2, SLOW_MAX, 30, "closes in the slow average" },
    { "short", ST_BOOL, 0, 1, 0, "goes short on a cross below, instead of flat" },
    { "stop_loss_pct", ST_FIXED, 0, 50, 0, "stop this far from the entry, percent; 0 = none" },
    { "take_profit_pct", ST_FIXED, 0, 90, 0, "target this far from the entry, percent; 0 = none" },
    { "bracket", ST_BOOL, 0, 1, 0,
      "stop and target are placed with the entry, one ends the other" },
    { "trail_pct", ST_FIXED, 0, 50, 0, "with bracket: the stop trails by this, percent; 0 = none" },
    { "long", ST_BOOL, 0, 1, 1, "goes long on a cross above, instead of flat" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* sma_check wants fast below slow, and a trailing stop in whole basis points of a bracket. */
static const char *sma_check(const union st_value *params) {
    if (params[P_TRAIL].i % (FIXED_ONE / 100) != 0) return "trail_pct is not in whole 0.01";
    if (params[P_TRAIL].i > 0 && params[P_BRACKET].i == 0) return "trail_pct needs bracket";
    if (params[P_LONG].i == 0 && params[P_SHORT].i == 0) return "neither long nor short";
    return params[P_FAST].i < params[P_SLOW].i ? NULL : "fast is not below slow";
}

/* take_params copies the parameters; true when a length has changed. */
static bool take_params(struct sma *s, const union st_value *params) {
    bool changed = s->fast_n != params[P_FAST].i || s->slow_n != params[P_SLOW].i;
    s->fast_n = params[P_FAST].i;
    s->slow_n = params[P_SLOW].i;
    s->goes_short = params[P_SHORT].i;
    s->goes_long = params[P_LONG].i;
    s->stop_pct = params[P_STOP].i;
    s->target_pct = params[P_TARGET].i;
    s->bracket = params[P_BRACKET].i;
    s->trail_bips = params[P_TRAIL].i * 100 / FIXED_ONE;
    return changed;
}

/* take_close moves both windows on by one close. Slots never written are zero and count as such. */
static inline void take_close(struct sma *s, int64_t close) {
    int64_t fast_old = s->ring[(s->seen - (uint64_t)s->fast_n) & s->mask];
    int64_t slow_old = s->ring[(s->seen - (uint64_t)s->slow_n) & s->mask];
    s->ring[s->seen & s->mask] = close;
    s->seen++;
    s->lead += (__int128)(close - fast_old) * s->slow_n - (__int128)(close - slow_old) * s->fast_n;
}

/* refill begins anew with the lengths as they are, from cnt closes. */
static void refill(struct sma *s, const int64_t *closes, uint64_t cnt) {
    uint64_t size = 2;
    while (size < (uint64_t)s->slow_n) size *= 2;
    s->mask = size - 1;
    s->lead = 0;
    s->seen = 0;
    s->relation = 0;
    memset(s->ring, 0, sizeof s->ring);
    for (uint64_t i = 0; i < cnt; i++) take_close(s, closes[i]);
    if (s->seen >= (uint64_t)s->slow_n) s->relation = s->lead > 0 ? 1 : s->lead < 0 ? -1 : 0;
}

/* sma_on_start takes the parameters. */
static void sma_on_start(struct st_host *h, void *state, const struct st_start *start) {
    struct sma *s = state;
    (void)h;
    (void)take_params(s, start->params);
    refill(s, NULL, 0);
}

/* sma_on_set takes changed parameters; the newest closes stay. */
static void sma_on_set(struct st_host *h, void *state) {
    struct sma *s = state;
    int64_t closes[SLOW_MAX];
    uint64_t cnt = s->seen <= s->mask ? s->seen : s->mask + 1;
    for (uint64_t i = 0; i < cnt; i++) closes[i] = s->ring[(s->seen - cnt + i) & s->mask];
    if (take_params(s, st_params(h))) refill(s, closes, cnt);
}

/* level returns price moved by pct (1e-8 of a percent, signed), rounded down; 0 when it is out of
 * range. */
static int64_t level(int64_t price, int64_t pct) {
    int64_t out;
    const int64_t whole = 100 * (int64_t)FIXED_ONE;
    return fixed_muldiv(price, whole + pct, whole, FIXED_DOWN, &out) ? out : 0;
}

/* advise fills out for the relation as it is. */
static void advise(const struct sma *s, int64_t close, struct st_signal *out) {
    bool up = s->relation > 0;
    int64_t way = up ? 1 : -1;
    out->action = up && s->goes_long ? ST_LONG : !up && s->goes_short ? ST_SHORT : ST_FLAT;
    out->reason = up ? REASON_SIGNAL_CROSS_UP : REASON_SIGNAL_CROSS_DOWN;
    if (out->action == ST_FLAT) return;
    if (s->stop_pct > 0) out->sl = level(close, -way * s->stop_pct);
    if (s->target_pct > 0) out->tp1 = level(close, way * s->target_pct);
    out->bracket = s->bracket != 0;
    if (out->bracket) out->trail_bips = (uint32_t)s->trail_bips;
}

/* cross takes a relation that may have changed, and signals when it has. Apart, so that a bar on
 * which nothing happens pays for no stack frame. */
__attribute__((noinline)) static void cross(struct st_host *h, struct sma *s, uint16_t leg,
                                            int64_t close) {
    int64_t was = s->relation;
    if (s->seen < (uint64_t)s->slow_n || s->lead == 0) return;
    s->relation = s->lead > 0 ? 1 : -1;
    if (was == 0 || was == s->relation) return;
    struct st_signal signal = { .leg = leg };
    advise(s, close, &signal);
    (void)st_signal(h, &signal);
}

/* sma_on_bar takes a close and signals when the averages cross. */
static void sma_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    struct sma *s = state;
    int64_t close = bar->close;
    take_close(s, close);
    /* The usual bar: the lead has the sign of the relation (or, after -1, is a tie that the slower
     * look sorts out). */
    bool same = ((int64_t)(s->lead >> 64) ^ s->relation) >= 0;
    if (__builtin_expect(same && s->relation != 0, 1)) return;
    cross(h, s, leg, close);
}

/* sma_skip_bars takes bars while the lead keeps the sign of the relation, in 64 bits with all that
 * a bar touches in registers. Closes of up to 2^61 / (slow x fast) keep the lead within: what
 * enters and leaves the windows moves it by 2 x slow x fast x close at most. */
static uint32_t sma_skip_bars(void *state, uint16_t leg, const struct msg_bar *bars, uint32_t cnt) {
    struct sma *s = state;
    (void)leg;
    const int64_t relation = s->relation, fast_n = s->fast_n, slow_n = s->slow_n;
    const int64_t half = INT64_C(1) << 62;
    if (relation == 0 || s->lead > half || s->lead < -half) return 0;
    /* 2^room x slow x fast is at most 2^61: the closes to take have none of the bits `high` */
    const int room = __builtin_clzll((uint64_t)(fast_n * slow_n)) - 3;
    const uint64_t high = ~UINT64_C(0) << room, mask = s->mask;
    int64_t *const ring = s->ring;
    int64_t lead = (int64_t)s->lead;
    uint64_t seen = s->seen;
    uint32_t i = 0;
    for (; i < cnt; i++) {
        /* runs are short: what the machine fetches ahead by itself begins anew with each */
        __builtin_prefetch((const uint8_t *)bars + (i + AHEAD) * sizeof *bars);
        int64_t close = bars[i].close;
        int64_t fast_old = ring[(seen - (uint64_t)fast_n) & mask];
        int64_t slow_old = ring[(seen - (uint64_t)slow_n) & mask];
        if (((uint64_t)(close | fast_old | slow_old) & high) != 0) break;
        int64_t next = lead + (close - fast_old) * slow_n - (close - slow_old) * fast_n;
        if ((next ^ relation) < 0) break;
        ring[seen & mask] = close;
        seen++;
        lead = next;
    }
    s->lead = lead;
    s->seen = seen;
    return i;
}

/* sma_quiet_bars looks for the first bar that sma_skip_bars would not take. A loop of its own: one
 * for both, that takes the bars afterwards, makes backtests of one symbol 5 % slower. */
static uint32_t sma_quiet_bars(const void *state, uint16_t leg, const struct msg_bar *bars,
                               uint32_t cnt) {
    const struct sma *s = state;
    (void)leg;
    const int64_t relation = s->relation, fast_n = s->fast_n, slow_n = s->slow_n;
    const int64_t half = INT64_C(1) << 62;
    if (relation == 0 || s->lead > half || s->lead < -half) return 0;
    const int room = __builtin_clzll((uint64_t)(fast_n * slow_n)) - 3;
    const uint64_t high = ~UINT64_C(0) << room, mask = s->mask, seen = s->seen;
    int64_t lead = (int64_t)s->lead;
    uint32_t i = 0;
    for (; i < cnt; i++) {
        __builtin_prefetch((const uint8_t *)bars + (i + AHEAD) * sizeof *bars);
        int64_t close = bars[i].close;
        int64_t fast_old =
            i >= fast_n ? bars[i - fast_n].close : s->ring[(seen + i - (uint64_t)fast_n) & mask];
        int64_t slow_old =
            i >= slow_n ? bars[i - slow_n].close : s->ring[(seen + i - (uint64_t)slow_n) & mask];
        if (((uint64_t)(close | fast_old | slow_old) & high) != 0) break;
        lead += (close - fast_old) * slow_n - (close - slow_old) * fast_n;
        if ((lead ^ relation) < 0) break;
    }
    return i;
}

/* drop cancels one of its resting orders. */
static void drop(struct st_host *h, uint64_t *id, uint16_t reason) {
    if (*id == 0) return;
    struct st_signal signal = { .action = ST_CANCEL, .order_id = *id, .reason = reason };
    *id = 0;
    (void)st_signal(h, &signal);
}

/* protect places the stop and the target of the position held. */
static void protect(struct st_host *h, struct sma *s) {
    int64_t held = st_position(h, 0);
    if (st_held(h, 0) == 0) return; /* nothing, dust, or all on its way out */
    struct st_signal signal = {
        .action = ST_ORDER,
        .side = held > 0 ? SIDE_SELL : SIDE_BUY,
        .terms = ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY, /* both may be touched in one bar */
    };
    if (s->stop_pct > 0 && s->stop > 0) {
        signal.type = ORDER_TYPE_STOP;
        signal.price = s->stop;
        signal.reason = REASON_SIGNAL_STOP_LOSS;
        s->stop_id = st_signal(h, &signal);
    }
    if (s->target_pct > 0 && s->target > 0) {
        signal.type = ORDER_TYPE_LIMIT;
        signal.price = s->target;
        signal.reason = REASON_SIGNAL_TAKE_PROFIT;
        s->target_id = st_signal(h, &signal);
    }
}

/* sma_on_fill keeps stop and target in step with the position. */
static void sma_on_fill(struct st_host *h, void *state, uint16_t leg, const struct msg_fill *fill) {
    struct sma *s = state;
    bool ours = fill->order_id == s->stop_id || fill->order_id == s->target_id;
    if (fill->terms & ORDER_TERMS_EXIT) {
        if (!ours) return; /* the host closes and has canceled what rests */
        uint16_t reason =
            fill->order_id == s->stop_id ? REASON_SIGNAL_STOP_LOSS : REASON_SIGNAL_TAKE_PROFIT;
        drop(h, &s->stop_id, reason);
        drop(h, &s->target_id, reason);
        protect(h, s);
        return;
    }
    int64_t average, way = fill->side == SIDE_BUY ? 1 : -1;
    if (s->relation * way < 0) { /* it crossed back, and the cancel came too late */
        struct st_signal signal = { .leg = leg };
        advise(s, st_last(h, leg), &signal);
        (void)st_signal(h, &signal);
        return;
    }
    if ((s->stop_pct == 0 && s->target_pct == 0) || s->bracket != 0) return;
    if (s->entry_id != fill->order_id) s->entry_quantity = (int64_t)(s->paid = 0);
    s->entry_id = fill->order_id;
    s->entry_quantity += fill->quantity;
    s->paid += (__int128)fill->price * fill->quantity;
    if (fill->cum_cost == INT64_MAX) { /* beyond 64 bits; the mean of prices is within */
        average = (int64_t)(s->paid / s->entry_quantity);
    } else if (!fixed_muldiv(fill->cum_cost, FIXED_ONE, fill->cum_quantity, FIXED_ZERO, &average)) {
        return;
    }
    s->stop = level(average, -way * s->stop_pct);
    s->target = level(average, way * s->target_pct);
    drop(h, &s->stop_id, REASON_BY_STRATEGY);
    drop(h, &s->target_id, REASON_BY_STRATEGY);
    if (way * st_position(h, 0) > 0) protect(h, s);
}

/* sma_on_order forgets its resting orders when they end. */
static void sma_on_order(struct st_host *h, void *state, uint16_t leg,
                         const struct msg_order_state *o) {
    struct sma *s = state;
    (void)h;
    (void)leg;
    if (o->status < ORDER_STATUS_FILLED || o->status > ORDER_STATUS_EXPIRED) return;
    if (o->order_id == s->stop_id) s->stop_id = 0;
    if (o->order_id == s->target_id) s->target_id = 0;
}

/* sma_evaluate tells which way the averages stand. */
static void sma_evaluate(struct st_host *h, const void *state, uint16_t leg,
                         struct st_signal *out) {
    const struct sma *s = state;
    if (s->relation == 0) {
        out->action = ST_WAIT;
        out->reason = REASON_WARMING_UP;
        return;
    }
    advise(s, st_last(h, leg), out);
}

/* sma_snapshot writes the state and the used ring. */
static size_t sma_snapshot(const void *state, void *out, size_t cap) {
    const struct sma *s = state;
    size_t cnt = offsetof(struct sma, ring) + (s->mask + 1) * sizeof s->ring[0];
    if (cnt > cap) return 0;
    memcpy(out, state, cnt);
    return cnt;
}

/* sma_restore takes it back. */
static int sma_restore(void *state, const void *bytes, size_t cnt) {
    struct sma *s = state;
    if (cnt < offsetof(struct sma, ring) || cnt > sizeof *s) return -EINVAL;
    memcpy(s, bytes, cnt);
    if (s->mask >= SLOW_MAX || (s->mask & (s->mask + 1)) != 0 || s->slow_n < 0 ||
        (uint64_t)s->slow_n > s->mask + 1 || s->fast_n < 0 || s->fast_n > s->slow_n ||
        cnt != offsetof(struct sma, ring) + (s->mask + 1) * sizeof s->ring[0]) {
        memset(s, 0, sizeof *s);
        return -EINVAL;
    }
    return 0;
}

const struct st_class st_sma_cross = {
    .name = "sma_cross",
    .help = "long while the fast moving average is above the slow one",
    .params = sma_params,
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = sizeof(struct sma),
    .check = sma_check,
    .on_start = sma_on_start,
    .on_bar = sma_on_bar,
    .skip_bars = sma_skip_bars,
    .quiet_bars = sma_quiet_bars,
    .on_order = sma_on_order,
    .on_fill = sma_on_fill,
    .on_set = sma_on_set,
    .evaluate = sma_evaluate,
    .snapshot = sma_snapshot,
    .restore = sma_restore,
};
