#include "cli/cli.h"
#include <stdio.h>

/* event prints what happened to a process. */
static void event(void *arg, const char *text) {
    (void)arg;
    fprintf(stderr, "shrike run: %s\n", text);
}

int cmd_run(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    char dir[4200];
    const char *home = cli_option(&argc, argv, "--dir");
    bool plain = cli_flag(&argc, argv, "--plain");
    (void)plain;
    if (argc != 2) return cli_usage("run");
    if (rt_topology_load(argv[1], &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("run", &err, NULL);
    if (home)
        snprintf(dir, sizeof dir, "%s", home);
    else
        snprintf(dir, sizeof dir, "runs/%s", t->name);
    int code = rt_run_open(t, dir, &run, &err);
    struct rt_watcher w = { .event = event };
    if (code == 0) code = rt_supervise(&run, &w, &err);
    if (code == 0) fputs(run.report, stdout);
    rt_run_close(&run, code == 0);
    rt_topology_close(t);
    return code < 0 ? cli_fail("run", &err, NULL) : 0;
}
