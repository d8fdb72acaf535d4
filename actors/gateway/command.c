#include "actors/gateway/command.h"
#include "schemas/messages.h"
#include <errno.h>

enum { LINE_MAX_BYTES = 512 }; /* longest line */

/* The state: who is in the run. */
struct command {
    struct rt_decoder_init init; /* as given */
};

/* command_init is rt_decoder_kind.init. */
static void command_init(void *state, const struct rt_decoder_init *init) {
    struct command *c = state;
    c->init = *init;
}

/* op_of returns the CommandOp of a word that may be asked here, or 0. */
static uint16_t op_of(const char *word) {
    static const uint16_t ops[] = { COMMAND_OP_PAUSE, COMMAND_OP_RESUME, COMMAND_OP_STOP,
                                    COMMAND_OP_SET };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(word, msg_command_op_name(ops[i])) == 0) return ops[i];
    }
    return 0;
}

/* command_decode is rt_decoder_kind.decode. */
static int command_decode(void *state, const struct rt_unit *in, struct rt_decoded *out,
                          struct rt_error *err) {
    static const char space[] = " \t\r\n";
    const struct command *c = state;
    char line[LINE_MAX_BYTES], *save = NULL;
    if (in->cnt >= sizeof line || memchr(in->bytes, 0, in->cnt)) {
        return rt_error_set(err, -EINVAL, "one line of at most %d bytes expected",
                            LINE_MAX_BYTES - 1);
    }
    memcpy(line, in->bytes, in->cnt);
    line[in->cnt] = 0;
    const char *verb = strtok_r(line, space, &save), *name = strtok_r(NULL, space, &save);
    const char *param = strtok_r(NULL, space, &save), *value = strtok_r(NULL, space, &save);
    struct msg_command m = { .uid = in->uid, .key = in->key };
    const struct rt_actor_kind *kind = NULL;
    struct rt_node *config = NULL;
    int id = 0;
    if (!verb) return rt_error_set(err, -EINVAL, "an empty request");
    m.op = op_of(verb);
    if (!m.op) {
        return rt_error_set(err, -EINVAL,
                            "unknown command; pause, resume, stop, kill, unkill, set or status "
                            "expected");
    }
    if (name && (id = c->init.find(c->init.graph, name, &kind, &config)) < 0) {
        return rt_error_set(err, -ENOENT, "no actor is called so");
    }
    if (name && !kind->on[MSG_COMMAND]) {
        return rt_error_set(err, -EINVAL, "%s is of kind %s, which takes no commands", name,
                            kind->name);
    }
    m.target = (uint16_t)id;
    if (m.op == COMMAND_OP_SET) {
        if (!value || strtok_r(NULL, space, &save)) {
            return rt_error_set(err, -EINVAL, "set ACTOR PARAM VALUE expected");
        }
        if (!kind->param) return rt_error_set(err, -EINVAL, "%s has no parameters to set", name);
        int code = kind->param(config, param, value, &m.param, &m.value, err);
        if (code < 0) return code;
    } else if (param) {
        return rt_error_set(err, -EINVAL, "%s [ACTOR] expected", msg_command_op_name(m.op));
    }
    struct msg_command *body = rt_decoded_put(out, MSG_COMMAND, m.target, sizeof *body);
    if (!body) return rt_error_set(err, -ENOSPC, "no room for the command");
    *body = m;
    return 0;
}

const struct rt_decoder_kind command_decoder = {
    .name = "command",
    .transport = RT_TRANSPORT_CONTROL,
    .state_bytes = sizeof(struct command),
    .init = command_init,
    .decode = command_decode,
};
