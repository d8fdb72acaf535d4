/* journal.c - what does the journal cost: to append, to read again, to recover from?
 *
 * Append: records of 64 bytes with their CRC at 4 M a second, turns of 16, under `interval: 5ms`
 * with the disk thread writing behind; each append timed, the cost of the clock itself taken off.
 * Scan: the same records read again with their CRC. Recover: a recorded live session (ticks,
 * timers, an order every 25 ticks) through the real handlers from its journal; counted are the
 * records heard. */
#include "bench/bench.h"
#include "runtime/base/alloc.h"
#include "runtime/base/folder.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    TURN_RECORDS = 16, /* records of one turn */
    GAP_NS = 250,      /* time between two records, on average */
};

/* A record. */
struct record {
    struct msg_frame f; /* head */
    uint64_t body[4];   /* body */
};

/* What append timed, in TSC ticks. */
struct timed {
    uint32_t *samples;   /* single appends */
    uint32_t *turns;     /* turns of TURN_RECORDS appends */
    uint32_t *ends;      /* what the end of each such turn took */
    uint32_t sample_cnt; /* in samples */
    uint32_t turn_cnt;   /* in turns and ends */
};

/* clock_cost returns the TSC ticks that reading the clock twice shows. */
static uint32_t clock_cost(void) {
    uint32_t took[1001];
    for (int i = 0; i < 1001; i++) {
        uint64_t from = rt_tsc();
        took[i] = (uint32_t)(rt_tsc() - from);
    }
    return (uint32_t)bench_quantiles(took, 1001).p50;
}

/* append appends cnt records at the pace: in even turns the whole turn is timed (for the median:
 * the clock's step is as long as an append), in odd ones each append (for the tail), less what the
 * clock costs. Fills *t. */
static int append(struct bench *b, struct rt_journal *j, struct timed *t, uint32_t cnt) {
    uint32_t cost = clock_cost();
    struct record r = { .f = { .kind = MSG_RISK_LEASE, .size = sizeof r, .source = 1 } };
    uint64_t allocs = rt_alloc_count();
    int64_t at_ns = rt_clock_ns();
    t->sample_cnt = t->turn_cnt = 0;
    for (uint32_t i = 0; i + TURN_RECORDS <= cnt;) {
        bool whole = i / TURN_RECORDS % 2 == 0;
        uint64_t begun = rt_tsc();
        for (int k = 0; k < TURN_RECORDS; k++, i++) {
            r.f.seq = i;
            r.f.time_ns = at_ns;
            r.body[0] = i;
            r.body[3] = (uint64_t)i * 3;
            if (whole) {
                rt_journal_append(j, &r.f, 0);
                continue;
            }
            uint64_t from = rt_tsc();
            rt_journal_append(j, &r.f, 0);
            uint64_t took = rt_tsc() - from;
            took = took > cost ? took - cost : 0;
            t->samples[t->sample_cnt++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
        }
        uint64_t from = rt_tsc();
        rt_journal_turn(j);
        uint64_t now = rt_tsc();
        if (whole) {
            t->turns[t->turn_cnt] = (uint32_t)(from - begun > cost ? from - begun - cost : 0);
            t->ends[t->turn_cnt++] = (uint32_t)(now - from > cost ? now - from - cost : 0);
        }
        at_ns += GAP_NS * TURN_RECORDS;
        while (rt_clock_ns() < at_ns) __builtin_ia32_pause();
    }
    if (rt_alloc_counting() && rt_alloc_count() != allocs)
        return rt_error_set(&b->err, -EPROTO, "appending took heap memory");
    int code = rt_journal_error(j);
    return code < 0 ? rt_error_set(&b->err, code, "journal: %s", strerror(-code)) : 0;
}

/* scan reads a journal's records and returns how many, negative errno when it is damaged. */
static int64_t scan(const char *dir, const char *stage, bool heard_only, uint64_t *tsc,
                    struct rt_error *err) {
    struct rt_tape tape = { 0 };
    const struct msg_frame *f;
    int64_t cnt = 0;
    int code = rt_tape_open(&tape, dir, stage, 0, err);
    if (code < 0) return code;
    uint64_t from = rt_tsc();
    while ((f = rt_tape_next(&tape)) != NULL) cnt += !heard_only || !(f->kind & MSG_OUT);
    *tsc = rt_tsc() - from;
    code = rt_tape_error(&tape, err);
    rt_tape_close(&tape);
    return code < 0 ? code : cnt;
}

/* What append and scan found, a series each. */
struct found {
    struct bench_series p50, p99, p999, p9999, max, turn, scan; /* medians are made of them */
};

/* append_and_scan makes one journal and reads it again. */
static int append_and_scan(struct bench *b, struct found *out, uint32_t cnt, struct timed *t) {
    char dir[300], stage[100];
    struct rt_journal j = { 0 };
    struct rt_journal_found found = { 0 };
    uint64_t tsc = 0;
    snprintf(dir, sizeof dir, "%s/journal", b->dir);
    snprintf(stage, sizeof stage, "/dev/shm/shrike-bench-journal");
    rt_folder_remove(dir);
    rt_folder_remove(stage);
    mkdir(dir, 0755);
    mkdir(stage, 0700);
    struct rt_journal_options o = { .dir = dir,
                                    .stage_dir = stage,
                                    .segment_bytes = 16 << 20,
                                    .stage_segments = 8,
                                    .backing = RT_BACKING_DISK,
                                    .durability = RT_DURABLE_INTERVAL,
                                    .interval_ns = 5000000,
                                    .head = "bench",
                                    .head_bytes = 5,
                                    .run_id = 1 };
    int code = rt_journal_open(&j, &o, &found, &b->err);
    if (code == 0) {
        code = append(b, &j, t, cnt);
        int bad = rt_journal_close(&j);
        if (code == 0 && bad < 0) code = rt_error_set(&b->err, bad, "journal: %s", strerror(-bad));
    }
    if (code == 0) {
        struct bench_quantiles q = bench_quantiles(t->samples, t->sample_cnt);
        bench_add(&out->p99, bench_ns(q.p99));
        bench_add(&out->p999, bench_ns(q.p999));
        bench_add(&out->p9999, bench_ns(q.p9999));
        bench_add(&out->max, bench_ns(q.max));
        bench_add(&out->p50, bench_ns(bench_quantiles(t->turns, t->turn_cnt).p50) / TURN_RECORDS);
        bench_add(&out->turn, bench_ns(bench_quantiles(t->ends, t->turn_cnt).p50));
        int64_t read = scan(dir, stage, false, &tsc, &b->err);
        if (read >= 0) read = scan(dir, stage, false, &tsc, &b->err); /* pages are at hand now */
        if (read < 0)
            code = (int)read;
        else if (read != cnt)
            code = rt_error_set(&b->err, -EPROTO, "journal: %lld records read of %u",
                                (long long)read, cnt);
        else
            bench_add(&out->scan, cnt / (bench_ns((double)tsc) / 1e9));
    }
    rt_folder_remove(dir);
    rt_folder_remove(stage);
    return code;
}

/* recover records a session once, and measures its recovery. */
static int recover(struct bench *b, struct bench_series *rate) {
    char yaml[6000], dir[300], journal[400];
    uint64_t tsc;
    snprintf(dir, sizeof dir, "%s/recover", b->dir);
    snprintf(journal, sizeof journal, "%s/journal/s0", dir);
    bench_tick_yaml(1, yaml, sizeof yaml);
    bench_ticks = (struct bench_ticks){ .tick_cnt = b->quick ? 200000 : 500000,
                                        .gap_ns = 8000,
                                        .jitter_ns = 2048,
                                        .batch = 16,
                                        .every = 25 };
    int code = bench_run(yaml, dir, true, &b->err);
    int64_t heard = code == 0 ? scan(journal, NULL, true, &tsc, &b->err) : code;
    if (heard < 0) code = (int)heard;
    for (uint32_t i = 0; code == 0 && i < bench_repeats(b, 5); i++) {
        struct rt_run run;
        bench_pin(0);
        code = bench_run_open(yaml, dir, &run, &b->err);
        if (code < 0) break;
        code = rt_run_state(&run, 0, &b->err);
        const struct bench_probe *p = &bench_probes[0];
        if (code == 0 && p->stop_tsc <= p->start_tsc)
            code = rt_error_set(&b->err, -EPROTO, "recover: the session's end was not found");
        if (code == 0)
            bench_add(rate, (double)heard / (bench_ns((double)(p->stop_tsc - p->start_tsc)) / 1e9));
        bench_run_close(&run, true);
        bench_free();
    }
    rt_folder_remove(dir);
    return code;
}

int bench_journal(struct bench *b) {
    struct found f;
    struct bench_series rate = { .cnt = 0 };
    uint32_t cnt = b->quick ? 400000 : 1600000;
    struct timed t = { .samples = malloc(cnt * sizeof *t.samples),
                       .turns = malloc(cnt * sizeof *t.turns),
                       .ends = malloc(cnt * sizeof *t.ends) };
    memset(&f, 0, sizeof f);
    int code = t.samples && t.turns && t.ends ? 0 : rt_error_set(&b->err, -ENOMEM, "no memory");
    if (code == 0) code = rt_disk_start(&b->err);
    if (code == 0) {
        bench_pin(0); /* the disk thread has begun before and may use the other core */
        for (uint32_t i = 0; code == 0 && i < bench_repeats(b, 5); i++)
            code = append_and_scan(b, &f, cnt, &t);
        bench_free();
        rt_disk_stop();
    }
    free(t.samples);
    free(t.turns);
    free(t.ends);
    if (code == 0) code = recover(b, &rate);
    if (code < 0) return code;
    bench_put(b, "journal.append.p50", "ns", &f.p50, 15, NULL);
    bench_put(b, "journal.append.p99", "ns", &f.p99, 0, NULL);
    bench_put(b, "journal.append.p999", "ns", &f.p999, 0, NULL);
    bench_put(b, "journal.append.p9999", "ns", &f.p9999, 5000, NULL);
    bench_put(b, "journal.append.max", "ns", &f.max, 0, NULL);
    bench_put(b, "journal.turn.p50", "ns", &f.turn, 0, NULL);
    bench_put(b, "journal.scan.rate", "1/s", &f.scan, 50e6, NULL);
    bench_put(b, "journal.recover.rate", "1/s", &rate, 5e6, NULL);
    return 0;
}
