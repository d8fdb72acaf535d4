/* Goal: whatever bytes come, the verifier ends, crashes nothing, and what it lets pass can be read.
 * Method: random messages of every kind cut at every byte, with each bit flipped, with random words
 * overwritten; the body lies against a page that cannot be read, so that one byte too far is seen.
 * What passes is written as JSON and as a line, which reads every field. */
#include "schemas/text.h"
#include "schemas/verify.h"
#include "tests/schemas/sample.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>
/* cmocka.h wants the ones above. */
#include <cmocka.h>

/* Bytes before the wall, and of the wall. */
enum { PAGE = 4096, ROOM = 64 << 10 };

static struct sample sample; /* where messages come from */
static uint8_t *wall;        /* what follows this byte cannot be touched */
static uint64_t passed;      /* damaged bodies that are legal all the same */

/* at_wall copies a frame so that its last byte is before the wall. */
static struct msg_frame *at_wall(const struct msg_frame *frame) {
    struct msg_frame *copy = (struct msg_frame *)(wall - frame->size);
    memcpy(copy, frame, frame->size);
    return copy;
}

/* try_frame verifies, and reads what passes. */
static int try_frame(struct msg_frame *frame) {
    static char text[1 << 20];
    int rc = msg_verify_frame(frame, frame->size);
    size_t json = msg_to_json(frame, text, sizeof text);
    size_t line = msg_print(frame, text, sizeof text);
    assert_true((rc == 0) == (json > 0));
    assert_true((rc == 0) == (line > 0));
    if (rc == 0) passed++;
    return rc;
}

/* Shorter than it is: structs are refused by size; of tables what is left is read in bounds. */
static void cut(void **state) {
    (void)state;
    for (uint16_t kind = 1; kind < MSG_KIND_MAX; kind++) {
        const struct msg_frame *whole;
        if (msg_infos[kind].name == NULL) continue;
        whole = sample_frame(&sample, kind);
        assert_int_equal(try_frame(at_wall(whole)), 0);
        for (uint16_t size = sizeof *whole; size < whole->size; size++) {
            struct msg_frame *frame = (struct msg_frame *)(wall - (size + 7) / 8 * 8);
            memcpy(frame, whole, size);
            frame->size = size;
            if (size % 8 != 0)
                assert_int_equal(try_frame(frame), -EMSGSIZE);
            else if (!msg_infos[kind].is_table)
                assert_int_equal(try_frame(frame), -EMSGSIZE);
            else
                try_frame(frame);
        }
    }
}

/* Each bit flipped, one at a time. */
static void flipped(void **state) {
    (void)state;
    for (uint16_t kind = 1; kind < MSG_KIND_MAX; kind++) {
        const struct msg_frame *whole;
        if (msg_infos[kind].name == NULL) continue;
        for (int round = 0; round < (msg_infos[kind].is_table ? 4 : 1); round++) {
            whole = sample_frame(&sample, kind);
            for (size_t bit = 8 * sizeof *whole; bit < 8u * whole->size; bit++) {
                struct msg_frame *frame = at_wall(whole);
                ((uint8_t *)frame)[bit / 8] ^= (uint8_t)(1u << bit % 8);
                try_frame(frame);
            }
        }
    }
}

/* Tables with words overwritten by words that hurt: small, huge, and others of the same body. */
static void scrambled(void **state) {
    (void)state;
    for (int i = 0; i < 40000; i++) {
        struct msg_frame *frame;
        size_t words;
        static struct msg_frame *whole;
        if (i % 100 == 0) whole = sample_frame(&sample, MSG_DECISION_PACKET);
        frame = at_wall(whole);
        words = (frame->size - sizeof *frame) / 2;
        for (uint64_t n = sample_next(&sample) % 4 + 1; n > 0; n--) {
            uint16_t *p = (uint16_t *)(frame + 1) + sample_next(&sample) % words;
            uint64_t r = sample_next(&sample);
            static const uint16_t hurt[] = { 0, 1, 2, 3, 4, 0x7fff, 0x8000, 0xfffe, 0xffff };
            *p = r % 3 == 0   ? hurt[r / 3 % 9]
                 : r % 3 == 1 ? ((uint16_t *)(frame + 1))[r / 3 % words]
                              : (uint16_t)(r >> 16);
        }
        try_frame(frame);
    }
    printf("%llu damaged bodies were legal\n", (unsigned long long)passed);
}

/* Each rule by a body that breaks it and nothing else. */
static void rules(void **state) {
    static const uint16_t reason[] = { REASON_NONE, REASON_REDUCED };
    static const double odds[] = { 0.5, 0.5 };
    static const struct msg_cost_assumption_in cost = { .bps = 1, .both_sides = 1 };
    const struct msg_decision_packet_in in = { .market = "abcde",
                                               .entry = 5,
                                               .has_entry = true,
                                               .quantity = 6, /* the last field of the vtable */
                                               .has_quantity = true,
                                               .p_window = odds,
                                               .p_window_cnt = 2,
                                               .reasons = reason,
                                               .reasons_cnt = 2,
                                               .action = ACTION_LONG,
                                               .cost_assumption = &cost };
    _Alignas(8) uint8_t room[512], body[512];
    struct msg_builder b;
    const uint8_t *made;
    uint32_t bytes, cnt;
    uint32_t *word = (uint32_t *)body;
    uint8_t *table, *vtable;
    (void)state;
    msg_builder_init(&b, room, sizeof room);
    made = msg_decision_packet_build(&b, &in, &bytes);
    assert_non_null(made);
#define AGAIN()                                                                                    \
    (memcpy(body, made, bytes), table = body + word[0], vtable = table - *(int32_t *)(void *)table)
#define REFUSED()  assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, bytes), -EBADMSG)
#define FIELD(id)  ((uint8_t *)(uintptr_t)msg_slot(table, 4 + 2 * (id)))
#define TARGET(id) ((uint8_t *)(uintptr_t)msg_ref(table, 4 + 2 * (id)))
    AGAIN();
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, bytes), 0);
    word[0] = bytes; /* the root behind the end */
    REFUSED();
    AGAIN(), word[0] += 2; /* the root unaligned */
    REFUSED();
    AGAIN(), *(int32_t *)(void *)table = 1 << 30; /* the vtable before the start */
    REFUSED();
    AGAIN(), *(int32_t *)(void *)table = -(int32_t)bytes; /* behind the end */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)vtable += 1; /* a vtable of odd size */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)vtable = 2; /* smaller than its head */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)vtable = 0xfffe; /* longer than the body */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(vtable + 2) = 6; /* a table smaller than its fields */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(vtable + 2) = 0xfff0; /* larger than the body */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(vtable + 4 + 2 * 9) += 4; /* a price unaligned */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(vtable + 4 + 2 * 9) -= 4; /* likewise, before its place */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(vtable + 4 + 2 * 5) = 2; /* a field over the table's head */
    assert_int_equal(table[2], ACTION_WAIT);
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(vtable + 4 + 2 * 9) = *(uint16_t *)(void *)(vtable + 2);
    REFUSED();
    AGAIN(), *(uint32_t *)(void *)FIELD(17) -= 4; /* doubles unaligned */
    memcpy(TARGET(17), &(uint32_t){ 1 }, 4);
    REFUSED();
    AGAIN(), *FIELD(5) = 3; /* an action that is none */
    REFUSED();
    AGAIN(), *(uint32_t *)(void *)FIELD(1) = 0xfffffffc; /* a string behind the end */
    REFUSED();
    AGAIN(), *(uint32_t *)(void *)FIELD(1) += 1; /* a string unaligned */
    REFUSED();
    AGAIN(), *(uint32_t *)(void *)TARGET(1) = 0xffffffff; /* a string longer than the body */
    REFUSED();
    AGAIN(), *(uint32_t *)(void *)TARGET(1) = 4; /* no NUL at its end */
    REFUSED();
    AGAIN(), TARGET(1)[6] = 0; /* a NUL inside */
    REFUSED();
    AGAIN(), TARGET(1)[4 + 4] = 0xc3; /* UTF-8 that is cut off */
    REFUSED();
    AGAIN(), memcpy(TARGET(1) + 4, "\xc0\x80", 2); /* UTF-8 longer than need be */
    REFUSED();
    AGAIN(), memcpy(TARGET(1) + 4, "\xed\xa0\x80", 3); /* half of a surrogate pair */
    REFUSED();
    AGAIN(), memcpy(TARGET(1) + 4, "\xf4\x90\x80\x80", 4); /* above U+10FFFF */
    REFUSED();
    AGAIN(), memcpy(TARGET(1) + 4, "\xe2\x82\xac", 3); /* right */
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, bytes), 0);
    AGAIN(),
        *(uint32_t *)(void *)TARGET(22) = 0x80000001; /* a vector whose size wraps at 32 bits */
    REFUSED();
    AGAIN(), *(uint16_t *)(void *)(TARGET(22) + 4) = 59; /* an element that is no reason */
    REFUSED();
    AGAIN(), cnt = *(uint32_t *)(void *)FIELD(18);
    assert_true(cnt > 0);
    table = TARGET(18), vtable = table - *(int32_t *)(void *)table;
    assert_int_equal(*FIELD(1), 1);
    *FIELD(1) = 2; /* a truth that is neither, in the inner table */
    REFUSED();
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, bytes - 4), -EMSGSIZE);
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, 0), -EMSGSIZE);
}

/* Fields of a newer schema are skipped: a longer vtable and table are no error. */
static void newer(void **state) {
    /* by hand: root, vtable of 33 fields of which only the last is there, table with 4 bytes */
    _Alignas(8) uint16_t body[44] = { 72 + 4, 0, 4 + 2 * 33, 8 };
    int32_t back = 72;
    (void)state;
    body[2 + 2 + 32] = 4;
    memcpy((uint8_t *)body + 76, &back, sizeof back);
    assert_int_equal(msg_verify(MSG_DECISION_PACKET, body, sizeof body), 0);
    assert_false(msg_decision_packet_has_quantity(msg_decision_packet_of(body)));
}

/* Offsets that all point at one long string cost no time: the work is bounded. */
static void bounded(void **state) {
    static _Alignas(8) uint32_t body[16000];
    struct timespec from, to;
    (void)state;
    /* A packet whose every string is one and the same of some 60 kB. */
    body[0] = 72;
    ((uint16_t *)body)[2] = 4 + 2 * 30;
    ((uint16_t *)body)[3] = 4 + 4 * 16;
    for (uint32_t id = 0, at = 4; id < 30; id++) {
        static const uint8_t strings[] = { 1, 2, 3, 4, 16, 20, 23, 24, 25, 26, 27 };
        for (size_t i = 0; i < sizeof strings; i++) {
            if (strings[i] != id) continue;
            ((uint16_t *)body)[4 + id] = (uint16_t)at;
            body[(72 + at) / 4] = 200 - (72 + at);
            at += 4;
        }
    }
    body[18] = 68;
    body[50] = sizeof body - 200 - 8;
    memset(body + 51, 'x', sizeof body - 204 - 4);
    body[15999] = 0;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < 100; i++) assert_int_equal(msg_verify(64, body, sizeof body), 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_true(to.tv_sec - from.tv_sec < 5); /* 100 times what an honest one takes at most */
}

/* main maps the wall. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut),   cmocka_unit_test(flipped), cmocka_unit_test(scrambled),
        cmocka_unit_test(rules), cmocka_unit_test(newer),   cmocka_unit_test(bounded),
    };
    const char *seed = getenv("SHRIKE_SEED");
    uint8_t *room =
        mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED || mprotect(room + ROOM, PAGE, PROT_NONE) != 0) return 1;
    wall = room + ROOM;
    sample.state = seed != NULL ? strtoull(seed, NULL, 10) : 20240502;
    printf("seed %llu\n", (unsigned long long)sample.state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
