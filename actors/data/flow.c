#include "actors/data/flow.h"
#include "actors/data/file.h"
#include "actors/data/stream.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    ORDERS_FIRST = 1 << 12, /* room for orders to begin with */
    WINDOW = 1 << 18,       /* ticks of the book at hand */
    LEVELS = 1 << 16,       /* levels outside them */
};

/* queues_make makes q, for max orders, in a new mapping. */
static int queues_make(struct mk_queues *q, uint32_t max, void **map, size_t *mapped,
                       struct rt_error *err) {
    *map = data_map(mk_queues_bytes(max), mapped);
    if (*map == NULL) return rt_error_set(err, -ENOMEM, "no memory for %" PRIu32 " orders", max);
    mk_queues_init(q, *map, max);
    return 0;
}

int data_flow_init(struct data_flow *f, const struct mk_instrument *in, int64_t start_ns,
                   int64_t end_ns, bool drop, struct rt_error *err) {
    *f = (struct data_flow){
        .in = in, .start_ns = start_ns, .end_ns = end_ns, .drop = drop, .sequence = DATA_NOT_TOLD
    };
    f->rows[DATA_FLOW_ORDERS].row_bytes = sizeof(struct msg_book_order);
    f->rows[DATA_FLOW_LEVELS].row_bytes = sizeof(struct msg_book_delta);
    f->rows[DATA_FLOW_QUOTES].row_bytes = sizeof(struct msg_quote);
    f->rows[DATA_FLOW_TRADES].row_bytes = sizeof(struct msg_trade);
    f->maps[1] = data_map(mk_book_bytes(WINDOW, LEVELS), &f->mapped[1]);
    if (f->maps[1] == NULL) return rt_error_set(err, -ENOMEM, "no memory for a book");
    mk_book_init(&f->book, f->maps[1], WINDOW, LEVELS, in->tick_size);
    int rc = queues_make(&f->queues, ORDERS_FIRST, &f->maps[0], &f->mapped[0], err);
    if (rc != 0) data_flow_fini(f);
    return rc;
}

void data_flow_fini(struct data_flow *f) {
    for (int i = 0; i < 2; i++) {
        data_unmap(f->maps[i], f->mapped[i]);
        f->maps[i] = NULL;
    }
    for (int i = 0; i < DATA_FLOW_SERIES; i++) {
        data_unmap(f->rows[i].map, f->rows[i].mapped);
        f->rows[i].map = NULL;
    }
}

/* grow makes room for more orders. */
static int grow(struct data_flow *f, struct rt_error *err) {
    struct mk_queues more;
    void *map;
    size_t mapped;
    if (f->queues.max >= MK_QUEUES_MAX) {
        return rt_error_set(err, -EBADMSG, "more than %d orders at once", MK_QUEUES_MAX);
    }
    int rc = queues_make(&more, f->queues.max * 2, &map, &mapped, err);
    if (rc != 0) return rc;
    mk_queues_move(&more, &f->queues);
    data_unmap(f->maps[0], f->mapped[0]);
    f->maps[0] = map;
    f->mapped[0] = mapped;
    f->queues = more;
    return 0;
}

/* --- rows ---------------------------------------------------------------------------------- */

/* telling tells whether rows are made of the event in hand. */
static bool telling(const struct data_flow *f) {
    return f->begun && f->time_ns < f->end_ns;
}

/* row_add returns where the next row of a series goes, or NULL with err. */
static void *row_add(struct data_flow *f, enum data_flow_series series, struct rt_error *err) {
    void *row = data_rows_room(&f->rows[series], 1, err);
    if (row != NULL) f->rows[series].cnt++;
    return row;
}

/* order_add adds a row of an order. */
static int order_add(struct data_flow *f, const struct msg_book_order *row, struct rt_error *err) {
    struct msg_book_order *out = row_add(f, DATA_FLOW_ORDERS, err);
    if (out == NULL) return -ENOMEM;
    *out = *row;
    return 0;
}

/* level_add adds a row of the level at price, 0 = none. */
static int level_add(struct data_flow *f, uint8_t side, price_t price, uint8_t flags,
                     struct rt_error *err) {
    struct msg_book_delta *out = row_add(f, DATA_FLOW_LEVELS, err);
    if (out == NULL) return -ENOMEM;
    *out = (struct msg_book_delta){ .time_ns = f->time_ns,
                                    .update_id = f->rows[DATA_FLOW_ORDERS].cnt,
                                    .price = price,
                                    .quantity = price == 0 ? 0 : mk_book_at(&f->book, side, price),
                                    .instrument = f->in->id,
                                    .side = side,
                                    .flags = flags,
                                    .delay_us = f->delay_us };
    return 0;
}

/* book_add adds the whole book as a snapshot of levels. */
static int book_add(struct data_flow *f, struct rt_error *err) {
    const uint32_t cnt = f->book.sides[SIDE_BUY].cnt + f->book.sides[SIDE_SELL].cnt;
    const uint8_t snapshot = BOOK_FLAGS_SNAPSHOT;
    uint32_t n = 0;
    int rc = 0;
    f->told = false;
    if (cnt == 0) {
        return level_add(f, SIDE_BUY, 0, BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST | snapshot, err);
    }
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        price_t price = mk_book_best(&f->book, side);
        for (; rc == 0 && price != 0; price = mk_book_next(&f->book, side, price)) {
            n++;
            rc = level_add(
                f, side, price,
                snapshot | (n == 1 ? BOOK_FLAGS_FIRST : 0) | (n == cnt ? BOOK_FLAGS_LAST : 0), err);
        }
    }
    return rc;
}

/* changes_add adds rows of the levels that a row has changed; whole: with it its update is. */
static int changes_add(struct data_flow *f, const struct mk_queue_step *s, bool whole,
                       struct rt_error *err) {
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < s->change_cnt; i++) {
        const uint8_t flags = (f->told ? 0 : BOOK_FLAGS_FIRST) |
                              (whole && i + 1 == s->change_cnt ? BOOK_FLAGS_LAST : 0);
        rc = level_add(f, (uint8_t)s->change[i].side, s->change[i].price, flags, err);
        f->told = true;
    }
    if (rc == 0 && whole && s->change_cnt == 0 && f->told) {
        rc = level_add(f, SIDE_BUY, 0, BOOK_FLAGS_LAST, err);
    }
    if (whole) f->told = false;
    return rc;
}

/* touch_add adds the touch where it is a new one, unless the book is stale. */
static int touch_add(struct data_flow *f, struct rt_error *err) {
    struct msg_quote now = { .time_ns = f->touch.time_ns,
                             .bid = mk_book_best(&f->book, SIDE_BUY),
                             .ask = mk_book_best(&f->book, SIDE_SELL),
                             .instrument = f->in->id };
    if (now.bid != 0) now.bid_quantity = mk_book_at(&f->book, SIDE_BUY, now.bid);
    if (now.ask != 0) now.ask_quantity = mk_book_at(&f->book, SIDE_SELL, now.ask);
    if (f->gapped || memcmp(&now, &f->touch, sizeof now) == 0) return 0;
    now.time_ns = f->time_ns;
    f->touch = now;
    struct msg_quote *out = row_add(f, DATA_FLOW_QUOTES, err);
    if (out == NULL) return -ENOMEM;
    *out = now;
    return 0;
}

/* trade_add adds a trade; side: of the order that rested. */
static int trade_add(struct data_flow *f, price_t price, qty_t quantity, uint8_t side,
                     struct rt_error *err) {
    f->trades++;
    if (!telling(f)) return 0;
    struct msg_trade *out = row_add(f, DATA_FLOW_TRADES, err);
    if (out == NULL) return -ENOMEM;
    *out = (struct msg_trade){ .time_ns = f->time_ns,
                               .trade_id = (int64_t)f->trades,
                               .price = price,
                               .quantity = quantity,
                               .instrument = f->in->id,
                               .aggressor = side == SIDE_BUY ? SIDE_SELL : SIDE_BUY,
                               .delay_us = f->delay_us };
    return 0;
}

/* say works a row on the books here and makes rows of it. */
static int say(struct data_flow *f, uint8_t action, uint64_t id, uint8_t side, price_t price,
               qty_t quantity, struct rt_error *err) {
    struct msg_book_order row = { .time_ns = f->time_ns,
                                  .order_id = id,
                                  .price = price,
                                  .quantity = quantity,
                                  .delay_us = f->delay_us,
                                  .instrument = f->in->id,
                                  .side = side,
                                  .action = action };
    struct mk_queue_step s;
    if (f->queues.cnt == f->queues.max) {
        int rc = grow(f, err);
        if (rc != 0) return rc;
    }
    const bool was = mk_book_crossed(&f->book);
    mk_queues_apply(&f->queues, &row, &s);
    for (uint32_t i = 0; i < s.change_cnt; i++) {
        const struct mk_queue_change *c = &s.change[i];
        qty_t now = mk_book_at(&f->book, (uint8_t)c->side, c->price);
        if (__builtin_add_overflow(now, c->change, &now)) {
            return rt_error_set(err, -EBADMSG, "more at one price than 64 bits hold");
        }
        mk_book_put(&f->book, (uint8_t)c->side, c->price, now < 0 ? 0 : now);
    }
    if (f->queues.cnt > f->most) f->most = f->queues.cnt;
    const bool crossed = mk_book_crossed(&f->book), whole = !f->hold && !crossed;
    f->faults.crossed += crossed && !was;
    row.flags = (f->open ? 0 : BOOK_FLAGS_FIRST) | (whole ? BOOK_FLAGS_LAST : 0) |
                (f->filling ? BOOK_FLAGS_SNAPSHOT : 0);
    f->open = !whole;
    const bool filled = f->filling && whole, levels = !f->filling && !f->gapped;
    if (filled) f->filling = f->gapped = false;
    if (!telling(f)) return 0;
    int rc = order_add(f, &row, err);
    if (rc == 0 && levels) rc = changes_add(f, &s, whole, err);
    if (rc == 0 && filled) rc = book_add(f, err);
    return rc == 0 && whole ? touch_add(f, err) : rc;
}

/* gap_add makes the book stale: numbers are missing before the event in hand. */
static int gap_add(struct data_flow *f, struct rt_error *err) {
    struct msg_book_order row = { .time_ns = f->time_ns,
                                  .delay_us = f->delay_us,
                                  .instrument = f->in->id,
                                  .flags = BOOK_FLAGS_FIRST | BOOK_FLAGS_LAST | BOOK_FLAGS_GAP };
    f->gapped = true;
    f->open = f->told = f->filling = f->hold = f->snap = false;
    if (!telling(f)) return 0;
    int rc = order_add(f, &row, err);
    return rc != 0 ? rc : level_add(f, SIDE_BUY, 0, row.flags, err);
}

/* state_add begins the rows with the book as it is: a snapshot. */
static int state_add(struct data_flow *f, struct rt_error *err) {
    const struct mk_queues *q = &f->queues;
    const bool gapped = f->gapped;
    struct msg_book_order row = { .time_ns = f->time_ns,
                                  .delay_us = f->delay_us,
                                  .instrument = f->in->id,
                                  .flags = BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT };
    int rc = order_add(f, &row, err);
    row.flags = BOOK_FLAGS_SNAPSHOT;
    row.action = BOOK_ACTION_ADD;
    for (uint32_t i = q->oldest; rc == 0 && i != MK_QUEUES_NONE; i = q->orders[i].newer) {
        row.order_id = q->orders[i].id;
        row.price = q->orders[i].price;
        row.quantity = q->orders[i].quantity;
        row.side = q->orders[i].side;
        rc = order_add(f, &row, err);
    }
    f->filling = true;
    f->open = true;
    f->told = false;
    if (rc == 0) rc = say(f, BOOK_ACTION_NONE, 0, SIDE_BUY, 0, 0, err);
    if (rc == 0 && f->halted) rc = say(f, BOOK_ACTION_HALT, 0, SIDE_BUY, 0, 0, err);
    return rc == 0 && gapped ? gap_add(f, err) : rc;
}

/* --- events -------------------------------------------------------------------------------- */

/* snap_begin begins a snapshot. */
static int snap_begin(struct data_flow *f, struct rt_error *err) {
    struct mk_queues *q = &f->queues;
    for (uint32_t i = q->oldest; i != MK_QUEUES_NONE; i = q->orders[i].newer) q->orders[i].mark = 0;
    f->open = false;
    f->filling = f->hold = f->snap = true;
    return say(f, BOOK_ACTION_NONE, 0, SIDE_BUY, 0, 0, err);
}

/* snap_end ends it: what it did not name is gone. */
static int snap_end(struct data_flow *f, struct rt_error *err) {
    struct mk_queues *q = &f->queues;
    int rc = 0;
    for (uint32_t i = q->oldest; rc == 0 && i != MK_QUEUES_NONE;) {
        const uint32_t next = q->orders[i].newer;
        const struct mk_queued o = q->orders[i];
        if (o.mark == 0) rc = say(f, BOOK_ACTION_REMOVE, o.id, o.side, 0, 0, err);
        i = next;
    }
    f->hold = f->snap = false;
    return rc != 0 ? rc : say(f, BOOK_ACTION_NONE, 0, SIDE_BUY, 0, 0, err);
}

/* clear_way lets the older orders leave that one on side at price crosses, where that is declared.
 * The update stays open for it. */
static int clear_way(struct data_flow *f, uint8_t side, price_t price, struct rt_error *err) {
    const uint8_t against = side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
    const bool hold = f->hold;
    int rc = 0;
    if (!f->drop || f->halted || f->snap) return 0;
    for (;;) {
        const price_t best = mk_book_best(&f->book, against);
        if (best == 0 || (side == SIDE_BUY ? best > price : best < price)) break;
        const uint32_t at = mk_queues_level(&f->queues, against, best);
        if (at == MK_QUEUES_NONE) break;
        const struct mk_queued o = f->queues.orders[f->queues.levels[at].first];
        f->hold = true;
        f->faults.dropped++;
        rc = say(f, BOOK_ACTION_REMOVE, o.id, o.side, 0, 0, err);
        if (rc != 0) break;
    }
    f->hold = hold;
    return rc;
}

/* place_ok tells whether e has a side, a price on the grid and a quantity. */
static int place_ok(const struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    char text[RT_DECIMAL_CHARS];
    if (e->side > SIDE_SELL) return rt_error_set(err, -EBADMSG, "no side; expected b or a");
    if (e->price <= 0 || e->quantity <= 0) {
        return rt_error_set(err, -EBADMSG, "%s is zero", e->price <= 0 ? "price" : "quantity");
    }
    if (e->price % f->in->tick_size == 0) return 0;
    (void)rt_decimal_format(e->price, text);
    return rt_error_set(err, -EBADMSG, "price %s is not on the tick of %s", text, f->in->name);
}

/* put lets an order join, or move where it is there already and does not leave its own way. */
static int put(struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    int rc = clear_way(f, e->side, e->price, err);
    if (rc != 0) return rc;
    const bool there = mk_queues_find(&f->queues, e->id) != MK_QUEUES_NONE;
    return say(f, there ? BOOK_ACTION_MOVE : BOOK_ACTION_ADD, e->id, e->side, e->price, e->quantity,
               err);
}

/* snap takes an order of a snapshot. */
static int snap(struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    const uint32_t idx = mk_queues_find(&f->queues, e->id);
    int rc;
    if (idx == MK_QUEUES_NONE) {
        rc = put(f, e, err);
    } else {
        const struct mk_queued was = f->queues.orders[idx];
        const bool stays = was.side == e->side && was.price == e->price;
        if (was.mark != 0) f->faults.twice++;
        if (stays && e->quantity == was.quantity) {
            rc = 0;
        } else if (stays && e->quantity < was.quantity) {
            rc = say(f, BOOK_ACTION_REDUCE, e->id, e->side, 0, was.quantity - e->quantity, err);
        } else {
            rc = put(f, e, err);
        }
    }
    if (rc == 0) f->queues.orders[mk_queues_find(&f->queues, e->id)].mark = 1;
    return rc;
}

/* execute takes an execution of an order that is known or not. */
static int execute(struct data_flow *f, const struct data_event *e, uint32_t idx,
                   struct rt_error *err) {
    uint8_t side = e->side;
    price_t price = e->price;
    qty_t quantity = e->quantity;
    if (idx == MK_QUEUES_NONE) {
        f->faults.unknown++;
        if (side > SIDE_SELL || price == 0) return 0; /* nobody knows what it was */
    } else {
        const struct mk_queued *o = &f->queues.orders[idx];
        side = o->side;
        if (price == 0) price = o->price;
        if (quantity > o->quantity) {
            f->faults.beyond++;
            quantity = o->quantity;
        }
    }
    int rc =
        say(f, BOOK_ACTION_EXECUTE, idx == MK_QUEUES_NONE ? 0 : e->id, side, price, quantity, err);
    return rc != 0 ? rc : trade_add(f, price, quantity, side, err);
}

/* hidden takes a trade with an order nobody saw. */
static int hidden(struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    const price_t bid = mk_book_best(&f->book, SIDE_BUY), ask = mk_book_best(&f->book, SIDE_SELL);
    uint8_t side = e->side;
    if (e->by_touch && bid != 0 && ask != 0 && e->price - bid != ask - e->price) {
        side = e->price - bid < ask - e->price ? SIDE_BUY : SIDE_SELL; /* the nearer one */
    }
    if (side > SIDE_SELL) return rt_error_set(err, -EBADMSG, "no side; expected b or a");
    if (e->price <= 0) return rt_error_set(err, -EBADMSG, "price is zero");
    int rc = say(f, BOOK_ACTION_HIDDEN, 0, side, e->price, e->quantity, err);
    return rc != 0 ? rc : trade_add(f, e->price, e->quantity, side, err);
}

/* cross takes a trade of an auction. */
static int cross(struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    if (e->price <= 0) return rt_error_set(err, -EBADMSG, "price is zero");
    int rc = say(f, BOOK_ACTION_CROSS, 0, SIDE_BUY, e->price, e->quantity, err);
    return rc != 0 ? rc : trade_add(f, e->price, e->quantity, SIDE_SELL, err);
}

/* less takes quantity off the order in slot idx. */
static int less(struct data_flow *f, const struct data_event *e, uint32_t idx, qty_t quantity,
                struct rt_error *err) {
    const struct mk_queued *o = &f->queues.orders[idx];
    f->faults.beyond += quantity > o->quantity;
    if (quantity >= o->quantity) {
        return say(f, BOOK_ACTION_REMOVE, e->id, o->side, o->price, 0, err);
    }
    return say(f, BOOK_ACTION_REDUCE, e->id, o->side, o->price, quantity, err);
}

/* change takes an event that names an order. */
static int change(struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    struct data_event as = *e;
    uint32_t idx = mk_queues_find(&f->queues, e->id);
    if (e->id == 0 && e->what != DATA_EVENT_EXECUTE) {
        return rt_error_set(err, -EBADMSG, "no order id");
    }
    struct mk_queued was = { 0 };
    if (idx != MK_QUEUES_NONE) was = f->queues.orders[idx];
    if (e->what == DATA_EVENT_MODIFY && idx != MK_QUEUES_NONE) as.side = was.side;
    if (e->what == DATA_EVENT_ADD || e->what == DATA_EVENT_SNAP || e->what == DATA_EVENT_MODIFY) {
        int rc = place_ok(f, &as, err);
        if (rc != 0) return rc;
    } else if (e->quantity == 0 && e->what != DATA_EVENT_DELETE) {
        return rt_error_set(err, -EBADMSG, "quantity is zero");
    }
    switch (e->what) {
    case DATA_EVENT_SNAP: return snap(f, e, err);
    case DATA_EVENT_ADD: f->faults.twice += idx != MK_QUEUES_NONE; return put(f, e, err);
    case DATA_EVENT_EXECUTE: return execute(f, e, idx, err);
    case DATA_EVENT_MODIFY: f->faults.unknown += idx == MK_QUEUES_NONE; return put(f, &as, err);
    default: break;
    }
    if (idx == MK_QUEUES_NONE) {
        f->faults.unknown++;
        return 0;
    }
    if (e->what == DATA_EVENT_DELETE) return less(f, e, idx, was.quantity, err);
    if (e->what == DATA_EVENT_REDUCE) return less(f, e, idx, e->quantity, err);
    if (e->quantity > was.quantity) {
        return rt_error_set(err, -EBADMSG, "amend to more than rests; expected modify");
    }
    return e->quantity == was.quantity ? 0 : less(f, e, idx, was.quantity - e->quantity, err);
}

/* sequence_ok holds the number of e against the one before. */
static int sequence_ok(struct data_flow *f, const struct data_event *e, bool *missing,
                       struct rt_error *err) {
    const int64_t before = f->sequence;
    *missing = false;
    if (e->sequence == DATA_NOT_TOLD) return 0;
    f->sequence = e->sequence;
    if (before == DATA_NOT_TOLD) return 0;
    if (e->sequence < before) {
        return rt_error_set(err, -EBADMSG, "sequence %" PRId64 " is below the one before, %" PRId64,
                            e->sequence, before);
    }
    *missing = e->sequence - before > 1;
    return 0;
}

int data_flow_take(struct data_flow *f, const struct data_event *e, struct rt_error *err) {
    bool missing;
    int rc = sequence_ok(f, e, &missing, err);
    if (rc != 0) return rc;
    if (f->snap && e->what != DATA_EVENT_SNAP && !missing) { /* at the time of its last row */
        rc = snap_end(f, err);
        if (rc != 0) return rc;
    }
    f->time_ns = e->time_ns;
    f->delay_us = e->delay_us;
    const bool fresh = e->what == DATA_EVENT_CLEAR || (e->what == DATA_EVENT_SNAP && !f->snap);
    if (!f->begun && e->time_ns >= f->start_ns) {
        f->begun = true;
        if (!fresh || f->queues.cnt > 0) rc = state_add(f, err);
    }
    f->faults.gaps += missing;
    if (rc == 0 && missing) rc = gap_add(f, err);
    if (rc == 0 && (fresh || (missing && e->what == DATA_EVENT_SNAP))) rc = snap_begin(f, err);
    if (rc != 0) return rc;
    switch (e->what) {
    case DATA_EVENT_CLEAR:
    case DATA_EVENT_NONE: return 0;
    case DATA_EVENT_HIDDEN:
    case DATA_EVENT_CROSS:
        if (e->quantity == 0) return rt_error_set(err, -EBADMSG, "quantity is zero");
        return e->what == DATA_EVENT_HIDDEN ? hidden(f, e, err) : cross(f, e, err);
    case DATA_EVENT_HALT:
    case DATA_EVENT_RESUME:
        f->halted = e->what == DATA_EVENT_HALT;
        return say(f, f->halted ? BOOK_ACTION_HALT : BOOK_ACTION_RESUME, 0, SIDE_BUY, 0, 0, err);
    default: return change(f, e, err);
    }
}

int data_flow_end(struct data_flow *f, struct rt_error *err) {
    return f->snap ? snap_end(f, err) : 0;
}
