/* json.h - numbers and levels out of JSON objects, as venues write them.
 *
 * For     the dialects' readers of streams. Decimals are strings, exact in units of 1e-8.
 * Thread  one owner of each value.
 * Memory  values belong to the parsed tree. */
#ifndef ACTORS_DIALECT_JSON_H
#define ACTORS_DIALECT_JSON_H
#include "actors/dialect/event.h"
#include <jansson.h>

/* dl_fixed reads the decimal in string key of o; DL_NOT_TOLD when there is none. */
int64_t dl_fixed(const json_t *o, const char *key);
/* dl_whole reads the whole number key of o; DL_NOT_TOLD when there is none. */
int64_t dl_whole(const json_t *o, const char *key);
/* dl_ms reads the instant key of o, ms, into ns; DL_NOT_TOLD when there is none. */
int64_t dl_ms(const json_t *o, const char *key);
/* dl_symbol copies the string key of o to out; empty when there is none that fits. */
void dl_symbol(const json_t *o, const char *key, char out[32]);
/* dl_levels adds the levels [["price", "quantity"], ...] under key of o to e. Returns 0, -EBADMSG
 * when one is none, -ENOMEM. */
int dl_levels(const json_t *o, const char *key, uint8_t side, struct dl_event *e)
    __attribute__((warn_unused_result));
#endif
