/* Executions that are begun without waiting for them, on threads and on worker processes. */
#include "tests/offload/worker_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum kind { THREADS, WORKERS };

static struct bight_executor *open_one(enum kind kind, size_t queue_max)
{
    struct bight_threads_options threads = {.threads_most = 1, .queue_max = queue_max};
    struct bight_workers_options workers = {.workers = 1, .queue_max = queue_max};
    struct bight_executor *executor = NULL;

    if (kind == WORKERS)
        return worker_open(&workers);
    CHECK_EQ(bight_threads_new(&executor, &threads), 0);
    return executor;
}

static int on_both(void (*fn)(enum kind kind))
{
    for (enum kind kind = THREADS; kind <= WORKERS; kind++) {
        atomic_store(&worker_shared->running, 0);
        atomic_store(&worker_shared->released, 0);
        fn(kind);
    }
    return 0;
}

static int begin(struct bight_execution *execution, struct bight_executor *executor,
                 const struct bight_job_def *def, const char *text)
{
    return bight_execution_begin(execution, executor, def, text, text ? strlen(text) : 0, NULL);
}

static int await(struct bight_execution *execution)
{
    int status = 1;

    CHECK_EQ(bight_future_wait(&execution->future, &status, NULL), 0);
    return status;
}

static void waited(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct bight_execution execution;
    void *value;
    int status;

    CHECK_EQ(begin(&execution, executor, &echo_job, "hello"), 0);
    CHECK(!bight_future_done(&execution.future));
    CHECK_EQ(worker_stats(executor).jobs, 1);
    CHECK_EQ(bight_future_wait(&execution.future, &status, &value), 0);
    CHECK_EQ(status, 0);
    CHECK(value == &execution.result);
    CHECK_EQ(execution.result.output_bytes, 5);
    CHECK_EQ(memcmp(execution.result.output, "hello", 5), 0);
    CHECK_EQ(bight_execution_cancel(&execution), BIGHT_EALREADY);
    CHECK_EQ(bight_execution_end(&execution), 0);
    CHECK(!execution.result.output);
    CHECK_EQ(bight_execution_end(&execution), 0);
    worker_close(executor);
}

static int an_execution_is_a_future(void *arg)
{
    (void)arg;
    return on_both(waited);
}

struct outside {
    struct bight_call call;
    struct bight_executor *executor;
    struct bight_execution execution;
    struct bight_event begun;
};

static void begun_outside(struct bight_call *call)
{
    struct outside *outside = bight_container_of(call, struct outside, call);
    struct bight_execute_options wait = {.wait_for_room = true};

    CHECK_EQ(
        bight_execution_begin(&outside->execution, outside->executor, &pid_job, NULL, 0, &wait),
        BIGHT_ENOTASK);
    CHECK_EQ(begin(&outside->execution, outside->executor, &pid_job, NULL), 0);
    CHECK_EQ(bight_execution_end(&outside->execution), BIGHT_ENOTASK);
    bight_event_set(&outside->begun);
}

static void outside(enum kind kind)
{
    struct outside outside = {.executor = open_one(kind, 0), .begun = BIGHT_EVENT_INIT};

    bight_call_init(&outside.call, begun_outside);
    CHECK_EQ(bight_call_soon(&outside.call), 0);
    CHECK_EQ(bight_event_wait(&outside.begun), 0);
    CHECK_EQ(await(&outside.execution), 0);
    CHECK_EQ(bight_execution_end(&outside.execution), 0);
    worker_close(outside.executor);
}

static int a_callback_may_begin_one(void *arg)
{
    (void)arg;
    return on_both(outside);
}

static void together(enum kind kind)
{
    enum { COUNT = 50 };
    struct bight_executor *executor = open_one(kind, 0);
    static struct bight_execution executions[COUNT];
    static struct bight_wait_item items[COUNT];
    struct bight_as_completed completed;
    struct bight_case cases[2];
    struct bight_wait_item *item;

    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(begin(&executions[i], executor, i % 2 ? &echo_job : &pid_job, NULL), 0);
        items[i] = (struct bight_wait_item){.future = &executions[i].future};
    }
    bight_case_future(&cases[0], &executions[COUNT - 1].future);
    bight_case_sleep(&cases[1], -1);
    CHECK_EQ(bight_select(cases, 2, 0), 0);
    CHECK_EQ(bight_wait(items, COUNT, BIGHT_WAIT_ALL_COMPLETED, -1), COUNT);
    CHECK_EQ(bight_as_completed_begin(&completed, items, COUNT), 0);
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ(bight_as_completed_next(&completed, &item), 0);
        CHECK_EQ(item->status, 0);
    }
    CHECK_EQ(bight_as_completed_end(&completed), 0);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(bight_execution_end(&executions[i]), 0);
    worker_close(executor);
}

static int it_goes_to_wait_as_completed_and_select(void *arg)
{
    (void)arg;
    return on_both(together);
}

static void cancelled(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct bight_execution running, queued;

    CHECK_EQ(begin(&running, executor, &hold_job, NULL), 0);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(begin(&queued, executor, &hold_job, NULL), 0);
    CHECK_EQ(bight_yield(), 0);
    CHECK_EQ(bight_execution_cancel(&queued), 0);
    CHECK_EQ(await(&queued), BIGHT_ECANCELED);
    CHECK_EQ(bight_execution_cancel(&queued), BIGHT_EALREADY);
    CHECK_EQ(bight_execution_cancel(&running), BIGHT_EBUSY);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(await(&running), 0);
    CHECK_EQ(running.result.code, 1);
    CHECK_EQ(atomic_load(&worker_shared->running), 1);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    CHECK_EQ(bight_execution_end(&queued), 0);
    CHECK_EQ(bight_execution_end(&running), 0);
    worker_close(executor);
}

static int a_job_that_has_not_begun_is_withdrawn(void *arg)
{
    (void)arg;
    return on_both(cancelled);
}

static int end_task(void *arg)
{
    return bight_execution_end(arg);
}

/* The future may be done before the job has ended: the end waits for that. */
static void ended(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 0);
    struct bight_execution execution;
    struct bight_task *ender;
    int status;

    CHECK_EQ(begin(&execution, executor, &hold_job, NULL), 0);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(bight_future_wait_for(&execution.future, 0, &status, NULL), BIGHT_ETIMEDOUT);
    CHECK_EQ(bight_spawn(&ender, end_task, &execution), 0);
    CHECK_EQ(bight_yield(), 0);
    if (kind == WORKERS) { /* threads have told the job to stop */
        CHECK_EQ(bight_execution_end(&execution), BIGHT_EALREADY);
        CHECK(bight_task_cancel(ender));
        CHECK_EQ(bight_yield(), 0);
        CHECK(!bight_task_done(ender));
    }
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(bight_join(ender, &status), 0);
    CHECK_EQ(status, 0);
    CHECK_EQ(worker_stats(executor).jobs, 0);
    worker_close(executor);
}

static int the_end_waits_for_the_job(void *arg)
{
    (void)arg;
    return on_both(ended);
}

static void refused(enum kind kind)
{
    struct bight_executor *executor = open_one(kind, 1);
    struct bight_execution first, second, third;

    CHECK_EQ(begin(&first, executor, &hold_job, NULL), 0);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(begin(&second, executor, &pid_job, NULL), 0);
    CHECK_EQ(begin(&third, executor, &pid_job, NULL), BIGHT_EFULL);
    CHECK_EQ(bight_execution_cancel(&third), BIGHT_EALREADY);
    CHECK_EQ(bight_execution_end(&third), 0);
    CHECK_EQ(bight_execution_begin(&third, executor, &pid_job, NULL, 1, NULL), BIGHT_EINVAL);
    CHECK_EQ(bight_execution_end(&third), 0);
    atomic_store(&worker_shared->released, 1);
    CHECK_EQ(await(&second), 0);
    CHECK_EQ(bight_execution_end(&first), 0);
    CHECK_EQ(bight_execution_end(&second), 0);
    worker_close(executor);
}

static int what_was_not_begun_needs_no_end(void *arg)
{
    (void)arg;
    return on_both(refused);
}

static int leave_task(void *arg)
{
    static struct bight_execution executions[2];
    enum kind kind = *(enum kind *)arg;
    struct bight_executor *executor = open_one(kind, 0);

    CHECK_EQ(begin(&executions[0], executor, &hold_job, NULL), 0);
    worker_await(&worker_shared->running, 1);
    CHECK_EQ(begin(&executions[1], executor, &pid_job, NULL), 0);
    atomic_store(&worker_shared->released, 1);
    return 0;
}

static int a_runtime_may_end_with_some_under_way(void)
{
    for (enum kind kind = THREADS; kind <= WORKERS; kind++) {
        atomic_store(&worker_shared->running, 0);
        atomic_store(&worker_shared->released, 0);
        CHECK_EQ(bight_run(leave_task, &kind), 0);
    }
    return 0;
}

static const struct suite_case cases[] = {
    worker_case(an_execution_is_a_future, 0),
    worker_case(a_callback_may_begin_one, 0),
    worker_case(it_goes_to_wait_as_completed_and_select, 0),
    worker_case(a_job_that_has_not_begun_is_withdrawn, 0),
    worker_case(the_end_waits_for_the_job, 0),
    worker_case(what_was_not_begun_needs_no_end, 0),
    worker_plain(a_runtime_may_end_with_some_under_way, 0),
};

worker_suite("execution", cases);
