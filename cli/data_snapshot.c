#include "actors/report/snapshot.h"
#include "cli/cli.h"
#include "cli/data.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES = 40 /* differences told one by one */ };

/* A snapshot being made. */
struct making {
    FILE *out;                        /* where its lines go */
    const char *root;                 /* the store whose sets are walked; NULL = none */
    const struct mk_session *session; /* when its markets trade, NULL = always */
    struct rt_error err;              /* what went wrong */
};

/* one_set is a data_set_fn: it writes the days of a set, under its name in the store. */
static int one_set(const char *dir, void *arg) {
    struct making *m = arg;
    const size_t skip = m->root == NULL ? 0 : strlen(m->root) + 1;
    return report_snapshot_set(dir, dir + skip, m->session, m->out, &m->err);
}

/* is_there tells whether dir has a file of that name. */
static bool is_there(const char *dir, const char *name) {
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", dir, name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* one_dir writes what path is: a set, results, a run with results, or a store. A slash at its end
 * makes no other name of it. */
static int one_dir(struct making *m, const char *path) {
    char out[PATH_MAX], dir[PATH_MAX];
    size_t cnt = strlen(path);
    while (cnt > 1 && path[cnt - 1] == '/') cnt--;
    if (cnt >= sizeof dir)
        return rt_error_set(&m->err, -ENAMETOOLONG, "%.60s...: name too long", path);
    snprintf(dir, sizeof dir, "%.*s", (int)cnt, path);
    m->root = NULL;
    if (is_there(dir, "manifest")) return one_set(dir, m);
    if (is_there(dir, "summary.json")) return report_snapshot_run(dir, m->out, &m->err);
    if (is_there(dir, "out/summary.json") &&
        snprintf(out, sizeof out, "%s/out", dir) < (int)sizeof out)
        return report_snapshot_run(out, m->out, &m->err);
    m->root = dir;
    const int found = data_sets_below(dir, 3, one_set, m);
    m->root = NULL;
    if (found < 0) return m->err.code;
    return found > 0 ? 0
                     : rt_error_set(&m->err, -ENOENT,
                                    "%s: neither a store, nor a set of one, nor results", dir);
}

/* write_whole writes cnt bytes to a new file at path; 0 or the errno. */
static int write_whole(const char *path, const char *bytes, size_t cnt, bool sync) {
    FILE *f = fopen(path, "we");
    if (f == NULL) return errno;
    bool fine = fwrite(bytes, 1, cnt, f) == cnt && fflush(f) == 0;
    fine = fine && (!sync || fsync(fileno(f)) == 0);
    const int why = fine ? 0 : errno;
    return fclose(f) != 0 && fine ? errno : why;
}

bool data_in_place(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

int data_write_file(const char *path, const char *bytes, size_t cnt, struct rt_error *err) {
    char early[PATH_MAX];
    const bool in_place = data_in_place(path);
    if (snprintf(early, sizeof early, "%s%s", path, in_place ? "" : ".new") >= (int)sizeof early)
        return rt_error_set(err, -ENAMETOOLONG, "%.60s...: name too long", path);
    int why = write_whole(early, bytes, cnt, !in_place);
    if (why == 0 && !in_place && rename(early, path) != 0) why = errno;
    if (why == 0) return 0;
    if (!in_place) (void)unlink(early);
    return rt_error_set(err, -why, "%s: cannot be written whole: %s", path, strerror(why));
}

/* compare tells what differs; returns the exit code. */
static int compare(const char *before, const char *after, bool json, struct rt_error *err) {
    struct report_snapshot_diff d;
    if (report_snapshot_compare(before, after, LINES, &d, json ? NULL : stdout, err) < 0)
        return cli_fail("data", err, NULL);
    const bool past = report_snapshot_past(&d);
    if (json) {
        printf("{\"same\":%" PRIu64 ",\"changed\":%" PRIu64 ",\"gone\":%" PRIu64
               ",\"filled_in\":%" PRIu64 ",\"went_on\":%" PRIu64 ",\"newer\":%" PRIu64
               ",\"sets_new\":%" PRIu64 ",\"past_changed\":%s}\n",
               d.same, d.changed, d.gone, d.filled_in, d.went_on, d.newer, d.sets_new,
               past ? "true" : "false");
        return past;
    }
    printf("%" PRIu64 " days as they were, %" PRIu64 " newer", d.same, d.newer);
    if (d.went_on > 0) printf(", %" PRIu64 " last days went on", d.went_on);
    if (past)
        printf("; THE PAST CHANGED: %" PRIu64 " days differ, %" PRIu64 " are gone, %" PRIu64
               " were filled in\n",
               d.changed, d.gone, d.filled_in);
    else
        printf("; the past is as it was\n");
    return past;
}

/* make writes the snapshot of what the words name. */
static int make(int argc, char **argv, const struct mk_session *session, const char *path,
                struct rt_error *err) {
    struct making m = { .session = session };
    char *text = NULL;
    size_t cnt = 0;
    m.out = open_memstream(&text, &cnt); /* whole or not at all */
    if (m.out == NULL) return rt_error_set(err, -ENOMEM, "out of memory");
    report_snapshot_head(m.out);
    int rc = argc < 2 ? one_dir(&m, "data") : 0;
    for (int i = 1; rc == 0 && i < argc; i++) rc = one_dir(&m, argv[i]);
    *err = m.err;
    if (fclose(m.out) != 0 && rc == 0) rc = rt_error_set(err, -ENOMEM, "out of memory");
    if (rc == 0 && path != NULL) rc = data_write_file(path, text, cnt, err);
    if (rc == 0 && path == NULL && (fwrite(text, 1, cnt, stdout) != cnt || fflush(stdout) != 0))
        rc = rt_error_set(err, -EIO, "not all was written");
    free(text);
    return rc;
}

int data_cmd_snapshot(int argc, char **argv) {
    struct rt_error err = { 0 };
    struct mk_session session;
    const char *hours = cli_option(&argc, argv, "--session"),
               *path = cli_option(&argc, argv, "--out"),
               *against = cli_option(&argc, argv, "--against");
    const bool json = cli_flag(&argc, argv, "--json"), two = cli_flag(&argc, argv, "--compare");
    if (hours && !mk_session_named(hours, &session))
        return cli_wrong("data", "--session '%s': expected us_equity, cn_a, uk_equity or 24x7",
                         hours);
    if (against && !path) return cli_wrong("data", "--against goes with --out FILE");
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') return cli_words("data", argc, argv, i, "");
    }
    if (two) {
        if (cli_words("data", argc, argv, 2, "snapshot --compare: OLD and NEW")) return 2;
        return compare(argv[1], argv[2], json, &err);
    }
    if (make(argc, argv, hours ? &session : NULL, path, &err) < 0)
        return cli_fail("data", &err, NULL);
    return against ? compare(against, path, json, &err) : 0;
}
