#include "runtime/boot/supervise.h"
#include "runtime/time/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEATHS_MAX = 3 }; /* within DEATHS_NS */
#define DEATHS_NS 60000000000LL
#define STANDS_NS 1000000000LL /* a run to be ended that stands still that long is cut off */

/* What signals asked for; set by handlers, read by the loop. */
static volatile sig_atomic_t asked_stop, asked_kill;

/* on_stop notes SIGINT, SIGTERM and SIGHUP (the terminal was closed). */
static void on_stop(int signo) {
    (void)signo;
    asked_stop++;
}

/* on_kill notes SIGUSR1. */
static void on_kill(int signo) {
    (void)signo;
    asked_kill = 1;
}

/* The run of a child, for its own SIGTERM. */
static struct rt_run *child_run;

/* on_orphan is a child's SIGTERM: its parent is gone. Kill switch on, and end in good order. */
static void on_orphan(int signo) {
    (void)signo;
    if (!child_run) return;
    atomic_store(&child_run->link.shared->kill, 1);
    atomic_store(&child_run->link.shared->stop, REASON_SHUTDOWN);
}

/* One child. */
struct child {
    pid_t pid;                     /* 0 = ended in good order or not started */
    int64_t deaths_ns[DEATHS_MAX]; /* monotonic times of the last deaths */
    uint32_t death_cnt;            /* deaths in all */
    int pipe;                      /* what it says when it fails: read end */
};

/* One shard as the watchdog sees it. */
struct watch {
    uint64_t call;    /* call last seen, as in rt_pulse */
    uint64_t cpu_ns;  /* its thread's CPU time then, or when it was last asked */
    bool asked;       /* it was asked about this call */
    uint64_t answers; /* what it had answered before that */
};

/* What is known of a run that stands still. */
struct stand {
    bool waits;       /* it was told that its journal waits */
    int64_t since_ns; /* monotonic time since when it does though it is to end */
};

/* say tells the watcher. */
static void say(const struct rt_watcher *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const struct rt_watcher *w, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (w && w->event) w->event(w->arg, text);
}

/* start forks the child of a process. */
static int start(struct rt_run *run, uint16_t process, struct child *c, struct rt_error *err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) return rt_error_set(err, -errno, "no pipe");
    fflush(stdout);
    fflush(stderr);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        close(fds[0]);
        close(fds[1]);
        return rt_error_set(err, -errno, "cannot start process %s",
                            run->topology->processes[process].name);
    }
    if (pid == 0) {
        struct rt_error last = { 0 };
        child_run = run;
        rt_control_forked();
        /* where time can stand still a killed run is gone on with later as if nothing had been;
         * on the real clock what is open must not be left alone */
        prctl(PR_SET_PDEATHSIG, run->topology->clock == RT_CLOCK_REAL ? SIGTERM : SIGKILL);
        if (getppid() != parent) _exit(124);
        signal(SIGINT, SIG_IGN); /* the terminal sends it to all: the parent decides */
        signal(SIGTERM, on_orphan);
        signal(SIGHUP, SIG_IGN); /* the parent decides, too */
        signal(SIGUSR1, SIG_IGN);
        setpgid(0, 0);
        int code = rt_run_process(run, process, &last);
        if (code < 0 && write(fds[1], last.text, strlen(last.text)) < 0) _exit(123);
        if (run->report[0] && code == 0 && write(fds[1], run->report, strlen(run->report)) < 0)
            _exit(123);
        _exit(code < 0 ? 1 : 0);
    }
    close(fds[1]);
    if (c->pipe > 0) close(c->pipe);
    c->pipe = fds[0];
    c->pid = pid;
    return 0;
}

/* cpu_of reads the CPU time a thread has used, ns; 0 when it is gone. */
static uint64_t cpu_of(int32_t pid, uint32_t tid) {
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/task/%u/schedstat", pid, tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    return strtoull(text, NULL, 10);
}

/* watch_shards looks for calls that do not come back. While a call lasts only its own thread knows
 * whether it goes on (a run of rows is one call), so the thread is asked, by a signal. */
static void watch_shards(struct rt_run *run, struct watch *seen, const struct rt_watcher *w) {
    const struct rt_topology *t = run->topology;
    for (uint32_t i = 0; i < t->shard_cnt; i++) {
        struct rt_pulse *p = &run->link.pulses[i];
        struct watch *s = &seen[i];
        uint32_t tid = atomic_load(&p->tid);
        int32_t pid = atomic_load(&p->pid);
        uint64_t call = tid ? atomic_load(&p->call) : 0;
        uint64_t cpu_ns = call ? cpu_of(pid, tid) : 0;
        if (call == 0 || call != s->call) {
            *s = (struct watch){ .call = call, .cpu_ns = cpu_ns };
            continue;
        }
        uint64_t limit_ns = (uint64_t)t->hang_ns / (s->asked ? 1 : 4);
        if (cpu_ns <= s->cpu_ns + limit_ns) continue;
        uint64_t answers = atomic_load(&p->answers);
        if (s->asked && answers == s->answers) {
            say(w, "process %s answers nothing while in actor %s: it is killed",
                t->processes[t->shards[i].process].name, t->actors[(call >> 48) - 1].name);
            kill(pid, SIGKILL);
            s->call = 0;
            continue;
        }
        s->asked = true;
        s->answers = answers;
        s->cpu_ns = cpu_ns;
        syscall(SYS_tgkill, pid, tid, SIGXCPU);
    }
}

/* tell_poison says which actors the verdicts after *at in RUN/poison leave out, and moves *at. */
static void tell_poison(const struct rt_run *run, const struct rt_watcher *w, long *at) {
    const struct rt_topology *t = run->topology;
    char path[4200], line[200];
    snprintf(path, sizeof path, "%s/poison", run->paths.dir);
    FILE *f = run->paths.dir[0] ? fopen(path, "r") : NULL;
    if (!f) return;
    if (*at > 0 && fseek(f, *at, SEEK_SET) != 0) *at = 0;
    while (fgets(line, sizeof line, f)) {
        unsigned shard, actor, signo;
        unsigned long long call;
        if (sscanf(line, "%u %u %llu %u", &shard, &actor, &call, &signo) != 4) continue;
        if (actor == 0 || actor > t->actor_cnt) continue;
        say(w, "actor %s is left out from its input %llu on: %s%s", t->actors[actor - 1].name, call,
            signo == SIGKILL ? "it does not come back from it" : "it dies of it: ",
            signo == SIGKILL ? "" : strsignal((int)signo));
    }
    *at = ftell(f);
    fclose(f);
}

/* reap looks after children that ended: 1 while any lives. *poison_at is how far RUN/poison was
 * told. */
static int reap(struct rt_run *run, struct child *kids, const struct rt_watcher *w, long *poison_at,
                struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    int alive = 0;
    for (uint16_t i = 0; i < t->process_cnt; i++) {
        struct child *c = &kids[i];
        int status;
        if (!c->pid) continue;
        if (waitpid(c->pid, &status, WNOHANG) != c->pid) {
            alive = 1;
            continue;
        }
        c->pid = 0;
        for (uint32_t s = 0; s < t->shard_cnt; s++)
            if (t->shards[s].process == i) {
                atomic_store(&run->link.pulses[s].tid, 0);
                atomic_store(&run->link.pulses[s].waits, 0);
                atomic_store(&run->link.bells[s].parked, 0);
            }
        char text[2000];
        ssize_t n = read(c->pipe, text, sizeof text - 1);
        text[n > 0 ? n : 0] = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            snprintf(run->report, sizeof run->report, "%s", text);
            continue;
        }
        if (WIFEXITED(status) &&
            WEXITSTATUS(status) == 1) { /* it told why: starting again won't help */
            rt_error_set(err, -EIO, "%s", text[0] ? text : "a process of the run failed");
            rt_run_request(run, REASON_SHUTDOWN, 0);
            return -1;
        }
        int64_t now_ns = rt_clock_monotonic_ns();
        int64_t *oldest = &c->deaths_ns[c->death_cnt % DEATHS_MAX];
        bool loop = c->death_cnt >= DEATHS_MAX && now_ns - *oldest < DEATHS_NS;
        *oldest = now_ns;
        c->death_cnt++;
        if (WIFSIGNALED(status))
            say(w, "process %s died of signal %d (%s)", t->processes[i].name, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) == RT_EXIT_HUNG)
            say(w, "process %s was ended in a call that does not come back", t->processes[i].name);
        else
            say(w, "process %s ended with status %d", t->processes[i].name, WEXITSTATUS(status));
        if (loop) {
            rt_error_set(err, -ECHILD, "process %s died %u times within a minute: it stays down",
                         t->processes[i].name, DEATHS_MAX + 1);
            return -1;
        }
        atomic_fetch_add(&run->link.shared->lost, 1);
        tell_poison(run, w, poison_at);
        if (start(run, i, c, err) < 0) return -1;
        say(w, "process %s started again: it recovers from its journal", t->processes[i].name);
        alive = 1;
    }
    return alive;
}

/* end_all kills what is left. */
static void end_all(struct rt_run *run, struct child *kids) {
    for (uint32_t i = 0; i < run->topology->process_cnt; i++) {
        if (kids[i].pid) {
            kill(kids[i].pid, SIGKILL);
            waitpid(kids[i].pid, NULL, 0);
            kids[i].pid = 0;
        }
        if (kids[i].pipe > 0) close(kids[i].pipe);
    }
}

int rt_kill_keep(const struct rt_run *run, bool on) {
    char path[4200];
    if (!run->paths.dir[0]) return 0;
    snprintf(path, sizeof path, "%s/kill", run->paths.dir);
    if (!on) return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

/* cut_off ends a run that is to be ended and stands still for want of disk space: it cannot come to
 * an end in good order, and what it has journaled is safe as it is. True when it is over. */
static bool cut_off(struct rt_run *run, const struct rt_watcher *w, struct stand *s,
                    struct rt_error *err) {
    bool waits = rt_run_waits(run);
    int64_t now_ns = rt_clock_monotonic_ns();
    if (waits != s->waits)
        say(w, waits ? "the journal waits for disk space: the run stands still until there is room"
                     : "the journal has room again: the run goes on");
    s->waits = waits;
    if (!waits || atomic_load(&run->link.shared->stop) == 0) {
        s->since_ns = now_ns;
        return false;
    }
    if (now_ns - s->since_ns < STANDS_NS) return false;
    rt_error_set(
        err, -ENOSPC,
        "ended while its journal waited for disk space; nothing is lost: make room and give "
        "the same command again, it goes on");
    return true;
}

int rt_supervise(struct rt_run *run, const struct rt_watcher *watcher, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    struct child *kids = calloc(t->process_cnt, sizeof *kids);
    struct watch *seen = calloc(t->shard_cnt, sizeof *seen);
    char kill_path[4200];
    int code = 0, stops = 0, alive = 1;
    if (!kids || !seen) {
        free(kids);
        free(seen);
        return rt_error_set(err, -ENOMEM, "no memory");
    }
    long poison_at = 0;
    tell_poison(run, watcher, &poison_at); /* those of earlier starts */
    asked_stop = asked_kill = 0;
    signal(SIGINT, on_stop);
    signal(SIGTERM, on_stop);
    signal(SIGHUP, on_stop);
    signal(SIGUSR1, on_kill);
    signal(SIGPIPE, SIG_IGN);
    snprintf(kill_path, sizeof kill_path, "%s/kill", run->paths.dir);
    if (run->paths.dir[0] && access(kill_path, F_OK) == 0) {
        atomic_store(&run->link.shared->kill, 1); /* it was on when the engine ended */
        say(watcher, "kill switch is on since before: %s; `ctl DIR unkill` lifts it", kill_path);
    }
    for (uint16_t i = 0; i < t->process_cnt && code == 0; i++) code = start(run, i, &kids[i], err);
    if (code == 0 && run->paths.dir[0]) code = rt_control_start(run, err);
    int64_t tick_ns = 0, wait_ns = 1000000;
    struct stand stand = { 0 };
    while (code == 0) {
        struct timespec pause = { .tv_nsec = wait_ns };
        nanosleep(&pause, NULL);
        if (wait_ns < 10000000) wait_ns += 1000000; /* short runs end promptly */
        if (asked_stop > stops) {
            stops = asked_stop;
            if (stops > 2) break;
            rt_run_request(run, REASON_BY_OPERATOR, 0);
            say(watcher,
                stops == 1 ? "ending in good order; Ctrl-C twice more kills it" : "still ending");
        }
        if (asked_kill || (run->paths.dir[0] && atomic_load(&run->link.shared->kill) == 0 &&
                           access(kill_path, F_OK) == 0)) {
            asked_kill = 0;
            rt_run_request(run, 0, 1);
            if (rt_kill_keep(run, true) < 0)
                say(watcher, "kill switch: no file can be made for it");
            say(watcher, "kill switch is on: no new orders, open ones are canceled");
        }
        if ((alive = reap(run, kids, watcher, &poison_at, err)) < 0) code = err->code;
        if (alive <= 0) break;
        if (cut_off(run, watcher, &stand, err)) {
            code = err->code;
            break;
        }
        watch_shards(run, seen, watcher);
        int64_t now_ns = rt_clock_monotonic_ns();
        if (watcher && watcher->tick && now_ns - tick_ns > 100000000) {
            tick_ns = now_ns;
            watcher->tick(watcher->arg, run);
        }
    }
    rt_control_stop();
    end_all(run, kids);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    free(kids);
    free(seen);
    return code;
}
