/* crowd.h - works a book's orders on a matching engine among simulated traders (agents.h).
 *
 * For     the venue, for instruments that its agents: names; the rules stand in venue.h. Each event
 *         of the traders is a timer of the venue's; what it brings about (trades, a new touch) is
 *         said at once, after the fills of ours that belong to it.
 * Thread  the venue's shard.
 * Memory  the market, and rows to load it from, from the arena at init: some 2 MB an instrument.
 * Cost    agents.h; an order of ours: the engine's, and a walk over its account's open orders a
 *         trade. */
#ifndef ACTORS_VENUE_CROWD_H
#define ACTORS_VENUE_CROWD_H
#include "actors/venue/agents.h"
#include "actors/venue/venue.h"

enum { VENUE_CHANGED_MAX = 2048 }; /* levels that may change in one event; more: all are told */

/* A level that has changed and is still to be told. */
struct venue_changed {
    int64_t price; /* ticks */
    int64_t lots;  /* shown there now, 0 = gone */
    uint64_t side; /* enum vm_side */
};

/* An order of ours whose fate others hang on, in the events that are being told. */
struct venue_decided {
    uint64_t id, oco; /* the order, its group */
    uint64_t parent;  /* what it hangs on itself, 0 = none */
    qty_t filled;     /* what of it has traded in these events */
    uint8_t account;  /* whose */
    uint8_t fate;     /* enum venue_fate */
    uint8_t pad[6];   /* zero */
};

struct venue_worked; /* backing.h */

/* The market of one instrument. */
struct venue_crowd {
    struct ag *ag;              /* the traders and the engine */
    const struct venue *v;      /* whose orders ... */
    const struct venue_book *b; /* ... of which instrument */
    struct vm_row *rows;        /* rows of the engine while it is loaded */
    uint64_t *ids;         /* by slot of the venue's orders: the engine's number of it, 0 = none */
    struct msg_quote told; /* the touch told last */
    uint64_t prints;       /* trades told */
    uint32_t row_max;      /* room in rows */
    uint32_t row_got;      /* rows taken */
    uint32_t owners;       /* accounts: owners 0.. of the engine */
    bool pumping;          /* events are being told */
    bool all;              /* changed had no room: the book is to be told whole */
    uint32_t changed_cnt;  /* levels in changed */
    uint64_t updates;      /* updates of the book told */
    struct venue_decided *decided; /* room for every order of ours */
    uint32_t decided_cnt;          /* how many */
    struct venue_changed *changed; /* levels, in order of their first change; NULL = the book is not
                                    * told */
    struct vm_depth *levels;       /* scratch, where the book is told: room for every level */
    struct venue_worked *work;     /* position that is being closed by force, NULL = none */
    uint64_t work_id;              /* the engine's number of the order that does it */
    bool found;                    /* ids are right: since init, or since looked for after a load */
};

/* Declared for one instrument. */
struct venue_crowd_options {
    struct ag_options market; /* the traders */
    bool declared;            /* agents: names it */
    bool book;                /* changes of its book are told */
};

/* venue_crowd_options_read reads agents: of config into out, one entry an instrument of m, all zero
 * before; nothing is declared when it is missing. 0 or -EINVAL with err. */
int venue_crowd_options_read(struct rt_node *config, const struct mk_market *m, uint64_t seed,
                             struct venue_crowd_options *out, struct rt_error *err);

/* venue_crowd_new takes the memory of the market of v's book b from the arena. */
struct venue_crowd *venue_crowd_new(struct rt_init *init, const struct venue_crowd_options *options,
                                    const struct venue *v, const struct venue_book *b);

/* venue_crowd_start opens b's market. */
void venue_crowd_start(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_crowd_step does what the traders do now and arms the timer for what they do next. */
void venue_crowd_step(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_crowd_join sends the open order idx, which has just arrived, to the engine. It may be gone
 * then. */
void venue_crowd_join(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_crowd_mark tells the engine b's newest mark, and what comes of it. */
void venue_crowd_mark(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_crowd_amend gives the open order idx the figures to in the engine, where it is there: of
 * one that waits for its trigger by sending it anew. What comes of it is told by venue_crowd_tell,
 * when the order has them too. Returns why not, REASON_NONE when it did. */
uint16_t venue_crowd_amend(struct rt_ctx *ctx, struct venue *v, struct venue_book *b, uint32_t idx,
                           const struct venue_figures *from, const struct venue_figures *to);

/* venue_crowd_force takes what the traders' book has for w at its limit or better, and tells all
 * that comes of it. Always true: there is room. */
bool venue_crowd_force(struct rt_ctx *ctx, struct venue *v, struct venue_book *b,
                       struct venue_worked *w);

/* venue_crowd_leave takes the order idx, which is about to be closed, out of the engine. */
void venue_crowd_leave(struct venue *v, struct venue_book *b, uint32_t idx);

/* venue_crowd_tell tells what has changed: levels of the book where that is declared, a new touch;
 * and tests what margin backs. */
void venue_crowd_tell(struct rt_ctx *ctx, struct venue *v, struct venue_book *b);

/* venue_crowd_save writes the rows of b's market. */
void venue_crowd_save(const struct venue *v, const struct venue_book *b, struct rt_row_sink *sink);

/* venue_crowd_counter takes back a figure that venue_crowd_save wrote; false: no such figure. */
bool venue_crowd_counter(struct venue_crowd *c, uint32_t figure, int64_t value);

/* venue_crowd_row takes back row number idx of the engine; false when it makes no sense. */
bool venue_crowd_row(struct venue_crowd *c, uint64_t idx, const struct msg_engine_row *row);

enum {
    VENUE_CROWD_FIGURES = 32,     /* figures of a market in counters */
    VENUE_COUNTER_CROWD = 1 << 26 /* + instrument id * VENUE_CROWD_FIGURES: their first number */
};
#endif
