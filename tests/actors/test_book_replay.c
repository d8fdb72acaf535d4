/* Goal: on the real recordings the book is the one the venue had, and orders of ours in it stand in
 * their queues as METHODS 18 says.
 * Method: support/recording.py reads the recordings by the venue's rules and says, beside the rows,
 * what must come out: every bookTicker, every row of reference/l2_checkpoints, and the place of
 * random orders by a model written plainly in floats. Here the rows go through book and queue. */
#include "actors/market/book.h"
#include "actors/venue/queue.h"
#include "tests/support/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXPECT_TICKER = 100, /* last bookTicker: u, bid, quantity, ask, quantity */
    EXPECT_CHECKPOINT,   /* u, five bids, five asks (price, quantity), levels a side */
    OURS_JOINS,          /* number, side, price, quantity, model */
    OURS_STANDS,         /* number, ahead, filled */
    END,                 /* diffs, bookTickers, checkpoints, orders filled */
    ORDERS_MAX = 1024,   /* of ours, in a recording */
};

/* The recordings, and what their README says of them. */
static const struct recording {
    const char *names;       /* files that are one recording */
    int64_t tick, lot;       /* of the instrument */
    int64_t diffs;           /* applied */
    int64_t checkpoints;     /* rows of the reference */
    int64_t tickers_off_max; /* diffs after which the last bookTicker differs */
} recordings[] = {
    { "binance_spot_BTCUSDT_20240808 binance_spot_BTCUSDT_20240809", 1000000, 1000, 6493, 25, 2 },
    { "binance_um_BTCUSDT_20230404 binance_um_BTCUSDT_20230405", 10000000, 100000, 16110, 64, 0 },
    { "binance_um_BTCUSDT_20240808", 10000000, 100000, 6547, 26, 0 },
    /* learned from its diffs, the first of which stands for a snapshot */
    { "binance_spot_BTCUSDT_20230405", 1000000, 1000, 3928, 0, 1 },
};

/* An order of ours. */
struct ours {
    struct venue_queue queue; /* its place */
    price_t price;            /* where it rests */
    qty_t left;               /* not filled yet */
    qty_t quantity;           /* in all */
    int64_t model;            /* enum venue_queue_kind */
    uint8_t side;             /* SIDE_* */
    bool there;               /* it rests */
};

/* A replay in hand. */
struct replay {
    struct mk_book book;                /* the book */
    struct venue_queue_model models[3]; /* by kind; the power is 3 */
    struct ours ours[ORDERS_MAX];       /* by number */
    int64_t first, last;                /* numbers of ours that may be there */
    int64_t lot;                        /* lot size */
    int64_t diffs;                      /* updates that were whole */
    int64_t tickers, tickers_off;       /* bookTickers compared, and those that differ */
    int64_t checkpoints;                /* compared */
    int64_t stands;                     /* places compared */
    int64_t filled;                     /* orders of ours that are done */
};

/* on_delta takes a row. */
static void on_delta(struct replay *r, const struct msg_book_delta *row) {
    qty_t before = row->price > 0 ? mk_book_at(&r->book, row->side, row->price) : 0;
    if (row->flags & BOOK_FLAGS_SNAPSHOT) before = 0;
    enum mk_book_step step = mk_book_apply(&r->book, row);
    if (step == MK_BOOK_WHOLE && !(row->flags & BOOK_FLAGS_SNAPSHOT)) r->diffs++;
    for (int64_t i = r->first; i <= r->last; i++) {
        struct ours *o = &r->ours[i];
        if (!o->there || o->side != row->side || o->price != row->price) continue;
        venue_queue_level(&r->models[o->model], &o->queue, before, row->quantity);
    }
}

/* on_trade takes a trade. */
static void on_trade(struct replay *r, const struct msg_trade *trade) {
    for (int64_t i = r->first; i <= r->last; i++) {
        struct ours *o = &r->ours[i];
        if (!o->there || o->side == trade->aggressor) continue;
        int64_t past = o->side == SIDE_BUY ? o->price - trade->price : trade->price - o->price;
        qty_t got = past > 0 ? o->left : 0;
        if (past == 0) {
            got = fixed_floor_to(venue_queue_print(&o->queue, trade->quantity, 0), r->lot);
        }
        o->left -= got < o->left ? got : o->left;
        if (o->left > 0) continue;
        o->there = false;
        r->filled++;
    }
}

/* on_ticker compares the touch. */
static void on_ticker(struct replay *r, const int64_t *v) {
    price_t bid = mk_book_best(&r->book, SIDE_BUY), ask = mk_book_best(&r->book, SIDE_SELL);
    bool same = bid == v[1] && ask == v[3] && bid != 0 && ask != 0 &&
                mk_book_at(&r->book, SIDE_BUY, bid) == v[2] &&
                mk_book_at(&r->book, SIDE_SELL, ask) == v[4];
    r->tickers++;
    r->tickers_off += !same;
}

/* on_checkpoint compares five levels a side and how many there are. */
static void on_checkpoint(struct replay *r, const int64_t *v) {
    assert_true((int64_t)r->book.update_id == v[0]);
    const int64_t *at = v + 1;
    for (uint8_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
        price_t price = 0;
        for (int i = 0; i < 5; i++, at += 2) {
            price = mk_book_next(&r->book, side, price);
            assert_true(price == at[0]);
            assert_true(mk_book_at(&r->book, side, price) == at[1]);
        }
    }
    assert_true(r->book.sides[SIDE_BUY].cnt == (uint32_t)at[0]);
    assert_true(r->book.sides[SIDE_SELL].cnt == (uint32_t)at[1]);
    r->checkpoints++;
}

/* on_stands compares an order's place. The logarithms of two libraries may differ in their last
 * bit, and so may what is rounded up from them, a unit of 1e-8 a step. */
static void on_stands(struct replay *r, const int64_t *v) {
    const struct ours *o = &r->ours[v[0]];
    int64_t off = o->queue.ahead - v[1], filled = o->quantity - o->left - v[2];
    int64_t slack = o->model == VENUE_QUEUE_CONSERVATIVE ? 0 : 400; /* 4e-6 BTC */
    assert_true(off <= slack && off >= -slack);
    if (slack == 0) assert_true(filled == 0);
    assert_true(filled <= r->lot && filled >= -r->lot);
    r->stands++;
}

/* replay runs one recording. */
static void replay(const char *root, const struct recording *rec) {
    static union {
        uint64_t align;              /* for the structs */
        uint8_t bytes[256];          /* as they come */
        int64_t values[32];          /* an expectation */
        struct msg_book_delta delta; /* a row */
        struct msg_trade trade;      /* a trade */
    } body;
    char command[1024];
    snprintf(command, sizeof command, "exec python3 -B tests/support/recording.py %s %s", root,
             rec->names);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    struct replay *r = calloc(1, sizeof *r);
    size_t bytes = mk_book_bytes(1 << 14, 1 << 14);
    void *memory = aligned_alloc(64, bytes);
    assert_true(r != NULL && memory != NULL);
    memset(memory, 0, bytes);
    mk_book_init(&r->book, memory, 1 << 14, 1 << 14, rec->tick);
    r->lot = rec->lot;
    for (int kind = 0; kind < VENUE_QUEUE_KIND_CNT; kind++) {
        r->models[kind] = venue_queue_model((enum venue_queue_kind)kind, 3, rec->lot);
    }
    uint32_t head[2];
    bool done = false;
    while (fread(head, sizeof head, 1, in) == 1) {
        assert_true(head[1] <= sizeof body && fread(&body, head[1], 1, in) == 1);
        switch (head[0]) {
        case MSG_BOOK_DELTA: on_delta(r, &body.delta); break;
        case MSG_TRADE: on_trade(r, &body.trade); break;
        case EXPECT_TICKER: on_ticker(r, body.values); break;
        case EXPECT_CHECKPOINT: on_checkpoint(r, body.values); break;
        case OURS_STANDS: on_stands(r, body.values); break;
        case OURS_JOINS: {
            struct ours *o = &r->ours[body.values[0]];
            assert_true(body.values[0] < ORDERS_MAX);
            *o = (struct ours){ .price = body.values[2],
                                .left = body.values[3],
                                .quantity = body.values[3],
                                .model = body.values[4],
                                .side = (uint8_t)body.values[1],
                                .there = true };
            venue_queue_join(&o->queue, mk_book_at(&r->book, o->side, o->price));
            r->last = body.values[0];
            if (r->last > 40) r->first = r->last - 40;
            break;
        }
        case END:
            done = true;
            assert_true(r->tickers == body.values[1] && r->tickers == body.values[0]);
            assert_true(r->checkpoints == body.values[2]);
            break;
        default: fail();
        }
    }
    assert_int_equal(pclose(in), 0);
    print_message("%s: %lld diffs, %lld of %lld bookTickers differ, %lld checkpoints, %lld places "
                  "of ours, %lld forgotten levels\n",
                  rec->names, (long long)r->diffs, (long long)r->tickers_off, (long long)r->tickers,
                  (long long)r->checkpoints, (long long)r->stands, (long long)r->book.forgotten);
    assert_true(done && r->diffs == rec->diffs && r->checkpoints == rec->checkpoints);
    assert_true(r->tickers_off <= rec->tickers_off_max);
    assert_true(!r->book.stale && r->book.gaps == 0 && r->book.crossed == 0 && r->book.bad == 0);
    assert_true(r->stands > 100);
    free(memory);
    free(r);
}

/* All recordings. */
static void test_recordings(void **state) {
    (void)state;
    char root[512];
    const char *source = getenv("SHRIKE_SOURCE");
    snprintf(root, sizeof root, "%s/../shared/data", source == NULL ? "." : source);
    if (access(root, R_OK) != 0) snprintf(root, sizeof root, "../../shared/data");
    if (access(root, R_OK) != 0) {
        print_message("no recordings at %s\n", root);
        skip();
    }
    for (size_t i = 0; i < sizeof recordings / sizeof recordings[0]; i++) {
        replay(root, &recordings[i]);
    }
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_recordings) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
