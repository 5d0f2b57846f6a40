/* Worker processes: the end of a pool, or of the run that it is in, and of the calls there then. */
#include "tests/offload/worker_cases.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define CROWD 50
#define POOL 5

static void pause_100_ms(void)
{
    struct timespec pause = {.tv_nsec = 100000000};

    nanosleep(&pause, NULL);
}

static int crash_later(struct bight_job *job)
{
    (void)job;
    pause_100_ms();
    raise(SIGKILL);
    return 0;
}

static int count_later(struct bight_job *job)
{
    (void)job;
    atomic_fetch_add(&worker_shared->running, 1);
    pause_100_ms();
    atomic_fetch_add(&worker_shared->counter, 1);
    return 0;
}

static const struct bight_job_def crash_later_job = {.name = "crash later", .fn = crash_later};
static const struct bight_job_def count_later_job = {.name = "count later", .fn = count_later};
/* Workers have the version before. */
static struct bight_job_def changed_job = {.name = "changed", .fn = count_later, .version = 1};

static void begin(struct bight_execution *call, struct bight_executor *executor,
                  const struct bight_job_def *def)
{
    CHECK_EQ(bight_execution_begin(call, executor, def, NULL, 0, NULL), 0);
}

/* The status of a call that has ended, or BIGHT_EAGAIN. */
static int status_of(struct bight_execution *call)
{
    int status = BIGHT_EAGAIN;

    (void)!bight_future_get(&call->future, &status, NULL);
    return status;
}

static int drain(void *executor)
{
    return bight_executor_end(executor);
}

static int withdraw(void *executor)
{
    return bight_executor_end_with(executor, BIGHT_EXECUTOR_WITHDRAW);
}

static struct bight_task *start(int (*fn)(void *executor), struct bight_executor *executor)
{
    struct bight_task *task;

    CHECK_EQ(bight_spawn(&task, fn, executor), 0);
    CHECK_EQ(bight_yield(), 0);
    return task;
}

static void join(struct bight_task *task)
{
    int status;

    CHECK_EQ(bight_join(task, &status), 0);
    CHECK_EQ(status, 0);
}

static void check_gone(int pid)
{
    CHECK(kill(pid, 0) == -1 && errno == ESRCH);
}

static int ppool_13_an_early_end_waits_for_workers_of_one_call_each(void *arg)
{
    struct bight_workers_options options = {.workers = 3, .jobs_max = 1};
    struct bight_executor *executor = worker_open(&options);
    static struct bight_execution calls[6];

    (void)arg;
    for (int i = 0; i < 6; i++)
        begin(&calls[i], executor, &pid_job);
    worker_close(executor);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(status_of(&calls[i]), 0);
        for (int other = 0; other < i; other++)
            CHECK(calls[i].result.code != calls[other].result.code);
        CHECK_EQ(bight_execution_end(&calls[i]), 0);
    }
    return 0;
}

static int ppool_24_a_call_may_crash_while_the_end_waits_for_it(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_execution call;

    (void)arg;
    begin(&call, executor, &crash_later_job);
    worker_close(executor);
    CHECK_EQ(status_of(&call), BIGHT_EWORKERDIED);
    CHECK_EQ(call.result.exit_signal, SIGKILL);
    CHECK_EQ(bight_execution_end(&call), 0);
    return 0;
}

/* That the worker does not know the job shows when it gets it. */
static int ppool_25_a_call_that_cannot_be_handed_over_does_not_hold_up_the_end(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    int status, pid = worker_pid(executor);
    struct bight_execution call;
    struct bight_task *end;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    changed_job.version = 2;
    begin(&call, executor, &changed_job);
    end = start(drain, executor);
    CHECK_EQ(bight_future_wait(&call.future, &status, NULL), 0);
    CHECK_EQ(status, BIGHT_EUNKNOWNJOB);
    join(end);
    check_gone(pid);
    CHECK_EQ(atomic_load(&worker_shared->running), 0);
    CHECK_EQ(bight_execution_end(&call), 0);
    return 0;
}

static int call_count_later(void *executor)
{
    return bight_execute(executor, &count_later_job, NULL, 0, NULL);
}

/* Nobody waits for the task, nobody ends the pool. */
static int hands_in_and_ends(void *arg)
{
    (void)arg;
    CHECK_EQ(bight_spawn(NULL, call_count_later, worker_open_count(1)), 0);
    worker_await(&worker_shared->running, 1);
    return 0;
}

static void no_report(void *arg, const struct bight_report *report)
{
    (void)arg;
    worker_case_failed(__FILE__, __LINE__, report->text, 0, 0);
}

/* On a thread of its own. */
static int run_program(void *arg)
{
    struct bight_runtime_options options = {.on_report = no_report};

    return bight_run_with(&options, hands_in_and_ends, arg);
}

static int ppool_29_a_call_that_runs_is_awaited_at_the_end_of_the_run(void *arg)
{
    CHECK_EQ(bight_offload(run_program, arg), 0);
    CHECK_EQ(atomic_load(&worker_shared->counter), 1);
    return 0;
}

static int make_pool(void *arg)
{
    struct bight_executor *executor;

    (void)arg;
    return bight_workers_new(&executor, NULL);
}

/* Nor can a pool be made where no run is, as when all have ended. */
static int ppool_30_nothing_can_be_handed_in_at_the_end(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    static struct bight_execution held, late;
    struct bight_task *end;

    begin(&held, executor, &hold_job);
    worker_await(&worker_shared->running, 1);
    end = start(drain, executor);
    CHECK_EQ(bight_execution_begin(&late, executor, &echo_job, NULL, 0, NULL), BIGHT_ECLOSED);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), BIGHT_ECLOSED);
    atomic_store(&worker_shared->released, 1);
    join(end);
    CHECK_EQ(status_of(&held), 0);
    CHECK_EQ(bight_execution_end(&held), 0);
    CHECK_EQ(bight_offload(make_pool, arg), BIGHT_ENOTASK);
    return 0;
}

/* All but those that run, though workers hold some more. */
static int ppool_32_an_end_can_withdraw_what_has_not_begun(void *arg)
{
    struct bight_executor *executor = worker_open_count(POOL);
    static struct bight_execution calls[CROWD];
    struct bight_task *end;
    int withdrawn = 0;

    (void)arg;
    for (int i = 0; i < CROWD; i++)
        begin(&calls[i], executor, &hold_job);
    worker_await(&worker_shared->running, POOL);
    end = start(withdraw, executor);
    while (worker_stats(executor).jobs > POOL)
        CHECK_EQ(bight_sleep(1), 0);
    atomic_store(&worker_shared->released, 1);
    join(end);
    for (int i = 0; i < CROWD; i++) {
        int status = status_of(&calls[i]);

        CHECK(status == 0 || status == BIGHT_ECLOSED);
        withdrawn += status == BIGHT_ECLOSED;
        CHECK_EQ(calls[i].result.attempts, status == 0);
        CHECK_EQ(bight_execution_end(&calls[i]), 0);
    }
    CHECK_EQ(withdrawn, CROWD - POOL);
    CHECK_EQ(atomic_load(&worker_shared->running), POOL);
    return 0;
}

/* The worker may have begun it, or not. One that did not leave would be awaited for longer than a
 * case may last. */
static int ppool_33_a_call_that_is_cancelled_at_once_does_not_hold_up_the_end(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .grace_ms = 600000};
    struct bight_executor *executor = worker_open(&options);
    struct bight_execution call;
    int rc;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    begin(&call, executor, &echo_job);
    rc = bight_execution_cancel(&call);
    CHECK(rc == 0 || rc == BIGHT_EBUSY);
    worker_close(executor);
    CHECK_EQ(status_of(&call), rc ? 0 : BIGHT_ECANCELED);
    CHECK_EQ(bight_execution_end(&call), 0);
    return 0;
}

/* There may be five, and there are as many as there is work for. */
static int ppool_34_all_processes_end(void *arg)
{
    struct bight_workers_options options = {.workers = POOL, .idle_ms = -1};
    struct bight_executor *executor = worker_open(&options);
    static struct bight_execution calls[3];
    int pids[POOL];

    (void)arg;
    for (int i = 0; i < 3; i++)
        begin(&calls[i], executor, &hold_job);
    worker_await(&worker_shared->running, 3);
    CHECK_EQ(bight_workers_pids(executor, pids, POOL), 3);
    atomic_store(&worker_shared->released, 1);
    worker_close(executor);
    for (int i = 0; i < 3; i++) {
        check_gone(pids[i]);
        CHECK_EQ(status_of(&calls[i]), 0);
        CHECK_EQ(bight_execution_end(&calls[i]), 0);
    }
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(ppool_13_an_early_end_waits_for_workers_of_one_call_each, 0),
    worker_case(ppool_24_a_call_may_crash_while_the_end_waits_for_it, 0),
    worker_case(ppool_25_a_call_that_cannot_be_handed_over_does_not_hold_up_the_end, 0),
    worker_case(ppool_29_a_call_that_runs_is_awaited_at_the_end_of_the_run, 0),
    worker_case(ppool_30_nothing_can_be_handed_in_at_the_end, 0),
    worker_case(ppool_32_an_end_can_withdraw_what_has_not_begun, 0),
    worker_case(ppool_33_a_call_that_is_cancelled_at_once_does_not_hold_up_the_end, 0),
    worker_case(ppool_34_all_processes_end, 0),
};

worker_suite("processes end", cases);
