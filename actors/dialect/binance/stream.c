#include "actors/dialect/binance/stream.h"
#include "actors/dialect/json.h"
#include "schemas/messages.h"
#include <errno.h>

/* trade_read reads a trade. What was not traded on the book (X: INSURANCE_FUND, price "0") is told
 * as it stands; who hears it decides. */
static int trade_read(const json_t *o, struct dl_event *e) {
    const json_t *maker = json_object_get(o, "m");
    e->kind = DL_TRADE;
    e->time_ns = dl_ms(o, "T");
    e->id = dl_whole(o, "t");
    e->price = dl_fixed(o, "p");
    e->quantity = dl_fixed(o, "q");
    e->aggressor = json_is_true(maker) ? SIDE_SELL : SIDE_BUY;
    return e->time_ns == DL_NOT_TOLD || e->id == DL_NOT_TOLD || e->price == DL_NOT_TOLD ||
                   e->quantity == DL_NOT_TOLD || !json_is_boolean(maker)
               ? -EBADMSG
               : 0;
}

/* quote_read reads a bookTicker. Spot's tells no time. */
static int quote_read(const json_t *o, struct dl_event *e) {
    e->kind = DL_QUOTE;
    e->time_ns = dl_ms(o, "T");
    e->id = dl_whole(o, "u");
    e->bid = dl_fixed(o, "b");
    e->bid_quantity = dl_fixed(o, "B");
    e->ask = dl_fixed(o, "a");
    e->ask_quantity = dl_fixed(o, "A");
    return e->id == DL_NOT_TOLD || e->bid == DL_NOT_TOLD || e->bid_quantity == DL_NOT_TOLD ||
                   e->ask == DL_NOT_TOLD || e->ask_quantity == DL_NOT_TOLD
               ? -EBADMSG
               : 0;
}

/* diff_read reads a depthUpdate; pu is USD-M's. */
static int diff_read(const json_t *o, struct dl_event *e) {
    e->kind = DL_DIFF;
    e->time_ns = dl_ms(o, "E");
    e->first_id = dl_whole(o, "U");
    e->id = dl_whole(o, "u");
    e->prev_id = dl_whole(o, "pu");
    int rc = dl_levels(o, "b", SIDE_BUY, e);
    if (rc == 0) rc = dl_levels(o, "a", SIDE_SELL, e);
    if (rc != 0) return rc;
    return e->time_ns == DL_NOT_TOLD || e->first_id < 0 || e->id < e->first_id ? -EBADMSG : 0;
}

/* snapshot_read reads the answer of REST depth; spot's tells no time. */
static int snapshot_read(const json_t *o, struct dl_event *e) {
    e->kind = DL_SNAPSHOT;
    e->time_ns = dl_ms(o, "E");
    e->id = e->first_id = dl_whole(o, "lastUpdateId");
    int rc = dl_levels(o, "bids", SIDE_BUY, e);
    if (rc == 0) rc = dl_levels(o, "asks", SIDE_SELL, e);
    if (rc != 0) return rc;
    return e->id < 0 ? -EBADMSG : 0;
}

/* mark_read reads a markPriceUpdate. */
static int mark_read(const json_t *o, struct dl_event *e) {
    e->kind = DL_MARK;
    e->time_ns = dl_ms(o, "E");
    e->price = dl_fixed(o, "p");
    e->settle = dl_fixed(o, "P");
    e->index = dl_fixed(o, "i");
    e->rate = dl_fixed(o, "r");
    e->next_ns = dl_ms(o, "T");
    return e->time_ns == DL_NOT_TOLD || e->price == DL_NOT_TOLD ? -EBADMSG : 0;
}

/* object_read reads an unwrapped frame. */
static int object_read(const json_t *o, struct dl_event *e) {
    const char *what = json_string_value(json_object_get(o, "e"));
    dl_symbol(o, "s", e->symbol);
    if (what == NULL && json_object_get(o, "lastUpdateId") != NULL) return snapshot_read(o, e);
    if (what == NULL && json_object_get(o, "u") != NULL) return quote_read(o, e);
    if (what == NULL) return 0;
    if (strcmp(what, "trade") == 0) return trade_read(o, e);
    if (strcmp(what, "bookTicker") == 0) return quote_read(o, e);
    if (strcmp(what, "depthUpdate") == 0) return diff_read(o, e);
    if (strcmp(what, "markPriceUpdate") == 0) return mark_read(o, e);
    return 0;
}

int bn_stream_parse(const char *text, size_t cnt, struct dl_event *e) {
    struct dl_level *levels = e->levels;
    const size_t room = e->level_room;
    *e = (struct dl_event){ .levels = levels,
                            .level_room = room,
                            .time_ns = DL_NOT_TOLD,
                            .id = DL_NOT_TOLD,
                            .first_id = DL_NOT_TOLD,
                            .prev_id = DL_NOT_TOLD,
                            .index = DL_NOT_TOLD,
                            .settle = DL_NOT_TOLD,
                            .rate = DL_NOT_TOLD,
                            .next_ns = DL_NOT_TOLD };
    json_t *root = json_loadb(text, cnt, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return -EBADMSG;
    }
    const json_t *data =
        json_object_get(root, "stream") != NULL ? json_object_get(root, "data") : root;
    int rc = json_is_object(data) ? object_read(data, e) : -EBADMSG;
    json_decref(root);
    return rc;
}
