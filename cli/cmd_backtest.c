#include "actors/report/results.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* write_results makes the results while the journals are still open. */
static int write_results(struct rt_run *run, struct rt_error *err) {
    return report_results_write(run, run->paths.dir, run->ended_arg, err);
}

int cmd_backtest(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    const char *out = cli_option(&argc, argv, "--out");
    bool json = cli_flag(&argc, argv, "--json");
    if (argc != 2 || !out) return cli_usage("backtest");
    if (rt_topology_load(argv[1], &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("backtest", &err, NULL);
    struct report_summary *sum = calloc(1, sizeof *sum);
    if (!sum) abort();
    t->clock = RT_CLOCK_VIRTUAL;
    t->step = t->shard_cnt > 1;
    int code = rt_run_open(t, out, &run, &err);
    if (code == 0 && t->process_cnt > 1 && t->backing == RT_BACKING_MEMORY)
        code = rt_error_set(&err, -EINVAL,
                            "%s: journal: off keeps the records in the process that makes them; "
                            "with several processes use journal: stage or on",
                            t->path);
    if (code == 0 && t->process_cnt == 1) {
        run.ended = write_results;
        run.ended_arg = sum;
        code = rt_run_process(&run, 0, &err);
    } else if (code == 0) {
        code = rt_supervise(&run, NULL, &err);
        if (code == 0) code = report_results_write(&run, run.paths.dir, sum, &err);
    }
    if (code == 0 && json)
        report_summary_json(sum, stdout);
    else if (code == 0) {
        fputs(run.report, stdout);
        report_summary_print(sum, stdout, cli_colour(1));
        printf("results: %s/{orders,fills,trades,equity}.csv, summary.json, manifest.json\n", out);
    }
    rt_run_close(&run, code == 0);
    rt_topology_close(t);
    free(sum);
    return code < 0 ? cli_fail("backtest", &err, NULL) : 0;
}
