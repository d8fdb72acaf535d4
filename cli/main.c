/* main.c - the program: finds the subcommand and hands over. */
#include "cli/cli.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_command cli_commands[] = {
    { "run", "trade: paper by the file's clock, with a live table",
      "usage: shrike run RUN.yaml [--dir DIR] [--plain] [--json]\n"
      "  Starts what the file declares, or goes on with it when DIR holds it already.\n"
      "  --dir DIR   the run directory (default runs/NAME, runs/NAME-2 ... when that one has "
      "ended)\n"
      "  --plain     lines instead of the live table\n"
      "  --json      nothing while it runs, the summary as JSON at its end\n"
      "  Ctrl-C ends it in good order; results are in DIR/out.\n"
      "example:\n"
      "  shrike run config/demo.yaml\n",
      cmd_run },
    { "backtest", "run a file on the virtual clock and write the results",
      "usage: shrike backtest RUN.yaml --out DIR [--json] [--no-html]\n"
      "       shrike backtest --rerun DIR [--base DIR] [--json]\n"
      "  Writes orders, fills, trades, equity, daily and charts.csv, summary.json, manifest.json "
      "and\n"
      "  the page report.html (--no-html: not that one) into DIR and prints a short report\n"
      "  (--json: summary.json). A DIR that holds an unfinished backtest of the same file is\n"
      "  finished.\n"
      "  --rerun DIR  makes the run that DIR holds again, from the configuration and the names of\n"
      "               data kept there, and compares the results: the checksums of both, exit code "
      "1\n"
      "               when they are not the same to the byte\n"
      "  --base DIR   where relative paths of its data start, if that has moved\n"
      "example:\n"
      "  shrike data generate --out data && shrike backtest config/backtest.yaml --out "
      "runs/backtest\n",
      cmd_backtest },
    { "check", "check a run file without side effects, print and draw its topology",
      "usage: shrike check RUN.yaml [--json]\n"
      "  Reads the file and its data as a run would; tells processes, shards, actors, memory, "
      "edges,\n"
      "  and who says what to whom. Exit code 1 with file:line:column when something is wrong.\n"
      "example:\n"
      "  shrike check config/five.yaml\n",
      cmd_check },
    { "audit", "does a strategy know the future? run it without one and compare",
      "usage: shrike audit RUN.yaml [--folds N] [--json]\n"
      "  Runs the backtest whole, then once more per fold with the data cut off there. What was\n"
      "  decided and filled before the cut has to be the same: who looks ahead decides otherwise\n"
      "  when there is nothing to look at. Exit code 1 when a fold differs, with the first "
      "difference.\n"
      "  --folds N   cuts, spread evenly over the run (1..100, default 5)\n"
      "example:\n"
      "  shrike audit config/backtest.yaml --folds 10\n",
      cmd_audit },
    { "compare", "two runs side by side: what differs, by cause; or many, ranked",
      "usage: shrike compare A B [--tolerance SPAN] [--limit N] [--json]\n"
      "       shrike compare --rank DIR... [--by FIGURE] [--strategies] [--json]\n"
      "  A and B are directories with results: two backtests, or a backtest and a paper run.\n"
      "  Orders pair by strategy, account, instrument and instant; what a pair differs in is "
      "listed\n"
      "  by cause, with its money, then one by one. Exit code 1 when anything differs.\n"
      "  --tolerance SPAN  orders up to so far apart pair (default 0s; 1s, 5m)\n"
      "  --limit N         differences shown one by one (default 10)\n"
      "  --rank            ranks runs by return, drawdown, Sharpe, trades and thresholds passed;\n"
      "                    of one DIR its strategies\n"
      "  --by FIGURE       sharpe (default), return, drawdown or trades\n"
      "  --strategies      ranks the strategies of all DIRs\n"
      "example:\n"
      "  shrike compare runs/backtest runs/demo/out --tolerance 1s\n",
      cmd_compare },
    { "report", "the report of a run as a page (HTML) and as PDF",
      "usage: shrike report DIR [--html FILE] [--pdf FILE] [--markdown FILE] [--benchmark FILE]\n"
      "                     [--zone Z]\n"
      "  Makes the report of the results in DIR (what backtest --out made, or the directory of a "
      "run)\n"
      "  again. Without options DIR/report.html is written. The page needs no network and no other "
      "file.\n"
      "  --html FILE  where the page goes\n"
      "  --pdf FILE   the same as PDF\n"
      "  --markdown FILE  its texts and tables as Markdown\n"
      "  --zone Z     times are shown in Z (Asia/Shanghai, +08:00) in place of the run's "
      "display_zone\n"
      "  --benchmark FILE  prices to measure against in place of the run's: CSV of days or bars\n"
      "example:\n"
      "  shrike report runs/backtest --pdf report.pdf\n",
      cmd_report },
    { "journal", "look into the journal of a run, while it runs or later",
      "usage: shrike journal ls|dump|verify|stat|follow DIR [--shard S] [--kind K] [--limit N] "
      "[--zone Z] [--json]\n"
      "  ls      the segments and where they are\n"
      "  dump    every record, heard (in) and said (out), by time\n"
      "  verify  reads all, checks every record; exit code 1 when one is damaged\n"
      "  stat    records and bytes by kind\n"
      "  follow  dump that goes on as long as the run does\n"
      "  --kind takes a name of schemas/*.fbs; --zone Asia/Shanghai: each record with its time "
      "there.\n"
      "example:\n"
      "  shrike journal follow runs/demo --kind Fill\n",
      cmd_journal },
    { "replay", "make every output of a run again from its inputs and compare",
      "usage: shrike replay DIR --verify [--json]\n"
      "  Tells the hash of what each actor said and of its state, per shard and in all; exit code "
      "1\n"
      "  with the first difference when there is one.\n"
      "example:\n"
      "  shrike replay runs/demo --verify\n",
      cmd_replay },
    { "state", "what a run holds, from snapshot and journal, without starting it",
      "usage: shrike state DIR [--json]\n"
      "  HAVE client_order_id status          every order there ever was\n"
      "  POS account symbol qty avg_price     what is held\n"
      "  CASH account asset amount\n"
      "  ACTOR name hash                      of its state\n"
      "  HASH hash                            of all lines above\n"
      "example:\n"
      "  shrike state runs/demo | grep -v ^HAVE\n",
      cmd_state },
    { "top", "what each shard, edge and actor of a running engine does",
      "usage: shrike top DIR [--once] [--json]\n"
      "  Reads the metrics pages of the run's processes, from outside, once a second until "
      "Ctrl-C.\n"
      "  busy      part of the time with work        longest  longest turn of the loop\n"
      "  unsynced  what a power cut would take now   free     journal segments free\n"
      "  hop       from an outside event to the actor's turn, sampled; rows of sources, which are\n"
      "            told at once, have none\n"
      "  A dash: not timed, on the virtual clock and on shards that only answer others.\n"
      "example:\n"
      "  shrike top runs/demo\n",
      cmd_top },
    { "ctl", "pause, resume, stop, kill, set a parameter of a running engine",
      "usage: shrike ctl DIR pause|resume|stop [ACTOR]\n"
      "       shrike ctl DIR set ACTOR PARAM VALUE\n"
      "       shrike ctl DIR kill|unkill|status\n"
      "  Without ACTOR all are meant. The answer is one line of JSON; every command is journaled.\n"
      "example:\n"
      "  shrike ctl runs/demo set cross fast 10\n",
      cmd_ctl },
    { "data", "invent, import, check, repair and export market data",
      "usage: shrike data generate --out DIR [--symbols A,B] [--days N] [--interval 1m | "
      "--trades |\n"
      "                            --agents]\n"
      "                            [--start YYYY-MM-DD] [--seed N] [--trades-per-hour N]\n"
      "       shrike data import FILE... [--store DIR] [--venue V] [--symbol S] [--stream NAME]\n"
      "                            [--interval 1m] [--policy KIND=ACTION,..] [--min-rows N]\n"
      "                            [--spike-z Z] [--overlap refuse|keep|replace] [--again]\n"
      "                            [--session NAME] [--days] [--html PAGE] [--json]\n"
      "       shrike data ls [--store DIR] [--json]\n"
      "       shrike data check FILE [--kind klines|trades] [--interval 1m] [--session NAME]\n"
      "                            [--json]\n"
      "       shrike data check FILE|SET --quality [--policy ..] [--against FILE|SET]\n"
      "                            [--tolerance F] [--session NAME] [--days] [--html PAGE]\n"
      "                            [--json]\n"
      "       shrike data repair SET [--policy KIND=ACTION,..] [--html PAGE] [--json]\n"
      "       shrike data export SET [--out FILE] [--start YYYY-MM-DD] [--end YYYY-MM-DD]\n"
      "       shrike data instruments FILE [--symbols A,B] [--brackets FILE] [--venue V]\n"
      "                            [--maker F] [--taker F] [--out FILE]\n"
      "       shrike data snapshot [DIR...] [--session NAME] [--out FILE] [--against OLD] "
      "[--json]\n"
      "       shrike data snapshot --compare OLD NEW [--json]\n"
      "  generate  seeded bars or trades as CSV in Binance's form; the same options, the same "
      "bytes\n"
      "            --agents: trades, quotes and depth of a market of simulated traders\n"
      "            (default: BTCUSDT,ETHUSDT, 30 days of 1m from 2024-01-01, seed 1)\n"
      "  import    CSV (plain, .zip, .gz, .zst) into the store (default data): checked and "
      "repaired\n"
      "            by the policy; all of a file or nothing; a file imported before is skipped\n"
      "  check     reads a file as a run would; one line about it, or the first fault with its "
      "line;\n"
      "            --quality: all faults of a file or a SET of the store; --days: day by day\n"
      "  repair    answers the faults of a SET by the policy; what was is kept in import-N.csv\n"
      "  instruments\n"
      "            Binance's exchangeInfo (spot, USD-M, COIN-M), and leverageBracket, as "
      "instruments\n"
      "            of a run file, filters and all, to be included; all that trade, or those named\n"
      "  snapshot  a line a day of each set and of the results in each DIR (default: the store "
      "data),\n"
      "            with a hash of its rows; compared with an older one, what of the past has "
      "changed\n"
      "            is named: exit code 1\n"
      "  Sessions are us_equity, cn_a, uk_equity, 24x7: what lies outside is not missing.\n"
      "  SET is a directory of the store, DIR/VENUE/SYMBOL/STREAM[-INTERVAL]. KINDs: malformed,\n"
      "  missing, range, order, duplicate, conflict, misaligned, gap, ohlc, spike, volume,\n"
      "  price_unit, time_unit, repeated, crossed, clock, short, switch. ACTIONs: keep, skip, "
      "drop,\n"
      "  forward, interpolate, clip, scale, sort, reject.\n"
      "example:\n"
      "  shrike data generate --out data --symbols BTCUSDT --days 90 --interval 1h\n"
      "  shrike data import BTCUSDT-1m-2024-02.zip --venue binance-um\n",
      cmd_data },
    { "bench", "measure this machine: hops, tick to order, journal, backtest, CSV, store",
      "usage: shrike bench [--json FILE] [--only NAME,..] [--quick] [--baseline FILE] [--dir DIR]\n"
      "  NAME is hop, local, relay, tick_order, journal, backtest, multi, year, csv, store, match "
      "or "
      "l2;\n"
      "  FILE - is the screen.\n"
      "  --baseline FILE  compares with an earlier --json; what got worse makes the exit code 1\n"
      "  A figure is the median of several repetitions, a rate (per second) the best of them:\n"
      "  what else runs only takes away from it. The least and the most stand beside each.\n"
      "  --dir DIR        where the journals go while measuring, on a disk (default /var/tmp)\n",
      cmd_bench },
    { NULL, NULL, NULL, NULL },
};

/* usage_of returns the usage of the command named name. */
static const char *usage_of(const char *name) {
    const struct cli_command *c = cli_commands;
    while (c->name && strcmp(c->name, name) != 0) c++;
    assert(c->name);
    return c->usage;
}

int cli_wrong(const char *name, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "shrike %s: error: ", name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n%s", usage_of(name));
    va_end(args);
    return 2;
}

int cli_words(const char *name, int argc, char **argv, int cnt, const char *what) {
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == 0) continue;
        size_t n = strcspn(argv[i], "=");
        const char *known = strncmp(argv[i], "--", 2) == 0 ? usage_of(name) : "";
        while ((known = strstr(known, "--")) &&
               (strncmp(known, argv[i], n) != 0 || isalpha((unsigned char)known[n]) ||
                known[n] == '-'))
            known += 2;
        if (known)
            return cli_wrong(name,
                             "option '%.*s' lacks its value, has one too many, or is there "
                             "twice",
                             (int)n, argv[i]);
        return cli_wrong(name, "unknown option '%s'", argv[i]);
    }
    if (argc - 1 > cnt) return cli_wrong(name, "'%s' is one word too many", argv[cnt + 1]);
    if (argc - 1 < cnt) return cli_wrong(name, "%s expected", what);
    return 0;
}

int cli_fail(const char *name, const struct rt_error *err, const char *hint) {
    fprintf(stderr, "shrike %s: error: %s\n", name, err->text);
    if (hint) fprintf(stderr, "  %s\n", hint);
    return 1;
}

/* drop takes cnt words out of argv at i. */
static void drop(int *argc, char **argv, int i, int cnt) {
    for (int k = i; k + cnt <= *argc; k++) argv[k] = argv[k + cnt];
    *argc -= cnt;
}

const char *cli_option(int *argc, char **argv, const char *name) {
    size_t n = strlen(name);
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0 && i + 1 < *argc && strncmp(argv[i + 1], "--", 2) != 0) {
            const char *v = argv[i + 1];
            drop(argc, argv, i, 2);
            return v;
        }
        if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=') {
            const char *v = argv[i] + n + 1;
            drop(argc, argv, i, 1);
            return v;
        }
    }
    return NULL;
}

bool cli_flag(int *argc, char **argv, const char *name) {
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            drop(argc, argv, i, 1);
            return true;
        }
    return false;
}

int cli_zone(const char *name, int *argc, char **argv, struct mk_zone *out) {
    const char *text = cli_option(argc, argv, "--zone");
    if (!text) return 0;
    if (mk_zone_named(text, out)) return 1;
    (void)cli_wrong(name, "--zone '%s': expected UTC, Asia/Shanghai, America/New_York, +08:00, say",
                    text);
    return -1;
}

bool cli_colour(int fd) {
    return isatty(fd) && !getenv("NO_COLOR");
}

const char *cli_program(void) {
    static char path[4096];
    char here[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0 || !getcwd(here, sizeof here)) return "shrike";
    path[n] = 0;
    size_t m = strlen(here);
    return strncmp(path, here, m) == 0 && path[m] == '/' ? path + m + 1 : "shrike";
}

void cli_hint(const char *command, const char *dir, const char *more, const char *what) {
    int n = printf("  %s %s %s%s", cli_program(), command, dir, more);
    printf("%*s %s\n", n < 54 ? 54 - n : 0, "", what);
}

bool cli_rows_empty(const struct rt_run *run) {
    for (uint32_t i = 0; i < run->series_cnt; i++)
        if (run->series_rows[i] != 0) return false;
    return run->series_cnt > 0;
}

void cli_rows_print(const struct rt_run *run) {
    for (uint32_t i = 0; i < run->series_cnt; i++)
        if (run->series_rows[i] == 0)
            printf("  %s: no row between start and end\n", run->series_name[i]);
}

void cli_end_text(const char *dir, const char *results, const char *page, bool kept) {
    printf("results: %s/{orders,fills,trades,equity,daily,charts}.csv, summary.json, "
           "manifest.json\n",
           results);
    if (page) printf("report:  %s\n", page);
    if (!kept) return;
    printf("try next:\n");
    cli_hint("replay", dir, " --verify", "make it all again and compare bit for bit");
    cli_hint("journal dump", dir, "", "every message of the run");
    cli_hint("state", dir, "", "what was held at the end");
}

int cli_peek(const char *dir, struct rt_topology **t, struct rt_run *run, struct rt_error *err) {
    char path[4300];
    snprintf(path, sizeof path, "%.4000s/run.yaml", dir);
    if (access(path, R_OK) != 0)
        return rt_error_set(err, -ENOENT,
                            "%s: no run is there; the directory of a run or a backtest "
                            "expected",
                            dir);
    snprintf(path, sizeof path, "%.4000s/config.yaml", dir);
    int code = rt_topology_load(path, &shrike_registry, NULL, t, err);
    if (code < 0) return code;
    if ((code = rt_run_peek(*t, dir, run, err)) < 0) {
        rt_run_close(run, false);
        rt_topology_close(*t);
    }
    return code;
}

int cli_kept(const char *dir, const struct rt_topology *t, const struct rt_run *run,
             struct rt_error *err) {
    if (t->backing == RT_BACKING_MEMORY)
        return rt_error_set(err, -ENODATA, "%s: the run kept no journal (journal: off)", dir);
    if (t->backing == RT_BACKING_STAGE && access(run->paths.stage, F_OK) != 0)
        return rt_error_set(err, -ENODATA,
                            "%s: the run's journal was in memory only (journal: stage) and is gone",
                            dir);
    return 0;
}

void cli_peek_close(struct rt_topology *t, struct rt_run *run) {
    rt_run_close(run, false);
    rt_topology_close(t);
}

/* help prints what there is. */
static int help(FILE *to) {
    fputs(
        "shrike - a deterministic trading runtime: backtest, paper and live on the same actors\n\n"
        "usage: shrike COMMAND ...        shrike COMMAND --help tells more\n\n",
        to);
    for (const struct cli_command *c = cli_commands; c->name; c++)
        fprintf(to, "  %-10s %s\n", c->name, c->help);
    fputs("\nbegin with:  shrike run config/demo.yaml\n", to);
    return to == stderr ? 2 : 0;
}

/* main finds the subcommand. */
int main(int argc, char **argv) {
    if (argc < 2) return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return help(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        printf("shrike 0.1.0 build %.12s\n", rt_build_id());
        return 0;
    }
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        if (strcmp(c->name, argv[1]) != 0) continue;
        for (int i = 2; i < argc; i++)
            if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
                fputs(c->usage, stdout);
                return 0;
            }
        return c->main(argc - 1, argv + 1);
    }
    fprintf(stderr, "shrike: no command is called '%s'; see shrike --help\n", argv[1]);
    return 2;
}
