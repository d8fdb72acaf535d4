/* Goal: no line makes the decoder of the control socket crash, look outside its input or write
 * outside its room; what it makes is one well-formed Command to an actor that exists, or nothing.
 * Method: libFuzzer over the registered decoder. */
#include "actors/registry.h"
#include "actors/strategy/host.h"
#include "runtime/base/config.h"
#include "schemas/messages.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* find knows one actor, "cross", a strategy. */
static int find(const void *graph, const char *name, const struct rt_actor_kind **kind,
                struct rt_node **config) {
    if (strcmp(name, "cross") != 0) return -ENOENT;
    *kind = &strategy_kind;
    *config = rt_config_root((struct rt_config *)(uintptr_t)graph);
    return 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static const char map[] = "class: sma_cross\n";
    static struct rt_config *config;
    static uint64_t state[16];
    const struct rt_decoder_kind *k = rt_registry_decoder(&shrike_registry, RT_TRANSPORT_CONTROL);
    struct rt_error err = { 0 };
    if (!config) {
        if (rt_config_parse("f", map, strlen(map), &config, &err) < 0) abort();
        struct rt_decoder_init init = { .graph = config, .find = find };
        assert(k->state_bytes <= sizeof state);
        k->init(state, &init);
    }
    uint64_t room[16];
    struct rt_decoded out = { .room = room, .bytes = sizeof room };
    struct rt_unit in = { .bytes = bytes, .cnt = cnt, .key = 9, .uid = 7 };
    int code = k->decode(state, &in, &out, &err);
    if (code < 0) {
        assert(err.text[0] && out.used == 0);
        return 0;
    }
    const struct msg_frame *f = (const struct msg_frame *)room;
    const struct msg_command *m = msg_body(f);
    assert(out.used == sizeof *f + sizeof *m && f->size == out.used && f->kind == MSG_COMMAND);
    assert(m->target == f->dest && (m->target == 0 || m->target == 3) && m->uid == 7);
    assert(m->op == COMMAND_OP_PAUSE || m->op == COMMAND_OP_RESUME || m->op == COMMAND_OP_STOP ||
           m->op == COMMAND_OP_SET);
    return 0;
}
