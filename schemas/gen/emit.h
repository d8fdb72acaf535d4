/* emit.h - the files the generator writes.
 *
 * For     main.c of the generator.
 * Thread  one; a program of the build. */
#ifndef SCHEMAS_GEN_EMIT_H
#define SCHEMAS_GEN_EMIT_H
#include "schemas/gen/bfbs.h"
#include <stdio.h>

/* emit_header writes messages.h for s to out. */
void emit_header(const struct bfbs *s, FILE *out);

/* emit_tables writes, as part of messages.h, what s has of tables: their readers, what they are
 * built from, and templates. */
void emit_tables(const struct bfbs *s, FILE *out);

/* emit_source writes messages.c for s to out. */
void emit_source(const struct bfbs *s, FILE *out);

/* emit_summary writes messages.txt: a line for each enum, struct and table with all that a reader
 * of old messages relies on, and no comment. */
void emit_summary(const struct bfbs *s, FILE *out);

/* emit_boxes writes wrappers.fbs: for each struct that is a message a table NAMEBox with it as its
 * one field, so that flatc can read and write it. */
void emit_boxes(const struct bfbs *s, FILE *out);

/* emit_schema writes schema.c: the .bfbs itself as bytes of the program (schemas/schema.h), so that
 * a run can keep it beside its journal. */
void emit_schema(const struct bfbs *s, FILE *out);

/* emit_hash returns a hash of the summary (FNV-1a): equal in all builds of one schema. */
uint64_t emit_hash(const struct bfbs *s);

/* emit_type returns the C type of a scalar. */
const char *emit_type(enum bfbs_type type);

/* emit_comment writes doc as a comment of its own lines, wrapped at 100 columns. */
void emit_comment(FILE *out, const char *indent, const char *doc);

/* emit_documented tells whether any value of e has a sentence. */
bool emit_documented(const struct bfbs_enum *e);
#endif
