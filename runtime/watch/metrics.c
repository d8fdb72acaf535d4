#include "runtime/watch/metrics.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct rt_metrics_head) % 128 == 0, "blocks begin on a pair of lines");
_Static_assert(sizeof(struct rt_metrics_log) % 128 == 0, "blocks begin on a pair of lines");
_Static_assert(sizeof(struct rt_metrics_shard) % 128 == 0, "blocks begin on a pair of lines");
_Static_assert(sizeof(struct rt_metrics_edge) % 128 == 0, "blocks begin on a pair of lines");
_Static_assert(sizeof(struct rt_metrics_actor) % 128 == 0, "blocks begin on a pair of lines");
_Static_assert(sizeof(struct rt_metrics_hop) % 128 == 0, "blocks begin on a pair of lines");

static const char magic[8] = { 'S', 'H', 'R', 'I', 'K', 'E', 'M', 'P' }; /* first bytes of a page */

/* lay_out computes where the blocks of m's counts begin, and the size of the page. */
static void lay_out(struct rt_metrics *m) {
    m->shards = sizeof(struct rt_metrics_head) + sizeof(struct rt_metrics_log);
    m->edges = m->shards + m->shard_cnt * sizeof(struct rt_metrics_shard);
    m->actors = m->edges + m->edge_cnt * sizeof(struct rt_metrics_edge);
    m->hops = m->actors + m->actor_cnt * sizeof(struct rt_metrics_actor);
    m->bytes = m->hops + m->hop_cnt * sizeof(struct rt_metrics_hop);
}

/* file_error words an error of the system about the page's file. */
static int file_error(struct rt_error *err, int code, const char *path, const char *what) {
    return rt_error_set(err, code, "%s: cannot %s metrics page: %s", path, what, strerror(-code));
}

/* fresh_path writes the name that the page has before it is published. */
static void fresh_path(const struct rt_metrics *m, char out[sizeof m->path + 8]) {
    snprintf(out, sizeof m->path + 8, "%s.new", m->path);
}

int rt_metrics_create(struct rt_metrics *m, const struct rt_metrics_options *o,
                      struct rt_error *err) {
    *m = (struct rt_metrics){ .shard_cnt = o->shard_cnt,
                              .edge_cnt = o->edge_cnt,
                              .actor_cnt = o->actor_cnt,
                              .hop_cnt = o->hop_cnt,
                              .writer = true };
    if (o->shard_cnt > RT_METRICS_COUNT_MAX || o->edge_cnt > RT_METRICS_COUNT_MAX ||
        o->actor_cnt > RT_METRICS_COUNT_MAX || o->hop_cnt > RT_METRICS_COUNT_MAX)
        return rt_error_set(err, -EINVAL, "metrics page: too many blocks; expected at most %d",
                            RT_METRICS_COUNT_MAX);
    if (strlen(o->path) >= sizeof m->path)
        return rt_error_set(err, -ENAMETOOLONG,
                            "metrics page: path is too long; expected below %zu bytes",
                            sizeof m->path);
    strcpy(m->path, o->path);
    lay_out(m);

    /* A file of its own under another name: truncating one that readers have mapped would kill
     * them. Allocated whole: a full tmpfs is an error here, not a SIGBUS later. */
    char fresh[sizeof m->path + 8];
    fresh_path(m, fresh);
    if (unlink(fresh) != 0 && errno != ENOENT) return file_error(err, -errno, fresh, "make");
    int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return file_error(err, -errno, fresh, "make");
    int code = -posix_fallocate(fd, 0, (off_t)m->bytes);
    if (code == 0) {
        void *map = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (map == MAP_FAILED)
            code = -errno;
        else
            m->map = map;
    }
    close(fd);
    if (code != 0) {
        unlink(fresh);
        return file_error(err, code, fresh, "make");
    }

    struct rt_metrics_head *head = rt_metrics_head(m);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(head->magic, magic, sizeof magic);
    head->version = RT_METRICS_VERSION;
    head->pid = getpid();
    head->run_id = o->run_id;
    head->started_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
    head->bytes = m->bytes;
    head->shard_cnt = m->shard_cnt;
    head->edge_cnt = m->edge_cnt;
    head->actor_cnt = m->actor_cnt;
    head->hop_cnt = m->hop_cnt;
    head->shard_bytes = sizeof(struct rt_metrics_shard);
    head->edge_bytes = sizeof(struct rt_metrics_edge);
    head->actor_bytes = sizeof(struct rt_metrics_actor);
    head->hop_bytes = sizeof(struct rt_metrics_hop);
    snprintf(head->build_id, sizeof head->build_id, "%s", o->build_id);
    rt_metrics_name(head->process, o->process);
    return 0;
}

int rt_metrics_publish(struct rt_metrics *m, struct rt_error *err) {
    assert(m->writer && m->map != NULL);
    char fresh[sizeof m->path + 8];
    fresh_path(m, fresh);
    atomic_store_explicit(&rt_metrics_head(m)->ready, 1, memory_order_release);
    if (rename(fresh, m->path) != 0) return file_error(err, -errno, m->path, "publish");
    return 0;
}

/* check_head takes the counts of the mapped head into m and refuses what this build cannot read. */
static int check_head(struct rt_metrics *m, const char *path, struct rt_error *err) {
    const struct rt_metrics_head *head = rt_metrics_head(m);
    if (memcmp(head->magic, magic, sizeof magic) != 0)
        return rt_error_set(err, -EPROTO, "%s: no metrics page; expected one of a running process",
                            path);
    if (atomic_load_explicit(&head->ready, memory_order_acquire) == 0)
        return rt_error_set(err, -EAGAIN, "%s: not ready yet", path);
    if (head->version != RT_METRICS_VERSION ||
        head->shard_bytes != sizeof(struct rt_metrics_shard) ||
        head->edge_bytes != sizeof(struct rt_metrics_edge) ||
        head->actor_bytes != sizeof(struct rt_metrics_actor) ||
        head->hop_bytes != sizeof(struct rt_metrics_hop))
        return rt_error_set(err, -EPROTO,
                            "%s: metrics page of another build (%.16s); expected layout version %d",
                            path, head->build_id, RT_METRICS_VERSION);
    size_t bytes = m->bytes;
    m->shard_cnt = head->shard_cnt;
    m->edge_cnt = head->edge_cnt;
    m->actor_cnt = head->actor_cnt;
    m->hop_cnt = head->hop_cnt;
    if (m->shard_cnt <= RT_METRICS_COUNT_MAX && m->edge_cnt <= RT_METRICS_COUNT_MAX &&
        m->actor_cnt <= RT_METRICS_COUNT_MAX && m->hop_cnt <= RT_METRICS_COUNT_MAX) {
        lay_out(m);
        if (m->bytes == bytes) return 0;
    }
    m->bytes = bytes;
    return rt_error_set(err, -EPROTO, "%s: counts and size disagree; expected a whole metrics page",
                        path);
}

int rt_metrics_open(struct rt_metrics *m, const char *path, struct rt_error *err) {
    *m = (struct rt_metrics){ .map = NULL };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return file_error(err, -errno, path, "open");
    struct stat st;
    int code = fstat(fd, &st) != 0 ? -errno : 0;
    if (code == 0 &&
        (!S_ISREG(st.st_mode) ||
         st.st_size < (off_t)(sizeof(struct rt_metrics_head) + sizeof(struct rt_metrics_log)))) {
        close(fd);
        return rt_error_set(err, -EPROTO, "%s: no metrics page; expected one of a running process",
                            path);
    }
    if (code == 0) {
        m->bytes = (size_t)st.st_size;
        void *map = mmap(NULL, m->bytes, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
            code = -errno;
        else
            m->map = map;
    }
    close(fd);
    if (code != 0) return file_error(err, code, path, "map");
    code = check_head(m, path, err);
    if (code != 0) rt_metrics_close(m);
    return code;
}

bool rt_metrics_alive(const struct rt_metrics *m) {
    const struct rt_metrics_head *head = rt_metrics_head(m);
    if (atomic_load_explicit(&head->ready, memory_order_acquire) != 1) return false;
    return head->pid > 0 && (kill(head->pid, 0) == 0 || errno == EPERM);
}

void rt_metrics_close(struct rt_metrics *m) {
    if (m->map == NULL) return;
    if (m->writer) {
        struct rt_metrics_head *head = rt_metrics_head(m);
        bool published = atomic_load_explicit(&head->ready, memory_order_relaxed) != 0;
        atomic_store_explicit(&head->ready, 2, memory_order_release);
        char fresh[sizeof m->path + 8];
        fresh_path(m, fresh);
        unlink(published ? m->path : fresh);
    }
    munmap(m->map, m->bytes);
    *m = (struct rt_metrics){ .map = NULL };
}

void rt_metrics_name(char field[RT_METRICS_NAME], const char *name) {
    snprintf(field, RT_METRICS_NAME, "%s", name);
}

struct rt_metrics_log *rt_metrics_log(const struct rt_metrics *m) {
    return (struct rt_metrics_log *)(void *)(m->map + sizeof(struct rt_metrics_head));
}

struct rt_metrics_shard *rt_metrics_shard(const struct rt_metrics *m, uint32_t idx) {
    assert(idx < m->shard_cnt);
    return (struct rt_metrics_shard *)(void *)(m->map + m->shards) + idx;
}

struct rt_metrics_edge *rt_metrics_edge(const struct rt_metrics *m, uint32_t idx) {
    assert(idx < m->edge_cnt);
    return (struct rt_metrics_edge *)(void *)(m->map + m->edges) + idx;
}

struct rt_metrics_actor *rt_metrics_actor(const struct rt_metrics *m, uint32_t idx) {
    assert(idx < m->actor_cnt);
    return (struct rt_metrics_actor *)(void *)(m->map + m->actors) + idx;
}

struct rt_metrics_hop *rt_metrics_hop(const struct rt_metrics *m, uint32_t idx) {
    assert(idx < m->hop_cnt);
    return (struct rt_metrics_hop *)(void *)(m->map + m->hops) + idx;
}
