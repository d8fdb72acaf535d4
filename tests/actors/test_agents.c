/* Goal: the market of the simulated traders is a function of its options, goes on from a snapshot
 * as it would have, and is what was declared: so many actions, self-exciting, so volatile.
 * Method: runs of a day or more from printed seeds; a run beside one that is saved and loaded now
 * and then; counts of a long run against the analytic mean of a Hawkes process, their dispersion
 * against a Poisson process's. Stylised facts are measured in tests/e2e/test_agents_facts.py. */
#include "actors/venue/agents.h"
#include "quant/stats/number.h"
#include "tests/support/check.h"
#include <stdlib.h>
#include <string.h>

static const int64_t SECOND_NS = 1000000000, DAY_S = 86400;

/* A market on the heap. */
struct market {
    struct ag_options options; /* as declared */
    struct ag *ag;             /* it */
    uint64_t trades, hash;     /* heard so far */
};

/* usual fills the options that tests begin with. */
static struct ag_options usual(uint64_t seed) {
    struct ag_options o;
    ag_defaults(&o);
    o.seed = seed;
    o.start = 100000;
    o.size = 20;
    o.first_owner = 2;
    o.others_max = 64;
    assert_null(ag_wrong(&o));
    return o;
}

/* make makes a market without orders. */
static struct ag *make(const struct ag_options *o) {
    size_t bytes = (ag_bytes(o) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, bytes);
    assert_non_null(memory);
    memset(memory, 0, bytes);
    return ag_init(memory, o);
}

/* heed hears what the engine told. */
static void heed(struct market *m) {
    for (uint32_t i = 0; i < m->ag->out.cnt; i++) {
        const struct vm_event *e = &m->ag->out.at[i];
        ag_heed(m->ag, e);
        m->trades += e->kind == VM_TRADED;
        uint64_t mixed = m->hash ^ (uint64_t)e->price ^ (uint64_t)e->lots << 40 ^ e->id << 8;
        m->hash = gen_next(&mixed);
    }
    m->ag->out.cnt = 0;
}

/* open_market opens a market at 0. */
static struct market open_market(struct ag_options o) {
    struct market m = { .options = o, .ag = make(&o) };
    ag_start(m.ag, 0);
    heed(&m);
    return m;
}

/* step does one event. */
static void step(struct market *m) {
    int64_t at_ns = ag_next_ns(m->ag);
    assert_true(at_ns > m->ag->f.now_ns);
    ag_step(m->ag);
    assert_int_equal(m->ag->f.now_ns, at_ns);
    heed(m);
}

/* The same seed gives the same market, another one another. */
static void test_same(void **unused) {
    (void)unused;
    struct market a = open_market(usual(9)), b = open_market(usual(9)), c = open_market(usual(10));
    struct ag_options other = usual(9);
    other.stream = 1;
    struct market d = open_market(other);
    for (int i = 0; i < 50000; i++) {
        step(&a);
        step(&b);
        step(&c);
        step(&d);
    }
    assert_true(a.hash == b.hash && vm_hash(a.ag->vm) == vm_hash(b.ag->vm));
    assert_true(a.hash != c.hash && a.hash != d.hash && c.hash != d.hash);
    assert_true(a.trades > 5000);
    free(a.ag);
    free(b.ag);
    free(c.ag);
    free(d.ag);
}

/* reload makes m anew from its rows and figures. */
static void reload(struct market *m) {
    size_t cnt = vm_rows(m->ag->vm);
    struct vm_row *rows = calloc(cnt, sizeof *rows);
    struct ag *fresh = make(&m->options);
    assert_non_null(rows);
    assert_int_equal(vm_save(m->ag->vm, rows, cnt), cnt);
    assert_int_equal(vm_load(fresh->vm, rows, cnt), 0);
    fresh->f = m->ag->f;
    ag_loaded(fresh);
    assert_memory_equal(fresh->ids, m->ag->ids, fresh->traders * sizeof *fresh->ids);
    free(rows);
    free(m->ag);
    m->ag = fresh;
}

/* A market loaded from a snapshot goes on alike. */
static void test_reload(void **unused) {
    (void)unused;
    uint64_t gen = 4;
    struct market a = open_market(usual(3)), b = open_market(usual(3));
    for (int i = 0; i < 30000; i++) {
        step(&a);
        step(&b);
        if (gen_range(&gen, 0, 500) == 0) reload(&b);
        assert_true(a.hash == b.hash);
        if (i % 1000 == 0) assert_null(vm_check(a.ag->vm));
    }
    assert_true(vm_hash(a.ag->vm) == vm_hash(b.ag->vm));
    free(a.ag);
    free(b.ag);
}

/* Actions and news come as often as declared, in bursts; the value is as volatile as declared. */
static void test_rates(void **unused) {
    (void)unused;
    enum { SEEDS = 12, DAYS = 3 };
    double acts = 0, news = 0, square = 0, spread = 0, bins = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct market m = open_market(usual(seed));
        double before = 0;
        int64_t end = 10;
        double count = 0, sum = 0, squares = 0, cnt = 0;
        while (ag_next_ns(m.ag) < DAYS * DAY_S * SECOND_NS) {
            while (ag_next_ns(m.ag) >= end * SECOND_NS) { /* windows of ten seconds */
                if (end % 3600 == 0) {
                    double moved = m.ag->f.value - before;
                    square += moved * moved;
                    before = m.ag->f.value;
                }
                sum += count;
                squares += count * count;
                cnt += 1;
                count = 0;
                end += 10;
            }
            bool was_news = m.ag->f.news;
            news += was_news;
            acts += !was_news;
            count += !was_news;
            step(&m);
        }
        double mean = sum / cnt;
        spread += (squares / cnt - mean * mean) / mean; /* 1 for a Poisson process */
        bins += cnt;
        free(m.ag);
    }
    double seconds = (double)SEEDS * DAYS * (double)DAY_S;
    double hour = usual(1).volatility * qs_sqrt(3600 / 31557600.0);
    double moved = qs_sqrt(square / (seconds / 3600));
    print_message("%.3f actions a second (5), %.4f news (1/22), dispersion %.1f (1), %.5f an hour "
                  "(%.5f)\n",
                  acts / seconds, news / seconds, spread / SEEDS, moved, hour);
    assert_true(acts / seconds > 4.7 && acts / seconds < 5.4);
    /* of so many events of a process whose every event brings 0.95 more the mean is known to 4 % */
    assert_true(news / seconds > 0.88 / 22 && news / seconds < 1.12 / 22);
    assert_true(spread / SEEDS > 2);
    assert_true(moved > 0.8 * hour && moved < 1.25 * hour);
}

/* What others do in the book the traders answer to: who takes all that is offered finds offers
 * again. */
static void test_others(void **unused) {
    (void)unused;
    struct market m = open_market(usual(6));
    for (int i = 0; i < 20000; i++) step(&m);
    struct vm_new sweep = {
        .lots = vm_lots_for(m.ag->vm, VM_BUY, INT64_MAX), .tag = 1, .owner = 0, .type = VM_MARKET
    };
    assert_true(sweep.lots > 100 && vm_place(m.ag->vm, &sweep) != 0);
    heed(&m);
    assert_int_equal(vm_best(m.ag->vm, VM_SELL), 0);
    assert_int_equal(vm_position_of(m.ag->vm, 0), sweep.lots);
    int64_t until_ns = m.ag->f.now_ns + 60 * SECOND_NS;
    while (ag_next_ns(m.ag) < until_ns) step(&m);
    assert_true(vm_lots_for(m.ag->vm, VM_BUY, INT64_MAX) > sweep.lots / 4);
    assert_true(vm_best(m.ag->vm, VM_BUY) < vm_best(m.ag->vm, VM_SELL));
    assert_null(vm_check(m.ag->vm));
    free(m.ag);
}

/* Options that make no sense are named. */
static void test_wrong(void **unused) {
    (void)unused;
    struct ag_options o = usual(1);
    o.start = 999;
    assert_non_null(ag_wrong(&o));
    o = usual(1);
    o.cnt[AG_MAKER] = 0;
    assert_non_null(ag_wrong(&o));
    o = usual(1);
    o.cnt[AG_NOISE] = AG_RESTING_MAX / 4;
    assert_non_null(ag_wrong(&o));
    o = usual(1);
    o.volatility = QS_NONE;
    assert_non_null(ag_wrong(&o));
    o = usual(1);
    o.cnt[AG_NOISE] = o.cnt[AG_VALUE] = o.cnt[AG_MOMENTUM] = 0; /* makers alone quote */
    assert_null(ag_wrong(&o));
    struct market m = open_market(o);
    for (int i = 0; i < 5000; i++) step(&m);
    assert_int_equal(m.trades, 0);
    assert_true(vm_best(m.ag->vm, VM_BUY) > 0 && vm_best(m.ag->vm, VM_SELL) > 0);
    free(m.ag);
}

/* main runs them. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),   cmocka_unit_test(test_reload), cmocka_unit_test(test_rates),
        cmocka_unit_test(test_others), cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
