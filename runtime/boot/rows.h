/* rows.h - the rows of a run, to be read once more when it has ended.
 *
 * For     results: what prices did while something was held. Where a shard of the run is still
 *         there its series are lent, else the sources are opened anew; the rows are the same.
 * Thread  the caller's; no shard of this process runs any more.
 * Memory  one block; what sources take when they are opened anew.
 * Cost    lent: nothing. Anew: files are read again. */
#ifndef RUNTIME_BOOT_ROWS_H
#define RUNTIME_BOOT_ROWS_H
#include "runtime/base/error.h"
#include "runtime/core/source.h"

struct rt_run;

/* All series of a run, as their sources tell them. */
struct rt_rows {
    struct rt_series *series;           /* cnt of them, by source */
    uint32_t cnt;                       /* how many */
    const struct rt_source_kind **kind; /* of each; NULL = lent by a shard */
};

/* rt_rows_open fills *r. Returns 0 or negative errno with err; then nothing is held. */
int rt_rows_open(struct rt_rows *r, const struct rt_run *run, struct rt_error *err)
    __attribute__((warn_unused_result));
/* rt_rows_close gives back what was opened. */
void rt_rows_close(struct rt_rows *r);
/* rt_rows_at returns row number n of s, or NULL behind the last. *b begins zeroed and keeps the
 * block; the row stays good until the next call but one for another block. */
static inline const void *rt_rows_at(struct rt_series *s, struct rt_block *b, uint64_t n) {
    if (n - b->first >= b->cnt && (s->block(s, n, b) < 0 || n - b->first >= b->cnt)) return NULL;
    return b->rows + (n - b->first) * s->row_bytes;
}
#endif
