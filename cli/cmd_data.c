#include "actors/data/file.h"
#include "actors/data/generate.h"
#include "actors/data/klines.h"
#include "actors/data/trades.h"
#include "actors/market/session.h"
#include "cli/agents.h"
#include "cli/cli.h"
#include "cli/data.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

/* Bounds. */
enum {
    SYMBOLS_MAX = 64,    /* files of one call */
    ROWS_AT_ONCE = 4096, /* parsed in one go */
};

/* whole reads a whole number in low..high; false when text is none. */
static bool whole(const char *text, int64_t low, int64_t high, int64_t *out) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < low || v > high) return false;
    *out = v;
    return true;
}

bool cli_duration(const char *text, int64_t *ns) {
    char *end;
    long long v = strtoll(text, &end, 10);
    int64_t unit = *end == 's'   ? 1
                   : *end == 'm' ? 60
                   : *end == 'h' ? 3600
                   : *end == 'd' ? 86400
                   : *end == 'w' ? 604800
                                 : 0;
    if (end == text || !unit || end[1] || v < 1 || v > 366 * 86400 / unit) return false;
    *ns = v * unit * 1000000000;
    return true;
}

bool cli_day(const char *text, int64_t *ns) {
    struct tm tm = { 0 };
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (!end || *end) return false;
    *ns = (int64_t)timegm(&tm) * 1000000000;
    return true;
}

/* wrong says that text is not what option takes; returns 2. */
static int wrong(const char *option, const char *text, const char *expected) {
    return cli_wrong("data", "%s: '%s' is not %s", option, text, expected);
}

/* generate writes an invented market. */
static int generate(int argc, char **argv) {
    struct rt_error err = { 0 };
    const char *symbols[SYMBOLS_MAX + 1] = { "BTCUSDT", "ETHUSDT" };
    char names[1000];
    int64_t seed = 1, days = 30, interval_ns = 60000000000LL, start_ns = 1704067200000000000LL,
            hour = 0;
    const char *out = cli_option(&argc, argv, "--out"),
               *list = cli_option(&argc, argv, "--symbols");
    const char *v;
    bool agents = cli_flag(&argc, argv, "--agents");
    bool trades = cli_flag(&argc, argv, "--trades") || agents;
    if ((v = cli_option(&argc, argv, "--seed")) && !whole(v, 0, INT64_MAX, &seed))
        return wrong("--seed", v, "a whole number from 0");
    if ((v = cli_option(&argc, argv, "--days")) && !whole(v, 1, 36500, &days))
        return wrong("--days", v, "a whole number from 1 to 36500");
    if ((v = cli_option(&argc, argv, "--trades-per-hour"))) {
        if (!whole(v, 1, 10000000, &hour))
            return wrong("--trades-per-hour", v, "a whole number from 1 to 10000000");
        if (!trades || agents) return cli_wrong("data", "--trades-per-hour goes with --trades");
    }
    if ((v = cli_option(&argc, argv, "--interval"))) {
        if (!cli_duration(v, &interval_ns)) return wrong("--interval", v, "15s, 1m, 4h or 1d, say");
        if (trades)
            return cli_wrong("data", "trades have no interval: one of --trades, --interval");
    }
    if ((v = cli_option(&argc, argv, "--start")) && !cli_day(v, &start_ns))
        return wrong("--start", v, "a day as 2024-01-31");
    if (cli_words("data", argc, argv, 0, "")) return 2;
    if (!out) return cli_wrong("data", "--out DIR expected: where the files go");
    if (list) {
        int n = 0;
        snprintf(names, sizeof names, "%s", list);
        for (char *save = NULL, *s = strtok_r(names, ",", &save); s;
             s = strtok_r(NULL, ",", &save)) {
            if (n == SYMBOLS_MAX) return cli_wrong("data", "--symbols: at most %d", SYMBOLS_MAX);
            symbols[n++] = s;
        }
        symbols[n] = NULL;
        if (n == 0) return wrong("--symbols", list, "names parted by commas");
    }
    struct data_generate g = { .dir = out,
                               .symbols = symbols,
                               .seed = (uint64_t)seed,
                               .start_ns = start_ns,
                               .interval_ns = trades ? 0 : interval_ns,
                               .days = (uint32_t)days,
                               .hour_trades = (uint32_t)hour };
    uint64_t rows;
    if (mkdir(out, 0755) < 0 && errno != EEXIST) {
        rt_error_set(&err, -errno, "%s: cannot be made: %s", out, strerror(errno));
        return cli_fail("data", &err, NULL);
    }
    if ((agents ? cli_agents_write(&g, &rows, &err) : data_generate(&g, &rows, &err)) < 0)
        return cli_fail("data", &err, NULL);
    printf("%llu rows in all, %lld days, seed %lld:\n", (unsigned long long)rows, (long long)days,
           (long long)seed);
    char ending[32] = "trades";
    if (!trades) {
        int64_t s = interval_ns / 1000000000;
        int64_t unit = s % 86400 == 0 ? 86400 : s % 3600 == 0 ? 3600 : s % 60 == 0 ? 60 : 1;
        snprintf(ending, sizeof ending, "%lld%c", (long long)(s / unit),
                 unit == 86400  ? 'd'
                 : unit == 3600 ? 'h'
                 : unit == 60   ? 'm'
                                : 's');
    }
    for (int i = 0; symbols[i]; i++) {
        printf("  %s/%s-%s.csv\n", out, symbols[i], ending);
        if (agents)
            printf("  %s/%s-quotes.csv\n  %s/%s-depth.csv\n", out, symbols[i], out, symbols[i]);
    }
    printf("use them as sources:  - {kind: %s, instrument: NAME, %s%s%sfile: %s/%s-%s.csv}\n",
           trades ? "trades" : "klines", trades ? "" : "interval: ", trades ? "" : ending,
           trades ? "" : ", ", out, symbols[0], ending);
    return 0;
}

/* stamp_ns reads the time at the start of a line, s to ns told by its size; 0 when there is
 * none. */
static int64_t stamp_ns(const char *at, const char *end) {
    int64_t v = 0;
    int digits = 0;
    for (; at < end && isdigit((unsigned char)*at) && digits < 19; at++, digits++)
        v = v * 10 + (*at - '0');
    return digits <= 10 ? v * 1000000000 : digits <= 13 ? v * 1000000 : digits <= 16 ? v * 1000 : v;
}

/* first_rows finds the smallest distance between the first rows' times: the interval of a file of
 * bars. 0 when it has fewer than two rows. */
static int64_t guess_interval(const struct data_file *f) {
    const char *at = f->bytes, *end = f->bytes + f->cnt;
    int64_t before = 0, least = 0;
    for (int n = 0; n < 20 && at < end; n++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        int64_t ns = isdigit((unsigned char)*at) ? stamp_ns(at, end) : 0;
        if (ns && before && ns > before && (!least || ns - before < least)) least = ns - before;
        if (ns) before = ns;
        if (!stop) break;
        at = stop + 1;
    }
    return least;
}

/* is_trades tells a file of trades by its first line: its heading names no open, or its rows do not
 * have 6 or 12 columns. */
static bool is_trades(const struct data_file *f) {
    const char *stop = memchr(f->bytes, '\n', f->cnt);
    size_t n = stop ? (size_t)(stop - f->bytes) : f->cnt;
    char line[2000];
    int commas = 0;
    snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), f->bytes);
    for (char *p = line; *p; p++) {
        commas += *p == ',';
        *p = (char)tolower((unsigned char)*p);
    }
    if (!isdigit((unsigned char)line[0])) return strstr(line, "open") == NULL;
    return commas != 11 && commas != 5;
}

/* date formats an instant. */
static const char *date(int64_t ns, char out[32]) {
    time_t at = (time_t)(ns / 1000000000);
    struct tm tm;
    if (!gmtime_r(&at, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm)) snprintf(out, 32, "?");
    return out;
}

/* length formats an interval. */
static const char *length(int64_t ns, char out[32]) {
    int64_t s = ns / 1000000000;
    int64_t unit = s && s % 86400 == 0  ? 86400
                   : s && s % 3600 == 0 ? 3600
                   : s && s % 60 == 0   ? 60
                                        : 1;
    snprintf(out, 32, "%lld%c", (long long)(s / unit),
             unit == 86400  ? 'd'
             : unit == 3600 ? 'h'
             : unit == 60   ? 'm'
                            : 's');
    return out;
}

/* check_bars reads all bars of f. */
static int check_bars(const struct data_file *f, const char *name, int64_t interval_ns,
                      const struct mk_session *session, bool json, struct rt_error *err) {
    static struct msg_bar rows[ROWS_AT_ONCE];
    struct data_klines k = { .file = name,
                             .session = session,
                             .interval_ns = interval_ns ? interval_ns : guess_interval(f) };
    uint64_t total = 0, idle = 0;
    char from[32], until[32], each[32];
    if (!k.interval_ns) k.interval_ns = 60000000000LL;
    while (k.at < f->cnt) {
        size_t n = 0;
        int code = data_klines_parse(f->bytes, f->cnt, &k, rows, ROWS_AT_ONCE, &n, err);
        if (code < 0) return code;
        for (size_t i = 0; i < n; i++) idle += !(rows[i].volume > 0);
        total += n;
        if (n == 0) break;
    }
    if (json)
        printf("{\"ok\":true,\"kind\":\"klines\",\"rows\":%llu,\"interval_ns\":%lld,\"first_ns\":%"
               "lld,\"last_ns\":%lld,"
               "\"gaps\":%llu,\"missing\":%llu,\"without_volume\":%llu}\n",
               (unsigned long long)total, (long long)k.interval_ns, (long long)k.first_ns,
               (long long)k.last_ns, (unsigned long long)k.gaps, (unsigned long long)k.missing,
               (unsigned long long)idle);
    else
        printf("%s: fine: %llu bars of %s from %s to %s, %llu gaps (%llu bars missing), %llu "
               "without volume\n",
               name, (unsigned long long)total, length(k.interval_ns, each), date(k.first_ns, from),
               date(k.last_ns, until), (unsigned long long)k.gaps, (unsigned long long)k.missing,
               (unsigned long long)idle);
    return 0;
}

/* check_trades reads all trades of f. */
static int check_trades(const struct data_file *f, const char *name, bool json,
                        struct rt_error *err) {
    static struct msg_trade rows[ROWS_AT_ONCE];
    struct data_trades t = { .file = name };
    uint64_t total = 0;
    int64_t first_ns = 0;
    char from[32], until[32];
    while (t.at < f->cnt) {
        size_t n = 0;
        int code = data_trades_parse(f->bytes, f->cnt, &t, rows, ROWS_AT_ONCE, &n, err);
        if (code < 0) return code;
        if (total == 0 && n)
            memcpy(&first_ns, &rows[0], sizeof first_ns); /* a row begins with its instant */
        total += n;
        if (n == 0) break;
    }
    if (json)
        printf("{\"ok\":true,\"kind\":\"trades\",\"rows\":%llu,\"first_ns\":%lld,\"last_ns\":%lld,"
               "\"id_gaps\":%llu}\n",
               (unsigned long long)total, (long long)first_ns, (long long)t.last_ns,
               (unsigned long long)t.id_gaps);
    else
        printf("%s: fine: %llu trades from %s to %s, numbers left out %llu times\n", name,
               (unsigned long long)total, date(first_ns, from), date(t.last_ns, until),
               (unsigned long long)t.id_gaps);
    return 0;
}

/* check reads one file whole. */
static int check(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct data_file f;
    int64_t interval_ns = 0;
    if (cli_flag(&argc, argv, "--quality")) return data_cmd_quality(argc, argv);
    bool json = cli_flag(&argc, argv, "--json");
    struct mk_session session;
    const char *each = cli_option(&argc, argv, "--interval"),
               *kind = cli_option(&argc, argv, "--kind"),
               *hours = cli_option(&argc, argv, "--session");
    if (hours && !mk_session_named(hours, &session))
        return wrong("--session", hours, "us_equity, cn_a, uk_equity or 24x7");
    if (each && !cli_duration(each, &interval_ns))
        return wrong("--interval", each, "15s, 1m, 4h or 1d, say");
    if (kind && strcmp(kind, "klines") != 0 && strcmp(kind, "trades") != 0)
        return wrong("--kind", kind, "klines or trades");
    if (cli_words("data", argc, argv, 1, "check: FILE")) return 2;
    int code = data_file_open(NULL, argv[1], &f, &err);
    if (code < 0) return cli_fail("data", &err, NULL);
    bool trades = kind ? kind[0] == 't' : is_trades(&f);
    code = trades ? check_trades(&f, argv[1], json, &err)
                  : check_bars(&f, argv[1], interval_ns, hours ? &session : NULL, json, &err);
    data_file_close(&f);
    return code < 0 ? cli_fail("data", &err, NULL) : 0;
}

int cmd_data(int argc, char **argv) {
    static const struct {
        const char *name;                   /* as typed */
        int (*main)(int argc, char **argv); /* what does it */
    } parts[] = {
        { "generate", generate },
        { "check", check },
        { "import", data_cmd_import },
        { "export", data_cmd_export },
        { "ls", data_cmd_ls },
        { "repair", data_cmd_repair },
        { "instruments", data_cmd_instruments },
        { "snapshot", data_cmd_snapshot },
    };
    for (size_t i = 0; argc >= 2 && i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(argv[1], parts[i].name) == 0) return parts[i].main(argc - 1, argv + 1);
    static const char *const names = "generate, check, import, export, ls, repair, instruments, "
                                     "snapshot";
    if (argc >= 2) return cli_wrong("data", "'%s' is not one of %s", argv[1], names);
    return cli_wrong("data", "one of %s expected", names);
}
