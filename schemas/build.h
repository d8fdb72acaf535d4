/* build.h - bodies that are tables are made here.
 *
 * For     messages.h, which has for every table NAME: struct msg_NAME_in (what it may hold),
 *         msg_NAME_build (makes a body of one) and, where NAME is a message, msg_NAME_template and
 *         msg_NAME_put_FIELD.
 * Thread  one thread a builder or template; a template that is ready may be read by several.
 * Memory  the caller's. A body is made back to front, so it ends up at the end of that memory.
 * Cost    building a DecisionPacket some 150 ns; copying a template and putting into it some 10 ns.
 * Source  the FlatBuffers binary format.
 *
 * The slow way, for any body:
 *
 *     struct msg_builder b;
 *     msg_builder_init(&b, room, sizeof room);
 *     body = msg_decision_packet_build(&b, &in, &bytes);  // NULL: room is too small
 *
 * The fast way, when bodies of one shape are made again and again: a template is a body made once
 * with a place for every scalar and the longest strings and vectors, copied and filled:
 *
 *     boot:  t = msg_decision_packet_template(memory, sizeof memory, &in);
 *     then:  void *body = rt_say(ctx, MSG_DECISION_PACKET, 0, t->bytes);
 *            msg_template_copy(t, body);
 *            msg_decision_packet_put_entry(t, body, price);
 *
 * What the template's `in` holds stays unless it is put; a scalar that may be absent is absent in
 * the copy until it is put, unless `in` has it. A string or vector may be put up to the size it has
 * in `in`. A string, vector or table that `in` leaves out stays absent; tables inside keep what
 * `in` says. */
#ifndef SCHEMAS_BUILD_H
#define SCHEMAS_BUILD_H
#include "schemas/table.h"
#include <assert.h>

/* A body in the making. */
struct msg_builder {
    uint8_t
        *start; /* the room's first byte that is free: notes of vectors in the making precede it */
    uint8_t *head; /* where what is made begins */
    uint8_t *end;  /* where it ends, a multiple of 8 */
    bool full;     /* the room was too small; nothing more is made */
};

/* msg_builder_init makes room of cap bytes at memory (any alignment) ready for one body. */
void msg_builder_init(struct msg_builder *b, void *memory, size_t cap);

/* msg_build makes the body of a table of shape from its struct msg_NAME_in. Returns the body,
 * aligned to 8, and sets *bytes, a multiple of 8; returns NULL when the room or MSG_BODY_MAX is too
 * small. Strings must be UTF-8, enums in range and required fields there; that is the caller's
 * promise. Messages.h has it by its name for each table. */
const void *msg_build(struct msg_builder *b, const struct msg_shape *shape, const void *in,
                      uint32_t *bytes);

/* A body to be copied and filled in. */
struct msg_template {
    const struct msg_shape *shape;  /* its shape */
    uint8_t *body;                  /* the body to copy, in the memory given */
    uint32_t bytes;                 /* its size, a multiple of 8 */
    uint16_t table;                 /* offset in the body: the table */
    uint16_t vtable;                /* its vtable */
    uint16_t slot[MSG_FIELDS_MAX];  /* by id: offset in the table, also of those absent now */
    uint16_t place[MSG_FIELDS_MAX]; /* by id: offset in the body of a string's or vector's length */
    uint16_t room[MSG_FIELDS_MAX];  /* by id: most bytes of text, most elements; 0 = none */
};

/* msg_template_make makes a template of shape in memory of cap bytes (any alignment) from in.
 * Returns it, inside memory, or NULL when cap is too small. Messages.h has it by its name for each
 * message. */
const struct msg_template *msg_template_make(void *memory, size_t cap,
                                             const struct msg_shape *shape, const void *in);

/* msg_template_copy writes the body t->bytes long to body, aligned to 8. */
static inline void msg_template_copy(const struct msg_template *t, void *body) {
    memcpy(body, t->body, t->bytes);
}

/* msg_put writes the scalar of cnt bytes at v as field id of a copy of t, which then is there. */
static inline void msg_put(const struct msg_template *t, void *body, uint32_t id, const void *v,
                           size_t cnt) {
    uint8_t *p = body;
    memcpy(p + t->vtable + 4 + 2 * id, &t->slot[id], sizeof t->slot[id]);
    memcpy(p + t->table + t->slot[id], v, cnt);
}

/* msg_put_string writes text of at most room[id] bytes as field id of a copy of t. */
static inline void msg_put_string(const struct msg_template *t, void *body, uint32_t id,
                                  const char *text) {
    uint8_t *p = (uint8_t *)body + t->place[id];
    uint32_t cnt = (uint32_t)strlen(text);
    assert(t->place[id] != 0); /* the template has none to put it in */
    assert(cnt <= t->room[id]);
    memcpy(p, &cnt, sizeof cnt);
    memcpy(p + 4, text, (size_t)cnt + 1);
}

/* msg_put_vector writes cnt elements of each bytes, at most room[id] of them, as field id of a copy
 * of t. */
static inline void msg_put_vector(const struct msg_template *t, void *body, uint32_t id,
                                  const void *v, uint32_t cnt, size_t each) {
    uint8_t *p = (uint8_t *)body + t->place[id];
    assert(t->place[id] != 0); /* the template has none to put it in */
    assert(cnt <= t->room[id]);
    memcpy(p, &cnt, sizeof cnt);
    memcpy(p + 4, v, cnt * each);
}
#endif
