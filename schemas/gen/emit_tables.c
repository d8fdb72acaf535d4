#include "schemas/gen/emit.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* put_default writes the default of scalar f as C. */
static void put_default(FILE *out, const struct bfbs_field *f) {
    if (f->type != BFBS_FLOAT && f->type != BFBS_DOUBLE) {
        if (f->def_int == INT64_MIN)
            fputs("INT64_MIN", out);
        else
            fprintf(out, "%" PRId64, f->def_int);
    } else if (isnan(f->def_real)) {
        fputs("NAN", out);
    } else if (isinf(f->def_real)) {
        fputs(f->def_real > 0 ? "INFINITY" : "-INFINITY", out);
    } else {
        fprintf(out, "%a", f->def_real);
    }
}

/* type_of writes into text the C type of what f, of type, is in memory; with in, of what it is
 * built from. */
static const char *type_of(const struct bfbs *s, const struct bfbs_field *f, enum bfbs_type type,
                           bool in, char text[256]) {
    if (type == BFBS_STRING) return "char";
    if (type != BFBS_OBJ) return emit_type(type);
    snprintf(text, 256, "struct msg_%s%s", s->objects[f->index].snake,
             in && !s->objects[f->index].is_struct ? "_in" : "");
    return text;
}

/* put_in writes struct msg_NAME_in of table o. */
static void put_in(const struct bfbs *s, FILE *out, const struct bfbs_object *o) {
    char text[256];
    fprintf(out,
            "\n/* What a %s may hold: a pointer that is NULL and an optional scalar without its"
            " has_ flag\n * are absent. */\nstruct msg_%s_in {\n",
            o->name, o->snake);
    for (size_t i = 0; i < o->field_cnt; i++) {
        const struct bfbs_field *f = &o->fields[i];
        bool vector = f->type == BFBS_VECTOR;
        const char *type = type_of(s, f, vector ? f->element : f->type, true, text);
        bool is_enum = bfbs_bytes(vector ? f->element : f->type) > 0 && f->index >= 0;
        if (f->deprecated) continue;
        if (vector && f->element == BFBS_STRING)
            fprintf(out, "    const char *const *%s;", f->name);
        else if (bfbs_bytes(f->type) == 0)
            fprintf(out, "    const %s *%s;", type, f->name);
        else
            fprintf(out, "    %s %s;", type, f->name);
        fprintf(out, " /* %s", f->doc[0] != 0 ? f->doc : f->name);
        if (is_enum) fprintf(out, "; enum %s", s->enums[f->index].snake);
        fprintf(out, "%s */\n", f->required ? "; must be there" : "");
        if (vector) fprintf(out, "    uint32_t %s_cnt; /* how many */\n", f->name);
        if (f->optional) fprintf(out, "    bool has_%s; /* %s is there */\n", f->name, f->name);
    }
    fprintf(out, "};\n\n/* Shape of %s. */\nextern const struct msg_shape msg_%s_shape;\n", o->name,
            o->snake);
}

/* put_signature writes the comment and head of a reader that returns type. */
static void put_signature(FILE *out, const struct bfbs_object *o, const struct bfbs_field *f,
                          const char *type, const char *name, const char *what, const char *more) {
    char doc[4096];
    snprintf(doc, sizeof doc, "msg_%s_%s%s %s%s%s.", o->snake, name, f->name, what,
             f->doc[0] != 0 && name[0] == 0 ? ": " : "", name[0] == 0 ? f->doc : "");
    fputc('\n', out);
    emit_comment(out, "", doc);
    fprintf(out, "static inline %smsg_%s_%s%s(const struct msg_%s *t%s) {\n", type, o->snake, name,
            f->name, o->snake, more);
}

/* put_scalar_reader writes the reader of a scalar of a table. */
static void put_scalar_reader(FILE *out, const struct bfbs_object *o, const struct bfbs_field *f) {
    char type[64];
    snprintf(type, sizeof type, "%s ", emit_type(f->type));
    if (f->optional) {
        put_signature(out, o, f, "bool ", "has_", "tells whether it is there", "");
        fprintf(out, "    return msg_slot(t, %u) != NULL;\n}\n", f->offset);
    }
    put_signature(out, o, f, type, "", f->optional ? "returns, 0 when absent" : "returns", "");
    fprintf(out, "    const void *p = msg_slot(t, %u);\n    %sv = ", f->offset, type);
    put_default(out, f);
    fputs(";\n    if (p != NULL) memcpy(&v, p, sizeof v);\n    return v;\n}\n", out);
}

/* put_vector_reader writes the readers of a vector of a table. */
static void put_vector_reader(const struct bfbs *s, FILE *out, const struct bfbs_object *o,
                              const struct bfbs_field *f) {
    char text[256], type[300];
    bool refers =
        f->element == BFBS_STRING || (f->element == BFBS_OBJ && !s->objects[f->index].is_struct);
    snprintf(type, sizeof type, "const %s *", type_of(s, f, f->element, false, text));
    if (!refers) {
        put_signature(out, o, f, type, "",
                      "returns the elements and sets *cnt, NULL and 0 = absent", ", uint32_t *cnt");
        fprintf(out, "    return (%s)msg_vector(t, %u, cnt);\n}\n", type, f->offset);
        return;
    }
    put_signature(out, o, f, "uint32_t ", "cnt_of_", "returns how many there are, 0 when absent",
                  "");
    fprintf(out, "    uint32_t cnt;\n    msg_vector(t, %u, &cnt);\n    return cnt;\n}\n",
            f->offset);
    put_signature(out, o, f, type, "", "returns the idx-th, which is below the count",
                  ", uint32_t idx");
    fprintf(out,
            "    uint32_t cnt;\n    const uint8_t *p = (const uint8_t *)msg_vector(t, %u, &cnt);\n"
            "    assert(idx < cnt);\n    p = (const uint8_t *)msg_follow(p + 4 * (size_t)idx);\n"
            "    return (%s)(p%s);\n}\n",
            f->offset, type, f->element == BFBS_STRING ? " + 4" : "");
}

/* put_reader writes what reads field f of table o. */
static void put_reader(const struct bfbs *s, FILE *out, const struct bfbs_object *o,
                       const struct bfbs_field *f) {
    char text[256], type[300];
    snprintf(type, sizeof type, "const %s *", type_of(s, f, f->type, false, text));
    if (f->deprecated) return;
    if (bfbs_bytes(f->type) > 0) {
        put_scalar_reader(out, o, f);
        return;
    }
    if (f->type == BFBS_VECTOR) {
        put_vector_reader(s, out, o, f);
        return;
    }
    put_signature(out, o, f, type, "", "returns, NULL when absent", "");
    if (f->type == BFBS_STRING)
        fprintf(out, "    return msg_string(t, %u);\n}\n", f->offset);
    else
        fprintf(out, "    return (%s)msg_%s(t, %u);\n}\n", type,
                s->objects[f->index].is_struct ? "slot" : "ref", f->offset);
}

/* put_put writes what fills field f of a copy of a template of message o. */
static void put_put(FILE *out, const struct bfbs_object *o, const struct bfbs_field *f) {
    const char *type = emit_type(f->type == BFBS_VECTOR ? f->element : f->type);
    bool vector = f->type == BFBS_VECTOR && bfbs_bytes(f->element) > 0;
    if (f->deprecated || (bfbs_bytes(f->type) == 0 && f->type != BFBS_STRING && !vector)) return;
    fprintf(out, "\n/* msg_%s_put_%s writes it into a copy of t. */\n", o->snake, f->name);
    fprintf(out, "static inline void msg_%s_put_%s(const struct msg_template *t, void *body,\n    ",
            o->snake, f->name);
    if (f->type == BFBS_STRING)
        fprintf(out, "const char *v) {\n    msg_put_string(t, body, %u, v);\n}\n", f->id);
    else if (vector)
        fprintf(out,
                "const %s *v, uint32_t cnt) {\n    msg_put_vector(t, body, %u, v, cnt, sizeof *v);"
                "\n}\n",
                type, f->id);
    else
        fprintf(out, "%s v) {\n    msg_put(t, body, %u, &v, sizeof v);\n}\n", type, f->id);
}

/* put_message writes what only tables that are messages have. */
static void put_message(FILE *out, const struct bfbs_object *o) {
    fprintf(out,
            "\n/* msg_%s_of returns the table of a body. */\n"
            "static inline const struct msg_%s *msg_%s_of(const void *body) {\n"
            "    return (const struct msg_%s *)msg_follow(body);\n}\n",
            o->snake, o->snake, o->snake, o->snake);
    fprintf(out,
            "\n/* msg_%s_build makes a body of in: see msg_build. */\n"
            "static inline const void *msg_%s_build(struct msg_builder *b,\n"
            "    const struct msg_%s_in *in, uint32_t *bytes) {\n"
            "    return msg_build(b, &msg_%s_shape, in, bytes);\n}\n",
            o->snake, o->snake, o->snake, o->snake);
    fprintf(out,
            "\n/* msg_%s_template makes a template of in: see msg_template_make. */\n"
            "static inline const struct msg_template *msg_%s_template(void *memory, size_t cap,\n"
            "    const struct msg_%s_in *in) {\n"
            "    return msg_template_make(memory, cap, &msg_%s_shape, in);\n}\n",
            o->snake, o->snake, o->snake, o->snake);
    for (size_t i = 0; i < o->field_cnt; i++) put_put(out, o, &o->fields[i]);
}

void emit_tables(const struct bfbs *s, FILE *out) {
    for (size_t i = 0; i < s->object_cnt; i++) {
        const struct bfbs_object *o = &s->objects[s->order[i]];
        char doc[4096];
        if (o->is_struct) continue;
        snprintf(doc, sizeof doc, "%s Read in place by msg_%s_*.",
                 o->doc[0] != 0 ? o->doc : o->name, o->snake);
        fputc('\n', out);
        emit_comment(out, "", doc);
        fprintf(out, "struct msg_%s;\n", o->snake);
    }
    for (size_t i = 0; i < s->object_cnt; i++) {
        const struct bfbs_object *o = &s->objects[s->order[i]];
        if (o->is_struct) continue;
        put_in(s, out, o);
        for (size_t j = 0; j < o->field_cnt; j++) put_reader(s, out, o, &o->fields[j]);
        if (o->kind != 0) put_message(out, o);
    }
}
