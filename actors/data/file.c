#include "actors/data/file.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

enum {
    PAGE_BYTES = 4096,      /* mappings are whole pages */
    HUGE_BYTES = 2 << 20,   /* below this, huge pages are not asked for */
    UNPACK_FIRST = 1 << 20, /* first room for unpacked bytes when the file does not tell */
};

void *data_map(size_t bytes, size_t *mapped) {
    *mapped = (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    if (*mapped == 0) *mapped = PAGE_BYTES;
    void *p = mmap(NULL, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    if (*mapped >= HUGE_BYTES) (void)madvise(p, *mapped, MADV_HUGEPAGE);
    return p;
}

void *data_remap(void *map, size_t *mapped, size_t bytes) {
    size_t want = (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    void *p = mremap(map, *mapped, want, MREMAP_MAYMOVE);
    if (p == MAP_FAILED) return NULL;
    *mapped = want;
    if (want >= HUGE_BYTES) (void)madvise(p, want, MADV_HUGEPAGE);
    return p;
}

void data_unmap(void *map, size_t mapped) {
    if (map != NULL) (void)munmap(map, mapped);
}

/* Unpacked bytes on their way. */
struct unpack {
    const char *path; /* for errors */
    size_t most;      /* bytes they may come to */
    uint8_t *out;     /* the mapping */
    size_t mapped;    /* its size */
    size_t cnt;       /* bytes in it */
};

/* unpacker unpacks all of cnt bytes into u. Returns 0, or negative errno with err. */
typedef int unpacker(struct unpack *u, const uint8_t *bytes, size_t cnt, struct rt_error *err);

/* most_unpacked returns how many bytes a file may unpack to: no more than the machine can hold
 * beside what is made of them, so that a few kilobytes of zeros, packed, do not take it down. */
static size_t most_unpacked(void) {
    unsigned long long kb = 0;
    char line[100];
    FILE *f = fopen("/proc/meminfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1) break;
    if (f != NULL) (void)fclose(f);
    const unsigned long long room = kb * 1024 / 2;
    return room > 0 && room < DATA_UNPACKED_MAX ? (size_t)room : (size_t)DATA_UNPACKED_MAX;
}

/* unpack_grow makes more room. */
static int unpack_grow(struct unpack *u, struct rt_error *err) {
    if (u->mapped >= u->most) {
        return rt_error_set(err, -EFBIG, "%s: unpacks to more than %zu MiB%s", u->path,
                            u->most >> 20,
                            u->most < DATA_UNPACKED_MAX ? ", which is what memory there is" : "");
    }
    void *more = data_remap(u->out, &u->mapped, u->mapped * 2);
    if (more == NULL) {
        return rt_error_set(err, -ENOMEM, "%s: no memory to unpack it", u->path);
    }
    u->out = more;
    return 0;
}

/* unpack_zstd unpacks every frame of the file. */
static int unpack_zstd(struct unpack *u, const uint8_t *bytes, size_t cnt, struct rt_error *err) {
    ZSTD_DStream *z = ZSTD_createDStream();
    if (z == NULL) return rt_error_set(err, -ENOMEM, "%s: no memory to unpack it", u->path);
    ZSTD_inBuffer in = { .src = bytes, .size = cnt, .pos = 0 };
    size_t left = 1; /* 0: a frame has just ended */
    int rc = 0;
    while (rc == 0 && in.pos < in.size) {
        if (u->cnt == u->mapped) {
            rc = unpack_grow(u, err);
            if (rc != 0) break;
        }
        ZSTD_outBuffer out = { .dst = u->out, .size = u->mapped, .pos = u->cnt };
        left = ZSTD_decompressStream(z, &out, &in);
        u->cnt = out.pos;
        if (ZSTD_isError(left)) {
            rc = rt_error_set(err, -EBADMSG, "%s: damaged zstd file: %s", u->path,
                              ZSTD_getErrorName(left));
        }
    }
    while (rc == 0 && left != 0) { /* all is read; what the decoder still holds comes out */
        if (u->cnt == u->mapped) rc = unpack_grow(u, err);
        if (rc != 0) break;
        ZSTD_outBuffer out = { .dst = u->out, .size = u->mapped, .pos = u->cnt };
        left = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_isError(left) || (left != 0 && out.pos == u->cnt)) {
            rc = rt_error_set(err, -EBADMSG, "%s: zstd file ends too early", u->path);
        }
        u->cnt = out.pos;
    }
    ZSTD_freeDStream(z);
    return rc;
}

/* unpack_gzip unpacks every member of the file. */
static int unpack_gzip(struct unpack *u, const uint8_t *bytes, size_t cnt, struct rt_error *err) {
    z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes };
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return rt_error_set(err, -ENOMEM, "%s: no memory to unpack it", u->path);
    }
    const uint8_t *end = bytes + cnt;
    int rc = 0, step = Z_OK;
    for (;;) {
        if (u->cnt == u->mapped) {
            rc = unpack_grow(u, err);
            if (rc != 0) break;
        }
        size_t in = (size_t)(end - z.next_in), out = u->mapped - u->cnt;
        z.avail_in = in > INT_MAX ? INT_MAX : (uInt)in;
        z.next_out = u->out + u->cnt;
        z.avail_out = out > INT_MAX ? INT_MAX : (uInt)out;
        step = inflate(&z, Z_NO_FLUSH);
        u->cnt = (size_t)(z.next_out - u->out);
        if (step == Z_STREAM_END && z.next_in == end) break;
        if (step == Z_STREAM_END) {
            step = inflateReset(&z);
            if (step == Z_OK) continue;
        }
        if (step == Z_BUF_ERROR && u->cnt == u->mapped) continue;
        if (step == Z_BUF_ERROR || (step == Z_OK && z.next_in == end && u->cnt < u->mapped)) {
            rc = rt_error_set(err, -EBADMSG, "%s: gzip file ends too early", u->path);
            break;
        }
        if (step != Z_OK) {
            rc = rt_error_set(err, -EBADMSG, "%s: damaged gzip file: %s", u->path,
                              z.msg == NULL ? "not deflate" : z.msg);
            break;
        }
    }
    (void)inflateEnd(&z);
    return rc;
}

/* entry_unpack unpacks entry number idx of an open archive. */
static int entry_unpack(struct unpack *u, zip_t *z, zip_int64_t idx, struct rt_error *err) {
    zip_file_t *entry = zip_fopen_index(z, (zip_uint64_t)idx, 0);
    int rc = 0;
    zip_int64_t got = 1;
    if (entry == NULL) {
        return rt_error_set(err, -EBADMSG, "%s: damaged zip file: %s", u->path, zip_strerror(z));
    }
    while (rc == 0 && got > 0) {
        if (u->cnt == u->mapped) rc = unpack_grow(u, err);
        if (rc != 0) break;
        got = zip_fread(entry, u->out + u->cnt, u->mapped - u->cnt);
        if (got > 0) u->cnt += (size_t)got;
    }
    if (rc == 0 && got < 0) { /* the sum of its bytes is looked at, too */
        rc = rt_error_set(err, -EBADMSG, "%s: damaged zip file: %s", u->path,
                          zip_file_strerror(entry));
    }
    (void)zip_fclose(entry);
    return rc;
}

/* unpack_zip unpacks the one file that the archive holds, as Binance's do. */
static int unpack_zip(struct unpack *u, const uint8_t *bytes, size_t cnt, struct rt_error *err) {
    zip_error_t why;
    zip_error_init(&why);
    zip_source_t *source = zip_source_buffer_create(bytes, cnt, 0, &why);
    zip_t *z = source == NULL ? NULL : zip_open_from_source(source, ZIP_RDONLY, &why);
    if (z == NULL) {
        int rc = rt_error_set(err, -EBADMSG, "%s: damaged zip file: %s", u->path,
                              zip_error_strerror(&why));
        if (source != NULL) zip_source_free(source);
        zip_error_fini(&why);
        return rc;
    }
    const zip_int64_t entries = zip_get_num_entries(z, 0);
    long long files = 0;
    zip_int64_t idx = 0;
    for (zip_int64_t i = 0; i < entries; i++) {
        const char *name = zip_get_name(z, (zip_uint64_t)i, 0);
        if (name != NULL && *name != '\0' && name[strlen(name) - 1] == '/') continue; /* a folder */
        files++;
        idx = i;
    }
    int rc = files == 1 ? entry_unpack(u, z, idx, err)
                        : rt_error_set(err, -EBADMSG, "%s: %lld files in the zip; expected one",
                                       u->path, files);
    zip_discard(z);
    zip_error_fini(&why);
    return rc;
}

/* file_unpack replaces packed bytes by what they hold. */
static int file_unpack(struct data_file *f, const char *path, unpacker *unpack,
                       struct rt_error *err) {
    size_t first = UNPACK_FIRST;
    if (unpack == unpack_zstd) {
        unsigned long long told = ZSTD_getFrameContentSize(f->bytes, f->cnt);
        if (told < 1ULL << 30 && told > first) first = (size_t)told;
    }
    struct unpack u = { .path = path, .most = most_unpacked() };
    u.out = data_map(first, &u.mapped);
    if (u.out == NULL) return rt_error_set(err, -ENOMEM, "%s: no memory to unpack it", path);
    int rc = unpack(&u, (const uint8_t *)f->bytes, f->cnt, err);
    if (rc == 0 && u.cnt == 0) rc = rt_error_set(err, -ENODATA, "%s: the file is empty", path);
    if (rc != 0) {
        data_unmap(u.out, u.mapped);
        return rc;
    }
    data_unmap(f->map, f->map_bytes);
    f->map = u.out;
    f->map_bytes = u.mapped;
    f->bytes = (const char *)u.out;
    f->cnt = u.cnt;
    return 0;
}

/* file_map maps an open file as it lies on disk. */
static int file_map(struct data_file *f, const char *path, int fd, struct rt_error *err) {
    struct stat st;
    if (fstat(fd, &st) != 0) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return rt_error_set(err, -EINVAL, "%s: not a plain file", path);
    if (st.st_size == 0) return rt_error_set(err, -ENODATA, "%s: the file is empty", path);
    if ((uint64_t)st.st_size > DATA_FILE_MAX) {
        return rt_error_set(err, -EFBIG, "%s: larger than %llu bytes", path, DATA_FILE_MAX);
    }
    f->map_bytes = (size_t)st.st_size;
    f->map = mmap(NULL, f->map_bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (f->map == MAP_FAILED) {
        f->map = NULL;
        return rt_error_set(err, -errno, "%s: cannot be mapped: %s", path, strerror(errno));
    }
    f->bytes = f->map;
    f->cnt = f->map_bytes;
    return 0;
}

int data_file_open(const char *base_dir, const char *path, struct data_file *f,
                   struct rt_error *err) {
    *f = (struct data_file){ 0 };
    char full[PATH_MAX];
    bool relative = path[0] != '/' && base_dir != NULL && base_dir[0] != '\0';
    int len =
        snprintf(full, sizeof full, "%s%s%s", relative ? base_dir : "", relative ? "/" : "", path);
    if (len < 0 || (size_t)len >= sizeof full) {
        return rt_error_set(err, -ENAMETOOLONG, "%.60s...: name too long", path);
    }
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    int rc = file_map(f, path, fd, err);
    (void)close(fd);
    if (rc != 0) return rc;
    rt_sha256(f->map, f->map_bytes, f->hash);
    const uint8_t *b = f->map;
    bool zstd = f->cnt >= 4 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd;
    bool gzip = f->cnt >= 2 && b[0] == 0x1f && b[1] == 0x8b;
    bool zip = f->cnt >= 4 && memcmp(b, "PK\3\4", 4) == 0;
    unpacker *unpack = zstd ? unpack_zstd : gzip ? unpack_gzip : zip ? unpack_zip : NULL;
    if (unpack != NULL) rc = file_unpack(f, path, unpack, err);
    if (rc != 0) data_file_close(f);
    return rc;
}

void data_file_close(struct data_file *f) {
    data_unmap(f->map, f->map_bytes);
    *f = (struct data_file){ 0 };
}
