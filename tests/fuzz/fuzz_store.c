/* Goal: no bytes make the readers of the store's manifest and segments crash, loop or look outside
 * their input. Method: libFuzzer; the first byte tells which of the two and of which stream. Their
 * sums are put right first, since no bytes would pass them else; of a segment that is taken every
 * column is checked and every block turned into rows. */
#include "actors/data/store.h"
#include "runtime/base/crc32c.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* LLVMFuzzerTestOneInput is called by libFuzzer with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt);

/* manifest_try reads a manifest with its sum put right. */
static void manifest_try(const uint8_t *bytes, size_t cnt) {
    struct data_store s = { 0 };
    struct rt_error err = { 0 };
    char *text = malloc(cnt + 14);
    assert(text != NULL);
    memcpy(text, bytes, cnt);
    if (cnt > 0) text[cnt - 1] = '\n';
    snprintf(text + cnt, 14, "end %08x\n", rt_crc32c(text, cnt));
    int rc = data_store_parse("f", text, cnt + 13, &s, &err);
    assert(rc == 0 || (strncmp(err.text, "f:", 2) == 0 && strchr(err.text, '\n') == NULL));
    for (uint32_t i = 1; rc == 0 && i < s.segment_cnt; i++)
        assert(s.segments[i].row == s.segments[i - 1].row + s.segments[i - 1].rows);
    data_store_close(&s);
    free(text);
}

/* segment_try reads a segment with its sums put right. */
static void segment_try(const uint8_t *bytes, size_t cnt, const struct data_stream *stream) {
    struct data_store s = { .set = { .stream = stream } };
    struct data_segment g = { 0 };
    struct rt_error err = { 0 };
    struct data_store_head h;
    uint8_t *map = aligned_alloc(64, (cnt + 63) & ~(size_t)63);
    if (map == NULL || cnt < DATA_STORE_PAGE) {
        free(map);
        return;
    }
    memcpy(map, bytes, cnt);
    memcpy(&h, map, sizeof h);
    memcpy(h.magic, "SHRIKEC\n", 8);
    h.version = DATA_STORE_VERSION;
    h.stream = stream->number;
    h.bytes = cnt;
    s.set.interval_ns = h.interval_ns;
    if (h.block_cnt <= (cnt - DATA_STORE_PAGE) / sizeof(struct data_store_entry))
        h.index_crc =
            rt_crc32c(map + DATA_STORE_PAGE, h.block_cnt * sizeof(struct data_store_entry));
    h.crc = rt_crc32c(&h, offsetof(struct data_store_head, crc));
    memcpy(map, &h, sizeof h);
    if (data_segment_check("f", map, cnt, &s.set, &g, &err) == 0) {
        uint8_t *rows = malloc(DATA_STORE_BLOCK * 128);
        const uint64_t pattern[16] = { 0 };
        assert(rows != NULL && g.block_cnt > 0);
        for (uint32_t b = 0; b < g.block_cnt; b++) {
            (void)!data_block_check(&s, &g, b, UINT32_MAX, &err);
            if (stream->row_bytes > 0)
                data_rows_decode(&s, &g, b, 0, g.index[b].rows, pattern, rows);
        }
        free(rows);
    } else {
        assert(strncmp(err.text, "f: ", 3) == 0);
    }
    free(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t cnt) {
    if (cnt < 1) return 0;
    const struct data_stream *stream = data_stream_number(bytes[0]);
    if (stream == NULL) {
        manifest_try(bytes + 1, cnt - 1);
    } else {
        segment_try(bytes + 1, cnt - 1, stream);
    }
    return 0;
}
