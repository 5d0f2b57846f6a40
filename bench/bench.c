/* Clocks, medians, and what a sample measures: see bench.h. */
#include "bench/bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <bight/errors.h>

#include "bench/rows.h"

/* Without its header nothing tells callgrind what to count: rows of instructions then say so. */
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT bench_fail(BIGHT_ENOTSUP, "built without valgrind's headers")
#endif

static bool counting;

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

uint64_t bench_wall_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t bench_process_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_thread_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void bench_count(void)
{
    counting = true;
}

bool bench_counting(void)
{
    return counting;
}

static void toggle(void)
{
    if (counting)
        CALLGRIND_TOGGLE_COLLECT;
}

uint64_t bench_begin(void)
{
    toggle();
    return bench_thread_ns();
}

double bench_end(uint64_t begin, uint64_t operations)
{
    double ns = (double)(bench_thread_ns() - begin);

    toggle();
    return ns / (double)operations;
}

uint64_t bench_wall_begin(void)
{
    toggle();
    return bench_wall_ns();
}

double bench_wall_end(uint64_t begin, uint64_t operations)
{
    double ns = (double)(bench_wall_ns() - begin);

    toggle();
    return ns / (double)operations;
}

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

void bench_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

void bench_fail(int rc, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, bight_strerror(rc));
    exit(1);
}
