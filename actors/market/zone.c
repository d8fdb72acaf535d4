#include "actors/market/zone.h"
#include "quant/stats/calendar.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define MINUTE_NS 60000000000LL
#define HOUR_NS   (60 * MINUTE_NS)

/* The zones that are known; of those that are alike the first is the main place. */
static const struct {
    const char *name; /* as in the tz database */
    int32_t minutes;  /* local time less UTC */
    enum mk_dst dst;  /* daylight saving */
} zones[] = {
    { "UTC", 0, MK_DST_NONE },
    { "Asia/Shanghai", 480, MK_DST_NONE },
    { "Asia/Hong_Kong", 480, MK_DST_NONE },
    { "Asia/Singapore", 480, MK_DST_NONE },
    { "Asia/Tokyo", 540, MK_DST_NONE },
    { "America/New_York", -300, MK_DST_US },
    { "America/Chicago", -360, MK_DST_US },
    { "Europe/London", 0, MK_DST_EU },
    { "Europe/Paris", 60, MK_DST_EU },
    { "Europe/Berlin", 60, MK_DST_EU },
    { "Europe/Zurich", 60, MK_DST_EU },
};

/* hours_read reads "+08:00" into minutes; false when text is none. */
static bool hours_read(const char *text, int32_t *minutes) {
    static const char form[] = "+dd:dd";
    for (size_t i = 0; i < sizeof form; i++) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (i == 0           ? text[0] != '+' && text[0] != '-'
            : form[i] == 'd' ? !digit
                             : text[i] != form[i])
            return false;
    }
    const int32_t v =
        ((text[1] - '0') * 10 + text[2] - '0') * 60 + (text[4] - '0') * 10 + text[5] - '0';
    *minutes = text[0] == '-' ? -v : v;
    return text[4] < '6' && v <= 14 * 60;
}

bool mk_zone_named(const char *name, struct mk_zone *out) {
    int32_t minutes = 0;
    *out = (struct mk_zone){ .dst = MK_DST_NONE };
    snprintf(out->name, sizeof out->name, "%s", name);
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (strcmp(zones[i].name, name) != 0) continue;
        out->offset_ns = zones[i].minutes * MINUTE_NS;
        out->dst = zones[i].dst;
        return true;
    }
    if (!hours_read(name, &minutes)) return false;
    out->offset_ns = minutes * MINUTE_NS;
    return true;
}

void mk_zone_like(int64_t offset_ns, enum mk_dst dst, struct mk_zone *out) {
    const int32_t minutes = (int32_t)(offset_ns / MINUTE_NS),
                  size = minutes < 0 ? -minutes : minutes;
    *out = (struct mk_zone){ .offset_ns = offset_ns, .dst = dst };
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (zones[i].minutes != minutes || zones[i].dst != dst) continue;
        snprintf(out->name, sizeof out->name, "%s", zones[i].name);
        return;
    }
    snprintf(out->name, sizeof out->name, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60 % 100,
             size % 60);
}

/* sunday returns the nth (1..) Sunday of a month, or its last (0). */
static int32_t sunday(int32_t year, int32_t month, int32_t nth) {
    if (nth == 0) {
        int32_t last = (month == 12 ? qs_day_of(year + 1, 1, 1) : qs_day_of(year, month + 1, 1));
        last--;
        return last - (qs_weekday(last) + 1) % 7;
    }
    const int32_t first = qs_day_of(year, month, 1);
    return first + (6 - qs_weekday(first)) + 7 * (nth - 1);
}

int64_t mk_zone_shift(int64_t offset_ns, enum mk_dst dst, int64_t ns) {
    int64_t from_ns, until_ns;
    if (dst == MK_DST_NONE) return offset_ns;
    const int32_t year = qs_date_of(qs_day_opened(ns + offset_ns)).year;
    if (dst == MK_DST_EU) { /* at 01:00 UTC everywhere */
        from_ns = sunday(year, 3, 0) * QS_DAY_NS + HOUR_NS;
        until_ns = sunday(year, 10, 0) * QS_DAY_NS + HOUR_NS;
    } else { /* at 02:00 of the clock on the wall */
        const bool now = year >= 2007;
        from_ns = (now ? sunday(year, 3, 2) : sunday(year, 4, 1)) * QS_DAY_NS + 2 * HOUR_NS;
        until_ns = (now ? sunday(year, 11, 1) : sunday(year, 10, 0)) * QS_DAY_NS + HOUR_NS;
        from_ns -= offset_ns;
        until_ns -= offset_ns;
    }
    return ns >= from_ns && ns < until_ns ? offset_ns + HOUR_NS : offset_ns;
}

int64_t mk_zone_local(const struct mk_zone *z, int64_t ns) {
    return ns + mk_zone_shift(z->offset_ns, z->dst, ns);
}

int64_t mk_zone_instant(const struct mk_zone *z, int64_t local_ns) {
    const int64_t ns = local_ns - mk_zone_shift(z->offset_ns, z->dst, local_ns - z->offset_ns);
    return local_ns - mk_zone_shift(z->offset_ns, z->dst, ns);
}

const char *mk_zone_text(const struct mk_zone *z, int64_t ns, char out[MK_ZONE_TEXT]) {
    const int64_t local_ns = mk_zone_local(z, ns);
    const int32_t day = qs_day_opened(local_ns);
    const struct qs_date d = qs_date_of(day);
    const int s = (int)((local_ns - day * QS_DAY_NS) / 1000000000);
    snprintf(out, MK_ZONE_TEXT, "%04d-%02d-%02d %02d:%02d:%02d", d.year % 10000, d.month % 100,
             d.day % 100, s / 3600 % 100, s / 60 % 60, s % 60);
    return out;
}
