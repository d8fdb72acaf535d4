#include "actors/report/page.h"
#include "actors/report/results.h"
#include "cli/cli.h"
#include "runtime/time/clock.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* write_results makes the results while the journals are still open. */
static int write_results(struct rt_run *run, struct rt_error *err) {
    return report_results_write(run, run->paths.dir, run->ended_arg, err);
}

/* What shows how far a long backtest is. */
struct progress {
    struct rt_run *run; /* the run */
    _Atomic bool end;   /* it is over: clear the line */
    bool shown;         /* there is a line on the screen */
    int64_t begun_ns;   /* monotonic */
    int64_t first_ns;   /* of the run's clock when first looked at; 0 = not yet */
};

/* show draws the line: how far the run's clock is, how long it will take. */
static void show(struct progress *p) {
    struct rt_metrics m;
    struct rt_error err;
    char path[300], when[32] = "";
    const struct rt_topology *t = p->run->topology;
    rt_run_page(p->run, 0, path, sizeof path);
    if (rt_metrics_open(&m, path, &err) < 0) return;
    int64_t now_ns = 0, end_ns = t->end_ns, took_ns = rt_clock_monotonic_ns() - p->begun_ns;
    for (uint32_t i = 0; i < m.shard_cnt; i++) {
        int64_t at_ns =
            atomic_load_explicit(&rt_metrics_shard(&m, i)->now_ns, memory_order_relaxed);
        if (at_ns > now_ns) now_ns = at_ns;
    }
    rt_metrics_close(&m);
    for (uint32_t i = 0; i < t->shard_cnt; i++) /* built before the page was made */
        if (p->run->shards[i] && p->run->shards[i]->end_ns < end_ns)
            end_ns = p->run->shards[i]->end_ns;
    if (now_ns <= 0) return;
    if (!p->first_ns) p->first_ns = p->run->shards[0] ? p->run->shards[0]->start_ns : now_ns;
    time_t at = (time_t)(now_ns / 1000000000);
    struct tm tm;
    if (gmtime_r(&at, &tm)) strftime(when, sizeof when, "%Y-%m-%d", &tm);
    double part = end_ns != INT64_MAX && end_ns > p->first_ns
                      ? (double)(now_ns - p->first_ns) / (double)(end_ns - p->first_ns)
                      : 0;
    if (part > 0.001)
        fprintf(stderr, "\r  %3.0f %%  %s  %.0f s left \033[K", 100 * part, when,
                (double)took_ns / 1e9 * (1 - part) / part);
    else
        fprintf(stderr, "\r  %s  %.0f s so far \033[K", when, (double)took_ns / 1e9);
    p->shown = true;
}

/* watch shows it twice a second, from the second on. */
static void *watch(void *arg) {
    struct progress *p = arg;
    for (int n = 0; !atomic_load(&p->end); n++) {
        usleep(50000);
        if (n >= 20 && n % 10 == 0) show(p);
    }
    if (p->shown) fputs("\r\033[K", stderr);
    return NULL;
}

int cli_backtest(struct rt_topology *t, const char *out, bool quiet, struct report_summary *sum,
                 struct rt_run *run, struct rt_error *err) {
    t->clock = RT_CLOCK_VIRTUAL;
    t->step = t->shard_cnt > 1;
    int code = rt_run_open(t, out, run, err);
    if (code == 0 && t->process_cnt > 1 && t->backing == RT_BACKING_MEMORY)
        code = rt_error_set(err, -EINVAL,
                            "%s: journal: off keeps the records in the process that makes them; "
                            "with several processes use journal: stage or on",
                            t->path);
    struct progress p = { .run = run, .begun_ns = rt_clock_monotonic_ns() };
    pthread_t thread;
    bool watched = code == 0 && !quiet && t->process_cnt == 1 && isatty(2) &&
                   pthread_create(&thread, NULL, watch, &p) == 0;
    if (code == 0 && t->process_cnt == 1) {
        run->ended = write_results;
        run->ended_arg = sum;
        code = rt_run_process(run, 0, err);
    } else if (code == 0) {
        code = rt_supervise(run, NULL, err);
        if (code == 0) code = report_results_write(run, run->paths.dir, sum, err);
    }
    if (watched) {
        atomic_store(&p.end, true);
        pthread_join(thread, NULL);
    }
    return code;
}

int cmd_backtest(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct rt_topology *t;
    struct rt_run run;
    const char *out = cli_option(&argc, argv, "--out");
    bool json = cli_flag(&argc, argv, "--json"), no_html = cli_flag(&argc, argv, "--no-html");
    const char *again = cli_option(&argc, argv, "--rerun"),
               *base = cli_option(&argc, argv, "--base");
    char page[4200];
    if (again) {
        if (out || no_html) return cli_wrong("backtest", "--rerun DIR has neither --out nor pages");
        return cli_words("backtest", argc, argv, 0, "") ? 2 : cli_rerun(again, base, json);
    }
    if (base) return cli_wrong("backtest", "--base belongs to --rerun");
    if (cli_words("backtest", argc, argv, 1, "RUN.yaml")) return 2;
    if (!out) return cli_wrong("backtest", "--out DIR expected: where the results go");
    if (rt_topology_load(argv[1], &shrike_registry, NULL, &t, &err) < 0)
        return cli_fail("backtest", &err, NULL);
    struct report_summary *sum = calloc(1, sizeof *sum);
    if (!sum) abort();
    int code = cli_backtest(t, out, json, sum, &run, &err);
    if (code == 0 && sum->first_ns == sum->last_ns && cli_rows_empty(&run))
        code = rt_error_set(&err, -ENODATA,
                            "%s: no row of any source lies between start: and end:; `shrike check` "
                            "tells what they hold",
                            argv[1]);
    if (code == 0) { /* an older page would tell of an older run */
        bool fits = (size_t)snprintf(page, sizeof page, "%s/report.html", out) < sizeof page;
        if (fits && no_html) (void)unlink(page);
        if (fits && !no_html)
            code = report_page_write(out, &(struct report_forms){ .html = page }, NULL, NULL, &err);
    }
    if (code == 0 && json)
        report_summary_json(sum, stdout);
    else if (code == 0) {
        fputs(run.report, stdout);
        report_summary_print(sum, stdout, cli_colour(1));
        cli_rows_print(&run);
        cli_end_text(out, out, no_html ? NULL : page, t->backing != RT_BACKING_MEMORY);
    }
    rt_run_close(&run, code == 0);
    report_summary_free(sum); /* before the world it tells of */
    rt_topology_close(t);
    return code < 0 ? cli_fail("backtest", &err, NULL) : 0;
}
