#include "schemas/build.h"
#include <stdlib.h>

/* Places are counted from the end, because that is what does not move: an object at place p begins
 * p bytes before the end, and what is aligned counted from the end is aligned in the body, whose
 * size is a multiple of 8. */

/* used returns the bytes made so far: the place of what was made last. */
static uint32_t used(const struct msg_builder *b) {
    return (uint32_t)(b->end - b->head);
}

/* push makes room for cnt bytes that begin at a multiple of align, zeroes before the bytes behind.
 * Returns where they begin, NULL when the builder is full. */
static uint8_t *push(struct msg_builder *b, size_t cnt, uint32_t align) {
    size_t pad = (align - (used(b) + cnt) % align) % align;
    if (b->full || cnt > MSG_BODY_MAX || pad + cnt > (size_t)(b->head - b->start) ||
        used(b) + pad + cnt > MSG_BODY_MAX) {
        b->full = true;
        return NULL;
    }
    b->head -= pad;
    memset(b->head, 0, pad);
    b->head -= cnt;
    return b->head;
}

/* push_u32 makes a 4-byte number. */
static void push_u32(struct msg_builder *b, uint32_t v) {
    uint8_t *p = push(b, 4, 4);
    if (p != NULL) memcpy(p, &v, sizeof v);
}

/* push_offset makes an offset to what is at place to. */
static void push_offset(struct msg_builder *b, uint32_t to) {
    uint8_t *p = push(b, 4, 4);
    uint32_t ahead;
    if (p == NULL) return;
    ahead = used(b) - to;
    memcpy(p, &ahead, sizeof ahead);
}

/* push_string makes text with its NUL and length and returns its place. */
static uint32_t push_string(struct msg_builder *b, const char *text) {
    size_t cnt = strlen(text);
    uint8_t *p = push(b, cnt + 1, 4);
    if (p != NULL) memcpy(p, text, cnt + 1);
    push_u32(b, (uint32_t)cnt);
    return used(b);
}

/* member_cnt returns the member NAME_cnt that belongs to vector f of in. */
static uint32_t member_cnt(const struct msg_field *f, const uint8_t *in) {
    uint32_t cnt;
    memcpy(&cnt, in + f->in_more, sizeof cnt);
    return cnt;
}

/* member_has returns the member has_NAME that belongs to the optional scalar f of in. */
static bool member_has(const struct msg_field *f, const uint8_t *in) {
    return in[f->in_more] != 0;
}

/* member_pointer returns the member of f, which is a pointer. */
static const void *member_pointer(const struct msg_field *f, const uint8_t *in) {
    const void *p;
    memcpy(&p, in + f->in_at, sizeof p);
    return p;
}

static uint32_t push_table(struct msg_builder *b, const struct msg_shape *shape, const uint8_t *in,
                           struct msg_template *t);

/* push_vector makes the cnt elements of f at from, with their count, and returns its place. */
static uint32_t push_vector(struct msg_builder *b, const struct msg_field *f, const void *from,
                            uint32_t cnt) {
    bool refers = f->element == MSG_TYPE_STRING || f->element == MSG_TYPE_TABLE;
    size_t each = f->element == MSG_TYPE_STRUCT ? f->shape->bytes : msg_bytes_of(f->element);
    uint32_t align = f->element == MSG_TYPE_STRUCT ? f->shape->align : (uint32_t)each;
    uint8_t *p;
    if (!refers) {
        p = push(b, cnt * each, align > 4 ? align : 4);
        if (p != NULL && cnt > 0) memcpy(p, from, cnt * each);
        push_u32(b, cnt);
        return used(b);
    }
    /* The elements come first, so their places are noted at the low end of the room meanwhile. */
    if (b->full || cnt > (size_t)(b->head - b->start) / 4) {
        b->full = true;
        return 0;
    }
    p = b->start;
    b->start += 4 * (size_t)cnt;
    for (uint32_t i = 0; i < cnt && !b->full; i++) {
        uint32_t to =
            f->element == MSG_TYPE_STRING
                ? push_string(b, ((const char *const *)from)[i])
                : push_table(b, f->shape, (const uint8_t *)from + (size_t)i * f->shape->in_bytes,
                             NULL);
        memcpy(p + 4 * (size_t)i, &to, sizeof to);
    }
    for (uint32_t i = cnt; i > 0 && !b->full; i--) {
        uint32_t to;
        memcpy(&to, p + 4 * (size_t)(i - 1), sizeof to);
        push_offset(b, to);
    }
    b->start = p;
    push_u32(b, cnt);
    return used(b);
}

/* is_default tells whether the scalar f of in is what an absent one is read as. */
static bool is_default(const struct msg_field *f, const uint8_t *in) {
    const uint8_t *p = in + f->in_at;
    float single = (float)f->def.d;
    switch (f->type) {
    case MSG_TYPE_F32: return memcmp(p, &single, sizeof single) == 0;
    case MSG_TYPE_F64: return memcmp(p, &f->def.d, sizeof f->def.d) == 0;
    default: return memcmp(p, &f->def.i, msg_bytes_of(f->type)) == 0; /* little endian */
    }
}

/* stored tells whether the scalar or struct f of in has a place in the table. A template has a
 * place for every scalar. */
static bool stored(const struct msg_field *f, const uint8_t *in, bool always) {
    if (f->type == MSG_TYPE_STRUCT) return member_pointer(f, in) != NULL;
    if (f->optional) return always || member_has(f, in);
    return always || !is_default(f, in);
}

/* push_child makes what f refers to and returns its place, 0 = absent. Notes a template's room. */
static uint32_t push_child(struct msg_builder *b, const struct msg_field *f, const uint8_t *in,
                           struct msg_template *t) {
    const void *from = member_pointer(f, in);
    uint32_t cnt = 0, at;
    if (from == NULL) {
        assert(!f->required);
        return 0;
    }
    switch (f->type) {
    case MSG_TYPE_STRING:
        cnt = (uint32_t)strlen(from);
        at = push_string(b, from);
        break;
    case MSG_TYPE_VECTOR:
        cnt = member_cnt(f, in);
        at = push_vector(b, f, from, cnt);
        if (f->element == MSG_TYPE_STRING || f->element == MSG_TYPE_TABLE) cnt = 0;
        break;
    default: at = push_table(b, f->shape, from, NULL); break;
    }
    if (t != NULL && !b->full) {
        uint32_t id = (f->at - 4u) / 2;
        t->place[id] = (uint16_t)at; /* from the end, until its beginning is known */
        t->room[id] = (uint16_t)cnt;
    }
    return at;
}

/* push_inline makes the inline part of field f and returns its place. */
static uint32_t push_inline(struct msg_builder *b, const struct msg_field *f, const uint8_t *in,
                            uint32_t child) {
    const uint8_t *from = in + f->in_at;
    uint32_t cnt = msg_bytes_of(f->type), align = cnt;
    uint8_t *p;
    if (child != 0) {
        push_offset(b, child);
        return used(b);
    }
    if (f->type == MSG_TYPE_STRUCT) {
        cnt = f->shape->bytes;
        align = f->shape->align;
        from = member_pointer(f, in);
    }
    p = push(b, cnt, align);
    if (p != NULL) memcpy(p, from, cnt);
    return used(b);
}

/* size_class returns the alignment of field f inside a table. */
static uint32_t size_class(const struct msg_field *f) {
    if (f->type == MSG_TYPE_STRUCT) return f->shape->align;
    return msg_bytes_of(f->type) > 0 ? msg_bytes_of(f->type) : 4;
}

/* push_table makes a table of shape from in and returns its place; with t it fills t's offsets,
 * counted from the end. What the table refers to is made first, then its fields, the widest ones
 * last in the body, so that nothing is lost between them, then its vtable. */
static uint32_t push_table(struct msg_builder *b, const struct msg_shape *shape, const uint8_t *in,
                           struct msg_template *t) {
    uint32_t place[MSG_FIELDS_MAX] = { 0 }; /* of each field's inline part, 0 = absent */
    uint32_t begin, at, vtable_bytes = 4;
    uint16_t head[2];
    int32_t back;
    uint8_t *vtable;
    for (uint32_t i = 0; i < shape->field_cnt; i++)
        if (shape->fields[i].type != MSG_TYPE_STRUCT && msg_bytes_of(shape->fields[i].type) == 0)
            place[i] = push_child(b, &shape->fields[i], in, t);
    begin = used(b);
    for (uint32_t align = 8; align > 0; align /= 2) {
        for (uint32_t i = 0; i < shape->field_cnt; i++) {
            const struct msg_field *f = &shape->fields[i];
            bool refers = f->type != MSG_TYPE_STRUCT && msg_bytes_of(f->type) == 0;
            if (size_class(f) != align) continue;
            if (refers ? place[i] == 0 : !stored(f, in, t != NULL)) continue;
            place[i] = push_inline(b, f, in, place[i]);
            vtable_bytes = f->at + 2u > vtable_bytes ? f->at + 2u : vtable_bytes;
        }
    }
    push_u32(b, 0); /* the way to the vtable, known below */
    at = used(b);
    vtable = push(b, vtable_bytes, 2);
    if (vtable == NULL) return 0;
    back = (int32_t)(used(b) - at);
    memcpy(b->end - at, &back, sizeof back);
    head[0] = (uint16_t)vtable_bytes;
    head[1] = (uint16_t)(at - begin);
    memset(vtable, 0, vtable_bytes);
    memcpy(vtable, head, sizeof head);
    for (uint32_t i = 0; i < shape->field_cnt; i++) {
        const struct msg_field *f = &shape->fields[i];
        uint16_t slot = (uint16_t)(at - place[i]);
        if (place[i] == 0) continue;
        if (t != NULL) t->slot[(f->at - 4u) / 2] = slot;
        if (t == NULL || !f->optional || member_has(f, in))
            memcpy(vtable + f->at, &slot, sizeof slot);
    }
    if (t != NULL) {
        t->table = (uint16_t)at;
        t->vtable = (uint16_t)used(b);
    }
    return at;
}

void msg_builder_init(struct msg_builder *b, void *memory, size_t cap) {
    uint8_t *end = (uint8_t *)memory + cap;
    size_t over = (uintptr_t)end % 8;
    b->start = memory;
    b->end = end - (over < cap ? over : cap);
    b->head = b->end;
    b->full = (uintptr_t)b->end % 8 != 0;
}

/* finish puts the offset to the table at place root in front and returns the whole body. */
static const void *finish(struct msg_builder *b, uint32_t root, uint32_t *bytes) {
    if (push(b, 4, 8) == NULL) return NULL; /* the body's size becomes a multiple of 8 */
    *bytes = used(b);
    root = *bytes - root;
    memcpy(b->head, &root, sizeof root);
    return b->head;
}

const void *msg_build(struct msg_builder *b, const struct msg_shape *shape, const void *in,
                      uint32_t *bytes) {
    uint32_t root;
    assert(shape->is_table);
    root = push_table(b, shape, in, NULL);
    return b->full ? NULL : finish(b, root, bytes);
}

const struct msg_template *msg_template_make(void *memory, size_t cap,
                                             const struct msg_shape *shape, const void *in) {
    uintptr_t over = (uintptr_t)memory % 8;
    size_t skip = over == 0 ? 0 : 8 - over;
    struct msg_template *t;
    struct msg_builder b;
    uint32_t root;
    if (cap < skip + sizeof *t) return NULL;
    t = (struct msg_template *)((uint8_t *)memory + skip);
    memset(t, 0, sizeof *t);
    t->shape = shape;
    msg_builder_init(&b, t + 1, cap - skip - sizeof *t);
    root = push_table(&b, shape, in, t);
    if (b.full) return NULL;
    t->body = (uint8_t *)finish(&b, root, &t->bytes);
    if (t->body == NULL) return NULL;
    /* From places counted from the end to offsets in the body. */
    t->table = (uint16_t)(t->bytes - t->table);
    t->vtable = (uint16_t)(t->bytes - t->vtable);
    for (uint32_t i = 0; i < MSG_FIELDS_MAX; i++)
        if (t->place[i] != 0) t->place[i] = (uint16_t)(t->bytes - t->place[i]);
    return t;
}
