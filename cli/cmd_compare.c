#include "actors/report/compare.h"
#include "cli/cli.h"
#include "runtime/base/config.h"
#include <errno.h>
#include <stdlib.h>

int cmd_compare(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct report_compare c;
    const char *tolerance = cli_option(&argc, argv, "--tolerance");
    const char *shown = cli_option(&argc, argv, "--limit");
    bool json = cli_flag(&argc, argv, "--json");
    int64_t tolerance_ns = 0;
    char *end = NULL;
    unsigned long long limit = shown ? strtoull(shown, &end, 10) : 10;
    if (cli_words("compare", argc, argv, 2, "the directories of two runs")) return 2;
    if (tolerance && (!rt_duration_parse(tolerance, &tolerance_ns) || tolerance_ns < 0)) {
        rt_error_set(&err, -EINVAL, "--tolerance %s: expected a span such as 250ms, 1s, 5m",
                     tolerance);
        (void)cli_fail("compare", &err, NULL);
        return 2;
    }
    if (shown && (end == shown || *end || *shown == '-')) {
        rt_error_set(&err, -EINVAL, "--limit %s: expected a number of differences to show", shown);
        (void)cli_fail("compare", &err, NULL);
        return 2;
    }
    if (report_compare_run(argv[1], argv[2], tolerance_ns, &c, &err) < 0)
        return cli_fail("compare", &err,
                        "A and B are directories with results: what backtest --out made, or "
                        "DIR/out of a run");
    if (json)
        report_compare_json(&c, stdout);
    else
        report_compare_print(&c, limit, stdout, cli_colour(1));
    bool same = report_compare_same(&c);
    report_compare_close(&c);
    return same ? 0 : 1;
}
