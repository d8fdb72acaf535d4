/* Goal: what messages.c tells of kinds, enums and reasons is what the .fbs files say, and text for
 * people is exact. Method: figures copied from the .fbs files by hand. */
#include "schemas/text.h"
#include "schemas/verify.h"
#include "tests/schemas/sample.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka.h wants the ones above. */
#include <cmocka.h>

/* Kinds: number, size, attributes. */
static void kinds(void **state) {
    const struct msg_info *bar = &msg_infos[32], *intent = &msg_infos[48], *packet = &msg_infos[64];
    (void)state;
    assert_int_equal(MSG_BAR, 32);
    assert_string_equal(bar->name, "Bar");
    assert_int_equal(bar->body_bytes, 64);
    assert_true(bar->input && !bar->audit && !bar->is_table);
    assert_string_equal(intent->name, "OrderIntent");
    assert_int_equal(intent->body_bytes, 32); /* fits a slot with the head */
    assert_true(intent->audit && !intent->input);
    assert_int_equal(msg_infos[MSG_RISK_VERDICT].body_bytes, 32);
    assert_int_equal(msg_infos[MSG_VENUE_REQUEST].body_bytes, 32);
    assert_true(packet->is_table && packet->audit && packet->body_bytes == 0);
    assert_null(msg_infos[0].name);
    assert_null(msg_infos[MSG_KIND_MAX - 1].name);
    assert_string_equal(msg_kind_name(MSG_COMMAND), "Command");
    assert_string_equal(msg_kind_name(0), "?");
    assert_string_equal(msg_kind_name(65535), "?");
    for (size_t k = 0; k < MSG_KIND_MAX; k++)
        if (msg_infos[k].name != NULL) assert_int_equal(msg_infos[k].body_bytes % 8, 0);
}

/* Names and sentences of enums. */
static void words(void **state) {
    (void)state;
    assert_string_equal(msg_reason_name(REASON_NO_REFERENCE_PRICE), "no_reference_price");
    assert_string_equal(msg_reason_text(REASON_NO_REFERENCE_PRICE),
                        "no reference price to check against");
    assert_string_equal(msg_reason_name(59), "?");
    assert_string_equal(msg_reason_text(9999), "?");
    assert_string_equal(msg_side_name(SIDE_SELL), "sell");
    assert_string_equal(msg_order_status_name(ORDER_STATUS_PARTIALLY_FILLED), "partially_filled");
    assert_string_equal(msg_order_terms_name(ORDER_TERMS_EXIT), "exit");
    assert_int_equal(ORDER_TERMS_IOC, 1);
    assert_int_equal(ORDER_TERMS_EXIT, 64);
    assert_string_equal(msg_command_op_text(COMMAND_OP_RESUME), "undoes pause");
    for (uint16_t r = 0; r < 100; r++) /* each reason has a sentence: people read it */
        assert_true((strcmp(msg_reason_name(r), "?") == 0) ==
                    (strcmp(msg_reason_text(r), "?") == 0));
}

/* A frame with an intent in it. */
struct intent_frame {
    struct msg_frame head;        /* kind and size set */
    struct msg_order_intent body; /* legal */
};

/* intent returns one. */
static struct intent_frame intent(void) {
    return (struct intent_frame){
        .head = { .kind = MSG_ORDER_INTENT,
                  .size = 64,
                  .source = 2,
                  .seq = 7,
                  .time_ns = 1709210096000000789,
                  .trace_id = (uint64_t)1 << 48 | 5 },
        .body = { .order_id = 99,
                  .price = -6412350000001,
                  .quantity = 50000000,
                  .instrument = 1,
                  .side = SIDE_SELL,
                  .type = ORDER_TYPE_LIMIT,
                  .terms = ORDER_TERMS_POST_ONLY | ORDER_TERMS_EXIT,
                  .reason = REASON_SIGNAL_CROSS_DOWN },
    };
}

/* A struct: its size, its enums, its flags. */
static void verify(void **state) {
    struct intent_frame f = intent();
    (void)state;
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 32), 0);
    assert_int_equal(msg_verify(MSG_OUT | MSG_ORDER_INTENT, &f.body, 32), 0);
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 31), -EMSGSIZE);
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 40), -EMSGSIZE);
    assert_int_equal(msg_verify(0, &f.body, 32), -ENOENT);
    assert_int_equal(msg_verify(511, &f.body, 32), -ENOENT);
    assert_int_equal(msg_verify(32767, &f.body, 32), -ENOENT);
    f.body.side = 2;
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 32), -EBADMSG);
    f = intent();
    f.body.terms = 0x80;
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 32), -EBADMSG);
    f = intent();
    f.body.reason = 59; /* a hole between two reasons */
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 32), -EBADMSG);
    f.body.reason = 65535;
    assert_int_equal(msg_verify(MSG_ORDER_INTENT, &f.body, 32), -EBADMSG);
}

/* The head's size is checked against what is there. */
static void verify_head(void **state) {
    struct intent_frame f = intent();
    (void)state;
    assert_int_equal(msg_verify_frame(&f.head, sizeof f), 0);
    assert_int_equal(msg_verify_frame(&f.head, sizeof f - 1), -EMSGSIZE);
    assert_int_equal(msg_verify_frame(&f.head, 31), -EMSGSIZE);
    f.head.size = 24;
    assert_int_equal(msg_verify_frame(&f.head, sizeof f), -EMSGSIZE);
    f.head.size = 60;
    assert_int_equal(msg_verify_frame(&f.head, sizeof f), -EMSGSIZE);
}

/* Text for people, and JSON, also in buffers that are too small. */
static void text(void **state) {
    static const char line[] =
        "2024-02-29T12:34:56.000000789Z OrderIntent 2->0 seq=7 trace=1.5 order_id=99 "
        "price=-64123.50000001 quantity=0.5 instrument=1 account=0 side=sell type=limit "
        "terms=post_only|exit reason=signal_cross_down";
    static const char json[] =
        "{\"order_id\":99,\"price\":-6412350000001,\"quantity\":50000000,\"instrument\":1,"
        "\"account\":0,\"side\":\"sell\",\"type\":\"limit\",\"terms\":\"post_only exit\","
        "\"reason\":\"signal_cross_down\"}";
    struct intent_frame f = intent();
    char out[512];
    (void)state;
    assert_int_equal(msg_print(&f.head, out, sizeof out), strlen(line));
    assert_string_equal(out, line);
    assert_int_equal(msg_to_json(&f.head, out, sizeof out), strlen(json));
    assert_string_equal(out, json);
    for (size_t cap = 0; cap < strlen(json) + 2; cap++) {
        memset(out, 0x5a, sizeof out);
        assert_int_equal(msg_to_json(&f.head, out, cap), strlen(json));
        if (cap > 0) {
            size_t cnt = cap - 1 < strlen(json) ? cap - 1 : strlen(json);
            assert_int_equal(strlen(out), cnt);
            assert_memory_equal(out, json, cnt);
        }
        assert_int_equal(out[cap], 0x5a);
    }
    f.body.side = 9;
    assert_int_equal(msg_to_json(&f.head, out, sizeof out), 0);
    assert_string_equal(out, "");
}

/* Points in time from both ends of the range; figures from date -u. */
static void dates(void **state) {
    static const struct {
        int64_t ns;       /* the time */
        const char *text; /* how it is written */
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59.999999999Z" },
        { 951782400000000000, "2000-02-29T00:00:00Z" },
        { 1735689599000000000, "2024-12-31T23:59:59Z" },
        { INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
        { INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
    };
    struct intent_frame f = intent();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[512];
        f.head.time_ns = cases[i].ns;
        msg_print(&f.head, out, sizeof out);
        *strchr(out, ' ') = 0;
        assert_string_equal(out, cases[i].text);
    }
}

/* main runs all. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),       cmocka_unit_test(words), cmocka_unit_test(verify),
        cmocka_unit_test(verify_head), cmocka_unit_test(text),  cmocka_unit_test(dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
