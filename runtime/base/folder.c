#include "runtime/base/folder.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int rt_folder_make(const char *path, mode_t mode) {
    char buf[4096];
    int length = snprintf(buf, sizeof buf, "%s", path);
    if (length < 1) return -EINVAL;
    if ((size_t)length >= sizeof buf) return -ENAMETOOLONG;
    for (char *p = buf + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            if (mkdir(buf, mode) < 0 && errno != EEXIST) return -errno;
            *p = '/';
        }
    return mkdir(buf, mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* remove_below removes path, which is depth directories below the first. */
static void remove_below(const char *path, int depth) {
    DIR *d = opendir(path);
    const struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        char sub[4096];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (snprintf(sub, sizeof sub, "%s/%s", path, e->d_name) >= (int)sizeof sub) continue;
        if (unlink(sub) < 0 && depth < RT_FOLDER_DEPTH_MAX) remove_below(sub, depth + 1);
    }
    if (d) closedir(d);
    (void)rmdir(path);
}

void rt_folder_remove(const char *path) {
    remove_below(path, 0);
}
