/* A sample's main task. */
#ifndef BIGHT_BENCH_RUN_H
#define BIGHT_BENCH_RUN_H

#include "bench/bench.h"

#include <limits.h>

#include <bight/runtime.h>
#include <bight/testing.h>

/* Run it. When instructions are counted, slices end by their turns alone, because how many fit into
 * the time of one differs from run to run. */
static inline void bench_run(int (*fn)(void *arg), void *arg)
{
    const struct bight_runtime_options options = {.slice_us = bench_counting() ? UINT_MAX : 0};

    bench_check(bight_run_with(&options, fn, arg), "run");
}

/* The same for tasks that sleep or draw lots: when instructions are counted, the clock is a
 * virtual one and the seed always the same. */
static inline void bench_run_fixed(int (*fn)(void *arg), void *arg)
{
    const struct bight_runtime_options options = {.slice_us = UINT_MAX};
    const struct bight_test_options fixed = {.runtime = &options};

    if (bench_counting())
        bench_check(bight_test_run(&fixed, fn, arg, NULL), "run");
    else
        bench_run(fn, arg);
}

#endif
