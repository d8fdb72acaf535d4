#include "runtime/base/config.h"
#include "runtime/base/config_tree.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

enum { CHUNK_BYTES = 65536 }; /* of the tree's memory; a larger text has a chunk of its own */

/* A piece of the tree's memory. */
struct chunk {
    struct chunk *next;          /* the one before */
    size_t used, bytes;          /* given out, and in all, of room */
    _Alignas(16) uint8_t room[]; /* what is given out */
};

/* A loaded tree. */
struct rt_config {
    struct chunk *chunks;     /* memory, newest first */
    struct config_node *root; /* always a map once loaded */
    uint32_t node_cnt;        /* nodes made so far */
};

/* One load under way. */
struct loader {
    struct rt_config *c;  /* the tree */
    struct rt_error *err; /* where the sentence goes */
    uint32_t include_cnt; /* files included so far */
    uint32_t open_cnt;    /* files that are being read, each included by the one before */
    bool from_file;       /* includes are allowed */
    dev_t dev[CONFIG_INCLUDES_MAX + 1]; /* device of each open file: finds cycles */
    ino_t ino[CONFIG_INCLUDES_MAX + 1]; /* inode of each open file */
};

/* take returns bytes of the tree's memory, zeroed, or NULL. */
static void *take(struct rt_config *c, size_t bytes) {
    bytes = (bytes + 15) & ~(size_t)15;
    if (c->chunks == NULL || bytes > c->chunks->bytes - c->chunks->used) {
        size_t room = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        struct chunk *fresh = calloc(1, sizeof *fresh + room);
        if (fresh == NULL) return NULL;
        fresh->bytes = room;
        fresh->next = c->chunks;
        c->chunks = fresh;
    }
    void *taken = c->chunks->room + c->chunks->used;
    c->chunks->used += bytes;
    return taken;
}

/* take_text copies cnt bytes and adds a NUL; NULL when memory is out. */
static char *take_text(struct rt_config *c, const char *bytes, size_t cnt) {
    char *text = take(c, cnt + 1);
    if (text != NULL) memcpy(text, bytes, cnt);
    return text;
}

/* no_memory is the error for a failed allocation. */
static int no_memory(struct loader *l, const char *file) {
    return rt_error_set(l->err, -ENOMEM, "%s: out of memory", file);
}

/* check_bytes walks the file once: every character must be UTF-8 and one that YAML allows, so that
 * libyaml, which tells no place for these, never meets another. Returns 0 or -EINVAL with err. */
static int check_bytes(struct loader *l, const char *file, const uint8_t *b, size_t cnt) {
    uint32_t line = 1, column = 1;
    for (size_t at = 0; at < cnt;) {
        uint8_t lead = b[at];
        size_t needs = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        uint32_t code = needs == 1 ? lead : needs == 0 ? 0 : lead & (0x7fU >> needs);
        bool good = needs != 0 && lead < 0xf5 && needs <= cnt - at;
        for (size_t i = 1; good && i < needs; i++) {
            good = (b[at + i] & 0xc0) == 0x80;
            code = code << 6 | (b[at + i] & 0x3f);
        }
        if (needs == 3) good = good && code >= 0x800 && !(code >= 0xd800 && code <= 0xdfff);
        if (needs == 4) good = good && code >= 0x10000 && code <= 0x10ffff;
        if (!good)
            return rt_error_set(l->err, -EINVAL,
                                "%s:%u:%u: byte 0x%02x is not UTF-8; expected text in UTF-8", file,
                                line, column, lead);
        bool plain = code == '\t' || code == '\n' || code == '\r' || code == 0x85 ||
                     (code >= 0x20 && code < 0x7f) ||
                     (code >= 0xa0 && code != 0xfeff && code != 0xfffe && code != 0xffff);
        if (!plain)
            return rt_error_set(l->err, -EINVAL,
                                "%s:%u:%u: control character U+%04X; expected printable text", file,
                                line, column, code);
        at += needs;
        bool crlf = code == '\r' && at < cnt && b[at] == '\n';
        bool brk = code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
        if (brk && !crlf) {
            line++;
            column = 1;
        } else {
            column++;
        }
    }
    return 0;
}

/* What the walk over the events of one file knows. */
struct walk {
    struct loader *l;         /* the load */
    const char *file;         /* name for errors; the tree's memory */
    struct config_node *root; /* first node */
    struct config_node *in;   /* the map or list being filled */
    const char *key;          /* in a map: the key read whose value comes next */
    uint32_t key_line;        /* where that key stands */
    uint32_t key_column;      /* where that key stands */
    uint32_t depth;           /* maps and lists open */
};

/* fail_at is an error at a mark of libyaml. */
static int fail_at(struct walk *w, const yaml_mark_t *mark, const char *sentence) {
    return rt_error_set(w->l->err, -EINVAL, "%s:%zu:%zu: %s", w->file, mark->line + 1,
                        mark->column + 1, sentence);
}

/* by_key orders children by key, equal keys by place. */
static int by_key(const void *a, const void *b) {
    const struct config_node *x = *(struct config_node *const *)a;
    const struct config_node *y = *(struct config_node *const *)b;
    int order = strcmp(x->node.key, y->node.key);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* sorted_children returns the children of map in an array by key (to be freed), NULL when memory is
 * out or there are none. */
static struct config_node **sorted_children(struct config_node *map) {
    if (map->node.child_cnt == 0) return NULL;
    struct config_node **list = malloc(map->node.child_cnt * sizeof(struct config_node *));
    if (list == NULL) return NULL;
    size_t cnt = 0;
    for (struct rt_node *n = map->node.child; n != NULL; n = n->next)
        list[cnt++] = config_node_of(n);
    qsort(list, cnt, sizeof list[0], by_key);
    return list;
}

/* check_repeats refuses a map with a key in it twice, at the second in the file. */
static int check_repeats(struct walk *w, struct config_node *map) {
    if (map->node.child_cnt < 2) return 0;
    struct config_node **list = sorted_children(map);
    if (list == NULL) return no_memory(w->l, w->file);
    const struct config_node *again = NULL, *first = NULL;
    for (uint32_t i = 1; i < map->node.child_cnt; i++) {
        if (strcmp(list[i - 1]->node.key, list[i]->node.key) != 0) continue;
        if (again != NULL && list[i]->order > again->order) continue;
        first = list[i - 1];
        again = list[i];
    }
    int code = 0;
    if (again != NULL) {
        code = rt_error_set(w->l->err, -EINVAL,
                            "%s:%u:%u: key \"%.64s\" again, first at %u:%u; expected each key once",
                            w->file, again->key_line, again->key_column, again->node.key,
                            first->key_line, first->key_column);
    }
    free(list);
    return code;
}

/* append makes child the last of parent. */
static void append(struct config_node *parent, struct config_node *child) {
    child->parent = parent;
    child->node.next = NULL;
    if (parent->last == NULL)
        parent->node.child = &child->node;
    else
        parent->last->next = &child->node;
    parent->last = &child->node;
    parent->node.child_cnt++;
}

/* add makes a node of kind at mark and hangs it where the walk is. Returns 0 or negative errno. */
static int add(struct walk *w, enum rt_node_kind kind, const yaml_mark_t *mark,
               struct config_node **out) {
    struct rt_config *c = w->l->c;
    if (c->node_cnt >= CONFIG_NODES_MAX)
        return fail_at(w, mark, "more than 65536 values; expected a smaller configuration");
    struct config_node *n = take(c, sizeof *n);
    if (n == NULL) return no_memory(w->l, w->file);
    n->node.kind = kind;
    n->node.file = w->file;
    n->node.line = (uint32_t)mark->line + 1;
    n->node.column = (uint32_t)mark->column + 1;
    n->node.key = w->key;
    n->key_line = w->key != NULL ? w->key_line : n->node.line;
    n->key_column = w->key != NULL ? w->key_column : n->node.column;
    n->order = c->node_cnt++;
    w->key = NULL;
    if (w->in != NULL)
        append(w->in, n);
    else
        w->root = n;
    *out = n;
    return 0;
}

/* on_open takes the beginning of a map or list. */
static int on_open(struct walk *w, enum rt_node_kind kind, const yaml_mark_t *mark,
                   const yaml_char_t *anchor, const yaml_char_t *tag) {
    if (anchor != NULL) return fail_at(w, mark, "an anchor (&); expected the value itself");
    if (tag != NULL) return fail_at(w, mark, "a tag (!); expected a plain value");
    if (w->in != NULL && w->in->node.kind == RT_NODE_MAP && w->key == NULL)
        return fail_at(w, mark, "a key that is a list or map; expected a word");
    if (w->in == NULL && kind != RT_NODE_MAP)
        return fail_at(w, mark, "a list at the top; expected a map of keys");
    if (++w->depth > CONFIG_DEPTH_MAX)
        return fail_at(w, mark, "nested deeper than 64; expected a flatter configuration");
    struct config_node *n = NULL;
    int code = add(w, kind, mark, &n);
    if (code == 0) w->in = n;
    return code;
}

/* on_close takes the end of a map or list. */
static int on_close(struct walk *w) {
    int code = w->in->node.kind == RT_NODE_MAP ? check_repeats(w, w->in) : 0;
    w->in = w->in->parent;
    w->depth--;
    return code;
}

/* on_scalar takes a key or a value. */
static int on_scalar(struct walk *w, const yaml_event_t *e) {
    const yaml_mark_t *mark = &e->start_mark;
    const char *text = (const char *)e->data.scalar.value;
    size_t cnt = e->data.scalar.length;
    bool is_key = w->in != NULL && w->in->node.kind == RT_NODE_MAP && w->key == NULL;
    bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (e->data.scalar.anchor != NULL)
        return fail_at(w, mark, "an anchor (&); expected the value itself");
    if (e->data.scalar.tag != NULL) return fail_at(w, mark, "a tag (!); expected a plain value");
    if (w->in == NULL) return fail_at(w, mark, "a single value at the top; expected a map of keys");
    if (memchr(text, 0, cnt) != NULL)
        return fail_at(w, mark, "a NUL character in a text; expected printable text");
    if (is_key) {
        if (cnt == 0) return fail_at(w, mark, "an empty key; expected a word");
        if (cnt > CONFIG_KEY_BYTES_MAX)
            return fail_at(w, mark, "a key longer than 256 bytes; expected a word");
        if (plain && strcmp(text, "<<") == 0)
            return fail_at(w, mark, "a merge key (<<); expected the keys themselves, or include:");
        w->key = take_text(w->l->c, text, cnt);
        w->key_line = (uint32_t)mark->line + 1;
        w->key_column = (uint32_t)mark->column + 1;
        return w->key == NULL ? no_memory(w->l, w->file) : 0;
    }
    struct config_node *n = NULL;
    int code = add(w, RT_NODE_SCALAR, mark, &n);
    if (code != 0) return code;
    n->node.quoted = !plain;
    n->node.text = take_text(w->l->c, text, cnt);
    return n->node.text == NULL ? no_memory(w->l, w->file) : 0;
}

/* on_event takes one event; *done is set at the end of the stream. */
static int on_event(struct walk *w, const yaml_event_t *e, bool *done) {
    switch (e->type) {
    case YAML_STREAM_END_EVENT: *done = true; return 0;
    case YAML_DOCUMENT_START_EVENT:
        if (w->root != NULL)
            return fail_at(w, &e->start_mark, "a second document; expected one document a file");
        return 0;
    case YAML_ALIAS_EVENT:
        return fail_at(w, &e->start_mark, "an alias (*); expected the value itself");
    case YAML_SCALAR_EVENT: return on_scalar(w, e);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(w, RT_NODE_LIST, &e->start_mark, e->data.sequence_start.anchor,
                       e->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_open(w, RT_NODE_MAP, &e->start_mark, e->data.mapping_start.anchor,
                       e->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_close(w);
    default: return 0;
    }
}

/* libyaml_error words what libyaml stumbled over. */
static int libyaml_error(struct walk *w, const yaml_parser_t *p) {
    if (p->error == YAML_MEMORY_ERROR) return no_memory(w->l, w->file);
    /* The reader's complaints have no mark; check_bytes leaves none to be made. */
    const yaml_mark_t *mark = p->problem_mark.line == 0 && p->problem_mark.column == 0 &&
                                      p->error != YAML_SCANNER_ERROR &&
                                      p->error != YAML_PARSER_ERROR
                                  ? &p->mark
                                  : &p->problem_mark;
    return rt_error_set(w->l->err, -EINVAL, "%s:%zu:%zu: %s%s%s; expected YAML or JSON", w->file,
                        mark->line + 1, mark->column + 1,
                        p->problem != NULL ? p->problem : "not readable",
                        p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
}

/* parse makes the nodes of one file's bytes; *out is its root map. */
static int parse(struct loader *l, const char *file, const char *bytes, size_t cnt,
                 struct config_node **out) {
    if (cnt > CONFIG_FILE_BYTES_MAX)
        return rt_error_set(l->err, -EFBIG, "%s:1:1: larger than 1 MiB; expected a smaller file",
                            file);
    if (cnt >= 3 &&
        memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark says nothing new */
        bytes += 3;
        cnt -= 3;
    }
    int code = check_bytes(l, file, (const uint8_t *)bytes, cnt);
    if (code != 0) return code;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return no_memory(l, file);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, cnt);
    struct walk w = { .l = l, .file = file };
    bool done = false;
    while (code == 0 && !done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            code = libyaml_error(&w, &parser);
            break;
        }
        code = on_event(&w, &event, &done);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (code == 0 && w.root == NULL)
        code = rt_error_set(l->err, -EINVAL, "%s:1:1: is empty; expected a map of keys", file);
    *out = w.root;
    return code;
}

/* merge puts the children of base, an included map, under own: own's win, maps merge. Order: base's
 * places first, then what own adds. */
static int merge(struct loader *l, struct config_node *own, struct config_node *base) {
    if (base->node.child_cnt == 0) return 0;
    uint32_t own_cnt = own->node.child_cnt;
    struct config_node **list = sorted_children(own);
    if (list == NULL && own_cnt > 0) return no_memory(l, own->node.file);
    struct rt_node *mine = own->node.child;
    own->node.child = own->last = NULL;
    own->node.child_cnt = 0;
    int code = 0;
    for (struct rt_node *n = base->node.child, *next; n != NULL; n = next) {
        next = n->next;
        struct config_node *theirs = config_node_of(n), *match = NULL;
        for (uint32_t lo = 0, hi = own_cnt; lo < hi && match == NULL;) {
            uint32_t mid = lo + (hi - lo) / 2;
            int order = strcmp(n->key, list[mid]->node.key);
            if (order == 0)
                match = list[mid];
            else if (order < 0)
                hi = mid;
            else
                lo = mid + 1;
        }
        if (match == NULL) {
            append(own, theirs);
            continue;
        }
        if (code == 0 && match->node.kind == RT_NODE_MAP && n->kind == RT_NODE_MAP)
            code = merge(l, match, theirs);
        match->taken = true;
    }
    /* The matched keep their place behind what only base has: simple, and as good as any. */
    for (struct rt_node *n = mine, *next; n != NULL; n = next) {
        next = n->next;
        config_node_of(n)->taken = false;
        append(own, config_node_of(n));
    }
    free(list);
    return code;
}

static int load_file(struct loader *l, const char *file, const struct rt_node *asked_by,
                     struct config_node **out);

/* include_one loads the file that node names and merges it under root. */
static int include_one(struct loader *l, struct config_node *root, const struct rt_node *node) {
    if (node->kind != RT_NODE_SCALAR || node->text[0] == 0)
        return rt_node_fail(node, l->err, "is not a path; expected a file name or a list of them");
    if (++l->include_cnt > CONFIG_INCLUDES_MAX)
        return rt_node_fail(node, l->err, "one include too many; expected at most 16 in all");

    /* Relative to the file that includes. */
    const char *slash = strrchr(node->file, '/');
    size_t folder = node->text[0] == '/' || slash == NULL ? 0 : (size_t)(slash - node->file) + 1;
    size_t cnt = strlen(node->text);
    if (folder + cnt >= PATH_MAX)
        return rt_node_fail(node, l->err, "is too long; expected a path below 4096 bytes");
    char *path = take(l->c, folder + cnt + 1);
    if (path == NULL) return no_memory(l, node->file);
    memcpy(path, node->file, folder);
    memcpy(path + folder, node->text, cnt);
    struct config_node *base = NULL;
    int code = load_file(l, path, node, &base);
    return code != 0 ? code : merge(l, root, base);
}

/* detach takes the child under key out of map and returns it, or NULL. */
static struct rt_node *detach(struct config_node *map, const char *key) {
    struct rt_node **link = &map->node.child, *before = NULL;
    for (; *link != NULL; before = *link, link = &(*link)->next) {
        struct rt_node *n = *link;
        if (strcmp(n->key, key) != 0) continue;
        *link = n->next;
        if (map->last == n) map->last = before;
        map->node.child_cnt--;
        return n;
    }
    return NULL;
}

/* resolve_includes merges what root includes; later ones of a list win over earlier ones. */
static int resolve_includes(struct loader *l, struct config_node *root) {
    struct rt_node *include = detach(root, "include");
    if (include == NULL) return 0;
    if (!l->from_file)
        return rt_node_fail(include, l->err, "is not possible here; expected no include");
    if (include->kind != RT_NODE_LIST) return include_one(l, root, include);
    /* merge never overwrites, so the last of the list goes first. */
    struct rt_node **list = calloc(include->child_cnt + 1, sizeof(struct rt_node *));
    if (list == NULL) return no_memory(l, root->node.file);
    uint32_t cnt = 0;
    for (struct rt_node *n = include->child; n != NULL; n = n->next) list[cnt++] = n;
    int code = 0;
    while (cnt > 0 && code == 0) code = include_one(l, root, list[--cnt]);
    free(list);
    return code;
}

/* file_error words an error of the system about file, at the include that asked for it. */
static int file_error(struct loader *l, const char *file, const struct rt_node *asked_by, int code,
                      const char *what) {
    if (asked_by != NULL)
        return rt_error_set(l->err, code,
                            "%s:%u:%u: include: cannot read %.200s: %s; expected a file",
                            asked_by->file, asked_by->line, asked_by->column, file, what);
    return rt_error_set(l->err, code, "%.300s: cannot read: %s; expected a file", file, what);
}

/* read_file gives all bytes of file (to be freed) and notes its identity for cycles. */
static int read_file(struct loader *l, const char *file, const struct rt_node *asked_by,
                     char **bytes, size_t *cnt) {
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return file_error(l, file, asked_by, -errno, strerror(errno));
    struct stat st;
    int code = 0;
    char *room = NULL;
    size_t got = 0;
    if (fstat(fd, &st) != 0) {
        code = file_error(l, file, asked_by, -errno, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        code = file_error(l, file, asked_by, -EINVAL, "not a regular file");
    } else {
        for (uint32_t i = 0; i < l->open_cnt && code == 0; i++)
            if (l->dev[i] == st.st_dev && l->ino[i] == st.st_ino)
                code = file_error(l, file, asked_by, -ELOOP, "it includes itself");
        l->dev[l->open_cnt] = st.st_dev;
        l->ino[l->open_cnt] = st.st_ino;
    }
    if (code == 0) {
        room = malloc(CONFIG_FILE_BYTES_MAX + 1); /* one more: parse sees that it is too large */
        if (room == NULL) code = no_memory(l, file);
    }
    while (code == 0 && got <= CONFIG_FILE_BYTES_MAX) {
        ssize_t n = read(fd, room + got, CONFIG_FILE_BYTES_MAX + 1 - got);
        if (n > 0)
            got += (size_t)n;
        else if (n == 0)
            break;
        else if (errno != EINTR)
            code = file_error(l, file, asked_by, -errno, strerror(errno));
    }
    close(fd);
    if (code != 0) {
        free(room);
        room = NULL;
    }
    *bytes = room;
    *cnt = got;
    return code;
}

/* load_file reads file and what it includes; *out is the merged root. */
static int load_file(struct loader *l, const char *file, const struct rt_node *asked_by,
                     struct config_node **out) {
    char *bytes = NULL;
    size_t cnt = 0;
    int code = read_file(l, file, asked_by, &bytes, &cnt);
    if (code != 0) return code;
    struct config_node *root = NULL;
    code = parse(l, file, bytes, cnt, &root);
    free(bytes);
    if (code != 0) return code;
    l->open_cnt++;
    code = resolve_includes(l, root);
    l->open_cnt--;
    *out = root;
    return code;
}

/* load is both ways in: bytes NULL reads the file called name. */
static int load(const char *name, const char *bytes, size_t cnt, struct rt_config **out,
                struct rt_error *err) {
    *out = NULL;
    struct loader l = { .err = err, .from_file = bytes == NULL };
    l.c = calloc(1, sizeof *l.c);
    char *file = l.c == NULL ? NULL : take_text(l.c, name, strlen(name));
    if (file == NULL) {
        rt_config_close(l.c);
        return no_memory(&l, name);
    }
    int code;
    if (bytes == NULL) {
        code = load_file(&l, file, NULL, &l.c->root);
    } else {
        code = parse(&l, file, bytes, cnt, &l.c->root);
        if (code == 0) code = resolve_includes(&l, l.c->root);
    }
    if (code != 0) {
        rt_config_close(l.c);
        return code;
    }
    *out = l.c;
    return 0;
}

int rt_config_load(const char *path, struct rt_config **out, struct rt_error *err) {
    return load(path, NULL, 0, out, err);
}

int rt_config_parse(const char *name, const char *bytes, size_t cnt, struct rt_config **out,
                    struct rt_error *err) {
    return load(name, cnt == 0 ? "" : bytes, cnt, out, err);
}

struct rt_node *rt_config_root(const struct rt_config *c) {
    return &c->root->node;
}

void rt_config_close(struct rt_config *c) {
    if (c == NULL) return;
    for (struct chunk *chunk = c->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(c);
}

/* is_bare tells whether text reads back as the same plain scalar anywhere in a block. Only such
 * scalars can be numbers, times or words to a getter; the rest loses nothing in quotes. */
static bool is_bare(const char *text, bool key) {
    if (text[0] == 0) return !key;
    if (strchr(key ? "+-.:/~0123456789" : ":", text[0]) != NULL) return false;
    if (text[0] == '-' && (text[1] == 0 || text[1] == '-')) return false;
    for (const char *c = text; *c != 0; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || strchr("_.+-/~", *c) != NULL;
        if (!word && !(*c == ':' && c[1] != 0 && c[1] != ':' && !key)) return false;
    }
    return true;
}

/* write_text writes text bare or in double quotes. */
static void write_text(FILE *f, const char *text, bool quoted, bool key) {
    if (!quoted && is_bare(text, key)) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (const uint8_t *c = (const uint8_t *)text; *c != 0; c++) {
        /* Two- and three-byte characters that YAML takes for breaks or refuses raw. */
        uint32_t wide = (*c & 0xe0) == 0xc0 ? (*c & 0x1fU) << 6 | (c[1] & 0x3fU)
                        : (*c & 0xf0) == 0xe0
                            ? (*c & 0xfU) << 12 | (c[1] & 0x3fU) << 6 | (c[2] & 0x3fU)
                            : 0;
        if (*c == '"' || *c == '\\')
            fprintf(f, "\\%c", *c);
        else if (*c == '\n')
            fputs("\\n", f);
        else if (*c == '\t')
            fputs("\\t", f);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(f, "\\x%02x", *c);
        else if ((wide >= 0x80 && wide < 0xa0) || wide == 0x2028 || wide == 0x2029 ||
                 wide == 0xfeff || wide == 0xfffe || wide == 0xffff) {
            fprintf(f, "\\u%04x", wide);
            c += wide < 0x800 ? 1 : 2;
        } else
            fputc(*c, f);
    }
    fputc('"', f);
}

/* write_node writes what stands behind "key:" or "-" at column indent (spaces); inline_map lets a
 * map begin on the line of its "-". */
static void write_node(FILE *f, const struct rt_node *n, int indent, bool in_list) {
    if (n->kind == RT_NODE_SCALAR) {
        if (n->quoted || n->text[0] != 0) fputc(' ', f);
        write_text(f, n->text, n->quoted, false);
        fputc('\n', f);
        return;
    }
    if (n->child_cnt == 0) {
        fputs(n->kind == RT_NODE_MAP ? " {}\n" : " []\n", f);
        return;
    }
    bool same_line = in_list && n->kind == RT_NODE_MAP;
    fputc(same_line ? ' ' : '\n', f);
    for (const struct rt_node *child = n->child; child != NULL; child = child->next) {
        if (!same_line) fprintf(f, "%*s", indent, "");
        same_line = false;
        if (n->kind == RT_NODE_MAP) {
            write_text(f, child->key, false, true);
            fputc(':', f);
        } else {
            fputc('-', f);
        }
        write_node(f, child, indent + 2, n->kind == RT_NODE_LIST);
    }
}

void rt_config_print(const struct rt_config *c, FILE *f) {
    const struct rt_node *root = &c->root->node;
    if (root->child_cnt == 0) fputs("{}\n", f);
    for (const struct rt_node *n = root->child; n != NULL; n = n->next) {
        write_text(f, n->key, false, true);
        fputc(':', f);
        write_node(f, n, 2, false);
    }
}

int rt_config_write(const struct rt_config *c, const char *path, struct rt_error *err) {
    /* A new file beside it, renamed when it is whole and on the disk: readers never see a half. */
    char fresh[PATH_MAX];
    int length = snprintf(fresh, sizeof fresh, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof fresh)
        return rt_error_set(err, -ENAMETOOLONG,
                            "%.200s...: path too long; expected below 4096 bytes", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (f == NULL) {
        int code = -errno;
        if (fd >= 0) close(fd);
        return rt_error_set(err, code, "%.300s: cannot write: %s", fresh, strerror(-code));
    }
    rt_config_print(c, f);
    int code = 0;
    if (fflush(f) != 0 || ferror(f) || fsync(fd) != 0) code = errno != 0 ? -errno : -EIO;
    if (fclose(f) != 0 && code == 0) code = -errno;
    if (code == 0 && rename(fresh, path) != 0) code = -errno;
    if (code != 0) {
        unlink(fresh);
        return rt_error_set(err, code, "%.300s: cannot write: %s", path, strerror(-code));
    }
    return 0;
}
