/* zone.h - local time of a place: to show instants, and for sessions.
 *
 * For     sessions (session.h), and whatever people read: tables on the terminal, pages, dumps.
 *         Everything is kept and reckoned in UTC; files of results stay in UTC.
 * Rules   Zones: UTC and places without daylight saving, or by the rules of the US (since 1987) and
 *         of Europe (since 1996); or a distance from UTC such as +08:00.
 * Thread  pure.
 * Memory  the struct. */
#ifndef ACTORS_MARKET_ZONE_H
#define ACTORS_MARKET_ZONE_H
#include <stdbool.h>
#include <stdint.h>

/* Daylight saving. */
enum mk_dst { MK_DST_NONE, MK_DST_US, MK_DST_EU };

enum { MK_ZONE_TEXT = 32 /* room for a name, and for an instant as text */ };

/* A zone; all zero but for the name is UTC. */
struct mk_zone {
    char name[MK_ZONE_TEXT]; /* "Asia/Shanghai", "+08:00", "UTC" */
    int64_t offset_ns;       /* local time less UTC without daylight saving, -14 h..14 h */
    enum mk_dst dst;         /* which daylight saving */
};

/* mk_zone_named makes the zone called name: of the tz database, or "+08:00". False when it is not
 * known. */
bool mk_zone_named(const char *name, struct mk_zone *out);
/* mk_zone_like makes the zone of that distance and daylight saving, by the name of its main place
 * where it has one. */
void mk_zone_like(int64_t offset_ns, enum mk_dst dst, struct mk_zone *out);
/* mk_zone_shift returns local time less UTC at the instant ns (UTC). */
int64_t mk_zone_shift(int64_t offset_ns, enum mk_dst dst, int64_t ns);
/* mk_zone_local returns the local time at the instant ns as if it were UTC. */
int64_t mk_zone_local(const struct mk_zone *z, int64_t ns);
/* mk_zone_instant returns the instant (UTC) of a local time: mk_zone_local turned round; of an hour
 * that the clocks leave out the one after it. */
int64_t mk_zone_instant(const struct mk_zone *z, int64_t local_ns);
/* mk_zone_text writes the instant ns as "2024-01-31 12:00:00" in local time; returns out. */
const char *mk_zone_text(const struct mk_zone *z, int64_t ns, char out[MK_ZONE_TEXT]);
#endif
