/* Goal: no bytes make the reader of markets recorded order by order crash, loop or look outside
 * their input, and the rows it makes are sound: no order is named that is not there, no more is
 * taken than rests, the levels are the sums over orders, updates begin and end.
 * Method: libFuzzer over both forms (the name tells a day); rows are followed by a second set of
 * queues and a book of their own. */
#include "actors/data/orders.h"
#include "actors/data/stream.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bounds: room for orders, the book's window and levels outside it; a tick. */
enum { ROOM = 1 << 12, WINDOW = 4096, FAR = 4096, TICK = 1000000 };

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* What follows the rows. */
struct follower {
    struct mk_queues queues; /* of rows of orders */
    struct mk_book book;     /* of rows of levels */
    void *memory[2];         /* theirs */
    bool open;               /* an update is in hand */
};

/* order_check follows a row of an order. */
static void order_check(struct follower *f, const struct msg_book_order *row) {
    const uint32_t idx = mk_queues_find(&f->queues, row->order_id);
    const struct mk_queued *o = idx == MK_QUEUES_NONE ? NULL : &f->queues.orders[idx];
    assert(row->instrument == 7 && row->side <= SIDE_SELL);
    assert((row->flags & BOOK_FLAGS_FIRST) != 0 || f->open);
    f->open = (row->flags & BOOK_FLAGS_LAST) == 0;
    switch (row->action) {
    case BOOK_ACTION_ADD: assert(o == NULL && row->price % TICK == 0); break;
    case BOOK_ACTION_MOVE: assert(o != NULL && row->price % TICK == 0); break;
    case BOOK_ACTION_REMOVE: assert(o != NULL); break;
    case BOOK_ACTION_REDUCE: assert(o != NULL && row->quantity < o->quantity); break;
    case BOOK_ACTION_EXECUTE:
        assert(row->order_id == 0 || (o != NULL && row->quantity <= o->quantity));
        break;
    default: assert(row->order_id == 0); break;
    }
    struct mk_queue_step s;
    mk_queues_apply(&f->queues, row, &s);
    assert(!s.full);
}

/* follow holds all rows against the rules. */
static void follow(struct follower *f, const struct data_flow *flow) {
    const struct msg_book_order *orders =
        (const struct msg_book_order *)(const void *)flow->rows[DATA_FLOW_ORDERS].rows;
    const struct msg_book_delta *levels =
        (const struct msg_book_delta *)(const void *)flow->rows[DATA_FLOW_LEVELS].rows;
    for (uint64_t i = 0; i < flow->rows[DATA_FLOW_ORDERS].cnt; i++) {
        assert(i == 0 || orders[i].time_ns >= orders[i - 1].time_ns);
        order_check(f, &orders[i]);
    }
    assert(f->queues.cnt == flow->queues.cnt);
    for (uint64_t i = 0; i < flow->rows[DATA_FLOW_LEVELS].cnt; i++) {
        (void)mk_book_apply(&f->book, &levels[i]);
    }
    assert(f->book.bad == 0 && f->book.crossed == 0);
    const struct msg_quote *quotes =
        (const struct msg_quote *)(const void *)flow->rows[DATA_FLOW_QUOTES].rows;
    for (uint64_t i = 0; i < flow->rows[DATA_FLOW_QUOTES].cnt; i++) {
        assert((quotes[i].bid == 0) == (quotes[i].bid_quantity == 0));
        assert((quotes[i].ask == 0) == (quotes[i].ask_quantity == 0));
        assert(quotes[i].bid == 0 || quotes[i].ask == 0 || quotes[i].bid < quotes[i].ask);
    }
    if (f->book.stale || f->book.open || f->book.forgotten > 0) return;
    for (uint32_t i = 0; i < f->queues.max; i++) {
        const struct mk_queued *o = &f->queues.orders[i];
        if (o->id == 0 || o->prev != MK_QUEUES_NONE) continue;
        qty_t all = mk_queues_before(&f->queues, o->side, o->price, UINT64_MAX);
        assert(mk_book_at(&f->book, o->side, o->price) == all);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static const struct mk_instrument in = { .id = 7, .name = "X", .tick_size = TICK };
    static const char name[] = "A_2012-06-21_f";
    static struct follower f;
    const size_t sizes[2] = { mk_queues_bytes(ROOM), mk_book_bytes(WINDOW, FAR) };
    struct data_flow flow;
    struct rt_error err = { 0 };
    if (cnt == 0) return 0;
    for (int i = 0; i < 2; i++) {
        const size_t room = (sizes[i] + 63) & ~(size_t)63;
        if (f.memory[i] == NULL) f.memory[i] = aligned_alloc(64, room);
        if (f.memory[i] == NULL) abort();
        memset(f.memory[i], 0, room);
    }
    mk_queues_init(&f.queues, f.memory[0], ROOM);
    mk_book_init(&f.book, f.memory[1], WINDOW, FAR, TICK);
    f.open = false;
    struct data_orders o = { .file = name, .midnight_ns = data_orders_day(name) };
    if (data_flow_init(&flow, &in, INT64_MIN, INT64_MAX, cnt & 1, &err) != 0) return 0;
    int rc = data_orders_parse((const char *)bytes, cnt, &o, &flow, &err);
    assert(rc == 0 || rc == -EBADMSG || rc == -ENOMEM);
    assert(rc != -EBADMSG ||
           (strncmp(err.text, name, sizeof name - 1) == 0 && strchr(err.text, '\n') == NULL));
    if (rc == 0) rc = data_flow_end(&flow, &err);
    if (rc == 0 && cnt < ROOM * 8) follow(&f, &flow);
    data_flow_fini(&flow);
    return 0;
}
