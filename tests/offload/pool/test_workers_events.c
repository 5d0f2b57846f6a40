/* What an executor tells of its workers: starts, deaths, replacements, jobs that are run again or
 * do not stop. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 64

static struct bight_workers_event events[EVENTS_MAX];
static _Atomic int event_count;

static void note(void *arg, const struct bight_workers_event *event)
{
    int at = atomic_load(&event_count);

    CHECK(arg == events);
    CHECK(!bight_self()); /* outside of tasks */
    CHECK(at < EVENTS_MAX);
    events[at] = *event;
    atomic_store(&event_count, at + 1);
}

static struct bight_executor *open_noted(struct bight_workers_options options)
{
    options.on_event = note;
    options.event_arg = events;
    return worker_open(&options);
}

static const struct bight_workers_event *await_event(int at, enum bight_workers_event_kind kind)
{
    worker_await(&event_count, at + 1);
    CHECK_EQ(events[at].kind, kind);
    return &events[at];
}

static int exit_now(struct bight_job *job)
{
    (void)job;
    _exit(7);
}

static int exit_at_first(struct bight_job *job)
{
    if (job->attempt < 3)
        _exit(8);
    return (int)job->attempt;
}

static int ignore_all(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 1000000};

    signal(SIGTERM, SIG_IGN);
    atomic_fetch_add(&worker_shared->running, 1);
    while (job)
        nanosleep(&pause, NULL);
    return 0;
}

static const struct bight_job_def exit_job = {.name = "exit", .fn = exit_now};
static const struct bight_job_def again_job = {
    .name = "exit at first", .fn = exit_at_first, .flags = BIGHT_JOB_IDEMPOTENT};
static const struct bight_job_def stubborn_job = {.name = "stubborn", .fn = ignore_all};

static int starts_and_deaths_are_told(void *arg)
{
    struct bight_executor *executor = open_noted((struct bight_workers_options){.workers = 2});
    const struct bight_workers_event *event;
    int pids[2];

    (void)arg;
    CHECK_EQ(bight_workers_pids(executor, pids, 2), 2);
    CHECK_EQ(atomic_load(&event_count), 2);
    for (int i = 0; i < 2; i++) {
        event = await_event(i, BIGHT_WORKERS_STARTED);
        CHECK(event->pid == pids[0] || event->pid == pids[1]);
        CHECK(event->reason == BIGHT_WORKERS_NO_REASON && !event->def);
    }
    CHECK(events[0].pid != events[1].pid);
    CHECK_EQ(kill(pids[1], SIGKILL), 0);
    event = await_event(2, BIGHT_WORKERS_DIED);
    CHECK_EQ(event->pid, pids[1]);
    CHECK_EQ(event->exit_signal, SIGKILL);
    CHECK_EQ(event->exit_status, 0);
    (void)await_event(3, BIGHT_WORKERS_STARTED);
    CHECK_EQ(bight_execute(executor, &exit_job, NULL, 0, NULL), BIGHT_EWORKERDIED);
    event = await_event(4, BIGHT_WORKERS_DIED);
    CHECK_EQ(event->exit_signal, 0);
    CHECK_EQ(event->exit_status, 7);
    (void)await_event(5, BIGHT_WORKERS_STARTED);
    worker_close(executor);
    CHECK_EQ(atomic_load(&event_count), 6); /* an end is no death */
    return 0;
}

static int a_job_that_is_run_again_is_told(void *arg)
{
    struct bight_executor *executor = open_noted((struct bight_workers_options){.workers = 1});
    const struct bight_workers_event *event;
    struct bight_result result;
    int retries = 0;

    (void)arg;
    CHECK_EQ(bight_execute(executor, &again_job, NULL, 0, &result), 0);
    CHECK_EQ(result.code, 3);
    for (int i = 0; i < atomic_load(&event_count); i++) {
        event = &events[i];
        if (event->kind != BIGHT_WORKERS_RETRIED)
            continue;
        CHECK_EQ(event->attempts, ++retries);
        CHECK(event->def == &again_job);
        CHECK_EQ(event->pid, 0);
    }
    CHECK_EQ(retries, 2);
    worker_close(executor);
    return 0;
}

static int replacements_are_told_with_their_reason(void *arg)
{
    struct bight_executor *executor =
        open_noted((struct bight_workers_options){.workers = 1, .jobs_max = 1});
    const struct bight_workers_event *event;
    int pid = worker_pid(executor);

    (void)arg;
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    event = await_event(1, BIGHT_WORKERS_REPLACED);
    CHECK_EQ(event->reason, BIGHT_WORKERS_JOBS);
    CHECK_EQ(event->pid, pid);
    (void)await_event(2, BIGHT_WORKERS_STARTED);
    worker_close(executor);

    atomic_store(&event_count, 0);
    executor = open_noted((struct bight_workers_options){.workers = 1, .memory_max_bytes = 1});
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    CHECK_EQ(await_event(1, BIGHT_WORKERS_REPLACED)->reason, BIGHT_WORKERS_MEMORY);
    worker_close(executor);

    atomic_store(&event_count, 0);
    executor = open_noted((struct bight_workers_options){.workers = 1, .idle_ms = 5});
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    (void)await_event(0, BIGHT_WORKERS_STARTED);
    CHECK_EQ(await_event(1, BIGHT_WORKERS_REPLACED)->reason, BIGHT_WORKERS_IDLE);
    worker_close(executor);
    CHECK_EQ(atomic_load(&event_count), 2); /* nobody has taken its place */
    return 0;
}

static void check_stopped(int at, int number, enum bight_workers_reason reason)
{
    const struct bight_workers_event *event = await_event(at, BIGHT_WORKERS_STOPPED);

    CHECK_EQ(event->exit_signal, number);
    CHECK_EQ(event->reason, reason);
    CHECK(event->def == &stubborn_job);
    CHECK(event->pid == events[0].pid);
}

static int signals_to_a_job_that_goes_on_are_told(void *arg)
{
    struct bight_workers_options options = {
        .workers = 1, .cancel = BIGHT_EXECUTOR_CANCEL_INTERRUPT, .grace_ms = 10};
    struct bight_execute_options limited = {.run_ms = 10};
    struct bight_executor *executor = open_noted(options);
    struct worker_call call = {.executor = executor, .def = &stubborn_job};

    (void)arg;
    worker_spawn(&call);
    worker_await(&worker_shared->running, 1);
    CHECK(bight_task_cancel(call.task));
    check_stopped(1, SIGTERM, BIGHT_WORKERS_CANCELLED);
    check_stopped(2, SIGKILL, BIGHT_WORKERS_CANCELLED);
    worker_join(&call);
    CHECK_EQ(call.rc, BIGHT_ECANCELED);
    (void)await_event(3, BIGHT_WORKERS_STARTED); /* a death that was wanted is none */
    worker_close(executor);

    atomic_store(&event_count, 0);
    executor = open_noted(options);
    CHECK_EQ(bight_execute_with(executor, &stubborn_job, NULL, 0, &limited, NULL), BIGHT_ETIMEDOUT);
    check_stopped(1, SIGTERM, BIGHT_WORKERS_TIME);
    check_stopped(2, SIGKILL, BIGHT_WORKERS_TIME);
    worker_close(executor);
    return 0;
}

static struct worker_call *to_cancel;

static void cancel_what_is_retried(void *arg, const struct bight_workers_event *event)
{
    struct bight_executor *const *executor = arg;
    int pids[4];

    if (event->kind != BIGHT_WORKERS_RETRIED)
        return;
    CHECK_EQ(worker_stats(*executor).jobs, 1);
    CHECK(bight_workers_pids(*executor, pids, 4) >= 0);
    CHECK(bight_task_cancel(to_cancel->task));
}

static int a_callback_may_look_and_cancel(void *arg)
{
    struct bight_executor *executor;
    struct bight_workers_options options = {
        .workers = 1, .on_event = cancel_what_is_retried, .event_arg = &executor};
    struct worker_call call = {.def = &again_job};

    (void)arg;
    executor = worker_open(&options);
    call.executor = executor;
    to_cancel = &call;
    worker_spawn(&call);
    worker_join(&call);
    CHECK_EQ(call.rc, BIGHT_ECANCELED);
    CHECK_EQ(bight_execute(executor, &echo_job, NULL, 0, NULL), 0);
    worker_close(executor);
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(starts_and_deaths_are_told, 0),
    worker_case(a_job_that_is_run_again_is_told, 0),
    worker_case(replacements_are_told_with_their_reason, 0),
    worker_case(signals_to_a_job_that_goes_on_are_told, 0),
    worker_case(a_callback_may_look_and_cancel, 0),
};

worker_suite("workers_events", cases);
