/* Wait-for: a join that cancels its task when it is cancelled. The wait refuses to be aborted and
 * cancels the task instead, so there is only one way out: the task's end. */
#include "coro/core/source.h"

#include <bight/wait.h>

#include <stdio.h>

struct wait_for {
    struct bight_waiter waiter;
    struct bight_end_watch watch;
    struct bight_timer timer;
    struct bight_task *task;
    bool timed_out;
    bool cancelled;
};

static int for_abort(struct bight_waiter *waiter)
{
    struct wait_for *wait = container_of(waiter, struct wait_for, waiter);

    wait->cancelled = true;
    bight_task_cancel(wait->task);
    return BIGHT_EBUSY;
}

static struct bight_task *for_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct wait_for, waiter)->task;
}

static void for_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct wait_for *wait = container_of(waiter, struct wait_for, waiter);

    snprintf(text, text_bytes, "#%llu %s%s", (unsigned long long)wait->task->id, wait->task->name,
             wait->timed_out || wait->cancelled ? ", cancelled" : "");
}

static const struct bight_waiter_ops for_ops = {
    .name = "join, or an end",
    .abort = for_abort,
    .waits_for = for_waits_for,
    .describe = for_describe,
    .flags = BIGHT_WAITER_MAY_REFUSE | WAITER_LINK,
};

static void for_ended(struct bight_end_watch *watch, struct bight_task *task)
{
    struct wait_for *wait = container_of(watch, struct wait_for, watch);

    if (!link_empty(&wait->timer.link))
        task->sched->driver->disarm(task->sched, &wait->timer);
    bight_unpark(&wait->waiter, 0);
}

static void for_give_up(struct wait_for *wait)
{
    wait->timed_out = true;
    bight_task_cancel(wait->task);
}

static void for_time_is_up(struct bight_timer *timer)
{
    bight__calls_before_deadline(bight__sched);
    for_give_up(container_of(timer, struct wait_for, timer));
}

static int for_park(struct wait_for *wait, int64_t timeout_ms)
{
    struct bight_task *task = wait->task;
    uint64_t deadline_ns = bight__deadline_after(task->sched, timeout_ms);

    bight__waiter_begin(&wait->waiter, &for_ops);
    link_init(&wait->timer.link);
    wait->timer.fire = for_time_is_up;
    wait->watch.ended = for_ended;
    task->flags |= TASK_JOINED;
    bight__watch_end(task, &wait->watch);
    if (timeout_ms == 0)
        for_give_up(wait);
    else if (deadline_ns != NO_DEADLINE)
        task->sched->driver->arm(task->sched, &wait->timer, deadline_ns);
    return bight_park(&wait->waiter);
}

static int for_outcome(const struct wait_for *wait, const struct bight_task *self)
{
    if (!bight_task_was_cancelled(wait->task))
        return 0;
    if (wait->cancelled)
        return bight__stop_code(self);
    return wait->timed_out ? BIGHT_ETIMEDOUT : 0;
}

/* `begun` is 0, or the code with which a call that began cancelled ends. */
static int wait_for(struct bight_task *task, int64_t timeout_ms, int *status,
                    const struct bight_task *self, int begun)
{
    struct wait_for wait = {.task = task};
    int rc;

    if (bight__is_foreign(task))
        return BIGHT_EPERM;
    if (!(task->flags & TASK_HANDLE))
        return BIGHT_EINVAL;
    if (task->flags & TASK_JOINED)
        return task == self ? BIGHT_EDEADLK : BIGHT_EALREADY;
    if (!(task->flags & TASK_DONE)) {
        if (bight__join_would_deadlock(task, self))
            return BIGHT_EDEADLK;
        rc = for_park(&wait, timeout_ms);
        if (rc)
            return rc;
    }
    rc = begun ? begun : for_outcome(&wait, self);
    if (status)
        *status = task->status;
    link_cut(&task->member);
    bight__task_free(task);
    return rc;
}

int bight_wait_for(struct bight_task *task, int64_t timeout_ms, int *status)
{
    struct bight_task *self;
    int begun, rc;

    if (!task)
        return BIGHT_EINVAL;
    begun = bight__observe(&self);
    if (begun && !bight_is_stop(begun))
        return begun;
    rc = wait_for(task, timeout_ms, status, self, begun);
    bight__breathe(self);
    return rc;
}
