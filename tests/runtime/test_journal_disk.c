/* threaded: the disk thread
 *
 * Goal: what the disk behind the stage promises: nothing lost at process death under any policy; at
 * a power cut no more than the policy says; the first failed write or sync is the last word; a full
 * disk is waited out; the stage and the disk mend each other.
 * Method: the seam fails, delays, lies, and forgets what was not synced; a power cut is the stage
 * removed and each sector written since the last sync put back or not, by a printed seed. */
#include "runtime/base/seam.h"
#include "tests/runtime/journal_frames.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

/* Sizes of the simulation. */
enum { SECTOR = 512, LOG_MAX = 1 << 16 };

/* A write that the disk has not been told to keep. */
struct unsynced {
    char path[160];      /* file */
    uint64_t at;         /* offset, a multiple of SECTOR */
    uint8_t old[SECTOR]; /* what stood there */
    int64_t safe_ns;     /* synced at this time; 0 = not */
};

/* What the seam does in a test. */
static struct {
    pthread_mutex_t lock;  /* over all of it */
    bool remember;         /* writes are logged for a power cut */
    struct unsynced *log;  /* them, oldest first */
    size_t cnt;            /* how many */
    int64_t sync_delay_ns; /* how long a sync takes */
    int fail_sync;         /* syncs of batches fail with this, negative errno */
    int fail_once;         /* the next sync fails with this; later ones lie that all is well */
    bool frozen;           /* the power is gone: nothing reaches the disk any more */
    bool lie;              /* syncs say success and do nothing */
    int full;              /* fallocate on disk fails with this */
    uint64_t syncs;        /* syncs seen */
    struct rt_seam table;  /* the table in use */
} sim = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* fd_path finds the name of an open file. */
static void fd_path(int fd, char path[160]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 159);
    path[n > 0 ? n : 0] = '\0';
}

/* sim_write logs the sectors a write will change. */
static void sim_write(int fd, size_t cnt, uint64_t at) {
    if (!sim.remember) return;
    char path[160];
    fd_path(fd, path);
    for (uint64_t s = at / SECTOR * SECTOR; s < at + cnt && sim.cnt < LOG_MAX; s += SECTOR) {
        struct unsynced *u = &sim.log[sim.cnt++];
        memcpy(u->path, path, sizeof path);
        u->at = s;
        u->safe_ns = 0;
        memset(u->old, 0, SECTOR);
        ssize_t n = pread(fd, u->old, SECTOR, (off_t)s);
        (void)n;
    }
}

/* sim_op is the seam's look at each operation of the ring. */
static void sim_op(struct rt_seam_op *op) {
    pthread_mutex_lock(&sim.lock);
    if (sim.frozen) {
        op->done = true;
        op->result = op->kind == RT_SEAM_WRITE ? (int64_t)op->cnt : 0;
        pthread_mutex_unlock(&sim.lock);
        return;
    }
    if (op->kind == RT_SEAM_WRITE) {
        sim_write(op->fd, op->cnt, op->at);
        pthread_mutex_unlock(&sim.lock);
        return;
    }
    sim.syncs++;
    op->delay_ns = sim.sync_delay_ns;
    uint64_t begun =
        0; /* the sync of a segment that is only being allocated may fail: it is redone */
    ssize_t n = pread(op->fd, &begun, sizeof begun, 0);
    if (n == sizeof begun && begun != 0 && (sim.fail_sync != 0 || sim.fail_once != 0)) {
        op->done = true;
        op->result = sim.fail_once != 0 ? sim.fail_once : sim.fail_sync;
        if (sim.fail_once != 0) sim.lie = true;
        sim.fail_once = 0;
    } else if (sim.lie) {
        op->done = true;
        op->result = 0;
    } else if (sim.remember) {
        char path[160];
        fd_path(op->fd, path);
        int64_t safe = rt_seam_real.now_ns() + op->delay_ns;
        for (size_t i = 0; i < sim.cnt; i++)
            if (sim.log[i].safe_ns == 0 && strcmp(sim.log[i].path, path) == 0)
                sim.log[i].safe_ns = safe;
        op->done = true;
        op->result = 0;
    }
    pthread_mutex_unlock(&sim.lock);
}

/* sim_fallocate finds the disk full when told to. */
static int sim_fallocate(int fd, uint64_t at, uint64_t bytes) {
    char path[160];
    fd_path(fd, path);
    pthread_mutex_lock(&sim.lock);
    int full = strstr(path, ".seg") != NULL ? sim.full : 0;
    pthread_mutex_unlock(&sim.lock);
    return full != 0 ? full : rt_seam_real.fallocate(fd, at, bytes);
}

/* no_ring refuses io_uring, as a container does. */
static int no_ring(void) {
    return -EPERM;
}

/* sim_start_by starts the disk thread behind the simulated seam, which begins as table. */
static void sim_start_by(const struct rt_seam *table, bool ring) {
    sim.table = *table;
    sim.table.ring_op = sim_op;
    sim.table.fallocate = sim_fallocate;
    if (!ring) sim.table.ring_setup = no_ring;
    rt_seam = &sim.table;
    sim.remember = sim.lie = sim.frozen = false;
    sim.cnt = 0;
    sim.sync_delay_ns = 0;
    sim.fail_sync = sim.fail_once = sim.full = 0;
    if (sim.log == NULL) sim.log = calloc(LOG_MAX, sizeof *sim.log);
    struct rt_error err = { 0 };
    if (rt_disk_start(&err) != 0) fail_msg("%s", err.text);
    if (!ring) assert_string_equal(rt_disk_method(), "pwrite");
}

/* sim_start starts it by the real clock. */
static void sim_start(bool ring) {
    sim_start_by(&rt_seam_real, ring);
}

/* sim_set changes one figure of the simulation under its lock. */
static void sim_set(int *what, int value) {
    pthread_mutex_lock(&sim.lock);
    *what = value;
    pthread_mutex_unlock(&sim.lock);
}

/* sim_stop ends the disk thread and the simulation. */
static void sim_stop(void) {
    rt_disk_stop();
    rt_seam = &rt_seam_real;
}

/* power_cut puts back, sector by sector, what was not synced at now_ns, each sector or not as gen
 * tells, and removes the stage. */
static void power_cut(const char *stage, uint64_t *gen, int64_t now_ns) {
    uint64_t salt = gen_next(gen);
    for (size_t i = sim.cnt; i > 0; i--) {
        struct unsynced *u = &sim.log[i - 1];
        if (u->safe_ns != 0 && u->safe_ns <= now_ns) continue;
        uint64_t pick = salt + u->at;
        if (gen_next(&pick) % 3 == 0) continue; /* this sector reached the disk */
        int fd = open(u->path, O_RDWR);
        if (fd < 0) continue;
        assert_true(pwrite(fd, u->old, SECTOR, (off_t)u->at) == SECTOR);
        close(fd);
    }
    sim.cnt = 0;
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", stage);
    assert_int_equal(system(command), 0);
}

/* disk_options are usual options with a disk. */
static struct rt_journal_options disk_options(const char *dir, const char *stage) {
    struct rt_journal_options o = options(dir, stage, RT_BACKING_DISK);
    o.stage_segments = 4;
    return o;
}

/* count_frames reads the journal from the start and returns how many frames of seed it holds. */
static uint64_t count_frames(const char *dir, const char *stage, uint64_t seed, uint64_t tag) {
    struct rt_tape t;
    struct rt_error err = { 0 };
    if (rt_tape_open(&t, dir, stage, 0, &err) != 0) fail_msg("%s", err.text);
    uint64_t n = 0;
    const struct msg_frame *f;
    while ((f = rt_tape_next(&t)) != NULL) CHECK(tag, frame_is(f, seed, n++));
    if (rt_tape_error(&t, &err) != 0) fail_msg("round %llu: %s", (unsigned long long)tag, err.text);
    rt_tape_close(&t);
    return n;
}

/* Goal: kill -9 at random moments under each policy loses nothing, with the ring and without. */
static void kills(enum rt_durability durability, bool ring, const char *name) {
    char dir[128], stage[128];
    dirs_make(dir, stage, name);
    struct rt_journal_options o = disk_options(dir, stage);
    o.durability = durability;
    _Atomic uint64_t *done =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t gen = 1000 + durability, next = 0;
    for (int round = 0; round < 20; round++) {
        *done = next;
        pid_t pid = fork();
        if (pid == 0) {
            struct rt_journal j;
            struct rt_journal_found found;
            struct rt_error err = { 0 };
            sim_start(ring);
            if (rt_journal_open(&j, &o, &found, &err) != 0) {
                print_error("%s\n", err.text);
                _exit(3);
            }
            static uint64_t bytes[8192];
            for (uint64_t n = next;; n++) {
                frame_fill((struct msg_frame *)(void *)bytes, 6, n);
                rt_journal_append(&j, (struct msg_frame *)(void *)bytes, n % 3 == 0 ? MSG_OUT : 0);
                *done = n + 1;
                if (n % 7 == 0) rt_journal_turn(&j);
                if (durability == RT_DURABLE_EACH_ORDER && n % 100 == 0 &&
                    rt_journal_wait(&j, rt_journal_position(&j)) != 0)
                    _exit(4);
            }
        }
        usleep((useconds_t)gen_range(&gen, 500, 15000));
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        CHECK(round, WIFSIGNALED(status));
        if (access(dir, F_OK) != 0) continue; /* killed before it began */
        /* a reader sees the dead journal as it is, and as the next owner finds it */
        uint64_t seen = count_frames(dir, stage, 6, (uint64_t)round);
        CHECK(round, seen == *done || seen == *done + 1 || (*done == 0 && seen == 0));
        next = seen;
    }
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    sim_start(ring);
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_string_equal(found.report, "");
    append_some(&j, 6, next, next + 100);
    assert_int_equal(rt_journal_close(&j), 0);
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", stage);
    assert_int_equal(system(command), 0);
    assert_true(count_frames(dir, stage, 6, 99) == next + 100); /* the disk alone has all of it */
    sim_stop();
    munmap((void *)(uintptr_t)done, 4096);
}

/* Goal: kills under policy process. */
static void test_kill_process(void **state) {
    (void)state;
    kills(RT_DURABLE_PROCESS, true, "kp");
}

/* Goal: kills under policy interval, with the ring and without. */
static void test_kill_interval(void **state) {
    (void)state;
    kills(RT_DURABLE_INTERVAL, true, "ki");
    kills(RT_DURABLE_INTERVAL, false, "kf");
}

/* Goal: kills under policy each-order. */
static void test_kill_each(void **state) {
    (void)state;
    kills(RT_DURABLE_EACH_ORDER, true, "ke");
}

/* Goal: the first failed sync is the last word: the error stays, waits fail, nothing is synced any
 * more even when later syncs lie that all is well; the stage still has every record after a
 * restart; without the stage, what was acknowledged. */
static void failing(int code, bool lies, bool ring, bool keep_stage, const char *name) {
    char dir[128], stage[128];
    dirs_make(dir, stage, name);
    struct rt_journal_options o = disk_options(dir, stage);
    o.durability = RT_DURABLE_EACH_ORDER;
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    sim_start(ring);
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    append_some(&j, 8, 0, 300);
    assert_int_equal(rt_journal_wait(&j, rt_journal_position(&j)), 0);
    uint64_t acked = rt_journal_position(&j);
    assert_true(rt_journal_synced(&j) >= acked);
    pthread_mutex_lock(&sim.lock);
    sim.remember = true; /* from here on a sync must be true to count */
    if (lies)
        sim.fail_once = code;
    else
        sim.fail_sync = code;
    pthread_mutex_unlock(&sim.lock);
    append_some(&j, 8, 300, 350);
    assert_int_equal(rt_journal_wait(&j, rt_journal_position(&j)), code);
    for (uint64_t n = 350; n < 4000; n += 50) { /* more than the stage holds: never hangs */
        append_some(&j, 8, n, n + 50);
        assert_int_equal(rt_journal_wait(&j, acked), code);
        assert_int_equal(rt_journal_error(&j), code);
    }
    assert_true(rt_journal_synced(&j) == acked);
    assert_int_equal(rt_journal_free(&j), 0);
    uint64_t gen = 5;
    impl_abandon(&j);
    if (!keep_stage) power_cut(stage, &gen, rt_seam_real.now_ns());
    sim_stop();
    sim_start(ring);
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    assert_true(found.end >= acked);
    uint64_t cnt = count_frames(dir, stage, 8, 0);
    if (keep_stage)
        assert_true(cnt > 350);
    else
        assert_non_null(strstr(found.report, "stage is gone"));
    append_some(&j, 8, cnt, cnt + 100);
    assert_int_equal(rt_journal_wait(&j, rt_journal_position(&j)), 0);
    assert_int_equal(rt_journal_close(&j), 0);
    assert_true(count_frames(dir, NULL, 8, 0) == cnt + 100);
    sim_stop();
}

/* Goal: EIO and ENOSPC at the sync, honest and followed by lies. */
static void test_failing_sync(void **state) {
    (void)state;
    failing(-EIO, false, true, true, "f1");
    failing(-EIO, true, true, true, "f2");
    failing(-EIO, true, true, false, "f3");
    failing(-ENOSPC, true, false, true, "f4");
    failing(-ENOSPC, false, true, false, "f5");
}

/* Goal: a full disk is told ahead (free < 2), appends go on into the reserve, and all resumes by
 * itself. */
static void test_disk_full(void **state) {
    (void)state;
    char dir[128], stage[128];
    dirs_make(dir, stage, "full");
    struct rt_journal_options o = disk_options(dir, stage);
    o.stage_segments = 8;
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    sim_start(true);
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    for (int i = 0; i < 2000 && rt_journal_free(&j) < 2; i++) usleep(1000);
    assert_true(rt_journal_free(&j) >= 2);
    sim_set(&sim.full, -ENOSPC);
    uint64_t n = 0;
    while (rt_journal_free(&j) >= 2) {
        append_some(&j, 11, n, n + 20);
        n += 20;
        assert_true(n < 100000);
    }
    append_some(&j, 11, n, n + 1000); /* what still comes fits the reserve */
    n += 1000;
    assert_true(rt_journal_free(&j) < 2);
    assert_int_equal(rt_journal_error(&j), 0);
    sim_set(&sim.full, 0);
    for (int i = 0; i < 5000 && rt_journal_free(&j) < 2; i++) usleep(1000);
    assert_true(rt_journal_free(&j) >= 2);
    append_some(&j, 11, n, n + 5000);
    n += 5000;
    assert_int_equal(rt_journal_error(&j), 0);
    assert_int_equal(rt_journal_close(&j), 0);
    assert_true(count_frames(dir, NULL, 11, 0) == n);
    sim_stop();
}

/* Goal: a power cut loses no more than the policy says, and what is left is a prefix.
 * Method: appends for some time, cuts at a random moment, looks at when the lost ones were
 * appended; syncs take a while, sectors of the batch in flight reach the disk in any order. */
static void cuts(enum rt_durability durability, int rounds, const char *name) {
    char dir[128], stage[128];
    static int64_t when[200000];
    uint64_t gen = 2000 + durability;
    for (int round = 0; round < rounds; round++) {
        char part[32];
        snprintf(part, sizeof part, "%s%d", name, round);
        dirs_make(dir, stage, part);
        struct rt_journal_options o = disk_options(dir, stage);
        o.durability = durability;
        struct rt_journal j;
        struct rt_journal_found found;
        struct rt_error err = { 0 };
        sim_start(gen_range(&gen, 0, 1) != 0);
        sim.remember = true;
        sim.sync_delay_ns = gen_range(&gen, 0, 3) * 500000;
        if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
        int64_t start = rt_seam_real.now_ns();
        int64_t span = gen_range(&gen, 1000000, 40000000);
        uint64_t n = 0, acked = 0;
        while (rt_seam_real.now_ns() - start < span && n < 200000) {
            append_some(&j, 12, n, n + 3);
            for (int i = 0; i < 3; i++) when[n++] = rt_seam_real.now_ns();
            if (durability == RT_DURABLE_EACH_ORDER && gen_range(&gen, 0, 9) == 0) {
                assert_int_equal(rt_journal_wait(&j, rt_journal_position(&j)), 0);
                acked = n;
            }
            if (gen_range(&gen, 0, 3) == 0) usleep(20);
        }
        pthread_mutex_lock(&sim.lock);
        int64_t cut = rt_seam_real.now_ns();
        sim.frozen = true;
        pthread_mutex_unlock(&sim.lock);
        int64_t stall = sim.sync_delay_ns;
        impl_abandon(&j);
        power_cut(stage, &gen, cut);
        sim_stop();
        sim_start(true);
        if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("round %d: %s", round, err.text);
        CHECK(round, found.end == 0 || strstr(found.report, "stage is gone") != NULL);
        uint64_t kept = count_frames(dir, stage, 12, (uint64_t)round);
        CHECK(round, kept <= n && kept >= acked);
        int64_t window = durability == RT_DURABLE_INTERVAL ? o.interval_ns : 1000000000;
        /* a sync's own time, and what a busy machine takes from the thread; test_window has the
         * window itself */
        if (durability != RT_DURABLE_EACH_ORDER && kept < n)
            CHECK(round, cut - when[kept] <= window + 2 * stall + 200000000);
        append_some(&j, 12, kept, kept + 500);
        assert_int_equal(rt_journal_close(&j), 0);
        CHECK(round, count_frames(dir, NULL, 12, (uint64_t)round) == kept + 500);
        sim_stop();
        char command[160];
        snprintf(command, sizeof command, "rm -rf %s", dir);
        assert_int_equal(system(command), 0);
    }
}

/* Goal: power cuts under each policy. */
static void test_power_cut(void **state) {
    (void)state;
    cuts(RT_DURABLE_INTERVAL, 40, "pi");
    cuts(RT_DURABLE_EACH_ORDER, 25, "pe");
    cuts(RT_DURABLE_PROCESS, 10, "pp");
}

/* A clock that stands still until the test moves it, and a disk thread that sleeps by it. */
static struct {
    _Atomic int64_t now_ns;   /* the time */
    _Atomic int64_t until_ns; /* the disk thread sleeps until then; 0 = it is awake */
    _Atomic bool woken;       /* it was woken, as the journal does when a segment is full */
    _Atomic bool over;        /* it sleeps no more */
} still;

/* still_now_ns is rt_seam.now_ns. */
static int64_t still_now_ns(void) {
    return atomic_load(&still.now_ns);
}

/* still_sleep_ns is rt_seam.sleep_ns: the time ends the sleep, or who wakes the thread. */
static void still_sleep_ns(int64_t *ns) {
    const struct timespec moment = { .tv_nsec = 10000 };
    int64_t until_ns = still_now_ns() + *ns;
    atomic_store(&still.until_ns, until_ns);
    while (still_now_ns() < until_ns && !atomic_load(&still.over) && !atomic_load(&still.woken))
        nanosleep(&moment, NULL);
    atomic_store(&still.until_ns, 0);
    atomic_store(&still.woken, false);
    *ns = 0;
}

/* still_settle waits until the disk thread has done all there is to do at this time. */
static void still_settle(void) {
    const struct timespec moment = { .tv_nsec = 10000 };
    int64_t begun = rt_seam_real.now_ns();
    while (atomic_load(&still.until_ns) <= still_now_ns() || atomic_load(&still.woken)) {
        nanosleep(&moment, NULL);
        assert_true(rt_seam_real.now_ns() - begun < 60000000000LL);
    }
}

/* still_window appends for span_ns, in steps of at most step_ns, and returns how old the oldest
 * record that is not synced ever was. Nothing of it is about the machine's time: the clock goes on
 * only when the disk thread, which sleeps by the same clock, has done what there is to do. */
static int64_t still_window(enum rt_durability durability, int64_t span_ns, int64_t step_ns,
                            int64_t sync_ns, const char *name) {
    enum { KEPT = 1 << 16 };
    static int64_t when[KEPT];
    static uint64_t ends[KEPT];
    char dir[128], stage[128];
    uint64_t gen = 4000 + (uint64_t)sync_ns, n = 0, safe = 0;
    int64_t oldest_ns = 0;
    struct rt_journal j;
    struct rt_journal_found found;
    struct rt_error err = { 0 };
    dirs_make(dir, stage, name);
    struct rt_journal_options o = disk_options(dir, stage);
    o.durability = durability;
    o.stage_segments = 64;
    atomic_store(&still.now_ns, 1000000000000LL);
    atomic_store(&still.until_ns, 0);
    atomic_store(&still.over, true); /* opening waits for the thread */
    struct rt_seam table = rt_seam_real;
    table.now_ns = still_now_ns;
    table.sleep_ns = still_sleep_ns;
    sim_start_by(&table, false);
    if (rt_journal_open(&j, &o, &found, &err) != 0) fail_msg("%s", err.text);
    for (int i = 0; i < 30000 && rt_journal_free(&j) < 2; i++) usleep(1000);
    assert_true(rt_journal_free(&j) >= 2);
    pthread_mutex_lock(&sim.lock);
    sim.sync_delay_ns = sync_ns;
    pthread_mutex_unlock(&sim.lock);
    atomic_store(&still.woken, true); /* it may go to sleep by what it saw before the opening, whose
                                       * wake does not reach this clock */
    atomic_store(&still.over, false);
    const int64_t end_ns = still_now_ns() + span_ns;
    while (still_now_ns() < end_ns && n + 64 < KEPT) {
        still_settle();
        /* what a power cut would take now: records behind the durable word */
        const uint64_t synced = rt_journal_synced(&j);
        while (safe < n && ends[safe] <= synced) safe++;
        if (safe < n && still_now_ns() - when[safe] > oldest_ns)
            oldest_ns = still_now_ns() - when[safe];
        if (gen_range(&gen, 0, 3) != 0) {
            const uint64_t segment = atomic_load(&j.impl->head_number);
            const uint64_t more = (uint64_t)gen_range(&gen, 1, 20);
            for (uint64_t i = 0; i < more; i++, n++) {
                append_some(&j, 13, n, n + 1);
                when[n] = still_now_ns();
                ends[n] = rt_journal_position(&j);
            }
            if (atomic_load(&j.impl->head_number) != segment) {
                atomic_store(&still.woken, true);
                continue;
            }
        }
        int64_t next_ns = still_now_ns() + gen_range(&gen, 1, step_ns);
        const int64_t wakes_ns = atomic_load(&still.until_ns);
        if (wakes_ns > still_now_ns() && wakes_ns < next_ns) next_ns = wakes_ns;
        atomic_store(&still.now_ns, next_ns);
    }
    assert_true(n > 1000);
    assert_int_equal(rt_journal_error(&j), 0);
    pthread_mutex_lock(&sim.lock);
    sim.sync_delay_ns = 0;
    pthread_mutex_unlock(&sim.lock);
    atomic_fetch_add(&still.now_ns,
                     2 * sync_ns); /* what is under way ends; the rest needs no time */
    atomic_store(&still.over, true);
    assert_int_equal(rt_journal_close(&j), 0);
    assert_true(count_frames(dir, NULL, 13, 0) == n);
    sim_stop();
    return oldest_ns;
}

/* Goal: the window of each policy is what it says, to the nanosecond: the interval and one sync;
 * where a segment ends, four syncs if these take longer (one may be under way; the segment's end,
 * the next one's head, its records). Method: a clock that stands still while the disk thread works,
 * the journal's own positions and its durable word; over many segments. */
static void test_window(void **state) {
    (void)state;
    const int64_t ms = 1000000, s = 1000 * ms;
    const int64_t syncs[] = { 0, ms / 2, 2 * ms };
    for (size_t i = 0; i < sizeof syncs / sizeof syncs[0]; i++) {
        const int64_t turn = 4 * syncs[i], one = 5 * ms + syncs[i],
                      window = one > turn ? one : turn;
        char name[8];
        snprintf(name, sizeof name, "wi%zu", i);
        int64_t got = still_window(RT_DURABLE_INTERVAL, 300 * ms, ms, syncs[i], name);
        print_message("interval: 5ms, syncs of %lld us: at most %lld us of records\n",
                      (long long)syncs[i] / 1000, (long long)got / 1000);
        assert_true(got <= window);
        assert_true(got > 4 * ms);
        snprintf(name, sizeof name, "wp%zu", i);
        got = still_window(RT_DURABLE_PROCESS, 8 * s, 30 * ms, syncs[i], name);
        print_message("process, syncs of %lld us: at most %lld us of records\n",
                      (long long)syncs[i] / 1000, (long long)got / 1000);
        assert_true(got <= s + syncs[i]);
    }
}

/* main starts no thread itself: each test has its own, so that children can be forked before. */
int main(void) {
    base_make("journal-disk");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kill_process), cmocka_unit_test(test_kill_interval),
        cmocka_unit_test(test_kill_each),    cmocka_unit_test(test_failing_sync),
        cmocka_unit_test(test_disk_full),    cmocka_unit_test(test_power_cut),
        cmocka_unit_test(test_window),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(sim.log);
    return base_clear(failed);
}
