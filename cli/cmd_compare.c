#include "actors/report/compare.h"
#include "actors/report/rank.h"
#include "cli/cli.h"
#include "runtime/base/config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* rank serves --rank: argv[1..] are directories with results. One alone is a question about its
 * strategies. */
static int rank(int argc, char **argv, const char *by, bool strategies, bool json) {
    struct rt_error err = { 0 };
    struct report_rank r;
    int which = 0;
    if (cli_words("compare", argc, argv, argc - 1 > 1 ? argc - 1 : 1,
                  "directories with results to rank"))
        return 2;
    while (by != NULL && report_rank_words[which] && strcmp(report_rank_words[which], by) != 0)
        which++;
    if (!report_rank_words[which]) {
        rt_error_set(&err, -EINVAL, "--by %s: expected sharpe, return, drawdown or trades", by);
        (void)cli_fail("compare", &err, NULL);
        return 2;
    }
    if (report_rank_run(argv + 1, argc - 1, strategies || argc == 2, (enum report_rank_by)which, &r,
                        &err) < 0)
        return cli_fail("compare", &err,
                        "directories with results are what backtest --out made, or DIR/out of a "
                        "run");
    if (json)
        report_rank_json(&r, stdout);
    else
        report_rank_print(&r, stdout, cli_colour(1));
    report_rank_close(&r);
    return 0;
}

int cmd_compare(int argc, char **argv) {
    struct rt_error err = { 0 };
    const char *by = cli_option(&argc, argv, "--by");
    bool strategies = cli_flag(&argc, argv, "--strategies");
    bool ranks = cli_flag(&argc, argv, "--rank");
    struct report_compare c;
    const char *tolerance = cli_option(&argc, argv, "--tolerance");
    const char *shown = cli_option(&argc, argv, "--limit");
    bool json = cli_flag(&argc, argv, "--json");
    int64_t tolerance_ns = 0;
    char *end = NULL;
    if (ranks && !tolerance && !shown) return rank(argc, argv, by, strategies, json);
    if (ranks || by || strategies) {
        rt_error_set(&err, -EINVAL,
                     "--by and --strategies belong to --rank; --tolerance and "
                     "--limit do not");
        (void)cli_fail("compare", &err, NULL);
        return 2;
    }
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
