/* clock.h - the wall clock behind the one door: TSC calibrated to UTC once per process.
 *
 * For     the shard loop (one read a turn), the pacing of the paced clock, stamps. Actors never.
 * Thread  rt_clock_start once at boot; reads from any thread.
 * Cost    rt_clock_ns: an rdtsc and a multiplication; it never falls on one thread. Slewed by at
 *         most 500 ppm toward CLOCK_REALTIME by rt_clock_slew (called about once a second by a
 *         housekeeping thread), never stepped. */
#ifndef RUNTIME_TIME_CLOCK_H
#define RUNTIME_TIME_CLOCK_H
#include <stdint.h>

/* rt_tsc reads the time stamp counter. */
static inline uint64_t rt_tsc(void) {
    return __builtin_ia32_rdtsc();
}
/* rt_clock_start calibrates (4 ms); later calls do nothing. */
void rt_clock_start(void);
/* rt_clock_ns returns the time in ns UTC. */
int64_t rt_clock_ns(void);
/* rt_clock_slew steers toward the system's clock (CLOCK_REALTIME) and measures the counter's rate
 * anew. One thread at a time. */
void rt_clock_slew(void);
/* rt_clock_steer is rt_clock_slew toward utc_ns, taken for the true time now. */
void rt_clock_steer(int64_t utc_ns);
/* rt_clock_tsc_to_ns turns a difference of stamps into ns. */
uint64_t rt_clock_tsc_to_ns(uint64_t tsc);
/* rt_clock_monotonic_ns reads CLOCK_MONOTONIC: for waiting and measuring outside the hot path. */
int64_t rt_clock_monotonic_ns(void);
/* rt_clock_thread_cpu_ns reads the CPU time the calling thread has used. */
int64_t rt_clock_thread_cpu_ns(void);
#endif
