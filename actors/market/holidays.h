/* holidays.h - the days on which stock exchanges are shut, or shut early.
 *
 * For     session.h, which names them. Data, known as far as it goes; nobody guesses later years.
 * Thread  constant.
 * Memory  none.
 * Source  New York: NYSE rules and the holiday releases to 2027 (with the closings of 2001-09,
 *         2004-06-11, 2007-01-02, 2012-10-29, 2018-12-05, 2025-01-09); Shanghai, Shenzhen: yearly
 *         announcements to 2026; London: bank holidays to 2027. Held day by day against
 *         exchange_calendars 4.13 (XNYS, XSHG, XLON), whose own sources are the exchanges. */
#ifndef ACTORS_MARKET_HOLIDAYS_H
#define ACTORS_MARKET_HOLIDAYS_H
#include <stdint.h>

/* A year of an exchange, weekends apart. */
struct mk_holidays {
    uint16_t year;      /* 0 = the end of the table */
    const char *closed; /* shut: "MMDD MMDD ..." */
    const char *early;  /* shut early: "MMDD ...", "MMDD@HHMM" where it was not at the usual time */
};

extern const struct mk_holidays *const mk_holidays_us; /* 1990-2027 */
extern const struct mk_holidays *const mk_holidays_cn; /* 1991-2026 */
extern const struct mk_holidays *const mk_holidays_uk; /* 1990-2027 */
#endif
