#include "runtime/base/arena.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ARENA_ALIGN = 64,     /* a cache line */
    ARENA_PAGE = 4096,    /* small page: unit of the mapping, and the guard behind it */
    ARENA_HUGE = 2097152, /* huge page: base is aligned to it so that the kernel can use them */
};

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; Debian 12's headers may lack the name */
#endif

/* round_up returns n rounded up to a multiple of unit (a power of two). */
static size_t round_up(size_t n, size_t unit) {
    return (n + unit - 1) & ~(unit - 1);
}

int rt_arena_init(struct rt_arena *a, size_t bytes, struct rt_error *err) {
    *a = (struct rt_arena){ .base = NULL };
    if (bytes == 0 || bytes > (size_t)1 << 46)
        return rt_error_set(err, -EINVAL, "arena of %zu bytes; expected 1 byte to 64 TiB", bytes);
    size_t align = bytes >= ARENA_HUGE ? ARENA_HUGE : ARENA_PAGE;
    bytes = round_up(bytes, ARENA_PAGE);

    /* Reserve with slack, keep the aligned part and a guard page that faults on an overrun. */
    size_t reserve = bytes + align + ARENA_PAGE;
    uint8_t *raw =
        mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (raw == MAP_FAILED)
        return rt_error_set(err, -errno, "cannot map %zu bytes for the shard's memory: %s", bytes,
                            strerror(errno));
    uint8_t *base = (uint8_t *)round_up((uintptr_t)raw, align);
    uint8_t *tail = base + bytes + ARENA_PAGE;
    if (base > raw) munmap(raw, (size_t)(base - raw));
    if (raw + reserve > tail) munmap(tail, (size_t)(raw + reserve - tail));

    int code = 0;
    if (mprotect(base, bytes, PROT_READ | PROT_WRITE) != 0) {
        code = -errno;
    } else {
        (void)madvise(base, bytes, MADV_HUGEPAGE); /* a wish; small pages do too */
    }
    if (code != 0) {
        munmap(base, bytes + ARENA_PAGE);
        return rt_error_set(err, code, "cannot have %zu bytes for the shard's memory: %s", bytes,
                            strerror(-code));
    }
    *a = (struct rt_arena){ .base = base, .bytes = bytes };
    return 0;
}

void *rt_arena_take(struct rt_arena *a, size_t bytes) {
    assert(!a->sealed); /* taking memory after boot is our own bug */
    assert(a->base != NULL);
    if (bytes > a->bytes) return NULL; /* also keeps the rounding below in range */
    size_t need = bytes == 0 ? ARENA_ALIGN : round_up(bytes, ARENA_ALIGN);
    if (need > a->bytes - a->used) return NULL;
    void *taken = a->base + a->used;
    a->used += need;
    return taken;
}

int rt_arena_seal(struct rt_arena *a, struct rt_error *err) {
    size_t bytes = round_up(a->used, ARENA_PAGE);
    a->sealed = true;
    if (bytes == 0 || madvise(a->base, bytes, MADV_POPULATE_WRITE) == 0) return 0;
    if (errno != EINVAL)
        return rt_error_set(err, -errno, "cannot have %zu bytes for the shard's memory: %s", bytes,
                            strerror(errno));
    for (size_t at = 0; at < bytes; at += ARENA_PAGE) { /* an older kernel: touch it ourselves */
        volatile uint8_t *p = a->base + at;
        uint8_t kept = *p;
        *p = kept;
    }
    return 0;
}

void rt_arena_fini(struct rt_arena *a) {
    if (a->base != NULL) munmap(a->base, a->bytes + ARENA_PAGE);
    *a = (struct rt_arena){ .base = NULL };
}
