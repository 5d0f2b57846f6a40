/* What holds for every kind of executor: options of a call, executions that are begun, the ways an
 * executor ends. Each case runs on threads and on worker processes. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum kind { THREADS, WORKERS };

/* One worker, and so many jobs that may wait. */
static struct bight_executor *open_one(enum kind kind, size_t queue_max)
{
    struct bight_threads_options threads = {.threads_most = 1, .queue_max = queue_max};
    struct bight_workers_options workers = {.workers = 1, .queue_max = queue_max, .grace_ms = 50};
    struct bight_executor *executor = NULL;

    if (kind == WORKERS)
        return worker_open(&workers);
    CHECK_EQ(bight_threads_new(&executor, &threads), 0);
    return executor;
}

static void reset(void)
{
    atomic_store(&worker_shared->running, 0);
    atomic_store(&worker_shared->released, 0);
    atomic_store(&worker_shared->counter, 0);
}

static int on_both(void (*fn)(enum kind kind))
{
    for (enum kind kind = THREADS; kind <= WORKERS; kind++) {
        reset();
        fn(kind);
    }
    return 0;
}

static int execute(struct bight_executor *executor, const struct bight_job_def *def,
                   const struct bight_execute_options *options, struct bight_result *result)
{
    return bight_execute_with(executor, def, NULL, 0, options, result);
}

/* Does not look whether it should stop. */
static int persist(struct bight_job *job)
{
    struct timespec pause = {.tv_nsec = 200000};

    (void)job;
    atomic_fetch_add(&worker_shared->running, 1);
    while (!atomic_load(&worker_shared->released))
        nanosleep(&pause, NULL);
    return 0;
}

static int crash(struct bight_job *job)
{
    (void)job;
    atomic_fetch_add(&worker_shared->counter, 1);
    raise(SIGKILL);
    return 0;
}

static int say_progress(struct bight_job *job)
{
    char text[BIGHT_JOB_PROGRESS_MAX + 1] = "";
    int rc = bight_job_progress(job, text, sizeof text);

    if (rc != BIGHT_ETOOBIG || bight_job_progress(job, NULL, 1) != BIGHT_EINVAL)
        return BIGHT_EINVAL;
    for (int i = 0; i < 500; i++) {
        size_t bytes = (size_t)(i * 37) % sizeof text;

        memset(text, i, bytes);
        rc = bight_job_progress(job, text, bytes);
        if (rc)
            return rc;
    }
    return 7;
}

static int count(struct bight_job *job)
{
    (void)job;
    atomic_fetch_add(&worker_shared->counter, 1);
    return 0;
}

static const struct bight_job_def count_job = {.name = "count", .fn = count};
static const struct bight_job_def persist_job = {.name = "persist", .fn = persist};
static const struct bight_job_def crash_job = {
    .name = "crash", .fn = crash, .flags = BIGHT_JOB_IDEMPOTENT};
static const struct bight_job_def progress_job = {.name = "say progress", .fn = say_progress};

/* A task that calls with options. */
struct call {
    struct bight_executor *executor;
    const struct bight_job_def *def;
    const void *input;
    size_t input_bytes;
    struct bight_execute_options options;
    struct bight_result result;
    struct bight_scope scope;
    struct bight_task *task;
    int rc;
    int order; /* in which the calls ended, from 1 on */
};

static int calls_ended;

static int call_task(void *arg)
{
    struct call *call = arg;

    CHECK_EQ(bight_scope_begin(&call->scope, -1, 0), 0);
    call->rc = bight_execute_with(call->executor, call->def, call->input, call->input_bytes,
                                  &call->options, &call->result);
    call->order = ++calls_ended;
    (void)!bight_scope_end(&call->scope, 0);
    return 0;
}

static void start(struct call *call, struct bight_executor *executor,
                  const struct bight_job_def *def, struct bight_execute_options options)
{
    *call = (struct call){.executor = executor, .def = def, .options = options};
    CHECK_EQ(bight_spawn(&call->task, call_task, call), 0);
    CHECK_EQ(bight_yield(), 0);
}

static int finish(struct call *call)
{
    CHECK_EQ(bight_join(call->task, NULL), 0);
    bight_result_free(&call->result);
    return call->rc;
}

static void limit_stops(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct bight_execute_options options = {.run_ms = 20};
    struct bight_result result;

    CHECK_EQ(execute(executor, &hold_job, &options, &result), BIGHT_ETIMEDOUT);
    CHECK_EQ(result.code, 1);
    CHECK_EQ(result.attempts, 1);
    options.run_ms = 60000;
    CHECK_EQ(execute(executor, &pid_job, &options, &result), 0);
    options.run_ms = INT64_MAX;
    CHECK_EQ(execute(executor, &pid_job, &options, &result), 0);
    options.run_ms = -1;
    CHECK_EQ(execute(executor, &pid_job, &options, &result), 0);
    worker_close(executor);
}

static int a_job_that_runs_too_long_is_told(void *arg)
{
    (void)arg;
    return on_both(limit_stops);
}

static int a_process_that_does_not_listen_is_killed(void *arg)
{
    struct bight_executor *executor = open_one(WORKERS, 0);
    struct bight_execute_options options = {.run_ms = 20};
    struct bight_result result;
    struct call behind;

    (void)arg;
    start(&behind, executor, &pid_job, (struct bight_execute_options){0});
    CHECK_EQ(execute(executor, &persist_job, &options, &result), BIGHT_ETIMEDOUT);
    CHECK_EQ(result.exit_signal, SIGTERM);
    CHECK_EQ(finish(&behind), 0);
    CHECK_EQ(execute(executor, &pid_job, &options, &result), 0);
    worker_close(executor);
    return 0;
}

/* Jobs that are given to the same worker meanwhile do not put it off. */
static int jobs_behind_it_do_not_save_it(void *arg)
{
    struct bight_workers_options one = {.workers = 1, .ahead = 256, .grace_ms = 50};
    struct bight_executor *executor = worker_open(&one);
    struct call late, behind;
    int count = 0;

    (void)arg;
    start(&late, executor, &persist_job, (struct bight_execute_options){.run_ms = 10});
    while (!late.order) {
        CHECK_EQ(bight_sleep(2), 0);
        start(&behind, executor, &pid_job, (struct bight_execute_options){0});
        bight_scope_cancel(&behind.scope);
        (void)finish(&behind);
        count++;
    }
    CHECK_EQ(finish(&late), BIGHT_ETIMEDOUT);
    CHECK(count < 250); /* about 30; more, and its ring would have been full */
    worker_close(executor);
    return 0;
}

/* While the loop stands still for longer than the limit, the job does not. */
static void limit_of_the_job(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct timespec pause = {.tv_nsec = 150000000};
    struct call call;

    CHECK_EQ(execute(executor, &pid_job, NULL, NULL), 0);
    start(&call, executor, &count_job, (struct bight_execute_options){.run_ms = 100});
    worker_await(&worker_shared->counter, 1);
    nanosleep(&pause, NULL);
    CHECK_EQ(finish(&call), 0);
    worker_close(executor);
}

static int a_job_that_ended_in_time_is_not_late(void *arg)
{
    (void)arg;
    return on_both(limit_of_the_job);
}

static void limit_waits(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct call first, second, third;

    start(&first, executor, &hold_job, (struct bight_execute_options){0});
    worker_await(&worker_shared->running, 1);
    start(&second, executor, &pid_job, (struct bight_execute_options){.run_ms = 40});
    start(&third, executor, &pid_job, (struct bight_execute_options){.run_ms = 40});
    CHECK_EQ(bight_sleep(100), 0);
    bight_scope_cancel(&third.scope);
    CHECK_EQ(finish(&third), BIGHT_ECANCELED);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(finish(&first), 0);
    CHECK_EQ(finish(&second), 0);
    worker_close(executor);
}

static int time_in_the_queue_does_not_count(void *arg)
{
    (void)arg;
    return on_both(limit_waits);
}

/* A worker that has stopped has not begun: the job waits on, and runs once. */
static int a_job_that_has_not_begun_is_not_late(void *arg)
{
    struct bight_executor *executor = open_one(WORKERS, 0);
    int pid = worker_pid(executor);
    struct call call;

    (void)arg;
    CHECK_EQ(kill(pid, SIGSTOP), 0);
    start(&call, executor, &pid_job, (struct bight_execute_options){.run_ms = 10});
    CHECK_EQ(bight_sleep(50), 0);
    CHECK_EQ(worker_stats(executor).jobs, 1);
    CHECK_EQ(kill(pid, SIGCONT), 0);
    CHECK_EQ(bight_join(call.task, NULL), 0);
    CHECK_EQ(call.rc, 0);
    CHECK_EQ(call.result.code, pid);
    CHECK_EQ(call.result.attempts, 1);
    worker_close(executor);
    return 0;
}

static void room(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 1);
    struct bight_execute_options wait = {.wait_for_room = true};
    struct call first, second, third, fourth, fifth;

    calls_ended = 0;
    start(&first, executor, &hold_job, (struct bight_execute_options){0});
    start(&second, executor, &pid_job, (struct bight_execute_options){0});
    start(&third, executor, &pid_job, wait);
    start(&fourth, executor, &pid_job, wait);
    start(&fifth, executor, &pid_job, wait);
    CHECK_EQ(execute(executor, &pid_job, NULL, NULL), BIGHT_EFULL);
    CHECK_EQ(worker_stats(executor).jobs, 2);
    bight_scope_cancel(&fourth.scope);
    CHECK_EQ(finish(&fourth), BIGHT_ECANCELED);
    bight_scope_cancel(&second.scope); /* its place is the third's */
    CHECK_EQ(execute(executor, &pid_job, NULL, NULL), BIGHT_EFULL);
    CHECK_EQ(finish(&second), BIGHT_ECANCELED);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(finish(&first), 0);
    CHECK_EQ(finish(&third), 0);
    CHECK_EQ(finish(&fifth), 0);
    CHECK(third.order < fifth.order);
    worker_close(executor);
}

static int calls_wait_for_room_in_their_order(void *arg)
{
    (void)arg;
    return on_both(room);
}

/* Who has waited for a place and does not take it leaves it to the next one. */
static int a_place_that_is_not_used_goes_on(void *arg)
{
    struct bight_workers_options small = {.workers = 1, .queue_max = 1, .payload_max_bytes = 4096};
    struct bight_executor *executor = worker_open(&small);
    struct bight_execute_options wait = {.wait_for_room = true};
    struct call held, queued, large[4];
    static const char input[5000];

    (void)arg;
    start(&held, executor, &hold_job, (struct bight_execute_options){0});
    worker_await(&worker_shared->running, 1);
    start(&queued, executor, &pid_job, (struct bight_execute_options){0});
    for (int i = 0; i < 4; i++) {
        large[i] = (struct call){.executor = executor,
                                 .def = &pid_job,
                                 .options = wait,
                                 .input = input,
                                 .input_bytes = sizeof input};
        CHECK_EQ(bight_spawn(&large[i].task, call_task, &large[i]), 0);
    }
    CHECK_EQ(bight_yield(), 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(finish(&held), 0);
    CHECK_EQ(finish(&queued), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(finish(&large[i]), BIGHT_ETOOBIG);
    CHECK_EQ(execute(executor, &pid_job, NULL, NULL), 0);
    worker_close(executor);
    return 0;
}

static int end_task(void *arg)
{
    return bight_executor_end(arg);
}

static void room_ends(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 1);
    struct call first, second, third;
    struct bight_task *ender;

    start(&first, executor, &hold_job, (struct bight_execute_options){0});
    worker_await(&worker_shared->running, 1);
    start(&second, executor, &pid_job, (struct bight_execute_options){0});
    start(&third, executor, &pid_job, (struct bight_execute_options){.wait_for_room = true});
    CHECK_EQ(bight_spawn(&ender, end_task, executor), 0);
    CHECK_EQ(finish(&third), BIGHT_ECLOSED);
    CHECK_EQ(execute(executor, &pid_job, NULL, NULL), BIGHT_ECLOSED);
    CHECK_EQ(bight_executor_end(executor), BIGHT_EALREADY);
    CHECK_EQ(bight_executor_end_with(executor, BIGHT_EXECUTOR_WITHDRAW), BIGHT_EALREADY);
    CHECK_EQ(finish(&second), BIGHT_ECLOSED);
    CHECK_EQ(bight_executor_end_with(executor, BIGHT_EXECUTOR_KILL), BIGHT_EALREADY);
    CHECK_EQ(finish(&first), kind == THREADS ? 0 : BIGHT_EWORKERDIED);
    CHECK_EQ(bight_join(ender, NULL), 0);
}

static int an_end_can_be_hurried(void *arg)
{
    (void)arg;
    return on_both(room_ends);
}

static void killed(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 8);
    const struct bight_job_def *def = kind == THREADS ? &hold_job : &hold_again_job;
    struct call first, second;

    start(&first, executor, def, (struct bight_execute_options){0});
    worker_await(&worker_shared->running, 1);
    start(&second, executor, def, (struct bight_execute_options){0});
    CHECK_EQ(bight_executor_end_with(executor, (enum bight_executor_ending)9), BIGHT_EINVAL);
    CHECK_EQ(bight_executor_end_with(executor, BIGHT_EXECUTOR_KILL), 0);
    CHECK_EQ(finish(&second), BIGHT_ECLOSED);
    CHECK_EQ(finish(&first), kind == THREADS ? 0 : BIGHT_EWORKERDIED);
    CHECK_EQ(atomic_load(&worker_shared->running), 1);
}

static int an_executor_can_be_killed(void *arg)
{
    (void)arg;
    return on_both(killed);
}

static int a_call_has_its_own_number_of_attempts(void *arg)
{
    struct bight_executor *executor = open_one(WORKERS, 0);
    struct bight_execute_options options = {.attempts_max = 5};
    struct bight_result result;

    (void)arg;
    CHECK_EQ(execute(executor, &crash_job, &options, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.attempts, 5);
    options.attempts_max = 1;
    CHECK_EQ(execute(executor, &crash_job, &options, &result), BIGHT_EWORKERDIED);
    CHECK_EQ(result.attempts, 1);
    CHECK_EQ(atomic_load(&worker_shared->counter), 6);
    worker_close(executor);
    return 0;
}

struct heard {
    int reports;
    bool wrong;
};

static void hear(void *arg, const void *data, size_t bytes)
{
    struct heard *heard = arg;
    int i = heard->reports++;

    heard->wrong |= bytes != (size_t)(i * 37) % (BIGHT_JOB_PROGRESS_MAX + 1);
    for (size_t at = 0; at < bytes; at++)
        heard->wrong |= ((const char *)data)[at] != (char)i;
    heard->wrong |= bight_self() != NULL;
}

static void progress(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct heard heard = {0};
    struct bight_execute_options options = {.progress = hear, .progress_arg = &heard};
    struct bight_result result;

    CHECK_EQ(execute(executor, &progress_job, &options, &result), 0);
    CHECK_EQ(result.code, 7);
    CHECK_EQ(heard.reports, 500);
    CHECK(!heard.wrong);
    CHECK_EQ(execute(executor, &progress_job, NULL, &result), 0);
    CHECK_EQ(heard.reports, 500);
    worker_close(executor);
}

static int progress_comes_in_order_and_before_the_end(void *arg)
{
    (void)arg;
    return on_both(progress);
}

static const struct suite_case cases[] = {
    worker_case(a_job_that_runs_too_long_is_told, 0),
    worker_case(a_process_that_does_not_listen_is_killed, 0),
    worker_case(jobs_behind_it_do_not_save_it, 0),
    worker_case(a_job_that_ended_in_time_is_not_late, 0),
    worker_case(time_in_the_queue_does_not_count, 0),
    worker_case(a_job_that_has_not_begun_is_not_late, 0),
    worker_case(calls_wait_for_room_in_their_order, 0),
    worker_case(a_place_that_is_not_used_goes_on, 0),
    worker_case(an_end_can_be_hurried, 0),
    worker_case(an_executor_can_be_killed, 0),
    worker_case(a_call_has_its_own_number_of_attempts, 0),
    worker_case(progress_comes_in_order_and_before_the_end, 0),
};

worker_suite("execute", cases);
