/* store.c - how many bytes of the data store are checked and turned into rows a second?
 *
 * A set of bars as import leaves it, in the bench's directory, read as the source "store" reads it:
 * block by block, each column's CRC-32C compared, columns turned into the engine's rows. The rate
 * is of the columns' bytes (52 a bar), the rows' are 72 each. The file is in the page cache, as it
 * is from the second run of a sweep on. Peer: the same bytes added up word by word. Memory: a
 * series holds 3 x 1024 rows (216 KiB of bars), however long it is; the columns are mapped. */
#include "actors/data/commit.h"
#include "actors/data/store_source.h"
#include "bench/bench.h"
#include "runtime/base/folder.h"
#include "schemas/messages.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* make_set commits rows bars to dir. */
static int make_set(struct bench *b, const char *dir, uint64_t rows) {
    struct data_table t;
    uint64_t x = 5;
    data_table_init(&t, data_stream_find("klines"), 60000000000LL);
    int code = data_table_reserve(&t, rows, &b->err);
    for (uint64_t i = 0; code == 0 && i < rows; i++) {
        uint64_t row = data_table_add(&t, i + 1);
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        int64_t price = 4000000000000LL + (int64_t)(x >> 40);
        data_i64_put(&t, row, DATA_BAR_TIME, 1577836800000000000LL + (int64_t)i * 60000000000LL);
        data_i64_put(&t, row, DATA_BAR_OPEN, price);
        data_i64_put(&t, row, DATA_BAR_HIGH, price + 1000);
        data_i64_put(&t, row, DATA_BAR_LOW, price - 1000);
        data_i64_put(&t, row, DATA_BAR_CLOSE, price + 500);
        data_f64_put(&t, row, DATA_BAR_VOLUME, (double)(x >> 50));
    }
    struct data_commit c = { .dir = dir, .table = &t, .set = { .stream = t.stream } };
    c.set.interval_ns = t.interval_ns;
    snprintf(c.set.venue, sizeof c.set.venue, "bench");
    snprintf(c.set.symbol, sizeof c.set.symbol, "BENCH");
    snprintf(c.import.tool, sizeof c.import.tool, "bench");
    snprintf(c.import.hash, sizeof c.import.hash, "-");
    if (code == 0) code = data_commit(&c, &b->err);
    data_table_fini(&t);
    return code;
}

/* scan reads the whole set; returns the bytes of columns read, or 0 with b->err. */
static uint64_t scan(struct bench *b, struct data_store *s, uint8_t *rows, uint64_t *keep) {
    const uint32_t mask = data_row_mask(s->set.stream);
    struct msg_bar pattern = { .interval_ns = s->set.interval_ns, .instrument = 1 };
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < s->segment_cnt; i++) {
        if (data_segment_use(s, i, &b->err) < 0) return 0;
        const struct data_segment *g = &s->segments[i];
        for (uint32_t block = 0; block < g->block_cnt; block++) {
            if (data_block_check(s, g, block, mask, &b->err) < 0) return 0;
            const uint32_t cnt = g->index[block].rows;
            for (uint32_t at = 0; at < cnt; at += DATA_STORE_STRETCH) {
                uint32_t more = cnt - at < DATA_STORE_STRETCH ? cnt - at : DATA_STORE_STRETCH;
                data_rows_decode(s, g, block, at, more, &pattern, rows);
                *keep += rows[more / 2 * sizeof pattern];
            }
            for (uint32_t c = 0; c < s->set.stream->column_cnt; c++)
                if (mask >> c & 1) bytes += cnt * data_type_bytes(s->set.stream->columns[c].type);
        }
    }
    return bytes;
}

/* bare adds up the words of all segments. */
static uint64_t bare(const struct data_store *s, uint64_t *bytes) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->segment_cnt; i++) {
        const struct data_segment *g = &s->segments[i];
        for (uint64_t at = 0; at + 8 <= g->bytes; at += 8) {
            uint64_t word;
            memcpy(&word, g->map + at, 8);
            sum += word;
        }
        *bytes += g->bytes;
    }
    return sum;
}

int bench_store(struct bench *b) {
    struct bench_series rate = { .cnt = 0 }, plain = { .cnt = 0 };
    char dir[300];
    struct data_store s = { 0 };
    uint64_t keep = 0;
    uint8_t *rows = malloc(DATA_STORE_STRETCH * sizeof(struct msg_bar));
    snprintf(dir, sizeof dir, "%s/store", b->dir);
    int code = rows ? make_set(b, dir, b->quick ? 500000 : 2000000)
                    : rt_error_set(&b->err, -ENOMEM, "no memory for rows");
    if (code == 0) code = data_store_open(dir, &s, &b->err);
    bench_pin(0);
    if (code == 0 && scan(b, &s, rows, &keep) == 0) code = b->err.code; /* warms up */
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, 9); i++) {
        uint64_t bytes = 0, from = rt_tsc();
        keep += bare(&s, &bytes);
        bench_add(&plain, (double)bytes / (bench_ns((double)(rt_tsc() - from)) / 1e9));
        from = rt_tsc();
        bytes = scan(b, &s, rows, &keep);
        if (bytes == 0) code = b->err.code;
        bench_add(&rate, (double)bytes / (bench_ns((double)(rt_tsc() - from)) / 1e9));
    }
    bench_free();
    free(rows);
    data_store_close(&s);
    rt_folder_remove(dir);
    if (code < 0) return code;
    if (keep == 0) return rt_error_set(&b->err, -EPROTO, "the store gave nothing");
    bench_put(b, "store.bare.rate", "B/s", &plain, 0, NULL);
    bench_put(b, "store.scan.rate", "B/s", &rate, 2e9, "store.bare.rate");
    return 0;
}
