#include "runtime/base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The plain functions: a state without memory of its own, which EVP's has. They are marked as old
 * in OpenSSL 3, with no date at which they go. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct rt_sha256), "room for libcrypto's");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct rt_sha256), "aligned for it");

/* inner returns libcrypto's state inside h. */
static SHA256_CTX *inner(struct rt_sha256 *h) {
    return (SHA256_CTX *)(void *)h->state;
}

void rt_sha256_init(struct rt_sha256 *h) {
    SHA256_Init(inner(h)); /* it and the others below cannot fail: they return 1 */
}

void rt_sha256_add(struct rt_sha256 *h, const void *bytes, size_t cnt) {
    SHA256_Update(inner(h), bytes, cnt);
}

void rt_sha256_end(struct rt_sha256 *h, uint8_t out[RT_SHA256_BYTES]) {
    SHA256_Final(out, inner(h));
}

void rt_sha256(const void *bytes, size_t cnt, uint8_t out[RT_SHA256_BYTES]) {
    struct rt_sha256 h;
    rt_sha256_init(&h);
    rt_sha256_add(&h, bytes, cnt);
    rt_sha256_end(&h, out);
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
