#include "actors/report/out.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int report_out_open(struct report_out *o, const char *dir, const char *name, const char *heading,
                    struct rt_error *err) {
    char fresh[4300];
    o->error = 0;
    o->used = 0;
    o->fd = -1;
    if ((size_t)snprintf(o->path, sizeof o->path, "%s/%s", dir, name) >= sizeof o->path)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s...: the directory's name is too long", dir);
    snprintf(fresh, sizeof fresh, "%s.new", o->path);
    o->fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (o->fd < 0) {
        int code = -errno;
        return rt_error_set(err, code, "%.300s: cannot be written: %s", fresh, strerror(-code));
    }
    size_t n = strlen(heading);
    memcpy(o->buffer, heading, n);
    o->buffer[n] = '\n';
    o->used = n > 0 ? n + 1 : 0;
    return 0;
}

void report_out_flush(struct report_out *o) {
    for (size_t at = 0; at < o->used && o->error == 0;) {
        ssize_t n = write(o->fd, o->buffer + at, o->used - at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            o->error = -errno;
        else
            at += (size_t)n;
    }
    o->used = 0;
}

int report_out_close(struct report_out *o, bool drop, struct rt_error *err) {
    char fresh[4300];
    if (o->fd < 0) return 0;
    report_out_flush(o);
    if (close(o->fd) < 0 && o->error == 0) o->error = -errno;
    o->fd = -1;
    snprintf(fresh, sizeof fresh, "%s.new", o->path);
    if (!drop && o->error == 0 && rename(fresh, o->path) < 0) o->error = -errno;
    if (drop || o->error < 0) unlink(fresh);
    if (o->error < 0)
        return rt_error_set(err, o->error, "%.300s: cannot be written: %s", o->path,
                            strerror(-o->error));
    return 0;
}
