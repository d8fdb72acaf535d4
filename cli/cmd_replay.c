#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

int cmd_replay(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    char path[4200];
    bool verify = cli_flag(&argc, argv, "--verify"), json = cli_flag(&argc, argv, "--json");
    if (argc != 2 || !verify) return cli_usage("replay");
    snprintf(path, sizeof path, "%s/config.yaml", argv[1]);
    if (rt_topology_load(path, &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("replay", &err, NULL);
    struct rt_run run;
    int code = rt_run_peek(t, argv[1], &run, &err), bad = code < 0;
    if (bad) cli_fail("replay", &err, NULL);
    for (uint16_t i = 0; i < t->shard_cnt && !bad; i++) {
        uint64_t records = 0, hash[RT_LOCAL_MAX];
        code = rt_run_replay(&run, i, &records, &err);
        if (code < 0) {
            bad = 1;
            cli_fail("replay", &err, NULL);
            continue;
        }
        rt_shard_state_hash(run.shards[i], hash);
        if (!json)
            printf("shard %s: %llu records made again, all equal\n", t->shards[i].name,
                   (unsigned long long)records);
        for (uint16_t k = 0; k < run.shards[i]->local_cnt; k++)
            printf(json ? "{\"shard\":\"%s\",\"actor\":\"%s\",\"hash\":\"%016llx\"}\n"
                        : "  %s %s %016llx\n",
                   t->shards[i].name, run.shards[i]->locals[k].name, (unsigned long long)hash[k]);
    }
    rt_run_close(&run, false);
    rt_topology_close(t);
    return bad ? 1 : 0;
}
