/* How cancellation travels. `effective` says of each scope whether a call inside it is
 * cancelled, and is kept up to date from above: what changes is spread inwards, within the task
 * up to a shield, and over groups to their tasks. That is a work list, not a recursion, because
 * trees of tasks may be deep and stacks are small. */
#include "coro/core/group.h"

#include <string.h>

void bight__pending_update(struct bight_task *task)
{
    const struct bight_scope *scope = task->scope;
    const unsigned drained = SCOPE_STOPPABLE | SCOPE_DRAINS;

    task->pending &= (uint8_t)~PENDING_STOP;
    if (scope->effective)
        task->pending |= PENDING_CANCEL;
    if ((scope->kind & drained) == drained)
        task->pending |= PENDING_DRAIN;
}

static void mark_members(struct bight_group *group, struct bight_task **worklist)
{
    struct bight_link *siblings = bight__group_siblings(group);
    struct bight_link *link;

    for (link = siblings->next; link != siblings; link = link->next) {
        struct bight_task *member = container_of(link, struct bight_task, member);

        if (bight__group_of(member) == group && !member->base.effective) {
            member->base.effective = true; /* so that it is listed only once */
            member->cancel_next = *worklist;
            *worklist = member;
        }
    }
}

/* Mark `scope` and what is inside it in the same task, up to a shield. The tasks of groups on the
 * way are added to `*worklist`. */
static void mark(struct bight_scope *scope, struct bight_task **worklist)
{
    struct bight_task *task = scope->task;

    for (;;) {
        scope->effective = true;
        if (scope->kind & SCOPE_GROUP)
            mark_members(container_of(scope, struct bight_group, scope), worklist);
        if (!scope->inner)
            break;
        scope = scope->inner;
        if (scope->kind & SCOPE_SHIELDS || scope->effective)
            return;
    }
    if (task) {
        task->pending |= PENDING_CANCEL;
        bight__abort_park(task);
    }
}

/* The members come off the list in reverse. Reverse it, to cancel them in the order of spawning. */
static struct bight_task *reversed(struct bight_task *list, struct bight_task *tail)
{
    while (list) {
        struct bight_task *next = list->cancel_next;

        list->cancel_next = tail;
        tail = list;
        list = next;
    }
    return tail;
}

/* A wait that passes its cancellation on to another task has an abort hook that comes here again.
 * That task is only added to the list of the walk that called the hook, because chains of such
 * waits may be long. */
static bool listed(struct bight_sched *sched, struct bight_scope *scope)
{
    struct bight_task *task = scope->task;

    if (!sched->spreading || !task || scope != &task->base)
        return false;
    scope->effective = true;
    task->cancel_next = *sched->spreading;
    *sched->spreading = task;
    return true;
}

/* `scope` became cancelled or expired: everything inside observes it. No recursion, because trees
 * of tasks may be deep and stacks are small. */
void bight__scope_spread(struct bight_scope *scope)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task **outer = sched->spreading;
    struct bight_task *todo = NULL, *found = NULL;

    if (scope->effective || listed(sched, scope))
        return;
    sched->spreading = &todo;
    mark(scope, &found);
    todo = reversed(found, todo);
    while (todo) {
        struct bight_task *task = todo;

        found = NULL;
        todo = task->cancel_next;
        mark(&task->base, &found);
        todo = reversed(found, todo);
    }
    sched->spreading = outer;
}

void bight__scope_cancel(struct bight_scope *scope)
{
    if (scope->cancelled)
        return;
    scope->cancelled = true;
    if (scope->deadline_ns != NO_DEADLINE)
        bight__deadline_over(scope);
    bight__scope_spread(scope);
}

/* Whether the scope itself is cancelled or expired, whatever is true of those around it. */
static bool is_over(const struct bight_scope *scope)
{
    return scope->cancelled || scope->expired;
}

static void lift_members(struct bight_group *group, struct bight_task **worklist)
{
    struct bight_link *siblings = bight__group_siblings(group);
    struct bight_link *link;

    for (link = siblings->next; link != siblings; link = link->next) {
        struct bight_task *member = container_of(link, struct bight_task, member);

        if (bight__group_of(member) == group && member->base.effective && !is_over(&member->base)) {
            member->base.effective = false; /* so that it is listed only once */
            member->cancel_next = *worklist;
            *worklist = member;
        }
    }
}

/* The reverse of mark: `scope` and what is inside it in the same task is no longer cancelled, up to
 * scopes that are over themselves. */
static void unmark(struct bight_scope *scope, struct bight_task **worklist)
{
    struct bight_task *task = scope->task;

    while (!is_over(scope)) {
        scope->effective = false;
        scope->kind &= (uint16_t) ~(SCOPE_TOLD | SCOPE_LATE);
        scope->kind |= SCOPE_LIFTED;
        if (scope->kind & SCOPE_GROUP)
            lift_members(container_of(scope, struct bight_group, scope), worklist);
        if (!scope->inner) {
            bight__pending_update(task);
            return;
        }
        scope = scope->inner;
        if (scope->kind & SCOPE_SHIELDS)
            return;
    }
}

/* The scopes around `scope` do not cancel it any more. */
static void lift(struct bight_scope *scope)
{
    struct bight_task *todo = NULL;

    unmark(scope, &todo);
    while (todo) {
        struct bight_task *task = todo;

        todo = task->cancel_next;
        unmark(&task->base, &todo);
    }
}

void bight__scope_follow(struct bight_scope *scope)
{
    bool around = !(scope->kind & SCOPE_SHIELDS) && scope->parent->effective;

    if (around)
        bight__scope_spread(scope);
    else if (scope->effective && !is_over(scope))
        lift(scope);
}

/* The scope that decides for the task: the outermost cancelled one that no shield keeps out. */
static const struct bight_scope *deciding_scope(const struct bight_task *task)
{
    const struct bight_scope *scope, *found = NULL;

    for (scope = task->scope; scope; scope = scope->parent) {
        if (is_over(scope))
            found = scope;
        if (scope->kind & SCOPE_SHIELDS)
            break;
    }
    return found;
}

static enum bight_cause cause_of(const struct bight_scope *scope)
{
    if (scope->kind & SCOPE_GROUP) {
        const struct bight_group *group = container_of(scope, struct bight_group, scope);

        if (!scope->task)
            return BIGHT_CAUSE_END;
        if (group->failed_first)
            return BIGHT_CAUSE_FAILURE;
    }
    if (scope->expired)
        return BIGHT_CAUSE_DEADLINE;
    if (scope != &scope->task->base)
        return BIGHT_CAUSE_SCOPE;
    if (scope->kind & SCOPE_INTERRUPTED)
        return BIGHT_CAUSE_INTERRUPT;
    return scope->kind & SCOPE_TORN ? BIGHT_CAUSE_LEFT_OPEN : BIGHT_CAUSE_TASK;
}

bool bight_cancel_get_cause(struct bight_cancel_cause *cause)
{
    struct bight_task *task = bight_self();
    const struct bight_scope *scope;

    if (!cause)
        return false;
    if (task)
        bight__scopes_check(task, __builtin_frame_address(0));
    scope = task ? deciding_scope(task) : NULL;
    memset(cause, 0, sizeof(*cause));
    if (!scope)
        return false;
    cause->kind = cause_of(scope);
    cause->scope = scope;
    if (cause->kind == BIGHT_CAUSE_FAILURE) {
        const struct bight_group *group = container_of(scope, struct bight_group, scope);

        cause->code = group->failures[0].code;
        memcpy(cause->task, group->failures[0].task, sizeof(cause->task));
    }
    return true;
}

bool bight_cancelled(void)
{
    const struct bight_task *task = bight_self();

    return task && task->pending & PENDING_CANCEL;
}
