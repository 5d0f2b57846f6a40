/* Executions that were begun without waiting for them. While one is under way it counts among what
 * is awaited from outside, as if a task slept for it: see the runtime's deadlock check. */
#include <bight/executor.h>

#include "coro/core/source.h"
#include "offload/executor.h"
#include "runtime/runtime.h"

static void settle(struct bight_execution *execution, int rc)
{
    struct bight_waiter *ender = execution->ender;

    execution->executor = NULL;
    bight__sched->outside--;
    /* It may be done already: a wait with a time limit cancels it. */
    if (rc < 0)
        (void)bight_future_fail(&execution->future, rc);
    else
        (void)bight_future_set(&execution->future, &execution->result);
    if (ender)
        (void)bight_unpark(ender, 0);
}

static int begin(struct bight_execution *execution, struct bight_executor *executor, bool wait)
{
    int rc = bight__executor_enter(executor, wait);

    if (rc)
        return rc;
    execution->executor = executor;
    execution->ended = settle;
    rc = executor->ops->begin(executor, execution);
    if (rc) {
        execution->executor = NULL;
        bight__executor_give_room(executor); /* it may have waited for its place */
    } else {
        bight__sched->outside++;
    }
    return rc;
}

int bight_execution_begin(struct bight_execution *execution, struct bight_executor *executor,
                          const struct bight_job_def *def, const void *input, size_t input_bytes,
                          const struct bight_execute_options *options)
{
    bool wait = options && options->wait_for_room;
    struct bight_task *self;
    int rc = 0;

    if (!execution)
        return BIGHT_EINVAL;
    bight_future_init(&execution->future);
    bight__execution_fill(execution, executor, def, input, input_bytes, options);
    execution->executor = NULL;
    if (!executor || !bight__execution_valid(def, input, input_bytes, options))
        return BIGHT_EINVAL;
    if (wait)
        rc = bight__observe(&self);
    if (rc)
        return rc;
    if (executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    return begin(execution, executor, wait);
}

static int check(const struct bight_execution *execution)
{
    if (!execution)
        return BIGHT_EINVAL;
    if (execution->executor && execution->executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    return 0;
}

static int cancel(struct bight_execution *execution)
{
    struct bight_executor *executor = execution->executor;

    if (!executor)
        return BIGHT_EALREADY;
    if (!executor->ops->withdraw(executor, execution))
        return BIGHT_EBUSY;
    settle(execution, BIGHT_ECANCELED);
    return 0;
}

int bight_execution_cancel(struct bight_execution *execution)
{
    int rc = check(execution);

    return rc ? rc : cancel(execution);
}

static const struct bight_waiter_ops end_ops = {.name = "end of an execution", .abort = NULL};

int bight_execution_end(struct bight_execution *execution)
{
    int rc = check(execution);

    if (rc)
        return rc;
    if (!bight_self())
        return BIGHT_ENOTASK;
    if (execution->ender)
        return BIGHT_EALREADY;
    if (cancel(execution) == BIGHT_EBUSY) {
        struct bight_waiter waiter;

        (void)!bight_waiter_init(&waiter, &end_ops);
        execution->ender = &waiter; /* until this task has seen that it woke */
        (void)!bight_park(&waiter);
        execution->ender = NULL;
    }
    bight_result_free(&execution->result);
    return 0;
}
