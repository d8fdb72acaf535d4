/* cli.h - what the subcommands share.
 *
 * For     cli/cmd_*.c, one file a subcommand. Exit codes: 0 done, 1 failed, 2 wrong usage. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include "actors/market/zone.h"
#include "actors/registry.h"
#include "runtime/boot/engine.h"
#include "runtime/boot/supervise.h"
#include <stdbool.h>

/* A subcommand. */
struct cli_command {
    const char *name;                   /* as typed */
    const char *help;                   /* one line for `shrike --help` */
    const char *usage;                  /* what `shrike NAME --help` prints, several lines */
    int (*main)(int argc, char **argv); /* argv[0] is the name; returns the exit code */
};

/* The subcommands; ends with a NULL name. */
extern const struct cli_command cli_commands[];

/* cli_wrong says on stderr what is wrong with the words of command name, and how it is used;
 * returns 2. */
int cli_wrong(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* cli_words checks what is left once a command has taken its options: argv[1..] are the cnt words
 * that what names ("RUN.yaml"), and no options. Returns 0, or says what is wrong and returns 2. */
int cli_words(const char *name, int argc, char **argv, int cnt, const char *what);
/* cli_fail prints "shrike NAME: error: text" to stderr, with a hint on a second line when not NULL,
 * and returns 1. */
int cli_fail(const char *name, const struct rt_error *err, const char *hint);
/* cli_option finds "--name VALUE" or "--name=VALUE", takes it out of argv and returns VALUE; NULL
 * when absent. A VALUE after a space does not begin with "--". */
const char *cli_option(int *argc, char **argv, const char *name);
/* cli_flag finds "--name", takes it out of argv; false when absent. */
bool cli_flag(int *argc, char **argv, const char *name);
/* cli_colour tells whether colours may be used on stream fd (a terminal, NO_COLOR unset). */
bool cli_colour(int fd);
/* cli_program returns how this program is called from here: a path below the working directory, or
 * its name. */
const char *cli_program(void);
/* cli_hint prints one command to try on the run in dir, and what it does. */
void cli_hint(const char *command, const char *dir, const char *more, const char *what);
/* cli_rows_empty tells whether run has series, none of which has a row in its span. */
bool cli_rows_empty(const struct rt_run *run);
/* cli_rows_print names the series of run that have no row in its span. */
void cli_rows_print(const struct rt_run *run);
/* cli_end_text tells where the results of the run in dir are and how to look further: the page to
 * open (NULL = none) and, where its journal is kept, what reads it. */
void cli_end_text(const char *dir, const char *results, const char *page, bool kept);
/* cli_peek opens the run in dir for looking: its own configuration, clock and directory. Returns 0
 * or negative errno with err; then nothing is open. */
int cli_peek(const char *dir, struct rt_topology **t, struct rt_run *run, struct rt_error *err)
    __attribute__((warn_unused_result));
/* cli_kept tells whether the run that cli_peek opened in dir has a journal to look into. Returns 0
 * or -ENODATA with err: it kept none, or kept it in memory that is gone. */
int cli_kept(const char *dir, const struct rt_topology *t, const struct rt_run *run,
             struct rt_error *err) __attribute__((warn_unused_result));
/* cli_peek_close closes what cli_peek opened. */
void cli_peek_close(struct rt_topology *t, struct rt_run *run);

/* cli_zone takes --zone out of argv: 1 with *out when it is there, 0 when not; -1 when its value is
 * no zone, with what is wrong told for command name. */
int cli_zone(const char *name, int *argc, char **argv, struct mk_zone *out);

struct report_summary; /* actors/report/results.h */

/* cli_backtest runs t on the virtual clock with its results in out, and fills *sum and *run, which
 * the caller closes also when it fails. quiet: no progress. Returns 0 or negative errno, with err.
 */
int cli_backtest(struct rt_topology *t, const char *out, bool quiet, struct report_summary *sum,
                 struct rt_run *run, struct rt_error *err) __attribute__((warn_unused_result));

/* The subcommands' own functions. */
int cmd_run(int argc, char **argv);      /* cmd_run.c */
int cmd_backtest(int argc, char **argv); /* cmd_backtest.c */
int cmd_check(int argc, char **argv);    /* cmd_check.c */
int cmd_replay(int argc, char **argv);   /* cmd_replay.c */
int cmd_ctl(int argc, char **argv);      /* cmd_ctl.c */
int cmd_journal(int argc, char **argv);  /* cmd_journal.c */
int cmd_state(int argc, char **argv);    /* cmd_state.c */
int cmd_top(int argc, char **argv);      /* cmd_top.c */
int cmd_data(int argc, char **argv);     /* cmd_data.c */
int cmd_compare(int argc, char **argv);  /* cmd_compare.c */
int cmd_audit(int argc, char **argv);    /* cmd_audit.c */
int cmd_report(int argc, char **argv);   /* cmd_report.c */
int cmd_bench(int argc, char **argv);    /* cmd_bench.c */

/* cli_rerun makes the run in dir again from what it keeps (config.yaml, run.yaml, the data that it
 * names; relative paths start at moved, where that is not NULL) and compares the results, byte for
 * byte. Returns the exit code: 0 = the same. */
int cli_rerun(const char *dir, const char *moved, bool json);
#endif
