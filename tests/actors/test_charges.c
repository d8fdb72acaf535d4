/* Goal: charges cost what brokers, exchanges and tax offices publish, fill by fill as for the order
 * in one, and what makes no sense is refused in one line with its place.
 * Method: schemes read from YAML; published examples by figure (Interactive Brokers, US stocks,
 * fixed: 0.005 USD a share, at least 1.00, at most 1 % of the trade: 100 shares at 25 cost 1.00,
 * 1,000 cost 5.00, 1,000 at 0.25 cost 2.50; China: stamp duty 0.1 % of sales to 2023-08-27, 0.05 %
 * since; FINRA TAF of 2026: 0.000195 a share sold, at most 9.79; SEC section 31 up to a cent; a
 * futures commission of 2.25 a contract); then random orders cut into random fills from a printed
 * seed, whose sum must be what the whole costs. */
#include "actors/market/charges.h"
#include "tests/support/check.h"
#include <errno.h>
#include <string.h>

static const int64_t DAY_NS = INT64_C(86400000000000); /* a day */

/* fx makes a decimal of a double that has few digits. */
static int64_t fx(double v) {
    return (int64_t)(v * 1e8 + (v < 0 ? -0.5 : 0.5));
}

/* read_text reads the charges in yaml, the text of a run file's part. */
static int read_text(const char *yaml, struct mk_charges *c, bool *given, struct rt_error *err) {
    struct rt_config *config;
    int rc = rt_config_parse("f", yaml, strlen(yaml), &config, err);
    assert_int_equal(rc, 0);
    struct rt_node *root = rt_config_root(config);
    rc = mk_charges_read(root, rt_node_get(root, "fee_schemes"), c, given, err);
    rt_config_close(config);
    return rc;
}

/* scheme reads charges that make sense. */
static struct mk_charges scheme(const char *yaml) {
    struct mk_charges c;
    struct rt_error err = { 0 };
    bool given;
    if (read_text(yaml, &c, &given, &err) != 0) print_error("%s\n", err.text);
    assert_int_equal(err.code, 0);
    assert_true(given);
    return c;
}

/* cost returns what an order of quantity at price costs in one fill. */
static int64_t cost(const struct mk_charges *c, unsigned side, int64_t day, double quantity,
                    double price) {
    const struct mk_charged none = { 0 };
    cash_t out = -1;
    assert_true(mk_charges_of(c, FIXED_ONE, side, day * DAY_NS, &none, fx(quantity),
                              fx(quantity * price), &out));
    return out;
}

/* What is published. */
static void test_published(void **state) {
    (void)state;
    struct mk_charges ib = scheme("fees: {commission: {per_unit: 0.005, min: 1, max_rate: 0.01}}");
    assert_true(cost(&ib, 0, 0, 100, 25) == fx(1));
    assert_true(cost(&ib, 0, 0, 1000, 25) == fx(5));
    assert_true(cost(&ib, 1, 0, 1000, 0.25) == fx(2.5));
    struct mk_charges us = scheme("fees: us\n"
                                  "fee_schemes:\n"
                                  "  us:\n"
                                  "    taf: {per_unit: 0.000195, max: 9.79, side: sell}\n"
                                  "    sec: {rate: 0.0000206, side: sell, round: 0.01}\n");
    assert_string_equal(us.scheme, "us");
    assert_true(cost(&us, 0, 0, 100000, 10) == 0);
    assert_true(cost(&us, 1, 0, 1000, 10) == fx(0.195 + 0.21)); /* 0.206: up to a cent */
    assert_true(cost(&us, 1, 0, 100000, 10) == fx(9.79 + 20.6));
    struct mk_charges cn =
        scheme("fees:\n"
               "  commission: {rate: 0.00025, min: 5}\n"
               "  transfer: {rate: 0.00001, from: 2022-04-29}\n"
               "  old_duty: {rate: 0.001, side: sell, from: 2008-09-19, until: 2023-08-27}\n"
               "  duty: {rate: 0.0005, side: sell, from: 2023-08-28}\n");
    assert_true(cost(&cn, 0, 19596, 100, 10) == fx(5 + 0.01));       /* 2023-08-27: a buy */
    assert_true(cost(&cn, 1, 19596, 100, 10) == fx(5 + 0.01 + 1));   /* 2023-08-27 */
    assert_true(cost(&cn, 1, 19597, 100, 10) == fx(5 + 0.01 + 0.5)); /* 2023-08-28 */
    assert_true(cost(&cn, 1, 19597, 10000, 10) == fx(25 + 1 + 50));
    struct mk_charges es = scheme("fees: {broker: {per_lot: 2.25}, ticket: {per_order: 0.5}}");
    assert_true(cost(&es, 0, 0, 3, 5000) == fx(7.25));
    cash_t most;
    assert_true(mk_charges_most(&cn, FIXED_ONE, 1, fx(100), fx(1000), &most));
    assert_true(most == fx(5 + 0.01 + 1 + 0.5)); /* on any day */
    char text[512];
    mk_charges_text(&cn, text, sizeof text);
    assert_string_equal(text, "commission 0.00025 of the notional, at least 5 an order\n"
                              "transfer 0.00001 of the notional from 2022-04-29\n"
                              "old_duty 0.001 of the notional of sales from 2008-09-19 until "
                              "2023-08-27\n"
                              "duty 0.0005 of the notional of sales from 2023-08-28");
    mk_charges_text(&es, text, sizeof text);
    assert_string_equal(text, "broker 2.25 a lot\nticket 0.5 an order");
}

/* However an order is cut into fills, it costs the same. */
static void test_cut(void **state) {
    (void)state;
    uint64_t gen = 20260101;
    for (int turn = 0; turn < 3000; turn++) {
        struct mk_charges c = { .cnt = (uint32_t)gen_range(&gen, 1, 4) };
        for (uint32_t i = 0; i < c.cnt; i++) {
            c.list[i] =
                (struct mk_charge){ .rate = gen_range(&gen, 0, 1) * gen_range(&gen, 1, 500000),
                                    .per_unit = gen_range(&gen, 0, fx(0.01)),
                                    .per_lot = gen_range(&gen, 0, fx(0.1)),
                                    .per_order = gen_range(&gen, 0, 1) * fx(0.3),
                                    .min = gen_range(&gen, 0, 1) * gen_range(&gen, 0, fx(3)),
                                    .max = gen_range(&gen, 0, 1) * fx(4),
                                    .max_rate = gen_range(&gen, 0, 1) * fx(0.01),
                                    .step = gen_range(&gen, 0, 1) ? fx(0.01) : 1,
                                    .from_ns = INT64_MIN,
                                    .until_ns = INT64_MAX,
                                    .sides = (unsigned)gen_range(&gen, 1, 3) };
        }
        const qty_t lot = fx(0.5);
        unsigned side = (unsigned)gen_range(&gen, 0, 1);
        struct mk_charged so_far = { 0 };
        const struct mk_charged none = { 0 };
        for (int64_t fills = gen_range(&gen, 1, 6); fills > 0; fills--) {
            qty_t quantity = lot * gen_range(&gen, 1, 400);
            cash_t value = gen_range(&gen, 1, fx(20000)), paid;
            assert_true(mk_charges_of(&c, lot, side, 0, &so_far, quantity, value, &paid));
            assert_true(paid >= 0);
            so_far.quantity += quantity;
            so_far.value += value;
            so_far.paid += paid;
        }
        cash_t whole, most;
        assert_true(mk_charges_of(&c, lot, side, 0, &none, so_far.quantity, so_far.value, &whole));
        assert_true(mk_charges_most(&c, lot, side, so_far.quantity, so_far.value, &most));
        CHECK((uint64_t)turn, whole == so_far.paid && most == whole);
    }
}

/* A sum beyond money is told, and says so. */
static void test_overflow(void **state) {
    (void)state;
    struct mk_charges c = scheme("fees: {a: {per_unit: 1000000000}}");
    const struct mk_charged none = { 0 };
    cash_t out;
    assert_false(mk_charges_of(&c, 1, 0, 0, &none, INT64_MAX, 0, &out));
    assert_false(mk_charges_most(&c, 1, 0, INT64_MAX, 0, &out));
}

/* What makes no sense. */
static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *yaml; /* the file */
        const char *said; /* part of what is told */
    } cases[] = {
        { "fees: {}", "f:1:7: fees: is no scheme of fees" },
        { "fees: nowhere", "f:1:7: fees: names no scheme under fee_schemes: \"nowhere\"" },
        { "fees: {a: 5}", "f:1:11: fees.a: is no charge, expected a map" },
        { "fees: {a: {}}", "fees.a: costs nothing" },
        { "fees: {a: {rate: 0.2}}", "rate" },
        { "fees: {a: {per_lot: -1}}", "per_lot" },
        { "fees: {a: {per_lot: 1, side: sold}}", "side" },
        { "fees: {a: {min: 5, max: 2}}", "min: is above max:" },
        { "fees: {a: {min: 5, from: 2024-01-02, until: 2024-01-01}}", "is before from:" },
        { "fees: {a: {min: 5, per_share: 2}}", "per_share" },
        { "fees: {a123456789012345678901234: {min: 5}}", "has a name of more than 23" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mk_charges c;
        struct rt_error err = { 0 };
        bool given;
        assert_int_equal(read_text(cases[i].yaml, &c, &given, &err), -EINVAL);
        if (strstr(err.text, cases[i].said) == NULL) print_error("%s\n", err.text);
        assert_non_null(strstr(err.text, cases[i].said));
    }
    char many[1024] = "fees: {";
    for (int i = 0; i <= MK_CHARGES_MAX; i++) {
        snprintf(many + strlen(many), sizeof many - strlen(many), "%sc%d: {min: 1}", i ? ", " : "",
                 i);
    }
    strcat(many, "}");
    struct mk_charges c;
    struct rt_error err = { 0 };
    bool given;
    assert_int_equal(read_text(many, &c, &given, &err), -EINVAL);
    assert_non_null(strstr(err.text, "is one charge too many"));
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
