/* faulty.c - strategies of the drills: one that trades often, and breaks when told to; and a fault
 * in the runtime itself.
 *
 * For     the program shrike_drill, which is shrike with this list of classes in place of
 *         actors/strategy/classes.c, and rt_journal_turn wrapped by the linker. It is not
 *         installed.
 * Thread  the shard's. */
#include "actors/strategy/classes.h"
#include "runtime/store/journal.h"
#include "tests/drill/mixed.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How it breaks. */
enum fault { FAULT_NONE, FAULT_ASSERT, FAULT_WILD, FAULT_LOOP, FAULT_FLOOD, FAULT_SLOW };

/* Order of the parameters. */
enum param { P_EVERY, P_TIMER, P_AT, P_HOW };

/* State. */
struct drill {
    int64_t every;  /* parameter */
    int64_t timer;  /* parameter, ns */
    int64_t at;     /* parameter */
    int64_t how;    /* parameter: enum fault */
    int64_t heard;  /* bars and trades heard */
    int64_t timers; /* timers heard */
    int64_t fills;  /* fills heard */
    uint64_t dice;  /* newest random number */
};

static const struct st_param drill_params[] = {
    { "every", ST_INT, 1, 1e9, 5, "turns round after so many bars or trades" },
    { "timer", ST_DURATION, 0, 86400, 0, "sets a timer for so long, again and again; 0 = none" },
    { "at", ST_INT, 0, 1e9, 0, "breaks at this bar or trade; 0 = never" },
    { "how", ST_INT, 0, 5, 0,
      "1 asserts, 2 writes wild, 3 loops for ever, 4 says too much, 5 takes 1 ms from then on" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* keep takes the parameters into the state. */
static void keep(struct drill *s, const union st_value *p) {
    s->every = p[P_EVERY].i;
    s->timer = p[P_TIMER].i;
    s->at = p[P_AT].i;
    s->how = p[P_HOW].i;
}

/* on_start keeps the parameters and sets the first timer. */
static void on_start(struct st_host *h, void *state, const struct st_start *start) {
    struct drill *s = state;
    keep(s, start->params);
    if (s->timer > 0) st_timer(h, 1, st_now(h) + s->timer);
}

/* on_set keeps the parameters. */
static void on_set(struct st_host *h, void *state) {
    keep(state, st_params(h));
}

/* work uses a millisecond of CPU time. */
static void work(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    const int64_t end_ns = t.tv_sec * 1000000000LL + t.tv_nsec + 1000000;
    do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    while (t.tv_sec * 1000000000LL + t.tv_nsec < end_ns);
}

/* break_down does what it was told. */
static void break_down(struct st_host *h, const struct drill *s) {
    struct st_signal signal = { .action = ST_WAIT, .reason = REASON_SIGNAL_CROSS_UP };
    switch ((enum fault)s->how) {
    case FAULT_NONE: return;
    case FAULT_ASSERT: abort();
    case FAULT_WILD: *(volatile int *)(uintptr_t)s->how = 1; return;
    case FAULT_LOOP:
        for (volatile int64_t i = 0;; i++) {
        }
    case FAULT_FLOOD:
        for (int i = 0; i < 1000000; i++) (void)st_signal(h, &signal);
        return;
    case FAULT_SLOW: return;
    }
}

/* heard turns the position round now and then. */
static void heard(struct st_host *h, struct drill *s, uint16_t leg) {
    s->heard++;
    if (s->at > 0 && s->heard == s->at) break_down(h, s);
    if (s->how == FAULT_SLOW && s->heard >= s->at) work();
    if (s->heard % s->every != 0) return;
    s->dice = st_random(h);
    struct st_signal signal = { .leg = leg };
    signal.action = s->heard / s->every % 2 ? ST_LONG : ST_SHORT;
    signal.reason = signal.action == ST_LONG ? REASON_SIGNAL_CROSS_UP : REASON_SIGNAL_CROSS_DOWN;
    (void)st_signal(h, &signal);
}

/* on_bar counts it as heard. */
static void on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    (void)bar;
    heard(h, state, leg);
}

/* on_trade counts it as heard. */
static void on_trade(struct st_host *h, void *state, uint16_t leg, const struct msg_trade *trade) {
    (void)trade;
    heard(h, state, leg);
}

/* on_timer sets it again. */
static void on_timer(struct st_host *h, void *state, uint32_t key) {
    struct drill *s = state;
    s->timers++;
    st_timer(h, key, st_now(h) + s->timer);
}

/* on_fill counts. */
static void on_fill(struct st_host *h, void *state, uint16_t leg, const struct msg_fill *fill) {
    struct drill *s = state;
    (void)h;
    (void)leg;
    (void)fill;
    s->fills++;
}

void __real_rt_journal_turn(struct rt_journal *j);
void __wrap_rt_journal_turn(struct rt_journal *j);

/* __wrap_rt_journal_turn writes wild at turn SHRIKE_DRILL_TURN of the process, as often as the file
 * SHRIKE_DRILL_FUSE has bytes: a fault of the runtime, between two calls of actors. */
void __wrap_rt_journal_turn(struct rt_journal *j) {
    static _Atomic long turns;
    const char *at = getenv("SHRIKE_DRILL_TURN"), *fuse = getenv("SHRIKE_DRILL_FUSE");
    volatile int *volatile nowhere = NULL;
    struct stat s;
    __real_rt_journal_turn(j);
    if (at == NULL || atomic_fetch_add(&turns, 1) != atol(at)) return;
    if (stat(fuse, &s) == 0 && s.st_size > 0 && truncate(fuse, s.st_size - 1) == 0) *nowhere = 1;
}

/* The class. */
static const struct st_class st_drill = {
    .name = "drill",
    .help = "Turns its position round every few bars or trades, and breaks when told to.",
    .params = drill_params,
    .leg_min = 1,
    .leg_max = 2,
    .state_bytes = sizeof(struct drill),
    .on_start = on_start,
    .on_bar = on_bar,
    .on_trade = on_trade,
    .on_timer = on_timer,
    .on_fill = on_fill,
    .on_set = on_set,
};

/* Order of the parameters of peek. */
enum peek_param { PEEK_AHEAD, PEEK_UNTIL };

/* State of peek. */
struct peek {
    int64_t heard; /* bars heard */
};

static const struct st_param peek_params[] = {
    { "ahead", ST_INT, 0, 100, 1, "looks so many bars ahead; 0 = it is honest" },
    { "until", ST_INT, 0, 1e9, 1e9, "trades no more after so many bars" },
    { NULL, ST_INT, 0, 0, 0, NULL },
};

/* peek_on_bar is long before a rise: it reads on in the rows where its own bar lies, which no
 * strategy may. With ahead 0 it goes by its own bar. */
static void peek_on_bar(struct st_host *h, void *state, uint16_t leg, const struct msg_bar *bar) {
    struct peek *s = state;
    const union st_value *p = st_params(h);
    if (++s->heard > p[PEEK_UNTIL].i) return;
    bool up =
        p[PEEK_AHEAD].i > 0 ? bar[p[PEEK_AHEAD].i].close > bar->close : bar->close > bar->open;
    if (up == (st_held(h, leg) > 0)) return;
    struct st_signal signal = { .action = up ? ST_LONG : ST_FLAT,
                                .leg = leg,
                                .reason = up ? REASON_SIGNAL_CROSS_UP : REASON_SIGNAL_CROSS_DOWN };
    (void)st_signal(h, &signal);
}

static const struct st_class st_peek = {
    .name = "peek",
    .help = "Looks ahead in its data, as no strategy may: for `shrike audit` to find.",
    .params = peek_params,
    .leg_min = 1,
    .leg_max = 1,
    .state_bytes = sizeof(struct peek),
    .on_bar = peek_on_bar,
};

const struct st_class *const st_classes[] = { &st_amender,   &st_drill,       &st_exiter,
                                              &st_mixed,     &st_pair,        &st_peek,
                                              &st_sma_cross, &st_trend_cross, NULL };
