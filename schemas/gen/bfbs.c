#include "schemas/gen/bfbs.h"
#include "schemas/frame.h"
#include "schemas/table.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in vtables, from the VT_ enums of reflection_generated.h. */
enum {
    SCHEMA_OBJECTS = 4,
    SCHEMA_ENUMS = 6,
    OBJECT_NAME = 4,
    OBJECT_FIELDS = 6,
    OBJECT_IS_STRUCT = 8,
    OBJECT_MINALIGN = 10,
    OBJECT_BYTESIZE = 12,
    OBJECT_ATTRIBUTES = 14,
    OBJECT_DOCUMENTATION = 16,
    FIELD_NAME = 4,
    FIELD_TYPE = 6,
    FIELD_ID = 8,
    FIELD_OFFSET = 10,
    FIELD_DEFAULT_INTEGER = 12,
    FIELD_DEFAULT_REAL = 14,
    FIELD_DEPRECATED = 16,
    FIELD_REQUIRED = 18,
    FIELD_ATTRIBUTES = 22,
    FIELD_DOCUMENTATION = 24,
    FIELD_OPTIONAL = 26,
    FIELD_PADDING = 28,
    TYPE_BASE_TYPE = 4,
    TYPE_ELEMENT = 6,
    TYPE_INDEX = 8,
    ENUM_NAME = 4,
    ENUM_VALUES = 6,
    ENUM_IS_UNION = 8,
    ENUM_UNDERLYING_TYPE = 10,
    ENUM_ATTRIBUTES = 12,
    ENUM_DOCUMENTATION = 14,
    VALUE_NAME = 4,
    VALUE_VALUE = 6,
    VALUE_DOCUMENTATION = 12,
    PAIR_KEY = 4,
    PAIR_VALUE = 6,
    FILE_MAX = 64 << 20, /* a schema of more bytes is no schema of ours */
};

/* Words of C that cannot be a member's name. */
static const char *const c_words[] = {
    "auto",     "break",  "case",   "char",     "const",    "continue", "default",  "do",
    "double",   "else",   "enum",   "extern",   "float",    "for",      "goto",     "if",
    "inline",   "int",    "long",   "register", "restrict", "return",   "short",    "signed",
    "sizeof",   "static", "struct", "switch",   "typedef",  "union",    "unsigned", "void",
    "volatile", "while",  "bool",   "true",     "false",    "asm",      "typeof",
};

/* Fields of tables that would be named as msg_NAME_of and its like are. */
static const char *const own_words[] = { "of", "in", "shape", "build", "template" };

static const uint8_t *file;   /* the whole .bfbs */
static size_t file_bytes;     /* its size */
static const char *file_path; /* for messages */

void bfbs_die(const char *format, ...) {
    va_list args;
    fprintf(stderr, "schema_gen: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* take allocates zeroed memory or ends. */
static void *take(size_t cnt, size_t bytes) {
    void *p = calloc(cnt ? cnt : 1, bytes);
    if (p == NULL) bfbs_die("out of memory");
    return p;
}

/* at returns bytes [where, where + cnt) of the file, or ends when they are not all in it. */
static const uint8_t *at(size_t where, size_t cnt) {
    if (where > file_bytes || cnt > file_bytes - where)
        bfbs_die("%s: damaged: byte %zu is past its end", file_path, where);
    return file + where;
}

/* u16 reads two bytes at where. */
static uint16_t u16(size_t where) {
    uint16_t v;
    memcpy(&v, at(where, sizeof v), sizeof v);
    return v;
}

/* u32 reads four bytes at where. */
static uint32_t u32(size_t where) {
    uint32_t v;
    memcpy(&v, at(where, sizeof v), sizeof v);
    return v;
}

/* field returns where field vt of the table is, 0 = absent. */
static size_t field(size_t table, size_t vt) {
    int64_t vtable = (int64_t)table - (int32_t)u32(table);
    uint16_t o;
    if (vtable < 0) bfbs_die("%s: damaged: a vtable before its start", file_path);
    if (vt >= u16((size_t)vtable)) return 0;
    o = u16((size_t)vtable + vt);
    return o ? table + o : 0;
}

/* integer returns a signed field of cnt bytes, def when it is absent. */
static int64_t integer(size_t table, size_t vt, size_t cnt, int64_t def) {
    size_t where = field(table, vt);
    int64_t v = 0;
    if (where == 0) return def;
    memcpy(&v, at(where, cnt), cnt);
    return cnt == 8 ? v : (int64_t)((uint64_t)v << (64 - 8 * cnt)) >> (64 - 8 * cnt);
}

/* follow returns what the offset field vt points at, 0 = absent. */
static size_t follow(size_t table, size_t vt) {
    size_t where = field(table, vt);
    return where == 0 ? 0 : where + u32(where);
}

/* elements returns the count of the vector in field vt and where its first offset is. */
static size_t elements(size_t table, size_t vt, size_t *first) {
    size_t where = follow(table, vt);
    size_t cnt = where == 0 ? 0 : u32(where);
    *first = where + 4;
    if (cnt > 0) at(*first, cnt * 4);
    return cnt;
}

/* element returns the table or string the idx-th offset of a vector points at. */
static size_t element(size_t first, size_t idx) {
    size_t where = first + 4 * idx;
    return where + u32(where);
}

/* string_at returns the text of the string object at where, allocated. */
static const char *string_at(size_t where) {
    size_t cnt = u32(where);
    const uint8_t *bytes = at(where + 4, cnt);
    char *s = take(cnt + 1, 1);
    memcpy(s, bytes, cnt);
    return s;
}

/* text returns the string in field vt, "" when absent. */
static const char *text(size_t table, size_t vt) {
    size_t where = follow(table, vt);
    return where == 0 ? "" : string_at(where);
}

/* document joins the lines of a documentation field with blanks and refuses what would end a
 * comment or a literal of C. */
static const char *document(size_t table, size_t vt) {
    size_t first;
    size_t cnt = elements(table, vt, &first);
    size_t room = 1;
    char *out = take(1, 1);
    for (size_t i = 0; i < cnt; i++) {
        const char *line = string_at(element(first, i));
        size_t bytes;
        while (*line == ' ') line++;
        bytes = strlen(line);
        while (bytes > 0 && isspace((unsigned char)line[bytes - 1])) bytes--;
        out = realloc(out, room + bytes + 1);
        if (out == NULL) bfbs_die("out of memory");
        if (room > 1) out[room++ - 1] = ' ';
        memcpy(out + room - 1, line, bytes);
        room += bytes;
        out[room - 1] = 0;
    }
    if (strstr(out, "*/") != NULL || strpbrk(out, "\"\\\r\n") != NULL)
        bfbs_die("%s: the comment \"%s\" holds a character that C cannot carry", file_path, out);
    return out;
}

/* attribute finds the attribute called key in field vt; NULL when it is not there. */
static const char *attribute(size_t table, size_t vt, const char *key) {
    size_t first;
    size_t cnt = elements(table, vt, &first);
    for (size_t i = 0; i < cnt; i++) {
        size_t pair = element(first, i);
        if (strcmp(text(pair, PAIR_KEY), key) == 0) return text(pair, PAIR_VALUE);
    }
    return NULL;
}

/* bare returns name without its namespace. */
static const char *bare(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

/* snake turns "OrderIntent" into "order_intent". */
static const char *snake(const char *name) {
    char *out = take(2 * strlen(name) + 1, 1);
    size_t n = 0;
    for (size_t i = 0; name[i] != 0; i++) {
        bool upper = isupper((unsigned char)name[i]);
        if (upper && i > 0 && !isupper((unsigned char)name[i - 1])) out[n++] = '_';
        out[n++] = (char)tolower((unsigned char)name[i]);
    }
    return out;
}

const char *bfbs_upper(const char *s) {
    char *out = take(strlen(s) + 1, 1);
    for (size_t i = 0; s[i] != 0; i++) out[i] = (char)toupper((unsigned char)s[i]);
    return out;
}

size_t bfbs_bytes(enum bfbs_type type) {
    switch (type) {
    case BFBS_BOOL:
    case BFBS_BYTE:
    case BFBS_UBYTE: return 1;
    case BFBS_SHORT:
    case BFBS_USHORT: return 2;
    case BFBS_INT:
    case BFBS_UINT:
    case BFBS_FLOAT: return 4;
    case BFBS_LONG:
    case BFBS_ULONG:
    case BFBS_DOUBLE: return 8;
    default: return 0;
    }
}

/* compare_values orders values by number. */
static int compare_values(const void *a, const void *b) {
    const struct bfbs_value *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* compare_offsets orders fields of a struct by place. */
static int compare_offsets(const void *a, const void *b) {
    const struct bfbs_field *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* compare_ids orders fields of a table by id. */
static int compare_ids(const void *a, const void *b) {
    const struct bfbs_field *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* load_enum reads the enum at table. */
static void load_enum(size_t table, struct bfbs_enum *out) {
    size_t first;
    size_t type = follow(table, ENUM_UNDERLYING_TYPE);
    out->name = bare(text(table, ENUM_NAME));
    out->snake = snake(out->name);
    out->doc = document(table, ENUM_DOCUMENTATION);
    out->flags = attribute(table, ENUM_ATTRIBUTES, "bit_flags") != NULL;
    out->type = type == 0 ? BFBS_NONE : (enum bfbs_type)integer(type, TYPE_BASE_TYPE, 1, 0);
    if (integer(table, ENUM_IS_UNION, 1, 0) != 0)
        bfbs_die("union %s: unions are refused: say a table with one field per case", out->name);
    if (out->type != BFBS_UBYTE && out->type != BFBS_USHORT)
        bfbs_die("enum %s: its type must be ubyte or ushort", out->name);
    out->value_cnt = elements(table, ENUM_VALUES, &first);
    out->values = take(out->value_cnt, sizeof *out->values);
    for (size_t i = 0; i < out->value_cnt; i++) {
        size_t value = element(first, i);
        out->values[i].name = text(value, VALUE_NAME);
        out->values[i].doc = document(value, VALUE_DOCUMENTATION);
        out->values[i].value = integer(value, VALUE_VALUE, 8, 0);
    }
    qsort(out->values, out->value_cnt, sizeof *out->values, compare_values);
    if (out->value_cnt == 0 || out->values[0].value < 0 || out->values[0].value > UINT16_MAX)
        bfbs_die("enum %s: no values, or one below zero", out->name);
    for (size_t i = 1; i < out->value_cnt; i++)
        if (out->values[i].value == out->values[i - 1].value)
            bfbs_die("enum %s: %s and %s are the same number", out->name, out->values[i - 1].name,
                     out->values[i].name);
}

/* load_field reads the field at table of the object of. */
static void load_field(size_t table, const struct bfbs_object *of, struct bfbs_field *out) {
    size_t type = follow(table, FIELD_TYPE);
    size_t real = field(table, FIELD_DEFAULT_REAL);
    out->name = text(table, FIELD_NAME);
    out->doc = document(table, FIELD_DOCUMENTATION);
    if (type == 0) bfbs_die("%s: damaged: %s.%s has no type", file_path, of->name, out->name);
    out->type = (enum bfbs_type)integer(type, TYPE_BASE_TYPE, 1, 0);
    out->element = (enum bfbs_type)integer(type, TYPE_ELEMENT, 1, 0);
    out->index = (int32_t)integer(type, TYPE_INDEX, 4, -1);
    out->id = (uint16_t)integer(table, FIELD_ID, 2, 0);
    out->offset = (uint16_t)integer(table, FIELD_OFFSET, 2, 0);
    out->padding = (uint16_t)integer(table, FIELD_PADDING, 2, 0);
    out->def_int = integer(table, FIELD_DEFAULT_INTEGER, 8, 0);
    if (real != 0) memcpy(&out->def_real, at(real, 8), 8);
    out->deprecated = integer(table, FIELD_DEPRECATED, 1, 0) != 0;
    out->required = integer(table, FIELD_REQUIRED, 1, 0) != 0;
    /* flatc calls every string, vector and table optional; only scalars (= null) matter to us. */
    out->optional = integer(table, FIELD_OPTIONAL, 1, 0) != 0 && bfbs_bytes(out->type) > 0;
    out->fixed = attribute(table, FIELD_ATTRIBUTES, "fixed") != NULL;
    out->instant = attribute(table, FIELD_ATTRIBUTES, "instant") != NULL;
    if ((out->fixed || out->instant) && out->type != BFBS_LONG)
        bfbs_die("%s.%s: fixed and instant are for fields of type long", of->name, out->name);
    if (attribute(table, FIELD_ATTRIBUTES, "nested_flatbuffer") != NULL)
        bfbs_die("%s.%s: nested_flatbuffer is refused: use a table", of->name, out->name);
}

/* load_object reads the struct or table at table. */
static void load_object(size_t table, struct bfbs_object *out) {
    size_t first;
    const char *kind = attribute(table, OBJECT_ATTRIBUTES, "kind");
    out->name = bare(text(table, OBJECT_NAME));
    out->snake = snake(out->name);
    out->doc = document(table, OBJECT_DOCUMENTATION);
    out->is_struct = integer(table, OBJECT_IS_STRUCT, 1, 0) != 0;
    out->align = (int32_t)integer(table, OBJECT_MINALIGN, 4, 0);
    out->bytes = (int32_t)integer(table, OBJECT_BYTESIZE, 4, 0);
    out->audit = attribute(table, OBJECT_ATTRIBUTES, "audit") != NULL;
    out->input = attribute(table, OBJECT_ATTRIBUTES, "input") != NULL;
    if (kind != NULL) {
        char *end;
        long v = strtol(kind, &end, 10);
        if (*kind == 0 || *end != 0 || v < 1 || v >= MSG_KIND_MAX)
            bfbs_die("%s: kind \"%s\" is not a number from 1 to %d", out->name, kind,
                     MSG_KIND_MAX - 1);
        out->kind = (uint16_t)v;
    }
    out->field_cnt = elements(table, OBJECT_FIELDS, &first);
    out->fields = take(out->field_cnt, sizeof *out->fields);
    for (size_t i = 0; i < out->field_cnt; i++) load_field(element(first, i), out, &out->fields[i]);
    /* The file has fields by name; structs are laid out by offset, tables numbered by id. */
    qsort(out->fields, out->field_cnt, sizeof *out->fields,
          out->is_struct ? compare_offsets : compare_ids);
}

/* check_field refuses what the emitters do not make C of. */
static void check_field(const struct bfbs *s, const struct bfbs_object *o, struct bfbs_field *f) {
    enum bfbs_type type = f->type == BFBS_VECTOR ? f->element : f->type;
    bool refers = type == BFBS_OBJ;
    for (size_t i = 0; i < sizeof c_words / sizeof *c_words; i++)
        if (strcmp(c_words[i], f->name) == 0)
            bfbs_die("%s.%s: the name is a word of C", o->name, f->name);
    for (size_t i = 0; i < sizeof own_words / sizeof *own_words && !o->is_struct; i++)
        if (strcmp(own_words[i], f->name) == 0)
            bfbs_die("%s.%s: the name is taken by a generated function", o->name, f->name);
    if (!o->is_struct && f->id >= MSG_FIELDS_MAX)
        bfbs_die("%s.%s: id %u; a table has at most %d fields", o->name, f->name, f->id,
                 MSG_FIELDS_MAX);
    if (f->type == BFBS_ARRAY)
        bfbs_die("%s.%s: fixed arrays are refused: flatc --ts reads no schema with one", o->name,
                 f->name);
    if (f->type == BFBS_UNION || f->type == BFBS_UTYPE || f->element == BFBS_UNION)
        bfbs_die("%s.%s: unions are refused: say a table with one field per case", o->name,
                 f->name);
    if (bfbs_bytes(type) == 0 && type != BFBS_STRING && type != BFBS_OBJ)
        bfbs_die("%s.%s: type %d is unknown", o->name, f->name, (int)type);
    if (f->index >= 0 && (size_t)f->index >= (refers ? s->object_cnt : s->enum_cnt))
        bfbs_die("%s: damaged: %s.%s refers to nothing", file_path, o->name, f->name);
    if (refers && f->index < 0)
        bfbs_die("%s: damaged: %s.%s refers to nothing", file_path, o->name, f->name);
    if (o->is_struct && f->padding > 0)
        bfbs_die("struct %s: %u bytes after %s are padding: say them as fields named pad", o->name,
                 f->padding, f->name);
}

/* visit puts object idx into the order, what it contains first. */
static void visit(struct bfbs *s, int32_t idx, uint8_t *seen, size_t *cnt) {
    const struct bfbs_object *o = &s->objects[idx];
    if (seen[idx] != 0) return; /* tables may refer to each other in a circle */
    seen[idx] = 1;
    for (size_t i = 0; i < o->field_cnt; i++) {
        const struct bfbs_field *f = &o->fields[i];
        if (f->type == BFBS_OBJ || (f->type == BFBS_VECTOR && f->element == BFBS_OBJ))
            visit(s, f->index, seen, cnt);
    }
    s->order[(*cnt)++] = idx;
}

/* check refuses schemas that messages cannot be made of, and fills by_kind and order. */
static void check(struct bfbs *s) {
    size_t cnt = 0;
    uint8_t *seen = take(s->object_cnt, 1);
    s->by_kind = take(MSG_KIND_MAX, sizeof *s->by_kind);
    s->order = take(s->object_cnt, sizeof *s->order);
    for (int32_t k = 0; k < MSG_KIND_MAX; k++) s->by_kind[k] = -1;
    for (size_t i = 0; i < s->object_cnt; i++) {
        struct bfbs_object *o = &s->objects[i];
        for (size_t j = 0; j < o->field_cnt; j++) check_field(s, o, &o->fields[j]);
        if (o->is_struct && o->align > 8)
            bfbs_die("struct %s: alignment %d; bodies lie at multiples of 8", o->name, o->align);
        if (o->kind == 0) continue;
        if (o->is_struct && o->bytes % 8 != 0)
            bfbs_die("struct %s: %d bytes; a body is a multiple of 8: add fields named pad",
                     o->name, o->bytes);
        if (o->is_struct && o->bytes > MSG_FRAME_MAX - (int32_t)sizeof(struct msg_frame))
            bfbs_die("struct %s: %d bytes do not fit a frame", o->name, o->bytes);
        if (s->by_kind[o->kind] >= 0)
            bfbs_die("kind %u is used twice: %s and %s", o->kind,
                     s->objects[s->by_kind[o->kind]].name, o->name);
        s->by_kind[o->kind] = (int32_t)i;
    }
    for (int32_t k = 0; k < MSG_KIND_MAX; k++)
        if (s->by_kind[k] >= 0) visit(s, s->by_kind[k], seen, &cnt);
    for (size_t i = 0; i < s->object_cnt; i++)
        if (seen[i] == 0)
            bfbs_die("%s %s: no kind, and no message contains it: give it (kind: \"n\")",
                     s->objects[i].is_struct ? "struct" : "table", s->objects[i].name);
    free(seen);
}

/* read_file takes the whole file at path into memory. */
static void read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = take(1, FILE_MAX);
    file_path = path;
    if (f == NULL) bfbs_die("%s: cannot be opened", path);
    file_bytes = fread(bytes, 1, FILE_MAX, f);
    if (ferror(f) || file_bytes == FILE_MAX) bfbs_die("%s: cannot be read", path);
    fclose(f);
    file = bytes;
    if (file_bytes < 8 || memcmp(file + 4, "BFBS", 4) != 0)
        bfbs_die("%s: is not a binary schema (flatc --binary --schema)", path);
}

void bfbs_load(const char *path, struct bfbs *out) {
    size_t root, first;
    read_file(path);
    memset(out, 0, sizeof *out);
    out->bytes = file;
    out->byte_cnt = file_bytes;
    root = u32(0);
    out->enum_cnt = elements(root, SCHEMA_ENUMS, &first);
    out->enums = take(out->enum_cnt, sizeof *out->enums);
    for (size_t i = 0; i < out->enum_cnt; i++) load_enum(element(first, i), &out->enums[i]);
    out->object_cnt = elements(root, SCHEMA_OBJECTS, &first);
    out->objects = take(out->object_cnt, sizeof *out->objects);
    for (size_t i = 0; i < out->object_cnt; i++) load_object(element(first, i), &out->objects[i]);
    check(out);
}
