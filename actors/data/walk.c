#include "actors/data/walk.h"
#include "runtime/base/hash.h"
#include <assert.h>
#include <errno.h>
#include <immintrin.h>
#include <string.h>

enum {
    FACTORS = 8,       /* of the volatility */
    SCALE_LAST = 21,   /* widest scale of the fields: 2^21 minutes, four years */
    JUMP_ODDS = 13,    /* of 65536: a row that jumps */
    COMMON_STREAM = 0, /* stream of the common factor */
};

/* What a number is drawn for. */
enum draw { DRAW_STEP = 1, DRAW_RANGE, DRAW_VOLUME, DRAW_GAP, DRAW_FACTOR = 32, DRAW_FIELD = 64 };

static const double minute_ns = 60e9;     /* one minute */
static const double day_ns = 86400e9;     /* one day */
static const double year_ns = 31557600e9; /* 365.25 days */

/* root is the square root, in one instruction of every build. */
static inline double root(double x) {
    return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
}

/* whole is x rounded down. */
static inline double whole(double x) {
    return _mm_cvtsd_f64(_mm_floor_sd(_mm_setzero_pd(), _mm_set_sd(x)));
}

/* mix stirs a word (the finaliser of splitmix64). */
static inline uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* draw_base is what all draws of a stream for one purpose share. */
static inline uint64_t draw_base(uint64_t seed, uint64_t stream, uint64_t what) {
    return mix(mix(seed + 0x9e3779b97f4a7c15ULL) ^ mix(stream + what * 0xd1342543de82ef95ULL));
}

/* draw returns 64 random bits of number idx. */
static inline uint64_t draw(uint64_t base, uint64_t idx) {
    return mix(base + (idx + 1) * 0x9e3779b97f4a7c15ULL);
}

/* unit turns 16 of the bits into [0, 1). */
static inline double unit(uint64_t bits, int shift) {
    return (double)(bits >> shift & 0xffff) * (1.0 / 65536);
}

/* normal makes a number of mean 0 and variance 1 of 64 bits: the sum of four uniform ones. */
static inline double normal(uint64_t bits) {
    uint64_t sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    return ((double)sum - 131070.0) * (1.0 / 37837.2); /* 65536 * sqrt(4 / 12) */
}

/* walk_exp is e to the x, |x| < 40, by ten squarings: no library's last bits in it. */
static double walk_exp(double x) {
    double t = x * (1.0 / 1024), e = 1 + t * (1 + t * 0.5 * (1 + t * (1.0 / 3)));
    for (int i = 0; i < 10; i++) e = e * e;
    return e;
}

/* field returns a factor's logarithm at_ns after the start, for a volatility of 1 a year. */
static double field(uint64_t seed, uint64_t stream, uint32_t scale_first, double at_ns) {
    double sum = 0;
    for (uint32_t k = scale_first; k <= SCALE_LAST; k++) {
        double scale_ns = minute_ns * (double)(1ULL << k);
        double place = at_ns / scale_ns, cell = whole(place), rest = place - cell;
        uint64_t base = draw_base(seed, stream, DRAW_FIELD + k), idx = (uint64_t)(int64_t)cell;
        double from = normal(draw(base, idx)), to = normal(draw(base, idx + 1));
        sum += root(scale_ns / year_ns * 0.25) * (from + (to - from) * rest);
    }
    return sum;
}

/* field_price returns the price at_ns after the start, in whole units. */
static double field_price(const struct data_walk *w, double at_ns, double *log_price) {
    const struct data_walk_options *o = &w->options;
    double own = field(o->seed, o->stream, w->scale_first, at_ns) - w->field_own0;
    double all = field(o->seed, COMMON_STREAM, w->scale_first, at_ns) - w->field_common0;
    double log = o->volatility * (w->own * own + w->common * all);
    *log_price = log < -6 ? -6 : log > 6 ? 6 : log; /* 400 times up or down is as far as it goes */
    return (double)o->price / FIXED_ONE * walk_exp(*log_price);
}

/* The volatility of a factor, kept for the 16 minutes that it holds. */
struct clusters {
    uint64_t base;    /* of the draws */
    int64_t until_ns; /* when it changes next */
    double variance;  /* product of the factors */
};

/* clusters_at returns the variance at time ns. */
static inline double clusters_at(struct clusters *c, int64_t ns) {
    const int64_t first_ns = 16 * 60000000000LL;
    if (ns < c->until_ns) return c->variance;
    int64_t cell = ns / first_ns;
    c->until_ns = (cell + 1) * first_ns;
    c->variance = 1;
    for (uint64_t k = 0; k < FACTORS; k++, cell /= 4) {
        c->variance *= draw(c->base + k * 0x2545f4914f6cdd1dULL, (uint64_t)cell) >> 63 ? 1.4 : 0.6;
    }
    return c->variance;
}

/* day_shape returns the activity at time ns, mean 1 over the day. */
static inline double day_shape(int64_t ns) {
    double x = (double)(ns % 86400000000000LL) * (2.0 / 86400e9) - 1;
    return 0.55 + 1.35 * x * x;
}

/* day_passed returns how much of the activity has passed by time ns, in days since 1970. */
static double day_passed(int64_t ns) {
    double days = (double)(ns / 86400000000000LL);
    double y = (double)(ns % 86400000000000LL) * (1.0 / 86400e9), x = 2 * y - 1;
    return days + 0.55 * y + 0.225 * (x * x * x + 1);
}

/* trades_begin_ns returns when trade number row is due, in whole ms: by halving. */
static int64_t trades_begin_ns(const struct data_walk *w, uint64_t row) {
    const int64_t start_ms = w->options.start_ns / 1000000;
    double want = day_passed(w->options.start_ns) + (double)row / w->rate;
    double days = (double)row / w->rate;
    int64_t low = start_ms + (int64_t)((days > 1 ? days - 1 : 0) * 86400e3);
    int64_t high = start_ms + (int64_t)((days + 1) * 86400e3);
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (day_passed(mid * 1000000) < want) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low * 1000000;
}

uint64_t data_walk_stream(const char *name) {
    return rt_hash64(0, name, strlen(name)) | 1; /* never the common one */
}

int data_walk_init(struct data_walk *w, const struct data_walk_options *o, struct rt_error *err) {
    *w = (struct data_walk){ .options = *o };
    w->options.version = DATA_WALK_VERSION;
    bool trades = o->interval_ns == 0;
    if (o->start_ns < 0 || o->start_ns > INT64_MAX / 2) {
        return rt_error_set(err, -EINVAL, "market: start is before 1970 or after 2116");
    }
    if (!trades && (o->interval_ns < 1000000000LL || o->interval_ns > 7 * 86400000000000LL)) {
        return rt_error_set(err, -EINVAL, "market: interval is not within 1s..7d");
    }
    if (trades && (o->day_trades < 1 || o->day_trades > 1000000000)) {
        return rt_error_set(err, -EINVAL, "market: trades a day are not within 1..1e9");
    }
    if (o->tick_size < 1 || o->lot_size < 1 || o->day_quantity < 1) {
        return rt_error_set(err, -EINVAL, "market: tick, lot and volume must be above zero");
    }
    if (o->price / 10 < o->tick_size || o->price > 10000000LL * FIXED_ONE) {
        return rt_error_set(err, -EINVAL, "market: price is not within 10 ticks..1e7");
    }
    if (!(o->volatility >= 0.01 && o->volatility <= 5)) {
        return rt_error_set(err, -EINVAL, "market: volatility is not within 0.01..5");
    }
    if (!(o->correlation >= 0 && o->correlation <= 1)) {
        return rt_error_set(err, -EINVAL, "market: correlation is not within 0..1");
    }
    w->rate = (double)o->day_trades;
    double row_ns = trades ? day_ns / w->rate : (double)o->interval_ns;
    w->row_sigma = o->volatility * root(row_ns / year_ns);
    w->per_tick = (double)FIXED_ONE / (double)o->tick_size;
    w->own = root(1 - o->correlation);
    w->common = root(o->correlation);
    while (w->scale_first < SCALE_LAST &&
           minute_ns * (double)(1ULL << w->scale_first) < row_ns * DATA_WALK_ROWS) {
        w->scale_first++;
    }
    w->field_own0 = field(o->seed, o->stream, w->scale_first, 0);
    w->field_common0 = field(o->seed, COMMON_STREAM, w->scale_first, 0);
    return 0;
}

/* The increments of a block. */
struct steps {
    double log[DATA_WALK_ROWS];   /* change of the price's logarithm in each row */
    double share[DATA_WALK_ROWS]; /* its variance, 1 = a mean row */
    double first, last;           /* price before the first row and after the last */
};

/* steps_make draws the increments of a block whose rows begin at begin_ns (one more entry tells the
 * end); length tells how long each is, 1 = a mean row. */
static void steps_make(const struct data_walk *w, uint64_t block, const int64_t *begin_ns,
                       const double *length, struct steps *s) {
    const struct data_walk_options *o = &w->options;
    const uint64_t row = block * DATA_WALK_ROWS;
    const uint64_t own_base = draw_base(o->seed, o->stream, DRAW_STEP);
    const uint64_t all_base = draw_base(o->seed, COMMON_STREAM, DRAW_STEP);
    struct clusters own = { .base = draw_base(o->seed, o->stream, DRAW_FACTOR) };
    struct clusters all = { .base = draw_base(o->seed, COMMON_STREAM, DRAW_FACTOR) };
    const double own2 = w->own * w->own, all2 = w->common * w->common;
    double sum = 0, variance = 0;
    for (uint32_t i = 0; i < DATA_WALK_ROWS; i++) {
        double shape = day_shape(begin_ns[i]) * length[i];
        double own_var = shape * own2 * clusters_at(&own, begin_ns[i]);
        double all_var = shape * all2 * clusters_at(&all, begin_ns[i]);
        uint64_t own_bits = draw(own_base, row + i), all_bits = draw(all_base, row + i);
        double own_step = normal(own_bits), all_step = normal(all_bits);
        own_bits *= 0x9e3779b97f4a7c15ULL; /* other bits of the same draw: who jumps, how far */
        all_bits *= 0x9e3779b97f4a7c15ULL;
        if (own_bits >> 48 < JUMP_ODDS) own_step *= 3 + 6 * unit(own_bits, 16);
        if (all_bits >> 48 < JUMP_ODDS) all_step *= 3 + 6 * unit(all_bits, 16);
        s->log[i] = w->row_sigma * (root(own_var) * own_step + root(all_var) * all_step);
        s->share[i] = own_var + all_var;
        sum += s->log[i];
        variance += s->share[i];
    }
    double from, to;
    s->first = field_price(w, (double)(begin_ns[0] - begin_ns[DATA_WALK_ROWS + 1]), &from);
    s->last =
        field_price(w, (double)(begin_ns[DATA_WALK_ROWS] - begin_ns[DATA_WALK_ROWS + 1]), &to);
    double missing = (to - from - sum) / variance;
    for (uint32_t i = 0; i < DATA_WALK_ROWS; i++) s->log[i] += missing * s->share[i];
}

/* ticks_of turns a price into whole ticks, at least 3. */
static inline int64_t ticks_of(const struct data_walk *w, double price) {
    if (!(price < 1e10)) price = 1e10; /* fits with room for a spread and a range */
    double ticks = whole(price * w->per_tick + 0.5);
    return ticks < 3 ? 3 : (int64_t)ticks;
}

/* step_price moves a price by a small change of its logarithm. */
static inline double step_price(double price, double log) {
    return price * (1 + log * (1 + log * 0.5 * (1 + log * (1.0 / 3))));
}

/* lots_of rounds a quantity (1e-8) down to lots, at least one. */
static inline qty_t lots_of(const struct data_walk *w, double quantity) {
    const int64_t lot = w->options.lot_size;
    if (quantity > 4e15) quantity = 4e15; /* exact as a double, and so as text */
    int64_t q = (int64_t)quantity / lot * lot;
    return q < lot ? lot : q;
}

void data_walk_bars(const struct data_walk *w, uint64_t block, struct msg_bar *rows) {
    const struct data_walk_options *o = &w->options;
    assert(o->interval_ns > 0);
    int64_t begin_ns[DATA_WALK_ROWS + 2]; /* the rows, the end, the start of all */
    double length[DATA_WALK_ROWS] = { 0 };
    struct steps s;
    const uint64_t row = block * DATA_WALK_ROWS;
    for (uint32_t i = 0; i <= DATA_WALK_ROWS; i++) {
        begin_ns[i] = o->start_ns + (int64_t)(row + i) * o->interval_ns;
        if (i < DATA_WALK_ROWS) length[i] = 1;
    }
    begin_ns[DATA_WALK_ROWS + 1] = o->start_ns;
    steps_make(w, block, begin_ns, length, &s);
    const uint64_t range_base = draw_base(o->seed, o->stream, DRAW_RANGE);
    const uint64_t volume_base = draw_base(o->seed, o->stream, DRAW_VOLUME);
    const double row_quantity = (double)o->day_quantity * ((double)o->interval_ns / day_ns);
    const double row_trades = 1 + (double)o->interval_ns / minute_ns * 600;
    double price = s.first;
    int64_t open = ticks_of(w, price);
    for (uint32_t i = 0; i < DATA_WALK_ROWS; i++) {
        uint64_t range = draw(range_base, row + i), volume = draw(volume_base, row + i);
        double sigma = w->row_sigma * root(s.share[i]),
               moved = (s.log[i] < 0 ? -s.log[i] : s.log[i]) / sigma;
        price = i + 1 < DATA_WALK_ROWS ? step_price(price, s.log[i]) : s.last;
        int64_t close = ticks_of(w, price);
        double far = sigma * 1.6 < 1 ? sigma * 1.6 : 1, a = unit(range, 0), b = unit(range, 16);
        double reach = (double)(open > close ? open : close) * far;
        int64_t high = (open > close ? open : close) + (int64_t)(reach * a * a);
        int64_t low = (open < close ? open : close) - (int64_t)(reach * b * b);
        double u = unit(volume, 0), busy = s.share[i] < 9 ? s.share[i] : 9;
        double much = (0.25 + 3 * u * u * u) * (0.6 + 0.5 * (moved < 4 ? moved : 4)) * busy;
        qty_t quantity = lots_of(w, row_quantity * much);
        rows[i] = (struct msg_bar){
            .open_ns = begin_ns[i],
            .interval_ns = o->interval_ns,
            .open = open * o->tick_size,
            .high = high * o->tick_size,
            .low = (low < 1 ? 1 : low) * o->tick_size,
            .close = close * o->tick_size,
            .volume = (double)quantity / FIXED_ONE,
            .instrument = (uint16_t)o->instrument,
            .count = (uint32_t)(1 + row_trades * much * (0.5 + unit(volume, 16))),
        };
        open = close;
    }
}

void data_walk_trades(const struct data_walk *w, uint64_t block, struct msg_trade *rows) {
    const struct data_walk_options *o = &w->options;
    assert(o->interval_ns == 0);
    int64_t begin_ns[DATA_WALK_ROWS + 2];
    double length[DATA_WALK_ROWS], gaps = 0;
    struct steps s;
    const uint64_t row = block * DATA_WALK_ROWS;
    const uint64_t gap_base = draw_base(o->seed, o->stream, DRAW_GAP);
    const int64_t from_ns = trades_begin_ns(w, row);
    const int64_t to_ns = trades_begin_ns(w, row + DATA_WALK_ROWS);
    for (uint32_t i = 0; i < DATA_WALK_ROWS; i++) {
        double u = unit(draw(gap_base, row + i), 0);
        length[i] = u < 0.2 ? 0 : (u - 0.2) * (u - 0.2) * 5.8594; /* mean 1; one in five at once */
        gaps += length[i];
    }
    double passed = 0, span_ms = (double)((to_ns - from_ns) / 1000000) / gaps;
    for (uint32_t i = 0; i < DATA_WALK_ROWS; i++) {
        begin_ns[i] = from_ns + (int64_t)(passed * span_ms) * 1000000;
        passed += length[i];
        length[i] += 0.01; /* prints of one instant move the price a little, too */
    }
    begin_ns[DATA_WALK_ROWS] = to_ns;
    begin_ns[DATA_WALK_ROWS + 1] = trades_begin_ns(w, 0);
    steps_make(w, block, begin_ns, length, &s);
    const uint64_t volume_base = draw_base(o->seed, o->stream, DRAW_VOLUME);
    const double row_quantity = (double)o->day_quantity / w->rate;
    double price = s.first;
    for (uint32_t i = 0; i < DATA_WALK_ROWS; i++) {
        uint64_t bits = draw(volume_base, row + i);
        double u = unit(bits, 0), u3 = u * u * u;
        bool buy = unit(bits, 16) < 0.5 + (s.log[i] > 0 ? 0.2 : -0.2);
        price = step_price(price, s.log[i]);
        rows[i] = (struct msg_trade){
            .time_ns = begin_ns[i],
            .trade_id = (int64_t)(row + i + 1),
            .price = (ticks_of(w, price) + buy) * o->tick_size, /* a spread of one tick */
            .quantity = lots_of(w, row_quantity * (0.05 + 6.65 * u3 * u3)),
            .instrument = (uint16_t)o->instrument,
            .aggressor = buy ? SIDE_BUY : SIDE_SELL,
        };
    }
}

uint64_t data_walk_rows_before(const struct data_walk *w, int64_t end_ns) {
    const struct data_walk_options *o = &w->options;
    if (end_ns <= o->start_ns) return 0;
    if (o->interval_ns > 0) return (uint64_t)((end_ns - o->start_ns) / o->interval_ns);
    uint64_t low = 0, high = (uint64_t)((day_passed(end_ns) - day_passed(o->start_ns)) * w->rate /
                                        DATA_WALK_ROWS) +
                             2;
    while (low < high) { /* the first block that begins at or after the end */
        uint64_t mid = low + (high - low) / 2;
        if (trades_begin_ns(w, mid * DATA_WALK_ROWS) < end_ns) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == 0) return 0;
    struct msg_trade rows[DATA_WALK_ROWS];
    data_walk_trades(w, low - 1, rows);
    uint32_t cnt = 0;
    while (cnt < DATA_WALK_ROWS && rows[cnt].time_ns < end_ns) cnt++;
    return (low - 1) * DATA_WALK_ROWS + cnt;
}
