/* config.h - a YAML (or JSON) file as a tree that knows where each value stands.
 *
 * For     every configuration file. Bounds: 1 MiB a file, depth 64, 64 Ki nodes, 16 includes.
 *         Refused with file:line:column: aliases and anchors, tags, repeated keys, several
 *         documents, bytes that are not UTF-8, keys nobody asked for (rt_node_no_more). The
 *         tree's own include: (a path or a list of paths, relative to the including file, no
 *         cycles) is merged first: the including file's keys win, maps merge, lists replace.
 * Thread  boot only.
 * Memory  one heap block per tree, freed by rt_config_close.
 * Errors  every getter fills err with "FILE:LINE:COL: key: what was wrong, expected ...". */
#ifndef RUNTIME_BASE_CONFIG_H
#define RUNTIME_BASE_CONFIG_H
#include "runtime/base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a node is. */
enum rt_node_kind { RT_NODE_SCALAR, RT_NODE_LIST, RT_NODE_MAP };

/* A value of the tree; children are linked in the order of the file. */
struct rt_node {
    enum rt_node_kind kind;       /* scalar, list or map */
    bool quoted;                  /* the scalar stood in quotes: text, never a number or null */
    bool used;                    /* a getter asked for it; rt_node_no_more looks */
    uint32_t line, column;        /* where it stands, from 1 */
    const char *file;             /* name of its file as given */
    const char *key;              /* its key in the map above, NULL in a list and at the root */
    const char *text;             /* scalar: its text, NUL-terminated UTF-8; else NULL */
    struct rt_node *child, *next; /* first child; next sibling */
    uint32_t child_cnt;           /* number of children */
};

struct rt_config; /* a loaded file with all it included; opaque */

/* rt_config_load reads path and its includes. Returns 0 with *out to be closed by the caller, or a
 * negative errno with err filled. */
int rt_config_load(const char *path, struct rt_config **out, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_config_parse is rt_config_load on bytes in memory (no includes), named name in errors. */
int rt_config_parse(const char *name, const char *bytes, size_t cnt, struct rt_config **out,
                    struct rt_error *err) __attribute__((warn_unused_result));

/* rt_config_root returns the root node, always a map. */
struct rt_node *rt_config_root(const struct rt_config *c);

/* rt_config_print prints the merged tree as canonical YAML. */
void rt_config_print(const struct rt_config *c, FILE *f);

/* rt_config_write writes the merged tree as rt_config_print does (config.yaml of a run) to path.
 * Returns 0 or a negative errno with err filled. */
int rt_config_write(const struct rt_config *c, const char *path, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_config_close frees the tree; c may be NULL. */
void rt_config_close(struct rt_config *c);

/* rt_node_get returns the child of map under key and marks it used, or NULL. */
struct rt_node *rt_node_get(struct rt_node *map, const char *key);

/* rt_node_fail fills err with node's place, its key path and the sentence; returns -EINVAL. */
int rt_node_fail(const struct rt_node *node, struct rt_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The typed getters read key of map into *out. A missing key gives the default; where that cannot
 * be (required is true) it is an error naming map's place. All return 0 or -EINVAL with err. */

/* rt_node_text reads a string of 1..max_bytes; *out lives as long as the tree. */
int rt_node_text(struct rt_node *map, const char *key, bool required, size_t max_bytes,
                 const char *def, const char **out, struct rt_error *err);
/* rt_node_int reads a whole number in [min, max]; K, M, G (1024) suffixes are taken. */
int rt_node_int(struct rt_node *map, const char *key, bool required, int64_t min, int64_t max,
                int64_t def, int64_t *out, struct rt_error *err);
/* rt_node_fixed reads a decimal into units of 1e-8, exactly (at most 8 decimals), in [min, max]. */
int rt_node_fixed(struct rt_node *map, const char *key, bool required, int64_t min, int64_t max,
                  int64_t def, int64_t *out, struct rt_error *err);
/* rt_node_double reads a finite number in [min, max]. */
int rt_node_double(struct rt_node *map, const char *key, bool required, double min, double max,
                   double def, double *out, struct rt_error *err);
/* rt_node_bool reads true or false. */
int rt_node_bool(struct rt_node *map, const char *key, bool def, bool *out, struct rt_error *err);
/* rt_duration_parse reads a length of time, a figure of up to 9 decimals and its unit ("250us",
 * "5ms", "1.5s", "1m", "1h", "1d", "1w"), into ns, exactly; false when text is none. */
bool rt_duration_parse(const char *text, int64_t *out);

/* rt_node_duration reads "250us", "5ms", "1s", "1m", "1h", "1d", "1w" (or ns) into ns, in
 * [min, max]. */
int rt_node_duration(struct rt_node *map, const char *key, bool required, int64_t min, int64_t max,
                     int64_t def, int64_t *out, struct rt_error *err);
/* rt_node_time reads an instant, "2024-01-31", "2024-01-31T12:00:00Z" (UTC), into ns UTC. */
int rt_node_time(struct rt_node *map, const char *key, bool required, int64_t def, int64_t *out,
                 struct rt_error *err);
/* rt_node_share reads a share of something in [0, 1], "0.1" or "10%", into units of 1e-8. */
int rt_node_share(struct rt_node *map, const char *key, bool required, int64_t def, int64_t *out,
                  struct rt_error *err);
/* rt_node_choice reads one of the NULL-terminated words into its index. */
int rt_node_choice(struct rt_node *map, const char *key, bool required, const char *const *words,
                   int def, int *out, struct rt_error *err);
/* rt_node_list returns the list under key (NULL with 0 when missing and not required). */
int rt_node_list(struct rt_node *map, const char *key, bool required, struct rt_node **out,
                 struct rt_error *err);
/* rt_node_map returns the map under key (NULL with 0 when missing and not required). */
int rt_node_map(struct rt_node *map, const char *key, bool required, struct rt_node **out,
                struct rt_error *err);
/* rt_node_no_more refuses the first child of map that no getter asked for, naming the nearest known
 * keys in known (NULL-terminated, may be NULL). */
int rt_node_no_more(struct rt_node *map, const char *const *known, struct rt_error *err);
#endif
