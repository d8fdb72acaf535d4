/* bfbs.h - flatc's binary schema, read into a model the emitters walk.
 *
 * For     the generator: a .bfbs file in, objects and enums in a fixed order out.
 * Thread  one; a program of the build.
 * Memory  everything is allocated once and kept until the process ends.
 * Source  reflection_generated.h of flatbuffers 2.0.8 (field numbers); what is odd about the
 *         format stands beside the code that deals with it. */
#ifndef SCHEMAS_GEN_BFBS_H
#define SCHEMAS_GEN_BFBS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of FlatBuffers, by reflection's numbers. */
enum bfbs_type {
    BFBS_NONE = 0,
    BFBS_UTYPE = 1,
    BFBS_BOOL = 2,
    BFBS_BYTE = 3,
    BFBS_UBYTE = 4,
    BFBS_SHORT = 5,
    BFBS_USHORT = 6,
    BFBS_INT = 7,
    BFBS_UINT = 8,
    BFBS_LONG = 9,
    BFBS_ULONG = 10,
    BFBS_FLOAT = 11,
    BFBS_DOUBLE = 12,
    BFBS_STRING = 13,
    BFBS_VECTOR = 14,
    BFBS_OBJ = 15,
    BFBS_UNION = 16,
    BFBS_ARRAY = 17,
};

/* One value of an enum. */
struct bfbs_value {
    const char *name; /* as in the .fbs */
    const char *doc;  /* its sentence, "" when there is none */
    int64_t value;    /* its number; of bit_flags the bit itself */
};

/* One enum. */
struct bfbs_enum {
    const char *name;          /* without namespace: "OrderType" */
    const char *snake;         /* "order_type" */
    const char *doc;           /* "" when there is none */
    struct bfbs_value *values; /* by number, rising */
    size_t value_cnt;          /* how many */
    enum bfbs_type type;       /* integer it is kept in */
    bool flags;                /* bit_flags: values may be combined */
};

/* One field of a struct or table. */
struct bfbs_field {
    const char *name;       /* as in the .fbs */
    const char *doc;        /* "" when there is none */
    int64_t def_int;        /* default of integers */
    double def_real;        /* default of float and double */
    int32_t index;          /* object or enum it refers to, -1 = none */
    enum bfbs_type type;    /* what it is */
    enum bfbs_type element; /* of a vector: what its elements are */
    uint16_t id;            /* number within its table */
    uint16_t offset;        /* struct: byte offset; table: offset in the vtable */
    uint16_t padding;       /* struct: bytes that nobody named, after it */
    bool required;          /* must be present */
    bool optional;          /* a scalar that may be absent (= null) */
    bool deprecated;        /* no code is made for it */
    bool fixed;             /* attribute of that name */
    bool instant;           /* attribute of that name */
};

/* One struct or table. */
struct bfbs_object {
    const char *name;          /* without namespace: "OrderIntent" */
    const char *snake;         /* "order_intent" */
    const char *doc;           /* "" when there is none */
    struct bfbs_field *fields; /* structs by offset, tables by id */
    size_t field_cnt;          /* how many */
    int32_t bytes;             /* struct: its size */
    int32_t align;             /* struct: its alignment */
    uint16_t kind;             /* message number; 0 = part of other messages */
    bool is_struct;            /* else a table */
    bool audit;                /* attribute of that name */
    bool input;                /* attribute of that name */
};

/* A whole schema. */
struct bfbs {
    struct bfbs_object *objects; /* in the file's order (by name): bfbs_field.index counts in it */
    size_t object_cnt;           /* how many */
    struct bfbs_enum *enums;     /* likewise */
    size_t enum_cnt;             /* how many */
    int32_t *by_kind;            /* object of each kind, -1 = none; MSG_KIND_MAX long */
    int32_t *order;              /* objects so that what is contained comes before what contains it,
                                  * messages by kind */
    const uint8_t *bytes;        /* the file as it is */
    size_t byte_cnt;             /* its size */
};

/* bfbs_load reads and checks the file at path into *out. Every error ends the process with one
 * line on stderr: the file is our own build's, and there is nothing to go on with. */
void bfbs_load(const char *path, struct bfbs *out);

/* bfbs_bytes returns the size of a scalar type, 0 for anything else. */
size_t bfbs_bytes(enum bfbs_type type);

/* bfbs_upper returns s in capitals, allocated. */
const char *bfbs_upper(const char *s);

/* bfbs_die ends the process with one line on stderr, formatted as printf does. */
void bfbs_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
#endif
