/* An execution's way into the queue and out of it, its cancellation. See pool.h. */
#include "offload/pool/pool.h"

#include <stdio.h>

const struct bight_waiter_ops bight__pool_wait = {
    .name = "worker job",
    .abort = bight__execute_abort,
    .describe = bight__execute_describe,
    .flags = BIGHT_WAITER_OUTSIDE,
};

void bight__pool_describe(const struct bight_execution *record, char *text, size_t text_bytes)
{
    const struct execution *execution = execution_of(record);

    if (execution->worker)
        snprintf(text, text_bytes, "%s in worker %d", record->def->name, execution->worker->pid);
    else
        snprintf(text, text_bytes, "%s, queued", record->def->name);
}

/* It is in the queue; `waiting`: others were before. */
static __attribute__((noinline)) int watch(struct pool *pool, struct execution *execution,
                                           bool waiting)
{
    if (pool->options.start_ms) {
        execution->since_ns = bight_now_ns();
        bight__pool_be_patient(pool);
    }
    if (!waiting)
        bight__pool_pump(pool);
    if (pool->elastic)
        bight__turnover_demand(pool);
    return 0;
}

static inline int enqueue(struct pool *pool, struct execution *execution, uint32_t number)
{
    bool waiting = !link_empty(&pool->queue);

    pool->limits |= record_of(execution)->options.run_ms > 0;
    *execution = (struct execution){.number = number, .counted = true};
    pool->base.jobs++;
    link_append(&pool->queue, &execution->link);
    if (unlikely(pool->watches))
        return watch(pool, execution, waiting);
    if (!waiting) /* else there was no room for the one before it either */
        bight__pool_pump(pool);
    return 0;
}

/* The definition is another one than that of the last execution, or there is something wrong. */
static __attribute__((noinline)) int begin_other(struct pool *pool, struct bight_execution *record)
{
    int64_t number;

    if (pool->broken)
        return bight__pool_refusal(pool, &record->result);
    if (record->input_bytes > pool->options.payload_max_bytes)
        return BIGHT_ETOOBIG;
    number = bight__registry_find(&pool->registry, record->def);
    return number < 0 ? (int)number : enqueue(pool, execution_of(record), (uint32_t)number);
}

int bight__pool_begin(struct bight_executor *executor, struct bight_execution *record)
{
    struct pool *pool = pool_of(executor);

    if (unlikely(pool->broken || record->input_bytes > pool->options.payload_max_bytes ||
                 record->def != pool->registry.last_def))
        return begin_other(pool, record);
    return enqueue(pool, execution_of(record), pool->registry.last);
}

bool bight__pool_withdraw(struct bight_executor *executor, struct bight_execution *record)
{
    struct pool *pool = pool_of(executor);
    struct execution *execution = execution_of(record);

    if (!execution->worker) {
        link_remove(&execution->link);
    } else if (!bight__unpost(execution)) {
        execution->unwanted = true;
        if (pool->options.cancel == BIGHT_EXECUTOR_CANCEL_INTERRUPT)
            bight__fleet_interrupt(execution);
        return false;
    }
    execution_left(pool);
    return true;
}

void bight__pool_empty(struct pool *pool)
{
    struct bight_link *link;

    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        struct worker *worker = container_of(at, struct worker, link);

        if (worker->phase != WORKER_STARTING) /* which has its initialiser there, and no other */
            bight__unpost_some(worker, CHANNEL_SLOTS);
    }
    while ((link = link_take(&pool->queue))) {
        struct execution *execution = container_of(link, struct execution, link);
        bool ran = record_of(execution)->result.attempts > 0;

        execution_end(execution, ran ? BIGHT_EWORKERDIED : BIGHT_ECLOSED);
    }
}
