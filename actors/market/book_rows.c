#include "actors/market/book_rows.h"

/* Figures of a book; the numbers stand in snapshots. */
enum figure {
    FIGURE_LOW,       /* low */
    FIGURE_STATE,     /* stale 1, open 2, filling 4, placed 8 */
    FIGURE_UPDATE,    /* update_id */
    FIGURE_TIME,      /* time_ns */
    FIGURE_GAPS,      /* gaps */
    FIGURE_CROSSED,   /* crossed */
    FIGURE_BAD,       /* bad */
    FIGURE_IGNORED,   /* ignored */
    FIGURE_FORGOTTEN, /* forgotten */
};

/* put puts the row of a figure. */
static void put(struct rt_row_sink *sink, uint64_t id, int64_t value) {
    struct msg_counter_row row = { .value = value, .id = id };
    sink->put(sink, MSG_COUNTER_ROW, id, &row, sizeof row);
}

void mk_book_rows_save(const struct mk_book *b, uint16_t instrument, uint64_t counter, uint64_t key,
                       struct rt_row_sink *sink) {
    put(sink, counter + FIGURE_LOW, b->low);
    put(sink, counter + FIGURE_STATE, b->stale | b->open << 1 | b->filling << 2 | b->placed << 3);
    put(sink, counter + FIGURE_UPDATE, (int64_t)b->update_id);
    put(sink, counter + FIGURE_TIME, b->time_ns);
    put(sink, counter + FIGURE_GAPS, (int64_t)b->gaps);
    put(sink, counter + FIGURE_CROSSED, (int64_t)b->crossed);
    put(sink, counter + FIGURE_BAD, (int64_t)b->bad);
    put(sink, counter + FIGURE_IGNORED, (int64_t)b->ignored);
    put(sink, counter + FIGURE_FORGOTTEN, (int64_t)b->forgotten);
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        price_t price = mk_book_best(b, side);
        for (; price != 0; price = mk_book_next(b, side, price)) {
            struct msg_book_level_row row = { .price = price,
                                              .quantity = mk_book_at(b, side, price),
                                              .instrument = instrument,
                                              .side = side };
            sink->put(sink, MSG_BOOK_LEVEL_ROW, key++, &row, sizeof row);
        }
    }
}

bool mk_book_rows_figure(struct mk_book *b, uint64_t figure, int64_t value) {
    switch (figure) {
    case FIGURE_LOW: mk_book_place(b, value); return true;
    case FIGURE_STATE:
        b->stale = value & 1;
        b->open = value & 2;
        b->filling = value & 4;
        b->placed = value & 8;
        return true;
    case FIGURE_UPDATE: b->update_id = (uint64_t)value; return true;
    case FIGURE_TIME: b->time_ns = value; return true;
    case FIGURE_GAPS: b->gaps = (uint64_t)value; return true;
    case FIGURE_CROSSED: b->crossed = (uint64_t)value; return true;
    case FIGURE_BAD: b->bad = (uint64_t)value; return true;
    case FIGURE_IGNORED: b->ignored = (uint64_t)value; return true;
    case FIGURE_FORGOTTEN: b->forgotten = (uint64_t)value; return true;
    default: return false;
    }
}

bool mk_book_rows_level(struct mk_book *b, const struct msg_book_level_row *row) {
    int64_t tick;
    if (row->side > SIDE_SELL || row->quantity <= 0) return false;
    if (!mk_book_tick(b, row->price, &tick)) return false;
    mk_book_put(b, row->side, row->price, row->quantity);
    return true;
}
