/* Circles of waiting tasks, found before they close. Each wait that one task alone can end names it
 * (ops->waits_for); a task that closes a group waits for all its members. Waits on queues, events
 * and the outside name nobody: those stall at worst, which runtime/drive.c notices. */
#include "coro/core/group.h"
#include "coro/core/source.h"

static const struct bight_task *awaited(const struct bight_task *task)
{
    const struct bight_waiter *waiter = task->parked;

    if (!waiter || waiter->also != waiter || !waiter->ops->waits_for)
        return NULL;
    return waiter->ops->waits_for(waiter);
}

/* Follow who waits for whom from `task`. Existing waits have no circle, so this ends. */
static bool leads_to(const struct bight_task *task, const struct bight_task *self)
{
    for (; task; task = awaited(task)) {
        const struct bight_group *group;

        if (task == self)
            return true;
        group = bight__group_awaited(task);
        if (group && bight__group_contains(group, self))
            return true;
    }
    return false;
}

bool bight__lock_would_deadlock(const struct bight_task *owner, const struct bight_task *self)
{
    return leads_to(owner, self);
}

/* A task ends after the groups it has open, so a member may not wait for its end. */
bool bight__join_would_deadlock(const struct bight_task *task, const struct bight_task *self)
{
    const struct bight_task *owner = self->group->scope.task;

    for (; owner; owner = owner->group->scope.task) {
        if (owner == task)
            return true;
    }
    return leads_to(task, self);
}
