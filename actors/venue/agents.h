/* agents.h - simulated traders that make a living market on the matching engine of one instrument.
 *
 * For     the simulated venue, where an instrument has agents: instead of a recording, and files
 *         of invented trades. Four kinds of trader, each an owner in the engine:
 *           noise     market and limit orders for reasons of its own: random side, limit orders
 *                     behind the touch, most of them some `depth_bps` away, good for an
 *                     exponential time
 *           makers    four quotes a side around what they hold the value to be, sizes growing away
 *                     from the touch, shifted against their inventory, wider while news come
 *           momentum  take with the trend of the last minute when it is large
 *           value     know the value; take what is quoted on the wrong side of it, the more the
 *                     farther off it is
 *         The value is a sum of news: a Hawkes process of Laplace jumps, calibrated to the declared
 *         volatility, and rarely a shock, ten times as large, that brings more news with it.
 *         Actions of traders are a Hawkes process too, excited by itself and by news. Both have
 *         exponential kernels and are simulated exactly, by thinning (Ogata 1981): between two
 *         events the intensity only falls, so its value after one bounds it until the next. Who
 *         acts is drawn by kind, then evenly among the kind. Others' orders (ours) do not excite.
 * Use     ag_start, then again and again ag_step at ag_next_ns. All that the engine tells goes to
 *         out; whoever has read it passes it to ag_heed and sets out.cnt to 0, after ag_start, each
 *         ag_step and each command of his own. Owners below first_owner are others'.
 * Numbers doubles by + - * / and quant's exp and log alone; prices and sizes in whole ticks and
 *         lots. The same options give the same market, whatever the machine.
 * Random  Philox keyed by seed and stream: independent of all other actors' draws.
 * Thread  its caller's.
 * Memory  one block of ag_bytes; resting orders at most AG_RESTING_MAX.
 * Cost    about 0.5 us an action, some three actions a trade.
 * Source  Ogata, "On Lewis' simulation method for point processes", IEEE Trans. Inf. Theory 27
 *         (1981); Bacry, Mastromatteo, Muzy, "Hawkes processes in finance" (2015). */
#ifndef ACTORS_VENUE_AGENTS_H
#define ACTORS_VENUE_AGENTS_H
#include "actors/venue/match.h"

/* Kinds of trader. */
enum ag_kind { AG_NOISE, AG_MAKER, AG_MOMENTUM, AG_VALUE, AG_KINDS };

enum {
    AG_ORDERS = 8,         /* orders one trader may have resting; a maker's are its quotes */
    AG_NOISE_ORDERS = 4,   /* of a noise trader */
    AG_RESTING_MAX = 1600, /* orders all may have resting */
    AG_TRADERS_MAX = 4096, /* traders of one kind */
};

/* What is declared. */
struct ag_options {
    uint64_t seed;          /* of the market */
    int64_t start;          /* first value, ticks, 1000..1e12 */
    int64_t size;           /* typical order, lots, 1..1e9 */
    double rate;            /* actions a second on average, 0.01..1000 */
    double excitation;      /* part of them that others bring about, 0..0.95 */
    double volatility;      /* of the value, of a year, 0.01..10 */
    double spread_bps;      /* of makers in quiet times, 0.01..1000 */
    double depth_bps;       /* scale of limit orders' distance from the touch, 0.1..1000 */
    double patience_s;      /* mean life of a limit order near the touch, seconds, 1..1e6 */
    double day_shocks;      /* shocks a day on average, 0..1000 */
    uint32_t cnt[AG_KINDS]; /* traders of each kind; makers >= 1 */
    uint32_t stream;        /* tells apart markets of one seed: the instrument */
    uint32_t first_owner;   /* owners below are others' */
    uint32_t others_max;    /* orders the others may have open */
    void (*on_level)(
        void *ctx, uint8_t side, int64_t price,
        int64_t lots); /* told of each change of a level, as in vm_options; NULL = none */
    void *level_ctx;   /* for on_level */
    uint16_t (*on_fire)(void *ctx, struct vm_fired *order); /* as in vm_options */
    void *fire_ctx;                                         /* for on_fire */
};

/* All that changes besides the engine; plain data of 8-byte fields for snapshots. */
struct ag_figures {
    int64_t now_ns;   /* time of the last event */
    int64_t next_ns;  /* time of the next; INT64_MAX before the start */
    uint64_t draws;   /* random numbers drawn */
    uint64_t news;    /* 1 = the next event is news, 0 = a trader acts */
    double value;     /* logarithm of the value over the start */
    double seen;      /* the same as makers see it: a second late */
    double fast;      /* mean of the mid's logarithm over some 20 s */
    double slow;      /* over some two minutes */
    double stir_news; /* intensity of news above its base, a second */
    double stir_act;  /* intensity of actions above its base, a second */
};

enum { AG_FIGURES = sizeof(struct ag_figures) / 8 }; /* fields of it */

/* The market. */
struct ag {
    struct ag_options options;   /* as declared */
    struct ag_figures f;         /* what changes */
    struct vm *vm;               /* the engine */
    struct vm_out out;           /* what it tells */
    uint64_t (*ids)[AG_ORDERS];  /* by trader: its resting orders, 0 = none */
    uint32_t traders;            /* all of them */
    uint32_t orders_max;         /* of the engine */
    double news_base, news_mean; /* intensity of news: at rest, on average; a second */
    double news_kick;            /* by what one raises it */
    double act_base, act_kick;   /* likewise, of actions by actions */
    double act_news;             /* by what news raise that of actions */
    double jump;                 /* scale of a piece of news, logarithm */
    double minute;               /* volatility of a minute, logarithm */
    double shock_part;           /* part of news that are shocks */
};

/* ag_defaults fills o with what holds where nothing is declared; start and size are the caller's
 * to fill. */
void ag_defaults(struct ag_options *o);

/* ag_wrong returns NULL, or what is wrong with options, in a few words. */
const char *ag_wrong(const struct ag_options *o);

/* ag_bytes returns how much memory a market of right options needs. */
size_t ag_bytes(const struct ag_options *o);

/* ag_init makes a market without orders in zeroed memory of ag_bytes, aligned to 64. */
struct ag *ag_init(void *memory, const struct ag_options *o);

/* ag_start opens the market at now_ns: quotes and resting orders are placed at once. */
void ag_start(struct ag *a, int64_t now_ns);

/* ag_next_ns returns when ag_step is due. */
static inline int64_t ag_next_ns(const struct ag *a) {
    return a->f.next_ns;
}

/* ag_step does what happens at ag_next_ns and finds what happens next. */
void ag_step(struct ag *a);

/* ag_heed tells the traders of an event, of their orders or of others'. */
void ag_heed(struct ag *a, const struct vm_event *event);

/* ag_loaded finds the traders' orders after the engine and the figures were loaded. */
void ag_loaded(struct ag *a);
#endif
