/* BIGHT_CHECK_OPEN of executors that are worker processes, and of jobs in processes of their own:
 * what is left is told, once, with the place that opened it; what was ended is not. */
#include "tests/offload/worker_cases.h"

#include <string.h>

static int (*body)(void *arg);
static char lines[256];
static bool placed;

static void on_report(void *arg, const struct bight_report *report)
{
    size_t length = strlen(lines);

    (void)arg;
    if (report->kind != BIGHT_REPORT_LEFT_OPEN)
        return;
    snprintf(lines + length, sizeof(lines) - length, "%s\n", report->text);
    for (size_t i = 0; i < report->place_count; i++)
        placed |= (uintptr_t)report->places[i] - (uintptr_t)body < 2048;
}

static int tells(unsigned checks, int (*fn)(void *arg), const char *text)
{
    const struct bight_runtime_options options = {.checks = checks, .on_report = on_report};

    body = fn;
    lines[0] = '\0';
    placed = false;
    CHECK_EQ(bight_run_with(&options, fn, NULL), 0);
    CHECK_EQ(strcmp(lines, text), 0);
    CHECK_EQ(placed, *text != '\0');
    return 0;
}

static const struct bight_workers_options one = {.workers = 1};

static int leaves_workers(void *arg)
{
    struct bight_executor *executor;

    (void)arg;
    CHECK_EQ(bight_workers_new(&executor, &one), 0);
    return 0;
}

static int leaves_job(void *arg)
{
    struct bight_job_process *process;

    (void)arg;
    CHECK_EQ(bight_job_process_start(&process, &hold_job, NULL, 0, NULL), 0);
    return 0;
}

static int ends_both(void *arg)
{
    struct bight_job_process *process;
    struct bight_executor *executor;

    (void)arg;
    CHECK_EQ(bight_workers_new(&executor, &one), 0);
    CHECK_EQ(bight_executor_end(executor), 0);
    CHECK_EQ(bight_job_process_start(&process, &pid_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_job_process_join(process), 0);
    CHECK_EQ(bight_job_process_free(process), 0);
    return 0;
}

static int workers_that_are_left_are_told(void)
{
    (void)tells(0, leaves_workers, "");
    return tells(BIGHT_CHECK_OPEN, leaves_workers, "an executor: workers\n");
}

static int a_job_that_is_left_is_told(void)
{
    (void)tells(0, leaves_job, "");
    return tells(BIGHT_CHECK_OPEN, leaves_job, "a job's process\n");
}

static int those_that_are_ended_are_not(void)
{
    return tells(BIGHT_CHECK_OPEN, ends_both, "");
}

static const struct suite_case cases[] = {
    worker_plain(workers_that_are_left_are_told, 0),
    worker_plain(a_job_that_is_left_is_told, 0),
    worker_plain(those_that_are_ended_are_not, 0),
};

worker_suite("left workers", cases);
