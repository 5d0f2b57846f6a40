/* The state that all other files of a pool change: an execution ends or goes back into the queue, a
 * worker enters a phase, the task that opens or closes the pool goes on. This file calls none of
 * them. Read pool.h first. */
#include "offload/pool/pool.h"

#include <sys/wait.h>

#include "coro/base/units.h"

bool bight__pool_settled(const struct pool *pool)
{
    if (pool->dismissed)
        return pool->count == 0;
    if (pool->base.closing)
        return pool->base.jobs == 0;
    return pool->ready >= pool->least || pool->failures;
}

void bight__pool_progress(struct pool *pool)
{
    struct bight_waiter *waiter = pool->awaited;

    if (pool->look)
        pool->look(pool);
    if (!waiter || !bight__pool_settled(pool))
        return;
    pool->awaited = NULL;
    (void)bight_unpark(waiter, 0);
}

int bight__pool_refusal(const struct pool *pool, struct bight_result *result)
{
    if (pool->broken == BIGHT_EINITFAILED)
        result->code = pool->init_code;
    return pool->broken;
}

void bight__execution_requeue(struct execution *execution)
{
    struct pool *pool = pool_of(record_of(execution)->executor);

    execution->worker = NULL;
    link_prepend(&pool->queue, &execution->link);
    bight__pool_be_patient(pool);
}

/* Another worker runs a job that had not begun when its worker died. But only the dead worker's
 * memory says that it had not: the oldest job of a dead worker may have begun, and any job of one
 * that wrote nonsense. A job to which that happens again and again is the cause itself.
 * attempts_max is too low a limit for it: where workers are killed as fast as they start, it
 * happens to harmless jobs several times in a row. */
#define RETURNS_LEAST 64u

static unsigned attempts_most(const struct bight_execution *record)
{
    return record->options.attempts_max ? record->options.attempts_max
                                        : pool_of(record->executor)->options.attempts_max;
}

static bool may_return(const struct execution *execution)
{
    unsigned most = attempts_most(record_of(execution));

    return execution->returned < (most > RETURNS_LEAST ? most : RETURNS_LEAST);
}

static bool may_run_again(const struct execution *execution)
{
    const struct bight_execution *record = record_of(execution);

    return (record->def->flags & BIGHT_JOB_IDEMPOTENT) && may_return(execution) &&
           record->result.attempts < attempts_most(record) &&
           record->executor->how != BIGHT_EXECUTOR_KILL;
}

static void retry(struct execution *execution)
{
    const struct bight_execution *record = record_of(execution);
    const struct bight_workers_event event = {
        .kind = BIGHT_WORKERS_RETRIED, .def = record->def, .attempts = record->result.attempts};

    bight__execution_requeue(execution);
    bight__pool_tell(pool_of(record->executor), &event); /* it may be cancelled there */
}

void bight__execution_orphaned(struct execution *execution, bool began, int status)
{
    struct bight_result *result = &record_of(execution)->result;
    struct worker *worker = execution->worker;
    bool interrupted = worker->interrupted == execution && worker->told_to_stop;

    if (began) {
        result->attempts++;
        result->exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    }
    if (!began && (worker->scribbled || execution->position == worker->tail))
        execution->returned++;
    if (!began && !worker->scribbled && may_return(execution))
        bight__execution_requeue(execution);
    else if (execution->late)
        execution_end(execution, BIGHT_ETIMEDOUT);
    else if (interrupted)
        execution_end(execution, BIGHT_ECANCELED);
    else if (may_run_again(execution) && execution->unwanted)
        execution_end(execution, BIGHT_ECANCELED);
    else if (may_run_again(execution))
        retry(execution);
    else
        execution_end(execution,
                      worker->scribbled || !began ? BIGHT_EUNKNOWNOUTCOME : BIGHT_EWORKERDIED);
}

void bight__execution_spoiled(struct execution *execution)
{
    bool ran = record_of(execution)->result.attempts > 0;

    execution->returned++;
    if (execution->late)
        execution_end(execution, BIGHT_ETIMEDOUT);
    else if (execution->unwanted)
        execution_end(execution, BIGHT_ECANCELED);
    else if (record_of(execution)->executor->how != BIGHT_EXECUTOR_DRAIN)
        execution_end(execution, ran ? BIGHT_EWORKERDIED : BIGHT_ECLOSED);
    else if (may_return(execution))
        bight__execution_requeue(execution);
    else
        execution_end(execution, BIGHT_EUNKNOWNOUTCOME);
}

/* It gets no worker. Where it had one before, the end of that is what it came to. */
static void end_unserved(struct execution *execution, int rc)
{
    bool ran = record_of(execution)->result.attempts > 0;

    execution_end(execution, ran ? BIGHT_EWORKERDIED : rc);
}

void bight__executions_refuse(struct pool *pool)
{
    struct bight_link *link;

    while ((link = link_take(&pool->queue))) {
        struct execution *execution = container_of(link, struct execution, link);
        struct bight_result *result = &record_of(execution)->result;

        end_unserved(execution, pool->broken ? bight__pool_refusal(pool, result) : BIGHT_EAGAIN);
    }
}

void bight__pool_be_patient(struct pool *pool)
{
    if (pool->options.start_ms && !pool->ready && link_empty(&pool->patience.link))
        pool_arm(pool, &pool->patience, pool->options.start_ms);
}

/* Since when it has been waiting without a worker that could take it. */
static uint64_t waiting_since(const struct execution *execution)
{
    uint64_t none_since_ns = pool_of(record_of(execution)->executor)->none_since_ns;

    return execution->since_ns > none_since_ns ? execution->since_ns : none_since_ns;
}

void bight__pool_patience_over(struct bight_timer *timer)
{
    struct pool *pool = container_of(timer, struct pool, patience);
    uint64_t limit_ns = (uint64_t)pool->options.start_ms * NS_PER_MS;
    uint64_t now_ns = bight_now_ns(), first_ns = UINT64_MAX;
    struct bight_link *link, *next;

    if (pool->ready)
        return;
    for (link = pool->queue.next; link != &pool->queue; link = next) {
        struct execution *execution = container_of(link, struct execution, link);
        uint64_t since_ns = waiting_since(execution);

        next = link->next;
        if (now_ns - since_ns >= limit_ns) {
            link_remove(link);
            end_unserved(execution, BIGHT_EAGAIN);
        } else if (since_ns < first_ns) {
            first_ns = since_ns;
        }
    }
    if (first_ns != UINT64_MAX)
        pool_arm(pool, timer, (int64_t)((first_ns + limit_ns - now_ns) / NS_PER_MS + 1));
}

void bight__worker_phase(struct worker *worker, enum worker_phase phase)
{
    struct pool *pool = worker->pool;

    if (worker->phase == WORKER_READY && --pool->ready == 0 && pool->options.start_ms) {
        pool->none_since_ns = bight_now_ns();
        if (!link_empty(&pool->queue))
            bight__pool_be_patient(pool);
    }
    worker->phase = phase;
    if (phase == WORKER_READY)
        pool->ready++;
    bight__rank(worker);
}
