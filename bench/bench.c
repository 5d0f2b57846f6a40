/* Clocks, medians and JSON lines: see bench.h. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <bight/errors.h>

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

void bench_compare(const struct bench_row *row, bench_sample *value, bench_sample *baseline,
                   void *arg)
{
    double values[BENCH_SAMPLES], baselines[BENCH_SAMPLES];

    baseline(arg);
    value(arg);
    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        baselines[i] = baseline(arg);
        values[i] = value(arg);
    }
    bench_print(row, bench_median(values, BENCH_SAMPLES), bench_median(baselines, BENCH_SAMPLES));
}

void bench_print(const struct bench_row *row, double value, double baseline)
{
    printf("{\"bench\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"baseline\": \"%s\", ",
           row->name, value, row->unit, row->baseline);
    if (baseline > 0)
        printf("\"baseline_value\": %.6g, \"ratio\": %.4g}\n", baseline, value / baseline);
    else
        printf("\"baseline_value\": %.6g, \"ratio\": null}\n", baseline);
    fflush(stdout);
}

void bench_fail(int rc, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, bight_strerror(rc));
    exit(1);
}
