#include "actors/venue/venue.h"
#include "actors/venue/amend.h"
#include "actors/venue/bars.h"
#include "actors/venue/crowd.h"
#include "actors/venue/depth.h"
#include "actors/venue/fund.h"
#include "actors/venue/path.h"
#include "actors/venue/prints.h"
#include "actors/venue/term.h"
#include <assert.h>
#include <errno.h>

enum {
    STATUS_BYTES = 80, /* room that one status needs, and more */
};

/* Timers. */
enum venue_timer {
    TIMER_MORE = 0, /* goes on with what found no room in one call; 1..: an instrument's next
                     * request arrives */
    TIMER_ANSWER = 0x20000, /* the next answer is told; before it VENUE_TIMER_EAGER */
    TIMER_LAPSE = 0x20001,  /* the next order's time runs out */
    TIMER_LOCKS = 0x20002,  /* what is locked, as far as a call had no room to tell it */
    TIMER_SAID = 0x20003    /* answers that were too many for one event go on */
};

enum { SAID_MAX = 128 }; /* answers of one event: the smallest mail holds what comes of them */

struct venue_purse venue_purse(const struct venue *v, const struct venue_book *b, uint8_t account) {
    size_t row = (size_t)(account - 1) * v->market->instrument_cnt;
    struct venue_purse p = { .cash = v->cash[account - 1],
                             .held = v->holdings[row + b->instrument->id - 1],
                             .margin = (uint8_t)v->market->accounts[account - 1].margin };
    if (b->instrument->kind == MK_SPOT) {
        __int128 quote = v->locked[account - 1].quote;
        p.locked_quote = quote > INT64_MAX ? INT64_MAX : (cash_t)quote;
        p.locked_base = v->locks[row + b->instrument->id - 1].base;
        return p;
    }
    if (p.margin != MK_MARGIN_NONE) {
        p.leverage = mk_leverage(v->market, account, b->instrument->id);
    }
    p.steps = venue_fund_on(v, b->instrument);
    p.hedge = v->market->accounts[account - 1].hedge;
    if (p.hedge) p.shorts = v->shorts[row + b->instrument->id - 1];
    return p;
}

struct venue_purse venue_purse_now(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                                   uint8_t account) {
    struct venue_purse p = venue_purse(v, b, account);
    p.now_ns = ctx->now_ns;
    if (v->fees.rows != NULL) {
        venue_fees_turn(&v->fees, v->market, ctx->now_ns);
        p.tier = v->fees.rows[(account - 1U) * MK_KINDS + b->instrument->kind].tier;
    }
    const struct mk_fee_asset *burn = &v->market->accounts[account - 1].burn;
    if (burn->on) {
        price_t told =
            burn->instrument == 0 ? 0 : venue_last_price(ctx, &v->books[burn->instrument - 1]);
        p.burn = burn;
        p.burn_held = v->burn_held[account - 1];
        p.burn_price = told > 0 ? told : burn->price;
    }
    return p;
}

qty_t venue_closes(const struct venue_book *b, const struct venue_purse *p, uint8_t side) {
    qty_t held = side == SIDE_SELL ? p->held.quantity
                 : p->hedge        ? -p->shorts.quantity
                                   : -p->held.quantity;
    return held > 0 ? fixed_floor_to(held, b->instrument->lot_size) : 0;
}

bool venue_close_all(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &v->orders.pool[idx];
    const struct venue_purse p = venue_purse(v, b, order->account);
    const struct venue_figures now = { .price = order->price,
                                       .quantity = venue_closes(b, &p, order->side) };
    if (now.quantity == 0) return false;
    order->quantity = now.quantity;
    venue_say_amended(ctx, v, b, order, &now, REASON_NONE, false);
    return true;
}

uint32_t venue_mark_path(const struct venue_book *b, uint8_t side, int64_t since_ns,
                         price_t at[4]) {
    const struct msg_mark_bar *m = &b->mark_bar;
    bool sells = side == SIDE_SELL;
    at[0] = b->mark;
    if (!b->mark_bars || since_ns > m->open_ns) return 1;
    at[0] = m->open;
    at[1] = sells ? m->high : m->low;
    at[2] = sells ? m->low : m->high;
    at[3] = m->close;
    return 4;
}

void venue_count_held(const struct venue *v, struct venue_book *b, uint8_t account, bool is) {
    if (b->instrument->kind == MK_SPOT) return;
    uint32_t one = is ? 1 : UINT32_MAX;
    b->held_cnt += one;
    if (venue_backing_on(v, b, account)) b->backed_cnt += one;
    const bool followed = b->driver == VENUE_DEPTH || b->driver == VENUE_CROWD;
    if (b->held_cnt == 0 && !followed) b->last = 0; /* nobody listens: it would grow old */
}

void venue_purse_put(struct venue *v, struct venue_book *b, uint8_t account,
                     const struct venue_purse *p) {
    size_t row = (size_t)(account - 1) * v->market->instrument_cnt;
    struct venue_holding *held = &v->holdings[row + b->instrument->id - 1];
    struct venue_holding *shorts = &v->shorts[row + b->instrument->id - 1];
    bool was = held->quantity != 0 || (p->hedge && shorts->quantity != 0);
    bool is = venue_account_holds(p);
    v->cash[account - 1] = p->cash;
    *held = p->held;
    if (p->hedge) *shorts = p->shorts;
    if (p->burn != NULL) v->burn_held[account - 1] = p->burn_held;
    if (was != is) venue_count_held(v, b, account, is);
}

/* before tells whether a is worked before b. */
static bool before(const struct venue_pick *a, const struct venue_pick *b) {
    if (a->account != b->account) return a->account < b->account;
    if (a->upper != b->upper) return a->upper < b->upper;
    if (a->rank != b->rank) return a->rank < b->rank;
    if (a->after != b->after) return a->after < b->after;
    return a->order_id < b->order_id;
}

void venue_pick_sort(struct venue_pick *picks, uint32_t cnt) {
    /* Shell sort with Ciura's gaps: a row meets few orders, mostly one. */
    static const uint32_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };
    if (cnt < 2) return;
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        uint32_t gap = gaps[g];
        for (uint32_t i = gap; i < cnt; i++) {
            struct venue_pick held = picks[i];
            uint32_t at = i;
            for (; at >= gap && before(&held, &picks[at - gap]); at -= gap) {
                picks[at] = picks[at - gap];
            }
            picks[at] = held;
        }
    }
}

void venue_work(const struct venue *v, const struct venue_book *b, struct venue_purse *p,
                const struct venue_pick *picks, uint32_t cnt, struct venue_deal *deals) {
    for (uint32_t i = 0; i < cnt; i++) {
        const struct venue_pick *pick = &picks[i];
        venue_locks_out(v, b, pick->idx, p);
        p->so_far = venue_charged(v, pick->idx);
        const struct venue_order *order = &v->orders.pool[pick->idx];
        bool fires = order->type == ORDER_TYPE_STOP && !(order->flags & VENUE_MORE) &&
                     b->instrument->filters != NULL; /* a plain stop: it has just triggered */
        uint16_t why = fires ? venue_rules_trigger(b, order, NULL, pick->price) : REASON_NONE;
        if (why != REASON_NONE) {
            deals[i] = (struct venue_deal){ .status = ORDER_STATUS_EXPIRED, .reason = why };
        } else if (pick->act == VENUE_TRADE) {
            venue_account_deal(p, b, order, pick->quantity, pick->price, pick->liquidity,
                               &deals[i]);
        } else {
            bool missed = pick->act == VENUE_MISSED;
            deals[i] = (struct venue_deal){
                .status = missed ? ORDER_STATUS_EXPIRED : ORDER_STATUS_REJECTED,
                .reason = missed ? REASON_NOT_FILLED_AT_ONCE : REASON_WOULD_MATCH,
            };
        }
    }
}

/* leg_ns returns how long leg takes now for b's instrument; without a book the figure of none. */
static int64_t leg_ns(struct rt_ctx *ctx, const struct venue_latency *leg,
                      const struct venue_book *b) {
    static const struct venue_delay none = { .last_ns = INT64_MIN };
    uint64_t random = venue_latency_draws(leg) ? rt_random64(ctx) : 0;
    return venue_latency_ns(leg, b == NULL ? &none : &b->delay, random);
}

/* answer_at returns when an answer of now about b's instrument is told: not before one that is on
 * its way. */
static int64_t answer_at(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b) {
    if (v->answers.max == 0 || v->closed || (b != NULL && b->driver == VENUE_BARS)) {
        return ctx->now_ns;
    }
    int64_t late_ns = leg_ns(ctx, &v->legs.answer, b) - leg_ns(ctx, &v->legs.feed, b);
    int64_t at_ns = late_ns > 0 ? ctx->now_ns + late_ns : ctx->now_ns;
    int64_t last_ns = venue_answers_last(&v->answers);
    return at_ns > last_ns ? at_ns : last_ns;
}

/* is_much tells whether an answer has to wait for an event of its own at this instant: there were
 * many before it. At the end of the data there are no more events: all is told at once. */
static bool is_much(struct rt_ctx *ctx, struct venue *v) {
    if (v->closed || (v->said < SAID_MAX && v->more.first == v->more.next)) {
        v->said++;
        return false;
    }
    rt_timer_set(ctx, TIMER_SAID, ctx->now_ns);
    return true;
}

/* say_status says that order has status now, with open of it left at the venue. */
static void say_status(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                       const struct venue_order *order, qty_t open, uint8_t status,
                       uint16_t reason) {
    const struct msg_venue_status said = { .order_id = order->order_id,
                                           .venue_order_id = order->venue_order_id,
                                           .quantity = open,
                                           .instrument = order->instrument,
                                           .account = order->account,
                                           .status = status,
                                           .reason = reason };
    int64_t at_ns = answer_at(ctx, v, b);
    if (at_ns > ctx->now_ns) {
        venue_answers_status(ctx, &v->answers, &said, at_ns);
        rt_timer_set(ctx, TIMER_ANSWER,
                     v->answers.rows[v->answers.first & (v->answers.max - 1)].due_ns);
        return;
    }
    if (is_much(ctx, v)) {
        venue_answers_status(ctx, &v->more, &said, ctx->now_ns);
        return;
    }
    struct msg_venue_status *s = rt_say(ctx, MSG_VENUE_STATUS, 0, sizeof *s);
    *s = said;
}

/* say_fill says the fill in deal of order. */
static void say_fill(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                     const struct venue_order *order, const struct venue_deal *deal) {
    const struct mk_instrument *in = &v->market->instruments[order->instrument - 1];
    venue_ledger_fill(v, in, order, deal);
    if (v->fees.rows != NULL && deal->liquidity != LIQUIDITY_NONE) {
        venue_fees_traded(&v->fees, order->account, in->kind,
                          deal->value < 0 ? -deal->value : deal->value);
    }
    const struct msg_venue_fill said = { .order_id = order->order_id,
                                         .trade_id = ++v->trades,
                                         .price = deal->price,
                                         .quantity = deal->quantity,
                                         .fee = deal->fee,
                                         .slippage = deal->slippage,
                                         .instrument = order->instrument,
                                         .fee_asset = deal->fee_asset,
                                         .account = order->account,
                                         .liquidity = deal->liquidity };
    int64_t at_ns = answer_at(ctx, v, b);
    if (at_ns > ctx->now_ns) {
        venue_answers_fill(ctx, &v->answers, &said, at_ns);
        rt_timer_set(ctx, TIMER_ANSWER,
                     v->answers.rows[v->answers.first & (v->answers.max - 1)].due_ns);
        return;
    }
    if (is_much(ctx, v)) {
        venue_answers_fill(ctx, &v->more, &said, ctx->now_ns);
        return;
    }
    struct msg_venue_fill *f = rt_say(ctx, MSG_VENUE_FILL, 0, sizeof *f);
    *f = said;
}

void venue_say_amended(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                       const struct venue_order *order, const struct venue_figures *f,
                       uint16_t reason, bool asked) {
    const struct msg_venue_amended said = { .order_id = order->order_id,
                                            .price = f->price,
                                            .quantity = f->quantity,
                                            .stop_price = f->stop_price,
                                            .instrument = order->instrument,
                                            .reason = reason,
                                            .account = order->account,
                                            .asked = asked };
    int64_t at_ns = answer_at(ctx, v, b);
    if (at_ns > ctx->now_ns) {
        venue_answers_amended(ctx, &v->answers, &said, at_ns);
        rt_timer_set(ctx, TIMER_ANSWER,
                     v->answers.rows[v->answers.first & (v->answers.max - 1)].due_ns);
        return;
    }
    if (is_much(ctx, v)) {
        venue_answers_amended(ctx, &v->more, &said, ctx->now_ns);
        return;
    }
    struct msg_venue_amended *m = rt_say(ctx, MSG_VENUE_AMENDED, 0, sizeof *m);
    *m = said;
}

void venue_flush(struct rt_ctx *ctx, struct venue *v) {
    if (v->answers.first != v->answers.next) {
        venue_answers_tell(ctx, &v->answers, INT64_MAX, UINT32_MAX, TIMER_ANSWER);
    }
    if (v->more.first != v->more.next) {
        venue_answers_tell(ctx, &v->more, INT64_MAX, UINT32_MAX, TIMER_SAID);
    }
}

/* close_order closes the open order idx. */
static void close_order(struct venue *v, struct venue_book *b, uint32_t idx) {
    if (b->driver == VENUE_DEPTH) venue_depth_leave(v, b, idx);
    if (b->driver == VENUE_CROWD) venue_crowd_leave(v, b, idx);
    uint8_t account = v->orders.pool[idx].account;
    bool more = b->more_cnt > 0;
    venue_locks_take(v, b, idx);
    venue_orders_close(&v->orders, b, idx);
    if (more) venue_locks_again(v, b, account);
}

void venue_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                const struct venue_deal *deal) {
    struct venue_order *order = &v->orders.pool[idx];
    if (deal->quantity > 0) say_fill(ctx, v, b, order, deal);
    if (v->charged != NULL) venue_account_charged(&v->charged[idx], deal);
    if (deal->status == ORDER_STATUS_PARTIALLY_FILLED) {
        venue_locks_take(v, b, idx);
        order->quantity -= deal->quantity;
        v->orders.more[idx].filled += deal->quantity;
        venue_locks_put(v, b, idx);
        return;
    }
    if (deal->status != ORDER_STATUS_FILLED) {
        say_status(ctx, v, b, order, 0, deal->status, deal->reason);
    }
    close_order(v, b, idx);
}

void venue_work_all(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t cnt) {
    for (uint32_t from = 0, to; from < cnt; from = to) {
        uint8_t account = v->picks[from].account;
        for (to = from; to < cnt && v->picks[to].account == account;) to++;
        struct venue_purse p = venue_purse_now(ctx, v, b, account);
        venue_work(v, b, &p, v->picks + from, to - from, v->deals[0]);
        venue_purse_put(v, b, account, &p);
        for (uint32_t i = from; i < to; i++) {
            venue_tell(ctx, v, b, v->picks[i].idx, &v->deals[0][i - from]);
        }
    }
}

uint8_t venue_wants(const struct venue_book *b) {
    uint8_t want = 0;
    if (b->driver == VENUE_CLOSED || b->driver == VENUE_CROWD) return 0;
    bool held = b->backed_cnt > 0 || b->span != NULL || b->average != NULL ||
                venue_term_live(b->term) ||
                (b->held_cnt > 0 && b->funding_series != VENUE_NO_SERIES);
    if (b->driver == VENUE_BARS) {
        if (b->open_cnt > 0) want |= 1U << RT_HEAR_OPEN;
        if (b->open_cnt > b->eager_cnt || b->more_cnt > 0 || held) want |= 1U << RT_HEAR_EARLY;
    } else if (held || b->driver == VENUE_DEPTH) { /* a recorded book is followed all the time */
        want |= 1U << RT_HEAR_EARLY;
    } else if (b->open_cnt > 0 || b->flight_head != VENUE_NONE) {
        want |= 1U << RT_HEAR_EARLY;
    }
    return want;
}

void venue_listen(struct rt_ctx *ctx, const struct venue *v, struct venue_book *b) {
    uint8_t want = venue_wants(b), turned = want ^ b->heard;
    if (turned == 0) return;
    b->heard = want;
    for (unsigned how = 0; how < RT_HEAR_CNT; how++) {
        if (!(turned >> how & 1U)) continue;
        rt_interest(ctx, b->series, how, want >> how & 1U);
        if (b->driver != VENUE_DEPTH) continue;
        uint16_t trades = v->depths[b->instrument->id - 1]->trades;
        if (trades != VENUE_NO_SERIES) rt_interest(ctx, trades, how, want >> how & 1U);
    }
}

price_t venue_last_price(struct rt_ctx *ctx, const struct venue_book *b) {
    if (b->driver == VENUE_CLOSED) return 0;
    if (b->driver == VENUE_DEPTH || b->driver == VENUE_CROWD) return b->last;
    const void *row = rt_latest(ctx, b->series);
    if (row == NULL) return 0;
    return b->driver == VENUE_BARS ? ((const struct msg_bar *)row)->close
                                   : ((const struct msg_trade *)row)->price;
}

/* account_fits tells whether account may trade ins. */
static bool account_fits(const struct venue *v, const struct mk_instrument *ins, uint8_t account) {
    return account >= 1 && account <= v->market->account_cnt &&
           v->market->accounts[account - 1].quote == mk_settle(ins);
}

/* terms_fit tells whether the venue knows this kind of order. */
static bool terms_fit(const struct venue_order *order) {
    const unsigned once = ORDER_TERMS_IOC | ORDER_TERMS_FOK;
    unsigned terms = order->terms & ~(unsigned)(ORDER_TERMS_EXIT | ORDER_TERMS_REDUCE_ONLY);
    if (order->side > SIDE_SELL) return false;
    if (order->flags & VENUE_MORE) terms &= ~(unsigned)ORDER_TERMS_GTD;
    switch (order->type) {
    case ORDER_TYPE_MARKET: return (terms & ~once) == 0;
    case ORDER_TYPE_LIMIT:
    case ORDER_TYPE_STOP_LIMIT:
    case ORDER_TYPE_TAKE_PROFIT_LIMIT:
        return (terms & ~once) == 0 || terms == ORDER_TERMS_POST_ONLY; /* one or the other */
    case ORDER_TYPE_STOP:
    case ORDER_TYPE_TAKE_PROFIT: return (terms & ~(unsigned)ORDER_TERMS_CLOSE_POSITION) == 0;
    case ORDER_TYPE_TRAILING_STOP: return terms == 0;
    default: return false;
    }
}

/* refusal_more returns why the venue does not take the further terms m of order, whose parent is
 * known (or has none), REASON_NONE when it does. */
static uint16_t refusal_more(const struct rt_ctx *ctx, const struct venue *v,
                             const struct venue_book *b, const struct venue_order *order,
                             const struct mk_more *m, bool known) {
    const struct mk_instrument *ins = b->instrument;
    if (m->working != 0 && ins->kind == MK_SPOT) return REASON_UNSUPPORTED;
    uint16_t reason =
        mk_more_refuses(order->order_id, order->type, order->terms, order->quantity, m);
    if (reason != REASON_NONE) return reason;
    if (m->stop_price % ins->tick_size != 0 || m->activation % ins->tick_size != 0) {
        return REASON_BAD_TICK;
    }
    if (m->display % ins->lot_size != 0) return REASON_BAD_DISPLAY;
    if (m->expire_ns != 0 && m->expire_ns <= ctx->now_ns) return REASON_GOOD_TILL_DATE;
    if (!known) return REASON_LIST_PARENT;
    if (m->oco != 0 && m->oco != order->order_id) {
        uint32_t first = venue_orders_find(&v->orders, m->oco);
        if (first == VENUE_NONE) return REASON_LIST_PARTNER;
        const struct venue_order *o = &v->orders.pool[first];
        bool fits = o->instrument == order->instrument && o->account == order->account &&
                    o->flags & VENUE_MORE && v->orders.more[first].terms.oco == m->oco;
        if (!fits) return REASON_LIST_RULE;
    }
    return REASON_NONE;
}

/* first_stage tells at which stage the order of idx, that has further terms, begins; false when its
 * parent is not there. */
static bool first_stage(const struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                        uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    struct venue_more *m = &v->orders.more[idx];
    uint64_t id = m->terms.parent;
    m->extreme = 0;
    m->filled = m->waits = 0;
    m->stage = venue_path_stage(b, order);
    if (id == 0) return true;
    uint32_t parent = venue_orders_find(&v->orders, id);
    if (parent != VENUE_NONE) {
        const struct venue_order *o = &v->orders.pool[parent];
        bool grows = venue_grows(v, b);
        qty_t filled = grows ? v->orders.more[parent].filled : 0;
        if (grows) m->waits = order->quantity > filled ? order->quantity - filled : 0;
        if (filled == 0) m->stage = VENUE_PENDING;
        return o->instrument == order->instrument && o->account == order->account;
    }
    if (v->joined_ns != ctx->now_ns) return false;
    for (uint32_t i = 0; i < v->joined_cnt && i < VENUE_JOINED_MAX; i++) {
        if (v->joined[i] != id) continue;
        qty_t filled = v->joined_quantity[i];
        m->waits = order->quantity > filled ? order->quantity - filled : 0;
        m->extreme = v->joined_price[i];
        return true;
    }
    return false;
}

/* refusal_rules returns which of the rules order does not meet, but for its cover; REASON_NONE when
 * it meets all. */
static uint16_t refusal_rules(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                              uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    const struct mk_instrument *ins = b->instrument;
    bool market = !mk_order_priced(order->type);
    if (b->driver == VENUE_CLOSED || v->closed) return REASON_MARKET_CLOSED;
    if (b->term != NULL && ctx->now_ns >= ins->expiry_ns) return REASON_INSTRUMENT_EXPIRED;
    if (!terms_fit(order) || !account_fits(v, ins, order->account) || order->order_id == 0) {
        return REASON_UNSUPPORTED;
    }
    if (order->terms & ORDER_TERMS_CLOSE_POSITION && ins->kind == MK_SPOT) {
        return REASON_UNSUPPORTED;
    }
    bool opens = !(order->terms & ORDER_TERMS_EXIT),
         reduces = order->terms & ORDER_TERMS_REDUCE_ONLY;
    if (opens && reduces && ins->kind != MK_SPOT && v->market->accounts[order->account - 1].hedge) {
        return REASON_BAD_TERMS;
    }
    if (order->quantity <= 0 || order->quantity % ins->lot_size != 0) return REASON_BAD_LOT;
    if (!market && (order->price <= 0 || order->price % ins->tick_size != 0)) {
        return REASON_BAD_TICK;
    }
    if (order->flags & VENUE_MORE) {
        bool known = first_stage(ctx, v, b, idx);
        uint16_t more = refusal_more(ctx, v, b, order, &v->orders.more[idx].terms, known);
        if (more != REASON_NONE) return more;
    }
    if (ins->filters != NULL || v->limits.rate_cnt > 0 || v->limits.counted ||
        v->limits.assets != NULL) {
        uint16_t rules = venue_rules_refuse(ctx, v, b, idx);
        if (rules != REASON_NONE) return rules;
    }
    uint16_t backing = venue_backing_refuses(ctx, v, b, order);
    if (backing != REASON_NONE) return backing;
    if (market && ins->min_notional == 0) return REASON_NONE;
    if (market && ins->filters != NULL && ins->filters->min_spares_market) return REASON_NONE;
    price_t price = order->price;
    if (market && ins->filters != NULL) {
        price = venue_rules_reference(ctx, b, ins->filters->notional_minutes);
    } else if (market && b->driver == VENUE_DEPTH) {
        price = venue_depth_price(v, b, order->side);
    } else if (market) {
        price = venue_last_price(ctx, b);
    }
    if (price <= 0) return REASON_NONE;
    __int128 notional = mk_quoted(ins, price, order->quantity) / FIXED_ONE;
    if (notional > INT64_MAX) return REASON_OVERFLOW;
    if (ins->kind != MK_SPOT && order->terms & ORDER_TERMS_REDUCE_ONLY) return REASON_NONE;
    return notional < ins->min_notional ? REASON_MIN_NOTIONAL : REASON_NONE;
}

/* refusal returns why the venue does not take order, REASON_NONE when it does. */
static uint16_t refusal(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                        uint32_t idx) {
    uint16_t reason = refusal_rules(ctx, v, b, idx);
    bool waits = b->instrument->kind == MK_SPOT && v->orders.pool[idx].type != ORDER_TYPE_MARKET;
    return reason == REASON_NONE && waits ? venue_locks_refuse(v, b, idx) : reason;
}

/* arm_lapse sets the timer to when the next open order's time runs out, or to none. */
static void arm_lapse(struct rt_ctx *ctx, const struct venue *v) {
    int64_t next_ns = INT64_MAX;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        const struct venue_book *b = &v->books[i];
        for (uint32_t k = b->more_cnt > 0 ? b->head : VENUE_NONE; k != VENUE_NONE;
             k = v->orders.pool[k].next) {
            const struct venue_order *o = &v->orders.pool[k];
            int64_t at_ns = o->flags & VENUE_MORE ? v->orders.more[k].terms.expire_ns : 0;
            if (at_ns != 0 && at_ns < next_ns && !(o->flags & VENUE_LEAVES)) next_ns = at_ns;
        }
    }
    if (next_ns == INT64_MAX) {
        rt_timer_cancel(ctx, TIMER_LAPSE);
    } else {
        rt_timer_set(ctx, TIMER_LAPSE, next_ns);
    }
}

void venue_joined(struct rt_ctx *ctx, struct venue *v, uint64_t id, qty_t quantity, price_t price) {
    if (v->joined_ns != ctx->now_ns) v->joined_cnt = 0;
    v->joined_ns = ctx->now_ns;
    uint32_t at = 0, cnt = v->joined_cnt < VENUE_JOINED_MAX ? v->joined_cnt : VENUE_JOINED_MAX;
    while (at < cnt && v->joined[at] != id) at++;
    if (at == cnt) at = v->joined_cnt++ % VENUE_JOINED_MAX;
    v->joined[at] = id;
    v->joined_quantity[at] = quantity;
    v->joined_price[at] = price;
}

/* arrive_order lets a new order arrive. */
static void arrive_order(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order *order = &v->orders.pool[idx];
    const unsigned once = ORDER_TERMS_IOC | ORDER_TERMS_FOK;
    if (v->charged != NULL) v->charged[idx] = (struct mk_charged){ 0 };
    uint16_t reason = refusal(ctx, v, b, idx);
    if (reason == REASON_NONE) {
        bool eager = b->driver == VENUE_BARS || order->flags & VENUE_MORE ||
                     order->type == ORDER_TYPE_MARKET || (order->terms & once) != 0 ||
                     (b->driver == VENUE_DEPTH && order->type != ORDER_TYPE_STOP);
        if (eager) order->flags |= VENUE_EAGER;
        int rc = venue_orders_open(&v->orders, b, idx);
        if (rc != 0) reason = rc == -EEXIST ? REASON_DUPLICATE_ID : REASON_OPEN_ORDERS_MAX;
    }
    if (reason != REASON_NONE) {
        say_status(ctx, v, b, order, 0, ORDER_STATUS_REJECTED, reason);
        v->orders.cnt--;
        venue_orders_give(&v->orders, idx);
        return;
    }
    venue_locks_put(v, b, idx);
    order->venue_order_id = ++v->accepted;
    if (v->limits.rate_cnt > 0) venue_rules_took(ctx, v, order->account);
    say_status(ctx, v, b, order, order->quantity, ORDER_STATUS_ACCEPTED, REASON_NONE);
    if (order->flags & VENUE_MORE && v->orders.more[idx].terms.expire_ns != 0) arm_lapse(ctx, v);
    if (b->driver == VENUE_BARS) venue_bars_join(ctx, v, b, idx);
    if (b->driver == VENUE_DEPTH) venue_depth_join(ctx, v, b, idx);
    if (b->driver == VENUE_CROWD) venue_crowd_join(ctx, v, b, idx);
}

void venue_leave(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    bool ends = order->flags & VENUE_ENDS, forced = order->flags & VENUE_FORCED;
    bool lapses = ends || order->flags & VENUE_LAPSES;
    const struct venue_deal deal = {
        .status = lapses ? ORDER_STATUS_EXPIRED : ORDER_STATUS_CANCELED,
        .reason = ends     ? REASON_INSTRUMENT_EXPIRED
                  : lapses ? REASON_GOOD_TILL_DATE
                  : forced ? REASON_LIQUIDATION
                           : REASON_NONE,
    };
    uint64_t id = order->order_id;
    uint64_t oco = order->flags & VENUE_MORE ? v->orders.more[idx].terms.oco : 0;
    uint8_t account = order->account;
    venue_tell(ctx, v, b, idx, &deal);
    venue_path_after(ctx, v, b, account, id, oco, lapses ? VENUE_FATE_ENDED : VENUE_FATE_CUT);
}

/* is_due tells whether a bar ends at this instant that is still to be worked with the open order
 * idx in b: what is decided now cannot undo what has been met. */
static bool is_due(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                   uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    uint8_t stage = v->orders.more[idx].stage;
    bool seen = order->flags & VENUE_MORE ? stage != VENUE_FRESH : !(order->flags & VENUE_EAGER);
    bool due = b->share > 0 && b->driver == VENUE_BARS && venue_bars_due(ctx, v, b, order, stage);
    return due || (b->bar_end_ns == ctx->now_ns && seen);
}

/* cancel_order cancels the open order idx of b; why: VENUE_FORCED, because its account is
 * liquidated, VENUE_LAPSES, because its time ran out, VENUE_ENDS, because its contract's did, or 0.
 * Where a bar that ends at this instant is still to be worked, the order stays for it. */
static void cancel_order(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                         uint8_t why) {
    struct venue_order *order = &v->orders.pool[idx];
    order->flags |= why;
    if (is_due(ctx, v, b, idx)) {
        b->leaves_cnt += !(order->flags & VENUE_LEAVES);
        order->flags |= VENUE_LEAVES;
        return;
    }
    venue_leave(ctx, v, b, idx);
}

/* cancel_gone cancels cnt orders of b that gone names, by order id; what one of them ended with it
 * is not there any more. */
static void cancel_gone(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t cnt,
                        uint8_t why) {
    venue_pick_sort(v->gone, cnt);
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t idx = v->gone[i].idx;
        if (venue_orders_find(&v->orders, v->gone[i].order_id) != idx) continue;
        cancel_order(ctx, v, b, idx, why);
    }
}

/* cancel_all cancels the account's open orders in b, by order id. */
static void cancel_all(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
                       uint8_t why) {
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        if (order->account != account) continue;
        v->gone[cnt++] = (struct venue_pick){ .order_id = order->order_id, .idx = i };
    }
    cancel_gone(ctx, v, b, cnt, why);
}

/* lapse ends the open orders whose time has run out. */
static void lapse(struct rt_ctx *ctx, struct venue *v) {
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        struct venue_book *b = &v->books[i];
        uint32_t cnt = 0;
        for (uint32_t k = b->more_cnt > 0 ? b->head : VENUE_NONE; k != VENUE_NONE;
             k = v->orders.pool[k].next) {
            const struct venue_order *o = &v->orders.pool[k];
            int64_t at_ns = o->flags & VENUE_MORE ? v->orders.more[k].terms.expire_ns : 0;
            if (at_ns == 0 || at_ns > ctx->now_ns || o->flags & VENUE_LEAVES) continue;
            v->gone[cnt++] = (struct venue_pick){ .order_id = o->order_id, .idx = k };
        }
        cancel_gone(ctx, v, b, cnt, VENUE_LAPSES);
        if (cnt > 0 && b->driver == VENUE_CROWD) venue_crowd_tell(ctx, v, b);
        venue_listen(ctx, v, b);
    }
    arm_lapse(ctx, v);
}

void venue_cancel_forced(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                         uint8_t account) {
    cancel_all(ctx, v, b, account, VENUE_FORCED);
    venue_listen(ctx, v, b);
}

void venue_cut(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint8_t account,
               uint16_t reason) {
    const struct venue_deal deal = { .status = ORDER_STATUS_CANCELED, .reason = reason };
    uint32_t cnt = 0;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *order = &v->orders.pool[i];
        if (order->account != account) continue;
        v->gone[cnt++] = (struct venue_pick){ .order_id = order->order_id, .idx = i };
    }
    venue_pick_sort(v->gone, cnt);
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t idx = v->gone[i].idx;
        uint64_t id = v->gone[i].order_id;
        if (venue_orders_find(&v->orders, id) != idx) continue; /* with another */
        const struct venue_order *order = &v->orders.pool[idx];
        uint64_t oco = order->flags & VENUE_MORE ? v->orders.more[idx].terms.oco : 0;
        venue_tell(ctx, v, b, idx, &deal);
        venue_path_after(ctx, v, b, account, id, oco, VENUE_FATE_CUT);
    }
    venue_listen(ctx, v, b);
}

/* arrive_cancel lets a request to cancel arrive. */
static void arrive_cancel(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_order request = v->orders.pool[idx];
    venue_orders_give(&v->orders, idx);
    if (request.op == REQUEST_OP_CANCEL_ALL) {
        cancel_all(ctx, v, b, request.account, 0);
        return;
    }
    uint32_t found = venue_orders_find(&v->orders, request.order_id);
    if (found == VENUE_NONE || v->orders.pool[found].instrument != request.instrument) {
        say_status(ctx, v, b, &request, 0, ORDER_STATUS_REJECTED, REASON_UNKNOWN_ORDER);
        return;
    }
    cancel_order(ctx, v, b, found, 0);
}

/* wait_for_bar lets the request in slot idx, about the open order found, wait until the bar in hand
 * has been worked; false where it need not. */
static bool wait_for_bar(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                         uint32_t found) {
    if (found == VENUE_NONE || !is_due(ctx, v, b, found)) return false;
    v->orders.pool[idx].from_ns = ctx->now_ns;
    venue_orders_send(&v->orders, b, idx);
    return true;
}

/* arrive_amend lets a request to amend arrive. */
static void arrive_amend(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    const struct venue_order request = v->orders.pool[idx];
    price_t stop = request.flags & VENUE_MORE ? v->orders.more[idx].terms.stop_price : 0;
    uint32_t found = venue_orders_find(&v->orders, request.order_id);
    bool known = found != VENUE_NONE && v->orders.pool[found].instrument == request.instrument;
    if (known && wait_for_bar(ctx, v, b, idx, found)) return;
    venue_orders_give(&v->orders, idx);
    if (known) {
        venue_amend(ctx, v, b, found, &request, stop);
        return;
    }
    const struct venue_figures none = { 0 };
    venue_say_amended(ctx, v, b, &request, &none, REASON_UNKNOWN_ORDER, true);
}

/* arrive_replace lets an order arrive that replaces another. */
static void arrive_replace(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                           uint32_t idx) {
    struct venue_order *order = &v->orders.pool[idx];
    const struct venue_more *m = &v->orders.more[idx];
    const struct venue_order old = { .order_id = m->replaces,
                                     .instrument = order->instrument,
                                     .account = order->account };
    uint32_t found = venue_orders_find(&v->orders, m->replaces);
    if (found != VENUE_NONE && (v->orders.pool[found].instrument != order->instrument ||
                                v->orders.pool[found].account != order->account)) {
        found = VENUE_NONE;
    }
    if (wait_for_bar(ctx, v, b, idx, found)) return;
    bool anyway = m->anyway;
    if (found != VENUE_NONE) {
        cancel_order(ctx, v, b, found, 0);
    } else {
        say_status(ctx, v, b, &old, 0, ORDER_STATUS_REJECTED, REASON_UNKNOWN_ORDER);
    }
    if (found != VENUE_NONE || anyway) {
        order->op = REQUEST_OP_PLACE;
        arrive_order(ctx, v, b, idx);
        return;
    }
    say_status(ctx, v, b, order, 0, ORDER_STATUS_REJECTED, REASON_CANCEL_FAILED);
    v->orders.cnt--;
    venue_orders_give(&v->orders, idx);
}

void venue_arrive(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    switch (v->orders.pool[idx].op) {
    case REQUEST_OP_PLACE: arrive_order(ctx, v, b, idx); break;
    case REQUEST_OP_AMEND: arrive_amend(ctx, v, b, idx); break;
    case REQUEST_OP_REPLACE: arrive_replace(ctx, v, b, idx); break;
    default: arrive_cancel(ctx, v, b, idx); break;
    }
    if (b->driver == VENUE_CROWD) venue_crowd_tell(ctx, v, b);
}

/* arm sets b's timer to the next arrival, or none; the timer is named by the instrument. */
static void arm(struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b) {
    if (b->flight_head == VENUE_NONE) {
        rt_timer_cancel(ctx, b->instrument->id);
    } else {
        rt_timer_set(ctx, b->instrument->id, v->orders.pool[b->flight_head].from_ns);
    }
}

/* travels tells whether the order in slot idx was said together with one it hangs on, which is on
 * its way in b: then it arrives with that. */
static bool travels(const struct rt_ctx *ctx, const struct venue *v, const struct venue_book *b,
                    uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    if (!(order->flags & VENUE_MORE) || b->sent_ns != ctx->now_ns) return false;
    const struct mk_more *m = &v->orders.more[idx].terms;
    for (uint32_t i = b->flight_head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        bool mine = venue_places(o->op) && o->account == order->account;
        if (mine && (o->order_id == m->parent || o->order_id == m->oco)) return true;
    }
    return false;
}

/* send_away sends the request in slot idx on its way, behind those that are; false when it arrives
 * at once. Bars count latency themselves. A list travels as one. */
static bool send_away(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    if (b->driver == VENUE_BARS && b->flight_head != VENUE_NONE) { /* behind what waits for a bar */
        v->orders.pool[idx].from_ns = ctx->now_ns;
        venue_orders_send(&v->orders, b, idx);
        return true;
    }
    if (b->driver == VENUE_BARS || b->driver == VENUE_CLOSED) return false;
    bool first = b->flight_head == VENUE_NONE;
    int64_t at_ns = ctx->now_ns + leg_ns(ctx, &v->legs.feed, b) + leg_ns(ctx, &v->legs.order, b);
    if (!first && (at_ns < v->orders.pool[b->flight_tail].from_ns || travels(ctx, v, b, idx))) {
        at_ns = v->orders.pool[b->flight_tail].from_ns;
    }
    if (first && at_ns == ctx->now_ns) return false;
    v->orders.pool[idx].from_ns = at_ns;
    b->sent_ns = ctx->now_ns;
    venue_orders_send(&v->orders, b, idx);
    if (first) arm(ctx, v, b);
    return true;
}

void venue_land(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    bool landed = false;
    while (b->flight_head != VENUE_NONE && v->orders.pool[b->flight_head].from_ns <= ctx->now_ns) {
        venue_arrive(ctx, v, b, venue_orders_land(&v->orders, b));
        landed = true;
    }
    if (landed) arm(ctx, v, b);
}

/* refuse_request answers a request that there is no book or no room for. */
static void refuse_request(struct rt_ctx *ctx, struct venue *v, const struct msg_venue_request *r,
                           uint16_t reason) {
    struct venue_order none = { .order_id = r->order_id,
                                .instrument = r->instrument,
                                .account = r->account };
    if (r->op == REQUEST_OP_AMEND) {
        const struct venue_figures nothing = { 0 };
        venue_say_amended(ctx, v, NULL, &none, &nothing, reason, true);
        return;
    }
    if (!venue_places(r->op)) reason = REASON_UNKNOWN_ORDER;
    say_status(ctx, v, NULL, &none, 0, ORDER_STATUS_REJECTED, reason);
    if (r->op != REQUEST_OP_REPLACE) return;
    none.order_id = ((const struct msg_venue_replace *)r)->replaces; /* it stays */
    say_status(ctx, v, NULL, &none, 0, ORDER_STATUS_REJECTED, REASON_UNKNOWN_ORDER);
}

/* take_request takes request r for b in hand, with its further terms, NULL = none. It is built
 * where it stays: a copy of what was just written costs more than writing it. */
static void take_request(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                         const struct msg_venue_request *r, const struct mk_more *more) {
    bool place = venue_places(r->op);
    bool room = !place || v->orders.cnt < v->orders.max;
    uint32_t idx = room ? venue_orders_take(&v->orders) : VENUE_NONE;
    v->requests++;
    if (idx == VENUE_NONE) {
        /* As many cancels as orders on their way: each order has its own, so this one has none. */
        refuse_request(ctx, v, r, REASON_OPEN_ORDERS_MAX);
        return;
    }
    struct venue_order *order = &v->orders.pool[idx];
    order->order_id = r->order_id;
    order->venue_order_id = 0;
    order->seq = v->requests;
    order->price = r->price;
    order->quantity = r->quantity;
    order->from_ns = ctx->now_ns;
    order->instrument = b->instrument->id;
    order->account = r->account;
    order->side = r->side;
    order->type = r->type;
    order->terms = r->terms;
    order->flags = 0;
    order->op = (uint8_t)r->op;
    bool plain = mk_order_plain(r->type, r->terms);
    if (more != NULL || (place && (!plain || b->share > 0))) {
        static const struct mk_more none;
        bool further = more != NULL && memcmp(more, &none, sizeof none) != 0;
        if (further || !plain || b->share > 0) order->flags = VENUE_MORE;
        v->orders.more[idx] = (struct venue_more){ .terms = more != NULL ? *more : none };
    }
    v->orders.more[idx].filled = 0;
    v->orders.more[idx].amends = 0;
    if (r->op == REQUEST_OP_REPLACE) {
        const struct msg_venue_replace *replace = (const struct msg_venue_replace *)r;
        v->orders.more[idx].replaces = replace->replaces;
        v->orders.more[idx].anyway = replace->anyway != 0;
    }
    v->orders.cnt += place;
    if (!send_away(ctx, v, b, idx)) {
        venue_arrive(ctx, v, b, idx);
    }
    venue_listen(ctx, v, b);
}

/* tell_locks says what has changed of what is locked, or soon. */
static inline void tell_locks(struct rt_ctx *ctx, struct venue *v) {
    if (v->locks_moved && !venue_locks_tell(ctx, v)) rt_timer_set(ctx, TIMER_LOCKS, ctx->now_ns);
}

/* request does what execution asks. */
static void request(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct venue *v = state;
    const struct msg_venue_request *r = msg_body(frame);
    const struct mk_more *more = frame->kind != MSG_VENUE_REQUEST ? mk_more_of(r, sizeof *r) : NULL;
    uint32_t cnt = v->market->instrument_cnt;
    uint16_t id = r->instrument;
    if (r->op == REQUEST_OP_CANCEL_ALL && id == 0) {
        for (uint32_t i = 0; i < cnt; i++) {
            struct venue_book *b = &v->books[i];
            if (b->open_cnt > 0 || b->flight_head != VENUE_NONE) take_request(ctx, v, b, r, more);
        }
        return;
    }
    if (r->op == REQUEST_OP_CANCEL && id == 0) { /* the order knows */
        uint32_t found = venue_orders_find(&v->orders, r->order_id);
        if (found != VENUE_NONE) id = v->orders.pool[found].instrument;
    }
    bool fits = (r->op == REQUEST_OP_REPLACE) == (frame->kind == MSG_VENUE_REPLACE);
    if (r->op > REQUEST_OP_REPLACE || !fits || id == 0 || id > cnt) {
        refuse_request(ctx, v, r, REASON_UNKNOWN_INSTRUMENT);
        return;
    }
    take_request(ctx, v, &v->books[id - 1], r, more);
}

/* venue_on_venue_request hears what execution asks. */
static void venue_on_venue_request(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    ((struct venue *)state)->said = 0;
    request(ctx, state, frame);
    tell_locks(ctx, state);
}

/* take_mark keeps the mark price of b. In bar runs the path of the bar that ends now looks at it
 * next; in trade runs positions are tested at once. */
static void take_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, const void *row) {
    if (b->mark_bars) {
        b->mark_bar = *(const struct msg_mark_bar *)row;
        b->mark = b->mark_bar.close;
    } else {
        b->mark = ((const struct msg_mark_price *)row)->mark;
    }
    if (b->term != NULL) venue_term_price(b, ctx->now_ns, b->mark, true);
    if (b->driver == VENUE_BARS) return;
    if (b->driver == VENUE_PRINTS && b->more_cnt > 0) venue_prints_mark(ctx, v, b);
    if (b->driver == VENUE_DEPTH && b->more_cnt > 0) venue_depth_mark(ctx, v, b);
    if (b->driver == VENUE_CROWD) venue_crowd_mark(ctx, v, b);
    venue_backing_sweep(ctx, v, b, b->mark);
}

/* venue_on_start listens to what it always wants to know: marks, funding, recorded books. */
static void venue_on_start(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct venue *v = state;
    (void)frame;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        struct venue_book *b = &v->books[i];
        venue_listen(ctx, v, b);
        if (b->driver == VENUE_CROWD) venue_crowd_start(ctx, v, b);
        if (b->mark_series != VENUE_NO_SERIES)
            rt_interest(ctx, b->mark_series, RT_HEAR_EARLY, true);
        if (b->term != NULL && b->term->stage == VENUE_TERM_TRADES)
            rt_timer_set(ctx, VENUE_TIMER_TERM + i + 1, b->instrument->expiry_ns);
        if (b->funding_series != VENUE_NO_SERIES)
            rt_interest(ctx, b->funding_series, RT_HEAR_EARLY, true);
    }
}

/* hear_rows works rows of a series that orders wait for. */
static uint32_t hear_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                          const void *rows, uint32_t cnt) {
    struct venue *v = state;
    assert(series < v->series_cnt);
    assert(v->book_of[series] != 0);
    struct venue_book *b = &v->books[v->book_of[series] - 1];
    if (series == b->mark_series) {
        take_mark(ctx, v, b, rows);
        venue_listen(ctx, v, b);
        return 1;
    }
    if (series == b->funding_series) {
        venue_backing_fund(ctx, v, b, rows);
        venue_listen(ctx, v, b);
        return 1;
    }
    if (b->driver == VENUE_DEPTH) return venue_depth_run(ctx, v, b, series, rows, cnt);
    if (b->driver == VENUE_PRINTS) return venue_prints_run(ctx, v, b, rows, cnt);
    if (how == RT_HEAR_OPEN) {
        venue_bars_open(ctx, v, b, rows);
    } else {
        venue_bars_path(ctx, v, b, rows);
        /* a mark of this instant may be behind it: then the timer of the expiry delivers */
        bool over = b->term != NULL && ctx->now_ns >= b->instrument->expiry_ns;
        if (over && !b->instrument->settle_mark) venue_term_deliver(ctx, v, b);
    }
    venue_listen(ctx, v, b);
    return 1;
}

/* venue_on_rows hears a series that orders wait for. */
static uint32_t venue_on_rows(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                              const void *rows, uint32_t cnt) {
    ((struct venue *)state)->said = 0;
    uint32_t heard = hear_rows(ctx, state, series, how, rows, cnt);
    tell_locks(ctx, state);
    return heard;
}

/* say_expired says that order has expired because the data has ended. False when
 * the call has no room to say so: the rest follows in an event of its own. */
static bool say_expired(struct rt_ctx *ctx, struct venue *v, const struct venue_order *order) {
    if (ctx->out_end - ctx->out < STATUS_BYTES) {
        rt_timer_set(ctx, TIMER_MORE, ctx->now_ns);
        return false;
    }
    say_status(ctx, v, &v->books[order->instrument - 1], order, 0, ORDER_STATUS_EXPIRED,
               REASON_END_OF_DATA);
    return true;
}

/* expire_open ends all open orders. False when the room ran out. */
static bool expire_open(struct rt_ctx *ctx, struct venue *v) {
    uint32_t cnt = rt_map_sorted(&v->orders.by_id, v->sorted);
    for (uint32_t i = 0; i < cnt; i++) {
        uint32_t idx = v->sorted[i].value;
        const struct venue_order *order = &v->orders.pool[idx];
        if (!say_expired(ctx, v, order)) return false;
        close_order(v, &v->books[order->instrument - 1], idx);
    }
    return true;
}

/* expire_flight ends all orders on their way in b. False when the room ran out. */
static bool expire_flight(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    if (b->flight_head == VENUE_NONE) return true;
    while (b->flight_head != VENUE_NONE) {
        const struct venue_order *order = &v->orders.pool[b->flight_head];
        bool place = venue_places(order->op);
        if (place && !say_expired(ctx, v, order)) return false;
        venue_orders_give(&v->orders, venue_orders_land(&v->orders, b));
        v->orders.cnt -= place;
    }
    rt_timer_cancel(ctx, b->instrument->id);
    return true;
}

/* expire_all ends all orders because the data has ended. */
static void expire_all(struct rt_ctx *ctx, struct venue *v) {
    venue_flush(ctx, v);
    if (v->answers.first != v->answers.next || v->more.first != v->more.next) {
        rt_timer_set(ctx, TIMER_MORE, ctx->now_ns);
        return;
    }
    bool room = expire_open(ctx, v);
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        room = room && expire_flight(ctx, v, &v->books[i]);
        venue_listen(ctx, v, &v->books[i]);
    }
}

/* tell_faults says of how many rows the recorded delay was below zero and counted as 0, where a leg
 * of the latency goes by it. */
static void tell_faults(struct rt_ctx *ctx, const struct venue *v) {
    const struct venue_legs *l = &v->legs;
    uint64_t faults = 0;
    if (l->feed.kind != VENUE_LATENCY_RECORDED && l->order.kind != VENUE_LATENCY_RECORDED &&
        l->answer.kind != VENUE_LATENCY_RECORDED) {
        return;
    }
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) faults += v->books[i].delay.faults;
    if (faults == 0) return;
    struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
    *a = (struct msg_alert){ .value = (int64_t)faults,
                             .actor = ctx->self,
                             .reason = REASON_DATA_CLOCK };
}

/* tell_silences says how often recorded books were silent, where that is looked at. */
static void tell_silences(struct rt_ctx *ctx, const struct venue *v) {
    uint64_t silences = 0;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        if (v->depths[i] != NULL) silences += v->depths[i]->silences;
    }
    if (silences == 0) return;
    struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
    *a = (struct msg_alert){ .value = (int64_t)silences,
                             .actor = ctx->self,
                             .reason = REASON_STALE_DATA };
}

/* tell_full says how many orders of others recorded books had no room for. */
static void tell_full(struct rt_ctx *ctx, const struct venue *v) {
    uint64_t full = 0;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        if (v->depths[i] != NULL) full += v->depths[i]->full;
    }
    if (full == 0) return;
    struct msg_alert *a = rt_say(ctx, MSG_ALERT, 0, sizeof *a);
    *a = (struct msg_alert){ .value = (int64_t)full,
                             .actor = ctx->self,
                             .reason = REASON_DATA_ORDERS };
}

/* end_term ends trading in b at its expiry, first thing of that instant; called again, when all of
 * it has been heard, it delivers what is held. */
static void end_term(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    if (b->term->stage == VENUE_TERM_TRADES) {
        b->term->stage = VENUE_TERM_ENDED;
        for (uint32_t a = 1; a <= v->market->account_cnt; a++) {
            cancel_all(ctx, v, b, (uint8_t)a, VENUE_ENDS);
        }
        if (b->driver == VENUE_CROWD) venue_crowd_tell(ctx, v, b);
        rt_timer_set(ctx, VENUE_TIMER_TERM + (uint64_t)b->instrument->id, ctx->now_ns + 1);
    } else {
        venue_term_deliver(ctx, v, b);
    }
    venue_listen(ctx, v, b);
}

/* venue_on_stop ends all orders when the data has ended. */
static void venue_on_stop(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct venue *v = state;
    const struct msg_stop *stop = msg_body(frame);
    v->said = 0;
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        if (v->crowds[i] != NULL) rt_timer_cancel(ctx, VENUE_TIMER_CROWD + i + 1);
    }
    tell_faults(ctx, v);
    tell_silences(ctx, v);
    tell_full(ctx, v);
    if (stop->reason != REASON_END_OF_DATA) { /* execution cancels what is to be canceled */
        venue_ledger_tell(ctx, v);
        return;
    }
    for (uint32_t i = 0; i < v->market->instrument_cnt; i++) {
        struct venue_book *b = &v->books[i];
        bool over = b->term != NULL && ctx->now_ns >= b->instrument->expiry_ns;
        if (over && b->term->stage == VENUE_TERM_TRADES) end_term(ctx, v, b);
        if (over) venue_term_deliver(ctx, v, b);
    }
    venue_ledger_tell(ctx, v);
    v->closed = true;
    expire_all(ctx, v);
    tell_locks(ctx, v);
}

/* on_due does what is due: requests arrive, answers are told, what found no room goes on. */
static void on_due(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    struct venue *v = state;
    const struct msg_timer *timer = msg_body(frame);
    if (timer->key == TIMER_LOCKS) return; /* told behind */
    if (timer->key == TIMER_MORE) {
        expire_all(ctx, v);
        return;
    }
    v->said = 0;
    if (timer->key == TIMER_ANSWER) {
        venue_answers_tell(ctx, &v->answers, ctx->now_ns, SAID_MAX, TIMER_ANSWER);
        return;
    }
    if (timer->key == TIMER_SAID) {
        venue_answers_tell(ctx, &v->more, ctx->now_ns, SAID_MAX, TIMER_SAID);
        return;
    }
    if (timer->key == TIMER_LAPSE) {
        lapse(ctx, v);
        return;
    }
    if (timer->key > VENUE_TIMER_TERM) {
        assert(timer->key <= VENUE_TIMER_TERM + (uint64_t)v->market->instrument_cnt);
        end_term(ctx, v, &v->books[timer->key - VENUE_TIMER_TERM - 1]);
        return;
    }
    if (timer->key > VENUE_TIMER_SILENT) {
        assert(timer->key <= VENUE_TIMER_SILENT + (uint64_t)v->market->instrument_cnt);
        venue_depth_silent(ctx, v, &v->books[timer->key - VENUE_TIMER_SILENT - 1]);
        return;
    }
    if (timer->key > VENUE_TIMER_CROWD) {
        assert(timer->key <= VENUE_TIMER_CROWD + (uint64_t)v->market->instrument_cnt);
        venue_crowd_step(ctx, v, &v->books[timer->key - VENUE_TIMER_CROWD - 1]);
        return;
    }
    if (timer->key > VENUE_TIMER_EAGER) {
        assert(timer->key <= VENUE_TIMER_EAGER + (uint64_t)v->market->instrument_cnt);
        struct venue_book *b = &v->books[timer->key - VENUE_TIMER_EAGER - 1];
        venue_depth_eager(ctx, v, b);
        return;
    }
    assert(timer->key <= v->market->instrument_cnt);
    struct venue_book *b = &v->books[timer->key - 1];
    venue_land(ctx, v, b);
    venue_listen(ctx, v, b);
}

/* venue_on_timer hears a timer. */
static void venue_on_timer(struct rt_ctx *ctx, void *state, const struct msg_frame *frame) {
    on_due(ctx, state, frame);
    tell_locks(ctx, state);
}

static const struct rt_option venue_options[] = {
    { "latency", "node", "0ns..1d | {feed, order, answer: model}", "0ns",
      "from a decision to the venue (on bars only whole bars count), or each leg's model" },
    { "children", "text", "first_fill | filled", "bars, trades: first_fill; else filled",
      "when exits that wait for their entry begin: with its first fill, growing, or its last" },
    { "queue", "node", "conservative | power | log | {power: n}", "power",
      "recorded books: where what is canceled at a level was, before or behind us" },
    { "participation", "text", "0..1 | 0%..100%", "0",
      "share of what a bar or trade has, or a book shows, that may be ours; 0 = no cap; "
      "instruments may have their own" },
    { "book_window", "int", "4096..1M, a power of two", "16384", "ticks of a book kept at hand" },
    { "book_levels", "int", "64..1M", "16384", "levels kept outside them" },
    { "book_orders", "int", "64..8M", "65536",
      "orders of others there is room for, in a book that is recorded order by order" },
    { "agents", "node", "{instruments: [NAME | {instrument, start_price}], ...}", "none",
      "simulated traders that make the market of instruments without a source" },
    { "insurance", "node", "{ASSET: amount}", "none",
      "what the insurance fund begins with; then liquidations go step by step, and where it cannot "
      "pay accounts are deleveraged" },
    { "order_cost", "node", "{market_buy: part, sale: part}", "{market_buy: 0.05%, sale: 0.15%}",
      "linear: how much above the ask a market buy and above the last price a sale counts when "
      "margin is looked at on its arrival" },
    { "limits", "node", "{order_rate: [{count, per}], max_orders, ...}", "none",
      "most orders of an account in a window; most it may have open over all instruments" },
    { "orders_max", "int", "1..65536", "4096", "orders open or on their way, at most" },
    { 0 },
};

static const uint16_t venue_says[] = { MSG_ALERT,
                                       MSG_VENUE_STATUS,
                                       MSG_VENUE_FILL,
                                       MSG_VENUE_LIQUIDATION,
                                       MSG_VENUE_DELIVERY,
                                       MSG_VENUE_FUNDING,
                                       MSG_VENUE_DELEVERAGE,
                                       MSG_VENUE_BOOKS,
                                       MSG_VENUE_AMENDED,
                                       MSG_VENUE_BALANCE,
                                       MSG_TRADE,
                                       MSG_QUOTE,
                                       MSG_BOOK_DELTA,
                                       0 };

const struct rt_actor_kind venue_kind = {
    .name = "venue",
    .help = "the simulated exchange: works orders on bars, trades or books and keeps the balances",
    .options = venue_options,
    .says = venue_says,
    .timer_class = RT_CLASS_VENUE,
    .hears_open = true,
    .state_bytes = sizeof(struct venue),
    .init = venue_init,
    .on = { [MSG_START] = venue_on_start,
            [MSG_VENUE_REQUEST] = venue_on_venue_request,
            [MSG_VENUE_REQUEST_MORE] = venue_on_venue_request,
            [MSG_VENUE_REPLACE] = venue_on_venue_request,
            [MSG_TIMER] = venue_on_timer,
            [MSG_STOP] = venue_on_stop },
    .on_rows = venue_on_rows,
    .save = venue_save,
    .load = venue_load,
};
