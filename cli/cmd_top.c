#include "actors/market/market.h"
#include "cli/cli.h"
#include "runtime/time/clock.h"
#include "runtime/watch/metrics.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SHOWN_MAX = 256 }; /* rows of a kind */

/* One look at a shard. */
struct shard_look {
    char name[RT_METRICS_NAME];                         /* in the run file */
    int32_t core;                                       /* -1 = not pinned */
    int64_t now_ns, beat_ns;                            /* its clock; its last sign of life */
    uint64_t turns, events, rows, frames;               /* counted */
    uint64_t busy_ns, idle_ns, longest_ns;              /* wall time */
    uint64_t journal_end, journal_synced, journal_free; /* bytes; segments */
    uint64_t allocations, killed;                       /* heap calls; kill word */
    uint64_t waits;                                     /* 1 = its journal waits for disk space */
    bool alive;                                         /* its process runs */
};

/* One look at an edge. */
struct edge_look {
    char from[RT_METRICS_NAME], to[RT_METRICS_NAME]; /* shards */
    uint32_t capacity;                               /* slots */
    uint64_t sent, received, dropped, merged;        /* frames */
    uint64_t refused, waited, queued, high_water;    /* frames */
};

/* One look at an actor. */
struct actor_look {
    char name[RT_METRICS_NAME], kind[RT_METRICS_NAME]; /* in the run file */
    uint64_t calls, said, stopped;                     /* counted; reason */
    struct rt_hist_figures hop;                        /* event to it, ns */
};

/* One look at a run. */
struct look {
    int64_t at_ns;                           /* monotonic */
    uint32_t shard_cnt, edge_cnt, actor_cnt; /* rows */
    uint32_t pages;                          /* processes seen */
    struct shard_look shards[SHOWN_MAX];     /* shards */
    struct edge_look edges[SHOWN_MAX];       /* edges */
    struct actor_look actors[SHOWN_MAX];     /* actors */
};

/* Set by SIGINT. */
static volatile sig_atomic_t asked_end;

/* What clears the rest of a line, where lines are drawn over others. */
static const char *wipe = "";

/* on_end notes SIGINT. */
static void on_end(int signo) {
    (void)signo;
    asked_end = 1;
}

/* copy copies a name written by another process. */
static void copy(char *to, const char *from) {
    memcpy(to, from, RT_METRICS_NAME);
    to[RT_METRICS_NAME - 1] = 0;
}

/* see_edge adds what one page tells of an edge: the sender's page and the receiver's tell
 * halves. */
static void see_edge(struct look *l, const struct rt_metrics_edge *b) {
    struct edge_look e = { .capacity = b->capacity }, *to = NULL;
    copy(e.from, b->from);
    copy(e.to, b->to);
    for (uint32_t i = 0; i < l->edge_cnt; i++)
        if (strcmp(l->edges[i].from, e.from) == 0 && strcmp(l->edges[i].to, e.to) == 0)
            to = &l->edges[i];
    if (!to) {
        if (l->edge_cnt == SHOWN_MAX) return;
        to = &l->edges[l->edge_cnt++];
        *to = e;
    }
    to->sent += rt_metric_get(&b->sent);
    to->received += rt_metric_get(&b->received);
    to->dropped += rt_metric_get(&b->dropped);
    to->merged += rt_metric_get(&b->merged);
    to->refused += rt_metric_get(&b->refused);
    to->waited += rt_metric_get(&b->waited);
    to->queued += rt_metric_get(&b->queued);
    to->high_water += rt_metric_get(&b->high_water);
}

/* see_page adds what one process tells. */
static void see_page(struct look *l, const struct rt_metrics *m) {
    l->pages++;
    for (uint32_t i = 0; i < m->shard_cnt && l->shard_cnt < SHOWN_MAX; i++) {
        const struct rt_metrics_shard *b = rt_metrics_shard(m, i);
        struct shard_look *s = &l->shards[l->shard_cnt++];
        *s = (struct shard_look){
            .core = b->core,
            .alive = rt_metrics_alive(m),
            .now_ns = atomic_load_explicit(&b->now_ns, memory_order_relaxed),
            .beat_ns = atomic_load_explicit(&b->beat_ns, memory_order_relaxed),
            .turns = rt_metric_get(&b->turns),
            .events = rt_metric_get(&b->events),
            .rows = rt_metric_get(&b->rows),
            .frames = rt_metric_get(&b->frames),
            .busy_ns = rt_metric_get(&b->busy_ns),
            .idle_ns = rt_metric_get(&b->idle_ns),
            .longest_ns = rt_metric_get(&b->longest_turn_ns),
            .journal_end = rt_metric_get(&b->journal_end),
            .journal_synced = rt_metric_get(&b->journal_synced),
            .journal_free = rt_metric_get(&b->journal_free),
            .allocations = rt_metric_get(&b->allocations),
            .killed = rt_metric_get(&b->killed),
            .waits = rt_metric_get(&b->journal_waits),
        };
        copy(s->name, b->name);
    }
    for (uint32_t i = 0; i < m->edge_cnt; i++) see_edge(l, rt_metrics_edge(m, i));
    for (uint32_t i = 0; i < m->actor_cnt && l->actor_cnt < SHOWN_MAX; i++) {
        const struct rt_metrics_actor *b = rt_metrics_actor(m, i);
        struct actor_look *a = &l->actors[l->actor_cnt++];
        *a = (struct actor_look){ .calls = rt_metric_get(&b->calls),
                                  .said = rt_metric_get(&b->said),
                                  .stopped = rt_metric_get(&b->stopped) };
        copy(a->name, b->name);
        copy(a->kind, b->kind);
        if (i < m->hop_cnt) rt_hist_read(&rt_metrics_hop(m, i)->ns, &a->hop);
    }
}

/* look_at reads the pages of all processes of run. Returns 0, or -ENOENT with err when none
 * runs. */
static int look_at(const struct rt_run *run, struct look *l, struct rt_error *err) {
    memset(l, 0, sizeof *l);
    l->at_ns = rt_clock_monotonic_ns();
    int code = 0;
    for (uint16_t i = 0; i < run->topology->process_cnt; i++) {
        char path[300];
        struct rt_metrics m;
        rt_run_page(run, i, path, sizeof path);
        int bad = rt_metrics_open(&m, path, err);
        if (bad < 0) {
            if (bad == -EPROTO) code = bad;
            continue;
        }
        if (rt_metrics_alive(&m)) see_page(l, &m);
        rt_metrics_close(&m);
    }
    if (code < 0) return code;
    return l->pages ? 0 : rt_error_set(err, -ENOENT, "%s: nothing runs there", run->paths.dir);
}

/* rate returns how much was counted a second between two looks. */
static double rate(uint64_t before, uint64_t after, int64_t ns) {
    return ns > 0 && after >= before ? (double)(after - before) * 1e9 / (double)ns : 0;
}

/* span formats a time. */
static const char *span(uint64_t ns, char out[24]) {
    if (ns < 10000)
        snprintf(out, 24, "%llu ns", (unsigned long long)ns);
    else if (ns < 10000000)
        snprintf(out, 24, "%.1f us", (double)ns / 1e3);
    else
        snprintf(out, 24, "%.1f ms", (double)ns / 1e6);
    return out;
}

/* print_shards prints a line a shard, its clock in zone. */
static void print_shards(const struct look *a, const struct look *b, const struct mk_zone *zone,
                         const char *dim, const char *plain) {
    int64_t ns = b->at_ns - a->at_ns;
    printf("%s%-14s %4s %6s %11s %11s %10s %11s %10s %5s  clock, %s%s%s\n", dim, "shard", "core",
           "busy", "events/s", "frames/s", "longest", "journal", "unsynced", "free", zone->name,
           plain, wipe);
    for (uint32_t i = 0; i < b->shard_cnt; i++) {
        const struct shard_look *s = &b->shards[i], *o = i < a->shard_cnt ? &a->shards[i] : s;
        char core[12] = "-", longest[24] = "-"; /* virtual clock: no turn is timed */
        char when[MK_ZONE_TEXT];
        uint64_t busy = s->busy_ns - o->busy_ns, idle = s->idle_ns - o->idle_ns;
        (void)mk_zone_text(zone, s->now_ns, when);
        if (s->core >= 0) snprintf(core, sizeof core, "%d", s->core);
        if (s->longest_ns) span(s->longest_ns, longest);
        printf("%-14s %4s %5.1f%% %11.0f %11.0f %10s %8.1f MB %7.0f kB %5llu  %s%s%s%s%s\n",
               s->name, core, busy + idle ? 100.0 * (double)busy / (double)(busy + idle) : 0,
               rate(o->events, s->events, ns), rate(o->frames, s->frames, ns), longest,
               (double)s->journal_end / 1e6, (double)(s->journal_end - s->journal_synced) / 1e3,
               (unsigned long long)s->journal_free, when, s->killed ? "  KILL SWITCH ON" : "",
               s->waits && s->alive ? "  THE JOURNAL WAITS FOR DISK SPACE" : "",
               s->alive ? "" : "  gone", wipe);
        if (s->allocations)
            printf("  %llu heap calls since the start%s\n", (unsigned long long)s->allocations,
                   wipe);
    }
}

/* print_edges prints a line an edge. */
static void print_edges(const struct look *a, const struct look *b, const char *dim,
                        const char *plain) {
    if (!b->edge_cnt) return;
    printf("%s\n%s%-24s %11s %13s %13s %7s %7s %9s %9s %9s %9s%s%s\n", wipe, dim, "edge",
           "frames/s", "sent", "received", "queued", "highest", "dropped", "merged", "refused",
           "waited", plain, wipe);
    for (uint32_t i = 0; i < b->edge_cnt; i++) {
        const struct edge_look *e = &b->edges[i], *o = i < a->edge_cnt ? &a->edges[i] : e;
        char name[2 * RT_METRICS_NAME + 8];
        snprintf(name, sizeof name, "%s > %s", e->from, e->to);
        printf("%-24s %11.0f %13llu %13llu %7llu %7llu %9llu %9llu %9llu %9llu%s\n", name,
               rate(o->sent, e->sent, b->at_ns - a->at_ns), (unsigned long long)e->sent,
               (unsigned long long)e->received, (unsigned long long)e->queued,
               (unsigned long long)e->high_water, (unsigned long long)e->dropped,
               (unsigned long long)e->merged, (unsigned long long)e->refused,
               (unsigned long long)e->waited, wipe);
    }
}

/* print_actors prints a line an actor. */
static void print_actors(const struct look *a, const struct look *b, const char *dim,
                         const char *plain) {
    printf("%s\n%s%-16s %-10s %11s %11s %12s %11s %11s  %s%s%s\n", wipe, dim, "actor", "kind",
           "calls/s", "said/s", "said", "hop p50", "hop p99", "state", plain, wipe);
    for (uint32_t i = 0; i < b->actor_cnt; i++) {
        const struct actor_look *s = &b->actors[i], *o = i < a->actor_cnt ? &a->actors[i] : s;
        char p50[24] = "-", p99[24] = "-";
        if (s->hop.count) {
            span(s->hop.p50, p50);
            span(s->hop.p99, p99);
        }
        printf("%-16s %-10s %11.0f %11.0f %12llu %11s %11s  %s%s\n", s->name, s->kind,
               rate(o->calls, s->calls, b->at_ns - a->at_ns),
               rate(o->said, s->said, b->at_ns - a->at_ns), (unsigned long long)s->said, p50, p99,
               s->stopped ? msg_reason_text((uint16_t)s->stopped) : "runs", wipe);
    }
}

/* A named count. */
struct count {
    const char *name; /* in JSON; NULL ends a list */
    uint64_t value;   /* how many */
};

/* print_counts prints counts as members of a JSON object, each after a comma. */
static void print_counts(const struct count *c) {
    for (; c->name; c++) printf(",\"%s\":%llu", c->name, (unsigned long long)c->value);
}

/* print_json prints one look as one JSON object. */
static void print_json(const struct look *a, const struct look *b) {
    int64_t ns = b->at_ns - a->at_ns;
    printf("{\"shards\":[");
    for (uint32_t i = 0; i < b->shard_cnt; i++) {
        const struct shard_look *s = &b->shards[i], *o = i < a->shard_cnt ? &a->shards[i] : s;
        const struct count counts[] = { { "turns", s->turns },
                                        { "events", s->events },
                                        { "rows", s->rows },
                                        { "frames", s->frames },
                                        { "busy_ns", s->busy_ns },
                                        { "idle_ns", s->idle_ns },
                                        { "longest_turn_ns", s->longest_ns },
                                        { "journal_bytes", s->journal_end },
                                        { "journal_synced", s->journal_synced },
                                        { "journal_free", s->journal_free },
                                        { "allocations", s->allocations },
                                        { "kill", s->killed },
                                        { "journal_waits", s->waits },
                                        { NULL, 0 } };
        printf("%s{\"shard\":\"%s\",\"core\":%d,\"now_ns\":%lld,\"events_per_s\":%.1f",
               i ? "," : "", s->name, s->core, (long long)s->now_ns,
               rate(o->events, s->events, ns));
        print_counts(counts);
        putchar('}');
    }
    printf("],\"edges\":[");
    for (uint32_t i = 0; i < b->edge_cnt; i++) {
        const struct edge_look *e = &b->edges[i];
        const struct count counts[] = { { "capacity", e->capacity },     { "sent", e->sent },
                                        { "received", e->received },     { "queued", e->queued },
                                        { "high_water", e->high_water }, { "dropped", e->dropped },
                                        { "merged", e->merged },         { "refused", e->refused },
                                        { "waited", e->waited },         { NULL, 0 } };
        printf("%s{\"from\":\"%s\",\"to\":\"%s\"", i ? "," : "", e->from, e->to);
        print_counts(counts);
        putchar('}');
    }
    printf("],\"actors\":[");
    for (uint32_t i = 0; i < b->actor_cnt; i++) {
        const struct actor_look *s = &b->actors[i];
        const struct count counts[] = {
            { "calls", s->calls },         { "said", s->said },
            { "hop_count", s->hop.count }, { "hop_p50_ns", s->hop.p50 },
            { "hop_p99_ns", s->hop.p99 },  { "hop_p999_ns", s->hop.p999 },
            { "hop_max_ns", s->hop.max },  { NULL, 0 }
        };
        printf("%s{\"actor\":\"%s\",\"kind\":\"%s\",\"stopped\":\"%s\"", i ? "," : "", s->name,
               s->kind, s->stopped ? msg_reason_name((uint16_t)s->stopped) : "");
        print_counts(counts);
        putchar('}');
    }
    puts("]}");
}

int cmd_top(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    bool json = cli_flag(&argc, argv, "--json"),
         once = cli_flag(&argc, argv, "--once") || json || !isatty(1);
    static struct look looks[2];
    if (cli_words("top", argc, argv, 1, "DIR, the directory of a run,")) return 2;
    if (cli_peek(argv[1], &t, &run, &err) < 0) return cli_fail("top", &err, NULL);
    int code = look_at(&run, &looks[0], &err), turn = 0;
    bool colour = cli_colour(1);
    signal(SIGINT, on_end);
    while (code == 0 && !asked_end) {
        usleep(turn == 0 ? 500000 : 1000000);
        struct look *before = &looks[turn & 1], *now = &looks[(turn + 1) & 1];
        if ((code = look_at(&run, now, &err)) < 0) {
            if (turn > 0) code = 0; /* it was watched to its end */
            break;
        }
        if (json) {
            print_json(before, now);
            break;
        }
        const char *dim = colour ? "\033[2m" : "", *plain = colour ? "\033[0m" : "";
        wipe = once ? "" : "\033[K";
        if (!once) fputs(turn ? "\033[H" : "\033[2J\033[H", stdout);
        print_shards(before, now, &((const struct mk_market *)t->world)->zone, dim, plain);
        print_edges(before, now, dim, plain);
        print_actors(before, now, dim, plain);
        if (once) break;
        printf("\033[J");
        fflush(stdout);
        turn++;
    }
    cli_peek_close(t, &run);
    return code < 0
               ? cli_fail("top", &err, "shrike state DIR tells what a run that has ended holds")
               : 0;
}
