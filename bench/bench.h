/* What the bench programs share: clocks, medians, a value and its baseline measured in turns, and the
 * one JSON line per row that scripts/bench passes on. Knows nothing of bight. docs/bench.md says what
 * each row means. */
#ifndef BIGHT_BENCH_BENCH_H
#define BIGHT_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Of a function: callers know nothing of it, not even which registers it leaves alone. For clang,
 * which has no such attribute, a call by name may still be seen through: reach those by pointer. */
#if defined(__has_attribute) && __has_attribute(noipa)
#define BENCH_OPAQUE __attribute__((noipa))
#else
#define BENCH_OPAQUE __attribute__((noinline))
#endif

/* Samples of each side in bench_compare; the median of them is the row's figure. */
#define BENCH_SAMPLES 11

struct bench_row {
    const char *name;
    const char *unit;
    /* What the value is compared with, in a few words. */
    const char *baseline;
};

/* One sample, in the row's unit. */
typedef double bench_sample(void *arg);

uint64_t bench_wall_ns(void);
/* CPU time of this process, all threads, system calls included. */
uint64_t bench_process_ns(void);
/* CPU time of this thread: what another program does on the same core is not in it. For code that
 * only computes. */
uint64_t bench_thread_ns(void);

/* xorshift64: the next of *state, which must not be 0. */
uint64_t bench_random(uint64_t *state);

/* The middle one, or the mean of the two middle ones; sorts `values`. */
double bench_median(double *values, size_t count);

/* Take samples of value and baseline in turns, after one of each that does not count, and print the
 * row with their medians. */
void bench_compare(const struct bench_row *row, bench_sample *value, bench_sample *baseline,
                   void *arg);

/* Print a row; a baseline value of 0 makes no ratio (null). */
void bench_print(const struct bench_row *row, double value, double baseline);

/* End the program with a message. */
_Noreturn void bench_fail(int rc, const char *what);

/* The same when `rc` is negative: a bench that fails has no figures. */
static inline void bench_check(int rc, const char *what)
{
    if (rc < 0)
        bench_fail(rc, what);
}

#endif
