#include "actors/report/results.h"
#include "actors/market/more.h"
#include "actors/market/value.h"
#include "actors/report/merge.h"
#include "actors/report/out.h"
#include "actors/report/statistics.h"
#include "runtime/base/map.h"
#include "runtime/boot/engine.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char orders_heading[] =
    "client_order_id,strategy,account,instrument,symbol,effect,side,type,time_in_force,quantity,"
    "price,"
    "stop_price,status,filled_quantity,average_price,created_ns,updated_ns,reason,signal,"
    "position_side,display_quantity,trail_bips,parent_order_id,oco_order_id";
static const char fills_heading[] =
    "time_ns,trade_id,client_order_id,strategy,account,instrument,symbol,side,quantity,price,"
    "liquidity,fee,fee_asset,slippage,realized_pnl,position_side";
static const char trades_heading[] =
    "strategy,account,instrument,symbol,side,entry_ns,exit_ns,quantity,entry_price,exit_price,"
    "realized_pnl,fee,net_pnl,mae,mfe";
static const char funding_heading[] =
    "time_ns,payment_id,account,instrument,symbol,quantity,mark_price,funding_rate,amount";
static const char equity_heading[] = "time_ns,account,cash,unrealized_pnl,equity,free,locked";

/* An order whose row is not written yet. */
struct order {
    uint64_t id;         /* order id */
    price_t price;       /* limit or stop price, 0 = none */
    qty_t quantity;      /* wanted */
    qty_t filled;        /* so far */
    cash_t cost;         /* price x quantity of its fills, INT64_MAX = more than that */
    __int128 weight;     /* weight of its fills: exact whatever they come to */
    int64_t created_ns;  /* when the intent was said */
    int64_t updated_ns;  /* when its state last changed */
    uint16_t instrument; /* id */
    uint16_t reason;     /* as last told */
    uint16_t signal;     /* of the intent */
    uint8_t account;     /* id */
    uint8_t side;        /* SIDE_* */
    uint8_t type;        /* ORDER_TYPE_* */
    uint8_t terms;       /* ORDER_TERMS_* */
    uint8_t status;      /* ORDER_STATUS_* */
    bool intended;       /* its intent was seen */
    price_t trigger;     /* stop or activation price beside price, 0 = none */
    qty_t display;       /* shown part, 0 = all */
    uint64_t parent;     /* order it hangs on, 0 = none */
    uint64_t oco;        /* first order of its group, 0 = none */
    uint32_t trail_bips; /* distance of a trailing stop, 0 = none */
};

/* A fill whose row waits for what the portfolio says of it. */
struct fill {
    struct msg_fill f;            /* as told */
    int64_t time_ns;              /* when */
    struct msg_position after[2]; /* what the portfolio said: one, or two where it crossed zero */
    uint8_t after_cnt;            /* how many */
};

/* What is held of one instrument by one strategy on one account, and the round trip it is in. */
struct held {
    qty_t quantity;       /* as last told, signed */
    cash_t fee_total;     /* as last told */
    cash_t fee_base;      /* fee_total when the round trip began */
    cash_t quote_fee;     /* fees in quote of the round trip */
    cash_t realized;      /* of the round trip */
    __int128 entry_cash;  /* price x quantity of what opened, 1e-16; inverse: see weight */
    __int128 exit_cash;   /* of what closed */
    qty_t entry_quantity; /* opened */
    qty_t exit_quantity;  /* closed */
    int64_t entry_ns;     /* when it began */
    uint8_t account;      /* id */
};

/* A queue in a growing ring. */
struct queue {
    uint8_t *items;      /* room x bytes */
    size_t bytes;        /* of one */
    uint64_t head, tail; /* first; behind the last; index modulo room */
    uint64_t room;       /* a power of two, 0 = none yet */
};

/* The work. */
struct results {
    const struct rt_run *run;       /* what was run */
    const struct mk_market *market; /* its world */
    struct report_summary *sum;     /* what is counted */
    struct report_merge merge;      /* what was said */
    FILE *trips; /* rows of trades.csv that wait for mae and mfe, each behind its account's id */
    char *trips_text;                                /* its memory ... */
    size_t trips_bytes;                              /* ... and how much of it is used */
    struct report_out orders, fills, trades, equity; /* the files; fd -1 = not written */
    struct report_out funding;                       /* likewise; begun by the first payment */
    const char *dir;                                 /* where the files go */
    struct queue order_queue;                        /* struct order, oldest first */
    struct rt_map order_of;       /* order id -> its number in the queue, low 32 bits */
    struct queue fill_queue;      /* struct fill */
    struct held *held;            /* positions */
    struct rt_map held_of;        /* account, owner, instrument -> index in held */
    uint32_t held_cnt, held_room; /* positions */
    uint32_t *open;               /* per account: open positions */
    int64_t *open_ns;             /* per account: since when there is one */
    uint32_t open_all;            /* open positions of all accounts */
    int64_t open_all_ns;          /* since when there is one */
    int64_t exposed_all_ns;       /* time with one, so far */
    bool write;                   /* files are written */
    struct rt_map *late; /* orders that were told of after their row was written: their rows wait to
                          * the end; those that a pass finds are added */
    bool more_late;      /* this pass has found some */
};

/* queue_at returns item number n. */
static void *queue_at(const struct queue *q, uint64_t n) {
    return q->items + (n & (q->room - 1)) * q->bytes;
}

/* queue_push makes room for one more item behind the last and returns it zeroed; NULL without
 * memory. */
static void *queue_push(struct queue *q) {
    if (q->tail - q->head == q->room) {
        uint64_t room = q->room ? q->room * 2 : 256;
        uint8_t *more = malloc(room * q->bytes);
        if (!more) return NULL;
        for (uint64_t n = q->head; n < q->tail; n++)
            memcpy(more + (n & (room - 1)) * q->bytes, queue_at(q, n), q->bytes);
        free(q->items);
        q->items = more;
        q->room = room;
    }
    void *item = queue_at(q, q->tail++);
    memset(item, 0, q->bytes);
    return item;
}

/* map_grow makes m twice as large. */
static int map_grow(struct rt_map *m) {
    uint32_t max = m->slots ? m->max * 2 : 1024;
    if (max > RT_MAP_KEYS_MAX) return -ENOSPC;
    void *memory = calloc(1, rt_map_bytes(max));
    if (!memory) return -ENOMEM;
    struct rt_map more;
    rt_map_init(&more, memory, max);
    for (uint32_t i = 0; m->slots && i <= m->mask; i++)
        if (m->slots[i].key && rt_map_put(&more, m->slots[i].key, m->slots[i].value) < 0) abort();
    free(m->slots);
    *m = more;
    return 0;
}

/* map_put files value under key, growing. */
static int map_put(struct rt_map *m, uint64_t key, uint32_t value) {
    if (!m->slots || m->cnt == m->max) {
        int code = map_grow(m);
        if (code < 0) return code;
    }
    return rt_map_put(m, key, value);
}

/* order_find returns the open row of an order, made when new; NULL without memory. */
static struct order *order_find(struct results *r, uint64_t id) {
    struct queue *q = &r->order_queue;
    uint32_t n = r->order_of.slots ? rt_map_get(&r->order_of, id) : RT_MAP_NONE;
    if (n != RT_MAP_NONE) return queue_at(q, q->head + ((n - q->head) & 0x7fffffffU));
    struct order *o = queue_push(q);
    if (!o || map_put(&r->order_of, id, (uint32_t)(q->tail - 1) & 0x7fffffffU) < 0) return NULL;
    o->id = id;
    return o;
}

/* weight returns what a fill counts with in an average price: price x quantity, 1e-16; of inverse
 * contracts, whose average is the harmonic mean, quantity / price in units that keep it exact. */
static __int128 weight(const struct mk_instrument *in, price_t price, qty_t quantity) {
    bool inverse = in && in->kind == MK_INVERSE && price > 0;
    return inverse ? (__int128)quantity * INT64_MAX / price : (__int128)price * quantity;
}

/* average returns the average price of fills of quantity that weigh all together, in 1e-8, rounded
 * down. */
static price_t average(const struct mk_instrument *in, __int128 all, qty_t quantity) {
    if (quantity <= 0 || all <= 0) return 0;
    bool inverse = in && in->kind == MK_INVERSE;
    return (price_t)(inverse ? (__int128)quantity * INT64_MAX / all : all / quantity);
}

/* strategy_name returns the name of an order's owner. */
static const char *strategy_name(const struct results *r, uint16_t owner) {
    const struct rt_topology *t = r->run->topology;
    return owner >= 1 && owner <= t->actor_cnt ? t->actors[owner - 1].name : "?";
}

/* whose writes strategy, account, instrument, symbol. */
static void whose(const struct results *r, struct report_out *o, uint16_t owner, uint8_t account,
                  uint16_t instrument) {
    const struct mk_instrument *i = mk_instrument_get(r->market, instrument);
    report_out_text(o, strategy_name(r, owner));
    report_out_text(o, account >= 1 && account <= r->market->account_cnt
                           ? r->market->accounts[account - 1].name
                           : "?");
    report_out_text(o, i ? i->name : "?");
    report_out_text(o, i ? i->symbol : "?");
}

/* has_stop tells whether an order's price is a stop price. */
static bool has_stop(uint8_t type) {
    return type == ORDER_TYPE_STOP || type == ORDER_TYPE_TAKE_PROFIT ||
           type == ORDER_TYPE_TRAILING_STOP;
}

/* position_side returns the word for which of its account's positions an order or fill is of. */
static const char *position_side(const struct results *r, uint8_t account, uint16_t instrument,
                                 uint8_t side, uint8_t terms) {
    const struct mk_instrument *in = mk_instrument_get(r->market, instrument);
    bool known = account >= 1 && account <= r->market->account_cnt && in != NULL;
    if (!known || !r->market->accounts[account - 1].hedge || in->kind == MK_SPOT) {
        return msg_position_side_name(POSITION_SIDE_BOTH);
    }
    return msg_position_side_name(mk_order_short(side, terms) ? POSITION_SIDE_SHORT
                                                              : POSITION_SIDE_LONG);
}

/* client_id writes the client order id of an order and a comma; 0 = none. */
static void client_id(const struct results *r, struct report_out *out, uint64_t id) {
    if (id != 0) {
        mk_client_id_format(r->market->deployment, r->market->epoch, id, out->buffer + out->used);
        out->used += MK_CLIENT_ID_CHARS;
    }
    report_out_none(out);
}

/* order_write writes the row of an order and counts it. */
static void order_write(struct results *r, const struct order *o) {
    struct report_summary *s = r->sum;
    s->orders++;
    if (o->status < REPORT_STATUSES) s->by_status[o->status]++;
    if (o->status == ORDER_STATUS_REJECTED && o->reason < REPORT_REASONS) s->refused[o->reason]++;
    if ((o->status == ORDER_STATUS_CANCELED || o->status == ORDER_STATUS_EXPIRED) &&
        o->reason < REPORT_REASONS)
        s->ended[o->reason]++;
    if (!r->write) return;
    struct report_out *out = &r->orders;
    report_out_row(out);
    client_id(r, out, o->id);
    whose(r, out, mk_order_owner(o->id), o->account, o->instrument);
    report_out_text(out, o->terms & ORDER_TERMS_EXIT ? "exit" : "entry");
    report_out_text(out, o->side == SIDE_BUY ? "buy" : "sell");
    report_out_text(out, msg_order_type_name(o->type));
    report_out_text(out, o->terms & ORDER_TERMS_IOC   ? "ioc"
                         : o->terms & ORDER_TERMS_FOK ? "fok"
                         : o->terms & ORDER_TERMS_GTD ? "gtd"
                                                      : "gtc");
    report_out_fixed(out, o->quantity);
    if (o->price && !has_stop(o->type))
        report_out_fixed(out, o->price);
    else
        report_out_none(out);
    price_t stop = has_stop(o->type) && o->price ? o->price : o->trigger;
    if (stop)
        report_out_fixed(out, stop);
    else
        report_out_none(out);
    report_out_text(out, msg_order_status_name(o->status));
    report_out_fixed(out, o->filled);
    const struct mk_instrument *in =
        o->weight > 0 ? mk_instrument_get(r->market, o->instrument) : NULL;
    bool weighed = in && (in->kind == MK_INVERSE || o->cost == INT64_MAX);
    if (o->filled > 0)
        report_out_fixed(
            out, average(in, weighed ? o->weight : (__int128)o->cost * FIXED_ONE, o->filled));
    else
        report_out_none(out);
    report_out_time(out, o->created_ns);
    report_out_time(out, o->updated_ns);
    report_out_text(out, o->reason ? msg_reason_name(o->reason) : "");
    report_out_text(out, o->signal ? msg_reason_name(o->signal) : "");
    report_out_text(out, position_side(r, o->account, o->instrument, o->side, o->terms));
    if (o->display != 0)
        report_out_fixed(out, o->display);
    else
        report_out_none(out);
    if (o->trail_bips != 0)
        report_out_whole(out, o->trail_bips);
    else
        report_out_none(out);
    client_id(r, out, o->parent);
    client_id(r, out, o->oco);
    report_out_end(out);
}

/* is_over tells whether nothing more comes of a status. */
static bool is_over(uint8_t status) {
    return status >= ORDER_STATUS_FILLED && status <= ORDER_STATUS_EXPIRED;
}

/* How long an order that is over waits for a late fill before its row is written. */
#define LATE_NS 10000000000LL

/* orders_flush writes the oldest orders as far as they were over well before before_ns, or all. 0
 * or -ENOMEM. */
static int orders_flush(struct results *r, int64_t before_ns, bool all) {
    struct queue *q = &r->order_queue;
    while (q->head < q->tail) {
        const struct order *o = queue_at(q, q->head);
        if (!all && !(is_over(o->status) && o->updated_ns < before_ns - LATE_NS)) break;
        bool late = r->late->slots && rt_map_get(r->late, o->id) != RT_MAP_NONE;
        if (!all && late) break;
        if (!o->intended && !late) { /* its row was written, or the journal's beginning is cut */
            int code = map_put(r->late, o->id, 1);
            if (code < 0) return code;
            r->more_late = true;
        }
        order_write(r, o);
        rt_map_remove(&r->order_of, o->id);
        q->head++;
    }
    return 0;
}

/* on_intent takes an intent. */
static int on_intent(struct results *r, const struct msg_frame *f) {
    const struct msg_order_intent *i = msg_body(f);
    struct order *o = order_find(r, i->order_id);
    if (!o) return -ENOMEM;
    o->intended = true;
    o->created_ns = f->time_ns;
    if (o->updated_ns < f->time_ns) o->updated_ns = f->time_ns;
    o->price = i->price;
    o->quantity = i->quantity;
    o->instrument = i->instrument;
    o->account = i->account;
    o->side = i->side;
    o->type = i->type;
    o->terms = i->terms;
    o->signal = i->reason;
    if (f->kind != MSG_ORDER_INTENT) {
        const struct mk_more *more = mk_more_of(i, sizeof *i);
        o->trigger = more->stop_price != 0 ? more->stop_price : more->activation;
        o->display = more->display;
        o->trail_bips = more->trail_bips;
        o->parent = more->parent;
        o->oco = more->oco;
    }
    return 0;
}

/* on_state takes an order's state. */
static int on_state(struct results *r, const struct msg_frame *f) {
    const struct msg_order_state *s = msg_body(f);
    struct order *o = order_find(r, s->order_id);
    if (!o) return -ENOMEM;
    if (!o->intended) { /* another shard's clock was ahead: the intent is still to come */
        o->created_ns = f->time_ns;
        o->price = s->price;
        o->quantity = s->quantity;
        o->instrument = s->instrument;
        o->account = s->account;
        o->side = s->side;
        o->type = s->type;
        o->terms = s->terms;
    }
    if (s->quantity > 0) o->quantity = s->quantity;
    o->status = s->status;
    o->reason = s->reason;
    o->filled = s->cum_quantity;
    o->cost = s->cum_cost;
    o->updated_ns = f->time_ns;
    return 0;
}

/* on_amended takes an order's new figures. */
static int on_amended(struct results *r, const struct msg_frame *f) {
    const struct msg_order_amended *a = msg_body(f);
    if (a->quantity == 0 || (a->reason != REASON_NONE && a->by != AMEND_BY_VENUE)) return 0;
    struct order *o = order_find(r, a->order_id);
    if (!o) return -ENOMEM;
    o->price = a->price;
    o->quantity = a->quantity;
    if (a->stop_price != 0) o->trigger = a->stop_price;
    return 0;
}

/* held_find returns what is held under the key of p, made when new; NULL without memory. */
static struct held *held_find(struct results *r, const struct msg_position *p) {
    uint64_t key = (uint64_t)p->account << 32 | (uint64_t)p->owner << 16 | p->instrument;
    if (p->position_side == POSITION_SIDE_SHORT) key |= 0x8000; /* instruments are fewer */
    uint32_t i = r->held_of.slots ? rt_map_get(&r->held_of, key) : RT_MAP_NONE;
    if (i != RT_MAP_NONE) return &r->held[i];
    if (r->held_cnt == r->held_room) {
        uint32_t room = r->held_room ? r->held_room * 2 : 64;
        struct held *more = realloc(r->held, room * sizeof *more);
        if (!more) return NULL;
        r->held = more;
        r->held_room = room;
    }
    if (map_put(&r->held_of, key, r->held_cnt) < 0) return NULL;
    struct held *h = &r->held[r->held_cnt++];
    memset(h, 0, sizeof *h);
    h->account = p->account;
    return h;
}

/* number returns v (1e-8) as a double. */
static double number(int64_t v) {
    return (double)v / 1e8;
}

/* trade_write writes the round trip that just ended and begins none. 0 or -ENOMEM. */
static int trade_write(struct results *r, struct held *h, const struct fill *f,
                       const struct msg_position *p, bool was_long) {
    struct report_account *a = &r->sum->accounts[p->account - 1];
    cash_t net = h->realized - h->quote_fee;
    const struct mk_instrument *in = mk_instrument_get(r->market, p->instrument);
    const price_t entry = average(in, h->entry_cash, h->entry_quantity),
                  exit = average(in, h->exit_cash, h->exit_quantity);
    double size = number(h->exit_quantity);
    if (in && in->contract != 0 && entry > 0) {
        size = fabs(mk_estimate(in, size, number(entry))) / number(entry);
    }
    r->sum->trades++;
    a->trades++;
    if (net > 0) {
        a->wins++;
        a->profit += net;
    } else {
        a->loss -= net;
    }
    if (r->write) {
        struct report_out *out = &r->trades;
        report_out_row(out);
        const size_t from = out->used;
        whose(r, out, p->owner, p->account, p->instrument);
        report_out_text(out, was_long ? "buy" : "sell");
        report_out_time(out, h->entry_ns);
        report_out_time(out, f->time_ns);
        report_out_fixed(out, h->exit_quantity);
        report_out_fixed(out, entry);
        report_out_fixed(out, exit);
        report_out_fixed(out, h->realized);
        report_out_fixed(out, p->fee_total - h->fee_base);
        report_out_fixed(out, net);
        fputc(p->account, r->trips);
        fwrite(out->buffer + from, 1, out->used - from, r->trips);
        fputc('\n', r->trips);
        out->used = from;
    }
    const struct qs_trade trade = { .entry_ns = h->entry_ns,
                                    .exit_ns = f->time_ns,
                                    .quantity =
                                        size, /* so that it times the price is what was at stake */
                                    .entry_price = number(entry),
                                    .exit_price = number(exit),
                                    .pnl = number(net),
                                    .fee = number(p->fee_total - h->fee_base),
                                    .mae = QS_NONE,
                                    .mfe = QS_NONE,
                                    .account = p->account,
                                    .strategy = p->owner,
                                    .instrument = p->instrument,
                                    .side = was_long ? 1 : -1 };
    uint8_t account = h->account;
    *h = (struct held){ .account = account };
    return r->sum->statistics ? report_statistics_trade(r->sum->statistics, &trade) : 0;
}

/* held_moved keeps how long each account held something. */
static void held_moved(struct results *r, uint8_t account, bool was, bool is, int64_t time_ns) {
    uint32_t *open = &r->open[account - 1];
    if (was == is) return;
    if (is && r->open_all++ == 0) r->open_all_ns = time_ns;
    if (was && --r->open_all == 0) r->exposed_all_ns += time_ns - r->open_all_ns;
    if (is && (*open)++ == 0) r->open_ns[account - 1] = time_ns;
    if (was && --*open == 0)
        r->sum->accounts[account - 1].exposed_ns += time_ns - r->open_ns[account - 1];
}

/* fill_book takes a fill and what the portfolio said of it into the round trip. */
static int fill_book(struct results *r, const struct fill *f) {
    const struct mk_instrument *inst = mk_instrument_get(r->market, f->f.instrument);
    if (f->after_cnt == 0 || f->f.account < 1 || f->f.account > r->market->account_cnt) return 0;
    struct held *h = held_find(r, &f->after[0]);
    if (!h) return -ENOMEM;
    qty_t left = f->f.quantity, lot = inst ? inst->lot_size : 1;
    const struct mk_fee_asset *burn = &r->market->accounts[f->f.account - 1].burn;
    bool base = inst && inst->kind == MK_SPOT && f->f.side == SIDE_BUY &&
                f->f.fee_asset == inst->base_asset;
    bool burnt = burn->on && !base && f->f.fee_asset == burn->asset;
    cash_t fee_left = base ? 0 : f->f.fee;
    if (burnt) fee_left = f->after[f->after_cnt - 1].fee_total - h->fee_total; /* as it was worth */
    const cash_t quote_fee = fee_left;
    qty_t change = 0;
    for (int k = 0; k < f->after_cnt; k++) {
        const struct msg_position *p = &f->after[k];
        struct report_account *a = &r->sum->accounts[p->account - 1];
        qty_t before = h->quantity, after = p->quantity, part = left;
        bool closes = before != 0 && (f->f.side == SIDE_BUY) != (before > 0);
        bool was = before >= lot || before <= -lot, is = after >= lot || after <= -lot;
        if (k == 0 && f->after_cnt == 2) part = before < 0 ? -before : before;
        left -= part;
        /* the portfolio's own split of the fee, as far as it is in quote */
        cash_t fee = fee_left;
        if (f->after_cnt == 2 && k == 0 && fee_left) fee = p->fee_total - h->fee_total;
        fee_left -= fee;
        if (!burnt) a->quote_fees += fee;
        a->fees += p->fee_total - h->fee_total;
        if (!was) {
            h->entry_ns = f->time_ns;
            h->fee_base = h->fee_total;
        }
        h->quote_fee += fee;
        h->realized += p->realized_pnl;
        __int128 cash = weight(inst, f->f.price, part);
        if (closes) {
            h->exit_cash += cash;
            h->exit_quantity += part;
        } else {
            h->entry_cash += cash;
            h->entry_quantity += part;
        }
        held_moved(r, p->account, was, is, f->time_ns);
        if (closes && was && !is && trade_write(r, h, f, p, before > 0) < 0) return -ENOMEM;
        change += after - before;
        h->quantity = after;
        h->fee_total = p->fee_total;
    }
    if (!r->sum->statistics) return 0;
    double price = number(f->f.price), quantity = number(f->f.quantity);
    double worth = inst ? mk_estimate(inst, quantity, price) : price * quantity;
    const struct report_holding told = {
        .time_ns = f->time_ns,
        .change = change,
        .price = price,
        .cash = (f->f.side == SIDE_BUY ? -1 : 1) * worth - number(quote_fee),
        .instrument = f->f.instrument,
        .owner = f->after[0].owner,
        .account = f->f.account,
        .shorts = f->after[0].position_side == POSITION_SIDE_SHORT
    };
    return report_statistics_fill(r->sum->statistics, &told, fabs(worth));
}

/* fill_write writes the row of a fill. */
static int fill_write(struct results *r, const struct fill *w) {
    const struct msg_fill *f = &w->f;
    r->sum->fills++;
    if (r->write) {
        struct report_out *out = &r->fills;
        report_out_row(out);
        report_out_time(out, w->time_ns);
        report_out_whole(out, f->trade_id);
        mk_client_id_format(r->market->deployment, r->market->epoch, f->order_id,
                            out->buffer + out->used);
        out->used += MK_CLIENT_ID_CHARS;
        out->buffer[out->used++] = ',';
        whose(r, out, mk_order_owner(f->order_id), f->account, f->instrument);
        report_out_text(out, f->side == SIDE_BUY ? "buy" : "sell");
        report_out_fixed(out, f->quantity);
        report_out_fixed(out, f->price);
        report_out_text(out, msg_liquidity_name(f->liquidity));
        report_out_fixed(out, f->fee);
        report_out_text(out, f->fee_asset < r->market->asset_cnt ? r->market->assets[f->fee_asset]
                                                                 : "?");
        report_out_fixed(out, f->slippage);
        if (w->after_cnt)
            report_out_fixed(out, w->after[0].realized_pnl +
                                      (w->after_cnt == 2 ? w->after[1].realized_pnl : 0));
        else
            report_out_none(out);
        report_out_text(out, position_side(r, f->account, f->instrument, f->side, f->terms));
        report_out_end(out);
    }
    return fill_book(r, w);
}

/* fills_flush writes the oldest fills as far as the portfolio has told of them, or all. */
static int fills_flush(struct results *r, bool all) {
    struct queue *q = &r->fill_queue;
    while (q->head < q->tail) {
        const struct fill *f = queue_at(q, q->head);
        if (!all && r->sum->portfolio && f->after_cnt == 0) break;
        int code = fill_write(r, f);
        if (code < 0) return code;
        q->head++;
    }
    return 0;
}

/* on_position gives what the portfolio said to its fill. */
static void on_position(struct results *r, const struct msg_frame *f) {
    const struct msg_position *p = msg_body(f);
    struct queue *q = &r->fill_queue;
    for (uint64_t n = q->head; n < q->tail; n++) {
        struct fill *w = queue_at(q, n);
        if (w->f.trade_id != p->trade_id || w->f.instrument != p->instrument ||
            w->f.account != p->account || mk_order_owner(w->f.order_id) != p->owner ||
            w->after_cnt == 2)
            continue;
        w->after[w->after_cnt++] = *p;
        return;
    }
}

/* on_account takes an account's state. 0 or -ENOMEM. */
static int on_account(struct results *r, const struct msg_frame *f) {
    const struct msg_account_state *s = msg_body(f);
    if (s->account < 1 || s->account > r->market->account_cnt) return 0;
    struct report_account *a = &r->sum->accounts[s->account - 1];
    a->cash = s->cash;
    a->unrealized = s->unrealized_pnl;
    a->equity = s->equity;
    if (!s->mark) return 0;
    a->marks++;
    if (r->sum->statistics &&
        report_statistics_mark(r->sum->statistics, s->account, f->time_ns, s->equity) < 0)
        return -ENOMEM;
    if (s->equity > a->peak) a->peak = s->equity;
    cash_t fall = a->peak - s->equity;
    if (fall > a->drawdown) a->drawdown = fall;
    if (a->peak > 0 && (double)fall / (double)a->peak > a->drawdown_part)
        a->drawdown_part = (double)fall / (double)a->peak;
    if (!r->write) return 0;
    report_out_row(&r->equity);
    report_out_time(&r->equity, f->time_ns);
    report_out_text(&r->equity, a->name);
    report_out_fixed(&r->equity, s->cash);
    report_out_fixed(&r->equity, s->unrealized_pnl);
    report_out_fixed(&r->equity, s->equity);
    report_out_fixed(&r->equity, s->cash - report_account_locked(a));
    report_out_fixed(&r->equity, report_account_locked(a));
    report_out_end(&r->equity);
    return 0;
}

/* burn_known counts what is in account a's balance of its fee asset at price in its start. */
static void burn_known(struct report_account *a, int64_t balance, price_t price) {
    if (a->burn_price != 0 || !fixed_mul(balance, price, FIXED_DOWN, &a->burn_start)) return;
    a->start += a->burn_start;
    if (a->peak < a->start) a->peak = a->start;
}

/* on_burn takes what an account has of its fee asset. */
static void on_burn(struct results *r, const struct msg_frame *f) {
    const struct msg_fee_balance *m = msg_body(f);
    if (m->account < 1 || m->account > r->market->account_cnt) return;
    struct report_account *a = &r->sum->accounts[m->account - 1];
    burn_known(a, r->market->accounts[m->account - 1].burn.balance, m->price);
    a->burn_held = m->balance;
    a->burn_price = m->price;
    a->burn_worth = m->worth;
}

/* on_books takes the venue's books of an asset. */
static void on_books(struct results *r, const struct msg_frame *f) {
    const struct msg_venue_books *m = msg_body(f);
    struct report_summary *s = r->sum;
    if (m->asset >= r->market->asset_cnt || s->book_cnt == REPORT_BOOKS) return;
    struct report_books *b = &s->books[s->book_cnt++];
    snprintf(b->asset, sizeof b->asset, "%s", r->market->assets[m->asset]);
    b->told = *m;
    s->insurance = s->insurance || m->insured != 0;
}

/* on_balance takes how much of an account's cash is locked. */
static void on_balance(struct results *r, const struct msg_frame *f) {
    const struct msg_venue_balance *m = msg_body(f);
    if (m->account < 1 || m->account > r->market->account_cnt || m->instrument != 0) return;
    r->sum->accounts[m->account - 1].locked = m->locked;
}

/* on_alert takes how many recorded delays were faults of a clock, how often books were silent, what
 * they had no room for. */
static void on_alert(struct results *r, const struct msg_frame *f) {
    const struct msg_alert *m = msg_body(f);
    if (m->reason == REASON_DATA_CLOCK) r->sum->clock_faults += (uint64_t)m->value;
    if (m->reason == REASON_STALE_DATA) r->sum->silences += (uint64_t)m->value;
    if (m->reason == REASON_DATA_ORDERS) r->sum->no_room += (uint64_t)m->value;
}

/* on_funding takes a funding payment. */
static int on_funding(struct results *r, const struct msg_frame *f, struct rt_error *err) {
    const struct msg_funding_fee *m = msg_body(f);
    const struct mk_instrument *in = mk_instrument_get(r->market, m->instrument);
    if (m->account < 1 || m->account > r->market->account_cnt || !in) return 0;
    struct report_account *a = &r->sum->accounts[m->account - 1];
    a->funding += m->amount;
    a->payments++;
    const struct report_holding told = { .time_ns = f->time_ns,
                                         .cash = -number(m->amount),
                                         .instrument = m->instrument,
                                         .account = m->account };
    if (r->sum->statistics && report_statistics_funding(r->sum->statistics, told) < 0)
        return rt_error_set(err, -ENOMEM, "no memory for the results");
    if (!r->write) return 0;
    struct report_out *out = &r->funding;
    if (out->fd < 0) {
        int code = report_out_open(out, r->dir, "funding.csv", funding_heading, err);
        if (code < 0) return code;
    }
    report_out_row(out);
    report_out_time(out, f->time_ns);
    report_out_whole(out, m->payment_id);
    report_out_text(out, a->name);
    report_out_text(out, in->name);
    report_out_text(out, in->symbol);
    report_out_fixed(out, m->quantity);
    report_out_fixed(out, m->mark);
    report_out_fixed(out, m->rate);
    report_out_fixed(out, m->amount);
    report_out_end(out);
    return 0;
}

/* weigh_order counts a fill to its order's average price. */
static void weigh_order(struct results *r, const struct msg_fill *f) {
    const struct mk_instrument *in = mk_instrument_get(r->market, f->instrument);
    if (!in || !r->order_of.slots) return;
    uint32_t n = rt_map_get(&r->order_of, f->order_id);
    if (n == RT_MAP_NONE) return; /* of a liquidation: of no order */
    struct queue *q = &r->order_queue;
    struct order *o = queue_at(q, q->head + ((n - q->head) & 0x7fffffffU));
    o->weight += weight(in, f->price, f->quantity);
}

/* instant takes all records of one instant: intents before states, fills before positions. */
static int instant(struct results *r, struct rt_error *err) {
    const struct report_merge *m = &r->merge;
    int code = 0;
    for (size_t i = 0; i < m->cnt && code == 0; i++) {
        uint16_t kind = m->records[i].frame->kind;
        bool intent =
            kind == MSG_ORDER_INTENT || kind == MSG_ORDER_INTENT_MORE || kind == MSG_ORDER_REPLACE;
        if (intent) code = on_intent(r, m->records[i].frame);
    }
    for (size_t i = 0; i < m->cnt && code == 0; i++) {
        const struct msg_frame *f = m->records[i].frame;
        if (f->kind == MSG_ORDER_STATE) code = on_state(r, f);
        if (f->kind == MSG_ORDER_AMENDED) code = on_amended(r, f);
        if (f->kind == MSG_VENUE_BALANCE) on_balance(r, f);
        if (f->kind == MSG_ALERT) on_alert(r, f);
        if (f->kind == MSG_FILL) {
            struct fill *w = queue_push(&r->fill_queue);
            if (!w) return -ENOMEM;
            memcpy(&w->f, msg_body(f), sizeof w->f);
            weigh_order(r, &w->f);
            w->time_ns = f->time_ns;
        }
    }
    for (size_t i = 0; i < m->cnt && code == 0; i++) {
        const struct msg_frame *f = m->records[i].frame;
        if (f->kind == MSG_POSITION) on_position(r, f);
        if (f->kind == MSG_FUNDING_FEE) code = on_funding(r, f, err);
        if (f->kind == MSG_LIQUIDATION) {
            const struct msg_liquidation *l = msg_body(f);
            if (l->account >= 1 && l->account <= r->market->account_cnt)
                r->sum->accounts[l->account - 1].liquidations++;
        }
        if (f->kind == MSG_DELEVERAGE) {
            const struct msg_deleverage *l = msg_body(f);
            if (l->account >= 1 && l->account <= r->market->account_cnt)
                r->sum->accounts[l->account - 1].deleveraged++;
        }
        if (f->kind == MSG_FEE_BALANCE) on_burn(r, f);
        if (f->kind == MSG_VENUE_BOOKS) on_books(r, f);
        if (f->kind == MSG_ACCOUNT_STATE) code = on_account(r, f);
    }
    if (code == 0) code = fills_flush(r, false);
    return code == 0 ? orders_flush(r, m->time_ns, false) : code;
}

/* has_funding tells whether a source gives funding: one of that kind, or a stream of a store. */
static bool has_funding(const struct rt_source_def *source) {
    const char *kind = source->kind->name;
    const struct rt_node *stream =
        strcmp(kind, "store") == 0 ? rt_node_get(source->config, "stream") : NULL;
    return strcmp(kind, "funding") == 0 ||
           (stream && stream->text && strcmp(stream->text, "fundingRate") == 0);
}

/* has_marks tells whether source gives the mark price of in. */
static bool has_marks(const struct rt_source_def *source, const struct mk_instrument *in) {
    const struct rt_node *of = rt_node_get(source->config, "instrument"),
                         *price = rt_node_get(source->config, "price"),
                         *stream = rt_node_get(source->config, "stream");
    if (!of || !of->text || strcmp(of->text, in->name) != 0) return false;
    return (price && price->text && strcmp(price->text, "mark") == 0) ||
           (stream && stream->text && strncmp(stream->text, "markPrice", 9) == 0);
}

/* no_marks names the linear and inverse instruments that have no series of marks. */
static void no_marks(const struct rt_topology *t, const struct mk_market *m, char *out,
                     size_t max) {
    size_t at = 0;
    for (uint32_t i = 0; i < m->instrument_cnt && at < max; i++) {
        const struct mk_instrument *in = &m->instruments[i];
        bool has = in->kind == MK_SPOT;
        for (uint32_t k = 0; k < t->source_cnt; k++) has = has || has_marks(&t->sources[k], in);
        if (!has) at += (size_t)snprintf(out + at, max - at, "%s%s", at ? ", " : "", in->name);
    }
}

/* begin fills the summary's heads and opens the files. */
static int begin(struct results *r, const char *dir, struct rt_error *err) {
    static const char *const clocks[] = { "virtual", "paced", "real" };
    const struct rt_topology *t = r->run->topology;
    struct report_summary *s = r->sum;
    int code;
    memset(s, 0, sizeof *s);
    snprintf(s->name, sizeof s->name, "%s", t->name);
    s->clock = clocks[t->clock];
    for (uint32_t i = 0; i < t->actor_cnt; i++)
        if (strcmp(t->actors[i].kind->name, "portfolio") == 0) s->portfolio = true;
    for (uint32_t i = 0; i < t->source_cnt; i++)
        s->funding = s->funding || has_funding(&t->sources[i]);
    for (uint32_t i = 0; i < r->market->account_cnt; i++)
        s->margin = s->margin || r->market->accounts[i].margin != MK_MARGIN_NONE;
    for (uint32_t i = 0; i < r->market->instrument_cnt; i++)
        *(r->market->instruments[i].kind == MK_SPOT ? &s->spot : &s->linear) = true;
    no_marks(t, r->market, s->no_marks, sizeof s->no_marks);
    s->account_cnt = r->market->account_cnt;
    for (uint32_t i = 0; i < s->account_cnt; i++) {
        const struct mk_account *m = &r->market->accounts[i];
        struct report_account *a = &s->accounts[i];
        snprintf(a->name, sizeof a->name, "%s", m->name);
        snprintf(a->quote, sizeof a->quote, "%s", r->market->assets[m->quote]);
        a->start = a->cash = a->equity = a->peak = m->cash;
        a->burn_held = m->burn.balance;
        if (!m->burn.on) continue;
        snprintf(a->burn, sizeof a->burn, "%s", r->market->assets[m->burn.asset]);
        burn_known(a, m->burn.balance, m->burn.price);
        a->burn_price = m->burn.price;
        a->burn_worth = a->burn_start;
        a->equity = a->start;
    }
    if (s->portfolio && !(s->statistics = report_statistics_new(r->market)))
        return rt_error_set(err, -ENOMEM, "no memory for the results");
    r->open = calloc(s->account_cnt + 1, sizeof *r->open);
    r->open_ns = calloc(s->account_cnt + 1, sizeof *r->open_ns);
    if (!r->open || !r->open_ns) return rt_error_set(err, -ENOMEM, "no memory for the results");
    if (!r->write) return 0;
    if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
        code = -errno;
        return rt_error_set(err, code, "%s: cannot be made: %s", dir, strerror(-code));
    }
    r->trips = open_memstream(&r->trips_text, &r->trips_bytes);
    if (!r->trips) return rt_error_set(err, -ENOMEM, "no memory for the results");
    if ((code = report_out_open(&r->orders, dir, "orders.csv", orders_heading, err)) < 0 ||
        (code = report_out_open(&r->fills, dir, "fills.csv", fills_heading, err)) < 0 ||
        (code = report_out_open(&r->trades, dir, "trades.csv", trades_heading, err)) < 0 ||
        (code = report_out_open(&r->equity, dir, "equity.csv", equity_heading, err)) < 0)
        return code;
    char old[4200]; /* of an earlier run in the same directory; this one may have none */
    if ((size_t)snprintf(old, sizeof old, "%s/funding.csv", dir) < sizeof old) (void)unlink(old);
    return 0;
}

/* statistics reckons the reports. */
static int statistics(const struct results *r, struct rt_error *err) {
    struct report_summary *s = r->sum;
    int64_t exposed_ns[255];
    cash_t start[255], equity[255];
    for (uint32_t i = 0; i < s->account_cnt; i++) {
        exposed_ns[i] = s->accounts[i].exposed_ns;
        start[i] = s->accounts[i].start;
        equity[i] = s->accounts[i].equity;
    }
    return report_statistics_make(s->statistics, r->run, s->first_ns, s->last_ns, exposed_ns, start,
                                  equity, r->exposed_all_ns, err);
}

/* part_write writes a part (>= 0) to 12 decimals and a comma; nothing where it is not known. */
static void part_write(struct report_out *out, double v) {
    char *at = out->buffer + out->used;
    if (v - v == 0) {
        size_t n = (size_t)snprintf(at, 64, "%.12f", v == 0 ? 0 : v);
        while (at[n - 1] == '0') n--;
        if (at[n - 1] == '.') n--;
        out->used += n;
    }
    report_out_none(out);
}

/* trips_write writes trades.csv: each row with how far prices went against it and its way, which
 * only the end tells; empty where it is not known. */
static int trips_write(struct results *r, struct rt_error *err) {
    const struct report_statistics *s = r->sum->statistics;
    size_t seen[256] = { 0 };
    bool bad = ferror(r->trips) != 0;
    bad |= fclose(r->trips) != 0;
    r->trips = NULL;
    if (bad) return rt_error_set(err, -ENOMEM, "no memory for the results");
    for (const char *at = r->trips_text, *end = at + r->trips_bytes; at < end;) {
        uint8_t account = (uint8_t)*at++;
        size_t n = strcspn(at, "\n");
        const struct report_curve *c = s ? &s->curves[account - 1] : NULL;
        struct report_out *out = &r->trades;
        report_out_row(out);
        memcpy(out->buffer + out->used, at, n);
        out->used += n;
        if (c && seen[account] < c->input.trade_cnt) {
            const struct qs_trade *t = &c->trades[seen[account]++];
            part_write(out, t->mae);
            part_write(out, t->mfe);
        } else {
            report_out_none(out);
            report_out_none(out);
        }
        report_out_end(out);
        at += n + 1;
    }
    return 0;
}

/* finish closes the files and fills what only the end tells. */
static int finish(struct results *r, int code, struct rt_error *err) {
    struct report_summary *s = r->sum;
    const struct report_merge *m = &r->merge;
    struct report_out *files[] = { &r->orders, &r->fills, &r->trades, &r->equity, &r->funding };
    if (code == 0) {
        code = fills_flush(r, true);
        if (code == 0) code = orders_flush(r, INT64_MAX, true);
        if (code < 0) rt_error_set(err, code, "no memory for the results");
        s->first_ns = m->start_ns != INT64_MIN ? m->start_ns : m->first_ns;
        s->zone = r->market->zone;
        s->warm_ns = r->run->topology->warm_ns;
        if (m->start_ns != INT64_MIN) s->first_ns += s->warm_ns; /* where orders may begin */
        s->last_ns = m->last_ns;
        if (m->first_ns == INT64_MAX) s->first_ns = s->last_ns = 0;
        s->commands = m->commands;
        s->stop_reason = m->stop_reason;
        s->cut = m->cut;
        memcpy(s->unplaced, m->unplaced, sizeof s->unplaced);
        for (uint32_t i = 0; i < s->account_cnt; i++) {
            struct report_account *a = &s->accounts[i];
            a->open_positions = r->open[i];
            /* what strategies of one account earned apart is in fills and trades */
            cash_t earned = (a->equity - a->burn_worth) - (a->start - a->burn_start);
            a->realized = earned - a->unrealized + a->quote_fees + a->funding;
        }
        for (uint32_t i = 0; i < s->account_cnt; i++)
            if (r->open[i]) s->accounts[i].exposed_ns += s->last_ns - r->open_ns[i];
        if (r->open_all) r->exposed_all_ns += s->last_ns - r->open_all_ns;
        if (s->cut) { /* what was held and earned before is not known */
            report_statistics_free(s->statistics);
            s->statistics = NULL;
        }
        if (code == 0 && s->statistics) code = statistics(r, err);
    }
    if (code == 0 && r->write) code = trips_write(r, err);
    for (int i = 0; r->write && i < 5; i++) {
        int bad = report_out_close(files[i], code < 0, code < 0 ? NULL : err);
        if (bad < 0 && code == 0) code = bad;
    }
    return code;
}

/* days_text writes daily.csv. */
static void days_text(const struct report_summary *sum, FILE *to) {
    report_statistics_days(sum->statistics, to);
}

/* charts_text writes charts.csv. */
static void charts_text(const struct report_summary *sum, FILE *to) {
    report_statistics_charts(sum->statistics, to);
}

/* text_write writes what fill says as the file name. Returns 0 or negative errno with err. */
static int text_write(struct results *r, const char *dir, const char *name,
                      void (*fill)(const struct report_summary *sum, FILE *to),
                      struct rt_error *err) {
    struct report_out *out = &r->orders; /* its buffer serves once more */
    char *text = NULL;
    size_t n = 0;
    int code = report_out_open(out, dir, name, "", err);
    if (code < 0) return code;
    FILE *f = open_memstream(&text, &n);
    if (f) {
        fill(r->sum, f);
        fclose(f);
        for (size_t at = 0; at < n; at += REPORT_OUT_BYTES) {
            out->used = n - at < REPORT_OUT_BYTES ? n - at : REPORT_OUT_BYTES;
            memcpy(out->buffer, text + at, out->used);
            report_out_flush(out);
        }
    }
    free(text);
    return report_out_close(out, f == NULL, err);
}

void report_summary_free(struct report_summary *sum) {
    if (!sum) return;
    report_statistics_free(sum->statistics);
    free(sum);
}

/* pass makes all of it once; late as in struct results. Returns 1 when orders were found that were
 * told of again after their row was written: the next pass keeps them. */
static int pass(const struct rt_run *run, const char *dir, struct report_summary *sum,
                struct rt_map *late, struct rt_error *err) {
    struct results *r = calloc(1, sizeof *r);
    int code, more;
    if (!r) return rt_error_set(err, -ENOMEM, "no memory for the results");
    r->late = late;
    r->run = run;
    r->market = run->topology->world;
    r->sum = sum;
    r->write = dir != NULL;
    r->dir = dir;
    r->funding.fd = -1;
    r->orders.fd = r->fills.fd = r->trades.fd = r->equity.fd = -1;
    r->order_queue.bytes = sizeof(struct order);
    r->fill_queue.bytes = sizeof(struct fill);
    code = begin(r, dir, err);
    if (code == 0 && (code = report_merge_open(&r->merge, run, err)) == 0) {
        while ((more = report_merge_next(&r->merge, err)) > 0)
            if ((code = instant(r, err)) < 0) {
                if (err->code == 0) rt_error_set(err, code, "no memory for the results");
                break;
            }
        if (code == 0 && more < 0) code = more;
    }
    code = finish(r, code, err);
    report_merge_close(&r->merge);
    bool again = code == 0 && r->more_late && !sum->cut;
    if (code == 0 && r->write && !again) {
        code = text_write(r, dir, "daily.csv", days_text, err);
        if (code == 0) code = text_write(r, dir, "charts.csv", charts_text, err);
        if (code == 0) code = text_write(r, dir, "summary.json", report_summary_json, err);
        if (code == 0) code = report_manifest(run, dir, err);
    }
    if (r->trips) fclose(r->trips);
    free(r->trips_text);
    free(r->order_queue.items);
    free(r->fill_queue.items);
    free(r->order_of.slots);
    free(r->held_of.slots);
    free(r->held);
    free(r->open);
    free(r->open_ns);
    free(r);
    return again ? 1 : code;
}

int report_results_write(const struct rt_run *run, const char *dir, struct report_summary *sum,
                         struct rt_error *err) {
    struct rt_map late = { 0 };
    int code = pass(run, dir, sum, &late, err);
    if (code > 0) { /* rare: a fill of an order that had long ended */
        report_statistics_free(sum->statistics);
        code = pass(run, dir, sum, &late, err);
        assert(code <= 0); /* a second pass finds no others */
    }
    free(late.slots);
    return code;
}
