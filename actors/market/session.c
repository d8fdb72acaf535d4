#include "actors/market/session.h"
#include <string.h>

#define MINUTE_NS 60000000000LL
#define DAY_NS    (1440 * MINUTE_NS)

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

int mk_session_read(struct rt_node *map, struct mk_session *out, struct rt_error *err) {
    static const char *const known[] = { "days", "hours", "offset", NULL };
    struct rt_node *days = rt_node_get(map, "days"), *hours = rt_node_get(map, "hours");
    const char *offset = NULL;
    *out = (struct mk_session){ .days = 0 };
    int rc = rt_node_text(map, "offset", false, 6, "+00:00", &offset, err);
    if (rc == 0) rc = rt_node_no_more(map, known, err);
    if (rc != 0) return rc;
    const bool sign = offset[0] == '+' || offset[0] == '-';
    const int minutes = sign && strlen(offset) == 6 ? clock_read(offset + 1) : -1;
    if (minutes < 0 || minutes > 14 * 60) {
        return rt_node_fail(rt_node_get(map, "offset"), err,
                            "expected local time less UTC such as \"-05:00\", at most 14 hours");
    }
    out->offset_ns = (offset[0] == '-' ? -minutes : minutes) * MINUTE_NS;
    if (days == NULL) {
        out->days = 0x7f;
    } else if (days->kind != RT_NODE_LIST) {
        rc = days_add(days, &out->days, err);
    } else {
        for (struct rt_node *n = days->child; n != NULL && rc == 0; n = n->next) {
            n->used = true;
            rc = days_add(n, &out->days, err);
        }
        if (rc == 0 && out->days == 0) return rt_node_fail(days, err, "is empty");
    }
    if (rc != 0) return rc;
    if (hours == NULL) {
        out->until_ns[out->window_cnt++] = DAY_NS;
    } else if (hours->kind != RT_NODE_LIST) {
        rc = window_add(hours, out, err);
    } else {
        for (struct rt_node *n = hours->child; n != NULL && rc == 0; n = n->next) {
            n->used = true;
            rc = window_add(n, out, err);
        }
        if (rc == 0 && out->window_cnt == 0) return rt_node_fail(hours, err, "is empty");
    }
    return rc;
}

bool mk_session_holds(const struct mk_session *s, int64_t ns) {
    const int64_t local_ns = ns + s->offset_ns;
    int64_t day = local_ns / DAY_NS, in_ns = local_ns % DAY_NS;
    if (in_ns < 0) {
        in_ns += DAY_NS;
        day--;
    }
    const int weekday = (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
    const bool today = s->days >> weekday & 1, before = s->days >> (weekday + 6) % 7 & 1;
    for (uint32_t i = 0; i < s->window_cnt; i++) {
        const int64_t from_ns = s->from_ns[i], until_ns = s->until_ns[i];
        if (from_ns < until_ns) {
            if (today && in_ns >= from_ns && in_ns < until_ns) return true;
        } else if ((today && in_ns >= from_ns) || (before && in_ns < until_ns)) {
            return true;
        }
    }
    return false;
}
