#include "actors/report/compare.h"
#include "actors/market/value.h"
#include "actors/report/table.h"
#include "runtime/base/config.h"
#include "runtime/base/decimal.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Words of the causes, and what they say to people. */
static const struct {
    const char *name; /* in JSON */
    const char *help; /* on the screen */
} causes[REPORT_CAUSE_CNT] = {
    [REPORT_ONLY_A] = { "only_a", "decided in A alone" },
    [REPORT_ONLY_B] = { "only_b", "decided in B alone" },
    [REPORT_TIME] = { "time", "decided at another instant" },
    [REPORT_SIGNAL] = { "signal", "for another reason" },
    [REPORT_SIDE] = { "side", "on the other side" },
    [REPORT_TYPE] = { "type", "another type of order" },
    [REPORT_PRICE] = { "price", "another limit or stop price" },
    [REPORT_QUANTITY] = { "quantity", "another size" },
    [REPORT_STATUS] = { "status", "something else became of it" },
    [REPORT_FILLED] = { "filled", "another quantity was filled" },
    [REPORT_FILL_PRICE] = { "fill_price", "filled at another price" },
    [REPORT_FEE] = { "fee", "other fees" },
    [REPORT_FILL_TIME] = { "fill_time", "filled at another instant" },
};

const char *report_cause_name(enum report_cause cause) {
    return causes[cause].name;
}

/* An order read back. */
struct order {
    struct report_cell id;               /* client order id */
    struct report_cell who[3];           /* strategy, account, instrument */
    struct report_cell side, type, tif;  /* words */
    struct report_cell effect, status;   /* words */
    struct report_cell reason, signal;   /* words; empty = none */
    int64_t created_ns;                  /* when it was decided */
    qty_t quantity, filled;              /* wanted; filled */
    price_t price, stop, average;        /* 0 = none */
    cash_t fee;                          /* of its fills, in their asset */
    int64_t first_fill_ns, last_fill_ns; /* 0 = none */
    uint32_t row;                        /* its row */
    bool paired;                         /* it has a partner */
};

/* A fill, as positions see it. */
struct move {
    struct report_cell who[3]; /* strategy, account, instrument */
    int64_t time_ns;           /* when */
    qty_t change;              /* signed */
};

/* One run read back. */
struct run {
    struct report_table orders_file, fills_file, trades_file, equity_file; /* its files */
    struct order *orders;                                                  /* by group, then time */
    struct move *moves;                                                    /* by group, then time */
    uint64_t order_cnt;                                                    /* orders */
    uint64_t move_cnt;                                                     /* moves */
};

/* cell_cmp compares two cells. */
static int cell_cmp(struct report_cell a, struct report_cell b) {
    int order = memcmp(a.text, b.text, a.cnt < b.cnt ? a.cnt : b.cnt);
    return order != 0 ? order : (a.cnt > b.cnt) - (a.cnt < b.cnt);
}

/* group_cmp compares whose two things are. */
static int group_cmp(const struct report_cell *a, const struct report_cell *b) {
    for (int i = 0; i < 3; i++) {
        int order = cell_cmp(a[i], b[i]);
        if (order != 0) return order;
    }
    return 0;
}

/* order_cmp orders orders by group, instant and row, for qsort. */
static int order_cmp(const void *a, const void *b) {
    const struct order *x = a, *y = b;
    int order = group_cmp(x->who, y->who);
    if (order != 0) return order;
    if (x->created_ns != y->created_ns) return x->created_ns < y->created_ns ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* id_cmp orders orders by id, for qsort. */
static int id_cmp(const void *a, const void *b) {
    return cell_cmp(((const struct order *)a)->id, ((const struct order *)b)->id);
}

/* move_cmp orders moves by group and instant, for qsort. */
static int move_cmp(const void *a, const void *b) {
    const struct move *x = a, *y = b;
    int order = group_cmp(x->who, y->who);
    if (order != 0) return order;
    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* difference_cmp orders differences by instant, then cause, for qsort. */
static int difference_cmp(const void *a, const void *b) {
    const struct report_difference *x = a, *y = b;
    if (x->time_ns != y->time_ns) return x->time_ns < y->time_ns ? -1 : 1;
    if (x->cause != y->cause) return x->cause < y->cause ? -1 : 1;
    return strcmp(x->who, y->who);
}

/* columns finds the columns named in names (ends with NULL). */
static int columns(const struct report_table *t, const char *const *names, int *out,
                   struct rt_error *err) {
    for (int i = 0; names[i]; i++) {
        out[i] = report_table_column(t, names[i], err);
        if (out[i] < 0) return out[i];
    }
    return 0;
}

/* span widens the span of s to at_ns. */
static void span(struct report_side *s, int64_t at_ns) {
    if (s->first_ns == 0 || at_ns < s->first_ns) s->first_ns = at_ns;
    if (at_ns > s->last_ns) s->last_ns = at_ns;
}

/* read_orders reads orders.csv. */
static int read_orders(struct run *r, struct report_side *s, struct rt_error *err) {
    static const char *const names[] = { "client_order_id",
                                         "strategy",
                                         "account",
                                         "instrument",
                                         "effect",
                                         "side",
                                         "type",
                                         "time_in_force",
                                         "quantity",
                                         "price",
                                         "stop_price",
                                         "status",
                                         "filled_quantity",
                                         "average_price",
                                         "created_ns",
                                         "reason",
                                         "signal",
                                         NULL };
    const struct report_table *t = &r->orders_file;
    int c[17];
    int code = columns(t, names, c, err);
    if (code < 0) return code;
    r->orders = calloc(t->rows + 1, sizeof *r->orders);
    if (!r->orders) return rt_error_set(err, -ENOMEM, "no memory");
    for (uint64_t i = 0; i < t->rows; i++) {
        struct order *o = &r->orders[r->order_cnt++];
        o->row = (uint32_t)i;
        o->id = report_table_cell(t, i, c[0]);
        for (int k = 0; k < 3; k++) o->who[k] = report_table_cell(t, i, c[1 + k]);
        o->effect = report_table_cell(t, i, c[4]);
        o->side = report_table_cell(t, i, c[5]);
        o->type = report_table_cell(t, i, c[6]);
        o->tif = report_table_cell(t, i, c[7]);
        o->status = report_table_cell(t, i, c[11]);
        o->reason = report_table_cell(t, i, c[15]);
        o->signal = report_table_cell(t, i, c[16]);
        if ((code = report_table_fixed(t, i, c[8], &o->quantity, err)) < 0 ||
            (code = report_table_fixed(t, i, c[9], &o->price, err)) < 0 ||
            (code = report_table_fixed(t, i, c[10], &o->stop, err)) < 0 ||
            (code = report_table_fixed(t, i, c[12], &o->filled, err)) < 0 ||
            (code = report_table_fixed(t, i, c[13], &o->average, err)) < 0 ||
            (code = report_table_whole(t, i, c[14], &o->created_ns, err)) < 0) {
            return code;
        }
        span(s, o->created_ns);
    }
    s->orders = t->rows;
    return 0;
}

/* read_fills reads fills.csv: into the orders (sorted by id then) and the moves. */
static int read_fills(struct run *r, struct report_side *s, struct rt_error *err) {
    static const char *const names[] = { "client_order_id", "strategy", "account",
                                         "instrument",      "time_ns",  "side",
                                         "quantity",        "fee",      NULL };
    const struct report_table *t = &r->fills_file;
    int c[8];
    int code = columns(t, names, c, err);
    if (code < 0) return code;
    r->moves = calloc(t->rows + 1, sizeof *r->moves);
    if (!r->moves) return rt_error_set(err, -ENOMEM, "no memory");
    qsort(r->orders, r->order_cnt, sizeof *r->orders, id_cmp);
    for (uint64_t i = 0; i < t->rows; i++) {
        struct move *m = &r->moves[r->move_cnt++];
        struct report_cell side = report_table_cell(t, i, c[5]);
        struct order key = { .id = report_table_cell(t, i, c[0]) };
        int64_t fee;
        for (int k = 0; k < 3; k++) m->who[k] = report_table_cell(t, i, c[1 + k]);
        if ((code = report_table_whole(t, i, c[4], &m->time_ns, err)) < 0 ||
            (code = report_table_fixed(t, i, c[6], &m->change, err)) < 0 ||
            (code = report_table_fixed(t, i, c[7], &fee, err)) < 0) {
            return code;
        }
        if (side.cnt != 3) m->change = -m->change; /* sell */
        struct order *o = bsearch(&key, r->orders, r->order_cnt, sizeof *o, id_cmp);
        if (!o) continue; /* closed by force: it has no order */
        o->fee += fee;
        if (o->first_fill_ns == 0) o->first_fill_ns = m->time_ns;
        o->last_fill_ns = m->time_ns;
    }
    s->fills = t->rows;
    return 0;
}

/* read_trades sums trades.csv. */
static int read_trades(struct run *r, struct report_side *s, struct rt_error *err) {
    static const char *const names[] = { "realized_pnl", "fee", "net_pnl", NULL };
    const struct report_table *t = &r->trades_file;
    int c[3];
    int code = columns(t, names, c, err);
    for (uint64_t i = 0; code == 0 && i < t->rows; i++) {
        int64_t realized, fee, net;
        if ((code = report_table_fixed(t, i, c[0], &realized, err)) < 0 ||
            (code = report_table_fixed(t, i, c[1], &fee, err)) < 0 ||
            (code = report_table_fixed(t, i, c[2], &net, err)) < 0) {
            return code;
        }
        s->realized += realized;
        s->fees += fee;
        s->net += net;
    }
    s->trades = t->rows;
    return code;
}

/* read_sizes reads which of the instruments in list have contracts of a size. */
static int read_sizes(struct rt_node *list, struct report_side *s, struct rt_error *err) {
    const char *text;
    int code = 0;
    s->sized = calloc(list->child_cnt + 1, sizeof *s->sized);
    if (!s->sized) return rt_error_set(err, -ENOMEM, "out of memory");
    for (struct rt_node *n = list->child; code == 0 && n; n = n->next) {
        struct mk_instrument *in = &s->sized[s->sized_cnt];
        bool inverse = n->kind == RT_NODE_MAP && rt_node_get(n, "contract_value") != NULL;
        const char *key = inverse ? "contract_value" : "multiplier";
        if (n->kind != RT_NODE_MAP || rt_node_get(n, key) == NULL) continue;
        in->kind = inverse ? MK_INVERSE : MK_LINEAR;
        code = rt_node_text(n, "instrument", true, sizeof in->name - 1, NULL, &text, err);
        if (code == 0) snprintf(in->name, sizeof in->name, "%s", text);
        if (code == 0) code = rt_node_text(n, key, true, RT_DECIMAL_CHARS, NULL, &text, err);
        if (code == 0 && rt_decimal_parse(text, strlen(text), &in->contract) != 0) {
            code = rt_node_fail(rt_node_get(n, key), err, "is no number");
        }
        s->sized_cnt++;
    }
    return code;
}

/* dearer returns how much dearer quantity of o's instrument was to get at than at other: bought
 * higher, sold lower; 0 where that leaves the range of money. */
static cash_t dearer(const struct report_compare *c, const struct order *o, price_t at,
                     price_t other, qty_t quantity) {
    const struct report_cell *name = &o->who[2];
    const bool buy = o->side.cnt == 3;
    cash_t paid, would;
    for (uint32_t i = 0; i < c->side[0].sized_cnt; i++) {
        const struct mk_instrument *in = &c->side[0].sized[i];
        if (strlen(in->name) != name->cnt || memcmp(in->name, name->text, name->cnt) != 0) continue;
        if (at <= 0 || other <= 0 || !mk_value(in, at, quantity, FIXED_ZERO, &paid) ||
            !mk_value(in, other, quantity, FIXED_ZERO, &would)) {
            return 0;
        }
        return buy ? paid - would : would - paid;
    }
    return fixed_mul(buy ? at - other : other - at, quantity, FIXED_ZERO, &paid) ? paid : 0;
}

/* read_manifest reads what the run was made of. A run that was stopped early may have none. */
static int read_manifest(const char *dir, struct report_side *s, struct rt_error *err) {
    char path[400];
    struct rt_config *config;
    struct rt_node *list = NULL;
    const char *text;
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    int code = rt_config_load(path, &config, err);
    if (code < 0) return code;
    struct rt_node *root = rt_config_root(config);
    static const char *const keys[] = { "name", "clock", "config_hash", "build" };
    char *const rooms[] = { s->name, s->clock, s->config, s->build };
    const size_t sizes[] = { sizeof s->name, sizeof s->clock, sizeof s->config, sizeof s->build };
    for (int i = 0; code == 0 && i < 4; i++) {
        code = rt_node_text(root, keys[i], false, 300, "?", &text, err);
        if (code == 0) snprintf(rooms[i], sizes[i], "%s", text);
    }
    if (code == 0) code = rt_node_list(root, "data", false, &list, err);
    struct rt_sha256 h;
    uint8_t hash[RT_SHA256_BYTES];
    rt_sha256_init(&h);
    for (struct rt_node *n = list ? list->child : NULL; code == 0 && n; n = n->next) {
        code = rt_node_text(n, "hash", true, 64, NULL, &text, err);
        if (code == 0) rt_sha256_add(&h, text, strlen(text));
    }
    rt_sha256_end(&h, hash);
    rt_sha256_hex(hash, s->data);
    if (code == 0) code = rt_node_list(root, "instruments", false, &list, err);
    if (code == 0 && list) code = read_sizes(list, s, err);
    rt_config_close(config);
    return code;
}

/* read_run reads the directory dir. */
static int read_run(const char *dir, struct run *r, struct report_side *s, struct rt_error *err) {
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    int code = read_manifest(dir, s, err);
    if (code == 0) code = report_table_open(&r->orders_file, dir, "orders.csv", err);
    if (code == 0) code = report_table_open(&r->fills_file, dir, "fills.csv", err);
    if (code == 0) code = report_table_open(&r->trades_file, dir, "trades.csv", err);
    if (code == 0) code = report_table_open(&r->equity_file, dir, "equity.csv", err);
    if (code == 0) code = read_orders(r, s, err);
    if (code == 0) code = read_fills(r, s, err);
    if (code == 0) code = read_trades(r, s, err);
    if (code < 0) return code;
    qsort(r->orders, r->order_cnt, sizeof *r->orders, order_cmp);
    qsort(r->moves, r->move_cnt, sizeof *r->moves, move_cmp);
    return 0;
}

/* run_close frees r. */
static void run_close(struct run *r) {
    report_table_close(&r->orders_file);
    report_table_close(&r->fills_file);
    report_table_close(&r->trades_file);
    report_table_close(&r->equity_file);
    free(r->orders);
    free(r->moves);
}

/* put files a difference of cause about order o: what A and B have there. */
static int put(struct report_compare *c, enum report_cause cause, const struct order *o,
               const char *a, const char *b, cash_t effect, struct rt_error *err) {
    if (c->counts[cause]++ == 0 || o->created_ns < c->first_ns[cause])
        c->first_ns[cause] = o->created_ns;
    c->effects[cause] += effect;
    if ((c->difference_cnt & (c->difference_cnt - 1)) == 0) { /* room is the next power of two */
        uint64_t room = c->difference_cnt ? c->difference_cnt * 2 : 1;
        struct report_difference *more = realloc(c->differences, room * sizeof *more);
        if (!more) return rt_error_set(err, -ENOMEM, "no memory for the differences");
        c->differences = more;
    }
    struct report_difference *d = &c->differences[c->difference_cnt++];
    *d = (struct report_difference){ .cause = cause, .time_ns = o->created_ns, .effect = effect };
    snprintf(d->who, sizeof d->who, "%.*s %.*s %.*s %.*s", (int)o->who[0].cnt, o->who[0].text,
             (int)o->who[2].cnt, o->who[2].text, (int)o->side.cnt, o->side.text, (int)o->type.cnt,
             o->type.text);
    snprintf(d->a, sizeof d->a, "%s", a);
    snprintf(d->b, sizeof d->b, "%s", b);
    return 0;
}

/* put_cells files a difference between two words. */
static int put_cells(struct report_compare *c, enum report_cause cause, const struct order *o,
                     struct report_cell a, struct report_cell b, struct rt_error *err) {
    char left[96], right[96];
    snprintf(left, sizeof left, "%.*s", (int)a.cnt, a.text);
    snprintf(right, sizeof right, "%.*s", (int)b.cnt, b.text);
    return put(c, cause, o, left, right, 0, err);
}

/* put_fixed files a difference between two decimals. */
static int put_fixed(struct report_compare *c, enum report_cause cause, const struct order *o,
                     int64_t a, int64_t b, cash_t effect, struct rt_error *err) {
    char left[RT_DECIMAL_CHARS], right[RT_DECIMAL_CHARS];
    rt_decimal_format(a, left);
    rt_decimal_format(b, right);
    return put(c, cause, o, left, right, effect, err);
}

/* put_time files a difference between two instants. */
static int put_time(struct report_compare *c, enum report_cause cause, const struct order *o,
                    int64_t a, int64_t b, struct rt_error *err) {
    char text[2][64];
    const int64_t ns[2] = { a, b };
    for (int i = 0; i < 2; i++) {
        time_t at = (time_t)(ns[i] / 1000000000);
        struct tm tm;
        size_t n = gmtime_r(&at, &tm) ? strftime(text[i], 40, "%Y-%m-%dT%H:%M:%S", &tm) : 0;
        int64_t part = ns[i] % 1000000000;
        if (part) n += (size_t)snprintf(text[i] + n, 16, ".%09lld", (long long)part);
        snprintf(text[i] + n, 2, "Z");
    }
    return put(c, cause, o, text[0], text[1], 0, err);
}

/* describe says what an order without a partner was. */
static void describe(const struct order *o, char out[96]) {
    char quantity[RT_DECIMAL_CHARS];
    rt_decimal_format(o->quantity, quantity);
    snprintf(out, 96, "%s, %.*s%s%.*s", quantity, (int)o->status.cnt, o->status.text,
             o->signal.cnt ? ", " : "", (int)o->signal.cnt, o->signal.text);
}

/* pair_up compares two orders that belong together. */
static int pair_up(struct report_compare *c, struct order *a, struct order *b,
                   struct rt_error *err) {
    uint64_t before = c->difference_cnt;
    int code = 0;
    a->paired = b->paired = true;
    c->pairs++;
    if (a->created_ns != b->created_ns)
        code = put_time(c, REPORT_TIME, a, a->created_ns, b->created_ns, err);
    if (code == 0 && cell_cmp(a->signal, b->signal) != 0)
        code = put_cells(c, REPORT_SIGNAL, a, a->signal, b->signal, err);
    if (code == 0 && cell_cmp(a->side, b->side) != 0)
        code = put_cells(c, REPORT_SIDE, a, a->side, b->side, err);
    if (code == 0 && cell_cmp(a->type, b->type) != 0)
        code = put_cells(c, REPORT_TYPE, a, a->type, b->type, err);
    else if (code == 0 && cell_cmp(a->effect, b->effect) != 0)
        code = put_cells(c, REPORT_TYPE, a, a->effect, b->effect, err);
    else if (code == 0 && cell_cmp(a->tif, b->tif) != 0)
        code = put_cells(c, REPORT_TYPE, a, a->tif, b->tif, err);
    if (code == 0 && a->price != b->price)
        code = put_fixed(c, REPORT_PRICE, a, a->price, b->price, 0, err);
    if (code == 0 && a->stop != b->stop)
        code = put_fixed(c, REPORT_PRICE, a, a->stop, b->stop, 0, err);
    if (code == 0 && a->quantity != b->quantity)
        code = put_fixed(c, REPORT_QUANTITY, a, a->quantity, b->quantity, 0, err);
    if (code == 0 && cell_cmp(a->status, b->status) != 0)
        code = put_cells(c, REPORT_STATUS, a, a->status, b->status, err);
    else if (code == 0 && cell_cmp(a->reason, b->reason) != 0)
        code = put_cells(c, REPORT_STATUS, a, a->reason, b->reason, err);
    if (code == 0 && a->filled != b->filled)
        code = put_fixed(c, REPORT_FILLED, a, a->filled, b->filled, 0, err);
    if (code == 0 && a->filled > 0 && b->filled > 0) {
        qty_t both = a->filled < b->filled ? a->filled : b->filled;
        int64_t effect = 0;
        if (a->average != b->average) {
            effect = dearer(c, a, a->average, b->average, both);
            code = put_fixed(c, REPORT_FILL_PRICE, a, a->average, b->average, effect, err);
        }
        if (code == 0 && a->fee != b->fee)
            code = put_fixed(c, REPORT_FEE, a, a->fee, b->fee, a->fee - b->fee, err);
        if (code == 0 && a->first_fill_ns != b->first_fill_ns)
            code = put_time(c, REPORT_FILL_TIME, a, a->first_fill_ns, b->first_fill_ns, err);
        else if (code == 0 && a->last_fill_ns != b->last_fill_ns)
            code = put_time(c, REPORT_FILL_TIME, a, a->last_fill_ns, b->last_fill_ns, err);
    }
    if (code == 0 && c->difference_cnt == before) c->equal++;
    return code;
}

/* partner finds the order of run r among [from, to) that o pairs with: within the tolerance, first
 * of the same side and type, then any; NULL = none. */
static struct order *partner(struct order *from, struct order *to, const struct order *o,
                             int64_t tolerance_ns) {
    struct order *any = NULL;
    for (struct order *k = from; k < to; k++) {
        if (k->paired || k->created_ns < o->created_ns - tolerance_ns) continue;
        if (k->created_ns > o->created_ns + tolerance_ns) break;
        if (cell_cmp(k->side, o->side) == 0 && cell_cmp(k->type, o->type) == 0) return k;
        if (!any) any = k;
    }
    return any;
}

/* pair_group pairs the orders of one strategy, account and instrument: twice over A, so that like
 * goes with like before unlike is made to fit. */
static int pair_group(struct report_compare *c, struct order *a, struct order *a_end,
                      struct order *b, struct order *b_end, int64_t tolerance_ns,
                      struct rt_error *err) {
    for (int any = 0; any < 2; any++) {
        struct order *first = b;
        for (struct order *o = a; o < a_end; o++) {
            while (first < b_end &&
                   (first->paired || first->created_ns < o->created_ns - tolerance_ns))
                first++;
            if (o->paired) continue;
            struct order *k = partner(first, b_end, o, tolerance_ns);
            if (!k) continue;
            bool like = cell_cmp(k->side, o->side) == 0 && cell_cmp(k->type, o->type) == 0;
            if (!any && !like) continue;
            int code = pair_up(c, o, k, err);
            if (code < 0) return code;
        }
    }
    char text[96];
    for (struct order *o = a; o < a_end; o++) {
        if (o->paired) continue;
        describe(o, text);
        int code = put(c, REPORT_ONLY_A, o, text, "", 0, err);
        if (code < 0) return code;
    }
    for (struct order *o = b; o < b_end; o++) {
        if (o->paired) continue;
        describe(o, text);
        int code = put(c, REPORT_ONLY_B, o, "", text, 0, err);
        if (code < 0) return code;
    }
    return 0;
}

/* pair_orders pairs all orders, group by group. */
static int pair_orders(struct report_compare *c, const struct run *a, const struct run *b,
                       int64_t tolerance_ns, struct rt_error *err) {
    struct order *x = a->orders, *x_end = x + a->order_cnt;
    struct order *y = b->orders, *y_end = y + b->order_cnt;
    while (x < x_end || y < y_end) {
        int order = x == x_end ? 1 : y == y_end ? -1 : group_cmp(x->who, y->who);
        struct order *xs = x, *ys = y;
        if (order <= 0)
            while (x < x_end && group_cmp(x->who, xs->who) == 0) x++;
        if (order >= 0)
            while (y < y_end && group_cmp(y->who, ys->who) == 0) y++;
        int code = pair_group(c, xs, x, ys, y, tolerance_ns, err);
        if (code < 0) return code;
    }
    return 0;
}

/* positions finds when the positions of the two runs first parted. */
static void positions(struct report_compare *c, const struct run *a, const struct run *b) {
    const struct move *x = a->moves, *x_end = x + a->move_cnt;
    const struct move *y = b->moves, *y_end = y + b->move_cnt;
    while (x < x_end || y < y_end) {
        int order = x == x_end ? 1 : y == y_end ? -1 : group_cmp(x->who, y->who);
        const struct report_cell *who = order <= 0 ? x->who : y->who;
        __int128 held = 0, other = 0;
        bool parted = false;
        for (;;) {
            bool more_x = x < x_end && group_cmp(x->who, who) == 0;
            bool more_y = y < y_end && group_cmp(y->who, who) == 0;
            if (!more_x && !more_y) break;
            int64_t at_ns =
                !more_y || (more_x && x->time_ns <= y->time_ns) ? x->time_ns : y->time_ns;
            while (more_x && x->time_ns == at_ns) {
                held += x++->change;
                more_x = x < x_end && group_cmp(x->who, who) == 0;
            }
            while (more_y && y->time_ns == at_ns) {
                other += y++->change;
                more_y = y < y_end && group_cmp(y->who, who) == 0;
            }
            if (parted || held == other) continue;
            parted = true;
            if (c->position_ns != 0 && c->position_ns <= at_ns) continue;
            c->position_ns = at_ns;
            snprintf(c->position_who, sizeof c->position_who, "%.*s %.*s", (int)who[0].cnt,
                     who[0].text, (int)who[2].cnt, who[2].text);
        }
    }
}

/* equities compares the marks that both runs have, and keeps the last of each account. */
static int equities(struct report_compare *c, const struct run *a, const struct run *b,
                    struct rt_error *err) {
    static const char *const names[] = { "time_ns", "account", "equity", NULL };
    const struct report_table *t[2] = { &a->equity_file, &b->equity_file };
    int col[2][3];
    uint64_t at[2] = { 0, 0 };
    for (int s = 0; s < 2; s++) {
        int code = columns(t[s], names, col[s], err);
        if (code < 0) return code;
        c->side[s].marks = t[s]->rows;
        for (uint64_t i = 0; i < t[s]->rows; i++) {
            int64_t ns, equity;
            if ((code = report_table_whole(t[s], i, col[s][0], &ns, err)) < 0 ||
                (code = report_table_fixed(t[s], i, col[s][2], &equity, err)) < 0) {
                return code;
            }
            span(&c->side[s], ns);
            struct report_cell who = report_table_cell(t[s], i, col[s][1]);
            bool last = true; /* rows are few after the last mark of an account: look ahead */
            for (uint64_t k = i + 1; last && k < t[s]->rows && k <= i + 512; k++)
                last = cell_cmp(report_table_cell(t[s], k, col[s][1]), who) != 0;
            if (last) c->side[s].equity += equity;
        }
    }
    while (at[0] < t[0]->rows && at[1] < t[1]->rows) {
        int64_t ns[2], equity[2];
        for (int s = 0; s < 2; s++) { /* read before: they are sound */
            (void)report_table_whole(t[s], at[s], col[s][0], &ns[s], err);
            (void)report_table_fixed(t[s], at[s], col[s][2], &equity[s], err);
        }
        int order = (ns[0] > ns[1]) - (ns[0] < ns[1]);
        if (order == 0)
            order = cell_cmp(report_table_cell(t[0], at[0], col[0][1]),
                             report_table_cell(t[1], at[1], col[1][1]));
        if (order == 0) {
            cash_t off = equity[1] - equity[0], size = off < 0 ? -off : off;
            c->equity_common++;
            if (off != 0 && c->equity_ns == 0) c->equity_ns = ns[0];
            if (size > (c->equity_most < 0 ? -c->equity_most : c->equity_most))
                c->equity_most = off;
        }
        if (order <= 0) at[0]++;
        if (order >= 0) at[1]++;
    }
    return 0;
}

int report_compare_run(const char *a, const char *b, int64_t tolerance_ns,
                       struct report_compare *out, struct rt_error *err) {
    struct run runs[2];
    memset(runs, 0, sizeof runs);
    memset(out, 0, sizeof *out);
    int code = read_run(a, &runs[0], &out->side[0], err);
    if (code == 0) code = read_run(b, &runs[1], &out->side[1], err);
    if (code == 0) code = pair_orders(out, &runs[0], &runs[1], tolerance_ns, err);
    if (code == 0) code = equities(out, &runs[0], &runs[1], err);
    if (code == 0) {
        positions(out, &runs[0], &runs[1]);
        if (out->difference_cnt)
            qsort(out->differences, out->difference_cnt, sizeof *out->differences, difference_cmp);
    }
    run_close(&runs[0]);
    run_close(&runs[1]);
    if (code < 0) report_compare_close(out);
    return code;
}

void report_compare_close(struct report_compare *c) {
    free(c->differences);
    c->differences = NULL;
    c->difference_cnt = 0;
    for (int i = 0; i < 2; i++) {
        free(c->side[i].sized);
        c->side[i].sized = NULL;
        c->side[i].sized_cnt = 0;
    }
}

bool report_compare_same(const struct report_compare *c) {
    return c->difference_cnt == 0 && c->position_ns == 0 && c->equity_ns == 0 &&
           c->side[0].marks == c->side[1].marks && c->equity_common == c->side[0].marks;
}

/* when writes an instant for people; "never" for 0. */
static const char *when(int64_t ns, char out[40]) {
    time_t at = (time_t)(ns / 1000000000);
    struct tm tm;
    if (ns == 0 || !gmtime_r(&at, &tm) || !strftime(out, 40, "%Y-%m-%d %H:%M:%S", &tm))
        return "never";
    return out;
}

/* plus writes a sum of money with its sign. */
static const char *plus(cash_t v, char out[RT_DECIMAL_CHARS + 1]) {
    out[0] = '+';
    rt_decimal_format(v, v < 0 ? out : out + 1);
    return out;
}

/* row_whole prints a line of the table with whole numbers. */
static void row_whole(FILE *to, const char *name, uint64_t a, uint64_t b) {
    fprintf(to, "  %-16s %20llu %20llu", name, (unsigned long long)a, (unsigned long long)b);
    if (a != b) fprintf(to, " %+20lld", (long long)(b - a));
    fputc('\n', to);
}

/* row_money prints a line of the table with sums. */
static void row_money(FILE *to, const char *name, cash_t a, cash_t b) {
    char left[RT_DECIMAL_CHARS], right[RT_DECIMAL_CHARS], off[RT_DECIMAL_CHARS + 1];
    rt_decimal_format(a, left);
    rt_decimal_format(b, right);
    fprintf(to, "  %-16s %20s %20s", name, left, right);
    if (a != b) fprintf(to, " %20s", plus(b - a, off));
    fputc('\n', to);
}

/* row_hash prints whether two hashes agree. */
static void row_hash(FILE *to, const char *name, const char *a, const char *b) {
    if (strcmp(a, b) == 0)
        fprintf(to, "  %-16s the same (%.12s)\n", name, a);
    else
        fprintf(to, "  %-16s %20.12s %20.12s  differ\n", name, a, b);
}

void report_compare_print(const struct report_compare *c, uint64_t limit, FILE *to, bool colour) {
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    const char *good = colour ? "\033[32m" : "", *bad = colour ? "\033[31m" : "";
    const struct report_side *a = &c->side[0], *b = &c->side[1];
    char at[40], sum[RT_DECIMAL_CHARS + 1];
    fprintf(to, "A %s%s%s  (%s, %s clock)\nB %s%s%s  (%s, %s clock)\n", bold, a->dir, plain,
            a->name, a->clock, bold, b->dir, plain, b->name, b->clock);
    row_hash(to, "configuration", a->config, b->config);
    row_hash(to, "data", a->data, b->data);
    row_hash(to, "program", a->build, b->build);
    fprintf(to, "  %-16s %20s %20s %20s\n", "", "A", "B", "B - A");
    row_whole(to, "orders", a->orders, b->orders);
    row_whole(to, "fills", a->fills, b->fills);
    row_whole(to, "round trips", a->trades, b->trades);
    row_money(to, "net P&L", a->net, b->net);
    row_money(to, "fees", a->fees, b->fees);
    row_money(to, "last equity", a->equity, b->equity);
    fprintf(to, "  %llu orders pair, %llu of them alike in everything\n",
            (unsigned long long)c->pairs, (unsigned long long)c->equal);
    if (c->position_ns)
        fprintf(to, "  positions part at %s UTC (%s)\n", when(c->position_ns, at), c->position_who);
    if (c->equity_ns)
        fprintf(to, "  equity parts at %s UTC, by %s at most\n", when(c->equity_ns, at),
                plus(c->equity_most, sum));
    else if (a->marks != b->marks || c->equity_common != a->marks)
        fprintf(to, "  equity is marked at other instants: %llu and %llu marks, %llu in common\n",
                (unsigned long long)a->marks, (unsigned long long)b->marks,
                (unsigned long long)c->equity_common);
    if (report_compare_same(c)) {
        fprintf(to, "%sno difference%s in orders, fills, positions and equity\n", good, plain);
        return;
    }
    if (c->difference_cnt) {
        fprintf(to, "%s%llu differences%s by cause\n", bad, (unsigned long long)c->difference_cnt,
                plain);
        fprintf(to, "  %-30s %8s %18s  %s\n", "cause", "count", "money (B - A)", "first, UTC");
    }
    for (int i = 0; i < REPORT_CAUSE_CNT; i++) {
        if (!c->counts[i]) continue;
        fprintf(to, "  %-30s %8llu %18s  %s\n", causes[i].help, (unsigned long long)c->counts[i],
                c->effects[i] ? plus(c->effects[i], sum) : "", when(c->first_ns[i], at));
    }
    for (uint64_t i = 0; i < c->difference_cnt && i < limit; i++) {
        const struct report_difference *d = &c->differences[i];
        if (i == 0) fputs("one by one\n", to);
        fprintf(to, "  %s  %s: %s\n    A %s\n    B %s\n", when(d->time_ns, at), d->who,
                causes[d->cause].help, d->a[0] ? d->a : "-", d->b[0] ? d->b : "-");
    }
    if (c->difference_cnt > limit)
        fprintf(to, "  and %llu more: --limit N shows more of them, --json all\n",
                (unsigned long long)(c->difference_cnt - limit));
}

/* side_json writes one run. */
static void side_json(const struct report_side *s, FILE *to) {
    char net[RT_DECIMAL_CHARS], fees[RT_DECIMAL_CHARS], equity[RT_DECIMAL_CHARS];
    rt_decimal_format(s->net, net);
    rt_decimal_format(s->fees, fees);
    rt_decimal_format(s->equity, equity);
    fprintf(to,
            "{\"dir\": \"%s\", \"name\": \"%s\", \"clock\": \"%s\", \"config_hash\": \"%s\", "
            "\"data_hash\": \"%s\", \"build\": \"%s\",\n    \"orders\": %llu, \"fills\": %llu, "
            "\"trades\": %llu, \"net_pnl\": \"%s\", \"fees\": \"%s\", \"equity\": \"%s\"}",
            s->dir, s->name, s->clock, s->config, s->data, s->build, (unsigned long long)s->orders,
            (unsigned long long)s->fills, (unsigned long long)s->trades, net, fees, equity);
}

void report_compare_json(const struct report_compare *c, FILE *to) {
    char sum[RT_DECIMAL_CHARS];
    bool first = true;
    fprintf(to, "{\n  \"same\": %s,\n  \"a\": ", report_compare_same(c) ? "true" : "false");
    side_json(&c->side[0], to);
    fputs(",\n  \"b\": ", to);
    side_json(&c->side[1], to);
    fprintf(to, ",\n  \"pairs\": %llu,\n  \"equal\": %llu,\n  \"causes\": {",
            (unsigned long long)c->pairs, (unsigned long long)c->equal);
    for (int i = 0; i < REPORT_CAUSE_CNT; i++) {
        if (!c->counts[i]) continue;
        rt_decimal_format(c->effects[i], sum);
        fprintf(to, "%s\n    \"%s\": {\"count\": %llu, \"money\": \"%s\", \"first_ns\": %lld}",
                first ? "" : ",", causes[i].name, (unsigned long long)c->counts[i], sum,
                (long long)c->first_ns[i]);
        first = false;
    }
    rt_decimal_format(c->equity_most, sum);
    fprintf(to,
            "%s},\n  \"positions_part_ns\": %lld,\n  \"equity_parts_ns\": %lld,\n"
            "  \"equity_most\": \"%s\",\n  \"differences\": [",
            first ? "" : "\n  ", (long long)c->position_ns, (long long)c->equity_ns, sum);
    for (uint64_t i = 0; i < c->difference_cnt; i++) {
        const struct report_difference *d = &c->differences[i];
        rt_decimal_format(d->effect, sum);
        fprintf(to,
                "%s\n    {\"cause\": \"%s\", \"time_ns\": %lld, \"who\": \"%s\", \"a\": \"%s\", "
                "\"b\": \"%s\", \"money\": \"%s\"}",
                i ? "," : "", causes[d->cause].name, (long long)d->time_ns, d->who, d->a, d->b,
                sum);
    }
    fputs(c->difference_cnt ? "\n  ]\n}\n" : "]\n}\n", to);
}
