/* Circles of waiting tasks, found before they close. Each wait that one task alone can end names it
 * (ops->waits_for); a task that closes a group waits for all its members. Waits on queues, events
 * and the outside name nobody: those stall at worst, which runtime/drive.c notices.
 *
 * Chains of waits may be long, so a long walk is remembered: every task on the way keeps where it
 * led (`chain_end`), and the next walk goes there at once. New waits only make chains longer, at
 * their ends. What takes a link out of a remembered way makes all forgotten (`chain_epoch` of the
 * scheduler): the task goes on, or the mutex it waits for changes hands. Whoever does that asks
 * whether the task concerned is on such a way; sources whose waits do so have WAITER_LINK. */
#include "coro/core/group.h"
#include "coro/core/source.h"

/* A walk of so many links or fewer is not worth remembering: what is not remembered is not
 * forgotten, either. */
#define SHORT_WALK 8

static struct bight_task *awaited(const struct bight_task *task)
{
    const struct bight_waiter *waiter = task->parked;

    if (!waiter || waiter->also != waiter || !waiter->ops->waits_for)
        return NULL;
    return waiter->ops->waits_for(waiter);
}

static bool is_remembered(const struct bight_task *task)
{
    return task->chain_end && bight__chain_passes(task);
}

/* The end of the links from `task` on that may be remembered as one: the first task that waits for
 * nobody, or in a source that would not say that its wait is over. */
static struct bight_task *segment_end(struct bight_task *task)
{
    struct bight_task *next;

    while ((next = is_remembered(task) ? task->chain_end : awaited(task))) {
        if (!is_remembered(task) && !(task->parked->ops->flags & WAITER_LINK))
            break;
        task = next;
    }
    return task;
}

/* Have the tasks from `task` to `end`, where a walk has led, know the way. */
static void remember(struct bight_task *task, const struct bight_task *end)
{
    uint64_t epoch = task->sched->chain_epoch;

    while (task && task != end) {
        struct bight_task *last = segment_end(task);

        while (task != last) {
            struct bight_task *next = is_remembered(task) ? task->chain_end : awaited(task);

            task->base.kind |= SCOPE_WORN;
            task->chain_end = last;
            task->chain_epoch = epoch;
            task = next;
        }
        if (!is_remembered(last)) {
            last->base.kind |= SCOPE_WORN;
            last->chain_end = NULL;
            last->chain_epoch = epoch; /* a way leads here: its mutexes are in it */
        }
        task = awaited(last);
    }
}

/* The task at the end of who waits for whom from `task`: it waits for no single one. Existing waits
 * have no circle, so there is one. */
static const struct bight_task *chain_end(struct bight_task *task)
{
    struct bight_task *at = task, *next = task;
    unsigned walked = 0;

    while (next) {
        at = next;
        next = is_remembered(at) ? at->chain_end : awaited(at);
        walked++;
    }
    if (walked > SHORT_WALK)
        remember(task, at);
    return at;
}

/* Whether the chain from `task` ends at `self`, which waits for nobody yet, or in a wait for it. */
static bool leads_to(struct bight_task *task, const struct bight_task *self)
{
    const struct bight_task *end = task ? chain_end(task) : NULL;
    const struct bight_group *group;

    if (!end || end == self)
        return end;
    group = bight__group_awaited(end);
    return group && bight__group_contains(group, self);
}

bool bight__lock_would_deadlock(struct bight_task *owner, const struct bight_task *self)
{
    /* Mostly the owner waits for nobody, and is where the chain ends. */
    if (likely(owner && !owner->parked))
        return owner == self;
    return leads_to(owner, self);
}

/* A task ends after the groups it has open, so a member may not wait for its end. */
bool bight__join_would_deadlock(struct bight_task *task, const struct bight_task *self)
{
    const struct bight_task *owner =
        link_empty(&task->children) ? NULL : bight__group_of(self)->scope.task;

    for (; owner; owner = bight__group_of(owner)->scope.task) {
        if (owner == task)
            return true;
    }
    return leads_to(task, self);
}
