/* Goal: a page that one process writes is read by another, figures and names alike; a page of
 * another layout, a torn or a foreign file is refused with a sentence; writers keep apart.
 * Method: writer and reader in two processes; the head damaged word by word. */
#include "runtime/watch/metrics.h"
#include "tests/support/check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[100]; /* of the page */

/* make makes a page with 2 shards, 1 edge, 3 actors and 1 hop. */
static void make(struct rt_metrics *m) {
    struct rt_error err = { 0 };
    const struct rt_metrics_options o = { .path = path,
                                          .process = "engine",
                                          .build_id = "0123456789abcdef0123",
                                          .run_id = 77,
                                          .shard_cnt = 2,
                                          .edge_cnt = 1,
                                          .actor_cnt = 3,
                                          .hop_cnt = 1 };
    if (rt_metrics_create(m, &o, &err) != 0) fail_msg("%s", err.text);
    rt_metrics_name(rt_metrics_shard(m, 0)->name, "one");
    rt_metrics_name(rt_metrics_shard(m, 1)->name, "two");
    rt_metrics_name(rt_metrics_edge(m, 0)->from, "one");
    rt_metrics_name(rt_metrics_actor(m, 2)->name, "a name that is far too long to fit the field");
    rt_metrics_name(rt_metrics_hop(m, 0)->to, "risk");
}

/* Blocks are zero, apart by 128 bytes and inside the page. */
static void test_layout(void **state) {
    (void)state;
    struct rt_metrics m;
    make(&m);
    const uint8_t *at[] = { m.map,
                            (uint8_t *)rt_metrics_log(&m),
                            (uint8_t *)rt_metrics_shard(&m, 0),
                            (uint8_t *)rt_metrics_shard(&m, 1),
                            (uint8_t *)rt_metrics_edge(&m, 0),
                            (uint8_t *)&rt_metrics_edge(&m, 0)->received,
                            (uint8_t *)rt_metrics_actor(&m, 0),
                            (uint8_t *)rt_metrics_actor(&m, 2),
                            (uint8_t *)rt_metrics_hop(&m, 0),
                            (uint8_t *)(rt_metrics_hop(&m, 0) + 1) };
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        assert_int_equal((uintptr_t)at[i] % 128, 0);
        if (i > 0) assert_true(at[i] >= at[i - 1] + 128);
    }
    assert_ptr_equal(at[9], m.map + m.bytes);
    assert_int_equal(strlen(rt_metrics_actor(&m, 2)->name), RT_METRICS_NAME - 1);
    assert_int_equal(rt_metric_get(&rt_metrics_shard(&m, 1)->turns), 0);
    _Atomic uint64_t *figure = &rt_metrics_shard(&m, 1)->longest_turn_ns;
    rt_metric_set(figure, 5);
    rt_metric_add(figure, 2);
    rt_metric_max(figure, 6);
    assert_int_equal(rt_metric_get(figure), 7);
    rt_metric_max(figure, 8);
    assert_int_equal(rt_metric_get(figure), 8);

    /* Nobody sees it yet; afterwards it is gone, under either name. */
    struct stat st;
    assert_int_not_equal(stat(path, &st), 0);
    rt_metrics_close(&m);
    assert_null(m.map);
    rt_metrics_close(&m);
    char fresh[120];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    assert_int_not_equal(stat(fresh, &st), 0);
}

/* Another process reads what this one writes, while it writes; the old page of a name lives on for
 * those that have it. */
static void test_two_processes(void **state) {
    (void)state;
    struct rt_metrics m, again;
    struct rt_error err = { 0 };
    make(&m);
    assert_int_equal(rt_metrics_publish(&m, &err), 0);
    int to_child[2], to_parent[2];
    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(to_parent), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte = 0;
        struct rt_metrics r;
        if (rt_metrics_open(&r, path, NULL) != 0 || !rt_metrics_alive(&r)) _exit(1);
        if (strcmp(rt_metrics_shard(&r, 1)->name, "two") != 0) _exit(2);
        if (rt_metrics_head(&r)->pid != getppid()) _exit(3);
        if (write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1) _exit(4);
        struct rt_hist_figures f;
        rt_hist_read(&rt_metrics_hop(&r, 0)->ns, &f);
        if (rt_metric_get(&rt_metrics_edge(&r, 0)->sent) != 41 || f.count != 1 || f.max != 250)
            _exit(5);
        if (rt_metrics_alive(&r)) _exit(6); /* marked as ended */
        rt_metrics_close(&r);
        _exit(0);
    }
    char byte = 0;
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    rt_metric_set(&rt_metrics_edge(&m, 0)->sent, 41);
    rt_hist_record(&rt_metrics_hop(&m, 0)->ns, 250);
    make(&again);
    assert_int_equal(rt_metrics_publish(&again, &err), 0);
    atomic_store_explicit(&rt_metrics_head(&m)->ready, 2, memory_order_release);
    assert_int_equal(write(to_child[1], &byte, 1), 1);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    rt_metrics_close(&m);
    rt_metrics_close(&again);
    assert_int_equal(rt_metrics_open(&again, path, &err), -ENOENT);
    for (int i = 0; i < 2; i++) {
        close(to_child[i]);
        close(to_parent[i]);
    }
}

/* A dead writer is told from a living one. */
static void test_dead(void **state) {
    (void)state;
    struct rt_metrics m;
    make(&m);
    assert_int_equal(rt_metrics_publish(&m, NULL), 0);
    assert_true(rt_metrics_alive(&m));
    pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, NULL, 0);
    rt_metrics_head(&m)->pid = child;
    assert_false(rt_metrics_alive(&m));
    rt_metrics_close(&m);
}

/* refused opens the page and expects code and a sentence with part in it. */
static void refused(int code, const char *part) {
    struct rt_metrics r;
    struct rt_error err = { 0 };
    assert_int_equal(rt_metrics_open(&r, path, &err), code);
    assert_null(r.map);
    if (strstr(err.text, part) == NULL) fail_msg("%s", err.text);
}

/* Every word of the head that matters is looked at; so is the size of the file. */
static void test_refuses(void **state) {
    (void)state;
    struct rt_metrics m, r;
    make(&m);
    struct rt_metrics_head *head = rt_metrics_head(&m), good;
    assert_int_equal(rt_metrics_publish(&m, NULL), 0);
    memcpy(&good, head, sizeof good);
    atomic_store(&head->ready, 0);
    refused(-EAGAIN, "not ready yet");
    atomic_store(&head->ready, 1);
    uint32_t *const layout[] = { &head->version, &head->shard_bytes, &head->edge_bytes,
                                 &head->actor_bytes, &head->hop_bytes };
    for (size_t i = 0; i < 5; i++) {
        ++*layout[i];
        refused(-EPROTO, "another build (0123456789abcdef)");
        --*layout[i];
    }
    uint32_t *const counts[] = { &head->shard_cnt, &head->edge_cnt, &head->actor_cnt,
                                 &head->hop_cnt };
    for (size_t i = 0; i < 4; i++) {
        uint32_t was = *counts[i];
        *counts[i] = was + 1;
        refused(-EPROTO, "counts and size disagree");
        *counts[i] = UINT32_MAX;
        refused(-EPROTO, "counts and size disagree");
        *counts[i] = was;
    }
    head->magic[3] ^= 1;
    refused(-EPROTO, "no metrics page");
    head->magic[3] ^= 1;
    assert_int_equal(rt_metrics_open(&r, path, NULL), 0);
    rt_metrics_close(&r);
    rt_metrics_close(&m);

    refused(-ENOENT, "No such file");
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    refused(-EPROTO, "no metrics page");
    assert_int_equal(ftruncate(fd, 100000), 0);
    refused(-EPROTO, "no metrics page");
    close(fd);
    unlink(path);
    struct rt_error err = { 0 };
    struct rt_metrics_options o = { .path = "/no/such/folder/page", .process = "", .build_id = "" };
    assert_int_equal(rt_metrics_create(&m, &o, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/no/such/folder"));
    o.shard_cnt = RT_METRICS_COUNT_MAX + 1;
    assert_int_equal(rt_metrics_create(&m, &o, &err), -EINVAL);
    rt_metrics_close(&m);
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_two_processes),
        cmocka_unit_test(test_dead),
        cmocka_unit_test(test_refuses),
    };
    snprintf(path, sizeof path, "/dev/shm/test_metrics.%d", (int)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
