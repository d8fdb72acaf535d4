#include "runtime/boot/engine.h"
#include "runtime/base/folder.h"
#include "runtime/base/hash.h"
#include "runtime/boot/build.h"
#include "runtime/time/clock.h"
#include "runtime/watch/log.h"
#include "schemas/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    COMMAND_SLOTS = 64, /* commands under way to one shard */
    ANSWER_BYTES = 512, /* largest answer to one */
    BULK_BYTES = 4096,  /* largest frame between shards */
};

const char *rt_build_id(void) {
    static char id[65];
    if (!id[0]) {
        uint8_t hash[32];
        struct rt_error err;
        if (rt_sha256_file("/proc/self/exe", hash, &err) < 0) memset(hash, 0, sizeof hash);
        rt_sha256_hex(hash, id);
    }
    return id;
}

/* lay adds bytes to *at, aligned to 128, and returns where they begin. */
static size_t lay(size_t *at, size_t bytes) {
    size_t here = (*at + 127) & ~(size_t)127;
    *at = here + bytes;
    return here;
}

/* lay_link maps the link memory and lays out what is in it. */
static int lay_link(struct rt_run *run, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    struct rt_link *l = &run->link;
    uint32_t n = t->shard_cnt;
    size_t at = 0;
    size_t shared = lay(&at, sizeof *l->shared), pulses = lay(&at, n * sizeof *l->pulses);
    size_t bells = lay(&at, n * sizeof *l->bells);
    size_t each = (rt_ring_bytes(COMMAND_SLOTS, 0) + 127) & ~(size_t)127;
    size_t each_answer = (rt_ring_bytes(COMMAND_SLOTS, ANSWER_BYTES) + 127) & ~(size_t)127;
    size_t commands = lay(&at, n * each), answers = lay(&at, n * each_answer);
    size_t *ring_at = calloc(t->edge_cnt ? t->edge_cnt : 1, sizeof *ring_at);
    l->rings = calloc((size_t)n * n, sizeof *l->rings);
    l->commands = calloc(n, sizeof *l->commands);
    l->answers = calloc(n, sizeof *l->answers);
    if (!ring_at || !l->rings || !l->commands || !l->answers) {
        free(ring_at);
        return rt_error_set(err, -ENOMEM, "no memory");
    }
    for (uint32_t i = 0; i < t->edge_cnt; i++)
        ring_at[i] = lay(&at, rt_ring_bytes(t->edges[i].capacity, BULK_BYTES));
    l->bytes = (at + 4095) & ~(size_t)4095;
    l->base = mmap(NULL, l->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (l->base == MAP_FAILED) {
        l->base = NULL;
        free(ring_at);
        return rt_error_set(err, -errno, "no memory for %zu bytes of rings", l->bytes);
    }
    uint8_t *b = l->base;
    l->shared = (struct rt_shared *)(void *)(b + shared);
    l->pulses = (struct rt_pulse *)(void *)(b + pulses);
    l->bells = (struct rt_doorbell *)(void *)(b + bells);
    for (uint32_t i = 0; i < n; i++) {
        l->commands[i] = rt_ring_init(b + commands + i * each, COMMAND_SLOTS, 0);
        l->answers[i] = rt_ring_init(b + answers + i * each_answer, COMMAND_SLOTS, ANSWER_BYTES);
        int code = rt_doorbell_init(&l->bells[i]);
        if (code < 0) {
            free(ring_at);
            return rt_error_set(err, code, "no eventfd for shard %s", t->shards[i].name);
        }
    }
    for (uint32_t i = 0; i < t->edge_cnt; i++)
        l->rings[t->edges[i].from * n + t->edges[i].to] =
            rt_ring_init(b + ring_at[i], t->edges[i].capacity, BULK_BYTES);
    free(ring_at);
    return 0;
}

/* note adds a sentence to the run's report; any thread. */
static void note(struct rt_run *run, const char *shard, const char *text) {
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    if (!text[0]) return;
    pthread_mutex_lock(&one);
    size_t used = strlen(run->report);
    snprintf(run->report + used, sizeof run->report - used, "shard %s: %s\n", shard, text);
    pthread_mutex_unlock(&one);
}

/* read_identity reads RUN/run.yaml: which run this directory holds. With peek, the clock
 * is taken from there. */
static int read_identity(struct rt_run *run, bool peek, struct rt_error *err) {
    struct rt_topology *t = run->topology;
    char path[4200], hex[65];
    struct rt_config *c;
    static const char *const clocks[] = { "virtual", "paced", "real", NULL };
    const char *id, *config;
    int64_t start;
    int clock;
    snprintf(path, sizeof path, "%s/run.yaml", run->paths.dir);
    int code = rt_config_load(path, &c, err);
    if (code < 0) return code;
    struct rt_node *root = rt_config_root(c);
    if ((code = rt_node_text(root, "run_id", true, 32, NULL, &id, err)) == 0 &&
        (code = rt_node_text(root, "config", true, 64, NULL, &config, err)) == 0 &&
        (code = rt_node_choice(root, "clock", true, clocks, 0, &clock, err)) == 0 &&
        (code = rt_node_int(root, "start_ns", true, INT64_MIN, INT64_MAX, 0, &start, err)) == 0) {
        run->run_id = strtoull(id, NULL, 16);
        const char *build = "", *base = t->base_dir;
        if (rt_node_text(root, "base", false, 4000, t->base_dir, &base, err) == 0 &&
            base != t->base_dir)
            snprintf(t->base_dir, sizeof t->base_dir, "%s", base);
        if (rt_node_text(root, "build", false, 64, "", &build, err) == 0 &&
            strcmp(build, rt_build_id()) != 0)
            note(run, "-", "made by another build of the program: this one replays it");
        rt_sha256_hex(t->config_hash, hex);
        if (strcmp(hex, config) != 0)
            code = rt_error_set(err, -EEXIST,
                                "%s holds a run of another configuration; choose an empty "
                                "directory, or remove it",
                                run->paths.dir);
        else if (!peek && clock != (int)t->clock)
            code = rt_error_set(err, -EEXIST,
                                "%s holds a run of this file on the %s clock; choose an "
                                "empty directory, or remove it",
                                run->paths.dir, clocks[clock]);
        t->start_ns = start;
        if (peek) { /* as it ran, wherever its configuration is read from now */
            t->clock = (enum rt_clock_kind)clock;
            t->step = t->shard_cnt > 1 && t->clock != RT_CLOCK_REAL;
        }
    }
    rt_config_close(c);
    return code;
}

/* keep_artifact keeps bytes as RUN/artifacts/HASH and puts the hash into hex. */
static int keep_artifact(struct rt_run *run, const void *bytes, size_t cnt, char hex[65],
                         struct rt_error *err) {
    uint8_t hash[32];
    char path[4300];
    rt_sha256(bytes, cnt, hash);
    rt_sha256_hex(hash, hex);
    snprintf(path, sizeof path, "%s/artifacts", run->paths.dir);
    int code = rt_folder_make(path, 0755);
    if (code < 0) return rt_error_set(err, code, "%s: %s", path, strerror(-code));
    snprintf(path, sizeof path, "%s/artifacts/%s", run->paths.dir, hex);
    FILE *f = fopen(path, "w");
    if (!f) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
    bool bad = fwrite(bytes, 1, cnt, f) != cnt;
    if (fclose(f) != 0 || bad) return rt_error_set(err, -EIO, "%s: cannot be written", path);
    return 0;
}

/* keep_file keeps the file at path likewise; at most 16 MiB. */
static int keep_file(struct rt_run *run, const char *path, char hex[65], struct rt_error *err) {
    FILE *f = fopen(path, "r");
    size_t cap = 16U << 20;
    char *bytes = f ? malloc(cap) : NULL;
    if (!bytes) {
        if (f) fclose(f);
        return rt_error_set(err, -EIO, "%s: cannot be read", path);
    }
    size_t cnt = fread(bytes, 1, cap, f);
    fclose(f);
    int code = cnt == cap ? rt_error_set(err, -EFBIG, "%s: too large to keep", path)
                          : keep_artifact(run, bytes, cnt, hex, err);
    free(bytes);
    return code;
}

/* write_identity writes RUN/run.yaml and config.yaml of a new run. */
static int write_identity(struct rt_run *run, struct rt_error *err) {
    struct rt_topology *t = run->topology;
    static const char *const clocks[] = { "virtual", "paced", "real" };
    char path[4200], hex[65], temp[4200], file[65], schema[65];
    if (getrandom(&run->run_id, sizeof run->run_id, 0) != sizeof run->run_id)
        return rt_error_set(err, -EIO, "no random numbers for a run id");
    if (t->clock == RT_CLOCK_REAL && t->start_ns == INT64_MIN) t->start_ns = rt_clock_ns();
    rt_sha256_hex(t->config_hash, hex);
    snprintf(path, sizeof path, "%s/config.yaml", run->paths.dir);
    int code = rt_config_write(t->config, path, err);
    if (code < 0) return code;
    if ((code = keep_file(run, t->path, file, err)) < 0 ||
        (code = keep_artifact(run, msg_schema, msg_schema_bytes, schema, err)) < 0)
        return code;
    snprintf(path, sizeof path, "%s/run.yaml", run->paths.dir);
    snprintf(temp, sizeof temp, "%s/run.yaml.new", run->paths.dir);
    FILE *f = fopen(temp, "w");
    if (!f) return rt_error_set(err, -errno, "%s: %s", temp, strerror(errno));
    fprintf(f,
            "run_id: \"%016llx\"\nconfig: \"%s\"\nclock: %s\nstart_ns: %lld\nbuild: \"%s\"\n"
            "artifacts: {run_file: \"%s\", schema: \"%s\"}\n"
            "base: \"%s\"\n",
            (unsigned long long)run->run_id, hex, clocks[t->clock], (long long)t->start_ns,
            rt_build_id(), file, schema, t->base_dir);
    bool bad = fflush(f) != 0 || fsync(fileno(f)) != 0;
    if (fclose(f) != 0 || bad || rename(temp, path) < 0)
        return rt_error_set(err, -EIO, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}

/* forget_start removes what a start left that was refused before anything was journaled, so that
 * the mended file may start there. */
static void forget_start(const struct rt_run *run) {
    static const char *const names[] = { "run.yaml", "config.yaml", "sources", "poison" };
    char path[4200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", run->paths.dir, names[i]);
        unlink(path);
    }
}

/* hash_config hashes the canonical form of the configuration. It is written to memory that has no
 * name, so that a process killed in the middle leaves nothing. */
static int hash_config(struct rt_topology *t, struct rt_error *err) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    if (!f) return rt_error_set(err, -ENOMEM, "no memory for the configuration");
    rt_config_print(t->config, f);
    bool bad = ferror(f) != 0;
    bad |= fclose(f) != 0;
    if (!bad) rt_sha256(text, bytes, t->config_hash);
    free(text);
    return bad ? rt_error_set(err, -ENOMEM, "no memory for the configuration") : 0;
}

/* begin_run does what opening a run always takes. */
static int begin_run(struct rt_topology *t, struct rt_run *run, struct rt_error *err) {
    memset(run, 0, sizeof *run);
    run->topology = t;
    run->lock_fd = -1;
    run->fresh = true;
    rt_clock_start();
    run->shards = calloc(t->shard_cnt, sizeof *run->shards);
    if (!run->shards) return rt_error_set(err, -ENOMEM, "no memory");
    return hash_config(t, err);
}

/* stage_path names the run's directory on tmpfs. */
static void stage_path(struct rt_run *run) {
    snprintf(run->paths.stage, sizeof run->paths.stage, "/dev/shm/shrike-%016llx",
             (unsigned long long)run->run_id);
}

int rt_run_peek(struct rt_topology *t, const char *dir, struct rt_run *run, struct rt_error *err) {
    char path[4200];
    int code = begin_run(t, run, err);
    if (code < 0) return code;
    if (strlen(dir) > 3000 || !realpath(dir, run->paths.dir))
        return rt_error_set(err, -ENOENT, "%s: %s", dir, strerror(errno));
    snprintf(path, sizeof path, "%s/run.yaml", run->paths.dir);
    if (access(path, F_OK) != 0) return rt_error_set(err, -ENOENT, "%s: holds no run", dir);
    run->fresh = false;
    if ((code = read_identity(run, true, err)) < 0) return code;
    stage_path(run);
    return lay_link(run, err);
}

int rt_run_open(struct rt_topology *t, const char *dir, struct rt_run *run, struct rt_error *err) {
    char path[4200];
    int code;
    if ((code = begin_run(t, run, err)) < 0) return code;
    if (dir && dir[0]) {
        if (strlen(dir) > 3000)
            return rt_error_set(err, -ENAMETOOLONG, "the run directory's name is too long");
        if ((code = rt_folder_make(dir, 0755)) < 0)
            return rt_error_set(err, code, "%s: %s", dir, strerror(-code));
        if (!realpath(dir, run->paths.dir))
            return rt_error_set(err, -errno, "%s: %s", dir, strerror(errno));
        snprintf(path, sizeof path, "%s/lock", run->paths.dir);
        run->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (run->lock_fd < 0) return rt_error_set(err, -errno, "%s: %s", path, strerror(errno));
        int tries = 0; /* children of a run just killed need a moment to be gone */
        while (flock(run->lock_fd, LOCK_EX | LOCK_NB) < 0) {
            if (++tries > 20)
                return rt_error_set(err, -EBUSY, "%s: another process runs it; stop that one first",
                                    run->paths.dir);
            usleep(100000);
        }
        snprintf(path, sizeof path, "%s/journal", run->paths.dir);
        bool began = access(path, F_OK) == 0;
        snprintf(path, sizeof path, "%s/run.yaml", run->paths.dir);
        if (!began && t->backing == RT_BACKING_DISK && access(path, F_OK) == 0) {
            int64_t start_ns = t->start_ns; /* of the file in hand; and so its folder */
            char base[sizeof t->base_dir];
            memcpy(base, t->base_dir, sizeof base);
            if (read_identity(run, false, err) == -EEXIST) forget_start(run);
            memcpy(t->base_dir, base, sizeof base);
            t->start_ns = start_ns;
            run->report[0] = 0;
        }
        run->fresh = access(path, F_OK) != 0;
        code = run->fresh ? write_identity(run, err) : read_identity(run, false, err);
        if (code < 0) return code;
        stage_path(run);
    } else {
        if (t->clock == RT_CLOCK_REAL && t->start_ns == INT64_MIN) t->start_ns = rt_clock_ns();
        if (getrandom(&run->run_id, sizeof run->run_id, 0) != sizeof run->run_id) run->run_id = 1;
    }
    return lay_link(run, err);
}

/* journal_options fills how the journal of a shard is opened. */
static void journal_options(const struct rt_run *run, uint16_t shard, struct rt_journal_options *o,
                            char *dir, char *stage, size_t cap) {
    const struct rt_topology *t = run->topology;
    snprintf(dir, cap, "%s/journal/%s", run->paths.dir, t->shards[shard].name);
    snprintf(stage, cap, "%s/%s", run->paths.stage, t->shards[shard].name);
    *o = (struct rt_journal_options){
        .dir = dir,
        .stage_dir = stage,
        .segment_bytes = t->segment_bytes,
        .stage_segments = t->stage_segments,
        .backing = run->paths.dir[0] ? t->backing : RT_BACKING_MEMORY,
        .durability = t->durability,
        .interval_ns = t->interval_ns,
        .archive_bytes_max = t->archive_bytes_max,
        .run_id = run->run_id,
        .shard = shard,
    };
}

/* names writes the table of names that heads every segment, a line each: "actor ID NAME KIND
 * SHARD", "series ID ROWS HASH NAME". */
static uint32_t names(const struct rt_run *run, char *out, size_t cap) {
    const struct rt_topology *t = run->topology;
    size_t used = 0;
    for (uint32_t i = 0; i < t->actor_cnt && used < cap; i++)
        used += (size_t)snprintf(out + used, cap - used, "actor %u %s %s %s\n", t->actors[i].id,
                                 t->actors[i].name, t->actors[i].kind->name,
                                 t->shards[t->actors[i].shard].name);
    for (uint32_t i = 0; i < run->series_cnt && used < cap; i++) {
        char hex[65];
        rt_sha256_hex(run->source_hash[i], hex);
        used += (size_t)snprintf(out + used, cap - used, "series %u %llu %s %s\n", RT_SOURCE_ID + i,
                                 (unsigned long long)run->series_rows[i], hex, run->series_name[i]);
    }
    return (uint32_t)(used < cap ? used : cap - 1);
}

/* check_sources holds the hashes of the sources against those the run began with (RUN/sources),
 * which the first to come writes down. */
static int check_sources(struct rt_run *run, struct rt_error *err) {
    char path[4200], temp[4300], hex[65], line[400];
    if (!run->paths.dir[0]) return 0;
    snprintf(path, sizeof path, "%s/sources", run->paths.dir);
    FILE *f = fopen(path, "r");
    if (!f) {
        snprintf(temp, sizeof temp, "%s.%d", path, getpid());
        if (run->verify || !(f = fopen(temp, "w")))
            return rt_error_set(err, -EIO, "%s: %s", path, strerror(errno));
        for (uint32_t i = 0; i < run->series_cnt; i++) {
            rt_sha256_hex(run->source_hash[i], hex);
            fprintf(f, "%s %s\n", hex, run->series_name[i]);
        }
        bool bad = fflush(f) != 0 || fsync(fileno(f)) != 0;
        if (fclose(f) != 0 || bad || rename(temp, path) < 0)
            return rt_error_set(err, -EIO, "%s: cannot be written: %s", path, strerror(errno));
        return 0;
    }
    int code = 0;
    for (uint32_t i = 0; i < run->series_cnt && code == 0; i++) {
        rt_sha256_hex(run->source_hash[i], hex);
        if (!fgets(line, sizeof line, f) || strncmp(line, hex, 64) != 0)
            code = rt_error_set(err, -EBADMSG,
                                "the data of %s is not what this run began with; put it back, or "
                                "start in a new directory",
                                run->series_name[i]);
    }
    fclose(f);
    return code;
}

/* read_poison tells the shard's actors which call they died of before (RUN/poison). */
static void read_poison(struct rt_run *run, struct rt_shard *s) {
    char path[4200], line[200];
    snprintf(path, sizeof path, "%s/poison", run->paths.dir);
    FILE *f = run->paths.dir[0] ? fopen(path, "r") : NULL;
    while (f && fgets(line, sizeof line, f)) {
        unsigned shard, actor, signo;
        unsigned long long call;
        if (sscanf(line, "%u %u %llu %u", &shard, &actor, &call, &signo) != 4) continue;
        if (shard != s->number || actor >= RT_ACTORS_MAX || s->local_of[actor] < 0) continue;
        struct rt_local *a = &s->locals[s->local_of[actor]];
        if (call < a->poison_call) {
            a->poison_call = call;
            a->poison_signal = signo;
        }
    }
    if (f) fclose(f);
}

void rt_run_page(const struct rt_run *run, uint16_t process, char *out, size_t cap) {
    snprintf(out, cap, "%s/metrics.%s", run->paths.stage, run->topology->processes[process].name);
}

/* page_cnt counts what of the run belongs to a process: its shards, the edges that touch them, its
 * actors. */
static void page_cnt(const struct rt_topology *t, uint16_t process, struct rt_metrics_options *o) {
    for (uint32_t i = 0; i < t->shard_cnt; i++) o->shard_cnt += t->shards[i].process == process;
    for (uint32_t i = 0; i < t->edge_cnt; i++)
        o->edge_cnt += t->shards[t->edges[i].from].process == process ||
                       t->shards[t->edges[i].to].process == process;
    for (uint32_t i = 0; i < t->actor_cnt; i++)
        o->actor_cnt += t->shards[t->actors[i].shard].process == process;
    o->hop_cnt = o->actor_cnt;
}

/* room takes cnt pointers from the shard's arena. */
static void *room(struct rt_shard *s, size_t cnt) {
    return rt_arena_take(&s->arena, (cnt ? cnt : 1) * sizeof(void *));
}

/* make_page makes the metrics page of a process and shows its shards where to write. A run without
 * a directory has none. */
static int make_page(struct rt_run *run, uint16_t process, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    char path[256];
    if (!run->paths.dir[0]) return 0;
    int code = rt_folder_make(run->paths.stage, 0700);
    if (code < 0) return rt_error_set(err, code, "%s: %s", run->paths.stage, strerror(-code));
    rt_run_page(run, process, path, sizeof path);
    struct rt_metrics_options o = { .path = path,
                                    .process = t->processes[process].name,
                                    .build_id = rt_build_id(),
                                    .run_id = run->run_id };
    page_cnt(t, process, &o);
    if ((code = rt_metrics_create(&run->page, &o, err)) < 0) return code;
    uint32_t shards = 0, edges = 0, actors = 0;
    for (uint16_t n = 0; n < t->shard_cnt; n++) {
        struct rt_shard *s = run->shards[n];
        if (t->shards[n].process != process || !s) continue;
        struct rt_meter *m = &s->meter;
        m->shard = rt_metrics_shard(&run->page, shards++);
        rt_metrics_name(m->shard->name, t->shards[n].name);
        m->shard->number = n;
        m->shard->core = t->shards[n].core;
        m->out = room(s, s->edge_out_cnt);
        m->in = room(s, s->edge_in_cnt);
        m->actors = room(s, s->local_cnt);
        m->hops = room(s, s->local_cnt);
        if (!m->out || !m->in || !m->actors || !m->hops)
            return rt_error_set(err, -ENOMEM,
                                "arena of shard %s is too small; raise arena:", t->shards[n].name);
        for (uint16_t i = 0; i < s->local_cnt; i++, actors++) {
            const struct rt_actor_def *a = &t->actors[s->locals[i].id - 1];
            m->actors[i] = rt_metrics_actor(&run->page, actors);
            m->hops[i] = rt_metrics_hop(&run->page, actors);
            rt_metrics_name(m->actors[i]->name, a->name);
            rt_metrics_name(m->actors[i]->kind, a->kind->name);
            m->actors[i]->id = a->id;
            m->actors[i]->shard = n;
            rt_metrics_name(m->hops[i]->from, "event");
            rt_metrics_name(m->hops[i]->to, a->name);
        }
    }
    for (uint32_t i = 0; i < t->edge_cnt; i++) {
        const struct rt_edge_def *d = &t->edges[i];
        struct rt_shard *from = run->shards[d->from], *to = run->shards[d->to];
        bool ours = from && t->shards[d->from].process == process;
        bool theirs = to && t->shards[d->to].process == process;
        if (!ours && !theirs) continue;
        struct rt_metrics_edge *e = rt_metrics_edge(&run->page, edges++);
        rt_metrics_name(e->from, t->shards[d->from].name);
        rt_metrics_name(e->to, t->shards[d->to].name);
        rt_metrics_name(e->policy, t->step ? "missized" : "by kind");
        e->capacity = d->capacity;
        if (ours) from->meter.out[from->out_of[d->to]] = e;
        if (theirs) to->meter.in[to->in_of[d->from]] = e;
    }
    return rt_metrics_publish(&run->page, err);
}

/* The topology whose names the log shows. */
static const struct rt_topology *log_names;

/* name_of names numbers of the log's forms. */
static const char *name_of(const char *form, int64_t number) {
    if (strcmp(form, "actor") == 0 && number >= 1 && number <= log_names->actor_cnt)
        return log_names->actors[number - 1].name;
    if (strcmp(form, "reason") == 0) return msg_reason_name((uint16_t)number);
    if (strcmp(form, "command") == 0) return msg_command_op_name((uint16_t)number);
    return NULL;
}

/* start_log opens RUN/log/PROCESS.jsonl; a run without a directory logs nothing. */
static int start_log(struct rt_run *run, uint16_t process, struct rt_error *err) {
    char path[4300];
    if (!run->paths.dir[0]) return 0;
    snprintf(path, sizeof path, "%s/log", run->paths.dir);
    int code = rt_folder_make(path, 0755);
    if (code < 0) return rt_error_set(err, code, "%s: %s", path, strerror(-code));
    snprintf(path, sizeof path, "%s/log/%s.jsonl", run->paths.dir,
             run->topology->processes[process].name);
    log_names = run->topology;
    struct rt_log_options o = { .path = path,
                                .json = true,
                                .level = RT_LOG_INFO,
                                .bytes_max = 16 << 20,
                                .keep = 4,
                                .name = name_of,
                                .metrics = run->page.map ? rt_metrics_log(&run->page) : NULL };
    return rt_log_start(&o, err);
}

/* A shard's thread and what it needs. */
struct thread {
    struct rt_run *run;      /* the run */
    struct rt_shard *s;      /* the shard */
    struct rt_tape tape;     /* its journal, when there is something to recover */
    struct rt_poller poller; /* where it waits */
    pthread_t id;            /* the thread */
    int code;                /* how it ended */
    bool started;            /* the thread exists */
};

/* The shard of the calling thread, for the fault handler. */
static _Thread_local struct rt_shard *thread_shard;
/* RUN/poison, open for appending; -1 = none. */
static int poison_fd = -1;

/* digits writes v in decimal to at and returns the end; safe in a signal handler. */
static char *digits(char *at, uint64_t v) {
    char rev[24];
    int n = 0;
    do rev[n++] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    while (n) *at++ = rev[--n];
    return at;
}

/* goes_on answers the watchdog, which asks a shard whose call takes long: true when the calling
 * thread is not in the call and at the row (0 = none) it was in at the question before. */
static bool goes_on(struct rt_shard *s, uint64_t word) {
    static _Thread_local uint64_t last; /* the call at the question before */
    if (word != 0 && word == last) return false;
    last = word;
    atomic_fetch_add_explicit(&s->pulse->answers, 1, memory_order_relaxed);
    return true;
}

/* on_fault writes the verdict (shard, actor, call, signal) and lets the process die; a fault
 * outside of any actor's call leaves none. SIGXCPU is the watchdog's question. */
static void on_fault(int signo) {
    struct rt_shard *s = thread_shard;
    uint64_t word = s ? atomic_load_explicit(&s->pulse->call, memory_order_relaxed) : 0;
    if (word && s->run_trace) /* of a run of rows, the row */
        word += __atomic_load_n(&s->ctx.trace_id, __ATOMIC_RELAXED) - s->run_trace;
    if (signo == SIGXCPU && (!s || goes_on(s, word))) return;
    uint64_t actor = word >> 48, call = word & 0xffffffffffffULL;
    if (actor && poison_fd >= 0) {
        char line[128], *at = line;
        at = digits(at, s->number);
        *at++ = ' ';
        at = digits(at, actor);
        *at++ = ' ';
        at = digits(at, call);
        *at++ = ' ';
        at = digits(at, signo == SIGXCPU ? (uint64_t)SIGKILL : (uint64_t)signo);
        *at++ = '\n';
        if (write(poison_fd, line, (size_t)(at - line)) < 0) _exit(127);
        if (fsync(poison_fd) < 0) _exit(127);
    }
    if (signo == SIGXCPU) _exit(RT_EXIT_HUNG);
    signal(signo, SIG_DFL);
    raise(signo);
}

/* watch_faults sets the fault handler, on a stack of its own for each thread; *old gets the stack
 * the thread had, to be given back before it ends. */
static void watch_faults(stack_t *old) {
    static _Thread_local uint8_t stack[32768];
    stack_t alt = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction act = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER };
    sigaltstack(&alt, old);
    const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU };
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) sigaction(fatal[i], &act, NULL);
}

/* shard_main is a shard's thread. */
static void *shard_main(void *arg) {
    struct thread *t = arg;
    struct rt_shard *s = t->s;
    const struct rt_shard_def *d = &t->run->topology->shards[s->number];
    struct rt_error err = { 0 };
    char report[200] = "";
    stack_t old;
    thread_shard = s;
    watch_faults(&old);
    bool logged = rt_log_attach(d->name) == 0;
    RT_LOG(RT_EVENT_SHARD_STARTED, s->number, d->core, s->local_cnt);
    if (d->core >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)d->core, &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0)
            note(t->run, d->name, "cannot be pinned to its core; it runs unpinned");
    }
    char name[16];
    snprintf(name, sizeof name, "%.15s", d->name);
    pthread_setname_np(pthread_self(), name);
    if ((t->code = rt_poller_open(&t->poller, &t->run->link.bells[s->number], report, sizeof report,
                                  &err)) < 0) {
        rt_shard_fail(s, t->code, "%s", err.text);
        return NULL;
    }
    note(t->run, d->name, report);
    s->poller = &t->poller;
    atomic_store(&s->pulse->pid, getpid());
    atomic_store(&s->pulse->tid, (uint32_t)syscall(SYS_gettid));
    /* the disk thread makes the first segments: orders at once would find the journal short */
    for (int i = 0; i < 1000 && rt_journal_free(&s->journal) < 2 && !rt_journal_error(&s->journal);
         i++)
        usleep(1000);
    t->code = rt_shard_run(s);
    atomic_store(&s->pulse->tid, 0);
    if (t->code < 0)
        RT_LOG(RT_EVENT_SHARD_FAILED, s->number, s->events, t->code);
    else
        RT_LOG(RT_EVENT_SHARD_ENDED, s->number, s->events, 0);
    if (logged) rt_log_detach();
    rt_poller_close(&t->poller);
    sigaltstack(&old, NULL);
    return NULL;
}

/* stands_still shows that the shard arg waits for room for its journal, or goes on; on its thread.
 */
static void stands_still(void *arg, bool on) {
    struct rt_shard *s = arg;
    atomic_store_explicit(&s->pulse->waits, on, memory_order_relaxed);
    if (s->meter.shard) rt_metric_set(&s->meter.shard->journal_waits, on);
}

/* prepare builds one shard and brings it to where its journal left it. */
static int prepare(struct rt_run *run, uint16_t number, struct thread *th, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    struct rt_journal_options o;
    struct rt_journal_found found = { 0 };
    char dir[4200], stage[4200], head[60000], report[300] = "";
    int code = rt_shard_build(run, number, &run->shards[number], err);
    struct rt_shard *s = run->shards[number];
    if (code < 0 || (code = check_sources(run, err)) < 0) return code;
    th->run = run;
    th->s = s;
    for (uint16_t n = 0; n < t->shard_cnt; n++) {
        s->peers[n] = calloc(1, sizeof *s->peers[n]);
        if (!s->peers[n]) return rt_error_set(err, -ENOMEM, "no memory");
        s->peers[n]->bell = &run->link.bells[n];
    }
    journal_options(run, number, &o, dir, stage, sizeof dir);
    o.head = head;
    o.head_bytes = names(run, head, sizeof head);
    /* journal off keeps records in memory for the results; a run of no directory has none */
    s->journal_on = o.backing != RT_BACKING_MEMORY || run->paths.dir[0];
    if (o.backing == RT_BACKING_MEMORY)
        o.dir = o.stage_dir = dir; /* a name, nothing is made there */
    if (o.backing != RT_BACKING_MEMORY && (code = rt_folder_make(o.dir, 0755)) < 0)
        return rt_error_set(err, code, "%s: %s", dir, strerror(-code));
    if (o.stage_dir && o.backing != RT_BACKING_MEMORY &&
        (code = rt_folder_make(o.stage_dir, 0700)) < 0)
        return rt_error_set(err, code, "%s: %s", stage, strerror(-code));
    o.unwritten = t->clock == RT_CLOCK_VIRTUAL;
    o.waits = stands_still;
    o.waits_arg = s;
    if ((code = rt_journal_open(&s->journal, &o, &found, err)) < 0) return code;
    note(run, t->shards[number].name, found.report);
    read_poison(run, s);
    char snap[4200];
    snprintf(snap, sizeof snap, "%s/snapshot/%s", run->paths.dir, t->shards[number].name);
    if (found.end > 0) {
        uint64_t position = 0;
        if (access(snap, F_OK) == 0 &&
            (code = rt_snapshot_load(snap, 0, found.end, rt_shard_load, s, &position, report,
                                     sizeof report, err)) < 0)
            return code;
        note(run, t->shards[number].name, report);
        if (position > 0 && (code = rt_shard_loaded(s)) < 0)
            return rt_error_set(err, code,
                                "the sources cannot be read where the snapshot left them");
        if ((code = rt_tape_open(&th->tape, dir, o.stage_dir, position, err)) < 0) return code;
        rt_tape_begin(s, &th->tape);
    }
    if (run->paths.dir[0] && t->snapshot_every_ns > 0 && o.backing != RT_BACKING_MEMORY) {
        if ((code = rt_folder_make(snap, 0755)) < 0)
            return rt_error_set(err, code, "%s: %s", snap, strerror(-code));
        const bool ahead = t->clock != RT_CLOCK_VIRTUAL; /* there nobody waits for a page */
        if ((code = rt_snapshots_open(snap, 1, 64 << 20, ahead, &s->snapshots, err)) < 0)
            return code;
        s->snapshot_slot = 0;
        s->snapshot_every_ns = t->snapshot_every_ns;
    }
    /* else at the tape's end: until then the sender must not see it go back */
    for (uint16_t i = 0; i < s->edge_in_cnt && !s->tape; i++)
        rt_ring_rx_init(&s->in[i].rx, s->in[i].rx.ring, s->in[i].heard);
    return 0;
}

/* finish closes what prepare opened. */
static int finish(struct rt_run *run, uint16_t number, struct thread *th, struct rt_error *err) {
    struct rt_shard *s = run->shards[number];
    int code = 0;
    if (!s) return 0;
    rt_snapshots_close(s->snapshots);
    if (s->journal.impl && (code = rt_journal_close(&s->journal)) < 0)
        rt_error_set(err, code, "journal of shard %s: %s", run->topology->shards[number].name,
                     strerror(-code));
    if (th->tape.impl) rt_tape_close(&th->tape);
    for (uint16_t n = 0; n < run->topology->shard_cnt; n++) free(s->peers[n]);
    return code;
}

int rt_run_process(struct rt_run *run, uint16_t process, struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    struct thread *threads = calloc(t->shard_cnt, sizeof *threads);
    int code = 0;
    if (!threads) return rt_error_set(err, -ENOMEM, "no memory");
    if (run->paths.dir[0]) {
        char path[4200];
        snprintf(path, sizeof path, "%s/poison", run->paths.dir);
        poison_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    if ((code = rt_disk_start(err)) < 0) goto end;
    for (uint16_t n = 0; n < t->shard_cnt && code == 0; n++)
        if (t->shards[n].process == process) code = prepare(run, n, &threads[n], err);
    if (code == 0 && (code = make_page(run, process, err)) == 0)
        code = start_log(run, process, err);
    for (uint16_t n = 0; n < t->shard_cnt && code == 0; n++)
        if (t->shards[n].process == process) code = rt_arena_seal(&run->shards[n]->arena, err);
    for (uint16_t n = 0; n < t->shard_cnt && code == 0; n++) {
        if (t->shards[n].process != process) continue;
        int bad = pthread_create(&threads[n].id, NULL, shard_main, &threads[n]);
        if (bad)
            code = rt_error_set(err, -bad, "no thread for shard %s", t->shards[n].name);
        else
            threads[n].started = true;
    }
    for (uint16_t n = 0; n < t->shard_cnt; n++) {
        if (!threads[n].started) continue;
        pthread_join(threads[n].id, NULL);
        if (threads[n].code < 0 && (code == 0 || code == -ECANCELED)) /* the cause, if it is here */
            code = rt_error_set(err, threads[n].code, "shard %s: %s", t->shards[n].name,
                                threads[n].s->fault.text);
    }
    if (code == 0 && run->ended) code = run->ended(run, err);
    for (uint16_t n = 0; n < t->shard_cnt; n++) {
        struct rt_error last = { 0 };
        if (run->shards[n] && finish(run, n, &threads[n], &last) < 0 && code == 0) {
            *err = last;
            code = last.code;
        }
    }
    rt_disk_stop();
    if (run->paths.dir[0]) rt_log_stop();
    rt_metrics_close(&run->page);
end:
    if (poison_fd >= 0) close(poison_fd);
    poison_fd = -1;
    free(threads);
    return code;
}

/* is_running tells whether an engine has the run's directory. */
static bool is_running(const struct rt_run *run) {
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", run->paths.dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
    if (fd >= 0) close(fd);
    return held;
}

/* pass_row takes no notice of a row of a snapshot. */
static int pass_row(void *arg, uint16_t owner, uint16_t kind, uint64_t key, const void *row,
                    uint32_t bytes, struct rt_error *err) {
    (void)arg, (void)owner, (void)kind, (void)key, (void)row, (void)bytes, (void)err;
    return 0;
}

/* await_commit waits until neither copy of the snapshot in dir is being written by a running
 * engine: half written it looks damaged. Half a second at most; true: one still looks so. */
static bool await_commit(const struct rt_run *run, const char *dir) {
    for (int tries = 0; tries < 25 && is_running(run); tries++) {
        char report[300];
        uint64_t position;
        struct rt_error err;
        if (rt_snapshot_load(dir, 0, UINT64_MAX, pass_row, NULL, &position, report, sizeof report,
                             &err) == 0 &&
            !report[0])
            return false;
        usleep(20000);
    }
    return is_running(run);
}

/* replay_shard builds a shard that only reads its journal, from its start or its snapshot. */
static int replay_shard(struct rt_run *run, uint16_t number, bool snapshot, struct rt_tape *tape,
                        struct rt_error *err) {
    const struct rt_topology *t = run->topology;
    struct rt_journal_options o;
    char dir[4200], stage[4200], snap[4200], report[300];
    uint64_t position = 0;
    int code = rt_shard_build(run, number, &run->shards[number], err);
    struct rt_shard *s = run->shards[number];
    run->verify = true;
    if (code < 0 || (code = check_sources(run, err)) < 0) return code;
    journal_options(run, number, &o, dir, stage, sizeof dir);
    snprintf(snap, sizeof snap, "%s/snapshot/%s", run->paths.dir, t->shards[number].name);
    read_poison(run, s);
    s->journal_on = true;
    s->verify = true;
    if (snapshot && access(snap, F_OK) == 0) {
        bool writing = await_commit(run, snap);
        if ((code = rt_snapshot_load(snap, 0, UINT64_MAX, rt_shard_load, s, &position, report,
                                     sizeof report, err)) < 0)
            return code;
        note(run, t->shards[number].name,
             writing && report[0] ? "a snapshot looks damaged, or is being written just now: the "
                                    "engine runs"
                                  : report);
        if (position > 0 && (code = rt_shard_loaded(s)) < 0)
            return rt_error_set(err, code,
                                "the sources cannot be read where the snapshot left them");
    }
    if ((code = rt_tape_open(tape, dir, access(stage, F_OK) == 0 ? stage : NULL, position, err)) <
        0)
        return code;
    rt_tape_begin(s, tape);
    static struct rt_poller poller = { .simulated = true };
    poller.bell = &run->link.bells[number];
    s->poller = &poller;
    code = rt_shard_run(s);
    if (code < 0) rt_error_set(err, code, "shard %s: %s", t->shards[number].name, s->fault.text);
    return code;
}

int rt_run_replay(struct rt_run *run, uint16_t shard, uint64_t *records, struct rt_error *err) {
    struct rt_tape tape = { 0 };
    int code = replay_shard(run, shard, false, &tape, err);
    *records = run->shards[shard] ? run->shards[shard]->taped : 0;
    if (tape.impl) rt_tape_close(&tape);
    return code;
}

int rt_run_state(struct rt_run *run, uint16_t shard, struct rt_error *err) {
    struct rt_tape tape = { 0 };
    int code = replay_shard(run, shard, true, &tape, err);
    if (tape.impl) rt_tape_close(&tape);
    return code;
}

int rt_run_tape(const struct rt_run *run, uint16_t shard, uint64_t position, struct rt_tape *tape,
                struct rt_error *err) {
    struct rt_journal_options o;
    char dir[4200], stage[4200];
    journal_options(run, shard, &o, dir, stage, sizeof dir);
    bool staged = o.backing != RT_BACKING_MEMORY && access(stage, F_OK) == 0;
    return rt_tape_open(tape, dir, staged ? stage : NULL, position, err);
}

void rt_run_request(struct rt_run *run, uint32_t stop, uint32_t kill) {
    if (stop) atomic_store(&run->link.shared->stop, stop);
    if (kill) atomic_store(&run->link.shared->kill, kill);
    for (uint32_t i = 0; i < run->topology->shard_cnt; i++) {
        struct rt_poller p = { .bell = &run->link.bells[i] };
        rt_poller_wake(&p);
    }
}

bool rt_run_waits(const struct rt_run *run) {
    bool waits = false;
    for (uint32_t i = 0; i < run->topology->shard_cnt; i++)
        waits |= atomic_load_explicit(&run->link.pulses[i].waits, memory_order_relaxed) != 0;
    return waits;
}

/* is_blank tells whether nothing was journaled in a run that was begun just now: its start was
 * refused. */
static bool is_blank(const struct rt_run *run) {
    if (!run->fresh || !run->paths.dir[0] || run->topology->backing == RT_BACKING_MEMORY)
        return false;
    for (uint16_t i = 0; i < run->topology->shard_cnt; i++) {
        struct rt_tape tape;
        struct rt_error err;
        char dir[4200];
        snprintf(dir, sizeof dir, "%s/journal/%s", run->paths.dir, run->topology->shards[i].name);
        if (access(dir, F_OK) != 0) continue; /* it was refused before its turn came */
        int code = rt_run_tape(run, i, 0, &tape, &err);
        if (code < 0) return false;
        bool empty = rt_tape_next(&tape) == NULL && rt_tape_error(&tape, &err) == 0;
        rt_tape_close(&tape);
        if (!empty) return false;
    }
    return true;
}

void rt_run_close(struct rt_run *run, bool done) {
    if (!done && run->lock_fd >= 0 && is_blank(run)) { /* so that the mended file may start there */
        char path[4200];
        snprintf(path, sizeof path, "%s/journal", run->paths.dir);
        rt_folder_remove(path);
        forget_start(run);
        done = true;
    }
    for (uint32_t i = 0; run->shards && i < run->topology->shard_cnt; i++)
        rt_shard_free(run->shards[i]);
    free(run->shards);
    for (uint32_t i = 0; run->link.base && i < run->topology->shard_cnt; i++)
        close(run->link.bells[i].fd);
    if (run->link.base) munmap(run->link.base, run->link.bytes);
    free(run->link.rings);
    free(run->link.commands);
    free(run->link.answers);
    free(run->source_hash);
    free(run->series_name);
    if (done && run->paths.stage[0]) rt_folder_remove(run->paths.stage);
    if (run->lock_fd >= 0) close(run->lock_fd);
    memset(run, 0, sizeof *run);
}
