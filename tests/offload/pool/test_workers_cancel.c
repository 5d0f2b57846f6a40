/* Cancelling callers of worker jobs: before the job begins, while it runs, and around its end. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Lets a caller know when it was cancelled: everything inside one scope. */
struct scoped {
    struct worker_call call;
    struct bight_scope scope;
    int64_t timeout_ms;
    int settled;
};

static int scoped_task(void *arg)
{
    struct scoped *scoped = arg;
    struct worker_call *call = &scoped->call;

    CHECK_EQ(bight_scope_begin(&scoped->scope, scoped->timeout_ms, 0), 0);
    call->rc =
        bight_execute(call->executor, call->def, call->input, call->input_bytes, &call->result);
    call->ended = true;
    scoped->settled = bight_scope_end(&scoped->scope, call->rc);
    return 0;
}

static void start(struct scoped *scoped, struct bight_executor *executor,
                  const struct bight_job_def *def, int64_t timeout_ms)
{
    *scoped = (struct scoped){.call = {.executor = executor, .def = def}, .timeout_ms = timeout_ms};
    CHECK_EQ(bight_spawn(&scoped->call.task, scoped_task, scoped), 0);
}

static void finish(struct scoped *scoped)
{
    worker_join(&scoped->call);
}

static struct bight_executor *open_interrupting(int64_t grace_ms)
{
    struct bight_workers_options options = {
        .workers = 1, .cancel = BIGHT_EXECUTOR_CANCEL_INTERRUPT, .grace_ms = grace_ms};

    return worker_open(&options);
}

/* In the ring of the one worker, behind a running job: in the middle of others, which go on. */
static int a_job_that_has_not_begun_is_withdrawn(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held, first, second, third;

    (void)arg;
    start(&held, executor, &hold_job, -1);
    worker_await(&worker_shared->running, 1);
    start(&first, executor, &pid_job, -1);
    start(&second, executor, &hold_job, -1);
    start(&third, executor, &pid_job, -1);
    CHECK_EQ(bight_yield(), 0);
    bight_scope_cancel(&second.scope);
    finish(&second);
    CHECK_EQ(second.call.rc, BIGHT_ECANCELED);
    CHECK_EQ(second.settled, 0);
    CHECK_EQ(worker_stats(executor).jobs, 3);
    atomic_store(&worker_shared->released, 1);
    finish(&held);
    finish(&first);
    finish(&third);
    CHECK_EQ(first.call.rc, 0);
    CHECK_EQ(third.call.rc, 0);
    CHECK_EQ(atomic_load(&worker_shared->running), 1);
    worker_close(executor);
    return 0;
}

/* More than the ring holds, so that some are still in the queue. */
static int queued_jobs_are_withdrawn_in_any_number(void *arg)
{
    enum { CALLS = 700 };
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held;
    struct scoped *calls = calloc(CALLS, sizeof *calls);
    int ran = 0;

    (void)arg;
    start(&held, executor, &hold_job, -1);
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < CALLS; i++)
        start(&calls[i], executor, &pid_job, -1);
    while (worker_stats(executor).jobs < CALLS + 1)
        CHECK_EQ(bight_yield(), 0);
    for (int i = 0; i < CALLS; i += 2)
        bight_scope_cancel(&calls[i].scope);
    for (int i = 0; i < CALLS; i += 2) {
        finish(&calls[i]);
        CHECK_EQ(calls[i].call.rc, BIGHT_ECANCELED);
    }
    atomic_store(&worker_shared->released, 1);
    finish(&held);
    for (int i = 1; i < CALLS; i += 2) {
        finish(&calls[i]);
        ran += calls[i].call.rc == 0;
    }
    CHECK_EQ(ran, CALLS / 2);
    worker_close(executor);
    free(calls);
    return 0;
}

static int a_running_job_is_waited_for_by_default(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held;

    (void)arg;
    start(&held, executor, &hold_job, -1);
    worker_await(&worker_shared->running, 1);
    bight_scope_cancel(&held.scope);
    CHECK_EQ(bight_sleep(20), 0);
    CHECK(!held.call.ended);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_join(held.call.task, NULL), 0);
    CHECK_EQ(held.call.rc, 0);
    CHECK_EQ(held.call.result.code, 1);
    CHECK(held.scope.cancelled);
    worker_close(executor);
    return 0;
}

static int an_interrupted_job_may_end_by_itself(void *arg)
{
    struct bight_executor *executor = open_interrupting(30000);
    struct scoped held;
    int pid = worker_pid(executor);

    (void)arg;
    start(&held, executor, &hold_job, -1); /* looks at bight_job_cancelled */
    worker_await(&worker_shared->running, 1);
    bight_scope_cancel(&held.scope);
    CHECK_EQ(bight_join(held.call.task, NULL), 0);
    CHECK_EQ(held.call.rc, 0);
    CHECK_EQ(worker_pid(executor), pid);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(worker_stats(executor).started, 1);
    worker_close(executor);
    return 0;
}

/* Does not look at the flag. */
static int ignore_flag(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 1000000};

    (void)job;
    atomic_store(&worker_shared->pid, (int)getpid());
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        nanosleep(&pause, NULL);
    return 0;
}

static int ignore_everything(struct bight_job *job)
{
    signal(SIGTERM, SIG_IGN);
    return ignore_flag(job);
}

static const struct bight_job_def deaf_job = {.name = "deaf", .fn = ignore_flag};
static const struct bight_job_def deaf_again_job = {
    .name = "deaf again", .fn = ignore_flag, .flags = BIGHT_JOB_IDEMPOTENT};
static const struct bight_job_def stubborn_job = {.name = "stubborn", .fn = ignore_everything};
static int interrupt(struct bight_executor *executor, const struct bight_job_def *def, int signal)
{
    struct scoped held;
    int pid = worker_pid(executor);

    start(&held, executor, def, -1);
    worker_await(&worker_shared->running, 1);
    bight_scope_cancel(&held.scope);
    CHECK_EQ(bight_join(held.call.task, NULL), 0);
    CHECK_EQ(held.call.result.exit_signal, signal);
    CHECK_EQ(held.call.result.attempts, 1);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK(worker_pid(executor) != pid);
    CHECK_EQ(worker_stats(executor).died, 0);
    worker_close(executor);
    return held.call.rc;
}

static int an_interrupted_job_gets_sigterm_after_the_grace(void *arg)
{
    (void)arg;
    CHECK_EQ(interrupt(open_interrupting(20), &deaf_job, SIGTERM), BIGHT_ECANCELED);
    return 0;
}

static int and_sigkill_after_one_more(void *arg)
{
    (void)arg;
    CHECK_EQ(interrupt(open_interrupting(20), &stubborn_job, SIGKILL), BIGHT_ECANCELED);
    return 0;
}

static int an_interrupted_idempotent_job_is_not_run_again(void *arg)
{
    (void)arg;
    CHECK_EQ(interrupt(open_interrupting(20), &deaf_again_job, SIGTERM), BIGHT_ECANCELED);
    CHECK_EQ(atomic_load(&worker_shared->running), 1);
    return 0;
}

static int a_job_that_ends_on_sigterm_counts_as_done(void *arg)
{
    (void)arg;
    CHECK_EQ(interrupt(open_interrupting(20), &handling_job, 0), 0);
    return 0;
}

/* They are in the ring behind the one that is interrupted; none of them may get its signal. */
static int neighbours_of_an_interrupted_job_are_unharmed(void *arg)
{
    enum { CALLS = 30 };
    struct bight_executor *executor = open_interrupting(20);
    struct scoped held, calls[CALLS];

    (void)arg;
    start(&held, executor, &deaf_job, -1);
    worker_await(&worker_shared->running, 1);
    for (int i = 0; i < CALLS; i++)
        start(&calls[i], executor, &pid_job, -1);
    CHECK_EQ(bight_yield(), 0);
    bight_scope_cancel(&held.scope);
    finish(&held);
    CHECK_EQ(held.call.rc, BIGHT_ECANCELED);
    for (int i = 0; i < CALLS; i++) {
        finish(&calls[i]);
        CHECK_EQ(calls[i].call.rc, 0);
    }
    worker_close(executor);
    return 0;
}

static int a_deadline_turns_a_withdrawal_into_a_timeout(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held, late;

    (void)arg;
    start(&held, executor, &hold_job, -1);
    worker_await(&worker_shared->running, 1);
    start(&late, executor, &pid_job, 10);
    finish(&late);
    CHECK_EQ(late.call.rc, BIGHT_ECANCELED);
    CHECK_EQ(late.settled, BIGHT_ETIMEDOUT);
    atomic_store(&worker_shared->released, 1);
    finish(&held);
    worker_close(executor);
    return 0;
}

static int a_deadline_interrupts_a_running_job(void *arg)
{
    struct bight_executor *executor = open_interrupting(10);
    struct scoped held;

    (void)arg;
    start(&held, executor, &deaf_job, 10);
    finish(&held);
    CHECK_EQ(held.settled, BIGHT_ETIMEDOUT);
    worker_close(executor);
    return 0;
}

static int a_result_that_is_complete_at_the_deadline_is_kept(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held;

    (void)arg;
    start(&held, executor, &hold_job, -1);
    worker_await(&worker_shared->running, 1); /* or the deadline would withdraw it */
    CHECK_EQ(bight_scope_set_timeout(&held.scope, 10), 0);
    while (!held.scope.expired)
        CHECK_EQ(bight_sleep(1), 0);
    atomic_store(&worker_shared->released, 1);
    finish(&held);
    CHECK_EQ(held.settled, 0);
    worker_close(executor);
    return 0;
}

/* A task that is ready behind the caller cancels it between its wake and its run. */
static int canceller(void *arg)
{
    struct scoped *scoped = arg;

    while (atomic_load(&worker_shared->running) == 0 || worker_stats(scoped->call.executor).jobs)
        CHECK_EQ(bight_yield(), 0);
    if (!scoped->call.ended)
        bight_scope_cancel(&scoped->scope);
    return 0;
}

static int woken_then_cancelled_is_woken(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held;
    struct bight_task *task;

    (void)arg;
    atomic_store(&worker_shared->released, 1);
    for (int i = 0; i < 20; i++) {
        atomic_store(&worker_shared->running, 0);
        start(&held, executor, &hold_job, -1);
        CHECK_EQ(bight_spawn(&task, canceller, &held), 0);
        CHECK_EQ(bight_join(task, NULL), 0);
        finish(&held);
        CHECK_EQ(held.call.rc, 0);
    }
    worker_close(executor);
    return 0;
}

static int cancelled_then_woken_is_cancelled(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct scoped held, next;

    (void)arg;
    start(&held, executor, &hold_job, -1);
    worker_await(&worker_shared->running, 1);
    start(&next, executor, &pid_job, -1);
    CHECK_EQ(bight_yield(), 0);
    bight_scope_cancel(&next.scope);
    atomic_store(&worker_shared->released, 1);
    while (!held.call.ended)
        CHECK_EQ(bight_yield(), 0);
    finish(&next);
    CHECK_EQ(next.call.rc, BIGHT_ECANCELED);
    finish(&held);
    worker_close(executor);
    return 0;
}

static int in_a_cancelled_scope_nothing_is_begun(void *arg)
{
    struct bight_executor *executor = worker_open_count(1);
    struct bight_executor *other = NULL;
    struct bight_scope scope;

    (void)arg;
    CHECK_EQ(bight_scope_begin(&scope, -1, 0), 0);
    bight_scope_cancel(&scope);
    CHECK_EQ(bight_execute(executor, &hold_job, NULL, 0, NULL), BIGHT_ECANCELED);
    CHECK_EQ(bight_workers_new(&other, NULL), BIGHT_ECANCELED);
    CHECK(!other);
    CHECK_EQ(worker_stats(executor).ended, 0);
    CHECK_EQ(bight_executor_end(executor), 0); /* closing is not cancellable */
    CHECK_EQ(bight_scope_end(&scope, BIGHT_ECANCELED), 0);
    return 0;
}

static int sleepy_init(struct bight_job *job)
{
    return ignore_flag(job);
}

static const struct bight_job_def sleepy_init_job = {.name = "sleepy init", .fn = sleepy_init};

static int opening_can_be_cancelled(void *arg)
{
    struct bight_workers_options options = {.workers = 2, .init = &sleepy_init_job, .grace_ms = 20};
    struct bight_executor *executor = NULL;
    struct bight_scope scope;
    int rc;

    (void)arg;
    CHECK_EQ(bight_scope_begin(&scope, 30, 0), 0);
    rc = bight_workers_new(&executor, &options);
    CHECK_EQ(rc, BIGHT_ECANCELED);
    CHECK_EQ(bight_scope_end(&scope, rc), BIGHT_ETIMEDOUT);
    CHECK(!executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(a_job_that_has_not_begun_is_withdrawn, 0),
    worker_case(queued_jobs_are_withdrawn_in_any_number, 0),
    worker_case(a_running_job_is_waited_for_by_default, 0),
    worker_case(an_interrupted_job_may_end_by_itself, 0),
    worker_case(an_interrupted_job_gets_sigterm_after_the_grace, 0),
    worker_case(and_sigkill_after_one_more, 0),
    worker_case(an_interrupted_idempotent_job_is_not_run_again, 0),
    worker_case(a_job_that_ends_on_sigterm_counts_as_done, 0),
    worker_case(neighbours_of_an_interrupted_job_are_unharmed, 0),
    worker_case(a_deadline_turns_a_withdrawal_into_a_timeout, 0),
    worker_case(a_deadline_interrupts_a_running_job, 0),
    worker_case(a_result_that_is_complete_at_the_deadline_is_kept, 0),
    worker_case(woken_then_cancelled_is_woken, 0),
    worker_case(cancelled_then_woken_is_cancelled, 0),
    worker_case(in_a_cancelled_scope_nothing_is_begun, 0),
    worker_case(opening_can_be_cancelled, 0),
};

worker_suite("workers_cancel", cases);
