/* Mutex: hand-over in FIFO order. The owner field changes in unlock itself, so a woken waiter owns
 * the mutex before it runs, and nobody can barge in between. */
#include "coro/sched.h"

#include <bight/sync.h>

#include <stdio.h>

struct lock_wait {
    struct bight_waiter waiter;
    const struct bight_mutex *mutex;
};

static int lock_abort(struct bight_waiter *waiter)
{
    link_remove(&waiter->link);
    return 0;
}

static struct bight_task *lock_waits_for(const struct bight_waiter *waiter)
{
    return container_of(waiter, struct lock_wait, waiter)->mutex->owner;
}

static void lock_describe(const struct bight_waiter *waiter, char *text, size_t text_bytes)
{
    const struct bight_task *owner = lock_waits_for(waiter);

    snprintf(text, text_bytes, "held by #%llu %s", (unsigned long long)bight_task_id(owner),
             bight_task_name(owner));
}

static const struct bight_wait_ops lock_ops = {
    .name = "mutex",
    .abort = lock_abort,
    .waits_for = lock_waits_for,
    .describe = lock_describe,
};

void bight_mutex_init(struct bight_mutex *mutex)
{
    mutex->owner = NULL;
    link_init(&mutex->waiters);
}

static __attribute__((noinline)) int lock_park(struct bight_mutex *mutex, struct bight_task *self)
{
    struct lock_wait wait = {.mutex = mutex};
    int rc;

    if (bight__lock_would_deadlock(mutex->owner, self))
        return BIGHT_EDEADLK;
    rc = bight_waiter_init(&wait.waiter, &lock_ops);
    if (rc)
        return rc;
    link_append(&mutex->waiters, &wait.waiter.link);
    return bight__park_here(&wait.waiter);
}

int bight_mutex_lock(struct bight_mutex *mutex)
{
    struct bight_task *self;
    int rc = bight__checkpoint(&self);

    if (unlikely(rc))
        return rc;
    if (unlikely(mutex->owner))
        return lock_park(mutex, self);
    mutex->owner = self;
    return 0;
}

int bight_mutex_trylock(struct bight_mutex *mutex)
{
    struct bight_task *self = bight_self();

    if (!self)
        return BIGHT_ENOTASK;
    if (mutex->owner)
        return mutex->owner == self ? BIGHT_EDEADLK : BIGHT_EBUSY;
    mutex->owner = self;
    return 0;
}

int bight_mutex_unlock(struct bight_mutex *mutex)
{
    struct bight_task *self = bight_self();
    struct bight_link *link;

    if (unlikely(!self))
        return BIGHT_ENOTASK;
    if (unlikely(mutex->owner != self))
        return BIGHT_EPERM;
    mutex->owner = NULL;
    while (unlikely((link = link_take(&mutex->waiters)) != NULL)) {
        struct bight_waiter *waiter = container_of(link, struct bight_waiter, link);
        struct bight_task *heir = waiter->task;

        if (bight_unpark(waiter, 0)) {
            mutex->owner = heir;
            break;
        }
    }
    return 0;
}
