#include "runtime/base/map.h"
#include "tests/support/check.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Size of the maps. */
enum { KEYS_MAX = 300 };

/* Goal: the map holds what a plain list would hold, whatever was put and removed before.
 * Method: random puts, gets and removals of few keys (so that runs of slots form) from a seed,
 * against an array with one place a key. */
static void test_agrees_with_a_list(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        uint64_t gen = seed;
        uint32_t max = (uint32_t)gen_range(&gen, 1, KEYS_MAX);
        uint64_t step = gen_next(&gen) | 1;
        int64_t list[KEYS_MAX * 2]; /* value of key number i, -1 = not there */
        memset(list, -1, sizeof list);
        void *memory = calloc(1, rt_map_bytes(max));
        assert_non_null(memory);
        struct rt_map m;
        rt_map_init(&m, memory, max);
        uint32_t cnt = 0;
        for (int turn = 0; turn < 2000; turn++) {
            uint32_t i = (uint32_t)gen_range(&gen, 0, KEYS_MAX * 2 - 1);
            uint64_t key = (i + 1) * step;
            if (gen_range(&gen, 0, 2) > 0) {
                int want = list[i] >= 0 ? -EEXIST : cnt == max ? -ENOSPC : 0;
                CHECK(seed, rt_map_put(&m, key, (uint32_t)turn) == want);
                if (want == 0) {
                    list[i] = turn;
                    cnt++;
                }
            } else {
                CHECK(seed, rt_map_remove(&m, key) == (list[i] >= 0));
                cnt -= list[i] >= 0;
                list[i] = -1;
            }
            uint32_t look = (uint32_t)gen_range(&gen, 0, KEYS_MAX * 2 - 1);
            uint32_t want = list[look] < 0 ? RT_MAP_NONE : (uint32_t)list[look];
            CHECK(seed, rt_map_get(&m, (look + 1) * step) == want);
            CHECK(seed, m.cnt == cnt);
        }
        struct rt_map_slot sorted[KEYS_MAX];
        CHECK(seed, rt_map_sorted(&m, sorted) == cnt);
        for (uint32_t i = 0; i < cnt; i++) {
            CHECK(seed, i == 0 || sorted[i - 1].key < sorted[i].key);
            CHECK(seed, rt_map_get(&m, sorted[i].key) == sorted[i].value);
        }
        free(memory);
    }
}

/* Goal: sizes that make no sense are refused. Method: the bounds. */
static void test_bounds(void **state) {
    (void)state;
    assert_int_equal(rt_map_bytes(0), 0);
    assert_int_equal(rt_map_bytes(RT_MAP_KEYS_MAX + 1), 0);
    assert_int_equal(rt_map_bytes(1), 4 * sizeof(struct rt_map_slot));
    assert_int_equal(rt_map_bytes(3), 8 * sizeof(struct rt_map_slot));
}

/* main runs the tests of this file. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_a_list),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
