/* calendar.h - days, months and years of UTC, as numbers.
 *
 * For     tables by month and year, daily closes. A day is numbered from 1970-01-01 (0). The day
 *         that an instant closes is the one it ends or lies in: midnight itself closes the day
 *         before it, because a bar that ends at midnight belongs to the day it was traded on.
 * Thread  pure functions.
 * Source  Gregorian calendar carried backwards; Fliegel and Van Flandern, CACM 11 (1968), in the
 *         form of days since a 1st of March. */
#ifndef QUANT_STATS_CALENDAR_H
#define QUANT_STATS_CALENDAR_H
#include <stdint.h>

/* Nanoseconds in a day. */
#define QS_DAY_NS INT64_C(86400000000000)

/* A date. */
struct qs_date {
    int32_t year;  /* such as 2024 */
    int32_t month; /* 1..12 */
    int32_t day;   /* 1..31 */
};

/* qs_day_closed returns the day that time_ns closes: midnight closes the day before. */
int32_t qs_day_closed(int64_t time_ns);
/* qs_day_opened returns the day that begins at or before time_ns: midnight opens its own. */
int32_t qs_day_opened(int64_t time_ns);
/* qs_date_of returns the date of a day. */
struct qs_date qs_date_of(int32_t day);
/* qs_day_of returns the day of a date. */
int32_t qs_day_of(int32_t year, int32_t month, int32_t day);
/* qs_weekday returns the day of the week, 0 = Monday .. 6 = Sunday. */
int32_t qs_weekday(int32_t day);
#endif
