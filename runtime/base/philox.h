/* philox.h - random numbers without a state: Philox4x32-10.
 *
 * For     the random numbers of actors (rt_random64), of the built-in market and of tests: a number
 *         is a function of (seed, actor, draw), so placement and replay do not change it.
 * Thread  pure functions.
 * Cost    about 8 ns a block.
 * Source  Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#ifndef RUNTIME_BASE_PHILOX_H
#define RUNTIME_BASE_PHILOX_H
#include <stdint.h>

/* rt_philox4x32 fills out with the block of counter under key (both little-end words first). */
static inline void rt_philox4x32(const uint32_t counter[4], const uint32_t key[2],
                                 uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int i = 0; i < 10; i++) {
        uint64_t a = (uint64_t)c0 * 0xd2511f53U, b = (uint64_t)c2 * 0xcd9e8d57U;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9e3779b9U;
        k1 += 0xbb67ae85U;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* rt_philox64 returns draw number draw (from 0) of actor in a run with seed: key = seed, counter =
 * (draw, actor, 0), the first two words of the block. */
static inline uint64_t rt_philox64(uint64_t seed, uint32_t actor, uint64_t draw) {
    const uint32_t counter[4] = { (uint32_t)draw, (uint32_t)(draw >> 32), actor, 0 };
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    uint32_t out[4];
    rt_philox4x32(counter, key, out);
    return (uint64_t)out[1] << 32 | out[0];
}

/* rt_philox_below maps a random number onto 0..bound-1 (bound >= 1); off from even by at most
 * bound / 2^64. */
static inline uint64_t rt_philox_below(uint64_t random, uint64_t bound) {
    return (uint64_t)((unsigned __int128)random * bound >> 64);
}

/* rt_philox_unit maps a random number onto [0, 1), a multiple of 2^-53. */
static inline double rt_philox_unit(uint64_t random) {
    return (double)(random >> 11) * 0x1p-53;
}
#endif
