/* The venue's state as rows of a snapshot, and back: venue.h. */
#include "actors/market/book_rows.h"
#include "actors/venue/average.h"
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "actors/venue/span.h"
#include "actors/venue/term.h"
#include "actors/venue/venue.h"
#include <errno.h>

/* Flags of order rows beside enum venue_flag. */
enum venue_row_flag {
    ROW_CANCEL = 1,      /* a cancel on its way */
    ROW_CANCEL_ALL = 16, /* a cancel of all on its way */
};

/* Numbers of the counters in snapshots. */
enum venue_counter {
    COUNTER_REQUESTS = 1,         /* venue.requests */
    COUNTER_ACCEPTED = 2,         /* venue.accepted */
    COUNTER_TRADES = 3,           /* venue.trades */
    COUNTER_CLOSED = 4,           /* venue.closed */
    COUNTER_PAYMENTS = 5,         /* venue.payments */
    COUNTER_JOINED_NS = 6,        /* venue.joined_ns */
    COUNTER_JOINED_CNT = 7,       /* venue.joined_cnt */
    COUNTER_JOINED = 16,          /* + its place: venue.joined */
    COUNTER_JOINED_PRICE = 32,    /* + its place: venue.joined_price */
    COUNTER_JOINED_QUANTITY = 48, /* + its place: venue.joined_quantity */
    COUNTER_BAR = 0x10000,        /* + instrument id: venue_book.bar_end_ns */
    COUNTER_LAST = 0x20000,       /* + instrument id: venue_book.last */
    COUNTER_MARK = 0x30000,       /* + instrument id: venue_book.mark */
    COUNTER_DELAY = 0x40000,      /* + instrument id: venue_delay.last_ns */
    COUNTER_FAULTS = 0x50000,     /* + instrument id: venue_delay.faults */
    COUNTER_SENT = 0x60000,       /* + instrument id: venue_book.sent_ns */
    COUNTER_BURN = 0x70000,       /* + account id: venue.burn_held */
    COUNTER_APART = 1 << 25,      /* + account << 16 + instrument id: venue_holding.isolated */
    COUNTER_APART_SHORT = 1 << 28 /* the same of a short in hedge mode */
};

#define MORE_ROW (1ULL << 63) /* in the key of an answer's row: it is one of venue.more */

/* What a row's flags say of a request that is not to place an order, by REQUEST_OP_*. */
static const uint8_t op_flag[] = { 0, ROW_CANCEL, ROW_CANCEL_ALL, ROW_CANCEL | ROW_CANCEL_ALL, 0 };

/* put_terms puts the row of the further terms of an order. */
static void put_terms(const struct venue_order *order, const struct venue_more *m,
                      struct rt_row_sink *sink) {
    struct msg_order_more_row more = { .order_id = order->order_id,
                                       .stop_price = m->terms.stop_price,
                                       .display = m->terms.display,
                                       .activation = m->terms.activation,
                                       .expire_ns = m->terms.expire_ns,
                                       .parent = m->terms.parent,
                                       .oco = m->terms.oco,
                                       .extreme = m->extreme,
                                       .trail_bips = m->terms.trail_bips,
                                       .stp = m->terms.stp,
                                       .working = m->terms.working,
                                       .stage = m->stage };
    sink->put(sink, MSG_ORDER_MORE_ROW, order->seq, &more, sizeof more);
}

/* put_order puts the row of one order, or of a request on its way. */
static void put_order(const struct venue *v, uint32_t idx, struct rt_row_sink *sink) {
    const struct venue_order *order = &v->orders.pool[idx];
    bool flight = order->flags & VENUE_FLIGHT, replaces = order->op == REQUEST_OP_REPLACE;
    struct msg_order_row row = { .order_id = order->order_id,
                                 .venue_order_id = order->venue_order_id,
                                 .price = order->price,
                                 .quantity = order->quantity,
                                 .cum_fee = v->orders.more[idx].amends, /* it has no fees here */
                                 .created_ns = order->from_ns,
                                 .updated_ns = order->from_ns,
                                 .instrument = order->instrument,
                                 .account = order->account,
                                 .side = order->side,
                                 .type = order->type,
                                 .terms = order->terms,
                                 .status = replaces ? ORDER_STATUS_CREATED
                                           : flight ? ORDER_STATUS_SUBMITTED
                                                    : ORDER_STATUS_ACCEPTED,
                                 .flags = order->flags | op_flag[order->op] };
    sink->put(sink, MSG_ORDER_ROW, order->seq, &row, sizeof row);
    const struct mk_charged *charged = venue_charged(v, idx);
    if (charged != NULL && charged->quantity > 0) {
        struct msg_order_charged_row paid = { .order_id = order->order_id,
                                              .quantity = charged->quantity,
                                              .value = charged->value,
                                              .paid = charged->paid };
        sink->put(sink, MSG_ORDER_CHARGED_ROW, order->seq, &paid, sizeof paid);
    }
    const struct venue_more *m = &v->orders.more[idx];
    if (order->flags & VENUE_MORE) put_terms(order, m, sink);
    struct msg_order_part_row part = { .order_id = order->order_id,
                                       .filled = m->filled,
                                       .waits = order->flags & VENUE_MORE ? m->waits : 0 };
    if (replaces) { /* of a request on its way: what it replaces, and how */
        part.filled = (qty_t)m->replaces;
        part.waits = m->anyway;
    }
    if (part.filled == 0 && part.waits == 0) return;
    sink->put(sink, MSG_ORDER_PART_ROW, order->seq, &part, sizeof part);
}

/* put_counter puts the row of a counter that is not zero. */
static void put_counter(struct rt_row_sink *sink, uint64_t id, int64_t value) {
    if (value == 0) return;
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, id, &row, sizeof row);
}

void venue_save(const void *state, struct rt_row_sink *sink) {
    const struct venue *v = state;
    const struct mk_market *m = v->market;
    put_counter(sink, COUNTER_REQUESTS, (int64_t)v->requests);
    put_counter(sink, COUNTER_ACCEPTED, (int64_t)v->accepted);
    put_counter(sink, COUNTER_TRADES, (int64_t)v->trades);
    put_counter(sink, COUNTER_CLOSED, v->closed);
    put_counter(sink, COUNTER_PAYMENTS, (int64_t)v->payments);
    put_counter(sink, COUNTER_JOINED_NS, v->joined_ns);
    put_counter(sink, COUNTER_JOINED_CNT, v->joined_cnt);
    for (uint32_t i = 0; i < m->asset_cnt * VENUE_LEDGER_FIGURES; i++) {
        unsigned __int128 sum =
            (unsigned __int128)v->ledger[i / VENUE_LEDGER_FIGURES].figure[i % VENUE_LEDGER_FIGURES];
        put_counter(sink, VENUE_COUNTER_LEDGER + 2ULL * i, (int64_t)(uint64_t)sum);
        put_counter(sink, VENUE_COUNTER_LEDGER + 2ULL * i + 1, (int64_t)(uint64_t)(sum >> 64));
    }
    for (uint32_t i = 0; i < VENUE_JOINED_MAX; i++) {
        put_counter(sink, COUNTER_JOINED + i, (int64_t)v->joined[i]);
        put_counter(sink, COUNTER_JOINED_QUANTITY + i, v->joined_quantity[i]);
        put_counter(sink, COUNTER_JOINED_PRICE + i, v->joined_price[i]);
    }
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        int64_t end_ns = v->books[i].bar_end_ns;
        struct msg_counter_row row = { .value = end_ns, .id = COUNTER_BAR + i + 1 };
        if (end_ns != INT64_MIN) sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
        const struct venue_delay *delay = &v->books[i].delay;
        row = (struct msg_counter_row){ .value = delay->last_ns, .id = COUNTER_DELAY + i + 1 };
        if (row.value >= 0) sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
        put_counter(sink, COUNTER_FAULTS + i + 1, (int64_t)delay->faults);
        put_counter(sink, COUNTER_SENT + i + 1, v->books[i].sent_ns);
        put_counter(sink, COUNTER_LAST + i + 1, v->books[i].last);
        put_counter(sink, COUNTER_MARK + i + 1, v->books[i].mark);
        if (v->books[i].mark_bar.interval_ns != 0) {
            sink->put(sink, MSG_MARK_BAR, i + 1, &v->books[i].mark_bar,
                      sizeof v->books[i].mark_bar);
        }
    }
    for (uint32_t a = 0; a < m->account_cnt; a++) {
        struct msg_account_row row = { .cash = v->cash[a], .account = (uint8_t)(a + 1) };
        sink->put(sink, MSG_ACCOUNT_ROW, a + 1, &row, sizeof row);
        if (m->accounts[a].burn.on) { /* zero is told too: it is not what was deposited */
            struct msg_counter_row burn = { .value = v->burn_held[a], .id = COUNTER_BURN + a + 1 };
            sink->put(sink, MSG_COUNTER_ROW, burn.id, &burn, sizeof burn);
        }
        for (uint32_t i = 0; i < m->instrument_cnt; i++) {
            const struct venue_holding *h = &v->holdings[(size_t)a * m->instrument_cnt + i];
            if (h->quantity == 0 && h->cost == 0) continue;
            struct msg_position_row held = { .quantity = h->quantity,
                                             .cost = h->cost,
                                             .instrument = (uint16_t)(i + 1),
                                             .account = (uint8_t)(a + 1) };
            uint64_t key = (uint64_t)(a + 1) << 16 | (i + 1);
            sink->put(sink, MSG_POSITION_ROW, key, &held, sizeof held);
            put_counter(sink, COUNTER_APART + key, h->isolated);
        }
        for (uint32_t i = 0; i < m->instrument_cnt && m->accounts[a].hedge; i++) {
            const struct venue_holding *h = &v->shorts[(size_t)a * m->instrument_cnt + i];
            if (h->quantity == 0 && h->cost == 0) continue;
            struct msg_position_row held = { .quantity = h->quantity,
                                             .cost = h->cost,
                                             .instrument = (uint16_t)(i + 1),
                                             .account = (uint8_t)(a + 1),
                                             .position_side = POSITION_SIDE_SHORT };
            uint64_t key = (uint64_t)(a + 1) << 16 | (i + 1);
            sink->put(sink, MSG_POSITION_ROW, UINT64_C(1) << 32 | key, &held, sizeof held);
            put_counter(sink, COUNTER_APART_SHORT + key, h->isolated);
        }
    }
    uint32_t cnt = rt_map_sorted(&v->orders.by_id, v->sorted);
    for (uint32_t i = 0; i < cnt; i++) put_order(v, v->sorted[i].value, sink);
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        for (uint32_t k = v->books[i].flight_head; k != VENUE_NONE; k = v->orders.pool[k].next) {
            put_order(v, k, sink);
        }
    }
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        if (v->depths[i] != NULL) venue_depth_save(v, &v->books[i], sink);
        if (v->crowds[i] != NULL) venue_crowd_save(v, &v->books[i], sink);
        if (v->books[i].average != NULL) {
            venue_average_save(v->books[i].average, (uint16_t)(i + 1), sink);
        }
        if (v->books[i].term != NULL) venue_term_save(&v->books[i], sink);
        if (v->books[i].span != NULL) {
            venue_span_save(v->books[i].span, (uint16_t)(i + 1), sink);
        }
    }
    venue_rules_save(v, sink);
    venue_fees_save(&v->fees, m, sink);
    for (uint64_t n = v->answers.first; n != v->answers.next; n++) {
        const struct msg_answer_row *row = &v->answers.rows[n & (v->answers.max - 1)];
        sink->put(sink, MSG_ANSWER_ROW, n, row, sizeof *row);
    }
    for (uint64_t n = v->more.first; n != v->more.next; n++) {
        const struct msg_answer_row *row = &v->more.rows[n & (v->more.max - 1)];
        sink->put(sink, MSG_ANSWER_ROW, n | MORE_ROW, row, sizeof *row);
    }
}

/* load_order takes back the row of an order or a request on its way. */
static int load_order(struct venue *v, uint64_t seq, const struct msg_order_row *row,
                      struct rt_error *err) {
    uint8_t op = row->flags & ROW_CANCEL_ALL && row->flags & ROW_CANCEL ? REQUEST_OP_AMEND
                 : row->flags & ROW_CANCEL_ALL                          ? REQUEST_OP_CANCEL_ALL
                 : row->flags & ROW_CANCEL                              ? REQUEST_OP_CANCEL
                 : row->status == ORDER_STATUS_CREATED                  ? REQUEST_OP_REPLACE
                                                                        : REQUEST_OP_PLACE;
    bool flight = row->flags & VENUE_FLIGHT, place = venue_places(op);
    bool fits = row->instrument >= 1 && row->instrument <= v->market->instrument_cnt &&
                row->account <= v->market->account_cnt && (place || flight) &&
                (flight || row->order_id != 0) && (!place || v->orders.cnt < v->orders.max);
    uint32_t idx = fits ? venue_orders_take(&v->orders) : VENUE_NONE;
    int rc = idx == VENUE_NONE ? -EINVAL : 0;
    if (rc == 0) {
        struct venue_book *b = &v->books[row->instrument - 1];
        v->orders.pool[idx] = (struct venue_order){
            .order_id = row->order_id,
            .venue_order_id = row->venue_order_id,
            .seq = seq,
            .price = row->price,
            .quantity = row->quantity,
            .from_ns = row->created_ns,
            .instrument = row->instrument,
            .account = row->account,
            .side = row->side,
            .type = row->type,
            .terms = row->terms,
            .flags = row->flags & (VENUE_LEAVES | VENUE_EAGER | VENUE_FLIGHT | VENUE_FORCED |
                                   VENUE_MORE | VENUE_LAPSES | VENUE_ENDS),
            .op = op,
        };
        v->orders.more[idx] =
            (struct venue_more){ .stage = VENUE_FRESH, .amends = (uint32_t)row->cum_fee };
        v->orders.cnt += place;
        if (flight) {
            venue_orders_send(&v->orders, b, idx);
        } else {
            rc = venue_orders_open(&v->orders, b, idx);
        }
        if (rc == 0 && !flight) {
            venue_locks_put(v, b, idx);
            venue_locks_told(v, b, row->account);
        }
    }
    if (rc == 0) {
        struct venue_book *b = &v->books[row->instrument - 1];
        b->heard = venue_wants(b); /* interests come back by themselves */
        return 0;
    }
    return rt_error_set(err, rc,
                        "venue: order row %llu makes no sense, or orders_max is smaller "
                        "than when it was saved",
                        (unsigned long long)seq);
}

/* slot_of returns the slot of the order, or of the request on its way, that is numbered seq. */
static uint32_t slot_of(const struct venue *v, uint64_t seq, uint64_t order_id) {
    uint32_t idx = venue_orders_find(&v->orders, order_id);
    if (idx != VENUE_NONE && v->orders.pool[idx].seq == seq) return idx;
    idx = VENUE_NONE;
    for (uint32_t i = 0; i < v->market->instrument_cnt && idx == VENUE_NONE; i++) {
        idx = v->books[i].flight_head;
        while (idx != VENUE_NONE && v->orders.pool[idx].seq != seq) idx = v->orders.pool[idx].next;
    }
    return idx;
}

/* load_part takes back what of the order numbered seq has traded, and what waits; of a request to
 * replace what it replaces. */
static bool load_part(struct venue *v, uint64_t seq, const struct msg_order_part_row *row) {
    uint32_t idx = slot_of(v, seq, row->order_id);
    if (idx == VENUE_NONE) return false;
    struct venue_more *m = &v->orders.more[idx];
    const struct venue_order *o = &v->orders.pool[idx];
    if (o->op == REQUEST_OP_REPLACE) {
        m->replaces = (uint64_t)row->filled;
        m->anyway = row->waits != 0;
        return true;
    }
    m->filled = row->filled;
    m->waits = row->waits;
    if (o->flags & VENUE_FLIGHT) return true;
    struct venue_book *b = &v->books[o->instrument - 1];
    venue_locks_again(v, b, o->account);
    venue_locks_told(v, b, o->account);
    return true;
}

/* load_more takes back the further terms of the order numbered seq. */
static bool load_more(struct venue *v, uint64_t seq, const struct msg_order_more_row *row) {
    uint32_t idx = slot_of(v, seq, row->order_id);
    if (idx == VENUE_NONE || !(v->orders.pool[idx].flags & VENUE_MORE)) return false;
    v->orders.more[idx] = (struct venue_more){ .terms = { .stop_price = row->stop_price,
                                                          .display = row->display,
                                                          .activation = row->activation,
                                                          .expire_ns = row->expire_ns,
                                                          .parent = row->parent,
                                                          .oco = row->oco,
                                                          .trail_bips = row->trail_bips,
                                                          .stp = row->stp,
                                                          .working = row->working },
                                               .extreme = row->extreme,
                                               .stage = row->stage };
    if (!(v->orders.pool[idx].flags & VENUE_FLIGHT)) {
        struct venue_book *b = &v->books[v->orders.pool[idx].instrument - 1];
        venue_locks_again(v, b, v->orders.pool[idx].account);
        venue_locks_told(v, b, v->orders.pool[idx].account);
    }
    return true;
}

/* load_counter takes back the row of a counter. */
static int load_counter(struct venue *v, const struct msg_counter_row *row, struct rt_error *err) {
    switch (row->id) {
    case COUNTER_REQUESTS: v->requests = (uint64_t)row->value; return 0;
    case COUNTER_ACCEPTED: v->accepted = (uint64_t)row->value; return 0;
    case COUNTER_TRADES: v->trades = (uint64_t)row->value; return 0;
    case COUNTER_CLOSED: v->closed = row->value != 0; return 0;
    case COUNTER_PAYMENTS: v->payments = (uint64_t)row->value; return 0;
    case COUNTER_JOINED_NS: v->joined_ns = row->value; return 0;
    case COUNTER_JOINED_CNT: v->joined_cnt = (uint32_t)row->value; return 0;
    default: break;
    }
    if (row->id >= COUNTER_JOINED && row->id < COUNTER_JOINED + VENUE_JOINED_MAX) {
        v->joined[row->id - COUNTER_JOINED] = (uint64_t)row->value;
        return 0;
    }
    if (row->id >= COUNTER_JOINED_QUANTITY &&
        row->id < COUNTER_JOINED_QUANTITY + VENUE_JOINED_MAX) {
        v->joined_quantity[row->id - COUNTER_JOINED_QUANTITY] = row->value;
        return 0;
    }
    if (row->id >= COUNTER_JOINED_PRICE && row->id < COUNTER_JOINED_PRICE + VENUE_JOINED_MAX) {
        v->joined_price[row->id - COUNTER_JOINED_PRICE] = row->value;
        return 0;
    }
    if (row->id >> 24 == COUNTER_APART_SHORT >> 24) {
        uint64_t of = row->id & 0xffff, whose = row->id >> 16 & 0xff;
        if (of >= 1 && of <= v->market->instrument_cnt && whose >= 1 &&
            whose <= v->market->account_cnt) {
            v->shorts[(whose - 1) * v->market->instrument_cnt + of - 1].isolated = row->value;
            return 0;
        }
    }
    uint64_t books = row->id - VENUE_COUNTER_LEDGER;
    if (row->id >= VENUE_COUNTER_LEDGER &&
        books / 2 < (uint64_t)v->market->asset_cnt * VENUE_LEDGER_FIGURES) {
        __int128 *sum =
            &v->ledger[books / 2 / VENUE_LEDGER_FIGURES].figure[books / 2 % VENUE_LEDGER_FIGURES];
        *sum += (__int128)((unsigned __int128)(uint64_t)row->value << (books % 2 == 1 ? 64 : 0));
        return 0;
    }
    if (venue_fees_load(&v->fees, v->market, row->id, row->value)) return 0;
    if (row->id >= VENUE_COUNTER_TERM) {
        const uint64_t at = row->id - VENUE_COUNTER_TERM, of = at / VENUE_TERM_FIGURES;
        struct venue_book *b =
            of >= 1 && of <= v->market->instrument_cnt ? &v->books[of - 1] : NULL;
        if (b != NULL && venue_term_load(b, at % VENUE_TERM_FIGURES, row->value)) return 0;
    } else if (row->id >= VENUE_COUNTER_AVERAGE) {
        const uint64_t at = row->id - VENUE_COUNTER_AVERAGE;
        const uint64_t id = at / VENUE_AVERAGE_FIGURES >> 16;
        struct venue_average *a =
            id >= 1 && id <= v->market->instrument_cnt ? v->books[id - 1].average : NULL;
        uint64_t place = at - (id << 16) * VENUE_AVERAGE_FIGURES;
        if (a != NULL && venue_average_load(a, place, row->value)) return 0;
    }
    if (row->id >= VENUE_COUNTER_RULES && venue_rules_load(v, row->id, row->value)) return 0;
    if (row->id >= VENUE_COUNTER_CROWD) {
        uint64_t at = (row->id - VENUE_COUNTER_CROWD) / VENUE_CROWD_FIGURES;
        uint32_t figure = row->id % VENUE_CROWD_FIGURES;
        struct venue_crowd *c =
            at >= 1 && at <= v->market->instrument_cnt ? v->crowds[at - 1] : NULL;
        if (c != NULL && venue_crowd_counter(c, figure, row->value)) return 0;
    }
    uint64_t of = row->id & ~UINT64_C(0xffff), id = row->id & 0xffff,
             account = (row->id >> 16) & 0xff;
    bool known = id >= 1 && id <= v->market->instrument_cnt;
    struct venue_book *b = known ? &v->books[id - 1] : NULL;
    if (known && row->id >> 25 == 1 && account >= 1 && account <= v->market->account_cnt) {
        size_t at = (size_t)(account - 1) * v->market->instrument_cnt + id - 1;
        v->holdings[at].isolated = row->value;
        return 0;
    }
    if (of == COUNTER_BURN && id >= 1 && id <= v->market->account_cnt && row->value >= 0) {
        v->burn_held[id - 1] = row->value;
        return 0;
    }
    if (known && of == COUNTER_BAR) {
        b->bar_end_ns = row->value;
        return 0;
    }
    if (known && of == COUNTER_LAST) {
        b->last = row->value;
        return 0;
    }
    if (known && of == COUNTER_MARK) {
        b->mark = row->value;
        return 0;
    }
    if (known && of == COUNTER_DELAY) {
        b->delay.last_ns = row->value;
        return 0;
    }
    if (known && of == COUNTER_FAULTS) {
        b->delay.faults = (uint64_t)row->value;
        return 0;
    }
    if (known && of == COUNTER_SENT) {
        b->sent_ns = row->value;
        return 0;
    }
    id = row->id < VENUE_COUNTER_DEPTH ? 0 : (row->id - VENUE_COUNTER_DEPTH) / MK_BOOK_FIGURES;
    if (id >= 1 && id <= v->market->instrument_cnt && v->depths[id - 1] != NULL &&
        venue_depth_counter(v, &v->books[id - 1], row->id % MK_BOOK_FIGURES, row->value)) {
        return 0;
    }
    return rt_error_set(err, -EINVAL, "venue: counter %llu is unknown",
                        (unsigned long long)row->id);
}

int venue_load(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
               struct rt_error *err) {
    struct venue *v = state;
    const struct mk_market *m = v->market;
    if (kind == MSG_ORDER_ROW && bytes == sizeof(struct msg_order_row)) {
        return load_order(v, key, row, err);
    }
    if (kind == MSG_COUNTER_ROW && bytes == sizeof(struct msg_counter_row)) {
        return load_counter(v, row, err);
    }
    if (kind == MSG_ORDER_MORE_ROW && bytes == sizeof(struct msg_order_more_row)) {
        if (load_more(v, key, row)) return 0;
    }
    if (kind == MSG_ORDER_PART_ROW && bytes == sizeof(struct msg_order_part_row)) {
        if (load_part(v, key, row)) return 0;
    }
    if (kind == MSG_ORDER_CHARGED_ROW && bytes == sizeof(struct msg_order_charged_row)) {
        const struct msg_order_charged_row *c = row;
        uint32_t idx = venue_orders_find(&v->orders, c->order_id);
        if (idx != VENUE_NONE && v->charged != NULL) {
            v->charged[idx] =
                (struct mk_charged){ .quantity = c->quantity, .value = c->value, .paid = c->paid };
            return 0;
        }
    }
    if (kind == MSG_SPAN_ROW && bytes == sizeof(struct msg_span_row)) {
        const struct msg_span_row *s = row;
        bool known = s->instrument >= 1 && s->instrument <= m->instrument_cnt;
        struct venue_span *span = known ? v->books[s->instrument - 1].span : NULL;
        if (span != NULL && venue_span_load(span, s)) return 0;
    }
    if (kind == MSG_MARK_BAR && bytes == sizeof(struct msg_mark_bar) && key >= 1 &&
        key <= m->instrument_cnt) {
        v->books[key - 1].mark_bar = *(const struct msg_mark_bar *)row;
        return 0;
    }
    if (kind == MSG_ACCOUNT_ROW && bytes == sizeof(struct msg_account_row)) {
        const struct msg_account_row *a = row;
        if (a->account >= 1 && a->account <= m->account_cnt) {
            v->cash[a->account - 1] = a->cash;
            return 0;
        }
    }
    if (kind == MSG_POSITION_ROW && bytes == sizeof(struct msg_position_row)) {
        const struct msg_position_row *p = row;
        if (p->account >= 1 && p->account <= m->account_cnt && p->instrument >= 1 &&
            p->instrument <= m->instrument_cnt) {
            size_t at = (size_t)(p->account - 1) * m->instrument_cnt + p->instrument - 1;
            struct venue_book *b = &v->books[p->instrument - 1];
            bool is_short = p->position_side == POSITION_SIDE_SHORT;
            struct venue_holding *h = is_short ? &v->shorts[at] : &v->holdings[at];
            bool other = is_short && v->holdings[at].quantity != 0; /* counted with the long */
            h->quantity = p->quantity;
            h->cost = p->cost;
            if (p->quantity != 0 && !other) venue_count_held(v, b, p->account, true);
            b->heard = venue_wants(b);
            return 0;
        }
    }
    if (kind == MSG_BOOK_LEVEL_ROW && bytes == sizeof(struct msg_book_level_row)) {
        const struct msg_book_level_row *l = row;
        bool known = l->instrument >= 1 && l->instrument <= m->instrument_cnt;
        struct venue_depth *d = known ? v->depths[l->instrument - 1] : NULL;
        if (d != NULL && venue_depth_level(d, l)) return 0;
    }
    if (kind == MSG_BOOK_ORDER_ROW && bytes == sizeof(struct msg_book_order_row)) {
        const struct msg_book_order_row *o = row;
        bool known = o->instrument >= 1 && o->instrument <= m->instrument_cnt;
        struct venue_depth *d = known ? v->depths[o->instrument - 1] : NULL;
        if (d != NULL && venue_depth_order(d, o)) return 0;
    }
    if (kind == MSG_QUEUE_ROW && bytes == sizeof(struct msg_queue_row)) {
        const struct msg_queue_row *q = row;
        uint32_t idx = venue_orders_find(&v->orders, q->order_id);
        struct venue_book *b =
            idx == VENUE_NONE ? NULL : &v->books[v->orders.pool[idx].instrument - 1];
        if (b != NULL && b->driver == VENUE_DEPTH && venue_depth_rest(v, b, idx, q)) return 0;
    }
    if (kind == MSG_QUOTE && bytes == sizeof(struct msg_quote) && key >= 1 &&
        key <= m->instrument_cnt && v->crowds[key - 1] != NULL) {
        v->crowds[key - 1]->told = *(const struct msg_quote *)row;
        return 0;
    }
    if (kind == MSG_ENGINE_ROW && bytes == sizeof(struct msg_engine_row)) {
        const struct msg_engine_row *e = row;
        bool known = e->instrument >= 1 && e->instrument <= m->instrument_cnt;
        struct venue_crowd *c = known ? v->crowds[e->instrument - 1] : NULL;
        if (c != NULL && venue_crowd_row(c, key & UINT32_MAX, e)) return 0;
    }
    if (kind == MSG_ANSWER_ROW && bytes == sizeof(struct msg_answer_row)) {
        struct venue_answers *a = key & MORE_ROW ? &v->more : &v->answers;
        if (venue_answers_load(a, key & ~MORE_ROW, row)) return 0;
    }
    return rt_error_set(err, -EINVAL, "venue: row of kind %u with key %llu makes no sense",
                        (unsigned)kind, (unsigned long long)key);
}
