/* Goal: the control socket's lines become the Command messages they say, or one sentence of why
 * not. Method: lines as people write them, against the frame each must make; refusals put no frame;
 * a line of any bytes keeps to its room. */
#include "actors/gateway/command.h"
#include "actors/registry.h"
#include "actors/risk/risk.h"
#include "actors/strategy/host.h"
#include "runtime/base/config.h"
#include "schemas/messages.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants those above first */
#include <cmocka.h>

/* The map of the one strategy. */
static const char strategy[] = "kind: strategy\nclass: sma_cross\n";

/* find knows the strategy "cross" as actor 3, and "risk", which has no parameters, as 5. */
static int find(const void *graph, const char *name, const struct rt_actor_kind **kind,
                struct rt_node **config) {
    const struct rt_config *const *maps = graph;
    if (strcmp(name, "cross") != 0 && strcmp(name, "risk") != 0) return -ENOENT;
    *kind = name[0] == 'r' ? &risk_kind : &strategy_kind;
    *config = rt_config_root((struct rt_config *)(uintptr_t)maps[name[0] == 'r']);
    return name[0] == 'r' ? 5 : 3;
}

/* What a test decodes with. */
struct world {
    struct rt_config *maps[2]; /* of cross and risk */
    uint64_t state[16];        /* the decoder's */
    uint64_t room[32];         /* frames */
    struct rt_decoded out;     /* over room */
    struct rt_error err;       /* what was refused */
};

/* begin readies the registered decoder of the control socket. */
static const struct rt_decoder_kind *begin(struct world *w) {
    const struct rt_decoder_kind *k = rt_registry_decoder(&shrike_registry, RT_TRANSPORT_CONTROL);
    memset(w, 0, sizeof *w);
    assert_non_null(k);
    assert_true(k->state_bytes <= sizeof w->state);
    assert_int_equal(rt_config_parse("f", strategy, strlen(strategy), &w->maps[0], &w->err), 0);
    assert_int_equal(rt_config_parse("f", "kind: risk", 10, &w->maps[1], &w->err), 0);
    struct rt_decoder_init init = { .graph = w->maps, .find = find };
    k->init(w->state, &init);
    w->out = (struct rt_decoded){ .room = w->room, .bytes = sizeof w->room };
    return k;
}

/* end frees what begin made. */
static void end(struct world *w) {
    rt_config_close(w->maps[0]);
    rt_config_close(w->maps[1]);
}

/* What is asked and what must come of it. */
static void test_lines(void **state) {
    (void)state;
    static const struct {
        const char *line;    /* as typed */
        const char *refused; /* part of the sentence; NULL = a frame comes */
        uint16_t op, target; /* of the frame */
        int64_t value;       /* likewise */
    } cases[] = {
        { "pause", NULL, COMMAND_OP_PAUSE, 0, 0 },
        { "pause cross", NULL, COMMAND_OP_PAUSE, 3, 0 },
        { "  resume\tcross \r", NULL, COMMAND_OP_RESUME, 3, 0 },
        { "stop cross", NULL, COMMAND_OP_STOP, 3, 0 },
        { "stop risk", "risk is of kind risk, which takes no commands", 0, 0, 0 },
        { "pause risk", "takes no commands", 0, 0, 0 },
        { "resume risk", "takes no commands", 0, 0, 0 },
        { "set cross fast 12", NULL, COMMAND_OP_SET, 3, 12 },
        { "set cross fast 9999", "expected a whole number", 0, 0, 0 },
        { "set cross fats 12", "no parameter of sma_cross", 0, 0, 0 },
        { "set cross fast", "set ACTOR PARAM VALUE expected", 0, 0, 0 },
        { "set cross fast 1 2", "set ACTOR PARAM VALUE expected", 0, 0, 0 },
        { "set risk fast 1", "takes no commands", 0, 0, 0 },
        { "set", "set ACTOR PARAM VALUE expected", 0, 0, 0 },
        { "pause nobody", "no actor is called so", 0, 0, 0 },
        { "pause cross now", "pause [ACTOR] expected", 0, 0, 0 },
        { "dance", "unknown command", 0, 0, 0 },
        { "kill", "unknown command", 0, 0, 0 }, /* the engine's, not an actor's */
        { "none", "unknown command", 0, 0, 0 },
        { "", "an empty request", 0, 0, 0 },
        { " \t ", "an empty request", 0, 0, 0 },
    };
    struct world w;
    const struct rt_decoder_kind *k = begin(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rt_unit in = { .bytes = (const uint8_t *)cases[i].line,
                              .cnt = strlen(cases[i].line),
                              .key = 70 + i,
                              .uid = 1000 };
        w.out.used = 0;
        int code = k->decode(w.state, &in, &w.out, &w.err);
        if (cases[i].refused) {
            assert_true(code < 0);
            if (!strstr(w.err.text, cases[i].refused)) print_error("%s\n", w.err.text);
            assert_non_null(strstr(w.err.text, cases[i].refused));
            continue;
        }
        assert_int_equal(code, 0);
        const struct msg_frame *f = (const struct msg_frame *)w.room;
        const struct msg_command *m = msg_body(f);
        assert_int_equal(w.out.used, sizeof *f + sizeof *m);
        assert_int_equal(f->size, w.out.used);
        assert_int_equal(f->kind, MSG_COMMAND);
        assert_int_equal(f->dest, cases[i].target);
        assert_int_equal(m->op, cases[i].op);
        assert_int_equal(m->target, cases[i].target);
        assert_true(m->value == cases[i].value);
        assert_int_equal(m->key, 70 + i);
        assert_int_equal(m->uid, 1000);
    }
    end(&w);
}

/* Lines too long, with NULs, and without room for their frame. */
static void test_bounds(void **state) {
    (void)state;
    struct world w;
    const struct rt_decoder_kind *k = begin(&w);
    uint8_t line[600];
    memset(line, 'a', sizeof line);
    struct rt_unit in = { .bytes = line, .cnt = 511 };
    assert_true(k->decode(w.state, &in, &w.out, &w.err) < 0);
    assert_non_null(strstr(w.err.text, "unknown command"));
    in.cnt = 512;
    assert_true(k->decode(w.state, &in, &w.out, &w.err) < 0);
    assert_non_null(strstr(w.err.text, "at most 511 bytes"));
    in = (struct rt_unit){ .bytes = (const uint8_t *)"pause\0cross", .cnt = 11 };
    assert_true(k->decode(w.state, &in, &w.out, &w.err) < 0);
    in.cnt = 5;
    w.out.bytes = sizeof(struct msg_frame) + sizeof(struct msg_command) - 8;
    assert_int_equal(k->decode(w.state, &in, &w.out, &w.err), -ENOSPC);
    assert_int_equal(w.out.used, 0);
    w.out.bytes += 8;
    assert_int_equal(k->decode(w.state, &in, &w.out, &w.err), 0);
    end(&w);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
