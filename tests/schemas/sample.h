/* sample.h - random legal messages of any kind, made from what the schema says of it.
 *
 * For     tests of schemas: a new kind is covered without writing anything.
 * Thread  one.
 * Memory  the caller's. */
#ifndef TESTS_SCHEMAS_SAMPLE_H
#define TESTS_SCHEMAS_SAMPLE_H
#include "schemas/messages.h"
#include <stdio.h>
#include <stdlib.h>

/* A stream of random numbers, and memory that what is made of it lives in. */
struct sample {
    uint64_t state;                       /* of splitmix64 */
    size_t cnt;                           /* bytes of memory taken */
    _Alignas(16) uint8_t memory[1 << 20]; /* taken from the front */
};

/* sample_next draws 64 random bits (splitmix64, S. Vigna). */
static inline uint64_t sample_next(struct sample *s) {
    uint64_t z = s->state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* sample_take takes zeroed memory. */
static inline void *sample_take(struct sample *s, size_t bytes) {
    void *p = s->memory + s->cnt;
    s->cnt += (bytes + 15) / 16 * 16;
    if (s->cnt > sizeof s->memory) abort();
    memset(p, 0, bytes);
    return p;
}

/* sample_scalar writes a random legal value of f, of type, to p. Doubles are multiples of 2^-12,
 * which flatc writes exactly (it writes 12 decimals). */
static inline void sample_scalar(struct sample *s, const struct msg_field *f, uint8_t type,
                                 uint8_t *p) {
    uint64_t v = sample_next(s);
    double d = (int16_t)v / 1024.0;
    float single = (float)((int16_t)v / 64.0);
    if (f->enums != NULL && f->enums->flags)
        v &= f->enums->legal[0];
    else if (f->enums != NULL)
        v = f->enums->values[v % f->enums->cnt].value;
    else if (type == MSG_TYPE_BOOL)
        v &= 1;
    else if (sample_next(s) % 4 == 0)
        v = sample_next(s) % 2 == 0 ? UINT64_MAX : (uint64_t)1 << (8 * msg_bytes_of(type) - 1);
    if (type == MSG_TYPE_F64) memcpy(&v, &d, sizeof v);
    if (type == MSG_TYPE_F32) memcpy(&v, &single, sizeof single);
    memcpy(p, &v, msg_bytes_of(type));
}

/* sample_struct fills the struct of shape at p. */
static inline void sample_struct(struct sample *s, const struct msg_shape *shape, uint8_t *p) {
    for (uint32_t i = 0; i < shape->field_cnt; i++) {
        const struct msg_field *f = &shape->fields[i];
        if (f->type == MSG_TYPE_STRUCT)
            sample_struct(s, f->shape, p + f->at);
        else
            sample_scalar(s, f, f->type, p + f->at);
    }
}

/* sample_string returns a random text: letters, what JSON escapes, and two to four bytes of UTF-8.
 */
static inline const char *sample_string(struct sample *s) {
    static const char *const parts[] = { "a",
                                         "B7",
                                         " ",
                                         "\"",
                                         "\\",
                                         "/",
                                         "\n",
                                         "\t",
                                         "\x01",
                                         "\x7f",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x93\x88",
                                         "binance",
                                         "'" };
    uint32_t cnt = (uint32_t)(sample_next(s) % 12);
    char *text = sample_take(s, 8 * cnt + 1);
    for (uint32_t i = 0; i < cnt; i++)
        strcat(text, parts[sample_next(s) % (sizeof parts / sizeof *parts)]);
    return text;
}

/* sample_in fills the struct msg_NAME_in of shape at in; half of what may be absent is. */
static inline void sample_in(struct sample *s, const struct msg_shape *shape, uint8_t *in,
                             int depth) {
    for (uint32_t i = 0; i < shape->field_cnt; i++) {
        const struct msg_field *f = &shape->fields[i];
        uint32_t cnt = 1;
        uint8_t type = f->type;
        size_t each;
        uint8_t *p;
        if (!f->required && sample_next(s) % 2 == 0) continue;
        if (msg_bytes_of(type) > 0) {
            sample_scalar(s, f, type, in + f->in_at);
            if (f->optional) in[f->in_more] = 1;
            continue;
        }
        if (type == MSG_TYPE_VECTOR) {
            cnt = (uint32_t)(sample_next(s) % 5);
            type = f->element;
            memcpy(in + f->in_more, &cnt, sizeof cnt);
        }
        if (type == MSG_TYPE_TABLE && depth > 4 && !f->required) continue;
        if (f->type == MSG_TYPE_STRING) {
            const char *text = sample_string(s);
            memcpy(in + f->in_at, &text, sizeof text);
            continue;
        }
        each = type == MSG_TYPE_STRING   ? sizeof(char *)
               : type == MSG_TYPE_STRUCT ? f->shape->bytes
               : type == MSG_TYPE_TABLE  ? f->shape->in_bytes
                                         : msg_bytes_of(type);
        p = sample_take(s, each * cnt + 1);
        memcpy(in + f->in_at, &p, sizeof p);
        for (uint32_t j = 0; j < cnt; j++, p += each) {
            if (type == MSG_TYPE_STRING) {
                const char *text = sample_string(s);
                memcpy(p, &text, sizeof text);
            } else if (type == MSG_TYPE_STRUCT) {
                sample_struct(s, f->shape, p);
            } else if (type == MSG_TYPE_TABLE) {
                sample_in(s, f->shape, p, depth + 1);
            } else {
                sample_scalar(s, f, type, p);
            }
        }
    }
}

/* sample_frame makes a random message of kind in memory of s and returns it. */
static inline struct msg_frame *sample_frame(struct sample *s, uint16_t kind) {
    const struct msg_info *info = &msg_infos[kind];
    struct msg_frame *frame;
    const void *body;
    uint32_t bytes = info->body_bytes;
    s->cnt = 0;
    if (info->is_table) {
        struct msg_builder b;
        uint8_t *in = sample_take(s, info->shape->in_bytes);
        uint8_t *room = sample_take(s, 65536);
        sample_in(s, info->shape, in, 0);
        msg_builder_init(&b, room, 65536);
        body = msg_build(&b, info->shape, in, &bytes);
        if (body == NULL) abort();
    } else {
        uint8_t *p = sample_take(s, bytes);
        sample_struct(s, info->shape, p);
        body = p;
    }
    frame = sample_take(s, sizeof *frame + bytes);
    frame->kind = kind;
    frame->size = (uint16_t)(sizeof *frame + bytes);
    frame->source = 3;
    frame->time_ns = 1700000000000000000;
    frame->trace_id = (uint64_t)2 << 48 | 77;
    memcpy(frame + 1, body, bytes);
    return frame;
}
#endif
