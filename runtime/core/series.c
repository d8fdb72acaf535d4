/* series.c - rows of sources and timers, in the one order of outside events.
 *
 * An event's place is (time, order): order packs class (8 bits), row or timer (8), rank of the
 * series or id of the actor (16); series lie in rank order, so the rank is the index. */
#include "runtime/core/shard.h"
#include <errno.h>

enum {
    FEW = 4,       /* so many series are looked at one by one */
    NAP_MIN = 4,   /* fewer rows are not worth a nap */
    NAP_MAX = 512, /* most rows asked for at once */
};

/* Class of each way of hearing. */
static const uint64_t class_of[RT_HEAR_CNT] = {
    [RT_HEAR_EARLY] = RT_CLASS_VENUE,
    [RT_HEAR_ROW] = RT_CLASS_DATA,
    [RT_HEAR_OPEN] = RT_CLASS_OPEN,
};

uint64_t rt_series_order(enum rt_hear how, uint16_t series) {
    return class_of[how] << 56 | 1ULL << 48 | (uint64_t)series << 32;
}

/* event_order returns the same for way << 16 | series. */
static inline uint64_t event_order(int key) {
    return class_of[key >> 16] << 56 | 1ULL << 48 | (uint64_t)(key & 0xffff) << 32;
}

/* row_at returns row number n of the feed when one of its blocks holds it, else NULL. */
static const uint8_t *row_at(const struct rt_feed *d, uint64_t n) {
    for (int i = 0; i < 2; i++) {
        const struct rt_block *b = &d->block[i];
        if (n - b->first < b->cnt) return b->rows + (n - b->first) * d->s.row_bytes;
    }
    return NULL;
}

/* begin_of reads the instant a row begins: its first field. */
static inline int64_t begin_of(const uint8_t *row) {
    int64_t v;
    memcpy(&v, row, sizeof v);
    return v;
}

void rt_series_keep(struct rt_feed *d, const struct rt_block *b) {
    d->block[0] = *b;
    d->even[0] = false;
    if (b->cnt == 0) return;
    /* rows are at least a span apart: whether one is missing the first and the last tell */
    int64_t apart = begin_of(b->rows + (b->cnt - 1) * d->s.row_bytes) - begin_of(b->rows);
    d->even[0] = d->s.span_ns > 0 && (uint64_t)apart == (b->cnt - 1) * (uint64_t)d->s.span_ns;
}

/* fetch_far makes row n available that is not in the newest block, reading on; NULL at the series'
 * end. */
static __attribute__((noinline)) const uint8_t *fetch_far(struct rt_shard *s, struct rt_feed *d,
                                                          uint64_t n) {
    const uint8_t *row = row_at(d, n);
    while (!row) {
        uint64_t next = d->s.before ? n : d->block[0].first + d->block[0].cnt;
        if (n >= d->s.rows_total) return NULL;
        if (n < next && d->block[0].cnt) return NULL; /* gone: cursors never go back */
        struct rt_block b = { 0 };
        int code = d->s.block(&d->s, next, &b);
        if (code < 0) {
            rt_shard_fail(s, code, "series %s: reading row %llu failed: %s", d->s.name,
                          (unsigned long long)next, strerror(-code));
            return NULL;
        }
        if (b.cnt == 0) {
            d->s.rows_total = next;
            return NULL;
        }
        d->block[1] = d->block[0];
        d->even[1] = d->even[0];
        rt_series_keep(d, &b);
        row = row_at(d, n);
    }
    return row;
}

/* fetch makes row n available; NULL at the series' end. */
static inline const uint8_t *fetch(struct rt_shard *s, struct rt_feed *d, uint64_t n) {
    const struct rt_block *b = &d->block[0];
    if (__builtin_expect(n - b->first < b->cnt, 1))
        return b->rows + (n - b->first) * d->s.row_bytes;
    return fetch_far(s, d, n);
}

/* when tells the event time of row heard that way. */
static inline int64_t when(const struct rt_feed *d, const uint8_t *row, enum rt_hear how) {
    int64_t t = begin_of(row);
    return how == RT_HEAR_OPEN ? t : t + d->s.span_ns;
}

/* due_next is rt_series_due after a row that was due at time_ns: where rows are just a span apart
 * the next one need not be looked at, which is cold as yet. */
static inline void due_next(struct rt_shard *s, uint16_t i, enum rt_hear how, int64_t time_ns) {
    const struct rt_feed *d = &s->feeds[i];
    const struct rt_cursor *c = &d->cur[how];
    const uint64_t at = c->row - d->block[0].first;
    if (__builtin_expect(!d->even[0] || !c->up || at == 0 || at >= d->block[0].cnt, 0)) {
        rt_series_due(s, i, how);
        return;
    }
    const uint8_t *row = d->block[0].rows + at * d->s.row_bytes;
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64); /* where rows are longer than a line */
    rt_series_due_at(s, i, how, time_ns + d->s.span_ns);
}

void rt_series_due(struct rt_shard *s, uint16_t i, enum rt_hear how) {
    struct rt_feed *d = &s->feeds[i];
    struct rt_cursor *c = &d->cur[how];
    const uint8_t *row = c->up ? fetch(s, d, c->row) : NULL;
    /* where many series take turns the machine does not see that one's rows follow each other */
    if (row) __builtin_prefetch(row + d->s.row_bytes);
    rt_series_due_at(s, i, how, row ? when(d, row, how) : INT64_MAX);
}

/* --- naps: rows that nobody has to hear at their time ------------------------------------------
 *
 * Where no journal is kept an actor that knows that rows to come leave it silent is not called for
 * them (quiet_rows). While all hearers of a series sleep its next event is the row the first of
 * them wakes for. Rows in between are told when they are past and something asks: before the actor
 * hears a frame that has to do with the series, and at the row it wakes for. What it says, and all
 * that others see, is the same; naps never reach over a stretch of rows or the run's end. */

/* ends_at returns when row n ends, of a stretch in which rows are just a span apart. What is heard
 * early or opening may be a stretch ahead of who sleeps. */
static inline int64_t ends_at(const struct rt_feed *d, uint64_t n) {
    const struct rt_block *b = &d->block[n - d->block[0].first < d->block[0].cnt ? 0 : 1];
    return begin_of(b->rows) + (int64_t)(n - b->first + 1) * d->s.span_ns;
}

/* pass counts as told the rows of a series somebody sleeps through that are before the event in
 * hand. */
static void pass(struct rt_shard *s, uint16_t i) {
    struct rt_feed *d = &s->feeds[i];
    struct rt_cursor *c = &d->cur[RT_HEAR_ROW];
    const int64_t over_ns = s->ctx.now_ns - d->row_end_ns;
    if (over_ns < 0) return;
    const int64_t span_ns = d->s.span_ns;
    uint64_t cnt = 1;
    if (over_ns >= span_ns) cnt = over_ns < 2 * span_ns ? 2 : (uint64_t)(over_ns / span_ns) + 1;
    int64_t end_ns = d->row_end_ns + (int64_t)(cnt - 1) * span_ns;
    if (end_ns == s->ctx.now_ns && event_order(RT_HEAR_ROW << 16 | i) >= s->order) {
        cnt--;
        end_ns -= span_ns;
    }
    if (cnt == 0) return;
    d->row_end_ns = end_ns + span_ns;
    c->row += cnt;
    s->rows += cnt;
    s->events += cnt;
    s->tally.rows += cnt;
    s->tally.events += cnt;
    if (end_ns > s->row_ns) s->row_ns = end_ns;
}

/* tell_slept ends the nap of local and tells it the rows of it that are past. */
static void tell_slept(struct rt_shard *s, uint16_t i, uint16_t local) {
    struct rt_feed *d = &s->feeds[i];
    struct rt_local *a = &s->locals[local];
    const uint64_t from = d->naps[local].from, cnt = d->cur[RT_HEAR_ROW].row - from;
    d->asleep &= ~(1ULL << local);
    if (cnt == 0 || a->stopped) return;
    const void *rows = fetch(s, d, from);
    const struct rt_ctx saved = s->ctx; /* another call may be in hand */
    const uint64_t call = atomic_load_explicit(&s->pulse->call, memory_order_relaxed);
    uint8_t *const out = rt_shard_begin(s, local);
    s->ctx.now_ns = ends_at(d, from);
    s->ctx.trace_id = (uint64_t)d->id << 48 | (from & 0xffffffffffffULL);
    rt_shard_calling(s, a);
    uint32_t taken = a->kind->on_rows(&s->ctx, a->state, i, RT_HEAR_ROW, rows, (uint32_t)cnt);
    atomic_store_explicit(&s->pulse->call, call, memory_order_relaxed);
    if (taken != cnt || s->ctx.out != out || s->ctx.moved || s->ctx.overfull)
        rt_shard_fail(s, -EPROTO,
                      "actor %s: spoke on a row of %s, of %llu from row %llu on which it had "
                      "called quiet",
                      a->name, d->s.name, (unsigned long long)cnt, (unsigned long long)from);
    a->calls += cnt - 1;
    s->ctx = saved;
}

/* due_awake tells the merge when the next row of series i comes that somebody is to hear. */
static void due_awake(struct rt_shard *s, uint16_t i) {
    const struct rt_feed *d = &s->feeds[i];
    const struct rt_cursor *c = &d->cur[RT_HEAR_ROW];
    if ((c->up & ~d->asleep) != 0) {
        rt_series_due(s, i, RT_HEAR_ROW);
        return;
    }
    uint64_t wake = UINT64_MAX;
    for (uint64_t up = c->up; up; up &= up - 1) {
        const uint64_t at = d->naps[__builtin_ctzll(up)].wake;
        wake = at < wake ? at : wake;
    }
    rt_series_due_at(s, i, RT_HEAR_ROW, c->up ? ends_at(d, wake) : INT64_MAX);
}

/* doze lets local, which has just heard the row before c->row, sleep as long as it can. */
static void doze(struct rt_shard *s, uint16_t i, uint16_t local) {
    struct rt_feed *d = &s->feeds[i];
    struct rt_local *a = &s->locals[local];
    const struct rt_block *b = &d->block[0];
    const uint64_t row = d->cur[RT_HEAR_ROW].row, at = row - b->first;
    if (!d->even[0] || at == 0 || at >= b->cnt) return;
    uint64_t max = b->cnt - at - 1; /* the stretch's last row is an event */
    if (s->end_ns != INT64_MAX) {   /* and the run's */
        const int64_t left_ns = s->end_ns - ends_at(d, row);
        if (left_ns < 0) return;
        const uint64_t left = (uint64_t)(left_ns / d->s.span_ns);
        max = left < max ? left : max;
    }
    if (max < NAP_MIN) return;
    const uint32_t cnt = max < NAP_MAX ? (uint32_t)max : NAP_MAX;
    const uint32_t quiet = a->kind->quiet_rows(a->state, i, b->rows + at * d->s.row_bytes, cnt);
    if (quiet < NAP_MIN) return;
    d->row_end_ns = ends_at(d, row);
    d->naps[local] = (struct rt_nap){ .from = row, .wake = row + quiet };
    d->asleep |= 1ULL << local;
    a->sleeps = true;
}

void rt_series_wake(struct rt_shard *s, uint16_t local, const struct msg_frame *f) {
    struct rt_local *a = &s->locals[local];
    const uint64_t bit = 1ULL << local;
    int32_t only = f && a->kind->series_of ? a->kind->series_of(a->state, f) : RT_SERIES_ANY;
    if (only == RT_SERIES_NONE) return;
    if (only < 0) a->sleeps = false;
    for (uint16_t i = only < 0 ? 0 : (uint16_t)only; i < s->series_cnt; i++) {
        if (s->feeds[i].asleep & bit) {
            pass(s, i);
            tell_slept(s, i, local);
            due_awake(s, i);
        }
        if (only >= 0) return;
    }
}

/* told counts the rows from *known on that have been told that way at the event in hand: those
 * before (now, order), and of the very series in hand those up to the row in hand. */
static uint64_t told(struct rt_shard *s, uint16_t i, enum rt_hear how, uint64_t known) {
    struct rt_feed *d = &s->feeds[i];
    if (d->asleep) pass(s, i);
    int64_t now_ns = s->ctx.now_ns;
    uint64_t order = rt_series_order(how, i), n = known;
    bool in_hand = s->order == order;
    uint64_t row_in_hand = s->ctx.trace_id & 0xffffffffffffULL;
    uint64_t step = 1;
    uint64_t oldest = d->block[1].cnt ? d->block[1].first : d->block[0].first;
    if (n < oldest) n = oldest; /* what is no longer at hand was told long ago */
    /* what a cursor has passed was told; a row that was told whole was told every way before */
    if (n < d->cur[how].row) n = d->cur[how].row;
    if ((how != RT_HEAR_OPEN || d->s.span_ns > 0) && n < d->cur[RT_HEAR_ROW].row)
        n = d->cur[RT_HEAR_ROW].row;
    /* where a cursor goes from event to event, what it has passed is what was told */
    if (!in_hand && d->cur[how].up && s->clock != RT_CLOCK_REAL) return n;
    if (in_hand && row_in_hand >= n) { /* the usual case: all up to the row in hand, no later one */
        const uint8_t *row = row_at(d, row_in_hand);
        if (row && when(d, row, how) == now_ns) return row_in_hand + 1;
    }
    for (;;) {                              /* gallop, then walk */
        if (d->s.before && !row_at(d, n)) { /* what lies between is not made to be passed by */
            int64_t begin_ns = how == RT_HEAR_OPEN ? now_ns : now_ns - d->s.span_ns;
            uint64_t past = d->s.before(&d->s, begin_ns);
            if (past > n) n = past;
        }
        const uint8_t *row = fetch(s, d, n);
        if (!row) return n;
        int64_t t = when(d, row, how);
        bool passed =
            t < now_ns || (t == now_ns && (in_hand ? n <= row_in_hand : order < s->order));
        if (!passed) return n;
        const struct rt_block *b = &d->block[n - d->block[0].first < d->block[0].cnt ? 0 : 1];
        while (n + step - b->first < b->cnt &&
               when(d, b->rows + (n + step - b->first) * d->s.row_bytes, how) < now_ns) {
            n += step;
            step *= 2;
        }
        if (step == 1)
            n++;
        else
            step = 1;
    }
}

void rt_interest(struct rt_ctx *ctx, uint16_t series, enum rt_hear how, bool up) {
    struct rt_shard *s = ctx->shard;
    assert(series < s->series_cnt && how < RT_HEAR_CNT);
    struct rt_cursor *c = &s->feeds[series].cur[how];
    uint64_t bit = 1ULL << ctx->local;
    if (up == ((c->up & bit) != 0)) return;
    ctx->moved = true;
    if (s->feeds[series].asleep && how == RT_HEAR_ROW) pass(s, series);
    if (!up) {
        if (how == RT_HEAR_ROW && (s->feeds[series].asleep & bit)) {
            tell_slept(s, series, ctx->local);
            ctx->moved = true;
        }
        c->up &= ~bit;
        if (!c->up) rt_series_due_at(s, series, how, INT64_MAX);
        return;
    }
    if (!c->up) { /* the place was left behind: rows that are past are not heard any more */
        c->row = told(s, series, how, c->row);
        c->up = bit;
        rt_series_due(s, series, how);
    }
    c->up |= bit;
    if (s->feeds[series].asleep && how == RT_HEAR_ROW) due_awake(s, series);
}

const void *rt_latest(struct rt_ctx *ctx, uint16_t series) {
    struct rt_shard *s = ctx->shard;
    struct rt_feed *d = &s->feeds[series];
    if (d->asleep) { /* its cursor goes with the events: none is in hand that it has not passed */
        pass(s, series);
        const uint64_t row = d->cur[RT_HEAR_ROW].row;
        return row > 0 ? fetch(s, d, row - 1) : NULL;
    }
    d->latest[0] = told(s, series, RT_HEAR_ROW, d->latest[0]);
    return d->latest[0] ? fetch(s, d, d->latest[0] - 1) : NULL;
}

bool rt_opened(struct rt_ctx *ctx, uint16_t series, void *out) {
    struct rt_shard *s = ctx->shard;
    struct rt_feed *d = &s->feeds[series];
    assert(s->locals[ctx->local].kind->hears_open);
    if (!d->s.open_of) return false;
    d->latest[1] = told(s, series, RT_HEAR_OPEN, d->latest[1]);
    if (!d->latest[1]) return false;
    const uint8_t *row = fetch(s, d, d->latest[1] - 1);
    if (!row) return false;
    d->s.open_of(&d->s, row, out);
    return true;
}

/* next_any finds the earliest row, and the one after it of another series or way. Ways of hearing
 * and series are looked at in the order of events of one instant, so that the first of equals is
 * the one. */
static inline void next_any(const struct rt_shard *s, struct rt_next *out) {
    _Static_assert(RT_HEAR_EARLY < RT_HEAR_ROW && RT_HEAR_ROW < RT_HEAR_OPEN &&
                       (int)RT_CLASS_VENUE < (int)RT_CLASS_DATA &&
                       (int)RT_CLASS_DATA < (int)RT_CLASS_OPEN,
                   "ways of hearing are in the order of their classes");
    int64_t best_ns = INT64_MAX, after_ns = INT64_MAX;
    int best = -1, after = -1; /* way << 16 | series */
    const int cnt = s->series_cnt;
    for (int how = 0; how < RT_HEAR_CNT; how++) {
        const int64_t *due = s->due[how];
        for (int i = 0; s->due_cnt[how] > 0 && i < cnt; i++) {
            int64_t ns = due[i];
            if (ns >= after_ns) continue;
            if (ns < best_ns) {
                after_ns = best_ns;
                after = best;
                best_ns = ns;
                best = how << 16 | i;
            } else {
                after_ns = ns;
                after = how << 16 | i;
            }
        }
    }
    *out = (struct rt_next){ .time_ns = best_ns,
                             .order = best < 0 ? UINT64_MAX : event_order(best),
                             .series = (int16_t)best,
                             .how = (uint8_t)(best < 0 ? 0 : best >> 16),
                             .alone = true,
                             .after_ns = after_ns,
                             .after_order = after < 0 ? UINT64_MAX : event_order(after) };
}

/* find_same notes which rows are due at the earliest instant of all. */
static void find_same(struct rt_shard *s) {
    const int cnt = s->series_cnt;
    int64_t least = INT64_MAX;
    for (int how = 0; how < RT_HEAR_CNT; how++)
        for (int i = 0; s->due_cnt[how] > 0 && i < cnt; i++)
            least = s->due[how][i] < least ? s->due[how][i] : least;
    memset(s->same_up, 0, sizeof s->same_up);
    s->same_ns = least == INT64_MAX ? INT64_MIN : least;
    if (least == INT64_MAX) return;
    for (int how = 0; how < RT_HEAR_CNT; how++)
        for (int i = 0; s->due_cnt[how] > 0 && i < cnt; i++)
            s->same_up[how][i / 64] |= (uint64_t)(s->due[how][i] == least) << (i % 64);
}

/* first_two finds the first two rows due at the earliest instant, in the order of its events.
 * Returns how many there are, 2 at most. */
static inline int first_two(const struct rt_shard *s, int found[2]) {
    int cnt = 0;
    for (int how = 0; how < RT_HEAR_CNT; how++)
        for (int w = 0; w * 64 < s->series_cnt; w++)
            for (uint64_t up = s->same_up[how][w]; up; up &= up - 1) {
                found[cnt++] = how << 16 | (w * 64 + __builtin_ctzll(up));
                if (cnt == 2) return 2;
            }
    return cnt;
}

/* next_row is next_any. Where series are many, most of them are due at the same instants: all are
 * looked at once an instant and not once a row. */
static inline void next_row(struct rt_shard *s, struct rt_next *out) {
    int found[2], cnt = 0;
    if (__builtin_expect(s->series_cnt <= FEW, 1)) {
        next_any(s, out);
        return;
    }
    if (s->same_ns != INT64_MIN) cnt = first_two(s, found);
    if (cnt == 0) {
        find_same(s);
        cnt = first_two(s, found);
    }
    const bool more = cnt == 2;
    if (cnt == 0) {
        next_any(s, out);
        return;
    }
    *out = (struct rt_next){ .time_ns = s->same_ns,
                             .order = event_order(found[0]),
                             .series = (int16_t)found[0],
                             .how = (uint8_t)(found[0] >> 16),
                             .alone = more,
                             .after_ns = more ? s->same_ns : INT64_MAX,
                             .after_order = more ? event_order(found[1]) : UINT64_MAX };
}

void rt_series_next_row(struct rt_shard *s, struct rt_next *out) {
    next_row(s, out);
}

void rt_series_next(struct rt_shard *s, struct rt_next *out) {
    next_row(s, out);
    struct rt_timer t;
    if (rt_wheel_peek(s->wheel, &t)) {
        int64_t due_ns = t.due_ns > s->now_ns || s->clock == RT_CLOCK_REAL ? t.due_ns : s->now_ns;
        uint64_t order = (uint64_t)t.cls << 56 | (uint64_t)t.id << 32;
        if (due_ns < out->time_ns || (due_ns == out->time_ns && order < out->order)) {
            *out = (struct rt_next){ .time_ns = due_ns, .order = order, .series = -1 };
        } else if (due_ns < out->after_ns ||
                   (due_ns == out->after_ns && order < out->after_order)) {
            out->after_ns = due_ns;
            out->after_order = order;
        }
    }
    if (__builtin_expect(s->held.full, 0))
        *out = (struct rt_next){ .time_ns = s->now_ns, .order = 0, .series = -2 };
}

/* rows_before counts the rows from row on (all in one block, at most max) whose event is before
 * (limit_ns, limit_order). */
static uint32_t rows_before(const struct rt_feed *d, uint64_t first, uint64_t max, enum rt_hear how,
                            uint64_t order, int64_t limit_ns, uint64_t limit_order) {
    const int which = first - d->block[0].first < d->block[0].cnt ? 0 : 1;
    const struct rt_block *b = &d->block[which];
    uint64_t at = first - b->first, left = b->cnt - at;
    if (max > left) max = left;
    if (max > 1U << 20) max = 1U << 20;
    if (order < limit_order && limit_ns != INT64_MAX) limit_ns++; /* now: strictly before */
    const uint8_t *rows = b->rows + at * d->s.row_bytes;
    size_t bytes = d->s.row_bytes;
    if (d->s.span_ns > 0 && limit_ns != INT64_MAX) { /* rows are at least a span apart */
        int64_t t0 = when(d, rows, how);
        uint64_t fit =
            limit_ns > t0 ? (uint64_t)(limit_ns - t0 - 1) / (uint64_t)d->s.span_ns + 1 : 1;
        if (fit < max) max = fit;
        if (d->even[which]) return max < 1 ? 1 : (uint32_t)max; /* no look at a far, cold row */
    } else if (limit_ns == INT64_MAX) {
        return max < 1 ? 1 : (uint32_t)max;
    }
    if (max < 1) return 1;
    uint64_t lo = 1, hi = max; /* row 0 is before the limit; row hi, if there is one, is not */
    if (d->s.span_ns > 0) {
        if (when(d, rows + (max - 1) * bytes, how) < limit_ns) return (uint32_t)max;
    } else { /* the limit is mostly near: steps that double find it without far, cold rows */
        uint64_t probe = 1;
        while (probe < max && when(d, rows + probe * bytes, how) < limit_ns) {
            lo = probe + 1;
            probe = 2 * probe + 1;
        }
        if (probe < max) hi = probe;
    }
    while (lo < hi) {
        uint64_t mid = (lo + hi) / 2;
        if (when(d, rows + mid * bytes, how) < limit_ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint32_t)lo;
}

/* tell_each tells the next row of series i heard that way, due at time_ns, to all who hear it, as
 * an event of its own. True when a call said something, moved a timer or an interest, or was not
 * made. */
static inline bool tell_each(struct rt_shard *s, uint16_t i, enum rt_hear how, int64_t time_ns) {
    bool said = false;
    struct rt_feed *const d = &s->feeds[i];
    struct rt_cursor *const c = &d->cur[how];
    const bool naps = d->naps != NULL && how == RT_HEAR_ROW;
    rt_shard_event(s, time_ns, event_order((int)how << 16 | i), 0);
    if (naps && d->asleep) pass(s, i);
    const void *what = fetch(s, d, c->row);
    const uint64_t trace = (uint64_t)d->id << 48 | (c->row & 0xffffffffffffULL);
    s->ctx.trace_id = trace;
    uint8_t body[64];
    if (how == RT_HEAR_OPEN) {
        d->s.open_of(&d->s, what, body);
        what = body;
    }
    for (uint64_t up = naps ? d->asleep : 0; up; up &= up - 1) {
        const uint16_t local = (uint16_t)__builtin_ctzll(up);
        if (d->naps[local].wake == c->row) tell_slept(s, i, local);
    }
    const uint64_t hear = c->up & ~(naps ? d->asleep : 0);
    if (naps) d->row_end_ns = time_ns + d->s.span_ns;
    c->row++;
    s->rows++;
    s->row_ns = s->now_ns;
    s->tally.rows++;
    for (uint64_t up = hear; up; up &= up - 1) {
        const uint16_t local = (uint16_t)__builtin_ctzll(up);
        struct rt_local *const a = &s->locals[local];
        if (__builtin_expect(a->calls + 1 >= a->poison_call, 0)) {
            said = true;
            if (!a->stopped) rt_shard_poison(s, local);
            continue;
        }
        uint8_t *const from = rt_shard_begin(s, local);
        s->ctx.trace_id = trace;
        rt_shard_calling(s, a);
        a->kind->on_rows(&s->ctx, a->state, i, how, what, 1);
        rt_shard_called(s);
        s->ctx.now_ns = s->now_ns;
        const bool more = s->ctx.out != from || s->ctx.overfull;
        said |= more | s->ctx.moved;
        if (__builtin_expect(more, 0)) rt_shard_said(s, local, from);
        if (naps && !more && !s->ctx.moved && a->kind->quiet_rows) doze(s, i, local);
    }
    if (naps && d->asleep) {
        due_awake(s, i);
    } else {
        due_next(s, i, how, time_ns);
    }
    return said;
}

/* tell_instant tells rows that are due at one instant, each to all who hear it, until one of them
 * has something to say: the usual case of many series is that nobody has. */
static void tell_instant(struct rt_shard *s, const struct rt_next *n, uint64_t rows_max,
                         int64_t limit_ns, uint64_t limit_order) {
    int row = n->how << 16 | (int)n->series, found[2];
    struct rt_timer t;
    if (rt_wheel_peek(s->wheel, &t)) {
        const uint64_t at = (uint64_t)t.cls << 56 | (uint64_t)t.id << 32;
        if (t.due_ns < limit_ns || (t.due_ns == limit_ns && at < limit_order)) {
            limit_ns = t.due_ns;
            limit_order = at;
        }
    }
    for (;;) {
        if (tell_each(s, (uint16_t)row, (enum rt_hear)(row >> 16), n->time_ns)) break;
        if (--rows_max == 0 || s->same_ns != n->time_ns || first_two(s, found) == 0) break;
        if (__builtin_expect(s->fault.text[0], 0)) break;
        row = found[0];
        if (n->time_ns > limit_ns || (n->time_ns == limit_ns && event_order(row) >= limit_order))
            break;
    }
    rt_shard_quiet(s);
}

void rt_series_tell(struct rt_shard *s, const struct rt_next *n, uint64_t rows_max,
                    int64_t limit_ns, uint64_t limit_order) {
    uint16_t i = (uint16_t)n->series;
    enum rt_hear how = (enum rt_hear)n->how;
    struct rt_feed *d = &s->feeds[i];
    struct rt_cursor *c = &d->cur[how];
    uint64_t up = c->up;
    /* a limit that is reached is of rows before: one that all shards share is told without */
    if (s->tape && s->rows_limit > s->rows && s->rows_limit - s->rows < rows_max) {
        rows_max = s->rows_limit - s->rows;
    }
    if (s->clock == RT_CLOCK_REAL) rows_max = 1;
    bool shared = n->after_ns == n->time_ns && s->series_cnt > FEW;
    if ((up & (up - 1)) != 0 || (shared && rows_max > 1) || d->asleep) {
        tell_instant(s, n, rows_max, limit_ns, limit_order);
        return;
    }
    const uint8_t *rows = fetch(s, d, c->row);
    uint64_t trace = (uint64_t)d->id << 48 | (c->row & 0xffffffffffffULL);
    uint32_t cnt = 1, taken = 1;
    uint16_t local = (uint16_t)__builtin_ctzll(up);
    struct rt_local *a = &s->locals[local];
    if (__builtin_expect(how != RT_HEAR_OPEN && rows_max > 1, 1)) {
        /* one hearer: it may take a run of rows, up to whatever else is due */
        int64_t other_ns = n->after_ns;
        uint64_t other_order = n->after_order;
        if (!n->alone) {
            struct rt_next other;
            rt_series_due_at(s, i, how, INT64_MAX);
            rt_series_next(s, &other);
            other_ns = other.time_ns;
            other_order = other.order;
        }
        if (other_ns < limit_ns || (other_ns == limit_ns && other_order < limit_order)) {
            limit_ns = other_ns;
            limit_order = other_order;
        }
        cnt = rows_before(d, c->row, rows_max, how, n->order, limit_ns, limit_order);
        uint64_t left = a->poison_call - a->calls - 1; /* rows it may still hear */
        if (__builtin_expect(a->poison_call != UINT64_MAX, 0) && left < cnt)
            cnt = left ? (uint32_t)left : 1;
    }
    rt_shard_event(s, n->time_ns, n->order, trace);
    uint8_t body[64];
    const void *what = rows;
    if (how == RT_HEAR_OPEN) {
        d->s.open_of(&d->s, rows, body);
        what = body;
    }
    if (__builtin_expect(a->calls + 1 >= a->poison_call, 0)) {
        c->row++;
        s->rows++;
        s->row_ns = s->now_ns;
        rt_shard_poison(s, local);
    } else {
        uint8_t *from = rt_shard_begin(s, local);
        s->run_trace = trace;
        rt_shard_calling(s, a);
        taken = a->kind->on_rows(&s->ctx, a->state, i, how, what, cnt);
        rt_shard_called(s);
        s->run_trace = 0;
        assert(taken >= 1 && taken <= cnt);
        s->now_ns = s->ctx.now_ns;
        s->events += taken - 1;
        a->calls += taken - 1;
        c->row += taken;
        s->rows += taken;
        s->row_ns = s->now_ns;
        s->tally.rows += taken;
        if (s->ctx.out != from || s->ctx.overfull) rt_shard_said(s, local, from);
    }
    rt_series_due(s, i, how);
    rt_shard_quiet(s);
}

void rt_series_tell_one(struct rt_shard *s, const struct rt_next *n) {
    if (n->series >= 0)
        rt_series_tell(s, n, 1, INT64_MAX, UINT64_MAX);
    else
        rt_shard_timer(s);
}
