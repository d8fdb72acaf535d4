/* Goal: after a snapshot is loaded rt_latest and rt_opened give what they gave before it, whoever
 * hears the series and however: also when nobody hears its rows whole.
 * Method: a series of small blocks, so that nothing is at hand by chance; a shard of that series
 * alone, its cursors set by hand; every way of hearing, at every instant and place in its order,
 * against the row reckoned from the time. */
#include "runtime/core/shard.h"
#include "tests/support/check.h"

/* Rows of the series, and how long each takes. */
enum { ROWS = 40, SPAN_NS = 100 };

/* A row: when it begins, and its number. */
struct row {
    int64_t begin_ns; /* first, as in every row */
    uint64_t number;  /* from 0 */
};

static uint64_t block_rows; /* rows in a block */

/* few_rows gives the block that holds row number at. */
static int few_rows(struct rt_series *s, uint64_t at, struct rt_block *out) {
    static struct row rows[ROWS];
    (void)s;
    uint64_t first = at / block_rows * block_rows, end = first + block_rows;
    if (end > ROWS) end = ROWS;
    *out = (struct rt_block){ .first = at };
    if (at >= ROWS) return 0;
    for (uint64_t n = first; n < end; n++)
        rows[n] = (struct row){ .begin_ns = (int64_t)n * SPAN_NS, .number = n };
    *out = (struct rt_block){ .rows = (const uint8_t *)&rows[first],
                              .first = first,
                              .cnt = end - first };
    return 0;
}

/* open_of gives the row's number as its open. */
static void open_of(const struct rt_series *s, const void *row, void *out) {
    (void)s;
    memcpy(out, &((const struct row *)row)->number, 8);
}

/* one checks what is latest and opened at an instant, its series heard by the bits of mask. */
static void one(int64_t now_ns, uint64_t order, unsigned mask) {
    static struct rt_actor_kind kind = { .hears_open = true };
    static struct rt_shard s;
    static struct rt_local local;
    static struct rt_feed feed;
    static int64_t due[RT_HEAR_CNT][1];
    memset(&s, 0, sizeof s);
    memset(&feed, 0, sizeof feed);
    local.kind = &kind;
    s.locals = &local;
    s.feeds = &feed;
    s.series_cnt = 1;
    s.now_ns = now_ns;
    s.order = order;
    s.ctx.shard = &s;
    s.ctx.trace_id = UINT64_MAX; /* every row of this instant and order is in hand */
    feed.s.block = few_rows;
    feed.s.open_of = open_of;
    feed.s.row_bytes = sizeof(struct row);
    feed.s.span_ns = SPAN_NS;
    feed.s.rows_total = ROWS;
    /* rows told, by time and order: whole at their end, opened at their beginning */
    uint64_t told[RT_HEAR_CNT];
    for (int how = 0; how < RT_HEAR_CNT; how++) {
        s.due[how] = due[how];
        uint64_t n = 0;
        while (n < ROWS) {
            int64_t t = (int64_t)n * SPAN_NS + (how == RT_HEAR_OPEN ? 0 : SPAN_NS);
            bool later = t == now_ns && rt_series_order((enum rt_hear)how, 0) > order;
            if (t > now_ns || later) break;
            n++;
        }
        told[how] = n;
        if (mask >> how & 1) feed.cur[how] = (struct rt_cursor){ .row = n, .up = 1 };
    }
    assert_int_equal(rt_shard_loaded(&s), 0);
    const struct row *latest = rt_latest(&s.ctx, 0);
    if (told[RT_HEAR_ROW] == 0) {
        assert_null(latest);
    } else {
        assert_non_null(latest);
        assert_int_equal(latest->number, told[RT_HEAR_ROW] - 1);
    }
    uint64_t number;
    if (rt_opened(&s.ctx, 0, &number))
        assert_int_equal(number, told[RT_HEAR_OPEN] - 1);
    else
        assert_int_equal(told[RT_HEAR_OPEN], 0);
}

/* test_latest: every way of hearing, every instant. */
static void test_latest(void **state) {
    (void)state;
    for (block_rows = 2; block_rows <= 5; block_rows++)
        for (unsigned mask = 0; mask < 1U << RT_HEAR_CNT; mask++)
            for (int64_t now_ns = 0; now_ns <= ROWS / 2 * SPAN_NS; now_ns += SPAN_NS / 2)
                for (int how = 0; how < RT_HEAR_CNT; how++)
                    one(now_ns, rt_series_order((enum rt_hear)how, 0), mask);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_latest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
