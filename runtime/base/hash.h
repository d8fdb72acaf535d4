/* hash.h - names for bytes: SHA-256 for artifacts and files, a fast 64-bit hash for state.
 *
 * For     artifacts/HASH, manifests (SHA-256); hashes of actors' state and output (64 bits, no
 *         defence against an adversary).
 * Thread  pure functions; a struct rt_sha256 has one owner.
 * Memory  the caller's.
 * Cost    SHA-256 about 0.6 ns a byte where the machine has instructions for it, else 2 ns;
 *         rt_hash64 about 0.1 ns a byte.
 * Source  FIPS 180-4 by OpenSSL's libcrypto; XXH64 (Yann Collet, xxHash specification 0.1.1). */
#ifndef RUNTIME_BASE_HASH_H
#define RUNTIME_BASE_HASH_H
#include "runtime/base/error.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    RT_SHA256_BYTES = 32, /* a hash */
    RT_SHA256_CHARS = 64, /* as lower-case hex, without the NUL */
};

/* A SHA-256 under way. */
struct rt_sha256 {
    _Alignas(16) uint8_t state[128]; /* libcrypto's own; meant for nobody */
};

/* rt_sha256_init begins. */
void rt_sha256_init(struct rt_sha256 *h);
/* rt_sha256_add takes cnt bytes in. */
void rt_sha256_add(struct rt_sha256 *h, const void *bytes, size_t cnt);
/* rt_sha256_end gives the hash of all that was taken in; h must be begun anew after it. */
void rt_sha256_end(struct rt_sha256 *h, uint8_t out[RT_SHA256_BYTES]);
/* rt_sha256 hashes cnt bytes at once. */
void rt_sha256(const void *bytes, size_t cnt, uint8_t out[RT_SHA256_BYTES]);
/* rt_sha256_hex writes hash as lower-case hex and a NUL. */
void rt_sha256_hex(const uint8_t hash[RT_SHA256_BYTES], char out[RT_SHA256_CHARS + 1]);
/* rt_sha256_file hashes the file at path. Returns 0 or negative errno with err. */
int rt_sha256_file(const char *path, uint8_t out[RT_SHA256_BYTES], struct rt_error *err)
    __attribute__((warn_unused_result));

/* The five primes of XXH64. */
#define RT_HASH64_P1 0x9e3779b185ebca87ULL
#define RT_HASH64_P2 0xc2b2ae3d27d4eb4fULL
#define RT_HASH64_P3 0x165667b19e3779f9ULL
#define RT_HASH64_P4 0x85ebca77c2b2ae63ULL
#define RT_HASH64_P5 0x27d4eb2f165667c5ULL

/* rt_hash64_turn rotates x left by bits (1..63). */
static inline uint64_t rt_hash64_turn(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

/* rt_hash64_round is the step of a lane: sum takes word in. */
static inline uint64_t rt_hash64_round(uint64_t sum, uint64_t word) {
    return rt_hash64_turn(sum + word * RT_HASH64_P2, 31) * RT_HASH64_P1;
}

/* rt_hash64 returns XXH64 of cnt bytes with seed. It depends on the bytes alone, not on where they
 * lie; a hash over many runs of bytes chains them: h = rt_hash64(h, run, cnt), beginning with 0.
 * (The same bytes cut into other runs give another hash: runs are rows, records, whole structs.) */
static inline uint64_t rt_hash64(uint64_t seed, const void *bytes, size_t cnt) {
    const uint8_t *at = bytes;
    size_t left = cnt;
    uint64_t word, sum = seed + RT_HASH64_P5;
    if (left >= 32) {
        uint64_t lane[4] = { seed + RT_HASH64_P1 + RT_HASH64_P2, seed + RT_HASH64_P2, seed,
                             seed - RT_HASH64_P1 };
        for (; left >= 32; left -= 32) {
            for (int i = 0; i < 4; i++, at += 8) {
                memcpy(&word, at, 8);
                lane[i] = rt_hash64_round(lane[i], word);
            }
        }
        sum = rt_hash64_turn(lane[0], 1) + rt_hash64_turn(lane[1], 7) +
              rt_hash64_turn(lane[2], 12) + rt_hash64_turn(lane[3], 18);
        for (int i = 0; i < 4; i++)
            sum = (sum ^ rt_hash64_round(0, lane[i])) * RT_HASH64_P1 + RT_HASH64_P4;
    }
    sum += cnt;
    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        sum = rt_hash64_turn(sum ^ rt_hash64_round(0, word), 27) * RT_HASH64_P1 + RT_HASH64_P4;
    }
    if (left >= 4) {
        uint32_t half;
        memcpy(&half, at, 4);
        sum = rt_hash64_turn(sum ^ half * RT_HASH64_P1, 23) * RT_HASH64_P2 + RT_HASH64_P3;
        left -= 4;
        at += 4;
    }
    for (; left > 0; left--, at++)
        sum = rt_hash64_turn(sum ^ *at * RT_HASH64_P5, 11) * RT_HASH64_P1;
    sum = (sum ^ sum >> 33) * RT_HASH64_P2;
    sum = (sum ^ sum >> 29) * RT_HASH64_P3;
    return sum ^ sum >> 32;
}
#endif
