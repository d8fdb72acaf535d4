#include "actors/venue/average.h"
#include "actors/market/filters.h"

enum { STRETCHES = 12 };                               /* in a minute */
static const int64_t STRETCH_NS = INT64_C(5000000000); /* length of one */
static const __int128 SUM_MAX = (__int128)1 << 125;    /* beyond it nothing more is added */
static const double VOLUME_MAX = 9e10;                 /* of a bar that counts */

struct venue_average *venue_average_new(struct rt_init *init, const struct mk_instrument *in) {
    const struct mk_filters *f = in->filters;
    if (f == NULL || (f->percent_minutes == 0 && f->notional_minutes == 0)) return NULL;
    uint32_t minutes = f->percent_minutes;
    if (f->notional_minutes > minutes) minutes = f->notional_minutes;
    struct venue_average *a = rt_init_take(init, sizeof *a);
    a->max = minutes * STRETCHES;
    a->at = rt_init_take(init, a->max * sizeof *a->at);
    return a;
}

void venue_average_trade(struct venue_average *a, int64_t ns, price_t price, qty_t quantity) {
    const int64_t n = ns / STRETCH_NS;
    struct venue_stretch *s = &a->at[n % a->max];
    const __int128 worth = (__int128)price * quantity;
    if (s->n != n) *s = (struct venue_stretch){ .n = n };
    if (worth > SUM_MAX - s->worth) return;
    s->worth += worth;
    s->volume += quantity;
}

void venue_average_bar(struct venue_average *a, const struct msg_bar *bar) {
    if (!(bar->volume > 0 && bar->volume < VOLUME_MAX)) return;
    const price_t price = (price_t)(((__int128)bar->high + bar->low + bar->close) / 3);
    venue_average_trade(a, bar->open_ns + bar->interval_ns, price,
                        (qty_t)(bar->volume * FIXED_ONE + 0.5));
}

/* average_to returns the average of the minutes whose last stretch is last. */
static price_t average_to(const struct venue_average *a, int64_t last, uint32_t minutes) {
    const int64_t first = last - (int64_t)minutes * STRETCHES;
    __int128 worth = 0, volume = 0;
    for (uint32_t i = 0; i < a->max; i++) {
        const struct venue_stretch *s = &a->at[i];
        if (s->n <= first || s->n > last || s->worth > SUM_MAX - worth) continue;
        worth += s->worth;
        volume += s->volume;
    }
    return volume > 0 ? (price_t)(worth / volume) : 0;
}

price_t venue_average_price(const struct venue_average *a, int64_t now_ns, uint32_t minutes) {
    return average_to(a, now_ns / STRETCH_NS, minutes);
}

price_t venue_average_newest(const struct venue_average *a, uint32_t minutes) {
    int64_t last = 0;
    for (uint32_t i = 0; i < a->max; i++) last = a->at[i].n > last ? a->at[i].n : last;
    return average_to(a, last, minutes);
}

void venue_average_save(const struct venue_average *a, uint16_t id, struct rt_row_sink *sink) {
    for (uint32_t i = 0; i < a->max; i++) {
        const struct venue_stretch *s = &a->at[i];
        const int64_t figures[VENUE_AVERAGE_FIGURES] = { s->n, (int64_t)(s->worth >> 64),
                                                         (int64_t)(uint64_t)s->worth,
                                                         (int64_t)(s->volume >> 64),
                                                         (int64_t)(uint64_t)s->volume };
        const uint64_t base =
            VENUE_COUNTER_AVERAGE + ((uint64_t)id << 16 | i) * VENUE_AVERAGE_FIGURES;
        for (uint64_t k = 0; s->volume > 0 && k < VENUE_AVERAGE_FIGURES; k++) {
            const struct msg_counter_row row = { .value = figures[k], .id = base + k };
            sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
        }
    }
}

/* half puts value into the upper or lower 64 bits of sum. */
static void half(__int128 *sum, bool upper, int64_t value) {
    *sum += (__int128)((unsigned __int128)(uint64_t)value << (upper ? 64 : 0));
}

bool venue_average_load(struct venue_average *a, uint64_t at, int64_t value) {
    if (at / VENUE_AVERAGE_FIGURES >= a->max) return false;
    struct venue_stretch *s = &a->at[at / VENUE_AVERAGE_FIGURES];
    const uint64_t figure = at % VENUE_AVERAGE_FIGURES;
    if (figure == 0) {
        s->n = value;
    } else {
        half(figure < 3 ? &s->worth : &s->volume, figure % 2 == 1, value);
    }
    return true;
}
