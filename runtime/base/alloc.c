#include "runtime/base/alloc.h"
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOC_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define ALLOC_SANITIZED 1
#endif
#endif

#ifdef ALLOC_SANITIZED

bool rt_alloc_counting(void) {
    return false;
}

uint64_t rt_alloc_count(void) {
    return 0;
}

void rt_alloc_fail(uint64_t cnt) {
    (void)cnt;
}

#else

/* Initial-exec, because the dynamic model may itself allocate on a thread's first access. */
static _Thread_local uint64_t calls __attribute__((tls_model("initial-exec")));

/* Allocations until the one that fails; 0 = none. */
static _Thread_local uint64_t fail_in __attribute__((tls_model("initial-exec")));

/* glibc's own heap under its second names, exported for exactly this. */
extern void *__libc_malloc(size_t bytes);                 /* malloc */
extern void *__libc_calloc(size_t cnt, size_t bytes);     /* calloc */
extern void *__libc_realloc(void *old, size_t bytes);     /* realloc */
extern void *__libc_memalign(size_t align, size_t bytes); /* memalign */
extern void __libc_free(void *old);                       /* free */

bool rt_alloc_counting(void) {
    return true;
}

uint64_t rt_alloc_count(void) {
    return calls;
}

void rt_alloc_fail(uint64_t cnt) {
    fail_in = cnt;
}

/* counted counts an allocation and tells whether it shall fail. */
static bool counted(void) {
    calls++;
    if (__builtin_expect(fail_in == 0, 1) || --fail_in != 0) return false;
    errno = ENOMEM;
    return true;
}

/* malloc counts and passes on. */
void *malloc(size_t bytes) {
    return counted() ? NULL : __libc_malloc(bytes);
}

/* calloc counts and passes on. */
void *calloc(size_t cnt, size_t bytes) {
    return counted() ? NULL : __libc_calloc(cnt, bytes);
}

/* realloc counts and passes on. */
void *realloc(void *old, size_t bytes) {
    return counted() ? NULL : __libc_realloc(old, bytes);
}

/* aligned_alloc counts and passes on. */
void *aligned_alloc(size_t align, size_t bytes) {
    return counted() ? NULL : __libc_memalign(align, bytes);
}

/* posix_memalign counts and passes on; EINVAL for an alignment that is no power of two. */
int posix_memalign(void **out, size_t align, size_t bytes) {
    if (align < sizeof(void *) || (align & (align - 1)) != 0) return EINVAL;
    void *taken = counted() ? NULL : __libc_memalign(align, bytes);
    if (taken == NULL) return ENOMEM;
    *out = taken;
    return 0;
}

/* free counts and passes on. */
void free(void *old) {
    if (old == NULL) return;
    calls++;
    __libc_free(old);
}

#endif
