/* market_data.h - what tests of market data share: a small world, sources opened by YAML, the
 * recorded files next to the tree.
 *
 * For     tests in tests/actors.
 * Thread  the test's. */
#ifndef TESTS_SUPPORT_MARKET_DATA_H
#define TESTS_SUPPORT_MARKET_DATA_H
#include "actors/market/market.h"
#include "runtime/core/source.h"
#include "tests/support/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Most series of a source. */
enum { MD_SERIES_MAX = 16 };

/* An open source with the configuration it came from. */
struct md_source {
    const struct rt_source_kind *kind;      /* klines, trades or market */
    struct rt_config *tree;                 /* its configuration */
    struct rt_series series[MD_SERIES_MAX]; /* what it offers */
    struct rt_source_init init;             /* what open was given and gave */
};

/* md_world makes a world of AAA-PERP (tick 0.1, lot 0.001) and BBB-SPOT (tick 0.01, lot 0.0001). */
static inline struct mk_market *md_world(void) {
    static const char yaml[] =
        "instruments:\n"
        "  AAA-PERP: {symbol: AAAUSDT, kind: linear, base: AAA, quote: USDT, tick_size: 0.1,\n"
        "    lot_size: 0.001, maker_fee: 0, taker_fee: 0.001}\n"
        "  BBB-SPOT: {symbol: BBBUSDT, kind: spot, base: BBB, quote: USDT, tick_size: 0.01,\n"
        "    lot_size: 0.0001, maker_fee: 0, taker_fee: 0.001}\n"
        "accounts:\n"
        "  main: {quote: USDT, cash: 1000}\n";
    struct rt_config *tree = NULL;
    struct rt_error err = { 0 };
    struct mk_market *world = NULL;
    if (rt_config_parse("world", yaml, strlen(yaml), &tree, &err) != 0 ||
        mk_market_load(rt_config_root(tree), &world, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
    rt_config_close(tree);
    return world;
}

/* md_open opens a source from YAML. Returns what its open returned. */
static inline int md_open(struct md_source *s, const struct rt_source_kind *kind, const char *yaml,
                          const struct mk_market *world, const char *base_dir, int64_t start_ns,
                          int64_t end_ns, struct rt_error *err) {
    memset(s, 0, sizeof *s);
    s->kind = kind;
    int rc = rt_config_parse("source", yaml, strlen(yaml), &s->tree, err);
    if (rc != 0) return rc;
    s->init = (struct rt_source_init){ .config = rt_config_root(s->tree),
                                       .world = world,
                                       .base_dir = base_dir,
                                       .seed = 42,
                                       .start_ns = start_ns,
                                       .end_ns = end_ns,
                                       .series = s->series,
                                       .series_max = MD_SERIES_MAX };
    return kind->open(&s->init, err);
}

/* md_close closes it. */
static inline void md_close(struct md_source *s) {
    s->kind->close(s->series, s->init.series_cnt);
    rt_config_close(s->tree);
    memset(s, 0, sizeof *s);
}

/* md_must_open opens a source of everything, or fails the test. */
static inline void md_must_open(struct md_source *s, const struct rt_source_kind *kind,
                                const char *yaml, const struct mk_market *world,
                                const char *base_dir) {
    struct rt_error err = { 0 };
    if (md_open(s, kind, yaml, world, base_dir, INT64_MIN, INT64_MAX, &err) != 0) {
        print_error("%s\n", err.text);
        fail();
    }
}

/* md_rows returns the whole of a file's series. */
static inline const void *md_rows(struct md_source *s, uint32_t idx, size_t *cnt) {
    struct rt_block b;
    assert_int_equal(s->series[idx].block(&s->series[idx], 0, &b), 0);
    assert_int_equal(b.cnt, s->series[idx].rows_total);
    *cnt = (size_t)b.cnt;
    return b.rows;
}

/* md_tree returns the root of the source tree. */
static inline const char *md_tree(void) {
    const char *root = getenv("SHRIKE_SOURCE");
    return root == NULL ? "." : root;
}

/* md_shared writes the path of the recorded data into out (at least 4096 bytes); false, with a
 * message, when it is not there: the test then skips. */
static inline bool md_shared(char *out) {
    snprintf(out, 4096, "%s/../shared/data/crypto", md_tree());
    if (access(out, R_OK) == 0) return true;
    snprintf(out, 4096, "%s/../../shared/data/crypto", md_tree()); /* a second work tree */
    if (access(out, R_OK) == 0) return true;
    print_message("[  SKIP  ] no recorded data at %s\n", out);
    return false;
}
#endif
