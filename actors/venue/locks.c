#include "actors/venue/locks.h"
#include "actors/market/margin.h"
#include "actors/venue/venue.h"
#include <assert.h>

enum { BALANCE_BYTES = 96 }; /* room that one balance needs, and more */

/* lock_of returns what account's orders lock in b. */
static struct venue_lock *lock_of(const struct venue *v, const struct venue_book *b,
                                  uint8_t account) {
    return &v->locks[(size_t)(account - 1) * v->market->instrument_cnt + b->instrument->id - 1];
}

/* with_fees adds the most that buying quantity for cost may be charged to it: all of it as an order
 * of its own, on any day. */
static cash_t with_fees(const struct mk_instrument *in, qty_t quantity, cash_t cost) {
    int64_t rate = in->maker_fee > in->taker_fee ? in->maker_fee : in->taker_fee;
    cash_t fee, charged;
    if (!mk_fee(cost, rate > 0 ? rate : 0, &fee) ||
        !mk_charges_most(in->charges, in->lot_size, SIDE_BUY, quantity, cost, &charged) ||
        __builtin_add_overflow(cost, fee, &cost) || __builtin_add_overflow(cost, charged, &cost)) {
        return INT64_MAX;
    }
    return cost;
}

int64_t venue_locks_of(const struct venue_book *b, const struct venue_order *order, qty_t quantity,
                       uint8_t stage) {
    cash_t cost;
    if (b->instrument->kind != MK_SPOT || order->type == ORDER_TYPE_MARKET ||
        order->terms & ORDER_TERMS_REDUCE_ONLY || stage == VENUE_PENDING || stage == VENUE_GONE) {
        return 0;
    }
    if (order->side == SIDE_SELL) return quantity;
    if (order->type == ORDER_TYPE_TRAILING_STOP) return 0;
    if (!mk_notional(b->instrument, quantity, order->price, &cost)) return INT64_MAX;
    return b->instrument->charges == NULL ? cost : with_fees(b->instrument, quantity, cost);
}

/* own returns what the order idx locks by itself where it is now. */
static int64_t own(const struct venue *v, const struct venue_book *b, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    if (!(order->flags & VENUE_MORE)) return venue_locks_of(b, order, order->quantity, VENUE_RESTS);
    const struct venue_more *m = &v->orders.more[idx];
    return venue_locks_of(b, order, order->quantity - m->waits, m->stage);
}

/* group returns what the order idx locks together with the open ones of its group: the most that
 * one of them does. besides: itself left out. */
static int64_t group(const struct venue *v, const struct venue_book *b, uint32_t idx,
                     bool besides) {
    const struct venue_order *order = &v->orders.pool[idx];
    int64_t most = besides ? 0 : own(v, b, idx);
    uint64_t oco = order->flags & VENUE_MORE ? v->orders.more[idx].terms.oco : 0;
    for (uint32_t i = oco == 0 ? VENUE_NONE : b->head; i != VENUE_NONE;
         i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        if (i == idx || o->account != order->account || !(o->flags & VENUE_MORE)) continue;
        if (v->orders.more[i].terms.oco != oco || o->side != order->side) continue;
        int64_t its = own(v, b, i);
        if (its > most) most = its;
    }
    return most;
}

uint16_t venue_locks_refuse(const struct venue *v, const struct venue_book *b, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    if (order->flags & VENUE_MORE && v->orders.more[idx].terms.parent != 0) return REASON_NONE;
    int64_t need = own(v, b, idx);
    if (need == 0) return REASON_NONE;
    if (need == INT64_MAX) return REASON_OVERFLOW;
    struct venue_purse p = venue_purse(v, b, order->account);
    __int128 total = order->side == SIDE_BUY ? p.cash : p.held.quantity;
    __int128 others = order->side == SIDE_BUY ? p.locked_quote : p.locked_base;
    others -= group(v, b, idx, true); /* its partners' lock serves it too */
    return need > total - others ? REASON_INSUFFICIENT_BALANCE : REASON_NONE;
}

/* set makes quote and base what account's orders lock in b. */
static void set(struct venue *v, struct venue_book *b, uint8_t account, cash_t quote, qty_t base) {
    struct venue_lock *l = lock_of(v, b, account);
    v->locked[account - 1].quote += (__int128)quote - l->quote;
    l->quote = quote;
    l->base = base;
    v->locked[account - 1].moved = v->locks_moved = true;
}

/* add adds to what account's orders lock in b, by side. */
static void add(struct venue *v, struct venue_book *b, const struct venue_order *order,
                int64_t more) {
    const struct venue_lock *l = lock_of(v, b, order->account);
    bool buy = order->side == SIDE_BUY;
    if (more == 0) return;
    set(v, b, order->account, l->quote + (buy ? more : 0), l->base + (buy ? 0 : more));
}

void venue_locks_put(struct venue *v, struct venue_book *b, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    if (b->instrument->kind != MK_SPOT) return;
    if (b->more_cnt > 0) {
        venue_locks_again(v, b, order->account);
    } else {
        add(v, b, order, own(v, b, idx));
    }
}

void venue_locks_take(struct venue *v, struct venue_book *b, uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    if (b->instrument->kind != MK_SPOT || b->more_cnt > 0) return;
    add(v, b, order, -own(v, b, idx));
}

void venue_locks_again(struct venue *v, struct venue_book *b, uint8_t account) {
    __int128 sum[2] = { 0, 0 };
    if (b->instrument->kind != MK_SPOT) return;
    for (uint32_t i = b->head; i != VENUE_NONE; i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        if (o->account != account) continue;
        int64_t its = own(v, b, i);
        uint64_t oco = o->flags & VENUE_MORE ? v->orders.more[i].terms.oco : 0;
        if (oco != 0 && its != 0) { /* the group's largest counts, of equals the first */
            for (uint32_t k = b->head; k != VENUE_NONE && its != 0; k = v->orders.pool[k].next) {
                const struct venue_order *p = &v->orders.pool[k];
                bool partner = p->account == account && p->flags & VENUE_MORE && k != i &&
                               v->orders.more[k].terms.oco == oco && p->side == o->side;
                int64_t theirs = partner ? own(v, b, k) : 0;
                if (theirs > its || (theirs == its && p->order_id < o->order_id)) its = 0;
            }
        }
        sum[o->side] += its;
    }
    for (int s = 0; s < 2; s++) {
        if (sum[s] > INT64_MAX) sum[s] = INT64_MAX;
    }
    set(v, b, account, (cash_t)sum[SIDE_BUY], (qty_t)sum[SIDE_SELL]);
}

void venue_locks_out(const struct venue *v, const struct venue_book *b, uint32_t idx,
                     struct venue_purse *p) {
    if (b->instrument->kind != MK_SPOT) return;
    int64_t mine = group(v, b, idx, false);
    if (v->orders.pool[idx].side == SIDE_BUY) {
        p->locked_quote -= mine;
    } else {
        p->locked_base -= mine;
    }
}

/* say says what account has of an asset, and how much of it is locked; instrument 0: quote cash. */
static void say(struct rt_ctx *ctx, uint8_t account, uint16_t instrument, uint16_t asset,
                int64_t total, int64_t locked) {
    struct msg_venue_balance *m = rt_say(ctx, MSG_VENUE_BALANCE, 0, sizeof *m);
    *m = (struct msg_venue_balance){ .total = total,
                                     .locked = locked,
                                     .instrument = instrument,
                                     .asset = asset,
                                     .account = account };
}

/* part returns how much of total is locked where open orders may cost locked. */
static int64_t part(__int128 locked, int64_t total) {
    if (locked > total) locked = total;
    return locked > 0 ? (int64_t)locked : 0;
}

void venue_locks_told(struct venue *v, const struct venue_book *b, uint8_t account) {
    struct venue_lock *l = lock_of(v, b, account);
    struct venue_locked *all = &v->locked[account - 1];
    l->told = l->base;
    all->told = all->quote;
    all->moved = v->locks_moved = false;
}

bool venue_locks_tell(struct rt_ctx *ctx, struct venue *v) {
    const struct mk_market *m = v->market;
    if (!v->locks_moved) return true;
    for (uint32_t a = 0; a < m->account_cnt; a++) {
        struct venue_locked *all = &v->locked[a];
        if (!all->moved) continue;
        if (all->quote != all->told) {
            if (ctx->out_end - ctx->out < BALANCE_BYTES) return false;
            all->told = all->quote;
            say(ctx, (uint8_t)(a + 1), 0, m->accounts[a].quote, v->cash[a],
                part(all->quote, v->cash[a]));
        }
        for (uint32_t i = 0; i < m->instrument_cnt; i++) {
            size_t at = (size_t)a * m->instrument_cnt + i;
            struct venue_lock *l = &v->locks[at];
            qty_t held = v->holdings[at].quantity;
            if (l->base == l->told) continue;
            if (ctx->out_end - ctx->out < BALANCE_BYTES) return false;
            l->told = l->base;
            say(ctx, (uint8_t)(a + 1), (uint16_t)(i + 1), m->instruments[i].base_asset, held,
                part(l->base, held));
        }
        all->moved = false;
    }
    v->locks_moved = false;
    return true;
}
