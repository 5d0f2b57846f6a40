/* For those who build something that waits, beside <bight/waiter.h>: the checkpoint that opens
 * every suspending call, how a cancellation is delivered, and what sources share that keep their
 * waiters in a list. */
#ifndef BIGHT_CORO_CORE_SOURCE_H
#define BIGHT_CORO_CORE_SOURCE_H

#include "coro/core/scope.h"

/* park.c */
int bight__checkpoint_slow(struct bight_sched *sched, struct bight_task *task);
/* Count a delivered cancellation and return BIGHT_ECANCELED. */
int bight__deliver(struct bight_task *task, bool passed_queue);
/* Count an operation of a call that cannot be cancelled; passes through the queue when it is
 * time. */
void bight__breathe(struct bight_task *task);

/* park.c: what sources share that keep their waiters in a list, by the link that a waiter has. */
/* The abort hook: unlink the waiter and let go. */
int bight__unlink_abort(struct bight_waiter *waiter);
/* Unlink and wake all, in order. */
void bight__wake_all(struct bight_link *waiters, int result);

/* cycle.c: whether waiting would close a circle of tasks that wait for each other. */
bool bight__join_would_deadlock(struct bight_task *task, const struct bight_task *self);
bool bight__lock_would_deadlock(struct bight_task *owner, const struct bight_task *self);

/* ops->flags, for us alone: the wait is for one task, which stays the same while the waiter is
 * parked, or whose change bight__chain_changes tells. */
#define WAITER_LINK 0x80000000u

/* What others wait for with `task`, such as its mutex, goes to somebody else; NULL: nobody's. */
static inline void bight__chain_changes(struct bight_task *task)
{
    if (task && unlikely(bight__chain_passes(task)))
        task->sched->chain_epoch++;
}

/* The opening of every suspending call: finds the task and observes cancellation. The check wants
 * the frame of the public function. */
__attribute__((always_inline)) static inline int bight__checkpoint_of(struct bight_task **self,
                                                                      const char *frame)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *task = likely(sched != NULL) ? sched->current : NULL;

    if (unlikely(!task))
        return BIGHT_ENOTASK;
    *self = task;
    if (unlikely(!bight__scopes_check(task, frame)))
        return BIGHT_ESCOPE;
    if (likely(!task->pending && --sched->ops_left))
        return 0;
    return bight__checkpoint_slow(sched, task);
}

/* In the public function itself, and inlined for that. */
__attribute__((always_inline)) static inline int bight__checkpoint(struct bight_task **self)
{
    return bight__checkpoint_of(self, __builtin_frame_address(0));
}

/* The checkpoint of the hottest calls, which have nothing to save when they call nobody. False: it
 * was not passed, and a function apart has to come to bight__checkpoint_of with the frame of this
 * one. */
__attribute__((always_inline)) static inline bool
bight__checkpoint_is_clear(struct bight_task **self)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *task = likely(sched != NULL) ? sched->current : NULL;

    if (unlikely(!task))
        return false;
    *self = task;
    if (task->scope != &task->base &&
        unlikely(bight__scope_is_gone(task, task->scope, __builtin_frame_address(0))))
        return false;
    if (unlikely(task->pending))
        return false;
    if (likely(--sched->ops_left))
        return true;
    sched->ops_left = 1;
    return false;
}

/* Arm the waiter for the task that the checkpoint has found, which is all that could be missing. */
static inline void bight__waiter_begin(struct bight_waiter *waiter,
                                       const struct bight_waiter_ops *ops)
{
    (void)!bight_waiter_init(waiter, ops);
}

/* Whether those who wait in a list, by the link that a waiter has, are of another thread's runtime:
 * then so is its source. */
static inline bool bight__waiters_are_foreign(const struct bight_link *waiters)
{
    const struct bight_task *first;

    if (list_empty(waiters))
        return false;
    first = container_of(waiters->next, struct bight_waiter, link)->task;
    return first && bight__is_foreign(first);
}

/* Sleep in `waiters` until woken. Inlined: the site of a suspension is the return address of its
 * bight_park. */
__attribute__((always_inline)) static inline int bight__wait_in(struct bight_link *waiters,
                                                                struct bight_waiter *waiter,
                                                                const struct bight_waiter_ops *ops)
{
    if (unlikely(bight__waiters_are_foreign(waiters)))
        return BIGHT_EPERM;
    bight__waiter_begin(waiter, ops);
    list_append(waiters, &waiter->link);
    return bight_park(waiter);
}

#endif
