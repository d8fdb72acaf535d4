/* actor.h - what an actor is, and all it may do.
 *
 * For     those who write actors. An actor is a deterministic state machine: a descriptor, a state
 *         of fixed size and handlers that the shard runs to completion, one message at a time.
 *         It hears frames and rows of sources, says frames, sets timers, and nothing else: no
 *         clock, no file, no socket, no allocation after init.
 * Thread  handlers run on the shard's thread only.
 * Memory  the state is the shard's arena's, zeroed; what init takes more comes from rt_init_take.
 * Cost    saying a frame that stays on the shard: a store of its bytes and a route look-up. */
#ifndef RUNTIME_CORE_ACTOR_H
#define RUNTIME_CORE_ACTOR_H
#include "runtime/base/error.h"
#include "schemas/frame.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_shard; /* core/shard.h */
struct rt_node;  /* base/config.h */

/* Order of outside events of one instant (virtual and paced clock): smaller first. */
enum rt_class {
    RT_CLASS_COMMAND, /* commands, start, stop */
    RT_CLASS_VENUE,   /* what the simulated venue hears or does before anyone else */
    RT_CLASS_DATA,    /* rows of sources: longer interval first, then instrument */
    RT_CLASS_TIMER,   /* timers of all other actors */
    RT_CLASS_OPEN,    /* what begins at this instant: bars that open */
};

/* What a frame has to do with where that is no one series; see series_of. */
enum { RT_SERIES_ANY = -1, RT_SERIES_NONE = -2 };

/* How an actor hears a series of rows. */
enum rt_hear {
    RT_HEAR_EARLY, /* at the row's end, in class venue */
    RT_HEAR_ROW,   /* at the row's end, in class data */
    RT_HEAR_OPEN,  /* at the row's beginning, in class open; only what may be known then */
    RT_HEAR_CNT,
};

/* What a handler knows and works through. One per shard, filled anew for each call. */
struct rt_ctx {
    int64_t now_ns;         /* time of the event in hand, ns UTC; never falls */
    uint64_t trace_id;      /* the outside event in hand */
    uint8_t *out;           /* where the next frame is built */
    uint8_t *out_end;       /* end of the room this call may fill */
    struct rt_shard *shard; /* the shard; opaque to actors */
    uint32_t *said_seq;     /* the actor's counter of frames said */
    uint32_t stamp;         /* TSC of the turn when sampled, else 0 */
    uint16_t self;          /* the actor's id */
    uint16_t local;         /* its index on the shard */
    bool overfull;          /* the call said more than its room: it is undone, the actor stopped */
    bool moved;             /* the call changed an interest or a timer: a run of rows ends here */
};

/* rt_say begins a frame of kind to dest (0 = every hearer of the route) with a body of body_bytes
 * and returns the body to be filled by the caller, zeroed where padding is added. It is sent when
 * the handler returns. When the call's room is used up the frame goes nowhere and the shard undoes
 * the call. Never NULL. */
static inline void *rt_say(struct rt_ctx *ctx, uint16_t kind, uint16_t dest, uint32_t body_bytes);

/* rt_room tells whether every edge with policy "refuse" that takes kind from this actor has room
 * for cnt more frames: asked before an order is made. Always true where hearers are local. On the
 * real clock the answer "no" is journaled. */
bool rt_room(struct rt_ctx *ctx, uint16_t kind, uint32_t cnt);

/* rt_timer_set arms (or moves) the actor's timer named key (any number) to at_ns. A time that is
 * past comes due at once, as an event of its own. The actor hears MSG_TIMER. */
void rt_timer_set(struct rt_ctx *ctx, uint64_t key, int64_t at_ns);

/* rt_timer_cancel disarms key; no effect when it is not armed. */
void rt_timer_cancel(struct rt_ctx *ctx, uint64_t key);

/* rt_interest raises or lowers the actor's interest in hearing series that way. A row whose time
 * for that way is past is not heard any more. */
void rt_interest(struct rt_ctx *ctx, uint16_t series, enum rt_hear how, bool up);

/* rt_latest returns the newest row of series that has been told (its class data event is not
 * after the one in hand), or NULL before the first. Costs nothing per row. The pointer is good
 * until the handler returns. */
const void *rt_latest(struct rt_ctx *ctx, uint16_t series);

/* rt_opened fills *out (the series' open body, such as struct msg_bar_open) with the newest
 * beginning that has been told, and returns true; false before the first. Only for kinds with
 * hears_open: of a bar just opening the venue alone knows the open. */
bool rt_opened(struct rt_ctx *ctx, uint16_t series, void *out);

/* rt_random64 draws the actor's next random number: Philox keyed by (run seed, actor, draw). */
uint64_t rt_random64(struct rt_ctx *ctx);

/* A declared parameter of an actor: what YAML may say and `set` may change. */
struct rt_option {
    const char *name;  /* key in YAML */
    const char *type;  /* "int", "fixed", "double", "bool", "duration", "text", "node" */
    const char *range; /* what is allowed, for people: "1..4096" */
    const char *def;   /* default, for people; NULL = required */
    const char *help;  /* one line: what it does */
};

/* Where save puts the rows of an actor's state. */
struct rt_row_sink {
    /* takes one row: a struct of a schema (kind MSG_*_ROW), its key within the actor, its bytes;
     * the row is copied. Rows come in an order that depends on the state alone. */
    void (*put)(struct rt_row_sink *sink, uint16_t kind, uint64_t key, const void *row,
                uint32_t bytes);
};

/* What init is given. */
struct rt_init {
    struct rt_node
        *config;       /* the actor's own map in the topology; keys not asked for are refused */
    const void *world; /* what the program shares with all actors: instruments, accounts */
    struct rt_shard *shard; /* for rt_init_take and rt_init_series */
    const char *name;       /* the actor's name */
    uint64_t seed;          /* run seed */
    uint16_t self;          /* its id */
    uint16_t local;         /* its index on the shard */
};

/* rt_init_take takes bytes (zeroed, 64-aligned) from the shard's arena for good; boot refuses the
 * topology when it is full (never NULL). */
void *rt_init_take(struct rt_init *init, size_t bytes);

/* rt_init_deaf ends the hearing of a kind, whoever says it, before the run begins: for one that
 * has no use for it as it is configured. */
void rt_init_deaf(struct rt_init *init, uint16_t kind);

/* rt_init_series finds the index of the series with rows of row_kind (MSG_BAR, MSG_TRADE) of key
 * (instrument) and interval_ns (0 = the finest declared; trades have 0), or -ENOENT. */
int rt_init_series(struct rt_init *init, uint16_t row_kind, uint32_t key, int64_t interval_ns);

/* rt_init_endless tells whether the run has no end of its own: the virtual clock, no end: declared,
 * and no source that ends. What goes on for ever by itself refuses such a run. */
bool rt_init_endless(const struct rt_init *init);

/* rt_init_warm returns the instant at which the run's warm-up ends, ns UTC; INT64_MIN without one.
 * Till then actors hear all there is, and should have no effect beyond themselves. */
int64_t rt_init_warm(const struct rt_init *init);

/* rt_init_begins returns the instant from which on there are rows of a series (an index) in the run
 * proper, ns UTC: the later of its first row and of the run's start, after the warm-up. INT64_MIN
 * on the real clock, which may start anew at any time. */
int64_t rt_init_begins(const struct rt_init *init, int series);

/* rt_init_actor returns the id of the actor named name, or -ENOENT. */
int rt_init_actor(struct rt_init *init, const char *name);

/* rt_init_actor_kind returns the id of the n-th (from 0, in id order) actor of a kind in the whole
 * graph, or -ENOENT; its config map goes to *config when not NULL. */
int rt_init_actor_kind(struct rt_init *init, const char *kind, int n, struct rt_node **config);

/* A kind of actor; constant, listed in actors/registry.c. */
struct rt_actor_kind {
    const char *name;                /* as in YAML */
    const char *help;                /* one sentence for `shrike --help` and `check` */
    const struct rt_option *options; /* declared keys, ends with a NULL name */
    const uint16_t *says;            /* kinds it says, ends with 0 */
    const uint16_t *own;             /* kinds of which it hears only frames about itself (the
                                      * registry tells whom a frame is about), ends with 0;
                                      * NULL = none */
    enum rt_class timer_class;       /* class of its timers */
    bool hears_open;                 /* may know what only just begins: the venue */
    size_t state_bytes;              /* bytes of state */

    /* reads the config and fills the zeroed state; 0 or negative errno with err. */
    int (*init)(struct rt_init *init, void *state, struct rt_error *err);

    /* finds the parameter named name of an actor whose own map is config, and reads text as its
     * value (a double's bits where it is one), for `set`; 0 or -EINVAL with err. NULL = none. */
    int (*param)(struct rt_node *config, const char *name, const char *text, uint16_t *param,
                 int64_t *value, struct rt_error *err);

    /* frames, by kind; NULL = not heard. MSG_START, MSG_TIMER, MSG_COMMAND, MSG_STOP,
     * MSG_RESTART ... come this way too. */
    void (*on[MSG_KIND_MAX])(struct rt_ctx *ctx, void *state, const struct msg_frame *frame);

    /* rows of a series, oldest first, cnt >= 1: takes as many as it likes, at least one, and
     * returns how many. ctx->now_ns is the first row's time; for each further row the handler
     * calls rt_row_now first. It must stop after a row on which it said something or moved a
     * timer or an interest. For RT_HEAR_OPEN, rows is the open body and cnt is 1. */
    uint32_t (*on_rows)(struct rt_ctx *ctx, void *state, uint16_t series, enum rt_hear how,
                        const void *rows, uint32_t cnt);

    /* tells how many of the cnt rows that follow, oldest first, it would hear in silence, without
     * moving anything, whatever else happens meanwhile but frames for it of that series (see
     * series_of); 0 = it is not known. The state stays as it is. A shard that keeps no journal then
     * lets the actor sleep through them: they are told later, all at once. NULL = never. */
    uint32_t (*quiet_rows)(const void *state, uint16_t series, const void *rows, uint32_t cnt);

    /* tells the one series whose rows a frame it hears has to do with: what it slept through of
     * that series is told first; RT_SERIES_ANY = of all, RT_SERIES_NONE = nothing. NULL = of all.
     */
    int32_t (*series_of)(const void *state, const struct msg_frame *f);

    /* writes the whole state as rows. */
    void (*save)(const void *state, struct rt_row_sink *sink);

    /* takes back one row that save wrote, into a state fresh from init; 0, or negative errno with
     * err when the row makes no sense. Timers and interests come back by themselves. */
    int (*load)(void *state, uint16_t kind, uint64_t key, const void *row, uint32_t bytes,
                struct rt_error *err);
};

/* rt_row_now moves ctx to the time of row number idx (its end at end_ns) of a run: call it before
 * looking at each row after the first. */
static inline void rt_row_now(struct rt_ctx *ctx, int64_t end_ns) {
    ctx->now_ns = end_ns;
    /* stored for each row, whatever the compiler sees: the watchdog's handler reads it */
    __atomic_store_n(&ctx->trace_id, ctx->trace_id + 1, __ATOMIC_RELAXED);
}

/* rt_quiet tells whether a run of rows may go on: nothing was said or moved in this call. */
static inline bool rt_quiet(const struct rt_ctx *ctx, const uint8_t *out_before) {
    return ctx->out == out_before && !ctx->moved;
}

/* A place for frames that found no room; contents are thrown away. */
extern _Thread_local uint64_t rt_overfull_bin[MSG_FRAME_MAX / 8 + 1];

static inline void *rt_say(struct rt_ctx *ctx, uint16_t kind, uint16_t dest, uint32_t body_bytes) {
    uint32_t size = (uint32_t)sizeof(struct msg_frame) + ((body_bytes + 7U) & ~7U);
    if (__builtin_expect((size_t)(ctx->out_end - ctx->out) < size, 0)) {
        ctx->overfull = true;
        return rt_overfull_bin;
    }
    struct msg_frame *f = (struct msg_frame *)(void *)ctx->out;
    *f = (struct msg_frame){ .kind = kind,
                             .size = (uint16_t)size,
                             .source = ctx->self,
                             .dest = dest,
                             .seq = ++*ctx->said_seq,
                             .stamp = ctx->stamp,
                             .time_ns = ctx->now_ns,
                             .trace_id = ctx->trace_id };
    ctx->out += size;
    if (body_bytes & 7U) *(uint64_t *)(void *)(ctx->out - 8) = 0;
    return f + 1;
}
#endif
