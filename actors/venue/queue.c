#include "actors/venue/queue.h"
#include "quant/stats/number.h"
#include <assert.h>

enum { WHOLE_MAX = 16 }; /* powers up to it are products */

struct venue_queue_model venue_queue_model(enum venue_queue_kind kind, double power,
                                           qty_t lot_size) {
    assert(lot_size > 0);
    assert(kind != VENUE_QUEUE_POWER || (power > 0 && power <= WHOLE_MAX));
    struct venue_queue_model m = { .kind = kind, .power = power, .per_lot = 1.0 / lot_size };
    if (kind == VENUE_QUEUE_POWER && power == (double)(uint32_t)power) m.whole = (uint32_t)power;
    return m;
}

/* power returns x (0..1) to the n of m. */
static double power(const struct venue_queue_model *m, double x) {
    if (m->whole == 0) return qs_pow(x, m->power);
    double y = x;
    for (uint32_t i = 1; i < m->whole; i++) y *= x;
    return y;
}

double venue_queue_back(const struct venue_queue_model *m, qty_t ahead, qty_t back) {
    if (m->kind == VENUE_QUEUE_CONSERVATIVE || ahead == 0) return 1;
    if (back == 0) return 0;
    if (m->kind == VENUE_QUEUE_POWER) { /* as a ratio below 1, so that nothing overflows */
        if (back >= ahead) return 1 / (1 + power(m, (double)ahead / (double)back));
        double ratio = power(m, (double)back / (double)ahead);
        return ratio / (1 + ratio);
    }
    double front = qs_log(1 + (double)ahead * m->per_lot);
    double behind = qs_log(1 + (double)back * m->per_lot);
    return behind / (behind + front);
}

void venue_queue_level(const struct venue_queue_model *m, struct venue_queue *q, qty_t before,
                       qty_t now) {
    /* printed may be INT64_MAX: before - now cannot overflow, nor what remains of it below */
    qty_t shrunk = before > now ? before - now : 0;
    qty_t cancel = shrunk > q->printed ? shrunk - q->printed : 0;
    q->printed = 0;
    if (cancel > 0 && q->ahead > 0) {
        qty_t back = before > q->ahead ? before - q->ahead : 0;
        /* What is behind us cannot lose more than there is: the rest left from before us. METHODS
         * writes it as ahead - (1 - p) * cancel + min(back - p * cancel, 0). */
        double guess = (1 - venue_queue_back(m, q->ahead, back)) * (double)cancel;
        qty_t moved = guess < (double)cancel ? (qty_t)guess : cancel;
        if (moved < cancel - back) moved = cancel - back;
        q->ahead = moved < q->ahead ? q->ahead - moved : 0;
    }
    if (q->ahead > now) q->ahead = now;
}
