/* match_drive.h - commands as data, and what gives each to the matching engine and to its twin and
 * compares all they say and hold.
 *
 * For     tests/actors/test_match_twin.c and tests/fuzz/fuzz_match.c.
 * Thread  the test's; one driver at a time (static memory). */
#ifndef TESTS_SUPPORT_MATCH_DRIVE_H
#define TESTS_SUPPORT_MATCH_DRIVE_H
#include "tests/support/match_twin.h"
#include <inttypes.h>
#include <stdio.h>

/* Bounds of a run. */
enum { DRIVE_CMDS = 4096, DRIVE_LIST = 3, DRIVE_ORDERS = DRIVE_CMDS * DRIVE_LIST + 1 };

/* What a command does. */
enum drive_op {
    OP_PLACE,
    OP_LIST,
    OP_CANCEL,
    OP_CANCEL_ALL,
    OP_AMEND,
    OP_REPLACE,
    OP_EXPIRE,
    OP_MARK,
    OP_PRINT,
    OP_BOUND,
    OP_POSITION,
    OP_GROUP,
    OP_RELOAD,
    OP_CNT
};

/* One command; orders of earlier ones are named by the command's index and theirs in it. */
struct drive_cmd {
    struct vm_new n[DRIVE_LIST]; /* orders */
    int64_t a, b;                /* prices, lots, times */
    uint32_t ref;                /* index of the command that placed the order meant */
    uint8_t sub;                 /* which of its orders */
    uint8_t op;                  /* enum drive_op */
    uint8_t cnt;                 /* orders of a list */
    uint8_t mode;                /* of amend, cancel, replace */
};

/* Sizes of a run. */
struct drive_setup {
    uint32_t orders_max, owners, window; /* of the engine */
    bool levels;                         /* mirror the book from level changes */
    int fault;                           /* an error of the twin's */
};

/* What the events say about an order. */
struct drive_order {
    int64_t quantity, filled, prevented, left; /* lots */
    bool fok;                                  /* all or nothing */
    bool done;                                 /* has ended */
};

/* A run in hand. */
struct drive {
    struct twin twin;                                 /* the twin */
    struct vm *engine;                                /* the engine */
    struct vm_options options;                        /* its options */
    struct vm_out out;                                /* its events, few at a time */
    struct vm_event few[VM_EVENTS_MIN];               /* room for them */
    struct vm_event ev[TWIN_EVENTS];                  /* all of a command */
    uint32_t ev_cnt;                                  /* how many */
    uint64_t ids[DRIVE_CMDS][DRIVE_LIST];             /* the engine's ids */
    struct drive_order orders[DRIVE_ORDERS];          /* by number */
    int64_t given[TWIN_OWNERS];                       /* positions set from outside, net */
    struct vm_row rows[2][TWIN_ORDERS + TWIN_OWNERS]; /* the engine's, the twin's */
    struct vm_depth depth[2][TWIN_ORDERS];            /* mirror of each side, in no order */
    uint32_t depth_cnt[2];                            /* how many levels */
    bool levels;                                      /* the mirror is kept */
    uint32_t shift;                                   /* id >> shift = number */
    uint64_t events;                                  /* seen in all runs */
    uint64_t kinds[VM_KIND_CNT];                      /* by kind */
    uint64_t reasons[128];                            /* by reason */
    char why[256];                                    /* first difference */
};

static struct drive drive; /* the run in hand */

/* drive_flush collects what the engine says. */
static void drive_flush(struct vm_out *out) {
    if (drive.ev_cnt + out->cnt > TWIN_EVENTS) abort();
    memcpy(drive.ev + drive.ev_cnt, out->at, out->cnt * sizeof out->at[0]);
    drive.ev_cnt += out->cnt;
    out->cnt = 0;
}

/* drive_level mirrors a level. */
static void drive_level(void *ctx, uint8_t side, int64_t price, int64_t lots) {
    (void)ctx;
    struct vm_depth *d = drive.depth[side];
    uint32_t *cnt = &drive.depth_cnt[side], i = 0;
    while (i < *cnt && d[i].price != price) i++;
    if (i == *cnt) {
        if (lots == 0) return;
        d[(*cnt)++].price = price;
    }
    d[i].lots = lots;
    if (lots == 0) d[i] = d[--*cnt];
}

/* drive_engine makes an empty engine. */
static struct vm *drive_engine(void) {
    size_t bytes = vm_bytes(&drive.options);
    void *memory = aligned_alloc(128, bytes);
    if (!memory) abort();
    memset(memory, 0, bytes);
    return vm_init(memory, &drive.options, &drive.out);
}

/* drive_open begins a run. */
static void drive_open(const struct drive_setup *s) {
    drive.options = (struct vm_options){ .orders_max = s->orders_max,
                                         .owners_max = s->owners,
                                         .window = s->window,
                                         .on_level = s->levels ? drive_level : NULL };
    drive.out = (struct vm_out){ .at = drive.few, .max = VM_EVENTS_MIN, .flush = drive_flush };
    drive.engine = drive_engine();
    drive.shift = (uint32_t)__builtin_ctz(s->orders_max);
    drive.levels = s->levels;
    drive.depth_cnt[0] = drive.depth_cnt[1] = 0;
    drive.why[0] = 0;
    memset(drive.given, 0, sizeof drive.given);
    tw_init(&drive.twin, s->orders_max, s->owners);
    drive.twin.fault = s->fault;
}

/* drive_close ends a run. */
static void drive_close(void) {
    free(drive.engine);
    drive.engine = NULL;
}

/* drive_reload saves the engine, and goes on with a new one loaded from that. */
static bool drive_reload(void) {
    size_t cnt = vm_rows(drive.engine);
    uint64_t hash = vm_hash(drive.engine);
    if (vm_save(drive.engine, drive.rows[0], cnt - 1) != 0) return false;
    if (vm_save(drive.engine, drive.rows[0], cnt) != cnt) return false;
    bool levels = drive.levels;
    drive_close();
    drive.options.on_level = NULL;
    drive.engine = drive_engine();
    if (vm_load(drive.engine, drive.rows[0], cnt) != 0) return false;
    if (vm_hash(drive.engine) != hash) return false;
    drive.levels = false; /* the observer belonged to the engine that went */
    (void)levels;
    return true;
}

/* drive_give gives a command to both; false when what they return differs. */
static bool drive_give(const struct drive_cmd *c, uint32_t at) {
    struct vm *e = drive.engine;
    struct twin *t = &drive.twin;
    uint64_t id = c->ref < at ? drive.ids[c->ref][c->sub] : 0, seq = id >> drive.shift;
    uint64_t seqs[DRIVE_LIST] = { 0 }, *ids = drive.ids[at];
    memset(ids, 0, sizeof drive.ids[at]);
    switch (c->op) {
    case OP_PLACE: return (ids[0] = vm_place(e, &c->n[0])) >> drive.shift == tw_place(t, &c->n[0]);
    case OP_LIST:
        return vm_place_list(e, c->n, c->cnt, ids) >> drive.shift ==
               tw_place_list(t, c->n, c->cnt, seqs);
    case OP_CANCEL: return vm_cancel(e, id, c->mode % 3) == tw_cancel(t, seq, c->mode % 3);
    case OP_CANCEL_ALL: return vm_cancel_all(e, c->n[0].owner) == tw_cancel_all(t, c->n[0].owner);
    case OP_AMEND:
        return vm_amend(e, id, c->a, c->b, c->mode % 3) ==
               tw_amend(t, seq, c->a, c->b, c->mode % 3);
    case OP_REPLACE: {
        bool gone = tw_cancel(t, seq, c->mode % 3), stop = c->mode & 4;
        uint32_t did = vm_replace(e, id, c->mode % 3, stop, &c->n[0], &ids[0]);
        if (gone || !stop) seqs[0] = tw_place(t, &c->n[0]);
        uint32_t ought = (gone ? VM_REPLACE_CANCELED : 0) | (seqs[0] ? VM_REPLACE_PLACED : 0);
        return did == ought && ids[0] >> drive.shift == seqs[0];
    }
    case OP_EXPIRE:
        vm_expire(e, c->a);
        tw_expire(t, c->a);
        return true;
    case OP_MARK:
        vm_mark(e, c->a);
        tw_price(t, true, c->a);
        return true;
    case OP_PRINT:
        vm_print(e, c->a);
        tw_price(t, false, c->a);
        return true;
    case OP_BOUND:
        vm_bound(e, c->a, c->b);
        t->lo = c->a;
        t->hi = c->b;
        return true;
    case OP_POSITION:
        drive.given[c->n[0].owner] += c->a - t->position[c->n[0].owner];
        vm_position(e, c->n[0].owner, c->a);
        t->position[c->n[0].owner] = c->a;
        tw_enforce(t, c->n[0].owner);
        return true;
    case OP_GROUP:
        vm_group(e, c->n[0].owner, (uint32_t)c->a);
        t->group[c->n[0].owner] = (uint32_t)c->a;
        return true;
    default: return drive_reload();
    }
}

/* drive_book holds the events against what is known of their orders: conservation. */
static bool drive_book(const struct vm_event *v) {
    struct drive_order *o = &drive.orders[v->id % DRIVE_ORDERS];
    struct drive_order *taker = &drive.orders[v->other % DRIVE_ORDERS];
    if (v->kind == VM_REFUSED) return true;
    if (v->id == 0 || v->id >= DRIVE_ORDERS) return false;
    if (v->kind == VM_ACCEPTED || v->kind == VM_PENDED) {
        *o = (struct drive_order){ .quantity = v->lots, .left = v->left };
        return v->left == v->lots;
    }
    if (o->done) return false;
    if (v->kind == VM_TRADED || v->kind == VM_PREVENTED || v->kind == VM_TRANSFERRED) {
        bool traded = v->kind == VM_TRADED;
        if (v->lots < traded || v->price < 1 || taker->done) return false;
        *(traded ? &o->filled : &o->prevented) += v->lots;
        *(traded ? &taker->filled : &taker->prevented) += v->lots;
        taker->left = v->other_left;
        if (taker->quantity != taker->filled + taker->prevented + taker->left) return false;
        if (traded && v->left == 0) o->done = true;
        if (traded && v->other_left == 0) taker->done = true;
    }
    if (v->kind == VM_AMENDED || v->kind == VM_TRIGGERED) o->quantity = v->lots;
    if (v->kind == VM_CANCELED || v->kind == VM_EXPIRED) {
        o->done = true;
        if (o->fok && o->filled) return false;
    }
    o->left = v->left;
    return o->quantity == o->filled + o->prevented + o->left;
}

/* drive_same compares what both have said and hold; false with why. */
static bool drive_same(void) {
    struct twin *t = &drive.twin;
    drive_flush(&drive.out);
    for (uint32_t i = 0; i < drive.ev_cnt || i < t->ev_cnt; i++) {
        struct vm_event a = { 0 }, b = { 0 };
        if (i < drive.ev_cnt) a = drive.ev[i];
        if (i < t->ev_cnt) b = t->ev[i];
        a.id >>= drive.shift;
        a.other >>= drive.shift;
        if (memcmp(&a, &b, sizeof a) != 0) {
            snprintf(drive.why, sizeof drive.why,
                     "event %u: kind %u id %" PRIu64 " price %" PRId64 " lots %" PRId64
                     " left %" PRId64 " reason %u; twin: kind %u id %" PRIu64 " price %" PRId64
                     " lots %" PRId64 " left %" PRId64 " reason %u",
                     i, a.kind, a.id, a.price, a.lots, a.left, a.reason, b.kind, b.id, b.price,
                     b.lots, b.left, b.reason);
            return false;
        }
        if (!drive_book(&a)) {
            snprintf(drive.why, sizeof drive.why, "event %u: lots of %" PRIu64 " are not kept", i,
                     a.id);
            return false;
        }
        drive.kinds[a.kind < VM_KIND_CNT ? a.kind : 0]++;
        drive.reasons[a.reason & 127]++;
    }
    drive.events += drive.ev_cnt;
    size_t n = vm_save(drive.engine, drive.rows[0], TWIN_ORDERS), m = tw_rows(t, drive.rows[1]);
    for (size_t i = 0; i < n && i < m; i++) {
        struct vm_row *r = &drive.rows[0][i];
        if ((r->w[0] & 255) == 3) {
            r->w[1] >>= drive.shift;
            r->w[15] >>= drive.shift;
        }
        for (int k = 0; k < 16; k++) {
            if (r->w[k] == drive.rows[1][i].w[k]) continue;
            snprintf(drive.why, sizeof drive.why,
                     "row %zu word %d: %" PRIx64 ", twin: %" PRIx64 " (order %" PRIu64 ")", i, k,
                     r->w[k], drive.rows[1][i].w[k], r->w[1]);
            return false;
        }
    }
    int64_t sum = 0;
    for (uint32_t i = 0; i < t->owners; i++)
        sum += vm_position_of(drive.engine, i) - drive.given[i];
    if (n != m || sum != 0)
        snprintf(drive.why, sizeof drive.why, "%zu rows, twin %zu; %" PRId64 " lots from nowhere",
                 n, m, sum);
    return n == m && sum == 0;
}

/* drive_mirror holds the mirror of the book against its levels. */
static bool drive_mirror(void) {
    static struct vm_depth d[TWIN_ORDERS];
    for (int side = 0; side < 2; side++) {
        uint32_t n = vm_depth(drive.engine, side, d, TWIN_ORDERS);
        if (n != drive.depth_cnt[side]) return false;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t k = 0;
            while (k < n && drive.depth[side][k].price != d[i].price) k++;
            if (k == n || drive.depth[side][k].lots != d[i].lots) return false;
            if (i > 0 && (d[i].price > d[i - 1].price) != (side == VM_SELL)) return false;
        }
    }
    return true;
}

/* drive_step gives the command with index at; false when anything differs, with why. */
static bool drive_step(const struct drive_cmd *c, uint32_t at) {
    drive.ev_cnt = drive.twin.ev_cnt = drive.out.cnt = 0;
    uint64_t seq = drive.twin.seq;
    for (uint32_t i = 0; i < DRIVE_LIST; i++)
        drive.orders[seq + 1 + i] = (struct drive_order){ .done = false };
    if (!drive_give(c, at)) {
        snprintf(drive.why, sizeof drive.why, "what the command returns");
        return false;
    }
    if (!drive_same()) return false;
    if (drive.levels && !drive_mirror()) {
        snprintf(drive.why, sizeof drive.why, "the mirror of the book");
        return false;
    }
    for (uint32_t i = 0; i < DRIVE_LIST; i++) { /* all or nothing */
        const struct vm_new *n = &c->n[i];
        const struct drive_order *o = &drive.orders[drive.ids[at][i] >> drive.shift];
        if (drive.ids[at][i] == 0 || n->tif != VM_FOK || n->flags & VM_REDUCE) continue;
        if (!o->done || o->filled == 0 || o->filled == o->quantity) continue;
        snprintf(drive.why, sizeof drive.why, "fill-or-kill filled in part");
        return false;
    }
    const char *wrong = at % 16 == 0 ? vm_check(drive.engine) : NULL;
    if (wrong) snprintf(drive.why, sizeof drive.why, "%s", wrong);
    return !wrong;
}
#endif
