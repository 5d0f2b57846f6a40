/* The calls of <bight/executor.h> about an executor as a whole, and room in it. See executor.h. */
#include "offload/executor.h"

#include <sys/mman.h>

#include "coro/core/source.h"
#include "offload/spare.h"
#include "runtime/runtime.h"

void bight__executor_init(struct bight_executor *executor, const struct bight__executor_ops *ops,
                          const void *runtime, size_t jobs_most)
{
    static const struct bight_job_def none;

    executor->ops = ops;
    executor->last_def = &none;
    executor->runtime = runtime;
    executor->jobs_most = jobs_most;
    link_init(&executor->room);
    link_init(&executor->shown);
}

int bight__executor_full(const struct bight_executor *executor)
{
    if (executor->closing)
        return BIGHT_ECLOSED;
    return bight__executor_takes(executor) ? 0 : BIGHT_EFULL;
}

/* Wake those who wait for the places that there are. */
void bight__executor_give_room(struct bight_executor *executor)
{
    while (executor->jobs + executor->promised < executor->jobs_most) {
        struct bight_link *link = link_take(&executor->room);

        if (!link)
            return;
        if (bight_unpark(container_of(link, struct bight_waiter, link), 0))
            executor->promised++;
    }
}

static const struct bight_waiter_ops room_ops = {
    .name = "room in an executor",
    .abort = bight__unlink_abort,
};

int bight__executor_enter(struct bight_executor *executor, bool wait)
{
    int rc = bight__executor_full(executor);

    if (likely(rc != BIGHT_EFULL) || !wait)
        return rc;
    rc = bight__wait_in(&executor->room, &(struct bight_waiter){0}, &room_ops);
    if (rc)
        return rc;
    executor->promised--;
    if (!executor->closing)
        return 0;
    if (executor->promised == 0 && executor->ender)
        (void)bight_unpark(executor->ender, 0);
    return BIGHT_ECLOSED;
}

static const struct bight_waiter_ops promised_ops = {.name = "end of an executor", .abort = NULL};

/* Tasks that have been woken for a place still have to look at the executor. */
static void await_promised(struct bight_executor *executor)
{
    struct bight_waiter waiter;

    if (!executor->promised)
        return;
    bight__waiter_begin(&waiter, &promised_ops);
    executor->ender = &waiter;
    (void)!bight_park(&waiter);
    executor->ender = NULL;
}

void bight_result_free(struct bight_result *result)
{
    if (!result)
        return;
    if (likely(result->spare))
        spare_give(result->output);
    else if (result->mapped_bytes)
        munmap(result->output, result->mapped_bytes);
    else
        bight__free(result->output);
    *result = (struct bight_result){0};
}

int bight_executor_end_with(struct bight_executor *executor, enum bight_executor_ending how)
{
    if (!executor || (unsigned)how > BIGHT_EXECUTOR_KILL)
        return BIGHT_EINVAL;
    if (!bight_self())
        return BIGHT_ENOTASK;
    if (executor->runtime != bight__runtime())
        return BIGHT_EPERM;
    if (executor->closing) {
        if (how > executor->how) {
            executor->how = how;
            executor->ops->hurry(executor, how);
        }
        return BIGHT_EALREADY;
    }
    executor->closing = true;
    executor->how = how;
    link_remove(&executor->shown);
    (void)bight__wake_all(&executor->room, BIGHT_ECLOSED);
    executor->ops->hurry(executor, how);
    await_promised(executor);
    executor->ops->end(executor);
    return 0;
}

int bight_executor_end(struct bight_executor *executor)
{
    return bight_executor_end_with(executor, BIGHT_EXECUTOR_DRAIN);
}

int bight_executor_get_stats(const struct bight_executor *executor,
                             struct bight_executor_stats *stats)
{
    if (!executor || !stats)
        return BIGHT_EINVAL;
    *stats = (struct bight_executor_stats){.jobs = executor->jobs, .ended = executor->ended};
    executor->ops->get_stats(executor, stats);
    return 0;
}
