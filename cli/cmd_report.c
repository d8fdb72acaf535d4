#include "actors/report/page.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* results_of finds the results in dir: dir itself, or dir/out of a run. Returns into room. */
static const char *results_of(const char *dir, char *room, size_t bytes) {
    if ((size_t)snprintf(room, bytes, "%s/summary.json", dir) < bytes && access(room, F_OK) != 0 &&
        (size_t)snprintf(room, bytes, "%s/out/summary.json", dir) < bytes &&
        access(room, F_OK) == 0) {
        snprintf(room, bytes, "%s/out", dir);
        return room;
    }
    return dir;
}

int cmd_report(int argc, char **argv) {
    struct rt_error err = { 0 };
    char room[4200], made[4300];
    struct report_forms forms = { .html = cli_option(&argc, argv, "--html"),
                                  .pdf = cli_option(&argc, argv, "--pdf"),
                                  .markdown = cli_option(&argc, argv, "--markdown") };
    const char *benchmark = cli_option(&argc, argv, "--benchmark");
    struct mk_zone zone;
    const int asked = cli_zone("report", &argc, argv, &zone);
    if (asked < 0) return 2;
    if (cli_words("report", argc, argv, 1, "DIR, a directory with results")) return 2;
    const char *dir = results_of(argv[1], room, sizeof room);
    if (!forms.html && !forms.pdf && !forms.markdown) {
        snprintf(made, sizeof made, "%s/report.html", dir);
        forms.html = made;
    }
    if (report_page_write(dir, &forms, benchmark, asked ? &zone : NULL, &err) < 0)
        return cli_fail("report", &err,
                        err.code == -ENOENT
                            ? "DIR is what backtest --out made, or the directory of a run"
                            : NULL);
    if (forms.html) printf("report: %s\n", forms.html);
    if (forms.pdf) printf("report: %s\n", forms.pdf);
    if (forms.markdown) printf("report: %s\n", forms.markdown);
    return 0;
}
