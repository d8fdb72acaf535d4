#include "actors/dialect/json.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <stdlib.h>

/* text_fixed reads a decimal of a string's value; DL_NOT_TOLD when it is none. */
static int64_t text_fixed(const json_t *v) {
    int64_t out = DL_NOT_TOLD;
    const char *text = json_string_value(v);
    if (text == NULL || rt_decimal_parse(text, json_string_length(v), &out) != 0)
        return DL_NOT_TOLD;
    return out;
}

int64_t dl_fixed(const json_t *o, const char *key) {
    return text_fixed(json_object_get(o, key));
}

int64_t dl_whole(const json_t *o, const char *key) {
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : DL_NOT_TOLD;
}

int64_t dl_ms(const json_t *o, const char *key) {
    int64_t ms = dl_whole(o, key);
    return ms < 0 || ms > INT64_MAX / 1000000 ? DL_NOT_TOLD : ms * 1000000;
}

void dl_symbol(const json_t *o, const char *key, char out[32]) {
    const json_t *v = json_object_get(o, key);
    size_t cnt = json_string_length(v);
    out[0] = '\0';
    if (cnt > 0 && cnt < 32) memcpy(out, json_string_value(v), cnt + 1);
}

int dl_levels(const json_t *o, const char *key, uint8_t side, struct dl_event *e) {
    const json_t *list = json_object_get(o, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *level = json_array_get(list, i);
        int64_t price = text_fixed(json_array_get(level, 0));
        int64_t quantity = text_fixed(json_array_get(level, 1));
        if (price <= 0 || quantity < 0) return -EBADMSG;
        if (e->level_cnt == e->level_room) {
            size_t room = e->level_room * 2 + 64;
            struct dl_level *more = realloc(e->levels, room * sizeof *more);
            if (more == NULL) return -ENOMEM;
            e->levels = more;
            e->level_room = room;
        }
        e->levels[e->level_cnt++] =
            (struct dl_level){ .price = price, .quantity = quantity, .side = side };
    }
    return 0;
}

void dl_event_fini(struct dl_event *e) {
    free(e->levels);
    *e = (struct dl_event){ 0 };
}
