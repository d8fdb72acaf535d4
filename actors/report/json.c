#include "actors/report/json.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Largest whole number taken: two instants of a file can be subtracted. */
#define WHOLE_MAX INT64_C(4000000000000000000)

enum { DEPTH_MAX = 64, FILE_MAX = 1 << 29 }; /* levels; bytes of a file */

/* Where the reading stands. */
struct reader {
    struct report_json *j; /* being filled */
    char *at;              /* next character; the text ends with NUL */
    bool memory;           /* ran out of it */
};

/* blank skips white space. */
static void blank(struct reader *r) {
    while (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t') r->at++;
}

/* add makes a value; its index, 0 without memory (0 itself is made by the first call). */
static uint32_t add(struct reader *r) {
    struct report_json *j = r->j;
    if (j->cnt == j->room) {
        size_t room = j->room ? j->room * 2 : 256;
        struct report_value *fresh =
            room < UINT32_MAX ? realloc(j->values, room * sizeof *fresh) : NULL;
        if (!fresh) {
            r->memory = true;
            return 0;
        }
        j->values = fresh;
        j->room = room;
    }
    j->values[j->cnt] = (struct report_value){ .key = "", .text = "", .number = NAN };
    return (uint32_t)j->cnt++;
}

/* hex4 reads four hexadecimal digits; -1 when they are none. */
static int hex4(const char *at) {
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

/* utf8 writes a code point; returns how many bytes. */
static size_t utf8(char *to, uint32_t c) {
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* escape reads what follows a backslash at *at into *to; false when it is none. */
static bool escape(char **at, char **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *known = **at ? strchr(from, **at) : NULL;
    if (known) {
        *(*to)++ = into[known - from];
        ++*at;
        return true;
    }
    int code = **at == 'u' ? hex4(*at + 1) : -1;
    if (code < 0) return false;
    *at += 5;
    uint32_t c = (uint32_t)code;
    if (c >= 0xd800 && c < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        int low = hex4(*at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
            *at += 6;
        }
    }
    if (c == 0 || (c >= 0xd800 && c < 0xe000)) c = '?'; /* no text ends early */
    *to += utf8(*to, c);
    return true;
}

/* text reads a string, the quote at r->at; NULL when it is none. */
static const char *text(struct reader *r) {
    if (*r->at != '"') return NULL;
    char *begin = ++r->at, *to = begin;
    while (*r->at != '"') {
        if ((unsigned char)*r->at < 0x20) return NULL;
        if (*r->at != '\\') {
            *to++ = *r->at++;
            continue;
        }
        r->at++;
        if (!escape(&r->at, &to)) return NULL;
    }
    r->at++;
    *to = '\0';
    return begin;
}

/* plain reads null, true, false or a number into v; false when it is none. */
static bool plain(struct reader *r, struct report_value *v) {
    static const struct {
        const char *word;           /* as written */
        enum report_json_kind kind; /* what it is */
        double number;              /* its value */
    } words[] = { { "null", REPORT_JSON_NONE, NAN },
                  { "true", REPORT_JSON_BOOL, 1 },
                  { "false", REPORT_JSON_BOOL, 0 } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i].word);
        if (strncmp(r->at, words[i].word, n) != 0) continue;
        v->kind = words[i].kind;
        v->number = words[i].number;
        r->at += n;
        return true;
    }
    if (*r->at != '-' && (*r->at < '0' || *r->at > '9')) return false;
    char *end;
    v->kind = REPORT_JSON_NUMBER;
    v->text = r->at;
    v->number = strtod(r->at, &end);
    if (end == r->at) return false;
    r->at = end;
    return true;
}

/* value reads a value; its index, or UINT32_MAX when there is none. */
static uint32_t value(struct reader *r, int depth) {
    blank(r);
    uint32_t me = add(r), last = 0;
    if (r->memory || depth > DEPTH_MAX) return UINT32_MAX;
    struct report_value *v = &r->j->values[me];
    char open = *r->at, close = open == '{' ? '}' : ']';
    if (open == '"') {
        v->kind = REPORT_JSON_TEXT;
        v->text = text(r);
        return v->text ? me : UINT32_MAX;
    }
    if (open != '{' && open != '[') return plain(r, v) ? me : UINT32_MAX;
    v->kind = open == '{' ? REPORT_JSON_OBJECT : REPORT_JSON_LIST;
    r->at++;
    blank(r);
    if (*r->at == close) {
        r->at++;
        return me;
    }
    for (;;) {
        const char *key = "";
        blank(r);
        if (open == '{') {
            if (!(key = text(r))) return UINT32_MAX;
            blank(r);
            if (*r->at++ != ':') return UINT32_MAX;
        }
        uint32_t child = value(r, depth + 1);
        if (child == UINT32_MAX) return UINT32_MAX;
        r->j->values[child].key = key;
        *(last ? &r->j->values[last].next : &r->j->values[me].first) = child;
        last = child;
        blank(r);
        /* a number's text ends where its separator is overwritten */
        char c = *r->at;
        if (r->j->values[child].kind == REPORT_JSON_NUMBER && c) *r->at = '\0';
        r->at++;
        if (c == close) return me;
        if (c != ',') return UINT32_MAX;
    }
}

int report_json_open(struct report_json *j, const char *dir, const char *name,
                     struct rt_error *err) {
    char path[4200];
    *j = (struct report_json){ 0 };
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s: the directory's name is too long", dir);
    FILE *f = fopen(path, "re");
    if (!f) {
        int code = -errno;
        return rt_error_set(err, code, "%s: %s", path, strerror(-code));
    }
    int code = 0;
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size < 0 || size > FILE_MAX || fseek(f, 0, SEEK_SET) != 0)
        code = rt_error_set(err, -EFBIG, "%s: expected a file of at most %d bytes", path, FILE_MAX);
    else if (!(j->bytes = malloc((size_t)size + 1)))
        code = rt_error_set(err, -ENOMEM, "%s: no memory to read it", path);
    else if (fread(j->bytes, 1, (size_t)size, f) != (size_t)size)
        code = rt_error_set(err, -EIO, "%s: cannot be read whole", path);
    fclose(f);
    if (code == 0) {
        struct reader r = { .j = j, .at = j->bytes };
        j->bytes[size] = '\0';
        uint32_t top = value(&r, 0);
        if (top != UINT32_MAX) blank(&r);
        if (r.memory)
            code = rt_error_set(err, -ENOMEM, "%s: no memory to read it", path);
        else if (top == UINT32_MAX || r.at != j->bytes + size)
            code = rt_error_set(err, -EBADMSG, "%s: not JSON at byte %td", path, r.at - j->bytes);
    }
    if (code < 0) report_json_close(j);
    return code;
}

void report_json_close(struct report_json *j) {
    free(j->bytes);
    free(j->values);
    *j = (struct report_json){ 0 };
}

const struct report_value *report_json_first(const struct report_json *j,
                                             const struct report_value *v) {
    return v && v->first ? &j->values[v->first] : NULL;
}

const struct report_value *report_json_next(const struct report_json *j,
                                            const struct report_value *v) {
    return v && v->next ? &j->values[v->next] : NULL;
}

const struct report_value *report_json_get(const struct report_json *j,
                                           const struct report_value *v, const char *key) {
    if (!v || v->kind != REPORT_JSON_OBJECT) return NULL;
    for (v = report_json_first(j, v); v; v = report_json_next(j, v))
        if (strcmp(v->key, key) == 0) return v;
    return NULL;
}

double report_json_number(const struct report_json *j, const struct report_value *v,
                          const char *key) {
    v = report_json_get(j, v, key);
    return v ? v->number : NAN;
}

int64_t report_json_whole(const struct report_json *j, const struct report_value *v,
                          const char *key, int64_t other) {
    v = report_json_get(j, v, key);
    if (!v || v->kind != REPORT_JSON_NUMBER) return other;
    char *end;
    errno = 0;
    long long n = strtoll(v->text, &end, 10);
    return errno || end == v->text || n > WHOLE_MAX || n < -WHOLE_MAX ? other : n;
}

const char *report_json_text(const struct report_json *j, const struct report_value *v,
                             const char *key) {
    v = report_json_get(j, v, key);
    return v ? v->text : "";
}
