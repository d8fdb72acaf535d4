#include "actors/market/book_rows.h"
#include "actors/strategy/cost.h"
#include "actors/strategy/host.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

/* Numbers of the counters in a snapshot. */
enum counter {
    C_SEQUENCE = 1,  /* of the newest order id */
    C_FLAGS = 2,     /* enum flag */
    C_CASH = 3,      /* of the account */
    C_BLOB = 4,      /* bytes of the class's snapshot */
    C_PARAM = 0x100, /* and its index: a parameter */
    C_LEG = 0x1000,  /* and 4 x its index, and one of enum leg_counter */
    C_BOOK = 0x8000, /* and MK_BOOK_FIGURES x its index, and a figure of its book */
};

/* What is counted of a leg. */
enum leg_counter { L_LAST, L_LAST_NS, L_POSITION, L_SHORTS };

/* What C_FLAGS holds. */
enum flag { FLAG_LIVE = 1, FLAG_PAUSED = 2, FLAG_STOPPED = 4 };

/* Figures of rows. */
enum {
    PIECE_BYTES = sizeof(struct msg_strategy_row) - offsetof(struct msg_strategy_row, w0),
    GUARD_FROM = offsetof(struct data_guard, last_ns),
    GUARD_BYTES = sizeof(struct data_guard) - GUARD_FROM, /* of a guard, less its options */
    CANCEL_IN_FLIGHT = 1,                                 /* flags of an order row */
    CANCEL_WAITS = 2,
    TOLD = 4,
    AMENDING = 8,
};

/* Numbers of the counters of longer bars: this, and the place of one: when the newest was told. The
 * bar itself, where it holds something, is a row of that place. */
static const uint64_t C_LONGER = UINT64_C(1) << 32;

/* Numbers of the counters of silent books: this, and the leg: silent 1, watched 2. */
static const uint64_t C_SILENT = UINT64_C(2) << 32;

/* Numbers of the counters of fees: this, and the leg: twice its tier + 1, + 1 where it pays in the
 * fee asset. */
static const uint64_t C_FEES = UINT64_C(3) << 32;

/* Keys of the pieces of a guard: this, its leg in bits 32 and up, where the piece begins. */
static const uint64_t GUARD_KEY = UINT64_C(1) << 56;

/* put_counter saves one figure. */
static void put_counter(struct rt_row_sink *sink, uint64_t id, int64_t value) {
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, id, &row, sizeof row);
}

/* put_blob saves the class's state in pieces; pieces of nothing but zeros are left out, since load
 * begins with zeros. */
static void put_blob(const struct st_host *h, struct rt_row_sink *sink) {
    const uint8_t *bytes = h->class_state;
    size_t cnt = h->state_bytes;
    if (h->cls->snapshot) {
        cnt = h->cls->snapshot(h->class_state, h->scratch, h->state_bytes);
        assert(cnt <= h->state_bytes);
        bytes = h->scratch;
    }
    put_counter(sink, C_BLOB, (int64_t)cnt);
    for (size_t at = 0; at < cnt; at += PIECE_BYTES) {
        struct msg_strategy_row row = { .at = (uint32_t)at, .used = PIECE_BYTES };
        struct msg_strategy_row zero = { .at = (uint32_t)at };
        if (cnt - at < PIECE_BYTES) row.used = (uint32_t)(cnt - at);
        zero.used = row.used;
        memcpy((uint8_t *)&row + offsetof(struct msg_strategy_row, w0), bytes + at, row.used);
        if (!h->cls->snapshot && memcmp(&row, &zero, sizeof row) == 0) continue;
        sink->put(sink, MSG_STRATEGY_ROW, at, &row, sizeof row);
    }
}

/* put_guards saves the guards: what follows their options, in pieces; those of nothing but zeros
 * are left out, since load begins with zeros. */
static void put_guards(const struct st_host *h, struct rt_row_sink *sink) {
    for (uint16_t i = 0; h->guards != NULL && i < h->leg_cnt; i++) {
        const uint8_t *bytes = (const uint8_t *)&h->guards[i] + GUARD_FROM;
        for (uint32_t at = 0; at < GUARD_BYTES; at += PIECE_BYTES) {
            struct msg_strategy_row row = { .at = at, .used = PIECE_BYTES };
            if (GUARD_BYTES - at < PIECE_BYTES) row.used = GUARD_BYTES - at;
            const struct msg_strategy_row zero = { .at = at, .used = row.used };
            memcpy((uint8_t *)&row + offsetof(struct msg_strategy_row, w0), bytes + at, row.used);
            if (memcmp(&row, &zero, sizeof row) == 0) continue;
            sink->put(sink, MSG_STRATEGY_ROW, GUARD_KEY + ((uint64_t)i << 32) + at, &row,
                      sizeof row);
        }
    }
}

/* put_longer saves the longer bars. */
static void put_longer(const struct st_host *h, struct rt_row_sink *sink) {
    for (uint32_t i = 0; i < (uint32_t)h->leg_cnt * h->longer_cnt; i++) {
        const struct st_longer *x = &h->longer[i];
        put_counter(sink, C_LONGER + i, x->told_ns);
        if (x->open) sink->put(sink, MSG_BAR, i, &x->bar, sizeof x->bar);
    }
}

void st_host_save(const void *state, struct rt_row_sink *sink) {
    const struct st_host *h = state;
    put_counter(sink, C_SEQUENCE, (int64_t)h->sequence);
    put_counter(sink, C_FLAGS,
                (h->live ? FLAG_LIVE : 0) | (h->paused ? FLAG_PAUSED : 0) |
                    (h->stopped ? FLAG_STOPPED : 0));
    put_counter(sink, C_CASH, h->cash);
    for (uint16_t i = 0; i < h->param_cnt; i++) put_counter(sink, C_PARAM + i, h->params[i].i);
    for (uint16_t i = 0; i < h->leg_cnt; i++) {
        put_counter(sink, C_LEG + 4U * i + L_LAST, h->legs[i].last);
        put_counter(sink, C_LEG + 4U * i + L_LAST_NS, h->legs[i].last_ns);
        put_counter(sink, C_LEG + 4U * i + L_POSITION, h->legs[i].position);
        put_counter(sink, C_LEG + 4U * i + L_SHORTS, h->legs[i].shorts);
        if (h->legs[i].stale_series >= 0) {
            put_counter(sink, C_SILENT + i, h->legs[i].silent | h->legs[i].watched << 1);
        }
        if (st_cost_keeps(&h->legs[i], &h->market->accounts[h->account - 1])) {
            put_counter(sink, C_FEES + i, (h->legs[i].tier + 1) * 2 + h->legs[i].burnt);
        }
        if (h->legs[i].book == NULL) continue;
        mk_book_rows_save(h->legs[i].book, h->legs[i].in->id, C_BOOK + MK_BOOK_FIGURES * i,
                          (uint64_t)i << 32, sink);
    }
    for (uint32_t i = 0; i < h->order_cnt; i++) {
        const struct st_order *o = &h->orders[i];
        struct msg_order_row row = {
            .order_id = o->id,
            .price = o->price,
            .quantity = o->quantity,
            .cum_quantity = o->filled,
            .instrument = h->legs[o->leg].in->id,
            .account = h->account,
            .side = o->side,
            .type = o->type,
            .terms = o->terms,
            .flags = (o->canceling == ST_CANCEL_SAID ? CANCEL_IN_FLIGHT : 0) |
                     (o->canceling == ST_CANCEL_WAITS ? CANCEL_WAITS : 0) | (o->told ? TOLD : 0) |
                     (o->amending ? AMENDING : 0),
            .cancel_reason = o->cancel_reason,
        };
        sink->put(sink, MSG_ORDER_ROW, o->id, &row, sizeof row);
    }
    for (uint32_t i = 0; i < h->held_cnt; i++) {
        const struct st_held *p = &h->held[i];
        struct msg_position_row row = { .quantity = p->quantity,
                                        .cost = p->cost,
                                        .instrument = p->instrument & (ST_HELD_SHORT - 1),
                                        .owner = p->owner,
                                        .account = h->account,
                                        .position_side = p->instrument & ST_HELD_SHORT
                                                             ? POSITION_SIDE_SHORT
                                                             : POSITION_SIDE_BOTH };
        sink->put(sink, MSG_POSITION_ROW, (uint64_t)p->instrument << 16 | p->owner, &row,
                  sizeof row);
    }
    put_blob(h, sink);
    put_longer(h, sink);
    put_guards(h, sink);
}

/* bad fills err for a row that makes no sense. */
static int bad(struct rt_error *err, const char *what) {
    return rt_error_set(err, -EINVAL, "strategy: saved %s makes no sense for this configuration",
                        what);
}

/* load_counter takes back one figure. */
static int load_counter(struct st_host *h, const struct msg_counter_row *row,
                        struct rt_error *err) {
    uint64_t id = row->id;
    if (id >= C_FEES) {
        if (id - C_FEES >= h->leg_cnt) return bad(err, "leg");
        struct st_leg *l = &h->legs[id - C_FEES];
        int64_t tiers = h->market->accounts[h->account - 1].tier_cnt[l->in->kind];
        if (row->value < 0 || row->value / 2 > tiers) return bad(err, "tier");
        l->tier = (int8_t)(row->value / 2 - 1);
        l->burnt = row->value & 1;
        return 0;
    }
    if (id >= C_SILENT) {
        if (id - C_SILENT >= h->leg_cnt) return bad(err, "leg");
        h->legs[id - C_SILENT].silent = row->value & 1;
        h->legs[id - C_SILENT].watched = row->value & 2;
        return 0;
    }
    if (id >= C_LONGER) {
        if (id - C_LONGER >= (uint64_t)h->leg_cnt * h->longer_cnt) return bad(err, "longer bar");
        h->longer[id - C_LONGER].told_ns = row->value;
        return 0;
    }
    if (id >= C_BOOK) {
        uint64_t leg = (id - C_BOOK) / MK_BOOK_FIGURES;
        if (leg < h->leg_cnt && h->legs[leg].book != NULL &&
            mk_book_rows_figure(h->legs[leg].book, (id - C_BOOK) % MK_BOOK_FIGURES, row->value)) {
            return 0;
        }
        return bad(err, "book");
    }
    if (id >= C_LEG) {
        if ((id - C_LEG) / 4 >= h->leg_cnt) return bad(err, "leg");
        struct st_leg *l = &h->legs[(id - C_LEG) / 4];
        switch ((id - C_LEG) % 4) {
        case L_LAST: l->last = row->value; return 0;
        case L_LAST_NS: l->last_ns = row->value; return 0;
        case L_POSITION: l->position = row->value; return 0;
        case L_SHORTS: l->shorts = row->value; return 0;
        default: return bad(err, "counter");
        }
    }
    if (id >= C_PARAM) {
        if (id - C_PARAM >= h->param_cnt) return bad(err, "parameter");
        h->params[id - C_PARAM].i = row->value;
        return 0;
    }
    switch (id) {
    case C_SEQUENCE: h->sequence = (uint64_t)row->value; return 0;
    case C_CASH: h->cash = row->value; return 0;
    case C_FLAGS:
        h->live = row->value & FLAG_LIVE;
        h->paused = row->value & FLAG_PAUSED;
        h->stopped = row->value & FLAG_STOPPED;
        return 0;
    case C_BLOB:
        if (row->value < 0 || (uint64_t)row->value > h->state_bytes) return bad(err, "state");
        h->blob_bytes = (size_t)row->value;
        h->blob_got = 0;
        return 0;
    default: return bad(err, "counter");
    }
}

/* load_order takes back one open order. */
static int load_order(struct st_host *h, const struct msg_order_row *row, struct rt_error *err) {
    uint16_t leg = 0;
    while (leg < h->leg_cnt && h->legs[leg].in->id != row->instrument) leg++;
    if (leg == h->leg_cnt || h->order_cnt == h->orders_cap) return bad(err, "order");
    if (h->order_cnt > 0 && h->orders[h->order_cnt - 1].id >= row->order_id) {
        return bad(err, "order of orders");
    }
    h->orders[h->order_cnt++] = (struct st_order){
        .id = row->order_id,
        .quantity = row->quantity,
        .filled = row->cum_quantity,
        .price = row->price,
        .leg = leg,
        .side = row->side,
        .type = row->type,
        .terms = row->terms,
        .canceling = row->flags & CANCEL_IN_FLIGHT ? ST_CANCEL_SAID
                     : row->flags & CANCEL_WAITS   ? ST_CANCEL_WAITS
                                                   : ST_CANCEL_NONE,
        .cancel_reason = row->cancel_reason,
        .told = row->flags & TOLD ? 1 : 0,
        .amending = row->flags & AMENDING ? 1 : 0,
    };
    return 0;
}

/* load_held takes back one position of the account. */
static int load_held(struct st_host *h, const struct msg_position_row *row, struct rt_error *err) {
    if (h->held_cnt == h->held_max || row->instrument < 1 ||
        row->instrument > h->market->instrument_cnt || row->account != h->account) {
        return bad(err, "position");
    }
    h->held[h->held_cnt++] = (struct st_held){ .quantity = row->quantity,
                                               .cost = row->cost,
                                               .instrument = row->instrument,
                                               .owner = row->owner };
    if (row->position_side == POSITION_SIDE_SHORT) {
        h->held[h->held_cnt - 1].instrument |= ST_HELD_SHORT;
    }
    return 0;
}

/* load_piece takes back a piece of the class's state; the last one completes it. */
static int load_piece(struct st_host *h, const struct msg_strategy_row *row, struct rt_error *err) {
    if (row->used < 1 || row->used > PIECE_BYTES || row->at > h->blob_bytes ||
        row->used > h->blob_bytes - row->at) {
        return bad(err, "state");
    }
    uint8_t *to = h->cls->snapshot ? h->scratch : h->class_state;
    memcpy(to + row->at, (const uint8_t *)row + offsetof(struct msg_strategy_row, w0), row->used);
    h->blob_got += row->used;
    if (!h->cls->snapshot || h->blob_got < h->blob_bytes) return 0;
    if (h->cls->restore(h->class_state, h->scratch, h->blob_bytes) < 0) return bad(err, "state");
    return 0;
}

/* load_guard takes back a piece of a guard. */
static int load_guard(struct st_host *h, uint64_t key, const struct msg_strategy_row *row,
                      struct rt_error *err) {
    const uint64_t leg = (key - GUARD_KEY) >> 32;
    if (h->guards == NULL || leg >= h->leg_cnt || row->used < 1 || row->used > PIECE_BYTES ||
        row->at > GUARD_BYTES || row->used > GUARD_BYTES - row->at) {
        return bad(err, "guard");
    }
    struct data_guard *g = &h->guards[leg];
    memcpy((uint8_t *)g + GUARD_FROM + row->at,
           (const uint8_t *)row + offsetof(struct msg_strategy_row, w0), row->used);
    return g->place < g->options.window ? 0 : bad(err, "guard");
}

int st_host_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                 struct rt_error *err) {
    struct st_host *h = state;
    if (kind == MSG_COUNTER_ROW && bytes == sizeof(struct msg_counter_row)) {
        return load_counter(h, row, err);
    }
    if (kind == MSG_ORDER_ROW && bytes == sizeof(struct msg_order_row)) {
        return load_order(h, row, err);
    }
    if (kind == MSG_POSITION_ROW && bytes == sizeof(struct msg_position_row)) {
        return load_held(h, row, err);
    }
    if (kind == MSG_BAR && bytes == sizeof(struct msg_bar)) {
        const struct msg_bar *bar = row;
        if (key >= (uint64_t)h->leg_cnt * h->longer_cnt ||
            bar->interval_ns != h->longer_ns[key % h->longer_cnt] ||
            bar->instrument != h->legs[key / h->longer_cnt].in->id) {
            return bad(err, "longer bar");
        }
        memcpy(&h->longer[key].bar, bar, sizeof *bar);
        h->longer[key].open = true;
        return 0;
    }
    if (kind == MSG_STRATEGY_ROW && bytes == sizeof(struct msg_strategy_row)) {
        return key >= GUARD_KEY ? load_guard(h, key, row, err) : load_piece(h, row, err);
    }
    if (kind == MSG_BOOK_LEVEL_ROW && bytes == sizeof(struct msg_book_level_row)) {
        uint64_t leg = key >> 32;
        if (leg < h->leg_cnt && h->legs[leg].book != NULL &&
            mk_book_rows_level(h->legs[leg].book, row)) {
            return 0;
        }
        return bad(err, "level");
    }
    return bad(err, "row");
}
