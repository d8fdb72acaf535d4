/* Goal: each reason by which the venue refuses has its answer at Binance, or an entry that says
 * there is none; the answers are those that the venue publishes, and come back as a reason that
 * has them. Method: the reasons that stand in the sources of actors/venue and of what it asks are
 * looked up by name; codes and sentences against a list copied from the venue's error pages (spot
 * 2026-07, USD-M 2026-04). */
#include "actors/dialect/binance/reasons.h"
#include "schemas/messages.h"
#include "tests/support/check.h"
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reason of the sources in words: reason 3 of REASON_BAD_LOT is "bad_lot". */
static uint16_t reason_find(const char *name) {
    for (uint16_t r = 0; r < 1024; r++) {
        if (strcmp(msg_reason_name(r), name) == 0) return r;
    }
    fail_msg("no reason is called %s", name);
    return 0;
}

/* file_check looks up the reasons that stand in the file at path; returns how many. */
static int file_check(const char *path) {
    FILE *f = fopen(path, "r");
    char line[1000];
    int cnt = 0;
    if (f == NULL) fail_msg("%s cannot be read", path);
    while (fgets(line, sizeof line, f) != NULL) {
        for (char *at = line; (at = strstr(at, "REASON_")) != NULL;) {
            char name[64];
            size_t n = 0;
            for (at += 7; n < sizeof name - 1 && (isupper((unsigned char)*at) || *at == '_');
                 at++) {
                name[n++] = (char)tolower((unsigned char)*at);
            }
            name[n] = '\0';
            if (n == 0 || strcmp(name, "none") == 0) continue;
            cnt++;
            if (!bn_reason_known(reason_find(name)))
                fail_msg("%s: %s has no entry in actors/dialect/binance/reasons.c", path, name);
        }
    }
    fclose(f);
    return cnt;
}

/* Each reason that the venue says. */
static void test_all(void **state) {
    (void)state;
    const char *source = getenv("SHRIKE_SOURCE");
    if (source == NULL) source = ".";
    char path[4200];
    int cnt = 0;
    snprintf(path, sizeof path, "%s/actors/venue", source);
    DIR *dir = opendir(path);
    if (dir == NULL) fail_msg("no sources in %s", source);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t n = strlen(e->d_name);
        if (n < 3 || strcmp(e->d_name + n - 2, ".c") != 0) continue;
        snprintf(path, sizeof path, "%s/actors/venue/%s", source, e->d_name);
        cnt += file_check(path);
    }
    closedir(dir);
    snprintf(path, sizeof path, "%s/actors/market/more.c", source);
    cnt += file_check(path);
    snprintf(path, sizeof path, "%s/actors/market/filters.c", source);
    cnt += file_check(path);
    assert_true(cnt > 60); /* the sources were found, and read */
    assert_false(bn_reason_known(REASON_SIGNAL_CROSS_UP));
    assert_false(bn_reason_known(REASON_MAX_QUANTITY)); /* risk's own */
}

/* What the venue publishes: code, whole sentence or its beginning, the reason it comes back as. */
static const struct {
    enum bn_market market; /* where */
    int16_t code;          /* the venue's */
    uint16_t reason;       /* ours */
    const char *msg;       /* what it says */
} published[] = {
    { BN_SPOT, -1013, REASON_BAD_TICK, "Filter failure: PRICE_FILTER" },
    { BN_SPOT, -1013, REASON_VENUE_PERCENT_PRICE, "Filter failure: PERCENT_PRICE" },
    { BN_SPOT, -1013, REASON_VENUE_PERCENT_PRICE, "Filter failure: PERCENT_PRICE_BY_SIDE" },
    { BN_SPOT, -1013, REASON_BAD_LOT, "Filter failure: LOT_SIZE" },
    { BN_SPOT, -1013, REASON_VENUE_MARKET_LOT, "Filter failure: MARKET_LOT_SIZE" },
    { BN_SPOT, -1013, REASON_MIN_NOTIONAL, "Filter failure: NOTIONAL" },
    { BN_SPOT, -1013, REASON_MIN_NOTIONAL, "Filter failure: MIN_NOTIONAL" },
    { BN_SPOT, -1013, REASON_VENUE_ICEBERG_PARTS, "Filter failure: ICEBERG_PARTS" },
    { BN_SPOT, -1013, REASON_VENUE_MAX_POSITION, "Filter failure: MAX_POSITION" },
    { BN_SPOT, -1013, REASON_VENUE_MAX_ORDERS, "Filter failure: MAX_NUM_ORDERS" },
    { BN_SPOT, -1013, REASON_VENUE_MAX_ALGO_ORDERS, "Filter failure: MAX_NUM_ALGO_ORDERS" },
    { BN_SPOT, -1013, REASON_VENUE_MAX_ICEBERG_ORDERS, "Filter failure: MAX_NUM_ICEBERG_ORDERS" },
    { BN_SPOT, -1013, REASON_VENUE_MAX_ORDER_LISTS, "Filter failure: MAX_NUM_ORDER_LISTS" },
    { BN_SPOT, -1013, REASON_VENUE_TRAILING_DELTA, "Filter failure: TRAILING_DELTA" },
    { BN_SPOT, -1013, REASON_VENUE_ALL_ORDERS, "Filter failure: EXCHANGE_MAX_NUM_ORDERS" },
    { BN_SPOT, -1013, REASON_VENUE_ALL_ALGO_ORDERS,
      "Filter failure: EXCHANGE_MAX_NUM_ALGO_ORDERS" },
    { BN_SPOT, -2038, REASON_VENUE_MAX_AMENDS, "Filter failure: MAX_NUM_ORDER_AMENDS" },
    { BN_SPOT, -2038, REASON_AMEND_RULE, "Order amend (quantity increase) is not supported." },
    { BN_SPOT, -1013, REASON_VENUE_STP_MODE,
      "This symbol does not allow the specified self-trade prevention mode." },
    { BN_USDM, -5039, REASON_VENUE_STP_MODE, "Invalid self trade prevention mode" },
    { BN_SPOT, -1013, REASON_NONE, "Filter failure: SOMETHING_NEW" },
    { BN_SPOT, -1013, REASON_NONE, "Filter failure: LOT_SIZE_OF_ANOTHER_KIND" },
    { BN_SPOT, -1013, REASON_NONE, NULL },
    { BN_SPOT, -1013, REASON_MARKET_CLOSED, "Market is closed." },
    { BN_SPOT, -1015, REASON_VENUE_ORDER_COUNT,
      "Too many new orders; current limit is 50 orders per 10 SECOND." },
    { BN_SPOT, -1121, REASON_UNKNOWN_INSTRUMENT, "Invalid symbol." },
    { BN_SPOT, -2010, REASON_INSUFFICIENT_BALANCE,
      "Account has insufficient balance for requested action." },
    { BN_SPOT, -2010, REASON_DUPLICATE_ID, "Duplicate order sent." },
    { BN_SPOT, -2010, REASON_MARKET_CLOSED, "Market is closed." },
    { BN_SPOT, -2010, REASON_WOULD_MATCH, "Order would immediately match and take." },
    { BN_SPOT, -2010, REASON_WOULD_TRIGGER, "Order would trigger immediately." },
    { BN_SPOT, -2010, REASON_UNSUPPORTED, "Unsupported order combination" },
    { BN_SPOT, -2010, REASON_LIST_RULE,
      "The relationship of the prices for the orders is not correct." },
    { BN_SPOT, -2010, REASON_NO_LIQUIDITY,
      "Order book liquidity is less than LOT_SIZE filter minimum quantity." },
    { BN_SPOT, -2010, REASON_NONE, "This action is disabled on this account." },
    { BN_SPOT, -2011, REASON_UNKNOWN_ORDER, "Unknown order sent." },
    { BN_SPOT, -2022, REASON_NONE, "Order cancel-replace failed." }, /* not USD-M's -2022 */
    { BN_SPOT, -2021, REASON_NONE, "Order cancel-replace partially failed." },
    { BN_USDM, -2011, REASON_UNKNOWN_ORDER, "Unknown order sent." },
    { BN_USDM, -2018, REASON_INSUFFICIENT_BALANCE, "Balance is insufficient." },
    { BN_USDM, -2019, REASON_INSUFFICIENT_MARGIN, "Margin is insufficient." },
    { BN_USDM, -2020, REASON_NO_LIQUIDITY, "Unable to fill." },
    { BN_USDM, -2021, REASON_WOULD_TRIGGER, "Order would immediately trigger." },
    { BN_USDM, -2022, REASON_REDUCE_ONLY, "ReduceOnly Order is rejected." },
    { BN_USDM, -2023, REASON_LIQUIDATION, "User in liquidation mode now." },
    { BN_USDM, -2025, REASON_VENUE_MAX_ORDERS, "Reach max open order limit." },
    { BN_USDM, -2027, REASON_LEVERAGE_LIMIT,
      "Exceeded the maximum allowable position at current leverage." },
    { BN_USDM, -4002, REASON_VENUE_PRICE_HIGH, "Price greater than max price." },
    { BN_USDM, -4003, REASON_VENUE_LOT_LOW, "Quantity less than zero." },
    { BN_USDM, -4004, REASON_VENUE_LOT_LOW, "Quantity less than min quantity." },
    { BN_USDM, -4005, REASON_VENUE_LOT_HIGH, "Quantity greater than max quantity." },
    { BN_USDM, -4013, REASON_VENUE_PRICE_LOW, "Price less than min price." },
    { BN_USDM, -4014, REASON_BAD_TICK, "Price not increased by tick size." },
    { BN_USDM, -4016, REASON_VENUE_PERCENT_PRICE,
      "Price is higher than mark price multiplier cap." },
    { BN_USDM, -4023, REASON_BAD_LOT, "Qty not increased by step size." },
    { BN_USDM, -4024, REASON_VENUE_PERCENT_PRICE,
      "Price is lower than mark price multiplier floor." },
    { BN_USDM, -4045, REASON_VENUE_MAX_ALGO_ORDERS, "Reach max stop order limit." },
    { BN_USDM, -4116, REASON_DUPLICATE_ID, "ClientOrderId is duplicated." },
    { BN_USDM, -4131, REASON_PRICE_BOUND,
      "The counterparty's best price does not meet the PERCENT_PRICE filter limit." },
    { BN_USDM, -4141, REASON_MARKET_CLOSED, "Symbol is closed." },
    { BN_USDM, -4164, REASON_MIN_NOTIONAL,
      "Order's notional must be no smaller than 5.0 (unless you choose reduce only)" },
    { BN_USDM, -5021, REASON_FILL_OR_KILL,
      "Due to the order could not be filled immediately, the FOK order has been rejected." },
    { BN_USDM, -5022, REASON_WOULD_MATCH,
      "Due to the order could not be executed as maker, the Post Only order will be rejected." },
    { BN_USDM, -5027, REASON_AMEND_RULE, "No need to modify the order." },
    { BN_USDM, -5040, REASON_GOOD_TILL_DATE,
      "The goodTillDate timestamp must be greater than the current time plus 600 seconds" },
    { BN_USDM, -1021, REASON_NONE, "Timestamp for this request is outside of the recvWindow." },
    { BN_USDM, 0, REASON_NONE, "" },
};

/* What is published comes back as said above. */
static void test_back(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        uint16_t got = bn_reason_of(published[i].market, published[i].code, published[i].msg);
        if (got != published[i].reason)
            fail_msg("%d %s: %s", published[i].code, published[i].msg, msg_reason_name(got));
        bool coded = published[i].market == BN_USDM && published[i].reason != REASON_NONE;
        if (coded && bn_reason_of(BN_USDM, published[i].code, NULL) != published[i].reason)
            fail_msg("%d without words", published[i].code);
    }
}

/* What we say is published, in the market it is said in, and comes back with its code. */
static void test_there(void **state) {
    (void)state;
    int cnt = 0;
    for (uint16_t r = 1; r < 1024; r++) {
        for (int market = 0; market < BN_MARKETS; market++) {
            for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
                struct bn_refusal a, again;
                if (!bn_refusal_of(r, market, side, &a)) continue;
                cnt++;
                assert_true(a.code <= -1000 && a.code >= -5999);
                assert_int_equal(a.http, a.code == -1015 ? 429 : 400);
                uint16_t back = bn_reason_of(market, a.code, a.msg);
                if (back == REASON_NONE) fail_msg("%s is lost", msg_reason_name(r));
                assert_true(bn_refusal_of(back, market, side, &again));
                if (again.code != a.code || strcmp(again.msg, a.msg) != 0)
                    fail_msg("%s comes back as %s", msg_reason_name(r), msg_reason_name(back));
            }
        }
    }
    assert_true(cnt > 100);
    struct bn_refusal a;
    assert_false(bn_refusal_of(REASON_SELF_TRADE, BN_SPOT, SIDE_BUY, &a));
    assert_false(bn_refusal_of(REASON_INSUFFICIENT_MARGIN, BN_SPOT, SIDE_BUY, &a));
    assert_true(bn_refusal_of(REASON_VENUE_PERCENT_PRICE, BN_USDM, SIDE_SELL, &a));
    assert_int_equal(a.code, -4024);
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all), cmocka_unit_test(test_back),
                                        cmocka_unit_test(test_there) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
