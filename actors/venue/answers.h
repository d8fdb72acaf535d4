/* answers.h - answers of the venue on their way to us.
 *
 * For     the venue, where an answer takes time (latency.h) or one event has more of them than
 *         those who hear them should have to take at once: what it says waits here until it is due,
 *         first in, first out.
 * Full    the oldest answer is told before its time, so that none is lost.
 * Thread  the venue's shard.
 * Memory  a ring of rows, given at init by the owner.
 * Cost    a copy of 80 bytes each way; where answers take no time, nothing. */
#ifndef ACTORS_VENUE_ANSWERS_H
#define ACTORS_VENUE_ANSWERS_H
#include "runtime/core/actor.h"
#include "schemas/messages.h"

/* The ring. */
struct venue_answers {
    struct msg_answer_row *rows; /* max slots */
    uint64_t first;              /* number of the oldest, from 0 */
    uint64_t next;               /* number of the next one to come */
    uint32_t max;                /* slots, a power of two; 0 = answers take no time */
    uint32_t pad;                /* zero */
};

/* venue_answers_status sends the status s, due at due_ns. */
void venue_answers_status(struct rt_ctx *ctx, struct venue_answers *a,
                          const struct msg_venue_status *s, int64_t due_ns);

/* venue_answers_fill sends the fill f, due at due_ns. */
void venue_answers_fill(struct rt_ctx *ctx, struct venue_answers *a, const struct msg_venue_fill *f,
                        int64_t due_ns);

/* venue_answers_amended sends new figures, or why there are none, due at due_ns. */
void venue_answers_amended(struct rt_ctx *ctx, struct venue_answers *a,
                           const struct msg_venue_amended *m, int64_t due_ns);

/* venue_answers_tell says what is due at until_ns, max answers at most and as far as the call has
 * room, and arms the timer key for what remains. */
void venue_answers_tell(struct rt_ctx *ctx, struct venue_answers *a, int64_t until_ns, uint32_t max,
                        uint64_t key);

/* venue_answers_load takes back the row with its number; false when there is no place for it. */
bool venue_answers_load(struct venue_answers *a, uint64_t number, const struct msg_answer_row *row);

/* venue_answers_last returns when the newest answer on its way is due, INT64_MIN without one. */
static inline int64_t venue_answers_last(const struct venue_answers *a) {
    return a->first == a->next ? INT64_MIN : a->rows[(a->next - 1) & (a->max - 1)].due_ns;
}
#endif
