#include "runtime/boot/rows.h"
#include "runtime/boot/engine.h"
#include "runtime/core/shard.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* lend takes over the series of a shard that is still there; false when there is none. */
static bool lend(struct rt_rows *r, const struct rt_run *run) {
    for (uint16_t n = 0; run->shards && n < run->topology->shard_cnt; n++) {
        const struct rt_shard *s = run->shards[n];
        if (!s || !s->feeds) continue;
        for (uint16_t i = 0; i < s->series_cnt; i++) r->series[i] = s->feeds[i].s;
        r->cnt = s->series_cnt;
        return true;
    }
    return false;
}

int rt_rows_open(struct rt_rows *r, const struct rt_run *run, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    *r = (struct rt_rows){ .series = calloc(RT_SERIES_MAX, sizeof *r->series),
                           .kind = calloc(RT_SERIES_MAX, sizeof *r->kind) };
    if (!r->series || !r->kind) {
        rt_rows_close(r);
        return rt_error_set(err, -ENOMEM, "no memory for the rows");
    }
    if (lend(r, run)) return 0;
    for (uint32_t i = 0; i < t->source_cnt; i++) {
        struct rt_source_init init = { .config = t->sources[i].config,
                                       .world = t->world,
                                       .base_dir = t->base_dir,
                                       .seed = t->seed,
                                       .start_ns = rt_topology_from(t),
                                       .end_ns = t->end_ns,
                                       .series = r->series + r->cnt,
                                       .series_max = RT_SERIES_MAX - r->cnt };
        int code = t->sources[i].kind->open(&init, err);
        if (code < 0) {
            rt_rows_close(r);
            return code;
        }
        for (uint32_t k = 0; k < init.series_cnt; k++) r->kind[r->cnt++] = t->sources[i].kind;
    }
    return 0;
}

void rt_rows_close(struct rt_rows *r) {
    for (uint32_t i = 0; i < r->cnt; i++)
        if (r->kind[i] && r->kind[i]->close) r->kind[i]->close(&r->series[i], 1);
    free(r->series);
    free(r->kind);
    *r = (struct rt_rows){ 0 };
}
