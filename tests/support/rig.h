/* rig.h - one actor on a bench: drives its handlers and shows what it says, without a shard.
 *
 * For     unit tests of actors. rig.c defines the functions an actor calls (rt_timer_set,
 *         rt_init_series, ...), so a test that links it takes nothing of core/shard.c. A test asks
 *         for it by its first line, "/" followed by "* rig: why".
 *         What it keeps true: a run of rows ends at the next timer (rows before timers of the same
 *         instant, timers of class venue before rows), a handler stops where it speaks, only rows
 *         with a raised interest are heard.
 * Thread  the test's.
 * Memory  the heap, freed by rig_close; what was said grows up to RIG_SAID_MAX bytes. */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H
#include "runtime/base/config.h"
#include "runtime/core/actor.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RIG_SERIES_MAX = 64,     /* series a test may declare */
    RIG_ACTORS_MAX = 64,     /* other actors a test may name */
    RIG_TIMERS_MAX = 4096,   /* timers armed at one time */
    RIG_SAID_MAX = 64 << 20, /* bytes of frames said in a test */
};

/* A series as the test declares it. */
struct rig_series {
    uint16_t row_kind;    /* MSG_BAR, MSG_TRADE, MSG_QUOTE, MSG_BOOK_DELTA, MSG_MARK_PRICE */
    uint16_t pad;         /* keeps the layout */
    uint32_t key;         /* instrument id */
    int64_t span_ns;      /* interval; 0 for trades */
    uint32_t row_bytes;   /* size of a row */
    uint32_t open_bytes;  /* size of the open body, 0 = none */
    bool up[RT_HEAR_CNT]; /* interests the actor has raised */
    const void *latest;   /* what rt_latest gives */
    uint8_t opened[64];   /* what rt_opened gives */
    bool has_opened;      /* rt_opened has something to give */
};

/* Another actor of the graph. */
struct rig_actor {
    char name[32];          /* its name */
    char kind[32];          /* its kind */
    uint16_t id;            /* its id */
    struct rt_config *tree; /* its configuration */
};

/* One armed timer. */
struct rig_timer {
    uint64_t key;  /* as the actor named it */
    int64_t at_ns; /* when it is due */
};

/* One saved row of state. */
struct rig_row {
    uint16_t kind;  /* MSG_*_ROW */
    uint64_t key;   /* key within the actor */
    uint32_t bytes; /* size */
    uint8_t *row;   /* heap copy */
};

/* The bench. Zeroed, then rig_series and rig_actor as needed, then rig_open. */
struct rig {
    const struct rt_actor_kind *kind;         /* the actor under test */
    char *yaml;                               /* its configuration, as text */
    struct rt_config *tree;                   /* and as a tree */
    const void *world;                        /* what rt_init.world points to */
    void *state;                              /* its state */
    struct rt_ctx ctx;                        /* what handlers get; now_ns is the bench's time */
    struct rig_series series[RIG_SERIES_MAX]; /* declared series */
    uint32_t series_cnt;                      /* this many */
    struct rig_actor actors[RIG_ACTORS_MAX];  /* other actors */
    uint32_t actor_cnt;                       /* this many */
    struct rig_timer timers[RIG_TIMERS_MAX];  /* armed timers, in no order */
    uint32_t timer_cnt;                       /* this many */
    bool endless;                             /* what rt_init_endless tells */
    int64_t warm_ns;                          /* what rt_init_warm tells */
    uint8_t *said;                            /* frames said, one behind the other */
    size_t said_bytes;                        /* bytes of them */
    size_t *said_at;                          /* where each begins */
    size_t said_cnt;                          /* how many */
    size_t said_cap;                          /* room in said_at */
    void **taken;                             /* blocks given by rt_init_take */
    size_t taken_cnt;                         /* how many */
    uint32_t said_seq;                        /* counter behind ctx.said_seq */
    uint64_t seed;                            /* run seed */
    uint64_t draws;                           /* random numbers drawn */
    bool no_room;                             /* makes rt_room answer false */
    uint16_t self;                            /* the actor's id; 0 becomes 1 */
};

/* rig_series declares a series and returns its index. span_ns is the interval of bars, 0 for
 * other rows. Before rig_open. */
uint16_t rig_series(struct rig *r, uint16_t row_kind, uint32_t key, int64_t span_ns);
/* rig_actor names another actor of the graph, with its configuration as YAML ("{}" for none). */
void rig_actor(struct rig *r, const char *name, const char *kind, uint16_t id, const char *yaml);
/* rig_open makes the actor from YAML text and world. Returns what its init returned; keys it did
 * not ask for (but kind, name, shard) are refused like by the real boot. */
int rig_open(struct rig *r, const struct rt_actor_kind *kind, const char *yaml, const void *world,
             struct rt_error *err);
/* rig_start tells it MSG_START at now_ns. */
void rig_start(struct rig *r, int64_t now_ns);
/* rig_hear tells it a frame of kind from source at the bench's time. False: it has no handler. */
bool rig_hear(struct rig *r, uint16_t kind, uint16_t source, const void *body, uint32_t bytes);
/* rig_rows tells cnt rows of a series (RT_HEAR_EARLY or RT_HEAR_ROW), with timers coming due in
 * between. Returns how many it heard: 0 when its interest is down. */
uint32_t rig_rows(struct rig *r, uint16_t series, enum rt_hear how, const void *rows, uint32_t cnt);
/* rig_opens tells that a row begins at the first field of body (RT_HEAR_OPEN). */
uint32_t rig_opens(struct rig *r, uint16_t series, const void *body);
/* rig_latest sets what rt_latest gives for series, for actors that do not hear it. */
void rig_latest(struct rig *r, uint16_t series, const void *row);
/* rig_until moves the time to now_ns and tells all timers due up to then, in order of time and
 * key. Returns how many. */
uint32_t rig_until(struct rig *r, int64_t now_ns);
/* rig_said returns frame number idx of what was said since rig_forget, or NULL. */
const struct msg_frame *rig_said(const struct rig *r, size_t idx);
/* rig_find returns the n-th (from 0) frame of kind said since rig_forget, or NULL. */
const struct msg_frame *rig_find(const struct rig *r, uint16_t kind, size_t n);
/* rig_count counts frames of kind said since rig_forget. */
size_t rig_count(const struct rig *r, uint16_t kind);
/* rig_forget drops what was said. */
void rig_forget(struct rig *r);
/* rig_reload saves the state into rows, makes the actor anew and loads them: what recovery does.
 * Aborts when init or load refuse, or when saving again gives other rows. */
void rig_reload(struct rig *r);
/* rig_save saves the state into *rows (heap), freed by rig_rows_free. Returns how many rows. */
size_t rig_save(const struct rig *r, struct rig_row **rows);
/* rig_rows_free frees what rig_save gave. */
void rig_rows_free(struct rig_row *rows, size_t cnt);
/* rig_close frees everything; the rig is zeroed. */
void rig_close(struct rig *r);
#endif
