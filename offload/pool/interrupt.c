/* Signals to workers, and jobs that should stop: they are told, and if they do not end in time
 * their workers are ended. Read pool.h first. */
#include "offload/pool/pool.h"

#include <signal.h>

#include "offload/wire/control.h"

/* Signal a worker by way of the zygote: only the zygote can be sure that the process id is still
 * the worker's. A zygote that has not read for so long that its socket is full is given up, once
 * the caller is done. */
void bight__worker_signal(struct worker *worker, int number)
{
    struct pool *pool = worker->pool;
    const struct control_message message = {
        .kind = CONTROL_SIGNAL, .value = number, .worker = worker->serial};

    if (!pool->line || !bight__control_send(bight__watch_fd(pool->line), &message, NULL, 0))
        return;
    pool->line_stuck = true;
    pool_arm(pool, &pool->timer, 0);
}

void bight__worker_doom(struct worker *worker)
{
    bight__worker_phase(worker, WORKER_DOOMED);
    bight__watch_close(worker->watch);
    worker->watch = NULL;
    bight__worker_signal(worker, SIGKILL);
}

void bight__fleet_interrupt(struct execution *execution)
{
    struct worker *worker = execution->worker;
    struct channel_slot *slot = worker_slot(worker, execution->position);

    /* The slot's state is not read here, because the worker can write it. If the job has ended by
     * itself, its result is taken long before the grace is over. An execution older than the one
     * that is being interrupted has ended, or ends with it. */
    __atomic_store_n(&slot->cancel, 1, __ATOMIC_RELAXED);
    if (worker->told_to_stop || worker->interrupted == execution ||
        (worker->interrupted && worker->interrupted->position > execution->position))
        return;
    worker->interrupted = execution;
    pool_arm(worker->pool, &worker->grace, worker->pool->options.grace_ms);
}

bool bight__fleet_look(struct worker *worker)
{
    if (worker->scribbled || worker->spoiled)
        return false; /* it is about to end */
    if (bight__harvest(worker)) {
        bight__turnover_look(worker); /* nothing may come from it any more */
        bight__fleet_admit(worker->pool);
        return true;
    }
    bight__worker_doom(worker);
    return false;
}

/* Whether the worker says that there is a result; what it says is looked at afterwards. */
static bool says_finished(const struct worker *worker)
{
    return worker->phase == WORKER_READY && worker->load &&
           atomic_load_explicit(&worker->channel->finished, memory_order_relaxed) != worker->tail;
}

void bight__fleet_looker(struct bight_hook *hook)
{
    struct pool *pool = container_of(hook, struct pool, looker);
    bool any = false;

    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        struct worker *worker = container_of(at, struct worker, link);

        if (says_finished(worker)) {
            (void)bight__fleet_look(worker);
            any = true;
        }
    }
    if (any)
        bight__pool_pump(pool);
}

void bight__fleet_kill(struct pool *pool)
{
    for (struct bight_link *at = pool->workers.next; at != &pool->workers; at = at->next) {
        struct worker *worker = container_of(at, struct worker, link);

        if (!worker->load || worker->phase == WORKER_LEAVING)
            continue;
        worker->expected = true;
        bight__worker_signal(worker, SIGKILL);
    }
}

/* Its job does not stop by itself. */
static void stop(struct worker *worker, int number)
{
    const struct execution *execution = worker->interrupted;
    struct bight_workers_event event = {
        .kind = BIGHT_WORKERS_STOPPED, .pid = worker->pid, .exit_signal = number};

    bight__worker_signal(worker, number);
    if (!execution)
        return;
    event.def = record_of(execution)->def;
    event.reason = execution->late ? BIGHT_WORKERS_TIME : BIGHT_WORKERS_CANCELLED;
    bight__pool_tell(worker->pool, &event);
}

/* The interrupted job has not ended in time. SIGTERM must not reach another job, so everything that
 * the worker could still begin is taken out of its ring first. */
void bight__fleet_grace_over(struct bight_timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, grace);
    struct pool *pool = worker->pool;

    if (!worker->interrupted && worker->phase != WORKER_LEAVING)
        return;
    if (worker->told_to_stop || worker->phase == WORKER_LEAVING) {
        stop(worker, SIGKILL);
        return;
    }
    bight__unpost_some(worker, CHANNEL_SLOTS);
    if (bight__fleet_look(worker) && worker->interrupted) {
        bight__unpost_some(worker, CHANNEL_SLOTS); /* what callers have begun when they heard */
        worker->told_to_stop = true;
        worker->expected = true;
        bight__worker_phase(worker, WORKER_DOOMED);
        pool_arm(pool, &worker->grace, pool->options.grace_ms);
        stop(worker, SIGTERM);
    }
    bight__pool_pump(pool);
}
