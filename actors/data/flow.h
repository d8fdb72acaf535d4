/* flow.h - a market recorded order by order, made into rows for a run.
 *
 * For     the source "orders" (orders.h): events as a file tells them go in, rows come out of four
 *         series: MSG_BOOK_ORDER, what becomes of each order (the venue hears it); MSG_BOOK_DELTA,
 *         the levels (strategies hear the book as from any recording); MSG_QUOTE, each new touch;
 *         MSG_TRADE.
 * Rules   A book of the orders is kept here, so that rows say what is: no row names an order that
 *         is not there, or takes more than rests of it. What does not fit is counted by kind:
 *           unknown  no such order: of an execution the trade is kept, a change becomes an order,
 *                    the rest is left out
 *           beyond   more than rests of it is executed or canceled: what rests is
 *           twice    an order is added that is there: it moves
 *           crossed  an order leaves bid and ask crossed: the update goes on, and nobody trades,
 *                    until they no longer are; or, where that is declared, the older orders that it
 *                    crosses leave (dropped), but not while trading is halted
 *           gaps     numbers are missing: the book is stale until the next snapshot
 *         A snapshot begins with a clear and holds the orders told right behind it, first in time
 *         first; those that were known stay where they were, or move when they have another price
 *         or more quantity; those it does not name leave.
 *         Before its first event the book is empty. What lies before start_ns makes the book that
 *         rows begin with, a snapshot; nothing is told from end_ns on.
 * Thread  boot.
 * Memory  grows with orders that are open at one time, and with rows.
 * Cost    some 150 ns an event. */
#ifndef ACTORS_DATA_FLOW_H
#define ACTORS_DATA_FLOW_H
#include "actors/data/series.h"
#include "actors/market/book.h"
#include "actors/market/queues.h"

/* What an event says. */
enum data_event_what {
    DATA_EVENT_ADD,     /* an order joins its price */
    DATA_EVENT_SNAP,    /* an order, as a snapshot shows it */
    DATA_EVENT_REDUCE,  /* so much of it is canceled */
    DATA_EVENT_DELETE,  /* it is canceled */
    DATA_EVENT_MODIFY,  /* it has this price and quantity now, and a new place */
    DATA_EVENT_AMEND,   /* it has this smaller quantity now, and keeps its place */
    DATA_EVENT_EXECUTE, /* so much of it is traded; price 0: at its own */
    DATA_EVENT_HIDDEN,  /* so much is traded with an order nobody saw */
    DATA_EVENT_CROSS,   /* so much is traded at an auction */
    DATA_EVENT_CLEAR,   /* a snapshot follows; none: the book is empty */
    DATA_EVENT_HALT,    /* trading is halted */
    DATA_EVENT_RESUME,  /* trading goes on */
    DATA_EVENT_NONE,    /* nothing that counts here */
    DATA_EVENT_CNT,
};

enum { DATA_SIDE_UNKNOWN = 2 }; /* a side that is not told */

/* An event, as a file tells it; what it does not tell is 0. */
struct data_event {
    int64_t time_ns;  /* venue's time, never before the one before it */
    uint64_t id;      /* the order */
    int64_t sequence; /* venue's number: as the one before it or one more; DATA_NOT_TOLD */
    price_t price;    /* >= 0 */
    qty_t quantity;   /* >= 0 */
    int32_t delay_us; /* how much later the recorder had it; 0 = not told */
    uint8_t side;     /* SIDE_* of the order, DATA_SIDE_UNKNOWN */
    uint8_t what;     /* enum data_event_what */
    bool by_touch;    /* hidden: on which side it was is told by the touch, where there is one */
    uint8_t pad;      /* zero */
};

/* What did not fit. */
struct data_flow_faults {
    uint64_t unknown, beyond, twice, crossed, dropped, gaps; /* see above */
};

/* The series, in order of rank. */
enum data_flow_series {
    DATA_FLOW_ORDERS,
    DATA_FLOW_LEVELS,
    DATA_FLOW_QUOTES,
    DATA_FLOW_TRADES,
    DATA_FLOW_SERIES
};

/* A market being read. */
struct data_flow {
    const struct mk_instrument *in; /* whose */
    int64_t start_ns, end_ns;       /* rows lie between */
    bool drop;                      /* older orders that a newer one crosses leave */
    bool begun;                     /* rows are made */
    bool open, hold;                /* an update is not whole; it is kept open whatever the book */
    bool told;                      /* an update of levels is open */
    bool filling;                   /* the update in hand is a snapshot */
    bool snap;                      /* orders of a snapshot are being told */
    bool gapped;                    /* stale */
    bool halted;                    /* trading is halted */
    struct mk_queues queues;        /* the orders */
    struct mk_book book;            /* the levels */
    void *maps[2];                  /* their memory */
    size_t mapped[2];               /* its size */
    int64_t time_ns;                /* of the event in hand */
    int32_t delay_us;               /* the same */
    uint32_t most;                  /* most orders at one time */
    int64_t sequence;               /* number of the last event, DATA_NOT_TOLD = none */
    struct msg_quote touch;         /* the touch told last */
    uint64_t trades;                /* trades told or not */
    struct data_flow_faults faults; /* what did not fit */
    struct data_rows rows[DATA_FLOW_SERIES]; /* what was made */
};

/* data_flow_init makes f empty. 0 or -ENOMEM with err. */
int data_flow_init(struct data_flow *f, const struct mk_instrument *in, int64_t start_ns,
                   int64_t end_ns, bool drop, struct rt_error *err)
    __attribute__((warn_unused_result));

/* data_flow_take takes the next event. 0, -EBADMSG with what is wrong with it (and no place) in
 * err, or -ENOMEM with err. */
int data_flow_take(struct data_flow *f, const struct data_event *e, struct rt_error *err)
    __attribute__((warn_unused_result));

/* data_flow_end ends a snapshot that is in hand: there are no more events. As data_flow_take. */
int data_flow_end(struct data_flow *f, struct rt_error *err) __attribute__((warn_unused_result));

/* data_flow_fini frees the books and what of rows nobody took over (map is NULL then). */
void data_flow_fini(struct data_flow *f);
#endif
