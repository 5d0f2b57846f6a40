/* Drains: a state of scopes that goes inwards as cancellation does, is never taken back, and ends
 * calls only directly in scopes that are stoppable. It is seldom begun, so one walk over all tasks
 * marks the scopes, and a second one ends the waits: abort hooks run then, which may spread
 * cancellations. */
#include "coro/core/group.h"

/* Carry the state inwards from the task's base. True: a wait of the task may have to end. */
static bool carry(struct bight_task *task)
{
    bool drains = task->base.kind & SCOPE_DRAINS;

    drains = drains || bight__group_of(task)->scope.kind & SCOPE_DRAINS;
    for (struct bight_scope *scope = &task->base; scope; scope = scope->inner) {
        drains = drains || scope->kind & SCOPE_DRAINS;
        if (drains)
            scope->kind |= SCOPE_DRAINS;
    }
    if (drains)
        bight__pending_update(task);
    return task->pending & PENDING_DRAIN;
}

/* A task comes after those around it in the walk. */
static void spread(struct bight_sched *sched)
{
    unsigned depth = 0;
    bool any = false;
    struct bight_task *task;

    for (task = bight__task_first(sched); task; task = bight__task_next(task, &depth))
        any |= carry(task);
    for (task = any ? bight__task_first(sched) : NULL; task; task = bight__task_next(task, &depth))
        if (task->pending & PENDING_DRAIN)
            bight__abort_park(task);
}

void bight__drain_follow(struct bight_task *task)
{
    if (bight__group_of(task)->scope.kind & SCOPE_DRAINS && !(task->base.kind & SCOPE_DRAINS))
        spread(task->sched);
}

/* Begin with `scope`, which is open. `frame` is that of the public function. */
static void begin(struct bight_sched *sched, struct bight_scope *scope, const char *frame)
{
    if (scope->kind & SCOPE_DRAINS)
        return;
    if (sched->current)
        bight__scopes_check(sched->current, frame);
    scope->kind |= SCOPE_DRAINS;
    spread(sched);
}

void bight_scope_drain(struct bight_scope *scope)
{
    if (!scope)
        return;
    if (scope->magic == SCOPE_MADE)
        scope->kind |= SCOPE_DRAINS;
    else if (scope->magic == SCOPE_MAGIC && scope->task && !bight__is_foreign(scope->task))
        begin(bight__sched, scope, __builtin_frame_address(0));
}

bool bight_task_drain(struct bight_task *task)
{
    if (!task || bight__is_foreign(task) || task->flags & TASK_DONE)
        return false;
    begin(task->sched, &task->base, __builtin_frame_address(0));
    return true;
}

int bight_runtime_drain(void)
{
    if (!bight__sched)
        return BIGHT_ENORUNTIME;
    begin(bight__sched, &bight__sched->root.scope, __builtin_frame_address(0));
    return 0;
}

bool bight_draining(void)
{
    const struct bight_sched *sched = bight__sched;

    if (!sched)
        return false;
    return (sched->current ? sched->current->scope : &sched->root.scope)->kind & SCOPE_DRAINS;
}
