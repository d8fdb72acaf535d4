#include "actors/venue/term.h"
#include "actors/market/margin.h"
#include "actors/venue/venue.h"

struct venue_term *venue_term_new(struct rt_init *init, const struct mk_instrument *in) {
    return in->expiry_ns == 0 ? NULL : rt_init_take(init, sizeof(struct venue_term));
}

void venue_term_price(const struct venue_book *b, int64_t ns, price_t price, bool mark) {
    const struct mk_instrument *in = b->instrument;
    struct venue_term *t = b->term;
    if (in->settle_mark != mark || ns > in->expiry_ns || price <= 0) return;
    t->newest = price;
    if (ns <= in->expiry_ns - in->settle_window_ns) return;
    t->sum += price;
    t->cnt++;
}

/* price_of returns what b is settled at, 0 when nothing is known. */
static price_t price_of(const struct venue_book *b) {
    const struct venue_term *t = b->term;
    if (b->instrument->settle_price > 0) return b->instrument->settle_price;
    return t->cnt > 0 ? (price_t)(t->sum / t->cnt) : t->newest;
}

/* say_delivery says that quantity of account's position in b was closed at price by a trade of
 * side; 0: its strategies may hold against each other what it does not hold itself. */
static void say_delivery(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                         uint8_t account, uint8_t side, qty_t quantity, price_t price, cash_t fee) {
    struct msg_venue_delivery *m = rt_say(ctx, MSG_VENUE_DELIVERY, 0, sizeof *m);
    *m = (struct msg_venue_delivery){ .trade_id = ++v->trades,
                                      .price = price,
                                      .quantity = quantity,
                                      .fee = fee,
                                      .instrument = b->instrument->id,
                                      .account = account,
                                      .side = side };
}

/* deliver_leg closes p's position h of account in b at price, and says so. */
static void deliver_leg(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                        uint8_t account, struct venue_purse *p, struct venue_holding *h,
                        price_t price) {
    const struct mk_instrument *in = b->instrument;
    qty_t quantity = h->quantity < 0 ? -h->quantity : h->quantity;
    uint8_t side = h->quantity > 0 ? SIDE_SELL : SIDE_BUY;
    cash_t notional, fee;
    if (quantity == 0) return;
    if (!mk_notional(in, quantity, price, &notional) || !mk_fee(notional, in->delivery_fee, &fee) ||
        !venue_account_close(in, p, h, quantity, price, fee)) {
        struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
        *a = (struct msg_alert){
            .value = quantity, .subject = in->id, .actor = ctx->self, .reason = REASON_OVERFLOW
        };
        return;
    }
    venue_ledger_delivery(v, in, side, quantity, price, fee);
    say_delivery(ctx, v, b, account, side, quantity, price, fee);
}

void venue_term_deliver(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    price_t price = b->term->stage == VENUE_TERM_ENDED ? price_of(b) : 0;
    if (b->term->stage != VENUE_TERM_ENDED) return;
    b->term->stage = VENUE_TERM_GONE;
    if (price <= 0 && b->held_cnt > 0) { /* nobody knows what it is worth: somebody must look */
        struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
        *a = (struct msg_alert){ .value = b->held_cnt,
                                 .subject = b->instrument->id,
                                 .actor = ctx->self,
                                 .reason = REASON_INSTRUMENT_EXPIRED };
    }
    for (uint32_t a = 1; price > 0 && a <= v->market->account_cnt; a++) {
        struct venue_purse p = venue_purse(v, b, (uint8_t)a);
        bool holds = venue_account_holds(&p);
        if (!holds && (p.hedge || v->market->accounts[a - 1].quote != mk_settle(b->instrument))) {
            continue;
        }
        venue_flush(ctx, v); /* fills first: they made the position */
        if (!holds) {
            say_delivery(ctx, v, b, (uint8_t)a, SIDE_SELL, 0, price, 0);
            continue;
        }
        deliver_leg(ctx, v, b, (uint8_t)a, &p, &p.held, price);
        if (p.hedge) deliver_leg(ctx, v, b, (uint8_t)a, &p, &p.shorts, price);
        venue_purse_put(v, b, (uint8_t)a, &p);
    }
}

void venue_term_save(const struct venue_book *b, struct rt_row_sink *sink) {
    const struct venue_term *t = b->term;
    const uint64_t first = VENUE_COUNTER_TERM + (uint64_t)b->instrument->id * VENUE_TERM_FIGURES;
    const int64_t figures[VENUE_TERM_FIGURES] = {
        (int64_t)(uint64_t)t->sum, (int64_t)(t->sum >> 64), t->cnt, t->newest, t->stage, b->heard
    };
    for (uint64_t i = 0; i < VENUE_TERM_FIGURES; i++) {
        struct msg_counter_row row = { .value = figures[i], .id = first + i };
        if (row.value != 0) sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
    }
}

bool venue_term_load(struct venue_book *b, uint64_t at, int64_t value) {
    struct venue_term *t = b->term;
    if (t == NULL) return false;
    switch (at) {
    case 0: t->sum += (__int128)(uint64_t)value; return true;
    case 1: t->sum += (__int128)((unsigned __int128)(uint64_t)value << 64); return true;
    case 2: t->cnt = value; return value >= 0;
    case 3: t->newest = value; return value >= 0;
    case 4: t->stage = value; return value >= VENUE_TERM_TRADES && value <= VENUE_TERM_GONE;
    case VENUE_TERM_HEARD:
        b->heard = (uint8_t)value;
        return true; /* interests come by themselves */
    default: return false;
    }
}
