#include "cli/cli.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* hash_out hashes what each actor of a shard said, in order: heads without stamp, and bodies. */
static int hash_out(const struct rt_run *run, uint16_t shard, uint64_t *hash, uint64_t *cnt,
                    struct rt_error *err) {
    struct rt_tape tape;
    const struct msg_frame *f;
    int code = rt_run_tape(run, shard, 0, &tape, err);
    if (code < 0) return code;
    while ((f = rt_tape_next(&tape)) != NULL) {
        struct msg_frame head = *f;
        if (!(f->kind & MSG_OUT) || f->source >= RT_ACTORS_MAX) continue;
        head.stamp = 0;
        hash[f->source] = rt_hash64(hash[f->source], &head, sizeof head);
        hash[f->source] = rt_hash64(hash[f->source], f + 1, f->size - sizeof head);
        cnt[f->source]++;
    }
    code = rt_tape_error(&tape, err);
    rt_tape_close(&tape);
    return code;
}

/* replay_shard replays one shard, prints its hashes and folds them into *total. */
static int replay_shard(struct rt_run *run, uint16_t i, bool json, uint64_t *total,
                        struct rt_error *err) {
    static uint64_t out[RT_ACTORS_MAX], cnt[RT_ACTORS_MAX];
    uint64_t records = 0, state[RT_LOCAL_MAX], hash = 0;
    const struct rt_topology *t = run->topology;
    int code = rt_run_replay(run, i, &records, err);
    if (code < 0) return code;
    memset(out, 0, sizeof out);
    memset(cnt, 0, sizeof cnt);
    if ((code = hash_out(run, i, out, cnt, err)) < 0) return code;
    const struct rt_shard *s = run->shards[i];
    rt_shard_state_hash(run->shards[i], state);
    for (uint16_t k = 0; k < s->local_cnt; k++) {
        uint16_t id = s->locals[k].id;
        uint64_t pair[2] = { out[id], state[k] };
        hash = rt_hash64(hash, pair, sizeof pair);
    }
    *total = rt_hash64(*total, &hash, sizeof hash);
    if (!json)
        printf("shard %s: %llu records made again, all equal; hash %016llx\n", t->shards[i].name,
               (unsigned long long)records, (unsigned long long)hash);
    else
        printf("{\"shard\":\"%s\",\"equal\":true,\"records\":%llu,\"hash\":\"%016llx\"}\n",
               t->shards[i].name, (unsigned long long)records, (unsigned long long)hash);
    for (uint16_t k = 0; k < s->local_cnt; k++) {
        uint16_t id = s->locals[k].id;
        printf(json ? "{\"shard\":\"%s\",\"actor\":\"%s\",\"said\":%llu,\"out\":\"%016llx\","
                      "\"state\":\"%016llx\"}\n"
                    : "  %.0s%-16s said %9llu  out %016llx  state %016llx\n",
               t->shards[i].name, s->locals[k].name, (unsigned long long)cnt[id],
               (unsigned long long)out[id], (unsigned long long)state[k]);
    }
    return 0;
}

int cmd_replay(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    uint64_t total = 0;
    bool json = cli_flag(&argc, argv, "--json"), bad = false;
    bool verify = cli_flag(&argc, argv, "--verify");
    if (cli_words("replay", argc, argv, 1, "DIR, the directory of a run,")) return 2;
    if (!verify) return cli_wrong("replay", "--verify expected: it is the one thing replay does");
    if (cli_peek(argv[1], &t, &run, &err) < 0) return cli_fail("replay", &err, NULL);
    if (cli_kept(argv[1], t, &run, &err) < 0) {
        cli_fail("replay", &err, "run it again with journal: on");
        bad = true;
    }
    for (uint16_t i = 0; i < t->shard_cnt && !bad; i++)
        if (replay_shard(&run, i, json, &total, &err) < 0) {
            bad = true;
            cli_fail("replay", &err, NULL);
        }
    if (!bad)
        printf(json ? "{\"equal\":true,\"hash\":\"%016llx\"}\n"
                    : "all equal; hash of the run %016llx\n",
               (unsigned long long)total);
    cli_peek_close(t, &run);
    return bad ? 1 : 0;
}
