/* For those who build something that waits, beside <bight/waiter.h>: the checkpoint that opens
 * every suspending call, how a cancellation is delivered, and what is common to sources that keep
 * their waiters in a list. */
#ifndef BIGHT_CORO_CORE_SOURCE_H
#define BIGHT_CORO_CORE_SOURCE_H

#include "coro/core/scope.h"

/* park.c */
int bight__checkpoint_slow(struct bight_sched *sched, struct bight_task *task);
int bight__observe_slow(struct bight_task *task);
/* Count a delivered cancellation, or drain, and return its code. */
int bight__deliver(struct bight_task *task, bool passed_queue);
/* BIGHT_ECANCELED or BIGHT_EDRAIN: what ended a wait of the running task that was aborted. */
int bight__stop_code(const struct bight_task *task);
/* Count an operation of a call that did not open with a checkpoint; give way when it is time. */
static inline void bight__breathe(struct bight_task *task)
{
    struct bight_sched *sched = task->sched;

    if (likely(sched->quantum > 1))
        sched->quantum--;
    else
        bight__op(sched, task);
}

/* bight_park for a waiter that the running task, `self`, has begun, and that is still pending.
 * `outside`: how many of those that share the park have BIGHT_WAITER_OUTSIDE. */
int bight__park_begun(struct bight_task *self, struct bight_waiter *waiter, size_t outside);

/* The same for a waiter that shares its park with no other. */
static inline int bight__park_alone(struct bight_task *self, struct bight_waiter *waiter)
{
    return bight__park_begun(self, waiter, waiter->ops->flags & BIGHT_WAITER_OUTSIDE);
}

/* The waiter of the park that was unparked, NULL when there is none: those who share it form a ring
 * until one is, and from then on each of them leads to that one. */
static inline struct bight_waiter *bight__ring_winner(struct bight_waiter *waiter)
{
    if (waiter->won)
        return waiter;
    return waiter->also->won ? waiter->also : NULL;
}

/* Whether the waiter, which is pending, is alone in its park, in which its task sleeps: as in most
 * cases. */
static inline bool bight__waiter_sleeps(const struct bight_waiter *waiter)
{
    return likely(waiter->also == waiter && waiter->task->parked == waiter);
}

/* The wait of such a waiter is over. Returns its task, which is to be made ready. */
static inline struct bight_task *bight__waiter_resolve(struct bight_waiter *waiter, int result)
{
    struct bight_task *task = waiter->task;

    waiter->task = NULL;
    waiter->result = result;
    waiter->won = true;
    task->parked = NULL;
    task->delivered = 0; /* it is not in a loop that ignores its cancellation */
    return task;
}

/* park.c: unpark a pending waiter of which bight__waiter_sleeps is not true. Always 0, so that it
 * can be a caller's last step. */
int bight__unpark_other(struct bight_waiter *waiter, int result);

/* bight_unpark with 0 by the running task `self` of a pending waiter of the same runtime, whose ops
 * have no flags or only those of which the caller has taken care. Always 0. */
__attribute__((always_inline)) static inline int bight__unpark_of(struct bight_waiter *waiter,
                                                                  const struct bight_task *self)
{
    if (unlikely(!bight__waiter_sleeps(waiter)))
        return bight__unpark_other(waiter, 0);
    bight__ready_push(self->sched, bight__waiter_resolve(waiter, 0));
    return 0;
}

/* Whether the waiter is pending, has these ops, and is of the running task's runtime. */
static inline bool bight__waiter_is(const struct bight_waiter *waiter,
                                    const struct bight_waiter_ops *ops,
                                    const struct bight_task *self)
{
    return likely(waiter->task && waiter->ops == ops && waiter->task->sched == self->sched);
}

/* bight_unpark, inlined for a waiter without flags. */
__attribute__((always_inline)) static inline bool bight__unpark(struct bight_waiter *waiter,
                                                                int result)
{
    if (unlikely(!waiter->task))
        return false;
    if (unlikely(waiter->ops->flags) || !bight__waiter_sleeps(waiter))
        return bight_unpark(waiter, result);
    bight__ready(bight__waiter_resolve(waiter, result));
    return true;
}

/* The same with 0 for a waiter that is pending and has BIGHT_WAITER_OUTSIDE as its only flag. */
__attribute__((always_inline)) static inline void bight__unpark_outside(struct bight_waiter *waiter)
{
    if (unlikely(!bight__waiter_sleeps(waiter))) {
        bight_unpark(waiter, 0);
        return;
    }
    waiter->task->sched->outside--;
    bight__ready(bight__waiter_resolve(waiter, 0));
}

/* park.c: for sources that keep their waiters in a list, by the link that each waiter has. */
/* The abort hook: unlink the waiter and let go. */
int bight__unlink_abort(struct bight_waiter *waiter);
/* Unlink and wake all, in order. Always 0, so that it can be a caller's last step. */
int bight__wake_all(struct bight_link *waiters, int result);

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

/* Find the task that runs, whose scopes are to be in order. `frame` is the frame of the public
 * function, for the check of scopes. */
__attribute__((always_inline)) static inline int
bight__checkpoint_task(const struct bight_sched *sched, struct bight_task **self, const char *frame)
{
    struct bight_task *task = sched->current;

    if (unlikely(!task))
        return BIGHT_ENOTASK;
    *self = task;
    return likely(bight__scopes_check(task, frame)) ? 0 : BIGHT_ESCOPE;
}

/* bight__checkpoint_of, where `sched` is known to be this thread's. */
__attribute__((always_inline)) static inline int
bight__checkpoint_in(struct bight_sched *sched, struct bight_task **self, const char *frame)
{
    int rc = bight__checkpoint_task(sched, self, frame);

    if (unlikely(rc))
        return rc;
    if (likely(!(*self)->pending && --sched->quantum))
        return 0;
    return bight__checkpoint_slow(sched, *self);
}

/* The opening of every suspending call: finds the task, observes cancellation, and counts a
 * step. */
__attribute__((always_inline)) static inline int bight__checkpoint_of(struct bight_task **self,
                                                                      const char *frame)
{
    struct bight_sched *sched = bight__sched;

    return likely(sched != NULL) ? bight__checkpoint_in(sched, self, frame) : BIGHT_ENOTASK;
}

/* For use in the public function itself, hence always inlined. */
__attribute__((always_inline)) static inline int bight__checkpoint(struct bight_task **self)
{
    return bight__checkpoint_of(self, CALLERS_FRAME);
}

/* bight__observe_of, where `sched` is known to be this thread's. */
__attribute__((always_inline)) static inline int
bight__observe_in(const struct bight_sched *sched, struct bight_task **self, const char *frame)
{
    int rc = bight__checkpoint_task(sched, self, frame);

    if (unlikely(rc))
        return rc;
    return likely(!(*self)->pending) ? 0 : bight__observe_slow(*self);
}

/* A checkpoint that lets nobody run and counts no step. It opens the calls on what another task may
 * end or free: a task that is inside of one sleeps where it is found, or is through. What they do
 * without sleeping they count at their end, by bight__breathe. It also opens a call that switches
 * in any case, which is counted there. */
__attribute__((always_inline)) static inline int bight__observe_of(struct bight_task **self,
                                                                   const char *frame)
{
    const struct bight_sched *sched = bight__sched;

    return likely(sched != NULL) ? bight__observe_in(sched, self, frame) : BIGHT_ENOTASK;
}

__attribute__((always_inline)) static inline int bight__observe(struct bight_task **self)
{
    return bight__observe_of(self, CALLERS_FRAME);
}

/* The checkpoint of the hottest calls, which save no registers as long as they call nobody. False:
 * it was not passed, and a separate function has to run bight__checkpoint_of with this frame. */
__attribute__((always_inline)) static inline bool
bight__checkpoint_is_clear(struct bight_task **self)
{
    struct bight_sched *sched = bight__sched;
    struct bight_task *task = likely(sched != NULL) ? sched->current : NULL;

    if (unlikely(!task))
        return false;
    *self = task;
    if (task->scope != &task->base &&
        unlikely(bight__scope_is_gone(task, task->scope, CALLERS_FRAME)))
        return false;
    if (unlikely(task->pending))
        return false;
    if (likely(--sched->quantum) || bight__ops_are_calm(sched))
        return true;
    sched->quantum = 1;
    return false;
}

/* Initialise a waiter of the running task, which the checkpoint has found: so it cannot fail. */
static inline void bight__waiter_begin_of(struct bight_waiter *waiter,
                                          const struct bight_waiter_ops *ops,
                                          struct bight_task *self)
{
    link_init(&waiter->link);
    waiter->ops = ops;
    waiter->result = 0;
    waiter->task = self;
    waiter->also = waiter;
    waiter->won = false;
    waiter->asked = false;
}

static inline void bight__waiter_begin(struct bight_waiter *waiter,
                                       const struct bight_waiter_ops *ops)
{
    bight__waiter_begin_of(waiter, ops, bight__sched->current);
}

/* Whether the tasks that wait in a list, by their waiters' links, are of another thread's runtime:
 * then their source is too. */
static inline bool bight__waiters_are_foreign(const struct bight_link *waiters)
{
    const struct bight_task *first;

    if (list_empty(waiters))
        return false;
    first = container_of(waiters->next, struct bight_waiter, link)->task;
    return first && bight__is_foreign(first);
}

/* Sleep in `waiters` until woken, as the task that the checkpoint has found. Inlined, so that the
 * site is the caller's, where it suspends. */
__attribute__((always_inline)) static inline int
bight__wait_in_of(struct bight_link *waiters, struct bight_waiter *waiter,
                  const struct bight_waiter_ops *ops, struct bight_task *self)
{
    if (unlikely(bight__waiters_are_foreign(waiters)))
        return BIGHT_EPERM;
    bight__waiter_begin_of(waiter, ops, self);
    list_append(waiters, &waiter->link);
    return bight__park_alone(self, waiter);
}

__attribute__((always_inline)) static inline int bight__wait_in(struct bight_link *waiters,
                                                                struct bight_waiter *waiter,
                                                                const struct bight_waiter_ops *ops)
{
    return bight__wait_in_of(waiters, waiter, ops, bight__sched->current);
}

#endif
