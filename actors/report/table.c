#include "actors/report/table.h"
#include "runtime/base/decimal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* read_all reads the file t->path. */
static int read_all(struct report_table *t, struct rt_error *err) {
    int fd = open(t->path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        int code = fd < 0 ? -errno : -EINVAL;
        if (fd >= 0) close(fd);
        return rt_error_set(err, code, "%s: cannot be read: %s", t->path, strerror(-code));
    }
    size_t size = (size_t)st.st_size, at = 0;
    t->bytes = malloc(size + 1);
    while (t->bytes && at < size) {
        ssize_t got = read(fd, t->bytes + at, size - at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        at += (size_t)got;
    }
    close(fd);
    if (!t->bytes) return rt_error_set(err, -ENOMEM, "%s: no memory", t->path);
    t->size = at;
    t->bytes[at] = 0;
    return at == size ? 0 : rt_error_set(err, -EIO, "%s: cannot be read to its end", t->path);
}

int report_table_open(struct report_table *t, const char *dir, const char *name,
                      struct rt_error *err) {
    memset(t, 0, sizeof *t);
    if ((size_t)snprintf(t->path, sizeof t->path, "%s/%s", dir, name) >= sizeof t->path)
        return rt_error_set(err, -ENAMETOOLONG, "%.200s...: the directory's name is too long", dir);
    int code = read_all(t, err);
    const char *p = t->bytes, *end = p ? p + t->size : p;
    uint64_t room = 0, used = 0, line = 0;
    for (; code == 0 && p < end; line++) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (!stop) stop = end;
        if (stop - p > REPORT_LINE_MAX) {
            code = rt_error_set(err, -EBADMSG, "%s:%llu: line longer than %d bytes", t->path,
                                (unsigned long long)line + 1, REPORT_LINE_MAX);
            break;
        }
        uint32_t columns = 0;
        for (;;) {
            const char *comma = memchr(p, ',', (size_t)(stop - p)),
                       *cell_end = comma ? comma : stop;
            if (used == room) {
                room = room ? room * 2 : 1024;
                struct report_cell *more = realloc(t->cells, room * sizeof *more);
                if (!more) return rt_error_set(err, -ENOMEM, "%s: no memory", t->path);
                t->cells = more;
            }
            t->cells[used++] = (struct report_cell){ .text = p, .cnt = (size_t)(cell_end - p) };
            columns++;
            if (!comma) break;
            p = comma + 1;
        }
        p = stop + 1;
        if (line == 0) t->columns = columns;
        if (columns != t->columns || columns > REPORT_COLUMNS_MAX) {
            code = rt_error_set(err, -EBADMSG, "%s:%llu: %u columns; expected %u", t->path,
                                (unsigned long long)line + 1, columns, t->columns);
        }
    }
    if (code == 0 && line == 0)
        code = rt_error_set(err, -EBADMSG, "%s: is empty, expected a heading", t->path);
    t->rows = line ? line - 1 : 0;
    if (code < 0) report_table_close(t);
    return code;
}

void report_table_close(struct report_table *t) {
    free(t->bytes);
    free(t->cells);
    t->bytes = NULL;
    t->cells = NULL;
    t->rows = 0;
}

int report_table_column(const struct report_table *t, const char *name, struct rt_error *err) {
    for (uint32_t i = 0; i < t->columns; i++) {
        const struct report_cell *c = &t->cells[i];
        if (c->cnt == strlen(name) && memcmp(c->text, name, c->cnt) == 0) return (int)i;
    }
    return rt_error_set(err, -ENOENT, "%s:1: no column %s", t->path, name);
}

int report_table_fixed(const struct report_table *t, uint64_t row, int column, int64_t *out,
                       struct rt_error *err) {
    struct report_cell c = report_table_cell(t, row, column);
    *out = 0;
    if (c.cnt == 0) return 0;
    int code = rt_decimal_parse(c.text, c.cnt, out);
    if (code == 0) return 0;
    return rt_error_set(err, -EBADMSG, "%s:%llu: \"%.*s\": %s", t->path,
                        (unsigned long long)row + 2, (int)c.cnt, c.text, rt_decimal_error(code));
}

int report_table_whole(const struct report_table *t, uint64_t row, int column, int64_t *out,
                       struct rt_error *err) {
    struct report_cell c = report_table_cell(t, row, column);
    const char *at = c.text, *end = at + c.cnt;
    int below = c.cnt > 1 && *at == '-', code = 0;
    const char *stop = rt_decimal_scan_whole(at + below, end, out, &code);
    if (stop == end) {
        if (below) *out = -*out;
        return 0;
    }
    return rt_error_set(err, -EBADMSG, "%s:%llu: \"%.*s\": expected a whole number", t->path,
                        (unsigned long long)row + 2, (int)c.cnt, c.text);
}
