/* How the zygote comes to be: prepared in time, made late by a process of one thread, refused among
 * threads. */
#include "tests/offload/worker_cases.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void *wait_for_release(void *arg)
{
    (void)arg;
    while (!atomic_load(&worker_shared->released))
        usleep(1000);
    return NULL;
}

static int try_to_open(void *arg)
{
    struct bight_executor *executor = NULL;
    int rc = bight_workers_new(&executor, NULL);

    (void)arg;
    CHECK(!executor);
    return rc;
}

static int without_prepare_threads_are_in_the_way(void)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, wait_for_release, NULL), 0);
    CHECK_EQ(bight_run(try_to_open, NULL), BIGHT_ENOTPREPARED);
    CHECK(strstr(bight_strerror(BIGHT_ENOTPREPARED), "bight_workers_prepare"));
    CHECK_EQ(worker_prepare(), BIGHT_ENOTPREPARED);
    atomic_store(&worker_shared->released, 1);
    pthread_join(thread, NULL);
    return 0;
}

static int run_inner(void *arg)
{
    CHECK(bight_self());
    *(int *)arg = 1;
    return bight_sleep(1);
}

/* Needs a main thread's stack, is no task, and may have a runtime of its own. */
static int use_much_stack(struct bight_job *job)
{
    volatile char large[3 << 20];
    int ran = 0;

    (void)job;
    for (size_t i = 0; i < sizeof large; i += 4096)
        large[i] = 1;
    if (bight_self() || bight_run(run_inner, &ran))
        return -1;
    return ran + large[0];
}

static const struct bight_job_def stack_job = {.name = "stack", .fn = use_much_stack};

static int use_late_workers(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &stack_job, NULL, 0, &result), 0);
    CHECK_EQ(result.code, 2);
    worker_check_fds(executor);
    worker_close(executor);
    return 0;
}

static int without_prepare_one_thread_is_enough(void)
{
    return bight_run(use_late_workers, NULL);
}

static int lose_late_keeper(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    pthread_t thread;

    (void)arg;
    CHECK_EQ(pthread_create(&thread, NULL, wait_for_release, NULL), 0);
    CHECK_EQ(kill(worker_stats(executor).zygote_pid, SIGKILL), 0);
    while (worker_stats(executor).zygotes_died == 0)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(bight_execute(executor, &stack_job, NULL, 0, NULL), 0); /* its keeper makes another */
    CHECK_EQ(kill(worker_keeper(executor), SIGKILL), 0);
    while (worker_stats(executor).zygotes_died == 1)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), BIGHT_ENOTPREPARED);
    atomic_store(&worker_shared->released, 1);
    pthread_join(thread, NULL);
    worker_close(executor);
    return 0;
}

static int a_late_keeper_is_not_replaced_among_threads(void)
{
    return bight_run(lose_late_keeper, NULL);
}

static int prepare_is_called_once(void)
{
    CHECK_EQ(worker_prepare(), 0);
    CHECK_EQ(worker_prepare(), BIGHT_EALREADY);
    return 0;
}

/* The zygote that is there knows nothing of the options. */
static int options_come_before_the_first_executor(void)
{
    struct bight_workers_prepare_options options = {.keep_privileges = true};
    char name[] = "program", *argv[] = {name, NULL};

    CHECK_EQ(bight_run(use_late_workers, NULL), 0);
    CHECK_EQ(bight_workers_prepare_with(1, argv, &options), BIGHT_EALREADY);
    CHECK_EQ(worker_prepare(), 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_plain(without_prepare_threads_are_in_the_way, CASE_UNPREPARED),
    worker_plain(without_prepare_one_thread_is_enough, CASE_UNPREPARED),
    worker_plain(a_late_keeper_is_not_replaced_among_threads, CASE_UNPREPARED),
    worker_plain(prepare_is_called_once, CASE_UNPREPARED),
    worker_plain(options_come_before_the_first_executor, CASE_UNPREPARED),
};

worker_suite("workers_start", cases);
