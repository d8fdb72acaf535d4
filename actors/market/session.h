/* session.h - hours of the week in which a market is looked at.
 *
 * For     bars of a session (feed). Windows of the day on some weekdays, in a time zone of a fixed
 *         distance from UTC: no daylight saving; where clocks are changed, declare two and choose.
 *         A window that ends before it begins goes on past midnight and belongs to the day on which
 *         it begins. A window holds its begin, not its end.
 * Thread  any: read-only after it is read.
 * Memory  the struct.
 * Cost    a division and up to four comparisons. */
#ifndef ACTORS_MARKET_SESSION_H
#define ACTORS_MARKET_SESSION_H
#include "runtime/base/config.h"
#include <stdbool.h>
#include <stdint.h>

enum { MK_SESSION_WINDOWS = 4 }; /* most windows of a day */

/* A session. */
struct mk_session {
    int64_t offset_ns;                    /* local time less UTC, whole minutes, -14 h..14 h */
    int64_t from_ns[MK_SESSION_WINDOWS];  /* since local midnight, 0..24 h - 1 min */
    int64_t until_ns[MK_SESSION_WINDOWS]; /* the same, up to 24 h; below from: the next day */
    uint32_t window_cnt;                  /* windows of a day, at least 1 */
    uint32_t days;                        /* bit 0 = Monday .. bit 6 = Sunday, at least one */
};

/* mk_session_read reads {days, hours, offset}: days is a list of mon..sun and spans such as
 * mon-fri, or one of them, default every day; hours a list of windows such as "09:30-16:00", or
 * one, default the whole day; offset is local time less UTC such as "-05:00", default "+00:00".
 * Returns 0, or -EINVAL with err. */
int mk_session_read(struct rt_node *map, struct mk_session *out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* mk_session_holds tells whether the instant ns (UTC) is in the session. */
bool mk_session_holds(const struct mk_session *s, int64_t ns);
#endif
