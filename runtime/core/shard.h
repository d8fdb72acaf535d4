/* shard.h - a shard: one thread, its actors, their mail, and the one loop all runs share.
 *
 * For     boot, which builds shards from a topology, and the shard's own files: shard.c (mail and
 *         events), series.c (rows in merge order), step.c (shards that go together), tape.c
 *         (journal, recovery, replay).
 *
 *         An outside event (rows, a timer, a command, a frame of another shard) is round one: its
 *         hearers are called in id order. What they say is mail, heard in the next round, and so on
 *         until quiet; then comes the next event. Backtest, paper, live, recovery and replay are
 *         this loop; they differ in the clock and in whether a tape is behind it.
 * Thread  a shard's fields belong to its thread, but for those marked.
 * Memory  everything from the shard's arena, sealed before the first event. */
#ifndef RUNTIME_CORE_SHARD_H
#define RUNTIME_CORE_SHARD_H
#include "runtime/base/arena.h"
#include "runtime/base/error.h"
#include "runtime/core/actor.h"
#include "runtime/core/meter.h"
#include "runtime/core/poller.h"
#include "runtime/core/ring.h"
#include "runtime/core/source.h"
#include "runtime/store/journal.h"
#include "runtime/store/snapshot.h"
#include "runtime/time/wheel.h"
#include "schemas/messages.h"
#include <stdatomic.h>

enum {
    RT_LOCAL_MAX = 64,       /* actors on one shard */
    RT_ACTORS_MAX = 1024,    /* actors and sources in one graph: ids are below this */
    RT_SHARDS_MAX = 64,      /* shards of one run */
    RT_OWN_MAX = 64,         /* different sets of actors that hear only of themselves */
    RT_SOURCE_ID = 0x8000,   /* ids of sources start here */
    RT_SHARD_ID = 0xf000,    /* source of frames the runtime itself says: RT_SHARD_ID + shard */
    RT_RUN_ROWS_MAX = 65536, /* rows between two Advance records */
    RT_VERIFIED = -10000,    /* fault code of a verifying replay that came to its tape's end */
};

/* Which clock stands behind the door. */
enum rt_clock_kind { RT_CLOCK_VIRTUAL, RT_CLOCK_PACED, RT_CLOCK_REAL };

/* What a shard does while there is nothing to do. */
enum rt_idle { RT_IDLE_SPIN, RT_IDLE_ADAPTIVE, RT_IDLE_BLOCK };

/* What an edge does when it is full. */
enum rt_full { RT_FULL_REFUSE, RT_FULL_CONFLATE, RT_FULL_DROP, RT_FULL_MERGE, RT_FULL_WAIT };

/* Words all processes of a run share (in the link memory). */
struct rt_shared {
    _Alignas(128) _Atomic uint32_t kill; /* kill word: set by signal, file, command, watchdog;
                                           * relaxed, every shard reads it each turn */
    _Alignas(128) _Atomic uint32_t stop; /* a Reason: the run is to end; relaxed */
    _Alignas(128) _Atomic uint32_t wish; /* > 0: some shard asks those in step to give way */
    _Alignas(128) _Atomic uint32_t lost; /* set by the supervisor before it starts a process anew */
    _Alignas(128) _Atomic uint32_t failed; /* 1 + number of the first shard that ended by a fault:
                                            * those that wait for it give up */
    _Alignas(128) _Atomic uint32_t ended;  /* shards that came to their end */
    _Alignas(128) _Atomic uint64_t pace_origin_ns; /* wall time of the first event, paced clock */
};

/* A shard's sign of life, in the link memory: the supervisor's watchdog reads it. */
struct rt_pulse {
    _Alignas(
        128) _Atomic int64_t beat_ns; /* monotonic time of the last look at the clock; relaxed */
    _Atomic uint32_t tid;             /* the shard's thread, 0 = not running */
    _Atomic int32_t pid;              /* its process */
    _Atomic uint64_t call;            /* the call in hand: actor's id << 48 | number of the call;
                                       * 0 = the runtime is at work; relaxed */
    _Atomic uint64_t answers;         /* questions of the watchdog that were answered: the call goes
                                       * on; relaxed */
    _Atomic uint32_t waits;           /* 1 = it stands still: its journal finds no room on the disk;
                                       * relaxed */
    _Atomic uint32_t live;            /* 1 = it has come to its tape's end since the link was laid:
                                       * what it shows as taken is true; released by the shard */
};

/* One actor as the shard sees it; what every frame touches comes first. */
struct rt_local {
    _Alignas(64) const struct rt_actor_kind *kind; /* descriptor */
    void *state;                                   /* its state */
    uint32_t *mail[2];                             /* offsets of its frames in the two queues */
    uint32_t mail_cnt[2];                          /* how many */
    uint64_t calls;                                /* frames and rows heard since the start */
    uint64_t poison_call;   /* the one it must not hear, counted from 1; UINT64_MAX = none */
    uint32_t said_seq;      /* frames said since the start */
    uint16_t id;            /* global id */
    bool stopped;           /* left out: hears nothing more */
    bool sleeps;            /* it sleeps through rows of some series */
    uint64_t draws;         /* random numbers drawn */
    uint64_t expiries;      /* timers heard: the sequence of their trace ids */
    uint32_t poison_signal; /* what it died of there */
    uint16_t stop_reason;   /* the Reason it was left out for, 0 = runs */
    char name[48];          /* its name */
};

/* Who hears a kind from one sender: a stretch of shard.hearers. */
struct rt_route {
    uint16_t first;    /* index of the first */
    uint8_t local_cnt; /* local indices first ... */
    uint8_t edge_cnt;  /* ... then edge indices */
    bool journal;      /* its OUT record is kept */
    bool gate;         /* it leaves the process: under each-order it waits for the sync */
    bool apart;        /* a gate or heard by other shards: more to do than local mail */
    uint8_t own; /* > 0: mask number own - 1 of those here who hear it when it is about them */
};

/* An outgoing edge: all frames for one other shard. */
struct rt_edge_out {
    struct rt_ring_tx tx;            /* the ring */
    uint16_t shard;                  /* receiving shard */
    uint8_t full_of[MSG_KIND_MAX];   /* enum rt_full by kind: what happens when it is full */
    uint8_t key_at[MSG_KIND_MAX];    /* by kind: where in the body stands what it tells of ... */
    uint8_t key_bytes[MSG_KIND_MAX]; /* ... and its size; 0 = no newer one makes it old */
    uint32_t frames_max;             /* pending frames at most */
    uint8_t *pending;                /* frames waiting for room, oldest first */
    uint32_t pending_cnt;            /* how many */
    uint32_t pending_bytes;          /* bytes used */
    uint64_t sent;                   /* frames offered */
    uint64_t dropped, merged, refused, waited; /* what became of those that found no room */
    uint32_t high_water;                       /* most frames ever queued */
};

/* An incoming edge. */
struct rt_edge_in {
    struct rt_ring_rx rx; /* the ring */
    uint16_t shard;       /* sending shard */
    uint64_t heard;       /* frames heard, that is journaled, since the start */
};

/* Where a series is read, one way of hearing. */
struct rt_cursor {
    uint64_t row; /* number of the next row not yet told this way */
    uint64_t up;  /* bit per local actor that wants to hear it */
};

/* Rows that a local actor sleeps through, heard as whole rows: they are told it when it wakes. */
struct rt_nap {
    uint64_t from; /* the first it was not told */
    uint64_t wake; /* the one it wakes for */
};

/* A series on this shard. */
struct rt_feed {
    struct rt_series s;                /* as the source describes it */
    const struct rt_source_kind *kind; /* to close it */
    struct rt_block block[2];          /* the newest stretch of rows and the one before */
    bool even[2];                      /* rows of that stretch are just a span apart, all of them */
    struct rt_cursor cur[RT_HEAR_CNT]; /* one per way of hearing */
    uint64_t latest[2];                /* rt_latest's and rt_opened's places: rows known told */
    uint64_t asleep;                   /* bit per local actor that sleeps through its rows */
    int64_t row_end_ns;                /* while somebody sleeps: end of cur[RT_HEAR_ROW].row */
    struct rt_nap *naps;               /* by local actor; NULL = nobody may sleep on this shard */
    uint16_t id;                       /* source id of its trace ids */
    bool done;                         /* every row was told every way that anyone wants */
};

/* What comes next. */
struct rt_next {
    int64_t time_ns;      /* INT64_MAX = nothing */
    uint64_t order;       /* class, kind, rank or id, packed: smaller is earlier */
    int16_t series;       /* index, or -1 for a timer */
    uint8_t how;          /* enum rt_hear */
    bool alone;           /* after_ns and after_order tell what comes after it */
    int64_t after_ns;     /* what comes after it, but for rows of its own: time ... */
    uint64_t after_order; /* ... and order */
};

/* A message of the runtime that was journaled and waits for its turn. */
struct rt_held {
    struct msg_frame f; /* head */
    uint64_t body[8];   /* body */
    bool full;          /* there is one */
};

/* Counters of a shard, read from outside through the metrics page. */
struct rt_tally {
    uint64_t turns, events, rows, mails; /* loop turns, outside events, rows told, frames heard */
    uint64_t idle_turns;                 /* turns without work */
    uint64_t longest_turn_ns;            /* longest time without a look at the clock */
    uint64_t snapshots;                  /* handed to the helper */
};

/* The shard. */
struct rt_shard {
    struct rt_ctx ctx;        /* what handlers see; ctx.shard points here */
    struct rt_local *locals;  /* actors, in id order */
    struct rt_route *routes;  /* [row of sender][kind] */
    uint16_t *hearers;        /* what routes point into */
    uint32_t route_rows;      /* senders known: rows of routes */
    uint32_t own_cnt;         /* masks in own */
    uint64_t own[RT_OWN_MAX]; /* bit per local actor: masks that routes number */
    uint16_t (*about)(const struct msg_frame *f); /* whom a frame is about; NULL = none is */
    uint16_t row_of[RT_ACTORS_MAX];               /* sender id -> row of routes, 0xffff = unknown */
    int16_t local_of[RT_ACTORS_MAX];              /* actor id -> local index, -1 */
    uint16_t shard_of[RT_ACTORS_MAX];             /* actor id -> its shard */
    uint8_t *queue[2];                            /* the two mail queues */
    uint8_t *queue_end[2];                        /* end of their room */
    uint8_t *queue_at;                     /* where the next frame of the coming round goes */
    uint8_t *round_end;                    /* end of the room of what is said in this round */
    uint64_t mail_up[2];                   /* bit per actor that has mail */
    uint32_t mail_max;                     /* frames an actor can be sent in one round */
    uint32_t call_bytes;                   /* bytes one call may say; at the stop all of a round */
    int now_q;                             /* queue being heard; the other is being filled */
    uint16_t local_cnt, edge_out_cnt;      /* actors here; shards said to */
    uint16_t edge_in_cnt, series_cnt;      /* shards heard; series of all sources */
    uint16_t number;                       /* number of this shard in the run, from 0 */
    uint16_t shard_cnt;                    /* shards of the run */
    struct rt_edge_out out[RT_SHARDS_MAX]; /* one per shard we send to */
    struct rt_edge_in in[RT_SHARDS_MAX];   /* one per shard we hear, in number order */
    uint8_t out_of[RT_SHARDS_MAX];         /* shard -> index in out, 0xff = none */
    uint8_t in_of[RT_SHARDS_MAX];          /* shard -> index in in, 0xff = none */

    struct rt_feed *feeds;         /* series, in rank order */
    int64_t *due[RT_HEAR_CNT];     /* next time per series and way; INT64_MAX = none */
    uint32_t due_cnt[RT_HEAR_CNT]; /* series that are due at all, heard that way */
    int64_t same_ns;               /* the earliest of them, INT64_MIN = to be looked for */
    uint64_t same_up[RT_HEAR_CNT][RT_SERIES_MAX / 64]; /* bit per series that is due then */
    struct rt_wheel *wheel;                            /* timers */

    enum rt_clock_kind clock;    /* which clock */
    double speed;                /* of the paced clock */
    int64_t start_ns, end_ns;    /* span of the run, its warm-up included */
    int64_t warm_ns;             /* when the warm-up ends, INT64_MIN = there is none */
    int64_t clock_ns;            /* real clock: as read at the turn's start */
    int64_t now_ns;              /* time of the last event */
    uint64_t order;              /* its place among events of that instant */
    uint64_t events;             /* outside events taken */
    uint64_t run_trace;          /* trace id a run of rows began with, 0 = no run */
    uint64_t rows_limit;         /* replaying: rows may be told up to this count */
    uint64_t rows, rows_flushed; /* rows told; as of the last Advance record */
    int64_t row_ns;              /* event time of the last row */
    uint64_t seed;               /* of the run */

    bool step;                 /* shards go together (virtual, paced, several) */
    bool give_way;             /* the next token asks for one more exchange */
    bool go_said, go_agreed;   /* paced: the shared event's moment has come: said by
                                              * this shard's next token; agreed by all */
    bool resaying;             /* the tape has ended, and a peer may have heard more than was said
                                * again: in step nothing from outside is taken until it was */
    uint32_t stop_agreed;      /* a Reason all shards stop for, 0 = none */
    uint32_t stop_said;        /* the one this shard asked for (journaled) */
    struct rt_held held;       /* a message of the runtime waiting for its turn */
    bool remote_mail;          /* this round something went to another shard */
    int64_t drain_ns, busy_ns; /* real clock: when a stop was first seen, 0 = not; last work */
    int64_t stopped_ns;        /* monotonic time of the first idle turn after Stop */
    bool started, stopped, finished;    /* Start heard; Stop heard; the loop is over */
    uint64_t exchange;                  /* number of the step exchange */
    int64_t peer_ns[RT_SHARDS_MAX];     /* next event of each shard: time ... */
    uint64_t peer_order[RT_SHARDS_MAX]; /* ... and order */

    struct rt_journal journal;         /* what was heard and said */
    bool journal_on;                   /* false: nothing is kept */
    bool dirty;                        /* something was appended this turn */
    enum rt_durability durability;     /* each-order waits before requests go on */
    struct rt_tape *tape;              /* while replaying: what must come; else NULL */
    const struct msg_frame *tape_next; /* its next record, NULL = not looked or at its end */
    uint64_t taped;                    /* records taken from the tape */
    bool verify;                       /* replay only: stop at the tape's end */
    struct rt_error fault;             /* what ended the shard, text empty = nothing */

    struct rt_snapshots *snapshots; /* NULL = none */
    uint32_t snapshot_slot;         /* this shard's number there */
    int64_t snapshot_every_ns;      /* wall time between two */
    int64_t snapshot_last_ns;       /* monotonic time of the last */

    struct rt_ring_rx commands; /* from the control thread; ring NULL = none */
    struct rt_ring_tx answers;  /* what became of them, to the control thread; ring NULL = none */
    uint64_t command_key;       /* key of the newest command heard, 0 = none */
    struct rt_shared *shared;   /* words of the run */
    uint32_t kill_seen;         /* kill word as last told */
    int journal_error_seen;     /* as last told */
    uint32_t looks;             /* how often rt_shard_look came to the journal */
    int64_t journal_low_ns;     /* monotonic time since when segments are short, 0 = not */
    bool journal_low_seen;      /* as last told */
    struct rt_poller *poller;   /* where it waits */
    struct rt_poller *peers[RT_SHARDS_MAX]; /* where others wait, to be woken */
    enum rt_idle idle;                      /* how it waits */
    uint32_t yields;        /* adaptive: then so often it lets others have the core */
    uint32_t spins;         /* adaptive: tries before it lets others have the core */
    struct rt_arena arena;  /* its memory */
    struct rt_tally tally;  /* counters */
    struct rt_meter meter;  /* the page they go to */
    const void *world;      /* what actors share */
    struct rt_graph *graph; /* names and kinds of all actors (boot) */
    struct rt_pulse *pulse; /* sign of life, never NULL */
};

/* rt_shard_calling notes that actor a is called now; a->calls tells which call it is. One store. */
static inline void rt_shard_calling(struct rt_shard *s, const struct rt_local *a) {
    atomic_store_explicit(&s->pulse->call, (uint64_t)a->id << 48 | a->calls, memory_order_relaxed);
}
/* rt_shard_called notes that the call is over: a fault between two calls is no actor's. */
static inline void rt_shard_called(struct rt_shard *s) {
    atomic_store_explicit(&s->pulse->call, 0, memory_order_relaxed);
}

/* rt_shard_enter readies ctx for calls of actor local: what stays the same over its mail of a
 * round. */
static inline void rt_shard_enter(struct rt_shard *s, struct rt_local *a, uint16_t local) {
    s->ctx.said_seq = &a->said_seq;
    s->ctx.self = a->id;
    s->ctx.local = local;
}

/* rt_shard_call_end returns where the room ends of a call whose frames begin at from: handlers that
 * may have much to say ask how much is left. */
static inline uint8_t *rt_shard_call_end(const struct rt_shard *s, uint8_t *from) {
    uint8_t *end = from + s->call_bytes;
    return end < s->round_end ? end : s->round_end;
}

/* rt_shard_begin readies ctx for a call of actor local and returns where its frames will begin. */
static inline uint8_t *rt_shard_begin(struct rt_shard *s, uint16_t local) {
    struct rt_local *a = &s->locals[local];
    rt_shard_enter(s, a, local);
    s->ctx.out = s->queue_at;
    s->ctx.out_end = rt_shard_call_end(s, s->queue_at);
    s->ctx.moved = false;
    a->calls++;
    return s->ctx.out;
}

/* rt_shard_run runs the loop until the run ends: recovery from the tape first when there is one.
 * Returns 0, or a negative errno with s->fault filled. */
int rt_shard_run(struct rt_shard *s);

/* rt_shard_state_hash hashes the state of every actor by its rows, into out[local_cnt]. */
void rt_shard_state_hash(struct rt_shard *s, uint64_t *out);

/* Between the shard's files. */

/* rt_shard_fail notes what ended the shard; the loop returns. Returns code. */
int rt_shard_fail(struct rt_shard *s, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* rt_shard_record appends f to the journal (dir 0 or MSG_OUT), or, replaying, compares it. */
void rt_shard_record(struct rt_shard *s, struct msg_frame *f, uint16_t dir);
/* rt_shard_advance writes the Advance record that is due, if any. */
void rt_shard_advance(struct rt_shard *s);
/* rt_shard_broadcast records f and hands it to every local actor that hears its kind. */
void rt_shard_broadcast(struct rt_shard *s, struct msg_frame *f);
/* rt_shard_hand hands f (recorded by the caller) to its hearers as round one. */
void rt_shard_hand(struct rt_shard *s, const struct msg_frame *f);
/* rt_shard_post puts a copy of f (from another shard) into the mail of the coming round. */
void rt_shard_post(struct rt_shard *s, const struct msg_frame *f);
/* rt_shard_quiet runs rounds until nothing is left to hear (alone; in step with all). */
void rt_shard_quiet(struct rt_shard *s);
/* rt_shard_turn_over makes queue q (0, 1) the one that what is said goes to, from its start. */
void rt_shard_turn_over(struct rt_shard *s, int q);
/* rt_shard_round hears one round of mail; false when there was none. */
bool rt_shard_round(struct rt_shard *s);
/* rt_shard_event begins an outside event at (time, order). */
void rt_shard_event(struct rt_shard *s, int64_t time_ns, uint64_t order, uint64_t trace_id);
/* rt_shard_look takes what is not in the order of events (kill word, journal state, a command),
 * journals it and holds it for its turn. */
void rt_shard_look(struct rt_shard *s);
/* rt_shard_noted remembers what the record rec of the tape told of kill word, journal, command. */
void rt_shard_noted(struct rt_shard *s, const struct msg_frame *rec);
/* rt_shard_relax passes a moment by the idle mode, tries being how often in a row; true: it is
 * time to sleep. */
bool rt_shard_relax(const struct rt_shard *s, uint64_t tries);
/* rt_shard_asked tells whether rt_shard_look would find a command or a changed kill word. */
bool rt_shard_asked(struct rt_shard *s);
/* rt_shard_heard hears a frame of another shard as an event of its own (real clock). */
void rt_shard_heard(struct rt_shard *s, struct rt_edge_in *e, struct msg_frame *f);
/* rt_shard_timer pops the next timer and hears it. */
void rt_shard_timer(struct rt_shard *s);
/* rt_shard_stop tells Stop, once. */
void rt_shard_stop(struct rt_shard *s, uint16_t reason);
/* rt_shard_loaded finds the rows again where the snapshot's cursors stand. 0 or negative errno. */
int rt_shard_loaded(struct rt_shard *s);
/* rt_shard_turn ends a turn: marks, snapshots, beat. */
void rt_shard_turn(struct rt_shard *s);
/* rt_shard_call calls actor local with f. */
void rt_shard_call(struct rt_shard *s, uint16_t local, const struct msg_frame *f);
/* rt_shard_leave_out stops actor local for a Reason: it hears nothing more, and all are told. */
void rt_shard_leave_out(struct rt_shard *s, uint16_t local, uint16_t reason);
/* rt_shard_poison leaves actor local out at the call it died of before, and journals why. */
void rt_shard_poison(struct rt_shard *s, uint16_t local);
/* rt_shard_said routes what a call said, from the address where it began. */
void rt_shard_said(struct rt_shard *s, uint16_t local, uint8_t *from);

/* rt_series_keep makes b the newest stretch of d's rows. */
void rt_series_keep(struct rt_feed *d, const struct rt_block *b);
/* rt_series_next finds what comes next: rows and timers. */
void rt_series_next(struct rt_shard *s, struct rt_next *out);
/* rt_series_tell tells rows of n (a row event), at most rows_max and before the limit. */
void rt_series_tell(struct rt_shard *s, const struct rt_next *n, uint64_t rows_max,
                    int64_t limit_ns, uint64_t limit_order);
/* rt_series_tell_one takes exactly one event of those next: a timer, or one row. */
void rt_series_tell_one(struct rt_shard *s, const struct rt_next *n);
/* rt_series_next_row is rt_series_next without timers. */
void rt_series_next_row(struct rt_shard *s, struct rt_next *out);
/* rt_series_due_at tells the merge that the next row of series heard that way comes at ns. */
static inline void rt_series_due_at(struct rt_shard *s, uint16_t series, enum rt_hear how,
                                    int64_t ns) {
    uint64_t *up = &s->same_up[how][series / 64], bit = 1ULL << (series % 64);
    s->due_cnt[how] += (uint32_t)(ns != INT64_MAX) - (uint32_t)(s->due[how][series] != INT64_MAX);
    s->due[how][series] = ns;
    *up = ns == s->same_ns ? *up | bit : *up & ~bit;
    if (__builtin_expect(ns < s->same_ns, 0)) s->same_ns = INT64_MIN;
}
/* rt_series_due tells the merge when the cursor's next row comes. */
void rt_series_due(struct rt_shard *s, uint16_t series, enum rt_hear how);
/* rt_series_wake tells local what it slept through of the series that f has to do with (NULL = of
 * all), as far as its rows are past. */
void rt_series_wake(struct rt_shard *s, uint16_t local, const struct msg_frame *f);
/* rt_series_order returns the packed order of series heard that way. */
uint64_t rt_series_order(enum rt_hear how, uint16_t series);

/* rt_step_exchange takes part in exchanges until all shards are quiet. */
void rt_step_exchange(struct rt_shard *s);
/* What a Yield record tells, in its dest: what makes the shard's next token other than its data. */
enum rt_yield {
    RT_YIELD_WAY,  /* it gave way: all meet before its next event */
    RT_YIELD_STOP, /* it was asked to stop */
    RT_YIELD_GO,   /* paced: the moment of the event that several share has come */
};
/* How much of what a peer has heard is still to be said again after a recovery. */
enum rt_owed {
    RT_OWED_NOTHING, /* all was: the shard is free */
    RT_OWED_UNKNOWN, /* a peer that recovers has not shown yet what it heard */
    RT_OWED_FRAMES,  /* a peer has heard more: until it is said nothing may change it */
};
/* rt_step_owed tells what the shard owes after its tape's end, and notes when it is nothing. */
enum rt_owed rt_step_owed(struct rt_shard *s);
/* rt_edge_owed tells it of one edge: whether the frame that comes next was said before. */
enum rt_owed rt_edge_owed(const struct rt_shard *s, const struct rt_edge_out *e);

/* rt_tape_begin starts replaying from the tape (already open at the snapshot's position). */
void rt_tape_begin(struct rt_shard *s, struct rt_tape *tape);
/* rt_tape_peek returns the next record, NULL at the end. */
const struct msg_frame *rt_tape_peek(struct rt_shard *s);
/* rt_tape_take moves past the record peeked. */
void rt_tape_take(struct rt_shard *s);
/* rt_tape_turn replays one outside event; false at the tape's end. */
bool rt_tape_turn(struct rt_shard *s);
/* rt_tape_rows prepares the telling of rows while replaying: false when the tape has no row event
 * here any more (it ended). s->rows_limit bounds the run. */
bool rt_tape_rows(struct rt_shard *s, const struct rt_next *n);
/* rt_shard_snapshot copies the state out when it is time (or now, by force). */
void rt_shard_snapshot(struct rt_shard *s, bool force);
/* rt_shard_load puts one row of a snapshot back (rt_snapshot_row_fn; arg is the shard). */
int rt_shard_load(void *arg, uint16_t owner, uint16_t kind, uint64_t key, const void *row,
                  uint32_t bytes, struct rt_error *err);
/* rt_edge_push sends f over edge e by its policy. */
void rt_edge_push(struct rt_shard *s, struct rt_edge_out *e, const struct msg_frame *f);
/* rt_edge_known waits, right after a recovery, until the receiver of e, which recovers too, has
 * shown what it heard. Returns what is owed to it. */
enum rt_owed rt_edge_known(struct rt_shard *s, const struct rt_edge_out *e);
/* rt_edge_replay takes a record of the tape that tells of waiting frames that went into the ring,
 * and does so; false when there is none. */
bool rt_edge_replay(struct rt_shard *s);
/* rt_edge_pend puts f behind the frames that wait for room, from a snapshot; false: it has none. */
bool rt_edge_pend(struct rt_edge_out *e, const struct msg_frame *f);
/* rt_edge_drain sends what is pending as far as there is room. */
void rt_edge_drain(struct rt_shard *s, struct rt_edge_out *e);
#endif
