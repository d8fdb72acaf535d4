#include "actors/report/compare.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* span_read reads "250ms", "1s", "5m", "1h" into ns; false when it is none. */
static bool span_read(const char *text, int64_t *ns) {
    static const struct {
        const char *unit; /* as written */
        int64_t ns;       /* its length */
    } units[] = {
        { "ns", 1 },          { "us", 1000 },         { "ms", 1000000 },      { "s", 1000000000 },
        { "m", 60000000000 }, { "h", 3600000000000 }, { "d", 86400000000000 }
    };
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || v < 0) return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].unit) == 0) return !__builtin_mul_overflow(v, units[i].ns, ns);
    }
    return false;
}

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
    if (tolerance && !span_read(tolerance, &tolerance_ns)) {
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
