/* An execution's way into the queue, its wait there and in a ring, its cancellation. See pool.h. */
#include "offload/pool/pool.h"

#include <stdio.h>

/* The execution has left its ring or the queue for good. */
static void count_ended(struct pool *pool)
{
    pool->jobs--;
    pool->ended++;
    bight__pool_progress(pool);
}

/* Cancelled: withdraw the job if it has not begun, else let it run, or stop it. */
static int abort_execution(struct bight_waiter *waiter)
{
    struct execution *execution = container_of(waiter, struct execution, waiter);

    if (!execution->worker) {
        link_remove(&waiter->link);
    } else if (!bight__unpost(execution)) {
        execution->unwanted = true;
        if (execution->pool->options.cancel == BIGHT_EXECUTOR_CANCEL_INTERRUPT)
            bight__fleet_interrupt(execution);
        return BIGHT_EBUSY;
    }
    count_ended(execution->pool);
    return 0;
}

static void describe_execution(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct execution *execution = container_of(waiter, const struct execution, waiter);

    if (execution->worker)
        snprintf(text, text_bytes, "%s in worker %d", execution->def->name, execution->worker->pid);
    else
        snprintf(text, text_bytes, "%s, queued", execution->def->name);
}

static const struct bight_waiter_ops execution_ops = {
    .name = "worker job",
    .abort = abort_execution,
    .describe = describe_execution,
    .flags = BIGHT_WAITER_OUTSIDE | BIGHT_WAITER_MAY_REFUSE,
};

static void wake_caller(struct execution *execution)
{
    (void)bight_unpark(&execution->waiter, 0);
    count_ended(execution->pool);
}

static int admit(struct pool *pool, const struct execution *execution)
{
    if (pool->closing)
        return BIGHT_ECLOSED;
    if (pool->broken)
        return bight__pool_refusal(pool, execution->result);
    if (execution->input_bytes > pool->options.payload_max_bytes)
        return BIGHT_ETOOBIG;
    if (pool->jobs >= pool->options.workers + pool->options.queue_max)
        return BIGHT_EFULL;
    return 0;
}

int bight__execution_run(struct pool *pool, struct execution *execution)
{
    int64_t number;
    int rc = admit(pool, execution);

    if (rc)
        return rc;
    number = bight__registry_number(&pool->registry, execution->def);
    if (number < 0)
        return (int)number;
    rc = bight_waiter_init(&execution->waiter, &execution_ops);
    if (rc)
        return rc;
    execution->number = (uint32_t)number;
    execution->pool = pool;
    execution->ended = wake_caller;
    pool->jobs++;
    link_append(&pool->queue, &execution->waiter.link);
    if (pool->options.start_ms)
        execution->since_ns = bight_now_ns();
    bight__pool_be_patient(pool);
    bight__pool_pump(pool);
    rc = bight_park(&execution->waiter);
    return rc ? rc : execution->rc;
}
