/* Walking the tree of tasks: groups within tasks within groups. Reads only and allocates
 * nothing, so that it works when memory is the problem and in a debugger. */
#include "coro/core/group.h"

/* This needs no stack: children first, then siblings, then the siblings of the tasks around. */
struct bight_task *bight__task_next(const struct bight_task *task, unsigned *depth)
{
    if (!link_empty(&task->children)) {
        ++*depth;
        return container_of(task->children.next, struct bight_task, member);
    }
    while (task) {
        const struct bight_link *siblings = bight__group_siblings(bight__group_of(task));

        if (task->member.next != siblings)
            return container_of(task->member.next, struct bight_task, member);
        task = bight__group_of(task)->scope.task;
        --*depth;
    }
    return NULL;
}

struct bight_task *bight__task_first(const struct bight_sched *sched)
{
    if (link_empty(&sched->children))
        return NULL;
    return container_of(sched->children.next, struct bight_task, member);
}

void bight_tasks(bool (*visit)(void *arg, struct bight_task *task), void *arg)
{
    const struct bight_sched *sched = bight__sched;
    struct bight_task *task = sched && visit ? bight__task_first(sched) : NULL;
    unsigned depth = 0;

    while (task && visit(arg, task))
        task = bight__task_next(task, &depth);
}

struct bight_task *bight_task_parent(const struct bight_task *task)
{
    return task ? bight__group_of(task)->scope.task : NULL;
}

struct bight_group *bight_task_group(const struct bight_task *task)
{
    struct bight_group *target = task ? bight__start_target(task) : NULL;

    if (target || !task)
        return target;
    return bight__group_of(task)->scope.task ? bight__group_of(task) : NULL;
}

/* The chain of scopes of a sleeping task is whole: its last call checked it. */
void bight_task_groups(const struct bight_task *task,
                       bool (*visit)(void *arg, struct bight_group *group), void *arg)
{
    struct bight_task *self = bight_self();
    struct bight_scope *scope;

    if (!task || !visit)
        return;
    if (task == self)
        bight__scopes_check(self, __builtin_frame_address(0));
    for (scope = task->base.inner; scope; scope = scope->inner) {
        if (scope->kind & SCOPE_GROUP &&
            !visit(arg, container_of(scope, struct bight_group, scope)))
            break;
    }
}
