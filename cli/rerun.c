#include "actors/report/results.h"
#include "cli/cli.h"
#include "runtime/base/folder.h"
#include "runtime/base/hash.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The result files that a run makes the same of the same configuration, data and program. */
static const char *const files[] = { "orders.csv", "fills.csv",  "trades.csv",  "equity.csv",
                                     "daily.csv",  "charts.csv", "funding.csv", "summary.json" };
/* How many there are. */
enum { FILE_CNT = sizeof files / sizeof files[0] };

/* What became of a run that was made again. */
struct again {
    char made[RT_SHA256_CHARS + 1];  /* checksum of the results that are kept */
    char again[RT_SHA256_CHARS + 1]; /* of those made again */
    char build[65], program[65];     /* the program that made them, and this one */
    bool differs[FILE_CNT];          /* files that are not the same */
    bool data;                       /* the data has the same hashes */
};

/* hash_of hashes dir/name; all zeros where there is none, as funding.csv of most runs. */
static void hash_of(const char *dir, const char *name, uint8_t out[RT_SHA256_BYTES]) {
    char path[4400];
    struct rt_error none;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (rt_sha256_file(path, out, &none) < 0) memset(out, 0, RT_SHA256_BYTES);
}

/* compare fills a from the results in kept and in made. */
static void compare(const char *kept, const char *made, struct again *a) {
    struct rt_sha256 sum[2];
    uint8_t hash[2][RT_SHA256_BYTES], whole[RT_SHA256_BYTES];
    for (int k = 0; k < 2; k++) rt_sha256_init(&sum[k]);
    for (int i = 0; i < FILE_CNT; i++) {
        for (int k = 0; k < 2; k++) {
            hash_of(k == 0 ? kept : made, files[i], hash[k]);
            rt_sha256_add(&sum[k], hash[k], sizeof hash[k]);
        }
        a->differs[i] = memcmp(hash[0], hash[1], sizeof hash[0]) != 0;
    }
    rt_sha256_end(&sum[0], whole);
    rt_sha256_hex(whole, a->made);
    rt_sha256_end(&sum[1], whole);
    rt_sha256_hex(whole, a->again);
}

/* identity reads dir/run.yaml: where relative paths start, and by which program it was made. */
static int identity(const char *dir, char *base, size_t cap, struct again *a,
                    struct rt_error *err) {
    char path[4400];
    struct rt_config *c;
    const char *text = NULL, *build = NULL;
    snprintf(path, sizeof path, "%s/run.yaml", dir);
    int rc = rt_config_load(path, &c, err);
    if (rc < 0) return rc;
    rc = rt_node_text(rt_config_root(c), "base", true, 4000, NULL, &text, err);
    if (rc == 0) rc = rt_node_text(rt_config_root(c), "build", true, 64, NULL, &build, err);
    if (rc == 0) snprintf(base, cap, "%s", text);
    if (rc == 0) snprintf(a->build, sizeof a->build, "%s", build);
    snprintf(a->program, sizeof a->program, "%s", rt_build_id());
    rt_config_close(c);
    return rc;
}

/* make runs the configuration kept in dir into out. */
static int make(const char *dir, const char *base, const char *out, struct rt_error *err) {
    char path[4400];
    struct rt_topology *t;
    struct rt_run run;
    snprintf(path, sizeof path, "%s/config.yaml", dir);
    int rc = rt_topology_load(path, &shrike_registry, NULL, &t, err);
    if (rc < 0) return rc;
    snprintf(t->base_dir, sizeof t->base_dir, "%s", base);
    struct report_summary *sum = calloc(1, sizeof *sum);
    if (!sum) abort();
    rc = cli_backtest(t, out, true, sum, &run, err);
    rt_run_close(&run, rc == 0);
    report_summary_free(sum);
    rt_topology_close(t);
    return rc;
}

/* print tells what became of it. */
static void print(const char *dir, const struct again *a, bool json) {
    const bool same = strcmp(a->made, a->again) == 0, build = strcmp(a->build, a->program) == 0;
    bool first = true;
    if (json) {
        printf("{\"same\": %s, \"checksum\": \"%s\", \"again\": \"%s\", \"same_data\": %s, "
               "\"same_program\": %s, \"differ\": [",
               same ? "true" : "false", a->made, a->again, a->data ? "true" : "false",
               build ? "true" : "false");
        for (int i = 0; i < FILE_CNT; i++) {
            if (!a->differs[i]) continue;
            printf("%s\"%s\"", first ? "" : ", ", files[i]);
            first = false;
        }
        puts("]}");
        return;
    }
    printf("%s\n  results kept       %s\n  results made again %s\n", dir, a->made, a->again);
    if (!a->data) puts("  the data is not the same: its hashes differ from DIR/sources");
    if (!build) puts("  made by another build of the program");
    for (int i = 0; i < FILE_CNT; i++) {
        if (a->differs[i]) printf("  %s differs\n", files[i]);
    }
    puts(same ? "the same, to the byte" : "NOT the same");
}

int cli_rerun(const char *dir, const char *moved, bool json) {
    struct rt_error err = { 0 };
    struct again a = { .data = false };
    char base[4096] = "", kept[4300], out[300];
    const char *tmp = getenv("TMPDIR");
    snprintf(out, sizeof out, "%.200s/shrike-rerun-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    int rc = identity(dir, base, sizeof base, &a, &err);
    if (rc < 0)
        return cli_fail("backtest", &err,
                        "DIR is what `backtest --out DIR` or `run --dir DIR` made");
    if (moved) snprintf(base, sizeof base, "%s", moved);
    snprintf(kept, sizeof kept, "%s/out/orders.csv", dir);
    snprintf(kept, sizeof kept, access(kept, F_OK) == 0 ? "%s/out" : "%s", dir);
    if (!mkdtemp(out)) {
        rt_error_set(&err, -errno, "%s: %s", out, strerror(errno));
        return cli_fail("backtest", &err, "set TMPDIR to a directory that can be written");
    }
    rc = make(dir, base, out, &err);
    if (rc == 0) {
        uint8_t hash[2][RT_SHA256_BYTES];
        hash_of(dir, "sources", hash[0]);
        hash_of(out, "sources", hash[1]);
        a.data = memcmp(hash[0], hash[1], sizeof hash[0]) == 0;
        compare(kept, out, &a);
    }
    rt_folder_remove(out);
    if (rc < 0) return cli_fail("backtest", &err, "--base DIR tells where the data files are now");
    print(dir, &a, json);
    return strcmp(a.made, a.again) == 0 ? 0 : 1;
}
