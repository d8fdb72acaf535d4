#include "schemas/gen/emit.h"

void emit_schema(const struct bfbs *s, FILE *out) {
    fputs("/* schema.c - made by schema_gen: the binary schema this program was built with. */\n"
          "#include \"schemas/schema.h\"\n\nconst uint8_t msg_schema[] = {",
          out);
    for (size_t i = 0; i < s->byte_cnt; i++)
        fprintf(out, "%s%u,", i % 24 ? "" : "\n    ", s->bytes[i]);
    fprintf(out, "\n};\nconst size_t msg_schema_bytes = %zu;\n", s->byte_cnt);
}
