#include "actors/venue/answers.h"
#include <assert.h>

enum { FRAME_BYTES = 128 }; /* room that one answer needs, and more */

/* say says the answer in row. */
static void say(struct rt_ctx *ctx, const struct msg_answer_row *row) {
    if (row->kind == MSG_VENUE_STATUS) {
        struct msg_venue_status *s = rt_say(ctx, MSG_VENUE_STATUS, 0, sizeof *s);
        *s = (struct msg_venue_status){ .order_id = row->order_id,
                                        .venue_order_id = row->number,
                                        .quantity = row->quantity,
                                        .instrument = row->instrument,
                                        .account = row->account,
                                        .status = row->status,
                                        .reason = row->reason };
        return;
    }
    if (row->kind == MSG_VENUE_AMENDED) {
        struct msg_venue_amended *m = rt_say(ctx, MSG_VENUE_AMENDED, 0, sizeof *m);
        *m = (struct msg_venue_amended){ .order_id = row->order_id,
                                         .price = row->price,
                                         .quantity = row->quantity,
                                         .stop_price = (int64_t)row->number,
                                         .instrument = row->instrument,
                                         .reason = row->reason,
                                         .account = row->account,
                                         .asked = row->status };
        return;
    }
    struct msg_venue_fill *f = rt_say(ctx, MSG_VENUE_FILL, 0, sizeof *f);
    *f = (struct msg_venue_fill){ .order_id = row->order_id,
                                  .trade_id = row->number,
                                  .price = row->price,
                                  .quantity = row->quantity,
                                  .fee = row->fee,
                                  .slippage = row->slippage,
                                  .instrument = row->instrument,
                                  .fee_asset = row->fee_asset,
                                  .account = row->account,
                                  .liquidity = row->liquidity };
}

/* push files row behind the others. */
static void push(struct rt_ctx *ctx, struct venue_answers *a, const struct msg_answer_row *row) {
    assert(a->max > 0);
    if (a->next - a->first == a->max) say(ctx, &a->rows[a->first++ & (a->max - 1)]);
    a->rows[a->next++ & (a->max - 1)] = *row;
}

void venue_answers_status(struct rt_ctx *ctx, struct venue_answers *a,
                          const struct msg_venue_status *s, int64_t due_ns) {
    struct msg_answer_row row = { .due_ns = due_ns,
                                  .order_id = s->order_id,
                                  .number = s->venue_order_id,
                                  .quantity = s->quantity,
                                  .kind = MSG_VENUE_STATUS,
                                  .instrument = s->instrument,
                                  .reason = s->reason,
                                  .account = s->account,
                                  .status = s->status };
    push(ctx, a, &row);
}

void venue_answers_fill(struct rt_ctx *ctx, struct venue_answers *a, const struct msg_venue_fill *f,
                        int64_t due_ns) {
    struct msg_answer_row row = { .due_ns = due_ns,
                                  .order_id = f->order_id,
                                  .number = f->trade_id,
                                  .price = f->price,
                                  .quantity = f->quantity,
                                  .fee = f->fee,
                                  .slippage = f->slippage,
                                  .kind = MSG_VENUE_FILL,
                                  .instrument = f->instrument,
                                  .fee_asset = f->fee_asset,
                                  .account = f->account,
                                  .liquidity = f->liquidity };
    push(ctx, a, &row);
}

void venue_answers_amended(struct rt_ctx *ctx, struct venue_answers *a,
                           const struct msg_venue_amended *m, int64_t due_ns) {
    struct msg_answer_row row = { .due_ns = due_ns,
                                  .order_id = m->order_id,
                                  .number = (uint64_t)m->stop_price,
                                  .price = m->price,
                                  .quantity = m->quantity,
                                  .kind = MSG_VENUE_AMENDED,
                                  .instrument = m->instrument,
                                  .reason = m->reason,
                                  .account = m->account,
                                  .status = m->asked };
    push(ctx, a, &row);
}

void venue_answers_tell(struct rt_ctx *ctx, struct venue_answers *a, int64_t until_ns, uint32_t max,
                        uint64_t key) {
    for (uint32_t said = 0; a->first != a->next; said++) {
        const struct msg_answer_row *row = &a->rows[a->first & (a->max - 1)];
        bool due = row->due_ns <= until_ns;
        if (!due || said == max || ctx->out_end - ctx->out < FRAME_BYTES) {
            rt_timer_set(ctx, key, due ? ctx->now_ns : row->due_ns);
            return;
        }
        say(ctx, row);
        a->first++;
    }
    rt_timer_cancel(ctx, key);
}

bool venue_answers_load(struct venue_answers *a, uint64_t number,
                        const struct msg_answer_row *row) {
    bool known = row->kind == MSG_VENUE_STATUS || row->kind == MSG_VENUE_FILL ||
                 row->kind == MSG_VENUE_AMENDED;
    if (a->max == 0 || !known) return false;
    if (a->first == a->next) a->first = a->next = number;
    if (number < a->first) a->first = number;
    if (number >= a->next) a->next = number + 1;
    if (a->next - a->first > a->max) return false;
    a->rows[number & (a->max - 1)] = *row;
    return true;
}
