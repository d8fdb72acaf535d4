/* supervise.h - the parent of a run's processes: starts them, watches them, starts them again.
 *
 * For     `shrike run` (and backtests over several processes). One child a process of the topology,
 *         forked before any thread exists, so that all share the link memory, which outlives them:
 *         a child that dies alone comes back, replays its journal and goes on in the same rings.
 *         Watchdog: a call (of a run of rows: a row) that uses more CPU time than hang: without
 *         coming back is a hang. A thread that is long in one call is asked where it is, and after
 *         hang: more of its CPU time again: if it has not moved it writes the verdict (RUN/poison)
 *         and dies. A fault outside of any actor's call leaves no verdict: the process is started
 *         again with everyone. After three deaths within 60 s the run stays down.
 *         Kill switch: SIGUSR1, ctl or a file RUN/kill sets the kill word; the file stays, so that
 *         the next start has it set, until ctl's unkill. SIGINT and SIGTERM end the
 *         run in good order; a second one within the grace kills. When the parent dies, its
 *         children get SIGTERM.
 * Thread  the parent's only one, and one for the control socket. */
#ifndef RUNTIME_BOOT_SUPERVISE_H
#define RUNTIME_BOOT_SUPERVISE_H
#include "runtime/boot/engine.h"

/* What the parent calls now and then while it watches. */
struct rt_watcher {
    void (*tick)(void *arg, struct rt_run *run); /* about every 100 ms; may be NULL */
    void (*event)(void *arg,
                  const char *text); /* a child died, came back, was left out; may be NULL */
    void *arg;                       /* theirs */
};

/* rt_supervise runs all processes of the run to their end. Returns 0, or a negative errno with err:
 * what the last child said. */
int rt_supervise(struct rt_run *run, const struct rt_watcher *watcher, struct rt_error *err);

/* rt_kill_keep makes (on) or removes the file RUN/kill, so that the kill switch outlasts the
 * engine. Returns 0 or negative errno; 0 where the run has no directory. */
int rt_kill_keep(const struct rt_run *run, bool on);

/* rt_control_start opens RUN/ctl.sock (mode 0600; the peer's uid must be ours or root's and is
 * journaled) and serves it on a thread of its own. A request is one line, an answer one line of
 * JSON: "pause|resume|stop|kill|unkill [ACTOR]", "set ACTOR PARAM VALUE", "status". */
int rt_control_start(struct rt_run *run, struct rt_error *err);
/* rt_control_stop closes it. */
void rt_control_stop(void);
/* rt_control_forked lets go of it in a process forked from the one that serves: who asks must not
 * reach, or wait for, a process that does not. */
void rt_control_forked(void);
/* rt_control_ask sends line to the run in dir and puts its answer into out. 0 or negative errno;
 * -ETIMEDOUT after 10 s without one. */
int rt_control_ask(const char *dir, const char *line, char *out, size_t cap, struct rt_error *err);
#endif
