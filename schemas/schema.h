/* schema.h - the binary schema (.bfbs) this program was built with.
 *
 * For     runs, which keep it among their artifacts: whoever reads an old journal reads it by that
 *         run's schema.
 * Thread  constant. */
#ifndef SCHEMAS_SCHEMA_H
#define SCHEMAS_SCHEMA_H
#include <stddef.h>
#include <stdint.h>

/* The schema's bytes, as flatc wrote them. */
extern const uint8_t msg_schema[];
/* How many. */
extern const size_t msg_schema_bytes;
#endif
