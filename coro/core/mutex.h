/* The inside of a mutex, for what is built on one: the condition, whose waiters move to the mutex's
 * queue, and the rwlock, whose writer holds one. */
#ifndef BIGHT_CORO_CORE_MUTEX_H
#define BIGHT_CORO_CORE_MUTEX_H

#include <bight/mutex.h>

#include "coro/core/source.h"

/* A task lists the mutexes it holds, most recent first, so that its end can give them away. */
static inline void bight__mutex_take(struct bight_mutex *mutex, struct bight_task *task)
{
    task->base.kind |= SCOPE_OWES;
    mutex->owner = task;
    mutex->next_held = task->held;
    task->held = mutex;
}

static inline void bight__mutex_untake(struct bight_mutex *mutex, struct bight_task *task)
{
    struct bight_mutex **place = &task->held;

    while (unlikely(*place != mutex))
        place = &(*place)->next_held;
    *place = mutex->next_held;
    mutex->owner = NULL;
}

/* Give a free mutex, which the running task or nobody had, to the first of its waiters that can
 * still be woken. Any waiter to which a result of 0 means "the mutex is yours" may be in that
 * list. */
void bight__mutex_hand_over(struct bight_mutex *mutex);

/* Give away what an ending task has locked. */
void bight__mutexes_abandoned(struct bight_task *task);

/* For ops->describe. */
void bight__owner_describe(const struct bight_task *owner, char *text, size_t text_bytes);

#endif
