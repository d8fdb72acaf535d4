/* Goal: what is generated for types that no message of ours has is right too: structs in structs,
 * vectors of strings, tables and structs, required fields, every kind of default.
 * Method: test_generator compiles this with the C generated from every_type.fbs; exit code 0, else
 * an assert. */
#include "schemas/messages.h"
#include "schemas/verify.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* Room for the largest body. */
enum { ROOM = MSG_FRAME_MAX };

static _Alignas(8) uint8_t room[ROOM]; /* where bodies are made */

/* make makes a body of in. */
static uint8_t *make(const struct msg_t_in *in, uint32_t *bytes) {
    struct msg_builder b;
    const void *body;
    msg_builder_init(&b, room, sizeof room);
    body = msg_t_build(&b, in, bytes);
    assert(body != NULL);
    return room + ((const uint8_t *)body - room);
}

/* defaults: a value equal to its default takes no room and is read all the same. */
static void defaults(void) {
    struct msg_t_in in = { .k = "x",
                           .a = INT64_MIN,
                           .b = NAN,
                           .c = -INFINITY,
                           .d = F_Y,
                           .e = E_A | E_C,
                           .f = 1,
                           .r = 0.1 };
    const struct msg_t *t;
    uint32_t bytes;
    const uint8_t *body = make(&in, &bytes);
    assert(msg_verify(6, body, bytes) == 0);
    t = msg_t_of(body);
    assert(msg_slot(t, 4) == NULL && msg_t_a(t) == INT64_MIN);
    assert(msg_slot(t, 6) == NULL && isnan(msg_t_b(t)));
    assert(msg_slot(t, 8) == NULL && msg_t_c(t) == -INFINITY);
    assert(msg_slot(t, 10) == NULL && msg_t_d(t) == F_Y);
    assert(msg_slot(t, 12) == NULL && msg_t_e(t) == 5);
    assert(msg_slot(t, 14) == NULL && msg_t_f(t) == 1);
    assert(msg_slot(t, 34) == NULL && msg_t_r(t) == 0.1);
    assert(!msg_t_has_l(t) && msg_t_l(t) == 0 && msg_t_cnt_of_g(t) == 0 && msg_t_j(t) == NULL);
    assert(strcmp(msg_t_k(t), "x") == 0);
}

/* vectors: strings, tables and structs come back as they went in. */
static void vectors(void) {
    static const char *const words[] = { "one", "", "three" };
    static const struct msg_s rows[] = { { .e = E_B, .l = -3 }, { .in.f = F_X, .b = 1 } };
    static const struct msg_in single = { .v = 2.5, .q = 7 };
    static const struct msg_t_in inner[] = { { .k = "p" }, { .k = "q", .has_l = true, .l = 0 } };
    static const uint8_t truths[] = { 0, 1 };
    struct msg_t_in in = { .k = "",
                           .g = words,
                           .g_cnt = 3,
                           .h = inner,
                           .h_cnt = 2,
                           .i = rows,
                           .i_cnt = 2,
                           .j = &single,
                           .m = truths,
                           .m_cnt = 2 };
    const struct msg_t *t;
    const struct msg_s *s;
    uint32_t bytes, cnt;
    uint8_t *body = make(&in, &bytes);
    assert(msg_verify(6, body, bytes) == 0);
    t = msg_t_of(body);
    assert(msg_t_cnt_of_g(t) == 3 && msg_t_cnt_of_h(t) == 2);
    for (uint32_t i = 0; i < 3; i++) assert(strcmp(msg_t_g(t, i), words[i]) == 0);
    assert(strcmp(msg_t_k(msg_t_h(t, 0)), "p") == 0 && !msg_t_has_l(msg_t_h(t, 0)));
    assert(strcmp(msg_t_k(msg_t_h(t, 1)), "q") == 0 && msg_t_has_l(msg_t_h(t, 1)));
    s = msg_t_i(t, &cnt);
    assert(cnt == 2 && (uintptr_t)s % 8 == 0 && memcmp(s, rows, sizeof rows) == 0);
    assert(memcmp(msg_t_j(t), &single, sizeof single) == 0);
    assert((uintptr_t)msg_t_j(t) % 8 == 0);
    /* values that are none, in a struct in a struct in a vector, and in a vector */
    body[(const uint8_t *)&s[1].in.f - body] = 3;
    assert(msg_verify(6, body, bytes) == -EBADMSG);
    body[(const uint8_t *)&s[1].in.f - body] = F_Y;
    assert(msg_verify(6, body, bytes) == 0);
    body[(const uint8_t *)msg_t_m(t, &cnt) - body] = 2;
    assert(msg_verify(6, body, bytes) == -EBADMSG);
}

/* required: a table without the field is refused. */
static void required(void) {
    const struct msg_t_in in = { .k = "here" };
    uint32_t bytes;
    uint8_t *body = make(&in, &bytes);
    uint8_t *table = body + *(uint32_t *)(void *)body;
    uint8_t *vtable = table - *(int32_t *)(void *)table;
    assert(msg_verify(6, body, bytes) == 0);
    memset(vtable + 4 + 2 * 10, 0, 2);
    assert(msg_verify(6, body, bytes) == -EBADMSG);
}

/* depth: tables in tables up to a bound. */
static void depth(void) {
    static struct msg_t_in chain[MSG_DEPTH_MAX + 1];
    uint32_t bytes;
    uint8_t *body;
    for (uint32_t i = 0; i <= MSG_DEPTH_MAX; i++) {
        chain[i].k = "k";
        if (i == 0) continue;
        chain[i].h = &chain[i - 1];
        chain[i].h_cnt = 1;
    }
    body = make(&chain[MSG_DEPTH_MAX - 1], &bytes);
    assert(msg_verify(6, body, bytes) == 0);
    body = make(&chain[MSG_DEPTH_MAX], &bytes);
    assert(msg_verify(6, body, bytes) == -EBADMSG);
}

/* work: many offsets to one long string are refused before they cost time; a few are fine. */
static void work(void) {
    static char text[30000];
    static const char *words[2000];
    struct msg_t_in in = { .k = "", .g = words, .g_cnt = 2000 };
    uint32_t bytes, cnt;
    uint8_t *body, *first;
    const uint8_t *to;
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < 2000; i++) words[i] = i == 0 ? text : "";
    body = make(&in, &bytes);
    assert(msg_verify(6, body, bytes) == 0);
    to = (const uint8_t *)msg_t_g(msg_t_of(body), 0) - 4;
    first = body + ((const uint8_t *)msg_vector(msg_t_of(body), 4 + 2 * 6, &cnt) - body);
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t ahead = (uint32_t)(to - (first + 4 * (size_t)i));
        assert(to > first + 4 * (size_t)i);
        memcpy(first + 4 * (size_t)i, &ahead, sizeof ahead);
        if (i == 3) assert(msg_verify(6, body, bytes) == 0);
    }
    assert(msg_verify(6, body, bytes) == -EBADMSG);
}

/* main runs all. */
int main(void) {
    defaults();
    vectors();
    required();
    depth();
    work();
    return 0;
}
