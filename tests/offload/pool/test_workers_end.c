/* The end of an executor of workers: what it waits for, and when nobody asks for it. */
#include "tests/offload/worker_cases.h"

#include <signal.h>

static int close_it(void *executor)
{
    return bight_executor_end(executor);
}

static int closing_waits_for_the_jobs_that_were_taken(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call calls[3];
    struct bight_task *closer;
    int status;

    (void)arg;
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &hold_job};
        worker_spawn(&calls[i]);
    }
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_spawn(&closer, close_it, executor), 0);
    CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), BIGHT_ECLOSED);
    CHECK_EQ(bight_executor_end(executor), BIGHT_EALREADY);
    /* Also when their worker dies meanwhile. */
    CHECK_EQ(kill(atomic_load(&worker_shared->pid), SIGKILL), 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_join(closer, &status), 0);
    CHECK_EQ(status, 0);
    worker_join(&calls[0]);
    CHECK(calls[0].rc == BIGHT_EWORKERDIED || calls[0].rc == 0);
    for (int i = 1; i < 3; i++) {
        worker_join(&calls[i]);
        CHECK_EQ(calls[i].rc, 0);
    }
    return 0;
}

struct closing {
    struct bight_executor *executor;
    bool begun;
};

static int close_and_say(void *arg)
{
    struct closing *closing = arg;

    closing->begun = true;
    return bight_executor_end(closing->executor);
}

/* The call is the operation at which its task has to let others run, if the clock has not made one
 * before it that. */
static int closing_waits_for_a_job_at_its_opening(void *arg)
{
    struct closing closing = {.executor = worker_open_count(1)};
    struct bight_task *closer;
    int status;

    (void)arg;
    CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(bight_spawn(&closer, close_and_say, &closing), 0);
    for (int i = 0; i < 127; i++)
        CHECK_EQ(bight_checkpoint(), 0);
    if (!closing.begun)
        CHECK_EQ(bight_execute(closing.executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(bight_join(closer, &status), 0);
    CHECK_EQ(status, 0);
    return 0;
}

static int a_runtime_may_end_with_an_executor_open(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    static struct worker_call held;

    (void)arg;
    held = (struct worker_call){.executor = executor, .def = &echo_job};
    CHECK_EQ(bight_spawn(NULL, close_it, executor), 0); /* never runs: main ends first */
    (void)held;
    return 0;
}

/* The only worker dies with what could start another one, or say so, stopped; a job waits. */
static void close_what_is_stopped(bool keeper_too)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call call = {.executor = executor, .def = &echo_job};
    int zygote = worker_stats(executor).zygote_pid, keeper = worker_keeper(executor);

    CHECK_EQ(kill(keeper_too ? keeper : zygote, SIGSTOP), 0);
    CHECK_EQ(kill(keeper_too ? zygote : worker_pid(executor), SIGKILL), 0);
    while (worker_stats(executor).ready)
        CHECK_EQ(bight_sleep(1), 0);
    worker_spawn(&call);
    CHECK_EQ(bight_yield(), 0);
    worker_close(executor);
    worker_join(&call);
    CHECK_EQ(call.rc, keeper_too ? BIGHT_EAGAIN : 0); /* the keeper makes another zygote */
    CHECK_EQ(kill(keeper, SIGCONT), 0);
}

static int a_stopped_zygote_keeps_no_job_from_its_end(void *arg)
{
    (void)arg;
    close_what_is_stopped(false);
    return 0;
}

static int a_stopped_keeper_keeps_no_job_from_its_end(void *arg)
{
    (void)arg;
    close_what_is_stopped(true);
    return 0;
}

/* A job that runs is no reason to kill the zygote. */
static int a_stopped_zygote_ends_no_running_job(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call held = {.executor = executor, .def = &hold_job};
    int zygote = worker_stats(executor).zygote_pid;
    struct bight_task *closing;

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(kill(zygote, SIGSTOP), 0);
    CHECK_EQ(bight_spawn(&closing, close_it, executor), 0);
    CHECK_EQ(bight_sleep(3000), 0); /* longer than the zygote may take to read */
    CHECK_EQ(kill(zygote, SIGCONT), 0);
    atomic_store(&worker_shared->released, 1);
    worker_join(&held);
    CHECK_EQ(held.rc, 0);
    CHECK_EQ(bight_join(closing, NULL), 0);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(closing_waits_for_the_jobs_that_were_taken, 0),
    worker_case(closing_waits_for_a_job_at_its_opening, 0),
    worker_case(a_runtime_may_end_with_an_executor_open, 0),
    worker_case(a_stopped_zygote_keeps_no_job_from_its_end, 0),
    worker_case(a_stopped_keeper_keeps_no_job_from_its_end, CASE_LOSES_ZYGOTE),
    worker_case(a_stopped_zygote_ends_no_running_job, 0),
};

worker_suite("workers_end", cases);
