/* test_venue.h - a venue on the bench: two instruments, two accounts, bars or trades, and what it
 * said as text.
 *
 * For     the tests of actors/venue; each includes it once. Times are seconds after the start,
 *         prices and quantities plain numbers. Text of what was said: "TIME ORDER accepted",
 *         "TIME ORDER QUANTITY@PRICE taker", with "fee=" and "slip=" where there is one,
 *         "TIME ORDER expired REASON", "TIME ORDER amended LEFT@PRICE", keeps where an amend was
 *         refused, changed where the venue did so by itself; one item a line.
 * Memory  the heap, until bench_close. */
#ifndef TESTS_ACTORS_TEST_VENUE_H
#define TESTS_ACTORS_TEST_VENUE_H
#include "tests/support/check.h"

#include "actors/market/more.h"
#include "actors/venue/venue.h"
#include "tests/support/rig.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
#define START_NS  (INT64_C(1700006400) * SECOND_NS) /* a whole minute and hour */
#define BAR_NS    (60 * SECOND_NS)

/* The venue and its world. */
struct bench {
    struct rig rig;                      /* drives it */
    struct mk_market market;             /* its world */
    struct mk_instrument instruments[2]; /* 1: linear, 2: spot; without fees and slippage */
    struct mk_account accounts[2];       /* 1 and 2, with 1,000,000 each */
    char assets[3][16];                  /* BTC, USDT, EUR */
    struct msg_bar bars[2];              /* the bar in hand of each instrument */
    struct msg_trade trades[2];          /* the newest trade of each */
    uint16_t series[2];                  /* their series */
    bool loose;                          /* the test gives what nobody deposited */
    char text[16384];                    /* what was said, as text */
};

/* fx gives a plain number in units of 1e-8. */
static inline int64_t fx(double plain) {
    return (int64_t)(plain * 1e8 + (plain < 0 ? -0.5 : 0.5));
}

/* bench_world readies b with the usual world; a test may change it before bench_open. */
static inline void bench_world(struct bench *b) {
    *b = (struct bench){ 0 };
    strcpy(b->assets[0], "BTC");
    strcpy(b->assets[1], "USDT");
    strcpy(b->assets[2], "EUR");
    for (uint16_t i = 0; i < 2; i++) {
        b->instruments[i] = (struct mk_instrument){ .id = (uint16_t)(i + 1),
                                                    .kind = i == 0 ? MK_LINEAR : MK_SPOT,
                                                    .base_asset = 0,
                                                    .quote_asset = 1,
                                                    .tick_size = fx(0.5),
                                                    .lot_size = fx(0.1) };
        b->accounts[i] =
            (struct mk_account){ .id = (uint8_t)(i + 1), .quote = 1, .cash = fx(1000000) };
    }
    b->market = (struct mk_market){ .instruments = b->instruments,
                                    .accounts = b->accounts,
                                    .assets = b->assets,
                                    .instrument_cnt = 2,
                                    .account_cnt = 2,
                                    .asset_cnt = 3 };
}

/* bench_open makes the venue with the options in yaml, on one-minute bars or on trades. */
static inline void bench_open(struct bench *b, uint16_t row_kind, const char *yaml) {
    struct rt_error err = { 0 };
    for (uint16_t i = 0; i < 2; i++) {
        b->series[i] = rig_series(&b->rig, row_kind, i + 1U, row_kind == MSG_BAR ? BAR_NS : 0);
    }
    if (rig_open(&b->rig, &venue_kind, yaml, &b->market, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rig_start(&b->rig, START_NS);
}

/* bench_bars readies b with the usual world on bars. */
static inline void bench_bars(struct bench *b) {
    bench_world(b);
    bench_open(b, MSG_BAR, "{}");
}

/* bench_now returns the time on the bench, seconds. */
static inline double bench_now(const struct bench *b) {
    return (double)(b->rig.ctx.now_ns - START_NS) / 1e9;
}

/* bench_at moves the time on (timers come due). */
static inline void bench_at(struct bench *b, double seconds) {
    (void)rig_until(&b->rig, START_NS + (int64_t)(seconds * 1e9));
}

/* A request as tests write it; instrument and account 0 = 1. */
struct ask {
    uint64_t id;         /* order_id */
    uint8_t side;        /* SIDE_* */
    uint8_t type;        /* ORDER_TYPE_* */
    double price;        /* limit or stop price */
    double quantity;     /* 0 = 1 */
    uint8_t terms;       /* ORDER_TERMS_* */
    uint16_t instrument; /* 0 = 1 */
    uint8_t account;     /* 0 = 1 */
    uint16_t op;         /* REQUEST_OP_* */
};

/* bench_ask makes the request. */
static inline void bench_ask(struct bench *b, struct ask a) {
    struct msg_venue_request r = { .order_id = a.id,
                                   .price = fx(a.price),
                                   .quantity = a.quantity == 0 ? fx(1) : fx(a.quantity),
                                   .instrument = a.instrument == 0 ? 1 : a.instrument,
                                   .account = a.account == 0 ? 1 : a.account,
                                   .side = a.side,
                                   .type = a.type,
                                   .terms = a.terms,
                                   .op = a.op };
    assert_true(rig_hear(&b->rig, MSG_VENUE_REQUEST, 9, &r, sizeof r));
}

/* ASK makes a request: ASK(b, .id = 1, .type = ORDER_TYPE_LIMIT, .price = 99). */
#define ASK(b, ...) bench_ask(b, (struct ask){ __VA_ARGS__ })

/* bench_more makes a request with further terms. */
static inline void bench_more(struct bench *b, struct ask a, struct mk_more m) {
    struct msg_venue_request_more r = { .order_id = a.id,
                                        .price = fx(a.price),
                                        .quantity = a.quantity == 0 ? fx(1) : fx(a.quantity),
                                        .instrument = a.instrument == 0 ? 1 : a.instrument,
                                        .account = a.account == 0 ? 1 : a.account,
                                        .side = a.side,
                                        .type = a.type,
                                        .terms = a.terms };
    mk_more_put(&r, sizeof(struct msg_venue_request), &m);
    assert_true(rig_hear(&b->rig, MSG_VENUE_REQUEST_MORE, 9, &r, sizeof r));
}

/* bench_replace makes a request for an order in place of another. */
static inline void bench_replace(struct bench *b, struct ask a, uint64_t old, bool anyway) {
    struct msg_venue_replace r = { .order_id = a.id,
                                   .price = fx(a.price),
                                   .quantity = a.quantity == 0 ? fx(1) : fx(a.quantity),
                                   .instrument = a.instrument == 0 ? 1 : a.instrument,
                                   .account = a.account == 0 ? 1 : a.account,
                                   .side = a.side,
                                   .type = a.type,
                                   .terms = a.terms,
                                   .op = REQUEST_OP_REPLACE,
                                   .replaces = old,
                                   .anyway = anyway };
    assert_true(rig_hear(&b->rig, MSG_VENUE_REPLACE, 9, &r, sizeof r));
}

/* AMEND asks for an amend: AMEND(b, .id = 1, .price = 99, .quantity = 2); both are told. */
#define AMEND(b, ...) bench_ask(b, (struct ask){ .op = REQUEST_OP_AMEND, __VA_ARGS__ })

/* bench_bar_begins tells the opening of a bar of instrument id now or later, at a whole minute. */
static inline void bench_bar_begins(struct bench *b, uint16_t id, int64_t open_ns, int64_t open,
                                    int64_t high, int64_t low, int64_t close, double volume) {
    struct msg_bar *bar = &b->bars[id - 1];
    *bar = (struct msg_bar){ .open_ns = open_ns,
                             .interval_ns = BAR_NS,
                             .open = open,
                             .high = high,
                             .low = low,
                             .close = close,
                             .volume = volume,
                             .instrument = id };
    struct msg_bar_open begins = { .open_ns = open_ns,
                                   .interval_ns = BAR_NS,
                                   .open = open,
                                   .instrument = id,
                                   .traded = volume > 0 };
    (void)rig_opens(&b->rig, b->series[id - 1], &begins);
}

/* bench_bar_ends tells the bar in hand of instrument id at its end. */
static inline void bench_bar_ends(struct bench *b, uint16_t id) {
    struct msg_bar *bar = &b->bars[id - 1];
    (void)rig_rows(&b->rig, b->series[id - 1], RT_HEAR_EARLY, bar, 1);
    (void)rig_rows(&b->rig, b->series[id - 1], RT_HEAR_ROW, bar, 1);
}

/* opens begins the bar of instrument 1 that follows the last one told. */
static inline void opens(struct bench *b, double open, double high, double low, double close) {
    int64_t last_ns = b->bars[0].open_ns, at_ns = last_ns == 0 ? START_NS : last_ns + BAR_NS;
    bench_bar_begins(b, 1, at_ns, fx(open), fx(high), fx(low), fx(close), 1);
}

/* closes ends it. */
static inline void closes(struct bench *b) {
    bench_bar_ends(b, 1);
}

/* bar tells a whole bar of instrument 1. */
static inline void bar(struct bench *b, double open, double high, double low, double close) {
    opens(b, open, high, low, close);
    closes(b);
}

/* trade tells a trade of instrument 1: early, then as data. */
static inline void trade(struct bench *b, double seconds, double price) {
    b->trades[0] = (struct msg_trade){ .time_ns = START_NS + (int64_t)(seconds * 1e9),
                                       .price = fx(price),
                                       .quantity = fx(0.1),
                                       .instrument = 1 };
    (void)rig_rows(&b->rig, b->series[0], RT_HEAR_EARLY, &b->trades[0], 1);
    (void)rig_rows(&b->rig, b->series[0], RT_HEAR_ROW, &b->trades[0], 1);
}

/* stop_data ends the data. */
static inline void stop_data(struct bench *b) {
    struct msg_stop stop = { .reason = REASON_END_OF_DATA };
    assert_true(rig_hear(&b->rig, MSG_STOP, 0, &stop, sizeof stop));
}

/* plain writes v, in 1e-8, exactly, without zeros at the end. */
static inline const char *plain(int64_t v, char out[32]) {
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    int n = snprintf(out, 32, "%s%" PRIu64 ".%08" PRIu64, v < 0 ? "-" : "", u / FIXED_ONE,
                     u % FIXED_ONE);
    while (out[n - 1] == '0') out[--n] = 0;
    if (out[n - 1] == '.') out[--n] = 0;
    return out;
}

/* reason_word names the reasons a venue gives. */
static inline const char *reason_word(uint16_t reason) {
    switch (reason) {
    case REASON_AMEND_RULE: return "amend_rule";
    case REASON_CANCEL_FAILED: return "cancel_failed";
    case REASON_SELF_TRADE: return "self_trade";
    case REASON_REDUCE_ONLY: return "reduce_only";
    case REASON_INSUFFICIENT_MARGIN: return "insufficient_margin";
    case REASON_BAD_TICK: return "bad_tick";
    case REASON_BAD_LOT: return "bad_lot";
    case REASON_MIN_NOTIONAL: return "min_notional";
    case REASON_UNKNOWN_INSTRUMENT: return "unknown_instrument";
    case REASON_OVERFLOW: return "overflow";
    case REASON_OPEN_ORDERS_MAX: return "open_orders_max";
    case REASON_INSUFFICIENT_BALANCE: return "insufficient_balance";
    case REASON_END_OF_DATA: return "end_of_data";
    case REASON_UNKNOWN_ORDER: return "unknown_order";
    case REASON_DUPLICATE_ID: return "duplicate_id";
    case REASON_MARKET_CLOSED: return "market_closed";
    case REASON_WOULD_MATCH: return "would_match";
    case REASON_NOT_FILLED_AT_ONCE: return "not_filled_at_once";
    case REASON_UNSUPPORTED: return "unsupported";
    case REASON_GOOD_TILL_DATE: return "good_till_date";
    case REASON_BAD_TERMS: return "bad_terms";
    case REASON_BAD_DISPLAY: return "bad_display";
    case REASON_LIST_RULE: return "list_rule";
    case REASON_LIST_PARENT: return "list_parent";
    case REASON_LIST_PARTNER: return "list_partner";
    case REASON_VENUE_PRICE_LOW: return "price_low";
    case REASON_VENUE_PRICE_HIGH: return "price_high";
    case REASON_VENUE_PERCENT_PRICE: return "percent_price";
    case REASON_VENUE_LOT_LOW: return "lot_low";
    case REASON_VENUE_LOT_HIGH: return "lot_high";
    case REASON_VENUE_MARKET_LOT: return "market_lot";
    case REASON_VENUE_MAX_NOTIONAL: return "max_notional";
    case REASON_VENUE_ICEBERG_PARTS: return "iceberg_parts";
    case REASON_VENUE_MAX_ORDERS: return "max_orders";
    case REASON_VENUE_MAX_ALGO_ORDERS: return "max_algo_orders";
    case REASON_VENUE_MAX_ICEBERG_ORDERS: return "max_iceberg_orders";
    case REASON_VENUE_MAX_ORDER_LISTS: return "max_order_lists";
    case REASON_VENUE_MAX_POSITION: return "max_position";
    case REASON_VENUE_TRAILING_DELTA: return "trailing_delta";
    case REASON_VENUE_ORDER_COUNT: return "order_count";
    case REASON_VENUE_ALL_ORDERS: return "all_orders";
    case REASON_VENUE_ALL_ALGO_ORDERS: return "all_algo_orders";
    case REASON_VENUE_ALL_ICEBERG_ORDERS: return "all_iceberg_orders";
    case REASON_VENUE_ALL_ORDER_LISTS: return "all_order_lists";
    case REASON_VENUE_MAX_ASSET: return "max_asset";
    case REASON_VENUE_MAX_AMENDS: return "max_amends";
    case REASON_VENUE_STP_MODE: return "stp_mode";
    default: return "?";
    }
}

/* status_word names the states a venue tells. */
static inline const char *status_word(uint8_t status) {
    switch (status) {
    case ORDER_STATUS_ACCEPTED: return "accepted";
    case ORDER_STATUS_CANCELED: return "canceled";
    case ORDER_STATUS_REJECTED: return "rejected";
    case ORDER_STATUS_EXPIRED: return "expired";
    default: return "?";
    }
}

/* said gives what was said since the last call, as text; but for balances and books. It checks that
 * accounts and the venue's books come to what was deposited. */
static inline const char *said(struct bench *b) {
    size_t n = 0, cap = sizeof b->text;
    char x[32], y[32];
    assert_true(b->loose || venue_conserved(b->rig.state)); /* nothing made, nothing lost */
    const struct msg_frame *f;
    b->text[0] = 0;
    for (size_t i = 0; (f = rig_said(&b->rig, i)) != NULL && n < cap; i++) {
        if (f->kind == MSG_VENUE_BALANCE || f->kind == MSG_VENUE_BOOKS) continue;
        n += (size_t)snprintf(b->text + n, cap - n, "%g ", (double)(f->time_ns - START_NS) / 1e9);
        if (f->kind == MSG_VENUE_STATUS) {
            const struct msg_venue_status *s = msg_body(f);
            n += (size_t)snprintf(b->text + n, cap - n, "%" PRIu64 " %s", s->order_id,
                                  status_word(s->status));
            if (s->reason != REASON_NONE) {
                n += (size_t)snprintf(b->text + n, cap - n, " %s", reason_word(s->reason));
            }
        } else if (f->kind == MSG_VENUE_AMENDED) {
            const struct msg_venue_amended *m = msg_body(f);
            bool refused = m->asked && m->reason != REASON_NONE;
            n += (size_t)snprintf(b->text + n, cap - n, "%" PRIu64 " %s %s@%s", m->order_id,
                                  refused    ? "keeps"
                                  : m->asked ? "amended"
                                             : "changed",
                                  plain(m->quantity, x), plain(m->price, y));
            if (m->stop_price != 0) {
                n += (size_t)snprintf(b->text + n, cap - n, " stop=%s", plain(m->stop_price, x));
            }
            if (m->reason != REASON_NONE) {
                n += (size_t)snprintf(b->text + n, cap - n, " %s", reason_word(m->reason));
            }
        } else {
            const struct msg_venue_fill *v = msg_body(f);
            n += (size_t)snprintf(b->text + n, cap - n, "%" PRIu64 " %s@%s %s", v->order_id,
                                  plain(v->quantity, x), plain(v->price, y),
                                  v->liquidity == LIQUIDITY_MAKER ? "maker" : "taker");
            if (v->fee != 0) {
                n += (size_t)snprintf(b->text + n, cap - n, " fee=%s", plain(v->fee, x));
            }
            if (v->slippage != 0) {
                n += (size_t)snprintf(b->text + n, cap - n, " slip=%s", plain(v->slippage, x));
            }
        }
        n += (size_t)snprintf(b->text + n, cap - n, "\n");
    }
    rig_forget(&b->rig);
    return b->text;
}

/* bench_cash returns an account's cash at the venue. */
static inline int64_t bench_cash(const struct bench *b, uint8_t account) {
    return ((const struct venue *)b->rig.state)->cash[account - 1];
}

/* bench_held returns what an account holds of an instrument at the venue. */
static inline struct venue_holding bench_held(const struct bench *b, uint8_t account,
                                              uint16_t instrument) {
    const struct venue *v = b->rig.state;
    return v->holdings[(account - 1) * 2 + instrument - 1];
}

/* bench_close frees the bench. */
static inline void bench_close(struct bench *b) {
    rig_close(&b->rig);
}
#endif
