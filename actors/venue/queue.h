/* queue.h - where a resting order of ours stands in the queue of a recorded level.
 *
 * For     the driver of recorded books: the recording shows how much rests at a price, not where in
 *         it we would stand. An order joins behind all that is displayed; trades at the price take
 *         from the front; what leaves without a trade left from before or from behind us, and how
 *         much of it from behind is the model's guess:
 *           conservative  all of it, as far as there is so much behind
 *           power n       f(back) / (f(back) + f(ahead)) with f(x) = x^n
 *           log           the same with f(x) = ln(1 + x)
 *         back and ahead in lots.
 * Numbers what is ahead is an integer (1e-8 base), rounded up after each change; the model's part
 *         is an estimate in doubles, made of operations that are the same everywhere (quant/).
 * Thread  the owner's.
 * Memory  16 bytes an order.
 * Cost    a trade: a subtraction; a level that shrinks: 5 ns (conservative), 10 ns (power with a
 *         small whole n), 40 ns (log).
 * Source  METHODS 18: E. Rigtorp, "Estimating order queue position", 2013; quant.stackexchange
 *         3782; hftbacktest, backtest/models/queue.rs. */
#ifndef ACTORS_VENUE_QUEUE_H
#define ACTORS_VENUE_QUEUE_H
#include "schemas/fixed.h"
#include <stdint.h>

/* How what is canceled is shared out between before and behind us. */
enum venue_queue_kind {
    VENUE_QUEUE_CONSERVATIVE, /* from behind */
    VENUE_QUEUE_POWER,        /* by powers */
    VENUE_QUEUE_LOG,          /* by logarithms */
    VENUE_QUEUE_KIND_CNT,
};

/* A declared model. */
struct venue_queue_model {
    enum venue_queue_kind kind; /* which */
    uint32_t whole;             /* n when it is whole and at most 16, else 0 */
    double power;               /* n of x^n, 0 < n <= 16 */
    double per_lot;             /* 1 / lot size: what turns quantities into lots */
};

/* The place of one order. Plain data: copied into snapshots as it is. */
struct venue_queue {
    qty_t ahead;   /* still before us, >= 0 */
    qty_t printed; /* traded at the price since the level last changed */
};

/* venue_queue_model makes the model kind; power counts for VENUE_QUEUE_POWER. */
struct venue_queue_model venue_queue_model(enum venue_queue_kind kind, double power,
                                           qty_t lot_size);

/* venue_queue_back returns the part of a cancellation that came from behind us, 0..1, with so much
 * (in 1e-8) ahead of us and behind us. */
double venue_queue_back(const struct venue_queue_model *m, qty_t ahead, qty_t back);

/* venue_queue_join puts an order behind what is displayed. */
static inline void venue_queue_join(struct venue_queue *q, qty_t displayed) {
    *q = (struct venue_queue){ .ahead = displayed };
}

/* venue_queue_print takes a trade of quantity at the order's price, mine of which has filled orders
 * of ours before it, and returns how much of the rest is beyond what was ahead: it may fill it. */
static inline qty_t venue_queue_print(struct venue_queue *q, qty_t quantity, qty_t mine) {
    qty_t left = quantity > mine ? quantity - mine : 0;
    qty_t reached = left > q->ahead ? left - q->ahead : 0;
    q->ahead = left < q->ahead ? q->ahead - left : 0;
    if (__builtin_add_overflow(q->printed, quantity, &q->printed)) q->printed = INT64_MAX;
    return reached;
}

/* venue_queue_level takes the change of the level from before to now (both >= 0). */
void venue_queue_level(const struct venue_queue_model *m, struct venue_queue *q, qty_t before,
                       qty_t now);
#endif
