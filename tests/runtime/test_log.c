/* threaded: several threads log while the formatter drains.
 *
 * Goal: what is logged is written, once, in order, as people and machines read it; what finds no
 * room is dropped and counted; a full disk or a pipe that nobody reads harms nobody and is told of
 * afterwards; files are rotated by size.
 * Method: known events against whole lines; floods from several threads with every line accounted
 * for; a file on a small tmpfs or a file size limit for the full disk; a full pipe as standard
 * error. */
#include "runtime/base/alloc.h"
#include "runtime/watch/log.h"
#include "runtime/watch/metrics.h"
#include "tests/support/check.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/test_log.XXXXXX"; /* where logs are written */
static char path[100];                         /* of the log */
static struct rt_metrics_log figures;          /* the log's counters */

/* The program's own events. */
static const struct rt_log_event program[] = {
    { "order_lost", RT_LOG_ERROR, "order {a:hex} of {b:actor}: {c:fixed} {x} {d} {a" },
    { "tick", RT_LOG_INFO, "{a} of {b}" },
    { "odd", RT_LOG_INFO, "{a:odd}\x01\"\\" },
    { "forms", RT_LOG_INFO, "{a:ns} {b:time} {c:errno} {a:ns}" },
};

/* name_of names actors and brings bad bytes along for "odd". */
static const char *name_of(const char *form, int64_t number) {
    if (strcmp(form, "actor") == 0) return number == 7 ? "cross" : NULL;
    if (strcmp(form, "odd") == 0) return "line\nbreak\t\"quote\"";
    return NULL;
}

/* start starts a log at path. */
static void start(bool json, enum rt_log_level level, uint64_t bytes_max) {
    struct rt_error err = { 0 };
    memset(&figures, 0, sizeof figures);
    const struct rt_log_options o = { .path = path,
                                      .json = json,
                                      .level = level,
                                      .bytes_max = bytes_max,
                                      .keep = 2,
                                      .events = program,
                                      .event_cnt = 4,
                                      .name = name_of,
                                      .metrics = &figures };
    if (rt_log_start(&o, &err) != 0) fail_msg("%s", err.text);
}

/* content returns what is in file (static memory, up to 4 MiB), "" when there is none. */
static const char *content(const char *file) {
    static char text[4 << 20];
    FILE *f = fopen(file, "r");
    size_t cnt = f == NULL ? 0 : fread(text, 1, sizeof text - 1, f);
    text[cnt] = 0;
    if (f != NULL) fclose(f);
    return text;
}

/* lines_of counts the lines in text. */
static uint64_t lines_of(const char *text) {
    uint64_t cnt = 0;
    for (; *text != 0; text++) cnt += *text == '\n';
    return cnt;
}

/* behind_time checks that line begins with an instant within a minute of now and returns what
 * follows it. */
static const char *behind_time(const char *line) {
    struct tm utc = { 0 };
    const char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &utc);
    assert_non_null(rest);
    time_t then = timegm(&utc), now = time(NULL);
    assert_true(then > now - 60 && then < now + 60);
    assert_true(*rest == '.' && strspn(rest + 1, "0123456789") == 9 && rest[10] == 'Z');
    return rest + 11;
}

/* Lines for people: each form, each level, unknown numbers. */
static void test_lines(void **state) {
    (void)state;
    unlink(path);
    start(false, RT_LOG_INFO, 0);
    assert_int_equal(rt_log_attach("sh\x1b"
                                   "ard"),
                     0);
    RT_LOG(RT_EVENT_SHARD_STARTED, 1, 2, 3);
    RT_LOG(RT_EVENT_SNAPSHOT_TAKEN, 1, 2, 3); /* debug: no line */
    RT_LOG(RT_EVENT_PROGRAM, 255, 7, -150000000);
    RT_LOG(RT_EVENT_PROGRAM + 2, 1, 2, 3);
    RT_LOG(RT_EVENT_PROGRAM + 3, 1500000, 1706702400000000001, -28);
    RT_LOG(RT_EVENT_PROGRAM + 3, -999, -1, 9999);
    RT_LOG(RT_EVENT_PROGRAM + 3, INT64_MIN, 0, 0);
    RT_LOG(4000000000U, 1, 2, 3);
    RT_LOG(RT_EVENT_CNT, 1, 2, 3);
    assert_int_equal(rt_log_flush(), 0);
    static const char *const expected[] = {
        " info  sh?ard: shard 1 started on core 2 with 3 actors\n",
        " error sh?ard: order 0xff of cross: -1.5 {x} {d} {a\n",
        " info  sh?ard: line?break?\"quote\"?\"\\\n",
        " info  sh?ard: 1.5ms 2024-01-31T12:00:00.000000001Z No space left on device 1.5ms\n",
        " info  sh?ard: -999ns 1969-12-31T23:59:59.999999999Z error 9999 -999ns\n",
        " info  sh?ard: -9223372036.854s 1970-01-01T00:00:00.000000000Z Success -9223372036.854s\n",
        " warn  sh?ard: an event without a sentence: 1 2 3\n",
        " warn  sh?ard: an event without a sentence: 1 2 3\n",
    };
    const char *line = content(path);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const char *rest = behind_time(line);
        if (strncmp(rest, expected[i], strlen(expected[i])) != 0) fail_msg("%s", rest);
        line = rest + strlen(expected[i]);
    }
    assert_int_equal(*line, 0);
    assert_int_equal(rt_metric_get(&figures.lines), 8);
    rt_log_detach();
    rt_log_stop();
}

/* Lines for machines. */
static void test_json(void **state) {
    (void)state;
    unlink(path);
    start(true, RT_LOG_DEBUG, 0);
    RT_LOG(RT_EVENT_ACTOR_STOPPED, 7, 85, 0); /* a thread without a ring */
    RT_LOG(RT_EVENT_PROGRAM + 2, 1, -2, 3);
    rt_log_stop();
    rt_log_stop(); /* harmless */
    const char *line = content(path), *rest;
    assert_int_equal(strncmp(line, "{\"time\":\"", 9), 0);
    rest = behind_time(line + 9);
    const char *first = "\",\"level\":\"error\",\"thread\":\"main\",\"event\":\"actor_stopped\","
                        "\"number\":21,\"a\":7,\"b\":85,\"c\":0,\"text\":\"actor cross stopped: "
                        "85\"}\n";
    if (strncmp(rest, first, strlen(first)) != 0) fail_msg("%s", rest);
    rest = behind_time(rest + strlen(first) + 9);
    assert_string_equal(rest, "\",\"level\":\"info\",\"thread\":\"main\",\"event\":\"odd\","
                              "\"number\":1002,\"a\":1,\"b\":-2,\"c\":3,\"text\":"
                              "\"line?break?\\\"quote\\\"?\\\"\\\\\"}\n");
    RT_LOG(RT_EVENT_ACTOR_STOPPED, 1, 2, 3); /* no log: nothing happens */
    assert_int_equal(rt_log_flush(), 0);
}

enum { FLOOD_THREADS = 4, FLOOD_CNT = 30000 }; /* a flood */

/* flood logs numbered ticks; arg is the thread's number. */
static void *flood(void *arg) {
    int64_t who = (int64_t)(intptr_t)arg;
    char name[16];
    snprintf(name, sizeof name, "t%lld", (long long)who);
    if (who > 0 && rt_log_attach(name) != 0) return NULL; /* 0 shares the common ring */
    uint64_t before = rt_alloc_count();
    for (int64_t i = 1; i <= FLOOD_CNT; i++) {
        RT_LOG(RT_EVENT_PROGRAM + 1, i, who, 0);
        /* Different paces, so that some rings overflow and some do not. */
        if (who == 1 && i % 1000 == 0 && rt_log_flush() != 0) return NULL;
        if (who == 2 && i % 5000 == 0) usleep(1000);
    }
    bool none = rt_alloc_count() == before;
    rt_log_detach();
    return none ? arg : NULL;
}

/* A flood of several threads: each one's lines are in order, none twice; lines and drops are as
 * many as were logged; logging allocates nothing. */
static void test_flood(void **state) {
    (void)state;
    unlink(path);
    start(false, RT_LOG_INFO, 0);
    pthread_t threads[FLOOD_THREADS];
    for (intptr_t i = 0; i < FLOOD_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, flood, (void *)i), 0);
    for (intptr_t i = 0; i < FLOOD_THREADS; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, (void *)i);
    }
    rt_log_stop();
    int64_t last[FLOOD_THREADS] = { 0 };
    uint64_t ticks = 0, dropped = 0;
    const char *line = content(path);
    for (; *line != 0; line = strchr(line, '\n') + 1) {
        long long number, who;
        unsigned long long count;
        char thread[16];
        if (sscanf(line, "%*s info %15[^:]: %lld of %lld", thread, &number, &who) == 3) {
            assert_in_range(who, 0, FLOOD_THREADS - 1);
            assert_true(number > last[who]);
            last[who] = number;
            ticks++;
        } else if (sscanf(line, "%*s warn %15[^:]: %llu log records", thread, &count) == 2) {
            dropped += count;
        } else
            fail_msg("%.100s", line);
    }
    assert_int_equal(ticks + dropped, (uint64_t)FLOOD_THREADS * FLOOD_CNT);
    assert_int_equal(rt_metric_get(&figures.dropped), dropped);
    assert_true(rt_metric_get(&figures.lines) >= ticks);
    print_message("%llu lines, %llu dropped\n", (unsigned long long)ticks,
                  (unsigned long long)dropped);
}

/* Rings come back: many threads one after the other, and more at once than there are rings. */
static void test_rings(void **state) {
    (void)state;
    unlink(path);
    for (int i = 0; i < 3 * RT_LOG_RINGS; i++) { /* without a log, too */
        assert_int_equal(rt_log_attach("x"), 0);
        RT_LOG(RT_EVENT_PROGRAM + 1, i, 0, 0);
        rt_log_detach();
    }
    start(false, RT_LOG_INFO, 0);
    struct rt_log_ring *held[RT_LOG_RINGS];
    int cnt = 0;
    while (rt_log_attach("y") == 0) {
        held[cnt++] = rt_log_mine;
        RT_LOG(RT_EVENT_PROGRAM + 1, cnt, 1, 0);
        rt_log_mine = NULL; /* as if on another thread */
    }
    assert_int_equal(cnt, RT_LOG_RINGS - 1);
    RT_LOG(RT_EVENT_PROGRAM + 1, 99, 1, 0);
    for (int i = 0; i < cnt; i++) {
        rt_log_mine = held[i];
        rt_log_detach();
    }
    assert_int_equal(rt_log_flush(), 0);
    assert_int_equal(lines_of(content(path)), RT_LOG_RINGS);
    assert_int_equal(rt_log_attach("z"), 0);
    rt_log_detach();
    rt_log_stop();
}

/* Files stay below their size, the newest are kept, and no line is lost between them. */
static void test_rotation(void **state) {
    (void)state;
    unlink(path);
    start(false, RT_LOG_INFO, 4096);
    for (int i = 1; i <= 300; i++) {
        RT_LOG(RT_EVENT_PROGRAM + 1, i, 300, 0);
        if (i % 10 == 0) assert_int_equal(rt_log_flush(), 0);
    }
    rt_log_stop();
    char file[120];
    int64_t expected = 300;
    uint64_t kept = 0;
    for (int n = 0; n <= 3; n++) {
        if (n == 0)
            snprintf(file, sizeof file, "%s", path);
        else
            snprintf(file, sizeof file, "%s.%d", path, n);
        const char *text = content(file);
        assert_true(strlen(text) <= 4096);
        assert_int_equal(strlen(text) > 0, n < 3);
        uint64_t lines = lines_of(text);
        char wanted[40];
        for (uint64_t i = 0; i < lines; i++, expected--) {
            snprintf(wanted, sizeof wanted, ": %lld of 300\n", (long long)expected);
            assert_non_null(strstr(text, wanted));
        }
        kept += lines;
        unlink(file);
    }
    assert_true(kept > 100 && kept < 300);
    assert_int_equal(rt_metric_get(&figures.lines), 300);
    assert_true(rt_metric_get(&figures.rotated) >= 3);
}

/* A disk that is full (here: a limit of the file's size): nobody waits, lines are counted as lost,
 * whole lines only are in the file, and when there is room again the loss is told. */
static void test_full_disk(void **state) {
    (void)state;
    unlink(path);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit unlimited, small;
    getrlimit(RLIMIT_FSIZE, &unlimited);
    small = unlimited;
    small.rlim_cur = 3000;
    start(false, RT_LOG_INFO, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 1; i <= 1000; i++) RT_LOG(RT_EVENT_PROGRAM + 1, i, 1000, 0);
    int code = rt_log_flush();
    RT_LOG(RT_EVENT_PROGRAM + 1, 1001, 1000, 0);
    code += rt_log_flush();
    uint64_t written = lines_of(content(path)), lost = rt_metric_get(&figures.lost);
    size_t bytes = strlen(content(path));
    bool whole = bytes > 0 && content(path)[bytes - 1] == '\n';
    setrlimit(RLIMIT_FSIZE, &unlimited);
    assert_int_equal(code, 0);
    assert_true(whole && bytes <= 3000 && bytes > 2900);
    assert_int_equal(written + lost, 1001);
    assert_int_equal(rt_log_flush(), 0);
    RT_LOG(RT_EVENT_PROGRAM + 1, 1002, 1000, 0);
    rt_log_stop();
    char expected[100];
    snprintf(expected, sizeof expected, " warn  log: %llu log lines could not be written: File too",
             (unsigned long long)lost);
    const char *text = content(path);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, ": 1002 of 1000\n"));
    assert_int_equal(lines_of(text), written + 2);
    assert_int_equal(rt_metric_get(&figures.lost), lost);
}

/* Standard error is a pipe that nobody reads, then one without a reader: lines are lost and
 * counted, and stopping does not hang. */
static void test_full_pipe(void **state) {
    (void)state;
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    assert_int_equal(pipe(pipe_fds), 0);
    assert_true(fcntl(pipe_fds[1], F_SETPIPE_SZ, 16384) >= 0);
    assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
    memset(&figures, 0, sizeof figures);
    const struct rt_log_options o = { .events = program, .event_cnt = 4, .metrics = &figures };
    int code = rt_log_start(&o, NULL);
    for (int i = 1; i <= 500; i++) RT_LOG(RT_EVENT_PROGRAM + 1, i, 500, 0);
    int flushed = rt_log_flush();
    uint64_t lines = rt_metric_get(&figures.lines), lost = rt_metric_get(&figures.lost);
    close(pipe_fds[0]);
    RT_LOG(RT_EVENT_PROGRAM + 1, 501, 500, 0);
    rt_log_stop();
    uint64_t lost_after = rt_metric_get(&figures.lost);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fds[1]);
    assert_int_equal(code, 0);
    assert_int_equal(flushed, 0);
    assert_int_equal(lines + lost, 500);
    assert_true(lines > 10 && lost > 100);
    assert_int_equal(lost_after, lost + 1);
}

/* What cannot be a log is refused with a sentence. */
static void test_refuses(void **state) {
    (void)state;
    struct rt_error err = { 0 };
    struct rt_log_options o = { .path = "/no/such/folder/log" };
    assert_int_equal(rt_log_start(&o, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/no/such/folder/log: cannot open log"));
    o.bytes_max = 100;
    assert_int_equal(rt_log_start(&o, &err), -EINVAL);
    o.bytes_max = 0;
    o.keep = 100;
    assert_int_equal(rt_log_start(&o, &err), -EINVAL);
}

/* setup makes the folder. */
static int setup(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

/* teardown removes the folder. */
static int teardown(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder) != 0;
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_json),
        cmocka_unit_test(test_flood),     cmocka_unit_test(test_rings),
        cmocka_unit_test(test_rotation),  cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_pipe), cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
