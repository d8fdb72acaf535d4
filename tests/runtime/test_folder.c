/* Goal: directories are made with their parents and removed with what is in them, but for what a
 * link in them names. Method: a tree in a temporary directory, one that is there already, a file in
 * the way, a name too long. */
#include "runtime/base/folder.h"
#include "tests/support/check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* touch makes an empty file. */
static void touch(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* test_make_and_remove makes and removes. */
static void test_make_and_remove(void **state) {
    char base[] = "/tmp/shrike-folder-XXXXXX", path[200], kept[200];
    struct stat s;
    (void)state;
    assert_non_null(mkdtemp(base));
    snprintf(path, sizeof path, "%s/a/b/c", base);
    assert_int_equal(rt_folder_make(path, 0700), 0);
    assert_int_equal(rt_folder_make(path, 0700), 0);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/a/b/c/file", base);
    touch(path);
    assert_int_equal(rt_folder_make(path, 0700), 0); /* something of that name is there */
    snprintf(path, sizeof path, "%s/a/b/c/file/below", base);
    assert_int_equal(rt_folder_make(path, 0700), -ENOTDIR);
    snprintf(kept, sizeof kept, "%s/kept", base);
    assert_int_equal(rt_folder_make(kept, 0700), 0);
    snprintf(path, sizeof path, "%s/a/link", base);
    assert_int_equal(symlink(kept, path), 0);
    snprintf(path, sizeof path, "%s/kept/file", base);
    touch(path);
    snprintf(path, sizeof path, "%s/a", base);
    rt_folder_remove(path);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/kept/file", base);
    assert_int_equal(access(path, F_OK), 0);
    rt_folder_remove(base);
    assert_int_equal(access(base, F_OK), -1);
    rt_folder_remove(base); /* it is not there: nothing happens */
}

/* test_names refuses names that make no sense. */
static void test_names(void **state) {
    static char name[5000];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    assert_int_equal(rt_folder_make(name, 0700), -ENAMETOOLONG);
    assert_int_equal(rt_folder_make("", 0700), -EINVAL);
    rt_folder_remove("");
}

/* main runs the tests. */
int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_make_and_remove),
                                        cmocka_unit_test(test_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
