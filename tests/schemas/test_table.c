/* Goal: tables say what they were built from, absent stays absent, and a template gives the same as
 * building does. Method: figures written here, alignment from the FlatBuffers format. */
#include "schemas/text.h"
#include "schemas/verify.h"
#include "tests/schemas/sample.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
/* cmocka.h wants the ones above. */
#include <cmocka.h>

/* A packet with one of everything. */
static const double p_window[] = { 0.5, 0.25, 0.125, 0.125 };
static const uint16_t reasons[] = { REASON_SIGNAL_CROSS_UP, REASON_REDUCED };
static const struct msg_cost_assumption_in cost = { .bps = 7.5,
                                                    .both_sides = 1,
                                                    .liquidity = LIQUIDITY_TAKER };
static const struct msg_decision_packet_in packet = {
    .order_id = 77,
    .has_order_id = true,
    .market = "binance spot",
    .symbol = "BTCUSDT",
    .timeframe = "1m",
    .action = ACTION_LONG,
    .entry = 6412350000000,
    .has_entry = true,
    .sl = 0,
    .has_sl = true,
    .p_window = p_window,
    .p_window_cnt = 4,
    .cost_assumption = &cost,
    .reasons = reasons,
    .reasons_cnt = 2,
    .notes = "",
    .instrument = 3,
    .quantity = -5,
    .has_quantity = true,
};

/* check_packet asserts that body says what packet does. */
static void check_packet(const void *body) {
    const struct msg_decision_packet *d = msg_decision_packet_of(body);
    const struct msg_cost_assumption *c;
    uint32_t cnt;
    assert_true(msg_decision_packet_has_order_id(d));
    assert_int_equal(msg_decision_packet_order_id(d), 77);
    assert_string_equal(msg_decision_packet_market(d), "binance spot");
    assert_string_equal(msg_decision_packet_symbol(d), "BTCUSDT");
    assert_string_equal(msg_decision_packet_timeframe(d), "1m");
    assert_null(msg_decision_packet_horizon(d));
    assert_int_equal(msg_decision_packet_action(d), ACTION_LONG);
    assert_false(msg_decision_packet_has_signal_strength(d));
    assert_true(msg_decision_packet_signal_strength(d) == 0);
    assert_int_equal(msg_decision_packet_risk_level(d), RISK_LEVEL_UNKNOWN);
    assert_int_equal(msg_decision_packet_entry(d), 6412350000000);
    assert_true(msg_decision_packet_has_sl(d)); /* zero is not absent */
    assert_false(msg_decision_packet_has_tp1(d));
    assert_memory_equal(msg_decision_packet_p_window(d, &cnt), p_window, sizeof p_window);
    assert_int_equal(cnt, 4);
    assert_int_equal((uintptr_t)msg_decision_packet_p_window(d, &cnt) % 8, 0);
    assert_memory_equal(msg_decision_packet_reasons(d, &cnt), reasons, sizeof reasons);
    assert_int_equal(cnt, 2);
    assert_string_equal(msg_decision_packet_notes(d), ""); /* empty is not absent */
    assert_int_equal(msg_decision_packet_instrument(d), 3);
    assert_int_equal(msg_decision_packet_quantity(d), -5);
    c = msg_decision_packet_cost_assumption(d);
    assert_true(msg_cost_assumption_bps(c) == 7.5);
    assert_int_equal(msg_cost_assumption_both_sides(c), 1);
    assert_int_equal(msg_cost_assumption_liquidity(c), LIQUIDITY_TAKER);
}

/* Building, wherever the room begins, and with each size of it that is too small. */
static void build(void **state) {
    _Alignas(8) uint8_t room[1024];
    struct msg_builder b;
    uint32_t bytes = 0;
    const void *body;
    (void)state;
    for (size_t skip = 0; skip < 16; skip++) {
        msg_builder_init(&b, room + skip, sizeof room - skip - 3);
        body = msg_decision_packet_build(&b, &packet, &bytes);
        assert_non_null(body);
        assert_int_equal(bytes % 8, 0);
        assert_int_equal((uintptr_t)body % 8, 0);
        assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, bytes), 0);
        check_packet(body);
    }
    for (size_t cap = 0; cap < bytes; cap++) {
        uint32_t none = 0;
        memset(room, 0xa5, sizeof room);
        msg_builder_init(&b, room + 8, cap);
        assert_null(msg_decision_packet_build(&b, &packet, &none));
        for (size_t i = 0; i < 8; i++) assert_int_equal(room[i], 0xa5);
        for (size_t i = cap + 8; i < sizeof room; i++) assert_int_equal(room[i], 0xa5);
    }
    msg_builder_init(&b, room, bytes);
    assert_non_null(msg_decision_packet_build(&b, &packet, &bytes));
}

/* An empty table: nothing is stored, everything is read as its default. */
static void empty(void **state) {
    static const struct msg_decision_packet_in none;
    _Alignas(8) uint8_t room[64];
    const struct msg_decision_packet *d;
    struct msg_builder b;
    uint32_t bytes, cnt = 9;
    const void *body;
    (void)state;
    msg_builder_init(&b, room, sizeof room);
    body = msg_decision_packet_build(&b, &none, &bytes);
    assert_non_null(body);
    assert_true(bytes <= 16);
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, bytes), 0);
    d = msg_decision_packet_of(body);
    assert_null(msg_decision_packet_market(d));
    assert_null(msg_decision_packet_reasons(d, &cnt));
    assert_int_equal(cnt, 0);
    assert_null(msg_decision_packet_cost_assumption(d));
    assert_false(msg_decision_packet_has_quantity(d));
    assert_int_equal(msg_decision_packet_quantity(d), 0);
}

/* A body too large for a frame is refused, also where there is room. */
static void too_large(void **state) {
    static char text[MSG_BODY_MAX];
    static uint8_t room[2 * MSG_FRAME_MAX];
    struct msg_decision_packet_in in = { .notes = text };
    struct msg_builder b;
    uint32_t bytes;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    msg_builder_init(&b, room, sizeof room);
    assert_null(msg_decision_packet_build(&b, &in, &bytes));
    text[sizeof text - 97] = 0; /* head, vtable and length take less */
    msg_builder_init(&b, room, sizeof room);
    assert_non_null(msg_decision_packet_build(&b, &in, &bytes));
    assert_true(bytes <= MSG_BODY_MAX);
}

/* A copy of a template is what it was made of; what is put is there, what is not put stays absent.
 */
static void template_copies(void **state) {
    _Alignas(8) uint8_t memory[2048];
    _Alignas(8) uint8_t body[1024];
    const struct msg_decision_packet *d = NULL;
    const struct msg_template *t;
    uint32_t cnt;
    (void)state;
    for (size_t cap = 0; cap < sizeof *t + 64; cap++)
        assert_null(msg_decision_packet_template(memory, cap, &packet));
    for (size_t skip = 0; skip < 8; skip++) {
        t = msg_decision_packet_template(memory + skip, sizeof memory - skip, &packet);
        assert_non_null(t);
        assert_true(t->bytes <= sizeof body);
        msg_template_copy(t, body);
        assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, t->bytes), 0);
        check_packet(body);
    }
    msg_decision_packet_put_order_id(t, body, 78);
    msg_decision_packet_put_action(t, body, ACTION_SHORT);
    msg_decision_packet_put_risk_level(t, body, RISK_LEVEL_HIGH);
    msg_decision_packet_put_tp1(t, body, 123);
    msg_decision_packet_put_rr(t, body, 1.5);
    msg_decision_packet_put_symbol(t, body, "ETH");
    msg_decision_packet_put_reasons(t, body, reasons + 1, 1);
    msg_decision_packet_put_p_window(t, body, p_window, 0);
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, t->bytes), 0);
    d = msg_decision_packet_of(body);
    assert_int_equal(msg_decision_packet_order_id(d), 78);
    assert_int_equal(msg_decision_packet_action(d), ACTION_SHORT);
    assert_int_equal(msg_decision_packet_risk_level(d), RISK_LEVEL_HIGH);
    assert_true(msg_decision_packet_has_tp1(d));
    assert_int_equal(msg_decision_packet_tp1(d), 123);
    assert_false(msg_decision_packet_has_tp2(d));
    assert_true(msg_decision_packet_rr(d) == 1.5);
    assert_string_equal(msg_decision_packet_symbol(d), "ETH");
    assert_string_equal(msg_decision_packet_market(d), "binance spot");
    assert_int_equal(msg_decision_packet_reasons(d, &cnt)[0], REASON_REDUCED);
    assert_int_equal(cnt, 1);
    assert_non_null(msg_decision_packet_p_window(d, &cnt));
    assert_int_equal(cnt, 0);
    msg_template_copy(t, body); /* the template itself has not changed */
    check_packet(body);
}

/* What a copy with a dozen fields put into it costs; printed, not judged. */
static void template_cost(void **state) {
    enum { ROUNDS = 1 << 20 };
    _Alignas(8) uint8_t memory[2048];
    _Alignas(8) uint8_t body[1024];
    const struct msg_template *t = msg_decision_packet_template(memory, sizeof memory, &packet);
    struct timespec from, to;
    (void)state;
    assert_non_null(t);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int64_t i = 0; i < ROUNDS; i++) {
        msg_template_copy(t, body);
        msg_decision_packet_put_order_id(t, body, (uint64_t)i);
        msg_decision_packet_put_action(t, body, ACTION_LONG);
        msg_decision_packet_put_entry(t, body, i);
        msg_decision_packet_put_sl(t, body, i);
        msg_decision_packet_put_quantity(t, body, i);
        msg_decision_packet_put_generated_at_utc(t, body, i);
        msg_decision_packet_put_valid_until(t, body, i);
        msg_decision_packet_put_signal_strength(t, body, 0.5);
        msg_decision_packet_put_reasons(t, body, reasons, 1);
        __asm__ volatile("" : : "r"(body) : "memory");
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%u bytes, copied and filled in %.1f ns\n", t->bytes,
           ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
               ROUNDS);
}

/* All kinds of field that a shape may have, in one that no schema has: vectors of strings, tables
 * and structs, a struct in a table, tables in tables. */
static void all_shapes(void **state) {
    struct leaf {
        const char *name;
        double weight;
        const char *const *words;
        uint32_t words_cnt;
        const struct leaf *more;
        uint32_t more_cnt;
        const struct msg_counter_row *row;
        const struct msg_counter_row *rows;
        uint32_t rows_cnt;
        float single;
        bool has_single;
    };
    static struct msg_shape shape;
    const struct msg_shape *row = msg_infos[MSG_COUNTER_ROW].shape;
    const struct msg_field fields[] = {
        { .name = "name", .type = MSG_TYPE_STRING, .at = 4, .in_at = offsetof(struct leaf, name) },
        { .name = "weight",
          .type = MSG_TYPE_F64,
          .at = 6,
          .in_at = offsetof(struct leaf, weight),
          .def.d = 1.5 },
        { .name = "words",
          .type = MSG_TYPE_VECTOR,
          .element = MSG_TYPE_STRING,
          .at = 8,
          .in_at = offsetof(struct leaf, words),
          .in_more = offsetof(struct leaf, words_cnt) },
        { .name = "more",
          .type = MSG_TYPE_VECTOR,
          .element = MSG_TYPE_TABLE,
          .shape = &shape,
          .at = 10,
          .in_at = offsetof(struct leaf, more),
          .in_more = offsetof(struct leaf, more_cnt) },
        { .name = "row",
          .type = MSG_TYPE_STRUCT,
          .shape = row,
          .at = 12,
          .in_at = offsetof(struct leaf, row) },
        { .name = "rows",
          .type = MSG_TYPE_VECTOR,
          .element = MSG_TYPE_STRUCT,
          .shape = row,
          .at = 14,
          .in_at = offsetof(struct leaf, rows),
          .in_more = offsetof(struct leaf, rows_cnt) },
        { .name = "single",
          .type = MSG_TYPE_F32,
          .at = 16,
          .in_at = offsetof(struct leaf, single),
          .in_more = offsetof(struct leaf, has_single),
          .optional = true },
    };
    static const char *const words[] = { "one", "two", "three" };
    static const struct msg_counter_row rows[] = { { 1, 2 }, { 3, 4 } };
    const struct leaf twigs[] = {
        { .name = "x", .weight = 1.5 },
        { .name = "y", .weight = 2, .row = rows, .rows = rows, .rows_cnt = 2 },
    };
    const struct leaf tree = { .name = "t",
                               .words = words,
                               .words_cnt = 3,
                               .more = twigs,
                               .more_cnt = 2,
                               .single = 0.5f,
                               .has_single = true };
    _Alignas(8) uint8_t room[1024];
    struct msg_builder b;
    const uint8_t *v, *twig;
    uint32_t bytes, cnt;
    double weight;
    const void *table;
    (void)state;
    shape = (struct msg_shape){ .name = "Leaf",
                                .fields = fields,
                                .field_cnt = 7,
                                .in_bytes = sizeof(struct leaf),
                                .is_table = true };
    msg_builder_init(&b, room, sizeof room);
    table = msg_build(&b, &shape, &tree, &bytes);
    assert_non_null(table);
    assert_ptr_equal(b.start, room); /* notes are given back */
    table = msg_follow(table);
    assert_string_equal(msg_string(table, 4), "t");
    memcpy(&weight, msg_slot(table, 6), sizeof weight);
    assert_true(weight == 0);
    v = msg_vector(table, 8, &cnt);
    assert_int_equal(cnt, 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal((const char *)msg_follow(v + 4 * i) + 4, words[i]);
    v = msg_vector(table, 10, &cnt);
    assert_int_equal(cnt, 2);
    twig = msg_follow(v);
    assert_string_equal(msg_string(twig, 4), "x");
    assert_null(msg_slot(twig, 6)); /* its default */
    twig = msg_follow(v + 4);
    assert_string_equal(msg_string(twig, 4), "y");
    assert_memory_equal(msg_slot(twig, 12), rows, sizeof *rows);
    assert_int_equal((uintptr_t)msg_slot(twig, 12) % 8, 0);
    assert_memory_equal(msg_vector(twig, 14, &cnt), rows, sizeof rows);
    assert_int_equal((uintptr_t)msg_vector(twig, 14, &cnt) % 8, 0);
    for (size_t cap = 0; cap < bytes; cap++) {
        msg_builder_init(&b, room, cap);
        assert_null(msg_build(&b, &shape, &tree, &cnt));
    }
}

/* main runs all. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(build),         cmocka_unit_test(empty),
        cmocka_unit_test(too_large),     cmocka_unit_test(template_copies),
        cmocka_unit_test(template_cost), cmocka_unit_test(all_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
