#include "actors/report/merge.h"
#include "runtime/boot/engine.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* counts tells whether results are made from kind. */
static bool counts(uint16_t kind) {
    switch (kind & ~MSG_OUT) {
    case MSG_ORDER_INTENT:
    case MSG_ORDER_INTENT_MORE:
    case MSG_ORDER_REPLACE:
    case MSG_ORDER_AMENDED:
    case MSG_ORDER_STATE:
    case MSG_FILL:
    case MSG_POSITION:
    case MSG_FUNDING_FEE:
    case MSG_LIQUIDATION:
    case MSG_DELEVERAGE:
    case MSG_DELIVERY:
    case MSG_VENUE_BALANCE:
    case MSG_FEE_BALANCE:
    case MSG_VENUE_BOOKS:
    case MSG_ALERT:
    case MSG_ACCOUNT_STATE: return (kind & MSG_OUT) != 0;
    default: return false;
    }
}

/* note_decision counts a decision that wanted an order and made none: its reasons are what it was
 * wanted for, and why not. */
static void note_decision(struct report_merge *m, const struct msg_frame *f) {
    const struct msg_decision_packet *p = msg_decision_packet_of(msg_body(f));
    uint32_t cnt;
    const uint16_t *reasons = msg_decision_packet_reasons(p, &cnt);
    if (cnt < 2 || msg_decision_packet_has_order_id(p)) return;
    if (reasons[1] < REPORT_REASONS) m->unplaced[reasons[1]]++;
}

/* note keeps what the run's own records tell. */
static void note(struct report_merge *m, const struct msg_frame *f) {
    if (f->time_ns < m->first_ns) m->first_ns = f->time_ns;
    if (f->time_ns > m->last_ns) m->last_ns = f->time_ns;
    if (f->kind & MSG_OUT) {
        m->said++;
        if (f->kind == (MSG_DECISION_PACKET | MSG_OUT)) note_decision(m, f);
        return;
    }
    m->heard++;
    if (f->kind == MSG_START) { /* on the real clock each shard has its own: the first counts */
        int64_t start_ns = ((const struct msg_start *)msg_body(f))->start_ns;
        if (m->start_ns == INT64_MIN || start_ns < m->start_ns) m->start_ns = start_ns;
    }
    if (f->kind == MSG_STOP) m->stop_reason = ((const struct msg_stop *)msg_body(f))->reason;
    if (f->kind == MSG_COMMAND) m->commands++;
    if (f->kind == MSG_ADVANCE) {
        const struct msg_advance *a = msg_body(f);
        if (a->time_ns > m->last_ns) m->last_ns = a->time_ns;
    }
}

/* lane_next moves a lane to its next record that counts. Returns 0 or negative errno. */
static int lane_next(struct report_merge *m, struct report_lane *l, struct rt_error *err) {
    do {
        l->next = rt_tape_next(&l->tape);
        if (!l->next) return rt_tape_error(&l->tape, err);
        note(m, l->next);
    } while (!counts(l->next->kind));
    return 0;
}

int report_merge_open(struct report_merge *m, const struct rt_run *run, struct rt_error *err) {
    int code = 0;
    *m =
        (struct report_merge){ .first_ns = INT64_MAX, .last_ns = INT64_MIN, .start_ns = INT64_MIN };
    m->lanes = calloc(run->topology->shard_cnt, sizeof *m->lanes);
    if (!m->lanes) return rt_error_set(err, -ENOMEM, "no memory for the results");
    m->lane_cnt = run->topology->shard_cnt;
    for (uint16_t i = 0; i < m->lane_cnt && code == 0; i++) {
        code = rt_run_tape(run, i, 0, &m->lanes[i].tape, err);
        /* Where old segments may be dropped what is left is told of; elsewhere one is missing. */
        if (code == -ENODATA && run->topology->archive_bytes_max > 0) {
            code = rt_run_tape(run, i, RT_TAPE_OLDEST, &m->lanes[i].tape, err);
            m->cut = true;
        }
        m->lanes[i].open = code == 0;
        if (code == 0) code = lane_next(m, &m->lanes[i], err);
    }
    if (code < 0) report_merge_close(m);
    return code;
}

/* keep copies f to the instant's buffer; false without memory. */
static bool keep(struct report_merge *m, const struct msg_frame *f) {
    if (m->bytes_used + f->size > m->bytes_room) {
        size_t room = m->bytes_room ? m->bytes_room * 2 : 1 << 16;
        uint8_t *more = malloc(room);
        if (!more) return false;
        if (m->bytes_used) memcpy(more, m->bytes, m->bytes_used);
        for (size_t i = 0; i < m->cnt; i++)
            m->records[i].frame =
                (const void *)(more + ((const uint8_t *)m->records[i].frame - m->bytes));
        free(m->bytes);
        m->bytes = more;
        m->bytes_room = room;
    }
    if (m->cnt == m->room) {
        size_t room = m->room ? m->room * 2 : 256;
        struct report_record *more = realloc(m->records, room * sizeof *more);
        if (!more) return false;
        m->records = more;
        m->room = room;
    }
    struct msg_frame *to = (struct msg_frame *)(void *)(m->bytes + m->bytes_used);
    memcpy(to, f, f->size);
    to->kind &= (uint16_t)~MSG_OUT;
    m->bytes_used += f->size;
    m->records[m->cnt] = (struct report_record){ to, (uint64_t)f->source << 48 | m->cnt };
    m->cnt++;
    return true;
}

/* by_rank orders records. */
static int by_rank(const void *a, const void *b) {
    uint64_t x = ((const struct report_record *)a)->rank,
             y = ((const struct report_record *)b)->rank;
    return x < y ? -1 : x > y;
}

int report_merge_next(struct report_merge *m, struct rt_error *err) {
    bool any = false;
    m->bytes_used = m->cnt = 0;
    m->time_ns = INT64_MAX;
    for (uint32_t i = 0; i < m->lane_cnt; i++) {
        if (!m->lanes[i].next) continue;
        any = true;
        if (m->lanes[i].next->time_ns < m->time_ns) m->time_ns = m->lanes[i].next->time_ns;
    }
    if (!any) return 0;
    for (uint32_t i = 0; i < m->lane_cnt; i++) {
        struct report_lane *l = &m->lanes[i];
        while (l->next && l->next->time_ns <= m->time_ns) {
            if (!keep(m, l->next)) return rt_error_set(err, -ENOMEM, "no memory for the results");
            int code = lane_next(m, l, err);
            if (code < 0) return code;
        }
    }
    /* nearly always a handful, nearly in order */
    if (m->cnt > 32)
        qsort(m->records, m->cnt, sizeof *m->records, by_rank);
    else
        for (size_t i = 1; i < m->cnt; i++) {
            struct report_record r = m->records[i];
            size_t k = i;
            for (; k > 0 && m->records[k - 1].rank > r.rank; k--) m->records[k] = m->records[k - 1];
            m->records[k] = r;
        }
    return 1;
}

void report_merge_close(struct report_merge *m) {
    for (uint32_t i = 0; i < m->lane_cnt; i++)
        if (m->lanes[i].open) rt_tape_close(&m->lanes[i].tape);
    free(m->lanes);
    free(m->bytes);
    free(m->records);
    *m = (struct report_merge){ 0 };
}
