/* table.h - what is known about every message, and how bodies that are tables are read.
 *
 * For     messages.h, which is generated from the .fbs files and includes this.
 * Thread  pure functions and constants.
 * Source  the FlatBuffers binary format. */
#ifndef SCHEMAS_TABLE_H
#define SCHEMAS_TABLE_H
#include "schemas/frame.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the schema says of a kind. An entry whose name is NULL is no kind. */
struct msg_info {
    const char *name;    /* "OrderIntent", as in the .fbs */
    uint16_t body_bytes; /* size of the body; 0 = a table, whose size varies */
    bool is_table;       /* the body is a table */
    bool audit;          /* its OUT record is journaled wherever it is said */
    bool input;          /* it comes from outside the shard */
};
#endif
