/* frame.h - the head every message carries.
 *
 * For     all rooms: a message is this head and a body whose shape its kind tells (messages.h,
 *         generated from the .fbs files).
 * Memory  32 bytes; with a body of up to 32 it fills one cache line, one slot of a ring.
 * Thread  a frame never changes once said; before that its sender's shard owns it. */
#ifndef SCHEMAS_FRAME_H
#define SCHEMAS_FRAME_H
#include <stdint.h>

/* Head of a message. In the journal, stamp holds the record's CRC32C and kind its direction. */
struct msg_frame {
    uint16_t kind;     /* MSG_* of messages.h; the journal sets MSG_OUT in it */
    uint16_t size;     /* bytes of head and body together, a multiple of 8, at least 32 */
    uint16_t source;   /* actor (or source) that says it */
    uint16_t dest;     /* actor it is for; 0 = all hearers of the route */
    uint32_t seq;      /* on a shard: counted per source; between shards: per ordered pair */
    uint32_t stamp;    /* low half of the TSC when it was said, 0 = not sampled; in no hash */
    int64_t time_ns;   /* time of the turn it was said (heard, in an IN record) in, ns UTC */
    uint64_t trace_id; /* the outside event that caused it: source (16 bits), its sequence (48) */
};
_Static_assert(sizeof(struct msg_frame) == 32, "the head is half a cache line");

enum {
    MSG_OUT = 0x8000,      /* kind bit of a journal record: said; unset: heard */
    MSG_KIND_MAX = 512,    /* kinds are below this */
    MSG_FRAME_MAX = 65528, /* largest frame, bytes */
    MSG_SLOT_BYTES = 64,   /* a slot of a ring; frames up to this travel by value */
};

/* msg_body returns the body behind the head of f. */
static inline const void *msg_body(const struct msg_frame *f) {
    return f + 1;
}
#endif
