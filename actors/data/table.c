#include "actors/data/table.h"
#include "runtime/base/decimal.h"
#include "schemas/messages.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void data_table_init(struct data_table *t, const struct data_stream *s, int64_t interval_ns) {
    *t = (struct data_table){ .stream = s, .interval_ns = s->interval ? interval_ns : 0 };
}

void data_table_fini(struct data_table *t) {
    for (uint32_t c = 0; c < DATA_STREAM_COLUMNS_MAX; c++) free(t->column[c]);
    free(t->line);
    *t = (struct data_table){ .stream = t->stream };
}

int data_table_reserve(struct data_table *t, uint64_t more, struct rt_error *err) {
    if (t->cnt + more <= t->room) return 0;
    uint64_t room = t->room + t->room / 2 + 64;
    if (room < t->cnt + more) room = t->cnt + more;
    for (uint32_t c = 0; c < t->stream->column_cnt; c++) {
        void *p = realloc(t->column[c], room * data_type_bytes(t->stream->columns[c].type));
        if (p == NULL) return rt_error_set(err, -ENOMEM, "no memory for %" PRIu64 " rows", room);
        t->column[c] = p;
    }
    uint64_t *line = realloc(t->line, room * sizeof *line);
    if (line == NULL) return rt_error_set(err, -ENOMEM, "no memory for %" PRIu64 " rows", room);
    t->line = line;
    t->room = room;
    return 0;
}

uint64_t data_table_add(struct data_table *t, uint64_t line) {
    const uint64_t row = t->cnt++;
    for (uint32_t c = 0; c < t->stream->column_cnt; c++) {
        switch (t->stream->columns[c].type) {
        case DATA_TIME:
        case DATA_FIXED:
        case DATA_ID: data_i64_put(t, row, c, DATA_NOT_TOLD); break;
        case DATA_REAL: data_f64_put(t, row, c, __builtin_nan("")); break;
        case DATA_COUNT:
        case DATA_DELAY: memset(t->column[c] + row * 4, 0, 4); break;
        case DATA_MAKER:
        case DATA_SIDE:
        case DATA_FLAGS: t->column[c][row] = 0; break;
        }
    }
    t->line[row] = line;
    return row;
}

void data_table_copy(struct data_table *t, uint64_t to, const struct data_table *other,
                     uint64_t from) {
    for (uint32_t c = 0; c < t->stream->column_cnt; c++) {
        const size_t width = data_type_bytes(t->stream->columns[c].type);
        memmove(t->column[c] + to * width, other->column[c] + from * width, width);
    }
    t->line[to] = other->line[from];
}

void data_table_keep(struct data_table *t, const uint8_t *keep) {
    uint64_t to = 0;
    for (uint64_t row = 0; row < t->cnt; row++) {
        if (!keep[row]) continue;
        if (to != row) data_table_copy(t, to, t, row);
        to++;
    }
    t->cnt = to;
}

/* A row to be sorted. */
struct place {
    int64_t time_ns; /* when it begins */
    uint64_t row;    /* where it stands */
};

/* by_time orders places by time, then as they stood. */
static int by_time(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->time_ns != y->time_ns) return x->time_ns < y->time_ns ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

int data_table_sort(struct data_table *t, struct rt_error *err) {
    uint64_t row = 1;
    while (row < t->cnt && data_time(t, row) >= data_time(t, row - 1)) row++;
    if (row >= t->cnt) return 0;
    struct place *places = malloc(t->cnt * sizeof *places);
    uint8_t *room = malloc(t->cnt * 8);
    if (places == NULL || room == NULL) {
        free(places);
        free(room);
        return rt_error_set(err, -ENOMEM, "no memory to sort %" PRIu64 " rows", t->cnt);
    }
    for (row = 0; row < t->cnt; row++) {
        places[row] = (struct place){ .time_ns = data_time(t, row), .row = row };
    }
    qsort(places, t->cnt, sizeof *places, by_time);
    for (uint32_t c = 0; c <= t->stream->column_cnt; c++) {
        const bool lines = c == t->stream->column_cnt;
        const size_t width = lines ? 8 : data_type_bytes(t->stream->columns[c].type);
        uint8_t *column = lines ? (uint8_t *)t->line : t->column[c];
        for (row = 0; row < t->cnt; row++) {
            memcpy(room + row * width, column + places[row].row * width, width);
        }
        memcpy(column, room, t->cnt * width);
    }
    free(places);
    free(room);
    return 0;
}

bool data_told(const struct data_table *t, uint64_t row, uint32_t column) {
    switch (t->stream->columns[column].type) {
    case DATA_TIME:
    case DATA_FIXED:
    case DATA_ID: return data_i64(t, row, column) != DATA_NOT_TOLD;
    case DATA_REAL: return data_f64(t, row, column) == data_f64(t, row, column);
    case DATA_COUNT:
    case DATA_DELAY: {
        int32_t v;
        memcpy(&v, t->column[column] + row * 4, 4);
        return v != 0;
    }
    default: return true;
    }
}

/* value_same compares one column of two rows, byte by byte. */
static bool value_same(const struct data_table *a, uint64_t i, const struct data_table *b,
                       uint64_t k, uint32_t c) {
    const size_t width = data_type_bytes(a->stream->columns[c].type);
    return memcmp(a->column[c] + i * width, b->column[c] + k * width, width) == 0;
}

bool data_table_same_key(const struct data_table *a, uint64_t i, const struct data_table *b,
                         uint64_t k) {
    if (data_time(a, i) != data_time(b, k)) return false;
    for (uint32_t c = 1; c < a->stream->column_cnt; c++) {
        if ((a->stream->key_mask >> c & 1) != 0 && !value_same(a, i, b, k, c)) return false;
    }
    return true;
}

bool data_table_same(const struct data_table *a, uint64_t i, const struct data_table *b,
                     uint64_t k) {
    for (uint32_t c = 0; c < a->stream->column_cnt; c++) {
        if (value_same(a, i, b, k, c)) continue;
        if (a->stream->columns[c].type == DATA_FLAGS) continue; /* where messages join */
        if (data_told(a, i, c) && data_told(b, k, c)) return false;
    }
    return true;
}

/* real_text writes the shortest decimal that reads back as v. */
static void real_text(double v, char out[40]) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, 40, "%.*g", digits, v);
        if (strtod(out, NULL) == v) break;
    }
    if (strchr(out, 'e') == NULL) return;
    for (int decimals = 0; decimals <= 20; decimals++) { /* without an exponent, where that fits */
        char plain[400];
        int len = snprintf(plain, sizeof plain, "%.*f", decimals, v);
        if (strtod(plain, NULL) != v || len > 39) continue;
        memcpy(out, plain, (size_t)len + 1);
        return;
    }
}

const char *data_table_text(const struct data_table *t, uint64_t row, uint32_t column,
                            char out[40]) {
    out[0] = '\0';
    if (!data_told(t, row, column)) return out;
    const uint8_t *small = t->column[column] + row;
    int32_t delay;
    uint32_t count;
    switch (t->stream->columns[column].type) {
    case DATA_TIME: {
        int64_t ns = data_i64(t, row, column);
        int64_t unit = ns % 1000000 == 0 ? 1000000 : ns % 1000 == 0 ? 1000 : 1;
        snprintf(out, 40, "%" PRId64, ns / unit);
        break;
    }
    case DATA_FIXED: {
        char text[RT_DECIMAL_CHARS];
        (void)rt_decimal_format(data_i64(t, row, column), text);
        snprintf(out, 40, "%s", text);
        break;
    }
    case DATA_ID: snprintf(out, 40, "%" PRId64, data_i64(t, row, column)); break;
    case DATA_REAL: real_text(data_f64(t, row, column), out); break;
    case DATA_COUNT:
        memcpy(&count, t->column[column] + row * 4, 4);
        snprintf(out, 40, "%" PRIu32, count);
        break;
    case DATA_DELAY:
        memcpy(&delay, t->column[column] + row * 4, 4);
        snprintf(out, 40, "%" PRId32, delay);
        break;
    case DATA_MAKER: snprintf(out, 40, "%s", *small == SIDE_SELL ? "true" : "false"); break;
    case DATA_SIDE: snprintf(out, 40, "%s", *small == SIDE_BUY ? "b" : "a"); break;
    case DATA_FLAGS: snprintf(out, 40, "%u", (unsigned)*small); break;
    }
    return out;
}
