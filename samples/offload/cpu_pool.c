/* A pool of processes for work that needs the processor: the lesson of `cpu_intensive_task` and
 * `ProcessPoolExecutor.map`.
 *
 * To notice: bight_workers_prepare is the first line of main, for workers are copies of what the
 * program is there. The function is the same in both runs; the job is only its envelope, bytes in
 * and bytes out, as pickled arguments are in Python. How many workers there are by default is how
 * many processors this process may use, which is less than the machine has where somebody has said
 * so (taskset, a container's cpuset). More would only take turns. */
#include "samples/offload/lesson.h"

#include <bight/errors.h>
#include <bight/job_map.h>
#include <bight/runtime.h>
#include <bight/time.h>
#include <bight/workers.h>

#include <stdio.h>
#include <string.h>

#define CALLS 8
#define ROUNDS 10000000u

/* A sum of squares, as one would write it in Python, takes no time in C: the compiler puts its
 * formula there. Each round of this needs the one before. */
static uint64_t cpu_intensive_task(uint64_t rounds)
{
    uint64_t x = rounds | 1;

    for (uint64_t i = 0; i < rounds; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x;
}

static int cpu_intensive(struct bight_job *job) /* in a worker */
{
    uint64_t rounds, answer;
    int rc = job_input(job, &rounds, sizeof rounds);

    if (rc)
        return rc;
    answer = cpu_intensive_task(rounds);
    return bight_job_output_append(job, &answer, sizeof answer);
}

/* It only computes, so a worker that is killed costs time and nothing else. */
static const struct bight_job_def cpu_intensive_job = {
    .name = "cpu intensive", .fn = cpu_intensive, .flags = BIGHT_JOB_IDEMPOTENT};

/* The loop stands still meanwhile, which is why nobody does this in a server. */
static double run_serial(uint64_t answers[CALLS])
{
    uint64_t start = bight_now_ns();

    for (unsigned i = 0; i < CALLS; i++)
        answers[i] = cpu_intensive_task(ROUNDS + i);
    return ms_since(start);
}

static int run_pool(struct bight_executor *workers, uint64_t answers[CALLS], double *ms)
{
    struct bight_job_map_row calls[CALLS];
    uint64_t rounds[CALLS], start = bight_now_ns();
    int rc;

    for (unsigned i = 0; i < CALLS; i++) {
        rounds[i] = ROUNDS + i;
        calls[i] = (struct bight_job_map_row){&rounds[i], sizeof rounds[i], 0, {0}};
    }
    rc = bight_job_map_all(workers, &cpu_intensive_job, calls, CALLS, NULL);
    *ms = ms_since(start);
    for (unsigned i = 0; i < CALLS; i++) {
        if (rc == 0 && calls[i].result.output_bytes != sizeof answers[i])
            rc = BIGHT_EPROTOCOL;
        if (rc == 0)
            memcpy(&answers[i], calls[i].result.output, sizeof answers[i]);
        bight_result_free(&calls[i].result);
    }
    return rc;
}

static int compare(struct bight_executor *workers)
{
    uint64_t serial[CALLS], pool[CALLS];
    struct bight_executor_stats stats;
    double serial_ms = run_serial(serial), pool_ms;
    int rc = bight_executor_get_stats(workers, &stats), same = 0;

    if (rc == 0)
        rc = run_pool(workers, pool, &pool_ms);
    if (rc)
        return rc;
    for (int i = 0; i < CALLS; i++)
        same += serial[i] == pool[i];
    printf("%d calls, one after the other: %.0f ms\n", CALLS, serial_ms);
    printf("%d calls, a worker for each of %u CPUs: %.0f ms\n", CALLS, stats.workers, pool_ms);
    printf("Speed-up: %.2f times\n", serial_ms / pool_ms);
    printf("Equal answers: %d\n", same);
    return 0;
}

static int lesson(void *arg)
{
    struct bight_executor *workers;
    int ended, rc = bight_workers_new(&workers, NULL);

    (void)arg;
    if (rc)
        return rc;
    rc = compare(workers);
    ended = bight_executor_end(workers);
    return rc ? rc : ended;
}

int main(int argc, char **argv)
{
    int rc = bight_workers_prepare(argc, argv);

    return lesson_status("cpu_pool", rc ? rc : bight_run(lesson, NULL));
}
