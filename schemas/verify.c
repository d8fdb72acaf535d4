#include "schemas/verify.h"
#include "schemas/messages.h"
#include <assert.h>
#include <errno.h>

/* A buffer in hand. Places in it are offsets from its start, 64 bits wide, so that no sum of what
 * the buffer says can wrap. */
struct check {
    const uint8_t *bytes; /* the body */
    uint64_t cnt;         /* its size */
    uint64_t work;  /* bytes that may still be looked at: offsets may point at one thing often */
    uint32_t depth; /* tables around the one in hand */
};

/* in tells whether [at, at + cnt) lies in the body and at is aligned, and pays for looking at it.
 */
static bool in(struct check *c, uint64_t at, uint64_t cnt, uint64_t align) {
    if (at % align != 0 || at > c->cnt || cnt > c->cnt - at) return false;
    if (cnt + 1 > c->work) return false;
    c->work -= cnt + 1;
    return true;
}

/* u16 reads two bytes that are in. */
static uint16_t u16(const struct check *c, uint64_t at) {
    uint16_t v;
    memcpy(&v, c->bytes + at, sizeof v);
    return v;
}

/* u32 reads four bytes that are in. */
static uint32_t u32(const struct check *c, uint64_t at) {
    uint32_t v;
    memcpy(&v, c->bytes + at, sizeof v);
    return v;
}

/* utf8 tells whether cnt bytes at s are UTF-8 without NUL: no overlong form, no surrogate, nothing
 * above U+10FFFF. */
static bool utf8(const uint8_t *s, uint64_t cnt) {
    for (uint64_t i = 0; i < cnt;) {
        uint8_t b = s[i++];
        uint8_t low = 0x80, high = 0xbf; /* range of the first byte that follows */
        int more;
        if (b == 0) return false;
        if (b < 0x80) continue;
        if (b < 0xc2 || b > 0xf4) return false;
        more = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
        if (b == 0xe0) low = 0xa0;
        if (b == 0xed) high = 0x9f;
        if (b == 0xf0) low = 0x90;
        if (b == 0xf4) high = 0x8f;
        for (; more > 0; more--, low = 0x80, high = 0xbf) {
            if (i >= cnt || s[i] < low || s[i] > high) return false;
            i++;
        }
    }
    return true;
}

/* scalar tells whether the value at p of type may be. */
static bool scalar(const uint8_t *p, uint8_t type, const struct msg_enum *enums) {
    uint16_t v;
    if (type == MSG_TYPE_BOOL) return *p <= 1;
    if (enums == NULL) return true;
    if (type == MSG_TYPE_U8) return msg_enum_legal(enums, *p);
    memcpy(&v, p, sizeof v);
    return msg_enum_legal(enums, v);
}

/* structure tells whether the values of the struct at p may be. */
static bool structure(const uint8_t *p, const struct msg_shape *shape) {
    for (uint32_t i = 0; i < shape->check_cnt; i++) {
        const struct msg_field *f = &shape->checks[i];
        if (f->type == MSG_TYPE_STRUCT ? !structure(p + f->at, f->shape)
                                       : !scalar(p + f->at, f->type, f->enums))
            return false;
    }
    return true;
}

/* string tells whether a string that may be is at at. */
static bool string(struct check *c, uint64_t at) {
    uint32_t cnt;
    if (!in(c, at, 4, 4)) return false;
    cnt = u32(c, at);
    if (!in(c, at + 4, (uint64_t)cnt + 1, 1) || c->bytes[at + 4 + cnt] != 0) return false;
    return utf8(c->bytes + at + 4, cnt);
}

static bool table(struct check *c, uint64_t at, const struct msg_shape *shape);

/* pointed tells whether what the offset at at points at may be a string or table. */
static bool pointed(struct check *c, uint64_t at, uint8_t type, const struct msg_shape *shape) {
    uint64_t to = at + u32(c, at);
    return type == MSG_TYPE_STRING ? string(c, to) : table(c, to, shape);
}

/* vector tells whether a vector of f that may be is at at. */
static bool vector(struct check *c, uint64_t at, const struct msg_field *f) {
    bool refers = f->element == MSG_TYPE_STRING || f->element == MSG_TYPE_TABLE;
    uint64_t each = msg_bytes_of(f->element);
    uint64_t align = each;
    uint32_t cnt;
    if (refers) each = align = 4;
    if (f->element == MSG_TYPE_STRUCT) {
        each = f->shape->bytes;
        align = f->shape->align;
    }
    if (!in(c, at, 4, 4)) return false;
    cnt = u32(c, at);
    at += 4;
    /* An empty one may end the body short of its elements' alignment: there is nothing to load. */
    if (!in(c, at, cnt * each, cnt > 0 ? align : 1)) return false;
    for (uint32_t i = 0; i < cnt; i++) {
        const uint8_t *p = c->bytes + at + i * each;
        if (refers                          ? !pointed(c, at + i * each, f->element, f->shape)
            : f->element == MSG_TYPE_STRUCT ? !structure(p, f->shape)
                                            : !scalar(p, f->element, f->enums))
            return false;
    }
    return true;
}

/* member tells whether field f, which is slot bytes into the table at at of bytes, may be. */
static bool member(struct check *c, uint64_t at, uint64_t bytes, uint64_t slot,
                   const struct msg_field *f) {
    uint64_t each = msg_bytes_of(f->type);
    uint64_t align = each;
    if (f->type == MSG_TYPE_STRUCT) {
        each = f->shape->bytes;
        align = f->shape->align;
    } else if (each == 0) {
        each = align = 4; /* an offset */
    }
    if (slot < 4 || slot + each > bytes || (at + slot) % align != 0) return false;
    at += slot;
    switch (f->type) {
    case MSG_TYPE_STRUCT: return structure(c->bytes + at, f->shape);
    case MSG_TYPE_STRING:
    case MSG_TYPE_TABLE: return pointed(c, at, f->type, f->shape);
    case MSG_TYPE_VECTOR: return vector(c, at + u32(c, at), f);
    default: return scalar(c->bytes + at, f->type, f->enums);
    }
}

/* table tells whether a table of shape that may be is at at. */
static bool table(struct check *c, uint64_t at, const struct msg_shape *shape) {
    int64_t vtable;
    uint64_t vtable_bytes, bytes;
    bool fine = true;
    if (c->depth >= MSG_DEPTH_MAX || !in(c, at, 4, 4)) return false;
    vtable = (int64_t)at - (int32_t)u32(c, at);
    if (vtable < 0 || !in(c, (uint64_t)vtable, 4, 2)) return false;
    vtable_bytes = u16(c, (uint64_t)vtable);
    bytes = u16(c, (uint64_t)vtable + 2);
    if (vtable_bytes < 4 || vtable_bytes % 2 != 0) return false;
    if (!in(c, (uint64_t)vtable, vtable_bytes, 2) || bytes < 4 || !in(c, at, bytes, 4))
        return false;
    c->depth++;
    for (uint32_t i = 0; i < shape->field_cnt && fine; i++) {
        const struct msg_field *f = &shape->fields[i];
        uint64_t slot = f->at < vtable_bytes ? u16(c, (uint64_t)vtable + f->at) : 0;
        fine = slot == 0 ? !f->required : member(c, at, bytes, slot, f);
    }
    c->depth--;
    return fine;
}

int msg_verify(uint16_t kind, const void *body, size_t bytes) {
    const struct msg_info *info;
    struct check c = { .bytes = body, .cnt = bytes };
    kind &= (uint16_t)~MSG_OUT;
    if (kind >= MSG_KIND_MAX || msg_infos[kind].name == NULL) return -ENOENT;
    assert((uintptr_t)body % 8 == 0);
    info = &msg_infos[kind];
    if (!info->is_table) {
        if (bytes != info->body_bytes) return -EMSGSIZE;
        return structure(body, info->shape) ? 0 : -EBADMSG;
    }
    if (bytes < 8 || bytes > MSG_BODY_MAX || bytes % 8 != 0) return -EMSGSIZE;
    /* An honest body points at each thing once, and a few times at a shared vtable or string. */
    c.work = 16 * bytes + 1024;
    return table(&c, u32(&c, 0), info->shape) ? 0 : -EBADMSG;
}

int msg_verify_frame(const struct msg_frame *frame, size_t bytes) {
    if (bytes < sizeof *frame || frame->size < sizeof *frame || frame->size > bytes ||
        frame->size % 8 != 0)
        return -EMSGSIZE;
    return msg_verify(frame->kind, frame + 1, frame->size - sizeof *frame);
}
