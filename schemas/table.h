/* table.h - what is known about the shape of every message, and how tables are read.
 *
 * For     messages.h, which is generated from the .fbs files and includes this; and whoever walks
 *         a message without knowing it: verify.h, text.h, build.h.
 * Thread  pure functions and constants.
 * Memory  everything is read in place. Strings, vectors and tables inside a body are pointers into
 *         it; they are good as long as the body is.
 * Cost    a field of a table: three loads (measured 1.2 ns for four fields).
 * Source  the FlatBuffers binary format.
 *
 * A body that is a table is read by the functions messages.h has for it:
 *
 *     const struct msg_decision_packet *d = msg_decision_packet_of(msg_body(frame));
 *     if (msg_decision_packet_has_entry(d)) price = msg_decision_packet_entry(d);
 *
 * Bodies from outside the process go through msg_verify (verify.h) first; readers check nothing. */
#ifndef SCHEMAS_TABLE_H
#define SCHEMAS_TABLE_H
#include "schemas/frame.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a field or the element of a vector is. */
enum msg_type {
    MSG_TYPE_NONE,
    MSG_TYPE_BOOL,
    MSG_TYPE_I8,
    MSG_TYPE_U8,
    MSG_TYPE_I16,
    MSG_TYPE_U16,
    MSG_TYPE_I32,
    MSG_TYPE_U32,
    MSG_TYPE_I64,
    MSG_TYPE_U64,
    MSG_TYPE_F32,
    MSG_TYPE_F64,
    MSG_TYPE_STRING,
    MSG_TYPE_STRUCT,
    MSG_TYPE_TABLE,
    MSG_TYPE_VECTOR,
};

/* Bounds of what a schema may hold. */
enum {
    MSG_FIELDS_MAX = 64,               /* fields of one table */
    MSG_DEPTH_MAX = 64,                /* tables within tables */
    MSG_BODY_MAX = MSG_FRAME_MAX - 32, /* bytes of one body */
};

/* One value of an enum. */
struct msg_enum_value {
    uint16_t value;   /* its number */
    const char *name; /* as in the .fbs */
};

/* One enum. */
struct msg_enum {
    const char *name;                    /* as in the .fbs: "OrderType" */
    const struct msg_enum_value *values; /* by number, rising */
    const uint64_t *legal;               /* bit v is set when v is a value; of flags: word 0 has all
                                          * bits that may be set */
    uint16_t cnt;                        /* how many values */
    uint16_t max;                        /* the largest; of flags: all bits together */
    bool flags;                          /* values are bits that may be combined */
};

/* A default of a field. */
union msg_default {
    int64_t i; /* integers, and bits of unsigned ones */
    double d;  /* float and double */
};

struct msg_shape;

/* One field of a struct or table. */
struct msg_field {
    const char *name;              /* as in the .fbs */
    const struct msg_enum *enums;  /* enum of the value or of the elements, NULL = none */
    const struct msg_shape *shape; /* struct or table of the value or of the elements, or NULL */
    union msg_default def;         /* what it is when absent */
    uint16_t at;                   /* struct: byte offset; table: offset in the vtable */
    uint16_t in_at;                /* table: offset of its member in struct msg_NAME_in */
    uint16_t in_more;              /* table: offset of the member has_NAME or NAME_cnt there */
    uint8_t type;                  /* enum msg_type */
    uint8_t element;               /* enum msg_type of a vector's elements */
    bool required;                 /* a table without it is refused */
    bool optional;                 /* a scalar that may be absent */
    bool fixed;                    /* an integer in units of 1e-8 */
    bool instant;                  /* an integer that is a point in time, ns UTC */
};

/* The shape of a struct or table. */
struct msg_shape {
    const char *name;               /* as in the .fbs */
    const struct msg_field *fields; /* structs by offset, tables by id */
    const struct msg_field *checks; /* struct: those fields not every value of which is legal */
    uint16_t field_cnt;             /* how many fields */
    uint16_t check_cnt;             /* how many checks */
    uint16_t bytes;                 /* struct: its size */
    uint16_t in_bytes;              /* table: size of struct msg_NAME_in */
    uint8_t align;                  /* struct: its alignment */
    bool is_table;                  /* a table, else a struct */
};

/* What the schema says of a kind. An entry whose name is NULL is no kind. */
struct msg_info {
    const char *name;              /* "OrderIntent", as in the .fbs */
    const struct msg_shape *shape; /* its fields */
    uint16_t body_bytes;           /* size of the body; 0 = a table, whose size varies */
    bool is_table;                 /* the body is a table */
    bool audit;                    /* its OUT record is journaled wherever it is said */
    bool input;                    /* it comes from outside the shard */
};

/* msg_bytes_of returns the size of a scalar of type, 0 when it is none. */
static inline uint32_t msg_bytes_of(uint8_t type) {
    static const uint8_t bytes[] = { 0, 1, 1, 1, 2, 2, 4, 4, 8, 8, 4, 8, 0, 0, 0, 0 };
    return bytes[type];
}

/* msg_enum_legal tells whether v is a value of e, or of flags a combination of them. */
static inline bool msg_enum_legal(const struct msg_enum *e, uint64_t v) {
    if (e->flags) return (v & ~e->legal[0]) == 0;
    return v <= e->max && (e->legal[v >> 6] >> (v & 63) & 1) != 0;
}

/* msg_slot returns where field at (4 + 2 * id) of table is, NULL when it is absent. */
static inline const void *msg_slot(const void *table, uint32_t at) {
    const uint8_t *t = table;
    const uint8_t *vtable;
    int32_t back;
    uint16_t bytes, slot;
    memcpy(&back, t, sizeof back);
    vtable = t - back;
    memcpy(&bytes, vtable, sizeof bytes);
    if (at >= bytes) return NULL; /* written by an older schema */
    memcpy(&slot, vtable + at, sizeof slot);
    return slot != 0 ? t + slot : NULL;
}

/* msg_follow returns what the offset at p points at. */
static inline const void *msg_follow(const void *p) {
    uint32_t ahead;
    memcpy(&ahead, p, sizeof ahead);
    return (const uint8_t *)p + ahead;
}

/* msg_ref returns the table, string or vector that field at of table points at, NULL = absent. */
static inline const void *msg_ref(const void *table, uint32_t at) {
    const void *p = msg_slot(table, at);
    return p != NULL ? msg_follow(p) : NULL;
}

/* msg_string returns the text of string field at of table, NUL-terminated, NULL = absent. */
static inline const char *msg_string(const void *table, uint32_t at) {
    const char *p = msg_ref(table, at);
    return p != NULL ? p + 4 : NULL;
}

/* msg_vector returns the elements of vector field at of table and sets *cnt; NULL and 0 = absent.
 */
static inline const void *msg_vector(const void *table, uint32_t at, uint32_t *cnt) {
    const uint8_t *p = msg_ref(table, at);
    *cnt = 0;
    if (p == NULL) return NULL;
    memcpy(cnt, p, sizeof *cnt);
    return p + 4;
}
#endif
