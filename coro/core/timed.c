/* See timed.h. */
#include "coro/core/timed.h"

static void time_is_up(struct bight_timer *timer)
{
    struct bight__timed *timed = container_of(timer, struct bight__timed, timer);

    bight__calls_before_deadline(bight__sched);
    link_remove(&timed->waiter.link);
    bight_unpark(&timed->waiter, BIGHT_ETIMEDOUT);
}

void bight__timed_prepare(struct bight__timed *timed)
{
    link_init(&timed->timer.link);
    timed->timer.fire = time_is_up;
}

void bight__timed_init(struct bight__timed *timed, const struct bight_waiter_ops *ops)
{
    bight__timed_prepare(timed);
    bight__waiter_begin(&timed->waiter, ops);
}

void bight__timed_arm(struct bight__timed *timed, uint64_t deadline_ns)
{
    struct bight_sched *sched = bight__sched;

    if (deadline_ns != NO_DEADLINE)
        sched->driver->arm(sched, &timed->timer, deadline_ns);
}

static void let_go(struct bight__timed *timed)
{
    struct bight_sched *sched = bight__sched;

    link_remove(&timed->waiter.link);
    if (!link_empty(&timed->timer.link))
        sched->driver->disarm(sched, &timed->timer);
}

int bight__timed_abort(struct bight_waiter *waiter)
{
    let_go(container_of(waiter, struct bight__timed, waiter));
    return 0;
}

bool bight__timed_unpark(struct bight__timed *timed, int result)
{
    let_go(timed);
    return bight_unpark(&timed->waiter, result);
}
