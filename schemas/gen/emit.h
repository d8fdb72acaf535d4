/* emit.h - the two files the generator writes.
 *
 * For     main.c of the generator.
 * Thread  one; a program of the build. */
#ifndef SCHEMAS_GEN_EMIT_H
#define SCHEMAS_GEN_EMIT_H
#include "schemas/gen/bfbs.h"
#include <stdio.h>

/* emit_header writes messages.h for s to out. */
void emit_header(const struct bfbs *s, FILE *out);

/* emit_source writes messages.c for s to out. */
void emit_source(const struct bfbs *s, FILE *out);
#endif
