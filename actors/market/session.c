#include "actors/market/session.h"
#include "actors/market/holidays.h"
#include "quant/stats/calendar.h"
#include <stdio.h>
#include <string.h>

#define MINUTE_NS 60000000000LL
#define DAY_NS    (1440 * MINUTE_NS)

static const int32_t NEVER = 200000; /* a day past the range of ns: known for ever */

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* day_find returns the number of the day that text begins with, or -1. */
static int day_find(const char *text) {
    for (int i = 0; i < 7; i++) {
        if (strncmp(text, day_names[i], 3) == 0) return i;
    }
    return -1;
}

/* days_add adds one day or span of days to *days. */
static int days_add(const struct rt_node *n, uint32_t *days, struct rt_error *err) {
    if (n->kind == RT_NODE_SCALAR) {
        const size_t cnt = strlen(n->text);
        int from = cnt >= 3 ? day_find(n->text) : -1, until = from;
        if (from >= 0 && cnt == 7 && n->text[3] == '-') {
            until = day_find(n->text + 4);
        } else if (cnt != 3) {
            until = -1;
        }
        if (from >= 0 && until >= 0) {
            for (int d = from;; d = (d + 1) % 7) {
                *days |= 1U << d;
                if (d == until) return 0;
            }
        }
    }
    return rt_node_fail(n, err, "expected a day such as mon, or a span such as mon-fri");
}

/* clock_read reads "09:30" into minutes; -1 when it is none. */
static int clock_read(const char *text) {
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9') return -1;
    }
    const int hour = (text[0] - '0') * 10 + text[1] - '0';
    const int minute = (text[3] - '0') * 10 + text[4] - '0';
    return minute > 59 ? -1 : hour * 60 + minute;
}

/* window_add adds one window to out. */
static int window_add(const struct rt_node *n, struct mk_session *out, struct rt_error *err) {
    if (out->window_cnt == MK_SESSION_WINDOWS) {
        return rt_node_fail(n, err, "more than %d windows", MK_SESSION_WINDOWS);
    }
    if (n->kind == RT_NODE_SCALAR && strlen(n->text) == 11 && n->text[5] == '-') {
        const int from = clock_read(n->text), until = clock_read(n->text + 6);
        if (from >= 0 && from < 1440 && until >= 0 && until <= 1440 && from != until) {
            out->from_ns[out->window_cnt] = from * MINUTE_NS;
            out->until_ns[out->window_cnt++] = until * MINUTE_NS;
            return 0;
        }
    }
    return rt_node_fail(n, err, "expected a window such as 09:30-16:00");
}

int64_t mk_session_offset(const struct mk_session *s, int64_t ns) {
    return mk_zone_shift(s->offset_ns, s->dst, ns);
}

/* closed_at returns where day is, or would be, among the closed days. */
static uint32_t closed_at(const struct mk_session *s, int32_t day) {
    uint32_t low = 0, high = s->closed_cnt;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        if (s->closed[mid] < day) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* is_open tells whether a day has windows. */
static bool is_open(const struct mk_session *s, int32_t day) {
    if (!(s->days >> qs_weekday(day) & 1)) return false;
    const uint32_t at = closed_at(s, day);
    return at == s->closed_cnt || s->closed[at] != day;
}

/* early_ns returns when a day closes at the latest, since its midnight. */
static int64_t early_ns(const struct mk_session *s, int32_t day) {
    uint32_t low = 0, high = s->early_cnt;
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;
        if (s->early[mid].day < day) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == s->early_cnt || s->early[low].day != day) return 2 * DAY_NS;
    return s->early[low].minute * MINUTE_NS;
}

/* window_of gives window i of a day, ns since its midnight; false when it has none. */
static bool window_of(const struct mk_session *s, int32_t day, uint32_t i, int64_t *from_ns,
                      int64_t *until_ns) {
    const int64_t end_ns = s->early_cnt == 0 ? 2 * DAY_NS : early_ns(s, day);
    *from_ns = s->from_ns[i];
    *until_ns = s->until_ns[i] > s->from_ns[i] ? s->until_ns[i] : s->until_ns[i] + DAY_NS;
    if (*until_ns > end_ns) *until_ns = end_ns;
    return *from_ns < *until_ns;
}

/* window_at finds the window that holds ns; in_ns: how far ns is into it. */
static bool window_at(const struct mk_session *s, int64_t ns, int64_t *in_ns) {
    const int64_t local_ns = ns + mk_session_offset(s, ns);
    const int32_t today = qs_day_opened(local_ns);
    for (int32_t day = today; day >= today - 1; day--) {
        const int64_t since_ns = local_ns - day * DAY_NS;
        if (!is_open(s, day)) continue;
        for (uint32_t i = 0; i < s->window_cnt; i++) {
            int64_t from_ns, until_ns;
            if (!window_of(s, day, i, &from_ns, &until_ns)) continue;
            if (since_ns < from_ns || since_ns >= until_ns) continue;
            *in_ns = since_ns - from_ns;
            return true;
        }
    }
    return false;
}

bool mk_session_holds(const struct mk_session *s, int64_t ns) {
    int64_t in_ns;
    return window_at(s, ns, &in_ns);
}

bool mk_session_begins(const struct mk_session *s, int64_t ns, int64_t interval_ns) {
    int64_t in_ns;
    if (interval_ns % DAY_NS == 0) {
        return ns % DAY_NS == 0 || (ns + mk_session_offset(s, ns)) % DAY_NS == 0;
    }
    return window_at(s, ns, &in_ns) && in_ns % interval_ns == 0;
}

/* date_of returns the day that a bar of whole days stands for. */
static int32_t date_of(const struct mk_session *s, int64_t ns) {
    return ns % DAY_NS == 0 ? qs_day_opened(ns) : qs_day_opened(ns + mk_session_offset(s, ns));
}

bool mk_session_expects(const struct mk_session *s, int64_t ns, int64_t interval_ns) {
    if (interval_ns % DAY_NS != 0) return mk_session_holds(s, ns);
    const int32_t day = date_of(s, ns);
    for (int32_t i = 0; i < interval_ns / DAY_NS; i++) {
        if (is_open(s, day + i)) return true;
    }
    return false;
}

/* missing_days is mk_session_missing for bars of whole days. */
static int64_t missing_days(const struct mk_session *s, int64_t from_ns, int64_t until_ns,
                            int64_t interval_ns) {
    const int32_t step = (int32_t)(interval_ns / DAY_NS), until = date_of(s, until_ns);
    int64_t cnt = 0;
    for (int32_t day = date_of(s, from_ns) + step; day < until; day += step) {
        bool any = false;
        for (int32_t i = 0; i < step && !any; i++) any = is_open(s, day + i);
        cnt += any;
    }
    return cnt;
}

int64_t mk_session_missing(const struct mk_session *s, int64_t from_ns, int64_t until_ns,
                           int64_t interval_ns) {
    if (interval_ns % DAY_NS == 0) return missing_days(s, from_ns, until_ns, interval_ns);
    const bool one_grid = (until_ns - from_ns) % interval_ns == 0;
    const int32_t last = qs_day_opened(until_ns + s->offset_ns) + 1;
    int64_t cnt = 0;
    for (int32_t day = qs_day_opened(from_ns + s->offset_ns) - 1; day <= last; day++) {
        if (!is_open(s, day)) continue;
        const int64_t noon_ns = day * DAY_NS + DAY_NS / 2 - s->offset_ns;
        const int64_t midnight_ns = day * DAY_NS - mk_session_offset(s, noon_ns);
        for (uint32_t i = 0; i < s->window_cnt; i++) {
            int64_t low_ns, high_ns;
            if (!window_of(s, day, i, &low_ns, &high_ns)) continue;
            low_ns += midnight_ns;
            high_ns += midnight_ns;
            /* the places first_ns + k * interval_ns in low..high that lie between the two bars */
            int64_t first_ns = one_grid ? from_ns : low_ns;
            if (low_ns <= from_ns) low_ns = from_ns + 1;
            if (high_ns > until_ns) high_ns = until_ns;
            if (low_ns >= high_ns) continue;
            if (low_ns > first_ns) {
                first_ns += (low_ns - first_ns + interval_ns - 1) / interval_ns * interval_ns;
            }
            if (first_ns < high_ns) cnt += (high_ns - 1 - first_ns) / interval_ns + 1;
        }
    }
    return cnt;
}

const char *const mk_day_words[4] = { "open", "early", "closed", "unknown" };

enum mk_day mk_session_day(const struct mk_session *s, int32_t day) {
    if (day < s->known_from || day > s->known_until) return MK_DAY_UNKNOWN;
    if (!is_open(s, day)) return MK_DAY_CLOSED;
    for (uint32_t i = 0; i < s->early_cnt; i++) {
        if (s->early[i].day == day) return MK_DAY_EARLY;
    }
    return MK_DAY_OPEN;
}

bool mk_session_knows(const struct mk_session *s, int64_t ns) {
    const int32_t day = qs_day_opened(ns + s->offset_ns);
    return day >= s->known_from && day <= s->known_until;
}

void mk_session_known(const struct mk_session *s, char out[32]) {
    const struct qs_date from = qs_date_of(s->known_from), until = qs_date_of(s->known_until);
    snprintf(out, 32, "%04d-%02d-%02d to %04d-%02d-%02d", from.year % 10000, from.month % 100,
             from.day % 100, until.year % 10000, until.month % 100, until.day % 100);
}

/* closed_add puts a day among the closed ones; false when there is no room. */
static bool closed_add(struct mk_session *s, int32_t day) {
    const uint32_t at = closed_at(s, day);
    if (at < s->closed_cnt && s->closed[at] == day) return true;
    if (s->closed_cnt == MK_SESSION_CLOSED) return false;
    memmove(&s->closed[at + 1], &s->closed[at], (s->closed_cnt - at) * sizeof s->closed[0]);
    s->closed[at] = day;
    s->closed_cnt++;
    return true;
}

/* early_add puts a day among those that close early; false when there is no room. */
static bool early_add(struct mk_session *s, int32_t day, int32_t minute) {
    uint32_t at = s->early_cnt;
    while (at > 0 && s->early[at - 1].day > day) at--;
    if (at > 0 && s->early[at - 1].day == day) {
        s->early[at - 1].minute = minute;
        return true;
    }
    if (s->early_cnt == MK_SESSION_EARLY) return false;
    memmove(&s->early[at + 1], &s->early[at], (s->early_cnt - at) * sizeof s->early[0]);
    s->early[at] = (struct mk_early){ .day = day, .minute = minute };
    s->early_cnt++;
    return true;
}

/* number returns the value of cnt digits. */
static int32_t number(const char *text, int cnt) {
    int32_t v = 0;
    for (int i = 0; i < cnt; i++) v = v * 10 + (text[i] - '0');
    return v;
}

/* holidays_add puts the years of a table in; early closes are at minute where not told. */
static void holidays_add(struct mk_session *s, const struct mk_holidays *years, int32_t minute) {
    s->known_from = qs_day_of(years->year, 1, 1);
    for (; years->year != 0; years++) {
        const char *at = years->closed;
        bool room = true;
        for (; *at != '\0'; at += at[4] == ' ' ? 5 : 4) {
            room = room && closed_add(s, qs_day_of(years->year, number(at, 2), number(at + 2, 2)));
        }
        for (at = years->early; *at != '\0'; at += *at == ' ') {
            const int32_t day = qs_day_of(years->year, number(at, 2), number(at + 2, 2));
            const bool told = at[4] == '@';
            room = room &&
                   early_add(s, day, told ? number(at + 5, 2) * 60 + number(at + 7, 2) : minute);
            at += told ? 9 : 4;
        }
        s->known_until = room ? qs_day_of(years->year, 12, 31) : s->known_until;
    }
}

bool mk_session_named(const char *name, struct mk_session *out) {
    static const struct {
        const char *name;                          /* as in a file */
        const struct mk_holidays *const *holidays; /* NULL = none */
        int32_t offset;                            /* minutes */
        enum mk_dst dst;                           /* daylight saving */
        int32_t windows[2][2];                     /* minutes; 0, 0 = none */
        int32_t early;                             /* usual early close, minutes */
    } known[] = {
        { "us_equity", &mk_holidays_us, -300, MK_DST_US, { { 570, 960 } }, 780 },
        { "nyse", &mk_holidays_us, -300, MK_DST_US, { { 570, 960 } }, 780 },
        { "nasdaq", &mk_holidays_us, -300, MK_DST_US, { { 570, 960 } }, 780 },
        { "cn_a", &mk_holidays_cn, 480, MK_DST_NONE, { { 570, 690 }, { 780, 900 } }, 0 },
        { "sse", &mk_holidays_cn, 480, MK_DST_NONE, { { 570, 690 }, { 780, 900 } }, 0 },
        { "szse", &mk_holidays_cn, 480, MK_DST_NONE, { { 570, 690 }, { 780, 900 } }, 0 },
        { "uk_equity", &mk_holidays_uk, 0, MK_DST_EU, { { 480, 990 } }, 750 },
        { "lse", &mk_holidays_uk, 0, MK_DST_EU, { { 480, 990 } }, 750 },
        { "24x7", NULL, 0, MK_DST_NONE, { { 0, 1440 } }, 0 },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) != 0) continue;
        *out = (struct mk_session){ .offset_ns = known[i].offset * MINUTE_NS,
                                    .days = known[i].holidays == NULL ? 0x7f : 0x1f,
                                    .dst = known[i].dst,
                                    .known_from = -NEVER,
                                    .known_until = NEVER };
        for (int w = 0; w < 2 && known[i].windows[w][1] != 0; w++) {
            out->from_ns[w] = known[i].windows[w][0] * MINUTE_NS;
            out->until_ns[w] = known[i].windows[w][1] * MINUTE_NS;
            out->window_cnt++;
        }
        if (known[i].holidays != NULL) holidays_add(out, *known[i].holidays, known[i].early);
        return true;
    }
    return false;
}

/* date_read reads "2024-01-31" into days since 1970-01-01. */
static bool date_read(const char *text, int32_t *out) {
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof form; i++) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == 'd' ? !digit : text[i] != form[i]) return false;
    }
    *out = qs_day_of(number(text, 4), number(text + 5, 2), number(text + 8, 2));
    const struct qs_date d = qs_date_of(*out);
    return d.year == number(text, 4) && d.month == number(text + 5, 2) &&
           d.day == number(text + 8, 2) && d.year >= 1900 && d.year <= 2200;
}

/* closed_read reads closed: a list of days. */
static int closed_read(struct rt_node *map, struct mk_session *out, struct rt_error *err) {
    struct rt_node *list;
    int rc = rt_node_list(map, "closed", false, &list, err);
    for (struct rt_node *n = list == NULL ? NULL : list->child; rc == 0 && n != NULL; n = n->next) {
        int32_t day;
        n->used = true;
        if (n->kind != RT_NODE_SCALAR || !date_read(n->text, &day))
            return rt_node_fail(n, err, "expected a day such as 2024-12-25");
        if (!closed_add(out, day))
            return rt_node_fail(n, err, "more than %d closed days", MK_SESSION_CLOSED);
    }
    return rc;
}

/* early_read reads early: a map of days and times. */
static int early_read(struct rt_node *map, struct mk_session *out, struct rt_error *err) {
    struct rt_node *all;
    int rc = rt_node_map(map, "early", false, &all, err);
    for (struct rt_node *n = all == NULL ? NULL : all->child; rc == 0 && n != NULL; n = n->next) {
        int32_t day;
        n->used = true;
        if (!date_read(n->key, &day))
            return rt_node_fail(n, err, "expected a day such as 2024-12-24");
        const bool text = n->kind == RT_NODE_SCALAR && strlen(n->text) == 5;
        const int minute = text ? clock_read(n->text) : -1;
        if (minute < 0) return rt_node_fail(n, err, "expected a time such as \"13:00\"");
        if (!early_add(out, day, minute))
            return rt_node_fail(n, err, "more than %d days that close early", MK_SESSION_EARLY);
    }
    return rc;
}

/* zone_read reads offset: or zone:. */
static int zone_read(struct rt_node *map, struct mk_session *out, struct rt_error *err) {
    const char *offset, *zone;
    int rc = rt_node_text(map, "offset", false, 6, "+00:00", &offset, err);
    if (rc == 0) rc = rt_node_text(map, "zone", false, 40, "", &zone, err);
    if (rc != 0) return rc;
    if (*zone != '\0') {
        if (rt_node_get(map, "offset") != NULL)
            return rt_node_fail(rt_node_get(map, "offset"), err, "goes without zone");
        struct mk_zone known;
        if (zone[0] != '+' && zone[0] != '-' && mk_zone_named(zone, &known)) {
            out->offset_ns = known.offset_ns;
            out->dst = known.dst;
            return 0;
        }
        return rt_node_fail(rt_node_get(map, "zone"), err,
                            "is not known, expected a zone such as America/New_York, or offset");
    }
    if (rt_node_get(map, "offset") == NULL) return 0;
    const bool sign = offset[0] == '+' || offset[0] == '-';
    const int minutes = sign && strlen(offset) == 6 ? clock_read(offset + 1) : -1;
    if (minutes < 0 || minutes > 14 * 60) {
        return rt_node_fail(rt_node_get(map, "offset"), err,
                            "expected local time less UTC such as \"-05:00\", at most 14 hours");
    }
    out->offset_ns = (offset[0] == '-' ? -minutes : minutes) * MINUTE_NS;
    out->dst = MK_DST_NONE;
    return 0;
}

/* days_read reads days:. */
static int days_read(struct rt_node *map, struct mk_session *out, struct rt_error *err) {
    struct rt_node *days = rt_node_get(map, "days");
    int rc = 0;
    if (days == NULL) return 0;
    out->days = 0;
    if (days->kind != RT_NODE_LIST) return days_add(days, &out->days, err);
    for (struct rt_node *n = days->child; n != NULL && rc == 0; n = n->next) {
        n->used = true;
        rc = days_add(n, &out->days, err);
    }
    return rc == 0 && out->days == 0 ? rt_node_fail(days, err, "is empty") : rc;
}

/* hours_read reads hours:. */
static int hours_read(struct rt_node *map, struct mk_session *out, struct rt_error *err) {
    struct rt_node *hours = rt_node_get(map, "hours");
    int rc = 0;
    if (hours == NULL) return 0;
    out->window_cnt = 0;
    if (hours->kind != RT_NODE_LIST) return window_add(hours, out, err);
    for (struct rt_node *n = hours->child; n != NULL && rc == 0; n = n->next) {
        n->used = true;
        rc = window_add(n, out, err);
    }
    return rc == 0 && out->window_cnt == 0 ? rt_node_fail(hours, err, "is empty") : rc;
}

int mk_session_read(struct rt_node *map, const char *key, struct mk_session *out, bool *there,
                    struct rt_error *err) {
    static const char *const known[] = { "days",   "hours", "offset", "like", "zone",
                                         "closed", "early", "until",  NULL };
    static const char *const names = "us_equity, cn_a, uk_equity or 24x7";
    struct rt_node *n = rt_node_get(map, key);
    const char *like, *until;
    *there = n != NULL;
    if (n == NULL) return 0;
    if (n->kind == RT_NODE_SCALAR) {
        n->used = true;
        if (mk_session_named(n->text, out)) return 0;
        return rt_node_fail(n, err, "is no session; expected %s, or a map", names);
    }
    int rc = rt_node_map(map, key, true, &n, err);
    if (rc == 0) rc = rt_node_text(n, "like", false, 40, "24x7", &like, err);
    if (rc != 0) return rc;
    if (!mk_session_named(like, out))
        return rt_node_fail(rt_node_get(n, "like"), err, "is no session; expected %s", names);
    rc = zone_read(n, out, err);
    if (rc == 0) rc = days_read(n, out, err);
    if (rc == 0) rc = hours_read(n, out, err);
    if (rc == 0) rc = closed_read(n, out, err);
    if (rc == 0) rc = early_read(n, out, err);
    if (rc == 0) rc = rt_node_text(n, "until", false, 10, "", &until, err);
    if (rc == 0 && *until != '\0' && !date_read(until, &out->known_until)) {
        return rt_node_fail(rt_node_get(n, "until"), err, "expected a day such as 2028-12-31");
    }
    return rc == 0 ? rt_node_no_more(n, known, err) : rc;
}
