/* Starting a task and waiting until it is ready. While it starts, the task belongs to a group of
 * the starter's own, so that nothing is left of it when the starter is cancelled. When it says that
 * it is ready, it moves to the group it was meant for, and the starter's own group is empty. */
#include "coro/core/group.h"
#include "coro/core/source.h"

/* Lies in the starter's frame; the task points at the target until it has moved. */
struct bight_start {
    struct bight_group_user target;
    struct bight_group own;
    int value;
    bool ready;
};

int bight_group_started(int value)
{
    struct bight_task *self = bight_self();
    struct bight_start *start;

    if (!self)
        return BIGHT_ENOTASK;
    if (!self->starting)
        return BIGHT_EINVAL;
    start = container_of(self->starting, struct bight_start, target);
    if (start->ready)
        return BIGHT_EINVAL;
    start->value = value;
    start->ready = true;
    if (bight__group_of(self)->scope.effective)
        return 0; /* the starter gives up, and this task with it */
    self->starting = NULL;
    bight__group_unuse(&start->target); /* its owner may be gone when the starter runs */
    bight__group_move(start->target.group, self);
    return 0;
}

/* The target's owner has left it open: there is no group that the task could belong to. */
static void target_lost(struct bight_group_user *user)
{
    bight__scope_cancel(&container_of(user, struct bight_start, target)->own.scope);
}

/* The starter's own group has ended, because the task has moved or has ended. */
static int start_outcome(const struct bight_start *start, const struct bight_task *task, int rc)
{
    bool moved = !task->starting;

    if (!moved && !start->target.group)
        return rc < 0 ? rc : BIGHT_ECLOSED;
    if (moved || (start->ready && task->status >= 0))
        return 0;
    return rc ? rc : BIGHT_ENOTREADY;
}

static int start_in(struct bight_start *start, struct bight_task **out,
                    const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg)
{
    struct bight_group *target = start->target.group;
    struct bight_task *task;
    int rc = bight_group_begin(&start->own, 0);
    int spawned;

    if (rc)
        return rc;
    spawned = bight_group_spawn(&task, &start->own, options, fn, arg);
    if (spawned) {
        (void)!bight_group_end(&start->own, 0);
        return spawned;
    }
    task->starting = &start->target;
    target->live++; /* so that the target does not end before the task comes */
    bight__group_use(&start->target, target);
    rc = start_outcome(start, task, bight_group_end(&start->own, 0));
    bight__group_unuse(&start->target);
    if (task->starting && start->target.group)
        bight__group_shrink(start->target.group);
    task->starting = NULL;
    if (rc == 0)
        task->base.parent = &target->scope; /* even if it ended before it could come */
    if (rc == 0 && out)
        *out = task;
    else
        (void)bight_task_detach(task);
    return rc;
}

int bight_group_start(struct bight_task **out, struct bight_group *group,
                      const struct bight_spawn_options *options, int (*fn)(void *arg), void *arg,
                      int *value)
{
    struct bight_start start = {.target = {.group = group, .lost = target_lost}};
    struct bight_task *self;
    int rc;

    if (!group || !fn)
        return BIGHT_EINVAL;
    rc = bight__checkpoint(&self);
    if (rc)
        return rc;
    if (group->scope.magic != SCOPE_MAGIC || !group->scope.task)
        return BIGHT_ECLOSED;
    if (bight__is_foreign(group->scope.task))
        return BIGHT_EPERM;
    rc = start_in(&start, out, options, fn, arg);
    if (rc == 0 && value)
        *value = start.value;
    return rc;
}
