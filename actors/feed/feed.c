#include "actors/feed/feed.h"
#include "actors/market/bars.h"
#include "actors/market/made.h"
#include "actors/market/market.h"
#include "actors/market/session.h"
#include "runtime/base/config.h"
#include "schemas/messages.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    FEED_BARS_MAX = 4096,   /* most declared bars of a feed */
    FEED_TRADES_MAX = 4096, /* most instruments whose trades are passed on */
    NO_SERIES = UINT16_MAX, /* of bars from frames */
};

#define DAY_NS  86400000000000LL
#define WEEK_NS (7 * DAY_NS)

/* What is saved of a bar that is made of the one before, besides what is saved of every bar: key is
 * FEED_MORE, and FEED_FIGURES x its place, and one of these. */
enum figure { F_FIRST, F_SECOND, F_LEFT, FEED_FIGURES = 4 };
static const uint64_t FEED_MORE = UINT64_C(1) << 32;

/* One declared bar, and what it holds so far. */
struct feed_bar {
    struct msg_bar bar; /* the partial bar; interval_ns is what is made, 0 = bricks */
    int64_t told_ns;    /* end of the last interval said; what begins before it is late */
    uint64_t late_cnt;  /* constituents left out */
    uint16_t series;    /* what it is made from */
    bool open;          /* bar holds something; its timer is armed */
    bool trades;        /* made from trades */
    bool framed;        /* the trades come as frames of the venue, no series has them */
    uint32_t idx;       /* its place in the configuration: key of its timer and rows */

    const struct mk_session *session; /* what begins outside is left out; NULL = none */
    enum mk_bars_type type;           /* how it is made */
    uint16_t flags;                   /* number of its name, as it stands in a bar's flags */
    price_t brick;                    /* size of a brick */
    price_t anchor;                   /* where bricks begin, 0 = at the first price */
    int64_t first;                    /* Heikin-Ashi: open before; bricks: lower end before */
    int64_t second;                   /* Heikin-Ashi: close before; bricks: upper; 0 = none yet */
    uint64_t left_cnt;                /* bricks that were too many */
};

/* State of a feed. */
struct feed {
    struct feed_bar *bars; /* declared bars, by series, then by place */
    uint16_t *trades;      /* series whose trades are passed on, rising */
    uint32_t bar_cnt;      /* number of bars */
    uint32_t trade_cnt;    /* number of series in trades */
};

/* average returns the sum of cnt (2 or 4) prices over cnt, rounded down. */
static price_t average(__int128 sum, int cnt) {
    return (price_t)((sum - (sum % cnt + cnt) % cnt) / cnt);
}

/* heikin_ashi turns a bar into its Heikin-Ashi. */
static void heikin_ashi(struct feed_bar *b, struct msg_bar *bar) {
    const price_t close = average((__int128)bar->open + bar->high + bar->low + bar->close, 4);
    const price_t open = b->second == 0 ? average((__int128)bar->open + bar->close, 2)
                                        : average((__int128)b->first + b->second, 2);
    bar->open = b->first = open;
    bar->close = b->second = close;
    if (open > bar->high) bar->high = open;
    if (close > bar->high) bar->high = close;
    if (open < bar->low) bar->low = open;
    if (close < bar->low) bar->low = close;
}

/* bar_say says a finished bar and empties it. */
static void bar_say(struct rt_ctx *ctx, struct feed_bar *b) {
    struct msg_bar *out = rt_say(ctx, MSG_BAR, 0, sizeof *out);
    *out = b->bar;
    if (b->type == MK_BARS_HEIKIN_ASHI) heikin_ashi(b, out);
    out->flags |= b->flags;
    b->told_ns = b->bar.open_ns + b->bar.interval_ns;
    b->open = false;
}

/* bar_begin starts the interval that holds begin_ns. */
static void bar_begin(struct rt_ctx *ctx, struct feed_bar *b, int64_t begin_ns, price_t price) {
    const int64_t interval_ns = b->bar.interval_ns;
    const int64_t offset_ns = b->session != NULL ? mk_session_offset(b->session, begin_ns) : 0;
    b->bar = (struct msg_bar){ .open_ns =
                                   mk_bars_begin_ns(begin_ns + offset_ns, interval_ns) - offset_ns,
                               .interval_ns = interval_ns,
                               .open = price,
                               .high = price,
                               .low = price,
                               .close = price,
                               .instrument = b->bar.instrument };
    b->open = true;
    rt_timer_set(ctx, b->idx, b->bar.open_ns + interval_ns);
}

/* brick_say says n bricks in direction way (1 or -1), known at end_ns. */
static void brick_say(struct rt_ctx *ctx, struct feed_bar *b, int64_t n, int64_t way,
                      int64_t end_ns) {
    if (n > FEED_BRICKS_MAX) { /* a jump: where it led counts */
        const int64_t left = n - FEED_BRICKS_MAX;
        b->left_cnt += (uint64_t)left;
        b->first += way * left * b->brick;
        b->second += way * left * b->brick;
        n = FEED_BRICKS_MAX;
    }
    for (; n > 0; n--) {
        struct msg_bar *out = rt_say(ctx, MSG_BAR, 0, sizeof *out);
        *out = b->bar;
        out->interval_ns = end_ns - out->open_ns;
        out->open = way > 0 ? b->second : b->first;
        out->close = out->open + way * b->brick;
        b->first = out->low = way > 0 ? out->open : out->close;
        b->second = out->high = way > 0 ? out->close : out->open;
        out->flags |= b->flags;
        b->bar.volume = 0;
        b->bar.count = 0;
        b->bar.open_ns = end_ns;
    }
}

/* brick_take takes a price in, with what was traded: row's price is its close. */
static void brick_take(struct rt_ctx *ctx, struct feed_bar *b, const struct msg_bar *row) {
    const int64_t end_ns = row->open_ns + row->interval_ns;
    struct msg_bar *bar = &b->bar;
    if (!b->open) {
        b->open = true;
        bar->open_ns = row->open_ns;
        if (b->second == 0) {
            const price_t whole = row->close - row->close % b->brick;
            b->second = b->anchor > 0 ? b->anchor : whole > 0 ? whole : b->brick;
            b->first = b->second;
        }
    }
    bar->volume += row->volume;
    bar->flags |= row->flags;
    bar->count = row->count > UINT32_MAX - bar->count ? UINT32_MAX : bar->count + row->count;
    if (row->close > b->second) {
        brick_say(ctx, b, (row->close - b->second) / b->brick, 1, end_ns);
    } else if (row->close < b->first) {
        brick_say(ctx, b, (b->first - row->close) / b->brick, -1, end_ns);
    }
}

/* bar_row takes one constituent in. */
static void bar_row(struct rt_ctx *ctx, struct feed_bar *b, const struct msg_bar *row) {
    if (b->session != NULL && !mk_session_holds(b->session, row->open_ns)) return;
    if (b->type == MK_BARS_RENKO) {
        brick_take(ctx, b, row);
        return;
    }
    if (row->open_ns < b->told_ns) {
        b->late_cnt++;
        return;
    }
    if (b->open && row->open_ns >= b->bar.open_ns + b->bar.interval_ns) bar_say(ctx, b);
    if (!b->open) bar_begin(ctx, b, row->open_ns, row->open);
    struct msg_bar *bar = &b->bar;
    if (row->high > bar->high) bar->high = row->high;
    if (row->low < bar->low) bar->low = row->low;
    bar->close = row->close;
    bar->volume += row->volume;
    bar->flags |= row->flags;
    bar->count = row->count > UINT32_MAX - bar->count ? UINT32_MAX : bar->count + row->count;
    if (row->open_ns + row->interval_ns >= bar->open_ns + bar->interval_ns) {
        bar_say(ctx, b);
        rt_timer_cancel(ctx, b->idx);
    }
}

/* bar_trade takes one trade in. */
static void bar_trade(struct rt_ctx *ctx, struct feed_bar *b, const struct msg_trade *row) {
    if (b->session != NULL && !mk_session_holds(b->session, row->time_ns)) return;
    if (b->type == MK_BARS_RENKO) {
        const struct msg_bar part = { .open_ns = row->time_ns,
                                      .close = row->price,
                                      .volume = (double)row->quantity / FIXED_ONE,
                                      .count = 1 };
        brick_take(ctx, b, &part);
        return;
    }
    if (row->time_ns < b->told_ns) {
        b->late_cnt++;
        return;
    }
    if (b->open && row->time_ns >= b->bar.open_ns + b->bar.interval_ns) bar_say(ctx, b);
    if (!b->open) bar_begin(ctx, b, row->time_ns, row->price);
    struct msg_bar *bar = &b->bar;
    if (row->price > bar->high) bar->high = row->price;
    if (row->price < bar->low) bar->low = row->price;
    bar->close = row->price;
    bar->volume += (double)row->quantity / FIXED_ONE;
    if (bar->count < UINT32_MAX) bar->count++;
}

/* feed_passes tells whether trades of series are passed on. */
static bool feed_passes(const struct feed *f, uint16_t series) {
    for (uint32_t i = 0; i < f->trade_cnt; i++) {
        if (f->trades[i] == series) return true;
    }
    return false;
}

/* feed_on_rows is rt_actor_kind.on_rows. */
static uint32_t feed_on_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                             const void *rows, uint32_t cnt) {
    (void)how;
    struct feed *f = state;
    uint32_t first = 0;
    while (first < f->bar_cnt && f->bars[first].series != series) first++;
    uint32_t end = first;
    while (end < f->bar_cnt && f->bars[end].series == series) end++;
    const bool pass = feed_passes(f, series), trades = pass || f->bars[first].trades;
    const uint8_t *before = ctx->out;
    for (uint32_t i = 0; i < cnt; i++) {
        const struct msg_bar *bar = (const struct msg_bar *)rows + i;
        const struct msg_trade *trade = (const struct msg_trade *)rows + i;
        if (i > 0) rt_row_now(ctx, trades ? trade->time_ns : bar->open_ns + bar->interval_ns);
        for (uint32_t k = first; k < end; k++) {
            if (trades) {
                bar_trade(ctx, &f->bars[k], trade);
            } else {
                bar_row(ctx, &f->bars[k], bar);
            }
        }
        if (pass) *(struct msg_trade *)rt_say(ctx, MSG_TRADE, 0, sizeof *trade) = *trade;
        if (!rt_quiet(ctx, before)) return i + 1;
    }
    return cnt;
}

/* feed_on_start raises the interest in what is made use of. */
static void feed_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    (void)frame;
    const struct feed *f = state;
    for (uint32_t i = 0; i < f->bar_cnt; i++) {
        if (f->bars[i].framed) continue;
        rt_interest(ctx, f->bars[i].series, RT_HEAR_ROW, true);
    }
    for (uint32_t i = 0; i < f->trade_cnt; i++) {
        rt_interest(ctx, f->trades[i], RT_HEAR_ROW, true);
    }
}

/* feed_on_trade hears a trade of a market that the venue makes. */
static void feed_on_trade(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct feed *f = state;
    const struct msg_trade *trade = msg_body(frame);
    for (uint32_t i = 0; i < f->bar_cnt; i++) {
        struct feed_bar *b = &f->bars[i];
        if (b->framed && b->bar.instrument == trade->instrument) bar_trade(ctx, b, trade);
    }
}

/* feed_on_timer says the bar whose interval has ended without its last constituent. */
static void feed_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct feed *f = state;
    const struct msg_timer *timer = msg_body(frame);
    for (uint32_t i = 0; i < f->bar_cnt; i++) {
        struct feed_bar *b = &f->bars[i];
        if (b->idx != timer->key) continue;
        if (b->open && b->bar.open_ns + b->bar.interval_ns <= ctx->now_ns) bar_say(ctx, b);
        return;
    }
}

/* type_read reads what an entry says besides instrument, from and to. */
static int type_read(struct rt_init *init, struct rt_node *item, const struct mk_instrument *in,
                     struct feed_bar *b, struct rt_error *err) {
    const char *name = NULL;
    bool hours = false;
    int type = 0;
    int rc = rt_node_choice(item, "type", false, mk_bars_types, MK_BARS_TIME, &type, err);
    if (rc == 0) rc = rt_node_text(item, "name", false, 31, NULL, &name, err);
    if (rc == 0 && rt_node_get(item, "session") != NULL) {
        struct mk_session *session = rt_init_take(init, sizeof *session);
        rc = mk_session_read(item, "session", session, &hours, err);
        b->session = session;
    }
    if (rc != 0) return rc;
    b->type = (enum mk_bars_type)type;
    if (name == NULL && (b->type != MK_BARS_TIME || hours)) {
        return rt_node_fail(item, err, "expected a name: bars of that kind are heard by it alone");
    }
    if (name != NULL) {
        const uint16_t number = mk_bars_number(init, name);
        if (number == 0) return rt_node_fail(item, err, "more than %d names", MK_BARS_NAMES_MAX);
        b->flags = (uint16_t)(number << MK_BARS_SHIFT);
    }
    if (b->type != MK_BARS_RENKO) {
        struct rt_node *more = rt_node_get(item, "brick");
        if (more == NULL) more = rt_node_get(item, "anchor");
        return more == NULL ? 0 : rt_node_fail(more, err, "belongs to type: renko alone");
    }
    struct rt_node *to = rt_node_get(item, "to");
    if (to != NULL) return rt_node_fail(to, err, "bricks have no interval");
    const price_t tick = in->tick_size;
    rc = rt_node_fixed(item, "brick", true, tick, INT64_MAX / 4, 0, &b->brick, err);
    if (rc == 0) {
        rc = rt_node_fixed(item, "anchor", false, 1, INT64_MAX / 4, 0, &b->anchor, err);
    }
    return rc;
}

/* span_read reads from and to of an entry. */
static int span_read(struct rt_node *item, struct feed_bar *b, int64_t *from_ns,
                     struct rt_error *err) {
    const char *from = NULL;
    int rc = rt_node_text(item, "from", true, 31, NULL, &from, err);
    if (rc != 0) return rc;
    b->trades = strcmp(from, "trades") == 0;
    if (!b->trades) rc = rt_node_duration(item, "from", true, 1, 4 * WEEK_NS, 0, from_ns, err);
    if (rc != 0 || b->type == MK_BARS_RENKO) return rc;
    rc = rt_node_duration(item, "to", true, 1000000, 52 * WEEK_NS, 0, &b->bar.interval_ns, err);
    if (rc != 0 || b->trades) return rc;
    if (b->bar.interval_ns % *from_ns != 0 || (b->bar.interval_ns == *from_ns && b->flags == 0)) {
        return rt_node_fail(rt_node_get(item, "to"), err, "expected a multiple of from");
    }
    return 0;
}

/* bar_read reads one entry of bars:. */
static int bar_read(struct rt_init *init, struct rt_node *item, struct feed_bar *b,
                    struct rt_error *err) {
    static const char *const known[] = { "instrument", "from",  "to",     "name", "type",
                                         "session",    "brick", "anchor", NULL };
    const struct mk_market *market = init->world;
    const char *name = NULL;
    int64_t from_ns = 0;
    if (item->kind != RT_NODE_MAP) {
        return rt_node_fail(item, err, "expected a map: instrument, from, to");
    }
    int rc = rt_node_text(item, "instrument", true, 31, NULL, &name, err);
    if (rc != 0) return rc;
    const struct mk_instrument *in = mk_instrument_find(market, name);
    if (in == NULL) return rt_node_fail(item, err, "\"%s\" is not one of instruments:", name);
    rc = type_read(init, item, in, b, err);
    if (rc == 0) rc = span_read(item, b, &from_ns, err);
    if (rc == 0) rc = rt_node_no_more(item, known, err);
    if (rc != 0) return rc;
    int series = rt_init_series(init, b->trades ? MSG_TRADE : MSG_BAR, in->id, from_ns);
    b->framed = series < 0 && b->trades && mk_made(init, in);
    if (series < 0 && !b->framed) {
        return rt_node_fail(rt_node_get(item, "from"), err, "no source has these rows of %s",
                            in->name);
    }
    b->series = b->framed ? NO_SERIES : (uint16_t)series;
    b->bar.instrument = in->id;
    b->told_ns = INT64_MIN;
    return 0;
}

/* bars_sort orders bars by series, keeping the order of the configuration: few, once. */
static void bars_sort(struct feed_bar *bars, uint32_t cnt) {
    for (uint32_t i = 1; i < cnt; i++) {
        struct feed_bar b = bars[i];
        uint32_t k = i;
        for (; k > 0 && bars[k - 1].series > b.series; k--) bars[k] = bars[k - 1];
        bars[k] = b;
    }
}

/* feed_init is rt_actor_kind.init. */
static int feed_init(struct rt_init *init, void *state, struct rt_error *err) {
    struct feed *f = state;
    struct rt_node *bars = NULL, *trades = NULL;
    int rc = rt_node_list(init->config, "bars", false, &bars, err);
    if (rc == 0) rc = rt_node_list(init->config, "trades", false, &trades, err);
    if (rc != 0) return rc;
    uint32_t bar_cnt = bars == NULL ? 0 : bars->child_cnt;
    uint32_t trade_cnt = trades == NULL ? 0 : trades->child_cnt;
    if (bar_cnt > FEED_BARS_MAX) {
        return rt_node_fail(bars, err, "more than %d bars", FEED_BARS_MAX);
    }
    if (trade_cnt > FEED_TRADES_MAX) {
        return rt_node_fail(trades, err, "more than %d instruments", FEED_TRADES_MAX);
    }
    f->bars = rt_init_take(init, (bar_cnt + 1) * sizeof *f->bars);
    f->trades = rt_init_take(init, (trade_cnt + 1) * sizeof *f->trades);
    for (struct rt_node *n = bar_cnt == 0 ? NULL : bars->child; n != NULL; n = n->next) {
        struct feed_bar *b = &f->bars[f->bar_cnt];
        rc = bar_read(init, n, b, err);
        if (rc != 0) return rc;
        b->idx = f->bar_cnt++;
        for (uint32_t i = 0; i + 1 < f->bar_cnt; i++) {
            const struct feed_bar *o = &f->bars[i];
            if (o->bar.instrument == b->bar.instrument && o->flags == b->flags &&
                (b->flags != 0 || o->bar.interval_ns == b->bar.interval_ns)) {
                return rt_node_fail(n, err, "the same bar twice");
            }
        }
    }
    bars_sort(f->bars, f->bar_cnt);
    for (struct rt_node *n = trade_cnt == 0 ? NULL : trades->child; n != NULL; n = n->next) {
        const struct mk_instrument *in =
            n->kind == RT_NODE_SCALAR ? mk_instrument_find(init->world, n->text) : NULL;
        if (in == NULL) return rt_node_fail(n, err, "expected one of instruments:");
        int series = rt_init_series(init, MSG_TRADE, in->id, 0);
        if (series < 0) return rt_node_fail(n, err, "no source has trades of %s", in->name);
        if (feed_passes(f, (uint16_t)series)) return rt_node_fail(n, err, "%s twice", in->name);
        f->trades[f->trade_cnt++] = (uint16_t)series;
    }
    return 0;
}

/* feed_save is rt_actor_kind.save: for each bar its partial (when it holds something), and two
 * figures; keys are places in the configuration. */
static void feed_save(const void *state, struct rt_row_sink *sink) {
    const struct feed *f = state;
    for (uint32_t idx = 0; idx < f->bar_cnt; idx++) {
        const struct feed_bar *b = f->bars;
        while (b->idx != idx) b++;
        struct msg_counter_row told = { .value = b->told_ns, .id = 2ULL * idx };
        struct msg_counter_row late = { .value = (int64_t)b->late_cnt, .id = 2ULL * idx + 1 };
        if (b->open) sink->put(sink, MSG_BAR, idx, &b->bar, sizeof b->bar);
        sink->put(sink, MSG_COUNTER_ROW, told.id, &told, sizeof told);
        sink->put(sink, MSG_COUNTER_ROW, late.id, &late, sizeof late);
        if (b->type == MK_BARS_TIME) continue;
        const int64_t figures[] = { b->first, b->second, (int64_t)b->left_cnt };
        for (uint64_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
            struct msg_counter_row row = { .value = figures[i],
                                           .id = FEED_MORE + FEED_FIGURES * idx + i };
            sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
        }
    }
}

/* feed_load is rt_actor_kind.load. */
static int feed_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                     struct rt_error *err) {
    struct feed *f = state;
    const bool bar = kind == MSG_BAR && bytes == sizeof(struct msg_bar);
    const bool counter = kind == MSG_COUNTER_ROW && bytes == sizeof(struct msg_counter_row);
    const bool more = counter && key >= FEED_MORE;
    const uint64_t idx = bar ? key : more ? (key - FEED_MORE) / FEED_FIGURES : key / 2;
    if ((!bar && !counter) || idx >= f->bar_cnt) {
        return rt_error_set(err, -EINVAL, "feed: row of kind %u, key %" PRIu64 " makes no sense",
                            kind, key);
    }
    struct feed_bar *b = f->bars;
    while (b->idx != idx) b++;
    if (bar) {
        struct msg_bar partial;
        memcpy(&partial, row, sizeof partial);
        if (partial.interval_ns != b->bar.interval_ns || partial.instrument != b->bar.instrument) {
            return rt_error_set(err, -EINVAL, "feed: bar %" PRIu64 " is of another declaration",
                                key);
        }
        b->bar = partial;
        b->open = true;
        return 0;
    }
    struct msg_counter_row c;
    memcpy(&c, row, sizeof c);
    if (more) {
        switch (key % FEED_FIGURES) {
        case F_FIRST: b->first = c.value; break;
        case F_SECOND: b->second = c.value; break;
        default: b->left_cnt = (uint64_t)c.value;
        }
    } else if (key % 2 == 0) {
        b->told_ns = c.value;
    } else {
        b->late_cnt = (uint64_t)c.value;
    }
    return 0;
}

/* Keys of a feed. */
static const struct rt_option feed_options[] = {
    { "bars", "node",
      "[{instrument, from: INTERVAL | trades, to: INTERVAL, name, type: time | heikin_ashi | "
      "renko, "
      "brick, anchor, session}]",
      "[]", "bars to make: to is a multiple of from" },
    { "trades", "node", "[INSTRUMENT]", "[]", "whose trades are passed on" },
    { 0 },
};

/* Kinds a feed says. */
static const uint16_t feed_says[] = { MSG_BAR, MSG_TRADE, 0 };

const struct rt_actor_kind feed_kind = {
    .name = "feed",
    .help =
        "makes bars (of the clock, Heikin-Ashi, Renko) out of bars and trades; passes trades on",
    .options = feed_options,
    .says = feed_says,
    .timer_class = RT_CLASS_TIMER,
    .state_bytes = sizeof(struct feed),
    .init = feed_init,
    .on = { [MSG_START] = feed_on_start, [MSG_TRADE] = feed_on_trade, [MSG_TIMER] = feed_on_timer },
    .on_rows = feed_on_rows,
    .save = feed_save,
    .load = feed_load,
};
