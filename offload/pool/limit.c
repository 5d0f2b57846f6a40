/* How long a job may run. A worker runs the jobs of its ring in order, so the oldest one has begun
 * when the one before it has ended, or when it was posted; what the worker says is not asked. See
 * pool.h. */
#include "offload/pool/pool.h"

static struct execution *oldest_of(const struct worker *worker)
{
    if (worker->tail >= worker->posted || worker->phase != WORKER_READY)
        return NULL;
    return worker->seats[worker->tail % CHANNEL_SLOTS].execution;
}

void bight__limit_watch(struct worker *worker)
{
    struct execution *oldest = oldest_of(worker);
    int64_t run_ms = oldest && !oldest->late ? record_of(oldest)->options.run_ms : 0;

    if (likely(run_ms <= 0)) {
        if (unlikely(worker->limiting)) {
            worker->limiting = false;
            pool_disarm(worker->pool, &worker->limit);
        }
        return;
    }
    if (worker->limiting && worker->limited == worker->tail)
        return;
    worker->limiting = true;
    worker->limited = worker->tail;
    pool_arm(worker->pool, &worker->limit, run_ms);
}

void bight__limit_over(struct bight_timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, limit);
    uint64_t position = worker->limited;
    struct execution *execution;

    if (!bight__fleet_look(worker))
        return;
    worker->limiting = false;
    execution = oldest_of(worker);
    if (worker->tail != position || !execution) {
        bight__limit_watch(worker);
    } else if (bight__unpost(execution)) {
        bight__execution_requeue(execution); /* the worker has stopped before it began */
    } else {
        execution->late = true;
        bight__fleet_interrupt(execution);
    }
    bight__pool_pump(worker->pool);
}
