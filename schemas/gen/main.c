/* schema_gen IN.bfbs OUTDIR: writes messages.h, messages.c, schema.c, and for the tests
 * messages.txt and wrappers.fbs. A program of the build. */
#include "schemas/gen/emit.h"
#include <stdlib.h>

/* write_file writes OUTDIR/name by emit. */
static void write_file(const struct bfbs *s, const char *dir, const char *name,
                       void (*emit)(const struct bfbs *, FILE *)) {
    char path[4096];
    FILE *out;
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path) bfbs_die("%s: the path is too long", dir);
    out = fopen(path, "w");
    if (out == NULL) bfbs_die("%s: cannot be written", path);
    emit(s, out);
    if (ferror(out) | fclose(out)) bfbs_die("%s: cannot be written", path);
}

/* main does the work; 0, or 1 with one line on stderr. */
int main(int argc, char **argv) {
    struct bfbs schema;
    if (argc != 3) {
        fprintf(stderr, "usage: schema_gen IN.bfbs OUTDIR\n");
        return EXIT_FAILURE;
    }
    bfbs_load(argv[1], &schema);
    write_file(&schema, argv[2], "messages.h", emit_header);
    write_file(&schema, argv[2], "messages.c", emit_source);
    write_file(&schema, argv[2], "schema.c", emit_schema);
    write_file(&schema, argv[2], "messages.txt", emit_summary);
    write_file(&schema, argv[2], "wrappers.fbs", emit_boxes);
    return EXIT_SUCCESS;
}
