#include "runtime/store/archive.h"
#include "runtime/base/seam.h"
#include "runtime/store/segment.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    SLICE_BYTES = 256 << 10, /* compressed or read at once: under a millisecond */
    SKIP_HEAD = 8,           /* magic and size of the skippable frame */
    SKIP_MAGIC = 0x184D2A50, /* of a skippable frame */
    LEVEL = 1,               /* journals shrink to a fifth; more costs the disk thread's time */
};

/* A stream that decompresses. */
struct archive_reader {
    char path[SEG_PATH_MAX];     /* for errors */
    int fd;                      /* the file */
    struct rt_journal_head head; /* from the skippable frame */
    ZSTD_DCtx *stream;           /* decompressor */
    uint8_t *in;                 /* SLICE_BYTES of the file */
    ZSTD_inBuffer rest;          /* what of it is not decompressed */
    uint64_t file_at;            /* where the next slice of the file begins */
    uint64_t at;                 /* offset in the segment the stream stands at */
    uint8_t *scrap;              /* SLICE_BYTES for what is passed over */
    bool ended;                  /* the frame is complete */
};

int archive_open(const char *path, struct archive_reader **out, struct rt_error *err) {
    *out = NULL;
    int fd = rt_seam->open(path, O_RDONLY, 0);
    if (fd == -ENOENT) return fd;
    if (fd < 0) return rt_error_set(err, fd, "%s: cannot be opened: %s", path, strerror(-fd));
    struct archive_reader *a = calloc(1, sizeof *a);
    if (a != NULL) {
        a->fd = fd;
        a->stream = ZSTD_createDCtx();
        a->in = malloc(SLICE_BYTES);
        a->scrap = malloc(SLICE_BYTES);
        snprintf(a->path, sizeof a->path, "%s", path);
    }
    if (a == NULL || a->stream == NULL || a->in == NULL || a->scrap == NULL) {
        if (a == NULL) rt_seam->close(fd);
        archive_close(a);
        return rt_error_set(err, -ENOMEM, "%s: no memory to read it", path);
    }
    uint8_t skip[SKIP_HEAD + sizeof a->head];
    uint32_t magic[2];
    ssize_t n = rt_seam->pread(fd, skip, sizeof skip, 0);
    memcpy(magic, skip, sizeof magic);
    memcpy(&a->head, skip + SKIP_HEAD, sizeof a->head);
    int code = 0;
    if (n != sizeof skip || magic[0] != SKIP_MAGIC || magic[1] != sizeof a->head)
        code =
            rt_error_set(err, -EBADMSG, "%s: offset 0: not an archived segment, or damaged", path);
    if (code < 0) {
        archive_close(a);
        return code;
    }
    a->file_at = sizeof skip;
    *out = a;
    return 0;
}

/* stream_step decompresses into out until it is full or the stream ends. Returns 0 or negative
 * errno with err. */
static int stream_step(struct archive_reader *a, ZSTD_outBuffer *out, struct rt_error *err) {
    while (out->pos < out->size && !a->ended) {
        if (a->rest.pos == a->rest.size) {
            ssize_t n = rt_seam->pread(a->fd, a->in, SLICE_BYTES, a->file_at);
            if (n < 0)
                return rt_error_set(err, (int)n, "%s: cannot be read: %s", a->path,
                                    strerror((int)-n));
            if (n == 0)
                return rt_error_set(err, -EBADMSG, "%s: is cut short at offset %llu of the segment",
                                    a->path, (unsigned long long)(a->at + out->pos));
            a->rest = (ZSTD_inBuffer){ a->in, (size_t)n, 0 };
            a->file_at += (uint64_t)n;
        }
        size_t left = ZSTD_decompressStream(a->stream, out, &a->rest);
        if (ZSTD_isError(left))
            return rt_error_set(err, -EBADMSG, "%s: is damaged at offset %llu of the segment: %s",
                                a->path, (unsigned long long)(a->at + out->pos),
                                ZSTD_getErrorName(left));
        a->ended = left == 0;
    }
    a->at += out->pos;
    return 0;
}

int64_t archive_read(struct archive_reader *a, void *to, size_t cnt, uint64_t at,
                     struct rt_error *err) {
    if (at == 0 && cnt <= sizeof a->head) {
        memcpy(to, &a->head, cnt);
        return (int64_t)cnt;
    }
    if (at < a->at) {
        ZSTD_DCtx_reset(a->stream, ZSTD_reset_session_only);
        a->rest = (ZSTD_inBuffer){ a->in, 0, 0 };
        a->file_at = SKIP_HEAD + sizeof a->head;
        a->at = 0;
        a->ended = false;
    }
    while (a->at < at && !a->ended) {
        uint64_t skip = at - a->at;
        ZSTD_outBuffer out = { a->scrap, skip < SLICE_BYTES ? (size_t)skip : SLICE_BYTES, 0 };
        int code = stream_step(a, &out, err);
        if (code < 0) return code;
    }
    if (a->at < at) return 0;
    ZSTD_outBuffer out = { to, cnt, 0 };
    int code = stream_step(a, &out, err);
    return code < 0 ? code : (int64_t)out.pos;
}

void archive_close(struct archive_reader *a) {
    if (a == NULL) return;
    rt_seam->close(a->fd);
    ZSTD_freeDCtx(a->stream);
    free(a->in);
    free(a->scrap);
    free(a);
}

/* A compression under way. */
struct archive_writer {
    int from;          /* the segment */
    int to;            /* what is written */
    uint64_t bytes;    /* of the segment, in all */
    uint64_t at;       /* read so far */
    uint64_t put;      /* written so far */
    ZSTD_CCtx *stream; /* compressor */
    uint8_t *in;       /* SLICE_BYTES */
    uint8_t *out;      /* out_bytes */
    size_t out_bytes;  /* room for what a slice may become */
};

int archive_begin(const char *from, const char *to, uint64_t bytes, struct archive_writer **out) {
    struct archive_writer *w = calloc(1, sizeof *w);
    *out = NULL;
    if (w == NULL) return -ENOMEM;
    w->bytes = bytes;
    w->from = rt_seam->open(from, O_RDONLY, 0);
    w->to = rt_seam->open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
    w->stream = ZSTD_createCCtx();
    w->out_bytes = ZSTD_compressBound(SLICE_BYTES);
    w->in = malloc(SLICE_BYTES);
    w->out = malloc(w->out_bytes);
    int64_t code = w->from < 0 ? w->from : w->to < 0 ? w->to : 0;
    if (w->stream == NULL || w->in == NULL || w->out == NULL) code = -ENOMEM;
    if (code == 0) {
        uint8_t skip[SKIP_HEAD + sizeof(struct rt_journal_head)];
        const uint32_t magic[2] = { SKIP_MAGIC, sizeof(struct rt_journal_head) };
        ZSTD_CCtx_setParameter(w->stream, ZSTD_c_compressionLevel, LEVEL);
        ZSTD_CCtx_setParameter(w->stream, ZSTD_c_checksumFlag, 1);
        memcpy(skip, magic, sizeof magic);
        code = rt_seam->pread(w->from, skip + SKIP_HEAD, sizeof skip - SKIP_HEAD, 0);
        if (code == (int64_t)sizeof skip - SKIP_HEAD)
            code = rt_seam->pwrite(w->to, skip, sizeof skip, 0);
        else if (code >= 0)
            code = -EIO;
        w->put = sizeof skip;
    }
    if (code < 0) {
        archive_end(w);
        return (int)code;
    }
    *out = w;
    return 0;
}

int archive_slice(struct archive_writer *w) {
    uint64_t left = w->bytes - w->at;
    ssize_t n =
        rt_seam->pread(w->from, w->in, left < SLICE_BYTES ? (size_t)left : SLICE_BYTES, w->at);
    if (n <= 0) return n < 0 ? (int)n : -EIO;
    w->at += (uint64_t)n;
    bool last = w->at == w->bytes;
    ZSTD_inBuffer in = { w->in, (size_t)n, 0 };
    for (;;) {
        ZSTD_outBuffer out = { w->out, w->out_bytes, 0 };
        size_t rest =
            ZSTD_compressStream2(w->stream, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(rest)) return -EIO;
        if (out.pos > 0) {
            ssize_t put = rt_seam->pwrite(w->to, w->out, out.pos, w->put);
            if (put < 0) return (int)put;
            w->put += out.pos;
        }
        if (last ? rest == 0 : in.pos == in.size) break;
    }
    return last ? 0 : 1;
}

int archive_fd(const struct archive_writer *w) {
    return w->to;
}

void archive_end(struct archive_writer *w) {
    if (w == NULL) return;
    if (w->from >= 0) rt_seam->close(w->from);
    if (w->to >= 0) rt_seam->close(w->to);
    ZSTD_freeCCtx(w->stream);
    free(w->in);
    free(w->out);
    free(w);
}
