#include "actors/data/recording.h"
#include "actors/dialect/binance/stream.h"
#include "actors/dialect/bybit/stream.h"
#include "schemas/messages.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* A recording being read. */
struct reading {
    struct data_table *const *t;   /* where rows go, by enum data_recording_table */
    struct data_quality *const *q; /* where faults go */
    struct dl_event event;         /* of the line in hand */
    uint64_t line;                 /* its number */
    int64_t local_ns;              /* when the recorder had it, DATA_NOT_TOLD = not told */
    int64_t ahead_ns;              /* venue's time less the recorder's, last known */
    bool ahead;                    /* it is known */
    bool waits;                    /* a snapshot is still to come: diffs are held back */
    bool whole;                    /* the book stands */
    bool joined;                   /* a diff has followed the snapshot */
    int64_t id;                    /* last update id of the book */
    struct data_table late;        /* rows of diffs held back */
};

bool data_recording_is(const char *text, size_t cnt) {
    size_t i = 0;
    while (i < cnt && i < 20 && text[i] >= '0' && text[i] <= '9') i++;
    if (i >= 16 && i <= 19 && i + 1 < cnt && text[i] == ' ' && text[i + 1] == '{') return true;
    return cnt > 10 && text[0] == '{' && text[1] == '"';
}

/* delay_put writes how much later the recorder had a row; 0 is not told, so a delay of none is
 * 1. */
static void delay_put(struct reading *r, struct data_table *t, uint64_t row, uint32_t column,
                      int64_t time_ns) {
    if (r->local_ns == DATA_NOT_TOLD) return;
    int64_t ns = r->local_ns - time_ns, us = ns / 1000 - (ns % 1000 < 0); /* rounded down */
    int32_t kept = us > INT32_MAX ? INT32_MAX : us < INT32_MIN ? INT32_MIN : (int32_t)us;
    if (kept == 0) kept = 1;
    memcpy(t->column[column] + row * 4, &kept, 4);
}

/* event_time returns the venue's time of the event in hand. */
static int64_t event_time(struct reading *r) {
    const int64_t told = r->event.time_ns;
    if (told != DL_NOT_TOLD && r->local_ns != DATA_NOT_TOLD) {
        r->ahead_ns = told - r->local_ns;
        r->ahead = true;
    }
    if (told != DL_NOT_TOLD) return told;
    const int64_t day_ns = 86400000000000LL; /* clocks further apart tell nothing */
    const bool near = r->ahead && r->ahead_ns < day_ns && r->ahead_ns > -day_ns;
    return r->local_ns + (near ? r->ahead_ns : 0);
}

/* row_add adds a row of time_ns to table which, not before the row above it. */
static uint64_t row_add(struct reading *r, struct data_table *t, int which, int64_t time_ns) {
    if (t->cnt > 0 && data_time(t, t->cnt - 1) > time_ns) {
        struct data_quality *q = r->q[which];
        if (r->event.time_ns != DL_NOT_TOLD) { /* one that was reckoned is no fault of the data */
            data_fault_add(q, DATA_FAULT_ORDER, DATA_SORT, r->line, time_ns,
                           "%.3f ms before the row above: takes its time",
                           (double)(data_time(t, t->cnt - 1) - time_ns) / 1e6);
        }
        time_ns = data_time(t, t->cnt - 1);
    }
    const uint64_t row = data_table_add(t, r->line);
    data_i64_put(t, row, 0, time_ns);
    return row;
}

/* levels_add adds the levels of the book's event in hand to t. */
static int levels_add(struct reading *r, struct data_table *t, uint8_t flags,
                      struct rt_error *err) {
    const struct dl_event *e = &r->event;
    const int64_t time_ns = event_time(r);
    const size_t cnt = e->level_cnt > 0 ? e->level_cnt : 1;
    int rc = data_table_reserve(t, cnt, err);
    for (size_t i = 0; rc == 0 && i < cnt; i++) {
        const uint64_t row = row_add(r, t, DATA_RECORDED_DEPTH, time_ns);
        const struct dl_level none = { 0 }, *l = e->level_cnt > 0 ? &e->levels[i] : &none;
        data_i64_put(t, row, DATA_DEPTH_FIRST, e->first_id);
        data_i64_put(t, row, DATA_DEPTH_FINAL, e->id);
        data_i64_put(t, row, DATA_DEPTH_PREV, e->prev_id);
        data_i64_put(t, row, DATA_DEPTH_PRICE, l->price);
        data_i64_put(t, row, DATA_DEPTH_QUANTITY, l->quantity);
        t->column[DATA_DEPTH_SIDE][row] = l->side;
        t->column[DATA_DEPTH_FLAGS][row] = (uint8_t)(flags | (i == 0 ? BOOK_FLAGS_FIRST : 0) |
                                                     (i + 1 == cnt ? BOOK_FLAGS_LAST : 0));
        delay_put(r, t, row, DATA_DEPTH_DELAY, time_ns);
    }
    return rc;
}

/* diff_old tells whether the book has a diff with these numbers already. */
static bool diff_old(const struct reading *r, int64_t last, int64_t prev) {
    return prev != DL_NOT_TOLD ? last < r->id : last <= r->id; /* USD-M's first may end at it */
}

/* held_add adds the diffs held back, which follow the snapshot that has just been added. */
static int held_add(struct reading *r, struct rt_error *err) {
    struct data_table *t = r->t[DATA_RECORDED_DEPTH];
    int rc = data_table_reserve(t, r->late.cnt, err);
    for (uint64_t i = 0; rc == 0 && i < r->late.cnt; i++) {
        if (diff_old(r, data_i64(&r->late, i, DATA_DEPTH_FINAL),
                     data_i64(&r->late, i, DATA_DEPTH_PREV)))
            continue;
        const uint64_t row = data_table_add(t, 0);
        data_table_copy(t, row, &r->late, i);
        const int64_t above = data_time(t, row - 1);
        if (data_time(t, row) < above)
            data_i64_put(t, row, 0, above); /* sent before, holds after */
        r->joined = true;
    }
    r->late.cnt = 0;
    return rc;
}

/* book_take takes a snapshot or diff. */
static int book_take(struct reading *r, struct rt_error *err) {
    struct data_table *t = r->t[DATA_RECORDED_DEPTH];
    const struct dl_event *e = &r->event;
    if (e->kind == DL_SNAPSHOT) {
        int rc = levels_add(r, t, BOOK_FLAGS_SNAPSHOT, err);
        r->id = e->id;
        r->whole = true;
        r->waits = r->joined = false;
        return rc == 0 ? held_add(r, err) : rc;
    }
    if (!r->whole && r->waits) return levels_add(r, &r->late, 0, err);
    if (r->whole && !r->joined && diff_old(r, e->id, e->prev_id)) return 0;
    int rc = levels_add(r, t, r->whole ? 0 : BOOK_FLAGS_SNAPSHOT, err);
    r->whole = r->joined = true;
    r->id = e->id;
    return rc;
}

/* event_take adds the rows of the event in hand. */
static int event_take(struct reading *r, struct rt_error *err) {
    static const int tables[] = { [DL_TRADE] = DATA_RECORDED_TRADES,
                                  [DL_QUOTE] = DATA_RECORDED_QUOTES,
                                  [DL_MARK] = DATA_RECORDED_MARKS };
    const struct dl_event *e = &r->event;
    if (e->kind == DL_NONE) return 0;
    if (e->kind == DL_SNAPSHOT || e->kind == DL_DIFF) return book_take(r, err);
    const int which = tables[e->kind];
    struct data_table *t = r->t[which];
    int rc = data_table_reserve(t, 1, err);
    if (rc != 0) return rc;
    const int64_t time_ns = event_time(r);
    const uint64_t row = row_add(r, t, which, time_ns);
    switch (e->kind) {
    case DL_TRADE:
        data_i64_put(t, row, DATA_TRADE_ID, e->id);
        data_i64_put(t, row, DATA_TRADE_PRICE, e->price);
        data_i64_put(t, row, DATA_TRADE_QUANTITY, e->quantity);
        t->column[DATA_TRADE_SIDE][row] = e->aggressor;
        delay_put(r, t, row, DATA_TRADE_DELAY, time_ns);
        break;
    case DL_QUOTE:
        data_i64_put(t, row, DATA_QUOTE_ID, e->id);
        data_i64_put(t, row, DATA_QUOTE_BID, e->bid);
        data_i64_put(t, row, DATA_QUOTE_BID_QUANTITY, e->bid_quantity);
        data_i64_put(t, row, DATA_QUOTE_ASK, e->ask);
        data_i64_put(t, row, DATA_QUOTE_ASK_QUANTITY, e->ask_quantity);
        delay_put(r, t, row, DATA_QUOTE_DELAY, time_ns);
        break;
    default:
        data_i64_put(t, row, DATA_MARK_PRICE, e->price);
        data_i64_put(t, row, DATA_MARK_INDEX, e->index);
        data_i64_put(t, row, DATA_MARK_SETTLE, e->settle);
        data_i64_put(t, row, DATA_MARK_RATE, e->rate);
        data_i64_put(t, row, DATA_MARK_NEXT, e->next_ns);
        delay_put(r, t, row, DATA_MARK_DELAY, time_ns);
    }
    return 0;
}

/* line_read reads the local time of a line, if it has one; returns where its frame begins. */
static const char *line_read(struct reading *r, const char *p, const char *end) {
    uint64_t v = 0;
    const char *at = p;
    r->local_ns = DATA_NOT_TOLD;
    for (; at < end && at < p + 19 && *at >= '0' && *at <= '9'; at++) {
        v = v * 10 + (uint64_t)(*at - '0');
    }
    if (at == p || at >= end || *at != ' ') return p;
    const uint64_t unit = at - p <= 13 ? 1000000 : at - p <= 16 ? 1000 : 1;
    if (v < DATA_TIME_END / unit) r->local_ns = (int64_t)(v * unit);
    return at + 1;
}

int data_recording_read(const char *text, size_t cnt, struct data_table *const t[DATA_RECORDED_CNT],
                        struct data_quality *const q[DATA_RECORDED_CNT], char symbol[32],
                        uint64_t *lines, struct rt_error *err) {
    static const char *const streams[] = { "trades", "bookTicker", "depth", "markPrice" };
    struct reading r = { .t = t, .q = q };
    const char *end = text + cnt;
    const bool bybit =
        text[0] == '{' && memmem(text, cnt < 200 ? cnt : 200, "\"topic\"", 7) != NULL;
    uint64_t frames = 0;
    int rc = 0;
    for (int i = 0; i < DATA_RECORDED_CNT; i++) {
        data_table_init(t[i], data_stream_find(streams[i]), 0);
    }
    data_table_init(&r.late, t[DATA_RECORDED_DEPTH]->stream, 0);
    r.waits = memmem(text, cnt, "\"lastUpdateId\"", 14) != NULL;
    symbol[0] = '\0';
    for (const char *p = text; rc == 0 && p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (stop == NULL) stop = end;
        r.line++;
        const char *frame = line_read(&r, p, stop);
        rc = bybit ? bb_stream_parse(frame, (size_t)(stop - frame), &r.event)
                   : bn_stream_parse(frame, (size_t)(stop - frame), &r.event);
        const bool far = r.event.time_ns >= DATA_TIME_END || r.event.next_ns >= DATA_TIME_END;
        if (rc == 0 && far) rc = -EBADMSG;
        const bool timeless = r.event.time_ns == DL_NOT_TOLD && r.local_ns == DATA_NOT_TOLD;
        if (rc == -EBADMSG || (rc == 0 && r.event.kind != DL_NONE && timeless)) {
            data_fault_add(q[0], DATA_FAULT_MALFORMED, q[0]->options.policy[DATA_FAULT_MALFORMED],
                           r.line, DATA_NOT_TOLD, "no frame of a market stream");
            data_note_out(q[0], t[0], UINT64_MAX, r.line, DATA_FAULT_MALFORMED);
            rc = 0;
        } else if (rc == 0) {
            frames += r.event.kind != DL_NONE;
            if (symbol[0] == '\0') memcpy(symbol, r.event.symbol, 32);
            rc = event_take(&r, err);
        }
        p = stop + 1;
    }
    if (rc == -ENOMEM) rc = rt_error_set(err, -ENOMEM, "%s: no memory", q[0]->file);
    if (rc == 0 && frames == 0) rc = rt_error_set(err, -EBADMSG, "%s: no rows", q[0]->file);
    dl_event_fini(&r.event);
    data_table_fini(&r.late);
    *lines = r.line;
    return rc;
}
