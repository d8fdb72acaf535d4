#include "actors/venue/span.h"
#include <assert.h>

struct venue_span *venue_span_new(struct rt_init *init, const struct mk_instrument *instrument) {
    static const enum venue_impact_kind kinds[] = {
        [MK_SLIPPAGE_VOLUME] = VENUE_IMPACT_VOLUME, [MK_SLIPPAGE_ROOT] = VENUE_IMPACT_ROOT
    };
    assert(instrument->slippage != MK_SLIPPAGE_BPS && instrument->slippage_bars > 0);
    struct venue_span *s = rt_init_take(init, sizeof *s);
    *s = (struct venue_span){ .impact = { .kind = kinds[instrument->slippage],
                                          .factor = instrument->slippage_factor },
                              .bar_ns = instrument->slippage_bar_ns,
                              .begin_ns = INT64_MIN,
                              .max = instrument->slippage_bars };
    s->bars = rt_init_take(init, s->max * sizeof *s->bars);
    return s;
}

/* units returns a volume of the data, an estimate, in 1e-8, to the nearest. */
static qty_t units(double volume) {
    if (!(volume > 0)) return 0;
    return volume < 9e10 ? (qty_t)(volume * FIXED_ONE + 0.5) : INT64_MAX;
}

/* square returns move squared. */
static unsigned __int128 square(int64_t move) {
    return (unsigned __int128)((__int128)move * move);
}

/* push takes a bar that came to close and volume. */
static void push(struct venue_span *s, price_t close, qty_t volume) {
    struct venue_span_bar *bar = &s->bars[++s->cnt % s->max];
    s->squares -= square(bar->move); /* of the oldest; zeros while there is none */
    s->volume -= bar->volume;
    int64_t move = 0;
    if (s->close > 0) {
        __int128 change = (__int128)(close - s->close) * FIXED_ONE / s->close;
        move = change > INT64_MAX ? INT64_MAX : (int64_t)change; /* never below -1 */
    }
    *bar = (struct venue_span_bar){ .move = move, .volume = volume };
    s->squares += square(move);
    s->volume += volume;
    s->close = close;
}

void venue_span_bar(struct venue_span *s, const struct msg_bar *bar) {
    push(s, bar->close, units(bar->volume));
}

void venue_span_clock(struct venue_span *s, int64_t now_ns) {
    if (s->begin_ns != INT64_MIN && now_ns >= s->begin_ns + s->bar_ns) {
        push(s, s->price, s->traded);
        s->begin_ns = INT64_MIN;
    }
}

void venue_span_trade(struct venue_span *s, const struct msg_trade *trade) {
    if (s->begin_ns == INT64_MIN) {
        s->begin_ns = trade->time_ns - trade->time_ns % s->bar_ns;
        s->traded = 0;
    }
    s->price = trade->price;
    if (__builtin_add_overflow(s->traded, trade->quantity, &s->traded)) s->traded = INT64_MAX;
}

bool venue_span_worse(const struct venue_span *s, price_t price, qty_t quantity, price_t *out) {
    uint64_t cnt = s->cnt < s->max ? s->cnt : s->max;
    __int128 volume = s->volume;
    int64_t sigma = 0;
    if (s->impact.kind == VENUE_IMPACT_VOLUME) {
        volume = cnt > 0 ? volume / (int64_t)cnt : 0;
    } else {
        uint64_t root = venue_isqrt(s->squares);
        root += (unsigned __int128)root * root < s->squares;
        sigma = root > INT64_MAX ? INT64_MAX : (int64_t)root;
    }
    qty_t most = volume > INT64_MAX ? INT64_MAX : (qty_t)volume;
    return venue_impact_price(&s->impact, price, quantity, most, sigma, out);
}

qty_t venue_span_share(double volume, int64_t share, qty_t lot) {
    qty_t part;
    bool fits = fixed_mul(units(volume), share, FIXED_DOWN, &part);
    assert(fits); /* a share is at most 1 */
    return fixed_floor_to(part, lot);
}

void venue_span_save(const struct venue_span *s, uint16_t id, struct rt_row_sink *sink) {
    uint64_t key = (uint64_t)id << 32;
    uint64_t first = s->cnt > s->max ? s->cnt - s->max + 1 : 1;
    struct msg_span_row head = { .begin_ns = s->begin_ns,
                                 .close = s->close,
                                 .price = s->price,
                                 .volume = s->traded,
                                 .cnt = s->cnt,
                                 .instrument = id };
    if (s->cnt > 0 || s->begin_ns != INT64_MIN) {
        sink->put(sink, MSG_SPAN_ROW, key, &head, sizeof head);
    }
    for (uint64_t n = first; n <= s->cnt; n++) {
        const struct venue_span_bar *bar = &s->bars[n % s->max];
        struct msg_span_row row = { .price = bar->move,
                                    .volume = bar->volume,
                                    .instrument = id,
                                    .slot = (uint32_t)(n % s->max) + 1 };
        sink->put(sink, MSG_SPAN_ROW, key | row.slot, &row, sizeof row);
    }
}

bool venue_span_load(struct venue_span *s, const struct msg_span_row *row) {
    if (row->slot > s->max || row->volume < 0) return false;
    if (row->slot == 0) {
        s->begin_ns = row->begin_ns;
        s->close = row->close;
        s->price = row->price;
        s->traded = row->volume;
        s->cnt = row->cnt;
        return true;
    }
    s->bars[row->slot - 1] = (struct venue_span_bar){ .move = row->price, .volume = row->volume };
    s->squares += square(row->price);
    s->volume += row->volume;
    return true;
}
