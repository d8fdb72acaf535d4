#include "actors/dialect/bybit/stream.h"
#include "actors/dialect/json.h"
#include "schemas/messages.h"
#include <errno.h>

/* book_read reads a snapshot or delta. */
static int book_read(const json_t *root, const char *type, struct dl_event *e) {
    const json_t *data = json_object_get(root, "data");
    e->kind = strcmp(type, "snapshot") == 0 ? DL_SNAPSHOT : DL_DIFF;
    dl_symbol(data, "s", e->symbol);
    e->time_ns = dl_ms(root, "ts");
    e->id = e->first_id = dl_whole(data, "u");
    if (e->kind == DL_DIFF && e->id != DL_NOT_TOLD) e->prev_id = e->id - 1;
    int rc = dl_levels(data, "b", SIDE_BUY, e);
    if (rc == 0) rc = dl_levels(data, "a", SIDE_SELL, e);
    if (rc != 0) return rc;
    return e->time_ns == DL_NOT_TOLD || e->id < 0 ? -EBADMSG : 0;
}

int bb_stream_parse(const char *text, size_t cnt, struct dl_event *e) {
    struct dl_level *levels = e->levels;
    const size_t room = e->level_room;
    *e = (struct dl_event){ .levels = levels,
                            .level_room = room,
                            .time_ns = DL_NOT_TOLD,
                            .id = DL_NOT_TOLD,
                            .first_id = DL_NOT_TOLD,
                            .prev_id = DL_NOT_TOLD };
    json_t *root = json_loadb(text, cnt, JSON_REJECT_DUPLICATES, NULL);
    const char *topic = json_string_value(json_object_get(root, "topic"));
    const char *type = json_string_value(json_object_get(root, "type"));
    int rc = 0;
    if (!json_is_object(root)) {
        rc = -EBADMSG;
    } else if (topic != NULL && type != NULL && strncmp(topic, "orderbook.", 10) == 0) {
        rc = book_read(root, type, e);
    }
    json_decref(root);
    return rc;
}
