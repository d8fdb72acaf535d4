#include "runtime/base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium/crypto_hash_sha256.h>
#include <unistd.h>

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct rt_sha256),
               "room for libsodium's");
_Static_assert(_Alignof(crypto_hash_sha256_state) <= _Alignof(struct rt_sha256), "aligned for it");

/* inner returns libsodium's state inside h. */
static crypto_hash_sha256_state *inner(struct rt_sha256 *h) {
    return (crypto_hash_sha256_state *)(void *)h->state;
}

void rt_sha256_init(struct rt_sha256 *h) {
    crypto_hash_sha256_init(inner(h));
}

void rt_sha256_add(struct rt_sha256 *h, const void *bytes, size_t cnt) {
    crypto_hash_sha256_update(inner(h), bytes, cnt);
}

void rt_sha256_end(struct rt_sha256 *h, uint8_t out[RT_SHA256_BYTES]) {
    crypto_hash_sha256_final(inner(h), out);
}

void rt_sha256(const void *bytes, size_t cnt, uint8_t out[RT_SHA256_BYTES]) {
    crypto_hash_sha256(out, bytes, cnt);
}

void rt_sha256_hex(const uint8_t hash[RT_SHA256_BYTES], char out[RT_SHA256_CHARS + 1]) {
    for (int i = 0; i < RT_SHA256_BYTES; i++) {
        out[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    out[RT_SHA256_CHARS] = 0;
}

int rt_sha256_file(const char *path, uint8_t out[RT_SHA256_BYTES], struct rt_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return rt_error_set(err, -errno, "%s: cannot open: %s", path, strerror(errno));
    struct rt_sha256 h;
    rt_sha256_init(&h);
    uint8_t chunk[16384];
    int code = 0;
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got > 0) {
            rt_sha256_add(&h, chunk, (size_t)got);
        } else if (got == 0) {
            break;
        } else if (errno != EINTR) {
            code = rt_error_set(err, -errno, "%s: cannot read: %s", path, strerror(errno));
            break;
        }
    }
    close(fd);
    if (code == 0) rt_sha256_end(&h, out);
    return code;
}
