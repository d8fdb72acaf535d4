#include "runtime/watch/log.h"
#include "runtime/base/decimal.h"
#include "runtime/watch/metrics.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_BYTES = 1024,       /* longest line, with its newline */
    TEXT_BYTES = 400,        /* longest sentence; in JSON at most twice that */
    BUFFER_BYTES = 65536,    /* lines gathered before a write */
    PATH_BYTES = 512,        /* of the file's path */
    PAUSE_NS = 50000000,     /* between two looks at rings that were empty */
    BUSY_PAUSE_NS = 5000000, /* at rings that were not: one may fill 2048 slots in the meantime */
    PIPE_WAIT_MS = 100,      /* for a reader of standard error, before lines are given up */
    FLUSH_WAIT_S = 1,        /* rt_log_flush gives up */
    KEEP_MAX = 99,           /* rotated files */
    BYTES_MIN = 4096,        /* smallest bytes_max */
};

_Static_assert(sizeof(struct rt_log_record) == 64, "a record is a cache line");
_Static_assert((RT_LOG_SLOTS & (RT_LOG_SLOTS - 1)) == 0, "positions wrap at a power of two");

_Thread_local struct rt_log_ring *rt_log_mine;

/* The runtime's table. */
static const struct rt_log_event runtime_events[] = {
#define EVENT_ENTRY(name, level, sentence) { #name, RT_LOG_##level, sentence },
    RT_LOG_EVENTS(EVENT_ENTRY)
#undef EVENT_ENTRY
};
_Static_assert(sizeof runtime_events / sizeof runtime_events[0] == RT_EVENT_CNT, "one table");

/* Rings; the first is shared. Static, so that a thread that outlives the log harms nobody. */
static struct rt_log_ring rings[RT_LOG_RINGS];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER; /* for putting into rings[0] */

/* The log of the process. The formatter owns all below `thread` while it runs. */
static struct {
    pthread_mutex_t lock;     /* guards running, stop, asked, answered */
    pthread_cond_t wake;      /* the formatter waits for it: stop or asked changed */
    pthread_cond_t answer;    /* rt_log_flush waits for it: answered changed */
    bool running;             /* between start and stop */
    bool stop;                /* the formatter is to end */
    uint64_t asked, answered; /* flushes asked for, and the last that is done */
    pthread_t thread;         /* the formatter */

    struct rt_log_options o;   /* as given; path is copied */
    char path[PATH_BYTES];     /* of the file; "" = standard error */
    int fd;                    /* where lines go */
    bool regular;              /* fd is a regular file: can be cut and rotated */
    uint64_t file_bytes;       /* size of the file */
    char buffer[BUFFER_BYTES]; /* whole lines to be written */
    size_t buffered;           /* bytes in it */
    uint64_t lines, lost;      /* written; not writable */
    uint64_t lost_told;        /* of lost, how many have their line */
    bool probing;              /* the buffer holds but the line that tells of lost ones */
    int lost_code;             /* why the last were lost, negative errno */
    uint64_t rotated;          /* files begun because one was full */
    uint64_t start_tsc;        /* counter at start, and ... */
    int64_t start_ns;          /* ... CLOCK_MONOTONIC then: they give its rate */
    uint64_t now_tsc;          /* counter at this drain, and ... */
    int64_t now_ns;            /* ... UTC then: a record's time is so much before */
    double ns_per_tick;        /* between start and this drain */
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* read_ns reads a clock of the system. */
static int64_t read_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* newlines counts the lines in bytes. */
static uint64_t newlines(const char *bytes, size_t cnt) {
    uint64_t lines = 0;
    for (size_t i = 0; i < cnt; i++) lines += bytes[i] == '\n';
    return lines;
}

/* open_file opens out.path to append; returns the descriptor or negative errno. */
static int open_file(void) {
    int fd =
        open(out.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
    return fd < 0 ? -errno : fd;
}

/* rotate moves PATH to PATH.1, that to PATH.2 and so on, and begins a new file. What fails leaves
 * the old file in use: it grows rather than lose lines. */
static void rotate(void) {
    char from[PATH_BYTES + 16], to[PATH_BYTES + 16];
    for (uint32_t n = out.o.keep; n > 0; n--) {
        if (n == 1)
            snprintf(from, sizeof from, "%s", out.path);
        else
            snprintf(from, sizeof from, "%s.%u", out.path, n - 1);
        snprintf(to, sizeof to, "%s.%u", out.path, n);
        (void)rename(from, to); /* missing ones are not yet there */
    }
    if (out.o.keep == 0) unlink(out.path);
    int fd = open_file();
    out.file_bytes = 0; /* also when it failed: the next try comes a file later */
    if (fd < 0) return;
    close(out.fd);
    out.fd = fd;
    out.rotated++;
    struct stat st; /* somebody else's lines, when the rename failed */
    if (fstat(fd, &st) == 0) out.file_bytes = (uint64_t)st.st_size;
}

/* lose counts the lines that are not written, but for the one that tells how many. */
static void lose(const char *bytes, size_t cnt, int code) {
    if (out.probing) return;
    out.lost += newlines(bytes, cnt);
    out.lost_code = code;
}

/* write_file writes the buffer to the regular file; what does not fit is lost, by whole lines. */
static void write_file(void) {
    if (out.o.bytes_max > 0 && out.file_bytes > 0 &&
        out.file_bytes + out.buffered > out.o.bytes_max)
        rotate();
    size_t done = 0;
    int code = 0;
    while (done < out.buffered && code == 0) {
        ssize_t n = write(out.fd, out.buffer + done, out.buffered - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0)
            code = -EIO;
        else if (errno != EINTR)
            code = -errno;
    }
    size_t whole = done;
    if (done < out.buffered) { /* a half line would spoil the next one */
        while (whole > 0 && out.buffer[whole - 1] != '\n') whole--;
        if (whole < done && ftruncate(out.fd, (off_t)(out.file_bytes + whole)) != 0) whole = done;
        lose(out.buffer + whole, out.buffered - whole, code);
    }
    out.lines += newlines(out.buffer, whole);
    out.file_bytes += whole;
    out.buffered = 0;
}

/* write_pipe writes the buffer line by line to what may block: a terminal, a pipe. A line is short
 * enough to be taken whole by a pipe that says it can write. */
static void write_pipe(void) {
    for (size_t at = 0; at < out.buffered;) {
        const char *line = out.buffer + at;
        size_t cnt = (size_t)((const char *)memchr(line, '\n', out.buffered - at) - line) + 1;
        struct pollfd ready = { .fd = out.fd, .events = POLLOUT };
        int code = 0;
        errno = 0;
        int polled = poll(&ready, 1, PIPE_WAIT_MS);
        if (polled < 0 && errno == EINTR) continue;
        if (polled == 0)
            code = -EAGAIN;
        else if (write(out.fd, line, cnt) != (ssize_t)cnt)
            code = errno != 0 ? -errno : -EIO;
        if (code != 0) {
            lose(line, out.buffered - at, code);
            break;
        }
        out.lines++;
        at += cnt;
    }
    out.buffered = 0;
}

/* write_out writes what is buffered and moves the counters. */
static void write_out(void) {
    if (out.buffered > 0) {
        if (out.regular)
            write_file();
        else
            write_pipe();
    }
    if (out.o.metrics == NULL) return;
    rt_metric_set(&out.o.metrics->lines, out.lines);
    rt_metric_set(&out.o.metrics->lost, out.lost);
    rt_metric_set(&out.o.metrics->rotated, out.rotated);
}

/* A text being made; more than its room is cut. */
struct text {
    char *at;   /* its bytes */
    size_t cnt; /* bytes so far */
    size_t cap; /* room, with the NUL */
};

/* add appends to t, printf-like. */
static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->cnt, t->cap - t->cnt, format, args);
    va_end(args);
    if (n > 0) t->cnt += (size_t)n < t->cap - t->cnt ? (size_t)n : t->cap - t->cnt - 1;
}

/* add_time appends an instant in ns UTC as 2024-01-31T12:00:00.123456789Z. */
static void add_time(struct text *t, int64_t ns) {
    int64_t rest = ns % 1000000000, s = ns / 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        s--;
    }
    time_t seconds = (time_t)s;
    struct tm utc;
    gmtime_r(&seconds, &utc);
    add(t, "%04d-%02d-%02dT%02d:%02d:%02d.%09lldZ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
        utc.tm_hour, utc.tm_min, utc.tm_sec, (long long)rest);
}

/* add_duration appends a length of time: 250ns, 5.25us, 1.5s. */
static void add_duration(struct text *t, int64_t ns) {
    static const char *const units[] = { "ns", "us", "ms", "s" };
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, scale = 1;
    int unit = 0;
    for (; unit < 3 && size >= scale * 1000; unit++) scale *= 1000;
    add(t, "%s%llu", ns < 0 ? "-" : "", (unsigned long long)(size / scale));
    if (unit > 0) {
        uint64_t thousandths = size % scale / (scale / 1000);
        if (thousandths != 0) {
            add(t, ".%03llu", (unsigned long long)thousandths);
            while (t->at[t->cnt - 1] == '0') t->at[--t->cnt] = 0;
        }
    }
    add(t, "%s", units[unit]);
}

/* add_value appends number in form (cnt bytes of it; none = as a number). */
static void add_value(struct text *t, const char *form, size_t cnt, int64_t number) {
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)cnt, form);
    if (strcmp(word, "ns") == 0) {
        add_duration(t, number);
    } else if (strcmp(word, "time") == 0) {
        add_time(t, number);
    } else if (strcmp(word, "fixed") == 0) {
        char decimal[RT_DECIMAL_CHARS];
        rt_decimal_format(number, decimal);
        add(t, "%s", decimal);
    } else if (strcmp(word, "hex") == 0) {
        add(t, "0x%llx", (unsigned long long)number);
    } else if (strcmp(word, "errno") == 0) {
        int code = number > -4096 && number < 4096 ? (int)(number < 0 ? -number : number) : -1;
        const char *name = strerrordesc_np(code);
        if (name != NULL)
            add(t, "%s", name);
        else
            add(t, "error %lld", (long long)number);
    } else {
        const char *name = word[0] != 0 && out.o.name != NULL ? out.o.name(word, number) : NULL;
        if (name != NULL)
            add(t, "%s", name);
        else
            add(t, "%lld", (long long)number);
    }
}

/* add_sentence appends an event's sentence with its integers in place. */
static void add_sentence(struct text *t, const char *sentence, const struct rt_log_record *r) {
    for (const char *at = sentence; *at != 0;) {
        const char *close = *at == '{' ? strchr(at, '}') : NULL;
        if (close == NULL || at[1] < 'a' || at[1] > 'c' || (at[2] != ':' && at[2] != '}')) {
            add(t, "%c", *at++);
            continue;
        }
        int64_t number = at[1] == 'a' ? r->a : at[1] == 'b' ? r->b : r->c;
        const char *form = at[2] == ':' ? at + 3 : at + 2;
        add_value(t, form, (size_t)(close - form), number);
        at = close + 1;
    }
    /* A cut may have parted a character; and one line, whatever a name brought along. */
    if (t->cnt == t->cap - 1)
        while (t->cnt > 0 && (uint8_t)t->at[t->cnt - 1] >= 0x80) t->at[--t->cnt] = 0;
    for (size_t i = 0; i < t->cnt; i++)
        if ((uint8_t)t->at[i] < 0x20 || t->at[i] == 0x7f) t->at[i] = '?';
}

/* add_json appends text as the inside of a JSON string; control characters are gone already. */
static void add_json(struct text *t, const char *text) {
    for (; *text != 0; text++) add(t, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

/* line makes a line of record r, which came from the thread called name, and buffers it. */
static void line(const char *name, const struct rt_log_record *r) {
    static const struct rt_log_event unknown = { "unknown", RT_LOG_WARN,
                                                 "an event without a sentence: {a} {b} {c}" };
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    const struct rt_log_event *event = &unknown;
    if (r->event < RT_EVENT_CNT)
        event = &runtime_events[r->event];
    else if (r->event >= RT_EVENT_PROGRAM && r->event - RT_EVENT_PROGRAM < out.o.event_cnt)
        event = &out.o.events[r->event - RT_EVENT_PROGRAM];
    if (event->level < out.o.level) return;

    char sentence[TEXT_BYTES], lower[64], bytes[LINE_BYTES];
    struct text text = { .at = sentence, .cap = sizeof sentence };
    add_sentence(&text, event->sentence, r);
    size_t n = 0;
    for (; n < sizeof lower - 1 && event->name[n] != 0; n++) {
        char c = event->name[n];
        lower[n] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    lower[n] = 0;

    struct text l = { .at = bytes, .cap = sizeof bytes - 1 }; /* the newline needs its place */
    int64_t ns = out.now_ns + (int64_t)((double)(int64_t)(r->tsc - out.now_tsc) * out.ns_per_tick);
    if (out.o.json) {
        add(&l, "{\"time\":\"");
        add_time(&l, ns);
        add(&l, "\",\"level\":\"%s\",\"thread\":\"", levels[event->level]);
        add_json(&l, name);
        add(&l, "\",\"event\":\"%s\",\"number\":%u,\"a\":%lld,\"b\":%lld,\"c\":%lld,\"text\":\"",
            lower, r->event, (long long)r->a, (long long)r->b, (long long)r->c);
        struct text inside = l;
        inside.cap = sizeof bytes - 3; /* a cut sentence still closes its string and object */
        add_json(&inside, sentence);
        l.cnt = inside.cnt;
        /* A cut may have parted an escape; an odd run of backslashes at the end gives it away. */
        size_t odd = 0;
        while (odd < l.cnt && bytes[l.cnt - 1 - odd] == '\\') odd++;
        if (odd % 2 == 1) l.cnt--;
        add(&l, "\"}");
    } else {
        add_time(&l, ns);
        add(&l, " %-5s %s: %s", levels[event->level], name, sentence);
    }
    bytes[l.cnt++] = '\n';
    if (l.cnt > BUFFER_BYTES - out.buffered) write_out();
    memcpy(out.buffer + out.buffered, bytes, l.cnt);
    out.buffered += l.cnt;
}

/* line_of_ours makes a line of the log's own. */
static void line_of_ours(const char *name, enum rt_event event, uint64_t a, int64_t b) {
    const struct rt_log_record r = { .tsc = out.now_tsc, .event = event, .a = (int64_t)a, .b = b };
    line(name, &r);
}

/* drain_rings makes lines of what is in the rings now, in the order of time over all of them; true:
 * there was something. */
static bool drain_rings(void) {
    uint64_t heads[RT_LOG_RINGS], tails[RT_LOG_RINGS];
    for (int i = 0; i < RT_LOG_RINGS; i++) {
        bool used = atomic_load_explicit(&rings[i].used, memory_order_acquire) != 0;
        tails[i] = atomic_load_explicit(&rings[i].tail, memory_order_relaxed);
        heads[i] = used ? atomic_load_explicit(&rings[i].head, memory_order_acquire) : tails[i];
    }
    for (bool some = false;; some = true) {
        int first = -1;
        uint64_t earliest = 0;
        for (int i = 0; i < RT_LOG_RINGS; i++) {
            if (tails[i] == heads[i]) continue;
            uint64_t tsc = rings[i].records[tails[i] % RT_LOG_SLOTS].tsc;
            if (first >= 0 && (int64_t)(tsc - earliest) >= 0) continue;
            first = i;
            earliest = tsc;
        }
        if (first < 0) return some;
        line(rings[first].name, &rings[first].records[tails[first] % RT_LOG_SLOTS]);
        atomic_store_explicit(&rings[first].tail, ++tails[first], memory_order_release);
    }
}

/* tell_drops makes lines of what the rings dropped, and frees those that are done with. */
static void tell_drops(void) {
    uint64_t dropped_all = 0;
    for (int i = 0; i < RT_LOG_RINGS; i++) {
        struct rt_log_ring *r = &rings[i];
        uint32_t used = atomic_load_explicit(&r->used, memory_order_acquire);
        uint64_t dropped = atomic_load_explicit(&r->dropped, memory_order_relaxed);
        dropped_all += dropped;
        if (used == 0) continue;
        if (dropped != r->dropped_told) {
            line_of_ours(r->name, RT_EVENT_LOG_DROPPED, dropped - r->dropped_told, 0);
            r->dropped_told = dropped;
        }
        if (used == 2 && atomic_load_explicit(&r->head, memory_order_acquire) ==
                             atomic_load_explicit(&r->tail, memory_order_relaxed))
            atomic_store_explicit(&r->used, 0, memory_order_release);
    }
    if (out.o.metrics != NULL) rt_metric_set(&out.o.metrics->dropped, dropped_all);
}

/* drain takes everything there is and writes it; true: there was something. */
static bool drain(void) {
    int64_t mono_ns = read_ns(CLOCK_MONOTONIC);
    out.now_tsc = __rdtsc();
    out.now_ns = read_ns(CLOCK_REALTIME);
    if (out.now_tsc > out.start_tsc && mono_ns > out.start_ns)
        out.ns_per_tick = (double)(mono_ns - out.start_ns) / (double)(out.now_tsc - out.start_tsc);
    bool some = drain_rings();
    tell_drops();
    write_out();
    if (out.lost == out.lost_told) return some;
    /* Lines are lost for as long as it lasts; the first write that works again says how many. */
    uint64_t lines = out.lines;
    out.probing = true;
    line_of_ours("log", RT_EVENT_LOG_LOST, out.lost - out.lost_told, out.lost_code);
    bool hidden = out.buffered == 0; /* below the level that is written */
    write_out();
    out.probing = false;
    if (hidden || out.lines != lines) out.lost_told = out.lost;
    return some;
}

/* format_main is the formatter thread. */
static void *format_main(void *arg) {
    (void)arg;
    pthread_mutex_lock(&out.lock);
    for (bool last = false; !last;) {
        uint64_t asked = out.asked;
        last = out.stop;
        pthread_mutex_unlock(&out.lock);
        bool some = drain();
        pthread_mutex_lock(&out.lock);
        out.answered = asked;
        pthread_cond_broadcast(&out.answer);
        if (last || out.stop || out.asked != asked) continue;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += some ? BUSY_PAUSE_NS : PAUSE_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&out.wake, &out.lock, &until);
    }
    pthread_mutex_unlock(&out.lock);
    return NULL;
}

/* open_sink opens what the lines go to. */
static int open_sink(const struct rt_log_options *o, struct rt_error *err) {
    out.path[0] = 0;
    out.fd = STDERR_FILENO;
    if (o->path != NULL) {
        if (strlen(o->path) >= sizeof out.path)
            return rt_error_set(err, -ENAMETOOLONG,
                                "log: path is too long; expected below %d bytes", PATH_BYTES);
        strcpy(out.path, o->path);
        out.fd = open_file();
        if (out.fd < 0)
            return rt_error_set(err, out.fd, "%s: cannot open log: %s", o->path, strerror(-out.fd));
    }
    struct stat st;
    out.regular = fstat(out.fd, &st) == 0 && S_ISREG(st.st_mode) && o->path != NULL;
    out.file_bytes = out.regular ? (uint64_t)st.st_size : 0;
    return 0;
}

int rt_log_start(const struct rt_log_options *o, struct rt_error *err) {
    assert(!out.running);
    if (o->keep > KEEP_MAX || (o->bytes_max != 0 && o->bytes_max < BYTES_MIN))
        return rt_error_set(err, -EINVAL, "log: expected 0 to %d kept files of at least %d bytes",
                            KEEP_MAX, BYTES_MIN);
    int code = open_sink(o, err);
    if (code != 0) return code;
    out.o = *o;
    out.stop = false;
    out.buffered = 0;
    out.lines = out.lost = out.lost_told = out.rotated = 0;
    out.start_tsc = __rdtsc();
    out.start_ns = read_ns(CLOCK_MONOTONIC);
    out.ns_per_tick = 0;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&out.wake, &monotonic);
    pthread_cond_init(&out.answer, &monotonic);
    pthread_condattr_destroy(&monotonic);
    snprintf(rings[0].name, sizeof rings[0].name, "main");
    atomic_store_explicit(&rings[0].used, 1, memory_order_release);

    /* No signal is the formatter's; a pipe without reader is an error code to it. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = -pthread_create(&out.thread, NULL, format_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        if (out.path[0] != 0) close(out.fd);
        out.fd = -1;
        return rt_error_set(err, code, "log: cannot start its thread: %s", strerror(-code));
    }
    pthread_setname_np(out.thread, "shrike-log");
    pthread_mutex_lock(&shared_lock);
    out.running = true;
    pthread_mutex_unlock(&shared_lock);
    return 0;
}

int rt_log_attach(const char *name) {
    assert(rt_log_mine == NULL);
    for (int i = 1; i < RT_LOG_RINGS; i++) {
        struct rt_log_ring *r = &rings[i];
        /* The lock keeps two threads apart; the formatter only ever frees. */
        pthread_mutex_lock(&shared_lock);
        bool mine = atomic_load_explicit(&r->used, memory_order_acquire) == 0;
        if (mine) {
            memset(r->records, 0, sizeof r->records); /* pages are faulted in here, not later */
            snprintf(r->name, sizeof r->name, "%s", name);
            for (char *c = r->name; *c != 0; c++)
                if ((uint8_t)*c < 0x20 || (uint8_t)*c >= 0x7f) *c = '?';
            r->tail_seen = atomic_load_explicit(&r->tail, memory_order_relaxed);
            atomic_store_explicit(&r->used, 1, memory_order_release);
        }
        pthread_mutex_unlock(&shared_lock);
        if (!mine) continue;
        rt_log_mine = r;
        return 0;
    }
    return -ENOSPC;
}

void rt_log_detach(void) {
    if (rt_log_mine == NULL) return;
    struct rt_log_ring *r = rt_log_mine;
    rt_log_mine = NULL;
    pthread_mutex_lock(&shared_lock);
    if (!out.running) { /* nobody will drain it: what is in it is gone */
        uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
        atomic_store_explicit(&r->tail, head, memory_order_release);
    }
    atomic_store_explicit(&r->used, out.running ? 2 : 0, memory_order_release);
    pthread_mutex_unlock(&shared_lock);
}

void rt_log_shared(uint32_t event, int64_t a, int64_t b, int64_t c) {
    pthread_mutex_lock(&shared_lock);
    if (out.running) rt_log_put(&rings[0], event, a, b, c);
    pthread_mutex_unlock(&shared_lock);
}

int rt_log_flush(void) {
    pthread_mutex_lock(&shared_lock);
    bool running = out.running;
    pthread_mutex_unlock(&shared_lock);
    if (!running) return 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FLUSH_WAIT_S;
    pthread_mutex_lock(&out.lock);
    uint64_t asked = ++out.asked;
    pthread_cond_signal(&out.wake);
    int code = 0;
    while (out.answered < asked && code == 0)
        code = -pthread_cond_timedwait(&out.answer, &out.lock, &until);
    if (out.answered >= asked) code = 0;
    pthread_mutex_unlock(&out.lock);
    return code;
}

void rt_log_stop(void) {
    pthread_mutex_lock(&shared_lock);
    bool running = out.running;
    out.running = false;
    pthread_mutex_unlock(&shared_lock);
    if (!running) return;
    pthread_mutex_lock(&out.lock);
    out.stop = true;
    pthread_cond_signal(&out.wake);
    pthread_mutex_unlock(&out.lock);
    pthread_join(out.thread, NULL);
    pthread_cond_destroy(&out.wake);
    pthread_cond_destroy(&out.answer);
    if (out.path[0] != 0) close(out.fd);
    out.fd = -1;
}
