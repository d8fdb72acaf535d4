#include "cli/cli.h"
#include "runtime/boot/build.h"
#include <stdio.h>
#include <stdlib.h>

int cmd_check(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    bool json = cli_flag(&argc, argv, "--json");
    if (argc != 2) return cli_usage("check");
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
        printf("{\"ok\":true,\"name\":\"%s\",\"processes\":%u,\"shards\":%u,\"actors\":%u,"
               "\"edges\":%u,\"series\":%u}\n",
               t->name, t->process_cnt, t->shard_cnt, t->actor_cnt, t->edge_cnt, run.series_cnt);
    } else {
        printf("%s: fine\n\n", argv[1]);
        for (uint32_t p = 0; p < t->process_cnt; p++) {
            printf("process %s\n", t->processes[p].name);
            for (uint32_t s = 0; s < t->shard_cnt; s++) {
                const struct rt_shard_def *d = &t->shards[s];
                static const char *const idles[] = { "spin", "adaptive", "block" };
                if (d->process != p) continue;
                printf("  shard %s  core %d  %s  %.1f MiB of %.0f used\n", d->name, d->core,
                       idles[d->idle], (double)run.shards[s]->arena.used / 1048576,
                       (double)run.shards[s]->arena.bytes / 1048576);
                for (uint32_t a = 0; a < t->actor_cnt; a++)
                    if (t->actors[a].shard == s)
                        printf("    %-12s %-10s id %u\n", t->actors[a].name,
                               t->actors[a].kind->name, t->actors[a].id);
            }
        }
        for (uint32_t e = 0; e < t->edge_cnt; e++)
            printf("edge %s -> %s  %u slots\n", t->shards[t->edges[e].from].name,
                   t->shards[t->edges[e].to].name, t->edges[e].capacity);
        printf("\n%s", run.sources_report);
    }
    rt_run_close(&run, false);
    rt_topology_close(t);
    return 0;
}
