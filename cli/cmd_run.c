#include "actors/report/results.h"
#include "cli/cli.h"
#include "cli/live.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* event shows what happened to a process. */
static void event(void *arg, const char *text) {
    live_event(arg, text);
}

/* tick keeps the view going. */
static void tick(void *arg, struct rt_run *run) {
    (void)run;
    live_tick(arg);
}

/* is_over tells whether dir holds a run that ended in good order: its results are there. */
static bool is_over(const char *dir) {
    char path[4300];
    snprintf(path, sizeof path, "%s/out/manifest.json", dir);
    return access(path, F_OK) == 0;
}

/* choose_dir names a directory for the run: runs/NAME, or runs/NAME-2 ... when it holds a run that
 * has ended. */
static void choose_dir(const char *name, char *out, size_t cap) {
    snprintf(out, cap, "runs/%s", name);
    for (int n = 2; is_over(out) && n < 100000; n++) snprintf(out, cap, "runs/%s-%d", name, n);
}

/* write_results makes the results of a journal in memory, in the process that has it. */
static int write_results(struct rt_run *run, struct rt_error *err) {
    struct report_summary *sum = calloc(1, sizeof *sum);
    if (!sum) abort();
    int code = report_results_write(run, run->ended_arg, sum, err);
    report_summary_free(sum);
    return code;
}

/* begin_text tells what runs and what to try meanwhile. */
static void begin_text(const struct rt_run *run, const char *dir) {
    static const char *const clocks[] = { "virtual", "paced", "real" };
    const struct rt_topology *t = run->topology;
    printf("%s: %s on the %s clock", t->name,
           run->fresh ? "paper trading" : "goes on where it was left,", clocks[t->clock]);
    if (t->clock == RT_CLOCK_PACED) printf(" at %gx", t->speed);
    printf(", in %s\n", dir);
    const char *first = NULL;
    for (uint32_t i = 0; i < t->actor_cnt && !first; i++)
        if (strcmp(t->actors[i].kind->name, "strategy") == 0) first = t->actors[i].name;
    char ctl[100];
    printf("try in another terminal:\n");
    cli_hint("top", dir, "", "what each shard and edge does");
    cli_hint("journal follow", dir, "", "every message as it is said");
    snprintf(ctl, sizeof ctl, " pause %.48s", first ? first : "");
    if (first) cli_hint("ctl", dir, ctl, "no new orders of this strategy; resume undoes it");
    cli_hint("ctl", dir, " kill", "the kill switch");
    putchar('\n');
    fflush(stdout);
}

int cmd_run(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    char dir[4200], out[4300];
    const char *home = cli_option(&argc, argv, "--dir");
    bool plain = cli_flag(&argc, argv, "--plain"), json = cli_flag(&argc, argv, "--json");
    if (cli_words("run", argc, argv, 1, "RUN.yaml")) return 2;
    if (rt_topology_load(argv[1], &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("run", &err, NULL);
    if (home)
        snprintf(dir, sizeof dir, "%s", home);
    else
        choose_dir(t->name, dir, sizeof dir);
    snprintf(out, sizeof out, "%s/out", dir);
    struct report_summary *sum = calloc(1, sizeof *sum);
    if (!sum) abort();
    bool memory = t->backing == RT_BACKING_MEMORY;
    int code = 0;
    if (is_over(dir))
        code = rt_error_set(&err, -EEXIST,
                            "the run in %s has ended, its results are in %s; give "
                            "another --dir, or remove it",
                            dir, out);
    else if (memory && t->process_cnt > 1)
        code = rt_error_set(&err, -EINVAL,
                            "%s: journal: off keeps the records in the process that "
                            "makes them; with several processes use journal: stage or on",
                            t->path);
    if (code < 0) {
        report_summary_free(sum);
        rt_topology_close(t);
        return cli_fail("run", &err, NULL);
    }
    code = rt_run_open(t, dir, &run, &err);
    if (code == 0) {
        bool table = !plain && !json && isatty(1);
        if (memory) {
            run.ended = write_results;
            run.ended_arg = out;
        }
        if (!json) begin_text(&run, dir);
        struct live *v = json ? NULL : live_open(&run, table);
        struct rt_watcher w = { .event = event, .tick = tick, .arg = v };
        code = rt_supervise(&run, &w, &err);
        live_close(v);
    }
    if (code == 0 && !memory) code = report_results_write(&run, out, sum, &err);
    if (code == 0 && json && !memory) report_summary_json(sum, stdout);
    if (code == 0 && !json) {
        putchar('\n');
        fputs(run.report, stdout);
        if (!memory) report_summary_print(sum, stdout, cli_colour(1));
        cli_rows_print(&run);
        cli_end_text(dir, out, NULL, !memory);
    }
    rt_run_close(&run, code == 0);
    report_summary_free(sum); /* before the world it tells of */
    rt_topology_close(t);
    return code < 0 ? cli_fail("run", &err, NULL) : 0;
}
