/* Condition: one park for the sleep and for the lock that follows it. A waiter that is notified or
 * cancelled moves to the mutex's queue and wakes up as its owner. From there on the wait cannot be
 * aborted, so the task finds out later that it was cancelled, and passes its notification on. */
#include "coro/sync/condition.h"
#include "coro/core/mutex.h"

#include <stdio.h>

struct condition_wait {
    struct bight_waiter waiter;
    struct bight_mutex *mutex;
    bool notified;
    bool queued; /* in the mutex's queue */
};

static int condition_abort(struct bight_waiter *waiter)
{
    struct condition_wait *wait = container_of(waiter, struct condition_wait, waiter);
    struct bight_mutex *mutex = wait->mutex;
    struct bight_task *task = waiter->task;

    /* The mutex's owner would never unlock it. */
    if (mutex->owner && bight__lock_would_deadlock(mutex->owner, task)) {
        link_remove(&waiter->link);
        return 0;
    }
    if (wait->queued)
        return BIGHT_EBUSY;
    link_remove(&waiter->link);
    if (!mutex->owner) {
        bight_unpark(waiter, 0);
        bight__mutex_take(mutex, task);
        return 0;
    }
    wait->queued = true;
    list_append(&mutex->waiters, &waiter->link);
    return BIGHT_EBUSY;
}

static struct bight_task *condition_waits_for(const struct bight_waiter *waiter)
{
    const struct condition_wait *wait = container_of(waiter, struct condition_wait, waiter);

    return wait->queued ? wait->mutex->owner : NULL;
}

static void condition_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_task *owner = condition_waits_for(waiter);

    if (owner)
        bight__owner_describe(owner, text, text_bytes);
    else
        snprintf(text, text_bytes, "not notified");
}

static const struct bight_waiter_ops condition_ops = {
    .name = "condition",
    .abort = condition_abort,
    .waits_for = condition_waits_for,
    .describe = condition_describe,
    .flags = BIGHT_WAITER_MAY_REFUSE | WAITER_LINK,
};

void bight_condition_init(struct bight_condition *condition, struct bight_mutex *mutex)
{
    if (!condition)
        return;
    condition->mutex = mutex;
    link_init(&condition->waiters);
}

/* A record that is all zero has no mutex. */
static bool is_sound(const struct bight_condition *condition)
{
    return condition && condition->mutex;
}

/* Move waiters to the mutex's queue. The mutex is locked, or pass_on hands it over afterwards. */
static void notify(struct bight_condition *condition, size_t count)
{
    struct bight_link *link;

    while (count-- && (link = list_take(&condition->waiters))) {
        struct condition_wait *wait = container_of(link, struct condition_wait, waiter.link);

        wait->notified = true;
        wait->queued = true;
        list_append(&condition->mutex->waiters, link);
    }
}

/* Pass on the notification of a wait that ended without using it. */
static void pass_on(struct bight_condition *condition)
{
    notify(condition, 1);
    if (!condition->mutex->owner)
        bight__mutex_hand_over(condition->mutex);
}

bool bight__condition_give_up(struct bight_task *task)
{
    struct bight_waiter *waiter = task->parked;

    if (!waiter || waiter->ops != &condition_ops ||
        !container_of(waiter, struct condition_wait, waiter)->queued)
        return false;
    link_remove(&waiter->link);
    return bight_unpark(waiter, BIGHT_EDEADLK);
}

static int condition_park(struct bight_condition *condition, struct bight_task *self)
{
    struct condition_wait wait = {.mutex = condition->mutex};
    int rc;

    bight__waiter_begin(&wait.waiter, &condition_ops);
    list_append(&condition->waiters, &wait.waiter.link);
    bight_mutex_unlock(condition->mutex);
    rc = bight_park(&wait.waiter);
    if (likely(rc == 0 && !(self->pending & PENDING_STOP)))
        return 0;
    if (wait.notified)
        pass_on(condition);
    /* Abort or give_up ended the wait: the mutex is not held. */
    return rc ? BIGHT_EDEADLK : bight__deliver(self, true);
}

int bight_condition_wait(struct bight_condition *condition)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!is_sound(condition)))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (unlikely(rc))
        return rc;
    return condition->mutex->owner == self ? condition_park(condition, self) : BIGHT_EPERM;
}

int bight_condition_wait_until(struct bight_condition *condition, bool (*predicate)(void *arg),
                               void *arg)
{
    struct bight_task *self;
    int rc;

    if (unlikely(!is_sound(condition) || !predicate))
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    while (rc == 0 && !predicate(arg))
        rc = bight_condition_wait(condition);
    return rc;
}

int bight_condition_notify(struct bight_condition *condition, size_t count)
{
    struct bight_task *self = bight_self();

    if (!is_sound(condition))
        return BIGHT_EINVAL;
    if (!self)
        return BIGHT_ENOTASK;
    if (condition->mutex->owner != self)
        return BIGHT_EPERM;
    notify(condition, count);
    return 0;
}

int bight_condition_notify_all(struct bight_condition *condition)
{
    return bight_condition_notify(condition, SIZE_MAX);
}

size_t bight_condition_waiting(const struct bight_condition *condition)
{
    return condition ? list_count(&condition->waiters) : 0;
}
