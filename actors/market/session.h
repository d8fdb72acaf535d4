/* session.h - when a market trades: hours, days, holidays, early closes, in its own time.
 *
 * For     bars of a session (feed); what is missing and what is only shut: reports of sources, data
 *         guards, quality (instruments' session:, `data check --session`).
 * Rules   Windows of the day on some weekdays. A window that ends before it begins goes on past
 *         midnight and belongs to the day on which it begins. A window holds its begin, not its
 *         end. A closed day has no windows; on a day that closes early they end there at the
 *         latest. Names: us_equity (nyse, nasdaq), cn_a (sse, szse), uk_equity (lse), 24x7.
 *         Holidays of a name are known for some years only (holidays.h); what lies outside is not
 *         guessed: mk_session_knows.
 *         Zones: those of zone.h. Windows are placed by the distance from UTC at noon of their day.
 *         Places: bars between two bars lie on the grid of the first, or, where the second does
 *         not, on grids that begin with each window. Bars of whole days belong to the UTC date of
 *         their midnight, else to the local date.
 * Thread  any: read-only after it is read.
 * Memory  the struct.
 * Cost    holds: a division, up to four comparisons and a search among closed days; missing: the
 *         same a day. */
#ifndef ACTORS_MARKET_SESSION_H
#define ACTORS_MARKET_SESSION_H
#include "actors/market/zone.h"
#include "runtime/base/config.h"
#include <stdbool.h>
#include <stdint.h>

enum {
    MK_SESSION_WINDOWS = 4,   /* most windows of a day */
    MK_SESSION_CLOSED = 1024, /* most closed days */
    MK_SESSION_EARLY = 256,   /* most days that close early */
};

/* A day that closes early. */
struct mk_early {
    int32_t day;    /* days since 1970-01-01 */
    int32_t minute; /* of local time, when it closes */
};

/* A session. */
struct mk_session {
    int64_t offset_ns;                       /* local time less UTC without daylight saving, whole
                                           * minutes, -14 h..14 h */
    int64_t from_ns[MK_SESSION_WINDOWS];     /* since local midnight, 0..24 h - 1 min */
    int64_t until_ns[MK_SESSION_WINDOWS];    /* the same, up to 24 h; below from: the next day */
    uint32_t window_cnt;                     /* windows of a day, at least 1 */
    uint32_t days;                           /* bit 0 = Monday .. bit 6 = Sunday, at least one */
    enum mk_dst dst;                         /* which daylight saving */
    int32_t known_from, known_until;         /* first and last day of which closed days are known */
    uint32_t closed_cnt;                     /* closed days */
    uint32_t early_cnt;                      /* days that close early */
    int32_t closed[MK_SESSION_CLOSED];       /* days since 1970-01-01, rising */
    struct mk_early early[MK_SESSION_EARLY]; /* by day, rising */
};

/* mk_session_read reads key of map: a name, or {like, days, hours, offset | zone, closed, early,
 * until}: like is a name whose rules hold where nothing else is said; days a list of mon..sun and
 * spans such as mon-fri, or one of them, default every day; hours a list of windows such as
 * "09:30-16:00", or one, default the whole day; offset local time less UTC such as "-05:00",
 * default "+00:00"; zone a name such as America/New_York; closed further closed days; early a map
 * of days and times; until the last day that is known then. Returns 0 (*there: it was declared),
 * or -EINVAL with err. */
int mk_session_read(struct rt_node *map, const char *key, struct mk_session *out, bool *there,
                    struct rt_error *err) __attribute__((warn_unused_result));
/* mk_session_named makes the session called name. False when there is none. */
bool mk_session_named(const char *name, struct mk_session *out);
/* mk_session_offset returns local time less UTC at the instant ns (UTC). */
int64_t mk_session_offset(const struct mk_session *s, int64_t ns);
/* mk_session_holds tells whether the instant ns (UTC) is in the session. */
bool mk_session_holds(const struct mk_session *s, int64_t ns);
/* mk_session_missing returns how many bars of interval_ns (> 0) the session would have had strictly
 * between two that begin at from_ns and until_ns (> from_ns, both UTC). */
int64_t mk_session_missing(const struct mk_session *s, int64_t from_ns, int64_t until_ns,
                           int64_t interval_ns);
/* mk_session_expects tells whether a bar of interval_ns that begins at ns is one the session would
 * have: it holds ns, or, for bars of whole days, it is open on one of them. */
bool mk_session_expects(const struct mk_session *s, int64_t ns, int64_t interval_ns);
/* mk_session_begins tells whether a bar of interval_ns may begin at ns: on the grid of a window,
 * or, for bars of whole days, at midnight here or in UTC. */
bool mk_session_begins(const struct mk_session *s, int64_t ns, int64_t interval_ns);
/* What a calendar says of a day. */
enum mk_day { MK_DAY_OPEN, MK_DAY_EARLY, MK_DAY_CLOSED, MK_DAY_UNKNOWN };
/* mk_day_words are their names in reports. */
extern const char *const mk_day_words[4];
/* mk_session_day tells what the calendar says of a local day (days since 1970-01-01). */
enum mk_day mk_session_day(const struct mk_session *s, int32_t day);
/* mk_session_knows tells whether closed days are known at the instant ns. */
bool mk_session_knows(const struct mk_session *s, int64_t ns);
/* mk_session_known writes the first and last day that are known, as "1990-01-01 to 2027-12-31". */
void mk_session_known(const struct mk_session *s, char out[32]);
#endif
