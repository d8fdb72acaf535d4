/* check.h - what property tests share: a seeded generator and a check that tells the seed.
 *
 * For     tests; includes cmocka with the headers it wants first.
 * Thread  the caller's. */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* gen_next draws 64 random bits and moves *gen on (splitmix64; any start will do). */
static inline uint64_t gen_next(uint64_t *gen) {
    uint64_t z = *gen += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* gen_range draws a number in lo..hi (lo <= hi). */
static inline int64_t gen_range(uint64_t *gen, int64_t lo, int64_t hi) {
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1;
    uint64_t draw = gen_next(gen);
    return (int64_t)((uint64_t)lo + (span == 0 ? draw : draw % span));
}

/* CHECK fails the test when condition does not hold, telling seed. */
#define CHECK(seed, condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("%s:%d: seed %llu: %s\n", __FILE__, __LINE__, (unsigned long long)(seed),  \
                        #condition);                                                               \
            fail();                                                                                \
        }                                                                                          \
    } while (0)
#endif
