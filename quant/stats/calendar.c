#include "quant/stats/calendar.h"

/* floor_div divides toward minus infinity (d > 0). */
static int64_t floor_div(int64_t n, int64_t d) {
    return n >= 0 ? n / d : -((-(n + 1)) / d) - 1;
}

int32_t qs_day_opened(int64_t time_ns) {
    return (int32_t)floor_div(time_ns, QS_DAY_NS);
}
int32_t qs_day_closed(int64_t time_ns) {
    return (int32_t)floor_div(time_ns - 1, QS_DAY_NS);
}

struct qs_date qs_date_of(int32_t day) {
    /* years that begin on 1 March put the leap day last; 719468 days from then to 1970 */
    int64_t z = (int64_t)day + 719468, era = floor_div(z, 146097), in_era = z - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100), m = (5 * in_year + 2) / 153;
    struct qs_date d = { .day = (int32_t)(in_year - (153 * m + 2) / 5 + 1),
                         .month = (int32_t)(m < 10 ? m + 3 : m - 9) };
    d.year = (int32_t)(era * 400 + year + (d.month <= 2));
    return d;
}

int32_t qs_day_of(int32_t year, int32_t month, int32_t day) {
    int64_t y = (int64_t)year - (month <= 2), era = floor_div(y, 400), in_era = y - era * 400;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return (int32_t)(era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468);
}

int32_t qs_weekday(int32_t day) {
    int64_t w = ((int64_t)day + 3) % 7; /* day 0 was a Thursday */
    return (int32_t)(w < 0 ? w + 7 : w);
}
