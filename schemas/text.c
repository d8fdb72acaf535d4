#include "schemas/text.h"
#include "schemas/messages.h"
#include "schemas/verify.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Where text goes. */
struct sink {
    char *out;   /* the caller's buffer */
    size_t cap;  /* its size */
    size_t cnt;  /* bytes of text so far, also those that did not fit */
    bool people; /* for people, else JSON */
};

/* put_byte adds one byte. */
static void put_byte(struct sink *s, char c) {
    if (s->cnt + 1 < s->cap) s->out[s->cnt] = c;
    s->cnt++;
}

/* put adds text. */
static void put(struct sink *s, const char *text) {
    while (*text != 0) put_byte(s, *text++);
}

/* putf adds what printf would make of it, at most 511 bytes. */
__attribute__((format(printf, 2, 3))) static void putf(struct sink *s, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(s, text);
}

/* put_code adds the character at text, which begins a sequence of UTF-8 that has been checked, in
 * JSON's escape of 16-bit halves, and returns the bytes it has. */
static int put_code(struct sink *s, const char *text) {
    const unsigned char *u = (const unsigned char *)text;
    int more = u[0] < 0xe0 ? 1 : u[0] < 0xf0 ? 2 : 3;
    uint32_t code = u[0] & (0x3fu >> more);
    for (int i = 1; i <= more; i++) code = code << 6 | (u[i] & 0x3fu);
    if (code > 0xffff)
        putf(s, "\\u%04X\\u%04X", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    else
        putf(s, "\\u%04X", code);
    return more + 1;
}

/* put_quoted adds text as a string of JSON, in ASCII; for people letters stay as they are. */
static void put_quoted(struct sink *s, const char *text) {
    put_byte(s, '"');
    for (; *text != 0; text++) {
        unsigned char c = (unsigned char)*text;
        switch (c) {
        case '"': put(s, "\\\""); break;
        case '\\': put(s, "\\\\"); break;
        case '\n': put(s, "\\n"); break;
        case '\r': put(s, "\\r"); break;
        case '\t': put(s, "\\t"); break;
        case '\b': put(s, "\\b"); break;
        case '\f': put(s, "\\f"); break;
        default:
            if (c >= 0x80 && !s->people)
                text += put_code(s, text) - 1;
            else if (c < 0x20 || c == 0x7f)
                putf(s, "\\u%04X", c);
            else
                put_byte(s, (char)c);
        }
    }
    put_byte(s, '"');
}

/* put_double adds the shortest decimal that reads back as v; of a float when single. */
static void put_double(struct sink *s, double v, bool single) {
    char text[40];
    if (isnan(v) || isinf(v)) {
        const char *word = isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
        putf(s, s->people ? "%s" : "\"%s\"", word);
        return;
    }
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v) break;
    }
    put(s, text);
    if (strpbrk(text, ".e") == NULL) put(s, ".0");
}

/* put_fixed adds an integer of 1e-8 as a decimal, with no zeros at its end. */
static void put_fixed(struct sink *s, int64_t v) {
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t rest = u % 100000000u;
    int digits = 8;
    putf(s, "%s%" PRIu64, v < 0 ? "-" : "", u / 100000000u);
    if (rest == 0) return;
    for (; rest % 10 == 0; digits--) rest /= 10;
    putf(s, ".%0*" PRIu64, digits, rest);
}

/* put_instant adds a point in time, ns UTC, as ISO 8601. Days to a date: H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms". */
static void put_instant(struct sink *s, int64_t ns) {
    int64_t second = ns / 1000000000, rest = ns % 1000000000, days, time, era, doe, yoe, doy, mp;
    if (rest < 0) {
        rest += 1000000000;
        second--;
    }
    days = second / 86400;
    time = second % 86400;
    if (time < 0) {
        time += 86400;
        days--;
    }
    days += 719468;      /* from 0000-03-01, the first day of an era of 400 years */
    era = days / 146097; /* 64 bits of ns reach back to 1677 only: never negative */
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    putf(s, "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64 ":%02" PRId64,
         yoe + era * 400 + (mp >= 10), mp < 10 ? mp + 3 : mp - 9, doy - (153 * mp + 2) / 5 + 1,
         time / 3600, time / 60 % 60, time % 60);
    if (rest != 0) putf(s, ".%09" PRId64, rest);
    put_byte(s, 'Z');
}

/* put_enum adds the name of v, of flags the names of its bits, or the number where there is none.
 */
static void put_enum(struct sink *s, const struct msg_enum *e, uint16_t v) {
    bool any = false;
    for (uint32_t i = 0; i < e->cnt; i++) {
        uint16_t value = e->values[i].value;
        if (e->flags ? (v & value) == 0 : v != value) continue;
        if (any)
            put_byte(s, s->people ? '|' : ' ');
        else if (!s->people)
            put_byte(s, '"');
        put(s, e->values[i].name);
        any = true;
    }
    if (!any)
        putf(s, "%u", v);
    else if (!s->people)
        put_byte(s, '"');
}

/* load reads an integer of type at p, sign and all. */
static int64_t load(const void *p, uint8_t type) {
    uint64_t v = 0;
    uint32_t bits = 8 * msg_bytes_of(type);
    memcpy(&v, p, bits / 8);
    if (type == MSG_TYPE_I8 || type == MSG_TYPE_I16 || type == MSG_TYPE_I32)
        return (int64_t)(v << (64 - bits)) >> (64 - bits);
    return (int64_t)v;
}

/* put_scalar adds the scalar of field f, of type, at p. */
static void put_scalar(struct sink *s, const struct msg_field *f, uint8_t type, const void *p) {
    float single;
    double v;
    int64_t i;
    if (type == MSG_TYPE_F32) {
        memcpy(&single, p, sizeof single);
        put_double(s, single, true);
        return;
    }
    if (type == MSG_TYPE_F64) {
        memcpy(&v, p, sizeof v);
        put_double(s, v, false);
        return;
    }
    i = load(p, type);
    if (f->enums != NULL)
        put_enum(s, f->enums, (uint16_t)i);
    else if (type == MSG_TYPE_BOOL)
        put(s, i != 0 ? "true" : "false");
    else if (s->people && f->fixed)
        put_fixed(s, i);
    else if (s->people && f->instant)
        put_instant(s, i);
    else if (type == MSG_TYPE_U64)
        putf(s, "%" PRIu64, (uint64_t)i);
    else
        putf(s, "%" PRId64, i);
}

static void put_object(struct sink *s, const struct msg_shape *shape, const void *at, bool outer);

/* put_value adds what field f, of type, has at p: for what is not inline, the thing itself. */
static void put_value(struct sink *s, const struct msg_field *f, uint8_t type, const uint8_t *p) {
    uint32_t cnt, each;
    switch (type) {
    case MSG_TYPE_STRING: put_quoted(s, (const char *)p + 4); return;
    case MSG_TYPE_STRUCT:
    case MSG_TYPE_TABLE: put_object(s, f->shape, p, false); return;
    case MSG_TYPE_VECTOR: break;
    default: put_scalar(s, f, type, p); return;
    }
    memcpy(&cnt, p, sizeof cnt);
    p += 4;
    each = f->element == MSG_TYPE_STRUCT ? f->shape->bytes : msg_bytes_of(f->element);
    put_byte(s, '[');
    for (uint32_t i = 0; i < cnt; i++) {
        if (i > 0) put_byte(s, ',');
        put_value(s, f, f->element,
                  each != 0 ? p + (size_t)i * each : msg_follow(p + 4 * (size_t)i));
    }
    put_byte(s, ']');
}

/* put_object adds the struct or table of shape at at. Outermost and for people it has no braces. */
static void put_object(struct sink *s, const struct msg_shape *shape, const void *at, bool outer) {
    bool any = false;
    bool braces = !s->people || !outer;
    if (braces) put_byte(s, '{');
    for (uint32_t i = 0; i < shape->field_cnt; i++) {
        const struct msg_field *f = &shape->fields[i];
        const void *p = (const uint8_t *)at + f->at;
        if (s->people && !shape->is_table && strncmp(f->name, "pad", 3) == 0) continue;
        if (shape->is_table) p = msg_slot(at, f->at);
        if (p == NULL) continue;
        if (f->type != MSG_TYPE_STRUCT && msg_bytes_of(f->type) == 0) p = msg_follow(p);
        if (any) put_byte(s, s->people ? ' ' : ',');
        any = true;
        putf(s, s->people ? "%s=" : "\"%s\":", f->name);
        put_value(s, f, f->type, p);
    }
    if (braces) put_byte(s, '}');
}

/* put_body adds the body of frame, which has been checked. */
static void put_body(struct sink *s, const struct msg_frame *frame) {
    const struct msg_shape *shape;
    const void *body = msg_body(frame);
    shape = msg_infos[frame->kind & ~MSG_OUT].shape;
    put_object(s, shape, shape->is_table ? msg_follow(body) : body, true);
}

/* end closes the text and returns its length. */
static size_t end(struct sink *s) {
    if (s->cap > 0) s->out[s->cnt < s->cap ? s->cnt : s->cap - 1] = 0;
    return s->cnt;
}

size_t msg_to_json(const struct msg_frame *frame, char *out, size_t cap) {
    struct sink s = { .out = out, .cap = cap };
    if (msg_verify_frame(frame, frame->size) == 0) put_body(&s, frame);
    return end(&s);
}

size_t msg_print(const struct msg_frame *frame, char *out, size_t cap) {
    struct sink s = { .out = out, .cap = cap, .people = true };
    if (msg_verify_frame(frame, frame->size) != 0) return end(&s);
    put_instant(&s, frame->time_ns);
    putf(&s, " %s %u->%u seq=%u trace=%u.%" PRIu64 " ", msg_kind_name(frame->kind & 0x7fff),
         frame->source, frame->dest, frame->seq, (unsigned)(frame->trace_id >> 48),
         frame->trace_id & 0xffffffffffffu);
    put_body(&s, frame);
    return end(&s);
}
