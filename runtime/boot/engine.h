/* engine.h - one run: its directory, the memory its shards share, its shards, from start or
 * recovery to the end.
 *
 * For     the program's commands. A run is prepared once (rt_run_open), which may be in a parent
 *         process that forks; then each process runs its shards (rt_run_process). Starting and
 *         recovering are one path: newest valid snapshot, journal tail, go on.
 * Thread  rt_run_open and _close on the main thread; shards get threads of their own.
 * Memory  the link memory is one shared mapping, inherited by forked processes. */
#ifndef RUNTIME_BOOT_ENGINE_H
#define RUNTIME_BOOT_ENGINE_H
#include "runtime/boot/topology.h"
#include "runtime/watch/metrics.h"

enum {
    RT_EXIT_HUNG = 125, /* how a process ends that the watchdog has found in a call without end */
};

/* Where a run lives on disk. */
struct rt_run_paths {
    char dir[4096];  /* the run directory */
    char stage[128]; /* its directory on tmpfs */
};

/* What processes of a run share. */
struct rt_link {
    struct rt_shared *shared;  /* words of the run */
    struct rt_pulse *pulses;   /* one per shard */
    struct rt_doorbell *bells; /* one per shard */
    struct rt_ring **rings;    /* [from * shards + to], NULL = no edge */
    struct rt_ring **commands; /* one per shard, from the control thread */
    struct rt_ring **answers;  /* one per shard, to the control thread */
    void *base;                /* the mapping */
    size_t bytes;              /* its size */
};

/* A run. */
struct rt_run {
    struct rt_topology *topology;        /* what it is */
    struct rt_run_paths paths;           /* where it lives; dir empty = nowhere (journal: off) */
    struct rt_metrics page;              /* figures of this process for readers; map NULL = none */
    struct rt_link link;                 /* what its processes share */
    uint64_t run_id;                     /* this run */
    int lock_fd;                         /* holds the run directory's lock */
    bool fresh;                          /* made just now; false: recovered */
    bool verify;                         /* replay only */
    struct rt_shard **shards;            /* this process's shards, by number; NULL elsewhere */
    char report[2048];                   /* what recovery found, one sentence a line */
    char sources_report[4096];           /* what the sources said, one line each */
    uint8_t (*source_hash)[32];          /* hash per series, in rank order */
    char (*series_name)[64];             /* name per series */
    uint32_t series_cnt;                 /* how many */
    uint64_t series_rows[RT_SERIES_MAX]; /* rows per series, UINT64_MAX = endless */
    /* called by rt_run_process when its shards have ended well, their journals still open: the only
     * place from where journals in memory can be read; NULL = nobody. 0 or negative errno. */
    int (*ended)(struct rt_run *run, struct rt_error *err);
    void *ended_arg; /* its own */
};

/* rt_run_open makes or opens the run of t in dir (NULL or "" with journal off: no directory) and
 * lays out the link memory. dir is locked: -EBUSY when another process has it. A directory that
 * holds another run (other configuration or data) is refused. Returns 0 or negative errno with
 * err. */
int rt_run_open(struct rt_topology *t, const char *dir, struct rt_run *run, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_run_peek opens the run in dir for reading only, whether it is running or not: no lock is taken
 * and nothing is made. -ENOENT when there is no run. */
int rt_run_peek(struct rt_topology *t, const char *dir, struct rt_run *run, struct rt_error *err)
    __attribute__((warn_unused_result));

/* rt_run_process runs the shards of one process of the run to their end, on threads, the calling
 * thread waiting. Returns 0, or a negative errno with err filled by the first shard that failed. */
int rt_run_process(struct rt_run *run, uint16_t process, struct rt_error *err);

/* rt_run_replay replays shard of the run in dir from its start (verify) and holds every record
 * against the journal. *records tells how many. Returns 0, or -EBADMSG with err naming the first
 * difference. */
int rt_run_replay(struct rt_run *run, uint16_t shard, uint64_t *records, struct rt_error *err);

/* rt_run_state recovers shard in memory only (snapshot + tail, nothing is written) and leaves it in
 * run->shards[shard] to be looked at. Returns 0 or negative errno with err. */
int rt_run_state(struct rt_run *run, uint16_t shard, struct rt_error *err);

/* rt_run_tape opens the journal of shard for reading at position (0 = its start), whether the run
 * is running or not; journals in memory only inside run->ended. 0 or negative errno with err. */
int rt_run_tape(const struct rt_run *run, uint16_t shard, uint64_t position, struct rt_tape *tape,
                struct rt_error *err) __attribute__((warn_unused_result));

/* rt_run_waits tells whether a shard of the run stands still because its journal finds no room on
 * the disk. Any thread of any of its processes. */
bool rt_run_waits(const struct rt_run *run);

/* rt_run_request asks the run to stop for a Reason, or sets the kill word, and wakes all. */
void rt_run_request(struct rt_run *run, uint32_t stop, uint32_t kill);

/* rt_run_page writes the path of the metrics page of a process (its index) into out. */
void rt_run_page(const struct rt_run *run, uint16_t process, char *out, size_t cap);

/* rt_run_close frees what open took; with done the stage is removed (all is on disk). */
void rt_run_close(struct rt_run *run, bool done);

/* rt_build_id returns the id of this build: a hash of the program file, hex. */
const char *rt_build_id(void);
#endif
