#include "schemas/frame.h"
#include "schemas/gen/emit.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* type_name returns the enum msg_type of a field or element; objects are what their shape is. */
static const char *type_name(const struct bfbs *s, const struct bfbs_field *f,
                             enum bfbs_type type) {
    switch (type) {
    case BFBS_BOOL: return "MSG_TYPE_BOOL";
    case BFBS_BYTE: return "MSG_TYPE_I8";
    case BFBS_UBYTE: return "MSG_TYPE_U8";
    case BFBS_SHORT: return "MSG_TYPE_I16";
    case BFBS_USHORT: return "MSG_TYPE_U16";
    case BFBS_INT: return "MSG_TYPE_I32";
    case BFBS_UINT: return "MSG_TYPE_U32";
    case BFBS_LONG: return "MSG_TYPE_I64";
    case BFBS_ULONG: return "MSG_TYPE_U64";
    case BFBS_FLOAT: return "MSG_TYPE_F32";
    case BFBS_DOUBLE: return "MSG_TYPE_F64";
    case BFBS_STRING: return "MSG_TYPE_STRING";
    case BFBS_VECTOR: return "MSG_TYPE_VECTOR";
    case BFBS_OBJ: return s->objects[f->index].is_struct ? "MSG_TYPE_STRUCT" : "MSG_TYPE_TABLE";
    default: return "MSG_TYPE_NONE";
    }
}

/* needs_check tells whether some bytes of field f of a struct are no legal value. */
static bool needs_check(const struct bfbs *s, const struct bfbs_field *f) {
    const struct bfbs_object *inner;
    if (f->type == BFBS_BOOL) return true;
    if (f->type != BFBS_OBJ) return f->index >= 0;
    inner = &s->objects[f->index];
    for (size_t i = 0; i < inner->field_cnt; i++)
        if (needs_check(s, &inner->fields[i])) return true;
    return false;
}

/* put_names writes a function from values to names or, with text, to sentences. */
static void put_names(FILE *out, const struct bfbs_enum *e, bool text) {
    fprintf(out, "\nconst char *msg_%s_%s(uint16_t value) {\n    switch (value) {\n", e->snake,
            text ? "text" : "name");
    for (size_t i = 0; i < e->value_cnt; i++) {
        const char *word = text ? e->values[i].doc : e->values[i].name;
        if (*word != 0)
            fprintf(out, "    case %s_%s: return \"%s\";\n", bfbs_upper(e->snake),
                    bfbs_upper(e->values[i].name), word);
    }
    fprintf(out, "    default: return \"?\";\n    }\n}\n");
}

/* put_enum writes what is known of enum e. */
static void put_enum(FILE *out, const struct bfbs_enum *e) {
    uint64_t all = 0;
    size_t words = 1 + (size_t)e->values[e->value_cnt - 1].value / 64;
    uint64_t *legal;
    for (size_t i = 0; i < e->value_cnt; i++) all |= (uint64_t)e->values[i].value;
    if (e->flags) words = 1;
    legal = calloc(words, sizeof *legal);
    if (legal == NULL) bfbs_die("out of memory");
    for (size_t i = 0; i < e->value_cnt && !e->flags; i++)
        legal[e->values[i].value / 64] |= 1ull << (e->values[i].value % 64);
    if (e->flags) legal[0] = all;
    fprintf(out, "\nstatic const struct msg_enum_value values_%s[] = {\n", e->snake);
    for (size_t i = 0; i < e->value_cnt; i++)
        fprintf(out, "    { %" PRId64 ", \"%s\" },\n", e->values[i].value, e->values[i].name);
    fprintf(out, "};\nstatic const uint64_t legal_%s[] = {", e->snake);
    for (size_t i = 0; i < words; i++) fprintf(out, " 0x%" PRIx64 "ull,", legal[i]);
    fprintf(
        out,
        " };\nstatic const struct msg_enum enum_%s = { \"%s\", values_%s, legal_%s, %zu, %" PRIu64
        ", %d };\n",
        e->snake, e->name, e->snake, e->snake, e->value_cnt,
        e->flags ? all : (uint64_t)e->values[e->value_cnt - 1].value, e->flags);
    free(legal);
}

/* put_field writes one entry of a list of fields. */
static void put_field(const struct bfbs *s, FILE *out, const struct bfbs_object *o,
                      const struct bfbs_field *f) {
    enum bfbs_type inner = f->type == BFBS_VECTOR ? f->element : f->type;
    bool real = f->type == BFBS_FLOAT || f->type == BFBS_DOUBLE;
    fprintf(out, "    { .name = \"%s\", .type = %s, .at = %u", f->name, type_name(s, f, f->type),
            f->offset);
    if (f->type == BFBS_VECTOR) fprintf(out, ", .element = %s", type_name(s, f, f->element));
    if (inner == BFBS_OBJ)
        fprintf(out, ", .shape = &msg_%s_shape", s->objects[f->index].snake);
    else if (f->index >= 0)
        fprintf(out, ", .enums = &enum_%s", s->enums[f->index].snake);
    if (!o->is_struct) {
        fprintf(out, ",\n      .in_at = offsetof(struct msg_%s_in, %s)", o->snake, f->name);
        if (f->type == BFBS_VECTOR)
            fprintf(out, ", .in_more = offsetof(struct msg_%s_in, %s_cnt)", o->snake, f->name);
        if (f->optional)
            fprintf(out, ", .in_more = offsetof(struct msg_%s_in, has_%s)", o->snake, f->name);
        if (real && isnan(f->def_real))
            fprintf(out, ", .def.d = NAN");
        else if (real && isinf(f->def_real))
            fprintf(out, ", .def.d = %sINFINITY", f->def_real > 0 ? "" : "-");
        else if (real)
            fprintf(out, ", .def.d = %a", f->def_real);
        else if (f->def_int == INT64_MIN)
            fprintf(out, ", .def.i = INT64_MIN");
        else if (f->def_int != 0)
            fprintf(out, ", .def.i = %" PRId64, f->def_int);
    }
    fprintf(out, "%s%s%s%s },\n", f->required ? ", .required = true" : "",
            f->optional ? ", .optional = true" : "", f->fixed ? ", .fixed = true" : "",
            f->instant ? ", .instant = true" : "");
}

/* put_shape writes what is known of o. */
static void put_shape(const struct bfbs *s, FILE *out, const struct bfbs_object *o) {
    size_t fields = 0, checks = 0;
    for (size_t i = 0; i < o->field_cnt; i++) {
        if (o->fields[i].deprecated) continue;
        if (fields++ == 0)
            fprintf(out, "\nstatic const struct msg_field fields_%s[] = {\n", o->snake);
        put_field(s, out, o, &o->fields[i]);
    }
    if (fields > 0) fputs("};\n", out);
    for (size_t i = 0; i < o->field_cnt && o->is_struct; i++) {
        if (!needs_check(s, &o->fields[i])) continue;
        if (checks++ == 0)
            fprintf(out, "static const struct msg_field checks_%s[] = {\n", o->snake);
        put_field(s, out, o, &o->fields[i]);
    }
    if (checks > 0) fputs("};\n", out);
    fprintf(out, "%s struct msg_shape msg_%s_shape = {\n    .name = \"%s\"",
            o->is_struct ? "static const" : "const", o->snake, o->name);
    if (fields > 0) fprintf(out, ", .fields = fields_%s, .field_cnt = %zu", o->snake, fields);
    if (checks > 0) fprintf(out, ", .checks = checks_%s, .check_cnt = %zu", o->snake, checks);
    if (o->is_struct)
        fprintf(out, ",\n    .bytes = %d, .align = %d,\n};\n", o->bytes, o->align);
    else
        fprintf(out, ",\n    .in_bytes = sizeof(struct msg_%s_in), .is_table = true,\n};\n",
                o->snake);
}

/* put_infos writes the table of kinds. */
static void put_infos(const struct bfbs *s, FILE *out) {
    fputs("\nconst struct msg_info msg_infos[MSG_KIND_MAX] = {\n", out);
    for (size_t k = 0; k < MSG_KIND_MAX; k++) {
        const struct bfbs_object *o;
        if (s->by_kind[k] < 0) continue;
        o = &s->objects[s->by_kind[k]];
        fprintf(out,
                "    [%zu] = { .name = \"%s\", .shape = &msg_%s_shape, .body_bytes = %d, "
                ".is_table = %d,\n        .audit = %d, .input = %d },\n",
                k, o->name, o->snake, o->is_struct ? o->bytes : 0, !o->is_struct, o->audit,
                o->input);
    }
    fputs("};\n\nconst char *msg_kind_name(uint16_t kind) {\n"
          "    return kind < MSG_KIND_MAX && msg_infos[kind].name != NULL ? msg_infos[kind].name : "
          "\"?\";\n}\n",
          out);
}

void emit_source(const struct bfbs *s, FILE *out) {
    fputs("/* Generated by schema_gen; do not edit: change the .fbs and build. */\n"
          "#include \"schemas/messages.h\"\n",
          out);
    for (size_t i = 0; i < s->enum_cnt; i++) put_enum(out, &s->enums[i]);
    fputc('\n', out);
    for (size_t i = 0; i < s->object_cnt; i++) put_shape(s, out, &s->objects[s->order[i]]);
    put_infos(s, out);
    for (size_t i = 0; i < s->enum_cnt; i++) {
        put_names(out, &s->enums[i], false);
        if (emit_documented(&s->enums[i])) put_names(out, &s->enums[i], true);
    }
}
