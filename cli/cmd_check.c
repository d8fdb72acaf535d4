#include "actors/data/scan.h"
#include "actors/market/market.h"
#include "cli/cli.h"
#include "runtime/base/decimal.h"
#include "runtime/boot/build.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* size formats bytes for people. */
static const char *size(double bytes, char out[24]) {
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    int u = 0;
    while (bytes >= 1024 && u < 4) {
        bytes /= 1024;
        u++;
    }
    snprintf(out, 24, bytes < 10 && u ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return out;
}

/* says lists the kinds that a says and b hears into out; false when there are none. */
static bool says(const struct rt_topology *t, const struct rt_actor_def *a,
                 const struct rt_actor_def *b, char *out, size_t cap) {
    size_t used = 0;
    out[0] = 0;
    for (uint16_t k = 1; k < MSG_KIND_MAX; k++) {
        if (k == MSG_ACTOR_STOPPED || !rt_topology_hears(t, a, b, k)) continue;
        used +=
            (size_t)snprintf(out + used, cap - used, "%s%s", used ? ", " : "", msg_kind_name(k));
        if (used >= cap) break;
    }
    return used > 0;
}

/* print_places prints processes, shards and actors with what they take. */
static void print_places(const struct rt_run *run) {
    static const char *const idles[] = { "spin", "adaptive", "block" };
    const struct rt_topology *t = run->topology;
    char a[24], b[24];
    for (uint32_t p = 0; p < t->process_cnt; p++) {
        printf("process %s\n", t->processes[p].name);
        for (uint32_t s = 0; s < t->shard_cnt; s++) {
            const struct rt_shard_def *d = &t->shards[s];
            char core[24] = "not pinned";
            if (d->process != p) continue;
            if (d->core >= 0) snprintf(core, sizeof core, "core %d", d->core);
            printf("  shard %-12s %s, idle %s, %s of %s taken\n", d->name, core, idles[d->idle],
                   size((double)run->shards[s]->arena.used, a),
                   size((double)run->shards[s]->arena.bytes, b));
            for (uint32_t i = 0; i < t->actor_cnt; i++)
                if (t->actors[i].shard == s)
                    printf("    %-14s %-10s id %-3u %s\n", t->actors[i].name,
                           t->actors[i].kind->name, t->actors[i].id,
                           t->actors[i].kind->help ? t->actors[i].kind->help : "");
        }
    }
}

/* print_edges prints the rings between shards. */
static void print_edges(const struct rt_topology *t) {
    if (t->edge_cnt) puts("\nedges");
    for (uint32_t i = 0; i < t->edge_cnt; i++) {
        const struct rt_edge_def *e = &t->edges[i];
        bool shm = t->shards[e->from].process != t->shards[e->to].process;
        printf("  %s > %s: %u slots of 64 bytes, %s\n", t->shards[e->from].name,
               t->shards[e->to].name, e->capacity, shm ? "a ring in shared memory" : "a ring");
    }
}

/* box draws one cell of the drawing. */
static void box(const char *text) {
    printf("[%s]", text);
}

/* draw draws who says what to whom: a tree of arrows from each actor, its hearers grouped. */
static void draw(const struct rt_run *run) {
    const struct rt_topology *t = run->topology;
    char kinds[600];
    puts("\nwho says what to whom");
    for (uint32_t i = 0; i < run->series_cnt; i++) {
        printf("  ");
        box(run->series_name[i]);
        bool first = true;
        for (uint32_t n = 0; n < t->shard_cnt; n++) {
            const struct rt_shard *s = run->shards[n];
            uint64_t up = 0;
            for (int how = 0; how < RT_HEAR_CNT; how++)
                up |= i < s->series_cnt ? s->feeds[i].cur[how].up : 0;
            for (uint16_t k = 0; k < s->local_cnt; k++)
                if (up >> k & 1) {
                    printf(first ? " -- rows --> %s" : ", %s", s->locals[k].name);
                    first = false;
                }
        }
        puts(first ? " -- rows, told to those who ask" : "");
    }
    for (uint32_t a = 0; a < t->actor_cnt; a++) {
        bool any = false;
        for (uint32_t b = 0; b < t->actor_cnt; b++) {
            if (!says(t, &t->actors[a], &t->actors[b], kinds, sizeof kinds)) continue;
            if (!any) {
                printf("  ");
                box(t->actors[a].name);
                putchar('\n');
            }
            any = true;
            printf("     |-- %s %s [%s]\n", kinds,
                   t->actors[a].shard == t->actors[b].shard ? "-->"
                   : t->shards[t->actors[a].shard].process == t->shards[t->actors[b].shard].process
                       ? "==>"
                       : "=#=>",
                   t->actors[b].name);
        }
    }
    puts("  --> same shard   ==> other shard, by a ring   =#=> other process, by shared memory");
}

/* rows_a_day returns how many rows the series of the run have in a day of its clock. */
static double rows_a_day(const struct rt_run *run) {
    double rows = 0;
    const struct rt_shard *s = run->shards[0];
    for (uint16_t i = 0; i < s->series_cnt; i++)
        rows += s->feeds[i].s.span_ns > 0 ? 86400e9 / (double)s->feeds[i].s.span_ns : 43200;
    return rows;
}

/* print_durability tells what is kept and how safely, and how much of it comes in a day. */
static void print_durability(const struct rt_run *run) {
    const struct rt_topology *t = run->topology;
    static const char *const policies[] = { "process: synced once a second", "interval",
                                            "each-order: synced before a request leaves" };
    char a[24], b[24];
    puts("\njournal");
    if (t->backing == RT_BACKING_MEMORY) {
        puts("  off: nothing is kept, nothing can be recovered or replayed; results are made at "
             "the end");
        return;
    }
    double strategies = 0;
    for (uint32_t i = 0; i < t->actor_cnt; i++)
        strategies += strcmp(t->actors[i].kind->name, "strategy") == 0;
    /* measured: an order with all that comes of it takes about 1.2 KiB on one shard, twice that
     * over two; a row that nothing comes of is not written; a mark of equity is about 100 bytes */
    double orders = rows_a_day(run) / 25 * (strategies > 0 ? 1 : 0);
    double bytes = orders * 1200 * (t->edge_cnt ? 2 : 1) + 24 * 112;
    if (t->step) bytes += rows_a_day(run) * 64 * t->shard_cnt / 4;
    if (t->durability == RT_DURABLE_INTERVAL)
        printf("  synced every %.0f ms", (double)t->interval_ns / 1e6);
    else
        printf("  %s", policies[t->durability]);
    printf("%s; segments of %s, %u in the stage (%s of /dev/shm)\n",
           t->backing == RT_BACKING_STAGE ? "; stage only: survives the process, not the machine"
                                          : "",
           size(t->segment_bytes, a), t->stage_segments,
           size((double)t->segment_bytes * t->stage_segments * t->shard_cnt, b));
    printf("  about %s a day of its clock, at an order every 25 rows\n", size(bytes, a));
    if (t->archive_bytes_max)
        printf("  replay partial: old segments are dropped past %s, what was before cannot be "
               "replayed\n",
               size((double)t->archive_bytes_max, a));
    else
        puts("  replay complete: every input is kept, or can be read again from its source");
}

/* print_fees tells what trading costs beside the rates, where that is declared. */
static void print_fees(const struct mk_market *m) {
    char text[4096], maker[RT_DECIMAL_CHARS], taker[RT_DECIMAL_CHARS];
    if (m->charges_cnt > 0) puts("\nfees");
    for (uint32_t i = 0; i < m->instrument_cnt; i++) {
        const struct mk_instrument *in = &m->instruments[i];
        if (in->charges == NULL) continue;
        rt_decimal_format(in->maker_fee, maker);
        rt_decimal_format(in->taker_fee, taker);
        printf("  %s: %s of the notional as maker, %s as taker, and in %s", in->name, maker, taker,
               m->assets[in->quote_asset]);
        if (*in->charges->scheme) printf(" (scheme %s)", in->charges->scheme);
        putchar('\n');
        mk_charges_text(in->charges, text, sizeof text);
        for (const char *p = text; *p;) {
            int n = (int)strcspn(p, "\n");
            printf("    %.*s\n", n, p);
            p += n + (p[n] == '\n');
        }
    }
}

/* print_warm tells when orders may begin, where a warm-up is declared. */
static void print_warm(const struct rt_run *run) {
    if (run->topology->warm_ns == 0) return;
    char from[40], to[40];
    printf("  warm-up: strategies hear rows from %s on, orders begin at %s\n",
           data_time_text(run->shards[0]->start_ns, from),
           data_time_text(run->shards[0]->warm_ns, to));
}

/* print_json prints the topology as one JSON object. */
static void print_json(const struct rt_run *run) {
    const struct rt_topology *t = run->topology;
    char kinds[600];
    printf("{\"ok\":true,\"name\":\"%s\",\"processes\":%u,\"shards\":%u,\"actors\":%u,\"edges\":%u,"
           "\"series\":%u,\"warm_up_ns\":%lld,"
           "\"replay\":\"%s\",\"says\":[",
           t->name, t->process_cnt, t->shard_cnt, t->actor_cnt, t->edge_cnt, run->series_cnt,
           (long long)t->warm_ns,
           t->backing == RT_BACKING_MEMORY ? "none"
           : t->archive_bytes_max          ? "partial"
                                           : "complete");
    bool any = false;
    for (uint32_t a = 0; a < t->actor_cnt; a++)
        for (uint32_t b = 0; b < t->actor_cnt; b++) {
            if (!says(t, &t->actors[a], &t->actors[b], kinds, sizeof kinds)) continue;
            printf("%s{\"from\":\"%s\",\"to\":\"%s\",\"kinds\":\"%s\"}", any ? "," : "",
                   t->actors[a].name, t->actors[b].name, kinds);
            any = true;
        }
    puts("]}");
}

int cmd_check(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    char a[24];
    bool json = cli_flag(&argc, argv, "--json");
    if (cli_words("check", argc, argv, 1, "RUN.yaml")) return 2;
    if (rt_topology_load(argv[1], &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("check", &err, NULL);
    int code = rt_run_open(t, NULL, &run, &err);
    for (uint16_t i = 0; i < t->shard_cnt && code == 0; i++)
        code = rt_shard_build(&run, i, &run.shards[i], &err);
    if (code < 0) {
        rt_run_close(&run, false);
        rt_topology_close(t);
        return cli_fail("check", &err, NULL);
    }
    if (json) {
        print_json(&run);
    } else {
        double memory = (double)run.link.bytes;
        for (uint32_t i = 0; i < t->shard_cnt; i++) memory += (double)run.shards[i]->arena.bytes;
        printf("%s: fine\n\n", argv[1]);
        print_places(&run);
        print_edges(t);
        draw(&run);
        print_fees(t->world);
        print_durability(&run);
        printf(
            "\nmemory\n  %s at most, rings and doorbells among them; rows of files come on top\n",
            size(memory, a));
        if (run.sources_report[0]) printf("\ndata\n");
        print_warm(&run);
        for (const char *p = run.sources_report; *p;) {
            int n = (int)strcspn(p, "\n");
            printf("  %.*s\n", n, p);
            p += n + (p[n] == '\n');
        }
    }
    rt_run_close(&run, false);
    rt_topology_close(t);
    return 0;
}
