/* Computing in two worker processes, against one: what a second core adds. Wall time. */
#include <bight/group.h>
#include <bight/workers.h>

#include "bench/run.h"

/* About a millisecond of work, of which nothing is in memory. */
#define ROUNDS 400000u

/* How many jobs wait for a worker. */
#define CALLERS 8

struct load {
    unsigned workers;
    struct bight_executor *executor;
    uint64_t jobs;
    uint64_t begun;
    double us; /* per job */
};

static int compute(struct bight_job *job)
{
    uint64_t state = job->input_bytes;

    for (unsigned i = 0; i < ROUNDS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        state ^= state >> 29;
    }
    return (int)(state >> 40 & 1);
}

static const struct bight_job_def compute_def = {.name = "compute", .fn = compute};

static int caller(void *arg)
{
    struct load *load = arg;
    int rc = 0;

    while (rc >= 0 && load->begun < load->jobs) {
        load->begun++;
        rc = bight_execute(load->executor, &compute_def, NULL, 0, NULL);
    }
    return rc < 0 ? rc : 0;
}

static int callers(struct bight_group *group, void *arg)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < CALLERS; i++)
        rc = bight_group_spawn(NULL, group, NULL, caller, arg);
    return rc;
}

static int load_main(void *arg)
{
    struct load *load = arg;
    const struct bight_workers_options options = {.workers = load->workers};
    uint64_t jobs = load->jobs, begin;
    int rc = bight_workers_new(&load->executor, &options);

    if (rc)
        return rc;
    /* All workers have begun, and their cores are awake. */
    load->begun = 0;
    load->jobs = 2 * CALLERS;
    bench_check(bight_group_run(callers, load), "first jobs");
    load->begun = 0;
    load->jobs = jobs;
    begin = bench_wall_begin();
    rc = bight_group_run(callers, load);
    load->us = bench_wall_end(begin, jobs) / 1000;
    bench_check(bight_executor_end(load->executor), "end");
    return rc;
}

static double run_on(unsigned workers, uint64_t operations)
{
    struct load load = {.workers = workers, .jobs = operations};

    bench_run(load_main, &load);
    return load.us;
}

static double on_two(void *arg, uint64_t operations)
{
    (void)arg;
    return run_on(2, operations);
}

static double on_one(void *arg, uint64_t operations)
{
    (void)arg;
    return run_on(1, operations);
}

static const struct bench_row rows[] = {
    {"worker_speedup_2", "us per job", "one worker", on_two, on_one, NULL, .operations = 200},
};

int main(int argc, char **argv)
{
    bench_check(bight_workers_prepare(argc, argv), "prepare");
    return bench_main(argc, argv, rows, sizeof rows / sizeof *rows);
}
