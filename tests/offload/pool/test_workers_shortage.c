/* Workers that cannot be started for a while, for want of descriptors or processes, or because they
 * and their zygote are killed: jobs wait, as long as the options say, and none is lost. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Somebody who has no privileges, and no processes but those of the case. */
#define NOBODY 60123

static void await_ready(const struct bight_executor *executor, unsigned ready)
{
    while (worker_stats(executor).ready < ready)
        CHECK_EQ(bight_sleep(1), 0);
}

/* All workers are killed, and none can be started: for 300 ms many attempts fail. */
static int a_shortage_of_descriptors_passes(void *arg)
{
    struct bight_executor *executor = worker_open_count(2);
    struct worker_call calls[3];
    struct rlimit limit;
    int pids[2];

    (void)arg;
    CHECK_EQ(bight_workers_pids(executor, pids, 2), 2);
    limit = worker_no_descriptors();
    for (int i = 0; i < 2; i++)
        CHECK_EQ(kill(pids[i], SIGKILL), 0);
    worker_await_died(executor, 2);
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &echo_job};
        worker_spawn(&calls[i]);
    }
    CHECK_EQ(bight_sleep(300), 0);
    for (int i = 0; i < 3; i++)
        CHECK(!calls[i].ended);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, 0);
        CHECK_EQ(calls[i].result.attempts, 1);
    }
    await_ready(executor, 2);
    worker_close(executor);
    return 0;
}

static int jobs_need_not_wait_for_ever(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .start_ms = 100};
    struct bight_executor *executor = worker_open(&options);
    struct worker_call held = {.executor = executor, .def = &hold_again_job};
    struct worker_call early = {.executor = executor, .def = &echo_job}, late = early;
    struct rlimit limit;
    uint64_t begun_ns;

    (void)arg;
    worker_spawn(&held);
    worker_await(&worker_shared->running, 1);
    worker_spawn(&early);
    /* While its worker lives a job may wait for longer. */
    CHECK_EQ(bight_sleep(200), 0);
    limit = worker_no_descriptors();
    begun_ns = bight_now_ns();
    CHECK_EQ(kill(atomic_load(&worker_shared->pid), SIGKILL), 0);
    worker_await_died(executor, 1);
    CHECK_EQ(bight_sleep(50), 0);
    worker_spawn(&late);
    CHECK_EQ(bight_join(early.task, NULL), 0);
    CHECK_EQ(early.rc, BIGHT_EAGAIN);
    CHECK_EQ(early.result.attempts, 0);
    CHECK(bight_now_ns() - begun_ns >= 100000000);
    /* It ran, so what became of that run is the answer. */
    CHECK_EQ(bight_join(held.task, NULL), 0);
    CHECK_EQ(held.rc, BIGHT_EWORKERDIED);
    CHECK_EQ(held.result.attempts, 1);
    CHECK_EQ(bight_join(late.task, NULL), 0);
    CHECK_EQ(late.rc, BIGHT_EAGAIN);
    CHECK(bight_now_ns() - begun_ns >= 150000000);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    await_ready(executor, 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

/* One whose only worker is dead, and none can be started. */
static struct bight_executor *open_without_workers(int64_t start_ms, struct rlimit *limit)
{
    struct bight_workers_options options = {.workers = 1, .start_ms = start_ms};
    struct bight_executor *executor = worker_open(&options);

    *limit = worker_no_descriptors();
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    worker_await_died(executor, 1);
    return executor;
}

/* The job of `kept` has waited all the time. */
static void end_shortage(struct bight_executor *executor, const struct rlimit *limit,
                         struct worker_call *kept)
{
    CHECK(!kept->ended);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, limit), 0);
    CHECK_EQ(bight_join(kept->task, NULL), 0);
    CHECK_EQ(kept->rc, 0);
    CHECK_EQ(kept->result.attempts, 1);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    worker_close(executor);
}

static int who_waits_for_a_worker_can_be_cancelled(void *arg)
{
    struct rlimit limit;
    struct bight_executor *executor = open_without_workers(60000, &limit);
    struct worker_call call = {.executor = executor, .def = &echo_job}, kept = call;

    (void)arg;
    worker_spawn(&call);
    worker_spawn(&kept);
    CHECK_EQ(bight_sleep(20), 0);
    CHECK(!call.ended);
    CHECK(bight_task_cancel(call.task));
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, BIGHT_ECANCELED);
    CHECK_EQ(call.result.attempts, 0);
    CHECK_EQ(worker_stats(executor).jobs, 1);
    end_shortage(executor, &limit, &kept);
    return 0;
}

static int execute_echo(void *executor)
{
    return bight_execute(executor, &echo_job, NULL, 0, NULL);
}

static int who_waits_for_a_worker_may_have_a_deadline(void *arg)
{
    struct rlimit limit;
    struct bight_executor *executor = open_without_workers(60000, &limit);
    struct worker_call kept = {.executor = executor, .def = &echo_job};

    (void)arg;
    worker_spawn(&kept);
    CHECK_EQ(bight_timeout(20, execute_echo, executor), BIGHT_ETIMEDOUT);
    CHECK_EQ(worker_stats(executor).jobs, 1);
    end_shortage(executor, &limit, &kept);
    return 0;
}

/* The loop stands still until the time of all who wait is over. */
static void let_patience_end(void)
{
    CHECK_EQ(usleep(350000), 0);
}

/* What was let go is not found when the time is over, and the one behind it is. */
static int cancelled_before_the_time_is_over_is_cancelled(void *arg)
{
    struct rlimit limit;
    struct bight_executor *executor = open_without_workers(300, &limit);
    struct worker_call call = {.executor = executor, .def = &echo_job}, behind = call;

    (void)arg;
    worker_spawn(&call);
    worker_spawn(&behind);
    CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(worker_stats(executor).jobs, 2);
    let_patience_end();
    CHECK(bight_task_cancel(call.task));
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, BIGHT_ECANCELED);
    CHECK_EQ(bight_join(behind.task, NULL), 0);
    CHECK_EQ(behind.rc, BIGHT_EAGAIN);
    CHECK_EQ(behind.result.attempts, 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    worker_close(executor);
    return 0;
}

static int execute_and_cancel(void *arg)
{
    struct worker_call *other = arg;
    int rc = execute_echo(other->executor);

    CHECK(!other->ended);
    CHECK(bight_task_cancel(other->task));
    return rc;
}

/* Both are told in the same turn, and the first to run cancels the other. */
static int cancelled_after_the_time_is_over_is_told_so(void *arg)
{
    struct rlimit limit;
    struct bight_executor *executor = open_without_workers(300, &limit);
    struct worker_call call = {.executor = executor, .def = &echo_job};
    struct bight_task *first;
    int status;

    (void)arg;
    CHECK_EQ(bight_spawn(&first, execute_and_cancel, &call), 0);
    worker_spawn(&call);
    CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(worker_stats(executor).jobs, 2);
    let_patience_end();
    CHECK_EQ(bight_join(first, &status), 0);
    CHECK_EQ(status, BIGHT_EAGAIN);
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, BIGHT_EAGAIN);
    CHECK_EQ(call.result.attempts, 0);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    worker_close(executor);
    return 0;
}

static int an_executor_ends_in_a_shortage(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call calls[3];
    struct rlimit limit = worker_no_descriptors();

    (void)arg;
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    worker_await_died(executor, 1);
    for (int i = 0; i < 3; i++) {
        calls[i] = (struct worker_call){.executor = executor, .def = &echo_job};
        worker_spawn(&calls[i]);
    }
    CHECK_EQ(bight_yield(), 0);
    worker_close(executor);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(bight_join(calls[i].task, NULL), 0);
        CHECK_EQ(calls[i].rc, BIGHT_EAGAIN);
        CHECK_EQ(calls[i].result.attempts, 0);
    }
    return 0;
}

/* The zygote may make no process. */
static int replace_without_processes(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call call = {.executor = executor, .def = &echo_job};
    int zygote = worker_stats(executor).zygote_pid;
    struct rlimit before;

    (void)arg;
    CHECK_EQ(prlimit(zygote, RLIMIT_NPROC, NULL, &before), 0);
    CHECK_EQ(prlimit(zygote, RLIMIT_NPROC, &(struct rlimit){0, before.rlim_max}, NULL), 0);
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    worker_await_died(executor, 1);
    worker_spawn(&call);
    while (worker_stats(executor).started < 5)
        CHECK_EQ(bight_sleep(1), 0);
    CHECK(!call.ended);
    CHECK_EQ(prlimit(zygote, RLIMIT_NPROC, &before, NULL), 0);
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, 0);
    CHECK_EQ(call.result.attempts, 1);
    worker_close(executor);
    return 0;
}

/* The limit does not hold for root. */
static int a_shortage_of_processes_passes(void)
{
    if (geteuid() == 0)
        CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
    CHECK_EQ(worker_prepare(), 0);
    return bight_run(replace_without_processes, NULL);
}

static int zygotes_that_are_killed_in_a_row_are_replaced(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct worker_call call = {.executor = executor, .def = &echo_job};

    (void)arg;
    for (uint64_t i = 0; i < 6; i++) {
        int zygote;

        while ((zygote = worker_stats(executor).zygote_pid) == 0)
            CHECK_EQ(bight_sleep(1), 0);
        CHECK_EQ(kill(zygote, SIGKILL), 0);
        while (worker_stats(executor).zygotes_died == i)
            CHECK_EQ(bight_yield(), 0);
        if (i == 3)
            worker_spawn(&call);
    }
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, 0);
    await_ready(executor, 1);
    worker_close(executor);
    return 0;
}

/* Succeeds in the first worker and in the sixth. */
static int killed_at_times(struct bight_job *job)
{
    int turn = atomic_fetch_add(&worker_shared->counter, 1);

    (void)job;
    if (turn > 0 && turn < 5)
        raise(SIGKILL);
    return 0;
}

static const struct bight_job_def killed_init_job = {.name = "killed init", .fn = killed_at_times};

static int who_is_killed_in_its_initialiser_is_replaced(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .init = &killed_init_job};
    struct bight_executor *executor = worker_open(&options);

    (void)arg;
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    worker_await_died(executor, 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(atomic_load(&worker_shared->counter), 6);
    worker_close(executor);
    return 0;
}

/* Succeeds in the first worker only. */
static int exits_later(struct bight_job *job)
{
    (void)job;
    if (atomic_fetch_add(&worker_shared->counter, 1))
        _exit(3);
    return 0;
}

static const struct bight_job_def exits_later_job = {.name = "exits later", .fn = exits_later};

static int an_initialiser_that_ends_its_worker_has_failed(void *arg)
{
    struct bight_workers_options options = {.workers = 1, .init = &exits_later_job};
    struct bight_executor *executor = worker_open(&options);
    struct bight_result result;

    (void)arg;
    CHECK_EQ(kill(worker_pid(executor), SIGKILL), 0);
    worker_await_died(executor, 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, &result), BIGHT_EINITFAILED);
    CHECK_EQ(result.code, BIGHT_EWORKERDIED);
    CHECK_EQ(result.attempts, 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_shortage_of_descriptors_passes, 0),
    worker_case(jobs_need_not_wait_for_ever, 0),
    worker_case(who_waits_for_a_worker_can_be_cancelled, 0),
    worker_case(who_waits_for_a_worker_may_have_a_deadline, 0),
    worker_case(cancelled_before_the_time_is_over_is_cancelled, 0),
    worker_case(cancelled_after_the_time_is_over_is_told_so, 0),
    worker_case(an_executor_ends_in_a_shortage, 0),
    worker_plain(a_shortage_of_processes_passes, CASE_UNPREPARED),
    worker_case(zygotes_that_are_killed_in_a_row_are_replaced, 0),
    worker_case(who_is_killed_in_its_initialiser_is_replaced, 0),
    worker_case(an_initialiser_that_ends_its_worker_has_failed, 0),
};

worker_suite("workers_shortage", cases);
