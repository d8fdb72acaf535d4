#include "actors/venue/crowd.h"
#include "actors/venue/amend.h"
#include "actors/venue/average.h"
#include "actors/venue/backing.h"
#include "actors/venue/path.h"
#include "actors/venue/term.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

/* Figures of a market beyond those of the traders. */
enum { FIGURE_PRINTS = AG_FIGURES, FIGURE_UPDATES, FIGURES };
_Static_assert((int)FIGURES <= (int)VENUE_CROWD_FIGURES, "room for all figures");

static const int64_t PRICE_MAX = INT64_C(10000000) * FIXED_ONE; /* highest price to start at */

/* crowd_of returns b's market. */
static inline struct venue_crowd *crowd_of(const struct venue *v, const struct venue_book *b) {
    return v->crowds[b->instrument->id - 1];
}

/* --- what is declared ---------------------------------------------------------------------- */

/* read_count reads how many traders of a kind there are. */
static int read_count(struct rt_node *map, const char *key, uint32_t *cnt, struct rt_error *err) {
    int64_t n;
    int rc = rt_node_int(map, key, false, 0, AG_TRADERS_MAX, *cnt, &n, err);
    if (rc == 0) *cnt = (uint32_t)n;
    return rc;
}

/* read_common reads what holds for all instruments. */
static int read_common(struct rt_node *map, struct ag_options *o, int64_t *seed, double *notional,
                       struct rt_error *err) {
    int64_t patience_ns;
    int rc = rt_node_int(map, "seed", false, 0, INT64_MAX, *seed, seed, err);
    if (rc == 0) rc = rt_node_double(map, "rate", false, 0.01, 1000, o->rate, &o->rate, err);
    if (rc == 0) {
        rc = rt_node_double(map, "excitation", false, 0, 0.95, o->excitation, &o->excitation, err);
    }
    if (rc == 0) {
        rc = rt_node_double(map, "spread_bps", false, 0.01, 1000, o->spread_bps, &o->spread_bps,
                            err);
    }
    if (rc == 0) {
        rc = rt_node_double(map, "depth_bps", false, 0.1, 1000, o->depth_bps, &o->depth_bps, err);
    }
    if (rc == 0) {
        rc = rt_node_duration(map, "patience", false, INT64_C(1000000000), INT64_C(86400000000000),
                              (int64_t)(o->patience_s * 1e9), &patience_ns, err);
        if (rc == 0) o->patience_s = (double)patience_ns * 1e-9;
    }
    if (rc == 0) {
        rc = rt_node_double(map, "shocks", false, 0, 1000, o->day_shocks, &o->day_shocks, err);
    }
    if (rc == 0) rc = rt_node_double(map, "order_notional", false, 0.01, 1e9, 1000, notional, err);
    if (rc == 0) rc = read_count(map, "noise", &o->cnt[AG_NOISE], err);
    if (rc == 0) rc = read_count(map, "makers", &o->cnt[AG_MAKER], err);
    if (rc == 0) rc = read_count(map, "momentum", &o->cnt[AG_MOMENTUM], err);
    if (rc == 0) rc = read_count(map, "value", &o->cnt[AG_VALUE], err);
    return rc;
}

/* read_own reads what an instrument may have for itself: from map n, or from the common one. */
static int read_own(struct rt_node *n, bool required, int64_t *price, double *volatility,
                    struct rt_error *err) {
    int rc = rt_node_fixed(n, "start_price", required, 1, PRICE_MAX, *price, price, err);
    if (rc == 0) {
        rc = rt_node_double(n, "volatility", false, 0.01, 10, *volatility, volatility, err);
    }
    return rc;
}

/* read_instrument reads one entry of instruments:. */
static int read_instrument(struct rt_node *n, const struct mk_market *m, struct ag_options o,
                           int64_t price, double notional, bool book,
                           struct venue_crowd_options *out, struct rt_error *err) {
    static const char *const known[] = { "instrument", "start_price", "volatility", NULL };
    const char *name = n->kind == RT_NODE_SCALAR ? n->text : NULL;
    n->used = true;
    if (n->kind == RT_NODE_MAP) {
        int rc = rt_node_text(n, "instrument", true, 31, NULL, &name, err);
        if (rc == 0) rc = read_own(n, price == 0, &price, &o.volatility, err);
        if (rc == 0) rc = rt_node_no_more(n, known, err);
        if (rc != 0) return rc;
    }
    const struct mk_instrument *in = name == NULL ? NULL : mk_instrument_find(m, name);
    if (in == NULL) return rt_node_fail(n, err, "expected one of instruments:");
    if (out[in->id - 1].declared) return rt_node_fail(n, err, "%s stands here twice", name);
    if (price == 0) return rt_node_fail(n, err, "%s has no start_price", name);
    double lot = notional / ((double)price / FIXED_ONE) * FIXED_ONE / (double)in->lot_size;
    o.start = price / in->tick_size;
    o.size = lot < 1 ? 1 : lot > 1e9 ? 1000000000 : (int64_t)lot;
    o.stream = in->id;
    const char *bad = ag_wrong(&o);
    if (bad != NULL) return rt_node_fail(n, err, "%s: %s", name, bad);
    out[in->id - 1] = (struct venue_crowd_options){ .market = o, .declared = true, .book = book };
    return 0;
}

int venue_crowd_options_read(struct rt_node *config, const struct mk_market *m, uint64_t seed,
                             struct venue_crowd_options *out, struct rt_error *err) {
    static const char *const known[] = {
        "instruments",    "seed",       "start_price", "volatility", "rate",
        "excitation",     "spread_bps", "depth_bps",   "patience",   "shocks",
        "order_notional", "noise",      "makers",      "momentum",   "value",
        "book",           NULL
    };
    struct rt_node *map, *list;
    struct ag_options o;
    int64_t price = 0, draws = (int64_t)(seed & INT64_MAX);
    double notional;
    bool book;
    ag_defaults(&o);
    int rc = rt_node_map(config, "agents", false, &map, err);
    if (rc != 0 || map == NULL) return rc;
    rc = rt_node_list(map, "instruments", true, &list, err);
    if (rc == 0) rc = read_common(map, &o, &draws, &notional, err);
    if (rc == 0) rc = read_own(map, false, &price, &o.volatility, err);
    if (rc == 0) rc = rt_node_bool(map, "book", false, &book, err);
    if (rc == 0) rc = rt_node_no_more(map, known, err);
    if (rc != 0) return rc;
    o.seed = (uint64_t)draws;
    for (struct rt_node *n = list->child; n != NULL; n = n->next) {
        rc = read_instrument(n, m, o, price, notional, book, out, err);
        if (rc != 0) return rc;
    }
    return 0;
}

/* on_level notes that a level shows lots now. */
static void on_level(void *ctx, uint8_t side, int64_t price, int64_t lots) {
    struct venue_crowd *c = ctx;
    for (uint32_t i = 0; i < c->changed_cnt; i++) {
        struct venue_changed *level = &c->changed[i];
        if (level->price != price || level->side != side) continue;
        level->lots = lots;
        return;
    }
    if (c->changed_cnt == VENUE_CHANGED_MAX) {
        c->all = true;
        return;
    }
    c->changed[c->changed_cnt++] =
        (struct venue_changed){ .price = price, .lots = lots, .side = side };
}

/* traded_of returns the lots that order adds to (below zero: takes off) account's long or short in
 * hedge mode by trading lots. */
static int64_t traded_of(const struct venue_order *order, uint8_t account, bool shorts,
                         int64_t lots) {
    if (order->account != account || mk_order_short(order->side, order->terms) != shorts) return 0;
    return order->terms & ORDER_TERMS_EXIT ? -lots : lots;
}

/* by_id returns our open order that the engine numbers id, NULL for others'. One that the engine
 * has just taken is found by what it told, which is not heard yet. */
static const struct venue_order *by_id(const struct venue_crowd *c, uint64_t id) {
    const struct venue *v = c->v;
    const struct vm_out *out = &c->ag->out;
    uint32_t idx = c->b->head;
    while (idx != VENUE_NONE && c->ids[idx] != id) idx = v->orders.pool[idx].next;
    for (uint32_t i = 0; i < out->cnt && idx == VENUE_NONE; i++) {
        const struct vm_event *e = &out->at[i];
        if (e->id == id && e->owner < c->owners) idx = venue_orders_find(&v->orders, e->tag);
    }
    return idx == VENUE_NONE ? NULL : &v->orders.pool[idx];
}

/* closes_now returns the lots that the open order of an account in hedge mode closes when it fires:
 * of its long or short, with what the engine has traded of it and not told yet. */
static int64_t closes_now(const struct venue_crowd *c, const struct venue_order *order) {
    const struct venue *v = c->v;
    const struct vm_out *out = &c->ag->out;
    const bool shorts = mk_order_short(order->side, order->terms);
    const struct venue_purse p = venue_purse(v, c->b, order->account);
    int64_t lots = venue_closes(c->b, &p, order->side) / c->b->instrument->lot_size;
    for (uint32_t i = 0; i < out->cnt; i++) {
        const struct vm_event *e = &out->at[i];
        if (e->kind != VM_TRADED && e->kind != VM_TRANSFERRED) continue;
        const struct venue_order *maker = by_id(c, e->id), *taker = by_id(c, e->other);
        if (maker != NULL) lots += traded_of(maker, order->account, shorts, e->lots);
        if (taker != NULL) lots += traded_of(taker, order->account, shorts, e->lots);
    }
    return lots;
}

/* on_fire tells which rule of the venue an order of ours whose trigger is met does not keep, as
 * what it becomes; REASON_NONE where it keeps all, and of others' orders. In hedge mode it tells,
 * too, what an order to close closes: the engine knows one position an account. */
static uint16_t on_fire(void *ctx, struct vm_fired *fired) {
    const struct venue_crowd *c = ctx;
    const struct mk_instrument *in = c->b->instrument;
    uint32_t idx =
        fired->owner >= c->owners ? VENUE_NONE : venue_orders_find(&c->v->orders, fired->tag);
    if (idx == VENUE_NONE) return REASON_NONE;
    struct venue_order as = c->v->orders.pool[idx];
    if (as.terms & ORDER_TERMS_CLOSE_POSITION && c->v->market->accounts[as.account - 1].hedge) {
        fired->lots = closes_now(c, &as);
        if (fired->lots <= 0) {
            fired->lots = 0;
            return REASON_REDUCE_ONLY;
        }
    }
    as.quantity = fired->lots * in->lot_size;
    const struct mk_more *more = as.flags & VENUE_MORE ? &c->v->orders.more[idx].terms : NULL;
    return venue_rules_trigger(c->b, &as, more, fired->last * in->tick_size);
}

struct venue_crowd *venue_crowd_new(struct rt_init *init, const struct venue_crowd_options *options,
                                    const struct venue *v, const struct venue_book *b) {
    struct venue_crowd *c = rt_init_take(init, sizeof *c);
    const uint32_t owners = v->market->account_cnt, slots = 2 * v->orders.max;
    struct ag_options o = options->market;
    o.first_owner = owners;
    o.others_max = slots / 2;
    if (options->book) {
        c->changed = rt_init_take(init, VENUE_CHANGED_MAX * sizeof *c->changed);
        o.on_level = on_level;
        o.level_ctx = c;
    }
    bool hedge = false;
    for (uint32_t i = 0; i < owners; i++) hedge = hedge || v->market->accounts[i].hedge;
    if (hedge || b->instrument->filters != NULL) {
        o.on_fire = on_fire;
        o.fire_ctx = c;
    }
    c->v = v;
    c->b = b;
    c->ag = ag_init(rt_init_take(init, ag_bytes(&o)), &o);
    if (options->book) c->levels = rt_init_take(init, c->ag->orders_max * sizeof *c->levels);
    c->row_max = 1 + owners + c->ag->traders + c->ag->orders_max;
    c->rows = rt_init_take(init, c->row_max * sizeof *c->rows);
    c->ids = rt_init_take(init, slots * sizeof *c->ids);
    c->decided = rt_init_take(init, slots * sizeof *c->decided);
    c->owners = owners;
    c->found = true;
    return c;
}

/* --- events -------------------------------------------------------------------------------- */

/* find_ids finds which of the engine's orders are ours, once after a load, before the engine is
 * told anything. */
static void find_ids(struct venue *v, struct venue_crowd *c) {
    struct vm_view view;
    if (c->found) return;
    c->found = true;
    for (uint64_t id = 0; (id = vm_order_next(c->ag->vm, id)) != 0;) {
        if (!vm_find(c->ag->vm, id, &view) || view.owner >= c->owners) continue;
        uint32_t idx = venue_orders_find(&v->orders, view.tag);
        if (idx != VENUE_NONE) c->ids[idx] = id;
    }
}

/* ours returns the slot of b's open order that the engine numbers id, VENUE_NONE for others'. */
static uint32_t ours(const struct venue *v, const struct venue_book *b, uint64_t id) {
    const struct venue_crowd *c = crowd_of(v, b);
    uint32_t idx = b->head;
    while (idx != VENUE_NONE && c->ids[idx] != id) idx = v->orders.pool[idx].next;
    return idx;
}

/* oco_of returns the group of the open order idx, 0 = none. */
static uint64_t oco_of(const struct venue *v, uint32_t idx) {
    bool more = v->orders.pool[idx].flags & VENUE_MORE;
    return more ? v->orders.more[idx].terms.oco : 0;
}

/* end says how the order idx ended, without a fill, and ends what hangs on it. */
static void end(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                uint8_t status, uint16_t reason) {
    const struct venue_deal deal = { .status = status, .reason = reason };
    uint64_t id = v->orders.pool[idx].order_id;
    uint8_t account = v->orders.pool[idx].account;
    venue_tell(ctx, v, b, idx, &deal);
    venue_path_after(ctx, v, b, account, id, 0, VENUE_FATE_ENDED);
}

/* decided_of returns where the fate of the open order idx, of c, is noted: the newest where it has
 * several. What hangs on it ends and begins when all that one taker met has been told: who stood in
 * its way with two orders of one group has traded both. */
static struct venue_decided *decided_of(const struct venue *v, struct venue_crowd *c,
                                        uint32_t idx) {
    const struct venue_order *order = &v->orders.pool[idx];
    uint32_t i = 0;
    while (i < c->decided_cnt && c->decided[i].id != order->order_id) i++;
    if (i < c->decided_cnt) return &c->decided[i];
    c->decided[c->decided_cnt++] = (struct venue_decided){
        .id = order->order_id,
        .oco = oco_of(v, idx),
        .parent = order->flags & VENUE_MORE ? v->orders.more[idx].terms.parent : 0,
        .account = order->account,
    };
    return &c->decided[i];
}

/* fill books what the order idx traded; left: its lots open in the engine then. */
static void fill(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 const struct vm_event *e, int64_t left, uint8_t liquidity) {
    const struct mk_instrument *in = b->instrument;
    struct venue_order *order = &v->orders.pool[idx];
    const uint64_t id = order->order_id;
    const uint8_t account = order->account;
    const qty_t had = v->orders.more[idx].filled;
    const bool waits = venue_left(v, idx) < order->quantity, grows = venue_grows(v, b);
    struct venue_decided *d = decided_of(v, crowd_of(v, b), idx);
    struct venue_purse p = venue_purse_now(ctx, v, b, account);
    struct venue_deal deal;
    qty_t quantity = e->lots * in->lot_size;
    assert(quantity <= venue_left(v, idx));
    venue_locks_out(v, b, idx, &p);
    p.so_far = venue_charged(v, idx);
    venue_account_deal(&p, b, order, quantity, e->price * in->tick_size, liquidity, &deal);
    venue_purse_put(v, b, account, &p);
    bool stays = deal.status == ORDER_STATUS_PARTIALLY_FILLED;
    enum venue_fate fate = deal.status == ORDER_STATUS_FILLED ? VENUE_FATE_FILLED
                           : stays                            ? VENUE_FATE_FIRED
                           : deal.quantity > 0                ? VENUE_FATE_CUT
                                                              : VENUE_FATE_ENDED;
    d->fate = (uint8_t)fate;
    d->filled += deal.quantity;
    venue_tell(ctx, v, b, idx, &deal);
    if (grows && deal.quantity > 0) {
        venue_joined(ctx, v, id, had + deal.quantity, 0);
    } else if (fate == VENUE_FATE_FILLED) {
        venue_joined(ctx, v, id, INT64_MAX, 0);
    }
    if (stays && left == 0) { /* it had been cut; or, a child that has traded, it ends its parent */
        end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, waits ? REASON_LIST_PARENT : REASON_REDUCE_ONLY);
    }
}

/* print says a trade, after the fills of ours that it is. */
static void print(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                  const struct vm_event *e) {
    struct venue_crowd *c = crowd_of(v, b);
    uint32_t taker = b->open_cnt == 0 ? VENUE_NONE : ours(v, b, e->other);
    if (c->work != NULL && e->other == c->work_id) {
        venue_backing_part(ctx, v, b, c->work, e->lots * b->instrument->lot_size,
                           e->price * b->instrument->tick_size);
    }
    if (taker != VENUE_NONE) fill(ctx, v, b, taker, e, e->other_left, LIQUIDITY_TAKER);
    uint32_t maker = b->open_cnt == 0 ? VENUE_NONE : ours(v, b, e->id);
    if (maker != VENUE_NONE) fill(ctx, v, b, maker, e, e->left, LIQUIDITY_MAKER);
    if (b->term != NULL) {
        venue_term_price(b, ctx->now_ns, e->price * b->instrument->tick_size, false);
    }
    if (b->average != NULL) {
        venue_average_trade(b->average, ctx->now_ns, e->price * b->instrument->tick_size,
                            e->lots * b->instrument->lot_size);
    }
    struct msg_trade *t = rt_say(ctx, MSG_TRADE, 0, sizeof *t);
    *t = (struct msg_trade){ .time_ns = ctx->now_ns,
                             .trade_id = (int64_t)++c->prints,
                             .price = e->price * b->instrument->tick_size,
                             .quantity = e->lots * b->instrument->lot_size,
                             .instrument = b->instrument->id,
                             .aggressor = e->side };
}

/* lose takes what self-trade prevention has of the order idx off it, and tells what is left; where
 * nothing is its end follows. */
static void lose(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                 qty_t quantity) {
    struct venue_order *o = &v->orders.pool[idx];
    if (quantity >= o->quantity) return;
    venue_locks_take(v, b, idx);
    o->quantity -= quantity;
    venue_locks_put(v, b, idx);
    const struct venue_figures now = {
        .price = o->price,
        .stop_price = o->flags & VENUE_MORE ? v->orders.more[idx].terms.stop_price : 0,
        .quantity = o->quantity,
    };
    venue_say_amended(ctx, v, b, o, &now, REASON_SELF_TRADE, false);
}

/* prevented takes what two orders of ours have lost to self-trade prevention: where it moves
 * between accounts each has it as a fill, without a fee and without a public trade. */
static void prevented(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                      const struct vm_event *e) {
    const qty_t lost = e->lots * b->instrument->lot_size;
    if (e->lots == 0) return; /* their ends follow */
    uint32_t taker = ours(v, b, e->other);
    if (taker != VENUE_NONE && e->kind == VM_TRANSFERRED) {
        fill(ctx, v, b, taker, e, e->other_left, LIQUIDITY_NONE);
    } else if (taker != VENUE_NONE) {
        lose(ctx, v, b, taker, lost);
    }
    uint32_t maker = ours(v, b, e->id);
    if (maker != VENUE_NONE && e->kind == VM_TRANSFERRED) {
        fill(ctx, v, b, maker, e, e->left, LIQUIDITY_NONE);
    } else if (maker != VENUE_NONE) {
        lose(ctx, v, b, maker, lost);
    }
}

/* hear takes one event of the engine. */
static void hear(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                 const struct vm_event *e) {
    struct venue_crowd *c = crowd_of(v, b);
    ag_heed(c->ag, e);
    if (e->kind == VM_TRADED) {
        print(ctx, v, b, e);
        return;
    }
    if (e->owner >= c->owners) return;
    if (e->kind == VM_PREVENTED || e->kind == VM_TRANSFERRED) {
        prevented(ctx, v, b, e);
        return;
    }
    uint32_t idx = venue_orders_find(&v->orders, e->tag);
    if (idx == VENUE_NONE) return; /* closed before it was canceled */
    if (e->kind == VM_ACCEPTED) c->ids[idx] = e->id;
    if (e->kind == VM_TRIGGERED) {
        struct venue_order *o = &v->orders.pool[idx];
        const struct venue_figures now = { .price = o->price,
                                           .quantity = e->lots * b->instrument->lot_size };
        if (o->terms & ORDER_TERMS_CLOSE_POSITION && now.quantity > 0) {
            o->quantity = now.quantity;
            venue_say_amended(ctx, v, b, o, &now, REASON_NONE, false);
        }
        decided_of(v, c, idx)->fate = VENUE_FATE_FIRED;
    }
    if (e->kind == VM_REFUSED) end(ctx, v, b, idx, ORDER_STATUS_REJECTED, e->reason);
    if (e->kind == VM_EXPIRED) end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, e->reason);
}

/* same_positions brings what the engine holds our accounts to have to what they have. */
static void same_positions(const struct venue *v, const struct venue_book *b) {
    struct venue_crowd *c = crowd_of(v, b);
    for (uint32_t i = 0; i < c->owners; i++) {
        size_t at = (size_t)i * v->market->instrument_cnt + b->instrument->id - 1;
        int64_t lots = v->holdings[at].quantity / b->instrument->lot_size;
        if (vm_position_of(c->ag->vm, i) != lots) vm_position(c->ag->vm, i, lots);
    }
}

/* child returns the order whose parent has been filled and that is still to be sent, or to grow,
 * with the smallest order id; VENUE_NONE when there is none. */
static uint32_t child(const struct venue *v, const struct venue_book *b) {
    uint32_t found = VENUE_NONE;
    for (uint32_t i = b->more_cnt == 0 ? VENUE_NONE : b->head; i != VENUE_NONE;
         i = v->orders.pool[i].next) {
        const struct venue_order *o = &v->orders.pool[i];
        if (!(o->flags & VENUE_MORE) || v->orders.more[i].stage != VENUE_FRESH) continue;
        if (found == VENUE_NONE || o->order_id < v->orders.pool[found].order_id) found = i;
    }
    return found;
}

static void place(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);

/* grow lets the order idx have more lots in the engine: all that is free of it. A limit is behind
 * those that are there then, a trigger stays as it is. False when it is not there. */
static bool grow(struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_crowd *c = crowd_of(v, b);
    struct vm_view view;
    if (c->ids[idx] == 0 || !vm_find(c->ag->vm, c->ids[idx], &view)) return false;
    const int64_t lots = venue_left(v, idx) / b->instrument->lot_size;
    v->orders.more[idx].stage = VENUE_RESTS;
    if (lots > view.left) {
        (void)vm_amend(c->ag->vm, view.id, 0, view.quantity + lots - view.left, VM_AMEND_RULE);
    }
    return true;
}

/* pump tells all that the engine has told. What it says of our orders may end others of ours, which
 * it then tells too, and set others free, which are sent then. */
static void pump(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    struct venue_crowd *c = crowd_of(v, b);
    struct vm_out *out = &c->ag->out;
    const bool grows = venue_grows(v, b);
    find_ids(v, c);
    for (uint32_t next;;) {
        while (out->cnt > 0) {
            c->pumping = true;
            for (uint32_t i = 0, next_fate = 0;;) {
                while (i < out->cnt) hear(ctx, v, b, &out->at[i++]);
                if (next_fate == c->decided_cnt) break;
                const struct venue_decided d = c->decided[next_fate++];
                if (grows && d.fate != VENUE_FATE_ENDED) {
                    venue_path_part(ctx, v, b, d.account, d.id, d.parent, d.filled);
                }
                venue_path_after(ctx, v, b, d.account, d.id, d.oco, (enum venue_fate)d.fate);
            }
            c->decided_cnt = 0;
            out->cnt = 0;
            c->pumping = false;
            same_positions(v, b);
        }
        next = child(v, b);
        if (next == VENUE_NONE) break;
        if (!grow(v, b, next)) place(ctx, v, b, next);
    }
    b->last = vm_last(c->ag->vm) * b->instrument->tick_size;
}

bool venue_crowd_force(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       struct venue_worked *w) {
    struct venue_crowd *c = crowd_of(v, b);
    int64_t lots = w->rest / b->instrument->lot_size, price = w->limit / b->instrument->tick_size;
    struct vm_new n = { .lots = lots < VM_LOTS_MAX ? lots : VM_LOTS_MAX,
                        .price = price < VM_PRICE_MAX ? price : VM_PRICE_MAX,
                        .owner = (uint32_t)w->account - 1,
                        .type = VM_LIMIT,
                        .tif = VM_IOC,
                        .stp = VM_STP_NONE,
                        .side = w->side == SIDE_BUY ? VM_BUY : VM_SELL };
    pump(ctx, v, b); /* what is said of others comes first */
    c->work = w;
    c->work_id = vm_place(c->ag->vm, &n);
    pump(ctx, v, b);
    c->work = NULL;
    return true;
}

/* --- the venue's side ---------------------------------------------------------------------- */

/* drop heeds events that say nothing to us. */
static void drop(struct venue_crowd *c) {
    for (uint32_t i = 0; i < c->ag->out.cnt; i++) ag_heed(c->ag, &c->ag->out.at[i]);
    c->ag->out.cnt = 0;
}

void venue_crowd_leave(struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_crowd *c = crowd_of(v, b);
    struct vm_view view;
    find_ids(v, c);
    if (c->ids[idx] != 0 && vm_find(c->ag->vm, c->ids[idx], &view)) {
        (void)vm_cancel(c->ag->vm, c->ids[idx], VM_ANY);
        if (!c->pumping) drop(c);
    }
    c->ids[idx] = 0;
}

/* say_level says one level of an update. */
static void say_level(struct rt_ctx *ctx, const struct venue_book *b, uint64_t update, uint8_t side,
                      int64_t price, int64_t lots, uint8_t flags) {
    struct msg_book_delta *row = rt_say(ctx, MSG_BOOK_DELTA, 0, sizeof *row);
    *row = (struct msg_book_delta){ .time_ns = ctx->now_ns,
                                    .update_id = update,
                                    .price = price * b->instrument->tick_size,
                                    .quantity = lots * b->instrument->lot_size,
                                    .instrument = b->instrument->id,
                                    .side = side == VM_BUY ? SIDE_BUY : SIDE_SELL,
                                    .flags = flags };
}

/* tell_whole says the whole book as an update of its own, a snapshot. */
static void tell_whole(struct rt_ctx *ctx, const struct venue_book *b, struct venue_crowd *c) {
    const struct vm *vm = c->ag->vm;
    uint8_t flags = BOOK_FLAGS_FIRST | BOOK_FLAGS_SNAPSHOT;
    c->updates++;
    for (uint8_t side = VM_BUY; side <= VM_SELL; side++) {
        uint32_t cnt = vm_depth(vm, side, c->levels, c->ag->orders_max);
        for (uint32_t i = 0; i < cnt; i++) {
            say_level(ctx, b, c->updates, side, c->levels[i].price, c->levels[i].lots, flags);
            flags = BOOK_FLAGS_SNAPSHOT;
        }
    }
    say_level(ctx, b, c->updates, VM_BUY, 0, 0, flags | BOOK_FLAGS_LAST);
}

/* tell_book says what has changed in the book since it was last told. */
static void tell_book(struct rt_ctx *ctx, const struct venue_book *b, struct venue_crowd *c) {
    uint32_t cnt = c->changed_cnt;
    c->changed_cnt = 0;
    if (c->all) {
        c->all = false;
        tell_whole(ctx, b, c);
        return;
    }
    if (cnt > 0) c->updates++;
    for (uint32_t i = 0; i < cnt; i++) {
        const struct venue_changed *level = &c->changed[i];
        uint8_t flags = (i == 0 ? BOOK_FLAGS_FIRST : 0) | (i + 1 == cnt ? BOOK_FLAGS_LAST : 0);
        say_level(ctx, b, c->updates, (uint8_t)level->side, level->price, level->lots, flags);
    }
}

/* level gives price and quantity of the best level of side, 0 where it is empty. */
static void level(const struct venue_book *b, const struct vm *vm, enum vm_side side,
                  price_t *price, qty_t *quantity) {
    struct vm_depth best = { 0 };
    (void)vm_depth(vm, side, &best, 1);
    *price = best.price * b->instrument->tick_size;
    *quantity = best.lots * b->instrument->lot_size;
}

void venue_crowd_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    struct venue_crowd *c = crowd_of(v, b);
    pump(ctx, v, b);
    price_t price = b->mark > 0 ? b->mark : b->last;
    if (b->backed_cnt > 0 && price > 0) {
        venue_backing_sweep(ctx, v, b, price);
        same_positions(v, b);
        pump(ctx, v, b);
    }
    if (c->changed != NULL) tell_book(ctx, b, c);
    struct msg_quote now = { .time_ns = c->told.time_ns, .instrument = b->instrument->id };
    level(b, c->ag->vm, VM_BUY, &now.bid, &now.bid_quantity);
    level(b, c->ag->vm, VM_SELL, &now.ask, &now.ask_quantity);
    if (memcmp(&now, &c->told, sizeof now) == 0) return;
    now.time_ns = ctx->now_ns;
    c->told = now;
    *(struct msg_quote *)rt_say(ctx, MSG_QUOTE, 0, sizeof now) = now;
}

void venue_crowd_start(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    struct ag *ag = crowd_of(v, b)->ag;
    ag_start(ag, ctx->now_ns);
    crowd_of(v, b)->all = true;
    venue_crowd_tell(ctx, v, b);
    rt_timer_set(ctx, VENUE_TIMER_CROWD + b->instrument->id, ag_next_ns(ag));
}

void venue_crowd_step(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    struct ag *ag = crowd_of(v, b)->ag;
    find_ids(v, crowd_of(v, b)); /* while the engine still has what is filled now */
    ag_step(ag);
    venue_crowd_tell(ctx, v, b);
    rt_timer_set(ctx, VENUE_TIMER_CROWD + b->instrument->id, ag_next_ns(ag));
}

/* covers_charged tells whether cash covers a purchase of quantity, lots of which the book has, with
 * its fee and charges: a bit for each order there, by which each fill may round. */
static bool covers_charged(const struct venue_book *b, const struct vm *vm,
                           const struct venue_purse *p, qty_t quantity, int64_t lots,
                           __int128 cash) {
    static const struct mk_charged none;
    const struct mk_instrument *in = b->instrument;
    int64_t low = 0, high = INT64_MAX, fee; /* ticks x lots: too little, enough */
    cash_t value, charged;
    while (high - low > 1) {
        int64_t mid = low + (high - low) / 2;
        if (vm_lots_for(vm, VM_BUY, mid) < lots) {
            low = mid;
        } else {
            high = mid;
        }
    }
    __int128 exact = (__int128)high * in->tick_size; /* within 2^63 x 2^63 */
    if (__builtin_mul_overflow(exact, (__int128)in->lot_size, &exact) ||
        !fixed_div128(exact, FIXED_ONE, FIXED_UP, &value) ||
        !mk_fee(value, p->tier != NULL ? p->tier->taker : in->taker_fee, &fee) ||
        !mk_charges_of(in->charges, in->lot_size, SIDE_BUY, p->now_ns, &none, quantity, value,
                       &charged)) {
        return false;
    }
    return (__int128)value + fee + charged + 2 * (__int128)vm_open(vm) <= cash;
}

/* short_of returns why a fill-or-kill order cannot be filled whole, REASON_NONE when it can. */
static uint16_t short_of(struct rt_ctx *ctx, struct venue *v, const struct venue_book *b,
                         uint32_t idx, int64_t lots) {
    const struct venue_order *order = &v->orders.pool[idx];
    const struct vm *vm = crowd_of(v, b)->ag->vm;
    const struct mk_instrument *in = b->instrument;
    enum vm_side side = order->side == SIDE_BUY ? VM_BUY : VM_SELL;
    struct venue_purse p = venue_purse_now(ctx, v, b, order->account);
    if (vm_lots_for(vm, side, INT64_MAX) < lots) return REASON_FILL_OR_KILL;
    if (in->kind != MK_SPOT) return REASON_NONE; /* of contracts nothing is cut */
    venue_locks_out(v, b, idx, &p);
    if (side == VM_SELL) {
        __int128 base = (__int128)p.held.quantity - p.locked_base;
        return base < order->quantity ? REASON_INSUFFICIENT_BALANCE : REASON_NONE;
    }
    __int128 cash = (__int128)p.cash - p.locked_quote;
    if (in->charges != NULL) {
        return covers_charged(b, vm, &p, order->quantity, lots, cash) ? REASON_NONE
                                                                      : REASON_INSUFFICIENT_BALANCE;
    }
    __int128 budget = cash <= 0 ? 0 : cash * FIXED_ONE / in->tick_size / in->lot_size;
    int64_t most = budget > INT64_MAX ? INT64_MAX : (int64_t)budget;
    return vm_lots_for(vm, side, most) < lots ? REASON_INSUFFICIENT_BALANCE : REASON_NONE;
}

/* terms_of puts the type of order, its prices and how long it stays into n; m: its further terms,
 * NULL = none. Good till date, parents and groups are the venue's. */
static void terms_of(const struct mk_instrument *in, const struct venue_order *order,
                     const struct mk_more *m, struct vm_new *n) {
    static const enum vm_type types[] = {
        [ORDER_TYPE_LIMIT] = VM_LIMIT,        [ORDER_TYPE_MARKET] = VM_MARKET,
        [ORDER_TYPE_STOP] = VM_STOP,          [ORDER_TYPE_STOP_LIMIT] = VM_STOP_LIMIT,
        [ORDER_TYPE_TAKE_PROFIT] = VM_TAKE,   [ORDER_TYPE_TAKE_PROFIT_LIMIT] = VM_TAKE_LIMIT,
        [ORDER_TYPE_TRAILING_STOP] = VM_TAKE, /* its activation is met on the far side */
    };
    int64_t ticks = order->price / in->tick_size;
    n->type = types[order->type];
    if (mk_order_waits(order->type)) n->flags |= VM_NOW;
    if (mk_order_limited(order->type)) {
        n->price = ticks;
        n->tif = order->terms & ORDER_TERMS_IOC         ? VM_IOC
                 : order->terms & ORDER_TERMS_FOK       ? VM_FOK
                 : order->terms & ORDER_TERMS_POST_ONLY ? VM_GTX
                                                        : VM_GTC;
    } else if (mk_order_priced(order->type)) {
        n->stop = ticks;
    }
    if (m == NULL) return;
    if (m->display < order->quantity) n->show = m->display / in->lot_size;
    if (m->stop_price > 0) n->stop = m->stop_price / in->tick_size;
    if (order->type == ORDER_TYPE_TRAILING_STOP) {
        n->delta = m->trail_bips;
        n->stop = m->activation / in->tick_size;
    }
}

/* stp_of returns what prevents order, with its further terms m or NULL, from trading with others of
 * its account or group. */
static uint8_t stp_of(const struct venue *v, const struct venue_book *b,
                      const struct venue_order *order, const struct venue_more *m) {
    uint8_t stp = m == NULL ? MK_STP_DEFAULT : m->terms.stp;
    if (stp == MK_STP_DEFAULT) stp = v->market->accounts[order->account - 1].stp;
    if (stp == MK_STP_DEFAULT) stp = b->instrument->stp;
    return stp <= MK_STP_NONE ? VM_STP_NONE : (uint8_t)(VM_STP_TAKER + stp - MK_STP_TAKER);
}

/* place sends the open order idx to the engine. */
static void place(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_crowd *c = crowd_of(v, b);
    const struct venue_order *order = &v->orders.pool[idx];
    const struct mk_instrument *in = b->instrument;
    struct venue_more *m = order->flags & VENUE_MORE ? &v->orders.more[idx] : NULL;
    bool reduces = order->terms & ORDER_TERMS_REDUCE_ONLY && in->kind != MK_SPOT &&
                   !v->market->accounts[order->account - 1].hedge; /* the engine knows one side */
    struct vm_new n = { .lots = venue_left(v, idx) / in->lot_size,
                        .tag = order->order_id,
                        .owner = (uint32_t)order->account - 1,
                        .flags = reduces ? VM_REDUCE : 0,
                        .side = order->side == SIDE_BUY ? VM_BUY : VM_SELL };
    terms_of(in, order, m == NULL ? NULL : &m->terms, &n);
    if (m != NULL && venue_by_mark(b, &m->terms)) n.flags |= VM_MARK;
    n.stp = stp_of(v, b, order, m);
    const bool hedge = v->market->accounts[order->account - 1].hedge;
    if (order->terms & ORDER_TERMS_CLOSE_POSITION && !hedge) { /* in hedge mode on_fire tells */
        n.flags = (uint16_t)((n.flags & ~VM_REDUCE) | VM_CLOSE);
        n.lots = 0;
    }
    if (m != NULL) m->stage = VENUE_RESTS; /* where in the engine, the engine knows */
    if (m != NULL) m->extreme = 0;
    uint16_t reason = n.price > VM_PRICE_MAX || n.stop > VM_PRICE_MAX ? REASON_BAD_TICK
                      : n.lots > VM_LOTS_MAX                          ? REASON_BAD_LOT
                                                                      : REASON_NONE;
    if (reason == REASON_NONE && order->terms & ORDER_TERMS_FOK && !mk_order_waits(order->type)) {
        reason = short_of(ctx, v, b, idx, n.lots);
        if (reason != REASON_NONE) {
            end(ctx, v, b, idx, ORDER_STATUS_EXPIRED, reason);
            return;
        }
    }
    if (reason != REASON_NONE) {
        end(ctx, v, b, idx, ORDER_STATUS_REJECTED, reason);
        return;
    }
    c->ids[idx] = 0;
    (void)vm_place(c->ag->vm, &n);
}

void venue_crowd_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b) {
    struct venue_crowd *c = crowd_of(v, b);
    price_t at[4];
    find_ids(v, c);
    same_positions(v, b);
    for (uint32_t i = 0, cnt = venue_mark_path(b, SIDE_SELL, INT64_MIN, at); i < cnt; i++) {
        int64_t ticks = at[i] / b->instrument->tick_size;
        if (ticks >= 1 && ticks <= VM_PRICE_MAX) vm_mark(c->ag->vm, ticks);
        pump(ctx, v, b);
    }
    venue_crowd_tell(ctx, v, b);
}

uint16_t venue_crowd_amend(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                           const struct venue_figures *from, const struct venue_figures *to) {
    struct venue_crowd *c = crowd_of(v, b);
    struct venue_order *o = &v->orders.pool[idx];
    const struct mk_instrument *in = b->instrument;
    struct vm_out *out = &c->ag->out;
    struct vm_view view;
    find_ids(v, c);
    if (to->price / in->tick_size > VM_PRICE_MAX || to->stop_price / in->tick_size > VM_PRICE_MAX) {
        return REASON_BAD_TICK;
    }
    if (to->quantity / in->lot_size > VM_LOTS_MAX) return REASON_BAD_LOT;
    if (o->flags & VENUE_MORE && v->orders.more[idx].stage == VENUE_PENDING) return REASON_NONE;
    if (!vm_find(c->ag->vm, c->ids[idx], &view)) return REASON_AMEND_RULE;
    if (view.state == VM_BOOK) {
        if (to->stop_price != from->stop_price) return REASON_AMEND_RULE; /* it has triggered */
        int64_t lots = view.quantity + (to->quantity - from->quantity) / in->lot_size;
        bool done =
            vm_amend(c->ag->vm, c->ids[idx], to->price / in->tick_size, lots, VM_AMEND_RULE);
        return done ? REASON_NONE : out->at[out->cnt - 1].reason;
    }
    if (view.state != VM_ARMED || view.flags & VM_ACTIVE) return REASON_AMEND_RULE;
    venue_crowd_leave(v, b, idx);
    o->price = to->price;
    o->quantity = to->quantity;
    if (o->flags & VENUE_MORE) v->orders.more[idx].terms.stop_price = to->stop_price;
    place(ctx, v, b, idx);
    return REASON_NONE;
}

void venue_crowd_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx) {
    struct venue_crowd *c = crowd_of(v, b);
    const struct venue_order *order = &v->orders.pool[idx];
    bool waits = order->flags & VENUE_MORE && v->orders.more[idx].stage == VENUE_PENDING;
    find_ids(v, c);
    if (waits) return;
    same_positions(v, b);
    place(ctx, v, b, idx);
    pump(ctx, v, b);
}

/* --- snapshots ----------------------------------------------------------------------------- */

void venue_crowd_save(const struct venue *v, const struct venue_book *b, struct rt_row_sink *sink) {
    const struct venue_crowd *c = crowd_of(v, b);
    int64_t figures[FIGURES];
    memcpy(figures, &c->ag->f, sizeof c->ag->f);
    figures[FIGURE_PRINTS] = (int64_t)c->prints;
    figures[FIGURE_UPDATES] = (int64_t)c->updates;
    for (uint32_t i = 0; i < FIGURES; i++) {
        struct msg_counter_row row = {
            .value = figures[i],
            .id = VENUE_COUNTER_CROWD + (uint64_t)b->instrument->id * VENUE_CROWD_FIGURES + i
        };
        sink->put(sink, MSG_COUNTER_ROW, row.id, &row, sizeof row);
    }
    sink->put(sink, MSG_QUOTE, b->instrument->id, &c->told, sizeof c->told);
    size_t cnt = vm_save(c->ag->vm, c->rows, c->row_max);
    for (size_t i = 0; i < cnt; i++) {
        struct msg_engine_row row = { .cnt = (uint32_t)cnt, .instrument = b->instrument->id };
        memcpy(&row.w0, c->rows[i].w, sizeof c->rows[i].w);
        sink->put(sink, MSG_ENGINE_ROW, (uint64_t)b->instrument->id << 32 | i, &row, sizeof row);
    }
}

bool venue_crowd_counter(struct venue_crowd *c, uint32_t figure, int64_t value) {
    if (figure >= FIGURES) return false;
    if (figure == FIGURE_PRINTS) {
        c->prints = (uint64_t)value;
    } else if (figure == FIGURE_UPDATES) {
        c->updates = (uint64_t)value;
    } else {
        memcpy((uint8_t *)&c->ag->f + figure * sizeof value, &value, sizeof value);
    }
    return true;
}

bool venue_crowd_row(struct venue_crowd *c, uint64_t idx, const struct msg_engine_row *row) {
    if (row->cnt > c->row_max || idx >= row->cnt || c->row_got >= row->cnt) return false;
    memcpy(c->rows[idx].w, &row->w0, sizeof c->rows[idx].w);
    if (++c->row_got < row->cnt) return true;
    if (vm_load(c->ag->vm, c->rows, row->cnt) != 0) return false;
    ag_loaded(c->ag);
    c->found = false;
    c->changed_cnt = 0; /* levels that came back have been told */
    c->all = false;
    return true;
}
