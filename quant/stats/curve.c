#include "quant/stats/curve.h"
#include "quant/stats/calendar.h"

/* next_day returns the first day at or after day that counts; INT32_MAX when none is listed. *at is
 * where in the list to go on. */
static int32_t next_day(const struct qs_days *days, int32_t day, size_t *at) {
    switch (days->calendar) {
    case QS_WEEKDAYS: {
        int32_t w = qs_weekday(day);
        return w >= 5 ? day + 7 - w : day;
    }
    case QS_LISTED:
        while (*at < days->listed_cnt && days->listed[*at] < day) ++*at;
        return *at < days->listed_cnt ? days->listed[*at] : INT32_MAX;
    default: return day;
    }
}

/* walk finds the days of a span; day may be NULL. */
static size_t walk(const struct qs_days *days, int64_t first_ns, int64_t last_ns, int32_t *day) {
    size_t cnt = 0, at = 0;
    int32_t last = qs_day_closed(last_ns);
    if (last_ns <= first_ns) return 0;
    for (int32_t d = qs_day_opened(first_ns); d <= last; d++) {
        d = next_day(days, d, &at);
        if (d > last) break;
        if (day) day[cnt] = d;
        cnt++;
    }
    return cnt;
}

size_t qs_days_cnt(const struct qs_days *days, int64_t first_ns, int64_t last_ns) {
    return walk(days, first_ns, last_ns, NULL);
}

size_t qs_days_close(const struct qs_days *days, const struct qs_point *points, size_t cnt,
                     int32_t *day, double *close) {
    if (cnt < 2) return 0;
    size_t n = walk(days, points[0].time_ns, points[cnt - 1].time_ns, day), p = 0;
    for (size_t i = 0; i < n; i++) {
        while (p + 1 < cnt && (i + 1 == n || qs_day_closed(points[p + 1].time_ns) <= day[i])) p++;
        close[i] = points[p].equity;
    }
    return n;
}

/* keep files d among the deepest. */
static size_t keep(const struct qs_drawdown *d, struct qs_drawdown *out, size_t cnt, size_t room) {
    size_t at = cnt;
    while (at > 0 && out[at - 1].depth < d->depth) at--;
    if (at == room) return cnt;
    if (cnt < room) cnt++;
    for (size_t i = cnt - 1; i > at; i--) out[i] = out[i - 1];
    out[at] = *d;
    return cnt;
}

size_t qs_drawdowns(const struct qs_point *points, size_t cnt, struct qs_drawdown *out, size_t room,
                    struct qs_drawdown *longest, int64_t *below_ns) {
    struct qs_drawdown now = { 0 }, most = { .recovery_ns = INT64_MAX };
    size_t kept = 0;
    int64_t below = 0;
    bool falling = false;
    for (size_t i = 0; i <= cnt; i++) {
        const struct qs_point *p = &points[i < cnt ? i : cnt - 1];
        bool over = i == cnt || p->equity >= now.peak;
        if (falling && over) {
            now.recovery_ns = i < cnt ? p->time_ns : INT64_MAX;
            now.end_ns = p->time_ns;
            if (room) kept = keep(&now, out, kept, room);
            below += now.end_ns - now.peak_ns;
            if (now.end_ns - now.peak_ns > most.end_ns - most.peak_ns || most.depth == 0)
                most = now;
            falling = false;
        }
        if (i == cnt) break;
        if (over || now.peak <= 0) {
            now = (struct qs_drawdown){ .peak_ns = p->time_ns,
                                        .trough_ns = p->time_ns,
                                        .peak = p->equity,
                                        .trough = p->equity };
        } else if (p->equity < now.trough) {
            falling = true;
            now.trough = p->equity;
            now.trough_ns = p->time_ns;
            now.depth = (now.peak - now.trough) / now.peak;
        }
    }
    if (longest) *longest = most;
    if (below_ns) *below_ns = below;
    return kept;
}

double qs_max_drawdown(const double *ret, size_t n, double *underwater) {
    double value = 1, peak = 1, most = 0;
    for (size_t i = 0; i < n; i++) {
        value *= 1 + ret[i];
        if (value > peak) peak = value;
        double fall = 1 - value / peak;
        if (fall > most) most = fall;
        if (underwater) underwater[i] = fall;
    }
    return most;
}
