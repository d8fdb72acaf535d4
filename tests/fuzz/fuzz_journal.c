/* Goal: no bytes of a segment make the journal's reader crash, loop or read outside its input, and
 * what it hands out are whole records of the segment. Method: libFuzzer over a file of bytes read
 * by a tape: as a disk segment, an archived one, or a slot of the stage; sums are mended first when
 * the first byte says so, to get behind them. */
#include "runtime/base/crc32c.h"
#include "runtime/store/segment.h"
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the first byte asks for, and how much is taken. */
enum { MODE_FILE = 3, MODE_MEND = 4, BYTES_MAX = 1 << 20 };

static char dir[64]; /* directory of the files */

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* dir_clear removes the directory at the end. */
static void dir_clear(void) {
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0) perror(dir);
}

/* mend gives the head and the records in seg good sums, as far as their sizes lead. */
static void mend(uint8_t *seg, size_t cnt) {
    struct rt_journal_head h;
    if (cnt < sizeof h) return;
    memcpy(&h, seg, sizeof h);
    h.number = 1;
    seg_head_seal(&h);
    h.names_crc = 0xffffffffU;
    if (h.names_bytes <= RT_JOURNAL_NAMES_MAX && seg_head_bytes(h.names_bytes) <= cnt)
        h.names_crc = rt_crc32c_add(0xffffffffU, seg + RT_JOURNAL_NAMES_AT,
                                    seg_head_bytes(h.names_bytes) - RT_JOURNAL_NAMES_AT);
    seg_head_seal(&h);
    memcpy(seg, &h, sizeof h);
    uint32_t seed = seg_seed(h.run_id, h.shard, 1);
    for (size_t at = h.head_bytes & ~7U; at + sizeof(struct msg_frame) <= cnt;) {
        struct msg_frame *f = (void *)(seg + at);
        if (f->size < sizeof *f || (f->size & 7U) != 0 || f->size > cnt - at) break;
        uint64_t crc = seed ^ (uint32_t)(h.base + at - h.head_bytes);
        f->stamp = 0;
        const uint64_t *w = (const void *)f;
        for (size_t i = 0; i < f->size / 8U; i++) crc = __builtin_ia32_crc32di(crc, w[i]);
        f->stamp = (uint32_t)crc;
        at += f->size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    static const char *const names[] = { "1.seg", "1.seg.zst", "0.slot", "2.seg" };
    if (cnt < 1 || cnt > BYTES_MAX) return 0;
    if (dir[0] == '\0') {
        snprintf(dir, sizeof dir, "/dev/shm/shrike-fuzz-journal-%d", (int)getpid());
        if (mkdir(dir, 0700) < 0) perror(dir);
        atexit(dir_clear);
    }
    uint8_t mode = bytes[0];
    uint8_t *seg = aligned_alloc(64, (cnt + 63) & ~(size_t)63);
    assert(seg != NULL);
    cnt--;
    memcpy(seg, bytes + 1, cnt);
    if ((mode & MODE_MEND) != 0) mend(seg, cnt);
    char path[96];
    snprintf(path, sizeof path, "%s/%s", dir, names[mode & MODE_FILE]);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert(fd >= 0);
    ssize_t put = write(fd, seg, cnt);
    assert(put == (ssize_t)cnt);
    close(fd);

    struct rt_tape t;
    struct rt_error err = { 0 };
    if (rt_tape_open(&t, dir, dir, 0, &err) == 0) {
        uint64_t records = 0;
        uint64_t position = rt_tape_position(&t);
        const struct msg_frame *f;
        while ((f = rt_tape_next(&t)) != NULL) {
            assert(f->size >= sizeof *f && (f->size & 7U) == 0);
            assert(rt_tape_position(&t) == position + f->size);
            position = rt_tape_position(&t);
            records++;
            assert(records <= (1U << 30) / sizeof *f);
        }
        int code = rt_tape_error(&t, &err);
        assert(code <= 0 && (code == 0 || err.text[0] != '\0'));
        rt_tape_close(&t);
    } else {
        assert(err.code < 0 && err.text[0] != '\0');
    }
    unlink(path);
    free(seg);
    return 0;
}
