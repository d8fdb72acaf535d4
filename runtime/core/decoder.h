/* decoder.h - bytes of the outside to messages: what stands between a transport and the shards.
 *
 * For     decoders below the line, registered like actor kinds, so that runtime/ knows none by
 *         name: the lines of the control socket now, the messages of venues' connections with
 *         these. A transport frames: it gives a decoder whole units (a line, a WebSocket message).
 *         The decoder tells which messages they are, as frames built one behind the other; the
 *         transport hands these to the shards, which journal them as heard. Bytes that make no
 *         sense end here, told to the peer, never at an actor.
 * Thread  the transport's; a decoder's state belongs to one transport.
 * Memory  the state, taken and zeroed by the transport when it opens; frames go into its room.
 * Cost    the decoder's own. */
#ifndef RUNTIME_CORE_DECODER_H
#define RUNTIME_CORE_DECODER_H
#include "runtime/base/error.h"
#include "runtime/core/actor.h"
#include "schemas/frame.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Where bytes come from; each decoder serves one. */
enum rt_transport {
    RT_TRANSPORT_CONTROL, /* RUN/ctl.sock: a unit is a line without its end */
};

/* What init is given; good for as long as the decoder lives. */
struct rt_decoder_init {
    const void *graph; /* for find */
    /* finds the actor of that name: its id, its kind and its own map; -ENOENT when none. */
    int (*find)(const void *graph, const char *name, const struct rt_actor_kind **kind,
                struct rt_node **config);
};

/* One unit of bytes as it came. */
struct rt_unit {
    const uint8_t *bytes; /* not NUL-terminated */
    size_t cnt;           /* how many */
    uint64_t key;         /* the transport's number of the unit, never given twice in a run */
    uint32_t uid;         /* user at the other end, where the transport knows */
};

/* Where frames go. */
struct rt_decoded {
    uint64_t *room;       /* room for them, 8-aligned */
    uint32_t bytes, used; /* its size; what they take */
};

/* A kind of decoder, listed in the program's registry. */
struct rt_decoder_kind {
    const char *name;            /* for people */
    enum rt_transport transport; /* what it serves */
    size_t state_bytes;          /* bytes of state */
    /* readies the zeroed state. */
    void (*init)(void *state, const struct rt_decoder_init *init);
    /* takes one unit and puts its frames (rt_decoded_put), none or more. 0, or a negative errno
     * with err, one sentence for the peer; frames put before count for nothing then. */
    int (*decode)(void *state, const struct rt_unit *in, struct rt_decoded *out,
                  struct rt_error *err);
};

/* rt_decoded_put begins a frame of kind to actor dest (0 = all that hear the kind) and returns its
 * body, zeroed, to be filled; NULL when there is no room. The transport adds time and numbers. */
static inline void *rt_decoded_put(struct rt_decoded *out, uint16_t kind, uint16_t dest,
                                   uint32_t body_bytes) {
    uint32_t size = (uint32_t)sizeof(struct msg_frame) + ((body_bytes + 7U) & ~7U);
    if (out->bytes - out->used < size) return NULL;
    struct msg_frame *f = (struct msg_frame *)(void *)((uint8_t *)out->room + out->used);
    memset(f, 0, size);
    f->kind = kind;
    f->size = (uint16_t)size;
    f->dest = dest;
    out->used += size;
    return f + 1;
}
#endif
