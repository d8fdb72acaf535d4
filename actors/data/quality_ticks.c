#include "actors/data/commit.h"
#include "actors/data/quality.h"
#include "actors/data/scan.h"
#include "schemas/messages.h"
#include <inttypes.h>
#include <stdlib.h>

enum { CLOCK_US = 20000 /* a recorder's clock so far behind is a fault; less is all clocks' */ };

/* delay_column returns the column that tells how much later the recorder had a row, or -1. */
static int delay_column(const struct data_stream *s) {
    return data_column_find(s, "delay_us");
}

/* clock_check tells a recorder whose clock was behind the venue's: rows that came before they were
 * sent, in more than one of ten. */
static void clock_check(struct data_quality *q, const struct data_table *t) {
    const int c = delay_column(t->stream);
    if (c < 0 || t->cnt == 0) return;
    double *delays = malloc(t->cnt * sizeof *delays);
    if (delays == NULL) return;
    uint64_t cnt = 0, early = 0;
    for (uint64_t row = 0; row < t->cnt; row++) {
        int32_t us;
        memcpy(&us, t->column[c] + row * 4, 4);
        if (us == 0) continue; /* not told */
        delays[cnt++] = us;
        early += us < 0;
    }
    if (cnt > 0) {
        const double middle = data_median(delays, cnt);
        q->delayed = true;
        q->delay_low_us = (int64_t)delays[0];
        q->delay_high_us = (int64_t)delays[cnt - 1];
        q->delay_us = (int64_t)middle;
        if (early * 10 > cnt && middle < -CLOCK_US) {
            data_fault_add(
                q, DATA_FAULT_CLOCK, q->options.policy[DATA_FAULT_CLOCK], 0, DATA_NOT_TOLD,
                "recorder's clock behind the venue's: median %.3f s, %.3f to %.3f s; %.1f "
                "%% of rows",
                middle / 1e6, delays[0] / 1e6, delays[cnt - 1] / 1e6,
                100.0 * (double)early / (double)cnt);
        }
    }
    free(delays);
}

/* jump_check finds places where rows are missing by their numbers or chains. */
static void jump_check(struct data_quality *q, struct data_table *t) {
    const enum data_action action = q->options.policy[DATA_FAULT_GAP];
    const enum data_action taken = action == DATA_REJECT ? DATA_REJECT : DATA_KEEP;
    int64_t last = DATA_NOT_TOLD;
    if (t->stream->gap == DATA_GAP_CHAIN) (void)data_depth_gaps(t);
    for (uint64_t row = 0; row < t->cnt; row++) {
        if (t->stream->gap == DATA_GAP_ID) {
            int64_t id = data_i64(t, row, DATA_TRADE_ID);
            if (last != DATA_NOT_TOLD && id > last + 1) {
                data_fault_add(q, DATA_FAULT_GAP, taken, t->line[row], data_time(t, row),
                               "%" PRId64 " numbers left out before %" PRId64, id - last - 1, id);
                q->gap_rows += (uint64_t)(id - last - 1);
            }
            last = id;
            continue;
        }
        if ((t->column[DATA_DEPTH_FLAGS][row] & BOOK_FLAGS_GAP) == 0) continue;
        data_fault_add(q, DATA_FAULT_GAP, taken, t->line[row], data_time(t, row),
                       "updates missing before %" PRId64, data_i64(t, row, DATA_DEPTH_FIRST));
    }
}

/* row_out tells a fault of a row, and leaves it out when the policy says so. */
static void row_out(struct data_quality *q, const struct data_table *t, uint8_t *keep, uint64_t row,
                    enum data_fault_kind kind, const char *text) {
    const enum data_action action = q->options.policy[kind];
    data_fault_add(q, kind, action, t->line[row], data_time(t, row), "%s", text);
    if ((action != DATA_SKIP && action != DATA_DROP) || !keep[row]) return;
    data_note_out(q, t, row, t->line[row], kind);
    keep[row] = 0;
}

/* cross_check finds quotes whose bid is not below the ask. */
static void cross_check(struct data_quality *q, const struct data_table *t, uint8_t *keep) {
    for (uint64_t row = 0; row < t->cnt; row++) {
        if (data_i64(t, row, DATA_QUOTE_BID) < data_i64(t, row, DATA_QUOTE_ASK)) continue;
        row_out(q, t, keep, row, DATA_FAULT_CROSSED, "bid is not below ask");
    }
}

/* spike_check finds prices far off the five before and the five behind: a fault when the market
 * came back at once. The usual move is the median over a chunk. */
static void spike_check(struct data_quality *q, const struct data_table *t, uint8_t *keep,
                        uint32_t column) {
    double moves[DATA_CHUNK];
    for (uint64_t from = 0; from < t->cnt; from += DATA_CHUNK) {
        const uint64_t end = from + DATA_CHUNK < t->cnt ? from + DATA_CHUNK : t->cnt;
        uint64_t n = 0;
        for (uint64_t row = from > 0 ? from : 1; row < end; row++) {
            double r = (double)data_i64(t, row, column) / (double)data_i64(t, row - 1, column) - 1;
            if (r != 0) moves[n++] = r < 0 ? -r : r; /* most prints do not move it */
        }
        const double usual = data_median(moves, n) * 1.4826;
        const double scale = usual > 0.00005 ? usual : 0.00005;
        for (uint64_t row = from > 0 ? from : 1; row < end && row + 1 < t->cnt; row++) {
            const double p = (double)data_i64(t, row, column);
            const double before = p / (double)data_i64(t, row - 1, column) - 1;
            const double after = p / (double)data_i64(t, row + 1, column) - 1;
            const double least =
                (before < 0 ? -before : before) < (after < 0 ? -after : after) ? before : after;
            const double size = least < 0 ? -least : least;
            char text[100];
            if (before * after <= 0 || size < q->options.spike_z * scale || size < 0.002) continue;
            snprintf(text, sizeof text, "price %+.2f %% off both neighbours, z %.0f", least * 100,
                     size / scale);
            row_out(q, t, keep, row, DATA_FAULT_SPIKE, text);
        }
    }
}

void data_quality_ticks(struct data_quality *q, struct data_table *t, uint8_t *keep) {
    if (t->stream->gap == DATA_GAP_ID || t->stream->gap == DATA_GAP_CHAIN) jump_check(q, t);
    if (t->stream->gap == DATA_GAP_ID) spike_check(q, t, keep, DATA_TRADE_PRICE);
    if (t->stream->row_kind == MSG_QUOTE) cross_check(q, t, keep);
    if (t->stream->row_kind == MSG_MARK_PRICE) spike_check(q, t, keep, DATA_MARK_PRICE);
    clock_check(q, t);
}
