/* A call's life, from bight_execute to its one end. Read pool.h first. */
#include "offload/pool/pool.h"

#include <stdio.h>
#include <sys/wait.h>

/* The call is in no ring and no queue any more, and will not be. */
static void count_ended(struct pool *pool)
{
    pool->jobs--;
    pool->ended++;
    bight__pool_progress(pool);
}

/* Cancelled: withdraw the job if it has not begun, else let it run, or stop it. */
static int abort_call(struct bight_waiter *waiter)
{
    struct call *call = container_of(waiter, struct call, waiter);

    if (!call->worker) {
        link_remove(&waiter->link);
    } else if (!bight__unpost(call)) {
        call->unwanted = true;
        if (call->pool->options.cancel == BIGHT_CANCEL_INTERRUPT)
            bight__fleet_interrupt(call);
        return BIGHT_EBUSY;
    }
    count_ended(call->pool);
    return 0;
}

static void describe_call(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct call *call = container_of(waiter, const struct call, waiter);

    if (call->worker)
        snprintf(text, text_bytes, "%s in worker %d", call->def->name, call->worker->pid);
    else
        snprintf(text, text_bytes, "%s, queued", call->def->name);
}

static const struct bight_wait_ops call_ops = {
    .name = "worker job",
    .abort = abort_call,
    .describe = describe_call,
    .flags = BIGHT_WAIT_OUTSIDE | BIGHT_WAIT_MAY_REFUSE,
};

static void wake_caller(struct call *call)
{
    (void)bight_unpark(&call->waiter, 0);
    count_ended(call->pool);
}

/* The pool is broken: say why. */
static int refuse(const struct pool *pool, struct bight_result *result)
{
    if (pool->broken == BIGHT_EINITFAILED)
        result->code = pool->init_code;
    return pool->broken;
}

static int admit(struct pool *pool, const struct call *call)
{
    if (pool->closing)
        return BIGHT_ECLOSED;
    if (pool->broken)
        return refuse(pool, call->result);
    if (call->input_bytes > pool->options.payload_max_bytes)
        return BIGHT_ETOOBIG;
    if (pool->jobs >= pool->options.workers + pool->options.queue_max)
        return BIGHT_EFULL;
    return 0;
}

int bight__call_run(struct pool *pool, struct call *call)
{
    int64_t number;
    int rc = admit(pool, call);

    if (rc)
        return rc;
    number = bight__registry_number(&pool->registry, call->def);
    if (number < 0)
        return (int)number;
    rc = bight_waiter_init(&call->waiter, &call_ops);
    if (rc)
        return rc;
    call->number = (uint32_t)number;
    call->pool = pool;
    call->ended = wake_caller;
    pool->jobs++;
    link_append(&pool->queue, &call->waiter.link);
    bight__pool_pump(pool);
    rc = bight_park(&call->waiter);
    return rc ? rc : call->rc;
}

void bight__call_end(struct call *call, int rc)
{
    call->rc = rc;
    call->worker = NULL;
    call->ended(call);
}

void bight__call_requeue(struct call *call)
{
    struct bight_link *link = &call->waiter.link;

    call->worker = NULL;
    link_append(call->pool->queue.next, link); /* in front of the first */
}

/* A job that had not begun when its worker died is run by another. But it is the worker's memory that
 * says so: the oldest job of a dead worker, or any of one that wrote nonsense, may have begun. If that
 * happens to one job again and again, it is the job that does it. Not after attempts_max already:
 * where workers are killed as fast as they start, it happens to honest ones some times in a row. */
#define RETURNS_LEAST 64u

static bool may_return(const struct call *call)
{
    unsigned attempts_max = call->pool->options.attempts_max;

    return call->returned < (attempts_max > RETURNS_LEAST ? attempts_max : RETURNS_LEAST);
}

static bool may_run_again(const struct call *call)
{
    return (call->def->flags & BIGHT_JOB_IDEMPOTENT) && may_return(call) &&
           call->result->attempts < call->pool->options.attempts_max;
}

void bight__call_orphaned(struct call *call, bool began, int status)
{
    struct worker *worker = call->worker;
    bool interrupted = worker->interrupted == call && worker->told_to_stop;

    if (began) {
        call->result->attempts++;
        call->result->exit_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        call->result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    }
    if (!began && (worker->scribbled || call->position == worker->tail))
        call->returned++;
    if (!began && !worker->scribbled && may_return(call))
        bight__call_requeue(call);
    else if (interrupted)
        bight__call_end(call, BIGHT_ECANCELED);
    else if (may_run_again(call) && call->unwanted)
        bight__call_end(call, BIGHT_ECANCELED);
    else if (may_run_again(call))
        bight__call_requeue(call);
    else
        bight__call_end(call,
                        worker->scribbled || !began ? BIGHT_EUNKNOWNOUTCOME : BIGHT_EWORKERDIED);
}

void bight__calls_refuse(struct pool *pool)
{
    struct bight_link *link;

    while ((link = link_take(&pool->queue))) {
        struct call *call = container_of(link, struct call, waiter.link);

        bight__call_end(call, refuse(pool, call->result));
    }
}
