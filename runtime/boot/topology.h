/* topology.h - what a run file says: processes, shards, actors, edges, sources, clock, durability.
 *
 * For     boot and `shrike check`. Trading is not known here: the registry the program passes lists
 *         actor kinds, source kinds and how the shared world is loaded.
 * Thread  boot; constant afterwards.
 * Memory  one heap block and the configuration tree, freed by rt_topology_close. */
#ifndef RUNTIME_BOOT_TOPOLOGY_H
#define RUNTIME_BOOT_TOPOLOGY_H
#include "runtime/base/config.h"
#include "runtime/core/decoder.h"
#include "runtime/core/shard.h"
#include <stdio.h>

/* What a full edge does with one kind of message. */
struct rt_full_rule {
    uint16_t kind;     /* MSG_* */
    enum rt_full full; /* its default; kinds not listed are refused, or wait for room */
    uint8_t key_at;    /* where in the body stands what a newer one makes old ... */
    uint8_t key_bytes; /* ... and its size; 0 = each counts: none is merged or conflated */
    bool kept;         /* none may be dropped */
};

/* What the program brings. */
struct rt_registry {
    const struct rt_actor_kind *const *actors;     /* ends with NULL */
    const struct rt_source_kind *const *sources;   /* ends with NULL */
    const struct rt_decoder_kind *const *decoders; /* ends with NULL */
    const struct rt_full_rule *full;               /* ends with kind 0 */
    const uint16_t *gates;                         /* kinds that leave the process: under each-order
                                                  * they wait for the sync; ends with 0 */
    /* tells whom a frame is about, an actor's id: of the kinds that some hear only of their own. */
    uint16_t (*about)(const struct msg_frame *f);
    /* loads what all actors share from the root of the run file. */
    int (*world_load)(struct rt_node *root, void **world, struct rt_error *err);
    /* frees what world_load made. */
    void (*world_close)(void *world);
};

/* A process of the run. */
struct rt_process_def {
    char name[32]; /* as in YAML */
};

/* A shard of the run. */
struct rt_shard_def {
    char name[32];       /* as in YAML */
    uint16_t process;    /* index of its process */
    int core;            /* core it is pinned to, -1 = not pinned */
    enum rt_idle idle;   /* how it waits */
    size_t arena_bytes;  /* memory of its actors */
    uint32_t mail_max;   /* frames an actor can be sent in one round */
    size_t mail_bytes;   /* bytes said in one round */
    uint32_t timers_max; /* timers armed at once */
};

/* An actor of the run; actors lie in name order, actors[i].id == i + 1. */
struct rt_actor_def {
    char name[48];                      /* as in YAML */
    const struct rt_actor_kind *kind;   /* what it is */
    struct rt_node *config;             /* its map */
    uint16_t id;                        /* 1.. */
    uint16_t shard;                     /* where it lives */
    uint64_t hears[RT_ACTORS_MAX / 64]; /* bit per actor id it hears; all set where not declared */
};

/* A source of the run. */
struct rt_source_def {
    const struct rt_source_kind *kind; /* what it is */
    struct rt_node *config;            /* its map */
};

/* A declared edge between two shards. */
struct rt_edge_def {
    uint16_t from, to;             /* shards */
    uint32_t capacity;             /* slots */
    uint8_t full_of[MSG_KIND_MAX]; /* enum rt_full by kind */
};

/* The run. */
struct rt_topology {
    const struct rt_registry *registry; /* what the program brought */
    struct rt_config *config;           /* the tree */
    char path[4096];                    /* the run file */
    char base_dir[4096];                /* its directory: relative paths start here */
    char name[48];                      /* name of the run */
    enum rt_clock_kind clock;           /* which clock */
    double speed;                       /* of the paced clock */
    int64_t start_ns, end_ns;           /* declared span; INT64_MIN, INT64_MAX where not */
    int64_t warm_ns;                    /* rows of this long before the start are told, 0 = none */
    uint64_t seed;                      /* of the run */
    enum rt_durability durability;      /* when records are synced */
    int64_t interval_ns;                /* for interval */
    enum rt_backing backing;            /* where the journal lives */
    uint32_t segment_bytes;             /* of the journal */
    uint32_t stage_segments;            /* of the journal */
    uint64_t archive_bytes_max;         /* of the journal, 0 = all */
    int64_t snapshot_every_ns;          /* wall time between snapshots, 0 = none */
    int64_t hang_ns;                    /* CPU time after which an actor's call is a hang */
    struct rt_process_def *processes;   /* in the file's order */
    struct rt_shard_def *shards;        /* in the file's order */
    struct rt_actor_def *actors;        /* in name order */
    struct rt_source_def *sources;      /* in the file's order */
    struct rt_edge_def *edges;          /* every ordered pair of shards that needs one */
    uint32_t process_cnt, shard_cnt, actor_cnt, source_cnt, edge_cnt; /* how many of each */
    bool step;                                                        /* shards go together */
    void *world;                                                      /* what actors share */
    uint8_t config_hash[32];                                          /* of the canonical tree */
};

/* rt_topology_load reads and checks the run file at path. out may override: see rt_topology_set.
 * Returns 0 or negative errno with err ("file:line:column: ..."). */
int rt_topology_load(const char *path, const struct rt_registry *registry,
                     const char *const *overrides, struct rt_topology **out, struct rt_error *err)
    __attribute__((warn_unused_result));
/* rt_topology_edge returns the edge from -> to, or NULL. */
const struct rt_edge_def *rt_topology_edge(const struct rt_topology *t, uint16_t from, uint16_t to);
/* rt_topology_actor returns the actor named name, or NULL. */
const struct rt_actor_def *rt_topology_actor(const struct rt_topology *t, const char *name);
/* rt_topology_hears tells whether actor b hears kind from actor a. */
bool rt_topology_hears(const struct rt_topology *t, const struct rt_actor_def *a,
                       const struct rt_actor_def *b, uint16_t kind);
/* rt_topology_says tells whether kind k says message kind. */
bool rt_topology_says(const struct rt_actor_kind *k, uint16_t kind);
/* rt_registry_decoder returns the first registered decoder that serves transport, or NULL. */
const struct rt_decoder_kind *rt_registry_decoder(const struct rt_registry *r,
                                                  enum rt_transport transport);
/* rt_topology_from returns where its time begins: the declared start less the warm-up; INT64_MIN
 * where no start is declared (then the first warm_ns of the data are the warm-up). */
static inline int64_t rt_topology_from(const struct rt_topology *t) {
    return t->start_ns == INT64_MIN ? INT64_MIN : t->start_ns - t->warm_ns;
}
/* rt_topology_close frees it; NULL is fine. */
void rt_topology_close(struct rt_topology *t);
#endif
