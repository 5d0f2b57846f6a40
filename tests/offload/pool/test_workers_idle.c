/* Workers that start when jobs wait, and end for want of work. */
#include "tests/offload/worker_cases.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static struct worker_call calls[20];

static int workers_start_when_jobs_wait(void *arg)
{
    struct bight_workers_options options = {.workers = 5, .idle_ms = -1};
    struct bight_executor *executor = worker_open(&options);
    int first;

    (void)arg;
    CHECK_EQ(worker_stats(executor).ready, 0);
    first = worker_run_pid(executor);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(worker_run_pid(executor), first);
    CHECK_EQ(worker_stats(executor).started, 1);
    worker_spawn_all(calls, executor, &hold_job, 3);
    worker_await(&worker_shared->running, 3);
    CHECK_EQ(worker_stats(executor).started, 3);
    atomic_store(&worker_shared->released, 1);
    worker_join_all(calls, 3, 0);
    CHECK_EQ(bight_sleep(30), 0);
    CHECK_EQ(worker_stats(executor).ready, 3); /* for ever */
    worker_spawn_all(calls, executor, &hold_job, 20);
    worker_join_all(calls, 20, 0);
    CHECK(worker_stats(executor).started <= 5);
    worker_close(executor);
    return 0;
}

static int workers_without_work_end(void *arg)
{
    struct bight_workers_options options = {.workers = 4, .workers_least = 1, .idle_ms = 20};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    CHECK_EQ(worker_stats(executor).ready, 1);
    for (int round = 0; round < 3; round++) {
        int before = atomic_load(&worker_shared->running);

        atomic_store(&worker_shared->released, 0);
        worker_spawn_all(calls, executor, &hold_job, 4);
        worker_await(&worker_shared->running, before + 4);
        CHECK_EQ(worker_stats(executor).ready, 4);
        atomic_store(&worker_shared->released, 1);
        worker_join_all(calls, 4, 0);
        worker_await_ready(executor, 1);
        CHECK_EQ(worker_run_pid(executor), worker_pid(executor));
    }
    CHECK_EQ(worker_stats(executor).died, 0);
    CHECK_EQ(worker_stats(executor).started, 10);
    worker_close(executor);
    return 0;
}

static int the_last_worker_may_end_too(void *arg)
{
    struct bight_workers_options options = {
        .workers = 2, .idle_ms = 10, .start_ms = 5000, .jobs_max = 100};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    for (int i = 0; i < 5; i++) {
        (void)worker_run_pid(executor);
        worker_await_ready(executor, 0);
    }
    CHECK_EQ(worker_stats(executor).started, 5);
    if (worker_stats(executor).zygote_pid)
        (void)kill(worker_stats(executor).zygote_pid, SIGKILL);
    (void)worker_run_pid(executor);
    worker_close(executor);
    return 0;
}

static void *sleep_in_thread(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static int open_on_demand(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .idle_ms = -1};
    struct bight_executor *none = NULL;

    (void)arg;
    CHECK_EQ(bight_workers_new(&none, &options), BIGHT_ENOTPREPARED);
    CHECK(!none);
    return 0;
}

/* Also where no worker starts at once. */
static int who_cannot_have_workers_is_told(void)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, sleep_in_thread, NULL), 0);
    return bight_run(open_on_demand, NULL);
}

static int sizes_that_cannot_be_are_refused(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .workers_least = 3};
    struct bight_executor *none = NULL;

    (void)arg;
    CHECK_EQ(bight_workers_new(&none, &options), BIGHT_EINVAL);
    CHECK(!none);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(workers_start_when_jobs_wait, 0),
    worker_case(workers_without_work_end, 0),
    worker_case(the_last_worker_may_end_too, 0),
    worker_plain(who_cannot_have_workers_is_told, CASE_UNPREPARED),
    worker_case(sizes_that_cannot_be_are_refused, 0),
};

worker_suite("workers_idle", cases);
