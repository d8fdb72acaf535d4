/* bucket.h - token bucket: how fast a caller may go on.
 *
 * For     limits we set ourselves. Not for a venue that counts in windows aligned to the clock:
 *         a full bucket and what grows back pass twice its limit in one window (window.h).
 * Thread  one owner, the actor that holds it; never shared.
 * Memory  24 bytes inside the owner's state; allocates nothing.
 * Cost    a few comparisons and multiplies; reads no clock, the caller passes the time.
 * Source  GCRA in its virtual scheduling form, ITU-T I.371. */
#ifndef RUNTIME_TIME_BUCKET_H
#define RUNTIME_TIME_BUCKET_H
#include <stdint.h>

/* One bucket; starts full. Plain data: copied into snapshots as it is. */
struct rt_bucket {
    int64_t capacity;   /* tokens when full, >= 1; fixed at init */
    int64_t token_ns;   /* time one token takes to grow back, ns, >= 1; fixed at init */
    int64_t full_at_ns; /* when the bucket is full again, ns on the caller's clock */
};

/* rt_bucket_init makes b a full bucket of capacity tokens (>= 1), each growing back
 * in token_ns (>= 1). Returns 0, or -EINVAL when a figure is out of range. */
int rt_bucket_init(struct rt_bucket *b, int64_t capacity, int64_t token_ns);

/* rt_bucket_wait_ns tells how long after now_ns a take of tokens (1..capacity) first
 * succeeds, ns; 0 when it would succeed now. Spends nothing. */
int64_t rt_bucket_wait_ns(const struct rt_bucket *b, int64_t now_ns, int64_t tokens);

/* rt_bucket_take spends tokens (1..capacity) at now_ns, which never runs backwards.
 * Returns 0, or -EAGAIN when too few are left; then nothing is spent. */
int rt_bucket_take(struct rt_bucket *b, int64_t now_ns, int64_t tokens);
#endif
