/* json.h - a JSON file read back: summary.json and manifest.json of a run.
 *
 * For     pages (page.h), which read what results.c wrote, so a page is made of a directory alone.
 * Rules   RFC 8259; at most 64 levels; a number is a double, null and what is absent is none.
 * Thread  the caller's.
 * Memory  the file's bytes, changed in place, and 40 bytes a value; freed by report_json_close.
 * Cost    about 5 ns a byte. */
#ifndef ACTORS_REPORT_JSON_H
#define ACTORS_REPORT_JSON_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is. */
enum report_json_kind {
    REPORT_JSON_NONE,
    REPORT_JSON_BOOL,
    REPORT_JSON_NUMBER,
    REPORT_JSON_TEXT,
    REPORT_JSON_LIST,
    REPORT_JSON_OBJECT,
};

/* One value. */
struct report_value {
    enum report_json_kind kind; /* what it is */
    uint32_t next;              /* index of the next of its list or object, 0 = the last */
    uint32_t first;             /* of a list or object: index of its first, 0 = empty */
    const char *key;            /* in an object: its name; else "" */
    const char *text;           /* of a text: its characters; of a number: as written */
    double number;              /* of a number; of a bool 0 or 1 */
};

/* A file. */
struct report_json {
    char *bytes;                 /* its text, cut into strings */
    struct report_value *values; /* [0] is the whole */
    size_t cnt, room;            /* how many; how many fit */
};

/* report_json_open reads dir/name. Returns 0, or negative errno with err: not there, not JSON. */
int report_json_open(struct report_json *j, const char *dir, const char *name, struct rt_error *err)
    __attribute__((warn_unused_result));
/* report_json_close frees it. */
void report_json_close(struct report_json *j);
/* report_json_get returns what v, an object, has under key; NULL when v is NULL or has not. */
const struct report_value *report_json_get(const struct report_json *j,
                                           const struct report_value *v, const char *key);
/* report_json_first returns the first of a list or object, NULL = none. */
const struct report_value *report_json_first(const struct report_json *j,
                                             const struct report_value *v);
/* report_json_next returns the one after v in its list or object, NULL = none. */
const struct report_value *report_json_next(const struct report_json *j,
                                            const struct report_value *v);
/* report_json_number returns the number that v has under key; a NaN where there is none. */
double report_json_number(const struct report_json *j, const struct report_value *v,
                          const char *key);
/* report_json_whole returns that number as written, when it is whole and within 4e18 of zero; other
 * where there is none. */
int64_t report_json_whole(const struct report_json *j, const struct report_value *v,
                          const char *key, int64_t other);
/* report_json_text returns the text that v has under key, or a number as written; "" where none. */
const char *report_json_text(const struct report_json *j, const struct report_value *v,
                             const char *key);
#endif
