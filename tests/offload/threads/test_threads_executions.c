/* What all executors share, on threads alone, so that a checker of threads can look on: progress,
 * limits, maps, ends that are impatient. (tests/offload/test_execute.c has the behaviour.) */
#include <bight.h>
#include <bight/threads.h>
#include <check.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "tests/harness/suite.h"

static struct bight_executor *open_threads(unsigned most)
{
    struct bight_threads_options options = {.threads_most = most};
    struct bight_executor *executor = NULL;

    ck_assert_int_eq(bight_threads_new(&executor, &options), 0);
    return executor;
}

static int report_job(struct bight_job *job)
{
    char text[64] = "";

    for (int i = 0; i < 300; i++) {
        text[0] = (char)i;
        if (bight_job_progress(job, text, sizeof text))
            return -1;
    }
    return 0;
}

static int run_until_told(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 100000};

    while (!bight_job_cancelled(job))
        nanosleep(&pause, NULL);
    return 3;
}

static int square(struct bight_job *job)
{
    int number = *(int *)job->input;

    number *= number;
    return bight_job_output_append(job, &number, sizeof number);
}

static const struct bight_job_def report_def = {.name = "report", .fn = report_job};
static const struct bight_job_def told_def = {.name = "run until told", .fn = run_until_told};
static const struct bight_job_def square_def = {.name = "square", .fn = square};

static void count_reports(void *arg, const void *data, size_t bytes)
{
    int *count = arg;

    ck_assert_uint_eq(bytes, 64);
    ck_assert_int_eq(*(const char *)data, (char)*count);
    ++*count;
}

static int two_jobs_report(void *arg)
{
    struct bight_executor *executor = open_threads(2);
    struct bight_execution executions[2];
    int counts[2] = {0};

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct bight_execute_options options = {.progress = count_reports,
                                                .progress_arg = &counts[i]};

        ck_assert_int_eq(
            bight_execution_begin(&executions[i], executor, &report_def, NULL, 0, &options), 0);
    }
    for (int i = 0; i < 2; i++) {
        int status = -1;

        ck_assert_int_eq(bight_future_wait(&executions[i].future, &status, NULL), 0);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(counts[i], 300);
        ck_assert_int_eq(bight_execution_end(&executions[i]), 0);
    }
    return bight_executor_end(executor);
}

static int limits_and_cancellations_reach_the_job(void *arg)
{
    struct bight_executor *executor = open_threads(2);
    struct bight_execute_options options = {.run_ms = 5};
    struct bight_execution execution;
    struct bight_result result;

    (void)arg;
    ck_assert_int_eq(bight_execute_with(executor, &told_def, NULL, 0, &options, &result),
                     BIGHT_ETIMEDOUT);
    ck_assert_int_eq(result.code, 3);
    ck_assert_int_eq(bight_execution_begin(&execution, executor, &told_def, NULL, 0, NULL), 0);
    ck_assert_int_eq(bight_sleep(2), 0);
    ck_assert_int_eq(bight_execution_end(&execution), 0);
    return bight_executor_end(executor);
}

static int next_number(void *arg, const void **input, size_t *input_bytes)
{
    static int number;
    int *next = arg;

    number = *next;
    *input = &number;
    *input_bytes = sizeof number;
    return (*next)++ < 500;
}

static int a_map_uses_both(void *arg)
{
    struct bight_job_map_options options = {.chunk = 7};
    struct bight_executor *executor = open_threads(2);
    struct bight_job_map_item item;
    struct bight_job_map map;
    int next = 0;

    (void)arg;
    ck_assert_int_eq(bight_job_map_begin(&map, executor, &square_def, next_number, &next, &options),
                     0);
    for (int i = 0; i < 500; i++) {
        ck_assert_int_eq(bight_job_map_next(&map, &item), 0);
        ck_assert_int_eq(*(const int *)item.output, i * i);
    }
    ck_assert_int_eq(bight_job_map_next(&map, &item), BIGHT_ECLOSED);
    ck_assert_int_eq(bight_job_map_end(&map), 0);
    return bight_executor_end(executor);
}

/* Also those that a thread is just about to begin. */
static int an_impatient_end_reaches_all(void *arg)
{
    (void)arg;
    for (int round = 0; round < 200; round++) {
        struct bight_executor *executor = open_threads(2);
        struct bight_execution executions[3];

        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(
                bight_execution_begin(&executions[i], executor, &told_def, NULL, 0, NULL), 0);
        for (int i = 0; i < round % 4; i++)
            ck_assert_int_eq(bight_yield(), 0);
        ck_assert_int_eq(bight_executor_end_with(executor, BIGHT_EXECUTOR_KILL), 0);
        for (int i = 0; i < 3; i++) {
            ck_assert(bight_future_done(&executions[i].future));
            ck_assert_int_eq(bight_execution_end(&executions[i]), 0);
        }
    }
    return 0;
}

static const struct suite_case cases[] = {
    body_case(two_jobs_report, bight_run, two_jobs_report),
    body_case(limits_and_cancellations_reach_the_job, bight_run,
              limits_and_cancellations_reach_the_job),
    body_case(a_map_uses_both, bight_run, a_map_uses_both),
    body_case(an_impatient_end_reaches_all, bight_run, an_impatient_end_reaches_all),
};

test_suite("threads_executions", cases);
