#include "runtime/store/snapshot.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/hash.h"
#include "runtime/base/seam.h"
#include "runtime/store/impl.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ENV_CNT = 2,              /* environments that take turns */
    ROW_BYTES_MAX = 64 << 10, /* a row is below this */
    COPY_BYTES = 1 << 20,     /* read at once */
    FILE_MODE = 0600,         /* state is its owner's */
};

static const char env_names[ENV_CNT] = { 'a', 'b' };
static const size_t map_bytes = (size_t)16 << 30; /* address space only: nothing is taken */

/* What a.sum says of a.mdb. */
struct sum_file {
    char magic[8];    /* "SHRKSNAP" */
    uint32_t version; /* 1 */
    uint32_t zero;    /* 0 */
    uint64_t bytes;   /* size of the file */
    uint64_t hash;    /* XXH64 of its bytes, chained over COPY_BYTES */
    uint32_t pad;     /* 0 */
    uint32_t crc;     /* CRC32C of all bytes before it */
};
_Static_assert(sizeof(struct sum_file) == 40, "the sum is part of the format");

/* Where a shard's snapshot stands. */
enum stage {
    STAGE_IDLE,    /* the shard may begin one */
    STAGE_FILLING, /* the shard adds rows */
    STAGE_READY,   /* the helper commits it */
};

/* One shard's snapshot on its way. */
struct shard_snapshot {
    _Atomic int stage;           /* enum stage: who may touch the rest */
    uint8_t *rows;               /* items with their bytes */
    size_t used;                 /* bytes of rows */
    uint32_t row_cnt;            /* number of rows */
    bool overflow;               /* more rows came than fit */
    uint64_t position;           /* journal position */
    uint64_t sequence;           /* of the newest committed one; the helper's */
    uint64_t committed[ENV_CNT]; /* positions in the two environments; the helper's */
    bool held[ENV_CNT];          /* there is one in it */
    _Atomic uint64_t older;      /* position of the older of two; 0 = fewer */
};

/* All of a process. */
struct rt_snapshots {
    char *dir;                     /* where the environments are */
    uint32_t shard_cnt;            /* shards */
    size_t bytes_max;              /* of a shard's buffer */
    struct shard_snapshot *shards; /* them */
    MDB_env *env[ENV_CNT];         /* open environments; the helper's */
    pthread_t helper;              /* thread that commits */
    bool helping;                  /* it runs */
    sem_t work;                    /* posted when a snapshot is ready, and to stop */
    _Atomic bool stop;             /* the helper shall end */
    pthread_mutex_t lock;          /* over the two below */
    uint64_t failed;               /* snapshots dropped */
    struct rt_error why;           /* the newest reason */
};

/* path_of writes DIR/a.SUFFIX. */
static void path_of(const char *dir, int env, const char *suffix, char path[SEG_PATH_MAX]) {
    snprintf(path, SEG_PATH_MAX, "%s/%c.%s", dir, env_names[env], suffix);
}

/* item_crc sums an item and its padded bytes. */
static uint32_t item_crc(const struct rt_snapshot_item *item, const void *bytes) {
    uint32_t crc = rt_crc32c_add(0xffffffffU, item, offsetof(struct rt_snapshot_item, crc));
    return ~rt_crc32c_add(crc, bytes, (item->bytes + 7U) & ~7U);
}

/* sum_of hashes the file fd, and copies it to copy when that is not negative. Returns its size or
 * negative errno. */
static int64_t sum_of(int fd, int copy, uint64_t *hash) {
    uint8_t *buffer = malloc(COPY_BYTES);
    int64_t at = 0;
    *hash = 0;
    if (buffer == NULL) return -ENOMEM;
    for (;;) {
        ssize_t n = rt_seam->pread(fd, buffer, COPY_BYTES, (uint64_t)at);
        if (n > 0) *hash = rt_hash64(*hash, buffer, (size_t)n);
        if (n > 0 && copy >= 0) {
            ssize_t put = rt_seam_real.pwrite(copy, buffer, (size_t)n, (uint64_t)at);
            if (put < 0) n = put;
        }
        if (n < 0)
            at = n;
        else
            at += n;
        if (n < (ssize_t)COPY_BYTES) break;
    }
    free(buffer);
    return at;
}

/* sum_write writes the sum of environment env after a commit. */
static int sum_write(const char *dir, int env) {
    char path[SEG_PATH_MAX];
    struct sum_file sum = { .magic = "SHRKSNA", .version = RT_SNAPSHOT_VERSION };
    sum.magic[7] = 'P';
    path_of(dir, env, "mdb", path);
    int fd = rt_seam->open(path, O_RDONLY, 0);
    if (fd < 0) return fd;
    int64_t bytes = sum_of(fd, -1, &sum.hash);
    rt_seam->close(fd);
    if (bytes < 0) return (int)bytes;
    sum.bytes = (uint64_t)bytes;
    sum.crc = rt_crc32c(&sum, offsetof(struct sum_file, crc));
    path_of(dir, env, "sum", path);
    fd = rt_seam->open(path, O_RDWR | O_CREAT, FILE_MODE);
    if (fd < 0) return fd;
    ssize_t n = rt_seam->pwrite(fd, &sum, sizeof sum, 0);
    int code = n < 0 ? (int)n : rt_seam->fdatasync(fd);
    rt_seam->close(fd);
    return code;
}

/* env_copy makes a private copy of environment env, checked against its sum. Returns a descriptor
 * of the copy; -ENOENT when there is none; -ENOTSUP for a newer version; -EBADMSG when it is
 *
 * damaged. */
static int env_copy(const char *dir, int env, struct rt_error *err) {
    char path[SEG_PATH_MAX];
    struct sum_file sum;
    path_of(dir, env, "sum", path);
    int fd = rt_seam->open(path, O_RDONLY, 0);
    ssize_t n = fd < 0 ? fd : rt_seam->pread(fd, &sum, sizeof sum, 0);
    if (fd >= 0) rt_seam->close(fd);
    path_of(dir, env, "mdb", path);
    int data = rt_seam->open(path, O_RDONLY, 0);
    if (data == -ENOENT && n == -ENOENT) return -ENOENT;
    int code = 0;
    if (n != sizeof sum || memcmp(sum.magic, "SHRKSNAP", 8) != 0 ||
        sum.crc != rt_crc32c(&sum, offsetof(struct sum_file, crc)))
        code = rt_error_set(err, -EBADMSG, "snapshot %c is damaged: its sum is missing or wrong",
                            env_names[env]);
    else if (sum.version > RT_SNAPSHOT_VERSION)
        code = rt_error_set(err, -ENOTSUP,
                            "%s: snapshot version %u; this program knows versions up to %d", path,
                            sum.version, RT_SNAPSHOT_VERSION);
    else if (data < 0)
        code = rt_error_set(err, -EBADMSG, "snapshot %c is damaged: %s: %s", env_names[env], path,
                            strerror(-data));
    int copy = code == 0 ? memfd_create("snapshot", MFD_CLOEXEC) : -1;
    if (code == 0 && copy < 0) code = rt_error_set(err, -errno, "%s: no memory to read it", path);
    if (code == 0) {
        uint64_t hash;
        int64_t bytes = sum_of(data, copy, &hash);
        if (bytes < 0)
            code = rt_error_set(err, (int)bytes, "%s: cannot be read: %s", path,
                                strerror((int)-bytes));
        else if ((uint64_t)bytes != sum.bytes || hash != sum.hash)
            code =
                rt_error_set(err, -EBADMSG, "snapshot %c is damaged: %s is not what was committed",
                             env_names[env], path);
    }
    if (data >= 0) rt_seam->close(data);
    if (code < 0 && copy >= 0) close(copy);
    return code < 0 ? code : copy;
}

/* mdb_fault fills err for an answer of LMDB; returns a negative errno. */
static int mdb_fault(int rc, const char *dir, int env, struct rt_error *err) {
    return rt_error_set(err, rc > 0 ? -rc : -EIO, "%s/%c.mdb: %s", dir, env_names[env],
                        mdb_strerror(rc));
}

/* copy_open opens a checked copy for reading. Returns 0 or negative errno with err. */
static int copy_open(const char *dir, int env, int copy, MDB_env **out, MDB_txn **txn, MDB_dbi *dbi,
                     struct rt_error *err) {
    char path[64];
    *out = NULL;
    *txn = NULL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy);
    int rc = mdb_env_create(out);
    if (rc == 0) rc = mdb_env_set_mapsize(*out, map_bytes);
    if (rc == 0) rc = mdb_env_open(*out, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, FILE_MODE);
    if (rc == 0) rc = mdb_txn_begin(*out, NULL, MDB_RDONLY, txn);
    if (rc == 0) rc = mdb_dbi_open(*txn, NULL, MDB_INTEGERKEY, dbi);
    return rc == 0 ? 0 : mdb_fault(rc, dir, env, err);
}

/* copy_close ends what copy_open began. */
static void copy_close(MDB_env *env, MDB_txn *txn) {
    if (txn != NULL) mdb_txn_abort(txn);
    if (env != NULL) mdb_env_close(env);
}

/* key_of makes the key of a shard's row. */
static uint64_t key_of(uint32_t shard, uint32_t place) {
    return (uint64_t)shard << 32 | place;
}

/* head_get reads the head row of shard. Returns 0, -ENOENT when it has none, -ENOTSUP, or
 * -EBADMSG. */
static int head_get(MDB_txn *txn, MDB_dbi dbi, uint32_t shard, struct rt_snapshot_head *h,
                    struct rt_error *err) {
    uint64_t key = key_of(shard, 0);
    MDB_val k = { sizeof key, &key };
    MDB_val v;
    int rc = mdb_get(txn, dbi, &k, &v);
    if (rc == MDB_NOTFOUND) return -ENOENT;
    if (rc != 0 || v.mv_size < sizeof *h)
        return rt_error_set(err, -EBADMSG, "the head row of shard %u cannot be read", shard);
    memcpy(h, v.mv_data, sizeof *h);
    if (h->crc != rt_crc32c(h, offsetof(struct rt_snapshot_head, crc)))
        return rt_error_set(err, -EBADMSG, "the head row of shard %u is damaged", shard);
    if (h->version > RT_SNAPSHOT_VERSION)
        return rt_error_set(err, -ENOTSUP,
                            "snapshot version %u; this program knows versions up to %d", h->version,
                            RT_SNAPSHOT_VERSION);
    return 0;
}

/* rows_walk reads the rows of shard; checks all when fn is NULL, else hands each to fn. */
static int rows_walk(MDB_txn *txn, MDB_dbi dbi, uint32_t shard, const struct rt_snapshot_head *h,
                     rt_snapshot_row_fn fn, void *arg, struct rt_error *err) {
    static _Thread_local uint64_t room[ROW_BYTES_MAX / 8 + 4];
    uint64_t hash = 0;
    for (uint32_t place = 1; place <= h->row_cnt; place++) {
        uint64_t key = key_of(shard, place);
        MDB_val k = { sizeof key, &key };
        MDB_val v;
        struct rt_snapshot_item item;
        int rc = mdb_get(txn, dbi, &k, &v);
        if (rc != 0 || v.mv_size < sizeof item || v.mv_size > sizeof room)
            return rt_error_set(err, -EBADMSG, "row %u of shard %u is missing", place, shard);
        memcpy(&item, v.mv_data, sizeof item);
        const uint8_t *bytes = (const uint8_t *)v.mv_data + sizeof item;
        if (item.bytes >= ROW_BYTES_MAX || v.mv_size != sizeof item + ((item.bytes + 7U) & ~7U) ||
            item.place != place || item.crc != item_crc(&item, bytes))
            return rt_error_set(err, -EBADMSG, "row %u of shard %u is damaged", place, shard);
        hash = rt_hash64(hash, v.mv_data, v.mv_size);
        if (fn == NULL) continue;
        if (((uintptr_t)bytes & 7U) != 0) bytes = memcpy(room, bytes, v.mv_size - sizeof item);
        int code = fn(arg, item.owner, item.kind, item.key, bytes, item.bytes, err);
        if (code < 0) return code;
    }
    uint64_t after = key_of(shard, h->row_cnt + 1);
    MDB_val k = { sizeof after, &after };
    MDB_val v;
    if (hash == h->hash && mdb_get(txn, dbi, &k, &v) == MDB_NOTFOUND) return 0;
    return rt_error_set(err, -EBADMSG, "the rows of shard %u are not those of its head", shard);
}

/* note adds why to the report. */
static void note(char *report, size_t cap, const char *text) {
    size_t len = cap > 0 ? strlen(report) : 0;
    if (len + 1 < cap) snprintf(report + len, cap - len, "%s%s", len > 0 ? "; " : "", text);
}

int rt_snapshot_load(const char *dir, uint32_t shard, uint64_t journal_end, rt_snapshot_row_fn fn,
                     void *arg, uint64_t *position, char *report, size_t cap,
                     struct rt_error *err) {
    MDB_env *env[ENV_CNT] = { NULL, NULL };
    MDB_txn *txn[ENV_CNT] = { NULL, NULL };
    MDB_dbi dbi[ENV_CNT] = { 0, 0 };
    int copy[ENV_CNT] = { -1, -1 };
    struct rt_snapshot_head head[ENV_CNT];
    int best = -1;
    int code = 0;
    *position = 0;
    if (cap > 0) report[0] = '\0';
    for (int i = 0; i < ENV_CNT && code == 0; i++) {
        struct rt_error why = { 0 };
        int got = copy[i] = env_copy(dir, i, &why);
        if (got == -ENOENT) continue;
        if (got >= 0) got = copy_open(dir, i, copy[i], &env[i], &txn[i], &dbi[i], &why);
        if (got >= 0) got = head_get(txn[i], dbi[i], shard, &head[i], &why);
        if (got == -ENOENT) continue;
        if (got == 0 && head[i].position > journal_end) {
            rt_error_set(&why, -ERANGE,
                         "snapshot %c is of position %llu, behind the end of the journal",
                         env_names[i], (unsigned long long)head[i].position);
            got = -ERANGE;
        }
        if (got == 0) got = rows_walk(txn[i], dbi[i], shard, &head[i], NULL, NULL, &why);
        if (got == -ENOTSUP || got == -ENOMEM || got == -EMFILE) {
            code = got;
            if (err != NULL) *err = why;
        } else if (got < 0) {
            note(report, cap, why.text);
        } else if (best < 0 || head[i].position > head[best].position ||
                   (head[i].position == head[best].position &&
                    head[i].sequence > head[best].sequence)) {
            best = i;
        }
    }
    if (code == 0 && best >= 0) {
        code = rows_walk(txn[best], dbi[best], shard, &head[best], fn, arg, err);
        if (code == 0) *position = head[best].position;
    }
    for (int i = 0; i < ENV_CNT; i++) {
        copy_close(env[i], txn[i]);
        if (copy[i] >= 0) close(copy[i]);
    }
    return code;
}

/* env_drop closes environment env and moves its files out of the way. */
static void env_drop(struct rt_snapshots *s, int env) {
    char path[SEG_PATH_MAX];
    char aside[SEG_PATH_MAX];
    if (s->env[env] != NULL) mdb_env_close(s->env[env]);
    s->env[env] = NULL;
    path_of(s->dir, env, "sum", path);
    (void)rt_seam->unlink(path);
    path_of(s->dir, env, "mdb", path);
    path_of(s->dir, env, "damaged", aside);
    (void)rt_seam->rename(path, aside);
    for (uint32_t i = 0; i < s->shard_cnt; i++) s->shards[i].held[env] = false;
}

/* env_open opens environment env for writing; it was checked or is new. */
static int env_open(struct rt_snapshots *s, int env, struct rt_error *err) {
    char path[SEG_PATH_MAX];
    path_of(s->dir, env, "mdb", path);
    int rc = mdb_env_create(&s->env[env]);
    if (rc == 0) rc = mdb_env_set_mapsize(s->env[env], map_bytes);
    if (rc == 0) rc = mdb_env_open(s->env[env], path, MDB_NOSUBDIR | MDB_NOLOCK, FILE_MODE);
    if (rc == 0) return 0;
    if (s->env[env] != NULL) mdb_env_close(s->env[env]);
    s->env[env] = NULL;
    return mdb_fault(rc, s->dir, env, err);
}

/* older_tell publishes from where on the journal is still needed by shard. */
static void older_tell(struct shard_snapshot *shard) {
    uint64_t older = 0;
    if (shard->held[0] && shard->held[1])
        older =
            shard->committed[0] < shard->committed[1] ? shard->committed[0] : shard->committed[1];
    atomic_store_explicit(&shard->older, older, memory_order_release);
}

/* rows_put writes the rows of shard number into txn. Returns an answer of LMDB. */
static int rows_put(MDB_txn *txn, MDB_dbi dbi, uint32_t number, const struct shard_snapshot *shard,
                    struct rt_snapshot_head *h) {
    int rc = 0;
    size_t at = 0;
    for (uint32_t place = 1; place <= h->row_cnt && rc == 0; place++) {
        struct rt_snapshot_item *item = (void *)(shard->rows + at);
        size_t bytes = sizeof *item + ((item->bytes + 7U) & ~7U);
        item->place = place;
        item->crc = item_crc(item, item + 1);
        h->hash = rt_hash64(h->hash, item, bytes);
        uint64_t key = key_of(number, place);
        MDB_val k = { sizeof key, &key };
        MDB_val v = { bytes, item };
        rc = mdb_put(txn, dbi, &k, &v, 0);
        at += bytes;
    }
    h->crc = rt_crc32c(h, offsetof(struct rt_snapshot_head, crc));
    uint64_t key = key_of(number, 0);
    MDB_val k = { sizeof key, &key };
    MDB_val v = { sizeof *h, h };
    if (rc == 0) rc = mdb_put(txn, dbi, &k, &v, 0);
    for (uint32_t place = h->row_cnt + 1; rc == 0; place++) { /* what a larger one left */
        key = key_of(number, place);
        k = (MDB_val){ sizeof key, &key };
        rc = mdb_del(txn, dbi, &k, NULL);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* commit writes shard number's snapshot into the environment whose turn it is. */
static int commit(struct rt_snapshots *s, uint32_t number, struct rt_error *err) {
    struct shard_snapshot *shard = &s->shards[number];
    int env = !shard->held[0]                              ? 0
              : !shard->held[1]                            ? 1
              : shard->committed[0] <= shard->committed[1] ? 0
                                                           : 1;
    MDB_txn *txn = NULL;
    MDB_dbi dbi;
    int code = s->env[env] == NULL ? env_open(s, env, err) : 0;
    if (code < 0) return code;
    struct rt_snapshot_head h = { .version = RT_SNAPSHOT_VERSION,
                                  .row_cnt = shard->row_cnt,
                                  .position = shard->position,
                                  .sequence = shard->sequence + 1 };
    shard->held[env] = false; /* until it is whole again */
    older_tell(shard);
    int rc = mdb_txn_begin(s->env[env], NULL, 0, &txn);
    if (rc == 0) rc = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY | MDB_CREATE, &dbi);
    if (rc == 0) rc = rows_put(txn, dbi, number, shard, &h);
    if (rc == 0) {
        rc = mdb_txn_commit(txn);
        txn = NULL;
    }
    if (txn != NULL) mdb_txn_abort(txn);
    if (rc != 0) {
        code = mdb_fault(rc, s->dir, env, err);
        env_drop(s, env); /* what an error left there is not to be built upon */
        return code;
    }
    code = sum_write(s->dir, env);
    if (code < 0) {
        env_drop(s, env);
        return rt_error_set(err, code, "%s/%c.sum: cannot be written: %s", s->dir, env_names[env],
                            strerror(-code));
    }
    shard->sequence++;
    shard->committed[env] = shard->position;
    shard->held[env] = true;
    older_tell(shard);
    return 0;
}

/* fail_note counts a dropped snapshot. */
static void fail_note(struct rt_snapshots *s, const struct rt_error *why) {
    pthread_mutex_lock(&s->lock);
    s->failed++;
    s->why = *why;
    pthread_mutex_unlock(&s->lock);
}

/* helper_main is the thread that commits. */
static void *helper_main(void *arg) {
    struct rt_snapshots *s = arg;
    for (;;) {
        while (sem_wait(&s->work) != 0) {
        }
        bool stop = atomic_load_explicit(&s->stop, memory_order_acquire);
        for (uint32_t i = 0; i < s->shard_cnt; i++) {
            struct shard_snapshot *shard = &s->shards[i];
            if (atomic_load_explicit(&shard->stage, memory_order_acquire) != STAGE_READY) continue;
            struct rt_error err = { 0 };
            if (commit(s, i, &err) < 0) fail_note(s, &err);
            atomic_store_explicit(&shard->stage, STAGE_IDLE, memory_order_release);
        }
        if (stop) return NULL;
    }
}

/* env_survey learns what environment env holds, and puts it aside when it is damaged. */
static int env_survey(struct rt_snapshots *s, int env, struct rt_error *err) {
    struct rt_error why = { 0 };
    MDB_env *e = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    int copy = env_copy(s->dir, env, &why);
    if (copy == -ENOENT) return 0;
    int code = copy < 0 ? copy : copy_open(s->dir, env, copy, &e, &txn, &dbi, &why);
    for (uint32_t i = 0; i < s->shard_cnt && code == 0; i++) {
        struct rt_snapshot_head h;
        int got = head_get(txn, dbi, i, &h, &why);
        if (got == -ENOTSUP) code = got;
        if (got != 0) continue;
        s->shards[i].held[env] = true;
        s->shards[i].committed[env] = h.position;
        if (h.sequence > s->shards[i].sequence) s->shards[i].sequence = h.sequence;
    }
    copy_close(e, txn);
    if (copy >= 0) close(copy);
    if (code == -ENOTSUP || code == -ENOMEM || code == -EMFILE) {
        if (err != NULL) *err = why;
        return code;
    }
    if (code < 0) {
        fail_note(s, &why);
        env_drop(s, env);
    }
    return 0;
}

int rt_snapshots_open(const char *dir, uint32_t shard_cnt, size_t bytes_max, bool ahead,
                      struct rt_snapshots **out, struct rt_error *err) {
    *out = NULL;
    if (shard_cnt < 1 || shard_cnt > 4096 || bytes_max < ROW_BYTES_MAX)
        return rt_error_set(err, -EINVAL,
                            "%s: snapshots of %u shards in %zu bytes; expected "
                            "1..4096 shards and 64 KiB or more",
                            dir, shard_cnt, bytes_max);
    int code = impl_mkdirs(dir, err);
    if (code < 0) return code;
    struct rt_snapshots *s = calloc(1, sizeof *s);
    if (s == NULL) return rt_error_set(err, -ENOMEM, "snapshots: no memory");
    pthread_mutex_init(&s->lock, NULL);
    sem_init(&s->work, 0, 0);
    s->dir = strdup(dir);
    s->shard_cnt = shard_cnt;
    s->bytes_max = bytes_max;
    s->shards = calloc(shard_cnt, sizeof *s->shards);
    bool got = s->dir != NULL && s->shards != NULL;
    for (uint32_t i = 0; i < shard_cnt && got; i++) {
        s->shards[i].rows = aligned_alloc(64, (bytes_max + 63) & ~(size_t)63);
        got = s->shards[i].rows != NULL;
        if (got && ahead) memset(s->shards[i].rows, 0, bytes_max); /* fault it in at boot */
    }
    code = got ? 0 : rt_error_set(err, -ENOMEM, "snapshots: no memory");
    for (int i = 0; i < ENV_CNT && code == 0; i++) code = env_survey(s, i, err);
    for (uint32_t i = 0; i < shard_cnt && code == 0; i++) older_tell(&s->shards[i]);
    if (code == 0) {
        code = -pthread_create(&s->helper, NULL, helper_main, s);
        s->helping = code == 0;
        if (code < 0)
            rt_error_set(err, code, "snapshots: the helper cannot be started: %s", strerror(-code));
    }
    if (code < 0) {
        rt_snapshots_close(s);
        return code;
    }
    *out = s;
    return 0;
}

bool rt_snapshot_begin(struct rt_snapshots *s, uint32_t shard, uint64_t position) {
    assert(shard < s->shard_cnt);
    struct shard_snapshot *p = &s->shards[shard];
    if (atomic_load_explicit(&p->stage, memory_order_acquire) != STAGE_IDLE) return false;
    p->position = position;
    p->used = 0;
    p->row_cnt = 0;
    p->overflow = false;
    atomic_store_explicit(&p->stage, STAGE_FILLING, memory_order_relaxed);
    return true;
}

void rt_snapshot_row(struct rt_snapshots *s, uint32_t shard, uint16_t owner, uint16_t kind,
                     uint64_t key, const void *row, uint32_t bytes) {
    struct shard_snapshot *p = &s->shards[shard];
    size_t padded = (bytes + 7U) & ~7U;
    assert(bytes < ROW_BYTES_MAX);
    if (p->overflow || s->bytes_max - p->used < sizeof(struct rt_snapshot_item) + padded) {
        p->overflow = true;
        return;
    }
    struct rt_snapshot_item *item = (void *)(p->rows + p->used);
    *item = (struct rt_snapshot_item){ .owner = owner, .kind = kind, .bytes = bytes, .key = key };
    uint8_t *to = (uint8_t *)(item + 1);
    if (padded > 0) memset(to + padded - 8, 0, 8);
    if (bytes > 0) memcpy(to, row, bytes);
    p->used += sizeof *item + padded;
    p->row_cnt++;
}

int rt_snapshot_end(struct rt_snapshots *s, uint32_t shard) {
    struct shard_snapshot *p = &s->shards[shard];
    assert(atomic_load_explicit(&p->stage, memory_order_relaxed) == STAGE_FILLING);
    if (p->overflow) {
        struct rt_error why;
        int code = rt_error_set(&why, -ENOSPC,
                                "snapshot of shard %u does not fit %zu bytes and was dropped",
                                shard, s->bytes_max);
        fail_note(s, &why);
        atomic_store_explicit(&p->stage, STAGE_IDLE, memory_order_release);
        return code;
    }
    atomic_store_explicit(&p->stage, STAGE_READY, memory_order_release);
    sem_post(&s->work);
    return 0;
}

uint64_t rt_snapshot_committed(const struct rt_snapshots *s, uint32_t shard) {
    assert(shard < s->shard_cnt);
    return atomic_load_explicit(&s->shards[shard].older, memory_order_acquire);
}

uint64_t rt_snapshots_failed(struct rt_snapshots *s, struct rt_error *err) {
    pthread_mutex_lock(&s->lock);
    uint64_t failed = s->failed;
    if (err != NULL) *err = s->why;
    pthread_mutex_unlock(&s->lock);
    return failed;
}

void rt_snapshots_close(struct rt_snapshots *s) {
    if (s == NULL) return;
    if (s->helping) {
        atomic_store_explicit(&s->stop, true, memory_order_release);
        sem_post(&s->work);
        pthread_join(s->helper, NULL);
    }
    for (int i = 0; i < ENV_CNT; i++)
        if (s->env[i] != NULL) mdb_env_close(s->env[i]);
    for (uint32_t i = 0; s->shards != NULL && i < s->shard_cnt; i++) free(s->shards[i].rows);
    sem_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    free(s->shards);
    free(s->dir);
    free(s);
}
