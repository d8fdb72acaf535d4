/* main.c - the program: finds the subcommand and hands over. */
#include "cli/cli.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct cli_command cli_commands[] = {
    { "run", "trade: paper by the file's clock, with a live table",
      "usage: shrike run RUN.yaml [--dir DIR] [--plain] [--json]\n"
      "  Starts the run the file declares, or recovers it when DIR holds it already.\n"
      "  --dir DIR   the run directory (default runs/NAME)\n"
      "  --plain     lines instead of the live table\n"
      "  Ctrl-C ends it in good order; results are in DIR/out.\n",
      cmd_run },
    { "backtest", "run a file on the virtual clock and write the results",
      "usage: shrike backtest RUN.yaml --out DIR [--json]\n"
      "  Writes DIR/summary.json, orders.csv, fills.csv, trades.csv, equity.csv, manifest.json.\n"
      "  A DIR that holds an unfinished backtest of the same file is finished.\n",
      cmd_backtest },
    { "check", "check a run file without side effects, print its topology",
      "usage: shrike check RUN.yaml [--json]\n", cmd_check },
    { "replay", "replay a run from its journal and compare",
      "usage: shrike replay DIR --verify [--json]\n"
      "  Makes every output again from the recorded inputs and compares bit for bit.\n",
      cmd_replay },
    { "ctl", "pause, resume, stop, kill, set a parameter of a running engine",
      "usage: shrike ctl DIR pause|resume|stop [ACTOR]\n"
      "       shrike ctl DIR set ACTOR PARAM VALUE\n"
      "       shrike ctl DIR kill|unkill|status\n",
      cmd_ctl },
    { "bench", "measure this machine: hops, tick to order, journal, backtest, CSV",
      "usage: shrike bench [--json FILE] [--only NAME,..] [--quick] [--baseline FILE] [--dir DIR]\n"
      "  NAME is hop, local, relay, tick_order, journal, backtest or csv; FILE - is the screen.\n"
      "  --baseline FILE  compares with an earlier --json; what got worse makes the exit code 1\n"
      "  --dir DIR        where the journals go while measuring, on a disk (default /var/tmp)\n",
      cmd_bench },
    { NULL, NULL, NULL, NULL },
};

int cli_usage(const char *name) {
    for (const struct cli_command *c = cli_commands; c->name; c++)
        if (strcmp(c->name, name) == 0) fputs(c->usage, stderr);
    return 2;
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
        if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
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

bool cli_colour(int fd) {
    return isatty(fd) && !getenv("NO_COLOR");
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
