#include "runtime/time/bucket.h"
#include <assert.h>
#include <errno.h>

_Static_assert(sizeof(struct rt_bucket) == 24, "rt_bucket is part of the snapshot format");

int rt_bucket_init(struct rt_bucket *b, int64_t capacity, int64_t token_ns) {
    if (capacity < 1 || token_ns < 1) return -EINVAL;
    if (token_ns > INT64_MAX / 4 / capacity) return -EINVAL; /* keeps every sum below in range */
    *b = (struct rt_bucket){ .capacity = capacity, .token_ns = token_ns };
    return 0;
}

int64_t rt_bucket_wait_ns(const struct rt_bucket *b, int64_t now_ns, int64_t tokens) {
    assert(tokens >= 1);
    assert(tokens <= b->capacity); /* asking for more than fits is our own bug */
    int64_t debt_ns = b->full_at_ns > now_ns ? b->full_at_ns - now_ns : 0;
    int64_t over_ns = debt_ns - (b->capacity - tokens) * b->token_ns;
    return over_ns > 0 ? over_ns : 0;
}

int rt_bucket_take(struct rt_bucket *b, int64_t now_ns, int64_t tokens) {
    if (rt_bucket_wait_ns(b, now_ns, tokens) > 0) return -EAGAIN;
    int64_t from_ns = b->full_at_ns > now_ns ? b->full_at_ns : now_ns;
    b->full_at_ns = from_ns + tokens * b->token_ns;
    return 0;
}
