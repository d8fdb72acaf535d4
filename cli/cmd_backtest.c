#include "cli/cli.h"
#include <stdio.h>

int cmd_backtest(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    const char *out = cli_option(&argc, argv, "--out");
    bool json = cli_flag(&argc, argv, "--json");
    if (argc != 2 || !out) return cli_usage("backtest");
    if (rt_topology_load(argv[1], &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("backtest", &err, NULL);
    t->clock = RT_CLOCK_VIRTUAL;
    int code = rt_run_open(t, out, &run, &err);
    if (code == 0)
        code = t->process_cnt == 1 ? rt_run_process(&run, 0, &err) : rt_supervise(&run, NULL, &err);
    if (code == 0 && !json) fputs(run.report, stdout);
    rt_run_close(&run, code == 0);
    rt_topology_close(t);
    return code < 0 ? cli_fail("backtest", &err, NULL) : 0;
}
