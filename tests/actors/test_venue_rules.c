/* rig: the venue alone, fed by hand */
/* Goal: the venue refuses by the filters and limits that are declared, each bound on its own side,
 * and takes what is at the bound; limits hold over a restart; nonsense is refused as it is read.
 * Method: tables of orders at and beyond each bound. Filters and bounds are those of the examples
 * in Binance's "Filters" (PRICE_FILTER 0.00000100-100000, PERCENT_PRICE 1.3/0.7, BY_SIDE 1.2/0.2
 * and 5/0.8, MARKET_LOT_SIZE, NOTIONAL 10-10000, ICEBERG_PARTS 10, MAX_NUM_ORDERS 25,
 * MAX_NUM_ALGO_ORDERS 5, MAX_NUM_ICEBERG_ORDERS 5, MAX_POSITION 10, TRAILING_DELTA 10-2000),
 * brought to ticks of 0.5 and lots of 0.1. */
#include "actors/market/filters.h"
#include "tests/actors/test_venue.h"

/* Short words for what the tables below repeat. */
enum short_words {
    BUY = SIDE_BUY,
    SELL = SIDE_SELL,
    MARKET = ORDER_TYPE_MARKET,
    LIMIT = ORDER_TYPE_LIMIT,
    STOP = ORDER_TYPE_STOP,
    STOP_LIMIT = ORDER_TYPE_STOP_LIMIT,
    TRAIL = ORDER_TYPE_TRAILING_STOP,
    REDUCE = ORDER_TERMS_REDUCE_ONLY,
};

/* SAYS checks what was said since the last check. */
#define SAYS(b, expected) assert_string_equal(said(b), expected)

/* filters_of reads filters from text for ticks of 0.5 and lots of 0.1. */
static int filters_of(const char *yaml, struct mk_filters *f, struct rt_error *err) {
    struct rt_config *tree;
    if (rt_config_parse("f", yaml, strlen(yaml), &tree, err) != 0) fail_msg("%s", err->text);
    int rc = mk_filters_read(rt_config_root(tree), fx(0.1), f, err);
    rt_config_close(tree);
    return rc;
}

/* open_with opens a bench on bars whose instruments both have the filters; last price 100. */
static void open_with(struct bench *b, const char *filters, const char *venue,
                      struct mk_filters *f) {
    struct rt_error err = { 0 };
    bench_world(b);
    if (filters != NULL) {
        if (filters_of(filters, f, &err) != 0) fail_msg("%s: %s", filters, err.text);
        b->instruments[0].filters = b->instruments[1].filters = f;
    }
    bench_open(b, MSG_BAR, venue);
    opens(b, 100, 100, 100, 100);
    bench_bar_begins(b, 2, START_NS, fx(100), fx(100), fx(100), fx(100), 1);
    closes(b);
    bench_bar_ends(b, 2);
}

/* Each filter that looks at one order. */
static void test_terms(void **state) {
    (void)state;
    static const struct {
        const char *filters; /* declared */
        struct ask a;        /* asked */
        struct mk_more m;    /* its further terms */
        const char *said;    /* "accepted", or the reason */
    } cases[] = {
        { "price: {min: 10, max: 200}", { .type = LIMIT, .price = 10 }, { 0 }, "accepted" },
        { "price: {min: 10, max: 200}", { .type = LIMIT, .price = 9.5 }, { 0 }, "price_low" },
        { "price: {min: 10, max: 200}", { .type = LIMIT, .price = 200 }, { 0 }, "accepted" },
        { "price: {min: 10, max: 200}", { .type = STOP, .price = 200.5 }, { 0 }, "price_high" },
        { "price: {max: 200}",
          { .type = STOP_LIMIT, .price = 150 },
          { .stop_price = 20050000000 },
          "price_high" },
        { "price: {min: 10}",
          { .type = TRAIL, .side = SELL },
          { .trail_bips = 10, .activation = 950000000 },
          "price_low" },
        { "price: {min: 10, max: 50}", { .type = MARKET }, { 0 }, "accepted" },
        /* PERCENT_PRICE, 100 +- 30 %, both sides */
        { "percent_price: {buy_up: 1.3, buy_down: 0.7, sell_up: 1.3, sell_down: 0.7}",
          { .type = LIMIT, .price = 130 },
          { 0 },
          "accepted" },
        { "percent_price: {buy_up: 1.3, buy_down: 0.7, sell_up: 1.3, sell_down: 0.7}",
          { .type = LIMIT, .price = 130.5 },
          { 0 },
          "percent_price" },
        { "percent_price: {buy_up: 1.3, buy_down: 0.7, sell_up: 1.3, sell_down: 0.7}",
          { .type = LIMIT, .side = SELL, .price = 69.5 },
          { 0 },
          "percent_price" },
        /* BY_SIDE: buys 0.2-1.2, sells 0.8-5 */
        { "percent_price: {buy_up: 1.2, buy_down: 0.2, sell_up: 5, sell_down: 0.8}",
          { .type = LIMIT, .price = 120.5 },
          { 0 },
          "percent_price" },
        { "percent_price: {buy_up: 1.2, buy_down: 0.2, sell_up: 5, sell_down: 0.8}",
          { .type = LIMIT, .price = 20 },
          { 0 },
          "accepted" },
        { "percent_price: {buy_up: 1.2, buy_down: 0.2, sell_up: 5, sell_down: 0.8}",
          { .type = LIMIT, .price = 19.5 },
          { 0 },
          "percent_price" },
        { "percent_price: {buy_up: 1.2, buy_down: 0.2, sell_up: 5, sell_down: 0.8}",
          { .type = LIMIT, .side = SELL, .price = 500 },
          { 0 },
          "accepted" },
        { "percent_price: {buy_up: 1.2, buy_down: 0.2, sell_up: 5, sell_down: 0.8}",
          { .type = LIMIT, .side = SELL, .price = 79.5 },
          { 0 },
          "percent_price" },
        { "percent_price: {buy_up: 1.05}", { .type = STOP, .price = 180 }, { 0 }, "accepted" },
        { "lot: {min: 0.5, max: 20}",
          { .type = LIMIT, .price = 90, .quantity = 0.5 },
          { 0 },
          "accepted" },
        { "lot: {min: 0.5, max: 20}",
          { .type = LIMIT, .price = 90, .quantity = 0.4 },
          { 0 },
          "lot_low" },
        { "lot: {min: 0.5, max: 20}", { .type = MARKET, .quantity = 20 }, { 0 }, "accepted" },
        { "lot: {min: 0.5, max: 20}", { .type = MARKET, .quantity = 20.1 }, { 0 }, "lot_high" },
        { "lot: {min: 0.5}",
          { .type = LIMIT, .price = 90, .quantity = 2 },
          { .display = 40000000 },
          "lot_low" },
        { "market_lot: {min: 1, max: 5, step: 0.5}",
          { .type = MARKET, .quantity = 5 },
          { 0 },
          "accepted" },
        { "market_lot: {min: 1, max: 5, step: 0.5}",
          { .type = MARKET, .quantity = 5.1 },
          { 0 },
          "market_lot" },
        { "market_lot: {min: 1, max: 5, step: 0.5}",
          { .type = MARKET, .quantity = 0.9 },
          { 0 },
          "market_lot" },
        { "market_lot: {min: 1, max: 5, step: 0.5}",
          { .type = MARKET, .quantity = 1.2 },
          { 0 },
          "market_lot" },
        { "market_lot: {max: 5}",
          { .type = LIMIT, .price = 90, .quantity = 6 },
          { 0 },
          "accepted" },
        { "notional: {max: 10000}",
          { .type = LIMIT, .price = 100, .quantity = 100 },
          { 0 },
          "accepted" },
        { "notional: {max: 10000}",
          { .type = LIMIT, .price = 100.5, .quantity = 100 },
          { 0 },
          "max_notional" },
        { "notional: {max: 10000}", { .type = MARKET, .quantity = 101 }, { 0 }, "accepted" },
        { "notional: {max: 10000, max_to_market: true}",
          { .type = MARKET, .quantity = 100.1 },
          { 0 },
          "max_notional" },
        { "notional: {max: 10000, max_to_market: true}",
          { .type = MARKET, .quantity = 100 },
          { 0 },
          "accepted" },
        /* the same order is refused without min_to_market: false; see test_min_notional */
        { "iceberg_parts: 10",
          { .type = LIMIT, .price = 90, .quantity = 10 },
          { .display = 100000000 },
          "accepted" },
        { "iceberg_parts: 10",
          { .type = LIMIT, .price = 90, .quantity = 10.1 },
          { .display = 100000000 },
          "iceberg_parts" },
        { "trailing: {above: {min: 10, max: 2000}}",
          { .type = TRAIL },
          { .trail_bips = 10 },
          "accepted" },
        { "trailing: {above: {min: 10, max: 2000}}",
          { .type = TRAIL },
          { .trail_bips = 9 },
          "trailing_delta" },
        { "trailing: {above: {min: 10, max: 2000}}",
          { .type = TRAIL },
          { .trail_bips = 2001 },
          "trailing_delta" },
        { "trailing: {above: {min: 10, max: 2000}}",
          { .type = TRAIL, .side = SELL },
          { .trail_bips = 5 },
          "accepted" },
        { "trailing: {below: {min: 10, max: 2000}}",
          { .type = TRAIL, .side = SELL },
          { .trail_bips = 5 },
          "trailing_delta" },
        { "max_position: 10", { .type = LIMIT, .price = 90, .quantity = 10 }, { 0 }, "accepted" },
        { "max_position: 10",
          { .type = LIMIT, .price = 90, .quantity = 10.1 },
          { 0 },
          "max_position" },
        { "max_position: 10",
          { .type = LIMIT, .price = 90, .quantity = 11, .side = SELL },
          { 0 },
          "accepted" },
    };
    static const struct mk_more none;
    for (uint16_t instrument = 1; instrument <= 2; instrument++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct bench b;
            struct mk_filters f;
            struct ask a = cases[i].a;
            char yaml[200], expected[100];
            a.id = 1;
            a.instrument = instrument;
            snprintf(yaml, sizeof yaml, "{%s}", cases[i].filters);
            open_with(&b, yaml, "{}", &f);
            b.loose = a.side == SELL;
            if (a.side == SELL) { /* what it sells on spot */
                ((struct venue *)b.rig.state)->holdings[1].quantity = fx(100);
            }
            if (memcmp(&cases[i].m, &none, sizeof none) != 0) {
                bench_more(&b, a, cases[i].m);
            } else {
                bench_ask(&b, a);
            }
            bool taken = strcmp(cases[i].said, "accepted") == 0;
            snprintf(expected, sizeof expected, taken ? "60 1 %s\n" : "60 1 rejected %s\n",
                     cases[i].said);
            if (strcmp(said(&b), expected) != 0) {
                fail_msg("case %zu (%s) on %u: %s, expected %s", i, yaml, instrument, b.text,
                         expected);
            }
            bench_close(&b);
        }
    }
}

/* Least notional: of market orders at the reference, unless they are spared. */
static void test_min_notional(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    struct rt_error err = { 0 };
    for (int spares = 0; spares < 2; spares++) {
        bench_world(&b);
        b.instruments[0].min_notional = fx(100);
        assert_int_equal(
            filters_of(spares ? "{notional: {min_to_market: false}}" : "{notional: {}}", &f, &err),
            0);
        b.instruments[0].filters = &f;
        bench_open(&b, MSG_BAR, "{}");
        bar(&b, 100, 100, 100, 100);
        ASK(&b, .id = 1, .type = MARKET, .quantity = 0.9);
        SAYS(&b, spares ? "60 1 accepted\n" : "60 1 rejected min_notional\n");
        ASK(&b, .id = 2, .type = LIMIT, .price = 100, .quantity = 0.9);
        SAYS(&b, "60 2 rejected min_notional\n");
        ASK(&b, .id = 3, .type = LIMIT, .price = 100, .quantity = 1);
        SAYS(&b, "60 3 accepted\n");
        bench_close(&b);
    }
}

/* The mark price is the reference of linear instruments, where there is one. */
static void test_reference(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    struct rt_error err = { 0 };
    bench_world(&b);
    assert_int_equal(filters_of("{percent_price: {buy_up: 1.05}}", &f, &err), 0);
    b.instruments[0].filters = b.instruments[1].filters = &f;
    uint16_t series = rig_series(&b.rig, MSG_MARK_PRICE, 1, 0);
    bench_open(&b, MSG_BAR, "{}");
    ASK(&b, .id = 1, .type = LIMIT, .price = 500); /* nothing to hold it against yet */
    SAYS(&b, "0 1 accepted\n");
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    SAYS(&b, "0 1 canceled\n");
    bar(&b, 100, 100, 100, 100);
    struct msg_mark_price mark = { .time_ns = START_NS + BAR_NS, .mark = fx(200), .instrument = 1 };
    (void)rig_rows(&b.rig, series, RT_HEAR_EARLY, &mark, 1);
    ASK(&b, .id = 2, .type = LIMIT, .price = 210);
    ASK(&b, .id = 3, .type = LIMIT, .price = 210.5);
    SAYS(&b, "60 2 accepted\n60 3 rejected percent_price\n");
    bench_close(&b);
}

/* The average of the last minutes, weighted by what was traded, is the reference where filters say
 * minutes, of its own filter alone; older trades drop out, and without any the last price counts.
 * Bars count as their volume at (high + low + close) / 3. */
static void test_average(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    struct rt_error err = { 0 };
    for (int kind = 0; kind < 3; kind++) {
        bench_world(&b);
        assert_int_equal(filters_of("{percent_price: {buy_up: 1.1, minutes: 1}, "
                                    "notional: {max: 1060, max_to_market: true, minutes: 2}}",
                                    &f, &err),
                         0);
        b.instruments[0].filters = &f;
        if (kind == 2) { /* bars: (110 + 90 + 100) / 3 x 3, (220 + 190 + 205) / 3 x 1 */
            bench_open(&b, MSG_BAR, "{}");
            bench_bar_begins(&b, 1, START_NS, fx(100), fx(110), fx(90), fx(100), 3);
            closes(&b);
            bench_bar_begins(&b, 1, START_NS + BAR_NS, fx(200), fx(220), fx(190), fx(205), 1);
            closes(&b);
            rig_reload(&b.rig);
            ASK(&b, .id = 1, .type = LIMIT, .price = 225.5); /* 205 of the last minute, x 1.1 */
            ASK(&b, .id = 2, .type = LIMIT, .price = 226);
            ASK(&b, .id = 3, .type = MARKET, .quantity = 8.4); /* (300 + 205) / 4 = 126.25 */
            ASK(&b, .id = 4, .type = MARKET, .quantity = 8.3);
            SAYS(&b, "120 1 accepted\n120 2 rejected percent_price\n"
                     "120 3 rejected max_notional\n120 4 accepted\n");
            bench_close(&b);
            continue;
        }
        bench_open(&b, MSG_TRADE, "{}");
        trade(&b, 12, 100); /* 0.1 each */
        trade(&b, 21, 110);
        trade(&b, 22, 120);
        if (kind == 1) rig_reload(&b.rig);
        ASK(&b, .id = 1, .type = LIMIT, .quantity = 1, .price = 121); /* 110 x 1.1 */
        ASK(&b, .id = 2, .type = LIMIT, .quantity = 1, .price = 121.5);
        SAYS(&b, "22 1 accepted\n22 2 rejected percent_price\n");
        trade(&b, 75, 130); /* 12 s is more than a minute past */
        ASK(&b, .id = 3, .type = LIMIT, .quantity = 1, .price = 132); /* 120 x 1.1 */
        ASK(&b, .id = 4, .type = LIMIT, .quantity = 1, .price = 132.5);
        SAYS(&b, "75 3 accepted\n75 4 rejected percent_price\n");
        ASK(&b, .id = 5, .type = MARKET, .quantity = 9.3); /* two minutes: 115 */
        ASK(&b, .id = 6, .type = MARKET, .quantity = 9.2);
        SAYS(&b, "75 5 rejected max_notional\n75 6 accepted\n");
        bench_at(&b, 300);
        ASK(&b, .id = 7, .type = LIMIT, .quantity = 1, .price = 143); /* the last, 130, x 1.1 */
        ASK(&b, .id = 8, .type = LIMIT, .quantity = 1, .price = 143.5);
        SAYS(&b, "300 7 accepted\n300 8 rejected percent_price\n");
        bench_close(&b);
    }
}

/* An order that triggers is looked at again, as what it becomes: on bars and on trades, plain and
 * with further terms. */
static void test_trigger(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    struct rt_error err = { 0 };
    for (int trades = 0; trades < 2; trades++) {
        bench_world(&b);
        assert_int_equal(
            filters_of("{percent_price: {buy_up: 1.1}, market_lot: {max: 5}}", &f, &err), 0);
        b.instruments[0].filters = &f;
        bench_open(&b, trades ? MSG_TRADE : MSG_BAR, "{}");
        if (trades) trade(&b, 0, 100);
        if (!trades) bar(&b, 100, 100, 100, 100);
        ASK(&b, .id = 1, .side = SELL, .type = STOP, .price = 91, .quantity = 6);
        ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 91, .quantity = 5);
        bench_more(&b, (struct ask){ .id = 3, .type = ORDER_TYPE_TAKE_PROFIT_LIMIT, .price = 105 },
                   (struct mk_more){ .stop_price = fx(90) });
        bench_more(&b, (struct ask){ .id = 4, .type = ORDER_TYPE_TAKE_PROFIT_LIMIT, .price = 98 },
                   (struct mk_more){ .stop_price = fx(90) });
        bench_more(
            &b, (struct ask){ .id = 5, .type = ORDER_TYPE_TAKE_PROFIT, .price = 90, .quantity = 6 },
            (struct mk_more){ .oco = 5 });
        bench_more(&b, (struct ask){ .id = 6, .type = LIMIT, .price = 50 },
                   (struct mk_more){ .oco = 5 });
        (void)said(&b);
        if (trades) {
            trade(&b, 10, 90);
            trade(&b, 20, 90);
        } else {
            bar(&b, 100, 100, 90, 90);
        }
        const char *text = said(&b);
        static const char *const wanted[] = {
            " 1 expired market_lot\n",    " 2 5@",
            " 3 expired percent_price\n", " 4 1@",
            " 5 expired market_lot\n",    " 6 expired list_partner\n"
        };
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
            if (strstr(text, wanted[i]) == NULL) fail_msg("no%s in %s", wanted[i], text);
        }
        bench_close(&b);
    }
}

/* One order moves no more of an asset than the venue allows. */
static void test_asset(void **state) {
    (void)state;
    struct bench b;
    struct rt_error err = { 0 };
    open_with(&b, NULL, "{limits: {max_asset: {BTC: 5, USDT: 300}}}", NULL);
    ASK(&b, .id = 1, .type = LIMIT, .price = 10, .quantity = 5);
    ASK(&b, .id = 2, .type = LIMIT, .price = 10, .quantity = 5.1);
    ASK(&b, .id = 3, .type = LIMIT, .price = 60, .quantity = 5);
    ASK(&b, .id = 4, .type = LIMIT, .price = 60.5, .quantity = 5);
    ASK(&b, .id = 5, .type = MARKET, .quantity = 3); /* at 100 */
    ASK(&b, .id = 6, .type = MARKET, .quantity = 3.1, .instrument = 2);
    SAYS(&b, "60 1 accepted\n60 2 rejected max_asset\n60 3 accepted\n60 4 rejected max_asset\n"
             "60 5 accepted\n60 6 rejected max_asset\n");
    bench_close(&b);
    bench_world(&b);
    rig_series(&b.rig, MSG_BAR, 1, BAR_NS);
    assert_true(rig_open(&b.rig, &venue_kind, "{limits: {max_asset: {DOGE: 5}}}", &b.market, &err) <
                0);
    assert_non_null(strstr(err.text, "DOGE"));
    bench_close(&b);
}

/* An order may be amended so often; what is refused does not count. */
static void test_amends(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    open_with(&b, "{max_amends: 2}", "{}", &f);
    ASK(&b, .id = 1, .type = LIMIT, .price = 50, .quantity = 3);
    AMEND(&b, .id = 1, .price = 51, .quantity = 3);
    AMEND(&b, .id = 1, .price = 51.2, .quantity = 3);
    SAYS(&b, "60 1 accepted\n60 1 amended 3@51\n60 1 keeps 3@51 bad_tick\n");
    rig_reload(&b.rig);
    AMEND(&b, .id = 1, .price = 51, .quantity = 2);
    rig_reload(&b.rig);
    AMEND(&b, .id = 1, .price = 51, .quantity = 1);
    SAYS(&b, "60 1 amended 2@51\n60 1 keeps 2@51 max_amends\n");
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    ASK(&b, .id = 2, .type = LIMIT, .price = 50, .quantity = 3); /* another one, in its place */
    AMEND(&b, .id = 2, .price = 51, .quantity = 3);
    SAYS(&b, "60 1 canceled\n60 2 accepted\n60 2 amended 3@51\n");
    bench_close(&b);
}

/* Only the declared kinds of self-trade prevention may be asked for, by an order or its account;
 * the instrument's own may always be. */
static void test_stp(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    struct rt_error err = { 0 };
    open_with(&b, "{stp: [expire_maker, decrement]}", "{}", &f);
    assert_int_equal(f.stp, 1U << MK_STP_MAKER | 1U << MK_STP_DECREMENT);
    b.instruments[0].stp = MK_STP_TAKER;
    for (uint8_t stp = MK_STP_DEFAULT; stp < MK_STP_CNT; stp++) {
        bench_more(&b, (struct ask){ .id = stp + 1U, .type = LIMIT, .price = 50 },
                   (struct mk_more){ .stp = stp });
    }
    SAYS(&b, "60 1 accepted\n60 2 rejected stp_mode\n60 3 rejected stp_mode\n60 4 accepted\n"
             "60 5 rejected stp_mode\n60 6 accepted\n60 7 rejected stp_mode\n");
    b.accounts[0].stp = MK_STP_NONE;
    ASK(&b, .id = 11, .type = LIMIT, .price = 50);
    bench_more(&b, (struct ask){ .id = 12, .type = LIMIT, .price = 50 },
               (struct mk_more){ .stp = MK_STP_MAKER });
    b.accounts[0].stp = MK_STP_DECREMENT;
    ASK(&b, .id = 13, .type = LIMIT, .price = 50);
    SAYS(&b, "60 11 rejected stp_mode\n60 12 accepted\n60 13 accepted\n");
    bench_close(&b);
    assert_true(filters_of("{stp: [expire_maker, all]}", &f, &err) < 0);
    assert_true(filters_of("{stp: []}", &f, &err) < 0);
}

/* What is open counts: by instrument and account, orders gone do not. */
static void test_room(void **state) {
    (void)state;
    struct bench b;
    struct mk_filters f;
    open_with(&b, "{max_orders: 4, max_algo_orders: 2, max_iceberg_orders: 1, max_order_lists: 1}",
              "{limits: {max_orders: 6, max_algo_orders: 3}}", &f);
    ASK(&b, .id = 1, .side = SELL, .type = STOP, .price = 50);
    ASK(&b, .id = 2, .side = SELL, .type = STOP, .price = 51);
    ASK(&b, .id = 3, .side = SELL, .type = STOP, .price = 52);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n60 3 rejected max_algo_orders\n");
    bench_more(&b, (struct ask){ .id = 4, .type = LIMIT, .price = 50 },
               (struct mk_more){ .display = fx(0.5) });
    bench_more(&b, (struct ask){ .id = 5, .type = LIMIT, .price = 50 },
               (struct mk_more){ .display = fx(0.5) });
    SAYS(&b, "60 4 accepted\n60 5 rejected max_iceberg_orders\n");
    ASK(&b, .id = 6, .type = LIMIT, .price = 50);
    ASK(&b, .id = 7, .type = LIMIT, .price = 50);
    ASK(&b, .id = 8, .type = MARKET);
    SAYS(&b, "60 6 accepted\n60 7 rejected max_orders\n60 8 rejected max_orders\n");
    ASK(&b, .id = 9, .type = LIMIT, .price = 50, .account = 2); /* another's */
    SAYS(&b, "60 9 accepted\n");
    ASK(&b, .id = 10, .type = STOP, .price = 150, .instrument = 2);
    ASK(&b, .id = 11, .type = STOP, .price = 150, .instrument = 2);
    ASK(&b, .id = 12, .type = LIMIT, .price = 50, .instrument = 2);
    ASK(&b, .id = 13, .type = LIMIT, .price = 50, .instrument = 2);
    SAYS(&b, "60 10 accepted\n60 11 rejected all_algo_orders\n60 12 accepted\n"
             "60 13 rejected all_orders\n");
    ASK(&b, .id = 6, .op = REQUEST_OP_CANCEL);
    ASK(&b, .id = 14, .type = LIMIT, .price = 50);
    SAYS(&b, "60 6 canceled\n60 14 accepted\n");
    bench_close(&b);
    open_with(&b, "{max_order_lists: 1}", "{}", &f);
    bench_more(&b, (struct ask){ .id = 1, .side = SELL, .type = STOP, .price = 50 },
               (struct mk_more){ .oco = 1 });
    bench_more(&b, (struct ask){ .id = 2, .side = SELL, .type = LIMIT, .price = 150 },
               (struct mk_more){ .oco = 1 });
    bench_more(&b, (struct ask){ .id = 3, .side = SELL, .type = LIMIT, .price = 150 },
               (struct mk_more){ .oco = 3 });
    ASK(&b, .id = 4, .side = SELL, .type = LIMIT, .price = 150);
    SAYS(&b, "60 1 accepted\n60 2 accepted\n60 3 rejected max_order_lists\n60 4 accepted\n");
    bench_close(&b);
    open_with(&b, "{max_position: 10}", "{}", &f);
    ASK(&b, .id = 1, .type = MARKET, .quantity = 4);
    bar(&b, 100, 100, 100, 100);
    ASK(&b, .id = 2, .type = LIMIT, .price = 50, .quantity = 5);
    ASK(&b, .id = 3, .type = LIMIT, .price = 50, .quantity = 1.1);
    ASK(&b, .id = 4, .type = LIMIT, .price = 50, .quantity = 1);
    SAYS(&b, "60 1 accepted\n60 1 4@100 taker\n120 2 accepted\n120 3 rejected max_position\n"
             "120 4 accepted\n");
    bench_close(&b);
}

/* Orders of a window are counted, by the clock's windows, and over a restart; refused ones and
 * cancels are not. */
static void test_rate(void **state) {
    (void)state;
    struct bench b;
    bench_world(&b);
    bench_open(&b, MSG_TRADE,
               "{limits: {order_rate: [{count: 2, per: 10s}, {count: 3, per: 1m}]}}");
    trade(&b, 7, 100);
    bench_at(&b, 8);
    ASK(&b, .id = 1, .type = LIMIT, .price = 50);
    ASK(&b, .id = 2, .type = LIMIT, .price = 50.2); /* refused: does not count */
    ASK(&b, .id = 1, .op = REQUEST_OP_CANCEL);
    bench_at(&b, 9);
    ASK(&b, .id = 3, .type = LIMIT, .price = 50);
    ASK(&b, .id = 4, .type = LIMIT, .price = 50);
    ASK(&b, .id = 5, .type = LIMIT, .price = 50, .account = 2);
    SAYS(&b, "8 1 accepted\n8 2 rejected bad_tick\n8 1 canceled\n9 3 accepted\n"
             "9 4 rejected order_count\n9 5 accepted\n");
    rig_reload(&b.rig);
    ASK(&b, .id = 6, .type = LIMIT, .price = 50);
    SAYS(&b, "9 6 rejected order_count\n");
    bench_at(&b, 10); /* the next window of 10 s, the same minute */
    ASK(&b, .id = 7, .type = LIMIT, .price = 50);
    ASK(&b, .id = 8, .type = LIMIT, .price = 50);
    SAYS(&b, "10 7 accepted\n10 8 rejected order_count\n");
    bench_at(&b, 60);
    ASK(&b, .id = 9, .type = LIMIT, .price = 50);
    SAYS(&b, "60 9 accepted\n");
    bench_close(&b);
}

/* What makes no sense is refused with its place. */
static void test_wrong(void **state) {
    (void)state;
    static const struct {
        const char *yaml; /* filters */
        const char *says; /* part of the sentence */
    } cases[] = {
        { "{price: {min: 10, max: 9}}", "price: has its min above its max" },
        { "{market_lot: {step: 0.25}}", "market_lot.step: is no multiple of the lot_size" },
        { "{market_lot: {up: 1}}", "market_lot.up: is not a known key" },
        { "{percent_price: {buy_up: 0.9}}", "percent_price.buy_up" },
        { "{percent_price: {sell_down: 1.1}}", "percent_price.sell_down" },
        { "{percent_price: {up: 5}}", "percent_price.up: is not a known key" },
        { "{trailing: {above: {min: 20, max: 10}}}", "trailing.above: has its min above its max" },
        { "{trailing: {below: {max: 5001}}}", "trailing.below.max" },
        { "{max_orders: 0}", "max_orders" },
        { "{iceberg_parts: -1}", "iceberg_parts" },
        { "{max_num_orders: 1}", "max_num_orders: is not a known key" },
    };
    struct mk_filters f;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rt_error err = { 0 };
        if (filters_of(cases[i].yaml, &f, &err) == 0) fail_msg("passed: %s", cases[i].yaml);
        if (strstr(err.text, cases[i].says) == NULL) fail_msg("%s", err.text);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),     cmocka_unit_test(test_min_notional),
        cmocka_unit_test(test_reference), cmocka_unit_test(test_room),
        cmocka_unit_test(test_rate),      cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_average),   cmocka_unit_test(test_trigger),
        cmocka_unit_test(test_asset),     cmocka_unit_test(test_amends),
        cmocka_unit_test(test_stp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
