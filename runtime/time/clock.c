#include "runtime/time/clock.h"
#include "runtime/base/seam.h"
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#define NS_PER_S 1000000000LL

enum {
    RATE_SHIFT = 40,        /* rates are ns per tick times 2^40: 1e-12 of a tick is not lost */
    CALIBRATE_NS = 4000000, /* how long the first measurement takes: right to some 10 ppm */
    SLEW_PPM = 500,         /* most that the clock is sped up or slowed down */
    SLEW_NS = 1000000000,   /* how long one correction is in force: slew is called as often */
    SAMPLE_CNT = 16,        /* readings of which the tightest is taken */
};

/* The clock: a line through (tsc, ns) with a slope, and a bend that ends by itself when nobody
 * steers any more. Written by start and slew under `steering`; readers copy it between two equal
 * readings of version (a sequence lock; odd = being written). */
static struct {
    _Atomic uint32_t version; /* release by the writer after, acquire by readers before and after */
    _Atomic uint64_t tsc;     /* counter at the line's point; relaxed, guarded by version */
    _Atomic int64_t ns;       /* UTC at that point, ns; relaxed, guarded by version */
    _Atomic int64_t rate;     /* ns per tick, shifted; relaxed, guarded by version */
    _Atomic int64_t bend;     /* added to rate while the correction is in force; as rate */
    _Atomic uint64_t bend_tsc; /* ticks from the point that the correction lasts; as rate */
} line;

/* What slew measures the rate from: a point at start. Guarded by `steering`. */
static struct {
    uint64_t tsc; /* counter at start */
    int64_t ns;   /* CLOCK_MONOTONIC at start, ns */
} origin;

static pthread_mutex_t steering = PTHREAD_MUTEX_INITIALIZER; /* never taken by readers */
static bool started;                                         /* guarded by `steering` */

/* What this thread was told last: the clock does not fall although the line is moved. */
static _Thread_local int64_t told_ns __attribute__((tls_model("initial-exec")));

/* read_ns reads one of the system's clocks. */
static int64_t read_ns(clockid_t clock) {
    struct timespec now;
    int code = clock_gettime(clock, &now);
    assert(code == 0);
    (void)code;
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* sample reads a system clock and the counter at one instant: of some tries the one in which the
 * counter moved least around the reading. */
static void sample(clockid_t clock, uint64_t *tsc, int64_t *ns) {
    uint64_t tightest = UINT64_MAX;
    for (int i = 0; i < SAMPLE_CNT; i++) {
        uint64_t before = rt_tsc();
        int64_t reading = read_ns(clock);
        uint64_t took = rt_tsc() - before;
        if (took >= tightest) continue;
        tightest = took;
        *tsc = before + took / 2;
        *ns = reading;
    }
}

/* scale multiplies ticks by a shifted rate. */
static int64_t scale(int64_t ticks, int64_t rate) {
    return (int64_t)((__int128)ticks * rate >> RATE_SHIFT);
}

/* reading computes the time at counter tsc on a line. */
static int64_t reading(uint64_t tsc, uint64_t line_tsc, int64_t ns, int64_t rate, int64_t bend,
                       uint64_t bend_tsc) {
    int64_t ticks = (int64_t)(tsc - line_tsc); /* below 0 when the line was moved since the tick */
    int64_t bent = ticks < (int64_t)bend_tsc ? ticks : (int64_t)bend_tsc;
    return ns + scale(ticks, rate) + scale(bent, bend);
}

/* at_tsc computes the time at counter tsc on the line as it is now; *rate is its slope. */
static int64_t at_tsc(uint64_t tsc, int64_t *rate) {
    for (;;) {
        uint32_t version = atomic_load_explicit(&line.version, memory_order_acquire);
        uint64_t line_tsc = atomic_load_explicit(&line.tsc, memory_order_relaxed);
        int64_t ns = atomic_load_explicit(&line.ns, memory_order_relaxed);
        int64_t slope = atomic_load_explicit(&line.rate, memory_order_relaxed);
        int64_t bend = atomic_load_explicit(&line.bend, memory_order_relaxed);
        uint64_t bend_tsc = atomic_load_explicit(&line.bend_tsc, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if ((version & 1) == 0 &&
            version == atomic_load_explicit(&line.version, memory_order_relaxed)) {
            *rate = slope;
            return reading(tsc, line_tsc, ns, slope, bend, bend_tsc);
        }
        __builtin_ia32_pause();
    }
}

/* move_line publishes another line; the caller holds `steering`. */
static void move_line(uint64_t tsc, int64_t ns, int64_t rate, int64_t bend, uint64_t bend_tsc) {
    uint32_t version = atomic_load_explicit(&line.version, memory_order_relaxed);
    atomic_store_explicit(&line.version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&line.tsc, tsc, memory_order_relaxed);
    atomic_store_explicit(&line.ns, ns, memory_order_relaxed);
    atomic_store_explicit(&line.rate, rate, memory_order_relaxed);
    atomic_store_explicit(&line.bend, bend, memory_order_relaxed);
    atomic_store_explicit(&line.bend_tsc, bend_tsc, memory_order_relaxed);
    atomic_store_explicit(&line.version, version + 2, memory_order_release);
}

/* measured returns the slope between two points, or 0 when they make none. */
static int64_t measured(uint64_t from_tsc, int64_t from_ns, uint64_t to_tsc, int64_t to_ns) {
    if (to_tsc <= from_tsc || to_ns <= from_ns) return 0;
    return (int64_t)(((__int128)(to_ns - from_ns) << RATE_SHIFT) / (to_tsc - from_tsc));
}

void rt_clock_start(void) {
    pthread_mutex_lock(&steering);
    if (!started) {
        uint64_t tsc = 0;
        int64_t ns = 0;
        sample(CLOCK_MONOTONIC, &origin.tsc, &origin.ns);
        struct timespec pause = { .tv_nsec = CALIBRATE_NS };
        while (nanosleep(&pause, &pause) != 0) {
        }
        sample(CLOCK_MONOTONIC, &tsc, &ns);
        int64_t rate = measured(origin.tsc, origin.ns, tsc, ns);
        assert(rate > 0); /* a counter that stands still is no clock */
        sample(CLOCK_REALTIME, &tsc, &ns);
        move_line(tsc, ns, rate, 0, 0);
        started = true;
    }
    pthread_mutex_unlock(&steering);
}

int64_t rt_clock_ns(void) {
    int64_t rate;
    int64_t ns = at_tsc(rt_tsc(), &rate);
    if (ns < told_ns) ns = told_ns;
    told_ns = ns;
    return ns;
}

/* steer bends the line so that the clock meets utc_ns, true at counter tsc, within a second or as
 * fast as it may; the caller holds `steering`. */
static void steer(uint64_t tsc, int64_t utc_ns) {
    int64_t rate, ns = at_tsc(tsc, &rate);

    /* The longer since the start, the better the slope between start and now; a machine that was
     * suspended, whose counter went on or began anew, gives one that cannot be and is left out. */
    uint64_t now_tsc = 0;
    int64_t now_ns = 0;
    sample(CLOCK_MONOTONIC, &now_tsc, &now_ns);
    int64_t fresh = measured(origin.tsc, origin.ns, now_tsc, now_ns);
    int64_t off = fresh > rate ? fresh - rate : rate - fresh;
    if (now_ns - origin.ns > CALIBRATE_NS && off < rate / 1000000 * SLEW_PPM) rate = fresh;

    __int128 error_ns = (__int128)utc_ns - ns;
    int64_t most_ns = (int64_t)SLEW_NS / 1000000 * SLEW_PPM;
    int64_t step_ns = error_ns > most_ns    ? most_ns
                      : error_ns < -most_ns ? -most_ns
                                            : (int64_t)error_ns;
    uint64_t bend_tsc = (uint64_t)(((__int128)SLEW_NS << RATE_SHIFT) / rate);
    int64_t bend = (int64_t)((__int128)step_ns * (1LL << RATE_SHIFT) / (int64_t)bend_tsc);
    move_line(tsc, ns, rate, bend, bend_tsc);
}

void rt_clock_slew(void) {
    pthread_mutex_lock(&steering);
    assert(started);
    uint64_t tsc = 0;
    int64_t ns = 0;
    sample(CLOCK_REALTIME, &tsc, &ns);
    steer(tsc, ns);
    pthread_mutex_unlock(&steering);
}

void rt_clock_steer(int64_t utc_ns) {
    pthread_mutex_lock(&steering);
    assert(started);
    steer(rt_tsc(), utc_ns);
    pthread_mutex_unlock(&steering);
}

uint64_t rt_clock_tsc_to_ns(uint64_t tsc) {
    int64_t rate = atomic_load_explicit(&line.rate, memory_order_relaxed);
    return (uint64_t)((unsigned __int128)tsc * (uint64_t)rate >> RATE_SHIFT);
}

int64_t rt_clock_monotonic_ns(void) {
    return rt_seam->now_ns();
}

int64_t rt_clock_thread_cpu_ns(void) {
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
