/* Which workers end though nothing is wrong with them: after so many jobs, with too much memory, or
 * for want of work; and how many there should be. A worker that goes runs the job that it has
 * begun, and gets no other. The one that replaces it may be started meanwhile, and is ready once
 * the old one has left: never do more of them run jobs than the options say. Read pool.h first. */
#include "offload/pool/pool.h"

#include "coro/base/units.h"

bool bight__turnover_wants(const struct pool *pool)
{
    unsigned wanted = pool->options.workers;

    if (pool->elastic && pool->base.jobs < wanted)
        wanted = pool->base.jobs > pool->least ? (unsigned)pool->base.jobs : pool->least;
    if (pool->alone)
        return false;
    /* There is one for each that goes, and no more: they may be slow to leave. */
    return pool->count - pool->going < wanted && pool->count < 2 * pool->options.workers;
}

void bight__turnover_demand(struct pool *pool)
{
    /* Where the timer is armed, the last attempt has failed, or the pool ends. */
    if (!pool->broken && link_empty(&pool->timer.link) && !pool->dismissed &&
        bight__turnover_wants(pool))
        pool_arm(pool, &pool->timer, 0);
}

static void go(struct worker *worker, enum bight_workers_reason why)
{
    worker->going = true;
    worker->why = why;
    worker->pool->going++;
    bight__rank(worker);
    bight__turnover_demand(worker->pool);
}

/* It has nothing to do any more, and ends when it sees that its channel is closed. */
static void leave(struct worker *worker)
{
    struct pool *pool = worker->pool;

    bight__worker_phase(worker, WORKER_LEAVING);
    bight__watch_close(worker->watch);
    worker->watch = NULL;
    pool_arm(pool, &worker->grace, pool->options.grace_ms);
    bight__pool_tell(pool, &(struct bight_workers_event){.kind = BIGHT_WORKERS_REPLACED,
                                                         .reason = worker->why,
                                                         .pid = worker->pid});
}

/* Whether the job that it has, if any, is its last one, and the next worker may be on its way. */
static bool runs_its_last(const struct worker *worker)
{
    uint64_t most = worker->pool->options.jobs_max;

    return most && worker->load <= 1 && worker->served + worker->load >= most;
}

void bight__turnover_posted(struct worker *worker)
{
    if (worker->phase == WORKER_READY && !worker->going && runs_its_last(worker))
        go(worker, BIGHT_WORKERS_JOBS);
}

/* It ends if nothing comes for a while. */
static void wait_idly(struct worker *worker)
{
    struct pool *pool = worker->pool;

    worker->idle_since_ns = bight_now_ns();
    if (pool->options.idle_ms >= 0 && link_empty(&pool->idling.link))
        pool_arm(pool, &pool->idling, pool->options.idle_ms);
}

void bight__turnover_look(struct worker *worker)
{
    if (!worker->pool->turns_over || worker->phase != WORKER_READY)
        return;
    if (!worker->going && worker->grown) {
        go(worker, BIGHT_WORKERS_MEMORY);
        bight__unpost_some(worker, CHANNEL_SLOTS); /* it has not begun any */
    } else if (!worker->going && runs_its_last(worker)) {
        go(worker, BIGHT_WORKERS_JOBS);
    }
    if (worker->load)
        return;
    if (worker->going)
        leave(worker);
    else if (worker->pool->elastic)
        wait_idly(worker);
}

void bight__turnover_idle(struct bight_timer *timer)
{
    struct pool *pool = container_of(timer, struct pool, idling);
    uint64_t limit_ns = (uint64_t)pool->options.idle_ms * NS_PER_MS;
    uint64_t now_ns = bight_now_ns(), first_ns = UINT64_MAX;

    /* The newest first: jobs go to the oldest that is free. */
    for (struct bight_link *at = pool->workers.prev; at != &pool->workers; at = at->prev) {
        struct worker *worker = container_of(at, struct worker, link);

        if (pool->count - pool->going <= pool->least)
            return;
        if (worker->phase != WORKER_READY || worker->load || worker->going)
            continue;
        if (now_ns - worker->idle_since_ns >= limit_ns) {
            go(worker, BIGHT_WORKERS_IDLE);
            leave(worker);
        } else if (worker->idle_since_ns < first_ns) {
            first_ns = worker->idle_since_ns;
        }
    }
    if (first_ns != UINT64_MAX)
        pool_arm(pool, timer, (int64_t)((first_ns + limit_ns - now_ns) / NS_PER_MS + 1));
}
